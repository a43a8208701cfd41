//! What a server is given, and what it asks to be done.

use std::net::SocketAddr;
use std::time::Duration;

use dns::Message;
use packet::SimTime;

use super::cluster::Cluster;
use super::message::Transport;

/// What surrounds a server.
pub struct Context<'a> {
    /// The time.
    pub now: SimTime,
    /// The objects of its cluster.
    pub cluster: &'a Cluster,
    /// Where random numbers come from.
    pub random: &'a mut dyn FnMut() -> u64,
}

/// A client's query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct QueryId(pub(super) u64);

/// A query that the server sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AskId(pub(super) u64);

/// What a server asks to be done.
#[derive(Clone, Debug)]
pub enum Act {
    /// The answer goes to the client.
    Answer {
        /// To which query.
        query: QueryId,
        /// The answer.
        message: Box<Message>,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// The client gets no answer.
    Silence(QueryId),
    /// Another server is asked; [`super::Server::answered`] says what came of it.
    Ask(Box<Ask>),
    /// A line for the log.
    Log(String),
    /// A line for the log, then the process ends with status 1.
    Fatal(String),
}

/// Why another server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// For a query's answer.
    Query,
    /// For its health.
    Health,
    /// To see whether forwarding goes in a circle.
    Loop,
}

/// A query to another server.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Which one.
    pub id: AskId,
    /// What for.
    pub why: Why,
    /// The server.
    pub to: SocketAddr,
    /// How.
    pub transport: Transport,
    /// Over which socket.
    pub socket: Socket,
    /// The query.
    pub message: Message,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// How long a connection may take to open.
    pub dial: Duration,
    /// How long the answer may take, from when the query is sent.
    pub read: Duration,
}

/// Over which socket a query is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Socket {
    /// One of its own.
    Own,
    /// One that was used before and is idle, the oldest first; it is kept when the answer has come, and
    /// closed when it was idle for so long. If the other side has closed it meanwhile, another one.
    Kept(Duration),
}

/// What came of an [`Ask`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// Bytes. Those of no answer to the query are ignored: the query is still open.
    Bytes(Vec<u8>),
    /// Nothing: an error in Go's words, e.g.
    /// `read udp 10.244.0.2:40000->8.8.8.8:53: i/o timeout`.
    Error(String),
}
