use std::sync::Arc;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use world::{Store, Sys};

use super::admit::{Names, label};
use super::{ApiError, Invalid, Kind, key, prefix};
use crate::time::{time, unix};

/// The namespace of an object; `default` if it says none, nothing for kinds without namespaces.
pub fn namespace_of<K: Kind>(object: &K) -> &str {
    match K::NAMESPACED {
        true => object.metadata().namespace.as_deref().unwrap_or("default"),
        false => "",
    }
}

/// The name of an object.
pub fn name_of<K: Kind>(object: &K) -> &str {
    object.metadata().name.as_deref().unwrap_or_default()
}

/// The object of that name.
pub fn get<K: Kind>(store: &Store, namespace: &str, name: &str) -> Option<Arc<K>> {
    store.get(&key::<K>(namespace, name))?.get()
}

/// All objects of a kind, or those of one namespace, sorted by namespace and name.
pub fn list<K: Kind>(store: &Store, namespace: Option<&str>) -> Vec<Arc<K>> {
    store.range(&prefix::<K>(namespace)).filter_map(|(_, entry)| entry.get()).collect()
}

/// Keeps a new object: with defaults, checked, with what it is allotted.
///
/// # Errors
/// It exists, it is invalid, or its namespace doesn't exist.
pub fn create<K: Kind>(sys: &mut dyn Sys, object: K) -> Result<Arc<K>, ApiError> {
    create_with_uid(sys, object, None)
}

/// As [`create`]; with a unique id that the object gets if one is given.
pub(super) fn create_with_uid<K: Kind>(
    sys: &mut dyn Sys,
    mut object: K,
    uid: Option<String>,
) -> Result<Arc<K>, ApiError> {
    let now = now(sys);
    if K::NAMESPACED {
        object.metadata_mut().namespace.get_or_insert_with(|| "default".to_owned());
    }
    if object.metadata().name.is_none()
        && let Some(base) = object.metadata().generate_name.clone()
    {
        object.metadata_mut().name = Some(format!("{base}{}", suffix(sys.random())));
    }
    let (namespace, name) = (namespace_of(&object).to_owned(), name_of(&object).to_owned());
    let mut wrong = check_metadata::<K>(object.metadata());
    if name.is_empty() || K::NAMESPACED && !is_dns_label(&namespace) {
        return Err(ApiError::invalid::<K>(&name, wrong));
    }
    if K::NAMESPACED {
        check_namespace::<K>(sys.store(), &namespace, &name)?;
    }
    let key = key::<K>(&namespace, &object.key_name());
    if sys.store().get(&key).is_some() {
        return Err(ApiError::already_exists::<K>(&name));
    }
    object.set_defaults();
    object.allocate(sys, None).map_err(|refused| ApiError::refused::<K>(&name, refused))?;
    wrong.extend(object.validate(None));
    if !wrong.is_empty() {
        return Err(ApiError::invalid::<K>(&name, wrong));
    }
    let uid = uid.unwrap_or_else(|| new_uid(sys));
    let metadata = object.metadata_mut();
    metadata.uid = Some(uid);
    metadata.creation_timestamp = Some(now);
    metadata.generation = K::HAS_GENERATION.then_some(1);
    Ok(keep(sys, &key, object))
}

/// Replaces an object by a changed one. One that carries a resource version must be based on the
/// present one.
///
/// # Errors
/// It doesn't exist, it has changed meanwhile, or the new one is invalid.
pub fn update<K: Kind>(sys: &mut dyn Sys, mut object: K) -> Result<Arc<K>, ApiError> {
    let (namespace, name) = (namespace_of(&object).to_owned(), name_of(&object).to_owned());
    let at = object.key_name();
    let old = get::<K>(sys.store(), &namespace, &at).ok_or_else(|| ApiError::not_found::<K>(&name))?;
    let was = old.metadata();
    let given = object.metadata().resource_version.clone().filter(|version| !version.is_empty());
    if given.is_some() && given != was.resource_version {
        return Err(ApiError::conflict::<K>(&name));
    }
    let metadata = object.metadata_mut();
    if K::NAMESPACED {
        metadata.namespace = Some(namespace.clone());
    }
    metadata.uid.clone_from(&was.uid);
    metadata.creation_timestamp.clone_from(&was.creation_timestamp);
    metadata.deletion_timestamp.clone_from(&was.deletion_timestamp);
    metadata.deletion_grace_period_seconds = was.deletion_grace_period_seconds;
    metadata.generation = was.generation;
    metadata.resource_version.clone_from(&was.resource_version);
    object.set_defaults();
    object.allocate(sys, Some(&old)).map_err(|refused| ApiError::refused::<K>(&name, refused))?;
    let mut wrong = check_metadata::<K>(object.metadata());
    wrong.extend(object.validate(Some(&old)));
    if !wrong.is_empty() {
        return Err(ApiError::invalid::<K>(&name, wrong));
    }
    if object == *old {
        return Ok(old);
    }
    if object.metadata().deletion_timestamp.is_some() && has_finalizers(&*old) && !waits(&object) {
        finalize::<K>(sys, &namespace, &at);
        return Ok(Arc::new(object));
    }
    if object.wants_else(&old) {
        count(object.metadata_mut());
    }
    Ok(keep(sys, &key::<K>(&namespace, &at), object))
}

/// Changes an object as it is now.
///
/// # Errors
/// It doesn't exist, or what it becomes is invalid.
pub fn modify<K: Kind>(
    sys: &mut dyn Sys,
    namespace: &str,
    name: &str,
    change: impl FnOnce(&mut K),
) -> Result<Arc<K>, ApiError> {
    let old = get::<K>(sys.store(), namespace, name).ok_or_else(|| ApiError::not_found::<K>(name))?;
    let mut object = K::clone(&old);
    change(&mut object);
    update(sys, object)
}

