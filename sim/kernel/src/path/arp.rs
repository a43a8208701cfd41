use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use packet::{
    Arp, ArpOp, Body, DevId, EtherPayload, Frame, MacAddr, NetnsId, Packet, PacketId, Payload, PktType,
    Proto, Skb,
};
use trace::{DropReason, Observer, Relation, StepKind};

use crate::neigh::Update;
use crate::path::route_input::Received;
use crate::path::{Flow, InputRoute};
use crate::sysctl_keys::{ConfKey, NeighKey};
use crate::{Cx, Fate, Host, InterfaceAddr, Nud, PathResult, RouteKind, Scope, Timer};

impl Host {
    /// Whether a request for `tip` by `sip` is to be ignored on `dev`. Kernel: `net/ipv4/arp.c, arp_ignore`.
    fn arp_ignore(&self, ns: NetnsId, dev: DevId, sip: Ipv4Addr, tip: Ipv4Addr) -> bool {
        match self.in_dev_maxconf(dev, ConfKey::ArpIgnore) {
            1 => !self.inet_confirm_addr([dev], None, tip, Scope::HOST),
            2 => !self.inet_confirm_addr(
                [dev],
                Some(sip).filter(|sip| !sip.is_unspecified()),
                tip,
                Scope::HOST,
            ),
            3 => !self.inet_confirm_addr(self.ns(ns).devices.values().copied(), None, tip, Scope::LINK),
            8 => true,
            _ => false,
        }
    }

    /// Whether `local` is an address of one of `devs` of at most `scope`, in a subnet that holds
    /// `dst` too. Kernel: `net/ipv4/devinet.c, inet_confirm_addr`.
    fn inet_confirm_addr(
        &self,
        devs: impl IntoIterator<Item = DevId>,
        dst: Option<Ipv4Addr>,
        local: Ipv4Addr,
        scope: Scope,
    ) -> bool {
        let local = IpAddr::V4(local);
        let holds = |ifa: &InterfaceAddr, addr: IpAddr| ifa.local.contains(&addr);
        devs.into_iter().any(|dev| {
            let addrs = &self.dev(dev).addrs;
            let widest =
                if self.in_dev_orconf(dev, ConfKey::RouteLocalnet) { Scope::LINK } else { Scope::HOST };
            let own = addrs.iter().any(|ifa| ifa.local.addr() == local && ifa.scope.min(widest) <= scope);
            let same = addrs
                .iter()
                .any(|ifa| holds(ifa, local) && dst.is_none_or(|dst| holds(ifa, IpAddr::V4(dst))));
            own && same
        })
    }

    /// Whether an answer to `sip` would leave by another device. Kernel: `net/ipv4/arp.c, arp_filter`.
    fn arp_filter(
        &self,
        ns: NetnsId,
        dev: DevId,
        sip: Ipv4Addr,
        tip: Ipv4Addr,
        now: packet::SimTime,
    ) -> bool {
        let flow = Flow { src: Some(tip.into()), ..Flow::to(sip.into()) };
        self.ip_route_output(ns, &flow, now).map_or(true, |dst| dst.dev != dev)
    }

    /// Whether unsolicited ARP makes an entry. Kernel: `net/ipv4/arp.c, arp_accept`.
    fn arp_accept(&self, dev: DevId, sip: Ipv4Addr) -> bool {
        match self.in_dev_maxconf(dev, ConfKey::ArpAccept) {
            0 => false,
            // Only from the subnets of the device.
            2 => self.dev(dev).subnet_of(sip.into()).is_some(),
            _ => true,
        }
    }

    /// Whether a primary subnet of `dev` holds both. Kernel: `net/ipv4/devinet.c, inet_addr_onlink`.
    fn inet_addr_onlink(&self, dev: DevId, a: IpAddr, b: IpAddr) -> bool {
        let primaries = self.dev(dev).addrs.iter().filter(|ifa| !ifa.flags.secondary);
        primaries.into_iter().any(|ifa| ifa.local.contains(&a) && ifa.local.contains(&b))
    }
}

