//! Quantization in words that fit every engine.
//!
//! The one idea: each key is a dimension of the space like any parameter; what its words
//! become is the engine's matter.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::document::{ModelSpec, TaskSpec};
use super::findings::Findings;
use super::group::{Group, Part, Surroundings};
use super::read::{Fields, Node, shorten};
use super::schema::OneOrMany;
use crate::engine::{EngineKind, checkpoint, quantize};
use crate::problem::{Problem, closest};
use crate::space::ParameterName;
use crate::task::Checkpoint;

const GEMM: [&str; 6] = ["auto", "float16", "bfloat16", "float32", "fp8", "int8"];
const KV_CACHE: [&str; 8] = [
    "auto", "fp16", "bfloat16", "fp8", "fp8_e5m2", "fp8_e4m3", "int8", "int4",
];
const ATTENTION: [&str; 7] = [
    "auto",
    "float16",
    "bfloat16",
    "fp8",
    "fp8_e5m2",
    "fp8_e4m3",
    "fp8_block",
];
const MOE: [&str; 7] = ["auto", "float16", "bfloat16", "fp8", "w4afp8", "mxfp4", "int8"];

/// What may be quantized, each to one type or several to try.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct QuantSpec {
    /// Weights and matrix products: auto, float16, bfloat16, float32, fp8, int8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub gemm_dtype: Option<Vec<String>>,
    /// The cache of keys and values: auto, fp16, bfloat16, fp8, fp8_e5m2, fp8_e4m3, int8, int4.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub kvcache_dtype: Option<Vec<String>>,
    /// Attention: auto, float16, bfloat16, fp8, fp8_e5m2, fp8_e4m3, fp8_block.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub attention_dtype: Option<Vec<String>>,
    /// Experts: auto, float16, bfloat16, fp8, w4afp8, mxfp4, int8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub moe_dtype: Option<Vec<String>>,
    /// Named combinations in place of the four: default, kv-cache-fp8, dynamic-fp8,
    /// bf16-stable, aggressive-moe.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub presets: Option<Vec<String>>,
}

/// Reads the `quant_config` object.
pub(super) fn read(node: &Node<'_>) -> Option<QuantSpec> {
    let words = |node: &Node<'_>| node.list_or_one(Node::text);
    node.object(|fields: &mut Fields<'_>| QuantSpec {
        gemm_dtype: fields.take("gemm_dtype", words),
        kvcache_dtype: fields.take("kvcache_dtype", words),
        attention_dtype: fields.take("attention_dtype", words),
        moe_dtype: fields.take("moe_dtype", words),
        presets: fields.take_renamed("presets", "preset", words),
    })
}

impl QuantSpec {
    /// Holds the rules: known types and presets, not both, no empty list.
    pub(super) fn check(&self, findings: &Findings) {
        let check = |key: &str, words: &Option<Vec<String>>, known: &[&str]| {
            check_words(&format!("quant_config.{key}"), words, known, "type", findings);
        };
        check("gemm_dtype", &self.gemm_dtype, &GEMM);
        check("kvcache_dtype", &self.kvcache_dtype, &KV_CACHE);
        check("attention_dtype", &self.attention_dtype, &ATTENTION);
        check("moe_dtype", &self.moe_dtype, &MOE);
        check_words(
            "quant_config.presets",
            &self.presets,
            &quantize::PRESETS,
            "preset",
            findings,
        );
        if self.presets.is_some() && self.names_a_type() {
            let problem = Problem::new("quant_config", "gives presets and single types together");
            findings.refuse(problem.with_hint("use either presets or the four *_dtype keys"));
        }
    }

    fn names_a_type(&self) -> bool {
        self.gemm_dtype.is_some()
            || self.kvcache_dtype.is_some()
            || self.attention_dtype.is_some()
            || self.moe_dtype.is_some()
    }

    /// The lists that are given, each with the name of its field in candidates.
    fn lists(&self) -> Vec<(&'static str, Vec<Json>)> {
        [
            ("gemm_dtype", &self.gemm_dtype),
            ("kvcache_dtype", &self.kvcache_dtype),
            ("attention_dtype", &self.attention_dtype),
            ("moe_dtype", &self.moe_dtype),
            ("preset", &self.presets),
        ]
        .into_iter()
        .filter_map(|(field, words)| {
            let words = words.as_ref()?.iter();
            Some((field, words.map(|word| word.as_str().into()).collect()))
        })
        .collect()
    }
}

/// The dimensions of `quant_config`, held against its own rules and the engine's.
pub(super) fn group(spec: &TaskSpec, kind: Option<EngineKind>, findings: &Findings) -> Option<Group> {
    let given = spec.quant_config.as_ref()?;
    let lists = given.lists();
    let before = findings.count();
    given.check(findings);
    let is_sound = findings.count() == before && !findings.is_spoilt(quantize::KEY);
    let (true, Some(kind)) = (is_sound, kind) else {
        return Some(Group::unjudged(ParameterName::QUANTIZATION_PREFIX, &lists));
    };
    let said = said_of(&spec.model);
    let checkpoint = checkpoint::method(&said, &spec.model.id_or_path);
    Some(Group::of(
        &Part {
            key: quantize::KEY,
            prefix: ParameterName::QUANTIZATION_PREFIX,
            owned: &[],
            admits: &|_, _| Ok(()),
            settings: &|fields| {
                let mut settings = quantize::settings(kind, checkpoint, fields)?;
                let is_known = |note: &str| note == quantize::OLDER && spec.uses_usual_image();
                for setting in &mut settings {
                    setting.note = setting.note.filter(|note| !is_known(note));
                }
                Ok(settings)
            },
        },
        lists,
        &Surroundings { spec, kind },
        findings,
    ))
}

/// How the weights are said to be quantized: by the user, or else by the checkpoint's record.
pub(super) fn said_of(model: &ModelSpec) -> Checkpoint {
    let record = model.quantization_config.as_ref();
    let recorded = record
        .and_then(|record| record.get("quant_method"))
        .and_then(Json::as_str);
    let words = [model.quantization.as_deref(), recorded];
    let mut words = words.into_iter().flatten().map(str::to_lowercase);
    match words.find(|word| !["", "auto"].contains(&word.as_str())) {
        None => Checkpoint::Unsaid,
        Some(word) if word == "none" => Checkpoint::Plain,
        Some(word) => Checkpoint::Quantized(word),
    }
}

/// Holds the rules of a list of words out of a known set.
pub(super) fn check_words(
    path: &str,
    words: &Option<Vec<String>>,
    known: &[&str],
    what: &str,
    findings: &Findings,
) {
    let Some(words) = words else { return };
    if words.is_empty() {
        findings.refuse(Problem::new(path, "the list is empty").with_hint("leave the key out"));
    }
    for word in words.iter().filter(|word| !known.contains(&word.as_str())) {
        let hint = match closest(&shorten(word), known.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("use one of {}", known.join(", ")),
        };
        let message = format!("unknown {what} \"{}\"", shorten(word));
        findings.refuse(Problem::new(path, message).with_hint(hint));
    }
}
