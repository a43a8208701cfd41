//! `docker ps`, `docker port`, and the tables and durations that Docker prints.

use world::Sys;

use super::Usage;
use super::state::{Container, Engine, Status, unix_nanos};
use super::template::Template;
use crate::console::{Console, Stop};
use crate::pflag::{Flag, Kind, Words};

const PS: Usage = Usage { name: "ps", usage: "ps [OPTIONS]", about: "List containers" };
const PORT: Usage = Usage {
    name: "port",
    usage: "port CONTAINER [PRIVATE_PORT[/PROTO]]",
    about: "List port mappings or a specific mapping for the container",
};

/// Rows in columns as Go's tabwriter aligns them: at least ten wide, three blanks between.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let longest = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
        (longest.unwrap_or(0) + 3).max(10)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            text.push_str(cell);
            if column + 1 < row.len() {
                let used = cell.chars().count();
                text.push_str(&" ".repeat(widths.get(column).map_or(0, |width| width.saturating_sub(used))));
            }
        }
        text.push('\n');
    }
    text
}

/// A duration in words. docker/go-units: `HumanDuration`.
pub fn human(nanos: u64) -> String {
    let seconds = nanos / 1_000_000_000;
    let minutes = seconds / 60;
    // Hours are rounded.
    let hours = (seconds + 1800) / 3600;
    match (seconds, minutes, hours) {
        (0, ..) => "Less than a second".to_owned(),
        (1, ..) => "1 second".to_owned(),
        (2..60, ..) => format!("{seconds} seconds"),
        (_, 1, _) => "About a minute".to_owned(),
        (_, 2..46, _) => format!("{minutes} minutes"),
        (_, _, 0 | 1) => "About an hour".to_owned(),
        (_, _, 2..48) => format!("{hours} hours"),
        (_, _, 48..336) => format!("{} days", hours / 24),
        (_, _, 336..1440) => format!("{} weeks", hours / 24 / 7),
        (_, _, 1440..17520) => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", hours / 24 / 365),
    }
}

/// `Up 3 seconds`, `Exited (0) 2 minutes ago`, `Created`.
fn status(sys: &dyn Sys, container: &Container) -> String {
    let since = |nanos: u64| human(unix_nanos(sys).saturating_sub(nanos));
    let state = &container.state;
    match state.status {
        Status::Created => "Created".to_owned(),
        Status::Running => format!("Up {}", since(state.started)),
        Status::Exited => format!("Exited ({}) {} ago", state.exit_code, since(state.finished)),
    }
}

/// A port in a listing: address and port of the host, if published; port and protocol.
type Port = (u16, String, Option<u16>, String);

/// The column PORTS. docker/cli: `formatter.DisplayablePorts`.
fn ports(container: &Container) -> String {
    if !container.runs() {
        return String::new();
    }
    let mut all: Vec<Port> = (container.active.iter())
        .map(|active| (active.port, active.host_ip.to_string(), Some(active.host_port), active.proto.clone()))
        .collect();
    for exposed in
        container.exposed.iter().filter(|_| container.endpoints.iter().any(|e| e.address.is_some()))
    {
        let (port, proto) = exposed.split_once('/').unwrap_or((exposed, "tcp"));
        let Ok(port) = port.parse() else { continue };
        if !all.iter().any(|(known, _, _, kind)| *known == port && kind == proto) {
            all.push((port, String::new(), None, proto.to_owned()));
        }
    }
    all.sort();
    let mut groups: Vec<(String, u16, u16)> = Vec::new();
    let mut done = Vec::new();
    let mut mappings = Vec::new();
    for (port, ip, public, proto) in all {
        match public {
            Some(public) if public != port => {
                mappings.push(format!("{ip}:{public}->{port}/{proto}"));
                continue;
            }
            _ => {}
        }
        let key = if ip.is_empty() { proto } else { format!("{ip}/{proto}") };
        match groups.iter_mut().find(|(known, ..)| *known == key) {
            None => groups.push((key, port, port)),
            Some((_, _, last)) if port == *last + 1 => *last = port,
            Some((key, first, last)) => {
                done.push(group(key, *first, *last));
                (*first, *last) = (port, port);
            }
        }
    }
    done.extend(groups.iter().map(|(key, first, last)| group(key, *first, *last)));
    done.extend(mappings);
    done.join(", ")
}

