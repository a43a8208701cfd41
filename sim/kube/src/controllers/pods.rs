//! What state a pod is in. Kubernetes: `pkg/api/v1/pod`, `pkg/controller/controller_utils.go`.

use k8s_openapi::api::core::v1::{Pod, PodCondition, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::context::seconds_between;

/// The phase of a pod; `Pending` if it says none.
pub fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or("Pending")
}

/// Whether its containers have ended for good.
pub fn is_over(pod: &Pod) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

/// Whether it is to go.
pub fn is_deleted(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some()
}

/// Whether it counts: neither ended nor to go.
pub fn is_active(pod: &Pod) -> bool {
    !is_over(pod) && !is_deleted(pod)
}

/// Its node.
pub fn node_of(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.node_name.as_deref().filter(|node| !node.is_empty())
}

/// One of its conditions.
pub fn condition<'a>(pod: &'a Pod, kind: &str) -> Option<&'a PodCondition> {
    pod.status.as_ref()?.conditions.iter().flatten().find(|condition| condition.type_ == kind)
}

/// Whether it is ready.
pub fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some_and(|ready| ready.status == "True")
}

/// When it got ready.
pub fn ready_since(pod: &Pod) -> Option<&Time> {
    condition(pod, "Ready").filter(|ready| ready.status == "True")?.last_transition_time.as_ref()
}

/// How many seconds it must still be ready before it is available: 0 if it is; none if it isn't
/// ready.
pub fn seconds_to_available(pod: &Pod, min_ready: i32, now: &Time) -> Option<i64> {
    if !is_ready(pod) {
        return None;
    }
    if min_ready == 0 {
        return Some(0);
    }
    let since = ready_since(pod)?;
    Some((i64::from(min_ready) - seconds_between(since, now)).max(0))
}

/// Whether it has been ready for long enough.
pub fn is_available(pod: &Pod, min_ready: i32, now: &Time) -> bool {
    seconds_to_available(pod, min_ready, now) == Some(0)
}

/// Sets a condition; its time is kept unless the status changes.
pub fn set_condition(status: &mut PodStatus, mut new: PodCondition) {
    let conditions = status.conditions.get_or_insert_default();
    match conditions.iter_mut().find(|condition| condition.type_ == new.type_) {
        Some(old) => {
            if old.status == new.status {
                new.last_transition_time.clone_from(&old.last_transition_time);
            }
            *old = new;
        }
        None => conditions.push(new),
    }
}

/// A count in a status: Kubernetes leaves out zeros.
pub fn count(number: usize) -> Option<i32> {
    i32::try_from(number).ok().filter(|number| *number != 0)
}
