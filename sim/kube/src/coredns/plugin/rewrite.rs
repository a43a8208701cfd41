use dns::{Message, Name, Query, RData, Record};
use regex::Regex;

use crate::coredns::corefile::{After, Auto, Field, Match, NameRule};
use crate::coredns::message;

/// A query whose name was changed: how its answers are changed back.
#[derive(Clone, Debug)]
pub struct Reverter {
    /// The question as it was asked.
    asked: Query,
    /// The changes, in the order of the rules; they are undone from the last one on.
    undo: Vec<Undo>,
}

#[derive(Clone, Debug)]
struct Undo {
    field: Field,
    change: Change,
}

/// How a text is changed.
#[derive(Clone, Debug)]
enum Change {
    /// A name, and what ends with it after a dot.
    Domain { from: String, to: String },
    /// Whatever ends so.
    Suffix { from: String, to: String },
    /// The whole text.
    Pattern { from: Regex, to: String },
}

impl Change {
    fn apply(&self, text: &str) -> Option<String> {
        match self {
            Self::Domain { from, to } => {
                let before = text.strip_suffix(from.as_str())?;
                (before.is_empty() || before.ends_with('.')).then(|| format!("{before}{to}"))
            }
            Self::Suffix { from, to } => Some(format!("{}{to}", text.strip_suffix(from.as_str())?)),
            Self::Pattern { from, to } => fill(from, to, text),
        }
    }
}

/// `{0}` and so on in `to` become what the groups of a pattern have matched.
fn fill(pattern: &Regex, to: &str, text: &str) -> Option<String> {
    let groups = pattern.captures(text)?;
    let mut filled = to.to_owned();
    for (number, group) in groups.iter().enumerate() {
        filled = filled.replace(&format!("{{{number}}}"), group.map_or("", |group| group.as_str()));
    }
    Some(filled)
}

/// A query has a name that can't be one after a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadName(pub String);

/// Changes the name of a query as rules say; nothing if none fits. CoreDNS: `plugin/rewrite`.
///
/// # Errors
/// A rule makes something of it that is no name.
pub fn rewrite(rules: &[NameRule], query: &mut Message) -> Result<Option<Reverter>, BadName> {
    let Some(asked) = message::question(query).cloned() else { return Ok(None) };
    let mut undo = Vec::new();
    let mut done = false;
    for rule in rules {
        let text = message::name(query).to_ascii();
        let Some(new) = changed(rule, &text) else { continue };
        let name = name(&new).ok_or_else(|| BadName(format!("invalid name after rewrite: {new}")))?;
        if let Some(question) = query.queries.first_mut() {
            question.name = name;
        }
        done = true;
        undo.extend(undoing(rule, new, text));
        if rule.after == After::Stop {
            break;
        }
    }
    Ok(done.then_some(Reverter { asked, undo }))
}

fn changed(rule: &NameRule, text: &str) -> Option<String> {
    let to = &rule.to;
    match &rule.matches {
        Match::Exact(from) => (text == from).then(|| to.clone()),
        Match::Prefix(from) => Some(format!("{to}{}", text.strip_prefix(from.as_str())?)),
        Match::Suffix(from) => Some(format!("{}{to}", text.strip_suffix(from.as_str())?)),
        Match::Substring(from) => text.contains(from.as_str()).then(|| text.replace(from.as_str(), to)),
        Match::Regex(pattern) => fill(&pattern.0, to, text),
    }
}

/// What a rule that made `new` of `old` changes in answers.
fn undoing(rule: &NameRule, new: String, old: String) -> Vec<Undo> {
    let mut undo = Vec::new();
    if rule.answers == Auto::Restored {
        let change = match &rule.matches {
            Match::Suffix(from) => Change::Suffix { from: rule.to.clone(), to: from.clone() },
            _ => Change::Domain { from: new, to: old },
        };
        undo.push(Undo { field: Field::Name, change: change.clone() });
        undo.push(Undo { field: Field::Value, change });
    }
    undo.extend(rule.rules.iter().map(|rule| Undo {
        field: rule.field,
        change: Change::Pattern { from: rule.from.0.clone(), to: rule.to.clone() },
    }));
    undo
}

fn name(text: &str) -> Option<Name> {
    let mut name = Name::from_ascii(text).ok()?;
    name.set_fqdn(true);
    Some(name)
}

