//! kube-proxy of former days: the rules of 1.9 byte for byte as they were recorded
//! (`tests/kubeproxy/README.md`), and the lines that three documents print.

#![allow(clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kube::proxy::iptables::{Ensure, LocalPort, NodeView, Proxier, Sync, kubelet};
use kube::proxy::{Family, LocalDetector, Profile, Protocol, ProxyConfig};
use libtest_mimic::{Arguments, Failed, Trial};
use packet::{HostId, NetnsId};
use serde_json::Value;
use trace::Off;
use world::{Outcome, World};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for case in cases() {
        let name = case.file_name().unwrap_or_default().to_string_lossy().into_owned();
        trials.push(Trial::test(name, move || writes(&case)));
    }
    for document in DOCUMENTS {
        trials.push(Trial::test(document.name, move || prints(document)));
    }
    trials.push(Trial::test("with the kubelet's chains", kubelet_and_proxy));
    trials.push(Trial::test("a taken port", a_taken_port));
    libtest_mimic::run(&arguments, trials).exit();
}

/// The folders of the cases that the proxier of 1.9 was given.
fn cases() -> Vec<PathBuf> {
    let entries = fs::read_dir("tests/kubeproxy").expect("the folder is there");
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.expect("the folder can be listed").path()).collect();
    folders.retain(|folder| folder.join("k8s19.ensure.txt").exists());
    folders.sort();
    folders
}

/// A node with its proxier, and the objects that it still has to see.
struct Node {
    proxier: Proxier,
    view: NodeView,
    objects: std::vec::IntoIter<Value>,
}

impl Node {
    fn new(input: &str, profile: Profile) -> Result<Self, Failed> {
        let mut objects: std::vec::IntoIter<Value> =
            serde_saphyr::from_multiple::<Value>(input).map_err(|error| error.to_string())?.into_iter();
        let given = objects.next().unwrap_or_default();
        let config = ProxyConfig {
            profile,
            node_name: text(&given["nodeName"]),
            node_ips: list(&given["nodeIPs"]).filter_map(|ip| text(ip).parse().ok()).collect(),
            detectors: match list(&given["clusterCIDR"]).next() {
                Some(net) => [LocalDetector::Source(text(net).parse()?), LocalDetector::None],
                None => Default::default(),
            },
            masquerade_all: given["masqueradeAll"] == true,
            masquerade_bit: serde_json::from_value(given["masqueradeBit"].clone()).unwrap_or(14),
            ..ProxyConfig::default()
        };
        let view = NodeView { addresses: config.node_ips.clone(), ..NodeView::default() };
        Ok(Self { proxier: Proxier::new(Family::Ipv4, Arc::new(config)), view, objects })
    }

    /// Shows the proxier its objects up to the next step, and lets it sync.
    fn sync(&mut self) -> Result<Sync, Failed> {
        for object in self.objects.by_ref() {
            let (mut kind, mut meta, mut deleted) = (text(&object["kind"]), &object["metadata"], false);
            let target;
            if kind == "Delete" {
                let place = text(&object["target"]);
                let words: Vec<&str> = place.split('/').collect();
                let [what, namespace, name] = words[..] else { return Err(place.into()) };
                target = serde_json::json!({"namespace": namespace, "name": name});
                (kind, meta, deleted) = (what.to_owned(), &target, true);
            }
            let (namespace, name) = (text(&meta["namespace"]), text(&meta["name"]));
            let tracker = &mut self.proxier.tracker;
            match kind.as_str() {
                "Step" => break,
                "Service" if deleted => tracker.set_service((namespace, name), None),
                "Service" => {
                    let service = serde_json::from_value(object)?;
                    tracker.set_service((namespace, name), Some(Arc::new(service)));
                }
                "EndpointSlice" if deleted => tracker.set_slice(&namespace, &name, None),
                "EndpointSlice" => {
                    let slice = serde_json::from_value(object.clone())?;
                    tracker.set_slice(&namespace, &name, Some(Arc::new(slice)));
                }
                _ => {}
            }
        }
        let sync = self.proxier.sync(&self.view);
        self.load(&sync);
        Ok(sync)
    }

