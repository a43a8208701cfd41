//! Goals 5 and 11: pings between all pairs of a bridged LAN, and a two-node flannel lab from its
//! description to the first ping; a Kubernetes cluster of three nodes and ten pods.

#![allow(missing_docs, clippy::expect_used, dead_code)]

mod networks;

use std::path::Path;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use networks::{host, lan, ping_all_pairs, sh};
use world::World;

const HOSTS: usize = 32;
const ROUNDS: u16 = 20;

const FLANNEL: &str = include_str!("flannel-two-nodes.sh");

fn labs(c: &mut Criterion) {
    let mut group = c.benchmark_group("labs");
    group.sample_size(10);
    let (mut world, ends) = lan(HOSTS);
    ping_all_pairs(&mut world, &ends, 1);
    group.throughput(Throughput::Elements((HOSTS * (HOSTS - 1)) as u64 * u64::from(ROUNDS)));
    group.bench_function("32 hosts on a bridge, all-pairs ping", |b| {
        let run = |mut world: World| ping_all_pairs(&mut world, &ends, ROUNDS);
        b.iter_batched(|| world.clone(), run, BatchSize::PerIteration);
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("two-node flannel lab, description to first ping", |b| {
        b.iter(|| {
            let mut world = World::new(0);
            let id = host(&mut world, "lab", 0);
            sh(&mut world, id, FLANNEL)
        });
    });
    group.bench_function("three nodes and ten pods, topology file to a settled cluster", |b| {
        b.iter(|| lab::Lab::load(Path::new("topologies/three-nodes.ron"), 0).expect("it boots"));
    });
    group.sample_size(10);
    group.bench_function("1,000 Services of 3 endpoints on 10 nodes, up", |b| {
        let file = Path::new("topologies/ten-nodes.ron");
        b.iter(|| lab::service_costs(file, &[lab::ProxyMode::Iptables], &[1000], 0).expect("it boots"));
    });
    group.finish();
}

criterion_group!(benches, labs);
criterion_main!(benches);
