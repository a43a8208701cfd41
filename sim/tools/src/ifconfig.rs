//! `ifconfig` of net-tools 2.10: its ioctls as requests.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use kernel::dump::{AddrInfo, LinkInfo};
use kernel::request::{AddrSpec, LinkChange, Mode, Request};
use kernel::{Errno, Refusal, Scope};
use packet::NetnsId;
use world::{Registry, Sys};

use crate::console::{Console, Stop};
use crate::iproute::args::Words;
use crate::iproute::env::Env;
use crate::nettools::{class_len, host, mask_len, mask_of};

/// Installs `ifconfig`.
pub fn install(registry: &mut Registry) {
    registry.install_command("ifconfig", run);
}

const IFF_UP: u32 = 0x1;
const IFF_BROADCAST: u32 = 0x2;
const IFF_POINTOPOINT: u32 = 0x10;

const FLAGS: &[(u32, &str)] = &[
    (0x1, "UP"),
    (0x2, "BROADCAST"),
    (0x4, "DEBUG"),
    (0x8, "LOOPBACK"),
    (0x10, "POINTOPOINT"),
    (0x20, "NOTRAILERS"),
    (0x40, "RUNNING"),
    (0x80, "NOARP"),
    (0x100, "PROMISC"),
    (0x200, "ALLMULTI"),
    (0x800, "SLAVE"),
    (0x400, "MASTER"),
    (0x1000, "MULTICAST"),
    (0x8000, "DYNAMIC"),
];

fn run(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let words: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    run_at_once(sys, &words)
}

/// Runs `ifconfig` with these words for a command that would call it.
pub(crate) fn run_at_once(sys: &mut dyn Sys, words: &[&str]) -> i32 {
    let mut console = Console::new(sys);
    let netns = console.sys.netns();
    let outcome = Ifconfig { console: &mut console, netns }.run(words);
    console.finish(outcome)
}

struct Ifconfig<'a, 's> {
    console: &'a mut Console<'s>,
    netns: NetnsId,
}

/// A name with its device: `eth0:1` is an address of `eth0`.
fn device_of(name: &str) -> &str {
    name.split(':').next().unwrap_or(name)
}

