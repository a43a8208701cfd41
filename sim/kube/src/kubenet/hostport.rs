use std::net::Ipv4Addr;

use world::Sys;

use super::{BRIDGE, Sandbox};
use crate::cni::iptables::{Iptables, IptablesError, words};
use crate::proxy::names;

/// A container's port that the node has too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortMapping {
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    /// The node's.
    pub host_port: u16,
    /// The container's.
    pub container_port: u16,
}

/// The chains of kubelets up to 1.23 that mark packets for masquerading. Kubernetes:
/// `syncNetworkUtil`.
///
/// Simplified: without `KUBE-MARK-DROP` and `KUBE-FIREWALL`.
pub fn utility_chains(sys: &mut dyn Sys) -> Result<(), String> {
    const MARK: &str = "0x4000/0x4000";
    let mut nat = Iptables { sys, table: "nat" };
    let mut made = || -> Result<(), IptablesError> {
        nat.ensure_chain("KUBE-MARK-MASQ")?;
        nat.ensure_chain("KUBE-POSTROUTING")?;
        nat.append_unique("KUBE-MARK-MASQ", &words(&["-j", "MARK", "--or-mark", "0x4000"]))?;
        let portal = ["-m", "comment", "--comment", "kubernetes postrouting rules", "-j", "KUBE-POSTROUTING"];
        nat.insert_unique("POSTROUTING", &words(&portal))?;
        let unmarked = ["-m", "mark", "!", "--mark", MARK, "-j", "RETURN"];
        nat.append_unique("KUBE-POSTROUTING", &words(&unmarked))?;
        nat.append_unique("KUBE-POSTROUTING", &words(&["-j", "MARK", "--xor-mark", "0x4000"]))?;
        let comment = "kubernetes service traffic requiring SNAT";
        let masquerade = ["-m", "comment", "--comment", comment, "-j", "MASQUERADE", "--random-fully"];
        nat.append_unique("KUBE-POSTROUTING", &words(&masquerade))
    };
    made().map_err(|error| format!("Failed to ensure that nat chains exist: {error}"))
}

/// Kubernetes: `ensureKubeHostportChains`.
fn ensure_chains(nat: &mut Iptables<'_>) -> Result<(), IptablesError> {
    nat.ensure_chain("KUBE-HOSTPORTS")?;
    let portal = [
        "-m",
        "comment",
        "--comment",
        "kube hostport portals",
        "-m",
        "addrtype",
        "--dst-type",
        "LOCAL",
        "-j",
        "KUBE-HOSTPORTS",
    ];
    for chain in ["OUTPUT", "PREROUTING"] {
        nat.append_unique(chain, &words(&portal))?;
    }
    let comment = "SNAT for localhost access to hostports";
    let local =
        ["-m", "comment", "--comment", comment, "-o", BRIDGE, "-s", "127.0.0.0/8", "-j", "MASQUERADE"];
    nat.append_unique("POSTROUTING", &words(&local))
}

/// Makes the node's ports lead to a pod. Kubernetes: `hostportManager.Add`.
///
/// # Errors
/// What iptables says.
pub fn add(sys: &mut dyn Sys, sandbox: &Sandbox<'_>, address: Ipv4Addr) -> Result<(), String> {
    if sandbox.ports.is_empty() {
        return Ok(());
    }
    ensure_chains(&mut Iptables { sys, table: "nat" }).map_err(|error| error.to_string())?;
    let (mut heads, mut rules) = (String::new(), String::new());
    for port in sandbox.ports {
        let chain = chain(sandbox.id, port);
        let protocol = port.protocol.to_lowercase();
        let comment = comment(sandbox, port);
        heads.push_str(&format!(":{chain} - [0:0]\n"));
        rules.push_str(&format!(
            "-I KUBE-HOSTPORTS {comment} -m {protocol} -p {protocol} --dport {} -j {chain}\n\
             -A {chain} {comment} -s {address} -j KUBE-MARK-MASQ\n\
             -A {chain} {comment} -m {protocol} -p {protocol} -j DNAT --to-destination={address}:{}\n",
            port.host_port, port.container_port
        ));
    }
    restore(sys, &format!("{heads}{rules}"))
}

/// Takes them away. Kubernetes: `hostportManager.Remove`.
///
/// # Errors
/// What iptables says.
pub fn remove(sys: &mut dyn Sys, sandbox: &Sandbox<'_>) -> Result<(), String> {
    let mut nat = Iptables { sys, table: "nat" };
    for port in sandbox.ports {
        let chain = chain(sandbox.id, port);
        let failed = |error: IptablesError| error.to_string();
        if !nat.chain_exists(&chain).map_err(failed)? {
            continue;
        }
        let protocol = port.protocol.to_lowercase();
        let comment = format!("{}_{} hostport {}", sandbox.name, sandbox.namespace, port.host_port);
        let dport = port.host_port.to_string();
        let rule = [
            "-p",
            &protocol,
            "-m",
            "comment",
            "--comment",
            &comment,
            "-m",
            &protocol,
            "--dport",
            &dport,
            "-j",
            &chain,
        ];
        if nat.exists("KUBE-HOSTPORTS", &words(&rule)).map_err(failed)? {
            nat.delete("KUBE-HOSTPORTS", &words(&rule)).map_err(failed)?;
        }
        nat.clear_and_delete_chain(&chain).map_err(failed)?;
    }
    Ok(())
}

fn comment(sandbox: &Sandbox<'_>, port: &PortMapping) -> String {
    let Sandbox { name, namespace, .. } = sandbox;
    format!("-m comment --comment \"{name}_{namespace} hostport {}\"", port.host_port)
}

fn restore(sys: &mut dyn Sys, lines: &str) -> Result<(), String> {
    let text = format!("*nat\n{lines}COMMIT\n");
    let output = tools::iptables::restore_call(sys, &["--noflush", "--counters"], &text);
    match output.status {
        0 => Ok(()),
        status => Err(format!("failed to execute iptables-restore: exit status {status} ({})", output.err)),
    }
}

/// The chain of a port. Kubernetes: `getHostportChain`.
fn chain(id: &str, port: &PortMapping) -> String {
    names::chain("KUBE-HP-", &[id, &port.host_port.to_string(), &port.protocol])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_named_by_the_hash_of_sandbox_and_port() {
        let port = PortMapping { protocol: "TCP".to_owned(), host_port: 8080, container_port: 80 };
        // printf %s abc8080TCP | sha256sum | xxd -r -p | base32 | head -c 16
        assert_eq!(chain("abc", &port), "KUBE-HP-P4J7YZKMGVPXNFWM");
    }
}
