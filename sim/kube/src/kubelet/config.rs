use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use k8s_openapi::api::core::v1::Taint;
use serde_json::Value;
use world::Sys;

use crate::kubenet::{Hairpin, Kubenet};

/// What the kubelet was told: flags, and the file that `--config` names.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `--node-ip`.
    pub node_ip: Option<Ipv4Addr>,
    /// `--hostname-override`, otherwise the host's name.
    pub node_name: String,
    /// `--cni-conf-dir`.
    pub conf_dir: String,
    /// `--cni-bin-dir`.
    pub bin_dir: String,
    /// `--network-plugin=kubenet`.
    pub kubenet: bool,
    /// What kubenet was told.
    pub kubenet_options: Kubenet,
    /// `--pod-cidr`, for a kubelet without an API server.
    pub pod_cidr: Option<Ipv4Net>,
    /// `--cluster-dns`.
    pub cluster_dns: Vec<String>,
    /// `--cluster-domain`.
    pub cluster_domain: String,
    /// `--resolv-conf`.
    pub resolv_conf: String,
    /// `--pod-manifest-path`; none if empty.
    pub manifests: String,
    /// `--max-pods`.
    pub max_pods: u32,
    /// `--node-labels`.
    pub labels: BTreeMap<String, String>,
    /// `--register-with-taints`.
    pub taints: Vec<Taint>,
    /// `--register-node`.
    pub register: bool,
}

/// Flags without effect that have a value.
const WITHOUT_EFFECT: &[&str] = &[
    "address",
    "authentication-token-webhook",
    "authorization-mode",
    "bootstrap-kubeconfig",
    "cert-dir",
    "cgroup-driver",
    "cgroup-root",
    "client-ca-file",
    "cloud-config",
    "cloud-provider",
    "container-runtime",
    "container-runtime-endpoint",
    "event-qps",
    "eviction-hard",
    "feature-gates",
    "healthz-bind-address",
    "healthz-port",
    "image-gc-high-threshold",
    "image-gc-low-threshold",
    "image-service-endpoint",
    "kube-reserved",
    "kubeconfig",
    "kubelet-cgroups",
    "log-dir",
    "logging-format",
    "node-status-update-frequency",
    "pod-infra-container-image",
    "provider-id",
    "read-only-port",
    "root-dir",
    "runtime-cgroups",
    "seccomp-default",
    "system-reserved",
    "tls-cert-file",
    "tls-private-key-file",
    "v",
    "volume-plugin-dir",
];

/// Switches without effect.
const SWITCHES: &[&str] = &[
    "allow-privileged",
    "anonymous-auth",
    "fail-swap-on",
    "logtostderr",
    "rotate-certificates",
    "rotate-server-certificates",
    "serialize-image-pulls",
];

impl Config {
    fn new(sys: &dyn Sys) -> Self {
        Self {
            node_ip: None,
            node_name: sys.hostname().to_lowercase(),
            conf_dir: "/etc/cni/net.d".to_owned(),
            bin_dir: "/opt/cni/bin".to_owned(),
            kubenet: false,
            kubenet_options: Kubenet::default(),
            pod_cidr: None,
            cluster_dns: Vec::new(),
            cluster_domain: String::new(),
            resolv_conf: "/etc/resolv.conf".to_owned(),
            manifests: String::new(),
            max_pods: 110,
            labels: BTreeMap::new(),
            taints: Vec::new(),
            register: true,
        }
    }

