//! The state machine alone: two sockets and a wire that may lose segments.

use std::collections::BTreeMap;
use std::time::Duration;

use packet::{PacketId, PacketIds, SimTime, Tcp, TcpFlags};

use super::listen::Request;
use super::{Ending, Env, Metrics, Settings, State, TcpSocket, Verdict};
use crate::Errno;
use crate::socket::table::keyed_hash;

/// One end of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Client = 0,
    Server = 1,
}

/// Two sockets, and segments on their way between them.
struct Wire {
    now: SimTime,
    ids: PacketIds,
    ends: [TcpSocket; 2],
    /// What is left of an end after its connection.
    rest: [Option<TcpSocket>; 2],
    flying: BTreeMap<(SimTime, u64), (End, PacketId, Tcp)>,
    sent: u64,
    /// Of 1000 segments so many are lost.
    loss: u64,
    /// Longest IP packet; the ends know it only if told.
    mtu: u32,
    known_mtu: u32,
    /// Lines like `> S`, `< S.`, for tables.
    log: Vec<String>,
    reset_sent: bool,
}

const DELAY: Duration = Duration::from_millis(1);

impl Wire {
    /// A client that has sent its SYN, and a wire of this MTU.
    fn new(mtu: u32, loss: u64, settings: impl Fn(&mut Settings)) -> (Self, Settings) {
        let mut chosen = Settings::default();
        settings(&mut chosen);
        let wire = Self {
            now: SimTime(1_000_000_000),
            ids: PacketIds::default(),
            ends: [TcpSocket::new(), TcpSocket::new()],
            rest: [None, None],
            flying: BTreeMap::new(),
            sent: 0,
            loss,
            mtu,
            known_mtu: mtu,
            log: Vec::new(),
            reset_sent: false,
        };
        (wire, chosen)
    }

    /// Runs something at one end and puts what it sends on the wire.
    fn at<R>(&mut self, end: End, settings: Settings, run: impl FnOnce(&mut TcpSocket, &mut Env) -> R) -> R {
        let mut out = Vec::new();
        let mtu = self.known_mtu;
        let route = Some(Metrics { mtu, advmss: mtu - 40, ..Metrics::default() });
        let mut env = Env { now: self.now, ids: &mut self.ids, out: &mut out, route, settings };
        let socket = match &mut self.rest[end as usize] {
            Some(rest) => rest,
            None => &mut self.ends[end as usize],
        };
        let result = run(socket, &mut env);
        if let Ending::TimeWait(state, timeout) = std::mem::take(&mut socket.ending) {
            let rest = socket.to_time_wait(&env, state, timeout);
            self.rest[end as usize] = Some(rest);
        }
        for segment in out {
            self.sent += 1;
            let tcp = segment.tcp;
            self.log.push(format!("{} {}", if end == End::Client { '>' } else { '<' }, flags(&tcp)));
            let lost = keyed_hash(7, &[self.sent]) % 1000 < self.loss;
            let too_big = tcp.len() as u32 + 20 > self.mtu;
            if !lost && !too_big {
                let to = if end == End::Client { End::Server } else { End::Client };
                self.flying.insert((self.now + DELAY, self.sent), (to, segment.id, tcp));
            }
        }
        result
    }

    /// Lets the next thing happen; false if nothing ever will.
    fn step(&mut self, settings: Settings) -> bool {
        let deadline = |socket: &TcpSocket| socket.next_deadline();
        let timers = [End::Client, End::Server].map(|end| {
            self.rest[end as usize]
                .as_ref()
                .map_or(deadline(&self.ends[end as usize]), deadline)
                .map(|at| (at, end))
        });
        let timer = timers.into_iter().flatten().min_by_key(|(at, _)| *at);
        let arrival = self.flying.keys().next().copied();
        match (arrival, timer) {
            (Some(key), timer) if timer.is_none_or(|(at, _)| key.0 <= at) => {
                self.now = key.0;
                if let Some((end, id, tcp)) = self.flying.remove(&key) {
                    self.arrive(end, id, &tcp, settings);
                }
                true
            }
            (_, Some((at, end))) => {
                self.now = self.now.max(at);
                self.at(end, settings, |socket, env| socket.on_timer(env));
                true
            }
            (_, None) => false,
        }
    }

