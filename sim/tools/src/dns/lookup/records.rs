//! What answers say. glibc: `__res_context_query` in `resolv/res_query.c`, `gaih_getanswer_slice` and
//! `getanswer_r` in `resolv/nss_dns/dns-host.c`.

use std::net::IpAddr;

use dns::nsswitch::Status;
use dns::search::Failure;
use dns::{Addresses, Message, Name, RData, RecordType, ResponseCode};

use super::exchange::Answers;
use super::question::{is_host_name, text_of};

/// Why a service has no addresses (`h_errno`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    NotFound,
    NoData,
    TryAgain,
    NoRecovery,
    Internal,
}

/// What a service made of a name.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Found(Addresses),
    Failed(Status, Problem),
}

impl Outcome {
    pub(super) fn status(&self) -> Status {
        match self {
            Self::Found(_) => Status::Success,
            Self::Failed(status, _) => *status,
        }
    }
}

/// Whether answers are good for anything.
pub(super) fn judge(answers: &Answers) -> Result<(), Failure> {
    let Some(first) = answers.first.as_ref().or(answers.second.as_ref()) else {
        return Err(Failure::TimedOut);
    };
    let second = answers.second.as_ref().unwrap_or(first);
    let good = |message: &Message| {
        message.metadata.response_code == ResponseCode::NoError && !message.answers.is_empty()
    };
    if good(first) || good(second) {
        return Ok(());
    }
    let rcode = match first.metadata.response_code {
        ResponseCode::NoError => second.metadata.response_code,
        rcode => rcode,
    };
    Err(match rcode {
        ResponseCode::NXDomain => Failure::NotFound,
        ResponseCode::ServFail => Failure::ServFail,
        ResponseCode::NoError => Failure::NoData,
        _ => Failure::NoRecovery,
    })
}

fn address(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(a) => Some(IpAddr::V4(a.0)),
        RData::AAAA(aaaa) => Some(IpAddr::V6(aaaa.0)),
        _ => None,
    }
}

/// All addresses of one or two answers, in the order in which they came.
pub(super) fn of_any(answers: &Answers) -> Outcome {
    let mut found = Addresses::default();
    let mut end = Outcome::Failed(Status::NotFound, Problem::NotFound);
    if let Some(first) = &answers.first {
        end = slice(first, &mut found);
    }
    if let Some(second) = &answers.second {
        let other = slice(second, &mut found);
        if end.status() != Status::Success && other.status() != Status::NotFound {
            end = other;
        }
    }
    match end {
        Outcome::Found(_) => Outcome::Found(found),
        failed @ Outcome::Failed(..) => failed,
    }
}

/// Adds an answer's addresses; whose they are is not asked.
fn slice(message: &Message, found: &mut Addresses) -> Outcome {
    if message.answers.is_empty() {
        return Outcome::Failed(Status::NotFound, Problem::NotFound);
    }
    let (mut any, mut alias) = (false, None);
    for record in &message.answers {
        let owner = text_of(&record.name);
        if !is_host_name(&owner) {
            break;
        }
        if let RData::CNAME(target) = &record.data {
            let target = text_of(&target.0);
            if !is_host_name(&target) {
                break;
            }
            alias = Some(target);
        } else if let Some(addr) = address(&record.data) {
            if found.canonical.is_none() {
                found.canonical = Some(alias.clone().unwrap_or(owner));
            }
            found.addrs.push(addr);
            any = true;
        }
    }
    match (any, alias) {
        (true, _) => Outcome::Found(Addresses::default()),
        (false, Some(_)) => Outcome::Failed(Status::NotFound, Problem::NotFound),
        (false, None) => Outcome::Failed(Status::TryAgain, Problem::Internal),
    }
}

/// The addresses of one type that the name has, by its aliases.
pub(super) fn of_one(message: &Message, kind: RecordType) -> Outcome {
    let Some(question) = message.queries.first() else {
        return Outcome::Failed(Status::Unavail, Problem::NoRecovery);
    };
    let mut name = question.name().clone();
    let mut found = Addresses::default();
    for record in &message.answers {
        let owner = text_of(&record.name);
        if !is_host_name(&owner) {
            break;
        }
        if let RData::CNAME(target) = &record.data {
            found.aliases.push(owner);
            name = target.0.clone();
        } else if record.record_type() == kind && record.name == name {
            found.addrs.extend(address(&record.data));
        }
    }
    found.canonical = Some(text_of(&name));
    match (found.addrs.is_empty(), found.aliases.is_empty()) {
        (false, _) => Outcome::Found(found),
        (true, false) => Outcome::Failed(Status::NotFound, Problem::NoRecovery),
        (true, true) => Outcome::Failed(Status::TryAgain, Problem::NoRecovery),
    }
}

/// The name that a PTR record gives.
pub(super) fn pointer(message: &Message) -> Option<String> {
    let mut name: Name = message.queries.first()?.name().clone();
    for record in &message.answers {
        match &record.data {
            RData::CNAME(target) => name = target.0.clone(),
            RData::PTR(target) if record.name == name => {
                return Some(text_of(&target.0)).filter(|name| is_host_name(name));
            }
            _ => {}
        }
    }
    None
}
