use super::*;

fn since(later: &str, earlier: &str) -> EngineFigures {
    Reading::parse(later).since(&Reading::parse(earlier))
}

/// Figures between two readings, in the order of their declaration.
#[track_caller]
fn check(later: &str, earlier: &str, expected: [Option<f64>; 9]) {
    let figures = since(later, earlier);
    let EngineFigures {
        requests,
        input_tokens,
        output_tokens,
        ttft,
        tpot,
        latency,
        queue,
        preemptions,
        prefix_hits,
    } = figures;
    let found = [
        requests,
        input_tokens,
        output_tokens,
        ttft,
        tpot,
        latency,
        queue,
        preemptions,
        prefix_hits,
    ];
    for (found, expected) in found.into_iter().zip(expected) {
        let is_close = match (found, expected) {
            (Some(found), Some(expected)) => (found - expected).abs() < 1e-9,
            (found, expected) => found == expected,
        };
        assert!(is_close, "{found:?} is not {expected:?} in {figures:#?}");
    }
}

const VLLM_BEFORE: &str = r#"
# HELP process_start_time_seconds Start time of the process since unix epoch in seconds.
# TYPE process_start_time_seconds gauge
process_start_time_seconds 1.7644e+09
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 2.0
vllm:prefix_cache_queries_total{engine="0",model_name="m"} 1000.0
vllm:prefix_cache_hits_total{engine="0",model_name="m"} 250.0
vllm:num_preemptions_total{engine="0",model_name="m"} 3.0
vllm:prompt_tokens_total{engine="0",model_name="m"} 5000.0
vllm:generation_tokens_total{engine="0",model_name="m"} 700.0
vllm:request_success_total{engine="0",finished_reason="stop",model_name="m"} 4.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="0.001",model_name="m"} 0.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="+Inf",model_name="m"} 4.0
vllm:time_to_first_token_seconds_count{engine="0",model_name="m"} 4.0
vllm:time_to_first_token_seconds_sum{engine="0",model_name="m"} 0.5
vllm:inter_token_latency_seconds_count{engine="0",model_name="m"} 100.0
vllm:inter_token_latency_seconds_sum{engine="0",model_name="m"} 2.0
vllm:e2e_request_latency_seconds_count{engine="0",model_name="m"} 4.0
vllm:e2e_request_latency_seconds_sum{engine="0",model_name="m"} 10.0
vllm:request_queue_time_seconds_count{engine="0",model_name="m"} 4.0
vllm:request_queue_time_seconds_sum{engine="0",model_name="m"} 0.1
"#;

const VLLM_AFTER: &str = r#"
process_start_time_seconds 1.7644e+09
vllm:prefix_cache_queries_total{engine="0",model_name="m"} 1800.0
vllm:prefix_cache_queries_total{engine="1",model_name="m"} 200.0
vllm:prefix_cache_hits_total{engine="0",model_name="m"} 650.0
vllm:prefix_cache_hits_total{engine="1",model_name="m"} 100.0
vllm:prefix_cache_hits_created{engine="0",model_name="m"} 1.7644e+09
vllm:num_preemptions_total{engine="0",model_name="m"} 5.0
vllm:prompt_tokens_total{engine="0",model_name="m"} 6000.0
vllm:generation_tokens_total{engine="0",model_name="m"} 900.0
vllm:request_success_total{engine="0",finished_reason="stop",model_name="m"} 5.0
vllm:request_success_total{engine="0",finished_reason="length",model_name="m"} 9.0
vllm:time_to_first_token_seconds_count{engine="0",model_name="m"} 14.0
vllm:time_to_first_token_seconds_sum{engine="0",model_name="m"} 1.5
vllm:inter_token_latency_seconds_count{engine="0",model_name="m"} 300.0
vllm:inter_token_latency_seconds_sum{engine="0",model_name="m"} 6.0
vllm:e2e_request_latency_seconds_count{engine="0",model_name="m"} 14.0
vllm:e2e_request_latency_seconds_sum{engine="0",model_name="m"} 35.0
vllm:request_queue_time_seconds_count{engine="0",model_name="m"} 14.0
vllm:request_queue_time_seconds_sum{engine="0",model_name="m"} 0.3
"#;

#[test]
fn vllm() {
    check(
        VLLM_AFTER,
        VLLM_BEFORE,
        [
            Some(10.0),
            Some(1000.0),
            Some(200.0),
            Some(0.1),
            Some(0.02),
            Some(2.5),
            Some(0.02),
            Some(2.0),
            Some(0.5),
        ],
    );
}

#[test]
fn an_older_and_a_newer_vllm() {
    let old = |text: &str| {
        text.replace("inter_token_latency", "time_per_output_token")
            .replace("prefix_cache", "gpu_prefix_cache")
    };
    let figures = since(&old(VLLM_AFTER), &old(VLLM_BEFORE));
    assert_eq!(figures, since(VLLM_AFTER, VLLM_BEFORE));

    let new = format!(
        "{VLLM_AFTER}vllm:request_time_per_output_token_seconds_sum 0.5\nvllm:request_time_per_output_token_seconds_count 10\n"
    );
    assert_eq!(since(&new, VLLM_BEFORE).tpot, Some(0.05));
}

