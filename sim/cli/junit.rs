use std::path::Path;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::replay::Replayed;

/// The results as JUnit's XML: a suite a scenario, a case an expectation; one more for its snapshot
/// if it differs. Times are virtual.
///
/// # Errors
/// The file can't be written.
pub(crate) fn write(file: &Path, all: &[Replayed]) -> Result<(), String> {
    let mut report = Report::new("hoplab");
    for replayed in all {
        report.add_test_suite(suite(replayed));
    }
    let text = report.to_string().map_err(|error| format!("{}: {error}", file.display()))?;
    std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

fn suite(replayed: &Replayed) -> TestSuite {
    let mut suite = TestSuite::new(replayed.file.display().to_string());
    if let Ok(tally) = &replayed.tally {
        suite.set_time(tally.took);
    }
    for (act, expectation, instead) in &replayed.judged {
        let mut case = TestCase::new(expectation.as_str(), TestCaseStatus::success());
        case.set_classname(act.as_str());
        if let Some(instead) = instead {
            case.status = failure(NonSuccessKind::Failure, instead);
        }
        suite.add_test_case(case);
    }
    if let Some(difference) = &replayed.difference {
        let status = failure(NonSuccessKind::Failure, &format!("differs from its snapshot\n{difference}"));
        suite.add_test_case(TestCase::new("snapshot", status));
    }
    if let Err(message) = &replayed.tally {
        suite.add_test_case(TestCase::new("scenario", failure(NonSuccessKind::Error, message)));
    }
    suite
}

/// The first line as message, the whole as description.
fn failure(kind: NonSuccessKind, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(text.lines().next().unwrap_or_default());
    status.set_description(text);
    status
}
