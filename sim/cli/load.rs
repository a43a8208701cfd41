use std::path::Path;

use lab::Lab;

/// Builds a topology; what looks wrong with it goes to stderr.
#[allow(clippy::print_stderr)]
pub(crate) fn load(topology: &Path, seed: u64) -> Result<Lab, String> {
    let lab = Lab::load(topology, seed).map_err(|error| error.to_string())?;
    for warning in &lab.warnings {
        eprintln!("{warning}");
    }
    Ok(lab)
}
