use packet::{HostId, Pid, SimTime};
use trace::view::{View, print};
use trace::{Journeys, Names, Step, StepKind, Trace, Whose};
use world::World;

use crate::error::Problem;
use crate::expect::{Expectation, Verdict};
use crate::lab::{Lab, Typed};

/// What a command did: its output, its packets, and the world before and after it.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Where it was typed.
    pub on: String,
    /// What was typed.
    pub cmd: String,
    /// What it printed, both streams in order.
    pub output: String,
    /// Exit status.
    pub status: i32,
    /// The first packet that it sent that is neither ARP nor DNS; else the first one.
    pub subject: Option<Trace>,
    /// The first packet back.
    pub reply: Option<Trace>,
    /// The packets that matter, each with its way: subject, reply, drops and errors.
    pub traces: Vec<Trace>,
    /// All steps that were recorded.
    pub steps: Vec<Step>,
    /// The network before.
    pub before: World,
    /// The network after.
    pub world: World,
}

/// The packets that matter of what some sessions did on a network that had `booted` at that time.
fn case(
    journeys: &Journeys<'_>,
    sessions: &[(HostId, Pid)],
    booted: SimTime,
    before: &World,
    world: &World,
) -> trace::Case {
    journeys.case(|host, pid| {
        let since_boot = world.started(host, pid).is_some_and(|at| at < booted);
        if world.session(host, pid).is_some_and(|session| sessions.contains(&session)) {
            Whose::Own
        } else if since_boot || before.exit_status(host, pid).is_some() {
            Whose::Nobodys
        } else {
            Whose::Others
        }
    })
}

/// The ways of the packets that matter of what was done at some shells, as [`Ran::traces`].
pub fn traces_of(lab: &Lab, shells: &[(HostId, Pid)], steps: &[Step], before: &World) -> Vec<Trace> {
    let journeys = Journeys::new(steps);
    let case = case(&journeys, shells, lab.booted, before, &lab.world);
    case.all.into_iter().filter_map(|id| journeys.trace(id)).collect()
}

impl Ran {
    /// Sorts what was recorded on a network that had `booted` at that time: what runs since then
    /// is not the command's.
    pub(crate) fn new(
        on: &str,
        cmd: &str,
        typed: Typed,
        booted: SimTime,
        steps: Vec<Step>,
        before: World,
        world: World,
    ) -> Self {
        let journeys = Journeys::new(&steps);
        let case = case(&journeys, &[typed.session], booted, &before, &world);
        let trace = |id| journeys.trace(id);
        let (subject, reply) = (case.sent.and_then(trace), case.back.and_then(trace));
        let traces = case.all.into_iter().filter_map(trace).collect();
        let (on, cmd) = (on.to_owned(), cmd.to_owned());
        let Typed { output, status, .. } = typed;
        Self { on, cmd, output, status, subject, reply, traces, steps, before, world }
    }

    /// Something that sent nothing and has printed nothing yet.
    pub(crate) fn nothing(cmd: &str, world: &World) -> Self {
        Self {
            on: String::new(),
            cmd: cmd.to_owned(),
            output: String::new(),
            status: 0,
            subject: None,
            reply: None,
            traces: Vec::new(),
            steps: Vec::new(),
            before: world.clone(),
            world: world.clone(),
        }
    }

    /// The ways of the packets that matter.
    pub fn print(&self, view: View) -> String {
        self.traces.iter().map(|trace| print(trace, &self.world, view)).collect()
    }

    /// Whether an expectation holds.
    ///
    /// # Errors
    /// A namespace, device, chain or rule that isn't there.
    pub fn judge(&self, expectation: &Expectation) -> Result<Verdict, Problem> {
        expectation.judge(self)
    }

    /// The devices that any packet passed, `node device`.
    pub(crate) fn passed(&self) -> std::collections::BTreeSet<String> {
        self.steps
            .iter()
            .filter(|step| matches!(step.kind, StepKind::Receive(_) | StepKind::Transmit(_)))
            .filter_map(|step| {
                let node = self.world.node(step.place.host, step.place.netns);
                Some(format!("{node} {}", self.world.dev(step.place.host, step.place.dev?)))
            })
            .collect()
    }
}
