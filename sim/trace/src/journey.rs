use std::collections::{BTreeMap, BTreeSet};

use packet::{EtherPayload, Frame, HostId, NetnsId, PacketId, Pid, SimTime, Tuple};

use crate::{DropReason, Relation, Step, StepKind};

/// One packet's way from its sender to its end: of all the packets it became (copies, fragments,
/// outer and inner ones) the line that got furthest.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// The packet as its sender made it.
    pub packet: PacketId,
    /// Its headers then.
    pub frame: Frame,
    /// Who sent it.
    pub sender: (HostId, NetnsId, Option<Pid>),
    /// When.
    pub sent_at: SimTime,
    /// How it ended.
    pub disposition: Disposition,
    /// Where it was, in order.
    pub hops: Vec<Hop>,
}

/// The steps in one namespace of one host, between arriving and leaving.
#[derive(Clone, Debug, PartialEq)]
pub struct Hop {
    /// The host.
    pub host: HostId,
    /// The namespace.
    pub netns: NetnsId,
    /// What happened, in order.
    pub steps: Vec<Step>,
}

/// How a packet ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// A socket or a kernel took it.
    Delivered {
        /// Where.
        host: HostId,
        /// In which namespace.
        netns: NetnsId,
        /// When.
        at: SimTime,
    },
    /// It was dropped.
    Dropped {
        /// Where.
        host: HostId,
        /// In which namespace.
        netns: NetnsId,
        /// Why.
        reason: DropReason,
        /// When.
        at: SimTime,
    },
    /// It is still on its way or waits.
    Pending,
}

/// How one packet came to be.
struct Birth {
    parents: Vec<(Relation, PacketId)>,
    frame: Frame,
    sender: (HostId, NetnsId, Option<Pid>),
    at: SimTime,
}

/// All that was recorded, by packet.
pub struct Journeys<'a> {
    steps: &'a [Step],
    births: BTreeMap<PacketId, Birth>,
    /// Packets that carry on another's way, in order of creation.
    children: BTreeMap<PacketId, Vec<PacketId>>,
    of_packet: BTreeMap<PacketId, Vec<usize>>,
}

/// The packets of a command that matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// The first one that it sent, rather no DNS.
    pub sent: Option<PacketId>,
    /// The first one back.
    pub back: Option<PacketId>,
    /// Both, and every other one that was dropped or is an ICMP error, in order of creation.
    pub all: Vec<PacketId>,
}

/// Whose doing the packets of a process are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    /// The command's own.
    Own,
    /// Of what runs beside it.
    Others,
    /// Of what always runs, or was over before the command.
    Nobodys,
}

/// Whether a packet of this relation carries on its parent's way.
const fn carries_on(relation: Relation) -> bool {
    match relation {
        Relation::Copy
        | Relation::FragmentOf
        | Relation::ReassembledFrom
        | Relation::Encapsulates
        | Relation::DecapsulatedFrom
        | Relation::RelayedBy => true,
        Relation::ReplyTo | Relation::Retransmits => false,
    }
}

impl<'a> Journeys<'a> {
    /// Sorts the steps of a recording by packet.
    pub fn new(steps: &'a [Step]) -> Self {
        let mut births = BTreeMap::new();
        let mut children: BTreeMap<PacketId, Vec<PacketId>> = BTreeMap::new();
        let mut of_packet: BTreeMap<PacketId, Vec<usize>> = BTreeMap::new();
        for (index, step) in steps.iter().enumerate() {
            of_packet.entry(step.packet).or_default().push(index);
            if let StepKind::Created { by, parents, frame } = &step.kind {
                for &(relation, parent) in parents {
                    if carries_on(relation) {
                        children.entry(parent).or_default().push(step.packet);
                    }
                }
                let birth = Birth {
                    parents: parents.clone(),
                    frame: (**frame).clone(),
                    sender: (step.place.host, step.place.netns, *by),
                    at: step.at,
                };
                births.insert(step.packet, birth);
            }
        }
        Self { steps, births, children, of_packet }
    }

