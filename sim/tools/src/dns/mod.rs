//! Names over simulated sockets: the commands that ask for them, and the servers that answer.

mod dig;
mod getent;
mod host;
pub mod lookup;
mod nslookup;

/// Installs all of them.
pub fn install(registry: &mut world::Registry) {
    dig::install(registry);
    getent::install(registry);
    host::install(registry);
    nslookup::install(registry);
}
