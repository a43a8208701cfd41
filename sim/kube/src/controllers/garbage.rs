//! Objects go with their owners. Kubernetes: `pkg/controller/garbagecollector`.

use super::cache::Cache;
use super::context::Context;
use super::object::{Path, kind};
use super::queue::{Controller, Queue};

/// The finalizer of an object whose dependents are to outlive it.
const ORPHAN: &str = "orphan";
/// The finalizer of an object whose dependents go first.
const FOREGROUND: &str = "foregroundDeletion";

/// Has the object with that key looked at if it may be garbage, or waits for its dependents.
pub fn wake(cache: &Cache, key: &str, queue: &mut Queue) {
    let Some(identity) = cache.identity(key) else { return };
    let waits =
        identity.is_deleted && identity.finalizers.iter().any(|word| word == ORPHAN || word == FOREGROUND);
    let alone = !identity.owners.is_empty() && identity.owners.iter().all(|uid| cache.key(uid).is_none());
    if waits || alone {
        queue.add(Controller::GarbageCollector, "", key);
    }
}

/// Looks at the object with that key.
pub fn sync(cx: &mut Context<'_>, _: &str, key: &str) {
    let (Some(identity), Some(path)) = (cx.cache.identity(key), Path::read(key)) else { return };
    let Some(handle) = kind(path.plural) else { return };
    if !identity.owners.is_empty() && identity.owners.iter().all(|uid| cx.cache.key(uid).is_none()) {
        (handle.delete)(cx.sys, path.namespace, path.name);
        return;
    }
    let waits =
        |word: &str| identity.is_deleted && identity.finalizers.iter().any(|finalizer| finalizer == word);
    let dependents = || cx.cache.owned(&identity.uid).filter_map(|key| Some((Path::read(key)?, key)));
    if waits(ORPHAN) {
        for (dependent, _) in dependents() {
            if let Some(handle) = kind(dependent.plural) {
                (handle.disown)(cx.sys, dependent.namespace, dependent.name, &identity.uid);
            }
        }
        (handle.release)(cx.sys, path.namespace, path.name, ORPHAN);
    } else if waits(FOREGROUND) {
        let mut left = false;
        for (dependent, key) in dependents() {
            left = true;
            if let Some(handle) = kind(dependent.plural)
                && cx.cache.identity(key).is_some_and(|identity| !identity.is_deleted)
            {
                (handle.delete)(cx.sys, dependent.namespace, dependent.name);
            }
        }
        if !left {
            (handle.release)(cx.sys, path.namespace, path.name, FOREGROUND);
        }
    }
}
