//! What parsers may know: devices and namespaces by name.

use kernel::dump::LinkInfo;
use packet::{NetnsId, SimTime};
use world::Sys;

/// The names that exist where a command acts.
///
/// iproute2 asks the kernel while it parses (`ll_name_to_index`), so which error comes first
/// depends on it.
#[derive(Clone, Debug, Default)]
pub struct Env {
    /// Devices, in order of their indexes.
    pub links: Vec<LinkInfo>,
    /// Names in /run/netns.
    pub netns: Vec<String>,
    /// What time it is.
    pub now: SimTime,
    /// Every name is taken to exist.
    pub all_exist: bool,
}

impl Env {
    /// The names that a process sees in namespace `netns`.
    pub fn of(sys: &dyn Sys, netns: NetnsId) -> Self {
        let host = sys.kernel();
        Self {
            links: host.links(netns),
            netns: host.netns_names.keys().cloned().collect(),
            now: sys.now(),
            all_exist: false,
        }
    }

    /// Takes every name to exist, for text that is parsed without a kernel.
    pub fn all() -> Self {
        Self { all_exist: true, ..Self::default() }
    }

    /// The device of that name or alternative name.
    pub fn link(&self, name: &str) -> Option<&LinkInfo> {
        self.links
            .iter()
            .find(|link| link.name == name)
            .or_else(|| self.links.iter().find(|link| link.altnames.iter().any(|alt| alt == name)))
    }

    /// Whether the device exists. iproute2: `ll_name_to_index(name) != 0`.
    pub fn has_device(&self, name: &str) -> bool {
        self.all_exist || self.link(name).is_some()
    }

    /// The device's own name where an alternative name was given.
    pub fn own_name(&self, name: &str) -> String {
        self.link(name).map_or_else(|| name.to_owned(), |link| link.name.clone())
    }

    /// Whether /run/netns has that name.
    pub fn has_netns(&self, name: &str) -> bool {
        self.all_exist || self.netns.iter().any(|n| n == name)
    }
}
