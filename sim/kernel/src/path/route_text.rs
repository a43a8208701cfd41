use std::fmt::Write;

use ipnet::IpNet;

use crate::path::Dst;
use crate::request_text::{kind_word, proto_word, scope_word};
use crate::{Host, Route, RouteKind, RouteProto, Scope};

/// `default`, an address, or a prefix, as `ip route` prints it.
pub(crate) fn prefix_text(net: &IpNet) -> String {
    match net {
        net if net.prefix_len() == 0 => "default".to_owned(),
        net if net.prefix_len() == net.max_prefix_len() => net.addr().to_string(),
        net => net.to_string(),
    }
}

/// The route of a decision as `ip route` prints it, without `dev`.
pub(crate) fn route_text(host: &Host, dst: &Dst) -> String {
    match &dst.route {
        Some(route) => one_route(route, dst),
        None if dst.kind == RouteKind::Local => "local".to_owned(),
        None => format!("on the link of {}, as asked", host.dev(dst.dev).name),
    }
}

fn one_route(route: &Route, dst: &Dst) -> String {
    let mut text = String::new();
    if route.kind != RouteKind::Unicast {
        let _ = write!(text, "{} ", kind_word(route.kind));
    }
    text += &prefix_text(&route.dst);
    let way = match route.nexthops.as_slice() {
        [only] => Some(only),
        several => {
            let chosen =
                several.iter().find(|nh| nh.dev == dst.dev && (nh.via == dst.gateway || dst.redirected));
            if chosen.is_some() {
                text += " nexthop";
            }
            chosen
        }
    };
    if let Some(via) = way.and_then(|nh| nh.via) {
        let _ = write!(text, " via {via}");
    }
    if route.proto != RouteProto::BOOT {
        let _ = write!(text, " proto {}", proto_word(route.proto));
    }
    if route.scope != Scope::GLOBAL {
        let _ = write!(text, " scope {}", scope_word(route.scope));
    }
    if let Some(src) = route.prefsrc {
        let _ = write!(text, " src {src}");
    }
    if route.metric != 0 {
        let _ = write!(text, " metric {}", route.metric);
    }
    if way.is_some_and(|nh| nh.onlink) {
        text += " onlink";
    }
    if way.is_some_and(|nh| nh.linkdown) {
        text += " linkdown";
    }
    if dst.redirected {
        text += " (redirected)";
    }
    text
}
