//! A conflist as flannel installs it, joined by `cnitool`: the flannel plugin asks bridge, portmap
//! opens a port, firewall lets the packets through.

#[path = "support/shell.rs"]
mod shell;

use kube::cni::{self, Release, cnitool};
use shell::run;
use world::World;

fn node() -> World {
    let mut registry = tools::registry();
    cni::install(&mut registry, Release::V1_9);
    cnitool::install(&mut registry);
    let mut world = World::new(0);
    let host = world.add_host("node1", registry);
    for path in cni::paths(Release::V1_9) {
        world.install_file(host, &path, Vec::new());
    }
    world
}

const SETUP: &str = r#"
ip link set lo up; ip netns add pod
mkdir -p /etc/cni/net.d /run/flannel
cat > /run/flannel/subnet.env <<END
FLANNEL_NETWORK=10.244.0.0/16
FLANNEL_SUBNET=10.244.1.1/24
FLANNEL_MTU=1450
FLANNEL_IPMASQ=true
END
cat > /etc/cni/net.d/10-flannel.conflist <<END
{"name": "cbr0", "cniVersion": "0.3.1", "plugins": [
  {"type": "flannel", "delegate": {"hairpinMode": true, "isDefaultGateway": true}},
  {"type": "portmap", "capabilities": {"portMappings": true}},
  {"type": "firewall"}, {"type": "bandwidth"}]}
END
export CNI_PATH=/opt/cni/bin
export CAP_ARGS='{"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]}'
"#;

#[test]
fn a_list_is_joined_used_and_left() {
    let mut world = node();
    let (printed, status) = run(
        &mut world,
        "node1",
        &format!("{SETUP}cnitool add cbr0 /run/netns/pod 2>/dev/null | tr -d ' \\n'"),
    );
    assert_eq!(status, 0);
    for part in [
        r#""cniVersion":"0.3.1""#,
        r#""ips":[{"version":"4","interface":2,"address":"10.244.1.2/24","gateway":"10.244.1.1"}]"#,
        r#""routes":[{"dst":"10.244.0.0/16"},{"dst":"0.0.0.0/0","gw":"10.244.1.1"}]"#,
    ] {
        assert!(printed.contains(part), "{part} is not in {printed}");
    }
    let checks = [
        ("ip -br -4 addr show cni0", "cni0             UP             10.244.1.1/24 \n"),
        (
            "ip -n pod route",
            "default via 10.244.1.1 dev eth0 \n\
             10.244.0.0/16 via 10.244.1.1 dev eth0 \n\
             10.244.1.0/24 dev eth0 proto kernel scope link src 10.244.1.2 \n",
        ),
        ("ip -n pod link show eth0 | grep -o 'mtu [0-9]*'", "mtu 1450\n"),
        // flanneld masquerades: the plugins do it for ports only.
        ("iptables-save | grep -c MASQUERADE", "1\n"),
        ("ls /var/lib/cni/networks/cbr0", "10.244.1.2\nlast_reserved_ip.0\nlock\n"),
        (
            "ip -n pod link set lo up; ip netns exec pod http-echo -listen :80 -text pod & sleep 1
             curl -s http://10.244.1.1:8080/",
            "pod\n",
        ),
        ("iptables -S CNI-FORWARD | grep -c 10.244.1.2/32", "2\n"),
    ];
    for (script, expected) in checks {
        assert_eq!(run(&mut world, "node1", script).0, expected, "{script}");
    }
    // portmap wants to hear the ports again, or leaves its rules.
    let left = "export CNI_PATH=/opt/cni/bin
        export CAP_ARGS='{\"portMappings\": [{\"hostPort\": 8080, \"containerPort\": 80, \"protocol\": \"tcp\"}]}'
        cnitool del cbr0 /run/netns/pod
        ls /var/lib/cni/networks/cbr0; ip -n pod link show eth0; iptables-save -t nat | grep -c 10.244.1.2";
    let (printed, _) = run(&mut world, "node1", left);
    assert_eq!(printed, "last_reserved_ip.0\nlock\nDevice \"eth0\" does not exist.\n0\n");
}

#[test]
fn what_is_missing_is_named() {
    let cases = [
        ("cnitool add nonet /run/netns/pod", "no net configuration with name \"nonet\" in /etc/cni/net.d\n"),
        ("NETCONFPATH=/empty cnitool add x /run/netns/pod", "no net configurations found in /empty\n"),
        (
            "CNI_PATH=/nowhere cnitool add cbr0 /run/netns/pod",
            "plugin type=\"flannel\" failed (add): failed to find plugin \"flannel\" in path [/nowhere]\n",
        ),
        (
            "rm /run/flannel/subnet.env; cnitool add cbr0 /run/netns/pod",
            "plugin type=\"flannel\" failed (add): failed to load flannel 'subnet.env' file: open \
             /run/flannel/subnet.env: no such file or directory. Check the flannel pod log for this node.\n",
        ),
        ("cnitool check cbr0 /run/netns/pod", "configuration version \"0.3.1\" does not support CHECK\n"),
    ];
    for (script, expected) in cases {
        let (printed, status) = run(&mut node(), "node1", &format!("{SETUP}{script}"));
        assert_eq!((printed.as_str(), status), (expected, 1), "{script}");
    }
}
