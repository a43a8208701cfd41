//! `ip -all netns exec`: one command in each namespace, one after the other.
//! iproute2: `do_netns_foreach`, `on_netns_exec`.

use packet::{NetnsId, Pid};
use world::{Args, Fd, Next, Program, Spawn, Sys, Wait};

use crate::console::write_all;

/// What is still to be run.
#[derive(Clone, Debug)]
pub struct Each {
    /// Namespaces that remain, the last one first.
    pub namespaces: Vec<(String, NetnsId)>,
    /// The command.
    pub command: Args,
}

/// The process of `ip`.
#[derive(Clone, Debug)]
pub struct IpProcess {
    /// Its words.
    pub args: Args,
    /// Set by `-all netns exec`.
    pub each: Option<Each>,
    /// The command that runs now.
    pub child: Option<Pid>,
}

impl Program for IpProcess {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        if self.each.is_none() {
            let status = super::run(sys, &self.args, &mut self.each);
            if self.each.is_none() {
                return Next::Exit(status);
            }
        }
        loop {
            if let Some(pid) = self.child {
                if sys.exit_status(pid).is_none() {
                    return Next::Wait(Wait { pids: vec![pid], ..Wait::default() });
                }
                self.child = None;
            }
            let Some(each) = &mut self.each else { return Next::Exit(0) };
            let Some((name, netns)) = each.namespaces.pop() else { return Next::Exit(0) };
            write_all(sys, Fd::STDOUT, &format!("\nnetns: {name}\n"));
            let fds = [Fd::STDIN, Fd::STDOUT, Fd::STDERR].map(|fd| (fd, fd)).to_vec();
            let args = each.command.clone();
            let program = args.first().cloned().unwrap_or_default();
            let child = Spawn { args, netns: Some(netns), fds, ..Spawn::default() };
            match sys.spawn(child) {
                Ok(pid) => self.child = Some(pid),
                Err(errno) => write_all(sys, Fd::STDERR, &format!("exec of \"{program}\" failed: {errno}\n")),
            }
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
