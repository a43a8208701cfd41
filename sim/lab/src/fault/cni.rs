//! Pods that were joined to the wrong network, or to none.

use super::network::{Network, Node, Pod};
use super::probe::{Probe, To, Way};
use super::{Case, Fault};
use crate::culprit::Object;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "cni-wrong-conflist",
        cause: "another configuration stands before the pod network's own: new pods get foreign addresses",
        about: &["INC-029"],
        cases: wrong_conflist,
    },
    Fault {
        name: "cni-pods-of-old-network",
        cause: "a pod is older than the pod network: it has the address of a former one",
        about: &["issue 8"],
        cases: old_pods,
    },
    Fault {
        name: "cni-no-portmap",
        cause: "the configuration has no portmap: a new pod's host port leads nowhere",
        about: &["INC-033"],
        cases: no_portmap,
    },
    Fault {
        name: "cni-addresses-exhausted",
        cause: "leaked reservations hold all addresses of a node: new pods get none",
        about: &["I11", "INC-031"],
        cases: exhausted,
    },
    Fault {
        name: "cni-binary-missing",
        cause: "a node lacks the plugin that the configuration names: new pods don't start",
        about: &["INC-033"],
        cases: no_binary,
    },
    Fault {
        name: "cni-bridge-old-address",
        cause: "a node's bridge has an address of a former range: its pods have no gateway",
        about: &["issue 8"],
        cases: bridge_address,
    },
    Fault {
        name: "cni-bridge-down",
        cause: "the bridge of a node's pods is down",
        about: &["issue 8"],
        cases: bridge_down,
    },
    Fault {
        name: "cni-veth-down",
        cause: "the node's end of a pod's veth is down",
        about: &["INC-048"],
        cases: veth_down,
    },
    Fault {
        name: "cni-veth-detached",
        cause: "a network daemon took the node's end of a pod's veth out of its bridge",
        about: &["INC-048"],
        cases: veth_detached,
    },
    Fault {
        name: "cni-port-isolated",
        cause: "ports of a node's bridge are isolated from each other",
        about: &["issue 8"],
        cases: isolated,
    },
    Fault {
        name: "cni-hairpin-off",
        cause: "a pod's bridge port doesn't send back: it doesn't reach itself by its Service",
        about: &["issue 8"],
        cases: hairpin,
    },
];

/// The configuration of flannel's manifest.
const CONFLIST: &str = "/etc/cni/net.d/10-flannel.conflist";

/// Where the kubelet's runtime has looked for a new configuration.
const NOTICED: &str = "sleep 6";

fn file(path: &str) -> Object {
    Object::File { path: path.to_owned() }
}

/// Makes a pod anew.
fn renew(pod: &Pod) -> String {
    format!(
        "kubectl -n {} delete pod -l app={} --field-selector spec.nodeName={}",
        pod.namespace,
        app(pod),
        pod.node
    )
}

fn app(pod: &Pod) -> &str {
    pod.labels.iter().find(|(key, _)| key == "app").map_or("", |(_, value)| value)
}

/// A case for each node with a DaemonSet's pod that serves: whatever happens to that, a new one takes
/// its place there.
fn each_daemon(network: &Network, make: impl Fn(&Node, &Pod, Probe) -> Option<Case>) -> Vec<Case> {
    if network.admin().is_empty() || !network.flannel {
        return Vec::new();
    }
    network.each_node(|node| {
        let mut own =
            network.pods_on(&node.name).filter(|pod| pod.owner == "DaemonSet" && !app(pod).is_empty());
        let pod = own.find(|pod| pod.tcp().is_some())?;
        make(node, pod, network.to_pod(pod)?)
    })
}

/// containerd's sample, as its packages install it.
fn sample() -> String {
    let list = serde_json::json!({
        "cniVersion": "1.0.0",
        "name": "containerd-net",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni1",
                "isGateway": true,
                "ipMasq": true,
                "promiscMode": true,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": "10.88.0.0/16"}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": true}},
        ],
    });
    list.to_string()
}

const SAMPLE: &str = "/etc/cni/net.d/10-containerd-net.conflist";

