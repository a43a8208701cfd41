//! From files to a topology: includes, defaults, names.

use std::path::{Path, PathBuf};

use ipnet::Ipv4Net;
use world::{BadBarrier, Barrier};

use super::written::{Cable, ClusterFile, Form, TopologyFile};
use super::{At, Host, Medium, Nic, Port, Segment, SegmentSort, Source, Topology, shape};
use crate::error::{FileError, Problem, nearest};
use crate::place::Places;
use crate::syntax::{read_ron_text, read_text};

impl Topology {
    /// Reads a topology file and what it includes, and gives every NIC its addresses.
    ///
    /// # Errors
    /// The file, the place and what was expected there; further mistakes are in `more`.
    pub fn read(file: &Path) -> Result<Self, FileError> {
        let mut reader = Reader::default();
        reader.file(file)?;
        reader.finish()
    }

    /// Reads the text of a topology file as if it stood in `file`.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn parse(text: &str, file: &Path) -> Result<Self, FileError> {
        let mut reader = Reader::default();
        reader.text(file, text.to_owned())?;
        reader.finish()
    }
}

impl Reader {
    /// What can be done once all is read.
    fn finish(self) -> Result<Topology, FileError> {
        let mut reader = self;
        if reader.topology.hosts.is_empty() && reader.errors.is_empty() {
            let at = At { source: reader.topology.sources.len() - 1, path: String::new() };
            let problem = Problem::Conflict {
                message: "the topology has no host".to_owned(),
                hint: Some("name one in `hosts`, `shapes` or an included topology".to_owned()),
            };
            reader.error(&at, problem);
        }
        if reader.errors.is_empty() {
            reader.errors = reader.topology.assign_addresses();
        }
        if reader.errors.is_empty() {
            for (written, place, file) in std::mem::take(&mut reader.clusters) {
                reader.cluster(written, place, &file);
            }
        }
        match first_of(reader.errors) {
            Some(error) => Err(error),
            None => Ok(reader.topology),
        }
    }
}

/// The first of some errors, with the others in `more`.
pub(super) fn first_of(errors: Vec<FileError>) -> Option<FileError> {
    let mut errors = errors.into_iter();
    let mut first = errors.next()?;
    first.more.extend(errors);
    Some(first)
}

/// A topology being read.
#[derive(Default)]
pub(super) struct Reader {
    pub topology: Topology,
    pub(super) errors: Vec<FileError>,
    /// Clusters with where they are written and the file.
    clusters: Vec<(ClusterFile, At, PathBuf)>,
    /// Files being read, from the outside in.
    open: Vec<PathBuf>,
    /// Files that were read.
    done: Vec<PathBuf>,
}

impl Reader {
    pub fn error(&mut self, at: &At, problem: Problem) {
        self.errors.push(self.topology.error(at, problem));
    }

    /// Reads a file: what it includes first, then its own hosts, segments, links and shapes.
    fn file(&mut self, file: &Path) -> Result<(), FileError> {
        let text = read_text(file)?;
        self.text(file, text)
    }

    fn text(&mut self, file: &Path, text: String) -> Result<(), FileError> {
        let written: TopologyFile = read_ron_text(file, &text)?;
        let identity = file.canonicalize().unwrap_or_else(|_| file.to_owned());
        self.open.push(identity.clone());
        // Its number isn't known before the included files have theirs.
        let own = Source { file: file.to_owned(), text };
        for (i, name) in written.include.iter().enumerate() {
            let refuse = |problem| FileError::at_path(file, &own.text, &format!("include[{i}]"), problem);
            self.include(file, name, &refuse)?;
        }
        let source = self.topology.sources.len();
        self.topology.sources.push(own);
        self.topology.title = written.title.clone();
        self.names(&written, source);
        self.merge(written, source);
        self.open.pop();
        self.done.push(identity);
        Ok(())
    }

    fn include(
        &mut self,
        file: &Path,
        name: &str,
        refuse: &dyn Fn(Problem) -> FileError,
    ) -> Result<(), FileError> {
        let folder = file.parent().unwrap_or(Path::new(""));
        let other = folder.join(format!("{name}.ron"));
        let Ok(identity) = other.canonicalize() else {
            let (prefix, last) = name.split_at(name.rfind('/').map_or(0, |slash| slash + 1));
            let known = crate::run::topology_names(&folder.join(prefix));
            let hint = nearest(last, known.iter().map(String::as_str)).map(|near| format!("{prefix}{near}"));
            return Err(refuse(Problem::Unknown { kind: "topology", name: name.to_owned(), hint }));
        };
        if self.open.contains(&identity) {
            let message = format!("`{name}` includes itself, directly or by way of others");
            return Err(refuse(Problem::Conflict { message, hint: None }));
        }
        if self.done.contains(&identity) { Ok(()) } else { self.file(&other) }
    }

