//! From what was learnt to what is tried next.

use std::collections::HashSet;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::confirm;
use super::crash::Crashes;
use super::model::{Model, Promise, Ranked};
use super::points::{anywhere, distance, known, moved, neighbours, spread};
use super::problem::{Outcome, Point, Search, Suggestion, Trial};

/// Points of the spread design that are looked at for each trial of it.
const LOOKED_AT: usize = 24;

/// Measured points that are looked around.
const CENTRES: usize = 5;

/// Points that are drawn from everywhere, and from two exchanges around each centre.
const FAR: usize = 600;
const AROUND: usize = 60;

/// Points that are judged by draws, of all that were looked at by their means.
const JUDGED: usize = 160;

/// Of which so many are taken whatever their means.
const UNSORTED: usize = 60;

/// The power of the probability to run that a gain is weighed with: crashes cost a trial each
/// and teach little once their boundary is roughly known.
const CAUTION: f64 = 2.0;

/// Trials at the end of a budget that go to measuring the best again: a new point would be seen
/// once only, and once is too seldom to prefer it.
const CONFIRMED: usize = 4;

/// The last part of the budget, in which a point is measured again wherever more is expected of
/// that than of a new one; before, new points also teach the model.
const LATE: usize = 4;

/// Every so many turns a value that is hardly known is tried in good company.
const WIDENED: usize = 4;

/// The part of the budget that is spent where the model points before that begins.
const NARROW: usize = 3;

/// Trials that make a value known: so many measured, or so many altogether.
const KNOWN: usize = 2;
const TRIED: usize = 5;

/// Rounds of ascent from the best judged.
const ROUNDS: usize = 6;

/// What to do next, and what is best so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// What to try next.
    pub next: Suggestion,
    /// The measured point that is believed best; none before anything was measured.
    pub best: Option<Point>,
}

/// What to try next, and what is best so far.
pub fn advise(search: &Search<'_>) -> Advice {
    let mut rng = ChaCha8Rng::seed_from_u64(search.seed);
    rng.set_stream(1 << 32 | (search.history.len() + search.pending.len()) as u64);
    let known = known(search);
    let model = Model::of(search);
    let ranking = model.as_ref().map(Model::ranking).unwrap_or_default();
    let best = ranking.first().map(|ranked| ranked.point.clone());
    if let Some(model) = model.as_ref().filter(|_| !search.pending.is_empty()) {
        let history = anticipated(search, model);
        let later = Search {
            history: &history,
            pending: &[],
            ..*search
        };
        return Advice {
            next: advise(&later).next,
            best,
        };
    }
    let turn = Turn { search, known, rng };
    let next = match model {
        Some(model) if search.history.len() >= search.initial => turn.model(&model, &ranking),
        _ => turn.design(),
    };
    Advice { next, best }
}

/// The history once what is being measured has come out as expected: the next suggestion is for
/// elsewhere, and need not wait ("kriging believer"; Ginsbourger et al., 2010).
fn anticipated(search: &Search<'_>, model: &Model<'_>) -> Vec<Trial> {
    let expected = search.pending.iter().map(|point| Trial {
        point: point.clone(),
        outcome: Outcome::Measured(model.expected(point)),
    });
    search.history.iter().cloned().chain(expected).collect()
}

/// One question.
struct Turn<'a> {
    search: &'a Search<'a>,
    known: HashSet<Point>,
    rng: ChaCha8Rng,
}

