//! DHCP (RFC 2131, 2132): the client `dhclient` and the server `dnsmasq`.
//!
//! A client without an address speaks through a packet socket (`Link`); once it has one, it
//! renews over UDP. What it was given it applies as the distribution's script does.

mod dhclient;
mod dnsmasq;
mod lease;
mod link;
mod message;
mod script;

/// UDP port of servers.
const SERVER_PORT: u16 = 67;
/// UDP port of clients.
const CLIENT_PORT: u16 = 68;

/// Installs all of them.
pub fn install(registry: &mut world::Registry) {
    dhclient::install(registry);
    dnsmasq::install(registry);
}
