//! Events: what components say about objects.

use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use world::Sys;

use super::{Kind, create, key, modify, name_of, namespace_of, server};

/// How grave an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// As it should be.
    Normal,
    /// Not so.
    Warning,
}

/// What is to be said.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// How grave it is.
    pub severity: Severity,
    /// One word: `FailedCreatePodSandBox`.
    pub reason: &'a str,
    /// A sentence.
    pub message: &'a str,
    /// The component: `kubelet`.
    pub component: &'a str,
    /// The node it runs on; may be empty.
    pub host: &'a str,
}

/// Says something about an object. The same thing said again counts. Kubernetes: `EventRecorder`.
///
/// Simplified: similar events are not aggregated, and none is dropped.
pub fn record<K: Kind>(sys: &mut dyn Sys, about: &K, report: &Report<'_>) {
    record_at(sys, about, "", report);
}

/// As [`record`], about a part of an object: `spec.containers{web}`.
pub fn record_at<K: Kind>(sys: &mut dyn Sys, about: &K, part: &str, report: &Report<'_>) {
    let namespace = if K::NAMESPACED { namespace_of(about) } else { "default" };
    let severity = match report.severity {
        Severity::Normal => "Normal",
        Severity::Warning => "Warning",
    };
    let now = server::now(sys);
    let uid = about.metadata().uid.clone();
    // Events are named after what they are about.
    let named = key::<Event>(namespace, &format!("{}.", name_of(about)));
    let same = sys.store().range(&named).filter_map(|(_, entry)| entry.get::<Event>()).find(|event| {
        event.involved_object.uid == uid
            && event.involved_object.field_path.as_deref().unwrap_or_default() == part
            && event.reason.as_deref() == Some(report.reason)
            && event.message.as_deref() == Some(report.message)
    });
    if let Some(same) = same {
        let _ = modify::<Event>(sys, namespace, name_of(&*same), |event| {
            event.count = Some(event.count.unwrap_or(1) + 1);
            event.last_timestamp = Some(now);
        });
        return;
    }
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let mut event = Event {
        type_: text(severity),
        reason: text(report.reason),
        message: text(report.message),
        count: Some(1),
        first_timestamp: Some(now.clone()),
        last_timestamp: Some(now),
        source: Some(EventSource { component: text(report.component), host: text(report.host) }),
        reporting_component: text(report.component),
        reporting_instance: text(report.host),
        involved_object: ObjectReference {
            api_version: Some(K::API_VERSION.to_owned()),
            kind: Some(K::KIND.to_owned()),
            namespace: Some(namespace_of(about).to_owned()).filter(|namespace| !namespace.is_empty()),
            name: Some(name_of(about).to_owned()),
            uid,
            resource_version: about.metadata().resource_version.clone(),
            field_path: text(part),
        },
        ..Event::default()
    };
    // Kubernetes names events by the moment.
    let moment = sys.now().as_nanos();
    let name = (moment..)
        .map(|number| format!("{}.{number:016x}", name_of(about)))
        .find(|name| sys.store().get(&key::<Event>(namespace, name)).is_none());
    event.metadata.name = name;
    event.metadata.namespace = Some(namespace.to_owned());
    // An event about a namespace that is gone is lost, as in a real cluster.
    let _ = create(sys, event);
}
