use std::time::Duration;

use packet::{DevId, HostId, NetnsId, PacketId, PacketIds, SimTime, Skb};
use trace::{Decision, DropReason, Observer, Place, Relation, Step, StepKind};

use crate::Host;
use crate::socket::SocketId;

/// One kernel at work: the host, the clock, what leaves it, and who watches.
///
/// The packet path is methods of this type, in the files of [`crate::path`]. A stage is
/// `fn(&mut self, …, Skb) -> PathResult`: `?` is the drop.
pub struct Cx<'a, O: Observer> {
    /// The kernel.
    pub host: &'a mut Host,
    /// Virtual time.
    pub now: SimTime,
    /// What leaves the kernel, in order.
    pub effects: &'a mut Vec<Effect>,
    /// Numbers for new packets.
    pub ids: &'a mut PacketIds,
    /// Who watches.
    pub obs: &'a mut O,
    /// Decides what would be random, while a packet is followed through its branches.
    pub choices: Option<&'a mut netfilter::Choices>,
    /// The process whose system call runs, if one does; packets it sends are its.
    pub current: Option<packet::Pid>,
    /// Whether the kernel's own ICMP socket is sending; it sends nothing else meanwhile.
    pub icmp_busy: bool,
}

/// What a kernel asks of the world.
#[derive(Clone, Debug)]
pub enum Effect {
    /// `skb` arrives on `skb.dev` of this host after `after`; crossings take at least 1 µs.
    Receive {
        /// Delay.
        after: Duration,
        /// The frame; `skb.dev` is the receiving device.
        skb: Skb,
    },
    /// `skb` leaves by the physical device `skb.dev` onto its cable.
    Wire(Skb),
    /// Calls [`Cx::on_timer`] at `at`.
    Timer {
        /// When.
        at: SimTime,
        /// Which.
        timer: Timer,
    },
    /// The socket became readable, writable or failed: wake who waits for it.
    Wake(SocketId),
    /// The TUN queue of this device became readable.
    WakeTun(DevId),
}

/// Timers of one kernel. A timer that finds its object gone or re-armed does nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Timer {
    /// A neighbour entry's state machine. Kernel: `neigh_timer_handler`.
    Neigh {
        /// Namespace.
        netns: NetnsId,
        /// Device.
        dev: DevId,
        /// Address.
        addr: std::net::IpAddr,
        /// [`crate::Neighbour::generation`] when armed.
        generation: u64,
    },
    /// A proxy ARP answer that was delayed. Kernel: `neigh_proxy_process`.
    ProxyArp {
        /// The request, as received.
        skb: Box<Skb>,
    },
    /// A fragment queue expires. Kernel: `ip_expire`.
    FragQueue {
        /// Namespace.
        netns: NetnsId,
        /// The queue.
        queue: u64,
    },
    /// A socket's timer (retransmission, delayed ACK, keepalive, TIME_WAIT).
    Socket {
        /// Namespace.
        netns: NetnsId,
        /// The socket.
        socket: SocketId,
        /// Which of its timers, in the socket's own numbering.
        which: u8,
        /// The socket's generation when armed.
        generation: u64,
    },
    /// A bridge sends its IGMP reports or changes a port's state.
    Bridge {
        /// The bridge.
        dev: DevId,
        /// Which report, counted from 0.
        round: u8,
    },
    /// Addresses of a namespace are looked at for their lifetimes. Kernel: `check_lifetime`.
    AddrCheck(NetnsId),
    /// Devices of a deleted namespace are destroyed. Kernel: `cleanup_net`.
    CleanupNetns(NetnsId),
}

/// What became of a packet that wasn't dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A socket or the kernel itself took it.
    Delivered,
    /// It left by a device.
    Transmitted,
    /// It waits.
    Held(&'static str),
    /// It was turned into others (encapsulated, reassembled, flooded).
    Consumed,
}

/// The end of a packet's way.
#[derive(Clone, Debug, PartialEq)]
pub struct Dropped {
    /// The packet.
    pub packet: PacketId,
    /// Where.
    pub netns: NetnsId,
    /// The device it came by or would have left by.
    pub dev: Option<DevId>,
    /// Why.
    pub reason: DropReason,
    /// The rule or policy that decided.
    pub decided_by: Option<Box<Decision>>,
    /// The error that a local sender's system call returns, if it returns one.
    pub errno: Option<crate::Errno>,
}

/// What a stage of the packet path returns.
pub type PathResult = Result<Fate, Dropped>;

impl<O: Observer> Cx<'_, O> {
    /// Where a step happens.
    pub fn place(&self, netns: NetnsId, dev: Option<DevId>) -> Place {
        Place { host: self.host.id, netns, dev }
    }

    /// Records a step of `packet` if anyone watches.
    #[inline(always)]
    pub fn emit(
        &mut self,
        packet: PacketId,
        netns: NetnsId,
        dev: Option<DevId>,
        kind: impl FnOnce() -> StepKind,
    ) {
        if O::ON {
            let place = Place { host: self.host.id, netns, dev };
            let step = Step { at: self.now, packet, place, kind: kind() };
            self.obs.record(step);
        }
    }

    /// Records how `packet` came to be.
    pub fn emit_created(&mut self, skb: &Skb, netns: NetnsId, parents: &[(Relation, PacketId)]) {
        let by = self.current;
        self.emit(skb.id, netns, None, || StepKind::Created {
            by,
            parents: parents.to_vec(),
            frame: Box::new(skb.frame.clone()),
        });
    }

    /// A drop of `skb` for `reason`.
    pub fn dropped(&self, netns: NetnsId, skb: &Skb, reason: DropReason) -> Dropped {
        Dropped { packet: skb.id, netns, dev: Some(skb.dev), reason, decided_by: None, errno: None }
    }

    /// Ends a packet's way: records the drop, if it is one. Every entry into the path calls this.
    pub fn finish(&mut self, result: PathResult) -> PathResult {
        if let Err(dropped) = &result {
            let Dropped { packet, netns, dev, reason, decided_by, errno: _ } = dropped.clone();
            self.emit(packet, netns, dev, || StepKind::Drop { reason, decided_by: decided_by.map(|d| *d) });
        }
        result
    }

    /// Arms `timer` to fire after `after`.
    pub fn arm(&mut self, after: Duration, timer: Timer) {
        self.effects.push(Effect::Timer { at: self.now + after, timer });
    }

    /// This host.
    pub fn host_id(&self) -> HostId {
        self.host.id
    }
}
