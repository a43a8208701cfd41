//! `ls`, `ln`, `mkdir`, `rm`, `rmdir`, `cp`, `mv`, `touch`, `readlink`, `basename`, `dirname`.

use kernel::Errno;
use world::{Fd, FileKind, OpenMode, ReadResult, Registry, Sys};

use crate::getopt::{Opt, getopt};
use crate::shell::state::write_all;

/// A command's name, options and operands.
struct Call<'a> {
    sys: &'a mut dyn Sys,
    name: &'static str,
    options: Vec<Opt>,
    words: Vec<String>,
    status: i32,
}

impl<'a> Call<'a> {
    /// Takes the arguments apart; wrong usage is told and answers its status.
    fn new(
        sys: &'a mut dyn Sys,
        name: &'static str,
        args: &[String],
        spec: &str,
        bad: i32,
    ) -> Result<Self, i32> {
        let long = [("parents", 'p'), ("force", 'f'), ("recursive", 'r'), ("symbolic", 's'), ("all", 'a')];
        let long: Vec<_> = long.into_iter().filter(|(_, letter)| spec.contains(*letter)).collect();
        match getopt(args.get(1..).unwrap_or_default(), spec, &long) {
            Ok((options, words)) => Ok(Self { sys, name, options, words, status: 0 }),
            Err(error) => {
                let text = format!("{name}: {error}\nTry '{name} --help' for more information.\n");
                let _ = write_all(sys, Fd::STDERR, text.as_bytes());
                Err(bad)
            }
        }
    }

    fn has(&self, letters: &str) -> bool {
        self.options.iter().any(|(o, _)| letters.contains(*o))
    }

    fn complain(&mut self, message: &str) {
        let text = format!("{}: {message}\n", self.name);
        let _ = write_all(self.sys, Fd::STDERR, text.as_bytes());
        self.status = 1;
    }

    /// Wrong usage.
    fn usage(&mut self, message: &str) -> i32 {
        let name = self.name;
        self.complain(&format!("{message}\nTry '{name} --help' for more information."));
        1
    }

    fn say(&mut self, line: &str) {
        let _ = write_all(self.sys, Fd::STDOUT, format!("{line}\n").as_bytes());
    }

    fn is_dir(&self, path: &str) -> bool {
        self.sys.stat(path).is_ok_and(|s| s.kind == FileKind::Dir)
    }

    fn is_link(&self, path: &str) -> bool {
        self.sys.readlink(path).is_ok()
    }

    fn exists(&self, path: &str) -> bool {
        self.is_link(path) || self.sys.stat(path).is_ok()
    }
}

fn base(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() && !path.is_empty() {
        return "/";
    }
    trimmed.rsplit('/').next().unwrap_or(trimmed)
}

fn join(dir: &str, name: &str) -> String {
    format!("{}/{name}", dir.trim_end_matches('/'))
}

fn permissions(kind: FileKind, mode: u16) -> String {
    let kind = match kind {
        FileKind::File => '-',
        FileKind::Dir => 'd',
        FileKind::Symlink => 'l',
        FileKind::CharDevice => 'c',
    };
    let bits = "rwxrwxrwx".chars().enumerate().map(|(i, c)| if mode & (0o400 >> i) != 0 { c } else { '-' });
    std::iter::once(kind).chain(bits).collect()
}

/// `ls [-1alAd]`. Simplified: one name a line even on a terminal; `-l` has no dates.
fn ls(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let mut call = match Call::new(sys, "ls", args, "1alAdrtShFC", 2) {
        Ok(call) => call,
        Err(status) => return status,
    };
    let words = if call.words.is_empty() { vec![".".to_owned()] } else { std::mem::take(&mut call.words) };
    let (mut files, mut dirs) = (Vec::new(), Vec::new());
    for word in &words {
        match call.sys.stat(word) {
            Err(_) if call.is_link(word) => files.push(word.clone()),
            Err(errno) => {
                call.complain(&format!("cannot access '{word}': {errno}"));
                call.status = 2;
            }
            Ok(stat) if stat.kind == FileKind::Dir && !call.has("d") => dirs.push(word.clone()),
            Ok(_) => files.push(word.clone()),
        }
    }
    files.sort();
    dirs.sort();
    let mut blocks = Vec::new();
    let mut block = String::new();
    for file in &files {
        block += &entry(&call, "", file);
    }
    if !files.is_empty() {
        blocks.push(block);
    }
    for dir in &dirs {
        let mut block = if words.len() > 1 { format!("{dir}:\n") } else { String::new() };
        let mut names: Vec<String> =
            call.sys.read_dir(dir).unwrap_or_default().into_iter().map(|e| e.name).collect();
        if call.has("a") {
            names.extend([".".to_owned(), "..".to_owned()]);
        }
        names.retain(|name| call.has("aA") || !name.starts_with('.'));
        names.sort();
        if call.has("r") {
            names.reverse();
        }
        if call.has("l") {
            block += "total 0\n";
        }
        for name in names {
            block += &entry(&call, dir, &name);
        }
        blocks.push(block);
    }
    let _ = write_all(call.sys, Fd::STDOUT, blocks.join("\n").as_bytes());
    call.status
}