impl Reverter {
    /// Gives an answer back its question and names.
    pub fn revert(&self, answer: &mut Message) {
        match answer.queries.first_mut() {
            Some(question) => *question = self.asked.clone(),
            None => answer.queries.push(self.asked.clone()),
        }
        let sections = [&mut answer.authorities, &mut answer.answers, &mut answer.additionals];
        for record in sections.into_iter().flatten() {
            for undo in self.undo.iter().rev() {
                undo.apply(record);
            }
        }
    }
}

impl Undo {
    fn apply(&self, record: &mut Record) {
        let target = match self.field {
            Field::Name => Some(&mut record.name),
            Field::Value => match &mut record.data {
                RData::SRV(data) => Some(&mut data.target),
                RData::MX(data) => Some(&mut data.exchange),
                RData::CNAME(data) => Some(&mut data.0),
                RData::NS(data) => Some(&mut data.0),
                RData::PTR(data) => Some(&mut data.0),
                RData::NAPTR(data) => Some(&mut data.replacement),
                RData::SOA(data) => Some(&mut data.mname),
                _ => None,
            },
        };
        let Some(target) = target else { return };
        if let Some(new) = self.change.apply(&target.to_ascii()).as_deref().and_then(name) {
            *target = new;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coredns::corefile::{AnswerRule, Pattern};
    use dns::{RecordType, ResponseCode, rdata};

    fn pattern(text: &str) -> Pattern {
        Pattern(Regex::new(text).expect("a pattern"))
    }

    /// A query's name, what it becomes, and a record's name and target after the answer was changed.
    fn check(rules: &[NameRule], asked: &str, looked_up: &str, target: &str, expected: &str) {
        let mut query = dns::query(1, name(asked).expect("a name"), RecordType::SRV);
        let reverter = rewrite(rules, &mut query).expect("names");
        let became = message::name(&query).to_ascii();
        assert_eq!(became, looked_up, "{asked}");
        let mut answer = message::reply(&query, ResponseCode::NoError);
        let data = RData::SRV(rdata::SRV::new(0, 0, 80, name(target).expect("a name")));
        answer.answers.push(Record::from_rdata(name(&became).expect("a name"), 5, data));
        if let Some(reverter) = reverter {
            reverter.revert(&mut answer);
        }
        let [record] = &answer.answers[..] else { panic!("one record") };
        let RData::SRV(data) = &record.data else { panic!("a target") };
        let question = message::question(&answer).expect("a question").name.to_ascii();
        assert_eq!(format!("{question} {} {}", record.name, data.target), expected, "{asked}");
    }

    #[test]
    fn names_change_and_change_back() {
        let rule = |after, matches, to: &str, answers, rules| NameRule {
            after,
            matches,
            to: to.to_owned(),
            answers,
            rules,
        };
        let text = str::to_owned;
        use Auto::{Kept, Restored};
        let exact = rule(After::Stop, Match::Exact(text("a.org.")), "b.net.", Restored, Vec::new());
        check(std::slice::from_ref(&exact), "A.org.", "b.net.", "x.b.net.", "A.org. a.org. x.a.org.");
        check(&[exact], "c.org.", "c.org.", "x.b.net.", "c.org. c.org. x.b.net.");
        let prefix = rule(After::Stop, Match::Prefix(text("api.")), "web.", Kept, Vec::new());
        check(&[prefix], "api.org.", "web.org.", "y.", "api.org. web.org. y.");
        let suffix = rule(After::Stop, Match::Suffix(text(".local.")), ".org.", Restored, Vec::new());
        check(&[suffix], "a.local.", "a.org.", "s.org.", "a.local. a.local. s.local.");
        let inner = rule(After::Continue, Match::Substring(text("one")), "two", Kept, Vec::new());
        let back = vec![
            AnswerRule { field: Field::Name, from: pattern(r"^(.*)\.three\.$"), to: text("{1}.one.") },
            AnswerRule { field: Field::Value, from: pattern("^s(.*)$"), to: text("t{1}") },
        ];
        let regex = rule(After::Stop, Match::Regex(pattern(r"^(.*)\.two\.$")), "{1}.three.", Kept, back);
        check(&[inner, regex], "a.one.", "a.three.", "s.", "a.one. a.one. t.");
    }

    #[test]
    fn what_is_no_name_is_an_error() {
        let rule = NameRule {
            after: After::Stop,
            matches: Match::Prefix("a".to_owned()),
            to: "a..".to_owned(),
            answers: Auto::Kept,
            rules: Vec::new(),
        };
        let mut query = dns::query(1, name("a.org.").expect("a name"), RecordType::A);
        let error = rewrite(&[rule], &mut query).expect_err("no name");
        assert_eq!(error.0, "invalid name after rewrite: a...org.");
    }
}
