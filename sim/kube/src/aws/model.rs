//! The objects of the EC2 API.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use ipnet::Ipv4Net;
use packet::MacAddr;
use serde::{Deserialize, Deserializer};
use world::{Shared, Store, Sys};

/// Where the EC2 API keeps its objects.
pub const PREFIX: &str = "/aws/ec2/";

/// A network of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vpc {
    /// `vpc-…`.
    pub id: String,
    /// Its addresses.
    pub cidr: Ipv4Net,
    /// The longest IP packet that its fabric carries, in bytes.
    #[serde(default = "jumbo")]
    pub mtu: u32,
    /// The region.
    #[serde(default = "region")]
    pub region: String,
    /// The account.
    #[serde(default = "owner")]
    pub owner: String,
}

fn jumbo() -> u32 {
    9001
}

fn region() -> String {
    "us-east-1".to_owned()
}

fn owner() -> String {
    "123456789012".to_owned()
}

/// A part of a VPC.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subnet {
    /// `subnet-…`.
    pub id: String,
    /// Its addresses.
    pub cidr: Ipv4Net,
    /// The availability zone.
    pub zone: String,
}

impl Subnet {
    /// The address of the VPC's router: the subnet's first one.
    pub fn router(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.cidr.network()).saturating_add(1))
    }
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// An interface; with it its instance.
    Interface(String),
    /// An internet gateway.
    Gateway(String),
}

/// A route of a table; the local one is in every table and not written here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// `DestinationCidrBlock`.
    pub destination: Ipv4Net,
    /// Where it leads.
    pub target: Target,
}

/// A route table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteTable {
    /// `rtb-…`.
    pub id: String,
    /// Whether it is for subnets that no table names.
    #[serde(default)]
    pub main: bool,
    /// Subnets that it is for.
    #[serde(default)]
    pub subnets: Vec<String>,
    /// Its routes beside the local one.
    #[serde(default)]
    pub routes: Vec<Route>,
    /// Tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// Whom a permission is for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// Addresses.
    Cidr(Ipv4Net),
    /// What interfaces of this security group send.
    Group(String),
}

/// What a security group lets in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    /// `-1` for all, `tcp`, `udp`, `icmp`, or a number.
    #[serde(default = "all_protocols")]
    pub protocol: String,
    /// First and last port; of ICMP type and code, -1 for any.
    pub ports: Option<(i32, i32)>,
    /// From whom.
    pub from: Peer,
    /// What it is for.
    #[serde(default)]
    pub description: String,
}

fn all_protocols() -> String {
    "-1".to_owned()
}

/// A security group.
///
/// Simplified: it lets everything out, as a new group does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecurityGroup {
    /// `sg-…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// What it lets in.
    #[serde(default)]
    pub ingress: Vec<Permission>,
}

/// The way out of a VPC.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InternetGateway {
    /// `igw-…`.
    pub id: String,
    /// The NIC of the router that leads outside.
    pub nic: String,
    /// The next hop there.
    pub next_hop: Ipv4Addr,
}

/// Whether an instance runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It runs.
    Running,
    /// It was stopped; its interfaces are off.
    Stopped,
}

impl State {
    /// Its number and name.
    pub fn code(self) -> (u16, &'static str) {
        match self {
            Self::Running => (16, "running"),
            Self::Stopped => (80, "stopped"),
        }
    }
}

/// A virtual machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// `i-…`.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// Whether it runs.
    pub state: State,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// A network interface of an instance.
///
/// Simplified: it has one private address.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    /// `eni-…`.
    pub id: String,
    /// Its instance.
    #[serde(default)]
    pub instance: String,
    /// Its place among the instance's interfaces, from 0.
    #[serde(default)]
    pub index: u32,
    /// Its subnet.
    pub subnet: String,
    /// Its private address.
    pub address: Ipv4Addr,
    /// Its address outside, which the internet gateway translates.
    pub public_address: Option<Ipv4Addr>,
    /// Its MAC address, if it is to be told.
    #[serde(default, deserialize_with = "mac")]
    pub mac: Option<MacAddr>,
    /// The NIC of the router that its cable hangs on.
    pub nic: String,
    /// Whether it may only send and receive packets of its own address.
    #[serde(default = "yes")]
    pub source_dest_check: bool,
    /// Its security groups.
    pub groups: Vec<String>,
}

fn yes() -> bool {
    true
}

