//! Judging a packet by its trace.

use std::net::{IpAddr, SocketAddr};

use netfilter::RejectWith;
use packet::{Body, DevId, EtherPayload, Frame, HostId, Icmp, NetnsId, TcpFlags, UdpData};
use trace::{Decision, Disposition, Names, Relation, Step, StepKind, Trace};
use world::World;

use super::place::{RuleName, place_of, split_device};
use super::{Failure, Verdict};
use crate::error::Problem;
use crate::lab::locate;

/// What a packet can be wrapped in.
pub(super) const ENCAPSULATIONS: [&str; 2] = ["vxlan", "ipip"];

/// A packet, and what else was recorded.
pub(super) struct Seen<'a> {
    pub trace: &'a Trace,
    pub steps: &'a [Step],
    pub world: &'a World,
}

impl Seen<'_> {
    fn failed(&self, instead: impl Into<String>) -> Verdict {
        Verdict::Failed(Failure { instead: instead.into(), around: Some(Box::new(self.trace.clone())) })
    }

    /// How it ended, in words.
    fn end(&self) -> String {
        match self.trace.disposition {
            Disposition::Delivered { host, netns, .. } => {
                format!("the packet was delivered to {}", self.world.node(host, netns))
            }
            Disposition::Dropped { host, netns, reason, .. } => {
                let node = self.world.node(host, netns);
                match self.decision() {
                    Some(decision) => {
                        format!("the packet was dropped at {node} ({reason}) by {}", place_of(decision))
                    }
                    None => format!("the packet was dropped at {node} ({reason})"),
                }
            }
            Disposition::Pending => "the packet is still on its way".to_owned(),
        }
    }

    fn all_steps(&self) -> impl DoubleEndedIterator<Item = &Step> {
        self.trace.hops.iter().flat_map(|hop| &hop.steps)
    }

    /// The address that `field` got after a device saw the packet last: in PREROUTING or INPUT of its
    /// receiver.
    fn rewritten(&self, field: &str) -> Option<IpAddr> {
        let inside = self.all_steps().rev().take_while(|step| step.frame().is_none());
        let mut changes = inside.flat_map(|step| match &step.kind {
            StepKind::Rewrite { changes, .. } => changes.as_slice(),
            _ => &[],
        });
        let after = &changes.find(|change| change.field == field)?.after;
        after.parse::<SocketAddr>().map(|at| at.ip()).or_else(|_| after.parse()).ok()
    }

    /// The rule or policy that ended it.
    fn decision(&self) -> Option<&Decision> {
        self.all_steps().rev().find_map(|step| match &step.kind {
            StepKind::Drop { decided_by, .. } => Some(decided_by.as_ref()),
            _ => None,
        })?
    }

    pub fn delivered(
        &self,
        to: Option<&str>,
        via: &[String],
        source: Option<IpAddr>,
        destination: Option<IpAddr>,
        encapsulated: Option<&[String]>,
    ) -> Verdict {
        let Disposition::Delivered { host, netns, .. } = self.trace.disposition else {
            return self.failed(self.end());
        };
        if to.is_some_and(|to| !self.is(to, host, netns)) {
            return self.failed(self.end());
        }
        let arrived = self.trace.last_frame();
        for (word, wanted, seen) in [
            ("source", source, self.rewritten("src").or_else(|| arrived.ip().map(packet::Packet::src))),
            (
                "destination",
                destination,
                self.rewritten("dst").or_else(|| arrived.ip().map(packet::Packet::dst)),
            ),
        ] {
            if wanted.is_some() && seen != wanted {
                let seen = seen.map_or("no address".to_owned(), |addr| addr.to_string());
                return self.failed(format!("the receiver saw {seen} as {word}"));
            }
        }
        let passed = self.devices();
        let mut rest = passed.iter();
        for device in via {
            let Ok((on, name)) = split_device(device) else { return self.failed(self.end()) };
            if !rest.any(|&(host, netns, dev)| self.is(on, host, netns) && self.world.dev(host, dev) == name)
            {
                let text = |&(host, netns, dev): &(HostId, NetnsId, DevId)| {
                    format!("{} {}", self.world.node(host, netns), self.world.dev(host, dev))
                };
                let passed: Vec<String> = passed.iter().map(text).collect();
                return self.failed(format!("the packet passed {}", passed.join(", ")));
            }
        }
        let wrapped = self.encapsulations();
        if encapsulated.is_some_and(|wanted| wanted != wrapped) {
            return self.failed(match &wrapped[..] {
                [] => "the packet was wrapped in nothing".to_owned(),
                kinds => format!("the packet was wrapped in {}", kinds.join(", ")),
            });
        }
        Verdict::Held
    }

    /// Whether a namespace is the one called `on`.
    fn is(&self, on: &str, host: HostId, netns: NetnsId) -> bool {
        locate(self.world, on).is_ok_and(|spot| (spot.host, spot.netns) == (host, netns))
    }

    /// The devices that it passed, in order.
    fn devices(&self) -> Vec<(HostId, NetnsId, DevId)> {
        let mut devices: Vec<_> = self
            .all_steps()
            .filter(|step| matches!(step.kind, StepKind::Receive(_) | StepKind::Transmit(_)))
            .filter_map(|step| Some((step.place.host, step.place.netns, step.place.dev?)))
            .collect();
        devices.dedup();
        devices
    }

    /// What it was wrapped in, in order.
    fn encapsulations(&self) -> Vec<&'static str> {
        let kind = |frame: &Frame| match &frame.payload {
            EtherPayload::Ip(outer) => match &outer.body {
                Body::Udp(udp) if matches!(udp.data, UdpData::Vxlan(..)) => Some("vxlan"),
                Body::Ip(_) => Some("ipip"),
                _ => None,
            },
            EtherPayload::Arp(_) | EtherPayload::Other(..) => None,
        };
        self.all_steps()
            .filter_map(|step| match &step.kind {
                StepKind::Created { parents, frame, .. }
                    if parents.iter().any(|(relation, _)| *relation == Relation::Encapsulates) =>
                {
                    kind(frame)
                }
                _ => None,
            })
            .collect()
    }

    pub fn dropped(
        &self,
        at: Option<&str>,
        reason: Option<&str>,
        by: Option<&str>,
    ) -> Result<Verdict, Problem> {
        let Disposition::Dropped { host, netns, reason: seen, .. } = self.trace.disposition else {
            return Ok(self.failed(self.end()));
        };
        if at.is_some_and(|at| !self.is(at, host, netns))
            || reason.is_some_and(|reason| reason != seen.name())
        {
            return Ok(self.failed(self.end()));
        }
        self.by(by)
    }

    /// Of all chains that it came through.
    pub fn rules_visited(&self, on: &str, at_least: Option<u32>, at_most: Option<u32>) -> Verdict {
        let here = self.all_steps().filter(|step| self.is(on, step.place.host, step.place.netns));
        let visited: u32 = here
            .map(|step| match &step.kind {
                StepKind::Chain { rules_visited, .. } => *rules_visited,
                _ => 0,
            })
            .sum();
        if at_least.is_none_or(|least| visited >= least) && at_most.is_none_or(|most| visited <= most) {
            return Verdict::Held;
        }
        self.failed(format!("{on} compared the packet with {visited} rules"))
    }

    fn by(&self, by: Option<&str>) -> Result<Verdict, Problem> {
        let Some(by) = by else { return Ok(Verdict::Held) };
        let rule = RuleName::parse(by)?;
        Ok(match self.decision() {
            Some(decision) if rule.is(decision) => Verdict::Held,
            Some(decision) => match decision {
                Decision::Rule { text, .. } => self.failed(format!("{} decided: {text}", place_of(decision))),
                Decision::Policy { .. } | Decision::Fabric { .. } => {
                    self.failed(format!("{} decided", place_of(decision)))
                }
            },
            None => self.failed("no rule or policy decided"),
        })
    }

    pub fn rejected(
        &self,
        at: Option<&str>,
        by: Option<&str>,
        with: Option<&str>,
    ) -> Result<Verdict, Problem> {
        let last_chain = self.all_steps().rev().find_map(|step| match step.kind {
            StepKind::Chain { verdict, .. } => Some(verdict),
            _ => None,
        });
        let Disposition::Dropped { host, netns, .. } = self.trace.disposition else {
            return Ok(self.failed(self.end()));
        };
        if self.decision().is_none() || last_chain != Some("REJECT") {
            return Ok(self.failed(format!("{}, not rejected", self.end())));
        }
        if at.is_some_and(|at| !self.is(at, host, netns)) {
            return Ok(self.failed(self.end()));
        }
        let verdict = self.by(by)?;
        let Some(with) = with.filter(|_| verdict.held()) else { return Ok(verdict) };
        Ok(match self.answer() {
            Some(answer) if answer == with => Verdict::Held,
            Some(answer) => self.failed(format!("the sender was told {answer}")),
            None => self.failed("the sender was told nothing"),
        })
    }

    /// The kernel's answer to it, as after `--reject-with`.
    fn answer(&self) -> Option<String> {
        let own = self.trace.packets();
        let frame = self.steps.iter().find_map(|step| match &step.kind {
            StepKind::Created { parents, frame, .. }
                if parents
                    .iter()
                    .any(|(relation, id)| *relation == Relation::ReplyTo && own.contains(id)) =>
            {
                Some(frame)
            }
            _ => None,
        })?;
        let answer = frame.ip()?;
        let name = match &answer.body {
            Body::Tcp(tcp) if tcp.flags.contains(TcpFlags::RST) => RejectWith::TcpReset.name(),
            Body::Icmp(Icmp::Error(error)) if error.kind == Icmp::UNREACHABLE => {
                RejectWith::Icmp(error.code).name()
            }
            _ => None,
        };
        Some(name.map_or_else(|| trace::describe_packet(answer), str::to_owned))
    }
}
