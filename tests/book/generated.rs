//! Parts of pages that are made from the source or by hoplab.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use trace::DropReason;

use crate::real::Folder;
use crate::{fields, help};

/// Makes the part called `name`; `$ command` is what a command prints.
///
/// # Errors
/// Nothing is called that.
pub fn generate(name: &str, folder: &Folder) -> Result<String, String> {
    match name {
        "drop reasons" => Ok(drop_reasons()),
        "faults" => Ok(faults()),
        "lab commands" => Ok(format!("```text\n{}\n```\n", help::of_lab().trim_end())),
        "limits" => Ok(limits()),
        "scenarios" => scenarios(),
        "tools" => Ok(tools()),
        _ if name.starts_with("fields: ") => fields::of_source(name.trim_start_matches("fields: ")),
        _ => match name.split_once(": $ ") {
            Some((kind, command)) => Ok(format!("```{kind}\n{}\n```\n", folder.run(command)?.trim_end())),
            None => Err(format!(
                "no part is called `{name}`; drop reasons, faults, lab commands, limits, scenarios, tools, `fields: FILE` or `KIND: $ COMMAND`"
            )),
        },
    }
}

fn drop_reasons() -> String {
    let mut text = String::from("| reason | what happened |\n| --- | --- |\n");
    for reason in DropReason::ALL {
        let _ = writeln!(text, "| `{}` | {} |", reason.name(), reason.sentence());
    }
    text
}

/// The library of faults, a table for each family.
fn faults() -> String {
    let mut text = String::new();
    for (family, faults) in lab::fault::FAMILIES {
        let _ = writeln!(text, "### {family}\n\n| fault | what happens | stands for |\n| --- | --- | --- |");
        for fault in *faults {
            let _ = writeln!(text, "| `{}` | {} | {} |", fault.name, fault.cause, fault.about.join(", "));
        }
        text.push('\n');
    }
    format!("{}\n", text.trim_end())
}

/// The commands of a host by topic, as the prompt's `help` lists them.
fn tools() -> String {
    let registry = tools::registry();
    let mut installed: Vec<&str> = tools::shell::builtin_names().collect();
    installed.extend(registry.names());
    let all = help::all(&installed);
    let topics = all.split("How hoplab differs").next().unwrap_or_default();
    format!("```text\n{}\n```\n", topics.trim_end())
}

/// The catalogue's chapters by the letter of their rows.
const CHAPTERS: [(char, &str); 10] = [
    ('A', "Networks of virtual machines"),
    ('B', "What Linux networks are built of"),
    ('C', "Containers across hosts"),
    ('D', "CNI"),
    ('E', "Services"),
    ('F', "DNS"),
    ('G', "Ingress"),
    ('H', "Network policy"),
    ('I', "Troubleshooting"),
    ('J', "Around the edge"),
];

/// The lines of the summary for the scenarios that have a page, in the order of their rows.
fn scenarios() -> Result<String, String> {
    let mut found: Vec<((char, u32), String, String)> = Vec::new();
    for file in crate::support::scenarios() {
        let page = file.with_extension("md");
        if !Path::new("book/src").join(&page).exists() {
            continue;
        }
        let (scenario, _) = lab::Scenario::read(&file).map_err(|error| error.to_string())?;
        let without = if scenario.lab.is_some() { "I99" } else { "J99" };
        let row = scenario.rows.first().map_or(without, String::as_str);
        let letter = row.chars().next().unwrap_or('J');
        let number = row[letter.len_utf8()..].parse().unwrap_or(u32::MAX);
        found.push(((letter, number), page.display().to_string(), scenario.title));
    }
    found.sort();
    let mut text = String::new();
    for (letter, title) in CHAPTERS {
        let mut lines = found.iter().filter(|(row, ..)| row.0 == letter).peekable();
        if lines.peek().is_some() {
            let _ = writeln!(text, "\n# {title}\n");
        }
        for (_, page, title) in lines {
            let _ = writeln!(text, "- [{title}]({page})");
        }
    }
    Ok(text + "\n")
}

