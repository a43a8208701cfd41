//! What is written of a host: names, NICs, addresses, bridges.

use indexmap::IndexMap;
use ipnet::{IpNet, Ipv4Net};
use packet::MacAddr;

use super::read::Reader;
use super::written::{BridgeFile, Defaults, Form, HostFile, NicFile};
use super::{At, Bridge, Host, Nic};
use crate::error::{Problem, nearest};

/// Longest name of a device, in bytes. Kernel: `IFNAMSIZ` - 1.
const DEVICE_NAME_MAX: usize = 15;
/// Longest name of a host, in bytes. Kernel: `__NEW_UTS_LEN`.
const HOST_NAME_MAX: usize = 64;

impl Reader {
    pub(super) fn take_defaults(&self, host: &mut Host, defaults: &Defaults, place: &At) {
        let at = |path: String| At { source: place.source, path };
        let setup = defaults.host.setup.iter().enumerate();
        let setup = setup.map(|(i, command)| (command.clone(), at(format!("defaults.host.setup[{i}]"))));
        host.setup.splice(0..0, setup);
        for (path, content) in &defaults.host.files {
            host.files.entry(path.clone()).or_insert_with(|| content.clone());
        }
    }

    pub(super) fn host(&mut self, name: &str, written: HostFile, defaults: &Defaults, place: At) -> Host {
        let HostFile { nics, bridges, gateway, setup, files } = written;
        let key = place.join("#key");
        let bad = |c: char| c.is_whitespace() || c.is_control() || "/:".contains(c);
        if name.is_empty() || name.len() > HOST_NAME_MAX || name.contains(bad) {
            let expected = "a host's name: up to 64 letters, digits, dots and dashes";
            self.error(&key, Problem::Invalid { value: name.to_owned(), expected });
        }
        for path in files.keys().filter(|path| !path.starts_with('/')) {
            let at = place.join(&format!(".files[{path:?}]#key"));
            self.error(&at, Problem::Invalid { value: path.clone(), expected: "an absolute path" });
        }
        let setup = setup.into_iter().enumerate();
        let mut host = Host {
            setup: setup.map(|(i, command)| (command, place.join(&format!(".setup[{i}]")))).collect(),
            files,
            at: key,
            ..Host::default()
        };
        self.take_defaults(&mut host, defaults, &place);
        let own = gateway.map(|gateway| (gateway, place.join(".gateway")));
        let default = defaults.host.gateway.clone().filter(|gateway| gateway != name);
        let source = place.source;
        host.gateway_name = own.or_else(|| {
            default.map(|gateway| (gateway, At { source, path: "defaults.host.gateway".to_owned() }))
        });
        for (nic, written) in nics {
            let at = place.join(&format!(".nics[{nic:?}]"));
            self.device_name(&nic, &at);
            let spec = self.nic(name, &nic, written, at);
            host.nics.insert(nic, spec);
        }
        for (bridge, written) in bridges {
            let at = place.join(&format!(".bridges[{bridge:?}]"));
            self.device_name(&bridge, &at);
            if let Some(nic) = host.nics.get(&bridge) {
                let first = format!("a NIC of this host ({})", self.topology.line_of(&nic.at, &at));
                let what = format!("`{bridge}`");
                self.error(&at.join("#key"), Problem::Duplicate { what, first, hint: None });
            }
            let spec = self.bridge(&mut host.nics, written, &at);
            host.bridges.insert(bridge, spec);
        }
        host
    }

    /// Kernel: `dev_valid_name`.
    fn device_name(&mut self, name: &str, at: &At) {
        let bad = |c: char| c.is_whitespace() || "/:".contains(c);
        let value = name.to_owned();
        let expected = if name.len() > DEVICE_NAME_MAX {
            "a device's name: it has more than 15 bytes"
        } else if name.is_empty() || name == "." || name == ".." || name.contains(bad) {
            "a device's name such as eth0"
        } else if name == "lo" {
            "free: every host has its own"
        } else {
            return;
        };
        self.error(&at.join("#key"), Problem::Invalid { value, expected });
    }

