//! `ip rule`. iproute2: `ip/iprule.c`.

use ipnet::IpNet;
use kernel::request::{Request, RuleSpec};
use kernel::{RouteKind, RouteProto, Rule, RuleAction, TableId};

use super::options::Options;
use crate::console::Stop;
use crate::iproute::args::{
    self, Family, Prefix, Words, get_prefix, get_u32, invarg, matches, matches_any, not_simulated,
};
use crate::iproute::env::Env;
use crate::iproute::names::{
    dsfield_name, ip_proto_name, proto_name, read_dsfield, read_ip_proto, read_proto, read_route_kind,
    read_table, table_name,
};
use crate::iproute::printer::{Printer, hex};

/// What a `rule` command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `add`.
    Add,
    /// `delete`.
    Delete,
}

/// Simplified: the first lines of the real text.
pub fn usage() -> Stop {
    Stop::text(
        255,
        "Usage: ip rule { add | del } SELECTOR ACTION\n       ip rule { flush | save | restore }\n       \
         ip rule [ list [ SELECTOR ]]\n",
    )
}

const fn empty_rule() -> Rule {
    Rule {
        priority: 0,
        not: false,
        from: None,
        to: None,
        iif: None,
        oif: None,
        fwmark: None,
        tos: 0,
        ipproto: None,
        sport: None,
        dport: None,
        action: RuleAction::Lookup(TableId(0)),
        suppress_prefixlength: None,
        proto: RouteProto(0),
        uidrange: None,
    }
}

/// `all` and `0/0` are no prefix.
fn some_net(prefix: &Prefix) -> Option<IpNet> {
    (prefix.len != 0).then(|| prefix.net())
}

/// `FWMARK[/MASK]`.
fn read_fwmark(word: &str) -> Result<(u32, Option<u32>), Stop> {
    let (mark, mask) = word.split_once('/').map_or((word, None), |(mark, mask)| (mark, Some(mask)));
    let mark = get_u32(mark).ok_or_else(|| invarg("fwmark value is invalid\n", mark))?;
    let mask = mask
        .map(|mask| get_u32(mask).ok_or_else(|| invarg("fwmask value is invalid\n", mask)))
        .transpose()?;
    Ok((mark, mask))
}

/// `N` or `N-M` as `sscanf("%hu-%hu")` reads it.
fn read_ports(word: &str, what: &str) -> Result<(u16, u16), Stop> {
    let leading = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let number = text.get(..end)?.parse::<u64>().ok()?;
        // As %hu does: the low 16 bits.
        Some((u16::try_from(number & 0xffff).ok()?, text.get(end..)?.to_owned()))
    };
    let (start, rest) = leading(word).ok_or_else(|| invarg(&format!("invalid {what} range\n"), word))?;
    let end = rest.strip_prefix('-').and_then(leading).map_or(start, |(end, _)| end);
    Ok((start, end))
}

fn read_uidrange(word: &str) -> Result<(u32, u32), Stop> {
    let range = word.split_once('-').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    range.ok_or_else(|| invarg("invalid UID range\n", word))
}

