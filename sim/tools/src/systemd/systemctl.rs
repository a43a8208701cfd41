use packet::Pid;
use world::{Args, Fd, Next, OpenMode, Program, Registry, Signal, Spawn, Sys, Wait};

use super::unit::Unit;
use super::{journal, pid_file, running};
use crate::console::write_all;
use crate::net::read_file;

/// Installs `systemctl`.
pub fn install(registry: &mut Registry) {
    registry.install("systemctl", |args| Box::new(Systemctl { args, task: None }));
}

/// `systemctl VERB UNIT…`.
#[derive(Clone, Debug)]
struct Systemctl {
    args: Args,
    task: Option<Task>,
}

/// What remains to be done.
#[derive(Clone, Debug)]
struct Task {
    verb: Verb,
    /// Units that are still to be dealt with, the last one first.
    left: Vec<Unit>,
    waits_for: Option<Awaited>,
    status: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Start,
    Stop,
    Restart,
}

/// The process that starts or ends.
#[derive(Clone, Debug)]
struct Awaited {
    unit: Unit,
    pid: Pid,
    ends: bool,
}

/// How often `systemctl start` looks whether the service is ready.
const LOOK: std::time::Duration = std::time::Duration::from_millis(1);

/// The file that appears when a service that notifies is ready.
const READY: &str = "/run/docker.sock";

impl Systemctl {
    /// Does what can be done at once.
    fn begin(&self, sys: &mut dyn Sys) -> Result<Task, i32> {
        let mut words = self.args.iter().skip(1).filter(|word| !word.starts_with('-')).map(String::as_str);
        let Some(verb) = words.next() else {
            return Err(says(sys, 2, "hoplab: systemctl without a verb is not simulated\n"));
        };
        let names: Vec<&str> = words.collect();
        let done = Task { verb: Verb::Start, left: Vec::new(), waits_for: None, status: 0 };
        if verb == "daemon-reload" {
            return Ok(done);
        }
        if names.is_empty() {
            return Err(says(sys, 1, "Too few arguments.\n"));
        }
        let mut units = Vec::new();
        for name in names {
            match Unit::load(sys, name) {
                Ok(Some(unit)) => units.push(unit),
                Ok(None) => {
                    let name = name.strip_suffix(".service").unwrap_or(name);
                    return Err(match verb {
                        "is-active" => {
                            write_all(sys, Fd::STDOUT, "inactive\n");
                            4
                        }
                        "status" => says(sys, 4, &format!("Unit {name}.service could not be found.\n")),
                        "enable" | "disable" => {
                            let text =
                                format!("Failed to {verb} unit: Unit file {name}.service does not exist.\n");
                            says(sys, 1, &text)
                        }
                        "start" | "restart" => {
                            let text =
                                format!("Failed to {verb} {name}.service: Unit {name}.service not found.\n");
                            says(sys, 5, &text)
                        }
                        verb => {
                            let text =
                                format!("Failed to {verb} {name}.service: Unit {name}.service not loaded.\n");
                            says(sys, 5, &text)
                        }
                    });
                }
                Err(why) => {
                    let name = name.strip_suffix(".service").unwrap_or(name);
                    let text = format!(
                        "Failed to {verb} {name}.service: Unit {name}.service has a bad unit file setting.\n\
                         {name}.service: {why}\n"
                    );
                    return Err(says(sys, 1, &text));
                }
            }
        }
        units.reverse();
        let task = |verb| Ok(Task { verb, left: units.clone(), waits_for: None, status: 0 });
        match verb {
            "start" => task(Verb::Start),
            "stop" => task(Verb::Stop),
            "restart" => task(Verb::Restart),
            "enable" | "disable" if self.args.iter().any(|arg| arg == "--now") => {
                task(if verb == "enable" { Verb::Start } else { Verb::Stop })
            }
            "enable" | "disable" => Ok(done),
            "is-active" => {
                let mut status = 3;
                while let Some(unit) = units.pop() {
                    let active = running(sys, &unit).is_some();
                    write_all(sys, Fd::STDOUT, if active { "active\n" } else { "inactive\n" });
                    status = if active { 0 } else { status };
                }
                Ok(Task { status, ..done })
            }
            "status" => {
                let mut status = 0;
                while let Some(unit) = units.pop() {
                    status = show(sys, &unit);
                }
                Ok(Task { status, ..done })
            }
            "cat" => {
                while let Some(unit) = units.pop() {
                    let text = read_file(sys, &unit.path).unwrap_or_default();
                    write_all(sys, Fd::STDOUT, &format!("# {}\n{text}", unit.path));
                }
                Ok(done)
            }
            verb => Err(says(sys, 2, &format!("hoplab: systemctl {verb} is not simulated\n"))),
        }
    }
}

fn says(sys: &mut dyn Sys, status: i32, text: &str) -> i32 {
    write_all(sys, Fd::STDERR, text);
    status
}

