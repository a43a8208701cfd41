//! Every script of `tests/parity` and `tests/parity-vm`, against what a real Linux printed for it.
//!
//! `parity.py` there records and explains the recordings; this program needs nothing but cargo.
//! `known-differences.txt` names the scripts that don't come out equal yet and the mechanism that
//! is missing: they are shown as ignored, and one that has become equal must leave the list.

#![allow(clippy::expect_used)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use support::normalise::Normaliser;
use trace::Off;

fn main() -> ExitCode {
    let normaliser = Arc::new(Normaliser::new());
    let differences = known_differences();
    let mut trials = Vec::new();
    for script in support::scripts(&["tests/parity", "tests/parity-vm"]) {
        let normaliser = Arc::clone(&normaliser);
        let name = script.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let known = differences.contains_key(&name);
        trials.push(Trial::test(name, move || check(&script, &normaliser)).with_ignored_flag(known));
    }
    let listed = Arc::clone(&normaliser);
    trials.push(Trial::test("known-differences", move || still_differ(&differences, &listed)));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Scripts that don't come out equal, with the mechanism that is missing.
fn known_differences() -> BTreeMap<String, String> {
    let text = fs::read_to_string("tests/parity/known-differences.txt").expect("the list is there");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| line.split_once(": ").expect("each line is `script: what is missing`"))
        .map(|(script, missing)| (script.to_owned(), missing.to_owned()))
        .collect()
}

/// A script that has become equal, or is gone, must leave the list.
fn still_differ(differences: &BTreeMap<String, String>, normaliser: &Normaliser) -> Result<(), Failed> {
    let scripts = support::scripts(&["tests/parity", "tests/parity-vm"]);
    let equal: Vec<&String> = differences
        .keys()
        .filter(|name| {
            let script =
                scripts.iter().find(|path| path.file_stem().is_some_and(|stem| stem == name.as_str()));
            script.is_none_or(|script| check(script, normaliser).is_ok())
        })
        .collect();
    if equal.is_empty() {
        Ok(())
    } else {
        Err(format!("equal or gone, take them off the list: {equal:?}").into())
    }
}

fn check(script: &Path, normaliser: &Normaliser) -> Result<(), Failed> {
    let text = fs::read_to_string(script)?;
    let recorded = fs::read_to_string(script.with_extension("out"))?;
    let (_, output) =
        support::run_script(&script.file_name().unwrap_or_default().to_string_lossy(), &text, 0, &mut Off);
    let output = normaliser.apply(&output);
    if output == recorded {
        return Ok(());
    }
    let mut ours = output.lines();
    let mut theirs = recorded.lines();
    for number in 1.. {
        let (ours, theirs) = (ours.next(), theirs.next());
        if ours != theirs || ours.is_none() {
            let end = "<end>";
            return Err(format!(
                "line {number}:\n  kernel {:?}\n  hoplab {:?}",
                theirs.unwrap_or(end),
                ours.unwrap_or(end)
            )
            .into());
        }
    }
    Ok(())
}
