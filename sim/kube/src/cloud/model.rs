use std::net::Ipv4Addr;
use std::sync::Arc;

use ipnet::Ipv4Net;
use world::{Store, Sys};

/// The addresses that the cloud gives to balancers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool(pub Ipv4Net);

impl Pool {
    const KEY: &'static str = "/cloud/pool";

    /// The cloud's; none while nobody plays it.
    pub fn of(store: &Store) -> Option<Self> {
        store.get(Self::KEY)?.get::<Self>().map(|pool| *pool)
    }

    /// Says that the cloud is there.
    pub fn publish(self, sys: &mut dyn Sys) {
        sys.store_put(Self::KEY, Arc::new(self));
    }

    /// The address for a balancer: the one that it has, the one that is asked for, or the first that
    /// is free.
    ///
    /// # Errors
    /// What the cloud says if there is none.
    pub fn address(self, store: &Store, service: &str, asked: Option<&str>) -> Result<Ipv4Addr, String> {
        let all: Vec<Arc<Balancer>> = Balancer::list(store);
        let taken = |ip: &Ipv4Addr| all.iter().any(|one| one.service != service && one.address == *ip);
        if let Some(text) = asked {
            // In the words of Google's provider.
            let ip = text.parse::<Ipv4Addr>().ok().filter(|ip| self.0.contains(ip) && !taken(ip));
            return ip
                .ok_or_else(|| format!("requested ip {text:?} is neither static nor assigned to the LB"));
        }
        let own = all.iter().find(|one| one.service == service).map(|one| one.address);
        let free = || self.0.hosts().find(|ip| !taken(ip));
        own.or_else(free).ok_or_else(|| format!("no address of {} is free", self.0))
    }
}

/// A balancer, as the cloud's API keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balancer {
    /// The Service that it is for, `namespace/name`.
    pub service: String,
    /// Where clients reach it.
    pub address: Ipv4Addr,
    /// What it listens for.
    pub listeners: Vec<Listener>,
    /// Who may use it; everybody if it is empty.
    pub ranges: Vec<Ipv4Net>,
    /// The nodes behind it.
    pub targets: Vec<Target>,
    /// The port of each node that says over HTTP whether it has endpoints; without, a node that is
    /// ready is well.
    pub health: Option<u16>,
}

/// A port of a balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listener {
    /// `tcp` or `udp`.
    pub protocol: &'static str,
    /// What clients connect to.
    pub port: u16,
    /// The port on nodes.
    pub node_port: u16,
}

/// A node behind a balancer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Its name.
    pub node: String,
    /// Its address.
    pub address: Ipv4Addr,
}

impl Balancer {
    /// What the keys of all balancers begin with.
    pub const PREFIX: &'static str = "/cloud/balancers/";

    fn key(service: &str) -> String {
        format!("{}{service}", Self::PREFIX)
    }

    /// All of them, sorted by Service.
    pub fn list(store: &Store) -> Vec<Arc<Self>> {
        store.range(Self::PREFIX).filter_map(|(_, entry)| entry.get()).collect()
    }

    /// That of a Service.
    pub fn get(store: &Store, service: &str) -> Option<Arc<Self>> {
        store.get(&Self::key(service))?.get()
    }

    /// Makes or changes it.
    pub fn put(self, sys: &mut dyn Sys) {
        sys.store_put(&Self::key(&self.service), Arc::new(self));
    }

    /// Deletes that of a Service; answers whether there was one.
    pub fn delete(sys: &mut dyn Sys, service: &str) -> bool {
        sys.store_delete(&Self::key(service))
    }
}
