//! Static pods: those of a folder on the node. Kubernetes: `pkg/kubelet/config/file.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use sha2::{Digest, Sha256};
use world::{FileKind, Sys};

use super::config::Config;
use crate::api::{self, Admit, manifest};
use crate::time::klog;

/// Says of a pod in the API that a file is behind it.
pub const MIRROR: &str = "kubernetes.io/config.mirror";

/// The pods of the folder, by their uids; what can't be read is logged.
pub fn read(sys: &mut dyn Sys, config: &Config) -> BTreeMap<String, Arc<Pod>> {
    let mut pods = BTreeMap::new();
    if config.manifests.is_empty() {
        return pods;
    }
    for entry in sys.read_dir(&config.manifests).unwrap_or_default() {
        if entry.kind == FileKind::Dir || entry.name.starts_with('.') {
            continue;
        }
        let path = format!("{}/{}", config.manifests, entry.name);
        let text = tools::file::read(sys, &path).unwrap_or_default();
        match pod(config, &text) {
            Ok(pod) => {
                pods.insert(pod.metadata.uid.clone().unwrap_or_default(), Arc::new(pod));
            }
            Err(why) => {
                let text = format!("\"Could not process manifest file\" err={why:?} path={path:?}");
                klog(sys, 'E', "file.go:182", &text);
            }
        }
    }
    pods
}

fn pod(config: &Config, text: &str) -> Result<Pod, String> {
    let manifests = manifest::read(text).map_err(|error| error.to_string())?;
    let [manifest] = manifests.as_slice() else { return Err("expected one pod".to_owned()) };
    let mut pod: Pod = serde_json::from_value(manifest.object.clone()).map_err(|error| error.to_string())?;
    let hash: String = Sha256::digest(format!("{}{text}", config.node_name))
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let metadata = &mut pod.metadata;
    metadata.name = Some(format!("{}-{}", metadata.name.clone().unwrap_or_default(), config.node_name));
    metadata.namespace.get_or_insert_with(|| "default".to_owned());
    metadata.uid = Some(hash.clone());
    let annotations = metadata.annotations.get_or_insert_default();
    annotations.insert("kubernetes.io/config.hash".to_owned(), hash);
    annotations.insert("kubernetes.io/config.source".to_owned(), "file".to_owned());
    if let Some(spec) = &mut pod.spec {
        spec.node_name = Some(config.node_name.clone());
    }
    pod.set_defaults();
    Ok(pod)
}

/// Whether a pod of the API stands for a file of its node.
pub fn is_mirror(pod: &Pod) -> bool {
    pod.metadata.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(MIRROR))
}

/// Takes the picture of a static pod from the API server.
pub fn unmirror(sys: &mut dyn Sys, pod: &Pod) {
    let (namespace, name) = (api::namespace_of(pod), api::name_of(pod));
    if api::get::<Pod>(sys.store(), namespace, name).is_some_and(|known| is_mirror(&known)) {
        api::finalize::<Pod>(sys, namespace, name);
    }
}

/// Lets the API server have a picture of a static pod.
pub fn mirror(sys: &mut dyn Sys, pod: &Pod) {
    let (namespace, name) = (api::namespace_of(pod), api::name_of(pod));
    let hash = pod.metadata.uid.clone().unwrap_or_default();
    let known = api::get::<Pod>(sys.store(), namespace, name);
    if let Some(known) = known {
        let same = known.metadata.annotations.as_ref().and_then(|all| all.get(MIRROR)) == Some(&hash);
        if same && known.metadata.deletion_timestamp.is_none() {
            return;
        }
        api::finalize::<Pod>(sys, namespace, name);
    }
    let mut picture = pod.clone();
    picture.metadata.uid = None;
    picture.metadata.annotations.get_or_insert_default().insert(MIRROR.to_owned(), hash);
    // Without its namespace it can't be shown yet.
    let _ = api::create(sys, picture);
}
