//! Starting a container and what remains to do when it ends.

use std::net::{Ipv4Addr, SocketAddr};

use ipnet::Ipv4Net;
use kernel::Errno;
use kernel::socket::SocketKind;
use packet::{NetnsId, Pid};
use world::{Fd, OpenMode, Signal, Spawn, Sys};

use super::bridge::{self, Plug, mac_of};
use super::rules;
use super::shim::Shim;
use super::state::{
    Active, Container, Endpoint, Engine, Network, Publish, Status, make_dirs, new_id, put_file, remove_tree,
    unix_nanos,
};
use crate::image;
use crate::net::read_file;

/// First port that dockerd takes for `-p PORT` (of 1.10 and later: the kernel's range).
const FIRST_PORT: u16 = 32768;

/// The descriptors of the caller that become a container's standard streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streams {
    /// Standard input.
    pub input: Fd,
    /// Standard output.
    pub output: Fd,
    /// Standard error.
    pub error: Fd,
}

/// Starts a container.
///
/// # Errors
/// dockerd's words; the container is left as it was, its error noted.
pub fn start(sys: &mut dyn Sys, engine: &mut Engine, at: usize, streams: Streams) -> Result<(), String> {
    let outcome = try_start(sys, engine, at, streams);
    if let Err(error) = &outcome {
        release(sys, engine, at);
        engine.containers[at].state.error.clone_from(error);
    }
    outcome
}

fn try_start(sys: &mut dyn Sys, engine: &mut Engine, at: usize, streams: Streams) -> Result<(), String> {
    let home = sys.netns();
    let container = engine.containers[at].clone();
    let Some(args) = image::program(&container.args) else {
        return Err(refused("no command specified"));
    };
    let netns = match container.mode.as_str() {
        "host" => NetnsId::INIT,
        mode => match mode.strip_prefix("container:") {
            Some(id) => shared(sys, engine, &container, id)?,
            None => {
                let netns = sys.unshare_netns();
                sys.set_netns(home);
                bridge::loopback(sys, netns);
                netns
            }
        },
    };
    if !container.mode.starts_with("container:") {
        engine.containers[at].sandbox = new_id(sys);
    }
    for number in 0..container.endpoints.len() {
        join(sys, engine, at, number, netns)?;
    }
    publish(sys, engine, at)?;
    for setting in &container.sysctls {
        let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
        bridge::sysctl(sys, netns, key, value).map_err(|refusal| {
            refused(&format!("write sysctl key {key}: {}", refusal.errno.to_string().to_lowercase()))
        })?;
    }
    write_files(sys, engine, at);
    if sys.registry().get(args.first().map_or("", String::as_str)).is_none() {
        let program = container.args.first().cloned().unwrap_or_default();
        return Err(refused(&format!("exec: \"{program}\": executable file not found in $PATH")));
    }
    let mut env = image::environment(&container.hostname);
    env.extend(
        container
            .env
            .iter()
            .filter_map(|pair| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))),
    );
    let cwd = if container.workdir.is_empty() { "/".to_owned() } else { container.workdir.clone() };
    let spawned = sys.spawn(Spawn {
        args,
        netns: Some(netns),
        root: Some(container.root()),
        cwd: Some(cwd),
        env: Some(env),
        fds: vec![(Fd::STDIN, streams.input), (Fd::STDOUT, streams.output), (Fd::STDERR, streams.error)],
        ..Spawn::default()
    });
    let pid = spawned.map_err(|errno| refused(&errno.to_string().to_lowercase()))?;
    sys.name_place(&container.name, pid);
    let shim = Shim::start(sys, &container.id, pid).map_err(|errno| refused(&errno.to_string()))?;
    let state = &mut engine.containers[at].state;
    state.status = Status::Running;
    (state.pid, state.shim) = (pid.0, shim.0);
    state.started = unix_nanos(sys);
    (state.finished, state.exit_code) = (0, 0);
    state.error.clear();
    Ok(())
}

