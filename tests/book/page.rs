//! A page: its blocks and generated parts, run and compared.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::block::{Entry, entries, fits};
use crate::generated::generate;
use crate::prompt::Prompt;
use crate::real::{Folder, is_readers};

/// What is wrong with a page.
pub struct Problem {
    file: PathBuf,
    line: usize,
    text: String,
    /// The page can be written anew so that it is right.
    pub mendable: bool,
}

/// What became of a page.
pub struct Checked {
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// The page as it should read.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.text)
    }
}

struct Reader<'a> {
    file: &'a Path,
    /// The lines of the page as they should be.
    out: Vec<String>,
    problems: Vec<Problem>,
    /// What `hoplab sh` or `hoplab lab` opened.
    prompt: Option<Prompt>,
    folder: Folder,
}

/// Runs what a page shows.
pub fn check(file: &Path, text: &str) -> Checked {
    let mut reader =
        Reader { file, out: Vec::new(), problems: Vec::new(), prompt: None, folder: Folder::new(file) };
    let lines: Vec<&str> = text.lines().collect();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        reader.out.push((*line).to_owned());
        let body = line.trim_start();
        if let Some(kind) = body.strip_prefix("```") {
            let length = lines[at..].iter().take_while(|line| line.trim() != "```").count();
            let indent = &line[..line.len() - body.len()];
            reader.fence(kind, indent, &lines[at..at + length], at + 1);
            reader.out.extend(lines.get(at + length).map(ToString::to_string));
            at += length + 1;
        } else if let Some(words) = comment(body, "hoplab sh") {
            reader.open(words, at);
        } else if let Some(name) = comment(body, "generated:") {
            let length = lines[at..].iter().take_while(|line| line.trim() != "<!-- end -->").count();
            reader.part(name.trim(), &lines[at..at + length], at);
            at += length;
        }
    }
    Checked { problems: reader.problems, text: reader.out.join("\n") + "\n" }
}

/// What follows `start` in a comment of one line.
fn comment<'a>(line: &'a str, start: &str) -> Option<&'a str> {
    line.strip_prefix("<!-- ")?.strip_suffix(" -->")?.strip_prefix(start)
}

