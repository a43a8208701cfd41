//! Tokens of ServiceAccounts: JSON Web Tokens (RFC 7519). Kubernetes: `pkg/serviceaccount`.
//!
//! Simplified: the signature is a hash with a key that all clusters share; tokens aren't renewed.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use k8s_openapi::Metadata;
use k8s_openapi::api::core::v1::{Node, Pod, ServiceAccount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tools::tls::Key;
use world::{Store, Sys};

use super::admit::{Invalid, TOKEN_SECONDS};
use super::rbac::User;
use super::{ApiError, ClusterSettings, Reason, get};
use crate::time::unix;

/// A token that somebody wants. Kubernetes: `TokenRequest`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenRequest {
    /// For whom it is; for the API server if nobody is named.
    pub audiences: Vec<String>,
    /// How long it shall be valid; an hour if not said.
    pub seconds: Option<i64>,
    /// It ends with this pod.
    pub pod: Option<String>,
}

const HOUR: i64 = 3600;
const YEAR: i64 = 365 * 24 * HOUR;
/// Nobody gets one for less.
const SHORTEST: i64 = 600;

fn key() -> Key {
    Key::of("service accounts")
}

/// Who issues tokens, and for whom.
fn issuer(store: &Store) -> String {
    let domain =
        ClusterSettings::of(store).map_or_else(|| "cluster.local".to_owned(), |known| known.domain.clone());
    format!("https://kubernetes.default.svc.{domain}")
}

fn identity(metadata: &ObjectMeta) -> Value {
    json!({"name": metadata.name, "uid": metadata.uid})
}

/// A UUID that follows from a text.
pub fn uuid(text: &str) -> String {
    let hex: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[12..15], &hex[15..18], &hex[18..30])
}

/// Issues a token of a ServiceAccount.
///
/// # Errors
/// There is no such account or pod, or the time is too short.
pub fn issue(
    sys: &dyn Sys,
    namespace: &str,
    account: &str,
    wanted: &TokenRequest,
) -> Result<String, ApiError> {
    let store = sys.store();
    let found = get::<ServiceAccount>(store, namespace, account)
        .ok_or_else(|| ApiError::not_found::<ServiceAccount>(account))?;
    let seconds = wanted.seconds.unwrap_or(HOUR);
    let wrong = |why: &str| {
        let fields = vec![Invalid::value("spec.expirationSeconds", seconds, why)];
        let message = format!("TokenRequest.authentication.k8s.io \"\" is invalid: {}", fields[0]);
        ApiError { fields, ..ApiError::new(Reason::Invalid, message) }
    };
    if seconds < SHORTEST {
        return Err(wrong("may not specify a duration less than 10 minutes"));
    }
    if seconds > 1 << 32 {
        return Err(wrong("may not specify a duration larger than 2^32 seconds"));
    }
    let issuer = issuer(store);
    let now = unix(sys);
    let audiences = match &wanted.audiences[..] {
        [] => vec![issuer.clone()],
        all => all.to_vec(),
    };
    let mut about = json!({"namespace": namespace});
    let (mut end, mut warn) = (now + seconds, None);
    if let Some(name) = &wanted.pod {
        let pod = get::<Pod>(store, namespace, name).ok_or_else(|| ApiError::not_found::<Pod>(name))?;
        let own = pod.spec.as_ref().and_then(|spec| spec.service_account_name.as_deref()).unwrap_or_default();
        if own != account {
            let why = format!(
                "cannot bind token for serviceaccount {account:?} to pod running with different serviceaccount name."
            );
            return Err(ApiError::new(Reason::BadRequest, why));
        }
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone()).unwrap_or_default();
        if let Some(node) = get::<Node>(store, "", &node) {
            about["node"] = identity(&node.metadata);
        }
        about["pod"] = identity(&pod.metadata);
        // Old clients don't read their tokens again.
        if seconds == TOKEN_SECONDS && audiences == [issuer.clone()] {
            warn = Some(end);
            end = now + YEAR;
        }
    }
    about["serviceaccount"] = identity(found.metadata());
    if let Some(warn) = warn {
        about["warnafter"] = warn.into();
    }
    let subject = format!("system:serviceaccount:{namespace}:{account}");
    let claims = json!({
        "aud": audiences,
        "exp": end,
        "iat": now,
        "iss": issuer,
        "jti": uuid(&format!("{subject} {now} {end} {about}")),
        "kubernetes.io": about,
        "nbf": now,
        "sub": subject,
    });
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let id = URL_SAFE_NO_PAD.encode(Sha256::digest(key().public()));
    let text = format!("{}.{}", part(json!({"alg": "RS256", "kid": id})), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(key().sign(text.as_bytes()));
    Ok(format!("{text}.{signature}"))
}

/// Whose a token is.
///
/// # Errors
/// Why it is no good, as the API server logs it: it says nobody.
pub fn authenticate(sys: &dyn Sys, token: &str) -> Result<User, String> {
    let invalid = || "invalid bearer token".to_owned();
    let (text, signature) = token.rsplit_once('.').ok_or_else(invalid)?;
    let (_, claims) = text.split_once('.').ok_or_else(invalid)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| invalid());
    if decode(signature)? != key().sign(text.as_bytes()) {
        return Err(invalid());
    }
    let claims: Value = serde_json::from_slice(&decode(claims)?).map_err(|_| invalid())?;
    let store = sys.store();
    let (issuer, now) = (issuer(store), unix(sys));
    let audiences = claims["aud"].as_array().into_iter().flatten();
    if claims["iss"] != issuer || !audiences.clone().any(|one| *one == issuer) {
        let all: Vec<&str> = audiences.filter_map(Value::as_str).collect();
        return Err(format!(
            "[invalid bearer token, token audiences [{}] is invalid for the target audiences [{issuer}]]",
            all.join(" ")
        ));
    }
    if claims["exp"].as_i64().is_none_or(|end| now > end) {
        return Err("[invalid bearer token, service account token has expired]".to_owned());
    }
    let about = &claims["kubernetes.io"];
    let of = |what: &str, field: &str| about[what][field].as_str().unwrap_or_default().to_owned();
    let namespace = about["namespace"].as_str().unwrap_or_default();
    let (account, uid) = (of("serviceaccount", "name"), of("serviceaccount", "uid"));
    let gone = || "[invalid bearer token, service account token has been invalidated]".to_owned();
    let found = get::<ServiceAccount>(store, namespace, &account).ok_or_else(gone)?;
    if found.metadata.uid.as_deref() != Some(&uid) {
        return Err(gone());
    }
    let mut extra = BTreeMap::new();
    let mut tell = |key: &str, value: String| {
        extra.insert(format!("authentication.kubernetes.io/{key}"), vec![value]);
    };
    if let Some(id) = claims["jti"].as_str() {
        tell("credential-id", format!("JTI={id}"));
    }
    if !about["node"].is_null() {
        tell("node-name", of("node", "name"));
        tell("node-uid", of("node", "uid"));
    }
    if !about["pod"].is_null() {
        let (pod, pod_uid) = (of("pod", "name"), of("pod", "uid"));
        let stands = get::<Pod>(store, namespace, &pod)
            .is_some_and(|pod| pod.metadata.uid.as_deref() == Some(&pod_uid));
        if !stands {
            return Err(gone());
        }
        tell("pod-name", pod);
        tell("pod-uid", pod_uid);
    }
    Ok(User { uid, extra, ..User::account(namespace, &account) })
}
