//! `subnet.env`: what flanneld tells the CNI plugin and Docker.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use world::Sys;

use super::log::Log;
use crate::cni::files;

/// The network that a line of the file names. flannel: `ReadCIDRFromSubnetFile`.
pub fn read(sys: &mut dyn Sys, log: Log, path: &str, key: &str) -> Option<Ipv4Net> {
    let text = files::read(sys, path).unwrap_or_default();
    let mut lines = text.lines().filter_map(|line| line.split_once('='));
    let value = lines.find(|(name, _)| *name == key).map(|(_, value)| value.trim().to_owned());
    let Some(value) = value else {
        let line = if key.contains("IPV6") { "main.go:646" } else { "main.go:610" };
        log.warning(sys, line, &format!("no subnet found for key: {key} in file: {path}"));
        return None;
    };
    match value.parse::<Ipv4Net>() {
        Ok(net) => Some(net.trunc()),
        Err(_) => {
            let why = format!("invalid CIDR address: {value}");
            let text = format!("Couldn't parse previous {key} from subnet file at {path}: {why}");
            log.error(sys, "main.go:632", &text);
            None
        }
    }
}

/// Writes the file. flannel: `WriteSubnetFile`.
///
/// # Errors
/// In Go's words.
pub fn write(
    sys: &mut dyn Sys,
    path: &str,
    (network, subnet): (Ipv4Net, Ipv4Net),
    mtu: u32,
    ip_masq: bool,
) -> Result<(), String> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    files::make_folder(sys, folder)?;
    let first = Ipv4Addr::from(u32::from(subnet.network()) + 1);
    let length = subnet.prefix_len();
    let text = format!(
        "FLANNEL_NETWORK={network}\nFLANNEL_SUBNET={first}/{length}\nFLANNEL_MTU={mtu}\nFLANNEL_IPMASQ={ip_masq}\n"
    );
    files::write(sys, path, &text)
}
