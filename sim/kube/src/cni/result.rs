use std::net::IpAddr;

use ipnet::IpNet;
use packet::NetnsId;
use serde_json::{Map, Value, json};
use world::Sys;

use super::go_json::{self, Struct};
use super::{Release, link};

/// What a plugin answers to ADD. CNI spec 1.1, section 5, "Success"; held in the newest version's
/// shape and printed in the one that the configuration asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CniResult {
    /// The devices that were made, and the bridge.
    pub interfaces: Vec<Interface>,
    /// The addresses that were given.
    pub ips: Vec<IpConfig>,
    /// The routes of the container.
    pub routes: Vec<Route>,
    /// What its resolver should use.
    pub dns: Dns,
}

/// A device of a result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its address; empty if it has none or it isn't said.
    pub mac: String,
    /// Its MTU in bytes; 0 if it isn't said.
    pub mtu: i64,
    /// The path of its namespace; empty on the host.
    pub sandbox: String,
}

impl Interface {
    /// A device as it is; `sandbox` is the path of its namespace, empty on the host.
    pub fn of(sys: &mut dyn Sys, netns: NetnsId, name: &str, sandbox: &str) -> Self {
        let mac = link::find(sys, netns, name).as_ref().map_or(String::new(), link::mac_text);
        Self { name: name.to_owned(), mac, mtu: 0, sandbox: sandbox.to_owned() }
    }
}

/// An address of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IpConfig {
    /// Index of its device in the result's list.
    pub interface: Option<i64>,
    /// The address with its prefix length.
    pub address: IpNet,
    /// The gateway of its subnet.
    pub gateway: Option<IpAddr>,
}

/// A route of a result or of an `ipam` section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Destination.
    pub dst: IpNet,
    /// Next hop; the address's gateway if it isn't said.
    pub gw: Option<IpAddr>,
    /// MTU in bytes; 0 if it isn't said.
    pub mtu: i64,
    /// Advertised MSS in bytes; 0 if it isn't said.
    pub advmss: i64,
    /// Metric.
    pub priority: i64,
    /// Routing table.
    pub table: Option<i64>,
    /// Scope, as a number.
    pub scope: Option<i64>,
}

/// Resolver settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dns {
    /// Servers.
    pub nameservers: Vec<String>,
    /// Local domain; empty if there is none.
    pub domain: String,
    /// Search list.
    pub search: Vec<String>,
    /// Options.
    pub options: Vec<String>,
}

/// The versions of the spec whose results have `ip4` and `ip6` instead of `ips`.
fn is_old(version: &str) -> bool {
    matches!(version, "" | "0.1.0" | "0.2.0")
}

/// The versions whose `ips` say `version`.
fn says_family(version: &str) -> bool {
    matches!(version, "0.3.0" | "0.3.1" | "0.4.0")
}

/// An address with its prefix length, as Go's `net.ParseCIDR` takes it.
///
/// # Errors
/// `invalid CIDR address: …`.
pub fn parse_cidr(text: &str) -> Result<IpNet, String> {
    text.parse().map_err(|_| format!("invalid CIDR address: {text}"))
}

/// An address, as Go's `net.IP` takes it.
///
/// # Errors
/// `invalid IP address: …`.
pub fn parse_ip(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("invalid IP address: {text}"))
}

/// A network's mask as Go prints it: hexadecimal digits.
pub fn go_mask(net: &IpNet) -> String {
    match net.netmask() {
        IpAddr::V4(mask) => format!("{:08x}", u32::from(mask)),
        IpAddr::V6(mask) => format!("{:032x}", u128::from(mask)),
    }
}

fn optional_ip(fields: Struct<'_>, key: &str) -> Result<Option<IpAddr>, String> {
    let text = fields.string(key)?;
    if text.is_empty() { Ok(None) } else { parse_ip(&text).map(Some) }
}

impl Route {
    /// A route to `dst` and nothing else said.
    pub fn to(dst: IpNet, gw: Option<IpAddr>) -> Self {
        Self { dst, gw, mtu: 0, advmss: 0, priority: 0, table: None, scope: None }
    }

