//! A recording as data for machines: what `--format json` prints and the page plays.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Serialize;

use super::layers::Layer;
use super::map::{DeviceKey, NetworkMap};

/// Version of the JSON form; changes when a field changes its meaning or goes.
pub const JSON_VERSION: u32 = 2;

/// What happened in a network: the commands that were typed and the ways of their packets.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "A recording of hoplab")]
pub struct Recording {
    /// Version of this form.
    #[schemars(range(min = 2, max = 2))]
    pub version: u32,
    /// What was recorded, e.g. a scenario's title.
    pub title: String,
    /// The network. What was deleted while recording stays in it.
    pub map: NetworkMap,
    /// Commands in the order in which they were typed.
    pub commands: Vec<CommandReport>,
    /// Headers of packets; steps refer to them by place in this list, from 0.
    pub headers: Vec<Vec<Layer>>,
}

/// One command that was typed, and what it caused.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct CommandReport {
    /// The act of the scenario that it belongs to.
    pub act: Option<String>,
    /// Where it was typed: `host` or `host/namespace`.
    pub on: String,
    /// What was typed.
    pub command: String,
    /// What it printed, both streams in order.
    pub output: String,
    /// Its exit status, if it ended.
    pub status: Option<i32>,
    /// Expectations judged after it.
    pub expectations: Vec<ExpectationReport>,
    /// Packets, in the order in which they were sent.
    pub packets: Vec<PacketReport>,
    /// Every frame that a device received or sent, in order.
    pub frames: Vec<FrameReport>,
    /// Packets that are not listed because there are too many.
    pub packets_left_out: usize,
    /// Frames that are not listed because there are too many.
    pub frames_left_out: usize,
}

/// A judged expectation of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExpectationReport {
    /// Its text.
    pub text: String,
    /// Whether it held.
    pub held: bool,
    /// What was seen instead, if it failed.
    pub instead: Option<String>,
}

/// One packet's way.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PacketReport {
    /// Its number, unique in the recording's network.
    pub packet: u64,
    /// Ends, protocol and what it is.
    pub description: String,
    /// Whether it is one of those that matter: the first packet sent, the first one back, drops and
    /// errors.
    pub subject: bool,
    /// Who sent it.
    pub sender: SenderReport,
    /// Virtual time, nanoseconds.
    pub sent_at_ns: u64,
    /// How it ended.
    pub disposition: DispositionReport,
    /// Where it was, in order.
    pub hops: Vec<HopReport>,
}

/// Who sent a packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SenderReport {
    /// `host` or `host/namespace`.
    pub node: String,
    /// The process's command line; none if a kernel sent it.
    pub process: Option<String>,
}

/// How a packet ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DispositionReport {
    /// A socket or a kernel took it.
    Delivered {
        /// Where.
        node: String,
        /// When.
        at_ns: u64,
    },
    /// It was dropped.
    Dropped {
        /// Where.
        node: String,
        /// The kernel's name for the reason, without `SKB_DROP_REASON_`.
        reason: &'static str,
        /// The reason in plain words.
        sentence: &'static str,
        /// When.
        at_ns: u64,
    },
    /// It is still on its way or waits.
    Pending,
}

/// The steps in one namespace, between arriving and leaving.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct HopReport {
    /// `host` or `host/namespace`.
    pub node: String,
    /// The host's number in the map.
    pub host: u32,
    /// The namespace's number in its host.
    pub namespace: u32,
    /// Names of the devices passed, in order.
    pub devices: Vec<String>,
    /// What happened, in order.
    pub steps: Vec<StepReport>,
}

