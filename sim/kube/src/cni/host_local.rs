//! `host-local`: addresses from ranges, kept in files. Plugins: `plugins/ipam/host-local`.

use std::net::IpAddr;

use ipnet::IpNet;
use world::{FileKind, Sys};

use super::call::Call;
use super::go_json::{self, Struct};
use super::ip_range::{Range, RangeSet};
use super::result::{CniResult, Dns, IpConfig, Route, routes};
use super::{CniError, Plugin, Release, at_least, files};

pub(super) const PLUGIN: Plugin = Plugin { name: "host-local", add, check, del, status: None };

/// The `ipam` section.
struct Config {
    network: String,
    data_dir: String,
    resolv_conf: String,
    routes: Vec<Route>,
    ranges: Vec<RangeSet>,
    requested: Vec<IpAddr>,
}

impl Config {
    /// Plugins: `allocator.LoadIPAMConfig`.
    fn load(call: &Call) -> Result<Self, CniError> {
        let value = go_json::parse(&call.stdin)?;
        let net = Struct::new(&value, "Net", "allocator.Net")?;
        let network = net.string("name")?;
        if net.get("ipam").is_none() {
            return Err("IPAM config missing 'ipam' key".to_owned().into());
        }
        let ipam = net.inner("ipam", "ipam.", "allocator.IPAMConfig")?;
        let single = Range::from_json(ipam)?;
        let mut sets = Vec::new();
        sets.extend(single.map(|range| range.map(|range| RangeSet(vec![range]))));
        for set in ipam.list("ranges", "[]allocator.RangeSet")? {
            sets.push(RangeSet::from_json(set)?);
        }
        let runtime = net.inner("runtimeConfig", "runtimeConfig.", "struct")?;
        let mut given = Vec::new();
        for set in runtime.list("ipRanges", "[]allocator.RangeSet")? {
            given.push(RangeSet::from_json(set)?);
        }
        given.extend(sets);
        if given.is_empty() {
            return Err("no IP ranges specified".to_owned().into());
        }
        let requested = requested(call, net, runtime)?;
        let mut ranges = Vec::new();
        for (index, set) in given.into_iter().enumerate() {
            ranges.push(set.map_err(|message| format!("invalid range set {index}: {message}"))?);
        }
        check_families(&ranges, &call.version()?)?;
        for (i, a) in ranges.iter().enumerate() {
            if let Some(j) = ranges.iter().skip(i + 1).position(|b| a.overlaps(b)) {
                return Err(format!("range set {i} overlaps with {}", i + j + 1).into());
            }
        }
        Ok(Self {
            network,
            data_dir: ipam.string("dataDir")?,
            resolv_conf: ipam.string("resolvConf")?,
            routes: routes(ipam.list("routes", "[]*types.Route")?)?,
            ranges,
            requested,
        })
    }
}

/// Addresses that are asked for: `CNI_ARGS`, `args.cni.ips`, the runtime's.
fn requested(call: &Call, net: Struct<'_>, runtime: Struct<'_>) -> Result<Vec<IpAddr>, CniError> {
    let address = |text: &str| {
        // An address may come with its prefix length.
        let (ip, length) = text.split_once('/').map_or((text, None), |(ip, length)| (ip, Some(length)));
        let whole: Option<IpNet> = length.and_then(|_| text.parse().ok());
        match (ip.parse(), length, whole) {
            (Ok(ip), None, _) | (Ok(ip), Some(_), Some(_)) => Ok(ip),
            _ => Err(format!("invalid IP address {text}")),
        }
    };
    let mut addresses = Vec::new();
    for (key, value) in call.load_args(&["IP"])? {
        let pair = format!("{key}={value}");
        addresses
            .push(address(&value).map_err(|e| format!("ARGS: error parsing value of pair {pair:?}: {e}"))?);
    }
    let args = net.inner("args", "args.", "struct")?.inner("cni", "args.cni.", "allocator.IPAMArgs")?;
    for text in args.strings("ips")?.iter().chain(&runtime.strings("ips")?) {
        addresses.push(address(text)?);
    }
    Ok(addresses)
}

