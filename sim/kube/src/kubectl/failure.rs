use crate::api::manifest::Places;
use crate::api::{ApiError, Invalid, Part, Reason};

/// Why a command ends badly. Kubernetes: `cmdutil.CheckErr`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Something that kubectl says itself, without `error: ` before it.
    Own(String),
    /// What it says, taken as it is.
    Plain(String),
    /// The API server's refusal.
    Server(ApiError),
    /// One of these with where it is in a file.
    Placed(Box<Failure>, Vec<String>),
    /// Several things went wrong.
    Many(Vec<Failure>),
    /// It has said all there is to say.
    Silent(i32),
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Server(error)
    }
}

impl Failure {
    /// A mistake in the command line, with the hint that follows it. Kubernetes: `UsageErrorf`.
    pub fn usage(path: &str, message: impl AsRef<str>) -> Self {
        Self::Own(format!("{}\nSee '{path} -h' for help and examples", message.as_ref()))
    }

    /// What hoplab doesn't do.
    pub fn not_simulated(what: &str) -> Self {
        Self::Plain(format!("hoplab: kubectl {what} is not simulated"))
    }

    /// One of several, or the only one.
    pub fn of(mut all: Vec<Self>) -> Result<(), Self> {
        match all.len() {
            0 => Ok(()),
            1 => Err(all.remove(0)),
            _ => Err(Self::Many(all)),
        }
    }

    /// The refusal with the file that it is about. Kubernetes: `AddSourceToErr`.
    #[must_use]
    pub fn about(self, verb: &str, source: Option<&str>) -> Self {
        let Some(source) = source else { return self };
        let told = |message: &str| format!("error when {verb} {source:?}: {message}");
        match self {
            Self::Server(mut error) => {
                error.message = told(&error.message);
                Self::Server(error)
            }
            Self::Own(message) => Self::Own(told(&message)),
            other => other,
        }
    }

    /// The refusal with the places of the fields that are wrong: hoplab's own lines after kubectl's.
    #[must_use]
    pub fn at(self, source: Option<&str>, places: Option<&Places>) -> Self {
        let (Some(source), Some(places), Self::Server(error)) = (source, places, &self) else { return self };
        let line = |field: &Invalid| {
            let (line, column) = places.place(&field.path, Part::Value);
            format!("hoplab: {source}:{line}:{column}: {}", field.path)
        };
        let lines: Vec<String> = error.fields.iter().map(line).collect();
        if lines.is_empty() { self } else { Self::Placed(Box::new(self), lines) }
    }

    /// The exit status.
    pub const fn status(&self) -> i32 {
        match self {
            Self::Silent(status) => *status,
            _ => 1,
        }
    }

    /// What goes to standard error; empty or with its newline.
    pub fn text(&self) -> String {
        match self {
            Self::Silent(_) => String::new(),
            Self::Server(error) if error.reason == Reason::Invalid => invalid(error),
            Self::Own(message) if !message.starts_with("error: ") => format!("error: {message}\n"),
            Self::Many(all) => all.iter().map(|one| format!("{}\n", one.message())).collect(),
            Self::Placed(one, places) => one.text() + &places.join("\n") + "\n",
            other => format!("{}\n", other.message()),
        }
    }

    /// Kubernetes: `messageForError`.
    pub fn message(&self) -> String {
        match self {
            Self::Server(error) => format!("Error from server ({}): {}", error.reason.name(), error.message),
            Self::Own(message) | Self::Plain(message) => message.clone(),
            Self::Many(all) => all.iter().map(Self::message).collect::<Vec<_>>().join("\n"),
            Self::Placed(one, places) => one.message() + "\n" + &places.join("\n"),
            Self::Silent(_) => String::new(),
        }
    }
}

/// `The Pod "a" is invalid: …`.
fn invalid(error: &ApiError) -> String {
    // The kind and name are those that the server's message begins with.
    let message = match error.message.split_once("\": ") {
        Some((_, rest)) if error.message.starts_with("error when") => rest,
        _ => &error.message,
    };
    let (kind, name) = match message.split_once(" \"") {
        Some((kind, rest)) => {
            (kind.split('.').next().unwrap_or_default(), rest.split_once('"').map_or("", |(name, _)| name))
        }
        None => ("", ""),
    };
    let head = format!("The {kind} {name:?} is invalid");
    match &error.fields[..] {
        [] => format!("{head}\n"),
        [one] => format!("{head}: {one}\n"),
        all => {
            let lines: String = all.iter().map(|field| format!("* {field}\n")).collect();
            format!("{head}: \n{lines}\n")
        }
    }
}
