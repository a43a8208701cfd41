//! `arping` of iputils 20221126. Source: iputils `arping.c`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use kernel::socket::{Captured, SocketKind, SocketOption};
use packet::{Arp, ArpOp, EtherPayload, Frame, MacAddr, PktType, SimTime};
use world::{Args, Fd, Next, Program, Registry, Signal, Sys, Wait};

use dns::Family;

use super::lookups::{Lookups, why};
use super::{Refused, complain, say};
use crate::getopt::getopt;

/// Installs `arping`.
pub(crate) fn install(registry: &mut Registry) {
    registry.install("arping", |args| Box::new(Arping { args, state: None, lookups: Lookups::default() }));
}

#[derive(Clone, Debug)]
struct Arping {
    args: Args,
    lookups: Lookups,
    state: Option<State>,
}

#[derive(Clone, Debug)]
struct State {
    socket: Fd,
    mac: MacAddr,
    source: Ipv4Addr,
    target: Ipv4Addr,
    options: Options,
    /// Where requests go: broadcast until somebody answered.
    to: MacAddr,
    probes: u64,
    broadcasts: u64,
    received: u64,
    broadcast_replies: u64,
    requests: u64,
    sent_at: SimTime,
    next_send: SimTime,
    deadline: Option<SimTime>,
}

#[derive(Clone, Debug, Default)]
struct Options {
    count: Option<u64>,
    deadline: Option<u64>,
    interval: u64,
    quit_on_reply: bool,
    quiet: bool,
    keep_broadcast: bool,
    duplicate_detection: bool,
    unsolicited: bool,
    advertise: bool,
    device: Option<String>,
    source: Option<String>,
    target: String,
}

const USAGE: &str = "\nUsage:\n  arping [options] <destination>\n\nOptions: -A -b -c COUNT -D -f -I DEVICE -i INTERVAL -q -s SOURCE -U -V -w TIMEOUT\n";

impl Options {
    fn parse(args: &[String]) -> Result<Self, Refused> {
        let (options, words) = getopt(args, "h?bfDUAqc:w:i:s:I:V", &[])
            .map_err(|error| Refused(2, format!("arping: {error}\n{USAGE}")))?;
        let mut parsed = Self { interval: 1, ..Self::default() };
        let number = |text: &str| -> Result<u64, Refused> {
            text.parse().map_err(|_| Refused(1, format!("arping: invalid argument: '{text}'\n")))
        };
        for (letter, value) in options {
            let value = value.unwrap_or_default();
            match letter {
                'A' => (parsed.advertise, parsed.unsolicited) = (true, true),
                'b' => parsed.keep_broadcast = true,
                'c' => parsed.count = Some(number(&value)?),
                'D' => (parsed.duplicate_detection, parsed.quit_on_reply) = (true, true),
                'f' => parsed.quit_on_reply = true,
                'I' => parsed.device = Some(value),
                'i' => parsed.interval = number(&value)?,
                'q' => parsed.quiet = true,
                's' => parsed.source = Some(value),
                'U' => parsed.unsolicited = true,
                'V' => return Err(Refused(0, "arping from iputils 20221126\n".to_owned())),
                'w' => parsed.deadline = Some(number(&value)?),
                _ => return Err(Refused(2, USAGE.to_owned())),
            }
        }
        match words.as_slice() {
            [target] => parsed.target.clone_from(target),
            _ => return Err(Refused(2, USAGE.to_owned())),
        }
        Ok(parsed)
    }
}

