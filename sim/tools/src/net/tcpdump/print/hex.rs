//! `-x`, `-X` and `-A`. Source: `print-ascii.c`.

use super::{Printer, from};

const LINE: usize = 16;

impl Printer {
    /// The bytes of a packet, as the options ask for; `header` is the link-layer header's length.
    pub(super) fn dump(&mut self, data: &[u8], header: usize) {
        let past = from(data, header);
        match (self.style.hex_ascii, self.style.hex, self.style.ascii) {
            (1, ..) => self.hex_and_ascii(past),
            (2.., ..) => self.hex_and_ascii(data),
            (_, 1, _) => self.hex(past),
            (_, 2.., _) => self.hex(data),
            (_, _, 1) if !past.is_empty() => self.ascii(past),
            (_, _, 2..) => self.ascii(data),
            _ => {}
        }
    }

    pub(super) fn hex_and_ascii(&mut self, data: &[u8]) {
        for (i, line) in data.chunks(LINE).enumerate() {
            let text: String =
                line.iter().map(|b| if b.is_ascii_graphic() { char::from(*b) } else { '.' }).collect();
            self.say(format_args!("\n\t0x{:04x}: {:<40}  {text}", LINE * i, shorts(line)));
        }
    }

    fn hex(&mut self, data: &[u8]) {
        for (i, line) in data.chunks(LINE).enumerate() {
            self.say(format_args!("\n\t0x{:04x}: {}", LINE * i, shorts(line)));
        }
    }

    fn ascii(&mut self, data: &[u8]) {
        self.put("\n");
        for (i, byte) in data.iter().enumerate() {
            match byte {
                b'\r' => {
                    if data.len() - i > 2 && data[i + 1] != b'\n' {
                        self.put(".");
                    }
                }
                b'\t' | b' ' | b'\n' => self.out.push(char::from(*byte)),
                byte if byte.is_ascii_graphic() => self.out.push(char::from(*byte)),
                _ => self.put("."),
            }
        }
    }
}

fn shorts(line: &[u8]) -> String {
    line.chunks(2)
        .map(|pair| pair.iter().fold(" ".to_owned(), |text, byte| format!("{text}{byte:02x}")))
        .collect()
}
