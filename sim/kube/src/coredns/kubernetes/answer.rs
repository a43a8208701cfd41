use std::net::IpAddr;

use dns::{Message, Name, RData, Record, RecordType, ResponseCode, rdata};

use super::Plugin;
use super::lookup::{Found, Host, NoName};
use super::name_server::default_name;
use super::question::{Asked, Part, parse};
use crate::coredns::cluster::Cluster;
use crate::coredns::message::{depth, question, reply};

/// What the plugin does with a query.
#[derive(Clone, Debug)]
pub enum Served {
    /// The next plugin's matter.
    Next,
    /// It answers.
    Answer(Box<Message>),
    /// It refuses: zones are not handed out.
    Refused,
    /// It has to look up a name outside its zone, as the server would.
    Chase(Box<Chase>),
}

/// Aliases whose last target is none of the plugin's names.
#[derive(Clone, Debug)]
pub struct Chase {
    /// The aliases, in order.
    aliases: Vec<Record>,
    /// The last target.
    pub target: Name,
    /// The type that is asked for.
    pub kind: RecordType,
}

/// So many aliases in a row are followed, and one more. CoreDNS: `maxCnameChainLength`.
const MAX_ALIASES: usize = 10;
/// The version of the names' schema, and how long it is good for.
const SCHEMA_VERSION: (&str, u32) = ("1.1.0", 28_800);

/// Records for an answer.
#[derive(Default)]
struct Records {
    answers: Vec<Record>,
    additionals: Vec<Record>,
}

impl From<Vec<Record>> for Records {
    fn from(answers: Vec<Record>) -> Self {
        Self { answers, additionals: Vec::new() }
    }
}

/// Addresses of a family, or the way to them.
enum Addresses {
    Records(Vec<Record>),
    Chase(Chase),
}

impl Plugin {
    /// Serves a query. CoreDNS: `ServeDNS`.
    pub fn serve(&self, query: &Message, cluster: &Cluster) -> Served {
        let Some(asked) = question(query) else { return Served::Next };
        let below = |zone: &&Name| zone.zone_of(&asked.name);
        let Some(zone) = self.config.zones.iter().filter(below).max_by_key(|zone| zone.len()) else {
            return Served::Next;
        };
        // Answers keep the query's own capitals.
        let zone = asked.name.trim_to(depth(zone));
        let records = match asked.query_type {
            RecordType::A | RecordType::AAAA => {
                match self.addresses(&asked.name, asked.query_type, &zone, cluster) {
                    Ok(Addresses::Chase(chase)) => return Served::Chase(Box::new(chase)),
                    Ok(Addresses::Records(records)) => Ok(records.into()),
                    Err(NoName) => Err(NoName),
                }
            }
            RecordType::AXFR | RecordType::IXFR => return Served::Refused,
            _ => self.others(&asked.name, asked.query_type, &zone, cluster),
        };
        match records {
            Ok(Records { answers, additionals }) if !answers.is_empty() => {
                let mut answer = reply(query, ResponseCode::NoError);
                answer.metadata.authoritative = true;
                answer.answers = answers;
                answer.additionals = additionals;
                Served::Answer(Box::new(answer))
            }
            Ok(_) => self.denied(query, ResponseCode::NoError, &zone, cluster),
            Err(NoName) if self.config.fallthrough.0.iter().any(|below| below.zone_of(&asked.name)) => {
                Served::Next
            }
            Err(NoName) if cluster.is_synced() => self.denied(query, ResponseCode::NXDomain, &zone, cluster),
            Err(NoName) => self.denied(query, ResponseCode::ServFail, &zone, cluster),
        }
    }

    /// The answer to a query whose last alias was looked up.
    pub fn chased(query: &Message, chase: Chase, found: Option<Message>) -> Message {
        let mut answer = reply(query, ResponseCode::NoError);
        answer.metadata.authoritative = true;
        answer.answers = chase.aliases;
        if let Some(found) = found {
            answer.metadata.truncation = found.metadata.truncation;
            answer.answers.extend(found.answers);
        }
        answer
    }

