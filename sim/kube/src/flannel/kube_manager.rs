//! The nodes of a Kubernetes cluster and their `podCIDR`. flannel: `pkg/subnet/kube`.
//!
//! Simplified: the API server is reached out of band; no kubeconfig and no token is asked for.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use ipnet::Ipv4Net;
use k8s_openapi::api::core::v1::{Node, NodeCondition, Pod};
use packet::SimTime;
use serde_json::Value;
use world::{Sys, Wait, Watch};

use super::config::Config;
use super::lease::{Lease, LeaseAttrs, LeaseEvent, LeaseNews};
use super::log::Log;
use super::manager::Completion;
use super::options::Options;
use crate::api;
use crate::cni::files;

/// How long it looks for its own node.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_secs(3);

/// What has come of the nodes.
#[derive(Clone, Debug)]
pub struct KubeManager {
    node: String,
    /// What flannel's annotations begin with.
    prefix: String,
    config: Config,
    set_unavailable: bool,
    /// The nodes as they were looked at last.
    nodes: BTreeMap<String, Arc<Node>>,
    /// The store's revision then.
    after: Option<u64>,
    /// Until when the own node is looked for, and when it is looked for again.
    patience: Option<(SimTime, SimTime)>,
    completed: bool,
}

impl KubeManager {
    /// flannel: `NewSubnetManager`.
    ///
    /// # Errors
    /// In flannel's words.
    pub fn new(sys: &mut dyn Sys, log: Log, options: &Options) -> Result<Self, String> {
        let env = |name: &str| sys.env(name).filter(|value| !value.is_empty());
        let node = match (env("NODE_NAME"), env("POD_NAME"), env("POD_NAMESPACE")) {
            (Some(node), ..) => node,
            (None, Some(pod), Some(namespace)) => {
                let found = api::get::<Pod>(sys.store(), &namespace, &pod).ok_or_else(|| {
                    format!("error retrieving pod spec for '{namespace}/{pod}': pods \"{pod}\" not found")
                })?;
                let node = found.spec.as_ref().and_then(|spec| spec.node_name.clone());
                node.ok_or_else(|| format!("node name not present in pod spec '{namespace}/{pod}'"))?
            }
            _ => return Err("env variables POD_NAME and POD_NAMESPACE must be set".to_owned()),
        };
        let text = files::read(sys, &options.net_config_path)
            .map_err(|error| format!("failed to read net conf: {error}"))?;
        let config = Config::parse(&text).map_err(|error| format!("error parsing subnet config: {error}"))?;
        let prefix = annotation_prefix(&options.kube_annotation_prefix)
            .map_err(|error| format!("error creating network manager: {error}"))?;
        if config.backend_type == "alloc" {
            log.info(sys, "kube.go:135", "Node controller skips sync");
        } else {
            log.info(sys, "kube.go:537", "Starting kube subnet manager");
            log.info(sys, "kube.go:139", "Waiting 10m0s for node controller to sync");
            log.info(sys, "kube.go:163", "Node controller sync successful");
        }
        Ok(Self {
            node,
            prefix,
            config,
            set_unavailable: options.set_node_network_unavailable,
            nodes: BTreeMap::new(),
            after: None,
            patience: None,
            completed: false,
        })
    }

    /// As the log names it.
    pub fn name(&self) -> String {
        format!("Kubernetes Subnet Manager - {}", self.node)
    }

