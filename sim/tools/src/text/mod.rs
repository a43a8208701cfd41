//! The small text and file commands, with GNU wording in the C locale.

use world::Registry;

/// Installs the text and file commands.
pub fn install(registry: &mut Registry) {
    registry.install_command("true", |_, _| 0);
    registry.install_command("false", |_, _| 1);
}
