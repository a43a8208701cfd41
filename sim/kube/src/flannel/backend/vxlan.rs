use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ipnet::Ipv4Net;
use kernel::dump::{KindInfo, LinkInfo};
use kernel::request::{
    FdbSpec, FdbState, LinkAdd, LinkChange, LinkKind, Mode, NeighSpec, Request, VxlanConfig,
};
use kernel::{Errno, Nud};
use packet::{MacAddr, SimTime, Vni};
use serde_json::{Value, json};
use world::Sys;

use super::super::config::Config as NetworkConfig;
use super::super::iface::{ExternalInterface, addresses};
use super::super::lease::{Lease, LeaseAttrs, LeaseEvent};
use super::super::log::{Log, go_duration};
use super::super::manager::Manager;
use super::super::net::{GatewayRoute, direct_routing, ensure_address};
use crate::cni::go_json::Struct;
use crate::cni::{go_text, link};

/// Bytes of the outer headers: Ethernet, IPv4, UDP, VXLAN.
const OVERHEAD: u32 = 50;

/// The port of a device for which none was asked for. Kernel: `vxlan_port`.
const KERNEL_PORT: u16 = 8472;

/// `Backend` of the network's configuration.
#[derive(Clone, Debug)]
struct Config {
    vni: Vni,
    /// `None` leaves it to the kernel (8472).
    port: Option<u16>,
    /// MTU of the external interface.
    mtu: u32,
    learning: bool,
    direct_routing: bool,
}

impl Config {
    fn parse(backend: &Value, mtu: u32) -> Result<Self, String> {
        let wrong = |error| format!("error decoding VXLAN backend config: {error}");
        let fields = Struct::new(backend, "VXLANConfig", "vxlan.VXLANConfig").map_err(wrong)?;
        let number = |name: &str| fields.int(name).map_err(wrong);
        let switch = |name: &str| fields.bool(name).map_err(wrong).map(Option::unwrap_or_default);
        let vni = number("VNI")?.unwrap_or(1);
        let vni = u32::try_from(vni).ok().and_then(Vni::new);
        let port = number("Port")?.unwrap_or(0);
        let port = u16::try_from(port).map_err(|_| wrong(format!("invalid port {port}")))?;
        let given = number("MTU")?.and_then(|mtu| u32::try_from(mtu).ok());
        if switch("GBP")? {
            return Err("hoplab: a vxlan device with GBP is not simulated".to_owned());
        }
        Ok(Self {
            vni: vni.ok_or("failed to create vxlan device: numerical result out of range")?,
            port: (port > 0).then_some(port),
            mtu: given.unwrap_or(mtu),
            learning: switch("Learning")?,
            direct_routing: switch("DirectRouting")?,
        })
    }

    fn dev(&self) -> String {
        format!("flannel.{}", self.vni.get())
    }
}

/// The device is there; it has no address yet.
#[derive(Clone, Debug)]
pub struct Prepared {
    config: Config,
    mac: MacAddr,
}

/// Makes the device. flannel: `RegisterNetwork`, its first half.
///
/// # Errors
/// In flannel's words.
pub fn prepare(
    sys: &mut dyn Sys,
    log: Log,
    network: &NetworkConfig,
    iface: &ExternalInterface,
    manager: &Manager,
) -> Result<Prepared, String> {
    let config = Config::parse(&network.backend, iface.mtu)?;
    let Config { vni, port, learning, direct_routing, .. } = &config;
    let text = format!(
        "VXLAN config: VNI={} Port={} GBP=false Learning={learning} DirectRouting={direct_routing}",
        vni.get(),
        port.unwrap_or(0)
    );
    log.info(sys, "vxlan.go:128", &text);
    let local = (iface.name.as_str(), iface.ext_addr);
    let mac = create(sys, log, &config, local, manager)
        .map_err(|error| format!("failed to create vxlan device: {error}"))?;
    Ok(Prepared { config, mac })
}

