//! `ip rule|route|addr save`, `restore` and `showdump`: the kernel's messages in a file.
//! iproute2: `ip/iprule.c`, `ip/iproute.c`, `ip/ipaddress.c`.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use kernel::dump::{AddrInfo, NextHopInfo, RouteInfo};
use kernel::request::{Mode, Request, RuleSpec};
use kernel::{
    AddrFlags, AddrLifetime, InterfaceAddr, RouteKind, RouteMetric, RouteProto, Rule, RuleAction, Scope,
    TableId,
};
use packet::IfIndex;
use world::{Fd, ReadResult};

use super::filter::{self, flags_of};
use super::link_show::Listing;
use super::options::Options;
use super::route_filter::RouteFilter;
use super::{Ip, addr_show, list, route_show};
use crate::console::{End, Stop};
use crate::iproute::args::Family;
use crate::iproute::env::Env;
use crate::iproute::netlink::refusal_text;
use crate::iproute::nlmsg::{Message, Received, attribute, attributes, le_u32, v4};

const AF_INET: u8 = 2;
const RTM_NEWADDR: u16 = 20;
const RTM_NEWROUTE: u16 = 24;
const RTM_NEWRULE: u16 = 32;
const NLM_F_MULTI: u16 = 2;
const NLM_F_DUMP_FILTERED: u16 = 0x20;
/// In the place of a table number that needs more than eight bits. Kernel: `RT_TABLE_COMPAT`.
const RT_TABLE_COMPAT: u8 = 252;

/// The first four bytes of a file tell what it holds.
const RULE_MAGIC: u32 = 0x7170_6986;
const ROUTE_MAGIC: u32 = 0x4531_1224;
const ADDR_MAGIC: u32 = 0x4736_1222;

/// Kernel: `RTN_*`.
const KINDS: [(u8, RouteKind); 8] = [
    (1, RouteKind::Unicast),
    (2, RouteKind::Local),
    (3, RouteKind::Broadcast),
    (5, RouteKind::Multicast),
    (6, RouteKind::Blackhole),
    (7, RouteKind::Unreachable),
    (8, RouteKind::Prohibit),
    (9, RouteKind::Throw),
];

fn octets(addr: IpAddr) -> Vec<u8> {
    match addr {
        IpAddr::V4(addr) => addr.octets().to_vec(),
        IpAddr::V6(addr) => addr.octets().to_vec(),
    }
}

fn table_byte(table: TableId) -> u8 {
    u8::try_from(table.0).unwrap_or(RT_TABLE_COMPAT)
}

fn net_of(addr: Option<Ipv4Addr>, len: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(addr.unwrap_or(Ipv4Addr::UNSPECIFIED), len.min(32)))
}

/// Which process asks, and when, as the kernel answers it.
#[derive(Clone, Copy, Debug)]
struct Asked {
    seq: u32,
    pid: u32,
}

impl Ip<'_, '_> {
    fn asked(&self) -> Asked {
        let sys = &*self.console.sys;
        Asked { seq: u32::try_from(sys.unix_time() & 0xffff_ffff).unwrap_or(0), pid: sys.pid().0 }
    }

