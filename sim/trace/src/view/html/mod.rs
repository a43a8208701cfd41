//! One page that plays the packets of a recording over a picture of the network. Everything is in
//! it: styles, script and data; it asks no other place for anything.

mod block;
mod layout;
mod svg;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest, Sha256};

use super::map::{DeviceKey, DeviceSort, MapDevice};
use super::report::Recording;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Hosts up to which all are drawn; of a larger network only those that a packet visited.
const HOSTS: usize = 40;

/// The page of a recording.
pub fn html(recording: &Recording) -> String {
    let seen: BTreeSet<DeviceKey> =
        recording.commands.iter().flat_map(|command| &command.frames).map(|frame| frame.device_id).collect();
    let mut map = recording.map.clone();
    let all = map.hosts.len();
    if all > HOSTS {
        let visited: BTreeSet<u32> = seen.iter().map(|key| key.host.0).collect();
        map.retain_hosts(|id| visited.contains(&id));
    }
    let left_out = match all - map.hosts.len() {
        0 => String::new(),
        n => format!("{n} hosts that no packet visited are not drawn."),
    };
    // A loopback device that nothing passed would only fill the picture.
    let shown = |device: &MapDevice| device.kind != DeviceSort::Loopback || seen.contains(&device.id);
    let picture = layout::layout(&map, &shown);
    let data = serde_json::to_string(recording).unwrap_or_else(|_| "null".to_owned());
    let title = if recording.title.is_empty() { "hoplab" } else { &recording.title };
    fill(&[
        ("title", &escape(title)),
        ("policy", &policy()),
        ("style", STYLE),
        ("picture", &svg::svg(&map, &picture)),
        ("left-out", &left_out),
        ("data", &for_script(&data)),
        ("script", SCRIPT),
    ])
}

/// The page with every `{{name}}` replaced. What is put in is not looked at again.
fn fill(values: &[(&str, &str)]) -> String {
    let mut out =
        String::with_capacity(PAGE.len() + values.iter().map(|(_, value)| value.len()).sum::<usize>());
    let mut rest = PAGE;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((name, after)) = after.split_once("}}") else { break };
        out.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Only this style and this script may act, and nothing may be loaded.
fn policy() -> String {
    let hash = |text: &str| BASE64.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// Text that is neither markup nor the end of an attribute.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// JSON that can stand in a script element: nothing in it can end the element.
fn for_script(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}
