//! Namespaces: those that every cluster has, and the end of one. Kubernetes:
//! `pkg/controller/namespace`, `pkg/controlplane/controller/systemnamespaces`.

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use world::Sys;

use super::context::Context;
use super::object::KINDS;
use crate::api::{create, finalize, get, modify};

/// Makes the namespaces that every cluster has. The API server does that at its start.
pub fn system_namespaces(sys: &mut dyn Sys) {
    for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
        let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
        // It may be there already.
        let _ = create(sys, Namespace { metadata, ..Namespace::default() });
    }
}

/// Empties a namespace that is to go.
///
/// Simplified: its status has no conditions about what is left.
pub fn sync(cx: &mut Context<'_>, _: &str, name: &str) {
    let Some(namespace) = get::<Namespace>(cx.sys.store(), "", name) else { return };
    if namespace.metadata.deletion_timestamp.is_none() {
        return;
    }
    // The change marks it as terminating. The objects go in the next round.
    let phase = namespace.status.as_ref().and_then(|status| status.phase.as_deref());
    if phase != Some("Terminating") {
        let _ = modify::<Namespace>(cx.sys, "", name, |_| {});
        return;
    }
    let mut left = false;
    for (_, handle) in KINDS.iter().filter(|(_, handle)| handle.namespaced) {
        for object in (handle.names)(cx.sys.store(), name) {
            (handle.delete)(cx.sys, name, &object);
        }
        left |= !(handle.names)(cx.sys.store(), name).is_empty();
    }
    if !left {
        finalize::<Namespace>(cx.sys, "", name);
    }
}
