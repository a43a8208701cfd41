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
    /// What its chains have after their prefixes.
    hash: Hash,
}

impl ServicePortName {
    /// The name: since 1.16 without a colon if the port has no name.
    pub fn new(profile: Profile, (namespace, name): &ServiceName, port: &str, protocol: Protocol) -> Self {
        let text = match (profile, port) {
            (Profile::V1_30, "") => format!("{namespace}/{name}"),
            (_, port) => format!("{namespace}/{name}:{port}"),
        };
        let hash = Hash::of(&[&text, protocol.name()]);
        Self { text: text.into(), protocol, hash }
    }

    /// The name as text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The chain of this port with that prefix, e.g. `KUBE-SVC-`. Kubernetes: `portProtoHash`.
    pub fn chain(&self, prefix: &'static str) -> Chain {
        Chain { prefix, hash: self.hash }
    }

    /// The chain of an endpoint, given as `address:port`. Kubernetes:
    /// `servicePortEndpointChainName`.
    pub fn endpoint_chain(&self, endpoint: &str) -> Chain {
        let hash = Hash::of(&[&self.text, self.protocol.name(), endpoint]);
        Chain { prefix: "KUBE-SEP-", hash }
    }
}

impl fmt::Display for ServicePortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The name of a chain: a prefix and a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chain {
    prefix: &'static str,
    hash: Hash,
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.prefix)?;
        f.write_str(self.hash.text())
    }
}

/// A chain's name: the prefix and the hash of the words.
pub fn chain(prefix: &str, words: &[&str]) -> String {
    format!("{prefix}{}", Hash::of(words).text())
}

/// The first 16 characters of the base32 of some words' SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Hash([u8; 16]);

impl Hash {
    fn of(words: &[&str]) -> Self {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let mut hash = Sha256::new();
        for word in words {
            hash.update(word);
        }
        // 16 characters of base32 are the first 80 bits.
        let bits = hash.finalize().iter().take(10).fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        Self(std::array::from_fn(|place| {
            let five = usize::try_from(bits >> ((15 - place) * 5) & 31).unwrap_or(0);
            ALPHABET.get(five).copied().unwrap_or(b'A')
        }))
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}
