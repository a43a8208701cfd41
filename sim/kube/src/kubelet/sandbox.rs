//! Pod sandboxes as containerd makes and stops them.

use kernel::request::Request;
use packet::{NetnsId, Pid};
use tools::file;
use world::{Signal, Spawn, Sys};

use super::config::Config;
use super::container;
use super::dns::{PodDns, hostname};
use super::network::{self, Joining};
use super::record::{Sandbox, root, task};
use crate::cni::libcni::NetworkList;
use k8s_openapi::api::core::v1::Pod;

/// What a sandbox needs to know of its node.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// The kubelet's configuration.
    pub config: &'a Config,
    /// The network of pods, if there is one.
    pub network: Option<&'a NetworkList>,
    /// The pod.
    pub pod: &'a Pod,
    /// What its resolver uses.
    pub dns: &'a PodDns,
}

/// Why there is no sandbox.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What containerd says.
    pub message: String,
    /// What couldn't be tidied up, and stays.
    pub left: Option<Sandbox>,
}

/// The folder of a sandbox's files.
pub fn folder(id: &str) -> String {
    format!("/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/{id}")
}

fn host_network(pod: &Pod) -> bool {
    pod.spec.as_ref().is_some_and(|spec| spec.host_network == Some(true))
}

impl Around<'_> {
    fn joining<'a>(&'a self, sandbox: &'a Sandbox, netns: &'a str) -> Joining<'a> {
        Joining { id: &sandbox.id, netns, pod: self.pod, dns: self.dns }
    }

    /// Makes the sandbox: its namespace, its network, the process that holds them. containerd:
    /// `RunPodSandbox`.
    ///
    /// # Errors
    /// What containerd says; most of what was made is gone again.
    pub fn run(&self, sys: &mut dyn Sys) -> Result<Sandbox, Box<Failure>> {
        let mut sandbox = Sandbox { id: tools::image::new_id(sys), ..Sandbox::default() };
        self.write_files(sys, &sandbox.id);
        let mut netns = NetnsId::INIT;
        if !host_network(self.pod) {
            sandbox.netns = netns_name(sys);
            let made = sys.request(NetnsId::INIT, Request::NetnsAdd { name: sandbox.netns.clone() });
            if let Err(refusal) = made {
                let message = format!(
                    "failed to create network namespace for sandbox {:?}: {}",
                    sandbox.id, refusal.errno
                );
                return Err(Box::new(Failure { message, left: None }));
            }
            netns = sys.netns_by_name(&sandbox.netns).unwrap_or(NetnsId::INIT);
            let joined = match self.network {
                None => Err("cni plugin not initialized".to_owned()),
                Some(network) => {
                    network::join(sys, self.config, network, &self.joining(&sandbox, &sandbox.netns))
                }
            };
            match joined {
                Ok(ip) => sandbox.ip = Some(ip),
                Err(why) => {
                    let message = format!("failed to setup network for sandbox {:?}: {why}", sandbox.id);
                    let left = self.undo(sys, sandbox);
                    return Err(Box::new(Failure { message, left }));
                }
            }
            self.set_sysctls(sys, netns);
        }
        let root = root(&sandbox.id);
        tools::image::fill_root(sys, &root, "pause");
        self.mount_files(sys, &sandbox.id, &root);
        let spawned = sys.spawn(Spawn {
            args: vec!["/pause".to_owned()],
            code: Some(Box::new(tools::image::Pause)),
            netns: Some(netns),
            root: Some(root),
            cwd: Some("/".to_owned()),
            env: Some(tools::image::environment("")),
            ..Spawn::default()
        });
        match spawned {
            Ok(pid) => {
                sandbox.pid = pid.0;
                Ok(sandbox)
            }
            Err(errno) => {
                let message = format!("failed to start sandbox container task {:?}: {errno}", sandbox.id);
                let left = self.undo(sys, sandbox);
                Err(Box::new(Failure { message, left }))
            }
        }
    }

    /// Tidies up after a sandbox that was made in part; answers it if that fails.
    fn undo(&self, sys: &mut dyn Sys, sandbox: Sandbox) -> Option<Sandbox> {
        let left = network::leave(sys, self.config, self.network, &self.joining(&sandbox, &sandbox.netns));
        if left.is_err() {
            return Some(sandbox);
        }
        remove_netns(sys, &sandbox.netns);
        file::remove_tree(sys, &folder(&sandbox.id));
        None
    }

    fn set_sysctls(&self, sys: &mut dyn Sys, netns: NetnsId) {
        let context = self.pod.spec.as_ref().and_then(|spec| spec.security_context.as_ref());
        for sysctl in context.iter().flat_map(|context| context.sysctls.iter().flatten()) {
            let request = Request::Sysctl { key: sysctl.name.clone(), value: sysctl.value.clone() };
            // Simplified: a sysctl that the kernel refuses is left as it is.
            let _ = sys.request(netns, request);
        }
    }

    fn write_files(&self, sys: &mut dyn Sys, id: &str) {
        let folder = folder(id);
        let name = match host_network(self.pod) {
            true => sys.hostname(),
            false => hostname(self.config, self.pod).0,
        };
        file::put(sys, &format!("{folder}/hostname"), &format!("{name}\n"));
        let empty = self.dns.servers.is_empty() && self.dns.searches.is_empty();
        let text = match empty && self.dns.options.is_empty() {
            true => file::read(sys, "/etc/resolv.conf").unwrap_or_default(),
            false => self.dns.resolv_conf(),
        };
        file::put(sys, &format!("{folder}/resolv.conf"), &text);
        let hosts = super::dns::hosts(sys, self.config, self.pod, None);
        file::put(sys, &format!("{folder}/hosts"), &hosts);
    }

    /// Lets a container see the sandbox's files.
    pub fn mount_files(&self, sys: &mut dyn Sys, id: &str, root: &str) {
        let folder = folder(id);
        for name in ["hostname", "resolv.conf", "hosts"] {
            container::bind(sys, &format!("{folder}/{name}"), root, &format!("/etc/{name}"));
        }
    }

    /// Stops the sandbox: `pause` ends, the network is left, the namespace goes. containerd:
    /// `StopPodSandbox`.
    ///
    /// # Errors
    /// What containerd says: the network couldn't be left; what is there stays.
    pub fn stop(&self, sys: &mut dyn Sys, sandbox: &Sandbox) -> Result<(), String> {
        if sandbox.pid != 0 {
            let _ = sys.kill(Pid(sandbox.pid), Signal::Kill);
        }
        if !sandbox.netns.is_empty() {
            let there = sys.netns_by_name(&sandbox.netns).is_some();
            let netns = if there { sandbox.netns.as_str() } else { "" };
            network::leave(sys, self.config, self.network, &self.joining(sandbox, netns))
                .map_err(|why| format!("failed to destroy network for sandbox {:?}: {why}", sandbox.id))?;
            remove_netns(sys, &sandbox.netns);
        }
        container::remove(sys, &sandbox.id);
        file::remove_tree(sys, &folder(&sandbox.id));
        file::remove_tree(sys, &task(&sandbox.id));
        Ok(())
    }
}

fn remove_netns(sys: &mut dyn Sys, name: &str) {
    // Somebody may have removed it by hand.
    let _ = sys.request(NetnsId::INIT, Request::NetnsDel { name: name.to_owned() });
}

/// `cni-` and a random UUID. containerd: `netns.NewNetNS`.
fn netns_name(sys: &mut dyn Sys) -> String {
    let (high, low) = (sys.random(), sys.random());
    format!(
        "cni-{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}
