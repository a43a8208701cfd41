use std::collections::VecDeque;
use std::time::Duration;

use packet::{HostId, NetnsId, Pid, SimTime};
use serde::{Deserialize, Serialize};
use world::World;

use crate::editor::{Editor, Line};
use crate::pace::Pace;
use crate::terminal::{Terminal, Typed};

/// Where what is typed at a prompt comes from: from a queue as long as it lasts, then from a person
/// if there is one.
pub(crate) struct Typing {
    queue: VecDeque<Entry>,
    person: Option<Person>,
}

/// A person at a terminal.
struct Person {
    terminal: Terminal,
    editor: Editor,
    pace: Pace,
}

/// Something that was or will be typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Entry {
    /// A line, when the prompt asks for one or a command reads one.
    Line(String),
    /// A key or some lines while a command runs.
    During(When, Typed),
}

/// When something is typed while a command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum When {
    /// At this virtual time, in nanoseconds.
    At(u64),
    /// So long after the command began.
    After(Duration),
}

/// A script's `^C` comes so long after the command before it.
const PATIENCE: Duration = Duration::from_secs(3);

/// A script's command that runs longer than this, in virtual time, is interrupted.
const SCRIPT_LIMIT: Duration = Duration::from_secs(3600);

/// Events between two looks at the terminal while nothing waits for the wall clock.
const EVENTS_PER_LOOK: u64 = 4096;

impl Typing {
    /// Somebody at a terminal. Commands are paced to `rate` virtual seconds per second; 0 does not
    /// wait.
    ///
    /// # Errors
    /// The terminal is not usable.
    pub fn person(rate: u32) -> Result<Self, String> {
        let person = Person { terminal: Terminal::open()?, editor: Editor::open()?, pace: Pace::new(rate) };
        Ok(Self { queue: VecDeque::new(), person: Some(person) })
    }

    /// The lines of a script. `^C` interrupts the command before it, three virtual seconds after it
    /// began.
    pub fn script(text: &str) -> Self {
        let entry = |line: &str| match line.trim() {
            "^C" => Entry::During(When::After(PATIENCE), Typed::Interrupt),
            _ => Entry::Line(line.to_owned()),
        };
        Self { queue: text.lines().map(entry).collect(), person: None }
    }

    /// Puts what was typed at an earlier visit before everything else.
    pub fn resume(&mut self, journal: Vec<Entry>) {
        journal.into_iter().rev().for_each(|entry| self.queue.push_front(entry));
    }

    /// Takes lines that a person typed before the prompt was back, and that no command reads.
    pub fn type_ahead(&mut self, text: &[u8]) {
        let text = String::from_utf8_lossy(text);
        self.queue.extend(text.lines().map(|line| Entry::Line(line.to_owned())));
    }

    /// Whether what comes next was not typed just now by a person.
    pub fn is_queued(&self) -> bool {
        !self.queue.is_empty()
    }

    /// A command begins.
    pub fn begin(&mut self, now: SimTime) {
        if let Some(person) = &mut self.person {
            person.pace.start(now);
            person.terminal.forget();
        }
    }

    /// Reads a line for the prompt. Completion looks at a process of the world.
    ///
    /// # Errors
    /// The terminal fails.
    pub fn read(&mut self, prompt: &str, world: &World, at: (HostId, NetnsId, Pid)) -> Result<Line, String> {
        // What is meant for a running command comes too late once the prompt is back.
        while let Some(entry) = self.queue.pop_front() {
            if let Entry::Line(text) = entry {
                return Ok(Line::Text(text));
            }
        }
        match &mut self.person {
            Some(person) => person.editor.read(prompt, world, at),
            None => Ok(Line::End),
        }
    }

    /// Adds a command to the history.
    pub fn remember(&mut self, command: &str) {
        if let Some(person) = &mut self.person {
            person.editor.remember(command);
        }
    }

    /// What is typed while a command runs that began at `began`, before the world's next event;
    /// `reads` says whether the command waits for a line. Answers also the virtual time of it.
    pub fn meanwhile(&mut self, world: &World, began: SimTime, reads: bool) -> (Typed, SimTime) {
        let now = world.now();
        let next = world.next_event();
        let ahead = matches!(self.queue.front(), Some(Entry::Line(_))) && !reads && self.person.is_some();
        if let Some(entry) = self.queue.front().filter(|_| !ahead) {
            let (time, typed) = match entry {
                Entry::During(When::At(nanos), typed) => (SimTime(*nanos), typed.clone()),
                Entry::During(When::After(wait), typed) => (began + *wait, typed.clone()),
                Entry::Line(text) if reads => (now, Typed::Text(format!("{text}\n").into_bytes())),
                Entry::Line(_) => return (Self::impatience(now, began, next), now),
            };
            if next.is_some_and(|at| at <= time) {
                return (Typed::Nothing, now);
            }
            self.queue.pop_front();
            return (typed, time.max(now));
        }
        let Some(person) = &mut self.person else {
            let typed = if reads { Typed::End } else { Self::impatience(now, began, next) };
            return (typed, now);
        };
        let typed = match next {
            None => person.terminal.wait(None),
            Some(at) => match person.pace.wait_for(at) {
                Some(time) => person.terminal.wait(Some(time)),
                None if world.events_run().is_multiple_of(EVENTS_PER_LOOK) => {
                    person.terminal.wait(Some(Duration::ZERO))
                }
                None => Typed::Nothing,
            },
        };
        let limit = next.unwrap_or(person.pace.now(SimTime::MAX));
        (typed, person.pace.now(limit).max(now))
    }

    /// Nobody waits for a script's command for ever.
    fn impatience(now: SimTime, began: SimTime, next: Option<SimTime>) -> Typed {
        let too_long =
            next.is_none_or(|at| at.since(began) > SCRIPT_LIMIT) || now.since(began) > SCRIPT_LIMIT;
        if too_long { Typed::Interrupt } else { Typed::Nothing }
    }
}
