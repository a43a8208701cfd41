//! What a client was given, and the file in which `dhclient` remembers it.

use std::fmt::Write;
use std::net::Ipv4Addr;

use dhcproto::v4::{DhcpOption, MessageType};
use world::civil_date;

/// An address with all that came with it. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lease {
    /// The address.
    pub address: Ipv4Addr,
    /// Options, in the order they came.
    pub options: Vec<DhcpOption>,
    /// When to ask its server for more time (T1).
    pub renewal: u64,
    /// When to ask any server (T2).
    pub rebind: u64,
    /// When it ends.
    pub expiry: u64,
}

impl Lease {
    /// A lease whose times are not known yet.
    pub fn new(address: Ipv4Addr, options: Vec<DhcpOption>) -> Self {
        Self { address, options, renewal: 0, rebind: 0, expiry: 0 }
    }

    fn find<T>(&self, pick: impl Fn(&DhcpOption) -> Option<T>) -> Option<T> {
        self.options.iter().find_map(pick)
    }

    /// The server that gave it.
    pub fn server(&self) -> Option<Ipv4Addr> {
        self.find(|option| match option {
            DhcpOption::ServerIdentifier(addr) => Some(*addr),
            _ => None,
        })
    }

    /// How long it lasts, in seconds, with T1 and T2 if they were said.
    pub fn times(&self) -> (Option<u32>, Option<u32>, Option<u32>) {
        (
            self.find(|option| match option {
                DhcpOption::AddressLeaseTime(time) => Some(*time),
                _ => None,
            }),
            self.find(|option| match option {
                DhcpOption::Renewal(time) => Some(*time),
                _ => None,
            }),
            self.find(|option| match option {
                DhcpOption::Rebinding(time) => Some(*time),
                _ => None,
            }),
        )
    }

    /// The subnet mask.
    pub fn mask(&self) -> Option<Ipv4Addr> {
        self.find(|option| match option {
            DhcpOption::SubnetMask(addr) => Some(*addr),
            _ => None,
        })
    }

    /// The broadcast address.
    pub fn broadcast(&self) -> Option<Ipv4Addr> {
        self.find(|option| match option {
            DhcpOption::BroadcastAddr(addr) => Some(*addr),
            _ => None,
        })
    }

    /// Routers, best first.
    pub fn routers(&self) -> Vec<Ipv4Addr> {
        self.find(|option| match option {
            DhcpOption::Router(addrs) => Some(addrs.clone()),
            _ => None,
        })
        .unwrap_or_default()
    }

    /// Name servers.
    pub fn name_servers(&self) -> Vec<Ipv4Addr> {
        self.find(|option| match option {
            DhcpOption::DomainNameServer(addrs) => Some(addrs.clone()),
            _ => None,
        })
        .unwrap_or_default()
    }

    /// The domain.
    pub fn domain(&self) -> Option<String> {
        self.find(|option| match option {
            DhcpOption::DomainName(name) => Some(name.clone()),
            _ => None,
        })
    }

    /// MTU of the link.
    pub fn mtu(&self) -> Option<u16> {
        self.find(|option| match option {
            DhcpOption::InterfaceMtu(mtu) => Some(*mtu),
            _ => None,
        })
    }

    /// As it stands in /var/lib/dhcp/dhclient.leases. Source: `write_client_lease`.
    ///
    /// Simplified: options that `dhclient` doesn't ask for are left out.
    pub fn print(&self, device: &str) -> String {
        let mut text = format!("lease {{\n  interface \"{device}\";\n  fixed-address {};\n", self.address);
        let mut lines: Vec<(u8, usize, String)> = Vec::new();
        for (index, option) in self.options.iter().enumerate() {
            if let Some((code, name, value)) = print_option(option) {
                lines.push((bucket(code), usize::MAX - index, format!("  option {name} {value};\n")));
            }
        }
        lines.sort();
        text.extend(lines.into_iter().map(|(.., line)| line));
        for (name, time) in [("renew", self.renewal), ("rebind", self.rebind), ("expire", self.expiry)] {
            let _ = writeln!(text, "  {name} {};", print_time(time));
        }
        text.push_str("}\n");
        text
    }

