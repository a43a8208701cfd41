use std::net::{IpAddr, Ipv4Addr};

use netfilter::AddrMask;
use netfilter::conntrack::{Conn, ConntrackFilter, EventMask, NatTo, StatusFilter, TcpState};
use netfilter::names;
use packet::{L4Key, Proto, Tuple};

use super::refuse;
use crate::console::Stop;

/// What a command line is about. conntrack-tools: `enum ct_command`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Command {
    /// None given: the usage.
    #[default]
    None,
    List,
    Create,
    Add,
    Update,
    Delete,
    Get,
    Flush,
    Event,
    Count,
    Stats,
    Version,
    Help,
}

/// Which table a command is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Table {
    #[default]
    Conntrack,
    Expect,
    Dying,
    Unconfirmed,
}

/// `-o`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Output {
    pub xml: bool,
    pub save: bool,
    pub extended: bool,
    pub timestamp: bool,
    pub id: bool,
    pub ktimestamp: bool,
}

/// A command line, read.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    pub command: Command,
    pub table: Table,
    pub filter: ConntrackFilter,
    pub output: Output,
    pub zero: bool,
    pub timeout: Option<u32>,
    pub events: EventMask,
    /// What is said on standard error before anything else.
    pub warning: String,
    status: Option<u32>,
    /// Letters of the options given.
    given: Vec<char>,
    family: Option<Family>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

/// Long options with their letters. conntrack-tools: `original_opts`.
const LONG: &[(&str, char)] = &[
    ("dump", 'L'),
    ("create", 'I'),
    ("add", 'A'),
    ("delete", 'D'),
    ("update", 'U'),
    ("get", 'G'),
    ("flush", 'F'),
    ("event", 'E'),
    ("counter", 'C'),
    ("stats", 'S'),
    ("version", 'V'),
    ("help", 'h'),
    ("load-file", 'R'),
    ("orig-src", 's'),
    ("src", 's'),
    ("orig-dst", 'd'),
    ("dst", 'd'),
    ("reply-src", 'r'),
    ("reply-dst", 'q'),
    ("protonum", 'p'),
    ("timeout", 't'),
    ("status", 'u'),
    ("zero", 'z'),
    ("event-mask", 'e'),
    ("tuple-src", '['),
    ("tuple-dst", ']'),
    ("mask-src", '{'),
    ("mask-dst", '}'),
    ("nat-range", 'a'),
    ("mark", 'm'),
    ("secmark", 'c'),
    ("id", 'i'),
    ("family", 'f'),
    ("src-nat", 'n'),
    ("dst-nat", 'g'),
    ("output", 'o'),
    ("buffer-size", 'b'),
    ("any-nat", 'j'),
    ("zone", 'w'),
    ("label", 'l'),
    ("label-add", '<'),
    ("label-del", '>'),
    ("orig-zone", '('),
    ("reply-zone", ')'),
];

