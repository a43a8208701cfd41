use std::fmt::{self, Display, Formatter};

use ipnet::IpNet;

use crate::path::prefix_text;
use crate::request::{AddrSpec, Lifetimes, Mode, NextHopSpec, NexthopSpec, RouteSpec, RuleSpec};
use crate::{RouteKind, RouteMetric, RouteProto, RuleAction, Scope, TableId};

/// The word for a route type.
pub(crate) fn kind_word(kind: RouteKind) -> &'static str {
    match kind {
        RouteKind::Unicast => "unicast",
        RouteKind::Local => "local",
        RouteKind::Broadcast => "broadcast",
        RouteKind::Multicast => "multicast",
        RouteKind::Blackhole => "blackhole",
        RouteKind::Unreachable => "unreachable",
        RouteKind::Prohibit => "prohibit",
        RouteKind::Throw => "throw",
    }
}

/// The word or number for who made a route. iproute2: `/usr/share/iproute2/rt_protos`.
pub(crate) fn proto_word(proto: RouteProto) -> String {
    match proto {
        RouteProto::REDIRECT => "redirect".to_owned(),
        RouteProto::KERNEL => "kernel".to_owned(),
        RouteProto::BOOT => "boot".to_owned(),
        RouteProto::STATIC => "static".to_owned(),
        RouteProto(number) => number.to_string(),
    }
}

/// The word or number for a scope.
pub(crate) fn scope_word(scope: Scope) -> String {
    match scope {
        Scope::GLOBAL => "global".to_owned(),
        Scope::SITE => "site".to_owned(),
        Scope::LINK => "link".to_owned(),
        Scope::HOST => "host".to_owned(),
        Scope::NOWHERE => "nowhere".to_owned(),
        Scope(number) => number.to_string(),
    }
}

fn table_word(table: TableId) -> String {
    match table {
        TableId::LOCAL => "local".to_owned(),
        TableId::MAIN => "main".to_owned(),
        TableId::DEFAULT => "default".to_owned(),
        TableId(number) => number.to_string(),
    }
}

/// `add`, `replace`, …
pub(crate) fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Add => "add",
        Mode::Replace => "replace",
        Mode::Change => "change",
        Mode::Append => "append",
        Mode::Prepend => "prepend",
        Mode::Test => "test",
    }
}

/// ` word value` if there is one.
fn word<T: Display>(f: &mut Formatter<'_>, name: &str, value: &Option<T>) -> fmt::Result {
    match value {
        Some(value) => write!(f, " {name} {value}"),
        None => Ok(()),
    }
}

impl Display for AddrSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { dev, local, peer, broadcast, scope, label, noprefixroute, metric, lifetime } = self;
        match peer {
            Some(peer) => write!(f, "{} peer {peer}", local.addr())?,
            None => write!(f, "{local}")?,
        }
        word(f, "brd", broadcast)?;
        write!(f, " dev {dev}")?;
        word(f, "scope", &scope.map(scope_word))?;
        word(f, "label", label)?;
        if *metric != 0 {
            write!(f, " metric {metric}")?;
        }
        if *noprefixroute {
            write!(f, " noprefixroute")?;
        }
        let seconds = |lft: u32| match lft {
            Lifetimes::FOREVER => "forever".to_owned(),
            seconds => seconds.to_string(),
        };
        word(f, "valid_lft", &lifetime.map(|lifetime| seconds(lifetime.valid)))?;
        word(f, "preferred_lft", &lifetime.map(|lifetime| seconds(lifetime.preferred)))
    }
}

impl Display for NextHopSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { dev, via, onlink, weight } = self;
        word(f, "via", via)?;
        word(f, "dev", dev)?;
        word(f, "weight", weight)?;
        if *onlink {
            write!(f, " onlink")?;
        }
        Ok(())
    }
}

/// ` name value` of a metric, in the unit that iproute2 reads.
fn metric_text(f: &mut Formatter<'_>, metric: &RouteMetric) -> fmt::Result {
    let RouteMetric { number, value, locked } = *metric;
    let (name, value) = match number {
        3 => ("window", value.to_string()),
        4 => ("rtt", format!("{}ms", value / 8)),
        5 => ("rttvar", format!("{}ms", value / 4)),
        6 => ("ssthresh", value.to_string()),
        7 => ("cwnd", value.to_string()),
        9 => ("reordering", value.to_string()),
        10 => ("hoplimit", value.to_string()),
        11 => ("initcwnd", value.to_string()),
        13 => ("rto_min", format!("{value}ms")),
        14 => ("initrwnd", value.to_string()),
        15 => ("quickack", value.to_string()),
        _ => return Ok(()),
    };
    write!(f, " {name} {}{value}", if locked { "lock " } else { "" })
}

