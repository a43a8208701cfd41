//! `arp` of net-tools 2.10.

use std::net::{IpAddr, Ipv4Addr};

use kernel::dump::{NeighInfo, RouteQuery};
use kernel::request::{Mode, NeighSpec, Request};
use kernel::{Errno, Nud, Refusal};
use packet::{MacAddr, NetnsId};
use world::{Registry, Sys};

use crate::console::{Console, Stop};
use crate::iproute::env::Env;
use crate::nettools::host;

/// Installs `arp`.
pub fn install(registry: &mut Registry) {
    registry.install_command("arp", run);
}

/// Simplified: the first lines of the real text.
const USAGE: &str =
    "Usage:\n  arp [-vn]  [<HW>] [-i <if>] [-a] [<hostname>]             <-Display ARP cache\n";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Action {
    /// In columns.
    #[default]
    List,
    /// `-a`: in sentences.
    Sentences,
    /// `-s`.
    Set,
    /// `-d`.
    Delete,
}

#[derive(Clone, Debug, Default)]
struct Options<'a> {
    action: Action,
    verbose: bool,
    dev: Option<&'a str>,
    /// `-D`: the address is that of a device.
    of_device: bool,
    words: Vec<&'a str>,
}

fn run(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let words: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    let mut console = Console::new(sys);
    let netns = console.sys.netns();
    let outcome = parse(&words).and_then(|o| match o.action {
        Action::List | Action::Sentences => list(&mut console, netns, &o),
        Action::Set => set(&mut console, netns, &o),
        Action::Delete => delete(&mut console, netns, &o),
    });
    console.finish(outcome)
}

fn parse<'a>(words: &[&'a str]) -> Result<Options<'a>, Stop> {
    let mut o = Options::default();
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
            o.words.push(word);
            continue;
        };
        let long = match letters.strip_prefix('-') {
            Some("numeric") => "n",
            Some("verbose") => "v",
            Some("set") => "s",
            Some("delete") => "d",
            Some("device") => "i",
            Some("use-device") => "D",
            Some("all") => "a",
            Some("version") => "V",
            Some(_) => return Err(Stop::text(3, format!("arp: unrecognized option '{word}'\n{USAGE}"))),
            None => letters,
        };
        for letter in long.chars() {
            match letter {
                'n' => {}
                'v' => o.verbose = true,
                'a' => o.action = Action::Sentences,
                'e' => o.action = Action::List,
                's' => o.action = Action::Set,
                'd' => o.action = Action::Delete,
                'D' => o.of_device = true,
                'i' => o.dev = Some(words.next().copied().ok_or_else(|| Stop::text(3, USAGE))?),
                'H' | 't' if words.next().copied() == Some("ether") => {}
                'V' => return Err(Stop::text(0, "net-tools 2.10\n")),
                'f' | 'A' | 'p' | 'H' | 't' => {
                    return Err(Stop::exit(2, format!("arp: option \"-{letter}\" is not simulated")));
                }
                _ => return Err(Stop::text(3, format!("arp: invalid option -- '{letter}'\n{USAGE}"))),
            }
        }
    }
    Ok(o)
}

/// Entries as /proc/net/arp has them: those without a state are left out.
fn entries(console: &Console<'_>, netns: NetnsId) -> Vec<NeighInfo> {
    let sys = &*console.sys;
    let all = sys.kernel().neighbours(netns, sys.now());
    let (proxies, own): (Vec<_>, Vec<_>) = all.into_iter().partition(|info| info.proxy);
    let own =
        own.into_iter().filter(|info| info.addr.is_ipv4() && !matches!(info.nud, Nud::None | Nud::Noarp));
    own.chain(proxies).collect()
}

const fn is_complete(info: &NeighInfo) -> bool {
    !info.proxy && !matches!(info.nud, Nud::Incomplete | Nud::Failed)
}

fn list(console: &mut Console<'_>, netns: NetnsId, o: &Options<'_>) -> Result<i32, Stop> {
    let wanted = match o.words.first() {
        Some(word) => Some(IpAddr::V4(host(word, 255)?)),
        None => None,
    };
    let all = entries(console, netns);
    let shown: Vec<&NeighInfo> = all
        .iter()
        .filter(|info| wanted.is_none_or(|addr| addr == info.addr))
        .filter(|info| o.dev.is_none_or(|dev| info.dev.as_deref() == Some(dev)))
        .collect();
    if o.action == Action::List && !shown.is_empty() {
        console.line("Address                  HWtype  HWaddress           Flags Mask            Iface");
    }
    for info in &shown {
        let text = if o.action == Action::List { columns(info) } else { sentence(info) };
        console.line(&text);
    }
    if o.verbose {
        console.line(&format!(
            "Entries: {}\tSkipped: {}\tFound: {}",
            all.len(),
            all.len() - shown.len(),
            shown.len()
        ));
    }
    if shown.is_empty() {
        match (wanted, o.action) {
            (Some(addr), Action::List) => console.line(&format!("{addr} ({addr}) -- no entry")),
            (Some(_), _) => console.line(&format!("arp: in {} entries no match found.", all.len())),
            (None, _) if o.dev.is_some() => {
                console.line(&format!("arp: in {} entries no match found.", all.len()));
            }
            (None, _) => {}
        }
    }
    Ok(0)
}

