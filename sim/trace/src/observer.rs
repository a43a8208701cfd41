use crate::Step;

/// Whoever watches packets. With `ON == false` neither the call nor the closure that builds the
/// step survives compilation.
pub trait Observer {
    /// Whether steps are wanted.
    const ON: bool;

    /// Takes one step. Steps arrive in the order in which they happen.
    fn record(&mut self, step: Step);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Off;

impl Observer for Off {
    const ON: bool = false;
    fn record(&mut self, _: Step) {}
}

/// Keeps every step.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    /// All steps so far, in order.
    pub steps: Vec<Step>,
}

impl Observer for Recorder {
    const ON: bool = true;
    fn record(&mut self, step: Step) {
        self.steps.push(step);
    }
}

impl<O: Observer> Observer for &mut O {
    const ON: bool = O::ON;
    fn record(&mut self, step: Step) {
        (**self).record(step);
    }
}

/// Hands the step that `step` builds to `obs`, if anyone watches.
#[inline(always)]
pub fn emit<O: Observer>(obs: &mut O, step: impl FnOnce() -> Step) {
    if O::ON {
        obs.record(step());
    }
}
