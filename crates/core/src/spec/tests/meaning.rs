//! Defaults, older names and what they come to.

use std::time::Duration;

use serde_json::{Value, json};

use super::{a_document, set, warnings_of, with};
use crate::engine::EngineKind;
use crate::score::{Objective, Percentile, SloMetric, SloMode, Statistic};
use crate::search::StrategyKind;
use crate::space::{Domain, Value as Setting};
use crate::spec::{DeploymentWord, TaskSpec};
use crate::task::{DeploymentMode, Task};
use crate::workload::{Api, Scenario};

fn spec_of(document: &Value) -> TaskSpec {
    TaskSpec::from_value(document)
        .unwrap_or_else(|problems| panic!("{problems:#?}"))
        .spec
}

fn task_of(document: &Value) -> Task {
    spec_of(document).resolve().expect("a parsed document resolves")
}

#[test]
fn an_empty_document_means_the_defaults() {
    let task = task_of(&a_document());
    assert_eq!(task.deployment, DeploymentMode::Docker);
    assert_eq!(task.model.namespace, "autotuner");
    assert_eq!(task.model.served_name, "a-model");
    assert_eq!(task.search.strategy, StrategyKind::Grid);
    assert_eq!(task.search.objective, Objective::MinimizeLatency);
    assert_eq!(task.search.max_iterations, 2);
    assert_eq!(task.search.timeout_per_iteration, Duration::from_secs(1_800));
    assert_eq!(task.search.initial_random, 5);
    assert_eq!(task.search.max_parallel_experiments, 1);
    assert_eq!(task.search.seed, 0);
    assert_eq!(task.workload.api, Api::Chat);
    assert_eq!(
        task.workload.scenarios,
        [Scenario::Fixed {
            input: 100,
            output: 100
        }]
    );
    assert_eq!(task.workload.concurrency, [1]);
    assert_eq!(task.workload.max_time_per_level, Duration::from_secs(30));
    assert_eq!(task.workload.max_requests_per_level, 50);
    assert_eq!(task.workload.warmup_requests, 2);
    assert_eq!(task.workload.drain, Duration::from_secs(30));
    assert_eq!(task.workload.request_timeout, Duration::from_secs(60));
    assert_eq!(task.slos.bounds, []);
    assert_eq!(task.slos.mode, SloMode::Constraint);
}

#[test]
fn null_is_the_same_as_leaving_an_optional_key_out() {
    let mut document = a_document();
    for path in [
        "slo",
        "benchmark/dataset_url",
        "benchmark/level_weights",
        "engine/image",
        "resources/gpus",
    ] {
        set(&mut document, path, Value::Null);
    }
    assert_eq!(task_of(&document), task_of(&a_document()));
}

#[test]
fn older_names_mean_the_same() {
    let check = |older: Value, newer: Value| assert_eq!(spec_of(&older), spec_of(&newer), "{older}");
    for (section, value) in [
        ("optimization", json!({ "seed": 3 })),
        ("benchmark", json!({ "num_concurrency": [2] })),
        ("slo", json!({ "ttft": { "threshold": 1.0 } })),
        ("model", json!({ "id_or_path": "m" })),
    ] {
        let newer = with(section, value.clone());
        let mut older = newer.clone();
        older.as_object_mut().expect("an object").shift_remove(section);
        older[format!("{section}_config")] = value;
        check(older, newer);
    }
    check(
        with("model", json!({ "name": "m" })),
        with("model", json!({ "id_or_path": "m" })),
    );
    check(
        with("optimization/strategy", json!("random")),
        with("optimization/strategy", json!("random_search")),
    );
    check(
        with("deployment_mode", json!("ome")),
        with("deployment_mode", json!("kubernetes")),
    );
    check(
        with("quant_config/preset", json!("default")),
        with("quant_config/presets", json!(["default"])),
    );
    check(
        with(
            "parameters/x",
            json!({ "type": "categorical", "choices": [1, "a"] }),
        ),
        with("parameters/x", json!([1, "a"])),
    );
    check(
        with(
            "benchmark/additional_params",
            json!({ "temperature": "0.0", "top_k": "5" }),
        ),
        with(
            "benchmark/additional_params",
            json!({ "temperature": 0.0, "top_k": 5 }),
        ),
    );
}

