use std::net::IpAddr;
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net};
use packet::{DevId, NetnsId};

use crate::dump::{NextHopInfo, RouteInfo};
use crate::fib_lookup::{FlowKey, Found, Linkstate};
use crate::fib_table::{mask_of, v4, v4_net};
use crate::nexthop::Nexthop;
use crate::request::{Mode, NextHopSpec, RouteSpec};
use crate::{Errno, Host, NextHop, Refusal, Route, RouteKind, RouteMetric, RouteProto, Scope, TableId};

/// A route that is asked for. Kernel: `struct fib_config`.
#[derive(Clone, Debug)]
pub(crate) struct RouteConfig {
    pub table: TableId,
    pub addr: u32,
    pub plen: u8,
    /// `None` on deletion: any.
    pub kind: Option<RouteKind>,
    pub tos: u8,
    pub metric: u32,
    /// `None` on deletion: any.
    pub proto: Option<RouteProto>,
    /// `None` on deletion: any.
    pub scope: Option<Scope>,
    pub prefsrc: Option<IpAddr>,
    pub nexthops: Vec<NextHopConfig>,
    /// `nexthop` was used, even if once.
    pub multipath: bool,
    pub mtu: Option<(u32, bool)>,
    pub advmss: Option<u32>,
    pub metrics: Vec<RouteMetric>,
    /// The nexthop object to use, in place of ways.
    pub nhid: Option<u32>,
}

/// One way that is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NextHopConfig {
    pub dev: Option<DevId>,
    pub via: Option<IpAddr>,
    pub onlink: bool,
    pub weight: u32,
}

fn invalid(sentence: &str) -> Refusal {
    Refusal::because(Errno::Inval, sentence)
}

impl RouteKind {
    /// The greatest reach such a route may have. Kernel: `fib_props`.
    fn max_reach(self) -> Scope {
        match self {
            Self::Local => Scope::HOST,
            Self::Broadcast => Scope::LINK,
            Self::Unicast
            | Self::Multicast
            | Self::Blackhole
            | Self::Unreachable
            | Self::Prohibit
            | Self::Throw => Scope::GLOBAL,
        }
    }

    /// The table of such a route if none is named. iproute2: `iproute_modify`.
    fn usual_table(self) -> TableId {
        match self {
            Self::Local | Self::Broadcast => TableId::LOCAL,
            _ => TableId::MAIN,
        }
    }

    /// The scope of such a route if none is named: `gateway` if its way is not simply a device.
    /// iproute2: `iproute_modify`.
    fn usual_scope(self, gateway: bool) -> Scope {
        match self {
            Self::Local => Scope::HOST,
            Self::Broadcast | Self::Multicast => Scope::LINK,
            Self::Unicast if !gateway => Scope::LINK,
            _ => Scope::GLOBAL,
        }
    }

    /// Whether it refuses packets and hence has no way.
    pub(crate) fn is_refusal(self) -> bool {
        self.error().is_some()
    }
}

impl RouteSpec {
    /// Whether `nexthop` was used, even if once.
    pub(crate) fn is_multipath(&self) -> bool {
        self.nexthops.len() > 1 || self.nexthops.iter().any(|nh| nh.weight.is_some())
    }

    /// The same request in the fewest words: without those that follow from the rest, and without
    /// the ways of a nexthop object.
    pub fn brief(self) -> Self {
        let kind = self.kind.unwrap_or(RouteKind::Unicast);
        let gateway =
            self.is_multipath() || self.nhid.is_some() || self.nexthops.iter().any(|nh| nh.via.is_some());
        Self {
            kind: self.kind.filter(|&kind| kind != RouteKind::Unicast),
            dst: self.dst.filter(|&dst| dst != IpNet::V4(Ipv4Net::default())),
            table: self.table.filter(|&table| table != kind.usual_table()),
            proto: self.proto.filter(|&proto| proto != RouteProto::BOOT),
            scope: self.scope.filter(|&scope| scope != kind.usual_scope(gateway)),
            nexthops: if self.nhid.is_some() { Vec::new() } else { self.nexthops },
            ..self
        }
    }
}

