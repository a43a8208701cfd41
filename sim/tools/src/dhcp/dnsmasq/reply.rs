//! What a client's message is answered with. Source: `dhcp_reply` in `rfc2131.c`.

use std::net::Ipv4Addr;

use dhcproto::v4::{DhcpOption, Message, MessageType, Opcode, OptionCode};
use ipnet::Ipv4Net;
use packet::MacAddr;
use world::Sys;

use super::log::Part;
use super::options::{KnownHost, Range};
use super::pool::{Lease, is_free};
use super::{Server, broadcast_flag};
use crate::dhcp::message::{address, encode, kind};

/// An interface that is served.
#[derive(Clone, Debug)]
pub(super) struct Interface {
    /// Its name.
    pub name: String,
    /// Its addresses.
    pub addrs: Vec<Ipv4Net>,
}

/// What is to be done about a message.
#[derive(Debug)]
pub(super) enum Todo {
    /// Nothing.
    Nothing,
    /// This goes to the client.
    Send(Box<Message>, Vec<u8>),
    /// First look whether somebody has this address.
    Ping(Ipv4Addr),
}

/// A range with the interface's address in it.
#[derive(Clone, Debug)]
struct Context {
    range: Range,
    own: Ipv4Addr,
    net: Ipv4Net,
}

/// What is known of a client.
struct Client {
    mac: MacAddr,
    id: Option<Vec<u8>>,
    host: Option<KnownHost>,
    name: Option<String>,
    wanted: Vec<OptionCode>,
}

impl Server {
    /// The ranges that an interface serves.
    fn contexts(&self, interface: &Interface) -> Vec<Context> {
        let mut contexts = Vec::new();
        for range in &self.options.ranges {
            for own in &interface.addrs {
                let net = match range.mask.map(|mask| Ipv4Net::with_netmask(own.addr(), mask)) {
                    Some(Ok(net)) => net,
                    _ => *own,
                };
                if net.contains(&range.start) && net.contains(&range.end) {
                    contexts.push(Context { range: range.clone(), own: own.addr(), net });
                }
            }
        }
        contexts
    }

    /// Source: `log_packet`.
    fn log_packet(
        &self,
        sys: &mut dyn Sys,
        what: &str,
        device: &str,
        addr: Option<Ipv4Addr>,
        mac: MacAddr,
        more: &str,
    ) {
        let addr = addr.map(|addr| format!("{addr} ")).unwrap_or_default();
        self.say(sys, Part::Dhcp, &format!("{what}({device}) {addr}{mac} {more}"));
    }

    /// Somebody has this address: clients of its ranges get another one from now on.
    pub(super) fn avoid(&mut self, address: Ipv4Addr) {
        if self.options.sequential {
            return;
        }
        for range in self.options.ranges.iter_mut().filter(|range| range.holds(address)) {
            range.epoch += 1;
        }
    }

