//! `tcpdump` 4.99.3 with libpcap 1.10.3: captures by a packet socket, reads and writes files.
//!
//! As the real one it works on bytes: a captured frame is emitted once, then filtered, printed and
//! written.

mod filter;
mod names;
mod options;
mod pcap;
mod print;
#[cfg(test)]
mod samples;

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::Errno;
use kernel::dump::LinkInfo;
use kernel::socket::{Captured, SocketKind, SocketOption};
use packet::{EtherPayload, Frame, IfIndex, PktType, VlanTag, wire};
use world::{Args, EPOCH, Fd, Next, OpenMode, Program, ReadResult, Registry, Signal, Sys, Wait};

use super::{Refused, complain, read_file, say};
use filter::{Filter, LinkType, Seen, Target};
pub(crate) use names::Names;
use options::{Options, Ways};
use pcap::Record;
use print::Printer;

/// Installs `tcpdump`.
pub(crate) fn install(registry: &mut Registry) {
    registry.install("tcpdump", |args| Box::new(Tcpdump { args, state: None }));
}

#[derive(Clone, Debug)]
struct Tcpdump {
    args: Args,
    state: Option<State>,
}

/// What a device is to a capture.
#[derive(Clone, Debug)]
struct Device {
    index: IfIndex,
    name: String,
    link: LinkType,
    arphrd: u16,
}

/// A capture that runs.
#[derive(Clone, Debug)]
struct State {
    socket: Fd,
    options: Options,
    link: LinkType,
    filter: Option<Filter>,
    devices: BTreeMap<packet::DevId, Device>,
    output: Output,
    captured: u64,
    received: u64,
}

/// Where packets go. Standard I/O writes whole blocks unless told otherwise.
#[derive(Clone, Debug)]
struct Output {
    printer: Option<Printer>,
    /// Held back from standard output.
    text: Vec<u8>,
    unbuffered_text: bool,
    file: Option<Fd>,
    /// Held back from the file.
    data: Vec<u8>,
    unbuffered_data: bool,
}

/// The size of standard I/O's buffers in bytes.
const BLOCK: usize = 4096;

