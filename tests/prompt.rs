//! The prompt of `hoplab sh`, typed at through a pseudo-terminal.

#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use expectrl::process::unix::WaitStatus;
use expectrl::session::OsSession;
use expectrl::{ControlCode, Eof, Expect, Session};

/// A new folder for the history.
fn state(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("hoplab-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

/// A person at a prompt.
struct Person(OsSession);

impl Person {
    fn sits_down(state: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hoplab"));
        command.arg("sh").args(args).env("XDG_STATE_HOME", state).env("TERM", "xterm");
        let mut session = Session::spawn(command).expect("a terminal");
        session.set_expect_timeout(Some(Duration::from_secs(60)));
        Self(session)
    }

    #[track_caller]
    fn sees(&mut self, text: &str) {
        if let Err(error) = self.0.expect(text) {
            panic!("not seen: {text:?}: {error}");
        }
    }

    fn types(&mut self, line: &str) {
        self.0.send(format!("{line}\r")).expect("the terminal takes it");
    }

    fn presses(&mut self, key: ControlCode) {
        self.0.send(key).expect("the terminal takes it");
    }

    #[track_caller]
    fn leaves_with(&mut self, status: i32) {
        self.0.expect(Eof).expect("it ends");
        match self.0.get_process().wait() {
            Ok(WaitStatus::Exited(_, code)) => assert_eq!(code, status),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_session_with_jobs_keys_and_history() {
    let state = state("session");
    let mut person = Person::sits_down(&state, &[]);
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

    let mut person = Person::sits_down(&state, &[]);
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
    let args = ["--topology", "topologies/two-docker-hosts.ron", "--on", "node1/web", "--pace", "0"];
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
