use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use lab::{Backend, compare, cost_table};

use crate::STATUS_BAD_INPUT;

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

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[allow(clippy::print_stdout, clippy::print_stderr)]
pub(crate) fn main(args: &CompareArgs) -> ExitCode {
    let networks = if args.networks.is_empty() { Backend::all() } else { args.networks.clone() };
    let costs = match compare(&args.topology, &args.from, &args.to, &networks, args.seed) {
        Ok(costs) => costs,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(STATUS_BAD_INPUT);
        }
    };
    match args.format {
        Format::Text => print!("{}", cost_table(&costs)),
        Format::Json => println!("{}", serde_json::json!({"version": 1, "networks": costs})),
    }
    ExitCode::SUCCESS
}
