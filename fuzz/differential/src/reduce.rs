//! Makes a case smaller while its difference stays.

use std::io;

use crate::run::{Runner, chunks};
use crate::script::{BATCH, Case, of_cases};

/// What can be left out of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Probe(usize),
    Node(String),
    Table(String, &'static str),
    /// A chain that isn't built in, with all calls of it.
    Chain(String, &'static str, String),
    Policy(String, &'static str, usize),
    Rule(String, &'static str, usize, usize),
}

fn parts(case: &Case) -> Vec<Part> {
    let mut parts: Vec<Part> = (0..case.probes.len()).map(Part::Probe).collect();
    for (node, tables) in &case.rules.0 {
        if case.rules.0.len() > 1 {
            parts.push(Part::Node(node.clone()));
        }
        for table in tables {
            parts.push(Part::Table(node.clone(), table.name));
            for (index, chain) in table.chains.iter().enumerate() {
                match chain.policy {
                    None => parts.push(Part::Chain(node.clone(), table.name, chain.name.clone())),
                    Some("ACCEPT") => {}
                    Some(_) => parts.push(Part::Policy(node.clone(), table.name, index)),
                }
                parts.extend(
                    (0..chain.rules.len()).map(|rule| Part::Rule(node.clone(), table.name, index, rule)),
                );
            }
        }
    }
    parts
}

/// The case without some of its parts.
fn without(case: &Case, parts: &[Part]) -> Case {
    let mut small = case.clone();
    let mut index = 0;
    small.probes.retain(|_| {
        index += 1;
        !parts.contains(&Part::Probe(index - 1))
    });
    small.rules.0.retain(|node, _| !parts.contains(&Part::Node(node.clone())));
    for (node, tables) in &mut small.rules.0 {
        tables.retain(|table| !parts.contains(&Part::Table(node.clone(), table.name)));
        for table in tables {
            let name = table.name;
            for (at, chain) in table.chains.iter_mut().enumerate() {
                let mut index = 0;
                chain.rules.retain(|_| {
                    index += 1;
                    !parts.contains(&Part::Rule(node.clone(), name, at, index - 1))
                });
                if parts.contains(&Part::Policy(node.clone(), name, at)) {
                    chain.policy = Some("ACCEPT");
                }
            }
            let gone = |chain: &str| parts.contains(&Part::Chain(node.clone(), name, chain.to_owned()));
            table.chains.retain(|chain| !gone(&chain.name));
            for chain in &mut table.chains {
                chain.rules.retain(|rule| !rule.rsplit(' ').next().is_some_and(gone));
            }
        }
    }
    small
}

/// Which of these cases differ; each is run after those before it.
fn differing(runner: &Runner, setup: &str, cases: &[Case]) -> io::Result<Vec<bool>> {
    let mut all = Vec::new();
    for some in cases.chunks(BATCH as usize) {
        let script = of_cases(setup, some);
        let live = chunks(&runner.live(&script)?, some.len());
        let simulated = chunks(&runner.simulated(&script)?, some.len());
        all.extend((1..=some.len()).map(|index| {
            let live = live.get(index).filter(|chunk| !chunk.is_empty());
            live.is_some_and(|live| simulated.get(index).is_none_or(|ours| ours != live))
        }));
    }
    Ok(all)
}

/// A case that still differs when run alone, and of which no part can be left out.
///
/// # Errors
/// If a side can't be run.
pub fn reduce(runner: &Runner, setup: &str, case: &Case) -> io::Result<Case> {
    let mut case = case.clone();
    loop {
        let parts = parts(&case);
        let singles: Vec<Case> =
            parts.iter().map(|part| without(&case, std::slice::from_ref(part))).collect();
        let differ = differing(runner, setup, &singles)?;
        let needless: Vec<Part> =
            parts.into_iter().zip(&differ).filter(|(_, differs)| **differs).map(|(part, _)| part).collect();
        if needless.is_empty() {
            return Ok(case);
        }
        // All at once, or else the largest share of them that may go together.
        let mut shares = Vec::new();
        let mut size = needless.len();
        loop {
            shares.extend(needless.chunks(size));
            if size == 1 || shares.len() > BATCH as usize {
                break;
            }
            size = size.div_ceil(2);
        }
        let candidates: Vec<Case> = shares.iter().map(|share| without(&case, share)).collect();
        let differ = differing(runner, setup, &candidates)?;
        match candidates.into_iter().zip(differ).find(|(_, differs)| *differs) {
            Some((smaller, _)) => case = smaller,
            None => return Ok(case),
        }
    }
}
