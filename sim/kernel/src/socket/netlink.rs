//! Netlink sockets that listen to a group. Kernel: `net/netlink/af_netlink.c`.

use std::collections::VecDeque;

use netfilter::TraceEvent;
use netfilter::conntrack::CtEvent;
use packet::NetnsId;
use trace::Observer;

use super::SocketId;
use super::table::Kind;
use crate::{Cx, Effect, Errno, Host};

/// What a netlink socket listens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetlinkGroup {
    /// `NFNLGRP_NFTRACE`: what rules do with traced packets.
    NfTrace,
    /// `NFNLGRP_CONNTRACK_NEW`, `_UPDATE` and `_DESTROY`.
    Conntrack,
}

/// A message to the listeners of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetlinkMessage {
    /// `NFT_MSG_TRACE`.
    NfTrace(TraceEvent),
    /// `IPCTNL_MSG_CT_NEW`, `IPCTNL_MSG_CT_DELETE`.
    Conntrack(Box<CtEvent>),
}

/// The netlink socket's part of a socket.
#[derive(Clone, Debug)]
pub(crate) struct NetlinkSocket {
    pub group: NetlinkGroup,
    /// Messages not yet taken, oldest first.
    pub queue: VecDeque<NetlinkMessage>,
}

impl Host {
    /// Whether anyone listens to a group. Kernel: `netlink_has_listeners`.
    pub(crate) fn netlink_has_listeners(&self, ns: NetnsId, group: NetlinkGroup) -> bool {
        self.sockets.netlink_sockets().iter().filter_map(|&id| self.sockets.get(id)).any(|socket| {
            socket.netns == ns && matches!(&socket.kind, Kind::Netlink(netlink) if netlink.group == group)
        })
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Hands a message to those who listen. Kernel: `nlmsg_multicast`.
    pub(crate) fn netlink_broadcast(&mut self, ns: NetnsId, group: NetlinkGroup, message: &NetlinkMessage) {
        for id in self.host.sockets.netlink_sockets().to_vec() {
            let Some(socket) = self.host.sockets.get_mut(id).filter(|socket| socket.netns == ns) else {
                continue;
            };
            let Kind::Netlink(netlink) = &mut socket.kind else { continue };
            if netlink.group == group {
                netlink.queue.push_back(message.clone());
                self.effects.push(Effect::Wake(id));
            }
        }
    }

    /// Takes a message.
    ///
    /// # Errors
    /// `EAGAIN`.
    pub fn netlink_recv(&mut self, id: SocketId) -> Result<NetlinkMessage, Errno> {
        // Who asks for events of connections is told of those that have expired by now.
        if let Some((ns, Kind::Netlink(netlink))) =
            self.host.sockets.get(id).map(|socket| (socket.netns, &socket.kind))
            && netlink.group == NetlinkGroup::Conntrack
        {
            self.host.ns_mut(ns).netfilter.conntrack_gc(self.now);
            self.netfilter_news(ns);
        }
        match self.host.sockets.get_mut(id).map(|socket| &mut socket.kind) {
            Some(Kind::Netlink(netlink)) => netlink.queue.pop_front().ok_or(Errno::Again),
            Some(_) => Err(Errno::OpNotSupp),
            None => Err(Errno::BadF),
        }
    }
}
