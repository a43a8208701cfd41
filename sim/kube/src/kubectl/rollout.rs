//! `kubectl rollout`.

use packet::SimTime;
use serde_json::Value;
use world::{Fd, Next, Program, Sys, Wait, Watch};

use super::change::{store, tell};
use super::cli::{Cli, Then};
use super::failure::Failure;
use super::kinds::{self, Type};
use super::output::Format;
use super::print::{list, name, number, text};
use super::target::{self, Target, TypeAlone};
use crate::time::time;

const REVISION: &str = "deployment.kubernetes.io/revision";
const CAUSE: &str = "kubernetes.io/change-cause";

fn targets(cli: &mut Cli<'_>) -> Result<Vec<Target>, Failure> {
    let words = cli.flags.words.clone();
    if words.is_empty() && cli.flags.get("filename").is_none() {
        return Err(Failure::Own("required resource not specified".to_owned()));
    }
    let found = target::live(cli, &words, TypeAlone::MeansAll)?;
    if found.is_empty() {
        cli.err(&format!("No resources found in {} namespace.\n", cli.config.namespace));
    }
    Ok(found)
}

/// `deployments.apps "web" is already paused`.
fn refused(target: &Target, why: &str) -> Failure {
    Failure::Own(format!("error: {} {:?} {why}", target.kind.qualified(), target.name))
}

/// Runs `rollout restart`.
pub fn restart(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let format = Format::of(cli)?;
    let stamp = time(cli.now()).0.to_string();
    for target in targets(cli)? {
        if target.object.pointer("/spec/template").is_none() || target.kind.kind == "ReplicaSet" {
            return Err(refused(&target, "restarting is not supported"));
        }
        if target.object["spec"]["paused"] == true {
            return Err(refused(&target, "can't restart paused deployment (run rollout resume first)"));
        }
        let mut changed = target.object.clone();
        let at = ["spec", "template", "metadata", "annotations"];
        super::change::put(&mut changed, &at, "kubectl.kubernetes.io/restartedAt", stamp.clone().into());
        if changed == target.object {
            return Err(Failure::Own(format!(
                "failed to create patch for {}: if restart has already been triggered within the past second, please \
                 wait before attempting to trigger another",
                target.name
            )));
        }
        let dry_run = cli.dry_run()?;
        let object = store(cli, &target, &changed, dry_run)?;
        tell(cli, &format, &target, &object, "restarted", dry_run);
    }
    Ok(Then::Exit(0))
}

/// Runs `rollout pause`.
pub fn pause(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    set_paused(cli, true, "paused", "is already paused", "pausing is not supported")
}

/// Runs `rollout resume`.
pub fn resume(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    set_paused(cli, false, "resumed", "is not paused", "resuming is not supported")
}

fn set_paused(cli: &mut Cli<'_>, paused: bool, done: &str, already: &str, no: &str) -> Result<Then, Failure> {
    let format = Format::of(cli)?;
    let dry_run = cli.dry_run()?;
    for target in targets(cli)? {
        if target.kind.kind != "Deployment" {
            return Err(refused(&target, no));
        }
        let was = target.object["spec"]["paused"] == true;
        if was == paused {
            return Err(refused(&target, already));
        }
        let mut changed = target.object.clone();
        match changed["spec"].as_object_mut() {
            Some(spec) if !paused => drop(spec.shift_remove("paused")),
            _ => changed["spec"]["paused"] = true.into(),
        }
        let object = store(cli, &target, &changed, dry_run)?;
        tell(cli, &format, &target, &object, done, dry_run);
    }
    Ok(Then::Exit(0))
}

/// The ReplicaSets of a Deployment with their revisions, oldest first.
fn revisions(sys: &dyn Sys, target: &Target) -> Vec<(i64, Value)> {
    let Some(kind) = kinds::find("replicasets") else { return Vec::new() };
    let uid = text(&target.object, "/metadata/uid");
    let mut found: Vec<(i64, Value)> = kind
        .list(sys.store(), Some(&target.namespace))
        .into_iter()
        .filter(|set| list(set, "/metadata/ownerReferences").iter().any(|owner| text(owner, "/uid") == uid))
        .filter_map(|set| {
            let revision = set["metadata"]["annotations"].get(REVISION)?.as_str()?.parse().ok()?;
            Some((revision, set))
        })
        .collect();
    found.sort_by_key(|(revision, _)| *revision);
    found
}

fn only_deployments(target: &Target, command: &str) -> Result<(), Failure> {
    match target.kind.kind {
        "Deployment" => Ok(()),
        "DaemonSet" | "StatefulSet" => {
            Err(Failure::not_simulated(&format!("rollout {command} of a {}", target.kind.kind)))
        }
        _ => {
            let kind = format!("{}.{}", target.kind.kind, target.kind.group());
            Err(Failure::Own(format!(
                "no history viewer has been implemented for {:?}",
                kind.trim_end_matches('.')
            )))
        }
    }
}

