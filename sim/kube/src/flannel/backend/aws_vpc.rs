//! `aws-vpc`: a route in the VPC's route table for this node's part, and none in the kernel. flannel:
//! `backend/awsvpc`, which was removed in 2022 (0.20).
//!
//! Simplified: what the instance metadata service would say is looked up out of band.

use serde_json::Value;
use world::Sys;

use super::super::config::Config as NetworkConfig;
use super::super::iface::ExternalInterface;
use super::super::lease::Lease;
use super::super::log::Log;
use crate::aws::ec2::{self, Wanted};
use crate::aws::model::{Cloud, Interface};

/// The route tables of the configuration; none if flanneld is to look for its subnet's.
#[derive(Clone, Debug)]
pub struct Config {
    tables: Option<Vec<String>>,
}

impl Config {
    /// Reads `RouteTableID`. flannel: `backendConfig.routeTables`.
    ///
    /// # Errors
    /// It is neither a text nor a list of texts.
    pub fn parse(config: &NetworkConfig) -> Result<Self, String> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let tables = match config.backend.get("RouteTableID") {
            None | Some(Value::Null) => None,
            Some(Value::String(table)) => Some(vec![table.clone()]),
            Some(Value::Array(tables)) => {
                let all = tables.iter().map(text).collect::<Option<Vec<_>>>();
                let unlike = || "Unexpected type in RouteTableID slice. Must be strings.".to_owned();
                Some(all.ok_or_else(unlike)?)
            }
            Some(_) => {
                return Err("Unexpected RouteTableID type. Must be string or array of strings.".to_owned());
            }
        };
        Ok(Self { tables })
    }

    /// Makes the VPC send the node's part to the node. flannel: `RegisterNetwork`.
    ///
    /// # Errors
    /// In flannel's words.
    pub fn start(
        &self,
        sys: &mut dyn Sys,
        log: Log,
        config: &NetworkConfig,
        iface: &ExternalInterface,
        lease: &Lease,
    ) -> Result<(), String> {
        log.info(sys, "awsvpc.go:89", &format!("Backend configured as: {}", config.backend));
        let cloud = Cloud::load(sys.store());
        let Some(eni) = cloud.interface_with(iface.addr) else {
            return Err(match cloud.vpc() {
                // Without a VPC nobody answers for the metadata service.
                None => "error getting EC2 region name: EC2MetadataRequestError: failed to get EC2 instance identity \
                         document"
                    .to_owned(),
                Some(_) => format!("unable to find ENI that matches the {} IP address. %!s(<nil>)\n", iface.addr),
            });
        };
        log.info(sys, "awsvpc.go:323", &format!("Found {} that has {} IP address.", eni.id, iface.addr));
        if let Err(error) = ec2::modify_interface(sys, &eni.id, Some(false), &[]) {
            let text = format!("failed to disable SourceDestCheck on {}: {error}.", eni.id);
            log.warning(sys, "awsvpc.go:135", &text);
        }
        log.info(sys, "awsvpc.go:80", &format!("Route table configured: {}", self.tables.is_some()));
        let tables = match &self.tables {
            Some(tables) => tables.clone(),
            None => {
                let found = cloud.table_of(&eni.subnet).ok_or("main route table not found")?;
                log.info(sys, "awsvpc.go:142", &format!("Found route table {}.", found.id));
                vec![found.id.clone()]
            }
        };
        for table in &tables {
            remove_blackholes(sys, log, config, table);
            program(sys, log, table, eni, lease)?;
        }
        Ok(())
    }
}

/// Deletes routes of the network to instances that are gone. flannel: `cleanupBlackholeRoutes`.
fn remove_blackholes(sys: &mut dyn Sys, log: Log, config: &NetworkConfig, table: &str) {
    let cloud = Cloud::load(sys.store());
    let found = match ec2::route_table(&cloud, table) {
        Ok(found) => found,
        Err(error) => {
            log.error(sys, "awsvpc.go:158", &format!("Error cleaning up blackhole routes: {error}"));
            return;
        }
    };
    let whole = config.network.unwrap_or_default();
    for route in found.routes.iter().filter(|route| !cloud.is_active(route)) {
        let destination = route.destination;
        if whole.contains(&destination.network()) {
            log.info(sys, "awsvpc.go:204", &format!("Removing blackhole route: {destination}"));
            if let Err(error) = ec2::delete_route(sys, table, &destination.to_string()) {
                log.error(sys, "awsvpc.go:158", &format!("Error cleaning up blackhole routes: {error}"));
            }
        }
    }
}

/// Puts the node's route into a table. The original compares the addresses of two texts to see
/// whether it is there, which are never the same: it always deletes and adds.
fn program(sys: &mut dyn Sys, log: Log, table: &str, eni: &Interface, lease: &Lease) -> Result<(), String> {
    let subnet = lease.subnet.to_string();
    match ec2::delete_route(sys, table, &subnet) {
        Ok(()) => {}
        Err(error) if error.code == "InvalidRoute.NotFound" => {}
        Err(error) => return Err(format!("error deleting existing route for {subnet}: {error}")),
    }
    ec2::create_route(sys, table, &subnet, Wanted::Interface(&eni.id))
        .map_err(|error| format!("unable to add route {subnet}: {error}"))?;
    log.info(sys, "awsvpc.go:257", &format!("Route added to table {table}: {subnet} - {}.", eni.id));
    Ok(())
}
