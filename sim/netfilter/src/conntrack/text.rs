use std::fmt::{self, Write};

use packet::{L4Key, Proto, SimTime, Tuple};

use super::{Conn, CtCounter, Dir, ZoneDir};

/// What of a connection a line of text shows. libnetfilter_conntrack: `NFCT_OF_*` and the
/// attributes that the kernel's message has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown {
    /// `ipv4     2 ` in front.
    pub layer3: bool,
    /// Seconds left; `None` leaves them out.
    pub timeout: Option<u64>,
    /// The protocol's state.
    pub state: bool,
    /// The counters, if the connection has any.
    pub counters: bool,
    /// The mark, even if it is 0.
    pub mark: bool,
    /// The zone, even if it is 0.
    pub zone: bool,
    /// When it is, for `delta-time`; `None` leaves that out.
    pub delta_at: Option<SimTime>,
    /// `[start=…]`: how an instant is written.
    pub start: Option<fn(SimTime) -> String>,
    /// `use=N`.
    pub uses: Option<u32>,
    /// `id=N`.
    pub id: bool,
}

/// The name of a protocol. libnetfilter_conntrack: `proto2str`.
pub fn protocol_name(proto: Proto) -> &'static str {
    match proto {
        Proto::ICMP => "icmp",
        Proto::TCP => "tcp",
        Proto::UDP => "udp",
        Proto::GRE => "gre",
        Proto::SCTP => "sctp",
        Proto(33) => "dccp",
        Proto(58) => "icmpv6",
        Proto(136) => "udplite",
        _ => "unknown",
    }
}

impl Conn {
    /// A line of `conntrack -L`, without newline. libnetfilter_conntrack:
    /// `__snprintf_conntrack_default`.
    pub fn line(&self, shown: &Shown) -> String {
        let mut line = String::new();
        // Writing to a string doesn't fail.
        let _ = self.write_line(&mut line, shown);
        line.truncate(line.trim_end().len());
        line
    }

    fn write_line(&self, line: &mut String, shown: &Shown) -> fmt::Result {
        if shown.layer3 {
            line.push_str(if self.original.src.is_ipv4() { "ipv4     2 " } else { "ipv6     10 " });
        }
        write!(line, "{:<8} {} ", protocol_name(self.original.proto), self.original.proto.0)?;
        if let Some(seconds) = shown.timeout {
            write!(line, "{seconds} ")?;
        }
        if let Some(state) = self.state_name().filter(|_| shown.state) {
            write!(line, "{state} ")?;
        }
        for (dir, zone) in [(Dir::Original, ZoneDir::Original), (Dir::Reply, ZoneDir::Reply)] {
            line.push_str(&tuple_text(self.tuple(dir)));
            if self.zone.dir == zone && self.zone.id != 0 {
                write!(
                    line,
                    "zone-{}={} ",
                    if dir == Dir::Original { "orig" } else { "reply" },
                    self.zone.id
                )?;
            }
            if let Some(acct) = self.acct.as_ref().filter(|_| shown.counters) {
                let CtCounter { packets, bytes } = acct[dir as usize];
                write!(line, "packets={packets} bytes={bytes} ")?;
            }
            match dir {
                Dir::Original if !self.seen_reply => line.push_str("[UNREPLIED] "),
                Dir::Reply if self.assured => line.push_str("[ASSURED] "),
                Dir::Original | Dir::Reply => {}
            }
        }
        if shown.mark || self.mark != 0 {
            write!(line, "mark={} ", self.mark)?;
        }
        if self.zone.dir == ZoneDir::Both && (shown.zone || self.zone.id != 0) {
            write!(line, "zone={} ", self.zone.id)?;
        }
        if let (Some(start), Some(now)) = (self.start, shown.delta_at) {
            write!(line, "delta-time={} ", now.as_nanos() / NANOS - start.as_nanos() / NANOS)?;
            if let Some(clock) = shown.start {
                write!(line, "[start={}] ", clock(start))?;
            }
        }
        if let Some(uses) = shown.uses {
            write!(line, "use={uses} ")?;
        }
        if shown.id {
            write!(line, "id={} ", self.id)?;
        }
        Ok(())
    }
}

/// Nanoseconds of a second.
const NANOS: u64 = 1_000_000_000;

/// `src=… dst=… sport=… dport=… `.
pub(super) fn tuple_text(tuple: &Tuple) -> String {
    let Tuple { src, dst, proto, l4 } = tuple;
    let l4 = match (l4, proto) {
        (L4Key::Ports { src, dst }, _) => format!("sport={src} dport={dst} "),
        (L4Key::Icmp { kind, code, id }, _) => format!("type={kind} code={code} id={id} "),
        (L4Key::None, &Proto::GRE) => "srckey=0x0 dstkey=0x0 ".to_owned(),
        // The tool prints ports that the kernel doesn't know.
        (L4Key::None, Proto(33)) => "sport=0 dport=0 ".to_owned(),
        (L4Key::None, _) => String::new(),
    };
    format!("src={src} dst={dst} {l4}")
}

/// The line of `conntrack -L` without timeout.
impl fmt::Display for Conn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line(&Shown { state: true, mark: true, uses: Some(1), ..Shown::default() }))
    }
}
