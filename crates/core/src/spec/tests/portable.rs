//! `quant_config` and `parallel_config`: what becomes of them when a task is made.

use serde_json::{Value, json};

use super::{a_document, problems_of, set};
use crate::engine::PlanRequest;
use crate::space::Size;
use crate::spec::TaskSpec;

/// A sound document with these places set.
fn document(places: &[(&str, Value)]) -> Value {
    let mut document = a_document();
    for (path, value) in places {
        set(&mut document, path, value.clone());
    }
    document
}

/// The dimensions and the size of a task's space, and what is said of it.
fn made(places: &[(&str, Value)]) -> (Vec<String>, u128, Vec<String>) {
    let parsed = TaskSpec::from_value(&document(places)).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let task = parsed.spec.resolve().expect("parsed documents resolve");
    let dimensions = task.space.parameters().iter().skip(1).map(|parameter| {
        let count = parameter.domain.size().expect("finite");
        let values: Vec<String> = (0..count)
            .map(|index| parameter.domain.nth(index).expect("in range").to_string())
            .collect();
        format!("{}: {}", parameter.name, values.join(" "))
    });
    let Size::Finite(size) = task.space.size() else {
        panic!("finite")
    };
    let warnings = parsed.warnings.iter().map(ToString::to_string).collect();
    (dimensions.collect(), size, warnings)
}

#[test]
fn every_field_is_a_dimension_and_scalars_are_fixed() {
    let (dimensions, size, warnings) = made(&[
        (
            "quant_config",
            json!({ "gemm_dtype": ["auto", "fp8"], "kvcache_dtype": "fp8" }),
        ),
        (
            "parallel_config",
            json!({ "tp": [1, 2], "dp": 1, "enable_expert_parallel": false }),
        ),
    ]);
    assert_eq!(
        dimensions,
        [
            "quant.gemm_dtype: auto fp8",
            "quant.kvcache_dtype: fp8",
            "parallel.tp: 1 2",
            "parallel.dp: 1",
            "parallel.enable_expert_parallel: false",
        ]
    );
    assert_eq!((size, warnings), (8, vec![]));
}

#[test]
fn presets_are_one_dimension() {
    let (dimensions, size, warnings) = made(&[
        (
            "quant_config",
            json!({ "presets": ["default", "dynamic-fp8", "default"] }),
        ),
        ("parallel_config", json!({ "preset": "balanced" })),
    ]);
    assert_eq!(
        dimensions,
        ["quant.preset: default dynamic-fp8", "parallel.preset: balanced"]
    );
    assert_eq!(size, 4);
    assert_eq!(
        warnings,
        ["quant_config.presets[2]: default is listed before; it is tried once"]
    );
}

#[test]
fn what_is_impossible_is_left_out_where_something_remains() {
    let (dimensions, size, warnings) = made(&[
        (
            "quant_config",
            json!({ "gemm_dtype": ["auto", "fp8"], "kvcache_dtype": ["auto", "fp8_e5m2", "int4"] }),
        ),
        (
            "parallel_config",
            json!({ "tp": [1, 2, 3, 4], "dcp": [1, 4], "cp": [1, 2] }),
        ),
    ]);
    assert_eq!(
        dimensions,
        [
            "quant.gemm_dtype: auto fp8",
            "quant.kvcache_dtype: auto fp8_e5m2",
            "parallel.tp: 1 2 4",
            "parallel.cp: 1",
            "parallel.dcp: 1 4",
        ]
    );
    // Two values of the parameter; three pairs of types; four pairs of sizes.
    assert_eq!(size, 2 * 3 * 4);
    assert_eq!(
        warnings,
        [
            "quant_config.kvcache_dtype: 2 of 6 combinations left out: vLLM has no cache of whole numbers; use auto, fp8, fp8_e4m3 or fp8_e5m2",
            "quant_config.kvcache_dtype: 1 of 6 combinations left out: vLLM has no fp8_e5m2 cache beside weights of fp8; use fp8, which is e4m3 there",
            "parallel_config.tp: is 3; vLLM is run with 1, 2, 4, 8, 16; this one is left out; for another size, set the engine's own flag under parameters",
            "parallel_config.cp: is 2, and vLLM has no context parallelism of this kind; this one is left out; use dcp, its context parallelism of decoding",
            "parallel_config.dcp: 1 of 6 combinations left out: is 4, which does not divide the tp of 1: context parallelism of decoding lies inside tp; choose a size that divides tp",
            "parallel_config.dcp: 1 of 6 combinations left out: is 4, which does not divide the tp of 2: context parallelism of decoding lies inside tp; choose a size that divides tp",
        ]
    );
}

