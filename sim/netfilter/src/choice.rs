use crate::Random;

/// One random decision: the only place where a rule or a mapping may roll dice.
///
/// A packet that is followed through every branch brings [`Choices`]; otherwise the namespace's
/// own stream decides.
pub struct Draws<'a> {
    /// The namespace's stream.
    pub(crate) stream: &'a mut Random,
    /// The script to follow and write down.
    pub(crate) choices: Option<&'a mut Choices>,
}

impl Draws<'_> {
    /// True with a probability of `parts` in 2^31. Kernel: `(get_random_u32() & 0x7FFFFFFF) < parts`.
    pub fn chance(&mut self, parts: u32) -> bool {
        let drawn = self.stream.next_u31() < parts;
        match &mut self.choices {
            Some(choices) if (1..CERTAIN).contains(&parts) => choices.chance(parts, drawn),
            _ => drawn,
        }
    }

    /// Where a search among `size` ports begins. Kernel: `get_random_u16`.
    pub fn offset(&mut self, size: u32) -> u32 {
        if let Some(choices) = self.choices.as_deref_mut().filter(|_| size > 1) {
            choices.made.push(Choice::Port { size });
        }
        u32::from(self.stream.next_u16())
    }
}

/// 2^31, the kernel's probability 1.
const CERTAIN: u32 = 1 << 31;

/// A random decision that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Whether a rule's `-m statistic --mode random` hit.
    Chance {
        /// Its probability in 1/2^31.
        parts: u32,
        /// Whether it did.
        hit: bool,
    },
    /// A port was drawn: one branch that stands for all.
    Port {
        /// Out of how many.
        size: u32,
    },
}

/// Decides what would be random, and writes down what was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choices {
    /// Decisions to repeat.
    given: Vec<Choice>,
    /// Who decides after them.
    then: Then,
    made: Vec<Choice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Stream,
    AlwaysHit,
}

impl Choices {
    /// Lets the streams decide.
    pub const fn drawn() -> Self {
        Self { given: Vec::new(), then: Then::Stream, made: Vec::new() }
    }

    /// The first of all branches: every chance hits.
    pub const fn first_branch() -> Self {
        Self { given: Vec::new(), then: Then::AlwaysHit, made: Vec::new() }
    }

    /// The branch after this one, depth first: the last chance that hit misses. `None` after the
    /// last.
    pub fn next_branch(&self) -> Option<Self> {
        let last = self.made.iter().rposition(|choice| matches!(choice, Choice::Chance { hit: true, .. }))?;
        let mut given = self.made[..=last].to_vec();
        if let Some(Choice::Chance { hit, .. }) = given.last_mut() {
            *hit = false;
        }
        Some(Self { given, then: self.then, made: Vec::new() })
    }

    /// What was decided, in order.
    pub fn made(&self) -> &[Choice] {
        &self.made
    }

    fn chance(&mut self, parts: u32, drawn: bool) -> bool {
        let hit = match (self.given.get(self.made.len()), self.then) {
            (Some(Choice::Chance { hit, .. }), _) => *hit,
            (Some(Choice::Port { .. }) | None, Then::Stream) => drawn,
            (Some(Choice::Port { .. }) | None, Then::AlwaysHit) => true,
        };
        self.made.push(Choice::Chance { parts, hit });
        hit
    }
}
