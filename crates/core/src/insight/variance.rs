//! Which parameters move the objective, alone and together: shares of its variance.
//!
//! The one idea is functional ANOVA (Hutter, Hoos, Leyton-Brown: "An Efficient Approach for
//! Assessing Hyperparameter Importance", ICML 2014) on an additive Gaussian process (Lu, Boukouvalas,
//! Hensman: "Additive Gaussian Processes Revisited", ICML 2022): the logarithm of the objective is a
//! mean, a curve for each parameter, one more for each pair, and noise, which takes what more than
//! two parameters do together as well. Each value that was measured counts alike, however often the
//! search went there.
//!
//! What `importance.rs` tells is another thing: what makes experiments be among the best, SLOs
//! included, and how they were chosen included too. Here all experiments with a score count, and
//! SLOs do not. Intervals are those of the posterior: how few experiments there are is in them.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::features::Features;
use super::posterior::{Draws, Part, draws};
use super::{FEWEST, Scored, plural};
use crate::linear::as_f64;
use crate::space::{Parameter, ParameterName};

/// Most experiments that the model is made of; of more, evenly spaced ones: its cost grows with
/// their third power.
const MOST: usize = 150;

/// Most parameters whose pairs are looked at, those that seem to matter most.
const MOST_PAIRED: usize = 9;

/// How large the effects of all parameters may well be together, beside scores with a deviation of
/// 1; the more there are, the less each one's. Small, with a long tail: what the few experiments of
/// a run do not show is taken for noise.
const MAIN_SCALE: f64 = 0.2;

/// And those of all pairs.
const PAIR_SCALE: f64 = 0.2;

/// A share whose interval begins above this stands out.
const STANDS_OUT: f64 = 0.01;

/// Seed of the draws: the same experiments give the same answer.
const SEED: u64 = 0x0a0b_5e1f;

/// What moves the objective.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Variance {
    /// Experiments that the model is made of.
    pub used: usize,
    /// Each parameter that took more than one value, the one with the largest total first.
    pub effects: Vec<Effect>,
    /// Pairs of them, the most first.
    pub interactions: Vec<Interaction>,
    /// What none of these explains: noise, and what more than two do together.
    pub unexplained: Option<Share>,
    /// What a reader should know of it, for people.
    pub note: Option<String>,
}

/// A share of the variance of the objective's logarithm, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// Its median.
    pub share: f64,
    /// Lower end of the interval in which it lies with a probability of 95 %.
    pub low: f64,
    /// Upper end of it.
    pub high: f64,
}

/// What one parameter does.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// Which one.
    pub name: ParameterName,
    /// Alone, over all values of the others.
    pub main: Share,
    /// Alone and together with others: what two do together counts for both of them.
    pub total: Share,
    /// Whether it is more than chance may show.
    pub stands_out: bool,
}

/// What two parameters do together, beyond what both do alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Interaction {
    /// One of them.
    pub first: ParameterName,
    /// The other one.
    pub second: ParameterName,
    /// Its share.
    pub share: Share,
    /// Whether it is more than chance may show.
    pub stands_out: bool,
}

