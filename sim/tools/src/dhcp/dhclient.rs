//! `dhclient` of ISC DHCP 4.4.3. Source: `client/dhclient.c`.

mod options;

use std::net::Ipv4Addr;

use dhcproto::v4::{DhcpOption, MessageType, OptionCode};
use packet::{Pid, SimTime};
use world::{Args, Fd, Next, Program, Registry, Signal, Spawn, Sys, Wait};

use self::options::Options;
use super::lease::Lease;
use super::link::{Answer, IpStyle, Link};
use super::message::{encode, kind, request};
use super::{SCRIPT_START, SERVER_PORT, script};
use crate::net::{Refused, complain, read_file};

/// Installs `dhclient`.
pub(super) fn install(registry: &mut Registry) {
    registry.install("dhclient", |args| Box::new(Dhclient { args, client: None }));
}

const STYLE: IpStyle = IpStyle { ttl: 128, tos: 0x10 };
const LEASES: &str = "/var/lib/dhcp/dhclient.leases";
/// Seconds between the first two requests; later ones take up to three times as long as the last.
const INITIAL_INTERVAL: u64 = 3;
/// Longer intervals are replaced by a random one around this.
const BACKOFF_CUTOFF: u64 = 15;
/// Seconds after which it gives up a known lease that nobody confirms.
const REBOOT_TIMEOUT: u64 = 10;
/// Seconds it sleeps after it found no server.
const RETRY_INTERVAL: u64 = 300;

#[derive(Clone, Debug)]
struct Dhclient {
    args: Args,
    client: Option<Client>,
}

/// RFC 2131, figure 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Init,
    Rebooting,
    Selecting,
    Requesting,
    Bound,
    /// Renewing, and after T2 rebinding.
    Renewing,
    /// The lease is given back; the script begins.
    Releasing,
    /// The script pings the router of a lease that nobody confirmed.
    Trying(Pid),
}

#[derive(Clone, Debug)]
struct Client {
    options: Options,
    link: Link,
    /// Writes what it does; a daemon writes nothing.
    talks: bool,
    state: State,
    xid: u32,
    /// Seconds since 1970.
    first_sending: u64,
    secs: u16,
    /// Seconds; 0 before the first message.
    interval: u64,
    /// When it acts next.
    next: SimTime,
    lease: Option<Lease>,
    /// The offer that it asks for.
    offer: Option<Lease>,
}

/// Whether the command goes on.
enum Turn {
    Wait,
    /// Becomes a daemon; the command ends with 0.
    Detach,
    Exit(i32),
}

impl Client {
    fn start(sys: &mut dyn Sys, args: &[String]) -> Result<(Self, Turn), Refused> {
        let mut options = Options::parse(args)?;
        let device = options.device(sys)?;
        if options.release {
            kill_old(sys, &options.pid_file);
        }
        if options.verbose {
            complain(sys, options::BANNER);
        }
        if !script::preinit(sys, &device) {
            return Err(Refused(1, String::new()));
        }
        let failed = |errno| Refused(1, format!("Open a socket for LPF: {errno}\n"));
        let mut link = Link::open(sys, &device).map_err(failed)?;
        link.open_udp(sys).map_err(|errno| Refused(1, format!("Can't bind to dhcp address: {errno}\n")))?;
        let text = read_file(sys, &options.lease_file);
        if text.is_none() {
            script::write_file(sys, &options.lease_file, "");
        }
        let text = text.unwrap_or_default();
        let now = sys.unix_time();
        let lease = Lease::parse_last(&text, &device).filter(|lease| lease.expiry > now);
        let talks = options.verbose;
        let mac = link.mac;
        let mut client = Self {
            options,
            link,
            talks,
            state: State::Init,
            xid: 0,
            first_sending: now,
            secs: 0,
            interval: 0,
            next: sys.now(),
            lease,
            offer: None,
        };
        client.say(
            sys,
            &format!(
                "Listening on LPF/{device}/{mac}\nSending on   LPF/{device}/{mac}\nSending on   Socket/fallback"
            ),
        );
        if client.options.release {
            client.release(sys);
            return Ok((client, Turn::Wait));
        }
        if client.options.foreground {
            let pid = sys.pid();
            script::write_file(sys, &client.options.pid_file, &format!("{pid}\n"));
        }
        client.reboot(sys);
        Ok((client, Turn::Wait))
    }

