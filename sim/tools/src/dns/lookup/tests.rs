//! What real C libraries asked and found, compared with what processes here ask and find.
//! `recorded/record.py` made the recordings.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use dns::rdata::{A, AAAA, CNAME, PTR};
use dns::{Family, Frames, Message, Name, PORT, RData, Record, ResponseCode};
use kernel::socket::SocketKind;
use packet::{NetnsId, SimTime};
use trace::Off;
use world::{Args, Fd, Next, Outcome, Program, Sys, Wait, World};

use super::question::name_of;
use super::{Lookup, Progress, Reverse, libc};
use crate::net::{read_file, say};

const GLIBC: &str = include_str!("recorded/glibc.txt");
const MUSL: &str = include_str!("recorded/musl.txt");
const GETENT: &str = include_str!("recorded/getent.txt");
const COMMANDS: &str = include_str!("recorded/commands.txt");

/// Where the recorded servers are.
const NET: &str = "10.97.0";

/// One lookup of a recording.
#[derive(Debug, Default)]
struct Case {
    title: String,
    /// `conf`, `hosts`, `nsswitch`, `env`, `server`, `serve` and `ask`.
    input: Vec<(String, String)>,
    seen: Seen,
}

/// Texts and times of what was asked, and what came out.
#[derive(Debug, Default)]
struct Seen {
    asked: Vec<(String, f64)>,
    results: Vec<(String, f64)>,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Client {
    Glibc,
    Musl,
    Getent,
    Command,
}

impl Case {
    fn parse(text: &str) -> Vec<Self> {
        let mut cases: Vec<Self> = Vec::new();
        let timed = |rest: &str| {
            let (time, text) = rest.split_once(' ').expect("a time and a text");
            (text.to_owned(), time.parse().expect("a time"))
        };
        for line in text.lines() {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match (word, cases.last_mut()) {
                ("==", _) => cases.push(Self { title: rest.to_owned(), ..Self::default() }),
                (">", Some(case)) => case.seen.asked.push(timed(rest)),
                ("=", Some(case)) => case.seen.results.push(timed(rest)),
                ("" | "#", _) | (_, None) => {}
                (_, Some(case)) => case.input.push((word.to_owned(), rest.to_owned())),
            }
        }
        cases
    }

    fn all<'a>(&'a self, word: &'a str) -> impl Iterator<Item = &'a str> {
        self.input.iter().filter(move |(w, _)| w == word).map(|(_, rest)| rest.as_str())
    }

    fn file(&self, word: &str) -> Vec<u8> {
        self.all(word).map(|line| format!("{line}\n")).collect::<String>().into_bytes()
    }