fn entry(call: &Call<'_>, dir: &str, name: &str) -> String {
    if !call.has("l") {
        return format!("{name}\n");
    }
    let path = if dir.is_empty() { name.to_owned() } else { join(dir, name) };
    if let Ok(target) = call.sys.readlink(&path) {
        return format!("lrwxrwxrwx 1 root root {} {name} -> {target}\n", target.len());
    }
    match call.sys.stat(&path) {
        Ok(stat) => format!("{} 1 root root {} {name}\n", permissions(stat.kind, stat.mode), stat.size),
        Err(_) => format!("?????????? ? ? ? {name}\n"),
    }
}

fn mkdir(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let mut call = match Call::new(sys, "mkdir", args, "pm:v", 1) {
        Ok(call) => call,
        Err(status) => return status,
    };
    if call.words.is_empty() {
        return call.usage("missing operand");
    }
    for word in std::mem::take(&mut call.words) {
        let mut path = String::new();
        let parents = call.has("p");
        if parents {
            for part in word.trim_end_matches('/').split('/') {
                path += part;
                if !path.is_empty()
                    && !call.is_dir(&path)
                    && let Err(errno) = call.sys.mkdir(&path)
                {
                    call.complain(&format!("cannot create directory '{path}': {errno}"));
                    break;
                }
                path.push('/');
            }
        } else if let Err(errno) = call.sys.mkdir(&word) {
            call.complain(&format!("cannot create directory '{word}': {errno}"));
        }
    }
    call.status
}

fn rmdir(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let mut call = match Call::new(sys, "rmdir", args, "p", 1) {
        Ok(call) => call,
        Err(status) => return status,
    };
    if call.words.is_empty() {
        return call.usage("missing operand");
    }
    for word in std::mem::take(&mut call.words) {
        let result = match call.sys.stat(&word) {
            Ok(stat) if stat.kind != FileKind::Dir => Err(Errno::NotDir),
            Ok(_) => call.sys.unlink(&word),
            Err(errno) => Err(errno),
        };
        if let Err(errno) = result {
            call.complain(&format!("failed to remove '{word}': {errno}"));
        }
    }
    call.status
}

fn rm(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let mut call = match Call::new(sys, "rm", args, "frRvd", 1) {
        Ok(call) => call,
        Err(status) => return status,
    };
    if call.words.is_empty() {
        return if call.has("f") { 0 } else { call.usage("missing operand") };
    }
    for word in std::mem::take(&mut call.words) {
        if !call.exists(&word) {
            if !call.has("f") {
                call.complain(&format!("cannot remove '{word}': {}", Errno::NoEnt));
            }
            continue;
        }
        if call.is_dir(&word) && !call.is_link(&word) && !call.has("rR") {
            call.complain(&format!("cannot remove '{word}': {}", Errno::IsDir));
            continue;
        }
        remove(&mut call, word);
    }
    call.status
}

/// Removes a tree, children before their directory.
fn remove(call: &mut Call<'_>, path: String) {
    let mut todo = vec![(path, false)];
    while let Some((path, emptied)) = todo.pop() {
        if !emptied && call.is_dir(&path) && !call.is_link(&path) {
            let children = call.sys.read_dir(&path).unwrap_or_default();
            todo.push((path.clone(), true));
            todo.extend(children.into_iter().map(|child| (join(&path, &child.name), false)));
            continue;
        }
        if let Err(errno) = call.sys.unlink(&path) {
            call.complain(&format!("cannot remove '{path}': {errno}"));
        }
    }
}

