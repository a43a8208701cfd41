use dns::{Message, Record, RecordType, ResponseCode};

use crate::coredns::message;

/// Shuffles the addresses of an answer; aliases come first. CoreDNS: `randomShuffle`.
pub fn shuffle(answer: &mut Message, random: &mut dyn FnMut() -> u64) {
    if answer.metadata.response_code != ResponseCode::NoError
        || matches!(message::kind(answer), RecordType::AXFR | RecordType::IXFR)
    {
        return;
    }
    for section in [&mut answer.answers, &mut answer.authorities, &mut answer.additionals] {
        if section.len() > 1 {
            arrange(section, random);
        }
    }
}

fn arrange(records: &mut Vec<Record>, random: &mut dyn FnMut() -> u64) {
    let mut parts: [Vec<Record>; 4] = Default::default();
    for record in records.drain(..) {
        let part = match record.record_type() {
            RecordType::CNAME => 0,
            RecordType::A | RecordType::AAAA => 2,
            RecordType::MX => 3,
            _ => 1,
        };
        parts[part].push(record);
    }
    deal(&mut parts[2], random);
    deal(&mut parts[3], random);
    records.extend(parts.into_iter().flatten());
}

/// CoreDNS: `roundRobinShuffle`, which is none.
fn deal(records: &mut [Record], random: &mut dyn FnMut() -> u64) {
    // CoreDNS takes the random id of a message.
    let mut id = || usize::try_from(random() & 0xffff).unwrap_or_default();
    match records.len() {
        0 | 1 => {}
        2 => {
            if id() % 2 == 0 {
                records.swap(0, 1);
            }
        }
        count => {
            for at in 0..count {
                records.swap(at, at + id() % (count - at));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dns::{Name, RData, rdata};

    #[test]
    fn addresses_change_places_and_aliases_stay_first() {
        let name = Name::from_ascii("a.example.").expect("a name");
        let mut answer = message::reply(&dns::query(1, name.clone(), RecordType::A), ResponseCode::NoError);
        for last in 1..=3 {
            let address = RData::A(rdata::A([10, 0, 0, last].into()));
            answer.answers.push(Record::from_rdata(name.clone(), 5, address));
        }
        answer.answers.push(Record::from_rdata(name.clone(), 5, RData::CNAME(rdata::CNAME(name))));
        let mut numbers = [2, 0, 0].into_iter().cycle();
        shuffle(&mut answer, &mut || numbers.next().unwrap_or_default());
        let said: Vec<String> = answer.answers.iter().map(|record| record.data.to_string()).collect();
        assert_eq!(said, ["a.example.", "10.0.0.3", "10.0.0.2", "10.0.0.1"]);
    }
}
