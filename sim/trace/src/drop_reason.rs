use std::fmt;

macro_rules! drop_reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $sentence:literal;)*) => {
        /// Why a packet ended. Kernel: `enum skb_drop_reason` in `include/net/dropreason-core.h`;
        /// names that begin with `HOPLAB_` are ours, where the kernel has none.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum DropReason { $(#[doc = $sentence] $(#[$doc])* $variant,)* }

        impl DropReason {
            /// Every reason, in the order of declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The kernel's name without `SKB_DROP_REASON_`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// One plain sentence, without a final period.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)* }
            }
        }
    };
}

drop_reasons! {
    NoSocket = "NO_SOCKET", "no socket is bound to the destination port";
    SocketClose = "SOCKET_CLOSE", "the socket was closed";
    SocketRcvBuff = "SOCKET_RCVBUFF", "the socket's receive buffer is full";
    UnicastInL2Multicast = "UNICAST_IN_L2_MULTICAST", "a unicast IP packet came in a broadcast or multicast frame";
    PktTooSmall = "PKT_TOO_SMALL", "the packet is shorter than its headers say";
    TcpCsum = "TCP_CSUM", "the TCP checksum is wrong";
    UdpCsum = "UDP_CSUM", "the UDP checksum is wrong";
    IpCsum = "IP_CSUM", "the IP header checksum is wrong";
    IcmpCsum = "ICMP_CSUM", "the ICMP checksum is wrong";
    NetfilterDrop = "NETFILTER_DROP", "a netfilter rule or policy dropped it";
    OtherHost = "OTHERHOST", "the frame is addressed to another host's MAC address";
    IpInHdr = "IP_INHDR", "the IP header is malformed";
    IpRpfilter = "IP_RPFILTER", "reverse path filtering: the source address is not reached by this device";
    XfrmPolicy = "XFRM_POLICY", "an IPsec policy refuses it";
    IpNoProto = "IP_NOPROTO", "no handler for this IP protocol";
    ProtoMem = "PROTO_MEM", "the protocol's memory limit is reached";
    TcpFlags = "TCP_FLAGS", "the TCP flags make no sense in this state";
    TcpZeroWindow = "TCP_ZEROWINDOW", "the receive window is zero";
    TcpOldData = "TCP_OLD_DATA", "the segment holds only data that was received before";
    TcpOverwindow = "TCP_OVERWINDOW", "the segment lies outside the receive window";
    TcpInvalidSequence = "TCP_INVALID_SEQUENCE", "the sequence number is not acceptable";
    TcpInvalidSyn = "TCP_INVALID_SYN", "a SYN arrived where none is acceptable";
    TcpReset = "TCP_RESET", "a valid RST ended the connection";
    TcpClose = "TCP_CLOSE", "the TCP socket is closed";
    TcpOldAck = "TCP_OLD_ACK", "the acknowledgment is older than what was acknowledged";
    TcpPaws = "TCP_RFC7323_PAWS", "the timestamp is older than one received before";
    TcpAbortOnData = "TCP_ABORT_ON_DATA", "data arrived for a socket that its process has closed";
    TcpListenOverflow = "TCP_LISTEN_OVERFLOW", "the listening socket's backlog is full";
    IpOutNoRoutes = "IP_OUTNOROUTES", "no route to the destination";
    BpfCgroupEgress = "BPF_CGROUP_EGRESS", "a BPF program dropped it";
    NeighCreatefail = "NEIGH_CREATEFAIL", "no neighbour entry could be made";
    NeighFailed = "NEIGH_FAILED", "the next hop didn't answer ARP";
    NeighQueuefull = "NEIGH_QUEUEFULL", "too many packets wait for ARP";
    NeighDead = "NEIGH_DEAD", "the neighbour entry was removed";
    QdiscDrop = "QDISC_DROP", "the queue of the link is full";
    SkbCsum = "SKB_CSUM", "the checksum can't be computed";
    UnhandledProto = "UNHANDLED_PROTO", "no handler for this Ethernet protocol";
    TapFilter = "TAP_FILTER", "the TAP filter drops it";
    DevHdr = "DEV_HDR", "the device couldn't build its header";
    DevReady = "DEV_READY", "the device is down";
    FullRing = "FULL_RING", "the receiving queue is full";
    Nomem = "NOMEM", "out of memory";
    HdrTrunc = "HDR_TRUNC", "the header is cut";
    IcmpInvalidType = "INVALID_PROTO", "the packet's type is not understood";
    IpInaddrerrors = "IP_INADDRERRORS", "the address can't be routed: forwarding is off or there is no route";
    IpInnoroutes = "IP_INNOROUTES", "no route to the destination";
    IpLocalSource = "IP_LOCAL_SOURCE", "martian: the source address is one of this host's own";
    IpInvalidSource = "IP_INVALID_SOURCE", "martian: the source address can't be valid here";
    IpInvalidDest = "IP_INVALID_DEST", "martian: the destination address can't be valid here";
    IpLocalnet = "IP_LOCALNET", "martian: 127.0.0.0/8 on a device other than lo (route_localnet is 0)";
    PktTooBig = "PKT_TOO_BIG", "the packet is bigger than the MTU and may not be fragmented";
    DupFrag = "DUP_FRAG", "a fragment arrived twice";
    FragReasmTimeout = "FRAG_REASM_TIMEOUT", "the other fragments didn't arrive in time";
    FragTooFar = "FRAG_TOO_FAR", "too many newer fragments arrived meanwhile";
    TtlExceeded = "HOPLAB_TTL_EXCEEDED", "the time to live ran out";
    IcmpDebug = "ICMP_DEBUG", "consumed by ICMP";
    IpTunnelEcn = "IP_TUNNEL_ECN", "the ECN bits of outer and inner header don't fit";
    VxlanInvalidHdr = "VXLAN_INVALID_HDR", "the VXLAN header is malformed";
    VxlanVniNotFound = "VXLAN_VNI_NOT_FOUND", "no VXLAN device has this VNI";
    VxlanEntryExists = "VXLAN_ENTRY_EXISTS", "the MAC address is bound to another remote by a static entry";
    VxlanNoRemote = "VXLAN_NO_REMOTE", "no fdb entry names a remote for this MAC address";
    MacInvalidSource = "MAC_INVALID_SOURCE", "the source MAC address is not valid";
    LocalMac = "LOCAL_MAC", "the source MAC address is this device's own";
    ArpPvlanDisable = "ARP_PVLAN_DISABLE", "the ARP message asks for nothing of ours";
    BridgeIngressStpState = "BRIDGE_INGRESS_STP_STATE", "the bridge port is not in a state that forwards";
    BridgeNoEgressPort = "HOPLAB_BRIDGE_NO_EGRESS_PORT", "no bridge port may send it (hairpin, isolation, flood off or port state)";
    TunnelTxinfo = "TUNNEL_TXINFO", "the tunnel lacks its parameters";
    RecursionLimit = "RECURSION_LIMIT", "the packet went through too many stacked devices";
    HostUnreachable = "HOPLAB_ROUTE_UNREACHABLE", "an `unreachable` route refuses it";
    Blackhole = "HOPLAB_ROUTE_BLACKHOLE", "a `blackhole` route swallows it";
    Prohibit = "HOPLAB_ROUTE_PROHIBIT", "a `prohibit` route refuses it";
    ForwardingDisabled = "HOPLAB_FORWARDING_DISABLED", "the packet is for another host and ip_forward is 0";
    NoCarrier = "HOPLAB_NO_CARRIER", "the device has no carrier: its other end is down or missing";
    PeerMtu = "HOPLAB_PEER_MTU", "the frame is longer than the receiving end's MTU allows";
    FabricFilter = "HOPLAB_FABRIC_FILTER", "the network between the hosts doesn't carry it";
    LinkLoss = "HOPLAB_LINK_LOSS", "lost on the cable";
    NoProcess = "HOPLAB_NO_PROCESS", "no process has the TUN device open";
    VlanUnknown = "HOPLAB_VLAN_UNKNOWN", "no VLAN device has this tag";
    Ignored = "HOPLAB_IGNORED", "a sysctl tells the host to ignore it";
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
