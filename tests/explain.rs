//! What `hoplab explain` prints, typed into a bare shell, gives the state that it explains.

#![allow(clippy::expect_used)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kernel::dump::KindInfo;
use lab::{Explanation, Lab, Step, Topology, bare_world};
use packet::{HostId, NetnsId};
use regex::Regex;
use trace::Off;
use world::{Outcome, Stream, World};

/// What is compared, and what of it doesn't count.
const COMMANDS: &[(&str, &[Ignored])] = &[
    ("ip addr", &[Ignored::PeerNamespace, Ignored::Lifetimes]),
    ("ip -d link", &[Ignored::PeerNamespace, Ignored::Timers]),
    ("ip route show table all", &[]),
    ("ip rule", &[]),
    ("ip nexthop", &[]),
    ("ip neigh show nud permanent", &[]),
    ("ip neigh show proxy", &[]),
    ("bridge link", &[]),
    ("bridge vlan", &[]),
    ("bridge fdb", &[Ignored::Learned, Ignored::Order]),
    ("sysctl -a", &[Ignored::Counts]),
    ("iptables-save", &[Ignored::Dates, Ignored::Counters]),
    ("iptables-legacy-save", &[Ignored::Dates, Ignored::Counters]),
    ("ipset save", &[Ignored::Counters]),
];

/// What of a listing need not be equal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ignored {
    /// A namespace that only a process keeps has no name; a shell needs one to work in it.
    PeerNamespace,
    /// Time goes on while commands are typed.
    Lifetimes,
    /// When a bridge's timers run out.
    Timers,
    /// Entries that come with packets.
    Learned,
    /// A kernel lists forwarding entries in the order of a hash table.
    Order,
    /// Connections.
    Counts,
    /// When a table was saved.
    Dates,
    /// Of rules and sets.
    Counters,
}

impl Ignored {
    /// The listing without it.
    fn strip(self, text: &str) -> String {
        let replace = |pattern: &str, with: &str| {
            Regex::new(pattern).expect("the pattern is good").replace_all(text, with).into_owned()
        };
        let keep = |keep: &dyn Fn(&str) -> bool| {
            text.lines().filter(|line| keep(line)).map(|line| format!("{line}\n")).collect()
        };
        match self {
            Self::PeerNamespace => replace(r"link-netns(id)? \S+", "link-netns"),
            Self::Lifetimes => replace(r"(valid|preferred)_lft \d+sec", "$1"),
            Self::Timers => replace(r"(_timer|timer) +\S+", "$1"),
            Self::Learned => keep(&|line| line.contains("permanent") || line.contains("static")),
            Self::Order => {
                let mut lines: Vec<&str> = text.lines().collect();
                lines.sort_unstable();
                lines.join("\n")
            }
            Self::Counts => keep(&|line| !line.contains("nf_conntrack_count")),
            Self::Dates => keep(&|line| !line.starts_with('#')),
            Self::Counters => replace(r"\[\d+:\d+\]|packets \d+ bytes \d+", "[0:0]"),
        }
    }
}

/// Types `command` at a shell; what it printed, and what it complained of.
fn typed(world: &mut World, host: HostId, netns: NetnsId, command: &str) -> (String, String) {
    let console = world.add_console(host, false);
    world.type_input(host, console, None);
    let args = ["sh", "-c", command].map(str::to_owned).to_vec();
    let pid = world.spawn(host, netns, console, args, BTreeMap::new()).expect("the host has a shell");
    let (mut output, mut complaints) = (Vec::new(), Vec::new());
    let mut keep = |stream, bytes: &[u8]| match stream {
        Stream::Err => complaints.extend(bytes),
        Stream::In | Stream::Out => output.extend(bytes),
    };
    let outcome = world.run_to_exit(host, pid, console, &mut Off, &mut keep);
    assert!(matches!(outcome, Outcome::Exited(_)), "{command}: {outcome:?}");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output), text(&complaints))
}

/// The namespaces of a host that are explained, by the names that they get.
fn spaces(explanation: &Explanation, replayed: &World) -> Vec<String> {
    let steps = explanation.parts.iter().flat_map(|part| &part.steps);
    let named = steps.filter_map(|step| match step {
        Step::Command { text, .. } => text.strip_prefix("ip netns add ").map(str::to_owned),
        Step::Remark(_) => None,
    });
    named.filter(|name| replayed.host(HostId(0)).netns_names.contains_key(name)).collect()
}

/// Local routes in the order of their texts: those of one address on several devices stand in the order
/// in which the devices got it, which nothing else shows.
fn local_sorted(text: &str) -> String {
    let is_local = |line: &&str| line.starts_with("local ");
    let mut local: Vec<&str> = text.lines().filter(is_local).collect();
    local.sort_unstable();
    let mut local = local.into_iter();
    let lines = text.lines().map(|line| if is_local(&line) { local.next().unwrap_or(line) } else { line });
    lines.map(|line| format!("{line}\n")).collect()
}

/// Devices whose carrier no command gives: TUN devices that a process has open, and bridges without
/// ports. A new bridge has a carrier until its address is set (Kernel: `br_stp_change_bridge_id`,
/// `br_port_state_selection`), and an explained one is made with its address.
fn held_open(lab: &Lab, host: HostId, netns: NetnsId) -> BTreeSet<String> {
    let links = lab.world.host(host).links(netns);
    let has_port = |name: &str| links.iter().any(|link| link.master.as_deref() == Some(name));
    let open = links.iter().filter(|link| match &link.kind {
        Some(KindInfo::Tun { persist, .. }) => !persist,
        Some(KindInfo::Bridge(..)) => !has_port(&link.name),
        _ => false,
    });
    open.map(|link| link.name.clone()).collect()
}

