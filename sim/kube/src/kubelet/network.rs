//! A pod's network: what containerd does with the CNI plugins.

use std::net::Ipv4Addr;

use k8s_openapi::api::core::v1::{ContainerPort, Pod};
use serde_json::{Map, Value, json};
use world::Sys;

use super::config::Config;
use super::dns::PodDns;
use crate::api;
use crate::cni::libcni::{Attachment, NetworkList, Runtime};
use crate::kubenet::{self, PortMapping};
use crate::scheduler::resources::thousandths;

/// What the kubelet says while there is no network. containerd: `cni.ErrCNINotInitialized`.
pub const NOT_READY: &str = "container runtime network not ready: NetworkReady=false \
                             reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not \
                             initialized";

const LOOPBACK: &str = "{\n\"cniVersion\": \"0.3.1\",\n\"name\": \"cni-loopback\",\n\"plugins\": [{\n  \"type\": \"loopback\"\n}]\n}";

/// The network of pods, if there is one.
pub fn load(sys: &mut dyn Sys, config: &Config, pod_cidr: Option<&str>) -> Option<NetworkList> {
    if config.kubenet {
        return NetworkList::parse_one(&config.kubenet_options.plugin_config(sys, pod_cidr?)?).ok();
    }
    NetworkList::first(sys, &config.conf_dir).ok()
}

/// A sandbox that is to be joined to the pods' network.
#[derive(Clone, Debug)]
pub struct Joining<'a> {
    /// The sandbox.
    pub id: &'a str,
    /// Its namespace's name in /run/netns; empty if it is gone.
    pub netns: &'a str,
    /// The pod.
    pub pod: &'a Pod,
    /// What its resolver uses.
    pub dns: &'a PodDns,
}

impl Joining<'_> {
    fn attachment(&self, ifname: &str) -> Attachment {
        let uid = self.pod.metadata.uid.clone().unwrap_or_default();
        let args = [
            ("IgnoreUnknown", "1"),
            ("K8S_POD_NAMESPACE", api::namespace_of(self.pod)),
            ("K8S_POD_NAME", api::name_of(self.pod)),
            ("K8S_POD_INFRA_CONTAINER_ID", self.id),
            ("K8S_POD_UID", &uid),
        ];
        let netns =
            if self.netns.is_empty() { String::new() } else { format!("/var/run/netns/{}", self.netns) };
        Attachment {
            container_id: self.id.to_owned(),
            netns,
            ifname: ifname.to_owned(),
            args: args.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec(),
            capability_args: self.capabilities(),
        }
    }

    /// The ports that the node is to have too, for kubenet.
    fn ports(&self) -> Vec<PortMapping> {
        let containers = self.pod.spec.iter().flat_map(|spec| &spec.containers);
        let ports = containers.flat_map(|container| container.ports.iter().flatten());
        let number = |port: i32| u16::try_from(port).ok().filter(|&port| port > 0);
        let mapping = |port: &ContainerPort| {
            Some(PortMapping {
                protocol: port.protocol.clone().unwrap_or_else(|| "TCP".to_owned()),
                host_port: number(port.host_port?)?,
                container_port: number(port.container_port)?,
            })
        };
        ports.filter_map(mapping).collect()
    }

    fn with_ports<'b>(&'b self, ports: &'b [PortMapping]) -> kubenet::Sandbox<'b> {
        let (name, namespace) = (api::name_of(self.pod), api::namespace_of(self.pod));
        kubenet::Sandbox { id: self.id, name, namespace, ports }
    }

    /// containerd: `cniNamespaceOpts`.
    fn capabilities(&self) -> Map<String, Value> {
        let containers = self.pod.spec.iter().flat_map(|spec| &spec.containers);
        let ports = containers.flat_map(|container| container.ports.iter().flatten());
        let mappings: Vec<Value> = ports
            .filter(|port| port.host_port.is_some_and(|port| port > 0))
            .map(|port| {
                let protocol = port.protocol.as_deref().unwrap_or("TCP").to_lowercase();
                json!({
                    "hostPort": port.host_port,
                    "containerPort": port.container_port,
                    "protocol": protocol,
                    "hostIP": port.host_ip.clone().unwrap_or_default(),
                })
            })
            .collect();
        let mut all = Map::new();
        if !mappings.is_empty() {
            all.insert("portMappings".to_owned(), mappings.into());
        }
        let annotation = |name: &str| self.pod.metadata.annotations.as_ref()?.get(name).cloned();
        let rate = |name: &str| annotation(name).and_then(|text| bits(&text));
        let mut bandwidth = Map::new();
        for (direction, key) in [("ingress", "ingressRate"), ("egress", "egressRate")] {
            if let Some(rate) = rate(&format!("kubernetes.io/{direction}-bandwidth")) {
                bandwidth.insert(key.to_owned(), rate.into());
                bandwidth.insert(key.replace("Rate", "Burst"), (i64::from(i32::MAX)).into());
            }
        }
        if !bandwidth.is_empty() {
            all.insert("bandwidth".to_owned(), bandwidth.into());
        }
        let PodDns { servers, searches, options } = self.dns;
        if !servers.is_empty() || !searches.is_empty() {
            let dns = json!({"Servers": servers, "Searches": searches, "Options": options});
            all.insert("dns".to_owned(), dns);
        }
        all
    }
}

/// Bits a second: a quantity such as `10M`.
fn bits(text: &str) -> Option<u64> {
    u64::try_from(thousandths(text)?).ok().map(|bits| bits.div_ceil(1000))
}

/// The loopback device, then the pods' network; answers the pod's address.
///
/// # Errors
/// The plugin that failed, and why.
pub fn join(
    sys: &mut dyn Sys,
    config: &Config,
    network: &NetworkList,
    joining: &Joining<'_>,
) -> Result<Ipv4Addr, String> {
    let loopback = NetworkList::parse(LOOPBACK)?;
    let mut runtime = Runtime { sys, path: config.bin_dir.clone() };
    let result = runtime.add(network, &joining.attachment("eth0"));
    runtime.add(&loopback, &joining.attachment("lo"))?;
    let address = address(&result?)
        .ok_or_else(|| format!("failed to find network info for sandbox {:?}", joining.id))?;
    if config.kubenet {
        config.kubenet_options.joined(sys, &joining.with_ports(&joining.ports()), address)?;
    }
    Ok(address)
}

/// The address that a result gives the pod.
fn address(printed: &str) -> Option<Ipv4Addr> {
    let result: Value = serde_json::from_str(printed).ok()?;
    let text = match &result["ips"] {
        Value::Array(ips) => ips.first()?["address"].as_str()?.to_owned(),
        _ => result["ip4"]["ip"].as_str()?.to_owned(),
    };
    text.split('/').next()?.parse().ok()
}

/// Takes a sandbox out of its networks.
///
/// # Errors
/// The plugin that failed, and why.
pub fn leave(
    sys: &mut dyn Sys,
    config: &Config,
    network: Option<&NetworkList>,
    joining: &Joining<'_>,
) -> Result<(), String> {
    let network = network.ok_or("cni plugin not initialized")?;
    let loopback = NetworkList::parse(LOOPBACK)?;
    let mut runtime = Runtime { sys, path: config.bin_dir.clone() };
    for (list, device) in [(&loopback, "lo"), (network, "eth0")] {
        match runtime.del(list, &joining.attachment(device)) {
            Err(error) if !error.contains("not found") => return Err(error),
            _ => {}
        }
    }
    if config.kubenet {
        config.kubenet_options.left(sys, &joining.with_ports(&joining.ports()))?;
    }
    Ok(())
}
