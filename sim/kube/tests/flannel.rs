//! Two nodes of 004's example, an etcd on the first, a flanneld on each: what each backend programs,
//! what happens to leases, rules and routes.

#[path = "support/shell.rs"]
mod shell;

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, NodeSpec};
use kernel::request::{LinkAdd, LinkKind, Request};
use kube::{api, cni, etcd, flannel};
use packet::NetnsId;
use trace::Off;
use world::{CableOptions, Endpoint, SegmentKind, World};

const NODES: [(&str, &str, &str); 2] =
    [("node1", "172.20.33.102", "100.96.1"), ("node2", "172.20.54.98", "100.96.2")];

struct Lab(World);

impl Lab {
    /// Two nodes on a segment, each with a container that uses the subnet it will get.
    fn new() -> Self {
        let mut world = World::new(0);
        let segment = world.add_segment("lan", SegmentKind::Switch);
        for (name, ..) in NODES {
            let mut registry = tools::registry();
            cni::install(&mut registry, cni::Release::V1_9);
            etcd::install(&mut registry);
            flannel::install(&mut registry);
            registry.install_command("forget-node", |sys, args| {
                i32::from(!api::finalize::<Node>(sys, "", &args[1]))
            });
            let host = world.add_host(name, registry);
            let nic = Request::LinkAdd(LinkAdd::new("eth0", LinkKind::Nic));
            world.request(host, NetnsId::INIT, nic, &mut Off).expect("a NIC is added");
            let dev = world.host(host).dev_by_name(NetnsId::INIT, "eth0").expect("it was added");
            world.plug(segment, Endpoint { host, dev }, CableOptions::default(), &mut Off);
        }
        let mut lab = Self(world);
        for (node, addr, subnet) in NODES {
            lab.run(
                node,
                &format!(
                    "sysctl -qw net.ipv4.ip_forward=1; ip link set lo up; mkdir -p /run/flannel /var/log
                     ip addr add {addr}/19 dev eth0; ip link set eth0 up; ip route add default via 172.20.32.1
                     ip link add docker0 type bridge; ip addr add {subnet}.1/24 dev docker0; ip link set docker0 up
                     ip netns add c; ip link add veth1 type veth peer name eth0 netns c
                     ip link set veth1 master docker0 up; ip -n c link set lo up; ip -n c link set eth0 up
                     ip -n c addr add {subnet}.2/24 dev eth0; ip -n c route add default via {subnet}.1
                     echo FLANNEL_SUBNET={subnet}.1/24 > /run/flannel/subnet.env"
                ),
            );
        }
        lab.run(
            "node1",
            "etcd --listen-client-urls http://0.0.0.0:2379 --advertise-client-urls http://172.20.33.102:2379 \
             2>/dev/null & echo $! > /run/etcd.pid; sleep 0.1",
        );
        lab
    }

    /// Starts a flanneld on both nodes, with this backend.
    fn with_backend(backend: &str, options: &str) -> Self {
        let mut lab = Self::new();
        lab.configure(backend);
        for (node, ..) in NODES {
            lab.start(node, options);
        }
        lab
    }

