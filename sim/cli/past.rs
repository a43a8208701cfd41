use lab::Spot;
use world::World;

use crate::prompt::Session;

/// The states of a network between commands.
#[derive(Default)]
pub(crate) struct Past {
    kept: bool,
    moments: Vec<Moment>,
    /// The moment that is now.
    at: usize,
}

/// A network between two commands, and the shells on it.
pub(crate) struct Moment {
    /// The command that led to it; empty for the first.
    command: String,
    world: World,
    sessions: Vec<Session>,
    /// The prompt at which each shell waits.
    asked: Vec<Option<String>>,
    current: usize,
    left: Vec<Spot>,
}

impl Moment {
    /// The state that is now.
    pub fn new(world: &World, sessions: &[Session], current: usize, left: &[Spot]) -> Self {
        Self {
            command: String::new(),
            world: world.clone(),
            sessions: sessions.to_vec(),
            asked: sessions.iter().map(Session::asked).collect(),
            current,
            left: left.to_vec(),
        }
    }

    /// What it was made of.
    pub fn restore(&self) -> (World, Vec<Session>, usize, Vec<Spot>) {
        for (session, asked) in self.sessions.iter().zip(&self.asked) {
            session.ask(asked.clone());
        }
        (self.world.clone(), self.sessions.clone(), self.current, self.left.clone())
    }
}

impl Past {
    /// Keeps states from now on.
    pub fn keep(&mut self) {
        self.kept = true;
    }

    /// Takes the state after a command; without one, the first state or a move to another place.
    pub fn remember(&mut self, moment: Moment, command: &str) {
        if !self.kept {
            return;
        }
        let at = self.at;
        match self.moments.get_mut(at) {
            Some(now) if command.is_empty() => {
                *now = Moment { command: std::mem::take(&mut now.command), ..moment }
            }
            None => self.moments.push(moment),
            Some(_) => {
                self.moments.truncate(at + 1);
                self.moments.push(Moment { command: command.to_owned(), ..moment });
                self.at += 1;
            }
        }
    }

    /// How many commands led to the present state.
    pub fn step(&self) -> usize {
        self.at
    }

    /// The network before the last command.
    pub fn before(&self) -> Option<&World> {
        Some(&self.moments.get(self.at.checked_sub(1)?)?.world)
    }

    /// The commands, those that were undone too: with its prompt each.
    pub fn commands(&self) -> impl Iterator<Item = &str> {
        self.moments.iter().skip(1).map(|moment| moment.command.as_str())
    }

    /// Makes another moment the present one.
    pub fn go_to(&mut self, step: usize) -> Option<&Moment> {
        let moment = self.moments.get(step)?;
        self.at = step;
        Some(moment)
    }
}