    fn denied(&self, query: &Message, code: ResponseCode, zone: &Name, cluster: &Cluster) -> Served {
        let mut answer = reply(query, code);
        answer.metadata.authoritative = true;
        answer.authorities.push(self.start_of_authority(zone, cluster));
        Served::Answer(Box::new(answer))
    }

    fn start_of_authority(&self, zone: &Name, cluster: &Cluster) -> Record {
        let serial = if self.is_set(zone) { cluster.imports_modified() } else { cluster.modified() };
        let mailbox = zone.prepend_label("hostmaster").unwrap_or_else(|_| zone.clone());
        let ttl = self.config.ttl;
        let soa = rdata::SOA::new(default_name(zone), mailbox, serial, 7200, 1800, 86_400, ttl);
        Record::from_rdata(zone.clone(), ttl.min(300), RData::SOA(soa))
    }

    /// All types but addresses.
    fn others(
        &self,
        name: &Name,
        kind: RecordType,
        zone: &Name,
        cluster: &Cluster,
    ) -> Result<Records, NoName> {
        let record = |data: RData| Record::from_rdata(name.clone(), self.config.ttl, data);
        match kind {
            RecordType::SOA if name.eq_case(zone) => Ok(vec![self.start_of_authority(zone, cluster)].into()),
            RecordType::SOA => Ok(Records::default()),
            RecordType::NS if name.to_lowercase().eq_case(zone) => {
                Ok(self.name_server_records(zone, cluster))
            }
            RecordType::TXT => self.text(name, zone, cluster),
            RecordType::SRV => {
                Ok(self.service_records(name, self.find_or_server(name, kind, zone, cluster)?))
            }
            RecordType::PTR => {
                let names = self.names(name, zone, cluster)?;
                let records = names.into_iter().map(|name| record(RData::PTR(rdata::PTR(name))));
                Ok(records.collect::<Vec<_>>().into())
            }
            RecordType::CNAME => {
                let found = self.find_or_server(name, kind, zone, cluster)?;
                Ok(match found.into_iter().next() {
                    Some(Found { host: Host::Name(target), .. }) => {
                        vec![record(RData::CNAME(rdata::CNAME(target)))].into()
                    }
                    _ => Records::default(),
                })
            }
            // Whether there is such a name at all.
            _ => self.find_or_server(name, RecordType::A, zone, cluster).map(|_| Records::default()),
        }
    }

    /// What stands behind a name; behind the name of the zone's server, this server.
    fn find_or_server(
        &self,
        name: &Name,
        kind: RecordType,
        zone: &Name,
        cluster: &Cluster,
    ) -> Result<Vec<Found>, NoName> {
        if !name.to_lowercase().eq_case(&default_name(zone)) {
            return self.find(name, zone, cluster);
        }
        let of_kind = |address: &IpAddr| (kind == RecordType::A) == address.is_ipv4();
        let wanted = matches!(kind, RecordType::A | RecordType::AAAA);
        let servers = self.name_servers(zone, cluster).into_iter();
        let addresses = servers.map(|(_, address)| address).filter(|address| wanted && of_kind(address));
        let found = |address| Found { host: Host::Address(address), port: Some(0), owner: name.clone() };
        Ok(addresses.map(found).collect())
    }

    /// The addresses of a name, over aliases in the zone if need be. CoreDNS: `plugin.A`,
    /// `plugin.AAAA`.
    fn addresses(
        &self,
        name: &Name,
        kind: RecordType,
        zone: &Name,
        cluster: &Cluster,
    ) -> Result<Addresses, NoName> {
        let ttl = self.config.ttl;
        let mut owner = name.clone();
        let mut aliases: Vec<Record> = Vec::new();
        let nothing = || Ok(Addresses::Records(Vec::new()));
        loop {
            let found = match self.find_or_server(&owner, kind, zone, cluster) {
                Ok(found) => found,
                Err(NoName) if aliases.is_empty() => return Err(NoName),
                Err(NoName) => return nothing(),
            };
            let [Found { host: Host::Name(target), .. }] = &found[..] else {
                let records = address_records(&owner, kind, ttl, &found);
                if records.is_empty() {
                    return nothing();
                }
                aliases.extend(records);
                return Ok(Addresses::Records(aliases));
            };
            let seen = |alias: &Record| matches!(&alias.data, RData::CNAME(seen) if seen.0.eq_case(target));
            if owner.zone_of(target) || aliases.len() > MAX_ALIASES || aliases.iter().any(seen) {
                return nothing();
            }
            let target = target.clone();
            let alias = RData::CNAME(rdata::CNAME(target.clone()));
            aliases.push(Record::from_rdata(owner, ttl, alias));
            if !zone.zone_of(&target) {
                return Ok(Addresses::Chase(Chase { aliases, target, kind }));
            }
            owner = target;
        }
    }

