use world::{Next, Sys};

use super::ast::{Node, Simple};
use super::expand::{Expander, Stop};
use super::frame::{Foreground, Frame, Locals, Outcome, Restore, SimpleFrame};
use super::resolve::{Command, resolve};
use super::state::Variable;
use super::{Shell, builtin};

impl Shell {
    /// Expands a simple command as far as possible, then runs it.
    pub(super) fn simple(
        &mut self,
        sys: &mut dyn Sys,
        mut frame: Box<SimpleFrame>,
        tested: bool,
    ) -> Option<Next> {
        let tree = frame.tree.clone();
        let Node::Simple(simple) = &*tree else { return None };
        if let Err(stop) = self.expand_simple(sys, simple, &mut frame) {
            return self.stop(sys, stop, Frame::Simple(frame), tested);
        }
        let SimpleFrame { args, ready, values, substituted, .. } = *frame;
        self.trace(sys, simple, &values, &args);
        let name = args.first().map_or("", String::as_str);
        let function = self.state.functions.get(name).cloned();
        let special = builtin::is_special(name);
        let found = if function.is_some() && !special { None } else { builtin::find(name) };
        let fds = match self.state.redirect(sys, &ready) {
            Ok(fds) => fds,
            Err(()) => {
                self.state.status = 2;
                if special {
                    return self.fail_silently(sys, 2);
                }
                return self.check_errexit(sys, tested);
            }
        };
        let assignments = simple.assignments.iter().map(|(name, _)| name.clone()).zip(values);
        if args.is_empty() {
            self.state.restore(sys, fds);
            for (name, value) in assignments {
                if let Err(message) = self.state.set(&name, value) {
                    return self.fail(sys, &message);
                }
            }
            if !substituted {
                self.state.status = 0;
            }
            return self.check_errexit(sys, tested);
        }
        if found.is_none() && function.is_none() {
            let extra: Vec<_> = assignments.collect();
            return self.program(sys, args, &extra, fds, tested);
        }
        let mut variables: Locals = Vec::new();
        for (name, value) in assignments {
            let old = self.state.variables.get(&name).cloned();
            if let Err(message) = self.state.set(&name, value) {
                self.state.restore(sys, fds);
                return self.fail(sys, &message);
            }
            if !special {
                variables.push((name.clone(), old));
                self.state.variables.entry(name).or_default().exported = true;
            }
        }
        if let Some(body) = function.filter(|_| found.is_none()) {
            if self.stack.len() > 4000 {
                self.state.restore(sys, fds);
                return self.fail(sys, "Maximum function recursion depth (1000) reached");
            }
            let params = std::mem::replace(&mut self.state.params, args.into_iter().skip(1).collect());
            self.push(Frame::Restore(Box::new(Restore { fds, variables, builtin: false })), tested);
            self.push(Frame::Call { params, locals: Vec::new() }, tested);
            self.push(Frame::Tree(body), tested);
            return None;
        }
        let run = found?;
        if name == "exec" && args.len() == 1 {
            self.state.keep(sys, fds);
            self.state.status = 0;
            return None;
        }
        self.state.builtin = Some(name.to_owned());
        let restore = Restore { fds, variables, builtin: true };
        self.push(Frame::Restore(Box::new(restore)), tested);
        let outcome = run(self, sys, &args);
        self.settle(sys, outcome, special, tested)
    }

    /// Does what a builtin answers.
    fn settle(&mut self, sys: &mut dyn Sys, outcome: Outcome, special: bool, tested: bool) -> Option<Next> {
        match outcome {
            Outcome::Done(status) => {
                self.state.status = status;
                None
            }
            Outcome::Run(frame) => {
                self.push(frame, tested);
                None
            }
            Outcome::Unwind(unwind) => self.unwind(sys, unwind),
            Outcome::Fatal(message) if special => self.fail(sys, &message),
            Outcome::Fatal(message) => {
                self.state.complain(sys, &message);
                self.state.status = 2;
                None
            }
        }
    }

    fn expand_simple(
        &mut self,
        sys: &mut dyn Sys,
        simple: &Simple,
        frame: &mut SimpleFrame,
    ) -> Result<(), Stop> {
        while let Some(word) = simple.words.get(frame.words) {
            let mut expander = Expander { state: &mut self.state, sys, log: &mut frame.log };
            let declares =
                matches!(frame.args.first().map(String::as_str), Some("export" | "readonly" | "local"));
            if declares && word.is_assignment() {
                frame.args.push(expander.text(word)?);
            } else {
                frame.args.extend(expander.fields(word)?);
            }
            frame.words += 1;
        }
        if let Some(stop) = self.expand_redirects(sys, &simple.redirects, &mut frame.ready, &mut frame.log) {
            return Err(stop);
        }
        self.state.line = simple.line;
        while let Some((_, word)) = simple.assignments.get(frame.values.len()) {
            // A bare assignment sees the ones before it.
            if frame.args.is_empty()
                && let Some(((name, _), value)) = simple.assignments.iter().zip(&frame.values).next_back()
            {
                self.state.set(name, value.clone())?;
            }
            let value = Expander { state: &mut self.state, sys, log: &mut frame.log }.text(word)?;
            frame.values.push(value);
        }
        Ok(())
    }

    /// `set -x`.
    fn trace(&mut self, sys: &mut dyn Sys, simple: &Simple, values: &[String], args: &[String]) {
        if !self.state.options.xtrace {
            return;
        }
        let assignments =
            simple.assignments.iter().zip(values).map(|((name, _), value)| format!("{name}={value}"));
        let words: Vec<String> = assignments.chain(args.iter().cloned()).collect();
        let prompt = self.state.get("PS4").unwrap_or("+ ").to_owned();
        self.state.write(sys, 2, format!("{prompt}{}\n", words.join(" ")).as_bytes());
    }

    /// Runs a program: in place of this process if nothing is left to do.
    fn program(
        &mut self,
        sys: &mut dyn Sys,
        args: Vec<String>,
        extra: &[(String, String)],
        fds: super::redirect::SavedFds,
        tested: bool,
    ) -> Option<Next> {
        let last = self.stack.is_empty()
            && self.exiting.is_none()
            && self.state.traps.is_empty()
            && !self.interactive;
        if last && let Some(next) = self.replace(sys, &args, extra) {
            return Some(next);
        }
        let started = self.spawn_program(sys, args, extra);
        self.state.restore(sys, fds);
        let (pids, failed, program) = match started {
            Ok((pid, program)) => (vec![pid], None, program),
            Err(status) => (Vec::new(), Some(status), false),
        };
        self.push(Frame::Foreground(Foreground { pids, failed, replaces: last, program }), tested);
        None
    }

    /// `execve(2)`, if descriptors and environment are already what the program must see.
    pub(super) fn replace(
        &self,
        sys: &mut dyn Sys,
        args: &[String],
        extra: &[(String, String)],
    ) -> Option<Next> {
        let identical = self.state.fds.iter().all(|(&number, fd)| fd.0 == number);
        let mut env = self.state.environment();
        env.extend(extra.iter().cloned());
        if !identical || env != sys.environment() {
            return None;
        }
        let Command::Program(program) = resolve(sys, args.first()?) else { return None };
        let mut args = args.to_vec();
        *args.first_mut()? = program;
        sys.exec(args).ok()?;
        Some(Next::Wait(world::Wait::default()))
    }
}

/// Marks a variable exported or read only.
pub(super) fn mark(variable: &mut Variable, exported: bool) {
    if exported {
        variable.exported = true;
    } else {
        variable.readonly = true;
    }
}
