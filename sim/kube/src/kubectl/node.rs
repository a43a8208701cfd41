//! Commands about nodes: `taint`, `cordon`, `uncordon`, `drain`.

use packet::SimTime;
use serde_json::{Value, json};
use world::{Fd, Next, Program, Sys, Wait, Watch};

use super::change::{store, tell};
use super::cli::{Cli, DryRun, Then};
use super::delete::Gone;
use super::failure::Failure;
use super::kinds;
use super::output::Format;
use super::print::{list, name, text};
use super::selector::LabelSelector;
use super::target::{self, Target, TypeAlone};

/// A taint that is to be set, or removed if it has a dash.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Taint {
    key: String,
    value: String,
    /// Empty: all effects, when it is removed.
    effect: String,
}

const EFFECTS: &[&str] = &["NoSchedule", "PreferNoSchedule", "NoExecute"];

/// Reads `KEY=VALUE:EFFECT`, `KEY:EFFECT`, `KEY:EFFECT-`, `KEY-`.
fn read_taint(word: &str) -> Result<(Taint, bool), String> {
    let (spec, removed) = match word.strip_suffix('-') {
        Some(spec) => (spec, true),
        None => (word, false),
    };
    let (pair, effect) = spec.split_once(':').unwrap_or((spec, ""));
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    if key.is_empty() || effect.is_empty() && !removed {
        return Err(format!("invalid taint spec: {word}"));
    }
    if !effect.is_empty() && !EFFECTS.contains(&effect) {
        return Err(format!("invalid taint effect: {effect}, unsupported taint effect"));
    }
    Ok((Taint { key: key.to_owned(), value: value.to_owned(), effect: effect.to_owned() }, removed))
}

/// Runs `taint`.
pub fn taint(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let is_taint = |word: &String| word.contains('=') || word.contains(':') || word.ends_with('-');
    let words = cli.flags.words.clone();
    let first = words.iter().position(is_taint).unwrap_or(words.len());
    let (resources, specs) = words.split_at(first);
    if let Some(word) = specs.iter().find(|word| !is_taint(word)) {
        return Err(Failure::Own(format!("all resources must be specified before taint changes: {word}")));
    }
    if resources.is_empty() {
        return Err(Failure::Own("one or more resources must be specified as <resource> <name>".to_owned()));
    }
    if specs.is_empty() {
        return Err(Failure::Own("at least one taint update is required".to_owned()));
    }
    let mut wanted = Vec::new();
    for spec in specs {
        wanted.push(read_taint(spec).map_err(|why| cli.usage(why))?);
    }
    let kind = resources[0].split('/').next().unwrap_or_default();
    if kinds::find(kind).is_some_and(|kind| kind.kind != "Node") {
        return Err(Failure::Own(format!("invalid resource type {kind}, only node types are supported")));
    }
    let format = Format::of(cli)?;
    let dry_run = cli.dry_run()?;
    let overwrite = cli.flags.on("overwrite");
    let mut failures = Vec::new();
    for target in target::live(cli, resources, TypeAlone::NeedsMore)? {
        let mut taints = list(&target.object, "/spec/taints").to_vec();
        match change_taints(&mut taints, &wanted, overwrite, &target.name) {
            Ok(done) => {
                let mut changed = target.object.clone();
                changed["spec"]["taints"] = Value::Array(taints);
                let object = store(cli, &target, &changed, dry_run)?;
                tell(cli, &format, &target, &object, done, dry_run);
            }
            Err(why) => failures.push(Failure::Own(why)),
        }
    }
    Failure::of(failures).map(|()| Then::Exit(0))
}

