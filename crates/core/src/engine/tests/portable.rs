//! What words that fit every engine become: whole tables, and the rules between them.

use std::fmt::Write;

use super::*;
use crate::engine::{parallel, quantize};

const TYPES: [(&str, &[&str]); 4] = [
    (
        "gemm_dtype",
        &["auto", "float16", "bfloat16", "float32", "fp8", "int8"],
    ),
    (
        "kvcache_dtype",
        &[
            "auto", "fp16", "bfloat16", "fp8", "fp8_e5m2", "fp8_e4m3", "int8", "int4",
        ],
    ),
    (
        "attention_dtype",
        &[
            "auto",
            "float16",
            "bfloat16",
            "fp8",
            "fp8_e5m2",
            "fp8_e4m3",
            "fp8_block",
        ],
    ),
    (
        "moe_dtype",
        &["auto", "float16", "bfloat16", "fp8", "w4afp8", "mxfp4", "int8"],
    ),
];

const SIZE_FIELDS: [&str; 9] = [
    "tp",
    "pp",
    "dp",
    "cp",
    "dcp",
    "moe_tp",
    "moe_ep",
    "moe_cluster",
    "moe_dense_tp",
];

/// The flags and GPUs of a case, or why there are none.
fn outcome(case: &Case) -> String {
    match case.try_plan() {
        Ok(plan) => {
            let arguments = case.tail();
            let arguments = if arguments.is_empty() {
                "nothing".to_owned()
            } else {
                arguments.join(" ")
            };
            match plan.gpus {
                0 | 1 => arguments,
                gpus => format!("{arguments}   ({gpus} GPUs)"),
            }
        }
        Err(problems) => {
            let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
            format!("refused: {}", told.join(" | "))
        }
    }
}

fn table(rows: impl IntoIterator<Item = (EngineKind, String, Case)>) -> String {
    let mut text = String::new();
    let mut last = None;
    for (kind, title, case) in rows {
        if last.replace(kind) != Some(kind) {
            writeln!(text, "## {}", kind.as_str()).unwrap();
        }
        writeln!(text, "{title:<32} {}", outcome(&case)).unwrap();
    }
    text
}

fn word(kind: EngineKind, field: &str, word: &str) -> Case {
    a(kind).with(&format!("quant.{field}"), word)
}

fn size(kind: EngineKind, field: &str, size: i64) -> Case {
    a(kind).with(&format!("parallel.{field}"), size)
}

#[test]
fn presets_of_number_types() {
    let rows = EngineKind::ALL.into_iter().flat_map(|kind| {
        quantize::PRESETS
            .into_iter()
            .map(move |name| (kind, name.to_owned(), word(kind, "preset", name)))
    });
    insta::assert_snapshot!(table(rows));
}

#[test]
fn presets_of_parallel_sizes() {
    let names = parallel::presets(EngineKind::Vllm);
    let rows = EngineKind::ALL.into_iter().flat_map(|kind| {
        names
            .iter()
            .map(move |name| (kind, (*name).to_owned(), a(kind).with("parallel.preset", *name)))
    });
    insta::assert_snapshot!(table(rows));
}

#[test]
fn every_number_type_alone() {
    let rows = EngineKind::ALL.into_iter().flat_map(|kind| {
        TYPES.into_iter().flat_map(move |(field, words)| {
            words
                .iter()
                .map(move |name| (kind, format!("{field}: {name}"), word(kind, field, name)))
        })
    });
    insta::assert_snapshot!(table(rows));
}

#[test]
fn every_parallel_size_alone() {
    let rows = EngineKind::ALL.into_iter().flat_map(|kind| {
        let sizes = SIZE_FIELDS.into_iter().flat_map(move |field| {
            [1, 2, 3, 8]
                .into_iter()
                .map(move |it| (kind, format!("{field}: {it}"), size(kind, field, it)))
        });
        let experts = [false, true].into_iter().map(move |is_on| {
            let case = size(kind, "tp", 1).with("parallel.enable_expert_parallel", is_on);
            (kind, format!("enable_expert_parallel: {is_on}"), case)
        });
        sizes.chain(experts)
    });
    insta::assert_snapshot!(table(rows));
}

