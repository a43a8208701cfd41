use packet::SimTime;

/// The kernel's ring buffer, as `dmesg` reads it.
#[derive(Clone, Debug, Default)]
pub struct KernelLog {
    lines: Vec<(SimTime, String)>,
}

impl KernelLog {
    /// Appends a line (`pr_info` and kin), without newline.
    pub fn log(&mut self, now: SimTime, line: String) {
        self.lines.push((now, line));
    }

    /// All lines, oldest first.
    pub fn lines(&self) -> &[(SimTime, String)] {
        &self.lines
    }
}
