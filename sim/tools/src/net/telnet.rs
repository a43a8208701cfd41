//! `telnet` of inetutils 2.4: connects and relays lines; options are refused as a dumb terminal does.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use kernel::Errno;
use kernel::socket::SocketKind;
use world::{Args, Fd, Next, Program, ReadResult, Registry, Sys, Wait};

use dns::{Family, GaiError};

use super::lookups::{Lookups, why};
use super::tcpdump::Names;
use super::{complain, say};

/// Installs `telnet`.
pub(crate) fn install(registry: &mut Registry) {
    registry.install("telnet", |args| {
        Box::new(Telnet {
            args,
            lookups: Lookups::default(),
            addrs: VecDeque::new(),
            port: 0,
            phase: Phase::Start,
        })
    });
}

#[derive(Clone, Debug)]
struct Telnet {
    args: Args,
    lookups: Lookups,
    /// Addresses that are left to try.
    addrs: VecDeque<Ipv4Addr>,
    port: u16,
    phase: Phase,
}

#[derive(Clone, Debug)]
enum Phase {
    Start,
    Connecting { fd: Fd, host: String, text: String },
    Relay { fd: Fd, stdin_open: bool, pending: Vec<u8>, command: Vec<u8>, text: String },
}

const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;

/// What the server asks for is refused; answers the data without commands. `command` holds a
/// command that isn't whole yet.
fn negotiate(data: &[u8], command: &mut Vec<u8>, answers: &mut Vec<u8>) -> Vec<u8> {
    let mut plain = Vec::new();
    for &byte in data {
        match (command.as_slice(), byte) {
            ([], IAC) => command.push(IAC),
            ([], byte) => plain.push(byte),
            ([_], IAC) => {
                plain.push(IAC);
                command.clear();
            }
            ([_], DO | DONT | WILL | WONT) => command.push(byte),
            ([_, DO], option) => {
                answers.extend([IAC, WONT, option]);
                command.clear();
            }
            ([_, WILL], option) => {
                answers.extend([IAC, DONT, option]);
                command.clear();
            }
            _ => command.clear(),
        }
    }
    plain
}

impl Telnet {
    /// Answers how it ends before it begins, or what it waits for.
    fn start(&mut self, sys: &mut dyn Sys) -> Result<(), Next> {
        let words: Vec<String> = self.args[1..].iter().filter(|arg| !arg.starts_with('-')).cloned().collect();
        let names = Names::read(sys);
        let (host, port) = match words.as_slice() {
            [host] => (host.clone(), "telnet".to_owned()),
            [host, port] => (host.clone(), port.clone()),
            _ => {
                complain(sys, "Usage: telnet [OPTION...] [HOST [PORT]]\n");
                return Err(Next::Exit(1));
            }
        };
        let Some(number) = port.parse().ok().or_else(|| names.port(&port, "tcp")) else {
            complain(
                sys,
                &format!("telnet: could not resolve {host}/{port}: Servname not supported for ai_socktype\n"),
            );
            return Err(Next::Exit(1));
        };
        let Some(found) = self.lookups.get(sys, &host, Family::Any) else {
            return Err(Next::Wait(self.lookups.waits().unwrap_or_default()));
        };
        let addrs: Result<VecDeque<Ipv4Addr>, GaiError> = found.map(|found| found.v4().collect());
        self.addrs = addrs
            .and_then(|addrs| if addrs.is_empty() { Err(GaiError::NoData) } else { Ok(addrs) })
            .map_err(|error| {
                let why = why(sys, error);
                complain(sys, &format!("telnet: could not resolve {host}/{port}: {why}\n"));
                Next::Exit(1)
            })?;
        self.port = number;
        self.connect(sys, String::new()).map_err(Next::Exit)
    }

