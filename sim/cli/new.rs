use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::answer;

/// Arguments of `hoplab new`.
#[derive(Args)]
pub(crate) struct NewArgs {
    /// What the scenario is called.
    #[arg(default_value = "first")]
    name: String,
    /// The topology's name; the scenario's if not given. One that isn't there yet is written too.
    #[arg(long, value_name = "NAME")]
    topology: Option<String>,
    /// Where the folders `scenarios` and `topologies` are or shall be.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

const SCENARIO: &str = include_str!("templates/scenario.ron");
const TOPOLOGY: &str = include_str!("templates/topology.ron");

pub(crate) fn main(args: &NewArgs) -> ExitCode {
    answer::print(write(args).map(|scenario| format!("run it: hoplab run {}\n", scenario.display())))
}

/// Writes both files; answers the scenario's.
#[allow(clippy::print_stdout)]
fn write(args: &NewArgs) -> Result<PathBuf, String> {
    let topology_name = args.topology.as_deref().unwrap_or(&args.name);
    for name in [args.name.as_str(), topology_name] {
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.starts_with('.') || !name.chars().all(fits) {
            return Err(format!(
                "`{name}` is no name for a scenario\nhint: letters, digits, `-`, `_`, `.`; the file gets `.ron` by itself"
            ));
        }
    }
    let folder = args.folder.clone().unwrap_or_default();
    let scenario = folder.join("scenarios").join(format!("{}.ron", args.name));
    let topology = folder.join("topologies").join(format!("{topology_name}.ron"));
    if scenario.exists() {
        return Err(format!("{}: there is one already", scenario.display()));
    }
    let fill = |text: &str| text.replace("TOPOLOGY", topology_name).replace("NAME", &args.name);
    if !topology.exists() {
        create(&topology, &fill(TOPOLOGY))?;
        println!("wrote {}", topology.display());
    }
    create(&scenario, &fill(SCENARIO))?;
    println!("wrote {}", scenario.display());
    Ok(scenario)
}

fn create(file: &Path, text: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", file.display());
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(file, text).map_err(failed)
}
