use std::net::IpAddr;
use std::sync::Arc;

use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::pem::LineEnding;
use x509_cert::der::{DateTime, Decode, Encode, EncodePem};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, SubjectAltName};
use x509_cert::name::Name;

/// A certificate (X.509, RFC 5280).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    der: Arc<[u8]>,
    pub(super) x509: Arc<x509_cert::Certificate>,
}

/// A name that a certificate is valid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AltName {
    /// A host's name; it may begin with `*.`.
    Dns(String),
    /// An address.
    Ip(IpAddr),
}

const COMMON_NAME: &str = "2.5.4.3";
const ORGANIZATION: &str = "2.5.4.10";

impl Certificate {
    pub(super) fn of(x509: x509_cert::Certificate) -> Option<Self> {
        let der = x509.to_der().ok()?;
        Some(Self { der: der.into(), x509: Arc::new(x509) })
    }

    /// Reads its bytes.
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let x509 = x509_cert::Certificate::from_der(der).ok()?;
        Some(Self { der: der.into(), x509: Arc::new(x509) })
    }

    /// The certificates in a text; nothing if one of them is none, or there is none.
    pub fn all_from_pem(text: &str) -> Option<Vec<Self>> {
        let mut all = Vec::new();
        let mut rest = text;
        while let Some((_, after)) = rest.split_once("-----BEGIN CERTIFICATE-----") {
            let (body, after) = after.split_once("-----END CERTIFICATE-----")?;
            let whole = format!("-----BEGIN CERTIFICATE-----{body}-----END CERTIFICATE-----\n");
            let (_, der) = x509_cert::der::pem::decode_vec(whole.as_bytes()).ok()?;
            all.push(Self::from_der(&der)?);
            rest = after;
        }
        Some(all).filter(|all| !all.is_empty())
    }

    /// Its bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Its bytes as text.
    pub fn pem(&self) -> String {
        self.x509.to_pem(LineEnding::LF).unwrap_or_default()
    }

    /// Whose it is, as curl prints it: `O=kubeadm:cluster-admins; CN=kubernetes-admin`.
    pub fn subject(&self) -> String {
        oneline(&self.x509.tbs_certificate.subject)
    }

    /// Who has issued it.
    pub fn issuer(&self) -> String {
        oneline(&self.x509.tbs_certificate.issuer)
    }

    /// The subject's common name.
    pub fn common_name(&self) -> Option<String> {
        attributes(&self.x509.tbs_certificate.subject, COMMON_NAME).into_iter().next()
    }

    /// The subject's organizations.
    pub fn organizations(&self) -> Vec<String> {
        attributes(&self.x509.tbs_certificate.subject, ORGANIZATION)
    }

    /// The first and the last second since 1970 at which it is valid.
    pub fn validity(&self) -> (u64, u64) {
        let validity = &self.x509.tbs_certificate.validity;
        let second = |time: x509_cert::time::Time| time.to_unix_duration().as_secs();
        (second(validity.not_before), second(validity.not_after))
    }

    /// Both as OpenSSL prints them: `Nov 22 02:57:50 2026 GMT`.
    pub fn dates(&self) -> (String, String) {
        let validity = &self.x509.tbs_certificate.validity;
        (date(validity.not_before.to_date_time()), date(validity.not_after.to_date_time()))
    }

    /// The names that it is valid for.
    pub fn alt_names(&self) -> Vec<AltName> {
        let Ok(Some((_, SubjectAltName(names)))) = self.x509.tbs_certificate.get::<SubjectAltName>() else {
            return Vec::new();
        };
        let name = |name: GeneralName| match name {
            GeneralName::DnsName(name) => Some(AltName::Dns(name.to_string())),
            GeneralName::IpAddress(bytes) => address(bytes.as_bytes()).map(AltName::Ip),
            _ => None,
        };
        names.into_iter().filter_map(name).collect()
    }

    /// Whether it may issue others.
    pub fn is_authority(&self) -> bool {
        matches!(self.x509.tbs_certificate.get::<BasicConstraints>(), Ok(Some((_, found))) if found.ca)
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

fn parts(name: &Name) -> impl Iterator<Item = (ObjectIdentifier, String)> {
    let all = name.0.iter().flat_map(|part| part.0.iter());
    all.map(|pair| (pair.oid, String::from_utf8_lossy(pair.value.value()).into_owned()))
}

fn attributes(name: &Name, wanted: &str) -> Vec<String> {
    parts(name).filter(|(oid, _)| oid.to_string() == wanted).map(|(_, value)| value).collect()
}

fn oneline(name: &Name) -> String {
    let one = |(oid, value): (ObjectIdentifier, String)| {
        let oid = oid.to_string();
        let short = match oid.as_str() {
            COMMON_NAME => "CN",
            ORGANIZATION => "O",
            "2.5.4.11" => "OU",
            "2.5.4.6" => "C",
            "2.5.4.7" => "L",
            "2.5.4.8" => "ST",
            other => other,
        };
        format!("{short}={value}")
    };
    parts(name).map(one).collect::<Vec<_>>().join("; ")
}

fn date(time: DateTime) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS.get(usize::from(time.month()).wrapping_sub(1)).copied().unwrap_or_default();
    format!(
        "{month} {:>2} {:02}:{:02}:{:02} {} GMT",
        time.day(),
        time.hour(),
        time.minutes(),
        time.seconds(),
        time.year()
    )
}
