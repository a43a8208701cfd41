//! `tracepath` of iputils 20221126, for IPv4: finds the path's MTU and its routers by UDP probes.
//!
//! Source: iputils `tracepath.c`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use kernel::Errno;
use kernel::socket::{MtuDiscover, SocketError, SocketKind, SocketOption};
use packet::SimTime;
use world::{Args, Fd, Next, Program, Registry, Sys, Wait};

use dns::Family;

use super::lookups::{Lookups, why};
use super::{Refused, Turns, complain, say};
use crate::getopt::getopt;

/// Installs `tracepath`.
pub(crate) fn install(registry: &mut Registry) {
    registry
        .install("tracepath", |args| Box::new(Tracepath { args, lookups: Lookups::default(), state: None }));
}

/// Probes that are remembered; each has its own port.
const HISTORY: usize = 64;
/// Bytes of the IP and UDP headers.
const OVERHEAD: u32 = 28;
const TRIES_PER_HOP: u32 = 3;
const SENDS_PER_TRY: u32 = 10;
const REPLY_WAIT: Duration = Duration::from_secs(1);
const USAGE: &str = "\nUsage\n  tracepath [options] <destination>\n\nOptions:\n  -4             use IPv4\n  -6             use IPv6\n  -b             print both name and IP\n  -l <length>    use packet <length>\n  -m <hops>      use maximum <hops>\n  -n             no reverse DNS name resolution\n  -p <port>      use destination <port>\n  -V             print version and exit\n  <destination>  DNS name or IP address\n\nFor more details see tracepath(8).\n";

#[derive(Clone, Debug)]
struct Tracepath {
    args: Args,
    lookups: Lookups,
    state: Option<State>,
}

/// A probe that was sent: its TTL and when.
type Sent = (u8, SimTime);

#[derive(Clone, Debug)]
struct State {
    socket: Fd,
    target: Ipv4Addr,
    base_port: u16,
    max_hops: u8,
    mtu: u32,
    /// What the MTU was before the current probe; a probe that changed it is repeated.
    old_mtu: u32,
    ttl: u8,
    tries: u32,
    history: [Option<Sent>; HISTORY],
    next_slot: usize,
    hops_to: Option<u8>,
    hops_back: Option<u8>,
    waiting: Option<SimTime>,
}

/// What the error queue said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Nothing was there.
    Nothing,
    /// The path goes on.
    Onward,
    /// The end.
    Done,
}

impl State {
    fn start(
        sys: &mut dyn Sys,
        args: &[String],
        lookups: &mut Lookups,
    ) -> Result<Result<Self, Wait>, Refused> {
        let (options, words) = getopt(args, "46bh?l:m:np:V", &[])
            .map_err(|error| Refused(255, format!("tracepath: {error}\n{USAGE}")))?;
        let (mut mtu, mut max_hops, mut base_port) = (u32::from(u16::MAX), 30, 44444);
        for (letter, value) in options {
            let value = value.unwrap_or_default();
            let invalid = || Refused(1, format!("tracepath: invalid argument: '{value}'\n"));
            match letter {
                'l' => {
                    mtu = value
                        .parse()
                        .ok()
                        .filter(|mtu| (OVERHEAD + 1..=65535).contains(mtu))
                        .ok_or_else(invalid)?
                }
                'm' => max_hops = value.parse().ok().filter(|hops| *hops > 0).ok_or_else(invalid)?,
                'p' => base_port = value.parse().map_err(|_| invalid())?,
                'V' => return Err(Refused(0, "tracepath from iputils 20221126\n".to_owned())),
                '4' | 'b' | 'n' => {}
                _ => return Err(Refused(255, USAGE.to_owned())),
            }
        }
        let [host] = words.as_slice() else { return Err(Refused(255, USAGE.to_owned())) };
        let (host, port) = host.split_once('/').unwrap_or((host, ""));
        if let Ok(port) = port.parse() {
            base_port = port;
        }
        let Some(found) = lookups.first(sys, host, Family::Any) else {
            return Ok(Err(lookups.waits().unwrap_or_default()));
        };
        let target =
            found.map_err(|error| Refused(1, format!("tracepath: {host}: {}\n", why(sys, error))))?;
        let failed = |errno: Errno| Refused(1, format!("tracepath: {errno}\n"));
        let socket = sys.socket(SocketKind::Udp).map_err(failed)?;
        for option in
            [SocketOption::MtuDiscover(MtuDiscover::Do), SocketOption::RecvErr(true), SocketOption::Ttl(1)]
        {
            sys.set_option(socket, option).map_err(failed)?;
        }
        Ok(Ok(Self {
            socket,
            target,
            base_port,
            max_hops,
            mtu,
            old_mtu: mtu,
            ttl: 1,
            tries: 0,
            history: [None; HISTORY],
            next_slot: 0,
            hops_to: None,
            hops_back: None,
            waiting: None,
        }))
    }

    /// Sends a probe as long as the path's MTU; `None` if it is on its way. Source: `probe_ttl`.
    fn send(&mut self, sys: &mut dyn Sys) -> Option<Progress> {
        let mut sends = 0;
        while sends < SENDS_PER_TRY {
            let slot = self.next_slot;
            let to = SocketAddr::new(IpAddr::V4(self.target), self.base_port.wrapping_add(slot as u16));
            self.history[slot] = Some((self.ttl, sys.now()));
            let data = vec![0; self.mtu.saturating_sub(OVERHEAD) as usize];
            if sys.send(self.socket, &data, Some(to)).is_ok() {
                self.next_slot = (slot + 1) % HISTORY;
                return None;
            }
            let progress = self.errors(sys);
            self.history[slot] = None;
            match progress {
                Progress::Done => return Some(Progress::Done),
                Progress::Onward => sends = 0,
                Progress::Nothing => sends += 1,
            }
        }
        say(sys, &format!("{:2}:  send failed\n", self.ttl));
        Some(Progress::Done)
    }

