use super::fake;

/// Scripts whose output and status were taken from dash 0.5.12.
const DASH: &str = include_str!("dash.txt");

/// Runs every script of `dash.txt`: `--- SCRIPT`, output, `=STATUS`.
#[test]
fn scripts_do_what_dash_does() {
    let mut wrong = Vec::new();
    for case in DASH.split("\n--- ").map(|case| case.trim_start_matches("--- ")) {
        let Some((body, status)) = case.trim_end_matches('\n').rsplit_once('=') else { continue };
        let Some((script, output)) = body.split_once("\n>>>\n") else { continue };
        let ran = fake::run(&["sh", "-c", script]);
        let output = output.trim_end_matches('\n');
        if ran.output.trim_end_matches('\n') != output || ran.status.to_string() != status {
            wrong.push(format!("--- {script}\n>>> dash ={status}\n{output}\n>>> here ={}\n{}", ran.status, ran.output));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