    /// Tries the next address; `text` is what was said on standard output.
    fn connect(&mut self, sys: &mut dyn Sys, text: String) -> Result<(), i32> {
        let Some(addr) = self.addrs.pop_front() else { return Err(1) };
        let text = format!("{text}Trying {addr}...\n");
        let fd = sys.socket(SocketKind::Tcp).map_err(|errno| {
            complain(sys, &format!("telnet: socket: {errno}\n"));
            1
        })?;
        match sys.connect(fd, SocketAddr::new(IpAddr::V4(addr), self.port)) {
            Ok(()) | Err(Errno::InProgress) => {
                self.phase = Phase::Connecting { fd, host: addr.to_string(), text };
                Ok(())
            }
            Err(errno) => self.failed(sys, fd, errno, text),
        }
    }

    /// This address can't be reached: the next one, or the end.
    fn failed(&mut self, sys: &mut dyn Sys, fd: Fd, errno: Errno, text: String) -> Result<(), i32> {
        sys.close(fd);
        if self.addrs.is_empty() {
            return Err(failed(sys, errno, &text));
        }
        complain(sys, &format!("Connection failed: {errno}\n"));
        self.connect(sys, text)
    }
}

/// Standard output is written at the exit when it is no terminal.
fn failed(sys: &mut dyn Sys, errno: Errno, text: &str) -> i32 {
    complain(sys, &format!("telnet: Unable to connect to remote host: {errno}\n"));
    say(sys, text);
    1
}

fn closed(sys: &mut dyn Sys, text: &str) -> i32 {
    say(sys, text);
    complain(sys, "Connection closed by foreign host.\n");
    0
}

impl Program for Telnet {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        if matches!(self.phase, Phase::Start)
            && let Err(next) = self.start(sys)
        {
            return next;
        }
        while let Phase::Connecting { fd, host, text } = &self.phase {
            let fd = *fd;
            if let Some(errno) = sys.take_error(fd) {
                let text = text.clone();
                match self.failed(sys, fd, errno, text) {
                    Ok(()) => continue,
                    Err(status) => return Next::Exit(status),
                }
            }
            if sys.peer_addr(fd).is_none() || !sys.ready(fd).writable {
                return Next::Wait(Wait { fds: vec![fd], ..Wait::default() });
            }
            let mut text = format!("{text}Connected to {host}.\nEscape character is '^]'.\n");
            if sys.is_terminal(Fd::STDOUT) {
                say(sys, &std::mem::take(&mut text));
            }
            self.phase =
                Phase::Relay { fd, stdin_open: true, pending: Vec::new(), command: Vec::new(), text };
        }
        let Phase::Relay { fd, stdin_open, pending, command, text } = &mut self.phase else {
            return Next::Exit(1);
        };
        let fd = *fd;
        loop {
            match sys.recv(fd, 1 << 16) {
                Ok(received) if received.data.is_empty() => return Next::Exit(closed(sys, text)),
                Ok(received) => {
                    let data = negotiate(&received.data, command, pending);
                    text.push_str(&String::from_utf8_lossy(&data));
                    if sys.is_terminal(Fd::STDOUT) {
                        say(sys, &std::mem::take(text));
                    }
                }
                Err(Errno::Again) => break,
                Err(_) => return Next::Exit(closed(sys, text)),
            }
        }
        while *stdin_open {
            match sys.read(Fd::STDIN, 1 << 16) {
                Ok(ReadResult::Data(data)) => {
                    for byte in data {
                        match byte {
                            b'\n' => pending.extend(b"\r\n"),
                            b'\r' => pending.extend(b"\r\0"),
                            IAC => pending.extend([IAC, IAC]),
                            byte => pending.push(byte),
                        }
                    }
                }
                Ok(ReadResult::WouldBlock) => break,
                Ok(ReadResult::Eof) | Err(_) => *stdin_open = false,
            }
        }
        while !pending.is_empty() {
            match sys.send(fd, pending, None) {
                Ok(sent) => drop(pending.drain(..sent)),
                Err(Errno::Again) => break,
                Err(_) => return Next::Exit(closed(sys, text)),
            }
        }
        if !*stdin_open && pending.is_empty() {
            return Next::Exit(closed(sys, text));
        }
        let fds = if *stdin_open { vec![fd, Fd::STDIN] } else { vec![fd] };
        Next::Wait(Wait { fds, ..Wait::default() })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
