use packet::NetnsId;

use crate::fib_lookup::{FibResult, FlowKey};
use crate::fib_table::v4;
use crate::siphash::siphash;
use crate::{Host, NextHop, Route, Scope, Sysctls};

/// `net.ipv4.fib_multipath_hash_fields`. Kernel: `FIB_MULTIPATH_HASH_FIELD_*`.
const FIELD_SRC_IP: u32 = 1;
const FIELD_DST_IP: u32 = 1 << 1;
const FIELD_IP_PROTO: u32 = 1 << 2;
const FIELD_SRC_PORT: u32 = 1 << 4;
const FIELD_DST_PORT: u32 = 1 << 5;

impl Route {
    /// Shares the hash's 2^31 values among the ways that can be used now. What changes later counts
    /// at the next event of a device only. Kernel: `net/ipv4/fib_semantics.c`, `fib_rebalance`.
    pub(crate) fn fib_rebalance(&mut self, sysctl: &Sysctls) {
        let usable = |nh: &NextHop| !(nh.dead || (nh.linkdown && sysctl.ignore_routes_with_linkdown(nh.dev)));
        let total = self.nexthops.iter().filter(|nh| usable(nh)).map(|nh| u64::from(nh.weight)).sum();
        let mut sum = 0;
        for nh in &mut self.nexthops {
            nh.upper_bound = usable(nh).then(|| {
                sum += u64::from(nh.weight);
                upper_bound(sum, total)
            });
        }
    }
}

/// The last hash value of a way whose weight and those before it make `sum`.
pub(crate) fn upper_bound(sum: u64, total: u64) -> u32 {
    let total = total.max(1);
    u32::try_from((((sum << 31) + total / 2) / total).saturating_sub(1)).unwrap_or(u32::MAX)
}

impl Host {
    /// Chooses among several ways by the flow's hash; one whose source address the flow has already
    /// is preferred. Kernel: `net/ipv4/fib_semantics.c`, `fib_select_multipath`.
    pub(crate) fn fib_select_multipath(&self, ns: NetnsId, found: &mut FibResult<'_>, key: &FlowKey) {
        let hash = self.fib_multipath_hash(ns, key);
        if found.route.nhid.is_some() {
            found.nh = self.nexthop_select_path(ns, &found.route.nexthops, hash);
            return;
        }
        let use_neigh = self.ns(ns).sysctl.fib_multipath_use_neigh();
        let mut best = 0;
        for (at, nh) in found.route.nexthops.iter().enumerate() {
            let Some(upper_bound) = nh.upper_bound else { continue };
            if use_neigh && !self.fib_good_nh(ns, nh) {
                continue;
            }
            let own_source = key.saddr != 0
                && self.select_addr(nh.dev, nh.via.and_then(v4).unwrap_or(0), found.route.scope) == key.saddr;
            let score = 2 * u8::from(own_source) + u8::from(hash <= upper_bound);
            if best < score {
                found.nh = at;
                best = score;
                if score == 3 || (key.saddr == 0 && score == 1) {
                    return;
                }
            }
        }
    }

    /// The member of a group that the hash falls to; one whose neighbour has failed is passed over.
    /// Kernel: `net/ipv4/nexthop.c`, `nexthop_select_path_hthr`.
    fn nexthop_select_path(&self, ns: NetnsId, members: &[NextHop], hash: u32) -> usize {
        let mut good = members.iter().enumerate().filter(|(_, nh)| self.fib_good_nh(ns, nh)).peekable();
        let first = good.peek().map_or(0, |(at, _)| *at);
        let chosen = good.find(|(_, nh)| nh.upper_bound.is_some_and(|bound| hash <= bound));
        chosen.map_or(first, |(at, _)| at)
    }

    /// Whether the gateway's neighbour isn't known to be unreachable.
    /// Kernel: `net/ipv4/fib_semantics.c`, `fib_good_nh`; `net/ipv4/nexthop.c`, `ipv4_good_nh`.
    fn fib_good_nh(&self, ns: NetnsId, nh: &NextHop) -> bool {
        let neighbour = nh.via.filter(|_| nh.scope == Scope::LINK);
        let neighbour = neighbour.and_then(|via| self.ns(ns).neigh.get(nh.dev, via));
        neighbour.is_none_or(|neighbour| neighbour.nud.is_valid())
    }

