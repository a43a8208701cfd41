//! Requests about links and forwarding entries as the command that a person would type.

use std::fmt::{self, Display, Formatter};

use packet::VlanProto;

use crate::request::{
    BridgeOption, FdbSpec, FdbState, LinkAdd, LinkChange, LinkKind, NetnsRef, PortOption, TunnelConfig,
    TunnelRequest, VethPeer, VxlanConfig,
};

fn on(value: bool) -> &'static str {
    if value { "on" } else { "off" }
}

/// ` word value` if there is one.
fn word<T: Display>(f: &mut Formatter<'_>, name: &str, value: Option<&T>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, " {name} {value}"))
}

impl Display for NetnsRef {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Pid(pid) => write!(f, "{pid}"),
            // Known to the program that asks, not to a person.
            Self::Id(id) => write!(f, "#{id}"),
        }
    }
}

/// `ip link add …` after `add`.
impl Display for LinkAdd {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { name, netns, address, mtu, txqueuelen, index, changes, kind } = self;
        if let LinkKind::Vlan { link, .. } = kind {
            word(f, "link", Some(link).filter(|link| !link.is_empty()))?;
        }
        word(f, "name", name.as_ref())?;
        word(f, "netns", netns.as_ref())?;
        word(f, "index", index.as_ref())?;
        common(f, address.as_ref(), mtu.as_ref(), txqueuelen.as_ref(), changes)?;
        write!(f, " type {kind}")
    }
}

fn common(
    f: &mut Formatter<'_>,
    address: Option<&packet::MacAddr>,
    mtu: Option<&u32>,
    txqueuelen: Option<&u32>,
    changes: &[LinkChange],
) -> fmt::Result {
    word(f, "address", address)?;
    word(f, "mtu", mtu)?;
    word(f, "txqueuelen", txqueuelen)?;
    changes.iter().try_for_each(|change| write!(f, " {change}"))
}

impl Display for VethPeer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { name, netns, address, mtu, index, txqueuelen, changes } = self;
        f.write_str("peer")?;
        word(f, "name", name.as_ref())?;
        word(f, "netns", netns.as_ref())?;
        word(f, "index", index.as_ref())?;
        common(f, address.as_ref(), mtu.as_ref(), txqueuelen.as_ref(), changes)
    }
}

/// The kind and its parameters, after `type`.
impl Display for LinkKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Veth { peer } if **peer == VethPeer::default() => f.write_str("veth"),
            Self::Veth { peer } => write!(f, "veth {peer}"),
            Self::Bridge(options) => {
                f.write_str("bridge")?;
                options.iter().try_for_each(|option| write!(f, " {option}"))
            }
            Self::Vxlan(config) => write!(f, "vxlan {config}"),
            Self::Dummy => f.write_str("dummy"),
            Self::Vlan { link: _, proto, id } => {
                f.write_str("vlan")?;
                let own = (*proto != VlanProto::default()).then(|| proto.name());
                word(f, "protocol", own.as_ref())?;
                word(f, "id", id.as_ref())
            }
            Self::Ipip(config) => write!(f, "ipip{config}"),
            Self::Tun { tap, persist: _ } => write!(f, "tun mode {}", if *tap { "tap" } else { "tun" }),
            Self::Nic => f.write_str("nic"),
            Self::Unknown(kind) => f.write_str(kind),
        }
    }
}

