use std::sync::Arc;

use packet::{DevId, NetnsId};
use trace::Observer;

use crate::sysctl::{accept, parse_int};
use crate::sysctl_keys::{Accepts, ConfKey, KEYS, NeighKey, key};
use crate::{Cx, Errno, Host, Sysctls};

/// Bytes of memory for which `unres_qlen` counts a frame. Kernel: `SKB_TRUESIZE(ETH_FRAME_LEN)`.
const QUEUED_FRAME: i32 = 2090;

/// Settings that the initial namespace has for all.
const OF_ALL: [usize; 3] = [
    key("net.netfilter.nf_conntrack_buckets"),
    key("net.netfilter.nf_conntrack_expect_max"),
    key("net.netfilter.nf_conntrack_max"),
];
/// Another name of `net.ipv4.conf.all.forwarding`.
const IP_FORWARD: &str = "net.ipv4.ip_forward";
/// Not a setting: how many connections there are.
const CONNTRACK_COUNT: usize = key("net.netfilter.nf_conntrack_count");

/// What a key is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// A place in [`KEYS`].
    Once(usize),
    Conf(Scope, ConfKey),
    Neigh(DevId, NeighKey),
    DisableIpv6(Scope),
}

/// Which of the directories under `conf`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    All,
    Default,
    Dev(DevId),
}

/// The parts of a key: dots separate, and a `/` stands for a dot inside a name; with slashes as
/// separators it is the other way round. procps: `slash` and `dot` in `sysctl.c`.
fn parts(key: &str) -> Vec<String> {
    let dotted = match (key.find('.'), key.find('/')) {
        (Some(dot), Some(slash)) => dot < slash,
        (_, None) => true,
        (None, Some(_)) => false,
    };
    match dotted {
        true => key.split('.').map(|part| part.replace('/', ".")).collect(),
        false => key.split('/').map(str::to_owned).collect(),
    }
}

impl Host {
    fn sysctl_target(&self, ns: NetnsId, key: &str) -> Result<Target, Errno> {
        let parts = parts(key);
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let scope = |name: &str| match name {
            "all" => Some(Scope::All),
            "default" => Some(Scope::Default),
            name => self.dev_by_name(ns, name).map(Scope::Dev),
        };
        let target = match parts.as_slice() {
            ["net", "ipv4", "ip_forward"] => Some(Target::Conf(Scope::All, ConfKey::Forwarding)),
            ["net", "ipv4", "conf", dir, leaf] => {
                scope(dir).zip(ConfKey::of(leaf)).map(|(scope, key)| Target::Conf(scope, key))
            }
            ["net", "ipv4", "neigh", dir, leaf] => {
                self.dev_by_name(ns, dir).zip(NeighKey::of(leaf)).map(|(dev, key)| Target::Neigh(dev, key))
            }
            ["net", "ipv6", "conf", dir, "disable_ipv6"] => scope(dir).map(Target::DisableIpv6),
            parts => {
                let name = parts.join(".");
                KEYS.iter().position(|(key, ..)| *key == name).map(Target::Once)
            }
        };
        target.ok_or(Errno::NoEnt)
    }

    /// The text that reading the key's file gives, without the final newline.
    pub fn sysctl_get(&self, ns: NetnsId, key: &str) -> Result<String, Errno> {
        let target = self.sysctl_target(ns, key)?;
        match target {
            Target::Once(at) if KEYS[at].2 == Accepts::WriteOnly => Err(Errno::Acces),
            Target::Once(CONNTRACK_COUNT) => Ok(self.conntrack_count(ns)),
            Target::Once(at) if OF_ALL.contains(&at) => Ok(self.ns(NetnsId::INIT).sysctl.read(target)),
            target => Ok(self.ns(ns).sysctl.read(target)),
        }
    }

    /// Kernel: `nf_conntrack_count` in `net/netfilter/nf_conntrack_standalone.c`.
    fn conntrack_count(&self, ns: NetnsId) -> String {
        self.ns(ns).netfilter.conntrack().map_or(0, |conntrack| conntrack.count()).to_string()
    }