    fn text(&self, name: &Name, zone: &Name, cluster: &Cluster) -> Result<Records, NoName> {
        let lower = name.to_lowercase();
        let mut labels = lower.iter();
        if labels.next() == Some(b"dns-version") && labels.count() == depth(zone) {
            let (text, ttl) = SCHEMA_VERSION;
            let data = RData::TXT(rdata::TXT::new(vec![text.to_owned()]));
            return Ok(vec![Record::from_rdata(name.clone(), ttl, data)].into());
        }
        match self.find(name, zone, cluster)? {
            found if found.is_empty() && !self.is_zonal(name, zone) => Err(NoName),
            _ => Ok(Records::default()),
        }
    }

    /// Whether a name says a zone of the cloud.
    fn is_zonal(&self, name: &Name, zone: &Name) -> bool {
        let asked = parse(name, zone, self.shape(zone));
        matches!(asked, Ok(Asked::Service { part: Part::Zone { .. }, .. }))
    }

    fn name_server_records(&self, zone: &Name, cluster: &Cluster) -> Records {
        let ttl = self.config.ttl;
        let mut records = Records::default();
        let mut seen: Vec<Name> = Vec::new();
        for (name, address) in self.name_servers(zone, cluster) {
            records.additionals.push(address_record(name.clone(), ttl, address));
            if !seen.contains(&name) {
                let data = RData::NS(rdata::NS(name.clone()));
                records.answers.push(Record::from_rdata(zone.clone(), ttl, data));
                seen.push(name);
            }
        }
        records
    }

    /// CoreDNS: `plugin.SRV`.
    fn service_records(&self, name: &Name, found: Vec<Found>) -> Records {
        let ttl = self.config.ttl;
        let mut records = Records::default();
        let is_address = |found: &Found| matches!(found.host, Host::Address(_));
        let found: Vec<Found> = found.into_iter().filter(is_address).collect();
        let weight = u16::try_from(100 / found.len().max(1)).unwrap_or(1).max(1);
        for Found { host, port, owner } in found {
            let (Host::Address(address), Some(port)) = (host, port) else { continue };
            let data = RData::SRV(rdata::SRV::new(0, weight, port, owner.clone()));
            let service = Record::from_rdata(name.clone(), ttl, data);
            if !records.answers.contains(&service) {
                records.answers.push(service);
            }
            let target = address_record(owner, ttl, address);
            if !records.additionals.contains(&target) {
                records.additionals.push(target);
            }
        }
        records
    }
}

fn address_records(owner: &Name, kind: RecordType, ttl: u32, found: &[Found]) -> Vec<Record> {
    let mut seen: Vec<IpAddr> = Vec::new();
    for found in found {
        if let Host::Address(address) = found.host
            && (kind == RecordType::A) == address.is_ipv4()
            && !seen.contains(&address)
        {
            seen.push(address);
        }
    }
    seen.into_iter().map(|address| address_record(owner.clone(), ttl, address)).collect()
}

/// A record with an address.
pub fn address_record(owner: Name, ttl: u32, address: IpAddr) -> Record {
    let data = match address {
        IpAddr::V4(ip) => RData::A(rdata::A(ip)),
        IpAddr::V6(ip) => RData::AAAA(rdata::AAAA(ip)),
    };
    Record::from_rdata(owner, ttl, data)
}
