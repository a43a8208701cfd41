//! Which devices and addresses a listing or flush is about. iproute2: `struct link_filter`.

use kernel::dump::{AddrInfo, LinkInfo};
use kernel::{InterfaceAddr, Scope};

use super::link_details::kind_name;
use super::{addr, link, link_show::Listing, options::Options};
use crate::console::Stop;
use crate::iproute::args::{Family, Prefix, Words, duparg2, get_prefix, invarg, matches, not_simulated};
use crate::iproute::env::Env;
use crate::iproute::names::{read_group, read_scope};

/// What a filter asks of a device's master.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MasterFilter {
    /// Nothing.
    #[default]
    Any,
    /// This one.
    Name(String),
    /// None.
    Nobody,
}

/// The words after `show` or `flush`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// `dev`.
    pub dev: Option<String>,
    /// `to`.
    pub to: Option<Prefix>,
    /// `scope`.
    pub scope: Option<Scope>,
    /// `up`.
    pub up: bool,
    /// Address flags (`IFA_F_*`) that are asked for, of those in `flag_mask`.
    pub flags: u32,
    /// Address flags that matter.
    pub flag_mask: u32,
    /// `label`, a pattern.
    pub label: Option<String>,
    /// `group`.
    pub group: Option<u32>,
    /// `master`, `nomaster`.
    pub master: MasterFilter,
    /// `type`.
    pub kind: Option<String>,
    /// `type KIND_slave`.
    pub slave_kind: Option<String>,
    /// Address family, from the options or from `to`.
    pub family: Family,
}

const IFA_F_SECONDARY: u32 = 0x01;
const IFA_F_DEPRECATED: u32 = 0x20;
const IFA_F_PERMANENT: u32 = 0x80;
const IFA_F_NOPREFIXROUTE: u32 = 0x200;

/// Flags by name. iproute2: `ifa_flag_data`.
const ADDR_FLAGS: &[(&str, u32)] = &[
    ("secondary", IFA_F_SECONDARY),
    ("temporary", IFA_F_SECONDARY),
    ("nodad", 0x02),
    ("optimistic", 0x04),
    ("dadfailed", 0x08),
    ("home", 0x10),
    ("deprecated", IFA_F_DEPRECATED),
    ("tentative", 0x40),
    ("permanent", IFA_F_PERMANENT),
    ("mngtmpaddr", 0x100),
    ("noprefixroute", IFA_F_NOPREFIXROUTE),
    ("autojoin", 0x400),
    ("stable-privacy", 0x800),
];

/// An address's flags as netlink has them.
pub fn flags_of(addr: &InterfaceAddr) -> u32 {
    let bit = |on: bool, bit: u32| if on { bit } else { 0 };
    bit(addr.flags.secondary, IFA_F_SECONDARY)
        | bit(addr.flags.deprecated, IFA_F_DEPRECATED)
        | bit(addr.lifetime.is_none(), IFA_F_PERMANENT)
        | bit(addr.flags.noprefixroute, IFA_F_NOPREFIXROUTE)
}

impl Filter {
    /// Reads the words. iproute2: `ipaddr_list_flush_or_save`.
    ///
    /// # Errors
    /// What iproute2 says about words it doesn't take.
    pub fn parse(words: &[&str], listing: Listing, options: &Options, env: Env<'_>) -> Result<Self, Stop> {
        let mut f = Self { family: options.family, ..Self::default() };
        if listing == Listing::Link {
            f.family = Family::Packet;
        }
        let mut words = Words::new(words);
        while let Some(word) = words.next_word() {
            match word {
                "to" => {
                    let prefix = get_prefix(words.value()?, f.family)?;
                    if f.family == Family::Unspec {
                        f.family = prefix.family;
                    }
                    f.to = Some(prefix);
                }
                "scope" => {
                    let value = words.value()?;
                    f.scope = match read_scope(value) {
                        Some(scope) => Some(scope),
                        None if value == "all" => None,
                        None => return Err(invarg("invalid \"scope\"\n", value)),
                    };
                }
                "up" => f.up = true,
                _ if f.take_flag(word) => {}
                "label" => f.label = Some(words.value()?.to_owned()),
                "group" => {
                    let value = words.value()?;
                    f.group =
                        Some(read_group(value).ok_or_else(|| invarg("Invalid \"group\" value\n", value))?);
                }
                "master" => {
                    let value = words.value()?;
                    if !env.has_device(value) {
                        return Err(invarg("Device does not exist\n", value));
                    }
                    f.master = MasterFilter::Name(env.own_name(value));
                }
                "vrf" => return Err(not_simulated("ip", word)),
                "nomaster" => f.master = MasterFilter::Nobody,
                "type" => {
                    let value = words.value()?;
                    match value.strip_suffix("_slave") {
                        Some(kind) => f.slave_kind = Some(kind.to_owned()),
                        None => f.kind = Some(value.to_owned()),
                    }
                }
                _ => {
                    let value = if word == "dev" {
                        words.value()?
                    } else if matches(word, "help") {
                        return Err(if listing == Listing::Link { link::usage() } else { addr::usage() });
                    } else {
                        word
                    };
                    if f.dev.is_some() {
                        return Err(duparg2("dev", value));
                    }
                    f.dev = Some(value.to_owned());
                }
            }
        }
        if let Some(dev) = &f.dev {
            if !env.has_device(dev) {
                return Err(Stop::fail(-1, format!("Device \"{dev}\" does not exist.")));
            }
            f.dev = Some(env.own_name(dev));
        }
        Ok(f)
    }