impl Ifconfig<'_, '_> {
    fn env(&self) -> Env<'_> {
        Env::of(self.console.sys, self.netns)
    }

    fn addrs(&self) -> Vec<AddrInfo> {
        self.console.sys.kernel().addrs(self.netns)
    }

    fn run(&mut self, words: &[&str]) -> Result<i32, Stop> {
        let mut words = Words::new(words);
        let (mut all, mut short) = (false, false);
        while let Some(word) = words.peek().filter(|word| word.starts_with('-')) {
            words.next_word();
            match word {
                "-a" => all = true,
                "-s" => short = true,
                "-v" => {}
                "-V" | "--version" => {
                    self.console.line("net-tools 2.10");
                    return Ok(0);
                }
                "-h" | "--help" | "-?" => return Err(usage()),
                _ => {
                    return Err(Stop::text(
                        1,
                        format!(
                            "ifconfig: option `{word}' not recognised.\nifconfig: `--help' gives usage information.\n"
                        ),
                    ));
                }
            }
        }
        match words.next_word() {
            None => {
                self.list(all, short);
                Ok(0)
            }
            Some(name) if words.is_empty() => self.show_one(name, short),
            Some(name) => self.configure(name, words),
        }
    }

    /// Devices and labeled addresses by name.
    fn list(&mut self, all: bool, short: bool) {
        let (links, addrs) = (self.env().links(), self.addrs());
        let mut names: Vec<(String, &LinkInfo)> = Vec::new();
        for link in links.iter().filter(|link| all || link.flags & IFF_UP != 0) {
            names.push((link.name.clone(), link));
            for info in addrs.iter().filter(|info| info.ifindex == link.ifindex) {
                let label = &info.addr.label;
                if label.contains(':') && !names.iter().any(|(name, _)| name == label) {
                    names.push((label.clone(), link));
                }
            }
        }
        names.sort_by(|a, b| a.0.cmp(&b.0));
        if short {
            self.console.out(SHORT_HEADER);
        }
        for (name, link) in names {
            let text = if short { short_line(&name, link) } else { entry(&name, link, &addrs) };
            self.console.out(&text);
        }
    }

    fn show_one(&mut self, name: &str, short: bool) -> Result<i32, Stop> {
        let (env, addrs) = (self.env(), self.addrs());
        let Some(link) = env.link(device_of(name)) else {
            return Err(Stop::exit(
                1,
                format!("{name}: error fetching interface information: Device not found"),
            ));
        };
        let text = if short {
            format!("{SHORT_HEADER}{}", short_line(name, &link))
        } else {
            entry(name, &link, &addrs)
        };
        self.console.out(&text);
        Ok(0)
    }

    fn link_set(&mut self, name: &str, change: LinkChange) -> Result<(), Refusal> {
        if !self.env().has_device(device_of(name)) {
            return Err(Errno::NoDev.into());
        }
        let request = Request::LinkSet { dev: device_of(name).to_owned(), changes: vec![change] };
        self.console.sys.request(self.netns, request).map(|_| ())
    }

    /// Changes a flag; a failure is said and makes the status 1.
    fn flag(&mut self, name: &str, change: LinkChange) -> Result<i32, Stop> {
        match self.link_set(name, change) {
            Ok(()) => Ok(0),
            Err(refusal) if refusal.errno == Errno::NoDev => Err(Stop::exit(
                255,
                format!("{name}: ERROR while getting interface flags: {}", refusal.errno),
            )),
            Err(refusal) => {
                self.console.error(&format!("SIOCSIFFLAGS: {}\n", refusal.errno));
                Ok(1)
            }
        }
    }

    fn said(&mut self, ioctl: &str, outcome: Result<(), Refusal>) -> i32 {
        match outcome {
            Ok(()) => 0,
            Err(refusal) => {
                self.console.error(&format!("{ioctl}: {}\n", refusal.errno));
                1
            }
        }
    }

    fn configure(&mut self, name: &str, mut words: Words<'_>) -> Result<i32, Stop> {
        let mut status = 0;
        while let Some(word) = words.next_word() {
            let mut value = || words.next_word().ok_or_else(usage);
            status |= match word {
                "up" => self.flag(name, LinkChange::Up(true))?,
                "down" if name.contains(':') => {
                    let outcome = self.drop_label(name);
                    self.said("SIOCSIFFLAGS", outcome)
                }
                "down" => self.flag(name, LinkChange::Up(false))?,
                "arp" | "-arp" => self.flag(name, LinkChange::Arp(word == "arp"))?,
                "promisc" | "-promisc" => self.flag(name, LinkChange::Promisc(word == "promisc"))?,
                "multicast" | "-multicast" => self.flag(name, LinkChange::Multicast(word == "multicast"))?,
                "allmulti" | "-allmulti" => self.flag(name, LinkChange::Allmulticast(word == "allmulti"))?,
                "dynamic" | "-dynamic" => self.flag(name, LinkChange::Dynamic(word == "dynamic"))?,
                "mtu" => {
                    // As atoi: a word that is no number is 0.
                    let mtu = crate::iproute::args::atoi(value()?);
                    let outcome = match u32::try_from(mtu) {
                        Ok(mtu) => self.link_set(name, LinkChange::Mtu(mtu)),
                        Err(_) => Err(Errno::Inval.into()),
                    };
                    self.said("SIOCSIFMTU", outcome)
                }
                "txqueuelen" => {
                    let len = crate::iproute::args::atoi(value()?);
                    let outcome = self.link_set(name, LinkChange::TxQueueLen(len.cast_unsigned()));
                    self.said("SIOCSIFTXQLEN", outcome)
                }
                "name" => {
                    let new = value()?.to_owned();
                    let outcome = self.link_set(name, LinkChange::Name(new));
                    self.said("SIOCSIFNAME", outcome)
                }
                "hw" => {
                    if value()? != "ether" {
                        return Err(usage());
                    }
                    let text = value()?;
                    let Ok(mac) = text.parse() else {
                        return Err(Stop::exit(1, format!("{text}: invalid ether address.")));
                    };
                    let outcome = self.link_set(name, LinkChange::Address(mac));
                    self.said("SIOCSIFHWADDR", outcome)
                }
                "netmask" => {
                    let mask = self.host(value()?)?;
                    self.set_mask(name, mask)
                }
                "broadcast" => {
                    let addr = self.host(value()?)?;
                    let outcome = self.update(name, |spec| spec.broadcast = Some(IpAddr::V4(addr)));
                    self.said("SIOCSIFBRDADDR", outcome)
                }
                "pointopoint" | "dstaddr" => {
                    let addr = self.host(value()?)?;
                    let outcome = self.update(name, |spec| {
                        spec.peer = IpNet::new(IpAddr::V4(addr), spec.local.prefix_len()).ok();
                    });
                    self.said("SIOCSIFDSTADDR", outcome)
                }
                "inet" => 0,
                "add" | "del" | "tunnel" | "outfill" | "keepalive" | "mem_start" | "io_addr" | "irq"
                | "media" | "metric" | "trailers" | "-trailers" | "-broadcast" | "-pointopoint" | "inet6" => {
                    return Err(Stop::exit(2, format!("ifconfig: option \"{word}\" is not simulated")));
                }
                _ if word.starts_with("--") => return Err(usage()),
                _ => self.set_address(name, word)?,
            };
        }
        Ok(status)
    }

    fn host(&self, word: &str) -> Result<Ipv4Addr, Stop> {
        host(word, 1).map_err(|stop| Stop {
            text: format!("{}ifconfig: `--help' gives usage information.\n", stop.text),
            ..stop
        })
    }

    /// `SIOCSIFADDR` and, with `/LEN`, `SIOCSIFNETMASK`; then up.
    fn set_address(&mut self, name: &str, word: &str) -> Result<i32, Stop> {
        let (text, len) = word.split_once('/').map_or((word, None), |(text, len)| (text, Some(len)));
        let addr = self.host(text)?;
        let len = match len.map(str::parse::<u8>) {
            Some(Ok(len)) if len <= 32 => Some(len),
            Some(_) => return Err(self.host(word).err().unwrap_or_else(usage)),
            None => None,
        };
        let outcome = self.put_address(name, addr);
        let mut status = self.said("SIOCSIFADDR", outcome);
        if !addr.is_unspecified() {
            status |= self.flag(name, LinkChange::Up(true))?;
        }
        if let Some(len) = len {
            status |= self.set_mask(name, mask_of(len));
        }
        Ok(status)
    }

    /// The address with that label, as a request would give it.
    fn labeled(&self, name: &str) -> Option<AddrSpec> {
        let env = self.env();
        let link = env.link(device_of(name))?;
        let addrs = self.addrs();
        let info = addrs.iter().find(|info| info.ifindex == link.ifindex && info.addr.label == name)?;
        let addr = &info.addr;
        Some(AddrSpec {
            dev: link.name.clone(),
            local: addr.local,
            peer: addr.peer.and_then(|peer| IpNet::new(peer, addr.local.prefix_len()).ok()),
            broadcast: addr.broadcast,
            scope: Some(addr.scope),
            label: Some(addr.label.clone()),
            noprefixroute: addr.flags.noprefixroute,
            metric: addr.metric,
            lifetime: None,
        })
    }

    fn drop_label(&mut self, name: &str) -> Result<(), Refusal> {
        match self.labeled(name) {
            Some(spec) => self.console.sys.request(self.netns, Request::AddrDel(spec)).map(|_| ()),
            None => Err(Errno::AddrNotAvail.into()),
        }
    }

    /// Kernel: `devinet_ioctl`, `SIOCSIFADDR`.
    fn put_address(&mut self, name: &str, addr: Ipv4Addr) -> Result<(), Refusal> {
        let env = self.env();
        let link = env.link(device_of(name)).ok_or(Refusal::from(Errno::NoDev))?;
        let old = self.labeled(name);
        if old.as_ref().is_some_and(|spec| spec.local.addr() == IpAddr::V4(addr)) {
            return Ok(());
        }
        if let Some(spec) = old {
            self.console.sys.request(self.netns, Request::AddrDel(spec))?;
        }
        if addr.is_unspecified() {
            return Ok(());
        }
        let len = if link.flags & IFF_POINTOPOINT != 0 { 32 } else { class_len(addr) };
        let net = Ipv4Net::new(addr, len).map_err(|_| Refusal::from(Errno::Inval))?;
        let has_broadcast = link.flags & IFF_BROADCAST != 0 && len < 31;
        let spec = AddrSpec {
            broadcast: has_broadcast.then(|| IpAddr::V4(net.broadcast())),
            scope: Some(if addr.is_loopback() { Scope::HOST } else { Scope::GLOBAL }),
            label: Some(name.to_owned()),
            ..AddrSpec::new(&link.name, IpNet::V4(net))
        };
        self.console.sys.request(self.netns, Request::AddrAdd(spec, Mode::Add)).map(|_| ())
    }

    /// Kernel: `devinet_ioctl`, `SIOCSIFNETMASK`.
    fn set_mask(&mut self, name: &str, mask: Ipv4Addr) -> i32 {
        let outcome = match mask_len(mask) {
            None => Err(Errno::Inval.into()),
            Some(len) => self.update(name, |spec| {
                let (IpNet::V4(old), Ok(new)) = (spec.local, IpNet::new(spec.local.addr(), len)) else {
                    return;
                };
                let was_derived = spec.broadcast == Some(IpAddr::V4(old.broadcast()));
                spec.local = new;
                if let (true, IpNet::V4(new)) = (was_derived && len < 31, new) {
                    spec.broadcast = Some(IpAddr::V4(new.broadcast()));
                }
            }),
        };
        self.said("SIOCSIFNETMASK", outcome)
    }

    /// Replaces the address with that label by a changed one.
    fn update(&mut self, name: &str, change: impl FnOnce(&mut AddrSpec)) -> Result<(), Refusal> {
        if !self.env().has_device(device_of(name)) {
            return Err(Errno::NoDev.into());
        }
        let old = self.labeled(name).ok_or(Refusal::from(Errno::AddrNotAvail))?;
        let mut new = old.clone();
        change(&mut new);
        if new == old {
            return Ok(());
        }
        self.console.sys.request(self.netns, Request::AddrDel(old))?;
        self.console.sys.request(self.netns, Request::AddrAdd(new, Mode::Add)).map(|_| ())
    }
}

