//! Commands of the real shell: `$ hoplab …`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Commands that only a reader runs; a page shows no output of them.
const READERS: [&str; 7] =
    ["git clone", "cd ", "cargo build", "cargo test", "cargo install", "mdbook", "cargo bench"];

/// Folders of the repository that a command may read.
const FOLDERS: [&str; 3] = ["scenarios", "topologies", "examples"];

/// Whether the command is left to the reader.
pub fn is_readers(command: &str) -> bool {
    READERS.iter().any(|start| command.starts_with(start))
}

/// A folder in which the commands of a page run: it shows the repository's files, and keeps what
/// they write.
pub struct Folder(PathBuf);

impl Folder {
    /// An empty one for a page.
    pub fn new(page: &Path) -> Self {
        let name = page.to_string_lossy().replace('/', "-");
        let folder = std::env::temp_dir().join(format!("hoplab-book-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a temporary folder");
        let root = std::env::current_dir().expect("the repository");
        for name in FOLDERS.into_iter().filter(|name| root.join(name).exists()) {
            symlink(root.join(name), folder.join(name)).expect("a link");
        }
        Self(folder)
    }

    /// Runs a command; answers what it printed, both streams one after the other.
    ///
    /// # Errors
    /// There is no shell.
    pub fn run(&self, command: &str) -> Result<String, String> {
        let command =
            command.replace("cargo run --release -- ", "hoplab ").replace("cargo run -r -- ", "hoplab ");
        let binary = Path::new(env!("CARGO_BIN_EXE_hoplab")).parent().expect("a folder");
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new("sh")
            .args(["-c", &command])
            .current_dir(&self.0)
            .env("PATH", format!("{}:{path}", binary.display()))
            .env("COLUMNS", "100")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
