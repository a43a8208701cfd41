//! The figures of benches/README.md for netfilter, in CPU time: goals 4 and 6 to 10; what kube-proxy
//! itself does when one endpoint changes.
//!
//! `cargo run --release --example services` prints medians; `-- SERVICES` compares 10 Services with
//! so many (10,000 by default).

#![allow(missing_docs, clippy::expect_used, clippy::print_stdout, dead_code)]

mod networks;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::discovery::v1::EndpointSlice;
use kernel::socket::SocketKind;
use kube::proxy::iptables::{NodeView, Proxier};
use kube::proxy::{Family, ProxyConfig};
use networks::{UdpClient, chain, cpu, host, run_client, sh, warm};
use packet::{HostId, NetnsId};
use serde_json::{Value, json};
use trace::view::{View, print};
use trace::{Journeys, Observer, Off, Recorder};
use world::{Capture, Fd, Next, Program, Sys, Wait, World};

const RUNS: usize = 5;
const ENDPOINTS: usize = 3;
/// Service and port that every case sends to; it stands first or last in KUBE-SERVICES.
const MEASURED: &str = "10.111.0.1";
const POD: &str = "10.244.2.2";

/// What kube-proxy's iptables mode writes for so many Services: KUBE-SERVICES is the list, each
/// Service has a chain that jumps to one of each endpoint. The last Service is [`MEASURED`], UDP.
fn rules(services: usize) -> String {
    let (mut chains, mut list, mut own) = (String::new(), String::new(), String::new());
    for n in 0..services {
        let last = n + 1 == services;
        let (name, proto, port) = if last { ("bench/dns", "udp", 53) } else { ("default/web", "tcp", 80) };
        let ip = if last {
            MEASURED.to_owned()
        } else {
            format!("10.{}.{}.{}", 96 + (n >> 16), n >> 8 & 255, n & 255)
        };
        let service = format!("KUBE-SVC-{n:016}");
        let _ = writeln!(chains, ":{service} - [0:0]");
        let comment = format!("-m comment --comment \"{name}{n}:port cluster IP\"");
        let to = format!("-d {ip}/32 -p {proto} {comment} -m {proto} --dport {port}");
        let _ = writeln!(list, "-A KUBE-SERVICES {to} -j {service}");
        let _ = writeln!(own, "-A {service} ! -s 10.244.0.0/16 {to} -j KUBE-MARK-MASQ");
        for e in 0..ENDPOINTS {
            let (addr, port) = if last {
                (POD.to_owned(), 9000 + e)
            } else {
                (format!("10.244.{}.{}", 3 + n % 200, 2 + e), 8080)
            };
            let endpoint = format!("KUBE-SEP-{:016}", n * ENDPOINTS + e);
            let _ = writeln!(chains, ":{endpoint} - [0:0]");
            let left = ENDPOINTS - e;
            let dice = if left == 1 {
                String::new()
            } else {
                format!(
                    "-m statistic --mode random --probability {} ",
                    ["", "", "0.50000000000", "0.33333333349"][left]
                )
            };
            let comment = format!("-m comment --comment \"{name}{n}:port\"");
            let _ = writeln!(own, "-A {service} {comment} {dice}-j {endpoint}");
            let _ = writeln!(own, "-A {endpoint} -s {addr}/32 {comment} -j KUBE-MARK-MASQ");
            let _ = writeln!(
                own,
                "-A {endpoint} -p {proto} {comment} -m {proto} -j DNAT --to-destination {addr}:{port}"
            );
        }
    }
    format!(
        "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n\
         :KUBE-MARK-MASQ - [0:0]\n:KUBE-POSTROUTING - [0:0]\n:KUBE-SERVICES - [0:0]\n{chains}\
         -A PREROUTING -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES\n\
         -A OUTPUT -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES\n\
         -A POSTROUTING -m comment --comment \"kubernetes postrouting rules\" -j KUBE-POSTROUTING\n\
         -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000\n\
         -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN\n\
         -A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0\n\
         -A KUBE-POSTROUTING -m comment --comment \"kubernetes service traffic requiring SNAT\" -j MASQUERADE --random-fully\n\
         {list}{own}COMMIT\n"
    )
}

/// Two nodes with flannel's vxlan backend in namespaces of one host, their pods, and servers in
/// [`POD`] that take datagrams and say nothing.
struct Cluster {
    world: World,
    host: HostId,
    client: NetnsId,
}

impl Cluster {
    fn new() -> Self {
        let mut world = World::new(0);
        let host = host(&mut world, "lab", 0);
        sh(&mut world, host, include_str!("flannel-two-nodes.sh"));
        let netns = |world: &World, name: &str| world.host(host).netns_names[name];
        let (client, server) = (netns(&world, "n1p1"), netns(&world, "n2p1"));
        for e in 0..ENDPOINTS {
            let console = world.add_console(host, false);
            let sink = Box::new(Sink {
                addr: format!("0.0.0.0:{}", 9000 + e).parse().expect("an address"),
                socket: None,
            });
            world.spawn_program(host, server, console, vec!["sink".to_owned()], sink, BTreeMap::new());
        }
        Self { world, host, client }
    }