    fn configure(&mut self, backend: &str) {
        let config = format!(r#"{{"Network": "100.96.0.0/16", "Backend": {backend}}}"#);
        self.run("node1", &format!("etcdctl set /coreos.com/network/config '{config}'"));
    }

    fn start(&mut self, node: &str, options: &str) {
        let etcd = "-etcd-endpoints=http://172.20.33.102:2379";
        self.run(
            node,
            &format!(
                "flanneld {etcd} {options} 2>/var/log/flanneld.log & echo $! > /run/flanneld.pid; sleep 1"
            ),
        );
    }

    fn run(&mut self, node: &str, script: &str) -> String {
        shell::run(&mut self.0, node, script).0
    }

    /// Puts a node into the cluster.
    fn add_node(&mut self, name: &str, pod_cidr: Option<&str>) {
        let mut node = Node::default();
        node.metadata.name = Some(name.to_owned());
        let pod_cidrs = pod_cidr.map(|cidr| vec![cidr.to_owned()]);
        node.spec =
            Some(NodeSpec { pod_cidr: pod_cidr.map(str::to_owned), pod_cidrs, ..NodeSpec::default() });
        self.0.store_put(&api::key::<Node>("", name), Arc::new(node));
    }

    fn node(&self, name: &str) -> Arc<Node> {
        api::get(self.0.store(), "", name).expect("the node was put there")
    }

    /// Starts a flanneld that asks Kubernetes.
    fn start_in_cluster(&mut self, node: &str, config: &str) {
        let script = format!(
            "mkdir -p /etc/kube-flannel; echo '{config}' > /etc/kube-flannel/net-conf.json
             NODE_NAME={node} /opt/bin/flanneld --ip-masq --kube-subnet-mgr 2>/var/log/flanneld.log &
             echo $! > /run/flanneld.pid; sleep 1"
        );
        self.run(node, &script);
    }

    /// Commands of the first node and what they print; lines may end in blanks.
    fn check(&mut self, transcript: &str) {
        let mut shown = String::new();
        for command in transcript.lines().filter_map(|line| line.strip_prefix("$ ")) {
            shown.push_str(&format!("$ {command}\n"));
            let printed = self.run("node1", &format!("{command} 2>&1"));
            shown.extend(printed.lines().map(|line| format!("{}\n", line.trim_end())));
        }
        assert_eq!(shown.trim(), transcript.trim());
    }

    /// What a flanneld has logged, without times and numbers.
    fn log(&mut self, node: &str) -> String {
        self.run(node, r"sed 's/^\(.\)[0-9]* [0-9:.]* *[0-9]* /\1 /' /var/log/flanneld.log")
    }
}

const PING: &str = "ip netns exec c ping -c 1 -W 1 100.96.2.2 | grep -o 'ttl=.*' | cut -d ' ' -f 1";

/// What every backend leaves alone.
const ROUTES: &str = "ip route | grep -v -e docker0 -e eth0.proto -e default";

#[test]
fn a_udp_backend_carries_packets_through_a_process() {
    let mut lab = Lab::with_backend(r#"{"Type": "udp"}"#, "");
    lab.check(&format!(
        r#"
$ cat /run/flannel/subnet.env
FLANNEL_NETWORK=100.96.0.0/16
FLANNEL_SUBNET=100.96.1.1/24
FLANNEL_MTU=1472
FLANNEL_IPMASQ=false
$ ip route
default via 172.20.32.1 dev eth0
100.96.0.0/16 dev flannel0 proto kernel scope link src 100.96.1.0
100.96.1.0/24 dev docker0 proto kernel scope link src 100.96.1.1
172.20.32.0/19 dev eth0 proto kernel scope link src 172.20.33.102
$ ip link show flannel0
5: flannel0: <POINTOPOINT,MULTICAST,NOARP,UP,LOWER_UP> mtu 1472 qdisc pfifo_fast state UNKNOWN mode DEFAULT group default qlen 500
    link/none
$ etcdctl ls /coreos.com/network/subnets
/coreos.com/network/subnets/100.96.1.0-24
/coreos.com/network/subnets/100.96.2.0-24
$ etcdctl get /coreos.com/network/subnets/100.96.2.0-24
{{"PublicIP":"172.20.54.98"}}
$ {PING}
ttl=60
"#
    ));
}

#[test]
fn a_vxlan_backend_programs_a_neighbour_an_fdb_entry_and_a_route() {
    let mut lab = Lab::with_backend(r#"{"Type": "vxlan"}"#, "-ip-masq");
    lab.check(&format!(
        r#"
$ cat /run/flannel/subnet.env
FLANNEL_NETWORK=100.96.0.0/16
FLANNEL_SUBNET=100.96.1.1/24
FLANNEL_MTU=1450
FLANNEL_IPMASQ=true
$ {ROUTES}
100.96.2.0/24 via 100.96.2.0 dev flannel.1 onlink
$ ip -d addr show flannel.1
5: flannel.1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UNKNOWN group default
    link/ether 22:ec:6a:82:fa:c8 brd ff:ff:ff:ff:ff:ff promiscuity 0  allmulti 0 minmtu 68 maxmtu 65535
    vxlan id 1 local 172.20.33.102 dev eth0 srcport 0 0 dstport 8472 nolearning ttl auto ageing 300 udpcsum noudp6zerocsumtx noudp6zerocsumrx numtxqueues 1 numrxqueues 1 gso_max_size 65536 gso_max_segs 65535 tso_max_size 524280 tso_max_segs 65535 gro_max_size 65536
    inet 100.96.1.0/32 scope global flannel.1
       valid_lft forever preferred_lft forever
$ bridge fdb show dev flannel.1
86:1e:6a:b4:3a:35 dst 172.20.54.98 self permanent
$ ip neigh show dev flannel.1
100.96.2.0 lladdr 86:1e:6a:b4:3a:35 PERMANENT
$ etcdctl get /coreos.com/network/subnets/100.96.2.0-24
{{"PublicIP":"172.20.54.98","BackendType":"vxlan","BackendData":{{"VNI":1,"VtepMAC":"86:1e:6a:b4:3a:35"}}}}
$ iptables -t nat -S | grep -e FLANNEL
-N FLANNEL-POSTRTG
-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG
-A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -m comment --comment "flanneld masq" -j RETURN
-A FLANNEL-POSTRTG -s 100.96.1.0/24 -d 100.96.0.0/16 -m comment --comment "flanneld masq" -j RETURN
-A FLANNEL-POSTRTG -s 100.96.0.0/16 -d 100.96.1.0/24 -m comment --comment "flanneld masq" -j RETURN
-A FLANNEL-POSTRTG ! -s 100.96.0.0/16 -d 100.96.1.0/24 -m comment --comment "flanneld masq" -j RETURN
-A FLANNEL-POSTRTG -s 100.96.0.0/16 ! -d 224.0.0.0/4 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully
-A FLANNEL-POSTRTG ! -s 100.96.0.0/16 -d 100.96.0.0/16 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully
$ iptables -S | grep -e FLANNEL
-N FLANNEL-FWD
-A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD
-A FLANNEL-FWD -s 100.96.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT
-A FLANNEL-FWD -d 100.96.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT
$ {PING}
ttl=62
"#
    ));
}

#[test]
fn routes_of_the_other_backends() {
    let cases = [
        (r#"{"Type": "vxlan", "DirectRouting": true}"#, "via 172.20.54.98 dev eth0", 1450),
        (r#"{"Type": "host-gw"}"#, "via 172.20.54.98 dev eth0", 1500),
        (r#"{"Type": "ipip"}"#, "via 172.20.54.98 dev flannel.ipip onlink", 1480),
        (r#"{"Type": "ipip", "DirectRouting": true}"#, "via 172.20.54.98 dev eth0 onlink", 1480),
        (r#"{"Type": "vxlan", "VNI": 4096, "Port": 4789}"#, "via 100.96.2.0 dev flannel.4096 onlink", 1450),
    ];
    for (backend, route, mtu) in cases {
        Lab::with_backend(backend, "").check(&format!(
            "$ {ROUTES}\n100.96.2.0/24 {route}\n$ grep MTU /run/flannel/subnet.env\nFLANNEL_MTU={mtu}\n$ {PING}\nttl=62"
        ));
    }
    Lab::with_backend(r#"{"Type": "ipip"}"#, "").check(
        "
$ ip -d addr show flannel.ipip | head -n 4 | cut -d ' ' -f 1-16
5: flannel.ipip@NONE: <NOARP,UP,LOWER_UP> mtu 1480 qdisc noqueue state UNKNOWN group default
    link/ipip 172.20.33.102 brd 0.0.0.0 promiscuity 0  allmulti 0 minmtu 0 maxmtu
    ipip any remote any local 172.20.33.102 ttl inherit nopmtudisc numtxqueues 1 numrxqueues
    inet 100.96.1.0/32 scope global flannel.ipip",
    );
}

#[test]
fn leases_are_given_watched_and_taken_away() {
    let mut lab = Lab::with_backend(r#"{"Type": "host-gw"}"#, "");
    // A node whose lease goes leaves the network; the others lose its route.
    lab.check(&format!(
        "
$ etcdctl rm /coreos.com/network/subnets/100.96.2.0-24 | cut -c 1-27; sleep 0.1
PrevNode.Value: {{\"PublicIP\"
$ {ROUTES}
$ tail -n 1 /var/log/flanneld.log | grep -o 'Subnet.*'
Subnet removed: 100.96.2.0/24"
    ));
    assert!(lab.log("node2").ends_with(
        "E local_manager.go:402] Lease has been revoked. Shutting down daemon.\n\
         E main.go:502] CompleteLease execute error err: interrupted\n\
         I main.go:509] Waiting for all goroutines to exit\n\
         I main.go:520] Stopping shutdownHandler...\n\
         I main.go:512] Exiting cleanly...\n"
    ));
    // It comes back with the subnet that its file names; after a day without it, it is gone, while
    // the other node has renewed its own.
    lab.start("node2", "");
    lab.check(&format!("$ {ROUTES}\n100.96.2.0/24 via 172.20.54.98 dev eth0"));
    lab.run("node2", "kill $(cat /run/flanneld.pid)");
    let day = lab.0.now() + std::time::Duration::from_secs(25 * 60 * 60);
    lab.0.run_until(day, &mut Off);
    lab.check(&format!(
        "$ {ROUTES}\n$ etcdctl ls /coreos.com/network/subnets\n/coreos.com/network/subnets/100.96.1.0-24"
    ));
}

#[test]
fn what_somebody_deletes_comes_back() {
    let mut lab = Lab::with_backend(r#"{"Type": "host-gw"}"#, "-ip-masq");
    let before = lab.run("node1", "ip route; iptables-save | grep -v '^#'");
    lab.run("node1", "ip route del 100.96.2.0/24; iptables -F FLANNEL-FWD; iptables -t nat -D POSTROUTING 1");
    lab.run("node1", "sleep 11");
    assert_eq!(lab.run("node1", "ip route; iptables-save | grep -v '^#'"), before);
    let log = lab.log("node1");
    for line in [
        "I iptables.go:493] Some iptables rules are missing; deleting and recreating rules\nI iptables.go:358] bootstrap done\n",
        "I route_network.go:254] Route recovered 100.96.2.0/24 : 172.20.54.98\n",
    ] {
        assert!(log.contains(line), "{line} is not in {log}");
    }
}

#[test]
fn a_flanneld_that_ends_leaves_the_kernel_as_it_is_and_takes_it_up_again() {
    let mut lab = Lab::with_backend(r#"{"Type": "vxlan"}"#, "-ip-masq");
    let state = "ip route; ip link show flannel.1; bridge fdb show dev flannel.1; ip neigh show dev flannel.1; iptables-save | grep -v '^#'";
    let before = lab.run("node1", state);
    lab.run("node1", "kill $(cat /run/flanneld.pid); sleep 1");
    let log = lab.log("node1");
    assert!(log.ends_with("I main.go:512] Exiting cleanly...\n"), "{log}");
    assert_eq!(lab.run("node1", state), before);
    lab.start("node1", "-ip-masq");
    assert_eq!(lab.run("node1", state), before);
    let found = "I local_manager.go:158] Found lease (ip: 100.96.1.0/24 ipv6: ::/0) for current IP (172.20.33.102), reusing\n";
    assert!(lab.log("node1").contains(found));
    // Another port makes another device.
    lab.run("node1", "kill $(cat /run/flanneld.pid)");
    lab.configure(r#"{"Type": "vxlan", "Port": 4789}"#);
    lab.start("node1", "-ip-masq");
    lab.check("$ ip -d link show flannel.1 | grep -o 'dstport [0-9]*'\ndstport 4789");
    let recreating = "W device.go:102] \"flannel.1\" already exists with incompatible configuration: port: 4789 vs 8472; recreating device\n";
    assert!(lab.log("node1").contains(recreating), "{}", lab.log("node1"));
    // A deleted one comes back, without its entries.
    lab.run("node1", "ip link del flannel.1; sleep 2");
    assert!(
        lab.log("node1").ends_with("I vxlan_network.go:238] VXLAN device flannel.1 recreated successfully\n")
    );
    lab.check(&format!("$ {ROUTES}"));
}

#[test]
fn the_interface_is_the_default_routes_unless_it_is_named() {
    let using = |name: &str, addr: &str| {
        format!("I match.go:269] Using interface with name {name} and address {addr}\n")
    };
    let cases = [
        ("", using("nat", "10.0.2.15")),
        ("-iface=eth0", using("eth0", "172.20.33.102")),
        ("--iface=none --iface eth0", format!("I main.go:336] Could not find valid interface matching none: error looking up interface none: route ip+net: no such network interface\n{}", using("eth0", "172.20.33.102"))),
        ("-iface 172.20.33.102", using("eth0", "172.20.33.102")),
        ("-iface-regex '^172'", using("eth0", "172.20.33.102")),
        ("-iface-regex 'docker.*'", using("docker0", "100.96.1.1")),
        ("-iface-can-reach 172.20.54.98", using("eth0", "172.20.33.102")),
        ("-public-ip 172.20.33.102", using("eth0", "172.20.33.102")),
        ("-iface none", "E main.go:367] Failed to find interface to use that matches the interfaces and/or regexes provided\n".to_owned()),
        ("-iface eth0 -public-ip 1.2.3.4", "E main.go:376] Error fetching backend: your PublicIP differs from interface IP, meaning that probably you're on a NAT, which is not supported by host-gw backend\n".to_owned()),
    ];
    let mut lab = Lab::new();
    lab.configure(r#"{"Type": "host-gw"}"#);
    lab.run("node1", "ip link add nat type dummy; ip addr add 10.0.2.15/24 dev nat; ip link set nat up; ip route replace default via 10.0.2.2");
    for (options, expected) in cases {
        lab.start("node1", options);
        let log = lab.log("node1");
        assert!(log.contains(&expected), "{expected} is not in {log}");
        lab.run("node1", "kill $(cat /run/flanneld.pid); etcdctl rm -r /coreos.com/network/subnets");
    }
}

#[test]
fn what_cannot_be_is_said() {
    // The other node's address is on no network of this one.
    let mut lab = Lab::with_backend(r#"{"Type": "host-gw"}"#, "");
    let lease = r#"{"PublicIP":"10.9.9.9","BackendType":"host-gw"}"#;
    lab.run("node1", &format!("etcdctl set /coreos.com/network/subnets/100.96.9.0-24 '{lease}'; sleep 0.1"));
    let error = "Error adding route to {Ifindex: 2 Dst: 100.96.9.0/24 Src: <nil> Gw: 10.9.9.9 Flags: [] Table: 0 Realm: 0}: network is unreachable\n";
    let log = lab.log("node1");
    assert!(
        log.ends_with(&format!(
            "I route_network.go:93] Subnet added: 100.96.9.0/24 via 10.9.9.9\nE route_network.go:168] {error}"
        )),
        "{log}"
    );
    let cases = [
        (
            "etcdctl set /coreos.com/network/config '{\"Network\": \"100.96.0.0/16\", \"Backend\": {\"Type\": \"bogus\"}}'",
            "E main.go:376] Error fetching backend: unknown backend type: bogus\n",
        ),
        (
            "etcdctl set /coreos.com/network/config '{\"Network\": \"100.96.0.0/29\"}'",
            "E main.go:536] Couldn't fetch network config: network is too small. Minimum useful network prefix is /28\n",
        ),
        (
            "etcdctl rm /coreos.com/network/config",
            "E main.go:536] Couldn't fetch network config: 100: Key not found (/coreos.com/network/config) [10]\n",
        ),
        (
            "kill $(cat /run/etcd.pid)",
            "E main.go:536] Couldn't fetch network config: client: etcd cluster is unavailable or misconfigured; error #0: dial tcp 172.20.33.102:2379: connect: connection refused\n",
        ),
    ];
    for (before, expected) in cases {
        lab.run("node1", &format!("kill $(cat /run/flanneld.pid); {before}"));
        lab.start("node1", "");
        let log = lab.log("node1");
        assert!(log.contains(expected), "{expected} is not in {log}");
    }
}

#[test]
fn a_cluster_gives_the_nodes_their_subnets() {
    let config = r#"{"Network": "100.96.0.0/16", "Backend": {"Type": "vxlan"}}"#;
    let mut lab = Lab::new();
    lab.add_node("node1", None);
    lab.start_in_cluster("node1", config);
    let log = lab.log("node1");
    let error = "E main.go:384] Error registering network: failed to acquire lease: node \"node1\" pod cidr not assigned\n\
                 I main.go:520] Stopping shutdownHandler...\n";
    assert!(log.ends_with(error), "{log}");
    for (node, _, subnet) in NODES {
        lab.add_node(node, Some(&format!("{subnet}.0/24")));
        lab.start_in_cluster(node, config);
    }
    lab.check(&format!(
        "
$ {ROUTES}
100.96.2.0/24 via 100.96.2.0 dev flannel.1 onlink
$ bridge fdb show dev flannel.1
86:1e:6a:b4:3a:35 dst 172.20.54.98 self permanent
$ {PING}
ttl=62"
    ));
    let node = lab.node("node2");
    let annotations = node.metadata.annotations.as_ref().expect("flannel wrote them");
    let written: Vec<String> = annotations.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    assert_eq!(
        written,
        [
            r#"flannel.alpha.coreos.com/backend-data: {"VNI":1,"VtepMAC":"86:1e:6a:b4:3a:35"}"#,
            "flannel.alpha.coreos.com/backend-type: vxlan",
            "flannel.alpha.coreos.com/kube-subnet-manager: true",
            "flannel.alpha.coreos.com/public-ip: 172.20.54.98",
        ]
    );
    let conditions = node.status.as_ref().and_then(|status| status.conditions.clone()).unwrap_or_default();
    let reasons: Vec<_> = conditions.iter().map(|c| (c.type_.as_str(), c.reason.as_deref())).collect();
    assert_eq!(reasons, [("NetworkUnavailable", Some("FlannelIsUp"))]);
    // The device gets the address that the annotation keeps.
    lab.run("node2", "kill $(cat /run/flanneld.pid); ip link del flannel.1");
    lab.start_in_cluster("node2", config);
    assert!(lab.run("node2", "ip link show flannel.1").contains("86:1e:6a:b4:3a:35"));
    // A node that says another address, then one that goes.
    let mut moved = Node::clone(&lab.node("node2"));
    let annotations = moved.metadata.annotations.get_or_insert_default();
    annotations.insert("flannel.alpha.coreos.com/public-ip".to_owned(), "172.20.54.99".to_owned());
    lab.0.store_put(&api::key::<Node>("", "node2"), Arc::new(moved));
    lab.check("$ sleep 1; bridge fdb show dev flannel.1\n86:1e:6a:b4:3a:35 dst 172.20.54.99 self permanent");
    lab.check(&format!(
        "$ forget-node node2; sleep 1; {ROUTES}\n$ bridge fdb show dev flannel.1\n$ ip neigh show dev flannel.1"
    ));
}

#[test]
fn a_udp_backend_of_today_makes_the_route_itself() {
    let mut lab = Lab::new();
    for (node, _, subnet) in NODES {
        lab.add_node(node, Some(&format!("{subnet}.0/24")));
        lab.start_in_cluster(node, r#"{"Network": "100.96.0.0/16", "Backend": {"Type": "udp"}}"#);
    }
    lab.check(&format!(
        "
$ {ROUTES}
100.96.0.0/16 dev flannel0
$ ip -br -4 addr show flannel0
flannel0         UNKNOWN        100.96.1.0/32
$ {PING}
ttl=60"
    ));
}
