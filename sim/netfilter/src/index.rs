//! Long chains by index: the rules that a packet may fit are found without asking the others.

use std::net::IpAddr;

use packet::{Proto, Skb};
use rustc_hash::FxHashMap;

use crate::selector::{AddrMask, DevPattern, Not};
use crate::{EvalCx, Installed, Match, Rule, transport};

/// The rules of a chain by the one condition of each that rules out most packets.
///
/// A rule that isn't asked has counted, remembered and logged nothing, so that a walk by index is
/// the walk from rule to rule: conditions of a rule that change state come after the one it is
/// found by. Debug builds check each rule that was left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct RuleIndex {
    by_dst: FxHashMap<IpAddr, Vec<usize>>,
    by_src: FxHashMap<IpAddr, Vec<usize>>,
    by_dport: FxHashMap<(Proto, u16), Vec<usize>>,
    by_input: FxHashMap<String, Vec<usize>>,
    by_output: FxHashMap<String, Vec<usize>>,
    /// Rules without such a condition.
    others: Vec<usize>,
}

/// The condition by which a rule is found.
enum Key<'a> {
    Dst(IpAddr),
    Src(IpAddr),
    Dport(Proto, u16),
    Input(&'a str),
    Output(&'a str),
    None,
}

impl RuleIndex {
    /// From so many rules on, an index costs less than the walk.
    pub(crate) const WORTHWHILE: usize = 16;

    pub(crate) fn new(rules: &[Installed]) -> Self {
        let mut index = Self::default();
        for (number, installed) in rules.iter().enumerate() {
            match key_of(&installed.rule) {
                Key::Dst(addr) => index.by_dst.entry(addr).or_default().push(number),
                Key::Src(addr) => index.by_src.entry(addr).or_default().push(number),
                Key::Dport(proto, port) => index.by_dport.entry((proto, port)).or_default().push(number),
                Key::Input(name) => index.by_input.entry(name.to_owned()).or_default().push(number),
                Key::Output(name) => index.by_output.entry(name.to_owned()).or_default().push(number),
                Key::None => index.others.push(number),
            }
        }
        index
    }

    /// The first rule from `from` on that the packet may fit.
    pub(crate) fn next(&self, from: usize, cx: &EvalCx<'_>, skb: &Skb) -> Option<usize> {
        let packet = skb.ip();
        let by_dport = match transport::ports(packet) {
            Some((_, dport)) if !self.by_dport.is_empty() => self.by_dport.get(&(packet.proto(), dport)),
            _ => None,
        };
        let lists = [
            Some(&self.others),
            find(&self.by_dst, &packet.dst()),
            find(&self.by_src, &packet.src()),
            by_dport,
            find(&self.by_input, cx.in_name),
            find(&self.by_output, cx.out_name),
        ];
        let first = |list: &Vec<usize>| list.get(list.partition_point(|number| *number < from)).copied();
        lists.into_iter().flatten().filter_map(first).min()
    }
}

fn find<'a, K, Q>(map: &'a FxHashMap<K, Vec<usize>>, key: &Q) -> Option<&'a Vec<usize>>
where
    K: std::borrow::Borrow<Q> + Eq + std::hash::Hash,
    Q: Eq + std::hash::Hash + ?Sized,
{
    if map.is_empty() { None } else { map.get(key) }
}

fn key_of(rule: &Rule) -> Key<'_> {
    let host = |addr: &Option<Not<AddrMask>>| match addr {
        Some(Not { invert: false, value })
            if value.prefix_len() == Some(if value.addr.is_ipv4() { 32 } else { 128 }) =>
        {
            Some(value.addr)
        }
        _ => None,
    };
    let exact = |dev: &'_ Option<Not<DevPattern>>| match dev {
        Some(Not { invert: false, value }) => !value.0.ends_with('+'),
        _ => false,
    };
    let selector = &rule.selector;
    if let Some(addr) = host(&selector.dst) {
        return Key::Dst(addr);
    }
    if let Some(addr) = host(&selector.src) {
        return Key::Src(addr);
    }
    if let Some((proto, port)) = dport_of(rule) {
        return Key::Dport(proto, port);
    }
    match (&selector.input, &selector.output) {
        (Some(input), _) if exact(&selector.input) => Key::Input(&input.value.0),
        (_, Some(output)) if exact(&selector.output) => Key::Output(&output.value.0),
        _ => Key::None,
    }
}

/// The only destination port of a rule, if it is asked before anything that changes state.
fn dport_of(rule: &Rule) -> Option<(Proto, u16)> {
    let (proto, dport) = match ports_match(rule)? {
        Match::TcpMatch(tcp) => (Proto::TCP, tcp.dport.as_ref()?),
        Match::UdpMatch(udp) => (Proto::UDP, udp.dport.as_ref()?),
        _ => return None,
    };
    (!dport.invert && dport.value.min == dport.value.max).then_some((proto, dport.value.min))
}

/// The first match that isn't a comment.
fn ports_match(rule: &Rule) -> Option<&Match> {
    rule.matches.iter().find(|m| !matches!(m, Match::Comment(_)))
}

/// Whether a rule that the index leaves out could fit: a specification of the index.
pub(crate) fn could_fit(rule: &Rule, cx: &mut EvalCx<'_>, skb: &Skb) -> bool {
    rule.selector.matches(cx, skb)
        && match ports_match(rule) {
            Some(m @ (Match::TcpMatch(_) | Match::UdpMatch(_))) => m.matches(cx, skb),
            _ => true,
        }
}
