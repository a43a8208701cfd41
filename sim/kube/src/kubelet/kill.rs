use std::task::Poll;
use std::time::Duration;

use packet::{Pid, SimTime};
use tools::image::{OnStop, on_stop};
use world::{Signal, Sys, Wait};

use super::hook::Hook;
use super::probe::Target;

/// A container that is being stopped: its hook, SIGTERM, and at last SIGKILL. Kubernetes:
/// `killContainer`.
#[derive(Clone, Debug)]
pub struct Kill {
    deadline: SimTime,
    /// The hook that runs before.
    hook: Option<Hook>,
    told: bool,
    killed: bool,
}

/// How a container's `preStop` hook went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreStop {
    /// Well, or it isn't over, or there is none.
    Fine,
    /// It failed.
    Failed,
}

impl Kill {
    /// Begins.
    pub fn begin(sys: &mut dyn Sys, target: &Target<'_>, grace: Duration) -> (Self, PreStop) {
        let deadline = sys.now() + grace;
        let handler = target.spec.lifecycle.as_ref().and_then(|lifecycle| lifecycle.pre_stop.as_ref());
        let hook = handler.and_then(|handler| Hook::begin(sys, target, handler));
        let begun = if handler.is_some() && hook.is_none() { PreStop::Failed } else { PreStop::Fine };
        let mut kill = Self { deadline, hook, told: false, killed: false };
        let outcome = kill.turn(sys, target.pid);
        (kill, if begun == PreStop::Failed { begun } else { outcome })
    }

    /// Goes on with the container whose first process is `pid`.
    pub fn turn(&mut self, sys: &mut dyn Sys, pid: Pid) -> PreStop {
        let late = sys.now() >= self.deadline;
        let mut outcome = PreStop::Fine;
        if let Some(mut hook) = self.hook.take() {
            match hook.poll(sys) {
                Poll::Ready(true) => {}
                Poll::Ready(false) => outcome = PreStop::Failed,
                Poll::Pending if late => hook.cancel(sys),
                Poll::Pending => self.hook = Some(hook),
            }
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
        outcome
    }

    /// What it waits for.
    pub fn wait(&self) -> Wait {
        let mut wait = self.hook.as_ref().map_or_else(Wait::default, Hook::wait);
        if !self.killed {
            wait.until = Some(wait.until.map_or(self.deadline, |until| until.min(self.deadline)));
        }
        wait
    }
}