    /// Every key with its text, in the order in which procfs lists them. A dot in a device's name
    /// is written `/`.
    pub fn sysctl_list(&self, ns: NetnsId) -> Vec<(String, String)> {
        let sysctl = &self.ns(ns).sysctl;
        let mut targets: Vec<(String, Target)> = Vec::new();
        for (at, (name, _, accepts)) in KEYS.iter().enumerate() {
            if *accepts != Accepts::WriteOnly && *name != IP_FORWARD {
                targets.push(((*name).to_owned(), Target::Once(at)));
            }
        }
        targets.push((IP_FORWARD.to_owned(), Target::Conf(Scope::All, ConfKey::Forwarding)));
        let devices = self.ns(ns).devices.values().map(|&dev| {
            let name = self.dev(dev).name.replace('.', "/");
            (name, Scope::Dev(dev))
        });
        let dirs = [("all".to_owned(), Scope::All), ("default".to_owned(), Scope::Default)];
        for (name, scope) in dirs.into_iter().chain(devices) {
            let conf = ConfKey::ALL.into_iter();
            targets.extend(
                conf.map(|key| (format!("net.ipv4.conf.{name}.{}", key.name()), Target::Conf(scope, key))),
            );
            if let Scope::Dev(dev) = scope {
                let neigh = NeighKey::ALL.into_iter();
                targets.extend(
                    neigh.map(|key| {
                        (format!("net.ipv4.neigh.{name}.{}", key.name()), Target::Neigh(dev, key))
                    }),
                );
            }
            targets.push((format!("net.ipv6.conf.{name}.disable_ipv6"), Target::DisableIpv6(scope)));
        }
        targets.sort_by_cached_key(|(name, _)| parts(name));
        targets.dedup_by(|a, b| a.0 == b.0);
        let read = |target| match target {
            Target::Once(CONNTRACK_COUNT) => self.conntrack_count(ns),
            Target::Once(at) if OF_ALL.contains(&at) => self.ns(NetnsId::INIT).sysctl.read(target),
            target => sysctl.read(target),
        };
        targets.into_iter().map(|(name, target)| (name, read(target))).collect()
    }

    /// An address was set on `dev`, so it no longer follows `conf.default`.
    pub(crate) fn ipv4_devconf_setall(&mut self, dev: DevId) {
        let ns = self.dev(dev).netns;
        self.ns_mut(ns).sysctl.conf_setall(dev);
    }
}

