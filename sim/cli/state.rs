use std::path::PathBuf;

/// Where hoplab keeps what it remembers: `$XDG_STATE_HOME/hoplab`, `~/.local/state/hoplab` by
/// default; nowhere without a home.
pub(crate) fn folder() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")))?;
    Some(state.join("hoplab"))
}
