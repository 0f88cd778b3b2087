//! What a run has spent of the time that it may take.
//!
//! Counted is the time in which any experiment was under way, whatever came of it; a pause of the
//! whole program costs nothing. GPU hours count every GPU that an experiment held.

use crate::experiment::Experiment;
use crate::failure::Lesson;
use crate::task::SearchSettings;

/// The share of the time after which nothing new is tried where the best is to be measured again.
const FOR_SEARCH: f64 = 0.75;

const MS_PER_HOUR: f64 = 3_600_000.0;

/// What was spent, and what one more experiment would cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    /// Time in which experiments ran, hours.
    pub hours: f64,
    /// The same for each GPU that was held, hours.
    pub gpu_hours: f64,
    /// Median time of an experiment that said something of its configuration, hours.
    usual_hours: f64,
    /// The same for each GPU.
    usual_gpu_hours: f64,
}

/// What of a budget is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spending {
    /// The time.
    Time,
    /// The GPU hours.
    GpuHours,
}

impl Spent {
    /// Of these experiments, at this time in milliseconds since the Unix epoch.
    pub fn of(experiments: &[Experiment], now_ms: i64) -> Self {
        let spans: Vec<(i64, i64)> = experiments.iter().map(|each| span(each, now_ms)).collect();
        let cost = |(experiment, span): (&Experiment, &(i64, i64))| {
            let gpus = experiment.launch.as_ref().map_or(0, |launch| launch.gpus.len());
            hours(span.1 - span.0) * gpus as f64
        };
        // What was given up took less than what is worth measuring will.
        let is_telling = |experiment: &Experiment| match &experiment.result {
            None => false,
            Some(Ok(_)) => true,
            Some(Err(failure)) => failure.kind.lesson() == Lesson::KeepAway,
        };
        let telling = experiments
            .iter()
            .zip(&spans)
            .filter(|(experiment, _)| is_telling(experiment));
        let times = telling.clone().map(|(_, span)| hours(span.1 - span.0)).collect();
        Self {
            hours: hours(covered(spans.clone())),
            gpu_hours: experiments.iter().zip(&spans).map(cost).sum(),
            usual_hours: median(times),
            usual_gpu_hours: median(telling.map(cost).collect()),
        }
    }

    /// What one more experiment would exceed: of the search, or to measure the best again.
    pub(super) fn exceeds(self, settings: &SearchSettings, is_search: bool) -> Option<Spending> {
        let share = match is_search && settings.max_replicates > 0 {
            true => FOR_SEARCH,
            false => 1.0,
        };
        let is_beyond = |limit: Option<f64>, spent: f64, usual: f64| {
            limit.is_some_and(|limit| spent + usual > limit * share)
        };
        let limit = settings.max_time.map(|time| time.as_secs_f64() / 3600.0);
        if is_beyond(limit, self.hours, self.usual_hours) {
            Some(Spending::Time)
        } else if is_beyond(settings.max_gpu_hours, self.gpu_hours, self.usual_gpu_hours) {
            Some(Spending::GpuHours)
        } else {
            None
        }
    }
}

fn span(experiment: &Experiment, now_ms: i64) -> (i64, i64) {
    let begun = experiment.started_at_ms;
    (begun, experiment.ended_at_ms.unwrap_or(now_ms).max(begun))
}

/// How much these spans cover together.
fn covered(mut spans: Vec<(i64, i64)>) -> i64 {
    spans.sort_unstable();
    let mut end = i64::MIN;
    let mut sum = 0;
    for (from, to) in spans {
        sum += (to - from.max(end)).max(0);
        end = end.max(to);
    }
    sum
}

fn hours(ms: i64) -> f64 {
    ms as f64 / MS_PER_HOUR
}

/// The middle one, the upper of two; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_is_covered_once() {
        for (spans, expected) in [
            (vec![], 0),
            (vec![(0, 10), (20, 25)], 15),
            (vec![(0, 10), (5, 12), (6, 7)], 12),
            (vec![(5, 12), (0, 10)], 12),
        ] {
            assert_eq!(covered(spans.clone()), expected, "{spans:?}");
        }
    }
}
