//! Settings under /proc/sys/net.

use std::collections::BTreeMap;
use std::sync::Arc;

use packet::DevId;

use crate::Errno;
use crate::sysctl_keys::{Accepts, ConfKey, DEFAULT_NUMBERS, KEYS, NeighKey, key};

/// The settings of one namespace that differ from the kernel's defaults.
#[derive(Clone, Debug)]
pub struct Sysctls {
    /// `net.ipv4.conf.all`.
    pub(crate) all: Arc<Conf>,
    /// `net.ipv4.conf.default`: what devices start with.
    pub(crate) default: Arc<Conf>,
    /// `net.ipv4.conf.DEV` of devices on which something was set, by device.
    pub(crate) devs: Vec<(DevId, DevConf)>,
    /// `net.ipv4.neigh.DEV`, as far as written.
    pub(crate) neigh: BTreeMap<(DevId, NeighKey), i32>,
    /// `net.ipv6.conf.{all,default}.disable_ipv6`.
    pub(crate) disable_ipv6: [i32; 2],
    /// `net.ipv6.conf.DEV.disable_ipv6`, as far as it differs from default's.
    pub(crate) disable_ipv6_devs: BTreeMap<DevId, i32>,
    /// Other keys, by place in [`KEYS`].
    pub(crate) values: BTreeMap<usize, Value>,
}

/// The values of `net.ipv4.conf.*`. Kernel: `struct ipv4_devconf`.
pub(crate) type Conf = [i32; ConfKey::ALL.len()];

/// One device's.
#[derive(Clone, Debug)]
pub(crate) struct DevConf {
    /// Bit N: key N no longer follows `default`. Kernel: `ipv4_devconf.state`.
    pub set: u64,
    pub values: Arc<Conf>,
}

/// A value that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Int(i64),
    Text(Box<str>),
}

impl Default for Sysctls {
    fn default() -> Self {
        let default = Arc::new(ConfKey::DEFAULTS);
        let mut all = ConfKey::DEFAULTS;
        all[ConfKey::AcceptSourceRoute as usize] = 0;
        Self {
            all: Arc::new(all),
            default,
            devs: Vec::new(),
            neigh: BTreeMap::new(),
            disable_ipv6: [0; 2],
            disable_ipv6_devs: BTreeMap::new(),
            values: BTreeMap::new(),
        }
    }
}

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident: $result:ty = $key:literal;)*) => {
        impl Sysctls {
            $(#[doc = concat!("`", $key, "`")] $(#[$doc])* pub fn $name(&self) -> $result {
                const KEY: usize = key($key);
                Convert::convert(self.at(KEY))
            })*
        }
    };
}

/// Numbers as getters return them.
trait Convert {
    fn convert(value: i64) -> Self;
}

impl Convert for bool {
    fn convert(value: i64) -> Self {
        value != 0
    }
}

impl Convert for u8 {
    fn convert(value: i64) -> Self {
        u8::try_from(value).unwrap_or(u8::MAX)
    }
}

impl Convert for u32 {
    fn convert(value: i64) -> Self {
        u32::try_from(value).unwrap_or(if value < 0 { 0 } else { u32::MAX })
    }
}

