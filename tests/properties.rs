//! What holds for every network: a packet ends exactly once, and the same seed gives the same bytes.

#![allow(clippy::expect_used)]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use packet::PacketId;
use proptest::prelude::*;
use proptest::sample::select;
use trace::{Recorder, Relation, Step, StepKind};

/// What a recording says of one packet.
#[derive(Debug, Default)]
struct Life {
    births: u32,
    /// Into sockets that take it for good.
    delivered: u32,
    /// Into sockets that take a copy: raw, packet.
    copied: u32,
    drops: u32,
    /// Became others: fragments, the outer packet of a tunnel, copies of a flood.
    heirs: u32,
    /// Gave another its bytes: reassembly, decapsulation.
    last: Option<StepKind>,
}

/// The lives of all packets of a recording.
fn lives(steps: &[Step]) -> BTreeMap<PacketId, Life> {
    let mut lives: BTreeMap<PacketId, Life> = BTreeMap::new();
    for step in steps {
        match &step.kind {
            StepKind::Created { parents, .. } => {
                lives.entry(step.packet).or_default().births += 1;
                for (relation, parent) in parents {
                    let heir = matches!(
                        relation,
                        Relation::Copy
                            | Relation::FragmentOf
                            | Relation::ReassembledFrom
                            | Relation::Encapsulates
                            | Relation::DecapsulatedFrom
                            | Relation::RelayedBy
                    );
                    lives.entry(*parent).or_default().heirs += u32::from(heir);
                }
            }
            StepKind::Deliver { socket, .. } if socket.starts_with("raw") || socket.starts_with("packet") => {
                lives.entry(step.packet).or_default().copied += 1;
            }
            StepKind::Deliver { .. } => lives.entry(step.packet).or_default().delivered += 1,
            StepKind::Drop { .. } => lives.entry(step.packet).or_default().drops += 1,
            _ => {}
        }
        lives.entry(step.packet).or_default().last = Some(step.kind.clone());
    }
    lives
}

/// What is wrong with how the packets of a recording ended; nothing if all is well.
///
/// A packet is created once, ends at most once, and nothing happens to it afterwards; one that has
/// no end was turned into others, or was last seen leaving a device, waiting, or being taken by a
/// kernel that records no more (ARP, IGMP).
fn wrong(steps: &[Step]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (id, life) in lives(steps) {
        let Life { births, delivered, copied: _, drops, heirs: _, last } = &life;
        let ended = drops + u32::from(*delivered > 0);
        let after = match last {
            Some(StepKind::Drop { .. } | StepKind::Deliver { .. }) | None => false,
            Some(_) => ended > 0,
        };
        if *births != 1 || ended > 1 || *drops > 1 || after {
            wrong.push(format!("packet {id}: {life:?}"));
        }
    }
    wrong
}

/// Packets that were given up without a word: neither an end nor heirs, last seen in the middle of
/// a kernel.
fn lost(steps: &[Step]) -> Vec<String> {
    let lives = lives(steps);
    let silent = lives.iter().filter(|(_, life)| {
        let open = life.delivered == 0 && life.copied == 0 && life.drops == 0 && life.heirs == 0;
        let middle = matches!(
            life.last,
            Some(
                StepKind::Route { .. }
                    | StepKind::Chain { .. }
                    | StepKind::Rule { .. }
                    | StepKind::Rewrite { .. }
                    | StepKind::Neighbour { mac: Some(_), .. }
            )
        );
        open && middle
    });
    silent.map(|(id, life)| format!("packet {id}: {life:?}")).collect()
}

fn recorded(script: &str, seed: u64) -> (Vec<Step>, String) {
    let mut recorder = Recorder::default();
    let (_, output) = support::run_script("sh", script, seed, &mut recorder);
    (recorder.steps, output)
}

#[test]
fn packets_of_the_recorded_scripts_end_once() {
    let mut all = String::new();
    for script in support::scripts(&["tests/parity", "tests/parity-vm"]) {
        let text = fs::read_to_string(&script).expect("the script can be read");
        let steps = recorded(&text, 0).0;
        for line in wrong(&steps).into_iter().chain(lost(&steps)).take(3) {
            let _ = writeln!(all, "{}: {line}", script.display());
        }
    }
    assert!(all.is_empty(), "{all}");
}

