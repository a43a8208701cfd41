use netfilter::set::SetType;

use super::data::Opt;

/// How an option or a part of an element is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// `inet`, `inet6`.
    Family,
    /// A number of 8 bits.
    U8,
    /// A number of 16 bits.
    U16,
    /// A number of 32 bits.
    U32,
    /// A number of 64 bits.
    U64,
    /// Seconds.
    Timeout,
    /// Bits of a prefix.
    Netmask,
    /// An address as mask.
    Bitmask,
    /// Nothing.
    Flag,
    /// Text without quotes.
    Comment,
    /// `0xMARK[/0xMASK]`.
    Skbmark,
    /// `MAJOR:MINOR`.
    Skbprio,
    /// Anything, with a warning.
    Ignored,
    /// A set's name.
    Before,
    /// A set's name.
    After,
    /// An address, a prefix or a range.
    Ip,
    /// One address.
    SingleIp,
    /// A prefix.
    Net,
    /// A prefix or a range.
    NetRange,
    /// `[PROTO:]PORT[-PORT]`.
    ProtoPort,
    /// The same with TCP and UDP only, and the protocol forgotten.
    TcpUdpPort,
    /// A TCP port.
    TcpPort,
    /// A set's name.
    SetName,
}

/// An option of a command. libipset `struct ipset_arg`.
#[derive(Clone, Copy, Debug)]
pub struct Keyword {
    /// How it is written.
    pub name: &'static str,
    /// Whether a value follows.
    pub value: bool,
    /// What it sets.
    pub opt: Opt,
    /// How it is read.
    pub reads: Reads,
    /// Whether listings show it.
    pub shown: bool,
    /// Its line in `ipset help TYPE`.
    pub help: &'static str,
}

const fn keyword(name: &'static str, opt: Opt, reads: Reads, help: &'static str) -> Keyword {
    Keyword { name, value: true, opt, reads, shown: true, help }
}

const fn flag(name: &'static str, opt: Opt, help: &'static str) -> Keyword {
    Keyword { value: false, ..keyword(name, opt, Reads::Flag, help) }
}

/// An option that listings don't show.
const fn hidden(keyword: Keyword) -> Keyword {
    Keyword { shown: false, ..keyword }
}