#[test]
fn every_preset_but_two_does_something() {
    for kind in EngineKind::ALL {
        let types = quantize::PRESETS.map(|name| (word(kind, "preset", name), name));
        let sizes = parallel::presets(kind)
            .iter()
            .map(|name| (a(kind).with("parallel.preset", *name), *name));
        for (case, name) in types.into_iter().chain(sizes) {
            let is_empty = ["default", "single-gpu"].contains(&name);
            if let Ok(plan) = case.try_plan() {
                let is_bare = plan.identity() == a(kind).plan().identity();
                assert_eq!(is_bare, is_empty, "{kind:?} {name}");
            } else {
                assert!(!is_empty, "{kind:?} {name}");
            }
        }
        for name in parallel::presets(kind) {
            assert!(
                a(kind).with("parallel.preset", *name).try_plan().is_ok(),
                "{kind:?} {name}"
            );
        }
    }
}

/// What combinations of words come to.
fn check(kind: EngineKind, words: &[(&str, &str)], expected: &str) {
    let case = words.iter().fold(a(kind), |case, (field, word)| {
        case.with(&format!("quant.{field}"), *word)
    });
    let outcome = outcome(&case);
    assert!(
        outcome == expected || (expected.starts_with("refused") && outcome.starts_with(expected)),
        "{words:?}: {outcome}"
    );
}

#[test]
fn number_types_that_depend_on_each_other() {
    use EngineKind::{Sglang, Vllm};
    check(
        Vllm,
        &[("gemm_dtype", "bfloat16"), ("kvcache_dtype", "bfloat16")],
        "--dtype bfloat16",
    );
    check(
        Vllm,
        &[("gemm_dtype", "fp8"), ("moe_dtype", "fp8")],
        "--quantization fp8",
    );
    check(
        Vllm,
        &[("gemm_dtype", "fp8"), ("kvcache_dtype", "fp8_e5m2")],
        "refused: quant_config.kvcache_dtype: vLLM has no fp8_e5m2 cache beside weights of fp8",
    );
    check(
        Vllm,
        &[("gemm_dtype", "fp8"), ("moe_dtype", "int8")],
        "refused: quant_config.moe_dtype: vLLM is told one quantization: gemm_dtype makes it fp8, this experts_int8",
    );
    check(
        Vllm,
        &[("gemm_dtype", "float16"), ("moe_dtype", "int8")],
        "--dtype float16 --quantization experts_int8",
    );
    check(
        Sglang,
        &[("gemm_dtype", "fp8"), ("moe_dtype", "w4afp8")],
        "refused: quant_config.moe_dtype: SGLang is told one quantization: gemm_dtype makes it fp8, this w4afp8",
    );
    check(
        Sglang,
        &[("kvcache_dtype", "fp8_e4m3"), ("attention_dtype", "fp8")],
        "--attention-backend flashinfer --kv-cache-dtype fp8_e4m3",
    );
    check(
        Sglang,
        &[("kvcache_dtype", "fp8_e4m3"), ("attention_dtype", "fp8_e5m2")],
        "refused: quant_config.attention_dtype: SGLang computes attention in fp8_e5m2 only on a cache of that type",
    );
}

#[test]
fn a_quantized_model_is_not_quantized_again() {
    let check = |kind: EngineKind, model: &str, field: &str, name: &str, expected: &str| {
        let outcome = outcome(&word(kind, field, name).model(model));
        assert!(outcome.contains(expected), "{model} {name}: {outcome}");
    };
    let already = "quantizes a model while it is loaded, and this one already is";
    for kind in [EngineKind::Vllm, EngineKind::Sglang, EngineKind::Sim] {
        for model in [
            "org/model-AWQ",
            "org/model-FP8",
            "org/model-GPTQ-Int4",
            "org/model-NVFP4",
        ] {
            check(kind, model, "gemm_dtype", "fp8", already);
            check(kind, model, "preset", "dynamic-fp8", already);
            check(kind, model, "kvcache_dtype", "fp8_e4m3", "--kv-cache-dtype fp8");
        }
    }
    check(EngineKind::Vllm, "org/model-AWQ", "moe_dtype", "int8", already);
    check(
        EngineKind::Vllm,
        "org/model-FP8",
        "kvcache_dtype",
        "fp8_e5m2",
        "no fp8_e5m2 cache beside weights of fp8",
    );
    let sglang = EngineKind::Sglang;
    check(
        sglang,
        "org/model-W4AFP8",
        "moe_dtype",
        "w4afp8",
        "--quantization w4afp8",
    );
    check(
        sglang,
        "org/model-AWQ",
        "moe_dtype",
        "w4afp8",
        "quantized otherwise: awq",
    );
    check(
        sglang,
        "openai/gpt-oss-20b",
        "moe_dtype",
        "mxfp4",
        "--quantization mxfp4",
    );
}

