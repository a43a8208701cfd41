use packet::NetnsId;
use trace::Observer;

use crate::request::{Mode, RouteSpec};
use crate::{Cx, Refusal, RouteKind, TableId};

impl<O: Observer> Cx<'_, O> {
    /// Kernel: `net/ipv4/fib_frontend.c`, `inet_rtm_newroute`.
    pub(crate) fn route_add(&mut self, ns: NetnsId, spec: &RouteSpec, mode: Mode) -> Result<(), Refusal> {
        let config = self.host.route_config(ns, spec, false)?;
        self.host.fib_table_insert(ns, &config, mode)?;
        let fib = &mut self.host.ns_mut(ns).fib;
        fib.has_custom_local_routes |= config.kind == Some(RouteKind::Local);
        if config.table == TableId::LOCAL {
            fib.table_mut(TableId::MAIN);
        }
        Ok(())
    }

    /// Kernel: `net/ipv4/fib_frontend.c`, `inet_rtm_delroute`.
    pub(crate) fn route_del(&mut self, ns: NetnsId, spec: &RouteSpec) -> Result<(), Refusal> {
        let config = self.host.route_config(ns, spec, true)?;
        if let Some(id) = config.nhid {
            self.host.nexthop_by_id(ns, id)?;
        }
        self.host.fib_table_delete(ns, &config)
    }

    /// Forgets path MTUs and redirects. Kernel: `net/ipv4/route.c`, `ipv4_sysctl_rtcache_flush`.
    pub(crate) fn route_flush_cache(&mut self, ns: NetnsId) {
        self.host.ns_mut(ns).exceptions.clear();
    }
}
