use std::collections::{BTreeMap, VecDeque};

use packet::SimTime;
use serde::{Deserialize, Serialize};
use world::Sys;

use super::{EtcdError, Event, KeyNode, code};
use crate::time::timestamp;

/// The tree of keys, its index, and the last events. etcd: `v2store`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Keys {
    root: Node,
    index: u64,
    history: VecDeque<Event>,
}

/// Events that are kept for watches. etcd: `newWatchHub(1000)`.
const HISTORY: usize = 1000;

/// Where the index stands before the first user writes: etcd itself has written three keys.
const FIRST_INDEX: u64 = 3;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Node {
    created: u64,
    modified: u64,
    /// Nanoseconds of virtual time.
    expires: Option<u64>,
    content: Content,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Content {
    Value(String),
    Dir(BTreeMap<String, Node>),
}

/// What a changed key is to be compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compare {
    /// `prevValue`; empty if not asked for.
    pub value: String,
    /// `prevIndex`; 0 if not asked for.
    pub index: u64,
}

/// When a key goes by itself, and whether that is all that changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expiry {
    /// When; `None` is never.
    pub at: Option<SimTime>,
    /// The value stays, and nobody who watches hears of it.
    pub refresh: bool,
}

impl Default for Keys {
    fn default() -> Self {
        let root = Node { created: 0, modified: 0, expires: None, content: Content::Dir(BTreeMap::new()) };
        Self { root, index: FIRST_INDEX, history: VecDeque::new() }
    }
}

/// The path in its plain form: `/a/b`. Go: `path.Clean`.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

impl Node {
    fn is_dir(&self) -> bool {
        matches!(self.content, Content::Dir(_))
    }

    fn value(&self) -> &str {
        match &self.content {
            Content::Value(value) => value,
            Content::Dir(_) => "",
        }
    }

    /// As the API shows it; a directory with what it holds down to `depth`.
    fn show(&self, sys: &dyn Sys, path: &str, depth: u32) -> KeyNode {
        let mut shown = KeyNode {
            key: path.to_owned(),
            dir: self.is_dir(),
            modified: self.modified,
            created: self.created,
            ..KeyNode::default()
        };
        if let Some(at) = self.expires.map(|nanos| SimTime::ZERO + std::time::Duration::from_nanos(nanos)) {
            shown.expiration = Some(timestamp(sys, at).to_string());
            shown.ttl = at.since(sys.now()).as_nanos().div_ceil(1_000_000_000) as u64;
        }
        match &self.content {
            Content::Value(value) => shown.value = Some(value.clone()),
            Content::Dir(children) if depth > 0 => {
                let visible = children.iter().filter(|(name, _)| !name.starts_with('_'));
                shown.nodes = visible
                    .map(|(name, child)| child.show(sys, &format!("{path}/{name}"), depth - 1))
                    .collect();
            }
            Content::Dir(_) => {}
        }
        shown
    }

    /// The first to expire below.
    fn next_expiry(&self, path: &str) -> Option<(u64, String)> {
        let own = self.expires.map(|at| (at, path.to_owned()));
        let Content::Dir(children) = &self.content else { return own };
        let below = children.iter().filter_map(|(name, child)| child.next_expiry(&format!("{path}/{name}")));
        below.chain(own).min()
    }
}

impl Keys {
    /// The index of the last change.
    pub fn index(&self) -> u64 {
        self.index
    }

    fn error<T>(&self, code: u32, cause: &str) -> Result<T, EtcdError> {
        Err(EtcdError::new(code, cause, self.index))
    }

