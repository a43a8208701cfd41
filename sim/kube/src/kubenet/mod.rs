//! kubenet: how kubelets up to 1.23 made pods' networks with `--network-plugin=kubenet`. Kubernetes:
//! `pkg/kubelet/dockershim/network/kubenet`.
//!
//! A bridge `cbr0` has the first address of the node's podCIDR; the plugins `bridge`, `host-local`
//! and `loopback` join pods to it by a configuration that lies in no file. Nodes reach each other's
//! pods because somebody else made routes: a cloud's route table, or a person.
//!
//! Simplified: the ebtables rules against packets that a promiscuous bridge doubles (chain
//! `KUBE-DEDUP`), traffic shaping, and the sockets that keep host ports taken are left out.

mod hostport;

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use kernel::request::LinkChange;
use serde_json::json;
use world::Sys;

use crate::cni::iptables::{Iptables, words};
use crate::cni::{go_text, link};

pub use hostport::PortMapping;

/// The bridge.
pub const BRIDGE: &str = "cbr0";
/// The MTU if no interface tells one. Kubernetes: `fallbackMTU`.
const FALLBACK_MTU: u32 = 1460;

/// `--hairpin-mode`: how a pod reaches itself by a Service's address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hairpin {
    /// `promiscuous-bridge`: the bridge takes all frames.
    #[default]
    PromiscuousBridge,
    /// `hairpin-veth`: a port may send back what came by it.
    Veth,
    /// `none`.
    None,
}

impl Hairpin {
    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "promiscuous-bridge" => Some(Self::PromiscuousBridge),
            "hairpin-veth" => Some(Self::Veth),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

/// What kubenet was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kubenet {
    /// `--hairpin-mode`.
    pub hairpin: Hairpin,
    /// `--non-masquerade-cidr`: what leaves for elsewhere gets the node's address.
    pub non_masquerade: String,
    /// `--network-plugin-mtu`; the smallest of the node's interfaces if not given.
    pub mtu: Option<u32>,
}

impl Default for Kubenet {
    fn default() -> Self {
        Self { hairpin: Hairpin::default(), non_masquerade: "10.0.0.0/8".to_owned(), mtu: None }
    }
}

/// A pod's sandbox that has its address.
#[derive(Clone, Debug)]
pub struct Sandbox<'a> {
    /// The sandbox.
    pub id: &'a str,
    /// The pod's name.
    pub name: &'a str,
    /// The pod's namespace.
    pub namespace: &'a str,
    /// Its ports that the node has too.
    pub ports: &'a [PortMapping],
}

impl Kubenet {
    /// What it does before the first pod. Kubernetes: `Init`.
    ///
    /// # Errors
    /// The rule can't be made.
    pub fn init(&self, sys: &mut dyn Sys) -> Result<(), String> {
        let netns = sys.netns();
        // The original warns and goes on.
        let _ = link::sysctl(sys, netns, "net.bridge.bridge-nf-call-iptables", "1");
        hostport::utility_chains(sys)?;
        self.ensure_masquerade(sys)
    }

    /// Kubernetes: `ensureMasqRule`.
    fn ensure_masquerade(&self, sys: &mut dyn Sys) -> Result<(), String> {
        if self.non_masquerade == "0.0.0.0/0" {
            return Ok(());
        }
        let rule = words(&[
            "-m",
            "comment",
            "--comment",
            "kubenet: SNAT for outbound traffic from cluster",
            "-m",
            "addrtype",
            "!",
            "--dst-type",
            "LOCAL",
            "!",
            "-d",
            &self.non_masquerade,
            "-j",
            "MASQUERADE",
        ]);
        Iptables { sys, table: "nat" }.append_unique("POSTROUTING", &rule).map_err(|error| {
            format!("failed to ensure that nat chain POSTROUTING jumps to MASQUERADE: {error}")
        })
    }

    /// The configuration of the plugin `bridge` for the node's podCIDR; none if that is no subnet.
    /// Kubernetes: `NET_CONFIG_TEMPLATE`.
    pub fn plugin_config(&self, sys: &mut dyn Sys, pod_cidr: &str) -> Option<String> {
        let subnet: Ipv4Net = pod_cidr.parse().ok()?;
        let gateway = Ipv4Addr::from(u32::from(subnet.network()).checked_add(1)?);
        let config = json!({
            "cniVersion": "0.1.0",
            "name": "kubenet",
            "type": "bridge",
            "bridge": BRIDGE,
            "mtu": self.mtu.unwrap_or_else(|| smallest_mtu(sys)),
            "addIf": "eth0",
            "isGateway": true,
            "ipMasq": false,
            "hairpinMode": self.hairpin == Hairpin::Veth,
            "ipam": {
                "type": "host-local",
                "ranges": [[{"subnet": subnet.trunc().to_string(), "gateway": gateway.to_string()}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        });
        Some(config.to_string())
    }

    /// What is left to do when the plugins have joined a pod. Kubernetes: `setup`, its second half.
    ///
    /// # Errors
    /// In kubenet's words.
    pub fn joined(&self, sys: &mut dyn Sys, sandbox: &Sandbox<'_>, address: Ipv4Addr) -> Result<(), String> {
        let netns = sys.netns();
        if self.hairpin == Hairpin::PromiscuousBridge {
            let bridge = link::find(sys, netns, BRIDGE);
            let bridge = bridge.ok_or_else(|| format!("failed to lookup {BRIDGE:?}: Link not found"))?;
            if bridge.promiscuity == 0 {
                link::set(sys, netns, BRIDGE, LinkChange::Promisc(true)).map_err(|errno| {
                    format!("error setting promiscuous mode on {BRIDGE}: {}", go_text(errno))
                })?;
            }
        }
        hostport::add(sys, sandbox, address)?;
        self.ensure_masquerade(sys)
    }

    /// What is left to do when the plugins have let a pod go. Kubernetes: `teardown`.
    ///
    /// # Errors
    /// In kubenet's words.
    pub fn left(&self, sys: &mut dyn Sys, sandbox: &Sandbox<'_>) -> Result<(), String> {
        hostport::remove(sys, sandbox)?;
        self.ensure_masquerade(sys)
    }
}

/// The smallest MTU of the interfaces that are up. Kubernetes: `findMinMTU`.
fn smallest_mtu(sys: &mut dyn Sys) -> u32 {
    const UP: u32 = 0x1;
    const LOOPBACK_OR_POINT_TO_POINT: u32 = 0x8 | 0x10;
    let netns = sys.netns();
    let links = sys.links(netns, None);
    let usable =
        links.iter().filter(|link| link.flags & UP != 0 && link.flags & LOOPBACK_OR_POINT_TO_POINT == 0);
    usable.map(|link| link.mtu).min().filter(|mtu| *mtu >= 576).unwrap_or(FALLBACK_MTU)
}
