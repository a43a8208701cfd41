use std::collections::BTreeMap;
use std::time::Duration;

use super::{Printer, Style};
use crate::net::tcpdump::filter::LinkType;
use crate::net::tcpdump::names::Names;
use crate::net::tcpdump::options::Options;
use crate::net::tcpdump::pcap::Record;
use crate::net::tcpdump::samples::sample;

/// Prints samples, joined by commas, under options.
fn check(options: &str, samples: &str, expected: &str) {
    let args: Vec<String> = options.split_whitespace().map(str::to_owned).collect();
    let style = Options::parse(&args).map_or_else(|_| Style::default(), |options| options.style);
    let names = Names::parse("10.0.0.2 r\n", "http 80/tcp\n");
    let mut printer = Printer::new(style, names, BTreeMap::new());
    let mut text = String::new();
    for name in samples.split(", ") {
        let bytes = sample(name);
        let len = bytes.len();
        text.push_str(&printer.packet(
            LinkType::Ethernet,
            &Record { at: Duration::new(1_735_689_661, 500_000_000), bytes, len },
        ));
    }
    assert_eq!(text, format!("{expected}\n"), "{options}: {samples}");
}

/// Lines of recordings.
#[test]
fn packets_print_as_tcpdump_prints_them() {
    for (options, samples, expected) in [
        ("-n -t", "arp request", "ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28"),
        ("-n -t", "arp reply", "ARP, Reply 10.0.0.2 is-at 02:00:00:00:01:02, length 28"),
        (
            "-n -t -v",
            "arp request",
            "ARP, Ethernet (len 6), IPv4 (len 4), Request who-has 10.0.0.2 tell 10.0.0.1, length 28",
        ),
        (
            "-n -t -e",
            "arp request",
            "02:00:00:00:01:01 > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42: Request who-has 10.0.0.2 tell 10.0.0.1, length 28",
        ),
        ("-n -t", "ping", "IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 5, seq 1, length 64"),
        ("-t", "ping", "IP 10.0.0.1 > r: ICMP echo request, id 5, seq 1, length 64"),
        (
            "-n -t -v",
            "ping",
            "IP (tos 0x0, ttl 64, id 7, offset 0, flags [DF], proto ICMP (1), length 84)\n    10.0.0.1 > 10.0.0.2: ICMP echo request, id 5, seq 1, length 64",
        ),
        (
            "-n -tt",
            "pong",
            "1735689661.500000 IP 10.0.0.2 > 10.0.0.1: ICMP echo reply, id 5, seq 1, length 64",
        ),
        (
            "-n -tttt",
            "pong",
            "2025-01-01 00:01:01.500000 IP 10.0.0.2 > 10.0.0.1: ICMP echo reply, id 5, seq 1, length 64",
        ),
        ("-n", "pong", "00:01:01.500000 IP 10.0.0.2 > 10.0.0.1: ICMP echo reply, id 5, seq 1, length 64"),
        ("-n -t", "probe", "IP 10.0.0.1.1111 > 10.0.0.2.9000: UDP, length 5"),
        (
            "-n -t",
            "port unreachable",
            "IP 10.0.0.2 > 10.0.0.1: ICMP 10.0.0.2 udp port 9001 unreachable, length 41",
        ),
        (
            "-n -t -v",
            "port unreachable",
            "IP (tos 0xc0, ttl 64, id 7, offset 0, flags [none], proto ICMP (1), length 61)\n    10.0.0.2 > 10.0.0.1: ICMP 10.0.0.2 udp port 9001 unreachable, length 41\n\tIP (tos 0x0, ttl 64, id 7, offset 0, flags [DF], proto UDP (17), length 33)\n    10.0.0.1.1112 > 10.0.0.2.9001: UDP, length 5",
        ),
        (
            "-n -t",
            "reset",
            "IP 10.0.0.2.8001 > 10.0.0.1.1113: Flags [R.], seq 0, ack 101, win 64240, length 0",
        ),
        ("-n -t -q", "syn", "IP 10.0.0.1.1113 > 10.0.0.2.8001: tcp 0"),
        (
            "-n -t",
            "http syn, http syn-ack, http ack, http get",
            "IP 10.0.0.1.2000 > 10.0.0.2.80: Flags [S], seq 1000, win 64240, length 0\nIP 10.0.0.2.80 > 10.0.0.1.2000: Flags [S.], seq 5000, ack 1001, win 64240, length 0\nIP 10.0.0.1.2000 > 10.0.0.2.80: Flags [.], ack 1, win 64240, length 0\nIP 10.0.0.1.2000 > 10.0.0.2.80: Flags [P.], seq 1:28, ack 1, win 64240, length 27: HTTP: GET / HTTP/1.1",
        ),
        ("-t", "http ack", "IP 10.0.0.1.2000 > r.http: Flags [.], ack 5001, win 64240, length 0"),
        ("-n -t", "fragment", "IP 10.0.0.1 > 10.0.0.2: ip-proto-1"),
        (
            "-n -t",
            "vxlan",
            "IP 10.0.0.1.4000 > 10.0.0.2.4789: VXLAN, flags [I] (0x08), vni 7\nIP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 5, seq 1, length 64",
        ),
        (
            "-n -t -e",
            "tagged",
            "02:00:00:00:01:01 > 02:00:00:00:01:02, ethertype 802.1Q (0x8100), length 102: vlan 10, p 0, ethertype IPv4 (0x0800), 10.0.0.1 > 10.0.0.2: ICMP echo request, id 5, seq 1, length 64",
        ),
        (
            "-n -t -x",
            "arp reply",
            "ARP, Reply 10.0.0.2 is-at 02:00:00:00:01:02, length 28\n\t0x0000:  0001 0800 0604 0002 0200 0000 0102 0a00\n\t0x0010:  0002 0200 0000 0101 0a00 0001",
        ),
    ] {
        check(options, samples, expected);
    }
}

/// IP in IP as deep as a packet can be.
#[test]
fn the_printer_gives_up_in_the_depth() {
    let mut bytes = Vec::new();
    for left in (1..=3276_u16).rev() {
        let [high, low] = (left * 20).to_be_bytes();
        bytes.extend([0x45, 0, high, low, 0, 0, 0, 0, 64, 4, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    }
    let mut printer = Printer::new(Style::default(), Names::parse("", ""), BTreeMap::new());
    let record = Record { at: Duration::ZERO, len: bytes.len(), bytes };
    let text = printer.packet(LinkType::Raw, &record);
    assert!(text.ends_with("IP 10.0.0.1 > 10.0.0.2:  [|ip]\n"), "{}", &text[..200]);
    assert_eq!(text.matches("IP ").count(), 100);
}
