use std::time::Duration;

use packet::{DevId, NetnsId, SimTime};
use trace::Observer;

use crate::addr::AddrLifetime;
use crate::request::Lifetimes;
use crate::{Cx, InterfaceAddr, Timer};

/// What happens within this time is done at once. Kernel: `ADDRCONF_TIMER_FUZZ_MINUS`.
const FUZZ_MINUS: Duration = Duration::from_millis(20);
/// The least time between two looks. Kernel: `ADDRCONF_TIMER_FUZZ_MAX`.
const FUZZ_MAX: Duration = Duration::from_secs(1);

/// What a look finds due for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Deletion,
    Deprecation,
    /// Nothing before this instant.
    At(SimTime),
}

impl AddrLifetime {
    fn due(&self, now: SimTime, deprecated: bool) -> Due {
        let age = (now.since(self.since) + FUZZ_MINUS).as_secs();
        let at = |seconds: u32| Due::At(self.since + Duration::from_secs(u64::from(seconds)));
        if age >= u64::from(self.valid) {
            Due::Deletion
        } else if age < u64::from(self.preferred) {
            at(self.preferred)
        } else if deprecated {
            at(self.valid)
        } else {
            Due::Deprecation
        }
    }
}

/// Kernel: `net/ipv4/devinet.c`, `set_ifa_lifetime`.
pub(crate) fn set_ifa_lifetime(addr: &mut InterfaceAddr, lifetime: Option<Lifetimes>, now: SimTime) {
    let Lifetimes { valid, preferred } =
        lifetime.unwrap_or(Lifetimes { valid: Lifetimes::FOREVER, preferred: Lifetimes::FOREVER });
    addr.flags.deprecated = preferred == 0;
    addr.lifetime = (valid != Lifetimes::FOREVER).then_some(AddrLifetime { valid, preferred, since: now });
}

impl<O: Observer> Cx<'_, O> {
    /// Deprecates and deletes addresses whose time is over, and looks again when the next one's is.
    /// Kernel: `net/ipv4/devinet.c`, `check_lifetime`.
    ///
    /// Simplified: the next look is not moved to a full second of the clock (up to 250 ms), nor is
    /// there one every two minutes.
    pub(crate) fn check_lifetime(&mut self, ns: NetnsId) {
        let Some(netns) = self.host.get_ns(ns) else { return };
        let devices: Vec<DevId> = netns.devices.values().copied().collect();
        let mut next: Option<SimTime> = None;
        for dev in devices {
            let mut at = 0;
            while let Some(addr) = self.host.dev(dev).addrs.get(at) {
                match addr.lifetime.map(|lifetime| lifetime.due(self.now, addr.flags.deprecated)) {
                    // A primary address takes its secondary ones along: what stands here now is next.
                    Some(Due::Deletion) => self.inet_del_ifa(dev, at),
                    Some(Due::Deprecation) => self.host.dev_mut(dev).addrs[at].flags.deprecated = true,
                    Some(Due::At(due)) => {
                        next = Some(next.map_or(due, |next| next.min(due)));
                        at += 1;
                    }
                    None => at += 1,
                }
            }
        }
        let at = next.map(|next| next.max(self.now + FUZZ_MAX));
        self.host.ns_mut(ns).addr_check_at = at;
        if let Some(at) = at {
            self.arm(at.since(self.now), Timer::AddrCheck(ns));
        }
    }

    /// The time of a look has come. A look that another one replaced does nothing.
    pub(crate) fn addr_check_timer(&mut self, ns: NetnsId) {
        if self.host.get_ns(ns).is_some_and(|netns| netns.addr_check_at == Some(self.now)) {
            self.check_lifetime(ns);
        }
    }
}
