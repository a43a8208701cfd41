use packet::Pid;
use world::{Fd, OpenMode, Spawn, Sys};

use super::ast::{Node, Simple, Target, Tree};
use super::expand::{Expander, Log};
use super::frame::{Foreground, Frame};
use super::redirect::Ready;
use super::resolve::{Command, resolve};
use super::{Item, Shell, builtin};

/// A command that was started, or the status it failed with.
pub(super) type Started = Result<(Pid, bool), i32>;

impl Shell {
    /// Starts a subshell that runs `tree`; `fds` differ from the shell's.
    pub(super) fn spawn_subshell(
        &self,
        sys: &mut dyn Sys,
        tree: Tree,
        tested: bool,
        fds: &[(u32, Fd)],
    ) -> Started {
        let mut state = self.state.clone();
        state.jobs = super::job::Jobs::default();
        state.traps.retain(|_, action| action.is_empty());
        for &(number, fd) in fds {
            state.fds.insert(number, fd);
        }
        let descriptors = state.child_fds();
        state.fds = state.fds.keys().map(|&n| (n, Fd(n))).collect();
        let outer_loop = self.outer_loop
            || self.stack.iter().any(|i| matches!(i.frame, Frame::Loop { .. } | Frame::For { .. }));
        let shell = Self {
            args: Vec::new(),
            started: false,
            stack: vec![Item { frame: Frame::Tree(tree), tested }],
            interactive: false,
            prompt: None,
            subshell: true,
            outer_loop,
            exiting: None,
            pending: Vec::new(),
            interrupted: false,
            state,
        };
        let spawn = Spawn {
            args: vec![self.state.name.clone()],
            code: Some(Box::new(shell)),
            env: Some(self.state.environment()),
            fds: descriptors,
            ..Spawn::default()
        };
        sys.spawn(spawn).map(|pid| (pid, false)).map_err(|_| 2)
    }

    /// Starts a program; says why not.
    pub(super) fn spawn_program(
        &self,
        sys: &mut dyn Sys,
        mut args: Vec<String>,
        extra: &[(String, String)],
    ) -> Started {
        let name = args.first().cloned().unwrap_or_default();
        match resolve(sys, &name) {
            Command::Program(program) => {
                if let Some(first) = args.first_mut() {
                    *first = program;
                }
            }
            Command::Script(path) => {
                args.splice(0..1, ["sh".to_owned(), path]);
            }
            Command::NotFound => {
                self.state.complain(sys, &format!("{name}: not found"));
                return Err(127);
            }
            Command::Denied => {
                self.state.complain(sys, &format!("{name}: Permission denied"));
                return Err(126);
            }
        }
        let mut env = self.state.environment();
        env.extend(extra.iter().cloned());
        let program = !matches!(args.first().map(String::as_str), Some("sh" | "dash"));
        let fds = self.state.child_fds();
        let spawn = Spawn { args, env: Some(env), fds, ..Spawn::default() };
        sys.spawn(spawn).map(|pid| (pid, program)).map_err(|errno| {
            self.state.complain(sys, &format!("{name}: {errno}"));
            126
        })
    }

    /// Starts a command of a pipeline or a background job. A program whose words change nothing
    /// when they are expanded is started directly, so that `$!` is its own process.
    pub(super) fn spawn_tree(
        &mut self,
        sys: &mut dyn Sys,
        tree: &Tree,
        tested: bool,
        fds: &[(u32, Fd)],
    ) -> Started {
        if let Node::Simple(simple) = &**tree
            && is_pure(simple)
            && !self.state.options.nounset
            && !self.state.options.xtrace
            && let Some(started) = self.spawn_simple(sys, simple, fds)
        {
            return started;
        }
        let tree = match &**tree {
            Node::Subshell(body) => body,
            _ => tree,
        };
        self.spawn_subshell(sys, tree.clone(), tested, fds)
    }

