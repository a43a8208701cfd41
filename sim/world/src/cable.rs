use std::collections::BTreeMap;
use std::time::Duration;

use packet::{DevId, HostId, MacAddr, SimTime, Skb};

use crate::barrier::{Barrier, Standing};
use crate::rng::Stream;

/// One end of a cable or port of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The host.
    pub host: HostId,
    /// Its physical device.
    pub dev: DevId,
}

/// What a cable does to frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CableOptions {
    /// Propagation delay.
    pub latency: Duration,
    /// Bits per second; `None` is unlimited.
    pub bandwidth: Option<u64>,
    /// Frames lost, in a million.
    pub loss_ppm: u32,
    /// Frames that wait for their turn at most, per direction; counts only with a bandwidth.
    pub queue: u32,
    /// Longest IP packet carried, in bytes; longer frames are dropped.
    pub mtu: Option<u32>,
}

impl Default for CableOptions {
    /// 50 µs, unlimited, lossless, 1000 frames.
    fn default() -> Self {
        Self { latency: Duration::from_micros(50), bandwidth: None, loss_ppm: 0, queue: 1000, mtu: None }
    }
}

/// How a segment passes frames on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    /// To every other port.
    Hub,
    /// Learns addresses, as an Ethernet switch does.
    Switch,
}

/// A shared medium: a cable is a hub with two ports.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub name: String,
    pub kind: SegmentKind,
    ports: Vec<Port>,
    pub barriers: Vec<Standing>,
    /// Switch: where an address was last seen.
    macs: BTreeMap<MacAddr, (usize, SimTime)>,
    loss: Stream,
}

#[derive(Clone, Debug)]
struct Port {
    end: Endpoint,
    /// `host:nic`.
    name: String,
    options: CableOptions,
    /// When the transmitter is free again.
    busy_until: SimTime,
    /// When each waiting frame begins to be sent.
    waiting: std::collections::VecDeque<SimTime>,
    blocked: bool,
}

/// Seconds until a switch forgets an address.
const SWITCH_AGEING: Duration = Duration::from_secs(300);

/// What became of a frame on a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Delivered to these many ports.
    To(usize),
    /// Lost by chance.
    Lost,
    /// The transmit queue was full.
    QueueFull,
    /// Longer than the cable's MTU.
    TooLong,
    /// A barrier stopped it.
    Barred(Barrier),
}

