//! Cluster IPs. Kubernetes: `pkg/registry/core/service/ipallocator`.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use k8s_openapi::api::core::v1::ServiceSpec;
use world::Sys;

use super::{Given, Refused, is, is_headless, wrong_ips};
use crate::api::admit::ip;

/// Addresses of an IPv6 range that are given: the allocator's bitmap holds no more.
const MOST: u128 = 65_536;

/// The addresses of a range that Services can have.
struct Range {
    net: IpNet,
    /// The first of them.
    first: u128,
    /// How many.
    size: u128,
}

impl Range {
    fn of(net: IpNet) -> Self {
        let bits = u32::from(net.max_prefix_len() - net.prefix_len());
        let all = 1_u128.checked_shl(bits).unwrap_or(u128::MAX);
        // Not the network's own address; nor IPv4's broadcast.
        let (first, size) = match net.network() {
            IpAddr::V4(ip) => (u128::from(u32::from(ip)) + 1, all.saturating_sub(2)),
            IpAddr::V6(ip) => (u128::from(ip) + 1, all.min(MOST).saturating_sub(1)),
        };
        Self { net, first, size }
    }

    fn at(&self, offset: u128) -> IpAddr {
        let number = self.first.saturating_add(offset);
        match self.net {
            IpNet::V4(_) => IpAddr::V4(Ipv4Addr::from(u32::try_from(number).unwrap_or(u32::MAX))),
            IpNet::V6(_) => IpAddr::V6(Ipv6Addr::from(number)),
        }
    }

    fn contains(&self, ip: IpAddr) -> bool {
        let number = match ip {
            IpAddr::V4(ip) => u128::from(u32::from(ip)),
            IpAddr::V6(ip) => u128::from(ip),
        };
        ip.is_ipv4() == matches!(self.net, IpNet::V4(_))
            && number >= self.first
            && number - self.first < self.size
    }

    /// A free address: a random one of the upper part, as the API server takes them since 1.26;
    /// the lower part is for those who ask for one. Kubernetes: `calculateRangeOffset`.
    fn free(&self, sys: &mut dyn Sys, taken: &BTreeSet<IpAddr>) -> Option<IpAddr> {
        let offset = if self.size < 16 { 0 } else { (self.size / 16).clamp(16, 256) };
        let upper = self.size.saturating_sub(offset);
        if upper == 0 {
            return None;
        }
        let start = u128::from(sys.random()) % upper;
        let free = |at: u128| Some(self.at(at)).filter(|ip| !taken.contains(ip));
        (0..upper)
            .find_map(|step| free(offset + (start + step) % upper))
            .or_else(|| (0..offset).find_map(free))
    }
}

/// Gives a Service the addresses that it doesn't have yet.
pub fn allocate(sys: &mut dyn Sys, given: &Given<'_>, spec: &mut ServiceSpec) -> Result<(), Refused> {
    if is(spec, "ExternalName") || is_headless(spec) {
        return Ok(());
    }
    let had = match given.before {
        Some(old) if is_headless(old) => return Ok(()),
        Some(old) if !is(old, "ExternalName") => old.cluster_ips.as_ref().map_or(0, Vec::len),
        _ => 0,
    };
    let all = given.others.iter().filter_map(|service| service.spec.as_ref()?.cluster_ips.as_ref());
    let taken: BTreeSet<IpAddr> = all.flatten().filter_map(|text| ip::parse(text)).collect();
    let families = spec.ip_families.clone().unwrap_or_default();
    for (number, family) in families.iter().enumerate().skip(had) {
        let Some(net) = given.settings.service_range(family) else { continue };
        let range = Range::of(net);
        let ips = spec.cluster_ips.get_or_insert_default();
        if let Some(text) = ips.get(number).cloned() {
            let refused = |why: &str| {
                let why = format!("failed to allocate IP {text}: {why}");
                Refused::Invalid(vec![wrong_ips("spec.clusterIPs", spec, &why)])
            };
            let Some(wanted) = ip::parse(&text) else { continue };
            if !range.contains(wanted) {
                let valid = format!("the valid range. The range of valid IPs is {net}");
                return Err(refused(&format!("the provided IP ({wanted}) is not in {valid}")));
            }
            if taken.contains(&wanted) {
                return Err(refused("provided IP is already allocated"));
            }
            continue;
        }
        let Some(free) = range.free(sys, &taken) else {
            return Err(Refused::Internal("failed to allocate a serviceIP: range is full".to_owned()));
        };
        ips.push(free.to_string());
        if number == 0 {
            spec.cluster_ip = Some(free.to_string());
        }
    }
    Ok(())
}
