use packet::{HostId, NetnsId, Pid};
use world::{FileKind, World};

use crate::help;
use crate::kubectl_words::kubectl_words;
use crate::prompt::places;

/// Words after `ip`.
const IP_OBJECTS: [&str; 8] = ["address", "link", "neighbour", "netns", "route", "rule", "tunnel", "tuntap"];

/// What the last word of `line` may become: where that word starts (bytes), and the whole words.
pub(crate) fn complete(
    world: &World,
    (host, netns, pid): (HostId, NetnsId, Pid),
    line: &str,
) -> (usize, Vec<String>) {
    let blank = |c: char| c.is_whitespace() || ";|&()`<>".contains(c);
    let start = line
        .rfind(blank)
        .map_or(0, |at| at + line.get(at..).and_then(|s| s.chars().next()).map_or(1, char::len_utf8));
    let (before, word) = line.split_at(start);
    let redirects = before.trim_end().ends_with(['<', '>']);
    let command = before
        .rfind(|c| ";|&()`\n".contains(c))
        .map_or(before, |at| before.get(at + 1..).unwrap_or_default());
    let mut words: Vec<&str> = command.split_whitespace().collect();
    let mut netns = netns;
    let mut is_other = false;
    // `ip netns exec NAME command…` completes as that command, in that namespace.
    while let [first, rest @ ..] = words.as_slice() {
        match (*first, rest) {
            ("ip", ["netns", "exec", name, rest @ ..]) => {
                netns = namespace(world, host, name).unwrap_or(netns);
                is_other = true;
                words = rest.to_vec();
            }
            ("sudo" | "if" | "then" | "else" | "elif" | "while" | "until" | "do" | "!" | "time", rest) => {
                words = rest.to_vec()
            }
            (first, rest) if first.contains('=') => words = rest.to_vec(),
            _ => break,
        }
    }
    for pair in words.windows(2) {
        if matches!(pair[0], "-n" | "-netns" | "--netns") {
            netns = namespace(world, host, pair[1]).unwrap_or(netns);
        }
    }
    let names = &world.host(host).netns_names;
    let namespaces = || names.keys().cloned().collect::<Vec<_>>();
    let devices = || world.host(host).links(netns).into_iter().map(|link| link.name).collect::<Vec<_>>();
    let candidates: Vec<String> = match words.as_slice() {
        _ if redirects || word.contains('/') && !matches!(words.as_slice(), ["on"] | ["kubectl", ..]) => {
            files(world, host, pid, word)
        }
        [] => {
            let mut all: Vec<String> = world.registry(host).names().map(str::to_owned).collect();
            if !is_other {
                all.extend(tools::shell::builtin_names().map(str::to_owned));
                all.extend(help::OWN.map(str::to_owned));
                all.extend(help::LAB.iter().flat_map(|(names, _)| names.split(' ')).map(str::to_owned));
            }
            all.sort_unstable();
            all
        }
        ["on"] => places(world),
        ["ssh"] => world.hosts().map(|host| host.name.clone()).collect(),
        ["kubectl", rest @ ..] => kubectl_words(world, rest, word),
        ["help"] => world.registry(host).names().map(str::to_owned).collect(),
        ["ip" | "bridge", .., "-n" | "-netns" | "--netns"]
        | [.., "netns", "exec" | "del" | "delete" | "pids" | "set" | "attach" | "netnsid"]
        | ["ip", .., "netns"]
            if words.last() != Some(&"netns") || words.contains(&"link") =>
        {
            namespaces()
        }
        [.., "dev" | "master" | "oif" | "iif" | "peer" | "nomaster"]
        | [
            "ping" | "arping" | "tcpdump" | "curl" | "iptables",
            ..,
            "-I" | "-i" | "-o" | "--interface" | "--in-interface" | "--out-interface",
        ] => devices(),
        ["ip", .., "link" | "l", "set" | "del" | "delete" | "show"]
        | ["ifconfig" | "ethtool"]
        | ["brctl", "addbr" | "delbr" | "addif" | "delif" | "show", ..] => devices(),
        ["ip"] | ["ip", "-n" | "-netns", _] => IP_OBJECTS.map(str::to_owned).to_vec(),
        _ => files(world, host, pid, word),
    };
    let mut found: Vec<String> = candidates.into_iter().filter(|name| name.starts_with(word)).collect();
    found.dedup();
    (start, found)
}

fn namespace(world: &World, host: HostId, name: &str) -> Option<NetnsId> {
    world.host(host).netns_names.get(name).copied()
}

/// The files that a word may name, with its directory before them.
fn files(world: &World, host: HostId, pid: Pid, word: &str) -> Vec<String> {
    let (folder, name) = word.rfind('/').map_or(("", word), |at| word.split_at(at + 1));
    let Ok(entries) = world.read_dir(host, pid, if folder.is_empty() { "." } else { folder }) else {
        return Vec::new();
    };
    let shown = entries.iter().filter(|entry| !entry.name.starts_with('.') || name.starts_with('.'));
    shown
        .map(|entry| {
            let end = if entry.kind == FileKind::Dir { "/" } else { "" };
            format!("{folder}{}{end}", entry.name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A host with namespaces `blue` and `green`, a bridge, and a shell that waits.
    fn world() -> (World, (HostId, NetnsId, Pid)) {
        let mut world = World::new(0);
        let host = world.add_host("h", tools::registry());
        let console = world.add_console(host, false);
        let script = "ip netns add blue; ip netns add green; ip link add br0 type bridge; \
                      ip -n blue link add dummy7 type dummy; mkdir /tmp/d; echo >/tmp/data; cd /tmp; sleep 9";
        let args = ["sh", "-c", script].map(str::to_owned).to_vec();
        let pid =
            world.spawn(host, NetnsId::INIT, console, args, BTreeMap::new()).expect("the shell is installed");
        world.run_until(packet::SimTime::ZERO + std::time::Duration::from_secs(1), &mut trace::Off);
        (world, (host, NetnsId::INIT, pid))
    }

    #[test]
    fn words_are_completed_by_their_place() {
        let (world, at) = world();
        for (line, start, expected) in [
            ("ifc", 0, "ifconfig"),
            ("echo a; ifc", 8, "ifconfig"),
            ("expo", 0, "export"),
            ("ip netns exec b", 14, "blue"),
            ("ip -n gr", 6, "green"),
            ("ip netns exec blue ifco", 19, "ifconfig"),
            ("ip link set br", 12, "br0"),
            ("ip route add 10.0.0.0/8 dev b", 28, "br0"),
            ("ip -n blue link show dev d", 25, "dummy7"),
            ("ip netns exec blue ip link set d", 31, "dummy7"),
            ("ip ro", 3, "route"),
            ("cat dat", 4, "data"),
            ("cat /tmp/dat", 4, "/tmp/data"),
            ("echo >dat", 6, "data"),
            ("cat /proc/sys/net/ipv4/conf/al", 4, "/proc/sys/net/ipv4/conf/all/"),
            ("on h/g", 3, "h/green"),
            ("hel", 0, "hello-app help"),
            ("cat é", 4, ""),
        ] {
            let (from, found) = complete(&world, at, line);
            assert_eq!((from, found.join(" ").as_str()), (start, expected), "{line:?}");
        }
    }
}