    fn say(&self, sys: &mut dyn Sys, text: &str) {
        if self.talks {
            complain(sys, &format!("{text}\n"));
        }
    }

    /// Acts again after `seconds`, at a random moment of that second. Source: `add_timeout`.
    fn wait(&mut self, sys: &mut dyn Sys, seconds: u64) {
        const SECOND: u64 = 1_000_000_000;
        let now = sys.now().as_nanos();
        let fraction = if seconds > 1 { sys.random() % 1_000_000 * 1000 } else { now % SECOND };
        let at = (now / SECOND).saturating_add(seconds).saturating_mul(SECOND).saturating_add(fraction);
        self.next = SimTime(at.max(now));
    }

    /// Options after the message's kind. Source: `make_client_options`.
    fn options(
        &self,
        sys: &dyn Sys,
        kind: MessageType,
        server: Option<Ipv4Addr>,
        asked: Option<Ipv4Addr>,
    ) -> Vec<DhcpOption> {
        let mut options = vec![DhcpOption::MessageType(kind)];
        options.extend(server.map(DhcpOption::ServerIdentifier));
        options.extend(asked.map(DhcpOption::RequestedIpAddress));
        if self.options.sends_name {
            options.push(DhcpOption::Hostname(sys.hostname()));
        }
        if kind != MessageType::Release {
            let wanted = self.options.wanted.iter().map(|&code| OptionCode::from(code));
            options.push(DhcpOption::ParameterRequestList(wanted.collect()));
        }
        options
    }

    /// A lease that is remembered is asked for. Source: `state_reboot`.
    fn reboot(&mut self, sys: &mut dyn Sys) {
        self.first_sending = sys.unix_time();
        self.interval = 0;
        if self.lease.is_none() {
            return self.init(sys);
        }
        self.state = State::Rebooting;
        self.xid = sys.random() as u32;
        self.send_request(sys);
    }

    /// Source: `state_init`.
    fn init(&mut self, sys: &mut dyn Sys) {
        self.xid = sys.random() as u32;
        self.state = State::Selecting;
        self.first_sending = sys.unix_time();
        self.interval = 0;
        self.discover(sys);
    }

    /// Source: the backoff of `send_discover` and `send_request`.
    fn back_off(&mut self, sys: &mut dyn Sys) {
        if self.interval == 0 {
            // `state_init` sets the initial interval, and the first message adds to it.
            self.interval = INITIAL_INTERVAL;
        }
        self.interval += sys.random() % (2 * self.interval);
        if self.interval > BACKOFF_CUTOFF {
            self.interval = BACKOFF_CUTOFF / 2 + sys.random() % BACKOFF_CUTOFF;
        }
    }

    /// Source: `send_discover`.
    fn discover(&mut self, sys: &mut dyn Sys) {
        let now = sys.unix_time();
        let elapsed = now - self.first_sending;
        self.back_off(sys);
        if elapsed + self.interval > self.options.timeout {
            self.interval = (self.options.timeout + 1).saturating_sub(elapsed);
        }
        self.secs = u16::try_from(elapsed).unwrap_or(u16::MAX);
        let text = format!(
            "DHCPDISCOVER on {} to 255.255.255.255 port {SERVER_PORT} interval {}",
            self.link.device, self.interval
        );
        self.say(sys, &text);
        let asked = self.lease.as_ref().map(|lease| lease.address);
        let options = self.options(sys, MessageType::Discover, None, asked);
        if let Some(bytes) = encode(&request(self.xid, self.secs, self.link.mac), &options) {
            self.link.broadcast(sys, Ipv4Addr::UNSPECIFIED, STYLE, bytes);
        }
        self.wait(sys, self.interval);
    }

