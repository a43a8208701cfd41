//! Hooks, tables, rules, connection tracking and NAT: a verdict for a packet.

/// Netfilter of one namespace.
#[derive(Clone, Debug, Default)]
pub struct Netfilter {}

impl Netfilter {
    /// Whether connections are tracked in this namespace.
    pub fn tracks(&self) -> bool {
        false
    }
}