fn group(key: &str, first: u16, last: u16) -> String {
    let range = if first == last { first.to_string() } else { format!("{first}-{last}") };
    match key.split_once('/') {
        Some((ip, proto)) => format!("{ip}:{range}->{range}/{proto}"),
        None => format!("{range}/{key}"),
    }
}

/// The column COMMAND, without its quotes.
fn command_of(container: &Container) -> String {
    let word = |(at, arg): (usize, &String)| {
        if at > 0 && arg.contains(' ') { format!("'{arg}'") } else { arg.clone() }
    };
    container.args.iter().enumerate().map(word).collect::<Vec<_>>().join(" ")
}

fn shortened(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    text.chars().take(length.saturating_sub(1)).chain(['…']).collect()
}

/// `docker ps`.
///
/// # Errors
/// Docker's words and status.
pub fn ps(console: &mut Console<'_>, args: &[String]) -> Result<i32, Stop> {
    const FLAGS: &[Flag] = &[
        ("all", 'a', Kind::Switch),
        ("quiet", 'q', Kind::Switch),
        ("no-trunc", ' ', Kind::Switch),
        ("latest", 'l', Kind::Switch),
        ("last", 'n', Kind::Text),
        ("filter", 'f', Kind::Text),
        ("format", ' ', Kind::Text),
        ("size", 's', Kind::ForeignSwitch),
    ];
    let parsed = PS.parse(FLAGS, args, Words::Anywhere)?;
    if !parsed.words.is_empty() {
        let usage = "\"docker ps\" accepts no arguments.\nSee 'docker ps --help'.\n\nUsage:  docker ps [OPTIONS]\n\nList containers";
        return Err(Stop::exit(1, usage));
    }
    let engine = Engine::load(console.sys);
    let mut shown: Vec<&Container> = engine.containers.iter().rev().collect();
    let last = if parsed.on("latest") { Some(1) } else { parsed.get("last").and_then(|n| n.parse().ok()) };
    let filters = parsed.all("filter");
    let by_status = filters.iter().any(|filter| filter.starts_with("status="));
    if !parsed.on("all") && last.is_none() && !by_status {
        shown.retain(|container| container.runs());
    }
    for filter in &filters {
        let (key, value) = filter.split_once('=').unwrap_or((filter, ""));
        match key {
            "name" => shown.retain(|container| container.name.contains(value)),
            "id" => shown.retain(|container| container.id.starts_with(value)),
            "status" => shown.retain(|container| state_word(container) == value),
            "network" => {
                let network = engine.find_network(value).map(|at| engine.networks[at].id.clone());
                shown.retain(|c| c.endpoints.iter().any(|e| Some(&e.network) == network.as_ref()));
            }
            "ancestor" => shown.retain(|container| container.image == value),
            key => return Err(Stop::exit(2, format!("hoplab: docker ps --filter {key} is not simulated"))),
        }
    }
    shown.truncate(last.unwrap_or(usize::MAX));
    let full = parsed.on("no-trunc");
    let id = |container: &Container| if full { container.id.clone() } else { container.short().to_owned() };
    if parsed.on("quiet") {
        for container in shown {
            console.line(&id(container));
        }
        return Ok(0);
    }
    let sys = &*console.sys;
    let cells: Vec<[(&str, &str, String); 8]> = shown
        .iter()
        .map(|container| {
            let command = command_of(container);
            let command = if full { command } else { shortened(&command, 20) };
            let created = human(unix_nanos(sys).saturating_sub(container.created));
            [
                ("ID", "CONTAINER ID", id(container)),
                ("Image", "IMAGE", container.image.clone()),
                ("Command", "COMMAND", format!("{command:?}").replace("\\'", "'")),
                ("CreatedAt", "CREATED", format!("{created} ago")),
                ("Status", "STATUS", status(sys, container)),
                ("Ports", "PORTS", ports(container)),
                ("Names", "NAMES", container.name.clone()),
                ("State", "STATE", state_word(container).to_owned()),
            ]
        })
        .collect();
    const TITLES: [(&str, &str); 8] = [
        ("ID", "CONTAINER ID"),
        ("Image", "IMAGE"),
        ("Command", "COMMAND"),
        ("RunningFor", "CREATED"),
        ("Status", "STATUS"),
        ("Ports", "PORTS"),
        ("Names", "NAMES"),
        ("State", "STATE"),
    ];
    match parsed.get("format").filter(|format| *format != "table") {
        None => {
            let mut rows =
                vec![TITLES.iter().take(7).map(|(_, title)| (*title).to_owned()).collect::<Vec<_>>()];
            rows.extend(
                cells.iter().map(|row| row.iter().take(7).map(|(_, _, text)| text.clone()).collect()),
            );
            let text = table(&rows);
            console.out(&text);
        }
        Some(format) => {
            let (format, as_table) = match format.strip_prefix("table ") {
                Some(format) => (format, true),
                None => (format, false),
            };
            let template = Template::parse(format).map_err(|error| Stop::exit(64, format!("{error}")))?;
            let mut lines = Vec::new();
            let object = |texts: Vec<String>| -> serde_json::Value {
                TITLES
                    .iter()
                    .map(|(name, _)| (*name).to_owned())
                    .zip(texts.into_iter().map(Into::into))
                    .collect::<serde_json::Map<_, _>>()
                    .into()
            };
            if as_table {
                lines.push(object(TITLES.iter().map(|(_, title)| (*title).to_owned()).collect()));
            }
            lines.extend(
                cells.iter().map(|row| object(row.iter().map(|(_, _, text)| text.clone()).collect())),
            );
            let mut rows = Vec::new();
            for line in &lines {
                let text = template.fill(line).map_err(|error| Stop::exit(1, format!("{error}")))?;
                rows.push(text.split('\t').map(str::to_owned).collect::<Vec<_>>());
            }
            if as_table {
                console.out(&table(&rows));
            } else {
                for row in rows {
                    console.line(&row.join("\t"));
                }
            }
        }
    }
    Ok(0)
}

