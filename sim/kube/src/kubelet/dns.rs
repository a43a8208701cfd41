//! What a pod's resolver and hosts file say. Kubernetes: `pkg/kubelet/network/dns/dns.go`.

use k8s_openapi::api::core::v1::Pod;
use world::Sys;

use super::config::Config;
use crate::api;

/// What a pod's resolv.conf is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodDns {
    /// `nameserver`.
    pub servers: Vec<String>,
    /// `search`.
    pub searches: Vec<String>,
    /// `options`.
    pub options: Vec<String>,
}

/// Servers that a resolver takes.
const MAX_SERVERS: usize = 3;
/// Domains that a resolver takes.
const MAX_SEARCHES: usize = 32;
/// Bytes of one domain.
const MAX_SEARCH: usize = 253;
/// Bytes of all, with the spaces between them.
const MAX_SEARCH_LINE: usize = 2048;

/// A warning: reason and message of an event.
pub type Warning = (&'static str, String);

fn push_new(list: &mut Vec<String>, more: impl IntoIterator<Item = String>) {
    for item in more {
        if !list.contains(&item) {
            list.push(item);
        }
    }
}

impl PodDns {
    /// The node's own.
    fn of_host(sys: &mut dyn Sys, config: &Config) -> Self {
        let mut dns = Self::default();
        if config.resolv_conf.is_empty() {
            return Self { servers: vec!["127.0.0.1".to_owned()], searches: vec![".".to_owned()], ..dns };
        }
        let text = tools::file::read(sys, &config.resolv_conf).unwrap_or_default();
        for line in text.lines() {
            let mut words = line.split_whitespace().map(str::to_owned);
            match words.next().as_deref() {
                Some("nameserver") => dns.servers.extend(words.next()),
                Some("search") => dns.searches = words.collect(),
                Some("options") => dns.options = words.collect(),
                _ => {}
            }
        }
        dns
    }

    /// A pod's, by its policy and its own settings; with warnings of what can't be kept.
    pub fn of(sys: &mut dyn Sys, config: &Config, pod: &Pod) -> (Self, Vec<Warning>) {
        let mut warnings = Vec::new();
        let Some(spec) = &pod.spec else { return (Self::default(), warnings) };
        let policy = match spec.dns_policy.as_deref() {
            Some("ClusterFirst") if spec.host_network == Some(true) => "Default",
            Some(policy) => policy,
            None => "ClusterFirst",
        };
        let mut dns = match policy {
            "None" => Self::default(),
            _ => Self::of_host(sys, config),
        };
        if policy.starts_with("ClusterFirst") {
            if config.cluster_dns.is_empty() {
                let message = format!(
                    "pod: \"{}_{}({})\". kubelet does not have ClusterDNS IP configured and cannot create Pod using \
                     \"{policy}\" policy. Falling back to \"Default\" policy.",
                    api::name_of(pod),
                    api::namespace_of(pod),
                    pod.metadata.uid.as_deref().unwrap_or_default(),
                );
                warnings.push(("MissingClusterDNS", message));
            } else {
                let domain = &config.cluster_domain;
                let mut searches = Vec::new();
                if !domain.is_empty() {
                    let namespace = api::namespace_of(pod);
                    searches =
                        vec![format!("{namespace}.svc.{domain}"), format!("svc.{domain}"), domain.clone()];
                }
                push_new(&mut searches, dns.searches);
                dns = Self {
                    servers: config.cluster_dns.clone(),
                    searches,
                    options: vec!["ndots:5".to_owned()],
                };
            }
        }
        if let Some(own) = &spec.dns_config {
            push_new(&mut dns.servers, own.nameservers.iter().flatten().cloned());
            push_new(&mut dns.searches, own.searches.iter().flatten().cloned());
            for option in own.options.iter().flatten() {
                let name = option.name.clone().unwrap_or_default();
                dns.options.retain(|old| old.split(':').next() != Some(&name));
                dns.options.push(match &option.value {
                    Some(value) => format!("{name}:{value}"),
                    None => name,
                });
            }
        }
        warnings.extend(dns.limit());
        (dns, warnings)
    }

    /// Leaves out what no resolver takes. Kubernetes: `formDNSConfigFitsLimits`.
    fn limit(&mut self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut warn = |what: &str, line: &str, kept: &[String]| {
            let kept = kept.join(" ");
            warnings.push((
                "DNSConfigForming",
                format!("{what} have been omitted, the applied {line} line is: {kept}"),
            ));
        };
        if self.servers.len() > MAX_SERVERS {
            self.servers.truncate(MAX_SERVERS);
            warn("Nameserver limits were exceeded, some nameservers", "nameserver", &self.servers);
        }
        let asked = self.searches.len();
        self.searches.truncate(MAX_SEARCHES);
        self.searches.retain(|search| search.len() <= MAX_SEARCH);
        while self.searches.join(" ").len() > MAX_SEARCH_LINE {
            self.searches.pop();
        }
        if self.searches.len() < asked {
            warn("Search Line limits were exceeded, some search paths", "search", &self.searches);
        }
        warnings
    }

    /// A resolv.conf as containerd writes it.
    pub fn resolv_conf(&self) -> String {
        let mut text = String::new();
        if !self.searches.is_empty() {
            text.push_str(&format!("search {}\n", self.searches.join(" ")));
        }
        for server in &self.servers {
            text.push_str(&format!("nameserver {server}\n"));
        }
        if !self.options.is_empty() {
            text.push_str(&format!("options {}\n", self.options.join(" ")));
        }
        text
    }
}

/// A pod's host name and, if it has a subdomain, its full name.
pub fn hostname(config: &Config, pod: &Pod) -> (String, Option<String>) {
    let spec = pod.spec.as_ref();
    let given = spec.and_then(|spec| spec.hostname.as_deref()).filter(|name| !name.is_empty());
    let short: String = given.unwrap_or_else(|| api::name_of(pod)).chars().take(63).collect();
    let short = short.trim_end_matches(['-', '.']).to_owned();
    let subdomain = spec.and_then(|spec| spec.subdomain.as_deref()).filter(|name| !name.is_empty());
    let full = subdomain.map(|subdomain| {
        format!("{short}.{subdomain}.{}.svc.{}", api::namespace_of(pod), config.cluster_domain)
    });
    (short, full)
}

/// A pod's /etc/hosts. Kubernetes: `managedHostsFileContent`.
pub fn hosts(sys: &mut dyn Sys, config: &Config, pod: &Pod, address: Option<std::net::Ipv4Addr>) -> String {
    let spec = pod.spec.as_ref();
    let host_network = spec.is_some_and(|spec| spec.host_network == Some(true));
    let mut text = if host_network {
        let own = tools::file::read(sys, "/etc/hosts").unwrap_or_default();
        format!("# Kubernetes-managed hosts file (host network).\n{own}")
    } else {
        let mut text = "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost \
                        ip6-loopback\nfe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\n\
                        fe00::2\tip6-allrouters\n"
            .to_owned();
        if let Some(address) = address {
            let (short, full) = hostname(config, pod);
            let names = full.map_or(short.clone(), |full| format!("{full}\t{short}"));
            text.push_str(&format!("{address}\t{names}\n"));
        }
        text
    };
    let aliases = spec.and_then(|spec| spec.host_aliases.as_ref()).filter(|aliases| !aliases.is_empty());
    if let Some(aliases) = aliases {
        text.push_str("\n# Entries added by HostAliases.\n");
        for alias in aliases {
            let names = alias.hostnames.clone().unwrap_or_default().join("\t");
            text.push_str(&format!("{}\t{names}\n", alias.ip));
        }
    }
    text
}
