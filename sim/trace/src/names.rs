use packet::{DevId, HostId, NetnsId, Pid};

/// Looks up the names that steps leave out.
pub trait Names {
    /// A host's name.
    fn host(&self, host: HostId) -> String;
    /// A namespace's name; empty for the initial one.
    fn netns(&self, host: HostId, netns: NetnsId) -> String;
    /// A device's name.
    fn dev(&self, host: HostId, dev: DevId) -> String;
    /// The command line of a process, if it is still known.
    fn process(&self, host: HostId, pid: Pid) -> Option<String>;

    /// `host` or `host/netns`.
    fn node(&self, host: HostId, netns: NetnsId) -> String {
        let (host, netns) = (self.host(host), self.netns(host, netns));
        if netns.is_empty() { host } else { format!("{host}/{netns}") }
    }
}
