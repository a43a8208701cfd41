//! SELinux, as far as it keeps containers off a node's files.
//!
//! Simplified: of the targeted policy one rule, that a confined process (`container_t`) writes only
//! what is labelled for containers; files keep the labels that their places give them.

use kernel::Errno;

use crate::node::Node;

/// What the system is told to do when it boots.
pub(crate) const CONFIG: &str = "/etc/selinux/config";
/// Whether it enforces its policy, `1` or `0`; there is no such file where SELinux is disabled.
const ENFORCE: &str = "/sys/fs/selinux/enforce";

/// Folders whose files are labelled `container_file_t`.
const OF_CONTAINERS: [&str; 2] = ["/var/lib/containers", "/var/lib/kubelet/pods"];

impl Node {
    /// Does what the text of [`CONFIG`] says.
    pub fn boot_selinux(&mut self, config: &str) {
        let mode = config.lines().find_map(|line| line.trim().strip_prefix("SELINUX="));
        let enforce = match mode.map(str::trim) {
            Some("enforcing") => "1",
            Some("permissive") => "0",
            _ => return,
        };
        self.files.install(ENFORCE, enforce.as_bytes().to_vec());
    }

    /// Whether a confined process whose root directory is `root` may write at `path`, a place of the
    /// stored tree.
    pub fn may_write(&self, root: &str, path: &str) -> Result<(), Errno> {
        let below = |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        let own = below(root) || OF_CONTAINERS.iter().any(|folder| below(folder));
        let enforces = self.files.read(ENFORCE).is_ok_and(|text| text.starts_with(b"1"));
        if own || !enforces { Ok(()) } else { Err(Errno::Acces) }
    }
}