    fn arrive(&mut self, end: End, id: PacketId, tcp: &Tcp, settings: Settings) {
        let socket = self.rest[end as usize].as_ref().unwrap_or(&self.ends[end as usize]);
        let verdict = if socket.time_wait {
            self.at(end, settings, |socket, env| socket.timewait_state_process(env, tcp))
        } else if end == End::Server && socket.state == State::Listen {
            let mut child = None;
            self.at(end, settings, |_, env| {
                child = Some(TcpSocket::from_syn(env, tcp, 900_000, 55, super::RMEM_DEFAULT));
            });
            if let Some(child) = child {
                self.ends[end as usize] = child;
            }
            self.at(end, settings, |socket, env| {
                socket.answering = Some(id);
                socket.send_syn(env);
            });
            Verdict::Taken
        } else if end == End::Server && socket.state == State::SynRecv {
            match self.at(end, settings, |socket, env| socket.check_request(env, tcp)) {
                Request::Complete => self.at(end, settings, |socket, env| socket.rcv_state_process(env, tcp)),
                Request::Stay(verdict) | Request::Forget(verdict) => verdict,
            }
        } else {
            self.at(end, settings, |socket, env| socket.rcv_state_process(env, tcp))
        };
        self.reset_sent |= matches!(verdict, Verdict::Reset(_));
    }

    /// Lets `time` pass.
    fn run_until(&mut self, settings: Settings, time: Duration) {
        let end = self.now + time;
        loop {
            let arrival = self.flying.keys().next().map(|key| key.0);
            let timers = [0, 1].map(|i| self.rest[i].as_ref().unwrap_or(&self.ends[i]).next_deadline());
            let next = timers.into_iter().flatten().chain(arrival).min();
            if next.is_none_or(|at| at > end) || !self.step(settings) {
                break;
            }
        }
        self.now = end;
    }

    fn connect(&mut self, settings: Settings) {
        self.ends[1].state = State::Listen;
        self.at(End::Client, settings, |socket, env| socket.connect(env, u32::MAX - 5000, 7));
    }
}

/// `S`, `S.`, `.`, `P.`, `F.`, `R.` with the payload's length, as tcpdump words it.
fn flags(tcp: &Tcp) -> String {
    let mut text = String::new();
    for (flag, letter) in [
        (TcpFlags::FIN, 'F'),
        (TcpFlags::SYN, 'S'),
        (TcpFlags::RST, 'R'),
        (TcpFlags::PSH, 'P'),
        (TcpFlags::ACK, '.'),
    ] {
        if tcp.flags.contains(flag) {
            text.push(letter);
        }
    }
    if !tcp.payload.is_empty() {
        text.push_str(&format!(" {}", tcp.payload.len()));
    }
    text
}

/// Sends `len` bytes from client to server over a lossy wire, closes, and compares.
#[track_caller]
fn transfer(len: usize, mtu: u32, loss: u64, settings: impl Fn(&mut Settings)) -> Wire {
    let (mut wire, settings) = Wire::new(mtu, loss, settings);
    let data: Vec<u8> = (0..len).map(|i| (i * 7 + i / 251) as u8).collect();
    let mut got = Vec::new();
    let mut sent = 0;
    let mut closed = [false; 2];
    wire.connect(settings);
    for _ in 0..4_000_000 {
        if !wire.step(settings) {
            break;
        }
        if wire.ends[0].state == State::Established && sent < data.len() {
            sent +=
                wire.at(End::Client, settings, |socket, env| socket.send(env, &data[sent..])).unwrap_or(0);
        }
        if sent == data.len() && !closed[0] && wire.ends[0].state == State::Established {
            closed[0] = true;
            wire.at(End::Client, settings, |socket, env| socket.close(env, false));
        }
        while let Ok(bytes) = wire.at(End::Server, settings, |socket, env| socket.recv(env, 65_536)) {
            if bytes.is_empty() {
                if !closed[1] {
                    closed[1] = true;
                    wire.at(End::Server, settings, |socket, env| socket.close(env, false));
                }
                break;
            }
            got.extend(bytes);
        }
        if wire.ends[1].state == State::Closed
            && wire.ends[0].state == State::Closed
            && wire.rest[0].is_some()
        {
            break;
        }
    }
    assert_eq!(
        got.len(),
        data.len(),
        "bytes arrived by {}, {:?} {:?}",
        wire.now,
        wire.ends[0].state,
        wire.ends[1].state
    );
    assert!(got == data, "the bytes differ");
    assert_eq!((wire.ends[0].state, wire.ends[1].state), (State::Closed, State::Closed));
    assert!(!wire.reset_sent);
    wire
}

