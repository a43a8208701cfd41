//! What is done with an answer, or when there is none. Source: `recv_done` of `dighost.c`.

use std::net::SocketAddr;
use std::time::Duration;

use dns::{Message, ResponseCode, present};
use world::Sys;

use super::{After, Engine, Front, Heard, Running, hash};
use crate::dns::dig::lookup::{Cookie, Lookup};
use crate::net::say;

impl Engine {
    /// Source: `recv_done`.
    pub(super) fn heard(
        &mut self,
        sys: &mut dyn Sys,
        running: &mut Running,
        address: SocketAddr,
        heard: Heard,
        front: &mut dyn Front,
    ) -> After {
        let bytes = match heard {
            Heard::Nothing => return After::Server,
            Heard::Failed(why) => {
                running.hang_up(sys);
                front.remark(sys, &format!("communications error to {}: {why}", hash(address)));
                return self.no_answer(sys, running, front);
            }
            Heard::Bytes(bytes) => bytes,
        };
        let took = sys.now().since(running.sent);
        if let Some(after) = self.wrong(sys, running, &bytes, front) {
            return after;
        }
        let message = match dns::decode(&bytes) {
            Ok(message) => message,
            Err(_) => {
                say(sys, &format!(";; Got bad packet: FORMERR\n{}", hex_dump(&bytes)));
                running.hang_up(sys);
                return After::Over;
            }
        };
        if let Some(after) = self.mismatch(sys, running, &message, front) {
            return after;
        }
        running.hang_up(sys);
        if let Some(again) = self.ask_again(sys, running, &message, bytes.len(), took, front) {
            self.lookups.push_front(again);
            return After::Over;
        }
        if let Some(after) = self.other_server(sys, running, &message, front) {
            return after;
        }
        self.take_cookie(sys, running, &message, front);
        self.answered(sys, running, &message, bytes.len(), took, front);
        After::Over
    }

    /// Looks at the header of what came. Source: `recv_done`.
    fn wrong(
        &mut self,
        sys: &mut dyn Sys,
        running: &mut Running,
        bytes: &[u8],
        front: &mut dyn Front,
    ) -> Option<After> {
        let expected = running.query.metadata.id;
        let id = bytes.first_chunk::<2>().filter(|_| bytes.len() >= 12).map(|id| u16::from_be_bytes(*id));
        let tcp = running.lookup.tcp;
        let text = match id {
            Some(id) if id == expected => {
                if bytes[2] & 0x80 == 0 {
                    front.remark(sys, "Warning: query response not set");
                }
                return None;
            }
            Some(id) if tcp => format!("ERROR: ID mismatch: expected ID {expected}, got {id}"),
            Some(id) => format!("Warning: ID mismatch: expected ID {expected}, got {id}"),
            None if tcp => "ERROR: short (< header size) message".to_owned(),
            None => "Warning: short (< header size) message received".to_owned(),
        };
        front.remark(sys, &text);
        if tcp {
            running.hang_up(sys);
            return Some(After::Over);
        }
        // It listens on.
        Some(After::Server)
    }

    /// An answer to another question is not listened to.
    fn mismatch(
        &mut self,
        sys: &mut dyn Sys,
        running: &mut Running,
        message: &Message,
        front: &mut dyn Front,
    ) -> Option<After> {
        if message.metadata.op_code != running.query.metadata.op_code {
            let name = |code| present::opcode(code);
            let (wanted, got) = (running.query.metadata.op_code, message.metadata.op_code);
            front.remark(
                sys,
                &format!("Warning: Opcode mismatch: expected {}, got {}", name(wanted), name(got)),
            );
            return Some(After::Server);
        }
        let other = message.queries.iter().find(|query| {
            query.query_type() != running.lookup.kind
                || query.query_class() != running.lookup.class
                || *query.name() != running.name
        })?;
        let text = format!(
            ";; Question section mismatch: got {}/{}/{}",
            present::plain(other.name()),
            present::record_type(other.query_type()),
            present::class(other.query_class())
        );
        front.remark(sys, &text);
        if running.lookup.tcp {
            running.hang_up(sys);
            return Some(After::Over);
        }
        Some(After::Server)
    }

    /// Nobody answered in time, or the network said so.
    fn no_answer(&mut self, sys: &mut dyn Sys, running: &mut Running, front: &mut dyn Front) -> After {
        if running.lookup.retries > 1 {
            running.lookup.retries -= 1;
            if running.lookup.tcp {
                self.lookups.push_front(running.lookup.again());
                return After::Over;
            }
            // The same server once more.
            return After::Server;
        }
        if running.at + 1 < running.servers.len() {
            running.at += 1;
            return After::Server;
        }
        say(sys, &running.lookup.greeting);
        front.remark(sys, "no servers could be reached");
        self.status = self.status.max(9);
        After::Over
    }