/// What runc says when it can't start a process.
fn refused(why: &str) -> String {
    format!(
        "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container \
         process: {why}: unknown"
    )
}

/// The namespace of the container whose network another one shares.
fn shared(sys: &dyn Sys, engine: &Engine, container: &Container, id: &str) -> Result<NetnsId, String> {
    let other = engine.find(id).map(|at| &engine.containers[at]).ok_or(format!("No such container: {id}"))?;
    if other.id == container.id {
        return Err("cannot join own network".to_owned());
    }
    let netns = sys.netns_of_pid(Pid(other.state.pid)).filter(|_| other.runs());
    netns.ok_or(format!("cannot join network of a non running container: {}", other.id))
}

/// Joins a container to the network of one of its endpoints.
pub fn join(
    sys: &mut dyn Sys,
    engine: &mut Engine,
    at: usize,
    number: usize,
    netns: NetnsId,
) -> Result<(), String> {
    let container = engine.containers[at].clone();
    let endpoint = container.endpoints[number].clone();
    let network = engine.network(&endpoint.network).cloned();
    let network = network.ok_or_else(|| format!("network {} not found", endpoint.network))?;
    let id = new_id(sys);
    engine.containers[at].endpoints[number].id.clone_from(&id);
    let Some(subnet) = network.subnet.filter(|_| network.driver == "bridge") else { return Ok(()) };
    let address = match endpoint.wanted {
        Some(wanted) if !subnet.contains(&wanted) => {
            return Err(format!(
                "Invalid address {wanted}: It does not belong to any of this network's subnets"
            ));
        }
        Some(wanted) if engine.taken(&network, wanted) || Some(wanted) == network.gateway => {
            return Err("Address already in use".to_owned());
        }
        Some(wanted) => wanted,
        None => engine.free_address(&network).ok_or(
            "no available IPv4 addresses on this network's address pools: ".to_owned()
                + &format!("{} ({})", network.name, network.id),
        )?,
    };
    let device = next_device(sys, netns);
    let mac = container.mac.as_ref().and_then(|mac| mac.parse().ok()).filter(|_| number == 0);
    let has_way_out = engine.containers[at].endpoints.iter().any(|e| !e.device.is_empty());
    let gateway = network.gateway.filter(|_| !has_way_out && !network.internal);
    let plug = Plug {
        netns,
        device: &device,
        address: Ipv4Net::new(address, subnet.prefix_len()).unwrap_or(subnet),
        mac: mac.unwrap_or_else(|| mac_of(address)),
        gateway,
    };
    let veth = bridge::plug(sys, &network, &plug, engine.config.proxy()).map_err(|refusal| {
        format!(
            "failed to create endpoint {} on network {}: {}",
            container.name,
            network.name,
            refusal.errno.to_string().to_lowercase()
        )
    })?;
    let endpoint = &mut engine.containers[at].endpoints[number];
    (endpoint.address, endpoint.device, endpoint.veth) = (Some(address), device, veth);
    Ok(())
}

/// The first `ethN` that a namespace doesn't have.
///
/// Simplified: dockerd doesn't give the number of a network that was left again.
fn next_device(sys: &dyn Sys, netns: NetnsId) -> String {
    (0..)
        .map(|n| format!("eth{n}"))
        .find(|name| sys.kernel().dev_by_name(netns, name).is_none())
        .unwrap_or_default()
}

