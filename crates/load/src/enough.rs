//! Whether a level's figures are known well enough for it to end before its time.
//!
//! Its time is cut into equal batches, each at least as long as a request takes, so that what
//! happens in one is news after the one before; how much a figure varies from batch to batch
//! tells how far its mean may be off ("batch means"; Law and Kelton, Simulation Modeling and
//! Analysis, ch. 9). Looking again and again makes chance look like certainty, so looks are few,
//! and each asks for more than 95 %.

use autotuner_core::workload::{Figure, Precision};

use crate::live::Totals;

/// Fewest batches: fewer cannot tell how they vary.
const FEWEST: usize = 20;

/// Most batches: more are more alike to their neighbours.
const MOST: usize = 40;

/// Standard errors that a figure may be off: those of 99 %, for what is looked at several times.
const ERRORS: f64 = 2.7;

/// By how much the time must have grown from one look to the next.
const GROWTH: f64 = 1.2;

/// The largest correlation of neighbouring batches that is reckoned with.
const MOST_ALIKE: f64 = 0.9;

/// What was seen of a level until now.
#[derive(Debug)]
pub(crate) struct Enough<'a> {
    wanted: &'a Precision,
    /// Seconds since the window opened, and what had ended by then.
    seen: Vec<(f64, Totals)>,
    next_look: f64,
}

impl<'a> Enough<'a> {
    pub(crate) fn new(wanted: &'a Precision) -> Self {
        Self {
            wanted,
            seen: Vec::new(),
            next_look: 0.0,
        }
    }

    /// Takes in what has ended after so many seconds, and says whether that is enough.
    pub(crate) fn is_enough(&mut self, elapsed: f64, totals: Totals) -> bool {
        self.seen.push((elapsed, totals));
        if elapsed < self.next_look || totals.requests < self.wanted.least_requests {
            return false;
        }
        self.next_look = elapsed * GROWTH;
        let Some(batches) = self.batches() else {
            return false;
        };
        let is_known = |figure: &Figure| {
            error_ratio(*figure, &batches).is_some_and(|ratio| ERRORS * ratio <= self.wanted.ratio)
        };
        self.wanted.figures.iter().all(is_known)
    }

    /// What ended in each batch, with its length. What is under way when the window opens is none
    /// of its requests, so nothing ends in its first moments: they are left out.
    fn batches(&self) -> Option<Vec<(f64, Totals)>> {
        let (_, last) = self.seen.last()?;
        let takes = last.latency / f64::from(last.requests.max(1));
        let rest = &self.seen[self.seen.iter().position(|(elapsed, _)| *elapsed >= takes)?..];
        let ((begin, _), (end, _)) = (rest.first()?, rest.last()?);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small count that is not negative"
        )]
        let fitting = ((end - begin) / takes.max(f64::MIN_POSITIVE)).min(1e6) as usize;
        let count = fitting.min(MOST).min(rest.len() - 1);
        if count < FEWEST {
            return None;
        }
        // Every so many looks, so that a batch's length is known exactly.
        let step = (rest.len() - 1).div_ceil(count);
        let ends: Vec<&(f64, Totals)> = rest.iter().step_by(step).collect();
        if ends.len() <= FEWEST {
            return None;
        }
        let batch = |pair: &[&(f64, Totals)]| (pair[1].0 - pair[0].0, pair[1].1.since(&pair[0].1));
        Some(ends.windows(2).map(batch).collect())
    }
}

/// The standard error of a figure, as a ratio of it; `None` where there is no figure.
fn error_ratio(figure: Figure, batches: &[(f64, Totals)]) -> Option<f64> {
    let parts: Vec<(f64, f64)> = batches
        .iter()
        .map(|(length, totals)| {
            let requests = f64::from(totals.requests);
            match figure {
                Figure::Tokens => (totals.tokens, *length),
                Figure::Ttft => (totals.ttft, requests),
                Figure::Tpot => (totals.tpot, f64::from(totals.streamed)),
                Figure::Latency => (totals.latency, requests),
            }
        })
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "a handful of batches")]
    let count = parts.len() as f64;
    let (above, below) = parts.iter().fold((0.0, 0.0), |(above, below), part| {
        (above + part.0, below + part.1)
    });
    let ratio = above / below;
    if !(ratio.is_finite() && ratio > 0.0) {
        return None;
    }
    let away: Vec<f64> = parts.iter().map(|(above, below)| above - ratio * below).collect();
    let squares: f64 = away.iter().map(|away| away * away).sum();
    let neighbours: f64 = away.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let alike = match squares > 0.0 {
        true => (neighbours / squares).clamp(0.0, MOST_ALIKE),
        false => 0.0,
    };
    let variance = squares / (count - 1.0) * (1.0 + alike) / (1.0 - alike);
    Some((count * variance).sqrt() / above)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks four times a second at a level whose requests take half a second and whose rate swings
    /// by so much; how many seconds it takes, at most a hundred.
    fn takes(ratio: f64, swing: f64, figures: &[Figure], least_requests: u32) -> Option<f64> {
        let wanted = Precision {
            ratio,
            figures: figures.to_vec(),
            least_requests,
        };
        let mut enough = Enough::new(&wanted);
        let mut totals = Totals::default();
        (1..=400).map(f64::from).find_map(|tick| {
            // A generator of ups and downs that does not repeat itself.
            let up = ((tick * 0.618_034).fract() - 0.5) * 2.0;
            let requests = 10;
            totals.requests += requests;
            totals.streamed += requests;
            totals.tokens += 1000.0 * (1.0 + swing * up);
            totals.latency += 0.5 * f64::from(requests);
            totals.ttft += 0.1 * f64::from(requests) * (1.0 + 3.0 * swing * up);
            totals.tpot += 0.01 * f64::from(requests);
            enough.is_enough(tick / 4.0, totals).then_some(tick / 4.0)
        })
    }

    #[test]
    fn a_level_ends_once_its_figures_are_known_and_no_sooner() {
        let tokens = [Figure::Tokens];
        let quiet = takes(0.02, 0.01, &tokens, 1).expect("soon known");
        assert!(
            (10.0..20.0).contains(&quiet),
            "twenty batches of a request each: {quiet}"
        );
        let noisy = takes(0.02, 0.3, &tokens, 1);
        assert!(noisy.is_none_or(|noisy| noisy > quiet), "{noisy:?}");
        assert_eq!(takes(0.0001, 0.3, &tokens, 1), None);
        let more = takes(0.02, 0.01, &tokens, 3000).expect("known");
        assert!(more >= 75.0, "there must be enough requests: {more}");
        let both = takes(0.02, 0.1, &[Figure::Tokens, Figure::Ttft], 1);
        let one = takes(0.02, 0.1, &tokens, 1).expect("known");
        assert!(both.is_none_or(|both| both >= one), "{both:?}");
    }

    #[test]
    fn a_figure_that_was_not_seen_is_not_known() {
        let wanted = Precision {
            ratio: 0.5,
            figures: vec![Figure::Tpot],
            least_requests: 1,
        };
        let mut enough = Enough::new(&wanted);
        let known = (1..400_u32).any(|tick| {
            let totals = Totals {
                requests: tick,
                latency: f64::from(tick) * 0.1,
                tokens: f64::from(tick),
                ..Totals::default()
            };
            enough.is_enough(f64::from(tick) / 4.0, totals)
        });
        assert!(!known, "answers of one token have no time per token");
    }
}
