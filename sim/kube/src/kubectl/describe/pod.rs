use serde_json::Value;

use super::{Cx, Page, controller, date};
use crate::kubectl::duration;
use crate::kubectl::print::{list, number, or_none, text};

pub fn describe(cx: &Cx<'_>, page: &mut Page, pod: &Value) {
    page.field(0, "Name", text(pod, "/metadata/name"));
    page.field(0, "Namespace", text(pod, "/metadata/namespace"));
    if let Some(priority) = pod.pointer("/spec/priority") {
        page.field(0, "Priority", priority);
    }
    for (name, pointer) in
        [("Priority Class Name", "/spec/priorityClassName"), ("Service Account", "/spec/serviceAccountName")]
    {
        if !text(pod, pointer).is_empty() {
            page.field(0, name, text(pod, pointer));
        }
    }
    match text(pod, "/spec/nodeName") {
        "" => page.field(0, "Node", "<none>"),
        node => page.field(0, "Node", format!("{node}/{}", text(pod, "/status/hostIP"))),
    }
    if pod.pointer("/status/startTime").is_some() {
        page.field(0, "Start Time", date(pod, "/status/startTime"));
    }
    page.labels("Labels", pod.pointer("/metadata/labels"));
    page.annotations("Annotations", pod.pointer("/metadata/annotations"));
    match pod.pointer("/metadata/deletionTimestamp") {
        Some(time) => {
            page.field(0, "Status", format!("Terminating (lasts {})", duration::since(time, cx.now)));
            let grace = number(pod, "/metadata/deletionGracePeriodSeconds");
            page.field(0, "Termination Grace Period", format!("{grace}s"));
        }
        None => page.field(0, "Status", text(pod, "/status/phase")),
    }
    for (name, pointer) in [("Reason", "/status/reason"), ("Message", "/status/message")] {
        if !text(pod, pointer).is_empty() {
            page.field(0, name, text(pod, pointer));
        }
    }
    page.field(0, "IP", text(pod, "/status/podIP"));
    let ips = list(pod, "/status/podIPs");
    if ips.is_empty() {
        page.field(0, "IPs", "<none>");
    } else {
        page.line(0, "IPs:");
        ips.iter().for_each(|ip| page.field(1, "IP", text(ip, "/ip")));
    }
    if let Some(controller) = controller(pod) {
        page.field(0, "Controlled By", controller);
    }
    if !list(pod, "/spec/initContainers").is_empty() {
        containers(page, "Init Containers", "", pod, "/spec/initContainers", "/status/initContainerStatuses");
    }
    containers(page, "Containers", "", pod, "/spec/containers", "/status/containerStatuses");
    let conditions = list(pod, "/status/conditions");
    if !conditions.is_empty() {
        page.line(0, "Conditions:\n  Type\tStatus");
        for condition in conditions {
            page.line(1, format!("{} \t{} ", text(condition, "/type"), text(condition, "/status")));
        }
    }
    volumes(page, "", list(pod, "/spec/volumes"));
    page.field(0, "QoS Class", qos(pod));
    page.labels("Node-Selectors", pod.pointer("/spec/nodeSelector"));
    tolerations(page, "Tolerations", list(pod, "/spec/tolerations"));
    page.events(cx, pod);
}

/// The template of a workload's pods.
pub fn template(page: &mut Page, template: &Value) {
    page.line(0, "Pod Template:");
    page.labels("  Labels", template.pointer("/metadata/labels"));
    let annotations = template.pointer("/metadata/annotations");
    if annotations.and_then(Value::as_object).is_some_and(|all| !all.is_empty()) {
        page.annotations("  Annotations", annotations);
    }
    if !text(template, "/spec/serviceAccountName").is_empty() {
        page.field(1, "Service Account", text(template, "/spec/serviceAccountName"));
    }
    if !list(template, "/spec/initContainers").is_empty() {
        containers(page, "Init Containers", "  ", template, "/spec/initContainers", "/none");
    }
    containers(page, "Containers", "  ", template, "/spec/containers", "/none");
    volumes(page, "  ", list(template, "/spec/volumes"));
    page.labels("  Node-Selectors", template.pointer("/spec/nodeSelector"));
    tolerations(page, "  Tolerations", list(template, "/spec/tolerations"));
}