impl Display for RouteSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(kind) = self.kind {
            write!(f, "{} ", kind_word(kind))?;
        }
        write!(f, "{}", self.dst.as_ref().map_or_else(|| "default".to_owned(), prefix_text))?;
        if self.tos != 0 {
            write!(f, " tos {:#04x}", self.tos)?;
        }
        let several = self.is_multipath();
        if let ([nh], false) = (self.nexthops.as_slice(), several) {
            write!(f, "{nh}")?;
        }
        word(f, "nhid", &self.nhid)?;
        word(f, "table", &self.table.map(table_word))?;
        word(f, "proto", &self.proto.map(proto_word))?;
        word(f, "scope", &self.scope.map(scope_word))?;
        word(f, "src", &self.prefsrc)?;
        word(f, "metric", &self.metric)?;
        if let Some((mtu, locked)) = self.mtu {
            write!(f, " mtu {}{mtu}", if locked { "lock " } else { "" })?;
        }
        word(f, "advmss", &self.advmss)?;
        for metric in &self.metrics {
            metric_text(f, metric)?;
        }
        if several {
            for nh in &self.nexthops {
                write!(f, " nexthop{nh}")?;
            }
        }
        Ok(())
    }
}

impl Display for NexthopSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { id, via, dev, onlink, blackhole, group, proto } = self;
        word(f, "id", id)?;
        word(f, "via", via)?;
        word(f, "dev", dev)?;
        if *onlink {
            write!(f, " onlink")?;
        }
        if *blackhole {
            write!(f, " blackhole")?;
        }
        let member = |(id, weight): &(u32, Option<u32>)| match weight {
            Some(weight) => format!("{id},{weight}"),
            None => id.to_string(),
        };
        let members = group.as_ref().map(|group| group.iter().map(member).collect::<Vec<_>>().join("/"));
        word(f, "group", &members)?;
        if *proto != RouteProto(0) {
            write!(f, " proto {}", proto_word(*proto))?;
        }
        Ok(())
    }
}

impl Display for RuleSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { rule, priority_given, action_given, duplicate: _ } = self;
        let mut words: Vec<String> = Vec::new();
        let range = |(first, last): (u16, u16)| {
            if first == last { first.to_string() } else { format!("{first}-{last}") }
        };
        if *priority_given {
            words.push(format!("pref {}", rule.priority));
        }
        if rule.not {
            words.push("not".to_owned());
        }
        let net = |net: &IpNet| if net.prefix_len() == 0 { "all".to_owned() } else { prefix_text(net) };
        words.extend(rule.from.as_ref().map(|from| format!("from {}", net(from))));
        words.extend(rule.to.as_ref().map(|to| format!("to {}", net(to))));
        words.extend((rule.tos != 0).then(|| format!("tos {:#04x}", rule.tos)));
        words.extend(rule.fwmark.map(|(mark, mask)| match mask {
            u32::MAX => format!("fwmark {mark:#x}"),
            mask => format!("fwmark {mark:#x}/{mask:#x}"),
        }));
        words.extend(rule.iif.as_ref().map(|dev| format!("iif {dev}")));
        words.extend(rule.oif.as_ref().map(|dev| format!("oif {dev}")));
        words
            .extend((rule.proto != RouteProto::BOOT).then(|| format!("protocol {}", proto_word(rule.proto))));
        words.extend(rule.uidrange.map(|(first, last)| format!("uidrange {first}-{last}")));
        words.extend(rule.ipproto.map(|proto| match proto {
            1 => "ipproto icmp".to_owned(),
            6 => "ipproto tcp".to_owned(),
            17 => "ipproto udp".to_owned(),
            other => format!("ipproto {other}"),
        }));
        words.extend(rule.sport.map(|ports| format!("sport {}", range(ports))));
        words.extend(rule.dport.map(|ports| format!("dport {}", range(ports))));
        if *action_given {
            words.push(match rule.action {
                RuleAction::Lookup(table) => format!("lookup {}", table_word(table)),
                RuleAction::Goto(priority) => format!("goto {priority}"),
                RuleAction::Nop => "nop".to_owned(),
                RuleAction::Unreachable => "unreachable".to_owned(),
                RuleAction::Blackhole => "blackhole".to_owned(),
                RuleAction::Prohibit => "prohibit".to_owned(),
            });
        }
        words.extend(rule.suppress_prefixlength.map(|len| format!("suppress_prefixlength {len}")));
        f.write_str(&words.join(" "))
    }
}
