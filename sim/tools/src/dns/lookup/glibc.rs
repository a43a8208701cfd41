//! A name's addresses as glibc finds them: the services of nsswitch.conf in turn. glibc:
//! `sysdeps/posix/getaddrinfo.c`, `resolv/nss_dns/dns-host.c`.

use std::collections::VecDeque;

use dns::hosts::{Found, Hosts};
use dns::nsswitch::{Service, Status, Step, hosts_order};
use dns::resolv_conf::{Flag, ResolvConf};
use dns::search::{Failure, Search};
use dns::{Addresses, Family, GaiError, Libc, RecordType};
use world::Sys;

use super::exchange::{Exchange, Resolver};
use super::question::{Extras, Question, is_host_name, kinds};
use super::records::{Outcome, Problem, judge, of_any, of_one};
use super::{Progress, conf};
use crate::net::read_file;

/// What EDNS says, with `edns0` (`RESOLV_EDNS_BUFFER_SIZE`).
const EDNS_SIZE: u16 = 1200;

/// A lookup that goes on.
#[derive(Clone, Debug)]
pub(super) struct ByServices {
    name: String,
    family: Family,
    steps: VecDeque<Step>,
    dns: Option<ByDns>,
}

/// What DNS is asked for a name.
#[derive(Clone, Debug)]
struct ByDns {
    resolver: Resolver,
    search: Search,
    kinds: &'static [RecordType],
    exchange: Option<Exchange>,
}

impl ByServices {
    pub(super) fn new(sys: &mut dyn Sys, name: &str, family: Family) -> Self {
        let order = read_file(sys, "/etc/nsswitch.conf").unwrap_or_default();
        Self { name: name.to_owned(), family, steps: hosts_order(&order).into(), dns: None }
    }

    pub(super) fn poll(&mut self, sys: &mut dyn Sys) -> Progress<Result<Addresses, GaiError>> {
        let mut last = Outcome::Failed(Status::Unavail, Problem::Internal);
        while let Some(step) = self.steps.front() {
            last = match step.service {
                Service::Files => self.files(sys),
                Service::Missing => Outcome::Failed(Status::Unavail, Problem::Internal),
                Service::Dns if !is_host_name(&self.name) => {
                    Outcome::Failed(Status::NotFound, Problem::NotFound)
                }
                Service::Dns => {
                    let dns = match &mut self.dns {
                        Some(dns) => dns,
                        None => self.dns.insert(ByDns::new(conf(sys, Libc::Glibc), &self.name, self.family)),
                    };
                    match dns.poll(sys) {
                        Progress::Wait(wait) => return Progress::Wait(wait),
                        Progress::Done(outcome) => outcome,
                    }
                }
            };
            self.dns = None;
            if step.ends_with(last.status()) {
                break;
            }
            self.steps.pop_front();
        }
        Progress::Done(match last {
            Outcome::Found(addresses) => Ok(addresses),
            Outcome::Failed(status, problem) => Err(error(self.family, status, problem)),
        })
    }

    fn files(&self, sys: &mut dyn Sys) -> Outcome {
        let text = read_file(sys, "/etc/hosts").unwrap_or_default();
        match Hosts::parse(&text).find(Libc::Glibc, &self.name, self.family) {
            Found::Addresses(addresses) => Outcome::Found(addresses),
            Found::OtherFamily | Found::Nothing => Outcome::Failed(Status::NotFound, Problem::NotFound),
        }
    }

    pub(super) fn cancel(&mut self, sys: &mut dyn Sys) {
        if let Some(mut dns) = self.dns.take() {
            dns.resolver.close(sys);
            if let Some(mut exchange) = dns.exchange {
                exchange.cancel(sys);
            }
        }
    }
}

/// What getaddrinfo(3) answers. For IPv4 alone it takes a simpler way.
fn error(family: Family, status: Status, problem: Problem) -> GaiError {
    let found_nobody = matches!(status, Status::Success | Status::NotFound);
    match (family, problem) {
        (_, Problem::Internal) if !found_nobody => GaiError::System,
        (Family::V4, Problem::TryAgain) if found_nobody => GaiError::NoName,
        (_, Problem::TryAgain) => GaiError::Again,
        (_, Problem::NoData) => GaiError::NoData,
        (Family::V4, _) if !found_nobody => GaiError::NoData,
        (_, Problem::NotFound | Problem::NoRecovery | Problem::Internal) => GaiError::NoName,
    }
}

impl ByDns {
    fn new(conf: ResolvConf, name: &str, family: Family) -> Self {
        let kinds = match family {
            Family::Any if conf.has(Flag::NoAaaa) => kinds(Family::V4),
            family => kinds(family),
        };
        let search = Search::new(name, &conf);
        Self { resolver: Resolver::new(conf), search, kinds, exchange: None }
    }

    fn poll(&mut self, sys: &mut dyn Sys) -> Progress<Outcome> {
        loop {
            let answered = match &mut self.exchange {
                Some(exchange) => match exchange.poll(sys, &mut self.resolver) {
                    Progress::Wait(wait) => return Progress::Wait(wait),
                    Progress::Done(answered) => answered,
                },
                None => match self.begin(sys) {
                    Ok(exchange) => {
                        self.exchange = Some(exchange);
                        continue;
                    }
                    Err(failure) => Err(failure),
                },
            };
            self.exchange = None;
            let failure = match answered.and_then(|answers| judge(&answers).map(|()| answers)) {
                Ok(answers) => {
                    return Progress::Done(match (self.kinds, &answers.first) {
                        ([kind], Some(message)) => of_one(message, *kind),
                        _ => of_any(&answers),
                    });
                }
                Err(failure) => failure,
            };
            if let Some(verdict) = self.search.fail(failure) {
                return Progress::Done(failed(verdict, failure));
            }
        }
    }

    fn begin(&mut self, sys: &mut dyn Sys) -> Result<Exchange, Failure> {
        let name = self.search.current().ok_or(Failure::NotFound)?;
        let extras = extras(&self.resolver.conf);
        let question = |kind: &RecordType| Question::new(sys, name, *kind, extras);
        let questions: Option<Vec<Question>> = self.kinds.iter().map(question).collect();
        Ok(Exchange::new(sys, &mut self.resolver, questions.ok_or(Failure::NoRecovery)?))
    }
}

/// What the options add to each question.
pub(super) fn extras(conf: &ResolvConf) -> Extras {
    Extras { edns: conf.has(Flag::Edns0).then_some(EDNS_SIZE), authentic: conf.has(Flag::TrustAd) }
}

/// The verdict on a name; the status is by how the last of the names failed that were asked for it.
pub(super) fn failed(verdict: Failure, last: Failure) -> Outcome {
    let status = match last {
        Failure::ServFail | Failure::TimedOut | Failure::Unreachable => Status::Unavail,
        Failure::NotFound | Failure::NoData | Failure::NoRecovery => Status::NotFound,
    };
    Outcome::Failed(
        status,
        match verdict {
            Failure::NotFound => Problem::NotFound,
            Failure::NoData => Problem::NoData,
            Failure::ServFail | Failure::TimedOut | Failure::Unreachable => Problem::TryAgain,
            Failure::NoRecovery => Problem::NoRecovery,
        },
    )
}
