//! The same input gives the same bytes: every recorded script and scenario runs twice, and half of
//! them once more on a clone.

#![allow(clippy::expect_used)]

mod support;

use std::fs;

use lab::StepReport;
use trace::{Off, Recorder, Step};

fn recorded(script: &str, seed: u64) -> (Vec<Step>, String) {
    let mut recorder = Recorder::default();
    let (_, output) = support::run_script("sh", script, seed, &mut recorder);
    (recorder.steps, output)
}

#[test]
fn scripts_run_twice_alike() {
    for script in support::scripts(&["tests/parity", "tests/parity-vm"]) {
        let text = fs::read_to_string(&script).expect("the script can be read");
        let (steps, output) = recorded(&text, 7);
        let again = recorded(&text, 7);
        assert!(steps == again.0, "{}: other steps", script.display());
        assert_eq!(output, again.1, "{}", script.display());
        // Watching changes nothing.
        assert_eq!(output, support::run_script("sh", &text, 7, &mut Off).1, "{}", script.display());
    }
}

#[test]
fn a_clone_goes_on_as_its_original() {
    let script = fs::read_to_string("tests/parity/tcp-01-states.sh").expect("the script can be read");
    for events in [1, 50, 500] {
        let mut original = support::start_script("sh", &script, 3);
        for _ in 0..events {
            original.world.step(&mut Off);
        }
        let mut clone = original.clone();
        assert_eq!(original.finish(&mut Off), clone.finish(&mut Off));
    }
}

#[test]
fn scenarios_run_twice_alike() {
    for file in support::scenarios() {
        let run = || {
            let mut told = Vec::new();
            let mut replay = lab::Replay::load(&file, None, None).expect("a shipped scenario loads");
            let tally = replay.run(&mut |report| match report {
                StepReport::Command(ran) | StepReport::Table(ran) => told.push((ran.output, ran.steps)),
                StepReport::Act(_) | StepReport::Checked(_) | StepReport::Judged { .. } => {}
            });
            (tally.expect("a shipped scenario runs"), told)
        };
        assert!(run() == run(), "{}", file.display());
    }
}