#[test]
fn an_engine_has_other_names() {
    let check = |word: &str, kind: EngineKind, is_told: bool| {
        let parsed = TaskSpec::from_value(&with("base_runtime", json!(word))).expect(word);
        assert_eq!(parsed.spec.resolve().expect(word).engine, kind, "{word}");
        let told: Vec<&str> = parsed
            .warnings
            .iter()
            .map(|warning| warning.path.as_str())
            .collect();
        assert_eq!(told.contains(&"base_runtime"), is_told, "{word}: {told:?}");
    };
    for kind in EngineKind::ALL
        .into_iter()
        .filter(|kind| *kind != EngineKind::Custom)
    {
        for word in [kind.as_str()].iter().chain(kind.aliases()) {
            check(word, kind, false);
            check(&word.to_uppercase(), kind, false);
            check(&format!("{word}-of-mine"), kind, true);
        }
    }
}

#[test]
fn text_in_additional_params_stays_text_where_it_is_no_number() {
    let params = json!({ "stop": "1", "user": "7", "temperature": "warm", "nested": { "a": ["b"] } });
    let task = task_of(&with("benchmark/additional_params", params.clone()));
    assert_eq!(Value::Object(task.workload.additional_params), params);
}

#[test]
fn a_model_of_many_parameters_begins_with_more() {
    let initial = |strategy: &str, iterations: u32| {
        let parameters: serde_json::Map<_, _> =
            (0..9).map(|index| (format!("p{index}"), json!([1, 2]))).collect();
        let mut document = with("parameters", parameters.into());
        set(&mut document, "optimization/strategy", json!(strategy));
        set(&mut document, "optimization/max_iterations", json!(iterations));
        task_of(&document).search.initial_random
    };
    assert_eq!(initial("bayesian", 60), 12);
    assert_eq!(initial("bayesian", 24), 8);
    assert_eq!(initial("bayesian", 10), 5);
    assert_eq!(initial("tpe", 60), 5);
}

#[test]
fn structured_parameters_become_domains() {
    let check = |written: Value, expected: Domain| {
        let mut document = with("parameters", json!({ "x": written }));
        set(&mut document, "optimization/strategy", json!("bayesian"));
        assert_eq!(task_of(&document).space.parameters()[0].domain, expected);
    };
    check(
        json!([1, 0.5, true, "a", null]),
        Domain::Choice(vec![
            1.into(),
            0.5.into(),
            true.into(),
            "a".into(),
            Setting::Unset,
        ]),
    );
    check(
        json!({ "type": "integer", "low": 2, "high": 8, "step": 2 }),
        Domain::Integer {
            low: 2,
            high: 8,
            step: 2,
            log: false,
        },
    );
    check(
        json!({ "type": "integer", "low": 1.0, "high": 1e3, "log": true }),
        Domain::Integer {
            low: 1,
            high: 1_000,
            step: 1,
            log: true,
        },
    );
    for kind in ["continuous", "float"] {
        check(
            json!({ "type": kind, "low": 0, "high": 0.5 }),
            Domain::Continuous {
                low: 0.0,
                high: 0.5,
                log: false,
            },
        );
    }
    check(json!({ "type": "boolean" }), Domain::boolean());
}

#[test]
fn iterations_follow_from_the_space_only_for_a_grid() {
    let check = |strategy: &str, parameters: Value, expected: u32| {
        let mut document = with("parameters", parameters);
        set(&mut document, "optimization/strategy", json!(strategy));
        assert_eq!(task_of(&document).search.max_iterations, expected, "{strategy}");
    };
    check("grid_search", json!({}), 1);
    check("grid_search", json!({ "a": [1, 2], "b": [1, 2, 3] }), 6);
    check("random_search", json!({ "a": [1, 2] }), 100);
    check(
        "bayesian",
        json!({ "a": { "type": "continuous", "low": 0.1, "high": 0.2 } }),
        100,
    );
}

#[test]
fn a_large_grid_is_fine_once_its_limit_is_explicit() {
    let mut document = with(
        "parameters/n",
        json!({ "type": "integer", "low": 0, "high": i64::MAX }),
    );
    set(&mut document, "optimization/max_iterations", json!(50_000));
    assert_eq!(task_of(&document).search.max_iterations, 50_000);
}

