//! `sysctl` of procps-ng 4.0.

use kernel::Errno;
use kernel::request::Request;
use world::{Fd, FileKind, OpenMode, ReadResult, Registry, Sys};

use crate::console::{Console, Stop};

/// Installs `sysctl`.
pub fn install(registry: &mut Registry) {
    registry.install_command("sysctl", run);
}

/// What is shown of a setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Shown {
    /// `key = value`.
    #[default]
    Both,
    /// `-n`.
    Value,
    /// `-N`.
    Name,
    /// `-b`: the value without newline.
    Bare,
}

#[derive(Clone, Debug, Default)]
struct Options {
    shown: Shown,
    quiet: bool,
    ignore: bool,
    write_only: bool,
    all: bool,
    dry_run: bool,
    pattern: Option<String>,
    /// `-p`: files to read.
    load: Option<Vec<String>>,
    words: Vec<String>,
}

const USAGE: &str = "
Usage:
 sysctl [options] [variable[=value] ...]

Options:
  -a, --all            display all variables
  -A                   alias of -a
  -X                   alias of -a
      --deprecated     include deprecated parameters to listing
      --dry-run        Print the key and values but do not write
  -b, --binary         print value without new line
  -e, --ignore         ignore unknown variables errors
  -N, --names          print variable names without values
  -n, --values         print only values of the given variable(s)
  -p, --load[=<file>]  read values from file
  -f                   alias of -p
      --system         read values from all system directories
  -r, --pattern <expression>
                       select setting that match expression
  -q, --quiet          do not echo variable set
  -w, --write          enable writing a value to variable
  -o                   does nothing
  -x                   does nothing
  -d                   alias of -h

 -h, --help     display this help and exit
 -V, --version  output version information and exit

For more details see sysctl(8).
";

fn run(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let mut console = Console::new(sys);
    let outcome = run_words(&mut console, args.get(1..).unwrap_or_default());
    console.finish(outcome)
}

fn run_words(console: &mut Console<'_>, args: &[String]) -> Result<i32, Stop> {
    if args.is_empty() {
        return Err(Stop::text(1, USAGE));
    }
    let Some(o) = parse(args)? else {
        if args.iter().any(|arg| arg == "-V" || arg == "--version") {
            console.line("sysctl from procps-ng 4.0.2");
        } else {
            console.out(USAGE);
        }
        return Ok(0);
    };
    if o.all {
        show_all(console, &o)?;
        return Ok(0);
    }
    if let Some(files) = &o.load {
        let mut status = 0;
        for file in files {
            status |= load(console, file, &o);
        }
        return Ok(status);
    }
    if o.words.is_empty() {
        return Err(Stop::text(
            1,
            "sysctl: no variables specified\nTry `sysctl --help' for more information.\n",
        ));
    }
    let mut status = 0;
    for word in &o.words {
        status |= if o.write_only || word.contains('=') {
            match assignment(word) {
                Some((key, value)) if !key.is_empty() => set(console, key, value, &o),
                Some(_) => {
                    console.flush();
                    console.error("sysctl: Path is not under /proc/sys/: /proc/sys/\n");
                    1
                }
                None => {
                    console.flush();
                    console.error("sysctl: command line(0): invalid syntax, continuing...\n");
                    1
                }
            }
        } else {
            show(console, word, &o)
        };
    }
    Ok(status)
}

