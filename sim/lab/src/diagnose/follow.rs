use packet::{Body, DevId, Frame, HostId, NetnsId, Packet, Proto, TcpFlags, Tuple};
use trace::{Decision, Disposition, DropReason, Journeys, StepKind, Trace};
use world::World;

use super::probe::Tried;

/// What became of the packet of a probe that failed, and of the answer to it.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    /// The packet's way.
    pub forward: Option<Trace>,
    /// The way of the answer.
    pub reply: Option<Trace>,
    /// Where it went wrong.
    pub ends: Vec<End>,
}

/// Which of both packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// Of the probe.
    Forward,
    /// Of the answer.
    Reply,
    /// An ARP message that either of them waits for.
    Arp,
    /// Another packet of the probe: a message about its size, a later one.
    Other,
}

/// Where a packet's way ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct End {
    /// Whose.
    pub direction: Direction,
    /// The host.
    pub host: HostId,
    /// The namespace.
    pub netns: NetnsId,
    /// The last device.
    pub dev: Option<DevId>,
    /// How.
    pub how: How,
    /// Its headers then.
    pub frame: Option<Frame>,
}

/// How a packet's way ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum How {
    /// The kernel dropped it.
    Dropped {
        /// Why.
        reason: DropReason,
        /// The rule or policy.
        decided_by: Option<Decision>,
    },
    /// It was sent by a device and came nowhere.
    Lost,
    /// A kernel or process took it and answered nothing.
    Unanswered,
    /// It was answered by a refusal: RST or an ICMP error.
    Refused,
    /// No packet was sent: the sender's kernel has no way.
    NotSent,
}

impl End {
    /// The packet in it.
    pub fn packet(&self) -> Option<&Packet> {
        self.frame.as_ref()?.ip()
    }

    /// Why the kernel dropped it.
    pub fn reason(&self) -> Option<DropReason> {
        match self.how {
            How::Dropped { reason, .. } => Some(reason),
            _ => None,
        }
    }
}

impl Story {
    /// Follows what a failed probe sent.
    pub fn of(tried: &Tried, from: Option<(HostId, NetnsId)>) -> Self {
        let Some(ran) = &tried.ran else { return Self::default() };
        let mut story = Self { forward: ran.subject.clone(), reply: ran.reply.clone(), ends: Vec::new() };
        let journeys = Journeys::new(&ran.steps);
        match (&story.forward, from) {
            (None, Some((host, netns))) => story.ends.push(End {
                direction: Direction::Forward,
                host,
                netns,
                dev: None,
                how: How::NotSent,
                frame: None,
            }),
            (None, None) => {}
            (Some(forward), _) => {
                let mut ends = Vec::new();
                match end_of(forward, Direction::Forward) {
                    Some(end) => ends.push(end),
                    None => match &story.reply {
                        None => ends.extend(taken(forward, How::Unanswered)),
                        Some(reply) => match end_of(reply, Direction::Reply) {
                            Some(end) => ends.push(end),
                            None if refuses(&reply.frame) => ends.extend(taken(forward, How::Refused)),
                            None => {}
                        },
                    },
                }
                // Later packets of the probe, and ARP that it waits for.
                for trace in &ran.traces {
                    let known =
                        |one: &Option<Trace>| one.as_ref().is_some_and(|one| one.packet == trace.packet);
                    if known(&story.forward) || known(&story.reply) {
                        continue;
                    }
                    ends.extend(end_of(trace, Direction::Other));
                }
                for id in journeys.roots().filter(|&id| journeys.is_arp(id)) {
                    let arp = journeys.trace(id);
                    ends.extend(arp.and_then(|arp| end_of(&arp, Direction::Arp)));
                }
                story.ends = ends;
            }
        }
        story
    }

    /// Every place that either packet passed, in order.
    pub fn hosts(&self) -> Vec<(HostId, NetnsId)> {
        let mut places = Vec::new();
        let hops = [&self.forward, &self.reply].into_iter().flatten().flat_map(|trace| &trace.hops);
        for hop in hops {
            if !places.contains(&(hop.host, hop.netns)) {
                places.push((hop.host, hop.netns));
            }
        }
        for end in &self.ends {
            if !places.contains(&(end.host, end.netns)) {
                places.push((end.host, end.netns));
            }
        }
        places
    }
}

/// Where a packet that was delivered is.
fn taken(trace: &Trace, how: How) -> Option<End> {
    let Disposition::Delivered { host, netns, .. } = trace.disposition else { return None };
    Some(End {
        direction: Direction::Forward,
        host,
        netns,
        dev: last_dev(trace),
        how,
        frame: Some(trace.last_frame().clone()),
    })
}

/// Where a way ends that doesn't end well.
fn end_of(trace: &Trace, direction: Direction) -> Option<End> {
    let last = trace.hops.last()?;
    let (host, netns, how) = match trace.disposition {
        Disposition::Delivered { .. } => return None,
        Disposition::Dropped { host, netns, reason, .. } => {
            let decided_by =
                trace.hops.iter().rev().flat_map(|hop| hop.steps.iter().rev()).find_map(|step| {
                    match &step.kind {
                        StepKind::Drop { decided_by, .. } => Some(decided_by.clone()),
                        _ => None,
                    }
                });
            // A frame that nobody on a segment wanted, and one that a cable lost, came nowhere.
            let lost = matches!(reason, DropReason::OtherHost | DropReason::LinkLoss | DropReason::PeerMtu);
            let how = match lost && direction != Direction::Arp {
                true if reason != DropReason::OtherHost => How::Lost,
                _ => How::Dropped { reason, decided_by: decided_by.flatten() },
            };
            (host, netns, how)
        }
        Disposition::Pending => (last.host, last.netns, How::Lost),
    };
    let frame = Some(trace.last_frame().clone());
    Some(End { direction, host, netns, dev: last_dev(trace), how, frame })
}

fn last_dev(trace: &Trace) -> Option<DevId> {
    let steps = trace.hops.last()?.steps.iter().rev();
    steps
        .filter(|step| matches!(step.kind, StepKind::Receive(_) | StepKind::Transmit(_)))
        .find_map(|s| s.place.dev)
}

/// Whether a frame tells a sender that its packet was refused.
pub(super) fn refuses(frame: &Frame) -> bool {
    match frame.ip().map(|ip| &ip.body) {
        Some(Body::Icmp(packet::Icmp::Error(error))) => error.kind != packet::Icmp::REDIRECT,
        Some(Body::Tcp(tcp)) => tcp.flags.contains(TcpFlags::RST),
        _ => false,
    }
}

/// `tcp 10.0.0.1:1234 > 10.0.0.2:80`.
pub(super) fn describe(packet: &Packet) -> String {
    let (src, dst) = (packet.src(), packet.dst());
    let (sport, dport) = Tuple::of(packet).ports();
    match packet.proto() {
        Proto::TCP => format!("tcp {src}:{sport} > {dst}:{dport}"),
        Proto::UDP => format!("udp {src}:{sport} > {dst}:{dport}"),
        Proto::ICMP => format!("icmp {src} > {dst}"),
        proto => format!("protocol {} {src} > {dst}", proto.0),
    }
}

/// The place where a packet ended, as a person names it: `node1 eth0`.
pub(super) fn spot_text(world: &World, end: &End) -> String {
    use trace::Names;
    let node = world.node(end.host, end.netns);
    match end.dev {
        Some(dev) => format!("{node} {}", world.dev(end.host, dev)),
        None => node,
    }
}
