use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use packet::{Body, Icmp, NetnsId, PacketId, Payload, PktType, Proto, Skb, wire};
use trace::{DropReason, Observer, Relation, StepKind};

use crate::path::InputRoute;
use crate::sysctl_keys;
use crate::{Cx, Dropped, Host, RouteKind, Timer};

/// Packets being put together. Kernel: `struct inet_frags`.
#[derive(Clone, Debug, Default)]
pub struct FragmentQueues {
    queues: BTreeMap<u64, FragmentQueue>,
    last: u64,
}

/// Who puts fragments together; each has its own queues. Kernel: `enum ip_defrag_users`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DefragUser {
    /// Kernel: `IP_DEFRAG_LOCAL_DELIVER`.
    LocalDeliver,
    /// Kernel: `IP_DEFRAG_CONNTRACK_IN`, `IP_DEFRAG_CONNTRACK_OUT`.
    Conntrack,
    /// Kernel: `IP_DEFRAG_CONNTRACK_BRIDGE_IN`.
    ConntrackBridgeIn,
}

/// What fragments of one packet have in common. Kernel: `struct frag_v4_compare_key`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    src: IpAddr,
    dst: IpAddr,
    id: u16,
    proto: Proto,
    user: DefragUser,
}

/// Fragments of one packet, by offset. Kernel: `struct ipq`.
#[derive(Clone, Debug)]
struct FragmentQueue {
    key: Key,
    parts: BTreeMap<u16, Skb>,
    /// Length of the whole body in bytes, once the last fragment came.
    total: Option<usize>,
    /// Length of the longest fragment, header included. Kernel: `q.max_size`.
    max_size: u16,
    /// The same among those with DF. Kernel: `max_df_size`.
    max_df_size: u16,
}

/// What became of a fragment.
enum Queued {
    Waits,
    Complete,
    Duplicate,
    /// It contradicts what came before: the whole queue goes.
    Discard,
}

fn fragment_bytes(skb: &Skb) -> Payload {
    match &skb.ip().body {
        Body::Fragment(_, bytes) => bytes.clone(),
        Body::Tcp(_) | Body::Udp(_) | Body::Icmp(_) | Body::Ip(_) | Body::Bytes(..) => {
            wire::emit_body(skb.ip()).into()
        }
    }
}

impl FragmentQueue {
    fn bytes(&self) -> usize {
        self.parts.values().map(|skb| skb.frame.len()).sum()
    }

    /// Kernel: `net/ipv4/ip_fragment.c, ip_frag_queue`, `net/ipv4/inet_fragment.c, inet_frag_queue_insert`.
    fn insert(&mut self, skb: Skb) -> Queued {
        let packet = skb.ip();
        let frag = packet.frag;
        let start = usize::from(frag.offset);
        let len = fragment_bytes(&skb).len();
        // All but the last are cut to a multiple of 8.
        let end = start + if frag.mf { len & !7 } else { len };
        let known_end =
            self.parts.values().map(|s| usize::from(s.ip().frag.offset) + s.ip().body.len()).max();
        let contradicts = match self.total {
            Some(total) => end > total || !frag.mf && end != total,
            None => !frag.mf && known_end.is_some_and(|known| end < known),
        };
        if contradicts || end == start {
            return Queued::Discard;
        }
        for other in self.parts.values() {
            let from = usize::from(other.ip().frag.offset);
            let to = from + other.ip().body.len();
            if start >= from && end <= to {
                return Queued::Duplicate;
            }
            if start < to && end > from {
                return Queued::Discard;
            }
        }
        if !frag.mf {
            self.total = Some(end);
        }
        let size = packet.len() as u16;
        self.max_size = self.max_size.max(size);
        if frag.df {
            self.max_df_size = self.max_df_size.max(size);
        }
        self.parts.insert(frag.offset, skb);
        let held: usize = self.parts.values().map(|s| s.ip().body.len()).sum();
        if self.total == Some(held) { Queued::Complete } else { Queued::Waits }
    }
}

