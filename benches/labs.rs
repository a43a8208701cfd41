//! Goals 5 and 11: pings between all pairs of a bridged LAN, and a two-node flannel lab from its
//! description to the first ping.

#![allow(missing_docs, clippy::expect_used, dead_code)]

mod networks;

use std::fmt::Write;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use networks::{host, sh};
use world::World;

const HOSTS: usize = 32;

/// A bridge in the initial namespace with 32 namespaces behind it.
fn lan() -> (World, packet::HostId) {
    let mut world = World::new(0);
    let id = host(&mut world, "lan", 0);
    let mut script = "ip link add br0 type bridge mcast_snooping 0\nip link set br0 up\n".to_owned();
    for n in 1..=HOSTS {
        write!(
            script,
            "ip netns add h{n}\nip link add p{n} type veth peer name eth0 netns h{n}\nip link set p{n} master br0\n\
             ip link set p{n} up\nip -n h{n} addr add 10.0.0.{n}/24 dev eth0\nip -n h{n} link set eth0 up\n"
        )
        .expect("a string takes text");
    }
    sh(&mut world, id, &script);
    (world, id)
}

/// Every host pings every other once.
fn all_pairs() -> String {
    let mut script = String::new();
    for a in 1..=HOSTS {
        for b in (1..=HOSTS).filter(|&b| b != a) {
            writeln!(script, "ip netns exec h{a} ping -q -c 1 10.0.0.{b} >/dev/null").expect("a string takes text");
        }
    }
    script
}

const FLANNEL: &str = include_str!("flannel-two-nodes.sh");

fn labs(c: &mut Criterion) {
    let mut group = c.benchmark_group("labs");
    group.sample_size(10);
    let (world, id) = lan();
    let script = all_pairs();
    group.throughput(Throughput::Elements((HOSTS * (HOSTS - 1)) as u64));
    group.bench_function("32 hosts on a bridge, all-pairs ping", |b| {
        b.iter_batched(|| world.clone(), |mut world| sh(&mut world, id, &script), BatchSize::PerIteration);
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("two-node flannel lab, description to first ping", |b| {
        b.iter(|| {
            let mut world = World::new(0);
            let id = host(&mut world, "lab", 0);
            sh(&mut world, id, FLANNEL)
        });
    });
    group.finish();
}

criterion_group!(benches, labs);
criterion_main!(benches);
