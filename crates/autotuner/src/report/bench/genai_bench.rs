//! A benchmark in the shape of genai-bench's result folder, by that tool's definitions: one file
//! a level, and one that tells of the whole.
//!
//! Its reports and plots read such a folder. Its latency ends with the stream, not with the last
//! content, and a request that was cut off is in no figure, as there.

use autotuner_core::measure::{LevelRecords, RequestError, RequestOutcome, RequestRecord};
use autotuner_core::workload::{Api, Arrival};
use serde_json::{Map, Value, json};

use super::sample::Sample;
use super::{BenchRun, count, duration, is_success, seconds};

/// The metrics of one request, in the order of that tool's files.
const METRICS: [&str; 10] = [
    "ttft",
    "tpot",
    "e2e_latency",
    "output_latency",
    "output_inference_speed",
    "num_input_tokens",
    "num_output_tokens",
    "total_tokens",
    "input_throughput",
    "output_throughput",
];

/// The file that tells of the whole.
pub(crate) const METADATA_FILE: &str = "experiment_metadata.json";

/// What the folder's description says.
pub(crate) fn metadata(run: &BenchRun<'_>) -> Value {
    let workload = run.workload;
    let scenarios: Vec<String> = workload.scenarios.iter().map(ToString::to_string).collect();
    json!({
        "cmd": run.command,
        "benchmark_version": concat!("inference-autotuner ", env!("CARGO_PKG_VERSION")),
        "api_backend": "openai",
        "auth_config": {},
        "api_model_name": run.model,
        "server_model_tokenizer": null,
        "model": run.model,
        "task": task(workload.api),
        "num_concurrency": workload.concurrency,
        "batch_size": null,
        "iteration_type": "num_concurrency",
        "traffic_scenario": scenarios,
        "additional_request_params": workload.additional_params,
        "server_engine": null,
        "server_version": null,
        "server_gpu_type": null,
        "server_gpu_count": null,
        "max_time_per_run_s": workload.max_time_per_level.as_secs().max(1),
        "max_requests_per_run": workload.max_requests_per_level,
        "experiment_folder_name": "",
        "metrics_time_unit": "s",
        "dataset_path": null,
    })
}

/// Each level's file: its name in the folder, and what is in it.
pub(crate) fn documents(run: &BenchRun<'_>) -> Vec<(String, Value)> {
    let levels = run.recording.levels.iter();
    let of = |level: &LevelRecords| (file_name(run, level), document(run, level));
    levels.map(of).collect()
}

/// `D100_100_text-to-text_num_concurrency_8_time_30s.json`, as its reader seeks them.
fn file_name(run: &BenchRun<'_>, level: &LevelRecords) -> String {
    let scenario: String = level
        .scenario
        .chars()
        .filter(|c| !matches!(c, '(' | ')'))
        .map(|c| if matches!(c, '/' | ',') { '_' } else { c })
        .collect();
    let task = task(run.workload.api);
    let (load, seconds) = (load(level), duration(level).trunc());
    format!("{scenario}_{task}_num_concurrency_{load}_time_{seconds}s.json")
}

/// Requests in flight, or a second where they start by a clock.
fn load(level: &LevelRecords) -> f64 {
    let rate = level.schedule.as_ref().map(|schedule| schedule.rate);
    rate.unwrap_or_else(|| level.concurrency.into())
}

fn task(api: Api) -> &'static str {
    match api {
        Api::Chat | Api::Completions | Api::LlamaCpp | Api::Tgi => "text-to-text",
        Api::Embeddings => "text-to-embeddings",
        Api::Rerank => "text-to-rerank",
    }
}

