//! `bridge` of iproute2 6.1: `link` and `fdb`.

pub(crate) mod fdb;
pub(crate) mod link;

use packet::NetnsId;
use world::{Registry, Sys};

use crate::console::{Console, End, Stop};
use crate::ip::{Outcome, batch_failed, enter, for_each_line, is_color, read_script};
use crate::iproute::args::{Family, invarg, matches, matches_any, not_simulated};
use crate::iproute::env::Env;
use crate::iproute::printer::Printer;

/// Installs `bridge`.
pub fn install(registry: &mut Registry) {
    registry.install_command("bridge", run);
}

/// The options before the object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Options {
    netns: Vec<String>,
    json: bool,
    pretty: bool,
    stats: bool,
    details: bool,
    oneline: bool,
    family: Family,
    force: bool,
    batch: Option<String>,
}

/// One run of the command.
pub(crate) struct Bridge<'a, 's> {
    console: &'a mut Console<'s>,
    netns: NetnsId,
    options: Options,
}

impl Bridge<'_, '_> {
    fn env(&self) -> Env<'_> {
        Env::of(self.console.sys, self.netns)
    }

    fn printer(&self) -> Printer {
        Printer::new(self.options.json, self.options.pretty, self.options.oneline)
    }
}

/// Simplified: the first lines of the real text.
fn usage() -> Stop {
    Stop::text(
        255,
        "Usage: bridge [ OPTIONS ] OBJECT { COMMAND | help }\n       bridge [ -force ] -batch filename\n\
         where  OBJECT := { link | fdb | mdb | vlan | monitor }\n",
    )
}

fn run(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let words: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    let mut console = Console::new(sys);
    let outcome = run_words(&mut console, &words);
    console.finish(outcome)
}

fn run_words(console: &mut Console<'_>, words: &[&str]) -> Result<i32, Stop> {
    let Some((options, words)) = parse_options(words)? else {
        console.line("bridge utility, 6.1.0");
        return Ok(0);
    };
    let netns = enter(console.sys, &options.netns)?;
    let batch = options.batch.clone();
    let mut bridge = Bridge { console, netns, options };
    if let Some(file) = batch {
        return run_batch(&mut bridge, &file);
    }
    match words.split_first() {
        Some((object, rest)) => do_cmd(&mut bridge, object, rest),
        None => Err(usage()),
    }
}

/// Options and the words after them; none for `-V`.
fn parse_options<'a>(mut words: &'a [&'a str]) -> Result<Option<(Options, &'a [&'a str])>, Stop> {
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
        if matches(opt, "-help") {
            return Err(usage());
        } else if matches(opt, "-Version") {
            return Ok(None);
        } else if matches_any(opt, &["-stats", "-statistics"]) {
            o.stats = true;
        } else if matches(opt, "-details") {
            o.details = true;
        } else if matches(opt, "-oneline") {
            o.oneline = true;
        } else if matches(opt, "-timestamp") {
            // Only `monitor` prints timestamps.
        } else if matches(opt, "-family") {
            o.family = match value(usage)? {
                "inet" => Family::Inet,
                "inet6" => Family::Inet6,
                "help" => return Err(usage()),
                other => return Err(invarg("invalid protocol family", other)),
            };
        } else if opt == "-4" {
            o.family = Family::Inet;
        } else if opt == "-6" {
            o.family = Family::Inet6;
        } else if matches(opt, "-netns") {
            // What iproute2 makes of a missing name.
            o.netns.push(value(usage).unwrap_or("(null)").to_owned());
        } else if is_color(opt) || matches(opt, "-compressvlans") {
            // Simplified: never colored.
        } else if matches(opt, "-force") {
            o.force = true;
        } else if matches(opt, "-json") {
            o.json = true;
        } else if matches(opt, "-pretty") {
            o.pretty = true;
        } else if matches(opt, "-batch") {
            o.batch = Some(value(usage)?.to_owned());
        } else {
            return Err(Stop::exit(255, format!("Option \"{opt}\" is unknown, try \"bridge help\".")));
        }
    }
    Ok(Some((o, words)))
}

/// A function's negative value is the exit status as it is, modulo 256.
fn do_cmd(bridge: &mut Bridge<'_, '_>, object: &str, words: &[&str]) -> Result<i32, Stop> {
    match ["link", "fdb", "mdb", "vlan", "vni", "monitor", "help"]
        .into_iter()
        .find(|name| matches(object, name))
    {
        Some("link") => link::run(bridge, words),
        Some("fdb") => fdb::run(bridge, words),
        Some("mdb") => mdb(words),
        Some("vlan") => vlan(bridge, words),
        Some("help") => Err(usage()),
        Some(name) => Err(not_simulated("bridge", name)),
        None => Err(Stop::fail(-1, format!("Object \"{object}\" is unknown, try \"bridge help\"."))),
    }
}

/// `bridge mdb`. Simplified: bridges learn no groups, so that there is nothing to list.
fn mdb(words: &[&str]) -> Result<i32, Stop> {
    match words.first() {
        None => Ok(0),
        Some(verb) if matches_any(verb, &["show", "lst", "list"]) => Ok(0),
        Some(verb) => Err(not_simulated("bridge", &format!("mdb {verb}"))),
    }
}

/// `bridge vlan`. Simplified: as a kernel without VLAN filtering, which lists none.
fn vlan(bridge: &mut Bridge<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    match words.first() {
        Some(verb) if !matches_any(verb, &["show", "lst", "list"]) => {
            Err(not_simulated("bridge", &format!("vlan {verb}")))
        }
        _ if bridge.options.json => {
            bridge.console.line("[]");
            Ok(0)
        }
        _ => {
            bridge.console.line("port              vlan-id  ");
            Ok(0)
        }
    }
}

fn run_batch(bridge: &mut Bridge<'_, '_>, file: &str) -> Result<i32, Stop> {
    let text = read_script(bridge.console.sys, file)?;
    let force = bridge.options.force;
    for_each_line(&text, |number, words| {
        let Some((object, rest)) = words.split_first() else { return Ok(Outcome::Done) };
        match do_cmd(bridge, object, rest) {
            Ok(_) => Ok(Outcome::Done),
            Err(Stop { text, end: End::Return(_) }) => {
                Ok(batch_failed(bridge.console, file, number, &text, force))
            }
            Err(stop) => Err(stop),
        }
    })
}
