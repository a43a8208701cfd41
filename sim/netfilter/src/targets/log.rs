use std::fmt::{self, Write};
use std::net::Ipv4Addr;

use packet::{Body, DevId, Icmp, Packet, Proto, SkOwner, Skb, TcpFlags, wire};

use super::Extension;
use crate::args::{ArgError, Args, Opt, flag, quoted, value};
use crate::{Action, Env, EvalCx};

/// `-j LOG`: a line in the kernel log.
/// Kernel: `net/netfilter/nf_log_syslog.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Syslog level, 0..=7; 4 is warning.
    pub level: u8,
    /// Kernel: `NF_LOG_*`.
    pub flags: u8,
    /// At most 29 bytes.
    pub prefix: String,
}

const FLAGS: [(&str, u8); 5] = [
    ("log-tcp-sequence", 1),
    ("log-tcp-options", 2),
    ("log-ip-options", 4),
    ("log-uid", 8),
    ("log-macdecode", 32),
];
const LEVELS: [&str; 8] = ["emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"];

impl Extension for Log {
    const OPTIONS: &'static [Opt] = &[
        value("log-level"),
        value("log-prefix"),
        flag("log-tcp-sequence"),
        flag("log-tcp-options"),
        flag("log-ip-options"),
        flag("log-uid"),
        flag("log-macdecode"),
    ];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let level = match args.take("log-level")? {
            None => 4,
            Some(given) => match given.text() {
                "panic" => 0,
                "warning" => 4,
                "warn" => return Err(ArgError::said("log level \"warn\" unknown\n")),
                name => match LEVELS.iter().position(|level| *level == name) {
                    Some(level) => level as u8,
                    None => args
                        .number(&given, 0, 7)
                        .map_err(|_| ArgError::said(format!("log level \"{}\" unknown\n", given.text())))?
                        as u8,
                },
            },
        };
        let mut prefix = String::new();
        if let Some(given) = args.take("log-prefix")? {
            // Kernel: `struct xt_log_info` has room for 29 bytes; the rest is cut off.
            if given.text().contains('\n') {
                return Err(ArgError::said("Newlines not allowed in --log-prefix"));
            }
            for c in args.some_text(&given)?.chars() {
                if prefix.len() + c.len_utf8() > 29 {
                    break;
                }
                prefix.push(c);
            }
        }
        let mut flags = 0;
        for (name, bit) in FLAGS {
            if args.has(name)? {
                flags |= bit;
            }
        }
        Ok(Self { level, flags, prefix })
    }

    fn apply(&self, cx: &mut EvalCx<'_>, skb: &mut Skb) -> Action {
        let line = self.line(cx, skb);
        cx.log.push(line);
        Action::Continue
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, numeric: bool) -> fmt::Result {
        if numeric {
            write!(f, " LOG flags {} level {}", self.flags, self.level)?;
        } else {
            write!(f, " LOG level {}", LEVELS.get(usize::from(self.level)).unwrap_or(&"unknown"))?;
            for ((name, bit), text) in
                FLAGS.iter().zip(["tcp-sequence", "tcp-options", "ip-options", "uid", "macdecode"])
            {
                if self.flags & bit != 0 && !name.is_empty() {
                    write!(f, " {text}")?;
                }
            }
        }
        if self.prefix.is_empty() { Ok(()) } else { write!(f, " prefix \"{}\"", self.prefix) }
    }
}

/// Kernel: `NF_LOG_TCPSEQ` and kin.
const TCPSEQ: u8 = 1;
const TCPOPT: u8 = 2;
const IPOPT: u8 = 4;
const UID: u8 = 8;
const MACDECODE: u8 = 32;

impl Log {
    /// What a trace of iptables-legacy writes. Kernel: `trace_loginfo`, `NF_LOG_DEFAULT_MASK`.
    pub(crate) fn of_trace(prefix: String) -> Self {
        Self { level: 4, flags: 0x0f, prefix }
    }

    /// The line of a packet at a hook.
    pub(crate) fn line(&self, cx: &EvalCx<'_>, skb: &Skb) -> String {
        self.packet_line(cx.env, cx.indev, cx.outdev, skb)
    }

    /// The line. Kernel: `nf_log_ip_packet`.
    fn packet_line(&self, env: &dyn Env, indev: Option<DevId>, outdev: Option<DevId>, skb: &Skb) -> String {
        let name = |dev: Option<DevId>| dev.map_or("", |dev| env.dev_name(dev));
        let mut line = format!("{}IN={} OUT={} ", self.prefix, name(indev), name(outdev));
        if let Some(bridge) = &skb.nf_bridge {
            if indev != Some(bridge.physindev) {
                let _ = write!(line, "PHYSIN={} ", env.dev_name(bridge.physindev));
            }
            if let Some(out) = bridge.physoutdev.filter(|out| outdev != Some(*out)) {
                let _ = write!(line, "PHYSOUT={} ", env.dev_name(out));
            }
        }
        let (src, dst) = (skb.frame.src, skb.frame.dst);
        if indev.is_some() && self.flags & MACDECODE != 0 {
            let _ = write!(line, "MACSRC={src} MACDST={dst} MACPROTO=0800 ");
        } else if indev.is_some() {
            let _ = write!(line, "MAC={dst}:{src}:08:00 ");
        }
        self.describe(&mut line, skb.ip(), false);
        if self.flags & UID != 0 && skb.sk == SkOwner::Process {
            line.push_str("UID=0 GID=0 ");
        }
        if skb.mark != 0 {
            let _ = write!(line, "MARK={:#x} ", skb.mark);
        }
        line
    }

