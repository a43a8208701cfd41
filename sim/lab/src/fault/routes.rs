//! Routes and policy rules that lead astray, or are missing.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::network::{Network, Node, PodRoute};
use super::probe::{At, Probe, To, Way};
use super::{Case, Fault};
use crate::culprit::Object;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "pod-route-removed",
        cause: "a network daemon removed the route to another node's pods",
        about: &["I6", "INC-048"],
        cases: pod_route_removed,
    },
    Fault {
        name: "pod-route-replaced",
        cause: "a network daemon sends another node's pods to the gateway, which doesn't know them",
        about: &["INC-048"],
        cases: pod_route_replaced,
    },
    Fault {
        name: "bridge-route-removed",
        cause: "a network daemon removed the route to a node's own pods",
        about: &["INC-048"],
        cases: bridge_route_removed,
    },
    Fault {
        name: "default-route-removed",
        cause: "a node has no default route: its own processes have no route for Services' addresses",
        about: &["issue 8"],
        cases: default_route_removed,
    },
    Fault {
        name: "internet-route-removed",
        cause: "a node has no default route: its pods reach nothing outside",
        about: &["I20"],
        cases: internet_route_removed,
    },
    Fault {
        name: "blackhole-route",
        cause: "a blackhole route swallows what is for a part of another node's pods",
        about: &["INC-035"],
        cases: blackhole,
    },
    Fault {
        name: "vpn-takes-world",
        cause: "a VPN on a node took the routes to the world",
        about: &["INC-055"],
        cases: vpn_world,
    },
    Fault {
        name: "vpn-takes-lan",
        cause: "a VPN on a node took the route to a part of the nodes' own network",
        about: &["INC-055"],
        cases: vpn_lan,
    },
    Fault {
        name: "rule-from-node-address",
        cause: "a daemon added a rule for what a node's address sends: its table doesn't know the pods",
        about: &["INC-049"],
        cases: rule_from,
    },
    Fault {
        name: "rule-for-pods",
        cause: "a rule sends what pods send by a table that knows only the world",
        about: &["INC-049", "issue 8"],
        cases: rule_for_pods,
    },
    Fault {
        name: "host-network-in-pod-cidr",
        cause: "a bridge of a node has addresses that are another node's pods",
        about: &["I2"],
        cases: host_network,
    },
    Fault {
        name: "pod-default-route-removed",
        cause: "a pod has no default route",
        about: &["issue 8"],
        cases: pod_default,
    },
    Fault {
        name: "router-route-removed",
        cause: "a router between the nodes has lost its way to one of their subnets",
        about: &["I6"],
        cases: router_route,
    },
];

impl PodRoute {
    /// What stands behind `ip route add`.
    fn text(&self) -> String {
        let onlink = if self.onlink { " onlink" } else { "" };
        format!("{} via {} dev {}{onlink}", self.dst, self.via, self.dev)
    }
}

fn object(prefix: impl ToString) -> Object {
    Object::Route { prefix: prefix.to_string() }
}

/// A case for each node's first route to another's pods that flannel doesn't look after: what goes by
/// a VXLAN stays as somebody leaves it, other routes come back within 10 seconds.
fn each_route(network: &Network, make: impl Fn(&Node, &PodRoute, Probe) -> Option<Case>) -> Vec<Case> {
    network.each_node(|node| {
        let mut kept = node.routes.iter().filter(|route| {
            let vxlan = node.vxlan().is_some_and(|tunnel| tunnel.dev == route.dev);
            vxlan || !network.flannel
        });
        let (route, probe) =
            kept.find_map(|route| Some((route, network.between(node, network.node(&route.to)?)?)))?;
        make(node, route, probe)
    })
}

fn pod_route_removed(network: &Network) -> Vec<Case> {
    each_route(network, |node, route, probe| {
        let case = Case::on(&node.name, probe, object(route.dst))
            .cause(format!("{} has no route to {}, the pods of {}", node.name, route.dst, route.to))
            .breaks(&node.name, format!("ip route del {}", route.dst))
            .fix(&node.name, format!("ip route add {}", route.text()));
        Some(case)
    })
}

