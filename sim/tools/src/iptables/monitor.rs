use std::fmt::Write;

use kernel::socket::{NetlinkGroup, NetlinkMessage, SocketKind};
use netfilter::{Policy, TraceEvent, TraceVerdict, Traced, TracedPacket};
use packet::{Body, MacAddr, Packet, Proto, TcpFlags};
use world::{Args, Fd, Next, Program, Sys, Wait};

use super::run::netfilter;
use crate::net::{complain, say};

/// `NFPROTO_IPV4`.
const IPV4: u32 = 2;

/// `xtables-monitor` 1.8.9.
#[derive(Clone, Debug)]
pub struct XtablesMonitor {
    args: Args,
    listening: Option<Listening>,
}

/// A monitor that runs.
#[derive(Clone, Copy, Debug)]
struct Listening {
    socket: Fd,
    counters: bool,
}

impl XtablesMonitor {
    /// A monitor that hasn't begun.
    pub fn new(args: Args) -> Self {
        Self { args, listening: None }
    }

    fn start(&self, sys: &mut dyn Sys) -> Result<Listening, i32> {
        let (mut counters, mut trace) = (false, false);
        let words = self.args.get(1..).unwrap_or_default();
        for letter in words.iter().flat_map(|word| letters(word)) {
            match letter {
                'c' => counters = true,
                't' => trace = true,
                '4' => {}
                'e' | '6' => {
                    complain(sys, &format!("xtables-monitor: option -{letter} is not simulated\n"));
                    return Err(1);
                }
                'V' => {
                    say(sys, "xtables-monitor 1.8.9\n");
                    return Err(0);
                }
                'h' => {
                    say(sys, USAGE);
                    return Err(1);
                }
                _ => {
                    complain(sys, BAD_ARGUMENT);
                    return Err(2);
                }
            }
        }
        if !trace {
            say(sys, USAGE);
            return Err(1);
        }
        match sys.socket(SocketKind::Netlink(NetlinkGroup::NfTrace)) {
            Ok(socket) => Ok(Listening { socket, counters }),
            Err(errno) => {
                complain(sys, &format!("cannot open nfnetlink socket: {errno}\n"));
                Err(1)
            }
        }
    }
}

const BAD_ARGUMENT: &str =
    "xtables-monitor 1.8.9: Bad argument.\nTry `xtables-monitor -h' for more information.\n";

const USAGE: &str = "xtables-monitor 1.8.9
Usage: xtables-monitor [ -t | -e ]
        --trace    -t    trace ruleset traversal of packets tagged via -j TRACE rule
        --event    -e    show events that modify the ruleset
Optional arguments:
        --ipv4     -4    only monitor IPv4
        --ipv6     -6    only monitor IPv6
\t--counters -c    show counters in rules
";

const LONG: [(&str, char); 7] = [
    ("counters", 'c'),
    ("trace", 't'),
    ("event", 'e'),
    ("ipv4", '4'),
    ("ipv6", '6'),
    ("version", 'V'),
    ("help", 'h'),
];

/// The option letters of a word; `?` for what is none.
fn letters(word: &str) -> Vec<char> {
    if let Some(name) = word.strip_prefix("--") {
        let mut fits = LONG.iter().filter(|(long, _)| !name.is_empty() && long.starts_with(name));
        let exact = LONG.iter().find(|(long, _)| *long == name);
        return match (exact, fits.next(), fits.next()) {
            (Some((_, letter)), ..) | (None, Some((_, letter)), None) => vec![*letter],
            _ => vec!['?'],
        };
    }
    // What is no option is left alone.
    word.strip_prefix('-').map_or(Vec::new(), |letters| letters.chars().collect())
}

