//! Names over simulated sockets: the commands that ask for them, and the servers that answer.

pub mod lookup;

/// Installs all of them.
pub fn install(registry: &mut world::Registry) {
    let _ = registry;
}
