//! How much a level got done in its window: tokens and requests by the second.
//!
//! The one idea: tokens are counted while the load lasts, requests over the whole window.

use super::distribution::{count, seconds};
use super::request::{Since, arrivals, has_served, in_flight_within, is_good, latency, tpot, ttft};
use crate::measure::{LevelRecords, RequestRecord};
use crate::score::{Slo, SloMetric};

/// Rates over a level's window, per second.
///
/// Tokens are counted while the level's load lasts: up to the moment at which a slot first
/// finds no request left to send, or at which a schedule has ended. What arrives later, with
/// fewer and fewer in flight, would count against a configuration that runs out of requests, and
/// not against a slower one that runs out of time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rates {
    /// Prompt tokens.
    pub input_tokens: f64,
    /// Answer tokens.
    pub output_tokens: f64,
    /// Both.
    pub total_tokens: f64,
    /// Requests that ended well.
    pub requests: f64,
    /// Requests that ended well and met every SLO.
    pub goodput: f64,
    /// Their share of all requests started, 0 to 1. One that was cut off has missed.
    pub attainment: f64,
}

/// A part of a level's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// Its first moment.
    pub(super) from_ns: u64,
    /// Its last.
    pub(super) to_ns: u64,
}

impl Span {
    /// Its length, seconds.
    pub(super) fn length(self) -> f64 {
        seconds(self.to_ns.saturating_sub(self.from_ns))
    }

    pub(super) fn contains(self, at_ns: u64) -> bool {
        (self.from_ns..=self.to_ns).contains(&at_ns)
    }
}

/// The measuring window.
pub(super) fn window(records: &LevelRecords) -> Span {
    Span {
        from_ns: records.window_start_ns,
        to_ns: records.window_end_ns.max(records.window_start_ns),
    }
}

/// The part of the window in which the load lasts.
pub(super) fn loaded(records: &LevelRecords) -> Span {
    Span {
        to_ns: loaded_until(records).max(records.window_start_ns),
        ..window(records)
    }
}

/// From when on requests of this level are waited for.
pub(super) fn since(records: &LevelRecords) -> Since {
    match records.schedule {
        Some(_) => Since::Intended,
        None => Since::Sent,
    }
}

/// When the load ended.
///
/// A closed loop's first falls below its concurrency at the first end after the last start. A
/// level with too few requests to have filled its slots twice, and one with more requests open
/// than it has slots, which is no closed loop, keep their whole window. A schedule lasts for a mean
/// gap after its last request was sent, unless that was in the window's first half: such a burst is judged
/// by all that came of it.
fn loaded_until(records: &LevelRecords) -> u64 {
    let (requests, slots) = (&records.requests, records.concurrency as usize);
    if let Some(schedule) = &records.schedule {
        let last_sent = requests.iter().map(|request| request.sent_ns).max();
        let last_sent = last_sent.unwrap_or(records.window_end_ns);
        let lasted = seconds(last_sent.saturating_sub(records.window_start_ns));
        let until = last_sent.saturating_add(nanoseconds(schedule.rate.recip()));
        return match lasted < window(records).length() / 2.0 {
            true => records.window_end_ns,
            false => until.min(records.window_end_ns),
        };
    }
    let Some(last_start) = requests.iter().map(|request| request.intended_ns).max() else {
        return records.window_end_ns;
    };
    if requests.len() < 2 * slots {
        return records.window_end_ns;
    }
    let open = || requests.iter().filter(|request| request.ended_ns > last_start);
    match open().map(|request| request.ended_ns).min() {
        Some(first_idle) if open().count() <= slots => first_idle.min(records.window_end_ns),
        _ => records.window_end_ns,
    }
}

/// Seconds as nanoseconds; as many as there are where there is no end to them.
pub(super) fn nanoseconds(seconds: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a number outside the range gives its nearest end"
    )]
    let whole = (seconds * 1e9) as u64;
    whole
}

/// How much was done by the second. `slos` decide goodput.
pub(super) fn rates(records: &LevelRecords, slos: &[Slo]) -> Rates {
    let (window, loaded) = (window(records), loaded(records));
    if window.length() <= 0.0 || loaded.length() <= 0.0 {
        return Rates::default();
    }
    let mut input = 0.0;
    let mut output = 0.0;
    for request in records.borne().filter(|request| has_served(request)) {
        let first = request.content_ns.first();
        if first.is_some_and(|first| loaded.contains(*first)) {
            input += f64::from(request.input_tokens.count);
        }
        let inside = arrivals(request).filter(|(at, _)| loaded.contains(*at));
        output += inside.map(|(_, tokens)| tokens).sum::<f64>();
    }
    let finished = |requests: &mut dyn Iterator<Item = &RequestRecord>| {
        requests
            .filter(|request| window.contains(request.ended_ns))
            .count()
    };
    let meets = |request: &&RequestRecord| meets_all(request, slos, since(records));
    let good = || records.borne().filter(|request| is_good(request));
    let met_own = records
        .requests
        .iter()
        .filter(|request| is_good(request))
        .filter(meets);
    Rates {
        input_tokens: input / loaded.length(),
        output_tokens: output / loaded.length(),
        total_tokens: (input + output) / loaded.length(),
        requests: count(finished(&mut good())) / window.length(),
        goodput: count(finished(&mut good().filter(meets))) / window.length(),
        attainment: count(met_own.count()) / count(records.requests.len().max(1)),
    }
}

/// Requests in flight while the load lasted, on average over that time.
pub(super) fn mean_in_flight(records: &LevelRecords) -> Option<f64> {
    let loaded = loaded(records);
    let within = |request| in_flight_within(request, loaded.from_ns, loaded.to_ns);
    let together: f64 = records.borne().map(|request| seconds(within(request))).sum();
    (loaded.length() > 0.0).then(|| together / loaded.length())
}

/// Whether a single request meets every bound. A bound on a mean or a percentile is, for
/// one request, a bound on its own value.
pub(super) fn meets_all(request: &RequestRecord, slos: &[Slo], since: Since) -> bool {
    slos.iter().all(|slo| {
        let value = match slo.metric {
            SloMetric::Latency(_) => latency(request, since),
            SloMetric::Ttft(_) => ttft(request, since),
            SloMetric::Tpot(_) => tpot(request),
        };
        value.is_none_or(|value| value <= slo.threshold)
    })
}
