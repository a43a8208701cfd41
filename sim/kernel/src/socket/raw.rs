//! Raw sockets. Kernel: `net/ipv4/raw.c`.

use std::net::{IpAddr, SocketAddr};

use packet::{DevId, Icmp, IcmpError, NetnsId, Proto, Skb};
use trace::Observer;

use super::icmp_error::{FRAG_NEEDED, datagram_error, ip_icmp_error};
use super::table::Socket;
use super::{Received, SocketId};
use crate::{Cx, Effect, Host};

impl Host {
    /// Raw sockets that a packet between these addresses is for. Kernel: `raw_v4_match`.
    fn raw_matching(
        &self,
        ns: NetnsId,
        proto: Proto,
        laddr: IpAddr,
        raddr: IpAddr,
        dev: DevId,
    ) -> Vec<SocketId> {
        let wants = |socket: &&Socket| {
            socket.takes_from(dev)
                && (socket.rcv_addr.is_unspecified() || socket.rcv_addr == laddr)
                && socket.remote.is_none_or(|(addr, _)| addr == raddr)
        };
        self.sockets.raw_sockets(ns, proto).filter(wants).map(|socket| socket.id).collect()
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Gives copies to the raw sockets of the packet's protocol; true if there is one that the
    /// packet is for. Kernel: `raw_local_deliver`, `raw_v4_input`.
    pub fn raw_local_deliver(&mut self, ns: NetnsId, skb: &Skb) -> bool {
        let ip = skb.ip();
        let ids = self.host.raw_matching(ns, ip.proto(), ip.dst(), ip.src(), skb.inet_iif());
        let taken = !ids.is_empty();
        for id in ids {
            let received = Received {
                data: Vec::new(),
                from: SocketAddr::new(ip.src(), 0),
                packet: Some(ip.clone()),
                ttl: ip.ttl,
                dst: ip.dst(),
                dev: Some(skb.inet_iif()),
                at: self.now,
                id: Some(skb.id),
            };
            self.sock_queue_rcv(ns, skb, id, received);
        }
        taken
    }

    /// An ICMP error quotes a packet that raw sockets may want to know of; `skb` is the ICMP
    /// message. To be called for every protocol. Kernel: `raw_icmp_error`, `raw_err`.
    pub fn raw_err(&mut self, ns: NetnsId, skb: &Skb, error: &IcmpError) {
        let quoted = &error.quoted.packet;
        let ids = self.host.raw_matching(ns, quoted.proto(), quoted.src(), quoted.dst(), skb.inet_iif());
        let too_big = error.kind == Icmp::UNREACHABLE && error.code == FRAG_NEEDED;
        for id in ids {
            if too_big {
                self.update_pmtu(ns, quoted.dst(), error.rest & 0xffff);
            }
            let now = self.now;
            let Some(socket) = self.host.sockets.get_mut(id) else { continue };
            let reports = socket.options.recv_err;
            if !reports && socket.remote.is_none() {
                continue;
            }
            let Some((errno, hard)) = datagram_error(error, socket.options.mtu_discover) else { continue };
            if reports {
                socket.error_queue.push_back(ip_icmp_error(skb, error, errno, now));
            }
            if reports || hard {
                socket.error = Some(errno);
                self.effects.push(Effect::Wake(id));
            }
        }
    }
}
