//! What is wrong with a zone as a whole. Source: BIND's `zone_postload`, `integrity_checks`.

use hickory_proto::rr::{Name, RData, RecordType};

use super::{Lookup, RrSet, Zone};
use crate::present;

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What, in BIND's words.
    pub text: String,
    /// Whether the zone can't be served.
    pub fatal: bool,
}

/// Looks through a zone.
///
/// Simplified: names of other zones are not looked up, as with `named-checkzone -i local`.
pub fn check(zone: &Zone) -> Vec<Finding> {
    let mut findings = top(zone);
    if findings.iter().any(|finding| finding.fatal) {
        return findings;
    }
    for set in zone.sets() {
        for target in set.targets() {
            let wrong = match set.kind {
                RecordType::NS if set.name == *zone.origin() => None,
                RecordType::NS => delegation(zone, &set.name, target),
                _ if target.is_root() => None,
                _ => addresses(zone, target),
            };
            findings.extend(wrong.map(|wrong| Finding {
                text: format!(
                    "{}/{} '{}' {wrong}",
                    present::plain(&set.name),
                    present::record_type(set.kind),
                    present::plain(target)
                ),
                fatal: false,
            }));
        }
        findings.extend(sender_policy(zone, set));
    }
    findings
}

/// The records that every zone has.
fn top(zone: &Zone) -> Vec<Finding> {
    let fatal = |text: String| Finding { text, fatal: true };
    let mut findings = Vec::new();
    let servers = zone.set(zone.origin(), RecordType::NS);
    for target in servers.into_iter().flat_map(RrSet::targets) {
        if let Some(wrong) = addresses(zone, target) {
            findings.push(fatal(format!("NS '{}' {wrong}", present::plain(target))));
        }
    }
    let soas = zone.soa().map_or(0, |set| set.data.len());
    if soas != 1 {
        findings.push(fatal(format!("has {soas} SOA records")));
    }
    if servers.is_none() {
        findings.push(fatal("has no NS records".to_owned()));
    }
    findings
}

const NO_ADDRESS: &str = "has no address records (A or AAAA)";
const ALIAS: &str = "is a CNAME (illegal)";
const RENAMED: &str = "is below a DNAME (illegal)";

/// What is wrong with a name that must have an address.
fn addresses(zone: &Zone, target: &Name) -> Option<&'static str> {
    if !zone.origin().zone_of(target) {
        return None;
    }
    let mut missing = None;
    for kind in [RecordType::A, RecordType::AAAA] {
        match zone.lookup(target, kind) {
            Lookup::Found(_) | Lookup::Delegated(_) => return None,
            Lookup::Alias(_) => missing = Some(ALIAS),
            Lookup::Renamed(_) => missing = Some(RENAMED),
            Lookup::NoData | Lookup::NxDomain => missing = Some(NO_ADDRESS),
        }
    }
    missing
}

/// What is wrong with the server of another zone, whose address this zone must give if it is in that.
fn delegation(zone: &Zone, owner: &Name, target: &Name) -> Option<&'static str> {
    let glue = [RecordType::A, RecordType::AAAA].into_iter().any(|kind| zone.set(target, kind).is_some());
    if glue {
        None
    } else if owner.zone_of(target) {
        Some("has no REQUIRED GLUE address records (A or AAAA)")
    } else {
        addresses(zone, target)
    }
}

/// Records of type SPF, which are out of use, without the same as TXT.
fn sender_policy(zone: &Zone, set: &RrSet) -> Option<Finding> {
    const SPF: u16 = 99;
    if u16::from(set.kind) != SPF {
        return None;
    }
    let is_policy = |data: &RData| matches!(data, RData::TXT(text) if text.txt_data.iter().any(|text| text.starts_with(b"v=spf1")));
    let text = zone.set(&set.name, RecordType::TXT);
    if text.is_some_and(|set| set.data.iter().any(is_policy)) {
        return None;
    }
    let text = format!(
        "'{}' found type SPF record but no SPF TXT record found, add matching type TXT record",
        present::plain(&set.name)
    );
    Some(Finding { text, fatal: false })
}
