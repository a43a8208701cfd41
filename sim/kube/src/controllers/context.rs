use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use world::Sys;

use super::cache::Cache;
use super::flags::Flags;
use super::queue::{Controller, Queue, Task};
use crate::api::event::{Report, Severity, record};
use crate::api::{self, Kind};

/// What a controller works with.
pub struct Context<'a> {
    /// The process.
    pub sys: &'a mut dyn Sys,
    /// What it has seen.
    pub cache: &'a Cache,
    /// Work to come.
    pub queue: &'a mut Queue,
    /// How it was called.
    pub flags: &'a Flags,
}

impl Context<'_> {
    /// The present second.
    pub fn now(&self) -> Time {
        api::now(self.sys)
    }

    /// Has a controller look at an object again after a while.
    pub fn again(&mut self, controller: Controller, namespace: &str, name: &str, after: Duration) {
        let task = Task { controller, namespace: namespace.to_owned(), name: name.to_owned() };
        let at = self.sys.now() + after;
        self.queue.add_at(task, at);
    }

    /// Says something about an object.
    pub fn report<K: Kind>(
        &mut self,
        component: &str,
        about: &K,
        severity: Severity,
        reason: &str,
        message: &str,
    ) {
        record(self.sys, about, &Report { severity, reason, message, component, host: "" });
    }
}

/// Seconds from one time to another.
pub fn seconds_between(from: &Time, to: &Time) -> i64 {
    to.0.as_second() - from.0.as_second()
}
