//! The IPAM plugin that another plugin runs, and what its answer means for a device.

use std::net::IpAddr;

use ipnet::IpNet;
use kernel::TableId;
use kernel::request::LinkChange;
use packet::NetnsId;
use world::Sys;

use super::call::Call;
use super::link::{self, go_text};
use super::result::{CniResult, Route, go_mask};
use super::{CniError, Plugin, Release, go_json, run};

/// Runs the plugin `name` of the call's path with another command. CNI: `invoke.DelegateAdd` and kin.
///
/// # Errors
/// It isn't there; what it answers.
pub fn delegate(sys: &mut dyn Sys, name: &str, command: &str, call: &Call) -> Result<String, CniError> {
    if name.is_empty() {
        return Err("no plugin name provided".to_owned().into());
    }
    if name.contains('/') {
        return Err(format!("invalid plugin name: {name}").into());
    }
    let folders: Vec<&str> = call.path.split(':').filter(|folder| !folder.is_empty()).collect();
    let found = folders.iter().find(|folder| sys.stat(&format!("{folder}/{name}")).is_ok());
    let (folder, plugin) = found
        .and_then(|folder| Some((folder, Plugin::named(name)?)))
        .ok_or_else(|| format!("failed to find plugin {name:?} in path [{}]", folders.join(" ")))?;
    let before = sys.set_purpose(Some(purpose(name, call).into()));
    let done =
        run(sys, plugin, Release::in_folder(folder), &Call { command: command.to_owned(), ..call.clone() });
    sys.set_purpose(before);
    done
}

/// For whom a plugin works.
fn purpose(name: &str, call: &Call) -> String {
    let arg = |key: &str| {
        let mut args = call.args.split(';').filter_map(|arg| arg.split_once('='));
        args.find(|(name, _)| *name == key).map(|(_, value)| value)
    };
    match (arg("K8S_POD_NAMESPACE"), arg("K8S_POD_NAME")) {
        (Some(namespace), Some(pod)) => format!("{name} plugin for pod {namespace}/{pod}"),
        _ => format!("{name} plugin for container {}", call.container_id),
    }
}

/// Runs the IPAM plugin with ADD.
///
/// # Errors
/// What it answers, or an answer that can't be read.
pub fn add(sys: &mut dyn Sys, name: &str, call: &Call) -> Result<CniResult, CniError> {
    let printed = delegate(sys, name, "ADD", call)?;
    let value = go_json::parse(&printed)?;
    Ok(CniResult::from_json(&value, &call.version()?)?)
}

/// Gives the device of the container its addresses and routes. Plugins: `ipam.ConfigureIface`.
///
/// # Errors
/// In the plugins' words.
pub fn configure(sys: &mut dyn Sys, netns: NetnsId, dev: &str, result: &CniResult) -> Result<(), String> {
    let mut gateway: Option<IpAddr> = None;
    for ip in &result.ips {
        let Some(interface) = ip.interface else { continue };
        let named = usize::try_from(interface).ok().and_then(|index| result.interfaces.get(index));
        if named.is_none_or(|interface| interface.name != dev) {
            let why = "invalid interface index";
            return Err(format!(
                "failed to add IP addr {} to {dev:?}: {why}",
                go_ip_config(ip.address, ip.gateway)
            ));
        }
        link::add_address(sys, netns, dev, ip.address).map_err(|errno| {
            let what = go_ip_config(ip.address, ip.gateway);
            format!("failed to add IP addr {what} to {dev:?}: {}", go_text(errno))
        })?;
        gateway = gateway.or(ip.gateway);
    }
    link::set(sys, netns, dev, LinkChange::Up(true))
        .map_err(|errno| format!("failed to set {dev:?} UP: {}", go_text(errno)))?;
    for route in &result.routes {
        add_route(sys, netns, dev, route, gateway)?;
    }
    Ok(())
}

fn add_route(
    sys: &mut dyn Sys,
    netns: NetnsId,
    dev: &str,
    route: &Route,
    gateway: Option<IpAddr>,
) -> Result<(), String> {
    let gw = route.gw.or(gateway);
    let mut spec = link::route(dev, route.dst, gw);
    spec.metric = u32::try_from(route.priority).ok().filter(|&metric| metric > 0);
    spec.table = route.table.and_then(|table| u32::try_from(table).ok()).map(TableId);
    spec.scope = route.scope.and_then(link::scope);
    spec.mtu = u32::try_from(route.mtu).ok().filter(|&mtu| mtu > 0).map(|mtu| (mtu, false));
    spec.advmss = u32::try_from(route.advmss).ok().filter(|&mss| mss > 0);
    link::add_route_ecmp(sys, netns, spec).map_err(|errno| {
        let via = gw.map_or("<nil>".to_owned(), |gw| gw.to_string());
        let Route { dst, priority, .. } = route;
        let (scope, table) = (scope_word(route.scope.unwrap_or(0)), route.table.unwrap_or(0));
        format!(
            "failed to add route '{dst} via {via} dev {dev} metric {priority} (Scope: {scope}, Table: {table})': {}",
            go_text(errno)
        )
    })
}

/// A scope as the netlink library prints it.
fn scope_word(scope: i64) -> String {
    let word = match scope {
        0 => "universe",
        200 => "site",
        253 => "link",
        254 => "host",
        255 => "nowhere",
        _ => return format!("0x{scope:x}"),
    };
    word.to_owned()
}

/// `%v` of a pointer to an `IPConfig`. The real one prints where its index lies in memory, which is
/// another number each time.
fn go_ip_config(address: IpNet, gateway: Option<IpAddr>) -> String {
    let gateway = gateway.map_or("<nil>".to_owned(), |gateway| gateway.to_string());
    let mask = go_mask(&address);
    format!("{{Interface:0xc000012345 Address:{{IP:{} Mask:{mask}}} Gateway:{gateway}}}", address.addr())
}
