use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use packet::{HostId, NetnsId, Pid, SimTime};

use crate::files::OpenId;
use crate::{Fd, ProbeError, ProbeReport, Program, Wait};

/// The words of a command, each with a zero after it, as in /proc/PID/cmdline: what is kept of
/// every process that ever ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cmdline(Arc<str>);

impl Cmdline {
    pub(crate) fn of(args: &[String]) -> Self {
        Self(args.iter().flat_map(|arg| [arg.as_str(), "\0"]).collect::<String>().into())
    }

    /// The words; the first is the name that the program was called by.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.split_terminator('\0')
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// The words with spaces between them.
impl fmt::Display for Cmdline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: &str = self.0.strip_suffix('\0').unwrap_or(&self.0);
        f.write_str(&text.replace('\0', " "))
    }
}

/// A process of a host.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub cmdline: Cmdline,
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
    /// SELinux holds it to what containers may do.
    pub confined: bool,
    /// The first process of the command that it belongs to.
    pub session: Option<(HostId, Pid)>,
    /// When it was started.
    pub started: SimTime,
    /// Counts its sleeps, so that an alarm of an earlier one is void.
    pub sleep: u64,
    /// A resume is scheduled.
    pub runnable: bool,
    /// For what it makes things, if it said so.
    pub purpose: Option<Arc<str>>,
    /// What became of its probe.
    pub probe_report: Option<Result<Vec<ProbeReport>, ProbeError>>,
}

/// What is remembered of a process that has ended.
#[derive(Clone, Debug)]
struct Ended {
    cmdline: Cmdline,
    session: Option<(HostId, Pid)>,
    started: SimTime,
    status: i32,
}

/// The processes of a host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Processes {
    table: BTreeMap<Pid, Process>,
    /// Those that have ended.
    ended: BTreeMap<Pid, Ended>,
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
        let Process { cmdline, session, started, .. } = &process;
        let ended = Ended { cmdline: cmdline.clone(), session: *session, started: *started, status };
        self.ended.insert(pid, ended);
        Some(process)
    }

    /// Exit status of a process that has ended.
    pub fn status(&self, pid: Pid) -> Option<i32> {
        self.ended.get(&pid).map(|ended| ended.status)
    }

    /// The words of a process, also of one that has ended.
    pub fn cmdline(&self, pid: Pid) -> Option<&Cmdline> {
        let alive = self.table.get(&pid).map(|process| &process.cmdline);
        alive.or_else(|| self.ended.get(&pid).map(|ended| &ended.cmdline))
    }

    /// The first process of the command that a process belongs to, also of one that has ended.
    pub fn session(&self, pid: Pid) -> Option<(HostId, Pid)> {
        match self.table.get(&pid) {
            Some(process) => process.session,
            None => self.ended.get(&pid)?.session,
        }
    }

    /// When a process was started, also one that has ended.
    pub fn started(&self, pid: Pid) -> Option<SimTime> {
        let alive = self.table.get(&pid).map(|process| process.started);
        alive.or_else(|| self.ended.get(&pid).map(|ended| ended.started))
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
