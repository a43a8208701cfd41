//! One device as `ip link` and `ip addr` print it. iproute2: `print_linkinfo` in `ip/ipaddress.c`.

use kernel::Stats;
use kernel::dump::LinkInfo;

use super::link_details;
use super::options::Options;
use crate::iproute::args::Family;
use crate::iproute::env::Env;
use crate::iproute::names::group_name;
use crate::iproute::printer::Printer;

const IFF_UP: u32 = 0x1;
const IFF_RUNNING: u32 = 0x40;
const IFF_POINTOPOINT: u32 = 0x10;

/// Bits of `include/uapi/linux/if.h` in the order they are printed.
const FLAGS: &[(u32, &str)] = &[
    (0x8, "LOOPBACK"),
    (0x2, "BROADCAST"),
    (0x10, "POINTOPOINT"),
    (0x1000, "MULTICAST"),
    (0x80, "NOARP"),
    (0x200, "ALLMULTI"),
    (0x100, "PROMISC"),
    (0x400, "MASTER"),
    (0x800, "SLAVE"),
    (0x4, "DEBUG"),
    (0x8000, "DYNAMIC"),
    (0x4000, "AUTOMEDIA"),
    (0x2000, "PORTSEL"),
    (0x20, "NOTRAILERS"),
    (0x1, "UP"),
    (0x1_0000, "LOWER_UP"),
    (0x2_0000, "DORMANT"),
    (0x4_0000, "ECHO"),
];

/// Whether the list is `ip link`'s or `ip addr`'s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// `ip link`: mode, alias and statistics belong to it.
    Link,
    /// `ip addr`.
    Addr,
}

/// The device's name with what it is linked to; answers whether that device is down.
/// iproute2: `print_name_and_link`.
pub fn print_name_and_link(p: &mut Printer, template: &str, link: &LinkInfo, env: Env<'_>) -> bool {
    let mut shown = link.name.clone();
    let mut lower_is_down = false;
    if let Some(index) = link.link {
        if index.0 == 0 {
            p.js_null("link");
            shown = format!("{shown}@NONE");
        } else if link.link_netnsid.is_some() || link.link_name.is_none() {
            p.js("link_index", index.0);
            shown = format!("{shown}@if{}", index.0);
        } else {
            let lower = env.link_at(index);
            let name = link.link_name.clone().unwrap_or_default();
            p.js("link", name.as_str());
            shown = format!("{shown}@{name}");
            lower_is_down = lower.is_none_or(|other| other.flags & IFF_UP == 0);
        }
    }
    if p.is_json() {
        p.js("ifname", link.name.as_str());
    } else {
        p.fp(&pad(template, &shown));
    }
    lower_is_down
}

/// `%s` or `%-16s` as `{}` or `{:16}`.
fn pad(template: &str, text: &str) -> String {
    match template.split_once("{:16}") {
        Some((head, tail)) => format!("{head}{text:<16}{tail}"),
        None => template.replacen("{}", text, 1),
    }
}

/// `<BROADCAST,UP,…> `.
pub fn print_link_flags(p: &mut Printer, flags: u32, lower_is_down: bool) {
    p.open_array_or("flags", "<");
    if flags & IFF_UP != 0 && flags & IFF_RUNNING == 0 {
        p.element("NO-CARRIER", "NO-CARRIER,");
    }
    let mut rest = flags & !IFF_RUNNING;
    for (bit, name) in FLAGS {
        if rest & bit != 0 {
            rest &= !bit;
            let text = if rest != 0 { format!("{name},") } else { (*name).to_owned() };
            p.element(name, &text);
        }
    }
    if rest != 0 {
        p.element(&format!("{rest:x}"), &format!("{rest:x}"));
    }
    if lower_is_down {
        p.element("M-DOWN", ",M-DOWN");
    }
    p.close_array("> ");
}

/// iproute2: `ll_type_n2a`.
pub fn link_type_name(arphrd: u16) -> String {
    match arphrd {
        1 => "ether".to_owned(),
        768 => "ipip".to_owned(),
        769 => "tunnel6".to_owned(),
        772 => "loopback".to_owned(),
        776 => "sit".to_owned(),
        778 => "gre".to_owned(),
        65534 => "none".to_owned(),
        other => format!("[{other}]"),
    }
}

