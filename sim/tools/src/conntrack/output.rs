use std::fmt::Write;

use netfilter::conntrack::{Conn, CtCounter, Dir, ProtoState, Shown, ZoneDir, protocol_name};
use packet::{L4Key, Proto, SimTime, Tuple};
use world::{EPOCH, Sys, ctime};

use super::has_ports;
use super::options::Output;

pub const XML_HEAD: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<conntrack>\n";
pub const XML_TAIL: &str = "</conntrack>";

/// Seconds of wall clock of an instant.
fn unix(at: SimTime) -> u64 {
    EPOCH + at.as_nanos() / 1_000_000_000
}

/// `Sat Nov 21 13:46:56 2026`.
pub fn clock(at: SimTime) -> String {
    ctime(unix(at))
}

/// A connection of a listing, without newline; `uses` is the count of references it shows.
pub fn entry(sys: &dyn Sys, output: &Output, conn: &Conn, uses: u32) -> String {
    let now = sys.now();
    if output.xml {
        return xml(output, conn, "", Some(conn.seconds_left(now)), now, Some(uses));
    }
    if output.save {
        return save(conn, conn.seconds_left(now));
    }
    conn.line(&Shown {
        layer3: output.extended,
        timeout: Some(conn.seconds_left(now)),
        state: true,
        counters: true,
        mark: true,
        zone: false,
        delta_at: Some(now),
        start: output.ktimestamp.then_some(clock as fn(SimTime) -> String),
        uses: Some(uses),
        id: output.id,
    })
}

/// A line that `conntrack -R` reads. conntrack-tools: `nfct_save_line` and kin.
fn save(conn: &Conn, timeout: u64) -> String {
    let mut line = format!("-A -t {timeout} ");
    let status: Vec<&str> = [
        (Conn::SEEN_REPLY, "SEEN_REPLY"),
        (Conn::ASSURED, "ASSURED"),
        (Conn::FIXED_TIMEOUT, "FIXED_TIMEOUT"),
    ]
    .into_iter()
    .filter(|(bit, _)| conn.status() & bit != 0)
    .map(|(_, name)| name)
    .collect();
    let status = if status.is_empty() { "UNSET".to_owned() } else { status.join(",") };
    let _ = write!(line, "-u {status} ");
    if conn.zone.id != 0 {
        let option = match conn.zone.dir {
            ZoneDir::Both => "-w",
            ZoneDir::Original => "--orig-zone",
            ZoneDir::Reply => "--reply-zone",
        };
        let _ = write!(line, "{option} {} ", conn.zone.id);
    }
    let (original, reply) = (&conn.original, &conn.reply);
    let source = if conn.nat.src_done && reply.dst != original.src { "-n" } else { "-q" };
    let destination = if conn.nat.dst_done && reply.src != original.dst { "-g" } else { "-r" };
    let _ = write!(
        line,
        "-s {} -d {} {destination} {} {source} {} ",
        original.src, original.dst, reply.src, reply.dst
    );
    match (protocol_name(original.proto), original.l4) {
        ("unknown", _) => {
            let _ = write!(line, "-p {} ", original.proto.0);
        }
        (name, L4Key::Icmp { kind, code, id }) => {
            let _ = write!(line, "-p {name} --icmp-type {kind} --icmp-code {code} --icmp-id {id} ");
        }
        (name, _) => {
            let _ = write!(line, "-p {name} ");
            if has_ports(original.proto) {
                let (own, answer) = (original.ports(), reply.ports());
                let _ = write!(
                    line,
                    "--sport {} --dport {} --reply-port-src {} --reply-port-dst {} ",
                    own.0, own.1, answer.0, answer.1
                );
            }
        }
    }
    if let Some(state) = conn.state_name() {
        let _ = write!(line, "--state {state} ");
    }
    line.truncate(line.trim_end().len());
    line
}

