use crate::api::ClusterSettings;

/// The name of CoreDNS's manifest.
pub(super) const MANIFEST: &str = "coredns.yml";

/// The Corefile that kubeadm 1.30 writes for the domain cluster.local.
pub const COREFILE: &str = ".:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30
    loop
    reload
    loadbalance
}
";

/// What answers a cluster's DNS queries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Dns {
    /// Nothing.
    #[default]
    None,
    /// CoreDNS as a Deployment behind the Service kube-dns.
    CoreDns {
        /// The tag of its image, e.g. `v1.11.1`.
        version: String,
        /// How many pods.
        replicas: u32,
        /// Its Corefile; kubeadm's for the cluster's domain if there is none.
        corefile: Option<String>,
    },
}

/// CoreDNS's manifest with places for what differs.
const COREDNS: &str = include_str!("coredns.yml");

impl Dns {
    /// What `kubectl apply` is given to install it.
    pub fn manifest(&self, settings: &ClusterSettings) -> Option<String> {
        let Self::CoreDns { version, replicas, corefile } = self else { return None };
        let default = || COREFILE.replace("cluster.local", &settings.domain);
        let corefile = corefile.clone().unwrap_or_else(default);
        let lines: Vec<&str> = corefile.lines().collect();
        let text = COREDNS
            .replace("VERSION", version)
            .replace("REPLICAS", &replicas.to_string())
            .replace("ADDRESS", &settings.dns.to_string())
            .replace("COREFILE", &lines.join("\n    "));
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::manifest;

    #[test]
    fn the_manifest_holds_kubeadms_objects() {
        let dns = Dns::CoreDns { version: "v1.11.1".to_owned(), replicas: 2, corefile: None };
        let text = dns.manifest(&ClusterSettings::default()).expect("CoreDNS has a manifest");
        let objects = manifest::read(&text).expect("it is read without a complaint");
        let kinds: Vec<&str> = objects.iter().map(|object| object.resource.kind).collect();
        assert_eq!(kinds, ["ServiceAccount", "ConfigMap", "Deployment", "Service"]);
        assert_eq!(objects[1].object["data"]["Corefile"], COREFILE);
        let container = &objects[2].object["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["image"], "registry.k8s.io/coredns/coredns:v1.11.1");
        assert_eq!(objects[3].object["spec"]["clusterIP"], "10.96.0.10");
    }
}
