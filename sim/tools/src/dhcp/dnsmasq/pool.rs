//! Which address a client gets, and the leases. Source: `dhcp.c`, `lease.c`.

use std::fmt::Write;
use std::net::Ipv4Addr;

use packet::MacAddr;

use super::options::{KnownHost, Range};

/// An address that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    /// To whom.
    pub mac: MacAddr,
    /// Which.
    pub address: Ipv4Addr,
    /// The client's name.
    pub name: Option<String>,
    /// The client's identifier.
    pub client_id: Option<Vec<u8>>,
    /// Seconds since 1970; 0 is never.
    pub expires: u64,
}

/// All leases, the newest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Leases(pub Vec<Lease>);

impl Leases {
    /// A client's lease. Source: `lease_find_by_client`.
    pub fn of_client(&self, mac: MacAddr, client_id: Option<&[u8]>) -> Option<&Lease> {
        let by_id = |lease: &&Lease| client_id.is_some() && lease.client_id.as_deref() == client_id;
        self.0.iter().find(by_id).or_else(|| {
            let by_mac =
                |lease: &&Lease| lease.mac == mac && (client_id.is_none() || lease.client_id.is_none());
            self.0.iter().find(by_mac)
        })
    }

    /// Whose an address is.
    pub fn of_address(&self, address: Ipv4Addr) -> Option<&Lease> {
        self.0.iter().find(|lease| lease.address == address)
    }

    /// Forgets those that have ended; answers whether there were any.
    pub fn prune(&mut self, now: u64) -> bool {
        let before = self.0.len();
        self.0.retain(|lease| lease.expires == 0 || lease.expires > now);
        self.0.len() != before
    }

    /// Takes an address back.
    pub fn remove(&mut self, address: Ipv4Addr) {
        self.0.retain(|lease| lease.address != address);
    }

    /// Gives an address, or more time for it.
    pub fn put(&mut self, lease: Lease) {
        match self.0.iter_mut().find(|known| known.address == lease.address) {
            Some(known) => *known = lease,
            None => self.0.insert(0, lease),
        }
    }

    /// The lease file's text. Source: `lease_update_file`.
    pub fn print(&self) -> String {
        let mut text = String::new();
        for lease in &self.0 {
            let name = lease.name.as_deref().unwrap_or("*");
            let id = lease.client_id.as_ref().map_or_else(
                || "*".to_owned(),
                |id| id.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"),
            );
            let _ = writeln!(text, "{} {} {} {name} {id}", lease.expires, lease.mac, lease.address);
        }
        text
    }

    /// Reads the file; lines that don't fit are left out.
    pub fn parse(text: &str) -> Self {
        let given = |word: &str| (word != "*").then(|| word.to_owned());
        let read = |line: &str| -> Option<Lease> {
            let mut words = line.split_whitespace();
            Some(Lease {
                expires: words.next()?.parse().ok()?,
                mac: words.next()?.parse().ok()?,
                address: words.next()?.parse().ok()?,
                name: words.next().and_then(given),
                client_id: words
                    .next()
                    .and_then(given)
                    .and_then(|id| id.split(':').map(|byte| u8::from_str_radix(byte, 16).ok()).collect()),
            })
        };
        Self(text.lines().filter_map(read).collect())
    }
}

/// SDBM hash of a hardware address; never 0. Source: `address_allocate`.
fn hash(mac: MacAddr) -> u32 {
    let step = |hash: u32, &byte: &u8| {
        u32::from(byte)
            .wrapping_add(hash.wrapping_shl(6))
            .wrapping_add(hash.wrapping_shl(16))
            .wrapping_sub(hash)
    };
    mac.0.iter().fold(0, step).max(1)
}

impl Range {
    /// Whether it holds an address.
    pub fn holds(&self, address: Ipv4Addr) -> bool {
        (self.start..=self.end).contains(&address)
    }

    /// Every address of it once, beginning with the client's own.
    pub fn candidates(
        &self,
        mac: MacAddr,
        leases: &Leases,
        sequential: bool,
    ) -> impl Iterator<Item = Ipv4Addr> {
        let (start, end) = (u32::from(self.start), u32::from(self.end));
        let count = u64::from(end - start) + 1;
        let offset = if sequential {
            let largest = leases.0.iter().map(|lease| lease.address).filter(|&addr| self.holds(addr)).max();
            u64::from(largest.map_or(start, u32::from) - start)
        } else {
            u64::from(hash(mac).wrapping_add(self.epoch)) % count
        };
        (0..count).map(move |step| Ipv4Addr::from(start + ((offset + step) % count) as u32))
    }
}

/// Whether an address may be given to somebody new: nobody has it or is promised it, and Windows
/// can use it.
pub(super) fn is_free(address: Ipv4Addr, own: Ipv4Addr, leases: &Leases, hosts: &[KnownHost]) -> bool {
    let [first, .., last] = address.octets();
    let class_c = (192..224).contains(&first);
    address != own
        && leases.of_address(address).is_none()
        && !hosts.iter().any(|host| host.address == Some(address))
        && !(class_c && matches!(last, 0 | 255))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What dnsmasq 2.90 gave.
    #[test]
    fn a_client_gets_the_address_that_dnsmasq_gives_it() {
        let range = |start: [u8; 4], end: [u8; 4]| Range {
            start: start.into(),
            end: end.into(),
            mask: None,
            lease: 3600,
            epoch: 0,
        };
        for (range, mac, address) in [
            (range([192, 168, 1, 100], [192, 168, 1, 200]), 2, [192, 168, 1, 185]),
            (range([10, 0, 0, 50], [10, 0, 0, 60]), 2, [10, 0, 0, 56]),
            (range([192, 168, 1, 100], [192, 168, 1, 100]), 2, [192, 168, 1, 100]),
        ] {
            let first = range.candidates(MacAddr([2, 0, 0, 0, 0, mac]), &Leases::default(), false).next();
            assert_eq!(first, Some(Ipv4Addr::from(address)));
        }
    }

    #[test]
    fn the_lease_file_is_read_as_it_is_written() {
        let text = "1795323061 02:00:00:00:00:02 192.168.1.100 vm *\n\
                    1795323084 02:00:00:00:00:03 192.168.1.150 * 01:02:00:00:00:00:03\n";
        assert_eq!(Leases::parse(text).print(), text);
        assert_eq!(Leases::parse("nonsense\n1 2 3\n").0, []);
    }
}