/// `systemctl status`.
///
/// Simplified: without times, memory and control group.
fn show(sys: &mut dyn Sys, unit: &Unit) -> i32 {
    let pid = running(sys, unit);
    let (dot, state) = match pid {
        Some(_) => ("●", "active (running)"),
        None => ("○", "inactive (dead)"),
    };
    let mut text = format!("{dot} {}.service - {}\n", unit.name, unit.description);
    text += &format!("     Loaded: loaded ({}; enabled; preset: enabled)\n", unit.path);
    for (number, path) in unit.drop_ins.iter().enumerate() {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let branch = if number + 1 == unit.drop_ins.len() { "└─" } else { "├─" };
        if number == 0 {
            text += &format!("    Drop-In: {folder}\n");
        }
        text += &format!("             {branch}{name}\n");
    }
    text += &format!("     Active: {state}\n");
    if let Some(pid) = pid {
        text += &format!("   Main PID: {} ({})\n", pid.0, unit.command[0]);
    }
    let log = read_file(sys, &journal(&unit.name)).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    if !lines.is_empty() {
        text.push('\n');
    }
    for line in &lines[lines.len().saturating_sub(10)..] {
        text += &format!("{line}\n");
    }
    write_all(sys, Fd::STDOUT, &text);
    if pid.is_some() { 0 } else { 3 }
}

fn start(sys: &mut dyn Sys, unit: Unit) -> Result<Awaited, (i32, String)> {
    let failed = |why: String| (1, format!("Failed to start {}.service: {why}\n", unit.name));
    // What it says goes to the journal.
    for dir in ["/run/systemd", "/var/log/journal"] {
        let _ = sys.mkdir(dir);
    }
    let log = sys.open(&journal(&unit.name), OpenMode::Append).map_err(|errno| failed(errno.to_string()))?;
    let input = sys.open("/dev/null", OpenMode::Read).map_err(|errno| failed(errno.to_string()))?;
    let mut env = sys.environment();
    env.extend(unit.environment.clone());
    let spawn = Spawn {
        args: unit.command.clone(),
        netns: Some(packet::NetnsId::INIT),
        root: Some(String::new()),
        cwd: Some("/".to_owned()),
        env: Some(env),
        fds: vec![(Fd::STDIN, input), (Fd::STDOUT, log), (Fd::STDERR, log)],
        ..Spawn::default()
    };
    let pid = sys.spawn(spawn);
    sys.close(log);
    sys.close(input);
    let pid = pid.map_err(|errno| failed(errno.to_string()))?;
    if let Ok(fd) = sys.open(&pid_file(&unit.name), OpenMode::Write) {
        write_all(sys, fd, &format!("{}\n", pid.0));
        sys.close(fd);
    }
    Ok(Awaited { unit, pid, ends: false })
}

impl Task {
    /// Goes on until something must be waited for; none at the end.
    fn advance(&mut self, sys: &mut dyn Sys) -> Option<Wait> {
        loop {
            match self.waits_for.take() {
                Some(awaited) => {
                    let ended = sys.exit_status(awaited.pid).is_some();
                    match (awaited.ends, ended) {
                        (true, false) => {
                            let pids = vec![awaited.pid];
                            self.waits_for = Some(awaited);
                            return Some(Wait { pids, ..Wait::default() });
                        }
                        (true, true) if self.verb == Verb::Restart => self.start(sys, awaited.unit),
                        (true, true) => {}
                        (false, true) => {
                            let unit = awaited.unit.name;
                            self.status = says(
                                sys,
                                1,
                                &format!(
                                    "Job for {unit}.service failed because the control process exited with error \
                                     code.\nSee \"systemctl status {unit}.service\" and \"journalctl -xeu \
                                     {unit}.service\" for details.\n"
                                ),
                            );
                        }
                        (false, false) if !awaited.unit.notifies || sys.stat(READY).is_ok() => {}
                        (false, false) => {
                            let pids = vec![awaited.pid];
                            self.waits_for = Some(awaited);
                            let until = Some(sys.now() + LOOK);
                            return Some(Wait { pids, until, ..Wait::default() });
                        }
                    }
                }
                None => {
                    let unit = self.left.pop()?;
                    match (self.verb, running(sys, &unit)) {
                        (Verb::Start, Some(_)) | (Verb::Stop, None) => {}
                        (Verb::Start | Verb::Restart, None) => self.start(sys, unit),
                        (Verb::Stop | Verb::Restart, Some(pid)) => {
                            let _ = sys.kill(pid, Signal::Term);
                            self.waits_for = Some(Awaited { unit, pid, ends: true });
                        }
                    }
                }
            }
        }
    }

    fn start(&mut self, sys: &mut dyn Sys, unit: Unit) {
        match start(sys, unit) {
            Ok(awaited) => self.waits_for = Some(awaited),
            Err((status, message)) => self.status = says(sys, status, &message),
        }
    }
}

impl Program for Systemctl {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let mut task = match self.task.take() {
            Some(task) => task,
            None => match self.begin(sys) {
                Ok(task) => task,
                Err(status) => return Next::Exit(status),
            },
        };
        match task.advance(sys) {
            Some(wait) => {
                self.task = Some(task);
                Next::Wait(wait)
            }
            None => Next::Exit(task.status),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
