use std::net::IpAddr;

use packet::{DevId, NetnsId, SimTime, Skb};

use crate::path::{Dst, Flow};
use crate::{Errno, Host, RouteKind, Scope};

impl Host {
    /// Routes a packet of this host; chooses the source address. Kernel: `net/ipv4/route.c`, `ip_route_output_key_hash_rcu`.
    pub fn ip_route_output(&self, _ns: NetnsId, _flow: &Flow, _now: SimTime) -> Result<Dst, Errno> {
        todo!()
    }

    /// What `addr` is to this namespace: local, broadcast, multicast or unicast.
    pub fn inet_addr_type(&self, _ns: NetnsId, _addr: IpAddr) -> RouteKind {
        todo!()
    }

    /// A source address for `dst` on `dev`. Kernel: `net/ipv4/devinet.c`, `inet_select_addr`.
    pub fn inet_select_addr(&self, _dev: DevId, _dst: IpAddr, _scope: Scope) -> Option<IpAddr> {
        todo!()
    }

    /// The own address that answers `skb`. Kernel: `net/ipv4/fib_frontend.c`, `fib_compute_spec_dst`.
    pub fn fib_compute_spec_dst(&self, _ns: NetnsId, _skb: &Skb) -> IpAddr {
        todo!()
    }
}
