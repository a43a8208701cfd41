use dns::PORT;

/// What the process was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// `-conf`.
    pub conf: Option<String>,
    /// `-dns.port`, `-p`.
    pub port: u16,
    /// `-quiet`.
    pub quiet: Quiet,
    /// What to do.
    pub task: Task,
}

/// Whether it says what it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quiet {
    /// It does.
    No,
    /// It doesn't.
    Yes,
}

/// What the process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Serves.
    Serve,
    /// Says its version.
    Version,
    /// Lists its plugins.
    Plugins,
}

/// An end before it has begun: what it says, and its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Usage(pub String, pub i32);

const USAGE: &str = "  -conf string
    \tCorefile to load (default \"Corefile\")
  -dns.port string
    \tDefault port (default \"53\")
  -p string
    \tDefault port (default \"53\")
  -pidfile string
    \tPath to write pid file
  -plugins
    \tList installed plugins
  -quiet
    \tQuiet mode (no initialization output)
  -version
    \tShow version
";

impl Options {
    /// Reads the arguments as Go's `flag` does; the first is the program's name.
    pub fn parse(args: &[String]) -> Result<Self, Usage> {
        let program = args.first().map_or("coredns", String::as_str);
        let usage = |why: String| Usage(format!("{why}Usage of {program}:\n{USAGE}"), 2);
        let mut options = Self { conf: None, port: PORT, quiet: Quiet::No, task: Task::Serve };
        let mut rest = args.get(1..).unwrap_or_default().iter();
        while let Some(arg) = rest.next() {
            let Some(flag) = arg.strip_prefix('-').filter(|flag| !flag.is_empty()) else {
                let extra: Vec<&str> = std::iter::once(arg).chain(rest).map(String::as_str).collect();
                return Err(Usage(format!("extra command line arguments: [{}]\n", extra.join(" ")), 1));
            };
            let flag = flag.strip_prefix('-').unwrap_or(flag);
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (flag, None),
            };
            match name {
                "plugins" | "version" | "quiet" => {
                    let is_on = match value {
                        None | Some("1" | "t" | "T" | "true" | "TRUE" | "True") => true,
                        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => false,
                        Some(other) => {
                            let why = "parse error";
                            return Err(usage(format!(
                                "invalid boolean value {other:?} for -{name}: {why}\n"
                            )));
                        }
                    };
                    match name {
                        "quiet" => options.quiet = if is_on { Quiet::Yes } else { Quiet::No },
                        // The version comes first if both are asked for.
                        "version" if is_on => options.task = Task::Version,
                        "plugins" if is_on && options.task == Task::Serve => options.task = Task::Plugins,
                        _ => {}
                    }
                }
                "conf" | "dns.port" | "p" | "pidfile" => {
                    let value = value.or_else(|| rest.next().map(String::as_str));
                    let value = value.ok_or_else(|| usage(format!("flag needs an argument: -{name}\n")))?;
                    match name {
                        "conf" => options.conf = Some(value.to_owned()).filter(|conf| !conf.is_empty()),
                        "pidfile" => {
                            return Err(Usage(
                                "hoplab: CoreDNS flag -pidfile is not simulated\n".to_owned(),
                                1,
                            ));
                        }
                        _ => {
                            options.port = value.parse().map_err(|_| {
                                Usage(format!("listen tcp: address {value}: invalid port\n"), 1)
                            })?;
                        }
                    }
                }
                "h" | "help" => return Err(Usage(usage(String::new()).0, 0)),
                _ => return Err(usage(format!("flag provided but not defined: -{name}\n"))),
            }
        }
        Ok(options)
    }
}
