use packet::{NetnsId, SimTime};

use crate::dump::{RouteAnswer, RouteQuery};
use crate::{Host, Refusal};

impl Host {
    /// `ip route get`. Kernel: `net/ipv4/route.c`, `inet_rtm_getroute`.
    pub fn route_get(&self, _ns: NetnsId, _query: &RouteQuery, _now: SimTime) -> Result<RouteAnswer, Refusal> {
        todo!()
    }
}
