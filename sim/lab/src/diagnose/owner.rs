//! Who keeps which rules, and how a person makes it begin anew.

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::Container;
use kube::api::{list, name_of, namespace_of};
use packet::HostId;

use super::facts::Facts;
use super::suspect::{Fix, Size};

/// A component that keeps rules, routes or devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    /// kube-proxy.
    KubeProxy,
    /// flanneld.
    Flannel,
    /// The CNI plugins, which run only when a pod begins.
    Cni,
    /// dockerd.
    Docker,
    /// The kubelet.
    Kubelet,
}

impl Owner {
    /// Who keeps a chain of this name; nobody keeps those of the kernel and of people.
    pub fn of_chain(chain: &str) -> Option<Self> {
        let starts = |prefix: &&str| chain.starts_with(*prefix);
        match chain {
            "DOCKER-USER" => None,
            "KUBE-FIREWALL" | "KUBE-KUBELET-CANARY" => Some(Self::Kubelet),
            _ if starts(&"KUBE-") => Some(Self::KubeProxy),
            _ if starts(&"FLANNEL-") => Some(Self::Flannel),
            _ if starts(&"CNI-") => Some(Self::Cni),
            _ if starts(&"DOCKER") => Some(Self::Docker),
            _ => None,
        }
    }

    /// The name of its process.
    pub const fn process(self) -> &'static str {
        match self {
            Self::KubeProxy => "kube-proxy",
            Self::Flannel => "flanneld",
            Self::Cni => "portmap",
            Self::Docker => "dockerd",
            Self::Kubelet => "kubelet",
        }
    }

    /// What makes it write everything again on a host.
    pub fn restart(self, facts: &Facts<'_>, host: HostId) -> Vec<Fix> {
        match self {
            Self::KubeProxy | Self::Flannel => restart_pods(facts, host, self.process()),
            Self::Docker => vec![unit(facts.name(host), "docker")],
            Self::Kubelet => vec![unit(facts.name(host), "kubelet")],
            Self::Cni => Vec::new(),
        }
    }
}

/// Restarts a unit of systemd.
pub(super) fn unit(host: &str, name: &str) -> Fix {
    Fix::one(host, format!("systemctl restart {name}"), Size::Restart)
}

/// The DaemonSet that runs a program, its namespace first.
pub(super) fn daemon_set(facts: &Facts<'_>, program: &str) -> Option<(String, String, DaemonSet)> {
    let sets = list::<DaemonSet>(facts.world.store(), None);
    sets.iter().find_map(|set| {
        let spec = set.spec.as_ref()?.template.spec.as_ref()?;
        spec.containers
            .iter()
            .any(|container| runs(container, program))
            .then(|| (namespace_of(&**set).to_owned(), name_of(&**set).to_owned(), (**set).clone()))
    })
}

/// Whether a container runs a program, by its command or image.
fn runs(container: &Container, program: &str) -> bool {
    let words = container.command.iter().flatten().chain(container.args.iter().flatten());
    words.flat_map(|word| word.split(' ')).any(|word| word.rsplit('/').next() == Some(program))
        || container.image.as_deref().is_some_and(|image| {
            let name = image.rsplit('/').next().unwrap_or(image);
            name.split(':')
                .next()
                .is_some_and(|name| name == program || program.strip_suffix('d') == Some(name))
        })
}

/// Deletes a DaemonSet's pod on a node: it is made anew.
fn restart_pods(facts: &Facts<'_>, host: HostId, program: &str) -> Vec<Fix> {
    let (Some(admin), Some((namespace, name, _))) = (facts.admin(), daemon_set(facts, program)) else {
        return Vec::new();
    };
    let node = facts.name(host);
    let pod = facts.pods.iter().find(|pod| {
        pod.namespace == namespace && pod.node == node && pod.name.starts_with(&format!("{name}-"))
    });
    let mut fixes = Vec::new();
    if let Some(pod) = pod {
        let delete = format!("kubectl -n {namespace} delete pod {}", pod.name);
        fixes.push(Fix::one(admin.clone(), delete, Size::Restart));
    }
    fixes.push(Fix::one(
        admin,
        format!("kubectl -n {namespace} rollout restart daemonset/{name}"),
        Size::Object,
    ));
    fixes
}