/// `ip rule add|delete …`. iproute2: `iprule_modify`.
///
/// # Errors
/// What iproute2 says about words it doesn't take.
pub fn parse(words: &[&str], verb: Verb, options: &Options) -> Result<Request, Stop> {
    if words.is_empty() {
        let name = if verb == Verb::Add { "add" } else { "del" };
        return Err(Stop::fail(-1, format!("\"ip rule {name}\" requires arguments.")));
    }
    let family = options.family;
    let mut rule = empty_rule();
    let (mut priority_given, mut action_given) = (false, false);
    let mut words = Words::new(words);
    while let Some(word) = words.next_word() {
        match word {
            "not" => rule.not = true,
            "from" => rule.from = some_net(&get_prefix(words.value()?, family)?),
            "to" => rule.to = some_net(&get_prefix(words.value()?, family)?),
            _ if matches_any(word, &["preference", "order", "priority"]) => {
                let value = words.value()?;
                rule.priority =
                    get_u32(value).ok_or_else(|| invarg("preference value is invalid\n", value))?;
                priority_given = true;
            }
            _ if word == "tos" || matches(word, "dsfield") => {
                let value = words.value()?;
                rule.tos = read_dsfield(value).ok_or_else(|| invarg("TOS value is invalid\n", value))?;
            }
            "fwmark" => {
                let (mark, mask) = read_fwmark(words.value()?)?;
                rule.fwmark = Some((mark, mask.unwrap_or(u32::MAX)));
            }
            _ if matches(word, "realms") => return Err(not_simulated("ip", word)),
            _ if matches(word, "protocol") => {
                let value = words.value()?;
                rule.proto =
                    read_proto(value).ok_or_else(|| invarg("\"protocol\" value is invalid\n", value))?;
            }
            _ if matches(word, "tun_id") => return Err(not_simulated("ip", word)),
            _ if word == "lookup" || matches(word, "table") => {
                let value = words.value()?;
                let table = read_table(value).ok_or_else(|| invarg("invalid table ID\n", value))?;
                rule.action = RuleAction::Lookup(table);
                action_given = true;
            }
            _ if word == "sup_pl" || matches(word, "suppress_prefixlength") => {
                let value = words.value()?;
                let len = args::get_integer(value).and_then(|len| u32::try_from(len).ok());
                let len = len.ok_or_else(|| invarg("suppress_prefixlength value is invalid\n", value))?;
                rule.suppress_prefixlength = Some(len);
            }
            _ if word == "sup_group" || matches(word, "suppress_ifgroup") => {
                return Err(not_simulated("ip", word));
            }
            "dev" | "iif" => {
                let value = words.value()?;
                if !args::is_ifname(value) {
                    return Err(invarg("\"iif\"/\"dev\" not a valid ifname", value));
                }
                rule.iif = Some(value.to_owned());
            }
            "oif" => {
                let value = words.value()?;
                if !args::is_ifname(value) {
                    return Err(invarg("\"oif\" not a valid ifname", value));
                }
                rule.oif = Some(value.to_owned());
            }
            "l3mdev" | "nat" => return Err(not_simulated("ip", word)),
            "uidrange" => rule.uidrange = Some(read_uidrange(words.value()?)?),
            _ if matches(word, "map-to") => return Err(not_simulated("ip", word)),
            "ipproto" => {
                let value = words.value()?;
                let proto =
                    read_ip_proto(value).ok_or_else(|| invarg("Invalid \"ipproto\" value\n", value))?;
                rule.ipproto = Some(proto);
            }
            "sport" => rule.sport = Some(read_ports(words.value()?, "port")?),
            "dport" => rule.dport = Some(read_ports(words.value()?, "dport")?),
            _ => {
                let value = if word == "type" { words.value()? } else { word };
                rule.action = read_action(value, &mut words)?;
                action_given = true;
            }
        }
    }
    if family == Family::Inet6 {
        return Err(not_simulated("ip", "-6 rule"));
    }
    if verb == Verb::Add && !action_given {
        rule.action = RuleAction::Lookup(TableId::MAIN);
    }
    let action_given = action_given || verb == Verb::Add;
    let spec = RuleSpec { rule, priority_given, action_given, duplicate: false };
    Ok(match verb {
        Verb::Add => Request::RuleAdd(spec),
        Verb::Delete => Request::RuleDel(spec),
    })
}

fn read_action(word: &str, words: &mut Words<'_>) -> Result<RuleAction, Stop> {
    if matches(word, "help") {
        return Err(usage());
    }
    if matches(word, "goto") {
        let value = words.value()?;
        let target = get_u32(value).ok_or_else(|| invarg("invalid target\n", value))?;
        return Ok(RuleAction::Goto(target));
    }
    if matches(word, "nop") {
        return Ok(RuleAction::Nop);
    }
    match read_route_kind(word) {
        Some(Ok(RouteKind::Blackhole)) => Ok(RuleAction::Blackhole),
        Some(Ok(RouteKind::Unreachable)) => Ok(RuleAction::Unreachable),
        Some(Ok(RouteKind::Prohibit)) => Ok(RuleAction::Prohibit),
        // FR_ACT_TO_TBL has the number of `unicast`.
        Some(Ok(RouteKind::Unicast)) => Ok(RuleAction::Lookup(TableId(0))),
        Some(Ok(_)) => Err(Stop::fail(-2, "RTNETLINK answers: Invalid argument")),
        Some(Err(name)) => Err(not_simulated("ip", name)),
        None => Err(invarg("Failed to parse rule type", word)),
    }
}

/// The words after `show` or `flush`. iproute2: `iprule_list_flush_or_save`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleFilter {
    priority: Option<u32>,
    not: bool,
    from: Option<Prefix>,
    to: Option<Prefix>,
    tos: Option<u8>,
    fwmark: Option<u32>,
    fwmask: Option<u32>,
    iif: Option<String>,
    oif: Option<String>,
    uidrange: Option<(u32, u32)>,
    ipproto: Option<u8>,
    sport: Option<(u16, u16)>,
    dport: Option<(u16, u16)>,
    table: Option<TableId>,
    /// For `flush` only.
    proto: Option<RouteProto>,
}

