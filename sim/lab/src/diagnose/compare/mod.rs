//! What should agree and does not: of one host with its peers, and of what the cluster says with
//! what kernels have. One module per comparison.

mod sysctl;

use super::facts::Facts;
use super::follow::Story;
use super::suspect::Suspect;

/// Every suspect that a comparison names, near the packets' way first.
pub(super) fn suspects(facts: &Facts<'_>, story: &Story) -> Vec<Suspect> {
    sysctl::suspects(facts, story)
}

pub(super) use sysctl::set as set_sysctl;
