//! `kubernetes [ZONES…] { … }`. CoreDNS: `plugin/kubernetes/setup.go`.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1;

use super::config::{EndpointNames, Endpoints, Fallthrough, IfEmpty, Kubernetes, Pods, Zonal};
use super::dispenser::Dispenser;
use super::error::Error;
use super::misc::once;
use super::setup::Context;
use super::{Plugins, go, zone};
use crate::kubectl::selector::LabelSelector;

pub(super) fn setup(
    at: &mut Dispenser<'_>,
    context: &mut Context<'_>,
    plugins: &mut Plugins,
) -> Result<(), Error> {
    while once(at, plugins.kubernetes.is_some())? {
        let zones = zone::zones_or(&at.remaining_args(), context.zones);
        let primary = zones.iter().position(|zone| !zone::is_reverse(zone));
        let primary = primary.ok_or_else(|| Error::refused("non-reverse zone name must be used"))?;
        let mut kubernetes = Kubernetes {
            zones,
            primary,
            pods: Pods::Disabled,
            endpoint_names: EndpointNames::Address,
            namespaces: BTreeSet::new(),
            labels: None,
            namespace_labels: None,
            ttl: 5,
            fallthrough: Fallthrough::default(),
            endpoints: Endpoints::Watched,
            empty_services: IfEmpty::Answered,
            multicluster: Vec::new(),
            zonal: Zonal::Unknown,
        };
        while at.next_block() {
            property(at, &mut kubernetes)?;
        }
        if !kubernetes.namespaces.is_empty() && kubernetes.namespace_labels.is_some() {
            return Err(at.error("namespaces and namespace_labels cannot both be set"));
        }
        let ours = &kubernetes.zones;
        if let Some(zone) = kubernetes.multicluster.iter().find(|zone| !ours.contains(zone)) {
            let ours: Vec<String> = ours.iter().map(ToString::to_string).collect();
            return Err(at.error(format_args!(
                "is not authoritative for the multicluster zone {zone} (authoritative zones: [{}])",
                ours.join(" ")
            )));
        }
        if kubernetes.zonal == Zonal::Named && kubernetes.endpoints == Endpoints::Ignored {
            return Err(at.error("zonal requires the endpoint cache; remove noendpoints"));
        }
        plugins.kubernetes = Some(kubernetes);
    }
    Ok(())
}

fn property(at: &mut Dispenser<'_>, kubernetes: &mut Kubernetes) -> Result<(), Error> {
    let name = at.text().to_owned();
    let args = at.remaining_args();
    match (name.as_str(), &args[..]) {
        ("endpoint_pod_names", []) => kubernetes.endpoint_names = EndpointNames::Pod,
        ("pods", [mode]) => {
            kubernetes.pods = match mode.as_str() {
                "disabled" => Pods::Disabled,
                "insecure" => Pods::Insecure,
                "verified" => Pods::Verified,
                other => {
                    return Err(Error::refused(format_args!(
                        "wrong value for pods: {other},  must be one of: disabled, verified, insecure"
                    )));
                }
            }
        }
        ("namespaces", [_, ..]) => kubernetes.namespaces.extend(args),
        ("labels", [_, ..]) => kubernetes.labels = Some(labels("label selector", &args)?),
        ("namespace_labels", [_, ..]) => {
            kubernetes.namespace_labels = Some(labels("namespace_label selector", &args)?);
        }
        ("fallthrough", _) => kubernetes.fallthrough = Fallthrough::of(&args),
        ("ttl", [text, ..]) => {
            let ttl = go::integer(text)?;
            let in_range = u32::try_from(ttl).ok().filter(|&ttl| ttl <= 3600);
            kubernetes.ttl =
                in_range.ok_or_else(|| at.error(format_args!("ttl must be in range [0, 3600]: {ttl}")))?;
        }
        ("noendpoints", []) => kubernetes.endpoints = Endpoints::Ignored,
        ("multicluster", _) => kubernetes.multicluster = zone::zones_or(&args, &[]),
        ("zonal", []) => kubernetes.zonal = Zonal::Named,
        ("ignore", []) => {}
        ("ignore", [what, ..]) if what == "empty_service" => {
            kubernetes.empty_services = IfEmpty::Ignored;
        }
        ("ignore", [what, ..]) => {
            return Err(Error::refused(format_args!("unable to parse ignore value: '{what}'")));
        }
        ("endpoint", [_, ..]) | ("tls", [_, _, _]) | ("kubeconfig", [_] | [_, _]) => {
            return Err(at.not_simulated(format!("CoreDNS kubernetes option {name}")));
        }
        (
            "endpoint_pod_names" | "pods" | "namespaces" | "labels" | "namespace_labels" | "ttl"
            | "noendpoints" | "zonal" | "endpoint" | "tls" | "kubeconfig",
            _,
        ) => return Err(at.arg_error()),
        _ => return Err(at.error(format_args!("unknown property '{name}'"))),
    }
    Ok(())
}

/// Kubernetes: `ParseToLabelSelector`.
fn labels(what: &str, args: &[String]) -> Result<v1::LabelSelector, Error> {
    let text = args.join(" ");
    let wrong = |why: String| Error::refused(format_args!("unable to parse {what} value: '{text}': {why}"));
    let selector = LabelSelector::read(&text)
        .map_err(|why| wrong(format!("couldn't parse the selector string {text:?}: {why}")))?;
    selector.object().map_err(wrong)
}
