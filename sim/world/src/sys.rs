use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use kernel::dump::LinkInfo;
use kernel::request::{Reply, Request};
use kernel::socket::{Captured, NetlinkMessage, Ready, Received, SocketError, SocketKind, SocketOption};
use kernel::{Errno, Host, Refusal};
use packet::{Frame, HostId, NetnsId, Packet, Pid, SimTime};

use trace::view::View;

use crate::{
    Args, FabricChange, FabricSegment, Follow, Probe, ProbeError, ProbeReport, Program, Registry, Shared,
    Signal, Store,
};

/// A file descriptor of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fd(pub u32);

impl Fd {
    /// Standard input.
    pub const STDIN: Self = Self(0);
    /// Standard output.
    pub const STDOUT: Self = Self(1);
    /// Standard error.
    pub const STDERR: Self = Self(2);
}

/// What a read gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadResult {
    /// Some bytes, at least one.
    Data(Vec<u8>),
    /// The end.
    Eof,
    /// Nothing yet.
    WouldBlock,
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// `O_RDONLY`.
    Read,
    /// `O_WRONLY | O_CREAT | O_TRUNC`.
    Write,
    /// `O_WRONLY | O_CREAT | O_APPEND`.
    Append,
}

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// Regular file.
    File,
    /// Directory.
    Dir,
    /// Symbolic link.
    Symlink,
    /// Character device (`/dev/null`).
    CharDevice,
}

/// `stat(2)`, as far as it is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Kind.
    pub kind: FileKind,
    /// Size in bytes.
    pub size: u64,
    /// Permission bits.
    pub mode: u16,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// Name.
    pub name: String,
    /// Kind.
    pub kind: FileKind,
}

/// A process to start.
#[derive(Clone, Debug, Default)]
pub struct Spawn {
    /// Program to run: looked up in the registry by `args[0]`, unless `code` is given.
    pub args: Args,
    /// Runs this instead of a registered program (subshells).
    pub code: Option<Box<dyn Program>>,
    /// Its network namespace; `None` is the caller's.
    pub netns: Option<NetnsId>,
    /// Its root directory; `None` is the caller's.
    pub root: Option<String>,
    /// Its working directory; `None` is the caller's.
    pub cwd: Option<String>,
    /// Environment; `None` is the caller's.
    pub env: Option<BTreeMap<String, String>>,
    /// Its descriptors: the child's number and the caller's.
    pub fds: Vec<(Fd, Fd)>,
    /// Whether SELinux holds it to what containers may do; `None` is as with the caller.
    pub confined: Option<bool>,
    /// The first process of the command for which it runs; `None` is the caller's.
    pub session: Option<(HostId, Pid)>,
}

/// The system calls of a process.
///
/// A command learns only from these: sockets, netlink, files.
pub trait Sys {
    /// Virtual time.
    fn now(&self) -> SimTime;
    /// Wall clock as seconds since 1970, derived from virtual time (the world's epoch plus `now`).
    fn unix_time(&self) -> u64;
    /// This process.
    fn pid(&self) -> Pid;
    /// Its network namespace.
    fn netns(&self) -> NetnsId;
    /// Moves this process to another namespace (`setns(2)`).
    fn set_netns(&mut self, netns: NetnsId);
    /// Moves this process to a new network namespace without a name, which goes with its last
    /// process (`unshare(CLONE_NEWNET)`).
    fn unshare_netns(&mut self) -> NetnsId;
    /// Gives the place where a process lives (its namespace and root) a name, by which scenarios
    /// find it and traces print it until the process ends. Commands don't see it.
    fn name_place(&mut self, name: &str, pid: Pid);
    /// The process whose place has that name.
    fn place_pid(&self, name: &str) -> Option<Pid>;
    /// The namespace of that name in /run/netns.
    fn netns_by_name(&self, name: &str) -> Option<NetnsId>;
    /// The namespace of a process.
    fn netns_of_pid(&self, pid: Pid) -> Option<NetnsId>;
    /// The arguments of a process that runs.
    fn args_of_pid(&self, pid: Pid) -> Option<Args>;
    /// The root directory of a process that runs; empty for the host's own.
    fn root_of_pid(&self, pid: Pid) -> Option<String>;
    /// The processes that run, in order of their numbers.
    fn processes(&self) -> Vec<Pid>;
    /// An environment variable.
    fn env(&self, name: &str) -> Option<String>;
    /// All environment variables.
    fn environment(&self) -> BTreeMap<String, String>;
    /// A number of this process's random stream.
    fn random(&mut self) -> u64;
    /// The host's name; that of a process with another root is what its /etc/hostname says.
    ///
    /// Simplified: there are no UTS namespaces.
    fn hostname(&self) -> String;
    /// Renames the host.
    fn set_hostname(&mut self, name: &str);
    /// Whether a descriptor is a terminal.
    fn is_terminal(&self, fd: Fd) -> bool;
    /// The programs installed on this host.
    fn registry(&self) -> &Registry;

