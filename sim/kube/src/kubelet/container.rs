//! Containers as containerd makes and starts them.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Container;
use packet::{NetnsId, Pid};
use tools::file;
use tools::image::{self, Pause, new_id};
use world::{Fd, OpenMode, Spawn, Sys};

use super::env::expand;
use super::record::{Run, root, task};
use super::sandbox::folder;
use super::shim::{Shim, Started};
use super::volume::Mounted;
use crate::time::unix;

/// Lets a path of a container stand for one of the node.
pub fn bind(sys: &mut dyn Sys, source: &str, root: &str, path: &str) {
    let target = format!("{root}/{}", path.trim_matches('/'));
    let is_dir = sys.stat(source).is_ok_and(|stat| stat.kind == world::FileKind::Dir);
    if sys.stat(&target).is_err() {
        if is_dir {
            file::make_dirs(sys, &target);
        } else {
            file::put(sys, &target, "");
        }
    }
    // What the kernel makes up is the same for all.
    let _ = sys.mount(source, &target);
}

/// Removes what is left of a container that has ended.
pub fn remove(sys: &mut dyn Sys, id: &str) {
    let root = root(id);
    image::kill_all(sys, &root, Pid(0));
    sys.unmount_below(&root);
    file::remove_tree(sys, &task(id));
}

/// A container that is to be started.
#[derive(Clone, Debug)]
pub struct Start<'a> {
    /// What it is to be.
    pub container: &'a Container,
    /// The sandbox's id, and where its files lie.
    pub sandbox: &'a str,
    /// The pod's namespace.
    pub netns: NetnsId,
    /// Its environment.
    pub env: BTreeMap<String, String>,
    /// The pod's volumes.
    pub volumes: &'a [Mounted],
    /// The pod's /etc/hosts on the node.
    pub hosts: &'a str,
    /// The host name in it.
    pub hostname: &'a str,
    /// Where its log is to lie.
    pub log: String,
}

/// A container that was started.
#[derive(Clone, Debug)]
pub struct Begun {
    /// It.
    pub run: Run,
    /// The writing end of its standard input, if it has one.
    pub input: Option<Fd>,
}

/// What is to run in a container.
enum Entry {
    Args(Vec<String>),
    /// Nothing that hoplab knows.
    Sleep(Vec<String>),
}

