//! Requests and the tasks that come of them.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::engine::PlanRequest;
use crate::gpu::GpuVendor;
use crate::space::Candidate;
use crate::spec::ObjectiveWord;
use crate::task::Task;

fn gpu(name: &str, index: u32) -> GpuDevice {
    GpuDevice {
        index,
        uuid: format!("GPU-{index}"),
        name: name.to_owned(),
        vendor: if name.contains("MI300") {
            GpuVendor::Amd
        } else {
            GpuVendor::Nvidia
        },
        memory_bytes: 80 << 30,
    }
}

fn machine_with(name: &str, count: u32) -> Hardware {
    Hardware {
        gpus: (0..count).map(|index| gpu(name, index)).collect(),
        cpus: 64,
        memory_bytes: 512 << 30,
    }
}

/// A request for a machine with one large GPU.
fn request(engine: &str) -> Request {
    Request {
        model: "org/model".into(),
        engine: Some(engine.into()),
        hardware: machine_with("NVIDIA H100 80GB HBM3", 1),
        ..Request::default()
    }
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[track_caller]
fn made(request: &Request) -> (Tuning, Task) {
    let tuning = tune(request).unwrap_or_else(|problems| panic!("{request:?}: {problems:#?}"));
    let task = tuning.spec.resolve().expect("no problems, so it resolves");
    (tuning, task)
}

#[track_caller]
fn refused(request: &Request) -> Vec<String> {
    let problems = tune(request).expect_err("refused");
    problems.iter().map(ToString::to_string).collect()
}

/// The parameters, as a task file spells them.
fn parameters(request: &Request) -> serde_json::Value {
    made(request).0.spec.to_value()["parameters"].clone()
}

fn every_hardware() -> Vec<(Hardware, Option<u32>)> {
    let small = Hardware {
        gpus: Vec::new(),
        cpus: 2,
        memory_bytes: 4 << 30,
    };
    vec![
        (Hardware::default(), Some(0)),
        (small, Some(0)),
        (machine_with("Tesla T4", 1), None),
        (machine_with("NVIDIA H100 80GB HBM3", 8), None),
        (machine_with("NVIDIA A100-SXM4-80GB", 3), None),
        (machine_with("AMD Instinct MI300X", 4), None),
        (Hardware::default(), Some(16)),
    ]
}

/// Every engine, workload and machine that goes together.
fn every_request() -> Vec<Request> {
    let mut requests = Vec::new();
    let workloads = NamedWorkload::ALL.map(NamedWorkload::as_str);
    for kind in EngineKind::ALL
        .into_iter()
        .filter(|kind| *kind != EngineKind::Custom)
    {
        for (hardware, gpus) in every_hardware() {
            if kind == EngineKind::TensorRtLlm && gpus == Some(0) {
                continue;
            }
            for workload in workloads.iter().chain(&["D(1,1)", "U(30000,2)"]) {
                // Neighbours differ in the objective, so that each meets every engine.
                let objective = ["throughput", "latency"][requests.len() % 2];
                requests.push(Request {
                    workload: vec![(*workload).to_owned()],
                    objective: Some(objective.into()),
                    hardware: hardware.clone(),
                    gpus,
                    ..request(kind.as_str())
                });
            }
        }
    }
    requests
}

#[test]
fn every_configuration_that_may_be_drawn_is_one_that_the_engine_takes() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for request in every_request() {
        let (tuning, task) = made(&request);
        assert_eq!(tuning.spec.check(), [], "{request:?}");
        let engine = task.engine.engine();
        let mut allowed = 0;
        for _ in 0..200 {
            let candidate = task.space.sample(&mut rng);
            if !task.space.allows(&candidate) {
                continue;
            }
            allowed += 1;
            let plan = engine.plan(&PlanRequest {
                model: &task.model,
                settings: &task.settings,
                resources: &task.resources,
                candidate: &candidate,
                deployment: task.deployment,
            });
            let plan = plan.unwrap_or_else(|problems| panic!("{request:?} {candidate:?}: {problems:#?}"));
            let most = request
                .gpus
                .unwrap_or(u32::try_from(request.hardware.gpus.len()).expect("few"));
            assert!(plan.gpus <= most, "{request:?} {candidate:?}: {} GPUs", plan.gpus);
        }
        assert!(
            allowed >= 50,
            "{request:?}: the constraints leave {allowed} of 200"
        );
    }
}

