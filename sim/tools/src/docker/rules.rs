//! The iptables rules that Docker before 28 writes, one `iptables` command each as dockerd runs
//! them. libnetwork: `iptables/iptables.go`, `drivers/bridge/setup_ip_tables.go`.

use kernel::request::Request;
use netfilter::{Backend, Change};
use packet::NetnsId;
use world::Sys;

use super::state::{Active, Network};
use crate::iptables::command;
use crate::iptables::run::{changes, netfilter};

/// Whether docker-proxy serves what conntrack can't.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// `userland-proxy: true`, the default.
    Userland,
    /// `userland-proxy: false`: hairpin mode instead.
    Hairpin,
}

/// Runs `iptables TEXT` in the initial namespace; false if it is refused.
fn iptables(sys: &mut dyn Sys, text: &str) -> bool {
    let words = text.split(' ').map(str::to_owned).collect();
    let Ok(command) = command::parse(words, Backend::Nft, None) else { return false };
    let table = netfilter(sys, NetnsId::INIT).table(command.table);
    let Ok(changes) = changes(table, &command) else { return false };
    changes.into_iter().all(|what| {
        let change = Change { table: command.table, what };
        sys.request(NetnsId::INIT, Request::Ruleset(change)).is_ok()
    })
}

/// Adds a rule unless it is there: `verb` is `-A` or `-I`, `rule` is `-t TABLE CHAIN …` without it.
fn ensure(sys: &mut dyn Sys, table: &str, verb: &str, rule: &str) {
    if !iptables(sys, &format!("-t {table} -C {rule}")) {
        iptables(sys, &format!("-t {table} {verb} {rule}"));
    }
}

fn delete(sys: &mut dyn Sys, table: &str, rule: &str) {
    iptables(sys, &format!("-t {table} -D {rule}"));
}

/// The chains and jumps that don't belong to one bridge.
pub fn set_up(sys: &mut dyn Sys, proxy: Proxy) {
    for chain in ["DOCKER", "DOCKER-ISOLATION-STAGE-1", "DOCKER-ISOLATION-STAGE-2"] {
        iptables(sys, &format!("-t filter -N {chain}"));
    }
    iptables(sys, "-t nat -N DOCKER");
    ensure(sys, "filter", "-A", "DOCKER-ISOLATION-STAGE-1 -j RETURN");
    ensure(sys, "filter", "-A", "DOCKER-ISOLATION-STAGE-2 -j RETURN");
    ensure(sys, "nat", "-A", "PREROUTING -m addrtype --dst-type LOCAL -j DOCKER");
    let output = match proxy {
        Proxy::Userland => "OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER",
        Proxy::Hairpin => "OUTPUT -m addrtype --dst-type LOCAL -j DOCKER",
    };
    ensure(sys, "nat", "-A", output);
}

/// The two jumps that stay first in FORWARD.
pub fn raise_jumps(sys: &mut dyn Sys) {
    delete(sys, "filter", "FORWARD -j DOCKER-ISOLATION-STAGE-1");
    iptables(sys, "-t filter -I FORWARD -j DOCKER-ISOLATION-STAGE-1");
    iptables(sys, "-t filter -N DOCKER-USER");
    ensure(sys, "filter", "-A", "DOCKER-USER -j RETURN");
    delete(sys, "filter", "FORWARD -j DOCKER-USER");
    iptables(sys, "-t filter -I FORWARD -j DOCKER-USER");
}

/// `-P FORWARD DROP`, when dockerd itself turned forwarding on.
pub fn drop_forwarded(sys: &mut dyn Sys) {
    iptables(sys, "-t filter -P FORWARD DROP");
}

/// A rule of one bridge: its table, how it is added, its text.
type BridgeRule = (&'static str, &'static str, String);

