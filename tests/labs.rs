//! Labs, played by a person at a pseudo-terminal and by scripts.

#![cfg(unix)]

#[path = "support/person.rs"]
mod person;

use std::process::Command;

use expectrl::ControlCode;

use person::{Person, state};

/// Runs `hoplab lab` with a script's lines; answers its standard output and status.
fn script(args: &[&str], lines: &str) -> (String, Option<i32>) {
    let folder = state("script");
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let file = folder.join("script");
    std::fs::write(&file, lines).expect("a temporary file");
    let output = Command::new(env!("CARGO_BIN_EXE_hoplab"))
        .arg("lab")
        .args(args)
        .arg("--script")
        .arg(&file)
        .env("XDG_STATE_HOME", &folder)
        .output()
        .expect("hoplab starts");
    let _ = std::fs::remove_dir_all(folder);
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code())
}

#[test]
fn a_node_that_does_not_forward_is_found_with_ctrl_c_and_undo() {
    let state = state("ip-forward");
    let mut person = Person::sits_down(&state, &["lab", "ip-forward", "--keep"]);
    person.sees("node1# ");
    person.types("ping 10.244.1.2");
    person.sees("PING 10.244.1.2");
    person.presses(ControlCode::EndOfText);
    person.sees("100% packet loss");
    person.sees("node1# ");
    person.types("trace");
    person.sees("IP_INADDRERRORS");
    person.sees("node1# ");
    person.types("check");
    person.sees("✗ node1 reaches the pods of node2");
    person.sees("node1# ");
    person.types("ssh no\t2");
    person.sees("node2# ");
    person.types("ip link set cni0 down");
    person.sees("node2# ");
    person.types("undo");
    person.sees("step 1");
    person.sees("node2# ");
    person.types("ip -br link show cni0");
    person.sees("cni0             UP");
    person.sees("node2# ");
    person.types("quit");
    person.leaves_with(0);

    // The second visit goes on where the first ended.
    let mut person = Person::sits_down(&state, &["lab", "ip-forward", "--keep"]);
    person.sees("cni0             UP");
    person.sees("node2# ");
    person.types("sysctl -w net.ipv4.ip_forward=1");
    person.sees("net.ipv4.ip_forward = 1");
    person.sees("node2# ");
    person.types("check");
    person.sees("✓ node1 reaches the pods of node2");
    person.sees("Solved with 4 commands and 0 hints.");
    person.sees("node2# ");
    person.types("quit");
    person.leaves_with(0);
    let _ = std::fs::remove_dir_all(state);
}

#[test]
fn i17_is_solved_with_the_documents_commands() {
    let state = state("flannel-nat");
    let mut person = Person::sits_down(&state, &["lab", "flannel-nat", "--pace", "20"]);
    person.sees("k8s-master1# ");
    person.types("curl http://localhost:30309");
    person.presses(ControlCode::EndOfText);
    person.sees("k8s-master1# ");
    person.types("ping -c 1 -W 1 192.168.56.102");
    person.sees("1 received");
    person.sees("k8s-master1# ");
    person.types("ping 10.244.1.1");
    person.sees("PING 10.244.1.1");
    person.presses(ControlCode::EndOfText);
    person.sees("100% packet loss");
    person.sees("k8s-master1# ");
    person.types("ssh k8s-node1");
    person.sees("k8s-node1# ");
    person.types("curl -s http://localhost:30309 | grep title");
    person.sees("Welcome to nginx!");
    person.sees("k8s-node1# ");
    person.types("exit");
    person.sees("k8s-master1# ");
    person.types("iptables -F FORWARD");
    person.sees("k8s-master1# ");
    person.types("undo");
    person.sees("step ");
    person.sees("k8s-master1# ");
    person.types("kubectl get ds -n kube-system kube-flannel-ds -o yaml >flannel.yaml");
    person.sees("k8s-master1# ");
    person.types(
        "sed 's/\\( *\\)- --kube-subnet-mgr/&\\n\\1- --iface=enp0s8/' flannel.yaml | kubectl apply -f -",
    );
    person.sees("daemonset.apps/kube-flannel-ds configured");
    person.sees("k8s-master1# ");
    person.types("kubectl rollout status ds/kube-flannel-ds -n kube-system && sleep 20");
    person.sees("successfully rolled out");
    person.sees("k8s-master1# ");
    person.types("check");
    person.sees("Solved with ");
    person.sees("k8s-master1# ");
    person.types("quit");
    person.leaves_with(0);
    let _ = std::fs::remove_dir_all(state);
}

#[test]
fn a_selector_is_mended_after_a_hint() {
    let state = state("selector-typo");
    let mut person = Person::sits_down(&state, &["lab", "selector-typo", "--pace", "0"]);
    person.sees("k8s-master1# ");
    person.types("curl http://10.103.171.106/");
    person.sees("Couldn't connect to server");
    person.sees("k8s-master1# ");
    person.types("hint");
    person.sees("hint 1 of 2");
    person.sees("k8s-master1# ");
    person.types("kubectl -n app-ns delete service ng\t");
    person.sees("deleted");
    person.sees("k8s-master1# ");
    person.types("undo");
    person.sees("step 1");
    person.sees("k8s-master1# ");
    person.types("kubectl -n app-ns patch service nginx-svc -p '{\"spec\":{\"selector\":{\"app\":\"nginx\"}}}'; sleep 2");
    person.sees("service/nginx-svc patched");
    person.sees("k8s-master1# ");
    person.types("check");
    person.sees("Solved with 3 commands and 1 hint.");
    person.sees("k8s-master1# ");
    person.presses(ControlCode::EndOfTransmission);
    person.leaves_with(0);
    let _ = std::fs::remove_dir_all(state);
}

#[test]
fn what_a_seed_draws_is_cured_by_its_solution() {
    let (text, status) = script(&["--random", "--seed", "7", "--faults", "2"], "solution\n");
    assert_eq!(status, Some(1), "{text}");
    let typed = text.lines().filter_map(|line| line.split_once("# "));
    let typed = typed.filter(|(_, command)| *command != "solution");
    let mut lines = String::new();
    for (on, command) in typed {
        lines.push_str(&format!("on {on}\n{command}\n"));
    }
    let (text, status) = script(&["--random", "--seed", "7", "--faults", "2"], &lines);
    assert_eq!(status, Some(0), "{text}");
}

#[test]
fn scripts_are_graded() {
    let (text, status) =
        script(&["ip-forward", "--format", "json"], "hint\nssh node2\nsysctl -w net.ipv4.ip_forward=1\n");
    assert_eq!(status, Some(0));
    let graded: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        (&graded["solved"], &graded["hints"], &graded["commands"]),
        (&true.into(), &1.into(), &1.into())
    );

    let (text, status) = script(&["ip-forward", "--format", "json"], "ping 10.244.1.2\n^C\n");
    assert_eq!(status, Some(1));
    let graded: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(graded["checks"][0]["passed"], false);

    let (_, status) = script(&["no-such-lab"], "");
    assert_eq!(status, Some(2));
}