/// `running`, `exited`, `created`.
pub fn state_word(container: &Container) -> &'static str {
    match container.state.status {
        Status::Created => "created",
        Status::Running => "running",
        Status::Exited => "exited",
    }
}

/// `docker port`.
///
/// # Errors
/// Docker's words and status.
pub fn port(console: &mut Console<'_>, args: &[String]) -> Result<i32, Stop> {
    let parsed = PORT.parse(&[], args, Words::Anywhere)?;
    let (word, wanted) = match parsed.words.as_slice() {
        [word] => (word, None),
        [word, port] => (word, Some(port)),
        _ => return Err(PORT.arguments("at least 1 and at most 2 arguments")),
    };
    let engine = Engine::load(console.sys);
    let at = engine.find(word).ok_or_else(|| Stop::exit(1, format!("Error: No such container: {word}")))?;
    let mut active = engine.containers[at].active.clone();
    active.sort_by_key(|port| (port.port.to_string(), port.proto.clone()));
    let Some(wanted) = wanted else {
        for port in &active {
            console.line(&format!("{}/{} -> {}:{}", port.port, port.proto, port.host_ip, port.host_port));
        }
        return Ok(0);
    };
    let key = if wanted.contains('/') { wanted.clone() } else { format!("{wanted}/tcp") };
    let found: Vec<_> = active.iter().filter(|port| format!("{}/{}", port.port, port.proto) == key).collect();
    if found.is_empty() {
        return Err(Stop::exit(1, format!("Error: No public port '{key}' published for {word}")));
    }
    for port in found {
        console.line(&format!("{}:{}", port.host_ip, port.host_port));
    }
    Ok(0)
}
