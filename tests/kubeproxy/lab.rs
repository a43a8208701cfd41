//! One simulated machine with a network namespace for each place, as the recorder had it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use packet::{HostId, NetnsId};
use trace::Off;
use world::{Outcome, World};

use crate::{client, server};

/// The machine. A clone of it is another one in the same state.
#[derive(Clone)]
pub struct Machine {
    world: World,
    host: HostId,
    /// The namespace that each address belongs to.
    places: BTreeMap<IpAddr, String>,
}

/// What a script printed and how it ended.
pub struct Ran {
    pub out: String,
    pub err: String,
    pub status: i32,
}

impl Machine {
    /// A machine without namespaces.
    pub fn new() -> Self {
        let mut registry = tools::registry();
        client::install(&mut registry);
        server::install(&mut registry);
        let mut world = World::new(0);
        let host = world.add_host("hoplab", registry);
        Self { world, host, places: BTreeMap::new() }
    }

    /// Makes the namespaces and runs the commands that a recording lists.
    pub fn set_up(&mut self, setup: &[String]) -> Result<(), String> {
        let commands: Vec<(&str, &str)> = setup.iter().filter_map(|line| line.split_once(": ")).collect();
        let mut names: Vec<&str> = Vec::new();
        for (place, command) in &commands {
            let words: Vec<&str> = command.split_whitespace().collect();
            let peer = words.iter().position(|&word| word == "netns").and_then(|at| words.get(at + 1));
            for name in std::iter::once(place).chain(peer) {
                if !names.contains(name) {
                    names.push(name);
                }
            }
            if let ["ip", "addr", "add", address, ..] = words[..]
                && let Some(Ok(address)) = address.split('/').next().map(str::parse)
            {
                self.places.insert(address, (*place).to_owned());
            }
        }
        let mut script = String::new();
        for name in names {
            script.push_str(&format!(
                "ip netns add {name}; ip -n {name} link set lo up
                 ip netns exec {name} sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv4.conf.all.rp_filter=0\n"
            ));
        }
        for (place, command) in commands {
            if !about_ipv6(command) {
                script.push_str(&format!("ip netns exec {place} {command}\n"));
            }
        }
        self.quietly(&script).map(|_| ())
    }

    /// Which namespace has this address.
    pub fn place(&self, address: IpAddr) -> Option<&str> {
        self.places.get(&address).map(String::as_str)
    }

    /// Runs a shell script on the machine itself.
    pub fn run(&mut self, script: &str) -> Ran {
        let console = self.world.add_console(self.host, false);
        self.world.type_input(self.host, console, None);
        let args = ["sh", "-c", script].map(str::to_owned).to_vec();
        let pid = self.world.spawn(self.host, NetnsId::INIT, console, args, BTreeMap::new());
        let pid = pid.expect("the shell is installed");
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let sink = &mut |stream, bytes: &[u8]| match stream {
            world::Stream::Err => err.extend_from_slice(bytes),
            _ => out.extend_from_slice(bytes),
        };
        let outcome = self.world.run_to_exit(self.host, pid, console, &mut Off, sink);
        let Outcome::Exited(status) = outcome else { panic!("`{script}` never ends: {outcome:?}") };
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran { out: text(out), err: text(err), status }
    }

    /// Runs a script that has nothing to complain about; answers its output.
    pub fn quietly(&mut self, script: &str) -> Result<String, String> {
        let ran = self.run(script);
        if ran.status == 0 && ran.err.is_empty() {
            Ok(ran.out)
        } else {
            Err(format!("exit {}: {}", ran.status, ran.err))
        }
    }

    /// Writes a file.
    pub fn install_file(&mut self, path: &str, text: &str) {
        self.world.install_file(self.host, path, text.as_bytes().to_vec());
    }
}

/// Whether a command of the set-up concerns IPv6, which has no data path yet.
fn about_ipv6(command: &str) -> bool {
    command.split_whitespace().any(|word| {
        let address = word.split('/').next().unwrap_or(word);
        word.starts_with("net.ipv6.") || address.contains(':') && address.parse::<IpAddr>().is_ok()
    })
}
