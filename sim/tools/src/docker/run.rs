//! `docker run`, `docker create`, `docker start`.

use std::net::Ipv4Addr;

use world::{Fd, OpenMode, Sys};

use super::start::{self, Streams, background, forget};
use super::state::{Container, Endpoint, Engine, Publish, make_dirs, new_id, unix_nanos};
use super::{After, Attached, Task, Usage, daemon_error};
use crate::console::{Console, Stop};
use crate::image;
use crate::pflag::{Flag, Kind, Parsed, Words};

const RUN: Usage = Usage {
    name: "run",
    usage: "run [OPTIONS] IMAGE [COMMAND] [ARG...]",
    about: "Run a command in a new container",
};
const CREATE: Usage = Usage {
    name: "create",
    usage: "create [OPTIONS] IMAGE [COMMAND] [ARG...]",
    about: "Create a new container",
};
const START: Usage = Usage {
    name: "start",
    usage: "start [OPTIONS] CONTAINER [CONTAINER...]",
    about: "Start one or more stopped containers",
};

/// Simplified: capabilities, limits, labels and restart policies are taken without effect.
const FLAGS: &[Flag] = &[
    ("detach", 'd', Kind::Switch),
    ("interactive", 'i', Kind::Switch),
    ("tty", 't', Kind::Switch),
    ("rm", ' ', Kind::Switch),
    ("name", ' ', Kind::Text),
    ("network", ' ', Kind::Text),
    ("net", ' ', Kind::Text),
    ("network-alias", ' ', Kind::Text),
    ("publish", 'p', Kind::Text),
    ("expose", ' ', Kind::Text),
    ("publish-all", 'P', Kind::Switch),
    ("env", 'e', Kind::Text),
    ("hostname", 'h', Kind::Text),
    ("ip", ' ', Kind::Text),
    ("mac-address", ' ', Kind::Text),
    ("dns", ' ', Kind::Text),
    ("add-host", ' ', Kind::Text),
    ("sysctl", ' ', Kind::Text),
    ("entrypoint", ' ', Kind::Text),
    ("workdir", 'w', Kind::Text),
    ("privileged", ' ', Kind::Switch),
    ("cap-add", ' ', Kind::Text),
    ("cap-drop", ' ', Kind::Text),
    ("init", ' ', Kind::Switch),
    ("label", 'l', Kind::Text),
    ("memory", 'm', Kind::Text),
    ("cpus", ' ', Kind::Text),
    ("user", 'u', Kind::Text),
    ("pull", ' ', Kind::Text),
    ("restart", ' ', Kind::Text),
    ("ulimit", ' ', Kind::Text),
    ("volume", 'v', Kind::Foreign),
    ("mount", ' ', Kind::Foreign),
    ("link", ' ', Kind::Foreign),
    ("ip6", ' ', Kind::Foreign),
    ("attach", 'a', Kind::Foreign),
    ("pid", ' ', Kind::Foreign),
    ("uts", ' ', Kind::Foreign),
    ("ipc", ' ', Kind::Foreign),
    ("env-file", ' ', Kind::Foreign),
    ("dns-search", ' ', Kind::Foreign),
    ("device", ' ', Kind::Foreign),
    ("volumes-from", ' ', Kind::Foreign),
    ("read-only", ' ', Kind::ForeignSwitch),
];

/// `docker run`.
///
/// # Errors
/// Docker's words and status.
pub fn run(console: &mut Console<'_>, args: &[String]) -> Result<After, Stop> {
    let parsed = RUN.parse(FLAGS, args, Words::EndOptions)?;
    let mut engine = Engine::load(console.sys);
    let at = new_container(console, &mut engine, &parsed, &RUN)?;
    engine.save(console.sys);
    let container = engine.containers[at].clone();
    let detached = parsed.on("detach");
    if detached {
        console.line(&container.id);
        console.flush();
    }
    let (streams, pipes) = streams(console.sys, &container)
        .map_err(|errno| Stop::exit(125, format!("docker: Error response from daemon: {errno}.")))?;
    let outcome = start::start(console.sys, &mut engine, at, streams);
    close(console.sys, streams);
    if let Err(why) = outcome {
        if container.auto_remove {
            forget(console.sys, &mut engine, at);
        }
        engine.save(console.sys);
        let status = if why.contains("executable file not found") { 127 } else { 125 };
        return Err(Stop::exit(status, format!("docker: Error response from daemon: {why}.")));
    }
    engine.save(console.sys);
    if detached {
        return Ok(After::Task(Task::Pause(console.sys.now() + super::START, 0)));
    }
    let state = &engine.containers[at].state;
    let log = if pipes.is_empty() { None } else { console.sys.open(&container.log(), OpenMode::Append).ok() };
    Ok(After::Task(Task::Attached(Attached {
        pid: packet::Pid(state.shim),
        target: packet::Pid(state.pid),
        pipes,
        log,
    })))
}

