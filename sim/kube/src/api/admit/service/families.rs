//! The IP families of a Service, and the form of its addresses.

use k8s_openapi::api::core::v1::ServiceSpec;

use super::{Invalid, go_strings, is, is_headless, wrong_ips};
use crate::api::ClusterSettings;
use crate::api::admit::ip::{self, FAMILIES};

const POLICIES: [&str; 3] = ["PreferDualStack", "RequireDualStack", "SingleStack"];

fn count(list: Option<&Vec<String>>) -> usize {
    list.map_or(0, Vec::len)
}

fn family(text: &str) -> &'static str {
    ip::parse(text).map_or(FAMILIES[0], ip::family_of)
}

/// Kubernetes: `ValidateServiceClusterIPsRelatedFields`.
pub fn validate(spec: &ServiceSpec) -> Vec<Invalid> {
    let mut found = Vec::new();
    if is(spec, "ExternalName") {
        return found;
    }
    let ips = spec.cluster_ips.as_deref().unwrap_or_default();
    let families = spec.ip_families.as_deref().unwrap_or_default();
    match (&spec.cluster_ip, ips.first()) {
        (Some(_), None) => found.push(Invalid::required("spec.clusterIPs", "")),
        (Some(ip), Some(first)) if ip != first => {
            found.push(wrong_ips("spec.clusterIPs", spec, "first value must match `clusterIP`"));
        }
        (None, Some(_)) => {
            found.push(wrong_ips("spec.clusterIPs", spec, "must be empty when `clusterIP` is not specified"));
        }
        _ => {}
    }
    for (number, known) in families.iter().enumerate() {
        let path = format!("spec.ipFamilies[{number}]");
        if !FAMILIES.contains(&known.as_str()) {
            found.push(Invalid::unsupported(&path, known, &FAMILIES));
        }
        if families[..number].contains(known) {
            found.push(Invalid::duplicate(&path, format!("{known:?}")));
        }
    }
    if let Some(policy) = spec.ip_family_policy.as_deref().filter(|policy| !POLICIES.contains(policy)) {
        found.push(Invalid::unsupported("spec.ipFamilyPolicy", policy, &POLICIES));
    }
    let mut malformed = false;
    for (number, text) in ips.iter().enumerate() {
        if number == 0 && text == "None" {
            if ips.len() > 1 {
                malformed = true;
                found.push(wrong_ips("spec.clusterIPs", spec, "'None' must be the first and only value"));
            }
        } else if ip::parse(text).is_none() {
            malformed = true;
            found.push(Invalid::value(format!("spec.clusterIPs[{number}]"), text, ip::NO_IP));
        }
    }
    if ips.len() > 2 {
        found.push(wrong_ips("spec.clusterIPs", spec, "may only hold up to 2 values"));
    }
    if malformed {
        return found;
    }
    let both = ips.iter().any(|text| family(text) != family(&ips[0]));
    if ips.len() > 1 && !both {
        let why = "may specify no more than one IP for each IP family";
        found.push(wrong_ips("spec.clusterIPs", spec, why));
    }
    if !is_headless(spec) {
        for (number, (text, wanted)) in ips.iter().zip(families).enumerate() {
            if FAMILIES.contains(&wanted.as_str()) && family(text) != wanted {
                let why = format!("expected an {wanted} value as indicated by `ipFamilies[{number}]`");
                found.push(Invalid::value(format!("spec.clusterIPs[{number}]"), text, why));
            }
        }
    }
    found
}