#[test]
fn a_bound_names_its_statistic() {
    let document = with(
        "slo",
        json!({
            "latency": { "p95": { "threshold": 5 } },
            "ttft": { "threshold": 0.5, "weight": 2.0, "p99": { "threshold": 1.0 } },
            "tpot": { "threshold": 0.05, "percentile": "p90", "hard_fail": true, "fail_ratio": 0.1 },
            "mode": "exponential-v1",
            "steepness": 0.2
        }),
    );
    let policy = task_of(&document).slos;
    let bounds: Vec<(SloMetric, f64, f64, bool, f64)> = policy
        .bounds
        .iter()
        .map(|slo| {
            (
                slo.metric,
                slo.threshold,
                slo.weight,
                slo.hard_fail,
                slo.fail_ratio,
            )
        })
        .collect();
    assert_eq!(
        bounds,
        [
            (SloMetric::Latency(Percentile::P95), 5.0, 1.0, false, 0.5),
            (SloMetric::Ttft(Statistic::Mean), 0.5, 2.0, false, 0.5),
            (
                SloMetric::Ttft(Statistic::At(Percentile::P99)),
                1.0,
                1.0,
                false,
                0.5
            ),
            (
                SloMetric::Tpot(Statistic::At(Percentile::P90)),
                0.05,
                1.0,
                true,
                0.1
            ),
        ]
    );
    assert_eq!(policy.mode, SloMode::ExponentialV1 { steepness: 0.2 });
}

#[test]
fn engine_settings_are_carried() {
    let mut document = with(
        "engine",
        json!({
            "program": "./server",
            "args": ["--ctx-size", 4096, "{port}"],
            "env": { "OMP_NUM_THREADS": 2, "MODE": "fast", "FLAG": true },
            "ready_path": "/ready",
            "start_timeout": 1.5
        }),
    );
    set(&mut document, "base_runtime", json!("custom"));
    set(&mut document, "runtime_image", json!("registry:5000/me/server"));
    set(&mut document, "runtime_image_tag", json!("v2"));
    set(
        &mut document,
        "resources",
        json!({ "cpus": 0.5, "memory": "8GiB", "gpus": 0 }),
    );
    let task = task_of(&document);
    assert_eq!(task.engine, EngineKind::Custom);
    assert_eq!(task.settings.args, ["--ctx-size", "4096", "{port}"]);
    let env: Vec<(&str, &str)> = task
        .settings
        .env
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        env,
        [("FLAG", "true"), ("MODE", "fast"), ("OMP_NUM_THREADS", "2")]
    );
    assert_eq!(task.settings.image.as_deref(), Some("registry:5000/me/server"));
    assert_eq!(task.settings.image_tag.as_deref(), Some("v2"));
    assert_eq!(task.settings.start_timeout, Some(Duration::from_millis(1_500)));
    assert_eq!(task.resources.memory_bytes, Some(8 << 30));
    assert_eq!(task.resources.gpus, Some(0));
}

/// What a document says of how experiments are served, in a line.
fn served(document: &Value) -> String {
    let task = task_of(document);
    let path = task.settings.model_path.unwrap_or_else(|| "-".into());
    let Some(service) = task.cluster.service else {
        return format!("a Job, model at {path}");
    };
    let objects: Vec<String> = service
        .objects
        .iter()
        .map(|object| format!("{} {}", object.kind.as_str(), object.name))
        .collect();
    format!(
        "{} runtime {} model {} at {path}, makes [{}]",
        service.kind.as_str(),
        service.runtime.as_deref().unwrap_or("-"),
        service.model.as_deref().unwrap_or("-"),
        objects.join(", ")
    )
}

#[test]
fn services_are_asked_for_in_two_ways_that_mean_one_thing() {
    let check = |parts: Value, expected: &str| {
        let mut document = a_document();
        for (key, value) in parts.as_object().expect("an object") {
            document[key] = value.clone();
        }
        assert_eq!(served(&document), expected);
    };
    check(json!({}), "a Job, model at -");
    check(
        json!({ "kubernetes": { "service": { "kind": "ome" } } }),
        "ome runtime - model - at -, makes []",
    );
    check(
        json!({ "kubernetes": { "service": { "kind": "kserve", "runtime": "r", "model": "hf://a/b" } } }),
        "kserve runtime r model hf://a/b at /mnt/models, makes []",
    );
    check(
        json!({
            "clusterbasemodel_config": { "preset": "llama-3-2-1b-instruct" },
            "clusterservingruntime_config": { "name": "own", "spec": { "a": 1 } },
        }),
        "ome runtime own model llama-3-2-1b-instruct at $(MODEL_PATH), makes \
         [ClusterBaseModel llama-3-2-1b-instruct, ClusterServingRuntime own]",
    );
    check(
        json!({
            "kubernetes": { "service": { "kind": "ome", "model": "mine" } },
            "clusterservingruntime_config": { "preset": "vllm-llama-small" },
        }),
        "ome runtime vllm-llama-small model mine at $(MODEL_PATH), makes [ClusterServingRuntime vllm-llama-small]",
    );
}