    /// Changes configuration, in `netns`.
    ///
    /// # Errors
    /// The kernel's refusal.
    fn request(&mut self, netns: NetnsId, request: Request) -> Result<Reply, Refusal>;
    /// Says for what this process makes things from now on: it is remembered with its requests.
    /// Answers what it was before.
    fn set_purpose(&mut self, purpose: Option<Arc<str>>) -> Option<Arc<str>>;
    /// The kernel, for its dumps (`links`, `addrs`, `routes`, …): read only.
    fn kernel(&self) -> &Host;
    /// The devices of a namespace. As in Linux, asking for all of them, or for `only` one, gives
    /// ids to the other namespaces in which their peers are (`peernet2id_alloc` in
    /// `rtnl_fill_ifinfo`).
    fn links(&mut self, netns: NetnsId, only: Option<&str>) -> Vec<LinkInfo>;

    /// Reads at most `max` bytes.
    ///
    /// # Errors
    /// `EBADF`, or the socket's error.
    fn read(&mut self, fd: Fd, max: usize) -> Result<ReadResult, Errno>;
    /// Writes all bytes that fit; a socket may take fewer.
    ///
    /// # Errors
    /// `EPIPE`, `EAGAIN`, `EBADF`, or the file's refusal (a bad sysctl value is `EINVAL`).
    fn write(&mut self, fd: Fd, bytes: &[u8]) -> Result<usize, Errno>;
    /// Opens a file.
    ///
    /// # Errors
    /// `ENOENT`, `EISDIR`, `EACCES`…
    fn open(&mut self, path: &str, mode: OpenMode) -> Result<Fd, Errno>;
    /// Closes a descriptor.
    fn close(&mut self, fd: Fd);
    /// A pipe: reading end, writing end. It holds any number of bytes.
    fn pipe(&mut self) -> (Fd, Fd);
    /// A pipe whose ends look like a terminal's.
    ///
    /// Simplified: it is no more than that; there are no signals and no echo.
    fn terminal_pipe(&mut self) -> (Fd, Fd);
    /// Another descriptor for the same file.
    ///
    /// # Errors
    /// `EBADF`.
    fn dup(&mut self, fd: Fd) -> Result<Fd, Errno>;
    /// Describes a path, following links.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`.
    fn stat(&self, path: &str) -> Result<Stat, Errno>;
    /// Entries of a directory, sorted by name.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`.
    fn read_dir(&self, path: &str) -> Result<Vec<DirEntry>, Errno>;
    /// Makes a directory.
    ///
    /// # Errors
    /// `EEXIST`, `ENOENT`.
    fn mkdir(&mut self, path: &str) -> Result<(), Errno>;
    /// Removes a file or an empty directory.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTEMPTY`.
    fn unlink(&mut self, path: &str) -> Result<(), Errno>;
    /// Makes a symbolic link at `path` to `target`.
    ///
    /// # Errors
    /// `EEXIST`, `ENOENT`.
    fn symlink(&mut self, target: &str, path: &str) -> Result<(), Errno>;
    /// Where a symbolic link points.
    ///
    /// # Errors
    /// `EINVAL` if it is none, `ENOENT`.
    fn readlink(&self, path: &str) -> Result<String, Errno>;
    /// Makes a path that is there stand for another file or directory (`mount --bind`).
    ///
    /// # Errors
    /// `ENOENT`.
    fn mount(&mut self, source: &str, target: &str) -> Result<(), Errno>;
    /// Ends that.
    ///
    /// # Errors
    /// `EINVAL` if nothing is mounted there.
    fn unmount(&mut self, target: &str) -> Result<(), Errno>;
    /// Ends all that is mounted below a path.
    fn unmount_below(&mut self, path: &str);
    /// The working directory.
    fn cwd(&self) -> String;
    /// Changes the working directory.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`.
    fn chdir(&mut self, path: &str) -> Result<(), Errno>;

