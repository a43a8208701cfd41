//! Lines of the log as klog writes them.

use std::time::Duration;

use world::Sys;

use crate::time::klog;

/// Writes lines to standard error; `0` is the verbosity (`-v`).
#[derive(Clone, Copy, Debug)]
pub struct Log(pub u8);

impl Log {
    /// What goes on. `place` is file and line of the original.
    pub fn info(self, sys: &mut dyn Sys, place: &str, text: &str) {
        klog(sys, 'I', place, text);
    }

    /// What goes on in detail: only at that verbosity or more.
    pub fn detail(self, sys: &mut dyn Sys, verbosity: u8, place: &str, text: &str) {
        if self.0 >= verbosity {
            klog(sys, 'I', place, text);
        }
    }

    /// What is odd.
    pub fn warning(self, sys: &mut dyn Sys, place: &str, text: &str) {
        klog(sys, 'W', place, text);
    }

    /// What fails.
    pub fn error(self, sys: &mut dyn Sys, place: &str, text: &str) {
        klog(sys, 'E', place, text);
    }
}

/// A duration as Go prints it, from seconds up: `22h59m59.5s`.
pub fn go_duration(duration: Duration) -> String {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    let fraction = format!(".{nanos:09}");
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}{fraction}s"),
        (0, _) => format!("{minutes}m{seconds}{fraction}s"),
        _ => format!("{hours}h{minutes}m{seconds}{fraction}s"),
    }
}
