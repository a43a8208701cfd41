//! What is saved can be restored, a change prints as its command, and nothing that is typed ends
//! in anything but a message.

use std::net::Ipv4Addr;

use netfilter::Netfilter;
use netfilter::set::{SetChange, SetType};
use packet::SimTime;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::command::{Command, Env, Refused, parse, split};
use super::list::list;
use super::parse::{Known, Report};

struct Sets<'a>(&'a Netfilter);

impl Known for Sets<'_> {
    fn kind(&self, set: &str) -> Option<SetType> {
        self.0.sets()?.kind(set)
    }

    fn resolve(&self, _: &str) -> Option<Ipv4Addr> {
        None
    }
}

/// What a line asks for.
fn read(netfilter: &Netfilter, line: &str) -> Result<Option<SetChange>, String> {
    let (mut env, mut report) = (Env::default(), Report { line: 1, ..Report::default() });
    let said = |refused: Refused, report: &Report| match refused {
        Refused::Usage(_, text) => text,
        Refused::Reported => report.text.clone(),
    };
    let words = split(line).map_err(|refused| said(refused, &report))?;
    match parse(&words, &mut env, &mut report, &Sets(netfilter)) {
        Ok(command) => Ok(Command::change(command, env.exist)),
        Err(refused) => Err(said(refused, &report)),
    }
}

/// Carries out a line; answers what is wrong with it.
fn run(netfilter: &mut Netfilter, line: &str) -> Result<(), String> {
    let Some(change) = read(netfilter, line)? else { return Ok(()) };
    netfilter.change_sets(&change, 7, SimTime::ZERO, &mut Vec::new()).map_err(|error| error.to_string())
}

fn save(netfilter: &Netfilter) -> String {
    list(&netfilter.list_sets(None, SimTime::ZERO), &Env::default(), true)
}

fn one(words: &'static [&'static str]) -> BoxedStrategy<String> {
    select(words).prop_map(str::to_owned).boxed()
}

fn address() -> BoxedStrategy<String> {
    (0..4_u8, 0..8_u8).prop_map(|(c, d)| format!("10.0.{c}.{d}")).boxed()
}

/// An address, a prefix or a range.
fn range() -> BoxedStrategy<String> {
    prop_oneof![
        4 => address(),
        1 => (address(), 22..=32_u8).prop_map(|(addr, len)| format!("{addr}/{len}")),
        1 => (0..4_u8, 0..4_u8, 4..8_u8).prop_map(|(c, from, to)| format!("10.0.{c}.{from}-10.0.{c}.{to}")),
    ]
    .boxed()
}

fn port() -> BoxedStrategy<String> {
    one(&["80", "tcp:1-5", "udp:domain", "icmp:ping", "icmp:3/9", "sctp:7", "gre:0", "99:0", "5-2"])
}

/// A set's name and an element that may fit it.
fn element() -> BoxedStrategy<String> {
    prop_oneof![
        (one(&["ip", "masked", "net", "map"]), range()).prop_map(|(set, ip)| format!("{set} {ip}")),
        (one(&["svc", "netsvc"]), range(), port()).prop_map(|(set, ip, port)| format!("{set} {ip},{port}")),
        (one(&["three", "tnet"]), range(), port(), range())
            .prop_map(|(set, ip, port, ip2)| format!("{set} {ip},{port},{ip2}")),
        (0..120_u8).prop_map(|port| format!("ports {port}")),
        (one(&["ip", "net", "svc", "nosuch"]), one(&["", " before ip", " after net"]))
            .prop_map(|(member, place)| format!("list {member}{place}")),
    ]
    .boxed()
}

fn extension() -> BoxedStrategy<String> {
    one(&[
        "",
        " timeout 9",
        " timeout 0",
        " nomatch",
        " packets 5",
        " bytes 7 packets 8",
        " comment \"two words\"",
        " skbmark 0x1/0xff",
        " skbprio 1:a skbqueue 3",
    ])
}

fn line() -> BoxedStrategy<String> {
    let adt = (one(&["add", "-exist add", "del"]), element(), extension())
        .prop_map(|(verb, element, extension)| format!("{verb} {element}{extension}"));
    let sets = one(&["swap ip masked", "rename ip again", "flush net", "destroy ports", "swap net netsvc"]);
    prop_oneof![20 => adt, 1 => sets].boxed()
}

/// Sets of every type, with some extensions.
fn creations() -> BoxedStrategy<Vec<String>> {
    let options =
        one(&["", " timeout 60", " counters comment", " skbinfo", " comment timeout 0 counters skbinfo"]);
    let hash = one(&["", " hashsize 64", " maxelem 9000", " initval 0x7 bucketsize 2", " forceadd"]);
    (options, hash)
        .prop_map(|(options, hash)| {
            [
                format!("ip hash:ip{hash}"),
                format!("masked hash:ip netmask 30{hash}"),
                format!("net hash:net{hash}"),
                format!("svc hash:ip,port{hash}"),
                format!("netsvc hash:net,port{hash}"),
                format!("three hash:ip,port,ip{hash}"),
                format!("tnet hash:ip,port,net{hash}"),
                "ports bitmap:port range 7-100".to_owned(),
                "map bitmap:ip range 10.0.0.0/22 netmask 30".to_owned(),
                "list list:set size 5".to_owned(),
            ]
            .map(|set| format!("create {set}{options}"))
            .to_vec()
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    // Not with what Linux stores without its mask (a range of hash:ip,port, a range given backwards),
    // nor with full sets, which reuse places beyond their maximum.
    #[test]
    fn what_is_saved_is_restored((creations, lines) in (creations(), vec(line(), 0..120))) {
        let mut netfilter = Netfilter::default();
        for creation in &creations {
            prop_assert_eq!(run(&mut netfilter, creation), Ok(()), "{}", creation);
        }
        for line in &lines {
            // Many don't fit; those are refused.
            let _ = run(&mut netfilter, line);
        }
        let saved = save(&netfilter);
        let mut again = Netfilter::default();
        for line in saved.lines() {
            prop_assert_eq!(run(&mut again, line), Ok(()), "{}", line);
        }
        prop_assert_eq!(save(&again), saved);
    }

    #[test]
    fn a_change_prints_as_its_command((creations, line) in (creations(), line())) {
        let mut netfilter = Netfilter::default();
        for creation in &creations {
            run(&mut netfilter, creation).expect(creation);
        }
        for line in creations.iter().chain([&line]) {
            let Ok(Some(change)) = read(&netfilter, line) else { continue };
            let printed = change.to_string();
            let words = printed.strip_prefix("ipset ").expect("the tool's name comes first");
            prop_assert_eq!(read(&netfilter, words), Ok(Some(change)), "{}", printed);
        }
    }

    #[test]
    fn anything_ends_in_a_message(
        (creations, lines) in (creations(), vec("[a-z0-9 :,./\"\\[\\]!-]{0,60}|(add|del|test) (ip|svc|tnet|list) \\PC{0,40}", 0..20)),
    ) {
        let mut netfilter = Netfilter::default();
        for line in creations.iter().chain(&lines) {
            if let Err(message) = run(&mut netfilter, line) {
                prop_assert!(!message.is_empty(), "{}", line);
            }
        }
        save(&netfilter);
    }
}
