use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Pod, Service};
use kube::api::Kind;
use kube::cluster::BootCommand;
use packet::{HostId, NetnsId, Pid, Proto, SimTime};
use trace::{Observer, Off, Recorder};
use world::{Outcome, Stream, World};

use crate::error::{FileError, Problem, nearest};
use crate::ran::Ran;
use crate::topology::{Cluster, Finding, Topology};

/// How long a network is left alone after its hosts have booted, so that servers are listening.
const SETTLING: Duration = Duration::from_millis(10);

/// How long a cluster is given to boot: one in which something is broken goes on as it is.
const BOOTING: Duration = Duration::from_secs(60);

/// A network that runs, made of a topology file.
#[derive(Clone, Debug)]
pub struct Lab {
    /// Its hosts.
    pub world: World,
    /// What looks wrong with its topology.
    pub warnings: Vec<Finding>,
    /// When its hosts had booted.
    pub(crate) booted: SimTime,
    file: PathBuf,
}

/// Where a command is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The host.
    pub host: HostId,
    /// The network namespace.
    pub netns: NetnsId,
    /// The directory that is `/` there; empty for the host's own.
    pub root: String,
}

impl Spot {
    /// The initial namespace of a host.
    pub fn of(host: HostId) -> Self {
        Self { host, netns: NetnsId::INIT, root: String::new() }
    }
}

impl Lab {
    /// Builds the network of a topology file and runs its hosts' set-up.
    ///
    /// # Errors
    /// A bad file, an unknown name, a set-up command that fails.
    pub fn load(file: &Path, seed: u64) -> Result<Self, FileError> {
        Self::of(Topology::read(file)?, file, seed)
    }

    /// Builds the network of a topology that was read from `file`.
    pub(crate) fn of(topology: Topology, file: &Path, seed: u64) -> Result<Self, FileError> {
        let warnings = topology.warnings()?;
        let world = topology.build(seed)?;
        let mut lab = Self { world, warnings, booted: SimTime::ZERO, file: file.to_owned() };
        for (name, spec) in &topology.hosts {
            let Some(host) = lab.world.host_by_name(name) else { continue };
            for (command, at) in &spec.setup {
                let typed = type_command(&mut lab.world, &Spot::of(host), command, &mut Off)
                    .map_err(|problem| topology.error(at, problem))?;
                if typed.status != 0 {
                    let Typed { output, status, .. } = typed;
                    let problem = Problem::Setup { host: name.clone(), status, output };
                    return Err(topology.error(at, problem));
                }
            }
        }
        if let Some(cluster) = &topology.cluster {
            lab.boot(cluster).map_err(|problem| topology.error(cluster.at(), problem))?;
        }
        let settled = lab.world.now() + SETTLING;
        lab.world.run_until(settled, &mut Off);
        lab.booted = lab.world.now();
        Ok(lab)
    }

    /// Boots a cluster and waits until nothing is left to do, or for [`BOOTING`].
    fn boot(&mut self, cluster: &Cluster) -> Result<(), Problem> {
        self.world.set_namer(kube::proxy::behind);
        for BootCommand { node, command } in cluster.plan.boot() {
            let spot = self.locate(&node)?;
            let typed = type_command(&mut self.world, &spot, &command, &mut Off)?;
            if typed.status != 0 {
                let Typed { output, status, .. } = typed;
                return Err(Problem::Setup { host: node, status, output: format!("$ {command}\n{output}") });
            }
        }
        let limit = self.world.now() + BOOTING;
        while !kube::cluster::is_settled(self.world.store()) && self.world.now() < limit {
            let next = self.world.now() + SETTLING;
            self.world.run_until(next, &mut Off);
        }
        Ok(())
    }

    /// The topology's file.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Finds `host`, `host/container` or `host/namespace`.
    ///
    /// # Errors
    /// A name that nothing has, with the nearest that exists.
    pub fn locate(&self, on: &str) -> Result<Spot, Problem> {
        locate(&self.world, on)
    }

    /// Finds a Service by `NAME` or `NAMESPACE/NAME`.
    ///
    /// # Errors
    /// There is no such Service, or it has no cluster address.
    pub fn service(&self, name: &str) -> Result<ServiceSpot, Problem> {
        let spec = object::<Service>(&self.world, "Service", name)?.spec.clone().unwrap_or_default();
        let address = spec.cluster_ip.and_then(|ip| ip.parse().ok()).ok_or_else(|| {
            let message = format!("the Service `{name}` has no cluster address");
            Problem::Conflict { message, hint: None }
        })?;
        let ports = spec.ports.unwrap_or_default().into_iter().filter_map(|port| {
            let proto = match port.protocol.as_deref() {
                Some("UDP") => Proto::UDP,
                Some("SCTP") => return None,
                _ => Proto::TCP,
            };
            Some((proto, u16::try_from(port.port).ok()?))
        });
        Ok(ServiceSpot { address, ports: ports.collect() })
    }

    /// Types `command` at the shell of `on`, a `host`, `host/container` or `host/namespace`, waits for its end and
    /// keeps what every packet did meanwhile.
    ///
    /// # Errors
    /// An unknown name, a command that never ends.
    pub fn run(&mut self, on: &str, command: &str) -> Result<Ran, Problem> {
        let spot = self.locate(on)?;
        let before = self.world.clone();
        let mut recorder = Recorder::default();
        let typed = type_command(&mut self.world, &spot, command, &mut recorder)?;
        Ok(Ran::new(on, command, typed, self.booted, recorder.steps, before, self.world.clone()))
    }

