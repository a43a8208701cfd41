//! A Service against its pods: labels, ports, readiness.

use std::collections::BTreeMap;
use std::net::IpAddr;

use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::api::{list, name_of, namespace_of};
use packet::NetnsId;
use world::World;

use super::Scene;
use crate::culprit::{Culprit, Object};
use crate::diagnose::service::{endpoints, selects};
use crate::diagnose::suspect::{Fix, Rank, Size, Suspect};

pub(super) fn suspects(scene: &Scene<'_>) -> Vec<Suspect> {
    let facts = &scene.facts;
    let (Some(target), Some(admin)) = (scene.target(), facts.admin()) else { return Vec::new() };
    let store = facts.world.store();
    let services = list::<Service>(store, None);
    let addressed = services.iter().filter(|service| {
        let spec = service.spec.clone().unwrap_or_default();
        let endpoint = endpoints(store, namespace_of(&***service), name_of(&***service));
        let own = spec.cluster_ip.as_deref().and_then(|ip| ip.parse::<IpAddr>().ok());
        let port = i32::from(scene.probe.way.proto().1);
        let by_node = port != 0 && spec.ports.iter().flatten().any(|one| one.node_port == Some(port));
        own == Some(target) || by_node || endpoint.iter().any(|(address, ..)| *address == target)
    });
    let mut found = Vec::new();
    for service in addressed {
        let check = Check { scene, service, admin: &admin };
        found.extend(check.selector());
        found.extend(check.ports());
        found.extend(check.readiness());
        found.extend(check.policy());
    }
    found
}

struct Check<'a> {
    scene: &'a Scene<'a>,
    service: &'a Service,
    admin: &'a str,
}