impl RuleFilter {
    /// Reads the words.
    ///
    /// # Errors
    /// What iproute2 says about words it doesn't take.
    pub fn parse(words: &[&str], options: &Options) -> Result<Self, Stop> {
        let family = if options.family == Family::Unspec { Family::Inet } else { options.family };
        let mut f = Self::default();
        let mut words = Words::new(words);
        while let Some(word) = words.next_word() {
            match word {
                _ if matches_any(word, &["preference", "order", "priority"]) => {
                    let value = words.value()?;
                    let priority =
                        get_u32(value).ok_or_else(|| invarg("preference value is invalid\n", value))?;
                    f.priority = Some(priority);
                }
                "not" => f.not = true,
                "tos" | "dsfield" => {
                    let value = words.value()?;
                    f.tos = Some(read_dsfield(value).ok_or_else(|| invarg("TOS value is invalid\n", value))?);
                }
                "fwmark" => {
                    let (mark, mask) = read_fwmark(words.value()?)?;
                    (f.fwmark, f.fwmask) = (Some(mark).filter(|&m| m != 0), mask.filter(|&m| m != 0));
                }
                "dev" | "iif" => f.iif = Some(words.value()?.to_owned()),
                "oif" => f.oif = Some(words.value()?.to_owned()),
                "l3mdev" => return Err(not_simulated("ip", word)),
                "uidrange" => f.uidrange = Some(read_uidrange(words.value()?)?),
                _ if matches(word, "tun_id") => return Err(not_simulated("ip", word)),
                _ if matches_any(word, &["lookup", "table"]) => {
                    let value = words.value()?;
                    let table =
                        read_table(value).ok_or_else(|| invarg("table id value is invalid\n", value))?;
                    f.table = Some(table).filter(|table| table.0 != 0);
                }
                _ if matches_any(word, &["from", "src"]) => {
                    f.from = Some(get_prefix(words.value()?, family)?)
                }
                _ if matches(word, "protocol") => {
                    let value = words.value()?;
                    f.proto = match read_proto(value) {
                        Some(proto) => Some(proto),
                        None if value == "all" => None,
                        None => return Err(invarg("invalid \"protocol\"\n", value)),
                    };
                }
                "ipproto" => {
                    let value = words.value()?;
                    let proto =
                        read_ip_proto(value).ok_or_else(|| invarg("Invalid \"ipproto\" value\n", value))?;
                    f.ipproto = Some(proto).filter(|&p| p != 0);
                }
                "sport" => f.sport = Some(read_ports(words.value()?, "port")?).filter(|r| r.0 != 0),
                "dport" => f.dport = Some(read_ports(words.value()?, "dport")?).filter(|r| r.0 != 0),
                _ => {
                    let value = if matches_any(word, &["dst", "to"]) { words.value()? } else { word };
                    f.to = Some(get_prefix(value, family)?);
                }
            }
        }
        Ok(f)
    }

    /// Whether a rule passes. iproute2: `filter_nlmsg`.
    pub fn takes(&self, rule: &Rule) -> bool {
        let inside = |wanted: &Prefix, net: Option<IpNet>| {
            let len = net.map_or(0, |net| net.prefix_len());
            wanted.len <= len
                && (wanted.len == 0 || net.is_some_and(|net| wanted.net().contains(&net.addr())))
        };
        let (mark, mask) = rule.fwmark.unwrap_or((0, 0));
        let table = match rule.action {
            RuleAction::Lookup(table) => table,
            _ => TableId(0),
        };
        self.priority.is_none_or(|priority| priority == rule.priority)
            && (!self.not || rule.not)
            && self.from.as_ref().is_none_or(|from| inside(from, rule.from))
            && self.to.as_ref().is_none_or(|to| inside(to, rule.to))
            && self.tos.is_none_or(|tos| tos == rule.tos)
            && self.fwmark.is_none_or(|wanted| wanted == mark)
            && self.fwmask.is_none_or(|wanted| wanted == mask)
            && (self.iif.is_none() || self.iif == rule.iif)
            && (self.oif.is_none() || self.oif == rule.oif)
            && (self.uidrange.is_none() || self.uidrange == rule.uidrange)
            && (self.ipproto.is_none() || self.ipproto == rule.ipproto)
            && (self.sport.is_none() || self.sport == rule.sport)
            && (self.dport.is_none() || self.dport == rule.dport)
            && self.table.is_none_or(|wanted| wanted == table)
    }

