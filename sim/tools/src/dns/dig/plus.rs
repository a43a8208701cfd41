//! dig's options of the form `+[no]keyword[=value]`. Source: `plus_option` of `dig.c`.

use std::net::IpAddr;

use dns::rdata::opt::ClientSubnet;
use dns::{OpCode, present};

use super::lookup::{Cookie, Lookup};
use super::options::{Parser, Stop, fatal, not_simulated, number, usage};

/// The keywords, and of how many letters they need at least.
const KEYWORDS: &[(&str, usize)] = &[
    ("aaonly", 2),
    ("aaflag", 2),
    ("additional", 3),
    ("adflag", 3),
    ("all", 2),
    ("answer", 2),
    ("authority", 2),
    ("badcookie", 2),
    ("besteffort", 2),
    ("bufsize", 2),
    ("cdflag", 3),
    ("class", 2),
    ("cmd", 2),
    ("coflag", 3),
    ("comments", 3),
    ("cookie", 3),
    ("crypto", 2),
    ("defname", 2),
    ("dns64prefix", 4),
    ("dnssec", 4),
    ("domain", 3),
    ("edns", 4),
    ("ednsflags", 5),
    ("ednsnegotiation", 5),
    ("ednsopt", 5),
    ("expandaaaa", 4),
    ("expire", 4),
    ("fail", 2),
    ("fuzztime", 2),
    ("header-only", 2),
    ("https", 5),
    ("https-get", 7),
    ("https-post", 7),
    ("http-plain", 6),
    ("http-plain-get", 12),
    ("http-plain-post", 12),
    ("identify", 3),
    ("idnin", 4),
    ("idnout", 4),
    ("ignore", 1),
    ("keepalive", 5),
    ("keepopen", 5),
    ("multiline", 2),
    ("ndots", 2),
    ("nsid", 3),
    ("nssearch", 3),
    ("onesoa", 2),
    ("opcode", 2),
    ("padding", 1),
    ("qid", 2),
    ("qr", 2),
    ("question", 2),
    ("raflag", 2),
    ("rdflag", 2),
    ("recurse", 3),
    ("retry", 3),
    ("retries", 3),
    ("rrcomments", 2),
    ("search", 2),
    ("short", 4),
    ("showbadcookie", 5),
    ("showsearch", 5),
    ("split", 2),
    ("stats", 2),
    ("subnet", 2),
    ("tcflag", 3),
    ("tcp", 3),
    ("timeout", 2),
    ("tls", 3),
    ("tls-ca", 6),
    ("tls-certfile", 6),
    ("tls-hostname", 5),
    ("tls-keyfile", 5),
    ("trace", 3),
    ("tries", 3),
    ("ttl", 3),
    ("ttlid", 4),
    ("ttlunits", 4),
    ("unknownformat", 3),
    ("vc", 1),
    ("yaml", 1),
    ("zflag", 1),
];

/// What the short words mean.
const SYNONYMS: &[(&str, &str)] = &[("ad", "adflag"), ("cd", "cdflag"), ("co", "coflag"), ("do", "dnssec")];

fn keyword(word: &str) -> Option<&'static str> {
    let word = word.to_ascii_lowercase();
    if let Some((_, full)) = SYNONYMS.iter().find(|(short, _)| *short == word) {
        return Some(full);
    }
    let fits = |(full, least): &&(&str, usize)| word.len() >= *least && full.starts_with(&word);
    KEYWORDS.iter().find(fits).map(|(full, _)| *full)
}

