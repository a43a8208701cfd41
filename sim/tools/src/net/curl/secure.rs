//! `https`: curl with OpenSSL 3.

use world::Sys;

use super::options::Options;
use super::{Failed, complain, fail};
use crate::tls::{
    AltName, Certificate, Check, ClientFailure, ClientSession, Direction, Identity, Kind, Mismatch, Seen,
    check_name,
};

/// Which authorities are trusted if nothing says so.
const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// What stands behind the reason of code 60.
const EXPLANATION: &str = "\nMore details here: https://curl.se/docs/sslcerts.html\n\n\
    curl failed to verify the legitimacy of the server and therefore could not\n\
    establish a secure connection to it. To learn more about this situation and\n\
    how to fix it, please visit the web page mentioned above.";

/// Begins a session with the host; its first bytes wait to be sent.
///
/// Simplified: a host without a bundle has an empty one.
pub(super) fn begin(sys: &mut dyn Sys, options: &Options, host: &str) -> Result<ClientSession, Failed> {
    let note = |sys: &mut dyn Sys, text: &str| verbose(sys, options, text);
    note(sys, "ALPN: offers h2,http/1.1");
    let identity = identity(sys, options)?;
    note(sys, "TLSv1.3 (OUT), TLS handshake, Client hello (1):");
    let trusted = match &options.ca_file {
        Some(file) => {
            let read = super::super::read_file(sys, file).and_then(|text| Certificate::all_from_pem(&text));
            let wrong = || Failed(77, format!("error setting certificate file: {file}"));
            read.ok_or_else(wrong)?
        }
        None => super::super::read_file(sys, BUNDLE)
            .and_then(|text| Certificate::all_from_pem(&text))
            .unwrap_or_default(),
    };
    if !options.insecure {
        note(sys, &format!(" CAfile: {}", options.ca_file.as_deref().unwrap_or(BUNDLE)));
        note(sys, " CApath: /etc/ssl/certs");
    }
    let mut random = [0; 32];
    for part in random.chunks_mut(8) {
        part.copy_from_slice(&sys.random().to_be_bytes());
    }
    let check = if options.insecure { Check::Continue } else { Check::Refuse };
    let mut session =
        ClientSession::new(host, check, trusted, sys.unix_time(), random).with_identity(identity);
    session.log();
    Ok(session)
}

/// `--cert` and `--key`; the key may lie behind the certificate.
fn identity(sys: &mut dyn Sys, options: &Options) -> Result<Option<Identity>, Failed> {
    let Some(file) = &options.certificate else { return Ok(None) };
    let missing = |file: &str, why: &str| {
        let text = format!(
            "could not load PEM client certificate from {file}, OpenSSL error {why}, (no key found, wrong pass phrase, \
             or wrong file format?)"
        );
        Failed(58, text)
    };
    let certificates = super::super::read_file(sys, file)
        .ok_or_else(|| missing(file, "error error:80000002:system library::No such file or directory"))?;
    let key_file = options.key.as_ref().unwrap_or(file);
    let key = super::super::read_file(sys, key_file).unwrap_or_default();
    Identity::from_pem(&certificates, &key)
        .map(Some)
        .map_err(|_| Failed(58, format!("unable to set private key file: '{key_file}' type PEM")))
}

fn verbose(sys: &mut dyn Sys, options: &Options, text: &str) {
    if options.verbose {
        complain(sys, &format!("* {text}\n"));
    }
}

/// Tells what went to and fro. OpenSSL: `SSL_trace`'s names as curl shortens them.
fn tell(sys: &mut dyn Sys, options: &Options, session: &mut ClientSession) {
    for (direction, seen) in session.log() {
        let direction = match direction {
            Direction::In => "IN",
            Direction::Out => "OUT",
        };
        let what = match seen {
            Seen::Handshake(kind) => format!("TLS handshake, {} ({})", name_of(kind), kind as u8),
            Seen::ChangeCipherSpec => "TLS change cipher, Change cipher spec (1)".to_owned(),
            Seen::Alert(level, number) => {
                format!("TLS alert, {} ({})", alert_name(number), u16::from(level) << 8 | u16::from(number))
            }
        };
        verbose(sys, options, &format!("TLSv1.3 ({direction}), {what}:"));
    }
}

const fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::ClientHello => "Client hello",
        Kind::ServerHello => "Server hello",
        Kind::NewSessionTicket => "Newsession Ticket",
        Kind::EncryptedExtensions => "Encrypted Extensions",
        Kind::Certificate => "Certificate",
        Kind::CertificateRequest => "Request CERT",
        Kind::CertificateVerify => "CERT verify",
        Kind::Finished => "Finished",
    }
}

