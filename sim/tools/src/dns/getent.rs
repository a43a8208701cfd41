//! `getent hosts|ahosts|ahostsv4|ahostsv6`. glibc: `nss/getent.c`.
//!
//! Simplified: it prints as glibc's does also where the C library is musl; the other databases are
//! refused.

use std::net::IpAddr;

use dns::{Addresses, Family, Hosts};
use world::{Args, Next, Program, Registry, Sys};

use super::lookup::{Lookup, Progress, Reverse};
use crate::net::{complain, read_file, say};

const TRY: &str = "Try `getent --help' or `getent --usage' for more information.\n";

/// Databases of the real one that hoplab has nothing for.
const OTHERS: [&str; 11] = [
    "aliases",
    "ethers",
    "group",
    "gshadow",
    "initgroups",
    "netgroup",
    "networks",
    "passwd",
    "protocols",
    "rpc",
    "services",
];

/// Status of a key that isn't there.
const NOT_FOUND: i32 = 2;

/// Installs `getent`.
pub(super) fn install(registry: &mut Registry) {
    registry.install("getent", |args| Box::new(Getent { args, work: None }));
}

#[derive(Clone, Debug)]
struct Getent {
    args: Args,
    work: Option<Work>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Database {
    Hosts,
    Ahosts(Family),
}

#[derive(Clone, Debug)]
struct Work {
    database: Database,
    /// The keys that are left, the last one first.
    keys: Vec<String>,
    now: Option<Asked>,
    status: i32,
}

#[derive(Clone, Debug)]
enum Asked {
    /// A name, and in which family it is asked next if this one has nothing.
    Name(Lookup, Option<Family>),
    Address(Reverse),
}

/// What is said at once, on which stream, and the status.
enum Start {
    Work(Box<Work>),
    Said(i32, String),
}

impl Getent {
    fn start(&self, sys: &mut dyn Sys) -> Start {
        let mut words = Vec::new();
        for arg in &self.args[1..] {
            match arg.as_str() {
                // Without IPv6, IDN changes nothing for the names that are known here.
                "-i" | "--no-idn" | "-A" | "--no-addrconfig" => {}
                "-s" | "--service" | "-?" | "--help" | "--usage" | "-V" | "--version" => {
                    return Start::Said(1, format!("hoplab: getent {arg} is not simulated\n"));
                }
                option if option.starts_with("--") && option.len() > 2 => {
                    return Start::Said(64, format!("getent: unrecognized option '{option}'\n{TRY}"));
                }
                option if option.starts_with('-') && option.len() > 1 => {
                    let letter = option.chars().nth(1).unwrap_or('-');
                    return Start::Said(64, format!("getent: invalid option -- '{letter}'\n{TRY}"));
                }
                word => words.push(word.to_owned()),
            }
        }
        if words.is_empty() {
            return Start::Said(1, format!("getent: wrong number of arguments\n{TRY}"));
        }
        let name = words.remove(0);
        let database = match name.as_str() {
            "hosts" => Database::Hosts,
            "ahosts" => Database::Ahosts(Family::Any),
            "ahostsv4" => Database::Ahosts(Family::V4),
            "ahostsv6" => Database::Ahosts(Family::V6),
            other if OTHERS.contains(&other) || other == "shadow" => {
                return Start::Said(1, format!("hoplab: getent {other} is not simulated\n"));
            }
            other => return Start::Said(1, format!("Unknown database: {other}\n{TRY}")),
        };
        if words.is_empty() {
            let hosts = Hosts::parse(&read_file(sys, "/etc/hosts").unwrap_or_default());
            return Start::Said(
                0,
                hosts.entries().map(|(addr, names)| line(addr, &names.join(" "))).collect(),
            );
        }
        words.reverse();
        Start::Work(Box::new(Work { database, keys: words, now: None, status: 0 }))
    }
}

fn line(addr: IpAddr, names: &str) -> String {
    format!("{:<15} {names}\n", addr.to_string())
}

impl Asked {
    fn new(database: Database, key: &str) -> Self {
        match (database, key.parse::<IpAddr>()) {
            (Database::Hosts, Ok(addr)) => Self::Address(Reverse::new(addr)),
            (Database::Hosts, Err(_)) | (Database::Ahosts(Family::V6), _) => {
                Self::Name(Lookup::new(key, Family::V6), Some(Family::V4))
            }
            (Database::Ahosts(family), _) => Self::Name(Lookup::new(key, family), None),
        }
    }

    fn poll(&mut self, sys: &mut dyn Sys) -> Progress<Option<Addresses>> {
        loop {
            let progress = match self {
                Self::Name(lookup, _) => lookup.poll(sys),
                Self::Address(reverse) => reverse.poll(sys),
            };
            match (progress, &mut *self) {
                (Progress::Wait(wait), _) => return Progress::Wait(wait),
                (Progress::Done(Err(_)), Self::Name(lookup, other @ Some(_))) => {
                    *lookup = Lookup::new(lookup.name(), other.take().unwrap_or(Family::V4));
                }
                (Progress::Done(found), _) => return Progress::Done(found.ok()),
            }
        }
    }
}

fn print(database: Database, found: &Addresses) -> String {
    let canonical = found.canonical.as_deref().unwrap_or_default();
    let mut text = String::new();
    match database {
        Database::Hosts => {
            let names = [&[canonical.to_owned()], &found.aliases[..]].concat().join(" ");
            text.extend(found.addrs.iter().map(|addr| line(*addr, &names)));
        }
        Database::Ahosts(family) => {
            let mut canonical = Some(canonical);
            for addr in &found.addrs {
                let addr = match addr {
                    IpAddr::V4(v4) if family == Family::V6 => IpAddr::V6(v4.to_ipv6_mapped()),
                    addr => *addr,
                };
                for kind in ["STREAM", "DGRAM", "RAW"] {
                    text.push_str(&line(
                        addr,
                        &format!("{kind:<6} {}", canonical.take().unwrap_or_default()),
                    ));
                }
            }
        }
    }
    text
}

impl Program for Getent {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        if self.work.is_none() {
            match self.start(sys) {
                Start::Work(work) => self.work = Some(*work),
                Start::Said(status, text) => {
                    if status == 0 {
                        say(sys, &text);
                    } else {
                        complain(sys, &text);
                    }
                    return Next::Exit(status);
                }
            }
        }
        let Some(work) = &mut self.work else { return Next::Exit(1) };
        while let Some(key) = work.keys.last() {
            let asked = work.now.get_or_insert_with(|| Asked::new(work.database, key));
            let found = match asked.poll(sys) {
                Progress::Wait(wait) => return Next::Wait(wait),
                Progress::Done(found) => found,
            };
            match found {
                Some(found) => say(sys, &print(work.database, &found)),
                None => work.status = NOT_FOUND,
            }
            work.now = None;
            work.keys.pop();
        }
        Next::Exit(work.status)
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
