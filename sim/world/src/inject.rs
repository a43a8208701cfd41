use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use kernel::path::Flow;
use kernel::{Errno, RouteKind};
use netfilter::{Choice, Choices};
use packet::{
    Body, DevId, Frame, HostId, Icmp, MacAddr, NetnsId, Packet, PacketId, Payload, Proto, Skb, Tcp, TcpFlags,
    Tuple, Udp, UdpData,
};
use trace::{Disposition, Journeys, Names, Recorder, Step, StepKind, Trace};

use crate::{Probability, World};

/// One packet to be followed on a copy of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The device it arrives at; `None` if the source is an own address, or to take the device that
    /// the route back to the source uses.
    pub device: Option<String>,
    /// TCP, UDP, SCTP or ICMP.
    pub proto: Proto,
    /// Source address.
    pub src: IpAddr,
    /// Source port, or the identifier of an echo request.
    pub sport: u16,
    /// Destination address.
    pub dst: IpAddr,
    /// Destination port.
    pub dport: u16,
    /// TCP flags.
    pub flags: TcpFlags,
    /// Mark that it begins with.
    pub mark: u32,
}

/// Which branches of a probe are followed where its way is random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// The one that the seed draws.
    Drawn,
    /// Each once.
    EveryBranch,
}

/// What became of a probe.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbeOutcome {
    /// Its way.
    pub trace: Trace,
    /// The line for scripts.
    pub verdict: ProbeVerdict,
    /// For each port that was drawn on its way, out of how many.
    pub drawn_ports: Vec<u32>,
    /// Everything that was recorded while it was followed.
    pub steps: Vec<Step>,
}

impl ProbeOutcome {
    /// A line for each port that was drawn, to stand below its trace.
    pub fn draws_text(&self) -> String {
        self.drawn_ports.iter().map(|size| format!("  one of {size} ports, drawn at random\n")).collect()
    }
}

/// What a process is told of its probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeReport {
    /// Its way, printed.
    pub text: String,
    /// The line for scripts.
    pub verdict: ProbeVerdict,
}

/// How a probe ended, as a line for scripts prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeVerdict {
    /// `delivered`, `forwarded`, `dropped` or `rejected`.
    pub verdict: &'static str,
    /// Where: `host` or `host/namespace`.
    pub host: String,
    /// The last device.
    pub dev: String,
    /// The kernel's reason, if it was dropped or rejected.
    pub reason: Option<&'static str>,
    /// The packet as it was at the end.
    pub packet: String,
    /// Its mark at the end.
    pub mark: u32,
    /// How probable this outcome is.
    pub probability: Probability,
}

impl fmt::Display for ProbeVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verdict, host, dev, reason, packet, mark, probability } = self;
        let dev = if dev.is_empty() { "-" } else { dev };
        let reason = reason.unwrap_or("-");
        write!(
            f,
            "verdict: {verdict} host={host} dev={dev} reason={reason} packet={packet} mark={mark:#x} probability={probability}"
        )
    }
}

/// A probe that can't be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// No device of that name.
    #[error("no device `{0}`")]
    NoDevice(String),
    /// The kernel has no route for it.
    #[error("{0}")]
    NoRoute(Errno),
    /// There is no route to the source, so it can't be told where it comes from.
    #[error(
        "`{0}` is no address of this host and no route leads to it\nhint: name the device that it arrives at with -i"
    )]
    UnknownSource(IpAddr),
    /// More branches than are followed.
    #[error("its way has more than {BRANCH_LIMIT} random branches")]
    TooManyBranches,
}

/// Branches that are followed at most.
const BRANCH_LIMIT: usize = 10_000;

/// Virtual time for which a probe is followed: longer than three unanswered ARP requests.
const FOLLOWED: Duration = Duration::from_secs(5);

impl World {
    /// Sends `probe` on a copy of the world and follows it through every host. Branches that end
    /// alike are one outcome; the probabilities of all outcomes add up to 1 if every branch is
    /// followed.
    ///
    /// # Errors
    /// A device or route that doesn't exist, too many branches.
    pub fn probe(
        &self,
        host: HostId,
        netns: NetnsId,
        probe: &Probe,
        follow: Follow,
    ) -> Result<Vec<ProbeOutcome>, ProbeError> {
        let mut outcomes: Vec<ProbeOutcome> = Vec::new();
        self.probe_each(host, netns, probe, follow, &mut |outcome| {
            let same = |known: &&mut ProbeOutcome| known.verdict.ends_like(&outcome.verdict);
            match outcomes.iter_mut().find(same) {
                Some(known) => {
                    known.verdict.probability = known.verdict.probability.or(outcome.verdict.probability)
                }
                None => outcomes.push(outcome),
            }
        })?;
        Ok(outcomes)
    }

