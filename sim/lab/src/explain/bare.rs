use std::collections::BTreeMap;

use kernel::request::{LinkAdd, LinkKind, Request};
use kernel::{Device, DeviceKind};
use packet::{DevId, HostId, MacAddr, NetnsId};
use serde::{Serialize, Serializer};
use trace::Off;
use world::{CableOptions, Endpoint, SegmentKind, World};

use crate::error::Problem;

/// A physical NIC of a host that has nothing else: it has a carrier, and nobody is at the other end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BareNic {
    /// Its name.
    pub name: String,
    /// Its address; chosen by the host's random numbers if none is given.
    #[serde(serialize_with = "as_text")]
    pub mac: Option<MacAddr>,
}

fn as_text<S: Serializer>(mac: &Option<MacAddr>, serializer: S) -> Result<S::Ok, S::Error> {
    mac.map(|mac| mac.to_string()).serialize(serializer)
}

/// `NAME` or `NAME=MAC`.
impl std::str::FromStr for BareNic {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, mac) = match text.split_once('=') {
            None => (text, None),
            Some((name, mac)) => {
                let mac = mac.parse().map_err(|_| format!("`{mac}` is no MAC address"))?;
                (name, Some(mac))
            }
        };
        Ok(Self { name: name.to_owned(), mac })
    }
}

impl std::fmt::Display for BareNic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        self.mac.map_or(Ok(()), |mac| write!(f, "={mac}"))
    }
}

/// A world with one host, whose NICs are plugged in.
///
/// # Errors
/// A name or an address that no NIC can have.
pub fn bare_world(seed: u64, name: &str, nics: &[BareNic]) -> Result<World, Problem> {
    let mut world = World::new(seed);
    let host = world.add_host(name, tools::registry());
    for nic in nics {
        let add = LinkAdd { address: nic.mac, ..LinkAdd::new(&nic.name, LinkKind::Nic) };
        world.request(host, NetnsId::INIT, Request::LinkAdd(add), &mut Off).map_err(|refusal| {
            let why = refusal.extack.unwrap_or_else(|| refusal.errno.to_string());
            Problem::Conflict { message: format!("the NIC `{nic}` is refused: {why}"), hint: None }
        })?;
        let segment = world.add_segment(&nic.name, SegmentKind::Switch);
        if let Some(dev) = world.host(host).dev_by_name(NetnsId::INIT, &nic.name) {
            world.plug(segment, Endpoint { host, dev }, CableOptions::default(), &mut Off);
        }
    }
    Ok(world)
}

/// The one host of a bare world.
pub(super) const HOST: HostId = HostId(0);

/// The physical NICs of a host, wherever they are now, in order of creation, by the names that they
/// had at first.
pub(super) fn nics(world: &World, host: HostId) -> Vec<(DevId, BareNic)> {
    let mut first: BTreeMap<DevId, &str> = BTreeMap::new();
    for asked in world.asked(host) {
        if let Request::LinkAdd(LinkAdd { name: Some(name), kind: LinkKind::Nic, .. }) = &asked.request {
            first.extend(asked.devs.iter().map(|dev| (*dev, name.as_str())));
        }
    }
    let devices = world.host(host).devices.iter().flatten();
    let nic = |device: &Device| {
        let name = first.get(&device.id).map_or(device.name.as_str(), |name| *name);
        (device.id, BareNic { name: name.to_owned(), mac: Some(device.mac) })
    };
    devices.filter(|device| matches!(device.kind, DeviceKind::Nic(_))).map(nic).collect()
}
