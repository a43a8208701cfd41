//! `curl` 7.88.1 for HTTP, plain and over TLS.

mod options;
mod secure;
mod write_out;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use kernel::Errno;
use kernel::socket::{SocketKind, SocketOption};
use packet::SimTime;
use world::{Args, Fd, Next, OpenMode, Program, Registry, Sys, Wait};

use self::options::{Options, Scheme, Url};
use super::http_response::{Progress, Response};
use dns::Family;

use super::{Refused, complain, resolve, say};
use crate::dns::lookup::{self, Lookup};
use crate::tls::ClientSession;

/// Installs `curl`.
pub(crate) fn install(registry: &mut Registry) {
    registry.install("curl", |args| Box::new(Curl { args, state: None }));
}

#[derive(Clone, Debug)]
struct Curl {
    args: Args,
    state: Option<State>,
}

#[derive(Clone, Debug)]
struct State {
    options: Options,
    /// The transfer that runs, by its place among the URLs.
    current: usize,
    transfer: Option<Transfer>,
    kept: Option<(Connection, Option<ClientSession>)>,
    connections_made: u32,
    /// Status of the last transfer that failed.
    status: i32,
}

/// A connection and whom it reaches.
#[derive(Clone, Debug)]
struct Connection {
    fd: Fd,
    number: u32,
    host: String,
    addr: SocketAddr,
}

#[derive(Clone, Debug)]
struct Transfer {
    url: Url,
    started: SimTime,
    /// The host's name on its way to addresses.
    lookup: Option<Lookup>,
    /// When that was over.
    resolved: Option<SimTime>,
    /// Addresses that are left to try.
    addrs: VecDeque<Ipv4Addr>,
    /// An attempt after the first is looked at no sooner than this.
    look_at: Option<SimTime>,
    connection: Option<Connection>,
    connected: bool,
    /// What is spoken on the connection if it isn't plain HTTP.
    secure: Option<ClientSession>,
    new_connections: u32,
    to_send: Vec<u8>,
    response: Response,
    written: u64,
    output: Option<Fd>,
    remote: Option<SocketAddr>,
    local: Option<SocketAddr>,
}

/// A transfer that ended badly: curl's code and message.
struct Failed(i32, String);

fn fail<T>(code: i32, message: impl Into<String>) -> Result<T, Failed> {
    Err(Failed(code, message.into()))
}

impl State {
    /// Runs transfers as far as they go; `Some` when all are over.
    fn run(&mut self, sys: &mut dyn Sys) -> Result<i32, Wait> {
        while self.current < self.options.urls.len() {
            let mut transfer = match self.transfer.take() {
                Some(transfer) => transfer,
                None => Transfer::new(sys, self.options.urls[self.current].clone()),
            };
            match self.advance(sys, &mut transfer) {
                Ok(Some(wait)) => {
                    self.transfer = Some(transfer);
                    return Err(wait);
                }
                Ok(None) => self.over(sys, transfer, 0),
                Err(Failed(code, message)) => {
                    if !self.options.silent || self.options.show_error {
                        complain(sys, &format!("curl: ({code}) {message}\n"));
                    }
                    if let Some(connection) = transfer.connection.take() {
                        self.close(sys, connection, transfer.secure.clone());
                    }
                    self.over(sys, transfer, code);
                }
            }
        }
        if let Some((kept, Some(mut session))) = self.kept.take() {
            session.close();
            // Who doesn't read it misses nothing.
            let _ = sys.send(kept.fd, &session.to_send(), None);
        }
        Ok(self.status)
    }

    fn close(&self, sys: &mut dyn Sys, connection: Connection, session: Option<ClientSession>) {
        self.verbose(sys, &format!("Closing connection {}", connection.number));
        if let Some(mut session) = session.filter(ClientSession::is_established) {
            session.close();
            let _ = sys.send(connection.fd, &session.to_send(), None);
        }
        sys.close(connection.fd);
    }

    fn verbose(&self, sys: &mut dyn Sys, text: &str) {
        if self.options.verbose {
            complain(sys, &format!("* {text}\n"));
        }
    }

