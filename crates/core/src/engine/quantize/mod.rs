//! Number types in words that fit every engine, and what each engine makes of them.
//!
//! The one idea: a table (`table`), field by word by engine, says which flags a word becomes, that it
//! needs none, or why the engine cannot do it. `auto` asks for nothing anywhere. What an
//! engine cannot do is refused, never dropped. Nothing here looks at a model's files.

mod table;

use table::Effect::{
    self, Flags, Follows, Names, Newer, Nothing, OlderQuantizes, Quantizes, Refused, WithSmallCache,
};

use super::EngineKind::{self, Sglang, Sim, Vllm};
use super::portable::{Setting, engine_name, word};
use crate::problem::Problem;
use crate::space::Value;

/// Where these fields stand in a task document.
pub(crate) const KEY: &str = "quant_config";

/// Said of what the engine's usual image takes, and newer ones do not.
pub(crate) const OLDER: &str = "newer versions of the engine refuse it; the usual image takes it";

/// The word that asks for nothing.
const AUTO: &str = "auto";

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

/// The presets by name.
pub(crate) const PRESETS: [&str; 5] = [
    "default",
    "kv-cache-fp8",
    "dynamic-fp8",
    "bf16-stable",
    "aggressive-moe",
];

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
        ("gemm_dtype", types.gemm, table::gemm(kind, types.gemm)),
        ("kvcache_dtype", types.cache, table::cache(kind, types.cache)),
        (
            "attention_dtype",
            types.attention,
            table::attention(kind, types.attention),
        ),
        ("moe_dtype", types.experts, table::experts(kind, types.experts)),
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
        OlderQuantizes(_) => Some(OLDER),
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
        Quantizes(flags) | OlderQuantizes(flags) => match checkpoint {
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
