//! Every fault of the library, where it fits: its probe works on the healthy network, doesn't once
//! the network is broken, and does again after the usual fix.
//!
//! `HOPLAB_ALL=1` tries every place of every topology instead of the first and the last.

mod support;

use lab::fault::{self, Case, Fault};
use libtest_mimic::{Arguments, Failed, Trial};

use support::{Booted, NETWORKS};

/// The first and the last of some cases; all with `HOPLAB_ALL`.
fn chosen(cases: Vec<Case>) -> Vec<Case> {
    if std::env::var_os("HOPLAB_ALL").is_some() || cases.len() < 3 {
        return cases;
    }
    let mut cases = cases;
    let last = cases.pop();
    cases.truncate(1);
    cases.extend(last);
    cases
}

fn prove(fault: &Fault) -> Result<(), Failed> {
    let (mut wrong, mut fits) = (Vec::new(), 0);
    for Booted { name, world, network } in NETWORKS.iter() {
        let cases = chosen(fault.cases(network));
        fits += usize::from(!cases.is_empty());
        for case in cases {
            if let Err(why) = case.prove(world) {
                wrong.push(format!("{name}, {}: {why} ({}: {})", case.site, case.cause, case.probe));
            }
        }
    }
    if fits == 0 {
        wrong.push("it fits nowhere".to_owned());
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

/// Drawn faults show together and go away together, and a seed draws the same each time.
fn drawn(seed: u64) -> Result<(), Failed> {
    let world = &NETWORKS[0].world;
    let cases = fault::draw(world, seed, 2);
    if cases.len() != 2 || cases != fault::draw(world, seed, 2) {
        return Err(format!("seed {seed} draws {cases:?}").into());
    }
    Ok(())
}

fn main() {
    let arguments = Arguments::from_args();
    let faults = fault::all().map(|fault| Trial::test(fault.name, move || prove(fault)));
    let draws = (1..=3).map(|seed| Trial::test(format!("draw {seed}"), move || drawn(seed)));
    libtest_mimic::run(&arguments, faults.chain(draws).collect()).exit();
}
