use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use lab::fault::{self, Case, FAMILIES, Fault, Network};
use serde::Serialize;

use crate::answer::{self, Format};
use crate::load::load;

/// Arguments of `hoplab faults`.
#[derive(Args)]
pub(crate) struct FaultsArgs {
    /// Topology file with a cluster: says where each fault fits, not only what there is.
    topology: Option<PathBuf>,
    /// Only this fault; of a topology with all that it does at each place.
    #[arg(long)]
    name: Option<String>,
    /// Form of the list.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Seed of all random streams.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// What the list says of a fault.
#[derive(Serialize)]
struct Entry {
    name: &'static str,
    family: &'static str,
    cause: &'static str,
    about: &'static [&'static str],
    /// Where it fits on the topology, if one is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    cases: Option<Vec<Case>>,
}

pub(crate) fn main(args: &FaultsArgs) -> ExitCode {
    answer::print(list(args))
}

fn list(args: &FaultsArgs) -> Result<String, String> {
    let network = match &args.topology {
        Some(file) => Some(Network::of(&load(file, args.seed)?.world)),
        None => None,
    };
    let chosen: Vec<&Fault> = match &args.name {
        Some(name) => vec![fault::find(name).ok_or_else(|| unknown(name))?],
        None => fault::all().collect(),
    };
    let entry = |fault: &&Fault| Entry {
        name: fault.name,
        family: fault.family(),
        cause: fault.cause,
        about: fault.about,
        cases: network.as_ref().map(|network| fault.cases(network)),
    };
    let entries: Vec<Entry> = chosen.iter().map(entry).collect();
    match args.format {
        Format::Text => Ok(text(&entries, args.name.is_some())),
        Format::Json => {
            let json = serde_json::to_string_pretty(&entries).map_err(|error| error.to_string())?;
            Ok(format!("{json}\n"))
        }
    }
}

fn unknown(name: &str) -> String {
    let near = fault::nearest(name).map_or(String::new(), |near| format!("\nhint: did you mean `{near}`?"));
    format!("unknown fault `{name}`{near}")
}

fn text(entries: &[Entry], full: bool) -> String {
    let mut text = String::new();
    for (family, _) in FAMILIES {
        let own: Vec<&Entry> = entries.iter().filter(|entry| entry.family == *family).collect();
        if own.is_empty() {
            continue;
        }
        let _ = writeln!(text, "{family}");
        for entry in own {
            let _ = writeln!(text, "  {}\n      {}", entry.name, entry.cause);
            let Some(cases) = &entry.cases else { continue };
            if full {
                cases.iter().for_each(|case| text.push_str(&whole(case)));
            } else {
                let sites: Vec<&str> = cases.iter().map(|case| case.site.as_str()).collect();
                let sites = if sites.is_empty() { "nowhere".to_owned() } else { sites.join(", ") };
                let _ = writeln!(text, "      at {sites}");
            }
        }
    }
    text
}

/// All that a fault does at one place.
fn whole(case: &Case) -> String {
    let mut text = format!("    at {}: {}\n", case.site, case.cause);
    for (what, lines) in [("before", &case.prepares), ("breaks", &case.breaks), ("fix", &case.fix)] {
        for line in lines {
            let _ = writeln!(text, "      {what:<7} {}# {}", line.on, line.cmd);
        }
    }
    let _ = writeln!(text, "      blame   {}\n      shown   {}", case.culprit, case.probe);
    text
}
