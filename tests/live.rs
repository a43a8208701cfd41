//! The recordings of `tests/parity`, made again on this machine's own kernel.
//!
//! Needs root, Linux and the tools; skipped aloud without them, unless `HOPLAB_REQUIRE_LIVE` is set.
//! A recording fails only if several runs agree with each other and differ from it.

#![allow(clippy::print_stderr, clippy::expect_used)]

use std::path::PathBuf;
use std::process::Command;

/// Scripts that run at once at first, when a difference may still be the load's fault.
const JOBS: &str = "6";

/// What the recordings were made with.
const TOOLS: [&str; 17] = [
    "python3",
    "unshare",
    "ip",
    "bridge",
    "ping",
    "arping",
    "traceroute",
    "tracepath",
    "tcpdump",
    "iptables",
    "iptables-legacy",
    "ipset",
    "xtables-monitor",
    "conntrack",
    "curl",
    "nc",
    "nmap",
];

fn missing() -> Option<String> {
    let works = |program: &str, args: &[&str]| {
        Command::new(program).args(args).output().is_ok_and(|out| out.status.success())
    };
    if !works("unshare", &["--net", "true"]) {
        return Some("root and network namespaces".to_owned());
    }
    TOOLS
        .iter()
        .find(|tool| !works("sh", &["-c", &format!("command -v {tool}")]))
        .map(|tool| format!("the tool `{tool}`"))
}

/// Re-records `scripts`; answers those that came out otherwise, with what `parity.py` says.
fn verify(options: &[&str], scripts: &[String]) -> (Vec<String>, String) {
    let out = Command::new("python3")
        .args(["tests/parity/parity.py", "record", "--verify"])
        .args(options)
        .args(scripts)
        .output()
        .expect("python3 is there");
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let odd = text
        .lines()
        .filter_map(|line| {
            let (verdict, script) = line.split_once(char::is_whitespace)?;
            let script = script.trim();
            (script.ends_with(".sh") && !verdict.starts_with("ok") && !verdict.starts_with(['+', '-', '@']))
                .then(|| script.to_owned())
        })
        .collect();
    (odd, text)
}

#[test]
fn recordings_hold_on_this_kernel() {
    if let Some(what) = missing() {
        let required = std::env::var_os("HOPLAB_REQUIRE_LIVE").is_some();
        assert!(!required, "the live comparison needs {what}");
        eprintln!("SKIPPED: the live comparison needs {what}");
        return;
    }
    let mut scripts: Vec<PathBuf> = std::fs::read_dir("tests/parity")
        .expect("the recordings are there")
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "sh"))
        .collect();
    scripts.sort();
    let scripts: Vec<String> = scripts.iter().map(|path| path.display().to_string()).collect();
    let (odd, _) = verify(&["--jobs", JOBS], &scripts);
    eprintln!("{} recordings hold at once, {} are tried again alone", scripts.len() - odd.len(), odd.len());
    if odd.is_empty() {
        return;
    }
    let (still, text) = verify(&["--jobs", "1", "--runs", "3", "--retries", "3"], &odd);
    let differing: Vec<&String> =
        still.iter().filter(|script| text.contains(&format!("DIFFERS   {script}"))).collect();
    assert!(differing.is_empty(), "the kernel prints otherwise than recorded for {differing:?}\n{text}");
}