impl RouteInfo {
    /// The request for this route, each word given.
    pub fn spec(&self) -> RouteSpec {
        let several = self.nexthops.len() > 1;
        let way = |hop: &NextHopInfo| NextHopSpec {
            dev: Some(hop.dev.clone()).filter(|dev| !dev.is_empty()),
            via: hop.via,
            onlink: hop.onlink,
            weight: several.then_some(hop.weight),
        };
        RouteSpec {
            kind: Some(self.kind),
            dst: Some(self.dst),
            table: Some(self.table),
            tos: self.tos,
            metric: (self.metric != 0).then_some(self.metric),
            proto: Some(self.proto),
            scope: Some(self.scope),
            prefsrc: self.prefsrc,
            mtu: self.mtu,
            advmss: self.advmss,
            metrics: self.metrics.clone(),
            nexthops: self.nexthops.iter().map(way).collect(),
            nhid: self.nhid,
        }
    }
}

impl Host {
    /// What `spec` asks for, device names looked up. Kernel: `net/ipv4/fib_frontend.c`,
    /// `rtm_to_fib_config`; what iproute2 fills in when a word isn't given is filled in here.
    pub(crate) fn route_config(
        &self,
        ns: NetnsId,
        spec: &RouteSpec,
        deleting: bool,
    ) -> Result<RouteConfig, Refusal> {
        let (addr, plen) = match spec.dst {
            None => (0, 0),
            Some(net) => (v4(net.addr()).ok_or(Errno::OpNotSupp)?, net.prefix_len()),
        };
        if addr & !mask_of(plen) != 0 {
            return Err(invalid("Invalid prefix for given prefix length."));
        }
        if spec.tos & 3 != 0 {
            return Err(invalid("Invalid dsfield (tos): ECN bits must be 0."));
        }
        let usual = spec.kind.unwrap_or(RouteKind::Unicast);
        let way = |asked: &NextHopSpec| -> Result<NextHopConfig, Refusal> {
            let dev = match &asked.dev {
                Some(name) => Some(self.dev_by_name(ns, name).ok_or(Errno::NoDev)?),
                None => None,
            };
            let via = asked.via.filter(|via| !via.is_unspecified());
            Ok(NextHopConfig { dev, via, onlink: asked.onlink, weight: asked.weight.unwrap_or(1).max(1) })
        };
        let multipath = spec.is_multipath();
        let mut nexthops = spec.nexthops.iter().map(way).collect::<Result<Vec<_>, _>>()?;
        if !multipath {
            nexthops.retain(|nh| nh.dev.is_some() || nh.via.is_some() || nh.onlink);
        }
        if spec.nhid.is_some() && !nexthops.is_empty() {
            return Err(invalid("Nexthop specification and nexthop id are mutually exclusive."));
        }
        let gateway = multipath || spec.nhid.is_some() || nexthops.iter().any(|nh| nh.via.is_some());
        Ok(RouteConfig {
            table: spec.table.unwrap_or(usual.usual_table()),
            addr,
            plen,
            kind: spec.kind.or((!deleting).then_some(usual)),
            tos: spec.tos,
            metric: spec.metric.unwrap_or(0),
            proto: spec.proto.or((!deleting).then_some(RouteProto::BOOT)),
            scope: spec.scope.or((!deleting).then_some(usual.usual_scope(gateway))),
            prefsrc: spec.prefsrc,
            nexthops,
            multipath,
            mtu: spec.mtu,
            advmss: spec.advmss,
            metrics: spec.metrics.clone(),
            nhid: spec.nhid.filter(|&id| id != 0),
        })
    }

