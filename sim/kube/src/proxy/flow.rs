//! What happens to a packet on a node with a proxy's rules: it is sent through a simulated kernel.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;
use packet::{HostId, NetnsId, Proto, TcpFlags};
use serde::Serialize;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use trace::{Decision, HookName, Off, StepKind};
use world::{Follow, Outcome, Probe, ProbeError, ProbeOutcome, Stream, World};

use super::input::Input;
use super::offline::bridge_address;
use super::{LocalDetector, Protocol};

/// The interface to other nodes.
const UPLINK: &str = "eth0";
/// What the pods' bridge is called unless the configuration says something else.
const BRIDGE: &str = "cni0";
/// The port that a packet comes from if nothing is said.
const SOURCE_PORT: u16 = 40_000;

/// A first packet of a connection: `tcp 10.0.0.9:40000 > 10.96.0.10:80`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// As it was written.
    text: String,
    protocol: Protocol,
    from: (Ipv4Addr, u16),
    to: (Ipv4Addr, u16),
}

/// A flow that can't be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// It isn't one.
    #[error("`{0}` is no flow")]
    NoFlow(String),
    /// Its protocol has no ports.
    #[error("`{0}` is neither tcp, udp nor sctp")]
    Protocol(String),
    /// An end of it.
    #[error("`{0}` is no address with a port")]
    End(String),
    /// IPv6.
    #[error("`{0}`: IPv6 flows are not simulated")]
    Ipv6(String),
    /// A command that sets up the node failed.
    #[error("the node can't be set up: {0}")]
    Setup(String),
    /// The packet couldn't be followed.
    #[error("`{0}`: {1}")]
    Probe(String, ProbeError),
}

impl FlowError {
    /// What would do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoFlow(_) | Self::Protocol(_) | Self::End(_) => {
                Some("a flow is written as `tcp 10.0.0.9:40000 > 10.96.0.10:80`")
            }
            Self::Ipv6(_) | Self::Setup(_) | Self::Probe(..) => None,
        }
    }
}

fn end(text: &str, usual: Option<u16>) -> Result<(Ipv4Addr, u16), FlowError> {
    match (text.parse::<SocketAddr>(), text.parse::<IpAddr>(), usual) {
        (Ok(SocketAddr::V4(addr)), ..) if addr.port() != 0 => Ok((*addr.ip(), addr.port())),
        (_, Ok(IpAddr::V4(ip)), Some(port)) => Ok((ip, port)),
        (Ok(SocketAddr::V6(_)), ..) | (_, Ok(IpAddr::V6(_)), _) => Err(FlowError::Ipv6(text.to_owned())),
        _ => Err(FlowError::End(text.to_owned())),
    }
}

impl Flow {
    /// A flow with its ends, each `address:port`; the source's port may be left out.
    ///
    /// # Errors
    /// A protocol without ports, an address that isn't one.
    pub fn new(proto: &str, from: &str, to: &str) -> Result<Self, FlowError> {
        let protocol = match proto {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            "sctp" => Protocol::Sctp,
            _ => return Err(FlowError::Protocol(proto.to_owned())),
        };
        let text = format!("{proto} {from} > {to}");
        Ok(Self { text, protocol, from: end(from, Some(SOURCE_PORT))?, to: end(to, None)? })
    }
}

impl std::str::FromStr for Flow {
    type Err = FlowError;

    fn from_str(text: &str) -> Result<Self, FlowError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [proto, from, ">", to] = words[..] else { return Err(FlowError::NoFlow(text.to_owned())) };
        Ok(Self { text: text.to_owned(), ..Self::new(&proto.to_lowercase(), from, to)? })
    }
}

/// A text, or an object with `from`, `to` and perhaps `proto`.
impl<'de> Deserialize<'de> for Flow {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct FlowVisitor;

