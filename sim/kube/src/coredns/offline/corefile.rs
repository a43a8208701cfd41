use std::collections::BTreeMap;

use kernel::Errno;

use crate::coredns::corefile::{Corefile, Error, Outside};
use crate::proxy::input::InputError;

/// A Corefile with its place: a file of its own, or part of a manifest.
#[derive(Clone, Debug)]
pub struct Written {
    /// The file that it is in.
    pub file: String,
    /// What it says.
    pub text: String,
    /// The lines before it, and the columns.
    pub before: (usize, usize),
}

/// Where a ConfigMap's other texts are in CoreDNS's container.
pub const FOLDER: &str = "/etc/coredns";
/// The name that a Corefile has there.
const NAME: &str = "Corefile";

/// The files that a Corefile may name.
#[derive(Clone, Debug, Default)]
pub struct Files(pub BTreeMap<String, String>);

impl Outside for Files {
    fn read(&mut self, path: &str) -> Result<String, Errno> {
        self.0.get(path).cloned().ok_or(Errno::NoEnt)
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let inside = |path: &String| Some(path.strip_prefix(folder)?.strip_prefix('/')?.to_owned());
        self.0.keys().filter_map(inside).filter(|name| !name.contains('/')).collect()
    }

    fn variable(&self, _name: &str) -> Option<String> {
        None
    }
}

impl Written {
    /// Reads it.
    ///
    /// # Errors
    /// What CoreDNS says, with the place that it says.
    pub fn read(&self, files: &mut Files) -> Result<Corefile, InputError> {
        Corefile::read(NAME, &self.text, dns::PORT, files).map_err(|error| self.error(&error))
    }

    fn error(&self, error: &Error) -> InputError {
        let told = error.to_string();
        let (line, message) = place(&told);
        let written = line.and_then(|line| self.text.lines().nth(line.checked_sub(1)?)).unwrap_or_default();
        let column = quoted(&message)
            .and_then(|word| written.find(word))
            .unwrap_or_else(|| written.len() - written.trim_start().len());
        let column = written.get(..column).map_or(0, |before| before.chars().count());
        let (lines, columns) = self.before;
        let hint = match error {
            Error::Refused(_) => None,
            Error::NotSimulated { .. } => Some("leave it out: hoplab doesn't simulate it".to_owned()),
        };
        InputError::At {
            file: self.file.clone(),
            line: lines + line.unwrap_or(1),
            column: columns + column + 1,
            message,
            hint,
        }
    }
}

/// The line that a message of CoreDNS says, and the message without it:
/// `plugin/kubernetes: Corefile:7 - Error during parsing: …`.
fn place(told: &str) -> (Option<usize>, String) {
    let Some((before, rest)) = told.split_once(&format!("{NAME}:")) else { return (None, told.to_owned()) };
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let line = rest[..digits].parse().ok();
    let after =
        rest[digits..].trim_start_matches([' ', '-', ':']).trim_start_matches("Error during parsing: ");
    (line, format!("{before}{after}"))
}

/// The word that a message quotes.
fn quoted(message: &str) -> Option<&str> {
    let mut parts = message.split(['\'', '"', '`']);
    parts.next();
    parts.next().filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_places() {
        for (text, expected) in [
            (".:53 {\n    errors\n    cash 30\n}\n", "m.yaml:13:9: Unknown directive 'cash'"),
            (
                ". {\n    kubernetes cluster.local {\n        pods some\n    }\n}\n",
                "m.yaml:11:5: plugin/kubernetes: wrong value for pods: some,  must be one of: disabled, verified, insecure",
            ),
            (
                ". {\n    kubernetes cluster.local {\n        pod insecure\n    }\n}\n",
                "m.yaml:13:13: plugin/kubernetes: unknown property 'pod'",
            ),
        ] {
            let written = Written { file: "m.yaml".to_owned(), text: text.to_owned(), before: (10, 4) };
            let error = written.read(&mut Files::default()).expect_err("bad");
            assert_eq!(error.to_string(), expected);
        }
    }
}
