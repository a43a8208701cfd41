//! Services that lead nowhere, and proxies that don't know better.

use super::nat::service_field;
use super::network::{Network, Node, Pod, Service};
use super::probe::{At, Probe, To, Way};
use super::{Case, Fault};
use crate::culprit::{Culprit, Object};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "selector-typo",
        cause: "a Service's selector fits no pod: it has no endpoints",
        about: &["I13"],
        cases: selector_typo,
    },
    Fault {
        name: "target-port-wrong",
        cause: "a Service leads to a port on which its pods don't listen",
        about: &["I13"],
        cases: target_port,
    },
    Fault {
        name: "service-protocol-wrong",
        cause: "a Service has the wrong protocol",
        about: &["I13"],
        cases: protocol,
    },
    Fault {
        name: "pod-not-listening",
        cause: "the server in a pod listens on another port than its Service leads to",
        about: &["I13"],
        cases: not_listening,
    },
    Fault {
        name: "no-ready-endpoints",
        cause: "a pod's readiness probe asks for a page that isn't there: it is no endpoint",
        about: &["I13"],
        cases: not_ready,
    },
    Fault {
        name: "kube-proxy-stopped",
        cause: "kube-proxy doesn't run on any node: Services lead to pods that are gone",
        about: &["I13"],
        cases: proxy_stopped,
    },
    Fault {
        name: "local-external-policy",
        cause: "externalTrafficPolicy is Local, and the node that clients ask has no endpoint",
        about: &["INC-073", "issue 8"],
        cases: local_external,
    },
    Fault {
        name: "local-internal-policy",
        cause: "internalTrafficPolicy is Local, and the client's node has no endpoint",
        about: &["issue 8"],
        cases: local_internal,
    },
    Fault {
        name: "cluster-cidr-missing",
        cause: "kube-proxy doesn't know the pods' range: what a node asks of a Service keeps the wrong source",
        about: &["INC-051"],
        cases: cluster_cidr,
    },
    Fault {
        name: "endpoints-by-hand",
        cause: "a Service's endpoints were written by hand and lead to an address that nobody has",
        about: &["I13"],
        cases: endpoints_by_hand,
    },
    Fault {
        name: "server-on-localhost",
        cause: "the server in a pod listens on 127.0.0.1 only",
        about: &["I13"],
        cases: on_localhost,
    },
];

fn from_any(network: &Network, service: &Service) -> Option<Probe> {
    let endpoints: Vec<&Pod> = network.endpoints(service).collect();
    let client = network.pods.iter().find(|pod| endpoints.iter().all(|other| other.ip != pod.ip))?;
    Some(network.to_service(client.at(), service))
}

/// A case for each Service of TCP with pods.
fn each_service(network: &Network, make: impl Fn(&Service, Probe) -> Option<Case>) -> Vec<Case> {
    if network.admin().is_empty() {
        return Vec::new();
    }
    network.tcp_services().filter_map(|service| make(service, from_any(network, service)?)).collect()
}

/// `kubectl patch` of a Service.
fn patch(service: &Service, patch: &serde_json::Value) -> String {
    format!("kubectl -n {} patch service {} --type json -p '{patch}'", service.namespace, service.name)
}

fn replace(path: &str, value: impl serde::Serialize) -> serde_json::Value {
    serde_json::json!([{"op": "replace", "path": path, "value": value}])
}

/// A case that is one field of a Service.
fn field(
    network: &Network,
    service: &Service,
    probe: Probe,
    field: &str,
    (good, bad): (serde_json::Value, serde_json::Value),
) -> Case {
    let admin = network.admin();
    let object = service_field(&service.namespace, &service.name, field);
    let path = format!("/{}", field.replace(['.', '['], "/").replace(']', ""));
    Case::new(&service.name, probe, Culprit::in_cluster(object))
        .cause(format!("{field} of the Service {} is {bad}, not {good}", service.name))
        .breaks(admin, patch(service, &replace(&path, bad)))
        .fix(admin, patch(service, &replace(&path, good)))
}

