//! Targets: what `-j NAME` does. One file each, and one line in [`register_targets!`].

use std::fmt;

use packet::Skb;
use trace::HookName;

use crate::args::{ArgError, Args, Opt};
use crate::{Action, EvalCx, Refused, RuleSite, TableName};

/// What a target is made of. Its `Display` writes its options as `iptables -S` does, each with a
/// space before it and without `-j NAME`.
pub trait Extension: fmt::Display + Sized {
    /// The options it understands.
    const OPTIONS: &'static [Opt] = &[];
    /// Whether a rule with it needs connection tracking in the namespace.
    const CONNTRACK: bool = false;
    /// The only table it is allowed in.
    const TABLE: Option<TableName> = None;
    /// The only hooks it is allowed at; empty means all.
    const HOOKS: &'static [HookName] = &[];
    /// Its name in `iptables -L`, if it isn't the one after `-j`.
    const LISTED: Option<&'static str> = None;

    /// Reads the options given to it.
    ///
    /// # Errors
    /// What iptables says of them.
    fn parse(args: &mut Args) -> Result<Self, ArgError>;

    /// Acts on a packet.
    fn apply(&self, cx: &mut EvalCx<'_>, skb: &mut Skb) -> Action;

    /// Whether this one needs connection tracking. Kernel: `nf_ct_netns_get`.
    fn needs_conntrack(&self) -> bool {
        Self::CONNTRACK
    }

    /// Writes it as `iptables -L` does, with a space before it.
    ///
    /// # Errors
    /// The formatter's.
    fn list(&self, f: &mut fmt::Formatter<'_>, numeric: bool) -> fmt::Result;

    /// Whether the kernel takes it in a rule of this place, besides table and hooks.
    ///
    /// # Errors
    /// The kernel's refusal.
    fn check(&self, site: &RuleSite<'_>) -> Result<(), Refused> {
        let _ = site;
        Ok(())
    }
}

macro_rules! register_targets {
    ($($name:literal => $module:ident::$variant:ident,)*) => {
        /// A target with its options.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Target {
            $(#[doc = concat!("`-j ", $name, "`.")] $variant($module::$variant),)*
        }

        impl Target {
            /// Every name after `-j`.
            pub const NAMES: &[&str] = &[$($name),*];

            /// The options of the target called `name`, with its name; `None` if there is none.
            pub fn options(name: &str) -> Option<(&'static str, &'static [Opt])> {
                match name { $($name => Some(($name, $module::$variant::OPTIONS)),)* _ => None }
            }

            /// Reads the options given to the target that `args` names.
            ///
            /// # Errors
            /// What iptables says of them.
            pub fn parse(args: &mut Args) -> Result<Self, ArgError> {
                match args.extension {
                    $($name => $module::$variant::parse(args).map(Self::$variant),)*
                    other => Err(ArgError::NoChain(other.to_owned())),
                }
            }

            /// The name after `-j`.
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)* }
            }

            /// The name in `iptables -L`.
            pub fn listed_name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $module::$variant::LISTED.unwrap_or($name),)* }
            }

            /// Whether a rule with it needs connection tracking.
            pub fn needs_conntrack(&self) -> bool {
                match self { $(Self::$variant(t) => t.needs_conntrack(),)* }
            }

            /// Acts on a packet.
            pub fn apply(&self, cx: &mut EvalCx<'_>, skb: &mut Skb) -> Action {
                match self { $(Self::$variant(t) => t.apply(cx, skb),)* }
            }

            /// Writes it as `iptables -L` does.
            ///
            /// # Errors
            /// The formatter's.
            pub fn list(&self, f: &mut fmt::Formatter<'_>, numeric: bool) -> fmt::Result {
                match self { $(Self::$variant(t) => t.list(f, numeric),)* }
            }

            /// Whether the kernel takes it in a rule of this place. Kernel: `xt_check_target`.
            ///
            /// # Errors
            /// The kernel's refusal.
            pub fn check(&self, site: &RuleSite<'_>) -> Result<(), Refused> {
                match self {
                    $(Self::$variant(t) => {
                        let table = $module::$variant::TABLE;
                        let hooks = $module::$variant::HOOKS;
                        if table.is_some_and(|table| table != site.table)
                            || !hooks.is_empty() && site.hooks.iter().any(|hook| !hooks.contains(hook))
                        {
                            return Err(Refused::Invalid);
                        }
                        t.check(site)
                    })*
                }
            }
        }

        /// ` -j NAME` and the options, as `iptables -S` prints them.
        impl fmt::Display for Target {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Self::$variant(t) => write!(f, concat!(" -j ", $name, "{}"), t),)* }
            }
        }
    };
}

mod checksum;
mod classify;
mod connmark;
mod ct;
mod dnat;
mod dscp;
mod log;
mod mark;
mod masquerade;
mod netmap;
mod nflog;
mod nfqueue;
mod redirect;
mod reject;
mod set;
mod snat;
mod standard;
mod tcpmss;
mod tos;
mod tproxy;
mod trace_target;
mod ttl;

pub(crate) use log::Log;
pub(crate) use log::packet_line;
pub use reject::RejectWith;

register_targets! {
    "ACCEPT" => standard::Accept,
    "CHECKSUM" => checksum::Checksum,
    "CLASSIFY" => classify::Classify,
    "CONNMARK" => connmark::Connmark,
    "CT" => ct::Ct,
    "DNAT" => dnat::Dnat,
    "DROP" => standard::Drop,
    "DSCP" => dscp::Dscp,
    "LOG" => log::Log,
    "MARK" => mark::Mark,
    "MASQUERADE" => masquerade::Masquerade,
    "NETMAP" => netmap::Netmap,
    "NFLOG" => nflog::Nflog,
    "NFQUEUE" => nfqueue::Nfqueue,
    "NOTRACK" => ct::Notrack,
    "QUEUE" => standard::Queue,
    "REDIRECT" => redirect::Redirect,
    "REJECT" => reject::Reject,
    "RETURN" => standard::Return,
    "SET" => set::SetTarget,
    "SNAT" => snat::Snat,
    "TCPMSS" => tcpmss::Tcpmss,
    "TOS" => tos::Tos,
    "TPROXY" => tproxy::Tproxy,
    "TRACE" => trace_target::Trace,
    "TTL" => ttl::Ttl,
}

/// Targets of iptables 1.8.9 that are not simulated. They are refused by name, not taken for a
/// chain that doesn't exist.
pub const NOT_SIMULATED: &[&str] = &[
    "AUDIT",
    "CLUSTERIP",
    "CONNSECMARK",
    "ECN",
    "HMARK",
    "IDLETIMER",
    "LED",
    "RATEEST",
    "SECMARK",
    "SYNPROXY",
    "TCPOPTSTRIP",
    "TEE",
    "ULOG",
];
