//! `exec`, `attach`, `logs`: what goes to and from containers.

use std::collections::VecDeque;

use serde_json::Value;
use world::{Fd, Next, Program, ReadResult, Signal, Sys, Wait};

use super::cli::{Cli, Then};
use super::failure::Failure;
use super::kinds;
use super::print::{list, name, text};
use super::selector::LabelSelector;
use super::target::{self, Target, TypeAlone, Words};
use crate::stream::{Ask, Piece, Request, Stream};

/// The names of a pod's containers, as a hint lists them.
fn all_containers(pod: &Value) -> String {
    let main = list(pod, "/spec/containers").iter().map(|c| text(c, "/name").to_owned());
    let init = list(pod, "/spec/initContainers").iter().map(|c| format!("{} (init)", text(c, "/name")));
    main.chain(init).collect::<Vec<_>>().join(", ")
}

/// The container that the command means: the named one, the annotated one, or the first.
fn container(cli: &mut Cli<'_>, pod: &Value, quiet: bool) -> Result<String, Failure> {
    if let Some(named) = cli.flags.get("container") {
        return Ok(named.to_owned());
    }
    let annotated = pod
        .pointer("/metadata/annotations")
        .and_then(|all| all.get("kubectl.kubernetes.io/default-container"));
    let mains = list(pod, "/spec/containers");
    if let Some(wanted) = annotated.and_then(Value::as_str)
        && mains.iter().any(|container| text(container, "/name") == wanted)
    {
        return Ok(wanted.to_owned());
    }
    let Some(first) = mains.first().map(|container| text(container, "/name").to_owned()) else {
        return Err(Failure::Own(format!("pod {} does not have any containers", name(pod))));
    };
    if !quiet && mains.len() + list(pod, "/spec/initContainers").len() > 1 {
        cli.err(&format!("Defaulted container {first:?} out of: {}\n", all_containers(pod)));
    }
    Ok(first)
}

/// The pods that a Service or a workload selects, those that serve first.
pub fn pods_of(sys: &dyn Sys, target: &Target) -> Vec<Value> {
    let Some(pods) = kinds::find("pods") else { return Vec::new() };
    let Some(selector) = target.object.pointer("/spec/selector").map(LabelSelector::of) else {
        return Vec::new();
    };
    let mut found = pods.list(sys.store(), Some(&target.namespace));
    found.retain(|pod| selector.selects(pod));
    // Kubernetes: `ActivePods`: assigned, running, ready ones first.
    found.sort_by_key(|pod| {
        let phase = match text(pod, "/status/phase") {
            "Running" => 0,
            "Unknown" => 1,
            "Pending" => 2,
            _ => 3,
        };
        (text(pod, "/spec/nodeName").is_empty(), phase, !super::print::pod_ready(pod))
    });
    found
}

/// The pod that `POD` or `TYPE/NAME` names.
///
/// # Errors
/// There is none.
pub fn pod(cli: &mut Cli<'_>, word: &str) -> Result<Value, Failure> {
    let target = target::one(cli, word, "pods")?;
    if target.kind.kind == "Pod" {
        return Ok(target.object);
    }
    if target.object.pointer("/spec/selector").is_none() {
        return Err(Failure::Own(format!(
            "cannot attach to *v1.{}: selector for *v1.{} not implemented",
            target.kind.kind, target.kind.kind
        )));
    }
    pods_of(cli.sys, &target)
        .into_iter()
        .next()
        .ok_or_else(|| Failure::Own("timed out waiting for the condition".to_owned()))
}

fn request(cli: &Cli<'_>, pod: &Value, container: String, ask: Ask) -> Request {
    Request {
        namespace: text(pod, "/metadata/namespace").to_owned(),
        pod: name(pod),
        container: Some(container),
        ask,
        session: cli.sys.session(),
    }
}

fn completed(pod: &Value, what: &str) -> Result<(), Failure> {
    match text(pod, "/status/phase") {
        phase @ ("Succeeded" | "Failed") => Err(Failure::Own(format!(
            "cannot {what} a container in a completed pod; current phase is {phase}"
        ))),
        _ => Ok(()),
    }
}

