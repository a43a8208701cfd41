//! `setsockopt(2)`. Kernel: `net/core/sock.c`, `net/ipv4/ip_sockglue.c`.

use trace::Observer;

use super::table::{Kind, RMEM_MAX};
use super::{SocketId, SocketOption};
use crate::{Cx, Effect, Errno};

impl<O: Observer> Cx<'_, O> {
    /// Kernel: `sk_setsockopt`, `do_ip_setsockopt`, `packet_setsockopt`.
    pub(super) fn sock_setsockopt(&mut self, id: SocketId, option: SocketOption) -> Result<(), Errno> {
        if let SocketOption::BindToDevice(name) = option {
            return self.bind_to_device(id, name.as_deref());
        }
        if let SocketOption::Promisc(on) = option {
            self.host.set_packet_promisc(id, on);
            return Ok(());
        }
        let Some(socket) = self.host.sockets.get_mut(id) else { return Err(Errno::BadF) };
        let options = &mut socket.options;
        match option {
            SocketOption::Mark(mark) => options.mark = mark,
            SocketOption::ReuseAddr(on) => options.reuse_addr = on,
            SocketOption::ReusePort(on) => options.reuse_port = on,
            SocketOption::Broadcast(on) => options.broadcast = on,
            SocketOption::DontRoute(on) => options.dont_route = on,
            SocketOption::LingerZero(on) => options.linger_zero = on,
            SocketOption::Ttl(0) => return Err(Errno::Inval),
            SocketOption::Ttl(ttl) => options.ttl = Some(ttl),
            SocketOption::Tos(tos) => options.tos = tos,
            SocketOption::MtuDiscover(discover) => options.mtu_discover = discover,
            SocketOption::RecvErr(on) => {
                options.recv_err = on;
                if !on {
                    socket.error_queue.clear();
                }
            }
            SocketOption::HeaderIncluded(on) => options.header_included = on,
            SocketOption::IpOptions(bytes) => {
                const MAX: usize = 40;
                if bytes.len() > MAX || bytes.len() % 4 != 0 {
                    return Err(Errno::Inval);
                }
                options.ip_options = bytes;
            }
            SocketOption::MulticastLoop(on) => options.multicast_loop = on,
            SocketOption::RcvBuf(bytes) => {
                const MIN: u32 = 2304;
                let doubled = bytes.min(RMEM_MAX).saturating_mul(2).max(MIN);
                options.rcvbuf = doubled;
                if let Some(tcp) = socket.tcp_mut() {
                    tcp.rcvbuf = doubled;
                }
            }
            SocketOption::BindToDevice(_) | SocketOption::Promisc(_) => {}
        }
        Ok(())
    }

    /// Kernel: `sock_bindtoindex`; for a packet socket `packet_do_bind`.
    fn bind_to_device(&mut self, id: SocketId, name: Option<&str>) -> Result<(), Errno> {
        let Some(socket) = self.host.sockets.get(id) else { return Err(Errno::BadF) };
        let dev = match name {
            None | Some("") => None,
            Some(name) => Some(self.host.dev_by_name(socket.netns, name).ok_or(Errno::NoDev)?),
        };
        let is_packet = matches!(socket.kind, Kind::Packet(_));
        if is_packet {
            self.host.set_packet_promisc(id, false);
            self.host.count_taps(id, false);
        }
        let down = is_packet && dev.and_then(|dev| self.host.get_dev(dev)).is_some_and(|dev| !dev.up);
        if let Some(socket) = self.host.sockets.get_mut(id) {
            socket.bound_dev = dev;
            if down {
                socket.error = Some(Errno::NetDown);
                self.effects.push(Effect::Wake(id));
            }
        }
        if is_packet {
            self.host.count_taps(id, true);
        }
        Ok(())
    }
}
