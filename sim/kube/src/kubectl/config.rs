//! The kubeconfig file: which API server, which namespace.

use serde_json::Value;
use world::{OpenMode, ReadResult, Sys};

use super::failure::Failure;
use tools::pflag::Parsed;

/// What the kubeconfig file and the options say.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The file; none if there is none.
    pub path: Option<String>,
    /// What it says.
    pub file: Value,
    /// `--context`, or the file's current one.
    pub context: String,
    /// The server's URL; none if nothing says one.
    pub server: Option<String>,
    /// The namespace of what has one.
    pub namespace: String,
    /// Whether the command line says the namespace.
    pub explicit: bool,
}

/// The file if nothing names another. client-go: `RecommendedHomeFile`.
pub fn home_file(sys: &dyn Sys) -> String {
    match sys.env("HOME").filter(|home| !home.is_empty()) {
        Some(home) => format!("{home}/.kube/config"),
        None => ".kube/config".to_owned(),
    }
}

/// Reads a file whole.
pub fn read_file(sys: &mut dyn Sys, path: &str) -> Result<String, kernel::Errno> {
    let fd = sys.open(path, OpenMode::Read)?;
    let mut bytes = Vec::new();
    let outcome = loop {
        match sys.read(fd, 65536) {
            Ok(ReadResult::Data(data)) => bytes.extend(data),
            Ok(ReadResult::Eof | ReadResult::WouldBlock) => break Ok(()),
            Err(errno) => break Err(errno),
        }
    };
    sys.close(fd);
    outcome.map(|()| String::from_utf8_lossy(&bytes).into_owned())
}

/// Replaces a file.
pub fn write_file(sys: &mut dyn Sys, path: &str, text: &str) -> Result<(), kernel::Errno> {
    let fd = sys.open(path, OpenMode::Write)?;
    let outcome = sys.write(fd, text.as_bytes());
    sys.close(fd);
    outcome.map(drop)
}

impl Config {
    /// Finds and reads it.
    ///
    /// # Errors
    /// The file that is named doesn't exist, or is none.
    pub fn load(sys: &mut dyn Sys, flags: &Parsed) -> Result<Self, Failure> {
        let named = flags.get("kubeconfig").map(str::to_owned);
        let from_env = sys.env("KUBECONFIG").filter(|path| !path.is_empty());
        let paths = match (&named, &from_env) {
            (Some(path), _) => vec![path.clone()],
            (None, Some(list)) => list.split(':').map(str::to_owned).collect(),
            (None, None) => vec![home_file(sys)],
        };
        let found = paths.iter().find(|path| sys.stat(path).is_ok()).cloned();
        if let (Some(path), None) = (&named, &found) {
            return Err(Failure::Own(format!("stat {path}: no such file or directory")));
        }
        let mut config = Self { namespace: "default".to_owned(), ..Self::default() };
        if let Some(path) = &found {
            let text = read_file(sys, path)
                .map_err(|errno| Failure::Own(format!("error loading config file {path:?}: {errno}")))?;
            config.file = serde_saphyr::from_str::<Value>(&text).map_err(|error| {
                Failure::Own(format!("error loading config file {path:?}: yaml: {}", error.without_snippet()))
            })?;
        }
        config.path = found;
        let current = config.file["current-context"].as_str().unwrap_or_default();
        config.context = flags.get("context").unwrap_or(current).to_owned();
        let context =
            named_entry(&config.file, "contexts", &config.context).map(|entry| entry["context"].clone());
        if let (None, Some(wanted)) = (&context, flags.get("context")) {
            return Err(Failure::Own(format!("context {wanted:?} does not exist")));
        }
        let context = context.unwrap_or_default();
        let cluster = flags.get("cluster").or_else(|| context["cluster"].as_str()).unwrap_or_default();
        let server = named_entry(&config.file, "clusters", cluster)
            .and_then(|entry| entry.pointer("/cluster/server"))
            .and_then(Value::as_str);
        config.server = flags.get("server").or(server).map(str::to_owned);
        if let Some(namespace) = context["namespace"].as_str() {
            config.namespace = namespace.to_owned();
        }
        if let Some(namespace) = flags.get("namespace") {
            config.namespace = namespace.to_owned();
            config.explicit = true;
        }
        Ok(config)
    }

    /// `HOST:PORT` of the server.
    pub fn host(&self) -> String {
        let server = self.server.as_deref().unwrap_or("http://localhost:8080");
        let (_, rest) = server.split_once("://").unwrap_or(("http", server));
        let host = rest.split('/').next().unwrap_or_default();
        host.to_owned()
    }

    /// Reaches the API server.
    ///
    /// Simplified: what kubectl asks goes there out of band, not in packets.
    ///
    /// # Errors
    /// None runs there.
    pub fn connect(&self, sys: &dyn Sys) -> Result<(), Failure> {
        let host = self.host();
        let runs = sys.store().get("/cluster/apiserver").and_then(world::Entry::get::<std::net::SocketAddr>);
        let reached = self.server.is_some() && runs.is_some_and(|at| is_at(&host, *at));
        if reached {
            return Ok(());
        }
        Err(Failure::Plain(format!(
            "The connection to the server {host} was refused - did you specify the right host or port?"
        )))
    }
}

/// Whether a server that listens there answers to `host`; a name is taken to be its name.
fn is_at(host: &str, server: std::net::SocketAddr) -> bool {
    let (name, port) = host.rsplit_once(':').unwrap_or((host, "443"));
    let right_port = port.parse() == Ok(server.port());
    let right_host = match name.parse::<std::net::IpAddr>() {
        Ok(ip) => ip == server.ip() || server.ip().is_unspecified(),
        Err(_) => true,
    };
    right_port && right_host
}

/// The entry of that name in a list of the file.
pub fn named_entry<'a>(file: &'a Value, list: &str, name: &str) -> Option<&'a Value> {
    file[list].as_array()?.iter().find(|entry| entry["name"].as_str() == Some(name))
}
