//! What the fuzz targets share: a host on which a command runs with a file of random bytes.

use std::collections::BTreeMap;

use packet::NetnsId;
use trace::Off;
use world::World;

/// Events after which a command that still runs is left alone: random text may ask for a loop.
const EVENTS: u32 = 300;

/// Runs `args` on a fresh host whose `/in` holds `bytes`, with `bytes` as standard input. Nothing
/// may panic; what the command says doesn't matter.
pub fn run(args: &[&str], bytes: &[u8]) {
    let mut world = World::new(0);
    let host = world.add_host("host", tools::registry());
    world.install_file(host, "/in", bytes.to_vec());
    let console = world.add_console(host, false);
    world.type_input(host, console, Some(bytes));
    world.type_input(host, console, None);
    let args = args.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let Ok(pid) = world.spawn(host, NetnsId::INIT, console, args, BTreeMap::new()) else { return };
    for _ in 0..EVENTS {
        if world.exit_status(host, pid).is_some() || !world.step(&mut Off) {
            break;
        }
    }
    // What it printed is dropped with the world.
    world.take_output(host, console);
}
