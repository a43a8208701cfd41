//! The networks of `topologies/` boot without a warning and pass packets; so does whatever is made
//! of shapes, and nothing moves in it when something is added.

#![allow(clippy::expect_used)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use lab::{Lab, Topology};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use trace::Off;

/// Runs a command on a host of a topology; what it printed.
fn run(lab: &mut Lab, on: &str, command: &str) -> String {
    let spot = lab.locate(on).expect("the host is there");
    let (output, _) = lab.run_command(&spot, command, &mut Off).expect("the command ends");
    output
}

#[test]
fn every_topology_boots_without_a_warning() {
    for file in support::files(Path::new("topologies"), "ron") {
        let lab = Lab::load(&file, 0).unwrap_or_else(|error| panic!("{error}"));
        let warnings: Vec<String> = lab.warnings.iter().map(ToString::to_string).collect();
        assert!(warnings.is_empty(), "{}", warnings.join("\n"));
    }
}

#[test]
fn packets_pass() {
    // Topology, where a command is typed, the command, and what its output holds.
    let cases = [
        ("three-routers", "h1", "ping -c 1 10.3.0.10", "ttl=62"),
        ("three-routers", "h2", "ping -c 1 10.1.0.10", "ttl=62"),
        ("three-routers", "h3", "traceroute -n 10.2.0.10", " 2  10.0.23.2 "),
        ("three-routers", "h1", "ping -c 1 10.0.23.3", "1 received"),
        ("bridge-lan", "node1/pod4", "ping -c 1 10.244.0.6", "ttl=64"),
        ("bridge-lan", "node1/pod5", "ping -c 1 10.244.0.1", "1 received"),
        ("bridge-lan", "node1", "ping -c 1 10.244.0.5", "1 received"),
        ("vxlan-pair", "node1", "ping -c 1 10.244.0.2", "ttl=64"),
        ("vxlan-pair", "node2", "ip neigh show dev vxlan1", "10.244.0.1 lladdr 0a:00:00:00:01:00 PERMANENT"),
        ("vxlan-pair", "node1", "ip -br link show vxlan1", "0a:00:00:00:01:00"),
    ];
    for (topology, on, command, expected) in cases {
        let file = Path::new("topologies").join(format!("{topology}.ron"));
        let mut lab = Lab::load(&file, 0).unwrap_or_else(|error| panic!("{error}"));
        let output = run(&mut lab, on, command);
        assert!(output.contains(expected), "{topology}: {on}$ {command}\n{output}");
    }
}

/// A folder of this test's own.
fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("hoplab-topologies-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    folder
}

/// Writes a topology into a folder of this test's own, and reads it.
fn read(name: &str, text: &str) -> (PathBuf, Topology) {
    let file = folder().join(name);
    fs::write(&file, text).expect("the file can be written");
    let topology = Topology::read(&file).unwrap_or_else(|error| panic!("{error}\n{text}"));
    (file, topology)
}

/// MAC and addresses of each NIC.
fn addresses(topology: &Topology) -> BTreeMap<String, String> {
    let nics = topology.hosts.iter().flat_map(|(host, spec)| {
        spec.nics
            .iter()
            .map(move |(nic, spec)| (format!("{host}:{nic}"), format!("{} {:?}", spec.mac, spec.addresses)))
    });
    nics.collect()
}

/// The hosts, segments, links and shapes of a topology, as lines of its file.
#[derive(Clone, Debug, Default)]
struct Parts {
    hosts: Vec<String>,
    segments: Vec<String>,
    links: Vec<String>,
    shapes: Vec<String>,
}

impl Parts {
    fn text(&self) -> String {
        let Self { hosts, segments, links, shapes } = self;
        let list =
            |items: &[String]| items.iter().map(|item| format!("        {item},\n")).collect::<String>();
        format!(
            "Topology(\n    hosts: {{\n{}    }},\n    segments: {{\n{}    }},\n    links: [\n{}    ],\n    shapes: {{\n{}    }},\n)\n",
            list(hosts),
            list(segments),
            list(links),
            list(shapes)
        )
    }

    /// Another host on a segment and on a cable to another.
    fn append(&mut self, n: usize, ports: &[String]) {
        self.hosts.push(format!("\"late{n}\": Host(nics: {{\"eth0\": \"auto\", \"eth1\": \"auto\"}})"));
        self.hosts.push(format!("\"later{n}\": Host(nics: {{\"eth0\": \"auto\"}})"));
        self.links.push(format!("\"late{n}:eth1 -- later{n}:eth0\""));
        let ports: String = ports.iter().map(|port| format!("{port:?}, ")).collect();
        self.segments.push(format!("\"lan{n}\": [{ports}\"late{n}:eth0\"]"));
    }
}

