//! It arrived where it should, and nobody listens there.

use k8s_openapi::api::core::v1::Pod;
use kube::api::list;
use packet::NetnsId;
use trace::Names;

use super::Case;
use crate::culprit::Object;
use crate::diagnose::suspect::{Fix, Rank, Size, Suspect};

pub(super) fn suspects(case: &Case<'_>) -> Vec<Suspect> {
    let facts = &case.scene.facts;
    let (host, netns) = (case.end.host, case.end.netns);
    let (proto, _) = case.scene.probe.way.proto();
    let Some(packet) = case.end.packet() else { return Vec::new() };
    let (_, port) = packet::Tuple::of(packet).ports();
    let kind = match proto {
        packet::Proto::TCP => "tcp",
        packet::Proto::UDP => "udp",
        _ => return Vec::new(),
    };
    let sockets = facts.kernel(host).socket_list(netns);
    let open: Vec<_> = sockets
        .iter()
        .filter(|socket| socket.kind == kind && matches!(socket.state, "LISTEN" | "UNCONN"))
        .collect();
    let here = open.iter().find(|socket| socket.local.1 == port);
    if here.is_some_and(|socket| !socket.local.0.is_loopback()) {
        return Vec::new();
    }
    let node = facts.world.node(host, netns);
    let text = match here {
        Some(socket) => format!("it listens on {}:{port} only", socket.local.0),
        None => format!("nothing listens on {kind} port {port}"),
    };
    let seen: Vec<String> =
        open.iter().map(|socket| format!("{}:{}", socket.local.0, socket.local.1)).collect();
    let pid = here.or(open.first()).and_then(|socket| socket.pid);
    let by_socket = pid.and_then(|pid| facts.world.cmdline(host, pid)).and_then(|line| {
        let word = line.words().next()?;
        Some(word.trim_end_matches(':').rsplit('/').next().unwrap_or(word).to_owned())
    });
    let Some(name) = by_socket.or_else(|| program(case)) else { return Vec::new() };
    let mut suspect = Suspect::new(Rank::Seen, node.clone(), Object::Process { name }, text)
        .because(format!("{node}: ss -ln: {}", seen.join(", ")));
    // A pod that a controller keeps is made anew.
    let admin = facts.admin();
    if let (true, Some(admin), Some(address)) = (netns != NetnsId::INIT, admin, case.scene.target())
        && let Some(pod) = facts.pod_at(address)
    {
        let command = format!("kubectl -n {} delete pod {}", pod.namespace, pod.name);
        suspect = suspect.mended_by(Fix::one(admin, command, Size::Remake));
    }
    vec![suspect]
}

/// The program that the pod's image is called by.
fn program(case: &Case<'_>) -> Option<String> {
    let address = case.end.packet()?.dst().to_string();
    let pods = list::<Pod>(case.scene.facts.world.store(), None);
    let pod = pods.iter().find(|pod| {
        pod.status.as_ref().and_then(|status| status.pod_ip.as_deref()) == Some(address.as_str())
    })?;
    let container = pod.spec.as_ref()?.containers.first()?;
    let word = container.command.as_ref().and_then(|command| command.first().cloned());
    let image = || {
        let image = container.image.as_deref()?.rsplit('/').next()?;
        image.split(':').next().map(str::to_owned)
    };
    word.map(|word| word.rsplit('/').next().unwrap_or(&word).to_owned()).or_else(image)
}