    /// The network's configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    fn own(&self, sys: &dyn Sys) -> Option<Arc<Node>> {
        api::get::<Node>(sys.store(), "", &self.node)
    }

    fn annotation<'a>(&self, node: &'a Node, name: &str) -> &'a str {
        let all = node.metadata.annotations.as_ref();
        all.and_then(|all| all.get(&format!("{}{name}", self.prefix))).map_or("", String::as_str)
    }

    /// The own node's annotation, after all have been logged.
    fn stored(&self, sys: &mut dyn Sys, log: Log, place: (&str, &str), name: &str) -> String {
        let Some(node) = self.own(sys) else {
            let text = format!("Failed to get node for backend data: nodes \"{}\" not found", self.node);
            log.error(sys, place.1, &text);
            return String::new();
        };
        if let Some(all) = &node.metadata.annotations {
            let pairs: Vec<String> = all.iter().map(|(key, value)| format!("{key:?}:{value:?}")).collect();
            let all = format!("map[string]string{{{}}}", pairs.join(", "));
            log.info(sys, place.0, &format!("List of node({}) annotations: {all}", self.node));
        }
        self.annotation(&node, name).to_owned()
    }

    /// The address that `node-public-ip` names.
    pub fn stored_public_ip(&self, sys: &mut dyn Sys, log: Log) -> String {
        self.stored(sys, log, ("kube.go:743", "kube.go:738"), "node-public-ip")
    }

    /// The MAC address in `backend-data`: `{"VNI":1,"VtepMAC":"12:c6:65:89:b4:e3"}`.
    pub fn stored_mac(&self, sys: &mut dyn Sys, log: Log) -> String {
        let data = self.stored(sys, log, ("kube.go:710", "kube.go:703"), "backend-data");
        let data: Value = serde_json::from_str(&data).unwrap_or_default();
        data.get("VtepMAC").and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Writes what the backend says to the own node, and takes its `podCIDR`.
    pub fn acquire(
        &mut self,
        sys: &mut dyn Sys,
        log: Log,
        attrs: &LeaseAttrs,
    ) -> Poll<Result<Lease, String>> {
        let Some(node) = self.own(sys) else {
            let now = sys.now();
            let (end, _) = self.patience.unwrap_or((now + PATIENCE, now));
            self.patience = Some((end, now + LOOK_AGAIN));
            if now < end {
                return Poll::Pending;
            }
            return Poll::Ready(Err(format!(
                "timeout contacting kube-api, failed to patch node {:?}. Error: context deadline exceeded",
                self.node
            )));
        };
        self.patience = None;
        Poll::Ready(self.take(sys, log, &node, attrs))
    }

    fn take(&self, sys: &mut dyn Sys, log: Log, node: &Node, attrs: &LeaseAttrs) -> Result<Lease, String> {
        let spec = node.spec.clone().unwrap_or_default();
        if spec.pod_cidr.as_deref().unwrap_or_default().is_empty() {
            return Err(format!("node {:?} pod cidr not assigned", self.node));
        }
        let subnet = pod_cidr(node, &self.node)?;
        self.annotate(sys, log, node, attrs)?;
        let expiration = Some(sys.now() + Duration::from_secs(24 * 60 * 60));
        let Some(subnet) = subnet else {
            return Err("hoplab: flannel without an IPv4 podCIDR is not simulated".to_owned());
        };
        match self.config.network {
            Some(network) if network.contains(&subnet) => {
                Ok(Lease { subnet, attrs: attrs.clone(), expiration })
            }
            network => {
                let network = network.map_or("0.0.0.0/0".to_owned(), |network| network.to_string());
                Err(format!(
                    "subnet {network:?} specified in the flannel net config doesn't contain {:?} PodCIDR of the \
                     {:?} node",
                    subnet.to_string(),
                    self.node
                ))
            }
        }
    }

    /// Writes the annotations, if they are others.
    fn annotate(&self, sys: &mut dyn Sys, log: Log, node: &Node, attrs: &LeaseAttrs) -> Result<(), String> {
        let data = attrs.backend_data.as_ref().map_or("null".to_owned(), Value::to_string);
        let overwrite = self.annotation(node, "public-ip-overwrite").to_owned();
        let own_ip = attrs.public_ip.to_string();
        let public_ip = if overwrite.is_empty() { own_ip.clone() } else { overwrite.clone() };
        let same = self.annotation(node, "backend-data") == data
            && self.annotation(node, "backend-type") == attrs.backend_type
            && self.annotation(node, "public-ip") == own_ip
            && self.annotation(node, "kube-subnet-manager") == "true"
            && (overwrite.is_empty() || overwrite == own_ip);
        if same {
            return Ok(());
        }
        if !overwrite.is_empty() && self.annotation(node, "public-ip") != overwrite {
            let text = format!(
                "Overriding public ip with '{overwrite}' from node annotation '{}public-ip-overwrite'",
                self.prefix
            );
            log.info(sys, "kube.go:438", &text);
        }
        let pairs = [
            ("backend-type", attrs.backend_type.clone()),
            ("backend-data", data),
            ("public-ip", public_ip),
            ("kube-subnet-manager", "true".to_owned()),
        ];
        let outcome = api::modify::<Node>(sys, "", &self.node, |node| {
            let all = node.metadata.annotations.get_or_insert_default();
            all.extend(pairs.map(|(name, value)| (format!("{}{name}", self.prefix), value)));
        });
        outcome.map(drop).map_err(|error| {
            format!("timeout contacting kube-api, failed to patch node {:?}. Error: {error}", self.node)
        })
    }

    /// What has changed at the nodes. flannel: `handleAddLeaseEvent`, `handleUpdateLeaseEvent`.
    pub fn news(&mut self, sys: &mut dyn Sys, log: Log) -> Vec<LeaseNews> {
        if self.config.backend_type == "alloc" || self.after == Some(sys.store().revision()) {
            return Vec::new();
        }
        self.after = Some(sys.store().revision());
        let mut before = std::mem::take(&mut self.nodes);
        let mut events = Vec::new();
        for node in api::list::<Node>(sys.store(), None) {
            let name = api::name_of(&*node).to_owned();
            let old = before.remove(&name);
            self.nodes.insert(name.clone(), Arc::clone(&node));
            let said = |node: &Node| {
                ["backend-data", "backend-type", "public-ip"].map(|key| self.annotation(node, key).to_owned())
            };
            // Until a node says that flannel manages it, it counts as new.
            let known = old.filter(|old| self.annotation(old, "kube-subnet-manager") == "true");
            let managed = self.annotation(&node, "kube-subnet-manager") == "true";
            if managed && known.is_none_or(|old| said(&old) != said(&node)) {
                match self.lease_of(sys, log, &node) {
                    Ok(lease) => events.push(LeaseNews::Event(LeaseEvent::Added(lease))),
                    Err(error) => {
                        let text = format!("Error turning node {name:?} to lease: {error}");
                        log.info(sys, "kube.go:304", &text);
                    }
                }
            }
        }
        for (_, node) in before {
            if self.annotation(&node, "kube-subnet-manager") == "true"
                && let Ok(lease) = self.lease_of(sys, log, &node)
            {
                events.push(LeaseNews::Event(LeaseEvent::Removed(lease)));
            }
        }
        events
    }

    /// flannel: `nodeToLease`.
    fn lease_of(&self, sys: &mut dyn Sys, log: Log, node: &Node) -> Result<Lease, String> {
        let public_ip: Ipv4Addr =
            self.annotation(node, "public-ip").parse().map_err(|_| "invalid IP address format".to_owned())?;
        let data = self.annotation(node, "backend-data");
        let mut attrs = LeaseAttrs::new(public_ip, self.annotation(node, "backend-type"));
        attrs.backend_data = serde_json::from_str(data).ok().filter(|data: &Value| !data.is_null());
        let cidrs = node.spec.as_ref().and_then(|spec| spec.pod_cidrs.clone()).unwrap_or_default();
        if !cidrs.is_empty() {
            let cidrs = cidrs.join(" ");
            let text = format!("Creating the node lease for IPv4. This is the n.Spec.PodCIDRs: [{cidrs}]");
            log.info(sys, "kube.go:561", &text);
        }
        let subnet = pod_cidr(node, &self.node)?;
        let subnet = subnet.ok_or_else(|| "missing IPv4 address on n.Spec.PodCIDRs".to_owned())?;
        Ok(Lease { subnet, attrs, expiration: None })
    }

    /// Says that the node has its network.
    pub fn complete(&mut self, sys: &mut dyn Sys, log: Log) -> Completion {
        if self.completed {
            return Completion::Goes;
        }
        self.completed = true;
        if !self.set_unavailable {
            return Completion::Done;
        }
        let now = api::now(sys);
        let condition = NodeCondition {
            type_: "NetworkUnavailable".to_owned(),
            status: "False".to_owned(),
            reason: Some("FlannelIsUp".to_owned()),
            message: Some("Flannel is running on this node".to_owned()),
            last_transition_time: Some(now.clone()),
            last_heartbeat_time: Some(now),
        };
        let outcome = api::modify::<Node>(sys, "", &self.node, |node| {
            let conditions = node.status.get_or_insert_default().conditions.get_or_insert_default();
            conditions.retain(|known| known.type_ != condition.type_);
            conditions.push(condition);
        });
        if let Err(error) = outcome {
            log.error(sys, "main.go:502", &format!("CompleteLease execute error err: {error}"));
        }
        Completion::Done
    }

    /// What it waits for.
    pub fn wait(&self) -> Wait {
        let watch = self.after.filter(|_| self.config.backend_type != "alloc");
        let watch = watch.map(|after| Watch { after, prefixes: vec![api::prefix::<Node>(None)] });
        Wait { until: self.patience.map(|(_, again)| again), watch, ..Wait::default() }
    }
}

