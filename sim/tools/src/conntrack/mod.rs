//! `conntrack` 1.4.7.
//!
//! [`options`] reads a command line, [`run`](self) carries it out, [`output`] prints connections,
//! [`events`] listens.

mod events;
mod options;
mod output;

use kernel::request::{Reply, Request};
use kernel::{Errno, Refusal};
use netfilter::conntrack::{
    Conn, ConnSpec, ConnUpdate, Conntrack, ConntrackChange, ConntrackFilter, Zone, ZoneDir,
};
use packet::{L4Key, Proto, SimTime, Tuple};
use world::{Args, Next, Program, Registry, Signal, Sys};

use crate::console::{Console, Stop};
use events::Listener;
use options::{Command, Parsed, Table, parse};

/// Installs `conntrack`.
pub fn install(registry: &mut Registry) {
    registry.install("conntrack", |args| Box::new(Tool { args, listener: None }));
}

const NAME: &str = "conntrack v1.4.7 (conntrack-tools)";
const USAGE: &str = include_str!("usage.txt");

fn refuse<T>(text: impl AsRef<str>) -> Result<T, Stop> {
    let tail = "Try `conntrack -h' or 'conntrack --help' for more information.\n";
    Err(Stop::text(2, format!("{NAME}: {}\n{tail}", text.as_ref())))
}

fn failed<T>(text: &str) -> Result<T, Stop> {
    Err(Stop::exit(1, format!("{NAME}: Operation failed: {text}")))
}

/// The command; with `-E` it listens until it is ended.
#[derive(Clone, Debug)]
struct Tool {
    args: Args,
    listener: Option<Listener>,
}