/// The rooms of the source whose limits are listed, and what each is to a reader.
const ROOMS: [(&str, &str); 8] = [
    ("packet", "Packets"),
    ("trace", "Traces"),
    ("netfilter", "Netfilter"),
    ("kernel", "The kernel"),
    ("world", "Hosts, cables and processes"),
    ("tools", "Commands"),
    ("lab", "Files"),
    ("cli", "The command line"),
];

/// Every `Simplified:` of the source, by room and file.
fn limits() -> String {
    let mut text = String::new();
    for (room, title) in ROOMS {
        let root = Path::new("sim").join(room);
        let mut marks: Vec<(String, String)> = Vec::new();
        for file in sources(&root) {
            let source = fs::read_to_string(&file).expect("source is text");
            let name = file.strip_prefix("sim").unwrap_or(&file).display().to_string();
            marks.extend(simplifications(&source).into_iter().map(|what| (name.clone(), what)));
        }
        if !marks.is_empty() {
            let _ = writeln!(text, "### {title}\n");
            for (file, what) in marks {
                let _ = writeln!(text, "- {what} <small>{file}</small>");
            }
            text.push('\n');
        }
    }
    text
}

/// The Rust files below a folder, sorted.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("the folder can be listed").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// What follows each `Simplified:` in the comments of a source, to the end of its paragraph, after
/// what the comment says first.
fn simplifications(source: &str) -> Vec<String> {
    let lines: Vec<&str> = source.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(text) = comment(line).filter(|text| text.contains("Simplified:")) else { continue };
        let is_whole = |line: &str| line.trim_start().starts_with("//");
        let mut paragraph = text;
        if is_whole(line) {
            let more =
                lines[at + 1..].iter().take_while(|line| is_whole(line)).filter_map(|line| comment(line));
            let ends = |more: &String| {
                more.is_empty() || more.starts_with(['#', '-']) || more.contains("Simplified:")
            };
            paragraph.extend(more.take_while(|more| !ends(more)).map(|more| format!(" {more}")));
        }
        let above: Vec<String> = lines[..at]
            .iter()
            .rev()
            .take_while(|line| is_whole(line))
            .filter_map(|line| comment(line))
            .collect();
        let above = above.into_iter().rev().filter(|_| is_whole(line)).collect::<Vec<_>>().join(" ");
        let Some((before, what)) = paragraph.split_once("Simplified:") else { continue };
        let above = format!("{above} {before}");
        let context = above.split("Simplified:").next().unwrap_or_default();
        let context = context.split(". ").map(|part| part.trim().trim_end_matches('.'));
        let context = context.filter(|part| !part.starts_with("Kernel:")).find(|part| part.len() > 1);
        let item = lines[at..].iter().find(|line| !is_whole(line) && !line.trim().starts_with("#["));
        let item = item.filter(|_| line.trim_start().starts_with("///")).and_then(|line| item_name(line));
        let what = what.trim();
        let what = if before.ends_with('`') { what.trim_end_matches('`') } else { what };
        found.push(match (context, item) {
            (Some(context), _) => format!("{}: *{what}*", sentence(context).trim_end_matches('.')),
            (None, Some(item)) => format!("`{item}`: *{what}*"),
            (None, None) => sentence(what),
        });
    }
    found
}

/// The name that a line of code declares.
fn item_name(line: &str) -> Option<&str> {
    let words = line.trim().split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let mut words =
        words.filter(|word| !["pub", "crate", "super", "fn", "const", "struct", "enum", ""].contains(word));
    words.next()
}

/// The text of a comment line, or of the comment behind code.
fn comment(line: &str) -> Option<String> {
    let start = line.find("//")?;
    Some(line[start..].trim_start_matches(['/', '!']).trim().to_owned())
}

/// With a capital letter and a period.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.starts_with(['`', '-']) || text.split(' ').next().is_some_and(|word| word.contains(['_', '.'])) {
        return text.to_owned();
    }
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.ends_with('.') { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

#[test]
fn marks_are_read_to_the_end_of_their_paragraph() {
    let source = "\
/// A queue. Simplified: it never ends, and
/// nobody waits.
///
/// More.
fn a() {} // Simplified: nothing happens
fn b() {}
";
    assert_eq!(simplifications(source), ["A queue: *it never ends, and nobody waits.*", "Nothing happens."]);
}
