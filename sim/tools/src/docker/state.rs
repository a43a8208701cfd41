//! What dockerd knows: containers and networks.
//!
//! Simplified: the client carries out what it asks dockerd for, and what dockerd would hold in
//! memory lies in /var/lib/docker/engine.json; there is no socket between them.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use world::Sys;

use super::daemon::Config;
pub use crate::file::{make_dirs, put as put_file, remove_tree};
pub use crate::image::new_id;
use crate::net::read_file;

/// Where the state lies.
const FILE: &str = "/var/lib/docker/engine.json";
/// Where a running dockerd leaves its number.
pub const PID_FILE: &str = "/run/docker.pid";

/// Everything dockerd knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engine {
    /// Its configuration, as it was when it started.
    pub config: Config,
    /// In order of creation.
    pub containers: Vec<Container>,
    /// In order of creation.
    pub networks: Vec<Network>,
    /// Where the search for the next free address pool begins.
    pub next_pool: usize,
}

/// A container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Without the slash that `inspect` shows before it.
    pub name: String,
    /// As it was given.
    pub image: String,
    /// What runs, as one list: entrypoint and command.
    pub args: Vec<String>,
    /// The image's or `--entrypoint`.
    pub entrypoint: Vec<String>,
    /// The image's command or the one given.
    pub command: Vec<String>,
    /// `NAME=VALUE`.
    pub env: Vec<String>,
    /// Its host name.
    pub hostname: String,
    /// `default`, `none`, `host`, `container:ID` or a network's name.
    pub mode: String,
    /// What `-p` asked for.
    pub publish: Vec<Publish>,
    /// `80/tcp`.
    pub exposed: Vec<String>,
    /// What is published while it runs.
    pub active: Vec<Active>,
    /// Its endpoints; of a stopped one, which networks it joins when it starts.
    pub endpoints: Vec<Endpoint>,
    /// The sandbox's id; 64 hexadecimal digits.
    pub sandbox: String,
    /// Nanoseconds since 1970.
    pub created: u64,
    /// Its state.
    pub state: State,
    /// `--rm`.
    pub auto_remove: bool,
    /// `-t`.
    pub tty: bool,
    /// `-i`.
    pub interactive: bool,
    /// `-d`.
    pub detached: bool,
    /// `--privileged`.
    pub privileged: bool,
    /// `--cap-add`.
    pub cap_add: Vec<String>,
    /// `--dns`.
    pub dns: Vec<String>,
    /// `--add-host`, `NAME:ADDRESS`.
    pub extra_hosts: Vec<String>,
    /// `--sysctl`, `KEY=VALUE`.
    pub sysctls: Vec<String>,
    /// `--workdir`.
    pub workdir: String,
    /// `--mac-address`.
    pub mac: Option<String>,
}

/// How far a container is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Where it is.
    pub status: Status,
    /// Its first process while it runs.
    pub pid: u32,
    /// The process that waits for its end.
    pub shim: u32,
    /// Exit status of the last run.
    pub exit_code: i32,
    /// Nanoseconds since 1970; 0 if never.
    pub started: u64,
    /// Nanoseconds since 1970; 0 if never.
    pub finished: u64,
    /// Why it didn't start.
    pub error: String,
}

/// The name of a state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Never ran.
    #[default]
    Created,
    /// Runs.
    Running,
    /// Ran.
    Exited,
}

/// A port that `-p` asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publish {
    /// Address of the host, if given.
    pub host_ip: Option<Ipv4Addr>,
    /// Port of the host, if given.
    pub host_port: Option<u16>,
    /// Port of the container.
    pub port: u16,
    /// `tcp` or `udp`.
    pub proto: String,
}

/// A port that is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Active {
    /// Address of the host.
    pub host_ip: Ipv4Addr,
    /// Port of the host.
    pub host_port: u16,
    /// Port of the container.
    pub port: u16,
    /// `tcp` or `udp`.
    pub proto: String,
    /// The container's address.
    pub address: Ipv4Addr,
    /// The bridge it lies behind.
    pub bridge: String,
    /// Its docker-proxy, if there is one.
    pub proxy: Option<u32>,
}