impl Host {
    fn frag_queue(&mut self, ns: NetnsId, key: Key) -> (u64, bool) {
        let frags = &mut self.ns_mut(ns).frags;
        if let Some((&number, _)) = frags.queues.iter().find(|(_, queue)| queue.key == key) {
            return (number, false);
        }
        frags.last += 1;
        let queue = FragmentQueue { key, parts: BTreeMap::new(), total: None, max_size: 0, max_df_size: 0 };
        frags.queues.insert(frags.last, queue);
        (frags.last, true)
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Takes a fragment for connection tracking; the whole packet, a new one, once all are there,
    /// `None` while some miss. A packet that is no fragment comes back as it is.
    /// Kernel: `net/ipv4/ip_fragment.c, ip_defrag`.
    pub fn ip_defrag(&mut self, ns: NetnsId, skb: Skb) -> Result<Option<Skb>, Dropped> {
        // Kernel: `net/ipv4/netfilter/nf_defrag_ipv4.c, nf_ct_defrag_user`.
        let on_bridge = skb.nf_bridge.as_ref().is_some_and(|info| info.in_prerouting);
        let user = if on_bridge { DefragUser::ConntrackBridgeIn } else { DefragUser::Conntrack };
        self.ip_defrag_for(ns, user, skb)
    }

    /// [`Cx::ip_defrag`] with the queues of `user`.
    pub(super) fn ip_defrag_for(
        &mut self,
        ns: NetnsId,
        user: DefragUser,
        skb: Skb,
    ) -> Result<Option<Skb>, Dropped> {
        let packet = skb.ip();
        if !packet.frag.is_fragment() {
            return Ok(Some(skb));
        }
        let key = Key { src: packet.src(), dst: packet.dst(), id: packet.id, proto: packet.proto(), user };
        let (number, is_new) = self.host.frag_queue(ns, key);
        if is_new {
            let timeout = Duration::from_secs(
                self.host.ipv4_sysctl(ns, const { sysctl_keys::key("net.ipv4.ipfrag_time") }).max(0) as u64,
            );
            self.arm(timeout, Timer::FragQueue { netns: ns, queue: number });
        }
        let limit =
            self.host.ipv4_sysctl(ns, const { sysctl_keys::key("net.ipv4.ipfrag_high_thresh") }).max(0)
                as usize;
        let (id, dev) = (skb.id, skb.dev);
        let duplicate = self.dropped(ns, &skb, DropReason::DupFrag);
        let frags = &mut self.host.ns_mut(ns).frags;
        if frags.queues.values().map(FragmentQueue::bytes).sum::<usize>() > limit {
            let too_many = self.dropped(ns, &skb, DropReason::Nomem);
            return Err(too_many);
        }
        let Some(queue) = frags.queues.get_mut(&number) else { return Ok(None) };
        match queue.insert(skb) {
            Queued::Waits => {
                self.emit(id, ns, Some(dev), || StepKind::Held("fragments"));
                Ok(None)
            }
            Queued::Duplicate => Err(duplicate),
            Queued::Discard => {
                self.drop_frag_queue(ns, number, DropReason::DupFrag);
                Err(duplicate)
            }
            Queued::Complete => {
                self.emit(id, ns, Some(dev), || StepKind::Held("fragments"));
                self.ip_frag_reasm(ns, number).transpose()
            }
        }
    }

    fn drop_frag_queue(&mut self, ns: NetnsId, number: u64, reason: DropReason) {
        let queue = self.host.ns_mut(ns).frags.queues.remove(&number);
        for skb in queue.into_iter().flat_map(|queue| queue.parts.into_values()) {
            let dropped = self.dropped(ns, &skb, reason);
            let _ = self.finish(Err(dropped));
        }
    }

    /// Makes one packet of a complete queue. Kernel: `net/ipv4/ip_fragment.c, ip_frag_reasm`.
    fn ip_frag_reasm(&mut self, ns: NetnsId, number: u64) -> Option<Result<Skb, Dropped>> {
        let queue = self.host.ns_mut(ns).frags.queues.remove(&number)?;
        let user = queue.key.user;
        let parents: Vec<(Relation, PacketId)> =
            queue.parts.values().map(|skb| (Relation::ReassembledFrom, skb.id)).collect();
        let bytes: Vec<u8> = queue.parts.values().flat_map(|skb| fragment_bytes(skb).to_vec()).collect();
        let first = queue.parts.into_values().next()?;
        let Ok(mut packet) = wire::reassemble(first.ip(), bytes) else {
            return Some(Err(self.dropped(ns, &first, DropReason::SkbCsum)));
        };
        // Sent with DF, cut all the same: the path MTU is known to be this.
        packet.frag.df = queue.max_df_size == queue.max_size;
        let mut whole = Skb { id: self.ids.next_id(), ..first };
        whole.frame.payload = packet::EtherPayload::Ip(packet);
        whole.frag_max_size = queue.max_size.max(queue.max_df_size);
        whole.frag_list = queue.max_size;
        // Kernel: `net/ipv4/netfilter/nf_defrag_ipv4.c, nf_ct_ipv4_gather_frags`.
        whole.ignore_df = user != DefragUser::LocalDeliver;
        self.emit_created(&whole, ns, &parents);
        Some(Ok(whole))
    }

    /// The other fragments didn't come in time. Kernel: `net/ipv4/ip_fragment.c, ip_expire`.
    pub(super) fn ip_expire(&mut self, ns: NetnsId, number: u64) {
        let Some(netns) = self.host.get_ns(ns) else { return };
        let Some(queue) = netns.frags.queues.get(&number) else { return };
        let user = queue.key.user;
        if let Some(first) = queue.parts.get(&0).cloned() {
            // A router doesn't tell, an end host does.
            let tells = first.pkt_type == PktType::Host
                && self.host.get_dev(first.dev).is_some_and(|dev| dev.netns == ns)
                && match self.ip_route_input(ns, &first) {
                    Ok(InputRoute::Local(dst)) => dst.kind == RouteKind::Local,
                    Ok(InputRoute::Forward(_) | InputRoute::Unreachable { .. }) => {
                        user == DefragUser::LocalDeliver
                    }
                    Err(_) => false,
                };
            if tells {
                self.icmp_send(ns, &first, Icmp::TIME_EXCEEDED, 1, 0);
            }
        }
        self.drop_frag_queue(ns, number, DropReason::FragReasmTimeout);
    }
}
