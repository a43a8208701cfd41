use std::sync::Arc;

use packet::Skb;
use smallvec::SmallVec;
use trace::{Decision, FieldChange, Observer, RewriteBy, StepKind};

use crate::eval::counted_len;
use crate::hook::Watch;
use crate::index::{RuleIndex, could_fit};
use crate::monitor::{TraceInfo, TraceVerdict, Traced};
use crate::table::ChainId;
use crate::targets::{Log, RejectWith};
use crate::{Action, Backend, Chain, EvalCx, Installed, Memory, Policy, Rule, Table, Target, Then};

/// What a table says of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accept,
    Drop,
    /// To a queue that nobody reads.
    Queue,
    Reject(RejectWith),
}

/// A verdict, and what decided it if anyone watches.
pub(crate) struct Evaluated {
    pub(crate) verdict: Verdict,
    pub(crate) decision: Option<Decision>,
}

/// A packet's way through the chains of a table.
struct Walk {
    /// Where jumps come back to.
    stack: SmallVec<[(ChainId, usize); 16]>,
    /// Chains from the built-in one, each with the place in its caller of the rule that led to it,
    /// when anyone watches.
    path: SmallVec<[(ChainId, usize); 16]>,
    at: ChainId,
    next: usize,
    /// Rules that the kernel has looked at.
    visited: usize,
}

/// Runs a packet through a built-in chain. Kernel: `nft_do_chain`.
pub(crate) fn evaluate<O: Observer>(
    table: &mut Table,
    base: ChainId,
    cx: &mut EvalCx<'_>,
    watch: &mut Watch<'_, O>,
    skb: &mut Skb,
) -> Evaluated {
    let mut walk = Walk { stack: SmallVec::new(), path: SmallVec::new(), at: base, next: 0, visited: 0 };
    if O::ON {
        walk.path.push((base, 0));
    }
    let mut info = TraceInfo::new(table.id.backend, skb);
    while let Some(chain) = table.get_mut(walk.at) {
        let Some((number, then)) = next_match(chain, &mut walk, cx, skb) else {
            if std::mem::take(&mut cx.hotdrop) {
                let number = walk.next.saturating_sub(1);
                let rule =
                    table.get(walk.at).and_then(|chain| Some(Arc::clone(&chain.rules.get(number)?.rule)));
                let decision = rule.filter(|_| O::ON).map(|rule| rule_decision(table, &walk, number, &rule));
                return finish(table, cx, watch, &walk, Verdict::Drop, decision);
            }
            info.tell(cx, skb, name_of(table, walk.at), || Traced::End);
            if walk.at != base {
                trace_packet(table, &walk, "return", walk.next, cx, skb);
            }
            if back::<O>(&mut walk) {
                continue;
            }
            break;
        };
        let Some(installed) = table.get(walk.at).and_then(|chain| chain.rules.get(number)) else { break };
        let (handle, to, here) = (installed.handle, installed.to, walk.at);
        trace_packet(table, &walk, comment(&then, here == base), number, cx, skb);
        let action = match (&then.then, to) {
            (Then::Nothing, _) | (Then::Chain { .. }, None) => Action::Continue,
            (Then::Chain { goto, .. }, Some(to)) => {
                info.refresh(skb);
                info.tell(cx, skb, name_of(table, here), || {
                    let to = name_of(table, to).to_owned();
                    let verdict = if *goto { TraceVerdict::Goto(to) } else { TraceVerdict::Jump(to) };
                    Traced::Rule { handle, verdict }
                });
                if !goto {
                    walk.stack.push((walk.at, walk.next));
                }
                if O::ON {
                    walk.path.push((to, number));
                }
                (walk.at, walk.next) = (to, 0);
                continue;
            }
            (Then::Target(target), _) => {
                let before = if O::ON { Some(Fields::of(skb)) } else { None };
                let action = target.apply(cx, skb);
                if O::ON && action == Action::Continue {
                    let decision = rule_decision(table, &walk, number, &then);
                    let name = target.name().to_owned();
                    let changes = before.map_or_else(Vec::new, |before| before.changes(&Fields::of(skb)));
                    if !changes.is_empty() {
                        let by = RewriteBy::Target(decision.clone());
                        watch.emit(|| StepKind::Rewrite { by, changes });
                    }
                    watch.emit(|| StepKind::Rule { decision, target: name });
                }
                action
            }
        };
        info.refresh(skb);
        info.tell(cx, skb, name_of(table, here), || Traced::Rule {
            handle,
            verdict: traced(action, &then.then),
        });
        let verdict = match action {
            Action::Continue => continue,
            Action::Return => {
                if back::<O>(&mut walk) {
                    continue;
                }
                break;
            }
            Action::Accept => Verdict::Accept,
            Action::Drop => Verdict::Drop,
            Action::Queue => Verdict::Queue,
            Action::Reject(with) => Verdict::Reject(with),
        };
        let decision = if O::ON { Some(rule_decision(table, &walk, number, &then)) } else { None };
        return finish(table, cx, watch, &walk, verdict, decision);
    }
    let policy = end_of_chain(table, base, skb);
    info.tell(cx, skb, name_of(table, base), || Traced::Policy(policy));
    trace_packet(table, &walk, "policy", walk.next, cx, skb);
    let decision = if O::ON { Some(policy_decision(table, base, cx, skb)) } else { None };
    let verdict = match policy {
        Policy::Accept => Verdict::Accept,
        Policy::Drop => Verdict::Drop,
    };
    finish(table, cx, watch, &walk, verdict, decision)
}

