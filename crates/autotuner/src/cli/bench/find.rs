//! The search for the highest load that meets its bounds: look, judge, look again.
//!
//! Which load comes next and what came of a look is `core`'s to say; each look is one level of
//! the ordinary load generator against the same server. What was seen until a search is stopped,
//! or breaks off, is kept.

use async_trait::async_trait;
use autotuner_core::capacity::{self, Look as Seen};
use autotuner_core::engine::Endpoint;
use autotuner_core::measure::{LevelRecords, RequestRecord};
use autotuner_core::workload::knee::{Look, LookVerdict, Next};
use autotuner_core::workload::{Arrival, Workload};
use autotuner_load::generator::{LoadGenerator, LoadOptions};
use autotuner_load::{Bench as _, BenchError, MOST_FINGERPRINTS, Observer, Progress, Recording, Verdict};
use tokio_util::sync::CancellationToken;

use super::live::{self, View};
use super::options::Search;
use crate::report::bench::search::{LoadSearch, SearchEnd, SearchLook};
use crate::worker::chain;

/// Looks until there is an answer, or no more can be had.
///
/// # Errors
/// The first look could not be made at all.
pub(super) async fn look_for(
    search: &Search,
    endpoint: &Endpoint,
    workload: &Workload,
    view: &mut View,
    stop: &CancellationToken,
) -> Result<(LoadSearch, Recording), BenchError> {
    let generator = LoadGenerator::new(LoadOptions::default());
    let mut looks: Vec<SearchLook> = Vec::new();
    let mut whole: Option<Recording> = None;
    let end = loop {
        let load = match search.knee.next(&verdicts(&looks)) {
            Next::Found(found) => break SearchEnd::Found(found),
            Next::Look(load) => rounded(load),
        };
        view.begin_look(live::Look {
            number: format!("look {}", looks.len() + 1),
            known: known(&looks),
        });
        let asked = search.look(workload, load, looks.len());
        let outcome = generator.measure(endpoint, &asked, stop.clone(), view).await;
        let mut look = SearchLook {
            load,
            seen: None,
            failure: String::new(),
        };
        match outcome {
            Ok(recording) => {
                let before: Vec<Seen> = looks.iter().filter_map(|look| look.seen.clone()).collect();
                look.seen = recording.levels.first().map(|level| {
                    let metrics = capacity::measured(level, &search.bounds);
                    capacity::look(load, level, &metrics, &search.bounds, &before)
                });
                match &mut whole {
                    Some(whole) => append(whole, recording),
                    None => whole = Some(recording),
                }
            }
            Err(BenchError::Cancelled) => break SearchEnd::Cancelled,
            Err(error) if looks.is_empty() => return Err(error),
            Err(error @ BenchError::NothingSucceeded { .. })
                if still_answers(&generator, endpoint, workload, stop).await =>
            {
                look.failure = chain(&error);
            }
            Err(_) if stop.is_cancelled() => break SearchEnd::Cancelled,
            Err(error) => break SearchEnd::Broken(chain(&error)),
        }
        let line = look.line(search.sought);
        view.talk().say(&format!("look {}: {line}", looks.len() + 1));
        let is_limited = look.verdict().is_none();
        looks.push(look);
        if is_limited {
            break SearchEnd::ClientLimited;
        }
    };
    let Search {
        sought,
        bounds,
        from,
        to,
        resolution,
        ..
    } = search;
    let search = LoadSearch {
        sought: *sought,
        bounds: bounds.clone(),
        from: *from,
        to: *to,
        resolution: *resolution,
        looks,
        end,
    };
    Ok((search, whole.unwrap_or_else(nothing)))
}

/// Whether a server that answered nothing under a load answers a single request without it: if
/// not, the load says nothing.
async fn still_answers(
    generator: &LoadGenerator,
    endpoint: &Endpoint,
    workload: &Workload,
    stop: &CancellationToken,
) -> bool {
    let one = Workload {
        concurrency: vec![1],
        arrival: Arrival::Closed,
        max_requests_per_level: 1,
        warmup_requests: 0,
        ..workload.clone()
    };
    let mut unheard = Unheard;
    let asked = generator.measure(endpoint, &one, stop.clone(), &mut unheard);
    asked.await.is_ok()
}

/// Nobody watches.
struct Unheard;

#[async_trait]
impl Observer for Unheard {
    fn progress(&mut self, _: &Progress) {}

    async fn level_done(&mut self, _: &LevelRecords) -> Verdict {
        Verdict::Continue
    }
}

/// The loads of the levels that were recorded, in their order.
pub(super) fn loads(search: &LoadSearch) -> Vec<f64> {
    let recorded = search.looks.iter().filter(|look| look.seen.is_some());
    recorded.map(|look| look.load).collect()
}

