//! `brctl` of bridge-utils 1.7.

use kernel::dump::{FdbInfo, KindInfo, LinkInfo};
use kernel::request::{BridgeOption, FdbState, LinkAdd, LinkChange, LinkKind, PortOption, Request};
use kernel::{Errno, Refusal};
use packet::{MacAddr, NetnsId};
use world::{Registry, Sys};

use crate::console::{Console, Stop};
use crate::ip::priority_of;
use crate::iproute::env::Env;

/// Installs `brctl`.
pub fn install(registry: &mut Registry) {
    registry.install_command("brctl", run);
}

/// Commands: name, least and most words, how it is described.
const COMMANDS: &[(&str, usize, usize, &str)] = &[
    ("addbr", 1, 1, "<bridge>\t\tadd bridge"),
    ("delbr", 1, 1, "<bridge>\t\tdelete bridge"),
    ("addif", 2, usize::MAX, "<bridge> <device>\tadd interface to bridge"),
    ("delif", 2, usize::MAX, "<bridge> <device>\tdelete interface from bridge"),
    ("hairpin", 3, 3, "<bridge> <port> {on|off}\tturn hairpin on/off"),
    ("setageing", 2, 2, "<bridge> <time>\t\tset ageing time"),
    ("setbridgeprio", 2, 2, "<bridge> <prio>\t\tset bridge priority"),
    ("setfd", 2, 2, "<bridge> <time>\t\tset bridge forward delay"),
    ("sethello", 2, 2, "<bridge> <time>\t\tset hello time"),
    ("setmaxage", 2, 2, "<bridge> <time>\t\tset max message age"),
    ("setpathcost", 3, 3, "<bridge> <port> <cost>\tset path cost"),
    ("setportprio", 3, 3, "<bridge> <port> <prio>\tset port priority"),
    ("show", 0, usize::MAX, "[ <bridge> ]\t\tshow a list of bridges"),
    ("showmacs", 1, 1, "<bridge>\t\tshow a list of mac addrs"),
    ("showstp", 1, 1, "<bridge>\t\tshow bridge stp info"),
    ("stp", 2, 2, "<bridge> {on|off}\tturn stp on/off"),
];

fn usage() -> String {
    let lines: String = COMMANDS.iter().map(|(name, _, _, text)| format!("\t{name:<10}\t{text}\n")).collect();
    format!("Usage: brctl [commands]\ncommands:\n{lines}")
}

fn run(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let words: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    let mut console = Console::new(sys);
    let netns = console.sys.netns();
    let outcome = Brctl { console: &mut console, netns }.run(&words);
    console.finish(outcome)
}

struct Brctl<'a, 's> {
    console: &'a mut Console<'s>,
    netns: NetnsId,
}

fn is_bridge(link: &LinkInfo) -> bool {
    matches!(link.kind, Some(KindInfo::Bridge(_)))
}

/// Seconds with a fraction, in hundredths.
fn read_time(word: &str, what: &str) -> Result<u32, Stop> {
    let bad = || Stop::exit(1, format!("bad {what} value"));
    let (whole, fraction) = word.split_once('.').unwrap_or((word, ""));
    let whole: u32 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| bad())? };
    if whole == 0 && fraction.is_empty() && !word.starts_with('0') {
        return Err(bad());
    }
    let hundredths: u32 =
        format!("{fraction:0<2}").get(..2).and_then(|digits| digits.parse().ok()).ok_or_else(bad)?;
    Ok(whole.saturating_mul(100).saturating_add(hundredths))
}

fn read_number(word: &str, message: &str) -> Result<u32, Stop> {
    word.parse().map_err(|_| Stop::exit(1, message))
}

fn read_switch(word: &str) -> Result<bool, Stop> {
    match word {
        "on" | "yes" | "1" => Ok(true),
        "off" | "no" | "0" => Ok(false),
        _ => Err(Stop::exit(1, "expect on/off for argument")),
    }
}

