//! Each node's subnet gets a route in the cloud's network. Kubernetes: `cloud-provider`,
//! `controllers/route`.

use super::context::Context;
use super::queue::Controller;
use crate::api::ClusterSettings;
use crate::aws::routes;

/// Makes and deletes routes, now and from time to time, if the cloud is AWS.
pub fn sync(cx: &mut Context<'_>, _: &str, _: &str) {
    let flags = cx.flags;
    if flags.cloud_provider != "aws" || flags.cloud_routes == Some(false) {
        return;
    }
    let settings = ClusterSettings::of(cx.sys.store());
    let Some(pods) = flags.cluster_cidr.or_else(|| settings?.pod_cidr) else { return };
    let cluster = flags.cluster_name.as_deref().unwrap_or("kubernetes");
    if let Err(error) = routes::reconcile(cx.sys, cluster, pods) {
        let line = format!("Couldn't reconcile node routes: {error}\n");
        tools::console::write_all(cx.sys, world::Fd::STDERR, &line);
    }
    cx.again(Controller::NodeRoute, "", "", routes::PERIOD);
}
