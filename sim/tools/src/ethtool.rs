//! `ethtool`: link state, driver, features that don't matter here.

use kernel::dump::{KindInfo, LinkInfo};
use world::{Registry, Sys};

use crate::console::{Console, Stop};
use crate::iproute::env::Env;

/// Installs `ethtool`.
pub fn install(registry: &mut Registry) {
    registry.install_command("ethtool", run);
}

fn run(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let words: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    let mut console = Console::new(sys);
    let outcome = run_words(&mut console, &words);
    console.finish(outcome)
}

fn run_words(console: &mut Console<'_>, words: &[&str]) -> Result<i32, Stop> {
    match words {
        [] => {
            Err(Stop::exit(1, "ethtool: bad command line argument(s)\nFor more information run ethtool -h"))
        }
        ["-i" | "--driver", dev, ..] => driver(console, dev),
        ["-k" | "--show-features" | "--show-offload", dev, ..] => features(console, dev),
        ["-S" | "--statistics", dev, ..] => statistics(console, dev),
        ["-P" | "--show-permaddr", dev, ..] => {
            if find(console, dev).is_none() {
                return Err(Stop::exit(1, "netlink error: No such device"));
            }
            console.line("Permanent address: not set");
            Ok(0)
        }
        [option, ..] if option.starts_with('-') => {
            Err(Stop::exit(2, format!("ethtool: option \"{option}\" is not simulated")))
        }
        [dev, ..] => settings(console, dev),
    }
}

fn find(console: &Console<'_>, dev: &str) -> Option<LinkInfo> {
    Env::of(console.sys, console.sys.netns()).link(dev)
}

fn is_veth(link: &LinkInfo) -> bool {
    matches!(link.kind, Some(KindInfo::Veth))
}

fn settings(console: &mut Console<'_>, dev: &str) -> Result<i32, Stop> {
    let Some(link) = find(console, dev) else {
        const NO: &str = "netlink error: no device matches name (offset 24)\nnetlink error: No such device\n";
        return Err(Stop::text(75, format!("{}No data available\n", NO.repeat(5))));
    };
    console.line(&format!("Settings for {dev}:"));
    if !matches!(link.arphrd, 772) {
        // A bridge and a vxlan know neither speed nor duplex; a veth and a tun claim some.
        let virtual_speed = matches!(link.kind, Some(KindInfo::Veth | KindInfo::Tun { .. }));
        let (speed, duplex, port) = if virtual_speed {
            ("10000Mb/s", "Full", "Twisted Pair")
        } else {
            ("Unknown!", "Unknown! (255)", "Other")
        };
        console.out(&format!(
            "\tSupported ports: [  ]\n\tSupported link modes:   Not reported\n\
             \tSupported pause frame use: No\n\tSupports auto-negotiation: No\n\
             \tSupported FEC modes: Not reported\n\tAdvertised link modes:  Not reported\n\
             \tAdvertised pause frame use: No\n\tAdvertised auto-negotiation: No\n\
             \tAdvertised FEC modes: Not reported\n\tSpeed: {speed}\n\tDuplex: {duplex}\n\
             \tAuto-negotiation: off\n\tPort: {port}\n\tPHYAD: 0\n\tTransceiver: internal\n"
        ));
        if virtual_speed {
            console.line("\tMDI-X: Unknown");
        }
        if matches!(link.kind, Some(KindInfo::Tun { .. })) {
            console.out("        Current message level: 0x00000000 (0)\n                              \n");
        }
    }
    let detected = link.flags & 0x1_0000 != 0;
    console.line(&format!("\tLink detected: {}", if detected { "yes" } else { "no" }));
    Ok(0)
}

fn driver(console: &mut Console<'_>, dev: &str) -> Result<i32, Stop> {
    let Some(link) = find(console, dev) else {
        return Err(Stop::exit(71, "Cannot get driver information: No such device"));
    };
    let (name, version, firmware, statistics) = match link.kind {
        Some(KindInfo::Veth) => ("veth", "1.0", "", "yes"),
        Some(KindInfo::Bridge(_)) => ("bridge", "2.3", "N/A", "no"),
        Some(KindInfo::Vxlan(_)) => ("vxlan", "0.1", "", "no"),
        Some(KindInfo::Tun { .. }) => ("tun", "1.6", "", "no"),
        Some(KindInfo::Dummy) => ("dummy", "1.0", "", "no"),
        Some(KindInfo::Vlan { .. }) => ("802.1Q VLAN Support", "1.8", "N/A", "no"),
        _ => return Err(Stop::exit(71, "Cannot get driver information: Operation not supported")),
    };
    let bus = match link.kind {
        Some(KindInfo::Bridge(_)) => "N/A",
        Some(KindInfo::Tun { tap, .. }) => {
            if tap {
                "tap"
            } else {
                "tun"
            }
        }
        _ => "",
    };
    console.out(&format!(
        "driver: {name}\nversion: {version}\nfirmware-version: {firmware}\nexpansion-rom-version: \n\
         bus-info: {bus}\nsupports-statistics: {statistics}\nsupports-test: no\nsupports-eeprom-access: no\n\
         supports-register-dump: no\nsupports-priv-flags: no\n"
    ));
    Ok(0)
}

/// Features of a veth as Linux 6.18 has them by default.
const VETH_FEATURES: &str = include_str!("ethtool_veth_features.txt");

fn features(console: &mut Console<'_>, dev: &str) -> Result<i32, Stop> {
    match find(console, dev) {
        None => Err(Stop::exit(
            1,
            "netlink error: no device matches name (offset 24)\nnetlink error: No such device",
        )),
        Some(link) if is_veth(&link) => {
            console.out(&format!("Features for {dev}:\n{VETH_FEATURES}"));
            Ok(0)
        }
        Some(_) => Err(Stop::exit(2, "ethtool: option \"-k\" is simulated for veth only")),
    }
}

fn statistics(console: &mut Console<'_>, dev: &str) -> Result<i32, Stop> {
    match find(console, dev) {
        None => Err(Stop::exit(71, "Cannot get stats strings information: No such device")),
        Some(link) if is_veth(&link) => {
            // Simplified: the queues' counters are not listed.
            let peer = link.link.map_or(0, |index| index.0);
            console.out(&format!("NIC statistics:\n     peer_ifindex: {peer}\n"));
            Ok(0)
        }
        Some(_) => Err(Stop::exit(94, "no stats available")),
    }
}
