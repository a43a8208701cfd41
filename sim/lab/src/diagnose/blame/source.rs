//! The source address is not believed.

use super::Case;
use crate::diagnose::suspect::Suspect;

pub(super) fn suspects(_case: &Case<'_>) -> Vec<Suspect> {
    Vec::new()
}