/// Sets these places in a sound document and tells what is said of it.
fn check(places: &[(&str, Value)], expected: &[&str]) {
    assert_eq!(problems_of(&document(places)), expected, "{places:?}");
}

#[test]
fn where_nothing_is_possible_the_task_is_refused() {
    check(
        &[("quant_config", json!({ "attention_dtype": "fp8" }))],
        &[
            "quant_config.attention_dtype: vLLM has no setting for the type of attention: it follows the cache; leave it auto, and set kvcache_dtype: fp8",
        ],
    );
    check(
        &[
            ("base_runtime", json!("tensorrt-llm")),
            ("parallel_config", json!({ "tp": [1, 2], "dp": [2, 4] })),
            (
                "quant_config",
                json!({ "presets": ["dynamic-fp8", "bf16-stable"] }),
            ),
        ],
        &[
            "quant_config.presets: dynamic-fp8 is not possible: TensorRT-LLM takes quantized weights only as the checkpoint has them: trtllm-serve has no flag for it; use another preset, or give types of one's own in its place",
            "quant_config.presets: bf16-stable is not possible: TensorRT-LLM takes the weights' type from the checkpoint: trtllm-serve has no flag for it; use another preset, or give types of one's own in its place",
            "parallel_config.dp: is 2, and TensorRT-LLM has no data parallelism: each copy is a server of its own; leave it out, or raise tp",
            "parallel_config.dp: is 4, and TensorRT-LLM has no data parallelism: each copy is a server of its own; leave it out, or raise tp",
        ],
    );
    check(
        &[
            ("base_runtime", json!("sglang")),
            ("parallel_config", json!({ "tp": 16, "dp": [8, 16] })),
        ],
        &[
            "parallel_config: SGLang would need 128 GPUs; at most 64 are possible; lower one of the sizes",
            "parallel_config: SGLang would need 256 GPUs; at most 64 are possible; lower one of the sizes",
        ],
    );
    // Other problems of the document are told beside.
    check(
        &[
            ("task_name", json!("")),
            ("quant_config", json!({ "moe_dtype": "mxfp4" })),
            ("constraints", json!(["{quant.moe_dtype} == \"mxfp4\""])),
        ],
        &[
            "task_name: is empty; give the task a name of its own",
            "quant_config.moe_dtype: vLLM reads mxfp4 experts from a checkpoint by itself and makes none; use a checkpoint that is quantized so, and leave it auto",
        ],
    );
}

#[test]
fn a_model_that_is_quantized_already_is_known_by_its_name_or_its_record() {
    let says = |method: &str| {
        format!(
            "quant_config.gemm_dtype: fp8 quantizes a model while it is loaded, and this one already is: {method}; leave it auto, or name the model that is not quantized"
        )
    };
    let quant = || ("quant_config", json!({ "gemm_dtype": "fp8" }));
    let name = ("model/id_or_path", json!("org/a-model-AWQ"));
    check(&[name, quant()], &[&says("awq")]);
    check(
        &[("model/quantization", json!("gptq")), quant()],
        &[&says("gptq")],
    );
    check(
        &[
            ("model/quantization_config", json!({ "quant_method": "fp8" })),
            quant(),
        ],
        &[&says("fp8")],
    );
    check(&[("model/quantization", json!("none")), quant()], &[]);
    // What is said counts for more than the name, and in every launch plan too.
    let name = ("model/id_or_path", json!("org/a-model-AWQ"));
    check(
        &[name.clone(), ("model/quantization", json!("GPTQ")), quant()],
        &[&says("gptq")],
    );
    let plain = [name, ("model/quantization", json!("none")), quant()];
    check(&plain, &[]);
    let spec = TaskSpec::from_value(&document(&plain)).expect("sound").spec;
    let task = spec.resolve().expect("sound");
    let planned = task.engine.engine().plan(&PlanRequest {
        model: &task.model,
        settings: &task.settings,
        resources: &task.resources,
        candidate: &task.space.nth(0).expect("a point"),
        deployment: task.deployment,
    });
    let arguments = planned.expect("a plan").arguments("h", 1);
    assert!(arguments.contains(&"--quantization".to_owned()), "{arguments:?}");
}

