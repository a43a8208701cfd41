//! What goes on over a connection that came to the kubelet: a log, a command in a container, its
//! first process, a port.
//!
//! Simplified: the kubelet has a process for each, so that what it does is told apart.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use kernel::Errno;
use kernel::socket::SocketKind;
use packet::{HostId, Pid, SimTime};
use world::{Fd, Next, OpenMode, Program, ReadResult, Signal, Spawn, Sys, Wait};

use super::frame;
use super::shim::raw_output;
use crate::stream::Piece;

/// How long one way of a forwarded connection stays open when the other is over. containerd:
/// `portForward`.
const OTHER_WAY: Duration = Duration::from_secs(1);

/// What is asked, with all that the kubelet knows of it.
#[derive(Clone, Debug)]
pub enum Job {
    /// A log.
    Log {
        /// Where it lies.
        path: String,
        /// Only the last so many lines.
        tail: Option<usize>,
        /// The container that writes it, if what it writes later is wanted too.
        follow: Option<Pid>,
    },
    /// A command in a container.
    Exec {
        /// The container's first process.
        pid: Pid,
        /// The command.
        command: Vec<String>,
        /// Its environment.
        env: BTreeMap<String, String>,
        /// Whether it gets input.
        stdin: bool,
        /// Whether it has a terminal: then there is one stream of output.
        tty: bool,
    },
    /// A container's first process.
    Attach {
        /// It.
        pid: Pid,
        /// The container.
        id: String,
        /// Where its log lies, if what it says isn't kept as it comes.
        log: String,
        /// Whether [`Fd`] 4 is its input.
        stdin: bool,
    },
    /// A TCP port of a pod.
    Forward {
        /// A process of the pod.
        pid: Pid,
        /// The port.
        port: u16,
    },
}

/// How often a file that grows is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// The connection.
const WIRE: Fd = Fd(3);
/// A container's input.
const INPUT: Fd = Fd(4);

/// A conversation.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// The kubelet, whose end is this one's too.
    kubelet: Pid,
    job: Job,
    /// The command for which a program is run.
    session: Option<(HostId, Pid)>,
    state: State,
    received: Vec<u8>,
    to_send: Vec<u8>,
    /// The client sends no more.
    ended: bool,
}

/// How far it is.
#[derive(Clone, Debug)]
enum State {
    Begin,
    /// A file is read from its beginning; the rest of a line waits.
    Reading(Fd, Vec<u8>),
    /// A process runs: its input and its outputs.
    Running {
        pid: Pid,
        input: Option<Fd>,
        outputs: Vec<(Fd, bool)>,
    },
    /// A connection to a port.
    Forwarding(Port),
    /// Only what is left to send.
    Over,
}

/// A connection to a port.
#[derive(Clone, Debug)]
struct Port {
    fd: Fd,
    number: u16,
    connected: bool,
    to_send: Vec<u8>,
    /// The client sends no more.
    ended: bool,
    /// The pod sends no more.
    silent: bool,
    /// How long the other way stays open once one of them is over.
    until: Option<SimTime>,
}

impl Conversation {
    /// A conversation; its connection is descriptor 3, on which `received` has come already. A program
    /// is run for the session.
    pub fn new(kubelet: Pid, (job, session): (Job, Option<(HostId, Pid)>), received: Vec<u8>) -> Self {
        Self { kubelet, job, session, state: State::Begin, received, to_send: Vec::new(), ended: false }
    }

    fn say(&mut self, piece: &Piece) {
        self.to_send.extend(frame::encode(piece));
    }

    fn end(&mut self, status: i32) {
        self.say(&Piece::Exited(status));
        self.state = State::Over;
    }

