use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::certificate::Certificate;
use super::issue::Identity;
use super::message::{self, Kind};
use super::record::{self, Content, NotTls};

/// A server's side of a session: bytes of records go in and out.
#[derive(Clone, Debug)]
pub struct ServerSession {
    identity: Arc<Identity>,
    received: Vec<u8>,
    messages: Vec<u8>,
    to_send: Vec<u8>,
    opened: Vec<u8>,
    /// Nothing has been understood yet.
    fresh: bool,
    /// The client's messages are sealed.
    sealed: bool,
    established: bool,
    ended: bool,
    client: Vec<Certificate>,
}

/// Why a session fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerFailure {
    /// The client speaks HTTP without TLS.
    Http,
    /// It speaks something else.
    NotTls,
    /// It said why it ends: the alert's number.
    Alert(u8),
}

impl From<NotTls> for ServerFailure {
    fn from(_: NotTls) -> Self {
        Self::NotTls
    }
}

/// What this server speaks above TLS.
///
/// Simplified: real ones prefer `h2`.
const PROTOCOL: &str = "http/1.1";
/// Bytes by which Go's server knows that somebody speaks HTTP. Go: `tlsRecordHeaderLooksLikeHTTP`.
const HTTP: [&[u8]; 5] = [b"GET /", b"HEAD ", b"POST ", b"PUT /", b"OPTIO"];

impl ServerSession {
    /// Waits for a client's first message.
    pub fn new(identity: Arc<Identity>) -> Self {
        Self {
            identity,
            received: Vec::new(),
            messages: Vec::new(),
            to_send: Vec::new(),
            opened: Vec::new(),
            fresh: true,
            sealed: false,
            established: false,
            ended: false,
            client: Vec::new(),
        }
    }

    /// Takes what has been received.
    ///
    /// # Errors
    /// The session is over.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), ServerFailure> {
        self.received.extend(bytes);
        if self.fresh
            && let Some(head) = self.received.get(..record::HEADER)
            && HTTP.contains(&head)
        {
            return Err(ServerFailure::Http);
        }
        while let Some((content, body)) = record::take(&mut self.received)? {
            self.fresh = false;
            let (content, body) = match content {
                Content::Application if self.sealed => record::open(body)?,
                other => (other, body),
            };
            match content {
                Content::ChangeCipherSpec => {}
                Content::Application => self.opened.extend(body),
                Content::Alert => match body[..] {
                    [_, 0] => self.ended = true,
                    [_, number] => return Err(ServerFailure::Alert(number)),
                    _ => return Err(ServerFailure::NotTls),
                },
                Content::Handshake => {
                    self.messages.extend(body);
                    while let Some((kind, body)) = message::take(&mut self.messages)? {
                        self.take_message(kind, &body)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn take_message(&mut self, kind: Kind, body: &[u8]) -> Result<(), NotTls> {
        match kind {
            Kind::ClientHello => self.say_hello(body)?,
            Kind::Certificate => {
                let chain = message::read_certificate(body).ok_or(NotTls)?;
                let chain: Option<Vec<_>> = chain.iter().map(|der| Certificate::from_der(der)).collect();
                self.client = chain.ok_or(NotTls)?;
            }
            Kind::Finished => {
                self.established = true;
                let ticket = message::new_session_ticket(&Sha256::digest(body));
                self.to_send.extend(record::sealed(Content::Handshake, &ticket));
            }
            _ => {}
        }
        Ok(())
    }

    /// All of the server's part of the handshake.
    fn say_hello(&mut self, body: &[u8]) -> Result<(), NotTls> {
        let hello = message::read_client_hello(body).ok_or(NotTls)?;
        let random: [u8; 32] = Sha256::digest(body).into();
        self.to_send
            .extend(record::plain(Content::Handshake, &message::server_hello(&random, &hello.session)));
        self.to_send.extend(record::plain(Content::ChangeCipherSpec, &[1]));
        let protocol = hello.offers.iter().any(|offer| offer == PROTOCOL).then_some(PROTOCOL);
        let chain: Vec<&[u8]> = self.identity.chain.iter().map(Certificate::der).collect();
        let mut messages = message::encrypted_extensions(protocol);
        messages.extend(message::certificate_request());
        messages.extend(message::certificate(&chain));
        messages.extend(message::certificate_verify(&self.identity.key.sign(&messages)));
        let digest: [u8; 32] = Sha256::digest(&messages).into();
        messages.extend(message::finished(&digest));
        self.to_send.extend(record::sealed(Content::Handshake, &messages));
        self.sealed = true;
        Ok(())
    }

    /// Says that nothing follows.
    pub fn close(&mut self) {
        if self.sealed {
            self.to_send.extend(record::sealed(Content::Alert, &[1, 0]));
        }
    }

    /// Records of data for the client.
    pub fn seal(&self, data: &[u8]) -> Vec<u8> {
        record::sealed(Content::Application, data)
    }

    /// What waits to be sent; afterwards nothing does.
    pub fn to_send(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.to_send)
    }

    /// Data of the client; afterwards there is none.
    pub fn opened(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.opened)
    }

    /// Whether data can be sent.
    pub fn is_established(&self) -> bool {
        self.established
    }

    /// Whether the client has said that nothing follows.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// The client's chain of certificates; empty if it has none.
    pub fn client(&self) -> &[Certificate] {
        &self.client
    }
}
