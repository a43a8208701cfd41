use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use packet::pcapng::Writer;
use packet::{DevId, HostId, SimTime};
use trace::{Names, Step, StepKind};

use crate::{EPOCH, World};

/// A pcapng capture of everything that devices received and sent: one interface per device, the
/// packet's number and direction as comment.
pub struct Capture<W: Write> {
    writer: Writer<W>,
}

impl<W: Write> Capture<W> {
    /// Starts a capture.
    ///
    /// # Errors
    /// Whatever writing to `out` gives.
    pub fn new(out: W) -> io::Result<Self> {
        Ok(Self { writer: Writer::new(out)? })
    }

    /// Adds the frames of a recording, in order. The world gives devices their names.
    ///
    /// # Errors
    /// Whatever writing gives.
    pub fn add(&mut self, world: &World, steps: &[Step]) -> io::Result<()> {
        let mut interfaces: BTreeMap<(HostId, DevId), u32> = BTreeMap::new();
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
                    let interface = self.writer.interface(&name)?;
                    interfaces.insert((host, dev), interface);
                    interface
                }
            };
            let comment = format!("packet {}, {direction}", step.packet);
            let at = Duration::from_secs(EPOCH) + step.at.since(SimTime::ZERO);
            self.writer.frame(interface, at, frame, Some(&comment))?;
        }
        Ok(())
    }
}