/// A Service with three endpoints, as kube-proxy writes it, and a client that follows a SYN to it.
const SERVICE: &str = "\
ip netns add c
ip link add veth0 type veth peer name eth0 netns c
ip addr add 10.244.0.1/24 dev veth0
ip link set veth0 up
ip -n c addr add 10.244.0.2/24 dev eth0
ip -n c link set eth0 up
ip -n c route add default via 10.244.0.1
sysctl -qw net.ipv4.ip_forward=1
ip link add ends type bridge
ip addr add 10.244.1.1/24 dev ends
ip link set ends up
for i in 1 2 3; do
ip netns add s$i
ip link add v$i type veth peer name eth0 netns s$i
ip link set v$i master ends
ip link set v$i up
ip -n s$i addr add 10.244.1.1$i/24 dev eth0
ip -n s$i link set eth0 up
ip -n s$i route add default via 10.244.1.1
iptables -t nat -N KUBE-SEP-$i
iptables -t nat -A KUBE-SEP-$i -p tcp -m tcp -j DNAT --to-destination 10.244.1.1$i:8080
done
iptables -t nat -N KUBE-SERVICES
iptables -t nat -N KUBE-SVC
iptables -t nat -A PREROUTING -j KUBE-SERVICES
iptables -t nat -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m tcp --dport 80 -j KUBE-SVC
iptables -t nat -A KUBE-SVC -m statistic --mode random --probability 0.33333333349 -j KUBE-SEP-1
iptables -t nat -A KUBE-SVC -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-2
iptables -t nat -A KUBE-SVC -j KUBE-SEP-3
iptables -t nat -A POSTROUTING -o ends -j MASQUERADE --random-fully
";

fn verdicts(command: &str) -> Vec<String> {
    let (_, output) = support::run_script("sh", &format!("{SERVICE}{command}"), 4, &mut trace::Off);
    output.lines().filter(|line| line.starts_with("verdict: ")).map(str::to_owned).collect()
}

#[test]
fn a_service_with_three_endpoints_has_three_branches() {
    let trace = "ip netns exec c trace --branches tcp 10.244.0.2:40000 10.96.0.1:80\n";
    let branches = verdicts(trace);
    let ends: Vec<(&str, &str)> = branches
        .iter()
        .map(|line| {
            let packet =
                line.split(" > ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a destination");
            (packet, line.rsplit('=').next().expect("a probability"))
        })
        .collect();
    // 0.33333333349 is a multiple of 2^-31 above a third; the rest is halved. The world holds that
    // they add up to exactly 1.
    let expected = [
        ("10.244.1.11:8080", "0.33333333349"),
        ("10.244.1.12:8080", "0.33333333326"),
        ("10.244.1.13:8080", "0.33333333326"),
    ];
    assert_eq!(ends, expected, "{branches:#?}");
    // One run of the dice is one of the branches.
    let drawn = verdicts(&trace.replace(" --branches", ""));
    let same_end = |line: &&String| drawn.iter().any(|d| d.rsplit(" > ").next() == line.rsplit(" > ").next());
    assert_eq!((drawn.len(), branches.iter().filter(same_end).count()), (1, 1), "{drawn:?}");
}