impl Program for XtablesMonitor {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let listening = match self.listening {
            Some(listening) => listening,
            None => match self.start(sys) {
                Ok(listening) => *self.listening.insert(listening),
                Err(status) => return Next::Exit(status),
            },
        };
        while let Ok(NetlinkMessage::NfTrace(event)) = sys.recv_netlink(listening.socket) {
            let text = describe(sys, &event, listening.counters);
            say(sys, &text);
        }
        Next::Wait(Wait { fds: vec![listening.socket], ..Wait::default() })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// What is printed of a message. iptables `trace_cb`.
fn describe(sys: &mut dyn Sys, event: &TraceEvent, counters: bool) -> String {
    let mut text = String::new();
    if let Some(packet) = &event.packet {
        describe_packet(sys, &mut text, event.id, packet);
    }
    let TraceEvent { id, table, chain, .. } = event;
    // Writing to a string doesn't fail.
    match &event.what {
        Traced::End => {}
        Traced::Policy(policy) => {
            let verdict = match policy {
                Policy::Accept => "ACCEPT",
                Policy::Drop => "DROP",
            };
            let _ = writeln!(text, " TRACE: {IPV4} {id:08x} {table}:{chain}:policy:{verdict} ");
        }
        Traced::Rule { handle, verdict } => {
            let verdict = verdict_text(verdict);
            let _ = write!(text, " TRACE: {IPV4} {id:08x} {table}:{chain}:rule:0x{handle:x}:{verdict}  ");
            let netfilter = netfilter(sys, sys.netns());
            let found = netfilter.table(*table).and_then(|table| table.chain(chain));
            let rule = found.and_then(|chain| {
                let at = chain.rules.iter().position(|rule| rule.handle == *handle)?;
                Some((chain.rules.get(at)?, chain.counters.get(at).copied().unwrap_or_default()))
            });
            if let Some((installed, count)) = rule {
                let _ = write!(text, "-4 -t {table} ");
                if counters {
                    let _ = write!(text, "{count} ");
                }
                let _ = writeln!(text, "-A {chain}{}", installed.rule);
            }
        }
    }
    text
}

/// iptables `print_verdict`.
fn verdict_text(verdict: &TraceVerdict) -> String {
    match verdict {
        TraceVerdict::Continue => "CONTINUE".to_owned(),
        TraceVerdict::Jump(chain) => format!("JUMP:{chain}"),
        TraceVerdict::Goto(chain) => format!("GOTO:{chain}"),
        // `NFT_RETURN`, which iptables has no word for.
        TraceVerdict::Return => "0xfffffffb".to_owned(),
        TraceVerdict::Accept => "ACCEPT".to_owned(),
        TraceVerdict::Drop => "DROP".to_owned(),
        TraceVerdict::Queue(3) => "QUEUE".to_owned(),
        TraceVerdict::Queue(word) => format!("0x{word:x}"),
    }
}

/// iptables `trace_print_packet`.
fn describe_packet(sys: &mut dyn Sys, text: &mut String, id: u32, traced: &TracedPacket) {
    const ARPHRD_ETHER: u16 = 1;
    const ARPHRD_LOOPBACK: u16 = 772;
    let TracedPacket { input, output, link, packet, mark } = traced;
    let _ = write!(text, "PACKET: {IPV4} {id:08x} ");
    if !input.is_empty() {
        let _ = write!(text, "IN={input} ");
    }
    if !output.is_empty() {
        let _ = write!(text, "OUT={output} ");
    }
    if let Some((src, dst)) = link {
        let netns = sys.netns();
        let links = sys.links(netns, None);
        let arphrd = links.iter().find(|link| link.name == *input).map_or(ARPHRD_ETHER, |link| link.arphrd);
        let _ = match arphrd {
            ARPHRD_ETHER => {
                write!(text, "MACSRC={} MACDST={} MACPROTO=0800 ", ether_ntoa(*src), ether_ntoa(*dst))
            }
            ARPHRD_LOOPBACK => write!(text, "LOOPBACK "),
            other => write!(text, "LL=0x{other:x}  "),
        };
    }
    describe_ip(text, packet);
    if *mark != 0 {
        let _ = write!(text, "MARK=0x{mark:x} ");
    }
    text.push('\n');
}

fn describe_ip(text: &mut String, packet: &Packet) {
    let _ = write!(
        text,
        "SRC={} DST={} LEN={} TOS=0x{:x} TTL={} ID={} ",
        packet.src(),
        packet.dst(),
        packet.len(),
        packet.tos,
        packet.ttl,
        packet.id
    );
    if packet.frag.df {
        text.push_str("DF ");
    }
    if packet.frag.mf {
        text.push_str("MF ");
    }
    if packet.frag.offset != 0 {
        let _ = write!(text, "FRAG:{} ", packet.frag.offset / 8);
        return;
    }
    if let Some(options) = &packet.options {
        let bytes: String = options.iter().map(|byte| format!("{byte:02X}")).collect();
        let _ = write!(text, "OPT ({bytes}) ");
    }
    match &packet.body {
        Body::Tcp(tcp) => {
            let _ = write!(text, "SPORT={} DPORT={} ", tcp.sport, tcp.dport);
            for (name, flag) in [
                ("SYN", TcpFlags::SYN),
                ("ACK", TcpFlags::ACK),
                ("FIN", TcpFlags::FIN),
                ("RST", TcpFlags::RST),
                ("PSH", TcpFlags::PSH),
                ("URG", TcpFlags::URG),
            ] {
                if tcp.flags.contains(flag) {
                    let _ = write!(text, "{name} ");
                }
            }
        }
        Body::Udp(udp) => {
            let _ = write!(text, "SPORT={} DPORT={} ", udp.sport, udp.dport);
        }
        Body::Bytes(Proto::SCTP | Proto(33) | Proto(136), bytes) => {
            if let Some(&[a, b, c, d]) = bytes.get(..4) {
                let (sport, dport) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
                let _ = write!(text, "SPORT={sport} DPORT={dport} ");
            }
        }
        Body::Icmp(_) | Body::Ip(_) | Body::Fragment(..) | Body::Bytes(..) => {}
    }
}

/// `2:0:0:0:1:1`, as `ether_ntoa(3)` prints it.
fn ether_ntoa(mac: MacAddr) -> String {
    mac.0.map(|byte| format!("{byte:x}")).join(":")
}
