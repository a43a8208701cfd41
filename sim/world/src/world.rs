use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use kernel::request::{LinkChange, Reply, Request};
use kernel::{Cx, Effect, Host, Refusal, Stats};
use netfilter::Choices;
use packet::{DevId, HostId, NetnsId, PacketIds, Pid, SimTime, Skb};
use trace::view::print;
use trace::{Decision, DropReason, Observer, Off, Place, Step, StepKind};

use crate::asked::{Asked, Asker, Ledger};
use crate::cable::{CableOptions, Endpoint, Segment, SegmentKind, Sent};
use crate::fabric::{self, FabricChange, FabricSegment};
use crate::files::{Console, ConsoleId, Stream, normalize};
use crate::node::Node;
use crate::process::{Cmdline, Process};
use crate::queue::{Event, Queue};
use crate::synthetic::{self, Entry};
use crate::syscalls::SysCx;
use crate::{
    Args, DirEntry, Fd, Next, ProbeOutcome, ProbeReport, Program, Registry, Shared, Signal, Store, Wait,
};

/// Seconds since 1970 at virtual time zero: 2025-01-01 00:00:00 UTC.
pub const EPOCH: u64 = 1_735_689_600;

/// Events after which one command is taken to be caught in a loop.
pub const EVENT_LIMIT: u64 = 10_000_000;

/// Events at one moment of virtual time after which a process is taken to run round and round: a
/// packet takes time, a shell's loop without `sleep` takes none.
pub const INSTANT_LIMIT: u64 = 5_000;

/// Virtual time after which a command that says nothing is ended, when nobody sits at a terminal.
pub const SILENCE_LIMIT: Duration = Duration::from_secs(3600);

/// Where somebody who logs in works: the home of root.
pub const HOME: &str = "/root";

/// How long a change of the store takes to reach its watchers.
pub const WATCH_LATENCY: Duration = Duration::from_millis(1);

/// A segment of the world, in order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(pub u32);

/// All hosts, the cables between them, and the clock.
///
/// - Invariant: only the world advances time; order is (time, sequence).
/// - A clone shares each host until one of both changes it.
#[derive(Clone, Debug)]
pub struct World {
    now: SimTime,
    seed: u64,
    nodes: Vec<Arc<Node>>,
    segments: Vec<Arc<Segment>>,
    store: Arc<Store>,
    /// The processes that wait for a change of the store, and some that did.
    watchers: BTreeSet<(HostId, Pid)>,
    queue: Queue,
    ids: PacketIds,
    /// Reused between events.
    effects: Vec<Effect>,
    events_run: u64,
    /// Decides what would be random, on a copy on which a packet is followed.
    pub(crate) choices: Option<Box<Choices>>,
    verify_checksums: bool,
    /// Finds what a chain of rules was made for, by what the store has.
    pub(crate) namer: Option<fn(&Store, &str) -> Option<String>>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The process ended with this status.
    Exited(i32),
    /// Nothing can happen any more, and the process still waits.
    Stuck,
    /// It said nothing for [`SILENCE_LIMIT`].
    Silent,
    /// [`INSTANT_LIMIT`] events ran and no time passed.
    Busy,
    /// [`EVENT_LIMIT`] events ran; the devices between which frames circulate, busiest first.
    Storm(Vec<String>),
}

impl World {
    /// An empty world.
    pub fn new(seed: u64) -> Self {
        Self {
            now: SimTime::ZERO,
            seed,
            nodes: Vec::new(),
            segments: Vec::new(),
            store: Arc::default(),
            watchers: BTreeSet::new(),
            queue: Queue::default(),
            ids: PacketIds::default(),
            effects: Vec::new(),
            events_run: 0,
            choices: None,
            verify_checksums: false,
            namer: None,
        }
    }

    /// From now on traces say what chains of rules were made for: `namer` finds it in the store by
    /// a chain's name.
    pub fn set_namer(&mut self, namer: fn(&Store, &str) -> Option<String>) {
        self.namer = Some(namer);
    }

    /// Virtual time.
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// The seed of all random streams.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Events run so far.
    pub fn events_run(&self) -> u64 {
        self.events_run
    }

