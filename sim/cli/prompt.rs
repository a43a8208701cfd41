use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use lab::Spot;
use packet::{HostId, Pid};
use tools::shell::{ParseStatus, PromptKind, Shell, parse_status};
use trace::Observer;
use world::{ConsoleId, Signal, Stream, Sys, World};

use crate::editor::Line;
use crate::help;
use crate::past::{Moment, Past};
use crate::terminal::{Typed, write_out};
use crate::typing::{Entry, Typing, When};

/// A prompt on the hosts of a world.
pub(crate) struct Prompt {
    /// The network.
    pub world: World,
    /// One shell for each place that was visited.
    sessions: Vec<Session>,
    /// The session that is typed at.
    current: usize,
    /// The places that `exit` goes back to, the last first.
    left: Vec<Spot>,
    typing: Typing,
    /// Everything that was typed, for another visit.
    journal: Vec<Entry>,
    /// Where undo goes back to.
    past: Past,
    /// Commands of its own beyond those that every prompt has.
    desk: Option<Box<dyn Desk>>,
    screen: Screen,
    over: bool,
}

/// Commands that a prompt has beside the hosts' own.
pub(crate) trait Desk {
    /// Carries a command out; false if it is none of these.
    fn carry_out(&mut self, prompt: &mut Prompt, words: &[&str]) -> bool;
}

/// Where a prompt's text goes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Screen {
    /// All of it to standard error: standard output is for a result.
    pub aside: bool,
    /// What was shown, if somebody keeps it.
    pub kept: Option<String>,
}

impl Screen {
    /// Shows a text.
    pub fn say(&mut self, stream: Stream, text: &[u8]) {
        if let Some(kept) = &mut self.kept {
            kept.push_str(&String::from_utf8_lossy(text));
        }
        write_out(if self.aside { Stream::Err } else { stream }, text);
    }
}

/// A shell that runs.
#[derive(Clone)]
pub(crate) struct Session {
    host: HostId,
    spot: Spot,
    console: ConsoleId,
    pid: Pid,
    /// The prompt it last asked for, until a line is given to it.
    asked: Arc<Mutex<Option<String>>>,
}

/// How a run of the foreground ended.
enum Foreground {
    /// The shell asks for a line with this prompt.
    Idle(String),
    /// The shell ended with this status.
    Exited(i32),
}

impl Prompt {
    /// A prompt at a place.
    pub fn new(world: World, spot: Spot, typing: Typing) -> Self {
        let mut prompt = Self {
            world,
            sessions: Vec::new(),
            current: 0,
            left: Vec::new(),
            typing,
            journal: Vec::new(),
            past: Past::default(),
            desk: None,
            screen: Screen::default(),
            over: false,
        };
        prompt.go(spot);
        prompt
    }

    /// The same prompt with commands of its own; states of the network are kept for undo.
    pub fn with_desk(mut self, desk: Box<dyn Desk>, screen: Screen) -> Self {
        self.desk = Some(desk);
        self.screen = screen;
        self.past.keep();
        self
    }

    /// Reads and runs commands until the shell ends; answers how it was left. `after` is called
    /// whenever a command is over, with what was typed.
    ///
    /// # Errors
    /// The terminal fails, or `after` does.
    pub fn run<O: Observer>(
        mut self,
        obs: &mut O,
        mut after: impl FnMut(&World, &str, &mut O) -> Result<(), String>,
    ) -> Result<Left, String> {
        let mut typed = String::new();
        loop {
            let foreground = self.run_foreground(obs);
            after(&self.world, &typed, obs)?;
            match foreground {
                Foreground::Exited(status) if !self.go_back() => return Ok(self.leave(status)),
                Foreground::Exited(_) => typed.clear(),
                Foreground::Idle(prompt) => {
                    let now = Moment::new(&self.world, &self.sessions, self.current, &self.left);
                    self.past.remember(now, typed.trim_end());
                    let command = self.read_command(&prompt)?;
                    typed = match command {
                        Some(command) => format!("{prompt}{command}"),
                        None => String::new(),
                    };
                }
            }
            if self.over {
                return Ok(self.leave(0));
            }
        }
    }

    fn leave(mut self, status: i32) -> Left {
        // Leaving is no part of what another visit goes on from.
        self.journal
            .pop_if(|last| matches!(last, Entry::Line(line) if ["quit", "exit"].contains(&line.trim())));
        Left { world: self.world, status, journal: self.journal, shown: self.screen.kept }
    }

    /// Ends the prompt once the command that is carried out is over.
    pub fn quit(&mut self) {
        self.over = true;
    }

    /// Shows a text.
    pub fn say(&mut self, text: &str) {
        self.screen.say(Stream::Out, text.as_bytes());
    }

