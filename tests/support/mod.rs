//! What several test programs share: running a script in a fresh world, and the normaliser of the
//! recordings.

pub mod normalise;

use std::collections::BTreeMap;

use packet::NetnsId;
use trace::Observer;
use world::{Outcome, World};

/// Runs a shell script on a fresh host. Answers both output streams in order, with the exit status
/// as last line, as the recordings have it.
pub fn run_script<O: Observer>(name: &str, script: &str, seed: u64, obs: &mut O) -> (World, String) {
    let mut world = World::new(seed);
    let host = world.add_host("hoplab", tools::registry());
    let console = world.add_console(host, false);
    world.type_input(host, console, None);
    let args = ["sh", "-c", script, name].map(str::to_owned).to_vec();
    let pid = world.spawn(host, NetnsId::INIT, console, args, BTreeMap::new()).expect("the shell is installed");
    let mut output = Vec::new();
    let outcome = world.run_to_exit(host, pid, console, obs, &mut |_, bytes| output.extend_from_slice(bytes));
    let mut text = String::from_utf8_lossy(&output).into_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    match outcome {
        Outcome::Exited(status) => text.push_str(&format!("[exit {status}]\n")),
        other => text.push_str(&format!("[{other:?}]\n")),
    }
    (world, text)
}