/// One device in one line.
pub fn print_brief(p: &mut Printer, link: &LinkInfo, listing: Listing, env: Env<'_>) {
    let lower_is_down = print_name_and_link(p, "{:16} ", link, env);
    if p.is_json() {
        p.js("operstate", link.operstate);
    } else {
        p.fp(&format!("{:<14} ", link.operstate));
    }
    if listing == Listing::Link {
        if let Some(address) = link_address(link) {
            p.any("address", "{} ", address);
        }
        print_link_flags(p, link.flags, lower_is_down);
        p.fp("\n");
    }
}

fn link_address(link: &LinkInfo) -> Option<String> {
    match (&link.address, &link.tunnel) {
        (Some((own, _)), _) => Some(own.to_string()),
        (None, Some((own, _))) => Some(own.to_string()),
        (None, None) => None,
    }
}

fn broadcast_address(link: &LinkInfo) -> Option<String> {
    match (&link.address, &link.tunnel) {
        (Some((_, broadcast)), _) => Some(broadcast.to_string()),
        (None, Some((_, remote))) => Some(remote.to_string()),
        (None, None) => None,
    }
}

/// One device in full, with the newline at its end.
pub fn print_link(p: &mut Printer, link: &LinkInfo, listing: Listing, options: &Options, env: Env<'_>) {
    p.any("ifindex", "{}: ", link.ifindex.0);
    let lower_is_down = print_name_and_link(p, "{}: ", link, env);
    print_link_flags(p, link.flags, lower_is_down);
    p.any("mtu", "mtu {} ", link.mtu);
    p.any("qdisc", "qdisc {} ", link.qdisc.as_str());
    if let Some(master) = &link.master {
        p.any("master", "master {} ", master.as_str());
    }
    p.any("operstate", "state {} ", link.operstate);
    if listing == Listing::Link {
        p.any("linkmode", "mode {} ", "DEFAULT");
    }
    p.any("group", "group {} ", group_name(link.group, options.numeric));
    if link.txqueuelen != 0 {
        p.any("txqlen", "qlen {}", link.txqueuelen);
    }
    let families = matches!(options.family, Family::Unspec | Family::Packet);
    if families || options.details {
        p.nl();
        p.any("link_type", "    link/{} ", link_type_name(link.arphrd));
        if let Some(address) = link_address(link) {
            p.any("address", "{}", address);
        }
        if let Some(broadcast) = broadcast_address(link) {
            if link.flags & IFF_POINTOPOINT != 0 {
                p.fp(" peer ");
                p.js_bool("link_pointtopoint", true);
            } else {
                p.fp(" brd ");
            }
            p.any("broadcast", "{}", broadcast);
        }
    }
    if let Some(id) = link.link_netnsid {
        p.js("link_netnsid", id);
        match &link.link_netns_name {
            Some(name) => p.fp(&format!(" link-netns {name}")),
            None => p.fp(&format!(" link-netnsid {id}")),
        }
    }
    if options.details {
        link_details::print(p, link, listing, env);
    }
    if (listing == Listing::Link || options.details)
        && let Some(alias) = link.alias.as_ref().filter(|alias| !alias.is_empty())
    {
        p.nl();
        p.fp("    ");
        p.any("ifalias", "alias {}", alias.as_str());
    }
    if listing == Listing::Link && options.stats > 0 {
        p.nl();
        print_stats(p, &link.stats, link.carrier_changes, options);
    }
    if !link.altnames.is_empty() {
        p.open_array("altnames");
        for name in &link.altnames {
            p.nl();
            p.element(name, &format!("    altname {name}"));
        }
        p.close_array("");
    }
    p.fp("\n");
}