    /// Starts a process.
    ///
    /// # Errors
    /// `ENOENT` if no such program is installed.
    fn spawn(&mut self, spawn: Spawn) -> Result<Pid, Errno>;
    /// The exit status of a process that has ended; `None` while it runs.
    fn exit_status(&self, pid: Pid) -> Option<i32>;
    /// Sends a signal.
    ///
    /// # Errors
    /// `ESRCH` if there is no such process.
    fn kill(&mut self, pid: Pid, signal: Signal) -> Result<(), Errno>;
    /// Replaces this process's code when the current `resume` returns, whatever it returns
    /// (`execve(2)`): `ip netns exec` keeps its pid and descriptors.
    ///
    /// # Errors
    /// `ENOENT` if no such program is installed.
    fn exec(&mut self, args: Args) -> Result<(), Errno>;

    /// Opens a socket in this process's namespace.
    ///
    /// # Errors
    /// `EMFILE` and kin.
    fn socket(&mut self, kind: SocketKind) -> Result<Fd, Errno>;
    /// `bind(2)`.
    ///
    /// # Errors
    /// `EADDRINUSE`, `EADDRNOTAVAIL`.
    fn bind(&mut self, fd: Fd, addr: SocketAddr) -> Result<(), Errno>;
    /// `connect(2)`.
    ///
    /// # Errors
    /// `EINPROGRESS` for TCP; `ENETUNREACH` and the routes' errors.
    fn connect(&mut self, fd: Fd, addr: SocketAddr) -> Result<(), Errno>;
    /// `listen(2)`.
    ///
    /// # Errors
    /// `EADDRINUSE`.
    fn listen(&mut self, fd: Fd, backlog: u32) -> Result<(), Errno>;
    /// `accept(2)`.
    ///
    /// # Errors
    /// `EAGAIN`.
    fn accept(&mut self, fd: Fd) -> Result<(Fd, SocketAddr), Errno>;
    /// `sendto(2)`; without `to` the connected address. A raw socket's `data` is the IP payload.
    ///
    /// # Errors
    /// Whatever the path answers: `EPERM`, `ENETUNREACH`, `EMSGSIZE`, `ENOBUFS`, a pending error…
    fn send(&mut self, fd: Fd, data: &[u8], to: Option<SocketAddr>) -> Result<usize, Errno>;
    /// Sends a packet whose IP payload is typed (raw sockets). Addresses, TTL and the rest of the
    /// IP header are the socket's unless the header is included; `packet.dst()` says where to.
    ///
    /// # Errors
    /// As `send`.
    fn send_packet(&mut self, fd: Fd, packet: Packet) -> Result<(), Errno>;
    /// Sends a frame by a packet socket's device.
    ///
    /// # Errors
    /// `ENETDOWN`, `ENOBUFS`, `ENXIO`.
    fn send_frame(&mut self, fd: Fd, frame: Frame) -> Result<(), Errno>;
    /// `recvmsg(2)`.
    ///
    /// # Errors
    /// `EAGAIN`, or the socket's pending error.
    fn recv(&mut self, fd: Fd, max: usize) -> Result<Received, Errno>;
    /// Takes a captured frame from a packet socket.
    ///
    /// # Errors
    /// `EAGAIN`, `ENETDOWN` once after its device went down.
    fn recv_frame(&mut self, fd: Fd) -> Result<Captured, Errno>;
    /// Takes a message from a netlink socket.
    ///
    /// # Errors
    /// `EAGAIN`.
    fn recv_netlink(&mut self, fd: Fd) -> Result<NetlinkMessage, Errno>;
    /// Takes an entry of the error queue.
    fn recv_error(&mut self, fd: Fd) -> Option<SocketError>;
    /// `setsockopt(2)`.
    ///
    /// # Errors
    /// `ENODEV`, `EINVAL`.
    fn set_option(&mut self, fd: Fd, option: SocketOption) -> Result<(), Errno>;
    /// `getsockopt(SO_ERROR)`: takes the pending error.
    fn take_error(&mut self, fd: Fd) -> Option<Errno>;
    /// `getsockname(2)`.
    fn local_addr(&self, fd: Fd) -> Option<SocketAddr>;
    /// `getpeername(2)`; none unless connected.
    fn peer_addr(&self, fd: Fd) -> Option<SocketAddr>;
    /// `shutdown(2)` of the sending direction.
    ///
    /// # Errors
    /// `ENOTCONN`.
    fn shutdown_write(&mut self, fd: Fd) -> Result<(), Errno>;
    /// `poll(2)`.
    fn ready(&self, fd: Fd) -> Ready;