    /// Writes a file: its magic number and the messages.
    fn write_dump(&mut self, magic: u32, messages: Vec<Vec<u8>>) -> Result<i32, Stop> {
        if self.console.sys.is_terminal(Fd::STDOUT) {
            return Err(Stop::fail(-1, "Not sending a binary stream to stdout"));
        }
        self.console.flush();
        let bytes = [magic.to_le_bytes().to_vec(), messages.concat()].concat();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            match self.console.sys.write(Fd::STDOUT, rest) {
                Ok(0) | Err(_) => return Err(Stop::fail(-1, "Can't write magic to dump file")),
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            }
        }
        Ok(0)
    }

    /// Reads a file of that magic number. `what` is what it should hold.
    fn read_dump(&mut self, magic: u32, what: &str) -> Result<Vec<u8>, Stop> {
        if self.console.sys.is_terminal(Fd::STDIN) {
            return Err(Stop::fail(-1, format!("Can't restore {what} dump from a terminal")));
        }
        let mut bytes = Vec::new();
        // Simplified: what a pipe will bring later is not waited for.
        while let Ok(ReadResult::Data(data)) = self.console.sys.read(Fd::STDIN, 65536) {
            bytes.extend(data);
        }
        let mut first = [0; 4];
        let given = bytes.len().min(4);
        first[..given].copy_from_slice(&bytes[..given]);
        let found = u32::from_le_bytes(first);
        if found != magic {
            let elements = given / 4;
            return Err(Stop::fail(-1, format!("Magic mismatch ({elements} elems, {found:x} magic)")));
        }
        bytes.drain(..4);
        Ok(bytes)
    }

    /// Sends a message back; that it exists already is said and passed over.
    fn restore_one(&mut self, request: Request) -> Result<(), Stop> {
        let Err(refusal) = self.console.sys.request(self.netns, request) else { return Ok(()) };
        let text = refusal_text(&refusal);
        match refusal.errno {
            kernel::Errno::Exist => {
                self.console.error(&text);
                Ok(())
            }
            _ => Err(Stop { text, end: End::Return(-2) }),
        }
    }
}

/// `exit(-1)` where iproute2 doesn't return.
fn exits(stop: Stop) -> Stop {
    match stop.end {
        End::Return(_) => Stop { end: End::Exit(255), ..stop },
        End::Exit(_) => stop,
    }
}

/// `ip rule save`.
pub fn save_rules(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    if !words.is_empty() {
        return Err(Stop::fail(-1, "\"ip rule save\" does not take any arguments."));
    }
    let (asked, env) = (ip.asked(), ip.env());
    let rules = ip.console.sys.kernel().rules(ip.netns);
    let messages = rules.iter().map(|rule| rule_message(rule, &rules, env, asked)).collect();
    ip.write_dump(RULE_MAGIC, messages)
}

/// `ip rule restore`.
pub fn restore_rules(ip: &mut Ip<'_, '_>) -> Result<i32, Stop> {
    let bytes = ip.read_dump(RULE_MAGIC, "rule").map_err(exits)?;
    for message in Received::all(&bytes, 12).iter().filter(|message| message.kind == RTM_NEWRULE) {
        let rule = read_rule(message);
        let priority_given = rule.priority != 0;
        let spec = RuleSpec { rule, priority_given, action_given: true, duplicate: true };
        ip.restore_one(Request::RuleAdd(spec)).map_err(exits)?;
    }
    Ok(0)
}

/// Kernel: `net/core/fib_rules.c`, `fib_nl_fill_rule`.
fn rule_message(rule: &Rule, rules: &[Rule], env: Env<'_>, asked: Asked) -> Vec<u8> {
    let exists = |name: &String| env.index_of(name).is_some();
    let len = |net: &Option<IpNet>| net.map_or(0, |net| net.prefix_len());
    let (action, table, target) = match rule.action {
        RuleAction::Lookup(table) => (1, table, 0),
        RuleAction::Goto(target) => (2, TableId(0), target),
        RuleAction::Nop => (3, TableId(0), 0),
        RuleAction::Blackhole => (6, TableId(0), 0),
        RuleAction::Unreachable => (7, TableId(0), 0),
        RuleAction::Prohibit => (8, TableId(0), 0),
    };
    let mut flags = if rule.not { 2_u32 } else { 0 };
    if action == 2 && !rules.iter().any(|other| other.priority == target) {
        flags |= 4;
    }
    if rule.iif.as_ref().is_some_and(|iif| !exists(iif)) {
        flags |= 8;
    }
    if rule.oif.as_ref().is_some_and(|oif| !exists(oif)) {
        flags |= 16;
    }
    let mut header = vec![AF_INET, len(&rule.to), len(&rule.from), rule.tos, table_byte(table), 0, 0, action];
    header.extend(flags.to_le_bytes());
    let mut message = Message::new(RTM_NEWRULE, NLM_F_MULTI, asked.seq, asked.pid, &header);
    message.attr_u32(15, table.0);
    message.attr_u32(14, rule.suppress_prefixlength.unwrap_or(u32::MAX));
    message.attr(21, &[rule.proto.0]);
    for (kind, name) in [(3, &rule.iif), (17, &rule.oif)] {
        if let Some(name) = name {
            message.attr_str(kind, name);
        }
    }
    if rule.priority != 0 {
        message.attr_u32(6, rule.priority);
    }
    let (mark, mask) = rule.fwmark.unwrap_or((0, 0));
    if mark != 0 {
        message.attr_u32(10, mark);
    }
    if rule.fwmark.is_some() {
        message.attr_u32(16, mask);
    }
    if target != 0 {
        message.attr_u32(4, target);
    }
    if let Some((first, last)) = rule.uidrange {
        message.attr(20, &[first.to_le_bytes(), last.to_le_bytes()].concat());
    }
    for (kind, mask_kind, range) in [(23, 28, rule.sport), (24, 29, rule.dport)] {
        if let Some((first, last)) = range {
            message.attr(kind, &[first.to_le_bytes(), last.to_le_bytes()].concat());
            if first == last {
                message.attr(mask_kind, &u16::MAX.to_le_bytes());
            }
        }
    }
    if let Some(proto) = rule.ipproto {
        message.attr(22, &[proto]);
    }
    for (kind, net) in [(1, rule.to), (2, rule.from)] {
        if let Some(net) = net.filter(|net| net.prefix_len() > 0) {
            message.attr(kind, &octets(net.addr()));
        }
    }
    message.finish()
}

