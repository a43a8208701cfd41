use packet::Proto;

use crate::args::{ArgError, Args, Given, Opt};
use crate::selector::{AddrMask, DevPattern, Not};
use crate::{Counters, Match, NOT_SIMULATED, Rule, Selector, Target, Then, names};

/// Collects the options of a rule as they are typed, and makes rules of them.
///
/// Which option belongs to which extension depends on what was typed before (`-p tcp` lends
/// `--dport`), so options are handed over one by one; an extension reads its own at the end.
#[derive(Clone, Debug, Default)]
pub struct RuleParser {
    srcs: Vec<AddrMask>,
    src_invert: bool,
    dsts: Vec<AddrMask>,
    dst_invert: bool,
    selector: Selector,
    matches: Vec<Pending>,
    target: Option<PendingTarget>,
    counters: Option<Counters>,
}

/// An extension and its options so far.
#[derive(Clone, Debug)]
struct Pending {
    name: &'static str,
    options: &'static [Opt],
    given: Vec<Given>,
}

#[derive(Clone, Debug)]
enum PendingTarget {
    Chain { name: String, goto: bool },
    Extension(Pending),
}

/// An option without extension that a rule may have once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleOption {
    /// `-p`.
    Protocol,
    /// `-s`.
    Source,
    /// `-d`.
    Destination,
    /// `-i`.
    InInterface,
    /// `-o`.
    OutInterface,
    /// `-m`.
    Match,
    /// `-j`.
    Jump,
    /// `-g`.
    Goto,
}

impl RuleParser {
    /// Takes an option that every rule understands, with its value.
    ///
    /// # Errors
    /// What iptables says of it.
    pub fn option(&mut self, option: RuleOption, invert: bool, text: &str) -> Result<(), ArgError> {
        match option {
            RuleOption::Protocol => self.protocol(invert, text),
            RuleOption::Source => {
                once(self.srcs.is_empty(), "-s")?;
                self.srcs = addresses(invert, text)?;
                self.src_invert = invert;
                Ok(())
            }
            RuleOption::Destination => {
                once(self.dsts.is_empty(), "-d")?;
                self.dsts = addresses(invert, text)?;
                self.dst_invert = invert;
                Ok(())
            }
            RuleOption::InInterface => {
                once(self.selector.input.is_none(), "-i")?;
                self.selector.input = device(invert, text)?;
                Ok(())
            }
            RuleOption::OutInterface => {
                once(self.selector.output.is_none(), "-o")?;
                self.selector.output = device(invert, text)?;
                Ok(())
            }
            RuleOption::Match => {
                if invert {
                    return Err(ArgError::said("unexpected ! flag before --match"));
                }
                let (name, options) =
                    Match::options(text).ok_or_else(|| ArgError::NoMatch(text.to_owned()))?;
                self.matches.push(Pending { name, options, given: Vec::new() });
                Ok(())
            }
            RuleOption::Jump | RuleOption::Goto => self.jump(option, text),
        }
    }

    /// `-f`.
    pub fn fragment(&mut self, invert: bool) {
        self.selector.fragment = Some(!invert);
    }

    /// `-c PACKETS BYTES`.
    pub fn set_counters(&mut self, counters: Counters) {
        self.counters = Some(counters);
    }

    /// The counters given with `-c`.
    pub fn counters(&self) -> Option<Counters> {
        self.counters
    }

    fn protocol(&mut self, invert: bool, text: &str) -> Result<(), ArgError> {
        once(self.selector.proto.is_none(), "-p")?;
        let proto = names::protocol_number(text).ok_or_else(|| ArgError::Protocol(text.to_owned()))?;
        if proto.0 == 0 {
            return if invert { Err(ArgError::said("rule would never match protocol")) } else { Ok(()) };
        }
        self.selector.proto = Some(Not { invert, value: proto });
        Ok(())
    }

    fn jump(&mut self, option: RuleOption, text: &str) -> Result<(), ArgError> {
        let goto = option == RuleOption::Goto;
        once(self.target.is_none(), if goto { "-g" } else { "-j" })?;
        if text.len() > 28 {
            return Err(ArgError::said(format!("Invalid target name `{text}' (28 chars max)")));
        }
        self.target = Some(match Target::options(text) {
            Some((name, options)) if !goto => {
                PendingTarget::Extension(Pending { name, options, given: Vec::new() })
            }
            _ if !goto && NOT_SIMULATED.contains(&text) => {
                return Err(ArgError::said(format!(
                    "Couldn't load target `{text}':No such file or directory\n"
                )));
            }
            _ => PendingTarget::Chain { name: text.to_owned(), goto },
        });
        Ok(())
    }

