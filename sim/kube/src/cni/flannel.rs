//! `flannel`: asks another plugin, `bridge` unless told otherwise, for the node's part of the
//! network, which flanneld writes to `subnet.env`. flannel-io/cni-plugin: `flannel.go`.

use ipnet::IpNet;
use serde_json::{Map, Value, json};
use world::{Fd, Sys};

use super::call::Call;
use super::go_json::{self, Struct};
use super::result::parse_cidr;
use super::{CniError, Plugin, Release, files, ipam};

pub(super) const PLUGIN: Plugin = Plugin { name: "flannel", add, check, del, status: None };

/// The configuration; `delegate` is what the other plugin gets.
struct Config {
    network: String,
    version: String,
    ipam: Map<String, Value>,
    subnet_file: String,
    data_dir: String,
    delegate: Map<String, Value>,
}

impl Config {
    fn load(call: &Call) -> Result<Self, CniError> {
        let failed = |message: String| CniError::from(format!("failed to load netconf: {message}"));
        let value = go_json::parse(&call.stdin).map_err(failed)?;
        let fields = Struct::new(&value, "NetConf", "main.NetConf").map_err(failed)?;
        let object = |key: &str| -> Result<Map<String, Value>, CniError> {
            match fields.get(key) {
                None => Ok(Map::new()),
                Some(Value::Object(map)) => Ok(map.clone()),
                Some(_) => {
                    fields.inner(key, "", "map[string]interface {}").map_err(failed)?;
                    Ok(Map::new())
                }
            }
        };
        let path = |key: &str, default: &str| -> Result<String, CniError> {
            let given = fields.string(key).map_err(failed)?;
            Ok(if given.is_empty() { default.to_owned() } else { given })
        };
        let mut delegate = object("delegate")?;
        let runtime = object("runtimeConfig")?;
        if !runtime.is_empty() {
            delegate.insert("runtimeConfig".to_owned(), runtime.into());
        }
        Ok(Self {
            network: fields.string("name").map_err(failed)?,
            version: fields.string("cniVersion").map_err(failed)?,
            ipam: object("ipam")?,
            subnet_file: path("subnetFile", "/run/flannel/subnet.env")?,
            data_dir: path("dataDir", "/var/lib/cni/flannel")?,
            delegate,
        })
    }
}

/// What flanneld says of the node.
struct Subnet {
    networks: Vec<IpNet>,
    subnet: IpNet,
    mtu: u32,
    ip_masq: bool,
}

impl Subnet {
    /// flannel-io/cni-plugin: `loadFlannelSubnetEnv`.
    fn load(sys: &mut dyn Sys, path: &str) -> Result<Self, String> {
        let text = files::read(sys, path)?;
        let value = |key: &str| {
            let mut pairs = text.lines().filter_map(|line| line.split_once('='));
            pairs.find(|(name, _)| *name == key).map(|(_, value)| value.trim())
        };
        let mut networks: Vec<IpNet> = Vec::new();
        for network in value("FLANNEL_NETWORK").into_iter().flat_map(|networks| networks.split(',')) {
            let network = parse_cidr(network)?.trunc();
            if !networks.contains(&network) {
                networks.push(network);
            }
        }
        let subnet = value("FLANNEL_SUBNET").map(parse_cidr).transpose()?.map(|subnet| subnet.trunc());
        let mtu = value("FLANNEL_MTU").map(|mtu| {
            mtu.parse::<u32>().map_err(|_| format!("strconv.ParseUint: parsing {mtu:?}: invalid syntax"))
        });
        let ip_masq = value("FLANNEL_IPMASQ").map(|word| word == "true");
        match (networks.is_empty(), subnet, mtu.transpose()?, ip_masq) {
            (false, Some(subnet), Some(mtu), Some(ip_masq)) => Ok(Self { networks, subnet, mtu, ip_masq }),
            (no_network, subnet, mtu, ip_masq) => {
                let missing: Vec<&str> = [
                    (no_network, "FLANNEL_NETWORK, FLANNEL_IPV6_NETWORK"),
                    (subnet.is_none(), "FLANNEL_SUBNET, FLANNEL_IPV6_SUBNET"),
                    (mtu.is_none(), "FLANNEL_MTU"),
                    (ip_masq.is_none(), "FLANNEL_IPMASQ"),
                ]
                .into_iter()
                .filter_map(|(missing, name)| missing.then_some(name))
                .collect();
                Err(format!("{path} is missing {}", missing.join(", ")))
            }
        }
    }
}

