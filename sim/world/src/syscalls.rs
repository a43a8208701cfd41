use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kernel::dump::LinkInfo;
use kernel::request::{LinkAdd, LinkKind, Reply, Request};
use kernel::socket::{
    Captured, NetlinkMessage, Ready, Received, SocketError, SocketId, SocketKind, SocketOption,
};
use kernel::{Cx, Effect, Errno, Host, Refusal};
use packet::{DevId, Frame, HostId, NetnsId, Packet, PacketIds, Pid, SimTime};
use trace::Observer;
use trace::view::View;

use crate::asked::{Draft, Ledger};
use crate::cable::Segment;
use crate::fabric::{self, FabricChange, FabricSegment};
use crate::files::{Content, OpenFile, OpenId, Stream, normalize};
use crate::node::Node;
use crate::process::{Cmdline, Process};
use crate::queue::{Event, Queue};
use crate::synthetic::{self, Entry};
use crate::sys::{DirEntry, Fd, FileKind, OpenMode, ReadResult, Spawn, Stat, Sys};
use crate::world::EPOCH;
use crate::{Args, Follow, Probe, ProbeError, ProbeReport, Program, Registry, Shared, Signal, Store, Wait};

/// How long a program takes to start: about a millisecond passes between two commands of a script,
/// so that what the first one sent has arrived when the second one looks.
///
/// Simplified: everything else that a process does takes no time.
const EXEC_TIME: Duration = Duration::from_millis(1);

/// System calls of one process while it runs.
pub(crate) struct SysCx<'a, O: Observer> {
    pub node: &'a mut Node,
    pub queue: &'a mut Queue,
    pub ids: &'a mut PacketIds,
    pub effects: &'a mut Vec<Effect>,
    pub store: &'a mut Arc<Store>,
    pub segments: &'a mut [Arc<Segment>],
    pub obs: &'a mut O,
    pub now: SimTime,
    pub pid: Pid,
    /// What replaces the process's program when it returns.
    pub exec: Option<(Cmdline, Box<dyn Program>)>,
    /// It wrote into a pipe that nobody reads.
    pub broken_pipe: bool,
    /// A probe to be followed on a copy of the world.
    pub probe: Option<(NetnsId, Probe, Follow, View)>,
}