impl State {
    /// `Ok(None)` while the name is looked up.
    fn start(sys: &mut dyn Sys, options: Options, lookups: &mut Lookups) -> Result<Option<Self>, Refused> {
        let netns = sys.netns();
        let links = sys.kernel().links(netns);
        // IFF_UP, IFF_LOOPBACK, IFF_NOARP
        let arpable = |flags: u32| flags & 1 != 0 && flags & (0x8 | 0x80) == 0;
        let link = match &options.device {
            Some(name) => links
                .iter()
                .find(|link| link.name == *name)
                .ok_or_else(|| Refused(2, format!("arping: Device {name} not available.\n")))?,
            None => links.iter().find(|link| arpable(link.flags)).ok_or_else(|| {
                Refused(2, "arping: no suitable device found, please use option -I.\n".to_owned())
            })?,
        };
        let name = link.name.clone();
        if link.flags & 1 == 0 {
            return Err(Refused(2, format!("Interface \"{name}\" is down\n")));
        }
        if !arpable(link.flags) {
            return Err(Refused(2, format!("Interface \"{name}\" is not ARPable\n")));
        }
        let (mac, broadcast) = link.address.unwrap_or((MacAddr::ZERO, MacAddr::BROADCAST));
        let Some(found) = lookups.first(sys, &options.target, Family::V4) else { return Ok(None) };
        let target = found
            .map_err(|error| Refused(2, format!("arping: {}: {}\n", options.target, why(sys, error))))?;
        let mut source = match &options.source {
            Some(text) => {
                Some(text.parse().map_err(|_| Refused(2, format!("arping: invalid source {text}\n")))?)
            }
            None if options.unsolicited && !options.duplicate_detection => Some(target),
            None => None,
        };
        if !options.duplicate_detection || source.is_some() {
            let fail = |what: &str, errno: kernel::Errno| Refused(2, format!("arping: {what}: {errno}\n"));
            let probe = sys.socket(SocketKind::Udp).map_err(|e| fail("socket", e))?;
            sys.set_option(probe, SocketOption::BindToDevice(Some(name.clone())))
                .map_err(|e| fail("SO_BINDTODEVICE", e))?;
            if let Some(own) = source {
                sys.bind(probe, SocketAddr::new(IpAddr::V4(own), 0)).map_err(|e| fail("bind", e))?;
            } else {
                sys.set_option(probe, SocketOption::DontRoute(true)).map_err(|e| fail("SO_DONTROUTE", e))?;
                if sys.connect(probe, SocketAddr::new(IpAddr::V4(target), 1025)).is_ok()
                    && let Some(IpAddr::V4(own)) = sys.local_addr(probe).map(|a| a.ip())
                {
                    source = Some(own);
                }
            }
            sys.close(probe);
        }
        let socket = sys
            .socket(SocketKind::Packet { arp_only: true })
            .map_err(|errno| Refused(2, format!("arping: socket: {errno}\n")))?;
        sys.set_option(socket, SocketOption::BindToDevice(Some(name.clone())))
            .map_err(|errno| Refused(2, format!("arping: bind: {errno}\n")))?;
        let source = source.unwrap_or(Ipv4Addr::UNSPECIFIED);
        if !options.quiet {
            say(sys, &format!("ARPING {target} from {source} {name}\n"));
        }
        if source.is_unspecified() && !options.duplicate_detection {
            return Err(Refused(2, "arping: no source address in not-DAD mode\n".to_owned()));
        }
        let now = sys.now();
        Ok(Some(Self {
            socket,
            mac,
            source,
            target,
            to: broadcast,
            probes: 0,
            broadcasts: 0,
            received: 0,
            broadcast_replies: 0,
            requests: 0,
            sent_at: now,
            next_send: now,
            deadline: options.deadline.map(|seconds| now + Duration::from_secs(seconds)),
            options,
        }))
    }

    fn send(&mut self, sys: &mut dyn Sys) {
        let now = sys.now();
        let advertise = self.options.advertise;
        let arp = Arp {
            op: if advertise { ArpOp::Reply } else { ArpOp::Request },
            sha: self.mac,
            spa: self.source,
            tha: if advertise { self.mac } else { self.to },
            tpa: self.target,
        };
        let frame = Frame {
            dst: self.to,
            src: self.mac,
            tags: Default::default(),
            payload: EtherPayload::Arp(Box::new(arp)),
        };
        if sys.send_frame(self.socket, frame).is_ok() {
            self.sent_at = now;
            self.probes += 1;
            if self.to.is_multicast() {
                self.broadcasts += 1;
            }
        }
        self.next_send = now + Duration::from_secs(self.options.interval);
    }

