use std::fmt;

use packet::{L4Key, Proto, Tuple};

use super::{Conn, Zone, ZoneDir, port_keys};
use crate::names;
use crate::selector::AddrMask;

/// Which connections a command means; everything that is given must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConntrackFilter {
    /// Nothing fits: another family than IPv4.
    pub never: bool,
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
    /// `--state` of a TCP or SCTP connection, e.g. `ESTABLISHED`.
    pub state: Option<String>,
    /// `-m`: mark and mask.
    pub mark: Option<(u32, u32)>,
    /// `-u`: bits that count, and which of them are set.
    pub status: Option<StatusFilter>,
    /// `-n`, `-g`, `-j`.
    pub nat: NatFilter,
    /// `-w`, `--orig-zone`, `--reply-zone`.
    pub zones: [Option<u16>; 3],
    /// `--icmp-type`.
    pub icmp_type: Option<u8>,
    /// `--icmp-code`.
    pub icmp_code: Option<u8>,
    /// `--icmp-id`.
    pub icmp_id: Option<u16>,
}

/// Bits of a connection's status that count, and which of them are set. Kernel: `CTA_STATUS_MASK`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusFilter {
    /// Bits that count.
    pub mask: u32,
    /// Their values.
    pub value: u32,
}

/// `-n`, `-g`, `-j`: what must be rewritten. conntrack-tools: `filter_nat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NatFilter {
    /// `-n`.
    pub src: Option<NatTo>,
    /// `-g`.
    pub dst: Option<NatTo>,
    /// `-j`: either.
    pub any: Option<NatTo>,
}

/// What an address and port are rewritten to; nothing is anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NatTo {
    /// Address.
    pub addr: Option<std::net::IpAddr>,
    /// Port.
    pub port: Option<u16>,
}

impl NatFilter {
    fn matches(&self, conn: &Conn) -> bool {
        let Self { src, dst, any } = self;
        let fits = |to: &NatTo, done: bool, rewritten: (bool, bool), addr, port| match (to.addr, to.port) {
            (None, None) => done && (rewritten.0 || rewritten.1),
            (to_addr, to_port) => {
                to_addr.is_none_or(|to| done && rewritten.0 && to == addr)
                    && to_port.is_none_or(|to| done && rewritten.1 && to == port)
            }
        };
        let (original, reply) = (&conn.original, &conn.reply);
        let source = |to: &NatTo| {
            let ports = port_keys(original).0 != port_keys(reply).1;
            fits(to, conn.nat.src_done, (original.src != reply.dst, ports), reply.dst, reply.ports().1)
        };
        let destination = |to: &NatTo| {
            let ports = port_keys(original).1 != port_keys(reply).0;
            fits(to, conn.nat.dst_done, (original.dst != reply.src, ports), reply.src, reply.ports().0)
        };
        match (any, src, dst) {
            (Some(to), ..) => source(to) || destination(to),
            (None, src, dst) => src.as_ref().is_none_or(source) && dst.as_ref().is_none_or(destination),
        }
    }
}

impl Conn {
    /// Kernel: `IPS_EXPECTED`.
    pub const EXPECTED: u32 = 1;
    /// Kernel: `IPS_SEEN_REPLY`.
    pub const SEEN_REPLY: u32 = 1 << 1;
    /// Kernel: `IPS_ASSURED`.
    pub const ASSURED: u32 = 1 << 2;
    /// Kernel: `IPS_FIXED_TIMEOUT`.
    pub const FIXED_TIMEOUT: u32 = 1 << 10;
    /// Names of status bits as `conntrack -u` takes them.
    pub const STATUS_NAMES: [(&'static str, u32); 6] = [
        ("SEEN_REPLY", Self::SEEN_REPLY),
        ("ASSURED", Self::ASSURED),
        ("FIXED_TIMEOUT", Self::FIXED_TIMEOUT),
        ("EXPECTED", Self::EXPECTED),
        ("OFFLOAD", 1 << 14),
        ("HW_OFFLOAD", 1 << 15),
    ];

    /// Its flags as the kernel's bits. Kernel: `enum ip_conntrack_status`.
    pub fn status(&self) -> u32 {
        [
            (1, self.seen_reply),
            (2, self.assured),
            (3, self.confirmed),
            (4, self.nat.src),
            (5, self.nat.dst),
            (7, self.nat.src_done),
            (8, self.nat.dst_done),
            (10, self.fixed_timeout),
        ]
        .into_iter()
        .fold(0, |bits, (bit, on)| bits | u32::from(on) << bit)
    }
}

impl ConntrackFilter {
    /// The filter that a connection fits, and no other of its zone.
    pub fn of_conn(conn: &Conn) -> Self {
        let mut filter = Self::of_tuples(&conn.original, Some(&conn.reply));
        let at = match conn.zone.dir {
            ZoneDir::Both => 0,
            ZoneDir::Original => 1,
            ZoneDir::Reply => 2,
        };
        filter.zones[at] = Some(conn.zone.id);
        filter
    }