/// Runs `exec`.
pub fn exec(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let words = cli.flags.words.clone();
    let quiet = cli.flags.on("quiet");
    let target = words.first().filter(|_| cli.flags.dash != Some(0)).cloned();
    let command = match cli.flags.dash {
        Some(dash) => words.get(dash..).unwrap_or_default().to_vec(),
        None => words.get(1..).unwrap_or_default().to_vec(),
    };
    if cli.flags.dash.is_none() && !command.is_empty() && !quiet {
        cli.err(
            "kubectl exec [POD] [COMMAND] is DEPRECATED and will be removed in a future version. Use kubectl exec [POD] \
             -- [COMMAND] instead.\n",
        );
    }
    let Some(target) = target else {
        return Err(Failure::Own("pod, type/name or --filename must be specified".to_owned()));
    };
    if command.is_empty() {
        return Err(Failure::Own("you must specify at least one command for the container".to_owned()));
    }
    let pod = pod(cli, &target)?;
    completed(&pod, "exec into")?;
    let container = container(cli, &pod, quiet)?;
    let stdin = cli.flags.on("stdin");
    let tty = terminal(cli, stdin, quiet);
    let ask = Ask::Exec { command, stdin, tty };
    let request = request(cli, &pod, container, ask);
    Ok(Then::Go(Box::new(Streaming::new(vec![request], stdin, After::ExitAs))))
}

/// Whether the container gets a terminal: `-t`, if there is one.
fn terminal(cli: &mut Cli<'_>, stdin: bool, quiet: bool) -> bool {
    if !stdin || !cli.flags.on("tty") {
        return false;
    }
    if !cli.sys.is_terminal(Fd::STDIN) {
        if !quiet {
            cli.err("Unable to use a TTY - input is not a terminal or the right kind of file\n");
        }
        return false;
    }
    true
}

/// Runs `attach`.
pub fn attach(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let words = cli.flags.words.clone();
    let target = match &words[..] {
        [] => return Err(Failure::Own("at least 1 argument is required for attach".to_owned())),
        [one] => one.clone(),
        [kind, name] => format!("{kind}/{name}"),
        more => {
            return Err(Failure::Own(format!(
                "expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw {}: [{}]",
                more.len(),
                more.join(" ")
            )));
        }
    };
    let pod = pod(cli, &target)?;
    completed(&pod, "attach")?;
    let request = attach_request(cli, &pod)?;
    let stdin = cli.flags.on("stdin");
    Ok(Then::Go(Box::new(Streaming::new(vec![request], stdin, After::OneByOne))))
}

/// What `attach` and `run -i` ask.
///
/// # Errors
/// The pod has no such container.
fn attach_request(cli: &mut Cli<'_>, pod: &Value) -> Result<Request, Failure> {
    let quiet = cli.flags.on("quiet");
    let container = container(cli, pod, quiet)?;
    let all = list(pod, "/spec/containers").iter();
    let Some(found) = all.into_iter().find(|one| text(one, "/name") == container) else {
        return Err(Failure::Own(format!(
            "cannot attach to the container: container {container} not found in pod {}",
            name(pod)
        )));
    };
    if cli.flags.on("tty") && found["tty"].as_bool() != Some(true) && !quiet {
        cli.err(&format!("error: Unable to use a TTY - container {container} did not allocate one\n"));
    }
    if !quiet {
        cli.err("If you don't see a command prompt, try pressing enter.\n");
    }
    let ask = Ask::Attach { stdin: cli.flags.on("stdin") };
    Ok(request(cli, pod, container, ask))
}

const LOGS_USAGE: &str = "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required \
                          argument for the logs command";

