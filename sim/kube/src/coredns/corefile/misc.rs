//! The directives that say little.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use super::config::{Class, Consolidate, ErrorLog, Health, Level, Listen, LogRule, Reload, Shuffle};
use super::dispenser::Dispenser;
use super::error::Error;
use super::setup::Context;
use super::{Plugins, go, zone};

/// What says that a plugin was named twice.
pub(super) const ONCE: &str = "this plugin can only be used once per Server Block";

/// Goes to a directive; one that comes again is refused. Answers whether there is one.
pub(super) fn once(at: &mut Dispenser<'_>, seen: bool) -> Result<bool, Error> {
    let has_more = at.next();
    if has_more && seen { Err(Error::refused(ONCE)) } else { Ok(has_more) }
}

/// `reload [INTERVAL] [JITTER]`. What comes after the first of them isn't read.
pub(super) fn reload(
    at: &mut Dispenser<'_>,
    _: &mut Context<'_>,
    plugins: &mut Plugins,
) -> Result<(), Error> {
    at.next();
    let args = at.remaining_args();
    if args.len() > 2 {
        return Err(at.arg_error());
    }
    let value = |at: usize, default: u64| match args.get(at) {
        Some(text) => go::nanoseconds(text),
        None => Ok(i64::try_from(default).unwrap_or(i64::MAX) * 1_000_000_000),
    };
    let interval = value(0, 30)?;
    let second = 1_000_000_000;
    if interval < 2 * second {
        return Err(Error::refused("interval value must be greater or equal to 2s"));
    }
    let jitter = value(1, 15)?;
    if jitter != 0 && jitter < second {
        return Err(Error::refused("jitter value must be greater or equal to 1s"));
    }
    let nanoseconds = |value: i64| Duration::from_nanos(value.unsigned_abs());
    let jitter = nanoseconds(jitter.min(interval / 2));
    plugins.reload = Some(Reload { interval: nanoseconds(interval), jitter });
    Ok(())
}

/// `[ADDRESS]`, of a plugin that is named once and has no block.
fn address(at: &mut Dispenser<'_>, default: Listen) -> Result<Listen, Error> {
    let (mut listen, mut seen) = (default, false);
    while once(at, seen)? {
        seen = true;
        match &at.remaining_args()[..] {
            [] => {}
            [address] => listen = go::listen(address)?,
            _ => return Err(at.arg_error()),
        }
    }
    Ok(listen)
}

/// `ready [ADDRESS]`.
pub(super) fn ready(at: &mut Dispenser<'_>, _: &mut Context<'_>, plugins: &mut Plugins) -> Result<(), Error> {
    plugins.ready = Some(address(at, Listen { ip: None, port: 8181 })?);
    Ok(())
}

/// `prometheus [ADDRESS]`.
pub(super) fn prometheus(
    at: &mut Dispenser<'_>,
    _: &mut Context<'_>,
    plugins: &mut Plugins,
) -> Result<(), Error> {
    plugins.prometheus = Some(address(at, Listen { ip: Some(Ipv4Addr::LOCALHOST.into()), port: 9153 })?);
    Ok(())
}

/// `health [ADDRESS] { lameduck DURATION }`.
pub(super) fn health(
    at: &mut Dispenser<'_>,
    _: &mut Context<'_>,
    plugins: &mut Plugins,
) -> Result<(), Error> {
    let mut health = Health { listen: Listen { ip: None, port: 8080 }, lameduck: Duration::ZERO };
    while at.next() {
        match &at.remaining_args()[..] {
            [] => {}
            [address] => health.listen = go::listen(address)?,
            _ => return Err(at.arg_error()),
        }
        while at.next_block() {
            if at.text() != "lameduck" {
                return Err(at.error(format_args!("unknown property '{}'", at.text())));
            }
            let [text] = at.exactly()?;
            let lameduck = go::duration(&text).map_err(|error| {
                Error::refused(format_args!("unable to parse lameduck duration value: '{text}' : {error}"))
            })?;
            health.lameduck = lameduck.unwrap_or_default();
        }
    }
    plugins.health = Some(health);
    Ok(())
}

