//! The name of an address. glibc: `_nss_dns_gethostbyaddr2_r` in `resolv/nss_dns/dns-host.c`,
//! `inet/getnameinfo.c`; musl: `src/network/getnameinfo.c`.

use std::collections::VecDeque;
use std::net::IpAddr;

use dns::hosts::Hosts;
use dns::nsswitch::{Service, Step, hosts_order};
use dns::search::Failure;
use dns::{Addresses, GaiError, Libc, RecordType};
use world::Sys;

use super::exchange::{Exchange, Resolver};
use super::glibc::{extras, failed};
use super::musl::Msend;
use super::question::Question;
use super::records::{Outcome, Problem, judge, pointer};
use super::{Progress, conf, libc};
use crate::net::read_file;

/// An address whose name is looked up.
#[derive(Clone, Debug)]
pub struct Reverse {
    addr: IpAddr,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Fresh,
    Glibc { steps: VecDeque<Step>, dns: Option<(Resolver, Exchange)> },
    Musl(Msend),
}

impl Reverse {
    /// Begins at the first [`poll`](Self::poll).
    pub fn new(addr: IpAddr) -> Self {
        Self { addr, state: State::Fresh }
    }

    /// The address.
    pub fn addr(&self) -> IpAddr {
        self.addr
    }

    /// Goes as far as it can. The names come as `canonical` and `aliases`.
    pub fn poll(&mut self, sys: &mut dyn Sys) -> Progress<Result<Addresses, GaiError>> {
        loop {
            match &mut self.state {
                State::Fresh => match self.begin(sys) {
                    Ok(state) => self.state = state,
                    Err(known) => return Progress::Done(known),
                },
                State::Glibc { steps, dns } => {
                    let outcome = match by_services(sys, self.addr, steps, dns) {
                        Progress::Wait(wait) => return Progress::Wait(wait),
                        Progress::Done(outcome) => outcome,
                    };
                    return Progress::Done(match outcome {
                        Outcome::Found(names) => Ok(names),
                        Outcome::Failed(_, Problem::TryAgain) => Err(GaiError::Again),
                        Outcome::Failed(_, Problem::Internal) => Err(GaiError::System),
                        Outcome::Failed(..) => Err(GaiError::NoName),
                    });
                }
                State::Musl(exchange) => {
                    let answers = match exchange.poll(sys) {
                        Progress::Wait(wait) => return Progress::Wait(wait),
                        Progress::Done(answers) => answers,
                    };
                    let name = answers.first().and_then(Option::as_ref).and_then(pointer);
                    return Progress::Done(name.map(|name| self.named(name)).ok_or(GaiError::NoName));
                }
            }
        }
    }

    /// Gives it up, closing its sockets.
    pub fn cancel(&mut self, sys: &mut dyn Sys) {
        match &mut self.state {
            State::Fresh => {}
            State::Glibc { dns, .. } => {
                if let Some((mut resolver, mut exchange)) = dns.take() {
                    resolver.close(sys);
                    exchange.cancel(sys);
                }
            }
            State::Musl(exchange) => exchange.close(sys),
        }
        self.state = State::Fresh;
    }

    fn named(&self, name: String) -> Addresses {
        Addresses { addrs: vec![self.addr], canonical: Some(name), aliases: Vec::new() }
    }

    fn begin(&self, sys: &mut dyn Sys) -> Result<State, Result<Addresses, GaiError>> {
        match libc(sys) {
            Libc::Glibc => {
                let order = read_file(sys, "/etc/nsswitch.conf").unwrap_or_default();
                Ok(State::Glibc { steps: hosts_order(&order).into(), dns: None })
            }
            Libc::Musl => {
                if let Some(names) = in_files(sys, self.addr) {
                    let first = names.canonical.unwrap_or_default();
                    return Err(Ok(self.named(first)));
                }
                let conf = conf(sys, Libc::Musl);
                match Msend::begin(sys, &arpa(self.addr), &[RecordType::PTR], &conf) {
                    Ok(Some(exchange)) => Ok(State::Musl(exchange)),
                    Ok(None) | Err(_) => Err(Err(GaiError::NoName)),
                }
            }
        }
    }
}

fn in_files(sys: &mut dyn Sys, addr: IpAddr) -> Option<Addresses> {
    let hosts = Hosts::parse(&read_file(sys, "/etc/hosts").unwrap_or_default());
    let (canonical, aliases) = hosts.names(addr)?.split_first()?;
    Some(Addresses { addrs: vec![addr], canonical: Some(canonical.clone()), aliases: aliases.to_vec() })
}

fn by_services(
    sys: &mut dyn Sys,
    addr: IpAddr,
    steps: &mut VecDeque<Step>,
    dns: &mut Option<(Resolver, Exchange)>,
) -> Progress<Outcome> {
    use dns::nsswitch::Status;
    let mut last = Outcome::Failed(Status::Unavail, Problem::Internal);
    while let Some(step) = steps.front() {
        last = match step.service {
            Service::Files => in_files(sys, addr)
                .map_or(Outcome::Failed(Status::NotFound, Problem::NotFound), Outcome::Found),
            Service::Missing => Outcome::Failed(Status::Unavail, Problem::Internal),
            Service::Dns => {
                let (resolver, exchange) = match dns {
                    Some(asked) => asked,
                    None => {
                        let mut resolver = Resolver::new(conf(sys, Libc::Glibc));
                        let extras = extras(&resolver.conf);
                        let question = Question::new(sys, &arpa(addr), RecordType::PTR, extras);
                        let exchange = Exchange::new(sys, &mut resolver, question.into_iter().collect());
                        dns.insert((resolver, exchange))
                    }
                };
                match exchange.poll(sys, resolver) {
                    Progress::Wait(wait) => return Progress::Wait(wait),
                    Progress::Done(answered) => {
                        let name = answered.and_then(|answers| {
                            judge(&answers)?;
                            answers.first.as_ref().and_then(pointer).ok_or(Failure::NoRecovery)
                        });
                        match name {
                            Ok(name) => Outcome::Found(Addresses {
                                addrs: vec![addr],
                                canonical: Some(name),
                                aliases: Vec::new(),
                            }),
                            Err(failure) => failed(failure, failure),
                        }
                    }
                }
            }
        };
        *dns = None;
        if step.ends_with(last.status()) {
            break;
        }
        steps.pop_front();
    }
    Progress::Done(last)
}

/// The name under which DNS knows an address: `1.0.0.10.in-addr.arpa`.
pub fn arpa(addr: IpAddr) -> String {
    match addr {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(v6) => {
            let nibbles = v6.octets().into_iter().rev().flat_map(|byte| [byte & 15, byte >> 4]);
            let mut name: String = nibbles.map(|nibble| format!("{nibble:x}.")).collect();
            name.push_str("ip6.arpa");
            name
        }
    }
}
