//! What parsers may know: devices and namespaces by name.

use kernel::Host;
use kernel::dump::LinkInfo;
use packet::{DevId, IfIndex, NetnsId, SimTime};
use world::Sys;

/// The names that exist where a command acts.
///
/// iproute2 asks the kernel while it parses (`ll_name_to_index`), so which error comes first
/// depends on it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Env<'a> {
    /// Whom to ask; where nobody is asked, every name is taken to exist.
    kernel: Option<(&'a Host, NetnsId)>,
    /// What time it is.
    pub now: SimTime,
}

impl<'a> Env<'a> {
    /// The names that a process sees in namespace `netns`.
    pub fn of(sys: &'a dyn Sys, netns: NetnsId) -> Self {
        Self { kernel: Some((sys.kernel(), netns)), now: sys.now() }
    }

    /// Takes every name to exist, for text that is parsed without a kernel.
    pub fn all() -> Self {
        Self::default()
    }

    /// Whether every name is taken to exist.
    pub fn all_exist(self) -> bool {
        self.kernel.is_none()
    }

    fn find(self, name: &str) -> Option<(&'a Host, DevId)> {
        let (host, netns) = self.kernel?;
        Some((host, host.find_dev(netns, name)?))
    }

    /// All devices, in order of their indexes.
    pub fn links(self) -> Vec<LinkInfo> {
        self.kernel.map(|(host, netns)| host.links(netns)).unwrap_or_default()
    }

    /// The device of that name or alternative name.
    pub fn link(self, name: &str) -> Option<LinkInfo> {
        let (host, dev) = self.find(name)?;
        host.link(dev)
    }

    /// The device of that index.
    pub fn link_at(self, index: IfIndex) -> Option<LinkInfo> {
        let (host, netns) = self.kernel?;
        host.link(host.dev_by_index(netns, index)?)
    }

    /// The index of the device of that name. iproute2: `ll_name_to_index`.
    pub fn index_of(self, name: &str) -> Option<IfIndex> {
        let (host, dev) = self.find(name)?;
        host.get_dev(dev).map(|device| device.ifindex)
    }

    /// The name of the device of that index. iproute2: `ll_index_to_name`.
    pub fn name_at(self, index: IfIndex) -> Option<&'a str> {
        let (host, netns) = self.kernel?;
        host.get_dev(host.dev_by_index(netns, index)?).map(|device| device.name.as_str())
    }

    /// Whether the device exists.
    pub fn has_device(self, name: &str) -> bool {
        self.all_exist() || self.find(name).is_some()
    }

    /// The device's own name where an alternative name was given.
    pub fn own_name(self, name: &str) -> String {
        let own = self.find(name).and_then(|(host, dev)| host.get_dev(dev));
        own.map_or(name, |device| &device.name).to_owned()
    }

    /// Whether /run/netns has that name.
    pub fn has_netns(self, name: &str) -> bool {
        self.kernel.is_none_or(|(host, _)| host.netns_names.contains_key(name))
    }
}
