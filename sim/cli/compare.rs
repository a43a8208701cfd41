use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use lab::{Backend, compare, cost_table};

use crate::answer::{self, Format};

/// Arguments of `hoplab compare`.
#[derive(Args)]
pub(crate) struct CompareArgs {
    /// Topology file with a cluster.
    topology: PathBuf,
    /// Where the probe is sent: `pod/NAME`, `host` or `host/namespace`.
    from: String,
    /// Where it goes: an address, or a place like the first.
    to: String,
    /// The pod networks, with commas between: vxlan, vxlan+direct, host-gw, ipip, udp.
    #[arg(long, value_delimiter = ',')]
    networks: Vec<Backend>,
    /// Seed of all random streams.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(crate) fn main(args: &CompareArgs) -> ExitCode {
    let networks = if args.networks.is_empty() { Backend::all() } else { args.networks.clone() };
    let costs = compare(&args.topology, &args.from, &args.to, &networks, args.seed);
    answer::print(costs.map(|costs| match args.format {
        Format::Text => cost_table(&costs),
        Format::Json => format!("{}\n", serde_json::json!({"version": 1, "networks": costs})),
    }))
}
