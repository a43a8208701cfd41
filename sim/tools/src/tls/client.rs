use std::net::IpAddr;

use sha2::{Digest, Sha256};

use super::certificate::Certificate;
use super::issue::Identity;
use super::message::{self, Kind};
use super::record::{self, Content, NotTls};
use super::verify::{Untrusted, verify};

/// A client's side of a session: bytes of records go in and out.
#[derive(Clone, Debug)]
pub struct ClientSession {
    check: Check,
    trusted: Vec<Certificate>,
    /// Seconds since 1970.
    now: u64,
    identity: Option<Identity>,
    received: Vec<u8>,
    messages: Vec<u8>,
    to_send: Vec<u8>,
    opened: Vec<u8>,
    /// The server has said hello: what follows is sealed.
    sealed: bool,
    asked_for_certificate: bool,
    established: bool,
    ended: bool,
    chain: Vec<Certificate>,
    protocol: Option<String>,
    verified: Result<(), Untrusted>,
    log: Vec<(Direction, Seen)>,
}

/// Whether a server that isn't trusted is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// It is.
    Refuse,
    /// Anybody will do.
    Continue,
}

/// Which way something went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the server.
    In,
    /// To the server.
    Out,
}

/// What went there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A message of the handshake.
    Handshake(Kind),
    /// From now on it is sealed.
    ChangeCipherSpec,
    /// Level and number.
    Alert(u8, u8),
}

/// Why a session fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientFailure {
    /// The other side doesn't speak TLS.
    NotTls,
    /// It said why it ends: the alert's number.
    Alert(u8),
    /// The server's certificate isn't trusted.
    Untrusted(Untrusted),
}

impl From<NotTls> for ClientFailure {
    fn from(_: NotTls) -> Self {
        Self::NotTls
    }
}

const WARNING: u8 = 1;
const FATAL: u8 = 2;
const CLOSE_NOTIFY: u8 = 0;

impl ClientSession {
    /// Begins a session with a host: its first bytes wait to be sent.
    pub fn new(host: &str, check: Check, trusted: Vec<Certificate>, now: u64, random: [u8; 32]) -> Self {
        let name = host.parse::<IpAddr>().is_err().then_some(host);
        let to_send =
            record::plain(Content::Handshake, &message::client_hello(&random, name, &["h2", "http/1.1"]));
        Self {
            check,
            trusted,
            now,
            identity: None,
            received: Vec::new(),
            messages: Vec::new(),
            to_send,
            opened: Vec::new(),
            sealed: false,
            asked_for_certificate: false,
            established: false,
            ended: false,
            chain: Vec::new(),
            protocol: None,
            verified: Ok(()),
            log: vec![(Direction::Out, Seen::Handshake(Kind::ClientHello))],
        }
    }

    /// With a certificate for servers that ask.
    #[must_use]
    pub fn with_identity(mut self, identity: Option<Identity>) -> Self {
        self.identity = identity;
        self
    }