fn selector_typo(network: &Network) -> Vec<Case> {
    each_service(network, |service, probe| {
        let good: serde_json::Map<_, _> =
            service.selector.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect();
        let mut bad = good.clone();
        if let Some(value) = bad.values_mut().next() {
            *value = format!("{}s", value.as_str()?).into();
        }
        Some(field(network, service, probe, "spec.selector", (good.into(), bad.into())))
    })
}

fn target_port(network: &Network) -> Vec<Case> {
    each_service(network, |service, probe| {
        let good = match service.target {
            Some(port) => serde_json::json!(port),
            None => serde_json::json!("http"),
        };
        Some(field(network, service, probe, "spec.ports[0].targetPort", (good, 8888.into())))
    })
}

fn protocol(network: &Network) -> Vec<Case> {
    each_service(network, |service, probe| {
        let only = service.node_port.is_none();
        only.then(|| field(network, service, probe, "spec.ports[0].protocol", ("TCP".into(), "UDP".into())))
    })
}

/// A server behind a Service that is told to listen elsewhere.
fn listens(network: &Network, listen: &str, cause: &str) -> Vec<Case> {
    let admin = network.admin();
    let single =
        network.single().filter(|(_, pod)| pod.owner == "ReplicaSet" && pod.image.contains("go-probe"));
    let Some((service, pod)) = single else { return Vec::new() };
    let Some(probe) = from_any(network, service) else { return Vec::new() };
    let app = pod.labels.iter().find(|(key, _)| key == "app").map_or("", |(_, value)| value.as_str());
    let object = Object::ApiObject {
        kind: "Deployment".to_owned(),
        namespace: pod.namespace.clone(),
        name: app.to_owned(),
        field: "spec.template.spec.containers[0].args".to_owned(),
    };
    let patch = |operation: serde_json::Value| {
        format!(
            "kubectl -n {} patch deployment {app} --type json -p '[{operation}]' && kubectl -n {} scale deployment {app} \
             --replicas=0 && sleep 3 && kubectl -n {} scale deployment {app} --replicas=1",
            pod.namespace, pod.namespace, pod.namespace
        )
    };
    let path = "/spec/template/spec/containers/0/args";
    let case = Case::new(&service.name, probe, Culprit::in_cluster(object))
        .cause(format!("{app} listens on {listen}: {cause}"))
        .breaks(admin, patch(serde_json::json!({"op": "add", "path": path, "value": ["-listen", listen]})))
        .fix(admin, patch(serde_json::json!({"op": "remove", "path": path})));
    vec![case]
}

fn not_listening(network: &Network) -> Vec<Case> {
    listens(network, ":8888", "nobody asks there")
}

fn on_localhost(network: &Network) -> Vec<Case> {
    listens(network, "127.0.0.1:80", "nobody else reaches it")
}

/// A workload with one pod that is probed, behind a Service.
fn not_ready(network: &Network) -> Vec<Case> {
    let admin = network.admin();
    let Some((service, pod)) = network.single().filter(|(_, pod)| pod.is_probed && pod.owner == "ReplicaSet")
    else {
        return Vec::new();
    };
    let Some(probe) = from_any(network, service) else { return Vec::new() };
    let app = pod.labels.iter().find(|(key, _)| key == "app").map_or("", |(_, value)| value.as_str());
    let object = Object::ApiObject {
        kind: "Deployment".to_owned(),
        namespace: pod.namespace.clone(),
        name: app.to_owned(),
        field: "spec.template.spec.containers[0].readinessProbe".to_owned(),
    };
    let set = |port: u16| {
        let path = "/spec/template/spec/containers/0/readinessProbe/httpGet/port";
        let patch = replace(path, port);
        // The old pod goes first, so that nobody serves meanwhile.
        format!(
            "kubectl -n {} patch deployment {app} --type json -p '{patch}' && kubectl -n {} scale deployment {app} \
             --replicas=0 && sleep 3 && kubectl -n {} scale deployment {app} --replicas=1",
            pod.namespace, pod.namespace, pod.namespace
        )
    };
    let Some(port) = pod.tcp() else { return Vec::new() };
    let case = Case::new(&service.name, probe, Culprit::in_cluster(object))
        .cause(format!("the readiness probe of {app} asks port 9999, where nobody listens"))
        .breaks(admin, set(9999))
        .fix(admin, set(port));
    vec![case]
}

