//! `portmap`: ports of the node that lead to the container. Plugins: `plugins/meta/portmap`.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use kernel::dump::RouteQuery;
use kernel::request::Request;
use netfilter::conntrack::{ConntrackChange, ConntrackFilter};
use packet::Proto;
use serde_json::Value;
use world::Sys;

use super::call::Call;
use super::check::previous;
use super::go_json::{self, Struct};
use super::iptables::{Iptables, chain_name, words};
use super::link::{self, ask, go_text};
use super::port_chain::PortChain;
use super::result::CniResult;
use super::{CniError, Plugin, Release};

pub(super) const PLUGIN: Plugin = Plugin { name: "portmap", add, check, del, status: None };

/// The chain that marks what must be masqueraded.
const SET_MARK: &str = "CNI-HOSTPORT-SETMARK";
/// The chain that masquerades it.
const MASQUERADE: &str = "CNI-HOSTPORT-MASQ";
/// The chain that all containers' chains hang on.
const HOSTPORT_DNAT: &str = "CNI-HOSTPORT-DNAT";

/// One port of the node.
struct Mapping {
    host_port: i64,
    container_port: i64,
    protocol: String,
    host_ip: String,
}

struct Config {
    network: String,
    mappings: Vec<Mapping>,
    snat: bool,
    masq_all: bool,
    mark_bit: u32,
    external_mark_chain: Option<String>,
    conditions: Vec<String>,
    container: Option<IpNet>,
    previous: Option<CniResult>,
}

impl Config {
    /// Plugins: `parseConfig`.
    fn load(call: &Call) -> Result<Self, CniError> {
        let failed =
            |message: String| CniError::from(format!("failed to parse network configuration: {message}"));
        let value = go_json::parse(&call.stdin).map_err(failed)?;
        let fields = Struct::new(&value, "PortMapConf", "main.PortMapConf").map_err(failed)?;
        let runtime = fields.inner("runtimeConfig", "runtimeConfig.", "struct").map_err(failed)?;
        let mapping = |value: &Value| -> Result<Mapping, String> {
            let fields = Struct::new(value, "PortMapEntry", "main.PortMapEntry")?;
            Ok(Mapping {
                host_port: fields.int("hostPort")?.unwrap_or(0),
                container_port: fields.int("containerPort")?.unwrap_or(0),
                protocol: fields.string("protocol")?,
                host_ip: fields.string("hostIP")?,
            })
        };
        let mappings = runtime.list("portMappings", "[]main.PortMapEntry").map_err(failed)?;
        let mappings: Vec<Mapping> =
            mappings.iter().map(mapping).collect::<Result<_, _>>().map_err(failed)?;
        let previous = previous(call)?;
        let external = fields.string("externalSetMarkChain").map_err(failed)?;
        let external_mark_chain = fields.get("externalSetMarkChain").map(|_| external);
        let mark_bit = fields.int("markMasqBit").map_err(failed)?;
        if mark_bit.is_some() && external_mark_chain.is_some() {
            return Err("Cannot specify externalSetMarkChain and markMasqBit".to_owned().into());
        }
        let mark_bit = u32::try_from(mark_bit.unwrap_or(DEFAULT_MARK_BIT)).ok().filter(|&bit| bit <= 31);
        let mark_bit = mark_bit.ok_or_else(|| "MasqMarkBit must be between 0 and 31".to_owned())?;
        match fields.string("backend").map_err(failed)?.as_str() {
            "" | "iptables" => {}
            "nftables" => return Err("portmap: backend `nftables` is not simulated".to_owned().into()),
            other => return Err(format!("unrecognized backend {other:?}").into()),
        }
        for Mapping { host_port, container_port, .. } in &mappings {
            if *container_port <= 0 {
                return Err(format!("Invalid container port number: {container_port}").into());
            }
            if *host_port <= 0 {
                return Err(format!("Invalid host port number: {host_port}").into());
            }
        }
        Ok(Self {
            network: fields.string("name").map_err(failed)?,
            mappings,
            snat: fields.bool("snat").map_err(failed)?.unwrap_or(true),
            masq_all: fields.bool("masqAll").map_err(failed)?.unwrap_or(false),
            mark_bit,
            external_mark_chain,
            conditions: fields.strings("conditionsV4").map_err(failed)?,
            container: previous.as_ref().and_then(|result| container_address(result, &call.ifname)),
            previous,
        })
    }

