//! What a filter says of a packet. As in BPF, a byte that isn't there rejects the packet whatever
//! the rest of the filter is.

use super::{Arith, Direction, EtherNet, Filter, Header, LinkType, Op, PortProto, Relation, Test};

/// A packet as the filter sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    pub link: LinkType,
    /// The bytes; a tag in `tag` isn't among them.
    pub bytes: &'a [u8],
    /// Length of the packet in bytes, as sent.
    pub len: usize,
    /// VLAN tag that the kernel keeps beside a packet.
    pub tag: Option<u16>,
    /// Whether this host sends it.
    pub outgoing: bool,
}

/// The packet is too short.
struct Rejected;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const VLAN: [u16; 3] = [0x8100, 0x88a8, 0x9100];

impl Filter {
    /// Whether the packet passes.
    pub fn passes(&self, seen: Seen<'_>) -> bool {
        self.eval(seen).unwrap_or(false)
    }

    fn eval(&self, seen: Seen<'_>) -> Result<bool, Rejected> {
        match self {
            Self::And(a, b) => Ok(a.eval(seen)? && b.eval(seen)?),
            Self::Or(a, b) => Ok(a.eval(seen)? || b.eval(seen)?),
            Self::Not(a) => Ok(!a.eval(seen)?),
            Self::Test(tags, test) => At { seen, tags: *tags }.test(test),
        }
    }
}

/// A packet, behind some VLAN tags.
struct At<'a> {
    seen: Seen<'a>,
    tags: usize,
}

