//! The words of a command line, as urfave's `cli` takes them.

/// How it ends. etcd: `etcdctl/ctlv2/command/error.go`.
pub(super) const BAD_ARGS: i32 = 1;
pub(super) const BAD_CONNECTION: i32 = 2;
pub(super) const SERVER_ERROR: i32 = 4;

/// Options of the program, with a value and without.
pub(super) const GLOBAL: (&[&str], &[&str]) = (
    &["output", "o", "peers", "C", "endpoint", "endpoints", "timeout", "total-timeout"],
    &["debug", "no-sync", "version", "v", "help", "h"],
);

/// A command: its name, its options with a value and without.
pub(super) const COMMANDS: &[(&str, &[&str], &[&str])] = &[
    ("ls", &[], &["sort", "recursive", "r", "p", "quorum", "q"]),
    ("get", &[], &["sort", "quorum", "q"]),
    ("set", &["ttl", "swap-with-value", "swap-with-index"], &[]),
    ("mk", &["ttl"], &["in-order"]),
    ("mkdir", &["ttl"], &[]),
    ("setdir", &["ttl"], &[]),
    ("update", &["ttl"], &[]),
    ("updatedir", &["ttl"], &[]),
    ("rm", &["with-value", "with-index"], &["dir", "recursive", "r"]),
    ("rmdir", &[], &[]),
    ("watch", &["after-index"], &["forever", "f", "recursive", "r"]),
    ("member", &[], &[]),
    ("cluster-health", &[], &["forever", "f"]),
];

/// Commands of the real one that are not simulated.
pub(super) const FOREIGN: &[&str] = &["backup", "exec-watch", "user", "role", "auth", "import"];

/// Options and the other words.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    pub name: String,
    pub options: Vec<(String, String)>,
    pub words: Vec<String>,
}

/// Its end: a status, what goes to standard output and to standard error.
pub(super) struct End(pub i32, pub String, pub String);

pub(super) fn fail<T>(status: i32, text: impl Into<String>) -> Result<T, End> {
    Err(End(status, String::new(), text.into()))
}

pub(super) fn required<T>(what: &str) -> Result<T, End> {
    fail(BAD_ARGS, format!("Error:  {what} required\n"))
}

impl Words {
    /// Takes options up to the first other word; answers the rest too. Urfave's `cli`.
    pub fn take(
        &mut self,
        args: &[String],
        valued: &[&str],
        switches: &[&str],
    ) -> Result<Vec<String>, String> {
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let name =
                arg.strip_prefix("--").or_else(|| arg.strip_prefix('-')).filter(|name| !name.is_empty());
            let Some(name) = name else {
                return Ok(std::iter::once(arg).chain(args).cloned().collect());
            };
            let (name, attached) = match name.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (name, None),
            };
            let value = if switches.contains(&name) {
                attached.unwrap_or_else(|| "true".to_owned())
            } else if valued.contains(&name) {
                let next = attached.or_else(|| args.next().cloned());
                next.ok_or_else(|| format!("flag needs an argument: -{name}"))?
            } else {
                return Err(format!("flag provided but not defined: -{name}"));
            };
            self.options.push((name.to_owned(), value));
        }
        Ok(Vec::new())
    }

    pub fn get(&self, names: &[&str]) -> Option<&str> {
        let mut given = self.options.iter().rev();
        given.find(|(name, _)| names.contains(&name.as_str())).map(|(_, value)| value.as_str())
    }

    pub fn on(&self, names: &[&str]) -> bool {
        self.get(names) == Some("true")
    }

    pub fn key(&self) -> Result<String, End> {
        self.words.first().map_or_else(|| required("key"), |key| Ok(key.clone()))
    }

    pub fn number(&self, name: &str) -> Result<u64, End> {
        let text = self.get(&[name]).unwrap_or("0");
        let wrong = || {
            let why = format!("invalid value \"{text}\" for flag -{name}: parse error");
            End(BAD_ARGS, String::new(), format!("Incorrect Usage: {why}\n\n{why}\n"))
        };
        text.parse().map_err(|_| wrong())
    }

    pub fn ttl(&self) -> Result<Vec<(&'static str, String)>, End> {
        Ok(match self.number("ttl")? {
            0 => Vec::new(),
            ttl => vec![("ttl", ttl.to_string())],
        })
    }
}
