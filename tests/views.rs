//! What machines read: JSON keeps to its published schema, dot is read by Graphviz.

#![allow(clippy::expect_used, clippy::print_stderr)]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use lab::{Replay, StepReport};
use trace::Recorder;
use trace::view::{Limits, Packets, Recording, RecordingBuilder, Typed, dot, json, mermaid};

/// Scripts whose packets meet every kind of step: bridges, NAT, tunnels, tags, fragments, errors.
const SCRIPTS: [&str; 7] = ["brnf-", "ipip-5", "mtu-", "nat-", "tun-", "vlan-", "vxlan-"];

/// Everything that the scenarios and some recorded scripts do.
fn recordings() -> Vec<Recording> {
    let mut all: Vec<Recording> = support::scenarios()
        .iter()
        .map(|file| {
            let mut builder = RecordingBuilder::new("scenario", Packets::All, Limits::NONE);
            let mut replay = Replay::load(file, None, None).unwrap_or_else(|error| panic!("{error}"));
            let told = replay.run(&mut |report| match report {
                StepReport::Act(name) => builder.act(&name),
                StepReport::Command(ran) | StepReport::Table(ran) => {
                    let typed = Typed { output: ran.output.clone(), ..Typed::default() };
                    builder.command(&ran.world, ran.world.map(), typed, &ran.steps);
                }
                StepReport::Checked(_) => {}
                StepReport::Judged { expectation, .. } => builder.expectation(&expectation, None),
            });
            told.unwrap_or_else(|error| panic!("{error}"));
            builder.finish()
        })
        .collect();
    let scripts = support::scripts(&["tests/parity", "tests/parity-vm"]);
    for word in SCRIPTS {
        let of_word = |path: &&std::path::PathBuf| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(word))
        };
        let chosen: Vec<_> = scripts.iter().filter(of_word).take(3).collect();
        assert!(!chosen.is_empty(), "no recorded script is about {word}");
        all.extend(chosen.into_iter().map(|script| script_recording(script)));
    }
    all
}

fn script_recording(script: &Path) -> Recording {
    let text = fs::read_to_string(script).expect("the script can be read");
    let mut recorder = Recorder::default();
    let (world, output) = support::run_script("sh", &text, 0, &mut recorder);
    let mut builder = RecordingBuilder::new("script", Packets::All, Limits::NONE);
    builder.command(&world, world.map(), Typed { output, ..Typed::default() }, &recorder.steps);
    builder.finish()
}

#[test]
fn json_keeps_to_the_published_schema() {
    let published = fs::read_to_string("schemas/trace.schema.json").expect("the schema is there");
    let published = serde_json::from_str(&published).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&published).expect("the schema is a schema");
    let mut kinds = std::collections::BTreeSet::new();
    for recording in recordings() {
        let document = serde_json::from_str(&json(&recording)).expect("the document is JSON");
        if let Err(error) = validator.validate(&document) {
            panic!("{} at {}", error, error.instance_path());
        }
        let steps =
            recording.commands.iter().flat_map(|c| &c.packets).flat_map(|p| &p.hops).flat_map(|h| &h.steps);
        kinds.extend(steps.filter_map(|step| {
            serde_json::to_value(&step.detail).ok()?.get("kind")?.as_str().map(str::to_owned)
        }));
    }
    assert!(kinds.len() >= 14, "only {kinds:?} were tried");
    let wrong = serde_json::json!({"version": 1, "title": 5});
    assert!(!validator.is_valid(&wrong), "the schema takes anything");
}

/// A recording whose every name wants to be something else.
fn hostile() -> Recording {
    let mut recording = script_recording(Path::new("tests/parity/").join(HOSTILE_SCRIPT).as_path());
    for (i, name) in HOSTILE.iter().cycle().take(recording.map.hosts.len().max(1)).enumerate() {
        if let Some(host) = recording.map.hosts.get_mut(i) {
            (*name).clone_into(&mut host.name);
        }
    }
    let mut names = HOSTILE.iter().cycle();
    let mut next = || (*names.next().expect("it goes round")).to_owned();
    for namespace in recording.map.hosts.iter_mut().flat_map(|host| &mut host.namespaces) {
        namespace.name = next();
        namespace.devices.iter_mut().for_each(|device| device.name = next());
    }
    for command in &mut recording.commands {
        command.command = next();
        for packet in &mut command.packets {
            packet.description = next();
            for hop in &mut packet.hops {
                hop.node = next();
                hop.devices.iter_mut().for_each(|device| *device = next());
                hop.steps.iter_mut().for_each(|step| step.text = next());
            }
        }
    }
    recording
}

const HOSTILE_SCRIPT: &str = "vxlan-01-flannel-two-nodes.sh";
const HOSTILE: [&str; 8] = [
    "</script><script>alert(1)</script>",
    "a\"]; evil -> graph [label=\"x",
    "back\\slash \\",
    "a;b#c:d%%e",
    "end",
    "line\nbreak -x n0: y",
    "&lt;b&gt; {x} `y`",
    "n0->>n1: forged",
];

#[test]
fn dot_is_read_by_graphviz() {
    let graphs = dot(&hostile());
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile.dot");
    std::fs::write(&file, graphs).expect("the target folder can be written");
    let Ok(out) = Command::new("dot").arg("-Tplain").arg(&file).output() else {
        assert!(std::env::var_os("HOPLAB_REQUIRE_LIVE").is_none(), "this test needs Graphviz");
        eprintln!("SKIPPED: reading the graphs needs Graphviz");
        return;
    };
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(String::from_utf8_lossy(&out.stderr), "");
    let drawn = String::from_utf8_lossy(&out.stdout).into_owned();
    let forged = |line: &&str| line.starts_with("node evil") || line.starts_with("edge evil");
    assert_eq!(drawn.lines().find(forged), None, "a name became a node");
}

#[test]
fn a_name_in_a_mermaid_diagram_starts_no_line_of_its_own() {
    let recording = hostile();
    let diagram = mermaid(&recording);
    let statements = ["%%{init", "sequenceDiagram", "autonumber", "participant n", "Note over n"];
    for line in diagram.lines().map(str::trim) {
        let arrow = line.split_once(':').is_some_and(|(ends, _)| {
            ends.split("->>").all(|end| end.strip_prefix('n').is_some_and(|n| n.parse::<usize>().is_ok()))
        });
        assert!(arrow || statements.iter().any(|start| line.starts_with(start)), "{line}");
        assert!(!line.contains("<script") && (line.starts_with("%%") || !line.contains("%%")), "{line}");
    }
}
