use std::fmt::{self, Write};

use serde::Serialize;
use trace::{Decision, DropReason};
use world::World;

use super::fix::Found;
use super::follow::{End, How, Story, describe, spot_text};
use super::ladder::Rung;
use super::probe::{Probe, Tried};
use super::suspect::Fix;
use crate::culprit::Culprit;

/// Fixes that are printed at most.
const FIXES_MAX: usize = 5;

/// What is wrong, and what mends it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diagnosis {
    /// From where to where.
    pub title: String,
    /// The rungs that were climbed, in order; the last one is the broken one, if one is.
    pub steps: Vec<StepSeen>,
    /// The name of the broken rung.
    pub broken: Option<String>,
    /// What is to blame.
    pub culprit: Option<Blame>,
    /// What else is to blame: mending the first is not enough.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Blame>,
    /// What was seen that says so.
    pub evidence: Vec<String>,
    /// What mends it; each was tried on a copy and works. The smallest comes first.
    pub fixes: Vec<Fix>,
}

/// A rung and what was seen on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepSeen {
    /// Its name.
    pub name: String,
    /// Whether everything on it worked.
    pub ok: bool,
    /// What was seen: of the first probe that failed, else of the last one.
    pub seen: String,
}

/// A culprit with what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Blame {
    /// What.
    #[serde(flatten)]
    pub culprit: Culprit,
    /// What is wrong with it, as a sentence.
    pub text: String,
}

impl StepSeen {
    /// What a person would note down.
    pub(super) fn of(rung: Rung, tried: &[(Probe, Tried)]) -> Option<Self> {
        let failed = tried.iter().find(|(_, tried)| !tried.ok);
        let (_, told) = failed.or(tried.last())?;
        let seen = match told.command.as_str() {
            "" => told.seen.clone(),
            command => format!("{command}: {}", told.seen),
        };
        Some(Self { name: rung.name().to_owned(), ok: failed.is_none(), seen })
    }
}

impl Diagnosis {
    pub(super) fn new(title: String) -> Self {
        Self {
            title,
            steps: Vec::new(),
            broken: None,
            culprit: None,
            also: Vec::new(),
            evidence: Vec::new(),
            fixes: Vec::new(),
        }
    }

    /// Whether nothing is wrong.
    pub fn is_healthy(&self) -> bool {
        self.broken.is_none()
    }

    /// Writes down what was found.
    pub(super) fn tell(&mut self, world: &World, broken: &[(Probe, Tried)], found: Found) {
        if let Some((probe, tried)) = broken.first() {
            let story = super::story(world, probe, tried);
            let told = tried.ran.as_ref().map_or(world, |ran| &ran.world);
            self.evidence.extend(story.ends.first().map(|end| sentence(told, end)));
            self.evidence.extend(way(told, &story));
        }
        let mut blamed = found.blamed.into_iter();
        if let Some(first) = blamed.next() {
            self.culprit = Some(Blame { culprit: first.culprit, text: first.text });
            self.evidence.extend(first.evidence);
        }
        for other in blamed {
            self.evidence.extend(other.evidence);
            self.also.push(Blame { culprit: other.culprit, text: other.text });
        }
        self.fixes = found.fixes;
        self.fixes.truncate(FIXES_MAX);
    }
}

/// How a packet ended, as a sentence.
pub(super) fn sentence(world: &World, end: &End) -> String {
    let (spot, packet) =
        (spot_text(world, end), end.packet().map_or_else(|| "an ARP message".to_owned(), describe));
    match &end.how {
        How::Dropped { reason, decided_by } => {
            let by = match decided_by {
                Some(Decision::Rule { table, chains, number, text, .. }) => {
                    let chain = chains.last().map(String::as_str).unwrap_or_default();
                    format!(" by rule {number} of {table} {chain}: `{text}`")
                }
                Some(Decision::Policy { table, chain, .. }) => format!(" by the policy of {table} {chain}"),
                Some(Decision::Fabric { segment, barrier }) => {
                    format!(" by the segment {segment}, which bars `{barrier}`")
                }
                None => String::new(),
            };
            let DropText(reason) = DropText::of(*reason);
            format!("{packet} ends at {spot}{by}: {reason}")
        }
        How::Lost => format!("{packet} leaves {spot} and arrives nowhere"),
        How::Unanswered => format!("{packet} arrives at {spot}, and nothing answers"),
        How::Refused => format!("{packet} arrives at {spot} and is refused"),
        How::NotSent => format!("{spot} sends no packet: its kernel has no way"),
    }
}

struct DropText(String);

impl DropText {
    fn of(reason: DropReason) -> Self {
        Self(format!("{} ({})", reason.sentence(), reason.name()))
    }
}

/// The places that the packets passed.
fn way(world: &World, story: &Story) -> Option<String> {
    use trace::Names;
    let names: Vec<String> = story.hosts().into_iter().map(|(host, netns)| world.node(host, netns)).collect();
    (names.len() > 1).then(|| format!("it passed {}", names.join(", ")))
}

/// As a person reads it.
impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        for step in &self.steps {
            let sign = if step.ok { '✓' } else { '✗' };
            writeln!(f, "  {sign} {:11} {}", step.name, step.seen)?;
        }
        if self.is_healthy() {
            return writeln!(f, "nothing is broken");
        }
        match &self.culprit {
            Some(Blame { culprit, text }) => writeln!(f, "\nto blame: {culprit}\n  {text}")?,
            None => writeln!(f, "\nnothing was found to blame")?,
        }
        for Blame { culprit, text } in &self.also {
            writeln!(f, "and:      {culprit}\n  {text}")?;
        }
        if !self.evidence.is_empty() {
            writeln!(f, "\nevidence:")?;
        }
        for line in &self.evidence {
            writeln!(f, "  {line}")?;
        }
        if self.fixes.is_empty() {
            return writeln!(f, "\nno fix was found that works");
        }
        writeln!(f, "\nfixes that were tried on a copy and work:")?;
        for (number, fix) in self.fixes.iter().enumerate() {
            let mut text = String::new();
            lines(fix, &mut text)?;
            writeln!(f, "  {}. {}", number + 1, text.trim_end())?;
        }
        Ok(())
    }
}

fn lines(fix: &Fix, text: &mut String) -> fmt::Result {
    writeln!(text, "on {}:", fix.on)?;
    for command in &fix.commands {
        for line in command.lines() {
            writeln!(text, "       {line}")?;
        }
    }
    for then in &fix.then {
        text.push_str("     ");
        lines(then, text)?;
    }
    Ok(())
}
