//! `dockerd`: its configuration and what it does when it starts.

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use world::{Args, Next, Program, Sys, Wait};

use super::bridge;
use super::rules::{self, Proxy};
use super::state::{Engine, Network, PID_FILE, Status, new_id, put_file, unix_nanos};
use crate::net::{complain, read_file};
use crate::pflag::{Flag, Kind, Words, parse};

/// The socket's place; clients only look whether it is there.
pub const SOCKET: &str = "/run/docker.sock";

/// What /etc/docker/daemon.json and the options say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// `bip`: address of docker0.
    pub bip: Option<Ipv4Net>,
    /// `iptables`.
    pub iptables: bool,
    /// `ip-forward`.
    pub ip_forward: bool,
    /// `ip-masq`.
    pub ip_masq: bool,
    /// `userland-proxy`.
    pub userland_proxy: bool,
    /// `mtu` of the default bridge's containers.
    pub mtu: u32,
    /// `dns`.
    pub dns: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bip: None,
            iptables: true,
            ip_forward: true,
            ip_masq: true,
            userland_proxy: true,
            mtu: 1500,
            dns: Vec::new(),
        }
    }
}

impl Config {
    /// How published ports reach containers.
    pub fn proxy(&self) -> Proxy {
        if self.userland_proxy { Proxy::Userland } else { Proxy::Hairpin }
    }
}

const CONFIG_FILE: &str = "/etc/docker/daemon.json";

/// Settings that have nothing to do with networks: taken without effect.
const WITHOUT_EFFECT: &[&str] = &[
    "data-root",
    "debug",
    "exec-opts",
    "group",
    "hosts",
    "insecure-registries",
    "labels",
    "log-driver",
    "log-level",
    "log-opts",
    "max-concurrent-downloads",
    "registry-mirrors",
    "storage-driver",
    "storage-opts",
];

/// Settings of dockerd that are not simulated.
const NOT_SIMULATED: &[&str] = &[
    "bridge",
    "default-address-pools",
    "default-gateway",
    "dns-opts",
    "dns-search",
    "fixed-cidr",
    "fixed-cidr-v6",
    "icc",
    "ip",
    "ip6tables",
    "ipv6",
    "live-restore",
    "userns-remap",
];

const FLAGS: &[Flag] = &[
    ("bip", ' ', Kind::Text),
    ("dns", ' ', Kind::Text),
    ("host", 'H', Kind::Text),
    ("debug", 'D', Kind::Switch),
    ("storage-driver", 's', Kind::Text),
    ("data-root", ' ', Kind::Text),
    ("ip-forward", ' ', Kind::Switch),
    ("ip-masq", ' ', Kind::Switch),
    ("iptables", ' ', Kind::Switch),
    ("mtu", ' ', Kind::Text),
    ("userland-proxy", ' ', Kind::Switch),
    ("bridge", 'b', Kind::Foreign),
    ("fixed-cidr", ' ', Kind::Foreign),
    ("icc", ' ', Kind::ForeignSwitch),
    ("ipv6", ' ', Kind::ForeignSwitch),
    ("default-gateway", ' ', Kind::Foreign),
    ("default-address-pool", ' ', Kind::Foreign),
];

/// The configuration that options and file give.
fn configure(sys: &mut dyn Sys, args: &[String]) -> Result<Config, (i32, String)> {
    let parsed = parse(&[FLAGS], args, Words::Anywhere)
        .map_err(|error| (125, format!("{error}\nSee 'dockerd --help'.\n")))?;
    let bad_file =
        |why: String| (1, format!("unable to configure the Docker daemon with file {CONFIG_FILE}: {why}\n"));
    let mut values: Vec<(String, Value)> = Vec::new();
    if let Some(text) = read_file(sys, CONFIG_FILE) {
        let file: Value = serde_json::from_str(&text).map_err(|error| bad_file(error.to_string()))?;
        let Value::Object(file) = file else { return Err(bad_file("expected a JSON object".to_owned())) };
        values.extend(file);
    }
    for (name, _, kind) in FLAGS {
        match (parsed.get(name), kind) {
            (Some(value), Kind::Switch) => values.push(((*name).to_owned(), Value::Bool(value == "true"))),
            (Some(value), _) => values.push(((*name).to_owned(), Value::String(value.to_owned()))),
            (None, _) => {}
        }
    }
    let mut config = Config::default();
    for (name, value) in values {
        let wrong = || bad_file(format!("{name}: {value} is not a valid value"));
        let switch = || value.as_bool().ok_or_else(wrong);
        match name.as_str() {
            "bip" => {
                let bip = value.as_str().unwrap_or_default();
                config.bip = Some(bip.parse().map_err(|_| {
                    (1, format!("failed to start daemon: Error initializing network controller: Error creating default \"bridge\" network: failed to parse bip: invalid CIDR address: {bip}\n"))
                })?);
            }
            "iptables" => config.iptables = switch()?,
            "ip-forward" => config.ip_forward = switch()?,
            "ip-masq" => config.ip_masq = switch()?,
            "userland-proxy" => config.userland_proxy = switch()?,
            "mtu" => {
                let mtu = value.as_u64().or_else(|| value.as_str()?.parse().ok());
                config.mtu = mtu.and_then(|mtu| u32::try_from(mtu).ok()).ok_or_else(wrong)?;
            }
            "dns" => match &value {
                Value::String(one) => config.dns.push(one.clone()),
                Value::Array(all) => {
                    config.dns.extend(all.iter().filter_map(Value::as_str).map(str::to_owned))
                }
                _ => return Err(wrong()),
            },
            "host" => {}
            name if WITHOUT_EFFECT.contains(&name) => {}
            name if NOT_SIMULATED.contains(&name) => {
                return Err((1, format!("hoplab: {CONFIG_FILE}: `{name}` is not simulated\n")));
            }
            name => {
                return Err(bad_file(format!(
                    "the following directives don't match any configuration option: {name}"
                )));
            }
        }
    }
    Ok(config)
}