const FAMILY: Keyword = keyword("family", Opt::Family, Reads::Family, "[family inet|inet6]|[-4|-6]");
const INET: Keyword = Keyword { value: false, ..hidden(keyword("-4", Opt::Family, Reads::Family, "")) };
const INET6: Keyword = Keyword { name: "-6", ..INET };
const HASHSIZE: Keyword = keyword("hashsize", Opt::Hashsize, Reads::U32, "[hashsize VALUE]");
const MAXELEM: Keyword = keyword("maxelem", Opt::Maxelem, Reads::U32, "[maxelem VALUE]");
const PROBES: Keyword = keyword("probes", Opt::Probes, Reads::Ignored, "");
const RESIZE: Keyword = keyword("resize", Opt::Resize, Reads::Ignored, "");
const GC: Keyword = keyword("gc", Opt::Gc, Reads::Ignored, "");
const IGNORED_FROM: Keyword = keyword("from", Opt::Ip, Reads::Ignored, "");
const IGNORED_TO: Keyword = keyword("to", Opt::IpTo, Reads::Ignored, "");
const IGNORED_NETWORK: Keyword = keyword("network", Opt::Ip, Reads::Ignored, "");
const SIZE: Keyword = keyword("size", Opt::Size, Reads::U32, "[size VALUE]");
const IPRANGE: Keyword = keyword("range", Opt::Ip, Reads::NetRange, "");
const NETMASK: Keyword = keyword("netmask", Opt::Netmask, Reads::Netmask, "[netmask CIDR]");
const PORTRANGE: Keyword = keyword("range", Opt::Port, Reads::TcpUdpPort, "");
const BEFORE: Keyword = hidden(keyword("before", Opt::Nameref, Reads::Before, "[before|after NAME]"));
const AFTER: Keyword = hidden(keyword("after", Opt::Nameref, Reads::After, ""));
const FROM_IP: Keyword = hidden(keyword("from", Opt::Ip, Reads::SingleIp, ""));
const TO_IP: Keyword = hidden(keyword("to", Opt::IpTo, Reads::SingleIp, ""));
const NETWORK: Keyword = hidden(keyword("network", Opt::Ip, Reads::Net, ""));
const FROM_PORT: Keyword = hidden(keyword("from", Opt::Port, Reads::TcpPort, ""));
const TO_PORT: Keyword = hidden(keyword("to", Opt::PortTo, Reads::TcpPort, ""));
// The kernel lists it, but ipset doesn't understand that.
const FORCEADD: Keyword = hidden(flag("forceadd", Opt::Forceadd, "[forceadd]"));
const NOMATCH: Keyword = flag("nomatch", Opt::Nomatch, "[nomatch]");
const TIMEOUT: Keyword = keyword("timeout", Opt::Timeout, Reads::Timeout, "[timeout VALUE]");
const COUNTERS: Keyword = flag("counters", Opt::Counters, "[counters]");
const PACKETS: Keyword = keyword("packets", Opt::Packets, Reads::U64, "[packets VALUE]");
const BYTES: Keyword = keyword("bytes", Opt::Bytes, Reads::U64, "[bytes VALUE]");
const COMMENT: Keyword = flag("comment", Opt::CreateComment, "[comment]");
const ADT_COMMENT: Keyword = keyword("comment", Opt::AdtComment, Reads::Comment, "[comment \"string\"]");
const SKBINFO: Keyword = flag("skbinfo", Opt::Skbinfo, "[skbinfo]");
const SKBMARK: Keyword = keyword("skbmark", Opt::Skbmark, Reads::Skbmark, "[skbmark VALUE]");
const SKBPRIO: Keyword = keyword("skbprio", Opt::Skbprio, Reads::Skbprio, "[skbprio VALUE]");
const SKBQUEUE: Keyword = keyword("skbqueue", Opt::Skbqueue, Reads::U16, "[skbqueue VALUE]");
const BUCKETSIZE: Keyword = keyword("bucketsize", Opt::Bucketsize, Reads::U8, "[bucketsize VALUE]");
const INITVAL: Keyword = keyword("initval", Opt::Initval, Reads::U32, "[initval VALUE]");
const BITMASK: Keyword = keyword("bitmask", Opt::Bitmask, Reads::Bitmask, "[bitmask bitmask]");

/// What one command of a type takes. libipset `struct ipset_cmd_type`.
#[derive(Clone, Copy, Debug)]
pub struct Takes {
    /// Options in the order of listings, in parts that types share.
    parts: &'static [&'static [Keyword]],
    /// What must be set.
    pub need: u64,
    /// What may be set besides what the options set.
    pub full: u64,
    /// The element's shape in `ipset help TYPE`.
    pub help: &'static str,
}

impl Takes {
    /// Options, in the order of listings.
    pub fn keywords(&self) -> impl Iterator<Item = &'static Keyword> {
        self.parts.iter().copied().flatten()
    }

    /// What may be set.
    pub fn allowed(&self) -> u64 {
        self.keywords().fold(self.full, |bits, keyword| bits | keyword.opt.bit())
    }
}

/// A type of set. libipset `struct ipset_type`.
#[derive(Clone, Copy, Debug)]
pub struct Type {
    /// The kernel's.
    pub kind: SetType,
    /// Its old name.
    pub alias: &'static str,
    /// The parts of an element.
    pub elem: &'static [(Opt, Reads)],
    /// `create`.
    pub create: Takes,
    /// `add`.
    pub add: Takes,
    /// `del`.
    pub del: Takes,
    /// `test`.
    pub test: Takes,
    /// The end of `ipset help TYPE`.
    pub usage: &'static str,
    /// Whether that shows how ports are written.
    pub port_usage: bool,
}

/// The bits of some options.
const fn bits(opts: &[Opt]) -> u64 {
    let (mut bits, mut at) = (0, 0);
    while at < opts.len() {
        bits |= opts[at].bit();
        at += 1;
    }
    bits
}

