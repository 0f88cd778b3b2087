//! Metrics as JSON: the original system's keys, and ours beside them.

use std::collections::BTreeMap;

use autotuner_core::measure::{RequestError, TokenSource};
use autotuner_core::metrics::{Distribution, ExperimentMetrics, GapDistribution, LevelMetrics};
use autotuner_core::score::{Percentile, Statistic};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::worth::{Asked, Engine, Slices, Steady, Sure, Trusted};

/// An experiment's metrics as a tree, to be added to.
pub(crate) fn experiment(metrics: &ExperimentMetrics) -> Value {
    serde_json::to_value(Told(metrics)).expect("every key is a text, and no part fails")
}

/// An experiment's metrics to be written down as they are: hundreds of keys, of which a page of
/// experiments need not make a tree first.
#[derive(Debug)]
pub(crate) struct Told<'a>(pub(crate) &'a ExperimentMetrics);

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut keys = serializer.serialize_map(None)?;
        as_a_whole(self.0, &mut keys)?;
        keys.serialize_entry(
            "raw_results",
            &self.0.levels.iter().map(Level).collect::<Vec<_>>(),
        )?;
        keys.end()
    }
}

/// The same without what was measured at each level.
#[derive(Debug)]
pub(crate) struct InBrief<'a>(pub(crate) &'a ExperimentMetrics);

impl Serialize for InBrief<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut keys = serializer.serialize_map(None)?;
        as_a_whole(self.0, &mut keys)?;
        keys.end()
    }
}

/// What all levels add up to.
fn as_a_whole<M: SerializeMap>(metrics: &ExperimentMetrics, keys: &mut M) -> Result<(), M::Error> {
    let (started, succeeded, failed) = metrics.request_totals();
    let per_gpu = |value: f64| value / f64::from(metrics.gpus.max(1));
    let latency = metrics.latency;
    keys.serialize_entry("mean_e2e_latency", &latency.map(|latency| latency.mean))?;
    keys.serialize_entry("min_e2e_latency", &latency.map(|latency| latency.min))?;
    keys.serialize_entry("max_e2e_latency", &latency.map(|latency| latency.max))?;
    keys.serialize_entry("p50_e2e_latency", &metrics.latency_at(Percentile::P50))?;
    keys.serialize_entry("p90_e2e_latency", &metrics.latency_at(Percentile::P90))?;
    keys.serialize_entry("p95_e2e_latency", &metrics.latency_at(Percentile::P95))?;
    keys.serialize_entry("p99_e2e_latency", &metrics.latency_at(Percentile::P99))?;
    let p99 = Statistic::At(Percentile::P99);
    keys.serialize_entry("mean_ttft", &metrics.ttft(Statistic::Mean))?;
    keys.serialize_entry("p99_ttft", &metrics.ttft(p99))?;
    keys.serialize_entry("mean_tpot", &metrics.tpot(Statistic::Mean))?;
    keys.serialize_entry("p99_tpot", &metrics.tpot(p99))?;
    let (output, total) = (&metrics.output_throughput, &metrics.total_throughput);
    keys.serialize_entry("mean_output_throughput", &output.mean)?;
    keys.serialize_entry("max_output_throughput", &output.max)?;
    keys.serialize_entry("mean_total_throughput", &total.mean)?;
    keys.serialize_entry("max_total_throughput", &total.max)?;
    keys.serialize_entry("mean_output_throughput_per_gpu", &per_gpu(output.mean))?;
    keys.serialize_entry("max_output_throughput_per_gpu", &per_gpu(output.max))?;
    keys.serialize_entry("mean_total_throughput_per_gpu", &per_gpu(total.mean))?;
    keys.serialize_entry("max_total_throughput_per_gpu", &per_gpu(total.max))?;
    keys.serialize_entry("mean_goodput", &metrics.goodput.mean)?;
    keys.serialize_entry("total_requests", &started)?;
    keys.serialize_entry("total_completed_requests", &succeeded)?;
    keys.serialize_entry("total_error_requests", &failed)?;
    keys.serialize_entry("success_rate", &metrics.success_rate())?;
    keys.serialize_entry("gpus", &metrics.gpus)?;
    let levels = &metrics.levels;
    keys.serialize_entry("num_result_files", &levels.len())?;
    let concurrency: Vec<u32> = levels.iter().map(|level| level.concurrency).collect();
    keys.serialize_entry("concurrency_levels", &concurrency)?;
    keys.serialize_entry("confidence", &metrics.confidence().as_ref().map(Sure))?;
    Ok(())
}

