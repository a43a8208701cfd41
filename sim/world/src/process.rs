use std::collections::BTreeMap;

use packet::{NetnsId, Pid};

use crate::files::OpenId;
use crate::{Args, Fd, ProbeError, ProbeReport, Program, Wait};

/// A process of a host.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub args: Args,
    /// Taken out while it runs.
    pub program: Option<Box<dyn Program>>,
    pub netns: NetnsId,
    /// Directory that is `/` to it.
    pub root: String,
    pub cwd: String,
    pub env: BTreeMap<String, String>,
    pub fds: BTreeMap<Fd, OpenId>,
    /// What it sleeps for.
    pub wait: Wait,
    /// Counts its sleeps, so that an alarm of an earlier one is void.
    pub sleep: u64,
    /// A resume is scheduled.
    pub runnable: bool,
    /// What became of its probe.
    pub probe_report: Option<Result<Vec<ProbeReport>, ProbeError>>,
}

/// The processes of a host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Processes {
    table: BTreeMap<Pid, Process>,
    /// Arguments and exit status of those that have ended.
    ended: BTreeMap<Pid, (Args, i32)>,
    last: u32,
}

impl Processes {
    pub fn add(&mut self, process: Process) -> Pid {
        self.last += 1;
        let pid = Pid(self.last);
        self.table.insert(pid, process);
        pid
    }

    pub fn get(&self, pid: Pid) -> Option<&Process> {
        self.table.get(&pid)
    }

    pub fn get_mut(&mut self, pid: Pid) -> Option<&mut Process> {
        self.table.get_mut(&pid)
    }

    /// All processes that have not ended.
    pub fn alive(&self) -> impl Iterator<Item = (Pid, &Process)> {
        self.table.iter().map(|(&pid, p)| (pid, p))
    }

    /// Ends a process; answers it, to close what it had open.
    pub fn end(&mut self, pid: Pid, status: i32) -> Option<Process> {
        let process = self.table.remove(&pid)?;
        self.ended.insert(pid, (process.args.clone(), status));
        Some(process)
    }

    /// Exit status of a process that has ended.
    pub fn status(&self, pid: Pid) -> Option<i32> {
        self.ended.get(&pid).map(|&(_, status)| status)
    }

    /// Arguments of a process, also of one that has ended.
    pub fn args(&self, pid: Pid) -> Option<&Args> {
        self.table.get(&pid).map(|p| &p.args).or_else(|| self.ended.get(&pid).map(|(args, _)| args))
    }

    /// All processes that wait for `open`.
    pub fn waiting_for(&self, open: OpenId) -> smallvec::SmallVec<[Pid; 4]> {
        self.alive()
            .filter(|(_, p)| p.wait.fds.iter().any(|fd| p.fds.get(fd) == Some(&open)))
            .map(|(pid, _)| pid)
            .collect()
    }

    /// All processes that wait for the end of `pid`.
    pub fn waiting_for_pid(&self, pid: Pid) -> smallvec::SmallVec<[Pid; 4]> {
        self.alive().filter(|(_, p)| p.wait.pids.contains(&pid)).map(|(waiter, _)| waiter).collect()
    }
}
