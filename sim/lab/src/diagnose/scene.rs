use std::collections::BTreeSet;
use std::net::IpAddr;

use packet::{HostId, NetnsId};
use trace::StepKind;
use world::World;

use super::facts::Facts;
use super::follow::Story;
use super::probe::{Probe, Tried};
use super::suspect::Rank;

/// A probe that failed, with what its packets did and what listings say afterwards.
pub(super) struct Scene<'a> {
    /// The network after the probe: its tables and counters show what happened.
    pub facts: Facts<'a>,
    /// The network before it.
    pub before: &'a World,
    /// The probe.
    pub probe: &'a Probe,
    /// What came of it.
    pub tried: &'a Tried,
    /// Where its packets went.
    pub story: Story,
    /// The hosts on the way.
    way: BTreeSet<HostId>,
}

impl<'a> Scene<'a> {
    /// Looks at a failed probe on `world`.
    pub fn new(world: &'a World, probe: &'a Probe, tried: &'a Tried) -> Self {
        let after = tried.ran.as_ref().map_or(world, |ran| &ran.world);
        let story = super::story(world, probe, tried);
        let way = story.hosts().into_iter().map(|(host, _)| host).collect();
        Self { facts: Facts::of(after), before: world, probe, tried, story, way }
    }

    /// The places that matter: those on the way, the target's, then all other hosts.
    pub fn places(&self) -> Vec<(HostId, NetnsId)> {
        let mut places = self.story.hosts();
        for place in self.ends() {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        for host in self.facts.world.hosts() {
            if !places.contains(&(host.id, NetnsId::INIT)) {
                places.push((host.id, NetnsId::INIT));
            }
        }
        places
    }

    /// Where the probe begins and where it should end.
    fn ends(&self) -> Vec<(HostId, NetnsId)> {
        let world = self.facts.world;
        let from = crate::lab::locate(world, &self.probe.from).ok();
        let to = self.target().and_then(|address| self.facts.place_of(address));
        let from = from.map(|spot| (spot.host, spot.netns));
        let nodes =
            [from, to].into_iter().flatten().flat_map(|(host, netns)| [(host, NetnsId::INIT), (host, netns)]);
        nodes.collect()
    }

    /// The address that the probe goes to.
    pub fn target(&self) -> Option<IpAddr> {
        self.probe.way.to().address(self.facts.world).ok()
    }

    /// `rank` for what is on a host of the way, the last one for others.
    pub fn rank(&self, host: HostId, rank: Rank) -> Rank {
        if self.way.contains(&host) || self.ends().iter().any(|(end, _)| *end == host) {
            rank
        } else {
            Rank::Elsewhere
        }
    }

    /// Every address that a packet on the way had as source or destination, outer headers too.
    pub fn addresses(&self) -> Vec<IpAddr> {
        let mut addresses: Vec<IpAddr> = self.target().into_iter().collect();
        let traces = [&self.story.forward, &self.story.reply].into_iter().flatten();
        let steps = traces.flat_map(|trace| trace.hops.iter().flat_map(|hop| &hop.steps));
        for step in steps {
            let Some(ip) = step.frame().and_then(packet::Frame::ip) else { continue };
            for address in [ip.dst(), ip.src()] {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
        }
        addresses
    }

    /// Next hops that the way asked for: host, namespace and address.
    pub fn next_hops(&self) -> Vec<(HostId, NetnsId, IpAddr)> {
        let traces = [&self.story.forward, &self.story.reply].into_iter().flatten();
        let steps = traces.flat_map(|trace| trace.hops.iter().flat_map(|hop| &hop.steps));
        let mut hops = Vec::new();
        for step in steps {
            if let StepKind::Neighbour { addr, .. } = step.kind {
                let hop = (step.place.host, step.place.netns, addr);
                if !hops.contains(&hop) {
                    hops.push(hop);
                }
            }
        }
        hops
    }
}
