use std::fmt::Write;

use super::{Balancer, Target};

/// The chain of both tables.
const CHAIN: &str = "CLOUD-BALANCER";

/// What is typed once: the jumps to the chains.
pub const HOOKS: &str = "*filter\n:CLOUD-BALANCER - [0:0]\n-A INPUT -j CLOUD-BALANCER\nCOMMIT\n*nat\n\
                         :CLOUD-BALANCER - [0:0]\n-A PREROUTING -j CLOUD-BALANCER\nCOMMIT\n";

/// What `iptables-restore --noflush` is given for balancers and those of their nodes that are well: a
/// connection is one node's by equal chances. What no listener takes ends in the balancer's own
/// kernel, which drops it.
pub fn of<'a>(balancers: impl Iterator<Item = (&'a Balancer, Vec<&'a Target>)>) -> String {
    let (mut filter, mut nat) = (String::new(), String::new());
    for (balancer, healthy) in balancers {
        let ip = balancer.address;
        let comment = format!("-m comment --comment \"{}", balancer.service);
        // A string takes whatever is written.
        let _ = writeln!(filter, "-A {CHAIN} -d {ip}/32 {comment} has no such listener\" -j DROP");
        let anybody = [None];
        let some: Vec<_> = balancer.ranges.iter().map(Some).collect();
        let ranges = if some.is_empty() { &anybody[..] } else { &some[..] };
        for listener in &balancer.listeners {
            let (protocol, port, to) = (listener.protocol, listener.port, listener.node_port);
            for range in ranges {
                for (number, target) in healthy.iter().enumerate() {
                    let _ = write!(nat, "-A {CHAIN}");
                    if let Some(range) = range {
                        let _ = write!(nat, " -s {range}");
                    }
                    let node = &target.node;
                    let _ = write!(nat, " -d {ip}/32 -p {protocol} -m {protocol} --dport {port}");
                    let _ = write!(nat, " {comment} -> {node}\"");
                    let left = healthy.len() - number;
                    if left > 1 {
                        let chance = one_of(left);
                        let _ = write!(nat, " -m statistic --mode random --probability {chance}");
                    }
                    let _ = writeln!(nat, " -j DNAT --to-destination {}:{to}", target.address);
                }
            }
        }
    }
    format!("*filter\n:{CHAIN} - [0:0]\n{filter}COMMIT\n*nat\n:{CHAIN} - [0:0]\n{nat}COMMIT\n")
}

/// One part of so many, to ten digits.
fn one_of(parts: usize) -> String {
    let scale = 10_000_000_000_u64;
    let parts = u64::try_from(parts).unwrap_or(u64::MAX).max(2);
    format!("0.{:010}", (scale + parts / 2) / parts)
}

#[cfg(test)]
mod tests {
    use super::super::Listener;
    use super::*;

    #[test]
    fn a_balancer_is_rules() {
        let target =
            |number: u8| Target { node: format!("node{number}"), address: [10, 0, 0, number].into() };
        let balancer = Balancer {
            service: "default/web".to_owned(),
            address: [78, 11, 24, 19].into(),
            listeners: vec![Listener { protocol: "tcp", port: 80, node_port: 30080 }],
            ranges: vec!["10.9.0.0/16".parse().expect("a range")],
            targets: vec![target(1), target(2)],
            health: None,
        };
        insta::assert_snapshot!(of([(&balancer, balancer.targets.iter().collect())].into_iter()), @r#"
        *filter
        :CLOUD-BALANCER - [0:0]
        -A CLOUD-BALANCER -d 78.11.24.19/32 -m comment --comment "default/web has no such listener" -j DROP
        COMMIT
        *nat
        :CLOUD-BALANCER - [0:0]
        -A CLOUD-BALANCER -s 10.9.0.0/16 -d 78.11.24.19/32 -p tcp -m tcp --dport 80 -m comment --comment "default/web -> node1" -m statistic --mode random --probability 0.5000000000 -j DNAT --to-destination 10.0.0.1:30080
        -A CLOUD-BALANCER -s 10.9.0.0/16 -d 78.11.24.19/32 -p tcp -m tcp --dport 80 -m comment --comment "default/web -> node2" -j DNAT --to-destination 10.0.0.2:30080
        COMMIT
        "#);
    }
}