/// One change, after `ip link set dev DEV`.
impl Display for LinkChange {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Up(up) => f.write_str(if *up { "up" } else { "down" }),
            Self::Name(name) => write!(f, "name {name}"),
            Self::Mtu(mtu) => write!(f, "mtu {mtu}"),
            Self::Address(mac) => write!(f, "address {mac}"),
            Self::Broadcast(mac) => write!(f, "broadcast {mac}"),
            Self::TxQueueLen(len) => write!(f, "txqueuelen {len}"),
            Self::Alias(alias) if alias.is_empty() || alias.contains(char::is_whitespace) => {
                write!(f, "alias \"{alias}\"")
            }
            Self::Alias(alias) => write!(f, "alias {alias}"),
            Self::Group(group) => write!(f, "group {group}"),
            Self::Master(Some(master)) => write!(f, "master {master}"),
            Self::Master(None) => f.write_str("nomaster"),
            Self::Netns(netns) => write!(f, "netns {netns}"),
            Self::Promisc(value) => write!(f, "promisc {}", on(*value)),
            Self::Allmulticast(value) => write!(f, "allmulticast {}", on(*value)),
            Self::Arp(value) => write!(f, "arp {}", on(*value)),
            Self::Multicast(value) => write!(f, "multicast {}", on(*value)),
            Self::Dynamic(value) => write!(f, "dynamic {}", on(*value)),
            Self::Carrier(value) => write!(f, "carrier {}", on(*value)),
            Self::Bridge(option) => write!(f, "type bridge {option}"),
            Self::Port(option) => write!(f, "type bridge_slave {option}"),
            Self::Vxlan(config) => write!(f, "type vxlan {config}"),
            Self::Ipip(config) => write!(f, "type ipip{config}"),
            Self::AltnameAdd(name) | Self::AltnameDel(name) => write!(f, "altname {name}"),
        }
    }
}

/// `ip link set …` or, for alternative names, `ip link property …`: a line for each command that
/// it takes, as `type` ends a command.
pub(crate) fn link_set(f: &mut Formatter<'_>, dev: &str, changes: &[LinkChange]) -> fmt::Result {
    let mut lines: Vec<String> = Vec::new();
    let mut set = String::new();
    let mut typed: Option<(&str, String)> = None;
    for change in changes {
        let (kind, option) = match change {
            LinkChange::AltnameAdd(name) => {
                lines.push(format!("ip link property add dev {dev} altname {name}"));
                continue;
            }
            LinkChange::AltnameDel(name) => {
                lines.push(format!("ip link property del dev {dev} altname {name}"));
                continue;
            }
            LinkChange::Bridge(option) => ("bridge", option.to_string()),
            LinkChange::Port(option) => ("bridge_slave", option.to_string()),
            LinkChange::Vxlan(config) => ("vxlan", config.to_string()),
            other => {
                set.push_str(&format!(" {other}"));
                continue;
            }
        };
        match &mut typed {
            Some((before, options)) if *before == kind => options.push_str(&format!(" {option}")),
            _ => {
                if let Some((kind, options)) = typed.replace((kind, option)) {
                    lines.push(format!("ip link set dev {dev} type {kind} {options}"));
                }
            }
        }
    }
    let typed = typed.map_or(String::new(), |(kind, options)| format!(" type {kind} {options}"));
    if !set.is_empty() || !typed.is_empty() || lines.is_empty() {
        lines.push(format!("ip link set dev {dev}{set}{typed}"));
    }
    f.write_str(&lines.join("\n"))
}

impl Display for BridgeOption {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::AgeingTime(value) => write!(f, "ageing_time {value}"),
            Self::ForwardDelay(value) => write!(f, "forward_delay {value}"),
            Self::HelloTime(value) => write!(f, "hello_time {value}"),
            Self::MaxAge(value) => write!(f, "max_age {value}"),
            Self::StpState(value) => write!(f, "stp_state {value}"),
            Self::Priority(value) => write!(f, "priority {value}"),
            Self::VlanFiltering(value) => write!(f, "vlan_filtering {value}"),
            Self::McastSnooping(value) => write!(f, "mcast_snooping {value}"),
            Self::McastQuerier(value) => write!(f, "mcast_querier {value}"),
            Self::NfCallIptables(value) => write!(f, "nf_call_iptables {value}"),
            Self::NfCallIp6tables(value) => write!(f, "nf_call_ip6tables {value}"),
            Self::NfCallArptables(value) => write!(f, "nf_call_arptables {value}"),
            Self::FdbFlush => f.write_str("fdb_flush"),
        }
    }
}

