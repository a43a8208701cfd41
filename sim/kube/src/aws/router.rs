use std::net::{Ipv4Addr, SocketAddr};

use ipnet::IpNet;
use kernel::request::{LinkChange, Mode, Request, RuleSpec};
use kernel::{Errno, Rule, RuleAction};
use tools::net::http_server::HttpServer;
use world::{Args, Next, Program, Sys, Wait, Watch};

use super::config::Config;
use super::fabric::Fabric;
use super::metadata;
use super::model::{Cloud, PREFIX, State};
use crate::cni::{go_text, iptables, link};
use crate::daemon;

/// The address of the instance metadata service.
const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
/// Where the rules of NICs begin.
const FIRST_PRIORITY: u32 = 1000;

/// `vpc-router`: makes the kernel that it runs on the fabric of a VPC.
///
/// Simplified: instances hang on NICs of one Linux kernel. Its own MAC addresses answer for other
/// instances, where AWS answers with theirs.
#[derive(Clone, Debug)]
pub struct VpcRouter {
    args: Args,
    running: Option<Running>,
}

#[derive(Clone, Debug)]
struct Running {
    applied: Fabric,
    metadata: HttpServer,
    seen: u64,
}

impl VpcRouter {
    /// A process called with these arguments.
    pub fn new(args: Args) -> Self {
        Self { args, running: None }
    }
}

impl Running {
    fn start(args: &[String], sys: &mut dyn Sys) -> Result<Self, String> {
        let path = match args.get(1..).unwrap_or_default() {
            [] => "/etc/vpc.json",
            [flag, path] if flag == "--config" => path,
            [other, ..] => return Err(format!("unknown argument: {other}")),
        };
        Config::read(sys, path)?.publish(sys);
        let netns = sys.netns();
        for (key, value) in [
            ("net.ipv4.ip_forward", "1"),
            ("net.ipv4.icmp_echo_ignore_all", "1"),
            ("net.ipv4.conf.all.send_redirects", "0"),
        ] {
            link::sysctl(sys, netns, key, value).map_err(go_text)?;
        }
        link::ensure_address(sys, netns, "lo", IpNet::new_assert(METADATA.into(), 32))?;
        let metadata = HttpServer::listen(sys, SocketAddr::new(METADATA.into(), 80), 128).map_err(go_text)?;
        Ok(Self { applied: Fabric::default(), metadata, seen: 0 })
    }

    fn turn(&mut self, sys: &mut dyn Sys) -> Result<Wait, String> {
        let revision = sys.store().revision();
        if self.seen != revision || self.applied == Fabric::default() {
            let cloud = Cloud::load(sys.store());
            self.apply(sys, &cloud)?;
            self.seen = revision;
        }
        let mut requests = self.metadata.receive(sys);
        while let Some(request) = requests.pop() {
            let cloud = Cloud::load(sys.store());
            let answer = metadata::answer(&cloud, request.peer, &request.text);
            requests.extend(self.metadata.answer(sys, request.connection, answer));
        }
        let watch = Watch { after: self.seen, prefixes: vec![PREFIX.to_owned()] };
        Ok(Wait { fds: self.metadata.fds(), watch: Some(watch), ..Wait::default() })
    }

    /// Makes the kernel what these objects ask for.
    fn apply(&mut self, sys: &mut dyn Sys, cloud: &Cloud) -> Result<(), String> {
        let wanted = Fabric::of(cloud);
        if wanted == self.applied {
            return Ok(());
        }
        let mtu = cloud.vpc().map(|vpc| vpc.mtu);
        self.nics(sys, &wanted, mtu)?;
        self.routes(sys, &wanted)?;
        self.chains(sys, &wanted)?;
        self.applied = wanted;
        Ok(())
    }

    fn nics(&self, sys: &mut dyn Sys, wanted: &Fabric, mtu: Option<u32>) -> Result<(), String> {
        let netns = sys.netns();
        for nic in wanted.nics.iter().filter(|nic| !self.applied.nics.contains(nic)) {
            let (nic, address, state) = nic;
            let failed = |errno| format!("{nic}: {}", go_text(errno));
            let mut changes: Vec<LinkChange> = mtu.map(LinkChange::Mtu).into_iter().collect();
            changes.push(LinkChange::Up(*state == State::Running));
            for change in changes {
                link::set(sys, netns, nic, change).map_err(failed)?;
            }
            for (key, value) in
                [("conf", "proxy_arp=1"), ("conf", "send_redirects=0"), ("neigh", "proxy_delay=0")]
            {
                let (name, value) = value.split_once('=').unwrap_or((value, ""));
                let key = format!("net.ipv4.{key}.{nic}.{name}");
                link::sysctl(sys, netns, &key, value).map_err(failed)?;
            }
            link::ensure_address(sys, netns, nic, IpNet::V4(*address))?;
        }
        Ok(())
    }

    fn routes(&self, sys: &mut dyn Sys, wanted: &Fabric) -> Result<(), String> {
        let netns = sys.netns();
        for route in self.applied.routes.iter().filter(|route| !wanted.routes.contains(route)) {
            match link::ask(sys, netns, Request::RouteDel(route.clone())) {
                // A NIC that went down has taken its routes with it.
                Ok(()) | Err(Errno::Srch) => {}
                Err(errno) => return Err(format!("{route}: {}", go_text(errno))),
            }
        }
        for route in wanted.routes.iter().filter(|route| !self.applied.routes.contains(route)) {
            let asked = Request::RouteAdd(route.clone(), Mode::Replace);
            link::ask(sys, netns, asked).map_err(|errno| format!("{route}: {}", go_text(errno)))?;
        }
        for (place, lookup) in (0..).zip(&wanted.lookups) {
            if self.applied.lookups.contains(lookup) {
                continue;
            }
            let (iif, table) = lookup.clone();
            let action = RuleAction::Lookup(table);
            let rule = Rule { priority: FIRST_PRIORITY + place, iif: Some(iif), action, ..Rule::default() };
            let spec = RuleSpec { rule, priority_given: true, action_given: true, duplicate: false };
            match link::ask(sys, netns, Request::RuleAdd(spec)) {
                Ok(()) | Err(Errno::Exist) => {}
                Err(errno) => return Err(format!("ip rule: {}", go_text(errno))),
            }
        }
        Ok(())
    }

    /// Rewrites the chains that have changed.
    fn chains(&self, sys: &mut dyn Sys, wanted: &Fabric) -> Result<(), String> {
        for table in ["raw", "mangle", "nat", "filter"] {
            let (mut heads, mut rules) = (String::new(), String::new());
            for ((_, name), chain) in wanted.chains.iter().filter(|((of, _), _)| *of == table) {
                if self.applied.chains.get(&(table, name.clone())) == Some(chain) {
                    continue;
                }
                let policy = if name.contains('-') { "-" } else { "ACCEPT" };
                heads.push_str(&format!(":{name} {policy} [0:0]\n"));
                rules.extend(chain.iter().map(|rule| format!("-A {name} {rule}\n")));
            }
            if heads.is_empty() || table == "nat" && rules.is_empty() {
                continue;
            }
            let text = format!("*{table}\n{heads}{rules}COMMIT\n");
            iptables::restore(sys, &text)?;
        }
        Ok(())
    }
}

impl Program for VpcRouter {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let Self { args, running } = self;
        daemon::turn(sys, "vpc-router", running, |sys| Running::start(args, sys), Running::turn)
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
