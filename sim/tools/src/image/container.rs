//! What a container has, whichever engine starts it.

use std::collections::BTreeMap;

use packet::Pid;
use world::{Signal, Sys};

use super::find;
use crate::file;

/// Files of the host that every image has too.
const FILES: &[&str] = &[
    "services",
    "protocols",
    "passwd",
    "os-release",
    "iproute2/rt_tables",
    "iproute2/rt_protos",
    "iproute2/rt_scopes",
    "iproute2/group",
];

/// 64 random hexadecimal digits: a container's id.
pub fn new_id(sys: &mut dyn Sys) -> String {
    (0..4).map(|_| format!("{:016x}", sys.random())).collect()
}

/// Makes what is `/` to a container of the image that `reference` means. Files of the image that
/// are there already stay: somebody changed them in a container that was stopped.
pub fn fill_root(sys: &mut dyn Sys, root: &str, reference: &str) {
    for dir in ["dev", "etc/iproute2", "home", "proc", "root", "run", "sys", "tmp", "var/log"] {
        file::make_dirs(sys, &format!("{root}/{dir}"));
    }
    for name in FILES {
        if let Some(text) = file::read(sys, &format!("/etc/{name}")) {
            file::put(sys, &format!("{root}/etc/{name}"), &text);
        }
    }
    for (path, text) in find(reference).into_iter().flat_map(|image| image.files_of(reference)) {
        let path = format!("{root}{path}");
        if sys.stat(&path).is_err() {
            file::put(sys, &path, &text);
        }
    }
}

/// The environment that every container has.
pub fn environment(hostname: &str) -> BTreeMap<String, String> {
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let all = [("PATH", path), ("HOSTNAME", hostname), ("HOME", "/root")];
    let set = all.into_iter().filter(|(_, value)| !value.is_empty());
    set.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Ends all processes that have this root, but for one.
pub fn kill_all(sys: &mut dyn Sys, root: &str, but: Pid) {
    for pid in sys.processes() {
        if pid != but && sys.root_of_pid(pid).as_deref() == Some(root) {
            let _ = sys.kill(pid, Signal::Kill);
        }
    }
}
