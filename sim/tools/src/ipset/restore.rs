use world::{Args, Fd, Next, OpenMode, Program, ReadResult, Sys, Wait};

use super::command::Command;
use super::session::Session;
use crate::console::Stop;

/// `ipset`. Only `restore` reads, and then all of its input before it begins.
#[derive(Clone, Debug)]
pub struct Ipset {
    args: Args,
    input: Vec<u8>,
    /// Where `restore` reads, once it has begun.
    fd: Option<Fd>,
}

impl Ipset {
    /// A run with these arguments.
    pub fn new(args: Args) -> Self {
        Self { args, input: Vec::new(), fd: None }
    }
}

impl Program for Ipset {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let words = self.args.get(1..).unwrap_or_default();
        let mut session = Session::new(sys);
        let command = match session.read(words, 0) {
            Ok(command) => command,
            Err(stop) => return Next::Exit(session.finish(Err(stop))),
        };
        if command != Command::Restore {
            let outcome = session.run(command, 0).map(|()| 0);
            return Next::Exit(session.finish(outcome));
        }
        let file = session.env.file.take();
        let env = std::mem::take(&mut session.env);
        drop(session);
        let fd = match (self.fd, file) {
            (Some(fd), _) => fd,
            (None, None) => Fd::STDIN,
            (None, Some(file)) => match sys.open(&file, OpenMode::Read) {
                Ok(fd) => fd,
                // The real program says nothing of it.
                Err(_) => return Next::Exit(Session::new(sys).finish(Err(Stop::silent(255)))),
            },
        };
        self.fd = Some(fd);
        loop {
            match sys.read(fd, 65_536) {
                Ok(ReadResult::Data(bytes)) => self.input.extend(bytes),
                Ok(ReadResult::WouldBlock) => return Next::Wait(Wait { fds: vec![fd], ..Wait::default() }),
                Ok(ReadResult::Eof) | Err(_) => break,
            }
        }
        let text = String::from_utf8_lossy(&self.input).into_owned();
        let mut session = Session::new(sys);
        session.env = env;
        let outcome = session.restore(&text).map(|()| 0);
        Next::Exit(session.finish(outcome))
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
