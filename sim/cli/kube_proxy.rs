use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use kube::api::Invalid;
use kube::proxy::flow::{Flow, FlowError, Node};
use kube::proxy::input::{Input, InputError, unknown_mode};
use kube::proxy::offline::{self, Output};
use kube::proxy::{Family, Mode, Profile};
use lab::FileError;

use crate::STATUS_BAD_INPUT;
use crate::given::{Given, at_place, list, text_of};

/// Arguments of `hoplab kube-proxy`.
#[derive(Args)]
pub(crate) struct KubeProxyArgs {
    /// YAML files, or `-` for standard input: the proxy's configuration (`KubeProxyConfiguration` or
    /// `ProxyConfig`; defaults if there is none), Nodes, Services, EndpointSlices, Endpoints, Pods.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The Node that the proxy runs on; the only one of the files if nothing says another.
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    /// How packets come to endpoints: iptables, ipvs, nftables, userspace; what the configuration says
    /// if nothing is said here.
    #[arg(long, value_parser = mode)]
    mode: Option<Mode>,
    /// The release whose rules are written: 1.30, 1.9, 1.1.
    #[arg(long, value_name = "RELEASE", default_value = "1.30", value_parser = profile)]
    profile: Profile,
    /// One part of what is written, instead of a script with everything; may be repeated.
    #[arg(long, value_enum, value_name = "PART")]
    print: Vec<Part>,
    /// The sync that `--print` shows, from 1, in files with `kind: Step`; the last one if nothing is
    /// said.
    #[arg(long, value_name = "NUMBER")]
    step: Option<usize>,
    /// Says what happens to such a packet on the node, as a line of JSON:
    /// `tcp 10.0.0.9:40000 > 10.96.0.10:80`; may be repeated.
    #[arg(long, value_name = "FLOW")]
    flow: Vec<String>,
    /// The same for all flows of a JSON file: a list of such texts, or of objects with `proto`,
    /// `from`, `to`.
    #[arg(long, value_name = "FILE.json")]
    flows: Option<PathBuf>,
    /// Says nothing on standard error about what was ignored.
    #[arg(short, long)]
    quiet: bool,
}

/// A part of what a proxy writes.
#[derive(Clone, Copy, ValueEnum)]
enum Part {
    /// The table nat, as iptables-restore reads it.
    Nat,
    /// The table filter.
    Filter,
    /// Chains and rules that must exist.
    Ensure,
    /// The same for ip6tables.
    Nat6,
    /// The same for ip6tables.
    Filter6,
    /// The same for ip6tables.
    Ensure6,
    /// Kernel settings.
    Sysctl,
    /// Connection tracking entries that are deleted.
    Conntrack,
    /// Where load balancers ask for a Service's health: port, Service, ready endpoints here.
    Health,
}

fn mode(text: &str) -> Result<Mode, String> {
    Mode::parse(text).ok_or_else(|| "one of iptables, ipvs, nftables, userspace".to_owned())
}

fn profile(text: &str) -> Result<Profile, String> {
    Profile::of(text).ok_or_else(|| "one of 1.30, 1.9, 1.1".to_owned())
}

