//! The CNI plugins: programs that make a container's network when a runtime asks for it.
//!
//! A plugin reads its environment and standard input, acts by requests to the kernel, and prints
//! JSON. [`call`] is the protocol (CNI's `skel`), [`result`] the answer; each plugin has a file.
//! Followed: CNI spec 1.1, plugins 1.9 and 1.1.

mod bandwidth;
mod bridge;
mod call;
mod check;
pub mod cnitool;
mod error;
pub(crate) mod files;
mod firewall;
mod flannel;
pub(crate) mod go_json;
mod host_local;
mod ip_range;
mod ipam;
pub(crate) mod iptables;
pub mod libcni;
pub(crate) mod link;
mod loopback;
mod masquerade;
mod port_chain;
mod portmap;
mod ptp;
mod result;
mod static_ipam;

use serde_json::json;
use world::{Fd, Next, Program, ReadResult, Registry, Sys, Wait};

use call::{Call, find_netns};
pub use error::{CniError, Code};
pub(crate) use link::go_text;

/// A release of the plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// 1.1.1, as Debian 12 ships it.
    V1_1,
    /// 1.9.1.
    V1_9,
}

impl Release {
    /// The folder in which it is installed: upstream's, and Debian's.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::V1_1 => "/usr/lib/cni",
            Self::V1_9 => "/opt/cni/bin",
        }
    }

    /// The release that is installed in a folder; the newest one if the folder is another.
    fn in_folder(folder: &str) -> Self {
        if folder == Self::V1_1.folder() { Self::V1_1 } else { Self::V1_9 }
    }

    /// The versions of the spec that its plugins know.
    const fn spec_versions(self) -> &'static [&'static str] {
        match self {
            Self::V1_1 => &["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0"],
            Self::V1_9 => &["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"],
        }
    }

    fn newest(self) -> &'static str {
        self.spec_versions().last().copied().unwrap_or_default()
    }

    /// Whether `iptables-nft`'s words for a missing chain are understood.
    const fn not_exist(self) -> iptables::NotExist {
        match self {
            Self::V1_1 => iptables::NotExist::Messages,
            Self::V1_9 => iptables::NotExist::AlsoNft,
        }
    }
}

/// One command of a plugin: answers what it prints.
type Action = fn(&mut dyn Sys, Release, &Call) -> Result<String, CniError>;

/// A plugin's commands; a command that it lacks does nothing.
struct Plugin {
    name: &'static str,
    add: Action,
    check: Action,
    del: Action,
    status: Option<Action>,
}

const PLUGINS: [Plugin; 9] = [
    bandwidth::PLUGIN,
    bridge::PLUGIN,
    firewall::PLUGIN,
    flannel::PLUGIN,
    host_local::PLUGIN,
    loopback::PLUGIN,
    portmap::PLUGIN,
    ptp::PLUGIN,
    static_ipam::PLUGIN,
];

impl Plugin {
    fn named(name: &str) -> Option<&'static Self> {
        PLUGINS.iter().find(|plugin| plugin.name == name)
    }
}

/// Installs the plugins of a release. They run by their [`paths`], where files must be too.
pub fn install(registry: &mut Registry, release: Release) {
    for plugin in &PLUGINS {
        let path = format!("{}/{}", release.folder(), plugin.name);
        registry.install(&path, move |_| Box::new(Process { plugin, release, stdin: Vec::new() }));
    }
}

/// The paths of a release's plugins.
pub fn paths(release: Release) -> impl Iterator<Item = String> {
    PLUGINS.iter().map(move |plugin| format!("{}/{}", release.folder(), plugin.name))
}

/// A plugin that runs: it reads its standard input to the end, then acts.
#[derive(Clone)]
struct Process {
    plugin: &'static Plugin,
    release: Release,
    stdin: Vec<u8>,
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}", self.plugin.name, self.release)
    }
}

