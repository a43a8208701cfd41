//! `cnitool`: joins namespaces to networks by hand. CNI: `cnitool`.

use serde_json::Value;
use sha2::{Digest, Sha512};
use world::{Fd, Registry, Sys};

use super::go_json;
use super::libcni::{Attachment, NetworkList, Runtime};

/// Installs `cnitool`.
pub fn install(registry: &mut Registry) {
    registry.install_command("cnitool", cnitool);
}

const USAGE: &str = "\
cnitool: Add, check, or remove network interfaces from a network namespace
  cnitool add   <net> <netns>
  cnitool check <net> <netns>
  cnitool del   <net> <netns>
";

fn cnitool(sys: &mut dyn Sys, args: &[String]) -> i32 {
    match run(sys, args) {
        Ok(printed) => {
            tools::console::write_all(sys, Fd::STDOUT, &printed);
            0
        }
        Err(message) => {
            tools::console::write_all(sys, Fd::STDERR, &message);
            1
        }
    }
}

fn run(sys: &mut dyn Sys, args: &[String]) -> Result<String, String> {
    let [_, verb, net, netns, ..] = args else { return Err(USAGE.to_owned()) };
    let line = |message: String| format!("{message}\n");
    let folder = sys.env("NETCONFPATH").unwrap_or_else(|| "/etc/cni/net.d".to_owned());
    let list = NetworkList::load(sys, &folder, net).map_err(line)?;
    let to = attachment(sys, netns).map_err(line)?;
    let path = sys.env("CNI_PATH").unwrap_or_default();
    let mut runtime = Runtime { sys, path };
    match verb.as_str() {
        "add" => runtime.add(&list, &to).map_err(line),
        "check" => runtime.check(&list, &to).map(|()| String::new()).map_err(line),
        "del" => runtime.del(&list, &to).map(|()| String::new()).map_err(line),
        _ => Ok(String::new()),
    }
}

fn attachment(sys: &dyn Sys, netns: &str) -> Result<Attachment, String> {
    let netns = match netns.starts_with('/') {
        true => netns.to_owned(),
        false => format!("{}/{netns}", sys.cwd().trim_end_matches('/')),
    };
    let hash: String = Sha512::digest(&netns).iter().take(10).map(|byte| format!("{byte:02x}")).collect();
    let capability_args = match sys.env("CAP_ARGS") {
        None => Value::Null,
        Some(text) => go_json::parse(&text)?,
    };
    let mut args = Vec::new();
    let given = sys.env("CNI_ARGS").unwrap_or_default();
    for pair in given.split(';').filter(|_| !given.is_empty()) {
        let Some((key, value)) =
            pair.split_once('=').filter(|(key, value)| !key.is_empty() && !value.is_empty())
        else {
            return Err(format!("invalid CNI_ARGS pair {pair:?}"));
        };
        args.push((key.to_owned(), value.to_owned()));
    }
    Ok(Attachment {
        container_id: format!("cnitool-{hash}"),
        netns,
        ifname: sys.env("CNI_IFNAME").unwrap_or_else(|| "eth0".to_owned()),
        args,
        capability_args: capability_args.as_object().cloned().unwrap_or_default(),
    })
}
