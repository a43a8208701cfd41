use std::collections::VecDeque;

use packet::{MacAddr, Packet, Skb};

use crate::{Backend, EvalCx, Policy, TableName};

/// What a rule or chain did with a traced packet, for `xtables-monitor --trace`.
/// Kernel: `nft_trace_notify` in `net/netfilter/nf_tables_trace.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceEvent {
    /// Which packet, the same at all hooks.
    pub id: u32,
    /// The table.
    pub table: TableName,
    /// The chain.
    pub chain: String,
    /// What happened.
    pub what: Traced,
    /// The packet itself, with the first message of each built-in chain.
    pub packet: Option<Box<TracedPacket>>,
}

/// What happened to a traced packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Traced {
    /// A rule was fitted.
    Rule {
        /// The rule's handle.
        handle: u64,
        /// What it decided.
        verdict: TraceVerdict,
    },
    /// No rule decided, and the chain ended.
    End,
    /// The policy decided.
    Policy(Policy),
}

/// What a rule decided. Kernel: `enum nft_verdicts`, `NF_*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TraceVerdict {
    /// `NFT_CONTINUE`.
    Continue,
    /// `NFT_JUMP` to a chain.
    Jump(String),
    /// `NFT_GOTO` a chain.
    Goto(String),
    /// `NFT_RETURN`.
    Return,
    /// `NF_ACCEPT`.
    Accept,
    /// `NF_DROP`.
    Drop,
    /// `NF_QUEUE` with its number and flags, as one word.
    Queue(u32),
}

/// A traced packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedPacket {
    /// Input device; empty if there is none.
    pub input: String,
    /// Output device; empty if there is none.
    pub output: String,
    /// Source and destination of the frame that was received.
    pub link: Option<(MacAddr, MacAddr)>,
    /// Headers.
    pub packet: Packet,
    /// Its mark.
    pub mark: u32,
}

/// Messages that wait for the kernel around to hand them on.
#[derive(Clone, Debug, Default)]
pub(crate) struct TraceQueue {
    /// Somebody listens. Kernel: `nfnetlink_has_listeners`.
    pub listening: bool,
    pub events: VecDeque<TraceEvent>,
}

/// A packet's way through one built-in chain. Kernel: `struct nft_traceinfo`.
pub(crate) struct TraceInfo {
    /// The chain is of nf_tables.
    nft: bool,
    /// Rules say what they do.
    on: bool,
    /// The packet was shown.
    dumped: bool,
}

impl TraceInfo {
    /// Kernel: `nft_trace_init`.
    pub fn new(backend: Backend, skb: &Skb) -> Self {
        let nft = backend == Backend::Nft;
        Self { nft, on: nft && skb.nf_trace, dumped: false }
    }

    /// A rule was fitted: from here on the packet itself says whether it is traced.
    #[inline]
    pub fn refresh(&mut self, skb: &Skb) {
        self.on = self.nft && skb.nf_trace;
    }

    /// Tells who listens. Kernel: `__nft_trace_packet`.
    #[inline]
    pub fn tell(&mut self, cx: &mut EvalCx<'_>, skb: &Skb, chain: &str, what: impl FnOnce() -> Traced) {
        if !self.on || !cx.trace.listening {
            return;
        }
        let packet = (!self.dumped).then(|| {
            let received = cx.indev.is_some();
            Box::new(TracedPacket {
                input: cx.in_name.to_owned(),
                output: cx.out_name.to_owned(),
                link: received.then_some((skb.frame.src, skb.frame.dst)),
                packet: skb.ip().clone(),
                mark: skb.mark,
            })
        });
        self.dumped = true;
        // Kernel: a hash of the packet's address in memory.
        let id = (skb.id.0 as u32).wrapping_mul(0x9e37_79b1);
        let chain = chain.to_owned();
        cx.trace.events.push_back(TraceEvent { id, table: cx.table, chain, what: what(), packet });
    }
}