/// `dockerd`.
#[derive(Clone, Debug)]
pub struct Dockerd {
    args: Args,
    started: bool,
}

impl Dockerd {
    /// A daemon with these arguments.
    pub fn new(args: Args) -> Self {
        Self { args, started: false }
    }
}

impl Program for Dockerd {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        if !self.started {
            if let Err((status, message)) = start(sys, self.args.get(1..).unwrap_or_default()) {
                complain(sys, &message);
                return Next::Exit(status);
            }
            self.started = true;
        }
        Next::Wait(Wait::default())
    }

    fn signal(&mut self, sys: &mut dyn Sys, _signal: world::Signal) -> Next {
        // What it wrote into the kernel stays; its containers end with it.
        super::stop::stop_all(sys);
        let _ = sys.unlink(PID_FILE);
        let _ = sys.unlink(SOCKET);
        Next::Exit(0)
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

fn start(sys: &mut dyn Sys, args: &[String]) -> Result<(), (i32, String)> {
    let config = configure(sys, args)?;
    if Engine::runs(sys) {
        let pid = read_file(sys, PID_FILE).unwrap_or_default();
        return Err((
            1,
            format!(
                "failed to start daemon: pid file found, ensure docker is not running or delete /var/run/docker.pid (pid {})\n",
                pid.trim()
            ),
        ));
    }
    let own = sys.pid().0.to_string();
    put_file(sys, PID_FILE, &own);
    let mut engine = Engine::load(sys);
    let proxy = config.proxy();
    if config.iptables {
        rules::set_up(sys, proxy);
    }
    if engine.networks.is_empty() {
        predefined(sys, &mut engine);
    }
    default_bridge(&mut engine, &config);
    for container in &mut engine.containers {
        if container.runs() {
            container.state.status = Status::Exited;
        }
    }
    let forwarding = sys.kernel().sysctl_get(packet::NetnsId::INIT, "net.ipv4.ip_forward");
    if config.ip_forward && forwarding.is_ok_and(|value| value != "1") {
        let _ = bridge::sysctl(sys, packet::NetnsId::INIT, "net.ipv4.ip_forward", "1");
        if config.iptables {
            rules::drop_forwarded(sys);
        }
    }
    for network in engine.networks.iter().filter(|network| network.driver == "bridge") {
        bridge::set_up(sys, network, proxy).map_err(|refusal| {
            (1, format!("failed to start daemon: Error initializing network controller: {}\n", refusal.errno))
        })?;
        if config.iptables {
            rules::add_bridge(sys, network, proxy, config.ip_masq);
        }
    }
    engine.config = config;
    engine.save(sys);
    put_file(sys, SOCKET, "");
    Ok(())
}

/// The three networks that are always there.
fn predefined(sys: &mut dyn Sys, engine: &mut Engine) {
    for (name, driver, bridge) in
        [("none", "null", ""), ("host", "host", ""), ("bridge", "bridge", "docker0")]
    {
        engine.networks.push(Network {
            id: new_id(sys),
            name: name.to_owned(),
            driver: driver.to_owned(),
            subnet: None,
            gateway: None,
            bridge: bridge.to_owned(),
            options: std::collections::BTreeMap::new(),
            internal: false,
            labels: std::collections::BTreeMap::new(),
            mtu: 1500,
            created: unix_nanos(sys),
        });
    }
}

/// Gives the default bridge the configured address.
fn default_bridge(engine: &mut Engine, config: &Config) {
    const DEFAULT: Ipv4Net = Ipv4Net::new_assert(std::net::Ipv4Addr::new(172, 17, 0, 1), 16);
    let bip = config.bip.unwrap_or(DEFAULT);
    let Some(network) = engine.networks.iter_mut().find(|network| network.name == "bridge") else { return };
    network.subnet = Some(bip.trunc());
    network.gateway = Some(bip.addr());
    network.mtu = config.mtu;
}
