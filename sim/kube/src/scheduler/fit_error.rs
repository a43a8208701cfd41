use std::collections::BTreeMap;

use super::filter::Unfit;

/// Says why no node will do. Kubernetes: `FitError.Error`, `DefaultPreemption`.
pub fn message(objections: &[Vec<Unfit>]) -> String {
    let nodes = objections.len();
    if nodes == 0 {
        return "no nodes available to schedule pods".to_owned();
    }
    let reasons = objections.iter().flatten().map(ToString::to_string);
    let helpless = |all: &Vec<Unfit>| all.iter().any(Unfit::is_final);
    let preemption = objections.iter().map(|all| match helpless(all) {
        true => "Preemption is not helpful for scheduling",
        false => "No preemption victims found for incoming pod",
    });
    format!(
        "0/{nodes} nodes are available: {} preemption: 0/{nodes} nodes are available: {}",
        counted(reasons),
        counted(preemption.map(str::to_owned))
    )
}

fn counted(reasons: impl Iterator<Item = String>) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for reason in reasons {
        *counts.entry(reason).or_default() += 1;
    }
    let mut lines: Vec<String> =
        counts.into_iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    lines.sort();
    format!("{}.", lines.join(", "))
}