    /// Ends a transfer: keeps or closes its connection and writes what `-w` asked for.
    fn over(&mut self, sys: &mut dyn Sys, mut transfer: Transfer, code: i32) {
        if let Some(connection) = transfer.connection.take() {
            if code == 0 && transfer.response.keep_alive() {
                self.verbose(
                    sys,
                    &format!("Connection #{} to host {} left intact", connection.number, connection.host),
                );
                self.kept = Some((connection, transfer.secure.take()));
            } else {
                self.close(sys, connection, transfer.secure.clone());
            }
        }
        if let Some(fd) = transfer.output {
            sys.close(fd);
        }
        if let Some(format) = &self.options.write_out {
            let text = self.write_out(format, &transfer, code);
            say(sys, &text);
        }
        if code != 0 {
            self.status = code;
        } else if self.options.fail && transfer.response.status() >= 400 {
            self.status = 22;
            if !self.options.silent || self.options.show_error {
                let status = transfer.response.status();
                complain(sys, &format!("curl: (22) The requested URL returned error: {status}\n"));
            }
        }
        self.current += 1;
    }

    /// Brings a transfer as far as it goes. `Ok(None)` when it is complete.
    fn advance(&mut self, sys: &mut dyn Sys, transfer: &mut Transfer) -> Result<Option<Wait>, Failed> {
        if let Some(problem) = &transfer.url.problem {
            return fail(problem.0, problem.1.clone());
        }
        if let Err(failed) = self.check_time(sys, transfer) {
            if let Some(mut lookup) = transfer.lookup.take() {
                lookup.cancel(sys);
            }
            return Err(failed);
        }
        if transfer.connection.is_none()
            && let Some(wait) = self.connect(sys, transfer)?
        {
            return Ok(Some(wait));
        }
        if !transfer.connected && !self.connected(sys, transfer)? {
            let Some(connection) = &transfer.connection else { return Ok(None) };
            let wait = self.wait(transfer, connection);
            return Ok(Some(match transfer.look_at.filter(|at| sys.now() < *at) {
                Some(at) => Wait::until(wait.until.map_or(at, |until| until.min(at))),
                None => wait,
            }));
        }
        let Some(connection) = transfer.connection.clone() else { return Ok(None) };
        if !transfer.connected {
            transfer.connected = true;
            match transfer.url.scheme {
                Scheme::Http => self.begin_request(sys, transfer),
                Scheme::Https => {
                    let mut session = secure::begin(sys, &self.options, &transfer.url.host)?;
                    transfer.to_send = session.to_send();
                    transfer.secure = Some(session);
                }
            }
        }
        loop {
            while !transfer.to_send.is_empty() {
                match sys.send(connection.fd, &transfer.to_send, None) {
                    Ok(n) => drop(transfer.to_send.drain(..n)),
                    Err(Errno::Again) => return Ok(Some(self.wait(transfer, &connection))),
                    Err(errno) => return fail(55, format!("Send failure: {errno}")),
                }
            }
            match sys.recv(connection.fd, 1 << 16) {
                Ok(received) if received.data.is_empty() => {
                    if transfer.shakes_hands() {
                        return Err(secure::cut_off(&transfer.url.host, transfer.url.port));
                    }
                    return match transfer.response.end() {
                        Progress::Complete => {
                            self.finish(sys, transfer)?;
                            Ok(None)
                        }
                        Progress::More if transfer.is_truncated() => Err(secure::truncated()),
                        Progress::More if transfer.response.is_empty() => fail(52, "Empty reply from server"),
                        Progress::More => {
                            let missing = transfer.response.missing();
                            fail(18, format!("transfer closed with {missing} bytes remaining to read"))
                        }
                    };
                }
                Ok(received) => {
                    let data = match transfer.secure.take() {
                        None => received.data.to_vec(),
                        Some(session) => self.open(sys, transfer, session, (&connection, &received.data))?,
                    };
                    if data.is_empty() {
                        continue;
                    }
                    let progress = transfer.response.take(&data);
                    self.deliver(sys, transfer)?;
                    if progress == Progress::Complete {
                        self.finish(sys, transfer)?;
                        return Ok(None);
                    }
                }
                Err(Errno::Again) => return Ok(Some(self.wait(transfer, &connection))),
                Err(errno) => {
                    let code = if transfer.shakes_hands() { 35 } else { 56 };
                    return fail(code, format!("Recv failure: {errno}"));
                }
            }
        }
    }

    /// Takes bytes of a session; answers what they bring of the answer. The request follows the
    /// handshake.
    fn open(
        &self,
        sys: &mut dyn Sys,
        transfer: &mut Transfer,
        mut session: ClientSession,
        (connection, bytes): (&Connection, &[u8]),
    ) -> Result<Vec<u8>, Failed> {
        let was_established = session.is_established();
        let mut outcome = secure::take(sys, &self.options, &mut session, bytes);
        let begins = outcome.is_ok() && !was_established && session.is_established();
        if begins {
            outcome = secure::greet(sys, &self.options, &mut session, &connection.host);
        }
        transfer.to_send.extend(session.to_send());
        let data = session.opened();
        transfer.secure = Some(session);
        if outcome.is_err() {
            // The connection ends whether this arrives or not.
            let _ = sys.send(connection.fd, &transfer.to_send, None);
        } else if begins {
            self.begin_request(sys, transfer);
        }
        outcome.map(|()| data)
    }

