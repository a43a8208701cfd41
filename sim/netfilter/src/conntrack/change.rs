use std::fmt;

use packet::{SimTime, Tuple};

use super::event::{EventKind, EventMask};
use super::{
    Conn, Conntrack, ConntrackFilter, CtCounter, CtSysctl, Dir, EventCache, NatStatus, ProtoState, SctpState,
    SctpTrack, TcpState, TcpTrack, Zone, invert, protocol_name,
};
use crate::{Env, Refused};

/// A change of the connection table, made by the `conntrack` command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConntrackChange {
    /// `conntrack -D`: every connection that fits.
    Delete(Box<ConntrackFilter>),
    /// `conntrack -F`.
    Flush,
    /// `conntrack -I`: enters a connection.
    Create(Box<ConnSpec>),
    /// `conntrack -U`: changes every connection that fits.
    Update(Box<ConntrackFilter>, Box<ConnUpdate>),
    /// `conntrack -L`: a dump forgets what has expired. Kernel: `ctnetlink_dump_table`.
    Expire,
    /// `conntrack -L -z`: zeroes the counters of every connection that fits.
    Zero(Box<ConntrackFilter>),
}

/// A connection as `conntrack -I` describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnSpec {
    /// Original direction.
    pub original: Tuple,
    /// Reply direction; the inverse if `None`.
    pub reply: Option<Tuple>,
    /// What the source and the destination are rewritten to, as parts of a tuple like `original`.
    pub nat: [Option<Tuple>; 2],
    /// Zone.
    pub zone: Zone,
    /// What is set.
    pub update: ConnUpdate,
}

/// What `conntrack -I` and `-U` set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnUpdate {
    /// Seconds until it is forgotten.
    pub timeout: Option<u32>,
    /// `IPS_*` bits.
    pub status: Option<u32>,
    /// Mark and mask.
    pub mark: Option<(u32, u32)>,
    /// State of a TCP or SCTP connection, by its name.
    pub state: Option<String>,
}

impl ConnUpdate {
    /// Kernel: `ctnetlink_change_conntrack`, `ctnetlink_change_status`.
    fn apply(&self, conn: &mut Conn, now: SimTime) -> Result<(), Refused> {
        if let Some(status) = self.status {
            // Who asks sends the old bits along, so that none is taken away.
            if status & Conn::EXPECTED != 0 {
                return Err(Refused::Busy);
            }
            conn.seen_reply |= status & Conn::SEEN_REPLY != 0;
            conn.assured |= status & Conn::ASSURED != 0;
            conn.fixed_timeout |= status & Conn::FIXED_TIMEOUT != 0;
        }
        if let Some(timeout) = self.timeout {
            conn.expires = now + std::time::Duration::from_secs(u64::from(timeout));
        }
        if let Some((mark, mask)) = self.mark {
            conn.mark = conn.mark & !mask | mark;
        }
        match (self.state.as_deref(), &mut conn.proto) {
            (Some(name), ProtoState::Tcp(tcp)) => tcp.state = TcpState::of_name(name).unwrap_or(tcp.state),
            (Some(name), ProtoState::Sctp(sctp)) => {
                sctp.state = SctpState::of_name(name).unwrap_or(sctp.state);
            }
            _ => {}
        }
        Ok(())
    }
}

