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
    src: Option<Not<String>>,
    dst: Option<Not<String>>,
    selector: Selector,
    matches: Vec<Pending>,
    target: Option<PendingTarget>,
    counters: Option<Counters>,
    warnings: Vec<String>,
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
                once(self.src.is_none(), "-s")?;
                self.src = Some(Not { invert, value: text.to_owned() });
                Ok(())
            }
            RuleOption::Destination => {
                once(self.dst.is_none(), "-d")?;
                self.dst = Some(Not { invert, value: text.to_owned() });
                Ok(())
            }
            RuleOption::InInterface => {
                once(self.selector.input.is_none(), "-i")?;
                self.selector.input = self.device(invert, text)?;
                Ok(())
            }
            RuleOption::OutInterface => {
                once(self.selector.output.is_none(), "-o")?;
                self.selector.output = self.device(invert, text)?;
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
            RuleOption::Jump | RuleOption::Goto if invert => Err(ArgError::said(match option {
                RuleOption::Goto => "cannot have ! before -g",
                _ => "cannot have ! before -j",
            })),
            RuleOption::Jump | RuleOption::Goto => self.jump(option, text),
        }
    }

    /// `-f`.
    ///
    /// # Errors
    /// It was given before.
    pub fn fragment(&mut self, invert: bool) -> Result<(), ArgError> {
        once(self.selector.fragment.is_none(), "-f")?;
        self.selector.fragment = Some(!invert);
        Ok(())
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
        once(self.target.is_none(), "-j")?;
        if text.is_empty() {
            return Err(ArgError::said("Invalid target name (too short)"));
        }
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

    /// iptables `xtables_parse_interface`.
    fn device(&mut self, invert: bool, text: &str) -> Result<Option<Not<DevPattern>>, ArgError> {
        let value = DevPattern::parse(text)?;
        if text.is_empty() {
            return Err(ArgError::said("Empty interface is likely to be undesired"));
        }
        if text.strip_suffix('+').unwrap_or(text).contains(|c: char| c == '/' || c.is_ascii_whitespace()) {
            let why = "('/' and ' ' are not allowed by the kernel)";
            self.warnings.push(format!("Warning: weird character in interface `{text}' {why}."));
        }
        Ok((invert || text != "+").then_some(Not { invert, value }))
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
        let proto = self.selector.proto.as_ref().map(|proto| proto.value);
        if self.known(name).is_none() {
            self.load_protocol_match();
        }
        let Some(opt) = self.known(name) else { return Ok(false) };
        let mut values = Vec::new();
        for at in 0..opt.values {
            // Only the second value is the extension's own to ask for.
            values.push(next().filter(|value| at == 0 || !value.starts_with(['-', '!'])).ok_or_else(
                || match at {
                    0 => ArgError::MissingValue(format!("--{name}")),
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
        pending.given.push(Given { name: opt.name, proto, invert, values });
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

    /// Whether an extension's option of that name takes no value.
    pub fn is_flag(&mut self, name: &str) -> bool {
        self.known(name).is_some_and(|opt| opt.values == 0)
    }

    fn known(&mut self, name: &str) -> Option<Opt> {
        self.extensions().find_map(|pending| find(pending.options, name))
    }

    /// Kernel side none; iptables `load_proto`: `-p tcp` lends the options of `-m tcp`.
    fn load_protocol_match(&mut self) {
        let Some(Not { value, .. }) = self.selector.proto else { return };
        let name = names::protocol(value).unwrap_or_default();
        if matches!(name, "tcp" | "udp" | "icmp" | "sctp")
            && self.matches.iter().all(|pending| pending.name != name)
            && let Some((name, options)) = Match::options(name)
        {
            self.matches.push(Pending { name, options, given: Vec::new() });
        }
    }

    /// What is wrong with a value given so far, whatever else may be.
    pub fn bad_value(&self) -> Option<ArgError> {
        let named_proto = self.selector.proto.as_ref().map(|proto| proto.value);
        let proto = self.selector.proto.as_ref().filter(|p| !p.invert).map(|p| p.value);
        let args = |pending: &Pending| Args {
            extension: pending.name,
            seen: pending.given.iter().map(|given| given.name).collect(),
            given: pending.given.clone(),
            proto,
            named_proto,
            warnings: Vec::new(),
        };
        let target = match &self.target {
            Some(PendingTarget::Extension(pending)) => Target::parse(&mut args(pending)).err(),
            Some(PendingTarget::Chain { .. }) | None => None,
        };
        let of_matches = self.matches.iter().filter_map(|pending| Match::parse(&mut args(pending)).err());
        of_matches.chain(target).find(ArgError::is_of_a_value)
    }

    /// Whether the rule drops what fits it.
    pub fn drops(&self) -> bool {
        matches!(&self.target, Some(PendingTarget::Extension(Pending { name: "DROP", .. })))
    }

    /// Whether `-i` and `-o` were given.
    pub const fn has_devices(&self) -> (bool, bool) {
        (self.selector.input.is_some(), self.selector.output.is_some())
    }

    /// The rules: one for each pair of source and destination; and what iptables warns of.
    ///
    /// # Errors
    /// What iptables says of an extension's options or of addresses.
    pub fn finish(self) -> Result<(Vec<Rule>, Vec<String>), ArgError> {
        let mut warnings = self.warnings;
        let named_proto = self.selector.proto.as_ref().map(|proto| proto.value);
        let proto = self.selector.proto.as_ref().filter(|p| !p.invert).map(|p| p.value);
        let args = |pending: Pending, proto: Option<Proto>| Args {
            extension: pending.name,
            seen: pending.given.iter().map(|given| given.name).collect(),
            given: pending.given,
            proto,
            named_proto,
            warnings: Vec::new(),
        };
        let mut matches = Vec::new();
        for pending in self.matches {
            let mut args = args(pending, proto);
            matches.push(Match::parse(&mut args)?);
            warnings.append(&mut args.warnings);
        }
        let then = match self.target {
            None => Then::Nothing,
            Some(PendingTarget::Chain { name, goto }) => Then::Chain { name, goto },
            Some(PendingTarget::Extension(pending)) => {
                let mut args = args(pending, proto);
                let target = Target::parse(&mut args)?;
                warnings.append(&mut args.warnings);
                Then::Target(target)
            }
        };
        let (srcs, dsts) = (addresses(self.src)?, addresses(self.dst)?);
        let mut pairs = srcs.iter().flat_map(|src| dsts.iter().map(|dst| (src.clone(), dst.clone())));
        let Some((src, dst)) = pairs.next() else { return Ok((Vec::new(), warnings)) };
        let first = Rule { selector: Selector { src, dst, ..self.selector }, matches, then };
        let others = pairs.map(|(src, dst)| {
            let selector = Selector { src, dst, ..first.selector.clone() };
            Rule { selector, ..first.clone() }
        });
        let others: Vec<Rule> = others.collect();
        let mut rules = vec![first];
        rules.extend(others);
        Ok((rules, warnings))
    }
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

/// The addresses of one side; nothing stands for any address.
/// iptables `xtables_ipparse_multiple`.
fn addresses(text: Option<Not<String>>) -> Result<Vec<Option<Not<AddrMask>>>, ArgError> {
    let Some(Not { invert, value: text }) = text else { return Ok(vec![None]) };
    let addrs = text.split(',').map(|part| AddrMask::parse(part.trim())).collect::<Result<Vec<_>, _>>()?;
    if invert && addrs.len() > 1 {
        return Err(ArgError::said("! not allowed with multiple source or destination IP addresses"));
    }
    let any = |addr: &AddrMask| !invert && addr.is_any();
    Ok(addrs.into_iter().map(|value| (!any(&value)).then_some(Not { invert, value })).collect())
}
