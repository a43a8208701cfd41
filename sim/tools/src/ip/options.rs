//! The options before the object: `ip -n NS -j -d …`.

use crate::console::Stop;
use crate::iproute::args::{Family, invarg, matches, matches_any, not_simulated};
use crate::iproute::printer::Printer;

/// What the options say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `-n`: namespaces to enter, in order.
    pub netns: Vec<String>,
    /// `-j`.
    pub json: bool,
    /// `-p`.
    pub pretty: bool,
    /// `-s`, counted.
    pub stats: u32,
    /// `-d`.
    pub details: bool,
    /// `-br`.
    pub brief: bool,
    /// `-o`.
    pub oneline: bool,
    /// `-4`, `-6`, `-f`.
    pub family: Family,
    /// `-force`.
    pub force: bool,
    /// `-N`.
    pub numeric: bool,
    /// `-h`.
    pub human: bool,
    /// `-iec`.
    pub iec: bool,
    /// `-all`.
    pub all: bool,
    /// `-batch`.
    pub batch: Option<String>,
}

impl Options {
    /// An empty listing in the chosen form.
    pub fn printer(&self) -> Printer {
        Printer::new(self.json, self.pretty, self.oneline)
    }
}

/// Simplified: the first lines of the real text.
pub fn usage() -> Stop {
    Stop::text(
        255,
        "Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }\n       ip [ -force ] -batch filename\n\
         where  OBJECT := { address | addrlabel | amt | fou | help | ila | ioam | l2tp |\n",
    )
}

/// Reads the options; answers the words from the object on. iproute2: `main` in `ip/ip.c`.
///
/// # Errors
/// What iproute2 says about options it doesn't take; `-V` ends with the version on standard
/// output and comes back as [`Parsed::Version`].
pub fn parse<'a>(mut words: &'a [&'a str]) -> Result<Parsed<'a>, Stop> {
    let mut o = Options::default();
    while let Some((&word, rest)) = words.split_first() {
        if word == "--" {
            words = rest;
            break;
        }
        if !word.starts_with('-') {
            break;
        }
        let opt = if word.starts_with("--") { &word[1..] } else { word };
        words = rest;
        let mut value = |missing: fn() -> Stop| -> Result<&'a str, Stop> {
            let (&first, rest) = words.split_first().ok_or_else(missing)?;
            words = rest;
            Ok(first)
        };
        if matches(opt, "-loops") {
            value(usage)?;
        } else if matches(opt, "-family") {
            let name = value(usage)?;
            if name == "help" {
                return Err(usage());
            }
            o.family = Family::read(name).ok_or_else(|| invarg("invalid protocol family", name))?;
        } else if opt == "-4" {
            o.family = Family::Inet;
        } else if opt == "-6" {
            o.family = Family::Inet6;
        } else if opt == "-0" {
            o.family = Family::Packet;
        } else if opt == "-M" {
            o.family = Family::Mpls;
        } else if opt == "-B" {
            o.family = Family::Bridge;
        } else if matches_any(opt, &["-human", "-human-readable"]) {
            o.human = true;
        } else if matches(opt, "-iec") {
            o.iec = true;
        } else if matches_any(opt, &["-stats", "-statistics"]) {
            o.stats += 1;
        } else if matches(opt, "-details") {
            o.details = true;
        } else if matches(opt, "-resolve") {
            // Simplified: there is no reverse resolution, so nothing changes.
        } else if matches(opt, "-oneline") {
            o.oneline = true;
        } else if matches_any(opt, &["-timestamp", "-tshort"]) {
            // Only `monitor` prints timestamps.
        } else if matches(opt, "-Version") {
            return Ok(Parsed::Version);
        } else if matches(opt, "-force") {
            o.force = true;
        } else if matches(opt, "-batch") {
            o.batch = Some(value(usage)?.to_owned());
        } else if matches(opt, "-brief") {
            o.brief = true;
        } else if matches(opt, "-json") {
            o.json = true;
        } else if matches(opt, "-pretty") {
            o.pretty = true;
        } else if matches(opt, "-rcvbuf") {
            value(usage)?;
        } else if is_color(opt) {
            // Simplified: never colored.
        } else if matches(opt, "-help") {
            return Err(usage());
        } else if matches(opt, "-netns") {
            // What iproute2 makes of a missing name.
            o.netns.push(value(usage).unwrap_or("(null)").to_owned());
        } else if matches(opt, "-Numeric") {
            o.numeric = true;
        } else if matches(opt, "-all") {
            o.all = true;
        } else if opt == "-echo" {
            return Err(not_simulated("ip", word));
        } else {
            return Err(Stop::exit(255, format!("Option \"{opt}\" is unknown, try \"ip -help\".")));
        }
    }
    Ok(Parsed::Options(Box::new(o), words))
}

/// iproute2: `matches_color`.
pub fn is_color(opt: &str) -> bool {
    let (head, tail) = opt.split_once('=').map_or((opt, None), |(head, tail)| (head, Some(tail)));
    head.len() > 1
        && matches(head, "-color")
        && tail.is_none_or(|when| matches!(when, "always" | "auto" | "never"))
}

/// The outcome of reading options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// `-V`.
    Version,
    /// Options and the words that follow.
    Options(Box<Options>, &'a [&'a str]),
}
