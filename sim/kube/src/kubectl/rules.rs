//! Rules of roles as kubectl shows them. Kubernetes: `k8s.io/kubectl/pkg/util/rbac`.

use k8s_openapi::api::rbac::v1::PolicyRule;

/// A line of a table of rules: a resource with its group, paths, names, verbs.
pub type Line = [String; 4];

/// The headings of such a table.
pub const HEADINGS: [&str; 4] = ["Resources", "Non-Resource URLs", "Resource Names", "Verbs"];

/// A rule about one resource or path, and at most one name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Simple {
    group: Option<String>,
    resource: Option<String>,
    name: Option<String>,
    url: Option<String>,
    verbs: Vec<String>,
}

fn shown(words: &[String]) -> String {
    format!("[{}]", words.join(" "))
}

impl Simple {
    /// As Go's `String` prints the rule: lines are sorted by it.
    fn order(&self) -> String {
        let one = |word: &Option<String>| word.as_deref().unwrap_or_default().to_owned();
        let Self { group, resource, name, url, verbs } = self;
        format!(
            "&PolicyRule{{Verbs:{},APIGroups:[{}],Resources:[{}],ResourceNames:[{}],NonResourceURLs:[{}],}}",
            shown(verbs),
            one(group),
            one(resource),
            one(name),
            one(url)
        )
    }

    fn line(&self) -> Line {
        let list = |word: &Option<String>| format!("[{}]", word.as_deref().unwrap_or_default());
        let resource = self.resource.as_deref().unwrap_or_default();
        let (first, part) = resource.split_once('/').unwrap_or((resource, ""));
        let mut whole = first.to_owned();
        if let Some(group) = self.group.as_deref().filter(|group| !group.is_empty()) {
            whole.push_str(&format!(".{group}"));
        }
        if !part.is_empty() {
            whole.push_str(&format!("/{part}"));
        }
        [whole, list(&self.url), list(&self.name), shown(&self.verbs)]
    }
}

/// Takes rules apart and puts those together that are about the same resource.
pub fn lines(rules: &[PolicyRule]) -> Vec<Line> {
    let mut resources: Vec<Simple> = Vec::new();
    let mut paths: Vec<Simple> = Vec::new();
    for rule in rules {
        let names: Vec<Option<&String>> = match rule.resource_names.as_deref().unwrap_or_default() {
            [] => vec![None],
            names => names.iter().map(Some).collect(),
        };
        for group in rule.api_groups.iter().flatten() {
            for resource in rule.resources.iter().flatten() {
                for name in &names {
                    let about = |one: &&mut Simple| {
                        one.group.as_ref() == Some(group)
                            && one.resource.as_ref() == Some(resource)
                            && one.name.as_ref() == *name
                    };
                    let known = resources.iter_mut().find(about).map(|one| &mut one.verbs);
                    let Some(verbs) = known else {
                        let (group, resource) = (Some(group.clone()), Some(resource.clone()));
                        let (name, verbs) = (name.cloned(), rule.verbs.clone());
                        resources.push(Simple { group, resource, name, url: None, verbs });
                        continue;
                    };
                    for verb in &rule.verbs {
                        if !verbs.contains(verb) {
                            verbs.push(verb.clone());
                        }
                    }
                }
            }
        }
        for url in rule.non_resource_urls.iter().flatten() {
            let one = |verb: &String| Simple {
                url: Some(url.clone()),
                verbs: vec![verb.clone()],
                ..Simple::default()
            };
            paths.extend(rule.verbs.iter().map(one));
        }
    }
    let mut all = paths;
    all.extend(resources);
    all.sort_by_key(Simple::order);
    all.iter().map(Simple::line).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_about_one_resource_are_one_line() {
        let rules: Vec<PolicyRule> = serde_json::from_value(json!([
            {"apiGroups": ["", "apps"], "resources": ["pods", "pods/log"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]},
            {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["a"], "verbs": ["get"]},
            {"nonResourceURLs": ["/healthz"], "verbs": ["get"]},
        ]))
        .unwrap();
        let lines: Vec<String> = lines(&rules).iter().map(|line| line.join(" ")).collect();
        assert_eq!(
            lines,
            [
                "pods [] [] [get list]",
                " [/healthz] [] [get]",
                "configmaps [] [a] [get]",
                "pods/log [] [] [get]",
                "pods.apps/log [] [] [get]",
                "pods.apps [] [] [get]",
            ]
        );
    }
}