/// One thing that happened to a packet.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct StepReport {
    /// Virtual time, nanoseconds.
    pub at_ns: u64,
    /// The packet: another number than the sender's after it was copied, wrapped or cut.
    pub packet: u64,
    /// Name of the device, if the step belongs to one.
    pub device: Option<String>,
    /// Its key in the map.
    pub device_id: Option<DeviceKey>,
    /// The headers after this step: place in the recording's list.
    pub headers: Option<usize>,
    /// The kernel function in which it happened.
    pub function: &'static str,
    /// The step in words.
    pub text: String,
    /// What happened.
    #[serde(flatten)]
    pub detail: StepDetail,
}

/// What happened in a step.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StepDetail {
    /// The packet came to be.
    Created {
        /// The process that sent it.
        process: Option<String>,
        /// The packets it stems from.
        parents: Vec<ParentReport>,
    },
    /// A device received the frame.
    Receive {
        /// Length in bytes.
        bytes: usize,
    },
    /// A device was given the frame to send.
    Transmit {
        /// Length in bytes.
        bytes: usize,
    },
    /// A routing decision.
    Route {
        /// The route, as `ip route` prints it without its device.
        route: String,
        /// The next hop, if not the destination itself.
        gateway: Option<IpAddr>,
        /// The output device; none for local delivery.
        dev: Option<String>,
    },
    /// The link-layer address of the next hop.
    Neighbour {
        /// The next hop.
        addr: IpAddr,
        /// Its address; none while the packet waits for ARP.
        mac: Option<String>,
    },
    /// The bridge chose where the frame goes.
    Bridge {
        /// The port it leaves by.
        port: Option<String>,
        /// Passed to the bridge's own IP layer.
        local: bool,
        /// Sent to every port.
        flooded: bool,
    },
    /// A bridged packet is shown to a hook of IPv4.
    BridgeNetfilter {
        /// The hook.
        hook: &'static str,
        /// The port it came in by.
        physindev: Option<String>,
        /// The port it leaves by.
        physoutdev: Option<String>,
        /// What asks for it: `sysctl` or `bridge`.
        by: &'static str,
    },
    /// PREROUTING is left out: the packet met it on the bridge.
    SabotageIn,
    /// A chain was entered at a hook and came to an end.
    Chain {
        /// The hook.
        hook: &'static str,
        /// The table.
        table: &'static str,
        /// Rules evaluated, jumps included.
        rules_visited: u32,
        /// `ACCEPT`, `DROP`, …
        verdict: &'static str,
        /// What decided.
        decided_by: DecisionReport,
    },
    /// A rule matched and did something that is not the last word.
    Rule {
        /// Its target.
        target: String,
        /// The rule.
        rule: DecisionReport,
    },
    /// Connection tracking looked the packet up.
    Conntrack {
        /// `NEW`, `ESTABLISHED`, …
        state: &'static str,
        /// The entry, as `conntrack -L` prints it without timeout.
        entry: Option<String>,
    },
    /// Header fields changed.
    Rewrite {
        /// Who changed them.
        by: RewriteReport,
        /// What changed.
        changes: Vec<ChangeReport>,
    },
    /// The packet was wrapped.
    Encapsulated {
        /// The outer packet.
        outer: u64,
        /// Bytes added in front.
        overhead: u32,
    },
    /// An inner packet was taken out.
    Decapsulated {
        /// The packet that carried it.
        outer: u64,
    },
    /// Handed to a socket.
    Deliver {
        /// What took it.
        socket: String,
        /// The process behind it.
        process: Option<String>,
    },
    /// Went from kernel to user space or back (TUN).
    Crossing {
        /// Whether a process wrote it into the kernel.
        to_kernel: bool,
    },
    /// Waits.
    Held {
        /// For what.
        why: &'static str,
    },
    /// Ended here.
    Drop {
        /// The kernel's name for the reason.
        reason: &'static str,
        /// The reason in plain words.
        sentence: &'static str,
        /// The rule or policy that decided, if one did.
        decided_by: Option<DecisionReport>,
    },
}