impl Conntrack {
    /// Makes a change; `portid` is who asked for it.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn change(&mut self, change: &ConntrackChange, env: &dyn Env, portid: u32) -> Result<(), Refused> {
        let now = env.now();
        match change {
            ConntrackChange::Flush => {
                let ids: Vec<_> = self.iter(now).map(|conn| conn.id).collect();
                ids.into_iter().for_each(|id| self.delete(id, now, Some(portid)));
                Ok(())
            }
            ConntrackChange::Expire => {
                self.gc(now);
                Ok(())
            }
            ConntrackChange::Delete(filter) => {
                for id in self.fitting(filter, now) {
                    self.delete(id, now, Some(portid));
                }
                Ok(())
            }
            ConntrackChange::Zero(filter) => {
                for id in self.fitting(filter, now) {
                    if let Some(acct) = self.get_mut(id).and_then(|conn| conn.acct.as_mut()) {
                        **acct = <[CtCounter; 2]>::default();
                    }
                }
                Ok(())
            }
            ConntrackChange::Update(filter, update) => {
                for id in self.fitting(filter, now) {
                    let Some(conn) = self.get_mut(id) else { continue };
                    update.apply(conn, now)?;
                    let told = conn.clone();
                    let mut why = EventMask::ASSURED.with(EventMask::PROTOINFO);
                    if update.mark.is_some() {
                        why = why.with(EventMask::MARK);
                    }
                    if told.events.is_some() {
                        self.tell(EventKind::Update, why, now, Some(portid), &told);
                    }
                }
                Ok(())
            }
            ConntrackChange::Create(spec) => self.create(spec, env, portid),
        }
    }

    fn fitting(&self, filter: &ConntrackFilter, now: SimTime) -> Vec<packet::ConnId> {
        self.iter(now).filter(|conn| filter.matches(conn)).map(|conn| conn.id).collect()
    }

    /// Kernel: `ctnetlink_create_conntrack`, `nf_conntrack_hash_check_insert`.
    fn create(&mut self, spec: &ConnSpec, env: &dyn Env, portid: u32) -> Result<(), Refused> {
        let now = env.now();
        let ConnSpec { original, reply, nat: [source, destination], zone, update } = spec;
        let mut reply = reply.unwrap_or_else(|| invert(original));
        let mut status = NatStatus::default();
        if source.is_some() || destination.is_some() {
            let mut target = invert(&reply);
            if let Some(source) = source {
                crate::nat::copy_half(&mut target, source, crate::nat::Manip::Src);
            }
            if let Some(destination) = destination {
                crate::nat::copy_half(&mut target, destination, crate::nat::Manip::Dst);
            }
            status = NatStatus {
                src: target.src != original.src || target.ports().0 != original.ports().0,
                dst: target.dst != original.dst || target.ports().1 != original.ports().1,
                src_done: true,
                dst_done: true,
                masquerade_dev: None,
            };
            reply = invert(&target);
        }
        if self.find(original, *zone, now).is_some() || self.holder(&reply, *zone, now).is_some() {
            return Err(Refused::Exists);
        }
        let proto = match protocol_name(original.proto) {
            "tcp" => ProtoState::Tcp(Box::<TcpTrack>::default()),
            "udp" | "udplite" => ProtoState::Udp { stream_at: SimTime::default() },
            "sctp" => ProtoState::Sctp(SctpTrack::default()),
            _ => ProtoState::Other,
        };
        let events =
            self.has_listener().then_some(EventCache { mask: EventMask::ALL, pending: EventMask::NONE });
        let id = self.begin(|id| Conn {
            id,
            original: *original,
            reply,
            zone: *zone,
            proto,
            mark: 0,
            seen_reply: false,
            assured: false,
            confirmed: false,
            fixed_timeout: false,
            nat_clash: false,
            nat: status,
            expires: now,
            acct: (env.ct_sysctl(CtSysctl::Acct) != 0).then(|| Box::new([CtCounter::default(); 2])),
            start: (env.ct_sysctl(CtSysctl::Timestamp) != 0).then_some(now),
            events,
        });
        let Some(mut conn) = self.take_loose(id) else { return Err(Refused::Invalid) };
        update.apply(&mut conn, now)?;
        self.insert(conn, now);
        self.stats.insert += 1;
        if let Some(told) = self.get(id).filter(|conn| conn.events.is_some()).cloned() {
            let why = EventMask::NEW.with(EventMask::PROTOINFO).with(EventMask::MARK);
            self.tell(EventKind::New, why, now, Some(portid), &told);
        }
        Ok(())
    }
}

/// The options of the `conntrack` command that sets this.
impl fmt::Display for ConnUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { timeout, status, mark, state } = self;
        if let Some(timeout) = timeout {
            write!(f, " -t {timeout}")?;
        }
        if let Some(status) = status {
            let names: Vec<&str> = Conn::STATUS_NAMES
                .iter()
                .filter(|(_, bit)| status & bit != 0)
                .map(|(name, _)| *name)
                .collect();
            write!(f, " -u {}", if names.is_empty() { "UNSET".to_owned() } else { names.join(",") })?;
        }
        match mark {
            Some((mark, u32::MAX)) => write!(f, " -m {mark}")?,
            Some((mark, mask)) => write!(f, " -m {mark}/{mask:#x}")?,
            None => {}
        }
        state.as_ref().map_or(Ok(()), |state| write!(f, " --state {state}"))
    }
}

/// The command line that makes the change.
impl fmt::Display for ConntrackChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flush => f.write_str("conntrack -F"),
            Self::Expire => f.write_str("conntrack -L"),
            Self::Delete(filter) => write!(f, "conntrack -D{filter}"),
            Self::Zero(filter) => write!(f, "conntrack -L{filter} -z"),
            Self::Update(filter, update) => write!(f, "conntrack -U{filter}{update}"),
            Self::Create(spec) => {
                let ConnSpec { original, reply, nat, zone, update } = &**spec;
                let filter = ConntrackFilter::of_tuples(original, reply.as_ref());
                write!(f, "conntrack -I{filter}")?;
                for (option, to) in ["-n", "-g"].iter().zip(nat) {
                    if let Some(to) = to {
                        let (addr, port) = match *option {
                            "-n" => (to.src, to.ports().0),
                            _ => (to.dst, to.ports().1),
                        };
                        write!(f, " {option} {addr}:{port}")?;
                    }
                }
                if zone.id != 0 {
                    let option = match zone.dir {
                        super::ZoneDir::Both => "-w",
                        super::ZoneDir::Original => "--orig-zone",
                        super::ZoneDir::Reply => "--reply-zone",
                    };
                    write!(
                        f,
                        " {option} {}",
                        zone.id_in(if zone.dir == super::ZoneDir::Reply {
                            Dir::Reply
                        } else {
                            Dir::Original
                        })
                    )?;
                }
                write!(f, "{update}")
            }
        }
    }
}
