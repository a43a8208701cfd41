use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use dns::present::{Style, View, data, message, rcode, record_type};
use dns::{Message, Record};
use kube::coredns::Transport;
use kube::coredns::offline::{BadQuery, Input, Offline, Options, Outcome, Question, Sending, parse_query};
use kube::proxy::input::{InputError, Source};
use lab::FileError;
use serde_json::{Value, json};

use crate::STATUS_BAD_INPUT;
use crate::answer::Format;
use crate::given::{Given, at_place, list, text_of};

/// Arguments of `hoplab dns`.
#[derive(Args)]
pub(crate) struct DnsArgs {
    /// YAML files, or `-` for standard input: Services, EndpointSlices, Endpoints, Pods, Namespaces, a
    /// ConfigMap with a Corefile. A file with `Corefile` in its name is one itself. Without a Corefile,
    /// that of kubeadm.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A query: type and name, `SRV _http._tcp.web.default.svc.cluster.local`; may be repeated. With
    /// `@35s` before it, it is asked so long after the first one.
    #[arg(short, long, value_name = "QUERY")]
    query: Vec<String>,
    /// A file with a query in each line; `#` begins a comment.
    #[arg(long, value_name = "FILE")]
    queries: Option<PathBuf>,
    /// The Corefile, in place of what the files have.
    #[arg(long, value_name = "FILE")]
    corefile: Option<PathBuf>,
    /// What other servers answer: a zone file with any names. Without it nobody answers there.
    #[arg(long, value_name = "FILE")]
    upstream: Option<PathBuf>,
    /// What CoreDNS finds as /etc/resolv.conf.
    #[arg(long, value_name = "FILE")]
    resolv_conf: Option<PathBuf>,
    /// CoreDNS's own address; an endpoint of kube-system/kube-dns if nothing is said.
    #[arg(long, value_name = "ADDRESS")]
    address: Option<IpAddr>,
    /// Asks by TCP, where answers of any length fit.
    #[arg(long)]
    tcp: bool,
    /// How long answers by UDP may be, as EDNS says it; 0 for no EDNS, and 512 bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 1232)]
    bufsize: u16,
    /// Where random numbers begin: they shuffle addresses and choose servers.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    seed: u64,
    /// Form of the answers.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Says nothing on standard error: no notes, none of CoreDNS's log.
    #[arg(long)]
    quiet: bool,
}

/// Why nothing is answered.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{}", list(.0))]
    Files(Vec<FileError>),
    #[error("{0}")]
    Input(InputError),
    #[error("--query {text:?}, column {}: {error}\nhint: {}", error.column, error.hint)]
    Query { text: String, error: BadQuery },
    #[error("there is no query\nhint: --query 'A web.default.svc.cluster.local', or --queries FILE")]
    NoQuery,
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::Files(vec![error])
    }
}

/// What is answered, and what is said beside.
struct Said {
    text: String,
    beside: Vec<String>,
}

