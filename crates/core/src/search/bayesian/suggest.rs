//! From what was learnt to what is tried next.

use std::collections::HashSet;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::confirm;
use super::crash::Crashes;
use super::earlier;
use super::model::{Model, Ranked};
use super::outlier;
use super::points::{anywhere, distance, known, spread};
use super::problem::{Outcome, Point, Search, Suggestion, Trial};
use super::remaining::{self, Remaining};
use super::widen;

/// Points of the spread design that are looked at for each trial of it.
const LOOKED_AT: usize = 24;

/// The power of the probability to run that a gain is weighed with: crashes cost a trial each
/// and teach little once their boundary is roughly known.
pub(super) const CAUTION: f64 = 2.0;

/// Trials at the end of a budget that go to measuring the best again: a new point would be seen
/// once only, and once is too seldom to prefer it.
const CONFIRMED: usize = 4;

/// The last part of the budget, in which a point is measured again wherever more is expected of
/// that than of a new one; before, new points also teach the model.
const LATE: usize = 4;

/// Every so many turns a value that is hardly known is tried in good company.
const WIDENED: usize = 4;

/// So much of a worthwhile gain is next to nothing: where the model expects less of every point, it
/// would try small changes of the best, or what is all but sure to crash. A turn is then better
/// spent on what the model does not believe in.
const NEXT_TO_NOTHING: f64 = 0.25;

/// The part of the budget that is spent where the model points before either begins.
const NARROW: usize = 3;

/// Probability that anything worthwhile is left below which a search is settled.
const SETTLED: f64 = 0.1;

/// What to do next, what is best so far, and what may be left.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// What to try next.
    pub next: Suggestion,
    /// The measured point that is believed best; none before anything was measured.
    pub best: Option<Point>,
    /// What is left to be gained; nothing until the model decides and a point keeps every limit.
    pub remaining: Option<Remaining>,
}

/// What to try next, and what is best so far.
pub fn advise(search: &Search<'_>) -> Advice {
    let mut rng = ChaCha8Rng::seed_from_u64(search.seed);
    rng.set_stream(1 << 32 | (search.history.len() + search.pending.len()) as u64);
    let known = known(search);
    let model = Model::of(search);
    let ranking = model.as_ref().map(|model| model.ranking(search.history));
    let ranking = ranking.unwrap_or_default();
    let best = ranking.first().map(|ranked| ranked.point.clone());
    if let Some(model) = model.as_ref().filter(|_| !search.pending.is_empty()) {
        let history = anticipated(search, model);
        let later = Search {
            history: &history,
            pending: &[],
            ..*search
        };
        return Advice {
            best,
            ..advise(&later)
        };
    }
    let turn = Turn { search, known, rng };
    let (next, remaining) = match model {
        Some(model) if search.history.len() >= earlier::initial(search) => turn.model(&model, &ranking),
        _ => (turn.design(), None),
    };
    Advice {
        next,
        best,
        remaining,
    }
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
pub(super) struct Turn<'a> {
    pub(super) search: &'a Search<'a>,
    known: HashSet<Point>,
    pub(super) rng: ChaCha8Rng,
}