    /// Adds a host that has a loopback device and the programs of `registry`.
    pub fn add_host(&mut self, name: &str, registry: Registry) -> HostId {
        let id = HostId(u32::try_from(self.nodes.len()).expect("fewer than 2^32 hosts"));
        let mut node = Node::new(id, name, self.seed, registry);
        node.host.verify_checksums = self.verify_checksums;
        self.nodes.push(Arc::new(node));
        id
    }

    /// Makes every device check the checksums of what it receives, or not, as at first.
    pub fn set_verify_checksums(&mut self, verify: bool) {
        self.verify_checksums = verify;
        for node in &mut self.nodes {
            Arc::make_mut(node).host.verify_checksums = verify;
        }
    }

    /// The kernel of a host.
    pub fn host(&self, id: HostId) -> &Host {
        &self.nodes[id.0 as usize].host
    }

    /// All hosts in order of creation.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.nodes.iter().map(|node| &node.host)
    }

    /// The host of that name.
    pub fn host_by_name(&self, name: &str) -> Option<HostId> {
        self.hosts().find(|host| host.name == name).map(|host| host.id)
    }

    fn node_mut(&mut self, id: HostId) -> &mut Node {
        Arc::make_mut(&mut self.nodes[id.0 as usize])
    }

    /// Changes the configuration of a host's namespace.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn request<O: Observer>(
        &mut self,
        host: HostId,
        netns: NetnsId,
        request: Request,
        obs: &mut O,
    ) -> Result<Reply, Refusal> {
        let draft = Ledger::draft(self.host(host), netns, &request);
        let reply = self.with_kernel(host, obs, |cx| cx.request(netns, request))?;
        let now = self.now;
        if let Some(draft) = draft {
            let node = self.node_mut(host);
            node.ledger.keep(draft, &node.host, now, Arc::new(Asker::Builder));
        }
        Ok(reply)
    }

    /// The requests of a host that were carried out, oldest first, without those of which nothing
    /// is left.
    pub fn asked(&self, host: HostId) -> impl DoubleEndedIterator<Item = &Asked> {
        self.nodes[host.0 as usize].ledger.iter()
    }

    /// Runs `act` on a host's kernel and carries out what it asks for.
    pub fn with_kernel<O: Observer, T>(
        &mut self,
        host: HostId,
        obs: &mut O,
        act: impl FnOnce(&mut Cx<'_, O>) -> T,
    ) -> T {
        let mut effects = std::mem::take(&mut self.effects);
        let now = self.now;
        let node = Arc::make_mut(&mut self.nodes[host.0 as usize]);
        let mut cx = Cx {
            host: &mut node.host,
            now,
            effects: &mut effects,
            ids: &mut self.ids,
            obs,
            choices: self.choices.as_deref_mut(),
            current: None,
            icmp_busy: false,
        };
        let result = act(&mut cx);
        self.carry_out(host, &mut effects, obs);
        self.effects = effects;
        result
    }

    /// Adds a segment without ports.
    pub fn add_segment(&mut self, name: &str, kind: SegmentKind) -> SegmentId {
        self.segments.push(Arc::new(Segment::new(name, kind, self.seed)));
        SegmentId(u32::try_from(self.segments.len() - 1).expect("fewer than 2^32 segments"))
    }

    /// Plugs a physical device into a segment; it gets a carrier.
    pub fn plug<O: Observer>(
        &mut self,
        segment: SegmentId,
        end: Endpoint,
        options: CableOptions,
        obs: &mut O,
    ) {
        let index = segment.0 as usize;
        let name = self.port_name(end);
        let port = Arc::make_mut(&mut self.segments[index]).plug(end, name, options);
        let node = self.node_mut(end.host);
        let slot = end.dev.0 as usize;
        if node.wires.len() <= slot {
            node.wires.resize(slot + 1, None);
        }
        node.wires[slot] = Some((index, port));
        let Some(device) = self.host(end.host).get_dev(end.dev) else { return };
        let carrier = Request::LinkSet { dev: device.name.clone(), changes: vec![LinkChange::Carrier(true)] };
        let netns = device.netns;
        self.request(end.host, netns, carrier, obs).expect("a physical device takes a carrier");
    }

    /// `host:nic`.
    fn port_name(&self, end: Endpoint) -> String {
        let host = self.host(end.host);
        let nic = host.get_dev(end.dev).map_or("", |device| device.name.as_str());
        format!("{}:{nic}", host.name)
    }

    /// The network between the hosts, in the order in which its segments were made.
    pub fn fabric(&self) -> Vec<FabricSegment> {
        fabric::list(&self.segments)
    }

    /// Changes what a segment carries.
    ///
    /// # Errors
    /// `ENODEV` if there is no such segment, `ENXIO` no such port, `EEXIST`, `ENOENT`.
    pub fn change_fabric(&mut self, segment: &str, change: FabricChange) -> Result<(), kernel::Errno> {
        fabric::change(&mut self.segments, segment, change)
    }

    /// Cuts or mends the cable at `end`: a cut one carries nothing. The carrier stays, as behind a
    /// switch.
    pub fn set_cut(&mut self, end: Endpoint, cut: bool) {
        if let Some((segment, _)) = self.nodes[end.host.0 as usize].wire(end.dev) {
            Arc::make_mut(&mut self.segments[segment]).set_blocked(end, cut);
        }
    }

    /// Changes what the cable does to the frames that `end` sends.
    pub fn set_cable(&mut self, end: Endpoint, options: CableOptions) {
        if let Some((segment, _)) = self.nodes[end.host.0 as usize].wire(end.dev) {
            Arc::make_mut(&mut self.segments[segment]).set_options(end, options);
        }
    }

    /// Names of all segments with their ends.
    pub fn segments(&self) -> impl Iterator<Item = (&str, Vec<Endpoint>)> {
        self.segments.iter().map(|s| (s.name.as_str(), s.ends().collect()))
    }

    pub(crate) fn segments_with_kind(&self) -> impl Iterator<Item = (&str, SegmentKind, Vec<Endpoint>)> {
        self.segments.iter().map(|s| (s.name.as_str(), s.kind, s.ends().collect()))
    }

    /// The programs installed on a host.
    pub fn registry(&self, host: HostId) -> &Registry {
        &self.nodes[host.0 as usize].registry
    }

    /// Puts a file into a host's tree, with the directories above it.
    pub fn install_file(&mut self, host: HostId, path: &str, data: Vec<u8>) {
        self.node_mut(host).files.install(path, data);
    }

    /// The bytes of a stored file.
    pub fn file(&self, host: HostId, path: &str) -> Option<Vec<u8>> {
        self.nodes[host.0 as usize].files.read(path).ok().map(|bytes| bytes.to_vec())
    }

    /// What the hosts share out of band.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Writes a value into the store; answers its revision.
    pub fn store_put(&mut self, key: &str, value: Shared) -> u64 {
        let revision = Arc::make_mut(&mut self.store).put(key, value);
        self.wake_watchers();
        revision
    }

    /// A console on a host. Programs see a terminal if `terminal`.
    pub fn add_console(&mut self, host: HostId, terminal: bool) -> ConsoleId {
        self.node_mut(host).add_console(terminal)
    }

    /// The namespace and the root directory of a named place of a host.
    pub fn place(&self, host: HostId, name: &str) -> Option<(NetnsId, String)> {
        let node = &self.nodes[host.0 as usize];
        let process = node.processes.get(*node.places.get(name)?)?;
        Some((process.netns, process.root.clone()))
    }

    /// The names of a host's places (containers), in order.
    pub fn places(&self, host: HostId) -> impl Iterator<Item = &str> {
        self.nodes[host.0 as usize].places.keys().map(String::as_str)
    }

    /// The place that lives in a namespace; the one that came first, if several share it.
    pub fn place_of_netns(&self, host: HostId, netns: NetnsId) -> Option<String> {
        let node = &self.nodes[host.0 as usize];
        let lives_there = |pid: Pid| node.processes.get(pid).is_some_and(|p| p.netns == netns);
        let here = node.places.iter().filter(|&(_, &pid)| lives_there(pid));
        here.min_by_key(|&(_, &pid)| pid).map(|(name, _)| name.clone())
    }

    /// Starts a program of the host's registry on a console.
    ///
    /// # Errors
    /// `ENOENT` if the host has no program `args[0]`.
    pub fn spawn(
        &mut self,
        host: HostId,
        netns: NetnsId,
        console: ConsoleId,
        args: Args,
        env: BTreeMap<String, String>,
    ) -> Result<Pid, kernel::Errno> {
        let node = Arc::make_mut(&mut self.nodes[host.0 as usize]);
        let make =
            args.first().and_then(|name| node.registry.get(name)).cloned().ok_or(kernel::Errno::NoEnt)?;
        let program = make(args.clone());
        Ok(self.spawn_program(host, netns, console, args, program, env))
    }

    /// Starts `program` on a console.
    pub fn spawn_program(
        &mut self,
        host: HostId,
        netns: NetnsId,
        console: ConsoleId,
        args: Args,
        program: Box<dyn Program>,
        mut env: BTreeMap<String, String>,
    ) -> Pid {
        let now = self.now;
        env.entry("HOME".to_owned()).or_insert_with(|| HOME.to_owned());
        self.with_kernel(host, &mut Off, |cx| cx.netns_get(netns));
        let node = Arc::make_mut(&mut self.nodes[host.0 as usize]);
        let fds = [(Fd::STDIN, Stream::In), (Fd::STDOUT, Stream::Out), (Fd::STDERR, Stream::Err)]
            .map(|(fd, stream)| (fd, node.open.open(crate::files::OpenFile::Console { console, stream })))
            .into_iter()
            .collect();
        let process = Process {
            cmdline: Cmdline::of(&args),
            program: Some(program),
            netns,
            root: String::new(),
            cwd: HOME.to_owned(),
            env,
            fds,
            wait: Wait::default(),
            confined: false,
            session: None,
            started: now,
            sleep: 0,
            runnable: false,
            purpose: None,
            probe_report: None,
        };
        let pid = node.start(&mut self.queue, now, process);
        if let Some(process) = node.processes.get_mut(pid) {
            process.session = Some((host, pid));
        }
        pid
    }

    /// Makes `root` the directory that is `/` to a process that has just been started, and where
    /// it works; an empty one changes nothing.
    pub fn enter_root(&mut self, host: HostId, pid: Pid, root: &str) {
        if let Some(process) = self.node_mut(host).processes.get_mut(pid).filter(|_| !root.is_empty()) {
            root.clone_into(&mut process.root);
            "/".clone_into(&mut process.cwd);
        }
    }

    /// Takes what was written to a console since the last call, in order.
    pub fn take_output(&mut self, host: HostId, console: ConsoleId) -> Vec<(Stream, Vec<u8>)> {
        let has_output = |node: &Node| node.consoles.get(&console).is_some_and(|c| !c.output.is_empty());
        if !has_output(&self.nodes[host.0 as usize]) {
            return Vec::new();
        }
        let console = self.node_mut(host).consoles.get_mut(&console);
        console.map(|c| std::mem::take(&mut c.output)).unwrap_or_default()
    }

    /// Types `bytes` at a console; `None` ends its input for good.
    pub fn type_input(&mut self, host: HostId, console: ConsoleId, bytes: Option<&[u8]>) {
        self.change_input(host, console, |state| match bytes {
            Some(bytes) => state.input.extend(bytes),
            None => state.input_ended = true,
        });
    }

    /// Types Ctrl-D at a terminal: who reads next, or waits to, sees the end of the input, once.
    pub fn type_end(&mut self, host: HostId, console: ConsoleId) {
        self.change_input(host, console, |state| state.end_typed = true);
    }

    fn change_input(&mut self, host: HostId, console: ConsoleId, change: impl FnOnce(&mut Console)) {
        let now = self.now;
        let node = Arc::make_mut(&mut self.nodes[host.0 as usize]);
        let Some(state) = node.consoles.get_mut(&console) else { return };
        change(state);
        for open in node.open.of_console(console) {
            node.wake_open(&mut self.queue, now, open);
        }
    }

    /// Sends a signal to a process.
    pub fn signal(&mut self, host: HostId, pid: Pid, signal: Signal) {
        let now = self.now;
        let node = Arc::make_mut(&mut self.nodes[host.0 as usize]);
        node.schedule(&mut self.queue, now, Event::Signal(pid, signal));
    }

    /// Exit status of a process; `None` while it runs.
    pub fn exit_status(&self, host: HostId, pid: Pid) -> Option<i32> {
        self.nodes[host.0 as usize].processes.status(pid)
    }

    /// The words of a process, also of one that has ended.
    pub fn cmdline(&self, host: HostId, pid: Pid) -> Option<&Cmdline> {
        self.nodes[host.0 as usize].processes.cmdline(pid)
    }

    /// The first process of the command that a process belongs to, also of one that has ended.
    pub fn session(&self, host: HostId, pid: Pid) -> Option<(HostId, Pid)> {
        self.nodes[host.0 as usize].processes.session(pid)
    }

    /// When a process was started, also one that has ended.
    pub fn started(&self, host: HostId, pid: Pid) -> Option<SimTime> {
        self.nodes[host.0 as usize].processes.started(pid)
    }

    /// Whether a process waits for its standard input and nothing else, as an idle shell does.
    pub fn waits_for_input(&self, host: HostId, pid: Pid) -> bool {
        let process = self.nodes[host.0 as usize].processes.get(pid);
        process.is_some_and(|p| !p.runnable && p.wait == Wait { fds: vec![Fd::STDIN], ..Wait::default() })
    }

    /// Whether a process waits for what is typed at a console.
    pub fn is_read(&self, host: HostId, console: ConsoleId) -> bool {
        let node = &self.nodes[host.0 as usize];
        let opened = node.open.of_console(console);
        node.processes.alive().any(|(_, process)| {
            let mut waited = process.wait.fds.iter().filter_map(|fd| process.fds.get(fd));
            !process.runnable && waited.any(|open| opened.contains(open))
        })
    }

    /// Entries of a directory as a process sees it, sorted by name.
    ///
    /// # Errors
    /// `ESRCH` if there is no such process; `ENOENT`, `ENOTDIR`.
    pub fn read_dir(&self, host: HostId, pid: Pid, path: &str) -> Result<Vec<DirEntry>, kernel::Errno> {
        let node = &self.nodes[host.0 as usize];
        let process = node.processes.get(pid).ok_or(kernel::Errno::Srch)?;
        let path = normalize(&process.cwd, path);
        if !synthetic::owns(&path) {
            return node.files.read_dir(&format!("{}{path}", process.root));
        }
        match synthetic::lookup(node, process.netns, self.now, &path)? {
            Entry::Dir(entries) => Ok(entries),
            Entry::File(_) => Err(kernel::Errno::NotDir),
        }
    }

    /// The processes of a host that have not ended.
    pub fn processes(&self, host: HostId) -> Vec<Pid> {
        self.nodes[host.0 as usize].processes.alive().map(|(pid, _)| pid).collect()
    }

    /// When the next event happens.
    pub fn next_event(&self) -> Option<SimTime> {
        self.queue.peek().map(|key| key.at)
    }

    /// Events that wait.
    pub fn events_waiting(&self) -> usize {
        self.queue.len()
    }

    /// Runs the next event; false if there is none.
    pub fn step<O: Observer>(&mut self, obs: &mut O) -> bool {
        let Some(key) = self.queue.pop() else { return false };
        self.now = key.at;
        self.events_run += 1;
        let mut effects = std::mem::take(&mut self.effects);
        let node = Arc::make_mut(&mut self.nodes[key.host.0 as usize]);
        let event = node.events.take(key.slot);
        match event {
            Event::Receive(skb) => {
                let mut cx = Cx {
                    host: &mut node.host,
                    now: key.at,
                    effects: &mut effects,
                    ids: &mut self.ids,
                    obs,
                    choices: self.choices.as_deref_mut(),
                    current: None,
                    icmp_busy: false,
                };
                // `receive` records the packet's end itself.
                let _ = cx.receive(skb);
            }
            Event::Timer(timer) => {
                let mut cx = Cx {
                    host: &mut node.host,
                    now: key.at,
                    effects: &mut effects,
                    ids: &mut self.ids,
                    obs,
                    choices: self.choices.as_deref_mut(),
                    current: None,
                    icmp_busy: false,
                };
                cx.on_timer(timer);
            }
            Event::Resume(pid) => {
                if let Some(process) = node.processes.get_mut(pid) {
                    process.runnable = false;
                }
                self.run_process(key.host, pid, None, &mut effects, obs);
            }
            Event::Alarm { pid, sleep } => {
                if node.processes.get(pid).is_some_and(|p| p.sleep == sleep && !p.runnable) {
                    self.run_process(key.host, pid, None, &mut effects, obs);
                } else {
                    // Void: nothing happens.
                    self.events_run -= 1;
                }
            }
            Event::Signal(pid, signal) => self.run_process(key.host, pid, Some(signal), &mut effects, obs),
        }
        self.carry_out(key.host, &mut effects, obs);
        self.effects = effects;
        true
    }

    fn run_process<O: Observer>(
        &mut self,
        host: HostId,
        pid: Pid,
        signal: Option<Signal>,
        effects: &mut Vec<Effect>,
        obs: &mut O,
    ) {
        let now = self.now;
        let node = Arc::make_mut(&mut self.nodes[host.0 as usize]);
        let Some(mut program) = node.processes.get_mut(pid).and_then(|p| p.program.take()) else { return };
        node.host.forget_relay();
        let revision = self.store.revision();
        let mut sys = SysCx {
            node,
            queue: &mut self.queue,
            ids: &mut self.ids,
            effects,
            store: &mut self.store,
            segments: &mut self.segments,
            obs,
            now,
            pid,
            exec: None,
            broken_pipe: false,
            probe: None,
        };
        let next = match signal {
            None => program.resume(&mut sys),
            Some(Signal::Kill) => Next::Exit(128 + Signal::Kill.number()),
            Some(signal) => program.signal(&mut sys, signal),
        };
        let exec = sys.exec.take();
        let probe = sys.probe.take();
        let broken_pipe = sys.broken_pipe;
        if broken_pipe {
            // SIGPIPE ends a process that writes into a pipe nobody reads.
            sys.exit(128 + 13);
            return;
        }
        match (exec, next) {
            (Some((cmdline, new)), _) => {
                if let Some(process) = node.processes.get_mut(pid) {
                    process.program = Some(new);
                    process.cmdline = cmdline;
                    process.wait = Wait::default();
                }
                node.wake(&mut self.queue, now, pid);
            }
            (None, Next::Wait(wait)) => {
                if let Some(process) = node.processes.get_mut(pid) {
                    process.program = Some(program);
                }
                let watches = wait.watch.is_some();
                node.sleep(&mut self.queue, now, pid, wait);
                if watches {
                    self.watchers.insert((host, pid));
                    self.notify(host, pid);
                }
                if let Some((netns, probe, follow, view)) = probe {
                    let report = self.probe(host, netns, &probe, follow).map(|outcomes| {
                        let report = |outcome: ProbeOutcome| ProbeReport {
                            text: print(&outcome.trace, self, view) + &outcome.draws_text(),
                            verdict: outcome.verdict,
                        };
                        outcomes.into_iter().map(report).collect()
                    });
                    let node = Arc::make_mut(&mut self.nodes[host.0 as usize]);
                    if let Some(process) = node.processes.get_mut(pid) {
                        process.probe_report = Some(report);
                    }
                    node.wake(&mut self.queue, now, pid);
                }
            }
            (None, Next::Exit(status)) => sys_exit(
                node,
                &mut self.queue,
                &mut self.ids,
                effects,
                &mut self.store,
                obs,
                now,
                pid,
                status,
            ),
        }
        if self.store.revision() != revision {
            self.wake_watchers();
        }
    }

    /// Wakes who waits for what has changed in the store.
    fn wake_watchers(&mut self) {
        let watchers: Vec<(HostId, Pid)> = self.watchers.iter().copied().collect();
        for (host, pid) in watchers {
            self.notify(host, pid);
        }
    }

    /// Wakes a watcher if it sleeps for a change that there is.
    fn notify(&mut self, host: HostId, pid: Pid) {
        let process = self.nodes[host.0 as usize].processes.get(pid);
        match process.and_then(|process| Some((process.wait.watch.as_ref()?, process.sleep))) {
            Some((watch, _)) if !watch.is_over(&self.store) => return,
            Some((_, sleep)) => {
                let at = self.now + WATCH_LATENCY;
                let (node, queue) = self.node_and_queue(host);
                node.schedule(queue, at, Event::Alarm { pid, sleep });
            }
            None => {}
        }
        self.watchers.remove(&(host, pid));
    }

    /// Carries out what a kernel asked for, in order.
    fn carry_out<O: Observer>(&mut self, host: HostId, effects: &mut Vec<Effect>, obs: &mut O) {
        let now = self.now;
        for effect in effects.drain(..) {
            match effect {
                Effect::Wire(skb) => self.send_by_wire(host, skb, obs),
                Effect::Receive { after, skb } => {
                    let (node, queue) = self.node_and_queue(host);
                    node.schedule(queue, now + after, Event::Receive(skb));
                }
                Effect::Timer { at, timer } => {
                    let (node, queue) = self.node_and_queue(host);
                    node.schedule(queue, at.max(now), Event::Timer(timer));
                }
                Effect::Wake(socket) => {
                    let (node, queue) = self.node_and_queue(host);
                    if let Some(open) = node.open.of_socket(socket) {
                        node.wake_open(queue, now, open);
                    }
                }
                Effect::WakeTun(dev) => {
                    let (node, queue) = self.node_and_queue(host);
                    if let Some(open) = node.open.of_tun(dev) {
                        node.wake_open(queue, now, open);
                    }
                }
            }
        }
    }

    fn node_and_queue(&mut self, host: HostId) -> (&mut Node, &mut Queue) {
        (Arc::make_mut(&mut self.nodes[host.0 as usize]), &mut self.queue)
    }

    fn send_by_wire<O: Observer>(&mut self, host: HostId, skb: Skb, obs: &mut O) {
        let (id, dev, now) = (skb.id, skb.dev, self.now);
        let Some((segment, port)) = self.nodes[host.0 as usize].wire(dev) else {
            return self.lost(host, dev, id, DropReason::NoCarrier, obs);
        };
        let Self { nodes, segments, queue, ids, .. } = self;
        if let Some((end, delay)) = segments[segment].plain(port) {
            let skb = Skb { dev: end.dev, mark: 0, ct: None, ..skb };
            let node = Arc::make_mut(&mut nodes[end.host.0 as usize]);
            return node.schedule(queue, now + delay, Event::Receive(skb));
        }
        let mut first = true;
        let sent = Arc::make_mut(&mut segments[segment]).send(now, port, skb, |at, end, mut copy| {
            if !std::mem::take(&mut first) {
                copy.id = ids.next_id();
                if O::ON {
                    let netns = nodes[host.0 as usize].host.get_dev(dev).map_or(NetnsId::INIT, |d| d.netns);
                    obs.record(Step {
                        at: now,
                        packet: copy.id,
                        place: Place { host, netns, dev: Some(dev) },
                        kind: StepKind::Created {
                            by: None,
                            parents: vec![(trace::Relation::Copy, id)],
                            frame: Box::new(copy.frame.clone()),
                        },
                    });
                }
            }
            copy.mark = 0;
            copy.scrub();
            copy.frag_list = 0;
            let node = Arc::make_mut(&mut nodes[end.host.0 as usize]);
            node.schedule(queue, at, Event::Receive(copy));
        });
        match sent {
            Sent::To(_) => {}
            Sent::Lost => self.lost(host, dev, id, DropReason::LinkLoss, obs),
            Sent::QueueFull => {
                if let Some(device) = self.node_mut(host).host.get_dev_mut(dev) {
                    let Stats { tx_dropped, .. } = &mut device.stats;
                    *tx_dropped += 1;
                }
                self.lost(host, dev, id, DropReason::QdiscDrop, obs);
            }
            Sent::TooLong => self.lost(host, dev, id, DropReason::PeerMtu, obs),
            Sent::Barred(barrier) => {
                let segment = self.segments[segment].name.clone();
                let decision = Decision::Fabric { segment, barrier: barrier.to_string() };
                self.ended(host, dev, id, DropReason::FabricFilter, Some(decision), obs);
            }
        }
    }

    fn lost<O: Observer>(
        &self,
        host: HostId,
        dev: DevId,
        packet: packet::PacketId,
        reason: DropReason,
        obs: &mut O,
    ) {
        self.ended(host, dev, packet, reason, None, obs);
    }

    fn ended<O: Observer>(
        &self,
        host: HostId,
        dev: DevId,
        packet: packet::PacketId,
        reason: DropReason,
        decided_by: Option<Decision>,
        obs: &mut O,
    ) {
        if O::ON {
            let netns = self.host(host).get_dev(dev).map_or(NetnsId::INIT, |d| d.netns);
            obs.record(Step {
                at: self.now,
                packet,
                place: Place { host, netns, dev: Some(dev) },
                kind: StepKind::Drop { reason, decided_by },
            });
        }
    }

    /// Runs every event up to and including `time`, then sets the clock to it.
    pub fn run_until<O: Observer>(&mut self, time: SimTime, obs: &mut O) {
        while self.next_event().is_some_and(|at| at <= time) {
            self.step(obs);
        }
        self.now = self.now.max(time);
    }

    /// Runs until process `pid` ends; hands its console's output to `sink` as it comes.
    pub fn run_to_exit<O: Observer>(
        &mut self,
        host: HostId,
        pid: Pid,
        console: ConsoleId,
        obs: &mut O,
        sink: &mut dyn FnMut(Stream, &[u8]),
    ) -> Outcome {
        let first = self.events_run;
        let mut heard = self.now;
        let mut moment = (self.now, first);
        loop {
            for (stream, bytes) in self.take_output(host, console) {
                sink(stream, &bytes);
                heard = self.now;
            }
            if let Some(status) = self.exit_status(host, pid) {
                return Outcome::Exited(status);
            }
            if moment.0 != self.now {
                moment = (self.now, self.events_run);
            }
            match self.next_event() {
                None => return Outcome::Stuck,
                Some(_) if self.events_run - moment.1 >= INSTANT_LIMIT => return Outcome::Busy,
                Some(at) if at.since(heard) > SILENCE_LIMIT => return Outcome::Silent,
                Some(_) if self.events_run - first >= EVENT_LIMIT => {
                    return Outcome::Storm(self.busiest(obs));
                }
                Some(_) => self.step(obs),
            };
        }
    }

    /// Runs a little further and names the devices that receive most, `host device`.
    pub fn busiest<O: Observer>(&mut self, obs: &mut O) -> Vec<String> {
        let mut seen: BTreeMap<(HostId, DevId), u32> = BTreeMap::new();
        for _ in 0..1000 {
            let Some(key) = self.queue.peek() else { break };
            if let Some(Event::Receive(skb)) = self.nodes[key.host.0 as usize].events.get(key.slot) {
                *seen.entry((key.host, skb.dev)).or_default() += 1;
            }
            self.step(obs);
        }
        let mut seen: Vec<_> = seen.into_iter().collect();
        seen.sort_by_key(|&(place, count)| (std::cmp::Reverse(count), place));
        seen.iter()
            .take(4)
            .filter_map(|&((host, dev), _)| {
                let host = self.host(host);
                Some(format!("{} {}", host.name, host.get_dev(dev)?.name))
            })
            .collect()
    }

    /// Ends every process of a host, silently.
    pub fn kill_all<O: Observer>(&mut self, host: HostId, obs: &mut O) {
        let mut effects = std::mem::take(&mut self.effects);
        for pid in self.processes(host) {
            let node = Arc::make_mut(&mut self.nodes[host.0 as usize]);
            sys_exit(
                node,
                &mut self.queue,
                &mut self.ids,
                &mut effects,
                &mut self.store,
                obs,
                self.now,
                pid,
                128 + Signal::Kill.number(),
            );
        }
        self.carry_out(host, &mut effects, obs);
        self.effects = effects;
    }
}

