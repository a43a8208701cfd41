use packet::DevId;
use trace::Observer;

use crate::Cx;

impl<O: Observer> Cx<'_, O> {
    /// `dev` was set up: its addresses' routes come back. Kernel: `net/ipv4/fib_frontend.c`, `fib_netdev_event`.
    pub fn fib_dev_up(&mut self, _dev: DevId) {
        todo!()
    }

    /// `dev` was set down: routes over it go. Kernel: `net/ipv4/fib_frontend.c`, `fib_disable_ip`.
    pub fn fib_dev_down(&mut self, _dev: DevId) {
        todo!()
    }

    /// `dev` lost or got its carrier. Kernel: `NETDEV_CHANGE` in `fib_netdev_event`.
    pub fn fib_carrier(&mut self, _dev: DevId) {
        todo!()
    }

    /// `dev` leaves its namespace or is destroyed: addresses, routes and settings go. Called while
    /// `dev.netns` still is the old one. Kernel: `inetdev_destroy`, `fib_disable_ip` by force.
    pub fn fib_dev_gone(&mut self, _dev: DevId) {
        todo!()
    }
}