    /// 31 bits that depend on the flow and on `net.ipv4.fib_multipath_hash_seed`; without one, on
    /// this kernel's own secret. Kernel: `net/ipv4/route.c`, `fib_multipath_hash`.
    ///
    /// Simplified: policy 2 looks at the outer addresses, policy 3 at the outer fields, `ip route
    /// get` under policy 3 asks as a socket does, and a hash that came with the packet
    /// (`skb->l4_hash`) doesn't count.
    fn fib_multipath_hash(&self, ns: NetnsId, key: &FlowKey) -> u32 {
        let sysctl = &self.ns(ns).sysctl;
        let fields = match sysctl.fib_multipath_hash_policy() {
            1 => FIELD_SRC_IP | FIELD_DST_IP | FIELD_IP_PROTO | FIELD_SRC_PORT | FIELD_DST_PORT,
            3 => sysctl.fib_multipath_hash_fields(),
            _ => FIELD_SRC_IP | FIELD_DST_IP,
        };
        let given = |field: u32| fields & field != 0;
        let number = |field: u32, number: u32| if given(field) { number } else { 0 };
        let port = |field: u32, port: u16| if given(field) { port } else { 0 };
        let seed = match sysctl.fib_multipath_hash_seed() {
            0 => self.multipath_seed,
            seed => seed,
        };
        let keys = FlowKeys {
            proto: if given(FIELD_IP_PROTO) { key.proto.0 } else { 0 },
            addrs: [number(FIELD_SRC_IP, key.saddr), number(FIELD_DST_IP, key.daddr)],
            ports: [port(FIELD_SRC_PORT, key.sport), port(FIELD_DST_PORT, key.dport)],
        };
        let hash = keys.hash(u64::from(seed) << 32 | u64::from(seed));
        match sysctl.fib_multipath_hash_policy() {
            // Kernel: `fib_multipath_custom_hash_skb`; nothing is inside the packet.
            3 if key.iif != self.ns(ns).loopback => jhash_2words(hash, 0) >> 1,
            _ => hash >> 1,
        }
    }
}

/// Kernel: `include/linux/jhash.h`, `jhash_2words` with the initial value 0.
fn jhash_2words(a: u32, b: u32) -> u32 {
    const JHASH_INITVAL: u32 = 0xdead_beef;
    let start = JHASH_INITVAL.wrapping_add(2 << 2);
    let (mut a, mut b, mut c) = (a.wrapping_add(start), b.wrapping_add(start), start);
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    (c ^ b).wrapping_sub(b.rotate_left(24))
}

/// What is hashed, source first. Kernel: `struct flow_keys`.
#[derive(Clone, Copy, Debug)]
struct FlowKeys {
    proto: u8,
    addrs: [u32; 2],
    ports: [u16; 2],
}

impl FlowKeys {
    /// The same for both directions. Kernel: `net/core/flow_dissector.c`, `flow_hash_from_keys_seed`,
    /// on a little-endian machine.
    fn hash(self, key: u64) -> u32 {
        let Self { proto, mut addrs, mut ports } = self;
        if addrs[1].swap_bytes() < addrs[0].swap_bytes() {
            addrs.swap(0, 1);
        }
        if ports[1].swap_bytes() < ports[0].swap_bytes() {
            ports.swap(0, 1);
        }
        // From `basic` on: protocol at 2, ports at 28, addresses at 36; labels and tags are zero.
        let mut bytes = [0; 48];
        bytes[2] = proto;
        bytes[28..30].copy_from_slice(&ports[0].to_be_bytes());
        bytes[30..32].copy_from_slice(&ports[1].to_be_bytes());
        bytes[36..40].copy_from_slice(&addrs[0].to_be_bytes());
        bytes[40..44].copy_from_slice(&addrs[1].to_be_bytes());
        (siphash(&bytes, [key; 2]) as u32).max(1)
    }
}