fn touch(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let mut call = match Call::new(sys, "touch", args, "acm", 1) {
        Ok(call) => call,
        Err(status) => return status,
    };
    if call.words.is_empty() {
        return call.usage("missing file operand");
    }
    for word in std::mem::take(&mut call.words) {
        if call.has("c") || call.is_dir(&word) {
            continue;
        }
        match call.sys.open(&word, OpenMode::Append) {
            Ok(fd) => call.sys.close(fd),
            Err(errno) => call.complain(&format!("cannot touch '{word}': {errno}")),
        }
    }
    call.status
}

fn bytes(sys: &mut dyn Sys, path: &str) -> Result<Vec<u8>, Errno> {
    let fd = sys.open(path, OpenMode::Read)?;
    let mut all = Vec::new();
    let result = loop {
        match sys.read(fd, 65536) {
            Ok(ReadResult::Data(data)) => all.extend(data),
            Ok(ReadResult::Eof | ReadResult::WouldBlock) => break Ok(all),
            Err(errno) => break Err(errno),
        }
    };
    sys.close(fd);
    result
}

fn store(sys: &mut dyn Sys, path: &str, data: &[u8]) -> Result<(), Errno> {
    let fd = sys.open(path, OpenMode::Write)?;
    let result = if data.is_empty() { Ok(0) } else { sys.write(fd, data) };
    sys.close(fd);
    result.map(|_| ())
}

/// Copies a tree.
fn copy(call: &mut Call<'_>, from: String, to: String) {
    let mut todo = vec![(from, to)];
    while let Some((from, to)) = todo.pop() {
        if call.is_dir(&from) {
            if !call.is_dir(&to)
                && let Err(errno) = call.sys.mkdir(&to)
            {
                call.complain(&format!("cannot create directory '{to}': {errno}"));
                continue;
            }
            let children = call.sys.read_dir(&from).unwrap_or_default();
            todo.extend(children.into_iter().map(|child| (join(&from, &child.name), join(&to, &child.name))));
            continue;
        }
        match bytes(call.sys, &from) {
            Err(errno) => call.complain(&format!("cannot stat '{from}': {errno}")),
            Ok(data) => {
                if let Err(errno) = store(call.sys, &to, &data) {
                    call.complain(&format!("cannot create regular file '{to}': {errno}"));
                }
            }
        }
    }
}

/// Source and destination pairs of `cp`, `mv`, `ln`.
fn pairs(call: &mut Call<'_>) -> Result<Vec<(String, String)>, i32> {
    let mut words = std::mem::take(&mut call.words);
    let Some(last) = words.pop() else { return Err(call.usage("missing file operand")) };
    if words.is_empty() {
        return Err(call.usage(&format!("missing destination file operand after '{last}'")));
    }
    if call.is_dir(&last) && !call.has("T") {
        return Ok(words.into_iter().map(|word| (word.clone(), join(&last, base(&word)))).collect());
    }
    match words.as_slice() {
        [only] => Ok(vec![(only.clone(), last)]),
        _ => {
            call.complain(&format!("target '{last}' is not a directory"));
            Err(1)
        }
    }
}

fn cp(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let mut call = match Call::new(sys, "cp", args, "rRafpT", 1) {
        Ok(call) => call,
        Err(status) => return status,
    };
    let pairs = match pairs(&mut call) {
        Ok(pairs) => pairs,
        Err(status) => return status,
    };
    for (from, to) in pairs {
        if call.sys.stat(&from).is_err() {
            call.complain(&format!("cannot stat '{from}': {}", Errno::NoEnt));
        } else if call.is_dir(&from) && !call.has("rRa") {
            call.complain(&format!("-r not specified; omitting directory '{from}'"));
        } else if from == to {
            call.complain(&format!("'{from}' and '{to}' are the same file"));
        } else {
            copy(&mut call, from, to);
        }
    }
    call.status
}

