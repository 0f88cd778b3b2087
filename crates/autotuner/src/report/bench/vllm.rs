//! A level in the shape of `vllm bench serve --save-result`, by that tool's definitions.
//!
//! Where its definition needs what we do not record, ours stands: a time to first token is that
//! of the first content, not of a chunk with only a role, and the texts of answers are not kept.

use autotuner_core::measure::{LevelRecords, RequestOutcome, RequestRecord};
use autotuner_core::workload::{Api, Arrival};
use serde_json::{Map, Value, json};

use super::sample::Sample;
use super::{BenchRun, count, duration, is_success, seconds};
use crate::clock::rfc3339;

/// One document for each level. `is_detailed` adds the arrays of every request.
pub(crate) fn documents(run: &BenchRun<'_>, is_detailed: bool) -> Vec<Value> {
    let levels = run.recording.levels.iter();
    levels.map(|level| document(run, level, is_detailed)).collect()
}

fn document(run: &BenchRun<'_>, level: &LevelRecords, is_detailed: bool) -> Value {
    let good: Vec<&RequestRecord> = level.requests.iter().filter(|r| is_success(r)).collect();
    let duration = duration(level);
    let per_second = |amount: f64| if duration > 0.0 { amount / duration } else { 0.0 };
    let tokens = |of: fn(&RequestRecord) -> u32| good.iter().map(|r| u64::from(of(r))).sum::<u64>();
    let input = tokens(|request| request.input_tokens.count);
    let output = tokens(|request| request.output_tokens.count);
    let backend = match run.workload.api {
        Api::Chat => "openai-chat",
        Api::Completions => "openai",
        Api::LlamaCpp => "llama.cpp",
        Api::Tgi => "tgi",
        Api::Embeddings => "openai-embeddings",
        Api::Rerank => "vllm-rerank",
    };
    let burstiness = match run.workload.arrival {
        Arrival::Gamma { burstiness, .. } => burstiness,
        _ => 1.0,
    };
    let rate = level.schedule.as_ref().map(|schedule| schedule.rate);
    let mut document = json!({
        "date": date(run.started_at_ms),
        "endpoint_type": backend,
        "backend": backend,
        "label": null,
        "model_id": run.model,
        "tokenizer_id": null,
        "num_prompts": level.requests.len(),
        "request_rate": rate.map_or(json!("inf"), Value::from),
        "burstiness": burstiness,
        "max_concurrency": level.concurrency,
        "duration": duration,
        "completed": good.len(),
        "failed": level.requests.len() - good.len(),
        "total_input_tokens": input,
        "total_output_tokens": output,
        "request_throughput": per_second(count(good.len())),
        "request_goodput": null,
        "output_throughput": per_second(sum(output)),
        "total_token_throughput": per_second(sum(input + output)),
        "max_output_tokens_per_s": busiest_second(&good),
        "max_concurrent_requests": most_at_once(&good),
    });
    let Some(keys) = document.as_object_mut() else {
        return document;
    };
    if is_detailed {
        add_details(level, keys);
    }
    let of = |metric: fn(&RequestRecord) -> Option<f64>| good.iter().filter_map(|r| metric(r)).collect();
    add_metric("ttft", of(ttft), keys);
    add_metric("tpot", of(tpot), keys);
    add_metric(
        "itl",
        good.iter().flat_map(|request| gaps(request)).collect(),
        keys,
    );
    add_metric("e2el", of(latency), keys);
    document
}

/// Milliseconds, and 0 where there is no value, as that tool has it.
fn add_metric(name: &str, values: Vec<f64>, keys: &mut Map<String, Value>) {
    let sample = Sample::of(values);
    let of = |figure: &dyn Fn(&Sample) -> f64| sample.as_ref().map_or(0.0, figure) * 1000.0;
    let mut set = |statistic: &str, value: f64| {
        keys.insert(format!("{statistic}_{name}_ms"), value.into());
    };
    set("mean", of(&Sample::mean));
    set("median", of(&|sample| sample.percentile(50.0)));
    set("std", of(&Sample::deviation));
    for percent in [50.0, 90.0, 95.0, 99.0] {
        set(&format!("p{percent}"), of(&|sample| sample.percentile(percent)));
    }
}

