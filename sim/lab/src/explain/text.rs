use std::fmt::{self, Display, Formatter, Write};

use super::{Explanation, Part, Step};

impl Explanation {
    /// How a bare shell with the same NICs is had.
    pub fn shell(&self) -> String {
        let mut command = "hoplab sh".to_owned();
        for nic in &self.nics {
            let _ = write!(command, " --nic {nic}");
        }
        command
    }
}

/// The commands as a script, with comments.
impl Display for Explanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.whole {
            true => writeln!(f, "# {}: typed into `{}`", self.object, self.shell())?,
            false => writeln!(f, "# {}: typed on {}, which has the rest", self.object, self.host)?,
        }
        self.parts.iter().try_for_each(|part| write!(f, "\n{part}"))
    }
}

impl Display for Part {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {}", self.title)?;
        let mut last = "";
        for step in &self.steps {
            match step {
                Step::Command { text, by, netns: _ } => {
                    if by != last {
                        writeln!(f, "# {by}")?;
                        last = by;
                    }
                    writeln!(f, "{text}")?;
                }
                Step::Remark(text) => writeln!(f, "# ({})", text.replace('\n', "\n# "))?,
            }
        }
        Ok(())
    }
}
