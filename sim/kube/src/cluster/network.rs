use serde_json::json;

use crate::api::ClusterSettings;

/// The name of the pod network's manifest.
pub(super) const MANIFEST: &str = "kube-flannel.yml";

/// A cluster's pod network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// None: nodes have no CNI configuration.
    #[default]
    None,
    /// flannel's DaemonSet.
    Flannel {
        /// `Backend.Type` of net-conf.json.
        backend: String,
        /// Whether peers on the same subnet are reached without a tunnel.
        direct_routing: bool,
        /// Further arguments of flanneld, e.g. `--iface=eth1`.
        args: Vec<String>,
    },
    /// kubenet, with a cloud's routes or with somebody's own.
    Kubenet {
        /// The cloud whose route table the controller manager writes.
        cloud: Option<Cloud>,
    },
}

/// A cloud that knows where nodes' pods are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cloud {
    /// AWS: the route table of the VPC.
    Aws,
}

/// flannel's manifest with places for network, backend and arguments.
const FLANNEL: &str = include_str!("kube-flannel.yml");

impl Network {
    /// What `kubectl apply` is given to install it.
    pub fn manifest(&self, settings: &ClusterSettings) -> Option<String> {
        let Self::Flannel { backend, direct_routing, args } = self else { return None };
        let mut settings_of_backend = json!({"Type": backend});
        if *direct_routing {
            settings_of_backend["DirectRouting"] = true.into();
        }
        let network = settings.pod_cidr.map(|cidr| cidr.to_string()).unwrap_or_default();
        let args: String = args.iter().map(|arg| format!("\n        - {arg}")).collect();
        let text = FLANNEL
            .replace("NETWORK", &network)
            .replace("BACKEND", &settings_of_backend.to_string())
            .replace("\n        # further arguments", &args);
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::manifest;

    #[test]
    fn the_manifest_holds_backend_and_arguments() {
        let args = vec!["--iface=eth1".to_owned()];
        let network = Network::Flannel { backend: "vxlan".to_owned(), direct_routing: true, args };
        let text = network.manifest(&ClusterSettings::default()).expect("flannel has a manifest");
        let objects = manifest::read(&text).expect("it is read without a complaint");
        let kinds: Vec<&str> = objects.iter().map(|object| object.resource.kind).collect();
        assert_eq!(kinds, ["Namespace", "ServiceAccount", "ConfigMap", "DaemonSet"]);
        let conf = objects[2].object["data"]["net-conf.json"].as_str().expect("a text");
        let conf: serde_json::Value = serde_json::from_str(conf).expect("JSON");
        assert_eq!(conf["Network"], "10.244.0.0/16");
        assert_eq!(conf["Backend"], json!({"Type": "vxlan", "DirectRouting": true}));
        let container = &objects[3].object["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["args"][3], "--iface=eth1");
    }
}
