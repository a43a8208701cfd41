use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Endpoints, Node, Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Change, Document, InputError, Notice, Step};
use crate::api::{Admit, Invalid, name_of, namespace_of};
use crate::controllers::endpoint_slice::ZONE;
use crate::controllers::slices::SERVICE_NAME;
use crate::controllers::written::Written;
use crate::proxy::{Family, ServiceName};

/// `kind: Step`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StepFile {
    api_version: String,
    kind: String,
    name: Option<String>,
}

/// `kind: Delete`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeleteFile {
    api_version: String,
    kind: String,
    target: String,
}

/// Namespace and name.
type Name = (String, String);

/// The objects as they are at some point of the files.
#[derive(Debug, Default)]
pub struct Objects {
    /// All Nodes of the files, by name.
    pub nodes: BTreeMap<String, Arc<Node>>,
    /// What a person should know.
    pub notices: Vec<Notice>,
    services: BTreeMap<ServiceName, Arc<Service>>,
    slices: BTreeMap<Name, Arc<EndpointSlice>>,
    endpoints: BTreeMap<Name, Arc<Endpoints>>,
    pods: BTreeMap<Name, Arc<Pod>>,
    /// The slices that come from Endpoints and Pods.
    derived: BTreeMap<Name, Arc<EndpointSlice>>,
}

