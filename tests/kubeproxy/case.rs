//! A recorded case: its folder's files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde_json::Value;

use crate::proxy::Sync;

/// The folder of a case.
#[derive(Clone, Debug)]
pub struct Case(pub PathBuf);

/// Which kube-proxy wrote the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// Kubernetes 1.30.
    V1_30,
    /// What was to become 1.9.
    V1_9,
}

impl Release {
    /// How the names of its files begin.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::V1_30 => "rules",
            Self::V1_9 => "k8s19",
        }
    }

    /// The file with its jump rules.
    fn ensure_file(self) -> &'static str {
        match self {
            Self::V1_30 => "ensure.txt",
            Self::V1_9 => "k8s19.ensure.txt",
        }
    }
}

impl Case {
    /// All cases, in order.
    pub fn all() -> Vec<Self> {
        let entries = fs::read_dir("tests/kubeproxy").expect("the folder is there");
        let mut folders: Vec<PathBuf> =
            entries.map(|entry| entry.expect("the folder can be listed").path()).collect();
        folders.retain(|path| path.is_dir());
        folders.sort();
        folders.into_iter().map(Self).collect()
    }

    pub fn name(&self) -> String {
        self.0.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The names of its recordings of flows: `flows`, `flows.k8s19`…
    pub fn recordings(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("the folder can be listed");
        let names = entries.map(|entry| entry.expect("it has a name").file_name());
        let mut names: Vec<String> = names
            .filter_map(|name| Some(name.to_str()?.strip_suffix(".json")?.to_owned()))
            .filter(|name| name.starts_with("flows"))
            .collect();
        names.sort();
        names
    }

    pub fn text(&self, file: &str) -> String {
        let path = self.0.join(file);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The text of a file that not every case has.
    pub fn optional(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.0.join(file)).ok()
    }

    pub fn has(&self, release: Release) -> bool {
        self.0.join(release.ensure_file()).exists()
    }

    /// The number of its syncs.
    pub fn steps(&self) -> usize {
        (2..).find(|step| !self.0.join(format!("step{step}")).is_dir()).map_or(1, |next| next - 1)
    }

    /// The files of a sync: the first one's stand in the case's own folder.
    pub fn step_file(&self, step: usize, file: &str) -> String {
        if step == 1 { self.text(file) } else { self.text(&format!("step{step}/{file}")) }
    }

    /// What `iptables-save` shows afterwards.
    pub fn save(&self, release: Release, step: usize) -> String {
        self.step_file(step, &format!("{}.save", release.prefix()))
    }

    /// What it wrote in a sync.
    pub fn recorded(&self, release: Release, step: usize) -> Sync {
        let lines = |text: String| text.lines().map(str::to_owned).collect();
        let table = |table| self.step_file(step, &format!("{}.{table}", release.prefix()));
        let mut sync = Sync { filter: table("filter"), nat: table("nat"), ..Sync::default() };
        if step == 1 {
            sync.sysctls = lines(self.optional("sysctl.txt").unwrap_or_default());
            sync.ensure = lines(self.text(release.ensure_file()));
        }
        sync
    }

    /// Its objects, with those that later steps bring.
    pub fn objects(&self) -> Vec<Value> {
        let path = self.0.join("input.yaml");
        serde_saphyr::from_multiple(&self.text("input.yaml"))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Where its endpoints listen, by address.
    pub fn endpoints(&self) -> BTreeMap<IpAddr, BTreeSet<(String, SocketAddr)>> {
        let mut endpoints: BTreeMap<IpAddr, BTreeSet<_>> = BTreeMap::new();
        let objects = self.objects();
        for slice in objects.iter().filter(|object| object["kind"] == "EndpointSlice") {
            for address in list(&slice["endpoints"]).flat_map(|endpoint| list(&endpoint["addresses"])) {
                let Some(ip) = address.as_str().and_then(|text| text.parse::<IpAddr>().ok()) else {
                    continue;
                };
                for port in list(&slice["ports"]) {
                    let proto = port["protocol"].as_str().unwrap_or("TCP").to_lowercase();
                    let number = port["port"].as_u64().and_then(|number| u16::try_from(number).ok());
                    if let Some(number) = number {
                        endpoints.entry(ip).or_default().insert((proto, SocketAddr::new(ip, number)));
                    }
                }
            }
        }
        endpoints
    }

    /// The services whose clients keep their backend: `namespace/name`.
    pub fn sticky_services(&self) -> BTreeSet<String> {
        let objects = self.objects();
        let services = objects.iter().filter(|object| object["kind"] == "Service");
        services
            .filter(|service| service["spec"]["sessionAffinity"] == "ClientIP")
            .map(|service| {
                let name = |field| service["metadata"][field].as_str().unwrap_or_default();
                format!("{}/{}", name("namespace"), name("name"))
            })
            .collect()
    }
}

/// The items of a list; none if it is no list.
pub fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The release and the options that the name of a recording stands for.
pub fn release_of(recording: &str) -> Release {
    if recording.ends_with("k8s19") { Release::V1_9 } else { Release::V1_30 }
}