    /// Takes a frame; true if it ends the command.
    fn receive(&mut self, sys: &mut dyn Sys, captured: &Captured) -> bool {
        if !matches!(captured.pkt_type, PktType::Host | PktType::Broadcast | PktType::Multicast) {
            return false;
        }
        let EtherPayload::Arp(arp) = &captured.frame.payload else { return false };
        if !matches!(arp.op, ArpOp::Request | ArpOp::Reply) || arp.spa != self.target {
            return false;
        }
        let for_us = if self.options.duplicate_detection {
            arp.sha != self.mac && (self.source.is_unspecified() || self.source == arp.tpa)
        } else {
            arp.tpa == self.source && arp.tha == self.mac
        };
        if !for_us {
            return false;
        }
        if !self.options.quiet {
            let how = if captured.pkt_type == PktType::Host { "Unicast" } else { "Broadcast" };
            let what = if arp.op == ArpOp::Reply { "reply" } else { "request" };
            let mut line = format!("{how} {what} from {} [{}] ", arp.spa, arp.sha);
            if arp.tpa != self.source {
                line.push_str(&format!("for {} ", arp.tpa));
            }
            let micros = captured.at.since(self.sent_at).as_micros();
            line.push_str(&format!(" {}.{:03}ms\n", micros / 1000, micros % 1000));
            say(sys, &line);
        }
        self.received += 1;
        if captured.pkt_type != PktType::Host {
            self.broadcast_replies += 1;
        }
        if arp.op == ArpOp::Request {
            self.requests += 1;
        }
        if !self.options.keep_broadcast {
            self.to = arp.sha;
        }
        self.options.quit_on_reply
            || (self.options.count == Some(self.probes) && self.received == self.probes)
    }

    fn finish(&self, sys: &mut dyn Sys) -> i32 {
        if !self.options.quiet {
            let mut text = format!(
                "Sent {} probes ({} broadcast(s))\nReceived {} response(s)",
                self.probes, self.broadcasts, self.received
            );
            let extra: Vec<String> =
                [(self.requests, "request(s)"), (self.broadcast_replies, "broadcast(s)")]
                    .iter()
                    .filter(|(n, _)| *n > 0)
                    .map(|(n, what)| format!("{n} {what}"))
                    .collect();
            if !extra.is_empty() {
                text.push_str(&format!(" ({})", extra.join(", ")));
            }
            text.push('\n');
            say(sys, &text);
        }
        if self.options.duplicate_detection {
            i32::from(self.received > 0)
        } else if self.options.unsolicited {
            0
        } else {
            i32::from(self.received == 0)
        }
    }

    /// One turn; `Ok` with the exit status at the end.
    fn turn(&mut self, sys: &mut dyn Sys) -> Result<i32, Wait> {
        loop {
            match sys.recv_frame(self.socket) {
                Ok(captured) => {
                    if self.receive(sys, &captured) {
                        return Ok(self.finish(sys));
                    }
                }
                Err(kernel::Errno::Again) => break,
                Err(errno) => {
                    complain(sys, &format!("arping: recvfrom: {errno}\n"));
                    return Ok(2);
                }
            }
        }
        let now = sys.now();
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            return Ok(self.finish(sys));
        }
        if now >= self.next_send {
            if self.options.count.is_some_and(|count| self.probes >= count) {
                return Ok(self.finish(sys));
            }
            self.send(sys);
        }
        let until = self.deadline.map_or(self.next_send, |deadline| deadline.min(self.next_send));
        Err(Wait { fds: vec![self.socket], until: Some(until), ..Wait::default() })
    }
}

impl Program for Arping {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let state = match &mut self.state {
            Some(state) => state,
            None => match Options::parse(&self.args[1..])
                .and_then(|options| State::start(sys, options, &mut self.lookups))
            {
                Ok(Some(state)) => self.state.insert(state),
                Ok(None) => return Next::Wait(self.lookups.waits().unwrap_or_default()),
                Err(Refused(0, text)) => {
                    say(sys, &text);
                    return Next::Exit(0);
                }
                Err(Refused(status, text)) => {
                    complain(sys, &text);
                    return Next::Exit(status);
                }
            },
        };
        match state.turn(sys) {
            Ok(status) => Next::Exit(status),
            Err(wait) => Next::Wait(wait),
        }
    }

    fn signal(&mut self, sys: &mut dyn Sys, signal: Signal) -> Next {
        match (&self.state, signal) {
            (Some(state), Signal::Int) => Next::Exit(state.finish(sys)),
            (_, signal) => Next::Exit(128 + signal.number()),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
