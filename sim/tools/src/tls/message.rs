//! Handshake messages (RFC 8446, section 4).

use super::bytes::{Reader, number, vector};
use super::record::NotTls;

/// A kind of handshake message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The client's offer, with the server's name.
    ClientHello = 1,
    /// The server's choice.
    ServerHello = 2,
    /// For a later session.
    NewSessionTicket = 4,
    /// The rest of the choice: the protocol above.
    EncryptedExtensions = 8,
    /// The chain that says who somebody is.
    Certificate = 11,
    /// The server wants the client's.
    CertificateRequest = 13,
    /// The proof that one has its key.
    CertificateVerify = 15,
    /// The end.
    Finished = 20,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::ClientHello,
        Self::ServerHello,
        Self::NewSessionTicket,
        Self::EncryptedExtensions,
        Self::Certificate,
        Self::CertificateRequest,
        Self::CertificateVerify,
        Self::Finished,
    ];
}

/// A handshake message with its head.
pub(super) fn message(kind: Kind, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind as u8];
    message.extend(vector(3, body));
    message
}

/// Takes the first message off the bytes of handshake records; nothing if it isn't complete.
pub(super) fn take(bytes: &mut Vec<u8>) -> Result<Option<(Kind, Vec<u8>)>, NotTls> {
    let mut reader = Reader(bytes);
    let Some(number) = reader.number(1) else { return Ok(None) };
    let kind = Kind::ALL.into_iter().find(|kind| *kind as usize == number).ok_or(NotTls)?;
    let Some(body) = reader.vector(3).map(<[u8]>::to_vec) else { return Ok(None) };
    bytes.drain(..4 + body.len());
    Ok(Some((kind, body)))
}

const SERVER_NAME: usize = 0;
const GROUPS: usize = 10;
const SIGNATURES: usize = 13;
const PROTOCOLS: usize = 16;
const PADDING: usize = 21;
const VERSIONS: usize = 43;
const PSK_MODES: usize = 45;
const KEY_SHARE: usize = 51;

/// `TLS_AES_128_GCM_SHA256`.
const CIPHER: [u8; 2] = [0x13, 1];
const X25519: [u8; 2] = [0, 0x1d];
/// Bytes of a client's first message, as OpenSSL fills it up.
const HELLO: usize = 512;

fn extension(number_: usize, content: &[u8]) -> Vec<u8> {
    [number(number_, 2), vector(2, content)].concat()
}

fn protocols(names: &[&str]) -> Vec<u8> {
    let list: Vec<u8> = names.iter().flat_map(|name| vector(1, name.as_bytes())).collect();
    extension(PROTOCOLS, &vector(2, &list))
}

/// The client's first message; addresses are no server names.
pub(super) fn client_hello(random: &[u8; 32], server_name: Option<&str>, offers: &[&str]) -> Vec<u8> {
    let mut extensions = Vec::new();
    if let Some(name) = server_name {
        let entry = [vec![0], vector(2, name.as_bytes())].concat();
        extensions.extend(extension(SERVER_NAME, &vector(2, &entry)));
    }
    extensions.extend(extension(GROUPS, &vector(2, &X25519)));
    extensions.extend(protocols(offers));
    extensions.extend(extension(SIGNATURES, &vector(2, &[4, 3, 8, 4, 4, 1])));
    extensions.extend(extension(VERSIONS, &vector(1, &[3, 4])));
    extensions.extend(extension(PSK_MODES, &vector(1, &[1])));
    let share = [X25519.to_vec(), vector(2, random)].concat();
    extensions.extend(extension(KEY_SHARE, &vector(2, &share)));
    let mut body = vec![3, 3];
    body.extend(random);
    body.extend(vector(1, random));
    body.extend(vector(2, &[0x13, 2, 0x13, 3, CIPHER[0], CIPHER[1]]));
    body.extend(vector(1, &[0]));
    let missing = HELLO.saturating_sub(4 + body.len() + 2 + extensions.len() + 4);
    extensions.extend(extension(PADDING, &vec![0; missing]));
    body.extend(vector(2, &extensions));
    message(Kind::ClientHello, &body)
}

/// What of a client's first message matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hello {
    pub session: Vec<u8>,
    pub server_name: Option<String>,
    pub offers: Vec<String>,
}

