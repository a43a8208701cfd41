use std::fmt;

use super::{CreateOptions, Entry, SetType};

/// A change of the sets of a namespace; prints as the command for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetChange {
    /// `create`.
    Create {
        /// Its name.
        name: String,
        /// Its type.
        kind: SetType,
        /// With what.
        options: Box<CreateOptions>,
        /// `-exist`: a set like it is no error.
        exist: bool,
    },
    /// `destroy`: one or all.
    Destroy {
        /// Its name.
        name: Option<String>,
        /// `-exist`: no set is no error.
        exist: bool,
    },
    /// `flush`: one or all.
    Flush {
        /// Its name.
        name: Option<String>,
    },
    /// `rename`.
    Rename {
        /// The old name.
        name: String,
        /// The new one.
        to: String,
    },
    /// `swap`.
    Swap {
        /// One.
        name: String,
        /// The other.
        with: String,
    },
    /// `add`.
    Add {
        /// To which set.
        name: String,
        /// What; a range is many elements.
        entry: Box<Entry>,
        /// `-exist`: an element that is there gets new extensions.
        exist: bool,
    },
    /// `del`.
    Del {
        /// From which set.
        name: String,
        /// What; a range is many elements.
        entry: Box<Entry>,
        /// `-exist`: an element that isn't there is no error.
        exist: bool,
    },
}

impl fmt::Display for SetChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tool = |exist: &bool| if *exist { "ipset -exist" } else { "ipset" };
        match self {
            Self::Create { name, kind, options, exist } => {
                write!(f, "{} create {name} {}", tool(exist), kind.name())?;
                options.write(f, *kind)
            }
            Self::Destroy { name: None, exist } => write!(f, "{} destroy", tool(exist)),
            Self::Destroy { name: Some(name), exist } => write!(f, "{} destroy {name}", tool(exist)),
            Self::Flush { name: None } => f.write_str("ipset flush"),
            Self::Flush { name: Some(name) } => write!(f, "ipset flush {name}"),
            Self::Rename { name, to } => write!(f, "ipset rename {name} {to}"),
            Self::Swap { name, with } => write!(f, "ipset swap {name} {with}"),
            Self::Add { name, entry, exist } => write!(f, "{} add {name} {entry}", tool(exist)),
            Self::Del { name, entry, exist } => write!(f, "{} del {name} {entry}", tool(exist)),
        }
    }
}
