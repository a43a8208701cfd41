//! Certificates are issued, and keys are made.

use std::str::FromStr;
use std::time::Duration;

use sha2::{Digest, Sha256};
use x509_cert::certificate::{TbsCertificate, Version};
use x509_cert::der::asn1::{Any, BitString, GeneralizedTime, Ia5String, ObjectIdentifier, UtcTime};
use x509_cert::der::pem::LineEnding;
use x509_cert::der::{Encode, pem};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName};
use x509_cert::ext::{AsExtension, Extension};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity};

use super::certificate::{AltName, Certificate};

/// A private key.
///
/// Simplified: a name's hash; its public part has the form of an RSA key of 2048 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key([u8; 32]);

/// What stands around a key in a file.
const LABEL: &str = "PRIVATE KEY";
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const SERVER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
const CLIENT: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");
/// `UtcTime` ends here: RFC 5280, section 4.1.2.5.
const YEAR_2050: u64 = 2_524_608_000;

/// 256 bytes that follow from others.
fn expand(seed: &[u8]) -> Vec<u8> {
    (0..8_u8).flat_map(|n| Sha256::new().chain_update(seed).chain_update([n]).finalize()).collect()
}

/// The signature of an authority with that public key under some bytes.
pub(super) fn signature(public: &[u8], bytes: &[u8]) -> Vec<u8> {
    expand(&Sha256::new().chain_update(public).chain_update(bytes).finalize())
}

impl Key {
    /// The key of that name.
    pub fn of(name: &str) -> Self {
        Self(Sha256::digest(name).into())
    }

    /// Reads a file's text.
    pub fn from_pem(text: &str) -> Option<Self> {
        let (label, bytes) = pem::decode_vec(text.as_bytes()).ok().filter(|(label, _)| *label == LABEL)?;
        let _ = label;
        bytes.try_into().ok().map(Self)
    }

    /// As a file has it.
    pub fn pem(&self) -> String {
        pem::encode_string(LABEL, LineEnding::LF, &self.0).unwrap_or_default()
    }

    /// Its signature under some bytes.
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        signature(&self.public(), bytes)
    }

    /// The public part: an `RSAPublicKey` (RFC 8017, appendix A.1.1).
    pub fn public(&self) -> Vec<u8> {
        let mut modulus = expand(&self.0);
        if let Some(first) = modulus.first_mut() {
            *first |= 0x80;
        }
        if let Some(last) = modulus.last_mut() {
            *last |= 1;
        }
        let head = [0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00];
        [&head[..], &modulus, &[0x02, 0x03, 0x01, 0x00, 0x01]].concat()
    }
}

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// To issue others.
    Authority,
    /// To be a server.
    Server,
    /// To be a client.
    Client,
}

/// A certificate that somebody wants.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Whose it is (RFC 4514): `CN=kubernetes-admin,O=kubeadm:cluster-admins`.
    pub subject: &'a str,
    /// The names that it is valid for.
    pub names: &'a [AltName],
    /// What it is for.
    pub role: Role,
    /// The first and the last second since 1970 at which it is valid.
    pub valid: (u64, u64),
}

/// Who issues certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Its own.
    pub certificate: Certificate,
    key: Key,
}

/// Who somebody is: a chain of certificates, and the key of the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The own certificate first.
    pub chain: Vec<Certificate>,
    /// The own key.
    pub key: Key,
}

impl Identity {
    /// An identity from the texts of two files.
    ///
    /// # Errors
    /// In Go's words.
    pub fn from_pem(certificates: &str, key: &str) -> Result<Self, String> {
        let chain = Certificate::all_from_pem(certificates)
            .ok_or("tls: failed to find any PEM data in certificate input")?;
        let key = Key::from_pem(key).ok_or("tls: failed to find any PEM data in key input")?;
        let public = chain.first().map(|own| own.public_key().to_vec());
        if public != Some(key.public()) {
            return Err("tls: private key does not match public key".to_owned());
        }
        Ok(Self { chain, key })
    }
}

