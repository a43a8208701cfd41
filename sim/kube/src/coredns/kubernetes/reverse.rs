use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use dns::Name;

use super::Plugin;
use super::lookup::NoName;
use crate::coredns::cluster::Cluster;
use crate::coredns::message::depth;

/// The family of the addresses below a reverse name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Below `in-addr.arpa.`
    Ipv4,
    /// Below `ip6.arpa.`
    Ipv6,
}

/// Of which family's addresses a name is.
pub fn family(name: &Name) -> Option<Family> {
    let labels: Vec<Vec<u8>> = name.iter().map(<[u8]>::to_ascii_lowercase).collect();
    match &labels[..] {
        [.., _, domain, arpa] if arpa == b"arpa" => match &domain[..] {
            b"in-addr" => Some(Family::Ipv4),
            b"ip6" => Some(Family::Ipv6),
            _ => None,
        },
        _ => None,
    }
}

/// The address that a reverse name stands for. CoreDNS: `ExtractAddressFromReverse`.
pub fn address(name: &Name) -> Option<IpAddr> {
    let family = family(name)?;
    let count = depth(name) - 2;
    let labels: Vec<&str> =
        name.iter().take(count).map(std::str::from_utf8).collect::<Result<_, _>>().ok()?;
    let backwards = labels.iter().rev();
    match family {
        Family::Ipv4 => {
            let text: Vec<&str> = backwards.copied().collect();
            text.join(".").parse::<Ipv4Addr>().ok().map(IpAddr::V4)
        }
        Family::Ipv6 => {
            let digits: String = backwards.copied().collect();
            let one_each = labels.iter().all(|label| label.len() == 1);
            if !one_each || digits.len() != 32 {
                return None;
            }
            u128::from_str_radix(&digits, 16).ok().map(|bits| IpAddr::V6(Ipv6Addr::from(bits)))
        }
    }
}

impl Plugin {
    /// The names of an address: of the Service that has it, or else of its endpoints; none if the
    /// name is no address's but exists. CoreDNS: `Reverse`.
    pub fn names(&self, name: &Name, zone: &Name, cluster: &Cluster) -> Result<Vec<Name>, NoName> {
        let Some(address) = address(name) else {
            return self.find(name, zone, cluster).map(|_| Vec::new());
        };
        let hidden =
            |namespace: &str| !self.config.namespaces.is_empty() && !self.exposes(namespace, cluster);
        let below_primary = |labels: &[&str]| {
            let text = labels.join(".");
            let domain = self.config.zones.get(self.config.primary).cloned().unwrap_or_default();
            Name::from_ascii(text).ok()?.append_domain(&domain).ok()
        };
        let mut services = cluster.services_with(address).filter(|service| self.watches(&service.labels));
        if let Some(service) = services.find(|service| !hidden(&service.key.0)) {
            let (namespace, service) = &service.key;
            return below_primary(&[service, namespace, "svc"]).map(|name| vec![name]).ok_or(NoName);
        }
        let mut names: Vec<Name> = Vec::new();
        for slice in self.watched_slices_with(address, cluster).filter(|slice| !hidden(&slice.service.0)) {
            for endpoint in slice.addresses.iter().filter(|endpoint| endpoint.ip == address) {
                let (namespace, service) = &slice.service;
                let name = below_primary(&[&self.hostname(endpoint), service, namespace, "svc"]);
                names.extend(name.filter(|name| !names.contains(name)));
            }
        }
        if names.is_empty() { Err(NoName) } else { Ok(names) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_addresses() {
        for (name, expected) in [
            ("54.119.58.176.in-addr.arpa.", Some("176.58.119.54")),
            ("IN-ADDR.arpa.", None),
            (".58.176.in-addr.arpa.", None),
            (
                "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
                Some("2001:db8::567:89ab"),
            ),
            ("8.b.d.0.1.0.0.2.ip6.arpa.", None),
            ("54.119.58.176.example.org.", None),
        ] {
            let Ok(name) = Name::from_ascii(name) else { continue };
            assert_eq!(address(&name).map(|ip| ip.to_string()).as_deref(), expected, "{name}");
        }
    }
}
