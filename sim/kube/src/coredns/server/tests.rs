use std::net::Ipv4Addr;

use kernel::Errno;

use super::*;
use crate::coredns::act::Why;
use crate::coredns::cluster::Cluster;
use crate::coredns::corefile::Outside;
use crate::coredns::message::{Accepted, accept};

struct Nothing;

impl Outside for Nothing {
    fn read(&mut self, _path: &str) -> Result<String, Errno> {
        Err(Errno::NoEnt)
    }

    fn list(&self, _folder: &str) -> Vec<String> {
        Vec::new()
    }

    fn variable(&self, _name: &str) -> Option<String> {
        None
    }
}

fn server(corefile: &str) -> Server {
    let corefile = Corefile::read("Corefile", corefile, 53, &mut Nothing).expect("a Corefile");
    Server::new(&corefile, &[], SimTime::ZERO, &mut || 4)
}

fn client(port: u16) -> Client {
    let local = |port| (Ipv4Addr::LOCALHOST, port).into();
    Client { from: local(port), to: local(53), transport: Transport::Udp }
}

/// Does something with a server and says what came out.
fn with(
    server: &mut Server,
    millis: u64,
    f: impl FnOnce(&mut Server, &mut Context<'_>) -> Vec<Act>,
) -> Vec<Act> {
    let now = SimTime::ZERO + Duration::from_millis(millis);
    f(server, &mut Context { now, cluster: &Cluster::new(), random: &mut || 4 })
}

fn asked(acts: &[Act]) -> Vec<Ask> {
    let asks =
        acts.iter().filter_map(|act| if let Act::Ask(ask) = act { Some((**ask).clone()) } else { None });
    asks.collect()
}

fn answers(acts: &[Act]) -> Vec<String> {
    let code = |act: &Act| match act {
        Act::Answer { message, .. } => Some(message.metadata.response_code.to_string()),
        Act::Silence(_) => Some("silence".to_owned()),
        Act::Log(line) | Act::Fatal(line) => Some(line.clone()),
        Act::Ask(_) => None,
    };
    acts.iter().filter_map(code).collect()
}

#[test]
fn a_probe_that_comes_back_ends_it() {
    let mut server = server(". {\n loop\n forward . 127.0.0.1\n}\n");
    let acts = with(&mut server, 0, Server::tick);
    let [probe] = &asked(&acts)[..] else { panic!("a probe: {acts:?}") };
    assert_eq!((probe.why, probe.to.to_string().as_str()), (Why::Loop, "127.0.0.1:53"));
    let mut query = probe.message.clone();
    for round in 1..=3_u16 {
        let acts = with(&mut server, 0, |server, cx| server.query(client(round), query.clone(), cx).1);
        let said = answers(&acts);
        if round < 3 {
            assert!(said.is_empty(), "{said:?}");
            query = asked(&acts)[0].message.clone();
        } else {
            let fatal = "[FATAL] plugin/loop: Loop (127.0.0.1:3 -> :53) detected for zone \".\", see \
                         https://coredns.io/plugins/loop#troubleshooting. Query: \"HINFO 1.1.\"";
            assert_eq!(said, [fatal]);
        }
    }
}

#[test]
fn an_unanswered_probe_is_sent_again() {
    let mut server = server(". {\n loop\n forward . 127.0.0.1\n}\n");
    let acts = with(&mut server, 0, Server::tick);
    let probe = asked(&acts)[0].id;
    let came = Came::Error("i/o timeout".to_owned());
    with(&mut server, 2000, |server, cx| server.answered(probe, None, came, cx));
    assert_eq!(server.next_deadline(), Some(SimTime::ZERO + Duration::from_secs(3)));
    assert_eq!(asked(&with(&mut server, 3000, Server::tick)).len(), 1);
    assert_eq!(server.next_deadline(), None);
}

#[test]
fn a_server_that_is_silent_is_asked_twice_then_its_health() {
    let mut server = server(". {\n errors\n forward . 9.9.9.9\n}\n");
    let query = dns::query(7, Name::from_ascii("example.org.").expect("a name"), RecordType::A);
    let acts = with(&mut server, 0, |server, cx| server.query(client(1000), query, cx).1);
    let first = asked(&acts)[0].clone();
    assert_eq!((first.read, first.message.metadata.id), (Duration::from_secs(2), 4));
    let error = |millis: u64| Came::Error(format!("read udp 10.0.0.1:{millis}->9.9.9.9:53: i/o timeout"));
    let acts = with(&mut server, 2000, |server, cx| server.answered(first.id, None, error(2000), cx));
    let asks = asked(&acts);
    let why: Vec<Why> = asks.iter().map(|ask| ask.why).collect();
    assert_eq!(why, [Why::Query, Why::Health]);
    let acts = with(&mut server, 4000, |server, cx| server.answered(asks[0].id, None, error(4000), cx));
    let line = "[ERROR] plugin/errors: 2 example.org. A: read udp 10.0.0.1:4000->9.9.9.9:53: i/o timeout";
    assert_eq!(answers(&acts), [line, "Server Failure"]);
    // The health check is still under way; somebody else's datagram doesn't end it.
    let other = dns::encode(&dns::query(5, Name::root(), RecordType::NS)).expect("short");
    with(&mut server, 4000, |server, cx| server.answered(asks[1].id, None, Came::Bytes(other), cx));
    assert!(server.is_waiting(asks[1].id));
}

#[test]
fn what_is_no_query_is_answered_at_once_or_not_at_all() {
    let query = dns::encode(&dns::query(7, Name::root(), RecordType::A)).expect("short");
    let with_bytes = |changes: &[(usize, u8)]| {
        let mut bytes = query.clone();
        changes.iter().for_each(|(at, byte)| bytes[*at] = *byte);
        bytes
    };
    for (bytes, expected) in [
        (query.clone(), "query"),
        (query[..8].to_vec(), "ignored"),
        // An answer.
        (with_bytes(&[(2, 0x81)]), "ignored"),
        // STATUS, IQUERY, UPDATE.
        (with_bytes(&[(2, 0x11)]), "0007910400000000"),
        (with_bytes(&[(2, 0x29)]), "0007a90400000000"),
        // Two questions, a question that is cut off.
        (with_bytes(&[(5, 2)]), "0007810100000000"),
        (query[..14].to_vec(), "0007810100000000"),
    ] {
        let said = match accept(&bytes) {
            Accepted::Query(_) => "query".to_owned(),
            Accepted::Ignored => "ignored".to_owned(),
            Accepted::Answer(bytes) => bytes[..8].iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        assert_eq!(said, expected, "{bytes:?}");
    }
}