    /// Source: `send_request`.
    fn send_request(&mut self, sys: &mut dyn Sys) {
        let now = sys.unix_time();
        let elapsed = now - self.first_sending;
        let asking = matches!(self.state, State::Rebooting | State::Requesting);
        if asking && elapsed > REBOOT_TIMEOUT {
            return self.init(sys);
        }
        let Some(lease) = (if self.state == State::Requesting { &self.offer } else { &self.lease }).clone()
        else {
            return self.init(sys);
        };
        if self.state != State::Requesting && now > lease.expiry {
            script::unbound(sys, &self.link.device);
            script::preinit(sys, &self.link.device);
            return self.init(sys);
        }
        self.back_off(sys);
        if self.state != State::Requesting && now + self.interval > lease.expiry {
            self.interval = lease.expiry - now + 1;
        }
        if self.state != State::Requesting {
            self.secs = u16::try_from(elapsed).unwrap_or(u16::MAX);
        }
        let server = lease.server().filter(|_| !asking && now <= lease.rebind);
        let text = format!(
            "DHCPREQUEST for {} on {} to {} port {SERVER_PORT}",
            lease.address,
            self.link.device,
            server.unwrap_or(Ipv4Addr::BROADCAST)
        );
        self.say(sys, &text);
        let mut message = request(self.xid, self.secs, self.link.mac);
        if !asking {
            message.set_ciaddr(lease.address);
        }
        let named = lease.server().filter(|_| self.state == State::Requesting);
        let options = self.options(sys, MessageType::Request, named, asking.then_some(lease.address));
        if let Some(bytes) = encode(&message, &options) {
            match server {
                Some(server) => self.link.unicast(sys, server, &bytes),
                None => {
                    let source = if asking { Ipv4Addr::UNSPECIFIED } else { lease.address };
                    self.link.broadcast(sys, source, STYLE, bytes);
                }
            }
        }
        self.wait(sys, self.interval);
    }

    /// Source: `do_release`.
    fn release(&mut self, sys: &mut dyn Sys) {
        self.state = State::Releasing;
        let Some(lease) = &self.lease else { return };
        let server = lease.server().unwrap_or(Ipv4Addr::BROADCAST);
        let text = format!(
            "DHCPRELEASE of {} on {} to {server} port {SERVER_PORT}",
            lease.address, self.link.device
        );
        self.say(sys, &text);
        let mut message = request(sys.random() as u32, 0, self.link.mac);
        message.set_ciaddr(lease.address);
        let options = self.options(sys, MessageType::Release, lease.server(), None);
        if let Some(bytes) = encode(&message, &options) {
            self.link.unicast(sys, server, &bytes);
        }
        self.next = sys.now() + SCRIPT_START;
    }

    /// The script takes the address away, and the lease ends.
    fn forget(&mut self, sys: &mut dyn Sys) {
        let Some(mut lease) = self.lease.take() else { return };
        script::unbound(sys, &self.link.device);
        let now = sys.unix_time();
        (lease.renewal, lease.rebind, lease.expiry) = (now, now, now);
        self.write_lease(sys, &lease);
        let _ = sys.unlink(&self.options.pid_file);
    }

    fn write_lease(&self, sys: &mut dyn Sys, lease: &Lease) {
        script::append_file(sys, &self.options.lease_file, &lease.print(&self.link.device));
    }

    fn receive(&mut self, sys: &mut dyn Sys, answer: Answer) -> Turn {
        let Answer { message, options, from } = answer;
        let waits = matches!(self.state, State::Rebooting | State::Requesting | State::Renewing);
        match kind(&message) {
            Some(MessageType::Offer) if self.state == State::Selecting => {
                let address = message.yiaddr();
                self.say(sys, &format!("DHCPOFFER of {address} from {from}"));
                // The first offer is taken.
                self.offer = Some(Lease::new(address, options));
                self.state = State::Requesting;
                self.first_sending = sys.unix_time();
                self.interval = 0;
                self.send_request(sys);
                Turn::Wait
            }
            Some(MessageType::Ack) if waits => {
                self.say(sys, &format!("DHCPACK of {} from {from}", message.yiaddr()));
                self.bind(sys, Lease::new(message.yiaddr(), options))
            }
            Some(MessageType::Nak) if waits => {
                self.say(sys, &format!("DHCPNAK from {from}"));
                if self.lease.take().is_some() {
                    script::unbound(sys, &self.link.device);
                    script::preinit(sys, &self.link.device);
                    self.init(sys);
                }
                Turn::Wait
            }
            _ => Turn::Wait,
        }
    }