fn refuse<T>(text: impl std::fmt::Display) -> Result<T, Refused> {
    Err(Refused(1, format!("tcpdump: {text}\n")))
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Writes what fills whole blocks, or everything.
fn flush(sys: &mut dyn Sys, fd: Fd, held: &mut Vec<u8>, all: bool) {
    let len = if all { held.len() } else { held.len() / BLOCK * BLOCK };
    if len > 0 {
        let _ = sys.write(fd, &held[..len]);
        held.drain(..len);
    }
}

impl Output {
    /// Opens the file to write, if there is one; `-` is standard output.
    fn open(sys: &mut dyn Sys, options: &Options, link: LinkType, printer: Printer) -> Result<Self, Refused> {
        let file = match options.write.as_deref() {
            None => None,
            Some("-") => Some(Fd::STDOUT),
            Some(path) => match sys.open(path, OpenMode::Write) {
                Ok(fd) => Some(fd),
                Err(errno) => return refuse(format!("{path}: {errno}")),
            },
        };
        let mut output = Self {
            printer: (file.is_none() || options.print).then_some(printer),
            text: Vec::new(),
            unbuffered_text: options.line_buffered || sys.is_terminal(Fd::STDOUT),
            file,
            data: Vec::new(),
            unbuffered_data: options.packet_buffered,
        };
        if let Some(file) = file {
            output.data = pcap::file_header(link, options.snaplen);
            flush(sys, file, &mut output.data, options.packet_buffered);
        }
        Ok(output)
    }

    fn packet(&mut self, sys: &mut dyn Sys, link: LinkType, record: &Record) {
        if let Some(file) = self.file {
            self.data.extend(pcap::emit(record));
            flush(sys, file, &mut self.data, self.unbuffered_data);
        }
        if let Some(printer) = &mut self.printer {
            self.text.extend(printer.packet(link, record).into_bytes());
            flush(sys, Fd::STDOUT, &mut self.text, self.unbuffered_text);
        }
    }

    fn finish(&mut self, sys: &mut dyn Sys) {
        flush(sys, Fd::STDOUT, &mut self.text, true);
        if let Some(file) = self.file {
            flush(sys, file, &mut self.data, true);
        }
    }
}

/// The whole of a file, as bytes.
fn read_bytes(sys: &mut dyn Sys, path: &str) -> Result<Vec<u8>, Errno> {
    let fd = if path == "-" { Fd::STDIN } else { sys.open(path, OpenMode::Read)? };
    let mut bytes = Vec::new();
    while let Ok(ReadResult::Data(more)) = sys.read(fd, 1 << 16) {
        bytes.extend(more);
    }
    if path != "-" {
        sys.close(fd);
    }
    Ok(bytes)
}

fn filter_text(sys: &mut dyn Sys, options: &Options) -> Result<String, Refused> {
    match &options.filter_file {
        None => Ok(options.filter.clone()),
        Some(path) => match read_file(sys, path) {
            Some(text) => Ok(text
                .lines()
                .map(|line| line.split('#').next().unwrap_or_default())
                .collect::<Vec<_>>()
                .join(" ")),
            None => refuse(format!("can't open {path}: {}", Errno::NoEnt)),
        },
    }
}

/// Names of the devices of this process's namespace, by index.
fn device_names(links: &[LinkInfo]) -> BTreeMap<u32, String> {
    links.iter().map(|link| (link.ifindex.0, link.name.clone())).collect()
}

/// Reads a file from beginning to end.
fn offline(sys: &mut dyn Sys, options: &Options, path: &str) -> Result<i32, Refused> {
    let bytes = match read_bytes(sys, path) {
        Ok(bytes) => bytes,
        Err(errno) => return refuse(format!("{path}: {errno}")),
    };
    let capture = match pcap::parse(&bytes) {
        Ok(capture) => capture,
        Err(text) => return refuse(text),
    };
    let title = capture.link.title();
    complain(
        sys,
        &format!("reading from file {path}, link-type {title}, snapshot length {}\n", capture.snaplen),
    );
    if capture.link == LinkType::Sll2 {
        complain(sys, "Warning: interface names might be incorrect\n");
    }
    let names = Names::read(sys);
    let text = filter_text(sys, options)?;
    let target = Target { link: capture.link, names: &names, netmask: 0, live: false };
    let filter = match Filter::compile(&text, target) {
        Ok(filter) => filter,
        Err(text) => return refuse(text),
    };
    let netns = sys.netns();
    let devices = device_names(&sys.kernel().links(netns));
    let printer = Printer::new(options.style.clone(), names, devices);
    let mut output = Output::open(sys, options, capture.link, printer)?;
    let mut passed = 0_u64;
    for record in &capture.records {
        let outgoing = capture.link == LinkType::Sll2 && record.bytes.get(10) == Some(&4);
        let seen = Seen { link: capture.link, bytes: &record.bytes, len: record.len, tag: None, outgoing };
        if filter.as_ref().is_some_and(|filter| !filter.passes(seen)) {
            continue;
        }
        passed += 1;
        if !options.count_only {
            output.packet(sys, capture.link, record);
        }
        if options.count == Some(passed) {
            break;
        }
    }
    output.finish(sys);
    if options.count_only {
        say(sys, &format!("{passed} packet{}\n", plural(passed)));
    }
    if let Some(error) = capture.error.filter(|_| options.count.is_none_or(|count| passed < count)) {
        complain(sys, &format!("tcpdump: pcap_loop: {error}\n"));
        return Ok(1);
    }
    Ok(0)
}

/// `-D`.
fn list_devices(sys: &mut dyn Sys) -> i32 {
    let netns = sys.netns();
    let links = sys.kernel().links(netns);
    let (up, down): (Vec<_>, Vec<_>) =
        links.iter().filter(|link| link.name != "lo").partition(|link| link.flags & 1 != 0);
    let line = |link: &LinkInfo| match (link.flags & 1 != 0, link.flags & 0x40 != 0) {
        (true, true) => format!("{} [Up, Running, Connected]", link.name),
        (true, false) => format!("{} [Up, Disconnected]", link.name),
        (false, _) => format!("{} [none, Disconnected]", link.name),
    };
    let mut lines: Vec<String> = up.into_iter().map(line).collect();
    lines.push("any (Pseudo-device that captures on all interfaces) [Up, Running]".to_owned());
    lines.extend(
        links.iter().filter(|link| link.name == "lo").map(|_| "lo [Up, Running, Loopback]".to_owned()),
    );
    lines.extend(down.into_iter().map(line));
    for (i, line) in lines.iter().enumerate() {
        say(sys, &format!("{}.{line}\n", i + 1));
    }
    0
}

/// How packets of a device begin.
fn link_type(arphrd: u16) -> LinkType {
    const ETHER: u16 = 1;
    const LOOPBACK: u16 = 772;
    if arphrd == ETHER || arphrd == LOOPBACK { LinkType::Ethernet } else { LinkType::Raw }
}

impl State {
    fn start(sys: &mut dyn Sys, options: Options) -> Result<Self, Refused> {
        let netns = sys.netns();
        let links = sys.kernel().links(netns);
        let up = |link: &&LinkInfo| link.flags & 1 != 0;
        let name = match &options.device {
            Some(name) => name.clone(),
            None => {
                match links.iter().filter(up).find(|link| link.name != "lo").or_else(|| links.iter().find(up))
                {
                    Some(link) => link.name.clone(),
                    None => "any".to_owned(),
                }
            }
        };
        let (link, netmask) = if name == "any" {
            complain(sys, "tcpdump: data link type LINUX_SLL2\n");
            (LinkType::Sll2, 0)
        } else {
            // A number is an index.
            let by_index =
                name.parse::<u32>().ok().and_then(|index| links.iter().find(|link| link.ifindex.0 == index));
            let Some(info) = links.iter().find(|link| link.name == name).or(by_index) else {
                return refuse(format!("{name}: No such device exists\n(No such device exists)"));
            };
            if info.flags & 1 == 0 {
                return refuse(format!("{name}: That device is not up"));
            }
            let index = info.ifindex;
            let addrs = sys.kernel().addrs(netns);
            let len = addrs
                .iter()
                .find(|addr| addr.ifindex == index)
                .map_or(0, |addr| addr.addr.local.prefix_len());
            (link_type(info.arphrd), u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0))
        };
        let names = Names::read(sys);
        let text = filter_text(sys, &options)?;
        let filter = match Filter::compile(&text, Target { link, names: &names, netmask, live: true }) {
            Ok(filter) => filter,
            Err(text) => return refuse(text),
        };
        let opened = sys.socket(SocketKind::Packet { arp_only: false });
        let socket = opened.map_err(|errno| Refused(1, format!("tcpdump: {name}: socket: {errno}\n")))?;
        if link != LinkType::Sll2 {
            let bound = sys.set_option(socket, SocketOption::BindToDevice(Some(name.clone())));
            bound.map_err(|errno| Refused(1, format!("tcpdump: {name}: bind: {errno}\n")))?;
            if options.promiscuous {
                let _ = sys.set_option(socket, SocketOption::Promisc(true));
            }
        }
        let printer = Printer::new(options.style.clone(), names, device_names(&links));
        let output = Output::open(sys, &options, link, printer)?;
        if options.style.verbose == 0 && options.write.is_none() {
            complain(sys, "tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\n");
        } else {
            complain(sys, "tcpdump: ");
        }
        let title = link.title();
        complain(
            sys,
            &format!("listening on {name}, link-type {title}, snapshot length {} bytes\n", options.snaplen),
        );
        Ok(Self { socket, options, link, filter, devices: BTreeMap::new(), output, captured: 0, received: 0 })
    }

    /// Takes a captured frame to where packets go.
    fn take(&mut self, sys: &mut dyn Sys, captured: Captured) {
        let device = match self.devices.get(&captured.dev) {
            Some(device) => device.clone(),
            None => {
                let Some(dev) = sys.kernel().get_dev(captured.dev) else { return };
                let info = sys.kernel().links(dev.netns).into_iter().find(|link| link.ifindex == dev.ifindex);
                let arphrd = info.map_or(1, |info| info.arphrd);
                let device =
                    Device { index: dev.ifindex, name: dev.name.clone(), link: link_type(arphrd), arphrd };
                self.devices.insert(captured.dev, device.clone());
                device
            }
        };
        let outgoing = captured.pkt_type == PktType::Outgoing;
        // What goes out by the loopback device comes in by it at once.
        if outgoing && device.name == "lo" {
            return;
        }
        let mut stripped = captured.frame.clone();
        let tag = stripped.tags.pop().map(VlanTag::tci);
        let bytes = self.emit(&device, &stripped, &captured);
        let seen = Seen { link: self.link, bytes: &bytes, len: bytes.len(), tag, outgoing };
        if self.filter.as_ref().is_some_and(|filter| !filter.passes(seen)) {
            return;
        }
        self.received += 1;
        let wrong_way = match self.options.ways {
            Ways::In => outgoing,
            Ways::Out => !outgoing,
            Ways::Both => false,
        };
        if wrong_way || self.enough() {
            return;
        }
        self.captured += 1;
        let mut bytes = if tag.is_some() { self.emit(&device, &captured.frame, &captured) } else { bytes };
        let len = bytes.len();
        bytes.truncate(self.options.snaplen as usize);
        let at = Duration::from_secs(EPOCH) + Duration::from_nanos(captured.at.as_nanos());
        self.output.packet(sys, self.link, &Record { at, bytes, len });
    }

    /// The bytes of a frame as this capture has them.
    fn emit(&self, device: &Device, frame: &Frame, captured: &Captured) -> Vec<u8> {
        let payload = |frame: &Frame| match &frame.payload {
            EtherPayload::Ip(packet) if frame.tags.is_empty() => wire::emit_packet(packet),
            _ => wire::emit_frame(frame).split_off(Frame::HEADER_LEN),
        };
        match self.link {
            LinkType::Ethernet => wire::emit_frame(frame),
            LinkType::Raw => payload(frame),
            LinkType::Sll2 => {
                let tag = frame.tags.outer();
                let kind = tag.map_or(frame.payload.ether_type().0, |tag| tag.proto.tpid());
                let way = match captured.pkt_type {
                    PktType::Host | PktType::Loopback => 0,
                    PktType::Broadcast => 1,
                    PktType::Multicast => 2,
                    PktType::OtherHost => 3,
                    PktType::Outgoing => 4,
                };
                let mut bytes = kind.to_be_bytes().to_vec();
                bytes.extend([0, 0]);
                bytes.extend(device.index.0.to_be_bytes());
                bytes.extend(device.arphrd.to_be_bytes());
                bytes.extend([way, if device.link == LinkType::Ethernet { 6 } else { 0 }]);
                bytes.extend(frame.src.0);
                bytes.extend([0, 0]);
                bytes.extend(payload(frame));
                bytes
            }
        }
    }

    fn enough(&self) -> bool {
        self.options.count == Some(self.captured)
    }

    /// One turn; an exit status at the end.
    fn turn(&mut self, sys: &mut dyn Sys) -> Option<i32> {
        loop {
            match sys.recv_frame(self.socket) {
                Ok(captured) => self.take(sys, captured),
                Err(Errno::Again) => break,
                Err(errno) => {
                    self.output.finish(sys);
                    let text = if errno == Errno::NetDown {
                        "The interface disappeared".to_owned()
                    } else {
                        errno.to_string()
                    };
                    complain(sys, &format!("tcpdump: pcap_loop: {text}\n"));
                    self.statistics(sys);
                    return Some(1);
                }
            }
        }
        if self.enough() {
            self.output.finish(sys);
            self.statistics(sys);
            return Some(0);
        }
        None
    }

    fn statistics(&self, sys: &mut dyn Sys) {
        let Self { captured, received, .. } = self;
        complain(
            sys,
            &format!(
                "{captured} packet{} captured\n{received} packet{} received by filter\n0 packets dropped by kernel\n",
                plural(*captured),
                plural(*received)
            ),
        );
    }
}

