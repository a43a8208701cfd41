use std::collections::BTreeMap;

use kernel::request::Request;
use kernel::{Device, Host};
use packet::{DevId, HostId, NetnsId};
use trace::Off;
use world::{Object, World};

use super::bare::{self, BareNic, bare_world};
use super::makers::Makers;
use super::{Part, Step};
use crate::error::Problem;
use crate::lab::Lab;

/// The commands of one host while they are written down.
pub(super) struct Draft<'a> {
    pub world: &'a World,
    pub host: HostId,
    /// A host on which every command is tried as soon as it is written down.
    pub bare: World,
    /// The namespaces that live; the first is the initial one.
    pub spaces: Vec<Space>,
    /// The device of the bare host that stands for one of the host.
    pub devs: BTreeMap<DevId, DevId>,
    pub makers: Makers<'a>,
    parts: Vec<Part>,
}

/// A namespace on both hosts.
#[derive(Clone, Debug)]
pub(super) struct Space {
    pub target: NetnsId,
    /// On the bare host, once it is made.
    pub bare: NetnsId,
    /// What it is called; the initial one has no name.
    pub name: Option<String>,
}

impl<'a> Draft<'a> {
    pub fn new(lab: &'a Lab, host: HostId) -> Result<Self, Problem> {
        let world = &lab.world;
        let target = world.host(host);
        let nics = bare::nics(world, host);
        let plain: Vec<BareNic> = nics.iter().map(|(_, nic)| nic.clone()).collect();
        let bare = bare_world(world.seed(), "hoplab", &plain)?;
        let own = |name: &str| bare.host(bare::HOST).dev_by_name(NetnsId::INIT, name);
        let mut devs: BTreeMap<DevId, DevId> =
            nics.iter().filter_map(|(dev, nic)| Some((*dev, own(&nic.name)?))).collect();
        devs.extend(target.get_ns(NetnsId::INIT).map(|init| init.loopback).zip(own("lo")));
        Ok(Self {
            world,
            host,
            bare,
            spaces: vec![Space { target: NetnsId::INIT, bare: NetnsId::INIT, name: None }],
            devs,
            makers: Makers::new(world, host, lab.booted),
            parts: Vec::new(),
        })
    }

    /// The kernel to be explained.
    pub fn target(&self) -> &'a Host {
        self.world.host(self.host)
    }

    /// The kernel on which the commands are tried.
    pub fn bare(&self) -> &Host {
        self.bare.host(bare::HOST)
    }

    /// The device of the bare host that stands for `dev`.
    pub fn twin(&self, dev: DevId) -> Option<&Device> {
        self.bare().get_dev(*self.devs.get(&dev)?)
    }

    /// Which of the namespaces has this id on the host.
    pub fn space_of(&self, netns: NetnsId) -> Option<usize> {
        self.spaces.iter().position(|space| space.target == netns)
    }

    /// All devices of the host in order of creation.
    pub fn devices(&self) -> impl Iterator<Item = &'a Device> + use<'a> {
        self.world.host(self.host).devices.iter().flatten()
    }

    /// Begins a part.
    pub fn part(&mut self, title: &'static str) {
        self.parts.push(Part { title, steps: Vec::new() });
    }

    fn push(&mut self, step: Step) {
        if let Some(part) = self.parts.last_mut() {
            part.steps.push(step);
        }
    }

    /// Says what no command makes.
    pub fn remark(&mut self, text: String) {
        self.push(Step::Remark(text));
    }

    /// Writes a command down and tries it. What made this part of the state is found by the first
    /// of `objects` that anybody asked for.
    pub fn ask(&mut self, space: usize, request: Request, objects: &[Object]) -> bool {
        let by = self.makers.of(objects);
        self.ask_for(space, request, by)
    }

    /// Writes a command down and tries it.
    pub fn ask_for(&mut self, space: usize, request: Request, by: String) -> bool {
        let text = request.to_string();
        match self.try_out(space, request) {
            Ok(()) => {
                self.write(space, &text, by);
                true
            }
            Err(why) => {
                self.remark(format!("refused ({why}): {text}"));
                false
            }
        }
    }

    /// Tries a command on the bare host.
    pub fn try_out(&mut self, space: usize, request: Request) -> Result<(), String> {
        let netns = self.spaces[space].bare;
        let reply = self.bare.request(bare::HOST, netns, request, &mut Off);
        let reply = reply.map_err(|refusal| refusal.extack.unwrap_or_else(|| refusal.errno.to_string()))?;
        match reply.refused.first() {
            Some((_, errno)) => Err(errno.to_string()),
            None => Ok(()),
        }
    }

    /// Writes a command down.
    pub fn write(&mut self, space: usize, text: &str, by: String) {
        let netns = self.spaces[space].name.clone();
        let text = in_netns(text, netns.as_deref());
        self.push(Step::Command { netns, text, by });
    }

    /// The parts that have something to say.
    pub fn finish(self) -> Vec<Part> {
        self.parts.into_iter().filter(|part| !part.steps.is_empty()).collect()
    }
}

/// A command, or several lines of commands, typed in the initial namespace for another one.
fn in_netns(text: &str, netns: Option<&str>) -> String {
    let Some(netns) = netns else { return text.to_owned() };
    let one = |line: &str| match line.split_once(' ') {
        Some((program @ ("ip" | "bridge"), rest)) => format!("{program} -n {netns} {rest}"),
        _ => format!("ip netns exec {netns} {line}"),
    };
    match text.split_once('\n') {
        Some((first, input)) if first.contains("<<") => format!("{}\n{input}", one(first)),
        _ => text.lines().map(one).collect::<Vec<_>>().join("\n"),
    }
}
