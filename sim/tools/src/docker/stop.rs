//! `docker stop`, `restart`, `kill`, `wait`, `rm`.

use std::time::Duration;

use packet::{Pid, SimTime};
use world::{Fd, Next, Signal, Sys, Wait};

use super::run::{again, find};
use super::start::{forget, release};
use super::state::Engine;
use super::{After, Task, Usage, daemon_error};
use crate::console::{Console, Stop, write_all};
use crate::image::{self, OnStop};
use crate::pflag::{Flag, Kind, Words};

const STOP: Usage = Usage {
    name: "stop",
    usage: "stop [OPTIONS] CONTAINER [CONTAINER...]",
    about: "Stop one or more running containers",
};
const RESTART: Usage = Usage {
    name: "restart",
    usage: "restart [OPTIONS] CONTAINER [CONTAINER...]",
    about: "Restart one or more containers",
};
const KILL: Usage = Usage {
    name: "kill",
    usage: "kill [OPTIONS] CONTAINER [CONTAINER...]",
    about: "Kill one or more running containers",
};
const WAIT: Usage = Usage {
    name: "wait",
    usage: "wait CONTAINER [CONTAINER...]",
    about: "Block until one or more containers stop, then print their exit codes",
};
const RM: Usage = Usage {
    name: "rm",
    usage: "rm [OPTIONS] CONTAINER [CONTAINER...]",
    about: "Remove one or more containers",
};

/// Containers that are being stopped.
#[derive(Clone, Debug)]
pub struct Stopping {
    words: Vec<String>,
    grace: Duration,
    restart: bool,
    /// Removed afterwards (`rm -f`): only killed.
    remove: bool,
    /// The one that is waited for: its shim, its process, and when it is killed.
    current: Option<(Pid, Pid, Option<SimTime>)>,
    status: i32,
}

impl Stopping {
    /// Goes on as far as it can.
    pub fn turn(&mut self, sys: &mut dyn Sys) -> Next {
        loop {
            if let Some((shim, pid, deadline)) = self.current {
                if sys.exit_status(shim).is_none() {
                    match deadline {
                        Some(at) if sys.now() >= at => {
                            let _ = sys.kill(pid, Signal::Kill);
                            self.current = Some((shim, pid, None));
                        }
                        _ => {}
                    }
                    let until = self.current.and_then(|(_, _, deadline)| deadline);
                    return Next::Wait(Wait { pids: vec![shim], until, ..Wait::default() });
                }
                self.current = None;
                self.done(sys);
                continue;
            }
            let Some(word) = self.words.first().cloned() else { return Next::Exit(self.status) };
            let engine = Engine::load(sys);
            let Some(at) = engine.find(&word) else {
                let text = match self.remove {
                    true => format!("Error: No such container: {word}\n"),
                    false => format!("Error response from daemon: No such container: {word}\n"),
                };
                write_all(sys, Fd::STDERR, &text);
                if !self.remove {
                    self.status = 1;
                }
                self.words.remove(0);
                continue;
            };
            let container = &engine.containers[at];
            if !container.runs() {
                self.done(sys);
                continue;
            }
            let pid = Pid(container.state.pid);
            let ends = image::find(&container.image).is_some_and(|image| image.on_stop == OnStop::Ends);
            let deadline = match (self.remove, ends) {
                (true, _) => {
                    let _ = sys.kill(pid, Signal::Kill);
                    None
                }
                (false, true) => {
                    let _ = sys.kill(pid, Signal::Term);
                    Some(sys.now() + self.grace)
                }
                // As process 1 of its namespace it ignores what it has no handler for.
                (false, false) => Some(sys.now() + self.grace),
            };
            self.current = Some((Pid(container.state.shim), pid, deadline));
        }
    }

    /// The first container has stopped.
    fn done(&mut self, sys: &mut dyn Sys) {
        let word = self.words.remove(0);
        if self.restart
            && let Err(why) = again(sys, &word)
        {
            write_all(
                sys,
                Fd::STDERR,
                &format!("Error response from daemon: Cannot restart container {word}: {why}\n"),
            );
            self.status = 1;
            return;
        }
        if self.remove {
            let mut engine = Engine::load(sys);
            if let Some(at) = engine.find(&word) {
                release(sys, &mut engine, at);
                forget(sys, &mut engine, at);
                engine.save(sys);
            }
        }
        write_all(sys, Fd::STDOUT, &format!("{word}\n"));
    }
}

/// Kills all containers: dockerd ends.
pub fn stop_all(sys: &mut dyn Sys) {
    let engine = Engine::load(sys);
    for container in engine.containers.iter().filter(|container| container.runs()) {
        let _ = sys.kill(Pid(container.state.pid), Signal::Kill);
    }
}

