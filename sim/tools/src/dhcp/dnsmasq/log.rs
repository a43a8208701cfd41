//! What `dnsmasq` says. Source: `log.c`, `log_packet`, `prettyprint_time`.

use std::fmt::Write;

use packet::Pid;
use world::{Sys, ctime};

use crate::dhcp::script::append_file;
use crate::net::complain;

/// Which part speaks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// The whole.
    Dnsmasq,
    /// The DHCP server.
    Dhcp,
}

/// Where it speaks.
#[derive(Clone, Debug)]
pub(super) enum Log {
    /// Standard error.
    Stderr,
    /// A file, with date and process number.
    File(String),
    /// The system's log, which isn't simulated.
    Nowhere,
}

impl Log {
    /// Writes a line.
    pub fn line(&self, sys: &mut dyn Sys, part: Part, text: &str) {
        let name = match part {
            Part::Dnsmasq => "dnsmasq",
            Part::Dhcp => "dnsmasq-dhcp",
        };
        match self {
            Self::Stderr => complain(sys, &format!("{name}: {text}\n")),
            Self::File(path) => {
                let date = ctime(sys.unix_time());
                let date = date.get(4..19).unwrap_or_default();
                let Pid(pid) = sys.pid();
                append_file(sys, path, &format!("{date} {name}[{pid}]: {text}\n"));
            }
            Self::Nowhere => {}
        }
    }
}

/// Seconds as `12h`, `1h30m`, `infinite`.
pub(super) fn duration(seconds: u32) -> String {
    if seconds == u32::MAX {
        return "infinite".to_owned();
    }
    let parts = [(86_400, 'd', u32::MAX), (3600, 'h', 24), (60, 'm', 60), (1, 's', 60)];
    let mut text = String::new();
    for (unit, letter, limit) in parts {
        let count = seconds / unit % limit;
        if count > 0 {
            let _ = write!(text, "{count}{letter}");
        }
    }
    text
}
