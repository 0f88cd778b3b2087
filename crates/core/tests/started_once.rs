//! Whatever a task lists: the planner never starts the engine twice with the same arguments,
//! and never with words that the engine cannot follow.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use autotuner_core::engine::{LaunchPlan, PlanRequest};
use autotuner_core::experiment::{Experiment, Measured};
use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::ids::ExperimentNumber;
use autotuner_core::lifecycle::ExperimentStatus;
use autotuner_core::measure::{LevelRecords, RequestOutcome, RequestRecord, TokenCount, TokenSource};
use autotuner_core::metrics::{experiment_metrics, level_metrics};
use autotuner_core::plan::{Decision, Next, Situation, plan};
use autotuner_core::problem::Problem;
use autotuner_core::score::score;
use autotuner_core::search::Role;
use autotuner_core::space::{Candidate, CandidateKey, Size};
use autotuner_core::spec::TaskSpec;
use autotuner_core::task::Task;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const ENGINES: [&str; 6] = ["vllm", "sglang", "tensorrt-llm", "llamacpp", "sim", "custom"];

const MODELS: [&str; 4] = ["org/model", "org/model-AWQ", "org/model-FP8", "org/model-W4AFP8"];

/// Flags whose values may say what a word says, what the engine does anyway, or something else.
const FLAGS: [(&str, &str); 11] = [
    ("max-num-seqs", "[8, 8.0, 16, null]"),
    ("kv-cache-dtype", r#"["auto", "fp8", null]"#),
    ("kv_cache_dtype", r#"["fp8_e5m2"]"#),
    ("dtype", r#"["bfloat16", "auto"]"#),
    ("tp-size", "[1, 2]"),
    ("tensor-parallel-size", "[2, null]"),
    ("dp-size", "[1, 2]"),
    ("enable-dp-attention", "[true, false]"),
    ("enable-expert-parallel", "[false, true]"),
    ("enforce-eager", "[false, true, null]"),
    ("env.A", "[1, \"1\", null]"),
];

const ARGUMENTS: [&[&str]; 4] = [
    &[],
    &["--max-num-seqs", "16"],
    &["--tp-size=2"],
    &["--enable-dp-attention"],
];

fn some_of(words: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let list = prop::sample::subsequence(words.to_vec(), 1..=words.len().min(4));
    (list, any::<bool>())
        .prop_map(|(words, is_scalar)| if is_scalar { json!(words[0]) } else { json!(words) })
}

fn sizes(of: &'static [u32]) -> impl Strategy<Value = Value> {
    prop::sample::subsequence(of.to_vec(), 1..=of.len().min(3)).prop_map(Value::from)
}

fn fields(entries: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let chosen = entries.into_iter().map(|(name, values)| {
        prop::option::weighted(0.4, values).prop_map(move |value| value.map(|value| (name.to_owned(), value)))
    });
    chosen
        .collect::<Vec<_>>()
        .prop_map(|chosen| Value::Object(chosen.into_iter().flatten().collect::<Map<_, _>>()))
        .boxed()
}

fn quantization() -> BoxedStrategy<Value> {
    let presets = some_of(&[
        "default",
        "kv-cache-fp8",
        "dynamic-fp8",
        "bf16-stable",
        "aggressive-moe",
    ]);
    prop_oneof![
        presets.prop_map(|presets| json!({ "presets": presets })),
        fields(vec![
            (
                "gemm_dtype",
                some_of(&["auto", "float16", "bfloat16", "float32", "fp8", "int8"]).boxed()
            ),
            (
                "kvcache_dtype",
                some_of(&[
                    "auto", "fp16", "bfloat16", "fp8", "fp8_e5m2", "fp8_e4m3", "int8", "int4"
                ])
                .boxed(),
            ),
            (
                "attention_dtype",
                some_of(&["auto", "bfloat16", "fp8", "fp8_e5m2", "fp8_block"]).boxed()
            ),
            (
                "moe_dtype",
                some_of(&["auto", "bfloat16", "fp8", "w4afp8", "mxfp4", "int8"]).boxed()
            ),
        ]),
    ]
    .boxed()
}

fn parallelism() -> BoxedStrategy<Value> {
    let presets = some_of(&[
        "single-gpu",
        "high-throughput",
        "large-model-tp",
        "large-model-tp-pp",
        "moe-optimized",
        "long-context",
        "balanced",
    ]);
    let switches = prop::sample::select(vec![json!(true), json!([true, false])]);
    prop_oneof![
        presets.prop_map(|presets| json!({ "presets": presets })),
        fields(vec![
            ("tp", sizes(&[1, 2, 4, 8]).boxed()),
            ("pp", sizes(&[1, 2]).boxed()),
            ("dp", sizes(&[1, 2, 4, 16]).boxed()),
            ("cp", sizes(&[1, 2]).boxed()),
            ("dcp", sizes(&[1, 2, 4]).boxed()),
            ("moe_tp", sizes(&[1, 2]).boxed()),
            ("moe_ep", sizes(&[1, 2, 4]).boxed()),
            ("moe_cluster", sizes(&[1, 2]).boxed()),
            ("moe_dense_tp", sizes(&[1, 2]).boxed()),
            ("enable_expert_parallel", switches.boxed()),
        ]),
    ]
    .boxed()
}

fn documents() -> impl Strategy<Value = Value> {
    (
        prop::sample::select(ENGINES.to_vec()),
        prop::sample::select(MODELS.to_vec()),
        prop::sample::subsequence(FLAGS.to_vec(), 0..3),
        prop::sample::select(ARGUMENTS.to_vec()),
        prop::option::weighted(0.8, quantization()),
        prop::option::weighted(0.8, parallelism()),
        prop::sample::select(vec!["grid_search", "random_search"]),
        (1..25_u32, 1..4_u32, any::<u64>()),
    )
        .prop_map(
            |(engine, model, flags, arguments, quant, parallel, strategy, numbers)| {
                let parameters: Map<String, Value> = flags
                    .iter()
                    .map(|(name, values)| ((*name).to_owned(), serde_json::from_str(values).expect("a list")))
                    .collect();
                let mut arguments: Vec<&str> = arguments.to_vec();
                if engine == "custom" {
                    arguments.extend(["--port", "{port}"]);
                }
                let (iterations, at_once, seed) = numbers;
                let mut document = json!({
                    "task_name": "random",
                    "deployment_mode": "local",
                    "base_runtime": engine,
                    "model": { "id_or_path": model },
                    "parameters": parameters,
                    "optimization": { "strategy": strategy, "max_iterations": iterations,
                        "max_parallel_experiments": at_once, "seed": seed },
                    "benchmark": {},
                    "engine": { "program": "/engine", "args": arguments },
                });
                if let Some(quant) = quant {
                    document["quant_config"] = quant;
                }
                if let Some(parallel) = parallel {
                    document["parallel_config"] = parallel;
                }
                document
            },
        )
}

fn launch(task: &Task, candidate: &Candidate) -> Result<LaunchPlan, Vec<Problem>> {
    task.engine.engine().plan(&PlanRequest {
        model: &task.model,
        settings: &task.settings,
        resources: &task.resources,
        candidate,
        deployment: task.deployment,
    })
}

fn measured(task: &Task, rate: u32) -> Measured {
    let tokens = |count| TokenCount {
        count,
        source: TokenSource::Usage,
    };
    let records = LevelRecords {
        scenario: "D(1,1)".into(),
        concurrency: 1,
        window_start_ns: 0,
        window_end_ns: 1_000_000_000,
        requests: vec![RequestRecord {
            intended_ns: 0,
            sent_ns: 0,
            content_ns: vec![1, 2],
            first_chunk_tokens: 1,
            ended_ns: 2,
            input_tokens: tokens(0),
            output_tokens: tokens(rate),
            outcome: RequestOutcome::Success,
            ..RequestRecord::default()
        }],
        ..LevelRecords::default()
    };
    let metrics = experiment_metrics(vec![level_metrics(&records, &[])], None, 0);
    let score = score(&metrics, task.search.objective, &task.slos).expect("measured");
    Measured {
        metrics,
        score,
        remarks: vec![],
        gpu_use: vec![],
        fingerprints: vec![],
    }
}

fn begun(next: Next, number: usize) -> Experiment {
    Experiment {
        number: ExperimentNumber(u32::try_from(number).expect("few")),
        role: next.role,
        candidate: next.candidate,
        reason: next.reason,
        attempt: next.attempt,
        status: ExperimentStatus::Benchmarking,
        launch: None,
        result: None,
        started_at_ms: 0,
        ended_at_ms: None,
    }
}

/// Ends the oldest experiment that runs: measured, failed or lost, by its number.
fn end_one(task: &Task, experiments: &mut [Experiment]) -> bool {
    let Some(running) = experiments
        .iter_mut()
        .find(|experiment| !experiment.status.is_ended())
    else {
        return false;
    };
    let number = running.number.0;
    let result = match number % 5 {
        0 => Err(Failure::new(FailureKind::OutOfMemory, "it broke")),
        3 if running.attempt == 1 => Err(Failure::new(FailureKind::WorkerLost, "the worker died")),
        _ => Ok(measured(task, number + 1)),
    };
    running.status = match result {
        Ok(_) => ExperimentStatus::Success,
        Err(_) => ExperimentStatus::Failed,
    };
    running.result = Some(result);
    true
}

/// Every experiment of a run, from its beginning to its end.
fn whole_run(task: &Task) -> Vec<Experiment> {
    // Asked for the same few candidates again and again.
    let known: Mutex<HashMap<CandidateKey, CandidateKey>> = Mutex::default();
    let identity = |candidate: &Candidate| {
        let mut known = known.lock().expect("nothing panics inside");
        let key = candidate.key();
        let identity = || match launch(task, candidate) {
            Ok(plan) => CandidateKey(plan.identity()),
            Err(_) => candidate.key(),
        };
        known.entry(key).or_insert_with(identity).clone()
    };
    let mut experiments: Vec<Experiment> = Vec::new();
    loop {
        match plan(&Situation::of(task, &experiments, &identity), 0) {
            Decision::Start(all) => {
                for next in all {
                    let number = experiments.len() + 1;
                    experiments.push(begun(next, number));
                }
                end_one(task, &mut experiments);
            }
            Decision::Wait => assert!(end_one(task, &mut experiments), "waits for nothing"),
            Decision::Finish(_) => return experiments,
        }
    }
}

/// What an engine would be started with.
type Start = (String, Vec<String>, BTreeMap<String, String>);

fn start(plan: &LaunchPlan) -> Start {
    (
        format!("{:?}", plan.program),
        plan.arguments("HOST", 1),
        plan.env.clone(),
    )
}

/// Whether flags of the engine's own, of several values, stand beside `parallel_config`: then
/// a size may be possible beside some of them only.
fn has_own_sizes(task: &Task) -> bool {
    let names = task
        .space
        .parameters()
        .iter()
        .map(|parameter| parameter.name.as_str());
    names
        .into_iter()
        .any(|name| name.ends_with("-size") || name.ends_with("attention"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn no_two_experiments_of_a_run_start_the_engine_alike(document in documents()) {
        let Ok(parsed) = TaskSpec::from_value(&document) else { return Ok(()) };
        let task = parsed.spec.resolve().expect("parsed documents resolve");
        let mut starts: Vec<Start> = Vec::new();
        let mut identities: Vec<String> = Vec::new();
        let mut refused: Vec<CandidateKey> = Vec::new();
        for experiment in whole_run(&task) {
            if experiment.attempt > 1 || experiment.role == Role::Replicate {
                continue;
            }
            match launch(&task, &experiment.candidate) {
                Ok(plan) => {
                    prop_assert!(!starts.contains(&start(&plan)), "{}", experiment.candidate);
                    prop_assert!(!identities.contains(&plan.identity()), "{}", experiment.candidate);
                    starts.push(start(&plan));
                    identities.push(plan.identity());
                }
                Err(_) => {
                    let key = experiment.candidate.key();
                    prop_assert!(!refused.contains(&key), "{}", experiment.candidate);
                    refused.push(key);
                }
            }
        }
    }

    #[test]
    fn every_point_of_a_space_has_words_that_the_engine_can_follow(document in documents()) {
        let Ok(parsed) = TaskSpec::from_value(&document) else { return Ok(()) };
        let task = parsed.spec.resolve().expect("parsed documents resolve");
        let Size::Finite(size) = task.space.size() else { panic!("listed values alone") };
        let mut keys = std::collections::HashSet::new();
        for rank in 0..size.min(2_000) {
            let candidate = task.space.nth(rank).expect("within the size");
            prop_assert!(task.space.allows(&candidate), "{candidate}");
            prop_assert!(keys.insert(candidate.key()), "{candidate}");
            let problems = launch(&task, &candidate).err().unwrap_or_default();
            for problem in problems {
                let is_ours = problem.path.starts_with("quant_config")
                    || (problem.path.starts_with("parallel_config") && !has_own_sizes(&task));
                prop_assert!(!is_ours, "{candidate}: {problem}");
            }
        }
        prop_assert_eq!(task.space.nth(size), None);
    }

    #[test]
    fn a_document_with_these_parts_survives_being_written(document in documents()) {
        let Ok(parsed) = TaskSpec::from_value(&document) else { return Ok(()) };
        let spec = parsed.spec;
        prop_assert_eq!(TaskSpec::from_yaml(&spec.to_yaml()).map(|parsed| parsed.spec), Ok(spec.clone()));
        prop_assert_eq!(TaskSpec::from_json(&spec.to_json()).map(|parsed| parsed.spec), Ok(spec));
    }
}