    fn deadline(&self, transfer: &Transfer) -> Option<SimTime> {
        let total = self.options.max_time.map(|d| transfer.started + d);
        let connect = self
            .options
            .connect_timeout
            .filter(|_| !transfer.connected || transfer.shakes_hands())
            .map(|d| transfer.started + d);
        match (total, connect) {
            (Some(total), Some(connect)) => Some(total.min(connect)),
            (total, connect) => total.or(connect),
        }
    }

    fn check_time(&self, sys: &mut dyn Sys, transfer: &Transfer) -> Result<(), Failed> {
        if self.deadline(transfer).is_none_or(|deadline| sys.now() < deadline) {
            return Ok(());
        }
        let millis = sys.now().since(transfer.started).as_millis();
        if transfer.lookup.is_some() {
            let text = format!("Resolving timed out after {millis} milliseconds");
            self.verbose(sys, &text);
            return fail(28, text);
        }
        if transfer.shakes_hands() && self.options.max_time.is_none() {
            return fail(28, "SSL connection timeout");
        }
        if !transfer.connected || transfer.shakes_hands() {
            return fail(28, format!("Connection timed out after {millis} milliseconds"));
        }
        let received = transfer.written;
        match transfer.response.expected() {
            Some(total) => fail(
                28,
                format!(
                    "Operation timed out after {millis} milliseconds with {received} out of {total} bytes received"
                ),
            ),
            None => fail(
                28,
                format!("Operation timed out after {millis} milliseconds with {received} bytes received"),
            ),
        }
    }

    fn wait(&self, transfer: &Transfer, connection: &Connection) -> Wait {
        Wait { fds: vec![connection.fd], until: self.deadline(transfer), ..Wait::default() }
    }

    /// Finds the addresses, takes up a kept connection or begins a new one. Answers what it waits for
    /// while the name is looked up.
    fn connect(&mut self, sys: &mut dyn Sys, transfer: &mut Transfer) -> Result<Option<Wait>, Failed> {
        let url = &transfer.url;
        if let Some((kept, secure)) = self.kept.take() {
            // A connection that the server closed meanwhile reads as ended.
            let alive = matches!(sys.recv(kept.fd, 1), Err(Errno::Again));
            let same = secure.is_some() == (url.scheme == Scheme::Https);
            if alive && same && kept.host == url.host && kept.addr.port() == url.port {
                self.verbose(sys, "Can not multiplex, even if we wanted to");
                self.verbose(
                    sys,
                    &format!("Re-using existing connection #{} with host {}", kept.number, kept.host),
                );
                transfer.remote = Some(kept.addr);
                transfer.local = sys.local_addr(kept.fd);
                transfer.connected = true;
                transfer.connection = Some(kept);
                transfer.secure = secure;
                self.begin_request(sys, transfer);
                return Ok(None);
            }
            sys.close(kept.fd);
        }
        let pinned =
            self.options.resolve.iter().find(|(host, port, _)| *host == url.host && *port == url.port);
        transfer.addrs = match pinned {
            Some((_, _, addr)) => VecDeque::from([*addr]),
            None => {
                let family = if self.options.ipv4_only { Family::V4 } else { Family::Any };
                let lookup = transfer.lookup.get_or_insert_with(|| Lookup::new(&url.host, family));
                let found = match lookup.poll(sys) {
                    lookup::Progress::Wait(mut wait) => {
                        wait.until = [wait.until, self.deadline(transfer)].into_iter().flatten().min();
                        return Ok(Some(wait));
                    }
                    lookup::Progress::Done(found) => found,
                };
                transfer.lookup = None;
                let unknown = || format!("Could not resolve host: {}", transfer.url.host);
                match found.map(|found| found.v4().collect::<VecDeque<_>>()) {
                    Ok(addrs) if !addrs.is_empty() => addrs,
                    Ok(_) | Err(_) => {
                        self.verbose(sys, &unknown());
                        return fail(6, unknown());
                    }
                }
            }
        };
        transfer.resolved = Some(sys.now());
        self.try_next(sys, transfer)?;
        Ok(None)
    }

