//! EndpointSlices from what should be in them. Kubernetes: `staging/src/k8s.io/endpointslice`.

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::discovery::v1::{Endpoint, EndpointPort, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::context::Context;
use crate::api::{create, delete, name_of, namespace_of, update};

/// The label with the name of a slice's Service.
pub const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// The label with who looks after a slice.
pub const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
/// Endpoints in a slice at most. Kubernetes: `--max-endpoints-per-slice`.
const MOST: usize = 100;

/// Endpoints that have the same ports.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Their ports.
    pub ports: Vec<EndpointPort>,
    /// The endpoints; each address once.
    pub endpoints: Vec<Endpoint>,
}

/// What tells an endpoint from others.
fn identity(endpoint: &Endpoint) -> (Option<&String>, &Vec<String>) {
    (endpoint.target_ref.as_ref().and_then(|reference| reference.uid.as_ref()), &endpoint.addresses)
}

/// Writes what is missing in the slices that are present: an endpoint stays in its slice; new ones
/// fill up slices with room before there are new slices.
pub fn reconcile(
    cx: &mut Context<'_>,
    present: &[Arc<EndpointSlice>],
    wanted: Vec<Group>,
    metadata: &ObjectMeta,
) {
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for group in wanted {
        let mine: Vec<_> = present
            .iter()
            .filter(|slice| slice.ports.as_deref().unwrap_or_default() == group.ports)
            .collect();
        let mut filled: Vec<Vec<Endpoint>> = vec![Vec::new(); mine.len()];
        let mut new = Vec::new();
        let is_empty = group.endpoints.is_empty();
        for endpoint in group.endpoints {
            let holds = |slice: &&Arc<EndpointSlice>| {
                slice.endpoints.iter().any(|known| identity(known) == identity(&endpoint))
            };
            match mine.iter().position(holds) {
                Some(at) => filled[at].push(endpoint),
                None => new.push(endpoint),
            }
        }
        let mut new = new.into_iter();
        for list in &mut filled {
            let room = MOST.saturating_sub(list.len());
            // A slice that has lost all is deleted, unless it takes new ones.
            list.extend(new.by_ref().take(room));
        }
        for (at, (slice, endpoints)) in mine.iter().zip(filled).enumerate() {
            if !endpoints.is_empty() || is_empty && at == 0 {
                used.insert(name_of(&***slice));
                put(cx, slice, endpoints, metadata);
            }
        }
        let rest: Vec<Endpoint> = new.collect();
        let chunks: Vec<&[Endpoint]> = match rest.is_empty() {
            true if is_empty && mine.is_empty() => vec![&[]],
            _ => rest.chunks(MOST).collect(),
        };
        for endpoints in chunks {
            let slice = EndpointSlice {
                metadata: metadata.clone(),
                address_type: "IPv4".to_owned(),
                endpoints: endpoints.to_vec(),
                ports: Some(group.ports.clone()),
            };
            // A namespace that is going takes nothing new.
            let _ = create(cx.sys, slice);
        }
    }
    for slice in present.iter().filter(|slice| !used.contains(name_of(&***slice))) {
        let _ = delete::<EndpointSlice>(cx.sys, namespace_of(&**slice), name_of(&**slice), None);
    }
}

fn put(cx: &mut Context<'_>, slice: &EndpointSlice, endpoints: Vec<Endpoint>, metadata: &ObjectMeta) {
    if slice.endpoints == endpoints && slice.metadata.labels == metadata.labels {
        return;
    }
    let mut changed = slice.clone();
    changed.endpoints = endpoints;
    changed.metadata.labels.clone_from(&metadata.labels);
    changed.metadata.annotations.clone_from(&metadata.annotations);
    let _ = update(cx.sys, changed);
}
