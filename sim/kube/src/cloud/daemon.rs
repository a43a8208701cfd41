use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net};
use kernel::Errno;
use packet::SimTime;
use tools::net::http_client::{Deadlines, HttpExchange};
use world::{Args, Next, Program, Sys, Wait, Watch};

use super::{Balancer, PROGRAM, Pool, Target, rules};
use crate::cni::{go_text, iptables, link};
use crate::daemon;

/// How often a node is asked, and how long it has to answer. Google: `gceHcCheckIntervalSeconds`,
/// `gceHcTimeoutSeconds`.
const INTERVAL: Duration = Duration::from_secs(8);
const TIMEOUT: Duration = Duration::from_secs(1);
/// After so many wrong answers a node gets nothing new; one right answer is enough. Google:
/// `gceHcUnhealthyThreshold`.
const UNHEALTHY: u32 = 3;

/// `cloud-balancer --addresses=CIDR`: makes the host that it runs on all balancers of a cloud.
#[derive(Clone, Debug)]
pub struct Daemon {
    args: Args,
    running: Option<Running>,
}

#[derive(Clone, Debug, Default)]
struct Running {
    seen: u64,
    applied: String,
    addresses: Vec<Ipv4Addr>,
    /// The checks by Service and node.
    checks: BTreeMap<(String, Target), Check>,
}

/// Whether a node wants a Service's connections.
#[derive(Clone, Debug)]
struct Check {
    port: u16,
    healthy: bool,
    failures: u32,
    next: SimTime,
    exchange: Option<Box<HttpExchange>>,
}

impl Daemon {
    /// A process called with these arguments.
    pub fn new(args: Args) -> Self {
        Self { args, running: None }
    }
}

impl Running {
    fn start(args: &[String], sys: &mut dyn Sys) -> Result<Self, String> {
        let mut pool = None;
        for arg in args.get(1..).unwrap_or_default() {
            let cidr = arg.strip_prefix("--addresses=").ok_or_else(|| format!("unknown argument: {arg}"))?;
            pool = Some(cidr.parse::<Ipv4Net>().map_err(|_| format!("{cidr} is no subnet"))?);
        }
        let pool = pool.ok_or("--addresses is missing")?;
        let netns = sys.netns();
        link::sysctl(sys, netns, "net.ipv4.ip_forward", "1").map_err(go_text)?;
        iptables::restore(sys, rules::HOOKS)?;
        Pool(pool).publish(sys);
        Ok(Self::default())
    }

    fn turn(&mut self, sys: &mut dyn Sys) -> Result<Wait, String> {
        let balancers = Balancer::list(sys.store());
        self.seen = sys.store().revision();
        self.watch_over(sys, &balancers);
        for ((_, target), check) in &mut self.checks {
            check.turn(sys, target);
        }
        self.apply(sys, &balancers)?;
        let mut wait = Wait {
            watch: Some(Watch { after: self.seen, prefixes: vec![Balancer::PREFIX.to_owned()] }),
            ..Wait::default()
        };
        for check in self.checks.values() {
            let own = check.exchange.as_ref().map_or_else(|| Wait::until(check.next), |open| open.wait());
            wait.fds.extend(own.fds);
            wait.until = [wait.until, own.until].into_iter().flatten().min();
        }
        Ok(wait)
    }

    /// Has a check for each node of each balancer that wants checks.
    fn watch_over(&mut self, sys: &mut dyn Sys, balancers: &[Arc<Balancer>]) {
        let mut old = std::mem::take(&mut self.checks);
        for balancer in balancers {
            let Some(port) = balancer.health else { continue };
            for target in &balancer.targets {
                let key = (balancer.service.clone(), target.clone());
                let known = old.remove(&key).filter(|check| check.port == port);
                let new = || Check { port, healthy: false, failures: 0, next: sys.now(), exchange: None };
                let check = known.unwrap_or_else(new);
                self.checks.insert(key, check);
            }
        }
        for exchange in old.into_values().filter_map(|check| check.exchange) {
            exchange.cancel(sys);
        }
    }

    /// Makes the kernel what the balancers are.
    fn apply(&mut self, sys: &mut dyn Sys, balancers: &[Arc<Balancer>]) -> Result<(), String> {
        let healthy = |balancer: &Balancer, target: &&Target| {
            balancer.health.is_none()
                || self
                    .checks
                    .get(&(balancer.service.clone(), (*target).clone()))
                    .is_some_and(|check| check.healthy)
        };
        let text = rules::of(balancers.iter().map(|balancer| {
            let targets = balancer.targets.iter().filter(|target| healthy(balancer, target));
            (&**balancer, targets.collect())
        }));
        if text == self.applied {
            return Ok(());
        }
        let wanted: Vec<Ipv4Addr> = balancers.iter().map(|balancer| balancer.address).collect();
        let netns = sys.netns();
        let net = |ip: Ipv4Addr| IpNet::new_assert(ip.into(), 32);
        for ip in wanted.iter().filter(|ip| !self.addresses.contains(ip)) {
            link::ensure_address(sys, netns, "lo", net(*ip))?;
        }
        for ip in self.addresses.iter().filter(|ip| !wanted.contains(ip)) {
            match link::del_address(sys, netns, "lo", net(*ip)) {
                Ok(()) | Err(Errno::AddrNotAvail) => {}
                Err(errno) => return Err(format!("{ip}: {}", go_text(errno))),
            }
        }
        iptables::restore(sys, &text)?;
        (self.applied, self.addresses) = (text, wanted);
        Ok(())
    }
}

impl Check {
    /// Asks if it is time, and takes the answer.
    fn turn(&mut self, sys: &mut dyn Sys, target: &Target) {
        if self.exchange.is_none() && sys.now() >= self.next {
            let until = sys.now() + TIMEOUT;
            self.next = sys.now() + INTERVAL;
            let to = SocketAddr::new(target.address.into(), self.port);
            let request = format!(
                "GET /healthz HTTP/1.1\r\nHost: {}\r\nUser-Agent: GoogleHC/1.0\r\nConnection: close\r\n\r\n",
                target.address
            );
            let deadlines = Deadlines { connect: Some(until), answer: Some(until) };
            match HttpExchange::start(sys, to, &request, deadlines) {
                Ok(exchange) => self.exchange = Some(Box::new(exchange)),
                Err(_) => self.count(false),
            }
        }
        let Some(exchange) = &mut self.exchange else { return };
        if let Poll::Ready(outcome) = exchange.poll(sys) {
            self.exchange = None;
            self.count(outcome.is_ok_and(|response| response.status() == 200));
        }
    }

    fn count(&mut self, is_well: bool) {
        self.failures = if is_well { 0 } else { self.failures.saturating_add(1) };
        if is_well {
            self.healthy = true;
        } else if self.failures >= UNHEALTHY {
            self.healthy = false;
        }
    }
}

impl Program for Daemon {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let Self { args, running } = self;
        daemon::turn(sys, PROGRAM, running, |sys| Running::start(args, sys), Running::turn)
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