/// `docker stop`, `docker restart`.
///
/// # Errors
/// Docker's words and status.
pub fn stop(args: &[String], verb: &str) -> Result<After, Stop> {
    const FLAGS: &[Flag] = &[("time", 't', Kind::Text)];
    let usage = if verb == "stop" { STOP } else { RESTART };
    let parsed = usage.parse(FLAGS, args, Words::Anywhere)?;
    if parsed.words.is_empty() {
        return Err(usage.arguments("at least 1 argument"));
    }
    let seconds = match parsed.get("time") {
        None => 10,
        Some(text) => text.parse().map_err(|_| {
            Stop::exit(
                125,
                format!("invalid argument \"{text}\" for \"-t, --time\" flag: strconv.ParseInt: parsing \"{text}\": invalid syntax\nSee 'docker {verb} --help'."),
            )
        })?,
    };
    Ok(After::Task(Task::Stop(Stopping {
        words: parsed.words,
        grace: Duration::from_secs(seconds),
        restart: verb == "restart",
        remove: false,
        current: None,
        status: 0,
    })))
}

/// `docker rm`.
///
/// # Errors
/// Docker's words and status.
pub fn rm(console: &mut Console<'_>, args: &[String]) -> Result<After, Stop> {
    const FLAGS: &[Flag] =
        &[("force", 'f', Kind::Switch), ("volumes", 'v', Kind::Switch), ("link", 'l', Kind::ForeignSwitch)];
    let parsed = RM.parse(FLAGS, args, Words::Anywhere)?;
    if parsed.words.is_empty() {
        return Err(RM.arguments("at least 1 argument"));
    }
    if parsed.on("force") {
        return Ok(After::Task(Task::Stop(Stopping {
            words: parsed.words,
            grace: Duration::ZERO,
            restart: false,
            remove: true,
            current: None,
            status: 0,
        })));
    }
    let mut failed = false;
    for word in &parsed.words {
        let mut engine = Engine::load(console.sys);
        let error = match engine.find(word) {
            None => format!("Error: No such container: {word}\n"),
            Some(at) if engine.containers[at].runs() => format!(
                "Error response from daemon: You cannot remove a running container {}. Stop the container before \
                 attempting removal or force remove\n",
                engine.containers[at].id
            ),
            Some(at) => {
                forget(console.sys, &mut engine, at);
                engine.save(console.sys);
                console.line(word);
                continue;
            }
        };
        console.error(&error);
        failed = true;
    }
    Ok(After::Exit(i32::from(failed)))
}

/// `docker kill`.
///
/// # Errors
/// Docker's words and status.
pub fn kill(console: &mut Console<'_>, args: &[String]) -> Result<After, Stop> {
    const FLAGS: &[Flag] = &[("signal", 's', Kind::Text)];
    let parsed = KILL.parse(FLAGS, args, Words::Anywhere)?;
    if parsed.words.is_empty() {
        return Err(KILL.arguments("at least 1 argument"));
    }
    let signal = match parsed.get("signal").map(|name| name.trim_start_matches("SIG")) {
        None | Some("KILL" | "9") => Signal::Kill,
        Some("TERM" | "15") => Signal::Term,
        Some("INT" | "2") => Signal::Int,
        Some("HUP" | "1") => Signal::Hup,
        Some("QUIT" | "3") => Signal::Quit,
        Some("USR1" | "10") => Signal::Usr1,
        Some(other) => return Err(daemon_error(&format!("Invalid signal: {other}"))),
    };
    let engine = Engine::load(console.sys);
    let mut status = 0;
    for word in &parsed.words {
        let why = match engine.find(word).map(|at| &engine.containers[at]) {
            None => format!("No such container: {word}"),
            Some(container) if !container.runs() => format!("Container {} is not running", container.id),
            Some(container) => {
                let _ = console.sys.kill(Pid(container.state.pid), signal);
                console.line(word);
                continue;
            }
        };
        console.error(&format!("Error response from daemon: Cannot kill container: {word}: {why}\n"));
        status = 1;
    }
    Ok(After::Exit(status))
}

/// Containers that are waited for.
#[derive(Clone, Debug)]
pub struct Waiting {
    shims: Vec<(String, Pid)>,
}

impl Waiting {
    /// Goes on as far as it can.
    pub fn turn(&mut self, sys: &mut dyn Sys) -> Next {
        while let Some((id, shim)) = self.shims.first() {
            let engine = Engine::load(sys);
            let status = match sys.exit_status(*shim) {
                Some(status) => status,
                None if sys.args_of_pid(*shim).is_some() => {
                    return Next::Wait(Wait { pids: vec![*shim], ..Wait::default() });
                }
                None => engine.find(id).map_or(0, |at| engine.containers[at].state.exit_code),
            };
            write_all(sys, Fd::STDOUT, &format!("{status}\n"));
            self.shims.remove(0);
        }
        Next::Exit(0)
    }
}

/// `docker wait`.
///
/// # Errors
/// Docker's words and status.
pub fn wait(console: &mut Console<'_>, args: &[String]) -> Result<After, Stop> {
    let parsed = WAIT.parse(&[], args, Words::Anywhere)?;
    if parsed.words.is_empty() {
        return Err(WAIT.arguments("at least 1 argument"));
    }
    let engine = Engine::load(console.sys);
    let mut shims = Vec::new();
    for word in &parsed.words {
        let container = &engine.containers[find(&engine, word)?];
        shims.push((container.id.clone(), Pid(container.state.shim)));
    }
    Ok(After::Task(Task::Wait(Waiting { shims })))
}
