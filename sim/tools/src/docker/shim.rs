//! `containerd-shim-runc-v2`: waits for a container's first process to end and tidies up.

use kernel::Errno;
use packet::Pid;
use world::{Next, Program, Signal, Spawn, Sys, Wait};

use super::start::{forget, release};
use super::state::{Engine, Status, unix_nanos};
use crate::image::kill_all;

/// The process beside a container that outlives it. It ends with the container's exit status.
#[derive(Clone, Debug)]
pub struct Shim {
    id: String,
    pid: Pid,
}

impl Shim {
    /// Starts one for the container whose first process is `pid`.
    ///
    /// # Errors
    /// What `spawn` refuses.
    pub fn start(sys: &mut dyn Sys, id: &str, pid: Pid) -> Result<Pid, Errno> {
        let args = [
            "/usr/bin/containerd-shim-runc-v2",
            "-namespace",
            "moby",
            "-id",
            id,
            "-address",
            "/run/containerd/containerd.sock",
        ];
        sys.spawn(Spawn {
            args: args.map(str::to_owned).to_vec(),
            code: Some(Box::new(Self { id: id.to_owned(), pid })),
            netns: Some(packet::NetnsId::INIT),
            fds: Vec::new(),
            ..Spawn::default()
        })
    }
}

impl Program for Shim {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let Some(status) = sys.exit_status(self.pid) else {
            return Next::Wait(Wait { pids: vec![self.pid], ..Wait::default() });
        };
        let mut engine = Engine::load(sys);
        let Some(at) = engine.find(&self.id) else { return Next::Exit(status) };
        // Process 1 of a container takes all others with it.
        let root = engine.containers[at].root();
        kill_all(sys, &root, self.pid);
        release(sys, &mut engine, at);
        let state = &mut engine.containers[at].state;
        state.status = Status::Exited;
        (state.pid, state.shim) = (0, 0);
        state.exit_code = status;
        state.finished = unix_nanos(sys);
        if engine.containers[at].auto_remove {
            forget(sys, &mut engine, at);
        }
        engine.save(sys);
        Next::Exit(status)
    }

    fn signal(&mut self, sys: &mut dyn Sys, signal: Signal) -> Next {
        // It passes signals on.
        let _ = sys.kill(self.pid, signal);
        Next::Wait(Wait { pids: vec![self.pid], ..Wait::default() })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
