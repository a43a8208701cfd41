use std::time::Duration;

use ipnet::Ipv4Net;

use super::queue::Controller;

/// Which of the two runs controllers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Component {
    /// `kube-controller-manager`.
    #[default]
    Kube,
    /// `cloud-controller-manager`: the controllers that ask the cloud for something.
    Cloud,
}

impl Component {
    const fn name(self) -> &'static str {
        match self {
            Self::Kube => "kube-controller-manager",
            Self::Cloud => "cloud-controller-manager",
        }
    }

    /// Whether a controller is one of its own.
    fn has(self, controller: Controller) -> bool {
        (controller == Controller::ServiceLb) == (self == Self::Cloud)
    }
}

/// What `kube-controller-manager` or `cloud-controller-manager` is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Which of them it is.
    component: Component,
    /// `--controllers`, word by word.
    controllers: Vec<String>,
    /// `--allocate-node-cidrs`; if not said, as the cluster's settings have pod CIDRs or not.
    pub allocate_node_cidrs: Option<bool>,
    /// `--cluster-cidr`.
    pub cluster_cidr: Option<Ipv4Net>,
    /// `--node-cidr-mask-size`.
    pub node_mask: Option<u8>,
    /// `--node-monitor-grace-period`.
    pub node_grace: Option<Duration>,
    /// `--cloud-provider`.
    pub cloud_provider: String,
    /// `--cluster-name`.
    pub cluster_name: Option<String>,
    /// `--root-ca-file`.
    pub root_ca_file: Option<String>,
    /// `--configure-cloud-routes`; true if not said.
    pub cloud_routes: Option<bool>,
}

/// The cloud whose balancers `cloud-balancer` plays.
pub const CLOUD: &str = "lab";

/// Flags that change nothing here.
const INERT: &[&str] = &[
    "allow-untagged-cloud",
    "authentication-kubeconfig",
    "authorization-always-allow-paths",
    "authorization-kubeconfig",
    "bind-address",
    "cert-dir",
    "client-ca-file",
    "cloud-config",
    "cluster-signing-cert-file",
    "cluster-signing-duration",
    "cluster-signing-key-file",
    "feature-gates",
    "kube-api-burst",
    "kube-api-qps",
    "kubeconfig",
    "leader-elect",
    "leader-elect-lease-duration",
    "leader-elect-renew-deadline",
    "leader-elect-retry-period",
    "master",
    "port",
    "profiling",
    "requestheader-allowed-names",
    "requestheader-client-ca-file",
    "secure-port",
    "service-account-private-key-file",
    "service-cluster-ip-range",
    "terminated-pod-gc-threshold",
    "tls-cert-file",
    "tls-private-key-file",
    "use-service-account-credentials",
    "v",
];

/// Controllers of a real cluster whose objects aren't simulated.
const OTHERS: &[&str] = &[
    "bootstrap-signer-controller",
    "bootstrapsigner",
    "certificatesigningrequest-approving-controller",
    "certificatesigningrequest-cleaner-controller",
    "certificatesigningrequest-signing-controller",
    "cloud-node-lifecycle-controller",
    "clusterrole-aggregation-controller",
    "cronjob-controller",
    "cronjob",
    "disruption-controller",
    "disruption",
    "ephemeral-volume-controller",
    "horizontal-pod-autoscaler-controller",
    "horizontalpodautoscaling",
    "job-controller",
    "job",
    "legacy-serviceaccount-token-cleaner-controller",
    "persistentvolume-attach-detach-controller",
    "persistentvolume-binder-controller",
    "persistentvolume-expander-controller",
    "persistentvolume-protection-controller",
    "persistentvolumeclaim-protection-controller",
    "replicationcontroller-controller",
    "replicationcontroller",
    "resourcequota-controller",
    "resourcequota",
    "service-lb-controller",
    "service",
    "serviceaccount-token-controller",
    "storageversion-garbage-collector-controller",
    "token-cleaner-controller",
    "tokencleaner",
    "ttl-after-finished-controller",
    "ttl-controller",
    "ttl",
    "validatingadmissionpolicy-status-controller",
];

/// Reads flags as Go's pflag does: `--name=value`, `--name value`, `--switch`.
///
/// # Errors
/// A flag that doesn't exist, or whose value is none.
pub fn pairs(args: &[String], switches: &[&str]) -> Result<Vec<(String, String)>, String> {
    let mut pairs = Vec::new();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let Some(flag) = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-')) else {
            return Err(format!("unknown command {arg:?}"));
        };
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None if switches.contains(&flag) => (flag, "true".to_owned()),
            None => (flag, rest.next().cloned().ok_or_else(|| format!("flag needs an argument: --{flag}"))?),
        };
        pairs.push((name.to_owned(), value));
    }
    Ok(pairs)
}

pub fn invalid(name: &str, value: &str, why: &str) -> String {
    format!("invalid argument {value:?} for \"--{name}\" flag: {why}")
}

