//! What is said in words that fit every engine, as the flags of one engine.
//!
//! The one idea: a candidate keeps the words that were asked for (`quant.gemm_dtype`,
//! `parallel.tp`), and only on the way to a launch plan do they become flags. A flag that the
//! candidate sets by the engine's own name wins over one that a word became. Which word
//! becomes what is in `quantize` and `parallel`.

use super::EngineKind::{self, Custom, LlamaCpp, Sglang, Sim, TensorRtLlm, Vllm};
use super::catalogue::{FlagInfo, FlagKind};
use super::dialect::Dialect;
use super::flags::{self, Flag};
use super::parallel::Own;
use super::{parallel, quantize};
use crate::problem::Problem;
use crate::space::{Candidate, ParameterName, Target, Value};

/// One flag that a word became.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Setting {
    /// The flag, without dashes.
    pub(crate) flag: &'static str,
    /// What it is set to.
    pub(crate) value: Value,
    /// The field of the document that asked for it.
    pub(crate) field: &'static str,
    /// What it takes to work, where that cannot be known beforehand.
    pub(crate) note: Option<&'static str>,
}

/// The flags that the candidate's words become; `checkpoint` is how the model is already
/// quantized, where that is known, and `own` what flags of its own say.
///
/// # Errors
/// Every word that the engine cannot follow, with its path.
pub(crate) fn compile(
    kind: EngineKind,
    dialect: &Dialect,
    checkpoint: Option<&str>,
    own: &Own,
    candidate: &Candidate,
) -> Result<Vec<Flag>, Vec<Problem>> {
    let of = |field_of: fn(&ParameterName) -> Option<&str>| -> Vec<(&str, &Value)> {
        candidate
            .iter()
            .filter_map(|(name, value)| Some((field_of(name)?, value)))
            .collect()
    };
    let types = quantize::settings(kind, checkpoint, &of(type_field));
    let sizes = parallel::settings(kind, own, &of(size_field));
    match (types, sizes) {
        (Ok(types), Ok(sizes)) => {
            let mut flags = spelt(dialect, quantize::KEY, types)?;
            flags.extend(spelt(dialect, parallel::KEY, sizes)?);
            Ok(flags)
        }
        (types, sizes) => Err([types.err(), sizes.err()]
            .into_iter()
            .flatten()
            .flatten()
            .collect()),
    }
}

/// The candidate's own flags and, where it sets none of the same name, those of its words;
/// sorted by name.
pub(crate) fn beside(mut own: Vec<Flag>, words: Vec<Flag>) -> Vec<Flag> {
    for flag in words {
        if own.iter().all(|known| known.name != flag.name) {
            own.push(flag);
        }
    }
    own.sort_by(|left, right| left.name.cmp(&right.name));
    own
}

/// The same flags, those said by silence that ask for what every version does anyway: a
/// parallel size of 1, and `auto` where that is the default. Otherwise the engine's defaults
/// would be measured a second time under another name.
///
/// Not where a file or the environment may say something else: then the flag says no.
pub(crate) fn silent_defaults(
    kind: EngineKind,
    dialect: &Dialect,
    has_other_sources: bool,
    mut flags: Vec<Flag>,
) -> Vec<Flag> {
    if has_other_sources {
        return flags;
    }
    let sizes = ["tp", "pp", "dp", "cp", "dcp"].map(|field| flag_of(kind, field));
    // TensorRT-LLM may choose another spread of experts where none is said.
    let spread = flag_of(kind, "moe_ep").filter(|_| kind == Sglang);
    for flag in &mut flags {
        let is_size = sizes
            .iter()
            .chain([&spread])
            .flatten()
            .any(|size| *size == flag.name);
        let is_default = match flag.value.as_deref() {
            Some("1") => is_size,
            Some(AUTO) => dialect.find(&flag.name).is_some_and(is_auto_anyway),
            _ => false,
        };
        if is_default {
            flag.arguments.clear();
        }
    }
    flags
}

const AUTO: &str = "auto";

/// Flags of words only: a number in the place of `auto` may take other hardware.
fn is_auto_anyway(flag: &FlagInfo) -> bool {
    flag.default == AUTO && matches!(flag.kind, FlagKind::Choice(_) | FlagKind::OnOff)
}

fn type_field(name: &ParameterName) -> Option<&str> {
    match name.target() {
        Target::Quantization(field) => Some(field),
        _ => None,
    }
}

fn size_field(name: &ParameterName) -> Option<&str> {
    match name.target() {
        Target::Parallel(field) => Some(field),
        _ => None,
    }
}

fn spelt(dialect: &Dialect, key: &str, settings: Vec<Setting>) -> Result<Vec<Flag>, Vec<Problem>> {
    let mut flags = Vec::new();
    for setting in settings {
        let name = ParameterName::new(setting.flag);
        let compiled = flags::compile(dialect, &Candidate::new([(name, setting.value)]))?;
        flags.extend(compiled.into_iter().map(|flag| Flag {
            path: format!("{key}.{}", setting.field),
            ..flag
        }));
    }
    Ok(flags)
}

/// The engine's name for people.
pub(crate) fn engine_name(kind: EngineKind) -> &'static str {
    match kind {
        Vllm => "vLLM",
        Sglang => "SGLang",
        TensorRtLlm => "TensorRT-LLM",
        LlamaCpp => "llama.cpp",
        Sim => "the simulated engine",
        Custom => "a custom engine",
    }
}

/// The flag that says this parallel size to the engine, if it has one.
pub(crate) fn flag_of(kind: EngineKind, field: &str) -> Option<&'static str> {
    Some(match (kind, field) {
        (Vllm | Sim, "tp") => "tensor-parallel-size",
        (Vllm, "pp") => "pipeline-parallel-size",
        (Vllm, "dp") => "data-parallel-size",
        (Vllm, "dcp") => "decode-context-parallel-size",
        (Vllm, "enable_expert_parallel") => "enable-expert-parallel",
        (Sglang | TensorRtLlm, "tp") => "tp-size",
        (Sglang | TensorRtLlm, "pp") => "pp-size",
        (Sglang, "dp") => "dp-size",
        (Sglang | TensorRtLlm, "moe_ep" | "enable_expert_parallel") => "ep-size",
        (Sglang, "moe_dense_tp") => "moe-dense-tp-size",
        (TensorRtLlm, "cp") => "cp-size",
        (TensorRtLlm, "moe_cluster") => "cluster-size",
        _ => return None,
    })
}

/// The word that a value is; `auto` where it is unset.
pub(crate) fn word<'a>(path: &str, value: &'a Value) -> Result<&'a str, Problem> {
    match value {
        Value::Text(word) => Ok(word),
        Value::Unset => Ok(AUTO),
        other => Err(Problem::new(path, format!("{other} is no word"))),
    }
}

/// The size that a value is; `None` where it is unset.
pub(crate) fn size(path: &str, value: &Value) -> Result<Option<u32>, Problem> {
    match value {
        Value::Unset => Ok(None),
        Value::Int(size) => match u32::try_from(*size) {
            Ok(size) if size > 0 => Ok(Some(size)),
            _ => Err(Problem::new(path, format!("{size} is no size"))),
        },
        other => Err(Problem::new(path, format!("{other} is no size"))),
    }
}

/// Whether a value is on; `None` where it is unset.
pub(crate) fn switch(path: &str, value: &Value) -> Result<Option<bool>, Problem> {
    match value {
        Value::Unset => Ok(None),
        Value::Bool(is_on) => Ok(Some(*is_on)),
        other => Err(Problem::new(path, format!("{other} is neither true nor false"))),
    }
}
