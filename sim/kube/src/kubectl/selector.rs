//! Selectors: `-l` and `--field-selector`.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{
    LabelSelector as Object, LabelSelectorRequirement as Expression,
};
use serde_json::Value;

use super::failure::Failure;

/// What labels must be like. Kubernetes: `labels.Selector`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Exists,
    DoesNotExist,
    In,
    NotIn,
    GreaterThan,
    LessThan,
}

impl Requirement {
    fn holds(&self, value: Option<&str>) -> bool {
        let Self { key: _, operator, values } = self;
        let listed = value.is_some_and(|value| values.iter().any(|wanted| wanted == value));
        let compare = |holds: fn(i64, i64) -> bool| {
            let limit = values.first().and_then(|limit| limit.parse().ok());
            matches!((value.and_then(|value| value.parse().ok()), limit), (Some(v), Some(l)) if holds(v, l))
        };
        match operator {
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::In => listed,
            Operator::NotIn => !listed,
            Operator::GreaterThan => compare(|value, limit| value > limit),
            Operator::LessThan => compare(|value, limit| value < limit),
        }
    }
}

impl LabelSelector {
    /// Reads `app=web,tier in (a, b),!old`.
    ///
    /// # Errors
    /// The text is no selector.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        Self::read(text).map_err(Failure::Own)
    }

    /// The same, with Kubernetes' words for what is wrong. Kubernetes: `ParseToRequirements`.
    pub fn read(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("unable to parse requirement: {why}");
        let mut requirements = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (requirement, after) = parse_one(rest).map_err(|why| wrong(&why))?;
            requirements.push(requirement);
            rest = after.trim_start();
            match rest.strip_prefix(',') {
                Some(after) if !after.trim().is_empty() => rest = after.trim_start(),
                Some(_) => return Err(wrong("found '', expected: identifier after ','")),
                None if rest.is_empty() => {}
                None => {
                    let word: String = rest.chars().take_while(|c| !c.is_whitespace()).collect();
                    return Err(wrong(&format!("found '{word}', expected: ',' or 'end of string'")));
                }
            }
        }
        Ok(Self(requirements))
    }

    /// The same as an object. Kubernetes: `ParseToLabelSelector`.
    pub fn object(&self) -> Result<Object, String> {
        let (mut labels, mut expressions) = (BTreeMap::new(), Vec::new());
        for Requirement { key, operator, values } in &self.0 {
            let name = match (operator, &values[..]) {
                (Operator::In, [only]) => {
                    labels.insert(key.clone(), only.clone());
                    continue;
                }
                (Operator::In, _) => "In",
                (Operator::NotIn, _) => "NotIn",
                (Operator::Exists, _) => "Exists",
                (Operator::DoesNotExist, _) => "DoesNotExist",
                (Operator::GreaterThan, _) => return Err("\"gt\" isn't supported in label selectors".into()),
                (Operator::LessThan, _) => return Err("\"lt\" isn't supported in label selectors".into()),
            };
            let values = Some(values.clone()).filter(|values| !values.is_empty());
            expressions.push(Expression { key: key.clone(), operator: name.to_owned(), values });
        }
        Ok(Object {
            match_labels: Some(labels).filter(|labels| !labels.is_empty()),
            match_expressions: Some(expressions).filter(|expressions| !expressions.is_empty()),
        })
    }

    /// The selector of a `LabelSelector` object or of a plain map of labels.
    pub fn of(value: &Value) -> Self {
        let labels = value.get("matchLabels").or_else(|| {
            let plain = value.get("matchExpressions").is_none();
            Some(value).filter(|_| plain)
        });
        let mut requirements = Vec::new();
        for (key, value) in labels.and_then(Value::as_object).into_iter().flatten() {
            let values = value.as_str().map(str::to_owned).into_iter().collect();
            requirements.push(Requirement { key: key.clone(), operator: Operator::In, values });
        }
        let expressions = value.get("matchExpressions").and_then(Value::as_array);
        for expression in expressions.into_iter().flatten() {
            let operator = match expression["operator"].as_str().unwrap_or_default() {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                _ => Operator::DoesNotExist,
            };
            let values = expression["values"].as_array().into_iter().flatten();
            requirements.push(Requirement {
                key: expression["key"].as_str().unwrap_or_default().to_owned(),
                operator,
                values: values.filter_map(Value::as_str).map(str::to_owned).collect(),
            });
        }
        Self(requirements)
    }

    /// Whether an object's labels are like this.
    pub fn selects(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        self.0
            .iter()
            .all(|requirement| requirement.holds(labels.get(&requirement.key).and_then(Value::as_str)))
    }

    /// As `-l` takes it and listings print it. Kubernetes: `FormatLabelSelector`.
    pub fn text(&self) -> String {
        let one = |r: &Requirement| {
            let all = r.values.join(",");
            match (r.operator, &r.values[..]) {
                (Operator::Exists, _) => r.key.clone(),
                (Operator::DoesNotExist, _) => format!("!{}", r.key),
                (Operator::In, [only]) => format!("{}={only}", r.key),
                (Operator::In, _) => format!("{} in ({all})", r.key),
                (Operator::NotIn, _) => format!("{} notin ({all})", r.key),
                (Operator::GreaterThan, _) => format!("{}>{all}", r.key),
                (Operator::LessThan, _) => format!("{}<{all}", r.key),
            }
        };
        self.0.iter().map(one).collect::<Vec<_>>().join(",")
    }
}

