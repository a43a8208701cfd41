use packet::{HostId, NetnsId};
use world::World;

use crate::error::{Problem, nearest};
use crate::lab::{Spot, locate};

/// Finds a host, or a host and what is in a namespace of it: `node/HOST`, `pod/NAME`,
/// `pod/NAMESPACE/NAME`, `HOST/CONTAINER`, `HOST/NAMESPACE`.
pub(super) fn find(world: &World, text: &str) -> Result<(HostId, Option<NetnsId>), Problem> {
    if let Some(name) = text.strip_prefix("node/") {
        let host = world.host_by_name(name).ok_or_else(|| Problem::Unknown {
            kind: "host",
            name: name.to_owned(),
            hint: nearest(name, world.hosts().map(|host| host.name.as_str())),
        })?;
        return Ok((host, None));
    }
    if !text.contains('/') {
        let expected = "an object such as node/NAME or pod/NAME";
        return Err(Problem::Invalid { value: text.to_owned(), expected });
    }
    let Spot { host, netns, .. } = locate(world, text)?;
    if netns == NetnsId::INIT {
        let message = format!("`{text}` has no network of its own");
        let hint = format!("it shares that of node/{}", world.host(host).name);
        return Err(Problem::Conflict { message, hint: Some(hint) });
    }
    Ok((host, Some(netns)))
}