#[test]
fn a_parameter_wins_over_a_word_and_an_argument_cannot_stand_beside_it() {
    let (_, _, warnings) = made(&[
        ("parameters/tensor_parallel_size", json!([2, 4])),
        ("parameters/kv-cache-dtype", json!(["auto"])),
        ("parallel_config", json!({ "tp": 1 })),
        ("quant_config", json!({ "preset": "kv-cache-fp8" })),
    ]);
    assert_eq!(
        warnings,
        [
            "quant_config.presets: parameters.kv-cache-dtype sets the same flag of the engine and wins over it; leave one of them out; --kv-cache-dtype follows from the parameter alone",
            "parallel_config.tp: parameters.tensor_parallel_size sets the same flag of the engine and wins over it; leave one of them out; --tensor-parallel-size follows from the parameter alone",
        ]
    );
    let args = |args: &[&str]| ("engine/args", json!(args));
    check(
        &[
            args(&["--tensor-parallel-size=4"]),
            ("parallel_config", json!({ "tp": 1 })),
        ],
        &["engine.args: --tensor-parallel-size is set by parallel_config.tp as well; leave one of them out"],
    );
    check(
        &[
            args(&["-q", "awq"]),
            ("quant_config", json!({ "gemm_dtype": ["auto", "fp8"] })),
        ],
        &["engine.args: --quantization is set by quant_config.gemm_dtype as well; leave one of them out"],
    );
    check(
        &[
            args(&["--dtype", "bfloat16", "--tensor-parallel-size", "4"]),
            ("quant_config", json!({ "gemm_dtype": "auto" })),
            (
                "parallel_config",
                json!({ "enable_expert_parallel": true, "dcp": 2 }),
            ),
        ],
        &[],
    );
}

#[test]
fn sizes_are_judged_beside_the_engines_own_flags() {
    let sglang = || ("base_runtime", json!("sglang"));
    let sizes = || ("parallel_config", json!({ "tp": [2, 4], "dp": [1, 4] }));
    let (_, size, _) = made(&[sglang(), sizes()]);
    assert_eq!(size, 2 * 4);
    // One value of the switch, and tp 2 cannot hold four copies.
    let (_, size, warnings) = made(&[
        sglang(),
        sizes(),
        ("parameters/enable-dp-attention", json!([true])),
    ]);
    assert_eq!(size, 2 * 3);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    // Two values of the switch: left out beside one of them.
    let (_, size, _) = made(&[
        sglang(),
        sizes(),
        ("parameters/enable-dp-attention", json!([true, false])),
    ]);
    assert_eq!(size, 2 * (3 + 4));
    let experts = ("parallel_config", json!({ "moe_ep": 2 }));
    let (_, size, _) = made(&[sglang(), experts, ("parameters/tp", json!([1, 2]))]);
    assert_eq!(size, 2);
}

#[test]
fn a_rival_of_the_spread_of_experts_is_told_where_the_spread_is_asked_for() {
    let check = |words: Value, path: &str| {
        let (_, _, warnings) = made(&[
            ("base_runtime", json!("tensorrt-llm")),
            ("parallel_config", words.clone()),
            ("parameters", json!({ "ep_size": [4] })),
        ]);
        let says = format!("{path}: parameters.ep_size sets the same flag of the engine and wins over it");
        let is_told = |warning: &String| warning.starts_with(&says);
        assert!(warnings.iter().any(is_told), "{words}: {warnings:?}");
    };
    check(json!({ "tp": 4, "moe_ep": 4 }), "parallel_config.moe_ep");
    check(json!({ "tp": 8, "moe_tp": 2 }), "parallel_config.moe_tp");
    check(
        json!({ "tp": 4, "enable_expert_parallel": true }),
        "parallel_config.enable_expert_parallel",
    );
}