/// A Go duration that isn't negative: `40s`, `1m30s`, `500ms`.
pub fn duration(text: &str) -> Option<Duration> {
    u64::try_from(tools::pflag::duration(text)?).ok().map(Duration::from_nanos)
}

impl Flags {
    /// Reads the program's name and its arguments.
    ///
    /// # Errors
    /// What the real one would say, or that a flag isn't simulated.
    pub fn parse(args: &[String]) -> Result<Self, String> {
        let switches = [
            "allocate-node-cidrs",
            "configure-cloud-routes",
            "leader-elect",
            "profiling",
            "use-service-account-credentials",
        ];
        let program = args.first().and_then(|path| path.rsplit('/').next());
        let component =
            if program == Some(Component::Cloud.name()) { Component::Cloud } else { Component::Kube };
        let mut flags = Self { component, ..Self::default() };
        for (name, value) in pairs(args.get(1..).unwrap_or_default(), &switches)? {
            let truth = || {
                let why = format!("strconv.ParseBool: parsing {value:?}: invalid syntax");
                value.parse::<bool>().map(Some).map_err(|_| invalid(&name, &value, &why))
            };
            match name.as_str() {
                "controllers" => flags.controllers = value.split(',').map(str::to_owned).collect(),
                "allocate-node-cidrs" => flags.allocate_node_cidrs = truth()?,
                "cloud-provider" => {
                    let known: &[&str] = match component {
                        Component::Kube => &["", "aws", "external"],
                        Component::Cloud => &[CLOUD],
                    };
                    if !known.contains(&value.as_str()) {
                        let program = component.name();
                        return Err(format!("hoplab: {program} --cloud-provider={value} is not simulated"));
                    }
                    flags.cloud_provider = value;
                }
                "root-ca-file" => flags.root_ca_file = Some(value),
                "cluster-name" => flags.cluster_name = Some(value),
                "configure-cloud-routes" => flags.cloud_routes = truth()?,
                "cluster-cidr" => {
                    let first = value.split(',').find_map(|cidr| cidr.parse::<Ipv4Net>().ok());
                    let why = "no IPv4 CIDR";
                    flags.cluster_cidr = Some(first.ok_or_else(|| invalid(&name, &value, why))?);
                }
                "node-cidr-mask-size" | "node-cidr-mask-size-ipv4" => {
                    let mask = value.parse().ok().filter(|mask| *mask <= 32);
                    flags.node_mask = Some(mask.ok_or_else(|| invalid(&name, &value, "no prefix length"))?);
                }
                "node-monitor-grace-period" => {
                    let why = format!("time: invalid duration {value:?}");
                    flags.node_grace = Some(duration(&value).ok_or_else(|| invalid(&name, &value, &why))?);
                }
                inert if INERT.contains(&inert) => {}
                _ => return Err(format!("hoplab: {} --{name} is not simulated", component.name())),
            }
        }
        for word in &flags.controllers {
            let name = word.trim_start_matches('-');
            let known = Controller::ALL.iter().any(|one| component.has(*one) && one.is_called(name));
            if name != "*" && !known && !OTHERS.contains(&name) {
                return Err(format!("{word:?} is not in the list of known controllers"));
            }
        }
        Ok(flags)
    }

    /// Whether a controller is to run. Kubernetes: `IsControllerEnabled`.
    pub fn enables(&self, controller: Controller) -> bool {
        if !self.component.has(controller) {
            return false;
        }
        if self.controllers.is_empty() {
            return true;
        }
        for word in &self.controllers {
            if let Some(name) = word.strip_prefix('-') {
                if controller.is_called(name) {
                    return false;
                }
            } else if controller.is_called(word) {
                return true;
            }
        }
        self.controllers.iter().any(|word| word == "*")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_and_refused() {
        for (line, expected) in [
            ("--controllers=*,-deployment-controller --leader-elect", Ok((false, true))),
            ("--controllers replicaset", Ok((false, true))),
            ("--controllers=*,-replicaset-controller,job", Ok((true, false))),
            ("--node-monitor-grace-period 1m10s --cluster-cidr=10.0.0.0/8", Ok((true, true))),
            (
                "--controllers=endpoint-maker",
                Err("\"endpoint-maker\" is not in the list of known controllers"),
            ),
            (
                "--node-monitor-grace-period=ten",
                Err(
                    "invalid argument \"ten\" for \"--node-monitor-grace-period\" flag: time: invalid duration \
                     \"ten\"",
                ),
            ),
            ("--kubeconfig", Err("flag needs an argument: --kubeconfig")),
            (
                "--node-eviction-rate=1",
                Err("hoplab: kube-controller-manager --node-eviction-rate is not simulated"),
            ),
        ] {
            let line = format!("kube-controller-manager {line}");
            let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let found = Flags::parse(&args)
                .map(|flags| (flags.enables(Controller::Deployment), flags.enables(Controller::ReplicaSet)));
            assert_eq!(found, expected.map_err(str::to_owned), "{line}");
        }
        assert_eq!(duration("1m500ms"), Some(Duration::from_millis(60_500)));
    }
}