/// The IPv4 part among a node's `podCIDRs`.
fn pod_cidr(node: &Node, own: &str) -> Result<Option<Ipv4Net>, String> {
    let spec = node.spec.clone().unwrap_or_default();
    let cidrs = match spec.pod_cidrs.unwrap_or_default() {
        all if all.is_empty() => spec.pod_cidr.into_iter().collect(),
        all if all.len() < 3 => all,
        _ => return Err(format!("node {own:?} pod cidrs should be IPv4/IPv6 only or dualstack")),
    };
    for cidr in cidrs {
        match cidr.parse::<ipnet::IpNet>() {
            Ok(ipnet::IpNet::V4(net)) => return Ok(Some(net.trunc())),
            Ok(ipnet::IpNet::V6(_)) => {}
            Err(_) => return Err(format!("invalid CIDR address: {cidr}")),
        }
    }
    Ok(None)
}

/// flannel: `newAnnotations`.
fn annotation_prefix(given: &str) -> Result<String, String> {
    let mut prefix = given.to_owned();
    match given.matches('/').count() {
        0 => prefix.push('/'),
        1 => {}
        _ => return Err("subnet/kube: prefix can contain at most single slash".to_owned()),
    }
    if !prefix.ends_with(['/', '-']) {
        prefix.push('-');
    }
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    let (domain, rest) = prefix.split_once('/').unwrap_or_default();
    let is_domain =
        domain.contains('.') && domain.split('.').all(|part| !part.is_empty() && part.chars().all(good));
    if !is_domain || !rest.chars().all(good) {
        return Err("subnet/kube: prefix must be in a format: fqdn/[0-9a-z-_]*".to_owned());
    }
    Ok(prefix)
}