    /// What a simulated host asks and finds.
    fn run(&self, client: Client) -> Seen {
        let mut registry = crate::registry();
        registry.install("gai", |args| Box::new(Gai { args, asked: None }));
        registry.install_command("mark", |sys, _| {
            let now = seconds(sys.now());
            say(sys, &format!("@ {now}\n"));
            0
        });
        registry.install("responder", |_| Box::new(Responder::default()));
        let mut world = World::new(7);
        let host = world.add_host("client", registry);
        for (path, word) in
            [("/etc/resolv.conf", "conf"), ("/etc/hosts", "hosts"), ("/etc/nsswitch.conf", "nsswitch")]
        {
            if word != "nsswitch" || self.all(word).next().is_some() {
                world.install_file(host, path, self.file(word));
            }
        }
        if client == Client::Musl {
            world.install_file(host, super::MUSL_LINKER, b"ELF\n".to_vec());
        }
        let mut rules = String::new();
        for word in ["server", "serve"] {
            for rest in self.all(word) {
                let _ = writeln!(rules, "{word} {rest}");
            }
        }
        world.install_file(host, "/etc/responder", rules.into_bytes());
        let env = self.all("env").filter_map(|rest| rest.split_once('='));
        let env: BTreeMap<String, String> =
            env.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let arguments = self.all("ask").next().expect("a question");
        let ask = match client {
            Client::Glibc | Client::Musl => format!("gai {arguments}"),
            Client::Getent | Client::Command => {
                let name = if client == Client::Getent { "getent" } else { "" };
                format!(
                    "{name} {arguments} > /tmp/out 2>&1; rc=$?; sed 's/^/= 0 /' /tmp/out; echo \"= 0 rc=$rc\""
                )
            }
        };
        let script = format!(
            "ip netns add s; ip link add c0 type veth peer name s0 netns s
            ip addr add {NET}.2/24 dev c0; ip link set lo up; ip link set c0 up
            ip route add default via {NET}.11; ip -n s link set s0 up
            for n in 11 12 13; do ip -n s addr add {NET}.$n/24 dev s0; done
            ip netns exec s sysctl -qw net.ipv4.icmp_ratelimit=0; ip netns exec s responder &
            sleep 1; mark; {ask}; sleep 1; kill $!",
        );
        let console = world.add_console(host, false);
        world.type_input(host, console, None);
        let args = ["sh", "-c", &script].map(str::to_owned).to_vec();
        let pid = world.spawn(host, NetnsId::INIT, console, args, env).expect("the shell is installed");
        let mut output = Vec::new();
        let outcome =
            world.run_to_exit(host, pid, console, &mut Off, &mut |_, bytes| output.extend_from_slice(bytes));
        assert!(matches!(outcome, Outcome::Exited(_)), "{outcome:?}");
        let mut seen = Seen::default();
        let mut start = 0.0;
        for line in String::from_utf8_lossy(&output).lines() {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            let (time, text) = rest.split_once(' ').unwrap_or((rest, ""));
            let Ok(time) = time.parse::<f64>() else { panic!("{}: {line}", self.title) };
            match word {
                "@" => start = time,
                ">" => seen.asked.push((text.to_owned(), time)),
                _ => seen.results.push((text.to_owned(), time)),
            }
        }
        seen.asked.iter_mut().for_each(|(_, time)| *time -= start);
        seen
    }
}

/// Compares all cases of a recording; times may differ by what a busy machine adds.
fn check(recording: &str, client: Client) {
    const SLACK: f64 = 0.15;
    let mut wrong = String::new();
    for case in Case::parse(recording) {
        let (mut seen, mut real) = (case.run(client), case.seen.asked.clone());
        // What is asked at one time reaches different servers in any order.
        for list in [&mut seen.asked, &mut real] {
            list.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        }
        let seen = [seen.asked, seen.results].concat();
        let real = [real, case.seen.results.clone()].concat();
        let same = seen.len() == real.len()
            && seen.iter().zip(&real).all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() < SLACK);
        if !same {
            let _ = writeln!(wrong, "== {}\nseen {seen:.1?}\nreal {real:.1?}", case.title);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn lookups_ask_and_find_as_recorded() {
    check(GLIBC, Client::Glibc);
    check(MUSL, Client::Musl);
    check(GETENT, Client::Getent);
    check(COMMANDS, Client::Command);
}

/// The program of the recordings: looks one name up and says what it found, and after how long.
#[derive(Clone, Debug)]
struct Gai {
    args: Args,
    asked: Option<(SimTime, Asked)>,
}

#[derive(Clone, Debug)]
enum Asked {
    Name(Lookup),
    Address(Reverse),
}

impl Program for Gai {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let has = |flag: &str| self.args.iter().any(|arg| arg == flag);
        let (by_address, v4, canonical) = (has("-x"), has("-4"), has("-c"));
        if self.asked.is_none() {
            let name = self.args.last().map_or("", String::as_str);
            let asked = if by_address {
                Asked::Address(Reverse::new(name.parse().expect("an address")))
            } else {
                Asked::Name(Lookup::new(name, if v4 { Family::V4 } else { Family::Any }))
            };
            self.asked = Some((sys.now(), asked));
        }
        let Some((start, asked)) = &mut self.asked else { return Next::Exit(1) };
        let progress = match asked {
            Asked::Name(lookup) => lookup.poll(sys),
            Asked::Address(reverse) => reverse.poll(sys),
        };
        let found = match progress {
            Progress::Wait(wait) => return Next::Wait(wait),
            Progress::Done(found) => found,
        };
        let libc = libc(sys);
        let text = match found {
            Err(error) => error.text(libc).to_owned(),
            Ok(found) if by_address => found.canonical.unwrap_or_default(),
            Ok(found) => {
                let canonical = found
                    .canonical
                    .filter(|_| canonical || libc == dns::Libc::Musl)
                    .map(|name| format!(" ({name})"));
                let each = |addr: &IpAddr| format!("{addr}{}", canonical.as_deref().unwrap_or_default());
                found.addrs.iter().map(each).collect::<Vec<_>>().join(" ")
            }
        };
        let took = sys.now().since(*start).as_secs_f64();
        say(sys, &format!("= {took} {text}\n"));
        Next::Exit(0)
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

fn seconds(time: SimTime) -> f64 {
    time.since(SimTime::ZERO).as_secs_f64()
}

/// The recordings' servers: answers by rules, says what it was asked.
#[derive(Clone, Debug, Default)]
struct Responder {
    rules: Vec<Rule>,
    sockets: Vec<(Fd, Socket, u8)>,
    later: VecDeque<(SimTime, Reply, Message)>,
    counts: BTreeMap<(u8, String, String), usize>,
    ports: Vec<(&'static str, u16)>,
    started: bool,
}

#[derive(Clone, Debug)]
enum Socket {
    Udp,
    Listening,
    Connection(Frames),
}

#[derive(Clone, Copy, Debug)]
enum Reply {
    Udp(Fd, SocketAddr),
    Tcp(Fd),
}

/// `serve SERVER NAME TYPE: BEHAVIOUR; BEHAVIOUR…`
#[derive(Clone, Debug)]
struct Rule {
    server: String,
    name: String,
    kind: String,
    behaviours: Vec<Vec<String>>,
}

impl Responder {
    fn start(&mut self, sys: &mut dyn Sys) {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let (mut down, mut no_tcp) = (Vec::new(), Vec::new());
        for line in read_file(sys, "/etc/responder").unwrap_or_default().lines() {
            let (head, tail) = line.split_once(':').unwrap_or((line, ""));
            let tail = line.strip_prefix(head).and_then(|tail| tail.strip_prefix(':')).unwrap_or(tail);
            match &words(head)[..] {
                [word, server, what] if word == "server" => {
                    if what == "down" { &mut down } else { &mut no_tcp }.push(server.clone());
                }
                [_, server, name, kind] => self.rules.push(Rule {
                    server: server.clone(),
                    name: name.clone(),
                    kind: kind.clone(),
                    behaviours: tail.split(';').map(words).collect(),
                }),
                other => panic!("{other:?}"),
            }
        }
        for n in [11, 12, 13] {
            let server = format!(".{n}");
            let addr = SocketAddr::new(format!("{NET}.{n}").parse().expect("an address"), PORT);
            if down.contains(&server) {
                continue;
            }
            let udp = sys.socket(SocketKind::Udp).expect("a socket");
            sys.bind(udp, addr).expect("free");
            self.sockets.push((udp, Socket::Udp, n));
            if no_tcp.contains(&server) {
                continue;
            }
            let tcp = sys.socket(SocketKind::Tcp).expect("a socket");
            sys.bind(tcp, addr).expect("free");
            sys.listen(tcp, 8).expect("free");
            self.sockets.push((tcp, Socket::Listening, n));
        }
    }

    fn behaviour(&mut self, server: u8, name: &str, kind: &str) -> Vec<String> {
        let fits = |pattern: &str, text: &str| pattern == "*" || pattern.eq_ignore_ascii_case(text);
        let server_text = format!(".{server}");
        let rule = self.rules.iter().find(|rule| {
            fits(&rule.server, &server_text) && fits(&rule.name, name) && fits(&rule.kind, kind)
        });
        let Some(rule) = rule else { return vec!["nxdomain".to_owned()] };
        let count = self.counts.entry((server, name.to_owned(), kind.to_owned())).or_default();
        *count += 1;
        rule.behaviours[(*count - 1).min(rule.behaviours.len() - 1)].clone()
    }

    fn query(&mut self, sys: &mut dyn Sys, server: u8, port: u16, bytes: &[u8], reply: Reply) {
        let query = dns::decode(bytes).expect("a query");
        let question = &query.queries[0];
        let kind = question.query_type().to_string();
        let labels = question.name().iter().map(|label| String::from_utf8_lossy(label).into_owned());
        let name = labels.collect::<Vec<_>>().join(".");
        let proto = if matches!(reply, Reply::Tcp(_)) { "tcp" } else { "udp" };
        if !self.ports.contains(&(proto, port)) {
            self.ports.push((proto, port));
        }
        let mine = self.ports.iter().filter(|(known, _)| *known == proto);
        let nth = mine.clone().position(|(_, known)| *known == port).unwrap_or(0) + 1;
        let edns = query.edns.as_ref().map_or(String::new(), |edns| format!(" edns={}", edns.max_payload()));
        let ad = if query.metadata.authentic_data { " ad" } else { "" };
        let now = seconds(sys.now());
        say(sys, &format!("> {now} .{server} {proto}{nth} {kind} {name}{edns}{ad}\n"));
        let mut behaviour = self.behaviour(server, &name, &kind);
        let mut at = sys.now();
        if behaviour[0] == "late" {
            at += std::time::Duration::from_secs_f64(behaviour[1].parse().expect("seconds"));
            behaviour.drain(..2);
        }
        if let Some(response) = answer(&query, &behaviour, proto == "tcp") {
            self.later.push_back((at, reply, response));
        }
    }
}

/// The response to a query, by a behaviour's words; `None` if there is none.
fn answer(query: &Message, behaviour: &[String], tcp: bool) -> Option<Message> {
    let mut response = dns::response_to(query);
    response.metadata.recursion_available = true;
    let mut words = behaviour.iter().map(String::as_str);
    match words.next()? {
        "silent" => return None,
        "formerr" => response.metadata.response_code = ResponseCode::FormErr,
        "servfail" => response.metadata.response_code = ResponseCode::ServFail,
        "nxdomain" => response.metadata.response_code = ResponseCode::NXDomain,
        "notimp" => response.metadata.response_code = ResponseCode::NotImp,
        "refused" => response.metadata.response_code = ResponseCode::Refused,
        "lame" => response.metadata.recursion_available = false,
        "tc" => response.metadata.truncation = !tcp,
        "wrong-id" => response.metadata.id ^= 1,
        "wrong-question" => {
            response.queries[0].set_name(name_of("other.test")?);
        }
        _ => {}
    }
    let mut owner: Name = query.queries[0].name().clone();
    while let (Some(kind), Some(value)) = (words.next(), words.next()) {
        let name = || name_of(value).expect("a name");
        let data = match kind {
            "A" => RData::A(A(value.parse::<Ipv4Addr>().expect("an address"))),
            "AAAA" => RData::AAAA(AAAA(value.parse::<Ipv6Addr>().expect("an address"))),
            "PTR" => RData::PTR(PTR(name())),
            _ => RData::CNAME(CNAME(name())),
        };
        response.add_answer(Record::from_rdata(owner.clone(), 60, data));
        if kind == "CNAME" {
            owner = name();
        }
    }
    if response.metadata.truncation {
        response.answers.clear();
    }
    Some(response)
}

impl Program for Responder {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        if !std::mem::replace(&mut self.started, true) {
            self.start(sys);
        }
        for index in 0..self.sockets.len() {
            let (fd, mut socket, server) = self.sockets[index].clone();
            match &mut socket {
                Socket::Udp => {
                    while let Ok(received) = sys.recv(fd, 1 << 16) {
                        let reply = Reply::Udp(fd, received.from);
                        self.query(sys, server, received.from.port(), &received.data, reply);
                    }
                }
                Socket::Listening => {
                    while let Ok((connection, _)) = sys.accept(fd) {
                        self.sockets.push((connection, Socket::Connection(Frames::default()), server));
                    }
                }
                Socket::Connection(_) => {}
            }
        }
        for index in 0..self.sockets.len() {
            let (fd, socket, server) = self.sockets[index].clone();
            let Socket::Connection(mut frames) = socket else { continue };
            while let Ok(received) = sys.recv(fd, 1 << 16) {
                if received.data.is_empty() {
                    sys.close(fd);
                    break;
                }
                frames.push(&received.data);
            }
            let port = sys.peer_addr(fd).map_or(0, |addr| addr.port());
            while let Some(bytes) = frames.take() {
                self.query(sys, server, port, &bytes, Reply::Tcp(fd));
            }
            self.sockets[index].1 = Socket::Connection(frames);
        }
        let now = sys.now();
        let (due, later): (Vec<_>, Vec<_>) = self.later.drain(..).partition(|(at, ..)| *at <= now);
        self.later = later.into();
        for (_, reply, response) in due {
            let bytes = dns::encode(&response).expect("a response");
            // Who asked may be gone.
            let _ = match reply {
                Reply::Udp(fd, to) => sys.send(fd, &bytes, Some(to)),
                Reply::Tcp(fd) => sys.send(fd, &dns::framed(&bytes).expect("short"), None),
            };
        }
        let until = self.later.iter().map(|(at, ..)| *at).min();
        Next::Wait(Wait { fds: self.sockets.iter().map(|(fd, ..)| *fd).collect(), until, ..Wait::default() })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