#[test]
fn data_arrives_whole_over_lossy_wires() {
    for (len, mtu, loss, most_segments) in [
        (5_000_000, 576, 50, 20_000),
        (1_000_000, 1500, 0, 1_200),
        (500_000, 1500, 200, 1_000),
        (1, 576, 0, 8),
        (70_000, 128, 20, 2_200),
        (3_000_000, 65_535, 10, 200),
    ] {
        let wire = transfer(len, mtu, loss, |_| ());
        assert!(wire.sent <= most_segments, "{len} bytes, MTU {mtu}, loss {loss}: {} segments", wire.sent);
    }
    let without_options = |s: &mut Settings| {
        s.sack = false;
        s.timestamps = false;
        s.window_scaling = false;
    };
    transfer(1_000_000, 576, 50, without_options);
}

/// A router in the middle wants shorter packets than the ends know of.
#[test]
fn a_connection_learns_the_path_mtu() {
    let (mut wire, settings) = Wire::new(1500, 0, |_| ());
    wire.connect(settings);
    wire.run_until(settings, Duration::from_millis(10));
    wire.mtu = 1000;
    let data = vec![1; 5000];
    assert_eq!(wire.at(End::Client, settings, |socket, env| socket.send(env, &data)), Ok(5000));
    wire.known_mtu = 1000;
    wire.at(End::Client, settings, |socket, env| {
        socket.sync_mss(&Settings::default(), 1000);
        socket.simple_retransmit(env);
    });
    wire.run_until(settings, Duration::from_millis(20));
    assert_eq!(wire.ends[1].received.len(), 5000);
}

/// What one end does: `c` client, `s` server.
enum Do {
    Send(End, usize),
    Recv(End),
    Shut(End),
    Close(End),
    /// Lets this many milliseconds pass.
    Pass(u64),
}

/// Plays actions after the handshake; compares the segments, the states and the errors.
#[track_caller]
fn check(name: &str, actions: &[Do], segments: &str, states: (State, State), errors: [Option<Errno>; 2]) {
    let (mut wire, settings) = Wire::new(1500, 0, |_| ());
    wire.connect(settings);
    wire.run_until(settings, Duration::from_millis(5));
    assert_eq!(wire.log, ["> S", "< S.", "> ."], "{name}");
    wire.log.clear();
    for action in actions {
        match action {
            Do::Send(end, len) => {
                let sent = wire.at(*end, settings, |socket, env| socket.send(env, &vec![0; *len]));
                assert!(sent.is_ok(), "{name}: {sent:?}");
            }
            Do::Recv(end) => {
                let _ = wire.at(*end, settings, |socket, env| socket.recv(env, 100_000));
            }
            Do::Shut(end) => {
                let _ = wire.at(*end, settings, |socket, env| socket.shutdown_write(env));
            }
            Do::Close(end) => wire.at(*end, settings, |socket, env| socket.close(env, false)),
            Do::Pass(ms) => wire.run_until(settings, Duration::from_millis(*ms)),
        }
    }
    assert_eq!(wire.log.join(", "), segments, "{name}");
    let state = |end: usize| wire.rest[end].as_ref().unwrap_or(&wire.ends[end]).state;
    assert_eq!((state(0), state(1)), states, "{name}");
    assert_eq!([wire.ends[0].error, wire.ends[1].error], errors, "{name}");
}

