//! `echo`, `printf`, `true`, `false`, `test`, `[`, `date`, `id`, `uname`, `whoami`, `which`, `pwd`
//! as programs; the shell has most of them built in.

use world::{Fd, Registry, Sys};

use crate::shell::builtin::{escape, printf, test};
use crate::shell::resolve::{Command, resolve};
use crate::shell::state::{BROKEN_PIPE, write_all};

fn say(sys: &mut dyn Sys, bytes: &[u8]) -> i32 {
    if write_all(sys, Fd::STDOUT, bytes).is_err() { BROKEN_PIPE } else { 0 }
}

fn complain(sys: &mut dyn Sys, text: &str) {
    let _ = write_all(sys, Fd::STDERR, format!("{text}\n").as_bytes());
}

/// coreutils' `echo`: escapes count only after `-e`.
fn echo(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let mut rest = args.get(1..).unwrap_or_default();
    let (mut newline, mut escapes) = (true, false);
    while let Some((option, tail)) = rest.split_first() {
        let Some(letters) =
            option.strip_prefix('-').filter(|l| !l.is_empty() && l.chars().all(|c| "neE".contains(c)))
        else {
            break;
        };
        for letter in letters.chars() {
            match letter {
                'n' => newline = false,
                letter => escapes = letter == 'e',
            }
        }
        rest = tail;
    }
    let text = rest.join(" ");
    let mut out = Vec::new();
    if escapes {
        newline &= !escape(&text, &mut out, true);
    } else {
        out.extend(text.into_bytes());
    }
    if newline {
        out.push(b'\n');
    }
    say(sys, &out)
}

fn printf_command(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let Some((format, arguments)) = args.get(1..).unwrap_or_default().split_first() else {
        complain(sys, "printf: missing operand\nTry 'printf --help' for more information.");
        return 1;
    };
    let printed = printf(format, arguments);
    for error in &printed.errors {
        complain(sys, &format!("printf: {error}"));
    }
    say(sys, &printed.bytes).max(i32::from(!printed.errors.is_empty()))
}

fn test_command(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let name = args.first().map_or("test", String::as_str);
    let mut operands = args.get(1..).unwrap_or_default();
    if name == "[" {
        match operands.split_last() {
            Some((last, rest)) if last == "]" => operands = rest,
            _ => {
                complain(sys, "[: missing ']'");
                return 2;
            }
        }
    }
    match test(sys, operands, &|number| sys.is_terminal(Fd(number))) {
        Ok(result) => i32::from(!result),
        Err(message) => {
            complain(sys, &format!("{name}: {message}"));
            2
        }
    }
}

/// Year, month, day, weekday (0 is Sunday), day of the year from 0 of days since 1970.
fn civil(days: i64) -> (i64, i64, i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let index = usize::try_from(month - 1).unwrap_or(0);
    let ordinal = before.get(index).copied().unwrap_or(0) + day - 1 + i64::from(leap && month > 2);
    (year, month, day, (days + 4).rem_euclid(7), ordinal)
}

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Formats a time as `date` does in UTC.
fn strftime(format: &str, seconds: u64, nanos: u64) -> String {
    let total = i64::try_from(seconds).unwrap_or(0);
    let (year, month, day, weekday, ordinal) = civil(total.div_euclid(86_400));
    let of_day = total.rem_euclid(86_400);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    let day_name = DAYS.get(usize::try_from(weekday).unwrap_or(0)).copied().unwrap_or_default();
    let month_name = MONTHS.get(usize::try_from(month - 1).unwrap_or(0)).copied().unwrap_or_default();
    let short = |name: &str| name.chars().take(3).collect::<String>();
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let digits: String = std::iter::from_fn(|| chars.next_if(char::is_ascii_digit)).collect();
        match chars.next() {
            Some('Y') => out += &year.to_string(),
            Some('m') => out += &format!("{month:02}"),
            Some('d') => out += &format!("{day:02}"),
            Some('e') => out += &format!("{day:2}"),
            Some('H') => out += &format!("{hour:02}"),
            Some('I') => out += &format!("{:02}", if hour % 12 == 0 { 12 } else { hour % 12 }),
            Some('p') => out += if hour < 12 { "AM" } else { "PM" },
            Some('M') => out += &format!("{minute:02}"),
            Some('S') => out += &format!("{second:02}"),
            Some('N') => {
                out += format!("{nanos:09}")
                    .get(..digits.parse::<usize>().unwrap_or(9).clamp(1, 9))
                    .unwrap_or_default()
            }
            Some('s') => out += &seconds.to_string(),
            Some('j') => out += &format!("{:03}", ordinal + 1),
            Some('a') => out += &short(day_name),
            Some('A') => out += day_name,
            Some('b' | 'h') => out += &short(month_name),
            Some('B') => out += month_name,
            Some('F') => out += &strftime("%Y-%m-%d", seconds, nanos),
            Some('T') => out += &strftime("%H:%M:%S", seconds, nanos),
            Some('R') => out += &strftime("%H:%M", seconds, nanos),
            Some('D') => out += &strftime("%m/%d/%y", seconds, nanos),
            Some('c') => out += &strftime("%a %b %e %H:%M:%S %Y", seconds, nanos),
            Some('y') => out += &format!("{:02}", year % 100),
            Some('u') => out += &(if weekday == 0 { 7 } else { weekday }).to_string(),
            Some('w') => out += &weekday.to_string(),
            Some('Z') => out += "UTC",
            Some('z') => out += "+0000",
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('%') => out.push('%'),
            Some(other) => out.extend(['%', other]),
            None => out.push('%'),
        }
    }
    out
}

