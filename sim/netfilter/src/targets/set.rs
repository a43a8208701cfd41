use std::fmt;

use packet::Skb;
use trace::HookName;

use super::Extension;
use crate::args::{ArgError, Args, Opt, flag, number, value};
use crate::matches::parse_set;
use crate::set::{Dirs, PacketOptions};
use crate::{Action, EvalCx, Refused, RuleSite, TableName};

/// `-j SET`: adds a packet to a set, removes it, or takes the packet's mark from one.
/// Kernel: `net/netfilter/xt_set.c`, `set_target_v3`.
///
/// Simplified: `--map-prio` and `--map-queue` change nothing, as packets have neither.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetTarget {
    /// `--add-set`.
    pub add: Option<(String, Dirs)>,
    /// `--exist`: a packet that is there gets a new timeout.
    pub exist: bool,
    /// `--timeout`, seconds.
    pub timeout: Option<u32>,
    /// `--del-set`.
    pub del: Option<(String, Dirs)>,
    /// `--map-set`.
    pub map: Option<(String, Dirs)>,
    /// `--map-mark`.
    pub map_mark: bool,
    /// `--map-prio`.
    pub map_prio: bool,
    /// `--map-queue`.
    pub map_queue: bool,
}

/// An option before which `!` may stand and means nothing.
const fn any(opt: Opt) -> Opt {
    Opt { invert: true, ..opt }
}

const fn set(name: &'static str) -> Opt {
    Opt { values: 2, ..any(value(name)) }
}

/// Hooks at which a packet's priority and queue may be set.
const OUTWARDS: [HookName; 3] = [HookName::Forward, HookName::Output, HookName::Postrouting];

impl Extension for SetTarget {
    const OPTIONS: &'static [Opt] = &[
        set("add-set"),
        set("del-set"),
        any(flag("exist")),
        any(value("timeout")),
        set("map-set"),
        any(flag("map-mark")),
        any(flag("map-prio")),
        any(flag("map-queue")),
    ];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let mut target = Self::default();
        for given in std::mem::take(&mut args.given) {
            match given.name {
                "add-set" => target.add = Some(parse_set(&given, target.add.is_some())?),
                "del-set" => target.del = Some(parse_set(&given, target.del.is_some())?),
                "map-set" => target.map = Some(parse_set(&given, target.map.is_some())?),
                "exist" => target.exist = true,
                "timeout" => {
                    let seconds = number(given.text()).and_then(|n| u32::try_from(n).ok());
                    let Some(seconds) = seconds.filter(|n| *n < u32::MAX) else {
                        return Err(ArgError::said(
                            "Invalid value for option --timeout or out of range 0-4294967294",
                        ));
                    };
                    target.timeout = Some(seconds);
                }
                "map-mark" => target.map_mark = true,
                "map-prio" => target.map_prio = true,
                _ => target.map_queue = true,
            }
        }
        target.complete()
    }

    fn apply(&self, cx: &mut EvalCx<'_>, skb: &mut Skb) -> Action {
        let plain = |dirs: Dirs| PacketOptions { dirs, ..PacketOptions::default() };
        if let Some((name, dirs)) = &self.add {
            // Kernel: `IPSET_MAX_TIMEOUT`.
            let timeout = self.timeout.map(|timeout| timeout.min(u32::MAX / 2 / 1000));
            let options = PacketOptions { exist: self.exist, timeout, ..plain(*dirs) };
            cx.sets.add(name, skb, &options, cx.now);
        }
        if let Some((name, dirs)) = &self.del {
            cx.sets.del(name, skb, &plain(*dirs), cx.now);
        }
        if let Some((name, dirs)) = &self.map {
            let tested = cx.sets.test(name, skb, &plain(*dirs), cx.now);
            if tested.hit && self.map_mark {
                skb.mark = (skb.mark & !tested.skb.mask) ^ tested.skb.mark;
            }
        }
        Action::Continue
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        self.write(f, "")
    }

    fn check(&self, site: &RuleSite<'_>) -> Result<(), Refused> {
        let outwards = || site.hooks.iter().all(|hook| OUTWARDS.contains(hook));
        let wrong = site.table != TableName::Mangle || (self.map_prio || self.map_queue) && !outwards();
        if self.map.is_some() && wrong { Err(Refused::Invalid) } else { Ok(()) }
    }
}

impl SetTarget {
    /// iptables `set_target_check_v3`.
    fn complete(self) -> Result<Self, ArgError> {
        let only = |given: bool, text: &str| if given { Err(ArgError::said(text)) } else { Ok(()) };
        if self.add.is_none() && self.del.is_none() && self.map.is_none() {
            return Err(ArgError::said("You must specify either `--add-set' or `--del-set' or `--map-set'"));
        }
        if self.add.is_none() {
            only(self.exist, "Flag `--exist' can be used with `--add-set' only")?;
            only(self.timeout.is_some(), "Option `--timeout' can be used with `--add-set' only")?;
        }
        if self.map.is_none() {
            only(self.map_mark, "Flag `--map-mark' can be used with `--map-set' only")?;
            only(self.map_prio, "Flag `--map-prio' can be used with `--map-set' only")?;
            only(self.map_queue, "Flag `--map-queue' can be used with `--map-set' only")?;
        } else if !(self.map_mark || self.map_prio || self.map_queue) {
            return Err(ArgError::said(
                "You must specify flags `--map-mark' or '--map-prio` or `--map-queue'",
            ));
        }
        Ok(self)
    }

    /// The sets it uses.
    pub fn sets(&self) -> impl Iterator<Item = &str> {
        [&self.add, &self.del, &self.map].into_iter().flatten().map(|(name, _)| name.as_str())
    }

    /// The options, each with `dashes` before it.
    fn write(&self, f: &mut fmt::Formatter<'_>, dashes: &str) -> fmt::Result {
        if let Some((name, dirs)) = &self.add {
            write!(f, " {dashes}add-set {name} {dirs}")?;
        }
        if self.exist {
            write!(f, " {dashes}exist")?;
        }
        if let Some(timeout) = self.timeout {
            write!(f, " {dashes}timeout {timeout}")?;
        }
        for (option, set) in [("del-set", &self.del), ("map-set", &self.map)] {
            if let Some((name, dirs)) = set {
                write!(f, " {dashes}{option} {name} {dirs}")?;
            }
        }
        let flags = [(self.map_mark, "mark"), (self.map_prio, "prio"), (self.map_queue, "queue")];
        for (_, what) in flags.into_iter().filter(|(given, _)| *given) {
            write!(f, " {dashes}map-{what}")?;
        }
        Ok(())
    }
}

impl fmt::Display for SetTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, "--")
    }
}
