//! What kubectl has to say to a container, and hears from it: the API server carries it to the
//! node's kubelet.
//!
//! A stream's pieces lie in the store, in order, one list for each direction.

use std::sync::Arc;

use packet::{HostId, Pid};
use world::{Store, Sys, Watch};

/// What is asked of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Run a command in it.
    Exec {
        /// Program and arguments.
        command: Vec<String>,
        /// Whether the command gets what the client types.
        stdin: bool,
        /// Whether it sees a terminal.
        tty: bool,
    },
    /// Join its first process.
    Attach {
        /// Whether it gets what the client types.
        stdin: bool,
    },
    /// What it has printed.
    Logs {
        /// Whether to go on with what it prints later.
        follow: bool,
        /// Only the last so many lines.
        tail: Option<usize>,
        /// Of the container that ran before this one.
        previous: bool,
    },
    /// A connection to one of its TCP ports.
    PortForward {
        /// The port.
        port: u16,
    },
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub pod: String,
    /// The container; the pod's first if none.
    pub container: Option<String>,
    /// What is asked.
    pub ask: Ask,
    /// The first process of the command for which it is asked.
    pub session: Option<(HostId, Pid)>,
}

/// A piece of what goes to and fro.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Bytes for standard input or a forwarded port.
    In(Vec<u8>),
    /// There is no more input.
    EndOfInput,
    /// Bytes of standard output or from a forwarded port.
    Out(Vec<u8>),
    /// Bytes of standard error.
    Err(Vec<u8>),
    /// The server refuses: what stands behind `Error from server`, e.g. `: error dialing backend: …`
    /// or ` (BadRequest): container …`.
    Refused(String),
    /// The command ended with this status; the log or connection is over.
    Exited(i32),
}

/// Who holds an end of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Client,
    Server,
}

/// One end of a stream.
#[derive(Clone, Debug)]
pub struct Stream {
    id: u64,
    role: Role,
    sent: u64,
    received: u64,
}

const PREFIX: &str = "/streams/";

/// The requests that came after a revision, with the server's ends of their streams.
pub fn requests(store: &Store, after: u64) -> Vec<(Stream, Arc<Request>)> {
    let new = store.changes(after).filter_map(|(key, entry)| {
        let id = key.strip_prefix(PREFIX)?.strip_suffix("/request")?.parse().ok()?;
        Some((Stream { id, role: Role::Server, sent: 0, received: 0 }, entry?.get::<Request>()?))
    });
    new.collect()
}

/// What a server waits for.
pub fn any_request(after: u64) -> Watch {
    Watch { after, prefixes: vec![PREFIX.to_owned()] }
}

impl Stream {
    /// Asks; answers the client's end.
    pub fn open(sys: &mut dyn Sys, request: Request) -> Self {
        let id = sys.store().revision() + 1;
        sys.store_put(&format!("{PREFIX}{id:012}/request"), Arc::new(request));
        Self { id, role: Role::Client, sent: 0, received: 0 }
    }

    fn list(&self, role: Role) -> String {
        let direction = if role == Role::Client { "down" } else { "up" };
        format!("{PREFIX}{:012}/{direction}/", self.id)
    }

    /// Sends a piece to the other end.
    pub fn send(&mut self, sys: &mut dyn Sys, piece: Piece) {
        self.sent += 1;
        let key = format!("{}{:012}", self.list(self.role), self.sent);
        sys.store_put(&key, Arc::new(piece));
    }

    /// What the other end has sent since the last call.
    pub fn receive(&mut self, store: &Store) -> Vec<Piece> {
        let list = self.list(self.other());
        let mut pieces = Vec::new();
        while let Some(piece) =
            store.get(&format!("{list}{:012}", self.received + 1)).and_then(world::Entry::get::<Piece>)
        {
            self.received += 1;
            pieces.push(Piece::clone(&piece));
        }
        pieces
    }

    fn other(&self) -> Role {
        if self.role == Role::Client { Role::Server } else { Role::Client }
    }

    /// Waits for what the other end sends after a revision.
    pub fn watch(&self, after: u64) -> Watch {
        Watch { after, prefixes: vec![self.list(self.other())] }
    }

    /// Whether the client has left.
    pub fn is_closed(&self, store: &Store) -> bool {
        store.get(&self.request_key()).is_none()
    }

    /// The key that is there until the client leaves.
    pub fn request_key(&self) -> String {
        format!("{PREFIX}{:012}/request", self.id)
    }

    /// Ends it: the client has heard enough.
    pub fn close(self, sys: &mut dyn Sys) {
        let prefix = format!("{PREFIX}{:012}/", self.id);
        let keys: Vec<String> = sys.store().range(&prefix).map(|(key, _)| key.to_owned()).collect();
        for key in keys {
            sys.store_delete(&key);
        }
    }
}
