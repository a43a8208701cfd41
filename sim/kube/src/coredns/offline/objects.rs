use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use dns::zone::Zone;
use dns::zone_file::{CheckNames, load};
use k8s_openapi::api::core::v1::{ConfigMap, Endpoints, Namespace, Node, Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use serde::de::DeserializeOwned;

use super::corefile::{FOLDER, Files, Written as WrittenCorefile};
use super::{LOOPBACK, root_zone};
use crate::api::manifest::{self, Manifest, OwnKind};
use crate::api::{Admit, Kind, Mismatch, name_of, namespace_of};
use crate::controllers::written::Written;
use crate::coredns::cluster::Cluster;
use crate::coredns::corefile::Corefile;
use crate::coredns::entry::ServiceImport;
use crate::proxy::input::{InputError, Notice, Source};

/// The server that a Corefile with `forward . /etc/resolv.conf` names if nothing says another: an
/// address of documentation (RFC 5737), where nobody answers.
pub const UNKNOWN_SERVER: &str = "192.0.2.53";
/// The seconds since 1970 of all objects' changes.
const CHANGED: u64 = world::EPOCH;
/// The Service of a cluster's CoreDNS.
const OWN_SERVICE: (&str, &str) = ("kube-system", "kube-dns");
/// The namespaces that each cluster has.
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// What the person who asks says beside the files.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// A Corefile, in place of the files' one.
    pub corefile: Option<Source<'a>>,
    /// A zone file with what other servers answer.
    pub upstream: Option<Source<'a>>,
    /// `/etc/resolv.conf` of CoreDNS.
    pub resolv_conf: Option<&'a str>,
    /// CoreDNS's own address.
    pub address: Option<IpAddr>,
}

/// What was read.
#[derive(Clone, Debug)]
pub struct Input {
    /// The Corefile.
    pub corefile: Corefile,
    /// The objects.
    pub cluster: Cluster,
    /// What other servers answer.
    pub upstream: Zone,
    /// CoreDNS's own address.
    pub address: IpAddr,
    /// What a person should know.
    pub notices: Vec<Notice>,
}

/// Objects by namespace and name.
type Objects<K> = BTreeMap<(String, String), Arc<K>>;

#[derive(Default)]
struct Found {
    namespaces: BTreeMap<String, Namespace>,
    services: Objects<Service>,
    slices: Objects<EndpointSlice>,
    endpoints: Objects<Endpoints>,
    pods: Objects<Pod>,
    nodes: BTreeMap<String, Arc<Node>>,
    imports: Objects<ServiceImport>,
    corefile: Option<WrittenCorefile>,
    files: Files,
    notices: Vec<Notice>,
}

/// The kinds that only these files have.
const OWN_KINDS: [OwnKind; 1] = [OwnKind {
    api_version: Some("multicluster.x-k8s.io/v1alpha1"),
    kind: "ServiceImport",
    check: check::<ServiceImport>,
}];

fn check<T: serde::Serialize + DeserializeOwned>(value: &serde_json::Value) -> Result<(), Mismatch> {
    crate::api::read::<T>(value).map(drop)
}

impl Input {
    /// Reads files: manifests, and Corefiles, which have `Corefile` in their names.
    ///
    /// # Errors
    /// What is wrong with the first file that can't be used.
    pub fn read(files: &[Source<'_>], options: &Options<'_>) -> Result<Self, Vec<InputError>> {
        let mut found = Found::default();
        for Source { name, text } in files {
            if is_corefile(name) {
                found.take_corefile(WrittenCorefile {
                    file: (*name).to_owned(),
                    text: (*text).to_owned(),
                    before: (0, 0),
                })?;
                continue;
            }
            let manifests = manifest::read_with(text, &OWN_KINDS).map_err(|error| vec![at(name, error)])?;
            for document in manifests {
                found.take(name, &document, text)?;
            }
        }
        if let Some(Source { name, text }) = options.corefile {
            found.corefile =
                Some(WrittenCorefile { file: name.to_owned(), text: text.to_owned(), before: (0, 0) });
        }
        let resolv_conf = match options.resolv_conf {
            Some(text) => text.to_owned(),
            None => format!("nameserver {UNKNOWN_SERVER}\n"),
        };
        found.files.0.entry("/etc/resolv.conf".to_owned()).or_insert(resolv_conf);
        found.files.0.entry("/etc/hosts".to_owned()).or_default();
        let upstream = options.upstream.as_ref().map_or_else(|| Ok(root_zone()), zone)?;
        found.finish(upstream, options.address)
    }
}

/// A zone file with any names.
fn zone(Source { name, text }: &Source<'_>) -> Result<Zone, Vec<InputError>> {
    let loaded = load(text.as_bytes(), name, &dns::Name::root(), CheckNames::Warn);
    // The loader tells `file:line: what`.
    match (loaded.fault, loaded.remarks.first()) {
        (None, _) => Ok(loaded.zone),
        (Some(fault), remark) => {
            let remark = remark.cloned().unwrap_or_else(|| fault.to_string());
            let rest = remark.split_once(&format!("{name}:")).map(|(_, rest)| rest);
            let line = rest.and_then(|rest| rest.split(':').next()?.trim().parse().ok()).unwrap_or(1);
            let message = rest.and_then(|rest| Some(rest.split_once(": ")?.1.to_owned())).unwrap_or(remark);
            let hint = "a line is `NAME TTL IN TYPE DATA`: `db.example.com. 300 IN A 192.0.2.7`".to_owned();
            Err(vec![InputError::At { file: (*name).to_owned(), line, column: 1, message, hint: Some(hint) }])
        }
    }
}

fn is_corefile(path: &str) -> bool {
    path.rsplit(['/', '\\']).next().is_some_and(|name| name.contains("Corefile"))
}

fn at(file: &str, error: manifest::ManifestError) -> InputError {
    let manifest::ManifestError { line, column, message, hint, .. } = error;
    InputError::At { file: file.to_owned(), line, column, message, hint }
}

impl Found {
    fn take_corefile(&mut self, corefile: WrittenCorefile) -> Result<(), Vec<InputError>> {
        if let Some(other) = &self.corefile {
            let message = format!("there is a Corefile already, in {}", other.file);
            let hint = Some("leave one out, or name the right one with --corefile".to_owned());
            let (line, column) = (corefile.before.0 + 1, 1);
            return Err(vec![InputError::At { file: corefile.file, line, column, message, hint }]);
        }
        self.corefile = Some(corefile);
        Ok(())
    }