    /// Checks a route and makes it. Kernel: `net/ipv4/fib_semantics.c`, `fib_create_info`.
    fn fib_create_info(&self, ns: NetnsId, config: &RouteConfig) -> Result<Route, Refusal> {
        let kind = config.kind.unwrap_or(RouteKind::Unicast);
        let scope = config.scope.unwrap_or(Scope::GLOBAL);
        if kind.max_reach() > scope {
            return Err(invalid("Invalid scope."));
        }
        let mut nexthops = Vec::new();
        let object = match config.nhid {
            Some(id) => Some(self.nexthop_by_id(ns, id)?),
            None => None,
        };
        if kind.is_refusal() {
            if !config.nexthops.is_empty() {
                return Err(invalid(
                    "Gateway, device and multipath can not be specified for this route type.",
                ));
            }
        } else {
            if scope > Scope::HOST {
                return Err(invalid("Invalid scope."));
            }
            if let Some(object) = object {
                self.fib_check_nexthop(ns, object, scope)?;
            } else if scope == Scope::HOST {
                if config.nexthops.len() > 1 {
                    return Err(invalid("Route with host scope can not have multiple nexthops."));
                }
                let way = config.nexthops.first();
                if way.is_some_and(|nh| nh.via.is_some()) {
                    return Err(invalid("Route with host scope can not have a gateway."));
                }
                let dev = way.and_then(|nh| nh.dev).ok_or(Errno::NoDev)?;
                nexthops.push(NextHop {
                    dev,
                    via: None,
                    onlink: false,
                    weight: 1,
                    linkdown: false,
                    dead: false,
                    scope: Scope::NOWHERE,
                    upper_bound: None,
                });
            } else {
                if config.nexthops.is_empty() {
                    return Err(Errno::NoDev.into());
                }
                for way in &config.nexthops {
                    nexthops.push(self.fib_check_nh(ns, way, config.table, scope)?);
                }
            }
        }
        if let Some(id) = config.nhid {
            nexthops = self.ns(ns).nexthops.ways(id);
        }
        if config.prefsrc.is_some_and(|src| !self.fib_valid_prefsrc(ns, config, src)) {
            return Err(invalid("Invalid prefsrc address."));
        }
        Ok(Route {
            dst: v4_net(config.addr, config.plen),
            kind,
            tos: config.tos,
            metric: config.metric,
            proto: config.proto.unwrap_or(RouteProto::BOOT),
            scope,
            prefsrc: config.prefsrc,
            nexthops,
            mtu: config.mtu,
            advmss: config.advmss,
            metrics: config.metrics.clone(),
            nhid: config.nhid,
            info: 0,
        })
    }

    /// The nexthop object that a route names.
    pub(crate) fn nexthop_by_id(&self, ns: NetnsId, id: u32) -> Result<&Nexthop, Refusal> {
        self.ns(ns).nexthops.objects.get(&id).ok_or_else(|| invalid("Nexthop id does not exist."))
    }

