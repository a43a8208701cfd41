use std::path::Path;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::error::FileError;
use crate::exercise::Exercise;
use crate::expect::Expectation;
use crate::syntax::read_ron;

/// A case: a network, what is typed on it, and what is expected to happen.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// One line that says what it shows.
    pub title: String,
    /// Where it comes from.
    #[serde(default)]
    pub documents: Vec<String>,
    /// Rows of the catalogue that it replays.
    #[serde(default)]
    pub rows: Vec<String>,
    /// Name of a file in `topologies/`, without `.ron`.
    pub topology: String,
    /// Seed of all random streams.
    #[serde(default)]
    pub seed: u64,
    /// What makes it a lab: the network is broken first, the acts show how that looks, and the
    /// solution cures it.
    pub lab: Option<Exercise>,
    /// Its parts, in order.
    pub acts: Vec<Act>,
}

/// A part of a scenario.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// What it shows.
    pub name: String,
    /// Commands and expectations, in order.
    pub steps: Vec<ScenarioStep>,
}

/// One line of an act.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum ScenarioStep {
    /// Types a command.
    Run {
        /// `host` or `host/namespace`.
        on: String,
        /// The command, for the shell.
        cmd: String,
    },
    /// Runs a command for each cell of a table and prints it: ✓ where the command ended with status
    /// 0, ✗ where not, – where there is none.
    Table {
        /// Heads of the columns.
        columns: Vec<String>,
        /// The cells of each row, from left to right; `None` for one without a command.
        rows: IndexMap<String, Vec<Option<Probe>>>,
    },
    /// Prints which tables the packets of this act met at which hooks.
    HookTable {
        /// Only what happened on this host, or in this namespace as `host/namespace`.
        on: Option<String>,
    },
    /// Builds the topology once with each pod network, sends a `ping` and prints what it cost.
    Backends {
        /// Where it is sent.
        from: String,
        /// Where it goes.
        to: String,
        /// The networks, e.g. `host-gw`; all if none are given.
        #[serde(default)]
        networks: Vec<String>,
    },
    /// Judges what the last command of the act did.
    Expect(Expectation),
}

/// A command whose exit status is a cell of a table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// `host` or `host/namespace`.
    pub on: String,
    /// The command, for the shell.
    pub cmd: String,
}

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// The file, the place and what was expected there.
    pub fn read(file: &Path) -> Result<(Self, String), FileError> {
        read_ron(file)
    }
}
