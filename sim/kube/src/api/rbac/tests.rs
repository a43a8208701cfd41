use serde_json::{Value, json};

use super::*;

fn rule(value: Value) -> PolicyRule {
    serde_json::from_value(value).unwrap()
}

/// `VERB GROUP RESOURCE NAME`, or `VERB PATH`.
fn wanted(text: &str) -> Attributes {
    let words: Vec<&str> = text.split(' ').collect();
    match words[..] {
        [verb, path] => Attributes::path(verb, path),
        [verb, group, resource, ref name @ ..] => {
            let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
            let target = ResourceTarget {
                group: group.trim_matches('-').to_owned(),
                resource: resource.to_owned(),
                subresource: subresource.to_owned(),
                namespace: "default".to_owned(),
                name: name.first().copied().unwrap_or_default().to_owned(),
            };
            Attributes::resource(verb, target)
        }
        _ => panic!("{text}"),
    }
}

#[test]
fn what_a_rule_allows() {
    let pods = rule(json!({"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]}));
    let scales = rule(json!({"apiGroups": ["*"], "resources": ["*/scale"], "verbs": ["update"]}));
    let one =
        rule(json!({"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["a"], "verbs": ["*"]}));
    let all = rule(json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}));
    let paths = rule(json!({"nonResourceURLs": ["/healthz", "/logs/*"], "verbs": ["get"]}));
    for (rule, text, expected) in [
        (&pods, "list - pods", true),
        (&pods, "watch - pods", false),
        (&pods, "list apps pods", false),
        (&pods, "get - pods/log a", true),
        (&pods, "get - pods/exec a", false),
        (&pods, "get /healthz", false),
        (&scales, "update apps deployments/scale", true),
        (&scales, "update apps deployments", false),
        (&one, "get - configmaps a", true),
        (&one, "get - configmaps b", false),
        (&one, "list - configmaps", false),
        (&all, "delete apps deployments/scale x", true),
        (&all, "get /healthz", false),
        (&paths, "get /healthz", true),
        (&paths, "get /healthz/ping", false),
        (&paths, "get /logs/a/b", true),
        (&paths, "post /logs/a", false),
    ] {
        assert_eq!(allows(rule, &wanted(text)), expected, "{text}");
    }
}

#[test]
fn who_may_not_is_told_so_in_the_api_servers_words() {
    let user = User::account("default", "robot");
    for (text, reason, expected) in [
        (
            "list - pods",
            "",
            "pods is forbidden: User \"system:serviceaccount:default:robot\" cannot list resource \"pods\" in API \
             group \"\" in the namespace \"default\"",
        ),
        (
            "get apps deployments/scale web",
            "RBAC: role.rbac.authorization.k8s.io \"x\" not found",
            "deployments.apps \"web\" is forbidden: User \"system:serviceaccount:default:robot\" cannot get resource \
             \"deployments/scale\" in API group \"apps\" in the namespace \"default\": RBAC: \
             role.rbac.authorization.k8s.io \"x\" not found",
        ),
        ("get /", "", "forbidden: User \"system:serviceaccount:default:robot\" cannot get path \"/\""),
    ] {
        assert_eq!(wanted(text).forbidden(&user, reason).message, expected);
    }
}

#[test]
fn groups_of_those_who_pretend() {
    for (name, groups, expected) in [
        ("jane", &[][..], "system:authenticated"),
        ("jane", &["dev"], "dev system:authenticated"),
        (
            "system:serviceaccount:a:b",
            &[],
            "system:serviceaccounts system:serviceaccounts:a system:authenticated",
        ),
        ("system:anonymous", &[], "system:unauthenticated"),
    ] {
        let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
        assert_eq!(User::impersonated(name, &groups).groups.join(" "), expected, "{name}");
    }
}
