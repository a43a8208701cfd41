//! `hostname` of Debian 12.

use world::{Registry, Sys};

use crate::console::{Console, Stop};

/// Installs `hostname`.
pub fn install(registry: &mut Registry) {
    registry.install_command("hostname", run);
}

fn run(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let words: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    let mut console = Console::new(sys);
    let outcome = run_words(&mut console, &words);
    console.finish(outcome)
}

fn run_words(console: &mut Console<'_>, words: &[&str]) -> Result<i32, Stop> {
    let name = console.sys.hostname();
    match words {
        [] => console.line(&name),
        ["-s" | "--short"] => console.line(name.split('.').next().unwrap_or_default()),
        ["-I" | "--all-ip-addresses"] => {
            // Every address but loopback's, each with a blank after it.
            let addrs = console.sys.kernel().addrs(console.sys.netns());
            let shown = addrs.iter().map(|info| info.addr.local.addr()).filter(|addr| !addr.is_loopback());
            console.line(&shown.map(|addr| format!("{addr} ")).collect::<String>());
        }
        [option, ..] if option.starts_with('-') => {
            return Err(Stop::exit(2, format!("hostname: option \"{option}\" is not simulated")));
        }
        [new] => {
            let label = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
            if new.is_empty() || !new.chars().all(label) || new.starts_with(['-', '.']) {
                return Err(Stop::exit(1, "hostname: the specified hostname is invalid"));
            }
            console.sys.set_hostname(new);
        }
        _ => return Err(Stop::exit(2, "hostname: more than one name is not simulated")),
    }
    Ok(0)
}
