use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use kernel::Errno;
use kernel::socket::SocketId;
use packet::DevId;

use crate::sys::{DirEntry, FileKind, Stat};

/// A file tree: what is stored. /proc, /sys and /run/netns are made up by [`crate::synthetic`].
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// By absolute path without trailing slash; the root is the empty string.
    inodes: BTreeMap<String, Inode>,
    /// Bind mounts: what a path stands for instead of what lies there.
    mounts: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
enum Inode {
    Dir,
    File(Arc<Vec<u8>>),
    Symlink(String),
}

/// Symbolic links followed before the kernel gives up (`MAXSYMLINKS`).
const MAX_SYMLINKS: usize = 40;

impl Default for Files {
    fn default() -> Self {
        let mut files =
            Self { inodes: BTreeMap::from([(String::new(), Inode::Dir)]), mounts: BTreeMap::new() };
        for dir in [
            "/dev",
            "/etc",
            "/etc/iproute2",
            "/home",
            "/proc",
            "/root",
            "/run",
            "/sys",
            "/tmp",
            "/var",
            "/var/log",
        ] {
            files.inodes.insert(dir.to_owned(), Inode::Dir);
        }
        files
    }
}

/// Joins `path` to `cwd` and takes `.` and `..` out. The root is the empty string.
pub(crate) fn normalize(cwd: &str, path: &str) -> String {
    let mut parts: Vec<&str> =
        if path.starts_with('/') { Vec::new() } else { cwd.split('/').filter(|p| !p.is_empty()).collect() };
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.iter().map(|part| format!("/{part}")).collect()
}

fn parent(path: &str) -> Option<&str> {
    path.rfind('/').map(|slash| &path[..slash])
}

impl Files {
    /// Follows symbolic links in every component; the last one only if `follow_last`.
    pub fn resolve(&self, path: &str, follow_last: bool) -> Result<String, Errno> {
        let mut todo: Vec<String> = path.rsplit('/').filter(|p| !p.is_empty()).map(str::to_owned).collect();
        let mut done = String::new();
        let mut links = 0;
        while let Some(part) = todo.pop() {
            let mut next = normalize(&done, &part);
            if let Some(source) = self.mounts.get(&next) {
                next.clone_from(source);
            }
            match self.inodes.get(&next) {
                Some(Inode::Symlink(target)) if follow_last || !todo.is_empty() => {
                    links += 1;
                    if links > MAX_SYMLINKS {
                        return Err(Errno::Loop);
                    }
                    if target.starts_with('/') {
                        done.clear();
                    }
                    todo.extend(target.rsplit('/').filter(|p| !p.is_empty()).map(str::to_owned));
                }
                Some(Inode::File(_)) if !todo.is_empty() => return Err(Errno::NotDir),
                _ => done = next,
            }
        }
        Ok(done)
    }

    pub fn read(&self, path: &str) -> Result<Arc<Vec<u8>>, Errno> {
        match self.inodes.get(&self.resolve(path, true)?) {
            Some(Inode::File(bytes)) => Ok(bytes.clone()),
            Some(Inode::Dir) => Err(Errno::IsDir),
            Some(Inode::Symlink(_)) | None => Err(Errno::NoEnt),
        }
    }

    /// Makes the file if it is missing; empties it if `truncate`. Answers its resolved path.
    pub fn create(&mut self, path: &str, truncate: bool) -> Result<String, Errno> {
        let path = self.resolve(path, true)?;
        match self.inodes.get_mut(&path) {
            Some(Inode::Dir) => return Err(Errno::IsDir),
            Some(Inode::File(bytes)) => {
                if truncate {
                    *bytes = Arc::default();
                }
            }
            Some(Inode::Symlink(_)) => return Err(Errno::Loop),
            None => {
                self.parent_dir(&path)?;
                self.inodes.insert(path.clone(), Inode::File(Arc::default()));
            }
        }
        Ok(path)
    }

