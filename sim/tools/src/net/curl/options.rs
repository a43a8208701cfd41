use std::net::Ipv4Addr;
use std::time::Duration;

use crate::net::{Refused, seconds};

/// What the command line asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub urls: Vec<Url>,
    outputs: Vec<Output>,
    pub silent: bool,
    pub show_error: bool,
    pub fail: bool,
    pub verbose: bool,
    pub include: bool,
    pub head: bool,
    pub write_out: Option<String>,
    pub max_time: Option<Duration>,
    pub connect_timeout: Option<Duration>,
    pub data: Option<String>,
    /// What `-d` was given; `@FILE` stands for the file's text.
    pub data_parts: Vec<String>,
    request: Option<String>,
    headers: Vec<String>,
    user_agent: Option<String>,
    referer: Option<String>,
    cookie: Option<String>,
    user: Option<String>,
    pub interface: Option<String>,
    pub local_ports: Option<(u16, u16)>,
    pub resolve: Vec<(String, u16, Ipv4Addr)>,
    pub dump_header: Option<String>,
    http10: bool,
    /// `-4`: asks for no IPv6 addresses.
    pub ipv4_only: bool,
    /// `-k`: any server will do.
    pub insecure: bool,
    /// `--cacert`: whom to trust.
    pub ca_file: Option<String>,
    /// `--cert`: who curl is.
    pub certificate: Option<String>,
    /// `--key`: with which key.
    pub key: Option<String>,
    bearer: Option<String>,
}

/// Where a body goes.
#[derive(Clone, Debug)]
enum Output {
    /// `-o FILE`.
    File(String),
    /// `-O`: the last part of the URL's path.
    RemoteName,
}

/// A URL taken apart; `problem` says why it can't be fetched.
#[derive(Clone, Debug)]
pub(super) struct Url {
    pub scheme: Scheme,
    pub host: String,
    pub port: u16,
    pub path: String,
    pub problem: Option<(i32, String)>,
    text: String,
}

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    /// The port if the URL says none.
    const fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    /// As `%{scheme}` prints it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Https => "HTTPS",
        }
    }
}

const TRY: &str = "curl: try 'curl --help' or 'curl --manual' for more information\n";

/// Short letter, long name, whether it takes an argument.
const KNOWN: &[(char, &str, bool)] = &[
    ('s', "silent", false),
    ('S', "show-error", false),
    ('f', "fail", false),
    ('v', "verbose", false),
    ('i', "include", false),
    ('I', "head", false),
    ('o', "output", true),
    ('O', "remote-name", false),
    ('w', "write-out", true),
    ('m', "max-time", true),
    ('1', "connect-timeout", true),
    ('d', "data", true),
    ('X', "request", true),
    ('H', "header", true),
    ('A', "user-agent", true),
    ('e', "referer", true),
    ('b', "cookie", true),
    ('u', "user", true),
    ('2', "interface", true),
    ('3', "local-port", true),
    ('4', "ipv4", false),
    ('5', "resolve", true),
    ('D', "dump-header", true),
    ('0', "http1.0", false),
    ('k', "insecure", false),
    ('N', "no-buffer", false),
    ('g', "globoff", false),
    ('7', "url", true),
    ('8', "noproxy", true),
    ('9', "http1.1", false),
    ('#', "progress-bar", false),
    ('E', "cert", true),
    ('\u{1}', "cacert", true),
    ('\u{2}', "key", true),
    ('\u{3}', "oauth2-bearer", true),
];

impl Options {
    pub fn parse(args: &[String]) -> Result<Self, Refused> {
        let mut options = Self::default();
        let mut args = args.iter();
        let mut only_words = false;
        while let Some(arg) = args.next() {
            if arg == "--" && !only_words {
                only_words = true;
            } else if let Some(name) = arg.strip_prefix("--").filter(|_| !only_words) {
                let (letter, _, takes) = KNOWN
                    .iter()
                    .find(|(_, long, _)| *long == name)
                    .ok_or_else(|| Refused(2, format!("curl: option {arg}: is unknown\n{TRY}")))?;
                let value = if *takes { Some(argument(arg, args.next())?) } else { None };
                options.set(*letter, value)?;
            } else if arg.len() > 1 && arg.starts_with('-') && !only_words {
                let mut letters = arg[1..].chars();
                while let Some(letter) = letters.next() {
                    let (_, _, takes) = KNOWN
                        .iter()
                        .find(|(short, ..)| {
                            *short == letter
                                && !matches!(
                                    letter,
                                    '\u{1}'..='\u{3}' | '1' | '2' | '3' | '5' | '7' | '8' | '9'
                                )
                        })
                        .ok_or_else(|| Refused(2, format!("curl: option {arg}: is unknown\n{TRY}")))?;
                    if *takes {
                        let attached = letters.as_str();
                        let value = if attached.is_empty() {
                            argument(arg, args.next())?
                        } else {
                            attached.to_owned()
                        };
                        options.set(letter, Some(value))?;
                        break;
                    }
                    options.set(letter, None)?;
                }
            } else {
                options.urls.push(Url::parse(arg));
            }
        }
        if options.urls.is_empty() {
            let text = if options.silent && !options.show_error {
                TRY.to_owned()
            } else {
                format!("curl: no URL specified!\n{TRY}")
            };
            let text = if options.nothing_asked() { TRY.to_owned() } else { text };
            return Err(Refused(2, text));
        }
        Ok(options)
    }