    /// Shows what is wrong.
    pub fn complain(&mut self, text: &str) {
        self.screen.say(Stream::Err, text.as_bytes());
    }

    /// The states that undo goes back to.
    pub fn past(&self) -> &Past {
        &self.past
    }

    /// Goes back, or forward again, to the state after so many commands.
    pub fn go_to(&mut self, step: usize) -> bool {
        let Some(moment) = self.past.go_to(step) else { return false };
        (self.world, self.sessions, self.current, self.left) = moment.restore();
        true
    }

    /// The place of the current shell.
    pub fn spot(&self) -> Spot {
        self.session().spot.clone()
    }

    /// The shells that were started.
    pub fn shells(&self) -> Vec<(HostId, Pid)> {
        self.sessions.iter().map(|session| (session.host, session.pid)).collect()
    }

    /// Leaves the current place for the one from which one came to it; false if there is none.
    fn go_back(&mut self) -> bool {
        let Some(spot) = self.left.pop() else { return false };
        self.sessions.remove(self.current);
        self.go(spot);
        true
    }

    fn session(&self) -> &Session {
        &self.sessions[self.current]
    }

    /// Moves to the shell of a place, from which `exit` comes back.
    pub fn visit(&mut self, spot: Spot) {
        let from = self.session().spot.clone();
        if from != spot {
            self.left.push(from);
            self.go(spot);
        }
    }

    /// Moves to the shell of a place, which is started if there is none yet.
    fn go(&mut self, spot: Spot) {
        let known = self.sessions.iter().position(|s| s.spot == spot);
        self.current = known.unwrap_or_else(|| {
            self.sessions.push(Session::start(&mut self.world, spot));
            self.sessions.len() - 1
        });
    }

    /// Runs the world until the current shell asks for a line or ends.
    fn run_foreground<O: Observer>(&mut self, obs: &mut O) -> Foreground {
        let began = self.world.now();
        self.typing.begin(began);
        let mut limit = self.world.events_run() + world::EVENT_LIMIT;
        loop {
            self.show_output();
            let Session { host, pid, console, .. } = *self.session();
            if let Some(status) = self.world.exit_status(host, pid) {
                return Foreground::Exited(status);
            }
            if self.world.waits_for_input(host, pid)
                && let Some(text) = self.session().asked()
            {
                return Foreground::Idle(text);
            }
            if self.world.events_run() >= limit {
                let devices = self.world.busiest(obs).join(", ");
                self.complain(&format!(
                    "hoplab: interrupted after {} events: a loop between {devices}\n",
                    world::EVENT_LIMIT
                ));
                self.world.signal(host, pid, Signal::Int);
                limit += world::EVENT_LIMIT;
            }
            let reads = self.typing.is_queued() && self.world.is_read(host, console);
            let (typed, at) = self.typing.meanwhile(&self.world, began, reads);
            if typed == Typed::Nothing {
                self.world.step(obs);
            } else if let Typed::Text(text) = &typed
                && !self.world.is_read(host, console)
            {
                self.typing.type_ahead(text);
            } else {
                self.world.run_until(at, obs);
                self.take(typed);
            }
        }
    }

    /// Gives what was typed to the command that runs.
    fn take(&mut self, typed: Typed) {
        let Session { host, console, pid, .. } = *self.session();
        let at = When::At(self.world.now().as_nanos());
        self.journal.push(Entry::During(at, typed.clone()));
        match typed {
            Typed::Nothing => {}
            Typed::Interrupt => self.world.signal(host, pid, Signal::Int),
            Typed::End => self.world.type_end(host, console),
            Typed::Text(bytes) => self.world.type_input(host, console, Some(&bytes)),
        }
    }

    fn show_output(&mut self) {
        for Session { host, console, .. } in &self.sessions {
            for (stream, bytes) in self.world.take_output(*host, *console) {
                self.screen.say(stream, &bytes);
            }
        }
    }

    /// Reads a whole command and gives it to the shell, which it answers; carries it out instead if
    /// it is the prompt's own.
    fn read_command(&mut self, prompt: &str) -> Result<Option<String>, String> {
        let mut text = String::new();
        loop {
            let shown = if text.is_empty() { prompt } else { "> " };
            let session = self.session();
            let at = (session.host, session.spot.netns, session.pid);
            let queued = self.typing.is_queued();
            match self.typing.read(shown, &self.world, at)? {
                Line::Text(line) => {
                    self.journal.push(Entry::Line(line.clone()));
                    let echo = format!("{shown}{line}\n");
                    if queued {
                        self.say(&echo);
                    } else if let Some(kept) = &mut self.screen.kept {
                        kept.push_str(&echo);
                    }
                    text.push_str(&line);
                    text.push('\n');
                }
                Line::Interrupt => text.clear(),
                Line::End if text.is_empty() => {
                    let Session { host, console, .. } = *self.session();
                    self.world.type_end(host, console);
                    return Ok(None);
                }
                Line::End => {
                    self.complain("sh: Syntax error: end of file unexpected\n");
                    text.clear();
                }
            }
            if !text.is_empty() && parse_status(&text) != ParseStatus::Incomplete {
                break;
            }
        }
        self.typing.remember(text.trim_end());
        if self.own_command(&text) {
            return Ok(None);
        }
        let session = self.session();
        session.ask(None);
        let Session { host, console, .. } = *session;
        self.world.type_input(host, console, Some(text.as_bytes()));
        Ok(Some(text))
    }