#[test]
fn words_may_be_named_in_constraints_and_not_in_parameters() {
    let (_, size, warnings) = made(&[
        ("parallel_config", json!({ "tp": [1, 2, 4], "dp": [1, 2] })),
        ("constraints", json!(["{parallel.tp} * {parallel.dp} <= 4"])),
    ]);
    assert_eq!((size, warnings), (12, vec![]));
    check(
        &[("parameters/quant.gemm_dtype", json!(["fp8"]))],
        &[
            "parameters.quant.gemm_dtype: is no flag of an engine: it belongs to quant_config; set quant_config.gemm_dtype instead",
        ],
    );
    check(
        &[("parameters/parallel.tp", json!([2]))],
        &[
            "parameters.parallel.tp: is no flag of an engine: it belongs to parallel_config; set parallel_config.tp instead",
        ],
    );
}

#[test]
fn what_cannot_be_known_beforehand_is_said() {
    let (_, _, warnings) = made(&[
        ("base_runtime", json!("sglang")),
        ("quant_config", json!({ "moe_dtype": "w4afp8" })),
    ]);
    assert_eq!(
        warnings,
        [
            "quant_config.moe_dtype: works only if the checkpoint is quantized so, and the model's name does not say"
        ]
    );
    let (_, _, warnings) = made(&[
        ("base_runtime", json!("tensorrt-llm")),
        ("quant_config", json!({ "presets": ["default", "kv-cache-fp8"] })),
        ("parallel_config", json!({ "cp": [1, 2] })),
    ]);
    assert_eq!(
        warnings,
        [
            "quant_config.presets: only newer versions of the engine know it",
            "parallel_config.cp: only newer versions of the engine know it"
        ]
    );
}

#[test]
fn more_sizes_than_can_be_judged_are_told() {
    let many = "has more than 2000 combinations of parallel sizes: what the engine refuses of them, \
                or what needs too many GPUs, is not left out and fails as an experiment; list fewer sizes";
    let check = |key: &str, tp: u32, expected: &[String]| {
        let (_, _, warnings) = made(&[
            ("resources/gpus", json!(1)),
            ("optimization/strategy", json!("random_search")),
            (
                "parameters",
                json!({
                    "tp": (1..=tp).collect::<Vec<_>>(),
                    "pp": (1..=10).collect::<Vec<_>>(),
                    "dp": (1..=10).collect::<Vec<_>>(),
                }),
            ),
            (
                "parallel_config",
                if key == "parameters" {
                    json!({})
                } else {
                    json!({ "dcp": [1] })
                },
            ),
        ]);
        assert_eq!(
            warnings
                .iter()
                .filter(|warning| warning.contains("has more than"))
                .collect::<Vec<_>>(),
            expected.iter().collect::<Vec<_>>()
        );
    };
    check("parameters", 20, &[]);
    check("parameters", 21, &[format!("parameters: {many}")]);
    check("parallel_config", 21, &[format!("parallel_config: {many}")]);
}

