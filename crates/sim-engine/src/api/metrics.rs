//! `GET /metrics`: the engine's figures in Prometheus's text format, under vLLM's names, so
//! that whatever reads a real engine's reads these too.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use super::Shared;
use crate::driver::Statistics;

/// Answers `GET /metrics`.
pub(crate) async fn metrics(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let statistics = *shared.statistics.borrow();
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        render(&statistics, &shared.model_name),
    )
}

fn render(statistics: &Statistics, model: &str) -> String {
    let Statistics {
        occupancy,
        prompt_tokens,
        cached_tokens,
        generation_tokens,
        preemptions,
        finished,
        steps,
    } = *statistics;
    let mut text = String::new();
    let label = model
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    let mut family = |name: &str, kind: &str, help: &str, value: &dyn std::fmt::Display| {
        write!(
            text,
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name}{{model_name=\"{label}\"}} {value}\n"
        )
        .expect("a string can always grow");
    };
    family(
        "vllm:num_requests_running",
        "gauge",
        "Requests that hold cache.",
        &occupancy.running,
    );
    family(
        "vllm:num_requests_waiting",
        "gauge",
        "Requests in the queue.",
        &occupancy.waiting,
    );
    family(
        "vllm:kv_cache_usage_perc",
        "gauge",
        "Share of the cache that is held, 0 to 1.",
        &occupancy.cache_usage,
    );
    family(
        "vllm:num_preemptions_total",
        "counter",
        "Requests pushed out of the cache.",
        &preemptions,
    );
    family(
        "vllm:prompt_tokens_total",
        "counter",
        "Prompt tokens computed.",
        &prompt_tokens,
    );
    family(
        "vllm:prefix_cache_hits_total",
        "counter",
        "Prompt tokens that were known.",
        &cached_tokens,
    );
    family(
        "vllm:generation_tokens_total",
        "counter",
        "Answer tokens produced.",
        &generation_tokens,
    );
    family(
        "vllm:request_success_total",
        "counter",
        "Requests answered in full.",
        &finished,
    );
    family("sim:engine_steps_total", "counter", "Steps taken.", &steps);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_name_is_escaped() {
        let text = render(&Statistics::default(), "a\"b\\c");
        assert!(
            text.contains("vllm:num_requests_running{model_name=\"a\\\"b\\\\c\"} 0\n"),
            "{text}"
        );
    }
}