fn add(sys: &mut dyn Sys, _: Release, call: &Call) -> Result<String, CniError> {
    let mut config = Config::load(call)
        .map_err(|error| CniError::from(format!("failed to load flannel netconf file: {}", error.msg)))?;
    let subnet = Subnet::load(sys, &config.subnet_file).map_err(|message| {
        format!(
            "failed to load flannel 'subnet.env' file: {message}. Check the flannel pod log for this node."
        )
    })?;
    let delegate = &mut config.delegate;
    if delegate.get("type").is_some_and(|kind| !kind.is_string()) {
        return Err("'delegate' dictionary, if present, must have (string) 'type' field".to_owned().into());
    }
    for key in ["name", "ipam"] {
        if delegate.contains_key(key) {
            let why = format!("'delegate' dictionary must not have '{key}' field, it'll be set by flannel");
            return Err(why.into());
        }
    }
    delegate.insert("name".to_owned(), config.network.into());
    let kind =
        delegate.entry("type").or_insert_with(|| "bridge".into()).as_str().unwrap_or_default().to_owned();
    // If flanneld doesn't masquerade, the plugin should.
    delegate.entry("ipMasq").or_insert_with(|| (!subnet.ip_masq).into());
    delegate.entry("mtu").or_insert_with(|| subnet.mtu.into());
    if kind == "bridge" {
        delegate.entry("isGateway").or_insert_with(|| true.into());
    }
    if !config.version.is_empty() {
        delegate.insert("cniVersion".to_owned(), config.version.into());
    }
    delegate.insert("ipam".to_owned(), ipam_section(config.ipam, &subnet).into());
    let mut sent = Value::Object(config.delegate);
    sent.sort_all_objects();
    let sent = sent.to_string();
    // Simplified: before this line the real plugin also prints the same as Go writes a map.
    let said = format!("delegateAdd: netconf sent to delegate plugin:\n{sent}");
    tools::console::write_all(sys, Fd::STDERR, &said);
    files::make_folder(sys, &config.data_dir)?;
    files::write(sys, &format!("{}/{}", config.data_dir, call.container_id), &sent)?;
    ipam::delegate(sys, &kind, "ADD", &Call { stdin: sent, ..call.clone() })
        .map_err(|error| CniError { msg: format!("failed to delegate add: {}", error.msg), ..error })
}

/// The node's subnet as range, and routes to all networks. flannel-io/cni-plugin: `getDelegateIPAM`.
fn ipam_section(mut ipam: Map<String, Value>, subnet: &Subnet) -> Map<String, Value> {
    ipam.entry("type").or_insert_with(|| "host-local".into());
    ipam.insert("ranges".to_owned(), json!([[{"subnet": subnet.subnet.to_string()}]]));
    let mut routes = match ipam.remove("routes") {
        Some(Value::Array(routes)) => routes,
        _ => Vec::new(),
    };
    routes.extend(subnet.networks.iter().map(|network| json!({"dst": network.to_string()})));
    ipam.insert("routes".to_owned(), routes.into());
    ipam
}

fn check(_: &mut dyn Sys, _: Release, _: &Call) -> Result<String, CniError> {
    Ok(String::new())
}

fn del(sys: &mut dyn Sys, _: Release, call: &Call) -> Result<String, CniError> {
    let config = Config::load(call)?;
    let path = format!("{}/{}", config.data_dir, call.container_id);
    // A container that was never added is as good as deleted.
    let Ok(sent) = files::read(sys, &path) else { return Ok(String::new()) };
    let kind = go_json::parse(&sent).ok();
    let kind = kind.as_ref().and_then(|value| value.get("type")).and_then(Value::as_str);
    let Some(kind) = kind else {
        tools::console::write_all(sys, Fd::STDERR, "failed to parse netconf: unexpected end of JSON input");
        return Ok(String::new());
    };
    ipam::delegate(sys, kind, "DEL", &Call { stdin: sent.clone(), ..call.clone() })?;
    // A file that is gone already is as good.
    let _ = sys.unlink(&path);
    Ok(String::new())
}
