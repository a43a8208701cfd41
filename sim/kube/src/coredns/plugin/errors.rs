use packet::SimTime;

use crate::coredns::act::Act;
use crate::coredns::corefile::{Consolidate, ErrorLog, Level};
use crate::proxy::input::GoDuration;

/// The `errors` plugin: what failed is logged, some of it counted. CoreDNS: `plugin/errors`.
#[derive(Clone, Debug, Default)]
pub struct Errors {
    counted: Vec<Counted>,
}

/// Errors that are counted.
#[derive(Clone, Debug)]
struct Counted {
    rule: Consolidate,
    count: u32,
    /// When their number is logged.
    due: Option<SimTime>,
}

impl Errors {
    /// As the Corefile says.
    pub fn new(config: &ErrorLog) -> Self {
        let counted = |rule: &Consolidate| Counted { rule: rule.clone(), count: 0, due: None };
        Self { counted: config.consolidate.iter().map(counted).collect() }
    }

    /// Logs an error, or counts it. `query` is its name and type.
    pub fn log(&mut self, code: u16, query: &str, error: &str, now: SimTime, acts: &mut Vec<Act>) {
        let Some(counted) = self.counted.iter_mut().find(|counted| counted.rule.pattern.0.is_match(error))
        else {
            acts.extend(line(Level::Error, &format!("{code} {query}: {error}")));
            return;
        };
        counted.count += 1;
        counted.due.get_or_insert(now + counted.rule.period);
    }

    /// When there is something to log next.
    pub fn next(&self) -> Option<SimTime> {
        self.counted.iter().filter_map(|counted| counted.due).min()
    }

    /// Logs the numbers that are due.
    pub fn tick(&mut self, now: SimTime, acts: &mut Vec<Act>) {
        for Counted { rule, count, due } in &mut self.counted {
            if due.is_some_and(|due| due <= now) {
                *due = None;
                let nanos = i64::try_from(rule.period.as_nanos()).unwrap_or(i64::MAX);
                let (pattern, period) = (rule.pattern.0.as_str(), GoDuration { nanos });
                let text = format!("{count} errors like '{pattern}' occurred in last {period}");
                acts.extend(line(rule.level, &text));
                *count = 0;
            }
        }
    }
}

/// A line of the log, if it is loud enough.
fn line(level: Level, text: &str) -> Option<Act> {
    let level = match level {
        // Nothing turns debugging on.
        Level::Debug => return None,
        Level::Info => "INFO",
        Level::Warning => "WARNING",
        Level::Error => "ERROR",
    };
    Some(Act::Log(format!("[{level}] plugin/errors: {text}")))
}
