use std::cell::RefCell;
use std::rc::Rc;

use lab::{Checked, Exercise, Lab};
use trace::view::{View, print};
use trace::{Off, Step};

use super::moves;
use super::progress::{Progress, Solved};
use crate::help;
use crate::prompt::{Desk, Prompt};

/// What somebody did in a lab.
#[derive(Clone, Debug, Default)]
pub(crate) struct Visit {
    /// Hints that were asked for.
    pub hints: usize,
    /// Whether the solution was looked at.
    pub peeked: bool,
    /// Commands that were typed at hosts.
    pub commands: usize,
    /// Whether all checks have passed.
    pub solved: bool,
    /// What the last command's packets did.
    pub steps: Vec<Step>,
}

/// The lab's own commands.
pub(crate) struct LabDesk {
    /// By which name it is remembered; none if it isn't.
    pub name: Option<String>,
    pub title: String,
    pub exercise: Exercise,
    /// The network as it was when the prompt began.
    pub lab: Lab,
    pub visit: Rc<RefCell<Visit>>,
}

impl Desk for LabDesk {
    fn carry_out(&mut self, prompt: &mut Prompt, words: &[&str]) -> bool {
        match *words {
            ["help"] => {
                prompt.say(&help::of_lab());
                // The hosts' commands follow.
                return false;
            }
            ["story"] => prompt.say(&self.story()),
            ["hint"] => self.hint(prompt),
            ["check"] => self.check(prompt),
            ["solution"] => self.solution(prompt),
            ["trace"] => self.trace(prompt),
            ["steps"] => steps(prompt),
            ["undo"] => match prompt.past().step().checked_sub(1) {
                Some(step) => go_to(prompt, step),
                None => prompt.complain("nothing to undo\n"),
            },
            ["redo"] => {
                let step = prompt.past().step() + 1;
                if step > prompt.past().commands().count() {
                    prompt.complain("nothing to redo\n");
                } else {
                    go_to(prompt, step);
                }
            }
            ["goto", step] => match step.parse() {
                Ok(step) => go_to(prompt, step),
                Err(_) => prompt.complain("usage: goto STEP   (`steps` lists them)\n"),
            },
            ["goto", ..] => prompt.complain("usage: goto STEP   (`steps` lists them)\n"),
            ["reset"] => go_to(prompt, 0),
            ["quit"] => prompt.quit(),
            _ => return moves::carry_out(&self.now(prompt), prompt, words),
        }
        true
    }
}

impl LabDesk {
    /// The lab's network as it is now.
    fn now(&self, prompt: &Prompt) -> Lab {
        let mut lab = self.lab.clone();
        lab.world = prompt.world.clone();
        lab
    }

    /// What one is told first.
    pub fn story(&self) -> String {
        let Exercise { topic, difficulty, story, .. } = &self.exercise;
        format!("{} ({topic}, difficulty {difficulty} of 5)\n\n{}\n\n", self.title, story.trim())
    }

    fn hint(&mut self, prompt: &mut Prompt) {
        let mut visit = self.visit.borrow_mut();
        let all = &self.exercise.hints;
        match all.get(visit.hints) {
            Some(hint) => {
                visit.hints += 1;
                prompt.say(&format!("hint {} of {}: {}\n", visit.hints, all.len(), hint.trim()));
            }
            None if all.is_empty() => prompt.say("This lab has no hints.\n"),
            None => prompt.say("There are no more hints; `solution` shows one way.\n"),
        }
    }

    fn check(&mut self, prompt: &mut Prompt) {
        let all = self.exercise.look(&self.now(prompt));
        let text: String = all.iter().map(Checked::text).collect();
        prompt.say(&text);
        if !all.iter().all(Checked::passed) {
            return;
        }
        let mut visit = self.visit.borrow_mut();
        let Visit { hints, peeked, commands, .. } = *visit;
        let (typed, asked) = (counted(commands, "command"), counted(hints, "hint"));
        prompt.say(&format!("Solved with {typed} and {asked}. `quit` leaves.\n"));
        if !visit.solved
            && let Some(name) = &self.name
            && let Err(error) = Progress::remember(name, Solved { peeked, hints, commands })
        {
            prompt.complain(&format!("error: it can't be remembered: {error}\n"));
        }
        visit.solved = true;
    }

    fn solution(&mut self, prompt: &mut Prompt) {
        self.visit.borrow_mut().peeked = true;
        for command in &self.exercise.solution {
            prompt.say(&format!("{}# {}\n", command.on, command.cmd));
        }
    }

    /// The way of the packets of the last command.
    fn trace(&self, prompt: &mut Prompt) {
        let Some(before) = prompt.past().before().cloned() else {
            return prompt.say("Nothing has been typed yet.\n");
        };
        let lab = self.now(prompt);
        let traces = lab::traces_of(&lab, &prompt.shells(), &self.visit.borrow().steps, &before);
        if traces.is_empty() {
            prompt.say("The last command sent no packet. `trace TO` follows one that is made up.\n");
        }
        for trace in traces {
            prompt.say(&print(&trace, &lab.world, View::Summary));
        }
    }
}

/// `1 hint`, `2 hints`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The commands so far, with the present state marked.
fn steps(prompt: &mut Prompt) {
    let at = prompt.past().step();
    let mark = |step: usize| if step == at { '>' } else { ' ' };
    let mut text = format!("{} 0  the lab as it was found\n", mark(0));
    for (number, command) in prompt.past().commands().enumerate() {
        text.push_str(&format!("{} {}  {command}\n", mark(number + 1), number + 1));
    }
    prompt.say(&text);
}

fn go_to(prompt: &mut Prompt, step: usize) {
    if prompt.go_to(step) {
        prompt.say(&format!("step {step}\n"));
    } else {
        let last = prompt.past().commands().count();
        prompt.complain(&format!("there are steps from 0 to {last}\n"));
    }
}

/// Runs a command on a copy of the network; answers what it printed and its status.
pub(super) fn try_out(lab: &Lab, prompt: &Prompt, command: &str) -> (String, i32) {
    let mut copy = lab.clone();
    match copy.run_command(&prompt.spot(), command, &mut Off) {
        Ok(ran) => ran,
        Err(error) => (format!("{error}\n"), 1),
    }
}
