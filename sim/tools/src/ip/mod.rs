//! `ip` of iproute2 6.1.

use world::{Registry, Sys};

use crate::console::{Console, Stop};

/// Installs `ip`.
pub fn install(registry: &mut Registry) {
    registry.install_command("ip", run);
}

fn run(sys: &mut dyn Sys, _args: &[String]) -> i32 {
    Console::new(sys).finish(Err(Stop::silent(255)))
}