impl Program for Tcpdump {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let state = match &mut self.state {
            Some(state) => state,
            None => {
                let started = Options::parse(&self.args[1..]).and_then(|options| {
                    if options.list_devices {
                        return Ok(Err(list_devices(sys)));
                    }
                    match options.read.clone() {
                        Some(path) => offline(sys, &options, &path).map(Err),
                        None => State::start(sys, options).map(Ok),
                    }
                });
                match started {
                    Ok(Ok(state)) => self.state.insert(state),
                    Ok(Err(status)) => return Next::Exit(status),
                    Err(Refused(0, text)) => {
                        say(sys, &text);
                        return Next::Exit(0);
                    }
                    Err(Refused(status, text)) => {
                        complain(sys, &text);
                        return Next::Exit(status);
                    }
                }
            }
        };
        match state.turn(sys) {
            Some(status) => Next::Exit(status),
            None => Next::Wait(Wait { fds: vec![state.socket], ..Wait::default() }),
        }
    }

    fn signal(&mut self, sys: &mut dyn Sys, signal: Signal) -> Next {
        match (&mut self.state, signal) {
            (Some(state), Signal::Int | Signal::Term) => {
                if let Some(status) = state.turn(sys) {
                    return Next::Exit(status);
                }
                if state.options.write.is_none() {
                    state.output.text.push(b'\n');
                }
                state.output.finish(sys);
                state.statistics(sys);
                Next::Exit(0)
            }
            (Some(state), Signal::Usr1) => {
                let socket = state.socket;
                state.statistics(sys);
                Next::Wait(Wait { fds: vec![socket], ..Wait::default() })
            }
            (_, signal) => Next::Exit(128 + signal.number()),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
