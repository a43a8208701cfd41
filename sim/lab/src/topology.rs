use std::path::Path;
use std::time::Duration;

use indexmap::IndexMap;
use ipnet::IpNet;
use kernel::Refusal;
use kernel::request::{AddrSpec, LinkAdd, LinkChange, LinkKind, Mode, Request};
use packet::{HostId, MacAddr, NetnsId};
use serde::Deserialize;
use trace::{Observer, Off};
use world::{CableOptions, Endpoint, SegmentKind, World};

use crate::error::{FileError, Problem, nearest};
use crate::syntax::read_ron;

/// A network to start from: hosts, their NICs, the cables between them, and what each host was
/// told when it booted.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topology {
    /// One line that says what it is.
    #[serde(default)]
    pub title: String,
    /// Hosts by name.
    pub hosts: IndexMap<String, HostSpec>,
    /// Hubs and switches by name.
    #[serde(default)]
    pub segments: IndexMap<String, SegmentSpec>,
    /// Cables between two NICs.
    #[serde(default)]
    pub links: Vec<LinkSpec>,
}

/// A host.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename = "Host")]
pub struct HostSpec {
    /// Physical NICs by name.
    #[serde(default)]
    pub nics: IndexMap<String, NicSpec>,
    /// Shell commands that the host runs when it boots, one after the other.
    #[serde(default)]
    pub setup: Vec<String>,
    /// Files by absolute path.
    #[serde(default)]
    pub files: IndexMap<String, String>,
}

/// A physical NIC.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename = "Nic")]
pub struct NicSpec {
    /// Addresses with prefix length; the NIC is up if it has any.
    #[serde(default)]
    pub addresses: Vec<IpNet>,
    /// MAC address; otherwise one that follows from host and NIC name.
    pub mac: Option<String>,
    /// MTU in bytes.
    pub mtu: Option<u32>,
}

/// A hub or switch.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename = "Segment")]
pub struct SegmentSpec {
    /// Hub or switch.
    #[serde(default)]
    pub kind: SegmentSort,
    /// The NICs plugged in, `host:nic`.
    pub ports: Vec<String>,
    /// What its cables do.
    #[serde(default)]
    pub cable: Cable,
}

/// How a segment passes frames on.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub enum SegmentSort {
    /// To every port.
    Hub,
    /// Learning.
    #[default]
    Switch,
}

/// A cable between two NICs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename = "Link")]
pub struct LinkSpec {
    /// The NICs, `host:nic`.
    pub ends: (String, String),
    /// What it does.
    #[serde(default)]
    pub cable: Cable,
}

/// What a cable does to frames.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cable {
    /// Microseconds; 50 if not given.
    pub latency_us: Option<u64>,
    /// Megabits per second; unlimited if not given.
    pub bandwidth_mbit: Option<u64>,
    /// Frames lost, in a million.
    #[serde(default)]
    pub loss_ppm: u32,
    /// Frames that wait at most; 1000 if not given.
    pub queue: Option<u32>,
    /// Longest IP packet in bytes.
    pub mtu: Option<u32>,
}

impl Cable {
    fn options(&self) -> CableOptions {
        let default = CableOptions::default();
        CableOptions {
            latency: self.latency_us.map_or(default.latency, Duration::from_micros),
            bandwidth: self.bandwidth_mbit.map(|mbit| mbit * 1_000_000),
            loss_ppm: self.loss_ppm,
            queue: self.queue.unwrap_or(default.queue),
            mtu: self.mtu,
        }
    }
}

impl Topology {
    /// Reads a topology file.
    ///
    /// # Errors
    /// The file, the place and what was expected there.
    pub fn read(file: &Path) -> Result<(Self, String), FileError> {
        read_ron(file)
    }