    /// Takes what has been received.
    ///
    /// # Errors
    /// The session is over; what it still has to send says why.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), ClientFailure> {
        self.received.extend(bytes);
        while let Some((content, body)) = record::take(&mut self.received)? {
            let (content, body) = match content {
                Content::Application if self.sealed => record::open(body)?,
                other => (other, body),
            };
            match content {
                Content::ChangeCipherSpec => {}
                Content::Application => self.opened.extend(body),
                Content::Alert => self.take_alert(&body)?,
                Content::Handshake => {
                    self.messages.extend(body);
                    while let Some((kind, body)) = message::take(&mut self.messages)? {
                        self.log.push((Direction::In, Seen::Handshake(kind)));
                        self.take_message(kind, &body)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn take_alert(&mut self, body: &[u8]) -> Result<(), ClientFailure> {
        let [level, number] = body[..] else { return Err(ClientFailure::NotTls) };
        self.log.push((Direction::In, Seen::Alert(level, number)));
        if number == CLOSE_NOTIFY {
            self.ended = true;
            return Ok(());
        }
        Err(ClientFailure::Alert(number))
    }

    fn take_message(&mut self, kind: Kind, body: &[u8]) -> Result<(), ClientFailure> {
        match kind {
            Kind::ServerHello => self.sealed = true,
            Kind::EncryptedExtensions => self.protocol = message::read_protocol(body),
            Kind::CertificateRequest => self.asked_for_certificate = true,
            Kind::Certificate => {
                let chain = message::read_certificate(body).ok_or(NotTls)?;
                let chain: Option<Vec<_>> = chain.iter().map(|der| Certificate::from_der(der)).collect();
                self.chain = chain.ok_or(NotTls)?;
                self.verified = verify(&self.chain, &self.trusted, self.now);
                if let (Err(why), Check::Refuse) = (self.verified, self.check) {
                    self.alert(FATAL, alert_of(why));
                    return Err(ClientFailure::Untrusted(why));
                }
            }
            Kind::Finished => self.finish(),
            Kind::ClientHello | Kind::NewSessionTicket | Kind::CertificateVerify => {}
        }
        Ok(())
    }

    /// Sends the client's last messages.
    fn finish(&mut self) {
        self.to_send.extend(record::plain(Content::ChangeCipherSpec, &[1]));
        self.log.push((Direction::Out, Seen::ChangeCipherSpec));
        let mut messages = Vec::new();
        if self.asked_for_certificate {
            let identity = self.identity.as_ref();
            let chain: Vec<&[u8]> =
                identity.iter().flat_map(|own| &own.chain).map(Certificate::der).collect();
            messages.extend(message::certificate(&chain));
            self.log.push((Direction::Out, Seen::Handshake(Kind::Certificate)));
            if let Some(identity) = identity {
                messages.extend(message::certificate_verify(&identity.key.sign(&messages)));
                self.log.push((Direction::Out, Seen::Handshake(Kind::CertificateVerify)));
            }
        }
        let digest: [u8; 32] = Sha256::digest(&messages).into();
        messages.extend(message::finished(&digest));
        self.log.push((Direction::Out, Seen::Handshake(Kind::Finished)));
        self.to_send.extend(record::sealed(Content::Handshake, &messages));
        self.established = true;
    }

    fn alert(&mut self, level: u8, number: u8) {
        let body = [level, number];
        self.to_send.extend(match self.sealed {
            true => record::sealed(Content::Alert, &body),
            false => record::plain(Content::Alert, &body),
        });
        self.log.push((Direction::Out, Seen::Alert(level, number)));
    }

    /// Says that nothing follows.
    pub fn close(&mut self) {
        self.alert(WARNING, CLOSE_NOTIFY);
    }

    /// Records of data for the server.
    pub fn seal(&self, data: &[u8]) -> Vec<u8> {
        record::sealed(Content::Application, data)
    }

    /// What waits to be sent; afterwards nothing does.
    pub fn to_send(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.to_send)
    }

    /// Data of the server; afterwards there is none.
    pub fn opened(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.opened)
    }

    /// What went to and fro since the last call.
    pub fn log(&mut self) -> Vec<(Direction, Seen)> {
        std::mem::take(&mut self.log)
    }

    /// Whether data can be sent.
    pub fn is_established(&self) -> bool {
        self.established
    }

    /// Whether the server has said that nothing follows.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// The server's certificate.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.chain.first()
    }

    /// Whether its certificate is trusted.
    ///
    /// # Errors
    /// Why it isn't.
    pub fn verified(&self) -> Result<(), Untrusted> {
        self.verified
    }

    /// The protocol above that the server has chosen.
    pub fn protocol(&self) -> Option<&str> {
        self.protocol.as_deref()
    }
}

/// OpenSSL: `ssl_x509err2alert`.
const fn alert_of(why: Untrusted) -> u8 {
    match why {
        Untrusted::NotYetValid => 42,
        Untrusted::Expired => 45,
        Untrusted::SelfSigned | Untrusted::SelfSignedInChain | Untrusted::NoIssuer => 48,
    }
}
