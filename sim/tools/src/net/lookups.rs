//! The names that a command looks up before it begins.

use std::net::Ipv4Addr;

use dns::{Addresses, Family, GaiError};
use world::{Sys, Wait};

use crate::dns::lookup::{self, Lookup, Progress};

/// Names and what they stand for, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lookups {
    known: Vec<(String, Family, Result<Addresses, GaiError>)>,
    now: Option<Lookup>,
    wait: Option<Wait>,
}

/// What a name stands for, or why that isn't known.
pub(crate) type Found = Result<Addresses, GaiError>;

impl Lookups {
    /// What a name stands for; `None` while it is looked up, with [`waits`](Self::waits) saying for
    /// what. Ask again with the same name.
    pub(crate) fn get(&mut self, sys: &mut dyn Sys, name: &str, family: Family) -> Option<Found> {
        if let Some((.., found)) = self.known.iter().find(|(n, f, _)| n == name && *f == family) {
            return Some(found.clone());
        }
        if self.now.as_ref().is_some_and(|lookup| lookup.name() != name) {
            return None;
        }
        let lookup = self.now.get_or_insert_with(|| Lookup::new(name, family));
        match lookup.poll(sys) {
            Progress::Wait(wait) => {
                self.wait = Some(wait);
                None
            }
            Progress::Done(found) => {
                self.now = None;
                self.wait = None;
                self.known.push((name.to_owned(), family, found.clone()));
                Some(found)
            }
        }
    }

    /// A name's first IPv4 address, asked as `family` says.
    ///
    /// Simplified: commands reach no IPv6 address.
    pub(crate) fn first(
        &mut self,
        sys: &mut dyn Sys,
        name: &str,
        family: Family,
    ) -> Option<Result<Ipv4Addr, GaiError>> {
        Some(self.get(sys, name, family)?.and_then(|found| found.v4().next().ok_or(GaiError::NoData)))
    }

    /// What is waited for, if a name is looked up.
    pub(crate) fn waits(&self) -> Option<Wait> {
        self.now.as_ref().and(self.wait.clone())
    }
}

/// What this process's C library says of it.
pub(crate) fn why(sys: &dyn Sys, error: GaiError) -> &'static str {
    error.text(lookup::libc(sys))
}