#[test]
fn every_parameter_of_the_defaults_is_a_flag_that_we_know() {
    for request in every_request() {
        let (_, task) = made(&request);
        let dialect = task.engine.engine().dialect();
        for parameter in task.space.parameters() {
            let crate::space::Target::Flag(flag) = parameter.name.target() else {
                continue;
            };
            let is_known = dialect.find(&dialect.resolve(flag).name).is_some();
            assert!(is_known, "{} has no {flag}", task.engine.as_str());
        }
    }
}

#[test]
fn what_is_made_survives_being_written_and_read_again() {
    for request in every_request() {
        let (Tuning { spec, .. }, _) = made(&request);
        let read = TaskSpec::from_yaml(&spec.to_yaml()).expect("reads back");
        assert_eq!(read.spec, spec);
        assert_eq!(read.warnings, [], "{}", spec.to_yaml());
    }
}

#[test]
fn an_experiment_of_a_named_workload_measures_for_two_minutes_at_most() {
    for request in every_request() {
        let (_, task) = made(&request);
        let levels = u32::try_from(task.workload.level_count()).expect("few");
        let seconds = (task.workload.max_time_per_level * levels).as_secs();
        assert!((20..=120).contains(&seconds), "{request:?}: {seconds} s");
        assert!(task.search.timeout_per_iteration.as_secs() >= 600);
    }
}

#[test]
fn levels_share_the_measuring_time_and_an_experiment_has_time_for_all() {
    let check = |levels: u32, seconds: u64| {
        let request = Request {
            concurrency: (1..=levels).collect(),
            gpus: Some(1),
            ..request("vllm")
        };
        let (_, task) = made(&request);
        let workload = &task.workload;
        assert_eq!(workload.level_count(), levels as usize);
        assert_eq!(workload.max_time_per_level.as_secs(), seconds, "{levels} levels");
        let level = workload.max_time_per_level + workload.drain + workload.max_warmup;
        let limit = task.search.timeout_per_iteration;
        assert!(limit >= level * levels, "{levels} levels: {limit:?}");
        assert!(limit.as_secs() <= (level * levels).as_secs().max(600));
    };
    check(1, 60);
    check(3, 30);
    check(9, 10);
    check(12, 10);
}

#[test]
fn the_engine_is_guessed_from_the_model() {
    let check = |model: &str, expected: EngineKind| {
        let request = Request {
            model: model.into(),
            engine: None,
            ..request("vllm")
        };
        assert_eq!(made(&request).1.engine, expected, "{model}");
    };
    check("Qwen/Qwen2.5-7B-Instruct", EngineKind::Vllm);
    check("models/small.gguf", EngineKind::LlamaCpp);
    check("models/Small.GGUF", EngineKind::LlamaCpp);
    check("ggml-org/gemma-3-1b-it-GGUF", EngineKind::LlamaCpp);
    check("org/Llama-3.2-1B-GGUF:Q4_K_M", EngineKind::LlamaCpp);
    check("gguf-notes", EngineKind::Vllm);
}

#[test]
fn objectives_have_short_and_long_names() {
    let check = |word: &str, expected: ObjectiveWord| {
        assert_eq!(goal::objective(Some(word)), Ok(expected), "{word}");
    };
    check("throughput", ObjectiveWord::MaximizeThroughput);
    check("Latency", ObjectiveWord::MinimizeLatency);
    check("ttft", ObjectiveWord::MinimizeTtft);
    check("minimize-tpot", ObjectiveWord::MinimizeTpot);
    check("maximize_throughput", ObjectiveWord::MaximizeThroughput);
    let problem = goal::objective(Some("thoughput"))
        .expect_err("unknown")
        .to_string();
    assert_eq!(
        problem,
        "objective: unknown objective \"thoughput\"; did you mean \"throughput\"?"
    );
}