    /// Reads the flags; those on the command line come before what the file says.
    ///
    /// # Errors
    /// In the kubelet's words.
    pub fn parse(sys: &mut dyn Sys, args: &[String]) -> Result<Self, String> {
        let mut config = Self::new(sys);
        let mut flags = Vec::new();
        let mut words = args.iter().skip(1);
        while let Some(word) = words.next() {
            let Some(flag) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else {
                return Err(format!("unknown command {word}"));
            };
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (flag, None),
            };
            if name == "register-node" || SWITCHES.contains(&name) {
                flags.push((name.to_owned(), value.unwrap_or_else(|| "true".to_owned())));
                continue;
            }
            let known = WITHOUT_EFFECT.contains(&name) || SETTINGS.contains(&name);
            if !known {
                return Err(format!("failed to parse kubelet flag: unknown flag: --{name}"));
            }
            let value = match value.or_else(|| words.next().cloned()) {
                Some(value) => value,
                None => {
                    return Err(format!("failed to parse kubelet flag: flag needs an argument: --{name}"));
                }
            };
            flags.push((name.to_owned(), value));
        }
        if let Some((_, path)) = flags.iter().find(|(name, _)| name == "config") {
            config.read_file(sys, path)?;
        }
        for (name, value) in &flags {
            config.set(name, value).map_err(|why| {
                format!(
                    "failed to parse kubelet flag: invalid argument {value:?} for \"--{name}\" flag: {why}"
                )
            })?;
        }
        Ok(config)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let list = || value.split(',').filter(|word| !word.is_empty()).map(str::to_owned);
        match name {
            "node-ip" => {
                let addr = value.parse().map_err(|_| format!("failed to parse IP: {value:?}"))?;
                self.node_ip = Some(addr).filter(|addr: &Ipv4Addr| !addr.is_unspecified());
            }
            "hostname-override" => self.node_name = value.trim().to_lowercase(),
            "cni-conf-dir" => self.conf_dir = value.trim_end_matches('/').to_owned(),
            "cni-bin-dir" => self.bin_dir = value.trim_end_matches('/').to_owned(),
            "network-plugin" if value == "kubenet" => self.kubenet = true,
            "network-plugin" => {
                return Err("hoplab: of the network plugins of old only kubenet is simulated".to_owned());
            }
            "non-masquerade-cidr" => value.clone_into(&mut self.kubenet_options.non_masquerade),
            "network-plugin-mtu" => {
                let mtu: u32 = value.parse().map_err(|_| "invalid syntax".to_owned())?;
                self.kubenet_options.mtu = Some(mtu).filter(|&mtu| mtu > 0);
            }
            "hairpin-mode" => {
                let mode = Hairpin::parse(value).ok_or(
                    "unknown value; \"promiscuous-bridge\", \"hairpin-veth\" \
                                                        and \"none\" are the values",
                )?;
                self.kubenet_options.hairpin = mode;
            }
            "pod-cidr" => self.pod_cidr = Some(value.parse().map_err(|_| "invalid CIDR address".to_owned())?),
            "cluster-dns" => self.cluster_dns = list().collect(),
            "cluster-domain" => self.cluster_domain = value.to_owned(),
            "resolv-conf" => self.resolv_conf = value.to_owned(),
            "pod-manifest-path" => self.manifests = value.trim_end_matches('/').to_owned(),
            "max-pods" => self.max_pods = value.parse().map_err(|_| "invalid syntax".to_owned())?,
            "register-node" => self.register = value == "true",
            "node-labels" => {
                for pair in list() {
                    let (key, value) = pair.split_once('=').unwrap_or((&pair, ""));
                    self.labels.insert(key.to_owned(), value.to_owned());
                }
            }
            "register-with-taints" => {
                for text in list() {
                    let (rest, effect) =
                        text.rsplit_once(':').ok_or_else(|| format!("invalid taint spec: {text}"))?;
                    let (key, value) =
                        rest.split_once('=').map_or((rest, None), |(key, value)| (key, Some(value)));
                    let value = value.map(str::to_owned);
                    let (key, effect) = (key.to_owned(), effect.to_owned());
                    self.taints.push(Taint { key, value, effect, time_added: None });
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// `KubeletConfiguration`.
    fn read_file(&mut self, sys: &mut dyn Sys, path: &str) -> Result<(), String> {
        let failed = |why: String| {
            format!(
                "failed to load kubelet config file, path: {path}, error: failed to load Kubelet config file {path}, error {why}"
            )
        };
        let text = tools::file::read(sys, path).ok_or_else(|| {
            failed(format!(
                "failed to read kubelet config file {path:?}, error: open {path}: no such file or directory"
            ))
        })?;
        let value: Value = serde_saphyr::from_str(&text).map_err(|error| failed(error.to_string()))?;
        let kind = value["kind"].as_str().unwrap_or_default();
        if kind != "KubeletConfiguration" {
            return Err(failed(format!("no kind \"{kind}\" is registered for the kubelet's configuration")));
        }
        let fields = [
            ("clusterDomain", "cluster-domain"),
            ("resolvConf", "resolv-conf"),
            ("staticPodPath", "pod-manifest-path"),
            ("podCIDR", "pod-cidr"),
            ("maxPods", "max-pods"),
            ("registerNode", "register-node"),
        ];
        for (field, flag) in fields {
            let text = match &value[field] {
                Value::String(text) => text.clone(),
                Value::Null => continue,
                other => other.to_string(),
            };
            self.set(flag, &text).map_err(|why| failed(format!("{field}: {why}")))?;
        }
        if let Some(servers) = value["clusterDNS"].as_array() {
            self.cluster_dns = servers.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        }
        for taint in value["registerWithTaints"].as_array().into_iter().flatten() {
            let taint = serde_json::from_value(taint.clone()).map_err(|error| failed(error.to_string()))?;
            self.taints.push(taint);
        }
        Ok(())
    }
}

/// Flags that have an effect.
const SETTINGS: &[&str] = &[
    "cluster-dns",
    "cluster-domain",
    "cni-bin-dir",
    "cni-conf-dir",
    "config",
    "hairpin-mode",
    "hostname-override",
    "max-pods",
    "network-plugin",
    "network-plugin-mtu",
    "node-ip",
    "node-labels",
    "non-masquerade-cidr",
    "pod-cidr",
    "pod-manifest-path",
    "register-with-taints",
    "resolv-conf",
];