impl Sysctls {
    fn read(&self, target: Target) -> String {
        match target {
            Target::Once(at) => self.text(at),
            Target::Conf(Scope::All, key) => self.all[key as usize].to_string(),
            Target::Conf(Scope::Default, key) => self.default[key as usize].to_string(),
            Target::Conf(Scope::Dev(dev), key) => self.conf(dev, key).to_string(),
            Target::Neigh(dev, NeighKey::UnresQlen) => {
                (self.neigh_at(dev, NeighKey::UnresQlenBytes) / QUEUED_FRAME).to_string()
            }
            Target::Neigh(dev, key) => self.neigh_at(dev, key).to_string(),
            Target::DisableIpv6(Scope::All) => self.disable_ipv6[0].to_string(),
            Target::DisableIpv6(Scope::Default) => self.disable_ipv6[1].to_string(),
            Target::DisableIpv6(Scope::Dev(dev)) => {
                self.disable_ipv6_devs.get(&dev).copied().unwrap_or(self.disable_ipv6[1]).to_string()
            }
        }
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Writes `value` to the key's file.
    pub fn sysctl_set(&mut self, ns: NetnsId, key: &str, value: &str) -> Result<(), Errno> {
        let target = self.host.sysctl_target(ns, key)?;
        let int = || parse_int(value).and_then(|n| i32::try_from(n).ok()).ok_or(Errno::Inval);
        match target {
            Target::Once(at) => {
                let accepts = KEYS[at].2;
                if accepts == Accepts::ReadOnly {
                    return Err(Errno::Acces);
                }
                if ns != NetnsId::INIT && OF_ALL.contains(&at) {
                    return Err(Errno::Acces);
                }
                let accepted = accept(accepts, value).ok_or(Errno::Inval)?;
                self.host.ns(ns).sysctl.check_range(at, &accepted)?;
                if accepts == Accepts::WriteOnly {
                    self.route_flush_cache(ns);
                    return Ok(());
                }
                let sysctl = &mut self.host.ns_mut(ns).sysctl;
                sysctl.values.insert(at, accepted);
                if sysctl.text(at) == KEYS[at].1 {
                    sysctl.values.remove(&at);
                }
            }
            Target::Conf(_, ConfKey::McForwarding) => return Err(Errno::Acces),
            Target::Conf(Scope::All, ConfKey::Forwarding) => self.inet_forward_change(ns, int()?),
            Target::Conf(Scope::Default, ConfKey::Forwarding) => {
                // Unlike the others, this one leaves the existing devices alone.
                let value = int()?;
                let devices: Vec<DevId> = self.host.ns(ns).devices.values().copied().collect();
                let sysctl = &mut self.host.ns_mut(ns).sysctl;
                for dev in devices {
                    sysctl.conf_pin(dev);
                }
                Arc::make_mut(&mut sysctl.default)[ConfKey::Forwarding as usize] = value;
            }
            Target::Conf(Scope::All, key) => {
                Arc::make_mut(&mut self.host.ns_mut(ns).sysctl.all)[key as usize] = int()?;
            }
            Target::Conf(Scope::Default, key) => self.host.ns_mut(ns).sysctl.conf_set_default(key, int()?),
            Target::Conf(Scope::Dev(dev), key) => self.host.ns_mut(ns).sysctl.conf_set(dev, key, int()?),
            Target::Neigh(dev, key) => {
                let natural = int()?;
                if natural < 0 {
                    return Err(Errno::Inval);
                }
                let sysctl = &mut self.host.ns_mut(ns).sysctl;
                // Kernel: `proc_unres_qlen`.
                let (key, natural) = match key {
                    NeighKey::UnresQlen => (NeighKey::UnresQlenBytes, natural.saturating_mul(QUEUED_FRAME)),
                    key => (key, natural),
                };
                match natural == NeighKey::DEFAULTS[key as usize] {
                    true => drop(sysctl.neigh.remove(&(dev, key))),
                    false => drop(sysctl.neigh.insert((dev, key), natural)),
                }
            }
            Target::DisableIpv6(scope) => {
                let value = int()?;
                let sysctl = &mut self.host.ns_mut(ns).sysctl;
                match scope {
                    Scope::All => {
                        // Writing all writes default and every device. Kernel: `addrconf_disable_ipv6`.
                        sysctl.disable_ipv6 = [value; 2];
                        sysctl.disable_ipv6_devs.clear();
                    }
                    Scope::Default => {
                        let old = sysctl.disable_ipv6[1];
                        sysctl.disable_ipv6[1] = value;
                        let devices: Vec<DevId> = self.host.ns(ns).devices.values().copied().collect();
                        let sysctl = &mut self.host.ns_mut(ns).sysctl;
                        for dev in devices {
                            sysctl.disable_ipv6_devs.entry(dev).or_insert(old);
                        }
                    }
                    Scope::Dev(dev) => drop(sysctl.disable_ipv6_devs.insert(dev, value)),
                }
            }
        }
        Ok(())
    }

    /// Kernel: `net/ipv4/devinet.c`, `inet_forward_change`.
    fn inet_forward_change(&mut self, ns: NetnsId, on: i32) {
        let devices: Vec<DevId> = self.host.ns(ns).devices.values().copied().collect();
        let sysctl = &mut self.host.ns_mut(ns).sysctl;
        if sysctl.all[ConfKey::Forwarding as usize] == on {
            return;
        }
        let all = Arc::make_mut(&mut sysctl.all);
        all[ConfKey::Forwarding as usize] = on;
        all[ConfKey::AcceptRedirects as usize] = i32::from(on == 0);
        Arc::make_mut(&mut sysctl.default)[ConfKey::Forwarding as usize] = on;
        for dev in devices {
            sysctl.conf_set(dev, ConfKey::Forwarding, on);
        }
    }
}
