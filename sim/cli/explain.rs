use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::answer::{self, Format};
use crate::load::load;

/// Arguments of `hoplab explain`.
#[derive(Args)]
pub(crate) struct ExplainArgs {
    /// What to explain: `node/HOST`, `pod/NAME`, `pod/NAMESPACE/NAME`, `svc/NAME`,
    /// `svc/NAMESPACE/NAME`, `HOST/CONTAINER` or `HOST/NAMESPACE`.
    object: String,
    /// The network that it is in.
    #[arg(long, value_name = "FILE")]
    topology: PathBuf,
    /// Seed of all random streams.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// A script with comments, or JSON.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(crate) fn main(args: &ExplainArgs) -> ExitCode {
    answer::print(explain(args))
}

fn explain(args: &ExplainArgs) -> Result<String, String> {
    let lab = load(&args.topology, args.seed)?;
    let explanation = lab.explain(&args.object).map_err(|problem| problem.to_string())?;
    match args.format {
        Format::Text => Ok(explanation.to_string()),
        Format::Json => {
            let json = serde_json::to_string_pretty(&explanation).map_err(|error| error.to_string())?;
            Ok(json + "\n")
        }
    }
}