    /// The same with every branch by itself, in the order of the rules: a chance that hits comes
    /// before one that misses.
    ///
    /// # Errors
    /// As [`Self::probe`].
    pub fn probe_each(
        &self,
        host: HostId,
        netns: NetnsId,
        probe: &Probe,
        follow: Follow,
        take: &mut dyn FnMut(ProbeOutcome),
    ) -> Result<(), ProbeError> {
        let first = match follow {
            Follow::Drawn => Choices::drawn(),
            Follow::EveryBranch => Choices::first_branch(),
        };
        let mut next = Some(first);
        for _ in 0..BRANCH_LIMIT {
            let Some(choices) = next else { return Ok(()) };
            let (outcome, made) = self.probe_branch(host, netns, probe, choices)?;
            take(outcome);
            next = made.next_branch().filter(|_| follow == Follow::EveryBranch);
        }
        Err(ProbeError::TooManyBranches)
    }

    /// Follows one branch; answers it with the choices that led there.
    fn probe_branch(
        &self,
        host: HostId,
        netns: NetnsId,
        probe: &Probe,
        choices: Choices,
    ) -> Result<(ProbeOutcome, Choices), ProbeError> {
        let mut copy = self.clone();
        copy.choices = Some(Box::new(choices));
        let mut recorder = Recorder::default();
        let id = copy.inject(host, netns, probe, &mut recorder)?;
        let until = copy.now() + FOLLOWED;
        copy.run_until(until, &mut recorder);
        let journeys = Journeys::new(&recorder.steps);
        let trace = journeys.trace(id).expect("the probe's creation is recorded");
        let choices = copy.choices.take().map_or_else(Choices::drawn, |choices| *choices);
        let mut drawn_ports = Vec::new();
        let mut probability = Probability::ONE;
        for choice in choices.made() {
            match *choice {
                Choice::Chance { parts, hit } => {
                    let (hits, misses) = probability.split(parts);
                    probability = if hit { hits } else { misses };
                }
                Choice::Port { size } => drawn_ports.push(size),
            }
        }
        let verdict = ProbeVerdict { probability, ..copy.verdict(&journeys, &trace, probe.mark) };
        Ok((ProbeOutcome { trace, verdict, drawn_ports, steps: recorder.steps }, choices))
    }

    /// The source address that a namespace would use towards `dst`.
    pub fn source_for(&self, host: HostId, netns: NetnsId, dst: IpAddr) -> Option<IpAddr> {
        self.host(host).ip_route_output(netns, &Flow::to(dst), self.now()).ok().map(|route| route.src)
    }

    fn inject(
        &mut self,
        host: HostId,
        netns: NetnsId,
        probe: &Probe,
        obs: &mut Recorder,
    ) -> Result<PacketId, ProbeError> {
        let now = self.now();
        let kernel = self.host(host);
        let own = kernel.inet_addr_type(netns, probe.src) == RouteKind::Local;
        let device = match &probe.device {
            Some(name) => {
                Some(kernel.dev_by_name(netns, name).ok_or_else(|| ProbeError::NoDevice(name.clone()))?)
            }
            None if own => None,
            None => {
                let back = kernel.ip_route_output(netns, &probe.flow(probe.dst, probe.src), now);
                Some(back.map_err(|_| ProbeError::UnknownSource(probe.src))?.dev)
            }
        };
        match device {
            Some(dev) => Ok(self.inject_at(host, dev, probe, obs)),
            None => {
                let dst = kernel
                    .ip_route_output(netns, &probe.flow(probe.src, probe.dst), now)
                    .map_err(ProbeError::NoRoute)?;
                Ok(self.with_kernel(host, obs, |cx| {
                    let mut skb = Skb::from_ip(cx.ids.next_id(), dst.dev, probe.packet());
                    skb.mark = probe.mark;
                    let id = skb.id;
                    cx.emit_created(&skb, netns, &[]);
                    let result = cx.ip_local_out(netns, skb, dst);
                    // The path's end is recorded; nobody waits for the errno.
                    let _ = cx.finish(result);
                    id
                }))
            }
        }
    }

    fn inject_at(&mut self, host: HostId, dev: DevId, probe: &Probe, obs: &mut Recorder) -> PacketId {
        let device = self.host(host).dev(dev);
        let (netns, mac) = (device.netns, device.mac);
        let neighbours = self.host(host).neighbours(netns, self.now());
        let sender = neighbours.iter().find(|n| n.addr == probe.src).and_then(|n| n.lladdr);
        let src = sender.unwrap_or(MacAddr([0x02, 0, 0, 0, 0, 0xfe]));
        let frame = Frame {
            dst: mac,
            src,
            tags: Default::default(),
            payload: packet::EtherPayload::Ip(probe.packet()),
        };
        self.with_kernel(host, obs, |cx| {
            let skb = Skb { mark: probe.mark, ..Skb::new(cx.ids.next_id(), dev, frame) };
            let id = skb.id;
            cx.emit_created(&skb, netns, &[]);
            // The path's end is recorded.
            let _ = cx.receive(skb);
            id
        })
    }

