//! How elements and options are written. libipset `print.c`.

use std::fmt::{self, Write};
use std::net::Ipv4Addr;

use netfilter::names;
use netfilter::set::{CreateOptions, Entry, SetType};
use packet::Proto;

use super::data::Opt;
use super::icmp;
use super::types;

/// An address with its prefix length, and the end of a range.
fn address(out: &mut String, ip: u32, cidr: Option<u8>, to: Option<u32>) -> fmt::Result {
    let mut one = |ip: u32| {
        write!(out, "{}", Ipv4Addr::from(ip))?;
        cidr.filter(|cidr| *cidr != 32).map_or(Ok(()), |cidr| write!(out, "/{cidr}"))
    };
    one(ip)?;
    match to {
        Some(to) => {
            out.push('-');
            address(out, to, cidr, None)
        }
        None => Ok(()),
    }
}

/// `tcp:80`, `icmp:echo-request`, `80-90`.
fn port(out: &mut String, entry: &Entry) -> fmt::Result {
    let port = entry.port.unwrap_or(0);
    if let Some(proto) = entry.proto {
        match names::protocol(Proto(proto)).filter(|_| proto != 0) {
            Some(name) => write!(out, "{name}:")?,
            None => write!(out, "{proto}:")?,
        }
        if proto == Proto::ICMP.0 {
            let [kind, code] = port.to_be_bytes();
            return match icmp::name(kind, code) {
                Some(name) => out.write_str(name),
                None => write!(out, "{kind}/{code}"),
            };
        }
    }
    write!(out, "{port}")?;
    entry.port_to.map_or(Ok(()), |to| write!(out, "-{to}"))
}

/// An element as ipset prints it; a range's end stands after both addresses.
pub fn element(kind: SetType, entry: &Entry) -> String {
    let mut out = String::new();
    for (at, (opt, _)) in types::of(kind).elem.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        // Writing to a string can't fail.
        let _ = match opt {
            Opt::Ip => address(&mut out, entry.ip.unwrap_or(0), entry.cidr, entry.ip_to),
            Opt::Ip2 => address(&mut out, entry.ip2.unwrap_or(0), entry.cidr2, entry.ip_to),
            Opt::Port => port(&mut out, entry),
            _ => out.write_str(entry.name.as_deref().unwrap_or_default()),
        };
    }
    if let Some(other) = &entry.nameref {
        // ipset looks for `before` where it never stands.
        out.push_str(" after ");
        out.push_str(other);
    }
    out
}

/// The value of an element's option; `None` if it isn't set.
pub fn entry_value(opt: Opt, entry: &Entry) -> Option<String> {
    let hex = |(mark, mask): (u32, u32)| match mask {
        u32::MAX => format!("{mark:#x}"),
        mask => format!("{mark:#x}/{mask:#x}"),
    };
    match opt {
        Opt::Timeout => entry.timeout.map(|n| n.to_string()),
        Opt::Nomatch => entry.nomatch.then(String::new),
        Opt::Packets => entry.packets.map(|n| n.to_string()),
        Opt::Bytes => entry.bytes.map(|n| n.to_string()),
        Opt::AdtComment => entry.comment.as_ref().map(|comment| format!("\"{comment}\"")),
        Opt::Skbmark => entry.skbmark.map(hex),
        Opt::Skbprio => entry.skbprio.map(|prio| format!("{:x}:{:x}", prio >> 16, prio & 0xffff)),
        Opt::Skbqueue => entry.skbqueue.map(|n| n.to_string()),
        _ => None,
    }
}

/// The value of a set's option; `None` if it isn't set.
pub fn option_value(opt: Opt, options: &CreateOptions) -> Option<String> {
    let addr = |ip: u32| Ipv4Addr::from(ip).to_string();
    match opt {
        Opt::Family => Some("inet".to_owned()),
        Opt::Hashsize => options.hashsize.map(|n| n.to_string()),
        Opt::Maxelem => options.maxelem.map(|n| n.to_string()),
        Opt::Netmask => options.netmask.map(|n| n.to_string()),
        Opt::Bitmask => options.bitmask.map(addr),
        Opt::Size => options.size.map(|n| n.to_string()),
        Opt::Timeout => options.timeout.map(|n| n.to_string()),
        Opt::Counters => options.counters.then(String::new),
        Opt::CreateComment => options.comment.then(String::new),
        Opt::Skbinfo => options.skbinfo.then(String::new),
        Opt::Bucketsize => options.bucketsize.map(|n| n.to_string()),
        Opt::Initval => options.initval.map(|n| format!("{n:#010x}")),
        Opt::Ip => Some(format!("{}-{}", addr(options.ip?), addr(options.ip_to?))),
        Opt::Port => Some(format!("{}-{}", options.port?, options.port_to?)),
        _ => None,
    }
}
