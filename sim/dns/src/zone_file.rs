//! Master files. RFC 1035 §5, RFC 2308 §4; what is said of them is BIND's (`lib/dns/master.c`).

use hickory_proto::rr::{DNSClass, Name, RData, RecordType};

pub use self::fault::Fault;
pub(crate) use self::name::name_from_bytes;
pub use self::name::parse_name;

use self::lex::{Lexer, Quotes, Token};
use self::name::is_host;
use crate::present::{self, parse_class, parse_record_type};
use crate::zone::{RrSet, Zone};

mod data;
mod fault;
mod lex;
mod name;

/// What is done about names that hosts don't have (RFC 952).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckNames {
    /// They are mentioned.
    Warn,
    /// The zone is refused.
    Fail,
}

/// What came of reading a master file.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What could be read.
    pub zone: Zone,
    /// What is to be said of lines, in their order.
    pub remarks: Vec<String>,
    /// The first reason why the zone can't be served.
    pub fault: Option<Fault>,
}

/// Times longer than this are taken as 0. RFC 2181 §8.
const MAX_TTL: u32 = 0x7fff_ffff;

/// Reads a master file; all that is wrong with it is remarked on, as `file:line: …`.
///
/// Simplified: `$INCLUDE`, `$GENERATE` and `$DATE` are refused by name.
pub fn load(bytes: &[u8], file: &str, origin: &Name, names: CheckNames) -> Loaded {
    let mut loader = Loader {
        lexer: Lexer::new(bytes),
        file,
        names,
        origin: origin.clone(),
        origin_changed: false,
        default_ttl: None,
        last_ttl: None,
        block: None,
        loaded: Loaded { zone: Zone::new(origin.clone(), DNSClass::IN), remarks: Vec::new(), fault: None },
    };
    loader.run();
    loader.commit();
    loader.loaded
}

/// A zone to serve, or why there is none.
#[derive(Clone, Debug)]
pub struct Report {
    /// The zone, if it can be served.
    pub zone: Option<Zone>,
    /// What BIND says of it, a line each.
    pub lines: Vec<String>,
}

/// Reads a master file and looks whether the zone can be served.
pub fn read_zone(bytes: &[u8], file: &str, origin: &Name, names: CheckNames) -> Report {
    let Loaded { zone, remarks: mut lines, fault } = load(bytes, file, origin, names);
    let origin = present::plain(origin);
    let mut served = fault.is_none();
    if let Some(fault) = fault {
        lines.push(format!("zone {origin}/IN: loading from master file {file} failed: {fault}"));
    } else {
        for finding in crate::zone::check(&zone) {
            lines.push(format!("zone {origin}/IN: {}", finding.text));
            served &= !finding.fatal;
        }
    }
    lines.push(match zone.serial().filter(|_| served) {
        Some(serial) => format!("zone {origin}/IN: loaded serial {serial}"),
        None => format!("zone {origin}/IN: not loaded due to errors."),
    });
    Report { zone: served.then_some(zone), lines }
}

/// A time: a number of seconds, or numbers with units. Source: `bind_ttl`.
fn ttl(word: &[u8]) -> Result<u32, Fault> {
    let text = std::str::from_utf8(word).map_err(|_| Fault::Syntax)?;
    let mut total: u64 = 0;
    let mut rest = text;
    if rest.is_empty() {
        return Err(Fault::Syntax);
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        if number.is_empty() {
            return Err(Fault::Syntax);
        }
        let number: u64 = number.parse().map_err(|_| Fault::Range)?;
        let mut letters = after.chars();
        let unit = match letters.next().map(|letter| letter.to_ascii_lowercase()) {
            None if rest.len() == text.len() => 1,
            Some('w') => 604_800,
            Some('d') => 86400,
            Some('h') => 3600,
            Some('m') => 60,
            Some('s') => 1,
            _ => return Err(Fault::Syntax),
        };
        total = number.checked_mul(unit).and_then(|part| part.checked_add(total)).ok_or(Fault::Range)?;
        rest = letters.as_str();
    }
    u32::try_from(total).map_err(|_| Fault::Range)
}

