use k8s_openapi::api::core::v1::{Container, Pod, PodSpec, PodStatus, Toleration};

use world::Sys;

use super::{Admit, Invalid, Refused, account, label};

/// What a pod's specification says if it doesn't. Kubernetes: `SetDefaults_PodSpec`.
pub(super) fn set_spec_defaults(spec: &mut PodSpec) {
    let fill = |field: &mut Option<String>, value: &str| {
        field.get_or_insert_with(|| value.to_owned());
    };
    fill(&mut spec.dns_policy, "ClusterFirst");
    fill(&mut spec.restart_policy, "Always");
    fill(&mut spec.scheduler_name, "default-scheduler");
    spec.termination_grace_period_seconds.get_or_insert(30);
    spec.security_context.get_or_insert_default();
    let containers = spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten());
    for container in containers {
        fill(&mut container.termination_message_path, "/dev/termination-log");
        fill(&mut container.termination_message_policy, "File");
        if container.image_pull_policy.is_none() {
            let image = container.image.as_deref().unwrap_or_default();
            let name = image.rsplit('/').next().unwrap_or(image);
            let latest = name.ends_with(":latest") || !name.contains([':', '@']);
            fill(&mut container.image_pull_policy, if latest { "Always" } else { "IfNotPresent" });
        }
        for port in container.ports.iter_mut().flatten() {
            fill(&mut port.protocol, "TCP");
            if spec.host_network == Some(true) {
                port.host_port.get_or_insert(port.container_port);
            }
        }
        for probe in
            [&mut container.liveness_probe, &mut container.readiness_probe, &mut container.startup_probe]
                .into_iter()
                .flatten()
        {
            probe.timeout_seconds.get_or_insert(1);
            probe.period_seconds.get_or_insert(10);
            probe.success_threshold.get_or_insert(1);
            probe.failure_threshold.get_or_insert(3);
            if let Some(get) = &mut probe.http_get {
                fill(&mut get.path, "/");
                fill(&mut get.scheme, "HTTP");
            }
        }
    }
}

/// Kubernetes: `qos.ComputePodQOS`.
fn qos_class(spec: &PodSpec) -> &'static str {
    let containers = || spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let says = |container: &Container, resource: &str| {
        let given = container.resources.as_ref();
        let limit = given.and_then(|given| given.limits.as_ref()?.get(resource)).cloned();
        let request = given.and_then(|given| given.requests.as_ref()?.get(resource)).cloned();
        (limit.clone(), request.or(limit))
    };
    let silent = |container: &Container, resource: &str| says(container, resource).1.is_none();
    let exact = |container: &Container, resource: &str| {
        let (limit, request) = says(container, resource);
        limit.is_some() && limit == request
    };
    let both = ["cpu", "memory"];
    if containers().all(|container| both.iter().all(|resource| silent(container, resource))) {
        "BestEffort"
    } else if containers().all(|container| both.iter().all(|resource| exact(container, resource))) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

/// A pod stays five minutes on a node that has failed. Kubernetes: admission plugin
/// `DefaultTolerationSeconds`.
fn tolerate_for_a_while(spec: &mut PodSpec) {
    let tolerations = spec.tolerations.get_or_insert_default();
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerated = tolerations.iter().any(|toleration| {
            let same = toleration.key.as_deref().unwrap_or_default();
            let effect = toleration.effect.as_deref().unwrap_or_default();
            (same == key || same.is_empty()) && (effect == "NoExecute" || effect.is_empty())
        });
        if !tolerated {
            tolerations.push(Toleration {
                key: Some(key.to_owned()),
                operator: Some("Exists".to_owned()),
                effect: Some("NoExecute".to_owned()),
                toleration_seconds: Some(300),
                ..Toleration::default()
            });
        }
    }
}

/// Kubernetes: `ValidatePodSpec`.
pub(super) fn validate_spec(spec: &PodSpec, path: &str) -> Vec<Invalid> {
    let mut found = Vec::new();
    if spec.containers.is_empty() {
        found.push(Invalid::required(format!("{path}.containers"), ""));
    }
    let mut names: Vec<&str> = Vec::new();
    let init = spec.init_containers.iter().flatten().enumerate().map(|c| ("initContainers", c));
    let main = spec.containers.iter().enumerate().map(|c| ("containers", c));
    for (list, (number, container)) in init.chain(main) {
        let at = format!("{path}.{list}[{number}]");
        validate_container(container, &at, &mut found);
        if names.contains(&container.name.as_str()) {
            found.push(Invalid {
                path: format!("{at}.name"),
                detail: format!("Duplicate value: {:?}", container.name),
            });
        }
        names.push(&container.name);
    }
    let known = |field: &Option<String>, name: &str, values: &[&str], found: &mut Vec<Invalid>| {
        if let Some(value) = field.as_deref().filter(|value| !values.contains(value)) {
            found.push(Invalid::unsupported(format!("{path}.{name}"), value, values));
        }
    };
    known(&spec.restart_policy, "restartPolicy", &["Always", "OnFailure", "Never"], &mut found);
    let policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    known(&spec.dns_policy, "dnsPolicy", &policies, &mut found);
    found.extend(label::labels(&format!("{path}.nodeSelector"), spec.node_selector.as_ref()));
    validate_dns(spec, &format!("{path}.dnsConfig"), &mut found);
    found
}

