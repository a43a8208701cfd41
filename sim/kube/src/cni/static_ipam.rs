//! `static`: the addresses that the configuration gives. Plugins: `plugins/ipam/static`.

use std::net::IpAddr;

use ipnet::IpNet;
use world::Sys;

use super::call::Call;
use super::check::needed_previous;
use super::go_json::{self, Struct};
use super::result::{CniResult, Dns, IpConfig, Route, parse_ip, routes};
use super::{CniError, Plugin, Release, at_least};

pub(super) const PLUGIN: Plugin = Plugin { name: "static", add, check, del, status: None };

struct Config {
    addresses: Vec<IpConfig>,
    routes: Vec<Route>,
    dns: Dns,
}

fn given(address: IpNet, gateway: Option<IpAddr>) -> IpConfig {
    IpConfig { interface: None, address, gateway }
}

impl Config {
    /// Plugins: `LoadIPAMConfig`.
    fn load(call: &Call) -> Result<Self, CniError> {
        let value = go_json::parse(&call.stdin)?;
        let net = Struct::new(&value, "Net", "main.Net")?;
        if net.get("ipam").is_none() {
            return Err("IPAM config missing 'ipam' key".to_owned().into());
        }
        let ipam = net.inner("ipam", "ipam.", "main.IPAMConfig")?;
        let mut addresses = Vec::new();
        for value in ipam.list("addresses", "[]main.Address")? {
            let fields = Struct::new(value, "Address", "main.Address")?;
            let (text, gateway) = (fields.string("address")?, fields.string("gateway")?);
            let gateway = if gateway.is_empty() { None } else { Some(parse_ip(&gateway)?) };
            let address = text.parse().map_err(|_| {
                format!("the 'address' field is expected to be in CIDR notation, got: '{text}'")
            })?;
            addresses.push(given(address, gateway));
        }
        for (key, value) in call.load_args(&["IP", "GATEWAY"])? {
            for item in value.split(',').map(str::trim) {
                if key == "IP" {
                    let address = item.parse().map_err(|_| {
                        format!("the 'ip' field is expected to be in CIDR notation, got: '{item}'")
                    })?;
                    addresses.push(given(address, None));
                    continue;
                }
                let gateway: IpAddr = item.parse().map_err(|_| format!("invalid gateway address: {item}"))?;
                for ip in addresses.iter_mut().filter(|ip| ip.address.contains(&gateway)) {
                    ip.gateway = Some(gateway);
                }
            }
        }
        let args = net.inner("args", "args.", "struct")?.inner("cni", "args.cni.", "main.IPAMArgs")?;
        let runtime = net.inner("runtimeConfig", "runtimeConfig.", "struct")?;
        for list in [args.strings("ips")?, runtime.strings("ips")?] {
            if list.is_empty() {
                continue;
            }
            addresses.clear();
            for text in list {
                let address = text.parse().map_err(|_| {
                    format!("an entry in the 'ips' field is NOT in CIDR notation, got: '{text}'")
                })?;
                addresses.push(given(address, None));
            }
        }
        let v4 = addresses.iter().filter(|ip| ip.address.addr().is_ipv4()).count();
        let version = call.version()?;
        if (v4 > 1 || addresses.len() - v4 > 1) && !at_least(&version, "0.3.0")? {
            let what = "does not support more than 1 address per family";
            return Err(format!("CNI version {version} {what}").into());
        }
        Ok(Self {
            addresses,
            routes: routes(ipam.list("routes", "[]*types.Route")?)?,
            dns: Dns::from_json(ipam.inner("dns", "ipam.dns.", "types.DNS")?)?,
        })
    }
}

fn add(_: &mut dyn Sys, release: Release, call: &Call) -> Result<String, CniError> {
    let Config { addresses, routes, dns } = Config::load(call)?;
    let result = CniResult { interfaces: Vec::new(), ips: addresses, routes, dns };
    Ok(result.print(&call.version()?, release)?)
}

fn check(_: &mut dyn Sys, _: Release, call: &Call) -> Result<String, CniError> {
    let config = Config::load(call)?;
    let previous = needed_previous(call, "Required prevResult missing")?;
    for own in config.addresses.iter().filter(|own| own.gateway.is_some()) {
        let same = previous.ips.iter().find(|ip| ip.address.addr() == own.address.addr());
        if let Some(same) = same.filter(|same| same.gateway != own.gateway) {
            let (ip, dev) = (same.address.addr(), &call.ifname);
            return Err(format!("static: Failed to match addr {ip} on interface {dev}").into());
        }
    }
    Ok(String::new())
}

fn del(_: &mut dyn Sys, _: Release, _: &Call) -> Result<String, CniError> {
    Ok(String::new())
}
