//! Random networks, rules and packets through hoplab and through the live kernel, compared:
//! what each probe saw, every rule's counters, every conntrack entry.
//!
//! `README.md` says how a seed is run again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

mod dice;
mod matches;
#[path = "../../../tests/support/normalise.rs"]
#[allow(missing_docs)]
mod normalise;
mod probes;
mod reduce;
mod rules;
mod run;
mod script;
mod targets;
mod topology;

use run::{Runner, chunks, difference};
use script::{BATCH, Case, of_case, of_cases};

/// Runs random cases through hoplab and the live kernel (needs root) and compares.
#[derive(Debug, Parser)]
struct Options {
    /// What all randomness comes from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many rule sets.
    #[arg(long, default_value_t = 100)]
    cases: u32,
    /// The first case.
    #[arg(long, default_value_t = 0)]
    first: u32,
    /// Only this case, in its network.
    #[arg(long)]
    only: Option<u32>,
    /// The program under test.
    #[arg(long, default_value = "target/debug/hoplab")]
    hoplab: PathBuf,
    /// Where scripts, both outputs and reduced scripts of differing cases are put.
    #[arg(long, default_value = "target/differential")]
    keep: PathBuf,
    /// Leave differing cases as they are.
    #[arg(long)]
    no_reduce: bool,
    /// Print the script instead of running it.
    #[arg(long)]
    print: bool,
}

#[derive(Debug, Default)]
struct Tally {
    equal: u32,
    /// The live kernel didn't say the same twice.
    flaky: u32,
    /// The live kernel didn't get to it in time.
    unrun: u32,
    different: Vec<u32>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(tally) => {
            println!(
                "seed {}: {} equal, {} different, {} flaky, {} not run",
                options.seed,
                tally.equal,
                tally.different.len(),
                tally.flaky,
                tally.unrun
            );
            if tally.different.is_empty() {
                return ExitCode::SUCCESS;
            }
            println!("different: {:?}; see {}", tally.different, options.keep.display());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("differential: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> io::Result<Tally> {
    let numbers: Vec<u32> = match options.only {
        Some(number) => vec![number],
        None => (options.first..options.first + options.cases).collect(),
    };
    let runner = Runner::new(&options.hoplab, &options.keep)?;
    let mut tally = Tally::default();
    for batch in numbers.chunk_by(|a, b| a / BATCH == b / BATCH) {
        let topology = script::topology(options.seed, batch[0] / BATCH);
        let cases: Vec<Case> =
            batch.iter().map(|number| Case::random(options.seed, *number, &topology)).collect();
        if options.print {
            print!("{}", of_cases(&topology.setup, &cases));
            continue;
        }
        Batch { options, runner: &runner, setup: &topology.setup, numbers: batch, cases: &cases }
            .run(&mut tally)?;
    }
    Ok(tally)
}

struct Batch<'a> {
    options: &'a Options,
    runner: &'a Runner,
    setup: &'a str,
    numbers: &'a [u32],
    cases: &'a [Case],
}

impl Batch<'_> {
    fn run(&self, tally: &mut Tally) -> io::Result<()> {
        let script = of_cases(self.setup, self.cases);
        let simulated = chunks(&self.runner.simulated(&script)?, self.cases.len());
        let live = chunks(&self.runner.live(&script)?, self.cases.len());
        if live[0] != simulated[0] {
            println!("the network of case {}:\n{}", self.numbers[0], difference(&live[0], &simulated[0]));
        }
        let mut again: Option<Vec<String>> = None;
        for (index, number) in self.numbers.iter().enumerate() {
            let none = String::new();
            let theirs = live.get(index + 1).unwrap_or(&none);
            let ours = simulated.get(index + 1).unwrap_or(&none);
            let cut = theirs.is_empty() || live.len() == index + 2 && theirs.ends_with("[time limit]\n");
            if cut {
                tally.unrun += 1;
                continue;
            }
            if theirs == ours {
                tally.equal += 1;
                continue;
            }
            let again = match &again {
                Some(again) => again,
                None => again.insert(chunks(&self.runner.live(&script)?, self.cases.len())),
            };
            if let Some(second) = again.get(index + 1)
                && second != theirs
            {
                println!("case {number}: the kernel says two things:\n{}", difference(theirs, second));
                tally.flaky += 1;
                continue;
            }
            tally.different.push(*number);
            println!("case {number}:\n{}", difference(theirs, ours));
            self.keep(*number, &self.cases[index], theirs, ours)?;
        }
        println!("cases {} to {} done", self.numbers[0], self.numbers[self.numbers.len() - 1]);
        Ok(())
    }

    /// Writes down a case that differs: as it is, and reduced.
    fn keep(&self, number: u32, case: &Case, live: &str, simulated: &str) -> io::Result<()> {
        let file = |name: &str| self.options.keep.join(format!("{}-{number}.{name}", self.options.seed));
        let title = format!("Seed {}, case {number}.", self.options.seed);
        fs::write(file("sh"), of_case(&title, self.setup, case))?;
        fs::write(file("live"), live)?;
        fs::write(file("hoplab"), simulated)?;
        if self.options.no_reduce {
            return Ok(());
        }
        let small = reduce::reduce(self.runner, self.setup, case)?;
        let script = of_case(&title, self.setup, &small);
        fs::write(file("small.sh"), &script)?;
        let alone = Path::new(&file("small.sh")).display().to_string();
        println!("reduced, in {alone}:\n{script}");
        println!("{}", difference(&self.runner.live(&script)?, &self.runner.simulated(&script)?));
        Ok(())
    }
}
