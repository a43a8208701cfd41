use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use packet::pcapng::Writer;
use packet::SimTime;
use trace::{Names, Step, StepKind};

use crate::{EPOCH, World};

/// Writes every frame that a device received or sent, in order: one interface per device, the
/// packet's number and direction as comment.
///
/// # Errors
/// Whatever writing the file gives.
pub fn write_capture(world: &World, steps: &[Step], out: impl Write) -> io::Result<()> {
    let mut writer = Writer::new(out)?;
    let mut interfaces = BTreeMap::new();
    for step in steps {
        let (frame, direction) = match &step.kind {
            StepKind::Receive(frame) => (frame, "in"),
            StepKind::Transmit(frame) => (frame, "out"),
            _ => continue,
        };
        let Some(dev) = step.place.dev else { continue };
        let host = step.place.host;
        let interface = match interfaces.get(&(host, dev)) {
            Some(&interface) => interface,
            None => {
                let name = format!("{} {}", world.node(host, step.place.netns), world.dev(host, dev));
                let interface = writer.interface(&name)?;
                interfaces.insert((host, dev), interface);
                interface
            }
        };
        let comment = format!("packet {}, {direction}", step.packet);
        let at = Duration::from_secs(EPOCH) + step.at.since(SimTime::ZERO);
        writer.frame(interface, at, frame, Some(&comment))?;
    }
    Ok(())
}
