//! DHCP (RFC 2131, 2132): the clients `dhclient` and `udhcpc`, and the server `dnsmasq`.
//!
//! A client without an address speaks through a packet socket (`Link`); once it has one, it
//! renews over UDP. What it was given it applies as the distribution's script does.

mod dhclient;
mod dnsmasq;
mod lease;
mod link;
mod message;
mod script;
mod udhcpc;

use std::time::Duration;

/// UDP port of servers.
const SERVER_PORT: u16 = 67;
/// UDP port of clients.
const CLIENT_PORT: u16 = 68;

/// How long a script needs to start: what was sent before leaves with the old address.
const SCRIPT_START: Duration = Duration::from_millis(5);

/// Installs all of them.
pub fn install(registry: &mut world::Registry) {
    dhclient::install(registry);
    dnsmasq::install(registry);
    udhcpc::install(registry);
}