/// What `--save-detailed` keeps, of every request in order of start.
fn add_details(level: &LevelRecords, keys: &mut Map<String, Value>) {
    let each = |of: &dyn Fn(&RequestRecord) -> Value| level.requests.iter().map(of).collect::<Value>();
    let mut set = |key: &str, value: Value| drop(keys.insert(key.to_owned(), value));
    set("input_lens", each(&|request| request.input_tokens.count.into()));
    set(
        "output_lens",
        each(&|request| {
            let is_counted = is_success(request);
            if is_counted {
                request.output_tokens.count
            } else {
                0
            }
            .into()
        }),
    );
    set("ttfts", each(&|request| ttft(request).unwrap_or(0.0).into()));
    set(
        "itls",
        each(&|request| gaps(request).collect::<Vec<f64>>().into()),
    );
    set(
        "latencies",
        each(&|request| latency(request).unwrap_or(0.0).into()),
    );
    set("start_times", each(&|request| seconds(request.sent_ns).into()));
    set(
        "errors",
        each(&|request| match &request.outcome {
            RequestOutcome::Success => "".into(),
            RequestOutcome::CutOff => "still open when the measurement ended".into(),
            RequestOutcome::Failed { detail, .. } => detail.as_str().into(),
        }),
    );
}

fn ttft(request: &RequestRecord) -> Option<f64> {
    Some(seconds(
        request.content_ns.first()?.saturating_sub(request.sent_ns),
    ))
}

fn latency(request: &RequestRecord) -> Option<f64> {
    Some(seconds(
        request.content_ns.last()?.saturating_sub(request.sent_ns),
    ))
}

/// That tool counts one token for the first chunk, whatever it carried.
fn tpot(request: &RequestRecord) -> Option<f64> {
    let later = request
        .output_tokens
        .count
        .checked_sub(1)
        .filter(|later| *later > 0)?;
    Some((latency(request)? - ttft(request)?) / f64::from(later))
}

fn gaps(request: &RequestRecord) -> impl Iterator<Item = f64> + '_ {
    let pairs = request.content_ns.windows(2);
    pairs.map(|pair| seconds(pair[1].saturating_sub(pair[0])))
}

/// Most chunks that arrived within one second, counted from the first start.
fn busiest_second(good: &[&RequestRecord]) -> f64 {
    let begun = good.iter().map(|request| request.sent_ns).min().unwrap_or(0);
    let mut per_second = std::collections::BTreeMap::<u64, usize>::new();
    for at in good.iter().flat_map(|request| &request.content_ns) {
        *per_second
            .entry(at.saturating_sub(begun) / 1_000_000_000)
            .or_default() += 1;
    }
    count(per_second.into_values().max().unwrap_or(0))
}

/// Most answers under way at once; one that ends makes room for one that begins then.
fn most_at_once(good: &[&RequestRecord]) -> i64 {
    let mut changes: Vec<(u64, i64)> = good
        .iter()
        .flat_map(|request| {
            let last = request.content_ns.last().copied().unwrap_or(request.sent_ns);
            [(request.sent_ns, 1), (last, -1)]
        })
        .collect();
    changes.sort_unstable();
    let mut open = 0;
    let mut most = 0;
    for (_, change) in changes {
        open += change;
        most = most.max(open);
    }
    most
}

/// `20260131-235959`, in UTC.
fn date(ms: i64) -> String {
    let text: String = rfc3339(ms).chars().filter(|c| !matches!(c, '-' | ':')).collect();
    text.get(..15).unwrap_or(&text).replace('T', "-")
}

#[expect(clippy::cast_precision_loss, reason = "counts of tokens stay far below 2^53")]
fn sum(tokens: u64) -> f64 {
    tokens as f64
}
