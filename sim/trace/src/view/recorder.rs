use std::collections::{BTreeMap, BTreeSet};

use packet::{DevId, Frame, HostId, NetnsId, PacketId};

use super::layers::{Layer, LinkHeader, apply, layers};
use super::map::{DeviceKey, DeviceSort, MapDevice, MapHost, MapNamespace, NetworkMap};
use super::report::{
    ChangeReport, CommandReport, DecisionReport, DispositionReport, ExpectationReport, FrameReport,
    HopReport, JSON_VERSION, NearestReport, PacketReport, ParentReport, Recording, RewriteReport,
    RuleContext, SenderReport, StepDetail, StepReport,
};
use super::sentence::{Wording, behind, devices, kernel_function, sentence};
use crate::journey::{Disposition, Trace};
use crate::{
    Around, BridgeCall, Decision, Journeys, Names, Place, Relation, RewriteBy, Step, StepKind, describe,
};

/// Which packets of a recording are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Packets {
    /// The ones that matter: see [`Journeys::subjects`].
    #[default]
    Subjects,
    /// These, and DNS.
    Dns,
    /// Every one that is nobody's continuation.
    All,
    /// The one of this number.
    One(u64),
}

impl Packets {
    /// The ways of the chosen packets, in order of creation. `subjects` are the ones that matter.
    fn choose(self, journeys: &Journeys<'_>, subjects: &BTreeSet<PacketId>) -> Vec<Trace> {
        let wanted = |id: &PacketId| match self {
            Self::Subjects => subjects.contains(id),
            Self::Dns => subjects.contains(id) || journeys.is_dns(*id),
            Self::All => true,
            Self::One(number) => id.0 == number,
        };
        journeys.roots().filter(wanted).filter_map(|id| journeys.trace(id)).collect()
    }

    /// The ways of the chosen packets, in order of creation.
    pub fn of(self, journeys: &Journeys<'_>) -> Vec<Trace> {
        let subjects = match self {
            Self::Subjects | Self::Dns => journeys.subjects().into_iter().collect(),
            Self::All | Self::One(_) => BTreeSet::new(),
        };
        self.choose(journeys, &subjects)
    }
}

/// What was typed and how it ended.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    /// Where.
    pub on: String,
    /// What.
    pub command: String,
    /// What it printed.
    pub output: String,
    /// Exit status, if it ended.
    pub status: Option<i32>,
    /// The packets that matter; found among the steps if none are given.
    pub subjects: Vec<PacketId>,
}

/// Most packets and frames of one command that a recording holds.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Packets.
    pub packets: usize,
    /// Frames.
    pub frames: usize,
}

impl Limits {
    /// No limit.
    pub const NONE: Self = Self { packets: usize::MAX, frames: usize::MAX };
    /// What a page stays handy with.
    pub const PAGE: Self = Self { packets: 300, frames: 3000 };
}

/// Makes a [`Recording`], command after command.
#[derive(Clone, Debug)]
pub struct RecordingBuilder {
    recording: Recording,
    headers: BTreeMap<Vec<Layer>, usize>,
    act: Option<String>,
    packets: Packets,
    limits: Limits,
}

impl RecordingBuilder {
    /// An empty recording.
    pub fn new(title: &str, packets: Packets, limits: Limits) -> Self {
        let recording = Recording {
            version: JSON_VERSION,
            title: title.to_owned(),
            map: NetworkMap::default(),
            commands: Vec::new(),
            headers: Vec::new(),
        };
        Self { recording, headers: BTreeMap::new(), act: None, packets, limits }
    }

    /// Says what is recorded.
    pub fn title(&mut self, title: &str) {
        title.clone_into(&mut self.recording.title);
    }

    /// Begins an act of a scenario.
    pub fn act(&mut self, name: &str) {
        self.act = Some(name.to_owned());
    }

    /// Adds a judged expectation to the last command.
    pub fn expectation(&mut self, text: &str, instead: Option<&str>) {
        if let Some(command) = self.recording.commands.last_mut() {
            command.expectations.push(ExpectationReport {
                text: text.to_owned(),
                held: instead.is_none(),
                instead: instead.map(str::to_owned),
            });
        }
    }

