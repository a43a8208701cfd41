use std::fmt::{self, Display, Formatter};

use packet::NetnsId;
use trace::Observer;

use crate::link::link_set;
use crate::request::{LinkAdd, LinkKind, Reply, Request};
use crate::request_text::mode_word;
use crate::{Cx, Refusal};

impl<O: Observer> Cx<'_, O> {
    /// Carries out a change of configuration in `ns`, or refuses it and changes nothing.
    pub fn request(&mut self, ns: NetnsId, request: Request) -> Result<Reply, Refusal> {
        let done = |()| Reply::default();
        match request {
            Request::LinkAdd(add) => self.link_add(ns, add),
            Request::LinkSet { dev, changes } => self.link_set(ns, &dev, changes),
            Request::Tunnel(request) => self.ip_tunnel_ctl(ns, request),
            Request::LinkDel { dev } => self.link_del(ns, &dev),
            Request::AddrAdd(spec, mode) => self.addr_add(ns, &spec, mode).map(done),
            Request::AddrDel(spec) => self.addr_del(ns, &spec).map(done),
            Request::RouteAdd(spec, mode) => self.route_add(ns, &spec, mode).map(done),
            Request::RouteDel(spec) => self.route_del(ns, &spec).map(done),
            Request::RouteFlushCache => {
                self.route_flush_cache(ns);
                Ok(Reply::default())
            }
            Request::NexthopAdd(spec, mode) => self.nexthop_add(ns, &spec, mode).map(done),
            Request::NexthopDel { id } => self.nexthop_del(ns, id).map(done),
            Request::RuleAdd(spec) => self.rule_add(ns, &spec).map(done),
            Request::RuleDel(spec) => self.rule_del(ns, &spec).map(done),
            Request::NeighAdd(spec, mode) => self.neigh_add(ns, &spec, mode),
            Request::NeighDel(spec) => self.neigh_del(ns, &spec),
            Request::FdbAdd(spec, mode) => self.fdb_add(ns, spec, mode),
            Request::FdbDel(spec) => self.fdb_del(ns, spec),
            Request::FdbFlush { dev, port } => self.fdb_flush(ns, &dev, port.as_deref()),
            Request::NetnsAdd { name } => self.netns_add(ns, &name),
            Request::NetnsDel { name } => self.netns_del(ns, &name),
            Request::NetnsSetId { name, id } => self.netns_set_id(ns, &name, id),
            Request::Ruleset(change) => self.ruleset_change(ns, &change).map(done).map_err(Refusal::from),
            Request::RulesetRestore(restore) => Ok(self.ruleset_restore(ns, &restore)),
            Request::Recent { table, write } => {
                self.recent_write(ns, &table, write).map(done).map_err(Refusal::from)
            }
            Request::Conntrack(change) => self.conntrack_change(ns, &change).map(done).map_err(Refusal::from),
            Request::Set(change) => self.set_change(ns, &change).map(done).map_err(Refusal::from),
            Request::Sysctl { key, value } => {
                self.sysctl_set(ns, &key, &value).map(done).map_err(Refusal::from)
            }
        }
    }
}

/// The command that a person would type.
impl Display for Request {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddrAdd(spec, mode) => write!(f, "ip addr {} {spec}", mode_word(*mode)),
            Self::AddrDel(spec) => write!(f, "ip addr del {spec}"),
            Self::RouteAdd(spec, mode) => write!(f, "ip route {} {spec}", mode_word(*mode)),
            Self::RouteDel(spec) => write!(f, "ip route del {spec}"),
            Self::RouteFlushCache => f.write_str("ip route flush cache"),
            Self::NexthopAdd(spec, mode) => write!(f, "ip nexthop {}{spec}", mode_word(*mode)),
            Self::NexthopDel { id: Some(id) } => write!(f, "ip nexthop del id {id}"),
            Self::NexthopDel { id: None } => f.write_str("ip nexthop del"),
            Self::RuleAdd(spec) => write!(f, "ip rule add {spec}"),
            Self::RuleDel(spec) => write!(f, "ip rule del {spec}"),
            Self::NeighAdd(spec, mode) => write!(f, "ip neigh {} {spec}", mode_word(*mode)),
            Self::NeighDel(spec) => write!(f, "ip neigh del {spec}"),
            Self::NetnsAdd { name } => write!(f, "ip netns add {name}"),
            Self::NetnsDel { name } => write!(f, "ip netns del {name}"),
            Self::NetnsSetId { name, id: Some(id) } => write!(f, "ip netns set {name} {id}"),
            Self::NetnsSetId { name, id: None } => write!(f, "ip netns set {name} auto"),
            Self::Tunnel(request) => request.fmt(f),
            Self::LinkDel { dev } => write!(f, "ip link del {dev}"),
            Self::FdbFlush { dev, port: None } => write!(f, "bridge fdb flush dev {dev}"),
            Self::FdbFlush { dev, port: Some(port) } => write!(f, "bridge fdb flush dev {dev} brport {port}"),
            Self::Ruleset(change) => change.fmt(f),
            Self::RulesetRestore(restore) => restore.fmt(f),
            Self::Recent { table, write } => write!(f, "echo {write} >/proc/net/xt_recent/{table}"),
            Self::Conntrack(change) => change.fmt(f),
            Self::Set(change) => change.fmt(f),
            Self::Sysctl { key, value } if value.contains(char::is_whitespace) => {
                write!(f, "sysctl -w \"{key}={value}\"")
            }
            Self::Sysctl { key, value } => write!(f, "sysctl -w {key}={value}"),
            Self::LinkAdd(LinkAdd { name: Some(name), kind: LinkKind::Tun { tap, .. }, .. }) => {
                write!(f, "ip tuntap add dev {name} mode {}", if *tap { "tap" } else { "tun" })
            }
            Self::LinkAdd(add) => write!(f, "ip link add{add}"),
            Self::LinkSet { dev, changes } => link_set(f, dev, changes),
            Self::FdbAdd(spec, mode) => write!(f, "bridge fdb {} {spec}", mode_word(*mode)),
            Self::FdbDel(spec) => write!(f, "bridge fdb del {spec}"),
        }
    }
}
