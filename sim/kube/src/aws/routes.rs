//! The route controller with AWS's routes: for each node a route to its podCIDR. Kubernetes:
//! `cloud-provider/controllers/route`; `legacy-cloud-providers/aws/aws_routes.go`.

use std::sync::Arc;
use std::time::Duration;

use ipnet::Ipv4Net;
use k8s_openapi::api::core::v1::{Node, NodeCondition};
use world::Sys;

use super::describe::private_name;
use super::ec2::{self, Wanted};
use super::model::{Cloud, RouteTable, Target};
use crate::api;
use crate::api::event::{Report, Severity, record};

/// `--route-reconciliation-period`.
pub const PERIOD: Duration = Duration::from_secs(10);
/// How often it tries to make a route. Kubernetes: `maxRetries`.
///
/// Simplified: at once, one after the other.
const TRIES: u32 = 5;

/// A route as the controller sees it. Kubernetes: `cloudprovider.Route`.
#[derive(Debug)]
struct CloudRoute {
    destination: Ipv4Net,
    /// The node's name; none if nobody is there.
    node: Option<String>,
}

/// Makes the routes of nodes, deletes those of nodes that are gone, and says of each node whether it
/// has its network. Kubernetes: `reconcileNodeRoutes`.
///
/// # Errors
/// In the controller's words; it logs them and tries again after [`PERIOD`].
pub fn reconcile(sys: &mut dyn Sys, cluster: &str, pods: Ipv4Net) -> Result<(), String> {
    let nodes = api::list::<Node>(sys.store(), None);
    let cloud = Cloud::load(sys.store());
    let table = find_table(&cloud, cluster).map_err(|error| format!("error listing routes: {error}"))?;
    let routes = list(&cloud, &table, &nodes);
    for node in &nodes {
        let Some(cidr) = pod_cidr(node) else { continue };
        let name = api::name_of(&**node);
        let there =
            routes.iter().any(|route| route.node.as_deref() == Some(name) && route.destination == cidr);
        if there {
            if condition(node).is_none_or(|condition| condition.status != "False") {
                set_condition(sys, name, true);
            }
            continue;
        }
        for _ in 0..TRIES {
            let made = create(sys, cluster, node, cidr);
            set_condition(sys, name, made.is_ok());
            let Err(error) = made else { break };
            let uid = node.metadata.uid.clone().unwrap_or_default();
            let message = format!("Could not create route {uid} {cidr} for node {name} after 0s: {error}");
            let (severity, reason) = (Severity::Warning, "FailedToCreateRoute");
            let report =
                Report { severity, reason, message: &message, component: "route_controller", host: "" };
            record(sys, &**node, &report);
        }
    }
    for route in routes {
        let of_node = |node: &Arc<Node>| {
            route.node.as_deref() == Some(api::name_of(&**node)) && pod_cidr(node) == Some(route.destination)
        };
        let wanted = nodes.iter().any(of_node);
        if pods.contains(&route.destination) && !wanted {
            ec2::delete_route(sys, &table.id, &route.destination.to_string())
                .map_err(|error| format!("error deleting AWS route ({}): \"{error}\"", route.destination))?;
        }
    }
    Ok(())
}

fn pod_cidr(node: &Node) -> Option<Ipv4Net> {
    node.spec.as_ref()?.pod_cidr.as_ref()?.parse().ok()
}

/// The table with the cluster's tag. Kubernetes: `findRouteTable`.
fn find_table(cloud: &Cloud, cluster: &str) -> Result<Arc<RouteTable>, String> {
    let of_cluster = |key: &String| key == "KubernetesCluster" || key.starts_with("kubernetes.io/cluster/");
    let mut tagged = cloud.route_tables.iter().filter(|table| table.tags.keys().any(of_cluster));
    match (tagged.next(), tagged.next()) {
        (Some(table), None) => Ok(Arc::clone(table)),
        (None, _) => Err(format!("unable to find route table for AWS cluster: {cluster}")),
        (Some(_), Some(_)) => {
            Err(format!("found multiple matching AWS route tables for AWS cluster: {cluster}"))
        }
    }
}

/// The instance that a node is: by its private DNS name.
///
/// Simplified: a node of another name is found by its address.
fn instance_of(cloud: &Cloud, node: &Node) -> Option<String> {
    let name = api::name_of(node);
    let status = node.status.as_ref();
    let addresses = status.and_then(|status| status.addresses.as_ref()).into_iter().flatten();
    let internal: Vec<&str> =
        addresses.filter(|each| each.type_ == "InternalIP").map(|each| each.address.as_str()).collect();
    let by_name = cloud.interfaces.iter().find(|interface| private_name(interface.address) == name);
    let by_address = || {
        cloud.interfaces.iter().find(|interface| internal.contains(&interface.address.to_string().as_str()))
    };
    by_name.or_else(by_address).map(|interface| interface.instance.clone())
}

/// Kubernetes: `ListRoutes`.
fn list(cloud: &Cloud, table: &RouteTable, nodes: &[Arc<Node>]) -> Vec<CloudRoute> {
    let mut routes = Vec::new();
    for route in &table.routes {
        let destination = route.destination;
        if !cloud.is_active(route) {
            routes.push(CloudRoute { destination, node: None });
            continue;
        }
        let Target::Interface(id) = &route.target else { continue };
        let instance = cloud.interface(id).map(|interface| interface.instance.clone());
        let node = nodes.iter().find(|node| instance_of(cloud, node) == instance);
        routes.push(CloudRoute { destination, node: node.map(|node| api::name_of(&**node).to_owned()) });
    }
    routes
}

/// Kubernetes: `CreateRoute`.
fn create(sys: &mut dyn Sys, cluster: &str, node: &Node, cidr: Ipv4Net) -> Result<(), String> {
    let cloud = Cloud::load(sys.store());
    let instance = instance_of(&cloud, node).ok_or("instance not found")?;
    ec2::modify_instance(sys, &instance, Some(false), &[]).map_err(|error| {
        format!("error configuring source-dest-check on instance {instance}: \"{error}\"")
    })?;
    let table = find_table(&cloud, cluster)?;
    if let Some(hole) = table.routes.iter().find(|route| route.destination == cidr && !cloud.is_active(route))
    {
        ec2::delete_route(sys, &table.id, &hole.destination.to_string())
            .map_err(|error| format!("error deleting blackholed AWS route ({cidr}): \"{error}\""))?;
    }
    ec2::create_route(sys, &table.id, &cidr.to_string(), Wanted::Instance(&instance))
        .map_err(|error| format!("error creating AWS route ({cidr}): \"{error}\""))
}

const UNAVAILABLE: &str = "NetworkUnavailable";

fn condition(node: &Node) -> Option<&NodeCondition> {
    let conditions = node.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == UNAVAILABLE)
}

/// Kubernetes: `updateNetworkingCondition`.
fn set_condition(sys: &mut dyn Sys, node: &str, made: bool) {
    let now = api::now(sys);
    let (status, reason, message) = if made {
        ("False", "RouteCreated", "RouteController created a route")
    } else {
        ("True", "NoRouteCreated", "RouteController failed to create a route")
    };
    let condition = NodeCondition {
        type_: UNAVAILABLE.to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_transition_time: Some(now.clone()),
        last_heartbeat_time: Some(now),
    };
    // A node that is gone needs no condition.
    let _ = api::modify::<Node>(sys, "", node, |node| {
        let conditions = node.status.get_or_insert_default().conditions.get_or_insert_default();
        conditions.retain(|known| known.type_ != UNAVAILABLE);
        conditions.push(condition);
    });
}