/// Reads the client's first message.
pub(super) fn read_client_hello(body: &[u8]) -> Option<Hello> {
    let mut reader = Reader(body);
    reader.take(2 + 32)?;
    let session = reader.vector(1)?.to_vec();
    reader.vector(2)?;
    reader.vector(1)?;
    let mut hello = Hello { session, server_name: None, offers: Vec::new() };
    let mut extensions = Reader(reader.vector(2)?);
    while !extensions.0.is_empty() {
        let (number, content) = (extensions.number(2)?, extensions.vector(2)?);
        let mut content = Reader(content);
        match number {
            SERVER_NAME => {
                let mut list = Reader(content.vector(2)?);
                list.number(1)?;
                hello.server_name = Some(String::from_utf8_lossy(list.vector(2)?).into_owned());
            }
            PROTOCOLS => hello.offers = read_protocols(content)?,
            _ => {}
        }
    }
    Some(hello)
}

fn read_protocols(mut content: Reader<'_>) -> Option<Vec<String>> {
    let mut list = Reader(content.vector(2)?);
    let mut names = Vec::new();
    while !list.0.is_empty() {
        names.push(String::from_utf8_lossy(list.vector(1)?).into_owned());
    }
    Some(names)
}

/// The server's choice.
pub(super) fn server_hello(random: &[u8; 32], session: &[u8]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend(random);
    body.extend(vector(1, session));
    body.extend(CIPHER);
    body.push(0);
    let share = [X25519.to_vec(), vector(2, random)].concat();
    body.extend(vector(2, &[extension(VERSIONS, &[3, 4]), extension(KEY_SHARE, &share)].concat()));
    message(Kind::ServerHello, &body)
}

/// The rest of the choice.
pub(super) fn encrypted_extensions(protocol: Option<&str>) -> Vec<u8> {
    let extensions = protocol.map(|name| protocols(&[name])).unwrap_or_default();
    message(Kind::EncryptedExtensions, &vector(2, &extensions))
}

/// The protocol above that the server has chosen.
pub(super) fn read_protocol(body: &[u8]) -> Option<String> {
    let mut extensions = Reader(Reader(body).vector(2)?);
    while !extensions.0.is_empty() {
        let (number, content) = (extensions.number(2)?, extensions.vector(2)?);
        if number == PROTOCOLS {
            return read_protocols(Reader(content))?.into_iter().next();
        }
    }
    None
}

/// The wish for the client's certificate.
pub(super) fn certificate_request() -> Vec<u8> {
    let body = [vec![0], vector(2, &extension(SIGNATURES, &vector(2, &[8, 4, 4, 3, 4, 1])))].concat();
    message(Kind::CertificateRequest, &body)
}

/// A chain of certificates, each as DER.
pub(super) fn certificate(chain: &[&[u8]]) -> Vec<u8> {
    let list: Vec<u8> = chain.iter().flat_map(|der| [vector(3, der), vec![0, 0]].concat()).collect();
    message(Kind::Certificate, &[vec![0], vector(3, &list)].concat())
}

/// The certificates of such a message.
pub(super) fn read_certificate(body: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut reader = Reader(body);
    reader.vector(1)?;
    let mut list = Reader(reader.vector(3)?);
    let mut chain = Vec::new();
    while !list.0.is_empty() {
        chain.push(list.vector(3)?.to_vec());
        list.vector(2)?;
    }
    Some(chain)
}

/// The proof of a key: `rsa_pss_rsae_sha256`.
pub(super) fn certificate_verify(signature: &[u8]) -> Vec<u8> {
    message(Kind::CertificateVerify, &[vec![8, 4], vector(2, signature)].concat())
}

/// The end of one side's part.
pub(super) fn finished(digest: &[u8; 32]) -> Vec<u8> {
    message(Kind::Finished, digest)
}

/// What Go's servers send behind it.
pub(super) fn new_session_ticket(ticket: &[u8]) -> Vec<u8> {
    let week = 7 * 24 * 3600;
    let body = [number(week, 4), vec![0; 4], vec![0], vector(2, ticket), vec![0, 0]].concat();
    message(Kind::NewSessionTicket, &body)
}