impl<O: Observer> Cx<'_, O> {
    /// An ARP message received on `skb.dev`. Kernel: `net/ipv4/arp.c, arp_rcv`.
    pub fn arp_rcv(&mut self, ns: NetnsId, skb: Skb) -> PathResult {
        if skb.pkt_type == PktType::OtherHost {
            return Err(self.dropped(ns, &skb, DropReason::OtherHost));
        }
        if self.host.dev(skb.dev).noarp || skb.pkt_type == PktType::Loopback {
            return Ok(Fate::Consumed);
        }
        self.arp_process(ns, skb, false)
    }

    /// Answers a request that is for us or that we proxy for, and learns from the sender.
    /// Kernel: `net/ipv4/arp.c, arp_process`. `delayed`: it waited in the proxy's queue.
    pub(crate) fn arp_process(&mut self, ns: NetnsId, skb: Skb, delayed: bool) -> PathResult {
        let EtherPayload::Arp(arp) = &skb.frame.payload else {
            return Err(self.dropped(ns, &skb, DropReason::UnhandledProto));
        };
        let arp = Arp::clone(arp);
        let Arp { op, sha, spa: sip, tha: _, tpa: tip } = arp;
        let dev = skb.dev;
        let ignored = Err(self.dropped(ns, &skb, DropReason::ArpPvlanDisable));
        if matches!(op, ArpOp::Other(_)) || tip.is_multicast() {
            return ignored;
        }
        if tip.is_loopback() && !self.host.in_dev_orconf(dev, ConfKey::RouteLocalnet) {
            return ignored;
        }
        if sip == tip && self.host.in_dev_orconf(dev, ConfKey::DropGratuitousArp) {
            return Err(self.dropped(ns, &skb, DropReason::Ignored));
        }
        if sip.is_unspecified() {
            // Duplicate address detection (RFC 5227).
            let answers = op == ArpOp::Request
                && self.host.inet_addr_type(ns, tip.into()) == RouteKind::Local
                && !self.host.arp_ignore(ns, dev, sip, tip);
            if answers {
                self.arp_reply(ns, &skb, &arp);
            }
            return self.arp_taken(ns, &skb);
        }
        if op == ArpOp::Request {
            match self.arp_route(ns, &skb, &arp) {
                Some(InputRoute::Local(dst)) if dst.kind == RouteKind::Local => {
                    let refuses = self.host.arp_ignore(ns, dev, sip, tip)
                        || self.host.in_dev_orconf(dev, ConfKey::ArpFilter)
                            && self.host.arp_filter(ns, dev, sip, tip, self.now);
                    if refuses {
                        return Err(self.dropped(ns, &skb, DropReason::Ignored));
                    }
                    self.neigh_event_ns(ns, dev, sip, sha);
                    self.arp_reply(ns, &skb, &arp);
                    return self.arp_taken(ns, &skb);
                }
                Some(InputRoute::Forward(dst)) if dst.dev != dev && self.host.in_dev_forward(dev) => {
                    let proxies = self.host.in_dev_orconf(dev, ConfKey::ProxyArp)
                        || self.host.ns(ns).neigh.pneigh_lookup(dev, tip.into());
                    if proxies {
                        self.neigh_event_ns(ns, dev, sip, sha);
                        return self.arp_proxy(ns, skb, &arp, delayed);
                    }
                }
                Some(InputRoute::Local(_) | InputRoute::Forward(_) | InputRoute::Unreachable { .. })
                | None => {}
            }
        }
        self.arp_learn(ns, &skb, &arp)
    }

    /// Routes the question as a packet from its sender to its target.
    fn arp_route(&self, ns: NetnsId, skb: &Skb, arp: &Arp) -> Option<InputRoute> {
        let body = Body::Bytes(Proto(0), Payload::EMPTY);
        let mut probe = Skb::from_ip(skb.id, skb.dev, Packet::new(arp.spa.into(), arp.tpa.into(), body));
        probe.mark = skb.mark;
        self.host.route_input(ns, &Received::of(&probe)?, self.now).ok()
    }

    /// Answers for another host, after a random delay. Kernel: `net/core/neighbour.c, pneigh_enqueue`.
    ///
    /// Simplified: no limit on the answers that wait (`proxy_qlen`).
    fn arp_proxy(&mut self, ns: NetnsId, skb: Skb, arp: &Arp, delayed: bool) -> PathResult {
        // In hundredths of a second, as `clock_t`.
        let delay =
            Duration::from_millis(10 * self.host.neigh_var(skb.dev, NeighKey::ProxyDelay).max(0) as u64);
        if delayed || skb.pkt_type == PktType::Host || delay.is_zero() {
            self.arp_reply(ns, &skb, arp);
            return self.arp_taken(ns, &skb);
        }
        let after = self.proxy_delay(ns, delay);
        self.emit(skb.id, ns, Some(skb.dev), || StepKind::Held("proxy_arp"));
        self.arm(after, Timer::ProxyArp { skb: Box::new(skb) });
        Ok(Fate::Held("proxy_arp"))
    }

    /// A delayed answer is due. Kernel: `net/core/neighbour.c, neigh_proxy_process`.
    pub(crate) fn neigh_proxy_process(&mut self, skb: Skb) -> PathResult {
        match self.host.get_dev(skb.dev) {
            Some(dev) if dev.up => self.arp_process(dev.netns, skb, true),
            Some(_) | None => Ok(Fate::Consumed),
        }
    }

    /// The asker's address is good for a stale entry. Kernel: `net/core/neighbour.c, neigh_event_ns`.
    fn neigh_event_ns(&mut self, ns: NetnsId, dev: DevId, sip: Ipv4Addr, sha: MacAddr) {
        let key = self.neigh_create(ns, dev, sip.into());
        // A fixed entry stays as it is.
        let _ = self.neigh_update(ns, dev, key, Some(sha), Nud::Stale, Update::Override);
    }

    /// A reply, or a request that isn't for us: updates the sender's entry.
    fn arp_learn(&mut self, ns: NetnsId, skb: &Skb, arp: &Arp) -> PathResult {
        let dev = skb.dev;
        let sip = IpAddr::V4(arp.spa);
        let mut known = self.host.ns(ns).neigh.get(dev, sip).map(|neigh| neigh.updated);
        let accepts = self.host.arp_accept(dev, arp.spa);
        let mut is_garp = false;
        if known.is_some() || accepts {
            // A gratuitous reply must name its sender as the target, too.
            is_garp = arp.spa == arp.tpa
                && (arp.op != ArpOp::Reply || arp.tha == arp.sha)
                && self.host.inet_addr_type(ns, sip) == RouteKind::Unicast;
        }
        if accepts && known.is_none() {
            let unicast = arp.op == ArpOp::Reply && self.host.inet_addr_type(ns, sip) == RouteKind::Unicast;
            if is_garp || unicast {
                self.neigh_create(ns, dev, sip);
                known = Some(self.now);
            }
        }
        // A question to another host is heard by all: no drop.
        let Some(updated) = known else { return Ok(Fate::Consumed) };
        // The first of several answers counts. `locktime` is in hundredths of a second.
        let locktime = Duration::from_millis(10 * self.host.neigh_var(dev, NeighKey::Locktime).max(0) as u64);
        let overrides = self.now > updated + locktime || is_garp;
        let solicited = arp.op == ArpOp::Reply && skb.pkt_type == PktType::Host;
        let nud = if solicited { Nud::Reachable } else { Nud::Stale };
        let update = if overrides { Update::Override } else { Update::Keep };
        let taken = self.arp_taken(ns, skb);
        // A fixed entry stays as it is.
        let _ = self.neigh_update(ns, dev, sip, Some(arp.sha), nud, update);
        taken
    }

    fn arp_taken(&mut self, ns: NetnsId, skb: &Skb) -> PathResult {
        self.emit(skb.id, ns, Some(skb.dev), || StepKind::Deliver { to: None, socket: "arp".to_owned() });
        Ok(Fate::Delivered)
    }

    fn arp_reply(&mut self, ns: NetnsId, request: &Skb, arp: &Arp) {
        let own = self.host.dev(request.dev).mac;
        let reply = Arp { op: ArpOp::Reply, sha: own, spa: arp.tpa, tha: arp.sha, tpa: arp.spa };
        self.arp_send(ns, request.dev, arp.sha, reply, Some(request.id));
    }

    /// Asks for `target`. `src` is the source of a packet that waits for the answer; `lladdr` the
    /// address known so far, to which the first `ucast_solicit` requests go.
    /// Kernel: `net/ipv4/arp.c, arp_solicit`.
    pub(crate) fn arp_solicit(
        &mut self,
        ns: NetnsId,
        dev: DevId,
        target: IpAddr,
        probes: u32,
        lladdr: Option<MacAddr>,
        src: Option<IpAddr>,
    ) {
        let local = |host: &Host, src: &IpAddr| host.inet_addr_type(ns, *src) == RouteKind::Local;
        let announced = match self.host.in_dev_maxconf(dev, ConfKey::ArpAnnounce) {
            0 => src.filter(|src| local(self.host, src)),
            1 => src.filter(|src| local(self.host, src) && self.host.inet_addr_onlink(dev, target, *src)),
            _ => None,
        };
        let spa = announced.or_else(|| self.host.inet_select_addr(dev, target, Scope::LINK));
        let (IpAddr::V4(tpa), IpAddr::V4(spa)) = (target, spa.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
        else {
            return; // Simplified: no neighbour discovery for IPv6.
        };
        let unicast = i64::from(probes) < self.host.neigh_var(dev, NeighKey::UcastSolicit);
        let device = self.host.dev(dev);
        let dst = lladdr.filter(|_| unicast).unwrap_or(device.broadcast);
        let request = Arp { op: ArpOp::Request, sha: device.mac, spa, tha: MacAddr::ZERO, tpa };
        self.arp_send(ns, dev, dst, request, None);
    }

    /// Tells everyone on `dev` of its addresses if `arp_notify` asks for it; called when it comes up
    /// or its link-layer address changes. Kernel: `net/ipv4/devinet.c, inetdev_send_gratuitous_arp`.
    pub fn inetdev_send_gratuitous_arp(&mut self, dev: DevId) {
        if self.host.in_dev_maxconf(dev, ConfKey::ArpNotify) == 0 {
            return;
        }
        let device = self.host.dev(dev);
        let (ns, own, broadcast) = (device.netns, device.mac, device.broadcast);
        let addrs: Vec<IpAddr> = device.addrs.iter().map(|ifa| ifa.local.addr()).collect();
        for addr in addrs {
            if let IpAddr::V4(addr) = addr {
                let arp = Arp { op: ArpOp::Request, sha: own, spa: addr, tha: MacAddr::ZERO, tpa: addr };
                self.arp_send(ns, dev, broadcast, arp, None);
            }
        }
    }

    /// Sends an ARP message. Kernel: `net/ipv4/arp.c, arp_send`.
    fn arp_send(&mut self, ns: NetnsId, dev: DevId, dst: MacAddr, arp: Arp, answers: Option<PacketId>) {
        let device = self.host.dev(dev);
        if device.noarp {
            return;
        }
        let frame = Frame {
            dst,
            src: device.mac,
            tags: Default::default(),
            payload: EtherPayload::Arp(Box::new(arp)),
        };
        let id = self.ids.next_id();
        let skb = Skb { pkt_type: PktType::Outgoing, ..Skb::new(id, dev, frame) };
        let parents: Vec<_> = answers.map(|request| (Relation::ReplyTo, request)).into_iter().collect();
        self.emit_created(&skb, ns, &parents);
        let sent = self.dev_queue_xmit(dev, skb);
        let _ = self.finish(sent);
    }
}