/// What combinations of sizes come to.
fn check_sizes(kind: EngineKind, sizes: &[(&str, i64)], has_experts: Option<bool>, expected: &str) {
    let case = sizes.iter().fold(a(kind), |case, (field, size)| {
        case.with(&format!("parallel.{field}"), *size)
    });
    let case = match has_experts {
        Some(is_on) => case.with("parallel.enable_expert_parallel", is_on),
        None => case,
    };
    let outcome = outcome(&case);
    assert!(outcome.starts_with(expected), "{sizes:?}: {outcome}");
}

#[test]
fn sizes_that_depend_on_each_other() {
    use EngineKind::{Sglang, TensorRtLlm, Vllm};
    check_sizes(
        Vllm,
        &[("tp", 2), ("dp", 4)],
        Some(true),
        "--data-parallel-size 4 --enable-expert-parallel --tensor-parallel-size 2   (8 GPUs)",
    );
    check_sizes(
        Vllm,
        &[("pp", 2)],
        Some(true),
        "--pipeline-parallel-size 2   (2 GPUs)",
    );
    check_sizes(
        Vllm,
        &[("tp", 8), ("dcp", 4)],
        None,
        "--decode-context-parallel-size 4 --tensor-parallel-size 8   (8 GPUs)",
    );
    check_sizes(
        Vllm,
        &[("tp", 2), ("dcp", 4)],
        None,
        "refused: parallel_config.dcp: is 4, which does not divide the tp of 2",
    );
    check_sizes(
        Vllm,
        &[("tp", 16), ("dp", 8)],
        None,
        "refused: parallel_config: vLLM would need 128 GPUs; at most 64 are possible",
    );
    check_sizes(
        Sglang,
        &[("tp", 4)],
        Some(true),
        "--ep-size 4 --tp-size 4   (4 GPUs)",
    );
    check_sizes(
        Sglang,
        &[("tp", 4), ("moe_ep", 2)],
        None,
        "--ep-size 2 --tp-size 4   (4 GPUs)",
    );
    check_sizes(
        Sglang,
        &[("tp", 4), ("moe_ep", 8)],
        None,
        "refused: parallel_config: moe_ep 8 cannot share out a tp of 4",
    );
    check_sizes(
        Sglang,
        &[("tp", 4), ("moe_ep", 2)],
        Some(false),
        "refused: parallel_config.moe_ep: is 2, and enable_expert_parallel is false",
    );
    check_sizes(
        Sglang,
        &[("tp", 2), ("dp", 4)],
        None,
        "--dp-size 4 --tp-size 2   (8 GPUs)",
    );
    check_sizes(
        TensorRtLlm,
        &[("tp", 8), ("moe_tp", 2), ("moe_ep", 4)],
        None,
        "--ep_size 4 --tp_size 8   (8 GPUs)",
    );
    check_sizes(
        TensorRtLlm,
        &[("tp", 8), ("moe_tp", 2)],
        None,
        "--ep_size 4 --tp_size 8   (8 GPUs)",
    );
    check_sizes(
        TensorRtLlm,
        &[("tp", 8)],
        Some(true),
        "--ep_size 8 --tp_size 8   (8 GPUs)",
    );
    check_sizes(
        TensorRtLlm,
        &[("tp", 4), ("moe_tp", 2), ("moe_ep", 8)],
        None,
        "refused: parallel_config: moe_tp 2 and moe_ep 8 cannot share out a tp of 4",
    );
}

