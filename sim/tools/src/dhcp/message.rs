//! DHCP messages: options go onto the wire in the order their sender chose.

use std::net::Ipv4Addr;

use dhcproto::v4::{DhcpOption, HType, Message, MessageType, Opcode, OptionCode};
use dhcproto::{Decodable, Decoder, Encodable, Encoder};
use packet::MacAddr;

/// Bytes of the fixed header and the magic cookie.
const HEADER: usize = 240;
/// Senders pad to the length of a BOOTP message (RFC 1542).
const MIN_LEN: usize = 300;

/// A message of this client, without addresses and options.
pub(super) fn request(xid: u32, secs: u16, mac: MacAddr) -> Message {
    let none = Ipv4Addr::UNSPECIFIED;
    let mut message = Message::new_with_id(xid, none, none, none, none, &mac.0);
    message.set_opcode(Opcode::BootRequest).set_htype(HType::Eth).set_secs(secs);
    message
}

/// The bytes of `message` with these options, padded.
pub(super) fn encode(message: &Message, options: &[DhcpOption]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(MIN_LEN);
    message.encode(&mut Encoder::new(&mut bytes)).ok()?;
    bytes.truncate(HEADER);
    for option in options.iter().chain([&DhcpOption::End]) {
        let mut part = Vec::new();
        option.encode(&mut Encoder::new(&mut part)).ok()?;
        bytes.extend(part);
    }
    bytes.resize(bytes.len().max(MIN_LEN), 0);
    Some(bytes)
}

/// A message, if the bytes are one: the crate believes the cookie and the address's length unseen.
pub(super) fn decode(bytes: &[u8]) -> Option<Message> {
    let address_fits = bytes.get(2).is_some_and(|&len| len <= 16);
    if !address_fits || bytes.get(HEADER - 4..HEADER) != Some(&[0x63, 0x82, 0x53, 0x63]) {
        return None;
    }
    Message::decode(&mut Decoder::new(bytes)).ok()
}

/// The options of a message in the order they came.
pub(super) fn options_in_order(bytes: &[u8], message: &Message) -> Vec<DhcpOption> {
    let mut options: Vec<DhcpOption> = Vec::new();
    let mut rest = bytes.get(HEADER..).unwrap_or_default();
    while let Some((&code, after)) = rest.split_first() {
        if code == 0 {
            rest = after;
            continue;
        }
        let Some((&len, value)) = after.split_first().filter(|_| code != 255) else { break };
        let Some(next) = value.get(usize::from(len)..) else { break };
        let code = OptionCode::from(code);
        if let Some(option) = message.opts().get(code)
            && !options.iter().any(|known| OptionCode::from(known) == code)
        {
            options.push(option.clone());
        }
        rest = next;
    }
    options
}

/// The kind of a message.
pub(super) fn kind(message: &Message) -> Option<MessageType> {
    message.opts().msg_type()
}

/// The client's hardware address.
pub(super) fn client_mac(message: &Message) -> Option<MacAddr> {
    <[u8; 6]>::try_from(message.chaddr()).ok().map(MacAddr)
}

/// An option that is one address.
pub(super) fn address(message: &Message, code: OptionCode) -> Option<Ipv4Addr> {
    match message.opts().get(code)? {
        DhcpOption::ServerIdentifier(addr) | DhcpOption::RequestedIpAddress(addr) => Some(*addr),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_keep_their_order_and_the_message_its_length() {
        let options = vec![
            DhcpOption::MessageType(MessageType::Discover),
            DhcpOption::Hostname("vm".to_owned()),
            DhcpOption::ParameterRequestList(vec![OptionCode::SubnetMask, OptionCode::Router]),
            DhcpOption::RequestedIpAddress(Ipv4Addr::new(10, 0, 0, 7)),
        ];
        let sent = request(7, 3, MacAddr([2, 0, 0, 0, 0, 2]));
        let bytes = encode(&sent, &options).unwrap_or_default();
        assert_eq!(bytes.len(), MIN_LEN);
        let came = decode(&bytes).unwrap_or_default();
        assert_eq!((came.xid(), came.secs(), kind(&came)), (7, 3, Some(MessageType::Discover)));
        assert_eq!(client_mac(&came), Some(MacAddr([2, 0, 0, 0, 0, 2])));
        assert_eq!(options_in_order(&bytes, &came), options);
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let good = encode(&request(7, 3, MacAddr([2, 0, 0, 0, 0, 2])), &[]).unwrap_or_default();
        assert!(decode(&good).is_some());
        let mut long_address = good.clone();
        long_address[2] = 17;
        let mut other_cookie = good.clone();
        other_cookie[HEADER - 1] = 0;
        for bytes in [&[][..], &good[..30], &[0xff; 240], &long_address, &other_cookie] {
            assert_eq!(decode(bytes), None);
        }
    }
}