fn mv(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let mut call = match Call::new(sys, "mv", args, "fT", 1) {
        Ok(call) => call,
        Err(status) => return status,
    };
    let pairs = match pairs(&mut call) {
        Ok(pairs) => pairs,
        Err(status) => return status,
    };
    for (from, to) in pairs {
        if !call.exists(&from) {
            call.complain(&format!("cannot stat '{from}': {}", Errno::NoEnt));
            continue;
        }
        if from == to {
            call.complain(&format!("'{from}' and '{to}' are the same file"));
            continue;
        }
        let before = call.status;
        call.status = 0;
        match call.sys.readlink(&from) {
            Ok(target) => {
                let _ = call.sys.unlink(&to);
                if let Err(errno) = call.sys.symlink(&target, &to) {
                    call.complain(&format!("cannot move '{from}' to '{to}': {errno}"));
                }
            }
            Err(_) => copy(&mut call, from.clone(), to),
        }
        if call.status == 0 {
            remove(&mut call, from);
        }
        call.status = call.status.max(before);
    }
    call.status
}

/// Simplified: symbolic links only.
fn ln(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let mut call = match Call::new(sys, "ln", args, "sfnTr", 1) {
        Ok(call) => call,
        Err(status) => return status,
    };
    if !call.has("s") {
        call.complain("hard links are not simulated; use -s");
        return 1;
    }
    if let [only] = call.words.as_slice() {
        let name = base(only).to_owned();
        call.words.push(name);
    }
    let pairs = match pairs(&mut call) {
        Ok(pairs) => pairs,
        Err(status) => return status,
    };
    for (target, path) in pairs {
        if call.has("f") {
            let _ = call.sys.unlink(&path);
        }
        if let Err(errno) = call.sys.symlink(&target, &path) {
            call.complain(&format!("failed to create symbolic link '{path}': {errno}"));
        }
    }
    call.status
}

fn readlink(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let mut call = match Call::new(sys, "readlink", args, "fenm", 1) {
        Ok(call) => call,
        Err(status) => return status,
    };
    if call.words.is_empty() {
        return call.usage("missing operand");
    }
    for word in std::mem::take(&mut call.words) {
        let mut path = word.clone();
        if call.has("fem") {
            for _ in 0..40 {
                let Ok(target) = call.sys.readlink(&path) else { break };
                let dir = path.rsplit_once('/').map(|(dir, _)| dir.to_owned());
                path = match dir {
                    _ if target.starts_with('/') => target,
                    Some(dir) => join(&dir, &target),
                    None => target,
                };
            }
            if !path.starts_with('/') {
                path = join(&call.sys.cwd(), &path);
            }
            call.say(&path);
        } else if let Ok(target) = call.sys.readlink(&path) {
            call.say(&target);
        } else {
            call.status = 1;
        }
    }
    call.status
}

fn basename(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let mut call = match Call::new(sys, "basename", args, "+", 1) {
        Ok(call) => call,
        Err(status) => return status,
    };
    let words = std::mem::take(&mut call.words);
    match words.as_slice() {
        [] => call.usage("missing operand"),
        [path, rest @ ..] if rest.len() < 2 => {
            let name = base(path);
            let suffix = rest.first().map_or("", String::as_str);
            let short =
                name.strip_suffix(suffix).filter(|short| !short.is_empty()).unwrap_or(name).to_owned();
            call.say(&short);
            0
        }
        [_, _, extra, ..] => call.usage(&format!("extra operand '{extra}'")),
        _ => 1,
    }
}

fn dirname(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let mut call = match Call::new(sys, "dirname", args, "+", 1) {
        Ok(call) => call,
        Err(status) => return status,
    };
    let words = std::mem::take(&mut call.words);
    if words.is_empty() {
        return call.usage("missing operand");
    }
    for word in words {
        let trimmed = word.trim_end_matches('/');
        let dir = match trimmed.rsplit_once('/') {
            None if trimmed.is_empty() && !word.is_empty() => "/",
            None => ".",
            Some((dir, _)) => match dir.trim_end_matches('/') {
                "" => "/",
                dir => dir,
            },
        };
        let dir = dir.to_owned();
        call.say(&dir);
    }
    0
}

/// Installs them.
pub(super) fn install(registry: &mut Registry) {
    let commands: [(&str, fn(&mut dyn Sys, &[String]) -> i32); 11] = [
        ("ls", ls),
        ("mkdir", mkdir),
        ("rmdir", rmdir),
        ("rm", rm),
        ("touch", touch),
        ("cp", cp),
        ("mv", mv),
        ("ln", ln),
        ("readlink", readlink),
        ("basename", basename),
        ("dirname", dirname),
    ];
    for (name, run) in commands {
        registry.install_command(name, run);
    }
}