        impl<'de> Visitor<'de> for FlowVisitor {
            type Value = Flow;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a flow, or an object with `proto`, `from` and `to`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Flow, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Flow, A::Error> {
                let (mut proto, mut from, mut to) = ("tcp".to_owned(), None, None);
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "proto" => proto = map.next_value::<String>()?.to_lowercase(),
                        "from" => from = Some(map.next_value::<String>()?),
                        "to" => to = Some(map.next_value::<String>()?),
                        other => return Err(de::Error::unknown_field(other, &["proto", "from", "to"])),
                    }
                }
                let from = from.ok_or_else(|| de::Error::missing_field("from"))?;
                let to = to.ok_or_else(|| de::Error::missing_field("to"))?;
                Flow::new(&proto, &from, &to).map_err(de::Error::custom)
            }
        }

        from.deserialize_any(FlowVisitor)
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What a proxy's rules do to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// They send it to an endpoint.
    Dnat,
    /// They refuse it, and its sender is told.
    Reject,
    /// They drop it.
    Drop,
    /// They let it pass.
    Accept,
    /// None of them decides about it.
    None,
}

/// An endpoint, and how probable it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Share {
    /// Its address and port.
    pub to: String,
    /// From 0 to 1.
    pub probability: f64,
}

/// What happens to a flow.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The flow as it was written.
    pub flow: String,
    /// What the rules do.
    pub verdict: Verdict,
    /// To which endpoints they send it, in the order of the rules.
    pub endpoints: Vec<Share>,
    /// Whether its source address is replaced when it leaves the node.
    pub masquerade: bool,
    /// The proxy's rules that it meets: table, chain, number; those of every branch, each once.
    pub rules: Vec<String>,
}

/// A node whose kernel holds a proxy's rules.
#[derive(Clone, Debug)]
pub struct Node {
    world: World,
    host: HostId,
    pods: Vec<IpNet>,
    bridge: String,
}

impl Node {
    /// A node with the addresses of an input, on which `script` is run: what a proxy does to it.
    ///
    /// Simplified: the node is on no network with others; what isn't its own or its pods' leaves by
    /// the uplink, and nobody answers.
    ///
    /// # Errors
    /// A command fails.
    pub fn new(input: &Input, script: &str) -> Result<Self, FlowError> {
        let mut world = World::new(0);
        let host = world.add_host(&input.config.node_name, tools::registry());
        let bridge = match input.config.detectors.first() {
            Some(LocalDetector::Bridge(name)) => name.clone(),
            Some(LocalDetector::Prefix(prefix)) if !BRIDGE.starts_with(prefix) => format!("{prefix}0"),
            _ => BRIDGE.to_owned(),
        };
        let pods: Vec<IpNet> =
            input.pod_networks.iter().filter(|net| net.addr().is_ipv4()).copied().collect();
        let mut node = Self { world, host, pods, bridge };
        node.run(&node.setup(input))?;
        node.run(script)?;
        Ok(node)
    }

    /// The commands that make its interfaces.
    fn setup(&self, input: &Input) -> String {
        let Self { bridge, pods, .. } = self;
        let mut script = format!(
            "set -e\n\
             sysctl -qw net.ipv4.ip_forward=1\n\
             ip link set lo up\n\
             ip link add {UPLINK} type dummy\n\
             ip link set {UPLINK} up\n\
             ip link add {bridge} type bridge\n\
             ip link set {bridge} up\n"
        );
        for ip in input.addresses.iter().filter(|ip| ip.is_ipv4()) {
            script.push_str(&format!("ip addr add {ip}/32 dev {UPLINK}\n"));
        }
        for net in pods {
            if let Some(ip) = bridge_address(net) {
                script.push_str(&format!("ip addr add {ip}/{} dev {bridge}\n", net.prefix_len()));
            }
        }
        script.push_str(&format!("ip route add default dev {UPLINK}\n"));
        script
    }

    fn run(&mut self, script: &str) -> Result<(), FlowError> {
        let console = self.world.add_console(self.host, false);
        self.world.type_input(self.host, console, None);
        let args = ["sh", "-c", script].map(str::to_owned).to_vec();
        let pid = self.world.spawn(self.host, NetnsId::INIT, console, args, BTreeMap::new());
        let pid = pid.map_err(|_| FlowError::Setup("there is no shell".to_owned()))?;
        let mut said = Vec::new();
        let outcome = self.world.run_to_exit(self.host, pid, console, &mut Off, &mut |stream, bytes| {
            if stream == Stream::Err {
                said.extend_from_slice(bytes);
            }
        });
        match outcome {
            Outcome::Exited(0) => Ok(()),
            _ => Err(FlowError::Setup(String::from_utf8_lossy(&said).trim().to_owned())),
        }
    }

