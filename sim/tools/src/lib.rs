//! The commands: text becomes requests and system calls, their answers become text.
//!
//! Each command is a file or folder with `pub fn install(&mut world::Registry)`.

pub mod arp;
pub mod brctl;
pub mod bridge;
pub mod conntrack;
pub mod console;
mod dhcp;
pub mod dmesg;
pub mod dns;
pub mod docker;
pub mod ethtool;
pub mod file;
pub mod getopt;
pub mod hostname;
pub mod ifconfig;
pub mod image;
pub mod ip;
pub mod iproute;
pub mod ipset;
pub mod iptables;
pub mod net;
mod netstat;
pub mod nettools;
pub mod pflag;
#[cfg(test)]
mod request_props;
pub mod route_cmd;
pub mod selinux;
pub mod shell;
pub mod sysctl_cmd;
pub mod systemd;
pub mod text;
pub mod tls;

/// Installs every command of this room.
pub fn install_all(registry: &mut world::Registry) {
    arp::install(registry);
    brctl::install(registry);
    bridge::install(registry);
    conntrack::install(registry);
    dhcp::install(registry);
    dns::install(registry);
    dmesg::install(registry);
    docker::install(registry);
    ethtool::install(registry);
    hostname::install(registry);
    ifconfig::install(registry);
    image::install(registry);
    route_cmd::install(registry);
    ip::install(registry);
    sysctl_cmd::install(registry);
    systemd::install(registry);
    ipset::install(registry);
    iptables::install(registry);
    net::install(registry);
    selinux::install(registry);
    shell::install(registry);
    text::install(registry);
}

/// A registry that holds every command of this room.
pub fn registry() -> world::Registry {
    let mut registry = world::Registry::default();
    install_all(&mut registry);
    registry
}
