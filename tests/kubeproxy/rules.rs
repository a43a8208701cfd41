//! What kube-proxy does to a node's tables: the calls of `iptables` and `iptables-restore`.

use crate::case::{Case, Release};
use crate::lab::Machine;

/// What the kubelet of that time has made before kube-proxy 1.9 starts.
const KUBELET_1_9: &str = "-t nat -N KUBE-MARK-DROP
-t nat -I KUBE-MARK-DROP -j MARK --or-mark 0x8000
-t filter -N KUBE-FIREWALL
-t filter -I KUBE-FIREWALL -m comment --comment \"kubernetes firewall for dropping marked packets\" -m mark --mark 0x8000/0x8000 -j DROP
-t filter -I OUTPUT -j KUBE-FIREWALL
-t filter -I INPUT -j KUBE-FIREWALL
";

/// Carries out a sync of a case in namespace `place`: the first one brings the jump rules.
pub fn sync(
    machine: &mut Machine,
    place: &str,
    case: &Case,
    release: Release,
    step: usize,
) -> Result<(), String> {
    let mut script = String::new();
    if step == 1 {
        let before = if release == Release::V1_9 { KUBELET_1_9 } else { "" };
        let settings = case.optional("sysctl.txt").unwrap_or_default();
        for setting in settings.lines() {
            script.push_str(&format!("ip netns exec {place} sysctl -qw {setting}\n"));
        }
        for call in before.lines().chain(case.ensure(release).lines()) {
            script.push_str(&ensure(&format!("ip netns exec {place} iptables -w 5"), call));
        }
    }
    machine.install_file("/tmp/rules", &case.payload(release, step));
    script.push_str(&format!(
        "ip netns exec {place} iptables-restore -w 5 --noflush --counters < /tmp/rules\n"
    ));
    machine.quietly(&script).map(|_| ()).map_err(|said| format!("sync {step}: {said}"))
}

/// A call of EnsureChain or EnsureRule: it changes nothing if all is there already.
fn ensure(iptables: &str, call: &str) -> String {
    let there = match call.replacen(" -I ", " -C ", 1) {
        // A chain is there if it can be listed.
        same if same == call => call.replacen(" -N ", " -S ", 1),
        check => check,
    };
    format!("{iptables} {there} > /dev/null 2>&1 || {iptables} {call}\n")
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