/// Takes an option; `option` is without its plus sign.
pub(super) fn parse(parser: &mut Parser<'_>, option: &str) -> Result<(), Stop> {
    let (word, value) = match option.split_once('=') {
        Some((word, value)) => (word, Some(value).filter(|value| !value.is_empty())),
        None => (option, None),
    };
    if word.is_empty() {
        parser.globals.output += &format!(";; Invalid option {option}\n");
        return Ok(());
    }
    let invalid = || usage(&format!("Invalid option: +{word}\n"));
    let (bare, state) = match word.get(..2) {
        Some(start) if start.eq_ignore_ascii_case("no") => (&word[2..], false),
        _ => (word, true),
    };
    let name = keyword(bare).ok_or_else(invalid)?;
    if let Some(done) = general(parser, name, value, state) {
        return done.map_err(|stop| stop.unwrap_or_else(invalid));
    }
    let retries = parser.lookup().retries;
    let lookup = parser.lookup();
    if display(lookup, name, state) || query(lookup, name, state) {
        return Ok(());
    }
    let edns = with_value(lookup, name, value, state);
    match edns {
        Some(Ok(())) => Ok(()),
        Some(Err(None)) => {
            parser.lookup().retries = retries;
            Err(invalid())
        }
        Some(Err(Some(stop))) => Err(stop),
        None => Err(not_simulated(&format!("+{name}"))),
    }
}

/// How an option fails: with its own words, or as none that dig knows.
type Done = Result<(), Option<Stop>>;

/// Options of the whole call.
fn general(parser: &mut Parser<'_>, name: &str, value: Option<&str>, state: bool) -> Option<Done> {
    match name {
        "all" => {
            let lookup = parser.lookup();
            let view = &mut lookup.view;
            for part in [
                &mut view.question,
                &mut view.answer,
                &mut view.authority,
                &mut view.additional,
                &mut view.comments,
            ] {
                *part = state;
            }
            lookup.stats = state;
            parser.globals.print_command = state;
        }
        "cmd" => parser.globals.print_command = state,
        "comments" => {
            if parser.is_global() {
                parser.globals.show_comments = state;
            }
            parser.lookup().view.comments = state;
        }
        "question" => {
            if parser.is_global() {
                parser.globals.show_question = state;
            }
            parser.lookup().view.question = state;
        }
        "short" => {
            parser.globals.short = state;
            if state {
                parser.globals.print_command = false;
                let lookup = parser.lookup();
                lookup.view = present::View {
                    style: lookup.view.style.clone(),
                    comments: false,
                    question: false,
                    answer: true,
                    authority: false,
                    additional: false,
                };
                lookup.stats = false;
            }
        }
        "search" | "defname" => parser.settings.use_search = state,
        "showsearch" => {
            parser.settings.show_search = state;
            parser.settings.use_search = state;
        }
        "domain" | "ndots" | "timeout" => {
            let (Some(value), true) = (value, state) else { return Some(Err(None)) };
            match name {
                "domain" => {
                    parser.settings.search = vec![value.to_owned()];
                    parser.settings.use_search = true;
                }
                "ndots" => match number(value, 0xffff, "ndots", "Couldn't parse ndots") {
                    Ok(dots) => parser.settings.ndots = dots as usize,
                    Err(stop) => return Some(Err(Some(stop))),
                },
                _ => match number(value, 0xffff, "timeout", "Couldn't parse timeout") {
                    Ok(seconds) => parser.settings.timeout = seconds.max(1),
                    Err(stop) => return Some(Err(Some(stop))),
                },
            }
        }
        "tcp" | "vc" => {
            if !parser.in_batch {
                let lookup = parser.lookup();
                lookup.tcp = state;
                lookup.tcp_set = true;
            }
        }
        "split" => return Some(split(parser, value, state)),
        _ => return None,
    }
    Some(Ok(()))
}

fn split(parser: &mut Parser<'_>, value: Option<&str>, state: bool) -> Done {
    let width = match (value, state) {
        (Some(_), false) => return Err(None),
        (None, false) => Some(0),
        (None, true) => return Ok(()),
        (Some(value), true) => {
            let width = number(value, 1023, "split", "Couldn't parse split").map_err(Some)?;
            let rounded = width.div_ceil(4) * 4;
            if rounded != width {
                parser.globals.warnings +=
                    &format!(";; Warning, split must be a multiple of 4; adjusting to {rounded}\n");
            }
            Some(rounded as usize)
        }
    };
    parser.lookup().view.style.split = width;
    Ok(())
}