fn pod_route_replaced(network: &Network) -> Vec<Case> {
    each_route(network, |node, route, probe| {
        let (gateway, dev) = node.gateway.as_ref()?;
        let case = Case::on(&node.name, probe, object(route.dst))
            .cause(format!("{} sends {}, the pods of {}, to {gateway}", node.name, route.dst, route.to))
            .breaks(&node.name, format!("ip route replace {} via {gateway} dev {dev}", route.dst))
            .fix(&node.name, format!("ip route replace {}", route.text()));
        Some(case)
    })
}

fn bridge_route_removed(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let (cidr, bridge, own) = (node.pod_cidr?, node.bridge.as_deref()?, node.bridge_ip()?);
        let case = Case::on(&node.name, network.to_pod_of(node)?, object(cidr))
            .cause(format!("{} has no route to its own pods {cidr}", node.name))
            .breaks(&node.name, format!("ip route del {cidr} dev {bridge}"))
            .fix(&node.name, format!("ip route add {cidr} dev {bridge} proto kernel scope link src {own}"));
        Some(case)
    })
}

fn without_default(network: &Network, probe: impl Fn(&Node) -> Option<Probe>) -> Vec<Case> {
    network.each_node(|node| {
        let (gateway, dev) = node.gateway.as_ref()?;
        let case = Case::on(&node.name, probe(node)?, object("default"))
            .cause(format!("{} has no default route", node.name))
            .breaks(&node.name, "ip route del default")
            .fix(&node.name, format!("ip route add default via {gateway} dev {dev}"));
        Some(case)
    })
}

fn default_route_removed(network: &Network) -> Vec<Case> {
    without_default(network, |node| {
        let service = network.tcp_services().next()?;
        Some(network.to_service(At::host(&node.name), service))
    })
}

fn internet_route_removed(network: &Network) -> Vec<Case> {
    without_default(network, |node| network.to_internet(network.pods_on(&node.name).next()?.at()))
}

fn blackhole(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let to = network.nodes.iter().find(|to| to.name != node.name)?;
        let part = Ipv4Net::new(to.pod_cidr?.network(), 26).ok()?;
        let case = Case::on(&node.name, network.between(node, to)?, object(part))
            .cause(format!("{} swallows what is for {part}, pods of {}", node.name, to.name))
            .breaks(&node.name, format!("ip route add blackhole {part}"))
            .fix(&node.name, format!("ip route del blackhole {part}"));
        Some(case)
    })
}

/// What a VPN client does to a node when it connects.
fn vpn(routes: &[String]) -> String {
    let mut text =
        "ip tuntap add dev tun0 mode tun && ip addr add 10.8.0.6/24 dev tun0 && ip link set tun0 up"
            .to_owned();
    for route in routes {
        text.push_str(&format!(" && ip route add {route} dev tun0"));
    }
    text
}

fn vpn_world(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let probe = network.to_internet(network.pods_on(&node.name).next()?.at())?;
        let To::Address(std::net::IpAddr::V4(address)) = &probe.to else { return None };
        let half = if address.octets()[0] < 128 { "0.0.0.0/1" } else { "128.0.0.0/1" };
        let halves = ["0.0.0.0/1".to_owned(), "128.0.0.0/1".to_owned()];
        let case = Case::on(&node.name, probe, object(half))
            .cause(format!("a VPN on {} has the routes to the world", node.name))
            .breaks(&node.name, vpn(&halves))
            .fix(&node.name, "ip link set tun0 down");
        Some(case)
    })
}

fn vpn_lan(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let to = network.nodes.iter().find(|to| to.name != node.name && to.subnet == node.subnet)?;
        let part = Ipv4Net::new(to.ip, 26).ok()?.trunc();
        let from = At::host(&node.name);
        let probe = Probe::once(from, To::Address(to.ip.into()), Way::Ping);
        let case = Case::on(&node.name, probe, object(part))
            .cause(format!("a VPN on {} has the route to {part}, where {} is", node.name, to.name))
            .breaks(&node.name, vpn(&[part.to_string()]))
            .fix(&node.name, format!("ip route del {part} dev tun0"));
        Some(case)
    })
}

