//! One wrong thing at a time, and everything wrong at once.

use serde_json::{Value, json};

use super::{a_document, problems_of, set, warnings_of, with, without};

/// Sets one value in a sound document and tells what is said of it.
fn check(path: &str, value: Value, expected: &[&str]) {
    assert_eq!(
        problems_of(&with(path, value.clone())),
        expected,
        "{path}: {value}"
    );
}

#[test]
fn one_answer_a_request() {
    let says = "benchmark.additional_params.n: is 2; one answer a request is measured; \
                leave it out, and raise num_concurrency for more load";
    check("benchmark/additional_params", json!({"n": 2}), &[says]);
    check("benchmark/additional_params", json!({"n": "2"}), &[says]);
    check("benchmark/additional_params", json!({"n": 1}), &[]);
}

#[test]
fn a_pace_of_tokens_that_no_answer_has() {
    let one_token = |scenarios: Value, more: &[(&str, Value)]| {
        let mut document = with("benchmark/traffic_scenarios", scenarios);
        for (path, value) in more {
            set(&mut document, path, value.clone());
        }
        problems_of(&document)
    };
    let says = |path: &str, scenario: &str| {
        vec![format!(
            "{path}: answers of {scenario} are one token long, so they have no time per token; \
             ask for longer answers, or for another metric"
        )]
    };
    let objective = ("optimization/objective", json!("minimize_tpot"));
    let bound = ("slo", json!({"tpot": {"p90": {"threshold": 0.1}}}));
    let fixed = json!(["D(100,8)", "D(100,1)"]);
    let refused = says("optimization.objective", "D(100,1)");
    assert_eq!(
        one_token(fixed.clone(), std::slice::from_ref(&objective)),
        refused
    );
    assert_eq!(
        one_token(fixed.clone(), &[bound.clone(), objective.clone()]),
        refused
    );
    assert_eq!(
        one_token(fixed.clone(), std::slice::from_ref(&bound)),
        says("slo.tpot", "D(100,1)")
    );
    let uniform = json!(["U(1,8)/(1,1)"]);
    assert_eq!(
        one_token(uniform, std::slice::from_ref(&bound)),
        says("slo.tpot", "U(1,8)/(1,1)")
    );
    // Nobody asks for the pace, or nobody counts that level.
    assert!(one_token(fixed.clone(), &[]).is_empty());
    let weights = ("benchmark/level_weights", json!([1.0, 0.0]));
    assert!(one_token(fixed, &[bound, weights]).is_empty());
}

