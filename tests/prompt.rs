//! The prompt of `hoplab sh`, typed at through a pseudo-terminal.

#![cfg(unix)]

#[path = "support/person.rs"]
mod person;

use expectrl::{ControlCode, Expect};

use person::{Person, state};

#[test]
fn a_session_with_jobs_keys_and_history() {
    let state = state("session");
    let mut person = Person::sits_down(&state, &["sh"]);
    person.sees("hoplab# ");
    person.types("ip link set lo up; ip link");
    person.sees("<LOOPBACK,UP,LOWER_UP>");
    person.sees("hoplab# ");

    person.types("ping 127.0.0.1");
    person.sees("icmp_seq=2");
    person.presses(ControlCode::EndOfText);
    person.sees("2 packets transmitted, 2 received");
    person.sees("hoplab# ");

    person.types("for i in 1 2; do");
    person.sees("> ");
    person.types("echo number $i; done");
    person.sees("number 1\r\nnumber 2\r\n");

    person.types("echo ready; cat");
    person.sees("ready\r\n");
    person.types("typed at cat");
    person.sees("typed at cat\r\n");
    person.presses(ControlCode::EndOfTransmission);
    person.sees("hoplab# ");

    person.types("ip netns add blue; ip netns e\tb\thostname");
    person.sees("hoplab# ");
    person.types("on hoplab/blue");
    person.sees("hoplab/blue# ");
    person.types("help traceroute");
    person.sees("traceroute: the routers on the way");
    person.sees("hoplab/blue# ");
    person.types("(exit 7)");
    person.sees("hoplab/blue# ");
    person.presses(ControlCode::EndOfTransmission);
    person.leaves_with(7);

    let mut person = Person::sits_down(&state, &["sh"]);
    person.sees("hoplab# ");
    person.0.send("\x1b[A").expect("the terminal takes it");
    person.sees("(exit 7)");
    person.types("");
    person.sees("hoplab# ");
    person.types("exit");
    person.leaves_with(7);
    let _ = std::fs::remove_dir_all(state);
}

#[test]
fn a_topology_without_pace() {
    let state = state("topology");
    let args = ["sh", "--topology", "topologies/two-docker-hosts.ron", "--on", "node1/web", "--pace", "0"];
    let mut person = Person::sits_down(&state, &args);
    person.sees("node1/web# ");
    person.types("sleep 3000; echo rested");
    person.sees("rested\r\n");
    person.types("hosts");
    person.sees("node2/web\r\n");
    person.types("on node3");
    person.sees("error: unknown host `node3`");
    person.types("on node2");
    person.sees("node2# ");
    person.types("exit 3");
    person.leaves_with(3);
    let _ = std::fs::remove_dir_all(state);
}
