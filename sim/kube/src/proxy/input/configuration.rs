use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::GoDuration;

/// The version of the kind that is read.
pub const API_VERSION: &str = "kubeproxy.config.k8s.io/v1alpha1";

/// What kube-proxy is told, by the file that `--config` names or by flags, with the fields of 1.30.
/// What isn't said is `None`.
///
/// Simplified: health and metrics are served at their usual addresses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct KubeProxyConfiguration {
    pub api_version: String,
    pub kind: String,
    pub feature_gates: Option<BTreeMap<String, bool>>,
    pub bind_address: Option<String>,
    pub healthz_bind_address: Option<String>,
    pub metrics_bind_address: Option<String>,
    pub bind_address_hard_fail: Option<bool>,
    pub enable_profiling: Option<bool>,
    #[serde(rename = "clusterCIDR")]
    pub cluster_cidr: Option<String>,
    pub hostname_override: Option<String>,
    pub client_connection: Option<ClientConnection>,
    pub iptables: Option<Iptables>,
    pub ipvs: Option<Ipvs>,
    pub nftables: Option<Nftables>,
    pub oom_score_adj: Option<i32>,
    pub mode: Option<String>,
    pub port_range: Option<String>,
    /// A flag up to 1.25.
    #[serde(skip)]
    pub udp_idle_timeout: Option<GoDuration>,
    pub conntrack: Option<Conntrack>,
    pub config_sync_period: Option<GoDuration>,
    pub node_port_addresses: Option<Vec<String>>,
    pub winkernel: Option<Winkernel>,
    pub show_hidden_metrics_for_version: Option<String>,
    pub detect_local_mode: Option<String>,
    pub detect_local: Option<DetectLocal>,
    pub logging: Option<Value>,
    pub windows_run_as_service: Option<bool>,
}

/// `clientConnection`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClientConnection {
    pub kubeconfig: Option<String>,
    pub accept_content_types: Option<String>,
    pub content_type: Option<String>,
    pub qps: Option<f32>,
    pub burst: Option<i32>,
}

/// `iptables`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Iptables {
    pub masquerade_bit: Option<i32>,
    pub masquerade_all: Option<bool>,
    pub localhost_node_ports: Option<bool>,
    pub sync_period: Option<GoDuration>,
    pub min_sync_period: Option<GoDuration>,
}

/// `ipvs`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Ipvs {
    pub sync_period: Option<GoDuration>,
    pub min_sync_period: Option<GoDuration>,
    pub scheduler: Option<String>,
    #[serde(rename = "excludeCIDRs")]
    pub exclude_cidrs: Option<Vec<String>>,
    #[serde(rename = "strictARP")]
    pub strict_arp: Option<bool>,
    pub tcp_timeout: Option<GoDuration>,
    pub tcp_fin_timeout: Option<GoDuration>,
    pub udp_timeout: Option<GoDuration>,
}

/// `nftables`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Nftables {
    pub masquerade_bit: Option<i32>,
    pub masquerade_all: Option<bool>,
    pub sync_period: Option<GoDuration>,
    pub min_sync_period: Option<GoDuration>,
}

/// `conntrack`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Conntrack {
    pub max_per_core: Option<i32>,
    pub min: Option<i32>,
    pub tcp_established_timeout: Option<GoDuration>,
    pub tcp_close_wait_timeout: Option<GoDuration>,
    pub tcp_be_liberal: Option<bool>,
    pub udp_timeout: Option<GoDuration>,
    pub udp_stream_timeout: Option<GoDuration>,
}

/// `winkernel`: nothing that Linux looks at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Winkernel {
    network_name: Option<String>,
    source_vip: Option<String>,
    #[serde(rename = "enableDSR")]
    enable_dsr: Option<bool>,
    root_hns_endpoint_name: Option<String>,
    forward_health_check_vip: Option<bool>,
}

/// `detectLocal`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DetectLocal {
    pub bridge_interface: Option<String>,
    pub interface_name_prefix: Option<String>,
}

impl Conntrack {
    /// The sysctls that kube-proxy sets when it starts, with the defaults of 1.30. Kubernetes:
    /// `setupConntrack`.
    ///
    /// Simplified: a node has one processor, so that `maxPerCore` counts once.
    pub fn sysctls(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let per_core = self.max_per_core.unwrap_or(32 * 1024);
        if per_core > 0 {
            let most = per_core.max(self.min.unwrap_or(128 * 1024));
            found.push(("net.netfilter.nf_conntrack_max".to_owned(), most.to_string()));
        }
        let timeout = |timeout: Option<GoDuration>, seconds: i64| {
            let timeout = timeout.unwrap_or(GoDuration::seconds(seconds)).positive().as_secs();
            (timeout > 0).then(|| timeout.to_string())
        };
        let liberal = self.tcp_be_liberal.unwrap_or(false).then(|| "1".to_owned());
        let settings = [
            ("nf_conntrack_tcp_timeout_established", timeout(self.tcp_established_timeout, 24 * 3600)),
            ("nf_conntrack_tcp_timeout_close_wait", timeout(self.tcp_close_wait_timeout, 3600)),
            ("nf_conntrack_tcp_be_liberal", liberal),
            ("nf_conntrack_udp_timeout", timeout(self.udp_timeout, 0)),
            ("nf_conntrack_udp_timeout_stream", timeout(self.udp_stream_timeout, 0)),
        ];
        let set = |(name, value): (&str, Option<String>)| Some((format!("net.netfilter.{name}"), value?));
        found.extend(settings.into_iter().filter_map(set));
        found
    }
}