    fn spawn_simple(&mut self, sys: &mut dyn Sys, simple: &Simple, fds: &[(u32, Fd)]) -> Option<Started> {
        let line = self.state.line;
        self.state.line = simple.line;
        let mut log = Log::default();
        let mut expander = Expander { state: &mut self.state, sys, log: &mut log };
        let mut args = Vec::new();
        for word in &simple.words {
            args.extend(expander.fields(word).ok()?);
        }
        let mut ready = Vec::new();
        for redirect in &simple.redirects {
            ready.push(Ready::expand(redirect, &mut expander).ok()?);
        }
        let mut extra = Vec::new();
        for (name, word) in &simple.assignments {
            extra.push((name.clone(), expander.text(word).ok()?));
        }
        let name = args.first()?;
        let readonly =
            extra.iter().any(|(name, _)| self.state.variables.get(name).is_some_and(|v| v.readonly));
        if readonly || builtin::find(name).is_some() || self.state.functions.contains_key(name) {
            return None;
        }
        let own = self.state.fds.clone();
        for &(number, fd) in fds {
            self.state.fds.insert(number, fd);
        }
        let started = match self.state.redirect(sys, &ready) {
            Ok(saved) => {
                let started = self.spawn_program(sys, args, &extra);
                self.state.restore(sys, saved);
                started
            }
            Err(()) => Err(2),
        };
        self.state.fds = own;
        self.state.line = line;
        Some(started)
    }

    /// Starts a pipeline; answers its processes and the last one's failure.
    pub(super) fn spawn_pipeline(
        &mut self,
        sys: &mut dyn Sys,
        commands: &[Tree],
        tested: bool,
        stdin: Option<Fd>,
    ) -> Foreground {
        let mut job = Foreground { pids: Vec::new(), failed: None, replaces: false, program: false };
        let mut input = stdin;
        for (i, command) in commands.iter().enumerate() {
            let pipe = (i + 1 < commands.len()).then(|| sys.pipe());
            let mut fds = Vec::new();
            fds.extend(input.map(|fd| (0, fd)));
            fds.extend(pipe.map(|(_, writer)| (1, writer)));
            let started = self.spawn_tree(sys, command, tested, &fds);
            if let Some(fd) = input.filter(|_| i > 0) {
                sys.close(fd);
            }
            if let Some((_, writer)) = pipe {
                sys.close(writer);
            }
            input = pipe.map(|(reader, _)| reader);
            job.failed = None;
            match started {
                Ok((pid, program)) => {
                    job.pids.push(pid);
                    job.program = program;
                }
                Err(status) => job.failed = Some(status),
            }
        }
        job
    }

    /// Starts a background job; its standard input is empty unless the shell is interactive.
    pub(super) fn spawn_background(&mut self, sys: &mut dyn Sys, tree: &Tree, text: &str) {
        let null = if self.interactive { None } else { sys.open("/dev/null", OpenMode::Read).ok() };
        let commands = match &**tree {
            Node::Pipe(commands) => commands.clone(),
            _ => vec![tree.clone()],
        };
        let job = self.spawn_pipeline(sys, &commands, false, null);
        if let Some(fd) = null {
            sys.close(fd);
        }
        self.state.background = job.pids.last().copied().or(self.state.background);
        let last = job.pids.last().copied();
        let id = self.state.jobs.add(job.pids, job.failed, text.to_owned());
        if self.interactive
            && let Some(pid) = last
        {
            self.state.write(sys, 2, format!("[{id}] {pid}\n").as_bytes());
        }
        self.state.status = 0;
    }

    /// Starts a command substitution.
    pub(super) fn substitute(&mut self, sys: &mut dyn Sys, tree: Option<Tree>) {
        let Some(tree) = tree else {
            self.state.status = 0;
            self.give_output(String::new());
            return;
        };
        let (reader, writer) = sys.pipe();
        let started = self.spawn_tree(sys, &tree, false, &[(1, writer)]);
        sys.close(writer);
        match started {
            Ok((pid, _)) => self.push(Frame::Substitution { fd: reader, pid, output: Vec::new() }, false),
            Err(status) => {
                sys.close(reader);
                self.state.status = status;
                self.give_output(String::new());
            }
        }
    }

    /// Hands the output of a command substitution to the word that wants it.
    pub(super) fn give_output(&mut self, text: String) {
        if let Some(log) = self.stack.last_mut().and_then(|item| item.frame.log()) {
            log.push(text);
        }
    }
}

fn is_pure(simple: &Simple) -> bool {
    !simple.words.is_empty()
        && simple.words.iter().all(|word| word.is_pure())
        && simple.assignments.iter().all(|(_, word)| word.is_pure())
        && simple.redirects.iter().all(|redirect| match &redirect.target {
            Target::Read(w)
            | Target::Write(w)
            | Target::Append(w)
            | Target::ReadWrite(w)
            | Target::Duplicate(w) => w.is_pure(),
            Target::Here(body) => body.get().is_none_or(|w| w.is_pure()),
        })
}
