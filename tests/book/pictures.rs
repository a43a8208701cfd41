//! Pictures of networks, as hoplab draws them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::real::Folder;

/// The networks that pages show: the file's name in `book/src/pictures`, and a packet's way on them
/// (the picture is that of the page that plays it).
const PICTURES: [(&str, &str); 5] = [
    ("client-router-server", "trace topologies/client-router-server.ron client server"),
    ("narrow-middle", "trace topologies/narrow-middle.ron client server"),
    ("tun-pair", "trace topologies/tun-pair.ron node1/container-1 100.96.2.3"),
    ("two-docker-hosts", "trace topologies/two-docker-hosts.ron node1/web 192.168.0.12"),
    ("vtep-pair", "trace topologies/vtep-pair.ron t1 t2"),
];

/// What the page's own style says of the picture, for both backgrounds.
const STYLE: &str = "<style>\
    svg{--ink:#1d232b;--muted:#5b6672;--sunken:#eef1f4;--bg:#fff;font:13px sans-serif;background:#fff}\
    text{fill:var(--ink)}path{fill:none;stroke:var(--muted);stroke-width:1.5}\
    rect{fill:var(--bg);stroke:var(--muted)}.host>rect,.segment>rect,.bridge>rect{fill:var(--sunken)}\
    .host>text,.name{font-weight:600}.device text,.label{text-anchor:middle}\
    .address{font:10px monospace;fill:var(--muted)}.nic>rect{stroke-width:2.5}\
    .tunnel-end>rect,path.tunnel{stroke-dasharray:6 4}path.cable{stroke-width:2.5}\
    path.lower{stroke-dasharray:1.5 4}</style>";

/// Writes the pictures that are not fresh; answers their files.
///
/// # Errors
/// A command that draws no picture.
pub fn stale(update: bool) -> Result<Vec<PathBuf>, String> {
    let folder = Folder::new(Path::new("pictures"));
    let mut stale = Vec::new();
    for (name, command) in PICTURES {
        let page = folder.run(&format!("hoplab {command} --format html"))?;
        let svg = picture(&page).ok_or_else(|| format!("`hoplab {command} --format html` draws nothing"))?;
        let file = Path::new("book/src/pictures").join(format!("{name}.svg"));
        if fs::read_to_string(&file).unwrap_or_default() != svg {
            if update {
                fs::create_dir_all("book/src/pictures").map_err(|error| error.to_string())?;
                fs::write(&file, svg).map_err(|error| error.to_string())?;
            }
            stale.push(file);
        }
    }
    Ok(stale)
}

/// The picture of a page that plays packets, as a file of its own.
fn picture(page: &str) -> Option<String> {
    let start = page.find("<svg id=\"picture\"")?;
    let svg = &page[start..][..page[start..].find("</svg>")?];
    let (head, body) = svg.split_once('>')?;
    let still = body.split("<g id=\"packet\"").next().unwrap_or(body);
    let still = still.replace("<polyline id=\"way\" points=\"\"/><polyline id=\"walked\" points=\"\"/>", "");
    Some(format!("{head} xmlns=\"http://www.w3.org/2000/svg\">{STYLE}{still}</svg>\n"))
}
