use std::net::Ipv4Addr;
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use world::Store;

use super::ip::FAMILIES;

/// What the flags of the control plane say: what `kubeadm init` was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterSettings {
    /// `--pod-network-cidr`: nodes get subnets of it.
    pub pod_cidr: Option<Ipv4Net>,
    /// `--node-cidr-mask-size`.
    pub node_mask: u8,
    /// `--service-cluster-ip-range`.
    pub service_cidr: Ipv4Net,
    /// Its second part, which makes a cluster's Services dual-stack.
    pub service_cidr6: Option<Ipv6Net>,
    /// `--service-node-port-range`, both included.
    pub node_ports: (u16, u16),
    /// `--cluster-domain`.
    pub domain: String,
    /// The address of the kube-dns Service that kubelets write into pods.
    pub dns: Ipv4Addr,
    /// Where the API server listens.
    pub api_server: (Ipv4Addr, u16),
}

impl ClusterSettings {
    /// Its key in the store.
    pub const KEY: &'static str = "/cluster/settings";

    /// The cluster's settings; none if there is no cluster.
    pub fn of(store: &Store) -> Option<Arc<Self>> {
        store.get(Self::KEY)?.get()
    }

    /// The range of a family's cluster IPs, `IPv4` or `IPv6`.
    pub fn service_range(&self, family: &str) -> Option<IpNet> {
        match family {
            "IPv4" => Some(self.service_cidr.into()),
            "IPv6" => self.service_cidr6.map(IpNet::from),
            _ => None,
        }
    }

    /// The families that Services can have; the first is the usual one.
    pub fn families(&self) -> Vec<&'static str> {
        FAMILIES.into_iter().filter(|family| self.service_range(family).is_some()).collect()
    }
}

impl Default for ClusterSettings {
    fn default() -> Self {
        Self {
            pod_cidr: Some(Ipv4Net::new_assert(Ipv4Addr::new(10, 244, 0, 0), 16)),
            node_mask: 24,
            service_cidr: Ipv4Net::new_assert(Ipv4Addr::new(10, 96, 0, 0), 12),
            service_cidr6: None,
            node_ports: (30000, 32767),
            domain: "cluster.local".to_owned(),
            dns: Ipv4Addr::new(10, 96, 0, 10),
            api_server: (Ipv4Addr::LOCALHOST, 6443),
        }
    }
}