/// Makes the device with the address that it had; answers the address that it has.
/// flannel: `createVXLANDevice`.
fn create(
    sys: &mut dyn Sys,
    log: Log,
    config: &Config,
    (iface, local): (&str, Ipv4Addr),
    manager: &Manager,
) -> Result<MacAddr, String> {
    let dev = config.dev();
    let stored = manager.stored_mac(sys, log);
    let mut mac = random_mac(sys);
    if !stored.is_empty() {
        match stored.parse() {
            Ok(parsed) => mac = parsed,
            Err(_) => {
                let text =
                    format!("Failed to parse mac addr({stored}): address {stored}: invalid MAC address");
                log.error(sys, "vxlan.go:197", &text);
            }
        }
        log.info(sys, "vxlan.go:199", &format!("Interface {dev} mac address set to: {stored}"));
    }
    let wanted = VxlanConfig {
        vni: config.vni,
        local: Some(IpAddr::V4(local)),
        link: Some(iface.to_owned()),
        dstport: config.port,
        learning: config.learning,
        ..tools::ip::new_vxlan()
    };
    let add = LinkAdd {
        address: Some(mac),
        mtu: Some(config.mtu.saturating_sub(OVERHEAD)),
        // The netlink library asks for a queue of 0 packets.
        txqueuelen: Some(0),
        ..LinkAdd::new(&dev, LinkKind::Vxlan(wanted.clone()))
    };
    let netns = sys.netns();
    match link::ask(sys, netns, Request::LinkAdd(add.clone())) {
        Ok(()) => {}
        Err(Errno::Exist) => {
            log.detail(sys, 1, "device.go:89", "VXLAN device already exists");
            let existing = link::find(sys, netns, &dev);
            let why = match existing.as_ref().and_then(|link| link.kind.clone()) {
                Some(KindInfo::Vxlan(existing)) => incompatible(&wanted, &existing),
                _ => Some("link type: vxlan vs device".to_owned()),
            };
            let Some(why) = why else {
                log.detail(sys, 1, "device.go:97", "Returning existing device");
                return Ok(existing.and_then(|link| link::mac(&link)).unwrap_or(mac));
            };
            let text =
                format!("{dev:?} already exists with incompatible configuration: {why}; recreating device");
            log.warning(sys, "device.go:102", &text);
            link::ask(sys, netns, Request::LinkDel { dev: dev.clone() })
                .map_err(|errno| format!("failed to delete interface: {}", go_text(errno)))?;
            link::ask(sys, netns, Request::LinkAdd(add))
                .map_err(|errno| format!("failed to create vxlan interface: {}", go_text(errno)))?;
        }
        Err(errno) => return Err(go_text(errno)),
    }
    Ok(mac)
}

/// A random address, local and unicast. flannel: `NewHardwareAddr`.
fn random_mac(sys: &mut dyn Sys) -> MacAddr {
    let [a, b, c, d, e, f, ..] = sys.random().to_be_bytes();
    MacAddr([a & 0xfe | 2, b, c, d, e, f])
}

/// What of an existing device is another. flannel: `vxlanLinksIncompat`.
fn incompatible(wanted: &VxlanConfig, existing: &VxlanConfig) -> Option<String> {
    let show = |addr: Option<IpAddr>| addr.map_or("<nil>".to_owned(), |addr| addr.to_string());
    if wanted.vni != existing.vni {
        return Some(format!("vni: {} vs {}", wanted.vni.get(), existing.vni.get()));
    }
    if existing.link.is_some() && wanted.link != existing.link {
        let name = |link: &Option<String>| link.clone().unwrap_or_default();
        return Some(format!(
            "vtep (external) interface: {} vs {}",
            name(&wanted.link),
            name(&existing.link)
        ));
    }
    if existing.local.is_some() && wanted.local != existing.local {
        return Some(format!("vtep (external) IP: {} vs {}", show(wanted.local), show(existing.local)));
    }
    if wanted.l2miss != existing.l2miss {
        return Some(format!("l2miss: {} vs {}", wanted.l2miss, existing.l2miss));
    }
    // What isn't asked for is the kernel's choice.
    let port = existing.dstport.unwrap_or(KERNEL_PORT);
    wanted.dstport.filter(|wanted| *wanted != port).map(|wanted| format!("port: {wanted} vs {port}"))
}

