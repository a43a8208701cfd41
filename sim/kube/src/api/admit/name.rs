//! Names of ports, labels and hosts, and what is wrong with them.

use super::Invalid;
use crate::api::server::{DNS_LABEL, DNS_SUBDOMAIN, is_dns_label};

/// What is wrong with a label of a name or with a label's value.
pub const TOO_LONG: &str = "must be no more than 63 characters";

/// What is wrong with the name of a Service. Kubernetes: `IsDNS1035Label`.
const DNS_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic \
     character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for \
     validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
     alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
     '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const QUALIFIED_PARTS: &str = "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with \
     an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
     '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. \
     'example.com/MyName')";

/// Kubernetes: `IsDNS1035Label`.
pub fn service(path: &str, name: &str) -> Vec<Invalid> {
    let mut found = Vec::new();
    if name.len() > 63 {
        found.push(Invalid::value(path, name, TOO_LONG));
    }
    let shape = is_dns_label(name.get(..63).unwrap_or(name).trim_end_matches('-'));
    if !shape || name.ends_with('-') || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        found.push(Invalid::value(path, name, DNS_1035));
    }
    found
}

/// Kubernetes: `IsDNS1123Label`.
pub fn label(path: &str, name: &str) -> Vec<Invalid> {
    let mut found = Vec::new();
    if name.len() > 63 {
        found.push(Invalid::value(path, name, TOO_LONG));
    } else if !is_dns_label(name) {
        found.push(Invalid::value(path, name, DNS_LABEL));
    }
    found
}

/// Kubernetes: `IsDNS1123Subdomain`.
pub fn subdomain(path: &str, name: &str) -> Vec<Invalid> {
    if name.len() > 253 {
        return vec![Invalid::value(path, name, "must be no more than 253 characters")];
    }
    let good = name.split('.').all(is_dns_label);
    if good { Vec::new() } else { vec![Invalid::value(path, name, DNS_SUBDOMAIN)] }
}

/// Kubernetes: `IsFullyQualifiedDomainName`.
pub fn domain(path: &str, name: &str) -> Vec<Invalid> {
    if name.is_empty() {
        return vec![Invalid::required(path, "")];
    }
    let short = name.strip_suffix('.').unwrap_or(name);
    let found = subdomain(path, short);
    if found.is_empty() && !short.contains('.') {
        let why = "should be a domain with at least two segments separated by dots";
        return vec![Invalid::value(path, short, why)];
    }
    found
}

/// `example.com/internal-vip`.
pub fn qualified(path: &str, name: &str) -> Vec<Invalid> {
    not_qualified(name).iter().map(|why| Invalid::value(path, name, why)).collect()
}

/// Why a name isn't one like `example.com/internal-vip`. Kubernetes: `IsQualifiedName`.
pub fn not_qualified(name: &str) -> Vec<String> {
    let parts: Vec<&str> = name.split('/').collect();
    let (prefix, own) = match parts[..] {
        [own] => (None, own),
        [prefix, own] => (Some(prefix), own),
        _ => return vec![QUALIFIED_PARTS.to_owned()],
    };
    let mut found = Vec::new();
    match prefix {
        Some("") => found.push("prefix part must be non-empty".to_owned()),
        Some(prefix) if !subdomain("", prefix).is_empty() => {
            found.push(format!("prefix part {DNS_SUBDOMAIN}"))
        }
        _ => {}
    }
    if own.is_empty() {
        found.push("name part must be non-empty".to_owned());
    } else if own.len() > 63 {
        found.push(format!("name part {TOO_LONG}"));
    }
    let edge = |c: char| c.is_ascii_alphanumeric();
    let inner = |c: char| edge(c) || "-_.".contains(c);
    if !own.starts_with(edge) || !own.ends_with(edge) || !own.chars().all(inner) {
        found.push(QUALIFIED.to_owned());
    }
    found
}

/// The name of a container's port. Kubernetes: `IsValidPortName`.
pub fn port(path: &str, name: &str) -> Vec<Invalid> {
    let letter = |c: char| c.is_ascii_lowercase();
    let mut found = Vec::new();
    let mut is = |wrong: bool, why: &str| {
        if wrong {
            found.push(Invalid::value(path, name, why));
        }
    };
    is(name.len() > 15, "must be no more than 15 characters");
    let all = name.chars().all(|c| c.is_ascii_alphanumeric() && !c.is_ascii_uppercase() || c == '-');
    is(!all, "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
    is(!name.contains(letter), "must contain at least one letter (a-z)");
    is(name.contains("--"), "must not contain consecutive hyphens");
    let hyphen = name.starts_with('-') || name.ends_with('-');
    is(hyphen, "must not begin or end with a hyphen");
    found
}

/// The number of a port. Kubernetes: `IsValidPortNum`.
pub fn port_number(path: &str, number: i32) -> Vec<Invalid> {
    if (1..=65535).contains(&number) {
        return Vec::new();
    }
    vec![Invalid::value(path, number, "must be between 1 and 65535, inclusive")]
}