/// Options; none for help and version.
fn parse(args: &[String]) -> Result<Option<Options>, Stop> {
    let mut o = Options::default();
    let mut load = false;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let Some(letters) = arg.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
            o.words.push(arg.clone());
            continue;
        };
        if let Some(long) = letters.strip_prefix('-') {
            let (name, value) = long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v.to_owned())));
            match name {
                "" => o.words.extend(args.by_ref().cloned()),
                "all" => o.all = true,
                "deprecated" => {}
                "dry-run" => o.dry_run = true,
                "binary" => o.shown = Shown::Bare,
                "ignore" => o.ignore = true,
                "names" => o.shown = Shown::Name,
                "values" => o.shown = Shown::Value,
                "load" => {
                    load = true;
                    o.words.extend(value);
                }
                "system" => return Err(Stop::exit(2, "sysctl: option \"--system\" is not simulated")),
                "pattern" => o.pattern = value.or_else(|| args.next().cloned()),
                "quiet" => o.quiet = true,
                "write" => o.write_only = true,
                "help" | "version" => return Ok(None),
                _ => return Err(Stop::text(1, format!("sysctl: unrecognized option '--{name}'\n{USAGE}"))),
            }
            continue;
        }
        let mut letters = letters.chars();
        while let Some(letter) = letters.next() {
            match letter {
                'n' => o.shown = Shown::Value,
                'N' => o.shown = Shown::Name,
                'b' => o.shown = Shown::Bare,
                'e' => o.ignore = true,
                'q' => o.quiet = true,
                'w' => o.write_only = true,
                'a' | 'A' | 'X' => o.all = true,
                'o' | 'x' => {}
                'p' | 'f' => {
                    load = true;
                    let attached: String = letters.by_ref().collect();
                    o.words.extend(Some(attached).filter(|file| !file.is_empty()));
                }
                'r' => {
                    let attached: String = letters.by_ref().collect();
                    o.pattern = if attached.is_empty() { args.next().cloned() } else { Some(attached) };
                }
                'h' | 'd' | 'V' => return Ok(None),
                other => return Err(Stop::text(1, format!("sysctl: invalid option -- '{other}'\n{USAGE}"))),
            }
        }
    }
    if load {
        let files = std::mem::take(&mut o.words);
        o.load = Some(if files.is_empty() { vec!["/etc/sysctl.conf".to_owned()] } else { files });
    }
    Ok(Some(o))
}

/// A key with `.` between its parts. Dots and slashes change places if the first separator is a
/// slash; the kernel room's form keeps a device name's dots as `/`.
fn dotted(word: &str) -> String {
    let first = word.find(['.', '/']).and_then(|at| word.as_bytes().get(at));
    if first == Some(&b'/') {
        word.chars()
            .map(|c| match c {
                '/' => '.',
                '.' => '/',
                other => other,
            })
            .collect()
    } else {
        word.to_owned()
    }
}

/// The file of a dotted key below /proc/sys.
fn path_of(key: &str) -> String {
    let swapped: String = key
        .chars()
        .map(|c| match c {
            '.' => '/',
            '/' => '.',
            other => other,
        })
        .collect();
    format!("/proc/sys/{swapped}")
}

fn print_setting(console: &mut Console<'_>, key: &str, value: &str, shown: Shown) {
    match shown {
        Shown::Both => {
            // A value of several lines has its name before each.
            for line in value.split('\n') {
                console.line(&format!("{key} = {line}"));
            }
        }
        Shown::Value => console.line(value),
        Shown::Name => console.line(key),
        Shown::Bare => console.out(value),
    }
}

fn cannot_stat(key: &str, errno: Errno) -> String {
    format!("sysctl: cannot stat {}: {errno}\n", path_of(key))
}

fn show(console: &mut Console<'_>, word: &str, o: &Options) -> i32 {
    let key = dotted(word);
    let netns = console.sys.netns();
    match console.sys.kernel().sysctl_get(netns, &key) {
        Ok(value) => {
            print_setting(console, &key, value.trim_end_matches('\n'), o.shown);
            0
        }
        Err(Errno::NoEnt) => {
            let below = settings_below(console.sys, &key);
            if below.is_empty() {
                return missing(console, &key, Errno::NoEnt, o);
            }
            for (key, value) in below {
                print_setting(console, &key, value.trim_end_matches('\n'), o.shown);
            }
            0
        }
        // Keys that can only be written print nothing.
        Err(Errno::Acces | Errno::Perm) => 0,
        Err(errno) => {
            console.flush();
            console.error(&format!("sysctl: reading key \"{key}\": {errno}\n"));
            1
        }
    }
}

/// The settings of a directory.
fn settings_below(sys: &dyn Sys, key: &str) -> Vec<(String, String)> {
    let prefix = format!("{}.", key.trim_end_matches('.'));
    sys.kernel().sysctl_list(sys.netns()).into_iter().filter(|(name, _)| name.starts_with(&prefix)).collect()
}

fn missing(console: &mut Console<'_>, key: &str, errno: Errno, o: &Options) -> i32 {
    if o.ignore {
        return 0;
    }
    console.flush();
    console.error(&cannot_stat(key, errno));
    1
}

/// `KEY=VALUE`, without the blanks around both.
pub(crate) fn assignment(word: &str) -> Option<(&str, &str)> {
    word.split_once('=').map(|(key, value)| (key.trim(), value.trim()))
}

/// What writing `value` to the setting `word` asks of the kernel.
pub(crate) fn request(word: &str, value: &str) -> Request {
    Request::Sysctl { key: dotted(word), value: value.to_owned() }
}

