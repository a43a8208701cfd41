use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use lab::Spot;
use packet::{HostId, Pid};
use tools::shell::{ParseStatus, PromptKind, Shell, parse_status};
use trace::Observer;
use world::{ConsoleId, Signal, Stream, Sys, World};

use crate::editor::{Editor, Line};
use crate::help;
use crate::pace::Pace;
use crate::terminal::{Terminal, Typed, write_out};

/// A prompt on the hosts of a world.
pub(crate) struct Prompt {
    world: World,
    /// One shell for each place that was visited.
    sessions: Vec<Session>,
    /// The session that is typed at.
    current: usize,
    terminal: Terminal,
    editor: Editor,
    pace: Pace,
}

/// A shell that runs.
struct Session {
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

/// Events between two looks at the terminal while nothing waits for the wall clock.
const EVENTS_PER_LOOK: u64 = 4096;

impl Prompt {
    /// A prompt in a namespace. Commands are paced to `rate` virtual seconds per second; 0 does not
    /// wait.
    ///
    /// # Errors
    /// The terminal is not usable.
    pub fn new(world: World, spot: Spot, rate: u32) -> Result<Self, String> {
        let mut prompt = Self {
            world,
            sessions: Vec::new(),
            current: 0,
            terminal: Terminal::open()?,
            editor: Editor::open()?,
            pace: Pace::new(rate),
        };
        prompt.go(spot);
        Ok(prompt)
    }

    /// Reads and runs commands until the shell ends; answers the world and the shell's status.
    /// `after` is called whenever a command is over, with what was typed.
    ///
    /// # Errors
    /// The terminal fails, or `after` does.
    pub fn run<O: Observer>(
        mut self,
        obs: &mut O,
        mut after: impl FnMut(&World, &str, &mut O) -> Result<(), String>,
    ) -> Result<(World, i32), String> {
        let mut typed = String::new();
        loop {
            let foreground = self.run_foreground(obs);
            after(&self.world, &typed, obs)?;
            match foreground {
                Foreground::Exited(status) => return Ok((self.world, status)),
                Foreground::Idle(prompt) => typed = format!("{prompt}{}", self.read_command(&prompt)?),
            }
        }
    }

    fn session(&self) -> &Session {
        &self.sessions[self.current]
    }

    /// Moves to the shell of a namespace, which is started if there is none yet.
    fn go(&mut self, spot: Spot) {
        let known = self.sessions.iter().position(|s| s.spot == spot);
        self.current = known.unwrap_or_else(|| {
            self.sessions.push(Session::start(&mut self.world, spot));
            self.sessions.len() - 1
        });
    }

    /// Runs the world until the current shell asks for a line or ends.
    fn run_foreground<O: Observer>(&mut self, obs: &mut O) -> Foreground {
        self.pace.start(self.world.now());
        self.terminal.forget();
        let mut limit = self.world.events_run() + world::EVENT_LIMIT;
        loop {
            self.show_output();
            let Session { host, pid, asked, .. } = self.session();
            let (host, pid) = (*host, *pid);
            if let Some(status) = self.world.exit_status(host, pid) {
                return Foreground::Exited(status);
            }
            if self.world.waits_for_input(host, pid)
                && let Some(text) = asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
            {
                return Foreground::Idle(text);
            }
            if self.world.events_run() >= limit {
                let devices = self.world.busiest(obs).join(", ");
                let text = format!(
                    "hoplab: interrupted after {} events: a loop between {devices}\n",
                    world::EVENT_LIMIT
                );
                write_out(Stream::Err, text.as_bytes());
                self.world.signal(host, pid, Signal::Int);
                limit += world::EVENT_LIMIT;
            }
            let typed = match self.world.next_event() {
                None => self.terminal.wait(None),
                Some(at) => match self.pace.wait_for(at) {
                    Some(time) => self.terminal.wait(Some(time)),
                    None if self.world.events_run().is_multiple_of(EVENTS_PER_LOOK) => {
                        self.terminal.wait(Some(std::time::Duration::ZERO))
                    }
                    None => Typed::Nothing,
                },
            };
            if typed == Typed::Nothing {
                self.world.step(obs);
            } else {
                self.take(typed, obs);
            }
        }
    }

    /// Gives what was typed to the command that runs, at the virtual time of this moment.
    fn take<O: Observer>(&mut self, typed: Typed, obs: &mut O) {
        let now = self.world.now();
        let limit = self.world.next_event().unwrap_or(self.pace.now(packet::SimTime::MAX));
        self.world.run_until(self.pace.now(limit).max(now), obs);
        let Session { host, console, pid, .. } = *self.session();
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
                write_out(stream, &bytes);
            }
        }
    }

    /// Reads a whole command and gives it to the shell, or carries it out if it is the prompt's own.
    fn read_command(&mut self, prompt: &str) -> Result<String, String> {
        let mut text = String::new();
        loop {
            let shown = if text.is_empty() { prompt } else { "> " };
            let session = self.session();
            let at = (session.host, session.spot.netns, session.pid);
            match self.editor.read(shown, &self.world, at)? {
                Line::Text(line) => {
                    text.push_str(&line);
                    text.push('\n');
                }
                Line::Interrupt => text.clear(),
                Line::End if text.is_empty() => {
                    let Session { host, console, .. } = *self.session();
                    self.world.type_end(host, console);
                    return Ok(text);
                }
                Line::End => {
                    write_out(Stream::Err, b"sh: Syntax error: end of file unexpected\n");
                    text.clear();
                }
            }
            if !text.is_empty() && parse_status(&text) != ParseStatus::Incomplete {
                break;
            }
        }
        self.editor.remember(text.trim_end());
        if !self.own_command(&text) {
            let session = self.session();
            *session.asked.lock().unwrap_or_else(PoisonError::into_inner) = None;
            let Session { host, console, .. } = *session;
            self.world.type_input(host, console, Some(text.as_bytes()));
        }
        Ok(text)
    }

    /// Carries out `help`, `hosts` and `on`; false if it is none of them.
    fn own_command(&mut self, text: &str) -> bool {
        let words: Vec<&str> = text.split_whitespace().collect();
        match *words.as_slice() {
            ["help"] => {
                let mut installed: Vec<&str> = tools::shell::builtin_names().collect();
                installed.extend(self.world.registry(self.session().host).names());
                write_out(Stream::Out, help::all(&installed).as_bytes());
            }
            ["help", word] => match help::line(word) {
                Some(line) => write_out(Stream::Out, format!("{line}\n").as_bytes()),
                None => write_out(
                    Stream::Err,
                    format!("error: no command `{word}`\nhint: `help` lists them all\n").as_bytes(),
                ),
            },
            ["hosts"] => {
                let text: String = places(&self.world).iter().map(|place| format!("{place}\n")).collect();
                write_out(Stream::Out, text.as_bytes());
            }
            ["on", place] => match lab::locate(&self.world, place) {
                Ok(spot) => self.go(spot),
                Err(problem) => write_out(Stream::Err, format!("error: {problem}\n").as_bytes()),
            },
            ["on", ..] => write_out(Stream::Err, b"usage: on HOST[/CONTAINER|/NAMESPACE]\n"),
            _ => return false,
        }
        true
    }
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
