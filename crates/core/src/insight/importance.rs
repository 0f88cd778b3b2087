//! Which parameters matter for being among the best.
//!
//! The one idea is PED-ANOVA's (Watanabe, Bansal, Hutter: "PED-ANOVA: Efficiently Quantifying
//! Hyperparameter Importance in Arbitrary Subspaces", IJCAI 2023): a parameter matters as far as
//! the best experiments have other values of it than experiments have in general. How far apart
//! the two densities lie is their Pearson divergence, Σ p_all · (p_best / p_all − 1)²; a
//! parameter's share of the sum over all parameters is its importance.
//!
//! Where we go beyond the paper: as few experiments as a tuning run has lie apart by chance
//! alone, the more so the more values a parameter has. So the divergence that as many experiments
//! drawn at random would have is taken off. It follows from the variance of a mean drawn without
//! replacement, and needs no drawing.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::axis::Axis;
use super::{FEWEST, Scored};
use crate::space::{Parameter, ParameterName};

/// The share of experiments that are the best; the paper's 0.1 is for hundreds of them.
const BEST_SHARE: f64 = 0.2;

/// And how many there are at least.
const FEWEST_BEST: f64 = 3.0;

/// How often the interval draws experiments anew.
const RESAMPLES: usize = 200;

/// Seed of those draws: the same experiments give the same interval.
const SEED: u64 = 0x1a7e_57ed;

/// Weight of "every place alike" beside the experiments, so that no density is 0 anywhere.
const PRIOR: f64 = 1.0;

/// How much one parameter matters.
#[derive(Debug, Clone, PartialEq)]
pub struct Importance {
    /// Which parameter.
    pub name: ParameterName,
    /// Its share of what all parameters do, 0 to 1; the shares add up to 1.
    pub importance: f64,
    /// Lower end of the interval in which 95 of 100 draws from these experiments have it.
    pub low: f64,
    /// Upper end of it.
    pub high: f64,
}