    /// Adds a command with the steps that it caused, in the network as it is after them.
    pub fn command(&mut self, names: &dyn Names, map: NetworkMap, typed: Typed, steps: &[Step]) {
        self.recording.map.merge(map);
        for step in steps {
            self.know(names, step.place);
        }
        let journeys = Journeys::new(steps);
        let subjects: BTreeSet<PacketId> = match typed.subjects.as_slice() {
            [] => journeys.subjects().into_iter().collect(),
            given => given.iter().copied().collect(),
        };
        let mut traces = self.packets.choose(&journeys, &subjects);
        let packets_left_out = traces.len().saturating_sub(self.limits.packets);
        if packets_left_out > 0 {
            // The ones that matter stay.
            let mut room = self.limits.packets.saturating_sub(subjects.len());
            traces.retain(|trace| {
                let take = subjects.contains(&trace.packet) || room > 0;
                room = room.saturating_sub(usize::from(!subjects.contains(&trace.packet)));
                take
            });
        }
        let packets = traces.iter().map(|t| self.packet(names, t, subjects.contains(&t.packet))).collect();
        let frames: Vec<FrameReport> = steps.iter().filter_map(frame_report).collect();
        let frames_left_out = frames.len().saturating_sub(self.limits.frames);
        self.recording.commands.push(CommandReport {
            act: self.act.clone(),
            on: typed.on,
            command: typed.command,
            output: typed.output,
            status: typed.status,
            expectations: Vec::new(),
            packets,
            frames: frames.into_iter().take(self.limits.frames).collect(),
            packets_left_out,
            frames_left_out,
        });
    }

    /// What was recorded.
    pub fn finish(self) -> Recording {
        self.recording
    }

    /// Puts a place that a step mentions on the map, if it was deleted since.
    fn know(&mut self, names: &dyn Names, place: Place) {
        let Some(dev) = place.dev else { return };
        let key = DeviceKey { host: place.host, dev };
        let map = &mut self.recording.map;
        if map.device(key).is_some() {
            return;
        }
        let at = map.hosts.iter().position(|host| host.id == place.host.0).unwrap_or_else(|| {
            map.hosts.push(MapHost {
                id: place.host.0,
                name: names.host(place.host),
                namespaces: Vec::new(),
            });
            map.hosts.len() - 1
        });
        let namespaces = &mut map.hosts[at].namespaces;
        let ns = namespaces.iter().position(|ns| ns.id == place.netns.0).unwrap_or_else(|| {
            let name = names.netns(place.host, place.netns);
            namespaces.push(MapNamespace { id: place.netns.0, name, devices: Vec::new() });
            namespaces.len() - 1
        });
        namespaces[ns].devices.push(MapDevice {
            id: key,
            name: names.dev(place.host, dev),
            kind: DeviceSort::Other,
            mac: String::new(),
            mtu: 0,
            up: false,
            addresses: Vec::new(),
            detail: Some("deleted since".to_owned()),
        });
    }

    fn packet(&mut self, names: &dyn Names, trace: &Trace, subject: bool) -> PacketReport {
        let (host, netns, pid) = trace.sender;
        let mut current: Option<(Frame, LinkHeader)> = None;
        let mut hops = Vec::new();
        for hop in &trace.hops {
            let mut steps = Vec::new();
            for step in &hop.steps {
                match &step.kind {
                    StepKind::Created { frame, .. } => {
                        let bare = frame.src.is_zero() && frame.dst.is_zero();
                        let link = if bare { LinkHeader::None } else { LinkHeader::Ethernet };
                        current = Some(((**frame).clone(), link));
                    }
                    StepKind::Receive(frame) | StepKind::Transmit(frame) => {
                        current = Some(((**frame).clone(), self.link_header(step.place)));
                    }
                    StepKind::Rewrite { changes, .. } => {
                        if let Some((frame, _)) = &mut current {
                            apply(frame, changes);
                        }
                    }
                    _ => {}
                }
                let headers = current.as_ref().map(|(frame, link)| self.intern(layers(frame, *link)));
                steps.push(step_report(step, trace, names, headers));
            }
            hops.push(HopReport {
                node: names.node(hop.host, hop.netns),
                host: hop.host.0,
                namespace: hop.netns.0,
                devices: devices(hop).into_iter().map(|dev| names.dev(hop.host, dev)).collect(),
                steps,
            });
        }
        PacketReport {
            packet: trace.packet.0,
            description: describe(&trace.frame),
            subject,
            sender: SenderReport {
                node: names.node(host, netns),
                process: pid.and_then(|pid| names.process(host, pid)),
            },
            sent_at_ns: trace.sent_at.as_nanos(),
            disposition: disposition(trace.disposition, names),
            hops,
        }
    }

