use serde::Deserialize;
use world::Sys;

use super::model::{
    Instance, Interface, InternetGateway, Resource, RouteTable, SecurityGroup, State, Subnet, Target, Vpc,
    put,
};
use crate::cni::files;

/// What the VPC is when its router starts for the first time.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    vpc: Vpc,
    subnets: Vec<Subnet>,
    route_tables: Vec<RouteTable>,
    security_groups: Vec<SecurityGroup>,
    internet_gateway: Option<InternetGateway>,
    instances: Vec<InstanceConfig>,
}

/// The longest name of a chain, in bytes: some are named by ids.
const ID_MAX: usize = 28;

/// An instance with its interfaces.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InstanceConfig {
    id: String,
    #[serde(default = "instance_type", rename = "type")]
    kind: String,
    #[serde(default)]
    tags: std::collections::BTreeMap<String, String>,
    interfaces: Vec<Interface>,
}

fn instance_type() -> String {
    "t3.medium".to_owned()
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read(sys: &mut dyn Sys, path: &str) -> Result<Self, String> {
        let text = files::read(sys, path).map_err(|error| format!("{path}: {error}"))?;
        let config: Self = serde_json::from_str(&text).map_err(|error| format!("{path}: {error}"))?;
        config.check().map_err(|error| format!("{path}: {error}"))?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        fn known<R: Resource>(kind: &str, id: &str, all: &[R]) -> Result<(), String> {
            let found = all.iter().any(|each| each.id() == id);
            if found { Ok(()) } else { Err(format!("there is no {kind} `{id}`")) }
        }
        for (prefix, id) in self.ids() {
            let plain = id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            if !id.starts_with(prefix) || !plain || id.len() > ID_MAX {
                return Err(format!("`{id}` is no id: {prefix}… of at most {ID_MAX} letters and digits"));
            }
        }
        for subnet in &self.subnets {
            if !self.vpc.cidr.contains(&subnet.cidr) {
                return Err(format!("subnet `{}` is not in the VPC's {}", subnet.id, self.vpc.cidr));
            }
        }
        let interfaces = || self.instances.iter().flat_map(|instance| &instance.interfaces);
        for interface in interfaces() {
            let subnet = self.subnets.iter().find(|subnet| subnet.id == interface.subnet);
            let subnet = subnet.ok_or_else(|| format!("there is no subnet `{}`", interface.subnet))?;
            if !subnet.cidr.contains(&interface.address) {
                return Err(format!("{} of `{}` is not in {}", interface.address, interface.id, subnet.cidr));
            }
            for group in &interface.groups {
                known("security group", group, &self.security_groups)?;
            }
        }
        for table in &self.route_tables {
            for subnet in &table.subnets {
                known("subnet", subnet, &self.subnets)?;
            }
            for route in &table.routes {
                match &route.target {
                    Target::Interface(id) if !interfaces().any(|interface| interface.id == *id) => {
                        return Err(format!("there is no interface `{id}`"));
                    }
                    Target::Interface(_) => {}
                    Target::Gateway(id) => known("gateway", id, self.internet_gateway.as_slice())?,
                }
            }
        }
        let one_main = self.route_tables.iter().filter(|table| table.main).count() == 1;
        if one_main { Ok(()) } else { Err("a VPC has one main route table".to_owned()) }
    }

    /// All ids, each with what it has to begin with.
    fn ids(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let instances = self.instances.iter().map(|each| ("i-", each.id.as_str()));
        let interfaces = self.instances.iter().flat_map(|each| &each.interfaces);
        instances
            .chain(interfaces.map(|each| ("eni-", each.id.as_str())))
            .chain(self.subnets.iter().map(|each| ("subnet-", each.id.as_str())))
            .chain(self.route_tables.iter().map(|each| ("rtb-", each.id.as_str())))
            .chain(self.security_groups.iter().map(|each| ("sg-", each.id.as_str())))
            .chain(self.internet_gateway.iter().map(|each| ("igw-", each.id.as_str())))
            .chain([("vpc-", self.vpc.id.as_str())])
    }

    /// Writes what the API doesn't know yet: it remembers what has changed since.
    pub fn publish(self, sys: &mut dyn Sys) {
        fn publish<R: Resource>(sys: &mut dyn Sys, resource: R) {
            if sys.store().get(&resource.key()).is_none() {
                put(sys, resource);
            }
        }
        publish(sys, self.vpc);
        self.subnets.into_iter().for_each(|subnet| publish(sys, subnet));
        self.security_groups.into_iter().for_each(|group| publish(sys, group));
        self.internet_gateway.into_iter().for_each(|gateway| publish(sys, gateway));
        for InstanceConfig { id, kind, tags, interfaces } in self.instances {
            for (index, mut interface) in (0..).zip(interfaces) {
                interface.instance.clone_from(&id);
                interface.index = index;
                publish(sys, interface);
            }
            publish(sys, Instance { id, kind, state: State::Running, tags });
        }
        self.route_tables.into_iter().for_each(|table| publish(sys, table));
    }
}