fn containers(page: &mut Page, label: &str, space: &str, pod: &Value, specs: &str, statuses: &str) {
    let specs = list(pod, specs);
    page.line(0, format!("{space}{label}:{}", if specs.is_empty() { " <none>" } else { "" }));
    for container in specs {
        let name = text(container, "/name");
        let status = list(pod, statuses).iter().find(|status| text(status, "/name") == name);
        page.line(1, format!("{}{name}:", if space.is_empty() { "" } else { " " }));
        if let Some(status) = status {
            page.field(2, "Container ID", text(status, "/containerID"));
        }
        page.field(2, "Image", text(container, "/image"));
        if let Some(status) = status {
            page.field(2, "Image ID", text(status, "/imageID"));
        }
        ports(page, container);
        for (label, pointer) in [("Command", "/command"), ("Args", "/args")] {
            let words = list(container, pointer);
            if !words.is_empty() {
                page.line(2, format!("{label}:"));
            }
            for line in words.iter().filter_map(Value::as_str).flat_map(|word| word.split('\n')) {
                page.line(3, line);
            }
        }
        if let Some(status) = status {
            state(page, "State", &status["state"]);
            if status.pointer("/lastState/terminated").is_some() {
                state(page, "Last State", &status["lastState"]);
            }
            let ready = if status["ready"] == true { "True" } else { "False" };
            page.field(2, "Ready", ready);
            page.field(2, "Restart Count", number(status, "/restartCount"));
        }
        for (label, pointer) in [("Limits", "/resources/limits"), ("Requests", "/resources/requests")] {
            let Some(all) =
                container.pointer(pointer).and_then(Value::as_object).filter(|all| !all.is_empty())
            else {
                continue;
            };
            page.line(2, format!("{label}:"));
            let mut all: Vec<_> = all.iter().collect();
            all.sort_by_key(|(name, _)| name.as_str());
            all.iter().for_each(|(name, value)| page.field(3, name, value.as_str().unwrap_or_default()));
        }
        for (label, field) in
            [("Liveness", "livenessProbe"), ("Readiness", "readinessProbe"), ("Startup", "startupProbe")]
        {
            if let Some(probe) = container.get(field) {
                page.field(2, label, probe_text(probe));
            }
        }
        environment(page, container, pod);
        mounts(page, container);
    }
}

fn ports(page: &mut Page, container: &Value) {
    let all = list(container, "/ports");
    let proto = |port: &Value| match text(port, "/protocol") {
        "" => "TCP".to_owned(),
        proto => proto.to_owned(),
    };
    for (one, many, field) in [("Port", "Ports", "/containerPort"), ("Host Port", "Host Ports", "/hostPort")]
    {
        let shown: Vec<String> =
            all.iter().map(|port| format!("{}/{}", number(port, field), proto(port))).collect();
        let name = if shown.len() > 1 { many } else { one };
        page.field(2, name, or_none(shown.join(", ")));
    }
}

fn state(page: &mut Page, name: &str, state: &Value) {
    if state.get("running").is_some() {
        page.field(2, name, "Running");
        page.field(3, "Started", date(state, "/running/startedAt"));
    } else if let Some(ended) = state.get("terminated") {
        page.field(2, name, "Terminated");
        for (label, field) in [("Reason", "/reason"), ("Message", "/message")] {
            if !text(ended, field).is_empty() {
                page.field(3, label, text(ended, field));
            }
        }
        page.field(3, "Exit Code", number(ended, "/exitCode"));
        if number(ended, "/signal") > 0 {
            page.field(3, "Signal", number(ended, "/signal"));
        }
        page.field(3, "Started", date(ended, "/startedAt"));
        page.field(3, "Finished", date(ended, "/finishedAt"));
    } else {
        page.field(2, name, "Waiting");
        if !text(state, "/waiting/reason").is_empty() {
            page.field(3, "Reason", text(state, "/waiting/reason"));
        }
    }
}

/// A number or a name.
fn port_text(value: Option<&Value>) -> String {
    value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default()
}