/// One level: the original's aggregate keys, then counts, sources and pooled gaps.
struct Level<'a>(&'a LevelMetrics);

impl Serialize for Level<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let LevelMetrics {
            scenario,
            concurrency,
            schedule,
            window,
            counts,
            token_source,
            rates,
            series,
            steadiness,
            confidence,
            trust,
            // Told together.
            engine: _,
            seen: _,
            ttft: _,
            ttft_from_schedule: _,
            tpot: _,
            latency: _,
            latency_from_schedule: _,
            stall: _,
            gaps: _,
            token_gaps: _,
            chunk_tokens,
            first_visible: _,
            ntpot: _,
            schedule_lag: _,
            input_tokens: _,
            output_tokens: _,
        } = self.0;
        let error_rate = f64::from(counts.failed + counts.cut_off) / f64::from(counts.started.max(1));
        let mut keys = serializer.serialize_map(None)?;
        keys.serialize_entry("scenario", scenario)?;
        keys.serialize_entry("num_concurrency", concurrency)?;
        keys.serialize_entry("run_duration", window)?;
        keys.serialize_entry("num_requests", &counts.started)?;
        keys.serialize_entry("num_completed_requests", &counts.succeeded)?;
        keys.serialize_entry("num_error_requests", &counts.failed)?;
        keys.serialize_entry("num_cut_off_requests", &counts.cut_off)?;
        keys.serialize_entry("error_rate", &error_rate)?;
        keys.serialize_entry("error_codes_frequency", &Errors(&counts.errors))?;
        keys.serialize_entry("requests_per_second", &rates.requests)?;
        keys.serialize_entry("goodput_requests_per_second", &rates.goodput)?;
        keys.serialize_entry("slo_attainment", &rates.attainment)?;
        keys.serialize_entry("mean_input_throughput_tokens_per_s", &rates.input_tokens)?;
        keys.serialize_entry("mean_output_throughput_tokens_per_s", &rates.output_tokens)?;
        keys.serialize_entry("mean_total_tokens_throughput_tokens_per_s", &rates.total_tokens)?;
        keys.serialize_entry("token_source", &token_source.map(source_word))?;
        keys.serialize_entry("stats", &Statistics(self.0))?;
        keys.serialize_entry("schedule", &schedule.as_ref().map(Asked))?;
        keys.serialize_entry("mean_tokens_per_chunk", chunk_tokens)?;
        keys.serialize_entry("confidence", &confidence.as_ref().map(Sure))?;
        keys.serialize_entry("steady", &steadiness.as_ref().map(Steady))?;
        keys.serialize_entry("trust", &trust.as_ref().map(Trusted))?;
        keys.serialize_entry("engine_metrics", &Engine(self.0))?;
        keys.serialize_entry("time_series", &series.as_ref().map(Slices))?;
        keys.end()
    }
}

/// How often each kind of failure happened.
struct Errors<'a>(&'a BTreeMap<RequestError, u32>);

impl Serialize for Errors<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(error, count)| (error_word(*error), count)))
    }
}

/// A level's distributions.
struct Statistics<'a>(&'a LevelMetrics);

