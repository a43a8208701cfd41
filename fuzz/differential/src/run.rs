//! Running a script on the live kernel and in hoplab, and what each case printed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::normalise::Normaliser;
use crate::script::heading;

/// Where scripts are run.
pub struct Runner {
    hoplab: PathBuf,
    parity: PathBuf,
    scratch: PathBuf,
    normaliser: Normaliser,
}

impl Runner {
    /// One that writes its scripts to `scratch`.
    ///
    /// # Errors
    /// If `hoplab` isn't there or `scratch` can't be written.
    pub fn new(hoplab: &Path, scratch: &Path) -> io::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
        fs::create_dir_all(scratch)?;
        Ok(Self {
            hoplab: hoplab.canonicalize()?,
            parity: root.join("tests/parity/parity.py"),
            scratch: scratch.canonicalize()?,
            normaliser: Normaliser::new(),
        })
    }

    fn write(&self, script: &str) -> io::Result<PathBuf> {
        let path = self.scratch.join("case.sh");
        fs::write(&path, script)?;
        Ok(path)
    }

    /// What the live kernel says, normalised.
    ///
    /// # Errors
    /// If it can't be run.
    pub fn live(&self, script: &str) -> io::Result<String> {
        let path = self.write(script)?;
        let output = Command::new("python3").arg(&self.parity).arg("run").arg(&path).output()?;
        if !output.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        Ok(self.normaliser.apply(&String::from_utf8_lossy(&output.stdout)))
    }

    /// What hoplab says, normalised.
    ///
    /// # Errors
    /// If it can't be run.
    pub fn simulated(&self, script: &str) -> io::Result<String> {
        self.write(script)?;
        let output = Command::new("sh")
            .args(["-c", "exec timeout 60 \"$0\" sh case.sh 2>&1"])
            .arg(&self.hoplab)
            .current_dir(&self.scratch)
            .stdin(Stdio::null())
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let end = match output.status.code() {
            Some(status) => format!("[exit {status}]\n"),
            None => "[killed]\n".to_owned(),
        };
        Ok(self.normaliser.apply(&(text + &end)))
    }
}

/// The output of each case, without the last line's exit status; before them the setup's.
pub fn chunks(output: &str, count: usize) -> Vec<String> {
    let mut chunks = vec![String::new()];
    for line in output.lines() {
        if chunks.len() <= count && line == heading(chunks.len() - 1) {
            chunks.push(String::new());
        } else if let Some(chunk) = chunks.last_mut()
            && !line.starts_with("[exit ")
        {
            chunk.push_str(line);
            chunk.push('\n');
        }
    }
    chunks
}

/// The first lines that differ, with their numbers, as a person wants to see them.
pub fn difference(live: &str, simulated: &str) -> String {
    let (live, simulated): (Vec<&str>, Vec<&str>) = (live.lines().collect(), simulated.lines().collect());
    let same = live.iter().zip(&simulated).take_while(|(live, simulated)| live == simulated).count();
    let mut text = String::new();
    for line in &live[same.saturating_sub(3)..same] {
        text.push_str(&format!("    {line}\n"));
    }
    for (name, lines) in [("kernel", &live), ("hoplab", &simulated)] {
        for line in lines.iter().skip(same).take(3) {
            text.push_str(&format!("{name}: {line}\n"));
        }
    }
    text
}
