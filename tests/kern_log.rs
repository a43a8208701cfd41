//! LOG and the TRACE of iptables-legacy reach the kernel log and rsyslog's file; LOG in a network
//! namespace of its own is silent (`net.netfilter.nf_log_all_netns` is 0).

#![allow(clippy::expect_used)]

use std::process::Command;

const SCRIPT: &str = "
ip link set lo up
ip netns add inner
ip -n inner link set lo up
iptables-legacy -t raw -A OUTPUT -p icmp --icmp-type echo-request -j TRACE
iptables -A INPUT -p icmp --icmp-type echo-request -j LOG --log-prefix 'own: '
ip netns exec inner iptables -A INPUT -p icmp -j LOG --log-prefix 'inner: '
ping -c 1 127.0.0.1 >/dev/null
ip netns exec inner ping -c 1 127.0.0.1 >/dev/null
cat /var/log/kern.log
echo --
dmesg
";

#[test]
fn rules_log_into_the_machines_file() {
    let out =
        Command::new(env!("CARGO_BIN_EXE_hoplab")).args(["sh", "-c", SCRIPT]).output().expect("hoplab runs");
    let text = String::from_utf8(out.stdout).expect("text");
    let (file, ring) = text.split_once("--\n").expect("both were printed");
    let logged: Vec<&str> =
        file.lines().filter_map(|line| line.split_once("] ").map(|(_, said)| said)).collect();
    let in_ring: Vec<&str> =
        ring.lines().filter_map(|line| line.split_once("] ").map(|(_, said)| said)).collect();
    assert_eq!(logged, in_ring);
    assert!(file.starts_with("Jan  1 00:00:00 hoplab kernel: [    0."), "{file}");
    let count = |prefix: &str| logged.iter().filter(|line| line.starts_with(prefix)).count();
    assert_eq!((count("own: "), count("inner: ")), (1, 0), "{file}");
    assert!(count("TRACE: raw:OUTPUT:policy:2 ") == 1, "{file}");
}