/// Gives the device the first address of the own subnet, and takes it up. flannel: `Configure`.
fn configure(sys: &mut dyn Sys, log: Log, dev: &str, subnet: Ipv4Net, whole: Ipv4Net) -> Result<(), String> {
    let wrong = |error: String| format!("failed to configure interface {dev}: {error}");
    // With 32 no broadcast route is made.
    let addr = Ipv4Net::new(subnet.network(), 32).unwrap_or(subnet);
    ensure_address(sys, log, dev, addr, whole)
        .map_err(|error| wrong(format!("failed to ensure address of interface {dev}: {error}")))?;
    let netns = sys.netns();
    link::set(sys, netns, dev, LinkChange::Up(true))
        .map_err(|errno| wrong(format!("failed to set interface {dev} to UP state: {}", go_text(errno))))
}

impl Prepared {
    /// What the other nodes have to know.
    pub fn attrs(&self, public_ip: Ipv4Addr) -> LeaseAttrs {
        let data = json!({"VNI": self.config.vni.get(), "VtepMAC": self.mac.to_string()});
        LeaseAttrs { backend_data: Some(data), ..LeaseAttrs::new(public_ip, "vxlan") }
    }

    /// Configures the device for the lease.
    ///
    /// # Errors
    /// In flannel's words.
    pub fn start(
        &self,
        sys: &mut dyn Sys,
        log: Log,
        network: &NetworkConfig,
        iface: &ExternalInterface,
        lease: &Lease,
    ) -> Result<Vxlan, String> {
        let whole = network.network.unwrap_or_default();
        configure(sys, log, &self.config.dev(), lease.subnet, whole)?;
        Ok(Vxlan {
            config: self.config.clone(),
            backend: network.backend.clone(),
            whole,
            iface: iface.name.clone(),
            mtu: self.config.mtu.saturating_sub(OVERHEAD),
            look_at: sys.now() + LOOK,
            missing: None,
        })
    }
}

/// How often it looks whether the device is there.
///
/// Simplified: flannel hears of it by netlink at once.
const LOOK: Duration = Duration::from_secs(1);

/// The longest pause between attempts to make the device anew.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// The kernel wraps frames into UDP: for each of the other nodes a neighbour, an entry of the
/// forwarding table and a route.
#[derive(Clone, Debug)]
pub struct Vxlan {
    config: Config,
    /// As configured, to be read again.
    backend: Value,
    whole: Ipv4Net,
    /// The external interface.
    iface: String,
    /// Of containers, in bytes.
    mtu: u32,
    look_at: SimTime,
    /// The pause after the next attempt to make the device anew, while it is missing.
    missing: Option<Duration>,
}

/// A step of programming a lease.
fn neighbour(addr: Ipv4Addr, dev: &str, mac: MacAddr) -> NeighSpec {
    NeighSpec {
        addr: IpAddr::V4(addr),
        dev: Some(dev.to_owned()),
        lladdr: Some(mac),
        nud: Some(Nud::Permanent),
        proxy: false,
        router: false,
        extern_learn: false,
    }
}

fn forwarding(node: Ipv4Addr, dev: &str, mac: MacAddr) -> FdbSpec {
    FdbSpec {
        mac,
        dev: dev.to_owned(),
        to_self: true,
        to_master: false,
        state: FdbState::Permanent,
        dst: Some(IpAddr::V4(node)),
        port: None,
        vni: None,
        via: None,
        vlan: None,
        extern_learn: false,
    }
}

impl Vxlan {
    /// The MTU of containers in bytes.
    pub fn mtu(&self) -> u32 {
        self.mtu
    }

    /// When it looks again.
    pub fn next(&self) -> SimTime {
        self.look_at
    }

    /// Does what an event asks for. flannel: `handleSubnetEvents`.
    pub fn handle(&mut self, sys: &mut dyn Sys, log: Log, event: &LeaseEvent) {
        let (LeaseEvent::Added(lease) | LeaseEvent::Removed(lease)) = event;
        let (attrs, subnet) = (&lease.attrs, lease.subnet);
        log.info(sys, "vxlan_network.go:270", &format!("Received Subnet Event with VxLan: {attrs}"));
        if attrs.backend_type != "vxlan" {
            let text =
                format!("ignoring non-vxlan v4Subnet({subnet}) v6Subnet(::/0): type={}", attrs.backend_type);
            log.warning(sys, "vxlan_network.go:272", &text);
            return;
        }
        let data = attrs.backend_data.as_ref().and_then(|data| data.get("VtepMAC")).and_then(Value::as_str);
        let Some(mac) = data.and_then(|mac| mac.parse::<MacAddr>().ok()) else {
            let why = if data.is_some() { "invalid MAC address" } else { "unexpected end of JSON input" };
            log.error(sys, "vxlan_network.go:285", &format!("error decoding subnet lease JSON: {why}"));
            return;
        };
        let mut direct = false;
        if self.config.direct_routing {
            match direct_routing(sys, attrs.public_ip) {
                Ok(yes) => direct = yes,
                Err(error) => log.error(sys, "vxlan_network.go:305", &error),
            }
        }
        match (event, direct) {
            (LeaseEvent::Added(_), true) => self.add_direct(sys, log, lease),
            (LeaseEvent::Added(_), false) => self.add(sys, log, lease, mac),
            (LeaseEvent::Removed(_), true) => self.remove_direct(sys, log, lease),
            (LeaseEvent::Removed(_), false) => self.remove(sys, log, lease, mac),
        }
    }