    /// Types `command` at the shell of a place and waits for its end. Answers what it printed
    /// and its exit status.
    ///
    /// # Errors
    /// A command that never ends.
    pub fn run_command<O: Observer>(
        &mut self,
        spot: &Spot,
        command: &str,
        obs: &mut O,
    ) -> Result<(String, i32), FileError> {
        let typed = type_command(&mut self.world, spot, command, obs)
            .map_err(|problem| FileError::new(&self.file, problem))?;
        Ok((typed.output, typed.status))
    }
}

/// Where a Service is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSpot {
    /// Its cluster address.
    pub address: IpAddr,
    /// Its ports of TCP and UDP.
    pub ports: Vec<(Proto, u16)>,
}

/// What a command did to its console.
pub(crate) struct Typed {
    /// Both streams, in order.
    pub output: String,
    /// Standard output alone.
    pub stdout: String,
    /// Exit status.
    pub status: i32,
    /// The shell that ran it: the first process of its session.
    pub session: (HostId, Pid),
}

/// Types `command` at a shell and waits for its end.
pub(crate) fn type_command<O: Observer>(
    world: &mut World,
    spot: &Spot,
    command: &str,
    obs: &mut O,
) -> Result<Typed, Problem> {
    let host = spot.host;
    let console = world.add_console(host, false);
    world.type_input(host, console, None);
    let args = ["sh", "-c", command].map(str::to_owned).to_vec();
    let endless = |why: &str| Problem::Endless { command: command.to_owned(), why: why.to_owned() };
    let Ok(pid) = world.spawn(host, spot.netns, console, args, BTreeMap::new()) else {
        return Err(endless("the host has no shell"));
    };
    world.enter_root(host, pid, &spot.root);
    let (mut output, mut stdout) = (Vec::new(), Vec::new());
    let outcome = world.run_to_exit(host, pid, console, obs, &mut |stream, bytes| {
        output.extend_from_slice(bytes);
        if stream == Stream::Out {
            stdout.extend_from_slice(bytes);
        }
    });
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match outcome {
        Outcome::Exited(status) => {
            Ok(Typed { output: text(&output), stdout: text(&stdout), status, session: (host, pid) })
        }
        Outcome::Stuck => Err(endless("nothing can happen any more")),
        Outcome::Silent => Err(endless("it said nothing for an hour of virtual time")),
        Outcome::Busy => Err(endless("it runs round and round in no time")),
        Outcome::Storm(devices) => Err(endless(&format!("packets circulate between {}", devices.join(", ")))),
    }
}

/// Finds `host`, `host/container` or `host/namespace`; `pod/NAME` or `pod/NAMESPACE/NAME` wherever
/// the pod runs.
///
/// # Errors
/// A name that nothing has, with the nearest that exists.
pub fn locate(world: &World, on: &str) -> Result<Spot, Problem> {
    if let Some(pod) = on.strip_prefix("pod/").filter(|_| world.host_by_name("pod").is_none()) {
        return locate_pod(world, pod);
    }
    let (host_name, netns_name) = on.split_once('/').unwrap_or((on, ""));
    let host = world.host_by_name(host_name).ok_or_else(|| Problem::Unknown {
        kind: "host",
        name: host_name.to_owned(),
        hint: nearest(host_name, world.hosts().map(|h| h.name.as_str())),
    })?;
    if netns_name.is_empty() {
        return Ok(Spot::of(host));
    }
    if let Some((netns, root)) = world.place(host, netns_name) {
        return Ok(Spot { host, netns, root });
    }
    let names = &world.host(host).netns_names;
    let netns = names.get(netns_name).copied().ok_or_else(|| Problem::Unknown {
        kind: "container or namespace",
        name: netns_name.to_owned(),
        hint: nearest(netns_name, names.keys().map(String::as_str).chain(world.places(host))),
    })?;
    Ok(Spot { host, netns, root: String::new() })
}

/// Whether `kubectl` works on a host: it has an administrator's configuration.
pub(crate) fn has_kubectl(world: &World, host: HostId) -> bool {
    world.file(host, &format!("{}/.kube/config", world::HOME)).is_some()
}

/// Finds an object by `NAME` or `NAMESPACE/NAME`; if there is none, says the nearest name.
pub(crate) fn object<K: Kind>(world: &World, kind: &'static str, name: &str) -> Result<Arc<K>, Problem> {
    let (namespace, short) = name.split_once('/').unwrap_or(("default", name));
    kube::api::get::<K>(world.store(), namespace, short).ok_or_else(|| {
        let all = kube::api::list::<K>(world.store(), Some(namespace));
        let hint = nearest(short, all.iter().map(|object| kube::api::name_of(&**object)));
        Problem::Unknown { kind, name: name.to_owned(), hint }
    })
}

/// Finds a pod's first container: its namespace and root directory.
fn locate_pod(world: &World, name: &str) -> Result<Spot, Problem> {
    let object = object::<Pod>(world, "pod", name)?;
    let (namespace, pod) = (kube::api::namespace_of(&*object), kube::api::name_of(&*object));
    let node = object.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default();
    let message = || Problem::Conflict { message: format!("the pod `{name}` doesn't run"), hint: None };
    let host = world.host_by_name(node).ok_or_else(message)?;
    let places = [format!("{pod}.{namespace}"), pod.to_owned()];
    let found = places.iter().find_map(|place| world.place(host, place));
    let (netns, root) = found.ok_or_else(message)?;
    Ok(Spot { host, netns, root })
}
