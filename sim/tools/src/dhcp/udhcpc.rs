//! `udhcpc` of busybox 1.35.0. Source: `networking/udhcp/dhcpc.c`.

use std::net::Ipv4Addr;
use std::time::Duration;

use dhcproto::v4::{DhcpOption, MessageType, OptionCode};
use packet::SimTime;
use world::{Args, Next, Program, Registry, Signal, Spawn, Sys, Wait};

use super::lease::Lease;
use super::link::{Answer, IpStyle, Link};
use super::message::{encode, kind, request};
use super::{SCRIPT_START, script};
use crate::getopt::getopt;
use crate::net::{Refused, complain};

/// Installs `udhcpc`.
pub(super) fn install(registry: &mut Registry) {
    registry.install("udhcpc", |args| Box::new(Udhcpc { args, client: None }));
}

const STYLE: IpStyle = IpStyle { ttl: 64, tos: 0 };
/// Longest message that it takes.
const MAX_SIZE: u16 = 576;
/// How often it asks to renew, and to rebind, before it gives the lease up.
const TRIES: u32 = 3;

#[derive(Clone, Debug)]
struct Udhcpc {
    args: Args,
    client: Option<Client>,
}

#[derive(Clone, Debug)]
struct Options {
    device: String,
    /// `-n`: ends if nobody answers.
    gives_up: bool,
    /// `-q`: ends with its lease.
    quits: bool,
    /// `-f`.
    foreground: bool,
    /// `-b`: goes on in the background if nobody answers.
    backgrounds: bool,
    /// `-R`: gives the lease back at the end.
    releases: bool,
    /// `-t`.
    discovers: u32,
    /// `-T`.
    pause: u64,
    /// `-A`.
    retry: u64,
    /// `-r`.
    asked: Option<Ipv4Addr>,
    /// `-p`.
    pid_file: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Selecting,
    Requesting,
    Bound,
    Renewing,
    Rebinding,
    Released,
}

#[derive(Clone, Debug)]
struct Client {
    options: Options,
    link: Link,
    state: State,
    talks: bool,
    xid: u32,
    /// Seconds since 1970 of the first message of a try.
    first: u64,
    sent: u32,
    next: SimTime,
    lease: Option<Lease>,
}

enum Turn {
    Wait,
    Detach,
    Exit(i32),
}

impl Options {
    fn parse(args: &[String]) -> Result<Self, Refused> {
        let bad = |text: &str| Refused(1, format!("udhcpc: invalid number '{text}'\n"));
        let (letters, words) = getopt(args, "i:nqfbRt:T:A:r:p:s:SvBCoO:x:V:F:a", &[])
            .map_err(|error| Refused(1, format!("udhcpc: {error}\n")))?;
        if let Some(word) = words.first() {
            return Err(Refused(1, format!("udhcpc: `{word}` is not simulated\n")));
        }
        let mut parsed = Self {
            device: "eth0".to_owned(),
            gives_up: false,
            quits: false,
            foreground: false,
            backgrounds: false,
            releases: false,
            discovers: 3,
            pause: 3,
            retry: 20,
            asked: None,
            pid_file: None,
        };
        for (letter, value) in letters {
            let value = value.unwrap_or_default();
            match letter {
                'i' => parsed.device = value,
                'n' => parsed.gives_up = true,
                'q' => parsed.quits = true,
                'f' => parsed.foreground = true,
                'b' => parsed.backgrounds = true,
                'R' => parsed.releases = true,
                't' => parsed.discovers = value.parse().map_err(|_| bad(&value))?,
                'T' => parsed.pause = value.parse().map_err(|_| bad(&value))?,
                'A' => parsed.retry = value.parse().map_err(|_| bad(&value))?,
                'p' => parsed.pid_file = Some(value),
                'r' => {
                    let refuse = || Refused(1, format!("udhcpc: bad address '{value}'\n"));
                    parsed.asked = Some(value.parse().map_err(|_| refuse())?);
                }
                'v' | 'S' => {}
                other => return Err(Refused(1, format!("udhcpc: option `-{other}` is not simulated\n"))),
            }
        }
        Ok(parsed)
    }
}

impl Client {
    fn start(sys: &mut dyn Sys, args: &[String]) -> Result<Self, Refused> {
        let options = Options::parse(args)?;
        let no_device = |errno| Refused(1, format!("udhcpc: SIOCGIFINDEX: {errno}\n"));
        let link = Link::open(sys, &options.device).map_err(no_device)?;
        let xid = sys.random() as u32;
        let (first, next) = (sys.unix_time(), sys.now());
        let state = State::Selecting;
        let client = Self { options, link, state, talks: true, xid, first, sent: 0, next, lease: None };
        client.say(sys, "started, v1.35.0");
        client.write_pid(sys);
        script::deconfig(sys, &client.link.device);
        Ok(client)
    }

    fn write_pid(&self, sys: &mut dyn Sys) {
        if let Some(file) = &self.options.pid_file {
            let pid = sys.pid();
            script::write_file(sys, file, &format!("{pid}\n"));
        }
    }