#[allow(clippy::too_many_arguments)]
fn sys_exit<O: Observer>(
    node: &mut Node,
    queue: &mut Queue,
    ids: &mut PacketIds,
    effects: &mut Vec<Effect>,
    store: &mut Arc<Store>,
    obs: &mut O,
    now: SimTime,
    pid: Pid,
    status: i32,
) {
    let (exec, broken_pipe, probe, segments) = (None, false, None, &mut [][..]);
    SysCx { node, queue, ids, effects, store, segments, obs, now, pid, exec, broken_pipe, probe }
        .exit(status);
}

#[cfg(test)]
mod tests {
    use trace::Off;

    use super::*;

    /// A clone copies pointers; what one of both changes is copied then, host by host.
    #[test]
    fn a_clone_shares_every_host_that_nobody_changes() {
        let mut original = World::new(0);
        for number in 0..5000 {
            original.add_host(&format!("node{number}"), Registry::default());
        }
        let mut clone = original.clone();
        let different = |a: &World, b: &World| -> Vec<usize> {
            let pairs = a.nodes.iter().zip(&b.nodes).enumerate();
            pairs.filter(|(_, (a, b))| !Arc::ptr_eq(a, b)).map(|(i, _)| i).collect()
        };
        assert!(different(&original, &clone).is_empty());
        let up = Request::LinkSet { dev: "lo".to_owned(), changes: vec![LinkChange::Up(true)] };
        clone.request(HostId(7), NetnsId::INIT, up, &mut Off).expect("lo can be set up");
        assert_eq!(different(&original, &clone), [7]);
    }
}
