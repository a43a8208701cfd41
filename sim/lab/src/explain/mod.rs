//! From a kernel's present state to the commands that give it.
//!
//! The commands are tried on a second, bare kernel while they are written down: what that one makes
//! by itself (connected routes, entries of own addresses) is there already and needs no command,
//! and what it lacks in the end is said. One module per concern, in the order in which the commands
//! can be typed; [`draft`] keeps both kernels.

mod addresses;
mod bare;
mod draft;
mod entries;
mod left;
mod links;
mod makers;
mod namespaces;
mod object;
mod pod;
mod ports;
mod routes;
mod service;
mod sets;
mod settings;
mod tables;
mod text;

use serde::Serialize;

pub use bare::{BareNic, bare_world};

use crate::error::Problem;
use crate::lab::Lab;
use draft::Draft;

/// The commands that a person would type to get the state of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What is explained, as it was asked for: `node/n1`.
    pub object: String,
    /// The host.
    pub host: String,
    /// Whether it is all of the host: else the commands are for one that has the rest.
    pub whole: bool,
    /// The NICs that a bare shell must have.
    pub nics: Vec<BareNic>,
    /// The commands by concern, in an order in which they can be typed.
    pub parts: Vec<Part>,
}

/// Commands that go together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What they are about.
    pub title: &'static str,
    /// The commands.
    pub steps: Vec<Step>,
}

/// One line or block of a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// A command.
    Command {
        /// The namespace that it is about; none for the host's own.
        netns: Option<String>,
        /// The command; several lines if it reads its input from them.
        text: String,
        /// What created that part of the state.
        by: String,
    },
    /// What no command makes.
    Remark(String),
}

impl Lab {
    /// Explains an object: `node/HOST`, `pod/NAME`, `pod/NAMESPACE/NAME`, `svc/NAME`,
    /// `svc/NAMESPACE/NAME`, or a place of a host, `HOST/CONTAINER` or `HOST/NAMESPACE`.
    ///
    /// # Errors
    /// An unknown object, with the nearest that exists.
    pub fn explain(&self, object: &str) -> Result<Explanation, Problem> {
        if let Some(name) = object.strip_prefix("svc/") {
            return self.explain_service(object, name);
        }
        let (host, netns) = object::find(&self.world, object)?;
        let kernel = self.world.host(host);
        let mut draft = Draft::new(self, host)?;
        draft.everything();
        let (nics, parts) = match netns {
            None => {
                draft.tables();
                draft.left();
                let nics = bare::nics(&self.world, host).into_iter().map(|(_, nic)| nic);
                (nics.collect(), draft.finish())
            }
            Some(netns) => (Vec::new(), draft.finish_about(netns)),
        };
        let whole = netns.is_none();
        Ok(Explanation { object: object.to_owned(), host: kernel.name.clone(), whole, nics, parts })
    }
}

impl Draft<'_> {
    /// All but the rules of iptables.
    fn everything(&mut self) {
        self.settings_of_host();
        self.namespaces();
        self.links();
        self.ports();
        self.addresses();
        self.up();
        self.settings();
        self.routes();
        self.entries();
        self.sets();
    }
}