impl Start<'_> {
    /// Starts it.
    ///
    /// # Errors
    /// What containerd and runc say.
    pub fn start(self, sys: &mut dyn Sys) -> Result<Begun, String> {
        let entry = self.entry(sys).map_err(|why| {
            format!(
                "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc \
                 create failed: unable to start container process: {why}: unknown"
            )
        })?;
        let id = new_id(sys);
        let root = root(&id);
        let reference = self.container.image.clone().unwrap_or_default();
        image::fill_root(sys, &root, &reference);
        self.mount(sys, &root);
        // The runtime opens the log before the program says anything.
        file::put(sys, &self.log, "");
        let failed = |errno: kernel::Errno| format!("failed to start containerd task {id:?}: {errno}");
        let tty = self.container.tty == Some(true);
        let pipe = |sys: &mut dyn Sys| if tty { sys.terminal_pipe() } else { sys.pipe() };
        let (output, to_output) = pipe(sys);
        let (error, to_error) = pipe(sys);
        let with_input = self.container.stdin == Some(true);
        let (input, to_input) = match with_input {
            true => {
                let (reader, writer) = pipe(sys);
                (reader, Some(writer))
            }
            false => (sys.open("/dev/null", OpenMode::Read).map_err(failed)?, None),
        };
        let cwd = self.container.working_dir.clone().filter(|dir| !dir.is_empty());
        let cwd = cwd.unwrap_or_else(|| "/".to_owned());
        let code = matches!(entry, Entry::Sleep(_)).then(|| Box::new(Pause) as Box<dyn world::Program>);
        let (Entry::Args(args) | Entry::Sleep(args)) = entry;
        let context = self.container.security_context.as_ref();
        let privileged = context.and_then(|context| context.privileged).unwrap_or(false);
        let mut env = image::environment(self.hostname);
        env.extend(self.env.clone());
        let spawned = sys.spawn(Spawn {
            args,
            code,
            netns: Some(self.netns),
            root: Some(root.clone()),
            cwd: Some(cwd),
            env: Some(env),
            fds: vec![(Fd::STDIN, input), (Fd::STDOUT, to_output), (Fd::STDERR, to_error)],
            confined: Some(!privileged),
            ..Spawn::default()
        });
        let pid = spawned.map_err(failed)?;
        let started = Started { id: &id, pid, root: &root, log: &self.log, output, error, input: to_input };
        let shim = Shim::start(sys, &started).map_err(failed)?;
        for fd in [output, to_output, error, to_error, input] {
            sys.close(fd);
        }
        let run = Run { id, pid: pid.0, shim: shim.0, started: unix(sys), image: reference };
        Ok(Begun { run, input: to_input })
    }

    fn mount(&self, sys: &mut dyn Sys, root: &str) {
        let folder = folder(self.sandbox);
        for name in ["hostname", "resolv.conf"] {
            bind(sys, &format!("{folder}/{name}"), root, &format!("/etc/{name}"));
        }
        let mounts = self.container.volume_mounts.as_deref().unwrap_or_default();
        let hosts_mounted = mounts.iter().any(|mount| mount.mount_path == "/etc/hosts");
        if !hosts_mounted {
            bind(sys, self.hosts, root, "/etc/hosts");
        }
        for mount in mounts {
            let Some(volume) = self.volumes.iter().find(|volume| volume.name == mount.name) else { continue };
            let source = match mount.sub_path.as_deref().filter(|path| !path.is_empty()) {
                Some(path) => format!("{}/{}", volume.path, path.trim_matches('/')),
                None => volume.path.clone(),
            };
            if sys.stat(&source).is_err() {
                file::make_dirs(sys, &source);
            }
            bind(sys, &source, root, &mount.mount_path);
        }
    }

    /// What runs: the container's command, or the image's.
    ///
    /// Simplified: an image that hoplab doesn't know sleeps.
    fn entry(&self, sys: &dyn Sys) -> Result<Entry, String> {
        let reference = self.container.image.as_deref().unwrap_or_default();
        let image = image::find(reference);
        let words = |list: &[&str]| -> Vec<String> { list.iter().map(|word| (*word).to_owned()).collect() };
        let given = |list: &Option<Vec<String>>| -> Option<Vec<String>> {
            let list = list.as_ref().filter(|list| !list.is_empty())?;
            Some(list.iter().map(|word| expand(word, &self.env)).collect())
        };
        let (command, own_args) = (given(&self.container.command), given(&self.container.args));
        let by_image = command.is_none();
        // What an image runs by itself is there, even if hoplab doesn't know it.
        let by_itself =
            image.is_none_or(|image| by_image && (own_args.is_none() || !image.entrypoint.is_empty()));
        let mut args = match &command {
            Some(command) => command.clone(),
            None => image.map_or(Vec::new(), |image| words(image.entrypoint)),
        };
        match own_args {
            Some(more) => args.extend(more),
            None if by_image => args.extend(image.map_or(Vec::new(), |image| words(image.command))),
            None => {}
        }
        let has = |name: &str| sys.registry().get(name).is_some();
        if args.first().is_some_and(|first| has(first)) {
            return Ok(Entry::Args(args));
        }
        match image::program(&args).filter(|args| has(&args[0])) {
            Some(args) => Ok(Entry::Args(args)),
            None if by_itself => {
                Ok(Entry::Sleep(if args.is_empty() { vec!["/entrypoint".to_owned()] } else { args }))
            }
            None => {
                let program = args.first().cloned().unwrap_or_default();
                Err(match program.as_str() {
                    "" => "no command specified".to_owned(),
                    path if path.contains('/') => {
                        format!("exec: {path:?}: stat {path}: no such file or directory")
                    }
                    name => format!("exec: {name:?}: executable file not found in $PATH"),
                })
            }
        }
    }
}
