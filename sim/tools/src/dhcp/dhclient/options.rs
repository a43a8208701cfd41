//! The arguments of `dhclient`.

use world::Sys;

use crate::net::{Refused, read_file};

/// What it says when it talks.
pub(super) const BANNER: &str = "Internet Systems Consortium DHCP Client 4.4.3-P1
Copyright 2004-2022 Internet Systems Consortium.
All rights reserved.
For info, please visit https://www.isc.org/software/dhcp/

";

/// What Debian's dhclient.conf requests.
const DEBIAN: &[u8] = &[1, 28, 2, 3, 15, 6, 119, 12, 44, 47, 26, 121, 42];
/// What is requested if nothing is said. Source: `default_requested_options`.
const DEFAULT: &[u8] = &[1, 28, 2, 3, 15, 6, 12];

const USAGE: &str = "Usage: dhclient [-4|-6] [-SNTPRI1dvrxi] [-nw] [-p <port>] [-D LL|LLT]
                [--dad-wait-time <seconds>] [--prefix-len-hint <length>]
                [--decline-wait-time <seconds>]
                [--address-prefix-len <length>]
                [-s server-addr] [-cf config-file]
                [-df duid-file] [-lf lease-file]
                [-pf pid-file] [--no-pid] [-e VAR=val]
                [-sf script-file] [interface]*
       dhclient {--version|--help|-h}
";

/// What was asked for.
#[derive(Clone, Debug)]
pub(super) struct Options {
    /// `-v`.
    pub verbose: bool,
    /// `-1`: ends with 2 if nobody offers anything.
    pub one_try: bool,
    /// `-d`: never becomes a daemon.
    pub foreground: bool,
    /// `-r`.
    pub release: bool,
    /// `-lf`.
    pub lease_file: String,
    /// `-pf`.
    pub pid_file: String,
    /// `timeout` of dhclient.conf: seconds until it gives up.
    pub timeout: u64,
    /// `send host-name = gethostname();`, which Debian's dhclient.conf has.
    pub sends_name: bool,
    /// Codes of `request`.
    pub wanted: &'static [u8],
    config_file: String,
    devices: Vec<String>,
}

fn not_simulated(word: &str) -> Refused {
    Refused(1, format!("dhclient: `{word}` is not simulated\n"))
}

impl Options {
    /// Takes the arguments apart.
    pub fn parse(args: &[String]) -> Result<Self, Refused> {
        let mut parsed = Self {
            verbose: false,
            one_try: false,
            foreground: false,
            release: false,
            lease_file: super::LEASES.to_owned(),
            pid_file: "/run/dhclient.pid".to_owned(),
            timeout: 60,
            sends_name: true,
            wanted: DEBIAN,
            config_file: "/etc/dhcp/dhclient.conf".to_owned(),
            devices: Vec::new(),
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().cloned().ok_or_else(|| Refused(1, USAGE.to_owned()));
            match arg.as_str() {
                "-v" => parsed.verbose = true,
                "-1" => parsed.one_try = true,
                "-d" => (parsed.foreground, parsed.verbose) = (true, true),
                "-q" | "-4" => {}
                "-r" => parsed.release = true,
                "-lf" => parsed.lease_file = value()?,
                "-pf" => parsed.pid_file = value()?,
                "-cf" => parsed.config_file = value()?,
                "--version" => return Err(Refused(0, "isc-dhclient-4.4.3-P1\n".to_owned())),
                "--help" | "-h" => return Err(Refused(0, USAGE.to_owned())),
                "-6" | "-S" | "-N" | "-T" | "-P" | "-R" | "-I" | "-x" | "-i" | "-nw" | "-p" | "-D" | "-s"
                | "-df" | "--no-pid" | "-e" | "-sf" | "-w" | "-n" | "-g" | "-B" | "-F" | "-V" | "-C"
                | "-H" => {
                    return Err(not_simulated(arg));
                }
                flag if flag.starts_with('-') => {
                    return Err(Refused(
                        1,
                        format!(
                            "{}Unknown command: {flag}\n{USAGE}",
                            super::options::BANNER.trim_end().to_owned() + "\n"
                        ),
                    ));
                }
                device => parsed.devices.push(device.to_owned()),
            }
        }
        Ok(parsed)
    }

    /// The device to configure, after reading the configuration file.
    pub fn device(&mut self, sys: &mut dyn Sys) -> Result<String, Refused> {
        self.read_config(sys);
        let netns = sys.netns();
        // IFF_LOOPBACK, IFF_BROADCAST
        let broadcasts = |flags: u32| flags & 0x8 == 0 && flags & 0x2 != 0;
        let found: Vec<String> = match self.devices.as_slice() {
            [] => {
                let links = sys.kernel().links(netns);
                links.into_iter().filter(|link| broadcasts(link.flags)).map(|link| link.name).collect()
            }
            devices => devices.to_vec(),
        };
        match found.as_slice() {
            [device] => Ok(device.clone()),
            [] => Err(Refused(1, "No broadcast interfaces found - exiting.\n".to_owned())),
            _ => Err(not_simulated("several interfaces at once")),
        }
    }

    /// Without a configuration file Debian's counts.
    ///
    /// Simplified: of a configuration file only `timeout` and `send host-name` are read; what it
    /// requests is the default or, if it has a `request` at all, Debian's list.
    fn read_config(&mut self, sys: &mut dyn Sys) {
        let Some(text) = read_file(sys, &self.config_file) else { return };
        let says = |word: &str| text.lines().any(|line| line.trim().starts_with(word));
        self.sends_name = says("send host-name");
        if !says("request ") {
            self.wanted = DEFAULT;
        }
        for line in text.lines() {
            if let Some(rest) = line.trim().strip_prefix("timeout ")
                && let Ok(seconds) = rest.trim().trim_end_matches(';').trim().parse()
            {
                self.timeout = seconds;
            }
        }
    }
}