    /// Kernel: `net/ipv4/fib_semantics.c`, `fib_check_nh`.
    pub(crate) fn fib_check_nh(
        &self,
        ns: NetnsId,
        way: &NextHopConfig,
        table: TableId,
        scope: Scope,
    ) -> Result<NextHop, Refusal> {
        let NextHopConfig { dev, via, onlink, weight } = *way;
        let Some(via) = via else {
            if onlink {
                return Err(invalid("Invalid flags for nexthop - PERVASIVE and ONLINK can not be set."));
            }
            let dev = self.dev(dev.ok_or(Errno::NoDev)?);
            if !dev.up {
                return Err(Refusal::because(Errno::NetDown, "Device for nexthop is not up."));
            }
            let linkdown = !dev.carrier;
            return Ok(NextHop {
                dev: dev.id,
                via: None,
                onlink,
                weight,
                linkdown,
                dead: false,
                scope: Scope::HOST,
                upper_bound: None,
            });
        };
        let gateway = v4(via).ok_or(Errno::OpNotSupp)?;
        if onlink {
            if scope >= Scope::LINK {
                return Err(invalid("Nexthop has invalid scope."));
            }
            let dev =
                dev.ok_or_else(|| Refusal::because(Errno::NoDev, "Nexthop device required for onlink."))?;
            let dev = self.dev(dev);
            if !dev.up {
                return Err(Refusal::because(Errno::NetDown, "Nexthop device is not up."));
            }
            if self.inet_addr_type(ns, via) != RouteKind::Unicast {
                return Err(invalid("Nexthop has invalid gateway."));
            }
            let linkdown = !dev.carrier;
            return Ok(NextHop {
                dev: dev.id,
                via: Some(via),
                onlink,
                weight,
                linkdown,
                dead: false,
                scope: Scope::LINK,
                upper_bound: None,
            });
        }
        let key = FlowKey {
            oif: dev,
            scope: Scope(scope.0.saturating_add(1)).max(Scope::LINK),
            ..FlowKey::to(gateway, self.ns(ns).loopback)
        };
        let fib = &self.ns(ns).fib;
        let own_table = match table {
            TableId::MAIN => Found::Nothing,
            table => self.fib_table_lookup(ns, fib.table(table), table, &key, Linkstate::Ignore),
        };
        let found = own_table.into_result().or_else(|_| self.fib_lookup(ns, &key, Linkstate::Ignore));
        let found = found.map_err(|errno| Refusal::because(errno, "Nexthop has invalid gateway."))?;
        if !matches!(found.route.kind, RouteKind::Unicast | RouteKind::Local) {
            return Err(invalid("Nexthop has invalid gateway."));
        }
        let way = found.nexthop().ok_or_else(|| invalid("No egress device for nexthop gateway."))?;
        let dev = self.dev(way.dev);
        if !dev.up {
            return Err(Errno::NetDown.into());
        }
        let linkdown = !dev.carrier;
        Ok(NextHop {
            dev: dev.id,
            via: Some(via),
            onlink,
            weight,
            linkdown,
            dead: false,
            scope: found.route.scope,
            upper_bound: None,
        })
    }

    /// Kernel: `net/ipv4/fib_semantics.c`, `fib_valid_prefsrc`.
    fn fib_valid_prefsrc(&self, ns: NetnsId, config: &RouteConfig, prefsrc: IpAddr) -> bool {
        let own = config.kind == Some(RouteKind::Local) && v4(prefsrc) == Some(config.addr);
        let local_in = |table| self.inet_addr_type_table(ns, table, prefsrc) == RouteKind::Local;
        let table = if config.table == TableId::MAIN { TableId::LOCAL } else { config.table };
        own || local_in(table) || local_in(TableId::LOCAL)
    }

    /// Adds or replaces a route. Kernel: `net/ipv4/fib_trie.c`, `fib_table_insert`.
    pub(crate) fn fib_table_insert(
        &mut self,
        ns: NetnsId,
        config: &RouteConfig,
        mode: Mode,
    ) -> Result<(), Refusal> {
        let mut route = self.fib_create_info(ns, config)?;
        let netns = self.ns_mut(ns);
        if route.nhid.is_none() {
            route.fib_rebalance(&netns.sysctl);
        }
        let fib = &mut netns.fib;
        fib.last_info += 1;
        route.info = fib.last_info;
        let RouteConfig { table, addr, plen, .. } = *config;
        let aliases = fib.table_mut(table).aliases_mut(addr, plen);
        let same_place = |other: &Route| other.tos == route.tos && other.metric == route.metric;
        let first = aliases.iter().position(|other| same_place(other));
        let result = match first {
            Some(first) => {
                let group = aliases[first..].iter().take_while(|other| same_place(other)).count();
                let twin = aliases[first..first + group].iter().position(|other| same_info(other, &route));
                match (mode, twin) {
                    (Mode::Add | Mode::Test, _) => Err(Errno::Exist),
                    (Mode::Replace | Mode::Change, Some(0)) => Ok(()),
                    (_, Some(_)) => Err(Errno::Exist),
                    (Mode::Replace | Mode::Change, None) => {
                        aliases[first] = Arc::new(route);
                        Ok(())
                    }
                    (Mode::Append, None) => {
                        aliases.insert(first + group, Arc::new(route));
                        Ok(())
                    }
                    (Mode::Prepend, None) => {
                        aliases.insert(first, Arc::new(route));
                        Ok(())
                    }
                }
            }
            None if matches!(mode, Mode::Change | Mode::Test) => Err(Errno::NoEnt),
            None => {
                let after = |other: &Route| {
                    other.tos < route.tos || (other.tos == route.tos && other.metric > route.metric)
                };
                let at = aliases.iter().position(|other| after(other)).unwrap_or(aliases.len());
                aliases.insert(at, Arc::new(route));
                Ok(())
            }
        };
        fib.table_mut(table).tidy(addr, plen);
        result.map_err(Refusal::from)
    }

