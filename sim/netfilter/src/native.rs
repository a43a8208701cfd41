//! What iptables over nf_tables makes of tcp's and udp's ports: comparisons of the kernel's own
//! instead of `xt_tcp` and `xt_udp`, read back as one match.

use crate::args::Ports;
use crate::selector::Not;
use crate::{Match, Rule};

const EVERY: Ports = Ports { min: 0, max: u16::MAX };

/// The comparisons made of a condition on ports, as they are read back. iptables `add_nft_range`.
fn read_back(ports: Option<Not<Ports>>) -> Option<Not<Ports>> {
    match ports? {
        // Nothing is compared.
        Not { value: EVERY, .. } => None,
        // Not at most MAX is read as a range above it.
        Not { invert: true, value: Ports { min: 0, max } } if max > 0 => {
            Some(Not { invert: false, value: Ports { min: max + 1, max: u16::MAX } })
        }
        ports => Some(ports),
    }
}

/// Moves each condition of `new` into `old`, if none has its place there.
fn merge<T: Clone, const N: usize>(old: [&mut Option<T>; N], new: [&mut Option<T>; N]) -> bool {
    let free = old.iter().zip(&new).all(|(old, new)| old.is_none() || new.is_none());
    if free {
        for (old, new) in old.into_iter().zip(new) {
            *old = old.take().or(new.take());
        }
    }
    free
}

impl Rule {
    /// Gives the rule the form that it has once it was read back from nf_tables: ports and flags
    /// stand in one match per protocol, and conditions that fit everything are gone.
    /// iptables: `add_nft_tcp`, `add_nft_udp` and `nft_parse_tcp_udp_range`.
    #[must_use]
    pub fn for_nf_tables(mut self) -> Self {
        let mut matches: Vec<Match> = Vec::with_capacity(self.matches.len());
        for mut m in std::mem::take(&mut self.matches) {
            let old = matches.iter_mut().find(|old| old.name() == m.name() && is_native(old));
            match (&mut m, old) {
                (m, _) if !is_native(m) => {}
                (Match::TcpMatch(new), old) => {
                    new.sport = read_back(new.sport.take());
                    new.dport = read_back(new.dport.take());
                    new.flags = new.flags.take().filter(|flags| flags.value.0.0 != 0);
                    if new.sport.is_none() && new.dport.is_none() && new.flags.is_none() {
                        continue;
                    }
                    if let Some(Match::TcpMatch(old)) = old
                        && (old.flags.is_none() || new.flags.is_none())
                        && merge([&mut old.sport, &mut old.dport], [&mut new.sport, &mut new.dport])
                    {
                        old.flags = old.flags.take().or(new.flags.take());
                        continue;
                    }
                }
                (Match::UdpMatch(new), old) => {
                    new.sport = read_back(new.sport.take());
                    new.dport = read_back(new.dport.take());
                    if new.sport.is_none() && new.dport.is_none() {
                        continue;
                    }
                    if let Some(Match::UdpMatch(old)) = old
                        && merge([&mut old.sport, &mut old.dport], [&mut new.sport, &mut new.dport])
                    {
                        continue;
                    }
                }
                _ => {}
            }
            matches.push(m);
        }
        self.matches = matches;
        self
    }
}

/// Whether nf_tables' own comparisons do what the match asks.
fn is_native(m: &Match) -> bool {
    match m {
        Match::TcpMatch(tcp) => tcp.is_native(),
        Match::UdpMatch(udp) => udp.is_native(),
        _ => false,
    }
}
