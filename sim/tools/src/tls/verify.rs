//! Whether a certificate is to be believed.

use std::net::IpAddr;

use x509_cert::der::Encode;

use super::certificate::{AltName, Certificate};
use super::issue::signature;

/// Why a chain of certificates isn't trusted. OpenSSL: `X509_V_ERR_…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// It begins later.
    #[error("certificate is not yet valid")]
    NotYetValid,
    /// It is over.
    #[error("certificate has expired")]
    Expired,
    /// It has issued itself.
    #[error("self-signed certificate")]
    SelfSigned,
    /// The last of the chain has issued itself.
    #[error("self-signed certificate in certificate chain")]
    SelfSignedInChain,
    /// Nobody knows who has issued it.
    #[error("unable to get local issuer certificate")]
    NoIssuer,
}

impl Untrusted {
    /// OpenSSL's number.
    pub const fn number(self) -> u8 {
        match self {
            Self::NotYetValid => 9,
            Self::Expired => 10,
            Self::SelfSigned => 18,
            Self::SelfSignedInChain => 19,
            Self::NoIssuer => 20,
        }
    }
}

/// Certificates of a chain that are looked at.
const DEPTH: usize = 10;

impl Certificate {
    pub(super) fn public_key(&self) -> &[u8] {
        self.x509.tbs_certificate.subject_public_key_info.subject_public_key.raw_bytes()
    }

    /// Whether that authority has issued it.
    pub fn is_issued_by(&self, authority: &Self) -> bool {
        let own = &self.x509.tbs_certificate;
        let Ok(bytes) = own.to_der() else { return false };
        own.issuer == authority.x509.tbs_certificate.subject
            && signature(authority.public_key(), &bytes) == self.x509.signature.raw_bytes()
    }

    fn check_time(&self, now: u64) -> Result<(), Untrusted> {
        let (first, last) = self.validity();
        match now {
            _ if now < first => Err(Untrusted::NotYetValid),
            _ if now > last => Err(Untrusted::Expired),
            _ => Ok(()),
        }
    }
}

/// Whether a chain, the own certificate first, leads to one that is trusted.
///
/// # Errors
/// It doesn't, or isn't valid now (seconds since 1970).
pub fn verify(chain: &[Certificate], trusted: &[Certificate], now: u64) -> Result<(), Untrusted> {
    let Some(mut at) = chain.first() else { return Err(Untrusted::NoIssuer) };
    let mut path = vec![at];
    while !trusted.contains(at) {
        if let Some(authority) = trusted.iter().find(|one| one.is_authority() && at.is_issued_by(one)) {
            path.push(authority);
            break;
        }
        if at.is_issued_by(at) {
            return Err(if path.len() == 1 { Untrusted::SelfSigned } else { Untrusted::SelfSignedInChain });
        }
        let next = chain.iter().find(|one| at.is_issued_by(one) && !path.contains(one));
        at = next.filter(|_| path.len() < DEPTH).ok_or(Untrusted::NoIssuer)?;
        path.push(at);
    }
    path.iter().rev().try_for_each(|one| one.check_time(now))
}

/// Why a certificate isn't that of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// It has names, and this is none of them.
    AltNames,
    /// It has only a common name, and this isn't it.
    CommonName(String),
}

/// Whether a certificate is that of a host; answers the name that fits.
///
/// # Errors
/// It isn't.
pub fn check_name(certificate: &Certificate, host: &str) -> Result<AltName, Mismatch> {
    let names = certificate.alt_names();
    let address: Option<IpAddr> = host.parse().ok();
    let fits = |name: &&AltName| match (name, address) {
        (AltName::Ip(own), Some(address)) => *own == address,
        (AltName::Dns(pattern), None) => matches_name(pattern, host),
        _ => false,
    };
    if let Some(found) = names.iter().find(fits) {
        return Ok(found.clone());
    }
    if !names.is_empty() {
        return Err(Mismatch::AltNames);
    }
    let common = certificate.common_name().unwrap_or_default();
    if matches_name(&common, host) {
        return Ok(AltName::Dns(common));
    }
    Err(Mismatch::CommonName(common))
}

/// A star stands for a first label. RFC 6125, section 6.4.3.
fn matches_name(pattern: &str, host: &str) -> bool {
    let host = host.trim_end_matches('.');
    match pattern.strip_prefix("*.") {
        Some(rest) if rest.contains('.') => host
            .split_once('.')
            .is_some_and(|(first, after)| !first.is_empty() && after.eq_ignore_ascii_case(rest)),
        _ => pattern.eq_ignore_ascii_case(host),
    }
}