    /// Remembers the chains that a restore leaves.
    fn load(&mut self, sync: &Sync) {
        for line in sync.nat.lines() {
            if let Some(chain) = line.strip_prefix(':').and_then(|line| line.split(' ').next()) {
                self.view.nat_chains.insert(chain.to_owned());
            } else if let Some(chain) = line.strip_prefix("-X ") {
                self.view.nat_chains.remove(chain);
            }
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Each sync of a case writes what was recorded.
fn writes(case: &Path) -> Result<(), Failed> {
    let read = |file: &Path| fs::read_to_string(case.join(file));
    let mut node = Node::new(&read(Path::new("input.yaml"))?, Profile::V1_9)?;
    let mut ensured = String::new();
    for step in 1.. {
        let folder = if step == 1 { PathBuf::new() } else { PathBuf::from(format!("step{step}")) };
        if !case.join(&folder).is_dir() {
            break;
        }
        let sync = node.sync()?;
        same(&sync.filter, &read(&folder.join("k8s19.filter"))?)?;
        same(&sync.nat, &read(&folder.join("k8s19.nat"))?)?;
        sync.ensure.iter().for_each(|ensure| ensured.push_str(&format!("{ensure}\n")));
        if let Ok(listen) = read(&folder.join("k8s19.listen")) {
            same(&sockets(&sync), &sorted(listen.lines().map(str::to_owned)))?;
        }
    }
    same(&ensured, &read(Path::new("k8s19.ensure.txt"))?)
}

/// The sockets that a sync asks for, as `ss` shows them: health checks have theirs too.
fn sockets(sync: &Sync) -> String {
    let health = sync.health.iter().map(|(_, port, _)| (Protocol::Tcp, None, *port));
    let held = sync.listen.iter().map(|port| (port.protocol, port.ip, port.port));
    sorted(held.chain(health).map(|(protocol, ip, port)| {
        let ip = ip.map_or("*".to_owned(), |ip| ip.to_string());
        match protocol {
            Protocol::Udp => format!("udp UNCONN 0      0      {ip}:{port} *:*"),
            _ => format!("tcp LISTEN 0      4096   {ip}:{port} *:*"),
        }
    }))
}

fn sorted(lines: impl Iterator<Item = String>) -> String {
    let lines: BTreeSet<String> = lines.filter(|line| !line.trim().is_empty()).collect();
    lines.iter().map(|line| format!("{}\n", line.split_whitespace().collect::<Vec<_>>().join(" "))).collect()
}

fn same(got: &str, expected: &str) -> Result<(), Failed> {
    if got == expected {
        return Ok(());
    }
    let diff = similar::TextDiff::from_lines(expected, got);
    Err(diff.unified_diff().header("recorded", "written").to_string().into())
}

/// What a document prints of a proxy's rules.
#[derive(Clone, Copy)]
struct Document {
    name: &'static str,
    /// The case with its objects.
    case: &'static str,
    profile: Profile,
    /// The addresses of the endpoints, where they aren't the case's.
    endpoints: &'static [&'static str],
    /// The command whose output it prints.
    command: &'static str,
    /// Its lines, as corrected.
    lines: &'static [&'static str],
}

const DOCUMENTS: [Document; 4] = [
    Document {
        name: "000",
        case: "01-helloworld-nodeport",
        profile: Profile::V1_9,
        endpoints: &[],
        command: "iptables -t nat -S",
        lines: &[
            "-N KUBE-NODEPORTS",
            "-N KUBE-POSTROUTING",
            "-N KUBE-SERVICES",
            "-N KUBE-SVC-2WB5SOAIQNMPIUJO",
            r#"-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES"#,
            r#"-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES"#,
            r#"-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING"#,
            r#"-A KUBE-NODEPORTS -p tcp -m comment --comment "default/helloworld:" -m tcp --dport 31061 -j KUBE-SVC-2WB5SOAIQNMPIUJO"#,
            r#"-A KUBE-SERVICES -d 10.105.189.133/32 -p tcp -m comment --comment "default/helloworld: cluster IP" -m tcp --dport 80 -j KUBE-SVC-2WB5SOAIQNMPIUJO"#,
            // The document lacks the blank before -j.
            r#"-A KUBE-SVC-2WB5SOAIQNMPIUJO -m comment --comment "default/helloworld:" -j KUBE-SEP-3F6YTS3NO7JJQOGS"#,
            r#"-A KUBE-SEP-3F6YTS3NO7JJQOGS -p tcp -m comment --comment "default/helloworld:" -m tcp -j DNAT --to-destination 10.244.1.3:80"#,
        ],
    },
    Document {
        name: "003",
        case: "02-post-three-endpoints",
        profile: Profile::V1_9,
        endpoints: &["10.8.0.16", "10.8.0.17", "10.8.1.10"],
        command: "iptables-save -t nat",
        // Its KUBE-SEP-04GB… is a misprint for KUBE-SEP-O4GB….
        lines: &[
            "*nat",
            r#"-A KUBE-SERVICES -d 10.11.249.128/32 -p tcp -m comment --comment "default/post: cluster IP" -m tcp --dport 5000 -j KUBE-SVC-ES3BC673JESWV6HT"#,
            r#"-A KUBE-SVC-ES3BC673JESWV6HT -m comment --comment "default/post:" -m statistic --mode random --probability 0.33332999982 -j KUBE-SEP-O4GBVVV2IUYGM642"#,
            r#"-A KUBE-SVC-ES3BC673JESWV6HT -m comment --comment "default/post:" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-RRVZNCBLSP23WDST"#,
            r#"-A KUBE-SVC-ES3BC673JESWV6HT -m comment --comment "default/post:" -j KUBE-SEP-TOVXRQYGCLRJPZKA"#,
            r#"-A KUBE-SEP-O4GBVVV2IUYGM642 -p tcp -m comment --comment "default/post:" -m tcp -j DNAT --to-destination 10.8.0.16:5000"#,
        ],
    },
    Document {
        name: "004, as it is printed",
        case: "03-hostnames",
        profile: Profile::V1_1,
        endpoints: &["10.244.1.7", "10.244.2.3", "10.244.3.6"],
        command: "iptables-save | grep hostnames",
        // The document has the marks with all their digits.
        lines: &[
            r#"-A KUBE-SEP-57KPRZ3JQVENLNBR -s 10.244.3.6/32 -m comment --comment "default/hostnames:" -j MARK --set-xmark 0x4000/0x4000"#,
            r#"-A KUBE-SEP-57KPRZ3JQVENLNBR -p tcp -m comment --comment "default/hostnames:" -m tcp -j DNAT --to-destination 10.244.3.6:9376"#,
            r#"-A KUBE-SEP-WNBA2IHDGP2BOBGZ -s 10.244.1.7/32 -m comment --comment "default/hostnames:" -j MARK --set-xmark 0x4000/0x4000"#,
            r#"-A KUBE-SEP-WNBA2IHDGP2BOBGZ -p tcp -m comment --comment "default/hostnames:" -m tcp -j DNAT --to-destination 10.244.1.7:9376"#,
            r#"-A KUBE-SEP-X3P2623AGDH6CDF3 -s 10.244.2.3/32 -m comment --comment "default/hostnames:" -j MARK --set-xmark 0x4000/0x4000"#,
            r#"-A KUBE-SEP-X3P2623AGDH6CDF3 -p tcp -m comment --comment "default/hostnames:" -m tcp -j DNAT --to-destination 10.244.2.3:9376"#,
            r#"-A KUBE-SERVICES -d 10.0.1.175/32 -p tcp -m comment --comment "default/hostnames: cluster IP" -m tcp --dport 80 -j KUBE-SVC-NWV5X2332I4OT4T3"#,
            r#"-A KUBE-SVC-NWV5X2332I4OT4T3 -m comment --comment "default/hostnames:" -m statistic --mode random --probability 0.33332999982 -j KUBE-SEP-WNBA2IHDGP2BOBGZ"#,
            r#"-A KUBE-SVC-NWV5X2332I4OT4T3 -m comment --comment "default/hostnames:" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-X3P2623AGDH6CDF3"#,
            r#"-A KUBE-SVC-NWV5X2332I4OT4T3 -m comment --comment "default/hostnames:" -j KUBE-SEP-57KPRZ3JQVENLNBR"#,
        ],
    },
    Document {
        name: "004, as 1.9 has it",
        case: "03-hostnames",
        profile: Profile::V1_9,
        endpoints: &["10.244.1.7", "10.244.2.3", "10.244.3.6"],
        command: "iptables-save | grep 'MARK\\|POSTROUTING'",
        lines: &[
            r#"-A KUBE-MARK-DROP -j MARK --set-xmark 0x8000/0x8000"#,
            r#"-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000"#,
            r#"-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -m mark --mark 0x4000/0x4000 -j MASQUERADE"#,
            r#"-A KUBE-SEP-57KPRZ3JQVENLNBR -s 10.244.3.6/32 -m comment --comment "default/hostnames:" -j KUBE-MARK-MASQ"#,
        ],
    },
];

/// A document's lines are among those that the tool shows after a sync.
fn prints(document: Document) -> Result<(), Failed> {
    let mut input = fs::read_to_string(format!("tests/kubeproxy/{}/input.yaml", document.case))?;
    if !document.endpoints.is_empty() {
        input = with_endpoints(&input, document.endpoints)?;
    }
    let mut node = Node::new(&input, document.profile)?;
    let mut machine = Machine::new();
    machine.ensure(&kubelet(14, 15))?;
    machine.load(&node.sync()?)?;
    let shown = machine.run(document.command)?;
    for line in document.lines {
        if !shown.lines().any(|other| other == *line) {
            return Err(format!("{line}\nis not in\n{shown}").into());
        }
    }
    if document.command.ends_with("grep hostnames") {
        let expected: String = document.lines.iter().map(|line| format!("{line}\n")).collect();
        same(&shown, &expected)?;
    }
    Ok(())
}

/// The same objects, but the endpoints have other addresses.
fn with_endpoints(input: &str, addresses: &[&str]) -> Result<String, Failed> {
    let mut objects: Vec<Value> = serde_saphyr::from_multiple(input).map_err(|error| error.to_string())?;
    for object in &mut objects {
        let Some(endpoints) = object["endpoints"].as_array_mut() else { continue };
        for (endpoint, address) in endpoints.iter_mut().zip(addresses) {
            endpoint["addresses"] = serde_json::json!([address]);
        }
    }
    // JSON is YAML.
    let texts: Result<Vec<String>, _> = objects.iter().map(serde_json::to_string).collect();
    Ok(texts?.join("\n---\n"))
}

/// After the kubelet and the proxy the tables are those that were recorded.
fn kubelet_and_proxy() -> Result<(), Failed> {
    let case = Path::new("tests/kubeproxy/25-update-endpoints");
    let mut node = Node::new(&fs::read_to_string(case.join("input.yaml"))?, Profile::V1_9)?;
    let mut machine = Machine::new();
    machine.ensure(&kubelet(14, 15))?;
    for folder in ["", "step2", "step3", "step4", "step5"] {
        machine.load(&node.sync()?)?;
        // Both ensure the same again and again.
        machine.ensure(&kubelet(14, 15))?;
        let saved = machine.run("iptables-save")?;
        let lines = saved.lines().filter(|line| !line.starts_with('#'));
        let zeroed: String = lines
            .map(|line| match line.split_once('[') {
                Some((chain, _)) if line.starts_with(':') => format!("{chain}[0:0]\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        same(&zeroed, &fs::read_to_string(case.join(folder).join("k8s19.save"))?)?;
    }
    Ok(())
}

/// A Service whose node port somebody else has keeps its cluster address only, without endpoints.
fn a_taken_port() -> Result<(), Failed> {
    let input = fs::read_to_string("tests/kubeproxy/01-helloworld-nodeport/input.yaml")?;
    let mut node = Node::new(&input, Profile::V1_9)?;
    let sync = node.sync()?;
    let taken: BTreeSet<LocalPort> = sync.listen.iter().cloned().collect();
    let said: Vec<String> = taken.iter().map(ToString::to_string).collect();
    if said != ["\"nodePort for default/helloworld:\" (:31061/tcp)"] {
        return Err(format!("{said:?}").into());
    }
    let sync = node.proxier.without(&node.view, sync, &taken);
    let rules = sync.nat.lines().filter(|line| line.contains("helloworld"));
    let targets: Vec<&str> = rules.filter_map(|line| line.rsplit(' ').next()).collect();
    if targets != ["KUBE-MARK-MASQ", "KUBE-SVC-2WB5SOAIQNMPIUJO"] || !sync.listen.is_empty() {
        return Err(sync.nat.into());
    }
    Ok(())
}

/// A machine whose tables are written.
struct Machine {
    world: World,
    host: HostId,
}

impl Machine {
    fn new() -> Self {
        let mut world = World::new(0);
        let host = world.add_host("node1", tools::registry());
        Self { world, host }
    }

    /// Runs a script that has nothing to complain about; answers its output.
    fn run(&mut self, script: &str) -> Result<String, Failed> {
        let console = self.world.add_console(self.host, false);
        self.world.type_input(self.host, console, None);
        let args = ["sh", "-c", script].map(str::to_owned).to_vec();
        let pid = self.world.spawn(self.host, NetnsId::INIT, console, args, BTreeMap::new());
        let pid = pid.expect("the shell is installed");
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let sink = &mut |stream, bytes: &[u8]| match stream {
            world::Stream::Err => err.extend_from_slice(bytes),
            _ => out.extend_from_slice(bytes),
        };
        match self.world.run_to_exit(self.host, pid, console, &mut Off, sink) {
            Outcome::Exited(0) if err.is_empty() => Ok(String::from_utf8(out)?),
            outcome => Err(format!("{outcome:?}: {}", String::from_utf8(err)?).into()),
        }
    }

    /// Makes what isn't there.
    fn ensure(&mut self, wanted: &[Ensure]) -> Result<(), Failed> {
        let mut script = String::new();
        for ensure in wanted {
            let make = ensure.to_string();
            let look = match ensure {
                Ensure::Chain { .. } => make.replacen(" -N ", " -S ", 1),
                Ensure::Rule { .. } => make.replacen(" -I ", " -C ", 1).replacen(" -A ", " -C ", 1),
            };
            script.push_str(&format!("iptables {look} > /dev/null 2>&1 || iptables {make}\n"));
        }
        self.run(&script).map(|_| ())
    }

    /// Does what a sync asks for.
    fn load(&mut self, sync: &Sync) -> Result<(), Failed> {
        self.ensure(&sync.ensure)?;
        self.world.install_file(self.host, "/tmp/rules", sync.payload().into_bytes());
        self.run("iptables-restore --noflush --counters < /tmp/rules").map(|_| ())
    }
}
