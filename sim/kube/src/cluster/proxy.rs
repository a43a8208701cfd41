use serde_json::{Value, json};

use crate::api::ClusterSettings;
use crate::api::manifest;
use crate::kubectl::yaml;
use crate::proxy::{Profile, split_arguments};

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

/// kubeadm's objects, with places for what differs.
const KUBE_PROXY: &str = include_str!("kube-proxy.yml");
/// The configuration that kubeadm writes if it is told nothing.
const CONFIGURATION: &str = include_str!("kube-proxy-config.yml");
/// Where a container has it.
const FOLDER: &str = "/var/lib/kube-proxy";

impl Proxy {
    /// What `kubectl apply` is given to install it: a ConfigMap holds what it is told, arguments too
    /// if a configuration has fields for them.
    ///
    /// Simplified: older ones, which know less of it, are told all by arguments.
    pub fn manifest(&self, settings: &ClusterSettings) -> Option<String> {
        let Self::KubeProxy { version, mode, args } = self else { return None };
        let mut told: Vec<String> = Vec::new();
        told.extend(settings.pod_cidr.map(|cidr| format!("--cluster-cidr={cidr}")));
        told.extend((!mode.is_empty()).then(|| format!("--proxy-mode={mode}")));
        told.extend(args.iter().cloned());
        let name = "--hostname-override=$(NODE_NAME)".to_owned();
        let (mut words, mut own, mut mount, mut volume) = (vec![name], String::new(), "", "");
        let mut field = "";
        if Profile::of_version(version) == Some(Profile::V1_30) {
            let (configuration, rest) = split_arguments(&told);
            words.insert(0, format!("--config={FOLDER}/config.conf"));
            words.extend(rest);
            own = format!("---\n{}", config_map(&configuration, settings));
            mount = "\n        - {name: kube-proxy, mountPath: /var/lib/kube-proxy}";
            volume = "\n      - {name: kube-proxy, configMap: {name: kube-proxy}}";
        } else {
            field = "\n        args:";
            words.extend(told);
        }
        let words: String = words.iter().map(|word| format!("\n        - {word}")).collect();
        let words = format!("{field}{words}");
        let text = KUBE_PROXY.replace("VERSION", version).replace("\n        # arguments", &words);
        let text = text.replace("\n        # mounts", mount).replace("\n      # volumes", volume);
        Some(text.replace("# configuration\n", &own))
    }
}

/// The ConfigMap that the DaemonSet mounts.
fn config_map(configuration: &Value, settings: &ClusterSettings) -> String {
    let documents = manifest::values(CONFIGURATION).unwrap_or_default();
    let mut whole = documents.into_iter().next().unwrap_or_default();
    merge(&mut whole, configuration);
    let (ip, port) = settings.api_server;
    let folder = "/var/run/secrets/kubernetes.io/serviceaccount";
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "cluster": {"certificate-authority": format!("{folder}/ca.crt"), "server": format!("https://{ip}:{port}")},
            "name": "default",
        }],
        "contexts": [{
            "context": {"cluster": "default", "namespace": "default", "user": "default"},
            "name": "default",
        }],
        "current-context": "default",
        "users": [{"name": "default", "user": {"tokenFile": format!("{folder}/token")}}],
    });
    yaml::print(&json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"labels": {"app": "kube-proxy"}, "name": "kube-proxy", "namespace": "kube-system"},
        "data": {"config.conf": yaml::print(&whole), "kubeconfig.conf": yaml::print(&kubeconfig)},
    }))
}

/// Takes over what is said.
fn merge(whole: &mut Value, said: &Value) {
    match (whole, said) {
        (_, Value::Null) => {}
        (Value::Object(whole), Value::Object(said)) => {
            for (field, value) in said {
                merge(whole.entry(field).or_insert(Value::Null), value);
            }
        }
        (whole, said) => *whole = said.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The objects of a proxy's manifest: their kinds, the container, and the configuration.
    fn objects(version: &str, args: &[&str]) -> (Vec<&'static str>, Value, Value) {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        let proxy = Proxy::KubeProxy { version: version.to_owned(), mode: String::new(), args };
        let text = proxy.manifest(&ClusterSettings::default()).expect("kube-proxy has a manifest");
        let objects = manifest::read(&text).expect("it is read without a complaint");
        let last = objects.last().expect("there are some");
        let container = last.object["spec"]["template"]["spec"]["containers"][0].clone();
        let config = objects.get(1).and_then(|map| map.object["data"]["config.conf"].as_str());
        let config = manifest::values(config.unwrap_or_default()).expect("it is YAML");
        let kinds = objects.iter().map(|object| object.resource.kind).collect();
        (kinds, container, config.into_iter().next().unwrap_or_default())
    }

    #[test]
    fn a_config_map_holds_what_it_can_of_the_arguments() {
        let args = ["--masquerade-all", "--nodeport-addresses=10.0.0.0/8", "--v", "4", "--nonsense=1"];
        let (kinds, container, config) = objects("v1.30.5", &args);
        assert_eq!(kinds, ["ServiceAccount", "ConfigMap", "DaemonSet"]);
        assert_eq!(container["image"], "registry.k8s.io/kube-proxy:v1.30.5");
        let words = [
            "/usr/local/bin/kube-proxy",
            "--config=/var/lib/kube-proxy/config.conf",
            "--hostname-override=$(NODE_NAME)",
            "--v=4",
            "--nonsense=1",
        ];
        assert_eq!(container["command"], json!(words));
        assert_eq!(config["clusterCIDR"], "10.244.0.0/16");
        assert_eq!(config["iptables"]["masqueradeAll"], true);
        assert_eq!(config["iptables"]["masqueradeBit"], Value::Null);
        assert_eq!(config["nodePortAddresses"], json!(["10.0.0.0/8"]));
    }

    #[test]
    fn older_ones_have_arguments() {
        let (kinds, container, _) = objects("v1.9.11", &["--masquerade-all"]);
        assert_eq!(kinds, ["ServiceAccount", "DaemonSet"]);
        assert_eq!(container["args"][1], "--cluster-cidr=10.244.0.0/16");
        assert_eq!(container["args"][2], "--masquerade-all");
    }
}
