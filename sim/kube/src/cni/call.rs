use kernel::Errno;
use packet::NetnsId;
use world::Sys;

use super::error::{CniError, Code};
use super::go_json::{self, Struct};

/// What a plugin is asked for: its environment and standard input. CNI: `skel.CmdArgs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// `CNI_COMMAND`.
    pub command: String,
    /// `CNI_CONTAINERID`.
    pub container_id: String,
    /// `CNI_NETNS`: a path; may be empty for DEL.
    pub netns: String,
    /// `CNI_IFNAME`: the name that the device gets in the container.
    pub ifname: String,
    /// `CNI_ARGS`: `K=V;K2=V2`.
    pub args: String,
    /// `CNI_PATH`: folders of plugins, with colons between.
    pub path: String,
    /// `CNI_NETNS_OVERRIDE`: whether the plugin's own namespace may be the container's.
    pub netns_override: bool,
    /// The configuration.
    pub stdin: String,
}

/// The commands that need a variable.
struct Variable {
    name: &'static str,
    value: String,
    needed_by: &'static [&'static str],
    check: fn(&str) -> Result<(), CniError>,
}

fn invalid(msg: &str) -> CniError {
    CniError::new(Code::InvalidEnvironment, msg)
}

fn anything(_: &str) -> Result<(), CniError> {
    Ok(())
}

/// CNI: `utils.cniReg`.
fn is_plain(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphanumeric())
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

/// CNI: `utils.ValidateContainerID`.
fn check_container_id(id: &str) -> Result<(), CniError> {
    if is_plain(id) { Ok(()) } else { Err(invalid("invalid characters in containerID").with_details(id)) }
}

/// CNI: `utils.ValidateInterfaceName`.
fn check_ifname(name: &str) -> Result<(), CniError> {
    if name.len() > 15 {
        let details = "interface name should be less than 16 characters";
        return Err(invalid("interface name is too long").with_details(details));
    }
    if matches!(name, "." | "..") {
        return Err(invalid("interface name is . or .."));
    }
    if name.chars().any(|c| matches!(c, '/' | ':') || c.is_whitespace()) {
        return Err(invalid("interface name contains / or : or whitespace characters"));
    }
    Ok(())
}

impl Call {
    /// Reads the environment and checks it and the configuration. CNI: `getCmdArgsFromEnv`.
    ///
    /// # Errors
    /// What is missing or bad.
    pub fn from_env(sys: &dyn Sys, stdin: String) -> Result<Self, CniError> {
        let env = |name: &str| sys.env(name).unwrap_or_default();
        let command = env("CNI_COMMAND");
        let variable = |name, needed_by, check| Variable { name, value: env(name), needed_by, check };
        let always: &[&str] = &["ADD", "CHECK", "DEL", "GC", "STATUS"];
        let variables = [
            variable("CNI_CONTAINERID", &["ADD", "CHECK", "DEL"], check_container_id),
            variable("CNI_NETNS", &["ADD", "CHECK"], anything),
            variable("CNI_IFNAME", &["ADD", "CHECK", "DEL"], check_ifname),
            variable("CNI_PATH", always, anything),
        ];
        let mut missing = Vec::new();
        if command.is_empty() {
            missing.push("CNI_COMMAND");
        }
        for Variable { name, value, needed_by, check } in &variables {
            if !needed_by.contains(&command.as_str()) {
                continue;
            }
            if value.is_empty() {
                missing.push(name);
            } else {
                check(value)?;
            }
        }
        if !missing.is_empty() {
            return Err(invalid(&format!("required env variables [{}] missing", missing.join(","))));
        }
        if command != "VERSION" {
            check_config(&stdin)?;
        }
        let [container_id, netns, ifname, path] = variables.map(|variable| variable.value);
        let netns_override = env("CNI_NETNS_OVERRIDE");
        Ok(Self {
            command,
            container_id,
            netns,
            ifname,
            args: env("CNI_ARGS"),
            path,
            netns_override: netns_override == "1" || netns_override.eq_ignore_ascii_case("true"),
            stdin,
        })
    }