#[test]
fn sglang() {
    let before = r#"
sglang:prompt_tokens_total{model_name="m"} 100.0
sglang:num_requests_total{model_name="m"} 1.0
sglang:cache_hit_rate{model_name="m",tp_rank="0"} 0.9
"#;
    let after = r#"
sglang:prompt_tokens_total{model_name="m"} 900.0
sglang:generation_tokens_total{model_name="m"} 400.0
sglang:cached_tokens_total{cache_source="device",model_name="m"} 150.0
sglang:cached_tokens_total{cache_source="host",model_name="m"} 50.0
sglang:num_requests_total{model_name="m"} 9.0
sglang:num_retracted_requests_total{model_name="m"} 2.0
sglang:cache_hit_rate{model_name="m",tp_rank="0"} 0.5
sglang:cache_hit_rate{model_name="m",tp_rank="1"} 0.7
sglang:time_to_first_token_seconds_sum{model_name="m"} 4.0
sglang:time_to_first_token_seconds_count{model_name="m"} 8.0
sglang:inter_token_latency_seconds_sum{model_name="m"} 4.0
sglang:inter_token_latency_seconds_count{model_name="m"} 392.0
sglang:e2e_request_latency_seconds_sum{model_name="m"} 16.0
sglang:e2e_request_latency_seconds_count{model_name="m"} 8.0
sglang:queue_time_seconds_sum{model_name="m"} 0.8
sglang:queue_time_seconds_count{model_name="m"} 8.0
"#;
    let expected = [
        Some(8.0),
        Some(800.0),
        Some(400.0),
        Some(0.5),
        Some(4.0 / 392.0),
        Some(2.0),
        Some(0.1),
        Some(2.0),
        Some(0.25),
    ];
    check(after, before, expected);
    let uncounted = after.replace("cached_tokens", "other");
    assert_eq!(
        since(&uncounted, before).prefix_hits,
        Some(0.6),
        "the gauge's mean"
    );
}

#[test]
fn llamacpp() {
    let before = "
# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed.
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 10
llamacpp:prompt_seconds_total 0.1
llamacpp:tokens_predicted_total 20
llamacpp:tokens_predicted_seconds_total 0.2
llamacpp:predicted_tokens_seconds 100
";
    let after = "
llamacpp:prompt_tokens_total 110
llamacpp:prompt_tokens_cached_total 300
llamacpp:prompt_seconds_total 0.4
llamacpp:tokens_predicted_total 120
llamacpp:tokens_predicted_seconds_total 1.2
";
    let none = None;
    check(
        after,
        before,
        [
            none,
            Some(100.0),
            Some(100.0),
            none,
            Some(0.01),
            none,
            none,
            none,
            Some(0.75),
        ],
    );
}

#[test]
fn text_generation_inference() {
    let after = r#"
# TYPE tgi_request_success counter
tgi_request_success 8
tgi_request_count 9
tgi_request_input_length_bucket{le="16"} 8
tgi_request_input_length_sum 80
tgi_request_input_length_count 8
tgi_request_generated_tokens_sum 160
tgi_request_generated_tokens_count 8
tgi_request_duration_sum 16
tgi_request_duration_count 8
tgi_request_queue_duration_sum 0.4
tgi_request_queue_duration_count 8
tgi_request_mean_time_per_token_duration_sum 0.8
tgi_request_mean_time_per_token_duration_count 8
"#;
    // Nothing is published before the first request.
    let expected = [
        Some(8.0),
        Some(80.0),
        Some(160.0),
        None,
        None,
        Some(2.0),
        Some(0.05),
        None,
        None,
    ];
    check(after, "", expected);
}

#[test]
fn nothing_published_is_nothing_known() {
    assert_eq!(since("", ""), EngineFigures::default());
    assert_eq!(since("other_total 3\n<html>", "x"), EngineFigures::default());
    let nothing_happened = since(VLLM_BEFORE, VLLM_BEFORE);
    assert_eq!(
        (nothing_happened.requests, nothing_happened.ttft),
        (Some(0.0), None)
    );
}

#[test]
fn a_counter_that_begins_anew_tells_nothing() {
    let figures = since(VLLM_BEFORE, VLLM_AFTER);
    assert_eq!(figures, EngineFigures::default());
    let reset = VLLM_AFTER.replace(
        "generation_tokens_total{engine=\"0\",model_name=\"m\"} 900",
        "generation_tokens_total{engine=\"0\",model_name=\"m\"} 9",
    );
    let figures = since(&reset, VLLM_BEFORE);
    assert_eq!((figures.output_tokens, figures.requests), (None, Some(10.0)));
    let restarted = VLLM_AFTER.replace("1.7644e+09\nvllm", "1.7645e+09\nvllm");
    assert_eq!(since(&restarted, VLLM_BEFORE), EngineFigures::default());
}