    fn begin(&mut self, sys: &mut dyn Sys) {
        match self.job.clone() {
            Job::Log { path, tail, .. } => {
                let Ok(fd) = sys.open(&path, OpenMode::Read) else {
                    let why = format!(
                        ": failed to try resolving symlinks in path {path:?}: lstat {path}: no such file or directory"
                    );
                    self.say(&Piece::Refused(why));
                    self.state = State::Over;
                    return;
                };
                let mut text = Vec::new();
                while let Ok(ReadResult::Data(bytes)) = sys.read(fd, 1 << 16) {
                    text.extend(bytes);
                }
                let mut rest = Vec::new();
                let mut lines = lines_of(&text, &mut rest);
                if let Some(tail) = tail {
                    let skipped = lines.len().saturating_sub(tail);
                    lines.drain(..skipped);
                }
                self.say_lines(&lines);
                self.state = State::Reading(fd, rest);
            }
            Job::Attach { id, log, .. } => {
                let raw = raw_output(&id);
                let path = if sys.stat(&raw).is_ok() { raw } else { log };
                match sys.open(&path, OpenMode::Read) {
                    Ok(fd) => self.state = State::Reading(fd, Vec::new()),
                    // It has said nothing yet.
                    Err(_) => {
                        tools::file::put(sys, &path, "");
                        match sys.open(&path, OpenMode::Read) {
                            Ok(fd) => self.state = State::Reading(fd, Vec::new()),
                            Err(_) => self.end(1),
                        }
                    }
                }
            }
            Job::Exec { pid, command, env, stdin, tty } => self.exec(sys, pid, &command, env, (stdin, tty)),
            Job::Forward { pid, port } => {
                let home = sys.netns();
                if let Some(netns) = sys.netns_of_pid(pid) {
                    sys.set_netns(netns);
                }
                let fd = sys.socket(SocketKind::Tcp);
                sys.set_netns(home);
                let to = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
                match fd.and_then(|fd| match sys.connect(fd, to) {
                    Ok(()) | Err(Errno::InProgress) => Ok(fd),
                    Err(errno) => Err(errno),
                }) {
                    Ok(fd) => {
                        self.state = State::Forwarding(Port {
                            fd,
                            number: port,
                            connected: false,
                            to_send: Vec::new(),
                            ended: false,
                            silent: false,
                            until: None,
                        });
                    }
                    Err(errno) => self.no_port(port, errno),
                }
            }
        }
    }

    fn no_port(&mut self, port: u16, errno: Errno) {
        let why = format!(
            "failed to connect to localhost:{port} inside namespace, IPv4: dial tcp4 127.0.0.1:{port}: connect: {}",
            crate::cni::go_text(errno)
        );
        self.say(&Piece::Err(why.into_bytes()));
        self.end(1);
    }

    fn exec(
        &mut self,
        sys: &mut dyn Sys,
        pid: Pid,
        command: &[String],
        env: BTreeMap<String, String>,
        (stdin, tty): (bool, bool),
    ) {
        let args = tools::image::program(command).filter(|args| sys.registry().get(&args[0]).is_some());
        let Some(args) = args else {
            let id = tools::image::new_id(sys);
            let program = command.first().cloned().unwrap_or_default();
            let why = match program.contains('/') {
                true => format!("stat {program}: no such file or directory"),
                false => "executable file not found in $PATH".to_owned(),
            };
            let text = format!(
                "error: Internal error occurred: Internal error occurred: error executing command in container: \
                 failed to exec in container: failed to start exec {id:?}: OCI runtime exec failed: exec failed: \
                 unable to start container process: exec: {program:?}: {why}: unknown\n"
            );
            self.say(&Piece::Err(text.into_bytes()));
            return self.end(1);
        };
        let (input, to_input) = match stdin {
            true => {
                let (reader, writer) = if tty { sys.terminal_pipe() } else { sys.pipe() };
                (Some(reader), Some(writer))
            }
            false => (sys.open("/dev/null", OpenMode::Read).ok(), None),
        };
        let (out, to_out) = if tty { sys.terminal_pipe() } else { sys.pipe() };
        let mut outputs = vec![(out, false)];
        let to_err = match tty {
            true => to_out,
            false => {
                let (err, to_err) = sys.pipe();
                outputs.push((err, true));
                to_err
            }
        };
        let mut fds = vec![(Fd::STDOUT, to_out), (Fd::STDERR, to_err)];
        fds.extend(input.map(|fd| (Fd::STDIN, fd)));
        let spawned = sys.spawn(Spawn {
            args,
            netns: sys.netns_of_pid(pid),
            root: sys.root_of_pid(pid),
            cwd: Some("/".to_owned()),
            env: Some(env),
            fds,
            session: self.session,
            ..Spawn::default()
        });
        sys.close(to_out);
        if !tty {
            sys.close(to_err);
        }
        if let Some(fd) = input {
            sys.close(fd);
        }
        match spawned {
            Ok(pid) => self.state = State::Running { pid, input: to_input, outputs },
            Err(errno) => {
                self.say(&Piece::Err(format!("error: Internal error occurred: {errno}\n").into_bytes()));
                self.end(1);
            }
        }
    }

