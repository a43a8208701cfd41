//! `hosts [FILE [ZONES…]] { … }`. CoreDNS: `plugin/hosts/setup.go`.

use std::time::Duration;

use kernel::Errno;

use super::config::{Fallthrough, Hosts, Reverse};
use super::dispenser::Dispenser;
use super::error::Error;
use super::misc::once;
use super::setup::Context;
use super::{Plugins, go, zone};

pub(super) fn setup(
    at: &mut Dispenser<'_>,
    context: &mut Context<'_>,
    plugins: &mut Plugins,
) -> Result<(), Error> {
    let mut hosts = Hosts {
        path: "/etc/hosts".to_owned(),
        zones: Vec::new(),
        inline: Vec::new(),
        fallthrough: Fallthrough::default(),
        reverse: Reverse::Answered,
        ttl: 3600,
        reload: Duration::from_secs(5),
    };
    let mut seen = false;
    while once(at, seen)? {
        seen = true;
        let mut args = at.remaining_args();
        if !args.is_empty() {
            hosts.path = args.remove(0);
            let warning = match context.outside.read(&hosts.path) {
                Err(Errno::NoEnt) => Some(format!("File does not exist: {}", hosts.path)),
                Err(Errno::IsDir) => Some(format!("Hosts file {:?} is a directory", hosts.path)),
                Ok(_) | Err(_) => None,
            };
            context.warnings.extend(warning.map(|text| format!("[WARNING] plugin/hosts: {text}")));
        }
        hosts.zones = zone::zones_or(&args, context.zones);
        while at.next_block() {
            property(at, &mut hosts)?;
        }
    }
    plugins.hosts = Some(hosts);
    Ok(())
}

fn property(at: &mut Dispenser<'_>, hosts: &mut Hosts) -> Result<(), Error> {
    let name = at.text().to_owned();
    let args = at.remaining_args();
    match name.as_str() {
        "fallthrough" => hosts.fallthrough = Fallthrough::of(&args),
        "no_reverse" => hosts.reverse = Reverse::Unanswered,
        "ttl" => {
            let text = args.first().ok_or_else(|| at.error("ttl needs a time in second"))?;
            let ttl = go::integer(text).map_err(|_| at.error("ttl needs a number of second"))?;
            let ttl = u16::try_from(ttl).ok().filter(|&ttl| ttl > 0);
            hosts.ttl = ttl.ok_or_else(|| at.error("ttl provided is invalid"))?.into();
        }
        "reload" => {
            let [text] = &args[..] else {
                return Err(at.error("reload needs a duration (zero seconds to disable)"));
            };
            let reload = go::duration(text)
                .map_err(|_| at.error(format_args!("invalid duration for reload '{text}'")))?;
            hosts.reload = reload
                .ok_or_else(|| at.error(format_args!("invalid negative duration for reload '{text}'")))?;
        }
        _ if hosts.fallthrough.0.is_empty() => {
            hosts.inline.push([&[name][..], &args].concat().join(" "));
        }
        _ => return Err(at.error(format_args!("unknown property '{name}'"))),
    }
    Ok(())
}
