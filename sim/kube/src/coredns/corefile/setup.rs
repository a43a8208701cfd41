//! Directives in the order of plugin.cfg, and their setup. Caddy: `executeDirectives`.

use dns::Name;

use super::blocks::{Block, blocks};
use super::dispenser::Dispenser;
use super::error::Error;
use super::outside::Outside;
use super::{Corefile, Key, Plugins, Server, cache, forward, hosts, kubernetes, misc, rewrite, zone};

/// What a directive's setup knows beside its own words.
pub(super) struct Context<'a> {
    /// The zones of its server block.
    pub zones: &'a [Name],
    /// Files and the environment.
    pub outside: &'a mut dyn Outside,
    /// What it warns of.
    pub warnings: &'a mut Vec<String>,
}

/// Reads a directive's words into the plugins of its server block.
type Setup = fn(&mut Dispenser<'_>, &mut Context<'_>, &mut Plugins) -> Result<(), Error>;

/// All directives, in the order in which they are set up and asked. Those without setup are not
/// simulated.
const DIRECTIVES: [(&str, Option<Setup>); 51] = [
    ("metadata", None),
    ("geoip", None),
    ("cancel", None),
    ("tls", None),
    ("timeouts", None),
    ("reload", Some(misc::reload)),
    ("nsid", None),
    ("bufsize", None),
    ("root", None),
    ("bind", None),
    ("debug", None),
    ("trace", None),
    ("ready", Some(misc::ready)),
    ("health", Some(misc::health)),
    ("pprof", None),
    ("prometheus", Some(misc::prometheus)),
    ("errors", Some(misc::errors)),
    ("log", Some(misc::log)),
    ("dnstap", None),
    ("local", None),
    ("dns64", None),
    ("acl", None),
    ("any", None),
    ("chaos", None),
    ("loadbalance", Some(misc::loadbalance)),
    ("tsig", None),
    ("cache", Some(cache::setup)),
    ("rewrite", Some(rewrite::setup)),
    ("header", None),
    ("dnssec", None),
    ("autopath", None),
    ("minimal", None),
    ("template", None),
    ("transfer", None),
    ("hosts", Some(hosts::setup)),
    ("route53", None),
    ("azure", None),
    ("clouddns", None),
    ("k8s_external", None),
    ("kubernetes", Some(kubernetes::setup)),
    ("file", None),
    ("auto", None),
    ("secondary", None),
    ("etcd", None),
    ("loop", Some(misc::find_loop)),
    ("forward", Some(forward::setup)),
    ("grpc", None),
    ("erratic", None),
    ("whoami", None),
    ("on", None),
    ("sign", None),
];

/// Directives that are no plugin of a chain, or come after all others.
const LAST: &str = "view";

/// The names of all plugins, in order.
pub fn directives() -> impl Iterator<Item = &'static str> {
    DIRECTIVES.iter().map(|(name, _)| *name).chain([LAST])
}

/// Reads a Corefile that is to be served on `port` where it names none.
pub(super) fn read(file: &str, text: &str, port: u16, outside: &mut dyn Outside) -> Result<Corefile, Error> {
    let known = |name: &str| directives().any(|known| known == name);
    let (blocks, mut warnings) = blocks(file, text, outside, Some(&known))?;
    let mut servers = Vec::new();
    for block in &blocks {
        let keys = keys(block, port).map_err(|error| match error {
            Error::Refused(text) => Error::Refused(format!("error inspecting server blocks: {text}")),
            other => other,
        })?;
        servers.push(Server { keys, plugins: Plugins::default() });
    }
    for (name, setup) in DIRECTIVES.into_iter().chain([(LAST, None)]) {
        for (block, server) in blocks.iter().zip(&mut servers) {
            let Some(tokens) = block.directives.get(name) else { continue };
            let mut at = Dispenser::new(file, tokens.clone());
            let zones: Vec<Name> = server.keys.iter().map(|key| key.zone.clone()).collect();
            let Some(setup) = setup else {
                at.next();
                return Err(at.not_simulated(format!("CoreDNS plugin {name:?}")));
            };
            let mut context = Context { zones: &zones, outside: &mut *outside, warnings: &mut warnings };
            setup(&mut at, &mut context, &mut server.plugins).map_err(|error| error.in_plugin(name))?;
        }
    }
    let mut served: Vec<&Key> = Vec::new();
    for key in servers.iter().flat_map(|server| &server.keys) {
        if served.contains(&key) {
            return Err(Error::refused(format_args!("cannot serve {key} - it is already defined")));
        }
        served.push(key);
    }
    Ok(Corefile { servers, warnings })
}

/// A block's keys; a prefix between two octets becomes several, of which all but the first come
/// last.
fn keys(block: &Block, default_port: u16) -> Result<Vec<Key>, Error> {
    let mut keys = Vec::new();
    let mut further = Vec::new();
    for text in &block.keys {
        let (transport, rest) = zone::transport(text);
        if let Some(transport) = transport {
            return Err(Error::Refused(format!(
                "hoplab: CoreDNS transport {transport} ({text}) is not simulated"
            )));
        }
        let (zones, port) = zone::zones_and_port(rest)?;
        let port = port.unwrap_or(default_port);
        let mut zones = zones.into_iter().map(|zone| Key { zone, port });
        keys.extend(zones.next());
        further.extend(zones);
    }
    keys.extend(further);
    Ok(keys)
}
