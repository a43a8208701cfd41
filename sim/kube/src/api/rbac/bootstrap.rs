//! The roles that every cluster has. Kubernetes: `bootstrappolicy`, `post_start_hook`
//! `rbac/bootstrap-roles`.

use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
use serde_json::Value;
use world::Sys;

use crate::api::server::create_with_uid;
use crate::api::token::uuid;
use crate::api::{Kind, get, name_of, read};

/// Roles and bindings.
///
/// Simplified: those of the control plane's own components aren't among them, as these ask nobody.
const ROLES: &str = include_str!("bootstrap.yaml");

/// Makes the roles that are missing. The API server does that at its start.
pub fn bootstrap(sys: &mut dyn Sys) {
    for text in ROLES.split("\n---\n") {
        let Ok(value) = serde_saphyr::from_str::<Value>(text) else { continue };
        match value["kind"].as_str() {
            Some("ClusterRole") => make::<ClusterRole>(sys, &value),
            Some("ClusterRoleBinding") => make::<ClusterRoleBinding>(sys, &value),
            _ => {}
        }
    }
}

fn make<K: Kind>(sys: &mut dyn Sys, value: &Value) {
    let Ok(mut object) = read::<K>(value) else { return };
    let name = name_of(&object).to_owned();
    if get::<K>(sys.store(), "", &name).is_some() {
        return;
    }
    let metadata = object.metadata_mut();
    metadata
        .labels
        .get_or_insert_default()
        .insert("kubernetes.io/bootstrapping".to_owned(), "rbac-defaults".to_owned());
    let annotation = ("rbac.authorization.kubernetes.io/autoupdate".to_owned(), "true".to_owned());
    metadata.annotations.get_or_insert_default().extend([annotation]);
    let uid = uuid(&format!("{} {name}", K::KIND));
    // What stands in this program is valid: a test reads it.
    let _ = create_with_uid(sys, object, Some(uid));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roles_of_every_cluster_can_be_read() {
        let mut count = 0;
        for text in ROLES.split("\n---\n") {
            let value: Value = serde_saphyr::from_str(text).unwrap();
            let outcome = match value["kind"].as_str() {
                Some("ClusterRole") => read::<ClusterRole>(&value).map(drop),
                _ => read::<ClusterRoleBinding>(&value).map(drop),
            };
            assert_eq!(outcome, Ok(()), "{text}");
            count += 1;
        }
        assert!(count > 10, "{count}");
    }
}
