//! Every scenario keeps its word, and the ways of its packets are what they were.
//!
//! `scenarios/snapshots/` holds, for each file of `scenarios/`, its commands, the packets that they
//! sent and the verdicts. After a change that is meant: `hoplab run --update scenarios`, or
//! `INSTA_UPDATE=always cargo test --test scenarios`, and read the difference.

#![allow(clippy::expect_used)]

mod support;

use std::path::Path;

use lab::Replay;

/// The lines that hoplab wrote and that have more than 100 columns; what was typed may be longer.
fn too_wide(text: &str) -> Vec<&str> {
    let mut typed = false;
    let written = text.lines().filter(|line| {
        let answers = line.is_empty() || line.starts_with('●') || line.starts_with("  ✓");
        typed = line.contains("$ ") || typed && !answers;
        !typed && !line.starts_with("  ✓")
    });
    written.filter(|line| line.chars().count() > 100).collect()
}

#[test]
fn scenarios_hold_and_their_packets_go_the_same_way() {
    let mut failed = Vec::new();
    for file in support::scenarios() {
        let name = file.file_stem().expect("a scenario has a name").to_string_lossy().into_owned();
        let (text, tally) = Replay::load(&file, None, None)
            .and_then(|mut replay| replay.transcript())
            .unwrap_or_else(|error| panic!("{error}"));
        let wide = too_wide(&text);
        assert!(wide.is_empty(), "{name}: wider than 100 columns:\n{}", wide.join("\n"));
        insta::with_settings!({
            snapshot_path => Path::new("..").join(file.with_file_name("snapshots")),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(name.as_str(), text);
        });
        if !tally.holds() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "expectations failed in {failed:?}");
}
