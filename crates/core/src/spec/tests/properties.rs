//! Whatever comes in: no panic, and what was accepted survives being written.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::a_document;
use crate::spec::TaskSpec;

/// A document with every key that means something.
pub(super) fn a_full_document() -> Value {
    let bound = json!({ "threshold": 1.5, "weight": 2.0, "hard_fail": true, "fail_ratio": 0.2 });
    let percentiles = json!({ "p50": bound, "p90": bound, "p95": bound, "p99": bound });
    let mut token_time = percentiles.clone();
    for (key, value) in bound.as_object().expect("an object") {
        token_time[key] = value.clone();
    }
    json!({
        "task_name": "everything",
        "description": "every key there is",
        "deployment_mode": "local",
        "base_runtime": "custom",
        "runtime_image_tag": "v1",
        "runtime_image": "me/server",
        "model": { "id_or_path": "m", "namespace": "n", "quantization": "awq",
            "quantization_config": { "quant_method": "awq" } },
        "parameters": {
            "a": [1, "on", null, true, 0.5],
            "b": { "type": "integer", "low": 1, "high": 64, "step": 3, "log": true, "when": "{d} == true" },
            "c": { "type": "continuous", "low": 0.1, "high": 0.9, "log": true },
            "d": { "type": "boolean" },
            "env.E": ["x"]
        },
        "constraints": ["{b} > 2"],
        "optimization": { "strategy": "bayesian", "objective": "minimize_ttft", "max_iterations": 30,
            "max_replicates": 4, "min_gain": 0.05, "max_time": 7200.5, "max_gpu_hours": 1.5, "timeout_per_iteration": 900.5, "n_initial_random": 6, "pareto": ["maximize_throughput"], "early_abort": true, "warm_start": true, "max_parallel_experiments": 2, "seed": 7 },
        "benchmark": {
            "task": "text-to-text", "model_name": "m", "model_tokenizer": "t",
            "traffic_scenarios": ["D(5,6)", "N(480,240)/(300,150)"], "num_concurrency": [1, 2],
            "max_time_per_iteration": 2.5, "max_requests_per_iteration": 20, "precision": 0.02,
            "additional_params": { "temperature": 0.5, "stop": ["\n", "0777"] },
            "endpoint": "completions",
            "arrival": { "type": "gamma", "rate": [4.0, 8.5], "burstiness": 0.5, "trace": "t.csv",
                "stages": [{ "rate": 5.0, "seconds": 3.0 }] },
            "first_wave": "together",
            "prefix_sharing": { "groups": 3, "prefix_tokens": 4, "hit_ratio": 0.5 },
            "conversation": { "turns": 2, "think_seconds": 0.5 },
            "batch_size": 2,
            "level_weights": [1.0, 2.0, 3.0, 4.0], "dataset_url": "prompts.csv", "dataset_deduplicate": false, "salt": 6,
            "warmup_requests": 3, "drain_seconds": 4.0, "request_timeout_seconds": 5.0
        },
        "slo": { "latency": percentiles, "ttft": token_time, "tpot": token_time,
            "mode": "exponential-v1", "steepness": 0.3 },
        "engine": { "program": "p", "image": "me/server", "args": ["--on", "no", "", "--port={port}"], "env": { "E": "0777" },
            "ready_path": "/health", "start_timeout": 9.0 },
        "resources": { "gpus": 1, "cpus": 2.5, "memory": "8GiB" },
        "quant_config": { "gemm_dtype": ["auto", "fp8"], "kvcache_dtype": ["auto"],
            "attention_dtype": ["auto"], "moe_dtype": ["auto"] },
        "parallel_config": { "tp": [1, 2], "pp": [1], "dp": [1], "cp": [1], "dcp": [1],
            "enable_expert_parallel": [false], "moe_tp": [1], "moe_ep": [1], "moe_cluster": [1],
            "moe_dense_tp": [1] },
        "kubernetes": {
            "node_selector": { "gpu": "h200" },
            "tolerations": [{ "key": "k", "value": "v", "effect": "NoSchedule" }, {}],
            "affinity": { "podAffinity": { "a": [1] } },
            "runtime_class": "nvidia",
            "shared_memory": "16GiB",
            "service_account": "a",
            "priority_class": "p",
            "queue": "q",
            "image_pull_secrets": ["s"],
            "hub_token": { "secret": "s", "key": "token" },
            "service": { "kind": "ome", "runtime": "own", "model": "own-model", "model_format": "f",
                "annotations": { "a": "b" } },
        },
        "storage": { "type": "pvc", "pvc_name": "v", "pvc_subpath": "s", "mount_path": "/m" },
        "clusterbasemodel_config": { "preset": "deepseek-v3", "name": "own-model", "overrides": { "a": 1 },
            "labels": { "b": "c" }, "annotations": { "d": "e" } },
        "clusterservingruntime_config": { "name": "own", "spec": { "x": [1] } }
    })
}