/// Writes a setting.
fn set(console: &mut Console<'_>, word: &str, value: &str, o: &Options) -> i32 {
    let key = dotted(word);
    let netns = console.sys.netns();
    let known = !matches!(console.sys.kernel().sysctl_get(netns, &key), Err(Errno::NoEnt));
    if !known {
        return missing(console, &key, Errno::NoEnt, o);
    }
    if !o.dry_run
        && let Err(refusal) = console.sys.request(netns, request(word, value))
    {
        console.flush();
        // A file that can't be opened to write: procps' stream library says EINVAL.
        let errno = if refusal.errno == Errno::Acces { Errno::Inval } else { refusal.errno };
        console.error(&format!("sysctl: setting key \"{key}\": {errno}\n"));
        return 1;
    }
    if !o.quiet {
        print_setting(console, &key, value, o.shown);
    }
    0
}

fn show_all(console: &mut Console<'_>, o: &Options) -> Result<(), Stop> {
    let pattern = o.pattern.as_deref().map(Pattern::new).transpose()?;
    let netns = console.sys.netns();
    for (key, value) in console.sys.kernel().sysctl_list(netns) {
        if pattern.as_ref().is_none_or(|pattern| pattern.is_in(&key)) {
            print_setting(console, &key, value.trim_end_matches('\n'), o.shown);
        }
    }
    Ok(())
}

/// Reads a file of settings.
fn load(console: &mut Console<'_>, file: &str, o: &Options) -> i32 {
    let bytes = match read_file(console.sys, file) {
        Ok(bytes) => bytes,
        Err(errno) => {
            console.flush();
            console.error(&format!("sysctl: cannot open \"{file}\": {errno}\n"));
            return 1;
        }
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut status = 0;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        // A `-` before the key is taken and, in this version, changes nothing.
        let line = line.strip_prefix('-').unwrap_or(line);
        match line.split_once('=') {
            Some((key, value)) => status |= set(console, key.trim(), value.trim(), o),
            None => {
                console.flush();
                console.error(&format!("sysctl: {file}({}): invalid syntax, continuing...\n", number + 1));
            }
        }
    }
    status
}

fn read_file(sys: &mut dyn Sys, file: &str) -> Result<Vec<u8>, Errno> {
    let fd = if file == "-" {
        Fd::STDIN
    } else {
        if sys.stat(file)?.kind == FileKind::Dir {
            return Err(Errno::IsDir);
        }
        sys.open(file, OpenMode::Read)?
    };
    let mut bytes = Vec::new();
    while let Ok(ReadResult::Data(data)) = sys.read(fd, 65536) {
        bytes.extend(data);
    }
    if fd != Fd::STDIN {
        sys.close(fd);
    }
    Ok(bytes)
}

/// An extended regular expression of literals, `.`, `[…]`, `(…|…)`, `*`, `+`, `?`, `^` and `$`.
#[derive(Clone, Debug)]
struct Pattern {
    anchored: bool,
    alternatives: Vec<Vec<Piece>>,
}

#[derive(Clone, Debug)]
struct Piece {
    atom: Atom,
    min: usize,
    max: usize,
}

#[derive(Clone, Debug)]
enum Atom {
    Char(char),
    Any,
    Set { negated: bool, ranges: Vec<(char, char)> },
    Group(Vec<Vec<Piece>>),
    End,
}

impl Pattern {
    fn new(text: &str) -> Result<Self, Stop> {
        let (anchored, body) = text.strip_prefix('^').map_or((false, text), |rest| (true, rest));
        let chars: Vec<char> = body.chars().collect();
        let mut at = 0;
        let alternatives = parse_alternatives(&chars, &mut at);
        match alternatives {
            Some(alternatives) if at == chars.len() => Ok(Self { anchored, alternatives }),
            _ => Err(Stop::exit(1, format!("sysctl: The \"{text}\" pattern is not valid"))),
        }
    }

    fn is_in(&self, text: &str) -> bool {
        let chars: Vec<char> = text.chars().collect();
        let starts = if self.anchored { 0..=0 } else { 0..=chars.len() };
        starts
            .into_iter()
            .any(|from| self.alternatives.iter().any(|pieces| !ends_of(pieces, &chars, from).is_empty()))
    }
}

