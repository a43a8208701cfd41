use std::fmt;

use packet::Skb;

use super::Extension;
use crate::args::{ArgError, Args, Opt, flag, value};
use crate::{Action, EvalCx, Refused, RuleSite};

/// `-j NFQUEUE`: to a process. Nobody listens, so the packet is dropped, or passes on to the next
/// hook with `--queue-bypass`.
/// Kernel: `net/netfilter/xt_NFQUEUE.c`, `net/netfilter/nf_queue.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nfqueue {
    /// First queue.
    pub first: u16,
    /// Number of queues.
    pub count: u32,
    /// `--queue-bypass`.
    pub bypass: bool,
    /// `--queue-cpu-fanout`.
    pub cpu_fanout: bool,
}

impl Extension for Nfqueue {
    const OPTIONS: &'static [Opt] = &[
        value("queue-num").excludes(&["queue-balance"]),
        value("queue-balance").excludes(&["queue-num"]),
        flag("queue-bypass"),
        flag("queue-cpu-fanout").needs(&["queue-balance"]),
    ];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let mut queues = (args.optional_number("queue-num", 0, 0xffff)?.unwrap_or(0) as u16, 1);
        if let Some(given) = args.take("queue-balance")? {
            let (first, last) = args.bounds(&given, 0xffff)?;
            let bad = || ArgError::said(format!("Bad range \"{}\"", given.text()));
            let last = last.ok_or_else(bad)?;
            if first >= last {
                return Err(ArgError::said(format!("{first} should be less than {last}")));
            }
            queues = (first as u16, (last - first + 1) as u32);
        }
        let (bypass, cpu_fanout) = (args.has("queue-bypass")?, args.has("queue-cpu-fanout")?);
        args.check(Self::OPTIONS)?;
        Ok(Self { first: queues.0, count: queues.1, bypass, cpu_fanout })
    }

    fn apply(&self, _: &mut EvalCx<'_>, _: &mut Skb) -> Action {
        if self.bypass { Action::Accept } else { Action::Queue }
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        f.write_str(" NFQUEUE")?;
        self.write(f, ["balance", "num", "bypass", "cpu-fanout"])
    }

    fn check(&self, _: &RuleSite<'_>) -> Result<(), Refused> {
        // Kernel: `nfqueue_tg_check`.
        if u32::from(self.first) + self.count - 1 > 0xffff || self.count > 0xffff {
            return Err(Refused::Invalid);
        }
        Ok(())
    }
}

impl Nfqueue {
    /// The verdict with the queue and its flag, as one word. Kernel: `NF_QUEUE_NR`,
    /// `NF_VERDICT_FLAG_QUEUE_BYPASS`.
    pub(crate) fn verdict(&self) -> u32 {
        u32::from(self.first) << 16 | if self.bypass { 0x8000 } else { 0 } | 3
    }

    fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        [balance, num, bypass, cpu_fanout]: [&str; 4],
    ) -> fmt::Result {
        let Self { first, count, .. } = *self;
        if count > 1 {
            write!(f, " {balance} {first}:{}", u32::from(first) + count - 1)?;
        } else {
            write!(f, " {num} {first}")?;
        }
        if self.bypass {
            write!(f, " {bypass}")?;
        }
        if self.cpu_fanout {
            write!(f, " {cpu_fanout}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Nfqueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, ["--queue-balance", "--queue-num", "--queue-bypass", "--queue-cpu-fanout"])
    }
}