    /// Decides about a message.
    pub(super) fn reply(
        &mut self,
        sys: &mut dyn Sys,
        message: &Message,
        mac: MacAddr,
        interface: &Interface,
        unicast: bool,
    ) -> Todo {
        let contexts = self.contexts(interface);
        let Some(first) = contexts.first().cloned() else {
            let text = format!("no address range available for DHCP request via {}", interface.name);
            self.say(sys, Part::Dhcp, &text);
            return Todo::Nothing;
        };
        if message.opcode() != Opcode::BootRequest {
            return Todo::Nothing;
        }
        let host = self.options.hosts.iter().find(|host| host.mac == mac).cloned();
        let said = match message.opts().get(OptionCode::Hostname) {
            Some(DhcpOption::Hostname(name)) => Some(name.clone()),
            _ => None,
        };
        let client = Client {
            mac,
            id: match message.opts().get(OptionCode::ClientIdentifier) {
                Some(DhcpOption::ClientIdentifier(id)) => Some(id.clone()),
                _ => None,
            },
            name: host.as_ref().and_then(|host| host.name.clone()).or(said),
            host,
            wanted: match message.opts().get(OptionCode::ParameterRequestList) {
                Some(DhcpOption::ParameterRequestList(codes)) => codes.clone(),
                _ => Vec::new(),
            },
        };
        let ignored = client.host.as_ref().is_some_and(|host| host.ignored);
        match kind(message) {
            Some(MessageType::Discover) if ignored => {
                self.log_packet(sys, "DHCPDISCOVER", &interface.name, None, mac, "ignored");
                Todo::Nothing
            }
            Some(MessageType::Discover) => self.discover(sys, message, &client, &contexts, &interface.name),
            Some(MessageType::Request) if !ignored => {
                self.request(sys, message, &client, &contexts, &interface.name, unicast)
            }
            Some(MessageType::Release) => {
                if address(message, OptionCode::ServerIdentifier) == Some(first.own) {
                    let known = self.leases.of_client(mac, client.id.as_deref()).map(|lease| lease.address);
                    let gone = known == Some(message.ciaddr());
                    if gone {
                        self.leases.remove(message.ciaddr());
                        self.write_leases(sys);
                    }
                    let more = if gone { "" } else { "unknown lease" };
                    self.log_packet(sys, "DHCPRELEASE", &interface.name, Some(message.ciaddr()), mac, more);
                }
                Todo::Nothing
            }
            Some(MessageType::Decline) => {
                let declined = address(message, OptionCode::RequestedIpAddress);
                if let (Some(server), Some(declined)) =
                    (address(message, OptionCode::ServerIdentifier), declined)
                    && server == first.own
                {
                    self.log_packet(sys, "DHCPDECLINE", &interface.name, Some(declined), mac, "");
                    self.leases.remove(declined);
                    self.write_leases(sys);
                    self.avoid(declined);
                }
                Todo::Nothing
            }
            Some(MessageType::Inform) if !ignored => {
                let addr = message.ciaddr();
                self.log_packet(sys, "DHCPINFORM", &interface.name, Some(addr), mac, "");
                self.log_packet(
                    sys,
                    "DHCPACK",
                    &interface.name,
                    Some(addr),
                    mac,
                    client.name.as_deref().unwrap_or(""),
                );
                self.answer(message, MessageType::Ack, addr, &client, &first, None, 0)
            }
            _ => Todo::Nothing,
        }
    }

    fn discover(
        &mut self,
        sys: &mut dyn Sys,
        message: &Message,
        client: &Client,
        contexts: &[Context],
        device: &str,
    ) -> Todo {
        let asked = address(message, OptionCode::RequestedIpAddress);
        let chosen = match self.choose(sys, asked, client, contexts) {
            Ok(chosen) => chosen,
            Err(Todo::Nothing) => {
                self.log_packet(sys, "DHCPDISCOVER", device, asked, client.mac, "no address available");
                return Todo::Nothing;
            }
            Err(todo) => return todo,
        };
        self.log_packet(sys, "DHCPDISCOVER", device, asked, client.mac, "");
        let Some(context) = contexts.iter().find(|context| context.net.contains(&chosen)) else {
            return Todo::Nothing;
        };
        self.log_packet(sys, "DHCPOFFER", device, Some(chosen), client.mac, "");
        let time = lease_time(message, client, context);
        self.answer(message, MessageType::Offer, chosen, client, context, Some(time), 0)
    }

