//! Matches: what `-m NAME` asks of a packet. One file each, and one line in [`register_matches!`].

use std::fmt;

use packet::Skb;

use crate::args::{ArgError, Args, Opt};
use crate::{EvalCx, Held, Refused, RuleSite, Shared};

/// What a match is made of. Its `Display` writes its options as `iptables -S` does, each with a
/// space before it and without `-m NAME`.
pub trait Extension: fmt::Display + Sized {
    /// The options it understands.
    const OPTIONS: &'static [Opt];
    /// Whether a rule with it needs connection tracking in the namespace.
    const CONNTRACK: bool = false;
    /// Whether it remembers something between packets ([`EvalCx::memory`]).
    const REMEMBERS: bool = false;

    /// Reads the options given to it.
    ///
    /// # Errors
    /// What iptables says of them.
    fn parse(args: &mut Args) -> Result<Self, ArgError>;

    /// Whether the packet fits. May change what the match remembers.
    fn matches(&self, cx: &mut EvalCx<'_>, skb: &Skb) -> bool;

    /// Writes it as `iptables -L` does, with a space before it; port names unless `numeric`.
    ///
    /// # Errors
    /// The formatter's.
    fn list(&self, f: &mut fmt::Formatter<'_>, numeric: bool) -> fmt::Result;

    /// Whether the kernel takes it in a rule of this place.
    ///
    /// # Errors
    /// The kernel's refusal.
    fn check(&self, site: &RuleSite<'_>) -> Result<(), Refused> {
        let _ = site;
        Ok(())
    }

    /// The table that it keeps alive.
    fn held(&self) -> Option<Held> {
        None
    }

    /// Makes that table, or fits it to one more rule.
    fn install(&self, shared: &mut Shared) {
        let _ = shared;
    }
}

macro_rules! register_matches {
    ($($name:literal => $module:ident::$variant:ident,)*) => {
        $(mod $module; pub use $module::$variant;)*

        /// A match with its options.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Match {
            $(#[doc = concat!("`-m ", $name, "`.")] $variant($variant),)*
        }

        impl Match {
            /// Every name after `-m`.
            pub const NAMES: &[&str] = &[$($name),*];

            /// The options of the match called `name`, with its name; `None` if there is none.
            pub fn options(name: &str) -> Option<(&'static str, &'static [Opt])> {
                match name { $($name => Some(($name, $variant::OPTIONS)),)* _ => None }
            }

            /// Reads the options given to the match that `args` names.
            ///
            /// # Errors
            /// What iptables says of them.
            pub fn parse(args: &mut Args) -> Result<Self, ArgError> {
                match args.extension {
                    $($name => $variant::parse(args).map(Self::$variant),)*
                    other => Err(ArgError::NoMatch(other.to_owned())),
                }
            }

            /// The name after `-m`.
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)* }
            }

            /// Whether it remembers something between packets.
            pub const fn remembers(&self) -> bool {
                match self { $(Self::$variant(_) => $variant::REMEMBERS,)* }
            }

            /// Whether a rule with it needs connection tracking.
            pub const fn needs_conntrack(&self) -> bool {
                match self { $(Self::$variant(_) => $variant::CONNTRACK,)* }
            }

            /// Whether the packet fits.
            #[inline]
            pub fn matches(&self, cx: &mut EvalCx<'_>, skb: &Skb) -> bool {
                match self { $(Self::$variant(m) => m.matches(cx, skb),)* }
            }

            /// Writes it as `iptables -L` does.
            ///
            /// # Errors
            /// The formatter's.
            pub fn list(&self, f: &mut fmt::Formatter<'_>, numeric: bool) -> fmt::Result {
                match self { $(Self::$variant(m) => m.list(f, numeric),)* }
            }

            /// The table that it keeps alive.
            pub(crate) fn held(&self) -> Option<Held> {
                match self { $(Self::$variant(m) => m.held(),)* }
            }

            /// Makes that table, or fits it to one more rule.
            pub(crate) fn install(&self, shared: &mut Shared) {
                match self { $(Self::$variant(m) => m.install(shared),)* }
            }

            /// Whether the kernel takes it in a rule of this place.
            ///
            /// # Errors
            /// The kernel's refusal.
            pub fn check(&self, site: &RuleSite<'_>) -> Result<(), Refused> {
                match self { $(Self::$variant(m) => m.check(site),)* }
            }
        }

        /// ` -m NAME` and the options, as `iptables -S` prints them.
        impl fmt::Display for Match {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Self::$variant(m) => write!(f, concat!(" -m ", $name, "{}"), m),)* }
            }
        }
    };
}

pub(crate) use dscp::parse_class;
pub use hashlimit::HashlimitTable;
pub use recent::{RecentTable, RecentWrite};
pub(crate) use set::parse_set;
pub(crate) use tos::{parse_tos, tos_name};

register_matches! {
    "addrtype" => addrtype::Addrtype,
    "comment" => comment::Comment,
    "connbytes" => connbytes::Connbytes,
    "connlimit" => connlimit::Connlimit,
    "connmark" => connmark::Connmark,
    "conntrack" => conntrack::ConntrackMatch,
    "dscp" => dscp::Dscp,
    "hashlimit" => hashlimit::Hashlimit,
    "icmp" => icmp::IcmpMatch,
    "iprange" => iprange::Iprange,
    "length" => length::Length,
    "limit" => limit::Limit,
    "mac" => mac::Mac,
    "mark" => mark::Mark,
    "multiport" => multiport::Multiport,
    "owner" => owner::Owner,
    "physdev" => physdev::Physdev,
    "pkttype" => pkttype::Pkttype,
    "set" => set::SetMatch,
    "quota" => quota::Quota,
    "recent" => recent::Recent,
    "rpfilter" => rpfilter::Rpfilter,
    "sctp" => sctp::SctpMatch,
    "state" => state::State,
    "statistic" => statistic::Statistic,
    "string" => string::StringMatch,
    "tcp" => tcp::TcpMatch,
    "tcpmss" => tcpmss::TcpmssMatch,
    "tos" => tos::Tos,
    "ttl" => ttl::Ttl,
    "u32" => u32_match::U32Match,
    "udp" => udp::UdpMatch,
}

/// `! ` or nothing.
const fn bang(invert: bool) -> &'static str {
    if invert { "! " } else { "" }
}

/// `!` or nothing.
const fn mark_of(invert: bool) -> &'static str {
    if invert { "!" } else { "" }
}
