//! `cache [TTL] [ZONES…] { … }`. CoreDNS: `plugin/cache/setup.go`.

use std::time::Duration;

use super::config::{Cache, CacheSide, CachedTtl, Prefetch, Refresh, ServeStale};
use super::dispenser::Dispenser;
use super::error::Error;
use super::misc::once;
use super::setup::Context;
use super::{Plugins, go, zone};

/// How many answers each half holds unless it is said.
const CAPACITY: usize = 10_000;

pub(super) fn setup(
    at: &mut Dispenser<'_>,
    context: &mut Context<'_>,
    plugins: &mut Plugins,
) -> Result<(), Error> {
    let side = |max_ttl| CacheSide {
        capacity: CAPACITY,
        max_ttl: Duration::from_secs(max_ttl),
        min_ttl: Duration::from_secs(5),
        except: Vec::new(),
    };
    let mut cache = Cache {
        zones: Vec::new(),
        success: side(3600),
        denial: side(1800),
        prefetch: None,
        serve_stale: None,
        servfail: Duration::from_secs(5),
        ttl: CachedTtl::Left,
    };
    let mut seen = false;
    while once(at, seen)? {
        seen = true;
        let mut args = at.remaining_args();
        if let Some(seconds) = args.first().and_then(|arg| go::integer(arg).ok()) {
            let ttl = positive_ttl(seconds)?;
            cache.success.max_ttl = ttl;
            cache.denial.max_ttl = ttl;
            args.remove(0);
        }
        cache.zones = zone::zones_or(&args, context.zones);
        while at.next_block() {
            property(at, &mut cache)?;
        }
    }
    plugins.cache = Some(cache);
    Ok(())
}

fn positive_ttl(seconds: i64) -> Result<Duration, Error> {
    u64::try_from(seconds)
        .ok()
        .filter(|&seconds| seconds > 0)
        .map(Duration::from_secs)
        .ok_or_else(|| Error::refused(format_args!("cache TTL can not be zero or negative: {seconds}")))
}

fn property(at: &mut Dispenser<'_>, cache: &mut Cache) -> Result<(), Error> {
    let name = at.text().to_owned();
    let args = at.remaining_args();
    match (name.as_str(), &args[..]) {
        ("success", [_, ..]) => side(&args, &mut cache.success)?,
        ("denial", [_, ..]) => side(&args, &mut cache.denial)?,
        ("prefetch", [amount, rest @ ..]) if rest.len() < 3 => {
            cache.prefetch = prefetch(amount, rest)?;
        }
        ("serve_stale", [] | [_] | [_, _]) => cache.serve_stale = Some(serve_stale(&args)?),
        ("servfail", [text]) => {
            cache.servfail =
                go::duration(text)?.ok_or_else(|| Error::refused("invalid negative ttl for servfail"))?;
            if cache.servfail > Duration::from_secs(300) {
                return Err(Error::refused("caching SERVFAIL responses over 5 minutes is not permitted"));
            }
        }
        ("disable", [kind, names @ ..]) => {
            let mut zones = Vec::new();
            for name in names {
                zones.push(
                    zone::name(name)
                        .ok_or_else(|| Error::refused(format_args!("invalid disabled zone: {name}")))?,
                );
            }
            if names.is_empty() {
                zones.push(dns::Name::root());
            }
            match kind.as_str() {
                "success" => cache.success.except = zones,
                "denial" => cache.denial.except = zones,
                _ => {
                    let text = "cache type for disable must be \"success\" or \"denial\"";
                    return Err(Error::refused(text));
                }
            }
        }
        ("keepttl", []) => cache.ttl = CachedTtl::Kept,
        _ => return Err(at.arg_error()),
    }
    Ok(())
}

/// `CAPACITY [TTL] [MINTTL]`.
fn side(args: &[String], side: &mut CacheSide) -> Result<(), Error> {
    let mut numbers = args.iter().map(|arg| go::integer(arg));
    if let Some(capacity) = numbers.next().transpose()? {
        side.capacity = usize::try_from(capacity).unwrap_or(0);
    }
    if let Some(seconds) = numbers.next().transpose()? {
        side.max_ttl = positive_ttl(seconds)?;
    }
    if let Some(seconds) = numbers.next().transpose()? {
        side.min_ttl = u64::try_from(seconds)
            .map(Duration::from_secs)
            .map_err(|_| Error::refused(format_args!("cache min TTL can not be negative: {seconds}")))?;
    }
    Ok(())
}

/// `AMOUNT [DURATION] [PERCENTAGE%]`; an amount of 0 is none.
fn prefetch(amount: &str, rest: &[String]) -> Result<Option<Prefetch>, Error> {
    let amount = go::integer(amount)?;
    let amount = usize::try_from(amount)
        .map_err(|_| Error::refused(format_args!("prefetch amount should be positive: {amount}")))?;
    let mut prefetch = Prefetch { amount, duration: Duration::from_secs(60), percentage: 10 };
    if let Some(text) = rest.first() {
        prefetch.duration = go::duration(text)?.unwrap_or_default();
    }
    if let Some(text) = rest.get(1) {
        let Some(number) = text.strip_suffix('%') else {
            let last = text.chars().last().unwrap_or('\0');
            return Err(Error::refused(format_args!(
                "last character of percentage should be `%`, but is: {last:?}"
            )));
        };
        let number = go::integer(number)?;
        let percentage = u8::try_from(number).ok().filter(|number| (10..=90).contains(number));
        prefetch.percentage = percentage.ok_or_else(|| {
            Error::refused(format_args!("percentage should fall in range [10, 90]: {number}"))
        })?;
    }
    Ok(Some(prefetch).filter(|prefetch| prefetch.amount > 0))
}

/// `[DURATION] [immediate|verify]`.
fn serve_stale(args: &[String]) -> Result<ServeStale, Error> {
    let up_to = match args.first() {
        Some(text) => {
            go::duration(text)?.ok_or_else(|| Error::refused("invalid negative duration for serve_stale"))?
        }
        None => Duration::from_secs(3600),
    };
    let refresh = match args.get(1).map(|mode| mode.to_lowercase()) {
        None => Refresh::Immediate,
        Some(mode) if mode == "immediate" => Refresh::Immediate,
        Some(mode) if mode == "verify" => Refresh::Verify,
        Some(mode) => {
            return Err(Error::refused(format_args!("invalid value for serve_stale refresh mode: {mode}")));
        }
    };
    Ok(ServeStale { up_to, refresh })
}
