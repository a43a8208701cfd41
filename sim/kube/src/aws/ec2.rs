//! What the EC2 API does: checks, changes, refusals.

use std::fmt;
use std::sync::Arc;

use ipnet::Ipv4Net;
use world::Sys;

use super::model::{
    Cloud, Instance, Interface, Peer, Permission, Route, RouteTable, SecurityGroup, State, Target, put,
};

/// Routes that a table takes beside the local one: the default quota.
const ROUTES_MAX: usize = 50;

/// Why the API refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// Its code, e.g. `RouteAlreadyExists`.
    pub code: &'static str,
    /// In words.
    pub message: String,
}

/// As the SDK for Go prints it.
impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n\tstatus code: 400", self.code, self.message)
    }
}

fn refuse<T>(code: &'static str, message: String) -> Result<T, ApiError> {
    Err(ApiError { code, message })
}

/// Where a route is to lead, as a request says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// `InstanceId`.
    Instance(&'a str),
    /// `NetworkInterfaceId`.
    Interface(&'a str),
    /// `GatewayId`.
    Gateway(&'a str),
}

/// Whether an id begins as those of its kind.
fn check_id(code: &'static str, id: &str, prefix: &str) -> Result<(), ApiError> {
    if id.starts_with(prefix) {
        return Ok(());
    }
    refuse(code, format!("Invalid id: \"{id}\" (expecting \"{prefix}...\")"))
}

/// The instance of that id.
///
/// # Errors
/// `InvalidInstanceID.NotFound`.
pub fn instance(cloud: &Cloud, id: &str) -> Result<Arc<Instance>, ApiError> {
    check_id("InvalidInstanceID.Malformed", id, "i-")?;
    match cloud.instance(id) {
        Some(instance) => Ok(Arc::clone(instance)),
        None => refuse("InvalidInstanceID.NotFound", format!("The instance ID '{id}' does not exist")),
    }
}

/// The interface of that id.
///
/// # Errors
/// `InvalidNetworkInterfaceID.NotFound`.
pub fn interface(cloud: &Cloud, id: &str) -> Result<Arc<Interface>, ApiError> {
    check_id("InvalidNetworkInterfaceId.Malformed", id, "eni-")?;
    match cloud.interface(id) {
        Some(interface) => Ok(Arc::clone(interface)),
        None => refuse(
            "InvalidNetworkInterfaceID.NotFound",
            format!("The networkInterface ID '{id}' does not exist"),
        ),
    }
}

/// The route table of that id.
///
/// # Errors
/// `InvalidRouteTableID.NotFound`.
pub fn route_table(cloud: &Cloud, id: &str) -> Result<Arc<RouteTable>, ApiError> {
    check_id("InvalidRouteTableId.Malformed", id, "rtb-")?;
    match cloud.route_tables.iter().find(|table| table.id == id) {
        Some(table) => Ok(Arc::clone(table)),
        None => refuse("InvalidRouteTableID.NotFound", format!("The routeTable ID '{id}' does not exist")),
    }
}

/// The security group of that id.
///
/// # Errors
/// `InvalidGroup.NotFound`.
pub fn group(cloud: &Cloud, id: &str) -> Result<Arc<SecurityGroup>, ApiError> {
    check_id("InvalidGroupId.Malformed", id, "sg-")?;
    match cloud.groups.iter().find(|group| group.id == id) {
        Some(group) => Ok(Arc::clone(group)),
        None => refuse("InvalidGroup.NotFound", format!("The security group '{id}' does not exist")),
    }
}

/// The only interface of an instance: what names an instance and means its interface.
fn only_interface(cloud: &Cloud, id: &str) -> Result<Arc<Interface>, ApiError> {
    let instance = instance(cloud, id)?;
    match cloud.interfaces_of(&instance.id).as_slice() {
        [only] => Ok(Arc::clone(only)),
        _ => refuse(
            "InvalidInstanceID",
            format!(
                "There are multiple interfaces attached to instance '{id}'. Please specify an interface ID for \
                 the operation instead."
            ),
        ),
    }
}

fn target(cloud: &Cloud, wanted: Wanted<'_>) -> Result<Target, ApiError> {
    match wanted {
        Wanted::Instance(id) => Ok(Target::Interface(only_interface(cloud, id)?.id.clone())),
        Wanted::Interface(id) => Ok(Target::Interface(interface(cloud, id)?.id.clone())),
        Wanted::Gateway(id) if cloud.gateways.iter().any(|gateway| gateway.id == id) => {
            Ok(Target::Gateway(id.to_owned()))
        }
        Wanted::Gateway(id) => {
            refuse("InvalidGatewayID.NotFound", format!("The gateway ID '{id}' does not exist"))
        }
    }
}

/// A destination, with the bits of hosts cleared.
fn destination(text: &str) -> Result<Ipv4Net, ApiError> {
    match text.parse::<Ipv4Net>() {
        Ok(net) => Ok(net.trunc()),
        Err(_) => refuse(
            "InvalidParameterValue",
            format!(
                "Value ({text}) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block."
            ),
        ),
    }
}

/// Adds a route. The same route again is no error.
///
/// # Errors
/// `RouteAlreadyExists`, `RouteLimitExceeded`, or something doesn't exist.
pub fn create_route(sys: &mut dyn Sys, table: &str, cidr: &str, wanted: Wanted<'_>) -> Result<(), ApiError> {
    let cloud = Cloud::load(sys.store());
    let mut table = RouteTable::clone(route_table(&cloud, table)?.as_ref());
    let destination = destination(cidr)?;
    let target = target(&cloud, wanted)?;
    let exists =
        || refuse("RouteAlreadyExists", format!("The route identified by {destination} already exists."));
    let local = cloud.vpc().map(|vpc| vpc.cidr);
    if local == Some(destination) {
        return exists();
    }
    if local.is_some_and(|local| local.contains(&destination)) {
        // Simplified: AWS lets a subnet's whole CIDR be routed to an interface.
        return refuse(
            "InvalidParameterValue",
            "Route destination doesn't match any subnet CIDR blocks.".to_owned(),
        );
    }
    if let Some(route) = table.routes.iter().find(|route| route.destination == destination) {
        return if route.target == target { Ok(()) } else { exists() };
    }
    if table.routes.len() >= ROUTES_MAX {
        return refuse("RouteLimitExceeded", "The maximum number of routes has been reached.".to_owned());
    }
    table.routes.push(Route { destination, target });
    put(sys, table);
    Ok(())
}

/// Leads a route elsewhere.
///
/// # Errors
/// There is no such route, or something else doesn't exist.
pub fn replace_route(sys: &mut dyn Sys, table: &str, cidr: &str, wanted: Wanted<'_>) -> Result<(), ApiError> {
    let cloud = Cloud::load(sys.store());
    let mut table = RouteTable::clone(route_table(&cloud, table)?.as_ref());
    let destination = destination(cidr)?;
    let target = target(&cloud, wanted)?;
    let Some(route) = table.routes.iter_mut().find(|route| route.destination == destination) else {
        return refuse(
            "InvalidParameterValue",
            format!(
                "There is no route defined for '{destination}' in the route table. Use CreateRoute instead."
            ),
        );
    };
    route.target = target;
    put(sys, table);
    Ok(())
}

/// Deletes a route.
///
/// # Errors
/// `InvalidRoute.NotFound`; the local route can't be deleted.
pub fn delete_route(sys: &mut dyn Sys, table: &str, cidr: &str) -> Result<(), ApiError> {
    let cloud = Cloud::load(sys.store());
    let mut table = RouteTable::clone(route_table(&cloud, table)?.as_ref());
    let destination = destination(cidr)?;
    let id = &table.id;
    if cloud.vpc().is_some_and(|vpc| vpc.cidr == destination) {
        let message = format!("cannot remove local route {destination} in route table {id}");
        return refuse("InvalidParameterValue", message);
    }
    let Some(at) = table.routes.iter().position(|route| route.destination == destination) else {
        let message = format!("no route with destination-cidr-block {destination} in route table {id}");
        return refuse("InvalidRoute.NotFound", message);
    };
    table.routes.remove(at);
    put(sys, table);
    Ok(())
}

/// `ModifyNetworkInterfaceAttribute`: source/destination check, security groups.
///
/// # Errors
/// Something doesn't exist.
pub fn modify_interface(
    sys: &mut dyn Sys,
    id: &str,
    source_dest_check: Option<bool>,
    groups: &[String],
) -> Result<(), ApiError> {
    let cloud = Cloud::load(sys.store());
    let mut interface = Interface::clone(interface(&cloud, id)?.as_ref());
    for id in groups {
        group(&cloud, id)?;
    }
    interface.source_dest_check = source_dest_check.unwrap_or(interface.source_dest_check);
    if !groups.is_empty() {
        interface.groups = groups.to_vec();
    }
    put(sys, interface);
    Ok(())
}

/// `ModifyInstanceAttribute`: the same, of an instance with one interface.
///
/// # Errors
/// It has several, or something doesn't exist.
pub fn modify_instance(
    sys: &mut dyn Sys,
    id: &str,
    source_dest_check: Option<bool>,
    groups: &[String],
) -> Result<(), ApiError> {
    let cloud = Cloud::load(sys.store());
    let interface = only_interface(&cloud, id)?;
    modify_interface(sys, &interface.id, source_dest_check, groups)
}

/// Stops or starts an instance; answers the state that it was in.
///
/// Simplified: at once; a stopped one loses its cable and goes on running.
///
/// # Errors
/// It doesn't exist.
pub fn set_state(sys: &mut dyn Sys, id: &str, state: State) -> Result<State, ApiError> {
    let found = instance(&Cloud::load(sys.store()), id)?;
    if found.state != state {
        put(sys, Instance { state, ..Instance::clone(found.as_ref()) });
    }
    Ok(found.state)
}

/// A permission as messages name it.
fn describe(permission: &Permission) -> String {
    let peer = match &permission.from {
        Peer::Cidr(cidr) => cidr.to_string(),
        Peer::Group(id) => id.clone(),
    };
    let protocol = match permission.protocol.as_str() {
        "-1" => "ALL".to_owned(),
        other => other.to_uppercase(),
    };
    let ports = match (permission.protocol.as_str(), permission.ports) {
        ("icmp", Some((kind, code))) => format!(", type: {kind}, code: {code}"),
        ("-1", _) | (_, None) => String::new(),
        (_, Some((first, last))) => format!(", from port: {first}, to port: {last}"),
    };
    format!("peer: {peer}, {protocol}{ports}, ALLOW")
}

fn same(one: &Permission, other: &Permission) -> bool {
    (&one.protocol, one.ports, &one.from) == (&other.protocol, other.ports, &other.from)
}

/// Lets something in.
///
/// # Errors
/// `InvalidPermission.Duplicate`, or a group doesn't exist.
pub fn authorize(sys: &mut dyn Sys, id: &str, permissions: &[Permission]) -> Result<(), ApiError> {
    let cloud = Cloud::load(sys.store());
    let mut changed = SecurityGroup::clone(group(&cloud, id)?.as_ref());
    for permission in permissions {
        if let Peer::Group(id) = &permission.from {
            group(&cloud, id)?;
        }
        if changed.ingress.iter().any(|other| same(other, permission)) {
            let message = format!("the specified rule \"{}\" already exists", describe(permission));
            return refuse("InvalidPermission.Duplicate", message);
        }
        changed.ingress.push(permission.clone());
    }
    put(sys, changed);
    Ok(())
}

/// Lets something in no more.
///
/// # Errors
/// `InvalidPermission.NotFound`, or the group doesn't exist.
pub fn revoke(sys: &mut dyn Sys, id: &str, permissions: &[Permission]) -> Result<(), ApiError> {
    let cloud = Cloud::load(sys.store());
    let mut changed = SecurityGroup::clone(group(&cloud, id)?.as_ref());
    for permission in permissions {
        let Some(at) = changed.ingress.iter().position(|other| same(other, permission)) else {
            let message = "The specified rule does not exist in this security group.".to_owned();
            return refuse("InvalidPermission.NotFound", message);
        };
        changed.ingress.remove(at);
    }
    put(sys, changed);
    Ok(())
}
