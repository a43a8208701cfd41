use packet::NetnsId;
use trace::Observer;

use crate::request::{Reply, Request};
use crate::{Cx, Refusal};

impl<O: Observer> Cx<'_, O> {
    /// Carries out a change of configuration in `ns`, or refuses it and changes nothing.
    pub fn request(&mut self, _ns: NetnsId, _request: Request) -> Result<Reply, Refusal> {
        todo!()
    }
}
