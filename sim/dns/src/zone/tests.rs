use super::*;
use crate::present;
use crate::zone_file::{CheckNames, read_zone};

const ZONE: &str = "$TTL 3600
@ SOA ns1 admin 1 3600 900 604800 300
 NS ns1
 MX 10 mail
ns1 A 10.0.0.1
mail A 10.0.0.3
 A 10.0.0.2
 AAAA 2001:db8::2
www CNAME web
web A 10.0.0.4
out CNAME www.example.org.
dangling CNAME nobody
loop1 CNAME loop2
loop2 CNAME loop1
*.wild TXT any
host.wild A 10.0.0.5
*.alias CNAME web
a.deep.name A 10.0.0.6
sub NS ns.sub
 NS ns.example.net.
ns.sub A 10.0.0.7
there CNAME host.sub
old DNAME new
x.new A 10.0.0.8
";

fn name(text: &str) -> Name {
    let text = if text == "@" { "example.com.".to_owned() } else { format!("{text}.example.com.") };
    Name::from_ascii(text).expect("a name")
}

/// `NOERROR aa; answers; authorities; additionals`, with owner, type and data of each record.
fn answer(question: &str, authority: bool) -> String {
    let origin = name("@");
    let mut zones = Zones::default();
    zones.insert(read_zone(ZONE.as_bytes(), "z", &origin, CheckNames::Fail).zone.expect("a good zone"));
    let (owner, kind) = question.split_once(' ').expect("name and type");
    let kind = present::parse_record_type(kind).expect("a type");
    let extent = Extent { authority, additional: true };
    let answer = zones.answer(&name(owner), kind, extent).expect("it is in the zone");
    let short = |name: &Name| present::name(name).replace(".example.com.", "").replace("example.com.", "@");
    let section = |sets: &[RrSet]| {
        let records = sets.iter().flat_map(RrSet::records);
        let text = records.map(|record| {
            let data = present::data(&record.data, record.dns_class, &present::Style::default());
            let data = data.replace(".example.com.", "").replace(" 1 3600 900 604800 300", "");
            format!(" {} {} {data}", short(&record.name), present::record_type(record.record_type()))
        });
        text.collect::<Vec<_>>().join(",")
    };
    let aa = if answer.authoritative { " aa" } else { "" };
    let elsewhere = answer.elsewhere.map(|name| format!("; elsewhere {}", short(&name)));
    let sections = [&answer.answers, &answer.authorities, &answer.additionals].map(|sets| section(sets));
    format!("{}{aa};{}{}", present::rcode(answer.code), sections.join(";"), elsewhere.unwrap_or_default())
}

#[test]
fn a_zone_answers_as_bind_does() {
    for (question, expected) in [
        ("mail A", "NOERROR aa; mail A 10.0.0.2, mail A 10.0.0.3;;"),
        ("@ MX", "NOERROR aa; @ MX 10 mail;; mail A 10.0.0.2, mail A 10.0.0.3, mail AAAA 2001:db8::2"),
        ("www A", "NOERROR aa; www CNAME web, web A 10.0.0.4;;"),
        ("www CNAME", "NOERROR aa; www CNAME web;;"),
        ("www AAAA", "NOERROR aa; www CNAME web; @ SOA ns1 admin;"),
        ("out A", "NOERROR aa; out CNAME www.example.org.;;; elsewhere www.example.org."),
        ("dangling A", "NXDOMAIN aa; dangling CNAME nobody; @ SOA ns1 admin;"),
        ("loop1 A", "SERVFAIL aa; loop1 CNAME loop2, loop2 CNAME loop1;;"),
        ("mail TXT", "NOERROR aa;; @ SOA ns1 admin;"),
        ("mail ANY", "NOERROR aa; mail A 10.0.0.2, mail A 10.0.0.3, mail AAAA 2001:db8::2;;"),
        ("nobody A", "NXDOMAIN aa;; @ SOA ns1 admin;"),
        ("deep.name A", "NOERROR aa;; @ SOA ns1 admin;"),
        ("b.deep.name A", "NXDOMAIN aa;; @ SOA ns1 admin;"),
        ("a.wild TXT", "NOERROR aa; a.wild TXT \"any\";;"),
        ("a.b.wild TXT", "NOERROR aa; a.b.wild TXT \"any\";;"),
        ("a.wild A", "NOERROR aa;; @ SOA ns1 admin;"),
        ("host.wild TXT", "NOERROR aa;; @ SOA ns1 admin;"),
        ("a.host.wild TXT", "NXDOMAIN aa;; @ SOA ns1 admin;"),
        ("wild TXT", "NOERROR aa;; @ SOA ns1 admin;"),
        ("a.alias A", "NOERROR aa; a.alias CNAME web, web A 10.0.0.4;;"),
        (
            "host.sub A",
            "NOERROR;; sub NS ns.sub, sub NS ns.example.net.; ns.sub A 10.0.0.7; elsewhere host.sub",
        ),
        ("ns.sub A", "NOERROR;; sub NS ns.sub, sub NS ns.example.net.; ns.sub A 10.0.0.7; elsewhere ns.sub"),
        ("sub DS", "NOERROR aa;; @ SOA ns1 admin;"),
        (
            "there A",
            "NOERROR aa; there CNAME host.sub; sub NS ns.sub, sub NS ns.example.net.; ns.sub A 10.0.0.7; \
             elsewhere host.sub",
        ),
        ("x.old A", "NOERROR aa; old DNAME new, x.old CNAME x.new, x.new A 10.0.0.8;;"),
    ] {
        assert_eq!(answer(question, false), expected, "{question}");
    }
    assert_eq!(answer("web A", true), "NOERROR aa; web A 10.0.0.4; @ NS ns1; ns1 A 10.0.0.1");
    assert_eq!(answer("@ NS", true), "NOERROR aa; @ NS ns1;; ns1 A 10.0.0.1");
    assert_eq!(answer("@ SOA", true), "NOERROR aa; @ SOA ns1 admin; @ NS ns1; ns1 A 10.0.0.1");
}