impl Authority {
    /// One that issues its own certificate; `None` if that can't be written as a certificate.
    pub fn new(wanted: &Wanted<'_>, key: Key) -> Option<Self> {
        let subject = Name::from_str(wanted.subject).ok()?;
        let certificate = make(wanted, &key.public(), subject, &key)?;
        Some(Self { certificate, key })
    }

    /// Its key.
    pub fn key(&self) -> Key {
        self.key
    }

    /// Issues a certificate for a key; `None` if it can't be written.
    pub fn issue(&self, wanted: &Wanted<'_>, key: &Key) -> Option<Certificate> {
        make(wanted, &key.public(), self.certificate.x509.tbs_certificate.subject.clone(), &self.key)
    }
}

fn make(wanted: &Wanted<'_>, public: &[u8], issuer: Name, key: &Key) -> Option<Certificate> {
    let algorithm = |oid| AlgorithmIdentifierOwned { oid, parameters: Some(Any::null()) };
    let subject = Name::from_str(wanted.subject).ok()?;
    let mut serial = Sha256::new();
    serial.update(wanted.subject);
    serial.update(wanted.valid.0.to_be_bytes());
    serial.update(public);
    let mut serial: Vec<u8> = serial.finalize()[..8].to_vec();
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    let tbs_certificate = TbsCertificate {
        version: Version::V3,
        serial_number: SerialNumber::new(&serial).ok()?,
        signature: algorithm(RSA_SHA256),
        issuer,
        validity: Validity { not_before: time(wanted.valid.0)?, not_after: time(wanted.valid.1)? },
        extensions: Some(extensions(wanted, &subject)?),
        subject,
        subject_public_key_info: SubjectPublicKeyInfoOwned {
            algorithm: algorithm(RSA),
            subject_public_key: BitString::from_bytes(public).ok()?,
        },
        issuer_unique_id: None,
        subject_unique_id: None,
    };
    let signature = key.sign(&tbs_certificate.to_der().ok()?);
    Certificate::of(x509_cert::Certificate {
        tbs_certificate,
        signature_algorithm: algorithm(RSA_SHA256),
        signature: BitString::from_bytes(&signature).ok()?,
    })
}

fn time(second: u64) -> Option<Time> {
    let since = Duration::from_secs(second);
    match second < YEAR_2050 {
        true => UtcTime::from_unix_duration(since).ok().map(Time::UtcTime),
        false => GeneralizedTime::from_unix_duration(since).ok().map(Time::GeneralTime),
    }
}

fn extensions(wanted: &Wanted<'_>, subject: &Name) -> Option<Vec<Extension>> {
    let mut all = Vec::new();
    let common = KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment;
    let usage = match wanted.role {
        Role::Authority => common | KeyUsages::KeyCertSign,
        Role::Server | Role::Client => common,
    };
    all.push(KeyUsage(usage).to_extension(subject, &all).ok()?);
    let extended = match wanted.role {
        Role::Authority => None,
        Role::Server => Some(SERVER),
        Role::Client => Some(CLIENT),
    };
    if let Some(extended) = extended {
        all.push(ExtendedKeyUsage(vec![extended]).to_extension(subject, &all).ok()?);
    }
    let constraints = BasicConstraints { ca: wanted.role == Role::Authority, path_len_constraint: None };
    all.push(constraints.to_extension(subject, &all).ok()?);
    if !wanted.names.is_empty() {
        let name = |name: &AltName| match name {
            AltName::Dns(name) => Ia5String::new(name).ok().map(GeneralName::DnsName),
            AltName::Ip(ip) => Some(GeneralName::from(*ip)),
        };
        let names: Option<Vec<GeneralName>> = wanted.names.iter().map(name).collect();
        all.push(SubjectAltName(names?).to_extension(subject, &all).ok()?);
    }
    Some(all)
}