    /// Loads rules in node 1; answers the CPU time, ns.
    fn load(&mut self, text: String, options: &str) -> u64 {
        self.world.install_file(self.host, "/rules", text.into_bytes());
        let before = cpu();
        sh(&mut self.world, self.host, &format!("ip netns exec n1 iptables-restore {options} /rules"));
        cpu() - before
    }

    /// CPU time, ns, of each of `count` datagrams to `to`, on a copy.
    fn datagrams(&self, to: &str, flows: Flows, count: u32) -> u64 {
        let mut world = self.world.clone();
        let to = to.parse().expect("an address");
        self.run(&mut world, Sender { to, flows, left: 20, socket: None });
        let before = cpu();
        self.run(&mut world, Sender { to, flows, left: count, socket: None });
        (cpu() - before) / u64::from(count)
    }

    fn run(&self, world: &mut World, sender: Sender) {
        let console = world.add_console(self.host, false);
        let args = vec!["sender".to_owned()];
        let pid =
            world.spawn_program(self.host, self.client, console, args, Box::new(sender), BTreeMap::new());
        while world.exit_status(self.host, pid).is_none() {
            assert!(world.step(&mut Off), "the sender waits and nothing can happen any more");
        }
    }
}

/// Whether each datagram begins a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flows {
    New,
    One,
}

/// Sends a datagram every 100 µs, so that each has arrived when the next leaves.
#[derive(Clone, Debug)]
struct Sender {
    to: SocketAddr,
    flows: Flows,
    left: u32,
    socket: Option<Fd>,
}

