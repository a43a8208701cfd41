use packet::HostId;
use world::World;

use crate::error::{Problem, nearest};

/// What can be explained.
pub(super) enum Object {
    /// A host.
    Node(HostId),
}

/// Finds `node/HOST`.
pub(super) fn find(world: &World, text: &str) -> Result<Object, Problem> {
    let (kind, name) = text.split_once('/').unwrap_or(("", text));
    match kind {
        "node" => {
            let host = world.host_by_name(name).ok_or_else(|| Problem::Unknown {
                kind: "host",
                name: name.to_owned(),
                hint: nearest(name, world.hosts().map(|host| host.name.as_str())),
            })?;
            Ok(Object::Node(host))
        }
        _ => Err(Problem::Invalid { value: text.to_owned(), expected: "an object such as node/NAME" }),
    }
}
