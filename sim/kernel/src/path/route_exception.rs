use std::net::IpAddr;

use packet::{DevId, NetnsId};
use trace::Observer;

use crate::Cx;

/// Path MTUs and redirects learned. Kernel: `struct fib_nh_exception`.
#[derive(Clone, Debug, Default)]
pub struct RouteExceptions {}

impl<O: Observer> Cx<'_, O> {
    /// Learns that packets to `dst` may have `mtu` bytes. Kernel: `net/ipv4/route.c`, `__ip_rt_update_pmtu`.
    pub fn update_pmtu(&mut self, _ns: NetnsId, _dst: IpAddr, _mtu: u32) {
        todo!()
    }

    /// An ICMP redirect came in by `dev` from `from`: packets to `dst` should go to `gateway`.
    /// Kernel: `net/ipv4/route.c`, `__ip_do_redirect`.
    pub fn accept_redirect(&mut self, _ns: NetnsId, _dev: DevId, _from: IpAddr, _gateway: IpAddr, _dst: IpAddr) {
        todo!()
    }
}