    /// The container's chain. Plugins: `genDnatChain`, `fillDnatRules`.
    fn dnat_chain(&self, container_id: &str) -> PortChain {
        let mut chain = PortChain {
            name: chain_name("DN-", &self.network, container_id),
            entry_chains: &[HOSTPORT_DNAT],
            ..PortChain::default()
        };
        let Some(container) = self.container else { return chain };
        let comment = trim_comment(format!("dnat name: \"{}\" id: \"{container_id}\"", self.network));
        let mut protocols: Vec<&str> = self.mappings.iter().map(|m| m.protocol.as_str()).collect();
        protocols.sort_unstable();
        protocols.dedup();
        for protocol in protocols {
            let ports: Vec<String> = self
                .mappings
                .iter()
                .filter(|mapping| mapping.protocol == protocol)
                .map(|mapping| mapping.host_port.to_string())
                .collect();
            // multiport takes 15 ports at most.
            for ports in ports.chunks(15) {
                let multiport = ["-m", "multiport", "-p", protocol, "--destination-ports", &ports.join(",")];
                let mut rule = words(&["-m", "comment", "--comment", &comment]);
                rule.extend(words(&multiport));
                rule.extend(self.conditions.iter().cloned());
                chain.entry_rules.push(rule);
            }
        }
        for mapping in &self.mappings {
            chain.rules.extend(self.rules_of(mapping, container));
        }
        chain
    }

    /// Marks what comes from the container itself and from localhost, then translates.
    fn rules_of(&self, mapping: &Mapping, container: IpNet) -> Vec<Vec<String>> {
        let Mapping { host_port, container_port, protocol, host_ip } = mapping;
        let mut base = words(&["-p", protocol, "--dport", &host_port.to_string()]);
        if !host_ip.is_empty() {
            let Ok(IpAddr::V4(ip)) = host_ip.parse::<IpAddr>() else { return Vec::new() };
            if ip != Ipv4Addr::UNSPECIFIED {
                base.extend(words(&["-d", host_ip]));
            }
        }
        let with = |tail: &[&str]| base.iter().cloned().chain(words(tail)).collect::<Vec<String>>();
        let mark = self.external_mark_chain.as_deref().unwrap_or(SET_MARK);
        let mut rules = Vec::new();
        if self.snat {
            let from = if self.masq_all { "0.0.0.0/0".to_owned() } else { container.to_string() };
            rules.push(with(&["-s", &from, "-j", mark]));
            if !self.masq_all {
                rules.push(with(&["-s", "127.0.0.1", "-j", mark]));
            }
        }
        rules.push(with(&[
            "-j",
            "DNAT",
            "--to-destination",
            &format!("{}:{container_port}", container.addr()),
        ]));
        rules
    }
}

/// Bit 13: Kubernetes uses 14 and 15.
const DEFAULT_MARK_BIT: i64 = 13;

/// The first IPv4 address that is the container's, as far as the result says whose it is.
fn container_address(result: &CniResult, ifname: &str) -> Option<IpNet> {
    let ip = result.ips.iter().filter(|ip| ip.address.addr().is_ipv4()).find(|ip| {
        let index = ip.interface.and_then(|index| usize::try_from(index).ok());
        let owner = index.and_then(|index| result.interfaces.get(index));
        owner.is_none_or(|owner| owner.name == ifname && !owner.sandbox.is_empty())
    })?;
    Some(ip.address)
}

/// A comment holds 255 bytes.
fn trim_comment(text: String) -> String {
    if text.len() <= 255 {
        return text;
    }
    let end = (0..=253).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    format!("{}...", text.get(..end).unwrap_or_default())
}

/// Plugins: `genSetMarkChain`.
fn set_mark_chain(mark: &str) -> PortChain {
    let rule =
        ["-m", "comment", "--comment", "CNI portfwd masquerade mark", "-j", "MARK", "--set-xmark", mark];
    PortChain { name: SET_MARK.to_owned(), rules: vec![words(&rule)], ..PortChain::default() }
}

/// Plugins: `genMarkMasqChain`.
fn masquerade_chain(mark: &str) -> PortChain {
    PortChain {
        name: MASQUERADE.to_owned(),
        entry_chains: &["POSTROUTING"],
        entry_rules: vec![words(&["-m", "comment", "--comment", "CNI portfwd requiring masquerade"])],
        rules: vec![words(&["-m", "mark", "--mark", mark, "-j", "MASQUERADE"])],
        first: true,
    }
}

/// Plugins: `genToplevelDnatChain`.
fn hostport_chain() -> PortChain {
    PortChain {
        name: HOSTPORT_DNAT.to_owned(),
        entry_chains: &["PREROUTING", "OUTPUT"],
        entry_rules: vec![words(&["-m", "addrtype", "--dst-type", "LOCAL"])],
        ..PortChain::default()
    }
}