    /// The version of the spec that the configuration asks for; 0.1.0 if it doesn't say.
    ///
    /// # Errors
    /// It can't be decoded.
    pub fn version(&self) -> Result<String, CniError> {
        let decoding =
            |msg| CniError::new(Code::Decoding, format!("decoding version from network config: {msg}"));
        let value = go_json::parse(&self.stdin).map_err(decoding)?;
        let go_type = "struct { CNIVersion string \"json:\\\"cniVersion\\\"\" }";
        let fields = Struct::new(&value, "", go_type).map_err(decoding)?;
        let version = fields.string("cniVersion").map_err(decoding)?;
        Ok(if version.is_empty() { "0.1.0".to_owned() } else { version })
    }

    /// The namespace that a path names: `/run/netns/NAME` or `/proc/PID/ns/net`.
    ///
    /// # Errors
    /// Nothing is there: the words of `ns.GetNS`.
    pub fn open_netns(&self, sys: &dyn Sys) -> Result<NetnsId, CniError> {
        find_netns(sys, &self.netns).ok_or_else(|| {
            let path = &self.netns;
            let why = Errno::NoEnt.to_string().to_lowercase();
            CniError::from(format!("failed to open netns {path:?}: failed to Statfs {path:?}: {why}"))
        })
    }

    /// The values of `CNI_ARGS` for the names that `known` lists. CNI: `types.LoadArgs`.
    ///
    /// # Errors
    /// A pair without `=`; a name that isn't known, unless `IgnoreUnknown=1` is among them.
    pub fn load_args(&self, known: &[&str]) -> Result<Vec<(String, String)>, CniError> {
        let mut values = Vec::new();
        let mut unknown = Vec::new();
        let mut ignore_unknown = false;
        for pair in self.args.split(';').filter(|_| !self.args.is_empty()) {
            let Some((key, value)) = pair.split_once('=').filter(|(_, value)| !value.contains('=')) else {
                return Err(CniError::from(format!("ARGS: invalid pair {pair:?}")));
            };
            match key {
                "IgnoreUnknown" => {
                    ignore_unknown = match value.to_lowercase().as_str() {
                        "1" | "true" => true,
                        "0" | "false" => false,
                        other => {
                            return Err(CniError::from(format!(
                                "ARGS: error parsing value of pair {pair:?}: boolean unmarshal error: \
                                 invalid input {other}"
                            )));
                        }
                    };
                }
                key if known.contains(&key) => values.push((key.to_owned(), value.to_owned())),
                _ => unknown.push(format!("{pair:?}")),
            }
        }
        if !unknown.is_empty() && !ignore_unknown {
            return Err(CniError::from(format!("ARGS: unknown args [{}]", unknown.join(" "))));
        }
        Ok(values)
    }
}

/// The namespace that a path names.
pub fn find_netns(sys: &dyn Sys, path: &str) -> Option<NetnsId> {
    if let Some(name) = path.strip_prefix("/var/run/netns/").or_else(|| path.strip_prefix("/run/netns/")) {
        return sys.netns_by_name(name);
    }
    let pid = path.strip_prefix("/proc/")?.strip_suffix("/ns/net")?;
    sys.netns_of_pid(packet::Pid(pid.parse().ok()?))
}

/// CNI: `validateConfig`.
fn check_config(stdin: &str) -> Result<(), CniError> {
    let decoding = |msg| CniError::new(Code::Decoding, format!("error unmarshall network config: {msg}"));
    let value = go_json::parse(stdin).map_err(decoding)?;
    let go_type = "struct { Name string \"json:\\\"name\\\"\" }";
    let name = Struct::new(&value, "", go_type).and_then(|fields| fields.string("name")).map_err(decoding)?;
    if name.is_empty() {
        return Err(CniError::new(Code::InvalidConfig, "missing network name"));
    }
    if !is_plain(&name) {
        let msg = "invalid characters found in network name";
        return Err(CniError::new(Code::InvalidConfig, msg).with_details(name));
    }
    Ok(())
}
