//! The options that `etcd` takes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tools::net::GoFlags;
use world::{Args, Sys};

use super::client::host_and_port;

const VALUED: &[&str] = &[
    "name",
    "data-dir",
    "listen-client-urls",
    "advertise-client-urls",
    "listen-peer-urls",
    "initial-advertise-peer-urls",
    "initial-cluster",
    "initial-cluster-state",
    "initial-cluster-token",
    "logger",
    "log-level",
    "auto-compaction-retention",
    "heartbeat-interval",
    "election-timeout",
    "snapshot-count",
];
const SWITCHES: &[&str] = &["version", "enable-v2", "debug", "client-cert-auth", "peer-client-cert-auth"];

/// What `etcd` is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub version: bool,
    pub name: String,
    pub data_dir: String,
    pub listen: Vec<SocketAddr>,
    pub advertise: Vec<String>,
    pub peer: String,
}

/// How `etcd` ends before it serves: its status and what it says.
pub(super) struct Refused(pub i32, pub String);

impl Options {
    pub fn parse(sys: &mut dyn Sys, args: &Args) -> Result<Self, Refused> {
        let mut flags = GoFlags::parse(args.get(1..).unwrap_or_default(), VALUED, SWITCHES)
            .map_err(|error| Refused(2, format!("{error}\nTry 'etcd --help' for more information.\n")))?;
        if let Some(word) = flags.words.first() {
            return Err(Refused(1, format!("'{word}' is not a valid flag\n")));
        }
        // Options may come from the environment too.
        for name in VALUED {
            let variable = format!("ETCD_{}", name.to_ascii_uppercase().replace('-', "_"));
            if let Some(value) = sys.env(&variable).filter(|_| flags.get(name).is_none()) {
                flags.values.push(((*name).to_owned(), value));
            }
        }
        let get = |name: &str| flags.get(name).filter(|value| !value.is_empty());
        let cluster = get("initial-cluster").unwrap_or_default();
        if cluster.contains(',') || get("initial-cluster-state") == Some("existing") {
            let text = "hoplab: etcd: a cluster of several members is not simulated\n";
            return Err(Refused(1, text.to_owned()));
        }
        let listening = get("listen-client-urls");
        let advertised = get("advertise-client-urls");
        if listening.is_some() && advertised.is_none() {
            let text = "--advertise-client-urls is required when --listen-client-urls is set explicitly\n";
            return Err(Refused(1, text.to_owned()));
        }
        let urls = listening.unwrap_or("http://localhost:2379,http://localhost:4001");
        let advertise = advertised.unwrap_or("http://localhost:2379,http://localhost:4001");
        let mut listen = Vec::new();
        for url in urls.split(',') {
            let wrong = |why: &str| {
                Refused(2, format!("invalid value \"{urls}\" for flag -listen-client-urls: {why}\n"))
            };
            if url.starts_with("https://") {
                return Err(Refused(1, "hoplab: etcd over TLS is not simulated\n".to_owned()));
            }
            let plain = url
                .strip_prefix("http://")
                .ok_or_else(|| wrong(&format!("URL scheme must be http, https, unix, or unixs: {url}")))?;
            let (host, port) = host_and_port(plain).ok_or_else(|| {
                wrong("URL address does not have the form \"host:port\": ".to_owned().as_str())
            })?;
            let addr = if host == "localhost" {
                IpAddr::V4(Ipv4Addr::LOCALHOST)
            } else {
                host.parse().map_err(|_| wrong(&format!("expected IP in URL for binding ({url})")))?
            };
            listen.push(SocketAddr::new(addr, port));
        }
        let name = get("name").unwrap_or("default").to_owned();
        Ok(Self {
            version: flags.has("version"),
            data_dir: get("data-dir").map_or_else(|| format!("{name}.etcd"), str::to_owned),
            name,
            listen,
            advertise: advertise.split(',').map(str::to_owned).collect(),
            peer: get("initial-advertise-peer-urls").unwrap_or("http://localhost:2380").to_owned(),
        })
    }
}
