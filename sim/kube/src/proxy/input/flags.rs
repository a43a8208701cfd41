//! Flags of kube-proxy that stand for fields of its configuration.

use std::net::IpAddr;

use super::configuration::{Conntrack, DetectLocal, Iptables, KubeProxyConfiguration};
use super::{GoDuration, settings};
use crate::controllers::flags::invalid;

impl KubeProxyConfiguration {
    /// Does what a flag says; answers whether it is one of the configuration's.
    ///
    /// # Errors
    /// What pflag says of a value that doesn't fit.
    pub fn set(&mut self, name: &str, value: &str) -> Result<bool, String> {
        let flag = Flag { name, value };
        if let Some(field) = name.strip_prefix("conntrack-") {
            return self.conntrack.get_or_insert_default().set(field, &flag);
        }
        match name {
            "proxy-mode" => self.mode = flag.text(),
            "bind-address" => self.bind_address = Some(flag.ip()?),
            "bind-address-hard-fail" => self.bind_address_hard_fail = Some(flag.truth()?),
            "healthz-bind-address" => self.healthz_bind_address = flag.text(),
            "metrics-bind-address" => self.metrics_bind_address = flag.text(),
            "profiling" => self.enable_profiling = Some(flag.truth()?),
            "cluster-cidr" => self.cluster_cidr = flag.text(),
            "detect-local-mode" => self.detect_local_mode = flag.text(),
            "pod-bridge-interface" => self.detect_local().bridge_interface = flag.text(),
            "pod-interface-name-prefix" => self.detect_local().interface_name_prefix = flag.text(),
            "masquerade-all" => self.iptables().masquerade_all = Some(flag.truth()?),
            "iptables-masquerade-bit" => self.iptables().masquerade_bit = Some(flag.number()?),
            "iptables-localhost-nodeports" => self.iptables().localhost_node_ports = Some(flag.truth()?),
            "iptables-min-sync-period" => self.iptables().min_sync_period = Some(flag.duration()?),
            "iptables-sync-period" => self.iptables().sync_period = Some(flag.duration()?),
            "nodeport-addresses" => {
                let all = self.node_port_addresses.get_or_insert_default();
                all.extend(value.split(',').filter(|text| !text.is_empty()).map(str::to_owned));
            }
            "oom-score-adj" => self.oom_score_adj = Some(flag.number()?),
            "config-sync-period" => self.config_sync_period = Some(flag.duration()?),
            "feature-gates" => {
                let gates = self.feature_gates.get_or_insert_default();
                for pair in value.split(',').filter(|pair| !pair.is_empty()) {
                    let malformed = || flag.wrong("malformed pair, expect string=bool");
                    let (gate, said) = pair.split_once('=').ok_or_else(malformed)?;
                    let (gate, said) = (gate.trim(), said.trim());
                    let why = || format!("invalid value of {gate}: {said}, err: {}", no_truth(said));
                    gates.insert(gate.to_owned(), said.parse().map_err(|_| flag.wrong(&why()))?);
                }
            }
            "kubeconfig" => self.client_connection.get_or_insert_default().kubeconfig = flag.text(),
            "proxy-port-range" => {
                settings::port_range(value).map_err(|why| flag.wrong(&why))?;
                self.port_range = flag.text();
            }
            "udp-timeout" => self.udp_idle_timeout = Some(flag.duration()?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn iptables(&mut self) -> &mut Iptables {
        self.iptables.get_or_insert_default()
    }

    fn detect_local(&mut self) -> &mut DetectLocal {
        self.detect_local.get_or_insert_default()
    }
}

impl Conntrack {
    fn set(&mut self, field: &str, flag: &Flag<'_>) -> Result<bool, String> {
        match field {
            "max-per-core" => self.max_per_core = Some(flag.number()?),
            "min" => self.min = Some(flag.number()?),
            "tcp-timeout-established" => self.tcp_established_timeout = Some(flag.duration()?),
            "tcp-timeout-close-wait" => self.tcp_close_wait_timeout = Some(flag.duration()?),
            "tcp-be-liberal" => self.tcp_be_liberal = Some(flag.truth()?),
            "udp-timeout" => self.udp_timeout = Some(flag.duration()?),
            "udp-timeout-stream" => self.udp_stream_timeout = Some(flag.duration()?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// What Go says of a text that is neither true nor false.
fn no_truth(text: &str) -> String {
    format!("strconv.ParseBool: parsing {text:?}: invalid syntax")
}

/// A flag with its value.
struct Flag<'a> {
    name: &'a str,
    value: &'a str,
}

impl Flag<'_> {
    fn wrong(&self, why: &str) -> String {
        invalid(self.name, self.value, why)
    }

    fn text(&self) -> Option<String> {
        Some(self.value.to_owned())
    }

    fn ip(&self) -> Result<String, String> {
        let wrong = |_| self.wrong(&format!("{:?} is not a valid IP address", self.value));
        self.value.parse::<IpAddr>().map(|ip| ip.to_string()).map_err(wrong)
    }

    fn truth(&self) -> Result<bool, String> {
        self.value.parse().map_err(|_| self.wrong(&no_truth(self.value)))
    }

    fn number(&self) -> Result<i32, String> {
        let why = || format!("strconv.ParseInt: parsing {:?}: invalid syntax", self.value);
        self.value.parse().map_err(|_| self.wrong(&why()))
    }

    fn duration(&self) -> Result<GoDuration, String> {
        let nanos = tools::pflag::duration(self.value);
        let nanos = nanos.ok_or_else(|| self.wrong(&format!("time: invalid duration {:?}", self.value)))?;
        Ok(GoDuration { nanos })
    }
}