impl Display for PortOption {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hairpin(value) => write!(f, "hairpin {}", on(*value)),
            Self::Isolated(value) => write!(f, "isolated {}", on(*value)),
            Self::Learning(value) => write!(f, "learning {}", on(*value)),
            Self::Flood(value) => write!(f, "flood {}", on(*value)),
            Self::McastFlood(value) => write!(f, "mcast_flood {}", on(*value)),
            Self::BcastFlood(value) => write!(f, "bcast_flood {}", on(*value)),
            Self::Guard(value) => write!(f, "guard {}", on(*value)),
            Self::RootBlock(value) => write!(f, "root_block {}", on(*value)),
            Self::FastLeave(value) => write!(f, "fastleave {}", on(*value)),
            Self::McastRouter(value) => write!(f, "mcast_router {value}"),
            Self::ProxyArp(value) => write!(f, "proxy_arp {}", on(*value)),
            Self::NeighSuppress(value) => write!(f, "neigh_suppress {}", on(*value)),
            Self::State(value) => write!(f, "state {value}"),
            Self::Cost(value) => write!(f, "cost {value}"),
            Self::Priority(value) => write!(f, "priority {value}"),
            Self::FdbFlush => f.write_str("fdb_flush"),
        }
    }
}

/// The parameters after `type vxlan`; those at their defaults are left out.
impl Display for VxlanConfig {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { vni, remote, local, link, dstport, learning, ttl, tos, srcport, ageing, .. } = self;
        write!(f, "id {}", vni.get())?;
        let group = if remote.is_some_and(|remote| remote.is_multicast()) { "group" } else { "remote" };
        word(f, group, remote.as_ref())?;
        word(f, "local", local.as_ref())?;
        word(f, "dev", link.as_ref())?;
        if let Some((min, max)) = srcport {
            write!(f, " srcport {min} {max}")?;
        }
        word(f, "dstport", dstport.as_ref())?;
        word(f, "ttl", Some(ttl).filter(|ttl| **ttl != 0))?;
        match tos {
            0 => {}
            1 => f.write_str(" tos inherit")?,
            tos => write!(f, " tos {tos:#x}")?,
        }
        if !learning {
            f.write_str(" nolearning")?;
        }
        word(f, "ageing", Some(ageing).filter(|ageing| **ageing != 300))?;
        word(f, "maxaddress", self.maxaddress.as_ref())?;
        for (set, name) in [(self.proxy, "proxy"), (self.l2miss, "l2miss"), (self.l3miss, "l3miss")] {
            if set {
                write!(f, " {name}")?;
            }
        }
        f.write_str(if self.udpcsum { "" } else { " noudpcsum" })
    }
}

/// The parameters after `type ipip`, each with a space before it.
impl Display for TunnelConfig {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { remote, local, link, ttl, tos, nopmtudisc, ipv4_only } = self;
        word(f, "remote", remote.as_ref())?;
        word(f, "local", local.as_ref())?;
        word(f, "dev", link.as_ref())?;
        word(f, "ttl", Some(ttl).filter(|ttl| **ttl != 0))?;
        match tos {
            0 => {}
            1 => f.write_str(" tos inherit")?,
            tos => write!(f, " tos {tos:#x}")?,
        }
        f.write_str(if *nopmtudisc { " nopmtudisc" } else { "" })?;
        f.write_str(if *ipv4_only { " mode ipip" } else { "" })
    }
}

/// `ip tunnel …`.
impl Display for TunnelRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (verb, name, config) = match self {
            Self::Add { name, config } => ("add", name, config),
            Self::Change { name, config } => ("change", name, config),
            Self::Del { name, config } => ("del", name, config),
        };
        write!(f, "ip tunnel {verb}")?;
        word(f, "name", name.as_ref())?;
        config.fmt(f)
    }
}

/// `bridge fdb …` after the verb.
impl Display for FdbSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { mac, dev, to_self, to_master, state, dst, port, vni, via, vlan, extern_learn } = self;
        write!(f, "{mac} dev {dev}")?;
        word(f, "dst", dst.as_ref())?;
        word(f, "port", port.as_ref())?;
        word(f, "vni", vni.map(|vni| vni.get()).as_ref())?;
        word(f, "via", via.as_ref())?;
        word(f, "vlan", vlan.as_ref())?;
        let words = [
            (*to_self, "self"),
            (*to_master, "master"),
            (*state == FdbState::Permanent, "permanent"),
            (*state == FdbState::Static, "static"),
            (*state == FdbState::Dynamic, "dynamic"),
            (*extern_learn, "extern_learn"),
        ];
        words.iter().filter(|(set, _)| *set).try_for_each(|(_, name)| write!(f, " {name}"))
    }
}