    fn link_header(&self, place: Place) -> LinkHeader {
        let key = place.dev.map(|dev| DeviceKey { host: place.host, dev });
        match key.and_then(|key| self.recording.map.device(key)) {
            Some(device) if !device.kind.has_ethernet() => LinkHeader::None,
            _ => LinkHeader::Ethernet,
        }
    }

    fn intern(&mut self, layers: Vec<Layer>) -> usize {
        if let Some(&at) = self.headers.get(&layers) {
            return at;
        }
        let at = self.recording.headers.len();
        self.recording.headers.push(layers.clone());
        self.headers.insert(layers, at);
        at
    }
}

fn frame_report(step: &Step) -> Option<FrameReport> {
    let (frame, direction) = match &step.kind {
        StepKind::Receive(frame) => (frame, "in"),
        StepKind::Transmit(frame) => (frame, "out"),
        _ => return None,
    };
    Some(FrameReport {
        at_ns: step.at.as_nanos(),
        device_id: DeviceKey { host: step.place.host, dev: step.place.dev? },
        direction,
        packet: step.packet.0,
        bytes: frame.len(),
        description: describe(frame),
    })
}

fn disposition(disposition: Disposition, names: &dyn Names) -> DispositionReport {
    match disposition {
        Disposition::Delivered { host, netns, at } => {
            DispositionReport::Delivered { node: names.node(host, netns), at_ns: at.as_nanos() }
        }
        Disposition::Dropped { host, netns, reason, at } => DispositionReport::Dropped {
            node: names.node(host, netns),
            reason: reason.name(),
            sentence: reason.sentence(),
            at_ns: at.as_nanos(),
        },
        Disposition::Pending => DispositionReport::Pending,
    }
}

/// Where a step's names are looked up.
struct Here<'a> {
    host: HostId,
    netns: NetnsId,
    names: &'a dyn Names,
}

impl Here<'_> {
    fn dev(&self, dev: Option<DevId>) -> Option<String> {
        dev.map(|dev| self.names.dev(self.host, dev))
    }

    fn decision(&self, decision: &Decision) -> DecisionReport {
        match decision {
            Decision::Rule { table, chains, number, text, .. } => DecisionReport::Rule {
                table,
                chains: chains.clone(),
                number: *number,
                text: text.clone(),
                object: behind(chains, self.names),
                context: chains.last().and_then(|chain| {
                    let context = self.context(table, chain, Around::Rule(*number))?;
                    // The rules may have changed since.
                    let at = number.checked_sub(context.first)? as usize;
                    (context.rules.get(at)? == text).then_some(context)
                }),
            },
            Decision::Policy { table, chain, nearest } => DecisionReport::Policy {
                table,
                chain: chain.clone(),
                nearest: nearest
                    .as_ref()
                    .map(|(rule, failed)| NearestReport { rule: rule.clone(), failed: failed.clone() }),
                context: self.context(table, chain, Around::End),
            },
            Decision::Fabric { segment, barrier } => {
                DecisionReport::Fabric { segment: segment.clone(), barrier: barrier.clone() }
            }
        }
    }

    fn context(&self, table: &str, chain: &str, around: Around) -> Option<RuleContext> {
        let window = self.names.rules_near(self.host, self.netns, table, chain, around)?;
        Some(RuleContext {
            chain: chain.to_owned(),
            first: window.first,
            rules: window.rules,
            total: window.total,
            policy: window.policy,
        })
    }
}

