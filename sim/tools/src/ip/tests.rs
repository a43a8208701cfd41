use std::collections::BTreeMap;

use packet::NetnsId;
use trace::Off;
use world::{Outcome, World};

/// Commands with what iproute2 6.1 says on standard error and its exit status, taken from it in an
/// empty namespace with br0 and the pair v0, v1: `--- COMMAND`, text, `=STATUS`.
const ERRORS: &str = include_str!("errors.txt");

/// One host whose commands run one after the other.
struct Lab {
    world: World,
    host: packet::HostId,
}

impl Lab {
    fn new() -> Self {
        let mut world = World::new(0);
        let host = world.add_host("lab", crate::registry());
        Self { world, host }
    }

    /// Everything a command printed, and its status.
    fn run(&mut self, words: &[&str]) -> (String, i32) {
        let console = self.world.add_console(self.host, false);
        self.world.type_input(self.host, console, None);
        let args = words.iter().map(|&word| word.to_owned()).collect();
        let pid = self
            .world
            .spawn(self.host, NetnsId::INIT, console, args, BTreeMap::new())
            .expect("the command is installed");
        let mut output = Vec::new();
        let outcome = self
            .world
            .run_to_exit(self.host, pid, console, &mut Off, &mut |_, bytes| output.extend_from_slice(bytes));
        let Outcome::Exited(status) = outcome else { panic!("{words:?} does not end") };
        (String::from_utf8_lossy(&output).into_owned(), status)
    }
}

/// The help texts' later lines are left out, so only the first line of a usage counts.
fn compared(text: &str) -> &str {
    if text.starts_with("Usage:") { text.lines().next().unwrap_or_default() } else { text.trim_end() }
}