    /// Kernel: `dump_ipv4_packet`.
    fn describe(&self, line: &mut String, packet: &Packet, quoted: bool) {
        let _ = write!(
            line,
            "SRC={} DST={} LEN={} TOS=0x{:02X} PREC=0x{:02X} TTL={} ID={} ",
            packet.src(),
            packet.dst(),
            packet.len(),
            packet.tos & 0x1e,
            packet.tos & 0xe0,
            packet.ttl,
            packet.id
        );
        if packet.frag.df {
            line.push_str("DF ");
        }
        if packet.frag.mf {
            line.push_str("MF ");
        }
        if packet.frag.offset != 0 {
            let _ = write!(line, "FRAG:{} ", packet.frag.offset / 8);
        }
        if let Some(options) = packet.options.as_ref().filter(|_| self.flags & IPOPT != 0) {
            write_hex(line, options);
        }
        match &packet.body {
            Body::Tcp(tcp) => {
                let _ = write!(line, "PROTO=TCP SPT={} DPT={} ", tcp.sport, tcp.dport);
                if self.flags & TCPSEQ != 0 {
                    let _ = write!(line, "SEQ={} ACK={} ", tcp.seq, tcp.ack);
                }
                let _ = write!(line, "WINDOW={} RES=0x00 ", tcp.window);
                for (name, bit) in TCP_FLAGS {
                    if tcp.flags.contains(bit) {
                        let _ = write!(line, "{name} ");
                    }
                }
                line.push_str("URGP=0 ");
                if self.flags & TCPOPT != 0 {
                    let header = wire::emit_body(packet);
                    let len = header.get(12).map_or(TCP_HEADER, |byte| usize::from(byte >> 4) * 4);
                    if let Some(options) = header.get(TCP_HEADER..len).filter(|options| !options.is_empty()) {
                        write_hex(line, options);
                    }
                }
            }
            Body::Udp(udp) => {
                let _ = write!(line, "PROTO=UDP SPT={} DPT={} LEN={} ", udp.sport, udp.dport, udp.len());
            }
            Body::Icmp(icmp) => self.describe_icmp(line, icmp, quoted),
            Body::Ip(_) | Body::Fragment(..) | Body::Bytes(..) => {
                let _ = match packet.proto() {
                    Proto::TCP => write!(line, "PROTO=TCP "),
                    Proto::UDP => write!(line, "PROTO=UDP "),
                    Proto::ICMP => write!(line, "PROTO=ICMP "),
                    Proto(50) => write!(line, "PROTO=ESP "),
                    Proto(51) => write!(line, "PROTO=AH "),
                    Proto(136) => write!(line, "PROTO=UDPLITE "),
                    Proto(number) => write!(line, "PROTO={number} "),
                };
            }
        }
    }

    fn describe_icmp(&self, line: &mut String, icmp: &Icmp, quoted: bool) {
        let (kind, code) = icmp.type_code();
        let _ = write!(line, "PROTO=ICMP TYPE={kind} CODE={code} ");
        match icmp {
            Icmp::Echo { id, seq, .. } => {
                let _ = write!(line, "ID={id} SEQ={seq} ");
            }
            Icmp::Error(error) => {
                if kind == 5 {
                    let _ = write!(line, "GATEWAY={} ", Ipv4Addr::from_bits(error.rest));
                }
                if kind == 12 {
                    let _ = write!(line, "PARAMETER={} ", error.rest >> 24);
                } else if !quoted {
                    line.push('[');
                    self.describe(line, &error.quoted.packet, true);
                    line.push_str("] ");
                }
                if !quoted && (kind, code) == (3, 4) {
                    let _ = write!(line, "MTU={} ", error.rest & 0xffff);
                }
            }
            Icmp::Other { .. } => {}
        }
    }
}

/// A packet as the kernel log has it by default. Kernel: `nf_log_ip_packet`, `default_loginfo`.
pub(crate) fn packet_line(env: &dyn Env, indev: Option<DevId>, outdev: Option<DevId>, skb: &Skb) -> String {
    Log::of_trace(String::new()).packet_line(env, indev, outdev, skb)
}

const TCP_HEADER: usize = 20;
const TCP_FLAGS: [(&str, TcpFlags); 8] = [
    ("CWR", TcpFlags::CWR),
    ("ECE", TcpFlags::ECE),
    ("URG", TcpFlags::URG),
    ("ACK", TcpFlags::ACK),
    ("PSH", TcpFlags::PSH),
    ("RST", TcpFlags::RST),
    ("SYN", TcpFlags::SYN),
    ("FIN", TcpFlags::FIN),
];

/// `OPT (020405B4) `.
fn write_hex(line: &mut String, bytes: &[u8]) {
    line.push_str("OPT (");
    for byte in bytes {
        let _ = write!(line, "{byte:02X}");
    }
    line.push_str(") ");
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.prefix.is_empty() {
            write!(f, " --log-prefix {}", quoted(&self.prefix))?;
        }
        if self.level != 4 {
            write!(f, " --log-level {}", self.level)?;
        }
        for (name, bit) in FLAGS {
            if self.flags & bit != 0 {
                write!(f, " --{name}")?;
            }
        }
        Ok(())
    }
}