/// Options of what is shown.
fn display(lookup: &mut Lookup, name: &str, state: bool) -> bool {
    let view = &mut lookup.view;
    match name {
        "additional" => view.additional = state,
        "answer" => view.answer = state,
        "authority" => view.authority = state,
        "class" => view.style.class = state,
        "expandaaaa" => view.style.expand_aaaa = state,
        "identify" => lookup.identify = state,
        "multiline" => {
            view.style.layout = if state { present::Layout::Multiline } else { present::Layout::Line };
        }
        "qr" => lookup.show_query = state,
        "showbadcookie" => lookup.show_bad_cookie = state,
        "stats" => lookup.stats = state,
        "ttl" | "ttlid" => {
            view.style.ttl = if state { present::Ttl::Seconds } else { present::Ttl::Hidden };
        }
        "ttlunits" => {
            view.style.ttl = if state { present::Ttl::Units } else { present::Ttl::Seconds };
        }
        "unknownformat" => view.style.unknown_format = state,
        // Names are shown as they are, and each answer is looked at as far as it can be read.
        "besteffort" | "idnin" | "idnout" | "onesoa" | "rrcomments" | "crypto" | "keepopen" => {}
        _ => return false,
    }
    true
}

/// Options of what is asked, without a value.
fn query(lookup: &mut Lookup, name: &str, state: bool) -> bool {
    match name {
        "aaonly" | "aaflag" => lookup.bits.authoritative = state,
        "adflag" => lookup.bits.authentic = state,
        "badcookie" => lookup.retry_bad_cookie = state,
        "cdflag" => lookup.bits.checking_disabled = state,
        "coflag" => lookup.edns.compact = state,
        "dnssec" => {
            lookup.edns.dnssec = state;
            if state {
                lookup.edns.version.get_or_insert(0);
            }
        }
        "ednsnegotiation" => lookup.edns.negotiate = state,
        "expire" => lookup.edns.expire = state,
        "fail" => lookup.servfail_stops = state,
        "ignore" => lookup.ignore_truncation = state,
        "keepalive" => lookup.edns.keepalive = state,
        "nsid" => {
            lookup.edns.nsid = state;
            if state {
                lookup.edns.version.get_or_insert(0);
            }
        }
        "raflag" => lookup.bits.recursion_available = state,
        "rdflag" | "recurse" => lookup.bits.recurse = state,
        "tcflag" => lookup.bits.truncated = state,
        _ => return false,
    }
    true
}

/// Options of what is asked, with a value.
fn with_value(lookup: &mut Lookup, name: &str, value: Option<&str>, state: bool) -> Option<Done> {
    Some(match name {
        "bufsize" if !state => Err(None),
        "bufsize" => set(value, 65535, "buffer size", "Couldn't parse buffer size", |size| {
            lookup.edns.udp_size = size.map_or(Some(1232), |size| u16::try_from(size).ok());
        }),
        "edns" if !state => {
            lookup.edns.version = None;
            Ok(())
        }
        "edns" => set(value, 255, "edns", "Couldn't parse edns", |version| {
            lookup.edns.version = Some(version.and_then(|version| u8::try_from(version).ok()).unwrap_or(0));
        }),
        "ednsflags" => {
            let flags = value.filter(|_| state).map(|value| {
                let digits = value.strip_prefix("0x").or_else(|| value.strip_prefix("0X"));
                digits.map_or_else(|| value.parse().ok(), |hex| u16::from_str_radix(hex, 16).ok())
            });
            match flags {
                None => {
                    lookup.edns.flags = 0;
                    Ok(())
                }
                Some(Some(flags)) => {
                    lookup.edns.version.get_or_insert(0);
                    lookup.edns.flags = flags;
                    Ok(())
                }
                Some(None) => Err(Some(Stop(10, "dig: Couldn't parse ednsflags\n".to_owned()))),
            }
        }
        "ednsopt" => edns_option(lookup, value, state),
        "cookie" => cookie(lookup, value, state),
        "subnet" => subnet(lookup, value, state),
        "opcode" => opcode(lookup, value, state),
        "qid" if !state => {
            lookup.id = None;
            Ok(())
        }
        "qid" | "retry" | "retries" | "tries" if value.is_none() || (name != "qid" && !state) => Err(None),
        "qid" => set(value, 65535, "qid", "Couldn't parse qid", |id| {
            lookup.id = id.and_then(|id| u16::try_from(id).ok());
        }),
        "retry" | "retries" => set(value, 0xffff_fffe, "retries", "Couldn't parse retries", |retries| {
            lookup.retries = retries.unwrap_or(0) + 1;
        }),
        "tries" => set(value, 0xffff_ffff, "tries", "Couldn't parse tries", |tries| {
            lookup.retries = tries.unwrap_or(0).max(1);
        }),
        _ => return None,
    })
}

