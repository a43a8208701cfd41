//! The chain of plugins: what a query meets on its way down, and its answer on its way up.

use dns::{Message, Name, ResponseCode};
use packet::SimTime;

use super::corefile::{LogRule, NameRule, Plugins};
use super::kubernetes::{self, Chase};
use super::message::Client;
use super::plugin::cache::Cache;
use super::plugin::errors::Errors;
use super::plugin::find_loop::FindLoop;
use super::plugin::forward::{Attempt, Forward};
use super::plugin::hosts::Hosts;
use super::plugin::rewrite::Reverter;

/// A plugin of a server block, with what it keeps.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    Metrics,
    Errors(Errors),
    Log(Vec<LogRule>),
    LoadBalance,
    Rewrite(Vec<NameRule>),
    Cache(Box<Cache>),
    Hosts(Box<Hosts>),
    Kubernetes(Box<kubernetes::Plugin>),
    Loop(Box<FindLoop>),
    Forward(Box<Forward>),
}

impl Stage {
    /// The plugin's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Metrics => "prometheus",
            Self::Errors(_) => "errors",
            Self::Log(_) => "log",
            Self::LoadBalance => "loadbalance",
            Self::Rewrite(_) => "rewrite",
            Self::Cache(_) => "cache",
            Self::Hosts(_) => "hosts",
            Self::Kubernetes(_) => "kubernetes",
            Self::Loop(_) => "loop",
            Self::Forward(_) => "forward",
        }
    }
}

/// The plugins of a server block in the order of CoreDNS's plugin.cfg, whatever the Corefile's.
pub(super) fn stages(
    plugins: &Plugins,
    port: u16,
    local: &[std::net::IpAddr],
    now: SimTime,
    random: &mut dyn FnMut() -> u64,
) -> Vec<Stage> {
    let mut stages = Vec::new();
    stages.extend(plugins.prometheus.map(|_| Stage::Metrics));
    stages.extend(plugins.errors.as_ref().map(|config| Stage::Errors(Errors::new(config))));
    if !plugins.log.is_empty() {
        stages.push(Stage::Log(plugins.log.clone()));
    }
    stages.extend(plugins.loadbalance.map(|_| Stage::LoadBalance));
    if !plugins.rewrite.is_empty() {
        stages.push(Stage::Rewrite(plugins.rewrite.clone()));
    }
    stages.extend(plugins.cache.as_ref().map(|config| Stage::Cache(Box::new(Cache::new(config)))));
    stages.extend(plugins.hosts.as_ref().map(|config| Stage::Hosts(Box::new(Hosts::new(config)))));
    stages.extend(plugins.kubernetes.as_ref().map(|config| {
        let plugin = kubernetes::Plugin { config: config.clone(), local: local.to_vec() };
        Stage::Kubernetes(Box::new(plugin))
    }));
    if let Some(zone) = &plugins.find_loop {
        stages.push(Stage::Loop(Box::new(FindLoop::new(zone, port, now, random))));
    }
    stages.extend(plugins.forward.iter().map(|config| Stage::Forward(Box::new(Forward::new(config)))));
    stages
}

/// Where a plugin stands: the server block's number and its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub block: usize,
    pub stage: usize,
}

/// What a plugin does with an answer that comes back up.
#[derive(Clone, Debug)]
pub(super) enum Frame {
    /// The server: the answer is made to fit the client. What was asked before is asked again.
    Server,
    Metrics {
        size: usize,
        start: SimTime,
    },
    Errors(Place),
    Log {
        rule: Box<LogRule>,
        query: Box<Message>,
        start: SimTime,
    },
    LoadBalance,
    Rewrite(Box<Reverter>),
    /// What is not the cache's own sees the query as it was.
    Cache {
        place: Place,
        query: Box<Message>,
        stale: Option<Box<Message>>,
    },
    /// An alias's target is looked up for a query.
    Kubernetes {
        query: Box<Message>,
        chase: Box<Chase>,
    },
    /// A server is asked.
    Forward {
        place: Place,
        attempt: Box<Attempt>,
        asked: SimTime,
    },
}

/// A query on its way.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// Who asks.
    pub client: Client,
    /// Whether anybody waits for the answer: a cache also asks for itself.
    pub purpose: Purpose,
    /// The query, as the plugins now have it.
    pub query: Message,
    /// What has to be done with the answer; the last one first.
    pub frames: Vec<Frame>,
}

/// For whom a query is.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// For a client.
    Client,
    /// For a cache that fetches an answer again; the query as the cache knows it.
    Refresh(Place, Box<Message>),
}

/// What comes up from a plugin. CoreDNS: what `ServeDNS` returns, and what it wrote.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    /// The code that it returns.
    pub code: ResponseCode,
    /// The answer, if it has written one.
    pub message: Option<Message>,
    /// What went wrong.
    pub error: Option<String>,
    /// Which plugin has written the answer.
    pub by: &'static str,
}

impl Reply {
    /// An answer.
    pub fn written(message: Message, by: &'static str) -> Self {
        Self { code: ResponseCode::NoError, message: Some(message), error: None, by }
    }

    /// A code that the server is to answer with.
    pub fn code(code: ResponseCode, error: Option<String>) -> Self {
        Self { code, message: None, error, by: "" }
    }

    /// Whether a plugin has answered. CoreDNS: `ClientWrite`.
    pub fn is_written(&self) -> bool {
        !matches!(
            self.code,
            ResponseCode::ServFail | ResponseCode::Refused | ResponseCode::FormErr | ResponseCode::NotImp
        )
    }
}

/// What happens next to a query.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// It goes to a plugin, or past the last one.
    Down(Place),
    /// A name is looked up for it, as if a client asked.
    Nested(Name, dns::RecordType),
    /// Its answer goes up.
    Up(Box<Reply>),
    /// Another server was asked.
    Waiting,
}
