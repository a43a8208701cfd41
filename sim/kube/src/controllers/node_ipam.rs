//! Each node gets a subnet of the cluster's for its pods. Kubernetes: `pkg/controller/nodeipam`,
//! `rangeAllocator`.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use k8s_openapi::api::core::v1::Node;

use super::context::Context;
use super::flags::Flags;
use crate::api::event::Severity;
use crate::api::{ClusterSettings, modify, name_of, prefix};

/// Where the subnets come from and how long their prefixes are; none if none are to be given.
fn pool(flags: &Flags, settings: Option<&ClusterSettings>) -> Option<(Ipv4Net, u8)> {
    let all = flags.cluster_cidr.or_else(|| settings?.pod_cidr)?;
    let mask = flags.node_mask.or_else(|| Some(settings?.node_mask)).unwrap_or(24);
    let wanted = flags.allocate_node_cidrs.unwrap_or(true) && mask >= all.prefix_len() && mask <= 32;
    wanted.then_some((all, mask))
}

fn cidrs(node: &Node) -> impl Iterator<Item = Ipv4Net> {
    let spec = node.spec.as_ref();
    let all = spec.into_iter().flat_map(|spec| spec.pod_cidr.iter().chain(spec.pod_cidrs.iter().flatten()));
    all.filter_map(|cidr| cidr.parse().ok())
}

/// Gives subnets to all nodes that have none, in the order in which they were made.
pub fn sync(cx: &mut Context<'_>, _: &str, _: &str) {
    let Some((all, mask)) = pool(cx.flags, ClusterSettings::of(cx.sys.store()).as_deref()) else { return };
    let all_nodes = prefix::<Node>(None);
    let mut nodes: Vec<_> = cx
        .sys
        .store()
        .range(&all_nodes)
        .filter_map(|(_, entry)| Some((entry.created, entry.get::<Node>()?)))
        .collect();
    nodes.sort_by_key(|(created, _)| *created);
    let mut taken: BTreeSet<Ipv4Net> = nodes.iter().flat_map(|(_, node)| cidrs(node)).collect();
    let size = 1_u64 << (32 - mask);
    let last = u32::from(all.broadcast());
    let mut free = (u64::from(u32::from(all.network()))..=u64::from(last))
        .step_by(usize::try_from(size).unwrap_or(usize::MAX))
        .filter_map(|first| Ipv4Net::new(Ipv4Addr::from(u32::try_from(first).ok()?), mask).ok());
    for (_, node) in nodes.iter().filter(|(_, node)| cidrs(node).next().is_none()) {
        let name = name_of(&**node);
        let overlaps =
            |cidr: &Ipv4Net| taken.iter().any(|taken| taken.contains(cidr) || cidr.contains(taken));
        let Some(cidr) = free.find(|cidr| !overlaps(cidr)) else {
            let message = format!("Node {name} status is now: CIDRNotAvailable");
            cx.report("cidrAllocator", &**node, Severity::Normal, "CIDRNotAvailable", &message);
            continue;
        };
        taken.insert(cidr);
        let _ = modify::<Node>(cx.sys, "", name, |node| {
            let spec = node.spec.get_or_insert_default();
            spec.pod_cidr = Some(cidr.to_string());
            spec.pod_cidrs = Some(vec![cidr.to_string()]);
        });
    }
}
