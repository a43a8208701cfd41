//! The process `coredns`: it reads a Corefile, listens, and gives a [`super::Server`] what comes.

mod instance;
mod listeners;
mod options;
mod outside;
mod release;
mod upstream;
mod watch;
mod web;

use std::collections::VecDeque;
use std::time::Duration;

use packet::SimTime;
use tools::console::write_all;
use tools::net::read_file;
use world::{Args, Fd, Next, Program, Registry, Signal, Sys, Wait};

use super::Metrics;
use super::corefile::{self, Corefile, Fingerprint, Key, directives, fingerprint};
use instance::Instance;
use listeners::Listeners;
use options::{Options, Quiet, Task, Usage};
use outside::Surroundings;
use release::Release;
use watch::{Synced, Syncing, Watcher};
use web::{Facts, Web};

/// Where images have the program.
const PATHS: [&str; 2] = ["coredns", "/coredns"];

/// The Corefile's name unless it is said.
const COREFILE: &str = "Corefile";

/// How long queries under way may take after another instance has begun.
const GRACE: Duration = Duration::from_secs(5);

/// Installs `coredns`.
pub(super) fn install(registry: &mut Registry) {
    for path in PATHS {
        registry.install(path, |args| Box::new(Daemon { args, state: None }));
    }
}

/// `coredns`.
#[derive(Clone, Debug)]
struct Daemon {
    args: Args,
    /// None before its first turn.
    state: Option<Box<State>>,
}

#[derive(Clone, Debug)]
struct State {
    options: Options,
    release: Release,
    web: Web,
    listeners: Listeners,
    /// What is about to serve.
    starting: Option<Starting>,
    /// What serves.
    running: Option<Instance>,
    /// What has served, until its last query is answered.
    old: Option<(Instance, SimTime)>,
    reload: Option<Reloading>,
    /// It was told to end, and stays for so long: first until this time, then for these.
    ending: Option<(SimTime, VecDeque<Duration>)>,
}

/// An instance whose kubernetes plugins wait for their lists, one after the other.
#[derive(Clone, Debug)]
struct Starting {
    corefile: Corefile,
    text: String,
    watcher: Watcher,
    /// How many plugins wait yet.
    left: usize,
    syncing: Syncing,
}

/// The `reload` plugin.
#[derive(Clone, Debug)]
struct Reloading {
    sha512: String,
    interval: Duration,
    next: SimTime,
    /// The digest of the last file that another one was begun with.
    last: Option<String>,
}

/// An end: what is logged, or what is complained of, and the status.
#[derive(Clone, Debug)]
struct Fatal {
    logged: String,
}

/// Writes a line of the log.
fn say(sys: &mut dyn Sys, line: &str) {
    write_all(sys, Fd::STDOUT, &format!("{line}\n"));
}

/// Ends for a reason. Go: `log.Fatal`.
fn complain(sys: &mut dyn Sys, text: &str) -> Next {
    write_all(sys, Fd::STDERR, &format!("{text}\n"));
    Next::Exit(1)
}

fn begin(sys: &mut dyn Sys, args: &[String]) -> Result<State, Next> {
    let options = Options::parse(args).map_err(|Usage(text, status)| {
        write_all(sys, Fd::STDERR, &text);
        Next::Exit(status)
    })?;
    let tag = read_file(sys, PATHS[1]).unwrap_or_default();
    let tag = tag.strip_prefix("ELF ").unwrap_or_default().trim().to_owned();
    let release = Release::of_tag(&tag).map_err(|text| complain(sys, &text))?;
    match options.task {
        Task::Version => {
            write_all(sys, Fd::STDOUT, &release.text());
            return Err(Next::Exit(0));
        }
        Task::Plugins => {
            // Those that simply are there are not plugins of a server.
            let mut names: Vec<&str> = directives().filter(|name| *name != "root").collect();
            names.sort_unstable();
            write_all(sys, Fd::STDOUT, &format!("{}\n\n", names.join("\n")));
            return Err(Next::Exit(0));
        }
        Task::Serve => {}
    }
    let mut state = State {
        options,
        release,
        web: Web::default(),
        listeners: Listeners::default(),
        starting: None,
        running: None,
        old: None,
        reload: None,
        ending: None,
    };
    let (file, text) = state.text(sys).map_err(|error| complain(sys, &error))?;
    state.load(sys, &file, text).map_err(|error| complain(sys, &error))?;
    Ok(state)
}