getters! {
    /// TTL of packets whose sender doesn't set one.
    ip_default_ttl: u8 = "net.ipv4.ip_default_ttl";
    /// Binding to addresses of other hosts is allowed.
    ip_nonlocal_bind: bool = "net.ipv4.ip_nonlocal_bind";
    /// 1: DF is never set; 2, 3: narrower kinds.
    ip_no_pmtu_disc: u8 = "net.ipv4.ip_no_pmtu_disc";
    /// Forwarding heeds learned path MTUs.
    ip_forward_use_pmtu: bool = "net.ipv4.ip_forward_use_pmtu";
    /// Echo requests are not answered.
    icmp_echo_ignore_all: bool = "net.ipv4.icmp_echo_ignore_all";
    /// Echo requests to broadcast addresses are not answered.
    icmp_echo_ignore_broadcasts: bool = "net.ipv4.icmp_echo_ignore_broadcasts";
    /// ICMP errors come from the arrival device's address.
    icmp_errors_use_inbound_ifaddr: bool = "net.ipv4.icmp_errors_use_inbound_ifaddr";
    /// Milliseconds between ICMP errors to one destination.
    icmp_ratelimit: u32 = "net.ipv4.icmp_ratelimit";
    /// Bit N: type N is limited.
    icmp_ratemask: u32 = "net.ipv4.icmp_ratemask";
    /// ICMP messages a second, all destinations.
    icmp_msgs_per_sec: u32 = "net.ipv4.icmp_msgs_per_sec";
    /// Burst of ICMP messages, all destinations.
    icmp_msgs_burst: u32 = "net.ipv4.icmp_msgs_burst";
    /// Answers of the kernel carry the mark of what they answer.
    fwmark_reflect: bool = "net.ipv4.fwmark_reflect";
    /// Seconds a fragment waits for the others.
    ipfrag_time: u32 = "net.ipv4.ipfrag_time";
    /// 0 and 2: by addresses, 1: by ports too, 3: by chosen fields.
    fib_multipath_hash_policy: u8 = "net.ipv4.fib_multipath_hash_policy";
    /// The fields of policy 3, as bits.
    fib_multipath_hash_fields: u32 = "net.ipv4.fib_multipath_hash_fields";
    /// Routes that use nexthop objects are listed with their ways too.
    nexthop_compat_mode: bool = "net.ipv4.nexthop_compat_mode";
    /// Seed of the hash; 0 is the kernel's own.
    fib_multipath_hash_seed: u32 = "net.ipv4.fib_multipath_hash_seed";
    /// A way whose neighbour has failed is not taken.
    fib_multipath_use_neigh: bool = "net.ipv4.fib_multipath_use_neigh";
    /// Smallest path MTU that is believed, in bytes.
    route_min_pmtu: u32 = "net.ipv4.route.min_pmtu";
    /// Seconds a learned path MTU is kept.
    route_mtu_expires: u32 = "net.ipv4.route.mtu_expires";
    /// Smallest MSS that is advertised, in bytes.
    route_min_adv_mss: u32 = "net.ipv4.route.min_adv_mss";
    /// SYNs sent before a connect fails.
    tcp_syn_retries: u8 = "net.ipv4.tcp_syn_retries";
    /// SYNs that are sent a second apart before the delay doubles.
    tcp_syn_linear_timeouts: u8 = "net.ipv4.tcp_syn_linear_timeouts";
    /// SYN-ACKs sent before a half-open connection is forgotten.
    tcp_synack_retries: u8 = "net.ipv4.tcp_synack_retries";
    /// Retransmissions before TCP doubts the path.
    tcp_retries1: u8 = "net.ipv4.tcp_retries1";
    /// Smallest segment TCP sends, in bytes.
    tcp_min_snd_mss: u32 = "net.ipv4.tcp_min_snd_mss";
    /// TCP searches the path MTU itself: 1 when nothing comes back, 2 always.
    tcp_mtu_probing: u8 = "net.ipv4.tcp_mtu_probing";
    /// Segment size at which that search begins, in bytes.
    tcp_base_mss: u32 = "net.ipv4.tcp_base_mss";
    /// Smallest segment size that search goes down to, in bytes.
    tcp_mtu_probe_floor: u32 = "net.ipv4.tcp_mtu_probe_floor";
    /// That search ends when its bounds are so many bytes apart.
    tcp_probe_threshold: u32 = "net.ipv4.tcp_probe_threshold";
    /// Seconds after which it begins again.
    tcp_probe_interval: u32 = "net.ipv4.tcp_probe_interval";
    /// Retransmissions before a connection fails.
    tcp_retries2: u8 = "net.ipv4.tcp_retries2";
    /// Seconds in FIN-WAIT-2.
    tcp_fin_timeout: u32 = "net.ipv4.tcp_fin_timeout";
    /// Seconds before the first keepalive.
    tcp_keepalive_time: u32 = "net.ipv4.tcp_keepalive_time";
    /// Seconds between keepalives.
    tcp_keepalive_intvl: u32 = "net.ipv4.tcp_keepalive_intvl";
    /// Keepalives before a connection fails.
    tcp_keepalive_probes: u8 = "net.ipv4.tcp_keepalive_probes";
    /// A full backlog answers with RST.
    tcp_abort_on_overflow: bool = "net.ipv4.tcp_abort_on_overflow";
    /// Window scaling is offered.
    tcp_window_scaling: bool = "net.ipv4.tcp_window_scaling";
    /// Timestamps are offered.
    tcp_timestamps: bool = "net.ipv4.tcp_timestamps";
    /// Selective acknowledgments are offered.
    tcp_sack: bool = "net.ipv4.tcp_sack";
    /// Greatest backlog of a listener.
    somaxconn: u32 = "net.core.somaxconn";
    /// Bridged IPv4 packets meet iptables.
    bridge_nf_call_iptables: bool = "net.bridge.bridge-nf-call-iptables";
    /// Bridged IPv4 packets with a VLAN tag meet iptables, too.
    bridge_nf_filter_vlan_tagged: bool = "net.bridge.bridge-nf-filter-vlan-tagged";
    /// iptables sees the bridge's VLAN device as the input of tagged ones.
    bridge_nf_pass_vlan_input_dev: bool = "net.bridge.bridge-nf-pass-vlan-input-dev";
}

