//! A pod's ServiceAccount. Kubernetes: admission plugin `ServiceAccount`.

use k8s_openapi::api::core::v1::{
    ConfigMapProjection, DownwardAPIProjection, DownwardAPIVolumeFile, KeyToPath, ObjectFieldSelector, Pod,
    PodSpec, ProjectedVolumeSource, ServiceAccount, ServiceAccountTokenProjection, Volume, VolumeMount,
    VolumeProjection,
};
use sha2::{Digest, Sha256};
use world::Sys;

use super::Refused;
use crate::api::{get, name_of, namespace_of, suffix};

/// What the names of volumes with a token begin with.
const VOLUME: &str = "kube-api-access-";
/// Where such a volume is in a container.
const FOLDER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// The ServiceAccount of who names none.
const DEFAULT: &str = "default";
/// Which pods only mirror what a node runs anyway.
const MIRROR: &str = "kubernetes.io/config.mirror";
/// How long a token is valid; it says so, and is valid for longer.
pub const TOKEN_SECONDS: i64 = 3607;

/// Gives a new pod the token of its ServiceAccount.
///
/// Simplified: the real one waits a second for the account `default` of a new namespace; here a pod
/// is kept without looking whether that is there.
pub(super) fn admit(pod: &mut Pod, sys: &dyn Sys) -> Result<(), Refused> {
    if pod.metadata.annotations.iter().flatten().any(|(key, _)| key == MIRROR) {
        return Ok(());
    }
    let (namespace, name) = (namespace_of(pod).to_owned(), name_of(pod).to_owned());
    let Some(spec) = &mut pod.spec else { return Ok(()) };
    let account = spec.service_account_name.get_or_insert_with(|| DEFAULT.to_owned()).clone();
    let found = get::<ServiceAccount>(sys.store(), &namespace, &account);
    if found.is_none() && account != DEFAULT {
        let why = format!("serviceaccount {account:?} not found");
        return Err(Refused::Forbidden(format!(
            "error looking up service account {namespace}/{account}: {why}"
        )));
    }
    let of_account = found.and_then(|found| found.automount_service_account_token);
    if spec.automount_service_account_token.or(of_account).unwrap_or(true) {
        let hash = Sha256::digest(format!("{namespace}/{name} {}", sys.store().revision()));
        let bits = hash.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte));
        mount(spec, format!("{VOLUME}{}", suffix(bits)));
    }
    Ok(())
}

/// Mounts the token into all containers that have nothing at its place.
fn mount(spec: &mut PodSpec, name: String) {
    let known = spec.volumes.iter().flatten().find(|volume| volume.name.starts_with(VOLUME));
    let (name, is_new) = known.map_or((name, true), |volume| (volume.name.clone(), false));
    let mut mounted = false;
    for container in spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten()) {
        let mounts = container.volume_mounts.get_or_insert_default();
        if mounts.iter().all(|mount| mount.mount_path != FOLDER) {
            mounts.push(VolumeMount {
                name: name.clone(),
                mount_path: FOLDER.to_owned(),
                read_only: Some(true),
                ..VolumeMount::default()
            });
            mounted = true;
        }
    }
    if mounted && is_new {
        spec.volumes.get_or_insert_default().push(volume(name));
    }
}

/// Kubernetes: `TokenVolumeSource`.
fn volume(name: String) -> Volume {
    let token = ServiceAccountTokenProjection {
        expiration_seconds: Some(TOKEN_SECONDS),
        path: "token".to_owned(),
        ..ServiceAccountTokenProjection::default()
    };
    let certificate = KeyToPath { key: "ca.crt".to_owned(), path: "ca.crt".to_owned(), mode: None };
    let authority = ConfigMapProjection {
        name: "kube-root-ca.crt".to_owned(),
        items: Some(vec![certificate]),
        ..ConfigMapProjection::default()
    };
    let field = ObjectFieldSelector {
        api_version: Some("v1".to_owned()),
        field_path: "metadata.namespace".to_owned(),
    };
    let namespace = DownwardAPIVolumeFile {
        path: "namespace".to_owned(),
        field_ref: Some(field),
        ..DownwardAPIVolumeFile::default()
    };
    let sources = vec![
        VolumeProjection { service_account_token: Some(token), ..VolumeProjection::default() },
        VolumeProjection { config_map: Some(authority), ..VolumeProjection::default() },
        VolumeProjection {
            downward_api: Some(DownwardAPIProjection { items: Some(vec![namespace]) }),
            ..VolumeProjection::default()
        },
    ];
    let projected = ProjectedVolumeSource { default_mode: Some(0o644), sources: Some(sources) };
    Volume { name, projected: Some(projected), ..Volume::default() }
}
