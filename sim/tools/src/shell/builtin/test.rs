use world::{FileKind, Sys};

use crate::shell::Shell;
use crate::shell::frame::Outcome;

/// `test`.
pub(super) fn test_builtin(shell: &mut Shell, sys: &mut dyn Sys, args: &[String]) -> Outcome {
    answer(shell, sys, args.get(1..).unwrap_or_default())
}

/// `[ ... ]`.
pub(super) fn bracket(shell: &mut Shell, sys: &mut dyn Sys, args: &[String]) -> Outcome {
    match args.split_last() {
        Some((last, rest)) if last == "]" && !rest.is_empty() => {
            answer(shell, sys, rest.get(1..).unwrap_or_default())
        }
        _ => Outcome::Fatal("missing ]".to_owned()),
    }
}

fn answer(shell: &Shell, sys: &dyn Sys, args: &[String]) -> Outcome {
    let terminal = |number: u32| shell.state.fd(number).is_some_and(|fd| sys.is_terminal(fd));
    match test(sys, args, &terminal) {
        Ok(result) => Outcome::from_bool(result),
        Err(message) => Outcome::Fatal(message),
    }
}

/// Evaluates the arguments of `test`; the error is dash's message.
pub(crate) fn test(sys: &dyn Sys, args: &[String], terminal: &dyn Fn(u32) -> bool) -> Result<bool, String> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut test = Test { sys, args: &args, at: 0, terminal, depth: 0 };
    match args.as_slice() {
        [] => return Ok(false),
        // With three or four arguments POSIX decides by their number.
        [a, op, b] if is_binary(op) => return test.binary(a, op, b),
        ["!", a, op, b] if is_binary(op) => return Ok(!test.binary(a, op, b)?),
        _ => {}
    }
    let result = test.or()?;
    match test.peek() {
        None => Ok(result),
        Some(extra) if args.len() == 2 && test.at == 1 => {
            let first = args.first().copied().unwrap_or(extra);
            Err(format!("{first}: unexpected operator"))
        }
        Some(_) => Err(format!(
            "{}: unexpected operator",
            args.get(test.at.saturating_sub(1)).copied().unwrap_or_default()
        )),
    }
}

fn is_binary(op: &str) -> bool {
    matches!(
        op,
        "=" | "!=" | "<" | ">" | "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" | "-nt" | "-ot" | "-ef"
    )
}

fn is_unary(op: &str) -> bool {
    matches!(
        op.as_bytes(),
        [
            b'-',
            b'e' | b'f'
                | b'd'
                | b'r'
                | b'w'
                | b'x'
                | b's'
                | b'n'
                | b'z'
                | b't'
                | b'h'
                | b'L'
                | b'c'
                | b'b'
                | b'p'
                | b'S'
                | b'u'
                | b'g'
                | b'k'
                | b'O'
                | b'G'
        ]
    )
}

struct Test<'a> {
    sys: &'a dyn Sys,
    args: &'a [&'a str],
    at: usize,
    terminal: &'a dyn Fn(u32) -> bool,
    depth: u32,
}

impl<'a> Test<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.args.get(self.at).copied()
    }

    fn or(&mut self) -> Result<bool, String> {
        let mut result = self.and()?;
        while self.peek() == Some("-o") {
            self.at += 1;
            result |= self.and()?;
        }
        Ok(result)
    }

    fn and(&mut self) -> Result<bool, String> {
        let mut result = self.not()?;
        while self.peek() == Some("-a") {
            self.at += 1;
            result &= self.not()?;
        }
        Ok(result)
    }

    fn not(&mut self) -> Result<bool, String> {
        if self.peek() == Some("!") && self.args.len() > self.at + 1 {
            self.at += 1;
            return Ok(!self.not()?);
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<bool, String> {
        let Some(first) = self.peek() else { return Err("argument expected".to_owned()) };
        let (second, third) = (self.args.get(self.at + 1).copied(), self.args.get(self.at + 2).copied());
        if let (Some(op), Some(right)) = (second.filter(|op| is_binary(op)), third) {
            self.at += 3;
            return self.binary(first, op, right);
        }
        if first == "(" && second.is_some() {
            self.depth += 1;
            if self.depth > 100 {
                return Err("argument expected".to_owned());
            }
            self.at += 1;
            let result = self.or()?;
            if self.peek() != Some(")") {
                return Err("closing paren expected".to_owned());
            }
            self.at += 1;
            return Ok(result);
        }
        if is_unary(first)
            && let Some(operand) = second
        {
            self.at += 2;
            return Ok(self.unary(first, operand));
        }
        self.at += 1;
        Ok(!first.is_empty())
    }

    fn unary(&self, op: &str, operand: &str) -> bool {
        let stat = || self.sys.stat(operand).ok();
        let kind = |kind: FileKind| stat().is_some_and(|s| s.kind == kind);
        match op {
            "-n" => !operand.is_empty(),
            "-z" => operand.is_empty(),
            "-e" | "-r" | "-w" | "-O" | "-G" => stat().is_some(),
            "-f" => kind(FileKind::File),
            "-d" => kind(FileKind::Dir),
            "-c" => kind(FileKind::CharDevice),
            "-x" => stat().is_some_and(|s| s.kind == FileKind::Dir || s.mode & 0o111 != 0),
            "-s" => stat().is_some_and(|s| s.kind == FileKind::Dir || s.size > 0),
            "-h" | "-L" => self.sys.readlink(operand).is_ok(),
            "-t" => operand.parse().is_ok_and(self.terminal),
            _ => false,
        }
    }

    fn binary(&self, left: &str, op: &str, right: &str) -> Result<bool, String> {
        let number = |text: &str| text.trim().parse::<i64>().map_err(|_| format!("Illegal number: {text}"));
        Ok(match op {
            "=" => left == right,
            "!=" => left != right,
            "<" => left < right,
            ">" => left > right,
            "-eq" => number(left)? == number(right)?,
            "-ne" => number(left)? != number(right)?,
            "-lt" => number(left)? < number(right)?,
            "-le" => number(left)? <= number(right)?,
            "-gt" => number(left)? > number(right)?,
            "-ge" => number(left)? >= number(right)?,
            "-ef" => left == right && self.sys.stat(left).is_ok(),
            // Simplified: files have no times.
            _ => false,
        })
    }
}
