//! Networks broken by hand: what `hoplab diagnose` names, and that what it prints mends them.

use std::path::{Path, PathBuf};

use lab::Lab;
use lab::diagnose::{Diagnosis, Fix, Options, diagnose};
use trace::Off;

fn topology(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../topologies/{name}.ron"))
}

fn load(name: &str) -> Lab {
    Lab::load(&topology(name), 0).unwrap_or_else(|error| panic!("{error}"))
}

fn type_at(lab: &mut Lab, on: &str, command: &str) {
    let spot = lab.locate(on).unwrap_or_else(|problem| panic!("{problem}"));
    let typed = lab.run_command(&spot, command, &mut Off);
    let (output, status) = typed.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(status, 0, "{on}$ {command}\n{output}");
}

fn mend(lab: &mut Lab, fix: &Fix) {
    for command in &fix.commands {
        type_at(lab, &fix.on, command);
    }
    for then in &fix.then {
        mend(lab, then);
    }
}

fn ask(lab: &Lab, from: &str, to: Option<&str>) -> Diagnosis {
    diagnose(&lab.world, from, to, Options::default()).unwrap_or_else(|problem| panic!("{problem}"))
}

/// Breaks three nodes with flannel by commands `host: command`, asks about the client and `to`, and
/// types the first fix.
#[track_caller]
fn check(breaks: &[&str], to: &str, culprit: &str) {
    let mut lab = load("three-nodes");
    for line in breaks {
        let Some((on, command)) = line.split_once(": ") else { panic!("`{line}` names no host") };
        type_at(&mut lab, on, command);
    }
    let diagnosis = ask(&lab, "pod/client", Some(to));
    let named = diagnosis.culprit.as_ref().map(|blame| blame.culprit.to_string()).unwrap_or_default();
    assert_eq!(named, culprit, "{breaks:?}\n{diagnosis}");
    let Some(fix) = diagnosis.fixes.first() else { panic!("{breaks:?}: no fix\n{diagnosis}") };
    mend(&mut lab, fix);
    type_at(&mut lab, "node1", "sleep 10");
    let after = ask(&lab, "pod/client", Some(to));
    assert!(after.is_healthy(), "{breaks:?}: {fix:?} mends nothing\n{after}");
}

#[test]
fn settings_and_rules() {
    check(&["node3: sysctl -w net.ipv4.ip_forward=0"], "pod/server", "node3: sysctl net.ipv4.ip_forward");
    check(
        &["node2: iptables -I FORWARD -d 10.244.2.0/24 -j DROP"],
        "pod/server",
        "node2: the rule `-A FORWARD -d 10.244.2.0/24 -j DROP` of filter",
    );
    check(
        &["node3: iptables-legacy -I INPUT -p udp --dport 8472 -j DROP"],
        "pod/server",
        "node3: the rule `-A INPUT -p udp -m udp --dport 8472 -j DROP` of legacy filter",
    );
    check(
        &["node3: iptables -t mangle -A PREROUTING -d 10.244.2.0/24 -j TTL --ttl-set 1"],
        "pod/server",
        "node3: the rule `-A PREROUTING -d 10.244.2.0/24 -j TTL --ttl-set 1` of mangle",
    );
    check(
        &["node2: sysctl -w net.netfilter.nf_conntrack_max=1"],
        "pod/server",
        "node2: the connection table",
    );
}

#[test]
fn routes_and_entries() {
    check(&["node2: ip route del 10.244.2.0/24"], "pod/server", "node2: the route to 10.244.2.0/24");
    check(&["node3: ip route del 10.244.1.0/24"], "pod/server", "node3: the route to 10.244.1.0/24");
    check(&["node2: ip route add blackhole 10.244.2.6/32"], "pod/server", "node2: the route to 10.244.2.6");
    check(
        &["node2: ip rule add prio 100 from 10.244.1.0/24 prohibit"],
        "pod/server",
        "node2: the policy rule `from 10.244.1.0/24 prohibit`",
    );
    check(
        &["node2: ip neigh del 10.244.2.0 dev flannel.1"],
        "pod/server",
        "node2: the neighbor entry of 10.244.2.0",
    );
    check(&["node3: ip link set cni0 down"], "pod/server", "node3: the device cni0");
    check(&["node3: ip addr del 10.244.2.1/24 dev cni0"], "pod/server", "node3: the address 10.244.2.1");
}

#[test]
fn services() {
    check(
        &[r#"node1: kubectl patch svc web -p '{"spec":{"selector":{"app":"wb"}}}'"#, "node1: sleep 3"],
        "svc/web",
        "cluster: spec.selector of the Service default/web",
    );
    check(
        &[
            r#"node1: kubectl patch svc web -p '{"spec":{"ports":[{"name":"http","port":80,"targetPort":8081}]}}'"#,
            "node1: sleep 3",
        ],
        "svc/web",
        "cluster: spec.ports[0].targetPort of the Service default/web",
    );
}

#[test]
fn a_healthy_network_has_no_culprit() {
    let cases = [
        ("three-nodes", "pod/client"),
        ("three-nodes", "gateway"),
        ("two-docker-hosts", "node1"),
        ("helloworld", "node1"),
        ("post", "pod/client"),
        ("hostnames", "node2"),
        ("kubeadm", "k8s-node1"),
        ("services", "client"),
    ];
    for (name, from) in cases {
        let diagnosis = ask(&load(name), from, None);
        assert!(diagnosis.is_healthy() && diagnosis.culprit.is_none(), "{name}\n{diagnosis}");
    }
}
