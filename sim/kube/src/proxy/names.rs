//! Names of Service ports, and of the chains that are made for them.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::Profile;

/// Namespace and name of a Service.
pub type ServiceName = (String, String);

/// What a Service port speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// SCTP.
    Sctp,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    /// Reads what objects say: `TCP`, and that too if they say nothing.
    pub fn of(text: Option<&str>) -> Option<Self> {
        match text {
            None | Some("TCP" | "") => Some(Self::Tcp),
            Some("UDP") => Some(Self::Udp),
            Some("SCTP") => Some(Self::Sctp),
            Some(_) => None,
        }
    }

    /// As iptables names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sctp => "sctp",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// A port of a Service: `namespace/name:port`, and its protocol. They sort by that text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServicePortName {
    text: Arc<str>,
    /// The protocol.
    pub protocol: Protocol,
}

impl ServicePortName {
    /// The name: since 1.16 without a colon if the port has no name.
    pub fn new(profile: Profile, (namespace, name): &ServiceName, port: &str, protocol: Protocol) -> Self {
        let text = match (profile, port) {
            (Profile::V1_30, "") => format!("{namespace}/{name}"),
            (_, port) => format!("{namespace}/{name}:{port}"),
        };
        Self { text: text.into(), protocol }
    }

    /// The name as text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The chain of this port with that prefix, e.g. `KUBE-SVC-`. Kubernetes: `portProtoHash`.
    pub fn chain(&self, prefix: &str) -> String {
        chain(prefix, &[&self.text, self.protocol.name()])
    }

    /// The chain of an endpoint, given as `address:port`. Kubernetes:
    /// `servicePortEndpointChainName`.
    pub fn endpoint_chain(&self, endpoint: &str) -> String {
        chain("KUBE-SEP-", &[&self.text, self.protocol.name(), endpoint])
    }
}

impl fmt::Display for ServicePortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A chain's name: the prefix and the first 16 characters of the base32 of the words' SHA-256.
pub fn chain(prefix: &str, words: &[&str]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut hash = Sha256::new();
    for word in words {
        hash.update(word);
    }
    let mut name = prefix.to_owned();
    // 16 characters of base32 are the first 80 bits.
    let bits = hash.finalize().iter().take(10).fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    for place in (0..16).rev() {
        let five = usize::try_from(bits >> (place * 5) & 31).unwrap_or(0);
        name.extend(ALPHABET.get(five).map(|letter| char::from(*letter)));
    }
    name
}
