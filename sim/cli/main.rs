//! The command line of hoplab: arguments, output, exit status. The only room that prints.

mod answer;
mod compare;
mod complete;
mod diagnose;
mod dns;
mod editor;
mod explain;
mod faults;
mod given;
mod help;
mod inputs;
mod junit;
mod kube_proxy;
mod kubectl_words;
mod labs;
mod list;
mod load;
mod new;
mod pace;
mod past;
mod pool;
mod prompt;
mod replay;
mod run;
mod service_cost;
mod sh;
mod state;
mod terminal;
mod trace;
mod trace_options;
mod typing;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A Linux and Kubernetes network in one process: real packets through simulated kernels,
/// explained hop by hop.
#[derive(Parser)]
#[command(name = "hoplab", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Replays scenario files; succeeds only if every expectation holds.
    Run(run::RunArgs),
    /// Lists scenarios: title, documents, rows, and how long they take in virtual time.
    List(list::ListArgs),
    /// Writes a scenario with comments, and a topology for it: both run as they are.
    New(new::NewArgs),
    /// A broken network to repair, at a prompt on its hosts; without a name lists all labs.
    Lab(labs::LabArgs),
    /// A shell in a simulated Linux: runs a script, a command, or a prompt.
    Sh(sh::ShArgs),
    /// Follows one packet through a topology and explains its way.
    Trace(trace::TraceArgs),
    /// Compares what a probe costs over each pod network of a cluster.
    Compare(compare::CompareArgs),
    /// Counts what a cluster's Services cost the first packet of a connection, and kube-proxy.
    ServiceCost(service_cost::ServiceCostArgs),
    /// The commands that a person would type to get a host's present state, and who made it.
    Explain(explain::ExplainArgs),
    /// What a kube-proxy writes for given manifests, and what then happens to a packet.
    KubeProxy(kube_proxy::KubeProxyArgs),
    /// Lists the ways in which networks break, and where each fits on a topology.
    Faults(faults::FaultsArgs),
    /// What CoreDNS answers, with a Corefile and the objects of given manifests.
    Dns(dns::DnsArgs),
    /// Finds out what keeps one place from reaching another, and which commands mend it.
    Diagnose(diagnose::DiagnoseArgs),
}

/// The input is wrong.
const STATUS_BAD_INPUT: u8 = 2;

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(args) => run::main(&args),
        Command::List(args) => list::main(&args),
        Command::New(args) => new::main(&args),
        Command::Lab(args) => labs::main(&args),
        Command::Sh(args) => sh::main(&args),
        Command::Trace(args) => trace::main(&args),
        Command::Compare(args) => compare::main(&args),
        Command::ServiceCost(args) => service_cost::main(&args),
        Command::Explain(args) => explain::main(&args),
        Command::KubeProxy(args) => kube_proxy::main(&args),
        Command::Faults(args) => faults::main(&args),
        Command::Dns(args) => dns::main(&args),
        Command::Diagnose(args) => diagnose::main(&args),
    }
}