    /// ron doesn't look at the names of structs that could also be written in brief.
    fn names(&mut self, written: &TopologyFile, source: usize) {
        let nics = written.hosts.iter().flat_map(|(host, spec)| {
            let full = spec.nics.iter().filter(|(_, nic)| nic.form == Form::Full);
            full.map(move |(nic, _)| (format!("hosts[{host:?}].nics[{nic:?}]"), "Nic"))
        });
        let segments = written.segments.iter().filter(|(_, segment)| segment.form == Form::Full);
        let segments = segments.map(|(name, _)| (format!("segments[{name:?}]"), "Segment"));
        let links = written.links.iter().enumerate().filter(|(_, link)| link.form == Form::Full);
        let links = links.map(|(i, _)| (format!("links[{i}]"), "Link"));
        let wrong: Vec<(At, String, &'static str)> = {
            let Some(Source { text, .. }) = self.topology.sources.get(source) else { return };
            let places = Places::scan(text);
            nics.chain(segments)
                .chain(links)
                .filter_map(|(path, expected)| {
                    let found = &text[places.find(&path).ok()?];
                    let other = found != expected && !found.starts_with(['(', '[']);
                    other.then(|| (At { source, path }, found.to_owned(), expected))
                })
                .collect()
        };
        for (at, found, expected) in wrong {
            let message = format!("expected `{expected}(…)`, found `{found}`");
            let hint = nearest(&found, [expected]).map(|name| format!("did you mean `{name}`?"));
            self.error(&at, Problem::Syntax { message, hint });
        }
    }

    fn merge(&mut self, written: TopologyFile, source: usize) {
        let TopologyFile { title: _, include: _, defaults, hosts, segments, links, shapes, cluster } =
            written;
        let at = |path: String| At { source, path };
        for (name, host) in hosts {
            let place = at(format!("hosts[{name:?}]"));
            let host = self.host(&name, host, &defaults, place);
            self.add_host(name, host);
        }
        for (name, shape) in shapes {
            let place = at(format!("shapes[{name:?}]"));
            match shape::expand(&name, shape) {
                Ok((hosts, segments)) => {
                    for (name, mut host) in hosts {
                        host.at = place.join("#key");
                        self.take_defaults(&mut host, &defaults, &place);
                        self.add_host(name, host);
                    }
                    self.topology.segments.extend(segments.into_iter().map(|segment| Segment {
                        cable: defaults.cable,
                        at: place.clone(),
                        ..segment
                    }));
                }
                Err(problem) => self.error(&place, problem),
            }
        }
        if let Some(cluster) = cluster {
            let place = at("cluster".to_owned());
            self.cluster_hosts(&cluster, &place);
            let file = self.topology.sources[source].file.clone();
            self.clusters.push((cluster, place, file));
        }
        for (name, segment) in segments {
            let place = at(format!("segments[{name:?}]"));
            let list = if segment.form == Form::Brief { "" } else { ".ports" };
            let ports = segment.ports.iter().enumerate().map(|(i, port)| {
                let at = place.join(&format!("{list}[{i}]"));
                (port.as_str(), at, 0)
            });
            let medium = match segment.kind {
                SegmentSort::Hub => Medium::Hub,
                SegmentSort::Switch => Medium::Switch,
            };
            let cable = segment.cable.over(&defaults.cable);
            let ports: Vec<_> = ports.collect();
            self.add_segment(&name, medium, &ports, cable, segment.subnet.as_deref(), place.clone());
            self.bars(&segment.bars, &place);
        }
        for (i, link) in links.iter().enumerate() {
            let place = at(format!("links[{i}]"));
            let (first, second) = &link.ends;
            let end = |i: usize| match link.form {
                Form::Brief => (place.clone(), [0, link.second][i]),
                Form::Full => (place.join(&format!(".ends[{i}]")), 0),
            };
            let ports = [(first.as_str(), end(0)), (second.as_str(), end(1))];
            let ports = ports.map(|(port, (at, byte))| (port, at, byte));
            let name = format!("{first} -- {second}");
            let cable = link.cable.over(&defaults.cable);
            self.add_segment(&name, Medium::Link, &ports, cable, link.subnet.as_deref(), place.clone());
            self.bars(&link.bars, &place);
        }
    }

