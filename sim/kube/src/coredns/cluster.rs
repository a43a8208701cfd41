//! What a CoreDNS knows of its cluster: the objects that it watches, found as it asks for them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use k8s_openapi::api::core::v1::{Namespace, Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;

use super::entry::{Entry, Key, PodEntry, ServiceEntry, ServiceImport, SliceEntry};
use crate::api::labels::Labels;

/// The objects of a kind, by name, by the Service that they belong to, and by address.
#[derive(Clone, Debug)]
struct Table<T> {
    all: BTreeMap<Key, T>,
    by_service: BTreeMap<Key, BTreeSet<Key>>,
    by_address: BTreeMap<IpAddr, BTreeSet<Key>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { all: BTreeMap::new(), by_service: BTreeMap::new(), by_address: BTreeMap::new() }
    }
}

impl<T: Entry> Table<T> {
    /// Puts an object in, or takes it out; says whether names resolve otherwise now.
    fn set(&mut self, key: Key, new: Option<T>) -> bool {
        let changes = match (self.all.get(&key), &new) {
            (None, None) => false,
            (Some(old), Some(new)) => old.changes(new),
            (Some(_), None) | (None, Some(_)) => true,
        };
        if let Some(old) = self.all.remove(&key) {
            forget(&mut self.by_service, old.service(), &key);
            for address in old.addresses() {
                forget(&mut self.by_address, address, &key);
            }
        }
        if let Some(new) = new {
            self.by_service.entry(new.service()).or_default().insert(key.clone());
            for address in new.addresses() {
                self.by_address.entry(address).or_default().insert(key.clone());
            }
            self.all.insert(key, new);
        }
        changes
    }

    fn of_service(&self, service: &Key) -> impl Iterator<Item = &T> {
        self.by_service.get(service).into_iter().flatten().filter_map(|key| self.all.get(key))
    }

    fn with_address(&self, address: IpAddr) -> impl Iterator<Item = &T> {
        self.by_address.get(&address).into_iter().flatten().filter_map(|key| self.all.get(key))
    }
}

fn forget<K: Ord>(index: &mut BTreeMap<K, BTreeSet<Key>>, at: K, key: &Key) {
    if let Some(keys) = index.get_mut(&at) {
        keys.remove(key);
        if keys.is_empty() {
            index.remove(&at);
        }
    }
}

/// The objects that CoreDNS watches. CoreDNS: `dnsControl` in `plugin/kubernetes/controller.go`.
///
/// Simplified: where several objects answer (slices of a Service), they do so in the order of their
/// names; the real order is that of a Go map.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    namespaces: BTreeMap<String, Labels>,
    services: Table<ServiceEntry>,
    slices: Table<SliceEntry>,
    pods: Table<PodEntry>,
    imports: Table<ServiceEntry>,
    imported: Table<SliceEntry>,
    /// Whether all lists have come once.
    synced: bool,
    modified: u32,
    imports_modified: u32,
}

impl Cluster {
    /// One whose lists haven't come yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The lists have come, or are known to be missing.
    pub fn set_synced(&mut self, synced: bool) {
        self.synced = synced;
    }

    /// Whether all lists have come.
    pub fn is_synced(&self) -> bool {
        self.synced
    }

    /// The serial of zones: seconds since 1970 of the last change that shows in names.
    pub fn modified(&self) -> u32 {
        self.modified
    }

    /// The same for zones of a set of clusters.
    pub fn imports_modified(&self) -> u32 {
        self.imports_modified
    }

    /// A Namespace is there or was changed; without labels to be known, `None` if it is gone.
    pub fn set_namespace(&mut self, name: &str, namespace: Option<&Namespace>) {
        match namespace {
            Some(namespace) => {
                let labels = namespace.metadata.labels.clone().unwrap_or_default();
                self.namespaces.insert(name.to_owned(), labels);
            }
            None => {
                self.namespaces.remove(name);
            }
        }
    }

    /// A Service is there, was changed, or is gone. `unix` is the time in seconds since 1970.
    pub fn set_service(&mut self, namespace: &str, name: &str, service: Option<&Service>, unix: u32) {
        if self.services.set(key(namespace, name), service.map(ServiceEntry::of)) {
            self.modified = unix;
        }
    }

    /// A slice of endpoints is there, was changed, or is gone.
    pub fn set_slice(&mut self, namespace: &str, name: &str, slice: Option<&EndpointSlice>, unix: u32) {
        let key = key(namespace, name);
        if self.slices.set(key.clone(), slice.map(SliceEntry::of)) {
            self.modified = unix;
        }
        if self.imported.set(key, slice.and_then(SliceEntry::imported)) {
            self.imports_modified = unix;
        }
    }

    /// A pod is there, was changed, or is gone. One that is ending or has ended isn't known.
    pub fn set_pod(&mut self, namespace: &str, name: &str, pod: Option<&Pod>, unix: u32) {
        if self.pods.set(key(namespace, name), pod.and_then(PodEntry::of)) {
            self.modified = unix;
        }
    }

    /// A Service of the set of clusters is there, was changed, or is gone.
    pub fn set_import(&mut self, namespace: &str, name: &str, import: Option<&ServiceImport>, unix: u32) {
        if self.imports.set(key(namespace, name), import.map(ServiceEntry::of_import)) {
            self.imports_modified = unix;
        }
    }

    /// The labels of a Namespace, if it exists.
    pub(super) fn namespace(&self, name: &str) -> Option<&Labels> {
        self.namespaces.get(name)
    }

    pub(super) fn service(&self, key: &Key) -> Option<&ServiceEntry> {
        self.services.all.get(key)
    }

    pub(super) fn import(&self, key: &Key) -> Option<&ServiceEntry> {
        self.imports.all.get(key)
    }

    pub(super) fn slices_of(&self, service: &Key) -> impl Iterator<Item = &SliceEntry> {
        self.slices.of_service(service)
    }

    pub(super) fn imported_slices_of(&self, service: &Key) -> impl Iterator<Item = &SliceEntry> {
        self.imported.of_service(service)
    }

    pub(super) fn services_with(&self, address: IpAddr) -> impl Iterator<Item = &ServiceEntry> {
        self.services.with_address(address)
    }

    pub(super) fn slices_with(&self, address: IpAddr) -> impl Iterator<Item = &SliceEntry> {
        self.slices.with_address(address)
    }

    pub(super) fn pods_with(&self, address: IpAddr) -> impl Iterator<Item = &PodEntry> {
        self.pods.with_address(address)
    }
}

fn key(namespace: &str, name: &str) -> Key {
    (namespace.to_owned(), name.to_owned())
}
