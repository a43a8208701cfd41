//! Names over simulated sockets: the commands that ask for them, and the servers that answer.

mod getent;
pub mod lookup;

/// Installs all of them.
pub fn install(registry: &mut world::Registry) {
    getent::install(registry);
}