/// Without what the carrier of those devices shows in.
fn strip_carrier(text: &str, devices: &BTreeSet<String>) -> String {
    let words = [
        "NO-CARRIER,",
        ",LOWER_UP",
        "state UNKNOWN",
        "state DOWN",
        "linkdown ",
        "persist on ",
        "persist off ",
    ];
    let mut detail = false;
    let lines = text.lines().map(|line| {
        let named = devices
            .iter()
            .any(|dev| line.contains(&format!("dev {dev} ")) || line.contains(&format!(" {dev}: ")));
        detail = named || detail && line.starts_with(' ');
        let mut line = line.to_owned();
        if detail {
            words.iter().for_each(|word| line = line.replace(word, ""));
        }
        line + "\n"
    });
    lines.collect()
}

/// Explains a host, types the commands into a bare shell, and compares.
fn check(lab: &Lab, name: &str) -> Result<(), String> {
    let explanation = lab.explain(&format!("node/{name}")).map_err(|problem| problem.to_string())?;
    let mut replayed = bare_world(0, "hoplab", &explanation.nics).map_err(|problem| problem.to_string())?;
    let script = explanation.to_string();
    let (_, complaints) = typed(&mut replayed, HostId(0), NetnsId::INIT, &script);
    if !complaints.is_empty() {
        return Err(format!("{name} complains:\n{complaints}\n{script}"));
    }
    let mut original = lab.world.clone();
    let host = original.host_by_name(name).expect("the host is there");
    let mut all = vec![(NetnsId::INIT, NetnsId::INIT)];
    let living =
        original.host(host).netns.iter().flatten().map(|netns| netns.id).filter(|id| *id != NetnsId::INIT);
    let names = spaces(&explanation, &replayed);
    all.extend(living.zip(names.iter().map(|name| replayed.host(HostId(0)).netns_names[name])));
    for (space, (wanted, got)) in all.into_iter().enumerate() {
        let open = held_open(lab, host, wanted);
        for (command, ignored) in COMMANDS {
            let strip = |text: String| {
                let text = ignored.iter().fold(text, |text, ignored| ignored.strip(&text));
                if open.is_empty() { text } else { strip_carrier(&text, &open) }
            };
            let wanted = local_sorted(&strip(typed(&mut original, host, wanted, command).0));
            let got = local_sorted(&strip(typed(&mut replayed, HostId(0), got, command).0));
            if wanted != got {
                let difference = similar::TextDiff::from_lines(&wanted, &got);
                let difference = difference.unified_diff().context_radius(1).to_string();
                return Err(format!("{name}, namespace {space}, `{command}`:\n{difference}\n{script}"));
            }
        }
    }
    Ok(())
}

/// Checks every host of the topologies that have a cluster, or of those that have none.
fn check_all(clusters: bool) {
    let mut wrong = Vec::new();
    for file in support::files(Path::new("topologies"), "ron") {
        let topology = Topology::read(&file).unwrap_or_else(|error| panic!("{error}"));
        if topology.cluster.is_some() != clusters {
            continue;
        }
        let lab = Lab::load(&file, 0).unwrap_or_else(|error| panic!("{error}"));
        let names: Vec<String> = lab.world.hosts().map(|host| host.name.clone()).collect();
        let checked = names.iter().filter_map(|name| check(&lab, name).err());
        wrong.extend(checked.map(|text| format!("{}: {text}", file.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn explained_commands_give_every_host() {
    check_all(false);
}

#[test]
fn explained_commands_give_every_node() {
    check_all(true);
}

#[test]
fn a_container_is_explained_by_what_belongs_to_it() {
    let lab =
        Lab::load(Path::new("topologies/docker-by-hand.ron"), 0).unwrap_or_else(|error| panic!("{error}"));
    let explanation = lab.explain("node1/web").unwrap_or_else(|problem| panic!("{problem}"));
    let steps = explanation.parts.iter().flat_map(|part| &part.steps);
    let commands: Vec<String> = steps
        .map(|step| match step {
            Step::Command { text, by, .. } => {
                assert_eq!(by, "the topology's setup", "{text}");
                let address = Regex::new(" address [0-9a-f:]{17}").expect("the pattern is good");
                address.replace_all(text, "").into_owned()
            }
            Step::Remark(text) => panic!("{text}"),
        })
        .collect();
    let expected = [
        "ip netns add web",
        "ip link add name veth0 type veth peer name eth0 netns web",
        "ip link set dev veth0 master docker0",
        "ip -n web link set dev lo up",
        "ip -n web addr add 172.17.0.2/16 dev eth0",
        "ip -n web link set dev eth0 up",
        "ip link set dev veth0 up",
        "ip -n web route add default via 172.17.0.1 dev eth0",
    ];
    assert_eq!(commands, expected);
}

#[test]
fn an_unknown_object_is_refused_with_the_nearest_name() {
    let lab =
        Lab::load(Path::new("topologies/docker-by-hand.ron"), 0).unwrap_or_else(|error| panic!("{error}"));
    let cases = [
        ("node/nod1", "unknown host `nod1`\nhint: did you mean `node1`?"),
        ("node1/wep", "unknown container or namespace `wep`\nhint: did you mean `web`?"),
        ("pod/web", "unknown pod `web`"),
        ("web", "`web` is not an object such as node/NAME or pod/NAME"),
    ];
    for (object, expected) in cases {
        let problem = lab.explain(object).expect_err("there is no such object");
        assert_eq!(problem.to_string(), expected);
    }
}
