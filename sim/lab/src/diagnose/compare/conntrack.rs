//! Tracked connections against rules and endpoints; the table itself.

use packet::{NetnsId, Proto};
use trace::Names;

use super::Scene;
use crate::culprit::Object;
use crate::diagnose::suspect::{Fix, Rank, Size, Suspect};

pub(super) fn suspects(scene: &Scene<'_>) -> Vec<Suspect> {
    let mut found = Vec::new();
    for (host, netns) in scene.places() {
        let facts = &scene.facts;
        let node = facts.world.node(host, netns);
        let Some(conntrack) = facts.kernel(host).get_ns(netns).and_then(|netns| netns.netfilter.conntrack())
        else {
            continue;
        };
        if netns == NetnsId::INIT {
            let max: usize = facts
                .sysctl(host, netns, "net.netfilter.nf_conntrack_max")
                .and_then(|max| max.parse().ok())
                .unwrap_or(usize::MAX);
            let full = facts.kernel(host).log.lines().iter().any(|(_, line)| line.contains("table full"));
            if max > 0 && (conntrack.count() >= max || full) {
                let more = (max * 2).max(131_072);
                found.push(
                    Suspect::new(
                        scene.rank(host, Rank::Contradicted),
                        node.clone(),
                        Object::ConntrackTable,
                        format!("it is full: {} of {max} entries", conntrack.count()),
                    )
                    .because(format!("{node}: dmesg: nf_conntrack: table full, dropping packet"))
                    .mended_by(Fix::one(
                        node.clone(),
                        format!("sysctl -w net.netfilter.nf_conntrack_max={more}"),
                        Size::Value,
                    )),
                );
            }
        }
        let Some(target) = scene.target() else { continue };
        let (proto, port) = scene.probe.way.proto();
        let earlier = scene.before.host(host).get_ns(netns).and_then(|netns| netns.netfilter.conntrack());
        for entry in earlier.into_iter().flat_map(|earlier| earlier.iter(scene.before.now())) {
            let (_, dport) = entry.original.ports();
            if entry.original.dst != target
                || entry.original.proto != proto
                || dport != port
                || proto == Proto::ICMP
            {
                continue;
            }
            let translated = entry.reply.src != entry.original.dst;
            let alive = facts.place_of(entry.reply.src).is_some();
            if translated && alive {
                continue;
            }
            let word = if proto == Proto::UDP { "udp" } else { "tcp" };
            let text = match translated {
                true => format!("it leads to {}, which nobody has", entry.reply.src),
                false => "it translates nothing: it was made while no rule did".to_owned(),
            };
            found.push(
                Suspect::new(
                    scene.rank(host, Rank::Contradicted),
                    node.clone(),
                    Object::ConntrackEntry { proto: word.to_owned(), to: format!("{target}:{port}") },
                    text,
                )
                .because(format!(
                    "{node}: conntrack -L: {} > {}, answers from {}",
                    entry.original.src, entry.original.dst, entry.reply.src
                ))
                .mended_by(Fix::one(
                    node.clone(),
                    format!("conntrack -D -p {word} --orig-dst {target} --dport {port}"),
                    Size::Entry,
                )),
            );
            break;
        }
    }
    found
}
