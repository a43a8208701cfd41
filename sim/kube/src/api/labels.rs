//! Label selectors.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

/// The labels of an object.
pub type Labels = BTreeMap<String, String>;

/// Whether a selector selects what has these labels; an empty one selects everything.
pub fn selects(selector: &LabelSelector, labels: Option<&Labels>) -> bool {
    selects_pairs(selector.match_labels.iter().flatten(), labels)
        && selector.match_expressions.iter().flatten().all(|wanted| holds(wanted, labels))
}

/// Whether the labels have all these pairs.
pub fn selects_pairs<'a>(
    mut pairs: impl Iterator<Item = (&'a String, &'a String)>,
    labels: Option<&Labels>,
) -> bool {
    pairs.all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
}

fn holds(wanted: &LabelSelectorRequirement, labels: Option<&Labels>) -> bool {
    requirement(&wanted.operator, wanted.values.as_deref(), labels.and_then(|labels| labels.get(&wanted.key)))
}

/// Whether a label's value (none if there is no such label) meets a requirement: `In`, `NotIn`,
/// `Exists`, `DoesNotExist`, `Gt`, `Lt`.
pub fn requirement(operator: &str, values: Option<&[String]>, found: Option<&String>) -> bool {
    let values = values.unwrap_or_default();
    let compare = |good: fn(&i64, &i64) -> bool| {
        let number = |text: Option<&String>| text?.parse::<i64>().ok();
        matches!((number(found), number(values.first())), (Some(found), Some(limit)) if good(&found, &limit))
    };
    match operator {
        "In" => found.is_some_and(|found| values.contains(found)),
        "NotIn" => found.is_none_or(|found| !values.contains(found)),
        "Exists" => found.is_some(),
        "DoesNotExist" => found.is_none(),
        "Gt" => compare(i64::gt),
        "Lt" => compare(i64::lt),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements() {
        let values = ["3".to_owned(), "x".to_owned()];
        let (three, nine) = ("3".to_owned(), "9".to_owned());
        for (operator, found, expected) in [
            ("In", Some(&three), true),
            ("In", Some(&nine), false),
            ("In", None, false),
            ("NotIn", Some(&three), false),
            ("NotIn", None, true),
            ("Exists", Some(&nine), true),
            ("DoesNotExist", Some(&nine), false),
            ("Gt", Some(&nine), true),
            ("Lt", Some(&nine), false),
            ("Gt", None, false),
            ("Like", Some(&three), false),
        ] {
            assert_eq!(requirement(operator, Some(&values), found), expected, "{operator} {found:?}");
        }
    }
}
