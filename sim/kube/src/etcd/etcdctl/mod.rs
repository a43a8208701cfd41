//! `etcdctl` with the v2 API.
//!
//! Simplified: a wrong option of a command is named without the page of help that the real one adds.

mod health;
mod words;

use std::task::Poll;

use tools::console::write_all;
use world::{Args, Fd, Next, Program, ReadResult, Sys, Wait};

use self::health::{Health, Member, members};
use self::words::{
    BAD_ARGS, BAD_CONNECTION, COMMANDS, End, FOREIGN, GLOBAL, SERVER_ERROR, Words, fail, required,
};
use super::event::json;
use super::{EtcdCall, EtcdClient, EtcdFailure, Event, KeyNode, Timeouts, VERSION};

/// What it says about itself.
const HELP: &str = include_str!("help.txt");

/// `etcdctl`.
#[derive(Clone, Debug)]
pub(super) struct Etcdctl {
    args: Args,
    running: Option<Running>,
}

impl Etcdctl {
    pub fn new(args: Args) -> Self {
        Self { args, running: None }
    }
}

#[derive(Clone, Debug)]
struct Running {
    client: EtcdClient,
    output: Output,
    command: Words,
    step: Step,
    input: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Step {
    /// Asks the members whether they are well.
    Health(Health),
    /// The value comes from standard input.
    Input,
    /// Asks for the members, whose client URLs are used from then on.
    Sync(EtcdCall),
    /// Does what it is for.
    Work(EtcdCall),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Output {
    Simple,
    Extended,
    Json,
}

impl Running {
    fn start(sys: &mut dyn Sys, args: &Args) -> Result<Self, End> {
        if sys.env("ETCDCTL_API").is_some_and(|api| api != "2") {
            return fail(BAD_ARGS, "hoplab: etcdctl with the v3 API is not simulated\n");
        }
        let mut global = Words::default();
        let usage = |error: String| {
            End(BAD_ARGS, format!("Incorrect Usage. {error}\n\n{HELP}"), format!("{error}\n"))
        };
        let rest = global.take(args.get(1..).unwrap_or_default(), GLOBAL.0, GLOBAL.1).map_err(usage)?;
        if global.on(&["version", "v"]) {
            return Err(End(0, format!("etcdctl version: {VERSION}\nAPI version: 2\n"), String::new()));
        }
        let Some((name, rest)) =
            rest.split_first().filter(|(name, _)| *name != "help" && !global.on(&["help", "h"]))
        else {
            return Err(End(0, HELP.to_owned(), String::new()));
        };
        if FOREIGN.contains(&name.as_str()) {
            return fail(BAD_ARGS, format!("hoplab: etcdctl {name} is not simulated\n"));
        }
        let Some((_, valued, switches)) = COMMANDS.iter().find(|(known, _, _)| known == name) else {
            return Err(End(3, format!("No help topic for '{name}'\n"), String::new()));
        };
        let mut command = Words { name: name.clone(), ..Words::default() };
        let mut rest = rest.to_vec();
        // Options may stand between and behind the other words too.
        loop {
            let usage = |error: String| {
                End(BAD_ARGS, String::new(), format!("Incorrect Usage: {error}\n\n{error}\n"))
            };
            rest = command.take(&rest, valued, switches).map_err(usage)?;
            if rest.is_empty() {
                break;
            }
            command.words.push(rest.remove(0));
        }
        let output = match global.get(&["output", "o"]).unwrap_or("simple") {
            "extended" => Output::Extended,
            "json" => Output::Json,
            _ => Output::Simple,
        };
        let timeout = |name: &str, default: &str| {
            let text = global.get(&[name]).unwrap_or(default);
            let wrong = || usage(format!("invalid value \"{text}\" for flag -{name}: parse error"));
            crate::controllers::flags::duration(text).ok_or_else(wrong)
        };
        let timeouts =
            Timeouts { dial: timeout("timeout", "2s")?, answer: Some(timeout("total-timeout", "5s")?) };
        let client = EtcdClient::new(endpoints(sys, &global)?, timeouts);
        let step = if global.on(&["no-sync"]) || command.name == "cluster-health" {
            Step::Input
        } else {
            Step::Sync(EtcdCall::get_path("/v2/members"))
        };
        let mut running = Self { client, output, command, step, input: Vec::new() };
        // What is wrong with the words is said before anybody is asked.
        if !running.reads_input() {
            running.work()?;
        } else {
            running.command.key()?;
        }
        Ok(running)
    }

    /// Whether the value isn't among the words.
    fn reads_input(&self) -> bool {
        matches!(self.command.name.as_str(), "set" | "mk" | "update") && self.command.words.len() == 1
    }

    /// The request that the command makes.
    fn work(&mut self) -> Result<EtcdCall, End> {
        let command = &self.command;
        let typed = command.words.get(1).cloned();
        let value = || match typed.clone() {
            Some(value) => Ok(value),
            None => {
                let text = String::from_utf8_lossy(&self.input).into_owned();
                if text.is_empty() { required("value") } else { Ok(text) }
            }
        };
        let recursive = command.on(&["recursive", "r"]);
        let form = || -> Result<Vec<(&'static str, String)>, End> {
            let mut form = vec![("value", value()?)];
            form.extend(command.ttl()?);
            Ok(form)
        };
        Ok(match command.name.as_str() {
            "ls" => {
                let key = command.words.first().map_or("/", String::as_str);
                EtcdCall::get(key, recursive, command.on(&["sort"]))
            }
            "get" => EtcdCall::get(&command.key()?, false, command.on(&["sort"])),
            "set" => {
                let key = command.key()?;
                let mut query = Vec::new();
                if let Some(old) = command.get(&["swap-with-value"]) {
                    query.push(("prevValue", old.to_owned()));
                }
                match command.number("swap-with-index")? {
                    0 => {}
                    index => query.push(("prevIndex", index.to_string())),
                }
                EtcdCall::put(&key, &query, &form()?)
            }
            "mk" => {
                let key = command.key()?;
                if command.on(&["in-order"]) {
                    EtcdCall::post(&key, &form()?)
                } else {
                    EtcdCall::put(&key, &[("prevExist", "false".to_owned())], &form()?)
                }
            }
            "update" => {
                let key = command.key()?;
                EtcdCall::put(&key, &[("prevExist", "true".to_owned())], &form()?)
            }
            "mkdir" | "setdir" | "updatedir" => {
                let mut query = vec![("dir", "true".to_owned())];
                match command.name.as_str() {
                    "mkdir" => query.push(("prevExist", "false".to_owned())),
                    "updatedir" => query.push(("prevExist", "true".to_owned())),
                    _ => {}
                }
                EtcdCall::put(&command.key()?, &query, &command.ttl()?)
            }
            "rm" => {
                let mut query = Vec::new();
                if recursive {
                    query.push(("recursive", "true".to_owned()));
                }
                if command.on(&["dir"]) {
                    query.push(("dir", "true".to_owned()));
                }
                if let Some(value) = command.get(&["with-value"]) {
                    query.push(("prevValue", value.to_owned()));
                }
                match command.number("with-index")? {
                    0 => {}
                    index => query.push(("prevIndex", index.to_string())),
                }
                EtcdCall::delete(&command.key()?, &query)
            }
            "rmdir" => EtcdCall::delete(&command.key()?, &[("dir", "true".to_owned())]),
            "watch" => {
                let after = command.number("after-index")?;
                EtcdCall::watch(&command.key()?, recursive, after)
            }
            "member" if command.words != ["list"] => {
                let words = command.words.join(" ");
                return fail(BAD_ARGS, format!("hoplab: etcdctl member {words} is not simulated\n"));
            }
            _ => EtcdCall::get_path("/v2/members"),
        })
    }

    /// Goes as far as it can; `Err` is the end.
    fn turn(&mut self, sys: &mut dyn Sys) -> Result<Wait, End> {
        loop {
            match &mut self.step {
                Step::Sync(call) => match call.poll(sys, &mut self.client) {
                    Poll::Pending => return Ok(call.wait()),
                    Poll::Ready(Ok(answer)) => {
                        self.synced(&answer.body);
                        self.step = Step::Input;
                    }
                    Poll::Ready(Err(failure @ EtcdFailure::Cluster(_))) => {
                        return Err(self.failed(BAD_CONNECTION, &failure));
                    }
                    Poll::Ready(Err(_)) => self.step = Step::Input,
                },
                Step::Health(health) => return health.turn(sys),
                Step::Input => {
                    if self.reads_input() {
                        match sys.read(Fd::STDIN, 1 << 16) {
                            Ok(ReadResult::Data(bytes)) => {
                                self.input.extend(bytes);
                                continue;
                            }
                            Ok(ReadResult::WouldBlock) => {
                                return Ok(Wait { fds: vec![Fd::STDIN], ..Wait::default() });
                            }
                            Ok(ReadResult::Eof) | Err(_) => {}
                        }
                    }
                    self.step = Step::Work(self.work()?);
                }
                Step::Work(call) => {
                    let outcome = match call.poll(sys, &mut self.client) {
                        Poll::Pending => return Ok(call.wait()),
                        Poll::Ready(outcome) => outcome,
                    };
                    let answer = outcome.map_err(|failure| self.failed(SERVER_ERROR, &failure))?;
                    match self.command.name.as_str() {
                        "member" => return Err(say_members(&answer.body)),
                        "cluster-health" => {
                            let members = members(&answer.body);
                            self.step = Step::Health(Health::new(members, self.client.timeouts));
                            continue;
                        }
                        _ => {}
                    }
                    let event = answer.event().map_err(|failure| self.failed(SERVER_ERROR, &failure))?;
                    let forever = self.command.on(&["forever", "f"]);
                    let text = self.say(&event, answer.index, forever)?;
                    if self.command.name != "watch" || !forever {
                        return Err(End(0, text, String::new()));
                    }
                    write_all(sys, Fd::STDOUT, &text);
                    let recursive = self.command.on(&["recursive", "r"]);
                    let key = self.command.key()?;
                    self.step = Step::Work(EtcdCall::watch(&key, recursive, event.index()));
                }
            }
        }
    }

    /// Takes the client URLs of the members as endpoints.
    fn synced(&mut self, body: &str) {
        let urls: Vec<String> = members(body).into_iter().flat_map(|member| member.client_urls).collect();
        if !urls.is_empty() {
            self.client = EtcdClient::new(urls, self.client.timeouts);
        }
    }

    fn failed(&self, status: i32, failure: &EtcdFailure) -> End {
        let out = match self.command.name.as_str() {
            "cluster-health" => "cluster may be unhealthy: failed to list members\n",
            _ => "",
        };
        let mut text = format!("Error:  {failure}\n");
        if let EtcdFailure::Cluster(errors) = failure {
            let details = errors.iter().enumerate().map(|(n, error)| format!("error #{n}: {error}\n"));
            text.push_str(&format!("{}\n", details.collect::<String>()));
        }
        End(status, out.to_owned(), text)
    }

    /// What the command prints. etcd: `printResponseKey` and the commands.
    fn say(&self, event: &Event, index: u64, forever: bool) -> Result<String, End> {
        let Event { node, prev, .. } = event;
        match self.command.name.as_str() {
            "ls" if self.output == Output::Simple => return Ok(self.list(node)),
            "mkdir" | "setdir" | "updatedir" if self.output == Output::Simple => return Ok(String::new()),
            "get" if node.dir => return fail(BAD_ARGS, format!("{}: is a directory\n", node.key)),
            "rm" | "rmdir" if node.dir || prev.as_ref().is_some_and(|prev| prev.dir) => {
                return Ok(String::new());
            }
            _ => {}
        }
        let head = match self.command.name.as_str() {
            "watch" if forever => format!("[{}] {}\n", event.action, node.key),
            _ => String::new(),
        };
        let body = match self.output {
            Output::Simple if event.action == "delete" => {
                format!(
                    "PrevNode.Value: {}\n",
                    prev.as_ref().and_then(|prev| prev.value.as_deref()).unwrap_or_default()
                )
            }
            Output::Simple => format!("{}\n", node.value.as_deref().unwrap_or_default()),
            Output::Extended => {
                let mut text = format!(
                    "Key: {}\nCreated-Index: {}\nModified-Index: {}\n",
                    node.key, node.created, node.modified
                );
                if let Some(prev) = prev {
                    text.push_str(&format!(
                        "PrevNode.Value: {}\n",
                        prev.value.as_deref().unwrap_or_default()
                    ));
                }
                text.push_str(&format!("TTL: {}\nIndex: {index}\n", node.ttl));
                if event.action != "delete" {
                    text.push_str(&format!("\n{}\n", node.value.as_deref().unwrap_or_default()));
                }
                text
            }
            Output::Json => {
                let text = serde_json::json!({
                    "action": event.action,
                    "node": shown(node),
                    "prevNode": prev.as_ref().map(shown),
                });
                format!("{}\n", json(&text))
            }
        };
        Ok(head + &body)
    }

    /// etcd: `ls_command.go`.
    fn list(&self, node: &KeyNode) -> String {
        if !node.dir {
            return format!("{}\n", node.key);
        }
        let slash = self.command.on(&["p"]);
        let mut text = String::new();
        let mut rest: Vec<&KeyNode> = node.nodes.iter().rev().collect();
        while let Some(node) = rest.pop() {
            text.push_str(&node.key);
            text.push_str(if node.dir && slash { "/\n" } else { "\n" });
            rest.extend(node.nodes.iter().rev());
        }
        text
    }
}

fn say_members(body: &str) -> End {
    let all = members(body);
    let lines = all.iter().map(|member| {
        let (peers, clients) = (member.peer_urls.join(","), member.client_urls.join(","));
        let Member { id, name, .. } = member;
        format!("{id}: name={name} peerURLs={peers} clientURLs={clients} isLeader=true\n")
    });
    End(0, lines.collect(), String::new())
}

/// A key as `-o json` prints it: all fields.
fn shown(node: &KeyNode) -> serde_json::Value {
    let nodes: Vec<serde_json::Value> = node.nodes.iter().map(shown).collect();
    let mut map = serde_json::Map::new();
    map.insert("key".to_owned(), node.key.clone().into());
    if node.dir {
        map.insert("dir".to_owned(), true.into());
    }
    map.insert("value".to_owned(), node.value.clone().unwrap_or_default().into());
    let nodes = if nodes.is_empty() { serde_json::Value::Null } else { nodes.into() };
    map.insert("nodes".to_owned(), nodes);
    map.insert("createdIndex".to_owned(), node.created.into());
    map.insert("modifiedIndex".to_owned(), node.modified.into());
    if let Some(expiration) = &node.expiration {
        map.insert("expiration".to_owned(), expiration.clone().into());
    }
    if node.ttl != 0 {
        map.insert("ttl".to_owned(), node.ttl.into());
    }
    map.into()
}

/// Where etcd is: options, environment, or the two usual ports. etcd: `getPeersFlagValue`.
fn endpoints(sys: &dyn Sys, global: &Words) -> Result<Vec<String>, End> {
    let given = global.get(&["endpoints", "endpoint", "peers", "C"]).map(str::to_owned);
    let from_env =
        ["ETCDCTL_ENDPOINTS", "ETCDCTL_ENDPOINT", "ETCDCTL_PEERS"].iter().find_map(|name| sys.env(name));
    let text = given.or(from_env).unwrap_or_else(|| "http://127.0.0.1:2379,http://127.0.0.1:4001".to_owned());
    let mut urls = Vec::new();
    for url in text.split(',') {
        let plain = url.trim_end_matches('/');
        if !plain.contains("://") {
            let why = if plain.contains(':') {
                "first path segment in URL cannot contain colon"
            } else {
                "invalid URI for request"
            };
            return fail(BAD_ARGS, format!("parse \"{url}\": {why}\n"));
        }
        urls.push(plain.to_owned());
    }
    Ok(urls)
}

impl Program for Etcdctl {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let outcome = match &mut self.running {
            Some(running) => running.turn(sys),
            None => {
                Running::start(sys, &self.args).and_then(|running| self.running.insert(running).turn(sys))
            }
        };
        match outcome {
            Ok(wait) => Next::Wait(wait),
            Err(End(status, out, error)) => {
                write_all(sys, Fd::STDOUT, &out);
                write_all(sys, Fd::STDERR, &error);
                Next::Exit(status)
            }
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
