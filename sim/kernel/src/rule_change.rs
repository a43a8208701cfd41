use std::sync::Arc;

use ipnet::IpNet;
use packet::NetnsId;
use trace::Observer;

use crate::request::RuleSpec;
use crate::{Cx, Errno, Fib, Refusal, RouteProto, Rule, RuleAction};

impl<O: Observer> Cx<'_, O> {
    /// Adds a rule. Kernel: `net/core/fib_rules.c`, `fib_nl_newrule`.
    pub(crate) fn rule_add(&mut self, ns: NetnsId, spec: &RuleSpec) -> Result<(), Refusal> {
        let fib = &mut self.host.ns_mut(ns).fib;
        let mut rule = spec.rule.clone();
        if !spec.priority_given {
            rule.priority = default_priority(fib);
        }
        check(&rule)?;
        let same = |old: &Rule| Rule { proto: rule.proto, not: rule.not, ..old.clone() } == rule;
        if !spec.duplicate && fib.rules.iter().any(same) {
            return Err(Errno::Exist.into());
        }
        let rules = Arc::make_mut(&mut fib.rules);
        let at = rules.iter().position(|old| old.priority > rule.priority).unwrap_or(rules.len());
        rules.insert(at, rule);
        fib.has_custom_rules = true;
        Ok(())
    }

    /// Deletes the first rule that fits. Kernel: `net/core/fib_rules.c`, `fib_nl_delrule`.
    pub(crate) fn rule_del(&mut self, ns: NetnsId, spec: &RuleSpec) -> Result<(), Refusal> {
        let fib = &mut self.host.ns_mut(ns).fib;
        let at = fib.rules.iter().position(|rule| deletion_fits(spec, rule)).ok_or(Errno::NoEnt)?;
        Arc::make_mut(&mut fib.rules).remove(at);
        fib.has_custom_rules = true;
        Ok(())
    }
}

/// One less than the second rule's. Kernel: `net/core/fib_rules.c`, `fib_default_rule_pref`.
fn default_priority(fib: &Fib) -> u32 {
    fib.rules.get(1).map_or(0, |rule| rule.priority.saturating_sub(1))
}

/// Kernel: `net/core/fib_rules.c`, `fib_nl2rule`, and `net/ipv4/fib_rules.c`, `fib4_rule_configure`.
fn check(rule: &Rule) -> Result<(), Refusal> {
    let refuse = |sentence: &str| Err(Refusal::because(Errno::Inval, sentence));
    let v6 = |net: &Option<IpNet>| matches!(net, Some(IpNet::V6(_)));
    let bad_range = |range: &Option<(u16, u16)>| {
        range.is_some_and(|(first, last)| first == 0 || last == u16::MAX || first > last)
    };
    if v6(&rule.from) || v6(&rule.to) {
        return Err(Errno::OpNotSupp.into());
    }
    match rule.action {
        RuleAction::Goto(target) if target <= rule.priority => return refuse("Backward goto not supported."),
        RuleAction::Goto(_)
        | RuleAction::Lookup(_)
        | RuleAction::Nop
        | RuleAction::Unreachable
        | RuleAction::Blackhole
        | RuleAction::Prohibit => {}
    }
    if bad_range(&rule.sport) {
        return refuse("Invalid sport range.");
    }
    if bad_range(&rule.dport) {
        return refuse("Invalid dport range.");
    }
    if rule.tos & 3 != 0 {
        return refuse("Invalid dsfield (tos): ECN bits must be 0.");
    }
    Ok(())
}

/// Everything that was given must be the same. Kernel: `net/core/fib_rules.c`, `rule_find`.
fn deletion_fits(spec: &RuleSpec, rule: &Rule) -> bool {
    fn given<T: PartialEq>(asked: &Option<T>, has: &Option<T>) -> bool {
        asked.is_none() || asked == has
    }
    let RuleSpec { rule: asked, priority_given, action_given, duplicate: _ } = spec;
    let mark_fits = match asked.fwmark {
        None => true,
        Some((mark, mask)) => {
            let (has_mark, has_mask) = rule.fwmark.unwrap_or((0, 0));
            (mark == 0 || mark == has_mark) && (mask == 0 || mask == has_mask)
        }
    };
    (!priority_given || asked.priority == rule.priority)
        && (!action_given || asked.action == rule.action)
        && mark_fits
        && given(&asked.from.filter(|net| net.prefix_len() > 0), &rule.from)
        && given(&asked.to.filter(|net| net.prefix_len() > 0), &rule.to)
        && given(&asked.iif, &rule.iif)
        && given(&asked.oif, &rule.oif)
        && (asked.tos == 0 || asked.tos == rule.tos)
        && given(&asked.ipproto, &rule.ipproto)
        && given(&asked.sport, &rule.sport)
        && given(&asked.dport, &rule.dport)
        && given(&asked.uidrange, &rule.uidrange)
        && given(&asked.suppress_prefixlength, &rule.suppress_prefixlength)
        && (asked.proto == RouteProto(0) || asked.proto == RouteProto::BOOT || asked.proto == rule.proto)
}
