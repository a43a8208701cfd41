use std::time::Duration;

use packet::{ConnId, CtInfo, Proto, SimTime, Skb};

use super::event::EventMask;
use super::{Conn, Conntrack, Dir};

impl Conntrack {
    /// Enters the connection of a packet that got through; false if another connection has one
    /// of its tuples meanwhile and the clash can't be resolved, which drops the packet.
    /// Kernel: `nf_conntrack_confirm`, `__nf_conntrack_confirm`.
    pub(crate) fn confirm(&mut self, skb: &mut Skb, now: SimTime) -> bool {
        let Some(ct) = skb.ct else { return true };
        match ct.info {
            CtInfo::Untracked | CtInfo::Template => return true,
            CtInfo::New | CtInfo::Established | CtInfo::Related => {
                if let Some(conn) = self.take_loose(ct.conn)
                    && !self.enter(conn, skb, now)
                {
                    return false;
                }
            }
            CtInfo::EstablishedReply | CtInfo::RelatedReply => {}
        }
        if let Some(ct) = skb.ct {
            self.deliver_events(ct.conn, now);
        }
        true
    }

    fn enter(&mut self, mut conn: Conn, skb: &mut Skb, now: SimTime) -> bool {
        let clash = match self.find(&conn.original.clone(), conn.zone, now) {
            Some((id, _)) => Some(id),
            None => self.holder(&conn.reply, conn.zone, now).map(|(id, _)| id),
        };
        if let Some(winner) = clash {
            return self.resolve_clash(conn, winner, skb, now);
        }
        conn.note(EventMask::NEW);
        self.insert(conn, now);
        true
    }

    /// Kernel: `nf_ct_resolve_clash`.
    fn resolve_clash(&mut self, loser: Conn, winner: ConnId, skb: &mut Skb, now: SimTime) -> bool {
        if allows_clash(loser.original.proto)
            && (self.merge(&loser, winner, skb) || self.resolve_harder(&loser, skb, now))
        {
            return true;
        }
        self.put_loose(loser);
        self.stats.drop += 1;
        self.stats.insert_failed += 1;
        false
    }

    /// Gives the packet to the connection that came first, if nothing or the same is rewritten.
    /// Kernel: `__nf_ct_resolve_clash`.
    fn merge(&mut self, loser: &Conn, winner: ConnId, skb: &mut Skb) -> bool {
        let Some(ct) = self.get_mut(winner) else { return false };
        let undecided = !ct.nat.src_done && !ct.nat.dst_done;
        let same = ct.original == loser.original && ct.reply == loser.reply && ct.zone == loser.zone;
        if !undecided && !same {
            return false;
        }
        if let Some(acct) = &loser.acct {
            ct.count(Dir::Original, acct[Dir::Original as usize].bytes);
        }
        if let Some(ct) = &mut skb.ct {
            ct.conn = winner;
        }
        self.stats.clash_resolve += 1;
        true
    }

    /// Enters the later connection for its answers only, for a second.
    /// Kernel: `nf_ct_resolve_clash_harder`.
    fn resolve_harder(&mut self, loser: &Conn, skb: &mut Skb, now: SimTime) -> bool {
        if let Some((winner, _)) = self.holder(&loser.reply, loser.zone, now) {
            return self.merge(loser, winner, skb);
        }
        let mut loser = loser.clone();
        loser.expires = now + Duration::from_secs(1);
        loser.fixed_timeout = true;
        loser.nat_clash = true;
        self.insert(loser, now);
        self.stats.clash_resolve += 1;
        true
    }
}

/// Whether a protocol's connections may clash. Kernel: `nf_conntrack_l4proto.allow_clash`.
pub(crate) const fn allows_clash(proto: Proto) -> bool {
    matches!(proto, Proto::UDP | Proto(136))
}
