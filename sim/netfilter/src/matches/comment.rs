use std::fmt;

use packet::Skb;

use super::Extension;
use crate::EvalCx;
use crate::args::{ArgError, Args, Opt, quoted, value};

/// `-m comment --comment TEXT`: always matches.
/// Kernel: `net/netfilter/xt_comment.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// At most 255 bytes.
    pub text: String,
}

impl Extension for Comment {
    const OPTIONS: &'static [Opt] = &[value("comment")];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        // What is longer than the kernel's field is cut off. Kernel: `XT_MAX_COMMENT_LEN`.
        let given = args.require("comment")?;
        Ok(Self { text: given.text()[..given.text().floor_char_boundary(255)].to_owned() })
    }

    fn matches(&self, _: &mut EvalCx<'_>, _: &Skb) -> bool {
        true
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        write!(f, " /* {} */", self.text)
    }
}

impl fmt::Display for Comment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " --comment {}", quoted(&self.text))
    }
}