/// Kubernetes: `DescribeProbe`.
fn probe_text(probe: &Value) -> String {
    let of = |field: &str| number(probe, field);
    let attributes = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        of("/initialDelaySeconds"),
        of("/timeoutSeconds"),
        of("/periodSeconds"),
        of("/successThreshold"),
        of("/failureThreshold")
    );
    if let Some(exec) = probe.get("exec") {
        let words: Vec<&str> = list(exec, "/command").iter().filter_map(Value::as_str).collect();
        format!("exec [{}] {attributes}", words.join(" "))
    } else if let Some(get) = probe.get("httpGet") {
        let scheme = text(get, "/scheme").to_lowercase();
        let path = text(get, "/path");
        format!(
            "http-get {scheme}://{}:{}{path} {attributes}",
            text(get, "/host"),
            port_text(get.get("port"))
        )
    } else if let Some(socket) = probe.get("tcpSocket") {
        format!("tcp-socket {}:{} {attributes}", text(socket, "/host"), port_text(socket.get("port")))
    } else if let Some(grpc) = probe.get("grpc") {
        format!("grpc <pod>:{} {} {attributes}", number(grpc, "/port"), text(grpc, "/service"))
    } else {
        format!("unknown {attributes}")
    }
}

fn environment(page: &mut Page, container: &Value, pod: &Value) {
    let from = list(container, "/envFrom");
    if !from.is_empty() {
        page.line(2, "Environment Variables from:");
        for source in from {
            let (kind, source) = match source.get("configMapRef") {
                Some(map) => ("ConfigMap", map),
                None => ("Secret", &source["secretRef"]),
            };
            let optional = source["optional"] == true;
            page.line(3, format!("{}\t{kind}\tOptional: {optional}", text(source, "/name")));
        }
    }
    let all = list(container, "/env");
    page.line(2, format!("Environment:{}", if all.is_empty() { "\t<none>" } else { "" }));
    for one in all {
        let name = text(one, "/name");
        let Some(source) = one.get("valueFrom") else {
            let mut lines = text(one, "/value").split('\n');
            page.field(3, name, lines.next().unwrap_or_default());
            lines.for_each(|line| page.line(3, format!("\t{line}")));
            continue;
        };
        if let Some(field) = source.get("fieldRef") {
            let path = text(field, "/fieldPath");
            let value = text(pod, &format!("/{}", path.replace('.', "/")));
            let version = match text(field, "/apiVersion") {
                "" => "v1",
                version => version,
            };
            page.field(3, name, format!("{value} ({version}:{path})"));
        } else if let Some(field) = source.get("resourceFieldRef") {
            page.field(3, name, format!(" ({})", text(field, "/resource")));
        } else {
            for (field, of, kind) in
                [("secretKeyRef", "in", "secret"), ("configMapKeyRef", "of", "config map")]
            {
                if let Some(key) = source.get(field) {
                    let optional = key["optional"] == true;
                    page.field(
                        3,
                        name,
                        format!(
                            "<set to the key '{}' {of} {kind} '{}'>\tOptional: {optional}",
                            text(key, "/key"),
                            text(key, "/name")
                        ),
                    );
                }
            }
        }
    }
}

fn mounts(page: &mut Page, container: &Value) {
    let mut all: Vec<&Value> = list(container, "/volumeMounts").iter().collect();
    all.sort_by_key(|mount| text(mount, "/mountPath"));
    page.line(2, format!("Mounts:{}", if all.is_empty() { "\t<none>" } else { "" }));
    for mount in all {
        let mut flags = if mount["readOnly"] == true { "ro" } else { "rw" }.to_owned();
        if !text(mount, "/subPath").is_empty() {
            flags.push_str(&format!(",path={:?}", text(mount, "/subPath")));
        }
        page.line(3, format!("{} from {} ({flags})", text(mount, "/mountPath"), text(mount, "/name")));
    }
}

