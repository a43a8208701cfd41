//! `$((...))`: 64-bit integers that wrap, C's operators without `++`, `--` and the comma.

/// The variables that an expression reads and sets.
pub(super) trait Variables {
    /// The value of a variable; `None` if unset.
    fn get(&mut self, name: &str) -> Result<Option<String>, String>;
    /// Sets a variable.
    fn set(&mut self, name: &str, value: i64) -> Result<(), String>;
}

/// Evaluates an expression; the error is dash's message.
pub(super) fn evaluate(text: &str, variables: &mut dyn Variables) -> Result<i64, String> {
    let mut arith = Arith { text, rest: text, variables, live: true, depth: 0 };
    arith.skip();
    if arith.rest.is_empty() {
        return Ok(0);
    }
    let value = arith.assignment()?;
    arith.skip();
    if arith.rest.is_empty() { Ok(value) } else { Err(arith.error("expecting EOF")) }
}

/// Parses a number as the C library does with base 0: decimal, `0x`, `0`.
pub(super) fn number(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let magnitude = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => i64::from_str_radix(hex, 16),
        None if digits.len() > 1 && digits.starts_with('0') => i64::from_str_radix(digits, 8),
        None => digits.parse(),
    };
    let magnitude = magnitude.ok().filter(|m| *m >= 0)?;
    Some(if negative { -magnitude } else { magnitude })
}

struct Arith<'a> {
    text: &'a str,
    rest: &'a str,
    variables: &'a mut dyn Variables,
    /// Whether assignments and divisions count: not in a branch that isn't taken.
    live: bool,
    depth: u32,
}

/// Binary operators by precedence, loosest first; longer spellings before their prefixes.
const LEVELS: [&[&str]; 8] = [
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];
const OPERATORS: [&str; 36] = [
    "<<=", ">>=", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "+=", "-=", "*=", "/=", "%=", "&=", "|=",
    "^=", "=", "<", ">", "+", "-", "*", "/", "%", "&", "|", "^", "!", "~", "?", ":", "(", ")", ",",
];

impl<'a> Arith<'a> {
    fn error(&self, message: &str) -> String {
        format!("arithmetic expression: {message}: \"{}\"", self.text)
    }

    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn peek(&mut self) -> Option<&'static str> {
        self.skip();
        OPERATORS.into_iter().find(|op| self.rest.starts_with(op))
    }

    fn take(&mut self, op: &str) -> bool {
        let found = self.peek() == Some(op);
        if found {
            self.rest = self.rest.get(op.len()..).unwrap_or_default();
        }
        found
    }

    fn name(&mut self) -> Option<&'a str> {
        self.skip();
        let end =
            self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let name =
            self.rest.get(..end).filter(|n| n.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))?;
        self.rest = self.rest.get(end..).unwrap_or_default();
        Some(name)
    }

    fn assignment(&mut self) -> Result<i64, String> {
        let before = self.rest;
        if let Some(name) = self.name() {
            let op = self.peek().filter(|op| op.ends_with('=') && !matches!(*op, "==" | "!=" | "<=" | ">="));
            if let Some(op) = op {
                self.take(op);
                let right = self.assignment()?;
                let value = match op.strip_suffix('=').filter(|op| !op.is_empty()) {
                    Some(op) => {
                        let left = self.variable(name)?;
                        self.binary(op, left, right)?
                    }
                    None => right,
                };
                if self.live {
                    self.variables.set(name, value)?;
                }
                return Ok(value);
            }
            self.rest = before;
        }
        self.conditional()
    }

    fn conditional(&mut self) -> Result<i64, String> {
        let condition = self.or()?;
        if !self.take("?") {
            return Ok(condition);
        }
        let yes = self.guarded(condition != 0, Self::assignment)?;
        if !self.take(":") {
            return Err(self.error("expecting ':'"));
        }
        let no = self.guarded(condition == 0, Self::conditional)?;
        Ok(if condition != 0 { yes } else { no })
    }

    /// Evaluates a part whose effects count only if `wanted`.
    fn guarded(
        &mut self,
        wanted: bool,
        part: impl FnOnce(&mut Self) -> Result<i64, String>,
    ) -> Result<i64, String> {
        let live = self.live;
        self.live = live && wanted;
        let value = part(self);
        self.live = live;
        value
    }

    fn or(&mut self) -> Result<i64, String> {
        let mut left = self.and()?;
        while self.take("||") {
            let right = self.guarded(left == 0, Self::and)?;
            left = i64::from(left != 0 || right != 0);
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<i64, String> {
        let mut left = self.level(0)?;
        while self.take("&&") {
            let right = self.guarded(left != 0, |a| a.level(0))?;
            left = i64::from(left != 0 && right != 0);
        }
        Ok(left)
    }

    fn level(&mut self, level: usize) -> Result<i64, String> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.level(level + 1)?;
        while let Some(op) = self.peek().filter(|op| operators.contains(op)) {
            self.take(op);
            let right = self.level(level + 1)?;
            left = self.binary(op, left, right)?;
        }
        Ok(left)
    }

    fn binary(&self, op: &str, left: i64, right: i64) -> Result<i64, String> {
        let shift = u32::try_from(right & 63).unwrap_or(0);
        Ok(match op {
            "|" => left | right,
            "^" => left ^ right,
            "&" => left & right,
            "==" => i64::from(left == right),
            "!=" => i64::from(left != right),
            "<=" => i64::from(left <= right),
            ">=" => i64::from(left >= right),
            "<" => i64::from(left < right),
            ">" => i64::from(left > right),
            "<<" => left.wrapping_shl(shift),
            ">>" => left.wrapping_shr(shift),
            "+" => left.wrapping_add(right),
            "-" => left.wrapping_sub(right),
            "*" => left.wrapping_mul(right),
            _ if right == 0 && self.live => return Err(self.error("division by zero")),
            _ if right == 0 => 0,
            "/" => left.wrapping_div(right),
            _ => left.wrapping_rem(right),
        })
    }

    fn unary(&mut self) -> Result<i64, String> {
        self.depth += 1;
        if self.depth > 200 {
            return Err(self.error("nested too deeply"));
        }
        let value = match self.peek() {
            Some("-") => {
                self.take("-");
                self.unary()?.wrapping_neg()
            }
            Some("+") => {
                self.take("+");
                self.unary()?
            }
            Some("!") => {
                self.take("!");
                i64::from(self.unary()? == 0)
            }
            Some("~") => {
                self.take("~");
                !self.unary()?
            }
            Some("(") => {
                self.take("(");
                let value = self.assignment()?;
                if !self.take(")") {
                    return Err(self.error("expecting ')'"));
                }
                value
            }
            _ => self.primary()?,
        };
        self.depth -= 1;
        Ok(value)
    }

    fn primary(&mut self) -> Result<i64, String> {
        if let Some(name) = self.name() {
            return self.variable(name);
        }
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(self.rest.len());
        let digits = self.rest.get(..end).unwrap_or_default();
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(self.error("expecting primary"));
        }
        let value = number(digits).ok_or_else(|| self.error("expecting EOF"))?;
        self.rest = self.rest.get(end..).unwrap_or_default();
        Ok(value)
    }

    fn variable(&mut self, name: &str) -> Result<i64, String> {
        match self.variables.get(name)? {
            None => Ok(0),
            Some(text) if text.trim().is_empty() => Ok(0),
            Some(text) => number(&text).ok_or_else(|| format!("Illegal number: {text}")),
        }
    }
}
