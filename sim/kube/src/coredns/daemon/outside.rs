use kernel::Errno;
use world::{FileKind, OpenMode, ReadResult, Sys};

use crate::coredns::corefile::Outside;

/// Files and environment of the process.
pub(super) struct Surroundings<'a>(pub &'a mut dyn Sys);

impl Outside for Surroundings<'_> {
    fn read(&mut self, path: &str) -> Result<String, Errno> {
        if self.0.stat(path)?.kind == FileKind::Dir {
            return Err(Errno::IsDir);
        }
        let fd = self.0.open(path, OpenMode::Read)?;
        let mut bytes = Vec::new();
        while let Ok(ReadResult::Data(more)) = self.0.read(fd, 1 << 16) {
            bytes.extend(more);
        }
        self.0.close(fd);
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let entries = self.0.read_dir(folder).unwrap_or_default();
        entries.into_iter().map(|entry| entry.name).collect()
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.0.env(name)
    }
}