fn name_of(table: &Table, id: ChainId) -> &str {
    table.get(id).map_or("", |chain| chain.name.as_str())
}

/// Writes into the kernel log what iptables-legacy does with a traced packet.
/// Kernel: `net/ipv4/netfilter/ip_tables.c`, `trace_packet`.
#[inline]
fn trace_packet(table: &Table, walk: &Walk, comment: &str, number: usize, cx: &mut EvalCx<'_>, skb: &Skb) {
    if table.id.backend == Backend::Legacy && skb.nf_trace {
        let chain = name_of(table, walk.at);
        let prefix = format!("TRACE: {}:{chain}:{comment}:{} ", table.id.name, number + 1);
        let line = Log::of_trace(prefix).line(cx, skb);
        cx.log.push(line);
    }
}

/// What `trace_packet` calls a rule: one that is nothing but a verdict looks to it like the end of
/// its chain. Kernel: `get_chainname_rulenum`.
fn comment(rule: &Rule, built_in: bool) -> &'static str {
    let verdict = matches!(&rule.then, Then::Target(Target::Accept(_) | Target::Drop(_) | Target::Return(_)));
    match (verdict && rule.conditions() == 0, built_in) {
        (false, _) => "rule",
        (true, true) => "policy",
        (true, false) => "return",
    }
}

/// What a trace says of a rule's action.
fn traced(action: Action, then: &Then) -> TraceVerdict {
    match (action, then) {
        (_, Then::Target(Target::Nfqueue(queue))) => TraceVerdict::Queue(queue.verdict()),
        (Action::Continue, _) => TraceVerdict::Continue,
        (Action::Return, _) => TraceVerdict::Return,
        (Action::Accept, _) => TraceVerdict::Accept,
        (Action::Drop | Action::Queue | Action::Reject(_), _) => TraceVerdict::Drop,
    }
}

/// Finds the next rule of the chain that the packet fits, and counts the packet. `None` at the end
/// of the chain, or when a match wants the packet dropped.
fn next_match(
    chain: &mut Chain,
    walk: &mut Walk,
    cx: &mut EvalCx<'_>,
    skb: &Skb,
) -> Option<(usize, Arc<Rule>)> {
    let Chain { rules, counters, memory, index, .. } = chain;
    let index = (rules.len() >= RuleIndex::WORTHWHILE)
        .then(|| &**index.get_or_insert_with(|| Arc::new(RuleIndex::new(rules))));
    loop {
        let from = walk.next;
        let number = match index {
            Some(index) => index.next(from, cx, skb).unwrap_or(rules.len()),
            None => from,
        };
        debug_assert!(
            rules[from..number].iter().all(|left_out| !could_fit(&left_out.rule, cx, skb)),
            "the index leaves out a rule that fits"
        );
        let Some(Installed { rule, .. }) = rules.get(number) else {
            // The kernel has looked at every rule.
            walk.visited += number - from;
            walk.next = number;
            return None;
        };
        walk.visited += number + 1 - from;
        walk.next = number + 1;
        if !rule.selector.matches(cx, skb) {
            continue;
        }
        let mut remembered = memory.get_mut(number).map_or(&mut [][..], Vec::as_mut_slice).iter_mut();
        let fits = rule.matches.iter().all(|m| {
            let slot = remembered.next();
            cx.memory = slot.as_ref().map_or(Memory::default(), |slot| **slot);
            let fits = m.matches(cx, skb);
            if let Some(slot) = slot {
                *slot = cx.memory;
            }
            fits
        });
        if cx.hotdrop {
            return None;
        }
        if fits {
            if let Some(counters) = counters.get_mut(number) {
                counters.count(counted_len(skb));
            }
            return Some((number, Arc::clone(rule)));
        }
    }
}

/// Back to the calling chain; false in the built-in one.
fn back<O: Observer>(walk: &mut Walk) -> bool {
    let Some((at, next)) = walk.stack.pop() else { return false };
    if O::ON {
        while walk.path.last().is_some_and(|(last, _)| *last != at) {
            walk.path.pop();
        }
    }
    (walk.at, walk.next) = (at, next);
    true
}

/// Counts a packet that came to the end of a built-in chain.
fn end_of_chain(table: &mut Table, base: ChainId, skb: &Skb) -> Policy {
    let Some(base) = table.get_mut(base).and_then(|chain| chain.base.as_mut()) else { return Policy::Accept };
    if let Some(counters) = &mut base.counters {
        counters.count(counted_len(skb));
    }
    base.policy
}

