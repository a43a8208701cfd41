use std::collections::BTreeMap;

use packet::NetnsId;
use serde_json::json;
use trace::Off;
use world::{Outcome, World};

use super::list::{human, table};
use super::template::Template;

/// What a real dockerd 20.10.24 wrote and said.
const COMMANDS: &str = include_str!("../../../../tests/docker/commands.out");
const NETWORKS: &str = include_str!("../../../../tests/docker/networks.out");
const BIP: &str = include_str!("../../../../tests/docker/bip-mtu.out");
const NO_PROXY: &str = include_str!("../../../../tests/docker/no-userland-proxy.out");
const NO_IPTABLES: &str = include_str!("../../../../tests/docker/no-iptables.out");

/// Types a script on a host of its own; answers both outputs.
fn run(daemon_json: &str, script: &str) -> String {
    let mut world = World::new(0);
    let host = world.add_host("vm", crate::registry());
    if !daemon_json.is_empty() {
        world.install_file(host, "/etc/docker/daemon.json", daemon_json.as_bytes().to_vec());
    }
    let console = world.add_console(host, false);
    world.type_input(host, console, None);
    let args = ["sh", "-c", script].map(str::to_owned).to_vec();
    let pid =
        world.spawn(host, NetnsId::INIT, console, args, BTreeMap::new()).expect("the shell is installed");
    let mut output = Vec::new();
    let outcome =
        world.run_to_exit(host, pid, console, &mut Off, &mut |_, bytes| output.extend_from_slice(bytes));
    assert!(matches!(outcome, Outcome::Exited(_)), "{outcome:?}");
    String::from_utf8_lossy(&output).into_owned()
}

/// Each run of hexadecimal digits that can only be an id, and what follows from one, as `ID`.
fn without_ids(text: &str) -> String {
    let ids = regex::Regex::new(r"\b(br-)?[0-9a-f]{12}([0-9a-f]{52})?\b").expect("a good expression");
    ids.replace_all(text, "ID").into_owned()
}

/// The rules of the `nth` `iptables-save` in a text.
fn rules(text: &str, nth: usize) -> String {
    let mut saves = text.split("*filter\n").skip(1);
    let save = saves.nth(nth).unwrap_or_default();
    let end = save.match_indices("COMMIT\n").nth(1).map_or(save.len(), |(at, _)| at);
    let kept = save[..end].lines().filter(|line| !line.starts_with('#'));
    without_ids(&kept.map(|line| format!("{line}\n")).collect::<String>())
}

#[test]
fn the_rules_are_those_of_the_recordings() {
    const BOTH: &str = "docker run -d --name web nginx; docker run -d --name pub -p 8080:80 nginx";
    const BIP_JSON: &str = r#"{"bip":"172.18.0.1/16","mtu":1450}"#;
    const NO_PROXY_JSON: &str = r#"{"userland-proxy":false}"#;
    const WEB: &str = "docker run -d --name web -p 80:80 nginx";
    const THREE: &str =
        "docker run -d --name one busybox sleep 1000; docker run -d --name two busybox sleep 1000
        docker run -d --name three -p 127.0.0.1:8081:80 -p 53:53/udp -p 9000 nginx";
    // Two networks made and removed before, so that the next pool is the third.
    const TWO: &str = "docker network create x > /dev/null; docker network rm x > /dev/null
        docker network create --subnet 172.28.0.0/16 --gateway 172.28.5.254 -o com.docker.network.bridge.name=br-test mynet
        docker network create auto1";
    let cases: &[(&str, &str, &str, &str, usize)] = &[
        ("a fresh daemon", "", "true", COMMANDS, 0),
        ("a published port", "", BOTH, COMMANDS, 2),
        ("bip", BIP_JSON, "true", BIP, 0),
        ("bip, a published port", BIP_JSON, WEB, BIP, 1),
        ("no userland proxy", NO_PROXY_JSON, "true", NO_PROXY, 0),
        ("three published ports", "", THREE, NETWORKS, 0),
        ("two networks", "", &format!("{THREE}\n{TWO}"), NETWORKS, 1),
        (
            "a port of a network",
            "",
            &format!(
                "{THREE}\n{TWO}\ndocker run -d --name four --network mynet --ip 172.28.0.9 -p 8090:80 nginx"
            ),
            NETWORKS,
            2,
        ),
    ];
    for (what, json, script, recording, nth) in cases {
        // The last recording began with forwarding on: then dockerd leaves the policy alone.
        let before = if *recording == NO_PROXY { "sysctl -qw net.ipv4.ip_forward=1" } else { "true" };
        let script = format!("{before}; systemctl start docker\n({script}) > /dev/null\niptables-save");
        assert_eq!(rules(&run(json, &script), 0), rules(recording, *nth), "{what}");
    }
    let none =
        run(r#"{"iptables":false}"#, &format!("systemctl start docker; {WEB} > /dev/null; iptables-save"));
    assert!(!none.contains("DOCKER") && !NO_IPTABLES.contains("DOCKER"), "{none}");
}

/// What the recording printed for a command the last time, with its status if that was not 0.
fn recorded<'a>(recording: &'a str, command: &str) -> &'a str {
    let head = format!("$ {command}\n");
    let at = recording.rfind(&head).unwrap_or_else(|| panic!("not recorded: {command}"));
    // From the end of the command's line on: what follows may be the next command.
    let rest = &recording[at + head.len() - 1..];
    let end = rest.find("\n$ ").unwrap_or(rest.len() - 1);
    rest.get(1..=end).unwrap_or_default()
}

