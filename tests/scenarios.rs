//! Every scenario keeps its word, and the ways of its packets are what they were.
//!
//! `tests/snapshots/` holds, for each file of `scenarios/`, its commands, the packets that they sent
//! and the verdicts. After a change that is meant: `INSTA_UPDATE=always cargo test --test scenarios`,
//! and read the difference.

#![allow(clippy::expect_used)]

mod support;

use std::fmt::Write;
use std::path::Path;

use lab::{StepReport, Verdict};
use trace::view::{View, print};
use world::World;

/// One line or paragraph a step, as the snapshot holds it.
fn tell(text: &mut String, world: &World, report: &StepReport) {
    let _ = match report {
        StepReport::Act(name) => writeln!(text, "\n## {name}"),
        StepReport::Command { on, cmd, status, traces, .. } => {
            let traces: String = traces.iter().map(|trace| print(trace, world, View::Minimal)).collect();
            let status = if *status == 0 { String::new() } else { format!("   [exit {status}]") };
            write!(text, "\n{on}$ {cmd}{status}\n{traces}")
        }
        StepReport::Judged { expectation, verdict: Verdict::Held } => writeln!(text, "  ✓ {expectation}"),
        StepReport::Judged { expectation, verdict: Verdict::Failed(seen) } => {
            writeln!(text, "  ✗ {expectation}\n    instead: {seen}")
        }
    };
}

#[test]
fn scenarios_hold_and_their_packets_go_the_same_way() {
    let mut failed = Vec::new();
    for file in support::files(Path::new("scenarios"), "ron") {
        let name = file.file_stem().expect("a scenario has a name").to_string_lossy().into_owned();
        let mut text = String::new();
        let held = lab::run(&file, Path::new("topologies"), None, &mut |world, report| {
            tell(&mut text, world, &report)
        })
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(
            text.lines()
                .all(|line| line.starts_with("  ✓") || line.contains("$ ") || line.chars().count() <= 100),
            "{text}"
        );
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name.as_str(), text);
        });
        if !held {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "expectations failed in {failed:?}");
}