    /// Carries out a command that is the prompt's own; false if it is none.
    fn own_command(&mut self, text: &str) -> bool {
        let words: Vec<&str> = text.split_whitespace().collect();
        if let Some(mut desk) = self.desk.take() {
            let done = desk.carry_out(self, &words);
            self.desk = Some(desk);
            if done {
                return true;
            }
        }
        match *words.as_slice() {
            ["help"] => {
                let mut installed: Vec<&str> = tools::shell::builtin_names().collect();
                installed.extend(self.world.registry(self.session().host).names());
                let text = help::all(&installed);
                self.say(&text);
            }
            ["help", word] => match help::line(word) {
                Some(line) => self.say(&format!("{line}\n")),
                None => {
                    self.complain(&format!("error: no command `{word}`\nhint: `help` lists them all\n"));
                }
            },
            ["hosts"] => {
                let text: String = places(&self.world).iter().map(|place| format!("{place}\n")).collect();
                self.say(&text);
            }
            ["on", place] => match lab::locate(&self.world, place) {
                Ok(spot) => self.go(spot),
                Err(problem) => self.complain(&format!("error: {problem}\n")),
            },
            ["on", ..] => self.complain("usage: on HOST[/CONTAINER|/NAMESPACE]\n"),
            _ => return false,
        }
        true
    }
}

/// How a prompt was left.
pub(crate) struct Left {
    /// The network.
    pub world: World,
    /// The status of the shell.
    pub status: i32,
    /// Everything that was typed.
    pub journal: Vec<Entry>,
    /// What was shown, if it was kept.
    pub shown: Option<String>,
}

impl Session {
    fn start(world: &mut World, spot: Spot) -> Self {
        let host = spot.host;
        let console = world.add_console(host, true);
        let asked = Arc::new(Mutex::new(None));
        let slot = asked.clone();
        let lives_here = |name: &&str| world.place(host, name) == Some((spot.netns, spot.root.clone()));
        let place = world.places(host).find(lives_here).map(str::to_owned);
        let shell = Shell::interactive().with_prompt(move |sys, kind| {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(prompt_text(sys, kind, place.as_deref()));
            String::new()
        });
        let pid = world.spawn_program(
            host,
            spot.netns,
            console,
            vec!["sh".to_owned()],
            Box::new(shell),
            BTreeMap::new(),
        );
        world.enter_root(host, pid, &spot.root);
        Self { host, spot, console, pid, asked }
    }

    /// The prompt that it waits at, while it does.
    pub fn asked(&self) -> Option<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes it wait at that prompt again.
    pub fn ask(&self, prompt: Option<String>) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = prompt;
    }
}

/// `host#`, `host/container#`, `host/namespace#`, `host:/directory#`.
fn prompt_text(sys: &dyn Sys, kind: PromptKind, place: Option<&str>) -> String {
    if kind == PromptKind::Continuation {
        return "> ".to_owned();
    }
    let netns = sys.netns();
    let name = sys.kernel().netns_names.iter().find(|(_, id)| **id == netns);
    let name = place.or(name.map(|(name, _)| name.as_str()));
    let name = name.map(|name| format!("/{name}")).unwrap_or_default();
    let home = if place.is_some() { "/" } else { "/root" };
    let cwd = Some(sys.cwd()).filter(|cwd| cwd != home).map(|cwd| format!(":{cwd}")).unwrap_or_default();
    format!("{}{name}{cwd}# ", sys.kernel().name)
}

/// All places of a world: `host`, `host/container`, `host/namespace`.
pub(crate) fn places(world: &World) -> Vec<String> {
    let of = |host: &kernel::Host| {
        let names = world.places(host.id).chain(host.netns_names.keys().map(String::as_str));
        let spaces = names.map(|name| format!("{}/{name}", host.name)).collect::<Vec<_>>();
        std::iter::once(host.name.clone()).chain(spaces)
    };
    world.hosts().flat_map(of).collect()
}