/// Runs `logs`.
pub fn logs(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let words = cli.flags.words.clone();
    let selects = cli.flags.get("selector").is_some();
    let everything = cli.flags.on("all-containers");
    match (&words[..], selects) {
        ([], false) => return Err(cli.usage(LOGS_USAGE)),
        ([_, ..], true) => return Err(cli.usage("only a selector (-l) or a POD name is allowed")),
        ([_, _], false) if cli.flags.get("container").is_some() => {
            return Err(Failure::Own("only one of -c or an inline [CONTAINER] arg is allowed".to_owned()));
        }
        ([_, _, _, ..], false) => return Err(cli.usage(LOGS_USAGE)),
        _ => {}
    }
    if let (true, Some(container)) = (everything, cli.flags.get("container")) {
        return Err(Failure::Own(format!(
            "--all-containers=true should not be specified with container name {container}"
        )));
    }
    let tail = cli.flags.int("tail").unwrap_or(if selects { 10 } else { -1 });
    if tail < -1 {
        return Err(Failure::Own("--tail must be greater than or equal to -1".to_owned()));
    }
    let follow = cli.flags.on("follow");
    let ask = Ask::Logs { follow, tail: usize::try_from(tail).ok(), previous: cli.flags.on("previous") };
    let pods = logged_pods(cli, &words, selects)?;
    let mut requests = Vec::new();
    for pod in &pods {
        let known: Vec<String> = ["/spec/initContainers", "/spec/containers"]
            .into_iter()
            .flat_map(|lists| list(pod, lists))
            .map(|one| text(one, "/name").to_owned())
            .collect();
        if everything {
            requests.extend(known.into_iter().map(|one| request(cli, pod, one, ask.clone())));
            continue;
        }
        let one = match words.get(1) {
            Some(inline) => inline.clone(),
            None => container(cli, pod, false)?,
        };
        if !known.contains(&one) {
            return Err(Failure::Own(format!("container {one} is not valid for pod {}", name(pod))));
        }
        requests.push(request(cli, pod, one, ask.clone()));
    }
    if requests.is_empty() {
        cli.err(&format!("No resources found in {} namespace.\n", cli.config.namespace));
        return Ok(Then::Exit(0));
    }
    let limit = cli.flags.int("max-log-requests").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(5);
    if follow && requests.len() > limit {
        return Err(Failure::Own(format!(
            "you are attempting to follow {} log streams, but maximum allowed concurrency is {limit}, use \
             --max-log-requests to increase the limit",
            requests.len()
        )));
    }
    let after = if follow { After::AllAtOnce } else { After::OneByOne };
    let mut streaming = Streaming::new(requests, false, after);
    streaming.prefix = cli.flags.on("prefix");
    Ok(Then::Go(Box::new(streaming)))
}

fn logged_pods(cli: &mut Cli<'_>, words: &[String], selects: bool) -> Result<Vec<Value>, Failure> {
    if selects {
        let mut found = target::find(cli, &["pods".to_owned()], TypeAlone::MeansAll)?;
        Failure::of(std::mem::take(&mut found.failures))?;
        return Ok(found.targets().into_iter().map(|target| target.object).collect());
    }
    let word = words.first().cloned().unwrap_or_default();
    let named = if word.contains('/') { word } else { format!("pods/{word}") };
    let Words::Names(_) = target::words(std::slice::from_ref(&named))? else { return Ok(Vec::new()) };
    let target = target::one(cli, &named, "pods")?;
    if target.kind.kind == "Pod" {
        return Ok(vec![target.object]);
    }
    let pods = pods_of(cli.sys, &target);
    let Some(first) = pods.first() else {
        return Err(Failure::Own(format!(
            "cannot get the logs from *v1.{}: no pods found: timed out waiting for the condition",
            target.kind.kind
        )));
    };
    if pods.len() > 1 {
        cli.err(&format!("Found {} pods, using pod/{}\n", pods.len(), name(first)));
    }
    Ok(vec![first.clone()])
}

/// What the end of a stream means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// kubectl ends with the command's status.
    ExitAs,
    /// The next log has its turn.
    OneByOne,
    /// All logs at the same time.
    AllAtOnce,
}

/// Streams at work.
#[derive(Clone, Debug)]
pub struct Streaming {
    waiting: VecDeque<Request>,
    open: Vec<(Request, Stream)>,
    /// Whether there is more to read on standard input.
    stdin: bool,
    after: After,
    /// `--prefix`.
    prefix: bool,
    /// The exit status.
    status: i32,
}