impl Objects {
    /// Reads the Nodes: which one the proxy is on must be known before the rest.
    pub fn read(documents: &[Document<'_>]) -> Result<Self, Vec<InputError>> {
        let mut objects = Self::default();
        for document in documents.iter().filter(|document| document.manifest.resource.kind == "Node") {
            let node: Node = decode(document)?;
            objects.nodes.insert(name_of(&node).to_owned(), Arc::new(node));
        }
        Ok(objects)
    }

    /// What happens before each sync of the proxier on a node.
    pub fn steps(&mut self, documents: &[Document<'_>], node: &str) -> Result<Vec<Step>, Vec<InputError>> {
        let mut steps = Vec::new();
        let mut step = Step::default();
        let mut ended = false;
        for document in documents {
            ended = document.manifest.kind() == "Step";
            if ended {
                self.finish(&mut step, node);
                steps.push(std::mem::take(&mut step));
                continue;
            }
            self.take(document, &mut step.changes)?;
        }
        if !ended {
            self.finish(&mut step, node);
            steps.push(step);
        }
        Ok(steps)
    }

    fn take(&mut self, document: &Document<'_>, changes: &mut Vec<Change>) -> Result<(), Vec<InputError>> {
        let notices = document.manifest.notices.iter().map(|text| document.notice("kind", text.clone()));
        self.notices.extend(notices);
        let kind = document.manifest.kind();
        if kind == "Delete" {
            return self.delete(document, changes).map_err(|error| vec![error]);
        }
        match document.manifest.resource.kind {
            "Service" => {
                let service = self.service(document)?;
                let name = name_pair(&*service);
                changes.push(Change::Service(name.clone(), Some(service.clone())));
                self.services.insert(name, service);
            }
            "EndpointSlice" => {
                let slice: Arc<EndpointSlice> = Arc::new(valid(document)?);
                let labels = slice.metadata.labels.as_ref();
                if labels.is_none_or(|labels| !labels.contains_key(SERVICE_NAME)) {
                    let text = format!("the slice belongs to no Service: it has no label {SERVICE_NAME}");
                    self.notices.push(document.notice("metadata", text));
                }
                let name = name_pair(&*slice);
                changes.push(Change::Slice(name.clone(), Some(slice.clone())));
                self.slices.insert(name, slice);
            }
            "Endpoints" => {
                let endpoints: Endpoints = valid(document)?;
                self.endpoints.insert(name_pair(&endpoints), Arc::new(endpoints));
            }
            "Pod" => {
                let pod: Pod = decode(document)?;
                self.pods.insert(name_pair(&pod), Arc::new(pod));
            }
            "Node" => {
                let node: Node = decode(document)?;
                self.nodes.insert(name_of(&node).to_owned(), Arc::new(node));
            }
            known => {
                let what = if known == "Unsimulated" { kind } else { known };
                let text = format!("a {what} is nothing to a proxier: ignored");
                self.notices.retain(|notice| !notice.text.contains("is kept, and not simulated"));
                self.notices.push(document.notice("kind", text));
            }
        }
        Ok(())
    }

    fn delete(&mut self, document: &Document<'_>, changes: &mut Vec<Change>) -> Result<(), InputError> {
        let target = document.manifest.object["target"].as_str().unwrap_or_default();
        let words: Vec<&str> = target.split('/').collect();
        let (kind, name) = match words[..] {
            [kind, name] => (kind, ("default".to_owned(), name.to_owned())),
            [kind, namespace, name] => (kind, (namespace.to_owned(), name.to_owned())),
            _ => {
                let hint = Some("`target: Service/default/web`".to_owned());
                return Err(document.error("target", format!("{target:?} names no object"), hint));
            }
        };
        let found = match kind {
            "Service" => self.services.remove(&name).map(|_| changes.push(Change::Service(name, None))),
            "EndpointSlice" => self.slices.remove(&name).map(|_| changes.push(Change::Slice(name, None))),
            "Endpoints" => self.endpoints.remove(&name).map(drop),
            "Pod" => self.pods.remove(&name).map(drop),
            "Node" => self.nodes.remove(&name.1).map(drop),
            _ => None,
        };
        found.ok_or_else(|| document.error("target", format!("there is no {target} to delete"), None))
    }

    /// A Service as the API server would return it.
    fn service(&mut self, document: &Document<'_>) -> Result<Arc<Service>, Vec<InputError>> {
        let mut service: Service = decode(document)?;
        let written = service.spec.clone().unwrap_or_default();
        if let Some(spec) = &mut service.spec
            && spec.ip_families.is_none()
        {
            // An API server knows the families of its cluster; here the addresses tell.
            let ips = spec.cluster_ips.clone().or_else(|| Some(vec![spec.cluster_ip.clone()?]));
            let ips = ips.unwrap_or_default();
            let families = ips.iter().filter_map(|ip| ip.parse::<IpAddr>().ok());
            let families: Vec<String> = families.map(|ip| Family::of(&ip).name().to_owned()).collect();
            spec.ip_families = (!families.is_empty()).then_some(families);
        }
        service.set_defaults();
        if let Some(spec) = &mut service.spec {
            let one = spec.cluster_ip.clone().filter(|ip| !ip.is_empty()).map(|ip| vec![ip]);
            spec.cluster_ips = written.cluster_ips.or(one);
        }
        refuse(document, &service.validate(None))?;
        let spec = service.spec.clone().unwrap_or_default();
        let kind = spec.type_.as_deref().unwrap_or_default();
        if kind != "ExternalName" && spec.cluster_ip.as_deref().unwrap_or_default().is_empty() {
            let message = format!(
                "Service {:?} has no `spec.clusterIP`: an API server gives it one when it is created",
                name_of(&service)
            );
            let hint = "write one, e.g. `clusterIP: 10.96.0.10`, or `clusterIP: None` for a headless Service";
            return Err(vec![document.error("spec", message, Some(hint.to_owned()))]);
        }
        self.refuse_taken(document, &service)?;
        let allocates = kind == "NodePort"
            || kind == "LoadBalancer" && spec.allocate_load_balancer_node_ports != Some(false);
        for (number, port) in spec.ports.iter().flatten().enumerate() {
            if allocates && port.node_port.is_none_or(|port| port == 0) {
                let text = "no `nodePort`: an API server would choose one, here the port has none".to_owned();
                self.notices.push(document.notice(&format!("spec.ports[{number}]"), text));
            }
        }
        self.note_shared(document, &service);
        Ok(Arc::new(service))
    }

    /// What the API server would refuse because another Service has it.
    fn refuse_taken(&self, document: &Document<'_>, service: &Service) -> Result<(), Vec<InputError>> {
        let spec = service.spec.clone().unwrap_or_default();
        let own = name_pair(service);
        let others = self.services.iter().filter(|(name, _)| **name != own);
        let others = others.filter_map(|(_, other)| other.spec.as_ref());
        for other in others {
            let taken = other.cluster_ips.iter().flatten().filter(|ip| *ip != "None");
            for (number, ip) in spec.cluster_ips.iter().flatten().enumerate() {
                if taken.clone().any(|taken| taken == ip) {
                    let why = format!("failed to allocate IP {ip}: provided IP is already allocated");
                    let all = spec.cluster_ips.clone().unwrap_or_default().join("\", \"");
                    let invalid = Invalid {
                        path: "spec.clusterIPs".to_owned(),
                        detail: format!("Invalid value: []string{{\"{all}\"}}: {why}"),
                    };
                    let path = if number == 0 { "spec.clusterIP" } else { "spec.clusterIPs" };
                    return Err(vec![document.error(path, refusal(document, &invalid), None)]);
                }
            }
            for (number, port) in spec.ports.iter().flatten().enumerate() {
                let same = |other: &&k8s_openapi::api::core::v1::ServicePort| {
                    other.node_port == port.node_port && other.protocol == port.protocol
                };
                let wanted = port.node_port.filter(|port| *port != 0);
                if let Some(wanted) = wanted.filter(|_| other.ports.iter().flatten().any(|port| same(&port)))
                {
                    let path = format!("spec.ports[{number}].nodePort");
                    let invalid = Invalid::value(path, wanted, "provided port is already allocated");
                    refuse(document, &[invalid])?;
                }
            }
        }
        Ok(())
    }

    /// Says so if an external address and port is another Service's too: nobody refuses that.
    fn note_shared(&mut self, document: &Document<'_>, service: &Service) {
        let own = name_pair(service);
        let mine = external(service);
        for (name, other) in self.services.iter().filter(|(name, _)| **name != own) {
            let theirs = external(other);
            if let Some((ip, port, protocol)) = mine.iter().find(|address| theirs.contains(address)) {
                let (namespace, name) = name;
                let text = format!(
                    "{ip}:{port}/{protocol} is an external address of {namespace}/{name} too: the rules that \
                     come first decide"
                );
                self.notices.push(document.notice("spec.externalIPs", text));
            }
        }
    }

    /// Ends a step: works out the slices that nobody has written.
    fn finish(&mut self, step: &mut Step, node: &str) {
        let Self { services, slices, endpoints, pods, nodes, .. } = &*self;
        let derived = Written { services, slices, endpoints, pods, nodes }.derive();
        for name in self.derived.keys().filter(|name| !derived.contains_key(*name)) {
            step.changes.push(Change::Slice(name.clone(), None));
        }
        for (name, slice) in derived.iter().filter(|(name, slice)| self.derived.get(*name) != Some(slice)) {
            step.changes.push(Change::Slice(name.clone(), Some(slice.clone())));
        }
        self.derived = derived;
        let labels = self.nodes.get(node).and_then(|node| node.metadata.labels.as_ref());
        step.zone = labels.and_then(|labels| labels.get(ZONE).cloned());
    }
}

/// The external addresses of a Service, with port and protocol.
fn external(service: &Service) -> Vec<(String, i32, String)> {
    let Some(spec) = &service.spec else { return Vec::new() };
    let ips = spec.external_ips.iter().flatten();
    let ports = spec.ports.iter().flatten();
    let protocol = |protocol: &Option<String>| protocol.clone().unwrap_or_default();
    ips.flat_map(|ip| ports.clone().map(|port| (ip.clone(), port.port, protocol(&port.protocol)))).collect()
}

fn name_pair<K: crate::api::Kind>(object: &K) -> Name {
    let namespace = Some(namespace_of(object)).filter(|namespace| !namespace.is_empty());
    (namespace.unwrap_or("default").to_owned(), name_of(object).to_owned())
}

/// An object of a document; in the namespace `default` if it says none.
fn decode<K: crate::api::Kind + DeserializeOwned>(document: &Document<'_>) -> Result<K, Vec<InputError>> {
    let mut object: K = serde_json::from_value(document.manifest.object.clone())
        .map_err(|error| vec![document.error("", error.to_string(), None)])?;
    if document.manifest.name().is_empty() {
        let path = if object.metadata().generate_name.is_some() { "metadata" } else { "" };
        let message = "the object has no `metadata.name`".to_owned();
        return Err(vec![document.error(path, message, None)]);
    }
    if K::NAMESPACED {
        object.metadata_mut().namespace.get_or_insert_with(|| "default".to_owned());
    }
    Ok(object)
}

/// An object with the API server's defaults, which wouldn't refuse it.
fn valid<K: crate::api::Kind>(document: &Document<'_>) -> Result<K, Vec<InputError>> {
    let mut object: K = decode(document)?;
    object.set_defaults();
    refuse(document, &object.validate(None))?;
    Ok(object)
}

fn refusal(document: &Document<'_>, invalid: &Invalid) -> String {
    let (kind, name) = (document.manifest.kind(), document.manifest.name());
    format!("The {kind} {name:?} is invalid: {invalid}")
}

fn refuse(document: &Document<'_>, wrong: &[Invalid]) -> Result<(), Vec<InputError>> {
    if wrong.is_empty() {
        return Ok(());
    }
    let error = |invalid: &Invalid| document.error(&invalid.path, refusal(document, invalid), None);
    Err(wrong.iter().map(error).collect())
}
