//! What kube-proxy does to a node's tables: the calls of `iptables` and `iptables-restore`.

use std::collections::BTreeSet;

use crate::machine::Machine;
use crate::proxy::Sync;

/// What the kubelet of that time has made before kube-proxy 1.9 starts.
const KUBELET_1_9: &str = "-t nat -N KUBE-MARK-DROP
-t nat -I KUBE-MARK-DROP -j MARK --or-mark 0x8000
-t filter -N KUBE-FIREWALL
-t filter -I KUBE-FIREWALL -m comment --comment \"kubernetes firewall for dropping marked packets\" -m mark --mark 0x8000/0x8000 -j DROP
-t filter -I OUTPUT -j KUBE-FIREWALL
-t filter -I INPUT -j KUBE-FIREWALL
";

/// Carries out a sync in namespace `place`.
pub fn apply(machine: &mut Machine, place: &str, sync: &Sync) -> Result<(), String> {
    let node = format!("ip netns exec {place}");
    let mut script = String::new();
    for setting in &sync.sysctls {
        script.push_str(&format!("{node} sysctl -qw {setting}\n"));
    }
    for call in &sync.ensure {
        script.push_str(&ensure(&node, call));
    }
    let rules = format!("{}{}", sync.filter, sync.nat);
    script.push_str(&format!("{node} iptables-restore -w 5 --noflush --counters <<'END'\n{rules}END\n"));
    for words in &sync.conntrack {
        // It fails if there is nothing to delete.
        script.push_str(&format!("{node} conntrack {words} > /dev/null 2>&1 || true\n"));
    }
    machine.quietly(&script).map(|_| ())
}

/// What the kubelet has made before kube-proxy 1.9 starts.
pub fn prepare(machine: &mut Machine, place: &str) -> Result<(), String> {
    let calls = KUBELET_1_9.lines().map(|call| format!("ip netns exec {place} iptables {call}\n"));
    machine.quietly(&calls.collect::<String>()).map(|_| ())
}

/// A call of EnsureChain or EnsureRule: it changes nothing if all is there already.
fn ensure(node: &str, call: &str) -> String {
    let there = match call.replacen(" -I ", " -C ", 1) {
        // A chain is there if it can be listed.
        same if same == call => call.replacen(" -N ", " -S ", 1),
        check => check,
    };
    format!("{node} iptables -w 5 {there} > /dev/null 2>&1 || {node} iptables -w 5 {call}\n")
}

/// The tables as the recordings have them: no comments, all counters zero.
pub fn saved(machine: &mut Machine, place: &str) -> Result<String, String> {
    let text = machine.quietly(&format!("ip netns exec {place} iptables-save"))?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let zeroed = lines.map(|line| match line.split_once('[') {
        Some((chain, _)) if line.starts_with(':') => format!("{chain}[0:0]\n"),
        _ => format!("{line}\n"),
    });
    Ok(zeroed.collect())
}

/// The chains of table nat.
pub fn nat_chains(machine: &mut Machine, place: &str) -> Result<BTreeSet<String>, String> {
    let text = machine.quietly(&format!("ip netns exec {place} iptables-save -t nat"))?;
    let chains = text.lines().filter_map(|line| line.strip_prefix(':')?.split(' ').next());
    Ok(chains.map(str::to_owned).collect())
}
