use packet::{NetnsId, SimTime};
use trace::Observer;

use super::Nud;
use super::state::Update;
use crate::dump::NeighInfo;
use crate::request::{Mode, NeighSpec, Reply};
use crate::{Cx, Errno, Host, Refusal};

impl Host {
    /// The neighbours of a namespace, then its proxy entries. Kernel: `net/core/neighbour.c, neigh_dump_info`.
    pub fn neighbours(&self, ns: NetnsId, now: SimTime) -> Vec<NeighInfo> {
        let Some(netns) = self.get_ns(ns) else { return Vec::new() };
        let name = |dev| self.get_dev(dev).map(|d| d.name.clone());
        let entries = netns.neigh.entries.iter().map(|(&(dev, addr), neigh)| {
            let age = |at: SimTime| now.since(at).as_secs();
            // Twice the base time, as a new entry's.
            let long_ago = 60 + age(neigh.updated);
            NeighInfo {
                addr,
                dev: name(dev),
                lladdr: neigh.lladdr.filter(|_| neigh.nud.is_valid()),
                tunnel_addr: self.ipip(dev).and_then(|tunnel| tunnel.config.local),
                nud: neigh.nud,
                proxy: false,
                router: neigh.router,
                extern_learn: neigh.extern_learn,
                ages: (age(neigh.used), neigh.confirmed.map_or(long_ago, age), age(neigh.updated)),
                probes: neigh.probes,
            }
        });
        let proxies = netns.neigh.proxies.iter().map(|(&(addr, dev), &router)| NeighInfo {
            addr,
            dev: dev.and_then(name),
            lladdr: None,
            tunnel_addr: None,
            nud: Nud::None,
            proxy: true,
            router,
            extern_learn: false,
            ages: (0, 0, 0),
            probes: 0,
        });
        entries.chain(proxies).collect()
    }
}

impl<O: Observer> Cx<'_, O> {
    /// `ip neigh add|change|replace`. Kernel: `net/core/neighbour.c, neigh_add`.
    pub fn neigh_add(&mut self, ns: NetnsId, spec: &NeighSpec, mode: Mode) -> Result<Reply, Refusal> {
        let NeighSpec { addr, dev, lladdr, nud, proxy, router, extern_learn } = spec;
        let dev = match dev {
            Some(name) => Some(self.host.dev_by_name(ns, name).ok_or(Errno::NoDev)?),
            None => None,
        };
        if *proxy {
            self.host.ns_mut(ns).neigh.proxies.insert((*addr, dev), *router);
            return Ok(Reply::default());
        }
        let dev = dev.ok_or_else(|| Refusal::because(Errno::Inval, "Device not specified."))?;
        let nud = nud.unwrap_or(Nud::Permanent);
        let creates = matches!(mode, Mode::Add | Mode::Replace | Mode::Append | Mode::Prepend);
        let (key, overrides) = match self.host.ns(ns).neigh.get(dev, *addr) {
            None if !creates => return Err(Errno::NoEnt.into()),
            None => (self.neigh_create(ns, dev, *addr), true),
            Some(_) if mode == Mode::Add => return Err(Errno::Exist.into()),
            Some(_) => (*addr, matches!(mode, Mode::Replace | Mode::Change)),
        };
        self.neigh_update(ns, dev, key, *lladdr, nud, Update::Admin { overrides }).map_err(|errno| {
            match errno {
                Errno::Inval => Refusal::because(errno, "No link layer address given."),
                errno => errno.into(),
            }
        })?;
        if let Some(neigh) = self.host.ns_mut(ns).neigh.get_mut(dev, key) {
            neigh.extern_learn |= *extern_learn;
            if overrides {
                neigh.router = *router;
            }
        }
        Ok(Reply::default())
    }

    /// `ip neigh del`. Kernel: `net/core/neighbour.c, neigh_delete`.
    pub fn neigh_del(&mut self, ns: NetnsId, spec: &NeighSpec) -> Result<Reply, Refusal> {
        let dev = match &spec.dev {
            Some(name) => Some(self.host.dev_by_name(ns, name).ok_or(Errno::NoDev)?),
            None => None,
        };
        if spec.proxy {
            let gone = self.host.ns_mut(ns).neigh.proxies.remove(&(spec.addr, dev));
            return gone.map(|_| Reply::default()).ok_or(Errno::NoEnt.into());
        }
        let dev = dev.ok_or(Errno::Inval)?;
        if self.host.ns(ns).neigh.get(dev, spec.addr).is_none() {
            return Err(Errno::NoEnt.into());
        }
        self.neigh_update(ns, dev, spec.addr, None, Nud::Failed, Update::Admin { overrides: true })?;
        self.neigh_remove_one(ns, dev, spec.addr);
        Ok(Reply::default())
    }
}
