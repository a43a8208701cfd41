//! Which routes a listing or flush is about. iproute2: `filter_nlmsg` in `ip/iproute.c`.

use ipnet::IpNet;
use kernel::dump::{NextHopInfo, RouteAnswer, RouteInfo};
use kernel::request::Request;
use kernel::{RouteKind, RouteProto, Scope, TableId};

use super::options::Options;
use super::route::usage;
use crate::console::Stop;
use crate::iproute::args::{
    Family, Prefix, Words, get_prefix, get_u32, invarg, matches, matches_any, nodev, not_simulated,
};
use crate::iproute::env::Env;
use crate::iproute::names::{read_dsfield, read_proto, read_route_kind, read_scope, read_table};

/// The words after `show` or `flush`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteFilter {
    /// `table`; `None` is all.
    pub table: Option<TableId>,
    /// `cache`: what was learned about destinations, not the routes.
    pub cache: bool,
    /// `tos`.
    pub tos: Option<u8>,
    /// `proto`.
    pub proto: Option<RouteProto>,
    /// `scope`.
    pub scope: Option<Scope>,
    /// `type`.
    pub kind: Option<RouteKind>,
    /// `dev`.
    pub oif: Option<String>,
    /// `iif`: no listed route has one.
    pub iif: bool,
    /// `metric`.
    pub metric: Option<u32>,
    /// `via`.
    pub via: Option<Prefix>,
    /// `src`.
    pub src: Option<Prefix>,
    /// `root`: the destination lies in this.
    pub root: Option<Prefix>,
    /// `match`: the destination contains this.
    pub matching: Option<Prefix>,
}

impl RouteFilter {
    /// Reads the words; without any, the main table.
    ///
    /// # Errors
    /// What iproute2 says about words it doesn't take.
    pub fn parse(words: &[&str], options: &Options, env: Env<'_>) -> Result<Self, Stop> {
        let mut f = Self { table: Some(TableId::MAIN), ..Self::default() };
        let family = options.family;
        let mut words = Words::new(words);
        let mut iif = None;
        while let Some(word) = words.next_word() {
            match word {
                _ if matches(word, "table") => {
                    let value = words.value()?;
                    match (read_table(value), value) {
                        (Some(table), _) => f.table = Some(table).filter(|table| table.0 != 0),
                        (None, "all") => f.table = None,
                        (None, "cache") => f.cache = true,
                        (None, "help") => return Err(usage()),
                        _ => return Err(invarg("table id value is invalid\n", value)),
                    }
                }
                _ if matches(word, "vrf") => return Err(not_simulated("ip", word)),
                _ if matches_any(word, &["cached", "cloned"]) => f.cache = true,
                _ if word == "tos" || matches(word, "dsfield") => {
                    let value = words.value()?;
                    f.tos = Some(read_dsfield(value).ok_or_else(|| invarg("TOS value is invalid\n", value))?);
                }
                _ if matches(word, "protocol") => {
                    let value = words.value()?;
                    f.proto = match read_proto(value) {
                        Some(proto) => Some(proto),
                        None if value == "all" => None,
                        None => return Err(invarg("invalid \"protocol\"\n", value)),
                    };
                }
                _ if matches(word, "scope") => {
                    let value = words.value()?;
                    f.scope = match read_scope(value) {
                        Some(scope) => Some(scope),
                        None if value == "all" => None,
                        None => return Err(invarg("invalid \"scope\"\n", value)),
                    };
                }
                _ if matches(word, "type") => {
                    let value = words.value()?;
                    let kind = read_route_kind(value);
                    let kind = kind.ok_or_else(|| invarg("node type value is invalid\n", value))?;
                    f.kind = Some(kind.map_err(|name| not_simulated("ip", name))?);
                }
                "dev" | "oif" => f.oif = Some(words.value()?.to_owned()),
                "iif" => iif = Some(words.value()?),
                "mark" | "realms" => return Err(not_simulated("ip", word)),
                _ if word == "preference" || matches_any(word, &["metric", "priority"]) => {
                    let value = words.value()?;
                    let metric =
                        get_u32(value).ok_or_else(|| invarg("\"metric\" value is invalid\n", value))?;
                    f.metric = Some(metric);
                }
                "via" => {
                    let mut value = words.value()?;
                    let mut wanted = family;
                    if let Some(named) = Family::read(value) {
                        wanted = named;
                        value = words.value()?;
                    }
                    f.via = Some(get_prefix(value, wanted)?);
                }
                "src" => f.src = Some(get_prefix(words.value()?, family)?),
                _ if matches(word, "realms") || matches(word, "from") => {
                    return Err(not_simulated("ip", word));
                }
                _ => {
                    let value = if matches(word, "to") { words.value()? } else { word };
                    if matches(value, "root") {
                        f.root = Some(get_prefix(words.value()?, family)?);
                    } else if matches(value, "match") {
                        f.matching = Some(get_prefix(words.value()?, family)?);
                    } else {
                        let value = if matches(value, "exact") { words.value()? } else { value };
                        f.matching = Some(get_prefix(value, family)?);
                        f.root = f.matching;
                    }
                }
            }
        }
        if let Some(dev) = iif {
            if !env.has_device(dev) {
                return Err(nodev(dev));
            }
            f.iif = true;
        }
        if let Some(dev) = &f.oif {
            if !env.has_device(dev) {
                return Err(nodev(dev));
            }
            f.oif = Some(env.own_name(dev));
        }
        Ok(f)
    }

