//! Connections that are remembered wrongly, or not at all.

use std::time::Duration;

use super::filter::First;
use super::network::{Network, Node};
use super::probe::{Probe, To, Way};
use super::{Case, Fault};
use crate::culprit::Object;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "conntrack-full",
        cause: "a node's connection table is full: what is new is dropped",
        about: &["issue 8"],
        cases: table_full,
    },
    Fault {
        name: "conntrack-stale-udp",
        cause: "a datagram came while the Service's rules were gone; its entry has no translation, and stays",
        about: &["INC-061"],
        cases: stale_udp,
    },
    Fault {
        name: "conntrack-notrack",
        cause: "a rule keeps a Service's packets from being tracked, so that nothing translates them",
        about: &["issue 8"],
        cases: notrack,
    },
    Fault {
        name: "conntrack-invalid",
        cause: "quiet connections are forgotten soon; what comes later is INVALID and dropped",
        about: &["INC-059"],
        cases: invalid,
    },
];

fn table_full(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let key = "net.netfilter.nf_conntrack_max";
        let case = Case::on(&node.name, network.pod_of_to_others(node)?, Object::ConntrackTable)
            .cause(format!("the connection table of {} takes no more than two connections", node.name))
            .breaks(&node.name, format!("sysctl -w {key}=2"))
            // Two that last.
            .breaks(&node.name, "conntrack -F")
            .breaks(&node.name, "ping -c 2 -i 0.2 127.0.0.1 >/dev/null; (udp-probe -timeout 1 127.0.0.1:9; udp-probe -timeout 1 127.0.0.1:10) >/dev/null; true")
            .fix(&node.name, format!("sysctl -w {key}=131072"));
        Some(case)
    })
}

fn stale_udp(network: &Network) -> Vec<Case> {
    let udp = network.services.iter().filter(|service| service.proto == packet::Proto::UDP);
    let services: Vec<_> = udp.filter(|service| network.endpoints(service).next().is_some()).collect();
    network.each_node(|node| {
        let service = services.first()?;
        let pod = network
            .pods_on(&node.name)
            .find(|pod| network.endpoints(service).all(|other| other.ip != pod.ip))?;
        let (ip, port) = (service.ip, service.port);
        let to = To::Service(service.namespace.clone(), service.name.clone());
        let probe = Probe::once(pod.at(), to, Way::UdpFrom(5555, port));
        let object = Object::ConntrackEntry { proto: "udp".to_owned(), to: format!("{ip}:{port}") };
        let case = Case::on(&node.name, probe, object)
            .cause(format!("{} remembers a flow to {ip}:{port} as one that isn't translated", node.name))
            .breaks(&node.name, format!("conntrack -D -p udp --orig-dst {ip} >/dev/null 2>&1; true"))
            // A firewall that saves, flushes and restores.
            .breaks(&node.name, "iptables-save > /tmp/rules && iptables -t nat -F")
            .breaks(&pod.place(), format!("udp-probe -timeout 1 -bind :5555 {ip}:{port}; true"))
            .breaks(&node.name, "iptables-restore < /tmp/rules")
            .fix(&node.name, format!("conntrack -D -p udp --orig-dst {ip}"))
            .settles_in(Duration::from_secs(5));
        Some(case)
    })
}

fn notrack(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let service = network.tcp_services().next()?;
        let pod = network.pods_on(&node.name).next()?;
        let rule = format!("-d {}/32 -p tcp -m tcp --dport {} -j NOTRACK", service.ip, service.port);
        let first = First { node: &node.name, program: "iptables", table: "raw", chain: "PREROUTING", rule };
        Some(first.case(network.to_service(pod.at(), service)))
    })
}

/// A request that pauses for ten seconds in its middle.
fn slow_request(port: u16) -> String {
    format!(
        "(printf 'GET / HTTP/1.1\\r\\nHost: shop\\r\\n'; sleep 10; printf '\\r\\n') | timeout 30 nc -q 2 ADDRESS {port} \
         | grep -q '200 OK'"
    )
}

fn invalid(network: &Network) -> Vec<Case> {
    let case = |node: &Node| {
        let (service, endpoint) = network.single()?;
        let pod = network.pods_on(&node.name).find(|pod| pod.ip != endpoint.ip)?;
        let to = To::Service(service.namespace.clone(), service.name.clone());
        let probe = Probe::once(pod.at(), to, Way::Typed(slow_request(service.port)));
        let key = "net.netfilter.nf_conntrack_tcp_timeout_established";
        let loose = "net.netfilter.nf_conntrack_tcp_loose";
        let case = Case::on(&node.name, probe, Object::Sysctl { name: key.to_owned() })
            .cause(format!("{} forgets connections that are quiet for 3 seconds", node.name))
            .breaks(&node.name, format!("sysctl -w {key}=3 {loose}=0"))
            .fix(&node.name, format!("sysctl -w {key}=432000 {loose}=1"));
        Some(case)
    };
    network.each_node(case)
}