fn read_rule(message: &Received<'_>) -> Rule {
    let header = message.header;
    let net = |kind: u16, len: u8| (len > 0).then(|| net_of(message.v4(kind), len));
    let range = |kind: u16| match message.attrs.get(&kind).copied() {
        Some(&[a, b, c, d, ..]) => Some((u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]))),
        _ => None,
    };
    let uids =
        message.attrs.get(&20).and_then(|payload| Some((le_u32(payload)?, le_u32(payload.get(4..)?)?)));
    Rule {
        priority: message.u32(6).unwrap_or(0),
        not: header[8] & 2 != 0,
        from: net(2, header[2]),
        to: net(1, header[1]),
        iif: message.str(3),
        oif: message.str(17),
        fwmark: message.u32(16).map(|mask| (message.u32(10).unwrap_or(0), mask)),
        tos: header[3],
        ipproto: message.attrs.get(&22).and_then(|payload| payload.first().copied()),
        sport: range(23),
        dport: range(24),
        action: match header[7] {
            2 => RuleAction::Goto(message.u32(4).unwrap_or(0)),
            3 => RuleAction::Nop,
            6 => RuleAction::Blackhole,
            7 => RuleAction::Unreachable,
            8 => RuleAction::Prohibit,
            _ => RuleAction::Lookup(TableId(message.u32(15).unwrap_or(u32::from(header[4])))),
        },
        suppress_prefixlength: message.u32(14).filter(|&len| len != u32::MAX),
        proto: RouteProto(message.attrs.get(&21).and_then(|payload| payload.first().copied()).unwrap_or(0)),
        uidrange: uids,
    }
}

/// `ip route save`.
pub fn save_routes(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let (asked, env) = (ip.asked(), ip.env());
    let filter = RouteFilter::parse(words, &ip.options, env)?;
    let routes = if ip.options.family == Family::Inet6 {
        Vec::new()
    } else {
        ip.console.sys.kernel().routes(ip.netns)
    };
    let flags = if filter.table.is_some() { NLM_F_MULTI | NLM_F_DUMP_FILTERED } else { NLM_F_MULTI };
    let taken = routes.iter().filter(|route| filter.takes(route));
    let messages = taken.map(|route| route_message(route, flags, env, asked)).collect();
    ip.write_dump(ROUTE_MAGIC, messages)
}

