use std::sync::Arc;

use kernel::Errno;

use crate::barrier::{Barrier, Standing};
use crate::cable::Segment;

/// A segment as who runs the network sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FabricSegment {
    /// Its name.
    pub name: String,
    /// What is plugged in, `host:nic`.
    pub ports: Vec<String>,
    /// What it doesn't carry, each with the number of frames that it has stopped.
    pub barriers: Vec<(Barrier, u64)>,
}

/// What who runs the network does to a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FabricChange {
    /// From now on it doesn't carry this.
    Bar(Barrier),
    /// It carries this again.
    Unbar(Barrier),
}

/// All segments, in order of creation.
pub(crate) fn list(segments: &[Arc<Segment>]) -> Vec<FabricSegment> {
    let show = |segment: &Arc<Segment>| FabricSegment {
        name: segment.name.clone(),
        ports: segment.port_names().map(str::to_owned).collect(),
        barriers: segment.barriers.iter().map(|each| (each.barrier.clone(), each.stopped)).collect(),
    };
    segments.iter().map(show).collect()
}

/// Changes the segment of that name.
///
/// # Errors
/// `ENODEV` if there is none, `ENXIO` if it has no port that the barrier names, `EEXIST` and
/// `ENOENT` if the barrier stands already or doesn't.
pub(crate) fn change(segments: &mut [Arc<Segment>], name: &str, change: FabricChange) -> Result<(), Errno> {
    let segment = segments.iter_mut().find(|segment| segment.name == name).ok_or(Errno::NoDev)?;
    let segment = Arc::make_mut(segment);
    match change {
        FabricChange::Bar(barrier) => {
            let known = |port: &String| segment.port_names().any(|known| known == port);
            if ![&barrier.from, &barrier.to].into_iter().flatten().all(known) {
                return Err(Errno::NxIo);
            }
            if segment.barriers.iter().any(|standing| standing.barrier == barrier) {
                return Err(Errno::Exist);
            }
            segment.barriers.push(Standing::new(barrier));
        }
        FabricChange::Unbar(barrier) => {
            let place = segment.barriers.iter().position(|standing| standing.barrier == barrier);
            segment.barriers.remove(place.ok_or(Errno::NoEnt)?);
        }
    }
    Ok(())
}