    /// The packets that carry on nobody's way, in order of creation.
    pub fn roots(&self) -> impl Iterator<Item = PacketId> + '_ {
        self.births.iter().filter(|(_, b)| !b.parents.iter().any(|&(r, _)| carries_on(r))).map(|(&id, _)| id)
    }

    /// The first headers of a packet.
    pub fn frame(&self, packet: PacketId) -> Option<&Frame> {
        self.births.get(&packet).map(|b| &b.frame)
    }

    /// The packet that `packet` answers, if the kernel made it as an answer.
    pub fn answers(&self, packet: PacketId) -> Option<PacketId> {
        let parents = &self.births.get(&packet)?.parents;
        parents.iter().find(|(relation, _)| *relation == Relation::ReplyTo).map(|&(_, parent)| parent)
    }

    /// Whether a packet is ARP.
    pub fn is_arp(&self, packet: PacketId) -> bool {
        self.frame(packet).is_some_and(|f| matches!(f.payload, EtherPayload::Arp(_)))
    }

    /// Whether a packet is DNS: UDP or TCP from or to port 53.
    pub fn is_dns(&self, packet: PacketId) -> bool {
        self.frame(packet).and_then(Frame::ip).is_some_and(|ip| {
            let (sport, dport) = Tuple::of(ip).ports();
            sport == 53 || dport == 53
        })
    }

    /// The packets of a recording that matter by default, whoever sent them.
    pub fn subjects(&self) -> Vec<PacketId> {
        self.case(|_, _| Whose::Own).all
    }

    /// The packets of a command that matter by default: the first one that a process of its own
    /// sent, else the first with which one of the others began something; the first one back; and
    /// every other one that was dropped or is an ICMP error. What a kernel says of its own accord
    /// (group memberships) is nobody's doing and none of them.
    pub fn case(&self, whose: impl Fn(HostId, Pid) -> Whose) -> Case {
        let mut begun = BTreeSet::new();
        let mut first = None;
        for id in self.roots().filter(|&id| !self.is_arp(id)) {
            let birth = &self.births[&id];
            let Some(ip) = birth.frame.ip() else { continue };
            let tuple = Tuple::of(ip);
            let (sport, dport) = tuple.ports();
            let answers = begun.contains(&(tuple.proto, dport, sport));
            begun.insert((tuple.proto, sport, dport));
            let (host, _, Some(pid)) = birth.sender else { continue };
            let whose = whose(host, pid);
            if whose == Whose::Own || whose == Whose::Others && !answers {
                let found = (whose, self.is_dns(id), id);
                first = Some(first.map_or(found, |first| found.min(first)));
            }
        }
        let sent = first.map(|(_, _, id)| id);
        let mut case = Case { sent, back: None, all: Vec::new() };
        for id in self.roots().filter(|&id| !self.is_arp(id)) {
            let Some(ip) = self.frame(id).and_then(Frame::ip) else { continue };
            let is_error = matches!(&ip.body, packet::Body::Icmp(packet::Icmp::Error(_)));
            if Some(id) == sent {
                case.all.push(id);
            } else if case.back.is_none() && sent.is_some_and(|sent| sent < id && self.is_answer(sent, id)) {
                case.back = Some(id);
                case.all.push(id);
            } else if self.has_cause(id) && (is_error || self.ends_in_drop(id)) {
                case.all.push(id);
            }
        }
        case
    }

    /// Whether `id` comes back from where `sent` arrived, ports reversed.
    fn is_answer(&self, sent: PacketId, id: PacketId) -> bool {
        let Some(trace) = self.trace(sent) else { return false };
        if self.answers(id).is_some_and(|parent| trace.packets().contains(&parent)) {
            return true;
        }
        let Disposition::Delivered { host, netns, .. } = trace.disposition else { return false };
        let birth = &self.births[&id];
        if (birth.sender.0, birth.sender.1) != (host, netns) {
            return false;
        }
        let arrived = trace.last_frame();
        let (Some(arrived), Some(answer)) = (arrived.ip(), birth.frame.ip()) else { return false };
        let (there, here) = (Tuple::of(arrived), Tuple::of(answer));
        let (sport, dport) = there.ports();
        here.proto == there.proto && here.dst == there.src && here.ports() == (dport, sport)
    }

    /// Whether a process or another packet made the kernel send `id`.
    fn has_cause(&self, id: PacketId) -> bool {
        let birth = &self.births[&id];
        birth.sender.2.is_some() || !birth.parents.is_empty()
    }

    fn ends_in_drop(&self, id: PacketId) -> bool {
        self.trace(id).is_some_and(|trace| matches!(trace.disposition, Disposition::Dropped { .. }))
    }

    /// The way of `packet`. `None` if its creation was not recorded.
    pub fn trace(&self, packet: PacketId) -> Option<Trace> {
        let birth = self.births.get(&packet)?;
        let line = self.best_line(packet);
        let mut hops: Vec<Hop> = Vec::new();
        for (i, &id) in line.iter().enumerate() {
            // A parent's steps after its child left it belong to other children.
            let until = line.get(i + 1).and_then(|child| self.of_packet.get(child)?.first()).copied();
            for &index in self.of_packet.get(&id).into_iter().flatten() {
                if until.is_some_and(|until| index > until) {
                    continue;
                }
                let step = &self.steps[index];
                match hops.last_mut() {
                    Some(hop)
                        if hop.host == step.place.host
                            && hop.netns == step.place.netns
                            && !arrives(hop, step) =>
                    {
                        hop.steps.push(step.clone());
                    }
                    _ => hops.push(Hop {
                        host: step.place.host,
                        netns: step.place.netns,
                        steps: vec![step.clone()],
                    }),
                }
            }
        }
        let last = *line.last()?;
        Some(Trace {
            packet,
            frame: birth.frame.clone(),
            sender: birth.sender,
            sent_at: birth.at,
            disposition: self.disposition(last),
            hops,
        })
    }

    fn disposition(&self, packet: PacketId) -> Disposition {
        let mut disposition = Disposition::Pending;
        for &index in self.of_packet.get(&packet).into_iter().flatten() {
            let step = &self.steps[index];
            let (host, netns, at) = (step.place.host, step.place.netns, step.at);
            match step.kind {
                StepKind::Deliver { .. } => disposition = Disposition::Delivered { host, netns, at },
                StepKind::Drop { reason, .. } if disposition == Disposition::Pending => {
                    disposition = Disposition::Dropped { host, netns, reason, at };
                }
                _ => {}
            }
        }
        disposition
    }

    /// Whether a process read `packet` and wrote another one for it.
    fn is_relayed(&self, packet: PacketId) -> bool {
        let relayed = |child: &PacketId| self.births[child].parents.contains(&(Relation::RelayedBy, packet));
        self.children.get(&packet).is_some_and(|children| children.iter().any(relayed))
    }

    /// From `packet` through children to the end that tells most: delivered before dropped before
    /// pending; a copy that nobody wanted tells least.
    fn best_line(&self, packet: PacketId) -> Vec<PacketId> {
        // Depth-first without recursion: children have greater ids than their parents.
        let mut best: (u8, Vec<PacketId>) = (0, vec![packet]);
        let mut stack = vec![vec![packet]];
        while let Some(line) = stack.pop() {
            let end = line[line.len() - 1];
            let rank = match self.disposition(end) {
                // Its process carried it on: that is where it ends.
                _ if self.is_relayed(end) => 2,
                Disposition::Delivered { .. } => 4,
                Disposition::Dropped {
                    reason: DropReason::OtherHost | DropReason::BridgeNoEgressPort,
                    ..
                } => 1,
                Disposition::Dropped { .. } => 3,
                Disposition::Pending => 2,
            };
            if rank > best.0 {
                best = (rank, line.clone());
            }
            for &child in self.children.get(&end).into_iter().flatten().rev() {
                if child > end {
                    let mut longer = line.clone();
                    longer.push(child);
                    stack.push(longer);
                }
            }
        }
        best.1
    }
}

