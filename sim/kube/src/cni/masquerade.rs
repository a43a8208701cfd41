//! `ipMasq`: what leaves the network takes the node's address. Plugins: `ipmasq_iptables_linux.go`.

use ipnet::IpNet;

use super::iptables::{Iptables, IptablesError, NotExist, chain_name};

fn comment(network: &str, container_id: &str) -> String {
    format!("name: {network:?} id: {container_id:?}")
}

/// A rule in the order of words in which the plugins write it.
fn rule(head: &[&str], target: &str, comment: &str) -> Vec<String> {
    let tail = ["-j", target, "-m", "comment", "--comment", comment];
    head.iter().chain(&tail).map(|word| (*word).to_owned()).collect()
}

/// Writes the rules for the container's addresses.
///
/// # Errors
/// What iptables says.
pub fn setup(
    nat: &mut Iptables<'_>,
    addresses: &[IpNet],
    network: &str,
    container_id: &str,
) -> Result<(), IptablesError> {
    let chain = chain_name("", network, container_id);
    let comment = comment(network, container_id);
    for address in addresses {
        nat.ensure_chain(&chain)?;
        nat.append_unique(&chain, &rule(&["-d", &address.to_string()], "ACCEPT", &comment))?;
        nat.append_unique(&chain, &rule(&["!", "-d", "224.0.0.0/4"], "MASQUERADE", &comment))?;
        let from = address.addr().to_string();
        nat.append_unique("POSTROUTING", &rule(&["-s", &from], &chain, &comment))?;
    }
    Ok(())
}

/// Removes them. Every address is tried.
///
/// # Errors
/// What iptables says, a line for each address.
pub fn teardown(
    nat: &mut Iptables<'_>,
    addresses: &[IpNet],
    network: &str,
    container_id: &str,
    known: NotExist,
) -> Result<(), String> {
    let chain = chain_name("", network, container_id);
    let comment = comment(network, container_id);
    let mut failed = Vec::new();
    for address in addresses {
        if let Err(error) = teardown_one(nat, address, &chain, &comment, known) {
            failed.push(error.to_string());
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

fn teardown_one(
    nat: &mut Iptables<'_>,
    address: &IpNet,
    chain: &str,
    comment: &str,
    known: NotExist,
) -> Result<(), IptablesError> {
    let tolerate = |outcome: Result<(), IptablesError>| match outcome {
        Err(error) if error.is_not_exist(known) => Ok(()),
        other => other,
    };
    for from in [address.addr().to_string(), address.to_string()] {
        tolerate(nat.delete("POSTROUTING", &rule(&["-s", &from], chain, comment)))?;
    }
    tolerate(nat.clear_chain(chain))?;
    tolerate(nat.delete_chain(chain))
}
