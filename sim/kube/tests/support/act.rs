//! What a client of the API server does.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use packet::{HostId, NetnsId};
use trace::Off;
use world::{ConsoleId, Next, Program, Sys, World};

/// Calls a function with the system calls of a process.
#[derive(Clone)]
struct Act(Arc<dyn Fn(&mut dyn Sys) + Send + Sync>);

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Act")
    }
}

impl Program for Act {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        (self.0)(sys);
        Next::Exit(0)
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// Lets a process of a host act, at once.
pub fn act(
    world: &mut World,
    host: HostId,
    console: ConsoleId,
    act: impl Fn(&mut dyn Sys) + Send + Sync + 'static,
) {
    let act = Box::new(Act(Arc::new(act)));
    world.spawn_program(host, NetnsId::INIT, console, vec!["act".to_owned()], act, BTreeMap::new());
    let now = world.now();
    world.run_until(now, &mut Off);
}