/// What all types take for `create`.
const EXTENSIONS: &[Keyword] = &[TIMEOUT, COUNTERS, COMMENT];
/// What hashes take for `create`: before the extensions, and after them.
const HASH: &[Keyword] = &[FAMILY, INET, INET6, HASHSIZE, MAXELEM];
const HASH_END: &[Keyword] = &[FORCEADD, SKBINFO, BUCKETSIZE, INITVAL];
const MASKS: &[Keyword] = &[NETMASK, BITMASK];
/// What old versions took.
const OLD: &[Keyword] = &[PROBES, RESIZE];
const OLD_RANGE: &[Keyword] = &[IGNORED_FROM, IGNORED_TO, IGNORED_NETWORK];

/// What all types take for `add`, after the timeout.
const VALUES: &[Keyword] = &[PACKETS, BYTES, ADT_COMMENT, SKBMARK, SKBPRIO, SKBQUEUE];
const ADD: &[&[Keyword]] = &[&[TIMEOUT], VALUES];
const ADD_NET: &[&[Keyword]] = &[&[TIMEOUT, NOMATCH], VALUES];

/// The commands of a type; those that add and delete need and take the same.
const fn takes(parts: &'static [&'static [Keyword]], need: u64, full: u64, help: &'static str) -> Takes {
    Takes { parts, need, full, help }
}

const IP: u64 = bits(&[Opt::Ip]);
const IP_TO: u64 = bits(&[Opt::IpTo]);
const CIDR: u64 = bits(&[Opt::Cidr]);
const PORT: u64 = bits(&[Opt::Port]);
const PORT_TO: u64 = bits(&[Opt::PortTo]);
const PROTO: u64 = bits(&[Opt::Proto]);
const IP2: u64 = bits(&[Opt::Ip2]);
const NET2: u64 = bits(&[Opt::Ip2, Opt::Cidr2]);
const IP2_TO: u64 = bits(&[Opt::Ip2To]);
const NAME: u64 = bits(&[Opt::Name]);
const BEFORE_BIT: u64 = bits(&[Opt::Before]);
const SVC: u64 = IP | PROTO | PORT;

const LIST_SET: Type = Type {
    kind: SetType::ListSet,
    alias: "setlist",
    elem: &[(Opt::Name, Reads::SetName)],
    create: takes(&[&[SIZE], EXTENSIONS, &[SKBINFO]], 0, 0, ""),
    add: takes(&[&[TIMEOUT, BEFORE, AFTER], VALUES], NAME, NAME | BEFORE_BIT, "NAME [before|after NAME]"),
    del: takes(&[&[BEFORE, AFTER]], NAME, NAME | BEFORE_BIT, "NAME [before|after NAME]"),
    test: takes(&[&[BEFORE, AFTER]], NAME, NAME | BEFORE_BIT, "NAME [before|after NAME]"),
    usage: "where NAME are existing set names.",
    port_usage: false,
};

const HASH_NET: Type = Type {
    kind: SetType::HashNet,
    alias: "nethash",
    elem: &[(Opt::Ip, Reads::Ip)],
    create: takes(&[HASH, EXTENSIONS, HASH_END, OLD], 0, 0, ""),
    add: takes(ADD_NET, IP, IP | CIDR | IP_TO, "IP[/CIDR]"),
    del: takes(&[], IP, IP | CIDR | IP_TO, "IP[/CIDR]"),
    test: takes(&[&[NOMATCH]], IP, IP | CIDR, "IP[/CIDR]"),
    usage: "where depending on the INET family\n      \
            IP is an IPv4 or IPv6 address (or hostname),\n      \
            CIDR is a valid IPv4 or IPv6 CIDR prefix.",
    port_usage: false,
};

const HASH_NET_PORT: Type = Type {
    kind: SetType::HashNetPort,
    alias: "netporthash",
    elem: &[(Opt::Ip, Reads::Ip), (Opt::Port, Reads::ProtoPort)],
    create: takes(&[HASH, EXTENSIONS, HASH_END], 0, 0, ""),
    add: takes(ADD_NET, SVC, SVC | PORT_TO | CIDR | IP_TO, "IP[/CIDR]|FROM-TO,[PROTO:]PORT"),
    del: takes(&[], SVC, SVC | PORT_TO | CIDR | IP_TO, "IP[/CIDR]|FROM-TO,[PROTO:]PORT"),
    test: takes(&[&[NOMATCH]], SVC, SVC | CIDR, "IP[/CIDR],[PROTO:]PORT"),
    usage: "where depending on the INET family\n      \
            IP is a valid IPv4 or IPv6 address (or hostname),\n      \
            CIDR is a valid IPv4 or IPv6 CIDR prefix.\n      \
            Adding/deleting multiple elements with TCP/SCTP/UDP/UDPLITE\n      \
            port range is supported both for IPv4 and IPv6.",
    port_usage: true,
};

