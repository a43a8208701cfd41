//! Every script of `tests/dns/recorded`, against what BIND 9.18's own tools printed for it.
//!
//! `tests/dns/record.py` records and explains the recordings; this program needs nothing but cargo.

#![allow(clippy::expect_used)]

mod support;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use regex::{Captures, Regex};
use trace::Off;

const FOLDER: &str = "tests/dns/recorded";

fn main() -> ExitCode {
    let rules = Arc::new(Rules::new());
    let trials = support::scripts(&[FOLDER]).into_iter().map(|script| {
        let rules = Arc::clone(&rules);
        let name = script.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Trial::test(name, move || check(&script, &rules))
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

/// The rules of `record.py`: what only a clock or dice know is replaced.
struct Rules {
    cookie: Regex,
    texts: Vec<(Regex, &'static str)>,
}

impl Rules {
    fn new() -> Self {
        let re = |pattern: &str| Regex::new(pattern).expect("a rule is a valid expression");
        Self {
            cookie: re("(; COOKIE: )([0-9a-f]+)"),
            texts: vec![
                (re(r"(?m), id: \d+$"), ", id: ID"),
                (re(r"(;; Query time: )\d+ msec"), "${1}T msec"),
                (re(r"(?m)^(;; Received \d+ bytes from .* in )\d+ ms"), "${1}T ms"),
                (re(r"(?m)^(Received \d+ bytes from .* in )\d+ ms"), "${1}T ms"),
                (re(r"(?m)^;; WHEN: .*"), ";; WHEN: DATE"),
                (re(r"(?m)^\d\d-[A-Z][a-z][a-z]-\d{4} \d\d:\d\d:\d\d\.\d{3} "), ""),
            ],
        }
    }

    fn apply(&self, text: &str) -> String {
        let cookie = |found: &Captures<'_>| format!("{}{}", &found[1], "C".repeat(found[2].len()));
        let mut text = self.cookie.replace_all(text, cookie).into_owned();
        for (rule, by) in &self.texts {
            text = rule.replace_all(&text, *by).into_owned();
        }
        text
    }
}

/// A script with the prelude that its first line names.
fn with_prelude(script: &str) -> String {
    let first = script.lines().next().unwrap_or_default();
    let prelude = first.strip_prefix("# prelude: ").map(|name| {
        let path = Path::new(FOLDER).join(name.trim()).with_extension("prelude");
        fs::read_to_string(path).expect("the prelude is there")
    });
    prelude.unwrap_or_default() + script
}

fn check(script: &Path, rules: &Rules) -> Result<(), Failed> {
    let text = with_prelude(&fs::read_to_string(script)?);
    let recorded = fs::read_to_string(script.with_extension("out"))?;
    let name = script.file_name().unwrap_or_default().to_string_lossy();
    let (_, output) = support::run_script(&name, &text, 0, &mut Off);
    let output = rules.apply(&output);
    if output == recorded {
        return Ok(());
    }
    let diff = similar::TextDiff::from_lines(&recorded, &output);
    Err(diff.unified_diff().context_radius(3).header("BIND", "hoplab").to_string().into())
}
