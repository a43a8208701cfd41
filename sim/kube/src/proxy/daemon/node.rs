use std::collections::BTreeSet;

use kernel::request::Request;
use netfilter::TableName;
use tools::iptables::{netfilter, restore_call};
use world::{Fd, OpenMode, Spawn, Sys};

use super::since_start;
use crate::cni::iptables::Iptables;
use crate::proxy::ProxyConfig;
use crate::proxy::iptables::{Ensure, NodeView, Place, Proxier, Sync, kubelet};
use crate::time::klog;

/// Why a sync failed: place and text of the log's line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// File and line of the original.
    pub place: &'static str,
    /// The text.
    pub message: String,
}

/// What a proxier sees of its node.
pub fn view(sys: &dyn Sys, with_chains: bool) -> NodeView {
    let addresses = sys.kernel().addrs(sys.netns()).into_iter().map(|addr| addr.addr.local.addr());
    let mut nat_chains = BTreeSet::new();
    if with_chains && let Some(table) = netfilter(sys, sys.netns()).table(TableName::Nat) {
        nat_chains.extend(table.user_chains().map(|chain| chain.name.to_string()));
    }
    NodeView { now: since_start(sys.now()), addresses: addresses.collect(), nat_chains }
}

/// Does what a sync asks for.
///
/// # Errors
/// iptables refuses something.
pub fn apply(sys: &mut dyn Sys, sync: &Sync) -> Result<(), Rejected> {
    for each in &sync.ensure {
        ensure(sys, each)?;
    }
    let output = restore_call(sys, &["--noflush", "--counters"], &sync.payload());
    if output.status != 0 {
        let message = format!(
            "\"Failed to execute iptables-restore\" err=\"exit status {}: {}\"",
            output.status,
            output.err.trim_end().replace('\n', "\\n")
        );
        return Err(Rejected { place: "proxier.go:1512", message });
    }
    for command in &sync.conntrack {
        run_quietly(sys, &format!("conntrack {command}"));
    }
    Ok(())
}

/// Makes a chain or a rule unless it is there.
///
/// # Errors
/// iptables refuses it.
pub fn ensure(sys: &mut dyn Sys, wanted: &Ensure) -> Result<(), Rejected> {
    match wanted {
        Ensure::Chain { table, chain } => {
            let made = Iptables { sys, table }.ensure_chain(chain);
            made.map_err(|error| {
                let at = format!("table={table:?} chain={chain:?}");
                let message = format!("\"Failed to ensure chain exists\" err={:?} {at}", error.to_string());
                Rejected { place: "proxier.go:865", message }
            })
        }
        Ensure::Rule { table, chain, place, rule } => {
            let words: Vec<String> = rule.iter().map(|word| word.to_string()).collect();
            let mut iptables = Iptables { sys, table };
            let made = match place {
                Place::First => iptables.insert_unique(chain, &words),
                Place::Last => iptables.append_unique(chain, &words),
            };
            made.map_err(|error| {
                let target = words.last().cloned().unwrap_or_default();
                let at = format!("table={table:?} srcChain={chain:?} dstChain={target:?}");
                let message = format!("\"Failed to ensure chain jumps\" err={:?} {at}", error.to_string());
                Rejected { place: "proxier.go:874", message }
            })
        }
    }
}

/// Makes what the kubelet of that time made.
///
/// Simplified: kube-proxy makes it, not the kubelet, and doesn't look after it.
pub fn ensure_kubelet(sys: &mut dyn Sys, config: &ProxyConfig) {
    for wanted in kubelet(config.profile, config.masquerade_bit) {
        if let Err(Rejected { place, message }) = ensure(sys, &wanted) {
            klog(sys, 'E', place, &message);
        }
    }
}

/// Makes the chains that tell whether the rules were flushed.
pub fn ensure_canaries(sys: &mut dyn Sys, proxier: &Proxier) {
    for canary in proxier.canaries() {
        if let Err(Rejected { message, .. }) = ensure(sys, &canary) {
            klog(sys, 'W', "iptables.go:571", &message);
        }
    }
}

/// Whether the first of them, that of the table `mangle`, is still there.
pub fn has_canary(sys: &mut dyn Sys, proxier: &Proxier) -> bool {
    proxier.canaries().first().is_none_or(|canary| match canary {
        Ensure::Chain { table, chain } => Iptables { sys, table }.chain_exists(chain).unwrap_or(true),
        Ensure::Rule { .. } => true,
    })
}

/// Deletes a rule; one that isn't there is fine.
pub fn delete(sys: &mut dyn Sys, rule: &Ensure) {
    if let Ensure::Rule { table, chain, rule, .. } = rule {
        let words: Vec<String> = rule.iter().map(|word| word.to_string()).collect();
        let _ = Iptables { sys, table }.delete(chain, &words);
    }
}

/// Empties a chain.
pub fn flush(sys: &mut dyn Sys, table: &'static str, chain: &str) {
    if let Err(error) = (Iptables { sys, table }).clear_chain(chain) {
        klog(sys, 'E', "proxier.go", &format!("Some errors flushing old iptables portals: {error}"));
    }
}

/// Runs a command whose output nobody reads.
pub fn run_quietly(sys: &mut dyn Sys, command: &str) {
    let args = command.split(' ').map(str::to_owned).collect();
    let Ok(null) = sys.open("/dev/null", OpenMode::Write) else { return };
    let fds = vec![(Fd::STDOUT, null), (Fd::STDERR, null)];
    if let Err(errno) = sys.spawn(Spawn { args, fds, ..Spawn::default() }) {
        let text = format!("\"Failed to delete stale service connections\" err=\"{errno}\"");
        klog(sys, 'E', "cleanup.go:71", &text);
    }
    sys.close(null);
}

/// Writes a sysctl.
pub fn set_sysctl(sys: &mut dyn Sys, name: &str, value: &str) {
    let request = Request::Sysctl { key: name.to_owned(), value: value.to_owned() };
    if let Err(refusal) = sys.request(sys.netns(), request) {
        let text =
            format!("\"Failed to set sysctl\" err=\"{}\" sysctl={name:?} value={value}", refusal.errno);
        klog(sys, 'E', "conntrack.go:126", &text);
    }
}

/// Sets the limits of connection tracking. Kubernetes: `setupConntrack`.
pub fn set_conntrack(sys: &mut dyn Sys, settings: &[(String, String)]) {
    for (name, value) in settings {
        let (place, text) = match name.as_str() {
            "net.netfilter.nf_conntrack_max" => {
                ("conntrack.go:59", format!("\"Setting nf_conntrack_max\" nfConntrackMax={value}"))
            }
            name => {
                let entry = name.replace('.', "/");
                ("conntrack.go:119", format!("\"Set sysctl\" entry={entry:?} value={value}"))
            }
        };
        klog(sys, 'I', place, &text);
        set_sysctl(sys, name, value);
    }
}
