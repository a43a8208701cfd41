use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use lab::{ProxyMode, service_cost_plot, service_cost_table, service_costs};

use crate::answer;

/// Arguments of `hoplab service-cost`.
#[derive(Args)]
pub(crate) struct ServiceCostArgs {
    /// Topology file with a cluster.
    topology: PathBuf,
    /// How many Services, with commas between.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 10, 100, 1000])]
    services: Vec<usize>,
    /// kube-proxy's modes, with commas between: iptables, userspace.
    #[arg(long, value_delimiter = ',')]
    modes: Vec<ProxyMode>,
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
    /// A picture of the rules visited.
    Svg,
}

pub(crate) fn main(args: &ServiceCostArgs) -> ExitCode {
    let modes = if args.modes.is_empty() { ProxyMode::ALL.to_vec() } else { args.modes.clone() };
    let costs = service_costs(&args.topology, &modes, &args.services, args.seed);
    answer::print(costs.map(|costs| match args.format {
        Format::Text => service_cost_table(&costs),
        Format::Json => format!("{}\n", serde_json::json!({"version": 1, "costs": costs})),
        Format::Svg => service_cost_plot(&costs),
    }))
}
