//! Networks for the tests of faults.

use std::sync::LazyLock;

use lab::fault::{Lan, Network, Shape};
use world::World;

/// A network that runs.
pub struct Booted {
    /// What it is.
    pub name: &'static str,
    /// It.
    pub world: World,
    /// What it has.
    pub network: Network,
}

/// The networks: each boots once. The first three are those on which a diagnosis is judged.
pub static NETWORKS: LazyLock<Vec<Booted>> = LazyLock::new(|| {
    let shape = Shape::default();
    let shapes = [
        ("switch", shape.clone()),
        ("racks", Shape { lan: Lan::Racks, nodes: 4, direct: true, ..shape.clone() }),
        ("cards", Shape { lan: Lan::Cards, ..shape.clone() }),
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
