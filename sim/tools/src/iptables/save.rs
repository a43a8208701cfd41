use std::fmt::Write;

use kernel::request::Request;
use netfilter::{Backend, Chain, Change, Netfilter, Table, TableId, TableName, What};
use world::Sys;

use super::run::{Failure, netfilter, version};
use crate::console::{Console, Stop};

/// `iptables -S`; with counters if `verbose`.
pub fn rules(
    netfilter: &Netfilter,
    id: TableId,
    only: Option<&str>,
    number: Option<usize>,
    verbose: bool,
) -> Result<String, Failure> {
    let (table, name) = (netfilter.table(id), id.name);
    let wanted = |chain: &str| only.is_none_or(|only| only == chain);
    if let Some(only) = only
        && name.hook(only).is_none()
        && table.and_then(|table| table.chain(only)).is_none()
    {
        return Err(Failure::Incompatible { chain: only.to_owned(), table: name });
    }
    let mut out = String::new();
    if number.is_none() {
        for hook in name.hooks().iter().filter(|hook| wanted(hook.as_str())) {
            let base = table.and_then(|table| table.chain(hook.as_str())).and_then(|chain| chain.base);
            let policy = base.map_or("ACCEPT", |base| base.policy.as_str());
            let _ = write!(out, "-P {} {policy}", hook.as_str());
            if verbose {
                let counters = base.and_then(|base| base.counters).unwrap_or_default();
                let _ = write!(out, " -c {} {}", counters.packets, counters.bytes);
            }
            out.push('\n');
        }
        for chain in table.into_iter().flat_map(Table::user_chains).filter(|chain| wanted(&chain.name)) {
            let _ = writeln!(out, "-N {}", chain.name);
        }
    }
    for chain in ordered(name, table).filter(|chain| wanted(&chain.name)) {
        for (at, installed) in
            chain.rules.iter().enumerate().filter(|(at, _)| number.is_none_or(|n| n == at + 1))
        {
            let mut text = format!("-A {}{}", chain.name, installed.rule);
            if verbose {
                let counters = chain.counters.get(at).copied().unwrap_or_default();
                let counted = format!(" -c {} {}", counters.packets, counters.bytes);
                // The counters stand before the target.
                let then =
                    netfilter::Rule { then: installed.rule.then.clone(), ..Default::default() }.to_string();
                text.insert_str(text.len() - then.len(), &counted);
            }
            let _ = writeln!(out, "{text}");
        }
    }
    Ok(out)
}

/// Chains in the order of listings: built-in ones that were used, then user chains by name.
fn ordered(name: TableName, table: Option<&Table>) -> impl Iterator<Item = &Chain> {
    let built_in = name.hooks().iter().filter_map(move |hook| table?.chain(hook.as_str()));
    built_in.chain(table.into_iter().flat_map(Table::user_chains))
}

/// `iptables-save`.
pub fn iptables_save(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let mut console = Console::new(sys);
    let outcome = save(&mut console, args, Backend::Nft);
    console.finish(outcome)
}

/// `iptables-legacy-save`.
pub fn iptables_legacy_save(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let mut console = Console::new(sys);
    let outcome = save(&mut console, args, Backend::Legacy);
    console.finish(outcome)
}

fn save(console: &mut Console<'_>, args: &[String], backend: Backend) -> Result<i32, Stop> {
    let version = version(backend);
    let (mut counters, mut only) = (false, None);
    let (program, words) = args.split_first().map_or(("iptables-save", args), |(name, words)| (name, words));
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-c" | "--counters" => counters = true,
            "-t" | "--table" => {
                let name = words.next().map_or("", String::as_str);
                match TableName::parse(name) {
                    Some(table) => only = Some(table),
                    None if backend == Backend::Legacy => {
                        let text = "Cannot initialize: Table does not exist (do you need to insmod?)";
                        return Err(Stop::exit(1, format!("iptables-save {version}: {text}")));
                    }
                    None => return Err(Stop::exit(1, format!("Table `{name}' does not exist"))),
                }
            }
            "-V" | "--version" => {
                console.line(&format!("iptables-save {version}"));
                return Ok(0);
            }
            "-M" | "--modprobe" | "-f" | "--file" => {
                return Err(Stop::exit(1, format!("iptables-save: option {word} is not simulated")));
            }
            word if word.starts_with('-') => {
                let what = if word.starts_with("--") { "unrecognized option" } else { "invalid option --" };
                let option = if word.starts_with("--") { word } else { &word[1..] };
                let manual = "Look at manual page `iptables-save.8' for more information.";
                return Err(Stop::text(1, format!("{program}: {what} '{option}'\n{manual}\n")));
            }
            _ => return Err(Stop::exit(1, "Unknown arguments found on commandline")),
        }
    }
    let netns = console.sys.netns();
    let date = world::ctime(console.sys.unix_time());
    if let (Some(name), Backend::Legacy) = (only, backend) {
        let load = Change { table: TableId { backend, name }, what: What::Load };
        let _ = console.sys.request(netns, Request::Ruleset(load));
    }
    let netfilter = netfilter(console.sys, netns);
    let legacy = netfilter.legacy_tables();
    let mut out = String::new();
    let tables: Vec<TableName> = match (only, backend) {
        (Some(name), _) => vec![name],
        (None, Backend::Legacy) => legacy.clone(),
        (None, Backend::Nft) => {
            TableName::ALL.into_iter().filter(|name| netfilter.table(*name).is_some()).collect()
        }
    };
    for name in tables {
        let table = netfilter.table(TableId { backend, name });
        let _ = writeln!(out, "# Generated by iptables-save {version} on {date}\n*{name}");
        for hook in name.hooks() {
            let base = table.and_then(|table| table.chain(hook.as_str())).and_then(|chain| chain.base);
            let policy = base.map_or("ACCEPT", |base| base.policy.as_str());
            let counters = base.and_then(|base| base.counters).unwrap_or_default();
            let _ = writeln!(out, ":{} {policy} {counters}", hook.as_str());
        }
        for chain in table.into_iter().flat_map(Table::user_chains) {
            let _ = writeln!(out, ":{} - [0:0]", chain.name);
        }
        for chain in ordered(name, table) {
            for (installed, count) in chain.rules.iter().zip(&chain.counters) {
                if counters {
                    let _ = write!(out, "{count} ");
                }
                let _ = writeln!(out, "-A {}{}", chain.name, installed.rule);
            }
        }
        let _ = writeln!(out, "COMMIT\n# Completed on {date}");
    }
    console.out(&out);
    if backend == Backend::Nft && !legacy.is_empty() {
        console.error("# Warning: iptables-legacy tables present, use iptables-legacy-save to see them\n");
    }
    Ok(0)
}