impl Turn<'_> {
    /// Whether a point is new and may be tried.
    pub(super) fn is_fresh(&self, point: &Point) -> bool {
        !self.known.contains(point) && (self.search.allowed)(point)
    }

    /// A point of the spread design: the one that is most likely to run and furthest from what
    /// was tried.
    fn design(mut self) -> Suggestion {
        let axes = self.search.axes;
        let mut steady = ChaCha8Rng::seed_from_u64(self.search.seed);
        let points = spread(axes, 64, &mut steady);
        let points = points.into_iter().map(self.search.settled);
        let crashes = Crashes::of(axes, self.search.history);
        let from = self.search.history.len() + self.search.pending.len();
        if from.is_multiple_of(earlier::EVERY) && !self.search.earlier.is_empty() {
            let best = earlier::best(self.search).into_iter();
            if let Some(point) = best
                .skip(from / earlier::EVERY)
                .find(|point| self.is_fresh(point))
            {
                return Suggestion::Try {
                    point,
                    why: "among the best of an earlier task".into(),
                };
            }
        }
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
            let point = (self.search.settled)(anywhere(axes, &mut self.rng));
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

    /// Whether neither now nor a turn ago anything worthwhile was to be expected.
    fn is_settled(&self, remaining: &Remaining) -> bool {
        let Some((_, before)) = self.search.history.split_last() else {
            return false;
        };
        let earlier = Search {
            history: before,
            stops: false,
            ..*self.search
        };
        remaining.chance < SETTLED
            && advise(&earlier)
                .remaining
                .is_some_and(|left| left.chance < SETTLED)
    }

    fn model(mut self, model: &Model<'_>, ranking: &[Ranked]) -> (Suggestion, Option<Remaining>) {
        let sure = || ranking.iter().filter(|ranked| ranked.promise.is_sure());
        let best = sure().map(|ranked| ranked.promise.value).max_by(f64::total_cmp);
        let merit = |point: &Point| -> f64 {
            let runs = model.crashes.runs(point);
            let promise = model.promise(point, best.unwrap_or(f64::INFINITY));
            match best {
                Some(_) => promise.gain * runs.powf(CAUTION),
                None => promise.feasible.max(1e-3) * runs / (1.0 + promise.violation),
            }
        };
        let judged = self.judged(model, ranking, best, &merit);
        let remaining = sure().next().map(|best| {
            let points = judged.iter().take(remaining::LOOKED_AT);
            let points: Vec<Point> = points.map(|(_, point)| point.clone()).collect();
            remaining::remaining(self.search, model, best, &points)
        });
        if self.search.stops
            && let Some(left) = remaining.filter(|left| self.is_settled(left))
        {
            let why = format!(
                "that anything gains what is worth a trial has a probability of {:.0} %",
                100.0 * left.chance
            );
            return (Suggestion::Stop { why }, remaining);
        }
        (self.choice(model, ranking, best, &judged, &merit), remaining)
    }

    /// What is tried next, of points from the best judged to the worst.
    fn choice(
        &mut self,
        model: &Model<'_>,
        ranking: &[Ranked],
        best: Option<f64>,
        judged: &[(f64, Point)],
        merit: &dyn Fn(&Point) -> f64,
    ) -> Suggestion {
        if let Some(point) = self.confirmation(ranking) {
            return Suggestion::Replicate {
                point,
                why: "measured again, to be sure of it".into(),
            };
        }
        if self.search.replicates
            && let Some(slow) = outlier::slow(self.search, ranking)
        {
            return Suggestion::Replicate {
                point: slow.point.clone(),
                why: "slower than all others together would have expected, measured once more".into(),
            };
        }
        let turn = self.search.history.len().saturating_sub(self.search.initial);
        // New points have a handful of turns left to be measured again in.
        if turn.is_multiple_of(2)
            && let Some(point) = self.rivalled(ranking, 0.0)
        {
            return Suggestion::Replicate {
                point: point.clone(),
                why: "may be the best, measured again in every other of the last turns".into(),
            };
        }
        let is_narrow = self.search.history.len() >= self.search.budget / NARROW;
        let expected = judged.first().map_or(0.0, |(merit, _)| *merit);
        if is_narrow
            && best.is_some()
            && expected < NEXT_TO_NOTHING * self.search.worthwhile
            && let Some(point) = self.habitual(model)
        {
            return Suggestion::Try {
                point,
                why: "values that the best have more often than the rest, as the model expects \
                      next to nothing of others"
                    .into(),
            };
        }
        if is_narrow
            && turn % WIDENED == WIDENED - 1
            && let Some(rare) = widen::rarest(self.search)
            && let Some(point) = self.widened(rare, ranking, merit)
        {
            return Suggestion::Try {
                point,
                why: "a value that is hardly known, with what does well elsewhere".into(),
            };
        }
        let Some((_, top)) = judged.first() else {
            return match self.any() {
                Some(point) => Suggestion::Try {
                    point,
                    why: "drawn at random".into(),
                },
                None => self.stop(),
            };
        };
        let what = match best {
            Some(_) => "the largest expected gain",
            None => "the most likely to keep every limit",
        };
        let runs = model.crashes.runs(top);
        if let Some(best) = best
            && let Some(point) = self.rivalled(ranking, model.promise(top, best).gain * runs)
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
            point: top.clone(),
        }
    }
}
