use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use dns::{Message, Name, RecordType};
use packet::SimTime;

use crate::coredns::message;

/// The `loop` plugin: a query that nobody else asks for, sent to oneself when one starts; if it comes
/// back, forwarding goes in a circle. CoreDNS: `plugin/loop`.
#[derive(Clone, Debug)]
pub struct FindLoop {
    zone: Name,
    probe: Name,
    /// As a message names it: `:53`.
    address: String,
    /// Where the probe is sent.
    pub to: SocketAddr,
    seen: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The probe is sent at this time.
    Due { at: SimTime, until: SimTime },
    /// It is under way.
    Sent { until: SimTime },
    /// The search is over.
    Off,
}

/// How long the answer to a probe may take.
pub const READ: Duration = Duration::from_secs(2);
/// So many probes that come back are a loop.
const LIMIT: u32 = 2;
/// How long probes are sent that aren't answered.
const DEADLINE: Duration = Duration::from_secs(30);
/// The time between them.
const PAUSE: Duration = Duration::from_secs(1);

impl FindLoop {
    /// One for a zone that is served on a port.
    pub fn new(zone: &Name, port: u16, now: SimTime, random: &mut dyn FnMut() -> u64) -> Self {
        let mut label = || (random() >> 2).to_string();
        let (first, second) = (label(), label());
        let probe = [second, first]
            .iter()
            .try_fold(zone.clone(), |name, label| name.prepend_label(label.as_bytes()))
            .unwrap_or_else(|_| zone.clone());
        Self {
            zone: zone.clone(),
            probe,
            address: format!(":{port}"),
            to: (IpAddr::V4(Ipv4Addr::LOCALHOST), port).into(),
            seen: 0,
            state: State::Due { at: now, until: now + DEADLINE },
        }
    }

    /// Looks at a query; a loop is told in CoreDNS's words.
    pub fn look(&mut self, query: &Message, from: SocketAddr) -> Result<(), String> {
        let name = message::name(query);
        if self.state == State::Off || message::kind(query) != RecordType::HINFO || !self.zone.zone_of(&name)
        {
            return Ok(());
        }
        if name == self.probe {
            self.seen += 1;
        }
        if self.seen <= LIMIT {
            return Ok(());
        }
        let Self { address, zone, probe, .. } = self;
        Err(format!(
            "[FATAL] plugin/loop: Loop ({from} -> {address}) detected for zone {:?}, see \
             https://coredns.io/plugins/loop#troubleshooting. Query: \"HINFO {probe}\"",
            zone.to_string()
        ))
    }

    /// When there is something to do next.
    pub fn next(&self) -> Option<SimTime> {
        match self.state {
            State::Due { at, .. } => Some(at),
            State::Sent { .. } | State::Off => None,
        }
    }

    /// The probe, if it is due.
    pub fn tick(&mut self, now: SimTime, id: u16) -> Option<Message> {
        match self.state {
            State::Due { at, until } if at <= now => {
                self.state = if now < until { State::Sent { until } } else { State::Off };
                (now < until).then(|| dns::query(id, self.probe.clone(), RecordType::HINFO))
            }
            _ => None,
        }
    }

    /// The probe was answered, or not.
    pub fn answered(&mut self, good: bool, now: SimTime) {
        let State::Sent { until } = self.state else { return };
        self.state = if good {
            State::Off
        } else {
            self.seen = 0;
            State::Due { at: now + PAUSE, until }
        };
    }
}
