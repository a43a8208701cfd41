use std::collections::BTreeMap;
use std::net::IpAddr;

use packet::{DevId, Icmp, NetnsId, SimTime};

use crate::Host;
use crate::random::Random;
use crate::sysctl_keys;

/// Tokens are ticks, and may be owed.
const HZ: i64 = packet::HZ as i64;

/// Kernel: `ip_rt_error_cost`, one second of tokens.
const ERROR_COST: i64 = HZ;
/// Kernel: `ip_rt_error_burst`.
const ERROR_BURST: i64 = 5 * HZ;
/// Kernel: `XRLIM_BURST_FACTOR`.
const XRLIM_BURST_FACTOR: i64 = 6;
/// Redirects that may be ignored before we are silent. Kernel: `ip_rt_redirect_number`.
const REDIRECT_NUMBER: u32 = 9;
/// Shortest time between two redirects, doubled with each. Kernel: `ip_rt_redirect_load`.
const REDIRECT_LOAD: i64 = HZ / 50;
/// After this time redirects begin anew. Kernel: `ip_rt_redirect_silence`.
const REDIRECT_SILENCE: i64 = (HZ / 50) << (REDIRECT_NUMBER + 1);

/// Token buckets of ICMP errors: one for each host they go to, one for all.
/// Kernel: `struct inet_peer`, `net->ipv4.icmp_global_credit`.
///
/// Simplified: peers are never forgotten.
#[derive(Clone, Debug, Default)]
pub struct IcmpLimits {
    peers: BTreeMap<IpAddr, Peer>,
    credit: i64,
    /// Tick of the last refill; `None` before the first.
    stamp: Option<i64>,
    random: Option<Random>,
}

/// What is known about a host that got errors. One bucket serves three limits, as in the kernel.
/// Kernel: `struct inet_peer`.
#[derive(Clone, Copy, Debug)]
struct Peer {
    /// Ticks saved up.
    tokens: i64,
    /// Tick of the last look.
    last: i64,
    redirects: u32,
}

impl Peer {
    /// Kernel: `net/ipv4/inetpeer.c, inet_peer_xrlim_allow`; `timeout` is `icmp_ratelimit` in ticks.
    fn xrlim_allow(&mut self, now: i64, timeout: i64) -> bool {
        let delta = now - self.last;
        if delta > 0 {
            self.last = now;
            self.tokens = (self.tokens + delta).min(XRLIM_BURST_FACTOR * timeout);
        }
        let allowed = self.tokens >= timeout;
        if allowed {
            self.tokens -= timeout;
        }
        allowed
    }

    /// Kernel: `net/ipv4/route.c, ip_error`, its token bucket.
    fn error_allow(&mut self, now: i64) -> bool {
        self.tokens = (self.tokens + now - self.last).min(ERROR_BURST);
        self.last = now;
        let allowed = self.tokens >= ERROR_COST;
        if allowed {
            self.tokens -= ERROR_COST;
        }
        allowed
    }

    /// Kernel: `net/ipv4/route.c, ip_rt_send_redirect`, its pacing.
    fn redirect_allow(&mut self, now: i64) -> bool {
        if now > self.last + REDIRECT_SILENCE {
            self.tokens = 0;
            self.redirects = 0;
        }
        if self.redirects >= REDIRECT_NUMBER {
            self.last = now;
            return false;
        }
        let allowed = self.redirects == 0 || now > self.last + (REDIRECT_LOAD << self.redirects);
        if allowed {
            self.last = now;
            self.redirects += 1;
        }
        allowed
    }
}

fn jiffies(now: SimTime) -> i64 {
    now.jiffies() as i64
}

impl IcmpLimits {
    fn peer(&mut self, addr: IpAddr, now: i64) -> &mut Peer {
        self.peers.entry(addr).or_insert(Peer { tokens: 0, last: now - 60 * HZ, redirects: 0 })
    }
}

impl Host {
    /// Whether an error caused by the routing lookup may be sent to `addr`.
    /// Kernel: `net/ipv4/route.c, ip_error`.
    pub(super) fn ip_error_allow(&mut self, ns: NetnsId, addr: IpAddr, now: SimTime) -> bool {
        let now = jiffies(now);
        self.ns_mut(ns).icmp_limits.peer(addr, now).error_allow(now)
    }

    /// Whether a redirect may be sent to `addr`. Kernel: `net/ipv4/route.c, ip_rt_send_redirect`.
    pub(super) fn redirect_allow(&mut self, ns: NetnsId, addr: IpAddr, now: SimTime) -> bool {
        let now = jiffies(now);
        self.ns_mut(ns).icmp_limits.peer(addr, now).redirect_allow(now)
    }

