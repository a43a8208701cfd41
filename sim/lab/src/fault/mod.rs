//! How networks break: the library of faults.
//!
//! Read first: [`Fault`], [`Case`], [`Network`] (what a network has that can be broken), a family such
//! as `forwarding`.
//!
//! A fault is done with the commands that a person or a daemon would have used, so that faults add up
//! and each can be found and mended with commands. A case is a fault at one place: it says what it
//! does, what cures it, which object a good diagnosis names, and which probe shows it.

mod case;
mod network;
mod probe;
mod shape;
mod ways;

mod cni;
mod conntrack;
mod draw;
mod fabric;
mod filter;
mod forwarding;
mod mtu;
mod nat;
mod neighbors;
mod nodes;
mod overlay;
mod routes;
mod services;

use world::World;

pub use case::{Case, Line};
pub use draw::draw;
pub use network::{Network, Node, Other, Pod, PodRoute, Service, Tunnel};
pub use probe::{At, Probe, Question, To, Way};
pub use shape::{Lan, Shape};

/// A way in which networks break.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// Its name, by which scenarios ask for it.
    pub name: &'static str,
    /// What happens, in a sentence without names.
    pub cause: &'static str,
    /// Rows of the catalogue and incidents that it stands for.
    pub about: &'static [&'static str],
    /// Where it fits.
    cases: fn(&Network) -> Vec<Case>,
}

impl Fault {
    /// Where it fits on a network, and what it does there.
    pub fn cases(&self, network: &Network) -> Vec<Case> {
        let mut cases = (self.cases)(network);
        cases.iter_mut().for_each(|case| case.fault = self.name);
        cases
    }

    /// The names of the places where it fits.
    pub fn sites(&self, world: &World) -> Vec<String> {
        self.cases(&Network::of(world)).into_iter().map(|case| case.site).collect()
    }

    /// The family that it belongs to.
    pub fn family(&self) -> &'static str {
        let of = |(_, faults): &&(&str, &[Self])| faults.iter().any(|fault| fault.name == self.name);
        FAMILIES.iter().find(of).map_or("", |(family, _)| family)
    }
}

/// The families, each with its faults.
pub const FAMILIES: &[(&str, &[Fault])] = &[
    ("forwarding", forwarding::FAULTS),
    ("filter", filter::FAULTS),
    ("nat", nat::FAULTS),
    ("routes", routes::FAULTS),
    ("overlay", overlay::FAULTS),
    ("mtu", mtu::FAULTS),
    ("neighbors", neighbors::FAULTS),
    ("conntrack", conntrack::FAULTS),
    ("cni", cni::FAULTS),
    ("services", services::FAULTS),
    ("nodes", nodes::FAULTS),
    ("fabric", fabric::FAULTS),
];

/// All faults, family by family.
pub fn all() -> impl Iterator<Item = &'static Fault> {
    FAMILIES.iter().flat_map(|(_, faults)| faults.iter())
}

/// The name that is most like one that no fault has.
pub fn nearest(name: &str) -> Option<String> {
    crate::error::nearest(name, all().map(|fault| fault.name))
}

/// The fault of that name.
pub fn find(name: &str) -> Option<&'static Fault> {
    all().find(|fault| fault.name == name)
}
