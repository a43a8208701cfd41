use std::time::Duration;

use dns::{Name, RecordType, present};

/// What is asked, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// How long after the first query.
    pub at: Duration,
    /// The name.
    pub name: Name,
    /// The type.
    pub kind: RecordType,
}

/// What is wrong with a query, and where in its text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadQuery {
    /// The column of what is wrong, in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What would do.
    pub hint: String,
}

/// Reads a query: `A svc1.testns.svc.cluster.local`, with the type after the name if one likes, with
/// `@35s` before both if it is asked later than the first one.
///
/// # Errors
/// It is none.
pub fn parse_query(text: &str) -> Result<Question, BadQuery> {
    let mut words = words(text);
    let hint = || "write a type and a name: `A web.default.svc.cluster.local`".to_owned();
    let wrong = |column: usize, message: String| BadQuery { column, message, hint: hint() };
    let mut at = Duration::ZERO;
    if let Some((column, word)) = words.first().copied()
        && let Some(time) = word.strip_prefix('@')
    {
        let nanos = tools::pflag::duration(time).and_then(|nanos| u64::try_from(nanos).ok());
        let nanos = nanos.ok_or_else(|| BadQuery {
            column,
            message: format!("{word:?} is no time"),
            hint: "write it as `@35s` or `@1m30s`".to_owned(),
        })?;
        at = Duration::from_nanos(nanos);
        words.remove(0);
    }
    let end = text.chars().count() + 1;
    let kind_of = |word: &str| present::parse_record_type(&word.to_uppercase());
    let (kind, (column, name)) = match words[..] {
        [] => return Err(wrong(end, "expected a query".to_owned())),
        [only] => (RecordType::A, only),
        [first, second] => match (kind_of(first.1), kind_of(second.1)) {
            (Some(kind), _) => (kind, second),
            (None, Some(kind)) => (kind, first),
            (None, None) => {
                let kinds = ["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"];
                let near = |word: &&str| strsim::damerau_levenshtein(word, &first.1.to_uppercase());
                let nearest = kinds.into_iter().min_by_key(near).unwrap_or("A");
                return Err(BadQuery {
                    column: first.0,
                    message: format!("unknown type {:?}", first.1),
                    hint: format!("did you mean `{nearest}`? a type and a name are expected"),
                });
            }
        },
        [_, _, third, ..] => return Err(wrong(third.0, format!("unexpected {:?}", third.1))),
    };
    let parsed =
        Name::from_ascii(name).map_err(|error| wrong(column, format!("{name:?} is no name: {error}")));
    let mut name = parsed?;
    name.set_fqdn(true);
    Ok(Question { at, name, kind })
}

/// The words of a text, each with its column.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    for word in text.split_whitespace() {
        let start = word.as_ptr().addr() - text.as_ptr().addr();
        words.push((text[..start].chars().count() + 1, word));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        for (text, expected) in [
            ("A svc1.testns.svc.cluster.local", "0 A svc1.testns.svc.cluster.local."),
            ("svc1.testns. srv", "0 SRV svc1.testns."),
            ("  a.b ", "0 A a.b."),
            ("@1m5s PTR 1.0.0.10.in-addr.arpa.", "65 PTR 1.0.0.10.in-addr.arpa."),
            ("TYPE65 a", "0 HTTPS a."),
            ("@soon A a", "1: \"@soon\" is no time"),
            ("AAA a.b", "1: unknown type \"AAA\""),
            ("A a b", "5: unexpected \"b\""),
            ("A  a..b", "4: \"a..b\" is no name"),
            ("", "1: expected a query"),
        ] {
            let said = match parse_query(text) {
                Ok(Question { at, name, kind }) => format!("{} {kind} {name}", at.as_secs()),
                Err(error) => format!("{}: {}", error.column, error.message),
            };
            assert!(said.starts_with(expected), "{text}: {said}");
        }
    }
}