#[test]
fn bounds_are_read_in_either_order_and_in_both_units() {
    let check = |words: &[&str], expected: serde_json::Value| {
        let spec = slo::parse(&texts(words)).unwrap_or_else(|problems| panic!("{problems:#?}"));
        assert_eq!(
            serde_json::to_value(spec).expect("text keys"),
            expected,
            "{words:?}"
        );
    };
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
    check(&[], json("null"));
    check(&["ttft=0.5"], json(r#"{"ttft": {"threshold": 0.5}}"#));
    check(&["tpot = 50 ms"], json(r#"{"tpot": {"threshold": 0.05}}"#));
    check(
        &["e2e:p90<=2", "ttft:p99 <= 500ms"],
        json(r#"{"latency": {"p90": {"threshold": 2.0}}, "ttft": {"p99": {"threshold": 0.5}}}"#),
    );
    check(
        &["p99.latency=5s"],
        json(r#"{"latency": {"p99": {"threshold": 5.0}}}"#),
    );
    check(
        &["ttft=1", "TTFT.p95=1500ms", "p50.ttft=.2", "mean.tpot=.1"],
        json(
            r#"{"ttft": {"threshold": 1.0, "p50": {"threshold": 0.2}, "p95": {"threshold": 1.5}},
                "tpot": {"threshold": 0.1}}"#,
        ),
    );
}

#[test]
fn what_is_no_bound_is_refused_with_the_accepted_forms() {
    let check = |words: &[&str], parts: &[&str]| {
        let problems = slo::parse(&texts(words)).expect_err("refused");
        let told = problems[0].to_string();
        for part in parts {
            assert!(told.contains(part), "{words:?}: {told}");
        }
    };
    check(&["ttft"], &["says no bound", "ttft=0.5"]);
    check(&["ttft=fast"], &["\"fast\"", "not a time above 0", "tpot=50ms"]);
    check(&["ttft=0"], &["not a time above 0"]);
    check(&["ttft=-1"], &["not a time above 0"]);
    check(&["ttft=inf"], &["not a time above 0"]);
    check(&["ttft=5m"], &["not a time above 0"]);
    check(&["latency=5"], &["without a percentile", "p99.latency=5"]);
    check(&["p98.latency=5"], &["\"p98\"", "did you mean \"p9"]);
    check(&["tftt=5"], &["\"tftt\"", "no metric"]);
    check(&["p99=5"], &["names no metric"]);
    check(&["ttft.tpot=5"], &["two metrics"]);
    check(&["ttft=1", "ttft=2"], &["a second time"]);
}

#[test]
fn values_are_lists_and_ranges() {
    let check = |text: &str, expected: &str| {
        let spec = values::parameter(text).expect(text);
        assert_eq!(
            serde_json::to_string(&spec).expect("text keys"),
            expected,
            "{text}"
        );
    };
    check("8,16,32", "[8,16,32]");
    check("8", "[8]");
    check("0.8, 0.9", "[0.8,0.9]");
    check("true,false,null", "[true,false,null]");
    check("on,off", r#"["on","off"]"#);
    check("-1,nan,1x", r#"[-1,"nan","1x"]"#);
    check("../a", r#"["../a"]"#);
    check("8..64", r#"{"type":"integer","low":8,"high":64}"#);
    check("8..64:8", r#"{"type":"integer","low":8,"high":64,"step":8}"#);
    check("8..64:log", r#"{"type":"integer","low":8,"high":64,"log":true}"#);
    check("0.8..0.95", r#"{"type":"continuous","low":0.8,"high":0.95}"#);
    check(
        "1..2.5:log",
        r#"{"type":"continuous","low":1.0,"high":2.5,"log":true}"#,
    );
    let refuse = |text: &str, part: &str| {
        let told = values::parameter(text).expect_err(text);
        assert!(told.contains(part), "{text}: {told}");
    };
    refuse("8,,16", "empty value");
    refuse("", "empty value");
    refuse("8..x", "\"x\"");
    refuse("8..64:0", "neither a step nor");
    refuse("0.1..0.2:0.1", "has no steps");
}

#[test]
fn a_change_finds_its_parameter_however_it_is_spelt() {
    let with = |set: &[&str], fix: &[&str], unset: &[&str]| Request {
        set: texts(set),
        fix: texts(fix),
        unset: texts(unset),
        gpus: Some(4),
        ..request("vllm")
    };
    let set = parameters(&with(&["tp=2,4", "block-size=16,32"], &[], &[]));
    assert_eq!(set["tensor-parallel-size"], serde_json::json!([2, 4]));
    assert_eq!(set["block-size"], serde_json::json!([16, 32]));
    assert_eq!(set.get("tp"), None);

    let (fixed, task) = made(&with(
        &[],
        &["--max_num_seqs=64", "enforce-eager", "env.A=0.50", "env.B="],
        &[],
    ));
    assert_eq!(fixed.spec.constraints, ["{max-num-batched-tokens} >= 64"]);
    assert_eq!(task.settings.args, ["--max-num-seqs", "64", "--enforce-eager"]);
    assert_eq!(task.settings.env["A"], "0.50");
    assert_eq!(task.settings.env["B"], "");

    let (unset, _) = made(&with(&[], &[], &["max_num_batched_tokens"]));
    assert_eq!(unset.spec.constraints, [""; 0]);
    assert_eq!(
        unset.spec.to_value()["parameters"].get("max-num-batched-tokens"),
        None
    );
}

#[test]
fn a_negated_switch_is_put_into_conditions_the_right_way_round() {
    let constraints = |fix: &[&str]| {
        let request = Request {
            fix: texts(fix),
            ..request("vllm")
        };
        made(&request).0.spec.constraints
    };
    let both = "{max-num-batched-tokens} >= {max-num-seqs}";
    assert_eq!(
        constraints(&["max-model-len=4096"]),
        [
            both,
            "{enable-chunked-prefill} or {max-num-batched-tokens} >= 4096"
        ]
    );
    assert_eq!(
        constraints(&["max-model-len=4096", "no-enable-chunked-prefill"]),
        [both, "false or {max-num-batched-tokens} >= 4096"]
    );
}

#[test]
fn changes_that_make_no_sense_are_refused_together() {
    let request = Request {
        set: texts(&["port=1", "max-num-seqs=true", "x", "=1"]),
        ..request("vllm")
    };
    let told = refused(&request);
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(
        told[0].contains("\"x\" gives no values; write NAME=8,16,32"),
        "{told:#?}"
    );
    assert!(told[1].contains("names no parameter"), "{told:#?}");

    let request = Request {
        set: texts(&["port=1", "max-num-seqs=true", "tp=1"]),
        fix: texts(&["tensor-parallel-size=2"]),
        unset: texts(&["max-num-batched-token", "moon"]),
        ..request
    };
    let told = refused(&request).join("\n");
    for part in [
        "fix: tensor-parallel-size is changed a second time",
        "unset: \"max-num-batched-token\" is not among the parameters; did you mean \"max-num-batched-tokens\"?",
        "unset: \"moon\" is not among the parameters; the parameters are max-num-seqs",
        "set: --port is set by the product",
        "set: --max-num-seqs takes a value, and true is none",
    ] {
        assert!(told.contains(part), "no {part:?} in\n{told}");
    }
}

#[test]
fn a_flag_that_looks_misspelt_is_remarked_on() {
    let request = Request {
        set: texts(&["max-num-batched-token=1,2"]),
        ..request("vllm")
    };
    let (tuning, _) = made(&request);
    let remark =
        "\"max-num-batched-token\" is no flag of vllm that we know; did you mean max-num-batched-tokens?";
    assert!(
        tuning.notes.iter().any(|note| note.starts_with(remark)),
        "{:?}",
        tuning.notes
    );
}

#[test]
fn what_may_change_answers_is_told() {
    let notes = |engine: &str, unset: &[&str]| {
        let request = Request {
            unset: texts(unset),
            ..request(engine)
        };
        made(&request).0.notes.join("\n")
    };
    let check = |engine: &str, unset: &[&str], is_told: bool| {
        let notes = notes(engine, unset);
        assert_eq!(
            notes.contains("may change answers"),
            is_told,
            "{engine} {unset:?}: {notes}"
        );
    };
    check("vllm", &[], true);
    check("vllm", &["kv-cache-dtype"], false);
    check("llamacpp", &["cache-type-k"], true);
    check("llamacpp", &["cache-type-k", "cache-type-v"], false);
    check("sim", &[], false);
}

#[test]
fn where_engines_run_follows_from_what_is_there() {
    let check = |request: Request, mode: DeploymentMode, part: &str| {
        let (tuning, task) = made(&request);
        assert_eq!(task.deployment, mode, "{request:?}");
        assert!(
            tuning.notes.iter().any(|note| note.contains(part)),
            "{:?}",
            tuning.notes
        );
    };
    check(request("vllm"), DeploymentMode::Docker, "usually installed");
    check(request("sim"), DeploymentMode::Local, "part of this program");
    check(request("llamacpp"), DeploymentMode::Docker, "not on PATH");
    let here = Request {
        programs_here: vec![EngineKind::LlamaCpp, EngineKind::Vllm],
        ..request("llamacpp")
    };
    check(here.clone(), DeploymentMode::Local, "on PATH");
    let with_image = Request {
        image: Some("x/y:1".into()),
        ..here.clone()
    };
    check(with_image, DeploymentMode::Docker, "an image was named");
    let with_program = Request {
        program: Some("./vllm".into()),
        ..request("vllm")
    };
    check(with_program.clone(), DeploymentMode::Local, "a program was named");
    let asked = Request {
        deployment: Some(DeploymentMode::Docker),
        ..here
    };
    check(asked, DeploymentMode::Docker, "bayesian");

    let refuse = |request: Request, part: &str| {
        let told = refused(&request);
        assert!(told[0].contains(part), "{told:?}");
    };
    let both = Request {
        image: Some("x".into()),
        ..with_program.clone()
    };
    refuse(both, "image: an image is for docker and a program for local");
    let program_in_docker = Request {
        deployment: Some(DeploymentMode::Docker),
        ..with_program
    };
    refuse(program_in_docker, "program: only the local mode");
    let image_as_process = Request {
        deployment: Some(DeploymentMode::Local),
        image: Some("x".into()),
        ..request("vllm")
    };
    refuse(image_as_process, "image: the local mode starts a program");
}

#[test]
fn a_task_for_a_cluster_says_what_its_pods_need_and_nothing_of_this_machine() {
    let of = |engine: &str| Request {
        deployment: Some(DeploymentMode::Kubernetes),
        gpus: Some(2),
        cpus: Some(7.5),
        memory: Some("48GiB".into()),
        ..request(engine)
    };
    let (tuning, task) = made(&of("vllm"));
    assert_eq!(task.deployment, DeploymentMode::Kubernetes);
    assert_eq!(task.resources.cpus, Some(7.5));
    assert_eq!(task.resources.memory_bytes, Some(48 << 30));
    let told = tuning.notes.join("\n");
    assert!(told.contains("for 2 GPUs, of whatever kind"), "{told}");

    let both = Request {
        image: Some("my/vllm:1".into()),
        program: Some("/opt/vllm".into()),
        ..of("vllm")
    };
    let (_, task) = made(&both);
    assert_eq!(task.settings.program.as_deref(), Some("/opt/vllm"));
    let (tuning, task) = made(&of("llamacpp"));
    assert_eq!(task.settings.program.as_deref(), Some("/app/llama-server"));
    assert!(
        tuning.notes.iter().any(|note| note.contains("/app/llama-server")),
        "{:?}",
        tuning.notes
    );

    let refuse = |request: Request, part: &str| {
        let told = refused(&request);
        assert!(told[0].contains(part), "{told:?}");
    };
    let unknown = Request {
        image: Some("my/llama:1".into()),
        ..of("llamacpp")
    };
    refuse(unknown, "program: in a cluster the engine's program");
    // This machine has two, and is no node.
    let unsaid = Request {
        gpus: None,
        hardware: machine_with("NVIDIA L40S", 2),
        ..of("vllm")
    };
    refuse(
        unsaid,
        "gpus: vllm wants a GPU, and what the cluster has is not looked at",
    );
    let odd = Request {
        memory: Some("much".into()),
        ..of("vllm")
    };
    refuse(odd, "resources.memory");
}

#[test]
fn an_engine_for_gpus_wants_to_be_told_where_there_are_none() {
    let without = |engine: &str, gpus: Option<u32>| Request {
        hardware: Hardware::default(),
        gpus,
        ..request(engine)
    };
    let told = refused(&without("vllm", None));
    assert!(told[0].starts_with("gpus: vllm wants a GPU"), "{told:?}");
    assert!(refused(&without("tensorrt-llm", Some(0)))[0].contains("runs on GPUs alone"));
    let (_, task) = made(&without("vllm", Some(0)));
    assert_eq!(task.resources.gpus, Some(0));
    let (_, task) = made(&without("vllm", Some(2)));
    assert_eq!(task.resources.gpus, None);
}

#[test]
fn the_space_follows_the_machine_and_the_goal() {
    let names = |request: &Request| -> Vec<String> {
        let parameters = parameters(request);
        parameters
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    };
    let on = |hardware: Hardware, objective: &str| Request {
        hardware,
        objective: Some(objective.into()),
        ..request("vllm")
    };
    let has = |names: &[String], name: &str| names.iter().any(|known| known == name);
    let one = names(&on(machine_with("Tesla T4", 1), "ttft"));
    assert!(
        !has(&one, "kv-cache-dtype") && !has(&one, "tensor-parallel-size"),
        "{one:?}"
    );
    let four = names(&on(machine_with("NVIDIA L40S", 4), "ttft"));
    assert!(
        has(&four, "kv-cache-dtype") && has(&four, "data-parallel-size"),
        "{four:?}"
    );
    let four = names(&on(machine_with("NVIDIA L40S", 4), "throughput"));
    assert!(
        has(&four, "tensor-parallel-size") && !has(&four, "data-parallel-size"),
        "{four:?}"
    );
    let three = parameters(&on(machine_with("NVIDIA L40S", 3), "throughput"));
    assert_eq!(three["tensor-parallel-size"], serde_json::json!([1, 2]));
}

#[test]
fn llama_cpp_gets_a_context_that_holds_every_slot() {
    let args = |change: fn(&mut Request)| {
        let mut request = Request {
            workload: texts(&["D(1000,200)"]),
            hardware: Hardware {
                gpus: Vec::new(),
                cpus: 8,
                memory_bytes: 64 << 30,
            },
            ..request("llamacpp")
        };
        change(&mut request);
        let (tuning, task) = made(&request);
        (task.settings.args.join(" "), tuning.spec.constraints.join("; "))
    };
    let check = |change: fn(&mut Request), expected: &str, condition: &str| {
        let (args, constraints) = args(change);
        assert_eq!(args, expected);
        assert!(constraints.ends_with(condition), "{constraints}");
    };
    // 1264 tokens, rounded up to 1280, for each of 4 slots.
    check(|_| (), "--ctx-size 5120", "");
    check(
        |request| request.set = texts(&["np=2,16"]),
        "--ctx-size 20480",
        "",
    );
    check(|request| request.set = texts(&["np=1..3"]), "--ctx-size 3840", "");
    check(
        |request| request.fix = texts(&["parallel=3"]),
        "--parallel 3 --ctx-size 3840",
        "",
    );
    check(
        |request| request.unset = texts(&["parallel"]),
        "--ctx-size 5120",
        "",
    );
    check(|request| request.fix = texts(&["c=9000"]), "--ctx-size 9000", "");
    check(
        |request| request.set = texts(&["ctx-size=4096,8192"]),
        "",
        "{ctx-size} >= {parallel} * 1280",
    );
    check(
        |request| request.gpus = Some(1),
        "--n-gpu-layers 999 --ctx-size 20480",
        "",
    );
    check(
        |request| {
            request.gpus = Some(1);
            request.set = texts(&["ngl=10,999"]);
        },
        "--ctx-size 20480",
        "",
    );
}

#[test]
fn the_budget_decides_between_all_and_some() {
    let strategy = |set: &[&str], budget: u32| {
        let request = Request {
            set: texts(set),
            budget: Some(budget),
            unset: texts(&["gpu-memory-utilization", "kv-cache-dtype"]),
            ..request("sim")
        };
        made(&request).1.search.strategy
    };
    let small = ["max-num-seqs=4,8", "max-num-batched-tokens=256,512"];
    assert_eq!(strategy(&small, 4), crate::search::StrategyKind::Grid);
    // Too few for a model to learn anything.
    assert_eq!(strategy(&small, 3), crate::search::StrategyKind::Random);
    let large = [
        "max-num-seqs=4,8,16,32",
        "max-num-batched-tokens=256,512,1024,2048",
    ];
    assert_eq!(strategy(&large, 15), crate::search::StrategyKind::Bayesian);
}

#[test]
fn a_request_s_own_figures_are_kept() {
    let request = Request {
        concurrency: vec![1, 7],
        seconds_per_level: Some(3.0),
        requests_per_level: Some(9),
        budget: Some(5),
        seed: Some(11),
        name: Some("mine".into()),
        timeout: Some(77.0),
        image: Some("x/y:1".into()),
        ..request("sglang")
    };
    let (_, task) = made(&request);
    assert_eq!(task.name, "mine");
    assert_eq!(task.workload.concurrency, [1, 7]);
    assert_eq!(task.workload.max_time_per_level.as_secs(), 3);
    assert_eq!(task.workload.max_requests_per_level, 9);
    assert_eq!(task.search.max_iterations, 5);
    assert_eq!(task.search.seed, 11);
    assert_eq!(task.search.timeout_per_iteration.as_secs(), 77);
    assert_eq!(task.settings.image.as_deref(), Some("x/y:1"));
}

#[test]
fn what_only_the_document_knows_to_be_wrong_is_refused_too() {
    let check = |request: Request, part: &str| {
        let told = refused(&request).join("\n");
        assert!(told.contains(part), "no {part:?} in {told}");
    };
    check(
        Request {
            budget: Some(0),
            ..request("sim")
        },
        "optimization.max_iterations",
    );
    check(
        Request {
            concurrency: vec![0],
            ..request("sim")
        },
        "benchmark.num_concurrency[0]",
    );
    check(
        Request {
            model: String::new(),
            ..request("sim")
        },
        "model.id_or_path",
    );
    check(
        Request {
            name: Some("a/b".into()),
            ..request("sim")
        },
        "task_name",
    );
    check(
        Request {
            set: texts(&["max-num-seqs=9..1"]),
            ..request("sim")
        },
        "ends before it begins",
    );
    check(
        Request {
            image: Some("a b".into()),
            ..request("vllm")
        },
        "engine.image",
    );
    check(
        Request {
            fix: texts(&["env.VLLM_API_KEY=x"]),
            ..request("vllm")
        },
        "VLLM_API_KEY",
    );
    check(
        Request {
            fix: texts(&["tp=two"]),
            ..request("vllm")
        },
        "no size",
    );
}

#[test]
fn unknown_words_are_refused_together() {
    let request = Request {
        objective: Some("balanced".into()),
        slos: texts(&["x=1"]),
        workload: texts(&["chatt"]),
        ..request("vlm")
    };
    let told = refused(&request);
    assert_eq!(told.len(), 4, "{told:#?}");
    assert!(told[0].contains("did you mean \"vllm\"?"), "{told:#?}");
    assert!(told[3].contains("did you mean \"chat\"?"), "{told:#?}");
    let check = |words: &[&str], part: &str| {
        let told = workloads::traffic(&texts(words))
            .expect_err("refused")
            .to_string();
        assert!(told.contains(part), "{told}");
    };
    check(&["chat", "D(1,1)"], "stands alone");
    check(&["D(1)"], "needs D(in,out)");
    check(&["moon"], "use one of chat, rag, code, summarise, batch");
    assert!(workloads::traffic(&texts(&["Summarize"])).is_ok());
}

#[test]
fn a_custom_engine_needs_a_task_file() {
    let told = refused(&request("custom"));
    assert!(told[0].contains("write a task file"), "{told:?}");
}

#[test]
fn names_are_made_of_model_engine_and_workload() {
    let check = |model: &str, expected: &str| {
        let request = Request {
            model: model.into(),
            ..request("sim")
        };
        assert_eq!(made(&request).1.name, expected);
    };
    check("Qwen/Qwen2.5-7B-Instruct", "Qwen2.5-7B-Instruct-sim-chat");
    check("/models/small.gguf", "small-sim-chat");
    check("../..", "model-sim-chat");
    check("a b:c/", "a-b-c-sim-chat");
    check(&"x".repeat(500), &format!("{}-sim-chat", "x".repeat(100)));
}

#[test]
fn the_task_for_each_engine_is_as_its_snapshot_says() {
    let on_cpu = Hardware {
        gpus: Vec::new(),
        cpus: 8,
        memory_bytes: 32 << 30,
    };
    let h100 = || machine_with("NVIDIA H100 80GB HBM3", 2);
    let check = |name: &str, engine: &str, hardware: Hardware| {
        let request = Request {
            slos: texts(&["ttft=0.5", "p99.latency=20"]),
            hardware,
            ..request(engine)
        };
        let (Tuning { spec, notes }, _) = made(&request);
        insta::assert_snapshot!(name, format!("{}\n---\n{}", notes.join("\n"), spec.to_yaml()));
    };
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        check("chat-vllm", "vllm", h100());
        check("chat-sglang", "sglang", h100());
        check("chat-tensorrt-llm", "tensorrt-llm", h100());
        check("chat-llamacpp-gpu", "llamacpp", h100());
        check("chat-llamacpp-cpu", "llamacpp", on_cpu.clone());
        check("chat-sim", "sim", on_cpu.clone());
    });
}

#[test]
fn changes_leave_a_space_in_which_something_can_be_tried() {
    let list = |request: &Request, name: &str| parameters(request)[name].clone();
    let with = |engine: &str, set: &[&str], fix: &[&str]| Request {
        set: texts(set),
        fix: texts(fix),
        ..request(engine)
    };
    // Graphs for more requests than run at once are never captured.
    let sizes = |request: &Request| list(request, "cuda-graph-max-bs");
    assert_eq!(sizes(&request("sglang")), serde_json::json!([32, 64, 128, 256]));
    assert_eq!(
        sizes(&with("sglang", &[], &["max-running-requests=16"])),
        serde_json::json!([2, 4, 8, 16])
    );
    assert_eq!(
        sizes(&with("sglang", &["max-running-requests=8,12"], &[])),
        serde_json::json!([1, 2, 4, 8])
    );
    assert_eq!(
        sizes(&with("sglang", &["max-running-requests=8,64"], &[])),
        serde_json::json!([32, 64, 128, 256])
    );
    // However attention is switched on, a small cache may stand beside it.
    let types = |request: &Request| list(request, "cache-type-v");
    let (both, one) = (serde_json::json!(["f16", "q8_0"]), serde_json::json!(["f16"]));
    for (fix, expected) in [
        ("flash-attn=on", &both),
        ("flash-attn=true", &both),
        ("fa=auto", &both),
        ("flash-attn=off", &one),
        ("flash-attn=false", &one),
    ] {
        assert_eq!(types(&with("llamacpp", &[], &[fix])), *expected, "{fix}");
    }
    let (_, task) = made(&with("llamacpp", &["flash-attn=true,false"], &[]));
    let Size::Finite(size) = task.space.size() else {
        panic!("finite")
    };
    let small = |candidate: &Candidate| candidate.get("cache-type-v") == Some(&"q8_0".into());
    let mut possible = (0..size).filter_map(|rank| task.space.nth(rank));
    assert!(possible.any(|candidate| task.space.allows(&candidate) && small(&candidate)));
}

#[test]
fn sizes_beyond_the_gpus_are_told_or_refused() {
    let with = |set: &[&str], fix: &[&str]| Request {
        gpus: Some(2),
        set: texts(set),
        fix: texts(fix),
        ..request("vllm")
    };
    let says = |request: &Request| {
        let notes = made(request).0.notes;
        notes.iter().any(|note| note.contains("need more than 2 GPUs"))
    };
    assert!(!says(&with(&[], &[])));
    assert!(!says(&with(&["tp=1,2"], &[])));
    assert!(says(&with(&["tp=1,2,4"], &[])));
    assert_eq!(
        refused(&with(&[], &["tp=4"])),
        [
            "gpus: is 2, and every configuration needs at least 4 GPUs; tune for more, or lower the parallel sizes"
        ]
    );
}

#[test]
fn an_image_for_gpus_is_told_of_where_there_are_none() {
    let says = |request: &Request| made(request).0.notes.iter().any(|note| note.contains("--image"));
    let without_gpus = |engine: &str| Request {
        gpus: Some(0),
        ..request(engine)
    };
    assert!(says(&without_gpus("vllm")));
    assert!(says(&without_gpus("sglang")));
    assert!(says(&Request {
        hardware: machine_with("AMD Instinct MI300X", 1),
        ..request("vllm")
    }));
    assert!(says(&Request {
        hardware: machine_with("AMD Instinct MI300X", 1),
        ..request("llamacpp")
    }));
    assert!(!says(&request("vllm")));
    assert!(!says(&without_gpus("llamacpp")));
    assert!(!says(&Request {
        image: Some("vllm-for-cpus:1".into()),
        ..without_gpus("vllm")
    }));
    assert!(!says(&Request {
        deployment: Some(DeploymentMode::Local),
        ..without_gpus("vllm")
    }));
}

#[test]
fn small_caches_are_tried_where_gpus_compute_with_them() {
    let check = |name: &str, expected: bool| {
        let request = Request {
            hardware: machine_with(name, 1),
            ..request("vllm")
        };
        assert_eq!(
            parameters(&request).get("kv-cache-dtype").is_some(),
            expected,
            "{name}"
        );
    };
    check("NVIDIA GeForce RTX 4090", true);
    check("NVIDIA RTX 4000 Ada Generation", true);
    check("NVIDIA L4", true);
    check("Quadro RTX 4000", false);
    check("NVIDIA A100-SXM4-80GB", false);
    check("NVIDIA GeForce RTX 3090", false);
}

#[test]
fn steps_of_tensorrt_llm_hold_the_longest_prompt() {
    for workload in ["chat", "summarise", "D(100000,10)"] {
        let (tuning, _) = made(&Request {
            workload: texts(&[workload]),
            ..request("tensorrt-llm")
        });
        let parameters = &tuning.spec.to_value()["parameters"];
        let low = parameters["max_num_tokens"]["low"].as_u64().expect("a number");
        let longest = match workload {
            "chat" => 512 + 4 * 256,
            "summarise" => 6_144 + 4 * 2_048,
            _ => 100_000,
        };
        assert!(low >= longest, "{workload}: {low}");
        assert_eq!(parameters.get("enable_chunked_prefill"), None);
    }
}