    fn say_lines(&mut self, lines: &[Vec<u8>]) {
        for line in lines {
            let piece = Piece::Out(line.clone());
            self.say(&piece);
        }
    }

    /// Goes on: what came from the client, what is to be said.
    fn go_on(&mut self, sys: &mut dyn Sys) {
        let mut input = Vec::new();
        while let Some(piece) = frame::take(&mut self.received) {
            input.push(piece);
        }
        match &mut self.state {
            State::Begin | State::Over => {}
            State::Running { pid, input: to, outputs } => {
                let pid = *pid;
                for piece in input {
                    match (piece, *to) {
                        (Piece::In(bytes), Some(fd)) => {
                            // Who closed its input doesn't read it.
                            let _ = sys.write(fd, &bytes);
                        }
                        (Piece::EndOfInput, Some(fd)) => {
                            sys.close(fd);
                            *to = None;
                        }
                        _ => {}
                    }
                }
                let mut said = Vec::new();
                outputs.retain(|(fd, is_error)| {
                    loop {
                        match sys.read(*fd, 1 << 16) {
                            Ok(ReadResult::Data(bytes)) if *is_error => said.push(Piece::Err(bytes)),
                            Ok(ReadResult::Data(bytes)) => said.push(Piece::Out(bytes)),
                            Ok(ReadResult::WouldBlock) => break true,
                            Ok(ReadResult::Eof) | Err(_) => break false,
                        }
                    }
                });
                for piece in said {
                    self.say(&piece);
                }
                if let Some(status) = sys.exit_status(pid) {
                    self.end(status);
                }
            }
            State::Reading(fd, rest) => {
                let mut text = std::mem::take(rest);
                while let Ok(ReadResult::Data(bytes)) = sys.read(*fd, 1 << 16) {
                    text.extend(bytes);
                }
                self.pass_on(sys, &text, input);
            }
            State::Forwarding(port) => {
                let port = port.clone();
                self.forward(sys, port, input);
            }
        }
    }

    /// Passes on what goes to a port and comes from it.
    fn forward(&mut self, sys: &mut dyn Sys, mut port: Port, input: Vec<Piece>) {
        for piece in input {
            match piece {
                Piece::In(bytes) => port.to_send.extend(bytes),
                _ => port.ended = true,
            }
        }
        if !port.connected {
            if let Some(errno) = sys.take_error(port.fd) {
                return self.no_port(port.number, errno);
            }
            port.connected = sys.peer_addr(port.fd).is_some() && sys.ready(port.fd).writable;
            if !port.connected {
                self.state = State::Forwarding(port);
                return;
            }
        }
        while !port.to_send.is_empty() {
            match sys.send(port.fd, &port.to_send, None) {
                Ok(n) => drop(port.to_send.drain(..n)),
                Err(Errno::Again) => break,
                Err(_) => {
                    port.to_send.clear();
                    port.ended = true;
                }
            }
        }
        while !port.silent {
            match sys.read(port.fd, 1 << 16) {
                Ok(ReadResult::Data(bytes)) => self.say(&Piece::Out(bytes)),
                Ok(ReadResult::Eof) => port.silent = true,
                Ok(ReadResult::WouldBlock) => break,
                Err(errno) => return self.no_port(port.number, errno),
            }
        }
        let sent = port.ended && port.to_send.is_empty();
        if sent || port.silent {
            let until = *port.until.get_or_insert(sys.now() + OTHER_WAY);
            if sent && port.silent || sys.now() >= until {
                return self.end(0);
            }
        }
        self.state = State::Forwarding(port);
    }

