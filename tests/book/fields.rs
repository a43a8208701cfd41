//! The fields of the file formats, from the types that read them.

use std::fmt::Write;

/// A type that is read from a file.
#[derive(Debug, PartialEq, Eq)]
struct Item {
    name: String,
    doc: String,
    parts: Vec<Part>,
}

/// A field or a variant.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    name: String,
    value: String,
    doc: String,
    fields: Vec<Part>,
}

/// The types of a source file that are read from files, as Markdown.
///
/// # Errors
/// There is no such file.
pub fn of_source(file: &str) -> Result<String, String> {
    let source = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let mut text = String::new();
    for item in items(&source) {
        let _ = writeln!(text, "### {}\n\n{}\n", item.name, item.doc);
        for part in &item.parts {
            line(&mut text, "", part);
            for field in &part.fields {
                line(&mut text, "  ", field);
            }
        }
        text.push('\n');
    }
    Ok(text)
}

fn line(text: &mut String, indent: &str, part: &Part) {
    let value = if part.value.is_empty() { String::new() } else { format!(" ({})", part.value) };
    let _ = writeln!(text, "{indent}- `{}`{value}: {}", part.name, part.doc);
}

/// What has been read of a declaration: its documentation and attributes.
#[derive(Default)]
struct Head {
    doc: String,
    attributes: String,
}

impl Head {
    /// Takes a line of documentation or attributes; false if it is neither.
    fn takes(&mut self, line: &str) -> bool {
        if let Some(doc) = line.strip_prefix("///") {
            self.doc = format!("{} {}", self.doc, doc.trim()).trim().to_owned();
        } else if line.starts_with("#[") {
            self.attributes.push_str(line);
        } else {
            return false;
        }
        true
    }

    fn renamed(&self, name: &str) -> String {
        let renamed = self.attributes.split("rename = \"").nth(1).and_then(|rest| rest.split('"').next());
        renamed.unwrap_or(name).to_owned()
    }
}

/// The public types that derive `Deserialize`.
fn items(source: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let mut head = Head::default();
    let mut lines = source.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if head.takes(line) {
            continue;
        }
        let declared = ["pub struct ", "pub enum "].iter().find_map(|start| line.strip_prefix(start));
        let name = declared.and_then(|rest| rest.strip_suffix(" {"));
        if let Some(name) = name.filter(|_| head.attributes.contains("Deserialize")) {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "}").collect();
            items.push(Item { name: head.renamed(name), doc: head.doc.clone(), parts: parts(&body) });
        }
        head = Head::default();
    }
    items
}

fn parts(body: &[&str]) -> Vec<Part> {
    let mut found = Vec::new();
    let mut head = Head::default();
    let mut at = 0;
    while let Some(line) = body.get(at) {
        at += 1;
        if head.takes(line) {
            continue;
        }
        let Head { doc, attributes } = std::mem::take(&mut head);
        let line = line.trim_start_matches("pub ").trim_start_matches("pub(crate) ").trim_end_matches(',');
        if line.is_empty() || attributes.contains("serde(skip)") {
            continue;
        }
        let mut part = Part { name: line.to_owned(), value: String::new(), doc, fields: Vec::new() };
        if let Some(name) = line.strip_suffix(" {") {
            let length = body[at..].iter().take_while(|line| !line.starts_with('}')).count();
            part.fields = parts(&body[at..at + length]);
            part.name = format!("{name}(…)");
            at += length + 1;
        } else if let Some((name, kind)) = line.split_once(": ") {
            let optional = attributes.contains("serde(default") || kind.starts_with("Option<");
            part.name = name.to_owned();
            part.value = format!("{}{}", value(kind), if optional { ", optional" } else { "" });
        } else if let Some((name, kind)) = line.split_once('(') {
            part.name = format!("{name}(…)");
            part.value = value(kind.trim_end_matches(')'));
        }
        found.push(part);
    }
    found
}

/// A type in words.
fn value(kind: &str) -> String {
    let inner = |start: &str| kind.strip_prefix(start).and_then(|rest| rest.strip_suffix('>'));
    if let Some(inner) = inner("Option<").or(inner("Box<")) {
        value(inner)
    } else if let Some(inner) = inner("Vec<") {
        format!("list: {}", value(inner))
    } else if let Some(inner) = inner("IndexMap<String, ") {
        format!("map: {}", value(inner))
    } else {
        match kind {
            "String" | "IpNet" | "IpAddr" => "text".to_owned(),
            "(String, String)" => "two texts".to_owned(),
            "u8" | "u16" | "u32" | "u64" | "i32" | "usize" => "number".to_owned(),
            "bool" => "true or false".to_owned(),
            kind => {
                let name = ["File", "Spec"].iter().find_map(|end| kind.strip_suffix(end)).unwrap_or(kind);
                format!("`{name}`")
            }
        }
    }
}

#[test]
fn types_are_read_from_their_source() {
    let source = "\
/// A host,
/// and so on.
#[derive(Clone, Deserialize)]
#[serde(rename = \"Host\")]
pub struct HostFile {
    /// Its NICs.
    #[serde(default)]
    pub nics: IndexMap<String, NicFile>,
    #[serde(skip)]
    hidden: u8,
}

/// Not read.
pub struct Other {
    a: u8,
}

/// Either.
#[derive(Deserialize)]
pub enum Step {
    /// Waits.
    Wait(u64),
    /// Runs.
    Run {
        /// Where.
        on: Option<String>,
    },
}
";
    let part = |name: &str, value: &str, doc: &str, fields: Vec<Part>| Part {
        name: name.to_owned(),
        value: value.to_owned(),
        doc: doc.to_owned(),
        fields,
    };
    let expected = [
        Item {
            name: "Host".to_owned(),
            doc: "A host, and so on.".to_owned(),
            parts: vec![part("nics", "map: `Nic`, optional", "Its NICs.", vec![])],
        },
        Item {
            name: "Step".to_owned(),
            doc: "Either.".to_owned(),
            parts: vec![
                part("Wait(…)", "number", "Waits.", vec![]),
                part("Run(…)", "", "Runs.", vec![part("on", "text, optional", "Where.", vec![])]),
            ],
        },
    ];
    assert_eq!(items(source), expected);
}