/// `ip route restore`: routes to own addresses first, then those to networks on a link, then the
/// rest.
pub fn restore_routes(ip: &mut Ip<'_, '_>) -> Result<i32, Stop> {
    let bytes = ip.read_dump(ROUTE_MAGIC, "route")?;
    let messages = Received::all(&bytes, 12);
    for round in 0..3 {
        for message in messages.iter().filter(|message| message.kind == RTM_NEWROUTE) {
            let (gateway, prefsrc) = (message.attrs.get(&5), message.attrs.get(&7));
            let due = match round {
                0 => gateway.is_none() && prefsrc.is_none_or(|src| message.attrs.get(&1) == Some(src)),
                1 => gateway.is_none() && prefsrc.is_some_and(|src| message.attrs.get(&1) != Some(src)),
                _ => gateway.is_some(),
            };
            if due {
                let route = read_route(message, ip.env());
                ip.restore_one(Request::RouteAdd(route.spec(), Mode::Prepend))?;
            }
        }
    }
    Ok(0)
}

/// `ip route showdump`.
pub fn show_routes(ip: &mut Ip<'_, '_>) -> Result<i32, Stop> {
    let bytes = ip.read_dump(ROUTE_MAGIC, "route").map_err(exits)?;
    let env = ip.env();
    let objects = ip.console.sys.kernel().nexthops(ip.netns);
    // It never asks for JSON.
    let mut p = Options { json: false, ..ip.options.clone() }.printer();
    for message in Received::all(&bytes, 12).iter().filter(|message| message.kind == RTM_NEWROUTE) {
        let route = read_route(message, env);
        route_show::print_route(&mut p, &route, &objects, &RouteFilter::default(), &ip.options);
    }
    ip.console.out(&p.finish());
    Ok(0)
}

fn way_flags(hop: &NextHopInfo) -> u8 {
    u8::from(hop.dead) | u8::from(hop.onlink) << 2 | u8::from(hop.linkdown) << 4
}

/// Kernel: `net/ipv4/fib_semantics.c`, `fib_dump_info`.
fn route_message(route: &RouteInfo, nlflags: u16, env: Env<'_>, asked: Asked) -> Vec<u8> {
    let index = |hop: &NextHopInfo| env.index_of(&hop.dev).map_or(0, |index| index.0);
    let kind = KINDS.iter().find(|(_, kind)| *kind == route.kind).map_or(0, |(number, _)| *number);
    let single = match route.nexthops.as_slice() {
        [hop] => Some(hop),
        _ => None,
    };
    let mut header = vec![
        AF_INET,
        route.dst.prefix_len(),
        0,
        route.tos,
        table_byte(route.table),
        route.proto.0,
        route.scope.0,
        kind,
    ];
    header.extend(u32::from(single.map_or(0, way_flags)).to_le_bytes());
    let mut message = Message::new(RTM_NEWROUTE, nlflags, asked.seq, asked.pid, &header);
    message.attr_u32(15, route.table.0);
    if route.dst.prefix_len() > 0 {
        message.attr(1, &octets(route.dst.addr()));
    }
    if route.metric != 0 {
        message.attr_u32(6, route.metric);
    }
    let mut metrics = route.metrics.clone();
    metrics.extend(route.mtu.map(|(value, locked)| RouteMetric { number: 2, value, locked }));
    metrics.extend(route.advmss.map(|value| RouteMetric { number: 8, value, locked: false }));
    metrics.sort_by_key(|metric| metric.number);
    if !metrics.is_empty() {
        let lock: u32 = metrics.iter().filter(|m| m.locked).map(|m| 1 << m.number).sum();
        let locks = if lock != 0 { attribute(1, &lock.to_le_bytes()) } else { Default::default() };
        let values = metrics.iter().flat_map(|m| attribute(m.number.into(), &m.value.to_le_bytes()));
        message.attr(8, &locks.into_iter().chain(values).collect::<Vec<u8>>());
    }
    if let Some(src) = route.prefsrc {
        message.attr(7, &octets(src));
    }
    if let Some(id) = route.nhid {
        message.attr_u32(30, id);
    }
    if let Some(hop) = single {
        if let Some(via) = hop.via {
            message.attr(5, &octets(via));
        }
        message.attr_u32(4, index(hop));
    } else if !route.nexthops.is_empty() {
        let way = |hop: &NextHopInfo| {
            let via = hop.via.map(|via| attribute(5, &octets(via))).unwrap_or_default();
            let length = u16::try_from(via.len() + 8).unwrap_or(u16::MAX).to_le_bytes();
            let hops = u8::try_from(hop.weight.saturating_sub(1)).unwrap_or(u8::MAX);
            [length.to_vec(), vec![way_flags(hop), hops], index(hop).to_le_bytes().to_vec(), via].concat()
        };
        message.attr(9, &route.nexthops.iter().map(way).collect::<Vec<_>>().concat());
    }
    message.finish()
}