/// `docker create`.
///
/// # Errors
/// Docker's words and status.
pub fn create(console: &mut Console<'_>, args: &[String]) -> Result<After, Stop> {
    let parsed = CREATE.parse(FLAGS, args, Words::EndOptions)?;
    let mut engine = Engine::load(console.sys);
    let at = new_container(console, &mut engine, &parsed, &CREATE)?;
    // It is started later, without a client that could read what it says.
    engine.containers[at].detached = true;
    engine.save(console.sys);
    console.line(&engine.containers[at].id);
    Ok(After::Exit(0))
}

/// `docker start`.
///
/// # Errors
/// Docker's words and status.
pub fn start(console: &mut Console<'_>, args: &[String]) -> Result<After, Stop> {
    let flags: &[Flag] = &[("attach", 'a', Kind::ForeignSwitch), ("interactive", 'i', Kind::ForeignSwitch)];
    let parsed = START.parse(flags, args, Words::Anywhere)?;
    if parsed.words.is_empty() {
        return Err(START.arguments("at least 1 argument"));
    }
    let mut failed = Vec::new();
    for word in &parsed.words {
        match again(console.sys, word) {
            Ok(()) => console.line(word),
            Err(why) => {
                console.flush();
                console.error(&format!("Error response from daemon: {why}\n"));
                failed.push(word.clone());
            }
        }
    }
    if failed.is_empty() {
        return Ok(After::Task(Task::Pause(console.sys.now() + super::START, 0)));
    }
    Err(Stop::exit(1, format!("Error: failed to start containers: {}", failed.join(", "))))
}

/// Starts a stopped container.
///
/// # Errors
/// dockerd's words.
pub fn again(sys: &mut dyn Sys, word: &str) -> Result<(), String> {
    let mut engine = Engine::load(sys);
    let at = engine.find(word).ok_or_else(|| format!("No such container: {word}"))?;
    if engine.containers[at].runs() {
        return Ok(());
    }
    let streams = background(sys, &engine.containers[at]).map_err(|errno| errno.to_string())?;
    let outcome = start::start(sys, &mut engine, at, streams);
    close(sys, streams);
    engine.save(sys);
    outcome
}

/// Closes what [`streams`] opened.
fn close(sys: &mut dyn Sys, streams: Streams) {
    for fd in [streams.input, streams.output, streams.error] {
        if ![Fd::STDIN, Fd::STDOUT, Fd::STDERR].contains(&fd) {
            sys.close(fd);
        }
    }
}

/// The streams of a new container, and the pipes to read from if a client listens.
///
/// Simplified: what a container with a terminal says is not kept.
fn streams(sys: &mut dyn Sys, container: &Container) -> Result<(Streams, Vec<(Fd, Fd)>), kernel::Errno> {
    if container.detached {
        return Ok((background(sys, container)?, Vec::new()));
    }
    if let Some((dir, _)) = container.log().rsplit_once('/') {
        make_dirs(sys, dir);
    }
    let input = if container.interactive { Fd::STDIN } else { sys.open("/dev/null", OpenMode::Read)? };
    if container.tty {
        return Ok((Streams { input, output: Fd::STDOUT, error: Fd::STDERR }, Vec::new()));
    }
    let (out_read, output) = sys.pipe();
    let (error_read, error) = sys.pipe();
    Ok((Streams { input, output, error }, vec![(out_read, Fd::STDOUT), (error_read, Fd::STDERR)]))
}

fn create_error(usage: &Usage, why: &str) -> Stop {
    Stop::exit(
        125,
        format!("docker: Error response from daemon: {why}.\nSee 'docker {} --help'.", usage.name),
    )
}

