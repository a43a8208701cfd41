//! The Corefile: which zones CoreDNS serves, by which plugins.
//!
//! Reading goes as in CoreDNS 1.11.1: tokens, server blocks, then for each directive, in the order
//! of plugin.cfg, its setup in each server block. The first that is wrong ends it, in CoreDNS's
//! words. What CoreDNS knows and is not simulated is refused by name.

mod blocks;
mod cache;
mod config;
mod digest;
mod dispenser;
mod error;
mod forward;
mod go;
mod hosts;
mod kubernetes;
mod lexer;
mod misc;
mod outside;
mod rewrite;
mod setup;
#[cfg(test)]
mod tests;
mod zone;

pub use config::{
    Cache, CacheSide, CachedTtl, Class, Consolidate, EndpointNames, Endpoints, ErrorLog, Fallthrough,
    Forward, Health, HealthCheck, Hosts, IfEmpty, Kubernetes, Level, Listen, LogRule, Pattern, Pods, Policy,
    Prefetch, Recursion, Refresh, Reload, Reverse, ServeStale, Shuffle, Upstream, Zonal,
};
pub use digest::{Fingerprint, fingerprint};
pub use error::Error;
pub use outside::Outside;
pub use rewrite::{After, AnswerRule, Auto, Field, Match, NameRule};
pub use setup::directives;

use std::fmt;

use dns::Name;

/// A Corefile that was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Corefile {
    /// Its server blocks, in the file's order.
    pub servers: Vec<Server>,
    /// What is said while it is read, each a line for the log.
    pub warnings: Vec<String>,
}

impl Corefile {
    /// Reads a Corefile. `port` is that of servers that name none.
    ///
    /// # Errors
    /// What CoreDNS says, or what is not simulated.
    pub fn read(file: &str, text: &str, port: u16, outside: &mut dyn Outside) -> Result<Self, Error> {
        setup::read(file, text, port, outside)
    }
}

/// A server block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Server {
    /// Its zones and their ports. A prefix between two octets has become several.
    pub keys: Vec<Key>,
    /// Its plugins; they are asked in the order of these fields.
    pub plugins: Plugins,
}

/// A key of a server block: `example.org:1053`. Only plain DNS is simulated.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Its zone: lower case, fully qualified.
    pub zone: Name,
    /// The port that it is served on.
    pub port: u16,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dns://{}:{}", self.zone, self.port)
    }
}

/// The plugins of a server block, in the order in which a query passes them (plugin.cfg).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plugins {
    /// `reload`: reads the Corefile again when it has changed.
    pub reload: Option<Reload>,
    /// `ready`: where it says that all plugins are ready.
    pub ready: Option<Listen>,
    /// `health`.
    pub health: Option<Health>,
    /// `prometheus`: where metrics are read.
    pub prometheus: Option<Listen>,
    /// `errors`.
    pub errors: Option<ErrorLog>,
    /// `log`: its rules; none if there is no such directive.
    pub log: Vec<LogRule>,
    /// `loadbalance round_robin`: answers' addresses change places.
    pub loadbalance: Option<Shuffle>,
    /// `cache`.
    pub cache: Option<Cache>,
    /// `rewrite`: its rules; none if there is no such directive.
    pub rewrite: Vec<NameRule>,
    /// `hosts`.
    pub hosts: Option<Hosts>,
    /// `kubernetes`.
    pub kubernetes: Option<Kubernetes>,
    /// `loop`: the zone in which it looks for loops.
    pub find_loop: Option<Name>,
    /// `forward`: one for each directive.
    pub forward: Vec<Forward>,
}
