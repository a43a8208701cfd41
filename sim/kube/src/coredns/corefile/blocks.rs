//! Server blocks: their keys, and the tokens of each directive. Caddy: `caddyfile/parse.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::Errno;

use super::dispenser::Dispenser;
use super::error::Error;
use super::lexer::{Token, words};
use super::outside::Outside;

/// So many imports are followed.
const MAX_IMPORTS: u32 = 10_000;

/// A server block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    /// Its keys, as they are written.
    pub keys: Vec<String>,
    /// The tokens of each directive, beginning with its name; those of several with one name are
    /// joined.
    pub directives: BTreeMap<String, Vec<Token>>,
}

/// Reads all server blocks; answers also what it warns of. `known` says which directives there
/// are, if that matters.
pub(super) fn blocks(
    file: &str,
    text: &str,
    outside: &mut dyn Outside,
    known: Option<&dyn Fn(&str) -> bool>,
) -> Result<(Vec<Block>, Vec<String>), Error> {
    let mut parser = Parser {
        at: Dispenser::new(file, words(text, None)),
        outside,
        known,
        snippets: BTreeMap::new(),
        imports: 0,
        warnings: Vec::new(),
    };
    let mut blocks = Vec::new();
    while parser.at.next() {
        blocks.extend(parser.block()?);
    }
    Ok((blocks, parser.warnings))
}

struct Parser<'a> {
    at: Dispenser<'a>,
    outside: &'a mut dyn Outside,
    known: Option<&'a dyn Fn(&str) -> bool>,
    snippets: BTreeMap<String, Vec<Token>>,
    imports: u32,
    warnings: Vec<String>,
}

