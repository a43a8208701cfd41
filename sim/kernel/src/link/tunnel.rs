//! IP-in-IP tunnels by `ip link` and by the ioctls of `ip tunnel`.
//! Kernel: `net/ipv4/ip_tunnel.c`, `ipip.c`.

use packet::{DevId, NetnsId, Proto};
use trace::Observer;

use crate::device::{DeviceKind, Ipip, TunnelMade};
use crate::link::add::Given;
use crate::path::Flow;
use crate::request::{Reply, TunnelConfig, TunnelRequest};
use crate::{Cx, Errno, Host, Refusal};

/// The device that the ioctls go to, if they name no other.
const FALLBACK: &str = "tunl0";
/// MTU of a tunnel of which nothing is known to stand on. Kernel: `ETH_DATA_LEN`.
const ETH_DATA_LEN: u32 = 1500;
/// Least MTU that a tunnel takes from the device below. Kernel: `IPV4_MIN_MTU`.
const IPV4_MIN_MTU: u32 = 68;

impl Host {
    /// The tunnel with these ends on this device, `tunl0` included. Kernel: `ip_tunnel_find`.
    fn ip_tunnel_find(&self, net: NetnsId, config: &TunnelConfig, lower: Option<DevId>) -> Option<DevId> {
        let same = |dev: &DevId| {
            self.ipip(*dev).is_some_and(|tunnel| {
                tunnel.config.remote == config.remote
                    && tunnel.config.local == config.local
                    && tunnel.lower == lower
            })
        };
        self.get_ns(net)?.ipip.iter().copied().find(same)
    }

    /// The MTU that fits the device which the outer packets leave by. Kernel: `ip_tunnel_bind_dev`.
    fn ip_tunnel_bind_dev(&self, tunnel: &Ipip, now: packet::SimTime) -> u32 {
        let routed = tunnel.config.remote.and_then(|remote| {
            let flow = Flow {
                dst: remote,
                src: tunnel.config.local,
                iif: None,
                oif: tunnel.lower,
                mark: 0,
                tos: 0,
                proto: Proto::IPIP,
                sport: 0,
                dport: 0,
                onlink_only: false,
                any_src: false,
            };
            self.ip_route_output(tunnel.net, &flow, now).ok().map(|dst| dst.dev)
        });
        let below = routed.or(tunnel.lower).and_then(|dev| self.get_dev(dev));
        let mtu = below.map_or(ETH_DATA_LEN, |below| below.mtu.min(65535));
        mtu.saturating_sub(Ipip::HEADER_LEN).max(IPV4_MIN_MTU)
    }

