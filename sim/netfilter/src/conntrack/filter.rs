use std::fmt;

use packet::{L4Key, Proto};

use super::Conn;
use crate::names;
use crate::selector::AddrMask;

/// A change of the connection table, made by the `conntrack` command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConntrackChange {
    /// `conntrack -D`: every connection that fits.
    Delete(ConntrackFilter),
    /// `conntrack -F`.
    Flush,
}

/// Which connections a command means; everything that is given must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConntrackFilter {
    /// `-p`.
    pub proto: Option<Proto>,
    /// `-s`, `--orig-src`.
    pub orig_src: Option<AddrMask>,
    /// `-d`, `--orig-dst`.
    pub orig_dst: Option<AddrMask>,
    /// `-r`, `--reply-src`.
    pub reply_src: Option<AddrMask>,
    /// `-q`, `--reply-dst`.
    pub reply_dst: Option<AddrMask>,
    /// `--sport`, `--orig-port-src`.
    pub orig_sport: Option<u16>,
    /// `--dport`, `--orig-port-dst`.
    pub orig_dport: Option<u16>,
    /// `--reply-port-src`.
    pub reply_sport: Option<u16>,
    /// `--reply-port-dst`.
    pub reply_dport: Option<u16>,
    /// `--state` of a TCP connection, e.g. `ESTABLISHED`.
    pub state: Option<String>,
    /// `-m`: mark and mask.
    pub mark: Option<(u32, u32)>,
    /// `-u` / `--status`.
    pub status: Vec<String>,
    /// `-n`: source rewritten.
    pub src_nat: bool,
    /// `-g`: destination rewritten.
    pub dst_nat: bool,
    /// `--icmp-type`.
    pub icmp_type: Option<u8>,
    /// `--icmp-code`.
    pub icmp_code: Option<u8>,
    /// `--icmp-id`.
    pub icmp_id: Option<u16>,
}

impl ConntrackFilter {
    /// Whether a connection fits.
    pub fn matches(&self, conn: &Conn) -> bool {
        let Self {
            proto,
            orig_src,
            orig_dst,
            reply_src,
            reply_dst,
            orig_sport,
            orig_dport,
            reply_sport,
            reply_dport,
            state,
            mark,
            status,
            src_nat,
            dst_nat,
            icmp_type,
            icmp_code,
            icmp_id,
        } = self;
        let (original, reply) = (&conn.original, &conn.reply);
        let icmp = match original.l4 {
            L4Key::Icmp { kind, code, id } => Some((kind, code, id)),
            L4Key::Ports { .. } | L4Key::None => None,
        };
        let tcp_state = match &conn.proto {
            super::ProtoState::Tcp { state, .. } => Some(state.to_string()),
            super::ProtoState::Udp { .. } | super::ProtoState::Other => None,
        };
        proto.is_none_or(|p| p == original.proto)
            && [
                (orig_src, original.src),
                (orig_dst, original.dst),
                (reply_src, reply.src),
                (reply_dst, reply.dst),
            ]
            .iter()
            .all(|(net, addr)| net.is_none_or(|net| net.contains(*addr)))
            && [
                (orig_sport, original.ports().0),
                (orig_dport, original.ports().1),
                (reply_sport, reply.ports().0),
                (reply_dport, reply.ports().1),
            ]
            .iter()
            .all(|(wanted, port)| wanted.is_none_or(|wanted| wanted == *port))
            && state.as_ref().is_none_or(|state| tcp_state.as_ref() == Some(state))
            && mark.is_none_or(|(mark, mask)| conn.mark & mask == mark)
            && status.iter().all(|status| match status.as_str() {
                "ASSURED" => conn.assured,
                "SEEN_REPLY" => conn.seen_reply,
                "UNREPLIED" | "UNSET" => !conn.seen_reply,
                "CONFIRMED" => conn.confirmed,
                "SRC_NAT" => conn.nat.src,
                "DST_NAT" => conn.nat.dst,
                _ => false,
            })
            // The tool asks for a rewritten source or destination by the tuples, not the flags.
            // A ping's id is compared with its type there, so a ping always counts as rewritten.
            && (!src_nat && !dst_nat
                || *src_nat && (original.src != reply.dst || original.ports().0 != reply.ports().1 || icmp.is_some())
                || *dst_nat && (original.dst != reply.src || original.ports().1 != reply.ports().0 || icmp.is_some()))
            && icmp_type.is_none_or(|wanted| icmp.is_some_and(|(kind, ..)| kind == wanted))
            && icmp_code.is_none_or(|wanted| icmp.is_some_and(|(_, code, _)| code == wanted))
            && icmp_id.is_none_or(|wanted| icmp.is_some_and(|(.., id)| id == wanted))
    }
}

/// The options of the `conntrack` command, each with a space before it.
impl fmt::Display for ConntrackFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(proto) = self.proto {
            match names::protocol(proto) {
                Some(name) => write!(f, " -p {name}")?,
                None => write!(f, " -p {}", proto.0)?,
            }
        }
        for (option, net) in [
            ("--orig-src", &self.orig_src),
            ("--orig-dst", &self.orig_dst),
            ("--reply-src", &self.reply_src),
            ("--reply-dst", &self.reply_dst),
        ] {
            if let Some(net) = net {
                write!(f, " {option} {}", net.listed())?;
            }
        }
        for (option, port) in [
            ("--orig-port-src", self.orig_sport),
            ("--orig-port-dst", self.orig_dport),
            ("--reply-port-src", self.reply_sport),
            ("--reply-port-dst", self.reply_dport),
            ("--icmp-type", self.icmp_type.map(u16::from)),
            ("--icmp-code", self.icmp_code.map(u16::from)),
            ("--icmp-id", self.icmp_id),
        ] {
            if let Some(port) = port {
                write!(f, " {option} {port}")?;
            }
        }
        if let Some(state) = &self.state {
            write!(f, " --state {state}")?;
        }
        if let Some((mark, mask)) = self.mark {
            write!(f, " --mark {mark}/{mask}")?;
        }
        if !self.status.is_empty() {
            write!(f, " --status {}", self.status.join(","))?;
        }
        if self.src_nat {
            f.write_str(" --src-nat")?;
        }
        if self.dst_nat {
            f.write_str(" --dst-nat")?;
        }
        Ok(())
    }
}

/// The `conntrack` command.
impl fmt::Display for ConntrackChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delete(filter) => write!(f, "conntrack -D{filter}"),
            Self::Flush => f.write_str("conntrack -F"),
        }
    }
}
