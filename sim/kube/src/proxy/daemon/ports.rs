use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use kernel::Errno;
use kernel::socket::{SocketKind, SocketOption};
use world::{Fd, Sys};

use crate::proxy::Protocol;
use crate::proxy::iptables::LocalPort;
use crate::time::klog;

/// The ports that a proxy holds open, so that no process gets what the rules take away from it: in
/// releases before 1.30. Nobody is answered on them.
#[derive(Clone, Debug, Default)]
pub struct Ports {
    held: BTreeMap<LocalPort, Fd>,
    /// Those opened since the rules were last written.
    new: BTreeSet<LocalPort>,
}

impl Ports {
    /// Opens those that aren't; answers those that can't be had.
    pub fn open(&mut self, sys: &mut dyn Sys, wanted: &[LocalPort]) -> BTreeSet<LocalPort> {
        let mut refused = BTreeSet::new();
        for port in wanted.iter().filter(|port| !self.held.contains_key(*port)).cloned().collect::<Vec<_>>() {
            let at = SocketAddr::new(port.ip.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), port.port);
            match listen(sys, port.protocol, at) {
                Ok(fd) => {
                    self.held.insert(port.clone(), fd);
                    self.new.insert(port);
                }
                Err(errno) => {
                    let error = crate::cni::go_text(errno);
                    let what = if port.ip.is_some() { "externalIP" } else { "nodePort" };
                    let (protocol, at) = (port.protocol.name(), port.port);
                    let text = format!(
                        "can't open {port}, skipping this {what}: listen {protocol} :{at}: bind: {error}"
                    );
                    klog(sys, 'E', "proxier.go", &text);
                    refused.insert(port);
                }
            }
        }
        refused
    }

    /// After the rules were written, closes those that nobody wants; if they weren't, those that
    /// were opened for them.
    pub fn settle(&mut self, sys: &mut dyn Sys, wanted: &[LocalPort], written: bool) {
        let new = std::mem::take(&mut self.new);
        self.held.retain(|port, fd| {
            let stays = if written { wanted.contains(port) } else { !new.contains(port) };
            if !stays {
                sys.close(*fd);
            }
            stays
        });
    }
}

/// Binds a socket; for TCP it listens.
///
/// # Errors
/// The kernel's error number; also for SCTP, of which no kube-proxy holds sockets.
pub fn listen(sys: &mut dyn Sys, protocol: Protocol, at: SocketAddr) -> Result<Fd, Errno> {
    let kind = match protocol {
        Protocol::Tcp => SocketKind::Tcp,
        Protocol::Udp => SocketKind::Udp,
        Protocol::Sctp => return Err(Errno::ProtoNoSupport),
    };
    let fd = sys.socket(kind)?;
    let bound = match kind {
        SocketKind::Tcp => sys
            .set_option(fd, SocketOption::ReuseAddr(true))
            .and_then(|()| sys.bind(fd, at))
            .and_then(|()| sys.listen(fd, 4096)),
        _ => sys.bind(fd, at),
    };
    if bound.is_err() {
        sys.close(fd);
    }
    bound.map(|()| fd)
}
