use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use packet::{Body, EtherPayload, Frame, MacAddr, Packet, Proto, SimTime};

/// What a segment does not carry: a filter of a switch, of a provider or of a hypervisor, which
/// nobody on the hosts sees.
///
/// It prints and parses as people write it: `udp port 8472`, `ipip from node1:eth0`,
/// `sources but 192.168.0.11 10.244.1.0/24 from node1:eth0`, `longer than 1400`,
/// `more than 100 a second to node2:eth0`, `all from node1:eth0 to node2:eth0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Barrier {
    /// Which frames.
    pub what: Barred,
    /// Only what comes in by this port, `host:nic`.
    pub from: Option<String>,
    /// Only what would leave by this port, `host:nic`.
    pub to: Option<String>,
}

/// The frames that a [`Barrier`] is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Barred {
    /// Every frame.
    All,
    /// An IP protocol.
    Protocol(Proto),
    /// Datagrams or segments to a port. Of a packet in fragments, the first.
    Port(Proto, u16),
    /// Fragments of IP packets.
    Fragments,
    /// IP packets longer than so many bytes.
    Longer(u32),
    /// What is more than so many frames in a second.
    Faster(u32),
    /// Frames whose sender is none of these: anti-spoofing, as of a cloud's port. The sender of IP
    /// and ARP has to be in `nets` and the frame's in `macs`, of each if it names any.
    Sources {
        /// Addresses.
        nets: Vec<IpNet>,
        /// Link-layer addresses.
        macs: Vec<MacAddr>,
    },
}

const PROTOCOLS: [(&str, Proto); 7] = [
    ("icmp", Proto::ICMP),
    ("igmp", Proto::IGMP),
    ("ipip", Proto::IPIP),
    ("tcp", Proto::TCP),
    ("udp", Proto::UDP),
    ("gre", Proto::GRE),
    ("esp", Proto::ESP),
];

impl Barred {
    /// Whether a frame is of this sort. Of [`Self::Faster`] every frame is.
    fn covers(&self, frame: &Frame) -> bool {
        match self {
            Self::All | Self::Faster(_) => true,
            Self::Protocol(proto) => frame.ip().is_some_and(|packet| packet.proto() == *proto),
            Self::Port(proto, port) => {
                frame.ip().and_then(destination).is_some_and(|to| to == (*proto, *port))
            }
            Self::Fragments => frame.ip().is_some_and(|packet| packet.frag.is_fragment()),
            Self::Longer(limit) => frame.payload.len() > *limit as usize,
            Self::Sources { nets, macs } => {
                let sender = match &frame.payload {
                    EtherPayload::Ip(packet) => Some(packet.src()),
                    EtherPayload::Arp(arp) => Some(IpAddr::V4(arp.spa)),
                    EtherPayload::Other(..) => None,
                };
                // Who has no address yet asks for one.
                let known = sender.is_none_or(|sender| {
                    sender.is_unspecified() || nets.iter().any(|net| net.contains(&sender))
                });
                !nets.is_empty() && !known || !macs.is_empty() && !macs.contains(&frame.src)
            }
        }
    }
}

fn destination(packet: &Packet) -> Option<(Proto, u16)> {
    match &packet.body {
        Body::Tcp(tcp) => Some((Proto::TCP, tcp.dport)),
        Body::Udp(udp) => Some((Proto::UDP, udp.dport)),
        Body::Icmp(_) | Body::Ip(_) | Body::Fragment(..) | Body::Bytes(..) => None,
    }
}

/// A barrier at work.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub barrier: Barrier,
    /// Frames that it has stopped.
    pub stopped: u64,
    /// When the running second began, and the frames in it.
    second: (SimTime, u32),
}

impl Standing {
    pub fn new(barrier: Barrier) -> Self {
        Self { barrier, stopped: 0, second: (SimTime::ZERO, 0) }
    }

    /// Whether it stops a frame on its way between these ports.
    pub fn stops(&mut self, now: SimTime, from: &str, to: Option<&str>, frame: &Frame) -> bool {
        let Barrier { what, from: only_from, to: only_to } = &self.barrier;
        // A barrier for where a frame goes is asked once that is known, the others before.
        if only_to.as_deref() != to || only_from.as_deref().is_some_and(|only| only != from) {
            return false;
        }
        let mut stops = what.covers(frame);
        if let Barred::Faster(limit) = what {
            if now.since(self.second.0) >= Duration::from_secs(1) {
                self.second = (now, 0);
            }
            self.second.1 = self.second.1.saturating_add(1);
            stops = self.second.1 > *limit;
        }
        self.stopped += u64::from(stops);
        stops
    }
}