fn wrong_conflist(network: &Network) -> Vec<Case> {
    let admin = network.admin();
    each_daemon(network, |node, pod, probe| {
        let case = Case::on(&node.name, probe, file(SAMPLE))
            .cause(format!("new pods of {} are made by {SAMPLE}, not by {CONFLIST}", node.name))
            .breaks(&node.name, format!("echo '{}' > {SAMPLE} && {NOTICED}", sample()))
            .breaks(admin, renew(pod))
            .fix(&node.name, format!("rm {SAMPLE} && {NOTICED}"))
            .fix(admin, renew(pod));
        Some(case)
    })
}

fn old_pods(network: &Network) -> Vec<Case> {
    let admin = network.admin();
    each_daemon(network, |node, pod, probe| {
        let object = Object::ApiObject {
            kind: "Pod".to_owned(),
            namespace: pod.namespace.clone(),
            name: String::new(),
            field: String::new(),
        };
        let case = Case::on(&node.name, probe, object)
            .cause(format!(
                "the pod {} on {} has an address of a network that was there before",
                app(pod),
                node.name
            ))
            .breaks(&node.name, format!("echo '{}' > {SAMPLE} && {NOTICED}", sample()))
            .breaks(admin, renew(pod))
            .breaks(&node.name, format!("sleep 3 && rm {SAMPLE} && {NOTICED}"))
            .fix(admin, renew(pod));
        Some(case)
    })
}

fn no_portmap(network: &Network) -> Vec<Case> {
    let admin = network.admin();
    each_daemon(network, |node, pod, _| {
        let (port, _) = *pod.host_ports.first()?;
        let client = network.client_of(node)?;
        let probe = Probe::once(client, To::Address(node.ip.into()), Way::Http(port));
        let case = Case::on(&node.name, probe, file(CONFLIST))
            .cause(format!("{CONFLIST} on {} has no portmap", node.name))
            .breaks(
                &node.name,
format!(
                    "cp {CONFLIST} /tmp/10-flannel.conflist && sed -e 's/true}}}},/true}}}}/' -e '/portmap/d' \
                     /tmp/10-flannel.conflist > {CONFLIST} && {NOTICED}"
                ),
            )
            .breaks(admin, renew(pod))
            // As after a boot: the former pod's rules are gone.
            .breaks(&node.name, "iptables -t nat -F CNI-HOSTPORT-DNAT")
            .fix(&node.name, format!("cp /tmp/10-flannel.conflist {CONFLIST} && {NOTICED}"))
            .fix(admin, renew(pod));
        Some(case)
    })
}

fn exhausted(network: &Network) -> Vec<Case> {
    let admin = network.admin();
    each_daemon(network, |node, pod, probe| {
        const STORE: &str = "/var/lib/cni/networks/cbr0";
        let cidr = node.pod_cidr.filter(|cidr| cidr.prefix_len() == 24)?.network().octets();
        let base = format!("{}.{}.{}", cidr[0], cidr[1], cidr[2]);
        let case = Case::on(&node.name, probe, file(STORE))
            .cause(format!("all addresses of {} are reserved for sandboxes that are gone", node.name))
            .breaks(&node.name, format!("for i in $(seq 2 254); do echo 5f3a > {STORE}/{base}.$i; done"))
            .breaks(admin, renew(pod))
            .fix(&node.name, format!("for f in {STORE}/{base}.*; do grep -q 5f3a $f && rm $f; done; true"))
            .fix(admin, renew(pod));
        Some(case)
    })
}

fn no_binary(network: &Network) -> Vec<Case> {
    let admin = network.admin();
    each_daemon(network, |node, pod, probe| {
        const BINARY: &str = "/opt/cni/bin/bridge";
        let case = Case::on(&node.name, probe, file(BINARY))
            .cause(format!("{} has no {BINARY}", node.name))
            .breaks(&node.name, format!("mv {BINARY} /tmp/bridge"))
            // It isn't taken down either.
            .breaks(admin, format!("{} --wait=false", renew(pod)))
            .fix(&node.name, format!("mv /tmp/bridge {BINARY}"));
        Some(case)
    })
}

