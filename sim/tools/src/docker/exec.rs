//! `docker exec`, `docker logs`.

use packet::Pid;
use world::{Fd, OpenMode, Spawn};

use super::state::Engine;
use super::{After, Attached, Task, Usage, daemon_error};
use crate::console::{Console, Stop};
use crate::image;
use crate::net::read_file;
use crate::pflag::{Flag, Kind, Words};

const EXEC: Usage = Usage {
    name: "exec",
    usage: "exec [OPTIONS] CONTAINER COMMAND [ARG...]",
    about: "Run a command in a running container",
};
const LOGS: Usage =
    Usage { name: "logs", usage: "logs [OPTIONS] CONTAINER", about: "Fetch the logs of a container" };

/// `docker exec`.
///
/// Simplified: `-t` asks for no terminal; `-u` and `--privileged` have no effect.
///
/// # Errors
/// Docker's words and status.
pub fn exec(console: &mut Console<'_>, args: &[String]) -> Result<After, Stop> {
    const FLAGS: &[Flag] = &[
        ("detach", 'd', Kind::Switch),
        ("interactive", 'i', Kind::Switch),
        ("tty", 't', Kind::Switch),
        ("env", 'e', Kind::Text),
        ("workdir", 'w', Kind::Text),
        ("user", 'u', Kind::Text),
        ("privileged", ' ', Kind::Switch),
        ("env-file", ' ', Kind::Foreign),
        ("detach-keys", ' ', Kind::Foreign),
    ];
    let parsed = EXEC.parse(FLAGS, args, Words::EndOptions)?;
    let [word, command @ ..] = parsed.words.as_slice() else {
        return Err(EXEC.arguments("at least 2 arguments"));
    };
    let Some(program) = command.first() else { return Err(EXEC.arguments("at least 2 arguments")) };
    let engine = Engine::load(console.sys);
    let at = engine.find(word).ok_or_else(|| Stop::exit(1, format!("Error: No such container: {word}")))?;
    let container = &engine.containers[at];
    let netns = console.sys.netns_of_pid(Pid(container.state.pid)).filter(|_| container.runs());
    let netns = netns.ok_or_else(|| daemon_error(&format!("Container {} is not running", container.id)))?;
    let missing = || {
        Stop::exit(
            126,
            format!(
                "OCI runtime exec failed: exec failed: unable to start container process: exec: \"{program}\": \
                 executable file not found in $PATH: unknown"
            ),
        )
    };
    let args = image::program(command)
        .filter(|args| args.first().is_some_and(|name| console.sys.registry().get(name).is_some()))
        .ok_or_else(missing)?;
    let mut env = image::environment(&container.hostname);
    for pair in container.env.iter().cloned().chain(parsed.all("env")) {
        if let Some((name, value)) = pair.split_once('=') {
            env.insert(name.to_owned(), value.to_owned());
        }
    }
    let cwd =
        parsed.get("workdir").unwrap_or(if container.workdir.is_empty() { "/" } else { &container.workdir });
    console.flush();
    let detached = parsed.on("detach");
    let null = console.sys.open("/dev/null", OpenMode::Read);
    let null = null.map_err(|errno| Stop::exit(126, errno.to_string()))?;
    let input = if parsed.on("interactive") && !detached { Fd::STDIN } else { null };
    let (output, error) = if detached { (null, null) } else { (Fd::STDOUT, Fd::STDERR) };
    let pid = console.sys.spawn(Spawn {
        args,
        netns: Some(netns),
        root: Some(container.root()),
        cwd: Some(cwd.to_owned()),
        env: Some(env),
        fds: vec![(Fd::STDIN, input), (Fd::STDOUT, output), (Fd::STDERR, error)],
        ..Spawn::default()
    });
    let pid = pid.map_err(|_| missing())?;
    if detached {
        return Ok(After::Exit(0));
    }
    Ok(After::Task(Task::Attached(Attached { pid, target: pid, pipes: Vec::new(), log: None })))
}

/// `docker logs`.
///
/// # Errors
/// Docker's words and status.
pub fn logs(console: &mut Console<'_>, args: &[String]) -> Result<i32, Stop> {
    const FLAGS: &[Flag] = &[
        ("follow", 'f', Kind::Switch),
        ("tail", 'n', Kind::Text),
        ("timestamps", 't', Kind::ForeignSwitch),
        ("since", ' ', Kind::Foreign),
        ("until", ' ', Kind::Foreign),
        ("details", ' ', Kind::ForeignSwitch),
    ];
    let parsed = LOGS.parse(FLAGS, args, Words::Anywhere)?;
    let [word] = parsed.words.as_slice() else { return Err(LOGS.arguments("exactly 1 argument")) };
    let engine = Engine::load(console.sys);
    let at = engine.find(word).ok_or_else(|| Stop::exit(1, format!("Error: No such container: {word}")))?;
    let path = engine.containers[at].log();
    let lines = match parsed.get("tail") {
        None | Some("all") => None,
        Some(n) => {
            Some(n.parse::<usize>().map_err(|_| Stop::exit(125, format!("invalid value \"{n}\" for tail")))?)
        }
    };
    if parsed.on("follow") {
        console.flush();
        let from = lines.map_or("+1".to_owned(), |n| n.to_string());
        let args = ["tail", "-f", "-n", &from, &path].map(str::to_owned).to_vec();
        let became = console.sys.exec(args);
        return became.map(|()| 0).map_err(|errno| Stop::exit(1, errno.to_string()));
    }
    let text = read_file(console.sys, &path).unwrap_or_default();
    let all: Vec<&str> = text.split_inclusive('\n').collect();
    let skipped = lines.map_or(0, |n| all.len().saturating_sub(n));
    console.out(&all.into_iter().skip(skipped).collect::<String>());
    Ok(0)
}