    fn say(&self, sys: &mut dyn Sys, text: &str) {
        if self.talks {
            complain(sys, &format!("udhcpc: {text}\n"));
        }
    }

    fn wait(&mut self, sys: &dyn Sys, seconds: u64) {
        self.next = sys.now() + Duration::from_secs(seconds);
    }

    /// Sends a message; options as `udhcp_add_*` orders them.
    fn send(
        &mut self,
        sys: &mut dyn Sys,
        kind: MessageType,
        (asked, server): (Option<Ipv4Addr>, Option<Ipv4Addr>),
        to: Option<Ipv4Addr>,
    ) {
        let secs = u16::try_from(sys.unix_time() - self.first).unwrap_or(u16::MAX);
        let mut message = request(self.xid, secs, self.link.mac);
        let bound = matches!(self.state, State::Renewing | State::Rebinding | State::Released);
        let own = self.lease.as_ref().map(|lease| lease.address).filter(|_| bound);
        if let Some(own) = own {
            message.set_ciaddr(own);
        }
        let mut options = vec![DhcpOption::MessageType(kind)];
        options.extend(asked.map(DhcpOption::RequestedIpAddress));
        options.extend(server.map(DhcpOption::ServerIdentifier));
        if kind != MessageType::Release {
            options.push(DhcpOption::MaxMessageSize(MAX_SIZE));
            let wanted = [1, 3, 6, 12, 15, 28, 42];
            options.push(DhcpOption::ParameterRequestList(wanted.map(OptionCode::from).to_vec()));
            options.push(DhcpOption::ClassIdentifier(b"udhcp 1.35.0".to_vec()));
        }
        let id = std::iter::once(1).chain(self.link.mac.0).collect();
        options.push(DhcpOption::ClientIdentifier(id));
        let Some(bytes) = encode(&message, &options) else { return };
        match to {
            Some(server) => self.link.unicast(sys, server, &bytes),
            None => self.link.broadcast(sys, own.unwrap_or(Ipv4Addr::UNSPECIFIED), STYLE, bytes),
        }
    }

    /// Address and server of the lease that was offered or is held.
    fn offered(&self) -> Option<(Ipv4Addr, Ipv4Addr)> {
        let lease = self.lease.as_ref()?;
        Some((lease.address, lease.server()?))
    }

    fn restart(&mut self, sys: &dyn Sys, after: u64) {
        (self.state, self.sent, self.lease) = (State::Selecting, 0, None);
        self.wait(sys, after);
    }

    /// Begins to ask for more time.
    fn renew(&mut self, sys: &mut dyn Sys) -> Turn {
        (self.state, self.sent, self.first) = (State::Renewing, 0, sys.unix_time());
        self.timeout(sys)
    }

    /// The time that it waited for has come.
    fn timeout(&mut self, sys: &mut dyn Sys) -> Turn {
        match self.state {
            State::Selecting if self.sent < self.options.discovers => {
                if self.sent == 0 {
                    self.xid = sys.random() as u32;
                    self.first = sys.unix_time();
                }
                self.sent += 1;
                self.say(sys, "broadcasting discover");
                let asked = self.options.asked;
                self.send(sys, MessageType::Discover, (asked, None), None);
                self.wait(sys, self.options.pause);
            }
            State::Selecting => {
                self.sent = 0;
                if self.options.gives_up {
                    self.say(sys, "no lease, failing");
                    return Turn::Exit(1);
                }
                self.wait(sys, self.options.retry);
                if self.options.backgrounds {
                    self.say(sys, "no lease, forking to background");
                    return Turn::Detach;
                }
            }
            State::Requesting if self.sent < TRIES => {
                self.sent += 1;
                if let Some((address, server)) = self.offered() {
                    self.say(sys, &format!("broadcasting select for {address}, server {server}"));
                    self.send(sys, MessageType::Request, (Some(address), Some(server)), None);
                }
                self.wait(sys, self.options.pause);
            }
            State::Requesting => self.restart(sys, 0),
            State::Bound => return self.renew(sys),
            State::Renewing if self.sent < TRIES => {
                self.sent += 1;
                if let Some((_, server)) = self.offered() {
                    self.say(sys, &format!("sending renew to server {server}"));
                    self.send(sys, MessageType::Request, (None, None), Some(server));
                }
                self.wait(sys, self.options.pause);
            }
            State::Renewing => {
                (self.state, self.sent) = (State::Rebinding, 0);
                return self.timeout(sys);
            }
            State::Rebinding if self.sent < TRIES => {
                self.sent += 1;
                self.say(sys, "broadcasting renew");
                self.send(sys, MessageType::Request, (None, None), None);
                self.wait(sys, self.options.pause);
            }
            State::Rebinding => {
                self.say(sys, "lease lost, entering init state");
                script::deconfig(sys, &self.link.device);
                self.restart(sys, 0);
            }
            State::Released => {
                script::deconfig(sys, &self.link.device);
                self.say(sys, "entering released state");
                return Turn::Exit(0);
            }
        }
        Turn::Wait
    }