/// A container's place in a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The network's id.
    pub network: String,
    /// 64 hexadecimal digits; empty while the container doesn't run.
    pub id: String,
    /// Its address while the container runs.
    pub address: Option<Ipv4Addr>,
    /// The address that was asked for (`--ip`).
    pub wanted: Option<Ipv4Addr>,
    /// The device in the container.
    pub device: String,
    /// The end of the veth pair on the host.
    pub veth: String,
    /// Names for it in the network.
    pub aliases: Vec<String>,
}

/// A network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `bridge`, `host` or `null`.
    pub driver: String,
    /// Its addresses, if it has any.
    pub subnet: Option<Ipv4Net>,
    /// The bridge's address.
    pub gateway: Option<Ipv4Addr>,
    /// The bridge.
    pub bridge: String,
    /// `-o`.
    pub options: BTreeMap<String, String>,
    /// `--internal`.
    pub internal: bool,
    /// `--label`.
    pub labels: BTreeMap<String, String>,
    /// MTU of its devices.
    pub mtu: u32,
    /// Nanoseconds since 1970.
    pub created: u64,
}

impl Engine {
    /// Reads the state.
    pub fn load(sys: &mut dyn Sys) -> Self {
        read_file(sys, FILE).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// Whether a dockerd runs.
    pub fn runs(sys: &mut dyn Sys) -> bool {
        let pid = read_file(sys, PID_FILE).and_then(|text| text.trim().parse().ok());
        pid.and_then(|pid| sys.args_of_pid(packet::Pid(pid))).is_some()
    }

    /// Writes the state.
    pub fn save(&self, sys: &mut dyn Sys) {
        let text = serde_json::to_string(self).unwrap_or_default();
        put_file(sys, FILE, &text);
    }

    /// A container by name, id, or the beginning of an id that fits no other.
    pub fn find(&self, word: &str) -> Option<usize> {
        let exact = |c: &Container| c.id == word || c.name == word.strip_prefix('/').unwrap_or(word);
        if let Some(at) = self.containers.iter().position(exact) {
            return Some(at);
        }
        let mut begins = (0..self.containers.len()).filter(|&at| self.containers[at].id.starts_with(word));
        begins.next().filter(|_| !word.is_empty() && begins.next().is_none())
    }

    /// A network by name, id, or the beginning of an id that fits no other.
    pub fn find_network(&self, word: &str) -> Option<usize> {
        let exact = |n: &Network| n.id == word || n.name == word;
        if let Some(at) = self.networks.iter().position(exact) {
            return Some(at);
        }
        let mut begins = (0..self.networks.len()).filter(|&at| self.networks[at].id.starts_with(word));
        begins.next().filter(|_| !word.is_empty() && begins.next().is_none())
    }

    /// The network with that id.
    pub fn network(&self, id: &str) -> Option<&Network> {
        self.networks.iter().find(|network| network.id == id)
    }

    /// The lowest address of a network that nobody has.
    pub fn free_address(&self, network: &Network) -> Option<Ipv4Addr> {
        network.subnet?.hosts().find(|addr| Some(*addr) != network.gateway && !self.taken(network, *addr))
    }

    /// Whether an endpoint of the network has the address.
    pub fn taken(&self, network: &Network, addr: Ipv4Addr) -> bool {
        let mut endpoints = self.containers.iter().flat_map(|container| &container.endpoints);
        endpoints.any(|endpoint| endpoint.network == network.id && endpoint.address == Some(addr))
    }
}

impl Container {
    /// The first twelve digits of its id.
    pub fn short(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }

    /// Whether it runs.
    pub fn runs(&self) -> bool {
        self.state.status == Status::Running
    }

    /// The directory that is `/` to it.
    pub fn root(&self) -> String {
        format!("/var/lib/docker/overlay2/{}/merged", self.id)
    }

    /// Where its output is kept.
    ///
    /// Simplified: as it was written, not as JSON.
    pub fn log(&self) -> String {
        format!("/var/lib/docker/containers/{0}/{0}-json.log", self.id)
    }
}

impl Network {
    /// The first twelve digits of its id.
    pub fn short(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }
}

/// Nanoseconds since 1970.
pub fn unix_nanos(sys: &dyn Sys) -> u64 {
    world::EPOCH * 1_000_000_000 + sys.now().as_nanos()
}
