use serde_json::json;

use super::{BalancerPlan, Cloud, Cluster, Network, NodePlan, dns, network, pki, proxy};
use crate::cloud;
use crate::cni;
use crate::controllers::flags::CLOUD;

/// Where the manifests lie on the first node of the control plane.
pub(super) const MANIFESTS: &str = "/etc/kubernetes/addons";

/// The file of the cluster's administrator.
pub(super) const ADMIN: &str = "/etc/kubernetes/admin.conf";

/// What kubeadm's package puts beside the kubelet's unit.
const KUBELET_DROP_IN: &str = "\
# Note: This dropin only works with kubeadm and kubelet v1.11+
[Service]
Environment=\"KUBELET_KUBECONFIG_ARGS=--kubeconfig=/etc/kubernetes/kubelet.conf\"
Environment=\"KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml\"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
";

/// The files of a node. `kubeadm` runs the control plane as static pods.
///
/// Simplified: here its parts are services of systemd.
pub(super) fn of(cluster: &Cluster, node: &NodePlan) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut add = |path: &str, text: String| files.push((path.to_owned(), text));
    for path in cni::paths(cni::Release::V1_9) {
        add(&path, "ELF\n".to_owned());
    }
    add("/var/lib/kubelet/config.yaml", kubelet_config(cluster));
    add("/etc/kubernetes/kubelet.conf", kubeconfig(cluster, &format!("system:node:{}", node.name)));
    add(
        "/usr/lib/systemd/system/kubelet.service",
        unit("kubelet: The Kubernetes Node Agent", "kubelet", &[]),
    );
    add("/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf", KUBELET_DROP_IN.to_owned());
    let mut args: Vec<String> = node.ip.iter().map(|ip| format!("--node-ip={ip}")).collect();
    if let Network::Kubenet { cloud } = &cluster.network {
        args.push("--network-plugin=kubenet".to_owned());
        args.extend(cloud.map(|Cloud::Aws| "--cloud-provider=aws".to_owned()));
    }
    args.extend(node.kubelet.iter().cloned());
    add("/etc/default/kubelet", format!("KUBELET_EXTRA_ARGS=\"{}\"\n", args.join(" ")));
    if !node.control_plane {
        return files;
    }
    add(ADMIN, kubeconfig(cluster, "kubernetes-admin"));
    let settings = &cluster.settings;
    let (ip, port) = settings.api_server;
    let (low, high) = settings.node_ports;
    let ranges: Vec<String> = settings
        .families()
        .iter()
        .filter_map(|family| Some(settings.service_range(family)?.to_string()))
        .collect();
    for (path, text) in pki::files(&node.name, settings) {
        add(&path, text);
    }
    let api_server = [
        format!("--advertise-address={ip}"),
        format!("--secure-port={port}"),
        format!("--service-cluster-ip-range={}", ranges.join(",")),
        format!("--service-node-port-range={low}-{high}"),
        "--authorization-mode=Node,RBAC".to_owned(),
        format!("--client-ca-file={}", pki::AUTHORITY),
        format!("--tls-cert-file={}", pki::SERVER),
        format!("--tls-private-key-file={}", pki::SERVER_KEY),
    ];
    let mut manager = Vec::new();
    if let Some(cidr) = settings.pod_cidr {
        manager.push("--allocate-node-cidrs=true".to_owned());
        manager.push(format!("--cluster-cidr={cidr}"));
        manager.push(format!("--node-cidr-mask-size={}", settings.node_mask));
    }
    if let Network::Kubenet { cloud: Some(Cloud::Aws) } = &cluster.network {
        manager.push("--cloud-provider=aws".to_owned());
        manager.push("--configure-cloud-routes=true".to_owned());
    }
    manager.push(format!("--root-ca-file={}", pki::AUTHORITY));
    for (name, args) in [
        ("kube-apiserver", api_server.to_vec()),
        ("kube-controller-manager", manager),
        ("kube-scheduler", Vec::new()),
        ("cloud-controller-manager", vec![format!("--cloud-provider={CLOUD}")]),
    ] {
        if name == "cloud-controller-manager" && cluster.balancer.is_none() {
            continue;
        }
        add(&format!("/etc/systemd/system/{name}.service"), unit(name, name, &args));
    }
    if let Some(text) = cluster.proxy.manifest(settings) {
        add(&format!("{MANIFESTS}/{}", proxy::MANIFEST), text);
    }
    if let Some((path, text)) = of_network(cluster) {
        add(&path, text);
    }
    if let Some(text) = cluster.dns.manifest(settings) {
        add(&format!("{MANIFESTS}/{}", dns::MANIFEST), text);
    }
    for (name, text) in &cluster.manifests {
        add(&format!("{MANIFESTS}/{name}"), text.clone());
    }
    files
}

/// The unit that plays the cloud's balancers.
pub(super) fn of_balancer(balancer: &BalancerPlan) -> (String, String) {
    let args = [format!("--addresses={}", balancer.addresses)];
    let text = unit("The cloud's balancers", cloud::PROGRAM, &args);
    (format!("/etc/systemd/system/{}.service", cloud::PROGRAM), text)
}

/// The pod network's manifest.
pub(super) fn of_network(cluster: &Cluster) -> Option<(String, String)> {
    let text = cluster.network.manifest(&cluster.settings)?;
    Some((format!("{MANIFESTS}/{}", network::MANIFEST), text))
}

fn unit(description: &str, program: &str, args: &[String]) -> String {
    let args: String = args.iter().map(|arg| format!(" \\\n  {arg}")).collect();
    format!(
        "[Unit]\nDescription={description}\n\n[Service]\nExecStart=/usr/bin/{program}{args}\nRestart=always\n\n\
         [Install]\nWantedBy=multi-user.target\n"
    )
}

fn kubelet_config(cluster: &Cluster) -> String {
    let settings = &cluster.settings;
    format!(
        "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nclusterDNS:\n- {}\n\
         clusterDomain: {}\nstaticPodPath: /etc/kubernetes/manifests\n",
        settings.dns, settings.domain
    )
}

/// A client's configuration. JSON is YAML.
fn kubeconfig(cluster: &Cluster, user: &str) -> String {
    let (ip, port) = cluster.settings.api_server;
    let context = format!("{user}@kubernetes");
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "kubernetes", "cluster": {"server": format!("https://{ip}:{port}")}}],
        "users": [{"name": user, "user": {}}],
        "contexts": [{"name": context, "context": {"cluster": "kubernetes", "user": user}}],
        "current-context": context,
    });
    serde_saphyr::to_string(&config).unwrap_or_default()
}
