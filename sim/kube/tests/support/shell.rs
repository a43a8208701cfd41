//! A shell of a host.

use std::collections::BTreeMap;

use packet::NetnsId;
use trace::Off;
use world::{Outcome, World};

/// Runs a script on a host; answers what it wrote, and its status.
pub fn run(world: &mut World, host: &str, script: &str) -> (String, i32) {
    let host = world.host_by_name(host).expect("the host was made");
    let console = world.add_console(host, false);
    world.type_input(host, console, None);
    let args = ["sh", "-c", script].map(str::to_owned).to_vec();
    let pid = world.spawn(host, NetnsId::INIT, console, args, BTreeMap::new()).expect("there is a shell");
    let mut output = Vec::new();
    let outcome = world.run_to_exit(host, pid, console, &mut Off, &mut |_, bytes| output.extend(bytes));
    let text = String::from_utf8_lossy(&output).into_owned();
    let Outcome::Exited(status) = outcome else { panic!("`{script}` never ends: {outcome:?}, after {text}") };
    (text, status)
}