#[allow(clippy::print_stdout, clippy::print_stderr)]
pub(crate) fn main(args: &DnsArgs) -> ExitCode {
    match answer(args) {
        Ok(Said { text, beside }) => {
            for line in beside.iter().filter(|_| !args.quiet) {
                eprintln!("{line}");
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

fn answer(args: &DnsArgs) -> Result<Said, Failure> {
    let questions = questions(args)?;
    let beside_files = [&args.corefile, &args.upstream].into_iter().flatten().cloned();
    let all: Vec<PathBuf> = args.files.iter().cloned().chain(beside_files).collect();
    let given = Given::read(&all)?;
    let sources = given.sources();
    let named = |file: &Option<PathBuf>| {
        let name = file.as_ref()?.display().to_string();
        sources.iter().find(|source| source.name == name).copied()
    };
    let resolv_conf = args.resolv_conf.as_deref().map(text_of).transpose()?;
    let options = Options {
        corefile: named(&args.corefile),
        upstream: named(&args.upstream),
        resolv_conf: resolv_conf.as_deref(),
        address: args.address,
    };
    let manifests: &[Source<'_>] = sources.get(..args.files.len()).unwrap_or_default();
    let input = Input::read(manifests, &options);
    let input = input.map_err(|errors| given.places(errors).map_or_else(Failure::Input, Failure::Files))?;
    let mut beside: Vec<String> = input.notices.iter().map(|notice| format!("note: {notice}")).collect();
    beside.extend(input.corefile.warnings.iter().cloned());
    let transport = if args.tcp { Transport::Tcp } else { Transport::Udp };
    let buffer = Some(args.bufsize).filter(|size| *size > 0);
    let sending = Sending { transport, buffer };
    let mut server = Offline::new(input, args.seed);
    let outcomes: Vec<Outcome> = questions.iter().map(|question| server.ask(question, &sending)).collect();
    for outcome in &outcomes {
        beside.extend(outcome.log.iter().cloned());
        if args.upstream.is_none() {
            let unanswered = outcome.asked.iter().map(|asked| format!("note: nobody answers {asked}"));
            beside.extend(unanswered);
        }
    }
    let text = match args.format {
        Format::Text => outcomes.iter().map(text).collect::<Vec<_>>().join("\n"),
        Format::Json => {
            let all: Value = outcomes.iter().map(json).collect();
            serde_json::to_string_pretty(&all).unwrap_or_default() + "\n"
        }
    };
    Ok(Said { text, beside })
}

fn questions(args: &DnsArgs) -> Result<Vec<Question>, Failure> {
    let mut questions = Vec::new();
    for text in &args.query {
        let question = parse_query(text);
        questions.push(question.map_err(|error| Failure::Query { text: text.clone(), error })?);
    }
    if let Some(file) = &args.queries {
        questions.extend(questions_of(file)?);
    }
    if questions.is_empty() { Err(Failure::NoQuery) } else { Ok(questions) }
}

fn questions_of(file: &Path) -> Result<Vec<Question>, Failure> {
    let text = text_of(file)?;
    let mut questions = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let query = line.split('#').next().unwrap_or_default();
        if query.trim().is_empty() {
            continue;
        }
        questions.push(parse_query(query).map_err(|BadQuery { column, message, hint }| {
            at_place(&file.display().to_string(), &text, (number + 1, column), message, Some(hint))
        })?);
    }
    Ok(questions)
}

/// As dig prints it.
fn text(outcome: &Outcome) -> String {
    match &outcome.answer {
        Some(answer) => {
            let mut text = message(answer, &View::default(), Some(&outcome.query));
            let _ = writeln!(text, ";; MSG SIZE  rcvd: {}", outcome.size);
            text
        }
        None => ";; no answer\n".to_owned(),
    }
}

fn json(outcome: &Outcome) -> Value {
    let question = outcome.query.queries.first();
    let asked = json!({
        "name": question.map(|question| question.name.to_string()),
        "type": question.map(|question| record_type(question.query_type)),
    });
    let mut object = json!({ "query": asked });
    if let Some(answer) = &outcome.answer {
        object["status"] = json!(rcode(answer.metadata.response_code));
        object["flags"] = json!(flags(answer));
        let section = |records: &[Record]| records.iter().map(record).collect::<Value>();
        object["answer"] = section(&answer.answers);
        object["authority"] = section(&answer.authorities);
        object["additional"] = section(&answer.additionals);
        object["size"] = json!(outcome.size);
    }
    object["asked"] = json!(outcome.asked);
    object["log"] = json!(outcome.log);
    object
}

fn record(record: &Record) -> Value {
    json!({
        "name": record.name.to_string(),
        "ttl": record.ttl,
        "class": record.dns_class.to_string(),
        "type": record_type(record.record_type()),
        "data": data(&record.data, record.dns_class, &Style::default()),
    })
}

fn flags(answer: &Message) -> Vec<&'static str> {
    let header = &answer.metadata;
    let flags = [
        (header.message_type == dns::MessageType::Response, "qr"),
        (header.authoritative, "aa"),
        (header.truncation, "tc"),
        (header.recursion_desired, "rd"),
        (header.recursion_available, "ra"),
        (header.authentic_data, "ad"),
        (header.checking_disabled, "cd"),
    ];
    flags.into_iter().filter_map(|(set, name)| set.then_some(name)).collect()
}
