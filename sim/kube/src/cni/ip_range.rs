//! The ranges that host-local gives addresses from. Plugins: `allocator/range.go`, `range_set.go`.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use super::go_json::Struct;
use super::result::{parse_cidr, parse_ip};

/// Addresses of one subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The subnet.
    pub subnet: IpNet,
    /// First address.
    pub start: IpAddr,
    /// Last address.
    pub end: IpAddr,
    /// The gateway, which is never given.
    pub gateway: IpAddr,
}

/// The next address.
pub fn next_ip(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => IpAddr::V4(u32::from(ip).wrapping_add(1).into()),
        IpAddr::V6(ip) => IpAddr::V6(u128::from(ip).wrapping_add(1).into()),
    }
}

impl Range {
    /// The range that an object describes; `None` if it names no subnet.
    ///
    /// # Errors
    /// Wrong types, addresses that are none, or that don't fit together.
    pub fn from_json(fields: Struct<'_>) -> Result<Option<Result<Self, String>>, String> {
        let address = |key: &str| -> Result<Option<IpAddr>, String> {
            let text = fields.string(key)?;
            if text.is_empty() { Ok(None) } else { parse_ip(&text).map(Some) }
        };
        let (start, end) = (address("rangeStart")?, address("rangeEnd")?);
        let subnet = fields.string("subnet")?;
        let gateway = address("gateway")?;
        if subnet.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self::complete(parse_cidr(&subnet)?, start, end, gateway)))
    }

    /// Fills in what isn't said. Plugins: `Range.Canonicalize`.
    fn complete(
        subnet: IpNet,
        start: Option<IpAddr>,
        end: Option<IpAddr>,
        gateway: Option<IpAddr>,
    ) -> Result<Self, String> {
        if subnet.prefix_len() > subnet.max_prefix_len() - 2 {
            return Err(format!("Network {subnet} too small to allocate from"));
        }
        if subnet.addr() != subnet.network() {
            return Err(format!(
                "Network has host bits set. For a subnet mask of length {} the network address is {}",
                subnet.prefix_len(),
                subnet.network()
            ));
        }
        let first = next_ip(subnet.addr());
        if let Some(start) = start.filter(|start| !subnet.contains(start)) {
            return Err(format!("RangeStart {start} not in network {subnet}"));
        }
        let start = start.unwrap_or(first);
        if let Some(end) = end.filter(|end| !subnet.contains(end) || *end < start) {
            return Err(format!("RangeEnd {end} not in network {subnet}"));
        }
        let end = end.unwrap_or_else(|| match subnet {
            IpNet::V4(net) => IpAddr::V4(u32::from(net.broadcast()).wrapping_sub(1).into()),
            IpNet::V6(net) => IpAddr::V6(net.broadcast()),
        });
        Ok(Self { subnet, start, end, gateway: gateway.unwrap_or(first) })
    }

    fn contains(&self, ip: IpAddr) -> bool {
        self.subnet.contains(&ip) && self.start <= ip && ip <= self.end
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.contains(other.start)
            || self.contains(other.end)
            || other.contains(self.start)
            || other.contains(self.end)
    }
}

/// Ranges that are used one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeSet(pub Vec<Range>);

impl fmt::Display for RangeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranges: Vec<String> = self.0.iter().map(|r| format!("{}-{}", r.start, r.end)).collect();
        f.write_str(&ranges.join(","))
    }
}

impl RangeSet {
    /// A list of ranges. The outer error is one of types, the inner one of meaning.
    ///
    /// # Errors
    /// Wrong types, addresses that are none.
    pub fn from_json(value: &Value) -> Result<Result<Self, String>, String> {
        let Value::Array(values) = value else {
            return Err("json: cannot unmarshal object into Go struct field IPAMConfig.ranges of type allocator.RangeSet".to_owned());
        };
        let mut ranges = Vec::new();
        for value in values {
            let range = Range::from_json(Struct::new(value, "Range", "allocator.Range")?)?;
            match range.unwrap_or_else(|| Err("IP <nil> not v4 nor v6".to_owned())) {
                Ok(range) => ranges.push(range),
                Err(message) => return Ok(Err(message)),
            }
        }
        Ok(Self(ranges).checked())
    }

    /// Plugins: `RangeSet.Canonicalize`.
    fn checked(self) -> Result<Self, String> {
        let Some(first) = self.0.first() else { return Err("empty range set".to_owned()) };
        if self.0.iter().any(|range| range.start.is_ipv4() != first.start.is_ipv4()) {
            return Err("mixed address families".to_owned());
        }
        for (i, a) in self.0.iter().enumerate() {
            if let Some(b) = self.0.iter().skip(i + 1).find(|b| a.overlaps(b)) {
                return Err(format!("subnets {}-{} and {}-{} overlap", a.start, a.end, b.start, b.end));
            }
        }
        Ok(self)
    }

    /// The range that holds an address.
    pub fn range_of(&self, ip: IpAddr) -> Option<&Range> {
        self.0.iter().find(|range| range.contains(ip))
    }

    /// Whether two sets share addresses.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().any(|a| other.0.iter().any(|b| a.overlaps(b)))
    }

    /// Each address that may be given, from the one behind `last` on and once round.
    /// Plugins: `RangeIter`.
    pub fn addresses(&self, last: Option<IpAddr>) -> Addresses<'_> {
        let at = last.and_then(|last| {
            let index = self.0.iter().position(|range| range.contains(last))?;
            Some((index, last))
        });
        Addresses {
            set: self,
            index: at.map_or(0, |(index, _)| index),
            current: at.map(|(_, ip)| ip),
            first: None,
        }
    }
}

/// The addresses of a set, once round.
pub struct Addresses<'a> {
    set: &'a RangeSet,
    index: usize,
    current: Option<IpAddr>,
    first: Option<IpAddr>,
}

impl<'a> Iterator for Addresses<'a> {
    type Item = (IpAddr, &'a Range);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut range = self.set.0.get(self.index)?;
            let ip = match self.current {
                None => range.start,
                Some(ip) if ip == range.end => {
                    self.index = (self.index + 1) % self.set.0.len();
                    range = self.set.0.get(self.index)?;
                    range.start
                }
                Some(ip) => next_ip(ip),
            };
            if self.first == Some(ip) {
                return None;
            }
            self.first = self.first.or(Some(ip));
            self.current = Some(ip);
            if ip != range.gateway {
                return Some((ip, range));
            }
        }
    }
}