/// How a packet stems from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ParentReport {
    /// `copy`, `fragment_of`, `reassembled_from`, `encapsulates`, `decapsulated_from`, `reply_to`,
    /// `relayed_by` or `retransmits`.
    pub relation: &'static str,
    /// The other packet.
    pub packet: u64,
}

/// What made a decision: a ruleset, or the network between the hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum DecisionReport {
    /// A rule.
    Rule {
        /// Its table.
        table: &'static str,
        /// Chains from the built-in one to the rule's.
        chains: Vec<String>,
        /// The rule's number in its chain, from 1.
        number: u32,
        /// The rule as `iptables -S` prints it.
        text: String,
        /// What its chain was made for, e.g. `default/web -> 10.244.1.3:80`.
        object: Option<String>,
        /// The rules around it.
        context: Option<RuleContext>,
    },
    /// The policy of a built-in chain.
    Policy {
        /// Its table.
        table: &'static str,
        /// The chain.
        chain: String,
        /// The nearest rule that didn't match.
        nearest: Option<NearestReport>,
        /// The last rules of the chain.
        context: Option<RuleContext>,
    },
    /// A segment that doesn't carry this.
    Fabric {
        /// The segment.
        segment: String,
        /// What it doesn't carry, e.g. `udp port 8472`.
        barrier: String,
    },
}

/// Some rules of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RuleContext {
    /// The chain.
    pub chain: String,
    /// Number of the first rule given, from 1.
    pub first: u32,
    /// Rules as `iptables -S` prints them.
    pub rules: Vec<String>,
    /// Number of all rules of the chain.
    pub total: u32,
    /// The policy of a built-in chain.
    pub policy: Option<&'static str>,
}

/// The rule that came nearest to matching.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NearestReport {
    /// The rule.
    pub rule: String,
    /// Its condition that failed, and the packet's value.
    pub failed: String,
}

/// Who rewrote a header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "who", rename_all = "snake_case")]
pub enum RewriteReport {
    /// Address translation.
    Nat {
        /// The rule that made the mapping; none for later packets of a connection.
        rule: Option<DecisionReport>,
    },
    /// A rule's target.
    Target {
        /// The rule.
        rule: DecisionReport,
    },
    /// Forwarding.
    Forward,
}

/// One header field before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChangeReport {
    /// `src`, `dst`, `ttl`, `mark`, …
    pub field: &'static str,
    /// Before.
    pub before: String,
    /// After.
    pub after: String,
}

/// A frame that a device received or sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FrameReport {
    /// Virtual time, nanoseconds.
    pub at_ns: u64,
    /// The device's key in the map.
    pub device_id: DeviceKey,
    /// `in` or `out`.
    pub direction: &'static str,
    /// The packet.
    pub packet: u64,
    /// Length in bytes.
    pub bytes: usize,
    /// Ends, protocol and what it is.
    pub description: String,
}

/// The JSON schema of [`Recording`].
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Recording).to_value()
}

/// A recording as one line of JSON.
pub fn json(recording: &Recording) -> String {
    // Nothing in it can fail to be written: map keys are strings, numbers are finite.
    serde_json::to_string(recording)
        .map_or_else(|error| format!("{{\"error\":\"{error}\"}}\n"), |text| text + "\n")
}

#[cfg(test)]
mod tests {
    /// Made from the types; after a change that is meant: `HOPLAB_UPDATE=1 cargo test -p
    /// hoplab-trace`, and raise [`super::JSON_VERSION`] if a field changed its meaning or went.
    #[test]
    fn the_published_schema_is_what_the_types_say() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/trace.schema.json");
        let made = serde_json::to_string_pretty(&super::schema()).expect("a schema is JSON") + "\n";
        if std::env::var_os("HOPLAB_UPDATE").is_some() {
            std::fs::write(file, &made).expect("the schema can be written");
        }
        let published = std::fs::read_to_string(file).expect("the schema is there");
        assert!(published == made, "schemas/trace.schema.json is not fresh");
    }
}
