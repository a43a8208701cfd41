use std::fmt;

use serde::{Deserialize, Serialize};

/// What is to blame for a broken network: one object and where it is.
///
/// An object that is wrong, and one that should be there and is not, are named alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Culprit {
    /// `host`, `host/namespace`, [`Culprit::CLUSTER`] or [`Culprit::FABRIC`].
    pub at: String,
    /// What it is.
    pub object: Object,
}

/// A thing that can be wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Object {
    /// A kernel setting.
    Sysctl {
        /// With dots, e.g. `net.ipv4.ip_forward`.
        name: String,
    },
    /// A rule of iptables or nftables.
    Rule {
        /// Table; those of the older engine begin with `legacy `.
        table: String,
        /// Chain.
        chain: String,
        /// The rule as `iptables -S` prints it, without `-A CHAIN`; empty for all rules of the
        /// chain, e.g. one that was flushed.
        text: String,
    },
    /// The policy of a built-in chain.
    Policy {
        /// Table.
        table: String,
        /// Chain.
        chain: String,
    },
    /// A route.
    Route {
        /// Its destination as `ip route` prints it, `default` or `10.244.1.0/24`.
        prefix: String,
    },
    /// A rule of `ip rule`.
    PolicyRule {
        /// As `ip rule` prints it, without the priority.
        text: String,
    },
    /// An entry of the neighbor table.
    Neighbor {
        /// The address.
        address: String,
    },
    /// A forwarding entry of a bridge or VXLAN device.
    FdbEntry {
        /// The device.
        dev: String,
        /// The MAC address; empty for all of the device.
        mac: String,
    },
    /// The MTU of a device.
    Mtu {
        /// The device.
        dev: String,
    },
    /// A device that is down, missing or attached to the wrong thing.
    Device {
        /// Its name.
        dev: String,
    },
    /// The MAC address of a device.
    Mac {
        /// The device.
        dev: String,
    },
    /// An address of a device.
    Address {
        /// The address, with or without prefix length.
        address: String,
    },
    /// A setting of a bridge's port.
    BridgePort {
        /// The port.
        dev: String,
        /// The setting as `bridge link set` names it, e.g. `hairpin`.
        setting: String,
    },
    /// An entry of the connection table.
    ConntrackEntry {
        /// `tcp`, `udp` or another protocol.
        proto: String,
        /// The destination that its first packet was sent to, `address:port`.
        to: String,
    },
    /// The connection table as a whole: it is full.
    ConntrackTable,
    /// The neighbor table as a whole: it is full.
    NeighborTable,
    /// A process that doesn't run, or one that shouldn't.
    Process {
        /// Its name as `ps` shows it or `systemctl` knows it, e.g. `kube-proxy`.
        name: String,
    },
    /// An option of a component, in its unit file, manifest or configuration.
    Flag {
        /// The component, e.g. `flanneld`, `kubelet`, `kube-proxy`.
        component: String,
        /// The option, e.g. `--iface`.
        flag: String,
    },
    /// A file.
    File {
        /// Its path.
        path: String,
    },
    /// A field of an object of the cluster.
    ApiObject {
        /// e.g. `Service`.
        kind: String,
        /// Namespace; empty for objects that have none.
        namespace: String,
        /// Name.
        name: String,
        /// The field, e.g. `spec.selector`; empty for the whole object.
        field: String,
    },
    /// The network between hosts: switches, routers that nobody can log in to, a cloud.
    Fabric {
        /// What it doesn't carry, e.g. `udp port 8472`.
        what: String,
    },
}

impl Culprit {
    /// What belongs to no host but to the cluster's API.
    pub const CLUSTER: &'static str = "cluster";
    /// The network between hosts.
    pub const FABRIC: &'static str = "fabric";

    /// A culprit on a host.
    pub fn on(host: impl Into<String>, object: Object) -> Self {
        Self { at: host.into(), object }
    }

    /// A culprit in the cluster's API.
    pub fn in_cluster(object: Object) -> Self {
        Self::on(Self::CLUSTER, object)
    }

    /// A culprit between hosts.
    pub fn in_fabric(what: impl Into<String>) -> Self {
        Self::on(Self::FABRIC, Object::Fabric { what: what.into() })
    }

    /// Whether both name the same object, however exactly each does it.
    pub fn names_same(&self, other: &Self) -> bool {
        self.at == other.at && self.object.names_same(&other.object)
    }
}

