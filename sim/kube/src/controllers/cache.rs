use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Namespace, Node, Pod, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use world::Entry;

use super::object::{Identity, Path, kind};
use crate::api::labels::Labels;
use crate::api::{Kind, key};

/// The objects that a component has seen, found by what controllers ask for: a component's
/// informers with their indexes. It is as old as the last change that was observed.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    identities: BTreeMap<String, Identity>,
    /// Keys by unique id.
    keys: BTreeMap<String, String>,
    owned: Index,
    pods: BTreeMap<String, Arc<Pod>>,
    labeled: Index,
    on_node: Index,
    nodes: BTreeMap<String, Arc<Node>>,
    services: BTreeMap<String, Arc<Service>>,
    /// Services by the first label that they select.
    selecting: Index,
}

/// Keys by something that objects have.
type Index = BTreeMap<String, BTreeSet<String>>;

/// What was seen of an object before, and what there is now.
#[derive(Clone, Debug)]
pub struct Change {
    /// Who it was.
    pub was: Option<Identity>,
    /// Who it is.
    pub is: Option<Identity>,
    /// More of it, for some kinds.
    pub detail: Detail,
}

/// What was before and what is now.
#[derive(Clone, Debug)]
pub enum Detail {
    /// A pod.
    Pod(Option<Arc<Pod>>, Option<Arc<Pod>>),
    /// A node.
    Node(Option<Arc<Node>>, Option<Arc<Node>>),
    /// Something else.
    Other,
}

fn add(index: &mut Index, by: String, key: &str) {
    index.entry(by).or_default().insert(key.to_owned());
}

fn remove(index: &mut Index, by: &str, key: &str) {
    if let Some(keys) = index.get_mut(by) {
        keys.remove(key);
        if keys.is_empty() {
            index.remove(by);
        }
    }
}

fn replace<K: Kind>(map: &mut BTreeMap<String, Arc<K>>, key: &str, new: Option<Arc<K>>) -> Option<Arc<K>> {
    match new {
        Some(new) => map.insert(key.to_owned(), new),
        None => map.remove(key),
    }
}

fn pair(namespace: &str, key: &str, value: &str) -> String {
    format!("{namespace}/{key}={value}")
}

fn labels_of<K: Kind>(object: &K) -> impl Iterator<Item = (&String, &String)> {
    object.metadata().labels.iter().flatten()
}

fn node_of(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.node_name.as_deref()
}

/// What a Service selects; none if it selects nothing.
pub fn selector_of(service: &Service) -> Option<&Labels> {
    service.spec.as_ref()?.selector.as_ref().filter(|selector| !selector.is_empty())
}

impl Cache {
    /// Sees a change of an object.
    pub fn observe(&mut self, key: &str, entry: Option<&Entry>) -> Option<Change> {
        let path = Path::read(key)?;
        let identity = entry.and_then(kind(path.plural)?.identity);
        let was = self.identify(key, identity.clone());
        let detail = match path.plural {
            "pods" => {
                let new = entry.and_then(Entry::get::<Pod>);
                let old = replace(&mut self.pods, key, new.clone());
                self.index_pod(path.namespace, key, old.as_deref(), new.as_deref());
                Detail::Pod(old, new)
            }
            "nodes" => {
                let new = entry.and_then(Entry::get::<Node>);
                Detail::Node(replace(&mut self.nodes, key, new.clone()), new)
            }
            "services" => {
                let new = entry.and_then(Entry::get::<Service>);
                let old = replace(&mut self.services, key, new.clone());
                let first = |service: &Arc<Service>| {
                    let (label, value) = selector_of(service)?.iter().next()?;
                    Some(pair(path.namespace, label, value))
                };
                if let Some(by) = old.as_ref().and_then(first) {
                    remove(&mut self.selecting, &by, key);
                }
                if let Some(by) = new.as_ref().and_then(first) {
                    add(&mut self.selecting, by, key);
                }
                Detail::Other
            }
            _ => Detail::Other,
        };
        Some(Change { was, is: identity, detail })
    }