    /// Source: `dhcpack`, `bind_lease`.
    fn bind(&mut self, sys: &mut dyn Sys, mut lease: Lease) -> Turn {
        let now = sys.unix_time();
        let (Some(time), renewal, rebind) = lease.times() else {
            self.say(sys, "no expiry time on offered lease.");
            self.init(sys);
            return Turn::Wait;
        };
        let time = u64::from(time);
        let mut renewal = renewal.map_or(time / 2 + 1, u64::from).max(1);
        renewal = (renewal * 3).div_ceil(4) + (sys.random() % renewal).div_ceil(4);
        let rebind = rebind.filter(|&rebind| rebind > 0).map_or(time * 7 / 8, u64::from);
        if renewal > rebind {
            renewal = rebind * 3 / 4;
        }
        (lease.renewal, lease.rebind, lease.expiry) = (now + renewal, now + rebind, now + time);
        let old = self.lease.as_ref().filter(|_| self.state == State::Renewing).map(|old| old.address);
        script::bound(sys, &self.link.device, &lease, old, self.state == State::Renewing);
        self.write_lease(sys, &lease);
        self.say(sys, &format!("bound to {} -- renewal in {renewal} seconds.", lease.address));
        self.lease = Some(lease);
        self.offer = None;
        self.state = State::Bound;
        self.wait(sys, renewal);
        Turn::Detach
    }

    /// Nobody offered anything. Source: `state_panic`.
    fn panic(&mut self, sys: &mut dyn Sys) -> Turn {
        self.say(sys, "No DHCPOFFERS received.");
        let now = sys.unix_time();
        if let Some(lease) = self.lease.clone().filter(|lease| lease.expiry > now) {
            self.say(sys, &format!("Trying recorded lease {}", lease.address));
            script::bound(sys, &self.link.device, &lease, None, false);
            let router = lease.routers().first().map(Ipv4Addr::to_string);
            match router.map(|router| self.ping(sys, &router)) {
                Some(Ok(pid)) => {
                    self.state = State::Trying(pid);
                    return Turn::Wait;
                }
                Some(Err(_)) => {}
                None => return self.use_recorded(sys),
            }
        }
        self.give_up(sys)
    }

    /// `ping -q -c 1 ROUTER` of the script.
    fn ping(&self, sys: &mut dyn Sys, router: &str) -> Result<Pid, kernel::Errno> {
        let out =
            if self.talks { vec![(Fd::STDOUT, Fd::STDOUT), (Fd::STDERR, Fd::STDERR)] } else { Vec::new() };
        sys.spawn(Spawn {
            args: ["ping", "-q", "-c", "1", router].map(str::to_owned).to_vec(),
            fds: out,
            ..Spawn::default()
        })
    }

    fn wait_for_ping(&self) -> Next {
        let State::Trying(pid) = self.state else { return Next::Wait(Wait::default()) };
        Next::Wait(Wait { pids: vec![pid], ..Wait::default() })
    }

    /// The router has answered, or not. Source: `TIMEOUT` of the script.
    fn tried(&mut self, sys: &mut dyn Sys, status: i32) -> Turn {
        if status == 0 {
            return self.use_recorded(sys);
        }
        let device = self.link.device.clone();
        script::flush(sys, &device);
        self.lease = None;
        self.give_up(sys)
    }

    fn use_recorded(&mut self, sys: &mut dyn Sys) -> Turn {
        let now = sys.unix_time();
        let left = self.lease.as_ref().map_or(0, |lease| lease.renewal.saturating_sub(now));
        let text = match left {
            0 => "bound: immediate renewal.".to_owned(),
            left => format!("bound: renewal in {left} seconds."),
        };
        self.say(sys, &text);
        self.state = State::Bound;
        self.wait(sys, left);
        Turn::Detach
    }

