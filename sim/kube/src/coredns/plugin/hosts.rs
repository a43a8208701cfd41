use std::collections::BTreeMap;
use std::net::IpAddr;

use dns::{Message, Name, RData, Record, RecordType, ResponseCode, rdata};

use crate::coredns::corefile::{Hosts as Config, Reverse};
use crate::coredns::kubernetes::{address_record, reverse_address};
use crate::coredns::message::{question, reply};

/// The `hosts` plugin: names from a hosts file and from the Corefile. CoreDNS: `plugin/hosts`.
#[derive(Clone, Debug)]
pub struct Hosts {
    /// What the Corefile says.
    pub config: Config,
    file: Entries,
    inline: Entries,
}

/// What the lines of a hosts file say.
#[derive(Clone, Debug, Default)]
struct Entries {
    addresses: BTreeMap<Name, Vec<IpAddr>>,
    names: BTreeMap<IpAddr, Vec<Name>>,
}

/// What the plugin does with a query.
pub enum Served {
    /// The next plugin's matter.
    Next,
    /// It answers.
    Answer(Message),
    /// There is no such name; without a zone there is no way to say so.
    Failed,
}

impl Hosts {
    /// As the Corefile says; the file has yet to come.
    pub fn new(config: &Config) -> Self {
        let inline = Entries::read(&config.inline.join("\n"), config);
        Self { config: config.clone(), file: Entries::default(), inline }
    }

    /// Takes what is in the file.
    pub fn set_file(&mut self, text: &str) {
        self.file = Entries::read(text, &self.config);
    }

    /// Serves a query.
    pub fn serve(&self, query: &Message) -> Served {
        let Some(asked) = question(query) else { return Served::Next };
        let name = asked.name.to_lowercase();
        let kind = asked.query_type;
        let ours = self.config.zones.iter().any(|zone| zone.zone_of(&name));
        if !ours && kind != RecordType::PTR {
            return Served::Next;
        }
        let records: Vec<RData> = match kind {
            RecordType::PTR => {
                let names = reverse_address(&name).map(|address| self.names(address)).unwrap_or_default();
                if names.is_empty() {
                    return Served::Next;
                }
                names.into_iter().map(|name| RData::PTR(rdata::PTR(name))).collect()
            }
            RecordType::A | RecordType::AAAA => {
                let v4 = kind == RecordType::A;
                let found = self.addresses(&name).into_iter().filter(|address| address.is_ipv4() == v4);
                found.map(|address| address_record(name.clone(), 0, address).data).collect()
            }
            _ => Vec::new(),
        };
        if records.is_empty() && self.addresses(&name).is_empty() {
            let falls = self.config.fallthrough.0.iter().any(|below| below.zone_of(&name));
            return if falls { Served::Next } else { Served::Failed };
        }
        let mut answer = reply(query, ResponseCode::NoError);
        answer.metadata.authoritative = true;
        let record = |data| Record::from_rdata(name.clone(), self.config.ttl, data);
        answer.answers = records.into_iter().map(record).collect();
        Served::Answer(answer)
    }

    /// The file's addresses, then the Corefile's.
    fn addresses(&self, name: &Name) -> Vec<IpAddr> {
        let of = |entries: &Entries| entries.addresses_of(name).to_vec();
        [of(&self.file), of(&self.inline)].concat()
    }

    fn names(&self, address: IpAddr) -> Vec<Name> {
        let of = |entries: &Entries| entries.names.get(&address).cloned().unwrap_or_default();
        [of(&self.file), of(&self.inline)].concat()
    }
}

impl Entries {
    fn read(text: &str, config: &Config) -> Self {
        let mut entries = Self::default();
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_whitespace();
            let address = words.next().map(|word| word.split('%').next().unwrap_or_default());
            let Some(address) = address.and_then(|word| word.parse::<IpAddr>().ok()) else { continue };
            let address = address.to_canonical();
            for word in words {
                let Ok(mut name) = Name::from_ascii(word.to_lowercase()) else { continue };
                name.set_fqdn(true);
                if !config.zones.iter().any(|zone| zone.zone_of(&name)) {
                    continue;
                }
                if config.reverse == Reverse::Answered && !name.is_wildcard() {
                    entries.names.entry(address).or_default().push(name.clone());
                }
                entries.addresses.entry(name).or_default().push(address);
            }
        }
        entries
    }

    /// Those of a name, or of the wildcard in its place.
    fn addresses_of(&self, name: &Name) -> &[IpAddr] {
        let wildcard = || self.addresses.get(&name.clone().into_wildcard());
        self.addresses.get(name).or_else(wildcard).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coredns::corefile::Fallthrough;

    fn check(query: (&str, RecordType), expected: &str) {
        let root = Name::root();
        let mut hosts = Hosts::new(&Config {
            path: "/etc/hosts".to_owned(),
            zones: vec![Name::from_ascii("example.org.").expect("a name")],
            inline: vec!["10.0.0.1 Example.ORG".to_owned(), "10.0.0.9 *.example.org".to_owned()],
            fallthrough: Fallthrough(vec![Name::from_ascii("fall.example.org.").expect("a name")]),
            reverse: Reverse::Answered,
            ttl: 60,
            reload: std::time::Duration::ZERO,
        });
        hosts.set_file("# a comment\n::1 example.org # another\n127.0.0.1 example.org other.net\nnonsense\n");
        let name = root.clone().append_domain(&Name::from_ascii(query.0).expect("a name")).expect("short");
        let said = match hosts.serve(&dns::query(1, name, query.1)) {
            Served::Next => "next".to_owned(),
            Served::Failed => "failed".to_owned(),
            Served::Answer(answer) => {
                let texts: Vec<String> =
                    answer.answers.iter().map(|record| format!("{} {}", record.ttl, record.data)).collect();
                texts.join(", ")
            }
        };
        assert_eq!(said, expected, "{query:?}");
    }

    #[test]
    fn a_file_and_lines_of_the_corefile() {
        for (query, expected) in [
            (("example.org.", RecordType::A), "60 127.0.0.1, 60 10.0.0.1"),
            (("EXAMPLE.org.", RecordType::AAAA), "60 ::1"),
            (("example.org.", RecordType::MX), ""),
            (("a.example.org.", RecordType::A), "60 10.0.0.9"),
            (("a.b.example.org.", RecordType::A), "failed"),
            (("x.fall.example.org.", RecordType::A), "next"),
            (("other.net.", RecordType::A), "next"),
            (("1.0.0.10.in-addr.arpa.", RecordType::PTR), "60 example.org."),
            (("2.0.0.10.in-addr.arpa.", RecordType::PTR), "next"),
        ] {
            check(query, expected);
        }
    }
}
