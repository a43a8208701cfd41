use trace::{Observer};

use crate::{Cx, Timer};

impl<O: Observer> Cx<'_, O> {
    /// A timer fired: hands it to its owner.
    pub fn on_timer(&mut self, _timer: Timer) {}
}
