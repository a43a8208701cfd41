//! `kubectl` 1.30.
//!
//! Read first: [`commands`] (the commands and their options), [`target`] (what a command line names),
//! [`print`] (listings). What kubectl asks the API server are the functions of [`crate::api`].
//!
//! Simplified: the way to the API server takes no packets; `exec`, `logs`, `attach` and
//! `port-forward` go from there to the kubelet by real ones.

mod access;
mod apply;
mod auth;
pub(crate) mod change;
mod cli;
mod command;
mod commands;
mod config;
mod config_cmd;
mod container;
mod create;
mod delete;
mod describe;
mod duration;
pub(crate) mod failure;
pub(crate) mod files;
mod flags;
mod get;
pub(crate) mod info;
mod jsonpath;
pub(crate) mod kinds;
mod node;
pub(crate) mod output;
pub(crate) mod patch;
mod port_forward;
mod print;
mod rollout;
mod rules;
mod run;
pub(crate) mod selector;
mod table;
mod tabwriter;
mod target;
mod wait;
pub(crate) mod yaml;

use world::{Args, Fd, Next, Program, ReadResult, Registry, Signal, Sys, Wait};

/// Installs `kubectl`.
pub fn install(registry: &mut Registry) {
    registry.install("kubectl", |args| Box::new(Kubectl { args, input: Vec::new(), running: None }));
}

/// A command line, and what it has become.
#[derive(Clone, Debug)]
struct Kubectl {
    args: Args,
    /// What `-f -` has read so far.
    input: Vec<u8>,
    /// A command that waits for something.
    running: Option<Box<dyn Program>>,
}

impl Program for Kubectl {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        if let Some(running) = &mut self.running {
            return running.resume(sys);
        }
        while cli::reads_stdin(&self.args) {
            match sys.read(Fd::STDIN, 65536) {
                Ok(ReadResult::Data(data)) => self.input.extend(data),
                Ok(ReadResult::WouldBlock) => {
                    return Next::Wait(Wait { fds: vec![Fd::STDIN], ..Wait::default() });
                }
                Ok(ReadResult::Eof) | Err(_) => break,
            }
        }
        match cli::run(sys, &self.args, &self.input) {
            cli::Then::Exit(status) => Next::Exit(status),
            cli::Then::Go(mut program) => {
                let next = program.resume(sys);
                self.running = Some(program);
                next
            }
        }
    }

    fn signal(&mut self, sys: &mut dyn Sys, signal: Signal) -> Next {
        match &mut self.running {
            Some(running) => running.signal(sys, signal),
            None => Next::Exit(128 + signal.number()),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