    fn identify(&mut self, key: &str, new: Option<Identity>) -> Option<Identity> {
        let old = match &new {
            Some(new) => self.identities.insert(key.to_owned(), new.clone()),
            None => self.identities.remove(key),
        };
        if old == new {
            return old;
        }
        if let Some(old) = &old {
            if self.keys.get(&old.uid).is_some_and(|known| known == key) {
                self.keys.remove(&old.uid);
            }
            for owner in &old.owners {
                remove(&mut self.owned, owner, key);
            }
        }
        if let Some(new) = &new {
            self.keys.insert(new.uid.clone(), key.to_owned());
            for owner in &new.owners {
                add(&mut self.owned, owner.clone(), key);
            }
        }
        old
    }

    fn index_pod(&mut self, namespace: &str, key: &str, old: Option<&Pod>, new: Option<&Pod>) {
        if old.map(|pod| &pod.metadata.labels) != new.map(|pod| &pod.metadata.labels) {
            for (label, value) in old.into_iter().flat_map(labels_of) {
                remove(&mut self.labeled, &pair(namespace, label, value), key);
            }
            for (label, value) in new.into_iter().flat_map(labels_of) {
                add(&mut self.labeled, pair(namespace, label, value), key);
            }
        }
        let (was, is) = (old.and_then(node_of), new.and_then(node_of));
        if was != is {
            if let Some(node) = was {
                remove(&mut self.on_node, node, key);
            }
            if let Some(node) = is {
                add(&mut self.on_node, node.to_owned(), key);
            }
        }
    }

    /// Who the object with that key is.
    pub fn identity(&self, key: &str) -> Option<&Identity> {
        self.identities.get(key)
    }

    /// The key of the object with that unique id.
    pub fn key(&self, uid: &str) -> Option<&String> {
        self.keys.get(uid)
    }

    /// The keys of all objects of a kind.
    pub fn keys_of(&self, plural: &str) -> Vec<&str> {
        self.keys_from(&format!("/registry/{plural}/"))
    }

    /// The keys of the objects of a kind in a namespace.
    pub fn keys_in(&self, plural: &str, namespace: &str) -> Vec<&str> {
        self.keys_from(&format!("/registry/{plural}/{namespace}/"))
    }

    fn keys_from(&self, prefix: &str) -> Vec<&str> {
        let keys = self.identities.range(prefix.to_owned()..).map(|(key, _)| key.as_str());
        keys.take_while(|key| key.starts_with(prefix)).collect()
    }

    /// The keys of what an object owns.
    pub fn owned(&self, uid: &str) -> impl Iterator<Item = &String> {
        self.owned.get(uid).into_iter().flatten()
    }

    /// The pod with that key.
    pub fn pod(&self, key: &str) -> Option<&Arc<Pod>> {
        self.pods.get(key)
    }

    /// The nodes, sorted by name.
    pub fn nodes(&self) -> impl Iterator<Item = &Arc<Node>> {
        self.nodes.values()
    }

    /// The keys of the pods on a node.
    pub fn pods_on(&self, node: &str) -> impl Iterator<Item = &String> {
        self.on_node.get(node).into_iter().flatten()
    }

    /// The keys of the pods that may be selected: all that have the rarest of the labels.
    ///
    /// Simplified: a selector without `matchLabels` finds nothing here: it adopts no orphans.
    pub fn candidates(&self, namespace: &str, selector: &LabelSelector) -> Vec<&String> {
        selector.match_labels.as_ref().map_or(Vec::new(), |labels| self.labeled(namespace, labels))
    }

    /// As [`candidates`](Self::candidates), for labels.
    pub fn labeled(&self, namespace: &str, labels: &Labels) -> Vec<&String> {
        let lists = labels.iter().map(|(key, value)| self.labeled.get(&pair(namespace, key, value)));
        let rarest = lists.min_by_key(|keys| keys.map_or(0, BTreeSet::len));
        rarest.flatten().into_iter().flatten().collect()
    }

    /// The Services that may select something with these labels.
    pub fn services_for(&self, namespace: &str, labels: &Labels) -> Vec<&Arc<Service>> {
        let keys = labels.iter().filter_map(|(key, value)| self.selecting.get(&pair(namespace, key, value)));
        keys.flatten().filter_map(|key| self.services.get(key)).collect()
    }

    /// Whether a namespace is to go.
    pub fn is_ending(&self, namespace: &str) -> bool {
        let found = self.identity(&key::<Namespace>("", namespace));
        found.is_some_and(|identity| identity.is_deleted)
    }
}
