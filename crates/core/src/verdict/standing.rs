//! What is known of each configuration, from all its measurements.
//!
//! Worths are logarithms, so that differences are ratios. A single measurement is drawn towards
//! the middle of all configurations by as much as single measurements are known to vary beside
//! them ("shrinkage"): the highest of many is likely a lucky one.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::Run;
use crate::ids::ExperimentNumber;
use crate::score::Score;
use crate::search::{Belief, Role};
use crate::space::CandidateKey;

/// What is assumed of the noise of a measurement before any was repeated, as a ratio; it weighs as
/// much as [`ASSUMED_FREEDOM`] repetitions, and only where configurations are ranked: no claim
/// rests on it.
const ASSUMED_NOISE: f64 = 0.03;
const ASSUMED_FREEDOM: f64 = 2.0;

/// The power of the number of configurations that were measured again.
const FAVOUR: f64 = 0.25;

/// The share of a configuration's measurements that keep every limit, from which on it does.
const MOSTLY: f64 = 0.75;

/// What is known of one configuration.
#[derive(Debug, Clone)]
pub struct Standing<'a> {
    /// Which configuration.
    key: &'a CandidateKey,
    /// Every measurement, oldest first.
    pub(super) scores: Vec<(ExperimentNumber, Role, &'a Score)>,
    /// How often it failed by its own fault.
    pub(super) failures: usize,
    /// Whether it is the engine's own.
    pub(super) is_default: bool,
    /// The worth that is believed of it, and how much that may be off.
    pub(super) belief: Belief,
}

/// How much repeated measurements of one configuration differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Noise {
    /// Sum of squares about each configuration's own mean, of logarithms.
    pub(super) squares: f64,
    /// How many measurements that rests on, beyond the first of each configuration.
    pub(super) freedom: f64,
}

/// Every configuration that was measured.
#[derive(Debug, Clone)]
pub struct Standings<'a> {
    /// The best first.
    all: Vec<Standing<'a>>,
    /// How much repeated measurements differ.
    pub(super) noise: Noise,
}

impl<'a> Standings<'a> {
    /// What these runs say.
    pub fn of(runs: &'a [Run<'a>]) -> Self {
        Self::believed(runs, &HashMap::new())
    }

    /// The same, where more is believed of some configurations than their own measurements say.
    pub fn believed(runs: &'a [Run<'a>], beliefs: &HashMap<CandidateKey, Belief>) -> Self {
        let mut places = HashMap::new();
        let mut all: Vec<Standing<'_>> = Vec::new();
        for run in runs {
            let place = *places.entry(&run.key).or_insert(all.len());
            if place == all.len() {
                all.push(Standing::new(run));
            }
            match run.score {
                Some(score) => all[place].scores.push((run.number, run.role, score)),
                None => all[place].failures += 1,
            }
        }
        all.retain(|standing| !standing.scores.is_empty());
        let noise = Noise::of(&all);
        believe(&mut all, noise);
        for standing in &mut all {
            standing.belief = beliefs.get(standing.key).copied().unwrap_or(standing.belief);
        }
        // The earliest of equals comes first.
        all.sort_by(|one, other| other.rank(one));
        Self { all, noise }
    }

    /// All, the best first.
    pub fn ranked(&self) -> &[Standing<'a>] {
        &self.all
    }

    /// The engine's defaults, where they have a score.
    pub fn default(&self) -> Option<&Standing<'a>> {
        self.all.iter().find(|standing| standing.is_default)
    }

    /// By how much likelier chance makes a gain of nothing, for as many configurations as were
    /// measured again: the last was chosen among them by these measurements too. A fit to simulated
    /// runs whose configurations are all alike.
    pub(super) fn favour(&self) -> f64 {
        let again = self
            .all
            .iter()
            .filter(|standing| !standing.is_default && standing.repetitions() > 0);
        (again.count() as f64 + 1.0).powf(FAVOUR)
    }

    /// What misses its bounds by least: the largest miss decides.
    pub(super) fn closest(&self) -> Option<&Standing<'a>> {
        let miss = |standing: &&Standing<'_>| {
            let misses = standing.typical().violations().iter();
            misses.map(|miss| miss.ratio).fold(0.0, f64::max)
        };
        self.all
            .iter()
            .min_by(|one, other| miss(one).total_cmp(&miss(other)))
    }

    /// The best of all but the defaults. Where some were measured again, only those that were most
    /// often may be crowned: who leads is measured on until it does no longer.
    pub(super) fn challenger(&self) -> Option<&Standing<'a>> {
        let mut tried = self.all.iter().filter(|standing| !standing.is_default);
        let sound = || {
            tried
                .clone()
                .filter(|standing| standing.is_sound() && standing.is_feasible())
        };
        let most = sound().map(Standing::repetitions).max().unwrap_or(0);
        match most {
            0 => tried.next(),
            _ => sound().find(|standing| standing.repetitions() + 1 >= most && standing.repetitions() > 0),
        }
    }
}

impl<'a> Standing<'a> {
    fn new(run: &'a Run<'a>) -> Self {
        Self {
            key: &run.key,
            scores: Vec::new(),
            failures: 0,
            is_default: run.key.0.is_empty(),
            belief: Belief {
                mean: 0.0,
                deviation: 0.0,
            },
        }
    }

