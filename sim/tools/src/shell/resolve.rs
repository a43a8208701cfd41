use kernel::Errno;
use world::{FileKind, OpenMode, ReadResult, Sys};

/// What a command's name stands for outside of the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// An installed program, by its name in the registry.
    Program(String),
    /// A file that the shell interprets.
    Script(String),
    /// Nothing: status 127.
    NotFound,
    /// A file that can't be run: status 126.
    Denied,
}

/// Directories whose programs are those of the registry.
const PROGRAM_DIRS: [&str; 6] =
    ["/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/"];

/// Finds a command.
pub(crate) fn resolve(sys: &dyn Sys, name: &str) -> Command {
    if name.is_empty() {
        return Command::NotFound;
    }
    if sys.registry().get(name).is_some() {
        return Command::Program(name.to_owned());
    }
    if !name.contains('/') {
        return Command::NotFound;
    }
    let base = PROGRAM_DIRS.iter().find_map(|dir| name.strip_prefix(dir));
    if let Some(base) = base.filter(|base| sys.registry().get(base).is_some()) {
        return Command::Program(base.to_owned());
    }
    match sys.stat(name) {
        Err(Errno::NoEnt | Errno::NotDir) => Command::NotFound,
        Ok(stat) if stat.kind == FileKind::File && stat.mode & 0o111 != 0 => Command::Script(name.to_owned()),
        _ => Command::Denied,
    }
}

/// Reads a whole file as text.
pub(crate) fn read_file(sys: &mut dyn Sys, path: &str) -> Result<String, Errno> {
    if sys.stat(path)?.kind == FileKind::Dir {
        return Err(Errno::IsDir);
    }
    let fd = sys.open(path, OpenMode::Read)?;
    let mut bytes = Vec::new();
    let result = loop {
        match sys.read(fd, 65536) {
            Ok(ReadResult::Data(data)) => bytes.extend(data),
            Ok(ReadResult::Eof | ReadResult::WouldBlock) => break Ok(()),
            Err(errno) => break Err(errno),
        }
    };
    sys.close(fd);
    result.map(|()| String::from_utf8_lossy(&bytes).into_owned())
}
