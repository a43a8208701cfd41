use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

/// A value that hosts share; who reads it knows its type.
pub type Shared = Arc<dyn Any + Send + Sync>;

/// What hosts share out of band: keys with values and revisions, as in etcd.
///
/// Simplified: reading and writing it takes no packets; a change takes a millisecond to reach those
/// who wait for it.
#[derive(Clone, Default)]
pub struct Store {
    revision: u64,
    entries: BTreeMap<String, Entry>,
    /// The last change of each key, deletions too.
    changes: BTreeMap<u64, String>,
}

/// A value with its history.
#[derive(Clone)]
pub struct Entry {
    /// The value; none once it has been deleted.
    value: Option<Shared>,
    /// The revision at which it was made.
    pub created: u64,
    /// The revision of its last change.
    pub modified: u64,
}

impl Entry {
    /// The value, if it is a `T`.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        Arc::clone(self.value.as_ref()?).downcast().ok()
    }
}

/// What a program waits for in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// It has seen all changes up to this revision.
    pub after: u64,
    /// Keys that begin with one of these.
    pub prefixes: Vec<String>,
}

impl Watch {
    /// Whether the store has a change that it waits for.
    pub(crate) fn is_over(&self, store: &Store) -> bool {
        let wanted = |key: &str| self.prefixes.iter().any(|prefix| key.starts_with(prefix.as_str()));
        store.changes(self.after).any(|(key, _)| wanted(key))
    }
}

impl Store {
    /// The revision of the last change; 0 before the first one.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The entry of a key.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key).filter(|entry| entry.value.is_some())
    }

    /// The entries whose keys begin with `prefix`, in the order of their keys.
    pub fn range<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Entry)> {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        self.entries
            .range::<str, _>(from)
            .take_while(move |(key, _)| key.starts_with(prefix))
            .filter(|(_, entry)| entry.value.is_some())
            .map(|(key, entry)| (key.as_str(), entry))
    }

    /// The keys that changed after a revision, each once, in the order of their last changes; with
    /// their entries, or none if they were deleted.
    pub fn changes(&self, after: u64) -> impl Iterator<Item = (&str, Option<&Entry>)> {
        let later = (Bound::Excluded(after), Bound::Unbounded);
        self.changes.range(later).map(|(_, key)| (key.as_str(), self.get(key)))
    }

    /// Writes a value; answers the revision.
    pub fn put(&mut self, key: &str, value: Shared) -> u64 {
        self.change(key, Some(value))
    }

    /// Deletes a key; answers whether it was there.
    pub fn delete(&mut self, key: &str) -> bool {
        let there = self.get(key).is_some();
        if there {
            self.change(key, None);
        }
        there
    }

    fn change(&mut self, key: &str, value: Option<Shared>) -> u64 {
        self.revision += 1;
        let revision = self.revision;
        let entry =
            self.entries.entry(key.to_owned()).or_insert(Entry { value: None, created: 0, modified: 0 });
        self.changes.remove(&entry.modified);
        if entry.value.is_none() {
            entry.created = revision;
        }
        (entry.value, entry.modified) = (value, revision);
        self.changes.insert(revision, key.to_owned());
        revision
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries.iter().map(|(key, entry)| (key, entry.modified));
        f.debug_struct("Store").field("revision", &self.revision).finish_non_exhaustive()?;
        f.debug_map().entries(entries).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_changes_once_for_each_watcher_and_a_new_one_is_created_again() {
        let mut store = Store::default();
        let keys = |store: &Store, after| -> Vec<(String, bool)> {
            store.changes(after).map(|(key, entry)| (key.to_owned(), entry.is_some())).collect()
        };
        store.put("pods/a", Arc::new(1_u32));
        store.put("pods/b", Arc::new(2_u32));
        store.put("pods/a", Arc::new(3_u32));
        assert_eq!(keys(&store, 0), [("pods/b".to_owned(), true), ("pods/a".to_owned(), true)]);
        assert!(store.delete("pods/b") && !store.delete("pods/b"));
        assert_eq!(keys(&store, 3), [("pods/b".to_owned(), false)]);
        store.put("pods/b", Arc::new("text"));
        let entry = store.get("pods/b").expect("it was put");
        assert_eq!(
            (entry.created, entry.get::<u32>(), entry.get::<&str>().as_deref()),
            (5, None, Some(&"text"))
        );
        let all: Vec<&str> = store.range("pods/").map(|(key, _)| key).collect();
        assert_eq!(all, ["pods/a", "pods/b"]);
    }
}