/// Old versions know one address a family.
fn check_families(ranges: &[RangeSet], version: &str) -> Result<(), CniError> {
    let v4 = ranges.iter().filter(|set| set.0.iter().any(|range| range.start.is_ipv4())).count();
    if (v4 > 1 || ranges.len() - v4 > 1) && !at_least(version, "0.3.0")? {
        return Err(format!("CNI version {version} does not support more than 1 address per family").into());
    }
    Ok(())
}

/// The folder of a network: a file for each address that is given.
/// Plugins: `backend/disk`.
struct Store<'a> {
    sys: &'a mut dyn Sys,
    dir: String,
}

impl<'a> Store<'a> {
    fn open(sys: &'a mut dyn Sys, config: &Config) -> Result<Self, CniError> {
        let base = if config.data_dir.is_empty() { "/var/lib/cni/networks" } else { &config.data_dir };
        let dir = format!("{base}/{}", config.network);
        files::make_folder(sys, &dir)?;
        let mut store = Self { sys, dir };
        if store.read("lock").is_none() {
            store.write("lock", "")?;
        }
        Ok(store)
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.dir)
    }

    fn read(&mut self, name: &str) -> Option<String> {
        let path = self.path(name);
        files::read(self.sys, &path).ok()
    }

    fn write(&mut self, name: &str, text: &str) -> Result<(), CniError> {
        let path = self.path(name);
        Ok(files::write(self.sys, &path, text)?)
    }

    /// The files whose text says who has the address: `container` and device, or the container alone
    /// as older releases wrote it.
    fn owned(&mut self, texts: &[&str]) -> Vec<String> {
        let entries = self.sys.read_dir(&self.dir).unwrap_or_default();
        let mut names = Vec::new();
        for entry in entries.into_iter().filter(|entry| entry.kind == FileKind::File) {
            let text = self.read(&entry.name).unwrap_or_default();
            if texts.contains(&text.trim()) {
                names.push(entry.name);
            }
        }
        names
    }

    /// Takes an address; answers whether it was free.
    fn reserve(&mut self, call: &Call, ip: IpAddr, range_id: usize) -> Result<bool, CniError> {
        if self.sys.stat(&self.path(&ip.to_string())).is_ok() {
            return Ok(false);
        }
        self.write(&ip.to_string(), &key(call))?;
        self.write(&format!("last_reserved_ip.{range_id}"), &ip.to_string())?;
        Ok(true)
    }

    fn last_reserved(&mut self, range_id: usize) -> Option<IpAddr> {
        self.read(&format!("last_reserved_ip.{range_id}"))?.parse().ok()
    }

    fn release(&mut self, call: &Call) {
        let mut names = self.owned(&[&key(call)]);
        if names.is_empty() {
            names = self.owned(&[call.container_id.trim()]);
        }
        for name in names {
            // A file that is gone already is as good.
            let _ = self.sys.unlink(&self.path(&name));
        }
    }
}

/// What a file says of its owner.
fn key(call: &Call) -> String {
    format!("{}\r\n{}", call.container_id.trim(), call.ifname)
}

fn add(sys: &mut dyn Sys, release: Release, call: &Call) -> Result<String, CniError> {
    let config = Config::load(call)?;
    let mut result = CniResult::default();
    let mut store = Store::open(sys, &config)?;
    if !config.resolv_conf.is_empty() {
        result.dns = resolv_conf(&mut store, &config.resolv_conf)?;
    }
    let mut requested = config.requested.clone();
    let given = (|| {
        for (index, set) in config.ranges.iter().enumerate() {
            let wanted = requested.iter().position(|&ip| set.range_of(ip).is_some());
            let wanted = wanted.map(|at| requested.remove(at));
            let (ip, range) = allocate(&mut store, call, set, index, wanted)
                .map_err(|error| format!("failed to allocate for range {index}: {}", error.msg))?;
            let address = IpNet::new_assert(ip, range.subnet.prefix_len());
            result.ips.push(IpConfig { interface: None, address, gateway: Some(range.gateway) });
        }
        if requested.is_empty() {
            return Ok(());
        }
        let rest: Vec<String> = requested.iter().map(IpAddr::to_string).collect();
        Err(format!("failed to allocate all requested IPs: {}", rest.join(" ")))
    })();
    if let Err(message) = given {
        if !result.ips.is_empty() {
            store.release(call);
        }
        return Err(message.into());
    }
    result.routes = config.routes;
    Ok(result.print(&call.version()?, release)?)
}

