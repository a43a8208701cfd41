//! SELinux, as far as it keeps containers off a node's files.
//!
//! Simplified: of the targeted policy one rule, that a confined process (`container_t`) writes only
//! what is labelled for containers; files keep the labels that their places give them.

use kernel::Errno;

use crate::node::Node;

/// Whether the system enforces its policy, `1` or `0`; there is no such file where SELinux is
/// disabled.
const ENFORCE: &str = "/sys/fs/selinux/enforce";

/// Folders whose files are labelled `container_file_t`: by `container.fc` of container-selinux, and
/// a pod's volumes, which the kubelet labels.
const OF_CONTAINERS: [&str; 7] = [
    "/opt/local-path-provisioner",
    "/srv/containers",
    "/var/lib/kubelet/pods",
    "/var/lib/kubernetes/pods",
    "/var/lib/origin",
    "/var/local-path-provisioner",
    "/var/srv/containers",
];

impl Node {
    /// Whether a confined process whose root directory is `root` may write at `path`, a place of the
    /// stored tree.
    pub fn may_write(&self, root: &str, path: &str) -> Result<(), Errno> {
        let below = |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        let own = below(root) || OF_CONTAINERS.iter().any(|folder| below(folder));
        let enforces = self.files.read(ENFORCE).is_ok_and(|text| text.starts_with(b"1"));
        if own || !enforces { Ok(()) } else { Err(Errno::Acces) }
    }
}
