use std::sync::Arc;

use k8s_openapi::api::core::v1::{Endpoints, Service};
use world::{Sys, Wait};

use super::{node, track};
use crate::api::{API_SERVER, prefix};
use crate::controllers::manager::watch;
use crate::proxy::ProxyConfig;
use crate::proxy::userspace::Userspace;
use crate::time::klog;

/// A kube-proxy in userspace mode.
#[derive(Clone, Debug)]
pub struct UserspaceState {
    proxier: Userspace,
    /// It has seen the store up to this revision.
    seen: u64,
}

impl UserspaceState {
    /// One that has seen nothing yet.
    pub fn start(sys: &mut dyn Sys, config: ProxyConfig, sysctls: &[(String, String)]) -> Self {
        klog(sys, 'I', "server_others.go:140", "Using userspace Proxier.");
        node::set_conntrack(sys, sysctls);
        Self { proxier: Userspace::new(Arc::new(config)), seen: 0 }
    }

    /// Goes as far as it can.
    pub fn turn(&mut self, sys: &mut dyn Sys) -> Wait {
        let revision = sys.store().revision();
        let is_connected = sys.store().get(API_SERVER).is_some();
        if is_connected {
            for (key, entry) in sys.store().changes(self.seen) {
                track(&mut self.proxier.tracker, true, key, entry);
            }
            self.seen = revision;
        }
        let prefixes = [API_SERVER, &prefix::<Service>(None), &prefix::<Endpoints>(None)];
        let after = if is_connected { self.seen } else { revision };
        let watch = Some(watch(after, &prefixes));
        Wait { watch, ..self.proxier.turn(sys) }
    }
}