#[test]
fn a_preset_with_overrides_has_a_name_of_its_own() {
    let name = |config: Value| {
        let task = task_of(&with("clusterservingruntime_config", config));
        let service = task.cluster.service.expect("of OME");
        assert_eq!(service.runtime.as_ref(), Some(&service.objects[0].name));
        service.objects[0].name.clone()
    };
    let plain = name(json!({ "preset": "sglang-llama-small" }));
    assert_eq!(plain, "sglang-llama-small");
    let small = name(json!({ "preset": "sglang-llama-small", "overrides": { "disabled": true } }));
    let same = name(json!({ "preset": "sglang-llama-small", "overrides": { "disabled": true } }));
    let other = name(json!({ "preset": "sglang-llama-small", "overrides": { "protocolVersions": [] } }));
    assert!(
        small.starts_with("sglang-llama-small-") && small.len() == plain.len() + 7,
        "{small}"
    );
    assert_eq!(small, same);
    assert_ne!(small, other);
    let nothing = name(json!({ "preset": "sglang-llama-small", "overrides": { "disabled": false } }));
    assert_eq!(nothing, plain);
    let named =
        name(json!({ "preset": "sglang-llama-small", "name": "mine", "overrides": { "disabled": true } }));
    assert_eq!(named, "mine");
}

#[test]
fn what_is_accepted_but_odd_is_said() {
    let check = |path: &str, value: Value, expected: &[&str]| {
        assert_eq!(warnings_of(&with(path, value)), expected, "{path}");
    };
    check(
        "base_runtime",
        json!("sglang-llama-small"),
        &["base_runtime: \"sglang-llama-small\" is taken as sglang; write sglang to mean that engine"],
    );
    check(
        "base_runtime",
        json!("tensorrt-llm-foo"),
        &[
            "base_runtime: \"tensorrt-llm-foo\" is taken as tensorrt-llm; write tensorrt-llm to mean that engine",
        ],
    );
    check(
        "parameters/x",
        json!([1, 2, 1.0, "1", true, "true"]),
        &["parameters.x[2]: 1 is listed before; it is tried once"],
    );
    check(
        "benchmark/num_concurrency",
        json!([4, 4]),
        &["benchmark.num_concurrency[1]: 4 is listed before; it is measured again"],
    );
    check(
        "kubernetes",
        json!({ "service": { "kind": "kserve", "model_format": "vllm" } }),
        &["kubernetes.service.model_format: has no effect without a runtime of KServe; leave it out"],
    );
    check(
        "slo/latency/p99",
        json!({ "hard_fail": true }),
        &["slo.latency.p99: has no threshold and is ignored; give a threshold in seconds"],
    );
    check(
        "optimization",
        json!({ "strategy": "bayesian", "max_iterations": 5, "study_name": "s" }),
        &[
            "optimization.study_name: has no meaning here and is left out: every task keeps its own history",
            "optimization.n_initial_random: 5 initial configurations fill all 5 iterations, so the model never decides; lower it or raise optimization.max_iterations",
        ],
    );
    check(
        "benchmark",
        json!({ "num_concurrency": [1, 2, 4], "max_time_per_iteration": 900 }),
        &[
            "optimization.timeout_per_iteration: 3 levels may measure for 2700 seconds, but an experiment ends after 1800; raise it, or lower benchmark.max_time_per_iteration",
        ],
    );
    check("model", json!({ "id_or_path": "m", "name": "m" }), &[]);
}

#[test]
fn a_document_made_by_a_program_is_held_to_the_same_rules() {
    let mut spec = spec_of(&a_document());
    assert_eq!(spec.check(), []);
    spec.deployment_mode = Some(DeploymentWord::from(DeploymentMode::Local));
    assert_eq!(
        spec.resolve().expect("still sound").deployment,
        DeploymentMode::Local
    );
    spec.task_name.clear();
    spec.benchmark.num_concurrency = Some(vec![0]);
    let paths: Vec<String> = spec.check().into_iter().map(|problem| problem.path).collect();
    assert_eq!(paths, ["task_name", "benchmark.num_concurrency[0]"]);
    assert_eq!(spec.resolve().expect_err("two problems").len(), 2);
}