/// How much each parameter matters, most first; and what is to be said of it. None where all
/// scores are equal.
pub(super) fn importance(
    parameters: &[Parameter],
    scored: &[Scored<'_>],
) -> (Vec<Importance>, Option<String>) {
    let mut ranked: Vec<Scored<'_>> = scored.to_vec();
    ranked.sort_by(|a, b| b.score.cmp(a.score));
    let (Some(first), Some(last)) = (ranked.first(), ranked.last()) else {
        return (Vec::new(), None);
    };
    if first.score == last.score || parameters.is_empty() {
        let text = "all scored experiments are equally good, which tells nothing of the parameters";
        return (Vec::new(), Some(text.into()));
    }
    let fields: Vec<Field> = parameters
        .iter()
        .map(|parameter| Field::of(parameter, &ranked))
        .collect();
    let once = vec![1.0; ranked.len()];
    let raw: Vec<f64> = fields.iter().map(|field| field.divergence(&once)).collect();
    let nothing_stands_out = raw.iter().sum::<f64>() <= 0.0;
    let mut draws = draws(&fields, ranked.len(), &mut ChaCha8Rng::seed_from_u64(SEED));
    let mut told: Vec<Importance> = parameters
        .iter()
        .zip(shares(&raw))
        .zip(&mut draws)
        .map(|((parameter, importance), draws)| {
            let (low, high) = interval(draws);
            Importance {
                name: parameter.name.clone(),
                importance,
                low: low.min(importance),
                high: high.max(importance),
            }
        })
        .collect();
    told.sort_by(|a, b| b.importance.total_cmp(&a.importance));
    let text = "no parameter stands out from what chance alone would show";
    (told, nothing_stands_out.then(|| text.into()))
}

/// The shares of every parameter in draws of as many experiments, with replacement: a list for
/// each parameter.
fn draws(fields: &[Field], experiments: usize, rng: &mut impl Rng) -> Vec<Vec<f64>> {
    let mut drawn = vec![Vec::with_capacity(RESAMPLES); fields.len()];
    let mut times = vec![0.0; experiments];
    for _ in 0..RESAMPLES {
        times.fill(0.0);
        for _ in 0..experiments {
            times[rng.random_range(0..experiments)] += 1.0;
        }
        let raw: Vec<f64> = fields.iter().map(|field| field.divergence(&times)).collect();
        for (list, share) in drawn.iter_mut().zip(shares(&raw)) {
            list.push(share);
        }
    }
    drawn
}

/// Each one's share of the sum; equal ones where the sum is nothing.
fn shares(raw: &[f64]) -> Vec<f64> {
    let sum: f64 = raw.iter().sum();
    let count = f64::from(u32::try_from(raw.len()).unwrap_or(u32::MAX));
    let share = |one: &f64| if sum > 0.0 { one / sum } else { 1.0 / count };
    raw.iter().map(share).collect()
}

/// The middle 95 of 100.
fn interval(draws: &mut [f64]) -> (f64, f64) {
    draws.sort_by(f64::total_cmp);
    let cut = draws.len() / 40;
    match (draws.get(cut), draws.get(draws.len().saturating_sub(cut + 1))) {
        (Some(low), Some(high)) => (*low, *high),
        _ => (0.0, 1.0),
    }
}

/// One parameter, with the experiments in which it is set.
struct Field {
    /// Best first: which experiment, at which place, and whether the next one is as good.
    points: Vec<RankedPoint>,
    /// How far what is measured at a place counts at each place.
    kernels: Vec<Vec<f64>>,
}

struct RankedPoint {
    experiment: usize,
    place: usize,
    ties_with_next: bool,
}

impl Field {
    /// Takes experiments best first.
    fn of(parameter: &Parameter, ranked: &[Scored<'_>]) -> Self {
        let axis = Axis::of(&parameter.domain);
        let set: Vec<(usize, usize)> = ranked
            .iter()
            .enumerate()
            .filter_map(|(experiment, scored)| {
                let value = scored.candidate.get(parameter.name.as_str())?;
                Some((experiment, axis.place(value)?))
            })
            .collect();
        let mut counts = vec![0.0; axis.places()];
        for (_, place) in &set {
            counts[*place] += 1.0;
        }
        let best = best_of(counts.iter().sum());
        let ties = |index: usize| {
            let next = set.get(index + 1);
            next.is_some_and(|(next, _)| ranked[*next].score == ranked[set[index].0].score)
        };
        let points = (0..set.len()).map(|index| RankedPoint {
            experiment: set[index].0,
            place: set[index].1,
            ties_with_next: ties(index),
        });
        Self {
            points: points.collect(),
            kernels: axis.kernels(&counts, best),
        }
    }

    /// How far the best lie from all, less what chance would do; at least 0. `times` says how
    /// often each experiment counts.
    fn divergence(&self, times: &[f64]) -> f64 {
        let all: f64 = self.points.iter().map(|point| times[point.experiment]).sum();
        let is_too_little = self.points.len() < FEWEST || self.kernels.len() < 2;
        if is_too_little || all < 2.0 {
            return 0.0;
        }
        let wanted = best_of(all);
        let mut at_all = vec![0.0; self.kernels.len()];
        let mut at_best = vec![0.0; self.kernels.len()];
        let mut best = 0.0;
        let mut is_open = true;
        for point in &self.points {
            let weight = times[point.experiment];
            at_all[point.place] += weight;
            if is_open {
                at_best[point.place] += weight;
                best += weight;
                // As good as one that is among the best is among the best.
                is_open = best < wanted || point.ties_with_next;
            }
        }
        (self.pearson(&at_all, all, &at_best, best)).max(0.0)
    }

    /// The divergence of these counts at each place, less the one to be expected of as many
    /// drawn at random without replacement.
    fn pearson(&self, at_all: &[f64], all: f64, at_best: &[f64], best: f64) -> f64 {
        let even = PRIOR / f64::from(u32::try_from(self.kernels.len()).unwrap_or(u32::MAX));
        let mut divergence = 0.0;
        for place in 0..self.kernels.len() {
            let (mut sum, mut squares, mut best_sum) = (0.0, 0.0, 0.0);
            for (from, row) in self.kernels.iter().enumerate() {
                let weight = row[place];
                sum += at_all[from] * weight;
                squares += at_all[from] * weight * weight;
                best_sum += at_best[from] * weight;
            }
            let p_all = (sum + even) / (all + PRIOR);
            let p_best = (best_sum + even) / (best + PRIOR);
            let mean = sum / all;
            let variance = (squares - all * mean * mean).max(0.0) / (all - 1.0);
            let by_chance = best * variance * (1.0 - best / all) / (best + PRIOR).powi(2);
            let expected = (best * mean + even) / (best + PRIOR);
            let expected = by_chance + (expected - p_all).powi(2);
            divergence += ((p_best - p_all).powi(2) - expected) / p_all;
        }
        divergence
    }
}

/// How many of so many are the best.
fn best_of(all: f64) -> f64 {
    (all * BEST_SHARE).ceil().max(FEWEST_BEST).min(all)
}
