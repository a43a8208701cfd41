use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use lab::Spot;
use packet::{HostId, NetnsId, Proto, TcpFlags};
use trace::view::{Packets, Typed};
use world::{Follow, Probe, World};

use crate::answer;
use crate::load::load;
use crate::trace_options::TraceOptions;

/// Arguments of `hoplab trace`.
#[derive(Args)]
pub(crate) struct TraceArgs {
    /// Topology file.
    topology: PathBuf,
    /// Where the packet is sent: `host` or `host/namespace`.
    from: String,
    /// Where it goes: an address, `host`, `host/namespace` or `pod/NAME` for its first one, or
    /// `svc/NAME` or `svc/NAMESPACE/NAME` for a Service's cluster address.
    to: String,
    /// Protocol; that of the port for a Service, else icmp.
    #[arg(long, value_enum)]
    proto: Option<Protocol>,
    /// Destination port; the first one of a Service, else 80.
    #[arg(long)]
    port: Option<u16>,
    /// Source port, or the identifier of an echo request.
    #[arg(long, default_value_t = 40000)]
    sport: u16,
    /// Mark of the packet.
    #[arg(long, default_value_t = 0)]
    mark: u32,
    /// Seed of all random streams.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Follows every random choice once; prints each outcome with its probability.
    #[arg(long)]
    branches: bool,
    #[command(flatten)]
    trace: TraceOptions,
}

/// Where a packet goes.
struct Target {
    dst: IpAddr,
    proto: Protocol,
    port: u16,
}

impl TraceArgs {
    /// Finds what `to` means.
    fn target(&self, lab: &lab::Lab) -> Result<Target, String> {
        let (proto, port) = (self.proto.unwrap_or(Protocol::Icmp), self.port.unwrap_or(80));
        if let Ok(dst) = self.to.parse() {
            return Ok(Target { dst, proto, port });
        }
        if let Some(name) = self.to.strip_prefix("svc/") {
            let service = lab.service(name).map_err(|problem| problem.to_string())?;
            let wanted = |(_, port): &(Proto, u16)| self.port.is_none_or(|wanted| wanted == *port);
            let (proto, port) = match service.ports.iter().find(|port| wanted(port)) {
                Some((Proto::UDP, port)) => (Protocol::Udp, *port),
                Some((_, port)) => (Protocol::Tcp, *port),
                None => (proto, port),
            };
            let proto = self.proto.unwrap_or(proto);
            return Ok(Target { dst: service.address, proto, port: self.port.unwrap_or(port) });
        }
        let Spot { host, netns, .. } = lab.locate(&self.to).map_err(|problem| problem.to_string())?;
        let dst = first_address(&lab.world, host, netns);
        Ok(Target { dst: dst.ok_or_else(|| format!("`{}` has no address", self.to))?, proto, port })
    }

    /// What was asked, in words.
    fn title(&self, target: &Target) -> String {
        let port = match target.proto {
            Protocol::Tcp => format!("tcp port {}", target.port),
            Protocol::Udp => format!("udp port {}", target.port),
            Protocol::Icmp => "icmp".to_owned(),
        };
        format!("trace {} to {}, {port}", self.from, self.to)
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Protocol {
    Tcp,
    Udp,
    Icmp,
}

pub(crate) fn main(args: &TraceArgs) -> ExitCode {
    answer::print(follow(args))
}

fn follow(args: &TraceArgs) -> Result<String, String> {
    let lab = load(&args.topology, args.seed)?;
    let Spot { host, netns, .. } = lab.locate(&args.from).map_err(|problem| problem.to_string())?;
    let target = args.target(&lab)?;
    let Target { dst, proto, port } = target;
    let title = args.title(&target);
    let src = source(&lab.world, host, netns, dst)
        .ok_or_else(|| format!("`{}` has no address to send from", args.from))?;
    let probe = Probe {
        device: None,
        proto: match proto {
            Protocol::Tcp => Proto::TCP,
            Protocol::Udp => Proto::UDP,
            Protocol::Icmp => Proto::ICMP,
        },
        src,
        sport: args.sport,
        dst,
        dport: port,
        flags: TcpFlags::SYN,
        mark: args.mark,
    };
    let follow = if args.branches { Follow::EveryBranch } else { Follow::Drawn };
    let outcomes = lab.world.probe(host, netns, &probe, follow).map_err(|error| error.to_string())?;
    let mut text = String::new();
    let mut steps = Vec::new();
    let mut document = args.trace.document(&title, Packets::Subjects);
    for outcome in outcomes {
        let verdict = format!("{}{}\n", outcome.draws_text(), outcome.verdict);
        if args.trace.is_document() {
            let typed = Typed {
                on: args.from.clone(),
                command: title.clone(),
                output: verdict.clone(),
                status: None,
                subjects: vec![outcome.trace.packet],
            };
            document.command(&lab.world, typed, &outcome.steps);
        } else {
            text.push_str(&args.trace.show(&lab.world, std::slice::from_ref(&outcome.trace)));
        }
        if !args.trace.takes_stdout() {
            text.push_str(&verdict);
        }
        steps.extend(outcome.steps);
    }
    args.trace.write_capture(&lab.world, &steps)?;
    if args.trace.is_document() {
        args.trace.write(document)?;
    }
    Ok(text)
}

/// The address that the namespace would send from; its first one if it has no route.
fn source(world: &World, host: HostId, netns: NetnsId, dst: IpAddr) -> Option<IpAddr> {
    world.source_for(host, netns, dst).or_else(|| first_address(world, host, netns))
}

fn first_address(world: &World, host: HostId, netns: NetnsId) -> Option<IpAddr> {
    let addrs = world.host(host).addrs(netns);
    addrs.iter().map(|info| info.addr.local.addr()).find(|addr| !addr.is_loopback())
}
