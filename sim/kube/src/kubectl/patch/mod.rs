//! Patches: JSON merge, JSON, strategic merge, and the three-way merge of `apply`.

mod json;
mod strategic;
mod three_way;

pub use json::{apply as json, merge};
pub use strategic::apply as strategic;
pub use three_way::{Lists, apply as three_way};