fn finish<O: Observer>(
    table: &Table,
    cx: &EvalCx<'_>,
    watch: &mut Watch<'_, O>,
    walk: &Walk,
    verdict: Verdict,
    decision: Option<Decision>,
) -> Evaluated {
    if O::ON
        && let Some(decided_by) = decision.clone()
    {
        let rules_visited = u32::try_from(walk.visited).unwrap_or(u32::MAX);
        let (hook, table) = (cx.hook, table.id.as_str());
        let verdict = match verdict {
            Verdict::Accept => "ACCEPT",
            Verdict::Drop => "DROP",
            Verdict::Queue => "QUEUE",
            Verdict::Reject(_) => "REJECT",
        };
        watch.emit(|| StepKind::Chain { hook, table, rules_visited, decided_by, verdict });
    }
    Evaluated { verdict, decision }
}

fn rule_decision(table: &Table, walk: &Walk, number: usize, rule: &Rule) -> Decision {
    let name = |id: &ChainId| table.get(*id).map_or(String::new(), |chain| chain.name.clone());
    let numbered = |place: usize| u32::try_from(place + 1).unwrap_or(u32::MAX);
    Decision::Rule {
        table: table.id.as_str(),
        chains: walk.path.iter().map(|(id, _)| name(id)).collect(),
        jumps: walk.path.iter().skip(1).map(|(_, number)| numbered(*number)).collect(),
        number: numbered(number),
        text: format!("-A {}{rule}", name(&walk.at)),
    }
}

/// The policy, with the rule that came nearest to matching: the one with the fewest failed
/// conditions, among equals the one with the most that hold, then the first. Rules that decide
/// nothing don't count.
fn policy_decision(table: &Table, base: ChainId, cx: &mut EvalCx<'_>, skb: &Skb) -> Decision {
    let Some(chain) = table.get(base) else {
        return Decision::Policy { table: table.id.as_str(), chain: String::new(), nearest: None };
    };
    let mut nearest: Option<((usize, std::cmp::Reverse<usize>), String, String)> = None;
    let mut pending = vec![base];
    let mut seen = Vec::new();
    // The second evaluation rolls no dice of the packet's, and counts it in no set.
    let sets = cx.sets.clone();
    let kept = cx.random.stream.clone();
    let choices = cx.random.choices.take();
    let shared = cx.shared.clone();
    while let Some(id) = pending.pop() {
        let Some(chain) = table.get(id).filter(|_| !seen.contains(&id)) else { continue };
        seen.push(id);
        for (number, installed) in chain.rules.iter().enumerate() {
            let memory = chain.memory.get(number).map_or(&[][..], Vec::as_slice);
            let mut failed = installed.rule.failures(cx, memory, skb);
            let rank = (failed.len(), std::cmp::Reverse(installed.rule.conditions() - failed.len()));
            match (&installed.rule.then, failed.len()) {
                (Then::Chain { .. }, 0) => pending.extend(installed.to),
                (Then::Nothing, _) | (_, 0) => {}
                _ if nearest.as_ref().is_none_or(|(best, ..)| rank < *best) => {
                    let text = format!("-A {}{}", chain.name, installed.rule);
                    nearest = Some((rank, text, failed.swap_remove(0)));
                }
                _ => {}
            }
        }
    }
    *cx.random.stream = kept;
    *cx.shared = shared;
    cx.hotdrop = false;
    cx.random.choices = choices;
    *cx.sets = sets;
    Decision::Policy {
        table: table.id.as_str(),
        chain: chain.name.clone(),
        nearest: nearest.map(|(_, text, predicate)| (text, predicate)),
    }
}

/// The fields of a packet that targets and translation change.
pub(crate) struct Fields([(&'static str, String); 7]);

impl Fields {
    pub(crate) fn of(skb: &Skb) -> Self {
        let packet = skb.ip();
        let (src, dst) = crate::transport::ports(packet).unwrap_or_default();
        let id = match &packet.body {
            packet::Body::Icmp(packet::Icmp::Echo { id, .. }) => id.to_string(),
            _ => String::new(),
        };
        let with_port = |addr: std::net::IpAddr, port: u16| {
            if port == 0 { addr.to_string() } else { format!("{addr}:{port}") }
        };
        let mss = match &packet.body {
            packet::Body::Tcp(tcp) => {
                tcp.options.as_ref().and_then(|o| o.mss).map_or(String::new(), |m| m.to_string())
            }
            _ => String::new(),
        };
        Self([
            ("src", with_port(packet.src(), src)),
            ("dst", with_port(packet.dst(), dst)),
            ("id", id),
            ("ttl", packet.ttl.to_string()),
            ("tos", format!("0x{:02x}", packet.tos)),
            ("mark", format!("{:#x}", skb.mark)),
            ("mss", mss),
        ])
    }

    pub(crate) fn changes(&self, after: &Self) -> Vec<FieldChange> {
        self.0
            .iter()
            .zip(&after.0)
            .filter(|(before, after)| before != after)
            .map(|((field, before), (_, after))| FieldChange {
                field,
                before: before.clone(),
                after: after.clone(),
            })
            .collect()
    }
}