    fn direct_route(lease: &Lease) -> GatewayRoute {
        GatewayRoute { dst: lease.subnet, via: lease.attrs.public_ip, dev: None, onlink: false }
    }

    fn route(&self, lease: &Lease) -> GatewayRoute {
        let via = lease.subnet.network();
        GatewayRoute { dst: lease.subnet, via, dev: Some(self.config.dev()), onlink: true }
    }

    fn add_direct(&self, sys: &mut dyn Sys, log: Log, lease: &Lease) {
        let (subnet, node) = (lease.subnet, lease.attrs.public_ip);
        let text = format!("Adding direct route to subnet: {subnet} PublicIP: {node}");
        log.detail(sys, 2, "vxlan_network.go:346", &text);
        if let Err(errno) = Self::direct_route(lease).add(sys, Mode::Replace) {
            let text = format!("Error adding route to {subnet} via {node}: {}", go_text(errno));
            log.error(sys, "vxlan_network.go:351", &text);
        }
    }

    fn add(&self, sys: &mut dyn Sys, log: Log, lease: &Lease, mac: MacAddr) {
        let (subnet, node, dev) = (lease.subnet, lease.attrs.public_ip, self.config.dev());
        let (netns, gateway) = (sys.netns(), subnet.network());
        let text = format!("adding subnet: {subnet} PublicIP: {node} VtepMAC: {mac}");
        log.detail(sys, 2, "vxlan_network.go:355", &text);
        let (arp, fdb) = (neighbour(gateway, &dev, mac), forwarding(node, &dev, mac));
        log.detail(sys, 4, "device.go:232", &format!("calling AddARP: {gateway}, {mac}"));
        if let Err(errno) = link::ask(sys, netns, Request::NeighAdd(arp.clone(), Mode::Replace)) {
            return log.error(sys, "vxlan_network.go:359", &format!("AddARP failed: {}", go_text(errno)));
        }
        log.detail(sys, 4, "device.go:186", &format!("calling AddFDB: {node}, {mac}"));
        if let Err(errno) = link::ask(sys, netns, Request::FdbAdd(fdb.clone(), Mode::Replace)) {
            log.error(sys, "vxlan_network.go:366", &format!("AddFDB failed: {}", go_text(errno)));
            self.ask(sys, log, ("vxlan_network.go:372", "DelARP failed"), Request::NeighDel(arp));
            return;
        }
        // The route comes last: with it the kernel would ask for the gateway's address.
        if let Err(errno) = self.route(lease).add(sys, Mode::Replace) {
            let why = go_text(errno);
            let text = format!("failed to add vxlanRoute ({subnet} -> {gateway}): {why}");
            log.error(sys, "vxlan_network.go:383", &text);
            self.ask(sys, log, ("vxlan_network.go:387", "DelARP failed"), Request::NeighDel(arp));
            self.ask(sys, log, ("vxlan_network.go:391", "DelFDB failed"), Request::FdbDel(fdb));
        }
    }

    fn remove_direct(&self, sys: &mut dyn Sys, log: Log, lease: &Lease) {
        let (subnet, node) = (lease.subnet, lease.attrs.public_ip);
        let text = format!("Removing direct route to subnet: {subnet} PublicIP: {node}");
        log.detail(sys, 2, "vxlan_network.go:457", &text);
        if let Err(errno) = Self::direct_route(lease).delete(sys) {
            let text = format!("Error deleting route to {subnet} via {node}: {}", go_text(errno));
            log.error(sys, "vxlan_network.go:461", &text);
        }
    }