    fn take(&mut self, file: &str, document: &Manifest, text: &str) -> Result<(), Vec<InputError>> {
        let kind = document.kind();
        if kind == "ServiceImport" {
            let import: ServiceImport = object(file, document)?;
            let namespace = import.metadata.namespace.clone().unwrap_or_else(|| "default".to_owned());
            let name = import.metadata.name.clone().unwrap_or_default();
            self.imports.insert((namespace, name), Arc::new(import));
            return Ok(());
        }
        match document.resource.kind {
            "Namespace" => {
                let namespace: Namespace = object(file, document)?;
                self.namespaces.insert(name_of(&namespace).to_owned(), namespace);
            }
            "Service" => {
                let service = self.service(file, document)?;
                self.services.insert(name_pair(&service), Arc::new(service));
            }
            "EndpointSlice" => put(&mut self.slices, self::object(file, document)?),
            "Endpoints" => put(&mut self.endpoints, self::object(file, document)?),
            "Pod" => put(&mut self.pods, self::object(file, document)?),
            "Node" => {
                let node: Node = object(file, document)?;
                self.nodes.insert(name_of(&node).to_owned(), Arc::new(node));
            }
            "ConfigMap" => self.config_map(file, document, text)?,
            _ => {
                let text = format!("a {kind} is nothing to CoreDNS: ignored");
                self.note(file, document, "kind", text);
            }
        }
        Ok(())
    }

    fn note(&mut self, file: &str, document: &Manifest, path: &str, text: String) {
        self.notices.push(Notice { file: file.to_owned(), line: document.place(path).0, text });
    }

    /// A Service; what an API server would refuse is told.
    fn service(&mut self, file: &str, document: &Manifest) -> Result<Service, Vec<InputError>> {
        let mut service: Service = object(file, document)?;
        let ips = service.spec.as_ref().map(|spec| (spec.cluster_ip.clone(), spec.cluster_ips.clone()));
        if let Some(spec) = &mut service.spec
            && spec.ip_families.is_none()
        {
            // An API server knows the families of its cluster; here the addresses tell.
            let ips = spec.cluster_ips.clone().or_else(|| Some(vec![spec.cluster_ip.clone()?]));
            let ips = ips.unwrap_or_default();
            let family =
                |ip: &String| Some(if ip.parse::<IpAddr>().ok()?.is_ipv6() { "IPv6" } else { "IPv4" });
            let families: Vec<String> = ips.iter().filter_map(family).map(str::to_owned).collect();
            spec.ip_families = (!families.is_empty()).then_some(families);
        }
        service.set_defaults();
        for invalid in service.validate(None) {
            let text = format!("an API server would refuse it: {invalid}");
            self.note(file, document, &invalid.path, text);
        }
        let kind = service.spec.as_ref().and_then(|spec| spec.type_.clone()).unwrap_or_default();
        let none = ips.as_ref().is_none_or(|(ip, ips)| {
            ip.as_deref().unwrap_or_default().is_empty() && ips.as_ref().is_none_or(Vec::is_empty)
        });
        if kind != "ExternalName" && none {
            let message = format!(
                "Service {:?} has no `spec.clusterIP`: an API server gives it one when it is created",
                name_of(&service)
            );
            let hint = "write one, e.g. `clusterIP: 10.96.0.10`, or `clusterIP: None` for a headless Service";
            let (line, column) = document.place("spec");
            let (file, hint) = (file.to_owned(), Some(hint.to_owned()));
            return Err(vec![InputError::At { file, line, column, message, hint }]);
        }
        Ok(service)
    }

