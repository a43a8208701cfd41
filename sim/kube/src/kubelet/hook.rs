use std::task::Poll;
use std::time::Duration;

use k8s_openapi::api::core::v1::LifecycleHandler;
use packet::{Pid, SimTime};
use tools::net::http_client::HttpExchange;
use world::{Fd, Signal, Sys, Wait};

use super::probe::{Target, http_get, run_in};

/// A hook of a container, `postStart` or `preStop`, that runs. Kubernetes: `handlerRunner`.
#[derive(Clone, Debug)]
pub enum Hook {
    /// A command in the container.
    Exec {
        /// Its process.
        pid: Pid,
        /// What it says, which nobody reads.
        output: Fd,
    },
    /// A question to the container; any answer will do.
    Http(Box<HttpExchange>),
    /// A time to wait.
    Sleep(SimTime),
}

impl Hook {
    /// Begins what a handler says; none if that can't be done.
    pub fn begin(sys: &mut dyn Sys, target: &Target<'_>, handler: &LifecycleHandler) -> Option<Self> {
        if let Some(exec) = &handler.exec {
            let (pid, output) = run_in(sys, target, exec.command.as_deref().unwrap_or_default()).ok()?;
            return Some(Self::Exec { pid, output });
        }
        if let Some(get) = &handler.http_get {
            let (_, exchange) = http_get(sys, target, get, "kube-lifecycle/1.30", None).ok()?;
            return Some(Self::Http(Box::new(exchange)));
        }
        // There is no handler for `tcpSocket`.
        let seconds = u64::try_from(handler.sleep.as_ref()?.seconds).unwrap_or(0);
        Some(Self::Sleep(sys.now() + Duration::from_secs(seconds)))
    }

    /// Whether it went well, once it is over.
    pub fn poll(&mut self, sys: &mut dyn Sys) -> Poll<bool> {
        match self {
            Self::Exec { pid, output } => match sys.exit_status(*pid) {
                Some(status) => {
                    sys.close(*output);
                    Poll::Ready(status == 0)
                }
                None => Poll::Pending,
            },
            Self::Http(exchange) => exchange.poll(sys).map(|outcome| outcome.is_ok()),
            Self::Sleep(until) if sys.now() < *until => Poll::Pending,
            Self::Sleep(_) => Poll::Ready(true),
        }
    }

    /// Gives it up.
    pub fn cancel(self, sys: &mut dyn Sys) {
        match self {
            Self::Exec { pid, output } => {
                let _ = sys.kill(pid, Signal::Kill);
                sys.close(output);
            }
            Self::Http(exchange) => exchange.cancel(sys),
            Self::Sleep(_) => {}
        }
    }

    /// What it waits for.
    pub fn wait(&self) -> Wait {
        match self {
            Self::Exec { pid, .. } => Wait { pids: vec![*pid], ..Wait::default() },
            Self::Http(exchange) => exchange.wait(),
            Self::Sleep(until) => Wait::until(*until),
        }
    }
}
