//! What each expectation says of a command: it holds or not, and prints as it is written.

#![allow(clippy::expect_used)]

use std::path::Path;

use lab::{Expectation, Lab, Ran, Verdict};

const TOPOLOGY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/topologies/two-docker-hosts.ron");

fn network() -> Lab {
    Lab::load(Path::new(TOPOLOGY), 0).expect("the topology is sound")
}

/// Each text is judged by `ran` and must come out as said.
#[track_caller]
fn check(ran: &Ran, holding: &[&str], failing: &[&str]) {
    for (texts, expected) in [(holding, true), (failing, false)] {
        for text in texts {
            let expectation: Expectation = text.parse().expect("it can be read");
            assert_eq!(expectation.to_string(), *text);
            let verdict = ran.judge(&expectation).expect("all names are there");
            assert_eq!(verdict.held(), expected, "{text}: {verdict:?}\n{}", ran.output);
            let negated: Expectation = format!("Not({text})").parse().expect("it can be negated");
            assert_eq!(ran.judge(&negated).expect("all names are there").held(), !expected, "Not({text})");
        }
    }
}

#[test]
fn of_a_packet_that_nobody_routes() {
    let ran = network().run("node1/web", "ping -c 1 -W 1 172.18.0.2").expect("it runs");
    check(
        &ran,
        &[
            "Status(1)",
            r#"Dropped()"#,
            r#"Dropped(at: "router", reason: "IP_INNOROUTES")"#,
            r#"Reply(Delivered(to: "node1/web", via: ["node1 eth0", "node1 veth0"], source_seen: "192.168.0.1", destination_seen: "172.17.0.2", encapsulated: []))"#,
            r#"RuleHit(on: "node1", rule: "nat POSTROUTING #1")"#,
            r#"RuleHit(on: "node1", rule: "! -o docker0 -j MASQUERADE")"#,
            r#"Counter(on: "node1", rule: "nat POSTROUTING #1", packets: 1, bytes: 84)"#,
            r#"Counter(on: "node1", rule: "filter FORWARD policy", packets: 0)"#,
            r#"Conntrack(on: "node1", entry: "icmp src=172.17.0.2 [UNREPLIED]")"#,
            r#"RulesVisited(on: "node1", at_least: 1, at_most: 20)"#,
            r#"RoundTrip(below: "1ms")"#,
            r#"OutputMatches("^From 192.168.0.1 .* Net Unreachable$")"#,
        ],
        &[
            "Delivered()",
            r#"Dropped(at: "node1")"#,
            r#"Dropped(by: "filter FORWARD policy")"#,
            r#"Rejected()"#,
            r#"Reply(Dropped())"#,
            r#"Reply(Delivered(via: ["node1 veth0", "node1 eth0"]))"#,
            r#"RuleHit(on: "node2", rule: "nat POSTROUTING #1")"#,
            r#"RulesVisited(on: "node2", at_least: 1)"#,
            r#"Counter(on: "node1", rule: "nat POSTROUTING #1", packets: 2)"#,
            r#"Conntrack(on: "node1", entry: "icmp src=172.17.0.2 src=172.17.0.2")"#,
            r#"RoundTrip(below: "10us")"#,
            r#"OutputContains("1 received")"#,
            r#"OutputEquals("it's \"nothing\"")"#,
        ],
    );
}

#[test]
fn of_packets_that_rules_refuse_and_of_rules_that_jump() {
    let mut lab = network();
    let setup = "iptables -N OWN; iptables -A OWN -p tcp --dport 80 -j REJECT --reject-with tcp-reset
        iptables -A OWN -p icmp -m comment --comment 'no \"echo\"' -j REJECT; iptables -A OUTPUT -j OWN";
    lab.run("node1", setup).expect("it runs");
    let ran = lab.run("node1", "curl -s http://192.168.0.12").expect("it runs");
    check(
        &ran,
        &[
            r#"Rejected(at: "node1", by: "filter OWN #1", with: "tcp-reset")"#,
            r#"RuleHit(on: "node1", rule: "filter OUTPUT #1")"#,
            r#"Reply(Delivered(to: "node1"))"#,
        ],
        &[r#"Rejected(with: "icmp-port-unreachable")"#, r#"RuleHit(on: "node1", rule: "filter OWN #2")"#],
    );
    let ran = lab.run("node1", "ping -c 1 -W 1 192.168.0.12").expect("it runs");
    check(
        &ran,
        &[r#"Rejected(by: "--comment \"no \\\"echo\\\"\"", with: "icmp-port-unreachable")"#],
        &[r#"Rejected(at: "node2")"#],
    );
}

#[test]
fn of_a_packet_inside_another() {
    let mut lab = network();
    for (node, local, remote) in [("node1", 11, 12), ("node2", 12, 11)] {
        let tunnel = format!(
            "ip link add vx type vxlan id 7 dstport 4789 local 192.168.0.{local} remote 192.168.0.{remote}
            ip addr add 10.7.0.{local}/24 dev vx; ip link set vx up"
        );
        lab.run(node, &tunnel).expect("it runs");
    }
    let ran = lab.run("node1", "ping -c 1 10.7.0.12").expect("it runs");
    check(
        &ran,
        &[r#"Delivered(to: "node2", via: ["node1 vx", "node1 eth0", "node2 vx"], encapsulated: ["vxlan"])"#],
        &["Delivered(encapsulated: [])", r#"Delivered(encapsulated: ["vxlan", "ipip"])"#],
    );
}

#[test]
fn a_failure_tells_what_happened_instead() {
    let ran = network().run("node1/web", "ping -c 1 -W 1 172.18.0.2").expect("it runs");
    let expectation: Expectation = r#"Delivered(to: "node2/web")"#.parse().expect("it can be read");
    let Verdict::Failed(failure) = ran.judge(&expectation).expect("all names are there") else {
        panic!("nothing was delivered")
    };
    assert_eq!(failure.instead, "the packet was dropped at router (IP_INNOROUTES)");
    assert_eq!(failure.around.as_deref(), ran.subject.as_ref());
}