/// Kind of an event in XML, with a space before it; empty in a listing.
fn xml(
    output: &Output,
    conn: &Conn,
    kind: &str,
    timeout: Option<u64>,
    now: SimTime,
    uses: Option<u32>,
) -> String {
    let mut text = format!("<flow{kind}>");
    for (dir, name, zone) in
        [(Dir::Original, "original", ZoneDir::Original), (Dir::Reply, "reply", ZoneDir::Reply)]
    {
        let tuple = conn.tuple(dir);
        let _ = write!(
            text,
            "<meta direction=\"{name}\"><layer3 protonum=\"2\" protoname=\"ipv4\"><src>{}</src><dst>{}</dst>\
             </layer3><layer4 protonum=\"{}\" protoname=\"{}\">{}</layer4>",
            tuple.src,
            tuple.dst,
            tuple.proto.0,
            protocol_name(tuple.proto),
            xml_ports(tuple),
        );
        if conn.zone.dir == zone && conn.zone.id != 0 {
            let _ = write!(text, "<zone>{}</zone>", conn.zone.id);
        }
        if let Some(acct) = &conn.acct {
            let CtCounter { packets, bytes } = acct[dir as usize];
            let _ = write!(text, "<counters><packets>{packets}</packets><bytes>{bytes}</bytes></counters>");
        }
        text.push_str("</meta>");
    }
    text.push_str("<meta direction=\"independent\">");
    if let Some(state) = xml_state(conn) {
        let _ = write!(text, "<state>{state}</state>");
    }
    if let Some(timeout) = timeout {
        let _ = write!(text, "<timeout>{timeout}</timeout>");
    }
    let _ = write!(text, "<mark>{}</mark>", conn.mark);
    if conn.zone.dir == ZoneDir::Both && conn.zone.id != 0 {
        let _ = write!(text, "<zone>{}</zone>", conn.zone.id);
    }
    if let Some(uses) = uses {
        let _ = write!(text, "<use>{uses}</use>");
    }
    let _ = write!(text, "<id>{}</id>", conn.id);
    if conn.assured {
        text.push_str("<assured/>");
    } else if !conn.seen_reply {
        text.push_str("<unreplied/>");
    }
    if let Some(start) = conn.start {
        if output.ktimestamp {
            let _ = write!(
                text,
                "<timestamp><start>{}{:09}</start></timestamp>",
                unix(start),
                start.as_nanos() % 1_000_000_000
            );
        }
        let _ = write!(text, "<deltatime>{}</deltatime>", unix(now) - unix(start));
    }
    text.push_str("</meta></flow>");
    text
}

fn xml_ports(tuple: &Tuple) -> String {
    let (src, dst) = tuple.ports();
    match tuple.proto {
        Proto::GRE => "<srckey>0x0</srckey><dstkey>0x0</dstkey>".to_owned(),
        proto if has_ports(proto) => format!("<sport>{src}</sport><dport>{dst}</dport>"),
        _ => String::new(),
    }
}

/// The state as XML has it: of SCTP by the name of the TCP state of the same number.
fn xml_state(conn: &Conn) -> Option<&'static str> {
    const TCP: [&str; 10] = [
        "NONE",
        "SYN_SENT",
        "SYN_RECV",
        "ESTABLISHED",
        "FIN_WAIT",
        "CLOSE_WAIT",
        "LAST_ACK",
        "TIME_WAIT",
        "CLOSE",
        "LISTEN",
    ];
    match &conn.proto {
        ProtoState::Tcp(tcp) => TCP.get(tcp.state as usize).copied(),
        ProtoState::Sctp(sctp) => TCP.get(sctp.state as usize).copied(),
        ProtoState::Udp { .. } | ProtoState::Other => None,
    }
}

/// An event in XML.
pub fn xml_event(output: &Output, conn: &Conn, kind: &str, timeout: Option<u64>, now: SimTime) -> String {
    xml(output, conn, &format!(" type=\"{kind}\""), timeout, now, None)
}
