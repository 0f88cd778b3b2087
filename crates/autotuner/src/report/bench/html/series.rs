//! From records to the lines of the page's charts.

use autotuner_core::measure::{LevelRecords, RequestOutcome, RequestRecord};
use autotuner_core::metrics::{Distribution, LevelMetrics};
use autotuner_core::score::Percentile;

use super::chart::{Chart, Series};
use super::scale::{Axis, Unit, round_step};
use crate::report::bench::{BenchRun, count, duration, is_success, load_label, seconds};

/// Most points of one line: more than a screen tells apart.
const MOST_POINTS: usize = 240;

/// About so many pieces of time in a chart over time.
const PIECES: f64 = 80.0;

/// A line for each scenario: what a metric is at each throughput, mean and 99th percentile.
pub(super) fn curve(
    run: &BenchRun<'_>,
    title: &str,
    label: &'static str,
    metric: fn(&LevelMetrics) -> Option<&Distribution>,
) -> Chart {
    let mut scenarios: Vec<&str> = Vec::new();
    for level in &run.measured.levels {
        if !scenarios.contains(&level.scenario.as_str()) {
            scenarios.push(&level.scenario);
        }
    }
    let mut series = Vec::new();
    for (colour, scenario) in scenarios.iter().enumerate() {
        for (word, is_dashed) in [("mean", false), ("p99", true)] {
            let mut line = Series {
                name: format!("{scenario}, {word}"),
                colour,
                is_dashed,
                ..Series::default()
            };
            for (level, records) in run.measured.levels.iter().zip(&run.recording.levels) {
                let Some(values) = metric(level).filter(|_| level.scenario == *scenario) else {
                    continue;
                };
                let value = if is_dashed {
                    values.percentile(Percentile::P99)
                } else {
                    values.mean
                };
                line.points.push((level.rates.output_tokens, value));
                let load = load_label(records);
                // One text for both lines of a pair is enough.
                let label = load.strip_prefix("concurrency ").filter(|_| !is_dashed);
                let plain = if is_dashed { "" } else { &load };
                line.labels.push(label.unwrap_or(plain).to_owned());
            }
            series.push(line);
        }
    }
    Chart {
        title: title.to_owned(),
        x: axis("output tokens per second", Unit::Number, Some(0.0)),
        y: axis(label, Unit::Time, Some(0.0)),
        series,
        mark: None,
    }
}

/// A line for each level: the share of its requests that were at least so quick.
pub(super) fn shares(
    run: &BenchRun<'_>,
    title: &str,
    label: &'static str,
    metric: fn(&LevelMetrics) -> Option<&Distribution>,
) -> Chart {
    let levels = || run.measured.levels.iter().filter_map(metric);
    // A few stragglers would press everything else against the axis.
    let p99 = levels()
        .map(|values| values.percentile(Percentile::P99))
        .fold(0.0, f64::max);
    let most = levels().map(|values| values.max).fold(0.0, f64::max);
    let series = run.measured.levels.iter().zip(&run.recording.levels).enumerate();
    let series = series.filter_map(|(number, (level, records))| {
        Some(Series {
            name: level_name(run, records),
            colour: number,
            points: share_points(&metric(level)?.parts().sorted),
            ..Series::default()
        })
    });
    let mut chart = Chart {
        title: title.to_owned(),
        x: axis(label, Unit::Time, None),
        y: axis("share of requests", Unit::Share, Some(0.0)),
        series: series.collect(),
        mark: None,
    };
    chart.y.to = Some(1.0);
    chart.x.to = (most > p99 * 2.0).then_some(p99 * 1.25);
    chart
}

/// Steps, thinned to what can be seen; the first and the last value stay.
fn share_points(sorted: &[f64]) -> Vec<(f64, f64)> {
    let n = sorted.len();
    let every = n.div_ceil(MOST_POINTS).max(1);
    let mut points: Vec<(f64, f64)> = sorted.first().map(|first| (*first, 0.0)).into_iter().collect();
    let last = n.saturating_sub(1);
    for index in (0..n).filter(|index| index % every == 0 || *index == last) {
        points.push((sorted[index], count(index + 1) / count(n)));
    }
    points
}

/// Output tokens per second over one level's time.
pub(super) fn over_time(number: usize, name: &str, level: &LevelRecords) -> Chart {
    let whole = duration(level);
    let piece = round_step((whole / PIECES).max(0.05));
    let points = rate_over_time(level, whole, piece);
    let window = seconds(level.window_end_ns.saturating_sub(level.window_start_ns));
    Chart {
        title: name.to_owned(),
        x: Axis {
            is_tight: true,
            ..axis("since the window opened", Unit::Time, Some(0.0))
        },
        y: axis("output tok/s", Unit::Number, Some(0.0)),
        series: vec![Series {
            colour: number,
            is_filled: true,
            points,
            ..Series::default()
        }],
        mark: (window < whole * 0.98).then_some((window, "window closes")),
    }
}