    fn find(&self, path: &str) -> Result<&Node, EtcdError> {
        let mut node = &self.root;
        let mut at = String::new();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let Content::Dir(children) = &node.content else { return self.error(code::NOT_DIR, &at) };
            at = format!("{at}/{part}");
            match children.get(part) {
                Some(child) => node = child,
                None => return self.error(code::KEY_NOT_FOUND, &at),
            }
        }
        Ok(node)
    }

    fn find_mut(&mut self, path: &str) -> Option<&mut Node> {
        let mut node = &mut self.root;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let Content::Dir(children) = &mut node.content else { return None };
            node = children.get_mut(part)?;
        }
        Some(node)
    }

    /// `GET`.
    ///
    /// # Errors
    /// There is no such key.
    pub fn get(&self, sys: &dyn Sys, path: &str, recursive: bool) -> Result<Event, EtcdError> {
        let node = self.find(path)?;
        let shown = if path == "/" { "" } else { path };
        let node = node.show(sys, shown, if recursive { u32::MAX } else { 1 });
        Ok(Event { action: "get".to_owned(), node, prev: None })
    }

    /// `PUT`: makes a key or replaces its value. etcd: `store.Set`.
    ///
    /// # Errors
    /// A directory stands there, or a key where a directory must be.
    pub fn set(
        &mut self,
        sys: &dyn Sys,
        path: &str,
        value: Option<&str>,
        expiry: Expiry,
    ) -> Result<Event, EtcdError> {
        let before = match self.find(path) {
            Ok(node) => Some(node.show(sys, path, 0)),
            Err(error) if error.code == code::KEY_NOT_FOUND && !expiry.refresh => None,
            Err(error) => return Err(error),
        };
        let kept = before.as_ref().filter(|_| expiry.refresh).and_then(|node| node.value.clone());
        let value = kept.as_deref().or(value);
        let mut event = self.put(sys, "set", path, value, true, expiry.at)?;
        event.prev = before;
        Ok(self.note(event, expiry.refresh))
    }

    /// `POST`, and `PUT` with `prevExist=false`: makes a key. With `unique` the key is numbered
    /// within the directory `path`. etcd: `store.Create`.
    ///
    /// # Errors
    /// There is one already.
    pub fn create(
        &mut self,
        sys: &dyn Sys,
        path: &str,
        value: Option<&str>,
        unique: bool,
        expiry: Expiry,
    ) -> Result<Event, EtcdError> {
        let numbered = clean(&format!("{path}/{:020}", self.index + 1));
        let event =
            self.put(sys, "create", if unique { &numbered } else { path }, value, false, expiry.at)?;
        Ok(self.note(event, expiry.refresh))
    }

    /// etcd: `store.internalCreate`.
    fn put(
        &mut self,
        sys: &dyn Sys,
        action: &str,
        path: &str,
        value: Option<&str>,
        replace: bool,
        expires: Option<SimTime>,
    ) -> Result<Event, EtcdError> {
        if path == "/" {
            return self.error(code::ROOT_READ_ONLY, "/");
        }
        match self.find(path) {
            Ok(node) if replace && node.is_dir() => return self.error(code::NOT_FILE, path),
            Ok(_) if !replace => return self.error(code::NODE_EXIST, path),
            Err(error) if error.code != code::KEY_NOT_FOUND => return Err(error),
            _ => {}
        }
        self.index += 1;
        let index = self.index;
        let node = |content, expires| Node { created: index, modified: index, expires, content };
        let content = value.map_or(Content::Dir(BTreeMap::new()), |value| Content::Value(value.to_owned()));
        let made = node(content, expires.map(SimTime::as_nanos));
        let shown = made.show(sys, path, 0);
        let (folder, name) = split(path);
        let mut at = &mut self.root.content;
        for part in folder.split('/').filter(|part| !part.is_empty()) {
            let Content::Dir(children) = at else { return self.error(code::NOT_DIR, folder) };
            let new = || node(Content::Dir(BTreeMap::new()), None);
            at = &mut children.entry(part.to_owned()).or_insert_with(new).content;
        }
        if let Content::Dir(children) = at {
            children.insert(name.to_owned(), made);
        }
        Ok(Event { action: action.to_owned(), node: shown, prev: None })
    }

    /// `PUT` with `prevExist=true`, `prevValue` or `prevIndex`. etcd: `store.Update`,
    /// `store.CompareAndSwap`.
    ///
    /// # Errors
    /// There is no such key, it is a directory, or it is another than the one compared with.
    pub fn update(
        &mut self,
        sys: &dyn Sys,
        path: &str,
        value: &str,
        compare: &Compare,
        expiry: Expiry,
    ) -> Result<Event, EtcdError> {
        if path == "/" {
            return self.error(code::ROOT_READ_ONLY, "/");
        }
        let node = self.find(path)?;
        let compares = *compare != Compare::default();
        if node.is_dir() && (compares || !value.is_empty()) {
            return self.error(code::NOT_FILE, path);
        }
        self.check(node, compare)?;
        let before = node.show(sys, path, 0);
        self.index += 1;
        let index = self.index;
        let Some(node) = self.find_mut(path) else { return self.error(code::KEY_NOT_FOUND, path) };
        if let Content::Value(old) = &mut node.content {
            if !expiry.refresh {
                value.clone_into(old);
            }
            node.modified = index;
        }
        node.expires = expiry.at.map(SimTime::as_nanos);
        let mut shown = node.show(sys, path, 0);
        shown.modified = index;
        let action = if compares { "compareAndSwap" } else { "update" };
        let event = Event { action: action.to_owned(), node: shown, prev: Some(before) };
        Ok(self.note(event, expiry.refresh))
    }

    fn check(&self, node: &Node, compare: &Compare) -> Result<(), EtcdError> {
        let mut differs = Vec::new();
        if !compare.value.is_empty() && compare.value != node.value() {
            differs.push(format!("[{} != {}]", compare.value, node.value()));
        }
        if compare.index != 0 && compare.index != node.modified {
            differs.push(format!("[{} != {}]", compare.index, node.modified));
        }
        if differs.is_empty() { Ok(()) } else { self.error(code::TEST_FAILED, &differs.join(" ")) }
    }

    /// `DELETE`. etcd: `store.Delete`, `store.CompareAndDelete`.
    ///
    /// # Errors
    /// There is no such key, it is a directory and not asked for as such, it has keys, or it is
    /// another than the one compared with.
    pub fn delete(
        &mut self,
        sys: &dyn Sys,
        path: &str,
        (dir, recursive): (bool, bool),
        compare: &Compare,
    ) -> Result<Event, EtcdError> {
        if path == "/" {
            return self.error(code::ROOT_READ_ONLY, "/");
        }
        let node = self.find(path)?;
        let compares = *compare != Compare::default();
        if let Content::Dir(children) = &node.content {
            if compares || !(dir || recursive) {
                return self.error(code::NOT_FILE, path);
            }
            if !children.is_empty() && !recursive {
                return self.error(code::DIR_NOT_EMPTY, path);
            }
        }
        self.check(node, compare)?;
        Ok(self.remove(sys, if compares { "compareAndDelete" } else { "delete" }, path))
    }

    fn remove(&mut self, sys: &dyn Sys, action: &str, path: &str) -> Event {
        self.index += 1;
        let (folder, name) = split(path);
        let gone = match self.find_mut(folder).map(|node| &mut node.content) {
            Some(Content::Dir(children)) => children.remove(name),
            _ => None,
        };
        let before = gone.map(|node| node.show(sys, path, 0)).unwrap_or_default();
        let (dir, created) = (before.dir, before.created);
        let node = KeyNode { key: path.to_owned(), dir, modified: self.index, created, ..KeyNode::default() };
        self.note(Event { action: action.to_owned(), node, prev: Some(before) }, false)
    }

    /// Keeps an event for watches.
    fn note(&mut self, event: Event, silent: bool) -> Event {
        if !silent {
            if self.history.len() == HISTORY {
                self.history.pop_front();
            }
            self.history.push_back(event.clone());
        }
        event
    }

    /// Removes what has expired by now.
    ///
    /// Simplified: at once, where etcd does it in rounds of half a second.
    pub fn expire(&mut self, sys: &dyn Sys) {
        let now = sys.now().as_nanos();
        while let Some((_, path)) = self.root.next_expiry("").filter(|(at, _)| *at <= now) {
            self.remove(sys, "expire", &path);
        }
    }

    /// When the next key expires.
    pub fn next_expiry(&self) -> Option<SimTime> {
        let (at, _) = self.root.next_expiry("")?;
        Some(SimTime::ZERO + std::time::Duration::from_nanos(at))
    }

    /// The first event from `since` on that concerns `key`. etcd: `EventHistory.scan`.
    ///
    /// # Errors
    /// Events from there on are forgotten.
    pub fn event_since(&self, key: &str, recursive: bool, since: u64) -> Result<Option<&Event>, EtcdError> {
        let full = self.history.len() == HISTORY;
        let start = self.history.front().filter(|_| full).map_or(0, Event::index);
        if since < start {
            let cause = format!("the requested history has been cleared [{start}/{since}]");
            return self.error(code::EVENT_INDEX_CLEARED, &cause);
        }
        let mut later = self.history.iter().filter(|event| event.index() >= since);
        Ok(later.find(|event| event.concerns(key, recursive)))
    }
}
