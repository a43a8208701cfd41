use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use packet::SimTime;

use crate::proxy::ServicePortName;

/// Chooses endpoints in turn. Kubernetes: `LoadBalancerRR`.
#[derive(Clone, Debug, Default)]
pub struct Balancer {
    services: BTreeMap<ServicePortName, Service>,
}

#[derive(Clone, Debug, Default)]
struct Service {
    endpoints: Vec<SocketAddr>,
    next: usize,
    affinity: Option<Duration>,
    /// Who had which endpoint when.
    clients: BTreeMap<IpAddr, (SocketAddr, SimTime)>,
}

/// Why a client keeps or loses its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Affinity {
    /// It goes where it went before.
    Keep,
    /// That one didn't answer.
    Reset,
}

impl Balancer {
    /// A Service's port is there; its clients stay with their endpoints for so long.
    pub fn set_service(&mut self, name: &ServicePortName, affinity: Option<Duration>) {
        self.services.entry(name.clone()).or_default().affinity = affinity;
    }

    /// A Service's port is gone.
    pub fn remove_service(&mut self, name: &ServicePortName) {
        self.services.remove(name);
    }

    /// The endpoints of a port. If they are others than before, they are shuffled, and it begins
    /// with the first.
    pub fn set_endpoints(
        &mut self,
        name: &ServicePortName,
        mut endpoints: Vec<SocketAddr>,
        random: &mut dyn FnMut() -> u64,
    ) {
        let service = self.services.entry(name.clone()).or_default();
        let before: BTreeSet<SocketAddr> = service.endpoints.iter().copied().collect();
        let after: BTreeSet<SocketAddr> = endpoints.iter().copied().collect();
        if before == after {
            return;
        }
        service.clients.retain(|_, (endpoint, _)| before.contains(endpoint) && after.contains(endpoint));
        for last in (1..endpoints.len()).rev() {
            let span = u64::try_from(last).map_or(u64::MAX, |last| last + 1);
            endpoints.swap(last, usize::try_from(random() % span).unwrap_or(0));
        }
        service.endpoints = endpoints;
        service.next = 0;
    }

    /// The endpoint for a client; none if there is none. Kubernetes: `NextEndpoint`.
    pub fn next(
        &mut self,
        name: &ServicePortName,
        client: IpAddr,
        affinity: Affinity,
        now: SimTime,
    ) -> Option<SocketAddr> {
        let service = self.services.get_mut(name)?;
        if let Some(timeout) = service.affinity
            && affinity == Affinity::Keep
            && let Some((endpoint, used)) = service.clients.get_mut(&client)
            && now < *used + timeout
        {
            *used = now;
            return Some(*endpoint);
        }
        let endpoint = *service.endpoints.get(service.next)?;
        service.next = (service.next + 1) % service.endpoints.len();
        if service.affinity.is_some() {
            service.clients.insert(client, (endpoint, now));
        }
        Some(endpoint)
    }

    /// Forgets clients that stayed away for too long.
    pub fn forget_clients(&mut self, now: SimTime) {
        for service in self.services.values_mut() {
            let timeout = service.affinity.unwrap_or_default();
            service.clients.retain(|_, (_, used)| now < *used + timeout);
        }
    }
}