    fn nic(&mut self, host: &str, nic: &str, written: NicFile, at: At) -> Nic {
        let NicFile { addresses, mac, mtu, up, form } = written;
        let mut spec = Nic::automatic(host, nic, at.clone());
        spec.auto = None;
        spec.mtu = mtu;
        spec.up = up.unwrap_or(!addresses.is_empty());
        if let Some(text) = mac {
            // Kernel: `is_valid_ether_addr`: neither a group's address nor zero.
            match text.parse::<MacAddr>() {
                Ok(mac) if mac.0[0] & 1 == 0 && mac.0 != [0; 6] => spec.mac = mac,
                _ => {
                    let expected = "a MAC address of one NIC such as 02:00:00:00:00:01";
                    self.error(&at.join(".mac"), Problem::Invalid { value: text, expected });
                }
            }
        }
        if let Some(mtu) = mtu.filter(|mtu| !(68..=65535).contains(mtu)) {
            let expected = "an MTU from 68 to 65535 bytes";
            self.error(&at.join(".mtu"), Problem::Invalid { value: mtu.to_string(), expected });
        }
        for (i, address) in addresses.into_iter().enumerate() {
            let place = if form == Form::Brief { at.clone() } else { at.join(&format!(".addresses[{i}]")) };
            if address == "auto" {
                spec.auto = Some(place);
            } else if let Some(address) = self.address(&address, &place) {
                spec.addresses.push(address);
                spec.places.push(place);
            }
        }
        spec
    }

    /// A NIC's address in CIDR form, of one host.
    fn address(&mut self, text: &str, at: &At) -> Option<Ipv4Net> {
        let expected = match text.parse::<IpNet>() {
            Err(_) => "an address with its prefix length such as 10.0.0.1/24",
            Ok(IpNet::V6(_)) => "an IPv4 address; this version simulates no IPv6",
            Ok(IpNet::V4(net)) => {
                let addr = net.addr();
                let inner = net.prefix_len() < 31;
                if addr.is_multicast() || addr.is_broadcast() || addr.is_unspecified() {
                    "the address of one host"
                } else if inner && addr == net.network() {
                    "the address of a host: it is its subnet's network address"
                } else if inner && addr == net.broadcast() {
                    "the address of a host: it is its subnet's broadcast address"
                } else {
                    return Some(net);
                }
            }
        };
        self.error(at, Problem::Invalid { value: text.to_owned(), expected });
        None
    }

    fn bridge(&mut self, nics: &mut IndexMap<String, Nic>, written: BridgeFile, at: &At) -> Bridge {
        let BridgeFile { ports, addresses } = written;
        let mut spec = Bridge { at: at.join("#key"), ..Bridge::default() };
        for (i, address) in addresses.iter().enumerate() {
            let place = at.join(&format!(".addresses[{i}]"));
            if let Some(address) = self.address(address, &place) {
                spec.addresses.push(address);
                spec.places.push(place);
            }
        }
        for (i, port) in ports.into_iter().enumerate() {
            if let Some(nic) = nics.get_mut(&port) {
                nic.up = true;
                spec.ports.push(port);
            } else {
                let hint = nearest(&port, nics.keys().map(String::as_str));
                let place = at.join(&format!(".ports[{i}]"));
                self.error(&place, Problem::Unknown { kind: "NIC", name: port, hint });
            }
        }
        spec
    }
}

impl Nic {
    /// A NIC with an automatic address and a MAC address that follows from its name.
    pub(super) fn automatic(host: &str, nic: &str, at: At) -> Self {
        let key = world::stream_key(0, host, nic).to_be_bytes();
        Self {
            addresses: Vec::new(),
            mac: MacAddr([0x02, key[1], key[2], key[3], key[4], key[5]]),
            mtu: None,
            up: true,
            places: Vec::new(),
            auto: Some(at.clone()),
            at,
        }
    }
}
