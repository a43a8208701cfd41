use std::fmt;

use packet::{Skb, wire};

use super::{Extension, bang};
use crate::args::{ArgError, Args, Opt, leading_number, negatable};
use crate::EvalCx;

/// `-m u32 --u32 TEST`: numbers found in a packet.
/// Kernel: `net/netfilter/xt_u32.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct U32Match {
    /// `!`.
    pub invert: bool,
    /// All must hold.
    pub tests: Vec<Test>,
}

/// `START [OP NUMBER…] = RANGE,…`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Test {
    /// Where the first number is, bytes from the IP header.
    pub start: u32,
    /// What is done with it.
    pub steps: Vec<(Op, u32)>,
    /// Any of these, inclusive.
    pub ranges: Vec<(u32, u32)>,
}

/// Kernel: `enum xt_u32_ops`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `&`.
    And,
    /// `<<`.
    LeftShift,
    /// `>>`.
    RightShift,
    /// `@`: adds the value to the place and reads again.
    At,
}

impl Op {
    const fn text(self) -> &'static str {
        match self {
            Self::And => "&",
            Self::LeftShift => "<<",
            Self::RightShift => ">>",
            Self::At => "@",
        }
    }
}

/// Kernel: `XT_U32_MAXSIZE`.
const MAX: usize = 10;

/// What is left of the text, and how much was read.
struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn at(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    fn error<T>(&self, what: &str) -> Result<T, ArgError> {
        Err(ArgError::said(format!("u32: at char {}: {what}", self.at())))
    }

    fn number(&mut self) -> Result<u32, ArgError> {
        let (number, rest) = leading_number(self.rest.trim_start());
        match number.and_then(|number| u32::try_from(number).ok()) {
            Some(number) => {
                self.rest = rest;
                Ok(number)
            }
            None => self.error("not a number or out of range"),
        }
    }

    /// Reads up to the `=`.
    fn location(&mut self) -> Result<Test, ArgError> {
        let mut test = Test::default();
        let mut count = 0;
        loop {
            self.skip_blanks();
            if self.rest.is_empty() {
                return Err(ArgError::said("u32: abrupt end of input after location specifier"));
            }
            if self.rest.starts_with('=') {
                if count == 0 {
                    return self.error("location spec missing");
                }
                self.take("=");
                return Ok(test);
            }
            if count == 0 {
                test.start = self.number()?;
            } else {
                let op = if self.take("&") {
                    Op::And
                } else if self.take("@") {
                    Op::At
                } else if self.take("<") {
                    if !self.take("<") {
                        return self.error("a second '<' was expected");
                    }
                    Op::LeftShift
                } else if self.take(">") {
                    if !self.take(">") {
                        return self.error("a second '>' was expected");
                    }
                    Op::RightShift
                } else {
                    return self.error("operator expected");
                };
                test.steps.push((op, self.number()?));
            }
            count += 1;
            if count > MAX {
                return self.error("too many operators");
            }
        }
    }

    /// Reads up to `&&` or the end; answers whether a test follows.
    fn ranges(&mut self, test: &mut Test) -> Result<bool, ArgError> {
        loop {
            self.skip_blanks();
            if self.rest.is_empty() {
                if test.ranges.is_empty() {
                    return Err(ArgError::said("u32: test ended with no value specified"));
                }
                return Ok(false);
            }
            if self.take("&") {
                if !self.rest.starts_with('&') {
                    return self.error("a second '&' was expected");
                }
                if test.ranges.is_empty() {
                    return self.error("value spec missing");
                }
                self.take("&");
                return Ok(true);
            }
            if !test.ranges.is_empty() && !self.take(",") {
                return self.error("expected \",\" or \"&&\"");
            }
            let min = self.number()?;
            self.skip_blanks();
            let max = if self.take(":") { self.number()? } else { min };
            test.ranges.push((min, max));
            if test.ranges.len() > MAX {
                return self.error("too many \",\"s");
            }
        }
    }
}

impl Test {
    /// Kernel: `u32_match_it`; `None` if it looks behind the packet's end.
    fn holds(&self, bytes: &[u8]) -> Option<bool> {
        let read = |at: usize| {
            let word = bytes.get(at..at.checked_add(4)?)?;
            Some(u32::from_be_bytes([word[0], word[1], word[2], word[3]]))
        };
        let mut base = 0usize;
        let mut value = read(self.start as usize)?;
        for (op, number) in &self.steps {
            match op {
                Op::And => value &= number,
                Op::LeftShift => value = value.checked_shl(*number).unwrap_or(0),
                Op::RightShift => value = value.checked_shr(*number).unwrap_or(0),
                Op::At => {
                    base = base.checked_add(value as usize)?;
                    value = read(base.checked_add(*number as usize)?)?;
                }
            }
        }
        Some(self.ranges.iter().any(|(min, max)| (*min..=*max).contains(&value)))
    }
}

impl Extension for U32Match {
    const OPTIONS: &'static [Opt] = &[negatable("u32").mandatory()];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let given = args.require("u32")?;
        let mut reader = Reader { text: given.text(), rest: given.text() };
        let mut tests = Vec::new();
        loop {
            let mut test = reader.location()?;
            let more = reader.ranges(&mut test)?;
            tests.push(test);
            if tests.len() > MAX {
                return reader.error("too many \"&&\"s");
            }
            if !more {
                return Ok(Self { invert: given.invert, tests });
            }
        }
    }

    fn matches(&self, _: &mut EvalCx<'_>, skb: &Skb) -> bool {
        let bytes = wire::emit_packet(skb.ip());
        self.tests.iter().all(|test| test.holds(&bytes) == Some(true)) != self.invert
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        write!(f, " u32{} ", if self.invert { " !" } else { "" })?;
        self.write_tests(f)
    }
}

impl U32Match {
    fn write_tests(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for (at, Test { start, steps, ranges }) in self.tests.iter().enumerate() {
            write!(f, "{}{start:#x}", if at == 0 { "" } else { "&&" })?;
            for (op, number) in steps {
                write!(f, "{}{number:#x}", op.text())?;
            }
            for (at, (min, max)) in ranges.iter().enumerate() {
                write!(f, "{}{min:#x}", if at == 0 { "=" } else { "," })?;
                if min != max {
                    write!(f, ":{max:#x}")?;
                }
            }
        }
        f.write_str("\"")
    }
}

impl fmt::Display for U32Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {}--u32 ", bang(self.invert))?;
        self.write_tests(f)
    }
}
