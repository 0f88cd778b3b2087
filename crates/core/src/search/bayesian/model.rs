//! All that was learnt from a history: what points measure, and which will not run.

use std::collections::HashMap;

use rand_chacha::ChaCha8Rng;

use super::crash::Crashes;
use super::draws;
use super::earlier;
use super::outputs::Mix;
use super::problem::{Goal, Outcome, Point, Search, Trial, Worth};
use super::process::{Belief, Process, Together};
use super::scale::Scale;
use crate::linear::as_f64;

/// Draws that an expectation is taken over; every point sees the same ones.
const DRAWS: usize = 64;

/// Draws that the probability of a single point is taken over.
const MANY_DRAWS: usize = 512;

/// How much one measurement of a point says of it, against all that the model takes from
/// other points.
pub(super) const OWN_TRUST: f64 = 0.7;

/// Share of draws in which hard limits must hold for a point to be believed feasible.
const SURE: f64 = 0.6;

/// What was learnt.
pub(super) struct Model<'a> {
    goal: &'a dyn Goal,
    /// Parts equal draws.
    seed: draws::Seed,
    /// Models of earlier tasks.
    earlier: Vec<Model<'a>>,
    scales: Vec<Scale>,
    groups: Vec<Group>,
    pub(super) crashes: Crashes,
    /// For each draw, how far each independent part of each output moves it, per unit of the
    /// part's deviation.
    draws: Vec<Vec<f64>>,
}

/// Outputs that share a process.
struct Group {
    outputs: Vec<usize>,
    process: Process,
}

/// What a point promises.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Promise {
    /// Expected value.
    pub(super) value: f64,
    /// Standard deviation of the value.
    pub(super) spread: f64,
    /// Probability that hard limits hold.
    pub(super) feasible: f64,
    /// Expected violation.
    pub(super) violation: f64,
    /// Expected gain over the best known, hard limits heeded.
    pub(super) gain: f64,
}

/// A point that was measured.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ranked {
    pub(super) point: Point,
    pub(super) promise: Promise,
    /// Times that it was measured.
    pub(super) runs: usize,
    /// Runs that the measurements are worth: those that do not fit count for little.
    pub(super) weight: f64,
    /// Mean of the values that were measured, so weighed.
    pub(super) seen: f64,
    /// Standard deviation that the noise of one run gives to the value.
    pub(super) noise: f64,
}

impl<'a> Model<'a> {
    /// Learns from a search's history and from earlier tasks; nothing if nothing was measured.
    pub(super) fn of(search: &Search<'a>) -> Option<Self> {
        Self::learnt(search.goal, search, earlier::models(search))
    }

    /// Learns from a search's history, with what models of earlier tasks tell.
    pub(super) fn learnt(goal: &'a dyn Goal, search: &Search<'_>, earlier: Vec<Self>) -> Option<Self> {
        if search
            .history
            .iter()
            .all(|trial| trial.outcome.measured().is_none())
        {
            return None;
        }
        let (points, seen): (Vec<Point>, Vec<Vec<Option<f64>>>) = search
            .history
            .iter()
            .filter_map(|trial| Some((trial.point.clone(), trial.outcome.seen()?)))
            .unzip();
        let outputs = search.goal.outputs();
        let scales: Vec<Scale> = (0..outputs.len())
            .map(|output| {
                let values: Vec<f64> = seen.iter().filter_map(|row| row[output]).collect();
                Scale::of(&values, outputs.len() == 1)
            })
            .collect();
        let mut numbers: Vec<usize> = outputs.iter().map(|output| output.group).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let groups: Vec<Group> = numbers
            .into_iter()
            .enumerate()
            .map(|(place, number)| {
                let members: Vec<usize> = (0..outputs.len())
                    .filter(|output| outputs[*output].group == number)
                    .collect();
                let on =
                    |row: &Vec<Option<f64>>, output: usize| row[output].map(|value| scales[output].on(value));
                let rows: Vec<Vec<Option<f64>>> = seen
                    .iter()
                    .map(|row| members.iter().map(|output| on(row, *output)).collect())
                    .collect();
                let hints: Vec<Vec<f64>> = points.iter().map(|point| hints(&earlier, place, point)).collect();
                Group {
                    process: Process::of(search.axes, &points, &hints, &rows),
                    outputs: members,
                }
            })
            .collect();
        let seed = (search.seed, 1 + search.history.len() as u64);
        let draws = draws::draws(seed, &mixes(&groups), DRAWS);
        Some(Self {
            goal,
            seed,
            earlier,
            scales,
            groups,
            crashes: Crashes::of(search.axes, search.history),
            draws,
        })
    }