fn identifier(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_./".contains(c))).unwrap_or(text.len());
    text.split_at(end)
}

fn parse_one(text: &str) -> Result<(Requirement, &str), String> {
    if let Some(rest) = text.strip_prefix('!') {
        let (key, rest) = identifier(rest.trim_start());
        return Ok((requirement(key, Operator::DoesNotExist, Vec::new())?, rest));
    }
    let (key, rest) = identifier(text);
    let rest = rest.trim_start();
    for (sign, operator) in [
        ("==", Operator::In),
        ("=", Operator::In),
        ("!=", Operator::NotIn),
        (">", Operator::GreaterThan),
        ("<", Operator::LessThan),
    ] {
        if let Some(rest) = rest.strip_prefix(sign) {
            let (value, rest) = identifier(rest.trim_start());
            return Ok((requirement(key, operator, vec![value.to_owned()])?, rest));
        }
    }
    for (word, operator) in [("notin", Operator::NotIn), ("in", Operator::In)] {
        let Some(after) = rest.strip_prefix(word) else { continue };
        let Some(list) = after.trim_start().strip_prefix('(') else { continue };
        let (values, rest) = list.split_once(')').ok_or("found '', expected: ',' or ')'")?;
        let values = values.split(',').map(|value| value.trim().to_owned()).collect();
        return Ok((requirement(key, operator, values)?, rest));
    }
    match rest.chars().next() {
        None | Some(',') => Ok((requirement(key, Operator::Exists, Vec::new())?, rest)),
        Some(_) => {
            let word: String = rest.chars().take_while(|c| !c.is_whitespace()).collect();
            Err(format!("found '{word}', expected: in, notin, =, ==, !=, gt, lt"))
        }
    }
}

fn requirement(key: &str, operator: Operator, values: Vec<String>) -> Result<Requirement, String> {
    if key.is_empty() {
        return Err("found '', expected: !, identifier, or 'end of string'".to_owned());
    }
    Ok(Requirement { key: key.to_owned(), operator, values })
}

/// What fields must be equal to, or differ from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSelector(Vec<(String, bool, String)>);

