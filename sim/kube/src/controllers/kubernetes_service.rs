//! The Service `kubernetes`: pods reach the API server by it. Kubernetes:
//! `pkg/controlplane/controller/kubernetesservice`.

use std::net::SocketAddr;

use k8s_openapi::api::core::v1::{
    EndpointAddress, EndpointPort, EndpointSubset, Endpoints, Service, ServicePort, ServiceSpec,
};
use k8s_openapi::api::discovery::v1::{
    Endpoint, EndpointConditions, EndpointPort as SlicePort, EndpointSlice,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use world::Sys;

use super::endpoint_mirror::SKIP;
use super::slices::SERVICE_NAME;
use crate::api::labels::Labels;
use crate::api::{ApiError, ClusterSettings, Kind, create, get, modify};

const NAME: &str = "kubernetes";

fn metadata(labels: &[(&str, &str)]) -> ObjectMeta {
    let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    ObjectMeta {
        name: Some(NAME.to_owned()),
        namespace: Some("default".to_owned()),
        labels: Some(labels.iter().map(pair).collect::<Labels>()),
        ..ObjectMeta::default()
    }
}

fn put<K: Kind>(sys: &mut dyn Sys, object: K, same: fn(&mut K, K)) -> Result<(), ApiError> {
    match get::<K>(sys.store(), "default", NAME) {
        None => create(sys, object).map(drop),
        Some(_) => modify::<K>(sys, "default", NAME, |known| same(known, object)).map(drop),
    }
}

/// Makes the Service, its Endpoints and its EndpointSlice, or brings the latter two up to date.
/// The API server does that when it starts and every ten seconds; the namespace `default` must be
/// there.
///
/// # Errors
/// The API server's refusal: the first address of the service CIDR is taken.
pub fn kubernetes_service(sys: &mut dyn Sys, at: SocketAddr) -> Result<(), ApiError> {
    let Some(settings) = ClusterSettings::of(sys.store()) else { return Ok(()) };
    let (ip, port) = (at.ip().to_string(), i32::from(at.port()));
    let text = |text: &str| Some(text.to_owned());
    let first = settings.service_cidr.hosts().next().map(|first| first.to_string());
    let service = Service {
        metadata: metadata(&[("component", "apiserver"), ("provider", "kubernetes")]),
        spec: Some(ServiceSpec {
            type_: text("ClusterIP"),
            cluster_ip: first,
            session_affinity: text("None"),
            ports: Some(vec![ServicePort {
                name: text("https"),
                port: 443,
                target_port: Some(IntOrString::Int(port)),
                protocol: text("TCP"),
                ..ServicePort::default()
            }]),
            ..ServiceSpec::default()
        }),
        status: None,
    };
    put(sys, service, |known, new| {
        if let (Some(known), Some(new)) = (&mut known.spec, new.spec) {
            known.ports = new.ports;
        }
    })?;
    let endpoints = Endpoints {
        metadata: metadata(&[(SKIP, "true")]),
        subsets: Some(vec![EndpointSubset {
            addresses: Some(vec![EndpointAddress { ip: ip.clone(), ..EndpointAddress::default() }]),
            ports: Some(vec![EndpointPort {
                name: text("https"),
                port,
                protocol: text("TCP"),
                ..EndpointPort::default()
            }]),
            ..EndpointSubset::default()
        }]),
    };
    put(sys, endpoints, |known, new| known.subsets = new.subsets)?;
    let slice = EndpointSlice {
        metadata: metadata(&[(SERVICE_NAME, NAME)]),
        address_type: "IPv4".to_owned(),
        endpoints: vec![Endpoint {
            addresses: vec![ip],
            conditions: Some(EndpointConditions { ready: Some(true), ..EndpointConditions::default() }),
            ..Endpoint::default()
        }],
        ports: Some(vec![SlicePort {
            name: text("https"),
            port: Some(port),
            protocol: text("TCP"),
            ..SlicePort::default()
        }]),
    };
    put(sys, slice, |known, new| {
        known.endpoints = new.endpoints;
        known.ports = new.ports;
    })
}