impl<O: Observer> SysCx<'_, O> {
    fn cx(&mut self) -> Cx<'_, O> {
        Cx {
            host: &mut self.node.host,
            now: self.now,
            effects: self.effects,
            ids: self.ids,
            obs: self.obs,
            choices: None,
            current: Some(self.pid),
            icmp_busy: false,
        }
    }

    /// Remembers a request that was carried out.
    fn keep(&mut self, draft: Option<Draft>) {
        let Some((draft, process)) = draft.zip(self.node.processes.get(self.pid)) else { return };
        let by = self.node.ledger.process(self.pid, process);
        self.node.ledger.keep(draft, &self.node.host, self.now, by);
    }

    fn process(&self) -> Option<&Process> {
        self.node.processes.get(self.pid)
    }

    fn open_id(&self, fd: Fd) -> Result<OpenId, Errno> {
        self.process().and_then(|p| p.fds.get(&fd)).copied().ok_or(Errno::BadF)
    }

    fn file(&self, fd: Fd) -> Result<&OpenFile, Errno> {
        self.node.open.get(self.open_id(fd)?).ok_or(Errno::BadF)
    }

    fn socket_of(&self, fd: Fd) -> Result<SocketId, Errno> {
        match self.file(fd)? {
            OpenFile::Socket(socket) => Ok(*socket),
            _ => Err(Errno::BadF),
        }
    }

    fn tun_of(&self, fd: Fd) -> Result<DevId, Errno> {
        match self.file(fd)? {
            OpenFile::Tun(dev) => Ok(*dev),
            _ => Err(Errno::BadF),
        }
    }

    /// Gives the process a descriptor, the lowest free one, for a file that is open already.
    fn add_fd(&mut self, open: OpenId) -> Fd {
        let Some(process) = self.node.processes.get_mut(self.pid) else { return Fd(u32::MAX) };
        let fd = (0..).map(Fd).find(|fd| !process.fds.contains_key(fd)).expect("fewer than 2^32 descriptors");
        process.fds.insert(fd, open);
        fd
    }

    /// The stored tree's path of what a process names.
    fn absolute(&self, path: &str) -> String {
        let Some(process) = self.process() else { return normalize("", path) };
        format!("{}{}", process.root, normalize(&process.cwd, path))
    }

    /// Whether SELinux lets the process write at a place of the stored tree.
    fn check_write(&self, path: &str) -> Result<(), Errno> {
        let Some(process) = self.process().filter(|process| process.confined) else { return Ok(()) };
        self.node.may_write(&process.root, &self.node.files.resolve(path, true)?)
    }

    /// What the kernel makes up at `path`, if it does.
    fn synthetic(&self, path: &str) -> Option<(String, Result<Entry, Errno>)> {
        let netns = self.process()?.netns;
        let path = self.as_seen(path)?;
        synthetic::owns(&path).then(|| {
            let entry = synthetic::lookup(self.node, netns, self.now, &path);
            (path, entry)
        })
    }

    /// A path from the process's root on; /proc/self is its own number.
    fn as_seen(&self, path: &str) -> Option<String> {
        let path = normalize(&self.process()?.cwd, path);
        let own = ["/proc/self", "/proc/thread-self"].iter().find_map(|own| path.strip_prefix(own));
        match own.filter(|rest| rest.is_empty() || rest.starts_with('/')) {
            Some(rest) => Some(format!("/proc/{}{rest}", self.pid.0)),
            None => Some(path),
        }
    }

    /// The name in /run/netns that a path means.
    fn netns_name(&self, path: &str) -> Option<String> {
        let path = self.as_seen(path)?;
        let path = path.strip_prefix("/var").unwrap_or(&path);
        path.strip_prefix("/run/netns/").filter(|name| !name.contains('/')).map(str::to_owned)
    }

    fn release(&mut self, open: OpenId) {
        // The other end of a pipe learns of the closing.
        let other = match self.node.open.get(open) {
            Some(OpenFile::PipeWrite(pipe)) => self.node.open.pipes.get(pipe).and_then(|p| p.reader),
            Some(OpenFile::PipeRead(pipe)) => self.node.open.pipes.get(pipe).and_then(|p| p.writer),
            _ => None,
        };
        match self.node.open.release(open) {
            Some(OpenFile::Socket(socket)) => self.cx().socket_close(socket),
            Some(OpenFile::Tun(dev)) => self.cx().tun_close(dev),
            Some(OpenFile::PipeRead(_) | OpenFile::PipeWrite(_)) => {
                if let Some(other) = other {
                    self.node.wake_open(self.queue, self.now, other);
                }
            }
            _ => {}
        }
    }

    /// Ends the process.
    pub fn exit(&mut self, status: i32) {
        let Some(process) = self.node.processes.end(self.pid, status) else { return };
        self.node.places.retain(|_, pid| *pid != self.pid);
        for open in process.fds.into_values() {
            self.release(open);
        }
        self.cx().netns_put(process.netns);
        for waiter in self.node.processes.waiting_for_pid(self.pid) {
            self.node.wake(self.queue, self.now, waiter);
        }
    }

    fn read_snapshot(&mut self, open: OpenId, max: usize) -> Result<ReadResult, Errno> {
        let bytes = match self.node.open.get(open) {
            Some(OpenFile::Reader { content: Content::Stored(path), .. }) => self.node.files.read(path)?,
            Some(OpenFile::Reader { content: Content::Snapshot(bytes), .. }) => bytes.clone(),
            _ => return Err(Errno::BadF),
        };
        let Some(OpenFile::Reader { offset, .. }) = self.node.open.get_mut(open) else {
            return Err(Errno::BadF);
        };
        let rest = bytes.get(*offset..).unwrap_or(&[]);
        if rest.is_empty() {
            return Ok(ReadResult::Eof);
        }
        let n = rest.len().min(max);
        *offset += n;
        Ok(ReadResult::Data(rest[..n].to_vec()))
    }
}

