//! What each engine calls its figures.
//!
//! The one idea: a figure has several names, one an engine and version; whichever a reading has
//! first in the list is taken. Sums are over all labels: an engine in several parts counts as
//! one. The simulated engine speaks vLLM's words.
//!
//! llama.cpp's time per token is a little short: its sum has a gap for each token but the first,
//! and divides by all of them, for it does not count its requests.
//!
//! Text Generation Inference publishes a mean time per token too, but its first token, prompt
//! and all, is part of it, and it is left out rather than compared with what it is not.

use std::collections::BTreeMap;

use autotuner_core::measure::EngineFigures;

use super::exposition::samples;

/// One look at an engine's metrics.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Reading(BTreeMap<&'static str, Total>);

/// A series, all its labels together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Total {
    sum: f64,
    series: u32,
}

/// How a figure follows from the differences of series.
#[derive(Debug, Clone, Copy)]
enum Figure {
    /// How much the series grew.
    Growth(&'static str),
    /// How much the first grew for each unit by which the second did.
    Ratio(&'static str, &'static str),
    /// The same, and the first is no part of the second: its share of both together.
    Share(&'static str, &'static str),
    /// What the gauge shows in the later reading, the mean over its labels.
    Gauge(&'static str),
}

use Figure::{Gauge, Growth, Ratio, Share};

const REQUESTS: &[Figure] = &[
    Growth("vllm:request_success_total"),
    Growth("sglang:num_requests_total"),
    Growth("tgi_request_success"),
];
const INPUT_TOKENS: &[Figure] = &[
    Growth("vllm:prompt_tokens_total"),
    Growth("sglang:prompt_tokens_total"),
    Growth("llamacpp:prompt_tokens_total"),
    Growth("tgi_request_input_length_sum"),
];
const OUTPUT_TOKENS: &[Figure] = &[
    Growth("vllm:generation_tokens_total"),
    Growth("sglang:generation_tokens_total"),
    Growth("llamacpp:tokens_predicted_total"),
    Growth("tgi_request_generated_tokens_sum"),
];
const TTFT: &[Figure] = &[
    Ratio(
        "vllm:time_to_first_token_seconds_sum",
        "vllm:time_to_first_token_seconds_count",
    ),
    Ratio(
        "sglang:time_to_first_token_seconds_sum",
        "sglang:time_to_first_token_seconds_count",
    ),
];
const TPOT: &[Figure] = &[
    // The mean of each request's mean comes first: so are means made here too.
    Ratio(
        "vllm:request_time_per_output_token_seconds_sum",
        "vllm:request_time_per_output_token_seconds_count",
    ),
    Ratio(
        "vllm:inter_token_latency_seconds_sum",
        "vllm:inter_token_latency_seconds_count",
    ),
    Ratio(
        "vllm:time_per_output_token_seconds_sum",
        "vllm:time_per_output_token_seconds_count",
    ),
    Ratio(
        "sglang:inter_token_latency_seconds_sum",
        "sglang:inter_token_latency_seconds_count",
    ),
    Ratio(
        "sglang:time_per_output_token_seconds_sum",
        "sglang:time_per_output_token_seconds_count",
    ),
    Ratio(
        "llamacpp:tokens_predicted_seconds_total",
        "llamacpp:tokens_predicted_total",
    ),
];
const LATENCY: &[Figure] = &[
    Ratio(
        "vllm:e2e_request_latency_seconds_sum",
        "vllm:e2e_request_latency_seconds_count",
    ),
    Ratio(
        "sglang:e2e_request_latency_seconds_sum",
        "sglang:e2e_request_latency_seconds_count",
    ),
    Ratio("tgi_request_duration_sum", "tgi_request_duration_count"),
];
const QUEUE: &[Figure] = &[
    Ratio(
        "vllm:request_queue_time_seconds_sum",
        "vllm:request_queue_time_seconds_count",
    ),
    Ratio("sglang:queue_time_seconds_sum", "sglang:queue_time_seconds_count"),
    Ratio(
        "tgi_request_queue_duration_sum",
        "tgi_request_queue_duration_count",
    ),
];
const PREEMPTIONS: &[Figure] = &[
    Growth("vllm:num_preemptions_total"),
    Growth("sglang:num_retracted_requests_total"),
];
const PREFIX_HITS: &[Figure] = &[
    Ratio("vllm:prefix_cache_hits_total", "vllm:prefix_cache_queries_total"),
    Ratio(
        "vllm:gpu_prefix_cache_hits_total",
        "vllm:gpu_prefix_cache_queries_total",
    ),
    Ratio("sglang:cached_tokens_total", "sglang:prompt_tokens_total"),
    Gauge("sglang:cache_hit_rate"),
    Share(
        "llamacpp:prompt_tokens_cached_total",
        "llamacpp:prompt_tokens_total",
    ),
    // The simulated engine has no queries: it counts what it computed, hits apart.
    Share("vllm:prefix_cache_hits_total", "vllm:prompt_tokens_total"),
];

/// When an engine was started: not the same in two readings of two engines.
const STARTED: &str = "process_start_time_seconds";

const ALL: [&[Figure]; 9] = [
    REQUESTS,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    TTFT,
    TPOT,
    LATENCY,
    QUEUE,
    PREEMPTIONS,
    PREFIX_HITS,
];

impl Reading {
    /// Reads an engine's metrics.
    pub(super) fn parse(text: &str) -> Self {
        let names: BTreeMap<&'static str, ()> = ALL
            .into_iter()
            .flatten()
            .flat_map(Figure::names)
            .chain([STARTED])
            .map(|name| (name, ()))
            .collect();
        let mut totals: BTreeMap<&'static str, Total> = BTreeMap::new();
        for sample in samples(text) {
            if let Some((name, ())) = names.get_key_value(sample.name) {
                let total = totals.entry(name).or_default();
                total.sum += sample.value;
                total.series += 1;
            }
        }
        Self(totals)
    }

    /// What happened between an earlier reading and this one. A figure is `None` where it is
    /// not published, where nothing happened that it could be the mean of, and where a counter
    /// has begun anew; all are where the engine was started in between.
    pub(crate) fn since(&self, earlier: &Self) -> EngineFigures {
        if let (Some(now), Some(then)) = (self.0.get(STARTED), earlier.0.get(STARTED))
            && now != then
        {
            return EngineFigures::default();
        }
        let first = |figures: &[Figure]| figures.iter().find_map(|figure| self.figure(*figure, earlier));
        EngineFigures {
            requests: first(REQUESTS),
            input_tokens: first(INPUT_TOKENS),
            output_tokens: first(OUTPUT_TOKENS),
            ttft: first(TTFT),
            tpot: first(TPOT),
            latency: first(LATENCY),
            queue: first(QUEUE),
            preemptions: first(PREEMPTIONS),
            prefix_hits: first(PREFIX_HITS).map(|share| share.clamp(0.0, 1.0)),
        }
    }

    fn figure(&self, figure: Figure, earlier: &Self) -> Option<f64> {
        let growth = |name| self.growth(name, earlier);
        match figure {
            Growth(name) => growth(name),
            Ratio(part, whole) => share(growth(part)?, growth(whole)?),
            Share(part, rest) => {
                let part = growth(part)?;
                share(part, part + growth(rest)?)
            }
            Gauge(name) => self.0.get(name).map(|total| total.sum / f64::from(total.series)),
        }
    }

    /// By how much a counter grew. One that was not there before was 0: many are published only
    /// once there is something to count.
    fn growth(&self, name: &str, earlier: &Self) -> Option<f64> {
        let now = self.0.get(name)?.sum;
        let then = earlier.0.get(name).map_or(0.0, |total| total.sum);
        (now >= then).then_some(now - then)
    }
}

fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

impl Figure {
    /// The series that it needs.
    fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        let (first, second) = match *self {
            Growth(name) | Gauge(name) => (name, None),
            Ratio(first, second) | Share(first, second) => (first, Some(second)),
        };
        [first].into_iter().chain(second)
    }
}

#[cfg(test)]
mod tests;