    /// A route as JSON gives it.
    ///
    /// # Errors
    /// Wrong types, addresses that are none.
    pub fn from_json(value: &Value) -> Result<Self, String> {
        let fields = Struct::new(value, "route", "types.route")?;
        Ok(Self {
            dst: parse_cidr(&fields.string("dst")?)?,
            gw: optional_ip(fields, "gw")?,
            mtu: fields.int("mtu")?.unwrap_or(0),
            advmss: fields.int("advmss")?.unwrap_or(0),
            priority: fields.int("priority")?.unwrap_or(0),
            table: fields.int("table")?,
            scope: fields.int("scope")?,
        })
    }

    fn to_json(&self) -> Value {
        let Self { dst, gw, mtu, advmss, priority, table, scope } = self;
        let mut map = Map::new();
        map.insert("dst".to_owned(), dst.to_string().into());
        if let Some(gw) = gw {
            map.insert("gw".to_owned(), gw.to_string().into());
        }
        for (key, number) in [("mtu", mtu), ("advmss", advmss), ("priority", priority)] {
            if *number != 0 {
                map.insert(key.to_owned(), (*number).into());
            }
        }
        for (key, number) in [("table", table), ("scope", scope)] {
            if let Some(number) = number {
                map.insert(key.to_owned(), (*number).into());
            }
        }
        Value::Object(map)
    }
}

/// The routes of a list.
///
/// # Errors
/// Those of [`Route::from_json`].
pub fn routes(values: &[Value]) -> Result<Vec<Route>, String> {
    values.iter().map(Route::from_json).collect()
}

impl Dns {
    /// The settings as JSON gives them.
    ///
    /// # Errors
    /// Wrong types.
    pub fn from_json(fields: Struct<'_>) -> Result<Self, String> {
        Ok(Self {
            nameservers: fields.strings("nameservers")?,
            domain: fields.string("domain")?,
            search: fields.strings("search")?,
            options: fields.strings("options")?,
        })
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn to_json(&self) -> Value {
        let Self { nameservers, domain, search, options } = self;
        let mut map = Map::new();
        if !nameservers.is_empty() {
            map.insert("nameservers".to_owned(), json!(nameservers));
        }
        if !domain.is_empty() {
            map.insert("domain".to_owned(), json!(domain));
        }
        for (key, list) in [("search", search), ("options", options)] {
            if !list.is_empty() {
                map.insert(key.to_owned(), json!(list));
            }
        }
        Value::Object(map)
    }
}

impl CniResult {
    /// A result in the shape of `version`.
    ///
    /// # Errors
    /// Wrong types, addresses that are none.
    pub fn from_json(value: &Value, version: &str) -> Result<Self, String> {
        let fields = Struct::new(value, "Result", "types.Result")?;
        let dns = Dns::from_json(fields.inner("dns", "dns.", "types.DNS")?)?;
        if is_old(version) {
            let mut result = Self { dns, ..Self::default() };
            for key in ["ip4", "ip6"] {
                let Some(family) = fields.get(key) else { continue };
                let family = Struct::new(family, "ipConfig", "types020.ipConfig")?;
                result.ips.push(IpConfig {
                    interface: None,
                    address: parse_cidr(&family.string("ip")?)?,
                    gateway: optional_ip(family, "gateway")?,
                });
                result.routes.extend(routes(family.list("routes", "[]types.Route")?)?);
            }
            return Ok(result);
        }
        let interface = |value: &Value| -> Result<Interface, String> {
            let fields = Struct::new(value, "Interface", "types100.Interface")?;
            Ok(Interface {
                name: fields.string("name")?,
                mac: fields.string("mac")?,
                mtu: fields.int("mtu")?.unwrap_or(0),
                sandbox: fields.string("sandbox")?,
            })
        };
        let ip = |value: &Value| -> Result<IpConfig, String> {
            let fields = Struct::new(value, "ipConfig", "types100.ipConfig")?;
            Ok(IpConfig {
                interface: fields.int("interface")?,
                address: parse_cidr(&fields.string("address")?)?,
                gateway: optional_ip(fields, "gateway")?,
            })
        };
        Ok(Self {
            interfaces: fields
                .list("interfaces", "[]*types100.Interface")?
                .iter()
                .map(interface)
                .collect::<Result<_, _>>()?,
            ips: fields.list("ips", "[]*types100.IPConfig")?.iter().map(ip).collect::<Result<_, _>>()?,
            routes: routes(fields.list("routes", "[]*types.Route")?)?,
            dns,
        })
    }

