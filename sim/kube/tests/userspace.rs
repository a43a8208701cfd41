//! kube-proxy 1.9 in userspace mode, on a node with three pods and a client.

#[path = "support/shell.rs"]
mod shell;

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Endpoints, Node, Service};
use kube::api::{self, API_SERVER};
use kube::proxy;
use serde_json::{Value, json};
use world::World;

struct Lab(World);

impl Lab {
    /// A node whose bridge has pods `p1` to `p3`, and `c`, who asks them.
    fn new() -> Self {
        let mut registry = tools::registry();
        proxy::install(&mut registry);
        let mut world = World::new(0);
        let host = world.add_host("node1", registry);
        world.install_file(host, "/usr/bin/kube-proxy", b"ELF v1.9.0".to_vec());
        let mut lab = Self(world);
        lab.run(
            "sysctl -qw net.ipv4.ip_forward=1; ip link set lo up; mkdir -p /var/log
             ip link add cni0 type bridge; ip addr add 10.244.1.1/24 dev cni0; ip link set cni0 up
             ip link add eth0 type dummy; ip addr add 192.168.58.11/24 dev eth0; ip link set eth0 up
             ip route add default via 192.168.58.1
             for n in 1 2 3 9; do
               ip netns add p$n; ip link add veth$n type veth peer name eth0 netns p$n
               ip link set veth$n master cni0 up; ip -n p$n link set lo up; ip -n p$n link set eth0 up
               ip -n p$n addr add 10.244.1.1$n/24 dev eth0; ip -n p$n route add default via 10.244.1.1
             done
             for n in 1 2 3; do
               ip netns exec p$n http-echo -listen=:8080 -text=p$n & echo $! > /run/p$n.pid
               ip netns exec p$n udp-echo -listen=:53 -text=p$n &
             done; sleep 0.1",
        );
        lab.put::<Node>(json!({
            "metadata": {"name": "node1"},
            "status": {"addresses": [{"type": "InternalIP", "address": "192.168.58.11"}]},
        }));
        lab.0.store_put(API_SERVER, Arc::new(()));
        lab
    }

    fn run(&mut self, script: &str) -> String {
        shell::run(&mut self.0, "node1", script).0
    }

    fn put<K>(&mut self, value: Value)
    where
        K: api::Kind + serde::de::DeserializeOwned + Send + Sync + 'static,
    {
        let text = |field: &str| value["metadata"][field].as_str().unwrap_or_default().to_owned();
        let key = api::key::<K>(&text("namespace"), &text("name"));
        let object: K = serde_json::from_value(value).expect("it is an object");
        self.0.store_put(&key, Arc::new(object));
    }

    /// The Service `web`, or another version of it, with these settings.
    fn service(&mut self, settings: Value) {
        let mut service = json!({
            "metadata": {"namespace": "default", "name": "web"},
            "spec": {"clusterIP": "10.96.0.10", "type": "NodePort", "ports": [
                {"name": "http", "port": 80, "nodePort": 30080},
                {"name": "dns", "port": 53, "protocol": "UDP"},
            ]},
        });
        for (name, value) in settings.as_object().into_iter().flatten() {
            service["spec"][name] = value.clone();
        }
        self.put::<Service>(service);
    }

    /// Its endpoints.
    fn endpoints(&mut self, addresses: &[&str]) {
        let addresses: Vec<Value> = addresses.iter().map(|address| json!({"ip": address})).collect();
        self.put::<Endpoints>(json!({
            "metadata": {"namespace": "default", "name": "web"},
            "subsets": [{
                "addresses": addresses,
                "ports": [{"name": "http", "port": 8080}, {"name": "dns", "port": 53, "protocol": "UDP"}],
            }],
        }));
    }

    fn start(&mut self, options: &str) {
        self.run(&format!("kube-proxy {options} 2>/var/log/kube-proxy.log & sleep 0.2"));
    }

    /// What the proxy has logged of failures, without times and numbers.
    fn log(&mut self) -> String {
        self.run(r"grep ^E /var/log/kube-proxy.log | sed 's/^E[0-9]* [0-9:.]* *[0-9]* //'")
    }

