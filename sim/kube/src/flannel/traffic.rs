//! flannel's rules: chains of its own, which it looks after. flannel: `trafficmngr/iptables`.

use std::time::Duration;

use ipnet::Ipv4Net;
use packet::SimTime;
use tools::iptables::restore_call;
use world::Sys;

use super::log::Log;
use crate::cni::iptables::Iptables;

/// The mark of packets that kube-proxy masquerades.
const KUBE_PROXY_MARK: &str = "0x4000/0x4000";

/// Rules of one table in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    table: &'static str,
    /// The chain of their own that they use.
    chain: &'static str,
    /// Chain and words of each.
    rules: Vec<(&'static str, Vec<String>)>,
}

/// Rules that are looked after.
#[derive(Clone, Debug)]
pub struct Ensured {
    rules: Rules,
    period: Duration,
    /// When they are looked at next.
    pub next: SimTime,
}

fn words(comment: &str, before: &str, after: &str) -> Vec<String> {
    let mut words: Vec<String> = before.split_whitespace().map(str::to_owned).collect();
    words.extend(["-m", "comment", "--comment", comment].map(str::to_owned));
    words.extend(after.split_whitespace().map(str::to_owned));
    words
}

impl Rules {
    /// What leaves the network is masqueraded; what stays isn't.
    pub fn masquerade(network: Ipv4Net, subnet: Ipv4Net, random_fully: bool) -> Self {
        const CHAIN: &str = "FLANNEL-POSTRTG";
        let random = if random_fully { " --random-fully" } else { "" };
        let masquerade = format!("-j MASQUERADE{random}");
        let rule = |chain, before: &str, after: &str| (chain, words("flanneld masq", before, after));
        let rules = vec![
            rule("POSTROUTING", "", "-j FLANNEL-POSTRTG"),
            rule(CHAIN, &format!("-m mark --mark {KUBE_PROXY_MARK}"), "-j RETURN"),
            rule(CHAIN, &format!("-s {subnet} -d {network}"), "-j RETURN"),
            rule(CHAIN, &format!("-s {network} -d {subnet}"), "-j RETURN"),
            rule(CHAIN, &format!("! -s {network} -d {subnet}"), "-j RETURN"),
            rule(CHAIN, &format!("-s {network} ! -d 224.0.0.0/4"), &masquerade),
            rule(CHAIN, &format!("! -s {network} -d {network}"), &masquerade),
        ];
        Self { table: "nat", chain: CHAIN, rules }
    }

    /// What comes from the network or goes there is forwarded.
    pub fn forward(network: Ipv4Net) -> Self {
        const CHAIN: &str = "FLANNEL-FWD";
        let rule = |chain, before: &str, after: &str| (chain, words("flanneld forward", before, after));
        let rules = vec![
            rule("FORWARD", "", "-j FLANNEL-FWD"),
            rule(CHAIN, &format!("-s {network}"), "-j ACCEPT"),
            rule(CHAIN, &format!("-d {network}"), "-j ACCEPT"),
        ];
        Self { table: "filter", chain: CHAIN, rules }
    }