const HASH_IP_PORT_NET: Type = Type {
    kind: SetType::HashIpPortNet,
    alias: "ipportnethash",
    elem: &[(Opt::Ip, Reads::Ip), (Opt::Port, Reads::ProtoPort), (Opt::Ip2, Reads::Ip)],
    create: takes(&[HASH, EXTENSIONS, HASH_END, OLD, OLD_RANGE], 0, 0, ""),
    add: takes(ADD_NET, SVC | IP2, SVC | IP_TO | PORT_TO | NET2 | IP2_TO, "IP,[PROTO:]PORT,IP[/CIDR]"),
    del: takes(&[], SVC | IP2, SVC | IP_TO | PORT_TO | NET2 | IP2_TO, "IP,[PROTO:]PORT,IP[/CIDR]"),
    test: takes(&[&[NOMATCH]], SVC | IP2, SVC | NET2, "IP,[PROTO:]PORT,IP[/CIDR]"),
    usage: "where depending on the INET family\n      \
            IP are valid IPv4 or IPv6 addresses (or hostnames),\n      \
            CIDR is a valid IPv4 or IPv6 CIDR prefix.\n      \
            Adding/deleting multiple elements in IP/CIDR or FROM-TO form\n      \
            in the first IP component is supported for IPv4.\n      \
            Adding/deleting multiple elements with TCP/SCTP/UDP/UDPLITE\n      \
            port range is supported both for IPv4 and IPv6.",
    port_usage: true,
};

const HASH_IP_PORT_IP: Type = Type {
    kind: SetType::HashIpPortIp,
    alias: "ipportiphash",
    elem: &[(Opt::Ip, Reads::Ip), (Opt::Port, Reads::ProtoPort), (Opt::Ip2, Reads::SingleIp)],
    create: takes(&[HASH, EXTENSIONS, HASH_END, OLD, OLD_RANGE], 0, 0, ""),
    add: takes(ADD, SVC | IP2, SVC | IP_TO | PORT_TO | IP2, "IP,[PROTO:]PORT,IP"),
    del: takes(&[], SVC | IP2, SVC | IP_TO | PORT_TO | IP2, "IP,[PROTO:]PORT,IP"),
    test: takes(&[], SVC | IP2, SVC | IP2, "IP,[PROTO:]PORT,IP"),
    usage: "where depending on the INET family\n      \
            IP is a valid IPv4 or IPv6 address (or hostname).\n      \
            Adding/deleting multiple elements in IP/CIDR or FROM-TO form\n      \
            in the first IP component is supported for IPv4.\n      \
            Adding/deleting multiple elements with TCP/SCTP/UDP/UDPLITE\n      \
            port range is supported both for IPv4 and IPv6.",
    port_usage: true,
};

const HASH_IP_PORT: Type = Type {
    kind: SetType::HashIpPort,
    alias: "ipporthash",
    elem: &[(Opt::Ip, Reads::Ip), (Opt::Port, Reads::ProtoPort)],
    create: takes(&[HASH, EXTENSIONS, HASH_END, MASKS, OLD, OLD_RANGE], 0, 0, ""),
    add: takes(ADD, SVC, SVC | IP_TO | PORT_TO, "IP,[PROTO:]PORT"),
    del: takes(&[], SVC, SVC | IP_TO | PORT_TO, "IP,[PROTO:]PORT"),
    test: takes(&[], SVC, SVC, "IP,[PROTO:]PORT"),
    usage: "where depending on the INET family\n      \
            IP is a valid IPv4 or IPv6 address (or hostname).\n      \
            Adding/deleting multiple elements in IP/CIDR or FROM-TO form\n      \
            is supported for IPv4.\n      \
            Adding/deleting multiple elements with TCP/SCTP/UDP/UDPLITE\n      \
            port range is supported both for IPv4 and IPv6.",
    port_usage: true,
};