impl State {
    /// The Corefile's path and text.
    fn text(&self, sys: &mut dyn Sys) -> Result<(String, String), String> {
        use super::corefile::Outside;
        let read = |sys: &mut dyn Sys, path: &str| {
            Surroundings(sys)
                .read(path)
                .map_err(|errno| format!("open {path}: {}", crate::cni::go_text(errno)))
        };
        match &self.options.conf {
            Some(path) => {
                let text = read(sys, path).map_err(|error| format!("loading Caddyfile via flag: {error}"))?;
                Ok((path.clone(), text))
            }
            None => match read(sys, COREFILE) {
                Ok(text) => Ok((COREFILE.to_owned(), text)),
                Err(_) => {
                    let port = self.options.port;
                    Ok((COREFILE.to_owned(), format!(".:{port} {{\nwhoami\nlog\n}}\n")))
                }
            },
        }
    }

    /// Reads a Corefile and begins what it says.
    fn load(&mut self, sys: &mut dyn Sys, file: &str, text: String) -> Result<(), String> {
        let corefile = Corefile::read(file, &text, self.options.port, &mut Surroundings(sys));
        let corefile = corefile.map_err(|error| error.to_string())?;
        for warning in &corefile.warnings {
            say(sys, warning);
        }
        let plugins = corefile.servers.iter().filter(|server| server.plugins.kubernetes.is_some());
        let left = plugins.count();
        if left > 0 {
            in_cluster(sys).map_err(|why| format!("plugin/kubernetes: {why}"))?;
        }
        self.web.start(sys, &corefile).map_err(|(line, error)| {
            line.iter().for_each(|line| say(sys, line));
            error
        })?;
        let (watcher, syncing) = (Watcher::of(&corefile), Syncing::start(sys.now()));
        self.starting = Some(Starting { corefile, text, watcher, left, syncing });
        Ok(())
    }

    fn turn(&mut self, sys: &mut dyn Sys) -> Result<Wait, Next> {
        if let Some((until, rest)) = &mut self.ending
            && sys.now() >= *until
        {
            let Some(next) = rest.pop_front() else { return Err(Next::Exit(0)) };
            *until = sys.now() + next;
            say_lameduck(sys, next);
        }
        if let Some(starting) = &mut self.starting
            && starting.turn(sys)
            && let Some(starting) = self.starting.take()
        {
            self.serve(sys, starting).map_err(|error| complain(sys, &error))?;
        }
        let failed = |sys: &mut dyn Sys, Fatal { logged }: Fatal| {
            say(sys, &logged);
            Next::Exit(1)
        };
        if let Some((old, until)) = &mut self.old {
            old.turn(sys, &mut self.listeners, Vec::new()).map_err(|fatal| failed(sys, fatal))?;
            if old.is_idle() || sys.now() >= *until {
                old.close(sys);
                self.old = None;
            }
        }
        if let Some(running) = &mut self.running {
            let arrived = self.listeners.receive(sys);
            running.turn(sys, &mut self.listeners, arrived).map_err(|fatal| failed(sys, fatal))?;
        }
        self.look_for_changes(sys);
        self.serve_web(sys);
        Ok(self.wait())
    }

    /// What was about to serve does so.
    fn serve(&mut self, sys: &mut dyn Sys, starting: Starting) -> Result<(), String> {
        let Starting { corefile, text, watcher, .. } = starting;
        let mut instance = Instance::start(sys, corefile, watcher);
        self.listeners.set_ports(sys, &instance.server.ports())?;
        let is_first = self.running.is_none();
        if is_first && self.options.quiet == Quiet::No {
            let mut keys: Vec<&Key> =
                instance.corefile.servers.iter().flat_map(|server| &server.keys).collect();
            keys.sort_by_key(|key| (key.port, key.zone.to_string()));
            for key in keys {
                say(sys, &format!("{}:{}", key.zone, key.port));
            }
        }
        if let Some(mut old) = self.running.take() {
            std::mem::swap(&mut instance.server.metrics, &mut old.server.metrics);
            old.watcher.stop();
            self.old = Some((old, sys.now() + GRACE));
        }
        let file = self.options.conf.as_deref().unwrap_or(COREFILE);
        let last = self.reload.take().and_then(|reload| reload.last);
        let reload = instance.corefile.servers.iter().filter_map(|server| server.plugins.reload).next_back();
        if let Some(corefile::Reload { interval, jitter }) = reload
            && let Ok(Fingerprint { sha512, warnings }) = fingerprint(file, &text, &mut Surroundings(sys))
        {
            warnings.iter().for_each(|line| say(sys, line));
            say(sys, &format!("[INFO] plugin/reload: Running configuration SHA512 = {sha512}"));
            let interval = jittered(sys, interval, jitter);
            self.reload = Some(Reloading { sha512, interval, next: sys.now() + interval, last });
        }
        if !is_first {
            say(sys, "[INFO] Reloading complete");
        } else if self.options.quiet == Quiet::No {
            write_all(sys, Fd::STDOUT, &self.release.text());
        }
        self.running = Some(instance);
        Ok(())
    }

