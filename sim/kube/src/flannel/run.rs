use std::time::Duration;

use ipnet::{IpNet, Ipv4Net};
use kernel::RouteKind;
use kernel::request::{Mode, Request, RouteSpec};
use packet::SimTime;
use world::{Sys, Wait};

use super::backend::Network;
use super::config::Config;
use super::daemon::Ended;
use super::lease::{Lease, LeaseWatcher};
use super::log::Log;
use super::manager::{Completion, Manager, join};
use super::options::Options;
use super::subnet_file;
use super::traffic::{Ensured, Rules};
use crate::cni::{go_text, link};

/// A flanneld that has its part of the network.
#[derive(Clone, Debug)]
pub struct Run {
    lease: Lease,
    network: Network,
    watcher: LeaseWatcher,
    rules: Vec<Ensured>,
    blackhole: Option<Blackhole>,
    /// `subnet.env` is written.
    ready: bool,
    completion: Completion,
}

/// A route that drops what nobody on this node has.
#[derive(Clone, Debug)]
struct Blackhole {
    subnet: Ipv4Net,
    period: Duration,
    next: SimTime,
}

impl Blackhole {
    /// flannel: `AddBlackholeV4Route`.
    fn turn(&mut self, sys: &mut dyn Sys, log: Log) {
        if sys.now() < self.next {
            return;
        }
        self.next = sys.now() + self.period;
        let dst = IpNet::V4(self.subnet);
        let routes = super::net::main_routes(sys);
        if routes.iter().any(|route| route.dst == dst && route.kind == RouteKind::Blackhole) {
            return;
        }
        let kind = Some(RouteKind::Blackhole);
        let route = RouteSpec { dst: Some(dst), kind, ..RouteSpec::default() };
        let netns = sys.netns();
        if let Err(errno) = link::ask(sys, netns, Request::RouteAdd(route, Mode::Add)) {
            let text = format!("Failed to setup blackhole route, {}", go_text(errno));
            log.error(sys, "main.go:455", &text);
        }
    }
}

impl Run {
    /// Writes rules and `subnet.env`. flannel: `main`, its second half.
    ///
    /// # Errors
    /// The rules can't be made.
    pub fn start(
        sys: &mut dyn Sys,
        log: Log,
        options: &Options,
        config: &Config,
        lease: Lease,
        network: Network,
    ) -> Result<Self, Ended> {
        let whole = config.network.unwrap_or_default();
        log.info(sys, "main.go:392", "Cleaning-up unused traffic manager rules");
        log.info(sys, "nftables.go:280", "Cleaning-up nftables rules...");
        log.info(sys, "iptables.go:50", "Starting flannel in iptables mode...");
        let mut rules = Vec::new();
        if options.ip_masq {
            rules.push(masquerade(sys, log, options, whole, lease.subnet)?);
        }
        if options.forward_rules {
            log.info(sys, "iptables.go:212", "Changing default FORWARD chain policy to ACCEPT");
            rules.push(Rules::forward(whole).ensure(sys, log, options.resync()));
        }
        let period = options.resync();
        let blackhole = options.blackhole_route.then(|| Blackhole {
            subnet: lease.subnet,
            period,
            next: sys.now() + period,
        });
        let file = &options.subnet_file;
        let nets = (whole, lease.subnet);
        let written = subnet_file::write(sys, file, nets, network.mtu(), options.ip_masq);
        match &written {
            Ok(()) => {
                log.info(sys, "main.go:481", &format!("Wrote subnet file to {file}"));
                log.info(sys, "main.go:484", "flannel is ready");
            }
            Err(error) => log.warning(sys, "main.go:479", &format!("Failed to write subnet file: {error}")),
        }
        log.info(sys, "main.go:488", "Running backend.");
        network.announce(sys, log);
        let watcher = LeaseWatcher::new(lease.subnet);
        let (ready, completion) = (written.is_ok(), Completion::Goes);
        Ok(Self { lease, network, watcher, rules, blackhole, ready, completion })
    }

    /// Whether it has done everything once.
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// Does what has to be done now.
    ///
    /// # Errors
    /// The lease was taken away.
    pub fn turn(&mut self, sys: &mut dyn Sys, log: Log, manager: &mut Manager) -> Result<Wait, Ended> {
        for rules in &mut self.rules {
            rules.turn(sys, log);
        }
        if let Some(blackhole) = &mut self.blackhole {
            blackhole.turn(sys, log);
        }
        if self.network.watches() {
            for news in manager.news(sys, log) {
                for event in self.watcher.take(sys, log, news) {
                    self.network.handle(sys, log, &event);
                }
            }
        }
        self.network.turn(sys, log, manager, &self.lease);
        match manager.complete(sys, log, &mut self.lease) {
            Completion::Goes => {}
            Completion::Done => {
                log.info(sys, "main.go:509", "Waiting for all goroutines to exit");
                self.completion = Completion::Done;
            }
            Completion::Revoked => {
                log.error(sys, "main.go:502", "CompleteLease execute error err: interrupted");
                log.info(sys, "main.go:509", "Waiting for all goroutines to exit");
                log.info(sys, "main.go:520", "Stopping shutdownHandler...");
                log.info(sys, "main.go:512", "Exiting cleanly...");
                return Err(Ended(0));
            }
        }
        let rules = self.rules.iter().map(|rules| rules.next);
        let until = rules.chain(self.blackhole.iter().map(|blackhole| blackhole.next)).min();
        let own = Wait { until, ..Wait::default() };
        Ok(join(join(own, self.network.wait()), manager.wait()))
    }

    /// What it says when it is told to end.
    pub fn shut_down(&self, sys: &mut dyn Sys, log: Log, manager: &Manager) {
        if self.completion == Completion::Goes && matches!(manager, Manager::Etcd(_)) {
            log.info(sys, "local_manager.go:392", "Stopped monitoring lease");
            log.error(sys, "main.go:502", "CompleteLease execute error err: canceled");
            log.info(sys, "main.go:509", "Waiting for all goroutines to exit");
        }
        log.info(sys, "main.go:512", "Exiting cleanly...");
    }
}

/// flannel: `SetupAndEnsureMasqRules`.
fn masquerade(
    sys: &mut dyn Sys,
    log: Log,
    options: &Options,
    network: Ipv4Net,
    subnet: Ipv4Net,
) -> Result<Ensured, Ended> {
    let file = &options.subnet_file;
    let mut read = |key| subnet_file::read(sys, log, file, key).unwrap_or_default();
    let (old_network, old_subnet) = (read("FLANNEL_NETWORK"), read("FLANNEL_SUBNET"));
    read("FLANNEL_IPV6_NETWORK");
    read("FLANNEL_IPV6_SUBNET");
    if (network, subnet) != (old_network, old_subnet) {
        let text = format!(
            "Current network or subnet ({network}, {subnet}) is not equal to previous one ({old_network}, \
             {old_subnet}), trying to recycle old iptables rules"
        );
        log.info(sys, "iptables.go:101", &text);
        let old = Rules::masquerade(old_network, old_subnet, options.random_fully);
        if let Err(error) = old.tear_down(sys) {
            log.error(sys, "iptables.go:453", &format!("Failed to teardown iptables: {error}"));
            log.error(sys, "main.go:428", &format!("Failed to setup masq rules, {error}"));
            return Err(Ended(1));
        }
    }
    log.info(sys, "iptables.go:111", "Setting up masking rules");
    let rules = Rules::masquerade(network, subnet, options.random_fully);
    Ok(rules.ensure(sys, log, options.resync()))
}
