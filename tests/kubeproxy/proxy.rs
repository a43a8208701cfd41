//! A kube-proxy that is told a case's objects, one sync after the other.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::proxy::iptables::{NodeView, Proxier, canaries};
use kube::proxy::{Family, LocalDetector, ProxyConfig};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::case::{Case, list};

/// What a sync asks for, in the order of doing.
#[derive(Debug, Default)]
pub struct Sync {
    /// `KEY=VALUE`.
    pub sysctls: Vec<String>,
    /// Arguments of `iptables`, for chains and rules that must exist.
    pub ensure: Vec<String>,
    /// What `iptables-restore --noflush --counters` reads.
    pub filter: String,
    pub nat: String,
    /// Arguments of `conntrack`.
    pub conntrack: Vec<String>,
    /// Events for the objects.
    pub events: Vec<String>,
}

/// kube-proxy 1.30 in iptables mode, for one family.
#[derive(Debug)]
pub struct Proxy {
    proxier: Proxier,
    node_name: String,
    addresses: Vec<IpAddr>,
    /// What happens before each sync, the next one first.
    steps: std::vec::IntoIter<Vec<Value>>,
    started: bool,
}

impl Proxy {
    /// A proxy as the case's first object configures it.
    pub fn new(case: &Case, family: Family) -> Self {
        let objects = case.objects();
        let (told, objects) = objects.split_first().expect("the first object is the configuration");
        let config = config(told);
        let mut addresses = config.node_ips.clone();
        addresses.extend(["127.0.0.1", "::1"].map(|ip| ip.parse::<IpAddr>().expect("an address")));
        let mut steps: Vec<Vec<Value>> =
            objects.split(|object| object["kind"] == "Step").map(<[_]>::to_vec).collect();
        steps.retain(|objects| !objects.is_empty());
        let node_name = config.node_name.clone();
        let proxier = Proxier::new(family, Arc::new(config));
        Self { proxier, node_name, addresses, steps: steps.into_iter(), started: false }
    }

    /// Whether the case's configuration asks for this family.
    pub fn is_asked(case: &Case, family: Family) -> bool {
        list(&case.objects()[0]["ipFamilies"]).any(|name| *name == family.name())
    }

    /// The next sync, on a node that has these chains in table nat.
    pub fn sync(&mut self, nat_chains: BTreeSet<String>) -> Sync {
        for object in self.steps.next().unwrap_or_default() {
            self.take(&object);
        }
        let mut sync = Sync::default();
        if !std::mem::replace(&mut self.started, true) {
            let settings = self.proxier.sysctls().into_iter();
            sync.sysctls.extend(settings.map(|(key, value)| format!("{key}={value}")));
            sync.ensure.extend(canaries().iter().map(ToString::to_string));
        }
        let view = NodeView { addresses: self.addresses.clone(), nat_chains, ..NodeView::default() };
        let asked = self.proxier.sync(&view);
        sync.ensure.extend(asked.ensure.iter().map(ToString::to_string));
        let words = "endpointslice has incorrect IP version";
        let events = asked.other_family.iter();
        sync.events
            .extend(events.map(|(_, ip)| format!("Warning KubeProxyIncorrectIPVersion {ip} in {words}")));
        Sync { filter: asked.filter, nat: asked.nat, conntrack: asked.conntrack, ..sync }
    }

    fn take(&mut self, object: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (namespace, name) = (text(&object["metadata"]["namespace"]), text(&object["metadata"]["name"]));
        let tracker = &mut self.proxier.tracker;
        match object["kind"].as_str() {
            Some("Service") => tracker.set_service((namespace, name), Some(read::<Service>(object))),
            Some("EndpointSlice") => {
                tracker.set_slice(&namespace, &name, Some(read::<EndpointSlice>(object)))
            }
            Some("Node") if name == self.node_name => {
                let zone = &object["metadata"]["labels"]["topology.kubernetes.io/zone"];
                self.proxier.set_zone(zone.as_str().map(str::to_owned));
            }
            Some("Node") => {}
            Some("Delete") => {
                let target = text(&object["target"]);
                match *target.split('/').collect::<Vec<_>>() {
                    ["Service", namespace, name] => {
                        tracker.set_service((namespace.into(), name.into()), None)
                    }
                    ["EndpointSlice", namespace, name] => tracker.set_slice(namespace, name, None),
                    _ => panic!("what is {target}?"),
                }
            }
            other => panic!("an object of kind {other:?}"),
        }
    }
}

fn read<T: DeserializeOwned>(object: &Value) -> Arc<T> {
    Arc::new(serde_json::from_value(object.clone()).expect("the object is complete"))
}

fn config(told: &Value) -> ProxyConfig {
    fn parsed<T: std::str::FromStr>(values: &Value) -> Vec<T> {
        list(values).filter_map(|value| value.as_str()?.parse().ok()).collect()
    }
    let flag = |name: &str| told[name].as_bool().unwrap_or_default();
    let detector = |family| {
        let nets = parsed::<ipnet::IpNet>(&told["clusterCIDR"]);
        let value = told["detectLocal"]["value"][0].as_str().unwrap_or_default().to_owned();
        match told["detectLocal"]["mode"].as_str() {
            Some("BridgeInterface") => LocalDetector::Bridge(value),
            Some("InterfaceNamePrefix") => LocalDetector::Prefix(value),
            _ => nets
                .into_iter()
                .find(|net| Family::of(&net.addr()) == family)
                .map_or(LocalDetector::None, LocalDetector::Source),
        }
    };
    ProxyConfig {
        node_name: told["nodeName"].as_str().unwrap_or_default().to_owned(),
        node_ips: parsed(&told["nodeIPs"]),
        detectors: [detector(Family::Ipv4), detector(Family::Ipv6)],
        masquerade_all: flag("masqueradeAll"),
        masquerade_bit: told["masqueradeBit"].as_u64().and_then(|bit| bit.try_into().ok()).unwrap_or(14),
        node_port_addresses: parsed(&told["nodePortAddresses"]),
        localhost_node_ports: flag("localhostNodePorts"),
        ..ProxyConfig::default()
    }
}