fn step_report(step: &Step, trace: &Trace, names: &dyn Names, headers: Option<usize>) -> StepReport {
    let Place { host, netns, dev } = step.place;
    let here = Here { host, netns, names };
    let detail = match &step.kind {
        StepKind::Created { by, parents, .. } => StepDetail::Created {
            process: by.and_then(|pid| names.process(host, pid)),
            parents: parents
                .iter()
                .map(|&(relation, id)| ParentReport { relation: relation_word(relation), packet: id.0 })
                .collect(),
        },
        StepKind::Receive(frame) => StepDetail::Receive { bytes: frame.len() },
        StepKind::Transmit(frame) => StepDetail::Transmit { bytes: frame.len() },
        StepKind::Route { route, gateway, dev } => {
            StepDetail::Route { route: route.clone(), gateway: *gateway, dev: here.dev(*dev) }
        }
        StepKind::Neighbour { addr, mac } => {
            StepDetail::Neighbour { addr: *addr, mac: mac.map(|mac| mac.to_string()) }
        }
        StepKind::Bridge { port, local, flooded } => {
            StepDetail::Bridge { port: here.dev(*port), local: *local, flooded: *flooded }
        }
        StepKind::BridgeNetfilter { hook, physindev, physoutdev, by } => StepDetail::BridgeNetfilter {
            hook: hook.as_str(),
            physindev: here.dev(*physindev),
            physoutdev: here.dev(*physoutdev),
            by: match by {
                BridgeCall::Sysctl => "sysctl",
                BridgeCall::Bridge => "bridge",
            },
        },
        StepKind::SabotageIn => StepDetail::SabotageIn,
        StepKind::Chain { hook, table, rules_visited, decided_by, verdict } => StepDetail::Chain {
            hook: hook.as_str(),
            table,
            rules_visited: *rules_visited,
            verdict,
            decided_by: here.decision(decided_by),
        },
        StepKind::Rule { decision, target } => {
            StepDetail::Rule { target: target.clone(), rule: here.decision(decision) }
        }
        StepKind::Conntrack { state, entry } => StepDetail::Conntrack { state, entry: entry.clone() },
        StepKind::Rewrite { by, changes } => StepDetail::Rewrite {
            by: match by {
                RewriteBy::Nat(rule) => {
                    RewriteReport::Nat { rule: rule.as_ref().map(|rule| here.decision(rule)) }
                }
                RewriteBy::Target(rule) => RewriteReport::Target { rule: here.decision(rule) },
                RewriteBy::Forward => RewriteReport::Forward,
            },
            changes: changes
                .iter()
                .map(|c| ChangeReport { field: c.field, before: c.before.clone(), after: c.after.clone() })
                .collect(),
        },
        StepKind::Encapsulated { outer, overhead } => {
            StepDetail::Encapsulated { outer: outer.0, overhead: *overhead }
        }
        StepKind::Decapsulated { outer } => StepDetail::Decapsulated { outer: outer.0 },
        StepKind::Deliver { to, socket } => StepDetail::Deliver {
            socket: socket.clone(),
            process: to.and_then(|pid| names.process(host, pid)),
        },
        StepKind::Crossing { to_kernel } => StepDetail::Crossing { to_kernel: *to_kernel },
        StepKind::Held(why) => StepDetail::Held { why },
        StepKind::Drop { reason, decided_by } => StepDetail::Drop {
            reason: reason.name(),
            sentence: reason.sentence(),
            decided_by: decided_by.as_ref().map(|decision| here.decision(decision)),
        },
    };
    StepReport {
        at_ns: step.at.as_nanos(),
        packet: step.packet.0,
        device: here.dev(dev),
        device_id: dev.map(|dev| DeviceKey { host, dev }),
        headers,
        function: kernel_function(&step.kind),
        text: sentence(step, &|id| trace.frame_of(id), names, Wording::Brief),
        detail,
    }
}

const fn relation_word(relation: Relation) -> &'static str {
    match relation {
        Relation::Copy => "copy",
        Relation::FragmentOf => "fragment_of",
        Relation::ReassembledFrom => "reassembled_from",
        Relation::Encapsulates => "encapsulates",
        Relation::DecapsulatedFrom => "decapsulated_from",
        Relation::ReplyTo => "reply_to",
        Relation::RelayedBy => "relayed_by",
        Relation::Retransmits => "retransmits",
    }
}
