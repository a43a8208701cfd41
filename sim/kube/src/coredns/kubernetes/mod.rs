//! The kubernetes plugin: names of Services, endpoints and pods. CoreDNS: `plugin/kubernetes` and
//! `plugin/backend_lookup.go`.

mod answer;
mod lookup;
mod name_server;
mod question;
mod reverse;

use std::net::IpAddr;

pub(super) use answer::{Chase, Served, address_record};

use super::cluster::Cluster;
use super::corefile::{Endpoints, Kubernetes};
use super::entry::SliceEntry;
pub(super) use reverse::address as reverse_address;

/// The plugin of a server block.
#[derive(Clone, Debug)]
pub(super) struct Plugin {
    /// What the Corefile says.
    pub config: Kubernetes,
    /// The addresses that the process listens on, but for those of loopback.
    pub local: Vec<IpAddr>,
}

impl Plugin {
    /// The slices with an endpoint of an address.
    fn watched_slices_with<'a>(
        &'a self,
        address: IpAddr,
        cluster: &'a Cluster,
    ) -> impl Iterator<Item = &'a SliceEntry> {
        let watched = self.config.endpoints == Endpoints::Watched;
        let slices = cluster.slices_with(address).filter(move |_| watched);
        slices.filter(|slice| self.watches(&slice.labels))
    }
}