    /// Whether the gateway is asked for exactly, and so not printed.
    pub fn via_is_host(&self) -> bool {
        self.via.is_some_and(|via| via.len == 32)
    }

    /// Whether the source is asked for exactly, and so not printed.
    pub fn src_is_host(&self) -> bool {
        self.src.is_some_and(|src| src.len == 32)
    }

    /// Whether a route passes.
    pub fn takes(&self, route: &RouteInfo) -> bool {
        let hop = match route.nexthops.as_slice() {
            [hop] => Some(hop),
            _ => None,
        };
        let inside = |prefix: &Prefix, addr: Option<std::net::IpAddr>| {
            prefix.len == 0
                || addr.is_some_and(|addr| prefix.net().contains(&addr) && Family::of(addr) == prefix.family)
                || (addr.is_none() && prefix.net().contains(&std::net::IpAddr::from([0, 0, 0, 0])))
        };
        !self.cache
            && !self.iif
            && self.table.is_none_or(|table| table == route.table)
            && self.proto.is_none_or(|proto| proto == route.proto)
            && self.scope.is_none_or(|scope| scope == route.scope)
            && self.kind.is_none_or(|kind| kind == route.kind)
            && self.tos.is_none_or(|tos| tos == route.tos)
            && self.metric.is_none_or(|metric| metric == route.metric)
            && self.oif.as_ref().is_none_or(|dev| hop.is_some_and(|hop| hop.dev == *dev))
            && self.via.as_ref().is_none_or(|via| inside(via, hop.and_then(|hop| hop.via)))
            && self.src.as_ref().is_none_or(|src| inside(src, route.prefsrc))
            && self.root.as_ref().is_none_or(|root| contains(root, &route.dst))
            && self.matching.as_ref().is_none_or(|m| contained(m, &route.dst))
    }
}

impl RouteFilter {
    /// Whether an exception of a route in `table` passes.
    pub fn takes_exception(&self, table: TableId, answer: &RouteAnswer) -> bool {
        let hop = NextHopInfo {
            dev: answer.dev.clone().unwrap_or_default(),
            via: answer.via,
            onlink: false,
            weight: 1,
            linkdown: false,
            dead: false,
        };
        let route = RouteInfo {
            table,
            dst: IpNet::from(answer.dst),
            kind: answer.kind,
            tos: 0,
            metric: 0,
            proto: RouteProto(0),
            scope: Scope::GLOBAL,
            prefsrc: None,
            nexthops: vec![hop],
            nhid: None,
            mtu: None,
            advmss: None,
            metrics: Vec::new(),
        };
        Self { cache: false, ..self.clone() }.takes(&route)
    }
}

/// `root`: the destination is at least as long and inside.
fn contains(root: &Prefix, dst: &IpNet) -> bool {
    root.len <= dst.prefix_len() && (root.len == 0 || root.net().contains(&dst.addr()))
}

/// `match`: the destination is at most as long, and the prefix is inside it.
fn contained(prefix: &Prefix, dst: &IpNet) -> bool {
    dst.prefix_len() <= prefix.len && dst.contains(&prefix.address())
}

/// The deletion of one listed route, as `flush` sends it back.
pub fn deletion(route: &RouteInfo) -> Request {
    Request::RouteDel(route.spec())
}