    /// Begins to connect to the next address. Source: `baller_start_next`.
    ///
    /// Simplified: addresses of IPv6 are not tried.
    fn try_next(&mut self, sys: &mut dyn Sys, transfer: &mut Transfer) -> Result<(), Failed> {
        while let Some(addr) = transfer.addrs.pop_front() {
            let fd = sys.socket(SocketKind::Tcp).map_err(|errno| Failed(7, errno.to_string()))?;
            let remote = SocketAddr::new(IpAddr::V4(addr), transfer.url.port);
            self.verbose(sys, &format!("  Trying {remote}..."));
            let number = match &transfer.connection {
                Some(connection) => connection.number,
                None => {
                    self.connections_made += 1;
                    self.connections_made - 1
                }
            };
            transfer.new_connections = 1;
            let host = transfer.url.host.clone();
            if let Some(last) = transfer.connection.replace(Connection { fd, number, host, addr: remote }) {
                sys.close(last.fd);
            }
            self.bind(sys, fd)?;
            match sys.connect(fd, remote) {
                Ok(()) | Err(Errno::InProgress) => return Ok(()),
                Err(errno) => self.verbose(sys, &format!("Immediate connect fail for {addr}: {errno}")),
            }
        }
        Err(self.not_connected(sys, transfer))
    }

    /// `--interface` and `--local-port`.
    fn bind(&self, sys: &mut dyn Sys, fd: Fd) -> Result<(), Failed> {
        let mut addr = Ipv4Addr::UNSPECIFIED;
        if let Some(name) = &self.options.interface {
            let netns = sys.netns();
            let kernel = sys.kernel();
            if let Some(dev) = kernel.dev_by_name(netns, name) {
                if let Some(IpAddr::V4(own)) = kernel.dev(dev).addrs.first().map(|a| a.local.addr()) {
                    addr = own;
                }
                sys.set_option(fd, SocketOption::BindToDevice(Some(name.clone()))).map_err(|errno| {
                    Failed(
                        45,
                        format!("SO_BINDTODEVICE {name} failed with errno {}: {errno}", errno.number()),
                    )
                })?;
            } else {
                addr = resolve(sys, name).ok_or_else(|| Failed(45, format!("Couldn't bind to '{name}'")))?;
            }
        }
        let ports = self.options.local_ports.unwrap_or((0, 0));
        if addr.is_unspecified() && ports.0 == 0 {
            return Ok(());
        }
        let mut last = Errno::AddrInUse;
        for port in ports.0..=ports.1 {
            match sys.bind(fd, SocketAddr::new(IpAddr::V4(addr), port)) {
                Ok(()) => return Ok(()),
                Err(errno) => last = errno,
            }
        }
        fail(45, format!("bind failed with errno {}: {last}", last.number()))
    }

    fn not_connected(&self, sys: &dyn Sys, transfer: &Transfer) -> Failed {
        let millis = sys.now().since(transfer.started).as_millis();
        let Url { host, port, .. } = &transfer.url;
        Failed(
            7,
            format!("Failed to connect to {host} port {port} after {millis} ms: Couldn't connect to server"),
        )
    }

    /// Whether the connection stands; one that fails makes room for the next address.
    fn connected(&mut self, sys: &mut dyn Sys, transfer: &mut Transfer) -> Result<bool, Failed> {
        /// Until a second attempt is looked at (`CURL_HET_DEFAULT`).
        const HAPPY_EYEBALLS: Duration = Duration::from_millis(200);
        let Some(connection) = transfer.connection.clone() else { return Ok(true) };
        if transfer.look_at.is_some_and(|at| sys.now() < at) {
            return Ok(false);
        }
        if let Some(errno) = sys.take_error(connection.fd) {
            self.verbose(
                sys,
                &format!(
                    "connect to {} port {} failed: {errno}",
                    connection.addr.ip(),
                    connection.addr.port()
                ),
            );
            if !transfer.addrs.is_empty() {
                let began = transfer.resolved.unwrap_or(transfer.started);
                transfer.look_at.get_or_insert(began + HAPPY_EYEBALLS);
                self.try_next(sys, transfer)?;
                return Ok(false);
            }
            return if errno == Errno::TimedOut {
                let millis = sys.now().since(transfer.started).as_millis();
                let Url { host, port, .. } = &transfer.url;
                fail(
                    28,
                    format!(
                        "Failed to connect to {host} port {port} after {millis} ms: Couldn't connect to server"
                    ),
                )
            } else {
                Err(self.not_connected(sys, transfer))
            };
        }
        if sys.peer_addr(connection.fd).is_none() || !sys.ready(connection.fd).writable {
            return Ok(false);
        }
        transfer.remote = Some(connection.addr);
        transfer.local = sys.local_addr(connection.fd);
        let (host, addr) = (&connection.host, connection.addr);
        self.verbose(
            sys,
            &format!("Connected to {host} ({}) port {} (#{})", addr.ip(), addr.port(), connection.number),
        );
        Ok(true)
    }

