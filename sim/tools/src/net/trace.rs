//! `trace`: follows one packet through every host on a copy of the world. hoplab's own command.

use packet::{Proto, TcpFlags};
use trace::view::View;
use world::{Args, Follow, Next, Probe, Program, Registry, Sys, Wait};

use super::{complain, say};

/// Installs `trace`.
pub(crate) fn install(registry: &mut Registry) {
    registry.install("trace", |args| Box::new(Trace { args, sent: false }));
}

#[derive(Clone, Debug)]
struct Trace {
    args: Args,
    sent: bool,
}

const USAGE: &str = "usage: trace [-i DEV] [--view VIEW] [--branches] tcp|udp|icmp SRC[:PORT] DST[:PORT] [--flags SYN,ACK] [--mark M]\n";

/// Source port of a probe that names none.
const SOURCE_PORT: u16 = 40000;

/// Takes the arguments of `trace` apart.
///
/// # Errors
/// What is wrong, and what was expected.
pub fn parse(args: &[String]) -> Result<(Probe, Follow, View), String> {
    let mut follow = Follow::Drawn;
    let (mut device, mut view, mut flags, mut mark, mut words) =
        (None, View::Summary, TcpFlags::SYN, 0, Vec::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("option `{arg}` needs a value"));
        match arg.as_str() {
            "-i" => device = Some(value()?.clone()),
            "--view" => {
                let text = value()?;
                view = text.parse().map_err(|error| format!("bad view `{text}`: {error}"))?;
            }
            "--branches" => follow = Follow::EveryBranch,
            "--flags" => flags = tcp_flags(value()?)?,
            "--mark" => {
                let text = value()?;
                let digits = text.strip_prefix("0x");
                let number = digits.map_or_else(|| text.parse(), |hex| u32::from_str_radix(hex, 16));
                mark = number.map_err(|_| format!("bad mark `{text}`: expected a number such as 0x4000"))?;
            }
            other if other.starts_with('-') => return Err(format!("option `{other}` is not simulated")),
            _ => words.push(arg.as_str()),
        }
    }
    let [proto, src, dst] = words.as_slice() else {
        return Err(format!("expected protocol, source and destination\n{}", USAGE.trim_end()));
    };
    let proto = match *proto {
        "tcp" => Proto::TCP,
        "udp" => Proto::UDP,
        "icmp" => Proto::ICMP,
        other => return Err(format!("bad protocol `{other}`: expected tcp, udp or icmp")),
    };
    let (src, sport) = end(src)?;
    let (dst, dport) = end(dst)?;
    if dport.is_none() && proto != Proto::ICMP {
        return Err(format!("bad destination `{dst}`: expected ADDRESS:PORT"));
    }
    let probe = Probe {
        device,
        proto,
        src,
        sport: sport.unwrap_or(SOURCE_PORT),
        dst,
        dport: dport.unwrap_or(0),
        flags,
        mark,
    };
    Ok((probe, follow, view))
}

fn end(text: &str) -> Result<(std::net::IpAddr, Option<u16>), String> {
    let bad = || format!("bad address `{text}`: expected ADDRESS or ADDRESS:PORT");
    let (addr, port) = match text.rsplit_once(':') {
        Some((addr, port)) => (addr, Some(port.parse().map_err(|_| bad())?)),
        None => (text, None),
    };
    let addr: std::net::Ipv4Addr = addr.parse().map_err(|_| bad())?;
    Ok((addr.into(), port))
}

fn tcp_flags(text: &str) -> Result<TcpFlags, String> {
    text.split(',').try_fold(TcpFlags(0), |flags, word| {
        let flag = match word.to_ascii_uppercase().as_str() {
            "FIN" => TcpFlags::FIN,
            "SYN" => TcpFlags::SYN,
            "RST" => TcpFlags::RST,
            "PSH" => TcpFlags::PSH,
            "ACK" => TcpFlags::ACK,
            "URG" => TcpFlags::URG,
            _ => return Err(format!("bad TCP flag `{word}`: expected FIN, SYN, RST, PSH, ACK or URG")),
        };
        Ok(flags | flag)
    })
}

impl Program for Trace {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        if !self.sent {
            match parse(&self.args[1..]) {
                Ok((probe, follow, view)) => {
                    let netns = sys.netns();
                    sys.send_probe(netns, probe, follow, view);
                    self.sent = true;
                }
                Err(message) => {
                    complain(sys, &format!("trace: {message}\n"));
                    return Next::Exit(2);
                }
            }
        }
        match sys.probe_report() {
            None => Next::Wait(Wait::default()),
            Some(Ok(reports)) => {
                for report in reports {
                    say(sys, &format!("{}{}\n", report.text, report.verdict));
                }
                Next::Exit(0)
            }
            Some(Err(error)) => {
                complain(sys, &format!("trace: {error}\n"));
                Next::Exit(2)
            }
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
