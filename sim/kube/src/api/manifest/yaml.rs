use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;

use super::ManifestError;
use crate::api::Part;

/// A YAML value that remembers where it stands.
#[derive(Clone, Debug)]
pub struct Yaml {
    line: usize,
    column: usize,
    value: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Scalar(Value),
    List(Vec<Yaml>),
    /// Each key with its own place.
    Map(Vec<(String, (usize, usize), Yaml)>),
}

/// How manifests are read: a text is as long as it is, so only what aliases repeat is limited.
pub fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_documents: usize::MAX,
            max_events: usize::MAX,
            max_nodes: usize::MAX,
            max_total_scalar_bytes: usize::MAX,
        },
    }
}

/// The documents of a text.
///
/// # Errors
/// It is no YAML.
pub fn documents(text: &str) -> Result<Vec<Yaml>, ManifestError> {
    let documents = serde_saphyr::from_multiple_with_options(text, options());
    let documents: Vec<Spanned<Content>> = documents.map_err(|error| {
        let place = error.location().map_or((1, 1), |at| (number(at.line()), number(at.column())));
        let message = error.without_snippet().to_string();
        ManifestError { line: place.0, column: place.1, path: String::new(), message, hint: None }
    })?;
    Ok(documents.into_iter().map(Yaml::from).collect())
}

fn number(from: u64) -> usize {
    usize::try_from(from).unwrap_or(usize::MAX).max(1)
}

impl From<Spanned<Content>> for Yaml {
    fn from(spanned: Spanned<Content>) -> Self {
        let at = spanned.referenced;
        Self { line: number(at.line()), column: number(at.column()), value: spanned.value }
    }
}

impl Yaml {
    /// Whether nothing is written.
    pub fn is_null(&self) -> bool {
        matches!(self.value, Content::Scalar(Value::Null))
    }

    /// The items of a field that is a list.
    pub fn items(&self, field: &str) -> Vec<Self> {
        match self.child(field) {
            Some((_, Self { value: Content::List(items), .. })) => items.clone(),
            _ => Vec::new(),
        }
    }

    fn child(&self, field: &str) -> Option<((usize, usize), &Self)> {
        let Content::Map(fields) = &self.value else { return None };
        fields.iter().find(|(key, ..)| key == field).map(|(_, at, value)| (*at, value))
    }

    /// Line and column of a field with a path such as `spec.ports[0].port`, or of what is nearest if
    /// there is none.
    pub fn place(&self, path: &str, part: Part) -> (usize, usize) {
        let mut at = self;
        let mut place = (self.line, self.column);
        let words =
            path.split(['.', '[']).map(|word| word.trim_end_matches(']')).filter(|word| !word.is_empty());
        for word in words {
            let found = match &at.value {
                Content::List(items) => {
                    word.parse().ok().and_then(|i: usize| items.get(i)).map(|item| (None, item))
                }
                Content::Map(_) => at.child(word).map(|(key, value)| (Some(key), value)),
                Content::Scalar(_) => None,
            };
            let Some((key, next)) = found else { break };
            at = next;
            place = match (&at.value, key) {
                (_, Some(key)) if part == Part::Name || at.is_null() => key,
                _ => (at.line, at.column),
            };
        }
        place
    }

    /// The value as JSON.
    pub fn to_json(&self) -> Value {
        match &self.value {
            Content::Scalar(value) => value.clone(),
            Content::List(items) => items.iter().map(Self::to_json).collect(),
            Content::Map(fields) => {
                let pairs = fields.iter().map(|(key, _, value)| (key.clone(), value.to_json()));
                Value::Object(pairs.collect::<Map<_, _>>())
            }
        }
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Content, D::Error> {
        from.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Content, E> {
        Ok(Content::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Content, E> {
        Ok(Content::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Content, E> {
        Ok(Content::Scalar(Number::from_f64(value).map_or(Value::Null, Value::Number)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Content, E> {
        Ok(Content::Scalar(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Content, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element::<Spanned<Content>>()? {
            items.push(item.into());
        }
        Ok(Content::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Content, A::Error> {
        let mut fields = Vec::new();
        while let Some((key, value)) = from.next_entry::<Spanned<String>, Spanned<Content>>()? {
            let at = (number(key.referenced.line()), number(key.referenced.column()));
            fields.push((key.value, at, value.into()));
        }
        Ok(Content::Map(fields))
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ContentVisitor)
    }
}
