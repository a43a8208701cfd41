//! One simulated machine on which scripts run.

use std::collections::BTreeMap;

use packet::{HostId, NetnsId};
use trace::Off;
use world::{Outcome, Registry, World};

/// The machine. A clone of it is another one in the same state.
#[derive(Clone)]
pub struct Machine {
    pub world: World,
    host: HostId,
}

/// What a script printed and how it ended.
pub struct Ran {
    pub out: String,
    pub err: String,
    pub status: i32,
}

impl Machine {
    /// A machine with these programs.
    pub fn new(registry: Registry) -> Self {
        let mut world = World::new(0);
        let host = world.add_host("hoplab", registry);
        Self { world, host }
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
}
