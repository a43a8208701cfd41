use packet::{Body, Payload, Proto, SimTime};

use super::{LAN, WAN, forward, ruleset, skb};
use crate::Netfilter;
use crate::conntrack::StateSet;

const CHUNKS: [(&str, u8); 13] = [
    ("DATA", 0),
    ("INIT", 1),
    ("INIT_ACK", 2),
    ("SACK", 3),
    ("HEARTBEAT", 4),
    ("HEARTBEAT_ACK", 5),
    ("ABORT", 6),
    ("SHUTDOWN", 7),
    ("SHUTDOWN_ACK", 8),
    ("ERROR", 9),
    ("COOKIE_ECHO", 10),
    ("COOKIE_ACK", 11),
    ("SHUTDOWN_COMPLETE", 14),
];

/// A chunk as `NAME[/FLAGS][=TAG]` says.
fn chunk(text: &str) -> Vec<u8> {
    let (text, tag) = text.split_once('=').unwrap_or((text, "0"));
    let (name, flags) = text.split_once('/').unwrap_or((text, "0"));
    let kind = CHUNKS.iter().find(|(known, _)| *known == name).expect(name).1;
    let tag = u32::from_str_radix(tag, 16).expect(tag).to_be_bytes();
    let value = match kind {
        1 | 2 => [&tag[..], &[0; 12]].concat(),
        0 | 3..=5 => vec![0; 16],
        _ => Vec::new(),
    };
    let head = [kind, flags.parse().expect(flags), 0, 4 + value.len() as u8];
    [&head[..], &value].concat()
}

/// Sends a packet through; what became of it and of its connection.
fn send(netfilter: &mut Netfilter, second: u64, port: u16, words: &[&str]) -> String {
    let &[dir, tag, chunks] = words else { panic!("{words:?}") };
    let answers = dir == "r";
    let ports = if answers { [38412, port] } else { [port, 38412] };
    let tag = u32::from_str_radix(tag, 16).expect(tag);
    let head = [&ports.map(u16::to_be_bytes).concat()[..], &tag.to_be_bytes(), &[0; 4]].concat();
    let bytes = [head, chunks.split(',').flat_map(chunk).collect()].concat();
    let body = Body::Bytes(Proto::SCTP, Payload::from(bytes));
    let (client, server) = ("10.0.0.2", "203.0.113.2");
    let (mut skb, from, to) = match answers {
        false => (skb(client, server, body), LAN, WAN),
        true => (skb(server, client, body), WAN, LAN),
    };
    forward(netfilter, second, from, to, &mut skb);
    let table = netfilter.conntrack().expect("a rule asks for it");
    let what = match table.state_of(&skb) {
        StateSet::INVALID => "INVALID",
        StateSet::NEW => "NEW",
        _ => "ok",
    };
    let ours = |conn: &&crate::conntrack::Conn| {
        let (src, dst) = conn.original.ports();
        src == port || dst == port
    };
    match table.iter(SimTime(second * 1_000_000_000)).find(ours) {
        None => format!("{what} none"),
        Some(conn) => {
            let assured = if conn.assured { " ASSURED" } else { "" };
            let unreplied = if conn.seen_reply { "" } else { " UNREPLIED" };
            format!("{what} {}{assured}{unreplied}", conn.state_name().unwrap_or("-"))
        }
    }
}

#[test]
fn sctp_as_a_kernel_tracks_it() {
    let mut netfilter = ruleset(&["FORWARD -m conntrack --ctstate NEW"]);
    let mut list = 0;
    let mut wrong = Vec::new();
    for line in include_str!("sctp.txt").lines().skip(2) {
        match line.split_once(" -> ") {
            None => list += 1,
            Some((packet, expected)) => {
                let words: Vec<&str> = packet.split(' ').collect();
                let got = send(&mut netfilter, list, 1000 + list as u16, &words);
                if got != expected {
                    wrong.push(format!("{list}: {line}\n     got {got}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
