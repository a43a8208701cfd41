//! The small text and file commands, with GNU wording in the C locale.
//!
//! Read first: `filter.rs`, what the commands that read standard input have in common.

mod files;
mod filter;
mod follow;
mod grep;
mod in_place;
mod plain;
mod process;
mod regex;
mod sed;
mod stream;
mod table;

pub(crate) use follow::contents;
use world::Registry;

/// Installs the text and file commands.
pub fn install(registry: &mut Registry) {
    files::install(registry);
    grep::install(registry);
    plain::install(registry);
    process::install(registry);
    sed::install(registry);
    stream::install(registry);
    table::install(registry);
}