impl<O: Observer> Sys for SysCx<'_, O> {
    fn now(&self) -> SimTime {
        self.now
    }

    fn unix_time(&self) -> u64 {
        EPOCH + self.now.as_nanos() / 1_000_000_000
    }

    fn pid(&self) -> Pid {
        self.pid
    }

    fn netns(&self) -> NetnsId {
        self.node.netns_of(self.pid)
    }

    fn set_netns(&mut self, netns: NetnsId) {
        let Some(process) = self.node.processes.get_mut(self.pid) else { return };
        let left = std::mem::replace(&mut process.netns, netns);
        let mut cx = self.cx();
        cx.netns_get(netns);
        cx.netns_put(left);
    }

    fn unshare_netns(&mut self) -> NetnsId {
        let netns = self.cx().netns_unshare();
        self.set_netns(netns);
        netns
    }

    fn name_place(&mut self, name: &str, pid: Pid) {
        self.node.places.insert(name.to_owned(), pid);
    }

    fn place_pid(&self, name: &str) -> Option<Pid> {
        self.node.places.get(name).copied()
    }

    fn netns_by_name(&self, name: &str) -> Option<NetnsId> {
        self.node.host.netns_names.get(name).copied()
    }

    fn netns_of_pid(&self, pid: Pid) -> Option<NetnsId> {
        self.node.processes.get(pid).map(|p| p.netns)
    }

    fn args_of_pid(&self, pid: Pid) -> Option<Args> {
        self.node.processes.get(pid).map(|p| p.cmdline.words().map(str::to_owned).collect())
    }

    fn root_of_pid(&self, pid: Pid) -> Option<String> {
        self.node.processes.get(pid).map(|p| p.root.clone())
    }

    fn processes(&self) -> Vec<Pid> {
        self.node.processes.alive().map(|(pid, _)| pid).collect()
    }

    fn env(&self, name: &str) -> Option<String> {
        self.process()?.env.get(name).cloned()
    }

    fn environment(&self) -> BTreeMap<String, String> {
        self.process().map(|p| p.env.clone()).unwrap_or_default()
    }

    fn random(&mut self) -> u64 {
        self.node.random.next_u64()
    }

    fn hostname(&self) -> String {
        let root = self.process().map_or("", |p| p.root.as_str());
        if !root.is_empty()
            && let Ok(bytes) = self.node.files.read(&format!("{root}/etc/hostname"))
        {
            return String::from_utf8_lossy(&bytes).trim_end().to_owned();
        }
        self.node.host.name.clone()
    }

    fn set_hostname(&mut self, name: &str) {
        self.node.host.name = name.to_owned();
    }

    fn is_terminal(&self, fd: Fd) -> bool {
        match self.file(fd) {
            Ok(OpenFile::Console { console, .. }) => {
                self.node.consoles.get(console).is_some_and(|c| c.terminal)
            }
            Ok(OpenFile::PipeRead(pipe) | OpenFile::PipeWrite(pipe)) => {
                self.node.open.pipes.get(pipe).is_some_and(|pipe| pipe.terminal)
            }
            _ => false,
        }
    }

    fn registry(&self) -> &Registry {
        &self.node.registry
    }

    fn request(&mut self, netns: NetnsId, request: Request) -> Result<Reply, Refusal> {
        let draft = Ledger::draft(&self.node.host, netns, &request);
        let reply = self.cx().request(netns, request)?;
        self.keep(draft);
        Ok(reply)
    }

    fn set_purpose(&mut self, purpose: Option<Arc<str>>) -> Option<Arc<str>> {
        let process = self.node.processes.get_mut(self.pid)?;
        std::mem::replace(&mut process.purpose, purpose)
    }

    fn kernel(&self) -> &Host {
        &self.node.host
    }

    fn links(&mut self, netns: NetnsId, only: Option<&str>) -> Vec<LinkInfo> {
        let host = &mut self.node.host;
        let Some(only) = only else {
            host.links_get_nsids(netns, None);
            return host.links(netns);
        };
        let Some(dev) = host.dev_by_name(netns, only) else { return Vec::new() };
        host.links_get_nsids(netns, Some(dev));
        host.link(dev).into_iter().collect()
    }

    fn read(&mut self, fd: Fd, max: usize) -> Result<ReadResult, Errno> {
        let open = self.open_id(fd)?;
        match self.node.open.get(open).ok_or(Errno::BadF)? {
            OpenFile::Null => Ok(ReadResult::Eof),
            OpenFile::Zero => Ok(ReadResult::Data(vec![0; max.min(1 << 16)])),
            OpenFile::Reader { .. } => self.read_snapshot(open, max),
            OpenFile::PipeRead(pipe) => {
                let pipe = *pipe;
                let Some(pipe) = self.node.open.pipes.get_mut(&pipe) else { return Ok(ReadResult::Eof) };
                let n = pipe.bytes.len().min(max);
                if n > 0 {
                    return Ok(ReadResult::Data(pipe.bytes.drain(..n).collect()));
                }
                Ok(if pipe.writer.is_some() { ReadResult::WouldBlock } else { ReadResult::Eof })
            }
            OpenFile::Console { console, stream: Stream::In } => {
                let console = *console;
                let Some(console) = self.node.consoles.get_mut(&console) else { return Ok(ReadResult::Eof) };
                let n = console.input.len().min(max);
                if n > 0 {
                    return Ok(ReadResult::Data(console.input.drain(..n).collect()));
                }
                let ended = std::mem::take(&mut console.end_typed) || console.input_ended;
                Ok(if ended { ReadResult::Eof } else { ReadResult::WouldBlock })
            }
            OpenFile::Socket(socket) => {
                let socket = *socket;
                match self.cx().socket_recv(socket, max) {
                    Ok(received) if received.data.is_empty() => Ok(ReadResult::Eof),
                    Ok(received) => Ok(ReadResult::Data(received.data)),
                    Err(Errno::Again) => Ok(ReadResult::WouldBlock),
                    Err(errno) => Err(errno),
                }
            }
            OpenFile::Writer { .. }
            | OpenFile::Setting { .. }
            | OpenFile::PipeWrite(_)
            | OpenFile::Tun(_)
            | OpenFile::Console { .. } => Err(Errno::BadF),
        }
    }

    fn write(&mut self, fd: Fd, bytes: &[u8]) -> Result<usize, Errno> {
        let open = self.open_id(fd)?;
        match self.node.open.get(open).ok_or(Errno::BadF)? {
            OpenFile::Null => {}
            OpenFile::Writer { path } => self.node.files.append(path, bytes),
            OpenFile::Setting { path } => {
                let text = String::from_utf8_lossy(bytes);
                let request = synthetic::request(path, &text)?;
                let netns = self.netns();
                self.request(netns, request).map_err(|refusal| refusal.errno)?;
            }
            OpenFile::PipeWrite(pipe) => {
                let pipe = *pipe;
                let pipe = self.node.open.pipes.get_mut(&pipe).ok_or(Errno::Pipe)?;
                let Some(reader) = pipe.reader else {
                    self.broken_pipe = true;
                    return Err(Errno::Pipe);
                };
                pipe.bytes.extend(bytes);
                self.node.wake_open(self.queue, self.now, reader);
            }
            OpenFile::Console { console, stream } => {
                let stream = *stream;
                let console = self.node.consoles.get_mut(console).ok_or(Errno::Io)?;
                match console.output.last_mut() {
                    Some((last, text)) if *last == stream => text.extend_from_slice(bytes),
                    _ => console.output.push((stream, bytes.to_vec())),
                }
            }
            OpenFile::Socket(socket) => {
                let socket = *socket;
                return self.cx().socket_send(socket, bytes, None);
            }
            OpenFile::Zero | OpenFile::Reader { .. } | OpenFile::PipeRead(_) | OpenFile::Tun(_) => {
                return Err(Errno::BadF);
            }
        }
        Ok(bytes.len())
    }

    fn open(&mut self, path: &str, mode: OpenMode) -> Result<Fd, Errno> {
        let device = self.process().map(|p| normalize(&p.cwd, path));
        match device.as_deref() {
            Some("/dev/null") => {
                let open = self.node.open.open(OpenFile::Null);
                return Ok(self.add_fd(open));
            }
            Some("/dev/zero") if mode == OpenMode::Read => {
                let open = self.node.open.open(OpenFile::Zero);
                return Ok(self.add_fd(open));
            }
            Some("/dev/stdin" | "/dev/fd/0") => return self.dup(Fd::STDIN),
            Some("/dev/stdout" | "/dev/fd/1") => return self.dup(Fd::STDOUT),
            Some("/dev/stderr" | "/dev/fd/2") => return self.dup(Fd::STDERR),
            _ => {}
        }
        if let Some((path, entry)) = self.synthetic(path) {
            let file = match (entry?, mode) {
                (Entry::Dir(_), _) => return Err(Errno::IsDir),
                (Entry::File(bytes), OpenMode::Read) => {
                    OpenFile::Reader { content: Content::Snapshot(Arc::new(bytes)), offset: 0 }
                }
                (Entry::File(_), OpenMode::Write | OpenMode::Append) => OpenFile::Setting { path },
            };
            let open = self.node.open.open(file);
            return Ok(self.add_fd(open));
        }
        let path = self.absolute(path);
        let file = match mode {
            OpenMode::Read => {
                let path = self.node.files.resolve(&path, true)?;
                self.node.files.read(&path)?;
                OpenFile::Reader { content: Content::Stored(path), offset: 0 }
            }
            OpenMode::Write | OpenMode::Append => {
                self.check_write(&path)?;
                OpenFile::Writer { path: self.node.files.create(&path, mode == OpenMode::Write)? }
            }
        };
        let open = self.node.open.open(file);
        Ok(self.add_fd(open))
    }

    fn close(&mut self, fd: Fd) {
        let open = self.node.processes.get_mut(self.pid).and_then(|p| p.fds.remove(&fd));
        if let Some(open) = open {
            self.release(open);
        }
    }

    fn pipe(&mut self) -> (Fd, Fd) {
        let (reader, writer) = self.node.open.pipe(false);
        (self.add_fd(reader), self.add_fd(writer))
    }

    fn terminal_pipe(&mut self) -> (Fd, Fd) {
        let (reader, writer) = self.node.open.pipe(true);
        (self.add_fd(reader), self.add_fd(writer))
    }

    fn dup(&mut self, fd: Fd) -> Result<Fd, Errno> {
        let open = self.open_id(fd)?;
        self.node.open.share(open);
        Ok(self.add_fd(open))
    }

    fn stat(&self, path: &str) -> Result<Stat, Errno> {
        if self
            .process()
            .is_some_and(|p| matches!(normalize(&p.cwd, path).as_str(), "/dev/null" | "/dev/zero"))
        {
            return Ok(Stat { kind: FileKind::CharDevice, size: 0, mode: 0o666 });
        }
        if let Some((_, entry)) = self.synthetic(path) {
            return Ok(match entry? {
                Entry::Dir(_) => Stat { kind: FileKind::Dir, size: 0, mode: 0o555 },
                Entry::File(_) => Stat { kind: FileKind::File, size: 0, mode: 0o644 },
            });
        }
        self.node.files.stat(&self.absolute(path))
    }

    fn read_dir(&self, path: &str) -> Result<Vec<DirEntry>, Errno> {
        match self.synthetic(path) {
            Some((_, Ok(Entry::Dir(entries)))) => Ok(entries),
            Some((_, Ok(Entry::File(_)))) => Err(Errno::NotDir),
            Some((_, Err(errno))) => Err(errno),
            None => self.node.files.read_dir(&self.absolute(path)),
        }
    }

    fn mkdir(&mut self, path: &str) -> Result<(), Errno> {
        let path = self.absolute(path);
        self.check_write(&path)?;
        self.node.files.mkdir(&path)
    }

    fn unlink(&mut self, path: &str) -> Result<(), Errno> {
        if let Some(name) = self.netns_name(path) {
            return if self.node.host.netns_names.contains_key(&name) {
                self.cx().netns_unlink(&name)
            } else {
                Err(Errno::NoEnt)
            };
        }
        let path = self.absolute(path);
        self.check_write(&path)?;
        self.node.files.unlink(&path)
    }

    fn symlink(&mut self, target: &str, path: &str) -> Result<(), Errno> {
        if let Some(name) = self.netns_name(path) {
            // Simplified: a link in /run/netns leads to /proc/PID/ns/net, nowhere else.
            let netns = self.as_seen(target).and_then(|target| synthetic::ns_net(self.node, &target));
            return self.cx().netns_link(&name, netns.ok_or(Errno::NoEnt)?, target);
        }
        let path = self.absolute(path);
        self.check_write(&path)?;
        self.node.files.symlink(target, &path)
    }

    fn readlink(&self, path: &str) -> Result<String, Errno> {
        if let Some(name) = self.netns_name(path) {
            return self.node.host.netns_links.get(&name).cloned().ok_or(Errno::Inval);
        }
        if let Some(netns) = self.as_seen(path).and_then(|path| synthetic::ns_net(self.node, &path)) {
            return Ok(synthetic::ns_inode(netns));
        }
        self.node.files.readlink(&self.absolute(path))
    }

    fn mount(&mut self, source: &str, target: &str) -> Result<(), Errno> {
        let (source, target) = (self.absolute(source), self.absolute(target));
        self.node.files.mount(&source, &target)
    }

    fn unmount(&mut self, target: &str) -> Result<(), Errno> {
        let target = self.absolute(target);
        self.node.files.unmount(&target)
    }

    fn unmount_below(&mut self, path: &str) {
        let path = self.absolute(path);
        self.node.files.unmount_below(&path);
    }

    fn cwd(&self) -> String {
        match self.process() {
            Some(process) if !process.cwd.is_empty() => process.cwd.clone(),
            _ => "/".to_owned(),
        }
    }

    fn chdir(&mut self, path: &str) -> Result<(), Errno> {
        if self.stat(path)?.kind != FileKind::Dir {
            return Err(Errno::NotDir);
        }
        if let Some(process) = self.node.processes.get_mut(self.pid) {
            process.cwd = normalize(&process.cwd, path);
        }
        Ok(())
    }

    fn spawn(&mut self, spawn: Spawn) -> Result<Pid, Errno> {
        let Spawn { args, code, netns, root, cwd, env, fds, confined, session } = spawn;
        let cmdline = Cmdline::of(&args);
        let mut start = self.now;
        let program = match code {
            Some(code) => code,
            None => {
                start += EXEC_TIME;
                let name = args.first().ok_or(Errno::NoEnt)?;
                let make = self.node.registry.get(name).cloned().ok_or(Errno::NoEnt)?;
                make(args)
            }
        };
        let caller = self.process().ok_or(Errno::Srch)?;
        let mut table = BTreeMap::new();
        for (theirs, ours) in fds {
            table.insert(theirs, *caller.fds.get(&ours).ok_or(Errno::BadF)?);
        }
        let process = Process {
            cmdline,
            program: Some(program),
            netns: netns.unwrap_or(caller.netns),
            root: root.unwrap_or_else(|| caller.root.clone()),
            cwd: cwd.unwrap_or_else(|| caller.cwd.clone()),
            env: env.unwrap_or_else(|| caller.env.clone()),
            fds: table,
            wait: Wait::default(),
            confined: confined.unwrap_or(caller.confined),
            session: session.or(caller.session),
            started: start,
            sleep: 0,
            runnable: false,
            purpose: caller.purpose.clone(),
            probe_report: None,
        };
        for &open in process.fds.values() {
            self.node.open.share(open);
        }
        self.cx().netns_get(process.netns);
        Ok(self.node.start(self.queue, start, process))
    }

    fn exit_status(&self, pid: Pid) -> Option<i32> {
        self.node.processes.status(pid)
    }

    fn kill(&mut self, pid: Pid, signal: Signal) -> Result<(), Errno> {
        self.node.processes.get(pid).ok_or(Errno::Srch)?;
        self.node.schedule(self.queue, self.now, Event::Signal(pid, signal));
        Ok(())
    }

    fn exec(&mut self, args: Args) -> Result<(), Errno> {
        let make = args.first().and_then(|name| self.node.registry.get(name)).cloned().ok_or(Errno::NoEnt)?;
        self.exec = Some((Cmdline::of(&args), make(args)));
        Ok(())
    }

    fn socket(&mut self, kind: SocketKind) -> Result<Fd, Errno> {
        let (netns, pid) = (self.netns(), self.pid);
        let socket = self.cx().socket_open(netns, kind, Some(pid))?;
        let open = self.node.open.open(OpenFile::Socket(socket));
        Ok(self.add_fd(open))
    }

    fn bind(&mut self, fd: Fd, addr: SocketAddr) -> Result<(), Errno> {
        let socket = self.socket_of(fd)?;
        self.cx().socket_bind(socket, addr)
    }

    fn connect(&mut self, fd: Fd, addr: SocketAddr) -> Result<(), Errno> {
        let socket = self.socket_of(fd)?;
        self.cx().socket_connect(socket, addr)
    }

    fn listen(&mut self, fd: Fd, backlog: u32) -> Result<(), Errno> {
        let socket = self.socket_of(fd)?;
        self.cx().socket_listen(socket, backlog)
    }

    fn accept(&mut self, fd: Fd) -> Result<(Fd, SocketAddr), Errno> {
        let socket = self.socket_of(fd)?;
        let (accepted, peer) = self.cx().socket_accept(socket)?;
        let open = self.node.open.open(OpenFile::Socket(accepted));
        Ok((self.add_fd(open), peer))
    }

    fn send(&mut self, fd: Fd, data: &[u8], to: Option<SocketAddr>) -> Result<usize, Errno> {
        let socket = self.socket_of(fd)?;
        self.cx().socket_send(socket, data, to)
    }

    fn send_packet(&mut self, fd: Fd, packet: Packet) -> Result<(), Errno> {
        let socket = self.socket_of(fd)?;
        self.cx().socket_send_packet(socket, packet)
    }

    fn send_frame(&mut self, fd: Fd, frame: Frame) -> Result<(), Errno> {
        let socket = self.socket_of(fd)?;
        self.cx().socket_send_frame(socket, frame)
    }

    fn recv(&mut self, fd: Fd, max: usize) -> Result<Received, Errno> {
        let socket = self.socket_of(fd)?;
        self.cx().socket_recv(socket, max)
    }

    fn recv_frame(&mut self, fd: Fd) -> Result<Captured, Errno> {
        let socket = self.socket_of(fd)?;
        self.cx().socket_recv_frame(socket)
    }

    fn recv_netlink(&mut self, fd: Fd) -> Result<NetlinkMessage, Errno> {
        let socket = self.socket_of(fd)?;
        self.cx().netlink_recv(socket)
    }

    fn recv_error(&mut self, fd: Fd) -> Option<SocketError> {
        let socket = self.socket_of(fd).ok()?;
        self.cx().socket_recv_error(socket)
    }

    fn set_option(&mut self, fd: Fd, option: SocketOption) -> Result<(), Errno> {
        let socket = self.socket_of(fd)?;
        self.cx().socket_set_option(socket, option)
    }

    fn take_error(&mut self, fd: Fd) -> Option<Errno> {
        let socket = self.socket_of(fd).ok()?;
        self.cx().socket_take_error(socket)
    }

    fn local_addr(&self, fd: Fd) -> Option<SocketAddr> {
        self.node.host.socket_local_addr(self.socket_of(fd).ok()?)
    }

    fn peer_addr(&self, fd: Fd) -> Option<SocketAddr> {
        self.node.host.socket_peer_addr(self.socket_of(fd).ok()?)
    }

    fn shutdown_write(&mut self, fd: Fd) -> Result<(), Errno> {
        let socket = self.socket_of(fd)?;
        self.cx().socket_shutdown_write(socket)
    }

    fn ready(&self, fd: Fd) -> Ready {
        let readable = match self.file(fd) {
            Ok(OpenFile::Socket(socket)) => return self.node.host.socket_ready(*socket),
            Ok(OpenFile::PipeRead(pipe)) => {
                self.node.open.pipes.get(pipe).is_none_or(|p| !p.bytes.is_empty() || p.writer.is_none())
            }
            Ok(OpenFile::Console { console, stream: Stream::In }) => self
                .node
                .consoles
                .get(console)
                .is_none_or(|c| !c.input.is_empty() || c.input_ended || c.end_typed),
            Ok(OpenFile::Null | OpenFile::Zero | OpenFile::Reader { .. }) => true,
            Ok(_) | Err(_) => false,
        };
        Ready { readable, writable: true, ..Ready::default() }
    }

    fn open_tun(&mut self, name: &str) -> Result<Fd, Errno> {
        let netns = self.netns();
        let kind = LinkKind::Tun { tap: false, persist: false };
        let draft = Ledger::draft(&self.node.host, netns, &Request::LinkAdd(LinkAdd::new(name, kind)));
        let dev = self.cx().tun_open(netns, name)?;
        self.keep(draft);
        let open = self.node.open.open(OpenFile::Tun(dev));
        Ok(self.add_fd(open))
    }

    fn tun_read(&mut self, fd: Fd) -> Result<Packet, Errno> {
        let dev = self.tun_of(fd)?;
        self.cx().tun_read(dev).ok_or(Errno::Again)
    }

    fn tun_write(&mut self, fd: Fd, packet: Packet) -> Result<(), Errno> {
        let dev = self.tun_of(fd)?;
        if !self.node.host.get_dev(dev).is_some_and(|d| d.up) {
            return Err(Errno::Io);
        }
        // The path records the packet's end itself.
        let _ = self.cx().tun_write(dev, packet);
        Ok(())
    }

    fn send_probe(&mut self, netns: NetnsId, probe: Probe, follow: Follow, view: View) {
        self.probe = Some((netns, probe, follow, view));
    }

    fn probe_report(&mut self) -> Option<Result<Vec<ProbeReport>, ProbeError>> {
        self.node.processes.get_mut(self.pid)?.probe_report.take()
    }

    fn store(&self) -> &Store {
        self.store
    }

    fn store_put(&mut self, key: &str, value: Shared) -> u64 {
        Arc::make_mut(self.store).put(key, value)
    }

    fn store_delete(&mut self, key: &str) -> bool {
        Arc::make_mut(self.store).delete(key)
    }

    fn session(&self) -> Option<(HostId, Pid)> {
        self.process()?.session
    }

    fn fabric(&self) -> Vec<FabricSegment> {
        fabric::list(self.segments)
    }

    fn change_fabric(&mut self, segment: &str, change: FabricChange) -> Result<(), Errno> {
        fabric::change(self.segments, segment, change)
    }

    fn dmesg(&self) -> Vec<(SimTime, String)> {
        self.node.host.log.lines().to_vec()
    }
}
