use std::net::IpAddr;

use packet::{Body, CtInfo, DevId, PacketId, SimTime, Skb};
use trace::{Decision, HookName, Observer, Place, RewriteBy, Step, StepKind};

use crate::conntrack::{Conntrack, Dir, StateSet, TrackCx, Tracked};
use crate::evaluate::{Evaluated, Fields, Verdict, evaluate};
use crate::nat::{self, Manip};
use crate::netfilter::{Inner, Owner};
use crate::targets::RejectWith;
use crate::{Choices, Draws, Env, EvalCx, Netfilter, Random, TableName};

/// Who watches a packet at a hook.
pub struct Watch<'a, O: Observer> {
    /// Takes the steps.
    pub obs: &'a mut O,
    /// Where the hook is.
    pub place: Place,
    /// When.
    pub at: SimTime,
    /// The packet.
    pub packet: PacketId,
}

impl<O: Observer> Watch<'_, O> {
    /// Records a step if anyone watches.
    #[inline(always)]
    pub fn emit(&mut self, kind: impl FnOnce() -> StepKind) {
        if O::ON {
            self.obs.record(Step { at: self.at, packet: self.packet, place: self.place, kind: kind() });
        }
    }
}

/// What a hook says of a packet. Kernel: `NF_ACCEPT`, `NF_DROP`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookVerdict {
    /// It goes on.
    Accept,
    /// It ends, as [`Env::reroute`] found no route. Kernel: `NF_DROP_ERR` of `ip_route_me_harder`.
    Unroutable,
    /// It ends in a queue that nobody reads: its sender doesn't hear of it. Kernel: `nf_queue`.
    Queued {
        /// What decided, if anyone watches.
        decided_by: Option<Decision>,
    },
    /// It ends.
    Drop {
        /// What its sender is told.
        reject: Option<RejectWith>,
        /// What decided, if anyone watches.
        decided_by: Option<Decision>,
    },
}

/// A packet's devices at a hook.
#[derive(Clone, Copy, Debug)]
pub struct HookState {
    /// The hook.
    pub hook: HookName,
    /// Where it came from.
    pub indev: Option<DevId>,
    /// Where it goes to.
    pub outdev: Option<DevId>,
}

impl Netfilter {
    /// Runs what is registered at a hook, in order. Lines for the kernel log are appended to
    /// `log`; `choices` decide what would be random. Kernel: `nf_hook_slow`.
    pub fn run<O: Observer>(
        &mut self,
        env: &dyn Env,
        state: HookState,
        log: &mut Vec<String>,
        choices: Option<&mut Choices>,
        watch: &mut Watch<'_, O>,
        skb: &mut Skb,
    ) -> HookVerdict {
        let Some(inner) = &mut self.0 else { return HookVerdict::Accept };
        let Inner { tables, conntrack, sets, random, hooks, nat_chains, shared, trace, .. } = &mut **inner;
        let stream = random.get_or_insert_with(|| Random::new(env.seed()));
        let mut cx = EvalCx {
            env,
            now: env.now(),
            hook: state.hook,
            table: TableName::Filter,
            indev: state.indev,
            outdev: state.outdev,
            in_name: state.indev.map_or("", |dev| env.dev_name(dev)),
            out_name: state.outdev.map_or("", |dev| env.dev_name(dev)),
            conntrack,
            sets,
            random: Draws { stream, choices },
            log,
            memory: Default::default(),
            shared,
            trace,
            hotdrop: false,
        };
        let output = state.hook == HookName::Output;
        for owner in &hooks[state.hook as usize] {
            let before = match owner {
                Owner::Table(id, _) if output && id.name == TableName::Mangle => Some(routing_key(skb)),
                _ => None,
            };
            let evaluated = match *owner {
                Owner::Conntrack => match track(&mut cx, watch, skb) {
                    Tracked::Accept(_) => continue,
                    Tracked::Drop => Evaluated { verdict: Verdict::Drop, decision: None },
                },
                Owner::Confirm => {
                    if confirm(&mut cx, watch, skb) {
                        continue;
                    }
                    Evaluated { verdict: Verdict::Drop, decision: None }
                }
                Owner::Table(id, chain) => {
                    let Some(table) = tables.get_mut(&id) else { continue };
                    cx.table = id.name;
                    evaluate(table, chain, &mut cx, watch, skb)
                }
                Owner::Nat => {
                    cx.table = TableName::Nat;
                    let chains = &nat_chains[state.hook as usize];
                    let mut ask = |cx: &mut EvalCx<'_>, watch: &mut Watch<'_, O>, skb: &mut Skb| {
                        let mut last = None;
                        for (id, chain) in chains {
                            let Some(table) = tables.get_mut(id) else { continue };
                            let evaluated = evaluate(table, *chain, cx, watch, skb);
                            let accepted = evaluated.verdict == Verdict::Accept;
                            last = Some(evaluated);
                            if !accepted || is_translated(cx, skb) {
                                break;
                            }
                        }
                        last
                    };
                    nat_hook(&mut cx, watch, skb, &mut ask)
                }
            };
            match evaluated.verdict {
                Verdict::Accept => {}
                Verdict::Drop => return HookVerdict::Drop { reject: None, decided_by: evaluated.decision },
                Verdict::Queue => return HookVerdict::Queued { decided_by: evaluated.decision },
                Verdict::Reject(with) => {
                    return HookVerdict::Drop { reject: Some(with), decided_by: evaluated.decision };
                }
            }
            // Kernel: `nf_route_table_hook4`, `nf_nat_ipv4_local_fn`.
            let moved = match (owner, before) {
                (_, Some(before)) => routing_key(skb) != before,
                (Owner::Nat, None) => output && is_redirected(&cx, skb),
                (_, None) => false,
            };
            if moved && !env.reroute(skb) {
                return HookVerdict::Unroutable;
            }
        }
        HookVerdict::Accept
    }
}