    fn iptables<'a>(&self, sys: &'a mut dyn Sys) -> Iptables<'a> {
        Iptables { sys, table: self.table }
    }

    /// Makes the chain and the rules, and looks after them from now on.
    /// flannel: `setupAndEnsureIP4Tables`.
    pub fn ensure(self, sys: &mut dyn Sys, log: Log, period: Duration) -> Ensured {
        if let Err(error) = self.iptables(sys).clear_chain(self.chain) {
            let text = format!("Failed to setup IPTables. Error on creating the chain: {error}");
            log.error(sys, "iptables.go:243", &text);
        }
        if let Err(error) = self.bootstrap(sys, log) {
            log.error(sys, "iptables.go:380", &format!("Failed to bootstrap IPTables: {error}"));
        }
        Ensured { rules: self, period, next: sys.now() + period }
    }

    /// Whether all are there. flannel: `ipTablesRulesExist`.
    fn exist(&self, sys: &mut dyn Sys) -> Result<bool, String> {
        let failed = |error| format!("failed to check rule existence: {error}");
        let mut iptables = self.iptables(sys);
        if !iptables.chain_exists(self.chain).map_err(failed)? {
            return Ok(false);
        }
        for (chain, rule) in &self.rules {
            if !iptables.exists(chain, rule).map_err(failed)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes all anew at the ends of their chains. flannel: `ipTablesBootstrap`.
    fn bootstrap(&self, sys: &mut dyn Sys, log: Log) -> Result<(), String> {
        let setup = |error: String| format!("failed to setup iptables-restore payload: {error}");
        let mut iptables = self.iptables(sys);
        let failed = |error| setup(format!("failed to check rule existence: {error}"));
        if !iptables.chain_exists(self.chain).map_err(failed)? {
            let failed = |error| setup(format!("failed to create rule chain: {error}"));
            iptables.clear_chain(self.chain).map_err(failed)?;
        }
        let mut lines = Vec::new();
        for (chain, rule) in &self.rules {
            if iptables.exists(chain, rule).map_err(failed)? {
                lines.push(line("-D", chain, rule));
            }
            lines.push(line("-A", chain, rule));
        }
        self.apply(sys, &lines)
            .map_err(|error| format!("failed to apply partial iptables-restore {error}"))?;
        log.info(sys, "iptables.go:358", "bootstrap done");
        Ok(())
    }

    /// Deletes those that are there. flannel: `teardownIPTables`.
    ///
    /// # Errors
    /// In flannel's words.
    pub fn tear_down(&self, sys: &mut dyn Sys) -> Result<(), String> {
        let failed = |error| format!("failed to check rule existence: {error}");
        let mut iptables = self.iptables(sys);
        if !iptables.chain_exists(self.chain).map_err(failed)? {
            return Ok(());
        }
        let mut lines = Vec::new();
        for (chain, rule) in &self.rules {
            if iptables.exists(chain, rule).map_err(failed)? {
                lines.push(line("-D", chain, rule));
            }
        }
        self.apply(sys, &lines).map_err(|error| format!("unable to teardown iptables: {error}"))
    }

    fn apply(&self, sys: &mut dyn Sys, lines: &[String]) -> Result<(), String> {
        let payload = format!("*{}\n{}COMMIT\n", self.table, lines.concat());
        let output = restore_call(sys, &["--noflush", "--wait"], &payload);
        if output.status == 0 {
            return Ok(());
        }
        let (out, err, status) = (output.out, output.err, output.status);
        Err(format!("unable to run iptables-restore ({out}, {err}): exit status {status}"))
    }
}

fn line(verb: &str, chain: &str, rule: &[String]) -> String {
    let quoted = |word: &String| if word.contains(' ') { format!("\"{word}\"") } else { word.clone() };
    let rule: Vec<String> = rule.iter().map(quoted).collect();
    format!("{verb} {chain} {}\n", rule.join(" "))
}

impl Ensured {
    /// Makes them anew if one is missing, when it is time. flannel: `ensureIPTables`.
    pub fn turn(&mut self, sys: &mut dyn Sys, log: Log) {
        if sys.now() < self.next {
            return;
        }
        self.next = sys.now() + self.period;
        let outcome = match self.rules.exist(sys) {
            Ok(true) => Ok(()),
            Ok(false) => {
                let text = "Some iptables rules are missing; deleting and recreating rules";
                log.info(sys, "iptables.go:493", text);
                self.rules.bootstrap(sys, log).map_err(|error| format!("error setting up rules: {error}"))
            }
            Err(error) => Err(format!("error checking rule existence: {error}")),
        };
        if let Err(error) = outcome {
            log.error(sys, "iptables.go:393", &format!("Failed to ensure iptables rules: {error}"));
        }
    }
}
