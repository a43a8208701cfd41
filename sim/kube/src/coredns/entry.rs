//! What CoreDNS keeps of an object. CoreDNS: `plugin/kubernetes/object`.

use std::net::IpAddr;

use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, Serialize};

use crate::api::labels::Labels;
use crate::controllers::slices::SERVICE_NAME;

/// Namespace and name.
pub(super) type Key = (String, String);

/// The label of a slice with the Service of the set of clusters that it belongs to.
const IMPORTED_NAME: &str = "multicluster.kubernetes.io/service-name";
/// The label of a slice with the cluster that it comes from.
const SOURCE_CLUSTER: &str = "multicluster.kubernetes.io/source-cluster";
/// The longest label of a name (RFC 1035 §2.3.4).
const MAX_LABEL: usize = 63;

/// What a table of objects has to know of one.
pub(super) trait Entry {
    /// The Service that it belongs to.
    fn service(&self) -> Key;
    /// The addresses by which it is found.
    fn addresses(&self) -> Vec<IpAddr>;
    /// Whether names resolve otherwise when it becomes `new`.
    fn changes(&self, new: &Self) -> bool;
}

/// A port of a Service or of endpoints. CoreDNS has port -1 where an object has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Port {
    pub number: Option<u16>,
    pub name: String,
    pub protocol: String,
}

impl Port {
    const NONE: Self = Self { number: None, name: String::new(), protocol: String::new() };

    fn of(number: Option<i32>, name: Option<&String>, protocol: Option<&String>) -> Self {
        Self {
            number: number.and_then(|number| u16::try_from(number).ok()),
            name: name.cloned().unwrap_or_default(),
            protocol: protocol.cloned().unwrap_or_default(),
        }
    }
}

/// A Service, of the cluster or of the set of clusters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServiceEntry {
    pub key: Key,
    pub labels: Labels,
    pub headless: bool,
    pub addresses: Vec<IpAddr>,
    pub external_name: Option<String>,
    pub ports: Vec<Port>,
}

impl ServiceEntry {
    pub fn of(service: &Service) -> Self {
        let spec = service.spec.clone().unwrap_or_default();
        let mut ips = spec.cluster_ips.unwrap_or_default();
        if ips.is_empty() {
            ips.extend(spec.cluster_ip);
        }
        let ports = spec.ports.unwrap_or_default();
        let ports = ports.iter().map(|port| {
            Port::of(Some(port.port), port.name.as_ref(), Some(port.protocol.as_ref().unwrap_or(&tcp())))
        });
        let mut ports: Vec<Port> = ports.collect();
        if ports.is_empty() {
            ports.push(Port::NONE);
        }
        let external = spec.type_.as_deref() == Some("ExternalName");
        Self {
            key: key_of(&service.metadata),
            labels: service.metadata.labels.clone().unwrap_or_default(),
            headless: ips.first().is_some_and(|ip| ip == "None"),
            addresses: ips.iter().filter_map(|ip| ip.parse().ok()).collect(),
            external_name: external.then(|| spec.external_name.unwrap_or_default()),
            ports,
        }
    }

    pub fn of_import(import: &ServiceImport) -> Self {
        let ServiceImportSpec { ips, ports, type_ } = &import.spec;
        let port =
            |port: &ServiceImportPort| Port::of(Some(port.port), port.name.as_ref(), port.protocol.as_ref());
        Self {
            key: key_of(&import.metadata),
            labels: import.metadata.labels.clone().unwrap_or_default(),
            headless: type_ == "Headless",
            addresses: ips.iter().filter_map(|ip| ip.parse().ok()).collect(),
            external_name: None,
            ports: ports.iter().map(port).collect(),
        }
    }
}

impl Entry for ServiceEntry {
    fn service(&self) -> Key {
        self.key.clone()
    }

    fn addresses(&self) -> Vec<IpAddr> {
        self.addresses.clone()
    }

    fn changes(&self, new: &Self) -> bool {
        (&self.external_name, &self.ports, self.headless) != (&new.external_name, &new.ports, new.headless)
    }
}

/// A slice of a Service's endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SliceEntry {
    pub service: Key,
    pub labels: Labels,
    pub addresses: Vec<EndpointAddress>,
    pub ports: Vec<Port>,
    /// The cluster that it comes from, in a set of clusters.
    pub cluster: String,
}

/// An address of an endpoint that is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EndpointAddress {
    pub ip: IpAddr,
    pub hostname: Option<String>,
    /// The name of its pod, if it may stand in a name.
    pub pod: Option<String>,
    /// The zone that it is in, in small letters.
    pub zone: Option<String>,
}

