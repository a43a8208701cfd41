use std::fmt;

use packet::{SkOwner, Skb};
use trace::HookName;

use super::{Extension, bang};
use crate::args::{ArgError, Args, Given, Opt, flag, leading_number, negatable};
use crate::selector::Not;
use crate::{EvalCx, Refused, RuleSite, names};

/// `-m owner`: whose socket a packet of this host comes from.
/// Kernel: `net/netfilter/xt_owner.c`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// `--socket-exists`: inverted or not.
    pub socket: Option<bool>,
    /// `--uid-owner`.
    pub uid: Option<Not<Ids>>,
    /// `--gid-owner`.
    pub gid: Option<Not<Ids>>,
    /// `--suppl-groups`.
    pub suppl_groups: bool,
}

/// An inclusive range of ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ids {
    /// First.
    pub min: u32,
    /// Last.
    pub max: u32,
}

impl Ids {
    const fn contains(self, id: u32) -> bool {
        self.min <= id && id <= self.max
    }

    fn parse(args: &Args, given: &Given, named: Option<u32>) -> Result<Self, ArgError> {
        if let Some(id) = named {
            return Ok(Self { min: id, max: id });
        }
        let bad = || args.bad(given);
        // -1 stands for no id.
        let id = |n: Option<u64>| n.and_then(|n| u32::try_from(n).ok()).filter(|n| *n < u32::MAX).ok_or_else(bad);
        let (min, rest) = leading_number(given.text());
        let min = id(min)?;
        let (max, rest) = match rest.strip_prefix(['-', ':']) {
            Some(more) => leading_number(more),
            None => (Some(u64::from(min)), rest),
        };
        if rest.is_empty() { Ok(Self { min, max: id(max)? }) } else { Err(bad()) }
    }
}

/// `5` or `5-9`.
impl fmt::Display for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.min == self.max { write!(f, "{}", self.min) } else { write!(f, "{}-{}", self.min, self.max) }
    }
}

/// Every process is root's.
const ROOT: u32 = 0;

impl Extension for Owner {
    const OPTIONS: &'static [Opt] = &[
        negatable("uid-owner"),
        negatable("gid-owner"),
        flag("socket-exists").or_not(),
        flag("suppl-groups"),
    ];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let at = |name: &str| args.seen.iter().position(|seen| *seen == name);
        if let Some(suppl) = at("suppl-groups")
            && at("gid-owner").is_none_or(|gid| gid > suppl)
        {
            let text = "you need to use --gid-owner first".to_owned();
            return Err(ArgError::Value { extension: args.extension, option: "suppl-groups", text });
        }
        let mut this = Self { suppl_groups: args.has("suppl-groups")?, ..Self::default() };
        if let Some(given) = args.take("uid-owner")? {
            let value = Ids::parse(args, &given, names::user(given.text()))?;
            this.uid = Some(Not { invert: given.invert, value });
        }
        if let Some(given) = args.take("gid-owner")? {
            let value = Ids::parse(args, &given, names::group(given.text()))?;
            this.gid = Some(Not { invert: given.invert, value });
        }
        this.socket = args.take("socket-exists")?.map(|given| given.invert);
        if args.seen.is_empty() {
            return Err(ArgError::said(
                "owner: At least one of --uid-owner, --gid-owner or --socket-exists is required",
            ));
        }
        Ok(this)
    }

    fn matches(&self, _: &mut EvalCx<'_>, skb: &Skb) -> bool {
        let wanted = |ids: &Option<Not<Ids>>| ids.as_ref().is_some_and(|ids| !ids.invert);
        let (uid, gid) = (wanted(&self.uid), wanted(&self.gid));
        match skb.sk {
            SkOwner::None => self.socket.is_none_or(|invert| invert) && !uid && !gid,
            SkOwner::Kernel | SkOwner::Process if self.socket == Some(true) => false,
            SkOwner::Kernel => !uid && !gid,
            SkOwner::Process => {
                let fits = |ids: &Option<Not<Ids>>| {
                    ids.as_ref().is_none_or(|ids| ids.value.contains(ROOT) != ids.invert)
                };
                fits(&self.uid) && fits(&self.gid)
            }
        }
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, numeric: bool) -> fmt::Result {
        if let Some(invert) = self.socket {
            write!(f, " {}owner socket exists", bang(invert))?;
        }
        let ids = |f: &mut fmt::Formatter<'_>, label: &str, ids: &Not<Ids>, name: Option<&str>| {
            write!(f, " {}{label} ", bang(ids.invert))?;
            match name.filter(|_| !numeric && ids.value.min == ids.value.max) {
                Some(name) => f.write_str(name),
                None => write!(f, "{}", ids.value),
            }
        };
        if let Some(uid) = &self.uid {
            ids(f, "owner UID match", uid, names::user_name(uid.value.min))?;
        }
        if let Some(gid) = &self.gid {
            ids(f, "owner GID match", gid, names::group_name(gid.value.min))?;
        }
        f.write_str(if self.suppl_groups { " incl. suppl. groups" } else { "" })
    }

    fn check(&self, site: &RuleSite<'_>) -> Result<(), Refused> {
        let allowed = [HookName::Output, HookName::Postrouting];
        let backwards = |ids: &Option<Not<Ids>>| ids.as_ref().is_some_and(|ids| ids.value.min > ids.value.max);
        if site.hooks.iter().all(|hook| allowed.contains(hook)) && !backwards(&self.uid) && !backwards(&self.gid) {
            Ok(())
        } else {
            Err(Refused::Invalid)
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(invert) = self.socket {
            write!(f, " {}--socket-exists", bang(invert))?;
        }
        for (name, ids) in [("uid", &self.uid), ("gid", &self.gid)] {
            if let Some(Not { invert, value }) = ids {
                write!(f, " {}--{name}-owner {value}", bang(*invert))?;
            }
        }
        f.write_str(if self.suppl_groups { " --suppl-groups" } else { "" })
    }
}