    /// Prints what the error queue holds. Source: `recverr`.
    fn errors(&mut self, sys: &mut dyn Sys) -> Progress {
        let mut progress = Progress::Nothing;
        while let Some(error) = sys.recv_error(self.socket) {
            progress = Progress::Onward;
            if self.error(sys, &error) {
                return Progress::Done;
            }
        }
        progress
    }

    /// One entry; true if it ends the trace.
    fn error(&mut self, sys: &mut dyn Sys, error: &SocketError) -> bool {
        let slot = usize::from(error.dst.port().wrapping_sub(self.base_port));
        // A local error names no port.
        let known = error.icmp.is_some() && slot < HISTORY - 1;
        let sent = self.history.get_mut(slot).filter(|_| known).and_then(Option::take);
        let mut text = match (error.icmp, error.offender) {
            (Some(_), Some(offender)) => match sent {
                Some((hops, _)) => format!("{hops:2}:  {:<51} ", offender.to_string()),
                None => format!("{:2}?: {:<51} ", self.ttl, offender.to_string()),
            },
            _ => format!("{:2}?: {:<32} ", self.ttl, "[LOCALHOST]"),
        };
        if let Some((_, at)) = sent {
            let micros = sys.now().since(at).as_micros();
            text.push_str(&format!("{:3}.{:03}ms ", micros / 1000, micros % 1000));
        }
        let back = match error.ttl {
            ttl @ 0..=64 => 65 - ttl,
            ttl @ 65..=128 => 129 - ttl,
            ttl => (256 - u16::from(ttl)) as u8,
        };
        let done = match (error.errno, error.icmp) {
            (Errno::TimedOut, _) => false,
            (Errno::MsgSize, _) => {
                text.push_str(&format!("pmtu {}", error.info));
                self.mtu = error.info;
                false
            }
            (Errno::ConnRefused, _) => {
                text.push_str("reached");
                self.hops_to = Some(sent.map_or(self.ttl, |(hops, _)| hops));
                self.hops_back = Some(back);
                true
            }
            (Errno::HostUnreach, Some((11, 0))) => {
                if back != sent.map_or(self.ttl, |(hops, _)| hops) {
                    text.push_str(&format!("asymm {back:2} "));
                }
                false
            }
            (Errno::Proto, _) => {
                text.push_str("!P");
                true
            }
            (Errno::HostUnreach, _) => {
                text.push_str("!H");
                true
            }
            (Errno::NetUnreach, _) => {
                text.push_str("!N");
                true
            }
            (Errno::Acces, _) => {
                text.push_str("!A");
                true
            }
            (errno, _) => {
                say(sys, &format!("{text}\n"));
                complain(sys, &format!("NET ERROR: {errno}\n"));
                return true;
            }
        };
        say(sys, &format!("{text}\n"));
        done
    }
}

impl Turns for State {
    /// One turn; nothing to wait for at the end.
    fn turn(&mut self, sys: &mut dyn Sys) -> Option<Wait> {
        loop {
            let progress = match self.waiting {
                None => {
                    self.old_mtu = self.mtu;
                    match self.send(sys) {
                        Some(progress) => progress,
                        None => {
                            self.waiting = Some(sys.now() + REPLY_WAIT);
                            continue;
                        }
                    }
                }
                Some(until) => {
                    if sys.recv(self.socket, 1 << 16).is_ok() {
                        say(sys, &format!("{:2}?: reply received 8)\n", self.ttl));
                        return None;
                    }
                    let progress = self.errors(sys);
                    if progress == Progress::Nothing && sys.now() < until {
                        return Some(Wait { fds: vec![self.socket], until: Some(until), ..Wait::default() });
                    }
                    self.waiting = None;
                    progress
                }
            };
            if self.mtu != self.old_mtu {
                self.tries = 0;
                continue;
            }
            match progress {
                Progress::Done => return None,
                Progress::Onward => {}
                Progress::Nothing if self.tries + 1 < TRIES_PER_HOP => {
                    self.tries += 1;
                    continue;
                }
                Progress::Nothing => say(sys, &format!("{:2}:  no reply\n", self.ttl)),
            }
            self.tries = 0;
            if self.ttl >= self.max_hops {
                say(sys, &format!("     Too many hops: pmtu {}\n", self.mtu));
                return None;
            }
            self.ttl += 1;
            let _ = sys.set_option(self.socket, SocketOption::Ttl(self.ttl));
        }
    }

    fn finish(&self, sys: &mut dyn Sys) {
        let hops = self.hops_to.map_or_else(String::new, |hops| format!("hops {hops} "));
        let back = self.hops_back.map_or_else(String::new, |back| format!("back {back} "));
        say(sys, &format!("     Resume: pmtu {} {hops}{back}\n", self.mtu));
    }
}

impl Program for Tracepath {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let args = &self.args[1..];
        let lookups = &mut self.lookups;
        super::take_turn(&mut self.state, sys, |sys| State::start(sys, args, lookups))
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