impl Streaming {
    /// Of these requests; `stdin` goes to the first.
    pub fn new(requests: Vec<Request>, stdin: bool, after: After) -> Self {
        Self { waiting: requests.into(), open: Vec::new(), stdin, after, prefix: false, status: 0 }
    }

    fn open_next(&mut self, sys: &mut dyn Sys) {
        while self.after == After::AllAtOnce || self.open.is_empty() {
            let Some(request) = self.waiting.pop_front() else { return };
            let stream = Stream::open(sys, request.clone());
            self.open.push((request, stream));
        }
    }

    fn read_stdin(&mut self, sys: &mut dyn Sys) {
        while self.stdin
            && let Some((_, stream)) = self.open.first_mut()
        {
            match sys.read(Fd::STDIN, 65536) {
                Ok(ReadResult::Data(bytes)) => stream.send(sys, Piece::In(bytes)),
                Ok(ReadResult::WouldBlock) => return,
                Ok(ReadResult::Eof) | Err(_) => {
                    stream.send(sys, Piece::EndOfInput);
                    self.stdin = false;
                }
            }
        }
    }

    /// Takes what has come; answers whether a stream ended.
    fn receive(&mut self, sys: &mut dyn Sys) -> bool {
        let mut ended = Vec::new();
        for (at, (request, stream)) in self.open.iter_mut().enumerate() {
            for piece in stream.receive(sys.store()) {
                match piece {
                    Piece::Out(bytes) => {
                        let container = request.container.as_deref().unwrap_or_default();
                        let bytes = match self.prefix {
                            true => String::from_utf8_lossy(&bytes)
                                .split_inclusive('\n')
                                .map(|line| format!("[pod/{}/{container}] {line}", request.pod))
                                .collect::<String>()
                                .into_bytes(),
                            false => bytes,
                        };
                        write(sys, Fd::STDOUT, &bytes);
                    }
                    Piece::Err(bytes) => write(sys, Fd::STDERR, &bytes),
                    Piece::Refused(why) => {
                        write(sys, Fd::STDERR, format!("Error from server{why}\n").as_bytes());
                        self.status = 1;
                        ended.push(at);
                    }
                    Piece::Exited(status) => {
                        if self.after == After::ExitAs && status != 0 {
                            let line = format!("command terminated with exit code {status}\n");
                            write(sys, Fd::STDERR, line.as_bytes());
                            self.status = status;
                        }
                        ended.push(at);
                    }
                    Piece::In(_) | Piece::EndOfInput => {}
                }
            }
        }
        ended.dedup();
        for at in ended.iter().rev() {
            let (_, stream) = self.open.remove(*at);
            stream.close(sys);
        }
        !ended.is_empty()
    }
}

/// Writes all bytes; a closed pipe ends the attempt.
pub fn write(sys: &mut dyn Sys, fd: Fd, bytes: &[u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        match sys.write(fd, rest) {
            Ok(n) if n > 0 => rest = rest.get(n..).unwrap_or_default(),
            _ => return,
        }
    }
}

impl Program for Streaming {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        loop {
            self.open_next(sys);
            if self.open.is_empty() {
                return Next::Exit(self.status);
            }
            self.read_stdin(sys);
            if self.receive(sys) {
                if self.status != 0 {
                    self.waiting.clear();
                }
                continue;
            }
            let after = sys.store().revision();
            let mut watch = world::Watch { after, prefixes: Vec::new() };
            for (_, stream) in &self.open {
                watch.prefixes.extend(stream.watch(after).prefixes);
            }
            let fds = if self.stdin { vec![Fd::STDIN] } else { Vec::new() };
            return Next::Wait(Wait { fds, watch: Some(watch), ..Wait::default() });
        }
    }

    fn signal(&mut self, sys: &mut dyn Sys, signal: Signal) -> Next {
        for (_, stream) in self.open.drain(..) {
            stream.close(sys);
        }
        Next::Exit(128 + signal.number())
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
