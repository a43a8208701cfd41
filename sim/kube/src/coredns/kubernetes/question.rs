use dns::Name;

use crate::coredns::message::depth;

/// What a name below a zone of the kubernetes plugin asks for. CoreDNS: `parseRequest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Something above all objects: the zone, `svc`, `pod`, a kind without a namespace.
    Above,
    /// Of pods.
    Pod {
        /// Their namespace.
        namespace: String,
        /// The address that stands in the name; none if it is the namespace's name.
        pod: Option<String>,
    },
    /// Of Services.
    Service {
        /// Their namespace.
        namespace: String,
        /// The Service; none if it is the namespace's name.
        service: Option<String>,
        /// Which part of it.
        part: Part,
    },
}

/// Which part of a Service a name asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    #[default]
    All,
    /// A port, by its name and protocol, each empty for any: `_http._tcp`.
    Port {
        /// The port's name.
        port: String,
        /// Its protocol.
        protocol: String,
    },
    /// An endpoint, by its host name.
    Endpoint {
        /// The host name.
        hostname: String,
        /// Its cluster, in a set of clusters.
        cluster: Option<String>,
    },
    /// The endpoints in a zone of the cloud: `ZONE.pin._zone`.
    Zone {
        /// The zone.
        zone: String,
        /// What is answered if it has none.
        otherwise: Otherwise,
    },
}

/// What is answered if a zone has no endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// `pin`: nothing.
    Nothing,
    /// `prefer`: all of the Service's.
    All,
}

/// The shape of the names of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Those of a cluster.
    Cluster,
    /// Those of a cluster, some with `_zone`.
    Zonal,
    /// Those of a set of clusters: endpoints have their cluster's name.
    Set,
}

/// A name that can't be of the kubernetes plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid;

impl Part {
    /// Whether it asks for some endpoints of the Service.
    pub fn is_endpoint(&self) -> bool {
        matches!(self, Self::Endpoint { .. })
    }

    /// The name and protocol of the port, each empty for any.
    pub fn port(&self) -> (&str, &str) {
        match self {
            Self::Port { port, protocol } => (port, protocol),
            _ => ("", ""),
        }
    }
}

/// The labels of a name before a zone, in small letters, the first one first.
pub fn labels(name: &Name, zone: &Name) -> Vec<String> {
    let count = depth(name).saturating_sub(depth(zone));
    name.iter().take(count).map(text).collect()
}

/// A label in small letters; dots in it are no dots between labels.
fn text(label: &[u8]) -> String {
    String::from_utf8_lossy(label).to_lowercase().replace('\\', "\\\\").replace('.', "\\.")
}

/// Reads a name of a zone.
pub fn parse(name: &Name, zone: &Name, shape: Shape) -> Result<Asked, Invalid> {
    let mut labels = labels(name, zone);
    let is_pod = match labels.pop().as_deref() {
        None => return Ok(Asked::Above),
        Some("svc") => false,
        Some("pod") => true,
        Some(_) => return Err(Invalid),
    };
    let Some(namespace) = labels.pop() else { return Ok(Asked::Above) };
    let object = labels.pop();
    let part = part(labels, shape, is_pod)?;
    Ok(match is_pod {
        true => Asked::Pod { namespace, pod: object },
        false => Asked::Service { namespace, service: object, part },
    })
}