    /// Whether `icmp_ratemask` leaves this message alone. Kernel: `net/ipv4/icmp.c, icmpv4_mask_allow`.
    fn icmpv4_mask_allow(&self, ns: NetnsId, kind: u8, code: u8) -> bool {
        const FRAG_NEEDED: (u8, u8) = (Icmp::UNREACHABLE, 4);
        const NR_ICMP_TYPES: u8 = 18;
        kind > NR_ICMP_TYPES
            || (kind, code) == FRAG_NEEDED
            || self.ipv4_sysctl(ns, const { sysctl_keys::key("net.ipv4.icmp_ratemask") }) & (1 << kind) == 0
    }

    /// Whether the limit of all messages allows this one; `None` if not, else whether the limit
    /// per host applies. Kernel: `net/ipv4/icmp.c, icmpv4_global_allow`.
    pub(super) fn icmpv4_global_allow(
        &mut self,
        ns: NetnsId,
        kind: u8,
        code: u8,
        now: SimTime,
    ) -> Option<bool> {
        if self.icmpv4_mask_allow(ns, kind, code) {
            return Some(false);
        }
        self.icmp_global_allow(ns, now).then_some(true)
    }

    /// Kernel: `net/ipv4/icmp.c, icmp_global_allow`.
    fn icmp_global_allow(&mut self, ns: NetnsId, now: SimTime) -> bool {
        let per_second = self.ipv4_sysctl(ns, const { sysctl_keys::key("net.ipv4.icmp_msgs_per_sec") });
        let burst = self.ipv4_sysctl(ns, const { sysctl_keys::key("net.ipv4.icmp_msgs_burst") });
        let now = jiffies(now);
        let limits = &mut self.ns_mut(ns).icmp_limits;
        if limits.credit > 0 {
            return true;
        }
        let delta = limits.stamp.map_or(HZ, |stamp| (now - stamp).min(HZ));
        let more = per_second * delta / HZ;
        if delta < HZ / 50 || more == 0 {
            return false;
        }
        limits.stamp = Some(now);
        limits.credit = (limits.credit + more).min(burst);
        true
    }

    /// Whether the limit of the host at `addr` allows an error that leaves by `dev`; takes from
    /// the limit of all messages if so. Kernel: `net/ipv4/icmp.c, icmpv4_xrlim_allow`.
    pub(super) fn icmpv4_xrlim_allow(&mut self, ns: NetnsId, dev: DevId, addr: IpAddr, now: SimTime) -> bool {
        let timeout = self.ipv4_sysctl(ns, const { sysctl_keys::key("net.ipv4.icmp_ratelimit") }) * HZ / 1000;
        let tick = jiffies(now);
        let unlimited = self.dev(dev).is_loopback();
        let limits = &mut self.ns_mut(ns).icmp_limits;
        if !unlimited && !limits.peer(addr, tick).xrlim_allow(tick, timeout) {
            return false;
        }
        let mut random = match limits.random.take() {
            Some(random) => random,
            None => Random::new(self, &format!("icmp_global {ns}")),
        };
        let limits = &mut self.ns_mut(ns).icmp_limits;
        limits.credit -= i64::from(random.below(3));
        limits.random = Some(random);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRESH: Peer = Peer { tokens: 0, last: -60 * HZ, redirects: 0 };

    /// Seconds at which a message asked for every `every` ticks is allowed, over `ticks` ticks.
    fn allowed(mut limit: impl FnMut(i64) -> bool, every: i64, ticks: i64) -> Vec<i64> {
        (0..ticks).step_by(every as usize).filter(|&now| limit(now)).collect()
    }

    #[test]
    fn six_errors_at_once_then_one_a_second() {
        let mut peer = FRESH;
        let at = allowed(|now| peer.xrlim_allow(now, HZ), 10, 3 * HZ);
        assert_eq!(at, [0, 10, 20, 30, 40, 50, 250, 500]);
    }

    #[test]
    fn five_routing_errors_at_once_then_one_a_second() {
        let mut peer = FRESH;
        let at = allowed(|now| peer.error_allow(now), 10, 3 * HZ);
        assert_eq!(at, [0, 10, 20, 30, 40, 250, 500]);
    }

    #[test]
    fn no_limit_empties_the_bucket_of_routing_errors() {
        let mut peer = FRESH;
        assert!(peer.xrlim_allow(0, 0));
        assert!(!peer.error_allow(1));
        assert!(peer.error_allow(1 + HZ));
    }

    #[test]
    fn redirects_double_their_distance_and_end_after_nine() {
        let mut peer = FRESH;
        let at = allowed(|now| peer.redirect_allow(now), 1, 6000);
        assert_eq!(at, [0, 11, 32, 73, 154, 315, 636, 1277, 2558]);
    }
}