#[test]
fn names_and_runtime() {
    check(
        "task_name",
        json!(""),
        &["task_name: is empty; give the task a name of its own"],
    );
    check(
        "task_name",
        json!(7),
        &["task_name: expected text, found 7; put it in quotes"],
    );
    check(
        "task_name",
        json!("../up"),
        &[
            r#"task_name: "../up" cannot be part of a file name; leave out slashes, control characters and a leading dot"#,
        ],
    );
    check(
        "task_name",
        json!("a/b"),
        &[
            r#"task_name: "a/b" cannot be part of a file name; leave out slashes, control characters and a leading dot"#,
        ],
    );
    check(
        "task_name",
        json!(" a"),
        &["task_name: begins or ends with a space"],
    );
    check(
        "task_name",
        json!("a\nb"),
        &[
            r#"task_name: "a\nb" cannot be part of a file name; leave out slashes, control characters and a leading dot"#,
        ],
    );
    check(
        "task_name",
        json!("x".repeat(201)),
        &["task_name: has 201 characters; at most 200"],
    );
    check(
        "task_nam",
        json!("x"),
        &[r#"task_nam: unknown key "task_nam"; did you mean "task_name"?"#],
    );
    check(
        "wholly-strange",
        json!(1),
        &[
            r#"wholly-strange: unknown key "wholly-strange"; known keys here: task_name, description, deployment_mode, base_runtime, runtime_image_tag, runtime_image, model, parameters, constraints, optimization, benchmark, slo, engine, resources, quant_config, parallel_config, kubernetes, storage, clusterbasemodel_config, clusterservingruntime_config"#,
        ],
    );
    check(
        "description",
        json!(["x"]),
        &["description: expected text, found a list"],
    );
    check(
        "deployment_mode",
        json!("dokcer"),
        &[r#"deployment_mode: unknown deployment mode "dokcer"; did you mean "docker"?"#],
    );
    check(
        "deployment_mode",
        json!("k8s"),
        &[r#"deployment_mode: unknown deployment mode "k8s"; did you mean "kubernetes"?"#],
    );
    check(
        "deployment_mode",
        json!(1),
        &["deployment_mode: expected a deployment mode, found 1; use one of docker, local, kubernetes"],
    );
    check(
        "base_runtime",
        json!("vlm"),
        &[r#"base_runtime: unknown engine "vlm"; did you mean "vllm"?"#],
    );
    check(
        "base_runtime",
        json!("tensorrt"),
        &[r#"base_runtime: unknown engine "tensorrt"; did you mean "tensorrt-llm"?"#],
    );
    check(
        "base_runtime",
        json!("ollama"),
        &[
            r#"base_runtime: unknown engine "ollama"; use one of vllm, sglang, tensorrt-llm, llamacpp, sim, custom"#,
        ],
    );
    check(
        "base_runtime",
        json!("vllm-"),
        &[r#"base_runtime: unknown engine "vllm-"; did you mean "vllm"?"#],
    );
    check(
        "base_runtime",
        json!("custom"),
        &[
            "engine.program: is missing: custom has no usual program; give engine.program for the local mode or engine.image for docker",
        ],
    );
    check(
        "base_runtime",
        json!(1),
        &["base_runtime: expected text, found 1; put it in quotes"],
    );
    check(
        "runtime_image_tag",
        json!("vllm/vllm-openai:v1"),
        &[
            r#"runtime_image_tag: "vllm/vllm-openai:v1" is not an image tag; a tag is what follows the colon, for example v0.11.0; runtime_image names a whole image"#,
        ],
    );
    check(
        "runtime_image",
        json!("--privileged"),
        &[r#"runtime_image: "--privileged" is not an image reference; for example vllm/vllm-openai:v0.11.0"#],
    );
    check(
        "model",
        json!("Qwen/Qwen3"),
        &[
            r#"model: expected an object with the key id_or_path, found the text "Qwen/Qwen3"; write { id_or_path: "Qwen/Qwen3" }"#,
        ],
    );
    check("model/id_or_path", json!(""), &["model.id_or_path: is empty"]);
    check(
        "model/name",
        json!("other"),
        &[r#"model.name: means the same as "id_or_path", which is given too; leave one of them away"#],
    );
    check(
        "model/namespace",
        json!("a b"),
        &[
            r#"model.namespace: "a b" cannot be the prefix of a container name; use at most 63 letters, digits, dashes, dots and underscores, a letter or digit first"#,
        ],
    );
    check(
        "model/ids",
        json!("x"),
        &[
            r#"model.ids: unknown key "ids"; known keys here: id_or_path, namespace, quantization, quantization_config"#,
        ],
    );
}

#[test]
fn parameters_and_constraints() {
    check(
        "parameters",
        json!([1]),
        &["parameters: expected an object with keys, found a list"],
    );
    check(
        "parameters/max-num-seqs",
        json!(8),
        &[
            "parameters.max-num-seqs: expected a list of values, or an object with a type such as integer, found 8; write [8] for one value",
        ],
    );
    check(
        "parameters/max-num-seqs",
        json!("lpm"),
        &[
            r#"parameters.max-num-seqs: expected a list of values, or an object with a type such as integer, found the text "lpm"; write ["lpm"] for one value"#,
        ],
    );
    check(
        "parameters/max-num-seqs",
        json!([]),
        &["parameters.max-num-seqs: has no values to choose from"],
    );
    check(
        "parameters/max-num-seqs",
        json!([[1]]),
        &[
            "parameters.max-num-seqs[0]: expected a single value, found a list; values are text, numbers, true, false or null",
        ],
    );
    check(
        "parameters/max-num-seqs",
        json!([1,{"a":1}]),
        &[
            "parameters.max-num-seqs[1]: expected a single value, found an object; values are text, numbers, true, false or null",
        ],
    );
    check(
        "parameters/max-num-seqs",
        json!([9_223_372_036_854_775_808_u64]),
        &["parameters.max-num-seqs[0]: expected a whole number below 2^63, found 9223372036854775808"],
    );
    check(
        "parameters/3x",
        json!([1]),
        &[
            r#"parameters.3x: "3x" cannot be a flag of an engine; write the flag's name, for example max-num-seqs or env.NAME"#,
        ],
    );
    check(
        "parameters/max-num-seqs",
        json!({"type":"intger","low":1,"high":2}),
        &[r#"parameters.max-num-seqs.type: unknown parameter type "intger"; did you mean "integer"?"#],
    );
    check(
        "parameters/max-num-seqs",
        json!({"low":1,"high":2}),
        &["parameters.max-num-seqs.type: is missing; use choice, integer, continuous or boolean"],
    );
    check(
        "parameters/max-num-seqs",
        json!({"type":"choice"}),
        &["parameters.max-num-seqs.values: is missing; list the values"],
    );
    check(
        "parameters/max-num-seqs",
        json!({"type":"choice","values":[]}),
        &["parameters.max-num-seqs: has no values to choose from"],
    );
    check(
        "parameters/max-num-seqs",
        json!({"type":"choice","values":[1],"choices":[1]}),
        &[],
    );
    check(
        "parameters/max-num-seqs",
        json!({"type":"choice","values":1}),
        &["parameters.max-num-seqs.values: expected a list, found 1; write [1]"],
    );
    check(
        "parameters/max-num-seqs",
        json!({"type":"integer","low":1}),
        &["parameters.max-num-seqs.high: is missing; a range has a low and a high end"],
    );
    check(
        "parameters/max-num-seqs",
        json!({"type":"integer","low":4,"high":2}),
        &["parameters.max-num-seqs: the range ends before it begins: 4 to 2"],
    );
    check(
        "parameters/max-num-seqs",
        json!({"type":"integer","low":1,"high":2,"step":0}),
        &["parameters.max-num-seqs: a step of 0 leads nowhere"],
    );
    check(
        "parameters/max-num-seqs",
        json!({"type":"integer","low":1.5,"high":2}),
        &["parameters.max-num-seqs.low: expected a whole number, found 1.5"],
    );
    check(
        "parameters/max-num-seqs",
        json!({"type":"integer","low":0,"high":2,"log":true}),
        &[
            "parameters.max-num-seqs: a logarithmic range begins above 0, not at 0",
            "parameters.max-num-seqs.low: max-num-seqs cannot be 0; it takes a whole number, at least 1",
        ],
    );
    check(
        "parameters/max-num-seqs",
        json!({"type":"integer","low":1,"high":2,"stp":1}),
        &[r#"parameters.max-num-seqs.stp: unknown key "stp"; did you mean "step"?"#],
    );
    check(
        "parameters/max-num-seqs",
        json!({"type":"integer","low":1,"high":2,"log":"yes"}),
        &[r#"parameters.max-num-seqs.log: expected true or false, found the text "yes""#],
    );
    check(
        "parameters/gpu-memory-utilization",
        json!({"type":"continuous","low":0.5,"high":0.9}),
        &[
            "parameters.gpu-memory-utilization: a continuous range has endlessly many values, so grid_search cannot list them; list the values to try, or use the strategy random_search or bayesian",
        ],
    );
    check(
        "parameters/max-num-seqs",
        json!({"type":"integer","low":1,"high":20001}),
        &[
            "optimization.max_iterations: the grid has 20001 configurations; a task of more than 10000 needs an explicit limit; set optimization.max_iterations to how many of them to measure",
        ],
    );
    check(
        "parameters/quantization-file",
        json!(["a\0b"]),
        &["parameters.quantization-file[0]: holds a NUL byte, which no argument can carry"],
    );
    check(
        "parameters/max_num_seqs",
        json!([1]),
        &["parameters.max_num_seqs: names the same flag as parameters.max-num-seqs"],
    );
    check(
        "parameters/--max-num-seqs",
        json!([1]),
        &["parameters.--max-num-seqs: names the same flag as parameters.max-num-seqs"],
    );
    check(
        "parameters/a b",
        json!([1]),
        &[
            r#"parameters.a b: "a b" cannot be a flag of an engine; write the flag's name, for example max-num-seqs or env.NAME"#,
        ],
    );
    check(
        "parameters/",
        json!([1]),
        &[
            r#"parameters.: "" cannot be a flag of an engine; write the flag's name, for example max-num-seqs or env.NAME"#,
        ],
    );
    check(
        "parameters/env.",
        json!([1]),
        &[
            r#"parameters.env.: "" is not the name of an environment variable; names are letters, digits and _, and do not begin with a digit"#,
        ],
    );
    check(
        "parameters/env.A-B",
        json!([1]),
        &[
            r#"parameters.env.A-B: "A-B" is not the name of an environment variable; names are letters, digits and _, and do not begin with a digit"#,
        ],
    );
    check(
        "parameters/__quant__gemm_dtype",
        json!(["fp8"]),
        &[
            r#"parameters.__quant__gemm_dtype: "__quant__gemm_dtype" cannot be a flag of an engine; write the flag's name, for example max-num-seqs or env.NAME"#,
        ],
    );
    check(
        "constraints",
        json!("{a} > 1"),
        &[r#"constraints: expected a list, found the text "{a} > 1"; write ["{a} > 1"]"#],
    );
    check(
        "constraints",
        json!(["{max-num-seqs} >", 5, "{max-num-seq} > 3"]),
        &[
            "constraints[1]: expected text, found 5; put it in quotes",
            "constraints[0]: a value is missing at column 17",
            "constraints[2]: names {max-num-seq}, which is not one of the parameters; did you mean {max-num-seqs}?",
        ],
    );
}

#[test]
fn parameters_that_the_engine_would_refuse() {
    let one = |name: &str, values: Value, says: &[&str]| {
        let path = format!("parameters/{name}");
        let says: Vec<String> = says
            .iter()
            .map(|says| format!("parameters.{name}{says}"))
            .collect();
        let says: Vec<&str> = says.iter().map(String::as_str).collect();
        check(&path, values, &says);
    };
    one("max-num-seqs", json!([64, "128", 64.0, null]), &[]);
    one(
        "max_num_seqs",
        json!([64]),
        &[": names the same flag as parameters.max-num-seqs"],
    );
    one(
        "max-num-seqs",
        json!([64, 8, "many", 1.5, true, 0]),
        &[
            r#"[2]: max-num-seqs cannot be "many"; it takes a whole number, at least 1"#,
            "[3]: max-num-seqs cannot be 1.5; it takes a whole number, at least 1",
            "[4]: max-num-seqs cannot be true: it takes a value; give the value itself, or null to let the engine decide",
            "[5]: max-num-seqs cannot be 0; it takes a whole number, at least 1",
        ],
    );
    one(
        "gpu-memory-utilization",
        json!([0.9, 90]),
        &["[1]: gpu-memory-utilization cannot be 90; it takes a number, above 0, at most 1"],
    );
    one(
        "enforce_eager",
        json!([true, "False", 1]),
        &[
            "[2]: enforce-eager cannot be 1; it is on or off: write true or false, or null to let the engine decide",
        ],
    );
    one("max-model-len", json!(["32k", "auto", -1]), &[]);
    one(
        "port",
        json!([80]),
        &[
            ": --port is set by the product and cannot be set here; the product chooses the address; leave the flag out",
        ],
    );
    one(
        "tp",
        json!({"type": "integer", "low": 0, "high": 4}),
        &[".low: tensor-parallel-size cannot be 0; it takes a whole number, at least 1"],
    );
    one(
        "dtype",
        json!({"type": "integer", "low": 1, "high": 4}),
        &[": dtype is one of some words, and a range of numbers is not that; list the values to try"],
    );
    one(
        "swap-space",
        json!({"type": "boolean"}),
        &[
            ": swap-space cannot be true: it takes a value; give the value itself, or null to let the engine decide",
        ],
    );
}

#[test]
fn parameters_that_are_unlikely_to_be_meant() {
    let one = |engine: &str, name: &str, values: Value, says: &[&str]| {
        let mut document = with("base_runtime", json!(engine));
        document["parameters"] = json!({ name: values });
        assert_eq!(warnings_of(&document), says, "{engine} {name}");
    };
    one(
        "vllm",
        "max-num-seq",
        json!([8]),
        &[
            r#"parameters.max-num-seq: "max-num-seq" is no flag of vllm that we know; did you mean max-num-seqs? it is passed on as written; versions differ, and `autotuner engines vllm` lists what we know"#,
        ],
    );
    one(
        "sglang",
        "kv-cache-dtype",
        json!(["auto", "fp8_e5m3"]),
        &[
            r#"parameters.kv-cache-dtype[1]: "fp8_e5m3" is no value of kv-cache-dtype that we know; did you mean "fp8_e5m2"? known are auto, fp8_e5m2, fp8_e4m3, bf16, bfloat16, fp4_e2m1; versions differ"#,
        ],
    );
    one(
        "vllm",
        "gpu-memory-utilization",
        json!([0.9, 0.05]),
        &[
            "parameters.gpu-memory-utilization[1]: 0.05 is unusual for gpu-memory-utilization; 0.3 to 0.98 is usual; check that it is meant",
        ],
    );
    one("vllm", "a-flag-of-next-year", json!([8]), &[]);
    one("vllm", "compilation-config.level", json!([3]), &[]);
    one("vllm", "block-size", json!([16, "32"]), &[]);
    one("sglang", "tensor-parallel-size", json!([1]), &[]);
    one("llamacpp", "ngl", json!([0, "all"]), &[]);
}

#[test]
fn custom_engines_have_no_flags_that_we_know() {
    let mut document = with("base_runtime", json!("custom"));
    document["deployment_mode"] = json!("local");
    document["engine"] = json!({"program": "x", "args": ["{port}"]});
    document["parameters"] = json!({"max-num-seq": ["many", true], "port": [80]});
    assert_eq!(warnings_of(&document), Vec::<String>::new());
}

#[test]
fn optimization() {
    check(
        "optimization/strategy",
        json!("baysian"),
        &[r#"optimization.strategy: unknown strategy "baysian"; did you mean "bayesian"?"#],
    );
    check(
        "optimization/strategy",
        json!(1),
        &[
            "optimization.strategy: expected a strategy, found 1; use one of grid_search, random_search, sobol, tpe, bayesian",
        ],
    );
    check(
        "optimization/objective",
        json!("balanced"),
        &[
            r#"optimization.objective: unknown objective "balanced"; choose one of minimize_latency, maximize_throughput, minimize_ttft, minimize_tpot and put bounds on the others under slo"#,
        ],
    );
    check(
        "optimization/objective",
        json!("speed"),
        &[
            r#"optimization.objective: unknown objective "speed"; use one of minimize_latency, maximize_throughput, minimize_ttft, minimize_tpot"#,
        ],
    );
    check(
        "optimization/max_iterations",
        json!(0),
        &["optimization.max_iterations: is 0; at least 1 is needed"],
    );
    check(
        "optimization/max_iterations",
        json!(-1),
        &["optimization.max_iterations: expected a whole number of at least 0, found -1"],
    );
    check(
        "optimization/max_iterations",
        json!("30"),
        &[
            r#"optimization.max_iterations: expected a whole number, found the text "30"; leave the quotes away"#,
        ],
    );
    check(
        "optimization/max_iterations",
        json!(1.5),
        &["optimization.max_iterations: expected a whole number, found 1.5"],
    );
    check(
        "optimization/max_iterations",
        json!(5_000_000_000_u64),
        &["optimization.max_iterations: expected a smaller whole number, found 5000000000"],
    );
    check(
        "optimization/timeout_per_iteration",
        json!(0),
        &["optimization.timeout_per_iteration: is 0; a number above 0 is needed"],
    );
    check(
        "optimization/timeout_per_iteration",
        json!(-3.5),
        &["optimization.timeout_per_iteration: is -3.5; a number above 0 is needed"],
    );
    check(
        "optimization/timeout_per_iteration",
        json!(1000000000000.0),
        &[
            "optimization.timeout_per_iteration: is 1000000000000 seconds; at most 2592000 (30 days) are possible",
        ],
    );
    check(
        "optimization/n_initial_random",
        json!(-1),
        &["optimization.n_initial_random: expected a whole number of at least 0, found -1"],
    );
    check(
        "optimization/max_parallel_experiments",
        json!(0),
        &["optimization.max_parallel_experiments: is 0; at least 1 is needed"],
    );
    check(
        "optimization/seed",
        json!(-1),
        &["optimization.seed: expected a whole number of at least 0, found -1"],
    );
    check(
        "optimization/seed",
        json!("abc"),
        &[r#"optimization.seed: expected a whole number, found the text "abc""#],
    );
    check(
        "optimization/max_iteration",
        json!(1),
        &[r#"optimization.max_iteration: unknown key "max_iteration"; did you mean "max_iterations"?"#],
    );
    check(
        "optimization",
        json!("grid"),
        &[r#"optimization: expected an object with keys, found the text "grid""#],
    );
}

#[test]
fn benchmark() {
    check(
        "benchmark/task",
        json!("text-to-image"),
        &[
            r#"benchmark.task: unknown benchmark task "text-to-image"; use one of text-to-text, image-text-to-text, text-to-embeddings, text-to-rerank"#,
        ],
    );
    check(
        "benchmark/model_name",
        json!(""),
        &["benchmark.model_name: is empty"],
    );
    check(
        "benchmark/traffic_scenarios",
        json!("D(1,1)"),
        &[r#"benchmark.traffic_scenarios: expected a list, found the text "D(1,1)"; write ["D(1,1)"]"#],
    );
    check(
        "benchmark/traffic_scenarios",
        json!([]),
        &[
            r#"benchmark.traffic_scenarios: the list is empty; at least one scenario is needed; for example ["D(100,100)"]"#,
        ],
    );
    check(
        "benchmark/traffic_scenarios",
        json!(["D(1,1)", "D(0,1)", "A(5)", 3]),
        &[
            "benchmark.traffic_scenarios[3]: expected text, found 3; put it in quotes",
            r#"benchmark.traffic_scenarios[1]: scenario "D(0,1)" has a length of 0; lengths are at least 1 token"#,
            r#"benchmark.traffic_scenarios[2]: scenario "A(5)" is of kind A, audio: this load generator does not send it"#,
        ],
    );
    check(
        "benchmark/num_concurrency",
        json!(4),
        &["benchmark.num_concurrency: expected a list, found 4; write [4]"],
    );
    check(
        "benchmark/num_concurrency",
        json!([]),
        &[
            "benchmark.num_concurrency: the list is empty; at least one concurrency is needed; for example [1, 8]",
        ],
    );
    check(
        "benchmark/num_concurrency",
        json!([1, 0, "4", 100000, -2]),
        &[
            r#"benchmark.num_concurrency[2]: expected a whole number, found the text "4"; leave the quotes away"#,
            "benchmark.num_concurrency[4]: expected a whole number of at least 0, found -2",
            "benchmark.num_concurrency[1]: is 0; at least 1 is needed",
            "benchmark.num_concurrency[3]: is 100000; at most 60000",
        ],
    );
    check(
        "benchmark/max_time_per_iteration",
        json!(0),
        &["benchmark.max_time_per_iteration: is 0; a number above 0 is needed"],
    );
    check(
        "benchmark/max_requests_per_iteration",
        json!(0),
        &["benchmark.max_requests_per_iteration: is 0; at least 1 is needed"],
    );
    check(
        "benchmark/max_requests_per_iteration",
        json!(2000000),
        &["benchmark.max_requests_per_iteration: is 2000000; at most 1000000"],
    );
    check(
        "benchmark/additional_params",
        json!([]),
        &["benchmark.additional_params: expected an object with keys, found a list"],
    );
    check(
        "benchmark/additional_params",
        json!({"stream":false}),
        &[
            "benchmark.additional_params.stream: is set by the benchmark itself; answer lengths come from traffic_scenarios",
        ],
    );
    check(
        "benchmark/endpoint",
        json!("chats"),
        &[r#"benchmark.endpoint: unknown endpoint "chats"; did you mean "chat"?"#],
    );
    check(
        "benchmark/arrival",
        json!("closed"),
        &[r#"benchmark.arrival: expected an object with keys, found the text "closed""#],
    );
    check(
        "benchmark/arrival",
        json!({}),
        &["benchmark.arrival.type: is missing; use closed, the usual one"],
    );
    check(
        "benchmark/arrival",
        json!({"type":"poisson"}),
        &["benchmark.arrival.rate: is missing; give the requests to start in a second"],
    );
    check(
        "benchmark/arrival",
        json!({"type":"poisson","rate":0}),
        &["benchmark.arrival.rate: is 0; a number above 0 is needed"],
    );
    check(
        "benchmark/arrival",
        json!({"type":"poison"}),
        &[r#"benchmark.arrival.type: unknown arrival type "poison"; did you mean "poisson"?"#],
    );
    check(
        "benchmark/level_weights",
        json!([1, 2]),
        &[
            "benchmark.level_weights: has 2 weights, but there are 1 levels; a level is one scenario at one concurrency: give each its weight, or leave level_weights out",
        ],
    );
    check(
        "benchmark/level_weights",
        json!([0]),
        &["benchmark.level_weights: all weights are 0, so no level would count"],
    );
    check(
        "benchmark/level_weights",
        json!([-1]),
        &["benchmark.level_weights[0]: is -1; a number of at least 0 is needed"],
    );
    check(
        "benchmark/level_weights",
        json!(["a"]),
        &[r#"benchmark.level_weights[0]: expected a number, found the text "a""#],
    );
    check(
        "benchmark/dataset_url",
        json!("s3://bucket/x"),
        &[
            r#"benchmark.dataset_url: data sets are not fetched over "s3"; use https://, http://, file:// or a path"#,
        ],
    );
    check(
        "benchmark/dataset_deduplicate",
        json!("yes"),
        &[r#"benchmark.dataset_deduplicate: expected true or false, found the text "yes""#],
    );
    check(
        "benchmark/drain_seconds",
        json!(-1),
        &["benchmark.drain_seconds: is -1; a number of at least 0 is needed"],
    );
    check(
        "benchmark/request_timeout_seconds",
        json!(0),
        &["benchmark.request_timeout_seconds: is 0; a number above 0 is needed"],
    );
    check(
        "benchmark/warmup_requests",
        json!(-1),
        &["benchmark.warmup_requests: expected a whole number of at least 0, found -1"],
    );
    check(
        "benchmark/max_time_per_iterations",
        json!(1),
        &[
            r#"benchmark.max_time_per_iterations: unknown key "max_time_per_iterations"; did you mean "max_time_per_iteration"?"#,
        ],
    );
}

#[test]
fn slo() {
    check(
        "slo/latency",
        json!({"threshold":1}),
        &[r#"slo.latency.threshold: unknown key "threshold"; known keys here: p50, p90, p95, p99"#],
    );
    check(
        "slo/latency/p99",
        json!(5),
        &["slo.latency.p99: expected an object with keys, found 5"],
    );
    check(
        "slo/latency/p99",
        json!({"threshold":0}),
        &["slo.latency.p99.threshold: is 0; a number above 0 is needed"],
    );
    check(
        "slo/latency/p99",
        json!({"threshold":1,"weight":-1}),
        &["slo.latency.p99.weight: is -1; a number above 0 is needed"],
    );
    check(
        "slo/latency/p999",
        json!({"threshold":1}),
        &[r#"slo.latency.p999: unknown key "p999"; did you mean "p99"?"#],
    );
    check(
        "slo/ttft",
        json!({"threshold":"fast"}),
        &[r#"slo.ttft.threshold: expected a number, found the text "fast""#],
    );
    check(
        "slo/ttft",
        json!({"threshold":1,"percentile":"p80"}),
        &[r#"slo.ttft.percentile: unknown percentile "p80"; did you mean "p50"?"#],
    );
    check(
        "slo/ttft",
        json!({"threshold":1,"percentile":"p90","p90":{"threshold":2}}),
        &["slo.ttft.percentile: this percentile is bounded below its own key too; leave one of them away"],
    );
    check(
        "slo/steepness",
        json!(0),
        &["slo.steepness: is 0; a number above 0 is needed"],
    );
    check(
        "slo/mode",
        json!("exponential"),
        &[r#"slo.mode: unknown SLO mode "exponential"; did you mean "exponential-v1"?"#],
    );
    check(
        "slo/tpot",
        json!({"threshold":1,"fail_ratio":-0.1}),
        &["slo.tpot.fail_ratio: is -0.1; a number of at least 0 is needed"],
    );
    check(
        "slo/ttft",
        json!({"treshold":1}),
        &[r#"slo.ttft.treshold: unknown key "treshold"; did you mean "threshold"?"#],
    );
}

#[test]
fn engine_and_resources() {
    check("engine/program", json!(""), &["engine.program: is empty"]);
    check(
        "engine/args",
        json!("--x"),
        &[r#"engine.args: expected a list, found the text "--x"; write ["--x"]"#],
    );
    check(
        "engine/args",
        json!([["a"]]),
        &["engine.args[0]: expected text, found a list"],
    );
    check(
        "engine/env",
        json!({"A B":"c","D":null}),
        &[
            "engine.env.D: expected text, found null",
            r#"engine.env.A B: "A B" is not the name of an environment variable; names are letters, digits and _, and do not begin with a digit"#,
        ],
    );
    check(
        "engine/ready_path",
        json!("health"),
        &[r#"engine.ready_path: "health" does not begin with a slash; for example /health"#],
    );
    check(
        "engine/start_timeout",
        json!(0),
        &["engine.start_timeout: is 0; a number above 0 is needed"],
    );
    check(
        "engine/image",
        json!("a b"),
        &[r#"engine.image: "a b" is not an image reference; for example vllm/vllm-openai:v0.11.0"#],
    );
    check(
        "resources/gpus",
        json!(-1),
        &["resources.gpus: expected a whole number of at least 0, found -1"],
    );
    check(
        "resources/cpus",
        json!(0),
        &["resources.cpus: is 0; a number above 0 is needed"],
    );
    check(
        "resources/memory",
        json!("8g"),
        &[
            r#"resources.memory: "8g" is not an amount of memory; write a number above 0 and its unit, for example 8GiB or 500MB"#,
        ],
    );
    check(
        "resources/memory",
        json!(0),
        &[
            r#"resources.memory: "0B" is not an amount of memory; write a number above 0 and its unit, for example 8GiB or 500MB"#,
        ],
    );
}

#[test]
fn what_the_engine_refuses_whatever_a_configuration_says() {
    check(
        "engine/args",
        json!(["--port", 8000]),
        &[
            "engine.args: --port is set by the product and cannot be set here; the product chooses the address; leave \
           the flag out",
        ],
    );
    check(
        "engine/args",
        json!(["--tensor-parallel-size", "none"]),
        &["engine.args: --tensor-parallel-size is none, which is no size; give a whole number of at least 1"],
    );
    let devices = "engine.env.CUDA_VISIBLE_DEVICES: CUDA_VISIBLE_DEVICES follows from the GPUs that the experiment is given; \
                   leave it out; to keep to some GPUs, set CUDA_VISIBLE_DEVICES for the product itself";
    check("engine/env", json!({ "CUDA_VISIBLE_DEVICES": "0" }), &[devices]);
    check(
        "engine/env",
        json!({ "VLLM_API_KEY": "x" }),
        &[
            "engine.env.VLLM_API_KEY: VLLM_API_KEY is set by the product and cannot be set here; address, model and \
           key are the product's; leave the variable out",
        ],
    );
    // A parameter, however many values it has, and a value.
    check(
        "parameters",
        json!({ "env.PATH": ["/a", "/b"], "env.X": ["1", "2\n3"] }),
        &[
            "parameters.env.PATH: PATH decides which code the engine runs and cannot be set here; LD_LIBRARY_PATH may \
             be set in engine.env; for another program use engine.program",
            "parameters.env.X[1]: the value of X holds a line break or another control character; give it in one \
             line",
        ],
    );
    let mut document = with("base_runtime", json!("custom"));
    document["engine"] = json!({ "program": "x", "args": ["{port}"] });
    assert_eq!(
        problems_of(&document),
        [
            "engine.image: this engine has no usual image; name one in engine.image, or use deployment_mode local"
        ]
    );
    document["deployment_mode"] = json!("local");
    assert_eq!(problems_of(&document), [""; 0]);
}

#[test]
fn parts_for_later() {
    check(
        "quant_config/gemm_dtype",
        json!("fp9"),
        &[r#"quant_config.gemm_dtype: unknown type "fp9"; did you mean "fp8"?"#],
    );
    check(
        "quant_config/kvcache_dtype",
        json!([]),
        &["quant_config.kvcache_dtype: the list is empty; leave the key out"],
    );
    check(
        "quant_config/preset",
        json!("kv-cache-fp9"),
        &[r#"quant_config.presets: unknown preset "kv-cache-fp9"; did you mean "kv-cache-fp8"?"#],
    );
    check(
        "quant_config",
        json!({"preset":"default","moe_dtype":"fp8"}),
        &[
            "quant_config: gives presets and single types together; use either presets or the four *_dtype keys",
        ],
    );
    check(
        "parallel_config/tp",
        json!([1, 0]),
        &["parallel_config.tp: is 0; at least 1 is needed"],
    );
    check(
        "parallel_config/tp",
        json!("two"),
        &[r#"parallel_config.tp: expected a whole number, found the text "two""#],
    );
    check(
        "parallel_config/preset",
        json!("huge"),
        &[
            r#"parallel_config.presets: unknown preset "huge"; use one of single-gpu, high-throughput, large-model-tp, large-model-tp-pp, moe-optimized, long-context, balanced"#,
        ],
    );
    check(
        "parallel_config",
        json!({"preset":"balanced","tp":2}),
        &["parallel_config: gives presets and single sizes together; use either presets or sizes"],
    );
    check(
        "storage",
        json!({"type":"pvc"}),
        &["storage.pvc_name: is missing; name the persistent volume claim"],
    );
    check(
        "storage",
        json!({"type":"nfs","pvc_name":"x"}),
        &[r#"storage.type: unknown storage type "nfs"; use pvc"#],
    );
    check(
        "storage",
        json!({"type":"pvc","pvc_name":"x","mount_path":"a"}),
        &["storage.mount_path: is not an absolute path; for example /raid/models"],
    );
    check(
        "clusterbasemodel_config",
        json!({}),
        &["clusterbasemodel_config: has neither a preset nor a name; give a preset, or a name and a spec"],
    );
    check(
        "clusterbasemodel_config",
        json!({"preset":"llama-3-2-1b"}),
        &[
            r#"clusterbasemodel_config.preset: unknown preset "llama-3-2-1b"; use one of llama-3-2-1b-instruct, llama-3-2-3b-instruct, llama-3-1-70b-instruct, llama-3-3-70b-instruct, mistral-7b-instruct, mixtral-8x7b-instruct, deepseek-v3"#,
        ],
    );
    check(
        "clusterservingruntime_config",
        json!({"name":"x"}),
        &["clusterservingruntime_config.spec: is missing; an object without a preset needs its own spec"],
    );
    check(
        "clusterservingruntime_config",
        json!({"preset":"vllm-llama-small","spec":{}}),
        &[
            "clusterservingruntime_config.spec: is given, and so is a preset; leave one of them out, or put what \
             differs into overrides",
        ],
    );
    check(
        "clusterservingruntime_config",
        json!({"name":"x","spec":{"engineConfig":{"leader":{},"worker":{"size":1}}}}),
        &[
            "clusterservingruntime_config.spec.engineConfig.leader: is for engines over several nodes, which cannot \
             be tuned yet; describe the engine of one pod in engineConfig.runner",
        ],
    );
    check(
        "clusterbasemodel_config",
        json!({"preset":"deepseek-v3","labels":{"a":1,"b":[]},"name":"Deep"}),
        &[
            "clusterbasemodel_config.labels.b: is no text; put it in quotes",
            r#"clusterbasemodel_config.name: "Deep" cannot be a name in a cluster; use small letters, digits, dashes and dots, a letter or digit first and last"#,
        ],
    );
}

#[test]
fn affinities_of_pods() {
    let check = |affinity: Value, expected: &[&str]| {
        check("kubernetes", json!({ "affinity": affinity }), expected);
    };
    check(json!({ "nodeAffinity": {} }), &[]);
    check(
        json!({ "node_affinity": {} }),
        &[
            "kubernetes.affinity.node_affinity: is no affinity of a pod; write nodeAffinity, podAffinity or podAntiAffinity, each as a pod has it",
        ],
    );
}

#[test]
fn services_of_an_operator() {
    let check = |service: Value, expected: &[&str]| {
        check("kubernetes", json!({ "service": service }), expected);
    };
    check(json!({ "kind": "ome" }), &[]);
    check(
        json!({ "kind": "kserve", "runtime": "r", "model": "hf://a/b", "model_format": "vllm" }),
        &[],
    );
    check(
        json!("ome"),
        &[
            r#"kubernetes.service: expected an object with the key kind, found the text "ome"; write { kind: ome }"#,
        ],
    );
    check(
        json!({ "runtime": "r" }),
        &["kubernetes.service.kind: is missing; name the operator: ome or kserve"],
    );
    check(
        json!({ "kind": "kserv" }),
        &[r#"kubernetes.service.kind: unknown kind of service "kserv"; did you mean "kserve"?"#],
    );
    check(
        json!({ "kind": "ome", "runtime": "Small" }),
        &[
            r#"kubernetes.service.runtime: "Small" cannot be a name in a cluster; use small letters, digits, dashes and dots, a letter or digit first and last"#,
        ],
    );
    check(
        json!({ "kind": "kserve", "model": "llama" }),
        &[
            r#"kubernetes.service.model: "llama" is no address that KServe fetches from; write it like hf://org/name, pvc://claim/folder or s3://bucket/folder"#,
        ],
    );
    let mut document = with("base_runtime", json!("tensorrt-llm"));
    document["parameters"] = json!({});
    document["kubernetes"] = json!({ "service": { "kind": "ome", "model": "m" } });
    assert_eq!(
        problems_of(&document),
        [
            "kubernetes.service.model: TensorRT-LLM calls a model by the path that OME puts it at, which is not \
             known; leave it out, and name the model in model.id_or_path"
        ]
    );
    let mut document = with("clusterbasemodel_config", json!({ "preset": "deepseek-v3" }));
    document["kubernetes"] = json!({ "service": { "kind": "kserve", "model": "hf://a/b" } });
    assert_eq!(
        problems_of(&document),
        [
            "clusterbasemodel_config: is for OME, and kubernetes.service is of KServe; leave one of them out",
            r#"kubernetes.service.model: is "hf://a/b", and clusterbasemodel_config means deepseek-v3; leave one of them out"#,
        ]
    );
}

#[test]
fn missing_keys() {
    let check = |key: &str, expected: &str| assert_eq!(problems_of(&without(key)), [expected], "{key}");
    check(
        "task_name",
        "task_name: is missing; give the task a name of its own",
    );
    check(
        "base_runtime",
        "base_runtime: is missing; name the engine: vllm, sglang, tensorrt-llm, llamacpp, sim or custom",
    );
    check("model", "model: is missing; write model: { id_or_path: … }");
    check(
        "parameters",
        "parameters: is missing; write parameters: {} to measure the engine's defaults",
    );
    check(
        "optimization",
        "optimization: is missing; write optimization: {} for a grid search for the lowest latency",
    );
    check(
        "benchmark",
        "benchmark: is missing; write benchmark: {} for one level of D(100,100)",
    );
}

#[test]
fn something_else_altogether() {
    let check = |value: Value, expected: &str| assert_eq!(problems_of(&value), [expected], "{value}");
    check(
        json!(null),
        "expected a task document: an object with keys such as task_name, found null",
    );
    check(
        json!([1]),
        "expected a task document: an object with keys such as task_name, found a list",
    );
    check(
        json!({ "apiVersion": "ome.io/v1beta1", "kind": "ClusterBaseModel", "spec": {} }),
        "this is a Kubernetes manifest of kind ClusterBaseModel, not a task document; raw Kubernetes manifests are no task documents",
    );
    assert_eq!(problems_of(&json!({})).len(), 6);
}

#[test]
fn everything_wrong_is_told_at_once_and_nothing_else() {
    let mut document = a_document();
    set(&mut document, "optimization/strategy", json!("baysian"));
    set(&mut document, "optimization/max_iterations", json!("many"));
    set(&mut document, "benchmark/num_concurrency", json!([1, "x", 0]));
    // Two of three levels cannot be read, so nothing is said of their number of weights,
    set(&mut document, "benchmark/level_weights", json!([1.0]));
    // and with an unknown strategy nothing is said of ranges that a grid cannot list.
    let share = json!({ "type": "continuous", "low": 0.1, "high": 0.9 });
    set(&mut document, "parameters/share", share);
    set(&mut document, "slo/latency/p99/threshold", json!("fast"));
    set(&mut document, "colour", json!("blue"));
    set(&mut document, "model/id_or_path", json!(""));
    let paths: Vec<String> = problems_of(&document)
        .iter()
        .filter_map(|problem| Some(problem.split_once(':')?.0.to_owned()))
        .collect();
    assert_eq!(
        paths,
        [
            "optimization.strategy",
            "optimization.max_iterations",
            "benchmark.num_concurrency[1]",
            "slo.latency.p99.threshold",
            "colour",
            "model.id_or_path",
            "benchmark.num_concurrency[2]",
        ]
    );
}

#[test]
fn constraints_that_no_configuration_meets() {
    let check = |parameters: Value, constraints: Value, expected: &[&str]| {
        let mut document = with("parameters", parameters);
        set(&mut document, "constraints", constraints);
        set(&mut document, "optimization/strategy", json!("random_search"));
        assert_eq!(problems_of(&document), expected, "{document}");
    };
    let one = "constraints[1]: no configuration meets it; list other values, or change the condition";
    let seqs = json!({ "max-num-seqs": [8, 16], "max-num-batched-tokens": [4, 32] });
    check(
        seqs.clone(),
        json!(["{max-num-seqs} > 1", "{max-num-seqs} > 16"]),
        &[one],
    );
    check(
        seqs.clone(),
        json!([
            "{max-num-seqs} < {max-num-batched-tokens}",
            "{max-num-batched-tokens} < 10"
        ]),
        &[
            "constraints: no configuration meets all of them; list other values, or change one of the conditions",
        ],
    );
    check(seqs, json!(["{max-num-seqs} < {max-num-batched-tokens}"]), &[]);
    // Numbers are those of the document, and what cannot be read has one too.
    check(
        json!({ "max-num-seqs": [8, 16] }),
        json!(["{max-num-seqs} >", "{max-num-seqs} > 16"]),
        &["constraints[0]: a value is missing at column 17", one],
    );
    // What is left to the engine, or endless, is not judged.
    check(
        json!({ "max-num-seqs": [8, null] }),
        json!(["{max-num-seqs} > 16"]),
        &[],
    );
    let share = json!({ "gpu-memory-utilization": { "type": "continuous", "low": 0.5, "high": 0.9 } });
    check(share, json!(["{gpu-memory-utilization} > 1"]), &[]);
    let wide = json!({ "max-num-seqs": { "type": "integer", "low": 1, "high": 1_000_000 } });
    check(wide, json!(["{max-num-seqs} > 999999"]), &[]);
}

#[test]
fn constraints_are_few_enough_to_judge() {
    let check = |count: usize, condition: &str, expected: &[&str]| {
        let mut document = a_document();
        set(&mut document, "constraints", json!(vec![condition; count]));
        assert_eq!(problems_of(&document), expected, "{count}");
    };
    check(100, "{max-num-seqs} > 1", &[]);
    let many = "constraints: lists 101 conditions; at most 100 are possible; \
                leave out what the parameters' own values rule out, or join some with `and`";
    check(101, "{max-num-seqs} > 1", &[many]);
    check(101, "{max-num-seqs} >", &[many]);
}

#[test]
fn two_names_of_one_flag() {
    let check = |engine: &str, parameters: Value, expected: &[&str]| {
        let mut document = with("parameters", parameters);
        set(&mut document, "base_runtime", json!(engine));
        assert_eq!(problems_of(&document), expected, "{document}");
    };
    check(
        "vllm",
        json!({ "tp": [2], "--tensor-parallel-size": [4] }),
        &["parameters.--tensor-parallel-size: sets the same flag as tp; keep one of them"],
    );
    check(
        "vllm",
        json!({ "enable-prefix-caching": [true], "no-enable-prefix-caching": [true] }),
        &[
            "parameters.no-enable-prefix-caching: sets the same flag as enable-prefix-caching; keep one of them",
        ],
    );
    check(
        "llamacpp",
        json!({ "parallel": [2], "np": [4] }),
        &["parameters.np: sets the same flag as parallel; keep one of them"],
    );
    check("sglang", json!({ "tp": [2], "dp": [2] }), &[]);
}

#[test]
fn conditions_under_which_parameters_are_set() {
    let says = |when: Value, expected: &[&str]| {
        let parameters = json!({
            "max-num-seqs": [8, 16],
            "max-num-batched-tokens": { "type": "choice", "values": [512, 1024], "when": when }
        });
        check("parameters", parameters, expected);
    };
    says(json!("{max-num-seqs} > 8"), &[]);
    says(
        json!("{max-num-seqs} >"),
        &["parameters.max-num-batched-tokens.when: a value is missing at column 17"],
    );
    says(
        json!(true),
        &["parameters.max-num-batched-tokens.when: expected text, found true; put it in quotes"],
    );
    says(
        json!("{max-num-seq} > 8"),
        &[
            "parameters.max-num-batched-tokens: names {max-num-seq}, which is not one of the parameters; \
           did you mean {max-num-seqs}?",
        ],
    );
    says(
        json!("{max-num-batched-tokens} > 8"),
        &[
            "parameters.max-num-batched-tokens: is set when something is true that depends on itself; \
           name only parameters that are set without it",
        ],
    );
}
