//! kube-proxy of former days: the rules of 1.9 byte for byte as they were recorded
//! (`tests/kubeproxy/README.md`), and the lines that three documents print.

#![allow(clippy::expect_used)]

#[path = "support/machine.rs"]
mod machine;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use kube::proxy::input::{Input, Source};
use kube::proxy::iptables::{LocalPort, Sync, kubelet};
use kube::proxy::offline::{Run, ensure_script, sync_script};
use kube::proxy::{Family, Profile, Protocol};
use libtest_mimic::{Arguments, Failed, Trial};
use machine::Machine;
use serde_json::Value;

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

/// A proxier that has the objects of a file before it.
fn run(input: &str, profile: Profile) -> Result<Run, Failed> {
    let source = Source { name: "input.yaml", text: input };
    let input = Input::read(&[source], None, profile).map_err(|errors| format!("{errors:?}"))?;
    Ok(Run::new(&input, Family::Ipv4))
}

/// The next sync.
fn next(run: &mut Run) -> Result<Sync, Failed> {
    run.sync().ok_or_else(|| "no step is left".into())
}

/// Each sync of a case writes what was recorded.
fn writes(case: &Path) -> Result<(), Failed> {
    let read = |file: &Path| fs::read_to_string(case.join(file));
    let mut run = run(&read(Path::new("input.yaml"))?, Profile::V1_9)?;
    let mut ensured = String::new();
    for step in 1.. {
        let folder = if step == 1 { PathBuf::new() } else { PathBuf::from(format!("step{step}")) };
        if !case.join(&folder).is_dir() {
            break;
        }
        let sync = next(&mut run)?;
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
    lines: &'static str,
}

const DOCUMENTS: [Document; 4] = [
    Document {
        name: "000",
        case: "01-helloworld-nodeport",
        profile: Profile::V1_9,
        endpoints: &[],
        command: "iptables -t nat -S",
        // In its rule of KUBE-SVC the document lacks the blank before -j.
        lines: r#"
-N KUBE-NODEPORTS
-N KUBE-POSTROUTING
-N KUBE-SERVICES
-N KUBE-SVC-2WB5SOAIQNMPIUJO
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-NODEPORTS -p tcp -m comment --comment "default/helloworld:" -m tcp --dport 31061 -j KUBE-SVC-2WB5SOAIQNMPIUJO
-A KUBE-SERVICES -d 10.105.189.133/32 -p tcp -m comment --comment "default/helloworld: cluster IP" -m tcp --dport 80 -j KUBE-SVC-2WB5SOAIQNMPIUJO
-A KUBE-SVC-2WB5SOAIQNMPIUJO -m comment --comment "default/helloworld:" -j KUBE-SEP-3F6YTS3NO7JJQOGS
-A KUBE-SEP-3F6YTS3NO7JJQOGS -p tcp -m comment --comment "default/helloworld:" -m tcp -j DNAT --to-destination 10.244.1.3:80
"#,
    },
    Document {
        name: "003",
        case: "02-post-three-endpoints",
        profile: Profile::V1_9,
        endpoints: &["10.8.0.16", "10.8.0.17", "10.8.1.10"],
        command: "iptables-save -t nat",
        // Its KUBE-SEP-04GB… is a misprint for KUBE-SEP-O4GB….
        lines: r#"
*nat
-A KUBE-SERVICES -d 10.11.249.128/32 -p tcp -m comment --comment "default/post: cluster IP" -m tcp --dport 5000 -j KUBE-SVC-ES3BC673JESWV6HT
-A KUBE-SVC-ES3BC673JESWV6HT -m comment --comment "default/post:" -m statistic --mode random --probability 0.33332999982 -j KUBE-SEP-O4GBVVV2IUYGM642
-A KUBE-SVC-ES3BC673JESWV6HT -m comment --comment "default/post:" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-RRVZNCBLSP23WDST
-A KUBE-SVC-ES3BC673JESWV6HT -m comment --comment "default/post:" -j KUBE-SEP-TOVXRQYGCLRJPZKA
-A KUBE-SEP-O4GBVVV2IUYGM642 -p tcp -m comment --comment "default/post:" -m tcp -j DNAT --to-destination 10.8.0.16:5000
"#,
    },
    Document {
        name: "004, as it is printed",
        case: "03-hostnames",
        profile: Profile::V1_1,
        endpoints: &["10.244.1.7", "10.244.2.3", "10.244.3.6"],
        command: "iptables-save | grep hostnames",
        // The document has the marks with all their digits.
        lines: r#"
-A KUBE-SEP-57KPRZ3JQVENLNBR -s 10.244.3.6/32 -m comment --comment "default/hostnames:" -j MARK --set-xmark 0x4000/0x4000
-A KUBE-SEP-57KPRZ3JQVENLNBR -p tcp -m comment --comment "default/hostnames:" -m tcp -j DNAT --to-destination 10.244.3.6:9376
-A KUBE-SEP-WNBA2IHDGP2BOBGZ -s 10.244.1.7/32 -m comment --comment "default/hostnames:" -j MARK --set-xmark 0x4000/0x4000
-A KUBE-SEP-WNBA2IHDGP2BOBGZ -p tcp -m comment --comment "default/hostnames:" -m tcp -j DNAT --to-destination 10.244.1.7:9376
-A KUBE-SEP-X3P2623AGDH6CDF3 -s 10.244.2.3/32 -m comment --comment "default/hostnames:" -j MARK --set-xmark 0x4000/0x4000
-A KUBE-SEP-X3P2623AGDH6CDF3 -p tcp -m comment --comment "default/hostnames:" -m tcp -j DNAT --to-destination 10.244.2.3:9376
-A KUBE-SERVICES -d 10.0.1.175/32 -p tcp -m comment --comment "default/hostnames: cluster IP" -m tcp --dport 80 -j KUBE-SVC-NWV5X2332I4OT4T3
-A KUBE-SVC-NWV5X2332I4OT4T3 -m comment --comment "default/hostnames:" -m statistic --mode random --probability 0.33332999982 -j KUBE-SEP-WNBA2IHDGP2BOBGZ
-A KUBE-SVC-NWV5X2332I4OT4T3 -m comment --comment "default/hostnames:" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-X3P2623AGDH6CDF3
-A KUBE-SVC-NWV5X2332I4OT4T3 -m comment --comment "default/hostnames:" -j KUBE-SEP-57KPRZ3JQVENLNBR
"#,
    },
    Document {
        name: "004, as 1.9 has it",
        case: "03-hostnames",
        profile: Profile::V1_9,
        endpoints: &["10.244.1.7", "10.244.2.3", "10.244.3.6"],
        command: "iptables-save | grep 'MARK\\|POSTROUTING'",
        lines: r#"
-A KUBE-MARK-DROP -j MARK --set-xmark 0x8000/0x8000
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -m mark --mark 0x4000/0x4000 -j MASQUERADE
-A KUBE-SEP-57KPRZ3JQVENLNBR -s 10.244.3.6/32 -m comment --comment "default/hostnames:" -j KUBE-MARK-MASQ
"#,
    },
];

/// A document's lines are among those that the tool shows after a sync.
fn prints(document: Document) -> Result<(), Failed> {
    let mut input = fs::read_to_string(format!("tests/kubeproxy/{}/input.yaml", document.case))?;
    if !document.endpoints.is_empty() {
        input = with_endpoints(&input, document.endpoints)?;
    }
    let mut machine = Machine::new(tools::registry());
    machine.quietly(&kubelet_script(document.profile))?;
    let sync = next(&mut run(&input, document.profile)?)?;
    machine.quietly(&sync_script(Family::Ipv4, &sync))?;
    let shown = machine.quietly(document.command)?;
    let lines = document.lines.trim();
    for line in lines.lines() {
        if !shown.lines().any(|other| other == line) {
            return Err(format!("{line}\nis not in\n{shown}").into());
        }
    }
    if document.command.ends_with("grep hostnames") {
        same(shown.trim(), lines)?;
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

/// Makes what the kubelet of that time makes.
fn kubelet_script(profile: Profile) -> String {
    ensure_script(Family::Ipv4, &kubelet(profile, 14))
}

/// After the kubelet and the proxy the tables are those that were recorded.
fn kubelet_and_proxy() -> Result<(), Failed> {
    let case = Path::new("tests/kubeproxy/25-update-endpoints");
    let mut run = run(&fs::read_to_string(case.join("input.yaml"))?, Profile::V1_9)?;
    let mut machine = Machine::new(tools::registry());
    machine.quietly(&kubelet_script(Profile::V1_9))?;
    for folder in ["", "step2", "step3", "step4", "step5"] {
        machine.quietly(&sync_script(Family::Ipv4, &next(&mut run)?))?;
        // Both ensure the same again and again.
        machine.quietly(&kubelet_script(Profile::V1_9))?;
        let saved = machine.quietly("iptables-save")?;
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
    let mut run = run(&input, Profile::V1_9)?;
    let sync = next(&mut run)?;
    let taken: BTreeSet<LocalPort> = sync.listen.iter().cloned().collect();
    let said: Vec<String> = taken.iter().map(ToString::to_string).collect();
    if said != ["\"nodePort for default/helloworld:\" (:31061/tcp)"] {
        return Err(format!("{said:?}").into());
    }
    let sync = run.proxier.without(&run.view, sync, &taken);
    let rules = sync.nat.lines().filter(|line| line.contains("helloworld"));
    let targets: Vec<&str> = rules.filter_map(|line| line.rsplit(' ').next()).collect();
    if targets != ["KUBE-MARK-MASQ", "KUBE-SVC-2WB5SOAIQNMPIUJO"] || !sync.listen.is_empty() {
        return Err(sync.nat.into());
    }
    Ok(())
}
