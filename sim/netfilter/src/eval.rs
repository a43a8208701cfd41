use packet::{DevId, SimTime, Skb};
use trace::HookName;

use crate::conntrack::Conntrack;
use crate::monitor::TraceQueue;
use crate::set::Sets;
use crate::targets::RejectWith;
use crate::{Draws, Env, Shared, TableName};

/// What a match or target may look at and change while a packet is at a hook.
pub struct EvalCx<'a> {
    /// The kernel around.
    pub env: &'a dyn Env,
    /// Virtual time.
    pub now: SimTime,
    /// The hook.
    pub hook: HookName,
    /// The table that is evaluated.
    pub table: TableName,
    /// Input device.
    pub indev: Option<DevId>,
    /// Output device.
    pub outdev: Option<DevId>,
    /// Name of the input device; empty if there is none.
    pub in_name: &'a str,
    /// Name of the output device; empty if there is none.
    pub out_name: &'a str,
    /// Connections.
    pub conntrack: &'a mut Conntrack,
    /// Sets.
    pub sets: &'a mut Sets,
    /// Random decisions.
    pub random: Draws<'a>,
    /// Lines for the kernel log.
    pub log: &'a mut Vec<String>,
    /// What the match being asked remembers.
    pub memory: Memory,
    /// What matches share.
    pub shared: &'a mut Shared,
    /// Messages about traced packets.
    pub(crate) trace: &'a mut TraceQueue,
    /// A match wants the packet dropped at once. Kernel: `struct xt_action_param`, `hotdrop`.
    pub hotdrop: bool,
}

/// What a match remembers between packets: two words whose meaning is the match's own, zero when
/// its rule is installed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory(pub [u64; 2]);

/// What a target asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Go on with the next rule.
    Continue,
    /// Leave the table.
    Accept,
    /// The packet ends.
    Drop,
    /// The packet goes to a queue that nobody reads, and ends; its sender learns nothing.
    /// Kernel: `nf_queue`.
    Queue,
    /// Back to the calling chain.
    Return,
    /// The packet ends and its sender is told.
    Reject(RejectWith),
}

/// Length in bytes that counters count.
pub fn counted_len(skb: &Skb) -> u64 {
    skb.ip().len() as u64
}
