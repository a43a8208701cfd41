//! Which names are asked for one, and in which order. glibc: `__res_context_search` in
//! `resolv/res_query.c`; musl: `name_from_dns_search` in `src/network/lookup_name.c`.

use std::collections::VecDeque;

use crate::resolv_conf::{Flag, ResolvConf};

/// Why a name has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no such name (`HOST_NOT_FOUND`).
    NotFound,
    /// There is, without such records (`NO_DATA`).
    NoData,
    /// The server could not find out (`TRY_AGAIN`, by SERVFAIL).
    ServFail,
    /// No server answered in time (`TRY_AGAIN`).
    TimedOut,
    /// No server could be reached (`TRY_AGAIN`, by `ECONNREFUSED`).
    Unreachable,
    /// The name can't be asked, or the servers won't (`NO_RECOVERY`).
    NoRecovery,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    AsIs,
    InDomain,
}

/// The names that glibc asks for one name. Ask [`current`](Self::current); if it fails,
/// [`fail`](Self::fail) goes on to the next.
#[derive(Clone, Debug)]
pub struct Search {
    left: VecDeque<(Kind, String)>,
    /// Whether there is a dot at the end: the name is absolute.
    absolute: bool,
    /// How the name failed as it is, if that was asked first.
    first: Option<Failure>,
    in_domain: bool,
    no_data: bool,
    serv_fail: bool,
    last: Failure,
}

impl Search {
    /// Begins.
    pub fn new(name: &str, conf: &ResolvConf) -> Self {
        let dots = name.matches('.').count();
        let absolute = name.ends_with('.');
        let as_is = || (Kind::AsIs, name.to_owned());
        let mut left = VecDeque::new();
        let first = dots >= conf.ndots || absolute;
        if first {
            left.push_back(as_is());
        }
        if !absolute {
            // A domain may be the root: `.`.
            let domain = |domain: &String| {
                (Kind::InDomain, format!("{name}.{}", domain.strip_prefix('.').unwrap_or(domain)))
            };
            left.extend(conf.search.iter().map(domain));
            let root = conf.search.iter().any(|domain| domain == ".");
            let wanted = dots > 0 || conf.search.is_empty() || !conf.has(Flag::NoTldQuery);
            if !first && !root && wanted {
                left.push_back(as_is());
            }
        }
        Self {
            left,
            absolute,
            first: None,
            in_domain: false,
            no_data: false,
            serv_fail: false,
            last: Failure::NotFound,
        }
    }

    /// The name to ask now.
    pub fn current(&self) -> Option<&str> {
        self.left.front().map(|(_, name)| name.as_str())
    }

    /// That name has no answer. Answers why the whole has none, once nothing is left to ask.
    pub fn fail(&mut self, failure: Failure) -> Option<Failure> {
        let Some((kind, _)) = self.left.pop_front() else { return Some(self.verdict()) };
        self.last = failure;
        match kind {
            Kind::AsIs if self.absolute => return Some(failure),
            Kind::AsIs if !self.in_domain && !self.left.is_empty() => self.first = Some(failure),
            Kind::AsIs => {}
            Kind::InDomain => {
                self.in_domain = true;
                match failure {
                    Failure::NoData => self.no_data = true,
                    Failure::NotFound => {}
                    Failure::ServFail => self.serv_fail = true,
                    // Without a server no further name is asked, not even as it is.
                    Failure::Unreachable => return Some(failure),
                    Failure::TimedOut | Failure::NoRecovery => {
                        self.left.retain(|(kind, _)| *kind == Kind::AsIs);
                    }
                }
            }
        }
        self.left.is_empty().then(|| self.verdict())
    }

    fn verdict(&self) -> Failure {
        match self.first {
            Some(first) => first,
            None if self.no_data => Failure::NoData,
            None if self.serv_fail => Failure::ServFail,
            None => self.last,
        }
    }
}

/// The names that musl asks: the search list counts only for a name with fewer dots than `ndots`.
/// `None` if the name can't be one.
pub fn musl_names(name: &str, conf: &ResolvConf) -> Option<Vec<String>> {
    /// Bytes for a name and its domain, with a dot between them.
    const MAX_NAME: usize = 255;
    let dots = name.matches('.').count();
    let absolute = name.ends_with('.');
    let stem = name.strip_suffix('.').unwrap_or(name);
    if stem.is_empty() || stem.ends_with('.') {
        return None;
    }
    let search: &[String] = if dots >= conf.ndots || absolute { &[] } else { &conf.search };
    let fits = |domain: &&String| domain.len() < MAX_NAME - stem.len();
    let mut names: Vec<String> =
        search.iter().filter(fits).map(|domain| format!("{stem}.{domain}")).collect();
    names.push(name.to_owned());
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_first_decides_what_is_said() {
        let conf = ResolvConf { search: vec!["a".to_owned(), "b".to_owned()], ..ResolvConf::default() };
        let no_tld = ResolvConf { flags: [Flag::NoTldQuery].into(), ..conf.clone() };
        use Failure::{NoData, NotFound, ServFail, TimedOut, Unreachable};
        // Name, how each name that is asked fails, the names, the verdict.
        for (conf, name, failures, names, verdict) in [
            (&conf, "x", &[NotFound, NotFound, NotFound][..], "x.a x.b x", NotFound),
            (&conf, "x", &[NoData, NotFound, NotFound], "x.a x.b x", NoData),
            (&conf, "x", &[ServFail, NotFound, NotFound], "x.a x.b x", ServFail),
            (&conf, "x", &[TimedOut, NotFound], "x.a x", NotFound),
            (&conf, "x", &[Unreachable], "x.a", Unreachable),
            (&conf, "x.y", &[NoData, NotFound, NotFound], "x.y x.y.a x.y.b", NoData),
            (&conf, "x.y", &[NotFound, NoData, ServFail], "x.y x.y.a x.y.b", NotFound),
            (&conf, "x.", &[NoData], "x.", NoData),
            (&no_tld, "x", &[NotFound, NotFound], "x.a x.b", NotFound),
        ] {
            let mut search = Search::new(name, conf);
            let (mut asked, mut end) = (Vec::new(), None);
            for failure in failures {
                asked.push(search.current().unwrap_or("nothing").to_owned());
                end = search.fail(*failure);
            }
            assert_eq!((asked.join(" ").as_str(), end), (names, Some(verdict)), "{name}");
        }
    }
}
