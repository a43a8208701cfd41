use std::net::IpAddr;

use packet::{DevId, Frame, HostId, MacAddr, NetnsId, PacketId, Pid, SimTime};

use crate::DropReason;

/// One thing that happened to one packet.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When.
    pub at: SimTime,
    /// To which packet.
    pub packet: PacketId,
    /// Where.
    pub place: Place,
    /// What.
    pub kind: StepKind,
}

impl Step {
    /// The headers that the packet was seen with, if the step tells them.
    pub fn frame(&self) -> Option<&Frame> {
        match &self.kind {
            StepKind::Created { frame, .. } | StepKind::Receive(frame) | StepKind::Transmit(frame) => {
                Some(frame)
            }
            _ => None,
        }
    }
}

/// Where in the world a step happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The host.
    pub host: HostId,
    /// The namespace.
    pub netns: NetnsId,
    /// The device, if the step belongs to one.
    pub dev: Option<DevId>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    /// The packet came to be; its cause is a process or another packet.
    Created {
        /// The process whose system call sent it.
        by: Option<Pid>,
        /// The packets it stems from.
        parents: Vec<(Relation, PacketId)>,
        /// Its first headers.
        frame: Box<Frame>,
    },
    /// A device received the frame. Kernel: `netif_receive_skb`.
    Receive(Box<Frame>),
    /// A device was given the frame to send. Kernel: `dev_queue_xmit`.
    Transmit(Box<Frame>),
    /// A routing decision.
    Route {
        /// The text of the route as `ip route` prints it, without `dev`; e.g. `default via 10.0.0.1`.
        route: String,
        /// The next hop, if not the destination itself.
        gateway: Option<IpAddr>,
        /// The output device; `None` for local delivery.
        dev: Option<DevId>,
    },
    /// The link-layer address of the next hop.
    Neighbour {
        /// Next hop.
        addr: IpAddr,
        /// Its address; `None` while the packet waits for ARP.
        mac: Option<MacAddr>,
    },
    /// The bridge chose where the frame goes.
    Bridge {
        /// The port it leaves by; `None` when it is flooded or passed up.
        port: Option<DevId>,
        /// Passed to the bridge's own IP layer.
        local: bool,
        /// Sent to every port.
        flooded: bool,
    },
    /// br_netfilter shows a bridged packet to a hook of IPv4.
    BridgeNetfilter {
        /// The hook.
        hook: HookName,
        /// The port it came in by.
        physindev: Option<DevId>,
        /// The port it leaves by.
        physoutdev: Option<DevId>,
        /// What asks for it.
        by: BridgeCall,
    },
    /// PREROUTING is left out: the bridge has shown the packet to it. Kernel: `ip_sabotage_in`.
    SabotageIn,
    /// A chain was entered at a hook and came to an end.
    Chain {
        /// The hook.
        hook: HookName,
        /// Table, e.g. `filter`.
        table: &'static str,
        /// Rules the kernel evaluated in it, jumps included.
        rules_visited: u32,
        /// What decided.
        decided_by: Decision,
        /// `ACCEPT`, `DROP`, …
        verdict: &'static str,
    },
    /// A rule matched and did something that is not the last word.
    Rule {
        /// The rule.
        decision: Decision,
        /// Its target, e.g. `MARK`.
        target: String,
    },
    /// Connection tracking looked the packet up.
    Conntrack {
        /// `NEW`, `ESTABLISHED`, `RELATED`, `INVALID`, `UNTRACKED`.
        state: &'static str,
        /// The entry as `conntrack -L` prints it, without timeout.
        entry: Option<String>,
    },
    /// Header fields changed.
    Rewrite {
        /// Who changed them.
        by: RewriteBy,
        /// What changed.
        changes: Vec<FieldChange>,
    },
    /// The frame or packet was wrapped; the outer packet has its own id.
    Encapsulated {
        /// The new packet.
        outer: PacketId,
        /// Bytes added in front.
        overhead: u32,
    },
    /// An inner packet was taken out.
    Decapsulated {
        /// The packet that carried it.
        outer: PacketId,
    },
    /// Handed to a socket.
    Deliver {
        /// Socket owner.
        to: Option<Pid>,
        /// What took it, e.g. `udp 0.0.0.0:53`, `icmp_echo`, `arp`.
        socket: String,
    },
    /// Went from kernel to user space or back (TUN).
    Crossing {
        /// True when a process wrote it into the kernel.
        to_kernel: bool,
    },
    /// Waits: for ARP, for other fragments, in a queue.
    Held(&'static str),
    /// Ended here.
    Drop {
        /// Why.
        reason: DropReason,
        /// The rule or policy that decided, if one did.
        decided_by: Option<Decision>,
    },
}