impl Object {
    /// Whether both are the same object: an empty part of one fits every part of the other, and
    /// spellings don't count.
    pub fn names_same(&self, other: &Self) -> bool {
        use Object as O;
        match (self, other) {
            (O::Sysctl { name: a }, O::Sysctl { name: b }) => same_sysctl(a, b),
            (O::Rule { table: at, chain: ac, text: a }, O::Rule { table: bt, chain: bc, text: b }) => {
                at == bt && ac == bc && (a.is_empty() || b.is_empty() || words(a).eq(words(b)))
            }
            (O::Route { prefix: a }, O::Route { prefix: b }) => bare_prefix(a) == bare_prefix(b),
            (O::PolicyRule { text: a }, O::PolicyRule { text: b }) => words(a).eq(words(b)),
            (O::Address { address: a }, O::Address { address: b }) => address_only(a) == address_only(b),
            (O::FdbEntry { dev: ad, mac: a }, O::FdbEntry { dev: bd, mac: b }) => ad == bd && fits(a, b),
            (
                O::ApiObject { kind: ak, namespace: an, name: a, field: af },
                O::ApiObject { kind: bk, namespace: bn, name: b, field: bf },
            ) => ak == bk && an == bn && a == b && (fits(af, bf) || inside(af, bf) || inside(bf, af)),
            (O::Fabric { .. }, O::Fabric { .. }) => true,
            (a, b) => a == b,
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
}

fn fits(a: &str, b: &str) -> bool {
    a.is_empty() || b.is_empty() || a == b
}

/// Whether the field `inner` lies inside `outer`: `spec.ports[0].targetPort` inside `spec.ports`.
fn inside(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with(['.', '[']))
}

/// A setting of one device and the same one of all devices decide together.
fn same_sysctl(a: &str, b: &str) -> bool {
    let parts = |name: &str| name.replace('/', ".").split('.').map(str::to_owned).collect::<Vec<_>>();
    let (a, b) = (parts(a), parts(b));
    let of_device = |name: &[String]| name.len() == 5 && name[2] == "conf";
    if of_device(&a) && of_device(&b) {
        return a[..3] == b[..3] && a[4] == b[4] && (a[3] == b[3] || a[3] == "all" || b[3] == "all");
    }
    a == b
}

fn bare_prefix(prefix: &str) -> &str {
    match prefix {
        "0.0.0.0/0" => "default",
        host => host.strip_suffix("/32").unwrap_or(host),
    }
}

fn address_only(address: &str) -> &str {
    address.split_once('/').map_or(address, |(address, _)| address)
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sysctl { name } => write!(f, "sysctl {name}"),
            Self::Rule { table, chain, text } if text.is_empty() => {
                write!(f, "the rules of {table} {chain}")
            }
            Self::Rule { table, chain, text } => write!(f, "the rule `-A {chain} {text}` of {table}"),
            Self::Policy { table, chain } => write!(f, "the policy of {table} {chain}"),
            Self::Route { prefix } => write!(f, "the route to {prefix}"),
            Self::PolicyRule { text } => write!(f, "the policy rule `{text}`"),
            Self::Neighbor { address } => write!(f, "the neighbor entry of {address}"),
            Self::FdbEntry { dev, mac } if mac.is_empty() => write!(f, "the forwarding entries of {dev}"),
            Self::FdbEntry { dev, mac } => write!(f, "the forwarding entry {mac} of {dev}"),
            Self::Mtu { dev } => write!(f, "the MTU of {dev}"),
            Self::Device { dev } => write!(f, "the device {dev}"),
            Self::Mac { dev } => write!(f, "the MAC address of {dev}"),
            Self::Address { address } => write!(f, "the address {address}"),
            Self::BridgePort { dev, setting } => write!(f, "{setting} of the bridge port {dev}"),
            Self::ConntrackEntry { proto, to } => write!(f, "the connection entry of {proto} to {to}"),
            Self::ConntrackTable => f.write_str("the connection table"),
            Self::NeighborTable => f.write_str("the neighbor table"),
            Self::Process { name } => write!(f, "the process {name}"),
            Self::Flag { component, flag } => write!(f, "the option {flag} of {component}"),
            Self::File { path } => write!(f, "the file {path}"),
            Self::ApiObject { kind, namespace, name, field } => {
                if !field.is_empty() {
                    write!(f, "{field} of ")?;
                }
                write!(f, "the {kind} ")?;
                if !namespace.is_empty() {
                    write!(f, "{namespace}/")?;
                }
                f.write_str(name)
            }
            Self::Fabric { what } => write!(f, "the network between hosts: {what}"),
        }
    }
}

impl fmt::Display for Culprit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.object {
            Object::Fabric { .. } => self.object.fmt(f),
            _ => write!(f, "{}: {}", self.at, self.object),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sysctl(name: &str) -> Object {
        Object::Sysctl { name: name.to_owned() }
    }

    fn rule(text: &str) -> Object {
        Object::Rule { table: "filter".to_owned(), chain: "FORWARD".to_owned(), text: text.to_owned() }
    }

    fn field(field: &str) -> Object {
        Object::ApiObject {
            kind: "Service".to_owned(),
            namespace: "default".to_owned(),
            name: "web".to_owned(),
            field: field.to_owned(),
        }
    }

    #[test]
    fn the_same_object_in_other_words() {
        let route = |prefix: &str| Object::Route { prefix: prefix.to_owned() };
        let cases = [
            (sysctl("net.ipv4.ip_forward"), sysctl("net/ipv4/ip_forward"), true),
            (sysctl("net.ipv4.conf.all.rp_filter"), sysctl("net.ipv4.conf.eth0.rp_filter"), true),
            (sysctl("net.ipv4.conf.eth1.rp_filter"), sysctl("net.ipv4.conf.eth0.rp_filter"), false),
            (rule("-p tcp  -j DROP"), rule("-p tcp -j DROP"), true),
            (rule(""), rule("-p tcp -j DROP"), true),
            (rule("-p udp -j DROP"), rule("-p tcp -j DROP"), false),
            (route("0.0.0.0/0"), route("default"), true),
            (route("10.0.0.1/32"), route("10.0.0.1"), true),
            (field("spec.ports"), field("spec.ports[0].targetPort"), true),
            (field("spec.ports"), field("spec.selector"), false),
            (field(""), field("spec.selector"), true),
        ];
        for (a, b, same) in cases {
            assert_eq!(a.names_same(&b), same, "{a} and {b}");
        }
    }

    #[test]
    fn the_words_of_a_person_and_of_a_machine() {
        let culprit = Culprit::on("node1", rule("-j DROP"));
        assert_eq!(culprit.to_string(), "node1: the rule `-A FORWARD -j DROP` of filter");
        let json =
            r#"{"at":"node1","object":{"type":"rule","table":"filter","chain":"FORWARD","text":"-j DROP"}}"#;
        assert_eq!(serde_json::to_string(&culprit).ok().as_deref(), Some(json));
        let service = Culprit::in_cluster(field("spec.selector"));
        assert_eq!(service.to_string(), "cluster: spec.selector of the Service default/web");
    }
}