/// OpenSSL: `SSL_alert_desc_string_long`.
const fn alert_name(number: u8) -> &'static str {
    match number {
        0 => "close notify",
        10 => "unexpected message",
        40 => "handshake failure",
        42 => "bad certificate",
        45 => "certificate expired",
        46 => "certificate unknown",
        48 => "unknown CA",
        50 => "decode error",
        70 => "protocol version",
        _ => "unknown",
    }
}

/// Takes bytes of the server. What the session has to send then is to be sent even if it fails.
pub(super) fn take(
    sys: &mut dyn Sys,
    options: &Options,
    session: &mut ClientSession,
    bytes: &[u8],
) -> Result<(), Failed> {
    let outcome = session.take(bytes);
    tell(sys, options, session);
    let code = if session.is_established() { 56 } else { 35 };
    let Err(why) = outcome else { return Ok(()) };
    let (code, text, more) = match why {
        ClientFailure::NotTls => {
            (code, "OpenSSL/3.0.19: error:0A00010B:SSL routines::wrong version number".to_owned(), "")
        }
        ClientFailure::Alert(number) => {
            let which = if number == 42 { "sslv3" } else { "tlsv1" };
            let (error, name) = (0x0A00_0000 + 1000 + u32::from(number), alert_name(number));
            (code, format!("OpenSSL/3.0.19: error:{error:08X}:SSL routines::{which} alert {name}"), "")
        }
        ClientFailure::Untrusted(why) => (60, format!("SSL certificate problem: {why}"), EXPLANATION),
    };
    verbose(sys, options, &text);
    fail(code, format!("{text}{more}"))
}

/// The handshake is over: whether this is the host that was meant.
pub(super) fn greet(
    sys: &mut dyn Sys,
    options: &Options,
    session: &mut ClientSession,
    host: &str,
) -> Result<(), Failed> {
    let note = |sys: &mut dyn Sys, text: &str| verbose(sys, options, text);
    note(sys, "SSL connection using TLSv1.3 / TLS_AES_128_GCM_SHA256");
    match session.protocol() {
        Some(protocol) => note(sys, &format!("ALPN: server accepted {protocol}")),
        None => note(sys, "ALPN: server did not agree on a protocol. Uses default."),
    }
    let Some(certificate) = session.certificate().cloned() else {
        return fail(60, "SSL: couldn't get peer certificate!");
    };
    let (first, last) = certificate.dates();
    note(sys, "Server certificate:");
    note(sys, &format!(" subject: {}", certificate.subject()));
    note(sys, &format!(" start date: {first}"));
    note(sys, &format!(" expire date: {last}"));
    if !options.insecure {
        match check_name(&certificate, host) {
            Ok(AltName::Ip(_)) => {
                note(sys, &format!(" subjectAltName: host \"{host}\" matched cert's IP address!"));
            }
            Ok(AltName::Dns(_)) if certificate.alt_names().is_empty() => {
                note(sys, &format!(" common name: {host} (matched)"));
            }
            Ok(AltName::Dns(name)) => {
                note(sys, &format!(" subjectAltName: host \"{host}\" matched cert's \"{name}\""));
            }
            Err(mismatch) => {
                let text = match mismatch {
                    Mismatch::AltNames => {
                        note(sys, &format!(" subjectAltName does not match {host}"));
                        format!(
                            "SSL: no alternative certificate subject name matches target host name '{host}'"
                        )
                    }
                    Mismatch::CommonName(name) => format!(
                        "SSL: certificate subject name '{name}' does not match target host name '{host}'"
                    ),
                };
                note(sys, &text);
                return fail(60, format!("{text}{EXPLANATION}"));
            }
        }
    }
    note(sys, &format!(" issuer: {}", certificate.issuer()));
    match session.verified() {
        Ok(()) => note(sys, " SSL certificate verify ok."),
        Err(why) => note(
            sys,
            &format!(" SSL certificate verify result: {why} ({}), continuing anyway.", why.number()),
        ),
    }
    note(sys, "using HTTP/1.1");
    Ok(())
}

/// Why no bytes come before the handshake is over.
pub(super) fn cut_off(host: &str, port: u16) -> Failed {
    Failed(35, format!("OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to {host}:{port} "))
}

/// Why no bytes come afterwards, if the server hasn't said so.
pub(super) fn truncated() -> Failed {
    let text = "OpenSSL SSL_read: error:0A000126:SSL routines::unexpected eof while reading, errno 0";
    Failed(56, text.to_owned())
}
