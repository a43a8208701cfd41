use std::sync::Arc;

use world::{Next, ReadResult, Sys, Wait};

use super::ast::{Node, Redirect, Tree};
use super::expand::{Expander, Log, Stop};
use super::frame::{Foreground, Frame, ReadFrame, Restore, SimpleFrame, Source, SourceKind};
use super::parse::Parser;
use super::redirect::Ready;
use super::{PromptKind, Shell, builtin};

impl Shell {
    /// Runs one step; `None` means that the next one can follow.
    pub(super) fn step(&mut self, sys: &mut dyn Sys) -> Option<Next> {
        if !self.pending.is_empty() && self.can_trap() {
            let signal = self.pending.remove(0);
            if let Some(action) = self.state.traps.get(builtin::signal_name(signal)).filter(|a| !a.is_empty())
            {
                let kind = SourceKind::Trap(self.state.status);
                let source = Source { text: action.as_str().into(), pos: 0, line: 1, kind, ran: false };
                self.push(Frame::Source(source), false);
            }
        }
        let Some(item) = self.stack.pop() else {
            let status = self.exiting.unwrap_or(self.state.status);
            return self.exit(sys, status);
        };
        let tested = item.tested;
        match item.frame {
            Frame::Tree(tree) => self.enter(sys, tree, tested),
            Frame::Source(source) => self.source(sys, source, tested),
            Frame::Seq { tree, next } => {
                let Node::Seq(list) = &*tree else { return None };
                if let Some(command) = list.get(next).cloned() {
                    if next + 1 < list.len() {
                        self.push(Frame::Seq { tree: tree.clone(), next: next + 1 }, tested);
                    }
                    self.push(Frame::Tree(command), tested);
                }
                None
            }
            Frame::Then { wanted, right } => {
                if (self.state.status == 0) == wanted {
                    self.push(Frame::Tree(right), tested);
                }
                None
            }
            Frame::Not => {
                self.state.status = i32::from(self.state.status == 0);
                None
            }
            Frame::If(tree) => {
                let Node::If { then, otherwise, .. } = &*tree else { return None };
                if self.state.status == 0 {
                    self.push(Frame::Tree(then.clone()), tested);
                } else if let Some(otherwise) = otherwise {
                    self.push(Frame::Tree(otherwise.clone()), tested);
                } else {
                    self.state.status = 0;
                }
                None
            }
            Frame::Loop { tree, in_body, status } => {
                let Node::Loop { condition, body, until } = &*tree else { return None };
                if in_body {
                    let status = self.state.status;
                    self.push(Frame::Loop { tree: tree.clone(), in_body: false, status }, tested);
                    self.push(Frame::Tree(condition.clone()), true);
                } else if (self.state.status == 0) == *until {
                    self.state.status = status;
                } else {
                    self.push(Frame::Loop { tree: tree.clone(), in_body: true, status }, tested);
                    self.push(Frame::Tree(body.clone()), tested);
                }
                None
            }
            Frame::ForWords { tree, next, items, log } => self.for_words(sys, tree, next, items, log, tested),
            Frame::For { tree, next, items } => {
                let Node::For { variable, body, .. } = &*tree else { return None };
                let value = items.get(next)?;
                if let Err(message) = self.state.set(variable, value.clone()) {
                    return self.fail(sys, &message);
                }
                let body = body.clone();
                self.push(Frame::For { tree, next: next + 1, items }, tested);
                self.push(Frame::Tree(body), tested);
                None
            }
            Frame::Case { tree, subject, arm, pattern, log } => {
                self.case(sys, tree, subject, (arm, pattern), log, tested)
            }
            Frame::Simple(simple) => self.simple(sys, simple, tested),
            Frame::Redirects { tree, ready, log } => self.redirects(sys, tree, ready, log, tested),
            Frame::Restore(restore) => {
                self.put_back(sys, *restore);
                self.check_errexit(sys, tested)
            }
            Frame::Call { params, locals } => {
                self.end_call(params, locals);
                None
            }
            Frame::Foreground(job) => self.wait_foreground(sys, job, tested),
            Frame::Substitution { fd, pid, output } => self.collect(sys, fd, pid, output),
            Frame::Pause => Some(Next::Wait(Wait::until(sys.now()))),
            Frame::Read(read) => self.read(sys, read, tested),
            Frame::WaitJobs { pids, all } => self.wait_jobs(sys, pids, all, tested),
        }
    }

