use std::collections::BTreeMap;

use packet::{NetnsId, SimTime};
use trace::Off;
use world::{Outcome, Signal, World};

/// What a command said on both outputs, and its exit status.
pub(crate) struct Ran {
    pub(crate) output: String,
    pub(crate) status: i32,
}

/// Runs a command line on a host of its own; signals are sent to it at times in milliseconds.
pub(crate) fn run(args: &[&str], signals: &[(u64, Signal)]) -> Ran {
    let mut registry = world::Registry::default();
    super::install(&mut registry);
    crate::text::install(&mut registry);
    let mut world = World::new(0);
    let host = world.add_host("lab", registry);
    let console = world.add_console(host, false);
    world.type_input(host, console, None);
    let args = args.iter().map(|&a| a.to_owned()).collect();
    let env = BTreeMap::from([("HOME".to_owned(), "/root".to_owned())]);
    let pid = world.spawn(host, NetnsId::INIT, console, args, env).expect("the command is installed");
    for &(at, signal) in signals {
        world.run_until(SimTime(at * 1_000_000), &mut Off);
        world.signal(host, pid, signal);
    }
    let mut output = Vec::new();
    let outcome =
        world.run_to_exit(host, pid, console, &mut Off, &mut |_, bytes| output.extend_from_slice(bytes));
    let Outcome::Exited(status) = outcome else { panic!("the command does not end") };
    Ran { output: String::from_utf8_lossy(&output).into_owned(), status }
}

/// Scripts whose output and status were taken from dash 0.5.12: `--- SCRIPT`, `>>>`, output,
/// `=STATUS`.
const DASH: &str = include_str!("dash.txt");

#[test]
fn scripts_do_what_dash_does() {
    let mut wrong = Vec::new();
    for case in DASH.trim_start_matches("--- ").split("\n--- ") {
        let Some((body, status)) = case.trim_end_matches('\n').rsplit_once("\n=") else { panic!("{case}") };
        let Some((script, output)) =
            format!("{body}\n").split_once("\n>>>\n").map(|(a, b)| (a.to_owned(), b.to_owned()))
        else {
            panic!("{case}")
        };
        let ran = run(&["sh", "-c", &script], &[]);
        if ran.output.trim_end_matches('\n') != output.trim_end_matches('\n')
            || ran.status.to_string() != status
        {
            wrong.push(format!(
                "--- {script}\n>>> dash ={status}\n{output}>>> here ={}\n{}",
                ran.status, ran.output
            ));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn signals_traps_and_long_loops() {
    let cases: [(&str, &[(u64, Signal)], &str, i32); 5] = [
        ("sleep 5; echo no", &[(1000, Signal::Int)], "", 130),
        ("trap 'echo caught' INT; sleep 5; echo after", &[(1000, Signal::Int)], "caught\nafter\n", 0),
        ("trap '' TERM; sleep 1; echo still", &[(500, Signal::Term)], "still\n", 0),
        ("while read x; do echo $x; done; echo end", &[], "end\n", 0),
        ("i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done; echo $i", &[], "50000\n", 0),
    ];
    for (script, signals, output, status) in cases {
        let ran = run(&["sh", "-c", script], signals);
        assert_eq!((ran.output.as_str(), ran.status), (output, status), "{script}");
    }
}
