//! Where names are looked up, and in which order. nsswitch.conf(5); glibc: `nss/nss_database.c`,
//! `nss/nss_action_parse.c`.

/// A place where names are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// /etc/hosts.
    Files,
    /// DNS.
    Dns,
    /// A module that no simulated host has.
    Missing,
}

/// How a service answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It knows the name.
    Success,
    /// It doesn't.
    NotFound,
    /// It can't be asked.
    Unavail,
    /// It can't be asked now.
    TryAgain,
}

const STATUSES: [(&str, Status); 4] = [
    ("SUCCESS", Status::Success),
    ("NOTFOUND", Status::NotFound),
    ("UNAVAIL", Status::Unavail),
    ("TRYAGAIN", Status::TryAgain),
];

/// A service, and the answers that end the lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Who is asked.
    pub service: Service,
    ends: Vec<Status>,
}

impl Step {
    fn new(service: Service) -> Self {
        Self { service, ends: vec![Status::Success] }
    }

    /// Whether nobody is asked after that answer.
    pub fn ends_with(&self, status: Status) -> bool {
        self.ends.contains(&status)
    }

    /// Takes what stands in brackets: `NOTFOUND=return`, `!UNAVAIL=return`, `SUCCESS=continue`.
    fn act(&mut self, criteria: &str) {
        for criterion in criteria.split_whitespace() {
            let Some((status, action)) = criterion.split_once('=') else { continue };
            let (but, status) = status.strip_prefix('!').map_or((false, status), |status| (true, status));
            for (name, known) in STATUSES {
                if status.eq_ignore_ascii_case(name) == but {
                    continue;
                }
                self.ends.retain(|old| *old != known);
                if action.eq_ignore_ascii_case("return") {
                    self.ends.push(known);
                }
            }
        }
    }
}

/// The steps of the `hosts` line; `files dns` if there is none.
pub fn hosts_order(text: &str) -> Vec<Step> {
    let line = text.lines().rev().find_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        line.trim_start().strip_prefix("hosts")?.trim_start().strip_prefix(':')
    });
    let mut steps: Vec<Step> = Vec::new();
    let mut rest = line.unwrap_or("files dns").trim_start();
    while !rest.is_empty() {
        if let Some(criteria) = rest.strip_prefix('[') {
            let (criteria, after) = criteria.split_once(']').unwrap_or((criteria, ""));
            if let Some(step) = steps.last_mut() {
                step.act(criteria);
            }
            rest = after.trim_start();
            continue;
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == '[').unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        steps.push(Step::new(match word {
            "files" => Service::Files,
            "dns" => Service::Dns,
            _ => Service::Missing,
        }));
        rest = after.trim_start();
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_hosts_says_who_is_asked_and_what_ends_it() {
        for (text, expected) in [
            ("", "Files[Success] Dns[Success]"),
            ("passwd: files\nhosts: dns # files\n", "Dns[Success]"),
            ("hosts:files [NOTFOUND=return] dns", "Files[Success, NotFound] Dns[Success]"),
            (
                "hosts: files resolve [!UNAVAIL=return] dns",
                "Files[Success] Missing[Success, NotFound, TryAgain] Dns[Success]",
            ),
        ] {
            let steps = hosts_order(text);
            let seen: Vec<String> =
                steps.iter().map(|step| format!("{:?}{:?}", step.service, step.ends)).collect();
            assert_eq!(seen.join(" "), expected, "{text:?}");
        }
    }
}
