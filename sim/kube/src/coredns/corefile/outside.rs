use kernel::Errno;

/// What a Corefile may refer to: files and the environment.
pub trait Outside {
    /// The whole of a file.
    ///
    /// # Errors
    /// `ENOENT`, `EISDIR`…
    fn read(&mut self, path: &str) -> Result<String, Errno>;
    /// The names in a directory, sorted; none if there is no such directory.
    fn list(&self, folder: &str) -> Vec<String>;
    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<String>;
}