impl At<'_> {
    fn load(&self, at: usize, size: usize) -> Result<u32, Rejected> {
        let bytes = self.seen.bytes.get(at..at.saturating_add(size)).ok_or(Rejected)?;
        Ok(bytes.iter().fold(0, |n, byte| n << 8 | u32::from(*byte)))
    }

    /// Tags among the bytes that come before the network header.
    fn tag_bytes(&self) -> usize {
        4 * self.tags.saturating_sub(usize::from(self.seen.tag.is_some()))
    }

    fn network(&self) -> usize {
        match self.seen.link {
            LinkType::Ethernet => 14 + self.tag_bytes(),
            LinkType::Raw => 0,
            LinkType::Sll2 => 20 + self.tag_bytes(),
        }
    }

    fn ether_type(&self) -> Result<u16, Rejected> {
        let value = match self.seen.link {
            LinkType::Ethernet => self.load(12 + self.tag_bytes(), 2)?,
            LinkType::Sll2 if self.tag_bytes() == 0 => self.load(0, 2)?,
            LinkType::Sll2 => self.load(18 + self.tag_bytes(), 2)?,
            LinkType::Raw => match self.load(0, 1)? >> 4 {
                4 => IPV4.into(),
                6 => IPV6.into(),
                _ => 0,
            },
        };
        Ok(value as u16)
    }

    fn ip_proto(&self, proto: u8) -> Result<bool, Rejected> {
        Ok(self.ether_type()? == IPV4 && self.load(self.network() + 9, 1)? == u32::from(proto))
    }

    fn first_fragment(&self) -> Result<bool, Rejected> {
        Ok(self.load(self.network() + 6, 2)? & 0x1fff == 0)
    }

    fn transport(&self) -> Result<usize, Rejected> {
        Ok(self.network() + 4 * (self.load(self.network(), 1)? & 0xf) as usize)
    }

    /// Asks `fits` about the value at `src` or `dst`.
    fn directed(
        &self,
        direction: Direction,
        src: usize,
        dst: usize,
        size: usize,
        fits: impl Fn(u32) -> bool,
    ) -> Result<bool, Rejected> {
        Ok(match direction {
            Direction::Src => fits(self.load(src, size)?),
            Direction::Dst => fits(self.load(dst, size)?),
            Direction::Either => fits(self.load(src, size)?) || fits(self.load(dst, size)?),
            Direction::Both => fits(self.load(src, size)?) && fits(self.load(dst, size)?),
        })
    }

    fn test(&self, test: &Test) -> Result<bool, Rejected> {
        match test {
            Test::EtherType(value) => Ok(self.ether_type()? == *value),
            Test::IpProto(proto) => self.ip_proto(*proto),
            Test::Ip6Proto(proto) => {
                Ok(self.ether_type()? == IPV6 && self.load(self.network() + 6, 1)? == u32::from(*proto))
            }
            Test::Net(family, direction, addr, mask) => {
                let (ether_type, src, dst) = match family {
                    EtherNet::Ip => (IPV4, 12, 16),
                    EtherNet::Arp => (0x0806, 14, 24),
                    EtherNet::Rarp => (0x8035, 14, 24),
                };
                let base = self.network();
                Ok(self.ether_type()? == ether_type
                    && self.directed(*direction, base + src, base + dst, 4, |a| a & mask == *addr)?)
            }
            Test::Ports(proto, direction, low, high) => {
                let protos: &[u8] = match proto {
                    PortProto::Any => &[6, 17, 132],
                    PortProto::Only(proto) => &[*proto],
                };
                if self.ether_type()? == IPV6 {
                    let next = self.load(self.network() + 6, 1)?;
                    let at = self.network() + 40;
                    return Ok(protos.iter().any(|proto| u32::from(*proto) == next)
                        && self.directed(*direction, at, at + 2, 2, |port| {
                            (u32::from(*low)..=u32::from(*high)).contains(&port)
                        })?);
                }
                for proto in protos {
                    if self.ip_proto(*proto)? {
                        let at = self.transport()?;
                        return Ok(self.first_fragment()?
                            && self.directed(*direction, at, at + 2, 2, |port| {
                                (u32::from(*low)..=u32::from(*high)).contains(&port)
                            })?);
                    }
                }
                Ok(false)
            }
            Test::Mac(direction, mac) => {
                let is = |at: usize| -> Result<bool, Rejected> {
                    Ok(*self.seen.bytes.get(at..at + 6).ok_or(Rejected)? == mac.0)
                };
                Ok(match direction {
                    Direction::Src => is(6)?,
                    Direction::Dst => is(0)?,
                    Direction::Either => is(6)? || is(0)?,
                    Direction::Both => is(6)? && is(0)?,
                })
            }
            Test::EtherMulticast => Ok(self.load(0, 1)? & 1 != 0),
            Test::IpMulticast => Ok(self.ether_type()? == IPV4 && self.load(self.network() + 16, 1)? >= 224),
            Test::IpBroadcast(host_part) => {
                if self.ether_type()? != IPV4 {
                    return Ok(false);
                }
                let host = self.load(self.network() + 16, 4)? & host_part;
                Ok(host == 0 || host == *host_part)
            }
            Test::Vlan(vid) => {
                let outer = Self { seen: self.seen, tags: self.tags.saturating_sub(1) };
                let tci = match self.seen.tag {
                    Some(tci) if outer.tags == 0 => u32::from(tci),
                    _ if VLAN.contains(&outer.ether_type()?) => self.load(outer.network(), 2)?,
                    _ => return Ok(false),
                };
                Ok(vid.is_none_or(|vid| tci & 0xfff == u32::from(vid)))
            }
            Test::Inbound(inbound) => Ok(self.seen.outgoing != *inbound),
            Test::Compare(a, relation, b) => {
                if !self.guards(a)? || !self.guards(b)? {
                    return Ok(false);
                }
                let (a, b) = (self.number(a)?, self.number(b)?);
                Ok(match relation {
                    Relation::Equal => a == b,
                    Relation::NotEqual => a != b,
                    Relation::Less => a < b,
                    Relation::LessEqual => a <= b,
                    Relation::Greater => a > b,
                    Relation::GreaterEqual => a >= b,
                })
            }
        }
    }

    /// Whether every header that bytes are taken from is there.
    fn guards(&self, arith: &Arith) -> Result<bool, Rejected> {
        match arith {
            Arith::Number(_) | Arith::Len => Ok(true),
            Arith::Negative(a) => self.guards(a),
            Arith::Binary(_, a, b) => Ok(self.guards(a)? && self.guards(b)?),
            Arith::Load(header, index, _) => Ok(self.guards(index)?
                && match header {
                    Header::Link => true,
                    Header::Net(ether_type) => self.ether_type()? == *ether_type,
                    Header::Transport(proto) => self.ip_proto(*proto)? && self.first_fragment()?,
                }),
        }
    }

    fn number(&self, arith: &Arith) -> Result<u32, Rejected> {
        match arith {
            Arith::Number(n) => Ok(*n),
            Arith::Len => u32::try_from(self.seen.len).map_err(|_| Rejected),
            Arith::Negative(a) => Ok(self.number(a)?.wrapping_neg()),
            Arith::Load(header, index, size) => {
                let base = match header {
                    Header::Link => 0,
                    Header::Net(_) => self.network(),
                    Header::Transport(_) => self.transport()?,
                };
                self.load(base.saturating_add(self.number(index)? as usize), *size)
            }
            Arith::Binary(op, a, b) => {
                let (a, b) = (self.number(a)?, self.number(b)?);
                match op {
                    Op::Add => Ok(a.wrapping_add(b)),
                    Op::Sub => Ok(a.wrapping_sub(b)),
                    Op::Mul => Ok(a.wrapping_mul(b)),
                    Op::Div => a.checked_div(b).ok_or(Rejected),
                    Op::Mod => a.checked_rem(b).ok_or(Rejected),
                    Op::And => Ok(a & b),
                    Op::Or => Ok(a | b),
                    Op::Xor => Ok(a ^ b),
                    Op::Shl => Ok(a.checked_shl(b).unwrap_or(0)),
                    Op::Shr => Ok(a.checked_shr(b).unwrap_or(0)),
                }
            }
        }
    }
}
