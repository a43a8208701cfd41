//! What BIND's tools take from the system. Source: `setup_system` of `dighost.c`, `lib/irs/resconf.c`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use world::Sys;

use crate::net::read_file;

/// A server to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dns) struct Server {
    /// Its address.
    pub addr: IpAddr,
    /// As the user or resolv.conf has it.
    pub user_arg: String,
}

impl Server {
    pub fn new(addr: IpAddr, user_arg: &str) -> Self {
        Self { addr, user_arg: user_arg.to_owned() }
    }
}

/// What holds for all lookups of a process.
#[derive(Clone, Debug)]
pub(in crate::dns) struct Settings {
    /// Asked unless a lookup has servers of its own.
    pub servers: Vec<Server>,
    pub search: Vec<String>,
    pub ndots: usize,
    /// Seconds; 0 for each transport's own default.
    pub timeout: u32,
    /// How often the first server is asked.
    pub tries: u32,
    pub port: u16,
    /// Whether names are searched.
    pub use_search: bool,
    /// Whether each try of a search is shown.
    pub show_search: bool,
    /// Whether another server is asked when one doesn't recurse.
    pub check_ra: bool,
    /// `-b`.
    pub source: Option<SocketAddr>,
    /// The client cookie of this process.
    pub cookie: [u8; 8],
}

/// `RESCONFMAXNAMESERVERS`, `RESCONFMAXSEARCH`.
const MAX_SERVERS: usize = 3;
const MAX_SEARCH: usize = 8;

impl Settings {
    /// Reads /etc/resolv.conf. `tries` is a tool's own number, none for what the file says.
    ///
    /// Simplified: without a server in it, ::1 is not tried before 127.0.0.1.
    ///
    /// # Errors
    /// If the file can't be understood: what the tool says.
    pub fn load(sys: &mut dyn Sys, tries: Option<u32>) -> Result<Self, String> {
        let text = read_file(sys, "/etc/resolv.conf").unwrap_or_default();
        let mut settings = Self {
            servers: Vec::new(),
            search: Vec::new(),
            ndots: 1,
            timeout: 0,
            tries: 3,
            port: dns::PORT,
            use_search: false,
            show_search: false,
            check_ra: false,
            source: None,
            cookie: sys.random().to_be_bytes(),
        };
        settings.parse(&text).ok_or("parse of /etc/resolv.conf failed")?;
        if let Some(tries) = tries {
            settings.tries = tries;
        }
        if settings.servers.is_empty() {
            settings.servers.push(Server::new(IpAddr::V4(Ipv4Addr::LOCALHOST), "127.0.0.1"));
        }
        Ok(settings)
    }

    fn parse(&mut self, text: &str) -> Option<()> {
        for line in text.lines() {
            let line = line.split([';', '#']).next().unwrap_or_default();
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") => {
                    let word = words.next()?;
                    let addr: IpAddr = word.split('%').next().unwrap_or(word).parse().ok()?;
                    if self.servers.len() < MAX_SERVERS {
                        self.servers.push(Server::new(addr, word));
                    }
                }
                Some("domain") => self.search = vec![words.next()?.to_owned()],
                Some("search") => {
                    self.search = words.take(MAX_SEARCH).map(str::to_owned).collect();
                }
                Some("options") => {
                    for word in words {
                        self.option(word)?;
                    }
                }
                _ => {}
            }
        }
        Some(())
    }

    fn option(&mut self, word: &str) -> Option<()> {
        let number = |text: &str| text.parse::<u8>().ok().map(u32::from);
        match word.split_once(':') {
            Some(("ndots", value)) => self.ndots = usize::try_from(number(value)?).ok()?,
            Some(("timeout", value)) => self.timeout = number(value)?,
            Some(("attempts", value)) => {
                let attempts = number(value)?;
                self.tries = if attempts == 0 { 3 } else { attempts };
            }
            _ => {}
        }
        Some(())
    }
}
