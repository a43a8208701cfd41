//! The members of a cluster, and whether they answer.

use std::task::Poll;

use world::Sys;

use super::super::{EtcdCall, EtcdClient, EtcdFailure, Timeouts};
use super::words::End;

/// How `cluster-health` ends when a member doesn't answer.
const NOT_HEALTHY: i32 = 5;

/// A member, as `/v2/members` tells.
#[derive(Clone, Debug, serde::Deserialize)]
pub(super) struct Member {
    pub id: String,
    pub name: String,
    #[serde(rename = "peerURLs")]
    pub peer_urls: Vec<String>,
    #[serde(rename = "clientURLs")]
    pub client_urls: Vec<String>,
}

/// What `/v2/members` answered.
pub(super) fn members(body: &str) -> Vec<Member> {
    #[derive(serde::Deserialize)]
    struct Members {
        members: Vec<Member>,
    }
    serde_json::from_str::<Members>(body).map(|all| all.members).unwrap_or_default()
}

/// Asks each member whether it is well. etcd: `cluster_health.go`.
#[derive(Clone, Debug)]
pub(super) struct Health {
    timeouts: Timeouts,
    members: Vec<Member>,
    /// The member that is asked, and by which of its URLs.
    at: (usize, usize),
    call: Option<(EtcdClient, EtcdCall)>,
    healthy: usize,
    out: String,
}

impl Health {
    /// Will ask these members.
    pub fn new(members: Vec<Member>, timeouts: Timeouts) -> Self {
        Self { timeouts, members, at: (0, 0), call: None, healthy: 0, out: String::new() }
    }

    /// Goes as far as it can; answers what it waits for or, as error, the end.
    pub fn turn(&mut self, sys: &mut dyn Sys) -> Result<world::Wait, End> {
        loop {
            let Some(member) = self.members.get(self.at.0) else { return Err(self.end()) };
            let Some(url) = member.client_urls.get(self.at.1) else {
                let urls = member.client_urls.join(" ");
                let text = format!("member {} is unreachable: [{urls}] are all unreachable\n", member.id);
                self.out.push_str(&text);
                self.at = (self.at.0 + 1, 0);
                continue;
            };
            let (client, call) = self.call.get_or_insert_with(|| {
                (EtcdClient::new(vec![url.clone()], self.timeouts), EtcdCall::get_path("/health"))
            });
            let outcome = match call.poll(sys, client) {
                Poll::Pending => return Ok(call.wait()),
                Poll::Ready(outcome) => outcome,
            };
            self.call = None;
            let id = &member.id;
            match outcome {
                Ok(answer) => {
                    let well = answer.body.contains("\"true\"");
                    let how = if well { "healthy" } else { "unhealthy" };
                    self.healthy += usize::from(well);
                    self.out.push_str(&format!("member {id} is {how}: got {how} result from {url}\n"));
                    self.at = (self.at.0 + 1, 0);
                }
                Err(failure) => {
                    let why = match failure {
                        EtcdFailure::Cluster(errors) => errors.into_iter().next().unwrap_or_default(),
                        other => other.to_string(),
                    };
                    let text = format!(
                        "failed to check the health of member {id} on {url}: Get \"{url}/health\": {why}\n"
                    );
                    self.out.push_str(&text);
                    self.at.1 += 1;
                }
            }
        }
    }

    fn end(&mut self) -> End {
        let (status, how) = match self.healthy {
            all if all == self.members.len() => (0, "healthy"),
            0 => (NOT_HEALTHY, "unavailable"),
            _ => (NOT_HEALTHY, "degraded"),
        };
        End(status, format!("{}cluster is {how}\n", self.out), String::new())
    }
}