    /// The last lease of a device in the file, as long as its words are known.
    pub fn parse_last(text: &str, device: &str) -> Option<Self> {
        let mut last = None;
        for block in text.split("lease {").skip(1) {
            let block = block.split('}').next().unwrap_or_default();
            let mut lease = Self::new(Ipv4Addr::UNSPECIFIED, Vec::new());
            let mut fits = false;
            for line in block.lines() {
                let line = line.trim().trim_end_matches(';');
                match line.split_once(' ') {
                    Some(("interface", name)) => fits = name.trim_matches('"') == device,
                    Some(("fixed-address", addr)) => {
                        lease.address = addr.parse().unwrap_or(Ipv4Addr::UNSPECIFIED);
                    }
                    Some(("option", option)) => lease.options.extend(parse_option(option)),
                    Some(("renew", time)) => lease.renewal = parse_time(time).unwrap_or_default(),
                    Some(("rebind", time)) => lease.rebind = parse_time(time).unwrap_or_default(),
                    Some(("expire", time)) => lease.expiry = parse_time(time).unwrap_or_default(),
                    _ => {}
                }
            }
            if fits && !lease.address.is_unspecified() {
                last = Some(lease);
            }
        }
        last
    }
}

/// Options are printed by bucket of a hash table, the newest of a bucket first.
/// Source: `compute_option_hash`.
fn bucket(code: u8) -> u8 {
    ((code & 31) + ((code >> 5) & 31)) % 17
}

fn join(addrs: &[Ipv4Addr]) -> String {
    addrs.iter().map(Ipv4Addr::to_string).collect::<Vec<_>>().join(",")
}

/// Code, name and value of an option. Source: `common/tables.c`.
fn print_option(option: &DhcpOption) -> Option<(u8, &'static str, String)> {
    Some(match option {
        DhcpOption::SubnetMask(addr) => (1, "subnet-mask", addr.to_string()),
        DhcpOption::Router(addrs) => (3, "routers", join(addrs)),
        DhcpOption::DomainNameServer(addrs) => (6, "domain-name-servers", join(addrs)),
        DhcpOption::Hostname(name) => (12, "host-name", format!("\"{name}\"")),
        DhcpOption::DomainName(name) => (15, "domain-name", format!("\"{name}\"")),
        DhcpOption::InterfaceMtu(mtu) => (26, "interface-mtu", mtu.to_string()),
        DhcpOption::BroadcastAddr(addr) => (28, "broadcast-address", addr.to_string()),
        DhcpOption::NtpServers(addrs) => (42, "ntp-servers", join(addrs)),
        DhcpOption::AddressLeaseTime(time) => (51, "dhcp-lease-time", time.to_string()),
        DhcpOption::MessageType(kind) => (53, "dhcp-message-type", u8::from(*kind).to_string()),
        DhcpOption::ServerIdentifier(addr) => (54, "dhcp-server-identifier", addr.to_string()),
        DhcpOption::Renewal(time) => (58, "dhcp-renewal-time", time.to_string()),
        DhcpOption::Rebinding(time) => (59, "dhcp-rebinding-time", time.to_string()),
        _ => return None,
    })
}

fn parse_option(text: &str) -> Option<DhcpOption> {
    let (name, value) = text.split_once(' ')?;
    let addrs = || value.split(',').map(|addr| addr.trim().parse().ok()).collect::<Option<Vec<Ipv4Addr>>>();
    let word = || value.trim_matches('"').to_owned();
    Some(match name {
        "subnet-mask" => DhcpOption::SubnetMask(value.parse().ok()?),
        "routers" => DhcpOption::Router(addrs()?),
        "domain-name-servers" => DhcpOption::DomainNameServer(addrs()?),
        "host-name" => DhcpOption::Hostname(word()),
        "domain-name" => DhcpOption::DomainName(word()),
        "interface-mtu" => DhcpOption::InterfaceMtu(value.parse().ok()?),
        "broadcast-address" => DhcpOption::BroadcastAddr(value.parse().ok()?),
        "ntp-servers" => DhcpOption::NtpServers(addrs()?),
        "dhcp-lease-time" => DhcpOption::AddressLeaseTime(value.parse().ok()?),
        "dhcp-message-type" => DhcpOption::MessageType(MessageType::from(value.parse::<u8>().ok()?)),
        "dhcp-server-identifier" => DhcpOption::ServerIdentifier(value.parse().ok()?),
        "dhcp-renewal-time" => DhcpOption::Renewal(value.parse().ok()?),
        "dhcp-rebinding-time" => DhcpOption::Rebinding(value.parse().ok()?),
        _ => return None,
    })
}

