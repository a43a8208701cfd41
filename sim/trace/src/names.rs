use packet::{DevId, HostId, NetnsId, Pid};

/// Which part of a chain is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    /// The rule of this number, from 1.
    Rule(u32),
    /// The end, where the policy decides.
    End,
}

/// Some rules of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleWindow {
    /// Number of the first rule given, from 1.
    pub first: u32,
    /// Rules as `iptables -S` prints them.
    pub rules: Vec<String>,
    /// Number of all rules of the chain.
    pub total: u32,
    /// The policy of a built-in chain.
    pub policy: Option<&'static str>,
}

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

    /// The rules of a chain around one of them, as they are now. `None` if it isn't known.
    fn rules_near(
        &self,
        _host: HostId,
        _netns: NetnsId,
        _table: &str,
        _chain: &str,
        _around: Around,
    ) -> Option<RuleWindow> {
        None
    }

    /// What a chain of rules was made for, e.g. `default/web -> 10.244.1.3:80`.
    fn behind_chain(&self, _chain: &str) -> Option<String> {
        None
    }

    /// `host` or `host/netns`.
    fn node(&self, host: HostId, netns: NetnsId) -> String {
        let (host, netns) = (self.host(host), self.netns(host, netns));
        if netns.is_empty() { host } else { format!("{host}/{netns}") }
    }
}
