//! The CNI plugins give what the real ones gave: `tests/cni/CASE/case.json` is what was asked,
//! `v1.1.1.json` and `v1.9.1.json` what Debian's and upstream's plugins answered, and the state of the
//! node after each step. Lines of IPv6 are left out.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use kube::cni::{self, Release};
use libtest_mimic::{Arguments, Failed, Trial};
use packet::NetnsId;
use regex::{Captures, Regex};
use serde_json::{Value, json};
use trace::{Journeys, Off, Recorder};
use world::{Outcome, World};

/// How long a client waits for an answer in seconds.
const PATIENCE: u32 = 3;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for case in folders(Path::new("tests/cni")) {
        for (file, release) in [("v1.1.1", Release::V1_1), ("v1.9.1", Release::V1_9)] {
            let path = format!("tests/cni/{case}/{file}.json");
            trials.push(Trial::test(format!("{case} {file}"), move || replay(&path, release)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn folders(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("the folder can be listed").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Which MAC addresses come first in order is a matter of chance, and a bridge without an address
/// takes the lowest of its ports': some seed must give exactly the recording.
const SEEDS: u64 = 16;

fn replay(path: &str, release: Release) -> Result<(), Failed> {
    let text = fs::read_to_string(path)?;
    let recording: Value = serde_json::from_str(&text)?;
    let mut first = None;
    for seed in 0..SEEDS {
        match Node::new(release, seed).replay(&recording) {
            Ok(()) => return Ok(()),
            Err(difference) => first = first.or(Some(difference)),
        }
    }
    Err(first.unwrap_or_default().into())
}

/// A node in a namespace of its own, as it was recorded, with the names that the recording gives to
/// what is random.
struct Node {
    world: World,
    release: Release,
    macs: Names,
    veths: Names,
}

impl Node {
    fn new(release: Release, seed: u64) -> Self {
        let mut registry = tools::registry();
        cni::install(&mut registry, release);
        let mut world = World::new(seed);
        let host = world.add_host("hoplab", registry);
        for path in cni::paths(release) {
            world.install_file(host, &path, Vec::new());
        }
        let mut node = Self { world, release, macs: Names::new("MAC"), veths: Names::new("vethHOST") };
        let containers = "c1 c2 c3 c4 c5 c6 c7";
        node.sh(&format!(
            "ip netns add kpc-host; ip netns add kpc-ext
             for c in {containers}; do ip netns add kpc-$c; done
             ip -n kpc-host link add eth0 type veth peer name eth0 netns kpc-ext
             for ns in host ext; do ip -n kpc-$ns link set lo up; ip -n kpc-$ns link set eth0 up; done
             ip -n kpc-host addr add 192.0.2.1/24 dev eth0; ip -n kpc-ext addr add 192.0.2.2/24 dev eth0
             ip -n kpc-host route add default via 192.0.2.2
             ip netns exec kpc-host sysctl -qw net.ipv4.ip_forward=0"
        ));
        node
    }

    fn run<O: trace::Observer>(&mut self, script: &str, obs: &mut O) -> (String, String, i32) {
        let host = self.world.host_by_name("hoplab").expect("the host was made");
        let console = self.world.add_console(host, false);
        self.world.type_input(host, console, None);
        let args = ["sh", "-c", script].map(str::to_owned).to_vec();
        let pid = self.world.spawn(host, NetnsId::INIT, console, args, BTreeMap::new());
        let pid = pid.expect("the shell is installed");
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let outcome = self.world.run_to_exit(host, pid, console, obs, &mut |stream, bytes| match stream {
            world::Stream::Err => err.extend_from_slice(bytes),
            _ => out.extend_from_slice(bytes),
        });
        let Outcome::Exited(status) = outcome else { panic!("`{script}` never ends: {outcome:?}") };
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (text(out), text(err), status)
    }

    fn sh(&mut self, script: &str) -> String {
        self.run(script, &mut Off).0
    }

    fn replay(mut self, recording: &Value) -> Result<(), String> {
        for (index, operation) in recording["operations"].as_array().into_iter().flatten().enumerate() {
            let said = |what: String| format!("operation {index} ({}): {what}", operation["op"]);
            match operation["op"].as_str() {
                Some("PROBE") => self.probe(operation).map_err(said)?,
                Some("SH") => {
                    let (netns, command) = (text(&operation["where"]), text(&operation["command"]));
                    self.sh(&format!("ip netns exec {netns} sh -c '{command}'"));
                }
                _ => {
                    for call in operation["calls"].as_array().into_iter().flatten() {
                        self.call(call).map_err(said)?;
                    }
                }
            }
            // Frames that are on their way arrive.
            self.sh("sleep 1");
            if let Some(after) = operation.get("after").and_then(Value::as_object) {
                for (place, expected) in after {
                    self.compare_state(place, expected).map_err(said)?;
                }
            }
        }
        Ok(())
    }

    fn call(&mut self, call: &Value) -> Result<(), String> {
        let plugin = text(&call["plugin"]);
        let stdin = match &call["stdin"] {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        let stdin = self.macs.restore(&self.veths.restore(&stdin));
        let folder = self.release.folder();
        let mut env = String::new();
        for (name, value) in call["env"].as_object().into_iter().flatten() {
            let value = text(value).replace("/opt/cni/bin", folder);
            env.push_str(&format!("{name}='{value}' "));
        }
        let quoted = stdin.replace('\'', r"'\''");
        let script = format!("printf %s '{quoted}' | env {env} ip netns exec kpc-host {folder}/{plugin}");
        let (out, err, status) = self.run(&script, &mut Off);
        let out = out.replace(folder, "/opt/cni/bin");
        let got: Value = match out.trim() {
            "" => Value::Null,
            out => serde_json::from_str(out).unwrap_or_else(|_| Value::String(out.to_owned())),
        };
        let expected = without_ipv6(call.get("stdout").cloned().unwrap_or_default());
        // The order of keys is that of the recording: the real plugins' own.
        let got = self.name(&got.to_string());
        equal("standard output", &got, &expected.to_string())?;
        equal("standard error", &self.name(&err), &text(&call["stderr"]))?;
        equal("exit status", &status.to_string(), &call["exit_code"].to_string())
    }

    /// Gives what is random its name in the recording.
    fn name(&mut self, text: &str) -> String {
        let text = self.macs.name(text, r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b", |mac| {
            mac.starts_with("01:00:5e") || matches!(mac, "ff:ff:ff:ff:ff:ff" | "00:00:00:00:00:00")
        });
        self.veths.name(&text, r"\bveth[0-9a-f]{8}\b", |_| false)
    }

    fn compare_state(&mut self, place: &str, expected: &Value) -> Result<(), String> {
        if place == "state_files" {
            return self.compare_files(expected);
        }
        let netns = place.rsplit(' ').next().unwrap_or(place);
        for (what, expected) in expected.as_object().into_iter().flatten() {
            let said = |difference: String| format!("{place} {what}: {difference}");
            if what == "bridges" {
                for (bridge, expected) in expected.as_object().into_iter().flatten() {
                    self.compare_bridge(netns, bridge, expected).map_err(said)?;
                }
                continue;
            }
            let command = match what.as_str() {
                "ip_addr" => "ip addr".to_owned(),
                "ip_route" => "ip route".to_owned(),
                "bridge_link" => "bridge -d link".to_owned(),
                "bridge_fdb" => "bridge fdb".to_owned(),
                "iptables_save" => "iptables-save".to_owned(),
                "sysctl" => {
                    let lines = expected.as_array().into_iter().flatten().map(text);
                    let keys: Vec<String> =
                        lines.filter_map(|line| Some(line.split_once(" = ")?.0.to_owned())).collect();
                    format!("sysctl {}", keys.join(" "))
                }
                // Tables of iptables-legacy are there or not by what else ran on the machine.
                "iptables_legacy_save" | "ip6_route" | "ip6tables_save" => continue,
                other => panic!("the recording has a part `{other}`"),
            };
            let got = self.sh(&format!("ip netns exec kpc-{netns} {command}"));
            let got: Vec<String> = got.lines().map(str::to_owned).collect();
            let expected: Vec<String> = expected.as_array().into_iter().flatten().map(text).collect();
            let in_container = place != "host";
            let got = lines(what, got, in_container).join("\n");
            let got = self.name(&got);
            let mut got: Vec<&str> = got.lines().collect();
            let mut expected = lines(what, expected, in_container);
            if what == "bridge_fdb" {
                got.sort_unstable();
                expected.sort_unstable();
            }
            equal("lines", &got.join("\n"), &expected.join("\n")).map_err(said)?;
        }
        Ok(())
    }

    fn compare_bridge(&mut self, netns: &str, bridge: &str, expected: &Value) -> Result<(), String> {
        let shown = self.sh(&format!("ip -n kpc-{netns} -d link show dev {bridge}"));
        let number = |word: &str| -> Option<i64> {
            let mut words = shown.split_whitespace();
            words.find(|w| *w == word)?;
            words.next()?.parse().ok()
        };
        let got = json!({
            "mtu": number("mtu"),
            "promisc_flag": shown.lines().next().is_some_and(|line| line.contains("PROMISC")),
            "promiscuity": number("promiscuity"),
            "vlan_filtering": number("vlan_filtering"),
            "stp_state": number("stp_state"),
        });
        equal(bridge, &got.to_string(), &expected.to_string())
    }

    fn compare_files(&mut self, expected: &Value) -> Result<(), String> {
        let listed = self.sh("for f in /var/lib/cni/*/*/*; do echo $f; done");
        let mut got = serde_json::Map::new();
        for path in listed.lines().filter(|path| !path.contains('*')) {
            got.insert(path.to_owned(), self.sh(&format!("cat {path}")).into());
        }
        let mut got = Value::Object(got);
        let mut expected = expected.clone();
        got.sort_all_objects();
        expected.sort_all_objects();
        equal("files", &got.to_string(), &expected.to_string())
    }

    /// A server in one namespace and a client in another: whether they meet, and whom the server sees.
    fn probe(&mut self, probe: &Value) -> Result<(), String> {
        let (from, server_in) = (text(&probe["from"]), text(&probe["server_in"]));
        let (to, port, server) = (text(&probe["to"]), probe["port"].to_string(), text(&probe["server"]));
        let udp = text(&probe["proto"]) == "UDP";
        let (listen, ask) = match udp {
            true => {
                (format!("udp-echo -listen {server}"), format!("udp-probe -timeout {PATIENCE} {to}:{port}"))
            }
            false => (
                format!("http-echo -listen {server} -text hello"),
                format!("curl -s -m {PATIENCE} http://{to}:{port}/"),
            ),
        };
        let script = format!(
            "ip netns exec kpc-{server_in} {listen} & server=$!; sleep 0.1
             ip netns exec kpc-{from} {ask}; status=$?; kill $server; exit $status"
        );
        let mut recorder = Recorder::default();
        let (out, err, status) = self.run(&script, &mut recorder);
        let journeys = Journeys::new(&recorder.steps);
        let subject = journeys.subjects().into_iter().next().and_then(|id| journeys.trace(id));
        let seen = subject.as_ref().and_then(|trace| trace.last_frame().ip()).map(|ip| ip.src().to_string());
        let got = match status {
            0 => ("connected", seen.unwrap_or_default()),
            _ => ("timeout", "none".to_owned()),
        };
        let expected = (text(&probe["result"]), text(&probe["source_seen"]));
        equal(&format!("probe ({out}{err})"), &format!("{got:?}"), &format!("{expected:?}"))
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn equal(what: &str, got: &str, expected: &str) -> Result<(), String> {
    if got == expected { Ok(()) } else { Err(format!("{what}\n--- expected\n{expected}\n--- got\n{got}\n")) }
}

/// The address `::1` of the loopback plugin's result.
fn without_ipv6(mut value: Value) -> Value {
    if let Some(ips) = value.get_mut("ips").and_then(Value::as_array_mut) {
        ips.retain(|ip| !text(&ip["address"]).contains("::"));
    }
    value
}

/// The lines of a listing that are compared, in the recording's form.
fn lines(what: &str, all: Vec<String>, in_container: bool) -> Vec<String> {
    let re = |pattern: &str| Regex::new(pattern).expect("a valid expression");
    let rules = [
        (re(r"^\d+: "), "N: "),
        (re(r"@if\d+"), "@ifN"),
        // The other end's number means another device here, or none.
        (re(r"^(N: veth\w+)@[^:]+:"), "${1}@ifN:"),
        (re(r",M-DOWN>"), ">"),
        (re(r"link-netns \S+"), "link-netns X"),
        (re(r"link-netnsid \d+"), "link-netns X"),
        (re(r" qlen \d+"), ""),
        (re(r"\[\d+:\d+\]"), "[0:0]"),
    ];
    let mut lines: Vec<String> = Vec::new();
    let mut skipped = false;
    for line in all {
        let line = rules.iter().fold(line, |line, (rule, by)| rule.replace_all(&line, *by).into_owned());
        let line = line.trim_end().to_owned();
        // An address has a second line, with its lifetimes.
        let lifetime = line.trim_start().starts_with("valid_lft");
        skipped = line.trim_start().starts_with("inet6") || skipped && lifetime;
        let comment = what == "iptables_save" && line.starts_with('#');
        // What a bridge learned, it learned from the containers' IPv6 announcements.
        if what == "bridge_fdb" && !line.contains("permanent") {
            continue;
        }
        if !skipped && !comment && !line.starts_with("33:33") && !line.is_empty() {
            lines.push(line);
        }
    }
    // The recorder used its containers again: their lo was as an earlier case had left it.
    if what == "ip_addr" && in_container {
        let from = lines.iter().position(|line| !line.starts_with("N: lo:") && line.starts_with("N:"));
        let lo = lines.first().cloned().unwrap_or_default();
        lines.drain(..from.unwrap_or(lines.len()));
        lines.insert(0, if lo.contains("UP") { "lo up" } else { "lo down" }.to_owned());
    }
    lines
}

/// Names by order of appearance.
struct Names {
    prefix: &'static str,
    known: Vec<String>,
}

impl Names {
    fn new(prefix: &'static str) -> Self {
        Self { prefix, known: Vec::new() }
    }

    fn name(&mut self, text: &str, pattern: &str, leave: impl Fn(&str) -> bool) -> String {
        let pattern = Regex::new(pattern).expect("a valid expression");
        let mut known = std::mem::take(&mut self.known);
        let named = pattern.replace_all(text, |found: &Captures<'_>| {
            let found = &found[0];
            if leave(found) {
                return found.to_owned();
            }
            let index = known.iter().position(|name| name == found).unwrap_or_else(|| {
                known.push(found.to_owned());
                known.len() - 1
            });
            format!("{}{}", self.prefix, index + 1)
        });
        let named = named.into_owned();
        self.known = known;
        named
    }

    /// Puts back what the names stand for.
    fn restore(&self, text: &str) -> String {
        let numbered = self.known.iter().enumerate().rev();
        numbered.fold(text.to_owned(), |text, (index, name)| {
            text.replace(&format!("{}{}", self.prefix, index + 1), name)
        })
    }
}