    /// Whether `flush` deletes a rule: those of priority 0 stay.
    pub fn flushes(&self, rule: &Rule) -> bool {
        self.takes(rule) && self.proto.is_none_or(|proto| proto == rule.proto) && rule.priority != 0
    }
}

/// The deletion of one listed rule, as `flush` sends it back.
pub fn deletion(rule: &Rule) -> Request {
    Request::RuleDel(RuleSpec {
        rule: rule.clone(),
        priority_given: true,
        action_given: true,
        duplicate: false,
    })
}

/// One rule. `rules` are all of the namespace: a goto may point to none of them.
/// iproute2: `print_rule`.
pub fn print_rule(p: &mut Printer, rule: &Rule, rules: &[Rule], options: &Options, env: Env<'_>) {
    p.open_object("");
    p.any("priority", "{}:\t", rule.priority);
    if rule.not {
        p.null("not", "not ");
    }
    match rule.from {
        Some(net) => print_net(p, "src", "srclen", "from ", &net),
        None => p.any("src", "from {}", "all"),
    }
    if let Some(net) = rule.to {
        print_net(p, "dst", "dstlen", " to ", &net);
    }
    if rule.tos != 0 {
        p.any("tos", " tos {}", dsfield_name(rule.tos, options.numeric));
    }
    if let Some((mark, mask)) = rule.fwmark {
        p.any("fwmark", " fwmark {}", hex(mark.into()));
        if mask != u32::MAX {
            p.any("fwmask", "/{}", hex(mask.into()));
        }
    }
    for (key, name) in [("iif", &rule.iif), ("oif", &rule.oif)] {
        if let Some(name) = name {
            p.any(key, &format!(" {key} {{}}"), name.as_str());
            if env.index_of(name).is_none() {
                p.null(&format!("{key}_detached"), " [detached]");
            }
        }
    }
    if let Some((first, last)) = rule.uidrange {
        p.any("uid_start", " uidrange {}", first);
        p.any("uid_end", "-{}", last);
    }
    if let Some(proto) = rule.ipproto {
        p.any("ipproto", " ipproto {}", ip_proto_name(proto, options.numeric));
    }
    for (key, range) in [("sport", rule.sport), ("dport", rule.dport)] {
        match range {
            Some((start, end)) if start == end => p.any(key, &format!(" {key} {{}}"), start),
            Some((start, end)) => {
                p.any(&format!("{key}_start"), &format!(" {key} {{}}"), start);
                p.any(&format!("{key}_end"), "-{}", end);
            }
            None => {}
        }
    }
    match rule.action {
        RuleAction::Lookup(table) => {
            p.any("table", " lookup {}", table_name(table, options.numeric));
            if let Some(len) = rule.suppress_prefixlength {
                p.any("suppress_prefixlen", " suppress_prefixlength {}", len);
            }
        }
        RuleAction::Goto(target) => {
            p.any("goto", " goto {}", target);
            if !rules.iter().any(|other| other.priority == target) {
                p.null("unresolved", " [unresolved]");
            }
        }
        RuleAction::Nop => p.null("nop", " nop"),
        RuleAction::Unreachable => p.any("action", " {}", "unreachable"),
        RuleAction::Blackhole => p.any("action", " {}", "blackhole"),
        RuleAction::Prohibit => p.any("action", " {}", "prohibit"),
    }
    if options.details || (rule.proto != RouteProto(0) && rule.proto != RouteProto::KERNEL) {
        p.any("protocol", " proto {}", proto_name(rule.proto, options.numeric));
    }
    p.fp("\n");
    p.close_object();
}

fn print_net(p: &mut Printer, key: &str, len_key: &str, before: &str, net: &IpNet) {
    p.fp(before);
    p.any(key, "{}", net.addr().to_string());
    if net.prefix_len() != net.max_prefix_len() {
        p.any(len_key, "/{}", net.prefix_len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_ranges_are_read_as_sscanf_does() {
        assert_eq!(read_ports("80", "port"), Ok((80, 80)));
        assert_eq!(read_ports("1000-2000", "port"), Ok((1000, 2000)));
        assert_eq!(read_ports("70000", "port"), Ok((4464, 4464)));
        assert_eq!(read_ports("80x", "port"), Ok((80, 80)));
        assert!(read_ports("x", "port").is_err());
    }
}