    /// Opens `/dev/net/tun` and attaches to the device `name`, made if it doesn't exist
    /// (`TUNSETIFF`, `IFF_TUN | IFF_NO_PI`). The device goes when the descriptor is closed,
    /// unless it is persistent.
    ///
    /// # Errors
    /// `EBUSY`, `EINVAL`.
    fn open_tun(&mut self, name: &str) -> Result<Fd, Errno>;
    /// Takes a packet that the kernel sent into the TUN device.
    ///
    /// # Errors
    /// `EAGAIN`.
    fn tun_read(&mut self, fd: Fd) -> Result<Packet, Errno>;
    /// Writes a packet into the kernel.
    ///
    /// # Errors
    /// `EIO` while the device is down.
    fn tun_write(&mut self, fd: Fd, packet: Packet) -> Result<(), Errno>;

    /// Asks for a packet to be followed on a copy of the world, once this process waits; it is
    /// woken when the report is there.
    fn send_probe(&mut self, netns: NetnsId, probe: Probe, follow: Follow, view: View);
    /// Takes the report: an entry for each outcome.
    fn probe_report(&mut self) -> Option<Result<Vec<ProbeReport>, ProbeError>>;

    /// What all hosts share out of band.
    fn store(&self) -> &Store;
    /// Writes a value into the store; answers its revision.
    fn store_put(&mut self, key: &str, value: Shared) -> u64;
    /// Deletes a key of the store; answers whether it was there.
    fn store_delete(&mut self, key: &str) -> bool;
    /// The first process of the command that this process belongs to.
    fn session(&self) -> Option<(HostId, Pid)>;

    /// The network between the hosts, as who runs it sees it: no host does.
    fn fabric(&self) -> Vec<FabricSegment>;
    /// Changes what a segment carries.
    ///
    /// # Errors
    /// `ENODEV` if there is no such segment, `ENXIO` no such port, `EEXIST`, `ENOENT`.
    fn change_fabric(&mut self, segment: &str, change: FabricChange) -> Result<(), Errno>;

    /// Lines of the kernel log.
    fn dmesg(&self) -> Vec<(SimTime, String)>;
}
