use serde_json::{Map, Value};

use super::json::merge;

/// How a list is merged. Kubernetes: the `patchStrategy` and `patchMergeKey` tags of its types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListMerge {
    /// The new list takes the place of the old one.
    Replace,
    /// Items with the same value of this key are the same item.
    ByKey(&'static str),
    /// A set of plain values.
    Set,
}

/// How the list in field `field` of what lies at `holder` is merged.
pub(super) fn list_merge(holder: &[String], field: &str) -> ListMerge {
    let inside = |name: &str| holder.iter().any(|part| part == name);
    match field {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "volumes"
        | "env"
        | "imagePullSecrets"
        | "secrets" => ListMerge::ByKey("name"),
        "ports" if inside("containers") || inside("initContainers") => ListMerge::ByKey("containerPort"),
        "ports" if holder == ["spec"] => ListMerge::ByKey("port"),
        "volumeMounts" => ListMerge::ByKey("mountPath"),
        "volumeDevices" => ListMerge::ByKey("devicePath"),
        "hostAliases" => ListMerge::ByKey("ip"),
        "topologySpreadConstraints" => ListMerge::ByKey("topologyKey"),
        "conditions" => ListMerge::ByKey("type"),
        "addresses" if holder == ["status"] => ListMerge::ByKey("type"),
        "ownerReferences" => ListMerge::ByKey("uid"),
        "finalizers" | "podCIDRs" => ListMerge::Set,
        _ => ListMerge::Replace,
    }
}

/// Applies a strategic merge patch. Kubernetes: `strategicpatch.StrategicMergePatch`.
///
/// # Errors
/// An item of a list lacks the key by which it is merged.
pub fn apply(target: &mut Value, patch: &Value) -> Result<(), String> {
    apply_at(target, patch, &mut Vec::new())
}

fn apply_at(target: &mut Value, patch: &Value, path: &mut Vec<String>) -> Result<(), String> {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return Ok(());
    };
    match fields.get("$patch").and_then(Value::as_str) {
        Some("replace") => {
            let kept = fields.iter().filter(|(key, _)| *key != "$patch");
            *target = Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect());
            return Ok(());
        }
        Some("delete") => {
            *target = Value::Object(Map::new());
            return Ok(());
        }
        _ => {}
    }
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(map) = target.as_object_mut() else { return Ok(()) };
    if let Some(kept) = fields.get("$retainKeys").and_then(Value::as_array) {
        map.retain(|key, _| kept.iter().any(|kept| kept == key));
    }
    for (key, value) in fields {
        if let Some(field) = key.strip_prefix("$deleteFromPrimitiveList/") {
            let gone = value.as_array().cloned().unwrap_or_default();
            if let Some(items) = map.get_mut(field).and_then(Value::as_array_mut) {
                items.retain(|item| !gone.contains(item));
            }
        } else if key.starts_with('$') {
        } else if value.is_null() {
            map.shift_remove(key);
        } else {
            let merged = list_merge(path, key);
            path.push(key.clone());
            let at = map.entry(key.clone()).or_insert(Value::Null);
            match value {
                Value::Object(_) => apply_at(at, value, path)?,
                Value::Array(items) => apply_list(at, items, merged, path)?,
                value => merge(at, value),
            }
            path.pop();
        }
    }
    Ok(())
}

fn apply_list(
    target: &mut Value,
    items: &[Value],
    merged: ListMerge,
    path: &mut Vec<String>,
) -> Result<(), String> {
    if !target.is_array() {
        *target = Value::Array(Vec::new());
    }
    let Some(list) = target.as_array_mut() else { return Ok(()) };
    match merged {
        ListMerge::Replace => *list = items.to_vec(),
        ListMerge::Set => {
            for item in items {
                if !list.contains(item) {
                    list.push(item.clone());
                }
            }
        }
        ListMerge::ByKey(key) => {
            if items.iter().any(|item| item.get("$patch").and_then(Value::as_str) == Some("replace")) {
                *list = items.iter().filter(|item| item.get("$patch").is_none()).cloned().collect();
                return Ok(());
            }
            for item in items {
                let Some(value) = item.get(key) else {
                    return Err(format!("map: {} does not contain declared merge key: {key}", go_map(item)));
                };
                let at = list.iter().position(|old| old.get(key) == Some(value));
                match (item.get("$patch").and_then(Value::as_str), at) {
                    (Some("delete"), at) => drop(at.map(|at| list.remove(at))),
                    (_, Some(at)) => apply_at(&mut list[at], item, path)?,
                    (_, None) => {
                        let mut new = Value::Null;
                        apply_at(&mut new, item, path)?;
                        // A patch puts new items before those that it doesn't name.
                        list.insert(0, new);
                    }
                }
            }
        }
    }
    Ok(())
}

/// A map as Go prints it.
fn go_map(value: &Value) -> String {
    let pairs = value.as_object().into_iter().flatten();
    let mut shown: Vec<String> = pairs
        .map(|(key, value)| {
            format!("{key}:{}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        })
        .collect();
    shown.sort();
    format!("map[{}]", shown.join(" "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_are_merged_by_their_keys() {
        let start = json!({"spec": {"template": {"spec": {
            "containers": [{"name": "a", "image": "x:1", "ports": [{"containerPort": 80}]}, {"name": "b", "image": "y"}],
            "tolerations": [{"key": "k"}]}}}});
        let template = |spec: Value| json!({"spec": {"template": {"spec": spec}}});
        for (patch, pointer, expected) in [
            (
                json!({"containers": [{"name": "a", "image": "x:2"}]}),
                "/spec/template/spec/containers",
                json!([{"name": "a", "image": "x:2", "ports": [{"containerPort": 80}]}, {"name": "b", "image": "y"}]),
            ),
            (
                json!({"containers": [{"name": "b", "$patch": "delete"}]}),
                "/spec/template/spec/containers",
                json!([{"name": "a", "image": "x:1", "ports": [{"containerPort": 80}]}]),
            ),
            (
                json!({"tolerations": [{"key": "z"}]}),
                "/spec/template/spec/tolerations",
                json!([{"key": "z"}]),
            ),
            (json!({"tolerations": null}), "/spec/template/spec/tolerations", Value::Null),
        ] {
            let mut target = start.clone();
            assert_eq!(apply(&mut target, &template(patch.clone())), Ok(()));
            assert_eq!(target.pointer(pointer).cloned().unwrap_or_default(), expected, "{patch}");
        }
        let mut target = start;
        assert_eq!(
            apply(&mut target, &template(json!({"containers": [{"image": "z"}]}))),
            Err("map: map[image:z] does not contain declared merge key: name".to_owned())
        );
    }
}
