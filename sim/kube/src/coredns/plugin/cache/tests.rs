use super::*;
use crate::coredns::corefile::{Prefetch, ServeStale};
use dns::{RData, rdata};

fn name(text: &str) -> Name {
    Name::from_ascii(text).expect("a name")
}

fn config() -> Config {
    let side = |max, min| CacheSide {
        capacity: 2,
        max_ttl: Duration::from_secs(max),
        min_ttl: Duration::from_secs(min),
        except: Vec::new(),
    };
    Config {
        zones: vec![Name::root()],
        success: side(3600, 5),
        denial: side(1800, 5),
        prefetch: None,
        serve_stale: None,
        servfail: Duration::from_secs(5),
        ttl: CachedTtl::Left,
    }
}

fn query(text: &str) -> Message {
    dns::query(1, name(text), RecordType::A)
}

/// An answer with addresses of these TTLs, or a denial with an SOA record of one.
fn answer(query: &Message, code: ResponseCode, addresses: &[u32], soa: Option<u32>) -> Message {
    let mut answer = reply(query, code);
    let owner = message::name(query);
    let address = RData::A(rdata::A([10, 0, 0, 1].into()));
    let record = |ttl: &u32| Record::from_rdata(owner.clone(), *ttl, address.clone());
    answer.answers = addresses.iter().map(record).collect();
    answer.authorities.extend(soa.map(|ttl| {
        let soa = rdata::SOA::new(Name::root(), Name::root(), 1, 1, 1, 1, ttl);
        Record::from_rdata(Name::root(), ttl, RData::SOA(soa))
    }));
    answer
}

fn seconds(seconds: u64) -> SimTime {
    SimTime::ZERO + Duration::from_secs(seconds)
}

/// What a cache says after so many seconds of an answer that it got at the start.
fn check(config: Config, given: &Message, after: u64, expected: &str) {
    let mut cache = Cache::new(&config);
    let query = query("a.example.");
    cache.put(&query, &mut given.clone(), SimTime::ZERO);
    let said = match cache.get(&query, seconds(after)) {
        None => "nothing".to_owned(),
        Some(Hit { answer, side, age, refresh }) => {
            let ttls = answer.answers.iter().chain(&answer.authorities).map(|record| record.ttl.to_string());
            let ttls: Vec<String> = ttls.collect();
            let refresh = if refresh { " refresh" } else { "" };
            format!("{side} {age:?} {}{refresh}", ttls.join(","))
        }
    };
    assert_eq!(said, expected, "{given:?} after {after} s");
}

#[test]
fn answers_are_kept_as_long_as_their_records() {
    use ResponseCode::{NXDomain, NoError, Refused, ServFail};
    let query = query("a.example.");
    let good = answer(&query, NoError, &[30, 40], None);
    check(config(), &good, 0, "success Fresh 30,30");
    check(config(), &good, 29, "success Fresh 1,1");
    check(config(), &good, 30, "nothing");
    check(config(), &answer(&query, NoError, &[1], None), 4, "success Fresh 1");
    check(config(), &answer(&query, NoError, &[90_000], None), 0, "success Fresh 3600");
    check(config(), &answer(&query, NXDomain, &[], Some(60)), 10, "denial Fresh 50");
    check(config(), &answer(&query, NXDomain, &[], None), 0, "nothing");
    check(config(), &answer(&query, NoError, &[], Some(9000)), 0, "denial Fresh 1800");
    check(config(), &answer(&query, ServFail, &[], None), 4, "denial Fresh ");
    check(config(), &answer(&query, ServFail, &[], None), 5, "nothing");
    check(config(), &answer(&query, Refused, &[], None), 0, "nothing");
    let mut cut = good.clone();
    cut.metadata.truncation = true;
    check(config(), &cut, 0, "nothing");
    let kept = Config { ttl: CachedTtl::Kept, ..config() };
    check(kept, &good, 10, "success Fresh 30,30");
    let mut except = config();
    except.success.except.push(name("example."));
    check(except, &good, 0, "nothing");
}

#[test]
fn popular_and_stale_answers_are_fetched_again() {
    let query = query("a.example.");
    let good = answer(&query, ResponseCode::NoError, &[30], None);
    let stale = |refresh| Some(ServeStale { up_to: Duration::from_secs(60), refresh });
    let immediate = Config { serve_stale: stale(Refresh::Immediate), ..config() };
    check(immediate.clone(), &good, 40, "success Stale 0 refresh");
    check(immediate, &good, 90, "nothing");
    check(Config { serve_stale: stale(Refresh::Verify), ..config() }, &good, 40, "success Stale 0");
    let prefetch = Prefetch { amount: 2, duration: Duration::from_secs(60), percentage: 10 };
    let mut cache = Cache::new(&Config { prefetch: Some(prefetch), ..config() });
    cache.put(&query, &mut good.clone(), SimTime::ZERO);
    let refreshes: Vec<bool> =
        [1, 2, 27, 28].map(|at| cache.get(&query, seconds(at)).is_some_and(|hit| hit.refresh)).to_vec();
    assert_eq!(refreshes, [false, false, true, false]);
}

#[test]
fn the_oldest_answer_goes_if_there_are_too_many() {
    let mut cache = Cache::new(&config());
    for text in ["a.", "b.", "c."] {
        let query = query(text);
        cache.put(&query, &mut answer(&query, ResponseCode::NoError, &[30], None), SimTime::ZERO);
    }
    let found = ["a.", "b.", "c."].map(|text| cache.get(&query(text), SimTime::ZERO).is_some());
    assert_eq!(found, [false, true, true]);
}
