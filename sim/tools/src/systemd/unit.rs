use std::collections::BTreeMap;

use world::Sys;

use super::FOLDERS;
use crate::net::read_file;

/// What a unit file says of a service. systemd: `systemd.service(5)`.
///
/// Simplified: dependencies and `Restart=` have no effect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unit {
    /// Its name without `.service`.
    pub name: String,
    /// The file.
    pub path: String,
    /// `Description=`.
    pub description: String,
    /// `ExecStart=`: the program by the name that hosts know it by, and its arguments.
    pub command: Vec<String>,
    /// `Environment=`.
    pub environment: BTreeMap<String, String>,
    /// Whether it says by itself when it is ready.
    pub notifies: bool,
}

/// Docker's unit, which every host has.
const DOCKER: &str = "[Unit]\nDescription=Docker Application Container Engine\n[Service]\nType=notify\n\
                      ExecStart=/usr/bin/dockerd -H fd://\n";

impl Unit {
    /// The service of that name, with or without `.service`.
    ///
    /// # Errors
    /// None if there is no unit; else what is wrong with its file.
    pub fn load(sys: &mut dyn Sys, name: &str) -> Result<Option<Self>, String> {
        let name = name.strip_suffix(".service").unwrap_or(name);
        for folder in FOLDERS {
            let path = format!("{folder}/{name}.service");
            if let Some(text) = read_file(sys, &path) {
                return Self::parse(name, &path, &text).map(Some);
            }
        }
        let path = format!("{}/{name}.service", FOLDERS[1]);
        if name == "docker" { Self::parse(name, &path, DOCKER).map(Some) } else { Ok(None) }
    }

    fn parse(name: &str, path: &str, text: &str) -> Result<Self, String> {
        let mut unit = Self { name: name.to_owned(), path: path.to_owned(), ..Self::default() };
        let joined = text.replace("\\\n", " ");
        for line in joined.lines().map(str::trim) {
            let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with(['#', ';'])) else {
                continue;
            };
            match (key.trim(), value.trim()) {
                ("Description", value) => unit.description = value.to_owned(),
                ("Type", value) => unit.notifies = value == "notify",
                ("Environment", value) => {
                    for pair in words(value) {
                        let (name, value) = pair.split_once('=').unwrap_or((&pair, ""));
                        unit.environment.insert(name.to_owned(), value.to_owned());
                    }
                }
                ("ExecStart", value) => unit.command = words(value.trim_start_matches(['-', '@', '+', '!'])),
                _ => {}
            }
        }
        let expand = |word: String| match word.strip_prefix('$') {
            // `$NAME` as a word of its own becomes words; none if it isn't set.
            Some(name) => {
                words(unit.environment.get(name.trim_matches(['{', '}'])).map_or("", String::as_str))
            }
            None => vec![word],
        };
        unit.command = std::mem::take(&mut unit.command).into_iter().flat_map(expand).collect();
        let Some(program) = unit.command.first_mut() else {
            return Err("Unit has no ExecStart= setting. Refusing.".to_owned());
        };
        *program = program.rsplit('/').next().unwrap_or(program).to_owned();
        Ok(unit)
    }
}

/// The words of a setting: blanks part them, quotes hold them together.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_file_gives_the_command_with_its_variables() {
        let text = "# x\n[Unit]\nDescription=kubelet: the node agent\n[Service]\nEnvironment=\"ARGS=--a=1 --b\" C=2\n\
                    ExecStart=/usr/bin/kubelet $ARGS \\\n  '--c d' $NONE\n";
        let unit = Unit::parse("kubelet", "/x", text).expect("it is complete");
        assert_eq!(unit.command, ["kubelet", "--a=1", "--b", "--c d"]);
        assert_eq!((unit.description.as_str(), unit.notifies), ("kubelet: the node agent", false));
        assert!(Unit::parse("x", "/x", "[Service]\n").is_err());
    }
}