impl Reader<'_> {
    fn complain(&mut self, line: usize, text: impl Into<String>, mendable: bool) {
        self.problems.push(Problem { file: self.file.to_owned(), line, text: text.into(), mendable });
    }

    fn fence(&mut self, kind: &str, indent: &str, lines: &[&str], first: usize) {
        let lines: Vec<&str> = lines.iter().map(|line| line.strip_prefix(indent).unwrap_or(line)).collect();
        let shown = match kind {
            "console" => self.console(&lines, first),
            "ron" => self.ron(&lines, first),
            "text" | "mermaid" | "rust" => lines.iter().map(ToString::to_string).collect(),
            other => {
                let text = format!("a block of kind `{other}`; console, ron, rust, text or mermaid");
                self.complain(first - 1, text, false);
                lines.iter().map(ToString::to_string).collect()
            }
        };
        let indented = |line: String| if line.is_empty() { line } else { format!("{indent}{line}") };
        self.out.extend(shown.into_iter().map(indented));
    }

    /// Runs a console block; answers its lines as they should be.
    fn console(&mut self, lines: &[&str], first: usize) -> Vec<String> {
        let entries = match entries(lines, first) {
            Ok(entries) => entries,
            Err((line, text)) => {
                self.complain(line, text, false);
                return lines.iter().map(ToString::to_string).collect();
            }
        };
        let mut shown = Vec::new();
        for (number, entry) in entries.iter().enumerate() {
            let end = entries.get(number + 1).map_or(first + lines.len(), |next| next.line);
            let typed = end - entry.line - entry.expected.len();
            shown.extend(lines[entry.line - first..][..typed].iter().map(ToString::to_string));
            match self.run(entry) {
                Ok(Some(output)) => {
                    let actual: Vec<&str> = output.lines().map(str::trim_end).collect();
                    if fits(&entry.expected, &actual) {
                        shown.extend(entry.expected.iter().cloned());
                    } else {
                        let text = format!("`{}` prints\n{}", entry.command, difference(entry, &actual));
                        self.complain(entry.line, text, true);
                        shown.extend(actual.iter().map(ToString::to_string));
                    }
                }
                Ok(None) => shown.extend(entry.expected.iter().cloned()),
                Err(why) => {
                    self.complain(entry.line, format!("`{}`: {why}", entry.command), false);
                    shown.extend(entry.expected.iter().cloned());
                }
            }
        }
        shown
    }

    /// Runs one command; `None` if nothing is to be compared.
    fn run(&mut self, entry: &Entry) -> Result<Option<String>, String> {
        if entry.place != "$" {
            let interrupted = entry.expected.iter().any(|line| line == "^C");
            let prompt = match &mut self.prompt {
                Some(prompt) => prompt,
                none => none.insert(Prompt::open(&[])?),
            };
            return prompt.type_command(&entry.place, &entry.command, interrupted).map(Some);
        }
        let command = entry.command.replacen("cargo run --release -- ", "hoplab ", 1);
        let words: Vec<&str> = command.split_whitespace().collect();
        let opens = words.starts_with(&["hoplab", "sh"])
            && words[2..].chunks(2).all(|pair| pair.len() == 2 && pair[0].starts_with("--"));
        if opens {
            self.prompt = Some(Prompt::open(&words[2..])?);
            return Ok(None);
        }
        if let ["hoplab", "lab", name] = *words.as_slice() {
            self.prompt = Some(Prompt::open_lab(name)?);
            return Ok(None);
        }
        if is_readers(&entry.command) {
            return if entry.expected.is_empty() {
                Ok(None)
            } else {
                Err("is not run by the test".to_owned())
            };
        }
        self.folder.run(&entry.command).map(Some)
    }

    fn open(&mut self, words: &str, line: usize) {
        let words: Vec<&str> = words.split_whitespace().collect();
        match Prompt::open(&words) {
            Ok(prompt) => self.prompt = Some(prompt),
            Err(why) => self.complain(line, why, false),
        }
    }

    /// A block that is a whole file must be a right one.
    fn ron(&mut self, lines: &[&str], first: usize) -> Vec<String> {
        let text = lines.join("\n");
        let start =
            lines.iter().find(|line| !line.trim_start().starts_with("//")).copied().unwrap_or_default();
        let file = std::env::temp_dir().join(format!("hoplab-block-{}.ron", std::process::id()));
        let read = |read: &dyn Fn(&Path) -> Result<(), lab::FileError>| {
            fs::write(&file, &text).expect("a temporary file");
            let answer = read(&file).map_err(|error| error.to_string());
            let _ = fs::remove_file(&file);
            answer
        };
        let answer = if start.starts_with("Scenario(") {
            read(&|file| lab::Scenario::read(file).map(|_| ()))
        } else if start.starts_with("Topology(") {
            read(&|file| lab::Topology::read(file).map(|_| ()))
        } else {
            Ok(())
        };
        if let Err(why) = answer {
            self.complain(first, why, false);
        }
        lines.iter().map(ToString::to_string).collect()
    }

    fn part(&mut self, name: &str, lines: &[&str], line: usize) {
        match generate(name, &self.folder) {
            Ok(text) => {
                let made: Vec<&str> = text.lines().collect();
                if made != lines {
                    self.complain(line, format!("`{name}` is not fresh"), true);
                }
                self.out.extend(made.iter().map(ToString::to_string));
            }
            Err(why) => {
                self.complain(line, why, false);
                self.out.extend(lines.iter().map(ToString::to_string));
            }
        }
    }
}

/// The lines that are printed, each that the page lacks marked.
fn difference(entry: &Entry, actual: &[&str]) -> String {
    let mark = |line: &&str| if entry.expected.iter().any(|known| known == line) { ' ' } else { '+' };
    let lost = entry.expected.iter().filter(|line| !actual.contains(&line.as_str()));
    let printed = actual.iter().map(|line| format!("  {} {line}", mark(line)));
    printed.chain(lost.map(|line| format!("  - {line}"))).collect::<Vec<_>>().join("\n")
}
