use std::fmt::Write;

/// The prompt's own commands.
pub(crate) const OWN: [&str; 3] = ["help", "hosts", "on"];

/// The commands of a lab's prompt.
pub(crate) const LAB: [(&str, &str); 11] = [
    ("story", "what is wrong here, once more"),
    ("hint", "the next hint, from a nudge to nearly the answer"),
    ("check", "whether the network works again, and if not what was seen"),
    ("trace", "without more words: the way of the last command's packets"),
    ("steps", "the commands so far"),
    ("undo redo", "the state before the last command, and after it again"),
    ("goto", "`goto STEP`: the state after so many commands"),
    ("reset", "the lab as it was found"),
    ("solution", "one way to repair it"),
    ("ssh", "`ssh HOST`: a host's console, which needs no network; `exit` comes back"),
    ("quit", "leaves the lab"),
];

/// The commands of a lab as its `help` shows them.
pub(crate) fn of_lab() -> String {
    let mut text = "This lab:\n".to_owned();
    for (names, what) in LAB {
        add(&mut text, names, what);
    }
    text.push('\n');
    text
}

/// A command or some that go together, and what they do.
type Entry = (&'static str, &'static str);

const TOPICS: [(&str, &[Entry]); 11] = [
    (
        "This prompt",
        &[
            ("help", "this list, or `help COMMAND`"),
            ("hosts", "all hosts and their namespaces"),
            ("on", "`on HOST[/NAMESPACE]` moves there; each place keeps its own shell"),
            ("exit", "leaves, as Ctrl-D does"),
        ],
    ),
    (
        "Devices, addresses, routes",
        &[
            ("ip", "links, addresses, routes, rules, neighbours, namespaces, tunnels (iproute2)"),
            ("bridge", "forwarding tables and ports of bridges and VXLAN devices (iproute2)"),
            ("brctl", "bridges (bridge-utils)"),
            ("ifconfig", "devices and addresses (net-tools)"),
            ("route", "the routing table (net-tools)"),
            ("arp", "the neighbour table (net-tools)"),
            ("netstat", "the routing table (net-tools)"),
            ("ethtool", "features of a device"),
            ("sysctl", "kernel settings, e.g. `sysctl net.ipv4.ip_forward=1`"),
            ("dmesg", "the kernel log, e.g. martians"),
            ("hostname", "the host's name"),
            ("getenforce setenforce", "whether SELinux enforces its policy"),
        ],
    ),
    (
        "Filters and NAT",
        &[
            ("iptables iptables-nft", "rules of filter, nat, mangle, raw"),
            ("iptables-save iptables-nft-save", "all rules as text"),
            ("iptables-restore iptables-nft-restore", "replaces rules by a text"),
            (
                "iptables-legacy iptables-legacy-save iptables-legacy-restore",
                "the rules of the older engine, which looks at every packet too",
            ),
            ("xtables-monitor", "the rules that traced packets meet"),
            ("ipset", "sets of addresses and ports for rules"),
            ("conntrack", "connections that are tracked"),
        ],
    ),
    (
        "Reaching others",
        &[
            ("dig host nslookup", "questions to a name server, and its answers (BIND)"),
            ("getent", "a host's addresses and names, as every command finds them"),
            ("ping", "echo requests"),
            ("arping", "ARP requests"),
            ("traceroute", "the routers on the way"),
            ("tracepath", "the routers on the way and the path MTU"),
            ("nc netcat", "TCP and UDP by hand"),
            ("curl", "HTTP requests"),
            ("telnet", "a TCP connection by hand"),
            ("nmap nping", "probes of hosts and ports"),
        ],
    ),
    (
        "Watching",
        &[
            ("tcpdump", "frames of a device"),
            ("ss", "sockets"),
            ("trace", "one packet, explained hop by hop (hoplab's own)"),
            ("fabric", "what the switches between the hosts don't carry (hoplab's own)"),
        ],
    ),
    (
        "Small servers (hoplab's own)",
        &[
            ("http-echo", "answers HTTP requests with what it saw"),
            ("udp-echo", "sends datagrams back"),
            ("udp-probe", "sends a datagram and waits for the answer"),
            ("flannel-udp", "flannel's UDP backend"),
        ],
    ),
    (
        "Containers and addresses",
        &[
            ("docker", "containers, networks, published ports"),
            ("dockerd docker-proxy", "the daemon behind `docker`, and its helper"),
            ("dhclient udhcpc", "an address from a DHCP server"),
            ("dnsmasq", "a DHCP server"),
            ("systemctl journalctl", "the services of the host, and what they said"),
            ("nginx go-probe hello-app agnhost test-webserver pause", "what the containers run"),
        ],
    ),
    (
        "Kubernetes",
        &[
            ("kubectl", "objects of the cluster, pods' logs and commands"),
            (
                "kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy",
                "the parts of a cluster",
            ),
            ("cloud-controller-manager cloud-balancer", "a cloud's part of a cluster, and its balancers"),
            ("flanneld", "the pod network's daemon"),
            ("coredns", "the cluster's name server"),
            ("etcd etcdctl", "a key-value store and its client"),
            ("cnitool", "joins a namespace to a CNI network"),
            ("aws vpc-router", "a VPC of Amazon's: its command and its fabric"),
        ],
    ),
    (
        "Text and files",
        &[
            ("cat tac head tail tee", "files, whole or in part"),
            ("grep egrep fgrep", "lines that match"),
            ("sed cut tr paste", "lines, changed"),
            ("sort uniq wc seq yes", "lines, counted and put in order"),
            ("ls mkdir rm rmdir touch cp mv ln readlink basename dirname", "the file tree, in memory"),
        ],
    ),
    (
        "Processes and time",
        &[
            ("sleep timeout", "waiting, in virtual time"),
            ("kill pgrep pkill ps", "processes of the host"),
            ("date uname id whoami env printenv which", "the surroundings"),
            ("xargs", "a command for each word"),
        ],
    ),
    (
        "The shell (dash)",
        &[
            ("sh dash", "a script"),
            ("cd pwd umask ulimit", "settings of the shell"),
            ("jobs fg wait", "background jobs; `command &` starts one"),
            ("set export readonly unset local shift getopts read", "variables and parameters"),
            ("echo printf", "text"),
            ("test [ true false :", "conditions"),
            ("eval exec . command type hash trap return break continue", "the flow of a script"),
        ],
    ),
];