impl Program for Sender {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        if let Some(fd) = self.socket.take_if(|_| self.flows == Flows::New) {
            sys.close(fd);
        }
        if self.left == 0 {
            return Next::Exit(0);
        }
        self.left -= 1;
        let fd = match self.socket {
            Some(fd) => fd,
            None => {
                let fd = sys.socket(SocketKind::Udp).expect("a socket");
                sys.connect(fd, self.to).expect("a route");
                *self.socket.insert(fd)
            }
        };
        sys.send(fd, b"0123456789abcdef", None).expect("it is sent");
        Next::Wait(Wait { until: Some(sys.now() + Duration::from_micros(100)), ..Wait::default() })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// Takes datagrams.
#[derive(Clone, Debug)]
struct Sink {
    addr: SocketAddr,
    socket: Option<Fd>,
}

impl Program for Sink {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let fd = match self.socket {
            Some(fd) => fd,
            None => {
                let fd = sys.socket(SocketKind::Udp).expect("a socket");
                sys.bind(fd, self.addr).expect("a free port");
                *self.socket.insert(fd)
            }
        };
        while sys.recv(fd, 2048).is_ok() {}
        Next::Wait(Wait { fds: vec![fd], ..Wait::default() })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// Prints the median of some runs and answers it.
fn report(title: &str, unit: &str, mut run: impl FnMut() -> u64) -> u64 {
    let mut each: Vec<u64> = (0..RUNS).map(|_| run()).collect();
    each.sort_unstable();
    println!("{title}: {} {unit} ({}..{}, n={RUNS})", each[RUNS / 2], each[0], each[RUNS - 1]);
    each[RUNS / 2]
}

fn ratio(title: &str, value: u64, of: u64) {
    println!("{title}: {}.{:02}", value / of, value * 100 / of % 100);
}

/// Goal 4: what watching costs on a chain of 10 routers.
fn watching() {
    const COUNT: u32 = 5_000;
    let (mut world, client, server) = chain(10);
    let to = "10.0.10.2:9".parse().expect("an address");
    warm(&mut world, client, server, to);
    let client_of = || UdpClient::new(to, COUNT, Duration::from_micros(100));
    let watched = |obs: &mut dyn FnMut(&mut World)| {
        let mut world = world.clone();
        let before = cpu();
        obs(&mut world);
        (cpu() - before) / u64::from(COUNT * 22)
    };
    fn run<O: Observer>(world: &mut World, client: HostId, program: UdpClient, obs: &mut O) {
        run_client(world, client, program, obs);
    }
    let off = report("goal 4: nobody watches", "ns per packet-hop", || {
        watched(&mut |world| run(world, client, client_of(), &mut Off))
    });
    let pcap = report("goal 4: a capture of every device", "ns per packet-hop", || {
        watched(&mut |world| {
            let mut recorder = Recorder::default();
            run(world, client, client_of(), &mut recorder);
            let mut capture = Capture::new(Vec::new()).expect("memory");
            capture.add(world, &recorder.steps).expect("memory");
        })
    });
    let text = report("goal 4: minimal text traces", "ns per packet-hop", || {
        watched(&mut |world| {
            let mut recorder = Recorder::default();
            run(world, client, client_of(), &mut recorder);
            let journeys = Journeys::new(&recorder.steps);
            let roots = journeys.roots().filter_map(|id| journeys.trace(id));
            let len: usize = roots.map(|trace| print(&trace, world, View::default()).len()).sum();
            assert!(len > 0, "there is a text");
        })
    });
    ratio("goal 4: capture to none", pcap, off);
    ratio("goal 4: text to none", text, off);
}

/// A proxier that has so many Services, each with [`ENDPOINTS`], and has synced.
fn proxier(services: usize) -> Proxier {
    let mut proxier = Proxier::new(Family::Ipv4, Arc::new(ProxyConfig::default()));
    for n in 0..services {
        let ip = format!("10.{}.{}.{}", 96 + (n >> 16), n >> 8 & 255, n & 255);
        let name = format!("web{n}");
        let service = json!({
            "metadata": {"namespace": "default", "name": name},
            "spec": {"clusterIP": ip, "clusterIPs": [ip], "ports": [{"port": 80}]},
        });
        let service = serde_json::from_value(service).expect("a Service");
        proxier.tracker.set_service(("default".to_owned(), name), Some(Arc::new(service)));
        proxier.tracker.set_slice("default", &format!("web{n}"), Some(slice(n, ENDPOINTS)));
    }
    proxier.sync(&NodeView::default());
    proxier
}

/// The endpoints of a Service.
fn slice(n: usize, endpoints: usize) -> Arc<EndpointSlice> {
    let endpoints: Vec<Value> = (0..endpoints)
        .map(|e| json!({"addresses": [format!("10.244.{}.{}", n % 200, 2 + e)], "conditions": {"ready": true}}))
        .collect();
    let slice = json!({
        "metadata": {"labels": {"kubernetes.io/service-name": format!("web{n}")}},
        "addressType": "IPv4", "ports": [{"port": 8080, "protocol": "TCP"}], "endpoints": endpoints,
    });
    Arc::new(serde_json::from_value(slice).expect("an EndpointSlice"))
}

/// Of one Service an endpoint goes and comes, and each time there is a sync.
fn partial_syncs(services: usize) {
    let mut proxier = proxier(services);
    let title = format!("kube-proxy with {services} Services: the rules after one endpoint changed");
    report(&title, "µs", || {
        let before = cpu();
        for round in 0..20 {
            proxier.tracker.set_slice("default", "web0", Some(slice(0, ENDPOINTS - round % 2)));
            assert!(proxier.sync(&NodeView::default()).nat.len() > services, "each Service has a rule");
        }
        (cpu() - before) / 20_000
    });
    report(&format!("kube-proxy with {services} Services: all rules"), "µs", || {
        proxier.force_full_sync();
        let before = cpu();
        proxier.sync(&NodeView::default());
        (cpu() - before) / 1000
    });
}

fn main() {
    let many = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(10_000);
    watching();
    partial_syncs(300);
    partial_syncs(many);
    let bare = Cluster::new();
    let pod = format!("{POD}:9000");
    let service = format!("{MEASURED}:53");
    let plain = report("goal 6: pod to pod across VXLAN, no rules", "ns per datagram", || {
        bare.datagrams(&pod, Flows::One, 20_000)
    });
    let mut few = Cluster::new();
    few.load(rules(10), "");
    let mut cluster = Cluster::new();
    let text = rules(many);
    println!("{} bytes, {} rules", text.len(), text.matches("\n-A ").count());
    report("goal 9: iptables-restore", "µs", || cluster.load(text.clone(), "") / 1000);
    let one = format!(
        "*nat\n:KUBE-SEP-{:016} - [0:0]\n-A KUBE-SEP-{:016} -p udp -m udp -j DNAT --to-destination {POD}:9000\nCOMMIT\n",
        0, 0
    );
    report("goal 10: one endpoint changes, of 50 times", "µs", || {
        (0..50).map(|_| cluster.load(one.clone(), "--noflush")).sum::<u64>() / 50_000
    });
    let first =
        report("goal 7: new flow, last of 10 Services", "ns", || few.datagrams(&service, Flows::New, 5_000));
    let last = report(&format!("goal 7: new flow, last of {many} Services"), "ns", || {
        cluster.datagrams(&service, Flows::New, 5_000)
    });
    ratio("goal 7", last, first);
    let ruled = report(&format!("goal 8: established flow at {many} Services"), "ns per datagram", || {
        cluster.datagrams(&pod, Flows::One, 20_000)
    });
    ratio("goal 8: to no rules", ruled, plain);
}
