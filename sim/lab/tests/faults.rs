//! Every fault of the library, where it fits: its probe works on the healthy network, doesn't once
//! the network is broken, and does again after the usual fix.
//!
//! `HOPLAB_ALL=1` tries every place of every topology instead of the first and the last.

use std::sync::LazyLock;

use lab::fault::{self, Case, Fault, Lan, Network, Shape};
use libtest_mimic::{Arguments, Failed, Trial};
use world::World;

/// A network that runs.
struct Booted {
    name: &'static str,
    world: World,
    network: Network,
}

/// The networks: each boots once.
static NETWORKS: LazyLock<Vec<Booted>> = LazyLock::new(|| {
    let shape = Shape::default();
    let shapes = [
        ("switch", shape.clone()),
        ("racks", Shape { lan: Lan::Racks, nodes: 4, backend: "vxlan", direct: true, ..shape.clone() }),
        ("cards", Shape { lan: Lan::Cards, prefix: (192, 168), ..shape.clone() }),
        ("dual", Shape { lan: Lan::Dual, ..shape.clone() }),
        ("host-gw", Shape { backend: "host-gw", ..shape.clone() }),
        ("ipip", Shape { lan: Lan::Racks, backend: "ipip", ..shape.clone() }),
    ];
    let boot = |(name, shape): (&'static str, Shape)| {
        let lab = shape.boot().unwrap_or_else(|error| panic!("{name}: {error}"));
        Booted { name, network: Network::of(&lab.world), world: lab.world }
    };
    shapes.into_iter().map(boot).collect()
});

/// The first and the last of some cases; all if asked for.
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

fn main() {
    let arguments = Arguments::from_args();
    let trials = fault::all().map(|fault| Trial::test(fault.name, move || prove(fault)));
    libtest_mimic::run(&arguments, trials.collect()).exit();
}