/// Decides about policy and families where a Service says nothing, and refuses what the cluster
/// doesn't have. Kubernetes: `initIPFamilyFields`.
pub fn settle(
    spec: &mut ServiceSpec,
    old: Option<&ServiceSpec>,
    settings: &ClusterSettings,
) -> Result<(), Vec<Invalid>> {
    if is(spec, "ExternalName") {
        return Ok(());
    }
    let selects = spec.selector.as_ref().is_some_and(|selector| !selector.is_empty());
    let headless = spec.cluster_ip.as_deref() == Some("None");
    if spec.ip_family_policy.is_none() {
        let known = old.and_then(|old| old.ip_family_policy.clone());
        let usual = if headless && !selects { "RequireDualStack" } else { "SingleStack" };
        spec.ip_family_policy = Some(known.unwrap_or_else(|| usual.to_owned()));
    }
    let single = spec.ip_family_policy.as_deref() == Some("SingleStack");
    let wrong = validate(spec);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let mut wrong = Vec::new();
    let policy = |why: &str, spec: &ServiceSpec| {
        let value = spec.ip_family_policy.clone().unwrap_or_default();
        Invalid::value("spec.ipFamilyPolicy", value, why)
    };
    if let Some(old) = old {
        if single {
            shorten(&mut spec.cluster_ips, &old.cluster_ips);
            shorten(&mut spec.ip_families, &old.ip_families);
        } else {
            if count(spec.cluster_ips.as_ref()) < count(old.cluster_ips.as_ref()) && !headless {
                wrong.push(policy("must be 'SingleStack' to release the secondary cluster IP", spec));
            }
            if count(spec.ip_families.as_ref()) < count(old.ip_families.as_ref()) {
                wrong.push(policy("must be 'SingleStack' to release the secondary IP family", spec));
            }
        }
    }
    if single {
        for (list, what) in [(&spec.cluster_ips, "cluster IPs"), (&spec.ip_families, "IP families")] {
            if count(list.as_ref()) == 2 {
                let why = format!(
                    "must be 'RequireDualStack' or 'PreferDualStack' when multiple {what} are specified"
                );
                wrong.push(policy(&why, spec));
            }
        }
    }
    let configured = settings.families();
    let ips = spec.cluster_ips.clone().unwrap_or_default();
    for (number, text) in ips.iter().enumerate().take_while(|(_, text)| *text != "None") {
        if number < count(spec.ip_families.as_ref()) {
            continue;
        }
        let own = family(text);
        if configured.contains(&own) {
            spec.ip_families.get_or_insert_default().push(own.to_owned());
        } else {
            let path = format!("spec.clusterIPs[{number}]");
            wrong.push(wrong_ips(&path, spec, &format!("{own} is not configured on this cluster")));
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    if headless && !selects {
        // Its endpoints may be of any family, whatever the cluster has.
        second_family(spec, single);
        return Ok(());
    }
    if spec.ip_family_policy.as_deref() == Some("RequireDualStack") && configured.len() < 2 {
        wrong.push(policy("this cluster is not configured for dual-stack services", spec));
    }
    for (number, known) in spec.ip_families.iter().flatten().enumerate() {
        if !configured.contains(&known.as_str()) {
            let path = format!("spec.ipFamilies[{number}]");
            wrong.push(Invalid::value(path, known, "not configured on this cluster"));
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    second_family(spec, single || configured.len() < 2);
    Ok(())
}

/// Fills up the list of families.
fn second_family(spec: &mut ServiceSpec, only_one: bool) {
    let families = spec.ip_families.get_or_insert_with(|| vec![FAMILIES[0].to_owned()]);
    if !only_one && families.len() == 1 {
        let other = if families[0] == FAMILIES[0] { FAMILIES[1] } else { FAMILIES[0] };
        families.push(other.to_owned());
    }
}

fn shorten(list: &mut Option<Vec<String>>, old: &Option<Vec<String>>) {
    if list == old
        && let Some(list) = list
    {
        list.truncate(1);
    }
}

/// What may not change. Kubernetes: `validateUpgradeDowngradeClusterIPs`,
/// `validateUpgradeDowngradeIPFamilies`.
pub fn validate_change(spec: &ServiceSpec, old: &ServiceSpec) -> Vec<Invalid> {
    let mut found = Vec::new();
    if is(spec, "ExternalName") || is(old, "ExternalName") || is_headless(spec) && is_headless(old) {
        return found;
    }
    let ips = |spec: &ServiceSpec| spec.cluster_ips.clone().unwrap_or_default();
    let (new_ips, old_ips) = (ips(spec), ips(old));
    for (number, text) in old_ips.iter().enumerate() {
        let path = format!("spec.clusterIPs[{number}]");
        match new_ips.get(number) {
            Some(new) if new != text => found.push(wrong_ips(&path, spec, "may not change once set")),
            None if number == 0 => found.push(wrong_ips(&path, spec, "primary clusterIP can not be unset")),
            _ => {}
        }
    }
    if is_headless(spec) != is_headless(old) {
        return found;
    }
    let families = |spec: &ServiceSpec| spec.ip_families.clone().unwrap_or_default();
    if families(old).iter().zip(&families(spec)).any(|(was, is)| was != is) {
        let value = go_strings(spec.ip_families.as_ref()).replace("[]string", "[]core.IPFamily");
        found.push(Invalid {
            path: "spec.ipFamilies[0]".to_owned(),
            detail: format!("Invalid value: {value}: may not change once set"),
        });
    }
    found
}
