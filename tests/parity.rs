//! Every script of `tests/parity` and `tests/parity-vm`, against what a real Linux printed for it.
//!
//! `parity.py` there records and explains the recordings; this program needs nothing but cargo.

#![allow(clippy::expect_used)]

mod support;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use support::normalise::Normaliser;
use trace::Off;

fn main() -> ExitCode {
    let normaliser = Arc::new(Normaliser::new());
    let mut trials = Vec::new();
    for script in support::scripts(&["tests/parity", "tests/parity-vm"]) {
        let normaliser = Arc::clone(&normaliser);
        let name = script.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        trials.push(Trial::test(name, move || check(&script, &normaliser)));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn check(script: &Path, normaliser: &Normaliser) -> Result<(), Failed> {
    let text = fs::read_to_string(script)?;
    let recorded = fs::read_to_string(script.with_extension("out"))?;
    let (_, output) = support::run_script(&script.file_name().unwrap_or_default().to_string_lossy(), &text, 0, &mut Off);
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
            return Err(format!("line {number}:\n  kernel {:?}\n  hoplab {:?}", theirs.unwrap_or(end), ours.unwrap_or(end)).into());
        }
    }
    Ok(())
}
