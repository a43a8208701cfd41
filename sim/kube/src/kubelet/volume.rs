//! A pod's volumes: folders on the node that are mounted into its containers.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use k8s_openapi::api::core::v1::{
    ConfigMap, ConfigMapProjection, ConfigMapVolumeSource, DownwardAPIVolumeFile, KeyToPath, Pod, Volume,
};
use serde_json::json;
use world::{FileKind, Sys};

use super::env::Facts;
use crate::api;

/// A pod's volume on the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mounted {
    /// Its name in the pod.
    pub name: String,
    /// Where it lies.
    pub path: String,
}

/// The volume that every pod gets.
pub const API_ACCESS: &str = "kube-api-access";
/// Where it is in a container.
pub const API_ACCESS_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// What of a pod's volumes hoplab only keeps.
pub fn not_simulated(pod: &Pod) -> Vec<String> {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    let kept = volumes.filter(|volume| {
        let Volume { config_map, downward_api, empty_dir, host_path, projected, .. } = volume;
        config_map.is_none()
            && downward_api.is_none()
            && empty_dir.is_none()
            && host_path.is_none()
            && projected.is_none()
    });
    kept.map(|volume| volume.name.clone()).collect()
}

/// Whether a pod's containers get a token.
pub fn wants_token(pod: &Pod) -> bool {
    pod.spec.as_ref().is_some_and(|spec| spec.automount_service_account_token != Some(false))
}

/// Makes a pod's volumes.
///
/// # Errors
/// Why one can't be made: what the kubelet's event says.
pub fn prepare(sys: &mut dyn Sys, facts: &Facts<'_>) -> Result<Vec<Mounted>, String> {
    let folder = format!("{}/volumes", facts.record.folder());
    let mut mounted = Vec::new();
    for volume in facts.pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten()) {
        let failed = |why: String| format!("MountVolume.SetUp failed for volume {:?} : {why}", volume.name);
        let path = make(sys, facts, &folder, volume).map_err(failed)?;
        mounted.push(Mounted { name: volume.name.clone(), path });
    }
    if wants_token(facts.pod) {
        let path = format!("{folder}/kubernetes.io~projected/{API_ACCESS}");
        write_token(sys, facts, &path, "token");
        write_api_certificate(sys, &format!("{path}/ca.crt"));
        tools::file::put(sys, &format!("{path}/namespace"), api::namespace_of(facts.pod));
        mounted.push(Mounted { name: API_ACCESS.to_owned(), path });
    }
    Ok(mounted)
}

fn make(sys: &mut dyn Sys, facts: &Facts<'_>, folder: &str, volume: &Volume) -> Result<String, String> {
    let place = |kind: &str| format!("{folder}/kubernetes.io~{kind}/{}", volume.name);
    if let Some(ConfigMapVolumeSource { name, items, optional, .. }) = &volume.config_map {
        let path = place("configmap");
        tools::file::make_dirs(sys, &path);
        write_config_map(sys, facts, &path, name, items.as_deref(), *optional == Some(true))?;
        return Ok(path);
    }
    if let Some(source) = &volume.downward_api {
        let path = place("downward-api");
        tools::file::make_dirs(sys, &path);
        write_fields(sys, facts, &path, source.items.as_deref().unwrap_or_default());
        return Ok(path);
    }
    if let Some(source) = &volume.host_path {
        return host_path(sys, &source.path, source.type_.as_deref().unwrap_or_default());
    }
    if let Some(source) = &volume.projected {
        let path = place("projected");
        tools::file::make_dirs(sys, &path);
        for source in source.sources.iter().flatten() {
            if let Some(ConfigMapProjection { name, items, optional }) = &source.config_map {
                if name == "kube-root-ca.crt"
                    && api::get::<ConfigMap>(sys.store(), api::namespace_of(facts.pod), name).is_none()
                {
                    write_api_certificate(sys, &format!("{path}/ca.crt"));
                    continue;
                }
                write_config_map(sys, facts, &path, name, items.as_deref(), *optional == Some(true))?;
            }
            if let Some(fields) = &source.downward_api {
                write_fields(sys, facts, &path, fields.items.as_deref().unwrap_or_default());
            }
            if let Some(token) = &source.service_account_token {
                write_token(sys, facts, &path, &token.path);
            }
        }
        return Ok(path);
    }
    let path = place("empty-dir");
    tools::file::make_dirs(sys, &path);
    Ok(path)
}