    /// Whether the action of a trap can run now: not while a command is waited for.
    fn can_trap(&self) -> bool {
        !matches!(
            self.stack.last().map(|i| &i.frame),
            Some(Frame::Foreground(_) | Frame::Substitution { .. } | Frame::Read(_) | Frame::WaitJobs { .. })
        )
    }

    fn enter(&mut self, sys: &mut dyn Sys, tree: Tree, tested: bool) -> Option<Next> {
        match &*tree {
            Node::Simple(simple) => {
                self.state.line = simple.line;
                let words = simple.words.len();
                self.push(
                    Frame::Simple(Box::new(SimpleFrame {
                        tree: tree.clone(),
                        words: 0,
                        args: Vec::with_capacity(words),
                        ready: Vec::new(),
                        values: Vec::new(),
                        log: Log::default(),
                        substituted: false,
                    })),
                    tested,
                );
            }
            Node::Pipe(commands) => {
                let job = self.spawn_pipeline(sys, commands, tested, None);
                self.push(Frame::Foreground(job), tested);
            }
            Node::And(left, right) => {
                self.push(Frame::Then { wanted: true, right: right.clone() }, tested);
                self.push(Frame::Tree(left.clone()), true);
            }
            Node::Or(left, right) => {
                self.push(Frame::Then { wanted: false, right: right.clone() }, tested);
                self.push(Frame::Tree(left.clone()), true);
            }
            Node::Not(inner) => {
                self.push(Frame::Not, tested);
                self.push(Frame::Tree(inner.clone()), true);
            }
            Node::Seq(_) => self.push(Frame::Seq { tree, next: 0 }, tested),
            Node::Background(inner, text) => self.spawn_background(sys, inner, text),
            Node::Subshell(body) => {
                if self.subshell && self.stack.is_empty() {
                    self.push(Frame::Tree(body.clone()), tested);
                    return None;
                }
                let started = self.spawn_subshell(sys, body.clone(), tested, &[]);
                self.push_foreground(started.map(|(pid, _)| pid), false, tested);
            }
            Node::Redirected(..) => {
                self.push(Frame::Redirects { tree, ready: Vec::new(), log: Log::default() }, tested)
            }
            Node::If { condition, .. } => {
                self.push(Frame::If(tree.clone()), tested);
                self.push(Frame::Tree(condition.clone()), true);
            }
            Node::Loop { condition, .. } => {
                self.push(Frame::Loop { tree: tree.clone(), in_body: false, status: 0 }, tested);
                self.push(Frame::Tree(condition.clone()), true);
            }
            Node::For { words, line, .. } => {
                self.state.line = *line;
                if words.is_none() {
                    self.state.status = 0;
                    let items = Arc::new(self.state.params.clone());
                    self.push(Frame::For { tree, next: 0, items }, tested);
                } else {
                    self.push(
                        Frame::ForWords { tree, next: 0, items: Vec::new(), log: Log::default() },
                        tested,
                    );
                }
            }
            Node::Case { line, .. } => {
                self.state.line = *line;
                self.push(
                    Frame::Case { tree, subject: None, arm: 0, pattern: 0, log: Log::default() },
                    tested,
                );
            }
            Node::Function { name, body } => {
                self.state.functions.insert(name.clone(), body.clone());
                self.state.status = 0;
            }
        }
        None
    }

    pub(super) fn push_foreground(&mut self, started: Result<packet::Pid, i32>, program: bool, tested: bool) {
        let (pids, failed) = match started {
            Ok(pid) => (vec![pid], None),
            Err(status) => (Vec::new(), Some(status)),
        };
        self.push(Frame::Foreground(Foreground { pids, failed, replaces: false, program }), tested);
    }

    /// Ends a command whose failure may end the script.
    pub(super) fn check_errexit(&mut self, sys: &mut dyn Sys, tested: bool) -> Option<Next> {
        if self.state.options.errexit && !tested && self.state.status != 0 && self.exiting.is_none() {
            return self.exit(sys, self.state.status);
        }
        None
    }

    pub(super) fn put_back(&mut self, sys: &mut dyn Sys, restore: Restore) {
        self.state.restore(sys, restore.fds);
        for (name, old) in restore.variables.into_iter().rev() {
            self.put_variable(name, old);
        }
        if restore.builtin {
            self.state.builtin = None;
        }
    }

    fn put_variable(&mut self, name: String, old: Option<super::state::Variable>) {
        match old {
            Some(variable) => self.state.variables.insert(name, variable),
            None => self.state.variables.remove(&name),
        };
    }