fn read_route(message: &Received<'_>, env: Env<'_>) -> RouteInfo {
    let header = message.header;
    let name = |index: u32| env.name_at(IfIndex(index)).map_or_else(|| format!("if{index}"), str::to_owned);
    let hop = |flags: u8, weight: u32, index: u32, via: Option<Ipv4Addr>| NextHopInfo {
        dev: name(index),
        via: via.map(IpAddr::V4),
        onlink: flags & 4 != 0,
        weight,
        linkdown: flags & 16 != 0,
        dead: flags & 1 != 0,
    };
    let mut nexthops = Vec::new();
    if let Some(index) = message.u32(4) {
        nexthops.push(hop(header[8], 1, index, message.v4(5)));
    }
    let mut ways = message.attrs.get(&9).copied().unwrap_or_default();
    while let [low, high, flags, hops, a, b, c, d, rest @ ..] = ways {
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        let attrs = attributes(rest.get(..length.saturating_sub(8)).unwrap_or_default());
        let via = attrs.get(&5).and_then(|payload| v4(payload));
        nexthops.push(hop(*flags, u32::from(*hops) + 1, u32::from_le_bytes([*a, *b, *c, *d]), via));
        ways = ways.get(length.max(8)..).unwrap_or_default();
    }
    let values = message.attrs.get(&8).map(|payload| attributes(payload)).unwrap_or_default();
    let lock = values.get(&1).and_then(|payload| le_u32(payload)).unwrap_or(0);
    let metric = |(&number, payload): (&u16, &&[u8])| {
        let number = u8::try_from(number).ok().filter(|&number| (2..32).contains(&number))?;
        Some(RouteMetric { number, value: le_u32(payload)?, locked: lock & 1 << number != 0 })
    };
    let all: Vec<RouteMetric> = values.iter().filter_map(metric).collect();
    let kind = KINDS.iter().find(|(number, _)| *number == header[7]);
    RouteInfo {
        table: TableId(message.u32(15).unwrap_or(u32::from(header[4]))),
        dst: net_of(message.v4(1), header[1]),
        kind: kind.map_or(RouteKind::Unicast, |(_, kind)| *kind),
        tos: header[3],
        metric: message.u32(6).unwrap_or(0),
        proto: RouteProto(header[5]),
        scope: Scope(header[6]),
        prefsrc: message.v4(7).map(IpAddr::V4),
        mtu: all.iter().find(|m| m.number == 2).map(|m| (m.value, m.locked)),
        advmss: all.iter().find(|m| m.number == 8).map(|m| m.value),
        metrics: all.into_iter().filter(|m| !matches!(m.number, 2 | 8)).collect(),
        nexthops,
        nhid: message.u32(30),
    }
}

/// `ip addr save`.
pub fn save_addrs(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let (asked, env) = (ip.asked(), ip.env());
    let filter = filter::Filter::parse(words, Listing::Addr, &ip.options, env)?;
    let index = filter.dev.as_ref().and_then(|dev| env.index_of(dev));
    let addrs = ip.console.sys.kernel().addrs(ip.netns);
    // The other words are about listings.
    let taken = addrs.iter().filter(|info| index.is_none_or(|index| index == info.ifindex));
    let messages = taken.map(|info| addr_message(info, env, asked)).collect();
    ip.write_dump(ADDR_MAGIC, messages)
}

