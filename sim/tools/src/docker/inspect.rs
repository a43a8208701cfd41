//! `docker inspect` and `docker network inspect`: the whole JSON.

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Map, Value, json};

use super::Usage;
use super::bridge::mac_of;
use super::list::state_word;
use super::state::{Container, Endpoint, Engine, Network};
use super::template::{Error, Template};
use crate::console::{Console, Stop};
use crate::pflag::{Flag, Kind, Words};

const INSPECT: Usage = Usage {
    name: "inspect",
    usage: "inspect [OPTIONS] NAME|ID [NAME|ID...]",
    about: "Return low-level information on Docker objects",
};
const NETWORK: Usage = Usage {
    name: "network inspect",
    usage: "network inspect [OPTIONS] NETWORK [NETWORK...]",
    about: "Display detailed information on one or more networks",
};
const FLAGS: &[Flag] = &[
    ("format", 'f', Kind::Text),
    ("size", 's', Kind::ForeignSwitch),
    ("type", ' ', Kind::Text),
    ("verbose", 'v', Kind::Switch),
];

/// `docker inspect`.
///
/// # Errors
/// Docker's words and status.
pub fn inspect(console: &mut Console<'_>, args: &[String]) -> Result<i32, Stop> {
    let parsed = INSPECT.parse(FLAGS, args, Words::Anywhere)?;
    if parsed.words.is_empty() {
        return Err(INSPECT.arguments("at least 1 argument"));
    }
    let engine = Engine::load(console.sys);
    let kind = parsed.get("type");
    let look = |word: &str| {
        let container = engine.find(word).filter(|_| kind.is_none_or(|kind| kind == "container"));
        let network = || engine.find_network(word).filter(|_| kind.is_none_or(|kind| kind == "network"));
        match container {
            Some(at) => Some(container_json(&engine, &engine.containers[at])),
            None => network().map(|at| network_json(&engine, &engine.networks[at])),
        }
    };
    show(console, &parsed.words, parsed.get("format"), look, "Error: No such object: ")
}

/// `docker network inspect`.
///
/// # Errors
/// Docker's words and status.
pub fn network(console: &mut Console<'_>, args: &[String]) -> Result<i32, Stop> {
    let parsed = NETWORK.parse(FLAGS, args, Words::Anywhere)?;
    if parsed.words.is_empty() {
        return Err(NETWORK.arguments("at least 1 argument"));
    }
    let engine = Engine::load(console.sys);
    let look = |word: &str| engine.find_network(word).map(|at| network_json(&engine, &engine.networks[at]));
    show(console, &parsed.words, parsed.get("format"), look, "Error: No such network: ")
}

/// Prints what was found as JSON or by a template, then what was not found.
fn show(
    console: &mut Console<'_>,
    words: &[String],
    format: Option<&str>,
    look: impl Fn(&str) -> Option<Value>,
    missing: &str,
) -> Result<i32, Stop> {
    let template = match format.filter(|format| *format != "json") {
        None => None,
        Some(format) => Some(Template::parse(format).map_err(|error| Stop::exit(64, error.to_string()))?),
    };
    let mut found = Vec::new();
    let mut errors = Vec::new();
    for word in words {
        match look(word) {
            Some(value) => found.push(value),
            None => errors.push(format!("{missing}{word}")),
        }
    }
    match template {
        None => console.line(&pretty(&Value::Array(found))),
        Some(template) => {
            let mut text = String::new();
            for value in &found {
                match template.fill(value) {
                    Ok(one) => text.push_str(&format!("{one}\n")),
                    Err(error @ Error::Execution { .. }) => errors.push(error.to_string()),
                    Err(error @ Error::Syntax(_)) => return Err(Stop::exit(64, error.to_string())),
                }
            }
            console.out(if text.is_empty() { "\n" } else { &text });
        }
    }
    if errors.is_empty() {
        return Ok(0);
    }
    console.flush();
    Err(Stop::exit(1, errors.join("\n")))
}

/// JSON as Docker indents it.
fn pretty(value: &Value) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b"    "));
    // A JSON value of strings, numbers and lists can always be written.
    let _ = value.serialize(&mut serializer);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// RFC 3339 with nanoseconds, trailing zeros left out, as Go writes times.