/// What asks that bridged packets meet iptables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BridgeCall {
    /// `net.bridge.bridge-nf-call-iptables=1`.
    Sysctl,
    /// `nf_call_iptables 1` of the bridge.
    Bridge,
}

/// How a packet stems from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// A copy (flooding, capture).
    Copy,
    /// One fragment of it.
    FragmentOf,
    /// Put together from it.
    ReassembledFrom,
    /// Carries it inside.
    Encapsulates,
    /// Was carried inside it.
    DecapsulatedFrom,
    /// Answers it from the kernel (echo reply, ICMP error, RST, ARP reply).
    ReplyTo,
    /// A process read it and wrote this one.
    RelayedBy,
    /// Sent again.
    Retransmits,
}

impl Relation {
    /// The relation in words that a packet's number follows.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Copy => "copy of",
            Self::FragmentOf => "fragment of",
            Self::ReassembledFrom => "put together from",
            Self::Encapsulates => "carries",
            Self::DecapsulatedFrom => "was carried by",
            Self::ReplyTo => "answers",
            Self::RelayedBy => "relays",
            Self::Retransmits => "sends again",
        }
    }
}

/// A place on the netfilter map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookName {
    /// Before routing.
    Prerouting,
    /// To this host.
    Input,
    /// Through this host.
    Forward,
    /// From this host.
    Output,
    /// After routing.
    Postrouting,
}

impl HookName {
    /// Every hook, in the order of the kernel's numbers.
    pub const ALL: [Self; 5] =
        [Self::Prerouting, Self::Input, Self::Forward, Self::Output, Self::Postrouting];

    /// The chain's name, `PREROUTING` to `POSTROUTING`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prerouting => "PREROUTING",
            Self::Input => "INPUT",
            Self::Forward => "FORWARD",
            Self::Output => "OUTPUT",
            Self::Postrouting => "POSTROUTING",
        }
    }
}

/// What made a decision: a ruleset, or the network between the hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A rule.
    Rule {
        /// Table.
        table: &'static str,
        /// Chains from the built-in one to the rule's, jumps in order.
        chains: Vec<String>,
        /// The numbers of the rules that led from each of those chains to the next.
        jumps: Vec<u32>,
        /// The rule's number in its chain, from 1.
        number: u32,
        /// The rule as `iptables -S` prints it.
        text: String,
    },
    /// The policy of a built-in chain.
    Policy {
        /// Table.
        table: &'static str,
        /// Chain.
        chain: String,
        /// The nearest rule that didn't match, and the predicate of it that failed.
        nearest: Option<(String, String)>,
    },
    /// A segment that doesn't carry this.
    Fabric {
        /// The segment.
        segment: String,
        /// What it doesn't carry, e.g. `udp port 8472`.
        barrier: String,
    },
}

/// Who rewrote a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RewriteBy {
    /// Address translation; the rule that made the mapping, when this packet met it.
    Nat(Option<Decision>),
    /// Another rule's target (MARK, TTL, TOS…).
    Target(Decision),
    /// Forwarding (TTL).
    Forward,
}

/// One header field before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// `src`, `dst`, `ttl`, `mark`, …
    pub field: &'static str,
    /// Value before.
    pub before: String,
    /// Value after.
    pub after: String,
}
