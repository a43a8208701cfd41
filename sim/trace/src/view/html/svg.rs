use std::fmt::Write;

use super::block::{Bar, Block, Chip, Px};
use super::escape;
use crate::view::map::{DeviceKey, DeviceSort, EdgeSort, NetworkMap};

/// Width up to which a picture is shown larger than it is drawn.
const ENLARGED: Px = 760;

/// The picture as an SVG element. Devices, namespaces and segments carry their keys and places, so
/// that a script can move a packet over it.
pub(super) fn svg(map: &NetworkMap, picture: &Block) -> String {
    let mut out = String::new();
    let names: Vec<&str> = map.hosts.iter().map(|host| host.name.as_str()).collect();
    // A small network is drawn larger.
    let scale = |length: Px| if picture.w <= ENLARGED { length * 5 / 4 } else { length };
    let _ = write!(
        out,
        "<svg id=\"picture\" viewBox=\"0 0 {w} {h}\" width=\"{}\" height=\"{}\" role=\"img\" \
         aria-labelledby=\"picture-title\"><title id=\"picture-title\">Network of {} hosts: {}</title>",
        scale(picture.w),
        scale(picture.h),
        names.len(),
        escape(&names.join(", ")),
        w = picture.w,
        h = picture.h
    );
    for frame in &picture.frames {
        let class = if frame.namespace.is_some() { "namespace" } else { "host" };
        let namespace = frame.namespace.unwrap_or(0);
        let _ = write!(
            out,
            "<g class=\"{class}\" data-node=\"{}/{namespace}\" data-x=\"{}\" data-y=\"{}\">\
             <rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"9\"/><text x=\"{}\" y=\"{}\">{}</text></g>",
            frame.host,
            frame.x + frame.w - 16,
            frame.title_y - 4,
            frame.x,
            frame.y,
            frame.w,
            frame.h,
            frame.x + 10,
            frame.title_y,
            escape(&frame.title)
        );
    }
    lines(&mut out, map, picture);
    for bar in &picture.bars {
        segment(&mut out, bar);
    }
    out.push_str("<polyline id=\"way\" points=\"\"/><polyline id=\"walked\" points=\"\"/>");
    for bar in &picture.bars {
        let (x, y) = (bar.x + bar.w / 2, bar.y + bar.h / 2 + 4);
        let _ = write!(out, "<text class=\"label\" x=\"{x}\" y=\"{y}\">{}</text>", escape(&bar.name));
    }
    for chip in &picture.chips {
        device(&mut out, chip);
    }
    out.push_str("<g id=\"packet\" visibility=\"hidden\"><circle r=\"9\"/><circle r=\"4\"/></g></svg>");
    out
}

fn lines(out: &mut String, map: &NetworkMap, picture: &Block) {
    for edge in &map.edges {
        let (Some(a), Some(b)) = (picture.find(edge.from), picture.find(edge.to)) else { continue };
        let class = match edge.kind {
            EdgeSort::Cable => "cable",
            EdgeSort::Veth => "veth",
            EdgeSort::Port => "port",
            EdgeSort::Lower => "lower",
            EdgeSort::Tunnel => "tunnel",
        };
        let (dx, dy) = (b.x - a.x, b.y - a.y);
        // Straight lines would run through what stands between.
        let bend = match edge.kind {
            EdgeSort::Tunnel => -(dx.abs() + dy.abs()) / 6 - 24,
            _ if dy == 0 && dx.abs() > (a.w + b.w) / 2 + 2 * 14 => a.h.max(b.h) / 2 + 26,
            _ => 0,
        };
        let path = if bend == 0 {
            format!("M{} {}L{} {}", a.x, a.y, b.x, b.y)
        } else {
            let top = (a.y.min(b.y) + bend).max(4);
            let y = if bend < 0 { top } else { a.y.max(b.y) + bend };
            format!("M{} {}Q{} {y} {} {}", a.x, a.y, (a.x + b.x) / 2, b.x, b.y)
        };
        let _ = write!(out, "<path class=\"{class}\" d=\"{path}\"/>");
    }
    for bar in &picture.bars {
        for chip in bar.ports.iter().filter_map(|port| picture.find(*port)) {
            let (x, y) = bar.anchor(chip.x);
            let _ = write!(out, "<path class=\"cable\" d=\"M{} {}L{x} {y}\"/>", chip.x, chip.y);
        }
    }
}

impl Bar {
    /// Where the cable of a device at `x` ends.
    fn anchor(&self, x: Px) -> (Px, Px) {
        let (left, right) = (self.x + 8, self.x + self.w - 8);
        (x.clamp(left, right.max(left)), self.y + self.h / 2)
    }
}

fn keys(keys: &[DeviceKey]) -> String {
    keys.iter().map(DeviceKey::to_string).collect::<Vec<_>>().join(" ")
}

fn segment(out: &mut String, bar: &Bar) {
    let _ = write!(
        out,
        "<g class=\"segment\" data-ports=\"{}\" data-x=\"{}\" data-y=\"{}\" data-w=\"{}\"><title>{name}, segment {}</title>\
         <rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\"/></g>",
        keys(&bar.ports),
        bar.x,
        bar.y + bar.h / 2,
        bar.w,
        bar.index + 1,
        bar.x,
        bar.y,
        bar.w,
        bar.h,
        bar.h / 2,
        name = escape(&bar.name)
    );
}

fn device(out: &mut String, chip: &Chip) {
    let class = match chip.kind {
        DeviceSort::Nic => "nic",
        DeviceSort::Bridge => "bridge",
        DeviceSort::Vxlan | DeviceSort::Ipip | DeviceSort::Tun => "tunnel-end",
        DeviceSort::Loopback | DeviceSort::Veth | DeviceSort::Vlan | DeviceSort::Other => "plain",
    };
    let down = if chip.up { "" } else { " down" };
    let _ = write!(
        out,
        "<g class=\"device {class}{down}\" data-device=\"{}\" data-x=\"{}\" data-y=\"{}\" \
         data-corner=\"{}\" data-top=\"{}\"><title>{}</title>\
         <rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"6\"/><text class=\"name\" x=\"{}\" y=\"{}\">{}</text>",
        chip.key,
        chip.x,
        chip.y,
        chip.x + chip.w / 2 - 3,
        chip.y - chip.h / 2 + 3,
        escape(&chip.tip),
        chip.x - chip.w / 2,
        chip.y - chip.h / 2,
        chip.w,
        chip.h,
        chip.x,
        chip.y - chip.h / 2 + 16,
        escape(&chip.name)
    );
    let mut y = chip.y - chip.h / 2 + 29;
    for line in &chip.lines {
        let _ = write!(out, "<text class=\"address\" x=\"{}\" y=\"{y}\">{}</text>", chip.x, escape(line));
        y += 13;
    }
    out.push_str("</g>");
}
