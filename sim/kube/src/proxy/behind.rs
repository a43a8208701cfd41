use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use world::Store;

use super::names::chain;
use crate::api::{list, name_of, namespace_of};
use crate::controllers::SERVICE_NAME;

/// What the chains of a Service port begin with, in any version of kube-proxy.
const OF_PORTS: [&str; 5] = ["KUBE-SVC-", "KUBE-SVL-", "KUBE-EXT-", "KUBE-FW-", "KUBE-XLB-"];
/// And those of its endpoints.
const OF_ENDPOINTS: &str = "KUBE-SEP-";

/// What a chain of kube-proxy was made for: a Service port, `default/web:http`, or one of its
/// endpoints, `default/web:http -> 10.244.1.3:80`. None if nothing has a chain of that name now.
pub fn behind(store: &Store, name: &str) -> Option<String> {
    if let Some(prefix) = OF_PORTS.iter().find(|prefix| name.starts_with(**prefix)) {
        let services = list::<Service>(store, None);
        return services.iter().find_map(|service| {
            let ports = service.spec.as_ref()?.ports.as_ref()?;
            ports.iter().find_map(|port| {
                let texts = texts(namespace_of(&**service), name_of(&**service), port.name.as_deref());
                let protocol = port.protocol.as_deref().unwrap_or("TCP").to_lowercase();
                let is_named = |text: &String| chain(prefix, &[text, &protocol]) == name;
                texts.iter().any(is_named).then(|| texts[0].clone())
            })
        });
    }
    if !name.starts_with(OF_ENDPOINTS) {
        return None;
    }
    list::<EndpointSlice>(store, None).iter().find_map(|slice| {
        let service = slice.metadata.labels.as_ref()?.get(SERVICE_NAME)?;
        slice.ports.iter().flatten().find_map(|port| {
            let texts = texts(namespace_of(&**slice), service, port.name.as_deref());
            let protocol = port.protocol.as_deref().unwrap_or("TCP").to_lowercase();
            let number = port.port?;
            slice.endpoints.iter().filter_map(|endpoint| endpoint.addresses.first()).find_map(|ip| {
                let to = if ip.contains(':') { format!("[{ip}]:{number}") } else { format!("{ip}:{number}") };
                let is_named = |text: &String| chain(OF_ENDPOINTS, &[text, &protocol, &to]) == name;
                texts.iter().any(is_named).then(|| format!("{} -> {to}", texts[0]))
            })
        })
    })
}

/// A Service port's name as kube-proxy writes it now, and as it did up to 1.15.
fn texts(namespace: &str, service: &str, port: Option<&str>) -> [String; 2] {
    let old = format!("{namespace}/{service}:{}", port.unwrap_or_default());
    [old.trim_end_matches(':').to_owned(), old]
}
