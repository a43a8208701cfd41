use std::net::{IpAddr, SocketAddr};

use super::model::Cloud;

/// What the instance metadata service answers to a request: the sender is the instance.
///
/// Simplified: version 1, without tokens; ids, addresses, zone and interfaces.
pub fn answer(cloud: &Cloud, peer: SocketAddr, request: &str) -> Vec<u8> {
    let path = request.split(' ').nth(1).unwrap_or_default();
    let body = path.strip_prefix("/latest/meta-data/").and_then(|path| value(cloud, peer, path));
    let (status, body) = match body {
        Some(body) => ("200 OK", body),
        None => ("404 Not Found", "404 - Not Found\n".to_owned()),
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nServer: EC2ws\r\n");
    format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// The names that lie under the root.
const NAMES: [&str; 7] =
    ["instance-id", "instance-type", "local-hostname", "local-ipv4", "mac", "placement/", "security-groups"];

fn value(cloud: &Cloud, peer: SocketAddr, path: &str) -> Option<String> {
    let IpAddr::V4(address) = peer.ip() else { return None };
    let interface = cloud.interface_with(address)?;
    let instance = cloud.instance(&interface.instance)?;
    let subnet = cloud.subnet(&interface.subnet)?;
    Some(match path {
        "" => NAMES.join("\n"),
        "instance-id" => instance.id.clone(),
        "instance-type" => instance.kind.clone(),
        "local-ipv4" => interface.address.to_string(),
        "local-hostname" | "hostname" => super::describe::private_name(interface.address),
        "mac" => interface.mac?.to_string(),
        "public-ipv4" => interface.public_address?.to_string(),
        "placement/" => "availability-zone\nregion".to_owned(),
        "placement/availability-zone" => subnet.zone.clone(),
        "placement/region" => cloud.vpc()?.region.clone(),
        "security-groups" => {
            let names = cloud.groups.iter().filter(|group| interface.groups.contains(&group.id));
            names.map(|group| group.name.clone()).collect::<Vec<_>>().join("\n")
        }
        _ => return None,
    })
}
