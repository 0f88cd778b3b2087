//! What the engine's own metrics say of a level, against what was measured from outside.
//!
//! Nothing is corrected by it: the figures are those of the load generator. A difference is told.

use super::distribution::count;
use super::level::LevelMetrics;
use super::request::{self, Since, arrivals, is_good};
use super::trust::milliseconds;
use crate::measure::{EngineFigures, LevelRecords, RequestRecord};

/// The largest difference that is not worth telling, as a ratio of what the engine says.
const TOLERATED: f64 = 0.05;

/// And this much more of times, in seconds: the way there and back, and what an engine does before
/// it begins to count.
const TOLERATED_TIME: f64 = 0.002;

/// What was measured, less what the engine says; `None` where it says nothing, or nothing was
/// measured.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EngineDifferences {
    /// Mean TTFT since sending, seconds.
    pub ttft: Option<f64>,
    /// Mean TPOT, seconds.
    pub tpot: Option<f64>,
    /// Mean end-to-end latency since sending, seconds.
    pub latency: Option<f64>,
    /// Answer tokens of requests that ended well.
    pub output_tokens: Option<f64>,
    /// Requests that ended well.
    pub requests: Option<f64>,
}

/// What was measured while the engine counted, in its terms. It counts from the moment the window
/// opens, so what was under way then is in its figures, too: a request when it ends, a first
/// token when it comes. An engine counts tokens as it makes them or once the request has ended;
/// which of them is its own affair, so of all that both may come to, the nearest is taken.
pub(super) fn seen_beside(records: &LevelRecords, said: &EngineFigures) -> EngineFigures {
    let good = || records.borne().filter(|request| is_good(request));
    let mean = |of: &dyn Fn(&RequestRecord) -> Option<f64>| {
        let values: Vec<f64> = good().filter_map(of).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / count(values.len()))
    };
    let is_inside = |at: u64| at >= records.window_start_ns;
    let began_inside = |request: &RequestRecord| request.content_ns.first().is_some_and(|at| is_inside(*at));
    // Nobody knows what an engine counts of what failed.
    let counted = records.lead_in.iter().all(is_good);
    let made = |request| arrivals(request).filter(|(at, _)| is_inside(*at));
    let least: f64 = good().flat_map(made).map(|(_, tokens)| tokens).sum();
    let most: f64 = good().map(|request| f64::from(request.output_tokens.count)).sum();
    let near = |said: f64| said.clamp(least.min(most), most.max(least)).round();
    EngineFigures {
        requests: counted.then(|| count(good().count())),
        output_tokens: counted.then(|| said.output_tokens.map_or(most, near)),
        ttft: mean(&|of| began_inside(of).then(|| request::ttft(of, Since::Sent))?),
        tpot: mean(&request::tpot),
        latency: mean(&|of| request::latency(of, Since::Sent)),
        ..EngineFigures::default()
    }
}

impl LevelMetrics {
    /// What was measured, less what the engine says.
    pub fn engine_differences(&self) -> Option<EngineDifferences> {
        let engine = self.engine.as_ref()?;
        let seen = self.seen();
        let less = |seen: Option<f64>, said: Option<f64>| Some(seen? - said?);
        Some(EngineDifferences {
            ttft: less(seen.ttft, engine.ttft),
            tpot: less(seen.tpot, engine.tpot),
            latency: less(seen.latency, engine.latency),
            output_tokens: less(seen.output_tokens, engine.output_tokens),
            requests: less(seen.requests, engine.requests),
        })
    }

    /// What was measured, in the engine's terms. A result of an earlier version knows only of the
    /// window's own requests.
    fn seen(&self) -> EngineFigures {
        if let Some(seen) = self.seen {
            return seen;
        }
        let tokens = self.output_tokens.as_ref();
        EngineFigures {
            requests: Some(f64::from(self.counts.succeeded)),
            output_tokens: tokens.map(|tokens| (tokens.mean * f64::from(self.counts.succeeded)).round()),
            ttft: self.ttft.as_ref().map(|ttft| ttft.mean),
            tpot: self.tpot.as_ref().map(|tpot| tpot.mean),
            latency: self.latency.as_ref().map(|latency| latency.mean),
            ..EngineFigures::default()
        }
    }

    /// Whole sentences on what the engine says otherwise, for people. Counts are compared only
    /// where every request ended well: nobody knows what an engine counts of the others.
    pub fn engine_remarks(&self) -> Vec<String> {
        let Some(engine) = &self.engine else {
            return Vec::new();
        };
        let seen = self.seen();
        let times = [
            ("mean TTFT", seen.ttft, engine.ttft),
            ("mean TPOT", seen.tpot, engine.tpot),
            ("mean latency", seen.latency, engine.latency),
        ];
        let all_ended_well = self.counts.succeeded == self.counts.started;
        let counts = [
            ("answer tokens", seen.output_tokens, engine.output_tokens),
            ("finished requests", seen.requests, engine.requests),
        ];
        let times = times.into_iter().filter_map(|(what, seen, said)| {
            let (seen, said) = (seen?, said?);
            let is_told = (seen - said).abs() > said.abs() * TOLERATED + TOLERATED_TIME;
            is_told.then(|| (what, milliseconds(said), milliseconds(seen)))
        });
        let counts = counts.into_iter().filter(|_| all_ended_well);
        let counts = counts.filter_map(|(what, seen, said)| {
            let (seen, said) = (seen?, said?);
            let is_told = (seen - said).abs() > said.abs() * TOLERATED;
            is_told.then(|| (what, format!("{said:.0}"), format!("{seen:.0}")))
        });
        let sentence = |(what, said, seen): (&str, String, String)| {
            format!(
                "{}: the engine's own metrics say {said} for {what}, we saw {seen}{}",
                self.label(),
                within(engine)
            )
        };
        times.chain(counts).map(sentence).collect()
    }
}

/// What may explain a difference.
fn within(engine: &EngineFigures) -> String {
    let queue = engine.queue.map(|queue| {
        format!(
            "requests were in its queue for {} on average",
            milliseconds(queue)
        )
    });
    let preemptions = engine
        .preemptions
        .filter(|preemptions| *preemptions > 0.0)
        .map(|preemptions| format!("it pushed {preemptions:.0} out of its cache"));
    let known: Vec<String> = queue.into_iter().chain(preemptions).collect();
    match known.is_empty() {
        true => String::new(),
        false => format!(" ({})", known.join("; ")),
    }
}

#[cfg(test)]
mod tests;
