//! Sending requests and wording refusals as iproute2 does.

use kernel::request::{LinkChange, NetnsRef, Request};
use kernel::{Errno, Refusal};
use packet::{NetnsId, Pid};
use world::Sys;

use crate::console::Stop;

/// What iproute2 prints for a refused request, with its newline.
pub fn refusal_text(refusal: &Refusal) -> String {
    match &refusal.extack {
        Some(sentence) => format!("Error: {sentence}\n"),
        None => format!("RTNETLINK answers: {}\n", refusal.errno),
    }
}

/// A refusal as a failed function that returns `value`.
pub fn refused(value: i32, refusal: &Refusal) -> Stop {
    Stop { text: refusal_text(refusal), end: crate::console::End::Return(value) }
}

/// Sends requests in order; the first refusal ends them. `value` is what the caller returns then.
pub fn send(sys: &mut dyn Sys, netns: NetnsId, requests: Vec<Request>, value: i32) -> Result<(), Stop> {
    for mut request in requests {
        resolve_pids(sys, &mut request).map_err(|refusal| refused(value, &refusal))?;
        sys.request(netns, request).map_err(|refusal| refused(value, &refusal))?;
    }
    Ok(())
}

/// The kernel room knows no processes: a namespace given by a process becomes its id.
fn resolve_pids(sys: &dyn Sys, request: &mut Request) -> Result<(), Refusal> {
    let resolve = |target: &mut NetnsRef| -> Result<(), Refusal> {
        if let NetnsRef::Pid(pid) = *target {
            let netns = sys.netns_of_pid(Pid(pid)).ok_or(Refusal::from(Errno::Srch))?;
            *target = NetnsRef::Id(netns);
        }
        Ok(())
    };
    let resolve_changes = |changes: &mut [LinkChange]| {
        changes.iter_mut().try_for_each(|change| match change {
            LinkChange::Netns(target) => resolve(target),
            _ => Ok(()),
        })
    };
    match request {
        Request::LinkAdd(add) => {
            add.netns.iter_mut().try_for_each(resolve)?;
            if let kernel::request::LinkKind::Veth { peer } = &mut add.kind {
                peer.netns.iter_mut().try_for_each(resolve)?;
            }
            resolve_changes(&mut add.changes)
        }
        Request::LinkSet { changes, .. } => resolve_changes(changes),
        _ => Ok(()),
    }
}