fn verdicts(looks: &[SearchLook]) -> Vec<Look> {
    let verdict = |look: &SearchLook| {
        Some(Look {
            load: look.load,
            verdict: look.verdict()?,
        })
    };
    looks.iter().filter_map(verdict).collect()
}

/// Four significant digits: far finer than any resolution, and fit to be read.
fn rounded(load: f64) -> f64 {
    let scale = 10_f64.powf(3.0 - load.log10().floor());
    (load * scale).round() / scale
}

/// The highest load that was met and the lowest that was not: `8 meets, 16 misses`.
fn known(looks: &[SearchLook]) -> String {
    let of = |is_met: bool| {
        let looks = looks.iter();
        let looks = looks.filter(move |look| (look.verdict() == Some(LookVerdict::Meets)) == is_met);
        looks.map(|look| look.load)
    };
    let missed = of(false).min_by(f64::total_cmp);
    let met = of(true).filter(|load| missed.is_none_or(|missed| *load < missed));
    let met = met.max_by(f64::total_cmp).map(|load| format!("{load} meets"));
    let missed = missed.map(|load| format!("{load} misses"));
    met.into_iter().chain(missed).collect::<Vec<_>>().join(", ")
}

fn nothing() -> Recording {
    Recording {
        levels: Vec::new(),
        notes: Vec::new(),
        fingerprints: Vec::new(),
        clock_zero_ns: 0,
    }
}

/// Adds a later recording, with its stamps as the first one's clock shows them.
fn append(whole: &mut Recording, later: Recording) {
    let Recording {
        levels,
        notes,
        fingerprints,
        clock_zero_ns,
    } = later;
    let by = clock_zero_ns.saturating_sub(whole.clock_zero_ns);
    whole
        .levels
        .extend(levels.into_iter().map(|level| delayed(level, by)));
    let new = notes.into_iter().filter(|note| !whole.notes.contains(note));
    let new: Vec<String> = new.collect();
    whole.notes.extend(new);
    for fingerprint in fingerprints {
        if whole.fingerprints.len() < MOST_FINGERPRINTS && !whole.fingerprints.contains(&fingerprint) {
            whole.fingerprints.push(fingerprint);
        }
    }
}

fn delayed(level: LevelRecords, by: u64) -> LevelRecords {
    let each = |requests: Vec<RequestRecord>| {
        let requests = requests.into_iter();
        requests.map(|request| delayed_request(request, by)).collect()
    };
    LevelRecords {
        window_start_ns: level.window_start_ns.saturating_add(by),
        window_end_ns: level.window_end_ns.saturating_add(by),
        requests: each(level.requests),
        lead_in: each(level.lead_in),
        ..level
    }
}

fn delayed_request(mut request: RequestRecord, by: u64) -> RequestRecord {
    let RequestRecord {
        intended_ns,
        sent_ns,
        content_ns,
        first_visible_ns,
        chunk_tokens: _,
        first_chunk_tokens: _,
        ended_ns,
        input_tokens: _,
        output_tokens: _,
        job: _,
        turn: _,
        outcome: _,
    } = &mut request;
    let stamps = [intended_ns, sent_ns, ended_ns].into_iter();
    for stamp in stamps.chain(content_ns).chain(first_visible_ns) {
        *stamp = stamp.saturating_add(by);
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_are_fit_to_be_read() {
        let check = |load: f64, expected: f64| assert_eq!(rounded(load), expected);
        check(7.071_067_8, 7.071);
        check(1023.456, 1023.0);
        check(0.123_456, 0.1235);
        check(48.0, 48.0);
        check(60_000.0, 60_000.0);
    }

    #[test]
    fn later_looks_are_told_by_the_first_clock() {
        let level = || LevelRecords {
            window_start_ns: 10,
            window_end_ns: 20,
            requests: vec![RequestRecord {
                intended_ns: 11,
                sent_ns: 12,
                content_ns: vec![13, 14],
                first_visible_ns: Some(14),
                ended_ns: 15,
                ..RequestRecord::default()
            }],
            ..LevelRecords::default()
        };
        let recording = |zero: u64, note: &str| Recording {
            levels: vec![level()],
            notes: vec![note.into()],
            fingerprints: vec!["fp".into()],
            clock_zero_ns: zero,
        };
        let mut whole = recording(1000, "one");
        append(&mut whole, recording(1100, "one"));
        append(&mut whole, recording(1200, "two"));
        assert_eq!(whole.notes, ["one", "two"]);
        assert_eq!(whole.fingerprints, ["fp"]);
        let last = &whole.levels[2];
        assert_eq!((last.window_start_ns, last.window_end_ns), (210, 220));
        let request = &last.requests[0];
        assert_eq!(
            (
                request.intended_ns,
                request.sent_ns,
                request.content_ns.as_slice(),
                request.first_visible_ns,
                request.ended_ns
            ),
            (211, 212, &[213, 214][..], Some(214), 215)
        );
        assert_eq!(whole.levels[0], level());
    }
}
