use std::collections::BTreeMap;

use kernel::Host;
use packet::{DevId, HostId, NetnsId, Pid, SimTime};

use crate::asked::Ledger;
use crate::files::{Console, ConsoleId, Files, OpenFiles, OpenId};
use crate::process::{Process, Processes};
use crate::queue::{Event, EventSlots, Queue};
use crate::rng::{Stream, stream_key};
use crate::{Registry, Wait};

/// One host of the world: its kernel, files and processes, and its part of the event queue.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub host: Host,
    pub files: Files,
    pub open: OpenFiles,
    pub processes: Processes,
    pub consoles: BTreeMap<ConsoleId, Console>,
    pub registry: Registry,
    pub events: EventSlots,
    /// Segment and port of each physical device.
    pub wires: Vec<Option<(usize, usize)>>,
    pub random: Stream,
    /// Names of places, and the process that lives there.
    pub places: BTreeMap<String, Pid>,
    /// Who asked for what.
    pub ledger: Ledger,
}

impl Node {
    pub fn new(id: HostId, name: &str, seed: u64, registry: Registry) -> Self {
        let mut files = Files::default();
        for (path, text) in crate::etc::FILES {
            files.install(path, text.as_bytes().to_vec());
        }
        files.install("/etc/hostname", format!("{name}\n").into_bytes());
        files.install("/etc/hosts", format!("127.0.0.1\tlocalhost\n127.0.1.1\t{name}\n").into_bytes());
        Self {
            host: Host::new(id, name, stream_key(seed, name, "kernel")),
            files,
            open: OpenFiles::default(),
            processes: Processes::default(),
            consoles: BTreeMap::new(),
            registry,
            events: EventSlots::default(),
            wires: Vec::new(),
            random: Stream::new(seed, name, "processes"),
            places: BTreeMap::new(),
            ledger: Ledger::default(),
        }
    }

    /// Schedules `event` on this host.
    #[inline]
    pub fn schedule(&mut self, queue: &mut Queue, at: SimTime, event: Event) {
        let slot = self.events.insert(event);
        queue.push(at, self.host.id, slot);
    }

    /// Makes `pid` run at `now`, unless it is about to anyway.
    pub fn wake(&mut self, queue: &mut Queue, now: SimTime, pid: Pid) {
        let Some(process) = self.processes.get_mut(pid) else { return };
        if !process.runnable {
            process.runnable = true;
            self.schedule(queue, now, Event::Resume(pid));
        }
    }

    /// Wakes whoever waits for this open file.
    pub fn wake_open(&mut self, queue: &mut Queue, now: SimTime, open: OpenId) {
        for pid in self.processes.waiting_for(open) {
            self.wake(queue, now, pid);
        }
    }

    /// Puts a process to sleep. What it waits for may already be there: then it runs at once.
    pub fn sleep(&mut self, queue: &mut Queue, now: SimTime, pid: Pid, wait: Wait) {
        let over = wait.pids.iter().any(|&p| self.processes.get(p).is_none());
        let until = wait.until;
        let Some(process) = self.processes.get_mut(pid) else { return };
        process.wait = wait;
        process.sleep += 1;
        let sleep = process.sleep;
        if over || until.is_some_and(|t| t <= now) {
            self.wake(queue, now, pid);
        } else if let Some(until) = until {
            self.schedule(queue, until, Event::Alarm { pid, sleep });
        }
    }

    /// Starts `process`, which first runs at `at`; its descriptors must hold their references
    /// already.
    pub fn start(&mut self, queue: &mut Queue, at: SimTime, process: Process) -> Pid {
        let pid = self.processes.add(process);
        self.wake(queue, at, pid);
        pid
    }

    /// A new console.
    pub fn add_console(&mut self, terminal: bool) -> ConsoleId {
        let id = ConsoleId(u32::try_from(self.consoles.len()).expect("fewer than 2^32 consoles"));
        self.consoles.insert(id, Console { terminal, ..Console::default() });
        id
    }

    /// The port of a physical device.
    #[inline]
    pub fn wire(&self, dev: DevId) -> Option<(usize, usize)> {
        *self.wires.get(dev.0 as usize)?
    }

    /// The namespace of a process, or of the host's first process when it is gone.
    pub fn netns_of(&self, pid: Pid) -> NetnsId {
        self.processes.get(pid).map_or(NetnsId::INIT, |p| p.netns)
    }
}