    /// The worth of all its measurements, as a logarithm.
    pub(super) fn mean(&self) -> f64 {
        mean(self.worths())
    }

    /// Which configuration it is.
    pub fn key(&self) -> &CandidateKey {
        self.key
    }

    /// How often it was measured again.
    pub fn repetitions(&self) -> usize {
        self.repeated().count()
    }

    /// The worths of all measurements.
    fn worths(&self) -> impl Iterator<Item = f64> {
        self.scores.iter().map(|(_, _, score)| worth(score))
    }

    /// The worths of those that were made to measure it again: chance has not chosen them.
    pub(super) fn repeated(&self) -> impl Iterator<Item = f64> {
        let again = self.scores.iter().filter(|(_, role, _)| *role == Role::Replicate);
        again.map(|(_, _, score)| worth(score))
    }

    /// The experiment that stands for it: its first that has a score.
    pub fn number(&self) -> ExperimentNumber {
        self.scores[0].0
    }

    /// How often it was measured.
    pub fn runs(&self) -> usize {
        self.scores.len()
    }

    /// Whether it is the engine's own.
    pub fn is_default(&self) -> bool {
        self.is_default
    }

    /// What is believed of it.
    pub fn belief(&self) -> Belief {
        self.belief
    }

    /// Whether it may be chosen at all: what keeps every limit, nearly always.
    pub fn is_feasible(&self) -> bool {
        self.mostly(|score| score.is_feasible())
    }

    /// Whether it misses no bound, nearly always.
    pub(super) fn is_met(&self) -> bool {
        self.mostly(|score| score.is_feasible() && score.violations().is_empty())
    }

    /// Whether it never failed.
    pub fn is_sound(&self) -> bool {
        self.failures == 0
    }

    fn mostly(&self, is_so: impl Fn(&Score) -> bool) -> bool {
        let count = self.scores.iter().filter(|(_, _, score)| is_so(score)).count();
        count as f64 >= MOSTLY * self.runs() as f64
    }

    /// The measurement in the middle; of two, the worse.
    pub fn typical(&self) -> &'a Score {
        let mut scores: Vec<&Score> = self.scores.iter().map(|(_, _, score)| *score).collect();
        scores.sort();
        scores[(scores.len() - 1) / 2]
    }

    /// What the objective looks at, in its own unit: the geometric mean of all measurements.
    pub fn objective_value(&self) -> f64 {
        match &self.scores[..] {
            [(_, _, only)] => only.objective_value(),
            several => {
                let logs = several.iter().map(|(_, _, score)| log(score.objective_value()));
                (logs.sum::<f64>() / several.len() as f64).exp()
            }
        }
    }

    /// Greater is better: what never failed, what keeps every limit, what more is believed of.
    fn rank(&self, other: &Self) -> Ordering {
        let limits = |standing: &Self| {
            (
                standing.is_sound() && standing.is_feasible(),
                standing.is_feasible(),
            )
        };
        limits(self)
            .cmp(&limits(other))
            .then(self.belief.mean.total_cmp(&other.belief.mean))
            .then_with(|| self.typical().cmp(other.typical()))
    }
}

impl Noise {
    fn of(all: &[Standing<'_>]) -> Self {
        let none = Self {
            squares: 0.0,
            freedom: 0.0,
        };
        all.iter()
            .filter(|standing| standing.runs() > 1)
            .fold(none, |sum, standing| {
                let mean = standing.mean();
                let squares: f64 = standing.worths().map(|worth| (worth - mean).powi(2)).sum();
                Self {
                    squares: sum.squares + squares,
                    freedom: sum.freedom + (standing.runs() - 1) as f64,
                }
            })
    }

    /// The variance to rank by.
    fn assumed(self) -> f64 {
        (self.squares + ASSUMED_FREEDOM * ASSUMED_NOISE.powi(2)) / (self.freedom + ASSUMED_FREEDOM)
    }
}

/// Draws what was measured towards the middle of all feasible configurations.
fn believe(all: &mut [Standing<'_>], noise: Noise) {
    let noise = noise.assumed();
    let known: Vec<(f64, f64)> = all
        .iter()
        .filter(|standing| standing.is_feasible())
        .map(|standing| (standing.mean(), noise / standing.runs() as f64))
        .collect();
    let middle = mean(known.iter().map(|(mean, _)| *mean));
    let seen = mean(known.iter().map(|(mean, _)| (mean - middle).powi(2)));
    let spread = (seen - mean(known.iter().map(|(_, noise)| *noise))).max(noise / 100.0);
    for standing in all {
        let own = noise / standing.runs() as f64;
        let trust = spread / (spread + own);
        standing.belief = Belief {
            mean: middle + trust * (standing.mean() - middle),
            deviation: (trust * own).sqrt(),
        };
    }
}

/// The logarithm of what a score is worth, the larger the better.
fn worth(score: &Score) -> f64 {
    let value = score.value();
    if score.objective().is_maximized() {
        log(value)
    } else {
        -log(-value)
    }
}

/// The logarithm; that of the smallest number for nothing.
fn log(value: f64) -> f64 {
    value.max(f64::MIN_POSITIVE).ln()
}

pub(super) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}