#[test]
fn the_words_are_those_of_the_recordings() {
    // Typed as recorded after the same containers were made; those whose output depends on no image.
    let early: &[&str] = &["docker network ls"];
    let with_web: &[&str] = &[
        "docker exec web ip addr",
        "docker exec web ip route",
        "docker port pub",
        "docker exec web -- ip addr",
        "docker exec nosuch ip addr",
        "docker exec web nosuchcmd",
        "docker inspect nosuch",
        "docker inspect -f {{.State.Pid}} nosuch",
        "docker inspect -f {{.Foo}} web",
        "docker inspect -f {{.State.Foo}} web",
        "docker inspect -f {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}} web",
        "docker inspect -f {{.State web",
        "docker inspect -f {{nofunc .State}} web",
        "docker run -d --name web nginx",
        "docker run",
        "docker run -d --network nosuchnet busybox",
        "docker run -d --network container:nosuch busybox",
        "docker rm web",
        "docker run -d -p 99999:80 nginx",
        "docker run -d -p abc nginx",
        "docker nosuch",
        "docker ps --nosuch",
    ];
    let with_networks: &[&str] = &[
        "docker port three",
        "docker port three 80",
        "docker port one",
        "docker port three 81",
        "docker network create auto1",
        "docker network create --subnet 172.28.0.0/24 over",
        "docker network create --subnet 172.28.0.0/33 over",
        "docker network create host",
        "docker network ls",
        "docker network connect nosuch one",
        "docker network connect mynet nosuch",
        "docker network rm bridge",
        "docker network rm nosuch",
        "docker network inspect nosuch",
        "docker start nosuch",
        "docker stop nosuch",
        "docker rm nosuch",
        "docker logs nosuch",
        "docker run --rm --network container:one -p 80:80 busybox hostname",
        "docker run --rm --network container:one -h foo busybox hostname",
        "docker network",
        "docker port",
        "docker inspect",
        "docker network create",
        "docker stop",
        "docker run --nosuch busybox",
        "docker inspect --format={{(index (index .NetworkSettings.Ports \"80/tcp\") 0).HostPort}} three",
    ];
    const WEB: &str = "docker run -d --name web nginx; docker run -d --name pub -p 8080:80 nginx";
    const NETS: &str =
        "docker run -d --name one busybox sleep 1000; docker run -d --name two busybox sleep 1000
        docker run -d --name three -p 127.0.0.1:8081:80 -p 53:53/udp -p 9000 nginx
        docker network create --subnet 172.28.0.0/16 mynet; docker network create auto1";
    let mut wrong = Vec::new();
    for (commands, setup, recording) in
        [(early, "true", COMMANDS), (with_web, WEB, COMMANDS), (with_networks, NETS, NETWORKS)]
    {
        for command in commands {
            // The recording's words were not split again by a shell.
            let words = command.replace('\'', "'\\''");
            let typed: Vec<String> = match words.split_once("{{") {
                None => vec![words],
                Some((before, _)) => {
                    let end = words
                        .rfind("}}")
                        .map_or_else(|| words.rfind(' ').unwrap_or(words.len()), |at| at + 2);
                    let format = words.get(before.len()..end).unwrap_or_default();
                    vec![format!("{before}'{format}'{}", words.get(end..).unwrap_or_default())]
                }
            };
            let script = format!(
                "systemctl start docker; ({setup}) > /dev/null; ({}) 2>&1; s=$?; [ $s = 0 ] || echo \"[exit $s]\"",
                typed.concat()
            );
            let said = without_ids(&run("", &script));
            let expected = without_ids(recorded(recording, command));
            // IPv6 was on in these recordings.
            let expected: String = expected
                .lines()
                .filter(|line| !line.contains(":::"))
                .map(|line| format!("{line}\n"))
                .collect();
            let plain = |text: &str| {
                let kept = text.lines().map(str::trim_end).filter(|line| !line.starts_with("time="));
                kept.map(|line| format!("{line}\n")).collect::<String>()
            };
            let (said, expected) = (devices(&plain(&said)), devices(&plain(&expected)));
            if said != expected {
                wrong.push(format!("$ {command}\n--- recorded\n{expected}--- here\n{said}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// Without the numbers of devices.
fn devices(text: &str) -> String {
    let index = regex::Regex::new(r"(?m)^[0-9]+: |@if[0-9]+").expect("a good expression");
    index.replace_all(text, "").into_owned()
}

#[test]
fn the_whole_json_has_the_recordings_fields_in_order() {
    let keys = |text: &str| -> Vec<String> {
        let start = text.find("[\n").unwrap_or_default();
        let lines = text[start..].lines().filter_map(|line| line.trim().strip_prefix('"')?.split_once("\":"));
        lines.map(|(key, _)| key.to_owned()).filter(|key| key != "MergedDir").collect()
    };
    let here =
        run("", "systemctl start docker; docker run -d --name web nginx > /dev/null; docker inspect web");
    assert_eq!(keys(&here), keys(recorded(COMMANDS, "docker inspect web")));
}

#[test]
fn templates() {
    let value = json!({
        "Name": "/web", "State": {"Pid": 7, "Running": true}, "Args": ["-f", "x"],
        "NetworkSettings": {"Networks": {"b": {"IPAddress": "2"}, "a": {"IPAddress": "1"}}, "Ports": {"80/tcp": [{"HostPort": "8080"}]}},
    });
    for (template, text) in [
        ("{{.State.Pid}}", "7"),
        ("{{.Name}} {{json .Args}}", "/web [\"-f\",\"x\"]"),
        ("{{range .NetworkSettings.Networks}}{{.IPAddress}};{{end}}", "1;2;"),
        ("{{range $k, $v := .NetworkSettings.Networks}}{{$k}}={{$v.IPAddress}} {{end}}", "a=1 b=2 "),
        ("{{if .State.Running}}up{{else}}down{{end}}", "up"),
        ("{{with .State}}{{.Pid}}{{end}}", "7"),
        ("{{(index (index .NetworkSettings.Ports \"80/tcp\") 0).HostPort}}", "8080"),
        ("{{index .Args 1}} {{len .Args}} {{.Args}}", "x 2 [-f x]"),
        ("{{eq .State.Pid 7}} {{not .State.Running}}", "true false"),
        ("{{.State}}", "{7 true}"),
        ("{{.State.Pid | json}}", "7"),
    ] {
        let filled = Template::parse(template).and_then(|parsed| parsed.fill(&value));
        assert_eq!(filled, Ok(text.to_owned()), "{template}");
    }
    for (template, error) in [
        ("{{.State", "template parsing error: template: :1: unclosed action"),
        (
            "{{printf .Name}}",
            "template parsing error: template: :1: hoplab: function \"printf\" is not simulated",
        ),
        ("{{if .Name}}x", "template parsing error: template: :1: unexpected EOF"),
    ] {
        assert_eq!(
            Template::parse(template).map(drop).map_err(|error| error.to_string()),
            Err(error.to_owned())
        );
    }
}

#[test]
fn durations_and_tables() {
    const SECOND: u64 = 1_000_000_000;
    for (seconds, text) in [
        (0, "Less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "About a minute"),
        (125, "2 minutes"),
        (3600, "About an hour"),
        (3 * 3600, "3 hours"),
        (3 * 86400, "3 days"),
    ] {
        assert_eq!(human(seconds * SECOND), text);
    }
    let rows = [["NAME", "ID"], ["x", "1"]].map(|row| row.map(str::to_owned).to_vec());
    assert_eq!(table(&rows), "NAME      ID\nx         1\n");
}
