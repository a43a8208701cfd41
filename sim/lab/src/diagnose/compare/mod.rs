//! What should agree and does not: of one host with its peers, and of what the cluster says with
//! what kernels have. One module per comparison.

mod conntrack;
mod daemon;
mod device;
mod flag;
mod flannel;
mod neighbor;
mod policy_rule;
mod route;
mod ruleset;
mod service;
mod sysctl;
mod twin;

pub(super) use super::scene::Scene;
use super::suspect::Suspect;

pub(super) use route::{Wanted, prefix, wanted as wanted_routes};
pub(super) use ruleset::{both_engines, command as iptables};
pub(super) use sysctl::set as set_sysctl;

/// Every suspect that a comparison names.
pub(super) fn suspects(scene: &Scene<'_>) -> Vec<Suspect> {
    let comparisons = [
        service::suspects,
        flannel::suspects,
        flag::suspects,
        twin::suspects,
        conntrack::suspects,
        daemon::suspects,
        device::suspects,
        route::suspects,
        policy_rule::suspects,
        neighbor::suspects,
        ruleset::suspects,
        sysctl::suspects,
    ];
    comparisons.iter().flat_map(|compare| compare(scene)).collect()
}