    /// What the segment that was added last doesn't carry.
    fn bars(&mut self, texts: &[String], place: &At) {
        for (i, text) in texts.iter().enumerate() {
            let at = place.join(&format!(".bars[{i}]"));
            let Ok(barrier) = text.parse::<Barrier>() else {
                let problem = Problem::Invalid { value: text.clone(), expected: BadBarrier::EXPECTED };
                self.error(&at, problem);
                continue;
            };
            let Some(segment) = self.topology.segments.last_mut() else { return };
            let names = segment.ports.iter().map(|port| format!("{}:{}", port.host, port.nic));
            let names: Vec<String> = names.collect();
            let unknown =
                [&barrier.from, &barrier.to].into_iter().flatten().find(|port| !names.contains(port));
            if let Some(name) = unknown.cloned() {
                let hint = nearest(&name, names.iter().map(String::as_str));
                self.error(&at, Problem::Unknown { kind: "port of this segment", name, hint });
                continue;
            }
            segment.bars.push(barrier);
        }
    }

    pub(super) fn add_host(&mut self, name: String, host: Host) {
        if let Some(other) = self.topology.hosts.get(&name) {
            let first = format!("a host ({})", self.topology.line_of(&other.at, &host.at));
            let made = if host.at.path.starts_with("shapes") { "host of this shape, " } else { "" };
            let problem = Problem::Duplicate { what: format!("{made}`{name}`"), first, hint: None };
            return self.error(&host.at, problem);
        }
        self.topology.hosts.insert(name, host);
    }

    /// Adds a segment whose ports are given as `host:nic`, with the text that names each and the
    /// byte of it where the name begins.
    fn add_segment(
        &mut self,
        name: &str,
        medium: Medium,
        ports: &[(&str, At, usize)],
        cable: Cable,
        subnet: Option<&str>,
        at: At,
    ) {
        let mut segment = Segment {
            name: name.to_owned(),
            medium,
            ports: Vec::new(),
            cable,
            bars: Vec::new(),
            subnet: None,
            at: at.clone(),
        };
        for (port, at, byte) in ports {
            match self.port(port, at, *byte) {
                Ok(port) => segment.ports.push(port),
                Err((at, problem)) => self.error(&at, problem),
            }
        }
        if let Some(text) = subnet {
            match text.parse::<Ipv4Net>() {
                Ok(net) if net.addr() == net.network() && net.prefix_len() <= 31 => {
                    segment.subnet = Some(net)
                }
                _ => {
                    let expected = "a subnet such as 10.1.0.0/24";
                    self.error(&at.join(".subnet"), Problem::Invalid { value: text.to_owned(), expected });
                }
            }
        }
        let other = self.topology.segments.iter().find(|other| other.name == name && medium != Medium::Link);
        if let Some(other) = other {
            let first = format!("a segment ({})", self.topology.line_of(&other.at, &at));
            let problem = Problem::Duplicate { what: format!("`{name}`"), first, hint: None };
            return self.error(&at.join("#key"), problem);
        }
        self.topology.segments.push(segment);
    }

    /// Finds `host:nic`. A shape's host gets the NIC if it has none of that name.
    fn port(&mut self, port: &str, at: &At, byte: usize) -> Result<Port, (At, Problem)> {
        let inside = |from: usize, text: &str| at.join(&format!("@{}+{}", byte + from, text.chars().count()));
        let at = inside(0, port);
        let Some((host_name, nic)) = port.split_once(':') else {
            let expected = "a NIC as `host:nic`";
            return Err((at, Problem::Invalid { value: port.to_owned(), expected }));
        };
        let Some(host) = self.topology.hosts.get_mut(host_name) else {
            let hint = nearest(host_name, self.topology.hosts.keys().map(String::as_str));
            let name = host_name.to_owned();
            return Err((inside(0, host_name), Problem::Unknown { kind: "host", name, hint }));
        };
        if !host.nics.contains_key(nic) {
            let numbered = nic.strip_prefix("eth").is_some_and(|n| n.parse::<u16>().is_ok());
            if host.origin != super::Origin::Shape || !numbered {
                let hint = nearest(nic, host.nics.keys().map(String::as_str));
                let name = nic.to_owned();
                let at = inside(host_name.len() + 1, nic);
                return Err((at, Problem::Unknown { kind: "NIC", name, hint }));
            }
            host.nics.insert(nic.to_owned(), Nic::automatic(host_name, nic, at.clone()));
        }
        Ok(Port { host: host_name.to_owned(), nic: nic.to_owned(), at })
    }
}

impl Cable {
    /// This cable, with the defaults where it says nothing.
    fn over(self, defaults: &Self) -> Self {
        Self {
            latency_us: self.latency_us.or(defaults.latency_us),
            bandwidth_mbit: self.bandwidth_mbit.or(defaults.bandwidth_mbit),
            loss_ppm: self.loss_ppm.or(defaults.loss_ppm),
            queue: self.queue.or(defaults.queue),
            mtu: self.mtu.or(defaults.mtu),
        }
    }
}