    fn tunnel_lower(&self, netns: NetnsId, config: &TunnelConfig) -> Result<Option<DevId>, Errno> {
        config.link.as_ref().map(|name| self.find_dev(netns, name).ok_or(Errno::NoDev)).transpose()
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Kernel: `ipip_newlink`, `ip_tunnel_newlink`. The first one brings `tunl0`, as loading the
    /// module does.
    pub(super) fn ipip_newlink(
        &mut self,
        netns: NetnsId,
        target: NetnsId,
        given: &Given<'_>,
        config: TunnelConfig,
    ) -> Result<DevId, Refusal> {
        self.load_ipip();
        if given.name.is_some_and(|name| self.host.name_in_use(target, name)) {
            return Err(Errno::Exist.into());
        }
        let lower = self.host.tunnel_lower(netns, &config)?;
        if self.host.ip_tunnel_find(netns, &config, lower).is_some() {
            return Err(Errno::Exist.into());
        }
        let tunnel =
            Ipip { config, net: netns, lower, made: TunnelMade::Netlink, errors: Default::default() };
        let mtu = self.host.ip_tunnel_bind_dev(&tunnel, self.now);
        let dev = self.rtnl_create_link(target, given, "ipip", DeviceKind::Ipip(tunnel))?;
        self.host.ns_mut(netns).ipip.push(dev);
        if given.mtu.is_none() {
            self.host.dev_mut(dev).mtu = mtu;
        }
        Ok(dev)
    }

    /// Changes a tunnel's parameters, but neither its mode nor whether it has one other end.
    /// Kernel: `ipip_changelink`, `ip_tunnel_changelink`.
    pub(super) fn ipip_changelink(&mut self, dev: DevId, config: TunnelConfig) -> Result<(), Refusal> {
        let Some(tunnel) = self.host.ipip(dev) else { return Err(Errno::OpNotSupp.into()) };
        if tunnel.made == TunnelMade::Fallback {
            return Err(Errno::Inval.into());
        }
        let lower = self.host.tunnel_lower(tunnel.net, &config)?;
        self.ip_tunnel_check(dev, &config, lower)?;
        self.ip_tunnel_update(dev, config, lower);
        Ok(())
    }

    /// Refuses what another tunnel has, or a remote end for a tunnel that has none.
    fn ip_tunnel_check(&self, dev: DevId, config: &TunnelConfig, lower: Option<DevId>) -> Result<(), Errno> {
        let Some(tunnel) = self.host.ipip(dev) else { return Err(Errno::OpNotSupp) };
        match self.host.ip_tunnel_find(tunnel.net, config, lower) {
            Some(found) if found != dev => Err(Errno::Exist),
            Some(_) => Ok(()),
            None if tunnel.config.remote.is_some() != config.remote.is_some() => Err(Errno::Inval),
            None => Ok(()),
        }
    }

    /// Kernel: `ip_tunnel_update`.
    fn ip_tunnel_update(&mut self, dev: DevId, config: TunnelConfig, lower: Option<DevId>) {
        let DeviceKind::Ipip(tunnel) = &mut self.host.dev_mut(dev).kind else { return };
        let moved = tunnel.lower != lower;
        tunnel.config = TunnelConfig { ipv4_only: tunnel.config.ipv4_only, ..config };
        tunnel.lower = lower;
        let tunnel = tunnel.clone();
        if moved {
            let mtu = self.host.ip_tunnel_bind_dev(&tunnel, self.now);
            self.host.dev_mut(dev).mtu = mtu;
        }
    }

    /// Kernel: `ip_tunnel_ctl` with SIOCADDTUNNEL, SIOCCHGTUNNEL and SIOCDELTUNNEL.
    pub fn ip_tunnel_ctl(&mut self, netns: NetnsId, request: TunnelRequest) -> Result<Reply, Refusal> {
        let to = match &request {
            TunnelRequest::Change { name: Some(name), .. } | TunnelRequest::Del { name: Some(name), .. } => {
                name.clone()
            }
            TunnelRequest::Add { .. } | TunnelRequest::Change { .. } | TunnelRequest::Del { .. } => {
                FALLBACK.to_owned()
            }
        };
        if to == FALLBACK {
            // Kernel: `dev_load`, the module's alias `netdev-tunl0`.
            self.load_ipip();
        }
        let dev = self.host.dev_by_name(netns, &to).ok_or(Errno::NoDev)?;
        let Some(tunnel) = self.host.ipip(dev) else { return Err(Errno::OpNotSupp.into()) };
        let (net, is_fallback) = (tunnel.net, tunnel.made == TunnelMade::Fallback);
        match request {
            TunnelRequest::Add { name, config } => {
                let lower = self.host.tunnel_lower(net, &config)?;
                if self.host.ip_tunnel_find(net, &config, lower).is_some() {
                    return Err(Errno::Exist.into());
                }
                self.ip_tunnel_create(net, name.as_deref(), config, lower)?;
            }
            TunnelRequest::Change { name: _, config } => {
                let lower = self.host.tunnel_lower(net, &config)?;
                if is_fallback {
                    let found = self.host.ip_tunnel_find(net, &config, lower).ok_or(Errno::NoEnt)?;
                    self.ip_tunnel_update(found, config, lower);
                } else {
                    self.ip_tunnel_check(dev, &config, lower)?;
                    self.ip_tunnel_update(dev, config, lower);
                }
            }
            TunnelRequest::Del { name: _, config } => {
                let mut doomed = dev;
                if is_fallback {
                    let lower = self.host.tunnel_lower(net, &config)?;
                    doomed = self.host.ip_tunnel_find(net, &config, lower).ok_or(Errno::NoEnt)?;
                    if doomed == dev {
                        return Err(Errno::Perm.into());
                    }
                }
                self.unregister_netdevice(doomed);
            }
        }
        Ok(Reply::default())
    }

    /// Kernel: `ip_tunnel_create`.
    fn ip_tunnel_create(
        &mut self,
        net: NetnsId,
        name: Option<&str>,
        config: TunnelConfig,
        lower: Option<DevId>,
    ) -> Result<(), Refusal> {
        let tunnel = Ipip { config, net, lower, made: TunnelMade::Ioctl, errors: Default::default() };
        let mtu = self.host.ip_tunnel_bind_dev(&tunnel, self.now);
        let dev = self.register_netdevice(net, name.unwrap_or("ipip%d"), None, DeviceKind::Ipip(tunnel))?;
        self.host.dev_mut(dev).mtu = mtu;
        self.host.ns_mut(net).ipip.push(dev);
        self.notify_link(dev);
        Ok(())
    }

    /// Kernel: `ipip_init`, `ipip_init_net`.
    fn load_ipip(&mut self) {
        if self.host.ipip_loaded {
            return;
        }
        self.host.ipip_loaded = true;
        let all: Vec<NetnsId> = self.host.netns.iter().flatten().map(|ns| ns.id).collect();
        for netns in all {
            self.ipip_init_net(netns);
        }
    }

    /// Makes `tunl0` if IP in IP is loaded.
    ///
    /// Simplified: the initial namespace counts as any other, so that with
    /// `fb_tunnels_only_for_init_net=1`, the default here, none has one.
    pub(crate) fn ipip_init_net(&mut self, netns: NetnsId) {
        const EVERYWHERE: i64 = 0;
        let fallback = self.host.ns(NetnsId::INIT).sysctl.int("net.core.fb_tunnels_only_for_init_net");
        if !self.host.ipip_loaded || fallback != EVERYWHERE {
            return;
        }
        let tunnel = Ipip {
            config: TunnelConfig { nopmtudisc: true, ..TunnelConfig::default() },
            net: netns,
            lower: None,
            made: TunnelMade::Fallback,
            errors: Default::default(),
        };
        if let Ok(dev) = self.register_netdevice(netns, FALLBACK, None, DeviceKind::Ipip(tunnel)) {
            self.host.ns_mut(netns).ipip.push(dev);
        }
    }
}
