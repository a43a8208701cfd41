//! The files that a kernel makes up: /proc/sys, /sys/class/net and /run/netns; and its log's.

use kernel::Errno;
use kernel::dump::{KindInfo, LinkInfo};
use kernel::request::{BridgeOption, LinkChange, PortOption, Request};
use netfilter::RecentWrite;
use packet::{NetnsId, Pid, SimTime};

use crate::EPOCH;
use crate::date::month_to_second;
use crate::node::Node;
use crate::sys::{DirEntry, FileKind};

/// What a made-up path holds.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    Dir(Vec<DirEntry>),
    File(Vec<u8>),
}

/// Where rsyslog writes what the kernel logs; the same file for every namespace.
const KERN_LOG: &str = "/var/log/kern.log";

/// Whether the kernel makes up what lies at `path`.
pub(crate) fn owns(path: &str) -> bool {
    [KERN_LOG, "/proc/net", "/proc/sys", "/sys/class/net", "/run/netns", "/var/run/netns"]
        .iter()
        .any(|root| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
        || process_path(path).is_some()
}

/// `/proc/PID/REST`: the process and the rest.
fn process_path(path: &str) -> Option<(Pid, &str)> {
    let path = path.strip_prefix("/proc/")?;
    let (pid, rest) = path.split_once('/').unwrap_or((path, ""));
    Some((Pid(pid.parse().ok()?), rest))
}

/// The namespace that `/proc/PID/ns/net` stands for.
pub(crate) fn ns_net(node: &Node, path: &str) -> Option<NetnsId> {
    let (pid, rest) = process_path(path)?;
    let process = node.processes.get(pid)?;
    (rest == "ns/net").then_some(process.netns)
}

/// What a link to a namespace says: the initial one's number is Linux's (`PROC_NET_INIT_INO`), the
/// others' begin where Linux's do.
pub(crate) fn ns_inode(netns: NetnsId) -> String {
    let inode = if netns == NetnsId::INIT { 4_026_531_840 } else { 4_026_532_200 + netns.0 };
    format!("net:[{inode}]")
}

/// What lies under /proc/PID.
///
/// Simplified: there are no PID namespaces; a container sees the host's numbers.
fn process_entry(node: &Node, now: SimTime, pid: Pid, rest: &str) -> Result<Entry, Errno> {
    let process = node.processes.get(pid).ok_or(Errno::NoEnt)?;
    let (netns, cmdline) = (process.netns, &process.cmdline);
    match rest {
        "" => {
            let dirs = ["net", "ns"].map(|name| (name.to_owned(), FileKind::Dir));
            let files = ["cmdline", "comm"].map(|name| (name.to_owned(), FileKind::File));
            Ok(dir(dirs.into_iter().chain(files)))
        }
        "ns" => Ok(dir([("net".to_owned(), FileKind::Symlink)].into_iter())),
        "ns/net" => Ok(Entry::File(Vec::new())),
        "cmdline" => Ok(Entry::File(cmdline.as_bytes().to_vec())),
        "comm" => {
            let name = cmdline.words().next().map_or("", |word| word.rsplit('/').next().unwrap_or(word));
            let comm: String = name.chars().take(15).collect();
            Ok(Entry::File(format!("{comm}\n").into_bytes()))
        }
        net if net == "net" || net.starts_with("net/") => lookup(node, netns, now, &format!("/proc/{net}")),
        _ => Err(Errno::NoEnt),
    }
}

/// What lies at `path`, seen from `netns`.
pub(crate) fn lookup(node: &Node, netns: NetnsId, now: SimTime, path: &str) -> Result<Entry, Errno> {
    if path == KERN_LOG {
        return Ok(Entry::File(kern_log(node).into_bytes()));
    }
    if let Some((pid, rest)) = process_path(path) {
        return process_entry(node, now, pid, rest);
    }
    let path = path.strip_prefix("/var").unwrap_or(path);
    if let Some(rest) = path.strip_prefix("/proc/sys") {
        return setting(node, netns, rest.trim_start_matches('/'));
    }
    if let Some(rest) = path.strip_prefix("/proc/net") {
        let shared = node.host.get_ns(netns).and_then(|netns| netns.netfilter.shared());
        let text = match rest.trim_start_matches('/') {
            "" => {
                let files = ["arp", "dev", "ip_tables_names", "nf_conntrack", "nf_conntrack_expect", "route"]
                    .map(|name| (name.to_owned(), FileKind::File));
                let dirs =
                    ["ipt_hashlimit", "stat", "xt_recent"].map(|name| (name.to_owned(), FileKind::Dir));
                return Ok(dir(files.into_iter().chain(dirs)));
            }
            "ipt_hashlimit" => {
                let names = shared.into_iter().flat_map(|shared| shared.hashlimit.keys());
                return Ok(dir(names.map(|name| (name.clone(), FileKind::File))));
            }
            "xt_recent" => {
                let names = shared.into_iter().flat_map(|shared| shared.recent.keys());
                return Ok(dir(names.map(|name| (name.clone(), FileKind::File))));
            }
            name if name.starts_with("ipt_hashlimit/") => {
                let table = shared.and_then(|shared| shared.hashlimit.get(&name["ipt_hashlimit/".len()..]));
                table.ok_or(Errno::NoEnt)?.text(now)
            }
            name if name.starts_with("xt_recent/") => {
                let table = shared.and_then(|shared| shared.recent.get(&name["xt_recent/".len()..]));
                table.ok_or(Errno::NoEnt)?.text()
            }
            "arp" => crate::procnet::arp(&node.host, netns, now),
            "dev" => crate::procnet::dev(&node.host, netns),
            "ip_tables_names" => crate::procnet::ip_tables_names(&node.host, netns),
            "route" => crate::procnet::route(&node.host, netns),
            "nf_conntrack" => crate::procnet::nf_conntrack(&node.host, netns, now),
            "nf_conntrack_expect" => String::new(),
            "stat" => return Ok(dir([("nf_conntrack".to_owned(), FileKind::File)].into_iter())),
            "stat/nf_conntrack" => crate::procnet::nf_conntrack_stat(&node.host, netns),
            _ => return Err(Errno::NoEnt),
        };
        return Ok(Entry::File(text.into_bytes()));
    }
    if let Some(rest) = path.strip_prefix("/run/netns") {
        let name = rest.trim_start_matches('/');
        if name.is_empty() {
            let links = &node.host.netns_links;
            let kind = |name| if links.contains_key(name) { FileKind::Symlink } else { FileKind::File };
            return Ok(dir(node.host.netns_names.keys().map(|name| (name.clone(), kind(name)))));
        }
        return if node.host.netns_names.contains_key(name) {
            Ok(Entry::File(Vec::new()))
        } else {
            Err(Errno::NoEnt)
        };
    }
    let rest = path.strip_prefix("/sys/class/net").ok_or(Errno::NoEnt)?.trim_start_matches('/');
    let links = node.host.links(netns);
    if rest.is_empty() {
        return Ok(dir(links.into_iter().map(|link| (link.name, FileKind::Symlink))));
    }
    let (name, attribute) = rest.split_once('/').unwrap_or((rest, ""));
    let link = links.iter().find(|link| link.name == name).ok_or(Errno::NoEnt)?;
    if attribute == "brif" && matches!(link.kind, Some(KindInfo::Bridge(_))) {
        let ports = links.iter().filter(|port| port.master.as_deref() == Some(name));
        return Ok(dir(ports.map(|port| (port.name.clone(), FileKind::Symlink))));
    }
    attribute_of(link, attribute)
}

/// Each line with its date, the host, and the seconds since boot.
fn kern_log(node: &Node) -> String {
    let lines = node.host.log.lines().iter().map(|(at, line)| {
        let since_boot = at.since(SimTime::ZERO);
        let date = month_to_second(EPOCH + since_boot.as_secs());
        let seconds = format!("{:>5}.{:06}", since_boot.as_secs(), since_boot.subsec_micros());
        format!("{date} {} kernel: [{seconds}] {line}\n", node.host.name)
    });
    lines.collect()
}

fn dir(names: impl Iterator<Item = (String, FileKind)>) -> Entry {
    let mut entries: Vec<_> = names.map(|(name, kind)| DirEntry { name, kind }).collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    entries.dedup();
    Entry::Dir(entries)
}

/// The sysctl key of a path under /proc/sys: slashes become dots and dots slashes.
pub(crate) fn sysctl_key(path: &str) -> String {
    path.chars()
        .map(|c| match c {
            '/' => '.',
            '.' => '/',
            c => c,
        })
        .collect()
}

fn setting(node: &Node, netns: NetnsId, rest: &str) -> Result<Entry, Errno> {
    let key = sysctl_key(rest);
    match node.host.sysctl_get(netns, &key) {
        Ok(value) => return Ok(Entry::File(format!("{value}\n").into_bytes())),
        Err(Errno::NoEnt) => {}
        Err(errno) => return Err(errno),
    }
    let prefix = if rest.is_empty() { String::new() } else { format!("{key}.") };
    let children: Vec<_> = node
        .host
        .sysctl_list(netns)
        .into_iter()
        .filter_map(|(key, _)| {
            let rest = key.strip_prefix(&prefix)?;
            let (name, kind) = match rest.split_once('.') {
                Some((name, _)) => (name, FileKind::Dir),
                None => (rest, FileKind::File),
            };
            Some((name.replace('/', "."), kind))
        })
        .collect();
    if children.is_empty() { Err(Errno::NoEnt) } else { Ok(dir(children.into_iter())) }
}

/// Kernel: `net/core/net-sysfs.c`.
fn attribute_of(link: &LinkInfo, attribute: &str) -> Result<Entry, Errno> {
    const ATTRIBUTES: &[&str] = &[
        "address",
        "broadcast",
        "carrier",
        "flags",
        "ifalias",
        "ifindex",
        "iflink",
        "mtu",
        "operstate",
        "tx_queue_len",
        "type",
    ];
    const STATISTICS: &[&str] = &[
        "collisions",
        "multicast",
        "rx_bytes",
        "rx_dropped",
        "rx_errors",
        "rx_packets",
        "tx_bytes",
        "tx_carrier_errors",
        "tx_dropped",
        "tx_errors",
        "tx_packets",
    ];
    let up = link.flags & 1 != 0;
    let text = match attribute {
        "" => {
            let files = ATTRIBUTES.iter().map(|name| ((*name).to_owned(), FileKind::File));
            let port = link.port.iter().map(|_| ("brport".to_owned(), FileKind::Dir));
            return Ok(dir(files.chain([("statistics".to_owned(), FileKind::Dir)]).chain(port)));
        }
        "address" => link.address.map_or(String::new(), |(own, _)| own.to_string()),
        "broadcast" => link.address.map_or(String::new(), |(_, broadcast)| broadcast.to_string()),
        "carrier" if !up => return Err(Errno::Inval),
        // IFF_LOWER_UP
        "carrier" => u32::from(link.flags & 0x1_0000 != 0).to_string(),
        // The flags a process may set or sees as IFF_*: the low 16 bits without RUNNING.
        "flags" => format!("{:#x}", link.flags & 0xffff & !0x40),
        "ifalias" => link.alias.clone().unwrap_or_default(),
        "ifindex" => link.ifindex.to_string(),
        "iflink" => link.link.unwrap_or(link.ifindex).to_string(),
        "mtu" => link.mtu.to_string(),
        "operstate" => link.operstate.to_lowercase(),
        "speed" if !up => return Err(Errno::Inval),
        "speed" => match link.kind {
            // A veth claims 10 Gbit/s, a TUN device 10 Mbit/s (`veth_get_link_ksettings`, `tun`).
            Some(KindInfo::Veth | KindInfo::Bridge(_)) => "10000".to_owned(),
            Some(KindInfo::Tun { .. }) => "10000".to_owned(),
            _ => return Err(Errno::Inval),
        },
        "tx_queue_len" => link.txqueuelen.to_string(),
        "type" => link.arphrd.to_string(),
        "addr_len" => if link.address.is_some() { "6" } else { "0" }.to_owned(),
        "carrier_changes" => link.carrier_changes.to_string(),
        "dev_id" => "0x0".to_owned(),
        "dormant" | "link_mode" => "0".to_owned(),
        "duplex" if !up => return Err(Errno::Inval),
        "duplex" => match link.kind {
            Some(KindInfo::Veth | KindInfo::Tun { .. }) => "full".to_owned(),
            Some(KindInfo::Bridge(_)) => "unknown".to_owned(),
            _ => return Err(Errno::Inval),
        },
        "brport" if link.port.is_some() => {
            return Ok(dir([("hairpin_mode".to_owned(), FileKind::File)].into_iter()));
        }
        port if port.starts_with("brport/") => {
            let settings = link.port.as_ref().ok_or(Errno::NoEnt)?;
            match &port["brport/".len()..] {
                "hairpin_mode" => u8::from(settings.hairpin).to_string(),
                "isolated" => u8::from(settings.isolated).to_string(),
                "learning" => u8::from(settings.learning).to_string(),
                "path_cost" => settings.cost.to_string(),
                "priority" => settings.priority.to_string(),
                "state" => settings.state.to_string(),
                "unicast_flood" => u8::from(settings.flood).to_string(),
                _ => return Err(Errno::NoEnt),
            }
        }
        bridge if bridge.starts_with("bridge/") => bridge_option(link, &bridge["bridge/".len()..])?,
        "statistics" => return Ok(dir(STATISTICS.iter().map(|name| ((*name).to_owned(), FileKind::File)))),
        other => statistic(link, other.strip_prefix("statistics/").ok_or(Errno::NoEnt)?)?.to_string(),
    };
    Ok(Entry::File(format!("{text}\n").into_bytes()))
}

/// Kernel: `net/bridge/br_sysfs_br.c`. Times are in hundredths of a second.
fn bridge_option(link: &LinkInfo, name: &str) -> Result<String, Errno> {
    let Some(KindInfo::Bridge(options)) = &link.kind else { return Err(Errno::NoEnt) };
    if name == "bridge_id" {
        let mac = link.address.map_or(packet::MacAddr::ZERO, |(own, _)| own);
        let hex: String = mac.0.iter().map(|byte| format!("{byte:02x}")).collect();
        let priority = options.iter().find_map(|option| match option {
            BridgeOption::Priority(priority) => Some(*priority),
            _ => None,
        });
        return Ok(format!("{:04x}.{hex}", priority.unwrap_or(0x8000)));
    }
    let value = options.iter().find_map(|option| match (name, option) {
        ("ageing_time", BridgeOption::AgeingTime(value))
        | ("forward_delay", BridgeOption::ForwardDelay(value))
        | ("hello_time", BridgeOption::HelloTime(value))
        | ("max_age", BridgeOption::MaxAge(value))
        | ("stp_state", BridgeOption::StpState(value)) => Some(*value),
        ("multicast_snooping", BridgeOption::McastSnooping(value))
        | ("nf_call_iptables", BridgeOption::NfCallIptables(value))
        | ("nf_call_ip6tables", BridgeOption::NfCallIp6tables(value))
        | ("nf_call_arptables", BridgeOption::NfCallArptables(value)) => Some(u32::from(*value)),
        _ => None,
    });
    value.map(|value| value.to_string()).ok_or(Errno::NoEnt)
}

fn statistic(link: &LinkInfo, name: &str) -> Result<u64, Errno> {
    let stats = &link.stats;
    Ok(match name {
        "collisions" => stats.collisions,
        "multicast" => stats.multicast,
        "rx_bytes" => stats.rx_bytes,
        "rx_dropped" => stats.rx_dropped,
        "rx_errors" => stats.rx_errors,
        "rx_packets" => stats.rx_packets,
        "tx_bytes" => stats.tx_bytes,
        "tx_carrier_errors" => stats.tx_carrier,
        "tx_dropped" => stats.tx_dropped,
        "tx_errors" => stats.tx_errors,
        "tx_packets" => stats.tx_packets,
        _ => return Err(Errno::NoEnt),
    })
}

/// The request that writing `value` to `path` means.
pub(crate) fn request(path: &str, value: &str) -> Result<Request, Errno> {
    if let Some(table) = path.strip_prefix("/proc/net/xt_recent/") {
        let write = RecentWrite::parse(value).ok_or(Errno::Inval)?;
        return Ok(Request::Recent { table: table.to_owned(), write });
    }
    let value = value.trim_end_matches('\n');
    if let Some(rest) = path.strip_prefix("/proc/sys/") {
        return Ok(Request::Sysctl { key: sysctl_key(rest), value: value.to_owned() });
    }
    let rest = path.strip_prefix("/sys/class/net/").ok_or(Errno::Acces)?;
    let (dev, attribute) = rest.split_once('/').ok_or(Errno::IsDir)?;
    let number = || value.trim().parse::<u32>().map_err(|_| Errno::Inval);
    let change = match attribute {
        "mtu" => LinkChange::Mtu(number()?),
        "tx_queue_len" => LinkChange::TxQueueLen(number()?),
        "ifalias" => LinkChange::Alias(value.to_owned()),
        "brport/hairpin_mode" => LinkChange::Port(PortOption::Hairpin(number()? != 0)),
        "brport/isolated" => LinkChange::Port(PortOption::Isolated(number()? != 0)),
        "brport/learning" => LinkChange::Port(PortOption::Learning(number()? != 0)),
        "bridge/ageing_time" => LinkChange::Bridge(BridgeOption::AgeingTime(number()?)),
        "bridge/nf_call_iptables" => {
            LinkChange::Bridge(BridgeOption::NfCallIptables(u8::from(number()? != 0)))
        }
        "bridge/nf_call_ip6tables" => {
            LinkChange::Bridge(BridgeOption::NfCallIp6tables(u8::from(number()? != 0)))
        }
        "bridge/nf_call_arptables" => {
            LinkChange::Bridge(BridgeOption::NfCallArptables(u8::from(number()? != 0)))
        }
        "bridge/stp_state" => LinkChange::Bridge(BridgeOption::StpState(number()?)),
        _ => return Err(Errno::Acces),
    };
    Ok(Request::LinkSet { dev: dev.to_owned(), changes: vec![change] })
}