    /// Sends the first packet of a flow through a copy of the node, each way that chance may send it.
    ///
    /// # Errors
    /// It can't be followed.
    pub fn answer(&self, flow: &Flow) -> Result<Answer, FlowError> {
        let (src, sport) = flow.from;
        let kernel = self.world.host(self.host);
        let own = kernel.addrs(NetnsId::INIT).iter().any(|info| info.addr.local.addr() == IpAddr::V4(src));
        let device = if own || src.is_loopback() {
            None
        } else if self.pods.iter().any(|net| net.contains(&IpAddr::V4(src))) {
            Some(self.bridge.clone())
        } else {
            Some(UPLINK.to_owned())
        };
        let probe = Probe {
            device,
            proto: match flow.protocol {
                Protocol::Tcp => Proto::TCP,
                Protocol::Udp => Proto::UDP,
                Protocol::Sctp => Proto::SCTP,
            },
            src: src.into(),
            sport,
            dst: flow.to.0.into(),
            dport: flow.to.1,
            flags: TcpFlags::SYN,
            mark: 0,
        };
        let mut answer = Answer {
            flow: flow.text.clone(),
            verdict: Verdict::None,
            endpoints: Vec::new(),
            masquerade: false,
            rules: Vec::new(),
        };
        let take = &mut |outcome: ProbeOutcome| answer.take(&outcome);
        match self.world.probe_each(self.host, NetnsId::INIT, &probe, Follow::EveryBranch, take) {
            Ok(()) => {}
            // The node itself can't send such a packet: no rule is asked.
            Err(ProbeError::NoRoute(_)) => {}
            Err(error) => return Err(FlowError::Probe(flow.text.clone(), error)),
        }
        Ok(answer)
    }
}

impl Answer {
    /// Takes up what happened in a branch.
    fn take(&mut self, outcome: &ProbeOutcome) {
        let mut verdict = Verdict::None;
        let mut endpoint = None;
        let mut masqueraded = false;
        let steps = outcome.trace.hops.iter().flat_map(|hop| &hop.steps);
        for step in steps {
            match &step.kind {
                StepKind::Rule { decision, .. } => self.note(decision),
                StepKind::Chain { hook, table, decided_by, verdict: word, .. } => {
                    self.note(decided_by);
                    let by_proxy = deciding_chain(decided_by).is_some_and(is_proxy_chain);
                    match (*word, *table) {
                        ("DROP", _) if by_proxy => verdict = Verdict::Drop,
                        ("REJECT", _) if by_proxy => verdict = Verdict::Reject,
                        ("ACCEPT", "filter") if by_proxy && verdict == Verdict::None => {
                            verdict = Verdict::Accept;
                        }
                        ("ACCEPT", "nat") if by_proxy && *hook == HookName::Postrouting => masqueraded = true,
                        _ => {}
                    }
                }
                StepKind::Rewrite { by: trace::RewriteBy::Nat(_), changes } => {
                    if let Some(change) = changes.iter().find(|change| change.field == "dst") {
                        endpoint = Some(change.after.clone());
                    }
                }
                _ => {}
            }
        }
        self.masquerade |= masqueraded;
        match (verdict, endpoint) {
            (Verdict::Drop | Verdict::Reject, _) | (_, None) => {
                if self.verdict == Verdict::None {
                    self.verdict = verdict;
                }
            }
            (_, Some(to)) => {
                self.verdict = Verdict::Dnat;
                let probability = outcome.verdict.probability.to_f64();
                match self.endpoints.iter_mut().find(|known| known.to == to) {
                    Some(known) => known.probability += probability,
                    None => self.endpoints.push(Share { to, probability }),
                }
            }
        }
    }

    /// Notes the proxy's rules on the way to a decision.
    fn note(&mut self, decision: &Decision) {
        let Decision::Rule { table, chains, jumps, number, .. } = decision else { return };
        for (chain, number) in chains.iter().zip(jumps.iter().chain([number])) {
            let rule = format!("{table} {chain} {number}");
            if is_proxy_chain(chain) && !self.rules.contains(&rule) {
                self.rules.push(rule);
            }
        }
    }
}

fn is_proxy_chain(chain: &str) -> bool {
    chain.starts_with("KUBE-")
}

/// The chain of the rule that decided.
fn deciding_chain(decision: &Decision) -> Option<&str> {
    match decision {
        Decision::Rule { chains, .. } => chains.last().map(String::as_str),
        Decision::Policy { .. } | Decision::Fabric { .. } => None,
    }
}
