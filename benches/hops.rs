//! Goals 1 to 3: packet-hops through a chain of ten routers. 100,000 UDP echoes cross 22 links each.
//!
//! The figures to hold against ns-3 are elements per second: one element is one packet-hop.

#![allow(missing_docs, clippy::expect_used)]

mod networks;

use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use networks::{UdpClient, chain, run_client, warm};
use trace::{Off, Recorder};

const ROUTERS: usize = 10;
/// Links that one echo crosses, there and back.
const HOPS: u64 = 22;

fn hops(c: &mut Criterion) {
    let (mut world, client, server) = chain(ROUTERS);
    let to = format!("10.0.{ROUTERS}.2:9").parse().expect("an address");
    warm(&mut world, client, server, to);
    let mut group = c.benchmark_group("chain-10");
    group.sample_size(10);

    let echoes = 100_000;
    group.throughput(Throughput::Elements(u64::from(echoes) * HOPS));
    group.bench_function("100k echoes, no trace", |b| {
        let run = |mut world: world::World| {
            run_client(&mut world, client, UdpClient::new(to, echoes, Duration::from_micros(100)), &mut Off)
        };
        b.iter_batched(|| world.clone(), run, BatchSize::PerIteration);
    });

    let few = 2_000;
    group.throughput(Throughput::Elements(u64::from(few) * HOPS));
    for (name, traced) in [("2k echoes, no trace", false), ("2k echoes, every step recorded", true)] {
        group.bench_function(name, |b| {
            let run = |mut world: world::World| {
                let client_program = UdpClient::new(to, few, Duration::from_micros(100));
                if traced {
                    run_client(&mut world, client, client_program, &mut Recorder::default())
                } else {
                    run_client(&mut world, client, client_program, &mut Off)
                }
            };
            b.iter_batched(|| world.clone(), run, BatchSize::PerIteration);
        });
    }

    // Goal 3: all datagrams are sent at once, so that 100,000 are on their way.
    group.throughput(Throughput::Elements(u64::from(echoes) * HOPS));
    group.bench_function("100k packets in flight", |b| {
        let run = |mut world: world::World| {
            run_client(&mut world, client, UdpClient::new(to, echoes, Duration::from_nanos(5)), &mut Off)
        };
        b.iter_batched(|| world.clone(), run, BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, hops);
criterion_main!(benches);