    /// A ConfigMap with a Corefile is CoreDNS's; its other texts are files beside it.
    fn config_map(&mut self, file: &str, document: &Manifest, text: &str) -> Result<(), Vec<InputError>> {
        let map: ConfigMap = object(file, document)?;
        let data = map.data.unwrap_or_default();
        let Some(corefile) = data.get("Corefile") else {
            if document.name() == "coredns" {
                let (line, column) = document.place("data");
                let message = "the ConfigMap coredns has no `data.Corefile`".to_owned();
                let hint = Some("write the Corefile below `data:` as `Corefile: |`".to_owned());
                return Err(vec![InputError::At { file: file.to_owned(), line, column, message, hint }]);
            }
            self.note(file, document, "kind", "a ConfigMap without a Corefile: ignored".to_owned());
            return Ok(());
        };
        let first = corefile.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        // The line of the text at which the Corefile begins, and how far it is indented.
        let key = document.place("data.Corefile").0;
        let lines = text.lines().enumerate().skip(key.saturating_sub(1));
        let begin = lines.clone().find(|(_, line)| line.trim() == first.trim() && !first.is_empty());
        let before = match begin {
            Some((number, line)) => {
                let blank = corefile.lines().take_while(|line| line.trim().is_empty()).count();
                let indent = |line: &str| line.len() - line.trim_start().len();
                (number.saturating_sub(blank), indent(line).saturating_sub(indent(first)))
            }
            None => (key.saturating_sub(1), 0),
        };
        self.take_corefile(WrittenCorefile { file: file.to_owned(), text: corefile.clone(), before })?;
        for (name, text) in data {
            self.files.0.insert(format!("{FOLDER}/{name}"), text);
        }
        Ok(())
    }

    fn finish(mut self, upstream: Zone, address: Option<IpAddr>) -> Result<Input, Vec<InputError>> {
        let corefile = self.corefile.take().unwrap_or_else(|| WrittenCorefile {
            file: "Corefile of kubeadm".to_owned(),
            text: crate::cluster::COREFILE.to_owned(),
            before: (0, 0),
        });
        let corefile = corefile.read(&mut self.files).map_err(|error| vec![error])?;
        let Self { services, slices, endpoints, pods, nodes, .. } = &self;
        let derived = Written { services, slices, endpoints, pods, nodes }.derive();
        self.slices.extend(derived);
        let cluster = self.cluster();
        let address = address.or_else(|| self.own_address()).unwrap_or(LOOPBACK);
        Ok(Input { corefile, cluster, upstream, address, notices: self.notices })
    }

    /// The first endpoint of the cluster's CoreDNS.
    fn own_address(&self) -> Option<IpAddr> {
        let (namespace, service) = OWN_SERVICE;
        let own = self.slices.iter().filter(|((found, _), slice)| {
            let labels = slice.metadata.labels.as_ref();
            let of = labels.and_then(|labels| labels.get(crate::controllers::SERVICE_NAME));
            found == namespace && of.is_some_and(|of| of == service)
        });
        own.flat_map(|(_, slice)| &slice.endpoints)
            .flat_map(|one| &one.addresses)
            .find_map(|ip| ip.parse().ok())
    }

    fn cluster(&self) -> Cluster {
        let unix = u32::try_from(CHANGED).unwrap_or(u32::MAX);
        let mut cluster = Cluster::new();
        cluster.set_synced(true);
        let none = Namespace::default();
        // An object's namespace exists.
        let keys = self.services.keys().chain(self.slices.keys()).chain(self.pods.keys());
        let used = keys.chain(self.imports.keys()).map(|(namespace, _)| namespace.as_str());
        for name in NAMESPACES.into_iter().chain(used) {
            cluster.set_namespace(name, Some(self.namespaces.get(name).unwrap_or(&none)));
        }
        for (name, namespace) in &self.namespaces {
            cluster.set_namespace(name, Some(namespace));
        }
        for ((namespace, name), service) in &self.services {
            cluster.set_service(namespace, name, Some(service), unix);
        }
        for ((namespace, name), slice) in &self.slices {
            cluster.set_slice(namespace, name, Some(slice), unix);
        }
        for ((namespace, name), pod) in &self.pods {
            cluster.set_pod(namespace, name, Some(pod), unix);
        }
        for ((namespace, name), import) in &self.imports {
            cluster.set_import(namespace, name, Some(import), unix);
        }
        cluster
    }
}

fn put<K: Kind>(objects: &mut Objects<K>, object: K) {
    objects.insert(name_pair(&object), Arc::new(object));
}

fn name_pair<K: Kind>(object: &K) -> (String, String) {
    let namespace = Some(namespace_of(object)).filter(|namespace| !namespace.is_empty());
    (namespace.unwrap_or("default").to_owned(), name_of(object).to_owned())
}

/// An object of a document.
fn object<K: DeserializeOwned>(file: &str, document: &Manifest) -> Result<K, Vec<InputError>> {
    let error = |message: String| {
        let (line, column) = document.place("");
        vec![InputError::At { file: file.to_owned(), line, column, message, hint: None }]
    };
    if document.name().is_empty() {
        return Err(error("the object has no `metadata.name`".to_owned()));
    }
    serde_json::from_value(document.object.clone()).map_err(|wrong| error(wrong.to_string()))
}