    /// Who answers a client so many times.
    fn ask(&mut self, times: usize) -> Vec<String> {
        let command = "ip netns exec p9 curl -s -m 9 10.96.0.10; ";
        self.run(&command.repeat(times)).lines().map(str::to_owned).collect()
    }
}

const PODS: [&str; 3] = ["10.244.1.11", "10.244.1.12", "10.244.1.13"];

#[test]
fn pods_answer_in_turn() {
    let mut lab = Lab::new();
    lab.service(json!({}));
    lab.endpoints(&PODS);
    lab.start("--proxy-mode=userspace --proxy-port-range=40000-40009");
    let answers = lab.ask(6);
    let mut once = answers[..3].to_vec();
    once.sort();
    assert_eq!(once, ["p1", "p2", "p3"]);
    assert_eq!(answers[..3], answers[3..]);
    // From the node, by its node port, by UDP.
    for command in
        ["curl -s 10.96.0.10", "curl -s 192.168.58.11:30080", "ip netns exec p9 curl -s 10.244.1.1:30080"]
    {
        let answer = lab.run(command);
        assert!(answer.starts_with('p'), "{command}: {answer}");
    }
    let echoed = lab.run("echo hello | ip netns exec p9 nc -u -w 1 10.96.0.10 53");
    assert!(echoed.starts_with('p'), "{echoed}");
    assert_eq!(lab.log(), "");
}

#[test]
fn rules_lead_to_the_proxy_s_ports() {
    let mut lab = Lab::new();
    lab.service(json!({"externalIPs": ["198.51.100.5"], "ports": [{"port": 80, "nodePort": 30080}]}));
    lab.start("--proxy-mode=userspace --proxy-port-range=40000-40000");
    let rules = lab.run("iptables-save | grep -e -A");
    let expected = r#"
-A INPUT -m comment --comment "Ensure that non-local NodePort traffic can flow" -j KUBE-NODEPORT-NON-LOCAL
-A KUBE-NODEPORT-NON-LOCAL -p tcp -m comment --comment "default/web:" -m tcp --dport 40000 -m comment --comment "default/web:" -m state --state NEW -j ACCEPT
-A PREROUTING -m comment --comment "handle ClusterIPs; NOTE: this must be before the NodePort rules" -j KUBE-PORTALS-CONTAINER
-A PREROUTING -m addrtype --dst-type LOCAL -m comment --comment "handle service NodePorts; NOTE: this must be the last rule in the chain" -j KUBE-NODEPORT-CONTAINER
-A OUTPUT -m comment --comment "handle ClusterIPs; NOTE: this must be before the NodePort rules" -j KUBE-PORTALS-HOST
-A OUTPUT -m addrtype --dst-type LOCAL -m comment --comment "handle service NodePorts; NOTE: this must be the last rule in the chain" -j KUBE-NODEPORT-HOST
-A KUBE-NODEPORT-CONTAINER -p tcp -m comment --comment "default/web:" -m tcp --dport 30080 -j REDIRECT --to-ports 40000
-A KUBE-NODEPORT-HOST -p tcp -m comment --comment "default/web:" -m tcp --dport 30080 -j DNAT --to-destination 192.168.58.11:40000
-A KUBE-PORTALS-CONTAINER -d 10.96.0.10/32 -p tcp -m comment --comment "default/web:" -m tcp --dport 80 -j REDIRECT --to-ports 40000
-A KUBE-PORTALS-CONTAINER -d 198.51.100.5/32 -p tcp -m comment --comment "default/web:" -m tcp --dport 80 -m physdev ! --physdev-is-in -j REDIRECT --to-ports 40000
-A KUBE-PORTALS-CONTAINER -d 198.51.100.5/32 -p tcp -m comment --comment "default/web:" -m tcp --dport 80 -m addrtype --dst-type LOCAL -j REDIRECT --to-ports 40000
-A KUBE-PORTALS-HOST -d 10.96.0.10/32 -p tcp -m comment --comment "default/web:" -m tcp --dport 80 -j DNAT --to-destination 192.168.58.11:40000
-A KUBE-PORTALS-HOST -d 198.51.100.5/32 -p tcp -m comment --comment "default/web:" -m tcp --dport 80 -m addrtype --dst-type LOCAL -j DNAT --to-destination 192.168.58.11:40000
"#;
    assert_eq!(rules.trim(), expected.trim());
    assert_eq!(lab.run("ss -Hltn | tr -s ' ' | cut -d ' ' -f 4 | sort"), "0.0.0.0:30080\n0.0.0.0:40000\n");
    // Without endpoints a connection stands, and is reset.
    assert_eq!(lab.run("curl -s 10.96.0.10; echo $?"), "56\n");
    assert_eq!(
        lab.log(),
        "proxysocket.go:95] Couldn't find an endpoint for default/web:: missing endpoints\n\
         proxysocket.go:141] Failed to connect to balancer: missing endpoints\n"
    );
    // The Service goes, and so does all that was its own.
    lab.service(json!({"clusterIP": "None"}));
    assert_eq!(lab.run("sleep 1; iptables-save | grep -c web; ss -Hltn").trim(), "0");
}

