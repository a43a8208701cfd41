use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use packet::{Pid, SimTime};

use crate::{Fd, Sys, Watch};

/// A process's code and state: a plain, cloneable state machine.
///
/// The world calls [`resume`](Self::resume) when the process starts and whenever something it
/// waits for may have happened (spurious calls are allowed). System calls never block: what would
/// block answers `EAGAIN`, and the program returns what it waits for.
pub trait Program: Send + Sync + fmt::Debug {
    /// Runs until the program must wait or ends.
    fn resume(&mut self, sys: &mut dyn Sys) -> Next;

    /// Takes a signal. The default is to end with 128 + its number.
    fn signal(&mut self, sys: &mut dyn Sys, signal: Signal) -> Next {
        let _ = sys;
        Next::Exit(128 + signal.number())
    }

    /// A copy, for clones of the world.
    fn clone_box(&self) -> Box<dyn Program>;
}

impl Clone for Box<dyn Program> {
    fn clone(&self) -> Self {
        self.clone_box()
    }
}

/// What a program does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Sleeps until something happens.
    Wait(Wait),
    /// Ends with this exit status, 0..=255.
    Exit(i32),
}

/// What a sleeping program waits for: any of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wait {
    /// One of these becomes readable, writable, or fails.
    pub fds: Vec<Fd>,
    /// The clock reaches this time.
    pub until: Option<SimTime>,
    /// One of these processes ends (they need not be children).
    pub pids: Vec<Pid>,
    /// Something changes in the store.
    pub watch: Option<Watch>,
}

impl Wait {
    /// Waits for a time only.
    pub fn until(time: SimTime) -> Self {
        Self { until: Some(time), ..Self::default() }
    }
}

/// A signal that is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Hang-up.
    Hup,
    /// Ctrl-C.
    Int,
    /// Ctrl-\.
    Quit,
    /// Can't be caught.
    Kill,
    /// User signal 1.
    Usr1,
    /// Polite end.
    Term,
}

impl Signal {
    /// Its number on Linux.
    pub const fn number(self) -> i32 {
        match self {
            Self::Hup => 1,
            Self::Int => 2,
            Self::Quit => 3,
            Self::Kill => 9,
            Self::Usr1 => 10,
            Self::Term => 15,
        }
    }
}

/// The arguments of a program; the first is the name it was called by.
pub type Args = Vec<String>;

/// Makes a program from its arguments.
pub type Factory = Arc<dyn Fn(Args) -> Box<dyn Program> + Send + Sync>;

/// The programs installed on a host, by command name (`ip`) or absolute path (`/opt/cni/bin/bridge`).
#[derive(Clone, Default)]
pub struct Registry {
    programs: Arc<BTreeMap<String, Factory>>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.programs.keys()).finish()
    }
}

impl Registry {
    /// Installs a program.
    pub fn install(&mut self, name: &str, make: impl Fn(Args) -> Box<dyn Program> + Send + Sync + 'static) {
        Arc::make_mut(&mut self.programs).insert(name.to_owned(), Arc::new(make));
    }

    /// Installs a command that runs to its end at once, e.g. `ip`: it returns its exit status.
    pub fn install_command(&mut self, name: &str, run: fn(&mut dyn Sys, &[String]) -> i32) {
        self.install(name, move |args| Box::new(Command { run, args }));
    }

    /// The program of that name.
    pub fn get(&self, name: &str) -> Option<&Factory> {
        self.programs.get(name)
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.programs.keys().map(String::as_str)
    }
}

/// A command that never waits.
#[derive(Clone, Debug)]
struct Command {
    run: fn(&mut dyn Sys, &[String]) -> i32,
    args: Args,
}

impl Program for Command {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        Next::Exit((self.run)(sys, &self.args))
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
