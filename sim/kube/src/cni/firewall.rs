//! `firewall`: lets the container's packets through FORWARD. Plugins: `plugins/meta/firewall`.

use ipnet::IpNet;
use world::Sys;

use super::call::Call;
use super::check::previous;
use super::go_json::{self, Struct};
use super::iptables::{Iptables, IptablesError, words};
use super::result::CniResult;
use super::{CniError, Plugin, Release};

pub(super) const PLUGIN: Plugin = Plugin { name: "firewall", add, check, del, status: None };

/// The plugin's own chain.
const FORWARD: &str = "CNI-FORWARD";

struct Config {
    /// The chain in which an administrator decides before the plugin does.
    admin_chain: String,
    previous: Option<CniResult>,
}

impl Config {
    fn load(call: &Call) -> Result<Self, CniError> {
        let failed = |message: String| CniError::from(format!("failed to load netconf: {message}"));
        let value = go_json::parse(&call.stdin).map_err(failed)?;
        let fields = Struct::new(&value, "FirewallNetConf", "main.FirewallNetConf").map_err(failed)?;
        if fields.string("backend").map_err(failed)? == "firewalld" {
            return Err("firewall: backend `firewalld` is not simulated".to_owned().into());
        }
        let policy = fields.string("ingressPolicy").map_err(failed)?;
        if !matches!(policy.as_str(), "" | "open") {
            return Err(format!("firewall: ingressPolicy `{policy}` is not simulated").into());
        }
        let admin_chain = fields.string("iptablesAdminChainName").map_err(failed)?;
        let admin_chain = if admin_chain.is_empty() { "CNI-ADMIN".to_owned() } else { admin_chain };
        Ok(Self { admin_chain, previous: previous(call)? })
    }

    fn previous(&self) -> Result<&CniResult, CniError> {
        self.previous.as_ref().ok_or_else(|| "missing prevResult from earlier plugin".to_owned().into())
    }

    /// The rules of the container's IPv4 addresses. Plugins: `getPrivChainRules`.
    fn rules(&self) -> Vec<Vec<String>> {
        let ips = self.previous.iter().flat_map(|result| &result.ips).map(|ip| ip.address.addr());
        let mut rules = Vec::new();
        for ip in ips.filter(|ip| ip.is_ipv4()) {
            let ip = IpNet::from(ip).to_string();
            rules.push(words(&[
                "-d",
                &ip,
                "-m",
                "conntrack",
                "--ctstate",
                "RELATED,ESTABLISHED",
                "-j",
                "ACCEPT",
            ]));
            rules.push(words(&["-s", &ip, "-j", "ACCEPT"]));
        }
        rules
    }
}

fn jump_to(chain: &str, comment: &str) -> Vec<String> {
    words(&["-m", "comment", "--comment", comment, "-j", chain])
}

/// The rule that leads from FORWARD to the plugin's chain, and the one from there to the
/// administrator's.
fn jumps(admin_chain: &str) -> [(&'static str, Vec<String>); 2] {
    [
        ("FORWARD", jump_to(FORWARD, "CNI firewall plugin rules")),
        (FORWARD, jump_to(admin_chain, "CNI firewall plugin admin overrides")),
    ]
}

fn filter(sys: &mut dyn Sys) -> Iptables<'_> {
    Iptables { sys, table: "filter" }
}

fn add(sys: &mut dyn Sys, release: Release, call: &Call) -> Result<String, CniError> {
    let config = Config::load(call)?;
    let printed = config.previous()?.print(&call.version()?, release)?;
    let rules = config.rules();
    if !rules.is_empty() {
        add_rules(&mut filter(sys), &config.admin_chain, &rules)?;
    }
    Ok(printed)
}

fn add_rules(filter: &mut Iptables<'_>, admin: &str, rules: &[Vec<String>]) -> Result<(), IptablesError> {
    filter.ensure_chain(FORWARD)?;
    filter.ensure_chain(admin)?;
    for (chain, rule) in jumps(admin) {
        filter.insert_unique(chain, &rule)?;
    }
    for rule in rules {
        if let Err(error) = filter.append_unique(FORWARD, rule) {
            delete_rules(filter, rules);
            return Err(error);
        }
    }
    Ok(())
}

/// A rule that is gone already is as good.
fn delete_rules(filter: &mut Iptables<'_>, rules: &[Vec<String>]) {
    for rule in rules {
        let _ = filter.delete(FORWARD, rule);
    }
}

fn check(sys: &mut dyn Sys, _: Release, call: &Call) -> Result<String, CniError> {
    let config = Config::load(call)?;
    config.previous()?;
    let rules = config.rules();
    if rules.is_empty() {
        return Ok(String::new());
    }
    let filter = &mut filter(sys);
    filter.ensure_chain(FORWARD)?;
    filter.ensure_chain(&config.admin_chain)?;
    for (chain, rule) in jumps(&config.admin_chain) {
        if !filter.exists(chain, &rule)? {
            return Err(format!("expected {chain} rule [{}] not found", rule.join(" ")).into());
        }
    }
    for rule in rules {
        if !filter.exists(FORWARD, &rule)? {
            return Err(format!("expected rule [{}] not found", rule.join(" ")).into());
        }
    }
    Ok(String::new())
}

fn del(sys: &mut dyn Sys, _: Release, call: &Call) -> Result<String, CniError> {
    let config = Config::load(call)?;
    delete_rules(&mut filter(sys), &config.rules());
    Ok(String::new())
}