    fn begin_request(&self, sys: &mut dyn Sys, transfer: &mut Transfer) {
        let head = self.options.request(&transfer.url);
        if self.options.verbose {
            let lines: String = head.split_terminator("\r\n").map(|line| format!("> {line}\r\n")).collect();
            complain(sys, &lines);
        }
        let mut request = head.into_bytes();
        if let Some(data) = &self.options.data {
            request.extend_from_slice(data.as_bytes());
        }
        match &transfer.secure {
            None => transfer.to_send = request,
            Some(session) => transfer.to_send.extend(session.seal(&request)),
        }
        transfer.response = Response::new(self.options.head);
    }

    /// Writes what came of the answer.
    fn deliver(&self, sys: &mut dyn Sys, transfer: &mut Transfer) -> Result<(), Failed> {
        let head = transfer.response.new_head();
        if !head.is_empty() {
            if self.options.verbose {
                let lines: String = head.split_inclusive('\n').map(|line| format!("< {line}")).collect();
                complain(sys, &lines);
            }
            if let Some(path) = &self.options.dump_header {
                let fd = sys
                    .open(path, OpenMode::Append)
                    .map_err(|_| Failed(23, "Failed writing received data to disk/application".to_owned()))?;
                // The file is stored: it takes every byte.
                let _ = sys.write(fd, head.as_bytes());
                sys.close(fd);
            }
            if self.options.include || self.options.head {
                self.write(sys, transfer, head.as_bytes())?;
            }
        }
        let body = transfer.response.new_body();
        if !body.is_empty() {
            transfer.written += body.len() as u64;
            self.write(sys, transfer, &body)?;
        }
        Ok(())
    }

    fn write(&self, sys: &mut dyn Sys, transfer: &mut Transfer, bytes: &[u8]) -> Result<(), Failed> {
        let refused = || Failed(23, "Failure writing output to destination".to_owned());
        let fd = match (transfer.output, self.options.output(self.current, &transfer.url)) {
            (Some(fd), _) => fd,
            (None, None) => Fd::STDOUT,
            (None, Some(path)) => {
                let fd = sys.open(&path, OpenMode::Write).map_err(|_| refused())?;
                *transfer.output.insert(fd)
            }
        };
        sys.write(fd, bytes).map(drop).map_err(|_| refused())
    }

    /// An answer without body still makes its output file.
    fn finish(&self, sys: &mut dyn Sys, transfer: &mut Transfer) -> Result<(), Failed> {
        self.deliver(sys, transfer)?;
        transfer.response.finish(sys.now());
        self.write(sys, transfer, &[])
    }
}

impl Transfer {
    fn new(sys: &dyn Sys, url: Url) -> Self {
        Self {
            url,
            started: sys.now(),
            lookup: None,
            resolved: None,
            addrs: VecDeque::new(),
            look_at: None,
            connection: None,
            connected: false,
            secure: None,
            new_connections: 0,
            to_send: Vec::new(),
            response: Response::new(false),
            written: 0,
            output: None,
            remote: None,
            local: None,
        }
    }

    /// Whether a session begins.
    fn shakes_hands(&self) -> bool {
        self.connected && self.secure.as_ref().is_some_and(|session| !session.is_established())
    }

    /// Whether a session broke off.
    fn is_truncated(&self) -> bool {
        self.secure.as_ref().is_some_and(|session| !session.has_ended())
    }
}

impl Program for Curl {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let state = match &mut self.state {
            Some(state) => state,
            None => match Options::parse(&self.args[1..]) {
                Ok(mut options) => {
                    for file in options.gather_data(|path| crate::text::contents(sys, path)) {
                        let text = "this makes an empty POST.";
                        complain(sys, &format!("Warning: Couldn't read data from file \"{file}\", {text}\n"));
                    }
                    if let Some(path) = &options.dump_header
                        && let Ok(fd) = sys.open(path, OpenMode::Write)
                    {
                        sys.close(fd);
                    }
                    self.state.insert(State {
                        options,
                        current: 0,
                        transfer: None,
                        kept: None,
                        connections_made: 0,
                        status: 0,
                    })
                }
                Err(Refused(status, text)) => {
                    complain(sys, &text);
                    return Next::Exit(status);
                }
            },
        };
        match state.run(sys) {
            Ok(status) => Next::Exit(status),
            Err(wait) => Next::Wait(wait),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
