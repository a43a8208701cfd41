use std::fmt::{self, Write};

use packet::{Body, DevId, Icmp, Packet, Skb, TcpFlags};

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
            Some(given) => match given.text().to_ascii_lowercase().as_str() {
                "panic" => 0,
                "warning" => 4,
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
            for c in args.some_text(&given)?.chars().take_while(|c| *c != '\n') {
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

impl Log {
    /// The line, as `nf_log_ip_packet` writes it.
    fn line(&self, cx: &EvalCx<'_>, skb: &Skb) -> String {
        let EvalCx { env, indev, outdev, .. } = *cx;
        format!("{}{}", self.prefix, packet_line(env, indev, outdev, skb))
    }
}

/// A packet as the kernel log has it. Kernel: `nf_log_ip_packet`.
pub(crate) fn packet_line(env: &dyn Env, indev: Option<DevId>, outdev: Option<DevId>, skb: &Skb) -> String {
    let name = |dev: Option<DevId>| dev.map_or("", |dev| env.dev_name(dev));
    let mut line = format!("IN={} OUT={} ", name(indev), name(outdev));
    if let Some(info) = &skb.nf_bridge {
        if indev != Some(info.physindev) {
            let _ = write!(line, "PHYSIN={} ", env.dev_name(info.physindev));
        }
        if let Some(port) = info.physoutdev.filter(|port| outdev != Some(*port)) {
            let _ = write!(line, "PHYSOUT={} ", env.dev_name(port));
        }
    }
    if indev.is_some() && name(indev) != "lo" {
        let _ = write!(line, "MAC={}:{}:08:00 ", skb.frame.dst, skb.frame.src);
    }
    describe(&mut line, skb.ip(), false);
    if skb.mark != 0 {
        let _ = write!(line, "MARK={:#x} ", skb.mark);
    }
    line
}

/// Kernel: `dump_ipv4_packet`.
fn describe(line: &mut String, packet: &Packet, quoted: bool) {
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
    match &packet.body {
        Body::Tcp(tcp) => {
            let _ =
                write!(line, "PROTO=TCP SPT={} DPT={} WINDOW={} RES=0x00 ", tcp.sport, tcp.dport, tcp.window);
            for (name, bit) in [
                ("CWR", TcpFlags::CWR),
                ("ECE", TcpFlags::ECE),
                ("URG", TcpFlags::URG),
                ("ACK", TcpFlags::ACK),
                ("PSH", TcpFlags::PSH),
                ("RST", TcpFlags::RST),
                ("SYN", TcpFlags::SYN),
                ("FIN", TcpFlags::FIN),
            ] {
                if tcp.flags.contains(bit) {
                    let _ = write!(line, "{name} ");
                }
            }
            line.push_str("URGP=0 ");
        }
        Body::Udp(udp) => {
            let _ = write!(line, "PROTO=UDP SPT={} DPT={} LEN={} ", udp.sport, udp.dport, udp.len());
        }
        Body::Icmp(icmp) => {
            let (kind, code) = icmp.type_code();
            let _ = write!(line, "PROTO=ICMP TYPE={kind} CODE={code} ");
            match icmp {
                Icmp::Echo { id, seq, .. } => {
                    let _ = write!(line, "ID={id} SEQ={seq} ");
                }
                Icmp::Error(error) if !quoted => {
                    line.push('[');
                    describe(line, &error.quoted.packet, true);
                    line.push_str("] ");
                    if (kind, code) == (3, 4) {
                        let _ = write!(line, "MTU={} ", error.rest & 0xffff);
                    }
                }
                Icmp::Error(_) | Icmp::Other { .. } => {}
            }
        }
        Body::Ip(_) | Body::Fragment(..) | Body::Bytes(..) => {
            let _ = write!(line, "PROTO={} ", packet.proto().0);
        }
    }
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