    /// Reads the Corefile again when it is time, and begins anew if it has changed.
    fn look_for_changes(&mut self, sys: &mut dyn Sys) {
        let Some(reload) = &mut self.reload else { return };
        if sys.now() < reload.next || self.starting.is_some() || self.ending.is_some() {
            return;
        }
        reload.next = sys.now() + reload.interval;
        let Ok((file, text)) = self.text(sys) else { return };
        let found = match fingerprint(&file, &text, &mut Surroundings(sys)) {
            Ok(found) => found,
            Err(error) => {
                return say(sys, &format!("[WARNING] plugin/reload: Corefile parse failed: {error}"));
            }
        };
        found.warnings.iter().for_each(|line| say(sys, line));
        let Some(reload) = &mut self.reload else { return };
        if found.sha512 == reload.sha512 {
            return;
        }
        reload.sha512 = found.sha512.clone();
        reload.last = Some(found.sha512);
        if let Err(error) = self.restart(sys, &file, text) {
            say(
                sys,
                &format!(
                    "[ERROR] plugin/reload: Corefile changed but reload failed: starting with listener file \
                     descriptors: {error}"
                ),
            );
        }
    }

    /// Begins anew with a Corefile; what serves goes on until the new one does, or if that fails.
    fn restart(&mut self, sys: &mut dyn Sys, file: &str, text: String) -> Result<(), String> {
        say(sys, "[INFO] Reloading");
        self.web.stop(sys);
        self.load(sys, file, text).inspect_err(|error| {
            self.web.stop(sys);
            if let Some(running) = &self.running {
                // It has listened there before.
                let _ = self.web.start(sys, &running.corefile);
            }
            say(sys, &format!("[ERROR] Restart failed: {error}"));
        })
    }

    fn serve_web(&mut self, sys: &mut dyn Sys) {
        let waits = |watcher: &Watcher| !watcher.is_ready();
        let waits = match (&self.starting, &self.running) {
            (Some(starting), _) => waits(&starting.watcher),
            (None, Some(running)) => waits(&running.watcher),
            (None, None) => false,
        };
        let mut more: Vec<String> = self.running.iter().filter_map(Instance::enabled).collect();
        more.extend(self.reload.iter().filter_map(|reload| reload.last.as_ref()).map(|sha512| {
            let name = "coredns_reload_version_info";
            format!(
                "# HELP {name} A metric with a constant '1' value labeled by hash, and value which type of hash \
                 generated.\n# TYPE {name} gauge\n{name}{{hash=\"sha512\",value=\"{sha512}\"}} 1\n"
            )
        }));
        let none = Metrics::default();
        let facts = Facts {
            waiting: if waits { "kubernetes" } else { "" },
            metrics: self.running.as_ref().map_or(&none, |running| &running.server.metrics),
            more: &more,
            release: self.release,
        };
        for line in self.web.serve(sys, &facts) {
            say(sys, &line);
        }
    }

    fn wait(&self) -> Wait {
        let instances = || self.running.iter().chain(self.old.iter().map(|(old, _)| old));
        let mut fds: Vec<Fd> = self.web.fds().chain(instances().flat_map(Instance::fds)).collect();
        let mut until: Vec<SimTime> = instances().filter_map(Instance::next).collect();
        if self.running.is_some() {
            fds.extend(self.listeners.fds());
            until.extend(self.listeners.next());
        }
        until.extend(self.old.iter().map(|(_, until)| *until));
        until.extend(self.starting.iter().map(|starting| starting.syncing.next()));
        until.extend(self.ending.iter().map(|(until, _)| *until));
        if self.ending.is_none() && self.starting.is_none() {
            until.extend(self.reload.iter().map(|reload| reload.next));
        }
        let watcher = self.starting.as_ref().map(|starting| &starting.watcher);
        let watcher = watcher.or(self.running.as_ref().map(|running| &running.watcher));
        Wait {
            fds,
            until: until.into_iter().min(),
            watch: watcher.and_then(Watcher::wait),
            ..Wait::default()
        }
    }

