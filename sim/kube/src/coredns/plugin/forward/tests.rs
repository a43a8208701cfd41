use super::*;
use crate::coredns::corefile::HealthCheck;
use dns::Name;

fn forward(servers: usize, policy: Policy, protocol: Upstream) -> Forward {
    let to = (1..=servers).map(|last| format!("10.0.0.{last}:53").parse().expect("an address")).collect();
    let health_check = HealthCheck {
        interval: Duration::from_millis(500),
        recursion: Recursion::Desired,
        domain: Name::root(),
    };
    Forward::new(&Config {
        from: Name::root(),
        except: Vec::new(),
        to,
        policy,
        max_concurrent: Some(1),
        protocol,
        expire: Duration::from_secs(10),
        max_fails: 2,
        health_check,
    })
}

fn at(millis: u64) -> SimTime {
    SimTime::ZERO + Duration::from_millis(millis)
}

/// Which servers a query tries, each failing after so many milliseconds, and when it gives up.
fn check(forward: &mut Forward, fails_after: u64, expected: &str) {
    let mut random = || 0;
    let mut now = 0;
    let mut attempt = forward.begin(Transport::Udp, at(now), &mut random).expect("the first one");
    let mut tried = Vec::new();
    let mut next = forward.go_on(&mut attempt, at(now), &mut random);
    while let Try::Ask { to, transport, .. } = next {
        tried.push(format!("{}@{now}/{}", to.ip(), transport.name()));
        now += fails_after;
        next = forward.failed(&mut attempt, "i/o timeout".to_owned(), at(now), &mut random);
    }
    forward.end();
    assert_eq!(format!("{} until {now}: {next:?}", tried.join(" ")), expected);
}

#[test]
fn servers_are_tried_in_turn_until_time_or_patience_ends() {
    let timeout = "Failed(\"i/o timeout\")";
    let one = &mut forward(1, Policy::Sequential, Upstream::AsAsked);
    check(one, 2000, &format!("10.0.0.1@0/udp 10.0.0.1@2000/udp until 4000: {timeout}"));
    check(one, 0, &format!("10.0.0.1@0/udp 10.0.0.1@0/udp until 0: {timeout}"));
    let two = &mut forward(2, Policy::Sequential, Upstream::ForceTcp);
    let tried = "10.0.0.1@0/tcp 10.0.0.2@2000/tcp 10.0.0.1@4000/tcp";
    check(two, 2000, &format!("{tried} until 6000: {timeout}"));
    let turn = &mut forward(3, Policy::RoundRobin, Upstream::AsAsked);
    let tried = "10.0.0.2@0/udp 10.0.0.1@3000/udp";
    check(turn, 3000, &format!("{tried} until 6000: {timeout}"));
    let tried = "10.0.0.3@0/udp 10.0.0.1@3000/udp";
    check(turn, 3000, &format!("{tried} until 6000: {timeout}"));
}

#[test]
fn a_server_that_fails_three_checks_is_down() {
    let mut forward = forward(2, Policy::Sequential, Upstream::AsAsked);
    let mut random = || 0;
    let mut attempt = forward.begin(Transport::Udp, at(0), &mut random).expect("the first one");
    assert_eq!(
        forward.begin(Transport::Udp, at(0), &mut random).expect_err("a second one"),
        "concurrent queries exceeded maximum 1"
    );
    forward.go_on(&mut attempt, at(0), &mut random);
    forward.failed(&mut attempt, "i/o timeout".to_owned(), at(0), &mut random);
    for check in 0..3 {
        let now = at(check * 1500);
        let due: Vec<SocketAddr> = forward.tick(now, &mut random).into_iter().map(|(_, to, _)| to).collect();
        assert_eq!(due.len(), 1, "check {check}");
        forward.checked(0, false, now + CHECK_READ);
        assert_eq!(forward.next(), Some(now + Duration::from_millis(1500)));
    }
    forward.end();
    let mut attempt = forward.begin(Transport::Udp, at(9000), &mut random).expect("the first one");
    let asked = forward.go_on(&mut attempt, at(9000), &mut random);
    assert!(matches!(asked, Try::Ask { to, .. } if to.to_string() == "10.0.0.2:53"), "{asked:?}");
    forward.checked(0, true, at(9000));
    assert_eq!(forward.next(), None);
}

#[test]
fn truncated_answers_are_asked_again_by_tcp_and_others_are_none() {
    let query = dns::query(7, Name::from_ascii("a.example.").expect("a name"), RecordType::A);
    let mut answer = message::reply(&query, ResponseCode::NoError);
    answer.metadata.id = 99;
    answer.metadata.truncation = true;
    let mut random = || 0;
    let mut begin = |protocol| {
        let mut forward = forward(1, Policy::Random, protocol);
        let mut attempt = forward.begin(Transport::Udp, at(0), &mut random).expect("the first one");
        forward.go_on(&mut attempt, at(0), &mut random);
        (forward, attempt)
    };
    let (forward, mut attempt) = begin(Upstream::PreferUdp);
    let again = forward.answered(&mut attempt, &query, answer.clone());
    assert!(matches!(again, Try::Ask { transport: Transport::Tcp, .. }), "{again:?}");
    let (forward, mut attempt) = begin(Upstream::AsAsked);
    let good = forward.answered(&mut attempt, &query, answer.clone());
    let id = |tried: &Try| if let Try::Answer(answer) = tried { Some(answer.metadata.id) } else { None };
    assert_eq!(id(&good), Some(7));
    answer.queries.clear();
    let Try::Answer(wrong) = forward.answered(&mut attempt, &query, answer) else { panic!("an answer") };
    assert_eq!(wrong.metadata.response_code, ResponseCode::FormErr);
}
