//! The figures of benches/README.md, in CPU time: goals 1 to 3 and 5.
//!
//! `cargo run --release --example goals` prints medians. `-- NAME COUNT` runs one once, for a
//! profiler (benches/instructions.sh). An example and no bench, because benches unwind on panic
//! and the program that is shipped doesn't.

#![allow(missing_docs, clippy::expect_used, clippy::print_stdout, dead_code)]

mod networks;

use std::time::Duration;

use networks::{UdpClient, chain, cpu, lan, ping_all_pairs, run_client, warm};
use trace::{Off, Recorder};
use world::World;

const ROUTERS: usize = 10;
/// Links that one echo crosses, there and back.
const HOPS: u32 = 22;
const HOSTS: usize = 32;
const RUNS: usize = 7;

/// What is measured: name, how many, and what a unit is.
const MEASURED: [(Measured, &str, u32); 5] = [
    (Measured::Chain, "goal 1: chain of 10 routers, ns per packet-hop", 100_000),
    (Measured::Checksums, "goal 2: the same with checksums verified", 100_000),
    (Measured::InFlight, "goal 3: the same with 100,000 packets in flight", 100_000),
    (Measured::Lan, "goal 5: 32 hosts on a bridge, all pairs, ns per ping", 20),
    (Measured::Traced, "chain, every step recorded", 5_000),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measured {
    Chain,
    Checksums,
    InFlight,
    Lan,
    Traced,
}

/// A network, set up, and what is to be run on it.
enum Bench {
    Chain(World, packet::HostId, std::net::SocketAddr),
    Lan(World, Vec<packet::HostId>),
}

impl Bench {
    fn new(measured: Measured) -> Self {
        if measured == Measured::Lan {
            let (mut world, ends) = lan(HOSTS);
            // Neighbours get known.
            ping_all_pairs(&mut world, &ends, 1);
            return Self::Lan(world, ends);
        }
        let (mut world, client, server) = chain(ROUTERS);
        let to = format!("10.0.{ROUTERS}.2:9").parse().expect("an address");
        warm(&mut world, client, server, to);
        world.set_verify_checksums(measured == Measured::Checksums);
        Self::Chain(world, client, to)
    }

    /// CPU time of one run, and its packet-hops or pings.
    fn run(&self, measured: Measured, count: u32) -> (u64, u64) {
        match self {
            Self::Lan(world, ends) => {
                let mut world = world.clone();
                let before = cpu();
                let pings = ping_all_pairs(&mut world, ends, u16::try_from(count).expect("few rounds"));
                (cpu() - before, pings as u64)
            }
            Self::Chain(world, client, to) => {
                let mut world = world.clone();
                // An echo takes 1.1 ms: at 5 ns all are sent before the first is answered.
                let pace = if measured == Measured::InFlight { 5 } else { 100_000 };
                let program = UdpClient::new(*to, count, Duration::from_nanos(pace));
                let before = cpu();
                if measured == Measured::Traced {
                    run_client(&mut world, *client, program, &mut Recorder::default());
                } else {
                    run_client(&mut world, *client, program, &mut Off);
                }
                (cpu() - before, u64::from(count * HOPS))
            }
        }
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    for (measured, title, count) in MEASURED {
        let name = format!("{measured:?}").to_lowercase();
        if args.first().is_some_and(|wanted| *wanted != name) {
            continue;
        }
        let bench = Bench::new(measured);
        if let Some(count) = args.get(1).and_then(|count| count.parse().ok()) {
            let (ns, units) = bench.run(measured, count);
            println!("{name} {units} {ns}");
            continue;
        }
        let mut each: Vec<u64> = (0..RUNS)
            .map(|_| {
                let (ns, units) = bench.run(measured, count);
                ns / units
            })
            .collect();
        each.sort_unstable();
        println!("{title}: {} ({}..{}, n={RUNS})", each[RUNS / 2], each[0], each[RUNS - 1]);
    }
}