impl Turn<'_> {
    fn is_fresh(&self, point: &Point) -> bool {
        !self.known.contains(point) && (self.search.allowed)(point)
    }

    /// A point of the spread design: the one that is most likely to run and furthest from what
    /// was tried.
    fn design(mut self) -> Suggestion {
        let axes = self.search.axes;
        let mut steady = ChaCha8Rng::seed_from_u64(self.search.seed);
        let points = spread(axes, 64, &mut steady);
        let crashes = Crashes::of(axes, self.search.history);
        let from = self.search.history.len() + self.search.pending.len();
        let tried: Vec<&Point> = self
            .search
            .history
            .iter()
            .map(|trial| &trial.point)
            .chain(self.search.pending)
            .collect();
        let far = |point: &Point| {
            tried
                .iter()
                .map(|other| distance(axes, point, other))
                .fold(f64::INFINITY, f64::min)
        };
        let merit = |point: &Point| {
            let distance = if tried.is_empty() { 1.0 } else { far(point) };
            crashes.runs(point).powf(CAUTION) * distance
        };
        let pool: Vec<Point> = points
            .into_iter()
            .skip(from)
            .take(if tried.is_empty() { 1 } else { LOOKED_AT })
            .filter(|point| self.is_fresh(point))
            .collect();
        let chosen = pool
            .into_iter()
            .max_by(|left, right| merit(left).total_cmp(&merit(right)));
        match chosen.or_else(|| self.any()) {
            Some(point) => Suggestion::Try {
                point,
                why: "spread over the space".into(),
            },
            None => self.stop(),
        }
    }

    /// Any new point: by drawing, and by looking at all of a small space.
    fn any(&mut self) -> Option<Point> {
        let axes = self.search.axes;
        for _ in 0..2000 {
            let point = anywhere(axes, &mut self.rng);
            if self.is_fresh(&point) {
                return Some(point);
            }
        }
        None
    }

    fn stop(&self) -> Suggestion {
        Suggestion::Stop {
            why: "no further point was found".into(),
        }
    }

    /// At the end of the budget, the point that is most worth measuring again.
    fn confirmation(&self, ranking: &[Ranked]) -> Option<Point> {
        let left = self.search.budget.saturating_sub(self.search.history.len());
        if !self.search.replicates || left > CONFIRMED {
            return None;
        }
        confirm::again(ranking).map(|(_, ranked)| ranked.point.clone())
    }

    /// Late in the budget, a point that is more worth measuring again than a new one is worth
    /// measuring at all.
    fn rivalled<'b>(&self, ranking: &'b [Ranked], gain: f64) -> Option<&'b Point> {
        let Search { budget, history, .. } = self.search;
        if !self.search.replicates || history.len() + budget / LATE < *budget {
            return None;
        }
        confirm::again(ranking)
            .filter(|(again, _)| *again > gain)
            .map(|(_, ranked)| &ranked.point)
    }

    fn pool(&mut self, ranking: &[Ranked]) -> Vec<Point> {
        let axes = self.search.axes;
        let mut pool = Vec::new();
        for Ranked { point: centre, .. } in ranking.iter().take(CENTRES) {
            pool.extend(neighbours(axes, centre, &mut self.rng));
            for _ in 0..AROUND {
                pool.push(moved(axes, centre, &mut self.rng));
            }
        }
        for _ in 0..FAR {
            pool.push(anywhere(axes, &mut self.rng));
        }
        let mut seen = HashSet::new();
        pool.retain(|point| self.is_fresh(point) && seen.insert(point.clone()));
        pool
    }

    /// The most promising point with the least known value of an unordered axis: what crashed in
    /// bad company alone would otherwise never be seen in good.
    fn widened(&mut self, ranking: &[Ranked], merit: &dyn Fn(&Point) -> (f64, Promise)) -> Option<Point> {
        let axes = self.search.axes;
        let mut rare: Option<(usize, usize, usize, u16)> = None;
        for (index, axis) in axes.iter().enumerate() {
            if axis.positions().is_some() {
                continue;
            }
            for level in 0..u16::try_from(axis.levels()).unwrap_or(u16::MAX) {
                let with = || {
                    self.search
                        .history
                        .iter()
                        .filter(|trial| trial.point[index] == level)
                };
                let measured = with().filter(|trial| trial.outcome.measured().is_some()).count();
                let tried = with().count();
                if measured < KNOWN && tried < TRIED {
                    let found = (measured, tried, index, level);
                    rare = Some(rare.map_or(found, |rare| rare.min(found)));
                }
            }
        }
        let (_, _, index, level) = rare?;
        let mut pool = Vec::new();
        for ranked in ranking.iter().take(CENTRES) {
            let mut centre = ranked.point.clone();
            centre[index] = level;
            pool.extend(neighbours(axes, &centre, &mut self.rng));
            pool.push(centre);
        }
        for _ in 0..200 {
            pool.push(anywhere(axes, &mut self.rng));
        }
        for point in &mut pool {
            point[index] = level;
        }
        pool.retain(|point| self.is_fresh(point));
        let chances = pool.into_iter().map(|point| (merit(&point).0, point));
        chances
            .max_by(|(left, _), (right, _)| left.total_cmp(right))
            .map(|(_, point)| point)
    }

    fn model(mut self, model: &Model<'_>, ranking: &[Ranked]) -> Suggestion {
        let best = ranking
            .iter()
            .filter(|ranked| ranked.promise.is_sure())
            .map(|ranked| ranked.promise.value)
            .max_by(f64::total_cmp);
        if let Some(point) = self.confirmation(ranking) {
            return Suggestion::Replicate {
                point,
                why: "measured again, to be sure of it".into(),
            };
        }
        let merit = |point: &Point| -> (f64, Promise) {
            let runs = model.crashes.runs(point);
            let promise = model.promise(point, best.unwrap_or(f64::INFINITY));
            let merit = match best {
                Some(_) => promise.gain * runs.powf(CAUTION),
                None => promise.feasible.max(1e-3) * runs / (1.0 + promise.violation),
            };
            (merit, promise)
        };
        let turn = self.search.history.len().saturating_sub(self.search.initial);
        if turn % WIDENED == WIDENED - 1
            && self.search.history.len() >= self.search.budget / NARROW
            && let Some(point) = self.widened(ranking, &merit)
        {
            return Suggestion::Try {
                point,
                why: "a value that is hardly known, with what does well elsewhere".into(),
            };
        }
        let mut pool = self.pool(ranking);
        if pool.is_empty() {
            return match self.any() {
                Some(point) => Suggestion::Try {
                    point,
                    why: "drawn at random".into(),
                },
                None => self.stop(),
            };
        }
        if pool.len() > JUDGED {
            let mut quick: Vec<(f64, Point)> = pool
                .into_iter()
                .map(|point| {
                    let worth = model.middle(&point);
                    let runs = model.crashes.runs(&point).max(1e-6).ln();
                    let limits = worth.violation.max(0.0);
                    let value = worth.value - best.unwrap_or(worth.value);
                    (value + 0.3 * runs - limits, point)
                })
                .collect();
            quick.sort_by(|(left, _), (right, _)| right.total_cmp(left));
            let rest = quick.split_off(JUDGED - UNSORTED);
            pool = quick.into_iter().map(|(_, point)| point).collect();
            for _ in 0..UNSORTED {
                pool.push(rest[self.rng.random_range(0..rest.len())].1.clone());
            }
        }
        let mut judged: Vec<(f64, Point)> = pool.into_iter().map(|point| (merit(&point).0, point)).collect();
        judged.sort_by(|(left, _), (right, _)| right.total_cmp(left));
        let mut top = judged[0].clone();
        for start in judged.iter().take(2) {
            let mut at = start.clone();
            for _ in 0..ROUNDS {
                let around = neighbours(self.search.axes, &at.1, &mut self.rng);
                let step = around
                    .into_iter()
                    .filter(|point| self.is_fresh(point))
                    .map(|point| (merit(&point).0, point))
                    .max_by(|(left, _), (right, _)| left.total_cmp(right));
                match step {
                    Some(step) if step.0 > at.0 => at = step,
                    _ => break,
                }
            }
            if at.0 > top.0 {
                top = at;
            }
        }
        let what = match best {
            Some(_) => "the largest expected gain",
            None => "the most likely to keep every limit",
        };
        let runs = model.crashes.runs(&top.1);
        if let Some(best) = best
            && let Some(point) = self.rivalled(ranking, model.promise(&top.1, best).gain * runs)
        {
            return Suggestion::Replicate {
                point: point.clone(),
                why: "more is expected of measuring it again than of a new point".into(),
            };
        }
        Suggestion::Try {
            // Where nothing has failed yet there is nothing to tell.
            why: match runs < 0.995 {
                true => format!("{what}; works with a probability of {:.0} %", 100.0 * runs),
                false => what.into(),
            },
            point: top.1,
        }
    }
}
