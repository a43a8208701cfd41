use serde_json::{Map, Value, json};

/// Turns an object of an old version into one of today's; says so. What the old version had and
/// today's lacks is named.
///
/// # Errors
/// The path of a field that can't be converted, and why.
pub fn to_current(object: &mut Value, notices: &mut Vec<String>) -> Result<(), (String, String)> {
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (version, kind) = (text("apiVersion"), text("kind"));
    let current = match (version.as_str(), kind.as_str()) {
        (
            "extensions/v1beta1" | "apps/v1beta1" | "apps/v1beta2",
            "Deployment" | "DaemonSet" | "ReplicaSet" | "StatefulSet",
        ) => {
            workload(object, &kind);
            "apps/v1"
        }
        ("extensions/v1beta1" | "networking.k8s.io/v1beta1", "Ingress") => {
            ingress(object)?;
            "networking.k8s.io/v1"
        }
        ("extensions/v1beta1", "NetworkPolicy") => "networking.k8s.io/v1",
        ("discovery.k8s.io/v1beta1", "EndpointSlice") => {
            endpoint_slice(object);
            "discovery.k8s.io/v1"
        }
        _ => return Ok(()),
    };
    object["apiVersion"] = current.into();
    notices.push(format!("{version} {kind} is read as {current}"));
    Ok(())
}

/// The selector was optional: the template's labels. Kubernetes: `SetDefaults_Deployment` of
/// extensions/v1beta1.
fn workload(object: &mut Value, kind: &str) {
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else { return };
    if !spec.contains_key("selector") {
        let labels = spec.get("template").and_then(|t| t.pointer("/metadata/labels")).cloned();
        spec.insert("selector".to_owned(), json!({"matchLabels": labels.unwrap_or_else(|| json!({}))}));
    }
    spec.remove("rollbackTo");
    if kind == "DaemonSet" {
        spec.remove("templateGeneration");
    }
}

fn ingress(object: &mut Value) -> Result<(), (String, String)> {
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else { return Ok(()) };
    if let Some(mut backend) = spec.remove("backend") {
        ingress_backend(&mut backend);
        spec.insert("defaultBackend".to_owned(), backend);
    }
    let rules = spec.get_mut("rules").and_then(Value::as_array_mut);
    for (number, rule) in rules.into_iter().flatten().enumerate() {
        let Some(paths) = rule.pointer_mut("/http/paths") else { continue };
        let Some(paths) = paths.as_array_mut() else {
            let at = format!("spec.rules[{number}].http.paths");
            return Err((at, "expected a list of paths".to_owned()));
        };
        for path in paths.iter_mut().filter_map(Value::as_object_mut) {
            path.entry("pathType").or_insert_with(|| "ImplementationSpecific".into());
            if let Some(backend) = path.get_mut("backend") {
                ingress_backend(backend);
            }
        }
    }
    Ok(())
}

fn ingress_backend(backend: &mut Value) {
    let Some(fields) = backend.as_object_mut() else { return };
    let Some(name) = fields.remove("serviceName") else { return };
    let port = match fields.remove("servicePort") {
        Some(Value::String(name)) => json!({"name": name}),
        Some(number) => json!({"number": number}),
        None => json!({}),
    };
    fields.insert("service".to_owned(), json!({"name": name, "port": port}));
}

/// `topology` held the node's name and zone.
fn endpoint_slice(object: &mut Value) {
    let endpoints = object.get_mut("endpoints").and_then(Value::as_array_mut);
    for endpoint in endpoints.into_iter().flatten().filter_map(Value::as_object_mut) {
        let Some(Value::Object(mut topology)) = endpoint.remove("topology") else { continue };
        for (key, field) in [("kubernetes.io/hostname", "nodeName"), ("topology.kubernetes.io/zone", "zone")]
        {
            if let Some(value) = topology.remove(key) {
                endpoint.entry(field).or_insert(value);
            }
        }
        if !topology.is_empty() {
            endpoint.insert("deprecatedTopology".to_owned(), Value::Object(Map::from_iter(topology)));
        }
    }
}
