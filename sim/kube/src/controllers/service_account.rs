//! What each namespace has: a ServiceAccount `default` and the cluster's CA. Kubernetes:
//! `pkg/controller/serviceaccount`, `pkg/controller/certificates/rootcacertpublisher`.

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, ServiceAccount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::context::Context;
use crate::api::labels::Labels;
use crate::api::{create, get};

/// The ConfigMap with the cluster's CA.
pub const ROOT_CA: &str = "kube-root-ca.crt";

fn is_active(cx: &Context<'_>, namespace: &str) -> bool {
    get::<Namespace>(cx.sys.store(), "", namespace)
        .is_some_and(|namespace| namespace.metadata.deletion_timestamp.is_none())
}

fn named(namespace: &str, name: &str) -> ObjectMeta {
    ObjectMeta { namespace: Some(namespace.to_owned()), name: Some(name.to_owned()), ..ObjectMeta::default() }
}

/// Makes the ServiceAccount `default` of a namespace if it is missing.
pub fn sync_account(cx: &mut Context<'_>, _: &str, namespace: &str) {
    if is_active(cx, namespace) {
        let account = ServiceAccount { metadata: named(namespace, "default"), ..ServiceAccount::default() };
        // It may be there already.
        let _ = create(cx.sys, account);
    }
}

/// Makes the ConfigMap with the cluster's CA if it is missing.
///
/// Simplified: without `--root-ca-file` there is no certificate in it.
pub fn sync_root_ca(cx: &mut Context<'_>, _: &str, namespace: &str) {
    if !is_active(cx, namespace) {
        return;
    }
    let description = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal \
                       endpoints such as the internal service IP or kubernetes.default.svc. No other usage is \
                       guaranteed across distributions of Kubernetes clusters.";
    let mut metadata = named(namespace, ROOT_CA);
    metadata.annotations =
        Some(Labels::from([("kubernetes.io/description".to_owned(), description.to_owned())]));
    let file = cx.flags.root_ca_file.clone();
    let certificate = file.and_then(|path| tools::net::read_file(cx.sys, &path)).unwrap_or_default();
    let data = Some(Labels::from([("ca.crt".to_owned(), certificate)]));
    // It may be there already.
    let _ = create(cx.sys, ConfigMap { metadata, data, ..ConfigMap::default() });
}