    fn give_up(&mut self, sys: &mut dyn Sys) -> Turn {
        if self.options.one_try {
            self.say(sys, "Unable to obtain a lease on first try.  Exiting.");
            return Turn::Exit(2);
        }
        self.say(sys, "No working leases in persistent database - sleeping.");
        self.state = State::Init;
        let sleep = RETRY_INTERVAL.div_ceil(2) + sys.random() % RETRY_INTERVAL;
        self.wait(sys, sleep);
        Turn::Detach
    }

    /// The time that it waited for has come.
    fn timeout(&mut self, sys: &mut dyn Sys) -> Turn {
        match self.state {
            State::Init => self.init(sys),
            State::Selecting if sys.unix_time() - self.first_sending > self.options.timeout => {
                return self.panic(sys);
            }
            State::Selecting => self.discover(sys),
            State::Rebooting | State::Requesting | State::Renewing => self.send_request(sys),
            State::Releasing => {
                self.forget(sys);
                return Turn::Exit(0);
            }
            State::Trying(_) => {}
            State::Bound => {
                self.xid = sys.random() as u32;
                self.first_sending = sys.unix_time();
                self.interval = 0;
                self.state = State::Renewing;
                self.send_request(sys);
            }
        }
        Turn::Wait
    }

    /// Does what can be done now.
    fn turn(&mut self, sys: &mut dyn Sys) -> Turn {
        if let State::Trying(pid) = self.state {
            return sys.exit_status(pid).map_or(Turn::Wait, |status| self.tried(sys, status));
        }
        while let Some(answer) = self.link.receive(sys, self.xid) {
            match self.receive(sys, answer) {
                Turn::Wait => {}
                end => return end,
            }
        }
        if sys.now() >= self.next { self.timeout(sys) } else { Turn::Wait }
    }
}

/// Ends the process whose number stands in the file.
fn kill_old(sys: &mut dyn Sys, pid_file: &str) {
    let number = read_file(sys, pid_file).and_then(|text| text.trim().parse().ok());
    if let Some(pid) = number
        && sys.kill(Pid(pid), Signal::Term).is_ok()
    {
        complain(sys, "Killed old client process\n");
    }
}

impl Program for Dhclient {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let mut turn = Turn::Wait;
        if self.client.is_none() {
            match Client::start(sys, &self.args[1..]) {
                Ok((client, first)) => (self.client, turn) = (Some(client), first),
                Err(Refused(status, text)) => {
                    complain(sys, &text);
                    return Next::Exit(status);
                }
            }
        }
        let Some(client) = &mut self.client else { return Next::Exit(1) };
        loop {
            if matches!(turn, Turn::Wait) {
                turn = client.turn(sys);
            }
            match turn {
                Turn::Exit(status) => return Next::Exit(status),
                Turn::Detach if !client.options.foreground => return detach(sys, client, &self.args),
                Turn::Wait if matches!(client.state, State::Trying(_)) => return client.wait_for_ping(),
                Turn::Wait | Turn::Detach if sys.now() < client.next => {
                    let fds = client.link.fds();
                    return Next::Wait(Wait { fds, until: Some(client.next), ..Wait::default() });
                }
                Turn::Wait | Turn::Detach => turn = Turn::Wait,
            }
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// Goes on as a daemon without a terminal. Source: `go_daemon`.
fn detach(sys: &mut dyn Sys, client: &mut Client, args: &Args) -> Next {
    client.talks = false;
    client.options.foreground = true;
    client.options.one_try = false;
    let daemon = Dhclient { args: args.clone(), client: Some(client.clone()) };
    let spawn = Spawn {
        args: args.clone(),
        code: Some(Box::new(daemon)),
        fds: client.link.fds().into_iter().map(|fd| (fd, fd)).collect(),
        ..Spawn::default()
    };
    match sys.spawn(spawn) {
        Ok(pid) => {
            script::write_file(sys, &client.options.pid_file, &format!("{pid}\n"));
            Next::Exit(0)
        }
        Err(errno) => {
            complain(sys, &format!("Can't fork daemon: {errno}\n"));
            Next::Exit(1)
        }
    }
}
