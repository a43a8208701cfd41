use std::fmt::Write;

use netfilter::{
    AddrMask, Chain, Counters, DevPattern, Listed, Netfilter, Not, Rule, Selector, Table, names,
};

use super::command::Command;
use super::run::Failure;

/// `iptables -L`.
pub fn list(
    netfilter: &Netfilter,
    command: &Command,
    only: Option<&str>,
    number: Option<usize>,
) -> Result<String, Failure> {
    let table = netfilter.table(command.table);
    let mut out = String::new();
    if let (Some(name), Some(number)) = (only, number) {
        let installed = table
            .and_then(|table| table.chain(name))
            .and_then(|chain| Some((chain, chain.rules.get(number - 1)?)));
        if let Some((chain, installed)) = installed {
            let counters = chain.counters.get(number - 1).copied().unwrap_or_default();
            line(&mut out, command, number, &installed.rule, counters);
        }
        return Ok(out);
    }
    let mut names: Vec<String> =
        command.table.name.hooks().iter().map(|hook| hook.as_str().to_owned()).collect();
    names.extend(table.into_iter().flat_map(Table::user_chains).map(|chain| chain.name.clone()));
    if let Some(only) = only {
        names.retain(|name| name == only);
        if names.is_empty() {
            return Err(Failure::Incompatible { chain: only.to_owned(), table: command.table.name });
        }
    }
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        let empty = Chain::named(name);
        let chain = table.and_then(|table| table.chain(name)).unwrap_or(&empty);
        header(&mut out, command, chain);
        for (at, installed) in chain.rules.iter().enumerate() {
            line(
                &mut out,
                command,
                at + 1,
                &installed.rule,
                chain.counters.get(at).copied().unwrap_or_default(),
            );
        }
    }
    Ok(out)
}

fn header(out: &mut String, command: &Command, chain: &Chain) {
    let built_in = command.table.name.hook(&chain.name).is_some();
    let _ = write!(out, "Chain {} ", chain.name);
    if built_in {
        let policy = chain.base.map_or("ACCEPT", |base| base.policy.as_str());
        let Counters { packets, bytes } = chain.base.and_then(|base| base.counters).unwrap_or_default();
        if command.verbose {
            let exact = command.exact;
            let _ = writeln!(
                out,
                "(policy {policy} {} packets, {} bytes)",
                short(packets, exact),
                short(bytes, exact)
            );
        } else {
            let _ = writeln!(out, "(policy {policy})");
        }
    } else {
        let _ = writeln!(out, "({} references)", chain.references);
    }
    if command.line_numbers {
        out.push_str("num  ");
    }
    if command.verbose {
        out.push_str(if command.exact { "    pkts      bytes " } else { " pkts bytes " });
    }
    out.push_str("target     prot opt ");
    if command.verbose {
        out.push_str("in     out     ");
    }
    out.push_str("source               destination         \n");
}

/// A number, with `K`, `M`, `G` or `T` when long unless `exact`. iptables `xtables_print_num`.
fn short(number: u64, exact: bool) -> String {
    if exact || number <= 99_999 {
        return number.to_string();
    }
    let mut rest = number;
    for unit in ["K", "M", "G"] {
        rest = (rest + 500) / 1000;
        if rest <= 9999 {
            return format!("{rest}{unit}");
        }
    }
    format!("{}T", (rest + 500) / 1000)
}

/// A rule as `-A -v` and its kin say it. iptables: `print_rule` with `FMT_PRINT_RULE`.
pub fn told(rule: &Rule) -> String {
    let Selector { src, dst, input, output, proto, .. } = &rule.selector;
    let bang = |invert: bool| if invert { '!' } else { ' ' };
    let dev = |dev: &Option<Not<DevPattern>>| match dev {
        Some(dev) if dev.invert => format!("!{}", dev.value.0),
        Some(dev) => dev.value.0.clone(),
        None => "*".to_owned(),
    };
    let addr = |addr: &Option<Not<AddrMask>>| match addr {
        Some(addr) => (bang(addr.invert), addr.value.listed()),
        None => (' ', "0.0.0.0/0".to_owned()),
    };
    let (not_proto, proto) = match proto {
        Some(Not { invert, value }) => {
            (bang(*invert), names::protocol(*value).map_or(value.0.to_string(), str::to_owned))
        }
        None => (' ', "all".to_owned()),
    };
    let (not_src, src) = addr(src);
    let (not_dst, dst) = addr(dst);
    format!(
        "{} {not_proto}{proto} opt {} in {} out {} {not_src}{src} {not_dst}-> {dst}  {}\n",
        rule.target_name(),
        fragment(rule),
        dev(input),
        dev(output),
        Listed { rule, numeric: true },
    )
}

/// What the rule asks of fragments, as listings have it.
fn fragment(rule: &Rule) -> &'static str {
    match rule.selector.fragment {
        Some(true) => "-f",
        Some(false) => "!f",
        None => "--",
    }
}

fn line(out: &mut String, command: &Command, number: usize, rule: &Rule, counters: Counters) {
    if command.line_numbers {
        let _ = write!(out, "{number:<4} ");
    }
    if command.verbose {
        let Counters { packets, bytes } = counters;
        let _ = if command.exact {
            write!(out, "{packets:>8} {bytes:>8} ")
        } else {
            write!(out, "{:>5} {:>5} ", short(packets, false), short(bytes, false))
        };
    }
    let selector = &rule.selector;
    let (not, proto) = match &selector.proto {
        Some(Not { invert, value }) => {
            let name = names::protocol(*value).filter(|_| !command.numeric);
            (if *invert { '!' } else { ' ' }, name.map_or(value.0.to_string(), str::to_owned))
        }
        None => (' ', if command.numeric { "0".to_owned() } else { "all".to_owned() }),
    };
    let _ = write!(out, "{:<9} {not}{proto:<4} {} ", rule.target_name(), fragment(rule));
    if command.verbose {
        let any = if command.numeric { "*" } else { "any" };
        for dev in [&selector.input, &selector.output] {
            let name = dev.as_ref().map_or(any.to_owned(), |dev| {
                format!("{}{}", if dev.invert { "!" } else { "" }, dev.value.0)
            });
            let _ = write!(out, " {name:<6}");
        }
        out.push(' ');
    }
    address(out, selector.src.as_ref(), command.numeric);
    address(out, selector.dst.as_ref(), command.numeric);
    let _ = writeln!(out, "{}", Listed { rule, numeric: command.numeric });
}

fn address(out: &mut String, addr: Option<&Not<AddrMask>>, numeric: bool) {
    let any = if numeric { "0.0.0.0/0" } else { "anywhere" };
    let not = if addr.is_some_and(|addr| addr.invert) { '!' } else { ' ' };
    let text = addr.map_or(any.to_owned(), |addr| addr.value.listed());
    let _ = write!(out, "{not}{text:<19} ");
}