fn set(value: Option<&str>, max: u32, what: &str, failed: &str, put: impl FnOnce(Option<u32>)) -> Done {
    let number = value.map(|value| number(value, max, what, failed)).transpose().map_err(Some)?;
    put(number);
    Ok(())
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = hex.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}

fn cookie(lookup: &mut Lookup, value: Option<&str>, state: bool) -> Done {
    if state {
        lookup.edns.version.get_or_insert(0);
    }
    lookup.edns.cookie = match (state, value) {
        (false, _) => Cookie::None,
        (true, None) => Cookie::Client,
        (true, Some(hex)) if hex.len() > 80 => {
            return Err(Some(Stop(10, "dig: COOKIE data too large\n".to_owned())));
        }
        (true, Some(hex)) => match bytes_of(hex) {
            Some(bytes) => Cookie::Bytes(bytes),
            None => return Err(Some(fatal("isc_hex_decodestring: bad hex encoding"))),
        },
    };
    Ok(())
}

fn edns_option(lookup: &mut Lookup, value: Option<&str>, state: bool) -> Done {
    if !state {
        lookup.edns.options.clear();
        return Ok(());
    }
    let Some(value) = value else {
        return Err(Some(Stop(10, "dig: ednsopt no code point specified\n".to_owned())));
    };
    let (code, hex) = value.split_once(':').unwrap_or((value, ""));
    let known = [("NSID", 3), ("ECS", 8), ("EXPIRE", 9), ("COOKIE", 10), ("KEEPALIVE", 11), ("PADDING", 12)];
    let number = known.iter().find(|(name, _)| name.eq_ignore_ascii_case(code)).map(|(_, number)| *number);
    let number = number.or_else(|| code.parse().ok());
    let Some(number) = number else { return Err(Some(fatal(&format!("bad edns code point: {code}")))) };
    let Some(bytes) = bytes_of(hex) else { return Err(Some(fatal("isc_hex_decodestring failed"))) };
    lookup.edns.options.push((number, bytes));
    Ok(())
}

/// Source: `parse_netprefix`.
fn subnet(lookup: &mut Lookup, value: Option<&str>, state: bool) -> Done {
    if !state {
        lookup.edns.subnet = None;
        return Ok(());
    }
    let Some(value) = value else { return Err(None) };
    lookup.edns.version.get_or_insert(0);
    let invalid = || Some(fatal(&format!("invalid address '{value}'")));
    let (addr, length) = match value.split_once('/') {
        Some((addr, length)) => {
            let length = length.parse::<u8>().map_err(|_| {
                Some(fatal(&format!("invalid prefix length in '{value}': not a valid number\n")))
            })?;
            (addr, Some(length))
        }
        None => (value, None),
    };
    let ip: IpAddr = match addr {
        "0" => IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
        addr => addr.parse().map_err(|_| invalid())?,
    };
    let most = if ip.is_ipv4() { 32 } else { 128 };
    let length = if addr == "0" { 0 } else { length.unwrap_or(most).min(most) };
    let net = ipnet::IpNet::new(ip, length).map_err(|_| invalid())?.trunc();
    lookup.edns.subnet = Some(ClientSubnet::new(net.addr(), length, 0));
    Ok(())
}

fn opcode(lookup: &mut Lookup, value: Option<&str>, state: bool) -> Done {
    if !state {
        lookup.opcode = OpCode::Query;
        return Ok(());
    }
    let Some(value) = value else { return Err(None) };
    let named = (0..16).map(OpCode::from_u8).find(|code| present::opcode(*code).eq_ignore_ascii_case(value));
    lookup.opcode = match named {
        Some(code) => code,
        None => {
            let code = number(value, 15, "opcode", "Couldn't parse opcode").map_err(Some)?;
            OpCode::from_u8(u8::try_from(code).unwrap_or(0))
        }
    };
    Ok(())
}
