use std::net::IpAddr;
use std::sync::Arc;

use packet::{DevId, Proto, SimTime};

use crate::{Route, RouteKind, TableId};

/// What a route is looked up by. Kernel: `struct flowi4`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Destination.
    pub dst: IpAddr,
    /// Source, if bound or received.
    pub src: Option<IpAddr>,
    /// Input device of a received packet.
    pub iif: Option<DevId>,
    /// Output device of a bound socket.
    pub oif: Option<DevId>,
    /// Mark.
    pub mark: u32,
    /// Type of service.
    pub tos: u8,
    /// Protocol; 0 if not known.
    pub proto: Proto,
    /// Source port.
    pub sport: u16,
    /// Destination port.
    pub dport: u16,
    /// Only directly attached destinations (`SO_DONTROUTE`).
    pub onlink_only: bool,
    /// The source need not be an own address (`IP_TRANSPARENT`, header included, rerouting).
    /// Kernel: `FLOWI_FLAG_ANYSRC`.
    pub any_src: bool,
}

impl Flow {
    /// A flow to `dst` about which nothing else is known.
    pub fn to(dst: IpAddr) -> Self {
        Self {
            dst,
            src: None,
            iif: None,
            oif: None,
            mark: 0,
            tos: 0,
            proto: Proto(0),
            sport: 0,
            dport: 0,
            onlink_only: false,
            any_src: false,
        }
    }
}

/// A routing decision for a packet that is sent or forwarded. Kernel: `struct rtable`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dst {
    /// Unicast, local, broadcast or multicast.
    pub kind: RouteKind,
    /// Output device (`lo` for an own address).
    pub dev: DevId,
    /// Next hop, if not the destination itself.
    pub gateway: Option<IpAddr>,
    /// The device that a packet is taken to have come by if this route brings it back.
    /// Kernel: `rt_iif`.
    pub iif: Option<DevId>,
    /// Source address for a packet that has none yet.
    pub src: IpAddr,
    /// Path MTU in bytes: of the exception, route or device. Kernel: `dst_mtu`.
    pub mtu: u32,
    /// The MTU is locked: DF is never set.
    pub mtu_locked: bool,
    /// Advertised MSS of the route in bytes.
    pub advmss: Option<u32>,
    /// The table that had the route.
    pub table: TableId,
    /// Leaves by its arrival device towards an on-link gateway: a redirect is due.
    /// Kernel: `RTCF_DOREDIRECT`.
    pub do_redirect: bool,
    /// The route; `None` if none was needed (a device was given).
    pub route: Option<Arc<Route>>,
    /// When what was learned by an exception ends.
    pub expires: Option<SimTime>,
    /// The gateway was learned by a redirect. Kernel: `RTCF_REDIRECTED`.
    pub redirected: bool,
}

impl Dst {
    /// A metric of the route; 0 if it says nothing. Kernel: `include/net/dst.h`, `dst_metric`.
    pub fn metric(&self, number: u8) -> u32 {
        let metrics = self.route.iter().flat_map(|route| &route.metrics);
        metrics.filter(|metric| metric.number == number).map(|metric| metric.value).next().unwrap_or(0)
    }
}

/// A routing decision for a received packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputRoute {
    /// For this host: an own address, broadcast or multicast.
    Local(Dst),
    /// For another host.
    Forward(Dst),
    /// Refused with an ICMP unreachable of this code. Kernel: `ip_error`.
    Unreachable {
        /// Code of type 3.
        code: u8,
    },
}
