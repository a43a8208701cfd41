use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use packet::pcapng::Writer;
use packet::{DevId, Frame, HostId, PacketId, SimTime};
use trace::view::tell;
use trace::{Names, Step, StepKind};

use crate::{EPOCH, World};

/// A pcapng capture of everything that devices received and sent: one interface per device. A
/// frame's comment is the packet's number, and what happened to it until a device saw it again.
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
        let comments = comments(world, steps);
        let mut interfaces: BTreeMap<(HostId, DevId), u32> = BTreeMap::new();
        for (index, step) in steps.iter().enumerate() {
            let (StepKind::Receive(frame) | StepKind::Transmit(frame)) = &step.kind else { continue };
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
            let comment = comments.get(&index).map(String::as_str);
            let at = Duration::from_secs(EPOCH) + step.at.since(SimTime::ZERO);
            self.writer.frame(interface, at, frame, comment)?;
        }
        Ok(())
    }
}

/// The comment of each frame, by the place of its step.
fn comments(world: &World, steps: &[Step]) -> BTreeMap<usize, String> {
    let mut comments: BTreeMap<usize, String> = BTreeMap::new();
    let mut seen: BTreeMap<PacketId, (usize, &Frame)> = BTreeMap::new();
    let mut born: BTreeMap<PacketId, &Frame> = BTreeMap::new();
    for (index, step) in steps.iter().enumerate() {
        let direction = match &step.kind {
            StepKind::Created { frame, .. } => {
                born.insert(step.packet, frame);
                continue;
            }
            StepKind::Receive(frame) => ("in", frame),
            StepKind::Transmit(frame) => ("out", frame),
            _ => {
                let outer = |id| seen.get(&id).map(|&(_, frame)| frame).or_else(|| born.get(&id).copied());
                if let Some(comment) = seen.get(&step.packet).and_then(|(at, _)| comments.get_mut(at)) {
                    comment.push('\n');
                    comment.push_str(&tell(step, &outer, world));
                }
                continue;
            }
        };
        let (direction, frame) = direction;
        seen.insert(step.packet, (index, frame));
        comments.insert(index, format!("packet {}, {direction}", step.packet));
    }
    comments
}
