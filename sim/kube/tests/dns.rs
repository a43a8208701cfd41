//! What CoreDNS answers: for each table of `tests/dns`, its queries, one after the other, have the
//! answers that stand there. `tests/dns/README.md` says what the files are.

#![allow(clippy::expect_used)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use dns::present::{self, Style};
use dns::{Message, Record};
use kube::coredns::Transport;
use kube::coredns::offline::{Input, Offline, Options, Outcome, Sending, parse_query};
use kube::proxy::input::Source;
use libtest_mimic::{Arguments, Failed, Trial};

/// Where the tables are.
const TABLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/dns");

fn main() {
    let arguments = Arguments::from_args();
    let entries = fs::read_dir(TABLES).expect("the folder is there");
    let mut tables: Vec<PathBuf> =
        entries.map(|entry| entry.expect("the folder can be listed").path()).collect();
    tables.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    tables.sort();
    let trial = |path: PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Trial::test(name, move || check(&path))
    };
    libtest_mimic::run(&arguments, tables.into_iter().map(trial).collect()).exit();
}

/// A table: what the server is given, and what it is asked.
#[derive(Default)]
struct Table {
    files: Vec<String>,
    upstream: Option<String>,
    address: Option<String>,
    sending: Vec<String>,
    corefile: String,
    cases: Vec<Case>,
}

/// A query, and the lines that its answer has, sorted within each section.
#[derive(Default)]
struct Case {
    line: usize,
    query: String,
    expected: Vec<String>,
}

fn read(text: &str) -> Table {
    let mut table = Table::default();
    for (number, line) in text.lines().enumerate() {
        if let Some(query) = line.strip_prefix("? ") {
            table.cases.push(Case { line: number + 1, query: query.to_owned(), expected: Vec::new() });
        } else if let Some(case) = table.cases.last_mut() {
            if !line.is_empty() && !line.starts_with('#') {
                case.expected.push(line.to_owned());
            }
        } else if let Some(line) = line.strip_prefix("    ") {
            table.corefile += &format!("{line}\n");
        } else if let Some((field, value)) = line.split_once(':').filter(|_| !line.starts_with('#')) {
            let value = value.trim();
            match field {
                "files" => table.files = value.split_whitespace().map(str::to_owned).collect(),
                "upstream" => table.upstream = Some(value.to_owned()),
                "address" => table.address = Some(value.to_owned()),
                "sending" => table.sending = value.split_whitespace().map(str::to_owned).collect(),
                "corefile" => {}
                other => panic!("line {}: {other:?} is nothing", number + 1),
            }
        }
    }
    table
}

fn check(path: &Path) -> Result<(), Failed> {
    let table = read(&fs::read_to_string(path)?);
    let text = |name: &str| fs::read_to_string(Path::new(TABLES).join(name));
    let texts = table.files.iter().map(|name| text(name)).collect::<Result<Vec<_>, _>>()?;
    let sources = table.files.iter().zip(&texts).map(|(name, text)| Source { name, text });
    let upstream = table.upstream.as_ref().map(|name| text(name)).transpose()?;
    let upstream = upstream.as_deref().map(|text| Source { name: "upstream", text });
    let corefile = Some(Source { name: "Corefile", text: &table.corefile });
    let options = Options {
        corefile: corefile.filter(|source| !source.text.is_empty()),
        upstream,
        resolv_conf: None,
        address: table.address.as_deref().map(str::parse).transpose()?,
    };
    let sources: Vec<Source<'_>> = sources.collect();
    let input = Input::read(&sources, &options).map_err(|errors| format!("{errors:?}"))?;
    let mut server = Offline::new(input, 0);
    let word = |prefix: &str| table.sending.iter().find_map(|word| word.strip_prefix(prefix));
    let transport = if word("tcp").is_some() { Transport::Tcp } else { Transport::Udp };
    let buffer = word("bufsize=").map(str::parse).transpose()?;
    let mut wrong = String::new();
    for case in &table.cases {
        let question = parse_query(&case.query)?;
        let got = lines(&server.ask(&question, &Sending { transport, buffer }), &case.expected);
        if got != case.expected {
            let file = path.file_name().unwrap_or_default().display();
            let list =
                |lines: &[String]| lines.iter().map(|line| format!("    {line}\n")).collect::<String>();
            let _ = write!(
                wrong,
                "{file}:{}: {}\n  expected\n{}  hoplab\n{}",
                case.line,
                case.query,
                list(&case.expected),
                list(&got)
            );
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
}

/// An answer as lines. A section's records have the order of what is expected if they are the same:
/// tables don't say which comes first, unless `=` says `in order`.
fn lines(outcome: &Outcome, expected: &[String]) -> Vec<String> {
    let Some(answer) = &outcome.answer else { return vec!["= silence".to_owned()] };
    let status = expected.first().map_or("", String::as_str);
    let mut lines = vec![status_line(answer, status)];
    for (name, records) in
        [("answer", &answer.answers), ("authority", &answer.authorities), ("additional", &answer.additionals)]
    {
        lines.extend(records.iter().map(|record| format!("{name} {}", text(record))));
    }
    lines.extend(outcome.log.iter().map(|line| format!("log {line}")).filter(|_| says(expected, "log ")));
    lines.extend(
        outcome.asked.iter().map(|line| format!("asked {line}")).filter(|_| says(expected, "asked ")),
    );
    let mut sorted = lines.clone();
    sorted.sort();
    let mut wanted = expected.to_vec();
    wanted.sort();
    if sorted == wanted && !status.ends_with(" in order") { expected.to_vec() } else { lines }
}

fn says(expected: &[String], prefix: &str) -> bool {
    expected.iter().any(|line| line.starts_with(prefix))
}

/// The code, and the flags if they are asked for.
fn status_line(answer: &Message, expected: &str) -> String {
    let header = &answer.metadata;
    let mut line = format!("= {}", present::rcode(header.response_code));
    let flags = [
        (header.authoritative, "aa"),
        (header.truncation, "tc"),
        (header.recursion_available, "ra"),
        (answer.edns.is_some(), "edns"),
    ];
    for (set, name) in flags {
        if set && (name == "tc" || expected.split(' ').any(|word| word == name)) {
            line += &format!(" {name}");
        }
    }
    if expected.ends_with(" in order") { line + " in order" } else { line }
}

fn text(record: &Record) -> String {
    let kind = present::record_type(record.record_type());
    let data = present::data(&record.data, record.dns_class, &Style::default());
    format!("{} {} IN {kind} {data}", record.name, record.ttl)
}
