//! kube-proxy as a process on a node, asked on its health check ports.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{self, API_SERVER, Kind};
use serde_json::Value;
use world::World;

use crate::case::Case;
use crate::machine::Machine;

/// What the ports that a case's recording names answer, in the recording's form: headers sorted,
/// without the date.
pub fn answers(case: &Case, recorded: &str) -> Result<String, String> {
    let objects = case.objects();
    let node = objects[0]["nodeName"].as_str().ok_or("the node has no name")?;
    let mut registry = tools::registry();
    kube::proxy::install(&mut registry);
    let mut machine = Machine::new(registry);
    let world = &mut machine.world;
    world.store_put(API_SERVER, Arc::new(()));
    for object in &objects {
        match object["kind"].as_str().unwrap_or_default() {
            "Node" => put::<Node>(world, object)?,
            "Service" => put::<Service>(world, object)?,
            "EndpointSlice" => put::<EndpointSlice>(world, object)?,
            "ProxyConfig" => {}
            other => return Err(format!("a {other} between syncs")),
        }
    }
    machine.quietly(&format!(
        "ip link set lo up; kube-proxy --hostname-override={node} 2>/dev/null & sleep 1"
    ))?;
    let mut found = String::new();
    for headline in recorded.lines().filter(|line| line.starts_with("# ")) {
        let port = headline.rsplit(' ').next().unwrap_or_default();
        let answer = machine.quietly(&format!("curl -si http://127.0.0.1:{port}/"))?.replace('\r', "");
        let (head, body) = answer.split_once("\n\n").unwrap_or((&answer, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
        let mut headers: Vec<&str> = lines.filter(|line| !line.starts_with("Date: ")).collect();
        headers.sort_unstable();
        found.push_str(&format!("{headline}\nHTTP {status}\n{}\n\n{body}\n", headers.join("\n")));
    }
    Ok(found)
}

fn put<K: Kind>(world: &mut World, object: &Value) -> Result<(), String> {
    let object: K = serde_json::from_value(object.clone()).map_err(|error| error.to_string())?;
    let key = api::key::<K>(api::namespace_of(&object), api::name_of(&object));
    world.store_put(&key, Arc::new(object));
    Ok(())
}