/// `date [-u] [+FORMAT]`: virtual time, UTC.
fn date(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let mut format = "%a %b %e %H:%M:%S UTC %Y".to_owned();
    for arg in args.iter().skip(1) {
        match arg.strip_prefix('+') {
            Some(own) => own.clone_into(&mut format),
            None if arg == "-u" => {}
            None if arg == "-R" => "%a, %d %b %Y %H:%M:%S +0000".clone_into(&mut format),
            None if arg.starts_with('-') => {
                let letter = arg.chars().nth(1).unwrap_or('-');
                complain(
                    sys,
                    &format!("date: invalid option -- '{letter}'\nTry 'date --help' for more information."),
                );
                return 1;
            }
            None => {
                complain(sys, &format!("date: invalid date '{arg}'"));
                return 1;
            }
        }
    }
    let text = strftime(&format, sys.unix_time(), sys.now().as_nanos() % 1_000_000_000);
    say(sys, format!("{text}\n").as_bytes())
}

fn id(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let text = match args.get(1).map(String::as_str) {
        None => "uid=0(root) gid=0(root) groups=0(root)\n",
        Some("-u" | "-g" | "-G") => "0\n",
        Some("-un" | "-gn") => "root\n",
        Some(other) => {
            let letter = other.chars().nth(1).unwrap_or('-');
            complain(
                sys,
                &format!("id: invalid option -- '{letter}'\nTry 'id --help' for more information."),
            );
            return 1;
        }
    };
    say(sys, text.as_bytes())
}

fn uname(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let mut parts: Vec<String> = Vec::new();
    let letters: String = args.iter().skip(1).flat_map(|a| a.chars().skip(1)).collect();
    for letter in if letters.is_empty() { "s".to_owned() } else { letters }.chars() {
        match letter {
            's' | 'o' => parts.push(if letter == 's' { "Linux" } else { "GNU/Linux" }.to_owned()),
            'n' => parts.push(sys.hostname()),
            'r' => parts.push("6.18.0".to_owned()),
            'v' => parts.push("#1 SMP".to_owned()),
            'm' => parts.push("x86_64".to_owned()),
            'a' => parts.push(format!("Linux {} 6.18.0 #1 SMP x86_64 GNU/Linux", sys.hostname())),
            other => {
                complain(
                    sys,
                    &format!("uname: invalid option -- '{other}'\nTry 'uname --help' for more information."),
                );
                return 1;
            }
        }
    }
    say(sys, format!("{}\n", parts.join(" ")).as_bytes())
}

fn which(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let mut status = 0;
    for name in args.iter().skip(1) {
        match resolve(sys, name) {
            Command::Program(program) => {
                let path = if name.contains('/') { name.clone() } else { format!("/usr/bin/{program}") };
                say(sys, format!("{path}\n").as_bytes());
            }
            Command::Script(path) => {
                say(sys, format!("{path}\n").as_bytes());
            }
            Command::NotFound | Command::Denied => status = 1,
        }
    }
    status
}

/// Installs them.
pub(super) fn install(registry: &mut Registry) {
    registry.install_command("true", |_, _| 0);
    registry.install_command("false", |_, _| 1);
    registry.install_command("echo", echo);
    registry.install_command("printf", printf_command);
    registry.install_command("test", test_command);
    registry.install_command("[", test_command);
    registry.install_command("date", date);
    registry.install_command("id", id);
    registry.install_command("uname", uname);
    registry.install_command("which", which);
    registry.install_command("whoami", |sys, _| say(sys, b"root\n"));
    registry.install_command("pwd", |sys, _| {
        let text = format!("{}\n", sys.cwd());
        say(sys, text.as_bytes())
    });
}

#[cfg(test)]
mod tests {
    use super::strftime;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01 Thu 001"),
            (951_782_400, "2000-02-29 Tue 060"),
            (1_735_689_599, "2024-12-31 Tue 366"),
        ] {
            assert_eq!(strftime("%F %a %j", seconds, 0), expected);
        }
    }
}