    fn receive(&mut self, sys: &mut dyn Sys, answer: Answer) -> Turn {
        let Answer { message, options, .. } = answer;
        let waits = matches!(self.state, State::Requesting | State::Renewing | State::Rebinding);
        match kind(&message) {
            Some(MessageType::Offer) if self.state == State::Selecting => {
                self.lease = Some(Lease::new(message.yiaddr(), options));
                (self.state, self.sent) = (State::Requesting, 0);
                self.timeout(sys)
            }
            Some(MessageType::Ack) if waits => self.bind(sys, Lease::new(message.yiaddr(), options)),
            Some(MessageType::Nak) if waits => {
                self.say(sys, "received DHCP NAK");
                if self.state != State::Requesting {
                    script::deconfig(sys, &self.link.device);
                }
                self.restart(sys, self.options.pause);
                Turn::Wait
            }
            _ => Turn::Wait,
        }
    }

    fn bind(&mut self, sys: &mut dyn Sys, lease: Lease) -> Turn {
        let (time, ..) = lease.times();
        let time = u64::from(time.unwrap_or(3600)).max(120);
        let from = lease.server().unwrap_or(Ipv4Addr::UNSPECIFIED);
        let text = format!("lease of {} obtained from {from}, lease time {time}", lease.address);
        self.say(sys, &text);
        script::udhcpc_bound(sys, &self.link.device, &lease);
        (self.state, self.lease) = (State::Bound, Some(lease));
        self.wait(sys, time / 2);
        if self.options.quits {
            return self.end(sys);
        }
        Turn::Detach
    }

    /// Ends; with `-R` the lease is given back first. Source: `perform_release`.
    fn end(&mut self, sys: &mut dyn Sys) -> Turn {
        let holds = matches!(self.state, State::Bound | State::Renewing | State::Rebinding);
        if !self.options.releases {
            return Turn::Exit(0);
        }
        if let Some((address, server)) = self.offered().filter(|_| holds) {
            self.say(sys, &format!("unicasting a release of {address} to {server}"));
            self.say(sys, "sending release");
            self.state = State::Released;
            self.send(sys, MessageType::Release, (None, Some(server)), Some(server));
            self.next = sys.now() + SCRIPT_START;
            return Turn::Wait;
        }
        self.say(sys, "entering released state");
        Turn::Exit(0)
    }

    /// Does what can be done now.
    fn turn(&mut self, sys: &mut dyn Sys) -> Turn {
        while let Some(answer) = self.link.receive(sys, self.xid) {
            match self.receive(sys, answer) {
                Turn::Wait => {}
                end => return end,
            }
        }
        if sys.now() >= self.next { self.timeout(sys) } else { Turn::Wait }
    }
}

impl Program for Udhcpc {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let client = match &mut self.client {
            Some(client) => client,
            None => match Client::start(sys, &self.args[1..]) {
                Ok(client) => self.client.insert(client),
                Err(Refused(status, text)) => {
                    complain(sys, &text);
                    return Next::Exit(status);
                }
            },
        };
        loop {
            match client.turn(sys) {
                Turn::Exit(status) => return Next::Exit(status),
                Turn::Detach if !client.options.foreground => return detach(sys, client, &self.args),
                Turn::Wait | Turn::Detach if sys.now() < client.next => {
                    let fds = client.link.fds();
                    return Next::Wait(Wait { fds, until: Some(client.next), ..Wait::default() });
                }
                Turn::Wait | Turn::Detach => {}
            }
        }
    }

    fn signal(&mut self, sys: &mut dyn Sys, signal: Signal) -> Next {
        let Some(client) = &mut self.client else { return Next::Exit(128 + signal.number()) };
        match signal {
            Signal::Term => {
                client.say(sys, "received SIGTERM");
                match client.end(sys) {
                    Turn::Exit(status) => Next::Exit(status),
                    Turn::Wait | Turn::Detach => self.resume(sys),
                }
            }
            Signal::Usr1 => {
                if client.state == State::Bound {
                    client.next = sys.now();
                }
                self.resume(sys)
            }
            _ => Next::Exit(128 + signal.number()),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// Goes on as a daemon without a terminal.
fn detach(sys: &mut dyn Sys, client: &mut Client, args: &Args) -> Next {
    client.talks = false;
    client.options.foreground = true;
    let daemon = Udhcpc { args: args.clone(), client: Some(client.clone()) };
    let spawn = Spawn {
        args: args.clone(),
        code: Some(Box::new(daemon)),
        fds: client.link.fds().into_iter().map(|fd| (fd, fd)).collect(),
        ..Spawn::default()
    };
    match sys.spawn(spawn) {
        Ok(pid) => {
            if let Some(file) = &client.options.pid_file {
                script::write_file(sys, file, &format!("{pid}\n"));
            }
            Next::Exit(0)
        }
        Err(errno) => {
            complain(sys, &format!("udhcpc: fork: {errno}\n"));
            Next::Exit(1)
        }
    }
}