fn mac<'de, D: Deserializer<'de>>(from: D) -> Result<Option<MacAddr>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    let parse =
        |text: String| text.parse().map_err(|_| serde::de::Error::custom(format!("no MAC address: {text}")));
    text.map(parse).transpose()
}

/// An object of the EC2 API.
pub trait Resource: Sized + Send + Sync + 'static {
    /// The part of its key that names its kind.
    const KIND: &'static str;
    /// Its id.
    fn id(&self) -> &str;
    /// Its key in the store.
    fn key(&self) -> String {
        format!("{PREFIX}{}/{}", Self::KIND, self.id())
    }
}

macro_rules! resources {
    ($($name:ty => $kind:literal),*) => {$(
        impl Resource for $name {
            const KIND: &'static str = $kind;
            fn id(&self) -> &str {
                &self.id
            }
        }
    )*};
}

resources! {
    Vpc => "vpcs", Subnet => "subnets", RouteTable => "route-tables", SecurityGroup => "security-groups",
    InternetGateway => "internet-gateways", Instance => "instances", Interface => "network-interfaces"
}

/// Writes an object.
pub fn put<R: Resource>(sys: &mut dyn Sys, resource: R) {
    let key = resource.key();
    let value: Shared = Arc::new(resource);
    sys.store_put(&key, value);
}

/// All objects of the API, each kind in the order of ids.
///
/// Simplified: there is one VPC.
#[derive(Clone, Debug, Default)]
pub struct Cloud {
    /// VPCs; one at most.
    pub vpcs: Vec<Arc<Vpc>>,
    /// Subnets.
    pub subnets: Vec<Arc<Subnet>>,
    /// Route tables.
    pub route_tables: Vec<Arc<RouteTable>>,
    /// Security groups.
    pub groups: Vec<Arc<SecurityGroup>>,
    /// Internet gateways; one at most.
    pub gateways: Vec<Arc<InternetGateway>>,
    /// Instances.
    pub instances: Vec<Arc<Instance>>,
    /// Network interfaces.
    pub interfaces: Vec<Arc<Interface>>,
}

fn all<R: Resource>(store: &Store) -> Vec<Arc<R>> {
    let prefix = format!("{PREFIX}{}/", R::KIND);
    store.range(&prefix).filter_map(|(_, entry)| entry.get()).collect()
}

impl Cloud {
    /// What the store holds.
    pub fn load(store: &Store) -> Self {
        Self {
            vpcs: all(store),
            subnets: all(store),
            route_tables: all(store),
            groups: all(store),
            gateways: all(store),
            instances: all(store),
            interfaces: all(store),
        }
    }

    /// The VPC.
    pub fn vpc(&self) -> Option<&Arc<Vpc>> {
        self.vpcs.first()
    }

    /// The instance of that id.
    pub fn instance(&self, id: &str) -> Option<&Arc<Instance>> {
        self.instances.iter().find(|instance| instance.id == id)
    }

    /// The interface of that id.
    pub fn interface(&self, id: &str) -> Option<&Arc<Interface>> {
        self.interfaces.iter().find(|interface| interface.id == id)
    }

    /// The subnet of that id.
    pub fn subnet(&self, id: &str) -> Option<&Arc<Subnet>> {
        self.subnets.iter().find(|subnet| subnet.id == id)
    }

    /// The interface with that private address.
    pub fn interface_with(&self, address: Ipv4Addr) -> Option<&Arc<Interface>> {
        self.interfaces.iter().find(|interface| interface.address == address)
    }

    /// The interfaces of an instance, its first one first.
    pub fn interfaces_of(&self, instance: &str) -> Vec<&Arc<Interface>> {
        let mut all: Vec<_> = self.interfaces.iter().filter(|each| each.instance == instance).collect();
        all.sort_by_key(|interface| interface.index);
        all
    }

    /// The table that decides for a subnet: its own, or the main one.
    pub fn table_of(&self, subnet: &str) -> Option<&Arc<RouteTable>> {
        let own = self.route_tables.iter().find(|table| table.subnets.iter().any(|id| id == subnet));
        own.or_else(|| self.route_tables.iter().find(|table| table.main))
    }

    /// Whether what a route leads to is there and runs.
    pub fn is_active(&self, route: &Route) -> bool {
        match &route.target {
            Target::Interface(id) => {
                let instance = self.interface(id).and_then(|interface| self.instance(&interface.instance));
                instance.is_some_and(|instance| instance.state == State::Running)
            }
            Target::Gateway(id) => self.gateways.iter().any(|gateway| gateway.id == *id),
        }
    }
}