    /// Appends to a file that [`Self::create`] made. A file deleted meanwhile swallows the bytes.
    pub fn append(&mut self, path: &str, data: &[u8]) {
        if let Some(Inode::File(bytes)) = self.inodes.get_mut(path) {
            Arc::make_mut(bytes).extend_from_slice(data);
        }
    }

    /// Makes or replaces a file and the directories above it.
    pub fn install(&mut self, path: &str, data: Vec<u8>) {
        let path = normalize("", path);
        for (i, _) in path.match_indices('/').skip(1) {
            self.inodes.entry(path[..i].to_owned()).or_insert(Inode::Dir);
        }
        self.inodes.insert(path, Inode::File(Arc::new(data)));
    }

    fn parent_dir(&self, path: &str) -> Result<(), Errno> {
        match self.inodes.get(parent(path).ok_or(Errno::Exist)?) {
            Some(Inode::Dir) => Ok(()),
            Some(Inode::File(_)) => Err(Errno::NotDir),
            Some(Inode::Symlink(_)) | None => Err(Errno::NoEnt),
        }
    }

    fn add(&mut self, path: &str, inode: Inode) -> Result<(), Errno> {
        let path = self.resolve(path, false)?;
        if self.inodes.contains_key(&path) {
            return Err(Errno::Exist);
        }
        self.parent_dir(&path)?;
        self.inodes.insert(path, inode);
        Ok(())
    }

    pub fn mkdir(&mut self, path: &str) -> Result<(), Errno> {
        self.add(path, Inode::Dir)
    }

    pub fn symlink(&mut self, target: &str, path: &str) -> Result<(), Errno> {
        self.add(path, Inode::Symlink(target.to_owned()))
    }

    pub fn readlink(&self, path: &str) -> Result<String, Errno> {
        match self.inodes.get(&self.resolve(path, false)?) {
            Some(Inode::Symlink(target)) => Ok(target.clone()),
            Some(Inode::Dir | Inode::File(_)) => Err(Errno::Inval),
            None => Err(Errno::NoEnt),
        }
    }

    /// Makes `target` stand for `source` (`mount --bind`).
    ///
    /// Simplified: a mount below another one is seen wherever its source is.
    pub fn mount(&mut self, source: &str, target: &str) -> Result<(), Errno> {
        let source = self.resolve(source, true)?;
        self.stat(&source)?;
        let target = self.mount_point(target)?;
        if !self.inodes.contains_key(&target) {
            return Err(Errno::NoEnt);
        }
        self.mounts.insert(target, source);
        Ok(())
    }

    /// Ends a bind mount.
    pub fn unmount(&mut self, target: &str) -> Result<(), Errno> {
        let target = self.mount_point(target)?;
        self.mounts.remove(&target).map(drop).ok_or(Errno::Inval)
    }

    /// Ends the bind mounts below a path.
    pub fn unmount_below(&mut self, path: &str) {
        let prefix = format!("{path}/");
        self.mounts.retain(|target, _| !target.starts_with(&prefix));
    }

    /// Where a path lies before a mount at the path itself is followed.
    fn mount_point(&self, path: &str) -> Result<String, Errno> {
        let path = normalize("", path);
        let (folder, name) = path.rsplit_once('/').ok_or(Errno::Busy)?;
        Ok(format!("{}/{name}", self.resolve(folder, true)?))
    }

    pub fn unlink(&mut self, path: &str) -> Result<(), Errno> {
        if self.mounts.contains_key(&self.mount_point(path)?) {
            return Err(Errno::Busy);
        }
        let path = self.resolve(path, false)?;
        match self.inodes.get(&path) {
            None => Err(Errno::NoEnt),
            Some(Inode::Dir) if path.is_empty() => Err(Errno::Busy),
            Some(Inode::Dir) if self.children(&path).next().is_some() => Err(Errno::NotEmpty),
            Some(Inode::Dir | Inode::File(_) | Inode::Symlink(_)) => {
                self.inodes.remove(&path);
                Ok(())
            }
        }
    }

