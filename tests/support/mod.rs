//! What several test programs share: running a script in a fresh world, and the normaliser of the
//! recordings.

#![allow(dead_code)]

pub mod normalise;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use packet::{HostId, NetnsId, Pid};
use trace::Observer;
use world::{ConsoleId, Outcome, World};

/// A script that runs on a fresh host.
#[derive(Clone)]
pub struct Running {
    pub world: World,
    host: HostId,
    console: ConsoleId,
    pid: Pid,
}

/// Starts a shell script on a fresh host.
pub fn start_script(name: &str, script: &str, seed: u64) -> Running {
    let mut world = World::new(seed);
    let host = world.add_host("hoplab", tools::registry());
    let console = world.add_console(host, false);
    world.type_input(host, console, None);
    let args = ["sh", "-c", script, name].map(str::to_owned).to_vec();
    let pid =
        world.spawn(host, NetnsId::INIT, console, args, BTreeMap::new()).expect("the shell is installed");
    Running { world, host, console, pid }
}

impl Running {
    /// Runs to the end. Answers both output streams in order, with the exit status as last line, as
    /// the recordings have it.
    pub fn finish<O: Observer>(&mut self, obs: &mut O) -> String {
        let mut output = Vec::new();
        let sink = &mut |_, bytes: &[u8]| output.extend_from_slice(bytes);
        let outcome = self.world.run_to_exit(self.host, self.pid, self.console, obs, sink);
        let mut text = String::from_utf8_lossy(&output).into_owned();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        match outcome {
            Outcome::Exited(status) => text.push_str(&format!("[exit {status}]\n")),
            other => text.push_str(&format!("[{other:?}]\n")),
        }
        text
    }
}

/// Runs a shell script on a fresh host to its end.
pub fn run_script<O: Observer>(name: &str, script: &str, seed: u64, obs: &mut O) -> (World, String) {
    let mut running = start_script(name, script, seed);
    let output = running.finish(obs);
    (running.world, output)
}

/// The files of a folder with this extension, sorted.
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == extension))
        .collect();
    files.sort();
    files
}

/// The scenario files, labs last.
pub fn scenarios() -> Vec<PathBuf> {
    ["scenarios", "scenarios/labs"].iter().flat_map(|folder| files(Path::new(folder), "ron")).collect()
}

/// The scripts of some folders that have a recording.
pub fn scripts(folders: &[&str]) -> Vec<PathBuf> {
    let all = folders.iter().flat_map(|folder| files(Path::new(folder), "sh"));
    all.filter(|path| path.with_extension("out").exists()).collect()
}