/// The middle of each piece of time and the rate in it.
fn rate_over_time(level: &LevelRecords, whole: f64, piece: f64) -> Vec<(f64, f64)> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a level has a few hundred pieces, none below 0"
    )]
    let place = |at: f64| (at / piece).floor().max(0.0) as usize;
    let mut sums = vec![0.0; place(whole) + 1];
    for request in level.borne() {
        if matches!(request.outcome, RequestOutcome::Failed { .. }) {
            continue;
        }
        for (at, tokens) in chunks(request) {
            // What the window found under way had a part of its answer before.
            let Some(at) = at.checked_sub(level.window_start_ns).map(seconds) else {
                continue;
            };
            if let Some(sum) = sums.get_mut(place(at)) {
                *sum += tokens;
            }
        }
    }
    let pieces = sums.into_iter().enumerate().map(|(index, tokens)| {
        let begin = count(index) * piece;
        let length = (whole - begin).min(piece);
        (begin, length, tokens)
    });
    // The last may be too short for a rate to mean anything.
    let told = pieces.filter(|(_, length, _)| *length > piece / 2.0);
    told.map(|(begin, length, tokens)| (begin + length / 2.0, tokens / length))
        .collect()
}

/// Each chunk's arrival and its tokens; what a server does not count by the chunk is spread evenly
/// over those after the first.
fn chunks(request: &RequestRecord) -> impl Iterator<Item = (u64, f64)> + '_ {
    let arrivals = request.content_ns.len();
    let tokens = request.output_tokens.count;
    let first = request.first_chunk_tokens.min(tokens);
    let each = f64::from(tokens - first) / count(arrivals.saturating_sub(1).max(1));
    let counts = (request.chunk_tokens.len() == arrivals).then_some(&request.chunk_tokens);
    request.content_ns.iter().enumerate().map(move |(index, at)| {
        let tokens = match (counts, index) {
            (Some(counts), _) => f64::from(counts[index]),
            (None, 0) if arrivals == 1 => f64::from(tokens),
            (None, 0) => f64::from(first),
            (None, _) => each,
        };
        (*at, tokens)
    })
}

/// What a level is called in a legend: without its scenario where all have the same.
pub(super) fn level_name(run: &BenchRun<'_>, level: &LevelRecords) -> String {
    let is_one = run
        .recording
        .levels
        .iter()
        .all(|other| other.scenario == level.scenario);
    let load = load_label(level);
    if is_one {
        load
    } else {
        format!("{}, {load}", level.scenario)
    }
}

/// The first failure of each kind that a level's requests met: its word, its count, its text.
pub(super) fn failures(level: &LevelRecords) -> Vec<(String, usize, String)> {
    let mut kinds: Vec<(String, usize, String)> = Vec::new();
    for request in level.requests.iter().filter(|request| !is_success(request)) {
        let (word, detail) = match &request.outcome {
            RequestOutcome::Failed { error, detail } => {
                (crate::report::metrics::error_word(*error), detail.as_str())
            }
            _ => ("cut off".to_owned(), "still open when the level had ended"),
        };
        match kinds.iter_mut().find(|(known, ..)| *known == word) {
            Some((_, n, _)) => *n += 1,
            None => kinds.push((word, 1, detail.to_owned())),
        }
    }
    kinds
}

fn axis(label: &'static str, unit: Unit, from: Option<f64>) -> Axis {
    Axis {
        label,
        unit,
        from,
        to: None,
        is_tight: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use autotuner_core::measure::TokenCount;

    fn request(content_ms: &[u64], tokens: u32) -> RequestRecord {
        RequestRecord {
            content_ns: content_ms.iter().map(|at| at * 1_000_000).collect(),
            first_chunk_tokens: 1,
            ended_ns: content_ms.last().map_or(0, |at| at * 1_000_000),
            output_tokens: TokenCount {
                count: tokens,
                ..TokenCount::default()
            },
            outcome: RequestOutcome::Success,
            ..RequestRecord::default()
        }
    }

    #[test]
    fn tokens_are_counted_when_they_arrive() {
        let level = LevelRecords {
            // One token, then two in each further chunk; a single chunk with all; one cut off.
            requests: vec![
                request(&[100, 600, 1400], 5),
                request(&[700], 3),
                RequestRecord {
                    outcome: RequestOutcome::CutOff,
                    ..request(&[2000, 2100], 2)
                },
            ],
            // Under way when the window opened: what came before is not the window's.
            lead_in: vec![request(&[100, 900], 2)],
            window_start_ns: 500_000_000,
            ..LevelRecords::default()
        };
        let points = rate_over_time(&level, 1.6, 0.5);
        // The rest of 0.1 s is too short to tell a rate of.
        assert_eq!(points, [(0.25, 12.0), (0.75, 4.0), (1.25, 0.0)]);
    }

    #[test]
    fn a_server_that_counts_is_believed() {
        let mut counted = request(&[100, 200, 300], 9);
        counted.chunk_tokens = vec![2, 3, 4];
        let tokens: Vec<f64> = chunks(&counted).map(|(_, tokens)| tokens).collect();
        assert_eq!(tokens, [2.0, 3.0, 4.0]);
    }

    #[test]
    fn shares_go_from_nothing_to_all() {
        assert_eq!(share_points(&[]), []);
        assert_eq!(share_points(&[1.0, 3.0]), [(1.0, 0.0), (1.0, 0.5), (3.0, 1.0)]);
        let many: Vec<f64> = (0..10_000).map(f64::from).collect();
        let points = share_points(&many);
        assert!(points.len() <= MOST_POINTS + 2, "{}", points.len());
        assert_eq!(points.last(), Some(&(9999.0, 1.0)));
    }
}