    /// What an answer asks to be done differently.
    fn ask_again(
        &mut self,
        sys: &mut dyn Sys,
        running: &mut Running,
        message: &Message,
        bytes: usize,
        took: Duration,
        front: &mut dyn Front,
    ) -> Option<Lookup> {
        let comments = running.lookup.view.comments;
        let code = message.metadata.response_code;
        let lower = message.edns.as_ref().map(dns::Edns::version);
        if let (ResponseCode::BADVERS, Some(version)) = (code, lower)
            && running.lookup.edns.negotiate
            && running.lookup.edns.version.is_some_and(|asked| version < asked)
        {
            if comments {
                front.remark(sys, &format!("BADVERS, retrying with EDNS version {version}."));
            }
            let mut again = running.lookup.again();
            again.edns.version = Some(version);
            return Some(again);
        }
        if message.metadata.truncation && !running.lookup.ignore_truncation && !running.lookup.tcp {
            self.take_cookie(sys, running, message, front);
            if comments {
                front.remark(sys, "Truncated, retrying in TCP mode.");
            }
            let mut again = running.lookup.again();
            again.tcp = true;
            return Some(again);
        }
        if code == ResponseCode::BADCOOKIE
            && !running.lookup.tcp
            && running.lookup.edns.cookie != Cookie::None
            && running.lookup.retry_bad_cookie
        {
            self.take_cookie(sys, running, message, front);
            if running.lookup.show_bad_cookie {
                let asked = self.asked(running, took);
                front.message(sys, &asked, message, false);
                front.received(sys, &asked, bytes);
                running.lookup.greeting.clear();
            }
            let mut again = running.lookup.again();
            again.tcp = running.lookup.seen_bad_cookie;
            if comments {
                let how = if again.tcp { " in TCP mode" } else { "" };
                front.remark(sys, &format!("BADCOOKIE, retrying{how}."));
            }
            again.seen_bad_cookie = true;
            return Some(again);
        }
        None
    }

    /// Goes to another server if this one can't help.
    fn other_server(
        &mut self,
        sys: &mut dyn Sys,
        running: &mut Running,
        message: &Message,
        front: &mut dyn Front,
    ) -> Option<After> {
        let failed =
            message.metadata.response_code == ResponseCode::ServFail && !running.lookup.servfail_stops;
        let refused =
            self.settings.check_ra && !message.metadata.recursion_available && running.lookup.bits.recurse;
        if !failed && !refused {
            return None;
        }
        let why = if failed { "SERVFAIL reply" } else { "recursion not available" };
        let next = running.at + 1 < running.servers.len();
        if running.lookup.view.comments {
            let server = running.servers[running.at].addr;
            let then = if next { ", trying next server" } else { "" };
            front.remark(sys, &format!("Got {why} from {server}{then}"));
        }
        next.then(|| {
            running.at += 1;
            After::Server
        })
    }

    /// Keeps the cookie that a server has completed. Source: `process_cookie`.
    fn take_cookie(
        &mut self,
        sys: &mut dyn Sys,
        running: &mut Running,
        message: &Message,
        front: &mut dyn Front,
    ) {
        let sent = match &running.lookup.edns.cookie {
            Cookie::None => return,
            Cookie::Client => self.settings.cookie.to_vec(),
            Cookie::Bytes(bytes) => bytes.clone(),
        };
        let Some(edns) = &message.edns else {
            if matches!(running.lookup.edns.cookie, Cookie::Bytes(_)) {
                front.remark(sys, "expected opt record in response");
            }
            return;
        };
        let Some(cookie) = present::cookie(edns) else { return };
        if sent.len() < 8 || cookie.len() < 8 {
            front.remark(sys, "Warning: COOKIE bad token (too short)");
        } else if sent[..8] != cookie[..8] {
            front.remark(sys, "Warning: Client COOKIE mismatch");
        } else {
            running.lookup.edns.cookie = Cookie::Bytes(cookie.to_vec());
        }
    }

    /// The answer is the tool's, unless the search goes on.
    fn answered(
        &mut self,
        sys: &mut dyn Sys,
        running: &mut Running,
        message: &Message,
        bytes: usize,
        took: Duration,
        front: &mut dyn Front,
    ) {
        let code = message.metadata.response_code;
        let searching = running.lookup.origin.is_some() || running.lookup.need_search;
        let mut more = Vec::new();
        if code == ResponseCode::NXDomain && searching {
            let next = running.lookup.next_origin(&self.settings);
            if next.is_none() || self.settings.show_search {
                let asked = self.asked(running, took);
                more = front.message(sys, &asked, message, false);
                front.received(sys, &asked, bytes);
            }
            if let Some(next) = next {
                self.lookups.push_front(next);
            }
        } else {
            more = front.message(sys, &self.asked(running, took), message, false);
        }
        // The real one says this twice of a name that the search list doesn't help.
        if code == ResponseCode::NoError || running.lookup.origin.is_none() {
            front.received(sys, &self.asked(running, took), bytes);
        }
        self.lookups.extend(more);
    }
}

/// Bytes as `hex_dump` of `dighost.c` shows them.
fn hex_dump(bytes: &[u8]) -> String {
    let mut text = format!("{} bytes\n", bytes.len());
    for line in bytes.chunks(16) {
        let hex: String = line.iter().map(|byte| format!("{byte:02x} ")).collect();
        let shown =
            line.iter().map(|byte| if (b'!'..=b'}').contains(byte) { char::from(*byte) } else { '.' });
        text += &format!("{hex:<48}         {}\n", shown.collect::<String>());
    }
    text
}