    /// A bare `curl`.
    fn nothing_asked(&self) -> bool {
        !self.silent && !self.verbose && self.headers.is_empty() && self.outputs.is_empty()
    }

    fn set(&mut self, letter: char, value: Option<String>) -> Result<(), Refused> {
        let value = value.unwrap_or_default();
        let time = |name: &str, value: &str| {
            seconds(value).map(|d| Some(d).filter(|d| !d.is_zero())).ok_or_else(|| {
                Refused(2, format!("curl: option {name}: expected a proper numerical parameter\n{TRY}"))
            })
        };
        match letter {
            's' => self.silent = true,
            'S' => self.show_error = true,
            'f' => self.fail = true,
            'v' => self.verbose = true,
            'i' => self.include = true,
            'I' => self.head = true,
            'o' => self.outputs.push(Output::File(value)),
            'O' => self.outputs.push(Output::RemoteName),
            'w' => self.write_out = Some(value),
            'm' => self.max_time = time("-m", &value)?,
            '1' => self.connect_timeout = time("--connect-timeout", &value)?,
            'd' => self.data_parts.push(value),
            'X' => self.request = Some(value),
            'H' => self.headers.push(value),
            'A' => self.user_agent = Some(value),
            'e' => self.referer = Some(value),
            'b' => self.cookie = Some(value),
            'u' => self.user = Some(value),
            '2' => self.interface = Some(value),
            '3' => {
                let (low, high) = value.split_once('-').unwrap_or((&value, &value));
                let ports =
                    low.trim().parse().ok().zip(high.trim().parse().ok()).filter(|(low, high)| low <= high);
                self.local_ports = Some(ports.ok_or_else(|| {
                    Refused(2, format!("curl: option --local-port: is badly used here\n{TRY}"))
                })?);
            }
            '5' => {
                let parts: Vec<&str> = value.splitn(3, ':').collect();
                let entry = match parts.as_slice() {
                    [host, port, addr] => {
                        port.parse().ok().zip(addr.parse().ok()).map(|(p, a)| ((*host).to_owned(), p, a))
                    }
                    _ => None,
                };
                self.resolve.push(entry.ok_or_else(|| {
                    Refused(49, format!("curl: (49) Couldn't parse CURLOPT_RESOLVE entry '{value}'\n"))
                })?);
            }
            '4' => self.ipv4_only = true,
            'D' => self.dump_header = Some(value),
            '0' => self.http10 = true,
            'k' => self.insecure = true,
            'E' => self.certificate = Some(value),
            '\u{1}' => self.ca_file = Some(value),
            '\u{2}' => self.key = Some(value),
            '\u{3}' => self.bearer = Some(value),
            '7' => self.urls.push(Url::parse(&value)),
            _ => {}
        }
        Ok(())
    }

    /// Joins the parts of `-d`; line ends of files are left out. Answers the files that can't be read.
    pub fn gather_data(&mut self, mut read: impl FnMut(&str) -> Option<Vec<u8>>) -> Vec<String> {
        let mut unreadable = Vec::new();
        let texts = self.data_parts.iter().map(|part| {
            let Some(file) = part.strip_prefix('@') else { return part.clone() };
            let bytes = read(file).unwrap_or_else(|| {
                unreadable.push(file.to_owned());
                Vec::new()
            });
            String::from_utf8_lossy(&bytes).replace(['\r', '\n', '\0'], "")
        });
        let texts: Vec<String> = texts.collect();
        self.data = (!texts.is_empty()).then(|| texts.join("&"));
        unreadable
    }

