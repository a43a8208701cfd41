use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use lab::diagnose::{Diagnosis, Options, diagnose};
use packet::Proto;

use crate::STATUS_BAD_INPUT;
use crate::load::load;

/// Something is broken.
const STATUS_BROKEN: u8 = 1;

/// Arguments of `hoplab diagnose`.
#[derive(Args)]
pub(crate) struct DiagnoseArgs {
    /// Topology file.
    topology: PathBuf,
    /// Who can't reach something: `host`, `host/container`, `host/namespace` or `pod/NAME`.
    from: String,
    /// What it can't reach: one of these, an address, `svc/NAME[:PORT]`, `svc/NAMESPACE/NAME`, or
    /// `internet`; everything that should work, if not given.
    to: Option<String>,
    /// Destination port; the first one of a Service or a pod, if it has one, else a ping.
    #[arg(long)]
    port: Option<u16>,
    /// Protocol; that of the port for a Service.
    #[arg(long, value_enum)]
    proto: Option<Protocol>,
    /// Form of the answer.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Seed of all random streams.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Protocol {
    Tcp,
    Udp,
    Icmp,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[allow(clippy::print_stdout, clippy::print_stderr)]
pub(crate) fn main(args: &DiagnoseArgs) -> ExitCode {
    let answer = find_out(args).and_then(|diagnosis| Ok((text(args, &diagnosis)?, diagnosis.is_healthy())));
    match answer {
        Ok((text, healthy)) => {
            print!("{text}");
            if healthy { ExitCode::SUCCESS } else { ExitCode::from(STATUS_BROKEN) }
        }
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(STATUS_BAD_INPUT)
        }
    }
}

fn find_out(args: &DiagnoseArgs) -> Result<Diagnosis, String> {
    let lab = load(&args.topology, args.seed)?;
    let proto = args.proto.map(|proto| match proto {
        Protocol::Tcp => Proto::TCP,
        Protocol::Udp => Proto::UDP,
        Protocol::Icmp => Proto::ICMP,
    });
    let options = Options { port: args.port, proto };
    diagnose(&lab.world, &args.from, args.to.as_deref(), options).map_err(|problem| problem.to_string())
}

fn text(args: &DiagnoseArgs, diagnosis: &Diagnosis) -> Result<String, String> {
    match args.format {
        Format::Text => Ok(diagnosis.to_string()),
        Format::Json => {
            let json = serde_json::to_string_pretty(diagnosis).map_err(|error| error.to_string())?;
            Ok(json + "\n")
        }
    }
}
