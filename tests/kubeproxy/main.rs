//! kube-proxy's rules in the simulated kernel: what `iptables-save` shows of them, and how recorded
//! connections fare. `tests/kubeproxy/README.md` says what the files are.

#![allow(clippy::expect_used)]

mod case;
mod client;
mod flow;
mod lab;
mod rules;
mod server;

use std::collections::BTreeMap;

use case::{Case, Release, release_of};
use flow::{Agreement, Flow, Outcome, Proto, Recording};
use lab::Machine;
use libtest_mimic::{Arguments, Failed, Trial};

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
        for recording in case.recordings() {
            let (name, case) = (format!("{} {recording}", case.name()), case.clone());
            trials.push(Trial::test(name, move || flows(&case, &recording)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// After each sync the tables are what was recorded.
fn saves(case: &Case, release: Release) -> Result<(), Failed> {
    let mut machine = Machine::new();
    machine.quietly("ip netns add node")?;
    for step in 1..=case.steps() {
        rules::sync(&mut machine, "node", case, release, step)?;
        let (got, expected) = (rules::saved(&mut machine, "node")?, case.save(release, step));
        for (number, (got, expected)) in got.lines().zip(expected.lines()).enumerate() {
            if got != expected {
                return Err(format!("sync {step}, line {}:\n  kernel {expected}\n  hoplab {got}", number + 1).into());
            }
        }
        if got.lines().count() != expected.lines().count() {
            return Err(format!("sync {step}: one is longer").into());
        }
    }
    Ok(())
}

/// Every flow of a recording fares as it did.
fn flows(case: &Case, recording: &str) -> Result<(), Failed> {
    let release = release_of(recording);
    let recorded: Recording = serde_json::from_str(&case.text(&format!("{recording}.json")))?;
    let mut lab = Lab::new(case, release, recorded)?;
    let flows = std::mem::take(&mut lab.recorded.flows);
    let mut synced = 0;
    let mut wrong = Vec::new();
    for (index, flow) in flows.iter().enumerate() {
        while synced < flow.step {
            synced += 1;
            rules::sync(&mut lab.machine, &lab.node.clone(), case, release, synced)?;
        }
        if flow.to.is_ipv6() {
            continue;
        }
        if let Err(difference) = lab.check(flow, &flows) {
            wrong.push(format!("flow {index}: {difference}"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

/// Attempts to draw the backends that a sticky client, or one that gave up, was recorded with.
const DRAWS: u32 = 256;

/// How often the recorded number of tries is repeated until each backend has been drawn.
const ROUNDS: u32 = 8;

/// The machine of a recording, and who is who on it.
struct Lab {
    machine: Machine,
    recorded: Recording,
    node: String,
    sticky: std::collections::BTreeSet<String>,
}

impl Lab {
    fn new(case: &Case, _release: Release, recorded: Recording) -> Result<Self, Failed> {
        let mut machine = Machine::new();
        machine.set_up(&recorded.lab.setup)?;
        let own = *recorded.lab.node.ips.first().ok_or("a node has an address")?;
        let node = machine.place(own).ok_or("the node has a namespace")?.to_owned();
        let mut script = String::new();
        for (ip, ports) in case.endpoints() {
            let Some(place) = machine.place(ip).filter(|_| ip.is_ipv4()) else { continue };
            let ports: Vec<String> = ports
                .iter()
                .filter(|(proto, _)| proto != "sctp")
                .map(|(proto, addr)| format!("{proto} {addr}"))
                .collect();
            script.push_str(&format!("ip netns exec {place} flow-server {} &\n", ports.join(" ")));
        }
        script.push_str("sleep 1\n");
        machine.quietly(&script)?;
        Ok(Self { machine, recorded, node, sticky: case.sticky_services() })
    }

    fn check(&mut self, flow: &Flow, all: &[Flow]) -> Result<(), String> {
        let sticky = flow.service.as_ref().is_some_and(|service| self.sticky.contains(service));
        let before = (sticky || flow.given_up()).then(|| self.machine.clone());
        let mut got = self.drive(flow, all)?;
        for draw in 1..DRAWS {
            let Some(before) = before.as_ref().filter(|_| flow.compare(&got) == Agreement::Other) else { break };
            self.machine = before.clone();
            self.roll_dice(draw)?;
            got = self.drive(flow, all)?;
        }
        for _ in 1..ROUNDS {
            if flow.compare(&got) != Agreement::Part {
                break;
            }
            for (outcome, count) in self.drive(flow, all)? {
                *got.entry(outcome).or_default() += count;
            }
        }
        if flow.compare(&got) == Agreement::Same {
            return Ok(());
        }
        Err(format!(
            "{:?} {} > {}:{} {:?} {}\n  kernel {}\n  hoplab {}",
            flow.proto,
            flow.from.ip.map_or(flow.from.role.clone(), |ip| format!("{} {ip}", flow.from.role)),
            flow.to,
            flow.port.unwrap_or_default(),
            flow.service.as_deref().unwrap_or_default(),
            flow.step,
            serde_json::to_string(&flow.outcomes).unwrap_or_default(),
            serde_json::to_string(&got.iter().map(|(o, n)| (n, o)).collect::<Vec<_>>()).unwrap_or_default(),
        ))
    }

    /// Rolls the dice of the node's rules a number of times, to no other effect.
    fn roll_dice(&mut self, times: u32) -> Result<(), String> {
        let rule = "OUTPUT -d 127.0.0.1 -p icmp -m statistic --mode random --probability 0.5";
        self.machine.quietly(&format!(
            "ip netns exec {0} sh -c 'iptables -t raw -I {rule}; ping -qc{times} -i0.01 127.0.0.1 > /dev/null; iptables -t raw -D {rule}'",
            self.node
        ))?;
        Ok(())
    }

    /// The namespace of a flow's client. A flow without an address has its role's.
    fn client(&self, flow: &Flow, all: &[Flow]) -> Option<String> {
        let role = |other: &&Flow| other.from.role == flow.from.role && other.from.ip.is_some();
        let ip = flow.from.ip.or_else(|| all.iter().find(role)?.from.ip)?;
        if ip.is_loopback() { Some(self.node.clone()) } else { self.machine.place(ip).map(str::to_owned) }
    }

    /// Lets a flow's client try as often as the recorder's did.
    fn drive(&mut self, flow: &Flow, all: &[Flow]) -> Result<BTreeMap<Outcome, u32>, String> {
        let client = self.client(flow, all).ok_or("nobody has the client's address")?;
        let mut got = BTreeMap::new();
        if flow.proto == Proto::Icmp {
            let ran = self.machine.run(&format!("ip netns exec {client} ping -qnc1 -W1 {}", flow.to));
            let ending = if ran.status == 0 { flow::Ending::Reply } else { flow::Ending::Timeout };
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
