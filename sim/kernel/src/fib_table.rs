use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net};
use packet::DevId;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::Route;

/// One routing table: a hash of prefixes per prefix length. Kernel: `struct fib_table`, a trie.
///
/// Simplified: IPv4 only.
#[derive(Clone, Debug, Default)]
pub(crate) struct FibTable {
    /// Lengths in use, longest first.
    levels: Vec<Level>,
}

/// All prefixes of one length.
#[derive(Clone, Debug)]
struct Level {
    plen: u8,
    mask: u32,
    prefixes: FxHashMap<u32, Aliases>,
}

/// Routes of one prefix: by descending TOS, then ascending metric. Kernel: `struct fib_alias`.
pub(crate) type Aliases = SmallVec<[Arc<Route>; 1]>;

/// The IPv4 address as a number; `None` for IPv6.
#[inline]
pub(crate) fn v4(addr: IpAddr) -> Option<u32> {
    match addr {
        IpAddr::V4(addr) => Some(addr.to_bits()),
        IpAddr::V6(_) => None,
    }
}

/// The prefix of that number and length; a length over 32 counts as 32.
pub(crate) fn v4_net(addr: u32, plen: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::from_bits(addr), plen.min(32)))
}

/// Netmask of a prefix length.
pub(crate) const fn mask_of(plen: u8) -> u32 {
    match plen {
        0 => 0,
        1..=32 => u32::MAX << (32 - plen),
        33.. => u32::MAX,
    }
}

impl FibTable {
    /// Routes whose prefix holds `daddr`, longest prefix first, until `accept` returns something
    /// for one. Kernel: `net/ipv4/fib_trie.c`, `fib_table_lookup`.
    #[inline]
    pub(crate) fn find_map<'a, T>(
        &'a self,
        daddr: u32,
        mut accept: impl FnMut(&'a Arc<Route>, u8) -> Option<T>,
    ) -> Option<T> {
        for level in &self.levels {
            let Some(aliases) = level.prefixes.get(&(daddr & level.mask)) else { continue };
            for route in aliases {
                if let Some(found) = accept(route, level.plen) {
                    return Some(found);
                }
            }
        }
        None
    }

    /// Routes of exactly this prefix.
    #[inline]
    pub(crate) fn aliases(&self, addr: u32, plen: u8) -> &[Arc<Route>] {
        let level = self.levels.iter().find(|level| level.plen == plen);
        level.and_then(|level| level.prefixes.get(&addr)).map_or(&[], |aliases| aliases.as_slice())
    }

    /// Routes of exactly this prefix, to change. Call [`FibTable::tidy`] after removing one.
    pub(crate) fn aliases_mut(&mut self, addr: u32, plen: u8) -> &mut Aliases {
        let at = match self.levels.binary_search_by(|level| plen.cmp(&level.plen)) {
            Ok(at) => at,
            Err(at) => {
                self.levels.insert(at, Level { plen, mask: mask_of(plen), prefixes: FxHashMap::default() });
                at
            }
        };
        self.levels[at].prefixes.entry(addr).or_default()
    }

    /// Forgets a prefix that has no route any more.
    pub(crate) fn tidy(&mut self, addr: u32, plen: u8) {
        let Some(at) = self.levels.iter().position(|level| level.plen == plen) else { return };
        let prefixes = &mut self.levels[at].prefixes;
        if prefixes.get(&addr).is_some_and(|aliases| aliases.is_empty()) {
            prefixes.remove(&addr);
        }
        if prefixes.is_empty() {
            self.levels.remove(at);
        }
    }

    /// Keeps the routes for which `keep` holds. The order of the calls means nothing.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Route) -> bool) {
        for level in &mut self.levels {
            level.prefixes.retain(|_, aliases| {
                aliases.retain(|route| keep(route));
                !aliases.is_empty()
            });
        }
        self.levels.retain(|level| !level.prefixes.is_empty());
    }

    /// Changes the routes that have a way of their own over `dev`. The order of the calls means
    /// nothing.
    pub(crate) fn change_over(&mut self, dev: DevId, change: impl FnMut(&mut Route)) {
        let over = |route: &Route| route.nhid.is_none() && route.nexthops.iter().any(|nh| nh.dev == dev);
        self.change_where(over, change);
    }

    /// Changes the routes for which `fits` holds. The order of the calls means nothing.
    pub(crate) fn change_where(&mut self, fits: impl Fn(&Route) -> bool, mut change: impl FnMut(&mut Route)) {
        let routes = self.levels.iter_mut().flat_map(|level| level.prefixes.values_mut()).flatten();
        for route in routes.filter(|route| fits(route)) {
            change(Arc::make_mut(route));
        }
    }

    /// Whether any route fits. The order of the calls means nothing.
    pub(crate) fn any(&self, mut fits: impl FnMut(&Route) -> bool) -> bool {
        self.levels.iter().flat_map(|level| level.prefixes.values()).flatten().any(|route| fits(route))
    }

    /// All routes in the kernel's order: by address, then longest prefix first, then as chosen.
    /// Kernel: `fib_table_dump`, which walks the trie.
    pub(crate) fn dump(&self) -> Vec<&Arc<Route>> {
        let mut prefixes: Vec<(u32, u8, &Aliases)> = Vec::new();
        for level in &self.levels {
            prefixes.extend(level.prefixes.iter().map(|(&addr, aliases)| (addr, 32 - level.plen, aliases)));
        }
        prefixes.sort_unstable_by_key(|&(addr, slen, _)| (addr, slen));
        prefixes.into_iter().flat_map(|(_, _, aliases)| aliases).collect()
    }
}
