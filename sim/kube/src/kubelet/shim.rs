use kernel::Errno;
use packet::{NetnsId, Pid};
use world::{Fd, Next, OpenMode, Program, ReadResult, Signal, Spawn, Sys, Wait};

use super::record::task;
use crate::time::present;

/// `containerd-shim-runc-v2`: writes what a container says into its log, waits for the end of its
/// first process and notes it.
///
/// Simplified: one for each container, not one for each pod.
#[derive(Clone, Debug)]
pub struct Shim {
    id: String,
    pid: Pid,
    root: String,
    log: String,
    /// What attached clients read, of a container with a terminal or an input: as it came.
    raw: bool,
    streams: [Stream; 2],
}

/// A stream of the container.
#[derive(Clone, Debug)]
struct Stream {
    name: &'static str,
    fd: Fd,
    /// A line that isn't complete.
    line: Vec<u8>,
    ended: bool,
}

/// A container that has just been started.
#[derive(Clone, Debug)]
pub struct Started<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its first process.
    pub pid: Pid,
    /// The directory that is `/` to it.
    pub root: &'a str,
    /// Where its log lies.
    pub log: &'a str,
    /// The reading end of its standard output.
    pub output: Fd,
    /// The reading end of its standard error.
    pub error: Fd,
    /// The writing end of its standard input, if it has one.
    pub input: Option<Fd>,
}

/// Where what a container says lies as it came.
pub fn raw_output(id: &str) -> String {
    format!("{}/output", task(id))
}

impl Shim {
    /// Starts one beside a container.
    ///
    /// # Errors
    /// What `spawn` refuses.
    pub fn start(sys: &mut dyn Sys, of: &Started<'_>) -> Result<Pid, Errno> {
        let args = [
            "/usr/bin/containerd-shim-runc-v2",
            "-namespace",
            "k8s.io",
            "-id",
            of.id,
            "-address",
            "/run/containerd/containerd.sock",
        ];
        let stream = |name, fd| Stream { name, fd, line: Vec::new(), ended: false };
        let shim = Self {
            id: of.id.to_owned(),
            pid: of.pid,
            root: of.root.to_owned(),
            log: of.log.to_owned(),
            raw: of.input.is_some(),
            streams: [stream("stdout", Fd(3)), stream("stderr", Fd(4))],
        };
        let mut fds = vec![(Fd(3), of.output), (Fd(4), of.error)];
        // It holds the input open when the kubelet goes.
        fds.extend(of.input.map(|fd| (Fd(5), fd)));
        sys.spawn(Spawn {
            args: args.map(str::to_owned).to_vec(),
            code: Some(Box::new(shim)),
            netns: Some(NetnsId::INIT),
            fds,
            ..Spawn::default()
        })
    }

    /// Takes what the container has said. The format is the CRI's.
    fn log(&mut self, sys: &mut dyn Sys) {
        let mut raw = Vec::new();
        let mut text = Vec::new();
        let time = present(sys).strftime("%Y-%m-%dT%H:%M:%S.%9fZ");
        for stream in &mut self.streams {
            while !stream.ended {
                match sys.read(stream.fd, 65_536) {
                    Ok(ReadResult::Data(bytes)) => {
                        raw.extend_from_slice(&bytes);
                        stream.line.extend(bytes);
                    }
                    Ok(ReadResult::WouldBlock) => break,
                    Ok(ReadResult::Eof) | Err(_) => stream.ended = true,
                }
            }
            while let Some(end) = stream.line.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = stream.line.drain(..=end).collect();
                text.extend(format!("{time} {} F ", stream.name).into_bytes());
                text.extend(line);
            }
            if stream.ended && !stream.line.is_empty() {
                text.extend(format!("{time} {} P ", stream.name).into_bytes());
                text.append(&mut stream.line);
                text.push(b'\n');
            }
        }
        append(sys, &self.log.clone(), &text);
        if self.raw {
            append(sys, &raw_output(&self.id), &raw);
        }
    }
}

fn append(sys: &mut dyn Sys, path: &str, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    // A log that somebody removed is lost.
    if let Ok(fd) = sys.open(path, OpenMode::Append) {
        let _ = sys.write(fd, bytes);
        sys.close(fd);
    }
}

/// How a container ended, as its shim noted it: exit status and second.
pub fn exit_of(sys: &mut dyn Sys, id: &str) -> Option<(i32, i64)> {
    let text = tools::file::read(sys, &format!("{}/exit", task(id)))?;
    let (status, at) = text.trim().split_once(' ')?;
    Some((status.parse().ok()?, at.parse().ok()?))
}

impl Program for Shim {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        self.log(sys);
        let Some(status) = sys.exit_status(self.pid) else {
            let fds = self.streams.iter().filter(|stream| !stream.ended).map(|stream| stream.fd).collect();
            return Next::Wait(Wait { fds, pids: vec![self.pid], ..Wait::default() });
        };
        // Process 1 of a container takes all others with it.
        let root = self.root.clone();
        tools::image::kill_all(sys, &root, self.pid);
        let note = format!("{status} {}\n", sys.unix_time());
        tools::file::put(sys, &format!("{}/exit", task(&self.id)), &note);
        Next::Exit(status)
    }

    fn signal(&mut self, _sys: &mut dyn Sys, signal: Signal) -> Next {
        match signal {
            Signal::Kill => Next::Exit(128 + signal.number()),
            _ => Next::Wait(Wait { pids: vec![self.pid], ..Wait::default() }),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