#[test]
fn sizes_beyond_the_gpus_of_an_experiment_are_left_out_or_refused() {
    let left_out = |gpus: u32, places: &[(&str, Value)], size: u128, says: &str| {
        let limit = ("resources/gpus", json!(gpus));
        let places = [&[limit], places].concat();
        let (_, count, warnings) = made(&places);
        assert_eq!(count, size, "{places:?}");
        let says: Vec<&str> = Some(says).filter(|says| !says.is_empty()).into_iter().collect();
        assert_eq!(warnings, says, "{places:?}");
    };
    let hint = "raise resources.gpus, leave it out, or lower the parallel sizes";
    let sizes = (
        "parameters",
        json!({ "max-num-seqs": [8, 16], "tp": [1, 2, 4], "dp": [1, 2] }),
    );
    // Of six pairs, 2 x 2, 4 x 1 and 4 x 2 are too large.
    let says = format!(
        "resources.gpus: is 2: 3 of 6 combinations of parallel sizes left out, which need up to 8 GPUs; {hint}"
    );
    left_out(2, std::slice::from_ref(&sizes), 6, &says);
    left_out(8, std::slice::from_ref(&sizes), 12, "");
    left_out(0, std::slice::from_ref(&sizes), 12, "");
    let words = ("parallel_config", json!({ "tp": [1, 2, 4, 8], "pp": [1, 2] }));
    let says = format!(
        "resources.gpus: is 4: 3 of 8 combinations of parallel sizes left out, which need up to 16 GPUs; {hint}"
    );
    left_out(4, &[words], 10, &says);
    // Context parallelism lies inside; what is impossible anyway is left out first.
    let inside = ("parallel_config", json!({ "tp": [2, 4], "dcp": [1, 4] }));
    let (_, count, _) = made(&[inside.clone(), ("resources/gpus", json!(2))]);
    assert_eq!(count, 2);
    let copies = [
        ("base_runtime", json!("sglang")),
        (
            "parameters",
            json!({ "max-running-requests": [8, 16], "tp-size": [4], "dp-size": [4], "enable-dp-attention": [true, false] }),
        ),
    ];
    let says = format!(
        "resources.gpus: is 4: 1 of 2 combinations of parallel sizes left out, which need up to 16 GPUs; {hint}"
    );
    left_out(4, &copies, 2, &says);

    // What sizes forbid each other is left out too, with whatever name each is set.
    let mixed = [
        ("base_runtime", json!("sglang")),
        (
            "parameters",
            json!({ "max-running-requests": [8], "enable-dp-attention": [true, false] }),
        ),
        ("parallel_config", json!({ "tp": [2, 4], "dp": [2, 4] })),
    ];
    let (_, count, warnings) = made(&mixed);
    let says = "parallel_config.dp: 1 of 8 combinations of parallel sizes left out: is 4, which does not \
                divide the tp of 2: with enable-dp-attention, copies lie inside tp; choose a size that divides tp";
    assert_eq!((count, warnings), (7, vec![says.to_owned()]));

    let refused = |places: &[(&str, Value)], least: u32| {
        let places = [&[("resources/gpus", json!(2))], places].concat();
        let says =
            format!("resources.gpus: is 2, and every configuration needs at least {least} GPUs; {hint}");
        assert_eq!(problems_of(&document(&places)), [says], "{places:?}");
    };
    refused(&[("parameters", json!({ "tp": [4, 8] }))], 4);
    refused(
        &[(
            "parallel_config",
            json!({ "presets": ["balanced", "moe-optimized"] }),
        )],
        8,
    );
    refused(&[("engine/args", json!(["--tensor-parallel-size", "4"]))], 4);
}

#[test]
fn constraints_are_heeded_beside_the_room_for_parallel_sizes() {
    let check = |constraint: &str, expected: &[&str]| {
        let places = [
            ("resources/gpus", json!(1)),
            ("parallel_config", json!({ "tp": [1, 8] })),
            ("constraints", json!([constraint])),
        ];
        assert_eq!(problems_of(&document(&places)), expected, "{constraint}");
    };
    check("{parallel.tp} >= 1", &[]);
    check("{max-num-seqs} * {parallel.tp} <= 16", &[]);
    check(
        "{parallel.tp} > 1",
        &[
            "resources.gpus: is 1, and every configuration needs at least 8 GPUs; raise resources.gpus, leave it \
             out, or lower the parallel sizes",
        ],
    );
    // Only together with what is no matter of room.
    check(
        "{max-num-seqs} * {parallel.tp} > 16",
        &[
            "constraints[0]: none of the configurations with possible parallel sizes meets it; list other values, \
             or change the condition",
        ],
    );
    // What the constraints forbid is not counted among what is left out.
    let (_, size, warnings) = made(&[
        ("resources/gpus", json!(2)),
        ("parallel_config", json!({ "tp": [1, 2, 4, 8] })),
        ("constraints", json!(["{parallel.tp} != 8"])),
    ]);
    let says = "resources.gpus: is 2: 1 of 3 combinations of parallel sizes left out, which need up to 4 GPUs; \
                raise resources.gpus, leave it out, or lower the parallel sizes";
    assert_eq!((size, warnings), (4, vec![says.to_owned()]));
}

#[test]
fn what_newer_versions_refuse_is_told_where_the_version_is_not_ours() {
    let says = |places: &[(&str, Value)]| {
        let preset = (
            "quant_config",
            json!({ "presets": ["default", "aggressive-moe"] }),
        );
        made(&[&[preset], places].concat()).2
    };
    let told = "quant_config.presets: newer versions of the engine refuse it; the usual image takes it";
    assert_eq!(says(&[]), [""; 0]);
    assert_eq!(says(&[("runtime_image_tag", json!("v0.14.0"))]), [told]);
    assert_eq!(says(&[("engine/image", json!("vllm:own"))]), [told]);
    assert_eq!(says(&[("deployment_mode", json!("local"))]), [told]);
}
