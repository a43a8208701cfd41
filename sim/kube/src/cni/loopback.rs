//! `loopback`: brings lo up. Plugins: `plugins/main/loopback`.

use kernel::request::LinkChange;
use world::Sys;

use super::call::{Call, find_netns};
use super::check::previous;
use super::link::{self, go_text};
use super::result::{CniResult, Interface, IpConfig};
use super::{CniError, Plugin, Release};

pub(super) const PLUGIN: Plugin = Plugin { name: "loopback", add, check, del, status: None };

const LO: &str = "lo";

fn add(sys: &mut dyn Sys, release: Release, call: &Call) -> Result<String, CniError> {
    let version = call.version()?;
    let previous = previous(call)?;
    let container = call.open_netns(sys)?;
    link::set(sys, container, LO, LinkChange::Up(true)).map_err(go_text)?;
    let addresses = link::addresses(sys, container, LO);
    if let Some(other) = addresses.iter().find(|address| !address.addr().is_loopback()) {
        let ip = other.addr().to_string();
        return Err(format!("loopback interface found with non-loopback address {ip:?}").into());
    }
    if let Some(previous) = previous {
        return Ok(previous.print(&version, release)?);
    }
    let lo = Interface {
        name: LO.to_owned(),
        mac: "00:00:00:00:00:00".to_owned(),
        mtu: 0,
        sandbox: call.netns.clone(),
    };
    let ips = addresses.first().map(|&address| IpConfig { interface: Some(0), address, gateway: None });
    let result = CniResult { interfaces: vec![lo], ips: ips.into_iter().collect(), ..CniResult::default() };
    Ok(result.print_as_newest(&version, release))
}

fn check(sys: &mut dyn Sys, _: Release, call: &Call) -> Result<String, CniError> {
    const IFF_UP: u32 = 1;
    let container = call.open_netns(sys)?;
    match link::find(sys, container, LO) {
        None => Err("Link not found".to_owned().into()),
        Some(lo) if lo.flags & IFF_UP == 0 => Err("loopback interface is down".to_owned().into()),
        Some(_) => Ok(String::new()),
    }
}

fn del(sys: &mut dyn Sys, _: Release, call: &Call) -> Result<String, CniError> {
    if let Some(container) = find_netns(sys, &call.netns) {
        link::set(sys, container, LO, LinkChange::Up(false)).map_err(go_text)?;
    }
    Ok(String::new())
}