impl Brctl<'_, '_> {
    fn run(&mut self, words: &[&str]) -> Result<i32, Stop> {
        let Some((&name, args)) = words.split_first() else { return Err(Stop::text(1, usage())) };
        match name {
            "-V" | "--version" => {
                self.console.line("bridge-utils, 1.7");
                return Ok(0);
            }
            "-h" | "--help" => {
                self.console.out(&usage());
                return Ok(0);
            }
            _ => {}
        }
        let Some((_, least, most, text)) = COMMANDS.iter().find(|(known, ..)| *known == name) else {
            return Err(Stop::text(1, format!("never heard of command [{name}]\n{}", usage())));
        };
        if args.len() < *least || args.len() > *most {
            return Err(Stop::text(
                1,
                format!("Incorrect number of arguments for command\nUsage: brctl {name} {text}\n"),
            ));
        }
        match (name, args) {
            ("addbr", [bridge, ..]) => self.addbr(bridge),
            ("delbr", [bridge, ..]) => self.delbr(bridge),
            ("addif", [bridge, ports @ ..]) => ports.iter().try_for_each(|port| self.addif(bridge, port)),
            ("delif", [bridge, ports @ ..]) => ports.iter().try_for_each(|port| self.delif(bridge, port)),
            ("hairpin", [bridge, port, word]) => self.hairpin(bridge, port, word),
            ("setpathcost", [bridge, port, word]) => {
                let cost = read_number(word, "bad path cost value")?;
                self.set_port(bridge, port, PortOption::Cost(cost), "path cost")
            }
            ("setportprio", [bridge, port, word]) => {
                let priority = read_number(word, "bad path priority value")?;
                let priority = u16::try_from(priority).unwrap_or(u16::MAX);
                self.set_port(bridge, port, PortOption::Priority(priority), "port priority")
            }
            ("show", names) => self.show(names),
            ("showmacs", [bridge, ..]) => self.showmacs(bridge),
            (_, [bridge, word, ..]) => self.set_bridge(name, bridge, word),
            _ => Err(Stop::exit(2, format!("brctl: option \"{name}\" is not simulated"))),
        }?;
        Ok(0)
    }

