//! What `hoplab sh` and `hoplab lab` do at a terminal, without one: a shell for each place, in one
//! world.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use clap::Parser;
use lab::{Checked, Exercise, Lab, Replay, Spot};
use packet::Pid;
use tools::shell::Shell;
use trace::view::{View, print};
use trace::{Journeys, Recorder};
use world::{ConsoleId, Signal, World};

/// The arguments of `hoplab sh` that a page uses.
#[derive(Parser)]
#[command(no_binary_name = true)]
struct Args {
    #[arg(long)]
    topology: Option<PathBuf>,
    #[arg(long)]
    view: Option<View>,
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// A person at the prompt of `hoplab sh` or `hoplab lab`.
pub struct Prompt {
    world: World,
    /// Of a lab: what it was at first, and its checks.
    lab: Option<(Lab, Exercise)>,
    view: Option<View>,
    shells: Vec<Running>,
}

/// The shell of one place.
struct Running {
    place: Spot,
    console: ConsoleId,
    pid: Pid,
    /// It asks for a command.
    asks: Arc<Mutex<bool>>,
}

/// The command is interrupted after so much virtual time, where the page has `^C`.
const PATIENCE_SECONDS: u64 = 30;

/// Events of one command at most.
const EVENT_LIMIT: u64 = 10_000_000;

impl Prompt {
    /// What `hoplab sh` followed by these words opens.
    ///
    /// # Errors
    /// Arguments or a topology that can't be used.
    pub fn open(words: &[&str]) -> Result<Self, String> {
        let args = Args::try_parse_from(words).map_err(|error| error.to_string())?;
        let world = match &args.topology {
            Some(file) => Lab::load(Path::new(file), args.seed).map_err(|error| error.to_string())?.world,
            None => {
                let mut world = World::new(args.seed);
                world.add_host("hoplab", tools::registry());
                world
            }
        };
        Ok(Self { world, lab: None, view: args.view, shells: Vec::new() })
    }

    /// What `hoplab lab` followed by a name opens.
    ///
    /// # Errors
    /// There is no such lab.
    pub fn open_lab(name: &str) -> Result<Self, String> {
        let file = PathBuf::from(format!("scenarios/labs/{name}.ron"));
        let mut replay = Replay::load(&file, None, None).map_err(|error| error.to_string())?;
        replay.break_network().map_err(|error| error.to_string())?;
        let Replay { scenario, lab, .. } = replay;
        let exercise = scenario.lab.ok_or("a scenario without a part `lab`")?;
        let world = lab.world.clone();
        Ok(Self { world, lab: Some((lab, exercise)), view: None, shells: Vec::new() })
    }

    /// Types a command at a place and waits until the shell asks for the next one. With
    /// `interrupted`, Ctrl-C is pressed when the command has run for a while. Answers what was
    /// printed.
    ///
    /// # Errors
    /// A place that nothing has, a command that never ends.
    pub fn type_command(&mut self, place: &str, command: &str, interrupted: bool) -> Result<String, String> {
        if let (Some((lab, exercise)), "check") = (&self.lab, command) {
            let mut now = lab.clone();
            now.world = self.world.clone();
            return Ok(exercise.look(&now).iter().map(Checked::text).collect());
        }
        let place = lab::locate(&self.world, place).map_err(|problem| problem.to_string())?;
        let mut recorder = Recorder::default();
        let host = place.host;
        let shell = self.shell(place, &mut recorder)?;
        let Running { console, pid, .. } = self.shells[shell];
        self.answer(shell);
        self.world.type_input(host, console, Some(format!("{command}\n").as_bytes()));
        let mut text = self.run(shell, &mut recorder, interrupted)?;
        if interrupted {
            self.world.signal(host, pid, Signal::Int);
            text.push_str("^C\n");
            text += &self.run(shell, &mut recorder, false)?;
        }
        if let Some(view) = self.view {
            let journeys = Journeys::new(&recorder.steps);
            let traces = journeys.roots().filter_map(|id| journeys.trace(id));
            text.extend(traces.map(|trace| print(&trace, &self.world, view)));
        }
        Ok(text)
    }

    /// The number of the shell of a place, which is started if there is none yet.
    fn shell(&mut self, place: Spot, obs: &mut Recorder) -> Result<usize, String> {
        if let Some(known) = self.shells.iter().position(|shell| shell.place == place) {
            return Ok(known);
        }
        let console = self.world.add_console(place.host, true);
        let asks = Arc::new(Mutex::new(false));
        let slot = asks.clone();
        let program = Shell::interactive().with_prompt(move |_, _| {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = true;
            String::new()
        });
        let argv = vec!["sh".to_owned()];
        let (program, env) = (Box::new(program), BTreeMap::new());
        let pid = self.world.spawn_program(place.host, place.netns, console, argv, program, env);
        self.world.enter_root(place.host, pid, &place.root);
        self.shells.push(Running { place, console, pid, asks });
        let shell = self.shells.len() - 1;
        self.run(shell, obs, false)?;
        Ok(shell)
    }

    fn answer(&self, shell: usize) {
        *self.shells[shell].asks.lock().unwrap_or_else(PoisonError::into_inner) = false;
    }

    /// Runs until the shell asks for a command or, with `patience`, a while.
    fn run(&mut self, shell: usize, obs: &mut Recorder, patience: bool) -> Result<String, String> {
        let mut text = String::new();
        let (start, first) = (self.world.now(), self.world.events_run());
        loop {
            for Running { place, console, .. } in &self.shells {
                for (_, bytes) in self.world.take_output(place.host, *console) {
                    text.push_str(&String::from_utf8_lossy(&bytes));
                }
            }
            let Running { place, pid, asks, .. } = &self.shells[shell];
            let asks = *asks.lock().unwrap_or_else(PoisonError::into_inner);
            if asks && self.world.waits_for_input(place.host, *pid) {
                return Ok(text);
            }
            if self.world.exit_status(place.host, *pid).is_some() {
                self.shells.remove(shell);
                return Ok(text);
            }
            let Some(at) = self.world.next_event() else {
                return if patience { Ok(text) } else { Err(format!("waits for ever, after:\n{text}")) };
            };
            if patience && at.since(start).as_secs() >= PATIENCE_SECONDS {
                return Ok(text);
            }
            if self.world.events_run() - first > EVENT_LIMIT {
                return Err(format!("never ends, after:\n{text}"));
            }
            self.world.step(obs);
        }
    }
}
