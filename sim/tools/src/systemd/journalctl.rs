use world::Registry;

use super::journal;
use crate::console::{Console, Stop};
use crate::getopt::getopt;
use crate::net::read_file;

/// Installs `journalctl`.
pub fn install(registry: &mut Registry) {
    registry.install_command("journalctl", |sys, args| {
        let mut console = Console::new(sys);
        let outcome = journalctl(&mut console, args.get(1..).unwrap_or_default());
        console.finish(outcome)
    });
}

const LONG: &[(&str, char)] = &[
    ("unit", 'u'),
    ("lines", 'n'),
    ("follow", 'f'),
    ("pager-end", 'e'),
    ("catalog", 'x'),
    ("no-pager", 'P'),
];

/// `journalctl -u UNIT`.
///
/// Simplified: lines without times, as the service wrote them.
fn journalctl(console: &mut Console<'_>, args: &[String]) -> Result<i32, Stop> {
    let (options, words) =
        getopt(args, "u:n:fexP", LONG).map_err(|error| Stop::exit(1, format!("journalctl: {error}")))?;
    let get = |letter| options.iter().rev().find(|(option, _)| *option == letter);
    let Some((_, Some(unit))) = get('u') else {
        return Err(Stop::exit(2, "hoplab: journalctl without -u UNIT is not simulated"));
    };
    if let Some(word) = words.first() {
        return Err(Stop::exit(2, format!("hoplab: journalctl with the match \"{word}\" is not simulated")));
    }
    let path = journal(unit.strip_suffix(".service").unwrap_or(unit));
    let lines = match get('n') {
        None => None,
        Some((_, text)) => {
            let text = text.clone().unwrap_or_default();
            let lines = text.parse::<usize>();
            Some(lines.map_err(|_| Stop::exit(1, format!("Failed to parse lines '{text}'")))?)
        }
    };
    if get('f').is_some() && console.sys.stat(&path).is_ok() {
        console.flush();
        let lines = lines.unwrap_or(10).to_string();
        let args = ["tail", "-f", "-n", &lines, &path].map(str::to_owned).to_vec();
        return console.sys.exec(args).map(|()| 0).map_err(|errno| Stop::exit(1, errno.to_string()));
    }
    let text = read_file(console.sys, &path).unwrap_or_default();
    if text.is_empty() {
        console.line("-- No entries --");
    }
    let all: Vec<&str> = text.lines().collect();
    for line in &all[all.len().saturating_sub(lines.unwrap_or(usize::MAX))..] {
        console.line(line);
    }
    Ok(0)
}