impl Parser<'_> {
    /// A server block; none if it was a snippet.
    fn block(&mut self) -> Result<Option<Block>, Error> {
        let mut block = Block::default();
        let is_end = self.keys(&mut block)?;
        if is_end {
            return Ok(Some(block).filter(|block| !block.keys.is_empty()));
        }
        if let [key] = &block.keys[..]
            && let Some(name) = key.strip_prefix('(').and_then(|key| key.strip_suffix(')'))
        {
            let name = name.to_owned();
            if self.snippets.contains_key(&name) {
                let text = format!("redeclaration of previously declared snippet {name}");
                return Err(self.at.error(text));
            }
            let tokens = self.snippet()?;
            self.snippets.insert(name, tokens);
            return Ok(None);
        }
        let has_braces = self.at.text() == "{";
        if !has_braces {
            self.at.taken -= 1;
        }
        self.directives(&mut block)?;
        if has_braces && self.at.text() != "}" {
            return Err(self.at.syntax_error("}"));
        }
        Ok(Some(block).filter(|block| !block.keys.is_empty()))
    }

    /// Reads keys; answers whether the file ends after them.
    fn keys(&mut self, block: &mut Block) -> Result<bool, Error> {
        let mut expects_another = false;
        loop {
            let word = self.variables(self.at.text());
            if word == "import" && self.at.is_new_line() {
                self.import()?;
                if !self.at.next() {
                    return Ok(true);
                }
                continue;
            }
            if word == "{" {
                if expects_another {
                    let text = format!("Expected another address but had '{word}' - check for extra comma");
                    return Err(self.at.error(text));
                }
                return Ok(false);
            }
            if !word.is_empty() {
                let key = word.strip_suffix(',');
                expects_another = key.is_some();
                block.keys.push(key.unwrap_or(&word).to_owned());
            }
            let has_more = self.at.next();
            if !has_more && expects_another {
                return Err(self.at.error("Unexpected EOF"));
            }
            if !has_more {
                return Ok(true);
            }
            if !expects_another && self.at.is_new_line() {
                return Ok(false);
            }
        }
    }

    /// The tokens between a snippet's braces.
    fn snippet(&mut self) -> Result<Vec<Token>, Error> {
        if self.at.text() != "{" {
            return Err(self.at.syntax_error("{"));
        }
        let mut depth = 1;
        let mut tokens = Vec::new();
        while self.at.next() {
            match self.at.text() {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(tokens);
            }
            tokens.extend(self.at.tokens.get(self.at.taken - 1).cloned());
        }
        Err(self.at.syntax_error("}"))
    }

    fn directives(&mut self, block: &mut Block) -> Result<(), Error> {
        while self.at.next() {
            match self.at.text() {
                "}" => break,
                "import" => self.import()?,
                _ => self.directive(block)?,
            }
        }
        Ok(())
    }

    /// A directive up to the end of its line, or of its block.
    fn directive(&mut self, block: &mut Block) -> Result<(), Error> {
        let name = self.variables(self.at.text());
        if self.known.is_some_and(|known| !known(&name)) {
            return Err(self.at.error(format_args!("Unknown directive '{name}'")));
        }
        let mut tokens: Vec<Token> = self.at.tokens.get(self.at.taken - 1).cloned().into_iter().collect();
        let mut nesting = 0;
        while self.at.next() {
            match self.at.text() {
                "{" => nesting += 1,
                _ if nesting == 0 && self.at.is_new_line() => {
                    self.at.taken -= 1;
                    break;
                }
                "}" if nesting > 0 => nesting -= 1,
                "}" => return Err(self.at.error("Unexpected '}' because no matching opening brace")),
                "import" if self.at.is_new_line() => {
                    self.import()?;
                    continue;
                }
                _ => {}
            }
            let at = self.at.taken - 1;
            let text = self.variables(self.at.text());
            if let Some(token) = self.at.tokens.get_mut(at) {
                token.text = text;
                tokens.push(token.clone());
            }
        }
        if nesting > 0 {
            return Err(self.at.error("Unexpected EOF"));
        }
        block.directives.entry(name).or_default().extend(tokens);
        Ok(())
    }

    /// Puts what `import WHAT` names in its place, and stands before it.
    fn import(&mut self) -> Result<(), Error> {
        let word = self.at.arg()?;
        let what = self.variables(&word);
        if what.is_empty() {
            return Err(self.at.error("Import requires a non-empty filepath"));
        }
        if self.at.next_arg() {
            return Err(self.at.error("Import takes only one argument (glob pattern or file)"));
        }
        self.imports += 1;
        if self.imports > MAX_IMPORTS {
            return Err(self.at.error(format_args!("maximum snippet import depth ({MAX_IMPORTS}) exceeded")));
        }
        let tokens = match self.snippets.get(&what) {
            Some(tokens) => tokens.clone(),
            None => self.import_files(&what)?,
        };
        let start = self.at.taken - 2;
        self.at.tokens.splice(start..self.at.taken, tokens);
        self.at.taken = start;
        Ok(())
    }

    fn import_files(&mut self, what: &str) -> Result<Vec<Token>, Error> {
        let token = self.at.tokens.get(self.at.taken - 1);
        let from = token.and_then(|token| token.file.as_deref()).unwrap_or(self.at.file);
        let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
        let path = if what.starts_with('/') { what.to_owned() } else { format!("{folder}/{what}") };
        if path.matches('*').count() > 1
            || path.matches('?').count() > 1
            || (path.contains('[') && path.contains(']'))
        {
            let text = format!("Glob pattern may only contain one wildcard (*), but has others: {path}");
            return Err(self.at.error(text));
        }
        let is_pattern = path.contains(['*', '?']);
        let (folder, pattern) = path.rsplit_once('/').unwrap_or((".", &path));
        if folder.contains(['*', '?']) {
            return Err(self.at.not_simulated(format!("import {what} (a pattern for a directory)")));
        }
        let files: Vec<String> = if is_pattern {
            let names = self.outside.list(folder).into_iter().filter(|name| fits(pattern, name));
            names.map(|name| format!("{folder}/{name}")).collect()
        } else {
            vec![path.clone()]
        };
        if files.is_empty() {
            self.warnings.push(format!("[WARNING] No files matching import glob pattern: {what}"));
        }
        let mut tokens = Vec::new();
        for file in files {
            let text = self.outside.read(&file).map_err(|errno| match errno {
                Errno::IsDir => self.at.error(format_args!("Could not import {file}: is a directory")),
                Errno::NoEnt => self.at.error(format_args!("File to import not found: {what}")),
                other => self.at.error(format_args!("Could not import {file}: open {file}: {other}")),
            })?;
            tokens.extend(words(&text, Some(&Arc::from(file))));
        }
        Ok(tokens)
    }

    /// A word with `{%NAME%}` and `{$NAME}` replaced by variables of the environment.
    fn variables(&self, word: &str) -> String {
        let word = self.replace(word.to_owned(), "{%", "%}");
        self.replace(word, "{$", "}")
    }

    fn replace(&self, mut word: String, open: &str, close: &str) -> String {
        // A value may hold another reference; one that holds itself must end.
        for _ in 0..100 {
            let Some(start) = word.find(open) else { break };
            let Some(length) = word[start..].find(close) else { break };
            if length <= open.len() {
                break;
            }
            let name = &word[start + open.len()..start + length];
            let value = self.outside.variable(name).unwrap_or_default();
            word = word.replace(&format!("{open}{name}{close}"), &value);
        }
        word
    }
}

/// Whether a name fits a pattern with at most one `*` and one `?`.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.chars().next() {
        None => name.is_empty(),
        Some('*') => name
            .char_indices()
            .map(|(at, _)| at)
            .chain([name.len()])
            .any(|at| fits(&pattern[1..], &name[at..])),
        Some(first) => name.chars().next().is_some_and(|c| {
            (first == '?' || first == c) && fits(&pattern[first.len_utf8()..], &name[c.len_utf8()..])
        }),
    }
}