fn volumes(page: &mut Page, space: &str, all: &[Value]) {
    if all.is_empty() {
        return page.line(0, format!("{space}Volumes:\t<none>"));
    }
    page.line(0, format!("{space}Volumes:"));
    for volume in all {
        page.line(1, format!("{}{}:", if space.is_empty() { "" } else { " " }, text(volume, "/name")));
        if let Some(path) = volume.get("hostPath") {
            page.field(2, "Type", "HostPath (bare host directory volume)");
            page.field(2, "Path", text(path, "/path"));
            page.field(2, "HostPathType", path.get("type").and_then(Value::as_str).unwrap_or("<none>"));
        } else if let Some(dir) = volume.get("emptyDir") {
            page.field(2, "Type", "EmptyDir (a temporary directory that shares a pod's lifetime)");
            page.field(2, "Medium", text(dir, "/medium"));
            page.field(2, "SizeLimit", dir.get("sizeLimit").and_then(Value::as_str).unwrap_or("<unset>"));
        } else if let Some(map) = volume.get("configMap") {
            page.field(2, "Type", "ConfigMap (a volume populated by a ConfigMap)");
            page.field(2, "Name", text(map, "/name"));
            page.field(2, "Optional", map["optional"] == true);
        } else if let Some(projected) = volume.get("projected") {
            describe_projected(page, projected);
        } else if let Some(secret) = volume.get("secret") {
            page.field(2, "Type", "Secret (a volume populated by a Secret)");
            page.field(2, "SecretName", text(secret, "/secretName"));
            page.field(2, "Optional", secret["optional"] == true);
        } else {
            page.line(1, "<unknown>");
        }
    }
}

/// Kubernetes: `printProjectedVolumeSource`.
fn describe_projected(page: &mut Page, projected: &Value) {
    page.field(2, "Type", "Projected (a volume that contains injected data from multiple sources)");
    for source in list(projected, "/sources") {
        if let Some(secret) = source.get("secret") {
            page.field(2, "SecretName", text(secret, "/name"));
            page.field(2, "SecretOptionalName", optional(secret));
        } else if source.get("downwardAPI").is_some() {
            page.field(2, "DownwardAPI", "true");
        } else if let Some(map) = source.get("configMap") {
            page.field(2, "ConfigMapName", text(map, "/name"));
            page.field(2, "ConfigMapOptional", optional(map));
        } else if let Some(token) = source.get("serviceAccountToken") {
            page.field(2, "TokenExpirationSeconds", number(token, "/expirationSeconds"));
        }
    }
}

/// As Go prints a pointer to a truth value.
fn optional(source: &Value) -> String {
    source.get("optional").map_or_else(|| "<nil>".to_owned(), Value::to_string)
}

fn tolerations(page: &mut Page, name: &str, all: &[Value]) {
    let mut all: Vec<&Value> = all.iter().collect();
    all.sort_by_key(|one| text(one, "/key"));
    let shown = |one: &&Value| {
        let (key, value, effect) = (text(one, "/key"), text(one, "/value"), text(one, "/effect"));
        let mut line = key.to_owned();
        if !value.is_empty() {
            line.push_str(&format!("={value}"));
        }
        if !effect.is_empty() {
            line.push_str(&format!(":{effect}"));
        }
        if text(one, "/operator") == "Exists" && value.is_empty() {
            line.push_str(if line.is_empty() { "op=Exists" } else { " op=Exists" });
        }
        if let Some(seconds) = one.get("tolerationSeconds") {
            line.push_str(&format!(" for {seconds}s"));
        }
        line
    };
    let lines: Vec<String> = all.iter().map(shown).collect();
    page.lines(name, &lines);
}

/// Kubernetes: `GetPodQOS`.
fn qos(pod: &Value) -> &'static str {
    let all: Vec<&Value> =
        list(pod, "/spec/containers").iter().chain(list(pod, "/spec/initContainers")).collect();
    let of = |container: &Value, kind: &str, name: &str| {
        container["resources"][kind].get(name).and_then(Value::as_str).map(str::to_owned)
    };
    let some = |container: &&Value| {
        ["requests", "limits"]
            .iter()
            .any(|kind| ["cpu", "memory"].iter().any(|name| of(container, kind, name).is_some()))
    };
    let guaranteed = |container: &&Value| {
        ["cpu", "memory"].iter().all(|name| {
            let limit = of(container, "limits", name);
            limit.is_some() && of(container, "requests", name).is_none_or(|request| Some(request) == limit)
        })
    };
    if !all.iter().any(some) {
        "BestEffort"
    } else if all.iter().all(guaranteed) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}