/// Publishes the ports of a container.
fn publish(sys: &mut dyn Sys, engine: &mut Engine, at: usize) -> Result<(), String> {
    let container = engine.containers[at].clone();
    let mut wanted: Vec<Publish> = container.publish.clone();
    wanted.sort_by(|a, b| b.port.cmp(&a.port).then_with(|| a.proto.cmp(&b.proto)));
    let Some((endpoint, network)) = way_in(engine, &container) else { return Ok(()) };
    let (Some(address), bridge) = (endpoint.address, network.bridge.clone()) else { return Ok(()) };
    let failed = |why: String| {
        format!(
            "driver failed programming external connectivity on endpoint {} ({}): {why}",
            container.name, endpoint.id
        )
    };
    for port in wanted {
        let host_ip = port.host_ip.unwrap_or(Ipv4Addr::UNSPECIFIED);
        let host_port = match port.host_port {
            Some(port) => port,
            None => free_port(engine, &port.proto),
        };
        if published(engine, host_ip, host_port, &port.proto) {
            return Err(failed(format!("Bind for {host_ip}:{host_port} failed: port is already allocated")));
        }
        let mut active = Active {
            host_ip,
            host_port,
            port: port.port,
            proto: port.proto.clone(),
            address,
            bridge: bridge.clone(),
            proxy: None,
        };
        let busy = format!(
            "Error starting userland proxy: listen {}4 {host_ip}:{host_port}: bind: address already in use",
            port.proto
        );
        if !bindable(sys, &active) {
            return Err(failed(busy));
        }
        if engine.config.iptables {
            rules::add_port(sys, &active, engine.config.proxy());
        }
        if engine.config.userland_proxy {
            active.proxy = super::proxy::start(sys, &active).map(|pid| pid.0).ok();
        }
        engine.containers[at].active.push(active);
    }
    Ok(())
}

/// The endpoint by which published ports come in: the first on a bridge.
fn way_in(engine: &Engine, container: &Container) -> Option<(Endpoint, Network)> {
    let current = &engine.containers[engine.find(&container.id)?];
    current.endpoints.iter().find_map(|endpoint| {
        let network = engine.network(&endpoint.network)?;
        (network.driver == "bridge").then(|| (endpoint.clone(), network.clone()))
    })
}

fn published(engine: &Engine, ip: Ipv4Addr, port: u16, proto: &str) -> bool {
    let mut all = engine.containers.iter().flat_map(|container| &container.active);
    all.any(|active| {
        let same = active.host_ip == ip || active.host_ip.is_unspecified() || ip.is_unspecified();
        active.host_port == port && active.proto == proto && same
    })
}

fn free_port(engine: &Engine, proto: &str) -> u16 {
    let free = |port: &u16| !published(engine, Ipv4Addr::UNSPECIFIED, *port, proto);
    (FIRST_PORT..=u16::MAX).find(free).unwrap_or(FIRST_PORT)
}

/// Whether nothing else listens on the port of the host.
fn bindable(sys: &mut dyn Sys, active: &Active) -> bool {
    let home = sys.netns();
    sys.set_netns(NetnsId::INIT);
    let kind = if active.proto == "udp" { SocketKind::Udp } else { SocketKind::Tcp };
    let outcome = sys.socket(kind).and_then(|fd| {
        let bound = sys.bind(fd, SocketAddr::new(active.host_ip.into(), active.host_port));
        let bound = bound.and_then(|()| if kind == SocketKind::Tcp { sys.listen(fd, 1) } else { Ok(()) });
        sys.close(fd);
        bound
    });
    sys.set_netns(home);
    outcome != Err(Errno::AddrInUse)
}

/// The files of a container's root that Docker writes.
fn write_files(sys: &mut dyn Sys, engine: &Engine, at: usize) {
    let container = &engine.containers[at];
    let root = container.root();
    image::fill_root(sys, &root, &container.image);
    let host_files = container.mode == "host";
    let sharing = container.mode.strip_prefix("container:").and_then(|id| engine.find(id));
    let source = match sharing {
        Some(other) => Some(engine.containers[other].root()),
        None if host_files => Some(String::new()),
        None => None,
    };
    if let Some(source) = source {
        for file in ["hosts", "hostname", "resolv.conf"] {
            let text = read_file(sys, &format!("{source}/etc/{file}")).unwrap_or_default();
            put_file(sys, &format!("{root}/etc/{file}"), &text);
        }
        return;
    }
    put_file(sys, &format!("{root}/etc/hostname"), &format!("{}\n", container.hostname));
    write_hosts(sys, engine, at);
    let own_network = container.endpoints.iter().any(|endpoint| {
        engine.network(&endpoint.network).is_some_and(|n| n.driver == "bridge" && n.name != "bridge")
    });
    let resolv = if own_network {
        "nameserver 127.0.0.11\noptions ndots:0\n".to_owned()
    } else {
        resolv_conf(sys, engine, container)
    };
    put_file(sys, &format!("{root}/etc/resolv.conf"), &resolv);
}