    fn beliefs(&self, point: &[u16]) -> Vec<Belief> {
        let groups = self.groups.iter().enumerate();
        groups
            .map(|(place, group)| group.process.believe(point, &self.hints(place, point)))
            .collect()
    }

    /// What earlier tasks tell of a point's outputs of one group.
    fn hints(&self, group: usize, point: &[u16]) -> Vec<f64> {
        hints(&self.earlier, group, point)
    }

    /// A point's expected outputs: quick, and blind to doubt.
    pub(super) fn expected(&self, point: &[u16]) -> Vec<f64> {
        let mut row = vec![0.0; self.scales.len()];
        for (place, group) in self.groups.iter().enumerate() {
            let hints = self.hints(place, point);
            for (output, mean) in group.outputs.iter().zip(group.process.means(point, &hints)) {
                row[*output] = self.scales[*output].off(mean);
            }
        }
        row
    }

    /// What a point's expected outputs are worth.
    pub(super) fn middle(&self, point: &[u16]) -> Worth {
        self.goal.worth(&self.expected(point))
    }

    /// Standard deviation that the noise of one run gives to a point's value.
    fn noise(&self, point: &[u16]) -> f64 {
        let mut row = vec![0.0; self.scales.len()];
        let (mut sum, mut squares) = (0.0, 0.0);
        let mut beliefs = self.beliefs(point);
        for (group, belief) in self.groups.iter().zip(&mut beliefs) {
            belief.deviations.fill(group.process.noise());
        }
        for draw in &self.draws {
            self.draw(&beliefs, draw, &mut row);
            let value = self.goal.worth(&row).value;
            sum += value;
            squares += value * value;
        }
        let count = as_f64(self.draws.len());
        (squares / count - (sum / count).powi(2)).max(0.0).sqrt()
    }

    /// The outputs of one draw.
    fn draw(&self, beliefs: &[Belief], draw: &[f64], row: &mut [f64]) {
        let mut moves = draw;
        for (group, belief) in self.groups.iter().zip(beliefs) {
            for ((output, mean), shares) in group.outputs.iter().zip(&belief.means).zip(group.process.mix()) {
                let (own, rest) = moves.split_at(shares.len());
                moves = rest;
                let moved: f64 = own
                    .iter()
                    .zip(&belief.deviations)
                    .map(|(own, deviation)| own * deviation)
                    .sum();
                row[*output] = self.scales[*output].off(mean + moved);
            }
        }
    }

    /// What a point promises against a value that is had already.
    pub(super) fn promise(&self, point: &[u16], best: f64) -> Promise {
        let beliefs = self.beliefs(point);
        let mut row = vec![0.0; self.scales.len()];
        let (mut sum, mut squares, mut feasible, mut violation, mut gain) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for draw in &self.draws {
            self.draw(&beliefs, draw, &mut row);
            let worth = self.goal.worth(&row);
            sum += worth.value;
            squares += worth.value * worth.value;
            violation += worth.violation.max(0.0);
            if worth.violation <= 0.0 {
                feasible += 1.0;
                gain += (worth.value - best).max(0.0);
            }
        }
        let count = as_f64(self.draws.len());
        let value = sum / count;
        Promise {
            value,
            spread: (squares / count - value * value).max(0.0).sqrt(),
            feasible: feasible / count,
            violation: violation / count,
            gain: gain / count,
        }
    }

    /// The probabilities that a point is feasible and better than a value, and that it is feasible.
    pub(super) fn chances(&self, point: &[u16], best: f64) -> (f64, f64) {
        let beliefs = self.beliefs(point);
        let mut row = vec![0.0; self.scales.len()];
        let (mut better, mut feasible) = (0.0, 0.0);
        for draw in draws::heavy_draws(self.seed, &mixes(&self.groups), MANY_DRAWS) {
            self.draw(&beliefs, &draw, &mut row);
            let worth = self.goal.worth(&row);
            if worth.violation <= 0.0 {
                feasible += 1.0;
                better += f64::from(u8::from(worth.value > best));
            }
        }
        (better / as_f64(MANY_DRAWS), feasible / as_f64(MANY_DRAWS))
    }