#[test]
fn experts_that_are_not_to_be_spread_are_not() {
    use EngineKind::TensorRtLlm;
    let no = Some(false);
    check_sizes(TensorRtLlm, &[("tp", 4)], no, "--tp_size 4   (4 GPUs)");
    check_sizes(
        TensorRtLlm,
        &[("tp", 4), ("moe_tp", 4)],
        no,
        "--tp_size 4   (4 GPUs)",
    );
    check_sizes(
        TensorRtLlm,
        &[("tp", 4), ("moe_tp", 2), ("moe_cluster", 2)],
        no,
        "--cluster_size 2 --tp_size 4   (4 GPUs)",
    );
    check_sizes(
        TensorRtLlm,
        &[("tp", 8), ("moe_tp", 2)],
        no,
        "refused: parallel_config.moe_tp: is 2 of a tp of 8, so that experts are spread over 4 GPUs, \
         and enable_expert_parallel is false",
    );
    check_sizes(
        TensorRtLlm,
        &[("tp", 4), ("moe_tp", 2), ("moe_ep", 2)],
        no,
        "refused: parallel_config.moe_ep: is 2, and enable_expert_parallel is false",
    );
}

#[test]
fn copies_of_attention_lie_inside_tensor_parallelism() {
    let copies = |tp: i64, dp: i64| {
        outcome(
            &size(EngineKind::Sglang, "tp", tp)
                .with("parallel.dp", dp)
                .with("enable-dp-attention", true),
        )
    };
    assert_eq!(
        copies(4, 2),
        "--dp-size 2 --enable-dp-attention --tp-size 4   (4 GPUs)"
    );
    assert!(copies(2, 4).starts_with("refused: parallel_config.dp: is 4, which does not divide the tp of 2"));
    let by_argument = size(EngineKind::Sglang, "dp", 2).args(&["--enable-dp-attention"]);
    assert!(outcome(&by_argument).starts_with("refused: parallel_config.dp"));
}

#[test]
fn the_engines_own_flag_wins_over_a_word() {
    let check = |case: Case, expected: &str| assert_eq!(outcome(&case), expected);
    let vllm = || word(EngineKind::Vllm, "preset", "dynamic-fp8");
    check(
        vllm().with("kv_cache_dtype", "fp8_e5m2"),
        "--kv-cache-dtype fp8_e5m2 --quantization fp8",
    );
    check(vllm().with("kv_cache_dtype", "auto"), "--quantization fp8");
    check(
        vllm().with("dtype", "half"),
        "--dtype half --kv-cache-dtype fp8 --quantization fp8",
    );
    check(vllm().with("quantization", Value::Unset), "--kv-cache-dtype fp8");
    check(
        size(EngineKind::Vllm, "tp", 2).with("tp", 4),
        "--tensor-parallel-size 4   (4 GPUs)",
    );
    check(
        size(EngineKind::Vllm, "tp", 2).args(&["--tensor-parallel-size", "8"]),
        "--tensor-parallel-size 2   (2 GPUs)",
    );
}

#[test]
fn rules_heed_sizes_that_are_set_by_the_engines_own_flags() {
    let check = |case: Case, expected: &str| {
        let outcome = outcome(&case);
        assert!(outcome.starts_with(expected), "{outcome}");
    };
    let experts = |kind: EngineKind| a(kind).with("parallel.enable_expert_parallel", true);
    let vllm = "--enable-expert-parallel --tensor-parallel-size 4   (4 GPUs)";
    check(experts(EngineKind::Vllm).with("tp", 4), vllm);
    check(
        experts(EngineKind::Vllm).args(&["--tensor-parallel-size", "4"]),
        "--tensor-parallel-size 4 --enable-expert-parallel   (4 GPUs)",
    );
    check(
        experts(EngineKind::Sglang).with("tp-size", 4),
        "--ep-size 4 --tp-size 4   (4 GPUs)",
    );
    check(
        size(EngineKind::Vllm, "dcp", 2).with("tp", 4),
        "--decode-context-parallel-size 2 --tensor-parallel-size 4   (4 GPUs)",
    );
    check(
        a(EngineKind::Sglang)
            .with("parallel.preset", "moe-optimized")
            .with("tp-size", 4),
        "refused: parallel_config.dp: is 8, which does not divide the tp of 4",
    );
}