    /// Takes a long option of an extension; `next` gives its values. Answers whether any
    /// extension knows it.
    ///
    /// # Errors
    /// A value is missing, or the option can't be negated.
    pub fn extension_option(
        &mut self,
        name: &str,
        invert: bool,
        next: &mut dyn FnMut() -> Option<String>,
    ) -> Result<bool, ArgError> {
        if self.known(name).is_none() {
            self.load_protocol_match();
        }
        let Some(opt) = self.known(name) else { return Ok(false) };
        let mut values = Vec::new();
        for at in 0..opt.values {
            // Only the second value is the extension's own to ask for.
            values.push(next().filter(|value| at == 0 || !value.starts_with(['-', '!'])).ok_or_else(
                || match at {
                    0 => ArgError::MissingValue(format!("--{}", opt.name)),
                    _ if opt.name == "chunk-types" => ArgError::said("--chunk-types requires two args"),
                    _ => ArgError::said(format!("--{} requires two args.", opt.name)),
                },
            )?);
        }
        let Some(pending) = self.extensions().find(|pending| find(pending.options, name).is_some()) else {
            return Ok(false);
        };
        if invert && !opt.invert {
            return Err(ArgError::NoInvert { extension: pending.name, option: opt.name });
        }
        pending.given.push(Given { name: opt.name, invert, values });
        Ok(true)
    }

    /// Extensions, the last loaded first.
    fn extensions(&mut self) -> impl Iterator<Item = &mut Pending> {
        let target = match &mut self.target {
            Some(PendingTarget::Extension(pending)) => Some(pending),
            Some(PendingTarget::Chain { .. }) | None => None,
        };
        target.into_iter().chain(self.matches.iter_mut().rev())
    }

    fn known(&mut self, name: &str) -> Option<Opt> {
        self.extensions().find_map(|pending| find(pending.options, name))
    }

    /// Kernel side none; iptables `load_proto`: `-p tcp` lends the options of `-m tcp`.
    fn load_protocol_match(&mut self) {
        let Some(Not { invert: false, value }) = self.selector.proto else { return };
        let name = names::protocol(value).unwrap_or_default();
        if matches!(name, "tcp" | "udp" | "icmp" | "sctp")
            && self.matches.iter().all(|pending| pending.name != name)
            && let Some((name, options)) = Match::options(name)
        {
            self.matches.push(Pending { name, options, given: Vec::new() });
        }
    }

    /// Whether `-i` and `-o` were given.
    pub const fn has_devices(&self) -> (bool, bool) {
        (self.selector.input.is_some(), self.selector.output.is_some())
    }

    /// The rules: one for each pair of source and destination.
    ///
    /// # Errors
    /// What iptables says of an extension's options.
    pub fn finish(self) -> Result<Vec<Rule>, ArgError> {
        let proto = self.selector.proto.as_ref().filter(|p| !p.invert).map(|p| p.value);
        let args = |pending: Pending, proto: Option<Proto>| Args {
            extension: pending.name,
            seen: pending.given.iter().map(|given| given.name).collect(),
            given: pending.given,
            proto,
            any_proto: self.selector.proto.is_some(),
        };
        let mut matches = Vec::new();
        for pending in self.matches {
            matches.push(Match::parse(&mut args(pending, proto))?);
        }
        let then = match self.target {
            None => Then::Nothing,
            Some(PendingTarget::Chain { name, goto }) => Then::Chain { name, goto },
            Some(PendingTarget::Extension(pending)) => {
                Then::Target(Target::parse(&mut args(pending, proto))?)
            }
        };
        let mut rules = Vec::new();
        for src in each(&self.srcs, self.src_invert) {
            for dst in each(&self.dsts, self.dst_invert) {
                let selector = Selector { src: src.clone(), dst, ..self.selector.clone() };
                rules.push(Rule { selector, matches: matches.clone(), then: then.clone() });
            }
        }
        Ok(rules)
    }
}

/// The addresses of one side; nothing stands for any address.
fn each(addrs: &[AddrMask], invert: bool) -> Vec<Option<Not<AddrMask>>> {
    if addrs.is_empty() {
        return vec![None];
    }
    addrs.iter().map(|value| (invert || !value.is_any()).then_some(Not { invert, value: *value })).collect()
}

/// The option of that name, or the only one that begins so.
fn find(options: &[Opt], name: &str) -> Option<Opt> {
    if let Some(opt) = options.iter().find(|opt| opt.name == name) {
        return Some(*opt);
    }
    let mut fits = options.iter().filter(|opt| !name.is_empty() && opt.name.starts_with(name));
    match (fits.next(), fits.next()) {
        (Some(opt), None) => Some(*opt),
        _ => None,
    }
}

fn once(first: bool, option: &str) -> Result<(), ArgError> {
    if first { Ok(()) } else { Err(ArgError::said(format!("multiple {option} flags not allowed"))) }
}

fn addresses(invert: bool, text: &str) -> Result<Vec<AddrMask>, ArgError> {
    let addrs = text.split(',').map(|part| AddrMask::parse(part.trim())).collect::<Result<Vec<_>, _>>()?;
    if invert && addrs.len() > 1 {
        return Err(ArgError::said("! not allowed with multiple source or destination IP addresses"));
    }
    Ok(addrs)
}

fn device(invert: bool, text: &str) -> Result<Option<Not<DevPattern>>, ArgError> {
    let value = DevPattern::parse(text)?;
    if text.is_empty() {
        return Err(ArgError::said("Empty interface is likely to be undesired"));
    }
    Ok((invert || text != "+").then_some(Not { invert, value }))
}