#[test]
fn errors_are_iproute2s() {
    let mut lab = Lab::new();
    for setup in ["ip link add br0 type bridge", "ip link add v0 type veth peer name v1"] {
        lab.run(&setup.split(' ').collect::<Vec<_>>());
    }
    let mut wrong = Vec::new();
    for case in ERRORS.trim_start_matches("--- ").split("\n--- ") {
        let (command, rest) = case.split_once('\n').expect("a command and its answer");
        let (expected, status) = rest.trim_end().rsplit_once('=').expect("a status");
        let (text, got) = lab.run(&command.split(' ').collect::<Vec<_>>());
        let lists = status == "0";
        if got.to_string() != status || (!lists && compared(&text) != compared(expected)) {
            wrong.push(format!(
                "{command}\n  real {status}: {}\n  here {got}: {}",
                compared(expected),
                compared(&text)
            ));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn one_listing_in_each_form() {
    let mut lab = Lab::new();
    let mut check = |command: &str, expected: &str| {
        let (text, status) = lab.run(&command.split(' ').collect::<Vec<_>>());
        assert_eq!((text.as_str(), status), (expected, 0), "{command}");
    };
    check("ip link set lo up", "");
    check("ip -br addr show dev lo", "lo               UNKNOWN        127.0.0.1/8 \n");
    check(
        "ip -o -4 addr show lo",
        "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever\n",
    );
    check(
        "ip rule",
        "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n",
    );
    check("ip -j rule show pref 0", "[{\"priority\":0,\"src\":\"all\",\"table\":\"local\"}]\n");
    check("ip -j -p neigh", "[ ]\n");
    check("ip route get 127.0.0.5", "local 127.0.0.5 dev lo src 127.0.0.1 uid 0 \n    cache <local> \n");
    check("ip netns list", "");
}

/// Every request prints as a command that parses to the same request.
#[test]
fn requests_survive_their_text() {
    use super::{addr, link, neigh, options::Options, route, rule};
    use kernel::request::{Mode, Request};

    let env = crate::iproute::env::Env::all();
    let options = Options::default();
    let parse = |text: &str| -> Result<Vec<Request>, String> {
        let words: Vec<&str> = text.split(' ').collect();
        let (Some(["ip", object, verb]), Some(rest)) = (words.get(..3), words.get(3..)) else {
            return Err(text.to_owned());
        };
        let mode = match *verb {
            "replace" => Mode::Replace,
            "change" => Mode::Change,
            "append" => Mode::Append,
            "prepend" => Mode::Prepend,
            _ => Mode::Add,
        };
        let deletes = verb.starts_with("del");
        let parsed = match *object {
            "link" => {
                let kind = match *verb {
                    "add" => link::Verb::Add,
                    "set" => link::Verb::Set,
                    _ => link::Verb::Delete,
                };
                link::parse(rest, kind, &options, env).map(|parse| parse.requests)
            }
            "addr" | "address" => {
                let kind = if deletes { addr::Verb::Delete } else { addr::Verb::Put(mode) };
                addr::parse(rest, kind, &options, env, &[]).map(|parse| vec![parse.request])
            }
            "route" => {
                let kind = if deletes { route::Verb::Delete } else { route::Verb::Put(mode) };
                route::parse(rest, kind, &options, env).map(|request| vec![request])
            }
            "rule" => {
                let kind = if deletes { rule::Verb::Delete } else { rule::Verb::Add };
                rule::parse(rest, kind, &options).map(|request| vec![request])
            }
            _ => {
                let kind = if deletes { neigh::Verb::Delete } else { neigh::Verb::Put(mode) };
                neigh::parse(rest, kind, &options, env).map(|request| vec![request])
            }
        };
        parsed.map_err(|stop| stop.text)
    };
    let mut wrong = Vec::new();
    for text in COMMANDS.lines() {
        let first = parse(text);
        let Ok([request]) = first.as_deref() else {
            wrong.push(format!("{text}\n  {first:?}"));
            continue;
        };
        let printed = request.to_string();
        let again = parse(&printed);
        if again.as_deref() != Ok(std::slice::from_ref(request)) {
            wrong.push(format!("{text}\n  prints {printed}\n  {request:?}\n  {again:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// Commands of every family of requests whose text is written.
const COMMANDS: &str = "\
ip link del dev v0
ip addr add 10.0.0.1/24 dev v0
ip addr add 10.0.0.1/24 brd + dev v0 label v0:1
ip addr add 10.0.0.1 peer 10.0.0.2/32 dev v0 metric 5
ip addr replace 10.0.0.1/24 dev v0 scope link noprefixroute
ip addr del 10.0.0.1/24 dev v0
ip route add default via 10.0.0.1
ip route add 10.1.0.0/16 via 10.0.0.1 dev v0 onlink metric 5 mtu lock 1400 advmss 1300 proto static
ip route replace 10.1.0.0/16 dev v0 scope link src 10.0.0.1 table 100
ip route append 10.1.0.0/16 via 10.0.0.1 window 5000 rtt 100ms hoplimit 5
ip route add 10.1.0.0/16 nexthop via 10.0.0.1 dev v0 weight 1 nexthop dev v1 weight 3 onlink
ip route add blackhole 10.1.0.0/16
ip route add local 10.9.0.1 dev lo
ip route del 10.1.0.0/16
ip route del default via 10.0.0.1 dev v0
ip rule add from 10.0.0.0/24 lookup 100
ip rule add not fwmark 0x10/0xf0 table 5 pref 100
ip rule add iif v0 oif v1 tos 0x10 ipproto tcp sport 5 dport 80-90 goto 200 pref 10
ip rule add to 10.0.0.1 blackhole
ip rule add lookup main suppress_prefixlength 0
ip rule del pref 100
ip rule del from 10.0.0.1
ip neigh add 10.0.0.9 lladdr 02:00:00:00:09:09 dev v0
ip neigh replace 10.0.0.9 lladdr 02:00:00:00:09:09 dev v0 nud reachable
ip neigh add proxy 10.0.0.9 dev v0
ip neigh del 10.0.0.9 dev v0";
