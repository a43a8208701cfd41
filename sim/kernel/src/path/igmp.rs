use std::net::{IpAddr, Ipv4Addr};

use packet::{Body, DevId, MacAddr, Packet, Proto, Skb};
use trace::Observer;

use crate::Cx;

impl<O: Observer> Cx<'_, O> {
    /// The bridge reports that it listens to 224.0.0.106 (all snoopers), as its IGMP does twice
    /// after it came up. Simplified: meets no OUTPUT chain. Kernel: `igmpv3_send_cr`.
    pub(crate) fn igmp_report_snoopers(&mut self, br: DevId) {
        let device = self.host.dev(br);
        let (netns, src) = (device.netns, device.mac);
        let addr = device.addrs.first().map_or(Ipv4Addr::UNSPECIFIED, |addr| match addr.local.addr() {
            IpAddr::V4(addr) => addr,
            IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
        });
        // Type 0x22, one record: change to exclude mode, no sources, 224.0.0.106.
        let mut report = vec![0x22, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, 224, 0, 0, 106];
        let sum: u32 = report.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
        let checksum = !((sum & 0xffff) + (sum >> 16)) as u16;
        report[2..4].copy_from_slice(&checksum.to_be_bytes());
        let body = Body::Bytes(Proto::IGMP, report.into());
        let to = Ipv4Addr::new(224, 0, 0, 22);
        let mut packet = Packet::new(addr.into(), to.into(), body);
        packet.ttl = 1;
        packet.tos = 0xc0;
        packet.frag.df = true;
        packet.options = Some(Box::new(vec![0x94, 4, 0, 0]));
        let id = self.ids.next_id();
        let mut skb = Skb::from_ip(id, br, packet);
        skb.frame.src = src;
        skb.frame.dst = MacAddr([0x01, 0, 0x5e, 0, 0, 0x16]);
        self.emit_created(&skb, netns, &[]);
        let sent = self.dev_queue_xmit(br, skb);
        let _ = self.finish(sent);
    }
}
