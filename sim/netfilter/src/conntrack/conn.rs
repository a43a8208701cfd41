use std::fmt;

use packet::{ConnId, DevId, L4Key, Proto, SimTime, Tuple};

use super::TcpState;

/// A connection. Kernel: `struct nf_conn`.
///
/// Invariant: a confirmed connection is found by both its tuples, an unconfirmed one by none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conn {
    /// Which.
    pub id: ConnId,
    /// As the first packet came.
    pub original: Tuple,
    /// As answers come.
    pub reply: Tuple,
    /// What the protocol remembers.
    pub proto: ProtoState,
    /// `CONNMARK`.
    pub mark: u32,
    /// An answer came. Kernel: `IPS_SEEN_REPLY`.
    pub seen_reply: bool,
    /// Kept when the table is full. Kernel: `IPS_ASSURED`.
    pub assured: bool,
    /// Its first packet got through. Kernel: `IPS_CONFIRMED`.
    pub confirmed: bool,
    /// What NAT did to it.
    pub nat: NatStatus,
    /// When it is forgotten.
    pub expires: SimTime,
}

/// Kernel: `IPS_SRC_NAT`, `IPS_DST_NAT`, `IPS_*_NAT_DONE`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NatStatus {
    /// The original direction's source is rewritten.
    pub src: bool,
    /// The original direction's destination is rewritten.
    pub dst: bool,
    /// The source was decided on.
    pub src_done: bool,
    /// The destination was decided on.
    pub dst_done: bool,
    /// The device whose address MASQUERADE gave it. Kernel: `masq_index`.
    pub masquerade_dev: Option<DevId>,
}

/// What a protocol's tracker remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProtoState {
    /// TCP.
    Tcp {
        /// State.
        state: TcpState,
        /// Someone has sent FIN or RST: the tuple may be used again. Kernel: `CLOSE_INIT`.
        closing: bool,
    },
    /// UDP: from when on two-way traffic makes it a stream. Kernel: `stream_ts`.
    Udp {
        /// Two seconds after the first packet.
        stream_at: SimTime,
    },
    /// Anything else.
    Other,
}

/// A direction of a connection. Kernel: `enum ip_conntrack_dir`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dir {
    /// As the first packet.
    Original,
    /// The answers.
    Reply,
}

impl Dir {
    /// The other one.
    pub const fn opposite(self) -> Self {
        match self {
            Self::Original => Self::Reply,
            Self::Reply => Self::Original,
        }
    }
}

impl Conn {
    /// The tuple of a direction.
    pub const fn tuple(&self, dir: Dir) -> &Tuple {
        match dir {
            Dir::Original => &self.original,
            Dir::Reply => &self.reply,
        }
    }

    /// Seconds until it is forgotten, rounded down.
    pub const fn seconds_left(&self, now: SimTime) -> u64 {
        self.expires.since(now).as_secs()
    }

    /// A line of `conntrack -L`, without newline; `timeout` in seconds, left out if `None`.
    pub fn line(&self, timeout: Option<u64>) -> String {
        let name = match self.original.proto {
            Proto::ICMP => "icmp",
            Proto::TCP => "tcp",
            Proto::UDP => "udp",
            Proto::GRE => "gre",
            Proto::SCTP => "sctp",
            Proto(33) => "dccp",
            Proto(136) => "udplite",
            _ => "unknown",
        };
        let mut line = format!("{name:<8} {} ", self.original.proto.0);
        if let Some(seconds) = timeout {
            line += &format!("{seconds} ");
        }
        if let ProtoState::Tcp { state, .. } = &self.proto {
            line += &format!("{state} ");
        }
        line += &tuple_text(&self.original);
        if !self.seen_reply {
            line += "[UNREPLIED] ";
        }
        line += &tuple_text(&self.reply);
        if self.assured {
            line += "[ASSURED] ";
        }
        line += &format!("mark={} use=1", self.mark);
        line
    }
}

/// `src=… dst=… sport=… dport=… `.
fn tuple_text(tuple: &Tuple) -> String {
    let Tuple { src, dst, proto: _, l4 } = tuple;
    let l4 = match l4 {
        L4Key::Ports { src, dst } => format!("sport={src} dport={dst} "),
        L4Key::Icmp { kind, code, id } => format!("type={kind} code={code} id={id} "),
        L4Key::None => String::new(),
    };
    format!("src={src} dst={dst} {l4}")
}

/// The line of `conntrack -L` without timeout.
impl fmt::Display for Conn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line(None))
    }
}