fn time(nanos: u64) -> String {
    if nanos == 0 {
        return "0001-01-01T00:00:00Z".to_owned();
    }
    let (seconds, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let (year, month, day) = world::civil_date(seconds / 86400);
    let of_day = seconds % 86400;
    let fraction = format!("{fraction:09}");
    let fraction = fraction.trim_end_matches('0');
    let fraction = if fraction.is_empty() { String::new() } else { format!(".{fraction}") };
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

fn list(items: &[String]) -> Value {
    if items.is_empty() { Value::Null } else { json!(items) }
}

/// `{"80/tcp": [{"HostIp": …}]}`.
fn bindings(ports: impl Iterator<Item = (String, Value)>) -> Value {
    let mut map = std::collections::BTreeMap::<String, Vec<Value>>::new();
    for (key, value) in ports {
        map.entry(key).or_default().push(value);
    }
    map.into_iter().map(|(key, values)| (key, Value::Array(values))).collect::<Map<_, _>>().into()
}

fn container_json(engine: &Engine, container: &Container) -> Value {
    let id = &container.id;
    let at = |file: &str| format!("/var/lib/docker/containers/{id}/{file}");
    let runs = container.runs();
    let state = &container.state;
    let (path, args) =
        container.args.split_first().map_or(("", &[][..]), |(path, args)| (path.as_str(), args));
    let log = if container.detached && state.started == 0 { String::new() } else { container.log() };
    json!({
        "Id": id,
        "Created": time(container.created),
        "Path": path,
        "Args": args,
        "State": {
            "Status": state_word(container),
            "Running": runs,
            "Paused": false,
            "Restarting": false,
            "OOMKilled": false,
            "Dead": false,
            "Pid": state.pid,
            "ExitCode": state.exit_code,
            "Error": state.error,
            "StartedAt": time(state.started),
            "FinishedAt": time(state.finished),
        },
        "Image": format!("sha256:{:0>64}", container.image.bytes().map(|b| format!("{b:02x}")).collect::<String>()),
        "ResolvConfPath": at("resolv.conf"),
        "HostnamePath": at("hostname"),
        "HostsPath": at("hosts"),
        "LogPath": log,
        "Name": format!("/{}", container.name),
        "RestartCount": 0,
        "Driver": "overlay2",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": null,
        "HostConfig": host_config(container),
        "GraphDriver": {"Data": {"MergedDir": container.root()}, "Name": "overlay2"},
        "Mounts": [],
        "Config": config(container),
        "NetworkSettings": network_settings(engine, container),
    })
}

/// Limits that no network needs, as an ordinary container has them.
const LIMITS: &str = r#"{
    "Isolation": "",
    "CpuShares": 0,
    "Memory": 0,
    "NanoCpus": 0,
    "CgroupParent": "",
    "BlkioWeight": 0,
    "BlkioWeightDevice": [],
    "BlkioDeviceReadBps": null,
    "BlkioDeviceWriteBps": null,
    "BlkioDeviceReadIOps": null,
    "BlkioDeviceWriteIOps": null,
    "CpuPeriod": 0,
    "CpuQuota": 0,
    "CpuRealtimePeriod": 0,
    "CpuRealtimeRuntime": 0,
    "CpusetCpus": "",
    "CpusetMems": "",
    "Devices": [],
    "DeviceCgroupRules": null,
    "DeviceRequests": null,
    "KernelMemory": 0,
    "KernelMemoryTCP": 0,
    "MemoryReservation": 0,
    "MemorySwap": 0,
    "MemorySwappiness": null,
    "OomKillDisable": false,
    "PidsLimit": null,
    "Ulimits": null,
    "CpuCount": 0,
    "CpuPercent": 0,
    "IOMaximumIOps": 0,
    "IOMaximumBandwidth": 0
}"#;

fn host_config(container: &Container) -> Value {
    let ports = container.publish.iter().map(|port| {
        let host_port = port.host_port.map_or_else(String::new, |port| port.to_string());
        let host_ip = port.host_ip.map_or_else(String::new, |ip| ip.to_string());
        (format!("{}/{}", port.port, port.proto), json!({"HostIp": host_ip, "HostPort": host_port}))
    });
    let mut config = json!({
        "Binds": null,
        "ContainerIDFile": "",
        "LogConfig": {"Type": "json-file", "Config": {}},
        "NetworkMode": container.mode,
        "PortBindings": bindings(ports),
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        "AutoRemove": container.auto_remove,
        "VolumeDriver": "",
        "VolumesFrom": null,
        "CapAdd": list(&container.cap_add),
        "CapDrop": null,
        "CgroupnsMode": "host",
        "Dns": container.dns,
        "DnsOptions": [],
        "DnsSearch": [],
        "ExtraHosts": list(&container.extra_hosts),
        "GroupAdd": null,
        "IpcMode": "private",
        "Cgroup": "",
        "Links": null,
        "OomScoreAdj": 0,
        "PidMode": "",
        "Privileged": container.privileged,
        "PublishAllPorts": false,
        "ReadonlyRootfs": false,
        "SecurityOpt": null,
        "UTSMode": "",
        "UsernsMode": "",
        "ShmSize": 67_108_864,
        "Runtime": "runc",
        "ConsoleSize": [0, 0],
    });
    let limits = serde_json::from_str::<Map<String, Value>>(LIMITS).unwrap_or_default();
    if let Value::Object(config) = &mut config {
        config.extend(limits);
        config.insert(
            "MaskedPaths".to_owned(),
            json!([
                "/proc/asound",
                "/proc/acpi",
                "/proc/kcore",
                "/proc/keys",
                "/proc/latency_stats",
                "/proc/timer_list",
                "/proc/timer_stats",
                "/proc/sched_debug",
                "/proc/scsi",
                "/sys/firmware"
            ]),
        );
        let read_only = json!(["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]);
        config.insert("ReadonlyPaths".to_owned(), read_only);
    }
    config
}

fn config(container: &Container) -> Value {
    let attached = !container.detached;
    let mut config = json!({
        "Hostname": container.hostname,
        "Domainname": "",
        "User": "",
        "AttachStdin": attached && container.interactive,
        "AttachStdout": attached,
        "AttachStderr": attached,
        "ExposedPorts": container.exposed.iter().map(|port| (port.clone(), json!({}))).collect::<Map<_, _>>(),
        "Tty": container.tty,
        "OpenStdin": container.interactive,
        "StdinOnce": attached && container.interactive,
        "Env": list(&container.env),
        "Cmd": list(&container.command),
        "Image": container.image,
        "Volumes": null,
        "WorkingDir": container.workdir,
        "Entrypoint": list(&container.entrypoint),
        "OnBuild": null,
        "Labels": {},
    });
    if container.exposed.is_empty()
        && let Value::Object(map) = &mut config
    {
        map.shift_remove("ExposedPorts");
    }
    config
}

fn network_settings(engine: &Engine, container: &Container) -> Value {
    let mut ports: Map<String, Value> = Map::new();
    let plugged = container.endpoints.iter().any(|endpoint| endpoint.address.is_some());
    for exposed in container.exposed.iter().filter(|_| plugged) {
        let key = |port: u16, proto: &str| format!("{port}/{proto}") == *exposed;
        let bound: Vec<Value> = (container.active.iter())
            .filter(|active| key(active.port, &active.proto))
            .map(|active| json!({"HostIp": active.host_ip, "HostPort": active.host_port.to_string()}))
            .collect();
        ports.insert(exposed.clone(), if bound.is_empty() { Value::Null } else { Value::Array(bound) });
    }
    let key = match container.mode.as_str() {
        "host" => "/var/run/docker/netns/default".to_owned(),
        _ if container.sandbox.is_empty() => String::new(),
        _ => format!("/var/run/docker/netns/{}", container.sandbox.get(..12).unwrap_or_default()),
    };
    let of_default = container
        .endpoints
        .iter()
        .find(|endpoint| engine.network(&endpoint.network).is_some_and(|network| network.name == "bridge"));
    let own = endpoint_json(engine, container, of_default);
    let field = |name: &str| own.get(name).cloned().unwrap_or_else(|| json!(""));
    let networks: Map<String, Value> = container
        .endpoints
        .iter()
        .map(|endpoint| {
            let name = engine.network(&endpoint.network).map_or(endpoint.network.clone(), |n| n.name.clone());
            (name, endpoint_json(engine, container, Some(endpoint)))
        })
        .collect();
    json!({
        "Bridge": "",
        "SandboxID": container.sandbox,
        "HairpinMode": false,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "Ports": ports,
        "SandboxKey": key,
        "SecondaryIPAddresses": null,
        "SecondaryIPv6Addresses": null,
        "EndpointID": field("EndpointID"),
        "Gateway": field("Gateway"),
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "IPAddress": field("IPAddress"),
        "IPPrefixLen": own.get("IPPrefixLen").cloned().unwrap_or_else(|| json!(0)),
        "IPv6Gateway": "",
        "MacAddress": field("MacAddress"),
        "Networks": networks,
    })
}

/// The address of an endpoint's device.
fn mac(container: &Container, endpoint: &Endpoint) -> String {
    match (&container.mac, endpoint.address) {
        (Some(mac), Some(_)) => mac.clone(),
        (None, Some(address)) => mac_of(address).to_string(),
        (_, None) => String::new(),
    }
}

fn endpoint_json(engine: &Engine, container: &Container, endpoint: Option<&Endpoint>) -> Value {
    let Some(endpoint) = endpoint else { return json!({}) };
    let network = engine.network(&endpoint.network);
    let text = |value: Option<String>| value.unwrap_or_default();
    let plugged = endpoint.address.is_some();
    json!({
        "IPAMConfig": endpoint.wanted.map(|wanted| json!({"IPv4Address": wanted})),
        "Links": null,
        "Aliases": list(&endpoint.aliases),
        "NetworkID": endpoint.network,
        "EndpointID": endpoint.id,
        "Gateway": text(network.and_then(|n| n.gateway).filter(|_| plugged).map(|gateway| gateway.to_string())),
        "IPAddress": text(endpoint.address.map(|address| address.to_string())),
        "IPPrefixLen": network.and_then(|n| n.subnet).filter(|_| plugged).map_or(0, |subnet| subnet.prefix_len()),
        "IPv6Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "MacAddress": mac(container, endpoint),
        "DriverOpts": null,
    })
}

fn network_json(engine: &Engine, network: &Network) -> Value {
    let mut containers = Map::new();
    for container in &engine.containers {
        for endpoint in container.endpoints.iter().filter(|e| e.network == network.id && !e.id.is_empty()) {
            let address = match (endpoint.address, network.subnet) {
                (Some(address), Some(subnet)) => format!("{address}/{}", subnet.prefix_len()),
                _ => String::new(),
            };
            containers.insert(
                container.id.clone(),
                json!({
                    "Name": container.name,
                    "EndpointID": endpoint.id,
                    "MacAddress": mac(container, endpoint),
                    "IPv4Address": address,
                    "IPv6Address": "",
                }),
            );
        }
    }
    containers.sort_keys();
    let is_default = network.name == "bridge";
    let mut pool = Map::new();
    if let Some(subnet) = network.subnet {
        pool.insert("Subnet".to_owned(), json!(subnet.to_string()));
        // The default bridge shows its gateway only if `bip` gave it.
        if let Some(gateway) = network.gateway.filter(|_| !is_default || engine.config.bip.is_some()) {
            pool.insert("Gateway".to_owned(), json!(gateway));
        }
    }
    let own = !["bridge", "host", "none"].contains(&network.name.as_str());
    let options = if is_default {
        json!({
            "com.docker.network.bridge.default_bridge": "true",
            "com.docker.network.bridge.enable_icc": "true",
            "com.docker.network.bridge.enable_ip_masquerade": engine.config.ip_masq.to_string(),
            "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
            "com.docker.network.bridge.name": "docker0",
            "com.docker.network.driver.mtu": network.mtu.to_string(),
        })
    } else {
        json!(network.options)
    };
    json!({
        "Name": network.name,
        "Id": network.id,
        "Created": time(network.created),
        "Scope": "local",
        "Driver": network.driver,
        "EnableIPv6": false,
        "IPAM": {
            "Driver": "default",
            "Options": if own { json!({}) } else { Value::Null },
            "Config": if pool.is_empty() { json!([]) } else { json!([pool]) },
        },
        "Internal": network.internal,
        "Attachable": false,
        "Ingress": false,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": false,
        "Containers": containers,
        "Options": options,
        "Labels": network.labels,
    })
}
