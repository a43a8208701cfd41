//! Random traffic: commands that send something and say what came back.

use crate::dice::Dice;
use crate::topology::{NOWHERE, Node, Topology};

/// Destination ports of probes, and some that rules translate to.
pub const PORTS: [u16; 8] = [53, 80, 81, 99, 443, 7000, 8080, 9000];
/// Lengths of packets of the probes.
pub const LENGTHS: [u32; 5] = [33, 40, 84, 500, 1400];
/// Times to live of probes.
pub const TTLS: [u32; 5] = [64, 63, 62, 4, 2];
/// Types of service of probes.
pub const TOS: [&str; 4] = ["0x10", "0x08", "0xb8", "0x20"];

/// One command.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The namespace it is run in.
    pub node: String,
    /// The command.
    pub command: String,
}

impl Probe {
    /// The line of shell that runs it.
    pub fn line(&self) -> String {
        format!("ip netns exec {} {}", self.node, self.command)
    }

    /// Whether what it prints, and its exit status, is of no interest.
    pub fn is_silent(&self) -> bool {
        self.command.contains(">/dev/null")
    }

    /// Draws one. Source ports are never used twice: `number` is another one for each probe of a
    /// script.
    pub fn random(dice: &mut Dice, topology: &Topology, number: u32) -> Self {
        let speakers = topology.speakers();
        let node = *dice.pick(&speakers);
        let to = destination(dice, topology, node);
        let source = 10_000 + number;
        let command = match dice.number(0..=12) {
            0..=3 => ping(dice, &to),
            4..=7 => {
                let size = match dice.number(0..=5) {
                    0 => format!(" -size {}", dice.pick(&[0, 472, 1372, 1472, 1473, 3000])),
                    _ => String::new(),
                };
                let port = dice.pick(&[53, 53, 7000, 7000, 99, 80, 9000]);
                format!("udp-probe -timeout 0.15 -bind :{source}{size} {to}:{port}")
            }
            8 => {
                let port = dice.pick(&[81, 443]);
                format!("timeout 0.3 nc -n -v -z -w 1 -p {source} {to} {port}")
            }
            _ => raw(dice, topology, node, &to, source),
        };
        Self { node: node.name.clone(), command }
    }
}

fn destination(dice: &mut Dice, topology: &Topology, node: &Node) -> String {
    let speakers = topology.speakers();
    let other = *dice.pick(&speakers);
    let addresses: Vec<&str> = other.addresses().collect();
    match dice.number(0..=19) {
        0 => "127.0.0.1".to_owned(),
        1 => format!("{NOWHERE}.{}", dice.number(1..=9)),
        2 => format!("{}.255", dice.pick(&topology.networks)),
        3 => node.addresses().next().unwrap_or("127.0.0.1").to_owned(),
        _ => (*dice.pick(&addresses)).to_owned(),
    }
}

fn ping(dice: &mut Dice, to: &str) -> String {
    let count = *dice.weighted(&[(5, 1), (2, 2), (2, 3)]);
    let mut command = format!("ping -n -c {count} -i 0.01 -W 0.15");
    if dice.percent(20) {
        command.push_str(&format!(" -s {}", dice.pick(&[0, 8, 472, 1372, 1472, 1473, 3000])));
    }
    if dice.percent(15) {
        command.push_str(&format!(" -t {}", dice.pick(&[1, 2, 3, 62, 200])));
    }
    if dice.percent(10) {
        command.push_str(&format!(" -Q {}", dice.pick(&TOS)));
    }
    if dice.percent(5) {
        command.push_str(&format!(" -m {}", dice.number(1..=2)));
    }
    if dice.percent(5) {
        command.push_str(&format!(" -M {}", dice.pick(&["do", "dont", "want"])));
    }
    if to.ends_with(".255") {
        command.push_str(" -b");
    }
    format!("{command} {to}")
}

/// A packet without a socket behind it; what comes back is seen by the counters only.
fn raw(dice: &mut Dice, topology: &Topology, node: &Node, to: &str, source: u32) -> String {
    // Its own choice of a source address would be a matter of nping, not of the kernel.
    let speakers = topology.speakers();
    let sender = if dice.percent(90) { node } else { dice.pick(&speakers) };
    let from = if to.starts_with("127.") { to } else { sender.addresses().next().unwrap_or(to) };
    let mut command = format!("nping -N -H -S {from}");
    if dice.percent(75) {
        let flags = *dice.weighted(&[
            (8, "syn"),
            (1, "ack"),
            (1, "rst"),
            (1, "fin"),
            (1, "syn,ack"),
            (1, "psh,ack"),
            (1, "fin,psh,urg"),
            (1, "syn,fin"),
        ]);
        let port = dice.pick(&[80, 80, 80, 81, 443, 8080]);
        command.push_str(&format!(" --tcp --flags {flags} -g {source} -p {port}"));
    } else {
        command.push_str(&format!(" --udp -g {source} -p {}", dice.pick(&[53, 7000, 99])));
    }
    if dice.percent(15) {
        command.push_str(&format!(" --ttl {}", dice.pick(&[1, 2, 3, 62])));
    }
    if dice.percent(15) {
        command.push_str(&format!(" --data-length {}", dice.pick(&[1, 100, 460])));
    }
    if dice.percent(10) {
        command.push_str(&format!(" --tos {}", dice.pick(&[16, 8, 184])));
    }
    // With -N and one packet, nping at times ends before it has sent it.
    format!("{command} -c 2 --delay 10ms {to} >/dev/null 2>&1")
}
