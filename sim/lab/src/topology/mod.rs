//! Topology files: a network to start from.
//!
//! A file is read in five steps, each in its own module: [`written`] is what stands in a file;
//! [`read`] takes in included files, defaults and shapes; [`address`] chooses the automatic
//! addresses and the routes of shapes; [`check`] finds mistakes before anything runs; [`build`]
//! makes the hosts and cables.

mod address;
mod build;
mod check;
mod cluster;
mod graph;
mod host;
mod read;
mod shape;
pub(crate) mod written;

use std::net::Ipv4Addr;
use std::path::PathBuf;

use indexmap::IndexMap;
use ipnet::Ipv4Net;
use packet::MacAddr;
use world::Barrier;

use crate::error::{FileError, Problem};

pub use check::{Finding, Severity};
pub use written::{Cable, SegmentSort};

/// A network to start from: hosts, their NICs, the cables between them, and what each host was
/// told when it booted. All names and addresses are known.
#[derive(Clone, Debug, Default)]
pub struct Topology {
    /// One line that says what it is.
    pub title: String,
    /// Hosts by name: those of included files, the file's own, those of shapes.
    pub hosts: IndexMap<String, Host>,
    /// Hubs, switches, and the cables between two NICs.
    pub segments: Vec<Segment>,
    /// A Kubernetes cluster on some of the hosts.
    pub cluster: Option<Cluster>,
    /// The files that it was read from; the last is the one asked for.
    sources: Vec<Source>,
}

/// A Kubernetes cluster, and where it is written.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// What it is made of.
    pub plan: kube::cluster::Cluster,
    /// What a person should know about its manifests: converted versions, kinds without effect.
    notices: Vec<Finding>,
    at: At,
}

/// A file that a topology was read from.
#[derive(Clone, Debug)]
struct Source {
    file: PathBuf,
    text: String,
}

/// Where something is written: which file, and the path in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct At {
    source: usize,
    path: String,
}

impl At {
    /// A place inside of this one.
    fn join(&self, rest: &str) -> Self {
        Self { source: self.source, path: format!("{}{rest}", self.path) }
    }
}

/// A host.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// Physical NICs by name.
    pub nics: IndexMap<String, Nic>,
    /// Bridges by name.
    pub bridges: IndexMap<String, Bridge>,
    /// The next hop of its default route.
    pub gateway: Option<Ipv4Addr>,
    /// Further routes: a shape's.
    pub routes: Vec<(Ipv4Net, Ipv4Addr)>,
    /// Whether it forwards from the start, as a shape's hosts do.
    pub forwards: bool,
    /// Files by absolute path.
    pub files: IndexMap<String, String>,
    pub(crate) setup: Vec<(String, At)>,
    /// What was written as gateway: an address, or a host's name.
    gateway_name: Option<(String, At)>,
    origin: Origin,
    at: At,
}

/// Who made a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Origin {
    /// It stands in a file.
    #[default]
    Written,
    /// A shape.
    Shape,
}

impl Host {
    /// Shell commands that it runs when it boots, one after the other.
    pub fn setup(&self) -> impl Iterator<Item = &str> {
        self.setup.iter().map(|(command, _)| command.as_str())
    }
}

/// A physical NIC.
#[derive(Clone, Debug)]
pub struct Nic {
    /// Addresses with prefix length.
    pub addresses: Vec<Ipv4Net>,
    /// MAC address.
    pub mac: MacAddr,
    /// MTU in bytes.
    pub mtu: Option<u32>,
    /// Whether it is up from the start.
    pub up: bool,
    /// Where each address stands.
    places: Vec<At>,
    /// Where `auto` stands, if it has an automatic address.
    auto: Option<At>,
    at: At,
}

/// A bridge.
#[derive(Clone, Debug, Default)]
pub struct Bridge {
    /// NICs of the host.
    pub ports: Vec<String>,
    /// Addresses with prefix length.
    pub addresses: Vec<Ipv4Net>,
    places: Vec<At>,
    at: At,
}

/// A hub, a switch, or a cable between two NICs.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Its name; of a cable both ends.
    pub name: String,
    /// What it is.
    pub medium: Medium,
    /// The NICs plugged in.
    pub ports: Vec<Port>,
    /// What its cables do.
    pub cable: Cable,
    /// What it doesn't carry.
    pub bars: Vec<Barrier>,
    /// The subnet of its automatic addresses.
    pub subnet: Option<Ipv4Net>,
    at: At,
}

/// How frames get from port to port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// A cable of `links`.
    Link,
    /// A cable of a shape.
    ShapeLink,
    /// To every port.
    Hub,
    /// Learning.
    Switch,
}

/// A NIC that is plugged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The host.
    pub host: String,
    /// Its NIC.
    pub nic: String,
    at: At,
}

impl Topology {
    /// An error at a place of one of the files.
    pub(crate) fn error(&self, at: &At, problem: Problem) -> FileError {
        match self.sources.get(at.source) {
            Some(source) => FileError::at_path(&source.file, &source.text, &at.path, problem),
            None => FileError::new(std::path::Path::new(""), problem),
        }
    }

    /// `line 4`, or `other.ron:4` from another file.
    fn line_of(&self, at: &At, from: &At) -> String {
        let error = self.error(at, Problem::Conflict { message: String::new(), hint: None });
        let line = error.place.map_or(0, |place| place.line);
        match error.file.file_name() {
            Some(name) if at.source != from.source => format!("{}:{line}", name.display()),
            _ => format!("line {line}"),
        }
    }
}