/// Runs `rollout history`.
pub fn history(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let wanted = cli.flags.int("revision").unwrap_or(0);
    if wanted < 0 {
        return Err(Failure::Own(format!("revision must be a positive integer: {wanted}")));
    }
    for target in targets(cli)? {
        only_deployments(&target, "history")?;
        let all = revisions(cli.sys, &target);
        if wanted > 0 {
            let (_, set) = all
                .iter()
                .find(|(revision, _)| *revision == wanted)
                .ok_or_else(|| Failure::Own("unable to find the specified revision".to_owned()))?;
            let template = super::describe::pod_template(&set["spec"]["template"]);
            cli.out(&format!("{} with revision #{wanted}\n{template}\n", target.printed()));
            continue;
        }
        let mut text = format!("{} \n{:<10}CHANGE-CAUSE\n", target.printed(), "REVISION");
        for (revision, set) in &all {
            let cause = set["metadata"]["annotations"].get(CAUSE).and_then(Value::as_str).unwrap_or("<none>");
            text.push_str(&format!("{revision:<10}{cause}\n"));
        }
        text.push('\n');
        cli.out(&text);
    }
    Ok(Then::Exit(0))
}

/// Runs `rollout undo`.
pub fn undo(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let to = cli.flags.int("to-revision").unwrap_or(0);
    let dry_run = cli.dry_run()?;
    for target in targets(cli)? {
        only_deployments(&target, "undo")?;
        if target.object["spec"]["paused"] == true {
            return Err(Failure::Own(
                "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again"
                    .to_owned(),
            ));
        }
        let all = revisions(cli.sys, &target);
        let found = match to {
            0 => all.iter().rev().nth(1),
            to => all.iter().find(|(revision, _)| *revision == to),
        };
        let Some((_, set)) = found else {
            return Err(Failure::Own(match to {
                0 => format!("no rollout history found for deployment {:?}", target.name),
                to => format!("unable to find specified revision {to} in history"),
            }));
        };
        let mut template = set["spec"]["template"].clone();
        if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
            labels.shift_remove("pod-template-hash");
        }
        if template == target.object["spec"]["template"] {
            let why = format!("skipped rollback (current template already matches revision {to})");
            cli.out(&format!("{} {why}\n", target.printed()));
            continue;
        }
        let mut changed = target.object.clone();
        changed["spec"]["template"] = template;
        store(cli, &target, &changed, dry_run)?;
        cli.out(&format!("{} rolled back{}\n", target.printed(), dry_run.note()));
    }
    Ok(Then::Exit(0))
}

/// Runs `rollout status`.
pub fn status(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let found = targets(cli)?;
    let Some(first) = found.into_iter().next() else { return Ok(Then::Exit(0)) };
    if !["Deployment", "DaemonSet", "StatefulSet"].contains(&first.kind.kind) {
        return Err(Failure::Own(format!("no status viewer has been implemented for {}", first.kind.kind)));
    }
    let timeout = cli.flags.duration("timeout").and_then(|ns| u64::try_from(ns).ok()).filter(|&ns| ns > 0);
    let until = timeout.map(|ns| super::delete::later(cli.sys, ns));
    let watch = cli.flags.get("watch").is_none_or(|watch| watch == "true");
    let rollout =
        Rollout { kind: first.kind, namespace: first.namespace, name: first.name, until, watch, seen: None };
    Ok(Then::Go(Box::new(rollout)))
}

