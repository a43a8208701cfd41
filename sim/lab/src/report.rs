//! A scenario's steps as text.

use std::fmt::Write;

use trace::view::{View, print};

use crate::expect::{Failure, Verdict};
use crate::run::StepReport;

impl StepReport {
    /// The step as a snapshot holds it: a command without its output but with the minimal way of
    /// each packet that matters, a table, a verdict.
    pub fn minimal(&self) -> String {
        match self {
            Self::Act(name) => format!("\n## {name}\n"),
            Self::Command(ran) => {
                let status =
                    if ran.status == 0 { String::new() } else { format!("   [exit {}]", ran.status) };
                format!("\n{}$ {}{status}\n{}", ran.on, ran.cmd, ran.print(View::Minimal))
            }
            Self::Table(ran) => format!("\n{}", ran.output),
            Self::Checked(checked) => checked.text(),
            Self::Judged { .. } => self.verdict_text(),
        }
    }

    /// An expectation with its verdict; of one that failed, what happened instead and the way of the
    /// packet that was judged. Empty for other steps.
    pub fn verdict_text(&self) -> String {
        let Self::Judged { expectation, verdict, ran } = self else { return String::new() };
        let Verdict::Failed(Failure { instead, around }) = verdict else {
            return format!("  ✓ {expectation}\n");
        };
        let mut lines = instead.lines();
        let mut text = format!("  ✗ {expectation}\n    instead: {}\n", lines.next().unwrap_or_default());
        let trace = around.as_ref().map(|trace| print(trace, &ran.world, View::Summary)).unwrap_or_default();
        for line in lines.chain(trace.lines()) {
            let _ = writeln!(text, "{}", format!("      {line}").trim_end());
        }
        text
    }
}