const PROXY: &str = "kubectl -n kube-system patch daemonset kube-proxy";

fn proxy_stopped(network: &Network) -> Vec<Case> {
    let admin = network.admin();
    let Some((service, pod)) = network.single().filter(|(_, pod)| pod.owner == "ReplicaSet") else {
        return Vec::new();
    };
    let Some(probe) = from_any(network, service) else { return Vec::new() };
    let app = pod.labels.iter().find(|(key, _)| key == "app").map_or("", |(_, value)| value.as_str());
    let stop = format!(
        "{PROXY} --type json -p '[{{\"op\":\"add\",\"path\":\"/spec/template/spec/nodeSelector/maintenance\",\"value\":\"yes\"}}]'"
    );
    let start = format!(
        "{PROXY} --type json -p '[{{\"op\":\"remove\",\"path\":\"/spec/template/spec/nodeSelector/maintenance\"}}]'"
    );
    let object = Object::Process { name: "kube-proxy".to_owned() };
    let case = Case::new("cluster", probe, Culprit::in_cluster(object))
        .cause(format!("kube-proxy runs nowhere, and {} still leads to {}", service.name, pod.ip))
        .breaks(admin, format!("{stop} && sleep 5"))
        .breaks(admin, format!("kubectl -n {} delete pod -l app={app}", pod.namespace))
        .fix(admin, start);
    vec![case]
}

fn local_external(network: &Network) -> Vec<Case> {
    let admin = network.admin();
    let Some((service, pod)) = network.single() else { return Vec::new() };
    network.each_node(|node| {
        let client = network.client_of(node).filter(|_| node.name != pod.node && !admin.is_empty())?;
        let way = Way::Http(30900);
        let probe = Probe::once(client, To::Address(node.ip.into()), way);
        let object = service_field(&service.namespace, &service.name, "spec.externalTrafficPolicy");
        let ports = serde_json::json!([{"port": service.port, "targetPort": service.target.unwrap_or(80), "nodePort": 30900}]);
        let open = serde_json::json!({"spec": {"type": "NodePort", "ports": ports}});
        let set = |policy: &str| {
            let text = serde_json::json!({"spec": {"externalTrafficPolicy": policy}});
            format!("kubectl -n {} patch service {} --type merge -p '{text}'", service.namespace, service.name)
        };
        let case = Case::new(&node.name, probe, Culprit::in_cluster(object))
            .cause(format!("{} has no endpoint of {}, whose externalTrafficPolicy is Local", node.name, service.name))
            .prepares(admin, format!("kubectl -n {} patch service {} --type merge -p '{open}' && sleep 3", service.namespace, service.name))
            .breaks(admin, set("Local"))
            .fix(admin, set("Cluster"));
        Some(case)
    })
}

fn local_internal(network: &Network) -> Vec<Case> {
    let admin = network.admin();
    let Some((service, pod)) = network.single() else { return Vec::new() };
    network.each_node(|node| {
        let client =
            network.pods_on(&node.name).next().filter(|_| node.name != pod.node && !admin.is_empty())?;
        let probe = network.to_service(client.at(), service);
        let object = service_field(&service.namespace, &service.name, "spec.internalTrafficPolicy");
        let set = |policy: &str| {
            let text = serde_json::json!({"spec": {"internalTrafficPolicy": policy}});
            format!(
                "kubectl -n {} patch service {} --type merge -p '{text}'",
                service.namespace, service.name
            )
        };
        let case = Case::new(&node.name, probe, Culprit::in_cluster(object))
            .cause(format!(
                "{} has no endpoint of {}, whose internalTrafficPolicy is Local",
                node.name, service.name
            ))
            .breaks(admin, set("Local"))
            .fix(admin, set("Cluster"));
        Some(case)
    })
}

