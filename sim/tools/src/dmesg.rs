//! `dmesg` of util-linux, plain.

use world::{Registry, Sys};

use crate::console::{Console, Stop};

/// Installs `dmesg`.
pub fn install(registry: &mut Registry) {
    registry.install_command("dmesg", run);
}

fn run(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let words: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    let mut console = Console::new(sys);
    let outcome = run_words(&mut console, &words);
    console.finish(outcome)
}

/// Seconds are right-aligned in five columns, as the kernel's buffer has them.
fn run_words(console: &mut Console<'_>, words: &[&str]) -> Result<i32, Stop> {
    let mut with_time = true;
    for word in words {
        match *word {
            "-t" | "--notime" => with_time = false,
            "-P" | "--nopager" => {}
            other => return Err(Stop::exit(2, format!("dmesg: option \"{other}\" is not simulated"))),
        }
    }
    for (time, line) in console.sys.dmesg() {
        if with_time {
            let nanos = time.as_nanos();
            console.line(&format!(
                "[{:5}.{:06}] {line}",
                nanos / 1_000_000_000,
                nanos % 1_000_000_000 / 1000
            ));
        } else {
            console.line(&line);
        }
    }
    Ok(0)
}