impl Segment {
    pub fn new(name: &str, kind: SegmentKind, seed: u64) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            ports: Vec::new(),
            barriers: Vec::new(),
            macs: BTreeMap::new(),
            loss: Stream::new(seed, name, "loss"),
        }
    }

    /// Adds a port; answers its number.
    pub fn plug(&mut self, end: Endpoint, name: String, options: CableOptions) -> usize {
        self.ports.push(Port {
            end,
            name,
            options,
            busy_until: SimTime::ZERO,
            waiting: std::collections::VecDeque::new(),
            blocked: false,
        });
        self.ports.len() - 1
    }

    /// The names of its ports, `host:nic`.
    pub fn port_names(&self) -> impl Iterator<Item = &str> {
        self.ports.iter().map(|port| port.name.as_str())
    }

    pub fn ends(&self) -> impl Iterator<Item = Endpoint> + '_ {
        self.ports.iter().map(|p| p.end)
    }

    /// Sends `skb` in by `port` and hands each arrival to `deliver`.
    pub fn send(
        &mut self,
        now: SimTime,
        port: usize,
        skb: Skb,
        mut deliver: impl FnMut(SimTime, Endpoint, Skb),
    ) -> Sent {
        let from = &mut self.ports[port];
        let options = from.options;
        if from.blocked || self.loss.chance(options.loss_ppm) {
            return Sent::Lost;
        }
        if options.mtu.is_some_and(|mtu| skb.frame.payload.len() > mtu as usize) {
            return Sent::TooLong;
        }
        if let Some(barrier) = stopped(&mut self.barriers, now, &from.name, None, &skb) {
            return Sent::Barred(barrier);
        }
        let mut depart = now;
        if let Some(bits_per_second) = options.bandwidth {
            while from.waiting.front().is_some_and(|&start| start <= now) {
                from.waiting.pop_front();
            }
            if from.waiting.len() >= options.queue as usize {
                return Sent::QueueFull;
            }
            let start = from.busy_until.max(now);
            // Preamble, FCS and gap are not counted: bandwidth is that of the frames.
            let nanos = skb.frame.len() as u64 * 8 * 1_000_000_000 / bits_per_second.max(1);
            depart = start + Duration::from_nanos(nanos);
            from.busy_until = depart;
            if start > now {
                from.waiting.push_back(start);
            }
        }
        let arrive = depart + options.latency.max(kernel::request::CROSSING);
        let mut targets = self.targets(now, port, &skb);
        if !self.barriers.is_empty() {
            let (ports, barriers) = (&self.ports, &mut self.barriers);
            let mut last = None;
            targets.retain(|target| {
                let to = Some(ports[*target].name.as_str());
                let barrier = stopped(barriers, now, &ports[port].name, to, &skb);
                let carried = barrier.is_none();
                last = barrier.or(last.take());
                carried
            });
            if let Some(barrier) = last.filter(|_| targets.is_empty()) {
                return Sent::Barred(barrier);
            }
        }
        let mut skb = Some(skb);
        let n = targets.len();
        for (i, target) in targets.into_iter().enumerate() {
            let copy = if i + 1 == n { skb.take() } else { skb.clone() };
            let Some(mut copy) = copy else { break };
            let end = self.ports[target].end;
            copy.dev = end.dev;
            deliver(arrive, end, copy);
        }
        Sent::To(n)
    }

    /// The other end and the delay, if frames from `port` only take their time: a cable that isn't
    /// cut, limited or lossy, whose state no frame changes.
    #[inline]
    pub fn plain(&self, port: usize) -> Option<(Endpoint, Duration)> {
        let [a, b] = &self.ports[..] else { return None };
        if !self.barriers.is_empty() {
            return None;
        }
        let (from, to) = if port == 0 { (a, b) } else { (b, a) };
        let CableOptions { latency, bandwidth: None, loss_ppm: 0, mtu: None, .. } = from.options else {
            return None;
        };
        (!from.blocked).then_some((to.end, latency.max(kernel::request::CROSSING)))
    }

    fn targets(&mut self, now: SimTime, port: usize, skb: &Skb) -> smallvec::SmallVec<[usize; 4]> {
        if self.ports.len() == 2 {
            return smallvec::smallvec![1 - port];
        }
        if self.kind == SegmentKind::Switch {
            if !skb.frame.src.is_multicast() {
                self.macs.insert(skb.frame.src, (port, now));
            }
            let known = self.macs.get(&skb.frame.dst).filter(|(_, seen)| now.since(*seen) < SWITCH_AGEING);
            if let Some(&(to, _)) = known {
                return if to == port { smallvec::SmallVec::new() } else { smallvec::smallvec![to] };
            }
        }
        (0..self.ports.len()).filter(|&p| p != port).collect()
    }

    /// Cuts or mends the port of `end`: a cut one carries nothing.
    pub fn set_blocked(&mut self, end: Endpoint, blocked: bool) {
        for port in self.ports.iter_mut().filter(|p| p.end == end) {
            port.blocked = blocked;
        }
    }

    /// Changes what the cable at `end` does to the frames that `end` sends.
    pub fn set_options(&mut self, end: Endpoint, options: CableOptions) {
        for port in self.ports.iter_mut().filter(|p| p.end == end) {
            port.options = options;
        }
    }
}

/// The first barrier that stops a frame on its way between these ports.
fn stopped(
    barriers: &mut [Standing],
    now: SimTime,
    from: &str,
    to: Option<&str>,
    skb: &Skb,
) -> Option<Barrier> {
    let standing = barriers
        .iter_mut()
        .find_map(|standing| standing.stops(now, from, to, &skb.frame).then_some(standing));
    standing.map(|standing| standing.barrier.clone())
}
