use packet::{NetnsId, Skb};
use trace::Observer;

use crate::path::InputRoute;
use crate::{Cx, Dropped};

impl<O: Observer> Cx<'_, O> {
    /// Routes a received packet. Kernel: `net/ipv4/route.c`, `ip_route_input_slow`.
    pub fn ip_route_input(&mut self, _ns: NetnsId, _skb: &Skb) -> Result<InputRoute, Dropped> {
        todo!()
    }
}