/// Records of one owner that stand together.
struct Block {
    owner: Name,
    /// Whether it is outside the zone.
    outside: bool,
    sets: Vec<RrSet>,
    /// The line of its last record.
    line: usize,
}

struct Loader<'a> {
    lexer: Lexer<'a>,
    file: &'a str,
    names: CheckNames,
    origin: Name,
    origin_changed: bool,
    default_ttl: Option<u32>,
    /// That of the last record that has one itself.
    last_ttl: Option<u32>,
    block: Option<Block>,
    loaded: Loaded,
}

/// How a line went wrong.
enum Bad {
    /// It was said already.
    Told(Fault),
    /// It is to be said, by the loader.
    Line(Fault),
}

impl Loader<'_> {
    fn say(&mut self, line: usize, text: &str) {
        self.loaded.remarks.push(format!("{}:{line}: {text}", self.file));
    }

    fn fail(&mut self, fault: Fault) {
        self.loaded.fault.get_or_insert(fault);
    }

    /// Says something and makes a fault of it.
    fn told(&mut self, line: usize, text: &str, fault: Fault) -> Bad {
        self.say(line, text);
        Bad::Told(fault)
    }

    fn run(&mut self) {
        loop {
            let token = self.lexer.next(Quotes::Enclose);
            let line = self.lexer.line();
            let end = matches!(token, Ok(Token::EndOfFile));
            let done = match token {
                Ok(Token::EndOfFile | Token::EndOfLine) => Ok(()),
                Ok(Token::Indent) => self.inherited(line),
                Ok(Token::Word(word) | Token::Quoted(word)) if word.starts_with(b"$") => {
                    self.directive(line, &word)
                }
                Ok(Token::Word(word) | Token::Quoted(word)) => self.owned(line, &word),
                Err(fault) => Err(Bad::Line(fault)),
            };
            if let Err(bad) = done {
                let fault = match bad {
                    Bad::Told(fault) => fault,
                    Bad::Line(fault) => {
                        let text = format!("dns_master_load: {}:{line}: {fault}", self.file);
                        self.loaded.remarks.push(text);
                        fault
                    }
                };
                self.fail(fault);
                self.skip_line();
            }
            if end {
                return;
            }
        }
    }

    /// Goes to the end of the line.
    fn skip_line(&mut self) {
        loop {
            match self.lexer.next(Quotes::Plain) {
                Ok(Token::EndOfLine) => return,
                Ok(Token::EndOfFile) => {
                    self.loaded.remarks.push(format!("{}: file does not end with newline", self.file));
                    return self.lexer.unget();
                }
                _ => {}
            }
        }
    }

    /// Goes on behind a quote that doesn't end.
    fn skip_quoted(&mut self) {
        let _ = self.lexer.next(Quotes::Plain);
    }

    /// The next word of a line that isn't over.
    fn word(&mut self) -> Result<Vec<u8>, Bad> {
        let line = self.lexer.line();
        match self.lexer.next(Quotes::Plain) {
            Ok(Token::Word(word) | Token::Quoted(word)) => Ok(word),
            Ok(token) => {
                // The rest of the line is skipped, which is the next line if this one is over.
                let end = if token == Token::EndOfFile { "file" } else { "line" };
                let text = format!("dns_master_load: {}:{line}: unexpected end of {end}", self.file);
                self.loaded.remarks.push(text);
                Err(Bad::Line(Fault::End))
            }
            Err(fault) => Err(Bad::Line(fault)),
        }
    }

    fn end_of_line(&mut self) -> Result<(), Bad> {
        match self.lexer.next(Quotes::Plain) {
            Ok(Token::EndOfLine) => Ok(()),
            Ok(Token::EndOfFile) => {
                self.lexer.unget();
                Ok(())
            }
            Ok(_) => Err(Bad::Line(Fault::Extra)),
            Err(fault) => Err(Bad::Line(fault)),
        }
    }

    fn directive(&mut self, line: usize, word: &[u8]) -> Result<(), Bad> {
        match word.to_ascii_uppercase().as_slice() {
            b"$ORIGIN" => {
                let word = self.word()?;
                self.origin = parse_name(&word, &self.origin).map_err(Bad::Line)?;
                self.origin_changed = true;
                self.end_of_line()
            }
            b"$TTL" => {
                let word = self.word()?;
                let seconds = match ttl(&word) {
                    Ok(seconds) => seconds,
                    Err(Fault::Range) => {
                        self.fail(Fault::Range);
                        0
                    }
                    Err(_) => {
                        self.fail(Fault::Ttl);
                        0
                    }
                };
                self.default_ttl = Some(self.limited(line, seconds));
                self.end_of_line()
            }
            b"$INCLUDE" | b"$GENERATE" | b"$DATE" => {
                let name = String::from_utf8_lossy(word).into_owned();
                Err(self.told(line, &format!("hoplab: {name} is not simulated"), Fault::NotSimulated))
            }
            _ => {
                let name = String::from_utf8_lossy(word);
                let text = format!("dns_master_load: {}:{line}: unknown $ directive '{name}'", self.file);
                self.loaded.remarks.push(text);
                self.fail(Fault::Syntax);
                // It is taken as an owner, too.
                self.owned(line, word)
            }
        }
    }

    /// A time that is not too long.
    fn limited(&mut self, line: usize, seconds: u32) -> u32 {
        if seconds <= MAX_TTL {
            return seconds;
        }
        let text =
            format!("dns_master_load: {}:{line}: $TTL {seconds} > MAXTTL, setting $TTL to 0", self.file);
        self.loaded.remarks.push(text);
        0
    }

    /// A line that begins with a name.
    fn owned(&mut self, line: usize, word: &[u8]) -> Result<(), Bad> {
        let owner = parse_name(word, &self.origin).map_err(Bad::Line)?;
        let same = self.block.as_ref().is_some_and(|block| block.owner.eq_case(&owner));
        if !same {
            self.commit();
            let outside = !self.loaded.zone.origin().zone_of(&owner);
            self.block = Some(Block { owner: owner.clone(), outside, sets: Vec::new(), line });
        }
        if owner.iter().skip(1).any(|label| label == b"*") && !same {
            let text =
                format!("warning: ownername '{}' contains an non-terminal wildcard", present::plain(&owner));
            self.say(line, &text);
        }
        if !self.loaded.zone.origin().zone_of(&owner) {
            let text = format!("ignoring out-of-zone data ({})", present::plain(&owner));
            self.say(line, &text);
        }
        let word = self.word()?;
        self.record(line, word)
    }

    /// A line that begins with space: the owner is the line's before.
    fn inherited(&mut self, line: usize) -> Result<(), Bad> {
        let word = match self.lexer.next(Quotes::Plain) {
            Ok(Token::EndOfLine) => return Ok(()),
            Ok(Token::EndOfFile) => {
                self.lexer.unget();
                return Ok(());
            }
            Ok(Token::Word(word) | Token::Quoted(word)) => word,
            Ok(Token::Indent) => return Ok(()),
            Err(fault) => return Err(Bad::Line(fault)),
        };
        let Some(block) = &self.block else {
            return Err(self.told(line, "no current owner name", Fault::NoOwner));
        };
        if self.origin_changed {
            let (owner, origin) = (present::plain(&block.owner), present::plain(&self.origin));
            let text = format!("record with inherited owner ({owner}) immediately after $ORIGIN ({origin})");
            self.say(line, &text);
        }
        self.record(line, word)
    }

    /// TTL, class, type and data; the first word is read.
    fn record(&mut self, line: usize, word: Vec<u8>) -> Result<(), Bad> {
        self.origin_changed = false;
        let mut word = word;
        let class_of = |word: &[u8]| std::str::from_utf8(word).ok().and_then(parse_class);
        let mut class = class_of(&word);
        if class.is_some() {
            word = self.word()?;
        }
        let explicit = ttl(&word).ok();
        let explicit = match explicit {
            Some(seconds) => {
                word = self.word()?;
                let seconds = self.limited(line, seconds);
                self.last_ttl = Some(seconds);
                Some(seconds)
            }
            None => None,
        };
        if class.is_none() {
            class = class_of(&word);
            if class.is_some() {
                word = self.word()?;
            }
        }
        let text = String::from_utf8_lossy(&word).into_owned();
        let Some(kind) = parse_record_type(&text) else {
            return Err(self.told(line, &format!("unknown RR type '{text}'"), Fault::Unknown));
        };
        if let Some(class) = class.filter(|class| *class != DNSClass::IN) {
            let text = format!("class '{}' != zone class 'IN'", present::class(class));
            return Err(self.told(line, &text, Fault::Class));
        }
        let number = u16::from(kind);
        let meta = matches!(number, 0 | 41 | 128..=255);
        let obsolete = matches!(number, 3 | 4);
        if meta || obsolete {
            let fault = if meta { Fault::Meta } else { Fault::Obsolete };
            let text = format!("type '{}': {fault}", present::record_type(kind));
            return Err(self.told(line, &text, fault));
        }
        self.check_owner(line, kind);
        let Some(data) = self.data(kind) else { return Ok(()) };
        self.place(line, kind, explicit, data)
    }

    /// Hosts and mail exchangers have host names.
    fn check_owner(&mut self, line: usize, kind: RecordType) {
        let Some(block) = &self.block else { return };
        let named = matches!(kind, RecordType::A | RecordType::AAAA | RecordType::MX);
        if !named || is_host(&block.owner, true) {
            return;
        }
        let text = format!("{}: {}", present::plain(&block.owner), Fault::OwnerName);
        self.say(line, &text);
        if self.names == CheckNames::Fail {
            self.fail(Fault::OwnerName);
        }
    }

    /// The data to the line's end; none if it is wrong, which is said. Source: `dns_rdata_fromtext`.
    fn data(&mut self, kind: RecordType) -> Option<RData> {
        let start = self.lexer.line();
        let parsed = data::parse_data(&mut self.lexer, kind, &self.origin);
        if let Ok(data) = &parsed {
            self.check_names(start, data);
        }
        let (mut fault, mut told) = (parsed.as_ref().err().copied(), false);
        let data = parsed.ok();
        loop {
            let line = self.lexer.line();
            let token = self.lexer.next(Quotes::Enclose);
            let (near, last) = match &token {
                Ok(Token::EndOfLine) => ("near eol: ".to_owned(), true),
                Ok(Token::EndOfFile) => ("near eof: ".to_owned(), true),
                Ok(Token::Word(word)) => (format!("near '{}': ", String::from_utf8_lossy(word)), false),
                Ok(_) => (String::new(), false),
                Err(Fault::Parentheses) => {
                    let end = if self.lexer.line() > line { "eof" } else { "eol" };
                    (format!("near {end}: "), false)
                }
                Err(_) => (String::new(), false),
            };
            match &token {
                Err(Fault::Quotes) => {
                    fault = fault.or(Some(Fault::Quotes));
                    self.skip_quoted();
                }
                Err(error) => fault = fault.or(Some(*error)),
                Ok(_) if !last => fault = fault.or(Some(Fault::Extra)),
                Ok(_) => {}
            }
            if let Some(fault) = fault.filter(|_| !told) {
                let text = format!("dns_rdata_fromtext: {}:{line}: {near}{fault}", self.file);
                self.loaded.remarks.push(text);
                told = true;
            }
            if last {
                if fault.is_none() && token == Ok(Token::EndOfFile) {
                    self.say(line, "file does not end with newline");
                }
                if token == Ok(Token::EndOfFile) {
                    self.lexer.unget();
                }
                break;
            }
        }
        if let Some(fault) = fault {
            self.fail(fault);
        }
        data.filter(|_| fault.is_none())
    }

    /// Servers and mail exchangers have host names.
    fn check_names(&mut self, line: usize, data: &RData) {
        if let RData::MX(mx) = data {
            let own = mx.exchange.iter().len().saturating_sub(if self.origin.zone_of(&mx.exchange) {
                self.origin.iter().len()
            } else {
                0
            });
            let labels = mx.exchange.iter().take(own).map(String::from_utf8_lossy);
            let text = labels.collect::<Vec<_>>().join(".");
            if text.parse::<std::net::Ipv4Addr>().is_ok() {
                self.say(line, &format!("warning: '{text}': MX is an address"));
            }
        }
        let target = match data {
            RData::NS(name) => &name.0,
            RData::MX(mx) => &mx.exchange,
            RData::SRV(srv) => &srv.target,
            RData::SOA(soa) => &soa.mname,
            _ => return,
        };
        if is_host(target, false) {
            return;
        }
        let target = present::plain(target);
        if self.names == CheckNames::Fail {
            self.say(line, &format!("{target}: {}", Fault::HostName));
            self.fail(Fault::HostName);
        } else {
            self.say(line, &format!("warning: {target}: {}", Fault::HostName));
        }
    }

    /// Puts a record into its block.
    fn place(&mut self, line: usize, kind: RecordType, ttl: Option<u32>, data: RData) -> Result<(), Bad> {
        let top = self.loaded.zone.origin().clone();
        let Some(block) = &self.block else { return Ok(()) };
        if block.outside {
            return Ok(());
        }
        let owner = block.owner.clone();
        if kind == RecordType::SOA && owner != top {
            let text = format!("SOA record not at top of zone ({})", present::plain(&owner));
            return Err(self.told(line, &text, Fault::NotTop));
        }
        if kind == RecordType::DS && owner == top {
            let text = format!("DS record at top of zone ({})", present::plain(&owner));
            self.say(line, &text);
            self.fail(Fault::AtTop);
            return Ok(());
        }
        let minimum = match &data {
            RData::SOA(soa) => Some(soa.minimum),
            _ => None,
        };
        let mut ttl = match (ttl.or(self.default_ttl).or(self.last_ttl), minimum) {
            (Some(ttl), _) => ttl,
            (None, Some(minimum)) => {
                self.say(line, "no TTL specified; using SOA MINTTL instead");
                let ttl = self.limited(line, minimum);
                self.default_ttl = Some(ttl);
                ttl
            }
            (None, None) => {
                self.say(line, "no TTL specified; zone rejected");
                self.fail(Fault::NoTtl);
                0
            }
        };
        let Some(block) = &mut self.block else { return Ok(()) };
        block.line = line;
        let known = block.sets.iter_mut().find(|set| set.kind == kind);
        match known {
            Some(set) => {
                let other = std::mem::replace(&mut ttl, set.ttl) != set.ttl;
                set.data.push(data);
                if other {
                    self.say(line, &format!("TTL set to prior TTL ({ttl})"));
                }
            }
            None => block.sets.push(RrSet { name: owner, kind, ttl, data: vec![data] }),
        }
        Ok(())
    }

    /// Enters the block into the zone.
    fn commit(&mut self) {
        let Some(block) = self.block.take() else { return };
        if block.sets.is_empty() {
            return;
        }
        if let Err(conflict) = self.loaded.zone.insert(&block.owner, block.sets) {
            let text = format!(
                "dns_master_load: {}:{}: {}: {conflict}",
                self.file,
                block.line,
                present::plain(&block.owner)
            );
            self.loaded.remarks.push(text);
            self.fail(conflict.into());
        }
    }
}

#[cfg(test)]
mod tests;