    /// The address that a client is offered; `Err` if there is none, or it must be looked at first.
    fn choose(
        &mut self,
        sys: &mut dyn Sys,
        asked: Option<Ipv4Addr>,
        client: &Client,
        contexts: &[Context],
    ) -> Result<Ipv4Addr, Todo> {
        if let Some(reserved) = client.host.as_ref().and_then(|host| host.address) {
            let other = self.leases.of_address(reserved).filter(|lease| lease.mac != client.mac);
            if let Some(other) = other {
                let text =
                    format!("not using configured address {reserved} because it is leased to {}", other.mac);
                self.say(sys, Part::Dhcp, &text);
            } else if contexts.iter().any(|context| context.own == reserved) {
                let text = format!(
                    "not using configured address {reserved} because it is in use by the server or relay"
                );
                self.say(sys, Part::Dhcp, &text);
            } else {
                return Ok(reserved);
            }
        }
        let hosts = self.options.hosts.clone();
        let reserved = |addr: Ipv4Addr| hosts.iter().any(|host| host.address == Some(addr));
        let available =
            |addr: Ipv4Addr| contexts.iter().any(|context| context.range.holds(addr) && context.own != addr);
        let now = sys.now();
        if let Some(lease) = self.leases.of_client(client.mac, client.id.as_deref())
            && available(lease.address)
            && !reserved(lease.address)
        {
            return Ok(lease.address);
        }
        if let Some(asked) = asked
            && available(asked)
            && self.leases.of_address(asked).is_none()
            && !reserved(asked)
            && !self.taken.contains(&asked)
        {
            return if self.known_free(now, asked) { Ok(asked) } else { Err(Todo::Ping(asked)) };
        }
        for context in contexts {
            let first = context
                .range
                .candidates(client.mac, &self.leases, self.options.sequential)
                .filter(|&addr| is_free(addr, context.own, &self.leases, &hosts))
                .find(|addr| !self.taken.contains(addr));
            if let Some(addr) = first {
                return if self.known_free(now, addr) { Ok(addr) } else { Err(Todo::Ping(addr)) };
            }
        }
        Err(Todo::Nothing)
    }

    fn request(
        &mut self,
        sys: &mut dyn Sys,
        message: &Message,
        client: &Client,
        contexts: &[Context],
        device: &str,
        unicast: bool,
    ) -> Todo {
        let mac = client.mac;
        let authoritative = self.options.authoritative;
        let mut lease = self.leases.of_client(mac, client.id.as_deref()).cloned();
        let mut refusal = None;
        let (mut selecting, mut fuzz) = (false, 0);
        let wanted = match address(message, OptionCode::RequestedIpAddress) {
            Some(wanted) => {
                if let Some(server) = address(message, OptionCode::ServerIdentifier) {
                    selecting = true;
                    if !contexts.iter().any(|context| context.own == server) {
                        if !authoritative {
                            return Todo::Nothing;
                        }
                        refusal = Some("wrong server-ID");
                    }
                    if let Some(other) = lease.take_if(|lease| lease.address != wanted) {
                        self.leases.remove(other.address);
                    }
                } else {
                    match &lease {
                        None if !authoritative => return Todo::Nothing,
                        Some(lease) if lease.address != wanted => refusal = Some("wrong address"),
                        _ => {}
                    }
                }
                wanted
            }
            None => {
                let known = lease.as_ref().map(|lease| lease.address);
                if known.is_some_and(|addr| addr != message.ciaddr()) || (known.is_none() && !authoritative) {
                    if !unicast {
                        return Todo::Nothing;
                    }
                    refusal = Some("lease not found");
                }
                fuzz = sys.random() as u16;
                message.ciaddr()
            }
        };
        self.log_packet(sys, "DHCPREQUEST", device, Some(wanted), mac, "");
        let context = contexts.iter().find(|context| context.net.contains(&wanted));
        let refusal = refusal.or_else(|| {
            let Some(context) = context else { return Some("wrong network") };
            let reserved = client.host.as_ref().and_then(|host| host.address);
            let holds = contexts.iter().any(|c| c.range.holds(wanted) && c.own != wanted);
            if !holds && reserved != Some(wanted) {
                return Some("address not available");
            }
            if !selecting
                && let Some(reserved) = reserved
                && reserved != wanted
                && reserved != context.own
                && self.leases.of_address(reserved).is_none_or(|other| other.mac == mac)
            {
                return Some("static lease available");
            }
            if self.options.hosts.iter().any(|host| host.address == Some(wanted) && host.mac != mac) {
                return Some("address reserved");
            }
            let other = self.leases.of_address(wanted);
            (lease.is_none() && other.is_some()).then_some("address in use")
        });
        if let Some(why) = refusal {
            self.log_packet(sys, "DHCPNAK", device, Some(wanted), mac, why);
            let own = context.or(contexts.first()).map(|context| context.own);
            return own.map_or(Todo::Nothing, |own| refuse(message, own, why));
        }
        let Some(context) = context else { return Todo::Nothing };
        let time = lease_time(message, client, context);
        let name = client.name.clone().or_else(|| lease.and_then(|lease| lease.name));
        let expires = if time == u32::MAX { 0 } else { sys.unix_time() + u64::from(time) };
        let client_id = client.id.clone();
        self.leases.put(Lease { mac, address: wanted, name: name.clone(), client_id, expires });
        self.write_leases(sys);
        self.log_packet(sys, "DHCPACK", device, Some(wanted), mac, name.as_deref().unwrap_or(""));
        self.answer(message, MessageType::Ack, wanted, client, context, Some(time), fuzz)
    }