const HASH_IP: Type = Type {
    kind: SetType::HashIp,
    alias: "iphash",
    elem: &[(Opt::Ip, Reads::Ip)],
    create: takes(&[HASH, MASKS, EXTENSIONS, HASH_END, OLD, &[GC]], 0, 0, ""),
    add: takes(ADD, IP, IP | IP_TO, "IP"),
    del: takes(&[], IP, IP | IP_TO, "IP"),
    test: takes(&[], IP, IP | IP_TO, "IP"),
    usage: "where depending on the INET family\n      \
            IP is a valid IPv4 or IPv6 address (or hostname),\n      \
            CIDR is a valid IPv4 or IPv6 CIDR prefix.\n      \
            Adding/deleting multiple elements in IP/CIDR or FROM-TO form\n      \
            is supported for IPv4.",
    port_usage: false,
};

const BITMAP_PORT: Type = Type {
    kind: SetType::BitmapPort,
    alias: "portmap",
    elem: &[(Opt::Port, Reads::TcpUdpPort)],
    create: takes(
        &[&[PORTRANGE], EXTENSIONS, &[SKBINFO, FROM_PORT, TO_PORT]],
        PORT | PORT_TO,
        PORT | PORT_TO,
        "range [PROTO:]FROM-TO",
    ),
    add: takes(ADD, PORT, PORT | PORT_TO, "[PROTO:]PORT|FROM-TO"),
    del: takes(&[], PORT, PORT | PORT_TO, "[PROTO:]PORT|FROM-TO"),
    test: takes(&[], PORT, PORT, "[PROTO:]PORT"),
    usage: "where PORT, FROM and TO are port numbers or port names from /etc/services.\n      \
            PROTO is only needed if a service name is used and it does not exist\n      \
            as a TCP service; just the resolved service numer is stored in the set.",
    port_usage: false,
};

const BITMAP_IP: Type = Type {
    kind: SetType::BitmapIp,
    alias: "ipmap",
    elem: &[(Opt::Ip, Reads::Ip)],
    create: takes(
        &[&[IPRANGE, NETMASK], EXTENSIONS, &[SKBINFO, FROM_IP, TO_IP, NETWORK]],
        IP | IP_TO,
        IP | IP_TO,
        "range IP/CIDR|FROM-TO",
    ),
    add: takes(ADD, IP, IP | IP_TO, "IP|IP/CIDR|FROM-TO"),
    del: takes(&[], IP, IP | IP_TO, "IP|IP/CIDR|FROM-TO"),
    test: takes(&[], IP, IP, "IP"),
    usage: "where IP, FROM and TO are IPv4 addresses (or hostnames),\n      \
            CIDR is a valid IPv4 CIDR prefix.",
    port_usage: false,
};

/// The types that are simulated.
pub const TYPES: [Type; 9] = [
    LIST_SET,
    HASH_NET,
    HASH_NET_PORT,
    HASH_IP_PORT_NET,
    HASH_IP_PORT_IP,
    HASH_IP_PORT,
    HASH_IP,
    BITMAP_PORT,
    BITMAP_IP,
];

/// Types, with their old names, that ipset knows and this kernel doesn't.
pub const NOT_IN_KERNEL: [(&str, &str); 5] = [
    ("hash:mac", "machash"),
    ("hash:net,net", "netnethash"),
    ("hash:net,port,net", "netportnethash"),
    ("hash:ip,mark", "ipmarkhash"),
    ("hash:ip,mac", "ipmachash"),
];

/// Types, with their old names, that the kernel has and that aren't simulated.
pub const NOT_SIMULATED: [(&str, &str); 2] =
    [("hash:net,iface", "netifacehash"), ("bitmap:ip,mac", "macipmap")];

/// The description of a type.
pub fn of(kind: SetType) -> &'static Type {
    TYPES.iter().find(|known| known.kind == kind).unwrap_or(&LIST_SET)
}

/// The type of that name.
pub fn find(name: &str) -> Option<&'static Type> {
    TYPES.iter().find(|known| known.kind.name() == name || known.alias == name)
}

/// Whether ipset knows a type of that name, but isn't simulated with it.
pub fn is_other(name: &str) -> bool {
    NOT_IN_KERNEL.iter().chain(&NOT_SIMULATED).any(|(known, alias)| *known == name || *alias == name)
}