fn bridge_address(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let (bridge, own, cidr) = (node.bridge.as_deref()?, node.bridge_ip()?, node.pod_cidr?);
        let len = cidr.prefix_len();
        let old = format!("10.99.0.1/{len}");
        let object = Object::Address { address: format!("{own}/{len}") };
        let case = Case::on(&node.name, network.to_pod_of(node)?, object)
            .cause(format!("{bridge} of {} has {old} instead of {own}/{len}", node.name))
            .breaks(
                &node.name,
                format!("ip addr del {own}/{len} dev {bridge} && ip addr add {old} dev {bridge}"),
            )
            .fix(
                &node.name,
                format!("ip addr del {old} dev {bridge} && ip addr add {own}/{len} dev {bridge}"),
            );
        Some(case)
    })
}

fn bridge_down(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let bridge = node.bridge.as_deref()?;
        let object = Object::Device { dev: bridge.to_owned() };
        let case = Case::on(&node.name, network.to_pod_of(node)?, object)
            .cause(format!("{bridge} of {} is down", node.name))
            .breaks(&node.name, format!("ip link set {bridge} down"))
            .fix(&node.name, format!("ip link set {bridge} up"));
        Some(case)
    })
}

/// A case that changes the node's end of a pod's veth.
fn veth(network: &Network, make: impl Fn(&str, &str, &str) -> (Object, String, String, String)) -> Vec<Case> {
    network.each_node(|node| {
        let (pod, bridge) = (network.server_on(&node.name)?, node.bridge.as_deref()?);
        let (object, cause, breaks, fix) = make(&pod.veth, bridge, &pod.place());
        let case = Case::on(&node.name, network.to_pod(pod)?, object);
        Some(case.cause(cause).breaks(&node.name, breaks).fix(&node.name, fix))
    })
}

fn device(dev: &str) -> Object {
    Object::Device { dev: dev.to_owned() }
}

fn veth_down(network: &Network) -> Vec<Case> {
    veth(network, |veth, _, pod| {
        (
            device(veth),
            format!("{veth}, by which {pod} is reached, is down"),
            format!("ip link set {veth} down"),
            format!("ip link set {veth} up"),
        )
    })
}

fn veth_detached(network: &Network) -> Vec<Case> {
    veth(network, |veth, bridge, pod| {
        (
            device(veth),
            format!("{veth}, by which {pod} is reached, is no port of {bridge}"),
            format!("ip link set {veth} nomaster"),
            format!("ip link set {veth} master {bridge}"),
        )
    })
}

fn isolated(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let to = network.server_on(&node.name)?;
        let from = network.pods_on(&node.name).find(|from| from.ip != to.ip)?;
        let object = Object::BridgePort { dev: to.veth.clone(), setting: "isolated".to_owned() };
        let set = |value: &str| {
            format!(
                "bridge link set dev {} isolated {value} && bridge link set dev {} isolated {value}",
                from.veth, to.veth
            )
        };
        let case = Case::on(&node.name, network.pair(from, to, Way::Http(to.tcp()?)), object)
            .cause(format!("the ports of {} and {} are isolated from each other", from.place(), to.place()))
            .breaks(&node.name, set("on"))
            .fix(&node.name, set("off"));
        Some(case)
    })
}

fn hairpin(network: &Network) -> Vec<Case> {
    let Some((service, pod)) = network.single() else { return Vec::new() };
    let object = Object::BridgePort { dev: pod.veth.clone(), setting: "hairpin".to_owned() };
    let set = |value: &str| format!("bridge link set dev {} hairpin {value}", pod.veth);
    let to = To::Service(service.namespace.clone(), service.name.clone());
    let probe = Probe::once(pod.at(), to, Way::Http(service.port));
    let case = Case::on(&pod.node, probe, object)
        .cause(format!("the port of {} doesn't send back what came from it", pod.place()))
        .breaks(&pod.node, set("off"))
        .fix(&pod.node, set("on"));
    vec![case]
}