impl Check<'_> {
    fn world(&self) -> &World {
        self.scene.facts.world
    }

    fn namespace(&self) -> &str {
        namespace_of(self.service)
    }

    fn object(&self, field: &str) -> Object {
        Object::ApiObject {
            kind: "Service".to_owned(),
            namespace: self.namespace().to_owned(),
            name: name_of(self.service).to_owned(),
            field: field.to_owned(),
        }
    }

    fn patch(&self, kind: &str, patch: &str) -> Fix {
        let (namespace, name) = (self.namespace(), name_of(self.service));
        let command = format!("kubectl -n {namespace} patch service {name} --type={kind} -p '{patch}'");
        Fix::one(self.admin, command, Size::Object)
    }

    /// The pods that it selects.
    fn pods(&self) -> Vec<std::sync::Arc<Pod>> {
        let selector = self.service.spec.as_ref().and_then(|spec| spec.selector.clone()).unwrap_or_default();
        let all = list::<Pod>(self.world().store(), Some(self.namespace()));
        let fits = |pod: &Pod| {
            let labels = pod.metadata.labels.clone().unwrap_or_default();
            selector.iter().all(|(key, value)| labels.get(key) == Some(value))
        };
        all.into_iter().filter(|pod| fits(pod)).collect()
    }

    /// Labels that no pod has, though others nearly are it.
    fn selector(&self) -> Option<Suspect> {
        if !selects(self.service) || !self.pods().is_empty() {
            return None;
        }
        let selector = self.service.spec.as_ref()?.selector.clone()?;
        let text: Vec<String> = selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let mut suspect = Suspect::new(
            Rank::Contradicted,
            Culprit::CLUSTER,
            self.object("spec.selector"),
            format!("no pod has the labels {}", text.join(",")),
        )
        .because(format!("kubectl -n {} get pods -l {}: none", self.namespace(), text.join(",")));
        // Sets of labels that pods have, those most alike first.
        let mut candidates: Vec<(usize, BTreeMap<String, String>)> = Vec::new();
        for pod in list::<Pod>(self.world().store(), Some(self.namespace())) {
            let mut labels = pod.metadata.labels.clone().unwrap_or_default();
            for own in ["pod-template-hash", "controller-revision-hash", "pod-template-generation"] {
                labels.remove(own);
            }
            labels.retain(|key, _| {
                !key.starts_with("statefulset.kubernetes.io") && !key.starts_with("apps.kubernetes.io")
            });
            let flat = |labels: &BTreeMap<String, String>| {
                labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
            };
            let near = strsim::damerau_levenshtein(&flat(&labels), &text.join(","));
            if !labels.is_empty() && !candidates.iter().any(|(_, known)| *known == labels) {
                candidates.push((near, labels));
            }
        }
        candidates.sort_by_key(|(near, _)| *near);
        for (_, labels) in candidates.into_iter().take(3) {
            let mut patch: serde_json::Map<String, serde_json::Value> = selector
                .keys()
                .filter(|key| !labels.contains_key(*key))
                .map(|key| (key.clone(), serde_json::Value::Null))
                .collect();
            patch.extend(labels.into_iter().map(|(key, value)| (key, value.into())));
            let patch = serde_json::json!({"spec": {"selector": patch}});
            suspect = suspect.mended_by(self.patch("merge", &patch.to_string()));
        }
        Some(suspect)
    }

    /// Ports on which its pods don't listen.
    fn ports(&self) -> Vec<Suspect> {
        let ports = self.service.spec.as_ref().and_then(|spec| spec.ports.clone()).unwrap_or_default();
        let mut found = Vec::new();
        for (at, port) in ports.iter().enumerate() {
            let proto = port.protocol.as_deref().unwrap_or("TCP").to_lowercase();
            for pod in self.pods() {
                let Some(open) = self.listening(&pod) else { continue };
                let wanted = match &port.target_port {
                    Some(IntOrString::Int(number)) => u16::try_from(*number).ok(),
                    Some(IntOrString::String(name)) => named_port(&pod, name),
                    None => u16::try_from(port.port).ok(),
                };
                let fits = wanted.is_some_and(|wanted| open.contains(&(proto.clone(), wanted)));
                if fits {
                    continue;
                }
                let shown = match &port.target_port {
                    Some(IntOrString::Int(number)) => number.to_string(),
                    Some(IntOrString::String(name)) => name.clone(),
                    None => port.port.to_string(),
                };
                let listens: Vec<String> =
                    open.iter().map(|(proto, port)| format!("{proto} {port}")).collect();
                let pod_name = name_of(&*pod);
                let mut suspect = Suspect::new(
                    Rank::Contradicted,
                    Culprit::CLUSTER,
                    self.object(&format!("spec.ports[{at}].targetPort")),
                    format!("it is {shown} ({proto}), and nothing listens there in the pod {pod_name}"),
                )
                .because(format!("pod {pod_name}: ss -ltnu: {}", listens.join(", ")));
                for (open_proto, number) in &open {
                    let patch = match *open_proto == proto {
                        true => format!(
                            r#"[{{"op":"add","path":"/spec/ports/{at}/targetPort","value":{number}}}]"#
                        ),
                        false => continue,
                    };
                    suspect = suspect.mended_by(self.patch("json", &patch));
                }
                if suspect.fixes.is_empty() && open.iter().any(|(_, number)| Some(*number) == wanted) {
                    suspect.culprit.object = self.object(&format!("spec.ports[{at}].protocol"));
                    let other = if proto == "tcp" { "UDP" } else { "TCP" };
                    let patch = format!(
                        r#"[{{"op":"replace","path":"/spec/ports/{at}/protocol","value":"{other}"}}]"#
                    );
                    suspect = suspect.mended_by(self.patch("json", &patch));
                }
                found.push(suspect);
                break;
            }
        }
        found
    }

    /// What listens in a pod's network on more than the loopback address.
    fn listening(&self, pod: &Pod) -> Option<Vec<(String, u16)>> {
        let ip: IpAddr = pod.status.as_ref()?.pod_ip.as_deref()?.parse().ok()?;
        let (host, netns) = self.scene.facts.place_of(ip)?;
        if netns == NetnsId::INIT {
            return None;
        }
        let sockets = self.scene.facts.kernel(host).socket_list(netns);
        let open = sockets.into_iter().filter(|socket| {
            matches!((socket.kind, socket.state), ("tcp", "LISTEN") | ("udp", "UNCONN"))
                && !socket.local.0.is_loopback()
        });
        Some(open.map(|socket| (socket.kind.to_owned(), socket.local.1)).collect())
    }

    /// Pods that it selects and that are not ready.
    fn readiness(&self) -> Option<Suspect> {
        let pods = self.pods();
        let ready = |pod: &Pod| {
            let status = pod.status.clone().unwrap_or_default();
            status.conditions.iter().flatten().any(|c| c.type_ == "Ready" && c.status == "True")
        };
        if pods.is_empty() || pods.iter().any(|pod| ready(pod)) {
            return None;
        }
        let pod = &pods[0];
        let spec = pod.spec.as_ref()?;
        let owner = owner_of(self.world(), pod);
        let (kind, name, prefix) = match &owner {
            Some(deployment) => ("Deployment", deployment.as_str(), "spec.template.spec"),
            None => ("Pod", name_of(&**pod), "spec"),
        };
        let (at, container) =
            spec.containers.iter().enumerate().find(|(_, container)| container.readiness_probe.is_some())?;
        let probe = container.readiness_probe.as_ref()?;
        let field = format!("{prefix}.containers[{at}].readinessProbe");
        let object = Object::ApiObject {
            kind: kind.to_owned(),
            namespace: self.namespace().to_owned(),
            name: name.to_owned(),
            field,
        };
        let mut suspect = Suspect::new(
            Rank::Contradicted,
            Culprit::CLUSTER,
            object,
            "none of the Service's pods is ready: the probe fails",
        )
        .because(format!("kubectl -n {} get pod {}: 0/1", self.namespace(), name_of(&**pod)));
        let resource = kind.to_lowercase();
        let path = format!("/{}/containers/{at}/readinessProbe", prefix.replace('.', "/"));
        let patch = |patch: String| {
            let command =
                format!("kubectl -n {} patch {resource} {name} --type=json -p '{patch}'", self.namespace());
            Fix::one(self.admin, command, Size::Object)
        };
        let open = self.listening(pod).unwrap_or_default();
        for (_, number) in open.iter().filter(|(proto, _)| proto == "tcp") {
            let kinds = [("httpGet", probe.http_get.is_some()), ("tcpSocket", probe.tcp_socket.is_some())];
            for (kind, _) in kinds.into_iter().filter(|(_, used)| *used) {
                suspect = suspect.mended_by(patch(format!(
                    r#"[{{"op":"replace","path":"{path}/{kind}/port","value":{number}}}]"#
                )));
            }
        }
        if probe.http_get.is_some() {
            suspect = suspect.mended_by(patch(format!(
                r#"[{{"op":"replace","path":"{path}/httpGet/path","value":"/"}}]"#
            )));
        }
        suspect = suspect.mended_by(patch(format!(r#"[{{"op":"remove","path":"{path}"}}]"#)));
        Some(suspect)
    }

    /// Traffic policies that leave nothing.
    fn policy(&self) -> Vec<Suspect> {
        let spec = self.service.spec.clone().unwrap_or_default();
        let policies = [
            ("internalTrafficPolicy", spec.internal_traffic_policy),
            ("externalTrafficPolicy", spec.external_traffic_policy),
        ];
        let local = policies.into_iter().filter(|(_, value)| value.as_deref() == Some("Local"));
        let local = local.map(|(field, _)| {
            let patch = format!(r#"{{"spec":{{"{field}":"Cluster"}}}}"#);
            Suspect::new(
                Rank::Odd,
                Culprit::CLUSTER,
                self.object(&format!("spec.{field}")),
                "it is Local: only endpoints on the same node are used",
            )
            .because(format!(
                "kubectl -n {} get service {}: {field}: Local",
                self.namespace(),
                name_of(self.service)
            ))
            .mended_by(self.patch("merge", &patch))
        });
        local.collect()
    }
}

fn named_port(pod: &Pod, name: &str) -> Option<u16> {
    let containers = pod.spec.as_ref()?.containers.iter();
    let mut ports = containers.flat_map(|container| container.ports.iter().flatten());
    let port = ports.find(|port| port.name.as_deref() == Some(name))?;
    u16::try_from(port.container_port).ok()
}

/// The Deployment that made a pod.
fn owner_of(world: &World, pod: &Pod) -> Option<String> {
    let owners = pod.metadata.owner_references.as_ref()?;
    let set = owners.iter().find(|owner| owner.kind == "ReplicaSet")?;
    let sets =
        list::<k8s_openapi::api::apps::v1::ReplicaSet>(world.store(), pod.metadata.namespace.as_deref());
    let set = sets.iter().find(|one| name_of(&***one) == set.name)?;
    let owners = set.metadata.owner_references.as_ref()?;
    owners.iter().find(|owner| owner.kind == "Deployment").map(|owner| owner.name.clone())
}