/// Shapes, and plain hosts on a segment or linked to a host of a shape.
fn parts() -> impl Strategy<Value = Parts> {
    let shape = prop_oneof![
        (1..6usize).prop_map(|n| format!("Line({n})")),
        (1..5usize).prop_map(|n| format!("Star({n})")),
        (1..3usize, 1..4usize).prop_map(|(d, f)| format!("Tree(depth: {d}, fanout: {f})")),
    ];
    let hosts = prop::collection::vec((any::<bool>(), 0..4usize), 0..12);
    (prop::collection::vec(shape, 1..4), hosts).prop_map(|(shapes, hosts)| {
        let mut parts = Parts::default();
        let mut lan = Vec::new();
        for (i, (linked, to)) in hosts.iter().enumerate() {
            parts.hosts.push(format!("\"h{i}\": Host(nics: {{\"eth0\": \"auto\"}})"));
            // The first host of a line is numbered, the middle of another shape is not.
            let shape = to % shapes.len();
            let first =
                if shapes[shape].starts_with("Line") { format!("s{shape}-1") } else { format!("s{shape}-") };
            match linked {
                true => parts.links.push(format!("\"h{i}:eth0 -- {first}:eth{}\"", 10 + i)),
                false => lan.push(format!("\"h{i}:eth0\"")),
            }
        }
        parts.segments.push(format!("\"lan\": [{}]", lan.join(", ")));
        let shapes = shapes.iter().enumerate();
        parts.shapes.extend(shapes.map(|(i, shape)| format!("\"s{i}-\": {shape}")));
        parts
    })
}

#[test]
fn what_is_appended_moves_nothing() {
    let mut runner = TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
    let done = runner.run(&parts(), |mut parts| {
        let (_, topology) = read("grows.ron", &parts.text());
        topology.warnings().unwrap_or_else(|error| panic!("{error}"));
        topology.build(0).unwrap_or_else(|error| panic!("{error}"));
        let before = addresses(&topology);
        for n in 0..3 {
            parts.append(n, &[]);
            let (_, topology) = read("grows.ron", &parts.text());
            let after = addresses(&topology);
            for (nic, had) in &before {
                prop_assert_eq!(after.get(nic), Some(had), "{}", nic);
            }
        }
        Ok(())
    });
    done.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_damaged_file_is_refused_or_read_and_never_a_panic() {
    let mut texts: Vec<String> = Vec::new();
    for folder in ["topologies", "tests/broken/topologies"] {
        let files = support::files(Path::new(folder), "ron");
        texts.extend(files.iter().map(|file| fs::read_to_string(file).expect("the file can be read")));
    }
    let piece = prop_oneof![
        "[(){}\\[\\],:\"'\\\\/#rb0-9x@. \n-]{1,4}",
        Just("/*".to_owned()),
        Just("\u{e9}\u{4e2d}".to_owned()),
        Just(String::new()),
    ];
    let damage = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..6usize, piece);
    let mut runner = TestRunner::new(Config { cases: 512, failure_persistence: None, ..Config::default() });
    let done = runner.run(&damage, |(which, at, cut, piece)| {
        let text = which.get(&texts);
        let chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len() + 1);
        let rest = chars.get((at + cut).min(chars.len())..).unwrap_or(&[]);
        let damaged: String =
            chars[..at].iter().copied().chain(piece.chars()).chain(rest.iter().copied()).collect();
        let folder = folder();
        let file = folder.join("damaged.ron");
        fs::write(&file, &damaged).expect("the file can be written");
        if let Err(error) = Topology::read(&file) {
            if let Some(place) = &error.place {
                let line = damaged.lines().nth(place.line - 1).unwrap_or("");
                prop_assert!(place.column <= line.chars().count() + 1, "{}", error);
            }
            prop_assert!(!error.to_string().is_empty());
        }
        Ok(())
    });
    done.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn hosts_of_shapes_reach_each_other() {
    let text = r#"Topology(
        hosts: {"pc": Host(nics: {"eth0": "auto"}, gateway: "r1")},
        links: ["pc:eth0 -- r1:eth8", "r3:eth9 -- star:eth9", "star2:eth9 -- tree1-2:eth9"],
        shapes: {"r": Line(3), "star": Star(2), "tree": Tree(depth: 2, fanout: 2)},
    )"#;
    let (file, topology) = read("shapes.ron", text);
    let mut lab = Lab::load(&file, 0).unwrap_or_else(|error| panic!("{error}"));
    let mut all = 0;
    for from in topology.hosts.keys() {
        for (to, host) in &topology.hosts {
            for nic in host.nics.values() {
                let to_address = nic.addresses[0].addr();
                let output = run(&mut lab, from, &format!("ping -c 1 -W 1 {to_address}"));
                assert!(output.contains("1 received"), "{from} to {to}: {output}");
                all += 1;
            }
        }
    }
    assert_eq!(all, 14 * 26);
}