/// The rules of a bridge, in the order in which dockerd adds them.
fn bridge_rules(network: &Network, proxy: Proxy, masquerade: bool) -> Vec<BridgeRule> {
    let br = &network.bridge;
    let mut rules: Vec<BridgeRule> = Vec::new();
    if let (Some(subnet), true, false) = (network.subnet, masquerade, network.internal) {
        rules.push(("nat", "-I", format!("POSTROUTING -s {} ! -o {br} -j MASQUERADE", subnet.trunc())));
        if proxy == Proxy::Hairpin {
            rules.push((
                "nat",
                "-I",
                format!("POSTROUTING -o {br} -m addrtype --src-type LOCAL -j MASQUERADE"),
            ));
        }
    }
    if network.internal {
        if let Some(subnet) = network.subnet {
            let subnet = subnet.trunc();
            rules.push(("filter", "-I", format!("DOCKER-ISOLATION-STAGE-1 ! -s {subnet} -o {br} -j DROP")));
            rules.push(("filter", "-I", format!("DOCKER-ISOLATION-STAGE-1 ! -d {subnet} -i {br} -j DROP")));
        }
        rules.push(("filter", "-I", format!("FORWARD -i {br} -o {br} -j ACCEPT")));
        return rules;
    }
    if proxy == Proxy::Userland {
        rules.push(("nat", "-I", format!("DOCKER -i {br} -j RETURN")));
    }
    rules.push(("filter", "-I", format!("FORWARD -i {br} -o {br} -j ACCEPT")));
    rules.push(("filter", "-I", format!("FORWARD -i {br} ! -o {br} -j ACCEPT")));
    rules.push(("filter", "-I", format!("FORWARD -o {br} -j DOCKER")));
    rules.push((
        "filter",
        "-I",
        format!("FORWARD -o {br} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
    ));
    let leave = format!("DOCKER-ISOLATION-STAGE-1 -i {br} ! -o {br} -j DOCKER-ISOLATION-STAGE-2");
    rules.push(("filter", "-I", leave));
    rules.push(("filter", "-I", format!("DOCKER-ISOLATION-STAGE-2 -o {br} -j DROP")));
    rules
}

/// Adds the rules of a bridge.
pub fn add_bridge(sys: &mut dyn Sys, network: &Network, proxy: Proxy, masquerade: bool) {
    for (table, verb, rule) in bridge_rules(network, proxy, masquerade) {
        ensure(sys, table, verb, &rule);
    }
    raise_jumps(sys);
}

/// Removes the rules of a bridge.
pub fn remove_bridge(sys: &mut dyn Sys, network: &Network, proxy: Proxy, masquerade: bool) {
    for (table, _, rule) in bridge_rules(network, proxy, masquerade) {
        delete(sys, table, &rule);
    }
}

/// The three rules of a published port.
fn port_rules(port: &Active, proxy: Proxy) -> [BridgeRule; 3] {
    let Active { host_ip, host_port, port: inner, proto, address, bridge, .. } = port;
    let to = if host_ip.is_unspecified() { String::new() } else { format!(" -d {host_ip}") };
    let not_from = if proxy == Proxy::Userland { format!(" ! -i {bridge}") } else { String::new() };
    [
        (
            "nat",
            "-A",
            format!(
                "DOCKER{to} -p {proto}{not_from} --dport {host_port} -j DNAT --to-destination {address}:{inner}"
            ),
        ),
        (
            "filter",
            "-A",
            format!("DOCKER ! -i {bridge} -o {bridge} -p {proto} -d {address} --dport {inner} -j ACCEPT"),
        ),
        (
            "nat",
            "-A",
            format!("POSTROUTING -p {proto} -s {address} -d {address} --dport {inner} -j MASQUERADE"),
        ),
    ]
}

/// Adds the rules of a published port.
pub fn add_port(sys: &mut dyn Sys, port: &Active, proxy: Proxy) {
    for (table, verb, rule) in port_rules(port, proxy) {
        ensure(sys, table, verb, &rule);
    }
}

/// Removes the rules of a published port.
pub fn remove_port(sys: &mut dyn Sys, port: &Active, proxy: Proxy) {
    for (table, _, rule) in port_rules(port, proxy) {
        delete(sys, table, &rule);
    }
}