    /// Removes the first route that fits. Kernel: `net/ipv4/fib_trie.c`, `fib_table_delete`.
    pub(crate) fn fib_table_delete(&mut self, ns: NetnsId, config: &RouteConfig) -> Result<(), Refusal> {
        let RouteConfig { table, addr, plen, .. } = *config;
        let fib = &mut self.ns_mut(ns).fib;
        let Some(aliases) = fib.table(table).map(|table| table.aliases(addr, plen)) else {
            return Err(match table {
                TableId::MAIN | TableId::LOCAL => Errno::Srch.into(),
                _ => Refusal::because(Errno::Srch, "FIB table does not exist."),
            });
        };
        let at = aliases.iter().position(|route| deletion_fits(config, route)).ok_or(Errno::Srch)?;
        let table = fib.table_mut(table);
        table.aliases_mut(addr, plen).remove(at);
        table.tidy(addr, plen);
        Ok(())
    }
}

/// Whether two routes share everything but the destination and what devices did to them.
/// Kernel: `fib_find_info`.
fn same_info(a: &Route, b: &Route) -> bool {
    let same_way = |(a, b): (&NextHop, &NextHop)| {
        a.dev == b.dev && a.via == b.via && a.onlink == b.onlink && a.weight == b.weight && a.scope == b.scope
    };
    a.kind == b.kind
        && a.scope == b.scope
        && a.proto == b.proto
        && a.prefsrc == b.prefsrc
        && a.mtu == b.mtu
        && a.advmss == b.advmss
        && a.metrics == b.metrics
        && a.nhid == b.nhid
        && a.nexthops.len() == b.nexthops.len()
        && a.nexthops.iter().zip(&b.nexthops).all(same_way)
}

/// Kernel: the conditions of `fib_table_delete`, with `fib_nh_match` and `fib_metrics_match`.
fn deletion_fits(config: &RouteConfig, route: &Route) -> bool {
    let way_fits = |(asked, nh): (&NextHopConfig, &NextHop)| {
        asked.dev.is_none_or(|dev| dev == nh.dev)
            && asked.via.is_none_or(|via| nh.via == Some(via))
            && (!config.multipath || asked.weight == 1 || asked.weight == nh.weight)
    };
    let ways_fit = match config.multipath {
        _ if config.nhid.is_some() => config.nhid == route.nhid,
        _ if route.nhid.is_some() => config.nexthops.is_empty(),
        true => {
            config.nexthops.len() >= route.nexthops.len()
                && config.nexthops.iter().zip(&route.nexthops).all(way_fits)
        }
        false => match config.nexthops.first() {
            None => true,
            Some(asked) => route.nexthops.first().is_some_and(|nh| way_fits((asked, nh))),
        },
    };
    let metric_fits = |asked: &RouteMetric| {
        route.metrics.iter().any(|m| m.number == asked.number && m.value == asked.value)
    };
    route.tos == config.tos
        && config.kind.is_none_or(|kind| kind == route.kind)
        && config.scope.is_none_or(|scope| scope == Scope::NOWHERE || scope == route.scope)
        && config.prefsrc.is_none_or(|src| route.prefsrc == Some(src))
        && config.proto.is_none_or(|proto| proto == route.proto)
        && (config.metric == 0 || config.metric == route.metric)
        && ways_fit
        && config.mtu.is_none_or(|mtu| route.mtu == Some(mtu))
        && config.advmss.is_none_or(|advmss| route.advmss == Some(advmss))
        && config.metrics.iter().all(metric_fits)
}
