//! What shows that a network is broken: something that a person types, which works before and not
//! after.

use std::fmt;
use std::net::IpAddr;

use k8s_openapi::api::core::v1::{Pod, Service};
use kube::api::{get, list, name_of};
use serde::Serialize;
use trace::Off;
use world::World;

use crate::error::Problem;
use crate::lab::{locate, type_command};

/// A place by name, or by what runs there: a pod that is made anew has another name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// `host`, `host/namespace`, `pod/NAME`.
    Named(String),
    /// The pod of a workload on a node.
    Like {
        /// Its namespace.
        namespace: String,
        /// A label that it has.
        label: (String, String),
        /// Its node.
        node: String,
    },
}

impl At {
    /// A host.
    pub fn host(name: &str) -> Self {
        Self::Named(name.to_owned())
    }

    /// Its name now, as [`locate`] finds it.
    ///
    /// # Errors
    /// No such pod runs.
    pub fn name(&self, world: &World) -> Result<String, Problem> {
        let (namespace, label, node) = match self {
            Self::Named(name) => return Ok(name.clone()),
            Self::Like { namespace, label, node } => (namespace, label, node),
        };
        let all = list::<Pod>(world.store(), Some(namespace));
        let mut found = all.iter().filter(|pod| {
            let labels = pod.metadata.labels.as_ref();
            let has = labels.is_some_and(|labels| labels.get(&label.0) == Some(&label.1));
            let here = pod.spec.as_ref().and_then(|spec| spec.node_name.as_ref()) == Some(node);
            has && here && pod.metadata.deletion_timestamp.is_none()
        });
        match found.next() {
            Some(pod) if namespace == "default" => Ok(format!("pod/{}", name_of(&**pod))),
            Some(pod) => Ok(format!("pod/{namespace}/{}", name_of(&**pod))),
            None => {
                let (key, value) = label;
                let message = format!("no pod with the label {key}={value} is on {node}");
                Err(Problem::Conflict { message, hint: None })
            }
        }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::Like { label, node, .. } => write!(f, "the pod {} on {node}", label.1),
        }
    }
}

/// Where a probe goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum To {
    /// A pod or host, by the address that it has then.
    Place(At),
    /// An address.
    Address(IpAddr),
    /// The cluster address of a Service.
    Service(String, String),
}

impl To {
    /// The address now, and how `hoplab diagnose` is told of it.
    fn resolve(&self, world: &World) -> Result<(IpAddr, String), Problem> {
        match self {
            Self::Address(address) => Ok((*address, address.to_string())),
            Self::Place(at) => {
                let name = at.name(world)?;
                let spot = locate(world, &name)?;
                let addrs = world.host(spot.host).addrs(spot.netns);
                let mut own = addrs.iter().map(|info| info.addr.local.addr());
                let address = own.find(|address| !address.is_loopback());
                let message = format!("`{name}` has no address");
                Ok((address.ok_or(Problem::Conflict { message, hint: None })?, name))
            }
            Self::Service(namespace, name) => {
                let service = get::<Service>(world.store(), namespace, name);
                let ip = service.and_then(|service| service.spec.clone()?.cluster_ip?.parse().ok());
                let message = format!("the Service {namespace}/{name} has no address");
                let ip = ip.ok_or(Problem::Conflict { message, hint: None })?;
                Ok((ip, format!("svc/{namespace}/{name}")))
            }
        }
    }
}

/// How it is tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// An HTTP request to a port.
    Http(u16),
    /// An HTTP request that fills a packet of 1500 bytes and more.
    Big(u16),
    /// A datagram to a port, which is answered.
    Udp(u16),
    /// A datagram from a port to a port.
    UdpFrom(u16, u16),
    /// An echo request.
    Ping,
    /// A command of its own; `ADDRESS` stands for where it goes.
    Typed(String),
}

/// A command that works on a healthy network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Probe {
    /// Where it is typed.
    pub from: At,
    /// Where it goes.
    pub to: To,
    /// What is typed.
    pub way: Way,
    /// How often; each has to work.
    pub times: u32,
}

/// What `hoplab diagnose` is asked for a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// From where.
    pub from: String,
    /// To where.
    pub to: String,
    /// Which port.
    pub port: Option<u16>,
    /// Which protocol.
    pub proto: Option<packet::Proto>,
}

/// How often a Service is tried, so that each endpoint has its turn.
const TURNS: u32 = 12;

impl Probe {
    /// A probe that is typed once.
    pub fn once(from: At, to: To, way: Way) -> Self {
        Self { from, to, way, times: 1 }
    }

    /// A probe of something that chooses by chance.
    pub fn often(from: At, to: To, way: Way) -> Self {
        Self { from, to, way, times: TURNS }
    }

    /// What is typed now.
    ///
    /// # Errors
    /// What it goes to isn't there.
    pub fn command(&self, world: &World) -> Result<String, Problem> {
        let (address, _) = self.to.resolve(world)?;
        let one = match &self.way {
            Way::Http(port) => format!("curl -s -o /dev/null -m 2 http://{address}:{port}/"),
            Way::Big(port) => {
                format!(
                    "curl -s -o /dev/null -m 4 -H \"X-Filler: $(printf '%01600d' 0)\" http://{address}:{port}/"
                )
            }
            Way::Udp(port) => format!("udp-probe -timeout 1 {address}:{port}"),
            Way::UdpFrom(from, port) => format!("udp-probe -timeout 1 -bind :{from} {address}:{port}"),
            Way::Ping => format!("ping -c 1 -W 1 {address}"),
            Way::Typed(text) => text.replace("ADDRESS", &address.to_string()),
        };
        Ok(match self.times {
            1 => one,
            times => format!("for i in $(seq {times}); do {one} || exit 1; done"),
        })
    }

    /// Whether it works, on a copy of the world.
    pub fn works(&self, world: &World) -> bool {
        let typed = self.from.name(world).and_then(|from| {
            let (spot, command) = (locate(world, &from)?, self.command(world)?);
            type_command(&mut world.clone(), &spot, &command, &mut Off)
        });
        typed.is_ok_and(|typed| typed.status == 0)
    }

    /// What `hoplab diagnose` is asked.
    ///
    /// # Errors
    /// What it goes from or to isn't there.
    pub fn question(&self, world: &World) -> Result<Question, Problem> {
        use packet::Proto;
        let (port, proto) = match &self.way {
            Way::Http(port) | Way::Big(port) => (Some(*port), Some(Proto::TCP)),
            Way::Udp(port) | Way::UdpFrom(_, port) => (Some(*port), Some(Proto::UDP)),
            Way::Ping => (None, Some(Proto::ICMP)),
            Way::Typed(_) => (None, None),
        };
        let to = match &self.to {
            To::Place(at) => at.name(world)?,
            to => to.resolve(world)?.1,
        };
        Ok(Question { from: self.from.name(world)?, to, port, proto })
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {} to ", self.from)?;
        match &self.to {
            To::Place(at) => write!(f, "{at}")?,
            To::Address(address) => write!(f, "{address}")?,
            To::Service(namespace, name) => write!(f, "the Service {namespace}/{name}")?,
        }
        match &self.way {
            Way::Http(port) => write!(f, ", tcp port {port}"),
            Way::Big(port) => write!(f, ", tcp port {port}, large packets"),
            Way::Udp(port) | Way::UdpFrom(_, port) => write!(f, ", udp port {port}"),
            Way::Ping => f.write_str(", ping"),
            Way::Typed(text) => write!(f, ", `{text}`"),
        }
    }
}
