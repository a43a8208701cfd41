use std::fmt;
use std::net::IpAddr;

use packet::Skb;
use trace::HookName;

use super::{Extension, bang};
use crate::args::{ArgError, Args, Opt, flag, negatable, abbreviated, names_between_commas};
use crate::selector::Not;
use crate::{AddrType, EvalCx, Refused, RuleSite};

/// `-m addrtype`: what the routing tables take the addresses for.
/// Kernel: `net/netfilter/xt_addrtype.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addrtype {
    /// `--src-type`.
    pub src: Option<Not<TypeSet>>,
    /// `--dst-type`.
    pub dst: Option<Not<TypeSet>>,
    /// Only addresses of one device count as local.
    pub limit: Option<Limit>,
}

/// Which device's addresses count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// `--limit-iface-in`.
    In,
    /// `--limit-iface-out`.
    Out,
}

/// A set of address types, one bit each in the order of `NAMES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeSet(u16);

const NAMES: [(&str, AddrType); 12] = [
    ("UNSPEC", AddrType::Unspec),
    ("UNICAST", AddrType::Unicast),
    ("LOCAL", AddrType::Local),
    ("BROADCAST", AddrType::Broadcast),
    ("ANYCAST", AddrType::Anycast),
    ("MULTICAST", AddrType::Multicast),
    ("BLACKHOLE", AddrType::Blackhole),
    ("UNREACHABLE", AddrType::Unreachable),
    ("PROHIBIT", AddrType::Prohibit),
    ("THROW", AddrType::Throw),
    ("NAT", AddrType::Nat),
    ("XRESOLVE", AddrType::Xresolve),
];

impl TypeSet {
    fn parse(text: &str) -> Result<Self, ArgError> {
        let mut set = 0;
        let read = names_between_commas(text, |name| {
            let bit = abbreviated(&NAMES, name);
            set |= bit.map_or(0, |bit| 1 << bit);
            bit.is_some()
        });
        match read {
            Ok(()) => Ok(Self(set)),
            Err(rest) if rest.contains(',') => Err(ArgError::said(format!("addrtype: bad type `{rest}'"))),
            Err(rest) => Err(ArgError::said(format!("addrtype: bad type \"{rest}\""))),
        }
    }

    fn contains(self, addr_type: AddrType) -> bool {
        NAMES.iter().position(|(_, known)| *known == addr_type).is_some_and(|bit| self.0 & 1 << bit != 0)
    }
}

impl fmt::Display for TypeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> =
            NAMES.iter().enumerate().filter(|(bit, _)| self.0 & 1 << bit != 0).map(|(_, (name, _))| *name).collect();
        f.write_str(&names.join(","))
    }
}

impl Extension for Addrtype {
    const OPTIONS: &'static [Opt] =
        &[negatable("src-type"), negatable("dst-type"), flag("limit-iface-in").excludes(&["limit-iface-out"]), flag("limit-iface-out").excludes(&["limit-iface-in"])];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let mut types = |name| {
            args.take(name)?
                .map(|given| Ok(Not { invert: given.invert, value: TypeSet::parse(given.text())? }))
                .transpose()
        };
        let (src, dst) = (types("src-type")?, types("dst-type")?);
        let limit = match (args.has("limit-iface-in")?, args.has("limit-iface-out")?) {
            (true, _) => Some(Limit::In),
            (false, true) => Some(Limit::Out),
            (false, false) => None,
        };
        if src.is_none() && dst.is_none() {
            return Err(ArgError::said("addrtype: you must specify --src-type or --dst-type"));
        }
        args.check(Self::OPTIONS)?;
        Ok(Self { src, dst, limit })
    }

    fn matches(&self, cx: &mut EvalCx<'_>, skb: &Skb) -> bool {
        let dev = match self.limit {
            Some(Limit::In) => cx.indev,
            Some(Limit::Out) => cx.outdev,
            None => None,
        };
        let fits = |types: &Option<Not<TypeSet>>, addr: IpAddr| {
            types.as_ref().is_none_or(|t| t.value.contains(cx.env.addr_type(addr, dev)) != t.invert)
        };
        fits(&self.src, skb.ip().src()) && fits(&self.dst, skb.ip().dst())
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        f.write_str(" ADDRTYPE match")?;
        for (name, types) in [("src-type", &self.src), ("dst-type", &self.dst)] {
            if let Some(Not { invert, value }) = types {
                write!(f, " {name} {}{value}", super::mark_of(*invert))?;
            }
        }
        match self.limit {
            Some(Limit::In) => f.write_str(" limit-in"),
            Some(Limit::Out) => f.write_str(" limit-out"),
            None => Ok(()),
        }
    }

    fn check(&self, site: &RuleSite<'_>) -> Result<(), Refused> {
        let wrong: &[HookName] = match self.limit {
            Some(Limit::In) => &[HookName::Postrouting, HookName::Output],
            Some(Limit::Out) => &[HookName::Prerouting, HookName::Input],
            None => &[],
        };
        if site.hooks.iter().any(|hook| wrong.contains(hook)) { Err(Refused::Invalid) } else { Ok(()) }
    }
}

impl fmt::Display for Addrtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, types) in [("src-type", &self.src), ("dst-type", &self.dst)] {
            if let Some(Not { invert, value }) = types {
                write!(f, " {}--{name} {value}", bang(*invert))?;
            }
        }
        match self.limit {
            Some(Limit::In) => f.write_str(" --limit-iface-in"),
            Some(Limit::Out) => f.write_str(" --limit-iface-out"),
            None => Ok(()),
        }
    }
}