    pub fn stat(&self, path: &str) -> Result<Stat, Errno> {
        match self.inodes.get(&self.resolve(path, true)?) {
            Some(Inode::Dir) => Ok(Stat { kind: FileKind::Dir, size: 4096, mode: 0o755 }),
            Some(Inode::File(bytes)) => {
                Ok(Stat { kind: FileKind::File, size: bytes.len() as u64, mode: 0o644 })
            }
            Some(Inode::Symlink(_)) | None => Err(Errno::NoEnt),
        }
    }

    fn children<'a>(&'a self, dir: &str) -> impl Iterator<Item = (&'a str, &'a Inode)> {
        let prefix = format!("{dir}/");
        let skip = prefix.len();
        self.inodes
            .range(prefix.clone()..)
            .take_while(move |(path, _)| path.starts_with(&prefix))
            .map(move |(path, inode)| (&path[skip..], inode))
            .filter(|(name, _)| !name.contains('/'))
    }

    pub fn read_dir(&self, path: &str) -> Result<Vec<DirEntry>, Errno> {
        let path = self.resolve(path, true)?;
        match self.inodes.get(&path) {
            Some(Inode::Dir) => {}
            Some(Inode::File(_)) => return Err(Errno::NotDir),
            Some(Inode::Symlink(_)) | None => return Err(Errno::NoEnt),
        }
        Ok(self
            .children(&path)
            .map(|(name, inode)| DirEntry {
                name: name.to_owned(),
                kind: match inode {
                    Inode::Dir => FileKind::Dir,
                    Inode::File(_) => FileKind::File,
                    Inode::Symlink(_) => FileKind::Symlink,
                },
            })
            .collect())
    }
}

/// An open file description, shared by descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct OpenId(pub u32);

/// What is open.
#[derive(Clone, Debug)]
pub(crate) enum OpenFile {
    /// `/dev/null`.
    Null,
    /// `/dev/zero`.
    Zero,
    /// A file read from its beginning; what it held when it was opened (for a synthetic one) or
    /// what it holds now.
    Reader { content: Content, offset: usize },
    /// A stored file written at its end.
    Writer { path: String },
    /// A synthetic file that takes each write as a value.
    Setting { path: String },
    /// Reading end of a pipe.
    PipeRead(PipeId),
    /// Writing end of a pipe.
    PipeWrite(PipeId),
    /// A socket.
    Socket(SocketId),
    /// A TUN queue.
    Tun(DevId),
    /// One of the three streams of a console.
    Console { console: ConsoleId, stream: Stream },
}

/// Where a reader's bytes come from.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// A stored file; grows as others append.
    Stored(String),
    /// Made when it was opened.
    Snapshot(Arc<Vec<u8>>),
}

/// A pipe of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PipeId(pub u32);

/// `Simplified: a pipe holds any number of bytes; a writer never waits.`
#[derive(Clone, Debug, Default)]
pub(crate) struct Pipe {
    pub bytes: VecDeque<u8>,
    pub reader: Option<OpenId>,
    pub writer: Option<OpenId>,
    /// Programs see a terminal.
    pub terminal: bool,
}

/// A console: where the front end sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsoleId(pub u32);

/// A standard stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Standard input.
    In,
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// What a front end reads and writes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Console {
    /// Written and not yet taken, in order.
    pub output: Vec<(Stream, Vec<u8>)>,
    /// Typed and not yet read.
    pub input: VecDeque<u8>,
    /// No more input will come.
    pub input_ended: bool,
    /// One reader is told of an end (Ctrl-D at a terminal); the next one waits again.
    pub end_typed: bool,
    /// Programs see a terminal.
    pub terminal: bool,
}

/// All open files of a host.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenFiles {
    table: BTreeMap<OpenId, (OpenFile, u32)>,
    by_socket: BTreeMap<SocketId, OpenId>,
    by_tun: BTreeMap<DevId, OpenId>,
    last: u32,
    pub pipes: BTreeMap<PipeId, Pipe>,
    last_pipe: u32,
}

