//! The client of the lab: connects a number of times, one after the other, and prints how each try
//! ended as a line of JSON.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use kernel::Errno;
use kernel::socket::SocketKind;
use packet::{Body, Icmp, Packet, Proto, SimTime};
use world::{Args, Fd, Next, Program, Registry, Sys, Wait};

use crate::flow::{Ending, IcmpSeen, Outcome};

/// How long a try waits for an answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long it goes on listening for ICMP errors after it has failed.
const GRACE: Duration = Duration::from_millis(20);

/// The time between two tries: the recorder's took about that long, and a kernel sends 1000 ICMP
/// errors a second.
const PAUSE: Duration = Duration::from_millis(2);

/// Installs `flow-client tcp|udp ADDR:PORT TRIES`.
pub fn install(registry: &mut Registry) {
    registry.install("flow-client", |args| Box::new(Client { args, job: None }));
}

#[derive(Clone, Debug)]
struct Client {
    args: Args,
    job: Option<Job>,
}

#[derive(Clone, Debug)]
struct Job {
    target: SocketAddr,
    kind: SocketKind,
    left: u32,
    /// Sees every ICMP message that comes to this place.
    icmp: Fd,
    attempt: Option<Attempt>,
}

#[derive(Clone, Debug)]
struct Attempt {
    fd: Fd,
    /// The client's own port.
    port: u16,
    heard: Vec<u8>,
    icmp: Option<IcmpSeen>,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Waiting {
        until: SimTime,
    },
    /// It has failed; an ICMP error may still come.
    Ended {
        result: Ending,
        until: SimTime,
    },
}

impl Job {
    fn new(sys: &mut dyn Sys, args: &[String]) -> Result<Self, Errno> {
        let [_, proto, target, tries] = args else { return Err(Errno::Inval) };
        Ok(Self {
            target: target.parse().map_err(|_| Errno::Inval)?,
            kind: if proto == "udp" { SocketKind::Udp } else { SocketKind::Tcp },
            left: tries.parse().map_err(|_| Errno::Inval)?,
            icmp: sys.socket(SocketKind::Raw(Proto::ICMP))?,
            attempt: None,
        })
    }

    /// Goes on as far as it goes: what to wait for, or nothing at the end.
    fn run(&mut self, sys: &mut dyn Sys) -> Result<Option<Wait>, Errno> {
        loop {
            let Some(mut attempt) = self.attempt.take() else {
                if self.left == 0 {
                    return Ok(None);
                }
                self.left -= 1;
                self.attempt = Some(self.begin(sys)?);
                continue;
            };
            self.listen_for_icmp(sys, &mut attempt);
            if let Some(outcome) = self.advance(sys, &mut attempt) {
                let line = serde_json::to_string(&outcome).unwrap_or_default();
                let _ = sys.write(Fd::STDOUT, format!("{line}\n").as_bytes());
                return Ok(Some(Wait::until(sys.now() + PAUSE)));
            }
            let (State::Waiting { until } | State::Ended { until, .. }) = attempt.state;
            let fds = match attempt.state {
                State::Waiting { .. } => vec![attempt.fd, self.icmp],
                State::Ended { .. } => vec![self.icmp],
            };
            self.attempt = Some(attempt);
            return Ok(Some(Wait { fds, until: Some(until), ..Wait::default() }));
        }
    }

    fn begin(&self, sys: &mut dyn Sys) -> Result<Attempt, Errno> {
        let fd = sys.socket(self.kind)?;
        let mut state = State::Waiting { until: sys.now() + PATIENCE };
        let connected = match sys.connect(fd, self.target) {
            Ok(()) if self.kind == SocketKind::Udp => sys.send(fd, b"?", None).map(|_| ()),
            Ok(()) | Err(Errno::InProgress) => Ok(()),
            Err(errno) => Err(errno),
        };
        let port = sys.local_addr(fd).map_or(0, |addr| addr.port());
        if let Err(errno) = connected {
            sys.close(fd);
            state = State::Ended { result: ending(errno)?, until: sys.now() + GRACE };
        }
        Ok(Attempt { fd, port, heard: Vec::new(), icmp: None, state })
    }

    /// Keeps the first error that quotes a packet to the target.
    fn listen_for_icmp(&self, sys: &mut dyn Sys, attempt: &mut Attempt) {
        while let Ok(received) = sys.recv(self.icmp, 1 << 16) {
            let Some(Packet { body: Body::Icmp(Icmp::Error(error)), .. }) = received.packet else { continue };
            if error.quoted.packet.dst() == self.target.ip() && attempt.icmp.is_none() {
                let (kind, code) = (error.kind, error.code);
                attempt.icmp = Some(IcmpSeen { kind, code, from: received.from.ip() });
            }
        }
    }

    fn advance(&self, sys: &mut dyn Sys, attempt: &mut Attempt) -> Option<Outcome> {
        match attempt.state {
            State::Waiting { until } => {
                let result = match sys.recv(attempt.fd, 1 << 16) {
                    Ok(received) => {
                        attempt.heard.extend(received.data);
                        if !attempt.heard.ends_with(b"\n") {
                            return None;
                        }
                        sys.close(attempt.fd);
                        return Some(attempt.connected());
                    }
                    Err(Errno::Again | Errno::InProgress) if sys.now() < until => return None,
                    Err(Errno::Again | Errno::InProgress) => Ending::Timeout,
                    Err(errno) => ending(errno).unwrap_or(Ending::Timeout),
                };
                sys.close(attempt.fd);
                let grace = if result == Ending::Refused { Duration::ZERO } else { GRACE };
                attempt.state = State::Ended { result, until: sys.now() + grace };
                self.advance(sys, attempt)
            }
            State::Ended { result, until } if sys.now() >= until => {
                let icmp = attempt.icmp.take();
                let by = (result == Ending::Refused && icmp.is_none()).then(|| "rst".to_owned());
                Some(Outcome { icmp, by, ..Outcome::plain(result) })
            }
            State::Ended { .. } => None,
        }
    }
}

impl Attempt {
    /// What the server said.
    fn connected(&self) -> Outcome {
        let text = String::from_utf8_lossy(&self.heard);
        let (backend, peer) = text.trim().split_once(' ').unwrap_or_default();
        let peer: Option<SocketAddr> = peer.parse().ok();
        Outcome {
            backend: Some(backend.to_owned()),
            source: peer.map(|peer| peer.ip()).map(|ip: IpAddr| ip.to_string()),
            port_kept: peer.map(|peer| peer.port() == self.port),
            ..Outcome::plain(Ending::Connected)
        }
    }
}

fn ending(errno: Errno) -> Result<Ending, Errno> {
    match errno {
        Errno::ConnRefused => Ok(Ending::Refused),
        Errno::HostUnreach | Errno::NetUnreach => Ok(Ending::Unreachable),
        Errno::Perm => Ok(Ending::Eperm),
        other => Err(other),
    }
}

impl Program for Client {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let ended = match &mut self.job {
            Some(job) => job.run(sys),
            None => match Job::new(sys, &self.args) {
                Ok(job) => self.job.insert(job).run(sys),
                Err(errno) => Err(errno),
            },
        };
        match ended {
            Ok(Some(wait)) => Next::Wait(wait),
            Ok(None) => Next::Exit(0),
            Err(errno) => {
                let _ = sys.write(Fd::STDERR, format!("flow-client: {errno}\n").as_bytes());
                Next::Exit(1)
            }
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
