//! Who asks, and whether he may.

use std::net::SocketAddr;

use tools::net::http_server::HttpRequest;
use tools::tls::{Certificate, verify};
use world::Sys;

use super::flags::Mode;
use super::http::{self, Content, Request, Response};
use super::path::Purpose;
use super::watch::Watcher;
use super::{discovery, objects, status};
use crate::api::rbac::{Attributes, ResourceTarget, User, authorize};
use crate::api::{ApiError, Reason, rbac, token};
use crate::time::klog;

/// What decides who may come in.
#[derive(Clone, Debug)]
pub struct Door {
    /// Whose certificates count.
    pub client_ca: Vec<Certificate>,
    /// Whether those count who don't say who they are.
    pub anonymous: bool,
    /// Who may do something.
    pub mode: Mode,
    /// Where the API server is.
    pub address: SocketAddr,
}

/// What comes of a request.
pub enum Outcome {
    /// An answer.
    Answer(Vec<u8>),
    /// Changes as they come, after a head.
    Watch(Watcher, Vec<u8>),
}

impl Door {
    /// Answers a request, the so-many-th.
    pub fn answer(&self, sys: &mut dyn Sys, incoming: &HttpRequest, number: u64) -> Outcome {
        let request = Request::parse(&incoming.text);
        let answered = match self.admit(sys, incoming, &request) {
            Ok((_, Purpose::Path)) => Ok(discovery::answer(&request, self.address)),
            Ok((_, Purpose::Objects { api_version, verb: "watch", target })) => {
                match Watcher::new(sys, &request, &api_version, &target) {
                    Ok(watcher) => return Outcome::Watch(watcher, http::chunked(sys, number)),
                    Err(error) => Err(error),
                }
            }
            Ok((user, Purpose::Objects { api_version, verb, target })) => {
                objects::answer(sys, &request, &user, (&api_version, verb, &target))
            }
            Err(error) => Err(error),
        };
        let response = answered.unwrap_or_else(|error| {
            let body = request.print(&status::of(&error));
            Response { status: error.reason.code(), content: Content::Json, body }
        });
        Outcome::Answer(response.bytes(sys, &request, number))
    }

    fn admit(
        &self,
        sys: &mut dyn Sys,
        incoming: &HttpRequest,
        request: &Request,
    ) -> Result<(User, Purpose), ApiError> {
        let user = self.user(sys, incoming, request).map_err(|why| {
            let text = format!("\"Unable to authenticate the request\" err={why:?}");
            klog(sys, 'E', "authentication.go:73", &text);
            ApiError::new(Reason::Unauthorized, "Unauthorized")
        })?;
        let user = self.impersonated(sys, user, request)?;
        let purpose = Purpose::of(request);
        self.authorize(sys, &user, &purpose.attributes(request))?;
        Ok((user, purpose))
    }

    /// Who asks: whose certificate or token it is.
    ///
    /// # Errors
    /// Why nobody knows; the client isn't told.
    fn user(&self, sys: &dyn Sys, incoming: &HttpRequest, request: &Request) -> Result<User, String> {
        let mut failed = None;
        if let Some(own) = incoming.certificates.first() {
            match verify(&incoming.certificates, &self.client_ca, sys.unix_time()) {
                Ok(()) => {
                    let groups = own.organizations();
                    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
                    return Ok(User::named(&own.common_name().unwrap_or_default(), &groups));
                }
                Err(_) => {
                    let why = "x509: certificate signed by unknown authority";
                    failed = Some(format!("verifying certificate {:?} failed: {why}", own.subject()));
                }
            }
        }
        // Kubernetes: `bearertoken.Authenticator`. What is no token is no failure.
        let mut words = request.header("authorization").unwrap_or_default().split(' ');
        let is_bearer = words.next().is_some_and(|word| word.eq_ignore_ascii_case("bearer"));
        if let Some(text) = words.next().filter(|text| is_bearer && !text.is_empty()) {
            return token::authenticate(sys, text);
        }
        match failed {
            Some(why) => Err(why),
            None if self.anonymous => Ok(User::anonymous()),
            None => Err("no credentials".to_owned()),
        }
    }

    /// Whom the user pretends to be. Kubernetes: `WithImpersonation`.
    fn impersonated(&self, sys: &dyn Sys, user: User, request: &Request) -> Result<User, ApiError> {
        let groups: Vec<String> = request.headers("impersonate-group").map(str::to_owned).collect();
        let Some(name) = request.header("impersonate-user") else { return Ok(user) };
        let impersonate = |resource: &str, namespace: &str, name: &str| {
            let target = ResourceTarget {
                resource: resource.to_owned(),
                namespace: namespace.to_owned(),
                name: name.to_owned(),
                ..ResourceTarget::default()
            };
            self.authorize(sys, &user, &Attributes::resource("impersonate", target))
        };
        match name.strip_prefix(rbac::ACCOUNT).and_then(|rest| rest.split_once(':')) {
            Some((namespace, account)) => impersonate("serviceaccounts", namespace, account)?,
            None => impersonate("users", "", name)?,
        }
        groups.iter().try_for_each(|group| impersonate("groups", "", group))?;
        Ok(User::impersonated(name, &groups))
    }

    fn authorize(&self, sys: &dyn Sys, user: &User, wanted: &Attributes) -> Result<(), ApiError> {
        match self.mode {
            Mode::AlwaysAllow => Ok(()),
            Mode::AlwaysDeny => Err(wanted.forbidden(user, "Everything is forbidden.")),
            Mode::Rbac => authorize(sys.store(), user, wanted),
        }
    }
}
