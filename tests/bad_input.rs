//! What goes wrong goes wrong politely: the real tool's words and status, a place in a file, a hint;
//! never a panic, never a hang.

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// A folder of this test's own, made anew.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("hoplab-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a temporary folder");
    folder
}

/// Runs the binary in `folder`; both outputs and the exit status.
fn hoplab(folder: &PathBuf, args: &[&str]) -> (String, i32) {
    let out = Command::new(env!("CARGO_BIN_EXE_hoplab"))
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    let text = [out.stdout, out.stderr].concat();
    (String::from_utf8_lossy(&text).into_owned(), out.status.code().unwrap_or(-1))
}

/// Checks that `args` fail with this text and status.
fn check(folder: &PathBuf, args: &[&str], expected: &str, status: i32) -> Result<(), String> {
    let (text, code) = hoplab(folder, args);
    if text.contains(expected) && code == status && !text.contains("panicked") {
        return Ok(());
    }
    Err(format!("{args:?}\n  expected [{status}] {expected}\n  got [{code}] {text}"))
}

fn check_all<'a>(folder: &PathBuf, cases: impl IntoIterator<Item = (Vec<&'a str>, &'a str, i32)>) {
    let wrong: Vec<String> = cases
        .into_iter()
        .filter_map(|(args, expected, status)| check(folder, &args, expected, status).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn commands_refuse_as_the_real_ones_do() {
    let cases = [
        ("ip link set nope up", "Cannot find device \"nope\"\n", 1),
        (
            "ip addr add 10.0.0.1/33 dev lo",
            "Error: any valid prefix is expected rather than \"10.0.0.1/33\".\n",
            1,
        ),
        ("ip route add 10.0.0.0/8 via 1.2.3.4", "Error: Nexthop has invalid gateway.\n", 2),
        ("ip route add 1.2.3.4 via", "Command line is not complete. Try option \"help\"\n", 255),
        ("ip -Q", "Option \"-Q\" is unknown, try \"ip -help\".\n", 255),
        ("ip link set lo bogus", "Error: either \"dev\" is duplicate, or \"bogus\" is a garbage.\n", 255),
        ("ip netns exec nope ls", "Cannot open network namespace \"nope\": No such file or directory\n", 255),
        ("ip netns add a; ip netns add a", "Cannot create namespace file \"/run/netns/a\": File exists\n", 1),
        ("bridge nosuch", "Object \"nosuch\" is unknown, try \"bridge help\".\n", 255),
        ("brctl nosuch", "never heard of command [nosuch]\n", 1),
        ("brctl addif nobr eth0", "interface eth0 does not exist!\n", 1),
        ("ifconfig nope", "nope: error fetching interface information: Device not found\n", 1),
        ("arp -Z", "arp: invalid option -- 'Z'\n", 3),
        ("ethtool", "ethtool: bad command line argument(s)\n", 1),
        ("sysctl -Z", "sysctl: invalid option -- 'Z'\n", 1),
        (
            "sysctl net.ipv4.ip_default_ttl=300",
            "sysctl: setting key \"net.ipv4.ip_default_ttl\": Invalid argument\n",
            1,
        ),
        ("sysctl net.nosuch=1", "sysctl: cannot stat /proc/sys/net/nosuch: No such file or directory\n", 1),
        ("echo 300 >/proc/sys/net/ipv4/ip_default_ttl", "sh: 1: echo: echo: I/O error\n", 1),
        ("ping -Z 1.1.1.1", "ping: invalid option -- 'Z'\n\nUsage\n  ping [options] <destination>\n", 2),
        ("ping", "ping: usage error: Destination address required\n", 2),
        ("arping", "\nUsage:\n  arping [options] <destination>\n", 2),
        ("traceroute --nosuch 1.1.1.1", "Bad option `--nosuch' (argc 1)\n", 2),
        ("traceroute 1.1.1.1 -Z", "Bad option `-Z' (argc 2)\n", 2),
        ("curl --nosuch x", "curl: option --nosuch: is unknown\n", 2),
        ("nc -9", "nc: invalid option -- '9'\nusage: nc ", 1),
        ("conntrack -Z", "conntrack v1.4.7 (conntrack-tools): unknown option `-Z'\n", 2),
        ("iptables --nosuch", "iptables v1.8.9 (nf_tables): unknown option \"--nosuch\"\n", 2),
        (
            "iptables -A INPUT -m nosuch -j ACCEPT",
            "Couldn't load match `nosuch':No such file or directory\n",
            2,
        ),
        ("iptables -A INPUT -j NOSUCH", "Chain 'NOSUCH' does not exist\n", 2),
        ("iptables -A NOPE -j ACCEPT", "iptables: No chain/target/match by that name.\n", 1),
        ("iptables -A INPUT --dport 80 -j ACCEPT", "unknown option \"--dport\"\n", 2),
        ("iptables -t nope -L", "table 'nope' does not exist\n", 3),
        ("tcpdump -r /nosuch", "tcpdump: /nosuch: No such file or directory\n", 1),
        ("echo 'this is no capture, as anyone sees' >f; tcpdump -r f", "tcpdump: unknown file format\n", 1),
        (
            "printf x >f; tcpdump -r f",
            "tcpdump: truncated dump file; tried to read 4 header bytes, only got 1\n",
            1,
        ),
        ("grep -Y a", "grep: invalid option -- 'Y'\n", 2),
        (
            "sort --nosuch",
            "sort: unrecognized option '--nosuch'\nTry 'sort --help' for more information.\n",
            2,
        ),
        ("head -n x /etc/hosts", "head: invalid number of lines: 'x'\n", 1),
        ("sleep abc", "sleep: invalid time interval 'abc'\n", 1),
        ("cat /nosuch", "cat: /nosuch: No such file or directory\n", 1),
        ("kill -NOSUCH 1", "sh: 1: kill: Illegal option -N\n", 2),
        ("cd /nosuch", "sh: 1: cd: can't cd to /nosuch\n", 2),
        ("nosuch", "sh: 1: nosuch: not found\n", 127),
        ("echo 'abc", "sh: 1: Syntax error: Unterminated quoted string\n", 2),
        ("if true; then", "Syntax error: end of file unexpected (expecting \"fi\")\n", 2),
        ("echo $((1/0))", "sh: 1: arithmetic expression: division by zero: \"1/0\"\n", 2),
        ("cat <<E\nhalf a document", "half a document", 0),
    ];
    let folder = folder("commands");
    check_all(&folder, cases.map(|(script, expected, status)| (vec!["sh", "-c", script], expected, status)));
}

/// Two bridges joined by two cables, and a broadcast.
const STORM: &str = "\
for b in 0 1; do ip link add br$b type bridge; ip link set br$b up; done
for v in v w; do
    ip link add ${v}0 type veth peer name ${v}1
    for b in 0 1; do ip link set $v$b master br$b; ip link set $v$b up; done
done
ip addr add 10.0.0.1/24 dev br0
ping -c 1 10.0.0.2
";

#[test]
fn what_would_never_end_is_ended() {
    let folder = folder("endless");
    check_all(
        &folder,
        [
            (
                vec!["sh", "-c", "nc -l 80"],
                "hoplab: ended: the script waits, and nothing can happen any more\n",
                124,
            ),
            (
                vec!["sh", "-c", "while :; do sleep 60; done"],
                "hoplab: ended: the script said nothing for an hour",
                124,
            ),
            (vec!["sh", "-c", "i=0; while [ $i -lt 1000000 ]; do i=$((i+1)); done; echo $i"], "1000000\n", 0),
            (vec!["sh", "-c", "while :; do :; done"], "hoplab: ended: the script runs round and round", 124),
            (vec!["sh", "-c", "f() { f; }; f"], "Maximum function recursion depth", 2),
            (vec!["sh", "-c", STORM], "events: a loop between hoplab ", 124),
        ],
    );
    let (text, _) = hoplab(&folder, &["sh", "-c", STORM]);
    for device in ["v0", "v1", "w0", "w1"] {
        assert!(text.contains(&format!("hoplab {device}")), "{text}");
    }
}

/// A script that restores `text`, and prints the chain INPUT if that went well.
fn restoring(text: &str) -> String {
    format!("iptables-restore <<'END' || exit $?\n{text}\nCOMMIT\nEND\niptables -S INPUT | tail -n 1\n")
}

#[test]
fn hostile_rules_end_with_a_message() {
    const TITLE: &str = "iptables-restore v1.8.9 (nf_tables): ";
    let long = "x".repeat(1_000_000);
    let rule = |text: &str| restoring(&format!("*filter\n-A INPUT {text}"));
    let chains = |count: usize, rules: &str| {
        let names = (0..count).fold(String::new(), |text, n| text + &format!(":c{n} - [0:0]\n"));
        let jumps = (1..count).fold(String::new(), |text, n| text + &format!("-A c{} -j c{n}\n", n - 1));
        restoring(&format!("*filter\n{names}{jumps}{rules}"))
    };
    let rules = (0..50_000).fold(String::new(), |text, n| text + &format!("-A INPUT -m mark --mark {n}\n"));
    let too_many_links =
        |line: usize| format!("line {line}: RULE_APPEND failed (Too many links): rule in chain INPUT\n");
    let cases = [
        (rule(&format!("-m comment --comment {long}")), "Parameter too long!\nError occurred at line: 2\n".into(), 2),
        (
            rule(&"-p tcp ".repeat(200_000)),
            "Parser cannot handle more arguments\nError occurred at line: 2\n".into(),
            2,
        ),
        (rule(&" ".repeat(1_000_000)), "no command specified\nError occurred at line: 3\n".into(), 2),
        (restoring(&format!("*{long}")), format!("{TITLE}iptables-restore: line 1 table name 'xxx"), 2),
        (
            restoring(&format!("*filter\n:{long} - [0:0]")),
            "too long (must be under 29 chars)\nError occurred at line: 2\n".into(),
            2,
        ),
        (chains(3, "-A c2 -j c0\n-A INPUT -j c0"), too_many_links(8), 4),
        (chains(10_000, "-A INPUT -j c0"), too_many_links(20_001), 4),
        (chains(10_000, ""), "-P INPUT ACCEPT\n".into(), 0),
        (restoring(&format!("*filter\n{rules}")), "-A INPUT -m mark --mark 0xc34f\n".into(), 0),
        (
            "printf '*filter\\n-A INPUT -s 10.0.0.1\\000.5 -j DROP\\nCOMMIT\\n' | iptables-restore; iptables -S INPUT"
                .into(),
            "-A INPUT -s 10.0.0.1/32\n".into(),
            0,
        ),
        (
            "printf '*filter\\n\\000-A INPUT\\nCOMMIT\\n' | iptables-restore".into(),
            format!("{TITLE}no command specified\nError occurred at line: 2\n"),
            2,
        ),
        (
            "printf '*filter\\n-A INPUT -j \\377\\376\\nCOMMIT\\n' | iptables-restore".into(),
            "' does not exist\nError occurred at line: 3\n".into(),
            2,
        ),
        ("printf '\\377\\376' | iptables-restore".into(), "iptables-restore: line 1 failed\n".into(), 1),
        (format!("iptables -A INPUT -j {long}"), "xxx' (28 chars max)\n".into(), 2),
        (format!("iptables -A INPUT -s {long}"), "xxx' not found\n".into(), 2),
        (format!("iptables -A INPUT {}", "! ".repeat(100_000)), "multiple consecutive ! not allowed\n".into(), 2),
    ];
    let folder = folder("hostile");
    let names: Vec<String> = (0..cases.len()).map(|at| format!("{at}.sh")).collect();
    for (name, (script, ..)) in names.iter().zip(&cases) {
        fs::write(folder.join(name), script).expect("a file");
    }
    let files = names.iter().zip(&cases);
    check_all(&folder, files.map(|(name, (_, said, status))| (vec!["sh", name], said.as_str(), *status)));
}

/// Scenarios with a mistake: name, text, and what is said of it.
const FILES: [(&str, &str, &str); 4] = [
    (
        "s-topology.ron",
        "Scenario(title: \"x\", topology: \"ome\", acts: [])",
        "error: s-topology.ron:1:32: unknown topology `ome`\n",
    ),
    (
        "s-step.ron",
        "Scenario(title: \"x\", topology: \"one\", acts: [\n  Act(name: \"a\", steps: [\n    Runn(on: \"a\", cmd: \"true\")])])",
        "error: s-step.ron:3:5: unknown name `Runn`; expected one of `Run`, `Table`, `HookTable`, `Backends`, `Expect`\n",
    ),
    (
        "s-field.ron",
        "Scenario(title: \"x\", topology: \"one\", acts: [\n  Act(name: \"a\", stepps: [])])",
        "error: s-field.ron:2:18: unknown field `stepps` in `Act`; expected one of `name`, `steps`\n",
    ),
    (
        "s-host.ron",
        "Scenario(title: \"x\", topology: \"one\", acts: [\n  Act(name: \"a\", steps: [\n    Run(on: \"alphe\", cmd: \"true\")])])",
        "error: s-host.ron:3:13: unknown host `alphe`\n",
    ),
];

#[test]
fn a_bad_file_is_named_with_line_and_column() {
    let folder = folder("files");
    fs::create_dir_all(folder.join("topologies")).expect("a folder");
    fs::write(folder.join("topologies/one.ron"), "Topology(hosts: { \"alpha\": Host() })").expect("a file");
    fs::write(folder.join("latin1.sh"), b"echo a\necho \xff\n").expect("a file");
    fs::write(folder.join("junk.sh"), b"\x7fELF\x02\x01\0\0\x02\x03\n").expect("a file");
    for (name, text, _) in FILES {
        fs::write(folder.join(name), text).expect("a file");
    }
    let files = FILES
        .iter()
        .map(|&(name, _, expected)| (vec!["run", "--topologies", "topologies", name], expected, 2));
    check_all(&folder, files);
    check_all(
        &folder,
        [
            (vec!["sh", "latin1.sh"], "error: latin1.sh:2: not UTF-8 text\nhint: ", 2),
            (vec!["sh", "junk.sh"], "not found\n", 127),
            (vec!["sh", "nosuch.sh"], "error: nosuch.sh: No such file or directory", 2),
            (
                vec!["sh", "--topology", "nosuch.ron", "-c", "true"],
                "error: nosuch.ron: can't be read: No such file",
                2,
            ),
            (
                vec!["sh", "--topology", "topologies/one.ron", "--on", "alpa", "-c", "true"],
                "unknown host `alpa`\nhint: did you mean `alpha`?\n",
                2,
            ),
            (
                vec!["sh", "--topology", "topologies/one.ron", "--on", "alpha/web", "-c", "true"],
                "unknown container or namespace `web`\n",
                2,
            ),
            (vec!["trace", "topologies/one.ron", "alpha", "beta"], "unknown host `beta`\n", 2),
            (
                vec!["trace", "topologies/one.ron", "alpha", "10.0.0.1", "--port", "70000"],
                "invalid value '70000' for '--port <PORT>'",
                2,
            ),
            (vec!["sh", "--nosuch"], "unexpected argument '--nosuch'", 2),
            (vec!["run"], "required arguments were not provided", 2),
            (vec!["run", "nosuch.ron"], "error: nosuch.ron: can't be read", 2),
        ],
    );
}

const WORDS: &[&str] = &[
    "ip",
    "link",
    "add",
    "set",
    "del",
    "show",
    "addr",
    "route",
    "rule",
    "neigh",
    "netns",
    "exec",
    "-n",
    "dev",
    "via",
    "a",
    "b",
    "lo",
    "veth0",
    "veth1",
    "br0",
    "type",
    "veth",
    "bridge",
    "vxlan",
    "vlan",
    "dummy",
    "ipip",
    "id",
    "5",
    "peer",
    "name",
    "master",
    "up",
    "down",
    "10.0.0.1/24",
    "10.0.0.2",
    "0.0.0.0/0",
    "default",
    "-1",
    "4294967296",
    "mtu",
    "iptables",
    "-t",
    "nat",
    "-A",
    "INPUT",
    "POSTROUTING",
    "-j",
    "MASQUERADE",
    "DNAT",
    "--to-destination",
    "10.0.0.2:80",
    "-p",
    "tcp",
    "--dport",
    "-m",
    "conntrack",
    "--ctstate",
    "NEW",
    "-L",
    "-F",
    "-D",
    "1",
    "ping",
    "-c",
    "-W",
    "-i",
    "curl",
    "-s",
    "http://10.0.0.1/",
    "nc",
    "-l",
    "-z",
    "-u",
    "-w",
    "arping",
    "traceroute",
    "tcpdump",
    "-r",
    "brctl",
    "addbr",
    "addif",
    "ifconfig",
    "arp",
    "sysctl",
    "-w",
    "net.ipv4.ip_forward=1",
    "fdb",
    "append",
    "sleep",
    "0.1",
    "timeout",
    "ss",
    "-tlnp",
    "ethtool",
    "-K",
    "x=1",
    "$x",
    "echo",
    "cat",
    "grep",
    "sed",
    "s/a/b/",
    "head",
    "wait",
    "kill",
    "%1",
    "jobs",
    "trap",
    "exit",
    "shift",
    "read",
    "-e",
    "-x",
    "eval",
    "é",
    "*",
    "[",
    "]",
    "test",
    "-eq",
    "xargs",
    "printf",
    "%d\\n",
    "/proc/sys/net/ipv4/ip_forward",
    "monitor",
    "-",
    "--",
    "",
];

/// What shapes a script; rarer, as most of it ends one.
const SYNTAX: &[&str] = &[
    ";", ";", ";", "\n", "\n", "\n", "&&", "||", "|", "&", "!", "(", ")", "{", "}", "if", "then", "else",
    "fi", "for", "in", "do", "done", "case", "esac", "\"$x\"", "${x:-b}", "${x", "$((", "))", "$(echo", "`",
    "'", "\"", "\\", ">", ">>", "<", "f", "2>&1", "<<E", "E", "\n", "", "'a b'",
];

/// What a line begins with, mostly.
const COMMANDS: &[&str] = &[
    "ip",
    "ip link",
    "ip link add veth0 type veth peer name",
    "ip link add",
    "ip link set",
    "ip addr add",
    "ip route",
    "ip rule",
    "ip neigh",
    "ip -n a",
    "ip netns",
    "ip netns exec a",
    "bridge fdb",
    "brctl",
    "ifconfig",
    "route",
    "arp",
    "sysctl",
    "ethtool",
    "iptables",
    "iptables -t nat -A POSTROUTING",
    "conntrack",
    "ping",
    "arping",
    "traceroute",
    "tracepath",
    "tcpdump",
    "nmap",
    "nping",
    "curl",
    "nc",
    "nc -l",
    "telnet",
    "ss",
    "grep",
    "sed",
    "sort",
    "head",
    "tail",
    "cut",
    "tr",
    "xargs",
    "timeout 1",
    "kill",
    "printf",
    "test",
    "read",
    "set",
    "trap",
    "eval",
    "echo",
    "cat",
    "http-echo",
    "udp-echo",
    "trace",
    "flannel-udp",
    "date",
    "seq",
];

/// Events after which a random script has had its turn.
const ENOUGH: u64 = 2_000;

#[test]
fn random_lines_do_no_harm() {
    let word = prop_oneof![30 => prop::sample::select(WORDS), 1 => prop::sample::select(SYNTAX)];
    let line = (prop::sample::select(COMMANDS), prop::collection::vec(word, 0..9));
    let lines = prop::collection::vec(line, 1..12);
    let mut runner = TestRunner::new_with_rng(
        Config { cases: 5000, failure_persistence: None, ..Config::default() },
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let events = std::cell::Cell::new(0);
    let outcome = runner.run(&lines, |lines| {
        let lines = lines.iter().map(|(command, words)| format!("{command} {}\n", words.join(" ")));
        let script = lines.collect::<String>();
        let mut running = support::start_script("sh", &script, 0);
        for _ in 0..ENOUGH {
            if !running.world.step(&mut trace::Off) {
                break;
            }
        }
        events.set(events.get() + running.world.events_run());
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert!(events.get() > 10_000, "the scripts did something: {} events", events.get());
}

#[test]
fn proxies_say_what_they_can_not_do() {
    let folder = folder("proxies");
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {clusterIP: 10.96.0.1, ports: [{port: 80}]}\n";
    fs::write(folder.join("p.yaml"), service).expect("a file");
    fs::write(folder.join("flows.json"), "[\n  {\"from\": \"10.0.0.9\", \"port\": 80}\n]\n").expect("a file");
    let node = |name| format!("---\napiVersion: v1\nkind: Node\nmetadata: {{name: {name}}}\n");
    fs::write(folder.join("nodes.yaml"), node("a") + &node("b")).expect("a file");
    let config = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\ndetectLocalMode: NodeCIDR\n";
    fs::write(folder.join("config.yaml"), config).expect("a file");
    let flow = |flow| vec!["kube-proxy", "p.yaml", "--flow", flow];
    let proxy = |args: &[&'static str]| [&["kube-proxy", "p.yaml"], args].concat();
    let cases = [
        (flow("tcp 10.0.0.9 10.96.0.1:80"), "error: `tcp 10.0.0.9 10.96.0.1:80` is no flow\nhint: a flow", 2),
        (flow("icmp 10.0.0.9 > 10.96.0.1:80"), "error: `icmp` is neither tcp, udp nor sctp\n", 2),
        (flow("tcp 10.0.0.9 > 10.96.0.1"), "error: `10.96.0.1` is no address with a port\n", 2),
        (flow("tcp 10.0.0.9 > 10.96.0.1:0"), "error: `10.96.0.1:0` is no address with a port\n", 2),
        (flow("tcp fd00::9 > [fd00::1]:80"), "error: `fd00::9`: IPv6 flows are not simulated\n", 2),
        (
            proxy(&["--flows", "flows.json"]),
            "error: flows.json:2:29: unknown field `port`, expected one of",
            2,
        ),
        (proxy(&["--flows", "none.json"]), "error: none.json: can't be read", 2),
        (proxy(&["--mode", "ipvs"]), "error: kube-proxy 1.30 in ipvs mode is not simulated\n", 2),
        (proxy(&["--mode", "userspace"]), "error: KubeProxyConfiguration.Mode.ProxyMode: Invalid value", 2),
        (proxy(&["--mode", "bpf"]), "one of iptables, ipvs, nftables, userspace", 2),
        (proxy(&["--profile", "1.29"]), "one of 1.30, 1.9, 1.1", 2),
        (proxy(&["--print", "nat", "--step", "2"]), "error: there is no sync 2: the files have 1\n", 2),
        (
            proxy(&["--print", "nat6"]),
            "error: the proxy has no IPv6 addresses: nothing is written for them\n",
            2,
        ),
        (proxy(&["--print", "nat"]), "note: no Node: the proxy knows no address of its own", 0),
        (
            vec!["kube-proxy", "nodes.yaml"],
            "2 Nodes, and nothing says which one the proxy runs on\nhint: --node a",
            2,
        ),
        (
            vec!["kube-proxy", "nodes.yaml", "config.yaml", "--node", "b"],
            "error: detectLocalMode NodeCIDR needs `spec.podCIDR` of Node \"b\"\n",
            2,
        ),
        (vec!["kube-proxy", "none.yaml"], "error: none.yaml: can't be read", 2),
    ];
    check_all(&folder, cases);
    let _ = fs::remove_dir_all(&folder);
}
