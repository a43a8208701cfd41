use trace::Observer;

use crate::{Cx, Timer};

impl<O: Observer> Cx<'_, O> {
    /// A timer fired: hands it to its owner.
    pub fn on_timer(&mut self, timer: Timer) {
        match timer {
            Timer::Neigh { netns, dev, addr, generation } => {
                self.neigh_timer_handler(netns, dev, addr, generation)
            }
            Timer::ProxyArp { skb } => {
                let result = self.neigh_proxy_process(*skb);
                let _ = self.finish(result);
            }
            Timer::FragQueue { netns, queue } => self.ip_expire(netns, queue),
            Timer::Socket { netns, socket, which, generation } => {
                self.socket_timer(netns, socket, which, generation)
            }
            Timer::Bridge { dev, round } => self.bridge_timer(dev, round),
            Timer::AddrCheck(netns) => self.addr_check_timer(netns),
            Timer::CleanupNetns(netns) => self.cleanup_net(netns),
        }
    }
}
