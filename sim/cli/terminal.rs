use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use world::Stream;

/// What happened at the terminal while a command runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Typed {
    /// Nothing, in the time that was given.
    Nothing,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D at the beginning of a line.
    End,
    /// Some lines.
    Text(Vec<u8>),
}

/// The terminal while no line is edited: typed lines go to the command that runs.
pub(crate) struct Terminal {
    interrupted: Arc<AtomicBool>,
}

/// The longest wait without a look at Ctrl-C.
const LOOK: Duration = Duration::from_millis(50);

impl Terminal {
    /// Takes Ctrl-C over.
    ///
    /// # Errors
    /// The system has no such signal to give.
    pub fn open() -> Result<Self, String> {
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = interrupted.clone();
        ctrlc::set_handler(move || flag.store(true, Ordering::SeqCst))
            .map_err(|error| format!("Ctrl-C: {error}"))?;
        Ok(Self { interrupted })
    }

    /// Forgets a Ctrl-C that nothing has seen.
    pub fn forget(&self) {
        self.interrupted.store(false, Ordering::SeqCst);
    }

    /// Waits until something is typed, `time` at most.
    pub fn wait(&self, time: Option<Duration>) -> Typed {
        let mut left = time;
        loop {
            if self.interrupted.swap(false, Ordering::SeqCst) {
                return Typed::Interrupt;
            }
            let step = left.map_or(LOOK, |left| left.min(LOOK));
            if let Some(typed) = look(step) {
                return typed;
            }
            if let Some(rest) = &mut left {
                *rest = rest.saturating_sub(step);
                if rest.is_zero() {
                    return if self.interrupted.swap(false, Ordering::SeqCst) {
                        Typed::Interrupt
                    } else {
                        Typed::Nothing
                    };
                }
            }
        }
    }
}

/// Waits for typed text, `time` at most.
#[cfg(unix)]
fn look(time: Duration) -> Option<Typed> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdin = rustix::stdio::stdin();
    let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
    let time = Timespec::try_from(time).ok()?;
    if poll(&mut fds, Some(&time)).is_ok_and(|ready| ready > 0) {
        let mut buffer = [0; 4096];
        return match rustix::io::read(stdin, &mut buffer) {
            Ok(0) => Some(Typed::End),
            Ok(n) => Some(Typed::Text(buffer.get(..n)?.to_vec())),
            Err(_) => None,
        };
    }
    None
}

/// Waits; commands can't be typed to.
#[cfg(not(unix))]
fn look(time: Duration) -> Option<Typed> {
    std::thread::sleep(time);
    None
}

/// Writes at once, so that both streams keep their order. A reader that went away ends nothing:
/// the script's status still counts.
pub(crate) fn write_out(stream: Stream, bytes: &[u8]) {
    let _ = match stream {
        Stream::Err => std::io::stderr().write_all(bytes),
        Stream::In | Stream::Out => {
            let mut out = std::io::stdout().lock();
            out.write_all(bytes).and_then(|()| out.flush())
        }
    };
}
