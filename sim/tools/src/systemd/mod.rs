//! `systemctl` and `journalctl`: services that start, stop and leave a log.
//!
//! A service is a unit file of [`FOLDERS`]; hosts have Docker's from the start.

mod journalctl;
mod systemctl;
mod unit;

use packet::Pid;
use world::{Registry, Sys};

use crate::net::read_file;
use unit::Unit;

/// Installs both.
pub fn install(registry: &mut Registry) {
    systemctl::install(registry);
    journalctl::install(registry);
}

/// Where unit files and their drop-ins are looked for, in this order.
pub const FOLDERS: [&str; 3] = ["/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system"];

fn pid_file(unit: &str) -> String {
    format!("/run/systemd/{unit}.pid")
}

fn journal(unit: &str) -> String {
    format!("/var/log/journal/{unit}.log")
}

/// The process of a service.
fn running(sys: &mut dyn Sys, unit: &Unit) -> Option<Pid> {
    let pid = read_file(sys, &pid_file(&unit.name))?.trim().parse().ok().map(Pid)?;
    let args = sys.args_of_pid(pid)?;
    (args.first() == unit.command.first()).then_some(pid)
}