/// A network as a script: a chain of hosts joined by veth pairs or bridges, with a server at one
/// end, and things that go wrong on the way.
fn network() -> impl Strategy<Value = String> {
    let trouble = select(&[
        "ip -n h1 link set b1 mtu 600",
        "ip -n h1 link set b1 down",
        "ip -n h1 route del 10.0.2.0/24",
        "ip -n h1 route add blackhole 10.0.3.0/24",
        "ip -n h1 route replace unreachable 10.0.3.0/24",
        "ip netns exec h1 sysctl -qw net.ipv4.ip_forward=0",
        "ip netns exec h1 sysctl -qw net.ipv4.conf.all.rp_filter=1",
        "ip netns exec h1 iptables -P FORWARD DROP",
        "ip netns exec h1 iptables -A FORWARD -p udp -j REJECT",
        "ip netns exec h1 iptables -A FORWARD -p tcp -j REJECT --reject-with tcp-reset",
        "ip netns exec h1 iptables -t nat -A POSTROUTING -o b1 -j MASQUERADE",
        "ip netns exec h1 iptables -t nat -A POSTROUTING -o b1 -j MASQUERADE --random-fully",
        "ip netns exec h1 iptables -t nat -A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 10.0.2.2:8080",
        "ip netns exec h0 iptables -A OUTPUT -m statistic --mode random --probability 0.5 -j DROP",
        "ip netns exec h2 iptables -A INPUT -m statistic --mode nth --every 2 --packet 0 -j DROP",
        "ip -n h0 neigh add 10.0.1.1 lladdr 02:00:00:00:00:99 dev a0",
        "ip -n h2 addr del 10.0.2.2/24 dev a2",
        "ip -n h2 rule add from 10.0.2.2 blackhole",
        "ip -n h0 route add 10.0.9.0/24 via 10.0.1.1",
        "ip -n h1 route add 10.0.9.0/24 via 10.0.1.2",
    ]);
    let traffic = select(&[
        "ip netns exec h0 ping -c 2 -W 1 10.0.2.2",
        "ip netns exec h0 ping -c 1 -W 1 -s 3000 10.0.2.2",
        "ip netns exec h0 ping -c 1 -W 1 -M do -s 1000 10.0.2.2",
        "ip netns exec h0 ping -c 1 -W 1 10.0.9.9",
        "ip netns exec h0 ping -c 1 -W 1 -t 1 10.0.2.2",
        "ip netns exec h0 ping -c 1 -W 1 -b 10.0.1.255",
        "ip netns exec h0 curl -s --max-time 3 http://10.0.2.2/",
        "ip netns exec h0 curl -s --max-time 3 http://10.0.2.2:8080/",
        "ip netns exec h0 traceroute -n -q 1 -w 1 -m 4 10.0.2.2",
        "ip netns exec h0 udp-probe 10.0.2.2:53",
        "ip netns exec h2 ping -c 1 -W 1 10.0.1.2",
        "ip netns exec h1 ip link set b1 down",
        "ip netns exec h1 ip link set b1 up",
        "ip netns exec h1 conntrack -F",
        "ip -n h0 neigh flush all",
    ]);
    let bridged = any::<bool>();
    (bridged, prop::collection::vec(trouble, 0..4), prop::collection::vec(traffic, 1..5)).prop_map(
        |(bridged, trouble, traffic)| {
            let mut script = String::from(
                "for n in h0 h1 h2; do ip netns add $n; ip -n $n link set lo up; done\n\
                 ip -n h0 link add a0 type veth peer name b0 netns h1\n\
                 ip -n h1 link add b1 type veth peer name a2 netns h2\n\
                 ip -n h0 addr add 10.0.1.2/24 dev a0\n\
                 ip -n h2 addr add 10.0.2.2/24 dev a2\n",
            );
            if bridged {
                script.push_str("ip -n h1 link add br0 type bridge\nip -n h1 link set b0 master br0\nip -n h1 link set br0 up\n");
            }
            let lan = if bridged { "br0" } else { "b0" };
            let _ = write!(
                script,
                "ip -n h1 addr add 10.0.1.1/24 dev {lan}\nip -n h1 addr add 10.0.2.1/24 dev b1\n\
                 for d in a0; do ip -n h0 link set $d up; done\n\
                 for d in b0 b1; do ip -n h1 link set $d up; done\n\
                 ip -n h2 link set a2 up\n\
                 ip -n h0 route add default via 10.0.1.1\nip -n h2 route add default via 10.0.2.1\n\
                 ip netns exec h1 sysctl -qw net.ipv4.ip_forward=1\n\
                 ip netns exec h2 http-echo -listen :80 -text a -show-peer &\n\
                 ip netns exec h2 http-echo -listen :8080 -text b &\n\
                 ip netns exec h2 udp-echo -listen :53 &\nsleep 0.1\n"
            );
            for line in trouble.iter().chain(&traffic) {
                let _ = writeln!(script, "{line}");
            }
            script
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn packets_of_any_network_end_once(script in network(), seed in 0..1000_u64) {
        let (steps, output) = recorded(&script, seed);
        prop_assert_eq!(wrong(&steps), Vec::<String>::new(), "{}\n{}", script, output);
        prop_assert_eq!(lost(&steps), Vec::<String>::new(), "{}\n{}", script, output);
        prop_assert!(recorded(&script, seed) == (steps, output), "another run, other bytes: {}", script);
    }

    #[test]
    fn a_clone_of_any_network_goes_on_alike(script in network(), events in 0..400_usize) {
        let mut original = support::start_script("sh", &script, 1);
        for _ in 0..events {
            original.world.step(&mut trace::Off);
        }
        let mut clone = original.clone();
        let (mut one, mut other) = (Recorder::default(), Recorder::default());
        prop_assert_eq!(original.finish(&mut one), clone.finish(&mut other));
        prop_assert!(one.steps == other.steps, "other steps: {}", script);
    }
}