/// Whether `step` begins a new hop in the namespace where `hop` is: the packet left and came back.
fn arrives(hop: &Hop, step: &Step) -> bool {
    matches!(step.kind, StepKind::Receive(_))
        && hop.steps.iter().any(|s| matches!(s.kind, StepKind::Transmit(_)))
}

impl Trace {
    /// The packets of this line, in order.
    pub fn packets(&self) -> Vec<PacketId> {
        let mut ids: Vec<PacketId> =
            self.hops.iter().flat_map(|hop| &hop.steps).map(|step| step.packet).collect();
        ids.dedup();
        ids
    }

    /// The last headers of one of the packets of this line.
    pub fn frame_of(&self, packet: PacketId) -> Option<&Frame> {
        let steps = self.hops.iter().flat_map(|hop| &hop.steps).filter(|step| step.packet == packet);
        steps.rev().find_map(Step::frame)
    }

    /// How often it went from a kernel to a process or from a process to a kernel: sent, read from
    /// and written into TUN devices, received.
    pub fn crossings(&self) -> usize {
        let steps: Vec<&Step> = self.hops.iter().flat_map(|hop| &hop.steps).collect();
        let crosses = |(at, step): (usize, &&Step)| match &step.kind {
            StepKind::Crossing { .. } => true,
            StepKind::Deliver { to, .. } => to.is_some(),
            // What is written into a TUN device says so itself.
            StepKind::Created { by, .. } => {
                let next = steps.get(at + 1).map(|next| &next.kind);
                by.is_some() && !matches!(next, Some(StepKind::Crossing { .. }))
            }
            _ => false,
        };
        steps.iter().enumerate().filter(|&step| crosses(step)).count()
    }

    /// The headers it had when it was last seen by a device, or at first.
    pub fn last_frame(&self) -> &Frame {
        self.hops
            .iter()
            .rev()
            .flat_map(|hop| hop.steps.iter().rev())
            .find_map(Step::frame)
            .unwrap_or(&self.frame)
    }
}
