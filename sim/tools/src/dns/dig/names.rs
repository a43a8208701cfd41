//! The addresses of servers that are given by name. Source: BIND's `bind9_getaddresses`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use dns::{Family, GaiError};
use world::{Sys, Wait};

use crate::dns::lookup::{Lookup, Progress};

/// Names that are looked up by the C library before a tool begins, one after the other.
#[derive(Clone, Debug)]
pub(in crate::dns) struct ServerNames {
    /// The last one first.
    left: Vec<String>,
    running: Option<Lookup>,
    found: BTreeMap<String, Result<Vec<IpAddr>, &'static str>>,
}

impl ServerNames {
    pub fn new(names: Vec<String>) -> Self {
        let is_name = |name: &String| !name.is_empty() && name.parse::<IpAddr>().is_err();
        Self {
            left: names.into_iter().rev().filter(is_name).collect(),
            running: None,
            found: BTreeMap::new(),
        }
    }

    /// Goes on; none when all are done.
    pub fn poll(&mut self, sys: &mut dyn Sys) -> Option<Wait> {
        loop {
            let Some(mut lookup) = self.running.take() else {
                self.running = Some(Lookup::new(&self.left.pop()?, Family::Any));
                continue;
            };
            match lookup.poll(sys) {
                Progress::Wait(wait) => {
                    self.running = Some(lookup);
                    return Some(wait);
                }
                Progress::Done(outcome) => {
                    let addrs = outcome.map(|addresses| addresses.addrs).map_err(|fault| match fault {
                        GaiError::NoName | GaiError::NoData | GaiError::AddrFamily => "not found",
                        _ => "failure",
                    });
                    self.found.insert(lookup.name().to_owned(), addrs);
                }
            }
        }
    }

    /// What was found.
    pub fn get(&self, name: &str) -> Result<Vec<IpAddr>, &'static str> {
        match name.parse::<IpAddr>() {
            Ok(addr) => Ok(vec![addr]),
            Err(_) => self.found.get(name).cloned().unwrap_or(Err("not found")),
        }
    }
}
