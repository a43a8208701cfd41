//! tcpdump's command line.

use super::print::Style;
use crate::getopt::getopt;
use crate::net::Refused;

/// Which packets of a device are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ways {
    In,
    Out,
    #[default]
    Both,
}

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub device: Option<String>,
    pub read: Option<String>,
    pub write: Option<String>,
    /// File with the filter.
    pub filter_file: Option<String>,
    pub filter: String,
    pub count: Option<u64>,
    /// Bytes kept of each packet at most.
    pub snaplen: u32,
    pub ways: Ways,
    pub promiscuous: bool,
    /// Standard output is written line by line.
    pub line_buffered: bool,
    /// Each packet is written to the file at once.
    pub packet_buffered: bool,
    /// Only the number of packets of a file.
    pub count_only: bool,
    /// Packets are printed though they are written to a file too.
    pub print: bool,
    pub list_devices: bool,
    pub style: Style,
}

pub(super) const DEFAULT_SNAPLEN: u32 = 262_144;

const VERSION: &str = "tcpdump version 4.99.3\nlibpcap version 1.10.3 (with TPACKET_V3)\n";
const USAGE: &str = "Usage: tcpdump [-AbdDefhHIJKlLnNOpqStuUvxX#] [ -B size ] [ -c count ] [--count]\n\
    \t\t[ -C file_size ] [ -E algo:secret ] [ -F file ] [ -G seconds ]\n\
    \t\t[ -i interface ] [ --immediate-mode ] [ -j tstamptype ]\n\
    \t\t[ -M secret ] [ --number ] [ --print ] [ -Q in|out|inout ]\n\
    \t\t[ -r file ] [ -s snaplen ] [ -T type ] [ --version ]\n\
    \t\t[ -V file ] [ -w file ] [ -W filecount ] [ -y datalinktype ]\n\
    \t\t[ --time-stamp-precision precision ] [ --micro ] [ --nano ]\n\
    \t\t[ -z postrotate-command ] [ -Z user ] [ expression ]\n";
const LONG: &[(&str, char)] = &[
    ("buffer-size", 'B'),
    ("list-interfaces", 'D'),
    ("help", 'h'),
    ("interface", 'i'),
    ("time-stamp-type", 'j'),
    ("micro", '1'),
    ("nano", '2'),
    ("dont-verify-checksums", 'K'),
    ("no-optimize", 'O'),
    ("no-promiscuous-mode", 'p'),
    ("direction", 'Q'),
    ("snapshot-length", 's'),
    ("absolute-tcp-sequence-numbers", 'S'),
    ("packet-buffered", 'U'),
    ("immediate-mode", '3'),
    ("relinquish-privileges", 'Z'),
    ("count", '4'),
    ("number", '#'),
    ("print", '5'),
    ("version", '6'),
];

fn refuse<T>(text: impl std::fmt::Display) -> Result<T, Refused> {
    Err(Refused(1, format!("tcpdump: {text}\n")))
}

impl Options {
    /// Takes the arguments without the command's name.
    pub fn parse(args: &[String]) -> Result<Self, Refused> {
        let spec = "AbB:c:DefF:hHi:j:KlnNOpqQ:r:s:StuUvw:xXZ:#123456";
        let (options, words) = getopt(args, spec, LONG)
            .map_err(|error| Refused(1, format!("tcpdump: {error}\n{VERSION}{USAGE}")))?;
        let mut parsed =
            Self { snaplen: DEFAULT_SNAPLEN, promiscuous: true, filter: words.join(" "), ..Self::default() };
        let style = &mut parsed.style;
        for (letter, value) in options {
            let value = value.unwrap_or_default();
            match letter {
                '#' => style.number = true,
                '2' => style.nano = true,
                '4' => parsed.count_only = true,
                '5' => parsed.print = true,
                '6' => return Err(Refused(0, VERSION.to_owned())),
                'h' => return Err(Refused(0, format!("{VERSION}{USAGE}"))),
                'A' => style.ascii += 1,
                'c' => match value.parse() {
                    Ok(count) if count > 0 => parsed.count = Some(count),
                    _ => return refuse(format!("invalid packet count {value}")),
                },
                'D' => parsed.list_devices = true,
                'e' => style.link = true,
                'F' => parsed.filter_file = Some(value),
                'i' => parsed.device = Some(value),
                'K' => style.trust_checksums = true,
                'l' => parsed.line_buffered = true,
                'n' => style.numeric = true,
                'p' => parsed.promiscuous = false,
                'q' => style.quiet = true,
                'Q' => {
                    parsed.ways = match value.to_ascii_lowercase().as_str() {
                        "in" => Ways::In,
                        "out" => Ways::Out,
                        "inout" => Ways::Both,
                        _ => return refuse(format!("unknown capture direction '{value}'")),
                    }
                }
                'r' => parsed.read = Some(value),
                's' => match value.parse() {
                    Ok(0) => parsed.snaplen = DEFAULT_SNAPLEN,
                    Ok(snaplen) if snaplen <= DEFAULT_SNAPLEN => parsed.snaplen = snaplen,
                    _ => {
                        return refuse(format!(
                            "invalid snaplen {value} (must be >= 0 and <= {DEFAULT_SNAPLEN})"
                        ));
                    }
                },
                'S' => style.absolute = true,
                't' => style.time = style.time.saturating_add(1),
                'U' => parsed.packet_buffered = true,
                'v' => style.verbose = style.verbose.saturating_add(1),
                'w' => parsed.write = Some(value),
                'x' => style.hex += 1,
                'X' => style.hex_ascii += 1,
                // -b -B -f -H -j -N -O -u -Z --micro --immediate-mode: nothing here depends on them.
                _ => {}
            }
        }
        if style.time > 5 {
            return refuse("only -t, -tt, -ttt, -tttt, and -ttttt are supported");
        }
        if parsed.count_only && parsed.read.is_none() {
            return refuse("--count is meaningful only when reading capture files");
        }
        Ok(parsed)
    }
}
