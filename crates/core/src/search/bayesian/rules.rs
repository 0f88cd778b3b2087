//! Which values do not go together, learnt from what was refused.
//!
//! An engine that refuses a configuration does so by a rule: a value that it does not have,
//! or two that exclude each other ("this data type needs another attention backend", "long
//! batches need chunked prefill"). A rule is refuted for good by one point that it covers and
//! that was not refused. What is left shares the blame for every refusal: mean-field
//! inference over rules that are true or not, each refusal explained by at least one.

use super::problem::Axis;

/// Words of 64 trials that coverage is kept for.
const WORDS: usize = 4;

/// Expected number of true rules, per axis pair; the prior is spread evenly over rules.
const RULES_EXPECTED: f64 = 1.5;

/// Passes of the mean-field updates.
const PASSES: usize = 12;

type Cover = [u64; WORDS];

/// A range of levels of one axis, ends included.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Condition {
    axis: usize,
    low: u16,
    high: u16,
}

/// A combination that may be refused.
#[derive(Debug, Clone)]
struct Rule {
    conditions: [Option<Condition>; 2],
    /// How probable it is that the rule is true.
    belief: f64,
}

/// The rules that what was seen leaves possible.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    rules: Vec<Rule>,
}

impl Condition {
    fn holds(&self, point: &[u16]) -> bool {
        (self.low..=self.high).contains(&point[self.axis])
    }

    /// All conditions on an axis: one level, and on ordered axes all up to or from one.
    fn of(number: usize, axis: &Axis) -> Vec<Self> {
        let levels = u16::try_from(axis.levels()).unwrap_or(u16::MAX);
        let mut found = Vec::new();
        if levels < 2 {
            return found;
        }
        let mut add = |low, high| {
            let condition = Self {
                axis: number,
                low,
                high,
            };
            if !found.contains(&condition) {
                found.push(condition);
            }
        };
        let last = levels - 1;
        if axis.positions().is_some() {
            for level in 0..last {
                add(0, level);
                add(level + 1, last);
            }
        }
        if levels <= 16 || axis.positions().is_none() {
            for level in 0..levels {
                add(level, level);
            }
        }
        found
    }

    fn cover(&self, points: &[&[u16]]) -> Cover {
        let mut cover = [0; WORDS];
        for (index, point) in points.iter().enumerate() {
            if self.holds(point) {
                cover[index / 64] |= 1 << (index % 64);
            }
        }
        cover
    }
}

fn both(left: &Cover, right: &Cover) -> Cover {
    let mut both = [0; WORDS];
    for ((both, left), right) in both.iter_mut().zip(left).zip(right) {
        *both = left & right;
    }
    both
}

fn is_empty(cover: &Cover) -> bool {
    cover.iter().all(|word| *word == 0)
}

fn members(cover: &Cover) -> impl Iterator<Item = usize> + '_ {
    (0..WORDS * 64).filter(|index| cover[index / 64] >> (index % 64) & 1 == 1)
}

impl Rules {
    /// What the last trials teach: points that were refused and points that were not.
    pub(super) fn of(axes: &[Axis], refused: &[&[u16]], accepted: &[&[u16]]) -> Self {
        let most = WORDS * 64;
        let refused = &refused[refused.len().saturating_sub(most)..];
        let accepted = &accepted[accepted.len().saturating_sub(most)..];
        if refused.is_empty() {
            return Self::default();
        }
        let covered: Vec<(Condition, Cover, Cover)> = axes
            .iter()
            .enumerate()
            .flat_map(|(number, axis)| Condition::of(number, axis))
            .map(|condition| (condition, condition.cover(refused), condition.cover(accepted)))
            .filter(|(_, bad, _)| !is_empty(bad))
            .collect();
        let mut rules = Vec::new();
        let mut covers = Vec::new();
        let mut possible = 0_usize;
        for (index, (condition, bad, good)) in covered.iter().enumerate() {
            possible += 1;
            if is_empty(good) {
                rules.push([Some(*condition), None]);
                covers.push(*bad);
            }
            for (other, other_bad, other_good) in &covered[index + 1..] {
                if other.axis == condition.axis {
                    continue;
                }
                possible += 1;
                let bad = both(bad, other_bad);
                if !is_empty(&bad) && is_empty(&both(good, other_good)) {
                    rules.push([Some(*condition), Some(*other)]);
                    covers.push(bad);
                }
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "rules stay far below 2^53")]
        let prior = (RULES_EXPECTED / possible.max(1) as f64).min(0.2);
        let beliefs = blame(&covers, refused.len(), prior);
        let rules = rules
            .into_iter()
            .zip(beliefs)
            .filter(|(_, belief)| *belief > 0.002)
            .map(|(conditions, belief)| Rule { conditions, belief })
            .collect();
        Self { rules }
    }

    /// The probability that a point is not refused.
    pub(super) fn accepts(&self, point: &[u16]) -> f64 {
        self.rules
            .iter()
            .filter(|rule| {
                rule.conditions
                    .iter()
                    .flatten()
                    .all(|condition| condition.holds(point))
            })
            .map(|rule| 1.0 - rule.belief)
            .product()
    }
}

/// How probable each rule is, given which of the refusals it would explain.
fn blame(covers: &[Cover], refusals: usize, prior: f64) -> Vec<f64> {
    let base = (prior / (1.0 - prior)).ln();
    let mut beliefs = vec![prior; covers.len()];
    // For each refusal the logarithm of the probability that no rule explains it.
    let mut unexplained = vec![0.0_f64; refusals];
    let step = |belief: f64| (1.0 - belief.min(1.0 - 1e-9)).ln();
    for (cover, belief) in covers.iter().zip(&beliefs) {
        for refusal in members(cover) {
            unexplained[refusal] += step(*belief);
        }
    }
    for _ in 0..PASSES {
        for (cover, belief) in covers.iter().zip(&mut beliefs) {
            let own = step(*belief);
            let gain: f64 = members(cover)
                .map(|refusal| {
                    let others = 1.0 - (unexplained[refusal] - own).min(0.0).exp();
                    -(others.max(1e-3)).ln()
                })
                .sum();
            let wanted = 1.0 / (1.0 + (-(base + gain)).exp());
            // Half a step: rules that explain the same refusal must not all be believed at once.
            let next = 0.5 * (*belief + wanted);
            let moved = step(next) - own;
            *belief = next;
            for refusal in members(cover) {
                unexplained[refusal] += moved;
            }
        }
    }
    beliefs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_accepted_refutes_and_what_was_refused_is_blamed() {
        let axes = [Axis::categorical(3), Axis::categorical(2), Axis::ordered(6)];
        let refused: [&[u16]; 3] = [&[2, 1, 0], &[2, 1, 4], &[2, 1, 5]];
        let accepted: [&[u16]; 4] = [&[2, 0, 0], &[0, 1, 4], &[1, 1, 5], &[2, 0, 3]];
        let rules = Rules::of(&axes, &refused, &accepted);
        assert!(rules.accepts(&[2, 1, 2]) < 0.3, "{}", rules.accepts(&[2, 1, 2]));
        assert!(rules.accepts(&[2, 0, 2]) > 0.9, "{}", rules.accepts(&[2, 0, 2]));
        assert!(rules.accepts(&[0, 0, 5]) > 0.9);
    }

    #[test]
    fn nothing_refused_leaves_everything_possible() {
        let rules = Rules::of(&[Axis::ordered(3)], &[], &[&[1]]);
        assert!((rules.accepts(&[2]) - 1.0).abs() < 1e-12);
    }
}
