//! `docker network`.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use packet::{NetnsId, Pid};
use world::Sys;

use super::list::table;
use super::start::{join, write_hosts};
use super::state::{Endpoint, Engine, Network, new_id, unix_nanos};
use super::{Usage, bridge, daemon_error, inspect, rules};
use crate::console::{Console, Stop};
use crate::pflag::{Flag, Kind, Words};

const CREATE: Usage =
    Usage { name: "network create", usage: "network create [OPTIONS] NETWORK", about: "Create a network" };
const RM: Usage = Usage {
    name: "network rm",
    usage: "network rm NETWORK [NETWORK...]",
    about: "Remove one or more networks",
};
const LS: Usage = Usage { name: "network ls", usage: "network ls [OPTIONS]", about: "List networks" };
const CONNECT: Usage = Usage {
    name: "network connect",
    usage: "network connect [OPTIONS] NETWORK CONTAINER",
    about: "Connect a container to a network",
};
const DISCONNECT: Usage = Usage {
    name: "network disconnect",
    usage: "network disconnect [OPTIONS] NETWORK CONTAINER",
    about: "Disconnect a container from a network",
};

/// `docker network …`.
///
/// # Errors
/// Docker's words and status.
pub fn network(console: &mut Console<'_>, args: &[String]) -> Result<i32, Stop> {
    const HELP: &str = "\nUsage:  docker network COMMAND\n\nManage networks\n\nCommands:\n  connect     Connect a container to a network\n  create      Create a network\n  disconnect  Disconnect a container from a network\n  inspect     Display detailed information on one or more networks\n  ls          List networks\n  prune       Remove all unused networks\n  rm          Remove one or more networks\n\nRun 'docker network COMMAND --help' for more information on a command.\n";
    let Some((verb, rest)) = args.split_first() else {
        console.out(HELP);
        return Ok(0);
    };
    match verb.as_str() {
        "ls" | "list" => ls(console, rest),
        "inspect" => inspect::network(console, rest),
        "create" => create(console, rest),
        "rm" | "remove" => rm(console, rest),
        "connect" => connect(console, rest),
        "disconnect" => disconnect(console, rest),
        "prune" => Err(Stop::exit(2, "hoplab: docker network prune is not simulated")),
        verb => Err(Stop::exit(
            1,
            format!("docker: 'network {verb}' is not a docker command.\nSee 'docker network --help'"),
        )),
    }
}

fn ls(console: &mut Console<'_>, args: &[String]) -> Result<i32, Stop> {
    const FLAGS: &[Flag] = &[
        ("quiet", 'q', Kind::Switch),
        ("no-trunc", ' ', Kind::Switch),
        ("filter", 'f', Kind::Text),
        ("format", ' ', Kind::Foreign),
    ];
    let parsed = LS.parse(FLAGS, args, Words::Anywhere)?;
    let engine = Engine::load(console.sys);
    let mut networks: Vec<&Network> = engine.networks.iter().collect();
    networks.sort_by(|a, b| a.name.cmp(&b.name));
    for filter in parsed.all("filter") {
        match filter.split_once('=') {
            Some(("driver", driver)) => networks.retain(|network| network.driver == driver),
            Some(("name", name)) => networks.retain(|network| network.name.contains(name)),
            _ => {
                return Err(Stop::exit(
                    2,
                    format!("hoplab: docker network ls --filter {filter} is not simulated"),
                ));
            }
        }
    }
    let full = parsed.on("no-trunc");
    let id = |network: &Network| if full { network.id.clone() } else { network.short().to_owned() };
    if parsed.on("quiet") {
        for network in networks {
            console.line(&id(network));
        }
        return Ok(0);
    }
    let mut rows = vec![["NETWORK ID", "NAME", "DRIVER", "SCOPE"].map(str::to_owned).to_vec()];
    rows.extend(networks.iter().map(|n| vec![id(n), n.name.clone(), n.driver.clone(), "local".to_owned()]));
    console.out(&table(&rows));
    Ok(0)
}

