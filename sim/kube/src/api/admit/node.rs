use k8s_openapi::api::core::v1::{Node, Taint};
use world::Sys;

use super::{Admit, Refused};

impl Admit for Node {
    /// A new node takes no pods until it says that it is ready. Kubernetes: admission plugin
    /// `TaintNodesByCondition`.
    fn allocate(&mut self, _: &mut dyn Sys, old: Option<&Self>) -> Result<(), Refused> {
        let conditions = self.status.iter().flat_map(|status| status.conditions.iter().flatten());
        let is_ready =
            conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True");
        if old.is_none() && !is_ready {
            let (key, effect) = ("node.kubernetes.io/not-ready".to_owned(), "NoSchedule".to_owned());
            let taints = self.spec.get_or_insert_default().taints.get_or_insert_default();
            if !taints.iter().any(|taint| taint.key == key && taint.effect == effect) {
                taints.push(Taint { key, effect, ..Taint::default() });
            }
        }
        Ok(())
    }
}