/// Deletes an object. One with finalizers is only marked, and so is a pod on a node: its kubelet
/// stops it and [`finalize`]s it; `grace` is how many seconds it has for that, otherwise what it says itself. Without any it goes
/// at once.
///
/// # Errors
/// It doesn't exist.
pub fn delete<K: Kind>(
    sys: &mut dyn Sys,
    namespace: &str,
    name: &str,
    grace: Option<i64>,
) -> Result<(), ApiError> {
    let old = get::<K>(sys.store(), namespace, name).ok_or_else(|| ApiError::not_found::<K>(name))?;
    let at_once = grace == Some(0) && old.grace().is_some() && !has_finalizers(&*old);
    if at_once || !waits(&*old) {
        finalize::<K>(sys, namespace, name);
        return Ok(());
    }
    let seconds = old.grace().map_or(0, |own| grace.unwrap_or(own));
    if old.metadata().deletion_timestamp.is_some() {
        return Ok(());
    }
    let mut object = K::clone(&old);
    let now = now(sys).0;
    let metadata = object.metadata_mut();
    metadata.deletion_timestamp = Some(Time(now + k8s_openapi::jiff::SignedDuration::from_secs(seconds)));
    metadata.deletion_grace_period_seconds = Some(seconds);
    count(metadata);
    keep(sys, &key::<K>(namespace, name), object);
    Ok(())
}

/// What is wanted of an object is something new, if that is counted.
fn count(metadata: &mut ObjectMeta) {
    metadata.generation = metadata.generation.map(|generation| generation + 1);
}

fn has_finalizers<K: Kind>(object: &K) -> bool {
    object.metadata().finalizers.as_ref().is_some_and(|all| !all.is_empty())
}

/// Whether an object that is deleted waits for somebody.
fn waits<K: Kind>(object: &K) -> bool {
    object.lingers() || has_finalizers(object)
}

/// Removes an object for good; answers whether it was there.
pub fn finalize<K: Kind>(sys: &mut dyn Sys, namespace: &str, name: &str) -> bool {
    sys.store_delete(&key::<K>(namespace, name))
}

fn keep<K: Kind>(sys: &mut dyn Sys, key: &str, mut object: K) -> Arc<K> {
    object.metadata_mut().resource_version = Some((sys.store().revision() + 1).to_string());
    let object = Arc::new(object);
    let shared: Arc<K> = Arc::clone(&object);
    sys.store_put(key, shared);
    object
}

/// Whether something new can be kept in a namespace. Kubernetes: admission plugin
/// `NamespaceLifecycle`.
fn check_namespace<K: Kind>(store: &Store, namespace: &str, name: &str) -> Result<(), ApiError> {
    let Some(found) = get::<Namespace>(store, "", namespace) else {
        return Err(ApiError::not_found::<Namespace>(namespace));
    };
    match found.metadata.deletion_timestamp {
        None => Ok(()),
        Some(_) => {
            let why = format!(
                "unable to create new content in namespace {namespace} because it is being terminated"
            );
            Err(ApiError::forbidden::<K>(name, &why))
        }
    }
}

/// The present second.
pub fn now(sys: &dyn Sys) -> Time {
    time(unix(sys))
}

/// A random (version 4) UUID. RFC 9562, section 5.4.
fn new_uid(sys: &mut dyn Sys) -> String {
    let (high, low) = (sys.random(), sys.random());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:x}{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        8 + (low >> 62),
        low >> 48 & 0xfff,
        low & 0xffff_ffff_ffff
    )
}

/// Five letters and digits that form no words. Kubernetes: `rand.String`.
pub(super) fn suffix(mut bits: u64) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut letter = || {
        let at = usize::try_from(bits % LETTERS.len() as u64).unwrap_or(0);
        bits /= LETTERS.len() as u64;
        char::from(LETTERS[at])
    };
    (0..5).map(|_| letter()).collect()
}

/// What is wrong with a name. Kubernetes: `IsDNS1123Subdomain`.
pub const DNS_SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must \
     start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
     '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/// What is wrong with a label of a name. Kubernetes: `IsDNS1123Label`.
pub const DNS_LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and \
     end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
     '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

/// Kubernetes: `IsDNS1123Label`.
pub fn is_dns_label(text: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= 63
        && text.starts_with(good)
        && text.ends_with(good)
        && text.chars().all(|c| good(c) || c == '-')
}

fn check_metadata<K: Kind>(metadata: &ObjectMeta) -> Vec<Invalid> {
    let mut found = Vec::new();
    let name = metadata.name.as_deref().unwrap_or_default();
    if name.is_empty() {
        found.push(Invalid::required("metadata.name", "name or generateName is required"));
    } else {
        let own = K::check_name(name);
        let checked = K::NAMES == Names::Subdomain;
        if checked && own.is_empty() && (name.len() > 253 || !name.split('.').all(is_dns_label)) {
            found.push(Invalid::value("metadata.name", name, DNS_SUBDOMAIN));
        }
        found.extend(own);
    }
    if let Some(namespace) = metadata.namespace.as_deref().filter(|namespace| !is_dns_label(namespace)) {
        found.push(Invalid::value("metadata.namespace", namespace, DNS_LABEL));
    }
    found.extend(label::labels("metadata.labels", metadata.labels.as_ref()));
    found.extend(label::annotations("metadata.annotations", metadata.annotations.as_ref()));
    found
}