fn new_container(
    console: &mut Console<'_>,
    engine: &mut Engine,
    parsed: &Parsed,
    usage: &Usage,
) -> Result<usize, Stop> {
    let Some((reference, command)) = parsed.words.split_first() else {
        return Err(usage.arguments("at least 1 argument"));
    };
    let wrong = |why: String| Stop::exit(125, format!("docker: {why}.\nSee 'docker {} --help'.", usage.name));
    let mut publish = Vec::new();
    for text in parsed.all("publish") {
        publish.push(published(&text).map_err(wrong)?);
    }
    if parsed.get("restart").is_some_and(|policy| policy != "no") {
        return Err(Stop::exit(2, "hoplab: docker run --restart is not simulated"));
    }
    let mode = parsed.get("network").or(parsed.get("net")).unwrap_or("default").to_owned();
    let wanted = match parsed.get("ip").map(str::parse::<Ipv4Addr>) {
        None => None,
        Some(Ok(addr)) => Some(addr),
        Some(Err(_)) => {
            let given = parsed.get("ip").unwrap_or_default();
            return Err(create_error(usage, &format!("invalid IPv4 address: {given}")));
        }
    };
    let Some(image) = image::find(reference) else {
        console.error(&format!("Unable to find image '{}' locally\n", image::tagged(reference)));
        let name = reference.split(':').next().unwrap_or(reference);
        return Err(create_error(
            usage,
            &format!(
                "pull access denied for {name}, repository does not exist or may require 'docker login': denied: \
                 requested access to the resource is denied"
            ),
        ));
    };
    let id = new_id(console.sys);
    let name = match parsed.get("name") {
        Some(name) => {
            let name = name.strip_prefix('/').unwrap_or(name);
            check_name(engine, name).map_err(|why| create_error(usage, &why))?;
            name.to_owned()
        }
        None => random_name(console.sys, engine),
    };
    let conflict = |what: &str| create_error(usage, &format!("conflicting options: {what}"));
    let mode = match mode.strip_prefix("container:") {
        Some(_) if !publish.is_empty() => {
            return Err(conflict("port publishing and the container type network mode"));
        }
        Some(_) if parsed.get("hostname").is_some() => return Err(conflict("hostname and the network mode")),
        Some(other) => match engine.find(other) {
            Some(at) => format!("container:{}", engine.containers[at].id),
            None => mode.clone(),
        },
        None => mode,
    };
    if mode == "host" && !publish.is_empty() {
        console.error("WARNING: Published ports are discarded when using host network mode\n");
        publish.clear();
    }
    let hostname = match (parsed.get("hostname"), mode.strip_prefix("container:")) {
        (Some(name), _) => name.to_owned(),
        (None, Some(other)) => {
            engine.find(other).map(|at| engine.containers[at].hostname.clone()).unwrap_or_default()
        }
        (None, None) if mode == "host" => console.sys.hostname(),
        (None, None) => id.get(..12).unwrap_or_default().to_owned(),
    };
    let mut exposed: Vec<String> = image.exposed.iter().map(|port| (*port).to_owned()).collect();
    let asked = parsed.all("expose");
    let with_proto = |port: &String| if port.contains('/') { port.clone() } else { format!("{port}/tcp") };
    exposed.extend(asked.iter().map(with_proto));
    if parsed.on("publish-all") {
        let more = exposed.iter().filter_map(|port| published(port).ok());
        publish.extend(more.collect::<Vec<_>>());
    }
    exposed.extend(publish.iter().map(|port| format!("{}/{}", port.port, port.proto)));
    exposed.sort();
    exposed.dedup();
    let entrypoint: Vec<String> = match parsed.get("entrypoint") {
        Some("") => Vec::new(),
        Some(program) => vec![program.to_owned()],
        None => image.entrypoint.iter().map(|word| (*word).to_owned()).collect(),
    };
    let command: Vec<String> = match command {
        [] if parsed.get("entrypoint").is_some() => Vec::new(),
        [] => image.command.iter().map(|word| (*word).to_owned()).collect(),
        given => given.to_vec(),
    };
    let env = parsed.all("env").into_iter().filter_map(|pair| {
        if pair.contains('=') {
            Some(pair)
        } else {
            console.sys.env(&pair).map(|value| format!("{pair}={value}"))
        }
    });
    let env = env.collect();
    let endpoints = endpoints(engine, parsed, &mode, &id, wanted);
    engine.containers.push(Container {
        name,
        image: reference.clone(),
        args: entrypoint.iter().chain(&command).cloned().collect(),
        entrypoint,
        command,
        env,
        hostname,
        mode,
        publish,
        exposed,
        endpoints,
        created: unix_nanos(console.sys),
        auto_remove: parsed.on("rm"),
        tty: parsed.on("tty"),
        interactive: parsed.on("interactive"),
        detached: parsed.on("detach"),
        privileged: parsed.on("privileged"),
        cap_add: parsed.all("cap-add"),
        dns: parsed.all("dns"),
        extra_hosts: parsed.all("add-host"),
        sysctls: parsed.all("sysctl"),
        workdir: parsed.get("workdir").unwrap_or_default().to_owned(),
        mac: parsed.get("mac-address").map(str::to_owned),
        id,
        ..Container::default()
    });
    Ok(engine.containers.len() - 1)
}