/// Plugins: `IPAllocator.Get`.
fn allocate<'r>(
    store: &mut Store<'_>,
    call: &Call,
    set: &'r RangeSet,
    index: usize,
    wanted: Option<IpAddr>,
) -> Result<(IpAddr, &'r Range), CniError> {
    if let Some(ip) = wanted {
        let range = set.range_of(ip).ok_or_else(|| format!("{ip} not in range set {set}"))?;
        if ip == range.gateway {
            return Err(format!("requested ip {ip} is subnet's gateway").into());
        }
        if !store.reserve(call, ip, index)? {
            return Err(format!("requested IP address {ip} is not available in range set {set}").into());
        }
        return Ok((ip, range));
    }
    let id = call.container_id.trim();
    for name in store.owned(&[&key(call), id]) {
        if let Some(ip) = name.parse().ok().filter(|&ip| set.range_of(ip).is_some()) {
            let (ip, id): (IpAddr, &str) = (ip, &call.container_id);
            let why = "duplicate allocation is not allowed";
            return Err(format!("{ip} has been allocated to {id}, {why}").into());
        }
    }
    let last = store.last_reserved(index);
    for (ip, range) in set.addresses(last) {
        if store.reserve(call, ip, index)? {
            return Ok((ip, range));
        }
    }
    Err(format!("no IP addresses available in range set: {set}").into())
}

/// Plugins: `parseResolvConf`.
fn resolv_conf(store: &mut Store<'_>, path: &str) -> Result<Dns, CniError> {
    let text = files::read(store.sys, path)?;
    let mut dns = Dns::default();
    for line in text.lines() {
        let line = line.trim();
        let mut words = line.split_whitespace().map(str::to_owned);
        if line.starts_with(['#', ';']) {
            continue;
        }
        let (Some(keyword), Some(first)) = (words.next(), words.next()) else { continue };
        match keyword.as_str() {
            "nameserver" => dns.nameservers.push(first),
            "domain" => dns.domain = first,
            "search" => dns.search.extend(std::iter::once(first).chain(words)),
            "options" => dns.options.extend(std::iter::once(first).chain(words)),
            _ => {}
        }
    }
    Ok(dns)
}

fn check(sys: &mut dyn Sys, _: Release, call: &Call) -> Result<String, CniError> {
    let config = Config::load(call)?;
    let mut store = Store::open(sys, &config)?;
    if store.owned(&[&key(call), call.container_id.trim()]).is_empty() {
        let id = &call.container_id;
        return Err(format!("host-local: Failed to find address added by container {id}").into());
    }
    Ok(String::new())
}

fn del(sys: &mut dyn Sys, _: Release, call: &Call) -> Result<String, CniError> {
    let config = Config::load(call)?;
    Store::open(sys, &config)?.release(call);
    Ok(String::new())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::result::parse_ip;
    use super::*;

    fn set(text: &str) -> RangeSet {
        let value: Value = serde_json::from_str(text).expect("valid JSON");
        RangeSet::from_json(&value).expect("right types").expect("a good set")
    }

    #[test]
    fn addresses_go_once_round_and_leave_the_gateway_out() {
        let set = set(r#"[{"subnet": "10.53.0.8/29"}]"#);
        let from = |last: Option<&str>| -> Vec<String> {
            let last = last.map(|last| parse_ip(last).expect("an address"));
            set.addresses(last).map(|(ip, _)| ip.to_string()).collect()
        };
        let all = ["10.53.0.10", "10.53.0.11", "10.53.0.12", "10.53.0.13", "10.53.0.14"];
        assert_eq!(from(None), all);
        assert_eq!(
            from(Some("10.53.0.12")),
            ["10.53.0.13", "10.53.0.14", "10.53.0.10", "10.53.0.11", "10.53.0.12"]
        );
    }
}
