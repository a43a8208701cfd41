//! Changes of objects, as they come.
//!
//! Simplified: who wants to know what happened since an old revision is told of each object's last
//! change only, and not of objects that have gone.

use std::collections::BTreeMap;
use std::time::Duration;

use packet::SimTime;
use serde_json::{Value, json};
use world::{Store, Sys};

use super::http::{self, Request};
use super::objects::{Selection, first_fields, kind_of, selected};
use crate::api::rbac::ResourceTarget;
use crate::api::{ApiError, Reason};
use crate::cni::go_json;
use crate::kubectl::kinds::Type;

/// Who is told of changes.
#[derive(Clone, Debug)]
pub struct Watcher {
    kind: Type,
    target: ResourceTarget,
    selection: Selection,
    /// The objects that it knows, by their places.
    known: BTreeMap<String, Value>,
    /// When it ends.
    pub until: Option<SimTime>,
}

fn version(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok()).unwrap_or(0)
}

impl Watcher {
    /// Whom a request wants to be told.
    ///
    /// # Errors
    /// There are no such objects, or its selectors are none.
    pub fn new(
        sys: &dyn Sys,
        request: &Request,
        api_version: &str,
        target: &ResourceTarget,
    ) -> Result<Self, ApiError> {
        let kind = kind_of(api_version, target).ok_or_else(|| {
            ApiError::new(Reason::NotFound, "the server could not find the requested resource")
        })?;
        let selection = Selection::of(request, &kind)?;
        let seconds = request.param("timeoutSeconds").and_then(|text| text.parse().ok());
        let until = seconds.map(|seconds| sys.now() + Duration::from_secs(seconds));
        // Without a revision, all that is there is new.
        let since = request.param("resourceVersion").and_then(|text| text.parse().ok()).unwrap_or(0);
        let mut known = BTreeMap::new();
        if since > 0 {
            let all = selected(sys.store(), &kind, target, &selection);
            known.extend(all.into_iter().filter(|(_, object)| version(object) <= since));
        }
        Ok(Self { kind, target: target.clone(), selection, known, until })
    }

    /// Where its objects lie in the store.
    pub fn prefix(&self) -> String {
        format!("/registry/{}/", self.kind.resource.plural)
    }

    /// What has changed since the last time: chunks of the answer.
    pub fn news(&mut self, store: &Store) -> Vec<u8> {
        let now: BTreeMap<String, Value> =
            selected(store, &self.kind, &self.target, &self.selection).into_iter().collect();
        let mut events: Vec<(u64, &str, &Value)> = Vec::new();
        for (place, object) in &now {
            match self.known.get(place) {
                None => events.push((version(object), "ADDED", object)),
                Some(old) if old != object => events.push((version(object), "MODIFIED", object)),
                Some(_) => {}
            }
        }
        let gone = self.known.iter().filter(|(place, _)| !now.contains_key(*place));
        events.extend(gone.map(|(_, object)| (version(object), "DELETED", object)));
        events.sort_by_key(|(version, ..)| *version);
        let line = |(_, what, object): (u64, &str, &Value)| {
            let event = json!({"type": what, "object": first_fields(object)});
            http::chunk(&format!("{}\n", go_json::compact(&event)))
        };
        let news = events.into_iter().flat_map(line).collect();
        self.known = now;
        news
    }
}
