//! `ipset` 7.17.
//!
//! [`command`] reads a command line, without a kernel: what it must know of sets comes through
//! [`Known`](parse::Known). `session` carries commands out, also those of `ipset restore`, whose
//! lines it gathers as the real program does; `list` and `print` write, `errcode` words the
//! kernel's refusals.

pub mod command;
mod data;
mod errcode;
mod help;
mod icmp;
mod list;
pub mod parse;
mod print;
mod restore;
mod session;
#[cfg(test)]
mod tests;
mod types;

use world::Registry;

/// Installs the command of this folder.
pub fn install(registry: &mut Registry) {
    registry.install("ipset", |args| Box::new(restore::Ipset::new(args)));
}
