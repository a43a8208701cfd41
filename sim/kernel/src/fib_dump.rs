use packet::NetnsId;

use crate::dump::{AddrInfo, RouteInfo};
use crate::{Host, Rule};

impl Host {
    /// All IPv4 addresses of a namespace in the order of `ip addr`.
    pub fn addrs(&self, _ns: NetnsId) -> Vec<AddrInfo> {
        todo!()
    }

    /// All routes of all tables in the order of `ip route show table all`.
    pub fn routes(&self, _ns: NetnsId) -> Vec<RouteInfo> {
        todo!()
    }

    /// All rules in order.
    pub fn rules(&self, _ns: NetnsId) -> Vec<Rule> {
        todo!()
    }
}