impl fmt::Display for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        if let Some(from) = &self.from {
            write!(f, " from {from}")?;
        }
        self.to.iter().try_for_each(|to| write!(f, " to {to}"))
    }
}

impl fmt::Display for Barred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proto = |f: &mut fmt::Formatter<'_>, proto: &Proto| match PROTOCOLS
            .iter()
            .find(|(_, known)| known == proto)
        {
            Some((name, _)) => f.write_str(name),
            None => write!(f, "protocol {}", proto.0),
        };
        match self {
            Self::All => f.write_str("all"),
            Self::Protocol(number) => proto(f, number),
            Self::Port(number, port) => {
                proto(f, number)?;
                write!(f, " port {port}")
            }
            Self::Fragments => f.write_str("fragments"),
            Self::Longer(bytes) => write!(f, "longer than {bytes}"),
            Self::Faster(frames) => write!(f, "more than {frames} a second"),
            Self::Sources { nets, macs } => {
                f.write_str("sources but")?;
                for net in nets {
                    match net.prefix_len() == net.max_prefix_len() {
                        true => write!(f, " {}", net.addr())?,
                        false => write!(f, " {net}")?,
                    }
                }
                macs.iter().try_for_each(|mac| write!(f, " {mac}"))
            }
        }
    }
}

/// A text that names no barrier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadBarrier;

impl BadBarrier {
    /// What can be written.
    pub const EXPECTED: &'static str = "what isn't carried: `udp port 8472`, `ipip`, `protocol 4`, \
        `sources but 192.168.0.11 10.244.1.0/24`, `fragments`, `longer than 1400`, `more than 100 a second` or `all`, \
        then perhaps `from HOST:NIC`, `to HOST:NIC`";
}

impl FromStr for Barrier {
    type Err = BadBarrier;

    fn from_str(text: &str) -> Result<Self, BadBarrier> {
        let mut words: Vec<&str> = text.split_whitespace().collect();
        let mut end = |name: &str| match words[..] {
            [.., before, port] if before == name && port.contains(':') => {
                words.truncate(words.len() - 2);
                Some(port.to_owned())
            }
            _ => None,
        };
        let to = end("to");
        let from = end("from");
        Ok(Self { what: barred(&words).ok_or(BadBarrier)?, from, to })
    }
}

fn barred(words: &[&str]) -> Option<Barred> {
    let proto = |name: &str| PROTOCOLS.iter().find(|(known, _)| *known == name).map(|(_, proto)| *proto);
    match words {
        ["all"] => Some(Barred::All),
        ["fragments"] => Some(Barred::Fragments),
        ["protocol", number] => Some(Barred::Protocol(Proto(number.parse().ok()?))),
        ["longer", "than", bytes] => Some(Barred::Longer(bytes.parse().ok()?)),
        ["more", "than", frames, "a", "second"] => Some(Barred::Faster(frames.parse().ok()?)),
        ["sources", "but", list @ ..] if !list.is_empty() => {
            let (mut nets, mut macs) = (Vec::new(), Vec::new());
            for word in list {
                match word.parse::<IpNet>().or_else(|_| word.parse::<IpAddr>().map(IpNet::from)) {
                    Ok(net) => nets.push(net),
                    Err(_) => macs.push(word.parse().ok()?),
                }
            }
            Some(Barred::Sources { nets, macs })
        }
        [name @ ("tcp" | "udp"), "port", port] => Some(Barred::Port(proto(name)?, port.parse().ok()?)),
        [name] => proto(name).map(Barred::Protocol),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn barriers_print_as_they_are_written() {
        for text in [
            "all",
            "all from a:eth0 to b:eth0",
            "udp port 8472",
            "ipip to b:eth0",
            "protocol 99",
            "fragments",
            "longer than 1400",
            "more than 100 a second from a:eth0",
            "sources but 192.168.0.11 10.244.1.0/24 02:00:00:00:00:01 from a:eth0",
        ] {
            let barrier: Result<Barrier, _> = text.parse();
            assert_eq!(barrier.map(|barrier| barrier.to_string()).as_deref(), Ok(text));
        }
        for text in
            ["", "udp 8472", "icmp port 1", "sources but", "sources but x", "longer than long", "from a:b"]
        {
            assert_eq!(text.parse::<Barrier>(), Err(BadBarrier), "{text}");
        }
    }
}