#[test]
fn words_of_the_wrong_kind_are_refused() {
    let check = |name: &str, value: Value, expected: &str| {
        let outcome = outcome(&a(EngineKind::Vllm).with(name, value));
        assert!(outcome.contains(expected), "{name}: {outcome}");
    };
    check(
        "quant.gemm_dtype",
        8.into(),
        "quant_config.gemm_dtype: 8 is no word",
    );
    check("quant.colour", "red".into(), "colour is no number type's name");
    check("parallel.tp", "two".into(), "parallel_config.tp: two is no size");
    check("parallel.tp", 0.into(), "parallel_config.tp: 0 is no size");
    check("parallel.preset", "huge".into(), "vLLM has no preset \"huge\"");
    check(
        "parallel.enable_expert_parallel",
        1.into(),
        "1 is neither true nor false",
    );
    check("quant.gemm_dtype", Value::Unset, "nothing");
    check("parallel.tp", Value::Unset, "nothing");
}

#[test]
fn words_that_mean_the_same_are_one_configuration() {
    let same = |left: Case, right: Case| {
        assert_eq!(
            left.plan().identity(),
            right.plan().identity(),
            "{left:?} {right:?}"
        );
    };
    use EngineKind::{LlamaCpp, Sglang, Vllm};
    same(
        word(Vllm, "kvcache_dtype", "fp8"),
        word(Vllm, "kvcache_dtype", "fp8_e4m3"),
    );
    same(
        word(Sglang, "kvcache_dtype", "fp8"),
        word(Sglang, "kvcache_dtype", "fp8_e5m2"),
    );
    same(word(LlamaCpp, "kvcache_dtype", "fp16"), a(LlamaCpp));
    same(word(Vllm, "preset", "default"), a(Vllm));
    same(size(Vllm, "tp", 2), a(Vllm).with("tensor-parallel-size", 2));
    same(
        size(Vllm, "tp", 1).with("parallel.enable_expert_parallel", true),
        a(Vllm),
    );
}

#[test]
fn what_every_version_does_anyway_is_said_by_silence() {
    use EngineKind::{LlamaCpp, Sglang, Sim, TensorRtLlm, Vllm};
    let check = |case: Case, is_silent: bool| {
        let bare = a(case.kind).plan().identity();
        assert_eq!(case.plan().identity() == bare, is_silent, "{case:?}");
    };
    check(
        a(Vllm).with("tp", 1).with("pp", 1).with("data-parallel-size", 1),
        true,
    );
    check(a(Vllm).with("dtype", "auto").with("kv-cache-dtype", "auto"), true);
    check(a(Vllm).with("kv-cache-dtype", "fp8"), false);
    // Defaults that versions change, or that follow from other flags.
    check(a(Vllm).with("gpu-memory-utilization", 0.9), false);
    check(a(Vllm).with("api-server-count", 1), false);
    check(a(Vllm).with("quantization", "auto"), false);
    check(a(Sglang).with("tp-size", 1).with("kv_cache_dtype", "auto"), true);
    check(a(Sglang).with("ep-size", 1), true);
    check(a(Sglang).with("tp-size", 2).with("ep-size", 2), false);
    check(a(TensorRtLlm).with("tp_size", 1), true);
    check(a(TensorRtLlm).with("kv_cache_dtype", "auto"), true);
    check(a(TensorRtLlm).with("ep_size", 1), false);
    check(
        a(Sim)
            .with("tensor-parallel-size", 1)
            .with("kv-cache-dtype", "auto"),
        true,
    );
    check(a(LlamaCpp).with("flash-attn", "auto"), true);
    check(a(LlamaCpp).with("n-gpu-layers", "auto"), false);
    // It still replaces what is fixed, and says no to a file.
    let replaced = a(Vllm).args(&["--tensor-parallel-size", "2"]).with("tp", 1);
    assert_eq!((replaced.tail(), replaced.plan().gpus), (Vec::new(), 1));
    let beside_a_file = a(Vllm).args(&["--config", "/c.yaml"]).with("tp", 1);
    assert_eq!(
        beside_a_file.tail(),
        ["--config", "/c.yaml", "--tensor-parallel-size", "1"]
    );
}