/// Why nothing is written.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{}", list(.0))]
    Files(Vec<FileError>),
    #[error("{0}{hint}", hint = hint(.0.hint()))]
    Input(InputError),
    #[error("{0}{hint}", hint = hint(.0.hint().map(str::to_owned)))]
    Flow(#[from] FlowError),
    #[error(
        "kube-proxy {profile} in userspace mode has rules only while it runs: they name ports that it is given\n\
         hint: let it run in a cluster, with `--proxy-mode=userspace`"
    )]
    OnlyRunning { profile: &'static str },
    #[error("kube-proxy {profile} in {mode} mode is not simulated")]
    NotSimulated { profile: &'static str, mode: &'static str },
    #[error("{0}")]
    UnknownMode(Invalid),
    #[error("there is no sync {wanted}: the files have {count}")]
    NoStep { wanted: usize, count: usize },
    #[error("the proxy has no {0} addresses: nothing is written for them")]
    NoFamily(&'static str),
}

fn hint(hint: Option<String>) -> String {
    hint.map_or(String::new(), |hint| format!("\nhint: {hint}"))
}

#[allow(clippy::print_stdout, clippy::print_stderr)]
pub(crate) fn main(args: &KubeProxyArgs) -> ExitCode {
    match answer(args) {
        Ok((text, notices)) => {
            for notice in notices.iter().filter(|_| !args.quiet) {
                eprintln!("note: {notice}");
            }
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(STATUS_BAD_INPUT)
        }
    }
}

fn answer(args: &KubeProxyArgs) -> Result<(String, Vec<String>), Failure> {
    let given = Given::read(&args.files).map_err(|error| Failure::Files(vec![error]))?;
    let input = Input::read(&given.sources(), args.node.as_deref(), args.profile);
    let input = input.map_err(|errors| given.places(errors).map_or_else(Failure::Input, Failure::Files))?;
    let mode = args.mode.unwrap_or(input.config.mode);
    let outputs = match (args.profile, mode) {
        (_, Mode::Iptables) => offline::run(&input),
        (profile, mode) => {
            let (release, name) = (profile.name(), mode.name());
            // Of nftables 1.30 knows something.
            let unknown = unknown_mode(name, profile, mode == Mode::Nftables);
            return Err(match (unknown, mode) {
                (Some(invalid), _) => Failure::UnknownMode(invalid),
                (None, Mode::Userspace) => Failure::OnlyRunning { profile: release },
                (None, _) => Failure::NotSimulated { profile: release, mode: name },
            });
        }
    };
    let mut flows: Vec<Flow> = Vec::new();
    for text in &args.flow {
        flows.push(text.parse()?);
    }
    if let Some(file) = &args.flows {
        flows.extend(flows_of(file)?);
    }
    let mut text = String::new();
    for part in &args.print {
        text.push_str(&part_of(*part, args.step, &outputs)?);
    }
    let asks_flows = !args.flow.is_empty() || args.flows.is_some();
    if args.print.is_empty() && !asks_flows {
        text.extend(outputs.iter().map(Output::script));
    }
    if asks_flows {
        let script: String =
            outputs.iter().filter(|output| output.family == Family::Ipv4).map(Output::script).collect();
        let node = Node::new(&input, &script)?;
        for flow in &flows {
            let line = serde_json::to_string(&node.answer(flow)?).unwrap_or_default();
            let _ = writeln!(text, "{line}");
        }
    }
    Ok((text, input.notices.iter().map(ToString::to_string).collect()))
}

fn part_of(part: Part, step: Option<usize>, outputs: &[Output]) -> Result<String, Failure> {
    let lines = |all: Vec<String>| -> String { all.into_iter().map(|line| line + "\n").collect() };
    let sync = |family: Family| {
        let output = outputs.iter().find(|output| output.family == family);
        let syncs = &output.ok_or(Failure::NoFamily(family.name()))?.syncs;
        let wanted = step.unwrap_or(syncs.len());
        let found = wanted.checked_sub(1).and_then(|at| syncs.get(at));
        found.ok_or(Failure::NoStep { wanted, count: syncs.len() })
    };
    let ensure = |family: Family| {
        let output = outputs.iter().find(|output| output.family == family);
        let output = output.ok_or(Failure::NoFamily(family.name()))?;
        let all = output.syncs.iter().flat_map(|sync| &sync.ensure).map(ToString::to_string);
        Ok::<_, Failure>(lines(all.collect()))
    };
    let families = || outputs.iter().map(|output| output.family);
    Ok(match part {
        Part::Nat => sync(Family::Ipv4)?.nat.clone(),
        Part::Filter => sync(Family::Ipv4)?.filter.clone(),
        Part::Ensure => ensure(Family::Ipv4)?,
        Part::Nat6 => sync(Family::Ipv6)?.nat.clone(),
        Part::Filter6 => sync(Family::Ipv6)?.filter.clone(),
        Part::Ensure6 => ensure(Family::Ipv6)?,
        Part::Sysctl => {
            let mut all: Vec<String> = Vec::new();
            for (name, value) in outputs.iter().flat_map(|output| &output.sysctls) {
                let line = format!("{name}={value}");
                if !all.contains(&line) {
                    all.push(line);
                }
            }
            lines(all)
        }
        Part::Conntrack => {
            let all = families().map(sync).collect::<Result<Vec<_>, _>>()?;
            let all = all.iter().flat_map(|sync| &sync.conntrack);
            lines(all.map(|command| format!("conntrack {command}")).collect())
        }
        Part::Health => {
            let all = families().map(sync).collect::<Result<Vec<_>, _>>()?;
            let all = all.iter().flat_map(|sync| &sync.health);
            lines(all.map(|((ns, name), port, count)| format!("{port} {ns}/{name} {count}")).collect())
        }
    })
}

fn flows_of(file: &Path) -> Result<Vec<Flow>, Failure> {
    let text = text_of(file).map_err(|error| Failure::Files(vec![error]))?;
    serde_json::from_str(&text).map_err(|error| {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default().to_owned();
        let at = (error.line(), error.column());
        Failure::Files(vec![at_place(&file.display().to_string(), &text, at, message, None)])
    })
}