/// Simplified: the first lines of the real text.
fn usage() -> Stop {
    Stop::text(
        3,
        "Usage:\n  ifconfig [-a] [-v] [-s] <interface> [[<AF>] <address>]\n  [add <address>[/<prefixlen>]]\n",
    )
}

const SHORT_HEADER: &str = "Iface      MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n";

fn short_line(name: &str, link: &LinkInfo) -> String {
    const LETTERS: &[(u32, char)] = &[
        (0x200, 'A'),
        (0x2, 'B'),
        (0x4, 'D'),
        (0x8, 'L'),
        (0x1000, 'M'),
        (0x100, 'P'),
        (0x20, 'N'),
        (0x80, 'O'),
        (0x10, 'P'),
        (0x800, 's'),
        (0x400, 'm'),
        (0x40, 'R'),
        (0x1, 'U'),
    ];
    let letters: String = LETTERS.iter().filter(|(bit, _)| link.flags & bit != 0).map(|(_, c)| *c).collect();
    let s = &link.stats;
    let counters = if name.contains(':') {
        format!("{:<55}", "     - no statistics available -")
    } else {
        format!(
            "{:>8} {:>6} {:>6} {:<6} {:>8} {:>6} {:>6} {:>6}",
            s.rx_packets, s.rx_errors, s.rx_dropped, 0, s.tx_packets, s.tx_errors, s.tx_dropped, 0
        )
    };
    format!("{name:<15} {:>5} {counters} {letters}\n", link.mtu)
}

