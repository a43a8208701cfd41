//! What kube-proxy 1.30 writes: for each case of `tests/kubeproxy`, the rules of each sync are byte
//! for byte those that the real one wrote for the same objects. And what these rules do to packets:
//! `tests/kubeproxy_flows`. The READMEs say what the files are.

#![allow(clippy::expect_used)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use kube::proxy::flow::{Answer, Node, Verdict};
use kube::proxy::input::{Input, Source};
use kube::proxy::iptables::Sync;
use kube::proxy::offline::{self, Output};
use kube::proxy::{Family, Profile};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for case in entries("tests/kubeproxy").into_iter().filter(|path| path.is_dir()) {
        trials.push(Trial::test(name_of(&case), move || rules(&case)));
    }
    for case in entries(FLOWS).into_iter().filter(|path| path.extension().is_some_and(|e| e == "flows")) {
        trials.push(Trial::test(format!("{} packets", name_of(&case)), move || flows(&case)));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// Where the tables of packets are.
const FLOWS: &str = "tests/kubeproxy_flows";

fn entries(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("the folder can be listed").path()).collect();
    paths.sort();
    paths
}

fn name_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The rules of each sync, and what goes with them, are as recorded.
fn rules(case: &Path) -> Result<(), Failed> {
    let text = fs::read_to_string(case.join("input.yaml"))?;
    let source = Source { name: "input.yaml", text: &text };
    let input = Input::read(&[source], None, Profile::V1_30).map_err(|errors| format!("{errors:?}"))?;
    if !input.notices.is_empty() {
        return Err(format!("{:?}", input.notices).into());
    }
    let outputs = offline::run(&input);
    let mut wrong = String::new();
    let mut compare = |file: &str, got: &str| {
        // A file is missing where there is nothing to tell.
        let expected = fs::read_to_string(case.join(file)).unwrap_or_default();
        for (number, (got, expected)) in got.lines().zip(expected.lines()).enumerate() {
            if got != expected {
                let _ = writeln!(wrong, "{file}:{}:\n  real   {expected}\n  hoplab {got}", number + 1);
                return;
            }
        }
        if got != expected {
            let _ = writeln!(wrong, "{file}: one is longer, or ends differently");
        }
    };
    for Output { family, syncs, .. } in &outputs {
        let six = if *family == Family::Ipv6 { "6" } else { "" };
        compare(&format!("ensure{six}.txt"), &lines(&syncs[0].ensure));
        for (number, sync) in syncs.iter().enumerate() {
            let folder = if number == 0 { String::new() } else { format!("step{}/", number + 1) };
            compare(&format!("{folder}rules{six}.filter"), &sync.filter);
            compare(&format!("{folder}rules{six}.nat"), &sync.nat);
        }
    }
    let settings = outputs.iter().flat_map(|output| &output.sysctls);
    let settings: Vec<String> = settings.map(|(name, value)| format!("{name}={value}")).collect();
    compare("sysctl.txt", &lines(&settings));
    let syncs: Vec<&Sync> = outputs.iter().flat_map(|output| &output.syncs).collect();
    let commands = syncs.iter().flat_map(|sync| &sync.conntrack);
    compare("conntrack.txt", &lines(commands.map(|command| format!("conntrack {command}"))));
    let events = syncs.iter().flat_map(|sync| &sync.other_family);
    let reason = "Warning KubeProxyIncorrectIPVersion";
    compare(
        "events.txt",
        &lines(events.map(|(_, ip)| format!("{reason} {ip} in endpointslice has incorrect IP version"))),
    );
    let recorded = fs::read_to_string(case.join("healthcheck.txt")).unwrap_or_default();
    health(&recorded, &syncs)?;
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
}

fn lines<T: std::fmt::Display>(all: impl IntoIterator<Item = T>) -> String {
    all.into_iter().map(|line| format!("{line}\n")).collect()
}

/// The recorded answers of health check ports name what the proxier tells: Service, port, endpoints.
fn health(recorded: &str, syncs: &[&Sync]) -> Result<(), Failed> {
    let mut expected = Vec::new();
    for answer in recorded.split("# step ").filter(|answer| !answer.is_empty()) {
        let words: Vec<&str> = answer.lines().next().unwrap_or_default().split(' ').collect();
        let [step, service, _, port] = words[..] else { return Err("a strange headline".into()) };
        let count = answer.split("\"localEndpoints\": ").nth(1).and_then(|rest| rest.split(',').next());
        expected.push(format!("{step} {service} {port} {}", count.unwrap_or_default()));
    }
    let mut got = Vec::new();
    for (number, sync) in syncs.iter().enumerate() {
        for ((namespace, name), port, count) in &sync.health {
            got.push(format!("{} {namespace}/{name} {port} {count}", number + 1));
        }
    }
    if got == expected { Ok(()) } else { Err(format!("health: real {expected:?}, hoplab {got:?}").into()) }
}

/// Each packet of a table fares as the table says.
fn flows(case: &Path) -> Result<(), Failed> {
    let file = |name: &str| -> Result<(String, String), Failed> {
        Ok((name.to_owned(), fs::read_to_string(Path::new(FLOWS).join(name))?))
    };
    let mut files = vec![file("nodes.yaml")?, file(&format!("{}.yaml", name_of(case)))?];
    if !files[1].1.contains("kind: KubeProxyConfiguration") {
        files.push(file("config.yaml")?);
    }
    let sources: Vec<Source<'_>> = files.iter().map(|(name, text)| Source { name, text }).collect();
    let input = Input::read(&sources, None, Profile::V1_30).map_err(|errors| format!("{errors:?}"))?;
    let script: String = offline::run(&input).iter().map(Output::script).collect();
    let node = Node::new(&input, &script)?;
    let mut wrong = String::new();
    let table = fs::read_to_string(case)?;
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (flow, expected) = line.split_once(" = ").ok_or("a line without an expectation")?;
        let answer = node.answer(&flow.parse()?)?;
        if !is_expected(&answer, expected) {
            let _ = writeln!(wrong, "{line}\n  got {}", serde_json::to_string(&answer)?);
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
}

fn is_expected(answer: &Answer, expected: &str) -> bool {
    let mut words: Vec<&str> = expected.split(' ').collect();
    let masquerade = words.last() == Some(&"masq");
    words.truncate(words.len() - usize::from(masquerade));
    let (verdict, endpoints) = words.split_first().expect("a verdict");
    let word = match answer.verdict {
        Verdict::Dnat => "dnat",
        Verdict::Reject => "reject",
        Verdict::Drop => "drop",
        Verdict::Accept => "accept",
        Verdict::None => "none",
    };
    #[allow(clippy::cast_precision_loss)]
    let equal = 1.0 / endpoints.len() as f64;
    let close = |(share, word): (&kube::proxy::flow::Share, &&str)| {
        let (to, exactly) = word.split_once('@').map_or((*word, None), |(to, p)| (to, p.parse::<f64>().ok()));
        let tolerance = if exactly.is_some() { 1e-15 } else { 1e-8 };
        share.to == to && (share.probability - exactly.unwrap_or(equal)).abs() < tolerance
    };
    word == *verdict
        && answer.masquerade == masquerade
        && answer.endpoints.len() == endpoints.len()
        && answer.endpoints.iter().zip(endpoints).all(close)
}