impl Program for Tool {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        if let Some(listener) = &mut self.listener {
            return listener.turn(sys);
        }
        let words = self.args.get(1..).unwrap_or_default();
        match parse(words) {
            Ok(parsed) if parsed.command == Command::Event && parsed.table == Table::Conntrack => {
                match Listener::open(sys, parsed) {
                    Ok(listener) => self.listener.insert(listener).turn(sys),
                    Err(status) => Next::Exit(status),
                }
            }
            parsed => {
                let mut console = Console::new(sys);
                let outcome = parsed.and_then(|parsed| run(&mut console, &parsed));
                Next::Exit(console.finish(outcome))
            }
        }
    }

    fn signal(&mut self, sys: &mut dyn Sys, signal: Signal) -> Next {
        match (&mut self.listener, signal) {
            (Some(listener), Signal::Int | Signal::Term) => listener.end(sys),
            (_, signal) => Next::Exit(128 + signal.number()),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

fn run(console: &mut Console<'_>, parsed: &Parsed) -> Result<i32, Stop> {
    console.error(&parsed.warning);
    let expect = parsed.table == Table::Expect;
    match parsed.command {
        Command::List if parsed.table != Table::Conntrack => {
            let what = if expect { "expectations" } else { "flow entries" };
            console.error(&format!("{NAME}: 0 {what} have been shown.\n"));
            Ok(0)
        }
        Command::List => list(console, parsed),
        Command::Delete => delete(console, parsed),
        Command::Create | Command::Add => create(console, parsed),
        Command::Update => update(console, parsed),
        Command::Get => get(console, parsed),
        Command::Flush if expect => {
            console.error(&format!("{NAME}: expectation table has been emptied.\n"));
            Ok(0)
        }
        Command::Flush => {
            let _ = change(console, ConntrackChange::Flush);
            console.error(&format!("{NAME}: connection tracking table has been emptied.\n"));
            Ok(0)
        }
        Command::Count => {
            let count = if expect { 0 } else { table(console.sys).map_or(0, Conntrack::count) };
            console.line(&count.to_string());
            Ok(0)
        }
        Command::Stats => {
            stats(console, expect);
            Ok(0)
        }
        Command::Event => {
            console.error(&format!("{NAME}: events of expectations are not simulated\n"));
            Ok(1)
        }
        Command::Version => {
            console.line(NAME);
            Ok(0)
        }
        Command::None | Command::Help => {
            console.out(USAGE);
            if let Some(proto) = parsed.filter.proto {
                console.out(&proto_help(proto));
            }
            Ok(0)
        }
    }
}

/// The table of this process's namespace.
fn table(sys: &dyn Sys) -> Option<&Conntrack> {
    let netns = sys.netns();
    sys.kernel().get_ns(netns)?.netfilter.conntrack()
}

fn change(console: &mut Console<'_>, change: ConntrackChange) -> Result<Reply, Refusal> {
    let netns = console.sys.netns();
    console.sys.request(netns, Request::Conntrack(change))
}

/// The connections that fit, oldest first.
fn fitting(sys: &dyn Sys, parsed: &Parsed) -> Vec<Conn> {
    let now = sys.now();
    let fits = |conn: &&Conn| parsed.filter.matches(conn);
    table(sys).map_or_else(Vec::new, |table| table.iter(now).filter(fits).cloned().collect())
}

fn list(console: &mut Console<'_>, parsed: &Parsed) -> Result<i32, Stop> {
    if parsed.filter.status.is_some_and(|status| status.mask == 0) {
        return failed("invalid parameters");
    }
    // A dump evicts what has expired.
    let _ = change(console, ConntrackChange::Expire);
    let conns = fitting(console.sys, parsed);
    if parsed.output.xml && !conns.is_empty() {
        console.out(output::XML_HEAD);
    }
    for conn in &conns {
        let line = output::entry(console.sys, &parsed.output, conn, 1);
        console.line(&line);
    }
    if parsed.output.xml && !conns.is_empty() {
        console.line(output::XML_TAIL);
        console.flush();
    }
    // With a filter the kernel zeroes nothing.
    if parsed.zero && parsed.filter == ConntrackFilter::default() {
        let _ = change(console, ConntrackChange::Zero(Box::new(parsed.filter.clone())));
    }
    console.error(&format!("{NAME}: {} flow entries have been shown.\n", conns.len()));
    Ok(0)
}

fn delete(console: &mut Console<'_>, parsed: &Parsed) -> Result<i32, Stop> {
    if parsed.filter.status.is_some_and(|status| status.mask == 0) {
        return failed("invalid parameters");
    }
    let conns = fitting(console.sys, parsed);
    let _ = change(console, ConntrackChange::Delete(Box::new(parsed.filter.clone())));
    for conn in &conns {
        let line = output::entry(console.sys, &parsed.output, conn, 1);
        console.line(&line);
    }
    console.error(&format!("{NAME}: {} flow entries have been deleted.\n", conns.len()));
    Ok(i32::from(conns.is_empty()))
}

/// What `-I` and `-U` set.
fn settings(parsed: &Parsed, mark: Option<(u32, u32)>) -> ConnUpdate {
    ConnUpdate {
        timeout: parsed.timeout,
        status: parsed.new_status(),
        mark,
        state: parsed.filter.state.clone(),
    }
}

fn create(console: &mut Console<'_>, parsed: &Parsed) -> Result<i32, Stop> {
    let (original, reply) = parsed.tuples();
    let portless = |tuple: &Tuple| matches!(tuple.l4, L4Key::Ports { src: 0, dst: 0 });
    let (original, reply) = match (original, reply) {
        (Some(original), Some(reply)) if portless(&reply) != portless(&original) => {
            return failed("invalid parameters");
        }
        (Some(original), reply) => (original, reply),
        (None, Some(reply)) => (netfilter::conntrack::invert(&reply), Some(reply)),
        (None, None) => return refuse("you have to specify `--src' and `--dst'"),
    };
    let [zone, orig_zone, reply_zone] = parsed.filter.zones;
    let zone = match (zone, orig_zone, reply_zone) {
        (Some(id), ..) => Zone { id, dir: ZoneDir::Both },
        (None, Some(id), _) => Zone { id, dir: ZoneDir::Original },
        (None, None, Some(id)) => Zone { id, dir: ZoneDir::Reply },
        (None, None, None) => Zone::default(),
    };
    let to = |to: Option<netfilter::conntrack::NatTo>, is_source: bool| {
        let to = to?;
        let (addr, port) = (to.addr?, to.port.unwrap_or(0));
        let mut tuple = original;
        let ports = match original.l4 {
            L4Key::Ports { .. } if is_source => L4Key::Ports { src: port, dst: 0 },
            L4Key::Ports { .. } => L4Key::Ports { src: 0, dst: port },
            other => other,
        };
        tuple.l4 = ports;
        if is_source {
            tuple.src = addr;
        } else {
            tuple.dst = addr;
        }
        Some(tuple)
    };
    let nat = [to(parsed.filter.nat.src, true), to(parsed.filter.nat.dst, false)];
    let mark = parsed.filter.mark.map(|(mark, _)| (mark, u32::MAX));
    let spec = ConnSpec { original, reply, nat, zone, update: settings(parsed, mark) };
    let made = change(console, ConntrackChange::Create(Box::new(spec)));
    let adds = parsed.command == Command::Add;
    let count = match made {
        Ok(_) => 1,
        Err(Refusal { errno: Errno::Exist, .. }) if adds => 0,
        Err(Refusal { errno: Errno::Exist, .. }) => {
            return failed("Such conntrack exists, try -U to update");
        }
        Err(Refusal { errno: Errno::Inval, .. }) => return failed("invalid parameters"),
        Err(Refusal { errno, .. }) => return failed(&errno.to_string()),
    };
    let verb = if adds { "added" } else { "created" };
    console.error(&format!("{NAME}: {count} flow entries have been {verb}.\n"));
    Ok(0)
}

fn update(console: &mut Console<'_>, parsed: &Parsed) -> Result<i32, Stop> {
    // What is set isn't what is looked for.
    let mut wanted = parsed.clone();
    (wanted.filter.mark, wanted.filter.status, wanted.filter.state) = (None, None, None);
    let settings = settings(parsed, parsed.filter.mark);
    let mut updated = 0;
    for conn in fitting(console.sys, &wanted) {
        let unchanged = settings.timeout.is_none()
            && settings.status.is_none_or(|status| conn.status() & status == status)
            && settings.mark.is_none_or(|(mark, mask)| conn.mark & !mask | mark == conn.mark)
            && settings.state.as_deref().is_none_or(|state| conn.state_name() == Some(state));
        if unchanged {
            continue;
        }
        // Without an address the tool names no family, which the kernel doesn't take.
        if !parsed.names_family() {
            console.error("Operation failed: Operation not supported\n");
            return failed("Operation not supported");
        }
        let one = Box::new(ConntrackFilter::of_conn(&conn));
        if settings.timeout.is_some() && conn.fixed_timeout {
            // Kernel: `ctnetlink_change_timeout` answers EPERM.
            let text = "sorry, you must be root or get CAP_NET_ADMIN capability to do this";
            console.error(&format!("Operation failed: {text}\n"));
        } else if let Err(refusal) = change(console, ConntrackChange::Update(one, Box::new(settings.clone())))
        {
            console.error(&format!("Operation failed: {}\n", refusal.errno));
        }
        let now = console.sys.now();
        let changed =
            table(console.sys).and_then(|table| table.iter(now).find(|other| other.id == conn.id).cloned());
        if let Some(conn) = changed {
            let line = output::entry(console.sys, &parsed.output, &conn, 2);
            console.line(&line);
            updated += 1;
        }
    }
    console.error(&format!("{NAME}: {updated} flow entries have been updated.\n"));
    Ok(i32::from(updated == 0))
}

fn get(console: &mut Console<'_>, parsed: &Parsed) -> Result<i32, Stop> {
    let (original, reply) = parsed.tuples();
    if original.is_none() {
        return failed("invalid parameters");
    }
    let now: SimTime = console.sys.now();
    let zone = parsed.filter.zones[0].unwrap_or(0);
    let found = table(console.sys).and_then(|table| {
        table
            .iter(now)
            .find(|conn| {
                let has = |tuple: &Option<Tuple>| {
                    tuple.is_some_and(|tuple| conn.original == tuple || conn.reply == tuple)
                };
                conn.zone.id == zone && (has(&original) || has(&reply))
            })
            .cloned()
    });
    let Some(conn) = found else { return failed("such conntrack doesn't exist") };
    let line = output::entry(console.sys, &parsed.output, &conn, 2);
    console.line(&line);
    console.error(&format!("{NAME}: 1 flow entries have been shown.\n"));
    Ok(0)
}

/// The counters of both processors; the second one is idle.
fn stats(console: &mut Console<'_>, expect: bool) {
    let first = table(console.sys).map_or_else(Default::default, |table| table.stats);
    for (cpu, stats) in [first, Default::default()].into_iter().enumerate() {
        console.line(&if expect {
            format!("cpu={cpu}   \texpect_new=0 expect_create=0 expect_delete=0 ")
        } else {
            format!(
                "cpu={cpu}   \tfound={} invalid={} insert={} insert_failed={} drop={} early_drop={} error={} \
                 search_restart=0 clash_resolve={} chaintoolong=0 ",
                stats.found,
                stats.invalid,
                stats.insert,
                stats.insert_failed,
                stats.drop,
                stats.early_drop,
                stats.error,
                stats.clash_resolve,
            )
        });
    }
}

/// `-h -p PROTO`. conntrack-tools: `extension_help`.
fn proto_help(proto: Proto) -> String {
    const PORTS: &str = "  --orig-port-src\t\toriginal source port\n\
        \x20 --orig-port-dst\t\toriginal destination port\n\
        \x20 --reply-port-src\t\treply source port\n\
        \x20 --reply-port-dst\t\treply destination port\n\
        \x20 --mask-port-src\t\tmask source port\n\
        \x20 --mask-port-dst\t\tmask destination port\n\
        \x20 --tuple-port-src\t\texpectation tuple src port\n\
        \x20 --tuple-port-src\t\texpectation tuple dst port\n";
    match proto {
        Proto::TCP => format!("Proto `tcp' help:\n{PORTS}  --state\t\t\tTCP state, fe. ESTABLISHED\n"),
        Proto::UDP => format!("Proto `udp' help:\n{PORTS}"),
        Proto::ICMP => "Proto `icmp' help:\n  --icmp-type\t\t\ticmp type\n\
                        \x20 --icmp-code\t\t\ticmp code\n  --icmp-id\t\t\ticmp id\n"
            .to_owned(),
        other => format!("Proto `{}' help is not simulated\n", netfilter::conntrack::protocol_name(other)),
    }
}

/// Whether a protocol's packets have ports.
const fn has_ports(proto: Proto) -> bool {
    matches!(proto, Proto::TCP | Proto::UDP | Proto::SCTP | Proto(33) | Proto(136))
}