/// The networks that a new container will join.
fn endpoints(
    engine: &Engine,
    parsed: &Parsed,
    mode: &str,
    id: &str,
    wanted: Option<Ipv4Addr>,
) -> Vec<Endpoint> {
    if mode.starts_with("container:") {
        return Vec::new();
    }
    let name = if mode == "default" { "bridge" } else { mode };
    let network = engine.find_network(name).map(|at| &engine.networks[at]);
    let own = network.is_some_and(|network| network.driver == "bridge" && network.name != "bridge");
    let mut aliases = parsed.all("network-alias");
    if own {
        aliases.push(id.get(..12).unwrap_or_default().to_owned());
    }
    vec![Endpoint {
        network: network.map_or_else(|| name.to_owned(), |network| network.id.clone()),
        id: String::new(),
        address: None,
        wanted: wanted.filter(|_| mode != "default"),
        device: String::new(),
        veth: String::new(),
        aliases,
    }]
}

fn check_name(engine: &Engine, name: &str) -> Result<(), String> {
    let mut letters = name.chars();
    let begins = letters.next().is_some_and(|c| c.is_ascii_alphanumeric());
    let goes_on = name.len() > 1 && letters.all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    if !begins || !goes_on {
        return Err(format!("Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"));
    }
    match engine.containers.iter().find(|container| container.name == name) {
        None => Ok(()),
        Some(other) => Err(format!(
            "Conflict. The container name \"/{name}\" is already in use by container \"{}\". You have to remove \
             (or rename) that container to be able to reuse that name",
            other.id
        )),
    }
}

/// `adjective_surname`.
fn random_name(sys: &mut dyn Sys, engine: &Engine) -> String {
    const LEFT: [&str; 16] = [
        "admiring",
        "bold",
        "clever",
        "dazzling",
        "eager",
        "festive",
        "gallant",
        "happy",
        "intelligent",
        "jolly",
        "keen",
        "laughing",
        "modest",
        "nifty",
        "quirky",
        "serene",
    ];
    const RIGHT: [&str; 16] = [
        "archimedes",
        "banach",
        "curie",
        "darwin",
        "easley",
        "fermat",
        "golick",
        "hopper",
        "ishizaka",
        "joliot",
        "kepler",
        "lovelace",
        "mclaren",
        "noether",
        "perlman",
        "shannon",
    ];
    loop {
        let roll = sys.random();
        let (left, right) =
            (usize::try_from(roll % 16).unwrap_or(0), usize::try_from(roll / 16 % 16).unwrap_or(0));
        let name = format!("{}_{}", LEFT[left], RIGHT[right]);
        if engine.find(&name).is_none() {
            return name;
        }
        let name = format!("{name}{}", roll / 256 % 10);
        if engine.find(&name).is_none() {
            return name;
        }
    }
}

/// `[ip:][hostport:]port[/proto]`.
fn published(text: &str) -> Result<Publish, String> {
    let (addresses, proto) = text.rsplit_once('/').unwrap_or((text, "tcp"));
    if proto != "tcp" && proto != "udp" {
        return Err(format!("Invalid proto: {proto}"));
    }
    if addresses.contains('-') {
        return Err("hoplab: ranges of ports are not simulated".to_owned());
    }
    let parts: Vec<&str> = addresses.split(':').collect();
    let (ip, host, inner) = match parts.as_slice() {
        [inner] => ("", "", *inner),
        [host, inner] => ("", *host, *inner),
        [ip, host, inner] => (*ip, *host, *inner),
        _ => return Err(format!("Invalid ip address: {addresses}")),
    };
    let host_ip = match ip {
        "" => None,
        ip => Some(ip.parse().map_err(|_| format!("Invalid ip address: {ip}"))?),
    };
    let host_port = match host {
        "" => None,
        host => Some(host.parse().map_err(|_| format!("Invalid hostPort: {host}"))?),
    };
    let port = inner.parse().map_err(|_| match inner {
        "" => format!("No port specified: {text}<empty>"),
        inner => format!("Invalid containerPort: {inner}"),
    })?;
    Ok(Publish { host_ip, host_port, port, proto: proto.to_owned() })
}

/// The container that a word means.
///
/// # Errors
/// `No such container`.
pub fn find(engine: &Engine, word: &str) -> Result<usize, Stop> {
    engine.find(word).ok_or_else(|| daemon_error(&format!("No such container: {word}")))
}
