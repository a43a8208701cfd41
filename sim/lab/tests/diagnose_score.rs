//! How often `hoplab diagnose` is right: every fault of the library on three topologies, then random
//! faults on random topologies. It prints the table, names what fails, and holds the floor that was
//! reached.
//!
//! `HOPLAB_DRAWS=200` draws so many; 20 if not given.

#![allow(clippy::print_stdout)]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use lab::diagnose::{Diagnosis, Fix, Options, diagnose};
use lab::fault::{self, Case, Shape};
use trace::Off;
use world::World;

use support::NETWORKS;

/// The shares in percent that were reached: the object named, and a fix found that works.
const FLOOR: (usize, usize) = (72, 80);

/// What a diagnosis was worth.
#[derive(Clone, Debug, Default)]
struct Score {
    cases: usize,
    named: usize,
    fixed: usize,
    /// Of those that failed, what was said.
    said: Vec<String>,
}

impl Score {
    fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.named += other.named;
        self.fixed += other.fixed;
        self.said.extend(other.said);
    }

    fn percent(&self, part: usize) -> usize {
        (part * 100).checked_div(self.cases).unwrap_or(100)
    }
}

/// Types a fix, as a person would.
fn typed(world: &mut World, fix: &Fix) {
    for command in &fix.commands {
        let line = fault::Line { on: fix.on.clone(), cmd: command.clone() };
        let _ = line.run(world);
    }
    fix.then.iter().for_each(|next| typed(world, next));
}

fn works_with(world: &World, case: &Case, fix: &Fix) -> bool {
    let mut world = world.clone();
    typed(&mut world, fix);
    let settled = world.now() + Duration::from_secs(45);
    world.run_until(settled, &mut Off);
    case.probe.works(&world)
}

fn judge(place: &str, world: &World, case: &Case) -> Score {
    let mut broken = world.clone();
    if let Err(problem) = case.apply(&mut broken) {
        panic!("{place}, {} at {}: {problem}", case.fault, case.site);
    }
    let diagnosis = case.probe.question(&broken).and_then(|question| {
        let options = Options { port: question.port, proto: question.proto };
        diagnose(&broken, &question.from, Some(&question.to), options)
    });
    let (named, fixed, told) = match &diagnosis {
        Ok(Diagnosis { culprit, also, fixes, .. }) => {
            let named = culprit.iter().chain(also).any(|blame| blame.culprit.names_same(&case.culprit));
            let fixed = fixes.iter().any(|fix| works_with(&broken, case, fix));
            let told =
                culprit.as_ref().map_or("nothing is wrong".to_owned(), |blame| blame.culprit.to_string());
            (named, fixed, told)
        }
        Err(problem) => (false, false, problem.to_string()),
    };
    let mut said = Vec::new();
    if !named || !fixed {
        let how = match (named, fixed) {
            (true, _) => "no working fix",
            (false, true) => "fixed, blamed",
            (false, false) => "blamed",
        };
        said.push(format!(
            "{} at {} of {place}: {how}: {told}; it is {}",
            case.fault, case.site, case.culprit
        ));
    }
    Score { cases: 1, named: named.into(), fixed: fixed.into(), said }
}

/// Judges many, as many at a time as the machine has cores.
fn judge_all(cases: Vec<(String, &World, Case)>) -> BTreeMap<&'static str, Score> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let chunk = cases.len().div_ceil(cores).max(1);
    let mut scores: BTreeMap<&'static str, Score> = BTreeMap::new();
    std::thread::scope(|scope| {
        let work = |part: &[(String, &World, Case)]| {
            let judged = part.iter().map(|(place, world, case)| (case.fault, judge(place, world, case)));
            judged.collect::<Vec<_>>()
        };
        let running: Vec<_> = cases.chunks(chunk).map(|part| scope.spawn(move || work(part))).collect();
        for thread in running {
            for (fault, score) in thread.join().unwrap_or_default() {
                scores.entry(fault).or_default().add(score);
            }
        }
    });
    scores
}

fn table(title: &str, scores: &BTreeMap<&'static str, Score>) -> Score {
    let mut all = Score::default();
    println!("{title:<34} {:>5} {:>5} {:>5}", "cases", "named", "fixed");
    for (fault, score) in scores {
        println!("{fault:<34} {:>5} {:>5} {:>5}", score.cases, score.named, score.fixed);
        all.add(score.clone());
    }
    println!(
        "{:<34} {:>5} {:>4}% {:>4}%\n",
        "all",
        all.cases,
        all.percent(all.named),
        all.percent(all.fixed)
    );
    all.said.iter().for_each(|line| println!("- {line}"));
    println!();
    all
}

#[test]
fn a_diagnosis_names_the_object_and_finds_a_fix() {
    let mut cases = Vec::new();
    for fault in fault::all() {
        let fitting = NETWORKS
            .iter()
            .filter_map(|booted| Some((booted, fault.cases(&booted.network).into_iter().next()?)));
        for (booted, case) in fitting.take(3) {
            cases.push((booted.name.to_owned(), &booted.world, case));
        }
    }
    let all = table("every fault on three topologies", &judge_all(cases));
    let (named, fixed) = FLOOR;
    assert!(all.percent(all.named) >= named, "named {}%, was {named}%", all.percent(all.named));
    assert!(all.percent(all.fixed) >= fixed, "fixed {}%, was {fixed}%", all.percent(all.fixed));
}

#[test]
fn random_faults_on_random_topologies() {
    let wanted = std::env::var("HOPLAB_DRAWS").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let drawn: Vec<(String, World, Case)> = (1..=wanted)
        .filter_map(|seed| {
            let world =
                Shape::of_seed(seed).boot().unwrap_or_else(|error| panic!("seed {seed}: {error}")).world;
            let case = fault::draw(&world, seed, 1).pop()?;
            Some((format!("seed {seed}"), world, case))
        })
        .collect();
    let cases = drawn.iter().map(|(place, world, case)| (place.clone(), world, case.clone())).collect();
    table("random draws", &judge_all(cases));
}

#[test]
fn a_healthy_network_has_nothing_to_blame() {
    for booted in NETWORKS.iter() {
        let from = booted.network.pods[0].place();
        let diagnosis = diagnose(&booted.world, &from, None, Options::default());
        let diagnosis = diagnosis.unwrap_or_else(|problem| panic!("{}: {problem}", booted.name));
        assert!(diagnosis.is_healthy(), "{}: {diagnosis:?}", booted.name);
    }
}
