//! Requests about devices, namespaces and forwarding entries, and their dumps.

use packet::{NetnsId, SimTime};
use trace::Observer;

use crate::dump::{FdbInfo, LinkInfo};
use crate::request::{FdbSpec, LinkAdd, LinkChange, Mode, Reply};
use crate::{Cx, Errno, Host, Refusal};

impl Host {
    /// All devices of `netns` in order of index.
    pub fn links(&self, netns: NetnsId) -> Vec<LinkInfo> {
        let _ = netns;
        Vec::new()
    }

    /// All forwarding entries of the bridges and vxlans of `netns`.
    pub fn fdb(&self, netns: NetnsId, now: SimTime) -> Vec<FdbInfo> {
        let _ = (netns, now);
        Vec::new()
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Makes a device. Kernel: `rtnl_newlink` in `net/core/rtnetlink.c`.
    pub fn link_add(&mut self, netns: NetnsId, add: LinkAdd) -> Result<Reply, Refusal> {
        let _ = (netns, add);
        Err(Errno::OpNotSupp.into())
    }

    /// Changes a device. Kernel: `do_setlink` in `net/core/rtnetlink.c`.
    pub fn link_set(&mut self, netns: NetnsId, dev: &str, changes: Vec<LinkChange>) -> Result<Reply, Refusal> {
        let _ = (netns, dev, changes);
        Err(Errno::OpNotSupp.into())
    }

    /// Deletes a device. Kernel: `rtnl_dellink` in `net/core/rtnetlink.c`.
    pub fn link_del(&mut self, netns: NetnsId, dev: &str) -> Result<Reply, Refusal> {
        let _ = (netns, dev);
        Err(Errno::OpNotSupp.into())
    }

    /// Makes a namespace and names it (`ip netns add`).
    pub fn netns_add(&mut self, netns: NetnsId, name: &str) -> Result<Reply, Refusal> {
        let _ = (netns, name);
        Err(Errno::OpNotSupp.into())
    }

    /// Removes a namespace's name; the namespace goes when nobody uses it (`ip netns del`).
    pub fn netns_del(&mut self, netns: NetnsId, name: &str) -> Result<Reply, Refusal> {
        let _ = (netns, name);
        Err(Errno::OpNotSupp.into())
    }

    /// Gives a named namespace an id in `netns` (`ip netns set`).
    pub fn netns_set_id(&mut self, netns: NetnsId, name: &str, id: Option<u32>) -> Result<Reply, Refusal> {
        let _ = (netns, name, id);
        Err(Errno::OpNotSupp.into())
    }

    /// A process enters `netns`: it lives at least until [`Cx::netns_put`].
    pub fn netns_get(&mut self, netns: NetnsId) {
        let _ = netns;
    }

    /// A process leaves `netns`; a namespace without name and process is cleaned up.
    pub fn netns_put(&mut self, netns: NetnsId) {
        let _ = netns;
    }

    /// The deleted namespace's devices go. Kernel: `cleanup_net`; called by `on_timer`.
    pub fn cleanup_net(&mut self, netns: NetnsId) {
        let _ = netns;
    }

    /// A bridge sends its IGMP reports; called by `on_timer` for [`crate::Timer::Bridge`].
    pub fn bridge_timer(&mut self, dev: packet::DevId, round: u8) {
        let _ = (dev, round);
    }

    /// Adds a forwarding entry. Kernel: `rtnl_fdb_add` in `net/core/rtnetlink.c`.
    pub fn fdb_add(&mut self, netns: NetnsId, spec: FdbSpec, mode: Mode) -> Result<Reply, Refusal> {
        let _ = (netns, spec, mode);
        Err(Errno::OpNotSupp.into())
    }

    /// Deletes a forwarding entry. Kernel: `rtnl_fdb_del` in `net/core/rtnetlink.c`.
    pub fn fdb_del(&mut self, netns: NetnsId, spec: FdbSpec) -> Result<Reply, Refusal> {
        let _ = (netns, spec);
        Err(Errno::OpNotSupp.into())
    }

    /// Removes all forwarding entries of a bridge or vxlan, or those of one port.
    pub fn fdb_flush(&mut self, netns: NetnsId, dev: &str, port: Option<&str>) -> Result<Reply, Refusal> {
        let _ = (netns, dev, port);
        Err(Errno::OpNotSupp.into())
    }
}