fn change_taints(
    taints: &mut Vec<Value>,
    wanted: &[(Taint, bool)],
    overwrite: bool,
    node: &str,
) -> Result<&'static str, String> {
    let same = |old: &Value, taint: &Taint| {
        text(old, "/key") == taint.key && (taint.effect.is_empty() || text(old, "/effect") == taint.effect)
    };
    let (mut added, mut removed, mut replaced) = (false, false, false);
    for (taint, remove) in wanted {
        let there = taints.iter().position(|old| same(old, taint));
        match (remove, there) {
            (true, None) => {
                let shown = match taint.effect.as_str() {
                    "" => taint.key.clone(),
                    effect => format!("{}:{effect}", taint.key),
                };
                return Err(format!("taint {shown:?} not found"));
            }
            (true, Some(_)) => {
                taints.retain(|old| !same(old, taint));
                removed = true;
            }
            (false, Some(at)) => {
                if !overwrite {
                    return Err(format!(
                        "node {node} already has {} taint(s) with same effect(s) and --overwrite is false",
                        taint.key
                    ));
                }
                taints.remove(at);
                replaced = true;
                taints.insert(0, object_of(taint));
            }
            (false, None) => {
                taints.insert(0, object_of(taint));
                added = true;
            }
        }
    }
    Ok(match (added || replaced, removed) {
        (true, true) => "modified",
        (true, false) => {
            if replaced {
                "modified"
            } else {
                "tainted"
            }
        }
        _ => "untainted",
    })
}

fn object_of(taint: &Taint) -> Value {
    let mut object = json!({"effect": taint.effect, "key": taint.key});
    if !taint.value.is_empty() {
        object["value"] = taint.value.clone().into();
    }
    object
}

/// Runs `cordon`.
pub fn cordon(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let targets = nodes(cli)?;
    mark_nodes(cli, &targets, true).map(|()| Then::Exit(0))
}

/// Runs `uncordon`.
pub fn uncordon(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let targets = nodes(cli)?;
    mark_nodes(cli, &targets, false).map(|()| Then::Exit(0))
}

fn nodes(cli: &mut Cli<'_>) -> Result<Vec<Target>, Failure> {
    let words = cli.flags.words.clone();
    let selects = cli.flags.get("selector").is_some();
    if words.is_empty() && !selects {
        let usage = cli.path.trim_start_matches("kubectl ").to_owned();
        return Err(cli.usage(format!("USAGE: {usage} NODE [flags]")));
    }
    if selects && !words.is_empty() {
        return Err(cli.usage("error: cannot specify both a node name and a --selector option"));
    }
    let mut given = vec!["nodes".to_owned()];
    given.extend(
        words.iter().map(|word| word.trim_start_matches("node/").trim_start_matches("nodes/").to_owned()),
    );
    let mut found = target::find(cli, &given, TypeAlone::MeansAll)?;
    Failure::of(std::mem::take(&mut found.failures))?;
    Ok(found.targets())
}

fn mark_nodes(cli: &mut Cli<'_>, targets: &[Target], unschedulable: bool) -> Result<(), Failure> {
    let dry_run = cli.dry_run()?;
    let done = if unschedulable { "cordoned" } else { "uncordoned" };
    for target in targets {
        let is = target.object["spec"]["unschedulable"].as_bool() == Some(true);
        if is == unschedulable {
            cli.out(&format!("{} already {done}{}\n", target.printed(), dry_run.note()));
            continue;
        }
        let mut changed = target.object.clone();
        if !changed["spec"].is_object() {
            changed["spec"] = json!({});
        }
        if unschedulable {
            changed["spec"]["unschedulable"] = true.into();
        } else if let Some(spec) = changed["spec"].as_object_mut() {
            spec.shift_remove("unschedulable");
        }
        store(cli, target, &changed, dry_run)?;
        cli.out(&format!("{} {done}{}\n", target.printed(), dry_run.note()));
    }
    Ok(())
}