impl OpenFiles {
    /// Opens with one reference.
    pub fn open(&mut self, file: OpenFile) -> OpenId {
        self.last += 1;
        let id = OpenId(self.last);
        match &file {
            OpenFile::Socket(socket) => {
                self.by_socket.insert(*socket, id);
            }
            OpenFile::Tun(dev) => {
                self.by_tun.insert(*dev, id);
            }
            OpenFile::PipeRead(pipe) => self.pipes.entry(*pipe).or_default().reader = Some(id),
            OpenFile::PipeWrite(pipe) => self.pipes.entry(*pipe).or_default().writer = Some(id),
            OpenFile::Null
            | OpenFile::Zero
            | OpenFile::Reader { .. }
            | OpenFile::Writer { .. }
            | OpenFile::Setting { .. }
            | OpenFile::Console { .. } => {}
        }
        self.table.insert(id, (file, 1));
        id
    }

    /// A new pipe: reading end, writing end.
    pub fn pipe(&mut self, terminal: bool) -> (OpenId, OpenId) {
        self.last_pipe += 1;
        let pipe = PipeId(self.last_pipe);
        self.pipes.insert(pipe, Pipe { terminal, ..Pipe::default() });
        (self.open(OpenFile::PipeRead(pipe)), self.open(OpenFile::PipeWrite(pipe)))
    }

    pub fn get(&self, id: OpenId) -> Option<&OpenFile> {
        self.table.get(&id).map(|(file, _)| file)
    }

    pub fn get_mut(&mut self, id: OpenId) -> Option<&mut OpenFile> {
        self.table.get_mut(&id).map(|(file, _)| file)
    }

    pub fn of_socket(&self, socket: SocketId) -> Option<OpenId> {
        self.by_socket.get(&socket).copied()
    }

    /// The reading ends of a console.
    pub fn of_console(&self, console: ConsoleId) -> Vec<OpenId> {
        let reads = |file: &OpenFile| matches!(file, OpenFile::Console { console: c, stream: Stream::In } if *c == console);
        self.table.iter().filter(|(_, (file, _))| reads(file)).map(|(&id, _)| id).collect()
    }

    pub fn of_tun(&self, dev: DevId) -> Option<OpenId> {
        self.by_tun.get(&dev).copied()
    }

    /// One more descriptor refers to it.
    pub fn share(&mut self, id: OpenId) {
        if let Some((_, refs)) = self.table.get_mut(&id) {
            *refs += 1;
        }
    }

    /// One descriptor less; answers the file if it was the last.
    pub fn release(&mut self, id: OpenId) -> Option<OpenFile> {
        let (_, refs) = self.table.get_mut(&id)?;
        *refs -= 1;
        if *refs > 0 {
            return None;
        }
        let (file, _) = self.table.remove(&id)?;
        match &file {
            OpenFile::Socket(socket) => {
                self.by_socket.remove(socket);
            }
            OpenFile::Tun(dev) => {
                self.by_tun.remove(dev);
            }
            OpenFile::PipeRead(pipe) => self.close_pipe(*pipe, |p| p.reader = None),
            OpenFile::PipeWrite(pipe) => self.close_pipe(*pipe, |p| p.writer = None),
            OpenFile::Null
            | OpenFile::Zero
            | OpenFile::Reader { .. }
            | OpenFile::Writer { .. }
            | OpenFile::Setting { .. }
            | OpenFile::Console { .. } => {}
        }
        Some(file)
    }

    fn close_pipe(&mut self, id: PipeId, close: impl FnOnce(&mut Pipe)) {
        if let Some(pipe) = self.pipes.get_mut(&id) {
            close(pipe);
            if pipe.reader.is_none() && pipe.writer.is_none() {
                self.pipes.remove(&id);
            }
        }
    }
}
