use crate::api::ClusterSettings;

/// The name of kube-proxy's manifest.
pub(super) const MANIFEST: &str = "kube-proxy.yml";

/// What implements a cluster's Services.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Proxy {
    /// Nothing.
    #[default]
    None,
    /// kube-proxy as a DaemonSet.
    KubeProxy {
        /// The tag of its image, e.g. `v1.30.5`.
        version: String,
        /// `iptables` or `userspace`; the version's own choice if empty.
        mode: String,
        /// Further arguments, e.g. `--masquerade-all`.
        args: Vec<String>,
    },
}

/// kube-proxy's manifest with places for version and arguments.
const KUBE_PROXY: &str = include_str!("kube-proxy.yml");

impl Proxy {
    /// What `kubectl apply` is given to install it.
    pub fn manifest(&self, settings: &ClusterSettings) -> Option<String> {
        let Self::KubeProxy { version, mode, args } = self else { return None };
        let mut words = Vec::new();
        words.extend(settings.pod_cidr.map(|cidr| format!("--cluster-cidr={cidr}")));
        words.extend((!mode.is_empty()).then(|| format!("--proxy-mode={mode}")));
        words.extend(args.iter().cloned());
        let words: String = words.iter().map(|word| format!("\n        - {word}")).collect();
        Some(KUBE_PROXY.replace("VERSION", version).replace("\n        # further arguments", &words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::manifest;

    #[test]
    fn the_manifest_holds_version_and_arguments() {
        let args = vec!["--masquerade-all".to_owned()];
        let proxy = Proxy::KubeProxy { version: "v1.30.5".to_owned(), mode: String::new(), args };
        let text = proxy.manifest(&ClusterSettings::default()).expect("kube-proxy has a manifest");
        let objects = manifest::read(&text).expect("it is read without a complaint");
        let kinds: Vec<&str> = objects.iter().map(|object| object.resource.kind).collect();
        assert_eq!(kinds, ["ServiceAccount", "DaemonSet"]);
        let container = &objects[1].object["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["image"], "registry.k8s.io/kube-proxy:v1.30.5");
        assert_eq!(container["args"][1], "--cluster-cidr=10.244.0.0/16");
        assert_eq!(container["args"][2], "--masquerade-all");
    }
}