    fn verdict(&self, journeys: &Journeys<'_>, trace: &Trace, mark: u32) -> ProbeVerdict {
        let last_hop = trace.hops.last();
        let place = last_hop.map_or((trace.sender.0, trace.sender.1), |hop| (hop.host, hop.netns));
        let (verdict, (host, netns), reason) = match trace.disposition {
            Disposition::Delivered { host, netns, .. } => ("delivered", (host, netns), None),
            Disposition::Dropped { host, netns, reason, .. } => {
                let packets = trace.packets();
                let told = journeys.roots().any(|id| {
                    journeys.answers(id).is_some_and(|asked| packets.contains(&asked))
                        && journeys.frame(id).is_some_and(refuses)
                });
                (if told { "rejected" } else { "dropped" }, (host, netns), Some(reason.name()))
            }
            Disposition::Pending => ("forwarded", place, None),
        };
        let steps = || trace.hops.iter().rev().flat_map(|hop| hop.steps.iter().rev());
        let dev = steps()
            .find(|s| matches!(s.kind, StepKind::Receive(_) | StepKind::Transmit(_)))
            .and_then(|s| Some(self.dev(s.place.host, s.place.dev?)));
        let mark = steps()
            .find_map(|step| match &step.kind {
                StepKind::Rewrite { changes, .. } => {
                    let change = changes.iter().find(|c| c.field == "mark")?;
                    u32::from_str_radix(change.after.trim_start_matches("0x"), 16).ok()
                }
                _ => None,
            })
            .unwrap_or(mark);
        ProbeVerdict {
            verdict,
            host: self.node(host, netns),
            dev: dev.unwrap_or_default(),
            reason,
            packet: trace.last_frame().ip().map_or_else(String::new, packet_text),
            mark,
            probability: Probability::ONE,
        }
    }
}

impl ProbeVerdict {
    /// Whether both say the same, but for their probability.
    fn ends_like(&self, other: &Self) -> bool {
        Self { probability: other.probability, ..self.clone() } == *other
    }
}

/// Whether a frame tells a sender that its packet was refused: an ICMP error or a RST.
fn refuses(frame: &Frame) -> bool {
    match frame.ip().map(|ip| &ip.body) {
        Some(Body::Icmp(Icmp::Error(error))) => error.kind != Icmp::REDIRECT,
        Some(Body::Tcp(tcp)) => tcp.flags.contains(TcpFlags::RST),
        _ => false,
    }
}

/// `tcp 10.0.0.1:1234 > 10.0.0.2:80`.
fn packet_text(packet: &Packet) -> String {
    let (src, dst) = (packet.src(), packet.dst());
    let (sport, dport) = Tuple::of(packet).ports();
    match packet.proto() {
        Proto::TCP => format!("tcp {src}:{sport} > {dst}:{dport}"),
        Proto::UDP => format!("udp {src}:{sport} > {dst}:{dport}"),
        Proto::SCTP => format!("sctp {src}:{sport} > {dst}:{dport}"),
        Proto::ICMP => format!("icmp {src} > {dst}"),
        proto => format!("proto-{} {src} > {dst}", proto.0),
    }
}

/// An SCTP packet that opens an association: the common header and an INIT chunk.
///
/// Simplified: without a checksum, which no kernel here looks at.
fn sctp_init(sport: u16, dport: u16) -> Vec<u8> {
    let mut bytes = [sport.to_be_bytes(), dport.to_be_bytes()].concat();
    // No tag yet, no checksum; chunk 1 of 20 bytes: tag, window, streams each way, first number.
    bytes.extend([0; 8]);
    bytes.extend([1, 0, 0, 20]);
    for word in [1_u32, 0xffff, 0x000a_ffff, 1] {
        bytes.extend(word.to_be_bytes());
    }
    bytes
}

impl Probe {
    fn flow(&self, src: IpAddr, dst: IpAddr) -> Flow {
        Flow {
            dst,
            src: Some(src),
            iif: None,
            oif: None,
            mark: self.mark,
            tos: 0,
            proto: self.proto,
            sport: self.sport,
            dport: self.dport,
            onlink_only: false,
            any_src: true,
        }
    }

    fn packet(&self) -> Packet {
        let body = match self.proto {
            Proto::UDP => Body::Udp(Udp {
                sport: self.sport,
                dport: self.dport,
                checksum: true,
                data: UdpData::Bytes(Payload::from(b"trace".as_slice())),
            }),
            Proto::ICMP => Body::Icmp(Icmp::Echo {
                request: true,
                id: self.sport,
                seq: 1,
                payload: Payload::from(vec![0; 56]),
            }),
            Proto::SCTP => Body::Bytes(Proto::SCTP, Payload::from(sctp_init(self.sport, self.dport))),
            _ => Body::Tcp(Tcp {
                sport: self.sport,
                dport: self.dport,
                seq: 1,
                ack: 0,
                flags: self.flags,
                window: 64240,
                options: None,
                payload: Payload::EMPTY,
            }),
        };
        let mut packet = Packet::new(self.src, self.dst, body);
        packet.frag.df = self.proto == Proto::TCP;
        packet
    }
}