#[test]
fn conversations_look_as_linux_has_them() {
    use Do::{Close, Pass, Recv, Send, Shut};
    use End::{Client, Server};
    let ok = [None, None];
    check(
        "a request, an answer, the client closes first",
        &[
            Send(Client, 72),
            Pass(5),
            Recv(Server),
            Send(Server, 67),
            Pass(5),
            Recv(Client),
            Close(Client),
            Pass(1),
            Close(Server),
            Pass(10),
        ],
        "> P. 72, < ., < P. 67, > ., > F., < F., > .",
        (State::TimeWait, State::Closed),
        ok,
    );
    check(
        "full segments are pushed once",
        &[Send(Client, 5000), Pass(5)],
        "> . 1448, > . 1448, > . 1448, > P. 656, < ., < ., < ., < .",
        (State::Established, State::Established),
        ok,
    );
    check(
        "half closed, the server goes on",
        &[Shut(Client), Pass(50), Send(Server, 10), Pass(50), Recv(Client), Close(Server), Pass(5)],
        "> F., < ., < P. 10, > ., < F., > .",
        (State::TimeWait, State::Closed),
        ok,
    );
    check(
        "both close at once",
        &[Close(Client), Close(Server), Pass(5)],
        "> F., < F., < ., > .",
        (State::TimeWait, State::TimeWait),
        ok,
    );
    check(
        "the server closes with data unread",
        &[Send(Client, 10), Pass(5), Close(Server), Pass(5)],
        "> P. 10, < ., < R.",
        (State::Closed, State::Closed),
        [Some(Errno::ConnReset), None],
    );
    check(
        "data for a socket that is closed",
        &[Close(Server), Pass(60), Send(Client, 10), Pass(5)],
        "< F., > ., > P. 10",
        (State::CloseWait, State::Closed),
        ok,
    );
    check(
        "TIME_WAIT lasts a minute",
        &[Close(Client), Pass(50), Close(Server), Pass(60_100)],
        "> F., < ., < F., > .",
        (State::Closed, State::Closed),
        ok,
    );
}

/// A reader that sleeps for two minutes closes the window; probes find it open again.
#[test]
fn a_closed_window_is_probed() {
    let (mut wire, settings) = Wire::new(1500, 0, |_| ());
    wire.connect(settings);
    wire.run_until(settings, Duration::from_millis(5));
    let (mut sent, mut got, total) = (0, 0, 300_000);
    let data = vec![5; total];
    let pour = |wire: &mut Wire, sent: &mut usize| {
        *sent += wire.at(End::Client, settings, |socket, env| socket.send(env, &data[*sent..])).unwrap_or(0);
    };
    for _ in 0..1200 {
        pour(&mut wire, &mut sent);
        wire.run_until(settings, Duration::from_millis(100));
    }
    assert_eq!(wire.ends[0].snd_wnd, 0);
    assert!(wire.ends[0].backoff > 5, "backed off {} times", wire.ends[0].backoff);
    let arrived = wire.ends[1].received.len();
    assert!((60_000..100_000).contains(&arrived), "{arrived} bytes arrived");
    for _ in 0..100 {
        pour(&mut wire, &mut sent);
        got += wire
            .at(End::Server, settings, |socket, env| socket.recv(env, total))
            .map_or(0, |data| data.len());
        wire.run_until(settings, Duration::from_millis(100));
    }
    assert_eq!(got, total);
}

/// When the SYN is sent again, and when the client gives up (seconds after the first).
#[test]
fn a_syn_without_answer_is_repeated() {
    let (mut wire, settings) = Wire::new(1500, 1000, |_| ());
    let start = wire.now;
    wire.connect(settings);
    let mut times = Vec::new();
    while wire.step(settings) {
        times.push(wire.now.since(start).as_secs());
    }
    assert_eq!(times, [1, 2, 3, 4, 5, 7, 11, 19, 35, 67, 131]);
    assert_eq!(wire.ends[0].error, Some(Errno::TimedOut));
    assert_eq!(wire.log.len(), 11);
}
