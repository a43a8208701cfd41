//! Bridge ports: joining, leaving, states. Kernel: `net/bridge/br_if.c`, `br_stp*.c`.

use std::collections::BTreeSet;

use packet::{DevId, MacAddr};
use trace::Observer;

use crate::device::{BridgePort, DeviceKind, arphrd};
use crate::request::{BridgeOption, FdbState, PortOption};
use crate::{Cx, Errno, Host, Refusal};

/// Kernel: `BR_STATE_DISABLED`.
const DISABLED: u8 = 0;
/// Kernel: `BR_STATE_FORWARDING`.
const FORWARDING: u8 = 3;
/// Kernel: `BR_STATE_BLOCKING`.
const BLOCKING: u8 = 4;

const STATES: [&str; 5] = ["disabled", "listening", "learning", "forwarding", "blocking"];

impl Host {
    /// A port's path cost by the speed of its device. Kernel: `port_cost`.
    fn port_cost(&self, dev: DevId) -> u32 {
        match &self.dev(dev).kind {
            DeviceKind::Veth(_) | DeviceKind::Bridge(_) => 2,
            DeviceKind::Nic(_) => 4,
            DeviceKind::Vxlan(vxlan) => {
                vxlan.lower.filter(|&dev| self.get_dev(dev).is_some()).map_or(100, |dev| self.port_cost(dev))
            }
            DeviceKind::Vlan(vlan) => self.get_dev(vlan.lower).map_or(100, |lower| self.port_cost(lower.id)),
            DeviceKind::Loopback(_) | DeviceKind::Tun(_) | DeviceKind::Ipip(_) | DeviceKind::Dummy(_) => 100,
        }
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Makes `dev` a port of `br`. Kernel: `br_add_if`.
    pub(crate) fn br_add_if(&mut self, br: DevId, dev: DevId) -> Result<(), Refusal> {
        let device = self.host.dev(dev);
        if device.is_loopback() || device.kind.traits().arphrd != arphrd::ETHER || device.mac.is_zero() {
            return Err(Errno::Inval.into());
        }
        if let DeviceKind::Bridge(_) = device.kind {
            return Err(Refusal::because(Errno::Loop, "Can not enslave a bridge to a bridge."));
        }
        let (mac, name) = (device.mac, device.name.clone());
        let cost = self.host.port_cost(dev);
        let now = self.now;
        let Some(bridge) = self.host.bridge(br) else { return Err(Errno::OpNotSupp.into()) };
        let numbers = bridge.ports.iter().filter_map(|&port| self.host.dev(port).port.as_ref());
        let taken: BTreeSet<u16> = numbers.map(|port| port.number).collect();
        let Some(number) = (1..1024).find(|n| !taken.contains(n)) else { return Err(Errno::NoSpc.into()) };
        let Some(bridge) = self.host.bridge_mut(br) else { return Err(Errno::OpNotSupp.into()) };
        bridge.ports.insert(0, dev);
        bridge.add_local(mac, Some(dev), now);
        let device = self.host.dev_mut(dev);
        device.master = Some(br);
        device.promiscuity += 1;
        device.port = Some(BridgePort::new(number, cost));
        let (up, oper_up) = (device.up, device.oper_up());
        self.log_state(br, dev, BLOCKING);
        self.log_state(br, dev, DISABLED);
        self.host.log.log(now, format!("{name}: entered allmulticast mode"));
        self.host.log.log(now, format!("{name}: entered promiscuous mode"));
        let changed = self.br_stp_recalculate_bridge_id(br);
        if up && oper_up && self.host.dev(br).up {
            self.br_stp_enable_port(dev);
        }
        if changed {
            self.neigh_changeaddr(br);
        }
        self.br_mtu_auto_adjust(br);
        Ok(())
    }

    /// Takes a port out of its bridge. Kernel: `br_del_if`, `del_nbp`.
    pub(crate) fn br_del_if(&mut self, dev: DevId) {
        let Some(br) = self.host.dev(dev).master else { return };
        let now = self.now;
        let name = self.host.dev(dev).name.clone();
        self.host.log.log(now, format!("{name}: left allmulticast mode"));
        self.host.log.log(now, format!("{name}: left promiscuous mode"));
        self.br_stp_disable_port(dev);
        if let Some(bridge) = self.host.bridge_mut(br) {
            bridge.forget_port(dev, true);
            bridge.ports.retain(|&port| port != dev);
        }
        self.fdb_delete_local(br, self.host.dev(dev).mac);
        let device = self.host.dev_mut(dev);
        device.master = None;
        device.port = None;
        device.promiscuity = device.promiscuity.saturating_sub(1);
        self.br_mtu_auto_adjust(br);
        if self.br_stp_recalculate_bridge_id(br) {
            self.neigh_changeaddr(br);
        }
    }

    /// The entry of an own address that a port gave up goes to another port that has the address,
    /// or to the bridge. Kernel: `fdb_delete_local`.
    fn fdb_delete_local(&mut self, br: DevId, mac: MacAddr) {
        let now = self.now;
        let Some(bridge) = self.host.bridge(br) else { return };
        let heir = bridge.ports.iter().copied().find(|&port| self.host.dev(port).mac == mac);
        if heir.is_none() && self.host.dev(br).mac != mac {
            return;
        }
        if let Some(bridge) = self.host.bridge_mut(br) {
            bridge.add_local(mac, heir, now);
        }
    }

    /// The bridge takes the lowest address of its ports, unless its own was set by hand. Whether
    /// it changed. Kernel: `br_stp_recalculate_bridge_id`.
    pub(crate) fn br_stp_recalculate_bridge_id(&mut self, br: DevId) -> bool {
        if self.host.dev(br).mac_set {
            return false;
        }
        let Some(bridge) = self.host.bridge(br) else { return false };
        let lowest = bridge.ports.iter().map(|&port| self.host.dev(port).mac).min().unwrap_or(MacAddr::ZERO);
        if lowest == self.host.dev(br).mac {
            return false;
        }
        self.br_stp_change_bridge_id(br, lowest);
        true
    }

    /// Gives the bridge an address and moves its own entry. Kernel: `br_stp_change_bridge_id`,
    /// `br_fdb_change_mac_address`.
    pub(crate) fn br_stp_change_bridge_id(&mut self, br: DevId, mac: MacAddr) {
        let now = self.now;
        let old = self.host.dev(br).mac;
        let Some(bridge) = self.host.bridge(br) else { return };
        // An address shared with a port stays as the port's.
        let owner = bridge.ports.iter().copied().find(|&port| self.host.dev(port).mac == old);
        let Some(bridge) = self.host.bridge_mut(br) else { return };
        let own =
            |entry: &crate::device::BridgeEntry| entry.port.is_none() && entry.state == FdbState::Permanent;
        if bridge.fdb.get(&old).is_some_and(own) {
            match owner {
                Some(port) => bridge.insert(old, Some(port), FdbState::Permanent, now),
                None => {
                    bridge.fdb.shift_remove(&old);
                }
            }
        }
        if !mac.is_zero() {
            bridge.add_local(mac, None, now);
        }
        self.host.dev_mut(br).mac = mac;
        // A new id starts an election, after which a bridge without a live port has no carrier.
        self.br_port_state_selection(br);
    }

    /// A port's own address changed. Kernel: `br_fdb_changeaddr`.
    pub(crate) fn br_fdb_changeaddr(&mut self, dev: DevId, old: MacAddr) {
        let now = self.now;
        let Some(br) = self.host.dev(dev).master else { return };
        let mac = self.host.dev(dev).mac;
        if let Some(bridge) = self.host.bridge_mut(br) {
            if bridge.fdb.get(&old).is_some_and(|e| e.port == Some(dev) && e.state == FdbState::Permanent) {
                bridge.fdb.shift_remove(&old);
            }
            bridge.add_local(mac, Some(dev), now);
        }
        self.fdb_delete_local(br, old);
        if self.br_stp_recalculate_bridge_id(br) {
            self.neigh_changeaddr(br);
        }
    }

    /// The bridge's MTU follows the least of its ports, unless set by hand.
    /// Kernel: `br_mtu_auto_adjust`.
    pub(crate) fn br_mtu_auto_adjust(&mut self, br: DevId) {
        let Some(bridge) = self.host.bridge(br).filter(|bridge| !bridge.mtu_set) else { return };
        let least = bridge.ports.iter().map(|&port| self.host.dev(port).mtu).min().unwrap_or(1500);
        self.host.dev_mut(br).mtu = least;
    }

    /// Kernel: `br_stp_enable_port`.
    fn br_stp_enable_port(&mut self, dev: DevId) {
        let Some(br) = self.host.dev(dev).master else { return };
        self.br_set_state(dev, BLOCKING);
        self.br_port_state_selection(br);
    }

    /// Kernel: `br_stp_disable_port`.
    fn br_stp_disable_port(&mut self, dev: DevId) {
        let Some(br) = self.host.dev(dev).master else { return };
        self.br_set_state(dev, DISABLED);
        if let Some(bridge) = self.host.bridge_mut(br) {
            bridge.forget_port(dev, false);
        }
        self.br_port_state_selection(br);
    }

    fn br_set_state(&mut self, dev: DevId, state: u8) {
        if let Some(br) = self.host.dev(dev).master {
            self.log_state(br, dev, state);
        }
        if let Some(port) = self.host.dev_mut(dev).port.as_mut() {
            port.state = state;
        }
    }

    fn log_state(&mut self, br: DevId, dev: DevId, state: u8) {
        let Some(port) = self.host.dev(dev).port.as_ref() else { return };
        let state = STATES.get(usize::from(state)).copied().unwrap_or("unknown");
        let (bridge, name) = (&self.host.dev(br).name, &self.host.dev(dev).name);
        let line = format!("{bridge}: port {}({name}) entered {state} state", port.number);
        self.host.log.log(self.now, line);
    }

    /// Lets blocking ports forward; the bridge has a carrier if one forwards.
    /// Kernel: `br_port_state_selection`.
    fn br_port_state_selection(&mut self, br: DevId) {
        let Some(bridge) = self.host.bridge(br) else { return };
        for port in bridge.ports.clone() {
            if self.host.dev(port).port.as_ref().is_some_and(|port| port.state == BLOCKING) {
                self.br_set_state(port, FORWARDING);
            }
        }
        let Some(bridge) = self.host.bridge(br) else { return };
        let forwards = |&dev: &DevId| self.host.dev(dev).port.as_ref().is_some_and(|p| p.state == FORWARDING);
        let live = bridge.ports.iter().any(forwards);
        self.set_carrier(&[(br, live)]);
    }

    /// Kernel: `br_dev_open`, `br_stp_enable_bridge`.
    pub(crate) fn br_dev_open(&mut self, br: DevId) {
        let Some(bridge) = self.host.bridge(br) else { return };
        let snoops = bridge.mcast_snooping != 0;
        for port in bridge.ports.clone() {
            let device = self.host.dev(port);
            if device.up && device.oper_up() {
                self.br_stp_enable_port(port);
            }
        }
        if snoops {
            self.br_multicast_join_snoopers(br);
        }
    }

    /// Kernel: `br_dev_stop`, `br_stp_disable_bridge`.
    pub(crate) fn br_dev_stop(&mut self, br: DevId) {
        let Some(bridge) = self.host.bridge(br) else { return };
        for port in bridge.ports.clone() {
            if self.host.dev(port).port.as_ref().is_some_and(|port| port.state != DISABLED) {
                self.br_stp_disable_port(port);
            }
        }
    }

    /// A port was set up. Kernel: `br_device_event`, `NETDEV_UP`.
    pub(crate) fn br_port_up(&mut self, dev: DevId) {
        let device = self.host.dev(dev);
        let disabled = device.port.as_ref().is_some_and(|port| port.state == DISABLED);
        if disabled && device.oper_up() && device.master.is_some_and(|br| self.host.dev(br).up) {
            self.br_stp_enable_port(dev);
        }
    }

    /// A port was set down. Kernel: `br_device_event`, `NETDEV_DOWN`.
    pub(crate) fn br_port_down(&mut self, dev: DevId) {
        if self.host.dev(dev).master.is_some_and(|br| self.host.dev(br).up) {
            self.br_stp_disable_port(dev);
        }
    }

    /// A port's carrier came or went. Kernel: `br_port_carrier_check`.
    pub(crate) fn br_port_carrier_check(&mut self, dev: DevId) {
        let device = self.host.dev(dev);
        if !device.master.is_some_and(|br| self.host.dev(br).up) {
            return;
        }
        let disabled = device.port.as_ref().is_some_and(|port| port.state == DISABLED);
        if device.up && device.oper_up() {
            if disabled {
                self.br_stp_enable_port(dev);
            }
        } else if !disabled {
            self.br_stp_disable_port(dev);
        }
    }

    /// `ip link set type bridge_slave`, `bridge link set`. Kernel: `br_setport`.
    pub(crate) fn br_setport(&mut self, dev: DevId, option: PortOption) -> Result<(), Refusal> {
        let device = self.host.dev(dev);
        let (up, carrier) = (device.up, device.carrier);
        let Some(br) = device.master.filter(|_| device.port.is_some()) else {
            return Err(Errno::OpNotSupp.into());
        };
        match option {
            PortOption::State(state) => {
                if state > BLOCKING {
                    return Err(Errno::Inval.into());
                }
                if self.host.bridge(br).is_some_and(|bridge| bridge.stp_state != 0) {
                    return Err(Errno::Busy.into());
                }
                if !up || !carrier && state != DISABLED {
                    return Err(Errno::NetDown.into());
                }
                self.br_set_state(dev, state);
                self.br_port_state_selection(br);
                return Ok(());
            }
            PortOption::Priority(priority) if priority >= 64 => return Err(Errno::Range.into()),
            PortOption::Cost(cost) if !(1..=65535).contains(&cost) => return Err(Errno::Range.into()),
            PortOption::FdbFlush => {
                if let Some(bridge) = self.host.bridge_mut(br) {
                    bridge.forget_port(dev, false);
                }
                return Ok(());
            }
            _ => {}
        }
        let Some(port) = self.host.dev_mut(dev).port.as_mut() else { return Ok(()) };
        match option {
            PortOption::Hairpin(on) => port.hairpin = on,
            PortOption::Isolated(on) => port.isolated = on,
            PortOption::Learning(on) => port.learning = on,
            PortOption::Flood(on) => port.flood = on,
            PortOption::McastFlood(on) => port.mcast_flood = on,
            PortOption::BcastFlood(on) => port.bcast_flood = on,
            PortOption::Guard(on) => port.guard = on,
            PortOption::RootBlock(on) => port.root_block = on,
            PortOption::FastLeave(on) => port.fast_leave = on,
            PortOption::McastRouter(kind) if kind > 3 => return Err(Errno::Inval.into()),
            PortOption::McastRouter(kind) => port.mcast_router = kind,
            PortOption::ProxyArp(on) => port.proxy_arp = on,
            PortOption::NeighSuppress(on) => port.neigh_suppress = on,
            PortOption::Cost(cost) => port.cost = cost,
            PortOption::Priority(priority) => port.priority = priority,
            PortOption::State(_) | PortOption::FdbFlush => {}
        }
        Ok(())
    }

    /// `ip link set type bridge`. Kernel: `br_changelink`.
    pub(crate) fn br_changelink(&mut self, br: DevId, option: BridgeOption) -> Result<(), Refusal> {
        let up = self.host.dev(br).up;
        let Some(bridge) = self.host.bridge_mut(br) else { return Err(Errno::OpNotSupp.into()) };
        let stp = bridge.stp_state != 0;
        let within = |value: u32, least: u32, most: u32| {
            if (least..=most).contains(&value) { Ok(value) } else { Err(Refusal::from(Errno::Range)) }
        };
        match option {
            BridgeOption::AgeingTime(time) => bridge.ageing_time = time,
            BridgeOption::ForwardDelay(time) if stp => bridge.forward_delay = within(time, 200, 3000)?,
            BridgeOption::ForwardDelay(time) => bridge.forward_delay = time,
            BridgeOption::HelloTime(time) => bridge.hello_time = within(time, 100, 1000)?,
            BridgeOption::MaxAge(time) => bridge.max_age = within(time, 600, 4000)?,
            BridgeOption::StpState(state) => bridge.stp_state = u32::from(state != 0),
            BridgeOption::Priority(priority) => {
                bridge.priority = priority;
                self.br_port_state_selection(br);
            }
            BridgeOption::VlanFiltering(on) => bridge.vlan_filtering = on,
            BridgeOption::McastQuerier(on) => bridge.mcast_querier = on,
            BridgeOption::NfCallIptables(on) => bridge.nf_call_iptables = u8::from(on != 0),
            BridgeOption::NfCallIp6tables(on) => bridge.nf_call_ip6tables = u8::from(on != 0),
            BridgeOption::NfCallArptables(on) => bridge.nf_call_arptables = u8::from(on != 0),
            BridgeOption::McastSnooping(on) => {
                let joins = bridge.mcast_snooping == 0 && on != 0;
                bridge.mcast_snooping = on;
                if joins && up {
                    self.br_multicast_join_snoopers(br);
                }
            }
            BridgeOption::FdbFlush => bridge.fdb.retain(|_, entry| entry.state != FdbState::Dynamic),
        }
        Ok(())
    }
}