    pub(super) fn end_call(&mut self, params: Vec<String>, locals: super::frame::Locals) {
        self.state.params = params;
        for (name, old) in locals.into_iter().rev() {
            self.put_variable(name, old);
        }
    }

    /// Puts a frame back that needs the output of a command first, or fails.
    pub(super) fn stop(&mut self, sys: &mut dyn Sys, stop: Stop, frame: Frame, tested: bool) -> Option<Next> {
        match stop {
            Stop::Error(message) => self.fail(sys, &message),
            Stop::Command(tree) => {
                self.push(frame, tested);
                self.substitute(sys, tree);
                None
            }
        }
    }

    fn for_words(
        &mut self,
        sys: &mut dyn Sys,
        tree: Tree,
        mut next: usize,
        mut items: Vec<String>,
        mut log: Log,
        tested: bool,
    ) -> Option<Next> {
        let Node::For { words: Some(words), .. } = &*tree else { return None };
        while let Some(word) = words.get(next) {
            let mut expander = Expander { state: &mut self.state, sys, log: &mut log };
            match expander.fields(word) {
                Ok(fields) => items.extend(fields),
                Err(stop) => {
                    return self.stop(
                        sys,
                        stop,
                        Frame::ForWords { tree: tree.clone(), next, items, log },
                        tested,
                    );
                }
            }
            next += 1;
        }
        self.state.status = 0;
        self.push(Frame::For { tree: tree.clone(), next: 0, items: Arc::new(items) }, tested);
        None
    }

    fn case(
        &mut self,
        sys: &mut dyn Sys,
        tree: Tree,
        mut subject: Option<String>,
        at: (usize, usize),
        mut log: Log,
        tested: bool,
    ) -> Option<Next> {
        let Node::Case { subject: word, arms, .. } = &*tree else { return None };
        let (mut arm, mut pattern) = at;
        loop {
            let mut expander = Expander { state: &mut self.state, sys, log: &mut log };
            let Some(text) = &subject else {
                match expander.text(word) {
                    Ok(text) => subject = Some(text),
                    Err(stop) => {
                        return self.stop(
                            sys,
                            stop,
                            Frame::Case { tree: tree.clone(), subject, arm, pattern, log },
                            tested,
                        );
                    }
                }
                continue;
            };
            let Some((patterns, body)) = arms.get(arm) else {
                self.state.status = 0;
                return None;
            };
            let Some(word) = patterns.get(pattern) else {
                (arm, pattern) = (arm + 1, 0);
                continue;
            };
            match expander.pattern(word) {
                Ok(compiled) if compiled.matches(text) => {
                    self.state.status = 0;
                    if let Some(body) = body {
                        self.push(Frame::Tree(body.clone()), tested);
                    }
                    return None;
                }
                Ok(_) => pattern += 1,
                Err(stop) => {
                    return self.stop(
                        sys,
                        stop,
                        Frame::Case { tree: tree.clone(), subject, arm, pattern, log },
                        tested,
                    );
                }
            }
        }
    }

    fn redirects(
        &mut self,
        sys: &mut dyn Sys,
        tree: Tree,
        mut ready: Vec<Ready>,
        mut log: Log,
        tested: bool,
    ) -> Option<Next> {
        let Node::Redirected(body, list) = &*tree else { return None };
        if let Some(stop) = self.expand_redirects(sys, list, &mut ready, &mut log) {
            return self.stop(sys, stop, Frame::Redirects { tree: tree.clone(), ready, log }, tested);
        }
        match self.state.redirect(sys, &ready) {
            Ok(fds) => {
                self.push(Frame::Restore(Box::new(Restore { fds, ..Restore::default() })), true);
                self.push(Frame::Tree(body.clone()), tested);
                None
            }
            Err(()) => {
                self.state.status = 2;
                self.check_errexit(sys, tested)
            }
        }
    }

    /// Expands the redirections that `ready` lacks.
    pub(super) fn expand_redirects(
        &mut self,
        sys: &mut dyn Sys,
        list: &[Redirect],
        ready: &mut Vec<Ready>,
        log: &mut Log,
    ) -> Option<Stop> {
        while let Some(redirect) = list.get(ready.len()) {
            self.state.line = redirect.line;
            match Ready::expand(redirect, &mut Expander { state: &mut self.state, sys, log }) {
                Ok(one) => ready.push(one),
                Err(stop) => return Some(stop),
            }
        }
        None
    }