/// A table that knows the node's subnet and its gateway.
fn table(node: &Node) -> Option<String> {
    let (gateway, dev) = node.gateway.as_ref()?;
    Some(format!(
        "ip route add {} dev {} table 30400 && ip route add default via {gateway} dev {dev} table 30400",
        node.subnet, node.dev
    ))
}

fn rule_from(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let pod = network.pods_on(&node.name).next()?;
        let probe = Probe::once(pod.at(), To::Address(node.ip.into()), Way::Ping);
        let rule = format!("from {} lookup 30400", node.ip);
        let case = Case::on(&node.name, probe, Object::PolicyRule { text: rule.clone() })
            .cause(format!("a table without the pods decides for what {} sends", node.ip))
            .breaks(&node.name, format!("ip rule add pref 30400 {rule} && {}", table(node)?))
            .fix(&node.name, format!("ip rule del pref 30400 {rule}"));
        Some(case)
    })
}

fn rule_for_pods(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let rule = format!("from {} lookup 30400", node.pod_cidr?);
        let case =
            Case::on(&node.name, network.pod_of_to_others(node)?, Object::PolicyRule { text: rule.clone() })
                .cause(format!("a table without the other pods decides for what pods of {} send", node.name))
                .breaks(&node.name, format!("ip rule add pref 30400 {rule} && {}", table(node)?))
                .fix(&node.name, format!("ip rule del pref 30400 {rule}"));
        Some(case)
    })
}

fn host_network(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let to = network.nodes.iter().find(|to| to.name != node.name)?;
        let part = Ipv4Net::new(to.pod_cidr?.network(), 25).ok()?;
        let own = Ipv4Addr::from(u32::from(part.network()) + 126);
        let case = Case::on(&node.name, network.between(node, to)?, object(part))
            .cause(format!("the bridge virbr1 of {} has {part}, which are pods of {}", node.name, to.name))
            .breaks(
                &node.name,
                format!("ip link add virbr1 type bridge && ip addr add {own}/25 dev virbr1 && ip link set virbr1 up"),
            )
            .fix(&node.name, "ip link del virbr1");
        Some(case)
    })
}

fn pod_default(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let pod = network.pods_on(&node.name).next()?;
        // Other pods have a route of their own there.
        let probe = network.to_internet(pod.at())?;
        let case = Case::on(&pod.spot(), probe, object("default"))
            .cause(format!("{} has no default route", pod.place()))
            .breaks(&pod.place(), "ip route del default")
            .fix(&pod.place(), format!("ip route add default via {} dev eth0", node.bridge_ip()?));
        Some(Case { site: pod.place(), ..case })
    })
}

fn router_route(network: &Network) -> Vec<Case> {
    let mut cases = Vec::new();
    for router in network.others.iter().filter(|router| router.forwards) {
        for (dev, net) in &router.addresses {
            let near = network.nodes.iter().find(|node| node.subnet == net.trunc());
            let far = network.nodes.iter().find(|node| {
                router
                    .addresses
                    .iter()
                    .any(|(_, other)| node.subnet == other.trunc() && other.trunc() != net.trunc())
            });
            let Some((near, far)) = near.zip(far) else { continue };
            let Some(probe) = network.between(far, near) else { continue };
            let case = Case::on(&router.name, probe, object(net.trunc()))
                .cause(format!("{} has no route to {}", router.name, net.trunc()))
                .breaks(&router.name, format!("ip route del {} dev {dev}", net.trunc()))
                .fix(
                    &router.name,
                    format!(
                        "ip route add {} dev {dev} proto kernel scope link src {}",
                        net.trunc(),
                        net.addr()
                    ),
                );
            cases.push(case);
        }
    }
    cases
}