    fn env(&self) -> Env<'_> {
        Env::of(self.console.sys, self.netns)
    }

    fn change(&mut self, dev: &str, change: LinkChange) -> Result<(), Refusal> {
        let request = Request::LinkSet { dev: dev.to_owned(), changes: vec![change] };
        self.console.sys.request(self.netns, request).map(|_| ())
    }

    fn addbr(&mut self, bridge: &str) -> Result<(), Stop> {
        // The ioctl copies at most 15 bytes of the name.
        let name: String = bridge.chars().take(15).collect();
        let request = Request::LinkAdd(LinkAdd::new(&name, LinkKind::Bridge(Vec::new())));
        match self.console.sys.request(self.netns, request) {
            Ok(_) => Ok(()),
            Err(refusal) if refusal.errno == Errno::Exist => Err(Stop::exit(
                1,
                format!("device {bridge} already exists; can't create bridge with the same name"),
            )),
            Err(refusal) => Err(Stop::exit(1, format!("add bridge failed: {}", refusal.errno))),
        }
    }

    fn delbr(&mut self, bridge: &str) -> Result<(), Stop> {
        let env = self.env();
        let message = match env.link(bridge) {
            None => format!("bridge {bridge} doesn't exist; can't delete it"),
            Some(link) if !is_bridge(&link) => format!("can't delete bridge {bridge}: {}", Errno::Perm),
            Some(link) if link.flags & 1 != 0 => format!("bridge {bridge} is still up; can't delete it"),
            Some(link) => {
                let doomed = Request::LinkDel { dev: link.name };
                return match self.console.sys.request(self.netns, doomed) {
                    Ok(_) => Ok(()),
                    Err(refusal) => {
                        Err(Stop::exit(1, format!("can't delete bridge {bridge}: {}", refusal.errno)))
                    }
                };
            }
        };
        Err(Stop::exit(1, message))
    }

    fn addif(&mut self, bridge: &str, port: &str) -> Result<(), Stop> {
        let env = self.env();
        let message = match (env.link(port), env.link(bridge)) {
            (None, _) => format!("interface {port} does not exist!"),
            (_, None) => format!("bridge {bridge} does not exist!"),
            (Some(link), _) if link.master.is_some() => {
                format!("device {port} is already a member of a bridge; can't add it to bridge {bridge}.")
            }
            (Some(_), Some(link)) if !is_bridge(&link) => {
                format!("can't add {port} to bridge {bridge}: {}", Errno::OpNotSupp)
            }
            (Some(_), Some(_)) => {
                return match self.change(port, LinkChange::Master(Some(bridge.to_owned()))) {
                    Ok(()) => Ok(()),
                    Err(refusal) => {
                        Err(Stop::exit(1, format!("can't add {port} to bridge {bridge}: {}", refusal.errno)))
                    }
                };
            }
        };
        Err(Stop::exit(1, message))
    }

    fn delif(&mut self, bridge: &str, port: &str) -> Result<(), Stop> {
        let env = self.env();
        let message = match (env.link(port), env.link(bridge)) {
            (None, _) => format!("interface {port} does not exist!"),
            (_, None) => format!("bridge {bridge} does not exist!"),
            (Some(link), Some(br)) if link.master.as_ref() != Some(&br.name) => {
                format!("device {port} is not a port of {bridge}")
            }
            _ => {
                return match self.change(port, LinkChange::Master(None)) {
                    Ok(()) => Ok(()),
                    Err(refusal) => {
                        Err(Stop::exit(1, format!("can't delete {port} from {bridge}: {}", refusal.errno)))
                    }
                };
            }
        };
        Err(Stop::exit(1, message))
    }

    fn hairpin(&mut self, bridge: &str, port: &str, word: &str) -> Result<(), Stop> {
        let on = read_switch(word)?;
        let env = self.env();
        let message = match (env.link(port), env.link(bridge)) {
            (None, _) => format!("interface {port} does not exist!"),
            (_, None) => format!("bridge {bridge} does not exist!"),
            (Some(link), Some(br)) if link.master.as_ref() != Some(&br.name) => {
                format!("can't set {port} to hairpin on bridge {bridge}: {}", Errno::NoEnt)
            }
            _ => {
                return match self.change(port, LinkChange::Port(PortOption::Hairpin(on))) {
                    Ok(()) => Ok(()),
                    Err(refusal) => Err(Stop::exit(
                        1,
                        format!("can't set {port} to hairpin on bridge {bridge}: {}", refusal.errno),
                    )),
                };
            }
        };
        Err(Stop::exit(1, message))
    }

    fn set_bridge(&mut self, command: &str, bridge: &str, word: &str) -> Result<(), Stop> {
        let (option, what) = match command {
            "setageing" => (BridgeOption::AgeingTime(read_time(word, "ageing time")?), "ageing time"),
            "setfd" => (BridgeOption::ForwardDelay(read_time(word, "forward delay")?), "forward delay"),
            "sethello" => (BridgeOption::HelloTime(read_time(word, "hello timer")?), "hello timer"),
            "setmaxage" => (BridgeOption::MaxAge(read_time(word, "max age")?), "max age"),
            "setbridgeprio" => {
                let priority = read_number(word, "bad priority")?;
                (BridgeOption::Priority(u16::try_from(priority).unwrap_or(u16::MAX)), "bridge priority")
            }
            "stp" => (BridgeOption::StpState(read_switch(word)?.into()), "stp status"),
            _ => return Err(Stop::exit(2, format!("brctl: option \"{command}\" is not simulated"))),
        };
        let failed = |errno: Errno| Stop::exit(1, format!("set {what} failed: {errno}"));
        match self.env().link(bridge) {
            Some(link) if is_bridge(&link) => {}
            _ => return Err(failed(Errno::NoDev)),
        }
        self.change(bridge, LinkChange::Bridge(option)).map_err(|refusal| failed(refusal.errno))
    }

    fn set_port(&mut self, bridge: &str, port: &str, option: PortOption, what: &str) -> Result<(), Stop> {
        let failed = |errno: Errno| Stop::exit(1, format!("set {what} failed: {errno}"));
        let env = self.env();
        match (env.link(bridge), env.link(port)) {
            (Some(br), Some(link)) if link.master.as_ref() == Some(&br.name) => {}
            _ => return Err(failed(Errno::NoDev)),
        }
        self.change(port, LinkChange::Port(option)).map_err(|refusal| failed(refusal.errno))
    }

    /// One bridge's message doesn't keep the others from being shown.
    fn show(&mut self, names: &[&str]) -> Result<(), Stop> {
        const HEADER: &str = "bridge name\tbridge id\t\tSTP enabled\tinterfaces\n";
        let links = self.env().links();
        let mut wanted: Vec<LinkInfo> = Vec::new();
        let mut failed = false;
        if names.is_empty() {
            wanted = links.iter().filter(|link| is_bridge(link)).cloned().collect();
            wanted.sort_by(|a, b| a.name.cmp(&b.name));
        }
        for name in names {
            match self.env().link(name) {
                Some(link) if is_bridge(&link) => wanted.push(link),
                found => {
                    failed = true;
                    let text = match found {
                        Some(_) => format!("device {name} is not a bridge!\n"),
                        None => format!("bridge {name} does not exist!\n"),
                    };
                    self.console.error(&text);
                }
            }
        }
        if names.is_empty() || !wanted.is_empty() {
            self.console.out(HEADER);
        }
        for bridge in wanted {
            self.console.out(&bridge_lines(&bridge, &links));
        }
        if failed { Err(Stop::silent(1)) } else { Ok(()) }
    }

    fn showmacs(&mut self, bridge: &str) -> Result<(), Stop> {
        let Some(link) = self.env().link(bridge).filter(is_bridge) else {
            return Err(Stop::exit(1, format!("read of forward table failed: {}", Errno::NoDev)));
        };
        let sys = &*self.console.sys;
        let mut entries: Vec<FdbInfo> = sys
            .kernel()
            .fdb(self.netns, sys.now())
            .into_iter()
            .filter(|info| {
                !info.from_self && info.master.as_ref() == Some(&link.name) && info.dev != link.name
            })
            .collect();
        entries.sort_by_key(|info| info.mac);
        self.console.line("port no\tmac addr\t\tis local?\tageing timer");
        for info in entries {
            let port = self.env().link(&info.dev).and_then(|link| link.port).map_or(0, |port| port.number);
            let local = if info.state == FdbState::Permanent { "yes" } else { "no" };
            // Simplified: whole seconds; the real command shows hundredths.
            let age = if info.state == FdbState::Dynamic { info.ages.1 } else { 0 };
            self.console.line(&format!("{port:3}\t{}\t{local}\t\t{age:4}.00", info.mac));
        }
        Ok(())
    }
}

/// A bridge with its ports, the first on its own line.
fn bridge_lines(bridge: &LinkInfo, links: &[LinkInfo]) -> String {
    let options: &[BridgeOption] = match &bridge.kind {
        Some(KindInfo::Bridge(options)) => options,
        _ => &[],
    };
    let mac = bridge.address.map_or(MacAddr::ZERO, |(mac, _)| mac);
    let digits: String = mac.0.iter().map(|byte| format!("{byte:02x}")).collect();
    let stp = options.iter().any(|option| matches!(option, BridgeOption::StpState(state) if *state != 0));
    let mut ports: Vec<&str> = links
        .iter()
        .filter(|link| link.master.as_ref() == Some(&bridge.name))
        .map(|link| link.name.as_str())
        .collect();
    ports.sort_unstable();
    let head = format!(
        "{}\t\t{:04x}.{digits}\t{}\t\t",
        bridge.name,
        priority_of(options),
        if stp { "yes" } else { "no" }
    );
    if ports.is_empty() {
        return head + "\n";
    }
    head + &ports.join("\n\t\t\t\t\t\t\t") + "\n"
}