/// Text that is easy to confuse with something else, and any text.
fn awkward_text() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "no",
            "on",
            "null",
            "~",
            "0777",
            "1e3",
            "0x1F",
            "1_000",
            ".inf",
            "- a",
            "a: b",
            "#",
            "'",
            "\"",
            "{x}",
            " a ",
            "line\nbreak",
            "D(1,1)",
            "-",
            "<<",
            "*a",
            "&a",
            "!t",
            "%",
            "@",
            "`",
            "\t",
        ])
        .prop_map(str::to_owned),
        ".{0,12}",
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        awkward_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((awkward_text(), inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Every place of a tree, as a JSON pointer.
fn pointers(value: &Value, here: &str, places: &mut Vec<String>) {
    places.push(here.to_owned());
    match value {
        Value::Array(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                pointers(entry, &format!("{here}/{index}"), places);
            }
        }
        Value::Object(map) => {
            for (key, entry) in map {
                pointers(entry, &format!("{here}/{key}"), places);
            }
        }
        _ => {}
    }
}

/// Holds what must hold for any tree: problems or a document that survives both notations.
fn examine(document: &Value) -> Result<(), TestCaseError> {
    match TaskSpec::from_value(document) {
        Err(problems) => prop_assert!(!problems.is_empty()),
        Ok(parsed) => {
            let spec = parsed.spec;
            prop_assert!(spec.resolve().is_ok());
            let yaml = spec.to_yaml();
            let from_yaml = TaskSpec::from_yaml(&yaml);
            prop_assert_eq!(from_yaml.map(|parsed| parsed.spec), Ok(spec.clone()), "{}", yaml);
            let from_json = TaskSpec::from_json(&spec.to_json());
            prop_assert_eq!(from_json.map(|parsed| parsed.spec), Ok(spec));
        }
    }
    Ok(())
}

#[test]
fn the_full_document_has_no_problem() {
    let parsed = TaskSpec::from_value(&a_full_document()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert_eq!(parsed.spec.to_value(), a_full_document());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in ".{0,200}") {
        let _ = TaskSpec::from_yaml(&text);
        let _ = TaskSpec::from_json(&text);
    }

    #[test]
    fn any_tree_is_answered(tree in any_json()) {
        examine(&tree)?;
    }

    #[test]
    fn any_value_at_any_place_is_answered(place in any::<prop::sample::Index>(), value in any_json()) {
        let mut document = a_full_document();
        let mut places = Vec::new();
        pointers(&document, "", &mut places);
        *document.pointer_mut(place.get(places.as_slice()).as_str()).expect("listed just now") = value;
        examine(&document)?;
    }

    #[test]
    fn any_text_of_the_user_survives(
        name in awkward_text(),
        description in awkward_text(),
        values in prop::collection::vec(awkward_text(), 1..4),
        args in prop::collection::vec(awkward_text(), 0..4),
        stop in awkward_text(),
        number in any::<f64>(),
    ) {
        let mut document = a_document();
        document["task_name"] = name.into();
        document["description"] = description.into();
        document["parameters"]["x"] = values.into();
        document["parameters"]["y"] = json!([number]);
        document["engine"] = json!({ "args": args });
        document["benchmark"]["additional_params"] = json!({ "stop": stop });
        examine(&document)?;
    }
}
