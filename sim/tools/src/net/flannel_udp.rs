//! `flannel-udp`: flannel's old udp backend, a TUN device and a process that carries packets over UDP.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use kernel::request::{AddrSpec, LinkChange, Mode, Request};
use kernel::socket::SocketKind;
use kernel::{Errno, Refusal};
use packet::wire::{emit_packet, parse_packet, quote};
use packet::{Body, Icmp, IcmpError, Packet};
use world::{Args, Fd, Next, Program, Registry, Sys, Wait};

use super::{GoFlags, complain, socket_addr};

/// Installs `flannel-udp`.
pub(crate) fn install(registry: &mut Registry) {
    registry.install("flannel-udp", |args| Box::new(FlannelUdp { args, running: None }));
}

#[derive(Clone, Debug)]
struct FlannelUdp {
    args: Args,
    running: Option<Proxy>,
}

fn refused(refusal: Refusal) -> String {
    refusal.extack.unwrap_or_else(|| refusal.errno.to_string())
}

impl FlannelUdp {
    fn start(&self, sys: &mut dyn Sys) -> Result<Proxy, String> {
        let flags = GoFlags::parse(&self.args[1..], &["tun", "addr", "listen", "mtu", "route"], &[])?;
        let need = |name: &str| flags.get(name).ok_or_else(|| format!("missing -{name}"));
        let name = need("tun")?.to_owned();
        let addr: IpNet = need("addr")?.parse().map_err(|_| "bad -addr: expected A.B.C.D/LEN".to_owned())?;
        let listen = socket_addr(need("listen")?).ok_or("bad -listen: expected IP:PORT")?;
        let mtu = flags.get("mtu").unwrap_or("1472").parse().map_err(|_| "bad -mtu".to_owned())?;
        let mut routes = Vec::new();
        for (_, value) in flags.values.iter().filter(|(name, _)| name == "route") {
            let parsed = value
                .split_once('=')
                .and_then(|(net, ip)| Some((net.parse().ok()?, ip.parse::<IpAddr>().ok()?)));
            let (net, node) = parsed.ok_or_else(|| format!("bad -route {value}: expected SUBNET=IP"))?;
            routes.push((net, SocketAddr::new(node, listen.port())));
        }
        let fail = |errno: Errno| errno.to_string();
        let tun = sys.open_tun(&name).map_err(fail)?;
        let netns = sys.netns();
        let spec = AddrSpec::new(&name, addr);
        sys.request(netns, Request::AddrAdd(spec, Mode::Add)).map_err(refused)?;
        let changes = vec![LinkChange::Mtu(mtu), LinkChange::Up(true)];
        sys.request(netns, Request::LinkSet { dev: name, changes }).map_err(refused)?;
        let socket = sys.socket(SocketKind::Udp).map_err(fail)?;
        sys.set_option(socket, kernel::socket::SocketOption::MtuDiscover(kernel::socket::MtuDiscover::Dont))
            .map_err(fail)?;
        sys.bind(socket, listen).map_err(fail)?;
        Ok(Proxy { tun, socket, own: addr.addr(), routes, unreachable: Unreachable::Always })
    }
}

/// Carries packets between a TUN device and the nodes of a network, as UDP datagrams.
/// flannel: `backend/udp/proxy_amd64.c`.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// The TUN device.
    pub tun: Fd,
    /// The UDP socket.
    pub socket: Fd,
    /// Address of the TUN device.
    pub own: IpAddr,
    /// Which node has which part of the network.
    pub routes: Vec<(IpNet, SocketAddr)>,
    /// For which packets without a route it sends an error.
    pub unreachable: Unreachable,
}

/// For which packets without a route an ICMP error is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreachable {
    /// All of them, with the usual TTL.
    Always,
    /// As flannel: none for ICMP and for later fragments, else with a TTL of 8.
    Flannel,
}

impl Proxy {
    /// Carries all packets that wait.
    pub fn carry(&self, sys: &mut dyn Sys) {
        while let Ok(packet) = sys.tun_read(self.tun) {
            self.send(sys, packet);
        }
        loop {
            match sys.recv(self.socket, 1 << 16) {
                Ok(received) => self.receive(sys, &received.data),
                Err(Errno::Again) => break,
                // An ICMP error of an earlier datagram.
                Err(_) => {}
            }
        }
    }

    /// From the TUN device to the node that has the destination.
    fn send(&self, sys: &mut dyn Sys, mut packet: Packet) {
        let dst = packet.dst();
        let Some(&(_, node)) = self.routes.iter().find(|(net, _)| net.contains(&dst)) else {
            return self.net_unreachable(sys, &packet);
        };
        if packet.ttl <= 1 {
            return;
        }
        packet.ttl -= 1;
        // What can't be sent is lost, as in the original.
        let _ = sys.send(self.socket, &emit_packet(&packet), Some(node));
    }

    /// ICMP net unreachable with 28 quoted bytes, written into the TUN device.
    fn net_unreachable(&self, sys: &mut dyn Sys, packet: &Packet) {
        let silent = matches!(packet.body, Body::Icmp(_)) || packet.frag.offset != 0;
        if silent && self.unreachable == Unreachable::Flannel {
            return;
        }
        let quoted = quote(packet, 28);
        let error = IcmpError { kind: Icmp::UNREACHABLE, code: 0, rest: 0, quoted };
        let mut answer = Packet::new(self.own, packet.src(), Body::Icmp(Icmp::Error(Box::new(error))));
        if self.unreachable == Unreachable::Flannel {
            answer.ttl = 8;
        }
        let _ = sys.tun_write(self.tun, answer);
    }

    /// From another node into the TUN device. What is no packet is ignored.
    fn receive(&self, sys: &mut dyn Sys, data: &[u8]) {
        let Ok(mut packet) = parse_packet(data) else { return };
        if packet.ttl <= 1 {
            return;
        }
        packet.ttl -= 1;
        let _ = sys.tun_write(self.tun, packet);
    }
}

impl Program for FlannelUdp {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let running = match &self.running {
            Some(running) => running,
            None => match self.start(sys) {
                Ok(running) => &*self.running.insert(running),
                Err(message) => {
                    complain(sys, &format!("flannel-udp: {message}\n"));
                    return Next::Exit(1);
                }
            },
        };
        running.carry(sys);
        Next::Wait(Wait { fds: vec![running.tun, running.socket], ..Wait::default() })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
