//! `iptables`, `iptables-save`, `iptables-restore` 1.8.9, of nf_tables and legacy.
//!
//! [`command`] reads a command line, [`run`] carries it out, [`list`] and [`save`] print.

pub(crate) mod command;
mod list;
mod monitor;
mod restore;
pub(crate) mod run;
mod save;

pub use restore::restore_call;
pub use run::{call, netfilter};

use netfilter::Backend;
use world::Registry;

/// Installs the commands of this folder.
pub fn install(registry: &mut Registry) {
    for name in ["iptables", "iptables-nft"] {
        registry.install_command(name, run::iptables);
    }
    for name in ["iptables-save", "iptables-nft-save"] {
        registry.install_command(name, save::iptables_save);
    }
    for name in ["iptables-restore", "iptables-nft-restore"] {
        registry.install(name, |args| Box::new(restore::IptablesRestore::new(Backend::Nft, args)));
    }
    registry.install_command("iptables-legacy", run::iptables_legacy);
    registry.install_command("iptables-legacy-save", save::iptables_legacy_save);
    registry.install("iptables-legacy-restore", |args| {
        Box::new(restore::IptablesRestore::new(Backend::Legacy, args))
    });
    registry.install("xtables-monitor", |args| Box::new(monitor::XtablesMonitor::new(args)));
}
