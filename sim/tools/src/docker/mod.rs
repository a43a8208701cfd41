//! `docker` and `dockerd` before 28: containers and their networks.
//!
//! What dockerd does to the kernel is requests through the same door as any command's: bridges,
//! veth pairs, addresses, iptables rules. Containers are processes with a namespace and a root of
//! their own. The oracle is what a real 20.10 wrote and said (`tests/docker`).
//!
//! Read first: [`start`], [`rules`], [`bridge`].

mod bridge;
mod daemon;
mod exec;
mod inspect;
mod list;
mod network;
mod proxy;
mod rules;
mod run;
mod shim;
mod start;
mod state;
mod stop;
mod template;
#[cfg(test)]
mod tests;

use packet::{Pid, SimTime};
use world::{Args, Fd, Next, Program, ReadResult, Registry, Signal, Sys, Wait};

use crate::console::{Console, Stop, write_all};
use crate::pflag::{self, Flag, Kind, Parsed, Words};
use state::Engine;

/// Installs `docker`, `dockerd` and `docker-proxy`.
pub fn install(registry: &mut Registry) {
    registry.install("docker", |args| Box::new(Docker { args, task: Task::Begin }));
    registry.install("dockerd", |args| Box::new(daemon::Dockerd::new(args)));
    proxy::install(registry);
}

/// `docker`.
#[derive(Clone, Debug)]
struct Docker {
    args: Args,
    task: Task,
}

/// What a client is about.
#[derive(Clone, Debug)]
enum Task {
    /// Nothing yet.
    Begin,
    /// Waits for a process, passes on what it says, and ends with its status.
    Attached(Attached),
    /// Stops containers, one after the other.
    Stop(stop::Stopping),
    /// Waits for containers and prints their statuses.
    Wait(stop::Waiting),
    /// Ends with the status when the time has come.
    Pause(SimTime, i32),
}

/// How long a client waits for a container that it started: what the container's process does first
/// has been done then. Simplified: always the same; runc takes some tenths of a second.
const START: std::time::Duration = std::time::Duration::from_millis(20);

/// What becomes of a client when its command has begun.
#[derive(Clone, Debug)]
enum After {
    /// It ends.
    Exit(i32),
    /// It goes on with something that takes time.
    Task(Task),
}

/// A process whose end a client waits for.
#[derive(Clone, Debug)]
struct Attached {
    /// Its end, and its exit status, is that of the command.
    pid: Pid,
    /// The process that gets signals.
    target: Pid,
    /// What it says: the reading end of a pipe, and where it goes.
    pipes: Vec<(Fd, Fd)>,
    /// Where it is kept as well.
    log: Option<Fd>,
}

impl Attached {
    /// Passes on what has been said; false when all pipes have ended.
    fn pump(&mut self, sys: &mut dyn Sys) {
        let log = self.log;
        self.pipes.retain(|&(from, to)| {
            loop {
                match sys.read(from, 1 << 16) {
                    Ok(ReadResult::Data(bytes)) => {
                        let text = String::from_utf8_lossy(&bytes).into_owned();
                        write_all(sys, to, &text);
                        if let Some(log) = log {
                            write_all(sys, log, &text);
                        }
                    }
                    Ok(ReadResult::WouldBlock) => return true,
                    Ok(ReadResult::Eof) | Err(_) => return false,
                }
            }
        });
    }

    fn turn(&mut self, sys: &mut dyn Sys) -> Next {
        self.pump(sys);
        if let Some(status) = sys.exit_status(self.pid) {
            return Next::Exit(status);
        }
        let fds = self.pipes.iter().map(|(from, _)| *from).collect();
        Next::Wait(Wait { fds, pids: vec![self.pid], ..Wait::default() })
    }
}

