use std::fmt;

/// Why a Corefile can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// CoreDNS refuses it, in these words.
    #[error("{0}")]
    Refused(String),
    /// CoreDNS takes it, and it is not simulated.
    #[error("{file}:{line} - hoplab: {what} is not simulated")]
    NotSimulated {
        /// The file.
        file: String,
        /// The line.
        line: u32,
        /// What isn't.
        what: String,
    },
}

impl Error {
    /// What CoreDNS says.
    pub(super) fn refused(text: impl fmt::Display) -> Self {
        Self::Refused(text.to_string())
    }

    /// The same, said by a plugin.
    pub(super) fn in_plugin(self, name: &str) -> Self {
        match self {
            Self::Refused(text) => Self::Refused(format!("plugin/{name}: {text}")),
            other => other,
        }
    }
}