    /// What several points are worth in joint draws: one list for each draw.
    pub(super) fn together(&self, points: &[Point], draws: usize, rng: &mut ChaCha8Rng) -> Vec<Vec<Worth>> {
        let beliefs: Vec<Together> = self
            .groups
            .iter()
            .enumerate()
            .map(|(place, group)| {
                let hints: Vec<Vec<f64>> = points.iter().map(|point| self.hints(place, point)).collect();
                group.process.believe_together(points, &hints)
            })
            .collect();
        let mut row = vec![0.0; self.scales.len()];
        (0..draws)
            .map(|_| {
                let moved: Vec<Vec<Vec<f64>>> = beliefs
                    .iter()
                    .map(|belief| {
                        let spreads = belief.spreads.iter();
                        spreads
                            .map(|spread| spread.times(&draws::normals(points.len(), rng)))
                            .collect()
                    })
                    .collect();
                let worth = |place: usize| {
                    for ((group, belief), moved) in self.groups.iter().zip(&beliefs).zip(&moved) {
                        for (member, (output, shares)) in
                            group.outputs.iter().zip(group.process.mix()).enumerate()
                        {
                            let away: f64 = shares
                                .iter()
                                .zip(moved)
                                .map(|(share, moved)| share * moved[place])
                                .sum();
                            row[*output] = self.scales[*output].off(belief.means[place][member] + away);
                        }
                    }
                    self.goal.worth(&row)
                };
                (0..points.len()).map(worth).collect()
            })
            .collect()
    }

    /// Every point that was measured, once, best first: by value where hard limits are believed
    /// to hold, by expected violation where not.
    pub(super) fn ranking(&self, history: &[Trial]) -> Vec<Ranked> {
        let mut places: HashMap<&Point, usize> = HashMap::new();
        let mut ranking: Vec<Ranked> = Vec::new();
        let seen = history
            .iter()
            .filter(|trial| !matches!(trial.outcome, Outcome::Crashed(_)));
        for (run, trial) in seen.enumerate() {
            let Some(row) = trial.outcome.measured() else {
                continue;
            };
            let place = *places.entry(&trial.point).or_insert_with(|| {
                ranking.push(Ranked {
                    point: trial.point.clone(),
                    promise: self.promise(&trial.point, f64::INFINITY),
                    runs: 0,
                    weight: 0.0,
                    seen: 0.0,
                    noise: self.noise(&trial.point),
                });
                ranking.len() - 1
            });
            let ranked = &mut ranking[place];
            ranked.runs += 1;
            let value = self.goal.worth(row).value;
            let doubts = self.groups.iter().map(|group| group.process.doubt(run));
            let weight = 1.0 / doubts.fold(1.0, f64::max);
            ranked.weight += weight;
            ranked.seen += (value - ranked.seen) * weight / ranked.weight;
        }
        ranking.sort_by(|left, right| {
            let sure = |ranked: &Ranked| ranked.promise.is_sure();
            sure(right).cmp(&sure(left)).then_with(|| {
                if sure(left) {
                    right.value().total_cmp(&left.value())
                } else {
                    left.promise.violation.total_cmp(&right.promise.violation)
                }
            })
        });
        ranking
    }
}

impl Ranked {
    /// Whether any of its runs does not fit what all others say.
    pub(super) fn is_doubted(&self) -> bool {
        self.weight < as_f64(self.runs)
    }

    /// What the point is held to be worth: the model smooths over what is peculiar to a
    /// point, a measurement carries noise, so it lies between the two; the more often the
    /// point was measured, the closer to what was measured.
    pub(super) fn value(&self) -> f64 {
        let trust = OWN_TRUST * self.weight;
        let share = trust / (1.0 + trust);
        self.promise.value + share * (self.seen - self.promise.value)
    }
}

impl Promise {
    /// Whether hard limits are believed to hold.
    pub(super) fn is_sure(&self) -> bool {
        self.feasible >= SURE
    }
}

/// What models of earlier tasks expect of a point's outputs of one group.
fn hints(earlier: &[Model<'_>], group: usize, point: &[u16]) -> Vec<f64> {
    let groups = earlier.iter().map(|model| &model.groups[group]);
    groups.map(|group| group.process.standing(point)).collect()
}

fn mixes(groups: &[Group]) -> Vec<&Mix> {
    groups.iter().map(|group| group.process.mix()).collect()
}