/// Kubernetes: `validatePodDNSConfig`.
fn validate_dns(spec: &PodSpec, at: &str, found: &mut Vec<Invalid>) {
    const MAX_SERVERS: usize = 3;
    const MAX_SEARCHES: usize = 32;
    let none = spec.dns_policy.as_deref() == Some("None");
    let Some(config) = &spec.dns_config else {
        if none {
            found.push(Invalid::required(at.to_owned(), "must provide `dnsConfig` when `dnsPolicy` is None"));
        }
        return;
    };
    let servers: Vec<&String> = config.nameservers.iter().flatten().collect();
    if none && servers.is_empty() {
        let why = "must provide at least one DNS nameserver when `dnsPolicy` is None";
        found.push(Invalid::required(format!("{at}.nameservers"), why));
        return;
    }
    if servers.len() > MAX_SERVERS {
        let why = format!("must not have more than {MAX_SERVERS} nameservers");
        found.push(Invalid {
            path: format!("{at}.nameservers"),
            detail: format!("Invalid value: {}: {why}", strings(&servers)),
        });
    }
    for (number, server) in servers.iter().enumerate().filter(|(_, s)| s.parse::<std::net::IpAddr>().is_err())
    {
        let why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
        found.push(Invalid::value(format!("{at}.nameservers[{number}]"), server, why));
    }
    let searches: Vec<&String> = config.searches.iter().flatten().collect();
    if searches.len() > MAX_SEARCHES {
        let why = format!("must not have more than {MAX_SEARCHES} search paths");
        found.push(Invalid {
            path: format!("{at}.searches"),
            detail: format!("Invalid value: {}: {why}", strings(&searches)),
        });
    }
    for (number, option) in config.options.iter().flatten().enumerate() {
        if option.name.as_deref().unwrap_or_default().is_empty() {
            found.push(Invalid::required(format!("{at}.options[{number}]"), "must not be empty"));
        }
    }
}

/// A list of texts as Go prints it in an error.
fn strings(list: &[&String]) -> String {
    let quoted: Vec<String> = list.iter().map(|text| format!("{text:?}")).collect();
    format!("[]string{{{}}}", quoted.join(", "))
}

fn validate_container(container: &Container, at: &str, found: &mut Vec<Invalid>) {
    if container.name.is_empty() {
        found.push(Invalid::required(format!("{at}.name"), ""));
    } else if !crate::api::server::is_dns_label(&container.name) {
        found.push(Invalid::value(format!("{at}.name"), &container.name, crate::api::server::DNS_LABEL));
    }
    if container.image.as_deref().unwrap_or_default().is_empty() {
        found.push(Invalid::required(format!("{at}.image"), ""));
    }
    for (number, port) in container.ports.iter().flatten().enumerate() {
        if !(1..=65535).contains(&port.container_port) {
            let why = "must be between 1 and 65535, inclusive";
            let path = format!("{at}.ports[{number}].containerPort");
            found.push(Invalid::value(path, port.container_port, why));
        }
    }
}

impl Admit for Pod {
    fn set_defaults(&mut self) {
        if let Some(spec) = &mut self.spec {
            set_spec_defaults(spec);
            spec.enable_service_links.get_or_insert(true);
            spec.preemption_policy.get_or_insert_with(|| "PreemptLowerPriority".to_owned());
            spec.priority.get_or_insert(0);
            tolerate_for_a_while(spec);
        }
        let status = self.status.get_or_insert_with(PodStatus::default);
        status.phase.get_or_insert_with(|| "Pending".to_owned());
        let class = self.spec.as_ref().map_or("BestEffort", qos_class);
        status.qos_class.get_or_insert_with(|| class.to_owned());
    }

    fn allocate(&mut self, sys: &mut dyn Sys, old: Option<&Self>) -> Result<(), Refused> {
        if old.is_some() { Ok(()) } else { account::admit(self, sys) }
    }

    fn validate(&self, old: Option<&Self>) -> Vec<Invalid> {
        let Some(spec) = &self.spec else { return vec![Invalid::required("spec", "")] };
        let mut found = validate_spec(spec, "spec");
        if let Some(old) = old.and_then(|old| old.spec.as_ref()) {
            // Only images, tolerations, and the node that the scheduler names can change.
            let mut same = old.clone();
            let images = |spec: &PodSpec| -> Vec<Option<String>> {
                spec.containers.iter().map(|container| container.image.clone()).collect()
            };
            for (container, image) in same.containers.iter_mut().zip(images(spec)) {
                container.image = image;
            }
            if old.node_name.is_none() {
                same.node_name.clone_from(&spec.node_name);
            }
            same.tolerations.clone_from(&spec.tolerations);
            if same != *spec {
                found.push(Invalid::forbidden(
                    "spec",
                    "pod updates may not change fields other than `spec.containers[*].image`,\
                     `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only \
                     additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be \
                     set to 1 if it was previously negative)",
                ));
            }
        }
        found
    }

    fn lingers(&self) -> bool {
        let placed = self.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
        let phase = self.status.as_ref().and_then(|status| status.phase.as_deref());
        placed && !matches!(phase, Some("Succeeded" | "Failed"))
    }
    fn grace(&self) -> Option<i64> {
        self.spec.as_ref()?.termination_grace_period_seconds
    }
}
