use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde_json::Value;

use crate::cni::go_json::{self, Struct};

/// The network's configuration. flannel: `subnet.Config`.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The whole network.
    pub network: Option<Ipv4Net>,
    /// The first part that is given out.
    pub subnet_min: Option<Ipv4Addr>,
    /// The last one.
    pub subnet_max: Option<Ipv4Addr>,
    /// Prefix length of a node's part.
    pub subnet_len: u8,
    /// `Backend.Type`.
    pub backend_type: String,
    /// `Backend`.
    pub backend: Value,
}

impl Config {
    /// flannel: `ParseConfig`.
    ///
    /// # Errors
    /// In the words of Go's JSON and of flannel.
    pub fn parse(text: &str) -> Result<Self, String> {
        let value = go_json::parse(text)?;
        let fields = Struct::new(&value, "Config", "subnet.Config")?;
        for (name, value) in [("EnableIPv4", true), ("EnableIPv6", false), ("EnableNFTables", false)] {
            if fields.bool(name)?.unwrap_or(value) != value {
                return Err(format!("hoplab: flannel's {name} {} is not simulated", !value));
            }
        }
        let address = |name: &str| -> Result<Option<Ipv4Addr>, String> {
            match fields.string(name)?.as_str() {
                "" => Ok(None),
                text => text.parse().map(Some).map_err(|_| "invalid IP address format".to_owned()),
            }
        };
        let network = match fields.string("Network")?.as_str() {
            "" => None,
            text => {
                let net: Ipv4Net = text.parse().map_err(|_| format!("invalid CIDR address: {text}"))?;
                Some(net.trunc())
            }
        };
        let subnet_len = fields.int("SubnetLen")?.unwrap_or(0);
        let backend = fields.get("Backend").cloned().unwrap_or(Value::Null);
        let backend_type = match &backend {
            Value::Null => "udp".to_owned(),
            backend => {
                let type_of = || Struct::new(backend, "", "struct { Type string }")?.string("Type");
                type_of().map_err(|error| format!("error decoding Backend property of config: {error}"))?
            }
        };
        Ok(Self {
            network,
            subnet_min: address("SubnetMin")?,
            subnet_max: address("SubnetMax")?,
            subnet_len: u8::try_from(subnet_len).unwrap_or(u8::MAX),
            backend_type,
            backend,
        })
    }

    /// Checks what is given and fills in the rest, for a network whose parts flannel gives out.
    /// flannel: `CheckNetworkConfig`.
    ///
    /// # Errors
    /// In flannel's words.
    pub fn complete(mut self) -> Result<Self, String> {
        let Some(network) = self.network else {
            return Err("please define a correct Network parameter in the flannel config".to_owned());
        };
        let length = network.prefix_len();
        match self.subnet_len {
            0 if length > 28 => {
                return Err("network is too small. Minimum useful network prefix is /28".to_owned());
            }
            0 => self.subnet_len = if length <= 22 { 24 } else { length + 2 },
            31.. => return Err("SubnetLen must be less than /31".to_owned()),
            given if given < length + 2 => {
                return Err("network must be able to accommodate at least four subnets".to_owned());
            }
            _ => {}
        }
        let size = 1_u32 << (32 - self.subnet_len);
        // The first part is left out: its first address is the network's own.
        let min = self.subnet_min.unwrap_or_else(|| Ipv4Addr::from(u32::from(network.network()) + size));
        let last = u32::from(network.broadcast()) - (size - 1);
        let max = self.subnet_max.unwrap_or_else(|| Ipv4Addr::from(last));
        for (name, addr) in [("SubnetMin", min), ("SubnetMax", max)] {
            if !network.contains(&addr) {
                return Err(format!("{name} is not in the range of the Network"));
            }
            if u32::from(addr) % size != 0 {
                return Err(format!("{name} is not on a SubnetLen boundary: {addr}"));
            }
        }
        (self.subnet_min, self.subnet_max) = (Some(min), Some(max));
        Ok(self)
    }

    /// Whether a part fits the configuration. flannel: `isSubnetConfigCompat`.
    pub fn fits(&self, subnet: Ipv4Net) -> bool {
        let addr = subnet.network();
        self.subnet_min.is_none_or(|min| addr >= min)
            && self.subnet_max.is_none_or(|max| addr <= max)
            && subnet.prefix_len() == self.subnet_len
    }

    /// The parts that may be given out, in order.
    pub fn subnets(&self) -> impl Iterator<Item = Ipv4Net> + '_ {
        let min = u32::from(self.subnet_min.unwrap_or(Ipv4Addr::UNSPECIFIED));
        let max = u32::from(self.subnet_max.unwrap_or(Ipv4Addr::UNSPECIFIED));
        let size = 1_usize << (32 - self.subnet_len.clamp(1, 32));
        let addrs = (min..=max).step_by(size);
        addrs.filter_map(|addr| Ipv4Net::new(Ipv4Addr::from(addr), self.subnet_len).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::Config;

    #[test]
    fn a_configuration_is_completed_or_refused() {
        let cases = [
            (r#"{"Network": "10.244.0.0/16"}"#, "10.244.1.0 10.244.255.0 24 udp"),
            (r#"{"Network": "10.0.0.0/24", "Backend": {"Type": "vxlan"}}"#, "10.0.0.64 10.0.0.192 26 vxlan"),
            (
                r#"{"Network": "100.96.0.0/16", "SubnetMin": "100.96.1.0", "SubnetMax": "100.96.3.0"}"#,
                "100.96.1.0 100.96.3.0 24 udp",
            ),
            ("{}", "please define a correct Network parameter in the flannel config"),
            (r#"{"Network": "10.0.0.0/29"}"#, "network is too small. Minimum useful network prefix is /28"),
            (
                r#"{"Network": "10.0.0.0/16", "SubnetLen": 17}"#,
                "network must be able to accommodate at least four subnets",
            ),
            (r#"{"Network": "10.0.0.0/16", "SubnetLen": 31}"#, "SubnetLen must be less than /31"),
            (
                r#"{"Network": "10.0.0.0/16", "SubnetMin": "10.1.0.0"}"#,
                "SubnetMin is not in the range of the Network",
            ),
            (
                r#"{"Network": "10.0.0.0/16", "SubnetMax": "10.0.3.1"}"#,
                "SubnetMax is not on a SubnetLen boundary: 10.0.3.1",
            ),
            (r#"{"Network": "10.0.0.0"}"#, "invalid CIDR address: 10.0.0.0"),
            ("{", "unexpected end of JSON input"),
        ];
        for (text, expected) in cases {
            let shown = match Config::parse(text).and_then(Config::complete) {
                Ok(config) => format!(
                    "{} {} {} {}",
                    config.subnet_min.expect("it was filled in"),
                    config.subnet_max.expect("it was filled in"),
                    config.subnet_len,
                    config.backend_type
                ),
                Err(error) => error,
            };
            assert_eq!(shown, expected, "{text}");
        }
    }
}