fn create(console: &mut Console<'_>, args: &[String]) -> Result<i32, Stop> {
    const FLAGS: &[Flag] = &[
        ("driver", 'd', Kind::Text),
        ("subnet", ' ', Kind::Text),
        ("gateway", ' ', Kind::Text),
        ("opt", 'o', Kind::Text),
        ("internal", ' ', Kind::Switch),
        ("attachable", ' ', Kind::Switch),
        ("label", ' ', Kind::Text),
        ("ip-range", ' ', Kind::Foreign),
        ("aux-address", ' ', Kind::Foreign),
        ("ipv6", ' ', Kind::ForeignSwitch),
        ("ipam-driver", ' ', Kind::Foreign),
        ("scope", ' ', Kind::Foreign),
    ];
    let parsed = CREATE.parse(FLAGS, args, Words::Anywhere)?;
    let [name] = parsed.words.as_slice() else { return Err(CREATE.arguments("exactly 1 argument")) };
    let gateway = match parsed.get("gateway").map(str::parse::<Ipv4Addr>) {
        None => None,
        Some(Ok(gateway)) => Some(gateway),
        Some(Err(_)) => {
            return Err(daemon_error(&format!(
                "invalid gateway address {}",
                parsed.get("gateway").unwrap_or_default()
            )));
        }
    };
    let subnet =
        match parsed.get("subnet") {
            None if gateway.is_some() => {
                return Err(Stop::exit(1, "every ip-range or gateway must have a corresponding subnet"));
            }
            None => None,
            Some(text) => Some(text.parse::<Ipv4Net>().map_err(|_| {
                daemon_error(&format!("Invalid subnet {text} : invalid CIDR address: {text}"))
            })?),
        };
    if let (Some(subnet), Some(gateway)) = (subnet, gateway)
        && !subnet.contains(&gateway)
    {
        return Err(Stop::exit(1, format!("no matching subnet for gateway {gateway}")));
    }
    match parsed.get("driver").unwrap_or("bridge") {
        "bridge" => {}
        driver @ ("macvlan" | "ipvlan" | "overlay") => {
            return Err(Stop::exit(2, format!("hoplab: the network driver {driver} is not simulated")));
        }
        driver => return Err(daemon_error(&format!("plugin \"{driver}\" not found"))),
    }
    let mut engine = Engine::load(console.sys);
    if ["bridge", "host", "none"].contains(&name.as_str()) {
        return Err(daemon_error(&format!("operation is not permitted on predefined {name} network")));
    }
    if engine.networks.iter().any(|network| network.name == *name) {
        return Err(daemon_error(&format!("network with name {name} already exists")));
    }
    let overlaps = |pool: &Ipv4Net| {
        let used = engine.networks.iter().filter_map(|network| network.subnet);
        used.into_iter().any(|other| other.contains(pool) || pool.contains(&other))
    };
    let subnet = match subnet {
        Some(subnet) if overlaps(&subnet) => {
            return Err(daemon_error("Pool overlaps with other one on this address space"));
        }
        Some(subnet) => subnet,
        None => {
            let pools = pools();
            let (at, pool) = (0..pools.len())
                .map(|n| (engine.next_pool + n) % pools.len())
                .filter_map(|at| pools.get(at).map(|pool| (at, *pool)))
                .find(|(_, pool)| !overlaps(pool) && !routed(console.sys, pool))
                .ok_or_else(|| {
                    daemon_error(
                        "could not find an available, non-overlapping IPv4 address pool among the defaults to \
                         assign to the network",
                    )
                })?;
            engine.next_pool = (at + 1) % pools.len();
            pool
        }
    };
    let pairs = |name: &str| -> BTreeMap<String, String> {
        let split = |pair: String| match pair.split_once('=') {
            Some((key, value)) => (key.to_owned(), value.to_owned()),
            None => (pair, String::new()),
        };
        parsed.all(name).into_iter().map(split).collect()
    };
    let options = pairs("opt");
    const KNOWN: [&str; 3] = [
        "com.docker.network.bridge.name",
        "com.docker.network.driver.mtu",
        "com.docker.network.bridge.enable_ip_masquerade",
    ];
    if let Some(other) = options.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        return Err(Stop::exit(2, format!("hoplab: the network option {other} is not simulated")));
    }
    let id = new_id(console.sys);
    let bridge = match options.get("com.docker.network.bridge.name") {
        Some(bridge) => bridge.clone(),
        None => format!("br-{}", id.get(..12).unwrap_or_default()),
    };
    let mtu = options.get("com.docker.network.driver.mtu").and_then(|mtu| mtu.parse().ok());
    let network = Network {
        id,
        name: name.clone(),
        driver: "bridge".to_owned(),
        subnet: Some(subnet.trunc()),
        gateway: gateway.or_else(|| subnet.trunc().hosts().next()),
        bridge,
        options,
        internal: parsed.on("internal"),
        labels: pairs("label"),
        mtu: mtu.unwrap_or(1500),
        created: unix_nanos(console.sys),
    };
    let proxy = engine.config.proxy();
    bridge::set_up(console.sys, &network, proxy)
        .map_err(|refusal| daemon_error(&refusal.errno.to_string()))?;
    if engine.config.iptables {
        rules::add_bridge(console.sys, &network, proxy, masquerades(&engine, &network));
    }
    console.line(&network.id);
    engine.networks.push(network);
    engine.save(console.sys);
    Ok(0)
}

