//! The cluster's certificates as kubeadm makes them. kubeadm: `phases/certs`.

use std::net::IpAddr;

use tools::tls::{AltName, Authority, Certificate, Identity, Key, Role, Wanted};
use world::EPOCH;

use crate::api::ClusterSettings;

/// The cluster's authority.
pub const AUTHORITY: &str = "/etc/kubernetes/pki/ca.crt";
/// The API server's certificate.
pub const SERVER: &str = "/etc/kubernetes/pki/apiserver.crt";
/// The API server's key.
pub const SERVER_KEY: &str = "/etc/kubernetes/pki/apiserver.key";

const YEAR: u64 = 365 * 24 * 3600;

/// Files of a node of the control plane: paths and texts.
pub fn files(node: &str, settings: &ClusterSettings) -> Vec<(String, String)> {
    let Some(authority) = authority(settings) else { return Vec::new() };
    let mut files = vec![
        (AUTHORITY.to_owned(), authority.certificate.pem()),
        ("/etc/kubernetes/pki/ca.key".to_owned(), authority.key().pem()),
    ];
    if let Some(Identity { chain, key }) = server(node, settings) {
        files.push((SERVER.to_owned(), chain.iter().map(Certificate::pem).collect()));
        files.push((SERVER_KEY.to_owned(), key.pem()));
    }
    let wanted = Wanted {
        subject: "CN=kube-apiserver-kubelet-client,O=kubeadm:cluster-admins",
        names: &[],
        role: Role::Client,
        valid: (EPOCH, EPOCH + YEAR),
    };
    let key = Key::of(&format!("{node} client"));
    if let Some(client) = authority.issue(&wanted, &key) {
        let path = "/etc/kubernetes/pki/apiserver-kubelet-client";
        files.push((format!("{path}.crt"), client.pem()));
        files.push((format!("{path}.key"), key.pem()));
    }
    files
}

/// Clusters have different authorities.
fn authority(settings: &ClusterSettings) -> Option<Authority> {
    let (ip, port) = settings.api_server;
    let names = [AltName::Dns("kubernetes".to_owned())];
    let wanted = Wanted {
        subject: "CN=kubernetes",
        names: &names,
        role: Role::Authority,
        valid: (EPOCH, EPOCH + 10 * YEAR),
    };
    Authority::new(&wanted, Key::of(&format!("authority of {ip}:{port}")))
}

/// Who the API server on a node is: its names are the Service's, the node's, and both addresses.
pub fn server(node: &str, settings: &ClusterSettings) -> Option<Identity> {
    let service = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"].map(str::to_owned);
    let whole = format!("kubernetes.default.svc.{}", settings.domain);
    let dns = service.into_iter().chain([whole, node.to_owned()]).map(AltName::Dns);
    let ips = settings.service_cidr.hosts().next().into_iter().chain([settings.api_server.0]);
    let names: Vec<AltName> = dns.chain(ips.map(|ip| AltName::Ip(IpAddr::V4(ip)))).collect();
    let wanted = Wanted {
        subject: "CN=kube-apiserver",
        names: &names,
        role: Role::Server,
        valid: (EPOCH, EPOCH + YEAR),
    };
    let key = Key::of(&format!("{node} server"));
    let certificate = authority(settings)?.issue(&wanted, &key)?;
    Some(Identity { chain: vec![certificate], key })
}