/// What there is to say about a rollout, and whether it is done. Kubernetes: `rollout_status.go`.
fn progress(object: &Value) -> Result<(String, bool), String> {
    let name = name(object);
    let of = |field: &str| number(object, &format!("/status/{field}"));
    let wanted = number(object, "/spec/replicas");
    let observed = number(object, "/metadata/generation") <= of("observedGeneration");
    let rolling = |field: &str| {
        let kind = text(object, field);
        kind.is_empty() || kind == "RollingUpdate"
    };
    Ok(match object["kind"].as_str().unwrap_or_default() {
        "Deployment" if !observed => {
            ("Waiting for deployment spec update to be observed...\n".to_owned(), false)
        }
        "Deployment" => {
            let (updated, all, available) = (of("updatedReplicas"), of("replicas"), of("availableReplicas"));
            let late = |condition: &Value| {
                text(condition, "/type") == "Progressing"
                    && text(condition, "/reason") == "ProgressDeadlineExceeded"
            };
            let rollout = format!("Waiting for deployment {name:?} rollout to finish:");
            if list(object, "/status/conditions").iter().any(late) {
                return Err(format!("deployment {name:?} exceeded its progress deadline"));
            } else if updated < wanted {
                (format!("{rollout} {updated} out of {wanted} new replicas have been updated...\n"), false)
            } else if all > updated {
                (format!("{rollout} {} old replicas are pending termination...\n", all - updated), false)
            } else if available < updated {
                (format!("{rollout} {available} of {updated} updated replicas are available...\n"), false)
            } else {
                (format!("deployment {name:?} successfully rolled out\n"), true)
            }
        }
        "DaemonSet" if !rolling("/spec/updateStrategy/type") => {
            return Err("rollout status is only available for RollingUpdate strategy type".to_owned());
        }
        "DaemonSet" if !observed => {
            ("Waiting for daemon set spec update to be observed...\n".to_owned(), false)
        }
        "DaemonSet" => {
            let (updated, desired) = (of("updatedNumberScheduled"), of("desiredNumberScheduled"));
            let available = of("numberAvailable");
            let rollout = format!("Waiting for daemon set {name:?} rollout to finish:");
            if updated < desired {
                (format!("{rollout} {updated} out of {desired} new pods have been updated...\n"), false)
            } else if available < desired {
                (format!("{rollout} {available} of {desired} updated pods are available...\n"), false)
            } else {
                (format!("daemon set {name:?} successfully rolled out\n"), true)
            }
        }
        _ if !rolling("/spec/updateStrategy/type") => {
            return Err("rollout status is only available for RollingUpdate strategy type".to_owned());
        }
        _ if of("observedGeneration") == 0 || !observed => {
            ("Waiting for statefulset spec update to be observed...\n".to_owned(), false)
        }
        _ if of("readyReplicas") < wanted => {
            (format!("Waiting for {} pods to be ready...\n", wanted - of("readyReplicas")), false)
        }
        _ if text(object, "/status/updateRevision") != text(object, "/status/currentRevision") => {
            let (updated, revision) = (of("updatedReplicas"), text(object, "/status/updateRevision"));
            (
                format!(
                    "waiting for statefulset rolling update to complete {updated} pods at revision {revision}...\n"
                ),
                false,
            )
        }
        _ => {
            let (current, revision) = (of("currentReplicas"), text(object, "/status/currentRevision"));
            (format!("statefulset rolling update complete {current} pods at revision {revision}...\n"), true)
        }
    })
}

/// `rollout status` at work.
#[derive(Clone, Debug)]
struct Rollout {
    kind: Type,
    namespace: String,
    name: String,
    until: Option<SimTime>,
    watch: bool,
    /// The version of which it has spoken.
    seen: Option<Value>,
}

impl Program for Rollout {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let complain = |sys: &mut dyn Sys, why: &str| {
            tools::console::write_all(sys, Fd::STDERR, &format!("error: {why}\n"));
            Next::Exit(1)
        };
        let Ok(object) = self.kind.get(sys.store(), &self.namespace, &self.name) else {
            return complain(sys, "object has been deleted");
        };
        let version = object["metadata"]["resourceVersion"].clone();
        if self.seen.as_ref() != Some(&version) {
            self.seen = Some(version);
            match progress(&object) {
                Err(why) => return complain(sys, &why),
                Ok((line, done)) => {
                    tools::console::write_all(sys, Fd::STDOUT, &line);
                    if done || !self.watch {
                        return Next::Exit(0);
                    }
                }
            }
        }
        if self.until.is_some_and(|until| sys.now() >= until) {
            return complain(sys, "timed out waiting for the condition");
        }
        let prefixes =
            vec![format!("/registry/{}/{}/{}", self.kind.resource.plural, self.namespace, self.name)];
        let watch = Watch { after: sys.store().revision(), prefixes };
        Next::Wait(Wait { until: self.until, watch: Some(watch), ..Wait::default() })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rollout_tells_how_far_it_is() {
        let deployment = |generation: i64, status: Value| {
            json!({"kind": "Deployment", "metadata": {"name": "web", "generation": generation},
                "spec": {"replicas": 3}, "status": status})
        };
        for (object, expected) in [
            (
                deployment(2, json!({"observedGeneration": 1})),
                "Waiting for deployment spec update to be observed...\n",
            ),
            (
                deployment(1, json!({"observedGeneration": 1, "updatedReplicas": 1})),
                "Waiting for deployment \"web\" rollout to finish: 1 out of 3 new replicas have been updated...\n",
            ),
            (
                deployment(1, json!({"observedGeneration": 1, "updatedReplicas": 3, "replicas": 4})),
                "Waiting for deployment \"web\" rollout to finish: 1 old replicas are pending termination...\n",
            ),
            (
                deployment(
                    1,
                    json!({"observedGeneration": 1, "updatedReplicas": 3, "replicas": 3, "availableReplicas": 2}),
                ),
                "Waiting for deployment \"web\" rollout to finish: 2 of 3 updated replicas are available...\n",
            ),
            (
                deployment(
                    1,
                    json!({"observedGeneration": 1, "updatedReplicas": 3, "replicas": 3, "availableReplicas": 3}),
                ),
                "deployment \"web\" successfully rolled out\n",
            ),
        ] {
            assert_eq!(progress(&object).map(|(line, _)| line), Ok(expected.to_owned()));
        }
    }
}
