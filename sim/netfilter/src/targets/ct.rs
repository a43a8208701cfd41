use std::fmt;

use packet::{ConnId, CtInfo, CtRef, Skb};

use super::Extension;
use crate::args::{ArgError, Args, Opt, flag, number, value};
use crate::conntrack::{EventMask, Template, Zone, ZoneDir};
use crate::{Action, EvalCx, Refused, RuleSite, TableName};

/// `-j CT`: how connection tracking is to look at a packet.
/// Kernel: `net/netfilter/xt_CT.c`.
///
/// Simplified: the helpers that the kernel has are refused by name; events of expectations are
/// kept, but nobody is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ct {
    /// `--notrack`.
    pub notrack: bool,
    /// `--helper`, of a name that the kernel doesn't know.
    pub helper: Option<String>,
    /// `--timeout`: nobody makes policies, so none exists.
    pub timeout: Option<String>,
    /// `--ctevents`.
    pub events: EventMask,
    /// `--expevents`.
    pub expectation_events: EventMask,
    /// `--zone`, `--zone-orig`, `--zone-reply`.
    pub zone: Zone,
    /// The zone's number is the packet's mark.
    pub zone_of_mark: bool,
}

/// `-j NOTRACK`, the older word for `-j CT --notrack`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notrack;

/// Names of events as iptables has them. iptables: `ct_event_tbl`.
const EVENTS: [(&str, u16); 10] = [
    ("new", 0),
    ("related", 1),
    ("destroy", 2),
    ("reply", 3),
    ("assured", 4),
    ("protoinfo", 5),
    ("helper", 6),
    ("mark", 7),
    ("natseqinfo", 8),
    ("secmark", 9),
];

/// Helpers of Linux 6.18.
const HELPERS: [&str; 13] = [
    "amanda",
    "ftp",
    "H.245",
    "Q.931",
    "RAS",
    "irc",
    "netbios-ns",
    "pptp",
    "sane",
    "sip",
    "snmp",
    "snmp_trap",
    "tftp",
];

fn parse_events(text: &str) -> Result<EventMask, ArgError> {
    text.split(',').try_fold(EventMask::NONE, |mask, word| {
        match EVENTS.iter().find(|(name, _)| *name == word) {
            Some((_, bit)) => Ok(mask.with(EventMask(1 << bit))),
            None => Err(ArgError::said(format!("Unknown event type \"{word}\""))),
        }
    })
}

fn event_names(mask: EventMask) -> String {
    let names: Vec<&str> =
        EVENTS.iter().filter(|(_, bit)| mask.0 >> bit & 1 != 0).map(|(name, _)| *name).collect();
    names.join(",")
}

/// Kernel: `nf_ct_set(skb, NULL, IP_CT_UNTRACKED)`.
fn untrack(skb: &mut Skb) -> Action {
    if skb.ct.is_none() {
        skb.ct = Some(CtRef { conn: ConnId(0), info: CtInfo::Untracked });
    }
    Action::Continue
}

impl Ct {
    fn write(&self, f: &mut fmt::Formatter<'_>, dashes: &str) -> fmt::Result {
        let Self { notrack, helper, timeout, events, expectation_events, zone, zone_of_mark } = self;
        if *notrack {
            write!(f, " {dashes}notrack")?;
        }
        for (option, name) in [("helper", helper), ("timeout", timeout)] {
            if let Some(name) = name {
                write!(f, " {dashes}{option} {name}")?;
            }
        }
        for (option, mask) in [("ctevents", events), ("expevents", expectation_events)] {
            if !mask.is_empty() {
                write!(f, " {dashes}{option} {}", event_names(*mask))?;
            }
        }
        let option = match zone.dir {
            ZoneDir::Both => "zone",
            ZoneDir::Original => "zone-orig",
            ZoneDir::Reply => "zone-reply",
        };
        match (zone_of_mark, zone.id) {
            (true, _) => write!(f, " {dashes}{option} mark"),
            (false, 0) => Ok(()),
            (false, id) => write!(f, " {dashes}{option} {id}"),
        }
    }
}

impl Extension for Ct {
    const OPTIONS: &'static [Opt] = &[
        flag("notrack"),
        value("helper"),
        value("timeout"),
        value("ctevents"),
        value("expevents"),
        value("zone"),
        value("zone-orig"),
        value("zone-reply"),
    ];
    const TABLE: Option<TableName> = Some(TableName::Raw);

    fn needs_conntrack(&self) -> bool {
        !self.notrack
    }

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let mut this = Self { notrack: args.has("notrack")?, ..Self::default() };
        this.helper = args.take("helper")?.map(|given| given.text().to_owned());
        let known = this.helper.as_deref().filter(|name| HELPERS.contains(name));
        if let (Some(name), Some(_)) = (known, args.proto) {
            return Err(ArgError::said(format!("CT: helper {name} is not simulated")));
        }
        this.timeout = args.take("timeout")?.map(|given| given.text().to_owned());
        if let Some(given) = args.take("ctevents")? {
            this.events = parse_events(given.text())?;
        }
        if let Some(given) = args.take("expevents")? {
            this.expectation_events = parse_events(given.text())?;
        }
        // A later option sets the zone anew and adds its direction.
        let mut dirs = (false, false);
        for option in ["zone", "zone-orig", "zone-reply"] {
            args.once(option)?;
        }
        let zones: Vec<_> = args.given.drain(..).collect();
        for given in zones {
            match given.name {
                "zone-orig" => dirs.0 = true,
                "zone-reply" => dirs.1 = true,
                _ => {}
            }
            let text = given.text();
            if text == "mark" {
                this.zone_of_mark = true;
                continue;
            }
            let id = number(text).and_then(|id| u16::try_from(id).ok());
            this.zone.id = id.ok_or_else(|| ArgError::said(format!("Cannot parse {text} as a zone ID")))?;
        }
        this.zone.dir = match dirs {
            (true, false) => ZoneDir::Original,
            (false, true) => ZoneDir::Reply,
            (true, true) | (false, false) => ZoneDir::Both,
        };
        Ok(this)
    }

    fn apply(&self, _: &mut EvalCx<'_>, skb: &mut Skb) -> Action {
        if self.notrack {
            return untrack(skb);
        }
        if skb.ct.is_none() {
            let Self { zone, zone_of_mark, events, .. } = *self;
            let template = Template { zone, zone_of_mark, events };
            skb.ct = Some(CtRef { conn: ConnId(template.pack()), info: CtInfo::Template });
        }
        Action::Continue
    }

    fn check(&self, site: &RuleSite<'_>) -> Result<(), Refused> {
        let named = site.rule.selector.proto.as_ref().is_some_and(|proto| !proto.invert);
        // Kernel: `xt_ct_set_timeout` asks for the protocol first, `xt_ct_set_helper` doesn't.
        if self.helper.is_none() && self.timeout.is_some() && !named {
            return Err(Refused::Invalid);
        }
        if self.helper.is_some() || self.timeout.is_some() { Err(Refused::NotFound) } else { Ok(()) }
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        f.write_str(" CT")?;
        self.write(f, "")
    }
}

impl Extension for Notrack {
    const TABLE: Option<TableName> = Some(TableName::Raw);
    const LISTED: Option<&'static str> = Some("CT");

    fn parse(_: &mut Args) -> Result<Self, ArgError> {
        Ok(Self)
    }

    fn apply(&self, _: &mut EvalCx<'_>, skb: &mut Skb) -> Action {
        untrack(skb)
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        f.write_str(" NOTRACK")
    }
}

impl fmt::Display for Ct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, "--")
    }
}

impl fmt::Display for Notrack {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}
