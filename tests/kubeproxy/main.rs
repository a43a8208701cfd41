//! kube-proxy's rules in the simulated kernel: what `iptables-save` shows of them, and how recorded
//! connections fare. `tests/kubeproxy/README.md` says what the files are.

#![allow(clippy::expect_used)]

mod case;
mod client;
mod flow;
mod health;
mod lab;
#[path = "../support/machine.rs"]
mod machine;
mod proxy;
mod rules;
mod server;

use std::collections::{BTreeMap, BTreeSet};

use case::{Case, Release, release_of};
use flow::{Agreement, Ending, Flow, Outcome, Proto, Recording};
use kube::proxy::Family;
use lab::Places;
use libtest_mimic::{Arguments, Failed, Trial};
use machine::Machine;
use proxy::{Proxy, Sync};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for case in Case::all() {
        for release in [Release::V1_30, Release::V1_9] {
            if case.has(release) {
                let (name, case) = (format!("{} {}.save", case.name(), release.prefix()), case.clone());
                trials.push(Trial::test(name, move || saves(&case, release)));
            }
        }
        let (name, said) = (format!("{} conntrack, events", case.name()), case.clone());
        trials.push(Trial::test(name, move || commands_and_events(&said)));
        if let Some(recorded) = case.optional("healthcheck.txt") {
            let (name, case) = (format!("{} health checks", case.name()), case.clone());
            trials.push(Trial::test(name, move || {
                let answers = health::answers(&case, &recorded)?;
                Ok(equal("answers", answers.trim_end(), recorded.trim_end())?)
            }));
        }
        if Proxy::is_asked(&case, Family::Ipv6) {
            let (name, case) = (format!("{} rules6", case.name()), case.clone());
            trials.push(Trial::test(name, move || ipv6_texts(&case)));
        }
        for recording in case.recordings() {
            let name = format!("{} {recording}", case.name());
            let ipv6 = read(&case, &recording).flows.iter().filter(|flow| flow.to.is_ipv6()).count();
            if ipv6 > 0 {
                let name = format!("{name}: {ipv6} flows of IPv6, which has no data path");
                trials.push(Trial::test(name, || Ok(())).with_ignored_flag(true));
            }
            let case = case.clone();
            trials.push(Trial::test(name, move || flows(&case, &recording)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// Where a node's rules come from.
enum Rules {
    /// From a proxy.
    Generated(Box<Proxy>),
    /// As recorded; the number of the last sync.
    Recorded(Release, usize),
}

impl Rules {
    fn of(case: &Case, release: Release) -> Self {
        match release {
            Release::V1_30 => Self::Generated(Box::new(Proxy::new(case, Family::Ipv4))),
            Release::V1_9 => Self::Recorded(release, 0),
        }
    }

    /// Brings the next sync into the tables of a namespace.
    fn sync(&mut self, machine: &mut Machine, place: &str, case: &Case) -> Result<Sync, String> {
        let sync = match self {
            Self::Generated(proxy) => proxy.sync(rules::nat_chains(machine, place)?),
            Self::Recorded(release, step) => {
                if *release == Release::V1_9 && *step == 0 {
                    rules::prepare(machine, place)?;
                }
                *step += 1;
                case.recorded(*release, *step)
            }
        };
        rules::apply(machine, place, &sync)?;
        Ok(sync)
    }
}

/// In each sync the proxy writes what was recorded, and afterwards the tables are as recorded.
fn saves(case: &Case, release: Release) -> Result<(), Failed> {
    let mut machine = lab::machine();
    machine.quietly("ip netns add node")?;
    let mut rules = Rules::of(case, release);
    for step in 1..=case.steps() {
        let said = |difference: String| format!("sync {step}, {difference}");
        let sync = rules.sync(&mut machine, "node", case).map_err(said)?;
        let recorded = case.recorded(release, step);
        equal("sysctls", &sync.sysctls.join("\n"), &recorded.sysctls.join("\n")).map_err(said)?;
        equal("jump rules", &sync.ensure.join("\n"), &recorded.ensure.join("\n")).map_err(said)?;
        equal("filter", &sync.filter, &recorded.filter).map_err(said)?;
        equal("nat", &sync.nat, &recorded.nat).map_err(said)?;
        equal("tables", &rules::saved(&mut machine, "node")?, &case.save(release, step)).map_err(said)?;
    }
    Ok(())
}

/// What is written for IPv6 is what was recorded; nothing holds these rules yet.
fn ipv6_texts(case: &Case) -> Result<(), Failed> {
    let sync = Proxy::new(case, Family::Ipv6).sync(BTreeSet::new());
    equal("jump rules", &sync.ensure.join("\n"), &case.text("ensure6.txt"))?;
    equal("filter", &sync.filter, &case.text("rules6.filter"))?;
    equal("nat", &sync.nat, &case.text("rules6.nat"))?;
    Ok(())
}

/// All `conntrack` commands and events of a case are the recorded ones.
fn commands_and_events(case: &Case) -> Result<(), Failed> {
    let (mut commands, mut events) = (String::new(), String::new());
    for family in [Family::Ipv4, Family::Ipv6] {
        let mut proxy = Proxy::new(case, family);
        for _ in (1..=case.steps()).filter(|_| Proxy::is_asked(case, family)) {
            let sync = proxy.sync(BTreeSet::new());
            commands.extend(sync.conntrack.iter().map(|words| format!("conntrack {words}\n")));
            events.extend(sync.events.iter().map(|event| format!("{event}\n")));
        }
    }
    equal("conntrack", &commands, &case.optional("conntrack.txt").unwrap_or_default())?;
    equal("events", &events, &case.optional("events.txt").unwrap_or_default())?;
    Ok(())
}

/// Compares texts line by line.
fn equal(what: &str, got: &str, expected: &str) -> Result<(), String> {
    let (mut ours, mut theirs) = (got.lines(), expected.lines());
    for number in 1.. {
        let (ours, theirs) = (ours.next(), theirs.next());
        if ours != theirs {
            let shown = |line: Option<&str>| line.unwrap_or("<end>").to_owned();
            return Err(format!(
                "{what}, line {number}:\n  kernel {}\n  hoplab {}",
                shown(theirs),
                shown(ours)
            ));
        }
        if ours.is_none() {
            break;
        }
    }
    Ok(())
}

/// Every flow of a recording fares as it did.
fn flows(case: &Case, recording: &str) -> Result<(), Failed> {
    let recorded = read(case, recording);
    let mut lab = Lab::new(case, &recorded)?;
    let mut rules = Rules::of(case, release_of(recording));
    let mut synced = 0;
    let mut wrong = Vec::new();
    for (index, flow) in recorded.flows.iter().enumerate() {
        while synced < flow.step {
            synced += 1;
            rules.sync(&mut lab.machine, &lab.node, case)?;
        }
        if flow.to.is_ipv6() {
            continue;
        }
        let client = lab.client(flow, &recorded.flows).ok_or("nobody has the client's address")?;
        if let Err(difference) = lab.check(flow, &client) {
            wrong.push(format!("flow {index}: {difference}"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

fn read(case: &Case, recording: &str) -> Recording {
    let file = format!("{recording}.json");
    serde_json::from_str(&case.text(&file)).unwrap_or_else(|error| panic!("{} {file}: {error}", case.name()))
}

/// Attempts to draw the backends that a sticky client, or one that gave up, was recorded with.
const DRAWS: u32 = 256;

/// How often the recorded number of tries is repeated until each backend has been drawn.
const ROUNDS: u32 = 8;

/// The machine of a recording, and who is who on it.
struct Lab {
    machine: Machine,
    places: Places,
    /// The node's namespace.
    node: String,
    /// The services whose clients keep their backend.
    sticky: BTreeSet<String>,
}

impl Lab {
    fn new(case: &Case, recorded: &Recording) -> Result<Self, Failed> {
        let mut machine = lab::machine();
        let places = lab::set_up(&mut machine, &recorded.lab.setup)?;
        let own = *recorded.lab.node.ips.first().ok_or("a node has an address")?;
        let node = places.get(&own).ok_or("the node has a namespace")?.clone();
        let mut script = String::new();
        for (ip, ports) in case.endpoints() {
            let Some(place) = places.get(&ip).filter(|_| ip.is_ipv4()) else { continue };
            let ports: Vec<String> = ports
                .iter()
                .filter(|(proto, _)| proto != "sctp")
                .map(|(proto, addr)| format!("{proto} {addr}"))
                .collect();
            script.push_str(&format!("ip netns exec {place} flow-server {} &\n", ports.join(" ")));
        }
        script.push_str("sleep 1\n");
        machine.quietly(&script)?;
        Ok(Self { machine, places, node, sticky: case.sticky_services() })
    }

    /// The namespace of a flow's client. A flow without an address has its role's.
    fn client(&self, flow: &Flow, all: &[Flow]) -> Option<String> {
        let role = |other: &&Flow| other.from.role == flow.from.role && other.from.ip.is_some();
        let ip = flow.from.ip.or_else(|| all.iter().find(role)?.from.ip)?;
        if ip.is_loopback() { Some(self.node.clone()) } else { self.places.get(&ip).cloned() }
    }

    /// Whether a flow fares as it did.
    fn check(&mut self, flow: &Flow, client: &str) -> Result<(), String> {
        let sticky = flow.service.as_ref().is_some_and(|service| self.sticky.contains(service));
        let before = (sticky || flow.given_up()).then(|| self.machine.clone());
        let mut got = self.drive(flow, client)?;
        if let Some(before) = before {
            for draw in 1..DRAWS {
                if flow.compare(&got) != Agreement::Other {
                    break;
                }
                self.machine = before.clone();
                self.roll_dice(draw)?;
                got = self.drive(flow, client)?;
            }
        }
        for _ in 1..ROUNDS {
            if flow.compare(&got) != Agreement::Part {
                break;
            }
            for (outcome, count) in self.drive(flow, client)? {
                *got.entry(outcome).or_default() += count;
            }
        }
        if flow.compare(&got) == Agreement::Same {
            return Ok(());
        }
        let got: Vec<(u32, &Outcome)> = got.iter().map(|(outcome, count)| (*count, outcome)).collect();
        let expected = serde_json::to_string(&flow.outcomes).unwrap_or_default();
        let got = serde_json::to_string(&got).unwrap_or_default();
        Err(format!("{flow}\n  kernel {expected}\n  hoplab {got}"))
    }

    /// Rolls the dice of the node's rules a number of times, to no other effect.
    fn roll_dice(&mut self, times: u32) -> Result<(), String> {
        let rule = "OUTPUT -d 127.0.0.1 -p icmp -m statistic --mode random --probability 0.5";
        let node = format!("ip netns exec {}", self.node);
        let script = format!(
            "{node} iptables -t raw -I {rule}
             {node} ping -qc{times} -i0.01 127.0.0.1 > /dev/null
             {node} iptables -t raw -D {rule}"
        );
        self.machine.quietly(&script).map(|_| ())
    }

    /// Lets a flow's client try as often as the recorder's did.
    fn drive(&mut self, flow: &Flow, client: &str) -> Result<BTreeMap<Outcome, u32>, String> {
        let mut got = BTreeMap::new();
        if flow.proto == Proto::Icmp {
            let ran = self.machine.run(&format!("ip netns exec {client} ping -qnc1 -W1 {}", flow.to));
            let ending = if ran.status == 0 { Ending::Reply } else { Ending::Timeout };
            got.insert(Outcome::plain(ending), 1);
            return Ok(got);
        }
        let proto = if flow.proto == Proto::Udp { "udp" } else { "tcp" };
        let port = flow.port.ok_or("a connection needs a port")?;
        let command = format!("ip netns exec {client} flow-client {proto} {}:{port} {}", flow.to, flow.tries);
        for line in self.machine.quietly(&command)?.lines() {
            let outcome: Outcome = serde_json::from_str(line).map_err(|error| error.to_string())?;
            *got.entry(outcome).or_default() += 1;
        }
        Ok(got)
    }
}
