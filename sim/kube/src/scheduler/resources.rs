use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Node, Pod};

/// Amounts in thousandths, by resource: `cpu`, `memory`….
pub type Resources = BTreeMap<String, i64>;

/// Reads a quantity (`100m`, `1.5`, `2Gi`, `1e3`) in thousandths. Kubernetes: `resource.Quantity`.
pub fn thousandths(quantity: &str) -> Option<i64> {
    let text = quantity.trim();
    let unit =
        text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+')).unwrap_or(text.len());
    let (number, suffix) = text.split_at(unit);
    let scale: f64 = match suffix {
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        "Pi" => 1_125_899_906_842_624.0,
        exponent => 10_f64.powi(exponent.strip_prefix(['e', 'E'])?.parse().ok()?),
    };
    let amount = number.parse::<f64>().ok()? * scale * 1000.0;
    #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
    let amount = amount.ceil() as i64;
    Some(amount)
}

fn requests(container: &Container) -> Resources {
    let Some(given) = &container.resources else { return Resources::new() };
    // What is limited and not asked for is asked for as far as it is limited.
    let all = given.limits.iter().flatten().chain(given.requests.iter().flatten());
    all.filter_map(|(name, quantity)| Some((name.clone(), thousandths(&quantity.0)?))).collect()
}

/// Adds amounts.
pub fn add(to: &mut Resources, from: &Resources) {
    for (name, amount) in from {
        let sum = to.entry(name.clone()).or_default();
        *sum = sum.saturating_add(*amount);
    }
}

fn at_least(to: &mut Resources, from: Resources) {
    for (name, amount) in from {
        let most = to.entry(name).or_default();
        *most = amount.max(*most);
    }
}

/// What a pod asks for: its containers together, or its greediest init container. Kubernetes:
/// `resourcehelper.PodRequests`.
pub fn of_pod(pod: &Pod) -> Resources {
    let Some(spec) = &pod.spec else { return Resources::new() };
    let mut total = Resources::new();
    let (mut sidecars, mut first) = (Resources::new(), Resources::new());
    for container in spec.init_containers.iter().flatten() {
        let mut asks = requests(container);
        if container.restart_policy.as_deref() == Some("Always") {
            add(&mut sidecars, &asks);
            asks.clear();
        }
        add(&mut asks, &sidecars);
        at_least(&mut first, asks);
    }
    for container in &spec.containers {
        add(&mut total, &requests(container));
    }
    add(&mut total, &sidecars);
    at_least(&mut total, first);
    let overhead = spec.overhead.iter().flatten();
    add(
        &mut total,
        &overhead.filter_map(|(name, quantity)| Some((name.clone(), thousandths(&quantity.0)?))).collect(),
    );
    total
}

/// What a node has to give.
///
/// Simplified: one that doesn't say how much CPU, memory, or how many pods has no end of them.
pub fn of_node(node: &Node, name: &str) -> i64 {
    let given = node.status.as_ref().and_then(|status| status.allocatable.as_ref()?.get(name));
    let endless = matches!(name, "cpu" | "memory" | "pods" | "ephemeral-storage");
    given.and_then(|given| thousandths(&given.0)).unwrap_or(if endless { i64::MAX } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities() {
        for (text, expected) in [
            ("100m", Some(100)),
            ("1.5", Some(1500)),
            ("2Ki", Some(2_048_000)),
            ("1e3", Some(1_000_000)),
            ("3M", Some(3_000_000_000)),
            ("1u", Some(1)),
            ("many", None),
            ("", None),
        ] {
            assert_eq!(thousandths(text), expected, "{text}");
        }
    }
}
