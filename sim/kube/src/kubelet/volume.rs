//! A pod's volumes: folders on the node that are mounted into its containers.

use k8s_openapi::api::core::v1::{
    ConfigMap, ConfigMapProjection, ConfigMapVolumeSource, DownwardAPIVolumeFile, KeyToPath, Pod,
    ServiceAccountTokenProjection, Volume,
};
use world::{FileKind, Sys};

use super::env::Facts;
use crate::api;
use crate::api::token::{self, TokenRequest};

/// A pod's volume on the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mounted {
    /// Its name in the pod.
    pub name: String,
    /// Where it lies.
    pub path: String,
}

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
                write_config_map(sys, facts, &path, name, items.as_deref(), *optional == Some(true))?;
            }
            if let Some(fields) = &source.downward_api {
                write_fields(sys, facts, &path, fields.items.as_deref().unwrap_or_default());
            }
            if let Some(token) = &source.service_account_token {
                write_token(sys, facts, &path, token)?;
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

/// Asks for a token, once: the one that is there stays.
fn write_token(
    sys: &mut dyn Sys,
    facts: &Facts<'_>,
    folder: &str,
    wanted: &ServiceAccountTokenProjection,
) -> Result<(), String> {
    let path = format!("{folder}/{}", wanted.path);
    if tools::file::read(sys, &path).is_some() {
        return Ok(());
    }
    let account = facts.field("spec.serviceAccountName").unwrap_or_default();
    let request = TokenRequest {
        audiences: wanted.audience.clone().into_iter().collect(),
        seconds: wanted.expiration_seconds,
        pod: Some(api::name_of(facts.pod).to_owned()),
    };
    let token = token::issue(sys, api::namespace_of(facts.pod), &account, &request)
        .map_err(|error| format!("failed to fetch token: {error}"))?;
    tools::file::put(sys, &path, &token);
    Ok(())
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