    /// Takes an address flag. iproute2: `get_filter`.
    fn take_flag(&mut self, word: &str) -> bool {
        let (inverted, name) = match word.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, word),
        };
        let (inverted, name) = match name {
            "dynamic" => (!inverted, "permanent"),
            "primary" => (!inverted, "secondary"),
            name => (inverted, name),
        };
        let Some((_, bit)) = ADDR_FLAGS.iter().find(|(flag, _)| *flag == name) else { return false };
        self.flags = if inverted { self.flags & !bit } else { self.flags | bit };
        self.flag_mask |= bit;
        true
    }

    /// Whether only primary addresses are asked for.
    pub fn primary_only(&self) -> bool {
        self.flag_mask & IFA_F_SECONDARY != 0 && self.flags & IFA_F_SECONDARY == 0
    }

    /// Whether the kernel lists a device when asked with this filter.
    pub fn dumps_link(&self, link: &LinkInfo) -> bool {
        let kind_fits = |kind: &String| link.kind.as_ref().is_some_and(|k| kind_name(k) == kind);
        let master_fits = match &self.master {
            MasterFilter::Any => true,
            MasterFilter::Name(name) => link.master.as_ref() == Some(name),
            MasterFilter::Nobody => link.master.is_none(),
        };
        self.dev.as_ref().is_none_or(|dev| *dev == link.name)
            && master_fits
            && self.kind.as_ref().is_none_or(kind_fits)
    }

    /// Whether `ip` prints a device that the kernel listed. In JSON one that doesn't pass leaves
    /// an empty object.
    pub fn prints_link(&self, link: &LinkInfo) -> bool {
        (!self.up || link.flags & 1 != 0)
            && self.group.is_none_or(|group| group == link.group)
            && self.slave_kind.as_ref().is_none_or(|kind| link.port.is_some() && kind == "bridge")
    }

    /// Whether an address passes.
    pub fn takes_addr(&self, info: &AddrInfo) -> bool {
        let addr = &info.addr;
        let own = addr.local.addr();
        let prefix_fits =
            |to: &Prefix| to.len == 0 || (to.family == Family::of(own) && to.net().contains(&own));
        (matches!(self.family, Family::Unspec) || self.family == Family::of(own))
            && self.scope.is_none_or(|scope| scope == addr.scope)
            && (self.flags ^ flags_of(addr)) & self.flag_mask == 0
            && self.label.as_ref().is_none_or(|pattern| fnmatch(pattern, &addr.label))
            && self.to.as_ref().is_none_or(prefix_fits)
    }
}

/// Whether `text` fits a shell pattern of `*`, `?` and `[…]`.
pub fn fnmatch(pattern: &str, text: &str) -> bool {
    fn go(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|n| go(rest, &text[n..])),
            Some(('?', rest)) => !text.is_empty() && go(rest, &text[1..]),
            Some(('[', rest)) => {
                let (Some(end), Some(c)) = (rest.iter().position(|&c| c == ']'), text.first()) else {
                    return text.first() == Some(&'[') && go(rest, &text[1..]);
                };
                let (negated, set) = match rest[..end].split_first() {
                    Some(('!' | '^', set)) => (true, set),
                    _ => (false, &rest[..end]),
                };
                let mut found = false;
                let mut i = 0;
                while i < set.len() {
                    if i + 2 < set.len() && set[i + 1] == '-' {
                        found |= (set[i]..=set[i + 2]).contains(c);
                        i += 3;
                    } else {
                        found |= set[i] == *c;
                        i += 1;
                    }
                }
                found != negated && go(&rest[end + 1..], &text[1..])
            }
            Some((c, rest)) => text.first() == Some(c) && go(rest, &text[1..]),
        }
    }
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    go(&pattern, &text)
}
