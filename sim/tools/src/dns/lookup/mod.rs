//! getaddrinfo(3) and getnameinfo(3) as state machines: what every command does with a host's name.
//!
//! A process asks as the C library of its root does: musl where its dynamic linker is, glibc 2.36
//! elsewhere.
//!
//! Simplified: there is no nscd and no `HOSTALIASES`. Simulated kernels have no IPv6, but AAAA is asked
//! for as on a host that has link-local addresses; addresses of IPv6 come after those that can be
//! reached.

mod exchange;
mod glibc;
mod musl;
mod question;
mod records;
mod reverse;
mod sort;
mod stream;
#[cfg(test)]
mod tests;

pub use self::reverse::Reverse;

use std::net::{IpAddr, Ipv6Addr};

use dns::resolv_conf::Surroundings;
use dns::{Addresses, Family, GaiError, Libc, ResolvConf, inet_aton};
use world::{Sys, Wait};

use crate::net::read_file;

/// The dynamic linker of images whose C library is musl.
pub const MUSL_LINKER: &str = "/lib/ld-musl-x86_64.so.1";

/// How far something is.
#[derive(Clone, Debug)]
pub enum Progress<T> {
    /// It waits for that.
    Wait(Wait),
    /// It is over.
    Done(T),
}

/// A name whose addresses are looked up.
#[derive(Clone, Debug)]
pub struct Lookup {
    name: String,
    family: Family,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Fresh,
    Glibc(glibc::ByServices),
    Musl(musl::ByNames),
}

impl Lookup {
    /// Begins at the first [`poll`](Self::poll).
    pub fn new(name: &str, family: Family) -> Self {
        Self { name: name.to_owned(), family, state: State::Fresh }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Goes as far as it can.
    pub fn poll(&mut self, sys: &mut dyn Sys) -> Progress<Result<Addresses, GaiError>> {
        loop {
            let (libc, progress) = match &mut self.state {
                State::Glibc(state) => (Libc::Glibc, state.poll(sys)),
                State::Musl(state) => (Libc::Musl, state.poll(sys)),
                State::Fresh => {
                    let libc = libc(sys);
                    if let Some(known) = numeric(libc, &self.name, self.family) {
                        return Progress::Done(known);
                    }
                    self.state = match libc {
                        Libc::Glibc => State::Glibc(glibc::ByServices::new(sys, &self.name, self.family)),
                        Libc::Musl => State::Musl(musl::ByNames::new(sys, &self.name, self.family)),
                    };
                    continue;
                }
            };
            return match progress {
                Progress::Done(Ok(mut addresses)) => {
                    sort::sort(sys, libc, self.family, &mut addresses.addrs);
                    Progress::Done(Ok(addresses))
                }
                progress => progress,
            };
        }
    }

    /// Gives it up, closing its sockets.
    pub fn cancel(&mut self, sys: &mut dyn Sys) {
        match &mut self.state {
            State::Fresh => {}
            State::Glibc(state) => state.cancel(sys),
            State::Musl(state) => state.cancel(sys),
        }
        self.state = State::Fresh;
    }
}

/// The C library of this process.
pub fn libc(sys: &dyn Sys) -> Libc {
    if sys.stat(MUSL_LINKER).is_ok() { Libc::Musl } else { Libc::Glibc }
}

/// This process's /etc/resolv.conf as its C library reads it.
pub fn conf(sys: &mut dyn Sys, libc: Libc) -> ResolvConf {
    let text = read_file(sys, "/etc/resolv.conf").unwrap_or_default();
    let around = Surroundings {
        local_domain: sys.env("LOCALDOMAIN"),
        options: sys.env("RES_OPTIONS"),
        hostname: sys.hostname(),
    };
    ResolvConf::parse(libc, &text, &around)
}

/// What needs no lookup: an address, or what is too short or long for a name.
fn numeric(libc: Libc, name: &str, family: Family) -> Option<Result<Addresses, GaiError>> {
    /// Bytes of a name that musl takes.
    const MAX_NAME: usize = 254;
    let v6 = || name.split('%').next().unwrap_or(name).parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let Some(addr) = inet_aton(name).map(IpAddr::V4).or_else(v6) else {
        let nameless = name.is_empty() || (libc == Libc::Musl && name.len() > MAX_NAME);
        return nameless.then_some(Err(GaiError::NoName));
    };
    let mapped = match addr {
        IpAddr::V6(v6) if libc == Libc::Glibc && family == Family::V4 => v6.to_ipv4_mapped(),
        IpAddr::V4(_) | IpAddr::V6(_) => None,
    };
    let addr = mapped.map_or(addr, IpAddr::V4);
    Some(match (family.includes(addr), libc) {
        (true, _) => {
            Ok(Addresses { addrs: vec![addr], canonical: Some(name.to_owned()), aliases: Vec::new() })
        }
        (false, Libc::Glibc) => Err(GaiError::AddrFamily),
        (false, Libc::Musl) => Err(GaiError::NoData),
    })
}
