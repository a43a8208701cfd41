use serde_json::{Map, Value};

use super::strategic::{ListMerge, list_merge};

/// Whether lists are merged by their keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lists {
    /// As the kind's type says.
    Strategic,
    /// Never: kinds that the API server knows no type of.
    Replaced,
}

/// Brings `current` to what `modified` says: what `original` said and `modified` no longer says goes,
/// what neither says stays. Kubernetes: `CreateThreeWayMergePatch`.
pub fn apply(original: Option<&Value>, modified: &Value, current: &mut Value, lists: Lists) {
    merge(original, modified, current, lists, &mut Vec::new());
}

fn merge(
    original: Option<&Value>,
    modified: &Value,
    current: &mut Value,
    lists: Lists,
    path: &mut Vec<String>,
) {
    let Value::Object(wanted) = modified else {
        *current = modified.clone();
        return;
    };
    if !current.is_object() {
        *current = Value::Object(Map::new());
    }
    let Some(map) = current.as_object_mut() else { return };
    for (key, value) in wanted {
        let before = original.and_then(|original| original.get(key));
        if value.is_null() {
            map.shift_remove(key);
            continue;
        }
        let how = if lists == Lists::Strategic { list_merge(path, key) } else { ListMerge::Replace };
        path.push(key.clone());
        let there = map.get(key).cloned();
        let at = map.entry(key.clone()).or_insert(Value::Null);
        match (value, how) {
            (Value::Array(items), ListMerge::ByKey(name)) => {
                merge_list(before, items, at, name, path);
            }
            (Value::Array(items), ListMerge::Set) => merge_set(before, items, at),
            _ => merge(before, value, at, lists, path),
        }
        // Fields of a union: another choice drops what the old one had.
        let union = lists == Lists::Strategic && path.as_slice() == ["spec", "strategy"];
        if union
            && there.is_some_and(|there| there != *at)
            && let (Some(fields), Some(kept)) = (at.as_object_mut(), value.as_object())
        {
            fields.retain(|field, _| kept.contains_key(field));
        }
        path.pop();
    }
    let gone = original.and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key);
    for key in gone.filter(|key| !wanted.contains_key(*key)) {
        map.shift_remove(key);
    }
}

fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn merge_list(
    original: Option<&Value>,
    modified: &[Value],
    current: &mut Value,
    key: &str,
    path: &mut Vec<String>,
) {
    let find =
        |list: &[Value], item: &Value| list.iter().find(|other| other.get(key) == item.get(key)).cloned();
    let mut merged = Vec::new();
    for item in modified {
        let mut new = find(items(Some(current)), item).unwrap_or(Value::Null);
        merge(find(items(original), item).as_ref(), item, &mut new, Lists::Strategic, path);
        merged.push(new);
    }
    for item in items(Some(current)) {
        if find(modified, item).is_none() && find(items(original), item).is_none() {
            merged.push(item.clone());
        }
    }
    *current = Value::Array(merged);
}

fn merge_set(original: Option<&Value>, modified: &[Value], current: &mut Value) {
    let mut merged = modified.to_vec();
    for item in items(Some(current)) {
        if !modified.contains(item) && !items(original).contains(item) {
            merged.push(item.clone());
        }
    }
    *current = Value::Array(merged);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_file_no_longer_says_goes_and_what_others_said_stays() {
        let original = json!({"metadata": {"labels": {"a": "1", "b": "2"}}, "spec": {"replicas": 2, "template": {"spec": {
            "containers": [{"name": "web", "image": "x:1", "env": [{"name": "A", "value": "1"}]}, {"name": "old"}]}}}});
        let modified = json!({"metadata": {"labels": {"a": "9"}}, "spec": {"template": {"spec": {
            "containers": [{"name": "web", "image": "x:2"}]}}}});
        let mut current = json!({"metadata": {"labels": {"a": "1", "b": "2", "c": "3"}, "uid": "u"},
            "spec": {"replicas": 5, "paused": true, "template": {"spec": {"containers": [
                {"name": "web", "image": "x:1", "imagePullPolicy": "Always", "env": [{"name": "A", "value": "1"}]},
                {"name": "old"}, {"name": "sidecar"}]}}}});
        apply(Some(&original), &modified, &mut current, Lists::Strategic);
        assert_eq!(
            current,
            json!({"metadata": {"labels": {"a": "9", "c": "3"}, "uid": "u"},
                "spec": {"paused": true, "template": {"spec": {"containers": [
                    {"name": "web", "image": "x:2", "imagePullPolicy": "Always"}, {"name": "sidecar"}]}}}})
        );
    }

    #[test]
    fn another_strategy_drops_the_fields_of_the_old_one() {
        let modified = json!({"spec": {"strategy": {"type": "Recreate"}}});
        let mut current =
            json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}});
        apply(None, &modified, &mut current, Lists::Strategic);
        assert_eq!(current, modified);
    }
}