/// `ip addr restore`.
pub fn restore_addrs(ip: &mut Ip<'_, '_>) -> Result<i32, Stop> {
    let bytes = ip.read_dump(ADDR_MAGIC, "address").map_err(exits)?;
    for message in Received::all(&bytes, 8).iter().filter(|message| message.kind == RTM_NEWADDR) {
        let env = ip.env();
        match list::spec_of(&read_addr(message, env.now), env) {
            Some(spec) => ip.restore_one(Request::AddrAdd(spec, Mode::Add)).map_err(exits)?,
            None => return Err(Stop::exit(255, "RTNETLINK answers: No such device")),
        }
    }
    Ok(0)
}

/// `ip addr showdump`.
pub fn show_addrs(ip: &mut Ip<'_, '_>) -> Result<i32, Stop> {
    let bytes = ip.read_dump(ADDR_MAGIC, "address").map_err(exits)?;
    let env = ip.env();
    let mut p = ip.options.printer();
    p.open_object("");
    p.open_array("addr_info");
    for message in Received::all(&bytes, 8).iter().filter(|message| message.kind == RTM_NEWADDR) {
        let info = read_addr(message, env.now);
        p.open_object("");
        p.any("index", "if{}:", info.ifindex.0);
        p.nl();
        addr_show::print_addr(&mut p, &info, false, &ip.options, env);
        p.close_object();
    }
    p.close_array("");
    p.close_object();
    ip.console.out(&p.finish());
    Ok(0)
}

/// Kernel: `net/ipv4/devinet.c`, `inet_fill_ifaddr`. The stamps are in hundredths of a second.
fn addr_message(info: &AddrInfo, env: Env<'_>, asked: Asked) -> Vec<u8> {
    let addr = &info.addr;
    let flags = flags_of(addr);
    let mut header = vec![AF_INET, addr.local.prefix_len(), (flags & 0xff) as u8, addr.scope.0];
    header.extend(info.ifindex.0.to_le_bytes());
    let mut message = Message::new(RTM_NEWADDR, NLM_F_MULTI, asked.seq, asked.pid, &header);
    message.attr(1, &octets(addr.peer.unwrap_or(addr.local.addr())));
    message.attr(2, &octets(addr.local.addr()));
    if let Some(broadcast) = addr.broadcast {
        message.attr(4, &octets(broadcast));
    }
    message.attr_str(3, &addr.label);
    message.attr_u32(8, flags);
    if addr.metric != 0 {
        message.attr_u32(9, addr.metric);
    }
    let (valid, preferred) = addr.lifetime.map_or((u32::MAX, u32::MAX), |lifetime| lifetime.left(env.now));
    let since = addr.lifetime.map_or(env.now, |lifetime| lifetime.since);
    let stamp = u32::try_from(since.0 / 10_000_000).unwrap_or(u32::MAX);
    message.attr(6, &[preferred, valid, stamp, stamp].map(u32::to_le_bytes).concat());
    message.finish()
}

fn read_addr(message: &Received<'_>, now: packet::SimTime) -> AddrInfo {
    let header = message.header;
    let local = net_of(message.v4(2), header[1]);
    let flags = message.u32(8).unwrap_or(u32::from(header[2]));
    let numbers = message.attrs.get(&6).copied().unwrap_or_default();
    let preferred = le_u32(numbers).unwrap_or(u32::MAX);
    let valid = numbers.get(4..).and_then(le_u32).unwrap_or(u32::MAX);
    let lifetime = (valid != u32::MAX).then_some(AddrLifetime { valid, preferred, since: now });
    AddrInfo {
        ifindex: IfIndex(le_u32(&header[4..]).unwrap_or(0)),
        addr: InterfaceAddr {
            local,
            peer: message.v4(1).map(IpAddr::V4).filter(|peer| *peer != local.addr()),
            broadcast: message.v4(4).map(IpAddr::V4),
            scope: Scope(header[3]),
            label: message.str(3).unwrap_or_default(),
            flags: AddrFlags {
                secondary: flags & 1 != 0,
                noprefixroute: flags & 0x200 != 0,
                deprecated: flags & 0x20 != 0,
            },
            metric: message.u32(9).unwrap_or(0),
            lifetime,
        },
    }
}