/// Counters in columns as wide as the widest number. iproute2: `print_stats64`.
pub fn print_stats(p: &mut Printer, s: &Stats, carrier_changes: u32, options: &Options) {
    let detailed = options.stats > 1;
    if p.is_json() {
        p.open_object("stats64");
        p.open_object("rx");
        for (key, value) in [
            ("bytes", s.rx_bytes),
            ("packets", s.rx_packets),
            ("errors", s.rx_errors),
            ("dropped", s.rx_dropped),
            ("over_errors", 0),
            ("multicast", s.multicast),
        ] {
            p.js(key, value);
        }
        if detailed {
            for key in ["length_errors", "crc_errors", "frame_errors", "fifo_errors", "missed_errors"] {
                p.js(key, 0u64);
            }
        }
        p.close_object();
        p.open_object("tx");
        for (key, value) in [
            ("bytes", s.tx_bytes),
            ("packets", s.tx_packets),
            ("errors", s.tx_errors),
            ("dropped", s.tx_dropped),
            ("carrier_errors", s.tx_carrier),
            ("collisions", s.collisions),
        ] {
            p.js(key, value);
        }
        if detailed {
            for key in ["aborted_errors", "fifo_errors", "window_errors", "heartbeat_errors"] {
                p.js(key, 0u64);
            }
            p.js("carrier_changes", carrier_changes);
        }
        p.close_object();
        p.close_object();
        return;
    }
    let rx = [s.rx_bytes, s.rx_packets, s.rx_errors, s.rx_dropped, 0, s.multicast];
    let tx = [s.tx_bytes, s.tx_packets, s.tx_errors, s.tx_dropped, s.tx_carrier, s.collisions];
    let mut widths = [
        "*X errors:".len(),
        "packets".len(),
        "errors".len(),
        "dropped".len(),
        "heartbt".len(),
        "overrun".len(),
    ];
    let errors = [0, 0, 0, 0, 0, u64::from(carrier_changes)];
    for row in [&rx, &tx, &errors].into_iter().take(if detailed { 3 } else { 2 }) {
        for (width, value) in widths.iter_mut().zip(row) {
            *width = (*width).max(if options.human { 0 } else { value.to_string().len() });
        }
    }
    let header = |title: &str, words: [&str; 6]| {
        let [w0, w1, w2, w3, w4, w5] = widths;
        let [a, b, c, d, e, f] = words;
        let (w0, empty) = (w0 - 4, "");
        format!("    {title}: {a:>w0$} {b:>w1$} {c:>w2$} {d:>w3$} {e:>w4$} {f:>w5$} {empty:>10}")
    };
    let numbers = |row: &[u64]| {
        row.iter().zip(widths).map(|(&value, width)| number(width, value, options)).collect::<String>()
    };
    p.fp(&header("RX", ["bytes", "packets", "errors", "dropped", "missed", "mcast"]));
    p.nl();
    p.fp(&format!("    {}", numbers(&rx)));
    if detailed {
        let [w0, w1, w2, w3, w4, w5] = widths;
        p.nl();
        p.fp(&format!(
            "    RX errors:{:w0$} {:>w1$} {:>w2$} {:>w3$} {:>w4$} {:>w5$}",
            "",
            "length",
            "crc",
            "frame",
            "fifo",
            "overrun",
            w0 = w0 - 10
        ));
        p.nl();
        p.fp(&" ".repeat(w0 + 5));
        p.fp(&[w1, w2, w3, w4, w5].map(|w| number(w, 0, options)).concat());
    }
    p.nl();
    p.fp(&header("TX", ["bytes", "packets", "errors", "dropped", "carrier", "collsns"]));
    p.nl();
    p.fp(&format!("    {}", numbers(&tx)));
    if detailed {
        let [w0, w1, w2, w3, w4, w5] = widths;
        p.nl();
        p.fp(&format!(
            "    TX errors:{:w0$} {:>w1$} {:>w2$} {:>w3$} {:>w4$} {:>w5$}",
            "",
            "aborted",
            "fifo",
            "window",
            "heartbt",
            "transns",
            w0 = w0 - 10
        ));
        p.nl();
        p.fp(&" ".repeat(w0 + 5));
        p.fp(&[w1, w2, w3, w4].map(|w| number(w, 0, options)).concat());
        p.fp(&number(w5, carrier_changes.into(), options));
    }
}

/// A number right-aligned and a blank; with `-h` shortened. iproute2: `print_num`.
fn number(width: usize, count: u64, options: &Options) -> String {
    let base: u128 = if options.iec { 1024 } else { 1000 };
    let count = u128::from(count);
    if !options.human || count < base {
        return format!("{count:>width$} ");
    }
    let mut power = base;
    let mut letters = "kMGTPE".chars();
    let mut letter = letters.next().unwrap_or('k');
    while count / base >= power {
        let Some(next) = letters.next() else { break };
        power *= base;
        letter = next;
    }
    let mut precision: u32 = 2;
    let mut limit = 1;
    while precision > 0 {
        limit *= 10;
        if count / power < limit {
            break;
        }
        precision -= 1;
    }
    // Rounded half to even, as printf does for numbers it holds exactly.
    let scale = 10u128.pow(precision);
    let (quotient, remainder) = (count * scale / power, count * scale % power);
    let up = remainder * 2 > power || (remainder * 2 == power && quotient % 2 == 1);
    let rounded = quotient + u128::from(up);
    let digits = if precision == 0 {
        rounded.to_string()
    } else {
        format!("{}.{:0>width$}", rounded / scale, rounded % scale, width = precision as usize)
    };
    let text = format!("{digits}{letter}{}", if options.iec { "i" } else { "" });
    format!("{text:>width$} ")
}