    /// Makes the hosts, NICs and cables. Set-up commands are not run yet.
    ///
    /// # Errors
    /// Names that nothing has, and what a kernel refuses.
    pub fn build(&self, seed: u64, file: &Path, text: &str) -> Result<World, FileError> {
        let mut world = World::new(seed);
        let obs = &mut Off;
        let refused = |path: &str, what: &str, refusal: Refusal| {
            let why = refusal.extack.unwrap_or_else(|| refusal.errno.to_string());
            let problem = Problem::Conflict { message: format!("`{what}`: {why}"), hint: None };
            FileError::at_path(file, text, path, problem)
        };
        for (name, spec) in &self.hosts {
            let host = world.add_host(name, tools::registry());
            let up = Request::LinkSet { dev: "lo".to_owned(), changes: vec![LinkChange::Up(true)] };
            let path = format!("hosts[{name:?}]");
            world.request(host, NetnsId::INIT, up, obs).map_err(|r| refused(&path, name, r))?;
            for (path, content) in &spec.files {
                world.install_file(host, path, content.clone().into_bytes());
            }
            for (nic, spec) in &spec.nics {
                let path = format!("{path}.nics[{nic:?}]");
                add_nic(&mut world, host, nic, spec, seed, name, obs).map_err(|problem| match problem {
                    NicProblem::Mac(value) => {
                        let expected = "a MAC address such as 02:00:00:00:00:01";
                        let problem = Problem::Invalid { value, expected };
                        FileError::at_path(file, text, &format!("{path}.mac"), problem)
                    }
                    NicProblem::Refused(refusal) => refused(&path, nic, refusal),
                })?;
            }
        }
        for (name, spec) in &self.segments {
            let kind = match spec.kind {
                SegmentSort::Hub => SegmentKind::Hub,
                SegmentSort::Switch => SegmentKind::Switch,
            };
            let segment = world.add_segment(name, kind);
            for (i, port) in spec.ports.iter().enumerate() {
                let path = format!("segments[{name:?}].ports[{i}]");
                let end =
                    self.endpoint(&world, port).map_err(|p| FileError::at_path(file, text, &path, p))?;
                world.plug(segment, end, spec.cable.options(), obs);
            }
        }
        for (l, link) in self.links.iter().enumerate() {
            let segment = world.add_segment(&format!("{} -- {}", link.ends.0, link.ends.1), SegmentKind::Hub);
            for (i, port) in [&link.ends.0, &link.ends.1].into_iter().enumerate() {
                let path = format!("links[{l}].ends[{i}]");
                let end =
                    self.endpoint(&world, port).map_err(|p| FileError::at_path(file, text, &path, p))?;
                world.plug(segment, end, link.cable.options(), obs);
            }
        }
        Ok(world)
    }

    fn endpoint(&self, world: &World, port: &str) -> Result<Endpoint, Problem> {
        let (host, nic) = port
            .split_once(':')
            .ok_or_else(|| Problem::Invalid { value: port.to_owned(), expected: "a NIC as `host:nic`" })?;
        let id = world.host_by_name(host).ok_or_else(|| Problem::Unknown {
            kind: "host",
            name: host.to_owned(),
            hint: nearest(host, self.hosts.keys().map(String::as_str)),
        })?;
        let dev = world.host(id).dev_by_name(NetnsId::INIT, nic).ok_or_else(|| Problem::Unknown {
            kind: "NIC",
            name: nic.to_owned(),
            hint: nearest(nic, self.hosts[host].nics.keys().map(String::as_str)),
        })?;
        Ok(Endpoint { host: id, dev })
    }
}

enum NicProblem {
    Mac(String),
    Refused(Refusal),
}

fn add_nic<O: Observer>(
    world: &mut World,
    host: HostId,
    nic: &str,
    spec: &NicSpec,
    seed: u64,
    host_name: &str,
    obs: &mut O,
) -> Result<(), NicProblem> {
    let mac = match &spec.mac {
        Some(text) => text.parse().map_err(|_| NicProblem::Mac(text.clone()))?,
        None => stable_mac(seed, host_name, nic),
    };
    let add = Request::LinkAdd(LinkAdd {
        name: Some(nic.to_owned()),
        netns: None,
        address: Some(mac),
        mtu: spec.mtu,
        txqueuelen: None,
        index: None,
        changes: Vec::new(),
        kind: LinkKind::Nic,
    });
    let mut ask = |request| world.request(host, NetnsId::INIT, request, obs).map_err(NicProblem::Refused);
    ask(add)?;
    for address in &spec.addresses {
        let spec = AddrSpec {
            dev: nic.to_owned(),
            local: *address,
            peer: None,
            broadcast: None,
            scope: None,
            label: None,
            noprefixroute: false,
            metric: 0,
            lifetime: None,
        };
        ask(Request::AddrAdd(spec, Mode::Add))?;
    }
    if !spec.addresses.is_empty() {
        ask(Request::LinkSet { dev: nic.to_owned(), changes: vec![LinkChange::Up(true)] })?;
    }
    Ok(())
}

/// A locally administered address that depends on names only.
fn stable_mac(seed: u64, host: &str, nic: &str) -> MacAddr {
    let key = world::stream_key(seed, host, nic).to_be_bytes();
    MacAddr([0x02, key[1], key[2], key[3], key[4], key[5]])
}
