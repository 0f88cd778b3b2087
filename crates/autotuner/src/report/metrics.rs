//! Metrics as JSON: the original system's keys, and ours beside them.

use autotuner_core::measure::{RequestError, TokenSource};
use autotuner_core::metrics::{Distribution, ExperimentMetrics, GapDistribution, LevelMetrics};
use autotuner_core::score::{Percentile, Statistic};
use serde_json::{Map, Value, json};

/// An experiment's metrics.
pub(crate) fn experiment(metrics: &ExperimentMetrics) -> Value {
    let (started, succeeded, failed) = metrics.request_totals();
    let per_gpu = |value: f64| value / f64::from(metrics.gpus.max(1));
    let percentile = |percentile| metrics.latency_at(percentile);
    let mut object = json!({
        "mean_e2e_latency": metrics.latency.map(|latency| latency.mean),
        "min_e2e_latency": metrics.latency.map(|latency| latency.min),
        "max_e2e_latency": metrics.latency.map(|latency| latency.max),
        "p50_e2e_latency": percentile(Percentile::P50),
        "p90_e2e_latency": percentile(Percentile::P90),
        "p95_e2e_latency": percentile(Percentile::P95),
        "p99_e2e_latency": percentile(Percentile::P99),
        "mean_ttft": metrics.ttft(Statistic::Mean),
        "p99_ttft": metrics.ttft(Statistic::At(Percentile::P99)),
        "mean_tpot": metrics.tpot(Statistic::Mean),
        "p99_tpot": metrics.tpot(Statistic::At(Percentile::P99)),
        "mean_output_throughput": metrics.output_throughput.mean,
        "max_output_throughput": metrics.output_throughput.max,
        "mean_total_throughput": metrics.total_throughput.mean,
        "max_total_throughput": metrics.total_throughput.max,
        "mean_output_throughput_per_gpu": per_gpu(metrics.output_throughput.mean),
        "max_output_throughput_per_gpu": per_gpu(metrics.output_throughput.max),
        "mean_total_throughput_per_gpu": per_gpu(metrics.total_throughput.mean),
        "max_total_throughput_per_gpu": per_gpu(metrics.total_throughput.max),
        "mean_goodput": metrics.goodput.mean,
        "total_requests": started,
        "total_completed_requests": succeeded,
        "total_error_requests": failed,
        "success_rate": metrics.success_rate(),
        "gpus": metrics.gpus,
    });
    if let Value::Object(keys) = &mut object {
        let levels = &metrics.levels;
        keys.insert("num_result_files".into(), levels.len().into());
        let concurrency: Vec<u32> = levels.iter().map(|level| level.concurrency).collect();
        keys.insert("concurrency_levels".into(), json!(concurrency));
        keys.insert("raw_results".into(), levels.iter().map(level).collect());
    }
    object
}

/// One level: the original's aggregate keys, then counts, sources and pooled gaps.
fn level(level: &LevelMetrics) -> Value {
    let LevelMetrics {
        scenario,
        concurrency,
        window,
        counts,
        ttft,
        tpot,
        latency,
        stall,
        gaps,
        input_tokens,
        output_tokens,
        token_source,
        rates,
    } = level;
    let errors: Map<String, Value> = counts
        .errors
        .iter()
        .map(|(error, count)| (error_word(*error), (*count).into()))
        .collect();
    json!({
        "scenario": scenario,
        "num_concurrency": concurrency,
        "run_duration": window,
        "num_requests": counts.started,
        "num_completed_requests": counts.succeeded,
        "num_error_requests": counts.failed,
        "num_cut_off_requests": counts.cut_off,
        "error_rate": f64::from(counts.failed + counts.cut_off) / f64::from(counts.started.max(1)),
        "error_codes_frequency": errors,
        "requests_per_second": rates.requests,
        "goodput_requests_per_second": rates.goodput,
        "slo_attainment": rates.attainment,
        "mean_input_throughput_tokens_per_s": rates.input_tokens,
        "mean_output_throughput_tokens_per_s": rates.output_tokens,
        "mean_total_tokens_throughput_tokens_per_s": rates.total_tokens,
        "token_source": token_source.map(source_word),
        "stats": {
            "ttft": distribution(ttft.as_ref()),
            "tpot": distribution(tpot.as_ref()),
            "e2e_latency": distribution(latency.as_ref()),
            "longest_stall": distribution(stall.as_ref()),
            "inter_chunk_latency": gap_distribution(gaps.as_ref()),
            "num_input_tokens": distribution(input_tokens.as_ref()),
            "num_output_tokens": distribution(output_tokens.as_ref()),
        },
    })
}

fn distribution(distribution: Option<&Distribution>) -> Value {
    let Some(distribution) = distribution else {
        return Value::Null;
    };
    let mut object = json!({
        "n": distribution.n,
        "mean": distribution.mean,
        "stddev": distribution.deviation,
        "min": distribution.min,
        "max": distribution.max,
    });
    if let Value::Object(keys) = &mut object {
        for percentile in Percentile::ALL {
            let word = percentile.as_str();
            keys.insert(word.into(), json!(distribution.percentile(percentile)));
            // Infinite, which JSON cannot say, is null: the percentile lies among the failures.
            let with_failures = distribution.percentile_with_failures(percentile);
            keys.insert(format!("{word}_with_failures"), json!(with_failures));
            if distribution.is_low_n(percentile) {
                keys.insert(format!("{word}_low_n"), true.into());
            }
        }
    }
    object
}

fn gap_distribution(gaps: Option<&GapDistribution>) -> Value {
    match gaps {
        None => Value::Null,
        Some(GapDistribution {
            n,
            mean,
            p50,
            p90,
            p99,
            max,
        }) => json!({"n": n, "mean": mean, "p50": p50, "p90": p90, "p99": p99, "max": max}),
    }
}

fn error_word(error: RequestError) -> String {
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

fn source_word(source: TokenSource) -> &'static str {
    match source {
        TokenSource::Usage => "server_usage",
        TokenSource::Chunks => "content_chunks",
        TokenSource::Requested => "requested",
    }
}
