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
    /// The files of `NAME.service.d` that change it, in order.
    pub drop_ins: Vec<String>,
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
        let path_in = |folder: &str| format!("{folder}/{name}.service");
        let found = FOLDERS.iter().copied().map(path_in).find_map(|path| {
            let text = read_file(sys, &path)?;
            Some((path, text))
        });
        let docker = || (name == "docker").then(|| (path_in(FOLDERS[1]), DOCKER.to_owned()));
        let Some((path, text)) = found.or_else(docker) else { return Ok(None) };
        let mut unit = Self { name: name.to_owned(), path, ..Self::default() };
        unit.read(&text, &mut |path| read_file(sys, path));
        for path in drop_ins(sys, name) {
            let text = read_file(sys, &path).unwrap_or_default();
            unit.read(&text, &mut |path| read_file(sys, path));
            unit.drop_ins.push(path);
        }
        unit.expand()?;
        Ok(Some(unit))
    }

    /// Takes the settings of a file: a later one replaces an earlier one, or adds to a list.
    fn read(&mut self, text: &str, file: &mut dyn FnMut(&str) -> Option<String>) {
        let joined = text.replace("\\\n", " ");
        for line in joined.lines().map(str::trim) {
            let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with(['#', ';'])) else {
                continue;
            };
            match (key.trim(), value.trim()) {
                ("Description", value) => self.description = value.to_owned(),
                ("Type", value) => self.notifies = value == "notify",
                ("Environment", value) => words(value).iter().for_each(|pair| self.set(pair)),
                ("EnvironmentFile", path) => {
                    let text = file(path.trim_start_matches('-')).unwrap_or_default();
                    let assigned = |line: &&str| line.contains('=') && !line.starts_with(['#', ';']);
                    for line in text.lines().map(str::trim).filter(assigned) {
                        let (name, value) = line.split_once('=').unwrap_or((line, ""));
                        self.set(&format!("{name}={}", words(value).join(" ")));
                    }
                }
                ("ExecStart", value) => self.command = words(value.trim_start_matches(['-', '@', '+', '!'])),
                _ => {}
            }
        }
    }

    fn set(&mut self, pair: &str) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// Puts the variables into the command: `$NAME` as a word of its own becomes words, none if it
    /// isn't set.
    fn expand(&mut self) -> Result<(), String> {
        let environment = &self.environment;
        let expand = |word: String| match word.strip_prefix('$') {
            Some(name) => words(environment.get(name.trim_matches(['{', '}'])).map_or("", String::as_str)),
            None => vec![word],
        };
        self.command = std::mem::take(&mut self.command).into_iter().flat_map(expand).collect();
        let Some(program) = self.command.first_mut() else {
            return Err("Unit has no ExecStart= setting. Refusing.".to_owned());
        };
        *program = program.rsplit('/').next().unwrap_or(program).to_owned();
        Ok(())
    }
}

/// The files that change a unit, by name; of two with one name the first folder's counts.
fn drop_ins(sys: &dyn Sys, name: &str) -> Vec<String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for folder in FOLDERS {
        let folder = format!("{folder}/{name}.service.d");
        for entry in sys.read_dir(&folder).unwrap_or_default() {
            if entry.name.ends_with(".conf") {
                found.entry(entry.name.clone()).or_insert_with(|| format!("{folder}/{}", entry.name));
            }
        }
    }
    found.into_values().collect()
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
    fn a_unit_file_and_what_changes_it_give_the_command_with_its_variables() {
        let unit_file = "# x\n[Unit]\nDescription=kubelet: the node agent\n[Service]\n\
                         Environment=\"ARGS=--a=1 --b\" C=2\nExecStart=/usr/bin/kubelet $ARGS \\\n  '--c d' $NONE\n";
        let drop_in = "[Service]\nEnvironmentFile=-/etc/default/kubelet\nEnvironmentFile=-/none\nExecStart=\n\
                       ExecStart=/usr/bin/kubelet $ARGS $EXTRA\n";
        let mut disk = |path: &str| {
            (path == "/etc/default/kubelet").then(|| "# EXTRA=no\nEXTRA=\"--x --y\"\n".to_owned())
        };
        let mut command = |files: &[&str]| {
            let mut unit = Unit::default();
            files.iter().for_each(|text| unit.read(text, &mut disk));
            unit.expand().map(|()| (unit.command, unit.description))
        };
        let (words, description) = command(&[unit_file]).expect("it is complete");
        assert_eq!(words, ["kubelet", "--a=1", "--b", "--c d"]);
        assert_eq!(description, "kubelet: the node agent");
        let (words, _) = command(&[unit_file, drop_in]).expect("it is complete");
        assert_eq!(words, ["kubelet", "--a=1", "--b", "--x", "--y"]);
        assert!(command(&["[Service]\n"]).is_err());
    }
}