impl Program for Process {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let reads = !matches!(sys.env("CNI_COMMAND").as_deref(), None | Some("" | "VERSION"));
        if reads {
            loop {
                match sys.read(Fd::STDIN, 65_536) {
                    Ok(ReadResult::Data(bytes)) => self.stdin.extend(bytes),
                    Ok(ReadResult::WouldBlock) => {
                        return Next::Wait(Wait { fds: vec![Fd::STDIN], ..Wait::default() });
                    }
                    Ok(ReadResult::Eof) | Err(_) => break,
                }
            }
        }
        let stdin = String::from_utf8_lossy(&self.stdin).into_owned();
        Next::Exit(main(sys, self.plugin, self.release, stdin))
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// CNI: `skel.PluginMainFuncs`.
fn main(sys: &mut dyn Sys, plugin: &Plugin, release: Release, stdin: String) -> i32 {
    if sys.env("CNI_COMMAND").unwrap_or_default().is_empty() {
        let versions = release.spec_versions().join(", ");
        let about = format!(
            "CNI {} plugin version unknown\nCNI protocol versions supported: {versions}\n",
            plugin.name
        );
        tools::console::write_all(sys, Fd::STDERR, &about);
        return 0;
    }
    let answer = Call::from_env(sys, stdin).and_then(|call| {
        let printed = run(sys, plugin, release, &call)?;
        check_netns(sys, &call)?;
        Ok(printed)
    });
    let (printed, status) = match answer {
        Ok(printed) => (printed, 0),
        Err(error) => (go_json::print(&error.to_json()), 1),
    };
    tools::console::write_all(sys, Fd::STDOUT, &printed);
    status
}

/// Carries a command out.
///
/// # Errors
/// What the plugin prints as JSON.
fn run(sys: &mut dyn Sys, plugin: &Plugin, release: Release, call: &Call) -> Result<String, CniError> {
    let asked = |command: &str, since: &str| -> Result<(), CniError> {
        let version = call.version()?;
        let at_least = at_least(&version, since).map_err(|msg| CniError::new(Code::Decoding, msg))?;
        let allowed = format!("config version does not allow {command}");
        if at_least { Ok(()) } else { Err(CniError::new(Code::IncompatibleVersion, allowed)) }
    };
    let action = match call.command.as_str() {
        "VERSION" => {
            let versions = release.spec_versions();
            let answer = json!({"cniVersion": release.newest(), "supportedVersions": versions});
            return Ok(format!("{answer}\n"));
        }
        "ADD" => Some(plugin.add),
        "DEL" => Some(plugin.del),
        "CHECK" => {
            asked("CHECK", "0.4.0")?;
            Some(plugin.check)
        }
        "STATUS" if release == Release::V1_9 => {
            asked("STATUS", "1.1.0")?;
            plugin.status
        }
        "GC" if release == Release::V1_9 => {
            asked("GC", "1.1.0")?;
            None
        }
        other => {
            let msg = format!("unknown CNI_COMMAND: {other}");
            return Err(CniError::new(Code::InvalidEnvironment, msg));
        }
    };
    let version = call.version()?;
    if !release.spec_versions().contains(&version.as_str()) {
        let known: Vec<String> = release.spec_versions().iter().map(|v| format!("{v:?}")).collect();
        let details = format!("config is {version:?}, plugin supports [{}]", known.join(" "));
        let error = CniError::new(Code::IncompatibleVersion, "incompatible CNI versions");
        return Err(error.with_details(details));
    }
    action.map_or(Ok(String::new()), |action| action(sys, release, call))
}

/// Whether a version of the spec is at least another. CNI: `version.GreaterThanOrEqualTo`.
fn at_least(version: &str, other: &str) -> Result<bool, String> {
    Ok(version_numbers(version)? >= version_numbers(other)?)
}

fn version_numbers(version: &str) -> Result<[i64; 3], String> {
    let parts: Vec<&str> = version.split('.').collect();
    if parts.len() > 3 {
        return Err(format!("invalid version {version:?}: too many parts"));
    }
    let mut numbers = [0; 3];
    for ((number, part), what) in numbers.iter_mut().zip(parts).zip(["major", "minor", "micro"]) {
        *number = part.parse().map_err(|_| {
            format!("failed to convert {what} version part {part:?}: strconv.Atoi: parsing {part:?}: invalid syntax")
        })?;
    }
    Ok(numbers)
}

/// The container's namespace must not be the plugin's own. CNI: `skel`, after ADD and DEL.
fn check_netns(sys: &dyn Sys, call: &Call) -> Result<(), CniError> {
    let is_own = find_netns(sys, &call.netns) == Some(sys.netns());
    if matches!(call.command.as_str(), "ADD" | "DEL") && is_own && !call.netns_override {
        let msg = "plugin's netns and netns from CNI_NETNS should not be the same";
        return Err(CniError::new(Code::InvalidNetns, msg));
    }
    Ok(())
}