fn parse_alternatives(chars: &[char], at: &mut usize) -> Option<Vec<Vec<Piece>>> {
    let mut all = vec![Vec::new()];
    while let Some(&c) = chars.get(*at) {
        if c == ')' {
            break;
        }
        *at += 1;
        let atom = match c {
            '|' => {
                all.push(Vec::new());
                continue;
            }
            '.' => Atom::Any,
            '$' => Atom::End,
            '(' => {
                let inner = parse_alternatives(chars, at)?;
                (chars.get(*at) == Some(&')')).then(|| *at += 1)?;
                Atom::Group(inner)
            }
            '[' => {
                let negated = chars.get(*at) == Some(&'^');
                *at += usize::from(negated);
                let mut ranges = Vec::new();
                let start = *at;
                loop {
                    let c = *chars.get(*at)?;
                    if c == ']' && *at > start {
                        *at += 1;
                        break;
                    }
                    if chars.get(*at + 1) == Some(&'-') && chars.get(*at + 2).is_some_and(|&end| end != ']') {
                        ranges.push((c, *chars.get(*at + 2)?));
                        *at += 3;
                    } else {
                        ranges.push((c, c));
                        *at += 1;
                    }
                }
                Atom::Set { negated, ranges }
            }
            '\\' => {
                let c = *chars.get(*at)?;
                *at += 1;
                Atom::Char(c)
            }
            c => Atom::Char(c),
        };
        let (min, max) = match chars.get(*at) {
            Some('*') => (0, usize::MAX),
            Some('+') => (1, usize::MAX),
            Some('?') => (0, 1),
            _ => (1, 1),
        };
        if (min, max) != (1, 1) {
            *at += 1;
        }
        all.last_mut()?.push(Piece { atom, min, max });
    }
    Some(all)
}

/// Where a match of `pieces` that begins at `from` can end.
fn ends_of(pieces: &[Piece], text: &[char], from: usize) -> Vec<usize> {
    let Some((piece, rest)) = pieces.split_first() else { return vec![from] };
    let mut ends = Vec::new();
    let mut reached = vec![from];
    let mut count = 0;
    loop {
        if count >= piece.min {
            for &at in &reached {
                ends.extend(ends_of(rest, text, at));
            }
        }
        if count >= piece.max {
            break;
        }
        let mut next: Vec<usize> = reached.iter().flat_map(|&at| atom_ends(&piece.atom, text, at)).collect();
        next.sort_unstable();
        next.dedup();
        next.retain(|at| !reached.contains(at) || count < piece.min);
        if next.is_empty() {
            break;
        }
        reached = next;
        count += 1;
    }
    ends.sort_unstable();
    ends.dedup();
    ends
}

fn atom_ends(atom: &Atom, text: &[char], at: usize) -> Vec<usize> {
    let step = |fits: bool| if fits { vec![at + 1] } else { Vec::new() };
    match (atom, text.get(at)) {
        (Atom::Group(alternatives), _) => {
            alternatives.iter().flat_map(|pieces| ends_of(pieces, text, at)).collect()
        }
        (Atom::End, None) => vec![at],
        (Atom::End, Some(_)) | (_, None) => Vec::new(),
        (Atom::Char(wanted), Some(c)) => step(wanted == c),
        (Atom::Any, Some(_)) => step(true),
        (Atom::Set { negated, ranges }, Some(c)) => {
            step(ranges.iter().any(|(first, last)| (first..=last).contains(&c)) != *negated)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_extended_regular_expressions() {
        let check = |pattern: &str, text: &str| Pattern::new(pattern).map(|p| p.is_in(text)).unwrap_or(false);
        assert!(check("eth0.arp_(ignore|announce)", "net.ipv4.conf.eth0.arp_ignore"));
        assert!(!check("eth0.arp_(ignore|announce)", "net.ipv4.conf.eth0.arp_filter"));
        assert!(check("^net.ipv4.ip_f", "net.ipv4.ip_forward"));
        assert!(!check("^ipv4", "net.ipv4.ip_forward"));
        assert!(check("rp_filter$", "net.ipv4.conf.lo.rp_filter"));
        assert!(check("a[0-9]+b*c?$", "xa12"));
    }

    #[test]
    fn a_key_may_be_written_with_slashes() {
        assert_eq!(dotted("net/ipv4/conf/eth0.5/rp_filter"), "net.ipv4.conf.eth0/5.rp_filter");
        assert_eq!(dotted("net.ipv4.conf.eth0/5.rp_filter"), "net.ipv4.conf.eth0/5.rp_filter");
        assert_eq!(path_of("net.ipv4.conf.eth0/5.rp_filter"), "/proc/sys/net/ipv4/conf/eth0.5/rp_filter");
    }
}