    fn remove(&self, sys: &mut dyn Sys, log: Log, lease: &Lease, mac: MacAddr) {
        let (subnet, node, dev) = (lease.subnet, lease.attrs.public_ip, self.config.dev());
        let gateway = subnet.network();
        let text = format!("removing subnet: {subnet} PublicIP: {node} VtepMAC: {mac}");
        log.detail(sys, 2, "vxlan_network.go:464", &text);
        let arp = Request::NeighDel(neighbour(gateway, &dev, mac));
        self.ask(sys, log, ("vxlan_network.go:470", "DelARP failed"), arp);
        let fdb = Request::FdbDel(forwarding(node, &dev, mac));
        self.ask(sys, log, ("vxlan_network.go:476", "DelFDB failed"), fdb);
        if let Err(errno) = self.route(lease).delete(sys) {
            let why = go_text(errno);
            let text = format!("failed to delete vxlanRoute ({subnet} -> {gateway}): {why}");
            log.error(sys, "vxlan_network.go:482", &text);
        }
    }

    /// Carries a request out; a refusal is logged.
    fn ask(&self, sys: &mut dyn Sys, log: Log, (place, what): (&str, &str), request: Request) {
        let netns = sys.netns();
        if let Err(errno) = link::ask(sys, netns, request) {
            log.error(sys, place, &format!("{what}: {}", go_text(errno)));
        }
    }

    /// Makes the device anew when somebody deleted it; its routes are gone, as with the real one.
    /// flannel: `watchVXLANDevice`, `reCreateVxlan`.
    pub fn turn(&mut self, sys: &mut dyn Sys, log: Log, manager: &Manager, lease: &Lease) {
        if sys.now() < self.look_at {
            return;
        }
        self.look_at = sys.now() + LOOK;
        let (netns, dev) = (sys.netns(), self.config.dev());
        if self.missing.is_none() {
            if sys.kernel().dev_by_name(netns, &dev).is_some() {
                return;
            }
            log.info(sys, "vxlan_network.go:143", &format!("Interface {dev} deleted"));
            let text = "vxlan device missing, attempting to recreate...";
            log.info(sys, "vxlan_network.go:102", text);
        }
        let pause = self.missing.unwrap_or(LOOK);
        let outcome = match link::find(sys, netns, &self.iface) {
            Some(iface) => self.recreate(sys, log, manager, lease, &iface),
            None => {
                let (name, pause) = (&self.iface, go_duration(pause));
                let text = format!("external interface {name} not found, retrying in {pause}");
                log.info(sys, "vxlan_network.go:167", &text);
                Err(None)
            }
        };
        match outcome {
            Ok(()) => {
                self.missing = None;
                let text = format!("VXLAN device {dev} recreated successfully");
                return log.info(sys, "vxlan_network.go:238", &text);
            }
            Err(Some((place, error))) => log.error(sys, place, &error),
            Err(None) => {}
        }
        self.missing = Some((pause * 2).min(MAX_BACKOFF));
        self.look_at = sys.now() + pause;
    }

    /// Answers place and text of what is to be logged.
    fn recreate(
        &mut self,
        sys: &mut dyn Sys,
        log: Log,
        manager: &Manager,
        lease: &Lease,
        iface: &LinkInfo,
    ) -> Result<(), Option<(&'static str, String)>> {
        let fail = |place, text: String| Some((place, text));
        let config = Config::parse(&self.backend, iface.mtu).map_err(|error| {
            fail("vxlan_network.go:181", format!("failed to parse vxlan config: {error}"))
        })?;
        let local = addresses(sys, iface).first().copied().ok_or_else(|| {
            let why = "no IPv4 address found for given interface";
            let text = format!("error getting IPv4 addresses for {}: {why}", iface.name);
            fail("vxlan_network.go:191", text)
        })?;
        create(sys, log, &config, (&iface.name, local), manager).map_err(|error| {
            fail("vxlan_network.go:224", format!("failed to create vxlan device: {error}"))
        })?;
        configure(sys, log, &config.dev(), lease.subnet, self.whole).map_err(|error| {
            fail("vxlan_network.go:230", format!("failed to configure vxlan device: {error}"))
        })?;
        self.config = config;
        Ok(())
    }
}