/// Long options that a protocol adds once `-p` named it.
const PORTS: &[(&str, ProtoOption)] = &[
    ("orig-port-src", ProtoOption::OrigSport),
    ("sport", ProtoOption::OrigSport),
    ("orig-port-dst", ProtoOption::OrigDport),
    ("dport", ProtoOption::OrigDport),
    ("reply-port-src", ProtoOption::ReplySport),
    ("reply-port-dst", ProtoOption::ReplyDport),
];
const STATE: &[(&str, ProtoOption)] = &[("state", ProtoOption::State)];
const SCTP: &[(&str, ProtoOption)] = &[
    ("state", ProtoOption::State),
    ("orig-vtag", ProtoOption::Ignored),
    ("reply-vtag", ProtoOption::Ignored),
];
const ICMP: &[(&str, ProtoOption)] = &[
    ("icmp-type", ProtoOption::IcmpType),
    ("icmp-code", ProtoOption::IcmpCode),
    ("icmp-id", ProtoOption::IcmpId),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ProtoOption {
    OrigSport,
    OrigDport,
    ReplySport,
    ReplyDport,
    State,
    IcmpType,
    IcmpCode,
    IcmpId,
    Ignored,
}

fn proto_options(proto: Option<Proto>) -> Vec<(&'static str, ProtoOption)> {
    match proto {
        Some(Proto::TCP) => [PORTS, STATE].concat(),
        Some(Proto::SCTP) => [PORTS, SCTP].concat(),
        Some(Proto::UDP | Proto(33) | Proto(136)) => PORTS.to_vec(),
        Some(Proto::ICMP) => ICMP.to_vec(),
        _ => Vec::new(),
    }
}

/// Letters with an argument, and those whose argument may miss. conntrack-tools: `getopt_str`.
const WITH_VALUE: &str = "sdrqptueamifocbwl[]{}<>()R";
const WITH_TABLE: &str = "LIAUDGEFCVhS";
const NAT: &str = "ngj";

/// Options in the order in which they are checked, and what commands may have. conntrack-tools:
/// `commands_v_options`; the columns are list, create, add, update, delete, get, event: `1` must
/// be, `2` may be, `3` is checked elsewhere.
const LEGAL: &[(char, &str, [u8; 7])] = &[
    ('s', "src", *b"2332232"),
    ('d', "dst", *b"2332232"),
    ('r', "reply-src", *b"2332232"),
    ('q', "reply-dst", *b"2332232"),
    ('p', "protonum", *b"2112212"),
    ('t', "timeout", *b"0112200"),
    ('u', "status", *b"2222200"),
    ('z', "zero", *b"2000000"),
    ('e', "event-mask", *b"0000002"),
    ('[', "tuple-src", *b"0000000"),
    (']', "tuple-dst", *b"0000000"),
    ('{', "mask-src", *b"2002202"),
    ('}', "mask-dst", *b"2002202"),
    ('a', "nat-range", *b"0220000"),
    ('m', "mark", *b"2222202"),
    ('i', "id", *b"0002220"),
    ('f', "family", *b"2222202"),
    ('n', "src-nat", *b"2222202"),
    ('g', "dst-nat", *b"2222202"),
    ('o', "output", *b"2002222"),
    ('c', "secmark", *b"2000002"),
    ('b', "buffer-size", *b"0000002"),
    ('j', "any-nat", *b"2000202"),
    ('w', "zone", *b"2222222"),
    ('l', "label", *b"2220202"),
    ('<', "label-add", *b"0002000"),
    ('>', "label-del", *b"0002000"),
    ('(', "orig-zone", *b"2222222"),
    (')', "reply-zone", *b"2222222"),
];

/// Reads a command line.
pub fn parse(words: &[String]) -> Result<Parsed, Stop> {
    let mut parsed = Parsed::default();
    let mut words = words.iter().map(String::as_str).peekable();
    while let Some(word) = words.next() {
        if let Some(long) = word.strip_prefix("--").filter(|long| !long.is_empty()) {
            let (name, value) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            let own = proto_options(parsed.filter.proto);
            match long_option(name, &own) {
                Some(Long::Letter(letter)) => parsed.option(word, letter, value, &mut words)?,
                Some(Long::Proto(option)) => match value.or_else(|| words.next()) {
                    Some(value) => parsed.proto_option(option, value)?,
                    None => return refuse(format!("option `{word}' requires an argument")),
                },
                None => return refuse(format!("unknown option `{word}'")),
            }
            continue;
        }
        let Some(short) = word.strip_prefix('-').filter(|short| !short.is_empty()) else { continue };
        let mut rest = short;
        while let Some(letter) = rest.chars().next() {
            rest = &rest[letter.len_utf8()..];
            if letter == 'z' {
                parsed.option(word, letter, None, &mut words)?;
            } else if WITH_VALUE.contains(letter) || WITH_TABLE.contains(letter) || NAT.contains(letter) {
                let attached = Some(rest).filter(|rest| !rest.is_empty());
                parsed.option(word, letter, attached, &mut words)?;
                break;
            } else {
                return refuse(format!("unknown option `{word}'"));
            }
        }
    }
    parsed.check()?;
    Ok(parsed)
}

enum Long {
    Letter(char),
    Proto(ProtoOption),
}

/// A long option, or the only one that begins so.
fn long_option(name: &str, own: &[(&'static str, ProtoOption)]) -> Option<Long> {
    if let Some((_, letter)) = LONG.iter().find(|(known, _)| *known == name) {
        return Some(Long::Letter(*letter));
    }
    if let Some((_, option)) = own.iter().find(|(known, _)| *known == name) {
        return Some(Long::Proto(*option));
    }
    let letters: Vec<char> =
        LONG.iter().filter(|(known, _)| known.starts_with(name)).map(|(_, letter)| *letter).collect();
    let options: Vec<ProtoOption> =
        own.iter().filter(|(known, _)| known.starts_with(name)).map(|(_, option)| *option).collect();
    match (letters.as_slice(), options.as_slice()) {
        ([letter, others @ ..], []) if others.iter().all(|other| other == letter) => {
            Some(Long::Letter(*letter))
        }
        ([], [option, others @ ..]) if others.iter().all(|other| other == option) => {
            Some(Long::Proto(*option))
        }
        _ => None,
    }
}

type Words<'a, I> = std::iter::Peekable<I>;

impl Parsed {
    fn option<'a, I: Iterator<Item = &'a str>>(
        &mut self,
        word: &str,
        letter: char,
        attached: Option<&'a str>,
        words: &mut Words<'a, I>,
    ) -> Result<(), Stop> {
        if WITH_TABLE.contains(letter) {
            return self.command(letter, attached, words);
        }
        if letter == 'R' {
            return Err(Stop::exit(1, format!("{}: -R is not simulated", super::NAME)));
        }
        self.given.push(letter);
        if letter == 'z' {
            self.zero = true;
            return Ok(());
        }
        if NAT.contains(letter) {
            let value = match attached {
                Some(value) => Some(value),
                None if words.peek().is_some_and(|next| !next.starts_with(['-', '!'])) => words.next(),
                None => None,
            };
            let to = value.map_or(Ok(NatTo::default()), nat_to)?;
            let nat = &mut self.filter.nat;
            *match letter {
                'n' => &mut nat.src,
                'g' => &mut nat.dst,
                _ => &mut nat.any,
            } = Some(to);
            return Ok(());
        }
        let Some(value) = attached.or_else(|| words.next()) else {
            return refuse(format!("option `{word}' requires an argument"));
        };
        match letter {
            's' => self.filter.orig_src = self.address(value)?,
            'd' => self.filter.orig_dst = self.address(value)?,
            'r' => self.filter.reply_src = self.address(value)?,
            'q' => self.filter.reply_dst = self.address(value)?,
            'p' => self.filter.proto = Some(protocol(value)?),
            't' => self.timeout = Some(atoi(value) as u32),
            'm' => {
                let (mark, mask) = value.split_once('/').unwrap_or((value, "0xffffffff"));
                self.filter.mark = Some((strtoul(mark), strtoul(mask)));
            }
            'u' => self.status(value)?,
            'e' => self.event_mask(value)?,
            'o' => self.output(value)?,
            'f' => {
                let family = match value {
                    "ipv4" => Family::V4,
                    "ipv6" => Family::V6,
                    _ => return refuse(format!("`{value}' unsupported protocol")),
                };
                self.set_family(family)?;
            }
            'w' => self.filter.zones[0] = Some(strtoul(value) as u16),
            '(' => self.filter.zones[1] = Some(strtoul(value) as u16),
            ')' => self.filter.zones[2] = Some(strtoul(value) as u16),
            'l' | '<' | '>' => {
                self.warning += "nfct_labelmap_new: No such file or directory\n";
                let stop = refuse::<()>(format!("unknown label '{value}'"));
                return stop.map_err(|stop| Stop { text: format!("{}{}", self.warning, stop.text), ..stop });
            }
            '{' | '}' => self.mask(letter, value)?,
            _ => {}
        }
        Ok(())
    }

    /// A command with the table it is about. conntrack-tools: `add_command`, `check_type`.
    fn command<'a, I: Iterator<Item = &'a str>>(
        &mut self,
        letter: char,
        attached: Option<&str>,
        words: &mut Words<'a, I>,
    ) -> Result<(), Stop> {
        let command = match letter {
            'L' => Command::List,
            'I' => Command::Create,
            'A' => Command::Add,
            'U' => Command::Update,
            'D' => Command::Delete,
            'G' => Command::Get,
            'E' => Command::Event,
            'F' => Command::Flush,
            'C' => Command::Count,
            'S' => Command::Stats,
            'V' => Command::Version,
            _ => Command::Help,
        };
        // With an attached word getopt took it, and it isn't looked at.
        if attached.is_none() && words.peek().is_some_and(|next| !next.starts_with(['-', '!'])) {
            let name = words.next().unwrap_or_default();
            let tables = [
                ("expect", Table::Expect),
                ("conntrack", Table::Conntrack),
                ("dying", Table::Dying),
                ("unconfirmed", Table::Unconfirmed),
            ];
            match tables.iter().find(|(known, _)| known.starts_with(name)) {
                Some((_, table)) => self.table = *table,
                None => return refuse(format!("unknown type `{name}'")),
            }
        }
        if self.command != Command::None {
            return refuse("Invalid commands combination");
        }
        self.command = command;
        Ok(())
    }

    fn set_family(&mut self, family: Family) -> Result<(), Stop> {
        if self.family.is_some_and(|known| known != family) {
            return refuse("mismatched address family");
        }
        self.family = Some(family);
        self.filter.never = family == Family::V6;
        Ok(())
    }

    /// Reads `ADDR[/LEN]`; none for IPv6, which nothing here has.
    fn address(&mut self, text: &str) -> Result<Option<AddrMask>, Stop> {
        let (addr, len) = text.split_once('/').map_or((text, None), |(addr, len)| (addr, Some(len)));
        if addr.parse::<std::net::Ipv6Addr>().is_ok() {
            self.set_family(Family::V6)?;
            return Ok(None);
        }
        let Ok(host) = AddrMask::parse(addr) else {
            return refuse(format!("Invalid IP address `{addr}'"));
        };
        self.set_family(Family::V4)?;
        match len {
            None => Ok(Some(host)),
            Some(len) => match len.parse::<u8>().ok().filter(|len| *len <= 32) {
                Some(_) => Ok(AddrMask::parse(text).ok()),
                None => refuse("Invalid netmask"),
            },
        }
    }

    /// `--mask-src`, `--mask-dst`: masks what `-s` or `-d` gave.
    fn mask(&mut self, letter: char, text: &str) -> Result<(), Stop> {
        let (name, option) = if letter == '{' {
            ("src", &mut self.filter.orig_src)
        } else {
            ("dst", &mut self.filter.orig_dst)
        };
        let Ok(mask) = text.parse::<Ipv4Addr>() else {
            return refuse(format!("Invalid IP address `{text}'"));
        };
        match option {
            Some(AddrMask { addr: IpAddr::V4(addr), .. }) => {
                let addr = Ipv4Addr::from_bits(addr.to_bits() & mask.to_bits());
                *option = Some(AddrMask { addr: addr.into(), mask: mask.into() });
                Ok(())
            }
            _ => refuse(format!("Can't use --mask-{name} without --{name}")),
        }
    }

    /// conntrack-tools: `parse_parameter`. A word may be the beginning of a name.
    fn words_of(
        &mut self,
        text: &str,
        names: &[(&'static str, u32)],
    ) -> Result<Vec<(&'static str, u32)>, Stop> {
        let begins = |name: &str, word: &str| {
            name.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        let mut found = Vec::new();
        let mut rest = text;
        loop {
            let (word, after) =
                rest.split_once(',').map_or((rest, None), |(word, after)| (word, Some(after)));
            let ignored = ["SRC_NAT", "DST_NAT"].into_iter().find(|name| begins(name, word));
            match (word.is_empty(), ignored, names.iter().find(|(name, _)| begins(name, word))) {
                (true, ..) | (_, None, None) => return refuse(format!("Bad parameter `{rest}'")),
                (_, Some(name), _) => {
                    let option = if name == "SRC_NAT" { "--src-nat" } else { "--dst-nat" };
                    self.warning += &format!("WARNING: ignoring {name}, use {option} instead\n");
                }
                (_, None, Some(name)) => found.push(*name),
            }
            match after {
                Some(after) => rest = after,
                None => return Ok(found),
            }
        }
    }

    fn status(&mut self, text: &str) -> Result<(), Stop> {
        const NAMES: [(&str, u32); 8] = [
            ("ASSURED", Conn::ASSURED),
            ("SEEN_REPLY", Conn::SEEN_REPLY),
            ("UNSET", 0),
            ("UNREPLIED", 1 << 31),
            ("FIXED_TIMEOUT", Conn::FIXED_TIMEOUT),
            ("EXPECTED", 1),
            ("OFFLOAD", 1 << 14),
            ("HW_OFFLOAD", 1 << 15),
        ];
        let bits = self.words_of(text, &NAMES)?.iter().fold(0, |bits, (_, bit)| bits | bit);
        let unreplied = bits >> 31 != 0;
        let value = bits & !(1 << 31);
        self.status = Some(value);
        let mask = if unreplied { value | Conn::SEEN_REPLY } else { value };
        self.filter.status = Some(StatusFilter { mask, value });
        Ok(())
    }

    fn event_mask(&mut self, text: &str) -> Result<(), Stop> {
        const NAMES: [(&str, u32); 4] = [("ALL", 7), ("NEW", 1), ("UPDATES", 2), ("DESTROY", 4)];
        for (_, bits) in self.words_of(text, &NAMES)? {
            let kinds = [(1, EventMask::NEW), (2, EventMask::REPLY), (4, EventMask::DESTROY)];
            for (bit, mask) in kinds {
                if bits & bit != 0 {
                    self.events = self.events.with(mask);
                }
            }
        }
        Ok(())
    }

    fn output(&mut self, text: &str) -> Result<(), Stop> {
        const NAMES: [(&str, u32); 8] = [
            ("xml", 0),
            ("extended", 1),
            ("timestamp", 2),
            ("id", 3),
            ("ktimestamp", 4),
            ("labels", 5),
            ("userspace", 6),
            ("save", 7),
        ];
        let output = self.words_of(text, &NAMES)?;
        for (_, which) in output {
            let Output { xml, save, extended, timestamp, id, ktimestamp } = &mut self.output;
            match which {
                0 => *xml = true,
                1 => *extended = true,
                2 => *timestamp = true,
                3 => *id = true,
                4 => *ktimestamp = true,
                5 => self.warning += "nfct_labelmap_new: No such file or directory\n",
                7 => *save = true,
                _ => {}
            }
        }
        let Output { save, xml, extended, timestamp, id, ktimestamp } = self.output;
        if save && (xml || extended || timestamp || id || ktimestamp) {
            let text = "cannot combine save output with any other output type, use -o save only";
            return Err(Stop::exit(1, format!("{}: {text}", super::NAME)));
        }
        Ok(())
    }

    fn proto_option(&mut self, option: ProtoOption, value: &str) -> Result<(), Stop> {
        let number = atoi(value);
        let filter = &mut self.filter;
        match option {
            ProtoOption::OrigSport => filter.orig_sport = Some(number as u16),
            ProtoOption::OrigDport => filter.orig_dport = Some(number as u16),
            ProtoOption::ReplySport => filter.reply_sport = Some(number as u16),
            ProtoOption::ReplyDport => filter.reply_dport = Some(number as u16),
            ProtoOption::IcmpType => filter.icmp_type = Some(number as u8),
            ProtoOption::IcmpCode => filter.icmp_code = Some(number as u8),
            ProtoOption::IcmpId => filter.icmp_id = Some(number as u16),
            ProtoOption::State => {
                let is_tcp = filter.proto == Some(Proto::TCP);
                if is_tcp && TcpState::of_name(value).is_none() {
                    return refuse(format!("unknown TCP state `{value}'"));
                }
                filter.state = Some(value.to_owned());
            }
            ProtoOption::Ignored => {}
        }
        Ok(())
    }

    /// conntrack-tools: `generic_opt_check`.
    fn check(&self) -> Result<(), Stop> {
        let column = match (self.command, self.table) {
            (Command::None | Command::Help | Command::Version, _) if self.given.is_empty() => return Ok(()),
            (Command::Help, _) if self.given.iter().all(|letter| *letter == 'p') => return Ok(()),
            (Command::List, Table::Expect) => {
                return self.only("fo");
            }
            (Command::Event, Table::Expect) => return self.only("o"),
            (Command::Create | Command::Delete | Command::Get, Table::Expect) => {
                return refuse("You need to supply the `--src' option for this command");
            }
            (Command::List, _) => 0,
            (Command::Create, _) => 1,
            (Command::Add, _) => 2,
            (Command::Update, _) => 3,
            (Command::Delete, _) => 4,
            (Command::Get, _) => 5,
            (Command::Event, _) => 6,
            _ => return self.only(""),
        };
        for (letter, name, columns) in LEGAL {
            match (columns[column], self.given.contains(letter)) {
                (b'0', true) => return refuse(format!("Illegal option `--{name}' with this command")),
                (b'1', false) => {
                    return refuse(format!("You need to supply the `--{name}' option for this command"));
                }
                _ => {}
            }
        }
        if matches!(self.command, Command::Create | Command::Add | Command::Get) {
            let has = |letters: &str| letters.chars().all(|letter| self.given.contains(&letter));
            if !has("sd") && !has("rq") {
                return refuse("you have to specify `--src' and `--dst'");
            }
            self.check_proto()?;
        }
        Ok(())
    }

    /// Only these options may be.
    fn only(&self, letters: &str) -> Result<(), Stop> {
        let illegal = LEGAL.iter().find(|(l, ..)| self.given.contains(l) && !letters.contains(*l));
        illegal.map_or(Ok(()), |(_, name, _)| refuse(format!("Illegal option `--{name}' with this command")))
    }

    /// What a protocol needs. conntrack-tools: `final_check`.
    fn check_proto(&self) -> Result<(), Stop> {
        let filter = &self.filter;
        let needs = |name: &str| refuse(format!("You need to supply the `--{name}' option for this command"));
        match filter.proto {
            Some(Proto::TCP) if filter.state.is_none() && self.command != Command::Get => {
                return needs("state");
            }
            Some(Proto::ICMP) if filter.icmp_type.is_none() => return needs("icmp-type"),
            Some(Proto::ICMP) if filter.icmp_code.is_none() => return needs("icmp-code"),
            Some(Proto::ICMP) if filter.icmp_id.is_none() => return needs("icmp-id"),
            _ => {}
        }
        let both = |a: Option<u16>, b: Option<u16>| a.is_some() && b.is_some();
        let has_ports = matches!(filter.proto, Some(Proto::TCP | Proto::UDP | Proto::SCTP | Proto(136)));
        if has_ports
            && !both(filter.orig_sport, filter.orig_dport)
            && !both(filter.reply_sport, filter.reply_dport)
        {
            return refuse("you have to specify `--sport' and `--dport'");
        }
        Ok(())
    }

    /// Whether the options say of which family connections are.
    pub fn names_family(&self) -> bool {
        self.family.is_some()
    }

    /// The status bits to set.
    pub fn new_status(&self) -> Option<u32> {
        self.status
    }

    /// The two tuples that the options describe, each if both its addresses are given.
    pub fn tuples(&self) -> (Option<Tuple>, Option<Tuple>) {
        let filter = &self.filter;
        let proto = filter.proto.unwrap_or(Proto(0));
        let l4 = |src: Option<u16>, dst: Option<u16>| match proto {
            Proto::ICMP => L4Key::Icmp {
                kind: filter.icmp_type.unwrap_or(0),
                code: filter.icmp_code.unwrap_or(0),
                id: filter.icmp_id.unwrap_or(0),
            },
            Proto::TCP | Proto::UDP | Proto::SCTP | Proto(136) => {
                L4Key::Ports { src: src.unwrap_or(0), dst: dst.unwrap_or(0) }
            }
            _ => L4Key::None,
        };
        let tuple = |src: Option<AddrMask>, dst: Option<AddrMask>, l4| {
            Some(Tuple { src: src?.addr, dst: dst?.addr, proto, l4 })
        };
        (
            tuple(filter.orig_src, filter.orig_dst, l4(filter.orig_sport, filter.orig_dport)),
            tuple(filter.reply_src, filter.reply_dst, l4(filter.reply_sport, filter.reply_dport)),
        )
    }
}

/// The beginning of a text as a number, 0 without one. C: `atoi`.
fn atoi(text: &str) -> i64 {
    let text = text.trim_start();
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    sign * digits[..end].parse::<i64>().unwrap_or(0)
}

/// The beginning of a text as a number of any base, cut to 32 bits. C: `strtoul`.
fn strtoul(text: &str) -> u32 {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    netfilter::args::number(&text[..end]).map_or_else(|| atoi(text) as u32, |n| n as u32)
}

fn protocol(text: &str) -> Result<Proto, Stop> {
    match names::protocol_number(text).filter(|proto| proto.0 != 0) {
        Some(proto) => Ok(proto),
        None => refuse(format!("`{text}' unsupported protocol")),
    }
}

/// Reads `ADDR[:PORT]`. conntrack-tools: `nat_parse`.
fn nat_to(text: &str) -> Result<NatTo, Stop> {
    let (addr, port) = text.split_once(':').map_or((text, None), |(addr, port)| (addr, Some(port)));
    let port = match port {
        None => None,
        Some("") => return refuse("No port specified after `:'"),
        Some(port) => match port.parse::<u16>() {
            Ok(port) if port > 0 => Some(port),
            _ => return refuse(format!("Invalid port `{port}'")),
        },
    };
    match AddrMask::parse(addr) {
        Ok(net) if !addr.is_empty() => Ok(NatTo { addr: Some(net.addr), port }),
        _ => refuse(format!("Invalid IP address `{addr}'")),
    }
}
