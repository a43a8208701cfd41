use packet::Pid;
use world::Sys;

use super::{SIGNALS, signal_number, signal_of};
use crate::shell::Shell;
use crate::shell::frame::{Foreground, Frame, Outcome};

/// `jobs`.
pub(super) fn jobs(shell: &mut Shell, sys: &mut dyn Sys, args: &[String]) -> Outcome {
    let mut out = String::new();
    for job in shell.state.jobs.0.clone() {
        let pids = args.iter().any(|a| a == "-p");
        if pids {
            out += &job.pids.first().map(|pid| format!("{pid}\n")).unwrap_or_default();
        } else {
            out += &shell.state.jobs.line(&job, sys);
        }
        if job.status(sys).is_some() {
            shell.state.jobs.forget(job.id);
        }
    }
    shell.state.write(sys, 1, out.as_bytes());
    Outcome::Done(0)
}

/// `fg [JOB]`.
pub(super) fn fg(shell: &mut Shell, sys: &mut dyn Sys, args: &[String]) -> Outcome {
    let name = args.get(1).map(String::as_str);
    let Some(job) = shell.state.jobs.find(name).cloned() else {
        return Outcome::Fatal(match name {
            Some(name) => format!("No such job: {name}"),
            None => "No current job".to_owned(),
        });
    };
    shell.state.jobs.forget(job.id);
    shell.state.write(sys, 1, format!("{}\n", job.text).as_bytes());
    Outcome::Run(Frame::Foreground(Foreground {
        pids: job.pids,
        failed: job.failed,
        replaces: false,
        program: false,
    }))
}

/// `wait [PID | %JOB]...`.
pub(super) fn wait(shell: &mut Shell, _: &mut dyn Sys, args: &[String]) -> Outcome {
    let operands = args.get(1..).unwrap_or_default();
    if operands.is_empty() {
        let pids = shell.state.jobs.0.iter().flat_map(|job| job.pids.clone()).collect();
        return Outcome::Run(Frame::WaitJobs { pids, all: true });
    }
    let mut pids: Vec<Pid> = Vec::new();
    let mut last = None;
    for operand in operands {
        let job = if operand.starts_with('%') {
            match shell.state.jobs.find(Some(operand)) {
                Some(job) => Some(job),
                None => return Outcome::Fatal(format!("No such job: {operand}")),
            }
        } else {
            match operand.parse() {
                Ok(pid) => shell.state.jobs.of_pid(Pid(pid)),
                Err(_) => return Outcome::Fatal(format!("Illegal number: {operand}")),
            }
        };
        last = Some(match job {
            None => 127,
            Some(job) => {
                pids.extend(&job.pids);
                match job.failed {
                    Some(status) => status,
                    None => continue,
                }
            }
        });
    }
    match last {
        Some(status) => Outcome::Done(status),
        None => Outcome::Run(Frame::WaitJobs { pids, all: false }),
    }
}

/// `kill [-SIGNAL] PID | %JOB...`, `kill -l`.
pub(super) fn kill(shell: &mut Shell, sys: &mut dyn Sys, args: &[String]) -> Outcome {
    const USAGE: &str =
        "Usage: kill [-s sigspec | -signum | -sigspec] [pid | job]... or\nkill -l [exitstatus]";
    let mut rest = args.get(1..).unwrap_or_default();
    let mut signal = 15;
    match rest.first().map(String::as_str) {
        Some("-l") => {
            let out = match rest.get(1).and_then(|n| n.parse::<usize>().ok()) {
                Some(n) => SIGNALS
                    .get(if n > 128 { n - 128 } else { n })
                    .map(|name| format!("{name}\n"))
                    .unwrap_or_default(),
                None => SIGNALS
                    .iter()
                    .enumerate()
                    .map(|(i, name)| if i == 0 { "0\n".to_owned() } else { format!("{name}\n") })
                    .collect(),
            };
            shell.state.write(sys, 1, out.as_bytes());
            return Outcome::Done(0);
        }
        Some("-s") => {
            let Some(number) = rest.get(1).and_then(|name| signal_number(name)) else {
                return Outcome::Fatal(format!(
                    "invalid signal number or name: {}",
                    rest.get(1).map_or("", String::as_str)
                ));
            };
            signal = number;
            rest = rest.get(2..).unwrap_or_default();
        }
        Some("--") => rest = rest.get(1..).unwrap_or_default(),
        Some(option) if option.starts_with('-') && option.len() > 1 => {
            let Some(number) = option.get(1..).and_then(signal_number) else {
                return Outcome::Fatal(format!("Illegal option -{}", option.chars().nth(1).unwrap_or('-')));
            };
            signal = number;
            rest = rest.get(1..).unwrap_or_default();
        }
        _ => {}
    }
    if rest.is_empty() {
        return Outcome::Fatal(USAGE.to_owned());
    }
    let mut status = 0;
    let mut itself = false;
    for operand in rest {
        let pids = if operand.starts_with('%') {
            match shell.state.jobs.find(Some(operand)) {
                Some(job) => job.pids.clone(),
                None => return Outcome::Fatal(format!("No such job: {operand}")),
            }
        } else {
            match operand.parse::<u32>() {
                Ok(pid) => vec![Pid(pid)],
                Err(_) => return Outcome::Fatal(format!("Illegal number: {operand}")),
            }
        };
        let mut sent = false;
        for pid in pids {
            sent |= send(sys, pid, signal);
            itself |= pid == sys.pid();
        }
        if !sent {
            shell.state.complain(sys, "No such process\n");
            status = 1;
        }
    }
    if itself && signal != 0 {
        shell.state.status = status;
        return Outcome::Run(Frame::Pause);
    }
    Outcome::Done(status)
}

/// Sends a signal; `false` if there is no such process.
pub(crate) fn send(sys: &mut dyn Sys, pid: Pid, signal: usize) -> bool {
    let alive = sys.netns_of_pid(pid).is_some() && sys.exit_status(pid).is_none();
    match signal_of(signal) {
        Some(signal) if alive => sys.kill(pid, signal).is_ok(),
        _ => alive,
    }
}