fn write_config_map(
    sys: &mut dyn Sys,
    facts: &Facts<'_>,
    folder: &str,
    name: &str,
    items: Option<&[KeyToPath]>,
    optional: bool,
) -> Result<(), String> {
    let Some(map) = api::get::<ConfigMap>(sys.store(), api::namespace_of(facts.pod), name) else {
        return if optional { Ok(()) } else { Err(format!("configmap {name:?} not found")) };
    };
    let data = map.data.clone().unwrap_or_default();
    match items.filter(|items| !items.is_empty()) {
        None => {
            for (key, value) in &data {
                put_if_changed(sys, &format!("{folder}/{key}"), value);
            }
        }
        Some(items) => {
            for item in items {
                match data.get(&item.key) {
                    Some(value) => put_if_changed(sys, &format!("{folder}/{}", item.path), value),
                    None if optional => {}
                    None => {
                        return Err(format!("configmap references non-existent config key: {}", item.key));
                    }
                }
            }
        }
    }
    Ok(())
}

/// A file whose text is the same keeps its place in whatever reads it.
fn put_if_changed(sys: &mut dyn Sys, path: &str, text: &str) {
    if tools::file::read(sys, path).as_deref() != Some(text) {
        tools::file::put(sys, path, text);
    }
}

fn write_fields(sys: &mut dyn Sys, facts: &Facts<'_>, folder: &str, items: &[DownwardAPIVolumeFile]) {
    for item in items {
        let field = item.field_ref.as_ref().and_then(|field| facts.field(&field.field_path));
        put_if_changed(sys, &format!("{folder}/{}", item.path), &field.unwrap_or_default());
    }
}

/// A token as it looks.
///
/// Simplified: it isn't signed.
fn write_token(sys: &mut dyn Sys, facts: &Facts<'_>, folder: &str, name: &str) {
    let namespace = api::namespace_of(facts.pod);
    let account = facts.field("spec.serviceAccountName").unwrap_or_default();
    let header = json!({"alg": "RS256", "kid": ""});
    let claims = json!({
        "iss": "https://kubernetes.default.svc.cluster.local",
        "kubernetes.io": {
            "namespace": namespace,
            "node": {"name": facts.node},
            "pod": {"name": api::name_of(facts.pod), "uid": facts.record.uid},
            "serviceaccount": {"name": account},
        },
        "sub": format!("system:serviceaccount:{namespace}:{account}"),
    });
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}.", part(header), part(claims));
    put_if_changed(sys, &format!("{folder}/{name}"), &text);
}

/// Simplified: there is no TLS; the certificate is an empty one.
fn write_api_certificate(sys: &mut dyn Sys, path: &str) {
    put_if_changed(sys, path, "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n");
}

/// Kubernetes: `pkg/volume/hostpath`.
fn host_path(sys: &mut dyn Sys, path: &str, kind: &str) -> Result<String, String> {
    let found = sys.stat(path).ok().map(|stat| stat.kind);
    match (kind, found) {
        ("" | "DirectoryOrCreate", None) => tools::file::make_dirs(sys, path),
        ("FileOrCreate", None) => {
            let missing = format!("open {path}: no such file or directory");
            let fd = sys.open(path, world::OpenMode::Append).map_err(|_| missing)?;
            sys.close(fd);
        }
        ("Directory" | "DirectoryOrCreate", found) if found != Some(FileKind::Dir) => {
            return Err(format!("hostPath type check failed: {path} is not a directory"));
        }
        ("File" | "FileOrCreate", found) if found != Some(FileKind::File) => {
            return Err(format!("hostPath type check failed: {path} is not a file"));
        }
        ("Socket" | "CharDevice" | "BlockDevice", None) => {
            let what = match kind {
                "Socket" => "socket file",
                "CharDevice" => "character device",
                _ => "block device",
            };
            return Err(format!("hostPath type check failed: {path} is not a {what}"));
        }
        _ => {}
    }
    Ok(path.to_owned())
}
