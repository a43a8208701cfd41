use std::collections::BTreeMap;

use packet::{DevId, HostId, IfIndex, NetnsId};
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::Rng;

use crate::device::Loopback;
use crate::path::Relay;
use crate::random::Random;
use crate::socket::Sockets;
use crate::{Device, DeviceKind, KernelLog, Netns, Sysctls};

/// One Linux kernel: namespaces, devices, kernel log.
#[derive(Clone, Debug)]
pub struct Host {
    /// Which host of the world.
    pub id: HostId,
    /// Its name (`hostname`).
    pub name: String,
    /// Seed of this host's random streams.
    pub seed: u64,
    /// All devices of all namespaces by [`DevId`]; a deleted one leaves a hole.
    pub devices: Vec<Option<Device>>,
    /// All namespaces by [`NetnsId`]; a deleted one leaves a hole.
    pub netns: Vec<Option<Box<Netns>>>,
    /// Names in /run/netns. Listed in directory order, newest first as tmpfs does.
    pub netns_names: BTreeMap<String, NetnsId>,
    /// The names that are symbolic links into /proc, and where they point: such a name keeps no
    /// namespace alive.
    pub netns_links: BTreeMap<String, String>,
    /// The kernel's ring buffer.
    pub log: KernelLog,
    /// Sockets of all namespaces.
    pub sockets: Sockets,
    /// Received frames are turned into bytes and their checksums checked, as a NIC does. Off at
    /// first: a packet made of fields has no wrong checksum.
    pub verify_checksums: bool,
    /// Stacked devices that the packet being sent has passed. Kernel: `softnet_data.xmit.recursion`.
    pub(crate) xmit_recursion: u8,
    /// IP in IP was used: every namespace has `tunl0`.
    pub(crate) ipip_loaded: bool,
    /// What the running process carries between a TUN device and a socket.
    pub(crate) relay: Option<Relay>,
    /// Secret of the multipath hash. Kernel: `fib_multipath_hash_rand_seed`.
    pub(crate) multipath_seed: u32,
    random: Pcg64Mcg,
}

impl Host {
    /// A host with its initial namespace, whose loopback is down.
    pub fn new(id: HostId, name: &str, seed: u64) -> Self {
        let mut host = Self {
            id,
            name: name.to_owned(),
            seed,
            devices: Vec::new(),
            netns: Vec::new(),
            netns_names: BTreeMap::new(),
            netns_links: BTreeMap::new(),
            log: KernelLog::default(),
            sockets: Sockets::default(),
            verify_checksums: false,
            xmit_recursion: 0,
            ipip_loaded: false,
            relay: None,
            multipath_seed: 0,
            random: random_stream(seed, name),
        };
        host.multipath_seed = Random::new(&host, "fib_multipath_hash").below(u32::MAX);
        host.setup_net();
        host
    }

    /// Makes a namespace with a loopback device. Kernel: `setup_net` in
    /// `net/core/net_namespace.c`.
    pub(crate) fn setup_net(&mut self) -> NetnsId {
        let id = NetnsId(u32::try_from(self.netns.len()).unwrap_or(u32::MAX));
        let loopback = DevId(u32::try_from(self.devices.len()).unwrap_or(u32::MAX));
        let mut netns = Netns::new(id, loopback);
        if let Some(init) = self.get_ns(NetnsId::INIT) {
            netns.sysctl = Sysctls::for_new_netns(&init.sysctl);
        }
        netns.sysctl.conf_loopback(loopback);
        self.netns.push(Some(Box::new(netns)));
        self.devices.push(Some(Device::new(loopback, id, IfIndex(1), "lo", DeviceKind::Loopback(Loopback))));
        self.ns_mut(id).devices.insert(IfIndex(1), loopback);
        id
    }

    /// The next number of this host's stream for link-layer addresses and report delays.
    pub(crate) fn next_random(&mut self) -> u64 {
        self.random.next_u64()
    }

    /// The device. Panics if it was deleted: ids are only kept while their device lives.
    #[inline]
    pub fn dev(&self, id: DevId) -> &Device {
        self.get_dev(id).expect("a device id is kept only while its device lives")
    }

    /// The device. Panics if it was deleted.
    #[inline]
    pub fn dev_mut(&mut self, id: DevId) -> &mut Device {
        self.get_dev_mut(id).expect("a device id is kept only while its device lives")
    }

    /// The device, unless it was deleted.
    #[inline]
    pub fn get_dev(&self, id: DevId) -> Option<&Device> {
        self.devices.get(id.0 as usize)?.as_ref()
    }

    /// The device, unless it was deleted.
    #[inline]
    pub fn get_dev_mut(&mut self, id: DevId) -> Option<&mut Device> {
        self.devices.get_mut(id.0 as usize)?.as_mut()
    }

    /// The namespace. Panics if it was deleted.
    #[inline]
    pub fn ns(&self, id: NetnsId) -> &Netns {
        self.get_ns(id).expect("a namespace id is kept only while the namespace lives")
    }

    /// The namespace. Panics if it was deleted.
    #[inline]
    pub fn ns_mut(&mut self, id: NetnsId) -> &mut Netns {
        self.netns
            .get_mut(id.0 as usize)
            .and_then(|ns| ns.as_deref_mut())
            .expect("a namespace id is kept only while the namespace lives")
    }

    /// The namespace, unless it was deleted.
    #[inline]
    pub fn get_ns(&self, id: NetnsId) -> Option<&Netns> {
        self.netns.get(id.0 as usize)?.as_deref()
    }

    /// The device of that name in `netns`.
    pub fn dev_by_name(&self, netns: NetnsId, name: &str) -> Option<DevId> {
        self.get_ns(netns)?.devices.values().copied().find(|&id| self.dev(id).name == name)
    }

    /// The device of that index in `netns`.
    pub fn dev_by_index(&self, netns: NetnsId, ifindex: IfIndex) -> Option<DevId> {
        self.get_ns(netns)?.devices.get(&ifindex).copied()
    }
}

/// A stream keyed by the host's seed and name: FNV-1a over both.
fn random_stream(seed: u64, name: &str) -> Pcg64Mcg {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed;
    for byte in name.bytes().chain(*b"/link") {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    let high = hash.rotate_left(32).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    Pcg64Mcg::new(u128::from(high) << 64 | u128::from(hash))
}