/// What a pod is to `drain`.
enum Fate {
    Evicted,
    /// It stays, and that is worth a word.
    Ignored(&'static str),
    /// It stays in silence.
    Stays,
    /// It goes only with an option; else nothing goes.
    Forbidden(&'static str),
    /// It goes, and that is worth a word.
    Warned(&'static str),
}

const DAEMON: &str = "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)";
const LOCAL: &str = "cannot delete Pods with local storage (use --delete-emptydir-data to override)";
const ALONE: &str = "cannot delete Pods that declare no controller (use --force to override)";

/// Kubernetes: the filters of `pkg/drain/filters.go`.
fn fate(cli: &Cli<'_>, pod: &Value) -> Fate {
    let owner = list(pod, "/metadata/ownerReferences").iter().find(|owner| owner["controller"] == true);
    let finished = ["Succeeded", "Failed"].contains(&text(pod, "/status/phase"));
    if pod
        .pointer("/metadata/annotations")
        .is_some_and(|all| all.get("kubernetes.io/config.mirror").is_some())
    {
        return Fate::Stays;
    }
    if owner.is_some_and(|owner| text(owner, "/kind") == "DaemonSet") && !finished {
        return match cli.flags.on("ignore-daemonsets") {
            true => Fate::Ignored("ignoring DaemonSet-managed Pods"),
            false => Fate::Forbidden(DAEMON),
        };
    }
    let local = list(pod, "/spec/volumes").iter().any(|volume| volume.get("emptyDir").is_some());
    if local && !finished && !cli.flags.on("delete-emptydir-data") {
        return Fate::Forbidden(LOCAL);
    }
    if owner.is_none() && !finished {
        return match cli.flags.on("force") {
            true => Fate::Warned("deleting Pods that declare no controller"),
            false => Fate::Forbidden(ALONE),
        };
    }
    Fate::Evicted
}

/// Runs `drain`.
///
/// Simplified: pods are deleted, as by `--disable-eviction`; no disruption budget holds them back.
pub fn drain(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let targets = nodes(cli)?;
    let dry_run = cli.dry_run()?;
    let only = cli.flags.get("pod-selector").map(LabelSelector::parse).transpose()?;
    mark_nodes(cli, &targets, true)?;
    let pods = kinds::find("pods").ok_or(Failure::Silent(1))?;
    let mut draining = Draining { nodes: Vec::new(), until: None };
    for node in &targets {
        let mut going = Vec::new();
        let mut notes: Vec<(&'static str, Vec<String>)> = Vec::new();
        let mut errors: Vec<(&'static str, Vec<String>)> = Vec::new();
        for pod in pods.list(cli.sys.store(), None) {
            let here = text(&pod, "/spec/nodeName") == node.name;
            if !here || only.as_ref().is_some_and(|only| !only.selects(&pod)) {
                continue;
            }
            let shown = format!("{}/{}", text(&pod, "/metadata/namespace"), name(&pod));
            let note = |list: &mut Vec<(&'static str, Vec<String>)>, why| match list
                .iter_mut()
                .find(|(w, _)| *w == why)
            {
                Some((_, all)) => all.push(shown.clone()),
                None => list.push((why, vec![shown.clone()])),
            };
            match fate(cli, &pod) {
                Fate::Stays => {}
                Fate::Ignored(why) => note(&mut notes, why),
                Fate::Forbidden(why) => note(&mut errors, why),
                Fate::Warned(why) => {
                    note(&mut notes, why);
                    going.push(Target::new(pods, pod, None));
                }
                Fate::Evicted => going.push(Target::new(pods, pod, None)),
            }
        }
        let joined = |list: &[(&'static str, Vec<String>)], with: &str| -> String {
            list.iter().map(|(why, all)| format!("{why}: {}", all.join(", "))).collect::<Vec<_>>().join(with)
        };
        if !errors.is_empty() {
            let why = joined(&errors, ", ");
            cli.err(&format!(
                "error: unable to drain node {:?} due to error:{}, continuing command...\nThere are pending nodes to be drained:\n {}\n",
                node.name,
                if errors.len() > 1 { format!("[{why}]") } else { why.clone() },
                node.name
            ));
            let lines: String =
                errors.iter().map(|(why, all)| format!("{why}: {}\n", all.join(", "))).collect();
            return Err(match errors.len() {
                1 => Failure::Own(lines.trim_end().to_owned()),
                _ => Failure::Plain(lines.trim_end().to_owned()),
            });
        }
        if !notes.is_empty() {
            cli.err(&format!("Warning: {}\n", joined(&notes, "; ")));
        }
        let grace = cli.flags.int("grace-period").filter(|&seconds| seconds >= 0);
        for pod in &going {
            cli.out(&format!("evicting pod {}/{}{}\n", pod.namespace, pod.name, dry_run.note()));
            if dry_run == DryRun::No {
                (pod.kind.resource.delete)(cli.sys, &pod.namespace, &pod.name, grace)?;
            }
        }
        let waits = if dry_run == DryRun::No {
            going.iter().map(|pod| (Gone::of(pod), pod.name.clone())).collect()
        } else {
            Vec::new()
        };
        draining.nodes.push((node.name.clone(), waits));
    }
    let timeout = cli.flags.duration("timeout").and_then(|ns| u64::try_from(ns).ok()).filter(|&ns| ns > 0);
    draining.until = timeout.map(|ns| super::delete::later(cli.sys, ns));
    Ok(Then::Go(Box::new(draining)))
}

/// Waits until the pods have gone from their nodes.
#[derive(Clone, Debug)]
struct Draining {
    nodes: Vec<(String, Vec<(Gone, String)>)>,
    until: Option<SimTime>,
}

impl Program for Draining {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let say = |sys: &mut dyn Sys, text: String| tools::console::write_all(sys, Fd::STDOUT, &text);
        while let Some((node, pods)) = self.nodes.first_mut() {
            let (gone, left): (Vec<_>, Vec<_>) =
                std::mem::take(pods).into_iter().partition(|(pod, _)| pod.is_over(sys));
            for (_, name) in gone {
                say(sys, format!("pod/{name} evicted\n"));
            }
            if left.is_empty() {
                let line = format!("node/{node} drained\n");
                say(sys, line);
                self.nodes.remove(0);
                continue;
            }
            *pods = left;
            if self.until.is_some_and(|until| sys.now() >= until) {
                let text = format!(
                    "error: unable to drain node {node:?} due to error:error when waiting for pod {:?} in namespace to \
                     terminate: global timeout reached, continuing command...\n",
                    pods[0].1
                );
                tools::console::write_all(sys, Fd::STDERR, &text);
                return Next::Exit(1);
            }
            let watch = Watch { after: sys.store().revision(), prefixes: vec!["/registry/pods/".to_owned()] };
            return Next::Wait(Wait { until: self.until, watch: Some(watch), ..Wait::default() });
        }
        Next::Exit(0)
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taints_are_added_replaced_and_removed() {
        let start =
            vec![json!({"key": "a", "effect": "NoSchedule"}), json!({"key": "a", "effect": "NoExecute"})];
        for (spec, expected) in [
            ("b=c:NoSchedule", Ok(("tainted", 3))),
            ("a:NoSchedule-", Ok(("untainted", 1))),
            ("a-", Ok(("untainted", 0))),
            ("z-", Err("taint \"z\" not found")),
            (
                "a=x:NoSchedule",
                Err("node n already has a taint(s) with same effect(s) and --overwrite is false"),
            ),
            ("a=x", Err("invalid taint spec: a=x")),
            ("a=x:Never", Err("invalid taint effect: Never, unsupported taint effect")),
        ] {
            let mut taints = start.clone();
            let outcome = read_taint(spec)
                .and_then(|taint| change_taints(&mut taints, &[taint], false, "n"))
                .map(|done| (done, taints.len()));
            assert_eq!(outcome, expected.map_err(str::to_owned), "{spec}");
        }
    }
}