fn columns(info: &NeighInfo) -> String {
    let (hw, address) = match (info.proxy, is_complete(info), info.lladdr) {
        (true, ..) => ("*", "<from_interface>".to_owned()),
        (false, true, Some(mac)) => ("ether", mac.to_string()),
        _ => ("", "(incomplete)".to_owned()),
    };
    let mut flags = String::new();
    if is_complete(info) {
        flags.push('C');
    }
    if info.proxy || info.nud == Nud::Permanent {
        flags.push('M');
    }
    if info.proxy {
        flags.push('P');
    }
    let dev = info.dev.as_deref().unwrap_or("*");
    format!("{:<23}  {hw:<8}{address:<20}{flags:<6}{:<15} {dev}", info.addr.to_string(), "")
}

fn sentence(info: &NeighInfo) -> String {
    let at = match (info.proxy, is_complete(info), info.lladdr) {
        (true, ..) => "<from_interface>".to_owned(),
        (false, true, Some(mac)) => format!("{mac} [ether]"),
        _ => "<incomplete>".to_owned(),
    };
    let permanent = if info.proxy || info.nud == Nud::Permanent { " PERM" } else { "" };
    let public = if info.proxy { " PUB" } else { "" };
    format!("? ({}) at {at}{permanent}{public} on {}", info.addr, info.dev.as_deref().unwrap_or("*"))
}

/// The device given, or that of the route to the address. Kernel: `arp_req_set`.
fn device(console: &Console<'_>, netns: NetnsId, o: &Options<'_>, addr: Ipv4Addr) -> Result<String, Refusal> {
    if let Some(dev) = o.dev {
        let exists = Env::of(console.sys, netns).has_device(dev);
        return if exists { Ok(dev.to_owned()) } else { Err(Errno::NoDev.into()) };
    }
    let sys = &*console.sys;
    let query = RouteQuery { dst: Some(IpAddr::V4(addr)), ..RouteQuery::default() };
    let answer = sys.kernel().route_get(netns, &query, sys.now())?;
    answer.dev.ok_or(Refusal::from(Errno::Inval))
}

fn set(console: &mut Console<'_>, netns: NetnsId, o: &Options<'_>) -> Result<i32, Stop> {
    let mut words = o.words.iter().copied();
    let Some(name) = words.next() else { return Err(Stop::exit(255, "arp: need host name")) };
    let addr = host(name, 255)?;
    let Some(text) = words.next() else { return Err(Stop::exit(255, "arp: need hardware address")) };
    let env = Env::of(console.sys, netns);
    let mac: MacAddr = if o.of_device {
        let found = env.link(text).and_then(|link| link.address).map(|(mac, _)| mac);
        found.ok_or_else(|| {
            Stop::exit(255, format!("arp: cant get HW-Address for `{text}': {}.", Errno::NoDev))
        })?
    } else {
        text.parse().map_err(|_| Stop::exit(255, "arp: invalid hardware address"))?
    };
    let (mut temporary, mut public) = (false, false);
    for word in words {
        match word {
            "temp" => temporary = true,
            "pub" => public = true,
            "priv" => public = false,
            _ => return Err(Stop::exit(2, format!("arp: option \"{word}\" is not simulated"))),
        }
    }
    let failed = |refusal: Refusal| Stop::exit(255, format!("SIOCSARP: {}", refusal.errno));
    let dev = if public && o.dev.is_none() {
        // Without a device the kernel looks for one that has this address.
        let owner = env.links().into_iter().find(|link| link.address.is_some_and(|(own, _)| own == mac));
        owner.map(|link| link.name).ok_or_else(|| failed(Errno::NoDev.into()))?
    } else {
        device(console, netns, o, addr).map_err(failed)?
    };
    let spec = NeighSpec {
        addr: IpAddr::V4(addr),
        dev: Some(dev),
        lladdr: (!public).then_some(mac),
        nud: (!public).then_some(if temporary { Nud::Stale } else { Nud::Permanent }),
        proxy: public,
        router: false,
        extern_learn: false,
    };
    console.sys.request(netns, Request::NeighAdd(spec, Mode::Replace)).map_err(failed)?;
    Ok(0)
}

fn delete(console: &mut Console<'_>, netns: NetnsId, o: &Options<'_>) -> Result<i32, Stop> {
    let Some(name) = o.words.first() else { return Err(Stop::exit(255, "arp: need host name")) };
    let addr = host(name, 255)?;
    let missing = || Stop::exit(255, format!("No ARP entry for {name}"));
    let public = o.words.contains(&"pub");
    let dev = match device(console, netns, o, addr) {
        Ok(dev) => dev,
        Err(refusal) if refusal.errno == Errno::NxIo || refusal.errno == Errno::NoEnt => {
            return Err(missing());
        }
        Err(refusal) => return Err(Stop::exit(255, format!("SIOCDARP: {}", refusal.errno))),
    };
    let spec = |proxy: bool| NeighSpec {
        addr: IpAddr::V4(addr),
        dev: Some(dev.clone()),
        lladdr: None,
        nud: None,
        proxy,
        router: false,
        extern_learn: false,
    };
    // First as an own entry, then as one published for others.
    if !public && console.sys.request(netns, Request::NeighDel(spec(false))).is_ok() {
        return Ok(0);
    }
    match console.sys.request(netns, Request::NeighDel(spec(true))) {
        Ok(_) => Ok(0),
        Err(_) => Err(missing()),
    }
}