    /// The file of the n-th URL's body; `None` is standard output.
    pub fn output(&self, n: usize, url: &Url) -> Option<String> {
        match self.outputs.get(n)? {
            Output::File(path) if path == "-" => None,
            Output::File(path) => Some(path.clone()),
            Output::RemoteName => {
                let path = url.path.split(['?', '#']).next().unwrap_or_default();
                Some(path.rsplit('/').next().unwrap_or_default().to_owned())
            }
        }
    }

    pub fn method(&self) -> &str {
        match (&self.request, self.head, &self.data) {
            (Some(method), ..) => method,
            (None, true, _) => "HEAD",
            (None, false, Some(_)) => "POST",
            (None, false, None) => "GET",
        }
    }

    /// The request's head, in curl's order of headers.
    pub fn request(&self, url: &Url) -> String {
        let own = |name: &str| {
            self.headers.iter().find(|h| h.split(':').next().is_some_and(|n| n.eq_ignore_ascii_case(name)))
        };
        let version = if self.http10 { "1.0" } else { "1.1" };
        let mut head = format!("{} {} HTTP/{version}\r\n", self.method(), url.path);
        let mut add = |name: &str, value: Option<String>| {
            if own(name).is_none()
                && let Some(value) = value
            {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
        };
        let port = if url.port == url.scheme.port() { String::new() } else { format!(":{}", url.port) };
        let host = match own("Host") {
            Some(header) => header.split_once(':').map_or("", |(_, v)| v.trim()).to_owned(),
            None => format!("{}{port}", url.host),
        };
        let first = format!("Host: {host}\r\n");
        let basic = self.user.as_ref().map(|user| format!("Basic {}", base64(user.as_bytes())));
        add("Authorization", self.bearer.as_ref().map(|token| format!("Bearer {token}")).or(basic));
        add("User-Agent", Some(self.user_agent.clone().unwrap_or_else(|| "curl/7.88.1".to_owned())));
        add("Accept", Some("*/*".to_owned()));
        add("Referer", self.referer.clone());
        add("Cookie", self.cookie.clone());
        let line_end = head.find("\r\n").map_or(0, |at| at + 2);
        head.insert_str(line_end, &first);
        for header in self.headers.iter().filter(|h| !h.to_ascii_lowercase().starts_with("host:")) {
            match header.split_once(':') {
                Some((_, value)) if value.trim().is_empty() => {}
                _ => head.push_str(&format!("{}\r\n", header.replace(';', ""))),
            }
        }
        if let Some(data) = &self.data {
            if own("Content-Length").is_none() {
                head.push_str(&format!("Content-Length: {}\r\n", data.len()));
            }
            if own("Content-Type").is_none() {
                head.push_str("Content-Type: application/x-www-form-urlencoded\r\n");
            }
        }
        head.push_str("\r\n");
        head
    }
}

fn argument(option: &str, value: Option<&String>) -> Result<String, Refused> {
    value.cloned().ok_or_else(|| Refused(2, format!("curl: option {option}: requires parameter\n{TRY}")))
}

/// RFC 4648 section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let sextet = bits >> (18 - 6 * i) & 63;
            text.push(if i <= chunk.len() { char::from(ALPHABET[sextet as usize]) } else { '=' });
        }
    }
    text
}

impl Url {
    fn parse(text: &str) -> Self {
        let bad = || Some((3, "URL using bad/illegal format or missing URL".to_owned()));
        let mut url = Self {
            scheme: Scheme::Http,
            host: String::new(),
            port: 80,
            path: "/".to_owned(),
            problem: None,
            text: text.to_owned(),
        };
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => {
                url.scheme = Scheme::Https;
                rest
            }
            Some((scheme, _)) => {
                url.problem =
                    Some((1, format!("Protocol \"{scheme}\" not supported or disabled in libcurl")));
                return url;
            }
            None => text,
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let path = path.split('#').next().unwrap_or_default();
        url.path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let authority = authority.rsplit('@').next().unwrap_or_default();
        let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
        url.host = host.to_owned();
        url.port = url.scheme.port();
        match port.parse() {
            _ if host.is_empty() => url.problem = bad(),
            Ok(port) => url.port = port,
            Err(_) if port.is_empty() => {}
            Err(_) => url.problem = bad(),
        }
        url
    }

    /// As `%{url_effective}` prints it.
    pub fn effective(&self) -> String {
        if self.text.contains("://") {
            self.text.clone()
        } else {
            format!("http://{}{}", self.text, if self.text.contains('/') { "" } else { "/" })
        }
    }
}
