//! Settings under /proc/sys/net.

/// The settings of one namespace that differ from the kernel's defaults.
#[derive(Clone, Debug, Default)]
pub struct Sysctls {}
