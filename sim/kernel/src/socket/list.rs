use packet::NetnsId;

use super::table::{ANY, Kind, Socket};
use super::tcp::{State, TcpSocket};
use crate::Host;
use crate::dump::SocketInfo;

impl Host {
    /// Sockets of a namespace as `ss` lists them: TCP, UDP, raw, packet; each in order of creation.
    /// Kernel: `net/ipv4/inet_diag.c`.
    pub fn socket_list(&self, ns: NetnsId) -> Vec<SocketInfo> {
        let mut list: Vec<SocketInfo> =
            self.sockets.iter().filter(|s| s.netns == ns).filter_map(|s| self.socket_info(s)).collect();
        // A vxlan device has a socket of the kernel's own. Kernel: `vxlan_sock_add`.
        let mut ports: Vec<u16> =
            self.get_ns(ns).into_iter().flat_map(|ns| &ns.vxlan).map(|(port, ..)| *port).collect();
        ports.sort_unstable();
        ports.dedup();
        list.extend(ports.into_iter().map(|port| SocketInfo {
            kind: "udp",
            state: "UNCONN",
            recv_q: 0,
            send_q: 0,
            local: (ANY, port),
            remote: (ANY, 0),
            dev: None,
            pid: None,
        }));
        list.sort_by_key(|info| {
            ["tcp", "udp", "icmp", "raw", "p_raw"].iter().position(|kind| *kind == info.kind)
        });
        list
    }

    fn socket_info(&self, socket: &Socket) -> Option<SocketInfo> {
        let unconn = if socket.remote.is_some() { "ESTAB" } else { "UNCONN" };
        let (kind, state, recv_q, send_q) = match &socket.kind {
            Kind::Tcp(tcp) => {
                let never_bound = tcp.state == State::Closed;
                if never_bound {
                    return None;
                }
                let (recv_q, send_q) = tcp.queues();
                ("tcp", tcp.state.as_str(), recv_q, send_q)
            }
            // A socket that has no port yet is in no table.
            Kind::Udp(_) if socket.num == 0 => return None,
            Kind::Udp(datagrams) => ("udp", unconn, datagrams.charged() as usize, 0),
            Kind::Raw(_, datagrams) => ("raw", unconn, datagrams.charged() as usize, 0),
            Kind::Netlink(_) => return None,
            Kind::Packet(packet) => ("p_raw", "UNCONN", packet.queue.iter().map(|c| c.frame.len()).sum(), 0),
        };
        let remote = socket.remote.unwrap_or((ANY, 0));
        Some(SocketInfo {
            kind,
            state,
            recv_q,
            send_q,
            local: (socket.rcv_addr, socket.num),
            remote,
            dev: socket.bound_dev.and_then(|dev| self.get_dev(dev)).map(|dev| dev.name.clone()),
            pid: socket
                .tcp()
                .is_none_or(|tcp| !tcp.orphan && tcp.parent.is_none())
                .then_some(socket.owner)
                .flatten(),
        })
    }
}

impl TcpSocket {
    /// Recv-Q and Send-Q. Kernel: `net/ipv4/tcp_diag.c`, `tcp_diag_get_info`.
    fn queues(&self) -> (usize, usize) {
        match self.state {
            State::Listen => (self.accept_queue.len(), self.backlog as usize),
            _ if self.time_wait => (0, 0),
            State::SynRecv if self.parent.is_some() => (0, 0),
            _ => (
                self.rcv_nxt.wrapping_sub(self.copied_seq) as usize,
                self.write_seq.wrapping_sub(self.snd_una) as usize,
            ),
        }
    }
}