/// What moves the objective in these experiments.
pub(super) fn variance(parameters: &[Parameter], scored: &[Scored<'_>]) -> Variance {
    let logarithm = |one: &&Scored<'_>| one.score.objective_value().ln().is_finite();
    let known: Vec<Scored<'_>> = scored.iter().filter(logarithm).copied().collect();
    let known = thinned(&known);
    let empty = |note: String| Variance {
        used: known.len(),
        note: Some(note),
        ..Variance::default()
    };
    if known.len() < FEWEST {
        let missing = FEWEST - known.len();
        let more = plural(missing);
        return empty(format!(
            "{missing} more scored experiment{more} needed for a model"
        ));
    }
    let values = known.iter().map(|one| one.score.objective_value().ln());
    let Some(scores) = standard(values.collect()) else {
        return empty("all scored experiments have the same objective, which tells nothing".into());
    };
    let features: Vec<Features> = parameters
        .iter()
        .enumerate()
        .filter_map(|(index, parameter)| Features::of(index, parameter, &known))
        .collect();
    if features.is_empty() {
        return empty("no parameter took several values".into());
    }
    let pairs = pairs(&features, &scores);
    let drawn = draws(
        &scores,
        &parts(&features, &pairs),
        &mut ChaCha8Rng::seed_from_u64(SEED),
    );
    told(parameters, &features, &pairs, &drawn, known.len())
}

fn told(
    parameters: &[Parameter],
    features: &[Features],
    pairs: &[(usize, usize)],
    drawn: &Draws,
    used: usize,
) -> Variance {
    let whole: Vec<f64> = (drawn.parts.iter().zip(&drawn.noise))
        .map(|(parts, noise)| parts.iter().sum::<f64>() + noise)
        .collect();
    let share = |of: &dyn Fn(&[f64]) -> f64| {
        let parts = drawn.parts.iter().zip(&whole);
        Share::of(parts.map(|(parts, whole)| of(parts) / whole).collect())
    };
    let name = |index: usize| parameters[features[index].parameter].name.clone();
    let first_pair = features.len();
    let mut effects: Vec<Effect> = (0..features.len())
        .map(|index| {
            let main = share(&|parts| parts[index]);
            let total = share(&|parts| {
                let with = pairs.iter().zip(&parts[first_pair..]);
                let with = with.filter(|((one, other), _)| [*one, *other].contains(&index));
                parts[index] + with.map(|(_, part)| part).sum::<f64>()
            });
            Effect {
                name: name(index),
                main,
                total,
                stands_out: main.low > STANDS_OUT,
            }
        })
        .collect();
    let mut interactions: Vec<Interaction> = (pairs.iter().enumerate())
        .map(|(index, (one, other))| {
            let share = share(&|parts| parts[first_pair + index]);
            Interaction {
                first: name(*one),
                second: name(*other),
                share,
                stands_out: share.low > STANDS_OUT,
            }
        })
        .collect();
    // Whoever stands out together with another one matters, too.
    for effect in &mut effects {
        let is_in = |pair: &&Interaction| pair.first == effect.name || pair.second == effect.name;
        effect.stands_out |= interactions.iter().filter(is_in).any(|pair| pair.stands_out);
    }
    effects.sort_by(|a, b| b.total.share.total_cmp(&a.total.share));
    interactions.sort_by(|a, b| b.share.share.total_cmp(&a.share.share));
    let unexplained = Share::of(
        drawn
            .noise
            .iter()
            .zip(&whole)
            .map(|(noise, whole)| noise / whole)
            .collect(),
    );
    let nothing = effects.iter().all(|effect| !effect.stands_out);
    Variance {
        used,
        effects,
        interactions,
        unexplained: Some(unexplained),
        note: nothing.then(|| "nothing stands out: chance alone may show as much".into()),
    }
}

impl Share {
    /// The median and the middle 95 of 100.
    fn of(mut draws: Vec<f64>) -> Self {
        draws.sort_by(f64::total_cmp);
        let last = draws.len().saturating_sub(1);
        let at = |index: usize| draws.get(index.min(last)).copied().unwrap_or(0.0);
        Self {
            share: at(last / 2),
            low: at(last / 40),
            high: at(last - last / 40),
        }
    }
}

/// So many that a model can be made of, evenly spaced.
pub(super) fn thinned<'a>(scored: &[Scored<'a>]) -> Vec<Scored<'a>> {
    let kept = scored.len().min(MOST);
    (0..kept)
        .map(|index| scored[index * scored.len() / kept])
        .collect()
}

/// With a mean of 0 and a variance of 1; nothing where all are equal.
fn standard(mut values: Vec<f64>) -> Option<Vec<f64>> {
    let count = as_f64(values.len());
    let mean = values.iter().sum::<f64>() / count;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    for value in &mut values {
        *value = (*value - mean) / deviation;
    }
    (deviation > 1e-9).then_some(values)
}

/// The pairs that are looked at.
fn pairs(features: &[Features], scores: &[f64]) -> Vec<(usize, usize)> {
    let pull = |one: &Features| -> f64 {
        let columns = 0..one.squares.len();
        let pulls = columns.map(|column| {
            let values = one.rows.iter().map(|row| row[column]);
            values
                .zip(scores)
                .map(|(value, score)| value * score)
                .sum::<f64>()
        });
        pulls.map(|pull| pull * pull).sum()
    };
    let mut by_pull: Vec<(f64, usize)> = features.iter().map(pull).zip(0..).collect();
    by_pull.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let mut paired: Vec<usize> = by_pull
        .into_iter()
        .map(|(_, index)| index)
        .take(MOST_PAIRED)
        .collect();
    paired.sort_unstable();
    let with_later = |(at, one): (usize, &usize)| {
        let one = *one;
        paired[at + 1..]
            .iter()
            .map(move |other| (one, *other))
            .collect::<Vec<_>>()
    };
    paired.iter().enumerate().flat_map(with_later).collect()
}

/// The parts of the sum: parameters alone, then pairs.
fn parts(features: &[Features], pairs: &[(usize, usize)]) -> Vec<Part> {
    let alone = features.iter().map(|one| Part {
        rows: one.rows.clone(),
        squares: one.squares.clone(),
        scale: MAIN_SCALE / as_f64(features.len()).sqrt(),
    });
    let scale = PAIR_SCALE / as_f64(pairs.len()).max(2.0);
    let together = pairs.iter().map(|(one, other)| {
        let (one, other) = (&features[*one], &features[*other]);
        Part {
            rows: one
                .rows
                .iter()
                .zip(&other.rows)
                .map(|(one, other)| products(one, other))
                .collect(),
            squares: products(&one.squares, &other.squares),
            scale,
        }
    });
    alone.chain(together).collect()
}

fn products(one: &[f64], other: &[f64]) -> Vec<f64> {
    one.iter()
        .flat_map(|left| other.iter().map(move |right| left * right))
        .collect()
}