/// Writes a container's /etc/hosts.
pub fn write_hosts(sys: &mut dyn Sys, engine: &Engine, at: usize) {
    let container = &engine.containers[at];
    let mut text = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\n\
                    ff00::0\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n"
        .to_owned();
    for host in &container.extra_hosts {
        if let Some((name, addr)) = host.split_once(':') {
            text.push_str(&format!("{addr}\t{name}\n"));
        }
    }
    for addr in container.endpoints.iter().filter_map(|endpoint| endpoint.address) {
        text.push_str(&format!("{addr}\t{}\n", container.hostname));
    }
    put_file(sys, &format!("{}/etc/hosts", container.root()), &text);
}

/// The host's resolv.conf without name servers on the host itself; Google's if none is left.
fn resolv_conf(sys: &mut dyn Sys, engine: &Engine, container: &Container) -> String {
    let given = if container.dns.is_empty() { &engine.config.dns } else { &container.dns };
    if !given.is_empty() {
        return given.iter().map(|server| format!("nameserver {server}\n")).collect();
    }
    let host = read_file(sys, "/etc/resolv.conf").unwrap_or_default();
    let local = |line: &str| {
        let mut words = line.split_whitespace();
        words.next() == Some("nameserver") && words.next().is_some_and(|addr| addr.starts_with("127."))
    };
    let mut text: String = host.lines().filter(|line| !local(line)).map(|line| format!("{line}\n")).collect();
    if !text.lines().any(|line| line.starts_with("nameserver")) {
        text.push_str("\nnameserver 8.8.8.8\nnameserver 8.8.4.4\n");
    }
    text
}

/// Takes a container off its networks: what a stop or a failed start leaves to do.
pub fn release(sys: &mut dyn Sys, engine: &mut Engine, at: usize) {
    let proxy = engine.config.proxy();
    for active in std::mem::take(&mut engine.containers[at].active) {
        if engine.config.iptables {
            rules::remove_port(sys, &active, proxy);
        }
        if let Some(pid) = active.proxy {
            let _ = sys.kill(Pid(pid), Signal::Kill);
        }
    }
    for endpoint in &mut engine.containers[at].endpoints {
        if !endpoint.veth.is_empty() {
            bridge::unplug(sys, &endpoint.veth);
        }
        endpoint.id.clear();
        endpoint.veth.clear();
        endpoint.device.clear();
        endpoint.address = None;
    }
}

/// Removes a container and its files.
pub fn forget(sys: &mut dyn Sys, engine: &mut Engine, at: usize) {
    let container = engine.containers.remove(at);
    remove_tree(sys, &format!("/var/lib/docker/overlay2/{}", container.id));
    remove_tree(sys, &format!("/var/lib/docker/containers/{}", container.id));
}

/// The streams of a container that runs in the background: nothing to read (or, with `-i`, a pipe
/// that stays open), and its log to write.
///
/// # Errors
/// What the file system refuses.
pub fn background(sys: &mut dyn Sys, container: &Container) -> Result<Streams, Errno> {
    let log = container.log();
    if let Some((dir, _)) = log.rsplit_once('/') {
        make_dirs(sys, dir);
    }
    let output = sys.open(&log, OpenMode::Append)?;
    let input = if container.interactive { sys.pipe().0 } else { sys.open("/dev/null", OpenMode::Read)? };
    Ok(Streams { input, output, error: output })
}