fn document(run: &BenchRun<'_>, level: &LevelRecords) -> Value {
    // It knows requests that ended, one way or the other.
    let ended = level.requests.iter();
    let ended: Vec<&RequestRecord> = ended.filter(|r| r.outcome != RequestOutcome::CutOff).collect();
    let requests: Vec<Value> = ended.iter().map(|request| one(request)).collect();
    let good = ended.iter().filter(|request| is_success(request)).count();
    let mut stats = Map::new();
    for metric in METRICS {
        let values = requests.iter().filter(|request| request["error_code"].is_null());
        let values = values.filter_map(|request| request[metric].as_f64()).collect();
        stats.insert(metric.to_owned(), statistics(values));
    }
    let duration = duration(level);
    let per_second = |amount: f64| if duration > 0.0 { amount / duration } else { 0.0 };
    let tokens = |metric: &str| per_second(stats[metric]["sum"].as_f64().unwrap_or(0.0));
    let mut errors = std::collections::BTreeMap::<u16, u32>::new();
    for request in &ended {
        if let RequestOutcome::Failed { error, .. } = &request.outcome {
            *errors.entry(code(*error)).or_default() += 1;
        }
    }
    let failed = ended.len() - good;
    let is_open = !matches!(run.workload.arrival, Arrival::Closed);
    json!({
        "aggregated_metrics": {
            "scenario": level.scenario,
            "num_concurrency": load(level),
            "batch_size": 1,
            "iteration_type": "num_concurrency",
            "run_duration": duration,
            "mean_output_throughput_tokens_per_s": tokens("num_output_tokens"),
            "mean_input_throughput_tokens_per_s": tokens("num_input_tokens"),
            "mean_total_tokens_throughput_tokens_per_s": tokens("total_tokens"),
            // It needs the letters of a token, which nobody has counted.
            "mean_total_chars_per_hour": 0.0,
            "requests_per_second": per_second(count(good)),
            "error_codes_frequency": errors.iter().map(|(code, n)| (code.to_string(), json!(n))).collect::<Map<_, _>>(),
            "error_rate": count(failed) / count(ended.len().max(1)),
            "num_error_requests": failed,
            "num_completed_requests": good,
            "num_requests": ended.len(),
            "total_arrivals": is_open.then_some(level.requests.len()),
            "arrival_requests_per_second": level.schedule.as_ref().map(|schedule| schedule.rate),
            "stats": stats,
        },
        "individual_request_metrics": requests,
        "_time_unit": "s",
    })
}

/// One request. What a request has not is null, as there.
fn one(request: &RequestRecord) -> Value {
    let mut keys: Map<String, Value> = METRICS
        .map(|metric| (metric.to_owned(), Value::Null))
        .into_iter()
        .collect();
    let mut error = (Value::Null, Value::Null);
    if let RequestOutcome::Failed { error: class, detail } = &request.outcome {
        error = (code(*class).into(), detail.as_str().into());
    } else if let Some(first) = request.content_ns.first() {
        let (input, output) = (request.input_tokens.count, request.output_tokens.count);
        let ttft = seconds(first.saturating_sub(request.sent_ns));
        let whole = seconds(request.ended_ns.saturating_sub(request.sent_ns));
        let mut set = |key: &str, value: f64| drop(keys.insert(key.to_owned(), value.into()));
        set("ttft", ttft);
        set("e2e_latency", whole);
        set("output_latency", whole - ttft);
        set("input_throughput", ratio(input.into(), ttft));
        if output > 1 {
            let later = f64::from(output - 1);
            set("tpot", (whole - ttft) / later);
            set("output_inference_speed", ratio(later, whole - ttft));
            set("output_throughput", ratio(later, whole - ttft));
        }
        let mut set = |key: &str, value: u64| drop(keys.insert(key.to_owned(), value.into()));
        set("num_input_tokens", input.into());
        set("num_output_tokens", output.into());
        set("total_tokens", u64::from(input) + u64::from(output));
    }
    keys.insert("error_code".into(), error.0);
    keys.insert("error_message".into(), error.1);
    keys.into()
}

fn ratio(amount: f64, seconds: f64) -> f64 {
    if seconds > 0.0 { amount / seconds } else { 0.0 }
}

fn statistics(values: Vec<f64>) -> Value {
    let sample = Sample::of(values);
    let of = |figure: &dyn Fn(&Sample) -> f64| sample.as_ref().map(figure);
    json!({
        "min": of(&Sample::min),
        "max": of(&Sample::max),
        "mean": of(&Sample::mean),
        "stddev": of(&Sample::deviation),
        "sum": of(&Sample::sum),
        "p25": of(&|sample| sample.percentile(25.0)),
        "p50": of(&|sample| sample.percentile(50.0)),
        "p75": of(&|sample| sample.percentile(75.0)),
        "p90": of(&|sample| sample.percentile(90.0)),
        "p95": of(&|sample| sample.percentile(95.0)),
        "p99": of(&|sample| sample.percentile(99.0)),
    })
}

/// It knows failures by HTTP status, and calls those that have none by the nearest.
fn code(error: RequestError) -> u16 {
    match error {
        RequestError::Status(code) => code,
        RequestError::Connect => 503,
        RequestError::Timeout => 408,
        RequestError::Truncated | RequestError::InBand | RequestError::Empty | RequestError::Parse => 500,
    }
}