    /// The filter that these tuples fit, to be written.
    pub(super) fn of_tuples(original: &Tuple, reply: Option<&Tuple>) -> Self {
        let ports = |tuple: &Tuple| match tuple.l4 {
            L4Key::Ports { src, dst } => (Some(src), Some(dst)),
            L4Key::Icmp { .. } | L4Key::None => (None, None),
        };
        let (orig_sport, orig_dport) = ports(original);
        let (reply_sport, reply_dport) = reply.map_or((None, None), ports);
        let icmp = match original.l4 {
            L4Key::Icmp { kind, code, id } => Some((kind, code, id)),
            L4Key::Ports { .. } | L4Key::None => None,
        };
        Self {
            proto: Some(original.proto),
            orig_src: Some(AddrMask::host(original.src)),
            orig_dst: Some(AddrMask::host(original.dst)),
            reply_src: reply.map(|reply| AddrMask::host(reply.src)),
            reply_dst: reply.map(|reply| AddrMask::host(reply.dst)),
            orig_sport,
            orig_dport,
            reply_sport,
            reply_dport,
            icmp_type: icmp.map(|(kind, ..)| kind),
            icmp_code: icmp.map(|(_, code, _)| code),
            icmp_id: icmp.map(|(.., id)| id),
            ..Self::default()
        }
    }

    /// Whether a connection fits.
    pub fn matches(&self, conn: &Conn) -> bool {
        let Self {
            never,
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
            nat,
            zones: [zone, orig_zone, reply_zone],
            icmp_type,
            icmp_code,
            icmp_id,
        } = self;
        let (original, reply) = (&conn.original, &conn.reply);
        let icmp = match original.l4 {
            L4Key::Icmp { kind, code, id } => Some((kind, code, id)),
            L4Key::Ports { .. } | L4Key::None => None,
        };
        // The kernel tells the zone of one direction only if the other has another.
        let zone_as = |dir: ZoneDir| match conn.zone {
            Zone { id, dir: given } if given == dir => id,
            Zone { .. } => 0,
        };
        !never
            && proto.is_none_or(|p| p == original.proto)
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
            && state.as_deref().is_none_or(|state| conn.state_name() == Some(state))
            && mark.is_none_or(|(mark, mask)| conn.mark & mask == mark)
            && status.is_none_or(|status| conn.status() & status.mask == status.value)
            && nat.matches(conn)
            && [(zone, ZoneDir::Both), (orig_zone, ZoneDir::Original), (reply_zone, ZoneDir::Reply)]
                .into_iter()
                .all(|(wanted, dir)| wanted.is_none_or(|wanted| wanted == zone_as(dir)))
            && icmp_type.is_none_or(|wanted| icmp.is_some_and(|(kind, ..)| kind == wanted))
            && icmp_code.is_none_or(|wanted| icmp.is_some_and(|(_, code, _)| code == wanted))
            && icmp_id.is_none_or(|wanted| icmp.is_some_and(|(.., id)| id == wanted))
    }
}

/// The options of the `conntrack` command, each with a space before it.
impl fmt::Display for ConntrackFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.never {
            f.write_str(" -f ipv6")?;
        }
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
            ("-w", self.zones[0]),
            ("--orig-zone", self.zones[1]),
            ("--reply-zone", self.zones[2]),
        ] {
            if let Some(port) = port {
                write!(f, " {option} {port}")?;
            }
        }
        if let Some(state) = &self.state {
            write!(f, " --state {state}")?;
        }
        if let Some((mark, mask)) = self.mark {
            write!(f, " --mark {mark}/{mask:#x}")?;
        }
        if let Some(StatusFilter { mask, value }) = self.status {
            let mut names: Vec<&str> = Conn::STATUS_NAMES
                .iter()
                .filter(|(_, bit)| value & bit != 0)
                .map(|(name, _)| *name)
                .collect();
            if mask & !value & Conn::SEEN_REPLY != 0 {
                names.push("UNREPLIED");
            }
            write!(f, " --status {}", names.join(","))?;
        }
        let NatFilter { src, dst, any } = self.nat;
        for (option, to) in [("-n", src), ("-g", dst), ("-j", any)] {
            match to {
                None => {}
                Some(NatTo { addr: None, port: None }) => write!(f, " {option}")?,
                Some(NatTo { addr, port }) => {
                    let addr = addr.map_or(String::new(), |addr| addr.to_string());
                    let port = port.map_or(String::new(), |port| format!(":{port}"));
                    write!(f, " {option} {addr}{port}")?;
                }
            }
        }
        Ok(())
    }
}
