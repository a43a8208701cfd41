//! `iptables`, `iptables-save`, `iptables-restore` 1.8.9 (nf_tables) and `conntrack` 1.4.7.

/// Installs the commands of this folder.
pub fn install(registry: &mut world::Registry) {
    let _ = registry;
}