impl Serialize for Statistics<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let level = self.0;
        let mut keys = serializer.serialize_map(None)?;
        keys.serialize_entry("ttft", &level.ttft.as_ref().map(Spread))?;
        keys.serialize_entry("tpot", &level.tpot.as_ref().map(Spread))?;
        keys.serialize_entry("e2e_latency", &level.latency.as_ref().map(Spread))?;
        keys.serialize_entry("longest_stall", &level.stall.as_ref().map(Spread))?;
        keys.serialize_entry("inter_chunk_latency", &level.gaps.as_ref().map(Gaps))?;
        keys.serialize_entry("num_input_tokens", &level.input_tokens.as_ref().map(Spread))?;
        keys.serialize_entry("num_output_tokens", &level.output_tokens.as_ref().map(Spread))?;
        let ttft_from_schedule = level.ttft_from_schedule.as_ref().map(Spread);
        let latency_from_schedule = level.latency_from_schedule.as_ref().map(Spread);
        keys.serialize_entry("ttft_from_schedule", &ttft_from_schedule)?;
        keys.serialize_entry("e2e_latency_from_schedule", &latency_from_schedule)?;
        keys.serialize_entry("schedule_lag", &level.schedule_lag.as_ref().map(Gaps))?;
        keys.serialize_entry("time_to_first_visible", &level.first_visible.as_ref().map(Gaps))?;
        keys.serialize_entry("ntpot", &level.ntpot.as_ref().map(Gaps))?;
        keys.serialize_entry("itl", &level.token_gaps.as_ref().map(Gaps))?;
        keys.end()
    }
}

/// A distribution by its moments and percentiles.
struct Spread<'a>(&'a Distribution);

impl Serialize for Spread<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let distribution = self.0;
        let mut keys = serializer.serialize_map(None)?;
        keys.serialize_entry("n", &distribution.n)?;
        keys.serialize_entry("mean", &distribution.mean)?;
        keys.serialize_entry("stddev", &distribution.deviation)?;
        keys.serialize_entry("min", &distribution.min)?;
        keys.serialize_entry("max", &distribution.max)?;
        for percentile in Percentile::ALL {
            let [plain, with_failures, low_n] = percentile_keys(percentile);
            keys.serialize_entry(plain, &distribution.percentile(percentile))?;
            // Infinite, which JSON cannot say, is null: the percentile lies among the failures.
            keys.serialize_entry(with_failures, &distribution.percentile_with_failures(percentile))?;
            if distribution.is_low_n(percentile) {
                keys.serialize_entry(low_n, &true)?;
            }
        }
        keys.end()
    }
}

/// What a percentile is called, plainly, with failures counted, and as one of few requests.
fn percentile_keys(percentile: Percentile) -> [&'static str; 3] {
    match percentile {
        Percentile::P50 => ["p50", "p50_with_failures", "p50_low_n"],
        Percentile::P90 => ["p90", "p90_with_failures", "p90_low_n"],
        Percentile::P95 => ["p95", "p95_with_failures", "p95_low_n"],
        Percentile::P99 => ["p99", "p99_with_failures", "p99_low_n"],
    }
}

/// A distribution in brief.
struct Gaps<'a>(&'a GapDistribution);

impl Serialize for Gaps<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let GapDistribution {
            n,
            mean,
            p50,
            p90,
            p99,
            max,
        } = self.0;
        let mut keys = serializer.serialize_map(None)?;
        keys.serialize_entry("n", n)?;
        let values = [
            ("mean", mean),
            ("p50", p50),
            ("p90", p90),
            ("p99", p99),
            ("max", max),
        ];
        for (name, value) in values {
            keys.serialize_entry(name, value)?;
        }
        keys.end()
    }
}

/// How often each class of failure was met, by its word.
pub(crate) fn errors_by_class(errors: &[(RequestError, u32)]) -> BTreeMap<String, u32> {
    let words = errors.iter().map(|(error, count)| (error_word(*error), *count));
    words.collect()
}

/// What a class of failures is called.
pub(crate) fn error_word(error: RequestError) -> String {
    match error {
        RequestError::Connect => "connect".into(),
        RequestError::Status(code) => code.to_string(),
        RequestError::Timeout => "timeout".into(),
        RequestError::Truncated => "truncated".into(),
        RequestError::InBand => "in_band".into(),
        RequestError::Empty => "empty".into(),
        RequestError::Parse => "parse".into(),
    }
}

/// What a counter of tokens is called.
pub(crate) fn source_word(source: TokenSource) -> &'static str {
    match source {
        TokenSource::Usage => "server_usage",
        TokenSource::Chunks => "content_chunks",
        TokenSource::Requested => "requested",
    }
}