impl Program for Docker {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        if matches!(self.task, Task::Begin) {
            let mut console = Console::new(sys);
            let outcome = command(&mut console, self.args.get(1..).unwrap_or_default());
            match outcome {
                Ok(After::Task(task)) => {
                    console.flush();
                    self.task = task;
                }
                Ok(After::Exit(status)) => return Next::Exit(console.finish(Ok(status))),
                Err(stop) => return Next::Exit(console.finish(Err(stop))),
            }
        }
        match &mut self.task {
            Task::Begin => Next::Exit(0),
            Task::Attached(attached) => attached.turn(sys),
            Task::Stop(stopping) => stopping.turn(sys),
            Task::Wait(waiting) => waiting.turn(sys),
            Task::Pause(until, status) if sys.now() >= *until => Next::Exit(*status),
            Task::Pause(until, _) => Next::Wait(Wait::until(*until)),
        }
    }

    fn signal(&mut self, sys: &mut dyn Sys, signal: Signal) -> Next {
        match &mut self.task {
            Task::Attached(attached) if signal != Signal::Kill => {
                let _ = sys.kill(attached.target, signal);
                attached.turn(sys)
            }
            _ => Next::Exit(128 + signal.number()),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// Commands that the real `docker` has and this one hasn't.
const NOT_SIMULATED: &[&str] = &[
    "attach",
    "build",
    "builder",
    "buildx",
    "checkpoint",
    "commit",
    "compose",
    "config",
    "context",
    "cp",
    "diff",
    "events",
    "export",
    "history",
    "image",
    "images",
    "import",
    "info",
    "load",
    "login",
    "logout",
    "manifest",
    "node",
    "pause",
    "plugin",
    "pull",
    "push",
    "rename",
    "rmi",
    "save",
    "search",
    "secret",
    "service",
    "stack",
    "stats",
    "swarm",
    "system",
    "tag",
    "top",
    "trust",
    "unpause",
    "update",
    "volume",
];

/// A command: its name in messages, its usage line, one line that says what it does.
pub(crate) struct Usage {
    name: &'static str,
    usage: &'static str,
    about: &'static str,
}

impl Usage {
    /// `"docker run" requires at least 1 argument.` and the usage.
    fn arguments(&self, requires: &str) -> Stop {
        let Self { name, usage, about } = self;
        Stop::exit(
            1,
            format!(
                "\"docker {name}\" requires {requires}.\nSee 'docker {name} --help'.\n\nUsage:  docker {usage}\n\n{about}"
            ),
        )
    }

    /// Reads the options of the command.
    fn parse(&self, flags: &[Flag], args: &[String], words: Words) -> Result<Parsed, Stop> {
        if args.iter().take_while(|arg| arg.starts_with('-')).any(|arg| arg == "--help") {
            let Self { usage, about, .. } = self;
            return Err(Stop {
                text: format!("\nUsage:  docker {usage}\n\n{about}\n"),
                end: crate::console::End::Exit(0),
            });
        }
        pflag::parse(&[flags], args, words)
            .map_err(|error| Stop::exit(125, format!("{error}\nSee 'docker {} --help'.", self.name)))
    }
}

/// What dockerd answers.
pub(crate) fn daemon_error(why: &str) -> Stop {
    Stop::exit(1, format!("Error response from daemon: {why}"))
}

fn command(console: &mut Console<'_>, args: &[String]) -> Result<After, Stop> {
    let globals: &[Flag] = &[
        ("version", 'v', Kind::Switch),
        ("host", 'H', Kind::Text),
        ("debug", 'D', Kind::Switch),
        ("help", ' ', Kind::Switch),
    ];
    let parsed = pflag::parse(&[globals], args, Words::EndOptions)
        .map_err(|error| Stop::exit(125, format!("{error}\nSee 'docker --help'.")))?;
    if parsed.on("version") {
        console.line("Docker version 20.10.24+dfsg1, build 297e128");
        return Ok(After::Exit(0));
    }
    let Some((verb, rest)) = parsed.words.split_first() else {
        return Err(Stop::exit(
            0,
            "Usage:  docker [OPTIONS] COMMAND\n\nA self-sufficient runtime for containers",
        ));
    };
    let (verb, rest) = match (verb.as_str(), rest.split_first()) {
        ("container", Some((verb, rest))) => (verb.as_str(), rest),
        ("container", None) => {
            return Err(Stop::exit(1, "Usage:  docker container COMMAND\n\nManage containers"));
        }
        (verb, _) => (verb, rest),
    };
    if NOT_SIMULATED.contains(&verb) {
        return Err(Stop::exit(2, format!("hoplab: docker {verb} is not simulated")));
    }
    let known = [
        "run", "create", "exec", "inspect", "ps", "ls", "list", "network", "stop", "start", "restart", "rm",
        "kill", "wait", "port", "logs", "version",
    ];
    if !known.contains(&verb) {
        return Err(Stop::exit(1, format!("docker: '{verb}' is not a docker command.\nSee 'docker --help'")));
    }
    if !Engine::runs(console.sys) {
        const CANNOT: &str = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";
        return Err(match verb {
            "run" | "create" => Stop::exit(125, format!("docker: {CANNOT}.\nSee 'docker {verb} --help'.")),
            _ => Stop::exit(1, CANNOT),
        });
    }
    let done = |status| Ok(After::Exit(status));
    match verb {
        "run" => run::run(console, rest),
        "create" => run::create(console, rest),
        "exec" => exec::exec(console, rest),
        "inspect" => inspect::inspect(console, rest).and_then(done),
        "ps" | "ls" | "list" => list::ps(console, rest).and_then(done),
        "network" => network::network(console, rest).and_then(done),
        "stop" | "restart" => stop::stop(rest, verb),
        "start" => run::start(console, rest),
        "rm" => stop::rm(console, rest),
        "kill" => stop::kill(console, rest),
        "wait" => stop::wait(console, rest),
        "port" => list::port(console, rest).and_then(done),
        "logs" => exec::logs(console, rest).and_then(done),
        _ => {
            console.out("Client:\n Version:           20.10.24+dfsg1\n API version:       1.41\n\nServer:\n Engine:\n  Version:          20.10.24+dfsg1\n  API version:      1.41 (minimum version 1.12)\n");
            Ok(After::Exit(0))
        }
    }
}