/// What routing looks at.
fn routing_key(skb: &Skb) -> (IpAddr, IpAddr, u32, u8) {
    let packet = skb.ip();
    (packet.src(), packet.dst(), skb.mark, packet.tos)
}

/// Whether the packet's connection sends it elsewhere than its sender did.
/// Kernel: `nf_nat_ipv4_local_fn`.
fn is_redirected(cx: &EvalCx<'_>, skb: &Skb) -> bool {
    cx.conntrack.of(skb).is_some_and(|(conn, dir)| match dir {
        Dir::Original => conn.original.dst != conn.reply.src,
        Dir::Reply => conn.reply.dst != conn.original.src,
    })
}

/// Kernel: `ipv4_conntrack_in`, `ipv4_conntrack_local`.
fn track<O: Observer>(cx: &mut EvalCx<'_>, watch: &mut Watch<'_, O>, skb: &mut Skb) -> Tracked {
    let EvalCx { env, now, indev, outdev, .. } = *cx;
    let mut tracking = TrackCx { env, now, indev, outdev, log: cx.log, skb };
    let tracked = cx.conntrack.track(&mut tracking);
    skb.ct = match tracked {
        Tracked::Accept(ct) => ct,
        Tracked::Drop => None,
    };
    if O::ON {
        let states = cx.conntrack.state_of(skb);
        let plain =
            [StateSet::INVALID, StateSet::NEW, StateSet::ESTABLISHED, StateSet::RELATED, StateSet::UNTRACKED];
        let state = match tracked {
            Tracked::Accept(_) => {
                plain.into_iter().find(|s| s.intersects(states)).map_or("INVALID", StateSet::name)
            }
            Tracked::Drop => "table full",
        };
        let entry = entry_of(cx.conntrack, skb);
        watch.emit(|| StepKind::Conntrack { state, entry });
    }
    tracked
}

/// Kernel: `nf_confirm`.
fn confirm<O: Observer>(cx: &mut EvalCx<'_>, watch: &mut Watch<'_, O>, skb: &mut Skb) -> bool {
    let before = if O::ON { cx.conntrack.of(skb).map(|(conn, _)| (conn.id, conn.confirmed)) } else { None };
    let entered = cx.conntrack.confirm(skb, cx.now);
    if let Some((id, false)) = before {
        let state = match cx.conntrack.of(skb) {
            _ if !entered => "clash",
            Some((conn, _)) if conn.id == id => "confirmed",
            _ => "clash resolved",
        };
        let entry = entry_of(cx.conntrack, skb);
        watch.emit(|| StepKind::Conntrack { state, entry });
    }
    entered
}

fn entry_of(conntrack: &Conntrack, skb: &Skb) -> Option<String> {
    conntrack.of(skb).map(|(conn, _)| conn.to_string())
}

/// Whether a binding of the hook's kind is settled. Kernel: `nf_nat_initialized`.
fn is_translated(cx: &EvalCx<'_>, skb: &Skb) -> bool {
    cx.conntrack.of(skb).is_none_or(|(conn, _)| match Manip::at(cx.hook) {
        Manip::Src => conn.nat.src_done,
        Manip::Dst => conn.nat.dst_done,
    })
}

/// Asks the tables nat about a new connection, then rewrites the packet. Kernel: `nf_nat_inet_fn`.
fn nat_hook<O: Observer>(
    cx: &mut EvalCx<'_>,
    watch: &mut Watch<'_, O>,
    skb: &mut Skb,
    ask: &mut dyn FnMut(&mut EvalCx<'_>, &mut Watch<'_, O>, &mut Skb) -> Option<Evaluated>,
) -> Evaluated {
    let accept = |decision| Evaluated { verdict: Verdict::Accept, decision };
    let Some((conn, _)) = cx.conntrack.of(skb) else { return accept(None) };
    let manip = Manip::at(cx.hook);
    let (id, masquerade_dev) = (conn.id, conn.nat.masquerade_dev);
    let info = skb.ct.map(|ct| ct.info);
    let is_error = matches!(skb.ip().body, Body::Icmp(_))
        && matches!(info, Some(CtInfo::Related | CtInfo::RelatedReply));
    let mut decision = None;
    match info {
        _ if is_error => {}
        Some(CtInfo::New | CtInfo::Related | CtInfo::RelatedReply) if !is_translated(cx, skb) => {
            if let Some(evaluated) = ask(cx, watch, skb) {
                if evaluated.verdict != Verdict::Accept {
                    return evaluated;
                }
                decision = evaluated.decision;
            }
            nat::null_binding(cx, manip, skb);
        }
        // Masqueraded as another device's address than it leaves by now. Kernel:
        // `nf_nat_oif_changed`.
        Some(CtInfo::New | CtInfo::Established | CtInfo::Related)
            if cx.hook == HookName::Postrouting
                && masquerade_dev.is_some()
                && masquerade_dev != cx.outdev =>
        {
            cx.conntrack.kill(id, cx.now);
            return Evaluated { verdict: Verdict::Drop, decision: None };
        }
        Some(_) | None => {}
    }
    let before = if O::ON { Some(Fields::of(skb)) } else { None };
    if !nat::translate(cx.conntrack, cx.hook, skb) {
        return Evaluated { verdict: Verdict::Drop, decision };
    }
    if let Some(before) = before {
        let changes = before.changes(&Fields::of(skb));
        if !changes.is_empty() {
            let by = RewriteBy::Nat(decision.clone().filter(|d| matches!(d, Decision::Rule { .. })));
            watch.emit(|| StepKind::Rewrite { by, changes });
        }
    }
    accept(decision)
}