const DIFFERENCES: &str = "\
How hoplab differs from a real host:
  Time is virtual and stands still at the prompt; background jobs go on while a command runs.
  A command in the foreground takes its real time (--pace 10: ten times faster, --pace 0: none).
  Nothing leaves this process: no real network, no real files, no root needed, gone after `exit`.
  There is no IPv6 yet.
  The same commands with the same --seed give the same bytes.
";

/// The list of commands by topic: those that are installed, and those of the prompt.
pub(crate) fn all(installed: &[&str]) -> String {
    let mut text = String::new();
    for (topic, entries) in TOPICS {
        let mut lines = String::new();
        for (names, what) in entries {
            let here: Vec<&str> =
                names.split(' ').filter(|name| OWN.contains(name) || installed.contains(name)).collect();
            if !here.is_empty() {
                add(&mut lines, &here.join(" "), what);
            }
        }
        if !lines.is_empty() {
            let _ = write!(text, "{topic}:\n{lines}\n");
        }
    }
    let mut others: Vec<&str> = installed.iter().copied().filter(|name| line(name).is_none()).collect();
    others.sort_unstable();
    if !others.is_empty() {
        let _ = write!(text, "Others:\n  {}\n\n", others.join(" "));
    }
    text + DIFFERENCES
}

fn add(lines: &mut String, names: &str, what: &str) {
    if names.len() > 16 {
        let _ = writeln!(lines, "  {names}\n  {:16}  {what}", "");
    } else {
        let _ = writeln!(lines, "  {names:16}  {what}");
    }
}

/// What one command is for.
pub(crate) fn line(command: &str) -> Option<String> {
    let mut entries = TOPICS.iter().flat_map(|(_, entries)| entries.iter());
    let (_, what) = entries.find(|(names, _)| names.split(' ').any(|name| name == command))?;
    Some(format!("{command}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_line() {
        let registry = kube::cluster::registry();
        let commands = registry.names().filter(|name| !name.contains('/'));
        let names = commands.map(str::to_owned).chain(tools::shell::builtin_names().map(str::to_owned));
        let missing: Vec<String> = names.filter(|name| line(name).is_none()).collect();
        assert!(missing.is_empty(), "no line for {missing:?}");
    }
}
