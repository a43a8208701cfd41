//! What is wrong with a file is said in full, at the right place.
//!
//! Each file of `tests/broken/` has one mistake. Its first line says where the message must point:
//! `//~ 7:12` (`#~ 7:12` in YAML), or `//~ parts/other.ron 7:12` if that is in an included file, or
//! `//~` alone if the mistake has no place. The whole message is a snapshot: `INSTA_UPDATE=always cargo test --test
//! broken`, and read it.

#![allow(clippy::expect_used)]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// How `hoplab` is to end.
const BAD_INPUT: i32 = 2;
const FINE: i32 = 0;

/// Runs `hoplab` on each file of a folder, compares status, place and message.
fn check(folder: &str, args: &[&str], word: &str, status: i32) {
    let folder = Path::new("tests/broken").join(folder);
    let mut wrong = Vec::new();
    let yaml = support::files(&folder, "yaml").into_iter();
    for file in support::files(&folder, "ron").into_iter().chain(yaml) {
        let name = file.file_name().expect("a file has a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).expect("the file can be read");
        let marker =
            text.lines().next().and_then(|line| line.strip_prefix("//~").or(line.strip_prefix("#~")));
        let place = match marker.expect("a marker").trim().rsplit_once(' ') {
            Some((other, place)) => format!("{other}:{place}: "),
            None if marker == Some("") => format!("{name}: "),
            None => format!("{name}:{}: ", marker.unwrap_or("").trim()),
        };
        let args = args.iter().map(|arg| if *arg == "FILE" { name.as_str() } else { *arg });
        let out = Command::new(env!("CARGO_BIN_EXE_hoplab"))
            .args(args)
            .current_dir(&folder)
            .stdin(Stdio::null())
            .output()
            .expect("the binary runs");
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        if !said.starts_with(&format!("{word}: {place}")) || out.status.code() != Some(status) {
            wrong.push(format!(
                "{name}: expected {place}and status {status}, got {:?}: {said}",
                out.status.code()
            ));
        }
        let snapshots = Path::new("..").join(&folder).join("snapshots");
        insta::with_settings!(
            { prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => snapshots },
            { insta::assert_snapshot!(name.trim_end_matches(".ron").trim_end_matches(".yaml"), said) }
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn topologies() {
    check("topologies", &["sh", "--topology", "FILE", "-c", "true"], "error", BAD_INPUT);
}

#[test]
fn what_looks_wrong_is_said_and_runs() {
    check("warnings", &["sh", "--topology", "FILE", "-c", "true"], "warning", FINE);
}

#[test]
fn scenarios() {
    check(
        "scenarios",
        &["run", "--topologies", "../../../sim/lab/tests/topologies", "FILE"],
        "error",
        BAD_INPUT,
    );
}

/// What `kubectl apply` says of each manifest, and where.
#[test]
fn manifests() {
    let folder = Path::new("tests/broken/manifests");
    let mut script = String::new();
    let mut markers = Vec::new();
    for file in support::files(folder, "yaml") {
        let name = file.file_name().expect("a file has a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).expect("the file can be read");
        script.push_str(&format!("cat > {name} <<'END'\n{text}END\necho '# kubectl apply -f {name}'\n"));
        script.push_str(&format!("kubectl apply -f {name}\n"));
        let marker = text.lines().next().and_then(|line| line.strip_prefix("#~"));
        markers.push((name, marker.expect("a marker").trim().to_owned()));
    }
    let out = Command::new(env!("CARGO_BIN_EXE_hoplab"))
        .args(["sh", "--topology", "cluster.ron", "-c", &format!("exec 2>&1\n{script}")])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    let mut wrong = Vec::new();
    for (name, place) in markers {
        let block =
            said.split("# kubectl apply -f ").find_map(|block| block.strip_prefix(&format!("{name}\n")));
        let block = block.unwrap_or_default();
        let right = match place.as_str() {
            "" => !block.is_empty() && block.lines().all(|line| line.ends_with(" created")),
            "-" => block.contains("Error from server"),
            place => block.contains(&format!("hoplab: {name}:{place}: ")),
        };
        if !right {
            wrong.push(format!("{name}: expected {place}, got {block}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    insta::with_settings!(
        { prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => "broken/manifests/snapshots" },
        { insta::assert_snapshot!("manifests", said) }
    );
}

#[test]
fn proxies() {
    check("proxies", &["kube-proxy", "FILE"], "error", BAD_INPUT);
}