/// Weekday and date: `6 2026/11/21 22:44:42`. Source: `print_time`.
fn print_time(unix: u64) -> String {
    let days = unix / 86_400;
    let (year, month, day) = civil_date(days);
    let weekday = (days + 4) % 7;
    let (hour, minute, second) = (unix / 3600 % 24, unix / 60 % 60, unix % 60);
    format!("{weekday} {year}/{month:02}/{day:02} {hour:02}:{minute:02}:{second:02}")
}

fn parse_time(text: &str) -> Option<u64> {
    if text.trim() == "never" {
        return Some(u64::MAX);
    }
    let mut words = text.split_whitespace().skip(1);
    let mut date = words.next()?.split('/').map(str::parse::<u64>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let mut clock = words.next()?.split(':').map(str::parse::<u64>);
    let (hour, minute, second) = (clock.next()?.ok()?, clock.next()?.ok()?, clock.next()?.ok()?);
    // The day's number is near this; the calendar is asked which one it is.
    let near = (year.checked_sub(1970)? * 1461 / 4 + (month.checked_sub(1)?) * 153 / 5).min(1 << 22);
    let days = (near.saturating_sub(5)..near + 40).find(|&days| civil_date(days) == (year, month, day))?;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What dhclient 4.4.3 wrote.
    const WRITTEN: &str = "lease {
  interface \"eth0\";
  fixed-address 192.168.1.185;
  option subnet-mask 255.255.255.0;
  option routers 192.168.1.1;
  option dhcp-lease-time 43200;
  option dhcp-message-type 5;
  option domain-name-servers 192.168.1.1;
  option dhcp-server-identifier 192.168.1.1;
  option dhcp-renewal-time 21600;
  option broadcast-address 192.168.1.255;
  option dhcp-rebinding-time 37800;
  option host-name \"vm\";
  renew 6 2026/11/21 22:44:42;
  rebind 0 2026/11/22 03:18:15;
  expire 0 2026/11/22 04:48:15;
}
";

    #[test]
    fn a_lease_is_written_as_dhclient_does() {
        let router = Ipv4Addr::new(192, 168, 1, 1);
        let options = vec![
            DhcpOption::MessageType(MessageType::Ack),
            DhcpOption::ServerIdentifier(router),
            DhcpOption::AddressLeaseTime(43200),
            DhcpOption::Renewal(21600),
            DhcpOption::Rebinding(37800),
            DhcpOption::SubnetMask(Ipv4Addr::new(255, 255, 255, 0)),
            DhcpOption::BroadcastAddr(Ipv4Addr::new(192, 168, 1, 255)),
            DhcpOption::Hostname("vm".to_owned()),
            DhcpOption::DomainNameServer(vec![router]),
            DhcpOption::Router(vec![router]),
        ];
        let lease = Lease {
            renewal: 1_795_301_082,
            rebind: 1_795_317_495,
            expiry: 1_795_322_895,
            ..Lease::new(Ipv4Addr::new(192, 168, 1, 185), options)
        };
        assert_eq!(lease.print("eth0"), WRITTEN);
        let read = Lease::parse_last(WRITTEN, "eth0");
        assert_eq!(
            read.map(|read| (read.address, read.expiry, read.times())),
            Some((lease.address, lease.expiry, lease.times()))
        );
        assert_eq!(Lease::parse_last(WRITTEN, "eth1"), None);
    }

    #[test]
    fn dates_are_read_as_they_are_written() {
        for unix in [0, 951_782_400, 1_709_164_800, 1_795_258_727, 4_102_444_799] {
            assert_eq!(parse_time(&print_time(unix)), Some(unix), "{unix}");
        }
        for bad in ["", "6", "6 2026/13/40 1:2:3", "6 2026/11/21", "x y z"] {
            assert_eq!(parse_time(bad), None, "{bad}");
        }
    }
}