fn masquerades(engine: &Engine, network: &Network) -> bool {
    let option = network.options.get("com.docker.network.bridge.enable_ip_masquerade");
    option.map_or(engine.config.ip_masq, |value| value == "true")
}

/// The pools that networks without a subnet get, in order: 172.17–31.0.0/16, then 192.168.0.0/20
/// and so on. libnetwork: `ipamutils`.
fn pools() -> Vec<Ipv4Net> {
    let large = (17..=31).filter_map(|n| Ipv4Net::new(Ipv4Addr::new(172, n, 0, 0), 16).ok());
    let small = (0..16).filter_map(|n| Ipv4Net::new(Ipv4Addr::new(192, 168, n * 16, 0), 20).ok());
    large.chain(small).collect()
}

/// Whether the host has an address in the pool: dockerd avoids what is routed.
fn routed(sys: &dyn Sys, pool: &Ipv4Net) -> bool {
    sys.kernel().addrs(NetnsId::INIT).iter().any(|info| match info.addr.local {
        ipnet::IpNet::V4(addr) => pool.contains(&addr.addr()) || addr.contains(&pool.addr()),
        ipnet::IpNet::V6(_) => false,
    })
}

fn rm(console: &mut Console<'_>, args: &[String]) -> Result<i32, Stop> {
    let parsed = RM.parse(&[], args, Words::Anywhere)?;
    if parsed.words.is_empty() {
        return Err(RM.arguments("at least 1 argument"));
    }
    let mut failed = false;
    for word in &parsed.words {
        let mut engine = Engine::load(console.sys);
        let error = match engine.find_network(word) {
            None => format!("Error: No such network: {word}\n"),
            Some(at) => {
                let network = engine.networks[at].clone();
                let mut endpoints = engine.containers.iter().flat_map(|container| &container.endpoints);
                let busy =
                    endpoints.any(|endpoint| endpoint.network == network.id && !endpoint.id.is_empty());
                if ["bridge", "host", "none"].contains(&network.name.as_str()) {
                    format!(
                        "Error response from daemon: {} is a pre-defined network and cannot be removed\n",
                        network.name
                    )
                } else if busy {
                    format!(
                        "Error response from daemon: error while removing network: network {} id {} has active \
                         endpoints\n",
                        network.name, network.id
                    )
                } else {
                    if engine.config.iptables {
                        let masquerade = masquerades(&engine, &network);
                        rules::remove_bridge(console.sys, &network, engine.config.proxy(), masquerade);
                    }
                    bridge::tear_down(console.sys, &network);
                    engine.networks.remove(at);
                    engine.save(console.sys);
                    console.line(word);
                    continue;
                }
            }
        };
        console.error(&error);
        failed = true;
    }
    Ok(i32::from(failed))
}

