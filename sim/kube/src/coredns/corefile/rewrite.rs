//! `rewrite`: queries' names are changed, and answers' back again.

use super::config::Pattern;
use super::dispenser::Dispenser;
use super::error::Error;
use super::setup::Context;
use super::{Plugins, go};

/// `rewrite [continue|stop] name [MATCH] FROM TO [answer …]…`. Names are texts in lower case that
/// end with a dot, but for patterns.
#[derive(Clone, Debug, PartialEq)]
pub struct NameRule {
    /// What happens after it has changed a name.
    pub after: After,
    /// Which names it changes.
    pub matches: Match,
    /// What takes the place of what matched; `{1}` is what the first group of a pattern matched.
    pub to: String,
    /// Whether answers get the asked name back.
    pub answers: Auto,
    /// Further changes of answers.
    pub rules: Vec<AnswerRule>,
}

/// What happens after a rule has changed a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// No further rule is looked at.
    Stop,
    /// The rest is.
    Continue,
}

/// Which names a rule changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Match {
    /// This one.
    Exact(String),
    /// Those that begin so.
    Prefix(String),
    /// Those that end so.
    Suffix(String),
    /// Those with this in them, wherever it is.
    Substring(String),
    /// Those that match; the whole name is replaced.
    Regex(Pattern),
}

/// Whether answers get the asked name back, in records' names and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auto {
    /// They do: `exact` always, others with `answer auto`.
    Restored,
    /// They keep the name that was looked up.
    Kept,
}

/// `answer name|value FROM TO`.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerRule {
    /// What of a record it changes.
    pub field: Field,
    /// What it must match.
    pub from: Pattern,
    /// What takes its place; `{1}` is what the first group matched.
    pub to: String,
}

/// What of a record is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Its name.
    Name,
    /// The name in its data.
    Value,
}

/// CoreDNS: `plugin/rewrite/setup.go`.
pub(super) fn setup(at: &mut Dispenser<'_>, _: &mut Context<'_>, plugins: &mut Plugins) -> Result<(), Error> {
    while at.next() {
        let mut args = at.remaining_args();
        if args.len() < 2 {
            while at.next_block() {
                args.push(at.text().to_owned());
            }
        }
        plugins.rewrite.push(rule(at, &args)?);
    }
    Ok(())
}

fn rule(at: &Dispenser<'_>, args: &[String]) -> Result<NameRule, Error> {
    let Some(first) = args.first() else {
        return Err(Error::refused("no rule type specified for rewrite"));
    };
    let (after, rest) = match first.to_lowercase().as_str() {
        "continue" => (After::Continue, &args[1..]),
        "stop" => (After::Stop, &args[1..]),
        _ => (After::Stop, args),
    };
    let Some((kind, rest)) = rest.split_first() else {
        let mode = first.to_lowercase();
        return Err(Error::refused(format_args!("{mode} rule must begin with a rule type")));
    };
    match kind.to_lowercase().as_str() {
        "name" => name_rule(after, rest),
        "answer" => Err(Error::refused("response rewrites must begin with a name rule")),
        kind @ ("class" | "type") if rest.len() != 2 => {
            Err(Error::refused(format_args!("{kind} rules must have exactly two arguments")))
        }
        kind @ ("class" | "type" | "edns0" | "ttl" | "cname") => {
            Err(at.not_simulated(format!("CoreDNS rewrite {kind}")))
        }
        _ => Err(Error::refused(format_args!("invalid rule type {first:?}"))),
    }
}

fn name_rule(after: After, args: &[String]) -> Result<NameRule, Error> {
    let (kind, from, to, answers) = match args {
        [] | [_] => return Err(Error::refused("too few arguments for a name rule")),
        [from, to] => ("exact".to_owned(), from, to, &[][..]),
        [kind, from, to, answers @ ..] => (kind.to_lowercase(), from, to, answers),
    };
    let (auto, rules) =
        if answers.is_empty() { (Auto::Kept, Vec::new()) } else { answer_rules(&kind, answers)? };
    let name = normalized(from);
    let (matches, auto) = match kind.as_str() {
        "exact" => {
            pattern(&normalized(to), &name)?;
            (Match::Exact(name), Auto::Restored)
        }
        "prefix" => (Match::Prefix(name), auto),
        "suffix" => (Match::Suffix(name), auto),
        "substring" => (Match::Substring(name), auto),
        "regex" => (Match::Regex(pattern(from, to)?), auto),
        other => {
            return Err(Error::refused(format_args!(
                "name rule supports only exact, prefix, suffix, substring, and regex name matching, \
                 received: {other}"
            )));
        }
    };
    Ok(NameRule { after, matches, to: normalized(to), answers: auto, rules })
}

/// `answer auto`, `answer name FROM TO`, `answer value FROM TO`, any number of them.
fn answer_rules(kind: &str, args: &[String]) -> Result<(Auto, Vec<AnswerRule>), Error> {
    let (mut auto, mut rules) = (Auto::Kept, Vec::new());
    if args.len() < 2 {
        return Err(Error::refused(format_args!("invalid arguments for {kind} rule")));
    }
    if args.first().is_some_and(|first| first != "answer") {
        return Err(Error::refused(format_args!(
            "exceeded the number of arguments for a non-answer rule argument for {kind} rule"
        )));
    }
    let mut rest = args;
    while let Some((first, after)) = rest.split_first() {
        let (what, after) = if first == "answer" {
            after
                .split_first()
                .ok_or_else(|| Error::refused(format_args!("type missing for answer rule for {kind} rule")))?
        } else {
            (first, after)
        };
        rest = after;
        let field = match what.as_str() {
            "auto" => {
                auto = Auto::Restored;
                continue;
            }
            "name" => Field::Name,
            "value" => Field::Value,
            other => {
                return Err(Error::refused(format_args!(
                    "invalid type {other:?} for answer rule for {kind} rule"
                )));
            }
        };
        let [from, to, after @ ..] = rest else {
            return Err(Error::refused(format_args!(
                "{what} answer rule for {kind} rule: 2 arguments required"
            )));
        };
        rest = after;
        let from = pattern(from, to)
            .map_err(|error| Error::refused(format_args!("{what} answer rule for {kind} rule: {error}")))?;
        rules.push(AnswerRule { field, from, to: normalized(to) });
    }
    if auto == Auto::Restored && rules.iter().any(|rule| rule.field == Field::Name) {
        let text = "auto name answer rule cannot be combined with explicit name anwer rules";
        return Err(Error::refused(text));
    }
    Ok((auto, rules))
}

/// Lower case, with a dot at the end.
fn normalized(name: &str) -> String {
    let dot = if name.ends_with('.') { "" } else { "." };
    format!("{}{dot}", name.to_lowercase())
}

/// A pattern whose groups are enough for what `to` uses.
fn pattern(from: &str, to: &str) -> Result<Pattern, Error> {
    let pattern = go::pattern(from)
        .map_err(|_| Error::refused(format_args!("invalid regex matching pattern: {from}")))?;
    let used = (0..=100).filter(|group| to.contains(&format!("{{{group}}}"))).count();
    if used >= pattern.0.captures_len() {
        return Err(Error::refused(format_args!(
            "the rewrite regex pattern ({to}) uses more subexpressions than its corresponding matching \
             regex pattern ({from})"
        )));
    }
    Ok(pattern)
}
