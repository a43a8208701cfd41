use k8s_openapi::api::core::v1::{Node, Service};
use netfilter::{Backend, Chain, TableId, TableName};
use packet::{HostId, NetnsId};

use super::Explanation;
use super::draft::Draft;
use crate::error::Problem;
use crate::lab::{Lab, object};

/// The tables that hold rules for Services.
const TABLES: [TableName; 3] = [TableName::Nat, TableName::Filter, TableName::Mangle];

impl Lab {
    /// Explains a Service by the rules that a node has for it: the first node that has any.
    ///
    /// # Errors
    /// There is no such Service, or no node.
    pub(super) fn explain_service(&self, asked: &str, name: &str) -> Result<Explanation, Problem> {
        let service = object::<Service>(&self.world, "Service", name)?;
        let service = format!("{}/{}", kube::api::namespace_of(&*service), kube::api::name_of(&*service));
        let nodes = kube::api::list::<Node>(self.world.store(), None);
        let hosts = nodes.iter().filter_map(|node| self.world.host_by_name(kube::api::name_of(&**node)));
        let hosts: Vec<HostId> = hosts.collect();
        let mut drafts = Vec::new();
        for host in &hosts {
            let mut draft = Draft::new(self, *host)?;
            draft.service(&service);
            drafts.push((self.world.host(*host).name.clone(), draft.finish()));
        }
        let best = drafts.iter().position(|(_, parts)| !parts.is_empty()).unwrap_or(0);
        let message = || format!("no node could have rules for `{name}`");
        if drafts.is_empty() {
            return Err(Problem::Conflict { message: message(), hint: None });
        }
        let (host, parts) = drafts.swap_remove(best);
        Ok(Explanation { object: asked.to_owned(), host, whole: false, nics: Vec::new(), parts })
    }
}

impl Draft<'_> {
    /// The rules that were made for a Service, given as `namespace/name`.
    fn service(&mut self, service: &str) {
        let Some(space) = self.space_of(NetnsId::INIT) else { return };
        let netfilter = &self.target().ns(NetnsId::INIT).netfilter;
        for name in TABLES {
            let id = TableId { backend: Backend::Nft, name };
            let Some(table) = netfilter.table(id) else { continue };
            let is_own = |chain: &Chain| {
                let object = kube::proxy::behind(self.world.store(), &chain.name);
                object.is_some_and(|object| is_about(&object, service))
            };
            let own: Vec<&Chain> = table.user_chains().filter(|chain| is_own(chain)).collect();
            let mut lines = Vec::new();
            for chain in &own {
                let by = self.makers.of_chain(NetnsId::INIT, id, &chain.name);
                lines.push((format!("iptables -t {name} -N {}", chain.name), by));
            }
            for chain in table.chains() {
                let belongs = own.iter().any(|other| other.name == chain.name);
                for installed in chain.rules.iter() {
                    let text = format!("{}{}", chain.name, installed.rule);
                    if belongs || mentions(&text, service) {
                        let by = self.makers.of_rule(&installed.rule);
                        lines.push((format!("iptables -t {name} -A {text}"), by));
                    }
                }
            }
            if lines.is_empty() {
                continue;
            }
            self.part(match name {
                TableName::Nat => "Where its traffic goes",
                _ => "What is done to traffic that has nowhere to go",
            });
            for (text, by) in lines {
                self.write(space, &text, by);
            }
        }
    }
}

/// Whether what a chain was made for is a port or an endpoint of a Service.
fn is_about(object: &str, service: &str) -> bool {
    let rest = object.strip_prefix(service);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', ' ']))
}

/// Whether a rule's comment names a Service first, or a chain of it after `for`.
fn mentions(rule: &str, service: &str) -> bool {
    let comment = rule.split("--comment \"").nth(1).and_then(|rest| rest.split('"').next());
    comment.is_some_and(|comment| is_about(comment, service))
}