    /// Ends in good order: it goes on answering while others learn that it will be gone.
    fn end(&mut self, sys: &mut dyn Sys) -> Next {
        if self.ending.is_some() {
            return Next::Wait(self.wait());
        }
        let corefile = self.running.as_ref().map(|running| &running.corefile);
        let corefile = corefile.or(self.starting.as_ref().map(|starting| &starting.corefile));
        let servers = corefile.into_iter().flat_map(|corefile| &corefile.servers);
        let health = servers.filter_map(|server| server.plugins.health);
        let mut times: VecDeque<Duration> =
            health.map(|health| health.lameduck).filter(|time| !time.is_zero()).collect();
        if let Some(running) = &mut self.running {
            running.watcher.stop();
        }
        self.starting = None;
        self.web.stop_ready(sys);
        let Some(first) = times.pop_front() else { return Next::Exit(0) };
        say_lameduck(sys, first);
        self.ending = Some((sys.now() + first, times));
        Next::Wait(self.wait())
    }
}

fn say_lameduck(sys: &mut dyn Sys, time: Duration) {
    let nanos = i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
    let time = crate::proxy::input::GoDuration { nanos };
    say(sys, &format!("[INFO] plugin/health: Going into lameduck mode for {time}"));
}

/// Whether the process knows where its API server is and who it is itself. Kubernetes:
/// `rest.InClusterConfig`.
fn in_cluster(sys: &mut dyn Sys) -> Result<(), String> {
    let known = ["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"];
    if known.iter().any(|name| sys.env(name).is_none_or(|value| value.is_empty())) {
        return Err("unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and \
                    KUBERNETES_SERVICE_PORT must be defined"
            .to_owned());
    }
    let token = "/var/run/secrets/kubernetes.io/serviceaccount/token";
    match sys.stat(token) {
        Ok(_) => Ok(()),
        Err(errno) => Err(format!("open {token}: {}", crate::cni::go_text(errno))),
    }
}

/// An interval that differs by up to half of its jitter.
fn jittered(sys: &mut dyn Sys, interval: Duration, jitter: Duration) -> Duration {
    let nanos = u64::try_from(jitter.as_nanos()).unwrap_or(u64::MAX);
    let Some(drawn) = sys.random().checked_rem(nanos) else { return interval };
    (interval + Duration::from_nanos(drawn)).saturating_sub(jitter / 2)
}

impl Starting {
    /// Waits for lists; answers whether it may serve.
    fn turn(&mut self, sys: &mut dyn Sys) -> bool {
        self.watcher.turn(sys);
        while self.left > 0 {
            let (synced, line) = self.syncing.turn(sys.now(), self.watcher.is_ready());
            line.iter().for_each(|line| say(sys, line));
            if synced == Synced::NotYet {
                return false;
            }
            self.left -= 1;
            self.syncing = Syncing::start(sys.now());
        }
        true
    }
}

impl Program for Daemon {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let state = match &mut self.state {
            Some(state) => state,
            None => match begin(sys, &self.args) {
                Ok(state) => self.state.insert(Box::new(state)),
                Err(end) => return end,
            },
        };
        state.turn(sys).map_or_else(|end| end, Next::Wait)
    }

    fn signal(&mut self, sys: &mut dyn Sys, signal: Signal) -> Next {
        let Some(state) = &mut self.state else { return Next::Exit(128 + signal.number()) };
        match signal {
            Signal::Term => {
                say(sys, "[INFO] SIGTERM: Shutting down servers then terminating");
                state.end(sys)
            }
            Signal::Int if state.ending.is_some() => {
                say(sys, "[INFO] SIGINT: Force quit");
                Next::Exit(2)
            }
            Signal::Int => {
                say(sys, "[INFO] SIGINT: Shutting down");
                state.end(sys)
            }
            Signal::Quit => {
                say(sys, "[INFO] SIGQUIT: Quitting process immediately");
                Next::Exit(0)
            }
            Signal::Usr1 => {
                say(sys, "[INFO] SIGUSR1: Reloading");
                let begun = state.text(sys).and_then(|(file, text)| state.restart(sys, &file, text));
                if let Err(error) = begun {
                    say(sys, &format!("[ERROR] SIGUSR1: {error}"));
                }
                Next::Wait(state.wait())
            }
            Signal::Hup => Next::Wait(state.wait()),
            Signal::Kill => Next::Exit(128 + signal.number()),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