    /// An offer or acknowledgement, with the options that the client wants. Source: `do_options`.
    #[allow(clippy::too_many_arguments)]
    fn answer(
        &self,
        message: &Message,
        kind: MessageType,
        addr: Ipv4Addr,
        client: &Client,
        context: &Context,
        time: Option<u32>,
        mut fuzz: u16,
    ) -> Todo {
        let mut answer = answer_to(message);
        answer.set_siaddr(context.own).set_ciaddr(message.ciaddr());
        let mut options = vec![DhcpOption::MessageType(kind), DhcpOption::ServerIdentifier(context.own)];
        if let Some(time) = time {
            answer.set_yiaddr(addr);
            options.push(DhcpOption::AddressLeaseTime(time));
            if time != u32::MAX {
                let (half, later) = (time / 2, (u64::from(time) * 7 / 8) as u32);
                while u32::from(fuzz) > half / 8 {
                    fuzz /= 2;
                }
                options.push(DhcpOption::Renewal(half - u32::from(fuzz)));
                options.push(DhcpOption::Rebinding(later - u32::from(fuzz)));
            }
        }
        let set = |code: OptionCode| self.options.answers.iter().any(|answer| answer.code == code);
        let wants = |code: OptionCode| client.wanted.contains(&code);
        if !set(OptionCode::SubnetMask) {
            options.push(DhcpOption::SubnetMask(context.net.netmask()));
        }
        if !set(OptionCode::BroadcastAddr) {
            options.push(DhcpOption::BroadcastAddr(context.net.broadcast()));
        }
        if wants(OptionCode::Router) && !set(OptionCode::Router) {
            options.push(DhcpOption::Router(vec![context.own]));
        }
        // An offer names nobody yet.
        let named = client.name.as_ref().filter(|_| kind == MessageType::Ack && wants(OptionCode::Hostname));
        options.extend(named.cloned().map(DhcpOption::Hostname));
        for configured in &self.options.answers {
            if wants(configured.code) {
                options.extend(configured.value.clone());
            }
        }
        encode(&answer, &options).map_or(Todo::Nothing, |bytes| Todo::Send(Box::new(answer), bytes))
    }
}

/// An answer without addresses.
fn answer_to(message: &Message) -> Message {
    let none = Ipv4Addr::UNSPECIFIED;
    let mut answer = Message::new_with_id(message.xid(), none, none, none, none, message.chaddr());
    answer.set_opcode(Opcode::BootReply).set_htype(message.htype());
    answer.set_secs(message.secs()).set_flags(message.flags());
    answer
}

/// A NAK, which everybody hears.
fn refuse(message: &Message, own: Ipv4Addr, why: &str) -> Todo {
    let mut answer = answer_to(message);
    answer.set_flags(broadcast_flag());
    let options = [
        DhcpOption::MessageType(MessageType::Nak),
        DhcpOption::ServerIdentifier(own),
        DhcpOption::Message(why.to_owned()),
    ];
    encode(&answer, &options).map_or(Todo::Nothing, |bytes| Todo::Send(Box::new(answer), bytes))
}

/// Seconds. Source: `calc_time`.
fn lease_time(message: &Message, client: &Client, context: &Context) -> u32 {
    let own = client.host.as_ref().and_then(|host| host.lease).unwrap_or(context.range.lease);
    match message.opts().get(OptionCode::AddressLeaseTime) {
        Some(DhcpOption::AddressLeaseTime(asked)) => own.min((*asked).max(120)),
        _ => own,
    }
}
