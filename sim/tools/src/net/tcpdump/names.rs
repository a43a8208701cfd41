//! Names of addresses and ports, from /etc/hosts and /etc/services.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use world::Sys;

use crate::net::{inet_aton, read_file};

/// What the two files say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    hosts: Vec<(Ipv4Addr, Vec<String>)>,
    services: BTreeMap<(String, u16), String>,
    ports: BTreeMap<(String, String), u16>,
}

impl Names {
    /// Reads both files.
    pub fn read(sys: &mut dyn Sys) -> Self {
        let hosts = read_file(sys, "/etc/hosts").unwrap_or_default();
        let services = read_file(sys, "/etc/services").unwrap_or_default();
        Self::parse(&hosts, &services)
    }

    /// Takes the texts of the two files.
    pub fn parse(hosts: &str, services: &str) -> Self {
        let mut names = Self::default();
        for line in hosts.lines() {
            let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
            if let Some(addr) = words.next().and_then(|word| word.parse().ok()) {
                names.hosts.push((addr, words.map(str::to_owned).collect()));
            }
        }
        for line in services.lines() {
            let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
            let (Some(name), Some(entry)) = (words.next(), words.next()) else { continue };
            let Some((port, proto)) = entry.split_once('/') else { continue };
            let Ok(port) = port.parse::<u16>() else { continue };
            names.services.entry((proto.to_owned(), port)).or_insert_with(|| name.to_owned());
            for name in std::iter::once(name).chain(words) {
                names.ports.entry((name.to_owned(), proto.to_owned())).or_insert(port);
            }
        }
        names
    }

    /// The address of a host.
    pub fn address(&self, name: &str) -> Option<Ipv4Addr> {
        inet_aton(name).or_else(|| {
            let known =
                self.hosts.iter().find(|(_, names)| names.iter().any(|n| n.eq_ignore_ascii_case(name)));
            known.map(|(addr, _)| *addr)
        })
    }

    /// The name of a host.
    pub fn host(&self, addr: Ipv4Addr) -> Option<&str> {
        self.hosts.iter().find(|(known, _)| *known == addr)?.1.first().map(String::as_str)
    }

    /// The number of a service over `tcp` or `udp`.
    pub fn port(&self, name: &str, proto: &str) -> Option<u16> {
        self.ports.get(&(name.to_owned(), proto.to_owned())).copied()
    }

    /// The service of a port.
    pub fn service(&self, port: u16, proto: &str) -> Option<&str> {
        self.services.get(&(proto.to_owned(), port)).map(String::as_str)
    }
}