    /// As a plugin of that release prints it for a configuration of that version.
    ///
    /// # Errors
    /// The version needs an address and there is none.
    pub fn print(&self, version: &str, release: Release) -> Result<String, String> {
        if is_old(version) {
            return self.to_old_json(version).map(|value| go_json::print(&value));
        }
        Ok(go_json::print(&self.to_json(version, release)))
    }

    /// As a plugin of that release prints it in the newest version's shape, whatever it calls itself.
    pub fn print_as_newest(&self, version: &str, release: Release) -> String {
        go_json::print(&self.newest_json(version, release))
    }

    /// In the shape of 0.3.0 and later.
    pub fn to_json(&self, version: &str, release: Release) -> Value {
        if says_family(version) {
            return self.ordered_json(version, true);
        }
        self.newest_json(version, release)
    }

    /// Since 1.9 the newest result goes through a Go map, which leaves out an empty `dns` and sorts
    /// all keys.
    fn newest_json(&self, version: &str, release: Release) -> Value {
        let mut value = self.ordered_json(version, false);
        if release == Release::V1_9 {
            if self.dns.is_empty()
                && let Value::Object(map) = &mut value
            {
                map.shift_remove("dns");
            }
            value.sort_all_objects();
        }
        value
    }

    fn ordered_json(&self, version: &str, says_family: bool) -> Value {
        let Self { interfaces, ips, routes, dns } = self;
        let mut map = Map::new();
        map.insert("cniVersion".to_owned(), version.into());
        let interface = |interface: &Interface| {
            let Interface { name, mac, mtu, sandbox } = interface;
            let mut map = Map::new();
            map.insert("name".to_owned(), name.clone().into());
            if !mac.is_empty() {
                map.insert("mac".to_owned(), mac.clone().into());
            }
            if *mtu != 0 && !says_family {
                map.insert("mtu".to_owned(), (*mtu).into());
            }
            if !sandbox.is_empty() {
                map.insert("sandbox".to_owned(), sandbox.clone().into());
            }
            Value::Object(map)
        };
        let ip = |ip: &IpConfig| {
            let mut map = Map::new();
            if says_family {
                map.insert("version".to_owned(), if ip.address.addr().is_ipv4() { "4" } else { "6" }.into());
            }
            if let Some(interface) = ip.interface {
                map.insert("interface".to_owned(), interface.into());
            }
            map.insert("address".to_owned(), ip.address.to_string().into());
            if let Some(gateway) = ip.gateway {
                map.insert("gateway".to_owned(), gateway.to_string().into());
            }
            Value::Object(map)
        };
        if !interfaces.is_empty() {
            map.insert("interfaces".to_owned(), interfaces.iter().map(interface).collect());
        }
        if !ips.is_empty() {
            map.insert("ips".to_owned(), ips.iter().map(ip).collect());
        }
        if !routes.is_empty() {
            map.insert("routes".to_owned(), routes.iter().map(Route::to_json).collect());
        }
        map.insert("dns".to_owned(), dns.to_json());
        Value::Object(map)
    }

    /// In the shape of 0.1.0 and 0.2.0: the first address of each family.
    fn to_old_json(&self, version: &str) -> Result<Value, String> {
        let mut map = Map::new();
        map.insert("cniVersion".to_owned(), if version.is_empty() { "0.1.0" } else { version }.into());
        for (key, is_v4) in [("ip4", true), ("ip6", false)] {
            let Some(first) = self.ips.iter().find(|ip| ip.address.addr().is_ipv4() == is_v4) else {
                continue;
            };
            let mut family = Map::new();
            family.insert("ip".to_owned(), first.address.to_string().into());
            if let Some(gateway) = first.gateway {
                family.insert("gateway".to_owned(), gateway.to_string().into());
            }
            let routes: Vec<Value> = self
                .routes
                .iter()
                .filter(|route| route.dst.addr().is_ipv4() == is_v4)
                .map(|route| Route::to(route.dst, route.gw).to_json())
                .collect();
            if !routes.is_empty() {
                family.insert("routes".to_owned(), routes.into());
            }
            map.insert(key.to_owned(), family.into());
        }
        if map.len() == 1 {
            return Err("cannot convert: no valid IP addresses".to_owned());
        }
        map.insert("dns".to_owned(), self.dns.to_json());
        Ok(Value::Object(map))
    }
}
