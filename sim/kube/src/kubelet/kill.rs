use std::time::Duration;

use packet::{Pid, SimTime};
use tools::image::{OnStop, on_stop};
use world::{Fd, Signal, Sys, Wait};

use super::probe::{Target, run_in};

/// A container that is being stopped: its hook, SIGTERM, and at last SIGKILL. Kubernetes:
/// `killContainer`.
#[derive(Clone, Debug)]
pub struct Kill {
    deadline: SimTime,
    /// The hook that runs before.
    hook: Option<(Pid, Fd)>,
    told: bool,
    killed: bool,
}

impl Kill {
    /// Begins; a hook that can't be run is complained of.
    ///
    /// Simplified: hooks by HTTP aren't called.
    pub fn begin(sys: &mut dyn Sys, target: &Target<'_>, grace: Duration) -> (Self, Option<String>) {
        let deadline = sys.now() + grace;
        let hook = target.spec.lifecycle.as_ref().and_then(|lifecycle| lifecycle.pre_stop.as_ref());
        let mut complaint = None;
        let mut running = None;
        if let Some(hook) = hook {
            match hook.exec.as_ref().and_then(|exec| exec.command.clone()) {
                Some(command) => match run_in(sys, target, &command) {
                    Ok(begun) => running = Some(begun),
                    Err(_) => complaint = Some("PreStopHook failed".to_owned()),
                },
                None => {
                    complaint = Some("hoplab: only preStop hooks that run a command are simulated".to_owned())
                }
            }
        }
        let mut kill = Self { deadline, hook: running, told: false, killed: false };
        kill.turn(sys, target.pid);
        (kill, complaint)
    }

    /// Goes on with the container whose first process is `pid`.
    pub fn turn(&mut self, sys: &mut dyn Sys, pid: Pid) {
        let late = sys.now() >= self.deadline;
        if let Some((hook, output)) = self.hook.filter(|(hook, _)| late || sys.exit_status(*hook).is_some()) {
            let _ = sys.kill(hook, Signal::Kill);
            sys.close(output);
            self.hook = None;
        }
        if self.hook.is_none() && !self.told {
            self.told = true;
            let program = sys.args_of_pid(pid).and_then(|args| args.first().cloned()).unwrap_or_default();
            // As process 1 of its namespace it ignores what it has no handler for.
            if on_stop(&program) == OnStop::Ends {
                let _ = sys.kill(pid, Signal::Term);
            }
        }
        if late && !self.killed {
            self.killed = true;
            let _ = sys.kill(pid, Signal::Kill);
        }
    }

    /// What it waits for.
    pub fn wait(&self, wait: &mut Wait) {
        if !self.killed {
            wait.until = Some(wait.until.map_or(self.deadline, |old| old.min(self.deadline)));
        }
        wait.pids.extend(self.hook.map(|(pid, _)| pid));
    }
}
