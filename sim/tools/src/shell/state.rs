use std::collections::BTreeMap;

use packet::Pid;
use world::{Fd, Sys};

use super::ast::Tree;
use super::job::Jobs;

/// A shell variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Variable {
    /// `None` while it is only marked.
    pub value: Option<String>,
    pub exported: bool,
    pub readonly: bool,
}

/// What `set` turns on and off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub errexit: bool,
    pub noglob: bool,
    pub nounset: bool,
    pub xtrace: bool,
    pub verbose: bool,
    pub noexec: bool,
    pub allexport: bool,
}

/// All that a subshell inherits.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// `$0`, and the name in messages.
    pub name: String,
    /// `$1` and on.
    pub params: Vec<String>,
    pub variables: BTreeMap<String, Variable>,
    pub functions: BTreeMap<String, Tree>,
    pub options: Options,
    /// `$?`.
    pub status: i32,
    /// `$$`: a subshell keeps its parent's.
    pub pid: Option<Pid>,
    /// `$!`.
    pub background: Option<Pid>,
    pub jobs: Jobs,
    /// Actions by signal name, `EXIT` or `INT`…; empty text ignores the signal.
    pub traps: BTreeMap<String, String>,
    /// The shell's descriptors: the number in the script, the process's descriptor.
    pub fds: BTreeMap<u32, Fd>,
    /// The line of the command that runs, for messages.
    pub line: usize,
    /// The builtin that runs, for messages.
    pub builtin: Option<String>,
    pub umask: u16,
}

impl State {
    /// The value of a variable.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name)?.value.as_deref()
    }

    /// Sets a variable.
    ///
    /// # Errors
    /// dash's message if it is read only.
    pub(super) fn set(&mut self, name: &str, value: String) -> Result<(), String> {
        let exported = self.options.allexport;
        let variable = self.variables.entry(name.to_owned()).or_default();
        if variable.readonly {
            return Err(format!("{name}: is read only"));
        }
        variable.value = Some(value);
        variable.exported |= exported;
        Ok(())
    }

    /// The environment of a command.
    pub(super) fn environment(&self) -> BTreeMap<String, String> {
        let exported = self.variables.iter().filter(|(_, v)| v.exported);
        exported.filter_map(|(name, v)| Some((name.clone(), v.value.clone()?))).collect()
    }

    /// `$IFS`: blank, tab and newline unless set.
    pub(super) fn separators(&self) -> String {
        self.get("IFS").unwrap_or(" \t\n").to_owned()
    }

    /// The process's descriptor for one of the script's.
    pub(super) fn fd(&self, number: u32) -> Option<Fd> {
        self.fds.get(&number).copied()
    }

    /// The descriptors of a child that inherits them all.
    pub(super) fn child_fds(&self) -> Vec<(Fd, Fd)> {
        self.fds.iter().map(|(&child, &own)| (Fd(child), own)).collect()
    }

    /// Writes a message as dash does: `sh: 3: text`.
    pub(super) fn complain(&self, sys: &mut dyn Sys, message: &str) {
        let builtin = self.builtin.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        self.write(sys, 2, format!("{}: {}: {builtin}{message}\n", self.name, self.line).as_bytes());
    }

    /// Writes to one of the script's descriptors; `false` if nobody reads the pipe any more.
    pub(super) fn write(&self, sys: &mut dyn Sys, number: u32, bytes: &[u8]) -> bool {
        self.fd(number).is_none_or(|fd| write_all(sys, fd, bytes).is_ok())
    }
}

/// Writes all bytes; the error says that nobody reads the pipe any more.
///
/// Simplified: other errors are not reported.
pub(crate) fn write_all(sys: &mut dyn Sys, fd: Fd, bytes: &[u8]) -> Result<(), Closed> {
    match write_checked(sys, fd, bytes) {
        Err(kernel::Errno::Pipe) => Err(Closed),
        _ => Ok(()),
    }
}

/// Writes all bytes.
///
/// Simplified: what a full socket does not take is lost; pipes and files take everything.
///
/// # Errors
/// The kernel's, e.g. `EINVAL` for a setting it does not take.
pub(crate) fn write_checked(sys: &mut dyn Sys, fd: Fd, bytes: &[u8]) -> Result<(), kernel::Errno> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match sys.write(fd, rest) {
            Ok(n) if n > 0 => rest = rest.get(n..).unwrap_or_default(),
            Ok(_) | Err(kernel::Errno::Again) => return Ok(()),
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Nobody reads a pipe any more (`EPIPE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closed;

/// The status of a process that `SIGPIPE` ended.
pub(crate) const BROKEN_PIPE: i32 = 128 + 13;
