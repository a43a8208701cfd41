//! The options of `flanneld`.

use std::net::IpAddr;
use std::time::Duration;

use tools::net::GoFlags;
use world::{Args, Sys};

/// What `flanneld` is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub etcd_endpoints: String,
    pub etcd_prefix: String,
    pub kube_subnet_mgr: bool,
    pub kube_annotation_prefix: String,
    pub iface: Vec<String>,
    pub iface_regex: Vec<String>,
    pub iface_can_reach: String,
    pub ip_masq: bool,
    pub random_fully: bool,
    pub subnet_file: String,
    pub public_ip: String,
    pub renew_margin: i64,
    pub healthz: (String, u16),
    pub resync: u64,
    pub forward_rules: bool,
    pub blackhole_route: bool,
    pub net_config_path: String,
    pub set_node_network_unavailable: bool,
    pub verbosity: u8,
    pub version: bool,
}

/// An option: its name in the record of options that is logged, its name, its default.
type Known = (&'static str, &'static str, &'static str);

/// Options with a value.
const VALUED: [Known; 20] = [
    ("etcdEndpoints", "etcd-endpoints", "http://127.0.0.1:4001,http://127.0.0.1:2379"),
    ("etcdPrefix", "etcd-prefix", "/coreos.com/network"),
    ("etcdKeyfile", "etcd-keyfile", ""),
    ("etcdCertfile", "etcd-certfile", ""),
    ("etcdCAFile", "etcd-cafile", ""),
    ("etcdUsername", "etcd-username", ""),
    ("etcdPassword", "etcd-password", ""),
    ("kubeApiUrl", "kube-api-url", ""),
    ("kubeAnnotationPrefix", "kube-annotation-prefix", "flannel.alpha.coreos.com"),
    ("kubeConfigFile", "kubeconfig-file", ""),
    ("ifaceCanReach", "iface-can-reach", ""),
    ("subnetFile", "subnet-file", "/run/flannel/subnet.env"),
    ("publicIP", "public-ip", ""),
    ("publicIPv6", "public-ipv6", ""),
    ("subnetLeaseRenewMargin", "subnet-lease-renew-margin", "60"),
    ("healthzIP", "healthz-ip", "0.0.0.0"),
    ("healthzPort", "healthz-port", "0"),
    ("iptablesResyncSeconds", "iptables-resync", "5"),
    ("netConfPath", "net-config-path", "/etc/kube-flannel/net-conf.json"),
    ("", "v", "0"),
];

/// Options that are on or off.
const SWITCHES: [Known; 7] = [
    ("version", "version", "false"),
    ("kubeSubnetMgr", "kube-subnet-mgr", "false"),
    ("ipMasq", "ip-masq", "false"),
    ("ipMasqRandomFullyDisable", "ip-masq-fully-random-disable", "false"),
    ("iptablesForwardRules", "iptables-forward-rules", "true"),
    ("blackholeRoute", "ip-blackhole-route", "false"),
    ("setNodeNetworkUnavailable", "set-node-network-unavailable", "true"),
];

/// The order of the record that is logged. flannel: `CmdLineOpts`.
const RECORD: [&str; 28] = [
    "etcdEndpoints",
    "etcdPrefix",
    "etcdKeyfile",
    "etcdCertfile",
    "etcdCAFile",
    "etcdUsername",
    "etcdPassword",
    "version",
    "kubeSubnetMgr",
    "kubeApiUrl",
    "kubeAnnotationPrefix",
    "kubeConfigFile",
    "iface",
    "ifaceRegex",
    "ipMasq",
    "ipMasqRandomFullyDisable",
    "ifaceCanReach",
    "subnetFile",
    "publicIP",
    "publicIPv6",
    "subnetLeaseRenewMargin",
    "healthzIP",
    "healthzPort",
    "iptablesResyncSeconds",
    "iptablesForwardRules",
    "blackholeRoute",
    "netConfPath",
    "setNodeNetworkUnavailable",
];

/// The options as typed and from the environment, by their names.
struct Given(GoFlags);

impl Given {
    fn text(&self, name: &str) -> String {
        let mut all = VALUED.iter().chain(&SWITCHES);
        let default = all.find(|(_, known, _)| *known == name).map_or("", |(_, _, default)| *default);
        self.0.get(name).unwrap_or(default).to_owned()
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, String> {
        let text = self.text(name);
        text.parse().map_err(|_| format!("invalid value \"{text}\" for flag -{name}: parse error"))
    }

    fn switch(&self, name: &str) -> Result<bool, String> {
        match self.text(name).as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
            text => Err(format!("invalid boolean value \"{text}\" for -{name}: parse error")),
        }
    }

    fn all(&self, name: &str) -> Vec<String> {
        let given = self.0.values.iter().filter(|(known, _)| known == name);
        given.map(|(_, value)| value.clone()).collect()
    }

    /// Go: `%+v` of the options.
    fn record(&self) -> String {
        let field = |field: &str| {
            let value = match field {
                "iface" => format!("[{}]", self.all("iface").join(" ")),
                "ifaceRegex" => format!("[{}]", self.all("iface-regex").join(" ")),
                _ => {
                    let mut all = VALUED.iter().chain(&SWITCHES);
                    all.find(|(known, ..)| *known == field)
                        .map_or(String::new(), |(_, name, _)| self.text(name))
                }
            };
            format!("{field}:{value}")
        };
        format!("{{{}}}", RECORD.map(field).join(" "))
    }
}

impl Options {
    /// The options, and the record of them that is logged.
    ///
    /// # Errors
    /// In the flag package's words.
    pub fn parse(sys: &dyn Sys, args: &Args) -> Result<(Self, String), String> {
        let names =
            |known: &[Known]| -> Vec<&'static str> { known.iter().map(|(_, name, _)| *name).collect() };
        let mut valued = names(&VALUED);
        valued.extend(["iface", "iface-regex", "vmodule", "log_backtrace_at"]);
        let switches = names(&SWITCHES);
        let mut flags = GoFlags::parse(args.get(1..).unwrap_or_default(), &valued, &switches)?;
        for name in valued.iter().chain(&switches) {
            let variable = format!("FLANNELD_{}", name.to_ascii_uppercase().replace('-', "_"));
            if let Some(value) =
                sys.env(&variable).filter(|value| !value.is_empty() && flags.get(name).is_none())
            {
                flags.values.push(((*name).to_owned(), value));
            }
        }
        let given = Given(flags);
        for name in ["etcd-keyfile", "etcd-certfile", "etcd-cafile", "etcd-username", "public-ipv6"] {
            if !given.text(name).is_empty() {
                return Err(format!("hoplab: flanneld -{name} is not simulated"));
            }
        }
        let options = Self {
            etcd_endpoints: given.text("etcd-endpoints"),
            etcd_prefix: given.text("etcd-prefix"),
            kube_subnet_mgr: given.switch("kube-subnet-mgr")?,
            kube_annotation_prefix: given.text("kube-annotation-prefix"),
            iface: given.all("iface"),
            iface_regex: given.all("iface-regex"),
            iface_can_reach: given.text("iface-can-reach"),
            ip_masq: given.switch("ip-masq")?,
            random_fully: !given.switch("ip-masq-fully-random-disable")?,
            subnet_file: given.text("subnet-file"),
            public_ip: given.text("public-ip"),
            renew_margin: given.number("subnet-lease-renew-margin")?,
            healthz: (given.text("healthz-ip"), given.number("healthz-port")?),
            resync: given.number("iptables-resync")?,
            forward_rules: given.switch("iptables-forward-rules")?,
            blackhole_route: given.switch("ip-blackhole-route")?,
            net_config_path: given.text("net-config-path"),
            set_node_network_unavailable: given.switch("set-node-network-unavailable")?,
            verbosity: given.number("v")?,
            version: given.switch("version")?,
        };
        Ok((options, given.record()))
    }

    /// How long before its end a lease is renewed.
    pub fn margin(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.renew_margin).unwrap_or(60) * 60)
    }

    /// How often rules are looked after.
    pub fn resync(&self) -> Duration {
        Duration::from_secs(self.resync.max(1))
    }

    /// Whether an interface is asked for.
    pub fn names_interface(&self) -> bool {
        !(self.iface.is_empty() && self.iface_regex.is_empty() && self.iface_can_reach.is_empty())
    }

    /// The address of the healthz server, if it is wanted.
    pub fn healthz_addr(&self) -> Option<std::net::SocketAddr> {
        let (ip, port) = &self.healthz;
        let ip: IpAddr = ip.parse().ok()?;
        (*port > 0).then_some(std::net::SocketAddr::new(ip, *port))
    }
}
