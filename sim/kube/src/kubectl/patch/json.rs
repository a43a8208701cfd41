use serde_json::{Map, Value};

/// Applies a JSON merge patch. RFC 7396.
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(map) = target.as_object_mut() else { return };
    for (key, value) in patch {
        if value.is_null() {
            map.remove(key);
        } else {
            merge(map.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// Applies a JSON patch: a list of operations. RFC 6902.
///
/// # Errors
/// The words of Go's `json-patch` library.
pub fn apply(target: &mut Value, patch: &Value) -> Result<(), String> {
    let operations =
        patch.as_array().ok_or("json: cannot unmarshal object into Go value of type jsonpatch.Patch")?;
    for operation in operations {
        let text = |field: &str| operation.get(field).and_then(Value::as_str).unwrap_or_default();
        let (op, path) = (text("op"), text("path"));
        let value = || operation.get("value").cloned().unwrap_or(Value::Null);
        let missing = |verb: &str, path: &str| {
            format!("{verb} operation does not apply: doc is missing path: {path:?}: missing value")
        };
        match op {
            "add" => add(target, path, value()).ok_or_else(|| missing("add", path))?,
            "remove" => remove(target, path).map(drop).ok_or_else(|| {
                format!("remove operation does not apply: doc is missing path: {path:?}: missing value")
            })?,
            "replace" => {
                let at = target.pointer_mut(path).ok_or_else(|| {
                    format!("replace operation does not apply: doc is missing key: {path}: missing value")
                })?;
                *at = value();
            }
            "move" => {
                let moved = remove(target, text("from")).ok_or_else(|| missing("move", text("from")))?;
                add(target, path, moved).ok_or_else(|| missing("move", path))?;
            }
            "copy" => {
                let copied =
                    target.pointer(text("from")).cloned().ok_or_else(|| missing("copy", text("from")))?;
                add(target, path, copied).ok_or_else(|| missing("copy", path))?;
            }
            "test" => {
                if target.pointer(path).cloned().unwrap_or(Value::Null) != value() {
                    return Err(format!("testing value {path} failed: test failed"));
                }
            }
            other => return Err(format!("Unexpected kind: {other}")),
        }
    }
    Ok(())
}

/// The holder's pointer and the last word of a pointer.
fn split(path: &str) -> Option<(&str, String)> {
    let (holder, last) = path.rsplit_once('/')?;
    Some((holder, last.replace("~1", "/").replace("~0", "~")))
}

fn add(target: &mut Value, path: &str, value: Value) -> Option<()> {
    if path.is_empty() {
        *target = value;
        return Some(());
    }
    let (holder, last) = split(path)?;
    match target.pointer_mut(holder)? {
        Value::Object(map) => {
            map.insert(last, value);
        }
        Value::Array(items) => {
            let at = if last == "-" { items.len() } else { last.parse().ok()? };
            if at > items.len() {
                return None;
            }
            items.insert(at, value);
        }
        _ => return None,
    }
    Some(())
}

fn remove(target: &mut Value, path: &str) -> Option<Value> {
    let (holder, last) = split(path)?;
    match target.pointer_mut(holder)? {
        Value::Object(map) => map.shift_remove(&last),
        Value::Array(items) => {
            let at: usize = last.parse().ok()?;
            (at < items.len()).then(|| items.remove(at))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn merge_patches_replace_lists_and_null_removes() {
        let mut target = json!({"a": {"b": 1, "c": [1, 2]}, "d": 4});
        merge(&mut target, &json!({"a": {"b": null, "c": [3]}, "e": {"f": null, "g": 1}}));
        assert_eq!(target, json!({"a": {"c": [3]}, "d": 4, "e": {"g": 1}}));
    }

    #[test]
    fn operations_change_what_their_paths_name() {
        let start = json!({"spec": {"list": [1, 2], "a/b": 1}});
        for (patch, expected) in [
            (
                json!([{"op": "add", "path": "/spec/list/-", "value": 3}]),
                Ok(json!({"spec": {"list": [1, 2, 3], "a/b": 1}})),
            ),
            (
                json!([{"op": "replace", "path": "/spec/list/0", "value": 9}]),
                Ok(json!({"spec": {"list": [9, 2], "a/b": 1}})),
            ),
            (json!([{"op": "remove", "path": "/spec/a~1b"}]), Ok(json!({"spec": {"list": [1, 2]}}))),
            (
                json!([{"op": "move", "from": "/spec/list", "path": "/l"}]),
                Ok(json!({"spec": {"a/b": 1}, "l": [1, 2]})),
            ),
            (
                json!([{"op": "replace", "path": "/no", "value": 1}]),
                Err("replace operation does not apply: doc is missing key: /no: missing value"),
            ),
            (
                json!([{"op": "test", "path": "/spec/list/0", "value": 2}]),
                Err("testing value /spec/list/0 failed: test failed"),
            ),
        ] {
            let mut target = start.clone();
            let outcome = apply(&mut target, &patch).map(|()| target);
            assert_eq!(outcome, expected.map_err(str::to_owned), "{patch}");
        }
    }
}
