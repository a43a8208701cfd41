//! What CHECK compares: the previous result with what is there. Plugins: `pkg/ip/utils_linux.go`.

use kernel::dump::LinkInfo;
use packet::NetnsId;
use world::Sys;

use super::CniError;
use super::call::Call;
use super::go_json::{self, Struct};
use super::link;
use super::result::{CniResult, Interface, IpConfig, Route, go_mask};

/// The previous result, if the configuration has one.
///
/// # Errors
/// It can't be read.
pub fn previous(call: &Call) -> Result<Option<CniResult>, CniError> {
    let value = go_json::parse(&call.stdin)?;
    let fields = Struct::new(&value, "NetConf", "types.NetConf")?;
    let Some(previous) = fields.get("prevResult") else { return Ok(None) };
    let failed = |message| format!("could not parse prevResult: {message}");
    Ok(Some(CniResult::from_json(previous, &call.version()?).map_err(failed)?))
}

/// The previous result.
///
/// # Errors
/// It can't be read; `missing` if there is none.
pub fn needed_previous(call: &Call, missing: &str) -> Result<CniResult, CniError> {
    previous(call)?.ok_or_else(|| missing.to_owned().into())
}

/// What the previous result says of the container's device; nothing if it doesn't name it.
///
/// # Errors
/// There is none in the namespace that the call names.
pub fn own_interface(result: &CniResult, call: &Call) -> Result<Interface, String> {
    let own = result.interfaces.iter().find(|i| i.name == call.ifname && i.sandbox == call.netns);
    let own = own.cloned().unwrap_or_default();
    if own.sandbox != call.netns {
        let (given, netns) = (&own.sandbox, &call.netns);
        return Err(format!("Sandbox in prevResult {given} doesn't match configured netns: {netns}"));
    }
    Ok(own)
}

/// The container's device as the previous result describes it. `plugin` stands before some messages:
/// `ptp: `.
///
/// # Errors
/// It isn't there, is no veth, or has another MAC address.
pub fn check_container_device(
    sys: &mut dyn Sys,
    netns: NetnsId,
    interface: &Interface,
    plugin: &str,
) -> Result<LinkInfo, String> {
    let Interface { name, mac, sandbox, .. } = interface;
    let is_bridge = plugin.is_empty();
    if name.is_empty() {
        let ptp = "Container interface name missing in prevResult: ";
        return Err(if is_bridge { "Interface name missing " } else { ptp }.to_owned());
    }
    let found = link::find(sys, netns, name).ok_or_else(|| match is_bridge {
        true => format!("Interface name {name} not found"),
        false => format!("{plugin}Container Interface name in prevResult: {name} not found"),
    })?;
    if sandbox.is_empty() {
        return Err(match is_bridge {
            true => format!("Interface {name} is expected to be in a sandbox"),
            false => format!("{plugin}Error: Container interface {name} should not be in host namespace"),
        });
    }
    if !link::is_veth(&found) {
        let kind = if is_bridge { "veth" } else { "veth/p2p" };
        return Err(format!("Error: Container interface {name} not of type {kind}"));
    }
    let seen = link::mac_text(&found);
    if !mac.is_empty() && *mac != seen {
        return Err(format!("{plugin}Interface {name} Mac {mac} doesn't match container Mac: {seen}"));
    }
    Ok(found)
}

/// Whether the device has the addresses, and a route to their subnets.
///
/// # Errors
/// The first that it lacks.
pub fn check_addresses(sys: &mut dyn Sys, netns: NetnsId, dev: &str, ips: &[IpConfig]) -> Result<(), String> {
    for IpConfig { address, gateway, .. } in ips {
        if !link::addresses(sys, netns, dev).contains(address) {
            return Err(format!("Failed to match addr {address} on interface {dev}"));
        }
        let subnet = address.trunc();
        if !sys.kernel().routes(netns).iter().any(|route| route.dst == subnet) {
            let gateway = gateway.map_or("<nil>".to_owned(), |gateway| gateway.to_string());
            return Err(format!("Failed to find Gateway {gateway} for interface {dev}"));
        }
    }
    Ok(())
}

/// Whether the routes are there; a default route counts with any gateway.
///
/// # Errors
/// The first that is missing.
pub fn check_routes(sys: &mut dyn Sys, netns: NetnsId, routes: &[Route]) -> Result<(), String> {
    let there = sys.kernel().routes(netns);
    for route in routes {
        let found = there.iter().any(|other| {
            let by_gateway = |gw| other.nexthops.iter().any(|hop| hop.via == Some(gw));
            other.dst == route.dst && (route.dst.prefix_len() == 0 || route.gw.is_none_or(by_gateway))
        });
        if !found {
            return Err(format!("Expected Route {} not found in routing table", go_route(route)));
        }
    }
    Ok(())
}

/// `%v` of a pointer to a `types.Route`.
fn go_route(route: &Route) -> String {
    let Route { dst, gw, mtu, advmss, priority, table, scope } = route;
    let mask = go_mask(dst);
    let number = |number: &Option<i64>| number.map_or("<nil>".to_owned(), |number| number.to_string());
    format!(
        "{{Dst:{{IP:{} Mask:{mask}}} GW:{} MTU:{mtu} AdvMSS:{advmss} Priority:{priority} Table:{} Scope:{}}}",
        dst.addr(),
        gw.map_or("<nil>".to_owned(), |gw| gw.to_string()),
        number(table),
        number(scope)
    )
}