/// One device or labeled address, with the empty line after it.
fn entry(name: &str, link: &LinkInfo, addrs: &[AddrInfo]) -> String {
    let flags = link.flags & 0xffff;
    let words: Vec<&str> = FLAGS.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, word)| *word).collect();
    let mut text = format!("{name}: flags={flags}<{}>  mtu {}\n", words.join(","), link.mtu);
    let own = addrs.iter().find(|info| info.ifindex == link.ifindex && info.addr.label == name);
    if let Some(addr) = own.map(|info| &info.addr) {
        let mask = mask_of(addr.local.prefix_len());
        text.push_str(&format!("        inet {}  netmask {mask}", addr.local.addr()));
        if flags & IFF_BROADCAST != 0 {
            let broadcast = addr.broadcast.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
            text.push_str(&format!("  broadcast {broadcast}"));
        }
        if flags & IFF_POINTOPOINT != 0 {
            text.push_str(&format!("  destination {}", addr.peer.unwrap_or(addr.local.addr())));
        }
        text.push('\n');
    }
    let queue = link.txqueuelen;
    text.push_str(&match (link.arphrd, &link.address) {
        (1, Some((mac, _))) => format!("        ether {mac}  txqueuelen {queue}  (Ethernet)\n"),
        (772, _) => format!("        loop  txqueuelen {queue}  (Local Loopback)\n"),
        (768, _) => format!("        tunnel   txqueuelen {queue}  (IPIP Tunnel)\n"),
        _ => format!(
            "        unspec 00-00-00-00-00-00-00-00-00-00-00-00-00-00-00-00  txqueuelen {queue}  (UNSPEC)\n"
        ),
    });
    if !name.contains(':') {
        let s = &link.stats;
        text.push_str(&format!(
            "        RX packets {}  bytes {} ({})\n        RX errors {}  dropped {}  overruns 0  frame 0\n        \
             TX packets {}  bytes {} ({})\n        TX errors {}  dropped {} overruns 0  carrier {}  collisions 0\n",
            s.rx_packets,
            s.rx_bytes,
            human(s.rx_bytes),
            s.rx_errors,
            s.rx_dropped,
            s.tx_packets,
            s.tx_bytes,
            human(s.tx_bytes),
            s.tx_errors,
            s.tx_dropped,
            s.tx_carrier
        ));
    }
    text.push('\n');
    text
}

/// Bytes with one decimal, cut off.
fn human(bytes: u64) -> String {
    const UNITS: [(u32, &str); 5] = [(50, "PiB"), (40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
    let (shift, unit) = UNITS.into_iter().find(|(shift, _)| bytes > 1 << shift).unwrap_or((0, "B"));
    let tenths = (u128::from(bytes) * 10) >> shift;
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn bytes_are_cut_to_a_tenth() {
        assert_eq!(human(90), "90.0 B");
        assert_eq!(human(1024), "1024.0 B");
        assert_eq!(human(1337), "1.3 KiB");
        assert_eq!(human(5_000_000), "4.7 MiB");
    }
}