    fn wait_foreground(&mut self, sys: &mut dyn Sys, job: Foreground, tested: bool) -> Option<Next> {
        let mut status = 0;
        let mut running = Vec::new();
        for &pid in &job.pids {
            match sys.exit_status(pid) {
                Some(ended) => status = ended,
                None => running.push(pid),
            }
        }
        if !running.is_empty() {
            self.push(Frame::Foreground(job), tested);
            return Some(Next::Wait(Wait { pids: running, ..Wait::default() }));
        }
        if job.failed.is_none() && job.program {
            self.tell_signal(sys, status);
        }
        self.state.status = job.failed.unwrap_or(status);
        if job.replaces {
            return self.exit(sys, self.state.status);
        }
        if std::mem::take(&mut self.interrupted) {
            if self.interactive {
                self.state.write(sys, 2, b"\n");
                let status = self.state.status;
                self.abandon(sys, status);
                return None;
            }
            if self.state.status == 130 && !self.state.traps.contains_key("INT") {
                return Some(Next::Exit(130));
            }
        }
        self.check_errexit(sys, tested)
    }

    /// Says which signal ended a program.
    pub(super) fn tell_signal(&self, sys: &mut dyn Sys, status: i32) {
        let text = match status {
            129 => "Hangup\n",
            131 => "Quit\n",
            137 => "Killed\n",
            138 => "User defined signal 1\n",
            143 => "Terminated\n",
            _ => return,
        };
        self.state.write(sys, 2, text.as_bytes());
    }

    fn collect(
        &mut self,
        sys: &mut dyn Sys,
        fd: world::Fd,
        pid: packet::Pid,
        mut output: Vec<u8>,
    ) -> Option<Next> {
        loop {
            match sys.read(fd, 65536) {
                Ok(ReadResult::Data(data)) => output.extend(data),
                Ok(ReadResult::WouldBlock) => {
                    self.push(Frame::Substitution { fd, pid, output }, false);
                    return Some(Next::Wait(Wait { fds: vec![fd], ..Wait::default() }));
                }
                Ok(ReadResult::Eof) | Err(_) => break,
            }
        }
        let Some(status) = sys.exit_status(pid) else {
            self.push(Frame::Substitution { fd, pid, output }, false);
            return Some(Next::Wait(Wait { pids: vec![pid], ..Wait::default() }));
        };
        sys.close(fd);
        self.state.status = status;
        if std::mem::take(&mut self.interrupted) && status == 130 {
            return self.fail_silently(sys, 130);
        }
        output.retain(|&b| b != 0);
        while output.last() == Some(&b'\n') {
            output.pop();
        }
        self.give_output(String::from_utf8_lossy(&output).into_owned());
        None
    }

    fn wait_jobs(
        &mut self,
        sys: &mut dyn Sys,
        pids: Vec<packet::Pid>,
        all: bool,
        tested: bool,
    ) -> Option<Next> {
        if let Some(signal) = self.pending.first() {
            self.state.status = 128 + signal.number();
            return None;
        }
        let running: Vec<_> = pids.iter().copied().filter(|&pid| sys.exit_status(pid).is_none()).collect();
        if !running.is_empty() {
            self.push(Frame::WaitJobs { pids, all }, tested);
            return Some(Next::Wait(Wait { pids: running, ..Wait::default() }));
        }
        self.state.status = 0;
        if all {
            self.state.jobs.0.clear();
        } else if let Some(&last) = pids.last() {
            self.state.status = sys.exit_status(last).unwrap_or(127);
            self.tell_signal(sys, self.state.status);
            if let Some(id) = self.state.jobs.of_pid(last).map(|job| job.id) {
                self.state.jobs.forget(id);
            }
        }
        None
    }

    fn read(&mut self, sys: &mut dyn Sys, mut read: Box<ReadFrame>, tested: bool) -> Option<Next> {
        if !self.pending.is_empty() && read.bytes.is_empty() {
            self.state.status = 128 + self.pending.first().map_or(0, |s| s.number());
            return None;
        }
        let found = loop {
            match sys.read(read.fd, 1) {
                Ok(ReadResult::Data(data)) => {
                    let Some(&byte) = data.first() else { continue };
                    if read.escaped {
                        read.escaped = false;
                        if byte != b'\n' {
                            read.protected.push(read.bytes.len());
                            read.bytes.push(byte);
                        }
                    } else if byte == b'\\' && !read.raw {
                        read.escaped = true;
                    } else if byte == b'\n' {
                        break true;
                    } else if byte != 0 {
                        read.bytes.push(byte);
                    }
                }
                Ok(ReadResult::WouldBlock) => {
                    let fd = read.fd;
                    self.push(Frame::Read(read), tested);
                    return Some(Next::Wait(Wait { fds: vec![fd], ..Wait::default() }));
                }
                Ok(ReadResult::Eof) | Err(_) => break false,
            }
        };
        self.state.status = i32::from(!found);
        match builtin::assign_line(&mut self.state, &read) {
            Ok(()) => None,
            Err(message) => self.fail(sys, &message),
        }
    }

