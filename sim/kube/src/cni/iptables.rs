//! The rules that plugins write, through the command `iptables` as go-iptables calls it.

use sha2::{Digest, Sha512};
use world::Sys;

/// A call that failed. go-iptables: `Error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IptablesError {
    words: Vec<String>,
    status: i32,
    text: String,
}

impl std::fmt::Display for IptablesError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { words, status, text } = self;
        write!(f, "running [/usr/sbin/iptables {}]: exit status {status}: {text}", words.join(" "))
    }
}

impl From<IptablesError> for super::CniError {
    fn from(error: IptablesError) -> Self {
        error.to_string().into()
    }
}

/// The version of go-iptables that a release of the plugins is built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotExist {
    /// The two messages of libiptc.
    Messages,
    /// Also iptables-nft's `does not exist`.
    AlsoNft,
}

impl IptablesError {
    /// Whether the chain or the rule is missing. go-iptables: `IsNotExist`.
    pub fn is_not_exist(&self, rule: NotExist) -> bool {
        const BAD_RULE: &str = "Bad rule (does a matching rule exist in that chain?).\n";
        const NO_CHAIN: &str = "No chain/target/match by that name.\n";
        let known = self.status == 1
            && self.text.strip_prefix("iptables: ").is_some_and(|text| text == BAD_RULE || text == NO_CHAIN);
        known || rule == NotExist::AlsoNft && self.status == 2 && self.text.contains("does not exist")
    }
}

/// Gives `iptables-restore --noflush` a text.
///
/// # Errors
/// What it says, and the text.
pub fn restore(sys: &mut dyn Sys, text: &str) -> Result<(), String> {
    let output = tools::iptables::restore_call(sys, &["--noflush"], text);
    if output.status == 0 {
        Ok(())
    } else {
        Err(format!("iptables-restore: {}\n{text}", output.err.trim_end()))
    }
}

/// The words of a rule.
pub fn words(text: &[&str]) -> Vec<String> {
    text.iter().map(|word| (*word).to_owned()).collect()
}

/// The rules of one table.
pub struct Iptables<'a> {
    /// System calls of the plugin's process.
    pub sys: &'a mut dyn Sys,
    /// The table.
    pub table: &'static str,
}

impl Iptables<'_> {
    fn run(&mut self, verb: &[&str], rule: &[String]) -> Result<String, IptablesError> {
        let mut line = words(&["-t", self.table]);
        line.extend(words(verb));
        line.extend(rule.iter().cloned());
        line.push("--wait".to_owned());
        let output = tools::iptables::call(self.sys, &line);
        if output.status == 0 {
            return Ok(output.out);
        }
        Err(IptablesError { words: line, status: output.status, text: output.err })
    }

    /// Whether a rule is in a chain.
    ///
    /// # Errors
    /// Any failure but "not there".
    pub fn exists(&mut self, chain: &str, rule: &[String]) -> Result<bool, IptablesError> {
        match self.run(&["-C", chain], rule) {
            Ok(_) => Ok(true),
            Err(error) if error.status == 1 => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Appends a rule unless it is there.
    ///
    /// # Errors
    /// What iptables says.
    pub fn append_unique(&mut self, chain: &str, rule: &[String]) -> Result<(), IptablesError> {
        if !self.exists(chain, rule)? {
            self.run(&["-A", chain], rule)?;
        }
        Ok(())
    }

    /// Inserts a rule at the top unless it is there.
    ///
    /// # Errors
    /// What iptables says.
    pub fn insert_unique(&mut self, chain: &str, rule: &[String]) -> Result<(), IptablesError> {
        if !self.exists(chain, rule)? {
            self.run(&["-I", chain, "1"], rule)?;
        }
        Ok(())
    }

    /// Deletes a rule.
    ///
    /// # Errors
    /// What iptables says.
    pub fn delete(&mut self, chain: &str, rule: &[String]) -> Result<(), IptablesError> {
        self.run(&["-D", chain], rule).map(drop)
    }

    /// The rules of a chain as `-S` prints them, its own line first.
    ///
    /// # Errors
    /// What iptables says.
    pub fn list(&mut self, chain: &str) -> Result<Vec<String>, IptablesError> {
        Ok(self.run(&["-S", chain], &[])?.lines().map(str::to_owned).collect())
    }

    /// Whether a chain exists.
    ///
    /// # Errors
    /// Any failure but "not there".
    pub fn chain_exists(&mut self, chain: &str) -> Result<bool, IptablesError> {
        match self.run(&["-S", chain, "1"], &[]) {
            Ok(_) => Ok(true),
            Err(error) if error.status == 1 => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes a chain unless it is there.
    ///
    /// # Errors
    /// What iptables says.
    pub fn ensure_chain(&mut self, chain: &str) -> Result<(), IptablesError> {
        let listed = self.run(&["-S"], &[])?;
        if listed.lines().any(|line| line.strip_prefix("-N ") == Some(chain)) {
            return Ok(());
        }
        self.run(&["-N", chain], &[]).map(drop)
    }

    /// Empties a chain; makes it if it isn't there.
    ///
    /// # Errors
    /// What iptables says.
    pub fn clear_chain(&mut self, chain: &str) -> Result<(), IptablesError> {
        let verb = if self.chain_exists(chain)? { "-F" } else { "-N" };
        self.run(&[verb, chain], &[]).map(drop)
    }

    /// Deletes an empty chain.
    ///
    /// # Errors
    /// What iptables says.
    pub fn delete_chain(&mut self, chain: &str) -> Result<(), IptablesError> {
        self.run(&["-X", chain], &[]).map(drop)
    }

    /// Deletes a chain with its rules, if it is there.
    ///
    /// # Errors
    /// What iptables says.
    pub fn clear_and_delete_chain(&mut self, chain: &str) -> Result<(), IptablesError> {
        if !self.chain_exists(chain)? {
            return Ok(());
        }
        self.run(&["-F", chain], &[])?;
        self.delete_chain(chain)
    }
}

/// A chain's name: `CNI-`, `prefix`, then the hash of network and container; 28 characters.
/// Plugins: `utils.MustFormatChainNameWithPrefix`.
pub fn chain_name(prefix: &str, network: &str, container_id: &str) -> String {
    let hash = Sha512::digest(format!("{network}{container_id}"));
    let mut name = format!("CNI-{prefix}");
    for byte in hash {
        name.push_str(&format!("{byte:02x}"));
    }
    name.truncate(28);
    name
}