/// The network and container of `connect` and `disconnect`.
fn pair(engine: &Engine, words: &[String], usage: &Usage) -> Result<(usize, usize), Stop> {
    let [network, container] = words else { return Err(usage.arguments("exactly 2 arguments")) };
    let at =
        engine.find(container).ok_or_else(|| daemon_error(&format!("No such container: {container}")))?;
    let network =
        engine.find_network(network).ok_or_else(|| daemon_error(&format!("network {network} not found")))?;
    Ok((network, at))
}

fn connect(console: &mut Console<'_>, args: &[String]) -> Result<i32, Stop> {
    const FLAGS: &[Flag] = &[
        ("ip", ' ', Kind::Text),
        ("alias", ' ', Kind::Text),
        ("link", ' ', Kind::Foreign),
        ("ip6", ' ', Kind::Foreign),
    ];
    let parsed = CONNECT.parse(FLAGS, args, Words::Anywhere)?;
    let mut engine = Engine::load(console.sys);
    let (network, at) = pair(&engine, &parsed.words, &CONNECT)?;
    let network = engine.networks[network].clone();
    let container = engine.containers[at].clone();
    let wanted = match parsed.get("ip").map(str::parse::<Ipv4Addr>) {
        None => None,
        Some(Ok(addr)) => Some(addr),
        Some(Err(_)) => {
            return Err(daemon_error(&format!(
                "invalid IPv4 address: {}",
                parsed.get("ip").unwrap_or_default()
            )));
        }
    };
    if container.mode == "host" || container.mode.starts_with("container:") || network.driver == "host" {
        return Err(daemon_error(
            "container sharing network namespace with another container or host cannot be connected to any other \
             network",
        ));
    }
    if container.mode == "none" || network.driver == "null" {
        return Err(daemon_error(
            "container cannot be connected to multiple networks with one of the networks in private (none) mode",
        ));
    }
    if container.endpoints.iter().any(|endpoint| endpoint.network == network.id) {
        return Err(daemon_error(&format!(
            "endpoint with name {} already exists in network {}",
            container.name, network.name
        )));
    }
    let mut aliases = parsed.all("alias");
    if network.name != "bridge" {
        aliases.push(container.short().to_owned());
    }
    engine.containers[at].endpoints.push(Endpoint {
        network: network.id.clone(),
        id: String::new(),
        address: None,
        wanted,
        device: String::new(),
        veth: String::new(),
        aliases,
    });
    if let Some(netns) = console.sys.netns_of_pid(Pid(container.state.pid)).filter(|_| container.runs()) {
        let number = engine.containers[at].endpoints.len() - 1;
        join(console.sys, &mut engine, at, number, netns).map_err(|why| daemon_error(&why))?;
        write_hosts(console.sys, &engine, at);
    }
    engine.save(console.sys);
    Ok(0)
}

fn disconnect(console: &mut Console<'_>, args: &[String]) -> Result<i32, Stop> {
    const FLAGS: &[Flag] = &[("force", 'f', Kind::Switch)];
    let parsed = DISCONNECT.parse(FLAGS, args, Words::Anywhere)?;
    let mut engine = Engine::load(console.sys);
    let (network, at) = pair(&engine, &parsed.words, &DISCONNECT)?;
    let network = engine.networks[network].clone();
    let container = &engine.containers[at];
    let Some(number) = container.endpoints.iter().position(|endpoint| endpoint.network == network.id) else {
        return Err(daemon_error(&format!(
            "container {} is not connected to network {}",
            container.id, network.name
        )));
    };
    let endpoint = engine.containers[at].endpoints.remove(number);
    if let Some(address) = endpoint.address {
        let proxy = engine.config.proxy();
        let (gone, kept) = engine.containers[at].active.drain(..).partition(|port| port.address == address);
        engine.containers[at].active = kept;
        let gone: Vec<super::state::Active> = gone;
        for port in gone {
            if engine.config.iptables {
                rules::remove_port(console.sys, &port, proxy);
            }
            if let Some(pid) = port.proxy {
                let _ = console.sys.kill(Pid(pid), world::Signal::Kill);
            }
        }
        bridge::unplug(console.sys, &endpoint.veth);
        write_hosts(console.sys, &engine, at);
    }
    engine.save(console.sys);
    Ok(0)
}