    /// Passes on what a file got, and to a container what it is sent.
    fn pass_on(&mut self, sys: &mut dyn Sys, text: &[u8], input: Vec<Piece>) {
        match self.job.clone() {
            Job::Attach { pid, id, stdin, .. } => {
                for piece in input.into_iter().filter(|_| stdin) {
                    match piece {
                        Piece::In(bytes) => {
                            let _ = sys.write(INPUT, &bytes);
                        }
                        _ => sys.close(INPUT),
                    }
                }
                let raw = sys.stat(&raw_output(&id)).is_ok();
                let mut rest = Vec::new();
                let said = if raw { text.to_vec() } else { lines_of(text, &mut rest).concat() };
                if !said.is_empty() {
                    self.say(&Piece::Out(said));
                }
                if let State::Reading(_, kept) = &mut self.state {
                    *kept = rest;
                }
                if let Some(status) = sys.exit_status(pid).filter(|_| text.is_empty()) {
                    self.end(status);
                }
            }
            Job::Log { follow, .. } => {
                let mut rest = Vec::new();
                let lines = lines_of(text, &mut rest);
                self.say_lines(&lines);
                let runs = follow.is_some_and(|pid| sys.args_of_pid(pid).is_some());
                match &mut self.state {
                    State::Reading(_, kept) if runs || !lines.is_empty() && follow.is_some() => *kept = rest,
                    _ => self.end(0),
                }
            }
            Job::Exec { .. } | Job::Forward { .. } => {}
        }
    }

    fn wait(&self, sys: &dyn Sys) -> Wait {
        let mut wait = Wait { fds: vec![WIRE], pids: vec![self.kubelet], ..Wait::default() };
        match &self.state {
            State::Begin | State::Over => {}
            State::Running { pid, outputs, .. } => {
                wait.pids.push(*pid);
                wait.fds.extend(outputs.iter().map(|(fd, _)| *fd));
            }
            State::Reading(..) => wait.until = Some(sys.now() + LOOK),
            State::Forwarding(port) => {
                wait.fds.push(port.fd);
                wait.until = port.until;
            }
        }
        wait
    }

    /// Ends what runs for the client.
    fn leave(&mut self, sys: &mut dyn Sys) -> Next {
        if let State::Running { pid, .. } = self.state {
            let _ = sys.kill(pid, Signal::Hup);
        }
        Next::Exit(0)
    }
}

/// The lines of a log in the CRI's format, `TIME STREAM F|P TEXT`, with their ends. What is incomplete is left in
/// `rest`.
fn lines_of(text: &[u8], rest: &mut Vec<u8>) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let Some(whole) = line.strip_suffix(b"\n") else {
            *rest = line.to_vec();
            break;
        };
        let mut parts = whole.splitn(4, |&byte| byte == b' ');
        let (tag, text) = (parts.nth(2), parts.next().unwrap_or_default());
        let mut text = text.to_vec();
        if tag == Some(b"F") {
            text.push(b'\n');
        }
        lines.push(text);
    }
    lines
}

impl Program for Conversation {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        if sys.exit_status(self.kubelet).is_some() {
            return self.leave(sys);
        }
        while !self.ended {
            match sys.read(WIRE, 1 << 16) {
                Ok(ReadResult::Data(bytes)) => self.received.extend(bytes),
                Ok(ReadResult::WouldBlock) => break,
                Ok(ReadResult::Eof) | Err(_) => self.ended = true,
            }
        }
        if matches!(self.state, State::Begin) {
            self.to_send.extend(
                b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n",
            );
            self.begin(sys);
        }
        self.go_on(sys);
        while !self.to_send.is_empty() {
            match sys.send(WIRE, &self.to_send, None) {
                Ok(n) => drop(self.to_send.drain(..n)),
                Err(Errno::Again) => break,
                Err(_) => return self.leave(sys),
            }
        }
        let over = matches!(self.state, State::Over) && self.to_send.is_empty();
        if over || self.ended {
            return self.leave(sys);
        }
        Next::Wait(self.wait(sys))
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