macro_rules! conf_getters {
    ($($(#[$doc:meta])* $name:ident: $result:ty = $rule:ident $key:ident;)*) => {
        impl Sysctls {
            $($(#[$doc])* pub fn $name(&self, dev: DevId) -> $result {
                Convert::convert(i64::from(self.$rule(dev, ConfKey::$key)))
            })*
        }
    };
}

conf_getters! {
    /// Packets that arrive on `dev` may be forwarded. Kernel: `IN_DEV_FORWARD`.
    ip_forward: bool = conf Forwarding;
    /// 0 off, 1 strict, 2 loose. Kernel: `IN_DEV_RPFILTER`.
    rp_filter: u8 = max RpFilter;
    /// Kernel: `IN_DEV_ACCEPT_LOCAL`.
    accept_local: bool = or AcceptLocal;
    /// Kernel: `IN_DEV_NET_ROUTE_LOCALNET`.
    route_localnet: bool = or RouteLocalnet;
    /// The mark counts in reverse path filtering. Kernel: `IN_DEV_SRC_VMARK`.
    src_valid_mark: bool = or SrcValidMark;
    /// Kernel: `IN_DEV_BFORWARD`.
    bc_forwarding: bool = and BcForwarding;
    /// Kernel: `IN_DEV_TX_REDIRECTS`.
    send_redirects: bool = or SendRedirects;
    /// Kernel: `IN_DEV_SHARED_MEDIA`.
    shared_media: bool = or SharedMedia;
    /// Kernel: `IN_DEV_SEC_REDIRECTS`.
    secure_redirects: bool = or SecureRedirects;
    /// Kernel: `IN_DEV_LOG_MARTIANS`.
    log_martians: bool = or LogMartians;
    /// Kernel: `IN_DEV_PROXY_ARP`.
    proxy_arp: bool = or ProxyArp;
    /// Kernel: `IN_DEV_PROXY_ARP_PVLAN`.
    proxy_arp_pvlan: bool = or ProxyArpPvlan;
    /// Kernel: `IN_DEV_ARPFILTER`.
    arp_filter: bool = or ArpFilter;
    /// Kernel: `IN_DEV_ARP_IGNORE`.
    arp_ignore: u8 = max ArpIgnore;
    /// Kernel: `IN_DEV_ARP_ANNOUNCE`.
    arp_announce: u8 = max ArpAnnounce;
    /// Kernel: `IN_DEV_ARP_ACCEPT`.
    arp_accept: u8 = max ArpAccept;
    /// Kernel: `IN_DEV_ARP_NOTIFY`.
    arp_notify: bool = max ArpNotify;
    /// Kernel: `IN_DEV_ARP_EVICT_NOCARRIER`.
    arp_evict_nocarrier: bool = and ArpEvictNocarrier;
    /// Kernel: `IN_DEV_ORCONF(in_dev, DROP_GRATUITOUS_ARP)`.
    drop_gratuitous_arp: bool = or DropGratuitousArp;
    /// Kernel: `IN_DEV_ORCONF(in_dev, DROP_UNICAST_IN_L2_MULTICAST)`.
    drop_unicast_in_l2_multicast: bool = or DropUnicastInL2Multicast;
    /// Kernel: `IN_DEV_SOURCE_ROUTE`.
    accept_source_route: bool = and AcceptSourceRoute;
    /// Kernel: `IN_DEV_PROMOTE_SECONDARIES`.
    promote_secondaries: bool = or PromoteSecondaries;
    /// Kernel: `IP_IGNORE_LINKDOWN`.
    ignore_routes_with_linkdown: bool = or IgnoreRoutesWithLinkdown;
}

impl Sysctls {
    /// The settings of a new namespace: `conf.all` and `conf.default` are copied from the initial
    /// one. Kernel: `net/ipv4/devinet.c`, `devinet_init_net`.
    pub fn for_new_netns(init: &Self) -> Self {
        Self { all: Arc::clone(&init.all), default: Arc::clone(&init.default), ..Self::default() }
    }

    /// The value of a key that holds one number, by its full name; 0 if there is no such key.
    /// Slow: the packet path has getters.
    pub fn int(&self, name: &str) -> i64 {
        KEYS.binary_search_by(|(key, ..)| (*key).cmp(name)).map_or(0, |at| self.at(at))
    }

    /// `net.ipv4.conf.all.NAME` and `net.ipv4.conf.DEV.NAME`.
    pub(crate) fn conf_both(&self, dev: DevId, key: ConfKey) -> (i64, i64) {
        (i64::from(self.all[key as usize]), i64::from(self.conf(dev, key)))
    }

    /// Ports for `bind` to 0 and `connect`: first and last.
    pub fn ip_local_port_range(&self) -> (u16, u16) {
        const KEY: usize = key("net.ipv4.ip_local_port_range");
        let (first, last) = self.pair(KEY);
        (u16::try_from(first).unwrap_or(1), u16::try_from(last).unwrap_or(u16::MAX))
    }

    /// Ports that connections take on their own may not be privileged ones.
    /// Kernel: `net/ipv4/sysctl_net_ipv4.c`, `ipv4_local_port_range`, `ipv4_privileged_ports`.
    pub(crate) fn check_range(&self, at: usize, new: &Value) -> Result<(), Errno> {
        const RANGE: usize = key("net.ipv4.ip_local_port_range");
        const START: usize = key("net.ipv4.ip_unprivileged_port_start");
        let (first, start) = match (at, new) {
            (RANGE, Value::Text(text)) => {
                (text.split('\t').next().and_then(parse_word).unwrap_or(0), self.at(START))
            }
            (START, Value::Int(start)) => (self.pair(RANGE).0, *start),
            _ => return Ok(()),
        };
        if first < start { Err(Errno::Inval) } else { Ok(()) }
    }

    /// Groups that may open ping sockets: first and last; none if the first is greater.
    pub fn ping_group_range(&self) -> (u32, u32) {
        const KEY: usize = key("net.ipv4.ping_group_range");
        let (first, last) = self.pair(KEY);
        (u32::try_from(first).unwrap_or(u32::MAX), u32::try_from(last).unwrap_or(u32::MAX))
    }

    /// Redirects are heeded. Kernel: `IN_DEV_RX_REDIRECTS`.
    pub fn accept_redirects(&self, dev: DevId) -> bool {
        let key = ConfKey::AcceptRedirects;
        match self.ip_forward(dev) {
            true => self.and(dev, key) != 0,
            false => self.or(dev, key) != 0,
        }
    }

    /// `net.ipv4.conf.all.forwarding`, which is `net.ipv4.ip_forward`.
    pub fn forwarding_all(&self) -> bool {
        self.all[ConfKey::Forwarding as usize] != 0
    }

    /// Drops everything said about a device that goes.
    pub(crate) fn forget_dev(&mut self, dev: DevId) {
        self.devs.retain(|(id, _)| *id != dev);
        self.neigh.retain(|(id, _), _| *id != dev);
        self.disable_ipv6_devs.remove(&dev);
    }

    pub(crate) fn neigh_at(&self, dev: DevId, key: NeighKey) -> i32 {
        self.neigh.get(&(dev, key)).copied().unwrap_or(NeighKey::DEFAULTS[key as usize])
    }

    /// The number at a place in [`KEYS`].
    #[inline]
    pub(crate) fn at(&self, key: usize) -> i64 {
        match self.values.get(&key) {
            Some(Value::Int(value)) => *value,
            Some(Value::Text(_)) => 0,
            None => DEFAULT_NUMBERS[key],
        }
    }

    /// The text at a place in [`KEYS`].
    pub(crate) fn text(&self, key: usize) -> String {
        match self.values.get(&key) {
            Some(Value::Int(value)) => value.to_string(),
            Some(Value::Text(text)) => text.to_string(),
            None => KEYS[key].1.to_owned(),
        }
    }

    fn pair(&self, key: usize) -> (i64, i64) {
        let text = self.text(key);
        let mut numbers = text.split_whitespace().map(|number| number.parse().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    }

    #[inline]
    fn dev_conf(&self, dev: DevId) -> Option<&DevConf> {
        let at = self.devs.binary_search_by_key(&dev, |(id, _)| *id).ok()?;
        Some(&self.devs[at].1)
    }

    /// One device's own value. Kernel: `IN_DEV_CONF_GET`.
    #[inline]
    pub(crate) fn conf(&self, dev: DevId, key: ConfKey) -> i32 {
        let at = key as usize;
        match self.dev_conf(dev) {
            Some(conf) => conf.values[at],
            None => self.default[at],
        }
    }

    #[inline]
    fn or(&self, dev: DevId, key: ConfKey) -> i32 {
        i32::from(self.all[key as usize] != 0 || self.conf(dev, key) != 0)
    }

    #[inline]
    fn and(&self, dev: DevId, key: ConfKey) -> i32 {
        i32::from(self.all[key as usize] != 0 && self.conf(dev, key) != 0)
    }

    #[inline]
    fn max(&self, dev: DevId, key: ConfKey) -> i32 {
        self.all[key as usize].max(self.conf(dev, key)).max(0)
    }

    fn dev_conf_mut(&mut self, dev: DevId) -> &mut DevConf {
        let at = match self.devs.binary_search_by_key(&dev, |(id, _)| *id) {
            Ok(at) => at,
            Err(at) => {
                self.devs.insert(at, (dev, DevConf { set: 0, values: Arc::clone(&self.default) }));
                at
            }
        };
        &mut self.devs[at].1
    }

    /// Sets one device's value for good. Kernel: `ipv4_devconf_set`.
    pub(crate) fn conf_set(&mut self, dev: DevId, key: ConfKey, value: i32) {
        let conf = self.dev_conf_mut(dev);
        conf.set |= 1 << key as usize;
        if conf.values[key as usize] != value {
            Arc::make_mut(&mut conf.values)[key as usize] = value;
        }
    }

    /// The device keeps the values it has, but follows what is written to `default`.
    pub(crate) fn conf_pin(&mut self, dev: DevId) {
        self.dev_conf_mut(dev);
    }

    /// What the loopback device starts with. Kernel: `NETDEV_REGISTER` in `inetdev_event`.
    pub(crate) fn conf_loopback(&mut self, lo: DevId) {
        self.conf_set(lo, ConfKey::DisablePolicy, 1);
        self.conf_set(lo, ConfKey::DisableXfrm, 1);
    }

    /// The device no longer follows `default`. Kernel: `ipv4_devconf_setall`.
    pub(crate) fn conf_setall(&mut self, dev: DevId) {
        self.dev_conf_mut(dev).set = u64::MAX;
    }

    /// Sets what devices start with; those that never were set follow.
    /// Kernel: `net/ipv4/devinet.c`, `devinet_copy_dflt_conf`.
    pub(crate) fn conf_set_default(&mut self, key: ConfKey, value: i32) {
        Arc::make_mut(&mut self.default)[key as usize] = value;
        for (_, conf) in self.devs.iter_mut().filter(|(_, conf)| conf.set & (1 << key as usize) == 0) {
            Arc::make_mut(&mut conf.values)[key as usize] = value;
        }
    }
}

/// Reads a number as the kernel does: blanks, a sign, decimal, 0x and 0 prefixes; what follows a
/// blank is ignored. Kernel: `kernel/sysctl.c`, `proc_get_long`.
pub(crate) fn parse_int(text: &str) -> Option<i64> {
    parse_word(text.split_whitespace().next()?)
}

/// As [`parse_int`], one word.
pub(crate) fn parse_word(word: &str) -> Option<i64> {
    let (sign, digits) = match word.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, word),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    i64::from_str_radix(digits, radix).ok().map(|value| sign * value)
}

/// What a key stores when `text` is written; `None` if it refuses.
pub(crate) fn accept(accepts: Accepts, text: &str) -> Option<Value> {
    let words = || text.split_whitespace().map(parse_word).collect::<Option<Vec<i64>>>();
    let joined = |numbers: &[i64]| {
        let words: Vec<String> = numbers.iter().map(i64::to_string).collect();
        Value::Text(words.join("\t").into())
    };
    match accepts {
        Accepts::Int(min, max) => parse_int(text).filter(|n| (min..=max).contains(n)).map(Value::Int),
        Accepts::Flag => parse_int(text).map(|n| Value::Int(i64::from(n != 0))),
        Accepts::PortRange => match words()?.as_slice() {
            [first, last] if (1..=65535).contains(first) && (*first..=65535).contains(last) => {
                Some(joined(&[*first, *last]))
            }
            _ => None,
        },
        Accepts::GroupRange => match words()?.as_slice() {
            [first, last] if *first >= 0 && *last >= 0 && *last < 1 << 31 => {
                // An empty range reads as the kernel's own empty one.
                let range = if first > last { [1, 0] } else { [*first, *last] };
                Some(joined(&range))
            }
            _ => None,
        },
        Accepts::Triple => match words()?.as_slice() {
            numbers @ [_, _, _] if numbers.iter().all(|n| (1..1 << 31).contains(n)) => Some(joined(numbers)),
            _ => None,
        },
        Accepts::Text => Some(Value::Text(text.trim_end_matches('\n').into())),
        Accepts::ReadOnly => None,
        Accepts::WriteOnly => Some(Value::Int(0)),
    }
}