/// `errors [stdout] { consolidate DURATION REGEXP [LEVEL]; stacktrace }`. There is never a stack
/// to trace.
pub(super) fn errors(
    at: &mut Dispenser<'_>,
    _: &mut Context<'_>,
    plugins: &mut Plugins,
) -> Result<(), Error> {
    let (mut errors, mut seen) = (ErrorLog::default(), false);
    while once(at, seen)? {
        seen = true;
        match &at.remaining_args()[..] {
            [] => {}
            [file] if file == "stdout" => {}
            [file] => return Err(at.error(format_args!("invalid log file: {file}"))),
            _ => return Err(at.arg_error()),
        }
        while at.next_block() {
            match at.text() {
                "stacktrace" => {}
                "consolidate" => errors.consolidate.push(consolidate(at)?),
                other => return Err(at.syntax_error(&format!("Unknown field {other}"))),
            }
        }
    }
    plugins.errors = Some(errors);
    Ok(())
}

fn consolidate(at: &mut Dispenser<'_>) -> Result<Consolidate, Error> {
    let args = at.remaining_args();
    let (period, pattern, level) = match &args[..] {
        [period, pattern] => (period, pattern, "error"),
        [period, pattern, level] => (period, pattern, level.as_str()),
        _ => return Err(at.arg_error()),
    };
    let period = go::duration(period).map_err(|error| at.error(error))?.unwrap_or_default();
    let pattern = go::pattern(pattern).map_err(|error| at.error(error))?;
    let level = match level {
        "warning" => Level::Warning,
        "error" => Level::Error,
        "info" => Level::Info,
        "debug" => Level::Debug,
        other => {
            return Err(at.error(format_args!("unknown log level argument in consolidate: {other}")));
        }
    };
    Ok(Consolidate { period, pattern, level })
}

/// The format of `log` that is also called `{common}`.
const COMMON: &str = "{remote}:{port} - {>id} \"{type} {class} {name} {proto} {size} {>do} {>bufsize}\" \
                      {rcode} {>rflags} {rsize} {duration}";

/// `log [NAMES… [FORMAT]] { class CLASSES… }`.
pub(super) fn log(at: &mut Dispenser<'_>, _: &mut Context<'_>, plugins: &mut Plugins) -> Result<(), Error> {
    while at.next() {
        let mut scopes = at.remaining_args();
        let mut format = COMMON.to_owned();
        if scopes.len() > 1
            && let Some(last) = scopes.pop_if(|last| last.contains('{'))
        {
            let combined = format!("{COMMON} \"{{>opcode}}\"");
            format = last.replace("{common}", COMMON).replace("{combined}", &combined);
        }
        if scopes.is_empty() {
            scopes.push(".".to_owned());
        }
        let mut classes = BTreeSet::new();
        while at.next_block() {
            if at.text() != "class" {
                return Err(at.arg_error());
            }
            let names = at.remaining_args();
            if names.is_empty() {
                return Err(at.arg_error());
            }
            for name in names {
                classes.insert(match name.as_str() {
                    "all" => Class::All,
                    "success" => Class::Success,
                    "denial" => Class::Denial,
                    "error" => Class::Error,
                    other => return Err(Error::refused(format_args!("invalid Class: {other}"))),
                });
            }
        }
        if classes.is_empty() {
            classes.insert(Class::All);
        }
        for scope in scopes {
            let Some(name) = zone::name(&scope) else {
                return Err(at.not_simulated(format!("CoreDNS log for {scope:?}, which is no name")));
            };
            plugins.log.push(LogRule { scope: name, format: format.clone(), classes: classes.clone() });
        }
    }
    Ok(())
}

/// `loadbalance [round_robin]`.
pub(super) fn loadbalance(
    at: &mut Dispenser<'_>,
    _: &mut Context<'_>,
    plugins: &mut Plugins,
) -> Result<(), Error> {
    at.next();
    let args = at.remaining_args();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] | ["round_robin"] => {}
        ["round_robin", ..] => return Err(at.error("unknown property for round_robin")),
        ["weighted"] => return Err(at.error("missing weight file argument")),
        ["weighted", _] => return Err(at.not_simulated("CoreDNS loadbalance weighted")),
        ["weighted", ..] => return Err(at.error("unexpected argument(s)")),
        [other, ..] => return Err(Error::refused(format_args!("unknown policy: {other}"))),
    }
    plugins.loadbalance = Some(Shuffle::RoundRobin);
    Ok(())
}

/// `loop`.
pub(super) fn find_loop(
    at: &mut Dispenser<'_>,
    context: &mut Context<'_>,
    plugins: &mut Plugins,
) -> Result<(), Error> {
    let mut seen = false;
    while once(at, seen)? {
        seen = true;
        if at.next_arg() {
            return Err(at.arg_error());
        }
    }
    plugins.find_loop = context.zones.first().cloned().or_else(|| Some(dns::Name::root()));
    Ok(())
}