fn cluster_cidr(network: &Network) -> Vec<Case> {
    let admin = network.admin();
    // Where the way to a Service's address is not the way to its pods.
    let far = |node: &&Node| node.gateway.as_ref().is_some_and(|(_, dev)| *dev != node.dev);
    let found = network.nodes.iter().filter(far).find_map(|node| {
        let (service, pod) = network.single()?;
        (pod.node != node.name && !admin.is_empty()).then_some((node, service))
    });
    let Some((node, service)) = found else { return Vec::new() };
    // As kubeadm's documents change a setting of kube-proxy.
    let set = |cidr: &str| {
        format!(
            "kubectl -n kube-system get configmap kube-proxy -o yaml | sed 's,clusterCIDR: .*,clusterCIDR: {cidr},' | \
             kubectl apply -f - && kubectl -n kube-system rollout restart daemonset kube-proxy && kubectl -n \
             kube-system rollout status daemonset kube-proxy"
        )
    };
    let object = Object::Flag { component: "kube-proxy".to_owned(), flag: "--cluster-cidr".to_owned() };
    let to = To::Service(service.namespace.clone(), service.name.clone());
    let probe = Probe::once(At::host(&node.name), to, Way::Http(service.port));
    let mut case = Case::new("cluster", probe, Culprit::in_cluster(object))
        .cause("kube-proxy isn't told the clusterCIDR: it masquerades nothing that nodes ask of Services")
        // flannel would masquerade it.
        .prepares(admin, super::nat::ip_masq("--ip-masq=false"));
    for node in &network.nodes {
        case = case.prepares(&node.name, super::nat::DROP_MASQUERADE);
    }
    // Where the address is the node's alone, answers find their way.
    let private = network.nodes.iter().filter(|other| {
        other.cards.iter().any(|(_, net)| node.cards.iter().any(|(_, own)| own.addr() == net.addr()))
    });
    if private.count() < 2 || !network.flannel {
        return Vec::new();
    }
    case = case.breaks(admin, set("\"\"")).fix(admin, set(&network.pod_cidr.to_string()));
    vec![case]
}

fn endpoints_by_hand(network: &Network) -> Vec<Case> {
    let admin = network.admin();
    let Some((_, pod)) = network.single().filter(|_| !admin.is_empty()) else { return Vec::new() };
    let Some(port) = pod.tcp() else { return Vec::new() };
    let gone = std::net::Ipv4Addr::from(u32::from(network.pod_cidr.broadcast()) - 10);
    let objects = |address: std::net::Ipv4Addr| {
        let service = serde_json::json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "billing", "namespace": pod.namespace},
            "spec": {"ports": [{"port": 80, "targetPort": port}]},
        });
        let endpoints = serde_json::json!({
            "apiVersion": "v1", "kind": "Endpoints",
            "metadata": {"name": "billing", "namespace": pod.namespace},
            "subsets": [{"addresses": [{"ip": address.to_string()}], "ports": [{"port": port}]}],
        });
        format!("echo '{service}' | kubectl apply -f - && echo '{endpoints}' | kubectl apply -f -")
    };
    let Some(client) = network.pods.iter().find(|client| client.ip != pod.ip) else { return Vec::new() };
    let to = To::Service(pod.namespace.clone(), "billing".to_owned());
    let object = Object::ApiObject {
        kind: "Endpoints".to_owned(),
        namespace: pod.namespace.clone(),
        name: "billing".to_owned(),
        field: "subsets".to_owned(),
    };
    let case = Case::new("billing", Probe::once(client.at(), to, Way::Http(80)), Culprit::in_cluster(object))
        .cause(format!("the endpoints of billing are {gone}, which nobody has"))
        .prepares(admin, format!("{} && sleep 3", objects(pod.ip)))
        .breaks(admin, objects(gone))
        .fix(admin, objects(pod.ip));
    vec![case]
}