impl FieldSelector {
    /// Reads `metadata.name=a,status.phase!=Running`.
    ///
    /// # Errors
    /// The text is no selector.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let mut all = Vec::new();
        for term in text.split(',').filter(|term| !term.is_empty()) {
            let split = |sign: &str| term.split_once(sign);
            let (field, equal, value) = match (split("!="), split("=="), split("=")) {
                (Some((field, value)), ..) => (field, false, value),
                (None, Some((field, value)), _) | (None, None, Some((field, value))) => (field, true, value),
                _ => {
                    return Err(Failure::Own(format!(
                        "invalid selector: '{text}'; can't understand '{term}'"
                    )));
                }
            };
            all.push((field.to_owned(), equal, value.to_owned()));
        }
        Ok(Self(all))
    }

    /// Whether an object's fields are like this.
    pub fn selects(&self, object: &Value) -> bool {
        self.0.iter().all(|(field, equal, value)| {
            let pointer = format!("/{}", field.replace('.', "/"));
            let found = match object.pointer(&pointer) {
                Some(Value::String(text)) => text.clone(),
                None | Some(Value::Null) => String::new(),
                Some(other) => other.to_string(),
            };
            (found == *value) == *equal
        })
    }

    /// The first field by which objects of a kind can't be selected.
    pub fn unknown(&self, kind: &str) -> Option<&str> {
        let known: &[&str] = match kind {
            "Pod" => &[
                "spec.nodeName",
                "spec.restartPolicy",
                "spec.schedulerName",
                "spec.serviceAccountName",
                "spec.hostNetwork",
                "status.phase",
                "status.podIP",
                "status.nominatedNodeName",
            ],
            "Event" => &[
                "involvedObject.kind",
                "involvedObject.namespace",
                "involvedObject.name",
                "involvedObject.uid",
                "involvedObject.apiVersion",
                "involvedObject.resourceVersion",
                "involvedObject.fieldPath",
                "reason",
                "reportingComponent",
                "source",
                "type",
            ],
            "Node" => &["spec.unschedulable"],
            "Namespace" => &["status.phase"],
            "ReplicaSet" => &["status.replicas"],
            "Service" => &["spec.clusterIP", "spec.type"],
            _ => &[],
        };
        let everywhere = ["metadata.name", "metadata.namespace"];
        let all = self.0.iter().map(|(field, ..)| field.as_str());
        all.into_iter().find(|field| !everywhere.contains(field) && !known.contains(field))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn labels_are_selected_by_equality_and_by_sets() {
        let object = json!({"metadata": {"labels": {"app": "web", "tier": "front", "n": "5"}}});
        for (text, expected) in [
            ("app=web", true),
            ("app==web,tier!=back", true),
            ("app=db", false),
            ("app in (db, web),tier", true),
            ("app notin (web)", false),
            ("!old", true),
            ("old", false),
            ("old!=x", true),
            ("n>4,n<6", true),
            ("", true),
        ] {
            let selector = LabelSelector::parse(text).expect("it is a selector");
            assert_eq!(selector.selects(&object), expected, "{text}");
        }
        assert!(LabelSelector::parse("app web").is_err() && LabelSelector::parse("a=b,").is_err());
        let selector = json!({"matchLabels": {"a": "b"}, "matchExpressions": [
            {"key": "c", "operator": "NotIn", "values": ["d", "e"]}, {"key": "f", "operator": "Exists"}]});
        assert_eq!(LabelSelector::of(&selector).text(), "a=b,c notin (d,e),f");
    }

    #[test]
    fn fields_are_selected_by_their_values() {
        let pod = json!({"metadata": {"name": "a"}, "status": {"phase": "Running"}});
        for (text, expected) in [
            ("status.phase=Running", true),
            ("status.phase!=Running", false),
            ("metadata.name==a,spec.nodeName=", true),
        ] {
            let selector = FieldSelector::parse(text).expect("it is a selector");
            assert_eq!((selector.selects(&pod), selector.unknown("Pod")), (expected, None), "{text}");
        }
        let other = FieldSelector::parse("spec.dnsPolicy=x").expect("it is a selector");
        assert_eq!(other.unknown("Pod"), Some("spec.dnsPolicy"));
    }
}
