use std::fmt::{Display, Write as _};

/// A part of what `iptables-restore` reads: a table's chains, then its rules.
#[derive(Default)]
pub(super) struct Table {
    chains: String,
    rules: String,
}

impl Table {
    /// One with these chains.
    pub fn new(chains: &[&str]) -> Self {
        let mut table = Self::default();
        chains.iter().for_each(|chain| table.chain(chain));
        table
    }

    /// Declares a chain, which empties it.
    pub fn chain(&mut self, chain: impl Display) {
        let _ = writeln!(self.chains, ":{chain} - [0:0]");
    }

    /// Adds a rule to a chain.
    pub fn rule(&mut self, chain: impl Display, rule: impl Display) {
        let _ = writeln!(self.rules, "-A {chain} {rule}");
    }

    /// Empties a chain and deletes it.
    pub fn delete(&mut self, chain: &str) {
        self.chain(chain);
        let _ = writeln!(self.rules, "-X {chain}");
    }

    /// What `iptables-restore` reads.
    pub fn text(&self, name: &str) -> String {
        format!("*{name}\n{}{}COMMIT\n", self.chains, self.rules)
    }
}
