//! A chain of `portmap` with the rules that lead to it. Plugins: `plugins/meta/portmap/chain.go`.

use super::iptables::{Iptables, IptablesError};

/// A chain of table `nat`.
#[derive(Clone, Debug, Default)]
pub struct PortChain {
    /// Its name.
    pub name: String,
    /// The chains that lead here.
    pub entry_chains: &'static [&'static str],
    /// What a packet must fit to be led here; the jump is added.
    pub entry_rules: Vec<Vec<String>>,
    /// Its rules.
    pub rules: Vec<Vec<String>>,
    /// Whether the entry rules go to the top.
    pub first: bool,
}

impl PortChain {
    fn entries(&self) -> impl Iterator<Item = (&'static str, Vec<String>)> + '_ {
        self.entry_chains.iter().flat_map(move |&chain| {
            let jump = ["-j".to_owned(), self.name.clone()];
            self.entry_rules
                .iter()
                .map(move |rule| (chain, rule.iter().cloned().chain(jump.clone()).collect()))
        })
    }

    /// Makes it, with what is missing of it.
    ///
    /// # Errors
    /// What iptables says.
    pub fn setup(&self, nat: &mut Iptables<'_>) -> Result<(), IptablesError> {
        if !nat.chain_exists(&self.name)? {
            nat.ensure_chain(&self.name)?;
        }
        for rule in &self.rules {
            nat.append_unique(&self.name, rule)?;
        }
        for (chain, rule) in self.entries() {
            if self.first {
                nat.insert_unique(chain, &rule)?;
            } else {
                nat.append_unique(chain, &rule)?;
            }
        }
        Ok(())
    }

    /// Removes it and every rule that leads to it.
    ///
    /// # Errors
    /// What iptables says.
    pub fn teardown(&self, nat: &mut Iptables<'_>) -> Result<(), IptablesError> {
        if nat.chain_exists(&self.name) == Ok(false) {
            return Ok(());
        }
        for (chain, rule) in self.entries() {
            // A rule that is gone already is as good.
            let _ = nat.delete(chain, &rule);
        }
        if nat.clear_and_delete_chain(&self.name).is_ok() {
            return Ok(());
        }
        let tail = format!("-j {}", self.name);
        for &chain in self.entry_chains {
            for line in nat.list(chain).unwrap_or_default().iter().skip(1) {
                if line.ends_with(&tail) {
                    let words = shell_words(line);
                    nat.delete(chain, words.get(2..).unwrap_or_default())?;
                }
            }
        }
        nat.clear_and_delete_chain(&self.name)
    }

    /// Whether it and all its rules are there.
    ///
    /// # Errors
    /// What is missing, in the plugin's words.
    pub fn check(&self, nat: &mut Iptables<'_>) -> Result<(), String> {
        let name = &self.name;
        if !nat.chain_exists(name).map_err(|error| error.to_string())? {
            return Err(format!("chain {name} not found in iptables table nat"));
        }
        let missing = |rules: &[Vec<String>], chain: &str| {
            let rules: Vec<String> = rules.iter().map(|rule| format!("[{}]", rule.join(" "))).collect();
            format!("rule [{}] in chain {chain} not found in table nat", rules.join(" "))
        };
        for rule in self.rules.iter().rev() {
            if nat.exists(name, rule) != Ok(true) {
                return Err(missing(&self.rules, name));
            }
        }
        for (chain, rule) in self.entries() {
            if nat.exists(chain, &rule) != Ok(true) {
                return Err(missing(&self.entry_rules, chain));
            }
        }
        Ok(())
    }
}

/// The words of a line of `iptables -S`: double quotes hold a word together, a backslash takes the
/// next character as it is.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut open, mut quoted) = (String::new(), false, false);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => (quoted, open) = (!quoted, true),
            '\\' => word.extend(chars.next()),
            ' ' if !quoted => {
                if open || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                open = false;
            }
            c => word.push(c),
        }
    }
    if open || !word.is_empty() {
        words.push(word);
    }
    words
}
