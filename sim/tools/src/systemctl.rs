//! `systemctl`: starts and stops the services that hoplab has.

use packet::Pid;
use world::{Args, Fd, Next, OpenMode, Program, Registry, Signal, Spawn, Sys, Wait};

use crate::console::write_all;
use crate::net::read_file;

/// Installs `systemctl`.
pub fn install(registry: &mut Registry) {
    registry.install("systemctl", |args| Box::new(Systemctl { args, waits_for: None }));
}

/// A service: its unit, what runs, and the file that appears when it is ready.
struct Service {
    unit: &'static str,
    command: &'static [&'static str],
    ready: &'static str,
}

const SERVICES: &[Service] =
    &[Service { unit: "docker", command: &["dockerd", "-H", "fd://"], ready: "/run/docker.sock" }];

/// `systemctl VERB UNIT`.
#[derive(Clone, Debug)]
struct Systemctl {
    args: Args,
    waits_for: Option<Awaited>,
}

/// What a command waits for.
#[derive(Clone, Debug)]
struct Awaited {
    unit: String,
    /// The process that starts or ends.
    pid: Pid,
    /// It is to end.
    ends: bool,
    /// Afterwards it is started again.
    restart: bool,
}

/// The process of a service.
fn running(sys: &mut dyn Sys, service: &Service) -> Option<Pid> {
    let pid = read_file(sys, &format!("/run/systemd/{}.pid", service.unit))?.trim().parse().ok().map(Pid)?;
    let first = sys.args_of_pid(pid)?.first()?.clone();
    (service.command.first() == Some(&first.as_str())).then_some(pid)
}

impl Systemctl {
    /// Does what can be done at once.
    fn begin(&mut self, sys: &mut dyn Sys) -> Result<Option<Awaited>, (i32, String)> {
        let words: Vec<String> =
            self.args.iter().skip(1).filter(|word| !word.starts_with('-')).cloned().collect();
        let [verb, unit] = words.as_slice() else {
            return match words.first().map(String::as_str) {
                Some("daemon-reload") => Ok(None),
                _ => Err((1, "Too few arguments.\n".to_owned())),
            };
        };
        let name = unit.strip_suffix(".service").unwrap_or(unit);
        let Some(service) = SERVICES.iter().find(|service| service.unit == name) else {
            let status = if verb == "status" || verb == "is-active" { 4 } else { 5 };
            let text = match verb.as_str() {
                "start" | "restart" | "status" => format!("Unit {name}.service could not be found.\n"),
                verb => format!("Failed to {verb} {name}.service: Unit {name}.service not loaded.\n"),
            };
            return Err((status, text));
        };
        let pid = running(sys, service);
        match (verb.as_str(), pid) {
            ("enable" | "disable", _) | ("start", Some(_)) | ("stop", None) => Ok(None),
            ("start" | "restart", None) => start(sys, service).map(Some),
            ("stop" | "restart", Some(pid)) => {
                let _ = sys.kill(pid, Signal::Term);
                Ok(Some(Awaited { unit: name.to_owned(), pid, ends: true, restart: verb == "restart" }))
            }
            ("is-active", pid) => {
                write_all(sys, Fd::STDOUT, if pid.is_some() { "active\n" } else { "inactive\n" });
                if pid.is_some() { Ok(None) } else { Err((3, String::new())) }
            }
            (verb, _) => Err((2, format!("hoplab: systemctl {verb} is not simulated\n"))),
        }
    }
}

fn start(sys: &mut dyn Sys, service: &Service) -> Result<Awaited, (i32, String)> {
    let failed = |why: String| (1, format!("Failed to start {}.service: {why}\n", service.unit));
    // What it says goes to the journal.
    for dir in ["/run/systemd", "/var/log/journal"] {
        let _ = sys.mkdir(dir);
    }
    let journal = format!("/var/log/journal/{}.log", service.unit);
    let journal = sys.open(&journal, OpenMode::Append).map_err(|errno| failed(errno.to_string()))?;
    let input = sys.open("/dev/null", OpenMode::Read).map_err(|errno| failed(errno.to_string()))?;
    let args = service.command.iter().map(|word| (*word).to_owned()).collect();
    let fds = vec![(Fd::STDIN, input), (Fd::STDOUT, journal), (Fd::STDERR, journal)];
    let spawn = Spawn {
        args,
        netns: Some(packet::NetnsId::INIT),
        root: Some(String::new()),
        cwd: Some("/".to_owned()),
        fds,
        ..Spawn::default()
    };
    let pid = sys.spawn(spawn).map_err(|errno| failed(errno.to_string()))?;
    if let Ok(fd) = sys.open(&format!("/run/systemd/{}.pid", service.unit), OpenMode::Write) {
        write_all(sys, fd, &format!("{}\n", pid.0));
        sys.close(fd);
    }
    Ok(Awaited { unit: service.unit.to_owned(), pid, ends: false, restart: false })
}

/// How often `systemctl start` looks whether the service is ready.
const LOOK: std::time::Duration = std::time::Duration::from_millis(1);

impl Program for Systemctl {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let waits_for = match self.waits_for.take() {
            Some(awaited) => Ok(Some(awaited)),
            None => self.begin(sys),
        };
        match waits_for {
            Err((status, message)) => {
                write_all(sys, Fd::STDERR, &message);
                Next::Exit(status)
            }
            Ok(None) => Next::Exit(0),
            Ok(Some(awaited)) => {
                let Some(service) = SERVICES.iter().find(|service| service.unit == awaited.unit) else {
                    return Next::Exit(1);
                };
                let ended = sys.exit_status(awaited.pid);
                match (awaited.ends, ended) {
                    (true, None) => {
                        let pids = vec![awaited.pid];
                        self.waits_for = Some(awaited);
                        Next::Wait(Wait { pids, ..Wait::default() })
                    }
                    (true, Some(_)) if awaited.restart => match start(sys, service) {
                        Ok(awaited) => {
                            let until = sys.now() + LOOK;
                            self.waits_for = Some(awaited);
                            Next::Wait(Wait::until(until))
                        }
                        Err((status, message)) => {
                            write_all(sys, Fd::STDERR, &message);
                            Next::Exit(status)
                        }
                    },
                    (true, Some(_)) => Next::Exit(0),
                    (false, Some(_)) => {
                        let unit = service.unit;
                        write_all(
                            sys,
                            Fd::STDERR,
                            &format!(
                                "Job for {unit}.service failed because the control process exited with error code.\n\
                                 See \"systemctl status {unit}.service\" and \"journalctl -xeu {unit}.service\" for \
                                 details.\n"
                            ),
                        );
                        Next::Exit(1)
                    }
                    (false, None) if sys.stat(service.ready).is_ok() => Next::Exit(0),
                    (false, None) => {
                        let until = sys.now() + LOOK;
                        let pids = vec![awaited.pid];
                        self.waits_for = Some(awaited);
                        Next::Wait(Wait { pids, until: Some(until), ..Wait::default() })
                    }
                }
            }
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
