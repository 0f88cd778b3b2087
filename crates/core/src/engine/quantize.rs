//! Number types in words that fit every engine, and what each engine makes of them.
//!
//! The one idea: a table, field by word by engine, says which flags a word becomes, that it
//! needs none, or why the engine cannot do it. `auto` asks for nothing anywhere. What an
//! engine cannot do is refused, never dropped. Nothing here looks at a model's files.

use super::EngineKind::{self, Custom, LlamaCpp, Sglang, Sim, TensorRtLlm, Vllm};
use super::portable::{Setting, engine_name, word};
use crate::problem::Problem;
use crate::space::Value;

/// Where these fields stand in a task document.
pub(crate) const KEY: &str = "quant_config";

/// The word that asks for nothing.
const AUTO: &str = "auto";

/// What one field with one word comes to.
#[derive(Debug, Clone, Copy)]
enum Effect {
    /// The engine does this anyway.
    Nothing,
    /// These flags.
    Flags(&'static [(&'static str, &'static str)]),
    /// These flags, which quantize the weights while loading: for plain checkpoints only.
    Quantizes(&'static [(&'static str, &'static str)]),
    /// These flags, which older versions lack.
    Newer(&'static [(&'static str, &'static str)]),
    /// These flags, which name how the checkpoint is quantized.
    Names(&'static [(&'static str, &'static str)]),
    /// No flags: the type follows `gemm_dtype`, which must then be this.
    Follows(&'static str),
    /// These flags, beside a cache of eight-bit floats.
    WithSmallCache(&'static [(&'static str, &'static str)]),
    /// Not possible: why, and what to do.
    Refused(&'static str, &'static str),
}

use Effect::{Flags, Follows, Names, Newer, Nothing, Quantizes, Refused, WithSmallCache};

/// The four number types of one configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Types<'a> {
    /// Weights and matrix products.
    pub(crate) gemm: &'a str,
    /// The cache of keys and values.
    pub(crate) cache: &'a str,
    /// Attention.
    pub(crate) attention: &'a str,
    /// Experts.
    pub(crate) experts: &'a str,
}

const NO_TYPES: Types<'_> = Types {
    gemm: AUTO,
    cache: AUTO,
    attention: AUTO,
    experts: AUTO,
};

/// The types of a preset, so chosen that they mean on each engine what the name says.
///
/// vLLM has no four-bit experts, so its most aggressive ones are of eight bits; the
/// simulated engine has neither attention nor experts to set.
fn preset(kind: EngineKind, name: &str) -> Option<Types<'static>> {
    let cache = Types {
        cache: "fp8",
        ..NO_TYPES
    };
    Some(match name {
        "default" => NO_TYPES,
        "kv-cache-fp8" => cache,
        "dynamic-fp8" => Types {
            gemm: "fp8",
            attention: if kind == Sglang { "fp8" } else { AUTO },
            experts: if kind == Sim { AUTO } else { "fp8" },
            ..cache
        },
        "bf16-stable" => Types {
            gemm: "bfloat16",
            ..cache
        },
        "aggressive-moe" if kind == Vllm => Types {
            gemm: "bfloat16",
            experts: "int8",
            ..cache
        },
        "aggressive-moe" => Types {
            gemm: "bfloat16",
            attention: "fp8",
            experts: "w4afp8",
            ..cache
        },
        _ => return None,
    })
}

/// The flags of one configuration: values of the fields of `quant_config`, or of `preset`.
/// `checkpoint` is how the model is already quantized, where that is known.
///
/// # Errors
/// Everything that the engine cannot do, with the field's path.
pub(crate) fn settings(
    kind: EngineKind,
    checkpoint: Option<&str>,
    fields: &[(&str, &Value)],
) -> Result<Vec<Setting>, Vec<Problem>> {
    let mut types = NO_TYPES;
    for (field, value) in fields {
        let path = format!("{KEY}.{field}");
        let word = word(&path, value).map_err(|problem| vec![problem])?;
        match *field {
            "gemm_dtype" => types.gemm = word,
            "kvcache_dtype" => types.cache = word,
            "attention_dtype" => types.attention = word,
            "moe_dtype" => types.experts = word,
            "preset" => return of_preset(kind, checkpoint, word),
            other => {
                return Err(vec![Problem::new(
                    path,
                    format!("{other} is no number type's name"),
                )]);
            }
        }
    }
    of_types(kind, checkpoint, &types)
}

fn of_preset(kind: EngineKind, checkpoint: Option<&str>, name: &str) -> Result<Vec<Setting>, Vec<Problem>> {
    let path = format!("{KEY}.presets");
    let Some(types) = preset(kind, name) else {
        return Err(vec![Problem::new(path, format!("there is no preset \"{name}\""))]);
    };
    match of_types(kind, checkpoint, &types) {
        Ok(settings) => Ok(settings
            .into_iter()
            .map(|setting| Setting {
                field: "presets",
                ..setting
            })
            .collect()),
        Err(problems) => {
            let first = problems.first().map_or("", |problem| &problem.message);
            let problem = Problem::new(path, format!("{name} is not possible: {first}"));
            Err(vec![problem.with_hint(
                "use another preset, or give types of one's own in its place",
            )])
        }
    }
}

fn of_types(
    kind: EngineKind,
    checkpoint: Option<&str>,
    types: &Types<'_>,
) -> Result<Vec<Setting>, Vec<Problem>> {
    let given = [
        ("gemm_dtype", types.gemm, gemm(kind, types.gemm)),
        ("kvcache_dtype", types.cache, cache(kind, types.cache)),
        (
            "attention_dtype",
            types.attention,
            attention(kind, types.attention),
        ),
        ("moe_dtype", types.experts, experts(kind, types.experts)),
    ];
    let mut settings: Vec<Setting> = Vec::new();
    let mut problems = Vec::new();
    for (field, word, effect) in given {
        let flags = match check(kind, checkpoint, types, word, effect) {
            Ok(flags) => flags,
            Err((message, hint)) => {
                problems.push(Problem::new(format!("{KEY}.{field}"), message).with_hint(hint));
                continue;
            }
        };
        for (flag, value) in flags {
            match settings.iter().find(|setting| setting.flag == *flag) {
                Some(first) => problems.push(second_quantization(kind, field, first, value)),
                None => settings.push(Setting {
                    flag,
                    value: (*value).into(),
                    field,
                    note: note(checkpoint, effect),
                }),
            }
        }
    }
    problems.extend(wide_range_cache(kind, checkpoint, types));
    if problems.is_empty() {
        Ok(settings)
    } else {
        Err(problems)
    }
}

/// What an effect takes to work and nobody can know beforehand.
fn note(checkpoint: Option<&str>, effect: Effect) -> Option<&'static str> {
    match effect {
        Newer(_) => Some("only newer versions of the engine know it"),
        Names(_) if checkpoint.is_none() => {
            Some("works only if the checkpoint is quantized so, and the model's name does not say")
        }
        _ => None,
    }
}

type Complaint = (String, String);

/// The flags of an effect, if what it needs is given.
fn check(
    kind: EngineKind,
    checkpoint: Option<&str>,
    types: &Types<'_>,
    word: &str,
    effect: Effect,
) -> Result<&'static [(&'static str, &'static str)], Complaint> {
    let engine = engine_name(kind);
    match effect {
        Nothing => Ok(&[]),
        Flags(flags) | Newer(flags) => Ok(flags),
        Quantizes(flags) => match checkpoint {
            None => Ok(flags),
            Some(method) => Err((
                format!("{word} quantizes a model while it is loaded, and this one already is: {method}"),
                "leave it auto, or name the model that is not quantized".into(),
            )),
        },
        Names(flags) => match checkpoint {
            Some(method) if method != word => Err((
                format!(
                    "{word} needs a checkpoint quantized so, and this one is quantized otherwise: {method}"
                ),
                format!("leave it auto, or name a {word} checkpoint"),
            )),
            _ => Ok(flags),
        },
        Follows(gemm) if types.gemm == gemm => Ok(&[]),
        Follows(gemm) => Err((
            format!("{engine} has no setting of its own for it: the type follows gemm_dtype"),
            format!("set gemm_dtype: {gemm} with it, or leave it auto"),
        )),
        WithSmallCache(flags) if types.cache == word || is_plain_fp8(word, types.cache) => Ok(flags),
        WithSmallCache(_) => Err((
            format!("{engine} computes attention in {word} only on a cache of that type"),
            format!("set kvcache_dtype: {word} with it, or leave it auto"),
        )),
        Refused(message, hint) => Err((format!("{engine} {message}"), hint.to_owned())),
    }
}

/// Whether one word leaves the kind of eight-bit float open and the other is one.
fn is_plain_fp8(left: &str, right: &str) -> bool {
    (left == "fp8" && right.starts_with("fp8")) || (right == "fp8" && left.starts_with("fp8"))
}

/// An engine has one `quantization`; two fields that ask for different ones cannot both have it.
fn second_quantization(kind: EngineKind, field: &str, first: &Setting, value: &str) -> Problem {
    let message = format!(
        "{} is told one {}: {} makes it {}, this {value}",
        engine_name(kind),
        first.flag,
        first.field,
        first.value
    );
    Problem::new(format!("{KEY}.{field}"), message).with_hint("leave one of the two auto")
}

/// vLLM refuses a cache of `fp8_e5m2` wherever the weights are of eight-bit floats.
fn wide_range_cache(kind: EngineKind, checkpoint: Option<&str>, types: &Types<'_>) -> Option<Problem> {
    let has_fp8_weights = types.gemm == "fp8" || checkpoint == Some("fp8");
    (kind == Vllm && types.cache == "fp8_e5m2" && has_fp8_weights).then(|| {
        Problem::new(
            format!("{KEY}.kvcache_dtype"),
            "vLLM has no fp8_e5m2 cache beside weights of fp8",
        )
        .with_hint("use fp8, which is e4m3 there")
    })
}

const QUANTIZED_FILE: &str = "use a checkpoint that is quantized so, and leave it auto";

fn gemm(kind: EngineKind, word: &str) -> Effect {
    match (kind, word) {
        (_, AUTO) => Nothing,
        (Vllm | Sglang, "float16") => Flags(&[("dtype", "float16")]),
        (Vllm | Sglang, "bfloat16") => Flags(&[("dtype", "bfloat16")]),
        (Vllm | Sglang, "float32") => Flags(&[("dtype", "float32")]),
        (Vllm | Sglang | Sim, "fp8") => Quantizes(&[("quantization", "fp8")]),
        (Sim, "int8") => Quantizes(&[("quantization", "int8")]),
        (Vllm | Sglang, "int8") => Refused(
            "cannot quantize weights to int8 while it loads them",
            "use a checkpoint that is quantized to int8 (w8a8) and leave it auto, or use fp8",
        ),
        (TensorRtLlm, "fp8" | "int8") => Refused(
            "takes quantized weights only as the checkpoint has them: trtllm-serve has no flag for it",
            QUANTIZED_FILE,
        ),
        (TensorRtLlm, _) => Refused(
            "takes the weights' type from the checkpoint: trtllm-serve has no flag for it",
            "leave it auto",
        ),
        (LlamaCpp, _) => Refused(
            "takes the weights as the GGUF file has them",
            "name another GGUF file as the model, and leave it auto",
        ),
        (Sim, _) => Refused("simulates no such weights", "use auto, fp8 or int8"),
        _ => unknown(kind),
    }
}

fn cache(kind: EngineKind, word: &str) -> Effect {
    const FP8: Effect = Flags(&[("kv-cache-dtype", "fp8")]);
    const E5M2: Effect = Flags(&[("kv-cache-dtype", "fp8_e5m2")]);
    const E4M3: Effect = Flags(&[("kv-cache-dtype", "fp8_e4m3")]);
    match (kind, word) {
        (_, AUTO) => Nothing,
        (Vllm | Sglang, "fp16") => Follows("float16"),
        (Vllm | Sglang, "bfloat16") => Follows("bfloat16"),
        // To vLLM, fp8 is another word for fp8_e4m3.
        (Vllm, "fp8" | "fp8_e4m3") => FP8,
        (Vllm, "fp8_e5m2") => E5M2,
        // SGLang has no plain fp8; e5m2 needs no scaling factors from the checkpoint.
        (Sglang, "fp8" | "fp8_e5m2") => E5M2,
        (Sglang, "fp8_e4m3") => E4M3,
        (Vllm | Sglang, _) => Refused(
            "has no cache of whole numbers",
            "use auto, fp8, fp8_e4m3 or fp8_e5m2",
        ),
        (TensorRtLlm, "fp8" | "fp8_e4m3") => Newer(&[("kv-cache-dtype", "fp8")]),
        (TensorRtLlm, _) => Refused("has no such cache", "use auto, fp8 or fp8_e4m3"),
        (LlamaCpp, "fp16") => Nothing,
        (LlamaCpp, "bfloat16") => Flags(&[("cache-type-k", "bf16"), ("cache-type-v", "bf16")]),
        (LlamaCpp, "int8") => Flags(&[("cache-type-k", "q8_0"), ("cache-type-v", "q8_0")]),
        (LlamaCpp, "int4") => Flags(&[("cache-type-k", "q4_0"), ("cache-type-v", "q4_0")]),
        (LlamaCpp, _) => Refused(
            "has no cache of eight-bit floats",
            "use auto, fp16, bfloat16, int8 (q8_0) or int4 (q4_0)",
        ),
        (Sim, "fp16" | "bfloat16") => Nothing,
        (Sim, "fp8" | "fp8_e4m3" | "fp8_e5m2") => FP8,
        (Sim, _) => Refused("simulates no such cache", "use auto or fp8"),
        _ => unknown(kind),
    }
}

fn attention(kind: EngineKind, word: &str) -> Effect {
    // These kernels compute on such a cache as it is.
    const ON_SMALL_CACHE: Effect = WithSmallCache(&[("attention-backend", "flashinfer")]);
    match (kind, word) {
        (_, AUTO) => Nothing,
        (Vllm | Sglang, "float16") => Follows("float16"),
        (Vllm | Sglang, "bfloat16") => Follows("bfloat16"),
        (Sglang, "fp8" | "fp8_e4m3" | "fp8_e5m2") => ON_SMALL_CACHE,
        (Sglang, _) => Refused("has no attention in blocks of fp8", "use fp8 or auto"),
        (Vllm, _) => Refused(
            "has no setting for the type of attention: it follows the cache",
            "leave it auto, and set kvcache_dtype: fp8",
        ),
        (TensorRtLlm, _) => Refused(
            "has no setting for the type of attention: trtllm-serve has no flag for it",
            "leave it auto",
        ),
        (LlamaCpp | Sim, _) => Refused("has no setting for the type of attention", "leave it auto"),
        _ => unknown(kind),
    }
}

fn experts(kind: EngineKind, word: &str) -> Effect {
    match (kind, word) {
        (_, AUTO) => Nothing,
        (Vllm | Sglang, "float16") => Follows("float16"),
        (Vllm | Sglang, "bfloat16") => Follows("bfloat16"),
        (Vllm | Sglang, "fp8") => Follows("fp8"),
        (Vllm, "int8") => Quantizes(&[("quantization", "experts_int8")]),
        (Vllm, "mxfp4") => Refused(
            "reads mxfp4 experts from a checkpoint by itself and makes none",
            QUANTIZED_FILE,
        ),
        (Vllm, _) => Refused(
            "has no experts of four-bit weights and fp8 activations",
            "use int8 or fp8",
        ),
        (Sglang, "w4afp8") => Names(&[("quantization", "w4afp8")]),
        (Sglang, "mxfp4") => Names(&[("quantization", "mxfp4")]),
        (Sglang, _) => Refused(
            "cannot quantize experts to int8 while it loads them",
            "use fp8 with gemm_dtype: fp8, or a quantized checkpoint",
        ),
        (TensorRtLlm, _) => Refused(
            "takes experts as the checkpoint has them: trtllm-serve has no flag for their type",
            QUANTIZED_FILE,
        ),
        (LlamaCpp, _) => Refused(
            "takes experts as the GGUF file has them",
            "name another GGUF file as the model, and leave it auto",
        ),
        (Sim, _) => Refused("simulates no experts", "leave it auto"),
        _ => unknown(kind),
    }
}

/// What no engine's table has.
fn unknown(kind: EngineKind) -> Effect {
    if kind == Custom {
        Refused(
            "may take any flags, and which one this is we cannot know",
            "set the program's own flags under parameters, and leave it auto",
        )
    } else {
        Refused("knows no such type", "leave it auto")
    }
}