impl SliceEntry {
    pub fn of(slice: &EndpointSlice) -> Self {
        Self::labelled(slice, SERVICE_NAME)
    }

    /// The slice as one of a set of clusters, if it is.
    pub fn imported(slice: &EndpointSlice) -> Option<Self> {
        slice.metadata.labels.as_ref()?.get(IMPORTED_NAME)?;
        Some(Self::labelled(slice, IMPORTED_NAME))
    }

    fn labelled(slice: &EndpointSlice, label: &str) -> Self {
        let labels = slice.metadata.labels.clone().unwrap_or_default();
        let service = labels.get(label).cloned().unwrap_or_default();
        let port = |port: &k8s_openapi::api::discovery::v1::EndpointPort| {
            Port::of(port.port, port.name.as_ref(), port.protocol.as_ref())
        };
        let mut ports: Vec<Port> = slice.ports.iter().flatten().map(port).collect();
        if ports.is_empty() {
            ports.push(Port::NONE);
        }
        let is_ready = |endpoint: &&Endpoint| {
            endpoint.conditions.as_ref().and_then(|conditions| conditions.ready).unwrap_or(true)
        };
        Self {
            service: (key_of(&slice.metadata).0, service),
            cluster: labels.get(SOURCE_CLUSTER).cloned().unwrap_or_default(),
            labels,
            addresses: slice.endpoints.iter().filter(is_ready).flat_map(EndpointAddress::of).collect(),
            ports,
        }
    }
}

impl EndpointAddress {
    fn of(endpoint: &Endpoint) -> impl Iterator<Item = Self> + '_ {
        let pod = endpoint.target_ref.as_ref().and_then(|target| target.name.clone());
        let pod = pod.filter(|name| name.len() <= MAX_LABEL);
        let ips = endpoint.addresses.iter().filter_map(|address| address.parse().ok());
        ips.map(move |ip| Self {
            ip,
            hostname: endpoint.hostname.clone().filter(|name| !name.is_empty()),
            pod: pod.clone(),
            zone: endpoint.zone.as_ref().map(|zone| zone.to_lowercase()),
        })
    }
}

impl Entry for SliceEntry {
    fn service(&self) -> Key {
        self.service.clone()
    }

    fn addresses(&self) -> Vec<IpAddr> {
        self.addresses.iter().map(|address| address.ip).collect()
    }

    fn changes(&self, new: &Self) -> bool {
        (&self.addresses, &self.ports, &self.cluster) != (&new.addresses, &new.ports, &new.cluster)
    }
}

/// A pod that runs or will.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PodEntry {
    pub key: Key,
    pub labels: Labels,
    pub ip: Option<IpAddr>,
}

impl PodEntry {
    pub fn of(pod: &Pod) -> Option<Self> {
        let status = pod.status.as_ref();
        let ended = status.and_then(|status| status.phase.as_deref());
        if pod.metadata.deletion_timestamp.is_some()
            || matches!(ended, Some("Succeeded" | "Failed" | "Unknown"))
        {
            return None;
        }
        Some(Self {
            key: key_of(&pod.metadata),
            labels: pod.metadata.labels.clone().unwrap_or_default(),
            ip: status.and_then(|status| status.pod_ip.as_ref()?.parse().ok()),
        })
    }
}

impl Entry for PodEntry {
    fn service(&self) -> Key {
        self.key.clone()
    }

    fn addresses(&self) -> Vec<IpAddr> {
        self.ip.into_iter().collect()
    }

    fn changes(&self, new: &Self) -> bool {
        self.ip != new.ip
    }
}

/// A Service of a set of clusters, `multicluster.x-k8s.io/v1alpha1`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceImport {
    /// Its version.
    pub api_version: String,
    /// `ServiceImport`.
    pub kind: String,
    /// Its name.
    pub metadata: ObjectMeta,
    /// What it says.
    pub spec: ServiceImportSpec,
}

/// What a [`ServiceImport`] says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceImportSpec {
    /// Its addresses.
    pub ips: Vec<String>,
    /// Its ports.
    pub ports: Vec<ServiceImportPort>,
    /// `ClusterSetIP` or `Headless`.
    #[serde(rename = "type")]
    pub type_: String,
}

/// A port of a [`ServiceImport`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceImportPort {
    /// Its name.
    pub name: Option<String>,
    /// Its protocol.
    pub protocol: Option<String>,
    /// Its number.
    pub port: i32,
}

fn tcp() -> String {
    "TCP".to_owned()
}

fn key_of(metadata: &ObjectMeta) -> Key {
    let namespace = metadata.namespace.clone().filter(|namespace| !namespace.is_empty());
    (namespace.unwrap_or_else(|| "default".to_owned()), metadata.name.clone().unwrap_or_default())
}
