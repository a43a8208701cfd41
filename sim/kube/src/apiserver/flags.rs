//! What `kube-apiserver` is told.

use std::net::Ipv4Addr;

/// Flags that have an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flags {
    /// `--advertise-address`.
    pub advertised: Option<Ipv4Addr>,
    /// `--bind-address`.
    pub bind: Ipv4Addr,
    /// `--secure-port`.
    pub port: u16,
    /// `--tls-cert-file` and `--tls-private-key-file`.
    pub certificate: Option<(String, String)>,
    /// `--client-ca-file`.
    pub client_ca: Option<String>,
    /// `--anonymous-auth`: whether those count who don't say who they are.
    pub anonymous: bool,
    /// `--authorization-mode`.
    pub mode: Mode,
}

/// Who may do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everybody.
    AlwaysAllow,
    /// Nobody.
    AlwaysDeny,
    /// Whom roles allow it.
    Rbac,
}

/// Flags without effect: what they say stands in the cluster's settings, or isn't simulated.
const WITHOUT_EFFECT: &[&str] = &[
    "admission-control",
    "allow-privileged",
    "apiserver-count",
    "audit-log-path",
    "cloud-provider",
    "disable-admission-plugins",
    "enable-admission-plugins",
    "enable-aggregator-routing",
    "enable-bootstrap-token-auth",
    "endpoint-reconciler-type",
    "etcd-cafile",
    "etcd-certfile",
    "etcd-keyfile",
    "etcd-prefix",
    "etcd-servers",
    "event-ttl",
    "external-hostname",
    "feature-gates",
    "kubelet-certificate-authority",
    "kubelet-client-certificate",
    "kubelet-client-key",
    "kubelet-preferred-address-types",
    "kubelet-timeout",
    "profiling",
    "proxy-client-cert-file",
    "proxy-client-key-file",
    "requestheader-allowed-names",
    "requestheader-client-ca-file",
    "requestheader-extra-headers-prefix",
    "requestheader-group-headers",
    "requestheader-username-headers",
    "runtime-config",
    "service-account-issuer",
    "service-account-key-file",
    "service-account-signing-key-file",
    "service-cluster-ip-range",
    "service-node-port-range",
    "storage-backend",
    "token-auth-file",
    "v",
];

impl Flags {
    /// Reads the program's arguments.
    ///
    /// # Errors
    /// A flag that doesn't exist, or whose value is none.
    pub fn parse(args: &[String]) -> Result<Self, String> {
        let mut flags = Self {
            advertised: None,
            bind: Ipv4Addr::UNSPECIFIED,
            port: 6443,
            certificate: None,
            client_ca: None,
            anonymous: true,
            mode: Mode::AlwaysAllow,
        };
        let (mut certificate, mut key) = (None, None);
        let mut words = args.iter().skip(1).peekable();
        while let Some(word) = words.next() {
            let flag = word.strip_prefix("--").ok_or_else(|| format!("unknown command {word:?}"))?;
            let (name, attached) =
                flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
            let value = match attached {
                Some(value) => value,
                None if words.peek().is_some_and(|next| !next.starts_with("--")) => {
                    words.next().map_or("", String::as_str)
                }
                None => "true",
            };
            let invalid = || format!("invalid argument {value:?} for \"--{name}\" flag");
            match name {
                "advertise-address" => flags.advertised = Some(value.parse().map_err(|_| invalid())?),
                "bind-address" => flags.bind = value.parse().map_err(|_| invalid())?,
                "secure-port" => flags.port = value.parse().map_err(|_| invalid())?,
                "tls-cert-file" => certificate = Some(value.to_owned()),
                "tls-private-key-file" => key = Some(value.to_owned()),
                "client-ca-file" => flags.client_ca = Some(value.to_owned()),
                "anonymous-auth" => flags.anonymous = value.parse().map_err(|_| invalid())?,
                "authorization-mode" => flags.mode = mode(value)?,
                name if WITHOUT_EFFECT.contains(&name) => {}
                name => return Err(format!("unknown flag: --{name}")),
            }
        }
        flags.certificate = certificate.zip(key);
        // Everybody may do everything, but not without a name.
        flags.anonymous &= flags.mode != Mode::AlwaysAllow;
        Ok(flags)
    }
}

/// Simplified: nodes have all rights, as they ask nobody.
fn mode(value: &str) -> Result<Mode, String> {
    let mut mode = Mode::AlwaysDeny;
    for word in value.split(',') {
        mode = match word {
            "RBAC" if mode != Mode::AlwaysAllow => Mode::Rbac,
            "AlwaysAllow" => Mode::AlwaysAllow,
            "RBAC" | "Node" | "AlwaysDeny" => mode,
            "ABAC" | "Webhook" => {
                return Err(format!("hoplab: kube-apiserver --authorization-mode={word} is not simulated"));
            }
            other => {
                return Err(format!("authorization-mode {other:?} is not a valid mode"));
            }
        };
    }
    Ok(mode)
}
