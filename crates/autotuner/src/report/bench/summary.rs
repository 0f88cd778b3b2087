//! A benchmark as our own JSON document: what was asked, what it came to, how to ask again.

use autotuner_core::calibration::{Calibration, Errors};
use autotuner_core::workload::{Api, Arrival, Content, FirstWave, Texts, Workload};
use serde_json::{Map, Value, json};

use super::{BenchRun, load_label};
use crate::clock::rfc3339;
use crate::report::metrics;

/// Raised when a key changes its meaning or goes away.
pub(crate) const SCHEMA_VERSION: u64 = 1;

/// What a summary calls the program that wrote it.
pub(crate) const TOOL: &str = "inference-autotuner";

/// The document.
pub(crate) fn summary(run: &BenchRun<'_>) -> Value {
    let BenchRun {
        url,
        model,
        workload,
        started_at_ms,
        ended_at_ms,
        recording,
        measured,
        command,
        host,
        search,
        calibration,
    } = run;
    let mut document = json!({
        "schema_version": SCHEMA_VERSION,
        "tool": TOOL,
        "version": env!("CARGO_PKG_VERSION"),
        "started_at": rfc3339(*started_at_ms),
        "completed_at": rfc3339(*ended_at_ms),
        "url": url,
        "model": model,
        "seed": workload.seed,
        "workload": self::workload(workload),
        "command": command,
        "machine": host,
        "clock_zero_monotonic_ns": recording.clock_zero_ns,
    });
    let mut told = metrics::experiment(measured);
    if let Some(levels) = told["raw_results"].as_array_mut() {
        for (told, level) in levels.iter_mut().zip(&recording.levels) {
            told["load"] = load_label(level).into();
        }
    }
    let whole = document.as_object_mut().zip(told.as_object_mut());
    if let Some((document, told)) = whole {
        document.append(told);
    }
    document["notes"] = recording.notes.clone().into();
    document["fingerprints"] = recording.fingerprints.clone().into();
    if let Some(search) = search {
        document["search"] = search.json();
    }
    if !calibration.is_empty() {
        document["calibration"] = calibration.iter().map(self::calibration).collect();
    }
    document
}

/// What was asked, in full.
pub(super) fn workload(workload: &Workload) -> Value {
    let Workload {
        api,
        scenarios,
        concurrency,
        arrival,
        first_wave,
        max_time_per_level,
        max_requests_per_level,
        drain,
        warmup_requests,
        max_warmup,
        request_timeout,
        seed,
        content,
        sources: _,
        // A benchmark of its own runs its levels in their usual order.
        order: _,
        precision,
        additional_params,
    } = workload;
    let scenarios: Vec<String> = scenarios.iter().map(ToString::to_string).collect();
    json!({
        "api": api_path(*api),
        "scenarios": scenarios,
        "concurrency": concurrency,
        "arrival": self::arrival(arrival),
        "first_wave": match first_wave {
            FirstWave::Spread => "spread",
            FirstWave::Together => "together",
        },
        "max_time_per_level_seconds": max_time_per_level.as_secs_f64(),
        "max_requests_per_level": max_requests_per_level,
        "drain_seconds": drain.as_secs_f64(),
        "warmup_requests": warmup_requests,
        "max_warmup_seconds": max_warmup.as_secs_f64(),
        "request_timeout_seconds": request_timeout.as_secs_f64(),
        "precision": precision.as_ref().map(|precision| precision.ratio),
        "seed": seed,
        "content": self::content(content),
        "additional_params": additional_params,
    })
}

/// What the texts of requests are made of, where it is anything unusual.
fn content(content: &Content) -> Value {
    let Content {
        texts,
        sharing,
        conversation,
        batch,
        salt,
    } = content;
    json!({
        "dataset": match texts {
            Texts::Made => None,
            Texts::Read(dataset) => Some(&dataset.name),
        },
        "prefix_sharing": sharing.map(|sharing| json!({
            "groups": sharing.groups,
            "prefix_tokens": sharing.prefix_tokens,
            "hit_ratio": sharing.hit_ratio,
        })),
        "conversation": conversation.map(|conversation| json!({
            "turns": conversation.turns,
            "think_seconds": conversation.think.as_secs_f64(),
        })),
        "batch": batch,
        "salt": salt,
    })
}

/// Which path is asked.
pub(super) fn api_path(api: Api) -> &'static str {
    match api {
        Api::Chat => "/v1/chat/completions",
        Api::Completions => "/v1/completions",
        Api::LlamaCpp => "/completion",
        Api::Tgi => "/generate_stream",
        Api::Embeddings => "/v1/embeddings",
        Api::Rerank => "/v1/rerank",
    }
}

fn arrival(arrival: &Arrival) -> Value {
    let mut told = Map::new();
    let mut set = |key: &str, value: Value| drop(told.insert(key.to_owned(), value));
    match arrival {
        Arrival::Closed => set("kind", "closed".into()),
        Arrival::Constant { rates } => {
            set("kind", "constant".into());
            set("rates", json!(rates));
        }
        Arrival::Poisson { rates } => {
            set("kind", "poisson".into());
            set("rates", json!(rates));
        }
        Arrival::Gamma { rates, burstiness } => {
            set("kind", "gamma".into());
            set("rates", json!(rates));
            set("burstiness", json!(burstiness));
        }
        Arrival::Stages { stages } => {
            set("kind", "stages".into());
            let stages = stages
                .iter()
                .map(|stage| json!({"rate": stage.rate, "seconds": stage.lasts.as_secs_f64()}));
            set("stages", stages.collect());
        }
        // Each start of a trace would be a line of its own; who has the trace has them.
        Arrival::Trace { starts } => {
            set("kind", "trace".into());
            set("requests", starts.len().into());
        }
    }
    told.into()
}

/// One level's calibration; times in seconds, errors of rates as shares.
pub(crate) fn calibration(calibration: &Calibration) -> Value {
    let Calibration {
        requests,
        ttft_error,
        chunk_lag,
        gap_error,
        throughput_error,
        in_flight_asked,
        in_flight_seen,
        not_received,
        not_recorded,
    } = calibration;
    json!({
        "requests": requests,
        "ttft_error_seconds": ttft_error.as_ref().map(errors),
        "chunk_lag_seconds": chunk_lag.as_ref().map(errors),
        "gap_error": gap_error,
        "throughput_error": throughput_error,
        "in_flight_asked": in_flight_asked,
        "in_flight_seen": in_flight_seen,
        "requests_not_received": not_received,
        "requests_not_recorded": not_recorded,
    })
}

fn errors(errors: &Errors) -> Value {
    let Errors {
        n,
        mean,
        p50,
        p99,
        min,
        max,
    } = errors;
    json!({"n": n, "mean": mean, "p50": p50, "p99": p99, "min": min, "max": max})
}
