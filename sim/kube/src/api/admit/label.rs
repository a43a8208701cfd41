//! What is wrong with labels, and with what selects by them. Kubernetes:
//! `apimachinery/pkg/apis/meta/v1/validation`.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use super::{Invalid, name};

const VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must \
     start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used \
     for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// The value of a label. Kubernetes: `IsValidLabelValue`.
pub fn value(path: &str, text: &str) -> Vec<Invalid> {
    let mut found = Vec::new();
    if text.len() > 63 {
        found.push(Invalid::value(path, text, name::TOO_LONG));
    }
    let edge = |c: char| c.is_ascii_alphanumeric();
    let is_whole = text.starts_with(edge) && text.ends_with(edge);
    if !(text.is_empty() || is_whole && text.chars().all(|c| edge(c) || "-_.".contains(c))) {
        found.push(Invalid::value(path, text, VALUE));
    }
    found
}

/// All labels of something, in order; Go's map has none. Kubernetes: `ValidateLabels`.
pub fn labels(path: &str, labels: Option<&BTreeMap<String, String>>) -> Vec<Invalid> {
    let wrong = |(key, text): (&String, &String)| [name::qualified(path, key), value(path, text)].concat();
    labels.into_iter().flatten().flat_map(wrong).collect()
}

/// The keys of annotations, whose case doesn't matter. Kubernetes: `ValidateAnnotations`.
pub fn annotations(path: &str, annotations: Option<&BTreeMap<String, String>>) -> Vec<Invalid> {
    let keys = annotations.into_iter().flat_map(BTreeMap::keys);
    let wrong =
        keys.flat_map(|key| name::not_qualified(&key.to_lowercase()).into_iter().map(move |why| (key, why)));
    wrong.map(|(key, why)| Invalid::value(path, key, why)).collect()
}

/// A selector by labels. Kubernetes: `ValidateLabelSelector`.
pub fn selector(path: &str, selector: &LabelSelector) -> Vec<Invalid> {
    let mut found = labels(&format!("{path}.matchLabels"), selector.match_labels.as_ref());
    for (number, wanted) in selector.match_expressions.iter().flatten().enumerate() {
        requirement(&format!("{path}.matchExpressions[{number}]"), wanted, &mut found);
    }
    found
}

fn requirement(at: &str, wanted: &LabelSelectorRequirement, found: &mut Vec<Invalid>) {
    let values = wanted.values.as_deref().unwrap_or_default();
    let path = format!("{at}.values");
    match wanted.operator.as_str() {
        "In" | "NotIn" if values.is_empty() => {
            found.push(Invalid::required(&path, "must be specified when `operator` is 'In' or 'NotIn'"));
        }
        "In" | "NotIn" => {}
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            found.push(Invalid::forbidden(&path, why));
        }
        "Exists" | "DoesNotExist" => {}
        other => {
            found.push(Invalid::value(format!("{at}.operator"), other, "not a valid selector operator"));
        }
    }
    found.extend(name::qualified(&format!("{at}.key"), &wanted.key));
    for (number, text) in values.iter().enumerate() {
        found.extend(value(&format!("{path}[{number}]"), text));
    }
}

/// A selector as Go's `%#v` prints it.
pub fn go_selector(selector: &LabelSelector) -> String {
    let quoted = |text: &String| format!("{text:?}");
    let labels = match &selector.match_labels {
        None => "map[string]string(nil)".to_owned(),
        Some(labels) => format!("map[string]string{}", go_map(labels)),
    };
    let expressions = match &selector.match_expressions {
        None => "[]v1.LabelSelectorRequirement(nil)".to_owned(),
        Some(all) => {
            let one = |wanted: &LabelSelectorRequirement| {
                let values = match &wanted.values {
                    None => "[]string(nil)".to_owned(),
                    Some(values) => {
                        format!("[]string{{{}}}", values.iter().map(quoted).collect::<Vec<_>>().join(", "))
                    }
                };
                let (key, operator) = (&wanted.key, &wanted.operator);
                format!("v1.LabelSelectorRequirement{{Key:{key:?}, Operator:{operator:?}, Values:{values}}}")
            };
            let all: Vec<String> = all.iter().map(one).collect();
            format!("[]v1.LabelSelectorRequirement{{{}}}", all.join(", "))
        }
    };
    format!("v1.LabelSelector{{MatchLabels:{labels}, MatchExpressions:{expressions}}}")
}

/// The pairs of a map as Go's `%#v` prints them.
pub fn go_map(map: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = map.iter().map(|(key, value)| format!("{key:?}:{value:?}")).collect();
    format!("{{{}}}", pairs.join(", "))
}