fn part(mut labels: Vec<String>, shape: Shape, is_pod: bool) -> Result<Part, Invalid> {
    let bare = |label: &String| label.strip_prefix('_').unwrap_or(label).to_owned();
    match &labels[..] {
        [] => Ok(Part::All),
        [hostname] => Ok(Part::Endpoint { hostname: hostname.clone(), cluster: None }),
        [hostname, cluster]
            if shape == Shape::Set && !hostname.starts_with('_') && !cluster.starts_with('_') =>
        {
            Ok(Part::Endpoint { hostname: hostname.clone(), cluster: Some(cluster.clone()) })
        }
        [port, protocol] => Ok(Part::Port { port: bare(port), protocol: bare(protocol) }),
        _ => {
            if shape != Shape::Zonal || is_pod || labels.pop().as_deref() != Some("_zone") {
                return Err(Invalid);
            }
            let otherwise = match labels.pop().as_deref() {
                Some("pin") => Otherwise::Nothing,
                Some("prefer") => Otherwise::All,
                _ => return Err(Invalid),
            };
            // A zone may have dots in its name.
            Ok(Part::Zone { zone: labels.join("."), otherwise })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, shape: Shape, expected: &str) {
        let zone = Name::from_ascii("inter.webs.tests.").expect("a name");
        let name = Name::from_ascii(name).expect("a name");
        let said = match parse(&name, &zone, shape) {
            Err(Invalid) => "invalid".to_owned(),
            Ok(Asked::Above) => "above".to_owned(),
            Ok(Asked::Pod { namespace, pod }) => {
                format!("pod {} in {namespace}", pod.as_deref().unwrap_or("-"))
            }
            Ok(Asked::Service { namespace, service, part }) => {
                let part = match part {
                    Part::All => String::new(),
                    Part::Port { port, protocol } => format!(" port {port}/{protocol}"),
                    Part::Endpoint { hostname, cluster: None } => format!(" endpoint {hostname}"),
                    Part::Endpoint { hostname, cluster: Some(cluster) } => {
                        format!(" endpoint {hostname} of {cluster}")
                    }
                    Part::Zone { zone, otherwise } => format!(" zone {zone} else {otherwise:?}"),
                };
                format!("{} in {namespace}{part}", service.as_deref().unwrap_or("-"))
            }
        };
        assert_eq!(said, expected, "{name}");
    }

    #[test]
    fn names() {
        use Shape::{Cluster, Set, Zonal};
        for (name, shape, expected) in [
            (
                "_http._tcp.webs.mynamespace.svc.inter.webs.tests.",
                Cluster,
                "webs in mynamespace port http/tcp",
            ),
            (
                "1-2-3-4.webs.mynamespace.svc.inter.webs.tests.",
                Cluster,
                "webs in mynamespace endpoint 1-2-3-4",
            ),
            ("WEBS.MyNamespace.SVC.inter.Webs.tests.", Cluster, "webs in mynamespace"),
            ("10-240-0-1.podns.pod.inter.webs.tests.", Cluster, "pod 10-240-0-1 in podns"),
            ("podns.pod.inter.webs.tests.", Cluster, "pod - in podns"),
            ("mynamespace.svc.inter.webs.tests.", Cluster, "- in mynamespace"),
            ("svc.inter.webs.tests.", Cluster, "above"),
            ("inter.webs.tests.", Cluster, "above"),
            ("mynamespace.pood.inter.webs.tests.", Cluster, "invalid"),
            ("too.long.webs.mynamespace.svc.inter.webs.tests.", Cluster, "webs in mynamespace port too/long"),
            ("much.too.long.webs.mynamespace.svc.inter.webs.tests.", Cluster, "invalid"),
            ("ep.c1.webs.mynamespace.svc.inter.webs.tests.", Set, "webs in mynamespace endpoint ep of c1"),
            ("_http._tcp.webs.ns.svc.inter.webs.tests.", Set, "webs in ns port http/tcp"),
            ("a.b.pin._zone.webs.ns.svc.inter.webs.tests.", Zonal, "webs in ns zone a.b else Nothing"),
            ("a.prefer._zone.webs.ns.svc.inter.webs.tests.", Zonal, "webs in ns zone a else All"),
            ("a.prefer._zone.webs.ns.svc.inter.webs.tests.", Cluster, "invalid"),
            ("a.near._zone.webs.ns.svc.inter.webs.tests.", Zonal, "invalid"),
            ("a.pin._zone.webs.ns.pod.inter.webs.tests.", Zonal, "invalid"),
        ] {
            check(name, shape, expected);
        }
    }
}