#[test]
fn another_endpoint_is_tried_if_one_refuses_or_keeps_silent() {
    let mut lab = Lab::new();
    lab.service(json!({}));
    lab.endpoints(&PODS);
    lab.start("--proxy-mode=userspace");
    lab.run("kill $(cat /run/p1.pid); ip -n p2 link set eth0 down");
    assert_eq!(lab.ask(4), ["p3", "p3", "p3", "p3"]);
    let log = lab.log();
    assert!(log.contains("Dial failed: dial tcp 10.244.1.11:8080: getsockopt: connection refused"), "{log}");
    assert!(log.contains("Dial failed: dial tcp 10.244.1.12:8080: i/o timeout"), "{log}");
    // Four tries, 3.75 s at most: then the client is told.
    lab.run("ip -n p3 link set eth0 down; ip -n p1 link set eth0 down");
    assert_eq!(lab.run("ip netns exec p9 curl -s -m 9 10.96.0.10; echo $?"), "56\n");
    assert!(lab.log().ends_with("Failed to connect to balancer: failed to connect to an endpoint.\n"));
}

#[test]
fn rules_try_no_other_endpoint() {
    let mut lab = Lab::new();
    lab.service(json!({}));
    lab.endpoints(&PODS);
    lab.start("--proxy-mode=iptables");
    lab.run("kill $(cat /run/p1.pid)");
    let tries = "ip netns exec p9 curl -s 10.96.0.10 || echo refused; ".repeat(30);
    let mut answers: Vec<String> = lab.run(&tries).lines().map(str::to_owned).collect();
    answers.sort();
    answers.dedup();
    assert_eq!(answers, ["p2", "p3", "refused"]);
}

#[test]
fn a_client_stays_with_its_endpoint() {
    let mut lab = Lab::new();
    lab.service(json!({
        "sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}},
    }));
    lab.endpoints(&PODS);
    lab.start("--proxy-mode=userspace");
    let first = lab.ask(3);
    assert!(first.iter().all(|answer| *answer == first[0]), "{first:?}");
    // Another client has the next one; after a minute so has this one.
    let other = lab.run("curl -s 10.96.0.10").trim().to_owned();
    assert_ne!(other, first[0]);
    lab.run("sleep 61");
    assert_ne!(lab.ask(1)[0], first[0]);
}

#[test]
fn today_s_kube_proxy_has_no_such_mode() {
    let mut lab = Lab::new();
    lab.run("echo ELF v1.30.5 > /usr/bin/kube-proxy");
    lab.run("kube-proxy --proxy-mode=userspace 2>/var/log/kube-proxy.log; echo $? > /run/status");
    let expected = r#"run.go:74] "command failed" err="failed validate: KubeProxyConfiguration.Mode.ProxyMode: Invalid value: \"userspace\": must be iptables, ipvs or blank (blank means the best-available proxy [currently iptables])""#;
    assert_eq!(lab.log().trim(), expected);
    assert_eq!(lab.run("cat /run/status"), "1\n");
}