fn add(sys: &mut dyn Sys, release: Release, call: &Call) -> Result<String, CniError> {
    let mut config = Config::load(call).map_err(|error| match error.code {
        999 => CniError::from(format!("failed to parse config: {}", error.msg)),
        _ => error,
    })?;
    let Some(previous) = config.previous.take() else {
        return Err("must be called as chained plugin".to_owned().into());
    };
    let printed = previous.print(&call.version()?, release)?;
    let Some(container) = config.container.filter(|_| !config.mappings.is_empty()) else {
        return Ok(printed);
    };
    forward(&mut Iptables { sys, table: "nat" }, &config, call)?;
    forget_udp(sys, &config);
    if config.snat {
        route_localnet(sys, container.addr())?;
    }
    Ok(printed)
}

/// Plugins: `forwardPorts`.
fn forward(nat: &mut Iptables<'_>, config: &Config, call: &Call) -> Result<(), String> {
    let failed = |what: String| move |error| format!("{what}: {error}");
    if config.snat && config.external_mark_chain.is_none() {
        let bit = 1_u32 << config.mark_bit;
        let mark = format!("{bit:#x}/{bit:#x}");
        for chain in [set_mark_chain(&mark), masquerade_chain(&mark)] {
            chain.setup(nat).map_err(failed(format!("unable to create chain {SET_MARK}")))?;
        }
    }
    hostport_chain().setup(nat).map_err(failed("failed to create top-level DNAT chain".to_owned()))?;
    let chain = config.dnat_chain(&call.container_id);
    chain.setup(nat).map_err(failed("unable to setup DNAT".to_owned()))
}

/// Forgets UDP connections to the ports: they would go on as before. A failure is only logged.
fn forget_udp(sys: &mut dyn Sys, config: &Config) {
    let netns = sys.netns();
    for mapping in config.mappings.iter().filter(|mapping| mapping.protocol.eq_ignore_ascii_case("udp")) {
        let Ok(port) = u16::try_from(mapping.host_port) else { continue };
        let filter =
            ConntrackFilter { proto: Some(Proto::UDP), orig_dport: Some(port), ..ConntrackFilter::default() };
        let _ = ask(sys, netns, Request::Conntrack(ConntrackChange::Delete(Box::new(filter))));
    }
}

/// Lets 127.0.0.0/8 cross to the container's device. Plugins: `enableLocalnetRouting`.
fn route_localnet(sys: &mut dyn Sys, container: IpAddr) -> Result<(), String> {
    let netns = sys.netns();
    let query = RouteQuery { dst: Some(container), ..RouteQuery::default() };
    let Ok(answer) = sys.kernel().route_get(netns, &query, sys.now()) else { return Ok(()) };
    let Some(dev) = answer.dev else { return Ok(()) };
    let key = format!("net.ipv4.conf.{}.route_localnet", dev.replace('.', "/"));
    link::sysctl(sys, netns, &key, "1")
        .map_err(|errno| format!("unable to enable route_localnet: {}", go_text(errno)))
}

fn check(sys: &mut dyn Sys, release: Release, call: &Call) -> Result<String, CniError> {
    let config = Config::load(call)?;
    if config.previous.is_none() {
        return Err("Required prevResult missing".to_owned().into());
    }
    if config.mappings.is_empty() || config.container.is_none() {
        return Ok(String::new());
    }
    let chain = config.dnat_chain(&call.container_id);
    chain
        .check(&mut Iptables { sys, table: "nat" })
        .map_err(|message| format!("could not check ipv4 dnat: {message}"))?;
    if release == Release::V1_1 {
        // It looks for the same rules in ip6tables, where a container without an IPv6 address has none.
        let name = &chain.name;
        return Err(format!("could not check ipv6 dnat: chain {name} not found in iptables table nat").into());
    }
    Ok(String::new())
}

fn del(sys: &mut dyn Sys, _: Release, call: &Call) -> Result<String, CniError> {
    let config = Config::load(call)
        .map_err(|error| CniError::from(format!("failed to parse config: {}", error.msg)))?;
    if config.mappings.is_empty() {
        return Ok(String::new());
    }
    let nat = &mut Iptables { sys, table: "nat" };
    let chain = PortChain { entry_rules: Vec::new(), ..config.dnat_chain(&call.container_id) };
    chain.teardown(nat).map_err(|error| format!("could not teardown ipv4 dnat: {error}"))?;
    Ok(String::new())
}