    fn source(&mut self, sys: &mut dyn Sys, mut source: Source, tested: bool) -> Option<Next> {
        if let SourceKind::Input { fd, eof: false, .. } = source.kind {
            let rest = source.text.get(source.pos..).unwrap_or_default();
            if !self.has_whole_command(rest, source.line) {
                return self.read_input(sys, source, fd, tested);
            }
        }
        let mut parser = Parser::new(&source.text, source.pos, source.line);
        let parsed = parser.command_line();
        let (pos, line) = (parser.pos, parser.line);
        match parsed {
            Err(error) => {
                self.state.line = error.reported;
                if source.kind == SourceKind::Eval {
                    self.state.builtin = Some("eval".to_owned());
                }
                self.push(Frame::Source(source), tested);
                self.fail(sys, &error.message)
            }
            Ok(None) => {
                match source.kind {
                    SourceKind::Trap(status) => self.state.status = status,
                    SourceKind::Eval | SourceKind::Dot if !source.ran => self.state.status = 0,
                    SourceKind::Input { .. } if self.interactive && self.prompt.is_none() => {
                        self.state.write(sys, 2, b"\n");
                    }
                    _ => {}
                }
                None
            }
            Ok(Some(tree)) => {
                source.pos = pos;
                source.line = line;
                source.ran |= tree.is_some();
                if let SourceKind::Input { prompted, .. } = &mut source.kind {
                    *prompted = false;
                }
                let rest = source.text.get(pos..).unwrap_or_default();
                let last = rest.trim().is_empty() && source.kind == SourceKind::Script;
                if !last {
                    self.push(Frame::Source(source), tested);
                }
                if let Some(tree) = tree.filter(|_| !self.state.options.noexec) {
                    self.push(Frame::Tree(tree), tested);
                }
                None
            }
        }
    }

    /// Whether a text that is being read begins with a whole command line.
    fn has_whole_command(&self, rest: &str, line: usize) -> bool {
        if !rest.contains('\n') {
            return false;
        }
        let mut parser = Parser::new(rest, 0, line);
        match parser.command_line() {
            Ok(_) => !parser.is_open(),
            Err(error) => !error.incomplete,
        }
    }

    fn read_input(
        &mut self,
        sys: &mut dyn Sys,
        mut source: Source,
        fd: world::Fd,
        tested: bool,
    ) -> Option<Next> {
        let rest = source.text.get(source.pos..).unwrap_or_default().to_owned();
        let SourceKind::Input { eof, prompted, .. } = &mut source.kind else { return None };
        if self.interactive && !*prompted {
            *prompted = true;
            if rest.is_empty() {
                self.report_jobs(sys);
            }
            let kind = if rest.is_empty() { PromptKind::First } else { PromptKind::Continuation };
            let text = match &self.prompt {
                Some(prompt) => (prompt.0)(sys, kind),
                None if kind == PromptKind::First => self.state.get("PS1").unwrap_or("# ").to_owned(),
                None => self.state.get("PS2").unwrap_or("> ").to_owned(),
            };
            self.state.write(sys, 2, text.as_bytes());
        }
        match sys.read(fd, 8192) {
            Ok(ReadResult::Data(data)) => {
                source.text = format!("{rest}{}", String::from_utf8_lossy(&data)).into();
                source.pos = 0;
                *prompted = false;
            }
            Ok(ReadResult::WouldBlock) => {
                self.push(Frame::Source(source), tested);
                return Some(Next::Wait(Wait { fds: vec![fd], ..Wait::default() }));
            }
            Ok(ReadResult::Eof) | Err(_) => *eof = true,
        }
        self.push(Frame::Source(source), tested);
        None
    }

    /// Says which background jobs have ended, before a prompt.
    fn report_jobs(&mut self, sys: &mut dyn Sys) {
        let ended: Vec<_> =
            self.state.jobs.0.iter().filter(|job| job.status(sys).is_some()).cloned().collect();
        for job in ended {
            let line = self.state.jobs.line(&job, sys);
            self.state.write(sys, 2, line.as_bytes());
            self.state.jobs.forget(job.id);
        }
    }
}
